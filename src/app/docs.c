/* redoubt-docs: writes what is made from the tables to standard output.
 *
 *   redoubt-docs man docs/redoubt.1.in                 the man page
 *   redoubt-docs bash|zsh|fish themes/NAME.theme...    a completion
 *   redoubt-docs names                                 every option, key and name, one a line
 *
 * Not installed: `make docs` runs it, and a test compares. */
#include "config.h"

#include "app/docs.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app/configfile.h"
#include "app/ui_private.h"
#include "model/event.h"
#include "tui/keys.h"
#include "views/keymap.h"

#define LINE_BYTES  1024
#define LINE_WISHED 66

enum docs_value docs_next_word(const char **rest, const char **word, size_t *len)
{
	static const struct {
		const char *name;
		enum docs_value value;
	} known[] = { { "FILE", DOCS_FILE }, { "FOLDER", DOCS_FOLDER }, { "THEME", DOCS_THEME } };
	*word = *rest;
	*len = strcspn(*word, "|");
	*rest = (*word)[*len] == '|' ? *word + *len + 1 : NULL;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		if (strlen(known[i].name) == *len && memcmp(known[i].name, *word, *len) == 0)
			return known[i].value;
	return strspn(*word, "abcdefghijklmnopqrstuvwxyz0123456789-") == *len ? DOCS_WORD : DOCS_ANY;
}

/* --- the man page ------------------------------------------------------------------------------ */

static void roff_bytes(struct buf *out, const char *s, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		switch (s[i]) {
		case '\\': buf_addstr(out, "\\e"); break;
		case '-': buf_addstr(out, "\\-"); break;
		case '~': buf_addstr(out, "\\(ti"); break;
		case '^': buf_addstr(out, "\\(ha"); break;
		case '`': buf_addstr(out, "\\(ga"); break;
		case '\'': buf_addstr(out, "\\(aq"); break;
		default: buf_addch(out, s[i]);
		}
	}
}

/* Text on lines of its own, which should be short. A full stop at a line's begin would be a request. */
static void roff_text(struct buf *out, const char *s)
{
	while (*s != '\0') {
		size_t len = strlen(s);
		if (len > LINE_WISHED) {
			len = LINE_WISHED;
			while (len > 0 && s[len] != ' ')
				len--;
			if (len == 0)
				len = strcspn(s, " ");
		}
		if (s[0] == '.')
			buf_addstr(out, "\\&");
		roff_bytes(out, s, len);
		buf_addch(out, '\n');
		s += len;
		s += strspn(s, " ");
	}
}

static void roff_bold(struct buf *out, const char *s)
{
	buf_addstr(out, "\\fB");
	roff_bytes(out, s, strlen(s));
	buf_addstr(out, "\\fR");
}

static void roff_value(struct buf *out, const char *value_name)
{
	const char *rest = value_name, *word;
	size_t len;
	while (rest != NULL) {
		if (rest != value_name)
			buf_addch(out, '|');
		buf_addstr(out, docs_next_word(&rest, &word, &len) == DOCS_WORD ? "\\fB" : "\\fI");
		roff_bytes(out, word, len);
		buf_addstr(out, "\\fR");
	}
}

static void man_options(struct buf *out)
{
	struct option_doc o;
	for (size_t i = 0; option_at(i, &o); i++) {
		buf_addstr(out, ".TP\n");
		if (o.short_name != 0)
			buf_addf(out, "\\fB\\-%c\\fR, ", o.short_name);
		buf_addstr(out, "\\fB\\-\\-");
		roff_bytes(out, o.name, strlen(o.name));
		buf_addstr(out, "\\fR");
		if (o.value_name != NULL) {
			buf_addstr(out, o.value_optional ? "[=" : " ");
			roff_value(out, o.value_name);
			buf_addstr(out, o.value_optional ? "]" : "");
		}
		buf_addch(out, '\n');
		roff_text(out, o.help);
	}
}

static void man_keys(struct buf *out)
{
	const char *group = "";
	for (size_t i = 0; i < key_binding_count; i++) {
		const struct key_binding *b = &key_bindings[i];
		size_t screen = ui_screen_of(b->command);
		if (screen < SCREEN_COUNT && !ui_screen_exists(screen))
			continue;
		if (strcmp(group, b->group) != 0)
			buf_addf(out, ".SS %s\n", b->group);
		group = b->group;
		buf_addstr(out, ".TP\n");
		for (size_t k = 0; k < sizeof(b->keys) / sizeof(b->keys[0]); k++) {
			char name[16];
			if (b->keys[k] == KEYC_NONE)
				continue;
			buf_addstr(out, k > 0 ? ", " : "");
			roff_bold(out, key_name(b->keys[k], name));
		}
		buf_addstr(out, " (\\fI");
		roff_bytes(out, b->name, strlen(b->name));
		buf_addstr(out, "\\fR)\n");
		roff_text(out, b->help);
	}
}

static void man_commands(struct buf *out)
{
	const char *name, *argument;
	for (size_t i = 0; ui_line_command_at(i, &name, &argument); i++) {
		buf_addstr(out, i > 0 ? ".br\n" : "");
		roff_bold(out, name);
		buf_addstr(out, " \\fI");
		roff_bytes(out, argument, strlen(argument));
		buf_addstr(out, "\\fR\n");
	}
}

static void man_config(struct buf *out)
{
	struct config_key k;
	const char *section = "";
	for (size_t i = 0; config_key_at(i, &k); i++) {
		if (strcmp(section, k.section) != 0)
			buf_addf(out, ".SS [%s]\n", k.section);
		section = k.section;
		buf_addstr(out, ".TP\n");
		roff_bold(out, k.name);
		buf_addch(out, '\n');
		roff_text(out, k.help);
		if (k.standard[0] == '\0')
			continue;
		buf_addstr(out, "(default ");
		roff_bytes(out, k.standard, strlen(k.standard));
		buf_addstr(out, ")\n");
	}
}

static void man_events(struct buf *out, enum event_origin origin)
{
	for (int kind = 0; kind < EVENT_KIND_COUNT; kind++) {
		const struct event_kind_info *e = event_kind_info((enum event_kind)kind);
		if (e->origin != origin || kind == EVENT_UNKNOWN)
			continue;
		buf_addstr(out, ".TP\n");
		roff_bold(out, e->name);
		buf_addf(out, " (%s)\n", severity_name(e->severity));
		roff_text(out, e->help);
	}
}

static void man_events_sentinel(struct buf *out)
{
	man_events(out, ORIGIN_SENTINEL);
}

static void man_events_own(struct buf *out)
{
	man_events(out, ORIGIN_OWN);
}

/* A line of the page that is nothing but @name@ stands for what is made here. */
static const struct {
	const char *name;
	void (*make)(struct buf *out);
} parts[] = {
	{ "@options@\n", man_options },
	{ "@keys@\n", man_keys },
	{ "@commands@\n", man_commands },
	{ "@config@\n", man_config },
	{ "@events-sentinel@\n", man_events_sentinel },
	{ "@events-own@\n", man_events_own },
};
#define PART_COUNT (sizeof(parts) / sizeof(parts[0]))

static void man_line(const char *line, struct buf *out)
{
	const char *version = strstr(line, "@version@");
	for (size_t i = 0; i < PART_COUNT; i++) {
		if (strcmp(parts[i].name, line) == 0) {
			parts[i].make(out);
			return;
		}
	}
	if (version != NULL)
		buf_addf(out, "%.*s%s%s", (int)(version - line), line, PACKAGE_VERSION,
			 version + strlen("@version@"));
	else
		buf_addstr(out, line);
}

static bool man_page(const char *path, struct buf *out)
{
	char line[LINE_BYTES];
	FILE *in = fopen(path, "r");
	if (in == NULL) {
		fprintf(stderr, "redoubt-docs: %s: %s\n", path, strerror(errno));
		return false;
	}
	bool first = true;
	while (fgets(line, sizeof(line), in) != NULL) {
		man_line(line, out);
		if (first) /* man reads the first line only, whether it needs a preprocessor */
			buf_addstr(out, ".\\\" Made by `make docs`: change docs/redoubt.1.in or the "
					"tables, not this file.\n");
		first = false;
	}
	bool ok = !ferror(in);
	fclose(in);
	return ok;
}

/* --- all names, for the test that the documents say them -------------------------------------- */

static void key_names(struct buf *out)
{
	for (size_t i = 0; i < key_binding_count; i++) {
		const struct key_binding *b = &key_bindings[i];
		size_t screen = ui_screen_of(b->command);
		if (screen < SCREEN_COUNT && !ui_screen_exists(screen))
			continue;
		buf_addf(out, "bound %s\n", b->name);
		for (size_t k = 0; k < sizeof(b->keys) / sizeof(b->keys[0]); k++) {
			char name[16];
			if (b->keys[k] != KEYC_NONE)
				buf_addf(out, "%s %s\n", b->use == KEYS_REPLAY ? "replay-key" : "key",
					 key_name(b->keys[k], name));
		}
	}
}

static void all_names(struct buf *out)
{
	struct option_doc o;
	struct config_key k;
	const char *name, *argument;
	key_names(out);
	for (size_t i = 0; ui_line_command_at(i, &name, &argument); i++)
		buf_addf(out, "command %s\n", name);
	for (size_t i = 0; option_at(i, &o); i++)
		buf_addf(out, "option --%s\n", o.name);
	for (size_t i = 0; config_key_at(i, &k); i++)
		buf_addf(out, "config %s\n", k.name);
}

static bool make(int argc, char **argv, struct buf *out)
{
	struct buf themes = BUF_INIT;
	if (argc == 3 && strcmp(argv[1], "man") == 0)
		return man_page(argv[2], out);
	if (argc == 2 && strcmp(argv[1], "names") == 0) {
		all_names(out);
		return true;
	}
	for (int i = 2; i < argc; i++) {
		const char *slash = strrchr(argv[i], '/'), *name = slash != NULL ? slash + 1 : argv[i];
		buf_addf(&themes, "%s%.*s", i > 2 ? " " : "", (int)strcspn(name, "."), name);
	}
	bool ok = argc > 2 && docs_completion(argv[1], buf_str(&themes), out);
	if (!ok)
		fprintf(stderr, "usage: redoubt-docs man FILE | bash|zsh|fish THEME... | names\n");
	buf_free(&themes);
	return ok;
}

int main(int argc, char **argv)
{
	struct buf out = BUF_INIT;
	bool ok = make(argc, argv, &out) && fputs(buf_str(&out), stdout) >= 0 && fflush(stdout) == 0;
	buf_free(&out);
	return ok ? 0 : 1;
}
