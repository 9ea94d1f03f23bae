#include "config.h"

#include "captured.h"

/* What a server that is none, or a hostile one, says; and what is said of it. */
static void check_error(const char *bytes, size_t len, const char *expected)
{
	struct reply_reader *r = reader_new();
	const struct reply *reply;
	int got;

	reader_feed(r, bytes, len);
	while ((got = reader_next(r, &reply)) == 1)
		;
	assert_int_equal(got, -1);
	if (!strstr(reader_error(r), expected))
		fail_msg("\"%s\" is not in \"%s\"", expected, reader_error(r));
	/* It stays so, whatever comes. */
	reader_feed(r, "+OK\r\n", 5);
	assert_int_equal(reader_next(r, &reply), -1);
	reader_free(r);
}

static void all_types(void **state)
{
	static const char bytes[] = "*7\r\n$3\r\na\0b\r\n+OK\r\n-ERR no\r\n:-42\r\n$-1\r\n*-1\r\n"
				    "*2\r\n$0\r\n\r\n*0\r\n";

	(void)state;
	for (size_t step = 0; step < 8; step++) {
		struct reply_reader *reader = reader_new();
		const struct reply *r = NULL;

		assert_int_equal(captured_read(reader, bytes, sizeof(bytes) - 1, step, &r), 1);
		assert_int_equal(r->type, REPLY_ARRAY);
		assert_int_equal(r->element_count, 7);
		assert_int_equal(r->elements[0]->type, REPLY_STRING);
		assert_int_equal(r->elements[0]->len, 3);
		assert_memory_equal(r->elements[0]->str, "a\0b", 4);
		assert_true(r->elements[1]->type == REPLY_STATUS && reply_is(r->elements[1], "OK"));
		assert_false(reply_is(r->elements[1], "O"));
		assert_int_equal(r->elements[2]->type, REPLY_ERROR);
		assert_string_equal(r->elements[2]->str, "ERR no");
		assert_int_equal(r->elements[3]->integer, -42);
		assert_int_equal(r->elements[4]->type, REPLY_NIL);
		assert_int_equal(r->elements[5]->type, REPLY_NIL);
		assert_int_equal(r->elements[6]->element_count, 2);
		assert_int_equal(r->elements[6]->elements[0]->len, 0);
		assert_int_equal(r->elements[6]->elements[1]->element_count, 0);
		assert_int_equal(reader_next(reader, &r), 0);
		reader_free(reader);
	}
}

static void pipelined_and_interleaved(void **state)
{
	struct reply_reader *a = reader_new(), *b = reader_new();
	const struct reply *ra, *rb;

	(void)state;
	/* The tree of one reader must live while others read. */
	reader_feed(a, "$5\r\nhello\r\n+two\r\n$4\r\nha", 23);
	assert_int_equal(reader_next(a, &ra), 1);
	for (int i = 0; i < 10; i++) {
		reader_feed(b, "$5\r\nother\r\n", 11);
		assert_int_equal(reader_next(b, &rb), 1);
		assert_string_equal(rb->str, "other");
		assert_int_equal(reader_next(b, &rb), 0);
	}
	assert_string_equal(ra->str, "hello");
	assert_int_equal(reader_next(a, &ra), 1);
	assert_string_equal(ra->str, "two");
	assert_int_equal(reader_next(a, &ra), 0);
	reader_free(b);
	reader_feed(a, "lf\r\n", 4);
	assert_int_equal(reader_next(a, &ra), 1);
	assert_string_equal(ra->str, "half");
	reader_free(a);
	reader_free(NULL);
}

static void many_small_replies(void **state)
{
	struct reply_reader *r = reader_new();
	const struct reply *reply;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		reader_feed(r, ":1\r\n:2\r\n", 8);
		assert_int_equal(reader_next(r, &reply), 1);
		assert_int_equal(reader_next(r, &reply), 1);
		assert_int_equal(reply->integer, 2);
		assert_int_equal(reader_next(r, &reply), 0);
	}
	reader_free(r);
}

#define CHECK_ERROR(bytes, expected) check_error(bytes, sizeof(bytes) - 1, expected)

static void banners(void **state)
{
	(void)state;
	CHECK_ERROR("HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n",
		    "not a Redis server, it says \"HTTP/1.1 400 Bad Request\"");
	CHECK_ERROR("SSH-2.0-OpenSSH_9.2p1\r\n", "it says \"SSH-2.0-OpenSSH_9.2p1\"");
	CHECK_ERROR("\x15\x03\x01\x00\x02\x02\x46", "speaks TLS");
	CHECK_ERROR("\x1b[2J\x00\xff", "it says \"\\x1b[2J\\x00\\xff\"");
	CHECK_ERROR("+OK\r\n220 smtp\r\n", "it says \"220 smtp\"");
	CHECK_ERROR("*2\r\n+OK\r\nxyz\r\n", "protocol error: got \"x\"");
	CHECK_ERROR("*2\r\n+OK\r\n\x1b[m\r\n", "protocol error: got \"\\x");
#if !CAPTURED_HAS_RESP3
	CHECK_ERROR("%1\r\n+a\r\n+b\r\n", "a RESP3 reply (\"%\"), which needs hiredis 1.0");
#endif
}

static void limits_refuse_early(void **state)
{
	static const char *const counts[] = {
		"*2000000000\r\n", "*1048577\r\n", "*4294967295\r\n", "*4294967296\r\n:1\r\n",
		"*4294967297\r\n:1\r\n:2\r\n", "*99999999999999999999\r\n", "*-2\r\n",
	};

	(void)state;
	CHECK_ERROR("$500000000\r\n", "larger than 64 MB");
	CHECK_ERROR("*2\r\n+OK\r\n$67108865\r\nabc", "larger than 64 MB");
	CHECK_ERROR("$99999999999999999999\r\n", "");
	CHECK_ERROR("*2000000000\r\n", "more than 1048576 elements");
	/* Each array is small, all of them are not. */
	CHECK_ERROR("*1000\r\n*1048000\r\n", "more than 1048576 elements");
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct reply_reader *r = reader_new();
		const struct reply *reply;
		int got, replies = 0;

		/* 0.14 cuts 2^32 + 1 to 1: one reply too many at most, never a write out of bounds. */
		reader_feed(r, counts[i], strlen(counts[i]));
		while ((got = reader_next(r, &reply)) == 1)
			replies++;
		assert_true(got == -1 || replies <= 2);
		reader_free(r);
	}
}

static void depth_is_bounded(void **state)
{
	struct buf bytes = BUF_INIT;

	(void)state;
	for (int i = 0; i < 100000; i++)
		buf_addstr(&bytes, "*1\r\n");
	check_error(bytes.data, bytes.len, "nested");
	buf_free(&bytes);
	/* Seven arrays are within every version's bound. */
	struct reply_reader *r = reader_new();
	const struct reply *reply;

	for (int i = 0; i < 7; i++)
		reader_feed(r, "*1\r\n", 4);
	reader_feed(r, ":5\r\n", 4);
	assert_int_equal(reader_next(r, &reply), 1);
	for (int i = 0; i < 7; i++)
		reply = reply->elements[0];
	assert_int_equal(reply->integer, 5);
	reader_free(r);
}

static void endless_line(void **state)
{
	struct reply_reader *r = reader_new();
	char piece[8192];
	const struct reply *reply;
	size_t fed = 0;

	(void)state;
	memset(piece, 'x', sizeof(piece));
	reader_feed(r, "+", 1);
	while (reader_next(r, &reply) == 0 && fed < 1024 * 1024) {
		reader_feed(r, piece, sizeof(piece));
		fed += sizeof(piece);
	}
	assert_true(fed < 100000);
	assert_non_null(strstr(reader_error(r), "line longer than 64 kB"));
	reader_free(r);
}

static void too_many_bytes(void **state)
{
	struct reply_reader *r = reader_new();
	struct buf bulk = BUF_INIT;
	const struct reply *reply;
	size_t fed = 0;
	int got = 0;

	(void)state;
	/* Bulk strings of 1 MB, none of which is too long, in an array that is. */
	buf_addstr(&bulk, "$1048576\r\n");
	for (int i = 0; i < 1024 * 1024; i++)
		buf_addch(&bulk, 'x');
	buf_addstr(&bulk, "\r\n");
	reader_feed(r, "*1000\r\n", 7);
	while ((got = reader_next(r, &reply)) == 0 && fed < 100u * 1024 * 1024) {
		reader_feed(r, bulk.data, bulk.len);
		fed += bulk.len;
	}
	assert_int_equal(got, -1);
	assert_true(fed <= REPLY_MAX_BYTES + 2 * bulk.len);
	assert_non_null(strstr(reader_error(r), "larger than 64 MB"));
	reader_free(r);
	/* A large one within the bound is whole, and the next reader starts small and well. */
	r = reader_new();
	reader_feed(r, bulk.data, bulk.len);
	assert_int_equal(reader_next(r, &reply), 1);
	assert_int_equal(reply->len, 1024 * 1024);
	assert_int_equal(reader_next(r, &reply), 0);
	reader_feed(r, "+OK\r\n", 5);
	assert_int_equal(reader_next(r, &reply), 1);
	assert_true(reply_is(reply, "OK"));
	reader_free(r);
	buf_free(&bulk);
}

/* Nothing that comes may read or write out of bounds: the sanitizers are the judges. */
static void noise(void **state)
{
	static const char letters[] = "*$+-:%~=>_#,(0123456789\r\n\r\n\r\na";
	uint32_t seed = 7;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		struct reply_reader *r = reader_new();
		const struct reply *reply;
		char bytes[64];

		for (size_t i = 0; i < sizeof(bytes); i++) {
			seed = seed * 1664525u + 1013904223u;
			bytes[i] = letters[(seed >> 16) % (sizeof(letters) - 1)];
		}
		bytes[0] = '*';
		for (size_t i = 0; i < sizeof(bytes); i += 16) {
			reader_feed(r, bytes + i, 16);
			while (reader_next(r, &reply) == 1)
				;
		}
		reader_free(r);
	}
}

static void check_classify(const char *text, enum server_error expected)
{
	if (error_classify(text, strlen(text)) != expected)
		fail_msg("\"%s\" is not class %d", text, expected);
}

static void errors_have_classes(void **state)
{
	(void)state;
	check_classify("NOAUTH Authentication required.", ERROR_NOAUTH);
	check_classify("NOAUTH HELLO must be called with the client already authenticated",
		       ERROR_NOAUTH);
	check_classify("WRONGPASS invalid username-password pair or user is disabled.",
		       ERROR_WRONGPASS);
	check_classify("ERR invalid password", ERROR_WRONGPASS);
	check_classify("ERR AUTH <password> called without any password configured for the default "
		       "user. Are you sure your configuration is correct?", ERROR_NO_PASSWORD_SET);
	check_classify("ERR Client sent AUTH, but no password is set", ERROR_NO_PASSWORD_SET);
	check_classify("NOPERM this user has no permissions to run the 'info' command",
		       ERROR_NOPERM);
	check_classify("LOADING Redis is loading the dataset in memory", ERROR_LOADING);
	check_classify("BUSY Redis is busy running a script.", ERROR_BUSY);
	check_classify("BUSYGROUP Consumer Group name already exists", ERROR_OTHER);
	check_classify("MASTERDOWN Link with MASTER is down", ERROR_MASTERDOWN);
	check_classify("READONLY You can't write against a read only replica.", ERROR_READONLY);
	check_classify("CLUSTERDOWN The cluster is down", ERROR_CLUSTERDOWN);
	check_classify("INPROG Failover already in progress", ERROR_INPROG);
	check_classify("ERR FAILOVER already in progress.", ERROR_INPROG);
	check_classify("NOGOODSLAVE No suitable replica to promote", ERROR_NOGOODSLAVE);
	check_classify("NOGOODPRIMARY Primary does not support FAILOVER command",
		       ERROR_NOGOODSLAVE);
	check_classify("NOQUORUM 1 usable Sentinels. ", ERROR_NOQUORUM);
	check_classify("ERR unknown command 'GET', with args beginning with: 'foo' ",
		       ERROR_UNKNOWN_COMMAND);
	check_classify("ERR unknown subcommand 'X'. Try SENTINEL HELP.", ERROR_UNKNOWN_COMMAND);
	check_classify("ERR Unknown sentinel subcommand 'myid'", ERROR_UNKNOWN_COMMAND);
	check_classify("DENIED Redis is running in protected mode", ERROR_DENIED);
	check_classify("ERR max number of clients reached", ERROR_MAXCLIENTS);
	check_classify("ERR No such master with that name", ERROR_OTHER);
	check_classify("ERR", ERROR_OTHER);
	check_classify("", ERROR_OTHER);
}

static void check_command(enum question q, const char *arg, const char *expected)
{
	struct buf out = BUF_INIT;

	for (int i = 0; i < 2; i++) {
		buf_reset(&out);
		command_append(&out, q, arg);
		assert_string_equal(buf_str(&out), expected);
	}
	buf_free(&out);
}

static void commands(void **state)
{
	static const char *const auth[] = { "AUTH", "", "p w" };
	struct buf out = BUF_INIT;

	(void)state;
	check_command(ASK_INFO, NULL, "*1\r\n$4\r\nINFO\r\n");
	check_command(ASK_CLUSTER_NODES, NULL, "*2\r\n$7\r\nCLUSTER\r\n$5\r\nNODES\r\n");
	check_command(ASK_SENTINEL_CKQUORUM, "my master",
		      "*3\r\n$8\r\nSENTINEL\r\n$8\r\nCKQUORUM\r\n$9\r\nmy master\r\n");
	check_command(ASK_SENTINEL_REPLICAS, "a\r\nb",
		      "*3\r\n$8\r\nSENTINEL\r\n$8\r\nREPLICAS\r\n$4\r\na\r\nb\r\n");
	check_command(ASK_MESSAGE, NULL, "*2\r\n$10\r\nPSUBSCRIBE\r\n$1\r\n*\r\n");
	check_command(ASK_LINK, NULL, "");
	command_append_argv(&out, 3, auth);
	assert_string_equal(out.data, "*3\r\n$4\r\nAUTH\r\n$0\r\n\r\n$3\r\np w\r\n");
	buf_free(&out);
}

static void check_malformed(enum question q, const char *resp, const char *expected)
{
	struct parser *p = parser_new();
	struct observation obs = captured_parse_text(p, resp, q);

	assert_int_equal(obs.answer, ANSWER_MALFORMED);
	assert_string_equal(obs.text, expected);
	parser_free(p);
}

static void wrong_shapes_are_named(void **state)
{
	(void)state;
	check_malformed(ASK_SENTINEL_MASTERS, "+OK\r\n", "expected an array of maps, got a status");
	check_malformed(ASK_SENTINEL_MASTERS, "*1\r\n:1\r\n",
			"expected an array of maps, got an integer in it");
	check_malformed(ASK_SENTINEL_REPLICAS, "*1\r\n*1\r\n+x\r\n",
			"expected maps of strings with ip and port, got another");
	check_malformed(ASK_INFO, "*0\r\n", "expected INFO text, got an array");
	check_malformed(ASK_INFO, "$5\r\nhello\r\n",
			"expected INFO text, got a string without any known line");
	check_malformed(ASK_ROLE, "$-1\r\n",
			"expected an array that begins with a role, got nil");
	check_malformed(ASK_ROLE, "*5\r\n$5\r\nslave\r\n:1\r\n:1\r\n:1\r\n:1\r\n",
			"expected an array that begins with a role, got an array of another kind");
	check_malformed(ASK_SENTINEL_MYID, "$2\r\nab\r\n",
			"expected an id of 40 characters, got a string of 2");
	check_malformed(ASK_CLUSTER_NODES, ":1\r\n", "expected CLUSTER NODES text, got an integer");
	check_malformed(ASK_CLUSTER_INFO, "+x\r\n",
			"expected CLUSTER INFO text, got a string without cluster_state");
	check_malformed(ASK_MESSAGE, "*3\r\n+pong\r\n+\r\n+\r\n",
			"expected a pub/sub message, got an array");
	check_malformed(ASK_LINK, "+OK\r\n", "expected nothing, got a status");
}

static void assert_same_tree(const struct reply *a, const struct reply *b)
{
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->integer, b->integer);
	assert_int_equal(a->len, b->len);
	if (a->str)
		assert_memory_equal(a->str, b->str, a->len + 1);
	assert_int_equal(a->element_count, b->element_count);
	for (size_t i = 0; i < a->element_count; i++)
		assert_same_tree(a->elements[i], b->elements[i]);
}

/* Reads a reply, writes it, and reads that. */
static void assert_encoded(const char *bytes, size_t len, bool same_bytes)
{
	struct reply_reader *one = reader_new(), *two = reader_new();
	const struct reply *a, *b;
	struct buf out = BUF_INIT;

	reader_feed(one, bytes, len);
	assert_int_equal(reader_next(one, &a), 1);
	assert_true(reader_is_empty(one));
	reply_encode(a, &out);
	if (same_bytes) {
		assert_int_equal(out.len, len);
		assert_memory_equal(out.data, bytes, len);
	}
	reader_feed(two, out.data, out.len);
	assert_false(reader_is_empty(two));
	assert_int_equal(reader_next(two, &b), 1);
	assert_true(reader_is_empty(two));
	assert_same_tree(a, b);
	buf_free(&out);
	reader_free(one);
	reader_free(two);
}

static void encoded_again(void **state)
{
	static const char all[] = "*8\r\n$3\r\na\0b\r\n+OK\r\n-ERR no\r\n:-42\r\n$-1\r\n"
				  "*2\r\n$0\r\n\r\n*0\r\n:0\r\n+a\rb\r\n";
	static const char *const files[] = {
		"cluster-7.0.15-info.resp",  "cluster-7.0.15-links.resp",   "cluster-7.0.15-nodes.resp",
		"cluster-7.0.15-slots.resp", "sentinel-7.0.15-masters.resp", "sentinel-8.0.6-replicas.resp",
		"sentinel-valkey-9.1.2-sentinels.resp",
#if CAPTURED_HAS_RESP3
		"cluster-7.0.15-info-resp3.resp", "cluster-valkey-9.1.2-shards-resp3.resp",
		"cluster-valkey-9.1.2-links-resp3.resp",
#endif
	};

	(void)state;
	assert_encoded(all, sizeof(all) - 1, true);
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct buf bytes = captured_load(files[i]);

		assert_encoded(bytes.data, bytes.len, !strstr(files[i], "resp3"));
		buf_free(&bytes);
	}
}

static void refusals_and_actions(void **state)
{
	struct parser *p = parser_new();
	struct observation obs = captured_parse_text(p, "-NOAUTH Authentication \x1b[m\r\n", ASK_INFO);

	(void)state;
	assert_int_equal(obs.answer, ANSWER_REFUSED);
	assert_int_equal(obs.error, ERROR_NOAUTH);
	assert_string_equal(obs.text, "NOAUTH Authentication \\x1b[m");
	obs = captured_parse_text(p, "+OK\x1b\r\n", ASK_ACTION);
	assert_int_equal(obs.answer, ANSWER_OK);
	assert_string_equal(obs.text, "OK\\x1b");
	obs = captured_parse_text(p, "-INPROG Failover already in progress\r\n", ASK_ACTION);
	assert_int_equal(obs.answer, ANSWER_REFUSED);
	assert_int_equal(obs.error, ERROR_INPROG);
	obs = captured_parse_text(p, ":3\r\n", ASK_ACTION);
	assert_string_equal(obs.text, "3");
	parser_free(p);
}

static void roles(void **state)
{
	struct parser *p = parser_new();
	struct observation obs;

	(void)state;
	obs = captured_parse_text(p, "*3\r\n$6\r\nmaster\r\n:42\r\n*0\r\n", ASK_ROLE);
	assert_int_equal(obs.answer, ANSWER_OK);
	assert_int_equal(obs.u.role->role, ROLE_MASTER);
	assert_int_equal(obs.u.role->offset, 42);
	obs = captured_parse_text(p, "*5\r\n$5\r\nslave\r\n$3\r\n::1\r\n:6379\r\n$10\r\nconnecting\r\n:-1\r\n",
				  ASK_ROLE);
	assert_int_equal(obs.u.role->role, ROLE_REPLICA);
	assert_string_equal(obs.u.role->master.host, "::1");
	assert_int_equal(obs.u.role->master.port, 6379);
	assert_string_equal(obs.u.role->state, "connecting");
	assert_int_equal(obs.u.role->offset, -1);
	obs = captured_parse_text(p, "*2\r\n$8\r\nsentinel\r\n*1\r\n$1\r\nm\r\n", ASK_ROLE);
	assert_int_equal(obs.u.role->role, ROLE_SENTINEL);
	assert_int_equal(obs.u.role->offset, FACT_UNKNOWN);
	obs = captured_parse_text(p, "$40\r\n0123456789012345678901234567890123456789\r\n",
				  ASK_SENTINEL_MYID);
	assert_int_equal(obs.answer, ANSWER_OK);
	assert_string_equal(obs.u.myid, "0123456789012345678901234567890123456789");
	parser_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_types),
		cmocka_unit_test(pipelined_and_interleaved),
		cmocka_unit_test(many_small_replies),
		cmocka_unit_test(banners),
		cmocka_unit_test(limits_refuse_early),
		cmocka_unit_test(depth_is_bounded),
		cmocka_unit_test(endless_line),
		cmocka_unit_test(too_many_bytes),
		cmocka_unit_test(noise),
		cmocka_unit_test(errors_have_classes),
		cmocka_unit_test(commands),
		cmocka_unit_test(wrong_shapes_are_named),
		cmocka_unit_test(encoded_again),
		cmocka_unit_test(refusals_and_actions),
		cmocka_unit_test(roles),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
