/* The menu of actions as data: filled by src/action, drawn by views/menu.c. */
#ifndef MODEL_MENU_H
#define MODEL_MENU_H

#include "model/facts.h"

struct menu_entry {
	const char *name;     /* as typed behind `:` */
	const char *label, *help;
	char command[256];
	char target[96];      /* whom it goes to; "" nobody */
	char blocked[220];    /* why it cannot be done now; "" it can */
	bool needs_confirm;
};

#define MENU_ENTRIES_MAX 24
struct menu {
	char title[64 + NAME_BYTES];
	struct menu_entry entries[MENU_ENTRIES_MAX];
	size_t count, selected, top;
};

#endif
