/* Options of the command line, as a table: the parser and --help come from it. */
#ifndef APP_OPTIONS_H
#define APP_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "app/demo.h"
#include "base/endpoint.h"

#define EXIT_USAGE 64 /* sysexits.h: EX_USAGE */

enum run_mode { RUN_SCREEN, RUN_ONCE, RUN_EVENTS, RUN_DUMP };
enum output_format { FORMAT_TEXT, FORMAT_JSON };

struct target {
	struct endpoint addr;
	char *user, *password; /* of a URI; owned, wiped when freed */
};

struct options {
	enum run_mode mode;
	enum output_format format;
	bool format_set;
	int64_t interval_ms, timeout_ms;
	struct target *targets;
	size_t target_count, target_cap;
	char *user, *pass_file, *sentinel_user, *sentinel_pass_file;
	bool askpass;
	bool read_only, ascii, no_color, color;
	char *log_file, *theme;
	enum demo_kind demo;
	int dump_width, dump_height;
	char *keys;
	bool help, version;
};

/* Fills o from the arguments; passwords in URIs are overwritten in argv. False with one line in err
 * that names the option. */
bool options_parse(struct options *o, int argc, char **argv, struct buf *err);
void options_free(struct options *o);
void options_print_help(void);

#endif
