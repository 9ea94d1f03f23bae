#include "config.h"
#include "net/player.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/units.h"
#include "model/state.h"
#include "net/recording.h"
#include "net/recording_entry.h"
#include "redis/parse.h"

#define CHUNKS_MAX (64u * 1024 * 1024)

struct chunk {
	struct chunk_head head;
	int64_t offset; /* of the payload */
};

struct player {
	int fd;
	struct recording_about about;
	char damage[200];
	struct chunk *chunks;
	size_t count, cap;       /* what can be played: damage shortens it */
	size_t *states;          /* indices of the key frames */
	size_t state_count, state_cap;
	bool streaming;          /* there were entries since the last key frame */
	unsigned differences;    /* key frames since the last whole one */
	struct player_mark *marks;
	size_t mark_count, mark_cap;
	/* where it plays */
	size_t next;             /* index of the chunk to be read next */
	int64_t now_ms;
	struct buf entries;      /* of the chunk at hand */
	const char *at;          /* in them */
	struct entry entry;      /* read, and not given yet */
	bool have_entry;
	/* tools */
	struct recording_unpacker *unpacker;
	struct entry_reader *reader;
	struct parser *parser;
	struct reply_reader *replies;
	struct buf payload;
};

/* --- reading --------------------------------------------------------------------------------- */

static bool read_at(const struct player *p, char *data, size_t len, int64_t offset, size_t *got)
{
	*got = 0;
	while (*got < len) {
		ssize_t n = pread(p->fd, data + *got, len - *got, (off_t)offset + (off_t)*got);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (n == 0)
			break;
		*got += (size_t)n;
	}
	return true;
}

static int64_t chunk_end_ms(const struct chunk *c)
{
	return c->head.first_ms + c->head.span_ms;
}

/* From chunk `index` on there is nothing to be had. */
static void end_at(struct player *p, size_t index, const char *what)
{
	const struct chunk *last = index > 0 ? &p->chunks[index - 1] : NULL;
	int64_t bytes = last ? last->offset + last->head.bytes : 0;
	char when[CLOCK_ISO_BYTES], size[UNITS_BYTES];

	p->count = index;
	while (p->state_count > 0 && p->states[p->state_count - 1] >= index)
		p->state_count--;
	while (p->mark_count > 0 && last && p->marks[p->mark_count - 1].at_ms > chunk_end_ms(last))
		p->mark_count--;
	snprintf(p->damage, sizeof(p->damage), "%s at %s, %s in: plays up to there", what,
		 clock_format_hms(last ? last->head.wall_ms + last->head.span_ms : 0, when),
		 units_bytes(bytes, size));
}

/* The payload as it is in the file, checked, into p->payload. */
static bool read_payload(struct player *p, const struct chunk *c)
{
	static const char none[4096];
	size_t got;

	buf_reset(&p->payload);
	while (p->payload.len < c->head.bytes) {
		size_t more = c->head.bytes - p->payload.len;

		buf_add(&p->payload, none, more < sizeof(none) ? more : sizeof(none));
	}
	return read_at(p, p->payload.data, c->head.bytes, c->offset, &got) && got == c->head.bytes &&
	       recording_check(buf_str(&p->payload), p->payload.len) == c->head.check;
}

static bool read_frame(struct player *p, const struct chunk *c, const struct buf *before,
		       struct buf *out)
{
	return read_payload(p, c) && unpacker_frame(p->unpacker, before, p->payload.data,
						    p->payload.len, c->head.raw_bytes, out);
}

/* --- opening --------------------------------------------------------------------------------- */

static bool is_promotion(const struct event *e)
{
	static const char words[] = "replica -> master";

	return e->kind == EVENT_OWN_ROLE_CHANGED && strncmp(e->detail, words, sizeof(words) - 1) == 0;
}

/* Those of events that were not in the log before. */
static void add_marks(struct player *p, const struct event_log *log, uint64_t *next_seq)
{
	const struct event *e;

	while ((e = event_log_from(log, *next_seq)) != NULL) {
		p->marks = mem_grow(p->marks, &p->mark_cap, p->mark_count + 1, sizeof(*p->marks));
		p->marks[p->mark_count++] = (struct player_mark){ .at_ms = e->mono_ms,
								  .seq = e->seq,
								  .severity = e->severity,
								  .kind = e->kind,
								  .deployment_id = e->deployment_id,
								  .promotion = is_promotion(e) };
		*next_seq = e->seq + 1;
	}
}

static int compare_marks(const void *a, const void *b)
{
	const struct player_mark *x = a, *y = b;

	if (x->at_ms != y->at_ms)
		return x->at_ms < y->at_ms ? -1 : 1;
	return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Whether a chunk may stand there. */
static bool fits(const struct player *p, const struct chunk_head *h)
{
	if (p->count == 0)
		return h->type == CHUNK_ABOUT;
	switch (h->type) {
	case CHUNK_ABOUT:
		return false;
	case CHUNK_STATE:
		return !h->difference ||
		       (p->state_count > 0 && p->differences + 1 < STATES_TO_A_WHOLE);
	case CHUNK_ENTRIES:
		return p->state_count > 0 && h->new_stream == !p->streaming;
	default:
		return true;
	}
}

static bool take_chunk(struct player *p, const struct chunk *c, struct event_log **log,
		       uint64_t *next_seq)
{
	struct buf raw = BUF_INIT;
	bool ok = fits(p, &c->head);

	if (ok && c->head.type != CHUNK_STATE && c->head.type != CHUNK_ENTRIES)
		ok = read_frame(p, c, NULL, &raw);
	if (ok && c->head.type == CHUNK_ABOUT)
		ok = recording_about_get(&p->about, raw.data, raw.len);
	if (ok && c->head.type == CHUNK_EVENTS) {
		if (!*log)
			*log = event_log_new(EVENT_RING_DEFAULT);
		ok = event_log_restore(*log, raw.data, raw.len);
		if (ok)
			add_marks(p, *log, next_seq);
	}
	if (ok && c->head.type == CHUNK_STATE) {
		p->states = mem_grow(p->states, &p->state_cap, p->state_count + 1, sizeof(*p->states));
		p->states[p->state_count++] = p->count;
		p->differences = c->head.difference ? p->differences + 1 : 0;
	}
	if (ok && (c->head.type == CHUNK_STATE || c->head.type == CHUNK_ENTRIES))
		p->streaming = c->head.type == CHUNK_ENTRIES;
	if (ok) {
		p->chunks = mem_grow(p->chunks, &p->cap, p->count + 1, sizeof(*p->chunks));
		p->chunks[p->count++] = *c;
	}
	buf_free(&raw);
	return ok;
}

static void read_chunks(struct player *p, int64_t size)
{
	struct event_log *log = NULL;
	uint64_t next_seq = 1;
	int64_t at = RECORDING_HEAD_BYTES;
	bool closed = false;
	const char *what = NULL;

	while (!what && !closed && at < size && p->count < CHUNKS_MAX) {
		char head[CHUNK_HEAD_BYTES];
		struct chunk c = { .offset = at + CHUNK_HEAD_BYTES };
		size_t got;

		if (!read_at(p, head, sizeof(head), at, &got))
			what = "cannot be read";
		else if (got < sizeof(head))
			what = "cut short";
		else if (!chunk_head_get(&c.head, head))
			what = "damaged";
		else if (c.head.bytes > size - c.offset)
			what = "cut short";
		else if (!take_chunk(p, &c, &log, &next_seq))
			what = "damaged";
		closed = !what && c.head.type == CHUNK_END;
		at = c.offset + c.head.bytes;
	}
	if (!closed)
		end_at(p, p->count, what ? what : "not closed: ends");
	event_log_free(log);
}

static bool open_file(struct player *p, const char *path, int64_t *size, struct buf *err)
{
	char head[RECORDING_HEAD_BYTES];
	struct stat st;
	size_t got;
	uint32_t format;

	/* O_NONBLOCK: a FIFO would wait for its other end. */
	p->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (p->fd < 0 || fstat(p->fd, &st) != 0) {
		buf_addstr(err, strerror(errno));
		return false;
	}
	*size = st.st_size;
	if (!S_ISREG(st.st_mode)) {
		buf_addstr(err, "is not a regular file");
		return false;
	}
	if (!read_at(p, head, sizeof(head), 0, &got)) {
		buf_addstr(err, strerror(errno));
		return false;
	}
	switch (got == 0 ? RECORDING_SHORT : recording_judge_head(head, got, &format)) {
	case RECORDING_GOOD:
		return true;
	case RECORDING_FOREIGN:
		buf_addstr(err, "is no recording of redoubt");
		break;
	case RECORDING_SHORT:
		buf_addstr(err, got == 0 ? "is empty" : "is cut short: there is nothing to play");
		break;
	case RECORDING_LATER:
		buf_addf(err, "is a recording of format %u, and this redoubt reads up to %d: "
			      "a later redoubt is needed", (unsigned)format, RECORDING_FORMAT);
		break;
	}
	return false;
}

struct player *player_open(const char *path, struct buf *err)
{
	struct player *p = mem_alloc(sizeof(*p));
	int64_t size;

	p->fd = -1;
	p->unpacker = unpacker_new();
	p->reader = entry_reader_new();
	p->parser = parser_new();
	p->replies = reader_new();
	if (!open_file(p, path, &size, err)) {
		player_free(p);
		return NULL;
	}
	read_chunks(p, size);
	if (p->state_count == 0) {
		buf_addf(err, "is %s before its first key frame: there is nothing to play",
			 strncmp(p->damage, "damaged", 7) == 0 ? "damaged" : "cut short");
		player_free(p);
		return NULL;
	}
	if (p->mark_count > 0)
		qsort(p->marks, p->mark_count, sizeof(*p->marks), compare_marks);
	p->now_ms = player_begin_ms(p);
	p->next = p->states[0];
	return p;
}

void player_free(struct player *p)
{
	if (!p)
		return;
	if (p->fd >= 0)
		close(p->fd);
	unpacker_free(p->unpacker);
	entry_reader_free(p->reader);
	parser_free(p->parser);
	reader_free(p->replies);
	buf_free(&p->payload);
	buf_free(&p->entries);
	free(p->chunks);
	free(p->states);
	free(p->marks);
	free(p);
}

/* --- what it says ---------------------------------------------------------------------------- */

int64_t player_begin_ms(const struct player *p)
{
	return p->chunks[p->states[0]].head.first_ms;
}

int64_t player_end_ms(const struct player *p)
{
	int64_t begin_ms = player_begin_ms(p), end_ms = chunk_end_ms(&p->chunks[p->count - 1]);

	return end_ms > begin_ms ? end_ms : begin_ms;
}

/* The last chunk from the first key frame on that begins at or before the time. */
static const struct chunk *chunk_at(const struct player *p, int64_t at_ms)
{
	size_t low = p->states[0], high = p->count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (p->chunks[middle].head.first_ms <= at_ms)
			low = middle;
		else
			high = middle;
	}
	return &p->chunks[low];
}

int64_t player_wall_ms(const struct player *p, int64_t at_ms)
{
	const struct chunk *c = chunk_at(p, at_ms);

	return c->head.wall_ms + at_ms - c->head.first_ms;
}

/* The wall clock may have been set: the last chunk that had begun by then. */
int64_t player_at_wall(const struct player *p, int64_t wall_ms)
{
	size_t found = p->states[0];
	int64_t at_ms, begin_ms = player_begin_ms(p), end_ms = player_end_ms(p);

	for (size_t i = found; i < p->count; i++)
		if (p->chunks[i].head.wall_ms <= wall_ms)
			found = i;
	at_ms = p->chunks[found].head.first_ms + (wall_ms - p->chunks[found].head.wall_ms);
	return at_ms < begin_ms ? begin_ms : at_ms > end_ms ? end_ms : at_ms;
}

const char *player_version(const struct player *p)
{
	return p->about.version;
}

const char *player_damage(const struct player *p)
{
	return p->damage;
}

size_t player_mark_count(const struct player *p)
{
	return p->mark_count;
}

const struct player_mark *player_mark_at(const struct player *p, size_t index)
{
	return index < p->mark_count ? &p->marks[index] : NULL;
}

int64_t player_now_ms(const struct player *p)
{
	return p->now_ms;
}

/* --- playing --------------------------------------------------------------------------------- */

/* The next chunk of entries into p->entries. False at the end. */
static bool next_chunk(struct player *p)
{
	while (p->next < p->count && p->chunks[p->next].head.type != CHUNK_ENTRIES)
		p->next++;
	if (p->next >= p->count)
		return false;
	const struct chunk *c = &p->chunks[p->next];
	if (c->head.new_stream)
		entry_reader_restart(p->reader);
	if (!read_payload(p, c) ||
	    !unpacker_stream(p->unpacker, c->head.new_stream, p->payload.data, p->payload.len,
			     c->head.raw_bytes, &p->entries)) {
		end_at(p, p->next, "damaged");
		return false;
	}
	p->next++;
	p->at = p->entries.data;
	return true;
}

static const char *entries_end(const struct player *p)
{
	return p->entries.data + p->entries.len;
}

/* The next entry into p->entry. False at the end, which damage may have brought near. */
static bool fetch_entry(struct player *p)
{
	while (!p->have_entry) {
		if (p->entries.len == 0 || p->at == entries_end(p)) {
			if (!next_chunk(p))
				return false;
			continue;
		}
		p->have_entry = entry_get(p->reader, &p->at, entries_end(p), &p->entry);
		if (!p->have_entry) {
			buf_reset(&p->entries);
			end_at(p, p->next - 1, "damaged");
			return false;
		}
	}
	return true;
}

/* A reply's bytes through the very parsers that the live one went through. */
static bool parse_entry(struct player *p, struct observation *obs)
{
	const struct reply *reply;

	reader_feed(p->replies, p->entry.raw, p->entry.raw_len);
	if (reader_next(p->replies, &reply) != 1 || !reader_is_empty(p->replies)) {
		reader_free(p->replies);
		p->replies = reader_new();
		return false;
	}
	obs->raw = reply;
	parse_reply(p->parser, reply, obs);
	return true;
}

static bool give_observation(struct player *p, const struct player_sink *sink)
{
	struct observation *obs = &p->entry.obs;

	if (p->entry.raw && !parse_entry(p, obs))
		return false;
	/* A message that cannot be read is none: the live program drops it, too. */
	if (obs->answer == ANSWER_OK ||
	    (obs->question != ASK_MESSAGE && obs->question != ASK_SENTINEL_HELLO))
		sink->observe(obs, sink->owner);
	return true;
}

static bool give_entry(struct player *p, const struct player_sink *sink)
{
	p->have_entry = false;
	if (p->entry.now_ms > p->now_ms)
		p->now_ms = p->entry.now_ms;
	switch (p->entry.kind) {
	case ENTRY_TICK:
		sink->tick(p->entry.now_ms, p->entry.wall_ms, sink->owner);
		return true;
	case ENTRY_INTERVAL:
		sink->interval(p->entry.interval_ms, sink->owner);
		return true;
	case ENTRY_OBSERVATION:
		return give_observation(p, sink);
	}
	return false;
}

bool player_advance(struct player *p, int64_t at_ms, int64_t budget_us, const struct player_sink *sink)
{
	int64_t begin_us = budget_us > 0 ? clock_mono_us() : 0;

	while (fetch_entry(p) && p->entry.now_ms <= at_ms) {
		if (!give_entry(p, sink)) {
			buf_reset(&p->entries);
			end_at(p, p->next - 1, "damaged");
			return true;
		}
		if (budget_us > 0 && clock_mono_us() - begin_us >= budget_us)
			return !fetch_entry(p) || p->entry.now_ms > at_ms;
	}
	return true;
}

/* The events that were known at key frame number `state`. */
static bool load_events(struct player *p, size_t state, struct event_log *log)
{
	struct buf raw = BUF_INIT;
	bool ok = true;

	for (size_t i = 0; ok && i < p->states[state]; i++)
		if (p->chunks[i].head.type == CHUNK_EVENTS)
			ok = read_frame(p, &p->chunks[i], NULL, &raw) &&
			     event_log_restore(log, raw.data, raw.len);
	buf_free(&raw);
	return ok;
}

/* From the last whole key frame on, each one is the difference to the one before. */
static bool read_state(struct player *p, size_t state, struct buf *out)
{
	struct buf before = BUF_INIT;
	size_t from = state;
	bool ok = true;

	while (from > 0 && p->chunks[p->states[from]].head.difference)
		from--;
	for (size_t k = from; ok && k <= state; k++) {
		const struct chunk *c = &p->chunks[p->states[k]];
		struct buf swap = before;

		before = *out;
		*out = swap;
		ok = c->head.difference == (k > from) &&
		     read_frame(p, c, k > from ? &before : NULL, out);
	}
	buf_free(&before);
	return ok;
}

static struct model *load_state(struct player *p, size_t state, struct buf *err)
{
	struct buf raw = BUF_INIT;
	struct model *m = NULL;

	if (!read_state(p, state, &raw))
		buf_addstr(err, "the key frame is damaged");
	else
		m = model_load(raw.data, raw.len, err);
	if (m && !load_events(p, state, model_events_of_load(m))) {
		buf_addstr(err, "its events are damaged");
		model_free(m);
		m = NULL;
	}
	buf_free(&raw);
	return m;
}

/* Number of the last key frame at or before the time; the first one for any earlier. */
static size_t state_at(const struct player *p, int64_t at_ms)
{
	size_t k = p->state_count - 1;

	while (k > 0 && p->chunks[p->states[k]].head.first_ms > at_ms)
		k--;
	return k;
}

/* The entries go on past it, so nothing but a place to jump to is lost. */
static void note_lost_state(struct player *p, size_t k)
{
	char when[CLOCK_ISO_BYTES];

	if (p->damage[0] == '\0')
		snprintf(p->damage, sizeof(p->damage), "the key frame at %s is damaged",
			 clock_format_hms(p->chunks[p->states[k]].head.wall_ms, when));
}

struct model *player_seek(struct player *p, int64_t at_ms, struct buf *err)
{
	for (size_t k = state_at(p, at_ms) + 1; k-- > 0;) {
		struct model *m;

		buf_reset(err);
		m = load_state(p, k, err);
		if (!m) {
			note_lost_state(p, k);
			continue;
		}
		p->next = p->states[k] + 1;
		p->now_ms = p->chunks[p->states[k]].head.first_ms;
		p->have_entry = false;
		buf_reset(&p->entries);
		return m;
	}
	return NULL;
}

bool player_can_advance(const struct player *p, int64_t at_ms)
{
	return at_ms >= p->now_ms &&
	       p->chunks[p->states[state_at(p, at_ms)]].head.first_ms <= p->now_ms;
}
