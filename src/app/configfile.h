/* The config file: INI, read with inih. [ui], [alerts], [keys], and one [deployment NAME] section
 * each. */
#ifndef APP_CONFIGFILE_H
#define APP_CONFIGFILE_H

#include <stdint.h>

#include "app/settings.h"
#include "model/alerts.h"
#include "views/keymap.h"

#define CONFIG_DEPLOYMENTS_MAX 256
#define CONFIG_FILE_BYTES_MAX  (1024 * 1024)
#define CONFIG_NAME_BYTES      1024

enum ui_key_type { UI_SECONDS, UI_FLAG, UI_TEXT, UI_TRUECOLOR, UI_NOTIFY, UI_GRAPH, UI_COLUMNS };

/* Keys of [ui]: X(type, key, member, default, help). member is the name in struct config and in
 * struct options alike: int64_t and int64_t, int and bool, char * in both, or int in both, which is
 * then the place in config_words of the type: an enum of tui/screen.h or tui/graph.h. The parser,
 * --print-config, the merge with the options and the man page come from here. default: "" none. */
#define UI_KEYS(X)                                                                                 \
	X(UI_SECONDS, "interval", interval_ms, "1", "seconds between two polls, 0.1 to 60")        \
	X(UI_SECONDS, "timeout", timeout_ms, "2", "connect and reply deadline in seconds, 0.1 to 60") \
	X(UI_FLAG, "read-only", read_only, "no", "no action can be triggered in any deployment")   \
	X(UI_FLAG, "ascii", ascii, "no", "draw with ASCII only")                                   \
	X(UI_FLAG, "no-color", no_color, "no", "no colours")                                       \
	X(UI_TEXT, "theme", theme, "default", "colours: a name or a file")                         \
	X(UI_TRUECOLOR, "truecolor", truecolor, "terminfo", "exact colours: where terminfo says so, auto: or COLORTERM, yes or no") \
	X(UI_FLAG, "mouse", mouse, "no", "the wheel scrolls, a click selects")                     \
	X(UI_FLAG, "title", title, "yes", "the terminal's title says the health")                  \
	X(UI_FLAG, "bell", bell, "no", "ring when something becomes critical")                     \
	X(UI_NOTIFY, "notify", notify, "no", "desktop notification then: osc9, osc777 or no")      \
	X(UI_GRAPH, "graph", graph, "auto", "graphs of braille, block or ascii; auto: as the terminal can") \
	X(UI_COLUMNS, "node-columns", node_columns, "", "columns of the nodes' table, with commas; none: by width") \
	X(UI_TEXT, "log", log_file, "", "append events and operator actions to this file")

enum ui_index {
#define X(type, name, member, standard, help) UI_INDEX_##member,
	UI_KEYS(X)
#undef X
	UI_KEY_COUNT
};

struct config {
	char file[CONFIG_NAME_BYTES]; /* its name, fit for messages; "" without one */
	int ui_lines[UI_KEY_COUNT];   /* where a key of [ui] was set; 0: it was not */
	/* [ui]: -1 or NULL where the file says nothing */
	int64_t interval_ms, timeout_ms;
	int read_only, ascii, no_color, truecolor, mouse, title, bell, notify, graph;
	char *theme, *log_file, *node_columns;
	struct alerts alerts;
	struct keymap keys;
	struct settings *deployments; /* owned, in the file's order */
	size_t deployment_count, deployment_cap;
};

/* $XDG_CONFIG_HOME/redoubt/redoubt.conf, else under $HOME/.config; owned, NULL when neither is set. */
char *config_default_path(void);
/* False with "FILE:LINE: key: why" in err. A file with a password in it that others can read is
 * refused. missing_is_fine: the default file need not exist. /dev/null
 * is an empty one. */
bool config_load(struct config *c, const char *path, bool missing_is_fine, struct buf *err);
/* The same on text, for the fuzzer and tests: name stands for the file in messages. */
bool config_parse(struct config *c, const char *text, size_t len, const char *name, struct buf *err);
void config_done(struct config *c);

/* Its member is a char *. */
bool ui_key_is_text(enum ui_key_type type);
/* What a key of this type may be; NULL ends them. NULL itself for other types. */
const char *const *config_words(enum ui_key_type type);

/* What the tables say of the keys of [ui], [alerts] and [deployment NAME]: for the documentation. */
struct config_key { const char *section, *name, *standard, *help; };
/* False behind the last one. standard: "" where there is none. */
bool config_key_at(size_t index, struct config_key *out);

#endif
