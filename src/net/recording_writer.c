#include "config.h"
#include "net/recording_writer.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"
#include "model/state.h"

#define PART_SUFFIX ".part"
#define OPEN_FLAGS  (O_RDWR | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW)

struct queued {
	struct queued *next;
	struct chunk_head head;
	struct buf raw;
};

/* Where a key frame begins in the file, and how many EVENTS chunks are before it. */
struct place {
	int64_t offset;
	size_t events;
	bool whole;
};

struct recording_writer {
	pthread_mutex_t lock;
	pthread_cond_t work, drained;
	pthread_t thread;
	/* guarded by lock */
	struct queued *first, **last;
	size_t queued_bytes;
	bool writing, closing, abandoned, ended;
	char trouble[160];
	/* the thread's own */
	int fd;
	char *path;
	int64_t max_bytes;
	struct recording_about about;
	struct recording_packer *packer;
	struct buf chunk;          /* as it goes to the file */
	struct buf last_state;     /* what the next key frame is the difference to */
	unsigned states_to_whole;  /* differences that may come before a whole one */
	struct place *states;
	size_t state_count, state_cap;
	int64_t *events;           /* offsets of the EVENTS chunks */
	size_t event_count, event_cap;
	atomic_llong size;         /* of the file: whole chunks */
	atomic_bool wants_state;
	int64_t asked_at;          /* size when a key frame was asked for; 0: not */
};

/* --- making the file ------------------------------------------------------------------------- */

/* Bytes that are there, at most len; -1 error. */
static ssize_t read_at(int fd, char *data, size_t len, int64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pread(fd, data + done, len - done, (off_t)offset + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -1;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

static bool write_at(int fd, const char *data, size_t len, int64_t offset)
{
	size_t done = 0;

	while (done < len) {
		ssize_t n = pwrite(fd, data + done, len - done, (off_t)offset + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		done += (size_t)n;
	}
	return true;
}

/* Somebody else's lock only: not every file system has them. */
static bool is_locked(int fd)
{
	return flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK;
}

/* NULL when the open file may be replaced: it is empty, or a recording that nobody writes. */
static const char *why_kept(int fd)
{
	struct stat st;
	char head[RECORDING_HEAD_BYTES];
	uint32_t format;
	ssize_t len;

	if (fstat(fd, &st) != 0)
		return strerror(errno);
	if (!S_ISREG(st.st_mode))
		return "is not a regular file";
	if (is_locked(fd))
		return "is being recorded to by another redoubt";
	len = read_at(fd, head, sizeof(head), 0);
	if (len < 0)
		return strerror(errno);
	if (len > 0 && recording_judge_head(head, (size_t)len, &format) == RECORDING_FOREIGN)
		return "exists and is no recording: it is left alone";
	return NULL;
}

/* False with the reason: what is at path must stay. *there: something is. */
static bool may_replace(const char *path, bool *there, struct buf *err)
{
	/* O_NONBLOCK: a FIFO would wait for its other end. */
	int fd = open(path, OPEN_FLAGS | O_NONBLOCK);
	const char *why;

	*there = fd >= 0 || errno != ENOENT;
	if (fd < 0 && errno == ENOENT)
		return true;
	why = fd >= 0 ? why_kept(fd) : errno == ELOOP ? "is a symbolic link" : strerror(errno);
	if (fd >= 0)
		close(fd);
	if (why)
		buf_addstr(err, why);
	return !why;
}

/* A new, empty, locked file. One that a killed redoubt left there is made anew. */
static int make_file(const char *path, struct buf *err)
{
	bool there;
	int fd = open(path, OPEN_FLAGS | O_CREAT | O_EXCL, 0600);

	if (fd < 0 && errno == EEXIST && may_replace(path, &there, err) && unlink(path) == 0)
		fd = open(path, OPEN_FLAGS | O_CREAT | O_EXCL, 0600);
	if (fd < 0) {
		if (err->len == 0)
			buf_addstr(err, strerror(errno));
		return -1;
	}
	is_locked(fd);
	return fd;
}

static char *part_path(const char *path)
{
	size_t size = strlen(path) + sizeof(PART_SUFFIX);
	char *part = mem_alloc(size);

	snprintf(part, size, "%s%s", path, PART_SUFFIX);
	return part;
}

/* --- chunks ---------------------------------------------------------------------------------- */

static bool pack_chunk(struct recording_writer *w, const struct chunk_head *head,
		       const struct buf *raw, struct buf *out)
{
	struct chunk_head h = *head;
	struct buf payload = BUF_INIT;
	const char *data = buf_str(raw);
	bool ok = h.type == CHUNK_ENTRIES
		      ? packer_stream(w->packer, h.new_stream, data, raw->len, &payload)
		      : packer_frame(w->packer, h.difference ? &w->last_state : NULL, data, raw->len,
				     &payload);

	ok = ok && raw->len <= CHUNK_MAX_BYTES && payload.len <= CHUNK_MAX_BYTES;
	if (ok) {
		h.bytes = (uint32_t)payload.len;
		h.raw_bytes = (uint32_t)raw->len;
		h.check = recording_check(payload.data, payload.len);
		chunk_head_put(&h, out);
		buf_add(out, payload.data, payload.len);
	}
	buf_free(&payload);
	return ok;
}

static void put_begin(struct recording_writer *w, struct buf *out)
{
	const struct chunk_head head = { .type = CHUNK_ABOUT };
	struct buf raw = BUF_INIT;

	recording_put_head(out);
	recording_about_put(&w->about, &raw);
	pack_chunk(w, &head, &raw, out);
	buf_free(&raw);
}

static bool fail(struct recording_writer *w, const char *why)
{
	pthread_mutex_lock(&w->lock);
	if (!w->ended)
		snprintf(w->trouble, sizeof(w->trouble), "recording stopped: %s", why);
	w->ended = true;
	pthread_mutex_unlock(&w->lock);
	return false;
}

/* --- the limit ------------------------------------------------------------------------------- */

/* The events that were written before a key frame, as one chunk. */
static bool gather_events(struct recording_writer *w, const struct place *upto, struct buf *out)
{
	struct recording_unpacker *u = unpacker_new();
	struct event_log *log = event_log_new(EVENT_RING_DEFAULT);
	struct buf data = BUF_INIT, raw = BUF_INIT;
	char bytes[CHUNK_HEAD_BYTES];
	struct chunk_head h = { .type = CHUNK_EVENTS };
	bool ok = true;

	for (size_t i = 0; ok && i < upto->events; i++) {
		ok = read_at(w->fd, bytes, sizeof(bytes), w->events[i]) == (ssize_t)sizeof(bytes) &&
		     chunk_head_get(&h, bytes) && h.type == CHUNK_EVENTS;
		if (!ok)
			break;
		buf_reset(&data);
		while (data.len < h.bytes)
			buf_addch(&data, 0);
		ok = read_at(w->fd, data.data, h.bytes, w->events[i] + CHUNK_HEAD_BYTES) ==
			 (ssize_t)h.bytes &&
		     unpacker_frame(u, NULL, data.data, data.len, h.raw_bytes, &raw) &&
		     event_log_restore(log, raw.data, raw.len);
	}
	if (ok && upto->events > 0) {
		buf_reset(&raw);
		event_log_save(log, 0, &raw);
		ok = pack_chunk(w, &h, &raw, out);
	}
	event_log_free(log);
	unpacker_free(u);
	buf_free(&data);
	buf_free(&raw);
	return ok;
}

static bool copy_bytes(int from, int64_t at, int64_t end, int to, int64_t to_at)
{
	char piece[65536];

	while (at < end) {
		size_t len = end - at < (int64_t)sizeof(piece) ? (size_t)(end - at) : sizeof(piece);

		if (read_at(from, piece, len, at) != (ssize_t)len || !write_at(to, piece, len, to_at))
			return false;
		at += (int64_t)len;
		to_at += (int64_t)len;
	}
	return true;
}

/* What is at the path is what we write. */
static bool path_is_ours(const struct recording_writer *w)
{
	struct stat ours, there;

	return fstat(w->fd, &ours) == 0 && lstat(w->path, &there) == 0 &&
	       ours.st_dev == there.st_dev && ours.st_ino == there.st_ino;
}

/* From now on the file is the new one, which begins with the k-th key frame. */
static void take_over(struct recording_writer *w, int fd, size_t k, int64_t moved,
		      size_t events_at)
{
	size_t dropped = w->states[k].events, kept_from = dropped > 0 ? 1 : 0;

	close(w->fd);
	w->fd = fd;
	atomic_store(&w->size, atomic_load(&w->size) - moved);
	memmove(w->events + kept_from, w->events + dropped,
		(w->event_count - dropped) * sizeof(*w->events));
	w->event_count = w->event_count - dropped + kept_from;
	for (size_t i = kept_from; i < w->event_count; i++)
		w->events[i] -= moved;
	if (kept_from)
		w->events[0] = (int64_t)events_at;
	w->state_count -= k;
	memmove(w->states, w->states + k, w->state_count * sizeof(*w->states));
	for (size_t i = 0; i < w->state_count; i++) {
		w->states[i].offset -= moved;
		w->states[i].events -= dropped - kept_from;
	}
	w->asked_at = 0;
}

/* The file anew from the k-th key frame on. */
static bool rewrite(struct recording_writer *w, size_t k)
{
	struct buf begin = BUF_INIT, err = BUF_INIT;
	char *part = part_path(w->path);
	int64_t from = w->states[k].offset, size = atomic_load(&w->size);
	size_t events_at;
	bool ok;
	int fd = make_file(part, &err);

	put_begin(w, &begin);
	events_at = begin.len;
	errno = 0;
	ok = fd >= 0 && gather_events(w, &w->states[k], &begin) &&
	     write_at(fd, begin.data, begin.len, 0) &&
	     copy_bytes(w->fd, from, size, fd, (int64_t)begin.len) && fdatasync(fd) == 0;
	if (!ok)
		buf_addf(&err, "%s", err.len ? "" : errno ? strerror(errno) : "it cannot be read back");
	else if (!path_is_ours(w))
		buf_addstr(&err, "the file is gone");
	else if (rename(part, w->path) != 0)
		buf_addstr(&err, strerror(errno));
	if (err.len > 0) {
		if (fd >= 0) {
			unlink(part);
			close(fd);
		}
		fail(w, err.data);
	} else {
		take_over(w, fd, k, from - (int64_t)begin.len, events_at);
	}
	ok = err.len == 0;
	free(part);
	buf_free(&begin);
	buf_free(&err);
	return ok;
}

/* Makes room for so many bytes more. Each rewriting frees a quarter at least, so that it is rare. */
static bool keep_newest(struct recording_writer *w, size_t more)
{
	int64_t size = atomic_load(&w->size), wanted = w->max_bytes / 4 * 3;
	size_t k = 0;

	if (w->max_bytes == 0 || size + (int64_t)more <= w->max_bytes)
		return true;
	for (size_t i = 1; i < w->state_count; i++)
		if (w->states[i].whole && (k == 0 || size - w->states[k].offset + (int64_t)more > wanted))
			k = i;
	/* 0: one key frame and what followed it; another one is asked for. */
	return k == 0 || rewrite(w, k);
}

static void ask_for_state(struct recording_writer *w)
{
	int64_t since, size = atomic_load(&w->size);

	if (w->max_bytes == 0 || w->state_count == 0)
		return;
	since = 0;
	for (size_t i = 0; i < w->state_count; i++)
		since = w->states[i].whole ? w->states[i].offset : since;
	if (w->asked_at > since || size - since < w->max_bytes / 4)
		return;
	w->asked_at = size;
	w->states_to_whole = 0;
	atomic_store(&w->wants_state, true);
}

/* --- the thread ------------------------------------------------------------------------------ */

static void note_chunk(struct recording_writer *w, const struct chunk_head *h, int64_t offset)
{
	if (h->type == CHUNK_EVENTS) {
		w->events = mem_grow(w->events, &w->event_cap, w->event_count + 1, sizeof(*w->events));
		w->events[w->event_count++] = offset;
	}
	if (h->type == CHUNK_STATE) {
		w->states = mem_grow(w->states, &w->state_cap, w->state_count + 1, sizeof(*w->states));
		w->states[w->state_count++] = (struct place){ offset, w->event_count, !h->difference };
	}
}

/* A key frame costs little as the difference to the last one, but a jump has to read from the last
 * whole one on. */
static void choose_state(struct recording_writer *w, struct chunk_head *h)
{
	h->difference = w->last_state.len > 0 && w->states_to_whole > 0;
	w->states_to_whole = h->difference ? w->states_to_whole - 1 : STATES_TO_A_WHOLE - 1;
}

static bool write_chunk(struct recording_writer *w, struct queued *q)
{
	struct stat st;
	int64_t size;

	if (q->head.type == CHUNK_STATE)
		choose_state(w, &q->head);
	buf_reset(&w->chunk);
	if (!pack_chunk(w, &q->head, &q->raw, &w->chunk))
		return fail(w, "more came in a second than a recording can hold");
	if (q->head.type == CHUNK_STATE && w->max_bytes > 0 &&
	    (int64_t)w->chunk.len > w->max_bytes / 4)
		return fail(w, "a key frame takes a quarter of --record-max");
	if (!keep_newest(w, w->chunk.len))
		return false;
	size = atomic_load(&w->size);
	if (!write_at(w->fd, w->chunk.data, w->chunk.len, size)) {
		int error = errno;

		/* Half a chunk is of no use, and its room may be needed. */
		if (ftruncate(w->fd, (off_t)size) != 0)
			error = error ? error : errno;
		return fail(w, strerror(error));
	}
	note_chunk(w, &q->head, size);
	if (q->head.type == CHUNK_STATE) {
		struct buf old = w->last_state;

		w->last_state = q->raw;
		q->raw = old;
	}
	atomic_store(&w->size, size + (int64_t)w->chunk.len);
	if (fstat(w->fd, &st) == 0 && st.st_nlink == 0)
		return fail(w, "the file is gone");
	/* Not all file systems can. */
	if (fdatasync(w->fd) != 0 && errno != EINVAL && errno != ENOSYS)
		return fail(w, strerror(errno));
	ask_for_state(w);
	return true;
}

static void free_queued(struct queued *q)
{
	buf_free(&q->raw);
	free(q);
}

static void writer_destroy(struct recording_writer *w)
{
	while (w->first) {
		struct queued *q = w->first;

		w->first = q->next;
		free_queued(q);
	}
	pthread_mutex_destroy(&w->lock);
	pthread_cond_destroy(&w->work);
	pthread_cond_destroy(&w->drained);
	packer_free(w->packer);
	buf_free(&w->chunk);
	buf_free(&w->last_state);
	free(w->states);
	free(w->events);
	free(w->path);
	if (w->fd >= 0)
		close(w->fd);
	free(w);
}

static void *writer_thread(void *arg)
{
	struct recording_writer *w = arg;
	bool abandoned;

	pthread_mutex_lock(&w->lock);
	while (!w->abandoned && (!w->closing || w->first)) {
		struct queued *q = w->first;
		bool ended = w->ended;

		if (!q) {
			pthread_cond_wait(&w->work, &w->lock);
			continue;
		}
		w->first = q->next;
		if (!w->first)
			w->last = &w->first;
		w->queued_bytes -= q->raw.len;
		w->writing = true;
		pthread_mutex_unlock(&w->lock);
		if (!ended)
			write_chunk(w, q);
		free_queued(q);
		pthread_mutex_lock(&w->lock);
		w->writing = false;
		pthread_cond_signal(&w->drained);
	}
	abandoned = w->abandoned;
	pthread_mutex_unlock(&w->lock);
	/* The closer did not wait for this write: the last one out frees. */
	if (abandoned)
		writer_destroy(w);
	return NULL;
}

/* --- the interface --------------------------------------------------------------------------- */

static struct recording_writer *writer_new(const char *path, int64_t max_bytes,
					   const struct recording_about *about)
{
	struct recording_writer *w = mem_alloc(sizeof(*w));

	w->fd = -1;
	w->path = mem_strdup(path);
	w->max_bytes = max_bytes;
	w->about = *about;
	w->packer = packer_new();
	w->last = &w->first;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->work, NULL);
	thread_cond_init(&w->drained);
	return w;
}

/* The begin of the recording is on the disk before anything is replaced by it. A disk that is full
 * already ends the recording, not the program. */
static bool write_begin(struct recording_writer *w, const char *made, bool replaces, struct buf *err)
{
	struct buf begin = BUF_INIT;
	bool ok;
	int error;

	put_begin(w, &begin);
	ok = write_at(w->fd, begin.data, begin.len, 0) && (!replaces || fdatasync(w->fd) == 0);
	error = errno;
	atomic_store(&w->size, (long long)begin.len);
	buf_free(&begin);
	if (ok && (!replaces || rename(made, w->path) == 0))
		return true;
	if (ok)
		error = errno;
	if (replaces || ok)
		unlink(made);
	if (ok) {
		buf_addstr(err, strerror(error));
		return false;
	}
	fail(w, strerror(error));
	return true;
}

struct recording_writer *recording_writer_open(const char *path, int64_t max_bytes,
					       const struct recording_about *about, struct buf *err)
{
	struct recording_writer *w;
	char *part = NULL;
	bool replaces, ok;

	if (!may_replace(path, &replaces, err))
		return NULL;
	w = writer_new(path, max_bytes, about);
	part = replaces ? part_path(path) : mem_strdup(path);
	w->fd = make_file(part, err);
	ok = w->fd >= 0 && write_begin(w, part, replaces, err);
	if (ok && !thread_start(&w->thread, 0, writer_thread, w)) {
		buf_addstr(err, "no thread could be started");
		ok = false;
	}
	free(part);
	if (!ok) {
		writer_destroy(w);
		return NULL;
	}
	return w;
}

void recording_writer_add(struct recording_writer *w, const struct chunk_head *h, struct buf *raw)
{
	struct queued *q = mem_alloc(sizeof(*q));

	q->head = *h;
	q->raw = *raw;
	*raw = (struct buf)BUF_INIT;
	pthread_mutex_lock(&w->lock);
	if (!w->ended && w->queued_bytes + q->raw.len > RECORDING_QUEUE_BYTES && w->first) {
		w->ended = true;
		snprintf(w->trouble, sizeof(w->trouble), "recording stopped: the disk is too slow");
	}
	if (!w->ended && !w->closing) {
		w->queued_bytes += q->raw.len;
		*w->last = q;
		w->last = &q->next;
		q = NULL;
		pthread_cond_signal(&w->work);
	}
	pthread_mutex_unlock(&w->lock);
	if (q)
		free_queued(q);
}

bool recording_writer_wants_state(struct recording_writer *w)
{
	return atomic_exchange(&w->wants_state, false);
}

bool recording_writer_trouble(struct recording_writer *w, char *out, size_t size)
{
	bool trouble;

	pthread_mutex_lock(&w->lock);
	trouble = w->trouble[0] != '\0';
	if (trouble)
		snprintf(out, size, "%s", w->trouble);
	pthread_mutex_unlock(&w->lock);
	return trouble;
}

uint64_t recording_writer_bytes(struct recording_writer *w)
{
	return (uint64_t)atomic_load(&w->size);
}

bool recording_writer_is_behind(struct recording_writer *w)
{
	bool behind;

	pthread_mutex_lock(&w->lock);
	behind = w->first || w->writing;
	pthread_mutex_unlock(&w->lock);
	return behind;
}

void recording_writer_close(struct recording_writer *w, int timeout_ms)
{
	struct timespec until = clock_mono_in(timeout_ms);
	pthread_t thread;
	bool stuck;

	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->closing = true;
	pthread_cond_signal(&w->work);
	while ((w->first || w->writing) &&
	       pthread_cond_timedwait(&w->drained, &w->lock, &until) == 0)
		;
	stuck = w->first || w->writing;
	w->abandoned = stuck;
	thread = w->thread;
	pthread_mutex_unlock(&w->lock);
	if (stuck) {
		pthread_detach(thread);
		return;
	}
	pthread_join(thread, NULL);
	writer_destroy(w);
}
