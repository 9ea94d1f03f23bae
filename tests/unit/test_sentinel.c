#include "config.h"

#include "captured.h"
#include "redis/sentinel.h"

static const struct sentinel_list *parse_list(struct parser *p, const char *version, const char *kind,
					      enum question q, size_t step, size_t count)
{
	char file[64];
	struct observation obs;

	snprintf(file, sizeof(file), "sentinel-%s-%s.resp", version, kind);
	obs = captured_parse(p, file, q, step);
	if (obs.answer != ANSWER_OK)
		fail_msg("%s: %s", file, obs.text);
	assert_int_equal(obs.u.list->count, count);
	return obs.u.list;
}

/* What differs between the captures; the rest is alike. */
static const struct {
	const char *version, *run_id;
	int64_t ok_ping, info_refresh, role_time;
	const char *replica_run_id;
	int64_t offset, announced;
} captures[] = {
	{ "6.0.20", "1a4612bf92a806a9ba2707d521881688b3e5f094", 47, 5736, 15814,
	  "92fd9b0503551e83b4149a10b73cdad43dbe8191", 1645, FACT_UNKNOWN },
	{ "7.0.15", "1446d2d4a2cb5a0b11ae81324a373a98dd7a7e4d", 70, 3438, 13478,
	  "1968bd13e56a8d841054af7abcdebf04c13bfa48", -1, 1 },
	{ "8.0.6", "051f2767fcc54a36be5337a412e2e2f2cef3b419", 996, 3475, 13498, NULL, -1, 1 },
	{ "valkey-8.0.1", "3da5f4aeef7caf36eee96884e636aeb1bc2d01a4", 27, 5462, 15527,
	  "f63aacc872755e228c0cad1865caddc5a14aaac9", 1645, 1 },
	{ "valkey-9.1.2", "9851dac341bed77937effe96ec557a6222cdb0e7", 0, 3448, 13501,
	  "b4d21f0ffb66a7c47f9ae26415cb790f489d7398", 27749, 1 },
};
#define CAPTURES (sizeof(captures) / sizeof(captures[0]))

static void captured_masters(void **state)
{
	struct parser *p = parser_new();

	(void)state;
	for (size_t i = 0; i < 2 * CAPTURES; i++) {
		const struct sentinel_instance *m =
		    parse_list(p, captures[i / 2].version, "masters", ASK_SENTINEL_MASTERS, i % 2, 1)->items;

		assert_string_equal(m->name, "mymaster");
		assert_string_equal(m->addr.host, "127.0.0.1");
		assert_int_equal(m->addr.port, 21001);
		assert_string_equal(m->run_id, captures[i / 2].run_id);
		assert_int_equal(m->flags, SFLAG_MASTER);
		assert_int_equal(m->last_ping_sent_ms, 0);
		assert_int_equal(m->last_ok_ping_reply_ms, captures[i / 2].ok_ping);
		assert_int_equal(m->last_ping_reply_ms, captures[i / 2].ok_ping);
		assert_int_equal(m->s_down_time_ms, FACT_UNKNOWN);
		assert_int_equal(m->o_down_time_ms, FACT_UNKNOWN);
		assert_int_equal(m->down_after_ms, 5000);
		assert_int_equal(m->info_refresh_ms, captures[i / 2].info_refresh);
		assert_int_equal(m->role_reported, ROLE_MASTER);
		assert_int_equal(m->role_reported_time_ms, captures[i / 2].role_time);
		assert_int_equal(m->config_epoch, 0);
		assert_int_equal(m->num_slaves, 2);
		assert_int_equal(m->num_other_sentinels, 2);
		assert_int_equal(m->quorum, 2);
		assert_int_equal(m->failover_timeout_ms, 60000);
		assert_int_equal(m->parallel_syncs, 1);
		assert_string_equal(m->failover_state, "");
		assert_int_equal(m->priority, FACT_UNKNOWN);
		assert_int_equal(m->master_link_ok, FACT_UNKNOWN);
		assert_false(endpoint_is_set(&m->master));
	}
	parser_free(p);
}

static void captured_replicas(void **state)
{
	struct parser *p = parser_new();

	(void)state;
	for (size_t i = 0; i < 2 * CAPTURES; i++) {
		const struct sentinel_list *list = parse_list(
		    p, captures[i / 2].version, "replicas", ASK_SENTINEL_REPLICAS, i % 2, 2);
		unsigned ports = 0;

		for (size_t k = 0; k < 2; k++) {
			const struct sentinel_instance *r = &list->items[k];
			char name[ENDPOINT_TEXT_BYTES];

			ports += r->addr.port;
			assert_string_equal(r->name, endpoint_format(&r->addr, name));
			assert_int_equal(r->flags, SFLAG_SLAVE);
			assert_int_equal(r->role_reported, ROLE_REPLICA);
			assert_int_equal(r->master_link_down_time_ms, 0);
			assert_int_equal(r->master_link_ok, 1);
			assert_string_equal(r->master.host, "127.0.0.1");
			assert_int_equal(r->master.port, 21001);
			assert_int_equal(r->priority, 100);
			assert_int_equal(r->replica_announced, captures[i / 2].announced);
			assert_true(r->repl_offset > 0);
			assert_int_equal(r->quorum, FACT_UNKNOWN);
			if (r->addr.port != 21002 || !captures[i / 2].replica_run_id)
				continue;
			assert_string_equal(r->run_id, captures[i / 2].replica_run_id);
			if (captures[i / 2].offset >= 0)
				assert_int_equal(r->repl_offset, captures[i / 2].offset);
		}
		assert_int_equal(ports, 21002 + 21003);
	}
	parser_free(p);
}

static void captured_sentinels(void **state)
{
	struct parser *p = parser_new();

	(void)state;
	for (size_t i = 0; i < 2 * CAPTURES; i++) {
		const struct sentinel_list *list = parse_list(
		    p, captures[i / 2].version, "sentinels", ASK_SENTINEL_SENTINELS, i % 2, 2);

		assert_int_equal(list->items[0].addr.port + list->items[1].addr.port, 26002 + 26003);
		for (size_t k = 0; k < 2; k++) {
			const struct sentinel_instance *s = &list->items[k];

			assert_string_equal(s->name, s->run_id);
			assert_int_equal(strlen(s->run_id), 40);
			assert_int_equal(s->flags, SFLAG_SENTINEL);
			assert_true(s->last_hello_message_ms >= 0 && s->last_hello_message_ms < 5000);
			assert_string_equal(s->voted_leader, "");
			assert_int_equal(s->voted_leader_epoch, 0);
			assert_int_equal(s->role_reported, ROLE_UNKNOWN);
		}
	}
	parser_free(p);
}

/* Asked for its id: Sentinels before 6.2 know no such command. */
static void captured_myid(void **state)
{
	struct parser *p = parser_new();
	struct observation obs = captured_parse(p, "sentinel-valkey-8.0.1-myid.resp", ASK_SENTINEL_MYID, 1);

	(void)state;
	assert_int_equal(obs.answer, ANSWER_OK);
	assert_string_equal(obs.u.myid, "007540b4a73c02fca43266462024a19a18b44d93");
	obs = captured_parse(p, "sentinel-6.0.20-myid.resp", ASK_SENTINEL_MYID, 1);
	assert_int_equal(obs.answer, ANSWER_REFUSED);
	assert_int_equal(obs.error, ERROR_UNKNOWN_COMMAND);
	parser_free(p);
}

static void odd_instances(void **state)
{
	struct parser *p = parser_new();
	const struct sentinel_instance *s;
	struct observation obs = captured_parse_text(
	    p, "*1\r\n*24\r\n+name\r\n+::1:6380\r\n+ip\r\n+::1\r\n+port\r\n+6380\r\n+future\r\n*1\r\n:1\r\n"
	       "+flags\r\n+s_down,o_down,replica,disconnected,reconf_inprog,who_knows\r\n"
	       "+master-host\r\n+?\r\n+master-port\r\n+0\r\n+master-link-down-time\r\n+-1000\r\n"
	       "+master-link-status\r\n+err\r\n+slave-priority\r\n:5\r\n+s-down-time\r\n+77\r\n"
	       "+runid\r\n+\r\n",
	    ASK_SENTINEL_REPLICAS);

	(void)state;
	assert_int_equal(obs.answer, ANSWER_OK);
	s = &obs.u.list->items[0];
	assert_string_equal(s->addr.host, "::1");
	assert_int_equal(s->flags, SFLAG_S_DOWN | SFLAG_O_DOWN | SFLAG_SLAVE | SFLAG_DISCONNECTED |
				       SFLAG_RECONF_INPROG);
	assert_false(endpoint_is_set(&s->master));
	assert_int_equal(s->master_link_down_time_ms, -1000);
	assert_int_equal(s->master_link_ok, 0);
	assert_int_equal(s->priority, FACT_UNKNOWN); /* no string: passed over */
	assert_int_equal(s->s_down_time_ms, 77);
	assert_string_equal(s->run_id, "");
	obs = captured_parse_text(p, "*0\r\n", ASK_SENTINEL_REPLICAS);
	assert_int_equal(obs.answer, ANSWER_OK);
	assert_int_equal(obs.u.list->count, 0);
	obs = captured_parse_text(p, "*1\r\n*3\r\n+ip\r\n+h\r\n+port\r\n", ASK_SENTINEL_REPLICAS);
	assert_int_equal(obs.answer, ANSWER_MALFORMED);
	obs = captured_parse_text(p, "*1\r\n*4\r\n+ip\r\n+h\r\n+port\r\n+0\r\n", ASK_SENTINEL_REPLICAS);
	assert_int_equal(obs.answer, ANSWER_MALFORMED);
	parser_free(p);
}

static void quorum_words(void **state)
{
	struct parser *p = parser_new();
	struct observation obs = captured_parse_text(
	    p, "+OK 3 usable Sentinels. Quorum and failover authorization can be reached\r\n",
	    ASK_SENTINEL_CKQUORUM);

	(void)state;
	assert_int_equal(obs.answer, ANSWER_OK);
	assert_true(obs.u.ckquorum->ok);
	assert_int_equal(obs.u.ckquorum->usable, 3);
	assert_string_equal(obs.u.ckquorum->message,
			    "OK 3 usable Sentinels. Quorum and failover authorization can be reached");
	obs = captured_parse_text(p, "-NOQUORUM 1 usable Sentinels. Not enough available Sentinels to reach "
				     "the majority and authorize a failover\r\n", ASK_SENTINEL_CKQUORUM);
	assert_int_equal(obs.answer, ANSWER_OK);
	assert_int_equal(obs.error, ERROR_NONE);
	assert_false(obs.u.ckquorum->ok);
	assert_int_equal(obs.u.ckquorum->usable, 1);
	obs = captured_parse_text(p, "-ERR No such master with that name\r\n", ASK_SENTINEL_CKQUORUM);
	assert_int_equal(obs.answer, ANSWER_REFUSED);
	assert_string_equal(obs.text, "ERR No such master with that name");
	obs = captured_parse_text(p, "+OK\r\n", ASK_SENTINEL_CKQUORUM);
	assert_int_equal(obs.u.ckquorum->usable, FACT_UNKNOWN);
	obs = captured_parse_text(p, "*0\r\n", ASK_SENTINEL_CKQUORUM);
	assert_int_equal(obs.answer, ANSWER_MALFORMED);
	parser_free(p);
}

/* One message and what is understood of it: type|name|address|master name|master|detail. */
static void check_message(const char *channel, const char *payload, const char *expected)
{
	char addr[ENDPOINT_TEXT_BYTES], master[ENDPOINT_TEXT_BYTES];
	struct sentinel_message m;
	struct buf got = BUF_INIT;
	size_t len = strlen(payload);
	char *exact = malloc(len ? len : 1);

	memcpy(exact, payload, len);
	sentinel_message_parse(&m, channel, strlen(channel), exact, len);
	assert_string_equal(m.channel, channel);
	buf_addf(&got, "%s|%s|%s|%s|%s|%s", m.instance_type, m.name, endpoint_format(&m.addr, addr),
		 m.master_name, endpoint_format(&m.master, master), m.detail);
	assert_string_equal(got.data, expected);
	buf_free(&got);
	free(exact);
}

static void message_shapes(void **state)
{
	(void)state;
	check_message("+sdown", "master mymaster 127.0.0.1 21001",
		      "master|mymaster|127.0.0.1:21001|mymaster|127.0.0.1:21001|");
	check_message("+sdown", "master my big cache 10.0.0.1 6379",
		      "master|my big cache|10.0.0.1:6379|my big cache|10.0.0.1:6379|");
	check_message("+odown", "master my cache ::1 6379 #quorum 3/2",
		      "master|my cache|[::1]:6379|my cache|[::1]:6379|#quorum 3/2");
	check_message("+monitor", "master mymaster host.example 6379 quorum 2",
		      "master|mymaster|host.example:6379|mymaster|host.example:6379|quorum 2");
	/* Names that look like what follows a name. */
	check_message("+monitor", "master quorum 7 quorum 10.0.0.1 6379 quorum 2",
		      "master|quorum 7 quorum|10.0.0.1:6379|quorum 7 quorum|10.0.0.1:6379|quorum 2");
	check_message("+sdown", "master a @ b 10.0.0.1 6379",
		      "master|a @ b|10.0.0.1:6379|a @ b|10.0.0.1:6379|");
	check_message("+sdown", "master 10.0.0.9 1 10.0.0.1 6379",
		      "master|10.0.0.9 1|10.0.0.1:6379|10.0.0.9 1|10.0.0.1:6379|");
	check_message("-role-change", "master m h 21002 new reported role is slave",
		      "master|m|h:21002|m|h:21002|new reported role is slave");
	check_message("+sentinel-address-switch", "master m 1.2.3.4 6379 ip 1.2.3.5 port 26379 for abc",
		      "master|m|1.2.3.4:6379|m|1.2.3.4:6379|ip 1.2.3.5 port 26379 for abc");
	check_message("-dup-sentinel", "master m 1.2.3.4 6379 #duplicate of 1.2.3.5:26379 or abc",
		      "master|m|1.2.3.4:6379|m|1.2.3.4:6379|#duplicate of 1.2.3.5:26379 or abc");
	check_message("+slave", "slave 127.0.0.1:21003 127.0.0.1 21003 @ my master 127.0.0.1 21001",
		      "slave|127.0.0.1:21003|127.0.0.1:21003|my master|127.0.0.1:21001|");
	check_message("+slave", "replica [::1]:1 ::1 1 @ m fe80::1 2",
		      "slave|[::1]:1|[::1]:1|m|[fe80::1]:2|");
	check_message("+role-change", "slave a:1 a 1 @ m b 2 new reported role is slave",
		      "slave|a:1|a:1|m|b:2|new reported role is slave");
	check_message("+sdown", "primary m 1.2.3.4 1", "master|m|1.2.3.4:1|m|1.2.3.4:1|");
	check_message("+sentinel", "sentinel d0720514 127.0.0.1 26003 @ mymaster 127.0.0.1 21001",
		      "sentinel|d0720514|127.0.0.1:26003|mymaster|127.0.0.1:21001|");
	check_message("+sentinel-address-update",
		      "sentinel d07 h 26003 @ mymaster host 21001 3 additional matching instances",
		      "sentinel|d07|h:26003|mymaster|host:21001|3 additional matching instances");
	/* A tail of the future. */
	check_message("+brand-new", "master m 1.2.3.4 6379 because of 9",
		      "master|m|1.2.3.4:6379|m|1.2.3.4:6379|because of 9");
}

static void message_without_instance(void **state)
{
	struct sentinel_message m;
	char out[ENDPOINT_TEXT_BYTES];
	static const char vote[] = "d0720514b8dc3eaa2da1927eb79dcc6554ecd4b0 7";
	static const char switched[] = "my master 127.0.0.1 21001 ::1 21002";

	(void)state;
	sentinel_message_parse(&m, "+new-epoch", 10, "12", 2);
	assert_int_equal(m.epoch, 12);
	assert_string_equal(m.detail, "");
	sentinel_message_parse(&m, "+vote-for-leader", 16, vote, sizeof(vote) - 1);
	assert_int_equal(m.epoch, 7);
	assert_string_equal(m.run_id, "d0720514b8dc3eaa2da1927eb79dcc6554ecd4b0");
	sentinel_message_parse(&m, "+switch-master", 14, switched, sizeof(switched) - 1);
	assert_string_equal(m.master_name, "my master");
	assert_string_equal(endpoint_format(&m.master, out), "127.0.0.1:21001");
	assert_string_equal(endpoint_format(&m.new_master, out), "[::1]:21002");
	assert_int_equal(m.epoch, FACT_UNKNOWN);
	/* Not understood, or nothing to understand: all of it is in detail. */
	check_message("+tilt", "#tilt mode entered", "||?||?|#tilt mode entered");
	check_message("-script-error", "/usr/local/bin/notify 0 1", "||?||?|/usr/local/bin/notify 0 1");
	check_message("+new-epoch", "x", "||?||?|x");
	check_message("+vote-for-leader", "abc", "||?||?|abc");
	check_message("+switch-master", "m 1.2.3.4 1 5.6.7.8", "||?||?|m 1.2.3.4 1 5.6.7.8");
	check_message("+switch-master", "1.2.3.4 1 5.6.7.8 2", "||?||?|1.2.3.4 1 5.6.7.8 2");
	check_message("+sdown", "master", "||?||?|master");
	check_message("+sdown", "master m", "||?||?|master m");
	check_message("+sdown", "slave a:1 a 1 m b 2", "||?||?|slave a:1 a 1 m b 2");
	check_message("+sdown", "slave a:1 a 0 @ m b 2", "||?||?|slave a:1 a 0 @ m b 2");
	check_message("+sdown", "", "||?||?|");
	check_message("+sdown", "   ", "||?||?|   ");
	check_message("+odd", "\x1b]0;x\x07", "||?||?|\\x1b]0;x\\x07");
}

static void passwords_are_hidden(void **state)
{
	(void)state;
	check_message("+set", "master m 1.2.3.4 6379 down-after-milliseconds 4000",
		      "master|m|1.2.3.4:6379|m|1.2.3.4:6379|down-after-milliseconds 4000");
	check_message("+set", "master m 1.2.3.4 6379 rename-command CONFIG GONFIG",
		      "master|m|1.2.3.4:6379|m|1.2.3.4:6379|rename-command CONFIG GONFIG");
	check_message("+set", "master m h 6379 auth-pass s3cret",
		      "master|m|h:6379|m|h:6379|auth-pass ******");
	check_message("+set", "master m h 6379 AUTH-PASS s3 cret 7 auth-pass x",
		      "master|m|h:6379|m|h:6379|AUTH-PASS ******");
	check_message("+set", "master m h 6379 auth-pass ",
		      "master|m|h:6379|m|h:6379|auth-pass ******");
	check_message("+set", "master auth-pass 1.2.3.4 6379 auth-pass s3cret",
		      "master|auth-pass|1.2.3.4:6379|auth-pass|1.2.3.4:6379|auth-pass ******");
	check_message("+set", "what auth-pass s3cret", "||?||?|what auth-pass ******");
}

static void messages_arrive_as_arrays(void **state)
{
	struct parser *p = parser_new();
	struct observation obs = captured_parse_text(
	    p, "*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$6\r\n+sdown\r\n$18\r\nmaster m 1.2.3.4 5\r\n", ASK_MESSAGE);

	(void)state;
	assert_int_equal(obs.answer, ANSWER_OK);
	assert_string_equal(obs.u.message->channel, "+sdown");
	assert_string_equal(obs.u.message->master_name, "m");
	parser_free(p);
}

static void noise(void **state)
{
	static const char *const words[] = { "master ", "slave ", "sentinel ", "@ ", "1.2.3.4 ", "6379 ",
					     "quorum ", "#quorum ", " ", "auth-pass ", "x", "::1 ", "\xff" };
	static const char *const channels[] = { "+set", "+sdown", "+monitor", "+switch-master",
						"+vote-for-leader", "+new-epoch", "" };
	uint32_t seed = 3;

	(void)state;
	for (int round = 0; round < 50000; round++) {
		struct sentinel_message m;
		char text[128], *exact;
		size_t len = 0;

		for (int i = 0; i < 8; i++) {
			const char *word;

			seed = seed * 1664525u + 1013904223u;
			word = words[(seed >> 16) % (sizeof(words) / sizeof(words[0]))];
			memcpy(text + len, word, strlen(word));
			len += strlen(word);
		}
		exact = malloc(len);
		memcpy(exact, text, len);
		sentinel_message_parse(&m, channels[round % 7], strlen(channels[round % 7]), exact, len);
		free(exact);
	}
}

static void hellos(void **state)
{
	static const char good[] = "127.0.0.1,26379,d0720514b8dc3eaa2da1927eb79dcc6554ecd4b0,4,"
				   "my,master,fd00::1,6379,2";
	static const char *const bad[] = { "", ",,,,,,,", "127.0.0.1,26379,id,4,m,10.0.0.1,6379",
					   "127.0.0.1,0,id,4,m,10.0.0.1,6379,2",
					   "127.0.0.1,26379,id,4,m,10.0.0.1,99999,2", "a,b" };
	struct sentinel_hello h;
	char *exact = malloc(sizeof(good) - 1);

	(void)state;
	memcpy(exact, good, sizeof(good) - 1);
	assert_true(sentinel_hello_parse(&h, exact, sizeof(good) - 1));
	free(exact);
	assert_string_equal(h.sentinel.host, "127.0.0.1");
	assert_int_equal(h.sentinel.port, 26379);
	assert_string_equal(h.run_id, "d0720514b8dc3eaa2da1927eb79dcc6554ecd4b0");
	assert_string_equal(h.master_name, "my,master");
	assert_string_equal(h.master.host, "fd00::1");
	assert_int_equal(h.master.port, 6379);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(sentinel_hello_parse(&h, bad[i], strlen(bad[i])));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(captured_masters),
		cmocka_unit_test(captured_replicas),
		cmocka_unit_test(captured_sentinels),
		cmocka_unit_test(captured_myid),
		cmocka_unit_test(odd_instances),
		cmocka_unit_test(quorum_words),
		cmocka_unit_test(message_shapes),
		cmocka_unit_test(message_without_instance),
		cmocka_unit_test(passwords_are_hidden),
		cmocka_unit_test(messages_arrive_as_arrays),
		cmocka_unit_test(hellos),
		cmocka_unit_test(noise),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
