/* Files that are no recordings, or damaged ones, or such as somebody made to do harm: with checks
 * that hold, so that what is inside reaches its readers. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "fuzz_facts.h"
#include "model/state.h"
#include "net/player.h"
#include "net/recording.h"
#include "net/recording_delta.h"

struct play {
	struct model *m;
	size_t given;
};

/* What came without a reply. */
static void check_facts(const struct observation *obs)
{
	if (obs->text)
		FUZZ_CLEAN_TEXT(obs->text);
	if (obs->question == ASK_TARGET) {
		fuzz_check_endpoint(&obs->u.target->addr);
		if (obs->u.target->name)
			FUZZ_CLEAN_TEXT(obs->u.target->name);
	} else if (obs->question == ASK_LINK) {
		FUZZ_ASSERT((unsigned)obs->u.link->state <= LINK_PROTOCOL);
	} else if (obs->question == ASK_ACTION) {
		FUZZ_CLEAN(obs->u.action->name);
		FUZZ_CLEAN(obs->u.action->subject);
	} else {
		FUZZ_ASSERT(obs->answer != ANSWER_OK);
	}
}

static unsigned on_observe(const struct observation *obs, void *owner)
{
	struct play *p = owner;

	if (obs->raw)
		fuzz_check_observation(obs);
	else
		check_facts(obs);
	FUZZ_ASSERT(obs->recv_ms >= 0 && obs->wall_ms >= 0);
	p->given++;
	return model_apply(p->m, obs);
}

static void on_tick(int64_t now_ms, int64_t wall_ms, void *owner)
{
	struct play *p = owner;

	p->given++;
	model_tick(p->m, now_ms, wall_ms);
}

static void on_interval(int64_t interval_ms, void *owner)
{
	struct play *p = owner;

	FUZZ_ASSERT(interval_ms > 0);
	model_set_interval(p->m, interval_ms);
}

static void check_marks(const struct player *p)
{
	for (size_t i = 1; i < player_mark_count(p); i++)
		FUZZ_ASSERT(player_mark_at(p, i - 1)->at_ms <= player_mark_at(p, i)->at_ms);
}

static void play(const char *path)
{
	struct buf err = BUF_INIT;
	struct player *p = player_open(path, &err);
	struct play to = { 0 };
	const struct player_sink sink = { on_observe, on_tick, on_interval, &to };
	int64_t begin_ms, end_ms;

	FUZZ_ASSERT((p == NULL) == (err.len > 0));
	FUZZ_CLEAN_TEXT(buf_str(&err));
	if (p) {
		begin_ms = player_begin_ms(p);
		end_ms = player_end_ms(p);
		FUZZ_ASSERT(begin_ms <= end_ms);
		check_marks(p);
		FUZZ_CLEAN_TEXT(player_version(p));
		for (int64_t at = begin_ms; at <= end_ms && to.given < 2; at = at < end_ms ? end_ms : end_ms + 1) {
			to.m = player_seek(p, at, &err);
			player_wall_ms(p, at);
			player_at_wall(p, player_wall_ms(p, at));
			if (to.m)
				player_advance(p, at, 0, &sink);
			model_free(to.m);
			to.m = NULL;
		}
		FUZZ_CLEAN_TEXT(player_damage(p));
		FUZZ_ASSERT(player_begin_ms(p) <= player_end_ms(p));
		check_marks(p);
	}
	player_free(p);
	buf_free(&err);
}

/* A file without a name; the path is of this process's own view of it. */
static void play_bytes(const struct buf *bytes)
{
	char path[40];
	int fd = -1;

#ifdef HAVE_MEMFD_CREATE
	fd = memfd_create("recording", MFD_CLOEXEC);
#endif
	if (fd < 0)
		return;
	FUZZ_ASSERT(write(fd, buf_str(bytes), bytes->len) == (ssize_t)bytes->len);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	play(path);
	close(fd);
}

static void put_chunk(struct recording_packer *p, struct chunk_head h, const struct buf *raw,
		      struct buf *out)
{
	struct buf payload = BUF_INIT;

	if (h.type == CHUNK_ENTRIES)
		packer_stream(p, h.new_stream, buf_str(raw), raw->len, &payload);
	else
		packer_frame(p, NULL, buf_str(raw), raw->len, &payload);
	h.bytes = (uint32_t)payload.len;
	h.raw_bytes = (uint32_t)raw->len;
	h.check = recording_check(buf_str(&payload), payload.len);
	chunk_head_put(&h, out);
	buf_add(out, buf_str(&payload), payload.len);
	buf_free(&payload);
}

static void add_input(struct fuzz_input *in, struct buf *out)
{
	size_t len;
	const char *bytes = fuzz_bytes(in, 255, &len);

	buf_add(out, bytes, len);
}

/* Chunks whose types, times and contents are the input's. */
static void play_made(struct fuzz_input *in)
{
	struct recording_packer *p = packer_new();
	struct recording_about about = { .version = "fuzz" };
	struct model *empty = model_new(1);
	struct buf file = BUF_INIT, raw = BUF_INIT;
	struct chunk_head h = { .type = CHUNK_ABOUT };
	bool streaming = false;

	recording_put_head(&file);
	recording_about_put(&about, &raw);
	put_chunk(p, h, &raw, &file);
	while (in->left > 0) {
		unsigned what = fuzz_byte(in);

		buf_reset(&raw);
		h = (struct chunk_head){ .type = CHUNK_ABOUT + what % 5,
					 .difference = (what & 0x70) == 0x70,
					 .first_ms = fuzz_byte(in) * 1000,
					 .span_ms = what * 10,
					 .wall_ms = 1000000000 };
		if (h.type == CHUNK_STATE && !(what & 0x80))
			model_save(empty, &raw);
		else
			add_input(in, &raw);
		h.new_stream = h.type == CHUNK_ENTRIES && !streaming;
		streaming = h.type == CHUNK_ENTRIES || (streaming && h.type != CHUNK_STATE);
		h.difference = h.difference && h.type == CHUNK_STATE;
		put_chunk(p, h, &raw, &file);
	}
	play_bytes(&file);
	model_free(empty);
	packer_free(p);
	buf_free(&file);
	buf_free(&raw);
}

static void play_raw(struct fuzz_input *in)
{
	struct buf file = BUF_INIT;

	buf_add(&file, in->data, in->left);
	play_bytes(&file);
	buf_free(&file);
}

static void apply_delta(struct fuzz_input *in)
{
	size_t before_len, delta_len;
	const char *before = fuzz_bytes(in, 255, &before_len);
	const char *delta = fuzz_bytes(in, 255, &delta_len);
	struct buf out = BUF_INIT, made = BUF_INIT, back = BUF_INIT;

	if (line_delta_apply(before, before_len, delta, delta_len, 4096, &out))
		FUZZ_ASSERT(out.len <= 4096);
	/* What was made of any two texts can be applied. */
	line_delta_make(before, before_len, delta, delta_len, &made);
	FUZZ_ASSERT(line_delta_apply(before, before_len, made.data, made.len, delta_len, &back));
	FUZZ_ASSERT(back.len == delta_len && memcmp(buf_str(&back), delta, delta_len) == 0);
	buf_free(&out);
	buf_free(&made);
	buf_free(&back);
}

void fuzz_recording(const uint8_t *data, size_t size)
{
	struct fuzz_input in = { data, size };

	switch (fuzz_byte(&in) % 4) {
	case 0:
		play_raw(&in);
		break;
	case 1:
		apply_delta(&in);
		break;
	default:
		play_made(&in);
		break;
	}
}
