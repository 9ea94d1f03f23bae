#include "config.h"

#include "app/ui_replay.h"

#include <stdlib.h>
#include <string.h>

#include "app/replay.h"
#include "app/ui_private.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"

/* So long at a time it is played or gone through what lies on the way: keys wait no longer. */
#define BUDGET_US  30000
#define AGAIN_S    0.002  /* then the loop has its turn, and on it goes */
#define STEP_MS    10000
#define NAME_WIDTH 64

static const double speeds[] = { 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64 };
#define SPEEDS (sizeof(speeds) / sizeof(speeds[0]))

struct ui_replay {
	struct timeline line;
	struct timeline_mark *marks; /* owned */
	size_t player_marks;         /* of so many of the player's: damage that is found takes some */
	char name[NAME_WIDTH];
	bool jumping;
	int64_t target_ms;           /* of the jump */
	ev_timer again;
	/* Too early for the deployment that was chosen, another one is shown till then. */
	uint32_t chosen_id, instead_id;
};

static struct player *player_of(const struct ui *ui)
{
	return ui->app->replay->player;
}

/* Where one is, or will be in a moment: keys may be faster than jumps. */
static int64_t position(const struct ui *ui)
{
	return ui->replay->jumping ? ui->replay->target_ms : ui->app->replay->now_ms;
}

static bool is_at_end(const struct ui *ui)
{
	return position(ui) >= player_end_ms(player_of(ui));
}

/* --- marks ------------------------------------------------------------------------------------- */

/* Deployments with Sentinels: there it is their word that makes a master, and what the nodes say of
 * themselves is the same failover once more. */
struct watched { uint32_t *ids; size_t count, cap; };

static bool is_watched(const struct watched *w, uint32_t deployment_id)
{
	for (size_t i = 0; i < w->count; i++)
		if (w->ids[i] == deployment_id)
			return true;
	return false;
}

static void note_watched(struct watched *w, const struct player_mark *mark)
{
	if (event_kind_info(mark->kind)->origin != ORIGIN_SENTINEL || is_watched(w, mark->deployment_id))
		return;
	w->ids = mem_grow(w->ids, &w->cap, w->count + 1, sizeof(*w->ids));
	w->ids[w->count++] = mark->deployment_id;
}

static void make_marks(struct ui_replay *r, const struct player *p)
{
	size_t count = player_mark_count(p);
	struct watched watched = { NULL, 0, 0 };
	free(r->marks);
	r->marks = mem_alloc((count > 0 ? count : 1) * sizeof(*r->marks));
	r->line.failovers = 0;
	for (size_t i = 0; i < count; i++)
		note_watched(&watched, player_mark_at(p, i));
	for (size_t i = 0; i < count; i++) {
		const struct player_mark *mark = player_mark_at(p, i);
		bool failover = mark->kind == EVENT_SWITCH_MASTER ||
				(mark->promotion && !is_watched(&watched, mark->deployment_id));
		r->marks[i] = (struct timeline_mark){ mark->at_ms, mark->severity, failover };
		r->line.failovers += failover;
	}
	free(watched.ids);
	r->line.marks = r->marks;
	r->line.mark_count = r->player_marks = count;
}

/* --- going there ------------------------------------------------------------------------------- */

/* Ids are the same at every moment, but not everything is there at every moment. */
static void keep_deployment(struct ui *ui)
{
	struct ui_replay *r = ui->replay;
	const struct model *m = ui->app->model;
	if (r->chosen_id == 0)
		return;
	if (ui->deployment_id != r->instead_id && ui->deployment_id != r->chosen_id)
		r->chosen_id = 0; /* the operator chose anew */
	else if (model_deployment(m, r->chosen_id) != NULL)
		ui->deployment_id = r->chosen_id;
	size_t index, count;
	ui_shown_deployment(ui, &index, &count);
	r->instead_id = ui->deployment_id;
	if (r->chosen_id == ui->deployment_id)
		r->chosen_id = 0;
}

static void show_anew(struct ui *ui)
{
	keep_deployment(ui);
	ui_all_stale(ui);
	ui_dirty(ui);
}

static void arrive(struct ui *ui)
{
	struct replay *replay = ui->app->replay;
	ui->replay->jumping = false;
	replay->played_us = clock_mono_us();
	if (replay->now_ms >= player_end_ms(replay->player))
		replay->playing = false;
	show_anew(ui);
}

static void jump_on(struct ui *ui)
{
	struct ui_replay *r = ui->replay;
	if (replay_go(ui->app, r->target_ms, ui->headless ? 0 : BUDGET_US))
		arrive(ui);
	else
		ev_timer_again(ui->app->loop, &r->again);
	ui_dirty(ui);
}

static void go(struct ui *ui, int64_t at_ms)
{
	struct ui_replay *r = ui->replay;
	int64_t begin_ms = player_begin_ms(player_of(ui)), end_ms = player_end_ms(player_of(ui));
	if (r->chosen_id == 0)
		r->chosen_id = r->instead_id = ui->deployment_id;
	r->target_ms = at_ms < begin_ms ? begin_ms : at_ms > end_ms ? end_ms : at_ms;
	r->jumping = true;
	jump_on(ui);
}

static void play_on(struct ui *ui)
{
	struct replay *replay = ui->app->replay;
	int64_t before_ms = replay->now_ms;
	bool there = replay_play(ui->app, BUDGET_US);
	/* Ages and clocks; what the recording holds has said itself what it changed. */
	if (replay->now_ms / 1000 != before_ms / 1000 || is_at_end(ui))
		show_anew(ui);
	if (!there)
		ev_timer_again(ui->app->loop, &ui->replay->again);
}

static void on_again(struct ev_loop *loop, ev_timer *w, int revents)
{
	struct ui *ui = w->data;
	(void)revents;
	ev_timer_stop(loop, w);
	if (ui->replay->jumping)
		jump_on(ui);
	else if (ui->app->replay->playing)
		play_on(ui);
}

void ui_replay_tick(struct ui *ui)
{
	if (ui->replay != NULL && !ui->replay->jumping && ui->app->replay->playing)
		play_on(ui);
}

/* --- commands ---------------------------------------------------------------------------------- */

static void pause_at(struct ui *ui, int64_t at_ms)
{
	ui->app->replay->playing = false;
	go(ui, at_ms);
}

static bool is_stop(const struct timeline_mark *mark, bool critical_only)
{
	return !critical_only || mark->failover || mark->severity == SEVERITY_CRITICAL;
}

/* To look at it: it stands still there. */
static void step_to_mark(struct ui *ui, bool forward, bool critical_only)
{
	const struct timeline *t = ui_replay_line(ui);
	int64_t from_ms = position(ui);
	const struct timeline_mark *found = NULL;
	for (size_t i = 0; i < t->mark_count; i++) {
		const struct timeline_mark *mark = &t->marks[forward ? i : t->mark_count - 1 - i];
		bool is_on = forward ? mark->at_ms > from_ms : mark->at_ms < from_ms;
		/* What led to the recording has marks of before its begin. */
		if (!is_on || mark->at_ms < t->begin_ms || !is_stop(mark, critical_only))
			continue;
		found = mark;
		break;
	}
	if (found != NULL)
		pause_at(ui, found->at_ms);
	else
		app_notice(ui->app, HEALTH_UNKNOWN, "no %s %s in the recording",
			   critical_only ? "failover or critical event" : "event",
			   forward ? "after that" : "before that");
}

static void toggle_play(struct ui *ui)
{
	struct replay *replay = ui->app->replay;
	bool from_begin = !replay->playing && is_at_end(ui);
	replay->playing = !replay->playing;
	replay->played_us = clock_mono_us();
	if (from_begin)
		go(ui, player_begin_ms(replay->player));
	if (ui->headless)
		replay->playing = false; /* nothing would go on there */
}

static void change_speed(struct ui *ui, bool faster)
{
	double now = ui->app->replay->speed, next = now;
	for (size_t i = 0; i < SPEEDS; i++) {
		if (!faster && speeds[i] < now)
			next = speeds[i];
		if (faster && speeds[i] > now) {
			next = speeds[i];
			break;
		}
	}
	ui->app->replay->speed = next;
}

bool ui_replay_command(struct ui *ui, enum command cmd)
{
	if (ui->replay == NULL)
		return false;
	switch (cmd) {
	case CMD_PLAY:
		toggle_play(ui);
		return true;
	case CMD_NEXT_EVENT:
	case CMD_PREV_EVENT:
		step_to_mark(ui, cmd == CMD_NEXT_EVENT, false);
		return true;
	case CMD_NEXT_CRITICAL:
	case CMD_PREV_CRITICAL:
		step_to_mark(ui, cmd == CMD_NEXT_CRITICAL, true);
		return true;
	case CMD_FORWARD:
	case CMD_RIGHT: /* that the view had no use for */
		go(ui, position(ui) + STEP_MS);
		return true;
	case CMD_REWIND:
	case CMD_LEFT:
		go(ui, position(ui) - STEP_MS);
		return true;
	case CMD_PLAY_FASTER:
	case CMD_PLAY_SLOWER:
		change_speed(ui, cmd == CMD_PLAY_FASTER);
		return true;
	case CMD_BEGIN:
		go(ui, player_begin_ms(player_of(ui)));
		return true;
	case CMD_END:
		go(ui, player_end_ms(player_of(ui)));
		return true;
	default:
		return false;
	}
}

void ui_replay_click(struct ui *ui, int column, int columns)
{
	if (ui->replay != NULL)
		go(ui, timeline_moment(ui_replay_line(ui), column, columns));
}

bool ui_replay_at(struct ui *ui, const char *time, struct buf *err)
{
	int64_t at_ms;
	if (!replay_parse_time(player_of(ui), time, &at_ms, err))
		return false;
	pause_at(ui, at_ms);
	return true;
}

bool ui_replay_speed(struct ui *ui, const char *speed, struct buf *err)
{
	double value;
	if (strcmp(speed, "1/4") == 0)
		value = 0.25;
	else if (strcmp(speed, "1/2") == 0)
		value = 0.5;
	else if (!number_parse_double(speed, strcspn(speed, "x"), speeds[0], speeds[SPEEDS - 1], &value)) {
		buf_addstr(err, "must be a number from 1/4 to 64");
		return false;
	}
	ui->app->replay->speed = value;
	return true;
}

/* --- what is shown ----------------------------------------------------------------------------- */

const struct timeline *ui_replay_line(struct ui *ui)
{
	struct ui_replay *r = ui->replay;
	if (r == NULL)
		return NULL;
	const struct replay *replay = ui->app->replay;
	const struct player *p = replay->player;
	struct timeline *t = &r->line;
	if (player_mark_count(p) != r->player_marks)
		make_marks(r, p);
	t->begin_ms = player_begin_ms(p);
	t->end_ms = player_end_ms(p);
	t->now_ms = replay->now_ms;
	t->begin_wall_ms = player_wall_ms(p, t->begin_ms);
	t->end_wall_ms = player_wall_ms(p, t->end_ms);
	t->now_wall_ms = player_wall_ms(p, t->now_ms);
	t->speed = replay->speed;
	t->damage = player_damage(p);
	t->state = r->jumping	      ? TIMELINE_JUMPING
		   : replay->playing ? TIMELINE_PLAYING
		   : is_at_end(ui)   ? TIMELINE_END
				     : TIMELINE_PAUSED;
	return t;
}

const char *ui_replay_name(const struct ui *ui)
{
	return ui->replay != NULL ? ui->replay->name : NULL;
}

/* --- life -------------------------------------------------------------------------------------- */

struct ui_replay *ui_replay_open(struct ui *ui)
{
	struct replay *replay = ui->app->replay;
	if (replay == NULL)
		return NULL;
	const char *path = ui->app->options->replay_file, *slash = strrchr(path, '/');
	const char *name = slash != NULL ? slash + 1 : path;
	struct ui_replay *r = mem_alloc(sizeof(*r));
	text_clean(r->name, sizeof(r->name), name, strlen(name));
	make_marks(r, replay->player);
	ev_timer_init(&r->again, on_again, 0, AGAIN_S);
	r->again.data = ui;
	replay->playing = !ui->headless && ui->app->options->at == NULL;
	replay->played_us = clock_mono_us();
	return r;
}

void ui_replay_close(struct ui *ui)
{
	if (ui->replay == NULL)
		return;
	ev_timer_stop(ui->app->loop, &ui->replay->again);
	free(ui->replay->marks);
	free(ui->replay);
	ui->replay = NULL;
}
