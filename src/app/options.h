/* Options of the command line, as a table: the parser, --help, the man page and the shells' completions
 * come from it. */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "app/configfile.h"
#include "app/demo.h"
#include "app/settings.h"

/* As in sysexits.h */
#define EXIT_USAGE       64
#define EXIT_UNAVAILABLE 69 /* the demo's servers could not be started */
#define EXIT_OUTPUT      74 /* what was to be written could not be: standard output, --log, --record */

enum run_mode { RUN_SCREEN, RUN_ONCE, RUN_EVENTS, RUN_DUMP };
enum output_format { FORMAT_TEXT, FORMAT_JSON };

struct options {
	enum run_mode mode;
	enum output_format format;
	bool format_set;
	int64_t interval_ms, timeout_ms; /* 0 until known: the file, then the default, may say */
	struct settings cli;       /* the deployment of the command line */
	const char *cli_option;    /* the last option that set something of it, or NULL */
	struct config config;      /* of the file; empty without one */
	bool from_file[UI_KEY_COUNT]; /* a text of [ui] that the command line did not say */
	char *config_file;
	bool askpass;
	bool read_only, probe, ascii, no_color, color, mouse, title, bell;
	int truecolor, notify, graph; /* enum truecolor, screen_notify, graph_style */
	char *log_file, *theme, *node_columns;
	enum demo_kind demo;
	int dump_width, dump_height;
	char *keys;
	char *record_file, *replay_file, *at; /* at: understood when the recording is open */
	int64_t record_max_bytes;  /* 0: no limit */
	double speed;              /* of the replay; 0: not said */
	bool help, version, print_config;
};

/* Fills o from the arguments; passwords in URIs are overwritten in argv. False with one line in err
 * that names the option. */
bool options_parse(struct options *o, int argc, char **argv, struct buf *err);
/* Reads the config file and lets it speak where the command line did not. */
bool options_load_config(struct options *o, struct buf *err);
/* The configuration in force, as a config file, without secrets. missing_screens as of keymap_print. */
void options_print_config(const struct options *o, unsigned missing_screens, struct buf *out);
/* That --log and --record could be written, without touching the files. False with one line in err. */
bool options_check_files(const struct options *o, struct buf *err);
/* Who said a text of [ui]: "FILE:LINE: key" or "--option", for messages. */
void options_place(const struct options *o, enum ui_index key, struct buf *out);
void options_free(struct options *o);
void options_print_help(void);

/* What the table says of an option. value_name: NULL without a value; words in lower case with |
 * between them are all that it may be; FILE, FOLDER and THEME in it are completed by the shell. */
struct option_doc {
	char short_name;     /* 0: none */
	const char *name, *value_name;
	bool value_optional; /* --name[=VALUE] */
	const char *help;
};
/* False behind the last one. */
bool option_at(size_t index, struct option_doc *out);

#endif
