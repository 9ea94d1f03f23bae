#include "config.h"

#include "redis/parse.h"

#include <hiredis/hiredis.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

#define COMMAND_WORDS_MAX 3

/* By question; the master's name is added where has_arg. */
static const struct {
	const char *words[COMMAND_WORDS_MAX];
	bool has_arg;
} commands[ASK_COUNT] = {
	[ASK_INFO] = { { "INFO" }, false },
	[ASK_ROLE] = { { "ROLE" }, false },
	[ASK_SENTINEL_MYID] = { { "SENTINEL", "MYID" }, false },
	[ASK_SENTINEL_MASTERS] = { { "SENTINEL", "MASTERS" }, false },
	[ASK_SENTINEL_REPLICAS] = { { "SENTINEL", "REPLICAS" }, true },
	[ASK_SENTINEL_SENTINELS] = { { "SENTINEL", "SENTINELS" }, true },
	[ASK_SENTINEL_CKQUORUM] = { { "SENTINEL", "CKQUORUM" }, true },
	[ASK_SENTINEL_WATCHERS] = { { "PUBSUB", "NUMSUB", SENTINEL_HELLO_CHANNEL }, false },
	[ASK_SENTINEL_HELLO] = { { "SUBSCRIBE", SENTINEL_HELLO_CHANNEL }, false },
	[ASK_CLUSTER_INFO] = { { "CLUSTER", "INFO" }, false },
	[ASK_CLUSTER_NODES] = { { "CLUSTER", "NODES" }, false },
	[ASK_MESSAGE] = { { "PSUBSCRIBE", "*" }, false },
};

void command_append_argv(struct buf *out, int argc, const char *const *argv)
{
	char *bytes = NULL;
	/* int in hiredis 0.14, long long from 1.0 on */
	long long len = redisFormatCommandArgv(&bytes, argc, (const char **)argv, NULL);

	/* It fails for want of memory only: an allocation that big ends the program. */
	if (len < 0)
		mem_alloc(SIZE_MAX);
	buf_add(out, bytes, (size_t)len);
	/* It may be an AUTH. */
	for (volatile char *p = bytes; len > 0; len--)
		*p++ = 0;
	redisFreeCommand(bytes);
}

void command_append(struct buf *out, enum question q, const char *arg)
{
	static struct buf made[ASK_COUNT];
	const char *argv[COMMAND_WORDS_MAX + 1];
	int argc = 0;

	if ((unsigned)q >= ASK_COUNT || !commands[q].words[0])
		return;
	if (!commands[q].has_arg && made[q].len) {
		buf_add(out, made[q].data, made[q].len);
		return;
	}
	while (argc < COMMAND_WORDS_MAX && commands[q].words[argc]) {
		argv[argc] = commands[q].words[argc];
		argc++;
	}
	if (commands[q].has_arg)
		argv[argc++] = arg ? arg : "";
	if (commands[q].has_arg) {
		command_append_argv(out, argc, argv);
		return;
	}
	command_append_argv(&made[q], argc, argv);
	buf_add(out, made[q].data, made[q].len);
}
