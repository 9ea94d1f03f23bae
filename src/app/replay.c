#include "config.h"

#include "app/replay.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "app/app.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"

#define PRINT_BYTES 65536

/* --- into the app ------------------------------------------------------------------------------ */

static unsigned on_observation(const struct observation *obs, void *owner)
{
	return app_observe(owner, obs);
}

/* Of --events. What failed first is kept. */
static void print_lines(struct app *app)
{
	struct buf *lines = app->events_text;
	if (app->replay->write_error == 0) {
		errno = 0;
		if (fwrite(buf_str(lines), 1, lines->len, stdout) != lines->len || fflush(stdout) != 0)
			app->replay->write_error = errno != 0 ? errno : EIO;
	}
	buf_reset(lines);
}

static void on_tick(int64_t now_ms, int64_t wall_ms, void *owner)
{
	struct app *app = owner;
	app_tick(app, now_ms, wall_ms);
	if (app->events_text != NULL && app->events_text->len >= PRINT_BYTES)
		print_lines(app);
}

static void on_interval(int64_t interval_ms, void *owner)
{
	struct app *app = owner;
	app->interval_ms = interval_ms;
	model_set_interval(app->model, interval_ms);
}

static bool jump(struct app *app, int64_t at_ms, struct buf *err)
{
	struct model *m = player_seek(app->replay->player, at_ms, err);
	if (m == NULL)
		return false;
	model_free(app->model);
	app->model = m;
	app->pending = ~0u; /* nothing of what is on the screen holds any more */
	return true;
}

bool replay_go(struct app *app, int64_t at_ms, int64_t budget_us)
{
	struct replay *r = app->replay;
	const struct player_sink sink = { on_observation, on_tick, on_interval, app };
	struct buf err = BUF_INIT;
	int64_t begin_ms = player_begin_ms(r->player), end_ms = player_end_ms(r->player);
	at_ms = at_ms < begin_ms ? begin_ms : at_ms > end_ms ? end_ms : at_ms;
	/* Where no key frame can be read, what comes next is reached the long way, and what was before
	 * not at all. */
	if (!player_can_advance(r->player, at_ms) && !jump(app, at_ms, &err) &&
	    at_ms < player_now_ms(r->player)) {
		app_notice(app, HEALTH_WARNING, "%.150s", buf_str(&err));
		buf_free(&err);
		return true;
	}
	buf_free(&err);
	bool there = player_advance(r->player, at_ms, budget_us, &sink);
	/* Damage that was found on the way is the end. */
	end_ms = player_end_ms(r->player);
	r->now_ms = there ? at_ms : player_now_ms(r->player);
	if (r->now_ms > end_ms)
		r->now_ms = end_ms;
	return there;
}

bool replay_play(struct app *app, int64_t budget_us)
{
	struct replay *r = app->replay;
	int64_t now_us = clock_mono_us();
	int64_t passed_ms = (int64_t)((double)(now_us - r->played_us) * r->speed / 1000.0);
	if (!r->playing || passed_ms < 1) {
		if (!r->playing)
			r->played_us = now_us;
		return true;
	}
	r->played_us = now_us;
	bool there = replay_go(app, r->now_ms + passed_ms, budget_us);
	if (r->now_ms >= player_end_ms(r->player))
		r->playing = false;
	return there;
}

/* --- times ------------------------------------------------------------------------------------- */

/* `digits` of them, and then the separator if there is one. */
static bool take_number(const char **s, int digits, char separator, int min, int max, int *out)
{
	int64_t value;
	if (strnlen(*s, (size_t)digits) < (size_t)digits ||
	    !number_parse(*s, (size_t)digits, min, max, &value))
		return false;
	*s += digits;
	*out = (int)value;
	if (separator == '\0')
		return true;
	if (**s != separator)
		return false;
	(*s)++;
	return true;
}

/* HH:MM[:SS[.mmm]]; has_seconds may be NULL. */
static bool take_clock(const char **s, struct tm *tm, int *ms, bool *has_seconds)
{
	static const int scale[] = { 0, 100, 10, 1 };
	bool seconds = false;
	*ms = tm->tm_sec = 0;
	if (!take_number(s, 2, ':', 0, 23, &tm->tm_hour) || !take_number(s, 2, '\0', 0, 59, &tm->tm_min))
		return false;
	if (**s == ':') {
		(*s)++;
		seconds = true;
		if (!take_number(s, 2, '\0', 0, 60, &tm->tm_sec))
			return false;
	}
	if (has_seconds != NULL)
		*has_seconds = seconds;
	if (!seconds || (**s != '.' && **s != ','))
		return true;
	size_t digits = strspn(++*s, "0123456789");
	int64_t fraction;
	if (digits == 0 || !number_parse(*s, digits < 3 ? digits : 3, 0, 999, &fraction))
		return false;
	*ms = (int)fraction * scale[digits < 3 ? digits : 3];
	*s += digits;
	return true;
}

static int64_t to_wall_ms(time_t t, int ms)
{
	return (int64_t)t * 1000 + ms;
}

/* "Z", "+02:00", "+0200", "+02"; nothing: local time. */
static bool take_zone(const char *s, struct tm *tm, time_t *out)
{
	int hours, minutes = 0, sign = *s == '-' ? 1 : -1;
	if (*s == '\0') {
		tm->tm_isdst = -1;
		*out = mktime(tm);
		return *out != (time_t)-1;
	}
	*out = timegm(tm);
	if (strcmp(s, "Z") == 0 || strcmp(s, "z") == 0)
		return true;
	if (*s != '+' && *s != '-')
		return false;
	s++;
	if (!take_number(&s, 2, '\0', 0, 14, &hours))
		return false;
	if (*s == ':')
		s++;
	if (*s != '\0' && !take_number(&s, 2, '\0', 0, 59, &minutes))
		return false;
	*out += sign * (hours * 3600 + minutes * 60);
	return *s == '\0';
}

static bool parse_iso(const char *s, int64_t *wall_ms)
{
	struct tm tm = { 0 };
	time_t t;
	int ms;
	if (!take_number(&s, 4, '-', 1970, 9999, &tm.tm_year) ||
	    !take_number(&s, 2, '-', 1, 12, &tm.tm_mon) || !take_number(&s, 2, '\0', 1, 31, &tm.tm_mday) ||
	    (*s != 'T' && *s != 't' && *s != ' '))
		return false;
	s++;
	tm.tm_year -= 1900;
	tm.tm_mon--;
	if (!take_clock(&s, &tm, &ms, NULL) || !take_zone(s, &tm, &t))
		return false;
	*wall_ms = to_wall_ms(t, ms);
	return true;
}

/* Of the day on which the recording begins, or of a later one if it runs so long: the first such moment
 * in it. A whole minute is also meant where the recording begins within it. */
static bool parse_clock(const struct player *p, const char *s, int64_t *wall_ms)
{
	int64_t begin_ms = player_wall_ms(p, player_begin_ms(p));
	time_t begin = (time_t)(begin_ms / 1000);
	struct tm tm;
	bool has_seconds;
	int ms;
	if (localtime_r(&begin, &tm) == NULL || !take_clock(&s, &tm, &ms, &has_seconds) || *s != '\0')
		return false;
	tm.tm_isdst = -1;
	*wall_ms = to_wall_ms(mktime(&tm), ms);
	int64_t unit_ms = has_seconds ? 1000 : 60000;
	if (*wall_ms < begin_ms && *wall_ms + unit_ms > begin_ms)
		*wall_ms = begin_ms;
	if (*wall_ms < begin_ms) {
		tm.tm_mday++;
		tm.tm_isdst = -1;
		*wall_ms = to_wall_ms(mktime(&tm), ms);
	}
	return true;
}

static void say_range(const struct player *p, struct buf *err)
{
	char from[CLOCK_ISO_BYTES], to[CLOCK_ISO_BYTES];
	buf_addf(err, "is not within the recording, which is from %s to %s",
		 clock_format_iso(player_wall_ms(p, player_begin_ms(p)), from),
		 clock_format_iso(player_wall_ms(p, player_end_ms(p)), to));
}

bool replay_parse_time(const struct player *p, const char *text, int64_t *at_ms, struct buf *err)
{
	int64_t begin_ms = player_begin_ms(p), end_ms = player_end_ms(p), wall_ms;
	double seconds;
	if ((text[0] == '+' || text[0] == '-') &&
	    number_parse_double(text + 1, strlen(text + 1), 0, 1e9, &seconds)) {
		int64_t ms = (int64_t)(seconds * 1000.0 + 0.5);
		*at_ms = text[0] == '+' ? begin_ms + ms : end_ms - ms;
		if (*at_ms < begin_ms || *at_ms > end_ms)
			say_range(p, err);
		return err->len == 0;
	}
	if (!parse_clock(p, text, &wall_ms) && !parse_iso(text, &wall_ms)) {
		buf_addstr(err, "must be HH:MM[:SS], ISO 8601 like 2026-11-21T10:27:03Z, +SECONDS from "
				"the begin or -SECONDS before the end");
		return false;
	}
	*at_ms = player_at_wall(p, wall_ms);
	/* A second is whole: the recording may end within it. */
	if (wall_ms / 1000 < player_wall_ms(p, begin_ms) / 1000 ||
	    wall_ms / 1000 > player_wall_ms(p, end_ms) / 1000)
		say_range(p, err);
	return err->len == 0;
}

/* --- life -------------------------------------------------------------------------------------- */

static bool go_to_start(struct app *app, struct buf *err)
{
	const struct options *o = app->options;
	struct replay *r = app->replay;
	int64_t at_ms;
	if (o->at != NULL) {
		struct buf why = BUF_INIT;
		bool ok = replay_parse_time(r->player, o->at, &at_ms, &why);
		if (!ok)
			buf_addf(err, "--at: %s", buf_str(&why));
		buf_free(&why);
		if (!ok)
			return false;
	} else {
		at_ms = o->mode == RUN_SCREEN ? player_begin_ms(r->player) : player_end_ms(r->player);
	}
	/* --events begin at the begin. */
	if (o->mode == RUN_EVENTS) {
		r->now_ms = at_ms;
		at_ms = player_begin_ms(r->player);
	}
	struct buf why = BUF_INIT;
	bool ok = jump(app, at_ms, &why);
	if (!ok)
		buf_addf(err, "--replay: no key frame of it can be read: %s", buf_str(&why));
	buf_free(&why);
	if (ok && o->mode != RUN_EVENTS)
		replay_go(app, at_ms, 0);
	return ok;
}

bool replay_start(struct app *app, struct buf *err)
{
	struct buf why = BUF_INIT;
	struct replay *r = mem_alloc(sizeof(*r));
	app->replay = r;
	r->speed = app->options->speed > 0 ? app->options->speed : 1.0;
	r->played_us = clock_mono_us();
	r->player = player_open(app->options->replay_file, &why);
	if (r->player == NULL) {
		char name[1024];
		text_clean(name, sizeof(name), app->options->replay_file,
			   strlen(app->options->replay_file));
		buf_addf(err, "--replay: %s: %s", name, buf_str(&why));
	}
	buf_free(&why);
	return r->player != NULL && go_to_start(app, err);
}

void replay_free(struct replay *r)
{
	if (r == NULL)
		return;
	player_free(r->player);
	free(r);
}

/* --- --events ---------------------------------------------------------------------------------- */

static size_t unsettled_events(const struct app *app)
{
	size_t count = 0;
	uint64_t seq = app->events_stream.next_seq;
	const struct event *e;
	while ((e = event_log_from(model_events(app->model), seq)) != NULL) {
		seq = e->seq + 1;
		count++;
	}
	return count;
}

void replay_say_damage(const struct app *app)
{
	const char *damage = app->replay != NULL ? player_damage(app->replay->player) : "";
	if (damage[0] != '\0')
		fprintf(stderr, "redoubt: --replay: %s\n", damage);
}

int replay_print_events(struct app *app)
{
	struct replay *r = app->replay;
	const struct player_sink sink = { on_observation, on_tick, on_interval, app };
	int64_t until_ms = r->now_ms;
	app->events_text = mem_alloc(sizeof(*app->events_text));
	/* A recording that was cut does not know what would have joined its last events: their lines
	 * might have been others. */
	player_advance(r->player, until_ms, 0, &sink);
	bool whole = player_damage(r->player)[0] == '\0' || app->options->at != NULL;
	app_pump_events(app, whole);
	print_lines(app);
	size_t left = whole ? 0 : unsettled_events(app);
	replay_say_damage(app);
	if (left > 0)
		fprintf(stderr, "redoubt: --replay: %zu event%s at its very end left out: who else saw "
				"them is not known\n", left, left == 1 ? "" : "s");
	buf_free(app->events_text);
	free(app->events_text);
	app->events_text = NULL;
	/* A reader that had enough is no trouble, as it is none live. */
	return r->write_error == 0 || r->write_error == EPIPE ? 0
							      : output_failed("the events", r->write_error);
}
