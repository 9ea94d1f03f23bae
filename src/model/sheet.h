/* An action's sheet as data: filled by src/action, drawn by views/sheet.c. */
#ifndef MODEL_SHEET_H
#define MODEL_SHEET_H

#include "model/model.h"

#define SHEET_LINES_MAX 64
#define SHEET_FORMS_MAX 3

enum sheet_state {
	SHEET_VALUE,    /* waits for a number; the name comes after it */
	SHEET_CONFIRM,  /* waits for the typed name */
	SHEET_BLOCKED,  /* cannot be done now: reason on the sheet, nothing to type */
	SHEET_SENT,     /* sent, outcome followed */
	SHEET_DONE,     /* verified */
	SHEET_FAILED,   /* refused, timed out, aborted */
	SHEET_UNKNOWN,  /* it may have been done, or may be yet */
};

struct sheet_line {
	enum health health; /* how it is drawn */
	bool before;        /* as it was then, and is not looked at any more */
	char label[20];
	char text[300];
};

struct sheet {
	enum sheet_state state;
	char title[64 + NAME_BYTES];
	char command[256];
	char target[96];          /* node it goes to, with its role */
	char value[64];           /* what the number is: "quorum, 1 to 2147483647 Sentinels" */
	char confirm[NAME_BYTES]; /* what must be typed; "" when no confirmation is needed */
	const char *confirm_what; /* what that is; static; NULL: plain enough */
	struct sheet_line lines[SHEET_LINES_MAX];
	size_t line_count;
	const char *forms[SHEET_FORMS_MAX]; /* of the command, to choose from; static; none: one only */
	size_t form_count, form;
	int scroll, scroll_max;   /* of the lines; how far it goes is known when it is drawn */
	char outcome[256];        /* the verdict in one sentence; "" until there is one */
	int64_t opened_ms;
};

void sheet_line_add(struct sheet *s, enum health health, const char *label, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));

/* What the lines say is of before from now on: nothing follows it any more. A heading says before what. */
void sheet_lines_before(struct sheet *s, const char *heading);

#endif
