/* What a row of the replication screen says: what is wrong, or what comes next. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "base/units.h"
#include "views/replication_private.h"

#define SPARK_MIN 10000.0          /* a flat line must not look like a mountain range */
#define SOON_MS   (60 * 60 * 1000) /* what is farther away is no forecast */

static void say(struct repl_row *row, enum health h, const char *text)
{
	row->health = health_worse(row->health, h);
	snprintf(row->message, sizeof(row->message), "%.159s", text);
}

static void say_outlook(struct repl_row *row, enum health h, const char *text)
{
	row->health = health_worse(row->health, h);
	snprintf(row->outlook, sizeof(row->outlook), "%s", text);
}

const char *replication_row_words(const struct repl_row *row, char *out, size_t size)
{
	snprintf(out, size, "%s%s%s", row->message, row->message[0] && row->outlook[0] ? ", " : "",
		 row->outlook);
	return out;
}

static void fill_sync(struct repl_row *row)
{
	char text[120], got[UNITS_BYTES], all[UNITS_BYTES];
	const struct lag *lag = &row->lag;

	row->bar_means_nothing = true;
	if (lag->sync_total_bytes != FACT_UNKNOWN && lag->sync_total_bytes > 0 &&
	    lag->sync_read_bytes >= 0)
		snprintf(
		    text, sizeof(text), "full sync %d %% of %s",
		    (int)(100.0 * (double)lag->sync_read_bytes / (double)lag->sync_total_bytes),
		    units_bytes(lag->sync_total_bytes, all));
	else if (lag->sync_read_bytes != FACT_UNKNOWN && lag->sync_read_bytes > 0)
		snprintf(text, sizeof(text), "full sync, %s read",
			 units_bytes(lag->sync_read_bytes, got));
	else
		snprintf(text, sizeof(text), "full sync begins");
	say(row, HEALTH_WARNING, text);
}

static void fill_link_down(struct repl_row *row, const struct node *n, int64_t now_ms)
{
	char text[64], age[UNITS_BYTES];
	int64_t down_s = n->info_at_ms ? n->info.master_link_down_s : FACT_UNKNOWN;

	row->bar_means_nothing = true;
	if (down_s == -1)
		snprintf(text, sizeof(text), "never linked to its master");
	else if (down_s == FACT_UNKNOWN || down_s < 0)
		snprintf(text, sizeof(text), "link down");
	else
		snprintf(
		    text, sizeof(text), "link down %s",
		    units_age(down_s * 1000 + (now_ms > n->info_at_ms ? now_ms - n->info_at_ms : 0),
			      age));
	say(row, HEALTH_WARNING, text);
}

/* What is in flight on a healthy link wobbles by the second: forecasts begin where the lag is a
 * twentieth of the backlog, or the link is down. */
static bool is_notable(const struct lag *lag)
{
	if (lag->link_known && !lag->link_up)
		return true;
	if (lag->bytes == FACT_UNKNOWN || lag->backlog_headroom_bytes == FACT_UNKNOWN)
		return false;
	return lag->bytes > (lag->bytes / 2 + lag->backlog_headroom_bytes / 2) / 10;
}

/* What comes next: falling off the backlog before catching up, since the first costs a full
 * synchronisation. */
static void fill_outlook(struct repl_row *row, bool master_writes)
{
	const struct lag *lag = &row->lag;
	char text[64], when[UNITS_BYTES];

	if (lag->off_backlog) {
		say_outlook(row, HEALTH_WARNING,
			    row->message[0] ? "full sync ahead" : "off backlog: full sync ahead");
	} else if (!is_notable(lag)) {
		return;
	} else if (master_writes && lag->backlog_off_ms != FACT_UNKNOWN &&
		   lag->backlog_off_ms < SOON_MS) {
		snprintf(text, sizeof(text), "off backlog in %s",
			 units_age(lag->backlog_off_ms, when));
		say_outlook(row, HEALTH_WARNING, text);
	} else if (lag->link_up && lag->catch_up_ms != FACT_UNKNOWN && lag->catch_up_ms >= 1000 &&
		   lag->catch_up_ms < SOON_MS) {
		snprintf(text, sizeof(text), "catches up in %s", units_age(lag->catch_up_ms, when));
		say_outlook(row, HEALTH_OK, text);
	}
}

static void fill_history(struct repl_row *row, const struct node *n)
{
	int64_t at, value;

	row->spark_max = SPARK_MIN;
	for (size_t i = 0; i < HISTORY_SAMPLES && history_at(&n->lag_bytes, i, &at, &value); i++) {
		double sample = value == FACT_UNKNOWN ? -1.0 : (double)value;

		row->spark[row->spark_count++] = sample;
		if (sample > row->spark_max)
			row->spark_max = sample;
	}
}

static void say_age(struct repl_row *row, int64_t now_ms)
{
	char text[64], age[UNITS_BYTES];

	snprintf(text, sizeof(text), "as of %s ago", units_age(now_ms - row->lag.at_ms, age));
	say(row, HEALTH_UNKNOWN, text);
}

static void fill_replica(struct repl_row *row, const struct view_context *c)
{
	const struct node *n = model_node(c->model, row->node_id), *upstream;
	struct verdict verdict;

	if (!n)
		return;
	lag_of(c->model, n, c->now_ms, &row->lag);
	fill_history(row, n);
	row->priority = n->info_at_ms ? n->info.priority : FACT_UNKNOWN;
	row->stale = row->lag.at_ms != 0 &&
		     (!row->lag.current || c->now_ms - row->lag.at_ms > 3 * c->interval_ms + 2000);
	if (row->lag.trend_known && row->lag.bytes != FACT_UNKNOWN &&
	    (row->lag.trend_bytes_s >= 100 || row->lag.trend_bytes_s <= -100))
		units_rate(row->lag.trend_bytes_s, row->trend);
	if (node_status(n) != STATUS_UP) {
		health_node(c->model, n, c->now_ms, &verdict);
		row->bar_means_nothing = row->lag.bytes == FACT_UNKNOWN || row->stale;
		say(row, verdict.health,
		    verdict.text[0] ? verdict.text : node_status_name(node_status(n)));
	} else if (n->info_at_ms && n->info.role == ROLE_MASTER) {
		row->bar_means_nothing = true;
		say(row, HEALTH_CRITICAL, "says master: does not replicate");
		return;
	} else if (row->lag.syncing) {
		fill_sync(row);
		return;
	} else if (row->lag.link_known && !row->lag.link_up) {
		fill_link_down(row, n, c->now_ms);
	}
	/* A master that is down writes nothing: its backlog waits. */
	upstream = model_node(c->model, n->upstream_id);
	fill_outlook(row, upstream && node_status(upstream) == STATUS_UP);
	if (row->message[0])
		return;
	if (row->lag.seconds != FACT_UNKNOWN && row->lag.seconds >= SILENCE_LONG_S)
		say(row, HEALTH_WARNING, "acknowledges nothing");
	else if (row->stale) /* its master does not say any more */
		say_age(row, c->now_ms);
}

static void fill_heading(struct repl_row *row, const struct view_context *c)
{
	const struct group *g = model_group(c->model, row->group_id);
	const struct node *m = g ? model_node(c->model, g->master_id) : NULL;
	char addr[ENDPOINT_TEXT_BYTES], rate[UNITS_BYTES], size[UNITS_BYTES], age[UNITS_BYTES];
	size_t len;

	if (!m || m->info_at_ms == 0) {
		snprintf(row->message, sizeof(row->message),
			 m ? "its master has not answered" : "master unknown");
		return;
	}
	row->stale = !node_answers(m) || node_is_stale(m, c->now_ms, c->interval_ms);
	if (row->stale)
		snprintf(row->outlook, sizeof(row->outlook), "master not heard for %s",
			 units_age(c->now_ms - m->info_at_ms, age));
	snprintf(row->message, sizeof(row->message), "backlog %s",
		 m->info.backlog_active == 0 ? "off"
					     : units_bytes(m->info.backlog_size_bytes, size));
	len = strlen(row->message);
	if (m->repl_rate_bytes_s >= 0) {
		units_rate(m->repl_rate_bytes_s, rate);
		snprintf(row->message + len, sizeof(row->message) - len, "  writes %s",
			 rate[0] == '+' ? rate + 1 : rate);
	}
	len = strlen(row->message);
	if (strcmp(endpoint_format(&m->addr, addr), row->name) != 0)
		snprintf(row->message + len, sizeof(row->message) - len, "  %.70s", addr);
	row->lag.offset = m->info.master_repl_offset;
}

void replication_fill_row(struct repl_row *row, const struct view_context *c)
{
	if (row->filled)
		return;
	row->filled = true;
	if (row->heading)
		fill_heading(row, c);
	else
		fill_replica(row, c);
}
