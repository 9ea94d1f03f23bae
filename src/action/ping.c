/* ping: a test of the connection, ten round trips one after the other. Changes nothing. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "action/nodes.h"
#include "base/units.h"

#define ROUND_TRIPS 10

static bool applies(const struct model *m, const struct action_context *on, int64_t now_ms)
{
	(void)now_ms;
	return action_node(m, on) != NULL;
}

static bool prepare(struct action *a, const struct model *m, int64_t now_ms)
{
	const char *const argv[] = { "PING" };
	const struct node *n = action_node_prepare(a, m);
	char age[UNITS_BYTES];
	action_set_argv(a, 1, argv);
	if (n == NULL)
		return false;
	while (a->target_count < ROUND_TRIPS)
		a->target_ids[a->target_count++] = n->id;
	if (n->link.state == LINK_UP)
		return true;
	if (n->link.lost_ms == 0)
		return action_block(a, "there is no connection yet: %s", link_state_name(n->link.state));
	return action_block(a, "no connection since %s: %.160s", units_age(now_ms - n->link.lost_ms, age),
			    n->link.reason[0] != '\0' ? n->link.reason : link_state_name(n->link.state));
}

static void brief(struct action *a, const struct model *m, int64_t now_ms)
{
	const struct node *n = action_node(m, &a->on);
	char age[UNITS_BYTES], rtt[UNITS_BYTES];
	if (n == NULL || n->deployment_id != a->on.deployment_id)
		return;
	sheet_line_add(&a->sheet, n->link.state == LINK_UP ? HEALTH_OK : HEALTH_CRITICAL, "state", "%s since %s",
		       link_state_name(n->link.state), units_age(now_ms - n->link.since_ms, age));
	if (n->link.rtt_us >= 0)
		sheet_line_add(&a->sheet, HEALTH_OK, "last INFO", "took %s", round_trip_text(n->link.rtt_us, rtt));
}

static int by_length(const void *a, const void *b)
{
	int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
	return (x > y) - (x < y);
}

static void conclude(struct action *a)
{
	int32_t us[ROUND_TRIPS];
	size_t count = 0;
	char least[UNITS_BYTES], middle[UNITS_BYTES], most[UNITS_BYTES];
	for (size_t i = 0; i < a->target_count; i++)
		if (a->reply_ms[i] != 0)
			us[count++] = a->rtt_us[i];
	qsort(us, count, sizeof(us[0]), by_length);
	action_end(a, ACTION_VERIFIED, "%zu round trips: least %s, median %s, most %s", count,
		   round_trip_text(us[0], least), round_trip_text(us[count / 2], middle),
		   round_trip_text(us[count - 1], most));
}

static void replied(struct action *a, const struct model *m, size_t index, enum answer answer,
		    const char *text, int64_t now_ms)
{
	char rtt[UNITS_BYTES];
	(void)m, (void)now_ms;
	if (answer == ANSWER_REFUSED) {
		/* LOADING and MASTERDOWN are answers as well, but not that it serves. */
		action_end(a, ACTION_REFUSED, "it answers within %s, but refuses: %.150s",
			   round_trip_text(a->rtt_us[index], rtt), text);
		return;
	}
	if (answer != ANSWER_OK) {
		action_end(a, ACTION_FAILED, "round trip %zu of %zu: %.150s", index + 1, a->target_count, text);
		return;
	}
	if (a->agreed == a->target_count)
		conclude(a);
	else
		a->due++;
}

const struct action_kind action_ping = {
	.name = "ping",
	.label = "Test the connection",
	.help = "ten round trips to the node; changes nothing",
	.in_turn = true,
	.about_link = true,
	.applies = applies,
	.prepare = prepare,
	.brief = brief,
	.replied = replied,
};
