/* Everything that one Sentinel says of one master. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/units.h"
#include "model/forecast.h"
#include "views/agreement_private.h"

#define LISTED_MAX 200
#define HELP_WIDTH 110 /* columns from which a field says what it is */

/* "12 s ago" */
static const char *ago(int64_t now_ms, int64_t at_ms, char *out, size_t size)
{
	char age[UNITS_BYTES];

	if (at_ms == 0)
		snprintf(out, size, "never");
	else
		snprintf(out, size, "%s ago", units_age(now_ms > at_ms ? now_ms - at_ms : 0, age));
	return out;
}

static const char *flags_text(uint32_t flags, char *out, size_t size)
{
	static const char *const names[] = {
	    "s_down", "o_down", "master", "slave", "sentinel", "disconnected", "master_down",
	    "failover_in_progress", "promoted", "reconf_sent", "reconf_inprog", "reconf_done",
	    "force_failover", "coordinated_failover", "script_kill_sent", "master_reboot"};
	size_t len = 0;

	out[0] = '\0';
	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]) && len + 32 < size; i++)
		if (flags & 1u << i)
			len += (size_t)snprintf(out + len, size - len, "%s%s", len ? "," : "",
						names[i]);
	return out;
}

static void say(struct agree_view *t, enum style_role style, int glyph, const char *label,
		const char *text)
{
	char line[1200];

	snprintf(line, sizeof(line), "%-17s %s", label, text);
	agree_text_add(t, ABOUT_WORD, t->word_group, t->word_of, style, glyph, glyph >= 0 ? 0 : 2,
		       line);
}

static void fields_add(struct agree_view *t, const struct view_context *c, const struct group *g,
		       const struct sentinel_view *v)
{
	for (enum agreement_field f = 0; f < AGREE_COUNT; f++) {
		struct agreement_cell cell;
		char text[600], age[UNITS_BYTES], help[160] = "";

		if (t->width >= HELP_WIDTH)
			snprintf(help, sizeof(help), "  (%s)", agreement_help(f));
		agreement_cell(c->model, g, v, f, &cell);
		if (!cell.dissents) {
			snprintf(text, sizeof(text), "%-22.200s%s", cell.known ? cell.text : "?", help);
			say(t, STYLE_TEXT, -1, agreement_title(f), text);
			continue;
		}
		snprintf(text, sizeof(text), "%.200s  %s for %s%s", cell.text,
			 cell.passing ? "switching" : "alone with it",
			 units_age(c->now_ms > cell.since_ms ? c->now_ms - cell.since_ms : 0, age),
			 help);
		say(t, cell.grave ? STYLE_CRITICAL : STYLE_WARNING, GLYPH_DIFFERS,
		    agreement_title(f), text);
	}
}

static void master_add(struct agree_view *t, const struct view_context *c,
		       const struct sentinel_view *v)
{
	const struct sentinel_instance *f = &v->facts;
	char text[700], flags[300], ping[UNITS_BYTES], info[UNITS_BYTES], ask[40];

	snprintf(text, sizeof(text), "%s; last good ping reply %s, last INFO %s before that",
		 flags_text(f->flags, flags, sizeof(flags)),
		 units_age(f->last_ok_ping_reply_ms, ping), units_age(f->info_refresh_ms, info));
	say(t, STYLE_TEXT, -1, "the master", text);
	if (f->failover_state[0])
		say(t, STYLE_WARNING, -1, "failover state", f->failover_state);
	snprintf(text, sizeof(text), "%s: %.250s", v->ckquorum_at_ms ? ago(c->now_ms, v->ckquorum_at_ms, ask, sizeof(ask)) : "not asked",
		 v->ckquorum_at_ms ? v->ckquorum.message : "");
	say(t, v->ckquorum_at_ms && !v->ckquorum.ok ? STYLE_CRITICAL : STYLE_TEXT, -1, "CKQUORUM",
	    text);
}

static void forecast_add(struct agree_view *t, const struct view_context *c, const struct group *g,
			 const struct sentinel_view *v)
{
	struct forecast *f = mem_alloc(sizeof(*f));
	char text[600], addr[ENDPOINT_TEXT_BYTES], why[FORECAST_REASONS_BYTES];

	forecast_by_sentinel(c->model, g, v, FORECAST_CRASH, c->now_ms, f);
	snprintf(text, sizeof(text), "%.90s: %.200s",
		 f->candidate_id ? agree_addr(c->model, f->candidate_id, addr) : "nobody for certain",
		 f->text);
	say(t, STYLE_STRONG, -1, "would promote", text);
	for (size_t i = 0; i < f->count; i++) {
		if (!f->replicas[i].passed_over)
			continue;
		snprintf(text, sizeof(text), "%.90s: %s",
			 agree_addr(c->model, f->replicas[i].node_id, addr),
			 forecast_reasons(&f->replicas[i], why));
		say(t, STYLE_WARNING, -1, "passes over", text);
	}
	free(f);
}

static void replica_add(struct agree_view *t, const struct view_context *c,
			const struct member_view *r)
{
	const struct sentinel_instance *f = &r->facts;
	char text[900], addr[ENDPOINT_TEXT_BYTES], flags[300], ping[UNITS_BYTES], info[UNITS_BYTES];
	bool bad = f->flags & (SFLAG_S_DOWN | SFLAG_O_DOWN | SFLAG_DISCONNECTED);

	snprintf(text, sizeof(text),
		 "%.90s  %s  priority %lld  offset %lld  link to its master %s  ping %s  INFO %s",
		 agree_addr(c->model, r->node_id, addr), flags_text(f->flags, flags, sizeof(flags)),
		 (long long)(f->priority == FACT_UNKNOWN ? -1 : f->priority),
		 (long long)(f->repl_offset == FACT_UNKNOWN ? -1 : f->repl_offset),
		 f->master_link_ok == 1	  ? "ok"
		 : f->master_link_ok == 0 ? "down"
					  : "?",
		 units_age(f->last_ok_ping_reply_ms, ping), units_age(f->info_refresh_ms, info));
	agree_text_add(t, ABOUT_WORD_REPLICAS, t->word_group, r->node_id,
		       bad ? STYLE_WARNING : STYLE_TEXT, (int)(bad ? GLYPH_WARNING : GLYPH_OK), 2,
		       text);
}

static void peer_add(struct agree_view *t, const struct view_context *c, const struct member_view *p)
{
	const struct sentinel_instance *f = &p->facts;
	char text[700], addr[ENDPOINT_TEXT_BYTES], flags[300], hello[UNITS_BYTES];
	bool bad = f->flags & (SFLAG_S_DOWN | SFLAG_DISCONNECTED);

	snprintf(text, sizeof(text), "%.90s  %s  last hello %s ago",
		 agree_addr(c->model, p->node_id, addr), flags_text(f->flags, flags, sizeof(flags)),
		 units_age(f->last_hello_message_ms, hello));
	agree_text_add(t, ABOUT_WORD_PEERS, t->word_group, p->node_id,
		       bad ? STYLE_WARNING : STYLE_TEXT, (int)(bad ? GLYPH_WARNING : GLYPH_OK), 2,
		       text);
}

static void lists_add(struct agree_view *t, const struct view_context *c,
		      const struct sentinel_view *v)
{
	char text[120], heard[40];

	snprintf(text, sizeof(text), "Replicas that it lists: %zu (%s)", v->replica_count,
		 ago(c->now_ms, v->replicas_at_ms, heard, sizeof(heard)));
	agree_text_add(t, ABOUT_WORD_REPLICAS, t->word_group, 0, STYLE_TITLE, -1, 0, text);
	for (size_t i = 0; i < v->replica_count && i < LISTED_MAX; i++)
		replica_add(t, c, &v->replicas[i]);
	snprintf(text, sizeof(text), "Other Sentinels that it lists: %zu (%s)", v->peer_count,
		 ago(c->now_ms, v->peers_at_ms, heard, sizeof(heard)));
	agree_text_add(t, ABOUT_WORD_PEERS, t->word_group, 0, STYLE_TITLE, -1, 0, text);
	for (size_t i = 0; i < v->peer_count && i < LISTED_MAX; i++)
		peer_add(t, c, &v->peers[i]);
}

void agree_word_add(struct agree_view *t, const struct view_context *c, const struct group *g,
		    uint32_t sentinel_id)
{
	const struct node *n = model_node(c->model, sentinel_id);
	const struct sentinel_view *v = n ? group_view_of(c->model, g, n->id) : NULL;
	char text[600], addr[ENDPOINT_TEXT_BYTES], heard[40];
	bool up;

	if (!n)
		return;
	up = n->link.state == LINK_UP;
	snprintf(text, sizeof(text), "%.90s%s%.160s", endpoint_format(&n->addr, addr),
		 up ? "  answers" : "  does not answer: ", up ? "" : n->link.reason);
	say(t, up ? STYLE_OK : STYLE_STALE, (int)(up ? GLYPH_OK : GLYPH_DOWN), "Sentinel", text);
	if (!v) {
		say(t, STYLE_DIM, -1, "its word", "it says nothing of this master");
		return;
	}
	say(t, up ? STYLE_TEXT : STYLE_STALE, -1, "its word",
	    ago(c->now_ms, v->at_ms, heard, sizeof(heard)));
	if (n->refused_text[0])
		say(t, STYLE_WARNING, -1, "refused", n->refused_text);
	fields_add(t, c, g, v);
	master_add(t, c, v);
	forecast_add(t, c, g, v);
	lists_add(t, c, v);
}
