/* What can be typed behind `:`. Every command of the key table by its name, and those of the table
 * below with an argument; a name that stands in both does without one what the key does. */
#include "config.h"

#include <stdio.h>
#include <string.h>

#include "app/ui_menu.h"
#include "app/ui_private.h"
#include "app/ui_theme.h"
#include "base/number.h"
#include "base/text.h"


struct line_command {
	const char *name, *argument;
	enum key_use use;
	/* argument is empty only where it may be left out, in brackets. False with the reason in err. */
	bool (*run)(struct ui *ui, const char *argument, struct buf *err);
	void (*complete)(struct ui *ui, const char *typed, struct line_candidates *out);
};

/* --- screens, deployments, nodes --------------------------------------------------------------- */

static void lower_name(const char *name, char *out, size_t size)
{
	size_t len = 0;
	for (; name[len] != '\0' && len + 1 < size; len++)
		out[len] = (char)(name[len] >= 'A' && name[len] <= 'Z' ? name[len] + 32 : name[len]);
	out[len] = '\0';
}

static bool run_screen(struct ui *ui, const char *argument, struct buf *err)
{
	char wanted[LINE_WORD_BYTES], name[32];
	lower_name(argument, wanted, sizeof(wanted));
	for (size_t i = 0; i < SCREEN_COUNT; i++) {
		lower_name(ui_screens[i].name, name, sizeof(name));
		bool is_key = wanted[0] == ui_screens[i].key && wanted[1] == '\0';
		if (ui_screens[i].key == '\0' || (!is_key && strcmp(name, wanted) != 0))
			continue;
		ui_go_to(ui, i);
		return true;
	}
	buf_addf(err, "there is no screen %s", argument);
	return false;
}

static void complete_screen(struct ui *ui, const char *typed, struct line_candidates *out)
{
	char name[32];
	(void)ui;
	for (size_t i = 0; i < SCREEN_COUNT; i++) {
		lower_name(ui_screens[i].name, name, sizeof(name));
		if (ui_screens[i].key != '\0' && ui_screen_exists(i))
			line_candidates_add(out, name, typed, strlen(typed));
	}
}

static bool run_deployment(struct ui *ui, const char *argument, struct buf *err)
{
	const struct deployment *d;
	size_t cursor = 0;
	while ((d = model_next_deployment(ui_model(ui), &cursor)) != NULL) {
		if (strcmp(d->name, argument) != 0)
			continue;
		ui_show_deployment(ui, d->id);
		return true;
	}
	buf_addf(err, "there is no deployment %s", argument);
	return false;
}

static void complete_deployment(struct ui *ui, const char *typed, struct line_candidates *out)
{
	const struct deployment *d;
	size_t cursor = 0;
	while ((d = model_next_deployment(ui_model(ui), &cursor)) != NULL)
		line_candidates_add(out, d->name, typed, strlen(typed));
}

/* The whole address, or a part of it: a port will mostly do. Counts who could be meant. */
static const struct node *find_node(struct ui *ui, uint32_t deployment_id, const char *wanted, size_t *count)
{
	const struct node *n, *found = NULL;
	char addr[ENDPOINT_TEXT_BYTES];
	size_t cursor = 0;
	*count = 0;
	while ((n = model_next_member(ui_model(ui), deployment_id, &cursor)) != NULL) {
		endpoint_format(&n->addr, addr);
		if (strcmp(addr, wanted) == 0) {
			*count = 1;
			return n;
		}
		if (!text_contains(addr, wanted))
			continue;
		found = n;
		(*count)++;
	}
	return found;
}

static bool run_node(struct ui *ui, const char *argument, struct buf *err)
{
	const struct deployment *d;
	size_t count, cursor = 0;
	/* The one that is shown goes before the others. */
	const struct node *n = find_node(ui, ui->deployment_id, argument, &count);
	while (count == 0 && (d = model_next_deployment(ui_model(ui), &cursor)) != NULL)
		n = find_node(ui, d->id, argument, &count);
	if (count != 1) {
		buf_addf(err, count == 0 ? "there is no %s" : "%s could be more than one", argument);
		return false;
	}
	if (n->deployment_id != ui->deployment_id)
		ui_show_deployment(ui, n->deployment_id);
	ui_open_node(ui, n->id);
	return true;
}

static void complete_node(struct ui *ui, const char *typed, struct line_candidates *out)
{
	const struct node *n;
	char addr[ENDPOINT_TEXT_BYTES];
	size_t cursor = 0;
	while ((n = model_next_member(ui_model(ui), ui->deployment_id, &cursor)) != NULL)
		line_candidates_add(out, endpoint_format(&n->addr, addr), typed, strlen(typed));
}

/* --- the focused view -------------------------------------------------------------------------- */

static bool run_filter(struct ui *ui, const char *argument, struct buf *err)
{
	struct view *v = ui_focused_view(ui);
	if (!v->ops->uses_filter) {
		buf_addf(err, "%s has no filter", v->ops->title);
		return false;
	}
	view_set_filter(v, argument);
	return true;
}

static bool run_slot(struct ui *ui, const char *argument, struct buf *err)
{
	size_t slots = ui_screen_of(CMD_SCREEN_4);
	if (!ui_view_applies(ui, ui->views[slots])) {
		buf_addstr(err, "only a cluster has slots");
		return false;
	}
	ui_go_to(ui, slots);
	view_set_filter(ui->views[slots], argument);
	return true;
}

static bool run_sort(struct ui *ui, const char *argument, struct buf *err)
{
	struct view *v = ui_focused_view(ui);
	if (v->ops->sort != NULL && v->ops->sort(v, argument))
		return true;
	if (v->ops->sort == NULL)
		buf_addf(err, "%s has an order of its own", v->ops->title);
	else
		buf_addf(err, "%s has no column %s", v->ops->title, argument);
	return false;
}

/* The first of "a,b,c" that is no column; NULL: all are. */
static const char *unknown_column(const struct view_ops *ops, const char *list, size_t *len)
{
	for (; *(list += strspn(list, ", ")) != '\0'; list += *len) {
		bool known = false;
		*len = strcspn(list, ", ");
		for (size_t i = 0; ops->columns[i] != NULL; i++)
			known |= strlen(ops->columns[i]) == *len && memcmp(ops->columns[i], list, *len) == 0;
		if (!known)
			return list;
	}
	return NULL;
}

static bool run_columns(struct ui *ui, const char *argument, struct buf *err)
{
	struct view *v = ui_focused_view(ui);
	size_t len = 0;
	if (v->ops->choose == NULL || v->ops->columns == NULL) {
		buf_addf(err, "those of %s cannot be chosen", v->ops->title);
		return false;
	}
	const char *unknown = unknown_column(v->ops, argument, &len);
	if (unknown != NULL)
		buf_addf(err, "%s has no column %.*s", v->ops->title, (int)len, unknown);
	return unknown == NULL && v->ops->choose(v, argument);
}

static void add_columns(struct ui *ui, const char *typed, struct line_candidates *out)
{
	const struct view_ops *ops = ui_focused_view(ui)->ops;
	for (size_t i = 0; ops->columns != NULL && ops->columns[i] != NULL; i++)
		line_candidates_add(out, ops->columns[i], typed, strlen(typed));
}

static void complete_sort(struct ui *ui, const char *typed, struct line_candidates *out)
{
	if (ui_focused_view(ui)->ops->sort != NULL)
		add_columns(ui, typed, out);
}

static void complete_columns(struct ui *ui, const char *typed, struct line_candidates *out)
{
	const char *comma = strrchr(typed, ',');
	const char *word = comma != NULL ? comma + 1 : typed;
	out->start += (size_t)(word - typed);
	if (ui_focused_view(ui)->ops->choose != NULL)
		add_columns(ui, word, out);
}

/* --- the program ------------------------------------------------------------------------------- */

static bool run_theme(struct ui *ui, const char *argument, struct buf *err)
{
	return ui_theme_set(ui, argument, err);
}

static void complete_theme(struct ui *ui, const char *typed, struct line_candidates *out)
{
	for (size_t i = 0; i < theme_library_count(ui->themes); i++)
		line_candidates_add(out, theme_library_name(ui->themes, i), typed, strlen(typed));
}

static bool run_interval(struct ui *ui, const char *argument, struct buf *err)
{
	double seconds;
	if (!number_parse_double(argument, strlen(argument), 0.1, 60, &seconds)) {
		buf_addstr(err, "must be a number from 0.1 to 60");
		return false;
	}
	app_set_interval(ui->app, (int64_t)(seconds * 1000.0 + 0.5));
	app_notice(ui->app, HEALTH_OK, "interval %g s", seconds);
	return true;
}

static bool run_write(struct ui *ui, const char *argument, struct buf *err)
{
	(void)err; /* what becomes of it is a notice */
	app_write_report(ui->app, argument);
	return true;
}

static bool run_set(struct ui *ui, const char *argument, struct buf *err)
{
	return ui_action_set(ui, argument, err);
}

static void complete_set(struct ui *ui, const char *typed, struct line_candidates *out)
{
	(void)ui;
	for (size_t i = 0; ui_action_setting_at(i) != NULL; i++)
		line_candidates_add(out, ui_action_setting_at(i), typed, strlen(typed));
}

static bool run_probe(struct ui *ui, const char *argument, struct buf *err)
{
	bool was_on = app_probes(ui->app, ui->deployment_id), on = strcmp(argument, "on") == 0;
	if (argument[0] == '\0')
		on = !was_on;
	else if (!on && strcmp(argument, "off") != 0)
		buf_addstr(err, "must be on or off");
	if (err->len > 0 || !app_probe(ui->app, ui->deployment_id, on, err))
		return false;
	app_notice(ui->app, HEALTH_OK, "%s",
		   on ? "probing: a key of redoubt's own is written to each master every 100 ms" :
			"not probing: nothing is written");
	return true;
}

static void complete_probe(struct ui *ui, const char *typed, struct line_candidates *out)
{
	(void)ui;
	line_candidates_add(out, "on", typed, strlen(typed));
	line_candidates_add(out, "off", typed, strlen(typed));
}

static const struct line_command line_commands[] = {
	{ "screen", "NAME", KEYS_ALWAYS, run_screen, complete_screen },
	{ "deployment", "NAME", KEYS_ALWAYS, run_deployment, complete_deployment },
	{ "node", "ADDRESS", KEYS_ALWAYS, run_node, complete_node },
	{ "filter", "TEXT", KEYS_ALWAYS, run_filter, NULL },
	{ "slot", "KEY", KEYS_ALWAYS, run_slot, NULL },
	{ "sort", "COLUMN", KEYS_ALWAYS, run_sort, complete_sort },
	{ "columns", "A,B,...", KEYS_ALWAYS, run_columns, complete_columns },
	{ "interval", "SECONDS", KEYS_LIVE, run_interval, NULL },
	{ "theme", "NAME", KEYS_ALWAYS, run_theme, complete_theme },
	{ "write", "FILE", KEYS_ALWAYS, run_write, NULL },
	{ "set", "NAME N", KEYS_ALWAYS, run_set, complete_set },
	{ "probe", "[on|off]", KEYS_LIVE, run_probe, complete_probe },
	{ "at", "TIME", KEYS_REPLAY, ui_replay_at, NULL },
	{ "speed", "N", KEYS_REPLAY, ui_replay_speed, NULL },
};
#define LINE_COMMANDS (sizeof(line_commands) / sizeof(line_commands[0]))

/* Actions that have no key of their own. NULL behind the last one. */
static const char *action_name_at(size_t index)
{
	const char *name;
	for (size_t i = 0; (name = ui_action_name_at(i)) != NULL; i++)
		if (key_binding_named(name, strlen(name)) == NULL && index-- == 0)
			return name;
	return NULL;
}

bool ui_line_command_at(size_t index, const char **name, const char **argument)
{
	if (index >= LINE_COMMANDS) {
		*name = action_name_at(index - LINE_COMMANDS);
		*argument = "";
		return *name != NULL;
	}
	*name = line_commands[index].name;
	*argument = line_commands[index].argument;
	return true;
}

/* --- names ------------------------------------------------------------------------------------- */

#define NAMES_MAX (CMD_COUNT + LINE_COMMANDS + MENU_ENTRIES_MAX)

static bool has_use(const struct ui *ui, enum key_use use)
{
	return use != (ui->replay != NULL ? KEYS_LIVE : KEYS_REPLAY);
}

static bool is_there(const struct ui *ui, const struct key_binding *b)
{
	return has_use(ui, b->use) && !key_binding_is_missing(b, ui_screens_missing());
}

/* Those that have a use here: the others are neither offered nor in the way of short forms. */
static size_t all_names(const struct ui *ui, const char *out[NAMES_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < LINE_COMMANDS; i++)
		if (has_use(ui, line_commands[i].use))
			out[count++] = line_commands[i].name;
	for (size_t i = 0; i < key_binding_count && count < NAMES_MAX; i++)
		if (is_there(ui, &key_bindings[i]))
			out[count++] = key_bindings[i].name;
	for (size_t i = 0; action_name_at(i) != NULL && count < NAMES_MAX; i++)
		out[count++] = action_name_at(i);
	return count;
}

static const struct line_command *command_named(const char *name)
{
	for (size_t i = 0; i < LINE_COMMANDS; i++)
		if (strcmp(line_commands[i].name, name) == 0)
			return &line_commands[i];
	return NULL;
}

static bool is_name(const char *word, const char *const *names, size_t count)
{
	for (size_t i = 0; i < count; i++)
		if (strcmp(names[i], word) == 0)
			return true;
	return false;
}

static const char *name_in_full(const char *word, const char *const *names, size_t count, struct buf *err)
{
	struct line_candidates begin = { .count = 0 };
	const struct key_binding *b = key_binding_named(word, strlen(word));
	if (is_name(word, names, count) || command_named(word) != NULL ||
	    (b != NULL && !key_binding_is_missing(b, ui_screens_missing())))
		return word;
	for (size_t i = 0; i < count; i++)
		line_candidates_add(&begin, names[i], word, strlen(word));
	if (begin.count == 1)
		for (size_t i = 0; i < count; i++)
			if (strcmp(names[i], begin.words[0]) == 0)
				return names[i];
	if (begin.count > 1) {
		buf_addf(err, "%s could be", word);
		for (size_t i = 0; i < begin.count; i++)
			buf_addf(err, "%s %s", i == 0 ? "" : i + 1 < begin.count ? "," : " or", begin.words[i]);
		return NULL;
	}
	const char *meant = line_suggest(word, names, count);
	buf_addf(err, "unknown command %s", word);
	if (meant != NULL)
		buf_addf(err, ": %s?", meant);
	return NULL;
}

/* Cuts the line into its first word and the rest, without blanks around. */
static const char *split(const char *text, char *word, size_t size, char *rest, size_t rest_size)
{
	text += strspn(text, " :");
	size_t len = strcspn(text, " ");
	snprintf(word, size, "%.*s", (int)len, text);
	text += len;
	text += strspn(text, " ");
	snprintf(rest, rest_size, "%s", text);
	len = strlen(rest);
	while (len > 0 && rest[len - 1] == ' ')
		rest[--len] = '\0';
	return word;
}

static bool run(struct ui *ui, const char *name, const char *argument, struct buf *err)
{
	const struct line_command *c = command_named(name);
	const struct key_binding *b = key_binding_named(name, strlen(name));
	if ((b != NULL && !has_use(ui, b->use)) || (c != NULL && !has_use(ui, c->use))) {
		buf_addstr(err, ui->replay != NULL ? "a recording has no use for it"
						   : "only a recording can be played");
		return false;
	}
	if (c != NULL && (argument[0] != '\0' || c->argument[0] == '['))
		return c->run(ui, argument, err);
	if (b != NULL && argument[0] == '\0') {
		ui_command(ui, b->command);
		return true;
	}
	if (b == NULL && c == NULL && argument[0] == '\0' && ui_action_run(ui, name))
		return true;
	if (c != NULL)
		buf_addf(err, "what is missing: %s", c->argument);
	else
		buf_addstr(err, "takes nothing behind it");
	return false;
}

void ui_line_run(struct ui *ui, const char *text)
{
	const char *names[NAMES_MAX];
	char word[PROMPT_BYTES], argument[PROMPT_BYTES];
	struct buf err = BUF_INIT;
	split(text, word, sizeof(word), argument, sizeof(argument));
	if (word[0] == '\0')
		return;
	const char *name = name_in_full(word, names, all_names(ui, names), &err);
	if (name == NULL)
		app_notice(ui->app, HEALTH_UNKNOWN, "%s", buf_str(&err));
	else if (!run(ui, name, argument, &err))
		app_notice(ui->app, HEALTH_UNKNOWN, "%s: %s", name, buf_str(&err));
	buf_free(&err);
}

void ui_line_complete(void *user, const char *text, struct line_candidates *out)
{
	const struct ui *ui = user;
	const char *names[NAMES_MAX], *word = text + strspn(text, " :");
	size_t len = strcspn(word, " "), count = all_names(ui, names);
	out->start = (size_t)(word - text);
	if (word[len] == '\0') {
		for (size_t i = 0; i < count; i++)
			line_candidates_add(out, names[i], word, len);
		return;
	}
	struct buf err = BUF_INIT;
	char typed[PROMPT_BYTES];
	snprintf(typed, sizeof(typed), "%.*s", (int)len, word);
	const char *name = name_in_full(typed, names, count, &err);
	const struct line_command *c = name != NULL ? command_named(name) : NULL;
	buf_free(&err);
	const char *argument = word + len + strspn(word + len, " ");
	out->start = (size_t)(argument - text);
	if (c != NULL && c->complete != NULL)
		c->complete(user, argument, out);
}
