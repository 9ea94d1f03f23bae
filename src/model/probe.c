#include "model/probe.h"

#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "model/failovers_private.h"
#include "model/model_private.h"

/* A write may begin to wait before anybody else sees trouble, and the first good one comes when the
 * new master is announced: so far from the failover's first and last word it still belongs to it. */
#define BEFORE_MS 2000
#define AFTER_MS  5000

/* --- reading ----------------------------------------------------------------------------------- */

const struct probe *probe_of(const struct group *g)
{
	return g->probe != NULL && g->probe->on ? g->probe : NULL;
}

static struct probe_outage *open_outage(struct probe *p)
{
	struct probe_outage *last = p->outage_count > 0 ? &p->outages[p->outage_count - 1] : NULL;
	return last != NULL && last->first_good_ms == 0 ? last : NULL;
}

const struct probe_outage *probe_outage_now(const struct group *g)
{
	return probe_of(g) != NULL ? open_outage(g->probe) : NULL;
}

bool probe_is_on(const struct deployment *d)
{
	for (size_t i = 0; i < d->group_count; i++)
		if (probe_of(d->groups[i]) != NULL)
			return true;
	return false;
}

/* Three digits: it is what one compares and quotes. */
static const char *length_text(int64_t ms, char out[UNITS_BYTES])
{
	if (ms < 0)
		ms = 0;
	if (ms < 1000)
		text_format(out, UNITS_BYTES, "%d ms", (int)ms);
	else if (ms < 60000)
		text_format(out, UNITS_BYTES, "%.*f s", ms < 10000 ? 2 : 1, (double)ms / 1000.);
	else
		units_duration(ms, out);
	return out;
}

static void count_add(char *out, int64_t count, const char *before, const char *after)
{
	size_t len = strlen(out);
	char number[24] = "no";
	if (count != 0)
		text_format(number, sizeof(number), "%lld", (long long)count);
	text_format(out + len, PROBE_WORDS_BYTES - len, ", %s %swrite%s %s", number, before,
		    count == 1 || count == 0 ? "" : "s", after);
}

void probe_outage_text(const struct probe_outage *o, int64_t now_ms, char out[PROBE_WORDS_BYTES])
{
	int64_t to_ms = o->first_good_ms != 0 ? o->first_good_ms : now_ms;
	char length[UNITS_BYTES];
	text_format(out, PROBE_WORDS_BYTES, "%s", length_text(to_ms - o->first_failed_ms, length));
	count_add(out, o->failed, "", "failed");
	if (o->first_good_ms == 0)
		return;
	if (o->lost != FACT_UNKNOWN)
		count_add(out, o->lost, "acknowledged ", "lost");
	else
		text_format(out + strlen(out), PROBE_WORDS_BYTES - strlen(out),
			    ", not known how many acknowledged writes were lost");
}

static enum health outage_words(const struct probe_outage *o, int64_t now_ms, char out[PROBE_WORDS_BYTES])
{
	char age[UNITS_BYTES];
	text_format(out, PROBE_WORDS_BYTES, "NO WRITE for %s%s%s",
		    units_duration(now_ms - o->first_failed_ms, age), o->reason[0] != '\0' ? ": " : "",
		    o->reason);
	return HEALTH_CRITICAL;
}

enum health probe_text(const struct group *g, int64_t now_ms, char out[PROBE_WORDS_BYTES])
{
	const struct probe *p = probe_of(g);
	const struct probe_outage *o = probe_outage_now(g);
	out[0] = '\0';
	if (p == NULL)
		return HEALTH_UNKNOWN;
	if (o != NULL)
		return outage_words(o, now_ms, out);
	if (p->barred[0] != '\0') {
		text_format(out, PROBE_WORDS_BYTES, "cannot write: %s", p->barred);
		return HEALTH_WARNING;
	}
	if (p->latency_us == FACT_UNKNOWN) {
		text_format(out, PROBE_WORDS_BYTES, "no write yet");
		return HEALTH_UNKNOWN;
	}
	double ms = (double)p->latency_us / 1000.;
	text_format(out, PROBE_WORDS_BYTES, "writes ok %.*f ms", ms < 10 ? 1 : 0, ms);
	return HEALTH_OK;
}

enum health probe_deployment_text(const struct deployment *d, int64_t now_ms,
				  char out[PROBE_WORDS_BYTES])
{
	char words[PROBE_WORDS_BYTES];
	enum health worst = HEALTH_OK;
	const struct group *who = NULL;
	size_t on = 0, bad = 0;
	out[0] = '\0';
	for (size_t i = 0; i < d->group_count; i++) {
		if (probe_of(d->groups[i]) == NULL)
			continue;
		enum health h = probe_text(d->groups[i], now_ms, words);
		on++;
		bad += h == HEALTH_CRITICAL;
		if (who != NULL && h <= worst)
			continue;
		who = d->groups[i];
		worst = h;
	}
	if (who == NULL)
		return HEALTH_UNKNOWN;
	probe_text(who, now_ms, words);
	if (on == 1)
		text_format(out, PROBE_WORDS_BYTES, "%s", words);
	else if (worst == HEALTH_OK)
		text_format(out, PROBE_WORDS_BYTES, "writes ok to all %zu masters", on);
	else if (worst == HEALTH_CRITICAL)
		text_format(out, PROBE_WORDS_BYTES, "%zu of %zu: %.60s: %.90s", bad, on, who->name, words);
	else
		text_format(out, PROBE_WORDS_BYTES, "%.60s: %.100s", who->name, words);
	return worst;
}

/* --- writing ----------------------------------------------------------------------------------- */

static void say(struct model *m, const struct group *g, enum event_kind kind, const struct probe_outage *o,
		const char *detail)
{
	const struct node *n = node_get(m, g->probe->node_id);
	char addr[ENDPOINT_TEXT_BYTES] = "";
	if (n != NULL)
		endpoint_format(&n->addr, addr);
	model_event(m, &(struct event_args){ .kind = kind,
					     .use_severity = o->lost > 0,
					     .severity = SEVERITY_WARNING,
					     .deployment_id = g->deployment_id,
					     .node_id = n != NULL ? n->id : 0,
					     .group_id = g->id,
					     .subject = g->name,
					     .addr = addr,
					     .detail = detail });
}

static struct probe_outage *add_outage(struct probe *p)
{
	if (p->outage_count == PROBE_OUTAGES_MAX) {
		memmove(p->outages, p->outages + 1, (PROBE_OUTAGES_MAX - 1) * sizeof(p->outages[0]));
		p->outage_count--;
	}
	struct probe_outage *o = &p->outages[p->outage_count++];
	*o = (struct probe_outage){ .lost = FACT_UNKNOWN };
	return o;
}

static void begin_outage(struct model *m, const struct group *g, const struct probe_facts *f,
			 const char *why)
{
	struct probe_outage *o = add_outage(g->probe);
	char detail[PROBE_WORDS_BYTES];
	o->first_failed_ms = f->first_failed_ms;
	o->wall_ms = m->wall_ms - (m->now_ms - f->first_failed_ms);
	o->failed = f->outage_failed;
	text_format(o->reason, sizeof(o->reason), "%s", why != NULL ? why : "");
	text_format(detail, sizeof(detail), "a client's write failed: %s", o->reason);
	say(m, g, EVENT_CLIENT_OUTAGE, o, detail);
}

static void end_outage(struct model *m, const struct group *g, const struct probe_facts *f)
{
	struct probe_outage *o = open_outage(g->probe);
	char detail[PROBE_WORDS_BYTES];
	if (o == NULL) {
		o = add_outage(g->probe);
		o->first_failed_ms = f->first_failed_ms != 0 ? f->first_failed_ms : m->now_ms;
		o->wall_ms = m->wall_ms - (m->now_ms - o->first_failed_ms);
	}
	o->first_good_ms = m->now_ms;
	o->failed = f->outage_failed;
	o->lost = f->lost;
	if (f->lost > 0)
		g->probe->lost += f->lost;
	probe_outage_text(o, m->now_ms, detail);
	say(m, g, EVENT_CLIENT_OUTAGE_OVER, o, detail);
}

static void take_counts(struct probe *p, const struct probe_facts *f)
{
	struct probe_outage *now = open_outage(p);
	p->acknowledged = f->acknowledged;
	p->failed = f->failed;
	p->latency_us = f->latency_us;
	if (now != NULL)
		now->failed = f->outage_failed;
}

/* What was going on is cut off: how it ended nobody saw. */
static void switch_off(struct model *m, struct probe *p)
{
	struct probe_outage *now = open_outage(p);
	p->on = false;
	p->barred[0] = '\0';
	if (now != NULL)
		now->first_good_ms = m->now_ms;
}

static void switch_on(struct model *m, struct group *g)
{
	if (g->probe == NULL)
		g->probe = mem_alloc(sizeof(*g->probe));
	*g->probe = (struct probe){ .on = true, .since_ms = m->now_ms, .latency_us = FACT_UNKNOWN };
}

static struct group *group_of(struct model *m, uint32_t id)
{
	struct group_key *key;
	HASH_FIND(hh, m->groups, &id, sizeof(id), key);
	return key != NULL ? key->group : NULL;
}

void apply_probe(struct model *m, const struct observation *obs)
{
	const struct probe_facts *f = obs->u.probe;
	struct group *g = group_of(m, f->group_id);
	if (g == NULL)
		return;
	if (f->news != PROBE_OFF && probe_of(g) == NULL)
		switch_on(m, g);
	if (g->probe == NULL)
		return;
	struct probe *p = g->probe;
	p->at_ms = m->now_ms;
	p->node_id = obs->node_id != 0 ? obs->node_id : p->node_id;
	take_counts(p, f);
	if (f->news != PROBE_SUMMARY)
		p->barred[0] = '\0';
	if (f->news == PROBE_BARRED)
		text_format(p->barred, sizeof(p->barred), "%s", obs->text != NULL ? obs->text : "?");
	else if (f->news == PROBE_BROKE && open_outage(p) == NULL)
		begin_outage(m, g, f, obs->text);
	else if (f->news == PROBE_MENDED || f->news == PROBE_MISSED)
		end_outage(m, g, f);
	else if (f->news == PROBE_OFF)
		switch_off(m, p);
	m->changed |= f->news == PROBE_SUMMARY ? TOPIC_VALUES : TOPIC_HEALTH;
	failovers_client(m, g);
}

/* --- a failover's part ------------------------------------------------------------------------- */

static bool belongs(const struct model *m, const struct failover_record *f, const struct probe_outage *o)
{
	int64_t to_ms = f->over ? failover_end_ms(f) + AFTER_MS : m->now_ms;
	int64_t good_ms = o->first_good_ms != 0 ? o->first_good_ms : m->now_ms;
	return good_ms >= failover_begin_ms(f) - BEFORE_MS && o->first_failed_ms <= to_ms;
}

static void take_client(const struct model *m, struct failover_record *f, const struct probe *p)
{
	bool open = false;
	f->client_probed |= p->on;
	f->client_failed_ms = f->client_good_ms = f->client_failed = 0;
	f->client_lost = FACT_UNKNOWN;
	for (size_t i = 0; i < p->outage_count; i++) {
		const struct probe_outage *o = &p->outages[i];
		if (!belongs(m, f, o))
			continue;
		open = o->first_good_ms == 0;
		if (o->failed > 0 && f->client_failed_ms == 0)
			f->client_failed_ms = o->first_failed_ms;
		if (o->failed > 0)
			f->client_good_ms = o->first_good_ms;
		f->client_failed += o->failed;
		if (o->lost != FACT_UNKNOWN)
			f->client_lost = fact_add(f->client_lost == FACT_UNKNOWN ? 0 : f->client_lost, o->lost);
	}
	/* Nothing failed, and nothing was missed when the next connection looked. */
	if (f->over && !open && f->client_lost == FACT_UNKNOWN && f->client_failed == 0 && f->client_probed)
		f->client_lost = 0;
}

void failovers_client(struct model *m, const struct group *g)
{
	struct failover_record *f;
	if (g->probe == NULL)
		return;
	for (size_t age = 0; m->failovers_live > 0 && (f = failover_recent(m, age)) != NULL; age++)
		if (failover_is_live(m, f) && failover_is_of(m, f, g) && failover_begin_ms(f) != 0)
			take_client(m, f, g->probe);
}
