/* Golden screens: recordings of real incidents, drawn without a terminal or a server, and compared
 * with tests/golden/expected as text and as style roles.
 *
 *   golden [--update] [--show] [NAME...]     cases whose names begin with one of the NAMEs; all
 *
 * Each case is drawn in a process of its own: curses has one screen a process. */
#include "config.h"

#include <dirent.h>
#include <errno.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "app/network.h"
#include "app/replay.h"
#include "app/ui_private.h"
#include "cases.h"
#include "frame.h"
#include "tui/screen_private.h"

#define CASE_COUNT (sizeof(golden_cases) / sizeof(golden_cases[0]))
#define EXIT_SKIP  77
#define PATH_BYTES 1024
#define ARGS_MAX   16
#define JOBS       2
#define OUT_BYTES  (1 << 20) /* what a case says is said in one piece */

static struct { bool update, show; const char *folder; } run;

/* --- a frame ----------------------------------------------------------------------------------- */

struct drawing {
	struct options options;
	struct network network;
	struct app app;
	struct action *sheet;
};

static bool is_ascii(const struct golden_case *c)
{
	return c->mode == ASCII || c->mode == ASCII_MONO;
}

static bool is_mono(const struct golden_case *c)
{
	return c->mode == MONO || c->mode == ASCII_MONO;
}

/* The way of the program itself: options as they are typed, no configuration of the user's. */
static bool read_options(struct drawing *d, const struct golden_case *c, struct buf *err)
{
	static char path[PATH_BYTES], size[32];
	char *argv[ARGS_MAX];
	int argc = 0;
	snprintf(path, sizeof(path), "%s/%s.rec", run.folder, c->recording);
	snprintf(size, sizeof(size), "%dx%d", c->width, c->height);
	const char *const args[] = { "golden", "--replay", path, "--dump", size };
	for (; argc < (int)(sizeof(args) / sizeof(args[0])); argc++)
		argv[argc] = (char *)(uintptr_t)args[argc];
	if (c->keys[0] != '\0') {
		argv[argc++] = (char *)(uintptr_t)"--keys";
		argv[argc++] = (char *)(uintptr_t)c->keys;
	}
	if (is_ascii(c))
		argv[argc++] = (char *)(uintptr_t)"--ascii";
	if (is_mono(c))
		argv[argc++] = (char *)(uintptr_t)"--no-color";
	argv[argc] = NULL;
	return options_parse(&d->options, argc, argv, err) && options_load_config(&d->options, err) &&
	       network_build(&d->network, &d->options, NULL, err);
}

static bool find_moment(const struct player *p, const struct golden_case *c, int64_t *at_ms,
			struct buf *err)
{
	int left = c->nth;
	*at_ms = player_begin_ms(p) + c->after_ms;
	if (c->event == NULL)
		return true;
	for (size_t i = 0; i < player_mark_count(p); i++) {
		const struct player_mark *mark = player_mark_at(p, i);
		if (strcmp(event_kind_info(mark->kind)->name, c->event) == 0 && --left == 0) {
			*at_ms = mark->at_ms + c->after_ms;
			return true;
		}
	}
	buf_addf(err, "%s.rec has no %s number %d", c->recording, c->event, c->nth);
	return false;
}

/* A replay opens no sheet: what it would say at that moment is drawn all the same. */
static void open_sheet(struct drawing *d, const struct golden_case *c)
{
	struct app *app = &d->app;
	struct selection s = ui_selected(app->ui);
	const struct deployment *shown = model_deployment(app->model, s.deployment_id);
	if (s.group_id == 0 && shown != NULL && shown->group_count > 0)
		s.group_id = shown->groups[0]->id;
	const struct action_context on = { s.deployment_id, s.group_id, s.node_id };
	d->sheet = action_open(&action_failover, &on, app->model,
			       c->sheet == SHEET_REFUSED ? "read-only: no action can be triggered" : NULL,
			       app_now_ms(app));
	app->ui->sheet = d->sheet;
}

static bool draw(struct drawing *d, const struct golden_case *c, struct buf *err)
{
	struct buf text = BUF_INIT;
	struct app *app = &d->app;
	int64_t at_ms;
	if (!read_options(d, c, err))
		return false;
	app->options = &d->options;
	app->network = &d->network;
	app->loop = ev_default_loop(EVFLAG_AUTO);
	app->interval_ms = d->options.interval_ms;
	if (!replay_start(app, err) || !find_moment(app->replay->player, c, &at_ms, err))
		return false;
	replay_go(app, at_ms, 0);
	if (app->replay->now_ms != at_ms) {
		buf_addstr(err, "the recording ends before that moment");
		return false;
	}
	app->ui = ui_open(app, err);
	if (app->ui == NULL)
		return false;
	/* Panes have rows, and a selection, when they have been drawn. */
	bool ok = ui_dump(app->ui, &text, err);
	if (ok && c->sheet != NO_SHEET) {
		open_sheet(d, c);
		screen_frame_begin(app->ui->screen);
		ui_draw(app->ui);
		screen_frame_end(app->ui->screen);
	}
	buf_free(&text);
	return ok;
}

static void drawing_free(struct drawing *d)
{
	ui_close(d->app.ui);
	action_free(d->sheet);
	model_free(d->app.model);
	replay_free(d->app.replay);
	network_free(&d->network);
	options_free(&d->options);
	if (d->app.loop != NULL)
		ev_loop_destroy(d->app.loop);
}

/* --- files ------------------------------------------------------------------------------------- */

static const char *expected_path(const struct golden_case *c)
{
	static char path[PATH_BYTES];
	snprintf(path, sizeof(path), "%s/expected/%s.txt", run.folder, c->name);
	return path;
}

static bool read_file(const char *path, struct buf *out)
{
	char block[8192];
	size_t got;
	FILE *f = fopen(path, "re");
	if (f == NULL)
		return false;
	while ((got = fread(block, 1, sizeof(block), f)) > 0)
		buf_add(out, block, got);
	bool ok = !ferror(f);
	fclose(f);
	return ok;
}

static bool write_file(const char *path, const struct buf *text)
{
	FILE *f = fopen(path, "we");
	if (f == NULL)
		return false;
	bool ok = fwrite(text->data, 1, text->len, f) == text->len;
	return fclose(f) == 0 && ok;
}

static void title_of(const struct golden_case *c, char *out, size_t size)
{
	static const char *const modes[] = { [COLOUR] = "colour", [MONO] = "monochrome", [ASCII] = "ASCII",
					     [ASCII_MONO] = "ASCII, monochrome" };
	static const char *const sheets[] = { "", ", failover sheet", ", failover sheet, read-only" };
	char moment[80] = "the begin", nth[16] = "";
	if (c->nth > 1)
		snprintf(nth, sizeof(nth), " no. %d", c->nth);
	if (c->event != NULL)
		snprintf(moment, sizeof(moment), "%s%s", c->event, nth);
	snprintf(out, size, "%s.rec, %d ms after %s, %dx%d, %s, keys '%s'%s", c->recording, c->after_ms,
		 moment, c->width, c->height, modes[c->mode], c->keys, sheets[c->sheet]);
}

/* --- verdicts ---------------------------------------------------------------------------------- */

static bool fails(const struct frame *expected, const struct screen *s, bool looks, int cells)
{
	struct frame actual = { 0 };
	frame_take(&actual, s, looks);
	struct frame_difference d = frame_compare(expected, &actual, NULL);
	frame_free(&actual);
	return cells == 0 ? d.cells == 0 && d.rows == 0 : d.cells >= cells && d.rows >= 1;
}

/* One cell of the frame is changed, in text and then in role: each must fail, and be gone when the
 * cell is as it was. */
static bool flips_fail(const struct frame *f, struct screen *s, bool looks, int y, int x)
{
	uint32_t code = screen_code_at(s, y, x);
	enum style_role role = screen_role_at(s, y, x);
	if (code == 0 || screen_code_at(s, y, x + 1) == 0)
		return true; /* a half of a wide character cannot be put back alone */
	screen_put(s, y, x, role, code == 'x' ? 'y' : 'x', 1);
	bool ok = fails(f, s, looks, 1);
	screen_put(s, y, x, role, code, 1);
	screen_set_role(s, y, x, 1, role == STYLE_MATCH ? STYLE_OK : STYLE_MATCH);
	ok = fails(f, s, looks, 1) && ok;
	screen_set_role(s, y, x, 1, role);
	return fails(f, s, looks, 0) && ok;
}

static bool self_test(const struct golden_case *c, const struct frame *f, struct screen *s)
{
	const int ys[] = { 0, 1, c->height / 2, c->height - 1 };
	const int xs[] = { 0, c->width / 3, c->width - 2 };
	for (size_t i = 0; i < 4; i++)
		for (size_t k = 0; k < 3; k++)
			if (!flips_fail(f, s, is_mono(c), ys[i], xs[k]))
				return false;
	return true;
}

static bool compare(const struct golden_case *c, const struct frame *actual, const struct buf *text)
{
	struct buf file = BUF_INIT, out = BUF_INIT;
	struct frame expected = { 0 };
	bool same = false;
	if (!read_file(expected_path(c), &file)) {
		buf_addf(&out, "    %s: %s\n", expected_path(c), strerror(errno));
	} else if (frame_read(&expected, buf_str(&file), &out)) {
		struct frame_difference d = frame_compare(&expected, actual, &out);
		same = d.rows == 0 && d.cells == 0;
		/* What no row shows: the title and the legend. */
		if (same && strcmp(buf_str(&file), buf_str(text)) != 0) {
			buf_addstr(&out, "    the title or the legend differs\n");
			same = false;
		}
	}
	if (!same)
		printf("not ok - %s\n%s", c->name, buf_str(&out));
	frame_free(&expected);
	buf_free(&file);
	buf_free(&out);
	return same;
}

static bool judge(const struct golden_case *c, struct screen *s)
{
	struct frame f = { 0 };
	struct buf text = BUF_INIT;
	char title[300];
	bool ok = true;
	frame_take(&f, s, is_mono(c));
	title_of(c, title, sizeof(title));
	frame_write(&f, title, &text);
	if (run.show) {
		printf("== %s: %s\n", c->name, title);
		for (int y = 0; y < f.height; y++)
			printf("%s\n", f.rows[FRAME_TEXT][y]);
	} else if (run.update) {
		ok = write_file(expected_path(c), &text);
		if (!ok)
			printf("not ok - %s: %s\n", expected_path(c), strerror(errno));
	} else {
		ok = compare(c, &f, &text);
	}
	if (!self_test(c, &f, s)) {
		printf("not ok - %s: a changed cell was not noticed\n", c->name);
		ok = false;
	}
	frame_free(&f);
	buf_free(&text);
	return ok;
}

static int run_here(const struct golden_case *c)
{
	struct drawing d = { 0 };
	struct buf err = BUF_INIT;
	bool ok = draw(&d, c, &err);
	if (!ok)
		printf("not ok - %s: %s\n", c->name, buf_str(&err));
	ok = ok && judge(c, d.app.ui->screen);
	drawing_free(&d);
	buf_free(&err);
	fflush(stdout);
	return ok ? 0 : 1;
}

/* --- two at a time ----------------------------------------------------------------------------- */

struct job { pid_t pid; const struct golden_case *c; };

static bool start_job(struct job *job, const struct golden_case *c)
{
	fflush(stdout);
	*job = (struct job){ fork(), c };
	if (job->pid == 0)
		exit(run_here(c)); /* not _exit: leaks are looked for */
	if (job->pid < 0)
		printf("not ok - %s: fork: %s\n", c->name, strerror(errno));
	return job->pid > 0;
}

/* Of the one that ends first; its place is free then. True when all is well. */
static bool end_job(struct job *jobs)
{
	int status;
	pid_t pid = wait(&status);
	for (size_t i = 0; i < JOBS; i++) {
		if (pid <= 0 || jobs[i].pid != pid)
			continue;
		if (WIFSIGNALED(status))
			printf("not ok - %s: killed by signal %d\n", jobs[i].c->name, WTERMSIG(status));
		jobs[i].pid = 0;
		return status == 0;
	}
	return false;
}

static struct job *free_job(struct job *jobs)
{
	for (size_t i = 0; i < JOBS; i++)
		if (jobs[i].pid <= 0)
			return &jobs[i];
	return NULL;
}

static bool is_busy(const struct job *jobs)
{
	for (size_t i = 0; i < JOBS; i++)
		if (jobs[i].pid > 0)
			return true;
	return false;
}

/* --- all --------------------------------------------------------------------------------------- */

static bool is_wanted(const struct golden_case *c, char **names)
{
	bool wanted = *names == NULL;
	for (; *names != NULL; names++)
		wanted |= strncmp(c->name, *names, strlen(*names)) == 0;
	return wanted;
}

static bool is_case(const char *name, size_t len)
{
	for (size_t i = 0; i < CASE_COUNT; i++)
		if (strlen(golden_cases[i].name) == len && strncmp(golden_cases[i].name, name, len) == 0)
			return true;
	return false;
}

/* Screens of cases that are no more. */
static int leftovers(void)
{
	char path[PATH_BYTES];
	struct dirent *entry;
	int count = 0;
	snprintf(path, sizeof(path), "%s/expected", run.folder);
	DIR *dir = opendir(path);
	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		size_t len = strlen(entry->d_name);
		if (len < 5 || strcmp(entry->d_name + len - 4, ".txt") != 0 || is_case(entry->d_name, len - 4))
			continue;
		if (run.update && unlinkat(dirfd(dir), entry->d_name, 0) == 0)
			continue;
		printf("not ok - expected/%s: there is no such case\n", entry->d_name);
		count++;
	}
	if (dir != NULL)
		closedir(dir);
	return count;
}

/* Screens depend on the recording alone. */
static bool forget_environment(void)
{
	static const char *const names[] = { "NO_COLOR", "COLORTERM", "TERM", "LC_ALL", "LANG", "LC_CTYPE",
					     "REDISCLI_AUTH", "REDOUBT_SENTINEL_AUTH" };
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unsetenv(names[i]);
	setenv("XDG_CONFIG_HOME", run.folder, 1); /* there is none */
	setenv("TZ", "UTC", 1);
	tzset();
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL && setlocale(LC_CTYPE, "en_US.UTF-8") == NULL)
		return false;
	return true;
}

static int run_cases(char **names, int *seen)
{
	struct job jobs[JOBS] = { { 0, NULL } }, *job;
	int failed = 0;
	for (size_t i = 0; i < CASE_COUNT; i++) {
		if (!is_wanted(&golden_cases[i], names))
			continue;
		(*seen)++;
		/* Pictures are looked at in their order. */
		while ((job = free_job(jobs)) == NULL || (run.show && is_busy(jobs)))
			failed += !end_job(jobs);
		failed += !start_job(job, &golden_cases[i]);
	}
	while (is_busy(jobs))
		failed += !end_job(jobs);
	return failed;
}

static const char *golden_folder(void)
{
	static char path[PATH_BYTES];
	const char *src = getenv("REDOUBT_SRCDIR");
	snprintf(path, sizeof(path), "%s/tests/golden", src != NULL ? src : GOLDEN_SRCDIR);
	return path;
}

int main(int argc, char **argv)
{
	int failed = 0, seen = 0;
	for (argv++; argc > 1 && strncmp(*argv, "--", 2) == 0; argv++) {
		if (strcmp(*argv, "--update") == 0)
			run.update = true;
		else if (strcmp(*argv, "--show") == 0)
			run.show = true;
		else
			return fprintf(stderr, "golden: %s?\n", *argv), 64;
		argc--;
	}
	setvbuf(stdout, NULL, _IOFBF, OUT_BYTES);
	run.folder = golden_folder();
	if (!forget_environment()) {
		printf("# skip no UTF-8 locale here\n");
		return EXIT_SKIP;
	}
	failed = run_cases(argv, &seen);
	if (!frame_codes_differ()) {
		printf("not ok - two style roles have one character, see tests/golden/frame.c\n");
		failed++;
	}
	if (*argv == NULL && !run.show)
		failed += leftovers();
	if (!run.show)
		printf("# %d screens, %d failed%s\n", seen, failed, run.update ? ", the others written" : "");
	if (failed > 0 && !run.update)
		printf("# where the new screens are right: tests/golden/golden --update [NAME...]\n");
	return failed == 0 && seen > 0 ? 0 : 1;
}
