#include "config.h"

#include "app/demo_load.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>

#include "app/demo_servers.h"
#include "base/clock.h"

#define TICK_MS     50
#define ANSWER_MS   100
#define AWAY_MS     1000 /* before a node that failed, hangs or is no master is tried again */
#define MAX_BATCH   6
#define WAVE_TICKS  400  /* the load rises and falls in 20 s, so that graphs move */
#define VALUE_BYTES 1500
#define KEY_NUMBERS 2000
#define TAG_COUNT   8
#define TAG_BYTES   8

struct target {
	redisContext *link;
	int64_t away_until_ms;
};

struct load {
	const struct demo_plan *plan;
	struct target targets[DEMO_MAX_NODES];
	char tags[DEMO_SHARDS][TAG_COUNT][TAG_BYTES]; /* hash tags whose slot is in the shard */
	char value[VALUE_BYTES];
	unsigned tick;
	uint32_t seed;
};

/* CRC-16/XMODEM, which the cluster specification takes for key slots. */
static unsigned crc16(const char *s)
{
	unsigned crc = 0;

	for (; *s; s++) {
		crc ^= (unsigned)(unsigned char)*s << 8;
		for (int bit = 0; bit < 8; bit++)
			crc = (crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1) & 0xffff;
	}
	return crc;
}

static void find_tags(struct load *load)
{
	size_t found[DEMO_SHARDS] = { 0 };

	for (unsigned i = 0; i < 1000; i++) {
		char tag[TAG_BYTES];
		unsigned shard;

		snprintf(tag, sizeof tag, "t%u", i);
		shard = crc16(tag) % DEMO_SLOTS * DEMO_SHARDS / DEMO_SLOTS;
		if (found[shard] < TAG_COUNT)
			memcpy(load->tags[shard][found[shard]++], tag, sizeof tag);
	}
}

static uint32_t next_random(struct load *load)
{
	load->seed = load->seed * 1664525u + 1013904223u;
	return load->seed >> 8;
}

static void go_away(struct target *target, bool drop)
{
	if (drop && target->link) {
		redisFree(target->link);
		target->link = NULL;
	}
	target->away_until_ms = clock_mono_ms() + AWAY_MS;
}

static bool open_link(const struct load *load, const struct demo_node *node, struct target *target)
{
	struct timeval wait = { .tv_usec = ANSWER_MS * 1000 };
	redisReply *reply;
	bool ok;

	target->link = redisConnectWithTimeout("127.0.0.1", node->port, wait);
	if (!target->link || target->link->err || redisSetTimeout(target->link, wait) != REDIS_OK)
		return false;
	reply = redisCommand(target->link, "AUTH %s", demo_node_password(load->plan, node));
	ok = reply && reply->type == REDIS_REPLY_STATUS;
	freeReplyObject(reply);
	return ok;
}

static void append_write(struct load *load, const struct demo_node *node, redisContext *link)
{
	char key[48];
	size_t bytes = 16 + next_random(load) % 200;
	unsigned number = next_random(load) % KEY_NUMBERS;

	/* One in sixteen is large: not all traffic is alike. */
	if (next_random(load) % 16 == 0)
		bytes += next_random(load) % (VALUE_BYTES - 216);
	if (node->shard >= 0)
		snprintf(key, sizeof key, "demo:{%s}:%u",
			 load->tags[node->shard][next_random(load) % TAG_COUNT], number);
	else
		snprintf(key, sizeof key, "demo:%u", number);
	redisAppendCommand(link, "SET %s %b EX %u", key, load->value, bytes,
			   30 + next_random(load) % 90);
}

static void write_batch(struct load *load, const struct demo_node *node, struct target *target)
{
	unsigned phase = load->tick % WAVE_TICKS;
	unsigned rise = phase < WAVE_TICKS / 2 ? phase : WAVE_TICKS - phase;
	unsigned count = 1 + rise * (MAX_BATCH - 1) / (WAVE_TICKS / 2);
	bool refused = false;

	for (unsigned i = 0; i < count; i++)
		append_write(load, node, target->link);
	for (unsigned i = 0; i < count; i++) {
		void *reply = NULL;

		if (redisGetReply(target->link, &reply) != REDIS_OK) {
			go_away(target, true);
			return;
		}
		refused |= ((redisReply *)reply)->type == REDIS_REPLY_ERROR;
		freeReplyObject(reply);
	}
	/* READONLY, MOVED, LOADING, CLUSTERDOWN: not the one to write to at present. */
	if (refused)
		go_away(target, false);
}

static void serve_target(struct load *load, size_t i)
{
	const struct demo_node *node = &load->plan->nodes[i];
	struct target *target = &load->targets[i];

	if (node->role == DEMO_ROLE_SENTINEL || clock_mono_ms() < target->away_until_ms)
		return;
	if (!target->link && !open_link(load, node, target)) {
		go_away(target, true);
		return;
	}
	write_batch(load, node, target);
}

_Noreturn void demo_load_run(const struct demo_plan *plan)
{
	static struct load load;
	const struct timespec tick = { .tv_nsec = TICK_MS * 1000000L };

	load.plan = plan;
	load.seed = 1;
	memset(load.value, 'x', sizeof load.value);
	find_tags(&load);
	for (;;) {
		for (size_t i = 0; i < plan->node_count; i++)
			serve_target(&load, i);
		load.tick++;
		nanosleep(&tick, NULL);
	}
}
