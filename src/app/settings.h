/* The settings of one deployment, from the command line or from a section of the config file: one
 * table of names serves both. */
#ifndef APP_SETTINGS_H
#define APP_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>

#include "app/target.h"
#include "base/buf.h"
#include "model/facts.h"
#include "net/address_map.h"

/* Which links of a deployment speak TLS: Sentinels and data nodes may differ. */
enum tls_use { TLS_USE_NONE = 0, TLS_USE_DATA = 1, TLS_USE_SENTINEL = 2, TLS_USE_ALL = 3 };

#define SETTINGS_KEYS_MAX 24

struct settings {
	char name[NAME_BYTES];   /* of the section; "" for the command line */
	int line;                /* of the section in the file; 0: from the command line */
	int lines[SETTINGS_KEYS_MAX]; /* of the keys, in the table's order; 0: not said */
	struct target *targets;  /* owned */
	size_t target_count, target_cap;
	char *user, *pass_file, *pass_env, *password;
	char *sentinel_user, *sentinel_pass_file, *sentinel_pass_env, *sentinel_password;
	enum tls_use tls;
	char *cacert, *cacertdir, *cert, *key, *sni;
	bool insecure;
	struct address_map map;
	bool read_only;
	char *theme, *label;
};

/* Sets one by its name; line: of the file, 0 for the command line. False with the reason in err;
 * unknown names as well. */
bool settings_set(struct settings *s, const char *name, const char *value, int line,
		  struct buf *err);
/* Where in the file a key was set, else where its section begins; 0: on the command line. */
int settings_line(const struct settings *s, const char *name, size_t name_len);
/* The table's keys, for the documentation; false behind the last one. */
bool settings_key_at(size_t index, const char **name, const char **help);
/* One target, as an argument of the command line is one. */
bool settings_add_target(struct settings *s, const char *word, struct buf *err);
bool settings_parse_flag(const char *value, bool *out); /* yes no true false on off 1 0 */
/* A password stands in the settings themselves, not in a file or variable that they name. */
bool settings_have_password(const struct settings *s);
void settings_done(struct settings *s); /* wipes passwords */
/* One "name = value" line, cleaned: it goes to a terminal. */
void settings_print_text(const char *name, const char *value, struct buf *out);
/* "name = value" lines without secrets. */
void settings_print(const struct settings *s, struct buf *out);

#endif
