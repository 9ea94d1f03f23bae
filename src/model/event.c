#include "model/event.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "model/event_private.h"

/* How far back a message may join an earlier one of its kind. Bounds the search in a storm. */
#define MERGE_LOOK_BACK 512

static const struct event_kind_info kinds[] = {
#define X(id, name, origin, severity, window, help) [id] = { name, origin, severity, window, help },
	EVENT_KINDS(X)
#undef X
};

const struct event_kind_info *event_kind_info(enum event_kind kind)
{
	return &kinds[(unsigned)kind < EVENT_KIND_COUNT ? kind : EVENT_UNKNOWN];
}

enum event_kind event_kind_find(const char *wire_name)
{
	for (unsigned i = EVENT_UNKNOWN + 1; i < EVENT_KIND_COUNT; i++)
		if (strcmp(kinds[i].name, wire_name) == 0)
			return (enum event_kind)i;
	return EVENT_UNKNOWN;
}

const char *severity_name(enum severity s)
{
	static const char *const names[] = { "info", "notice", "warning", "critical" };
	return names[s];
}

struct event_log *event_log_new(size_t capacity)
{
	struct event_log *log = mem_alloc(sizeof(*log));
	log->capacity = capacity > 0 ? capacity : 1;
	log->strings = pool_new();
	/* Not mem_alloc: pages that nobody has written to yet would come one by one. */
	size_t bytes;
	if (__builtin_mul_overflow(log->capacity, sizeof(*log->ring), &bytes))
		bytes = SIZE_MAX;
	log->ring = mem_realloc(NULL, bytes);
	memset(log->ring, 0, bytes);
	return log;
}

void event_clear(struct event_log *log, struct event *e)
{
	pool_drop(log->strings, e->name);
	pool_drop(log->strings, e->deployment);
	pool_drop(log->strings, e->subject);
	pool_drop(log->strings, e->addr);
	pool_drop(log->strings, e->detail);
	pool_drop(log->strings, e->about);
	for (unsigned i = 0; i < e->source_count; i++)
		pool_drop(log->strings, e->sources[i].addr);
	free(e->sources);
	memset(e, 0, sizeof(*e));
}

static void take_strings(struct event_log *log, struct event *e)
{
	e->name = pool_take(log->strings, e->name);
	e->deployment = pool_take(log->strings, e->deployment);
	e->subject = pool_take(log->strings, e->subject);
	e->addr = pool_take(log->strings, e->addr);
	e->detail = pool_take(log->strings, e->detail);
	e->about = pool_take(log->strings, e->about);
}

void event_copy(struct event_log *log, struct event *at, const struct event *e)
{
	*at = *e;
	take_strings(log, at);
	at->sources = mem_alloc(e->source_count * sizeof(*at->sources));
	for (unsigned i = 0; i < e->source_count; i++) {
		at->sources[i] = e->sources[i];
		at->sources[i].addr = pool_take(log->strings, e->sources[i].addr);
	}
}

void event_log_free(struct event_log *log)
{
	if (log == NULL)
		return;
	for (size_t i = 0; i < log->capacity; i++)
		free(log->ring[i].sources);
	pool_free(log->strings);
	free(log->ring);
	free(log);
}

size_t event_log_count(const struct event_log *log)
{
	return log->count;
}

const struct event *event_log_at(const struct event_log *log, size_t index)
{
	return index < log->count ? &log->ring[(log->first + index) % log->capacity] : NULL;
}

const struct event *event_log_from(const struct event_log *log, uint64_t seq)
{
	uint64_t oldest = log->last_seq - log->count + 1;
	if (seq > log->last_seq || log->count == 0)
		return NULL;
	return event_log_at(log, seq <= oldest ? 0 : (size_t)(seq - oldest));
}

uint64_t event_log_last_seq(const struct event_log *log)
{
	return log->last_seq;
}

uint64_t event_log_generation(const struct event_log *log)
{
	return log->generation;
}

static void source_add(struct event_log *log, struct event *e, const char *addr, int64_t mono_ms)
{
	e->source_total++;
	if (e->source_count == EVENT_SOURCES_MAX)
		return;
	e->sources = mem_realloc(e->sources, (e->source_count + 1u) * sizeof(*e->sources));
	e->sources[e->source_count++] =
	    (struct event_source){ .addr = pool_take(log->strings, addr), .mono_ms = mono_ms };
}

static bool has_source(const struct event *e, const char *addr)
{
	for (unsigned i = 0; i < e->source_count; i++)
		if (strcmp(e->sources[i].addr, addr) == 0)
			return true;
	return false;
}

static bool same_subject(const struct event *e, const struct event_draft *d)
{
	return e->deployment_id == d->deployment_id && strcmp(e->subject, d->subject) == 0 &&
	       strcmp(e->addr, d->addr) == 0;
}

/* The quorum of +odown (#quorum 2/2, then 3/2) differs from Sentinel to Sentinel. */
static bool same_detail(const struct event *e, const struct event_draft *d)
{
	return d->kind == EVENT_ODOWN || strcmp(e->detail, d->detail) == 0;
}

/* What undoes a kind: between +sdown and a second +sdown of the same instance there was -sdown, so
 * they are two events, however close. */
static enum event_kind opposite(enum event_kind kind)
{
	switch (kind) {
	case EVENT_SDOWN:
		return EVENT_SDOWN_OVER;
	case EVENT_SDOWN_OVER:
		return EVENT_SDOWN;
	case EVENT_ODOWN:
		return EVENT_ODOWN_OVER;
	case EVENT_ODOWN_OVER:
		return EVENT_ODOWN;
	case EVENT_ROLE_CHANGE:
		return EVENT_ROLE_CHANGE_BAD;
	case EVENT_ROLE_CHANGE_BAD:
		return EVENT_ROLE_CHANGE;
	default:
		return EVENT_KIND_COUNT;
	}
}

static struct event *merge_candidate(struct event_log *log, const struct event_draft *d)
{
	int64_t window = kinds[d->kind].merge_window_ms;
	if (window == 0 || d->kind == EVENT_UNKNOWN)
		return NULL;
	enum event_kind undone_by = opposite(d->kind);
	for (size_t back = 1; back <= log->count && back <= MERGE_LOOK_BACK; back++) {
		struct event *e = &log->ring[(log->first + log->count - back) % log->capacity];
		if (d->mono_ms - e->mono_ms > window)
			return NULL;
		if (!same_subject(e, d))
			continue;
		/* The opposite from the same Sentinel: this one is a new story. */
		if (e->kind == undone_by && has_source(e, d->source))
			return NULL;
		if (e->kind == d->kind && same_detail(e, d))
			return has_source(e, d->source) ? NULL : e;
	}
	return NULL;
}

static void fill(struct event_log *log, struct event *e, const struct event_draft *d)
{
	e->kind = d->kind;
	e->severity = d->severity;
	e->deployment_id = d->deployment_id;
	e->node_id = d->node_id;
	e->group_id = d->group_id;
	e->mono_ms = e->last_ms = d->mono_ms;
	e->wall_ms = d->wall_ms;
	e->name = d->name != NULL ? d->name : kinds[d->kind].name;
	e->deployment = d->deployment;
	e->subject = d->subject;
	e->addr = d->addr;
	e->detail = d->detail;
	e->about = d->about != NULL ? d->about : "";
	take_strings(log, e);
	source_add(log, e, d->source, d->mono_ms);
}

struct event *event_log_room(struct event_log *log)
{
	struct event *e = &log->ring[(log->first + log->count) % log->capacity];
	if (log->count == log->capacity) {
		event_clear(log, e);
		log->first = (log->first + 1) % log->capacity;
	} else {
		log->count++;
	}
	return e;
}

uint64_t event_log_add(struct event_log *log, const struct event_draft *draft)
{
	log->generation++;
	struct event *same = merge_candidate(log, draft);
	if (same != NULL) {
		source_add(log, same, draft->source, draft->mono_ms);
		same->last_ms = draft->mono_ms;
		same->generation = log->generation;
		return same->seq;
	}
	struct event *e = event_log_room(log);
	fill(log, e, draft);
	e->generation = log->generation;
	e->seq = ++log->last_seq;
	return e->seq;
}

void event_log_redirect(struct event_log *log, uint32_t from_deployment, uint32_t to_deployment)
{
	log->generation++;
	for (size_t i = 0; i < log->count; i++) {
		struct event *e = &log->ring[(log->first + i) % log->capacity];
		if (e->deployment_id != from_deployment)
			continue;
		e->deployment_id = to_deployment;
		e->generation = log->generation;
	}
}
