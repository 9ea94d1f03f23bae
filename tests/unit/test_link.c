/* A link, its states, deadlines and replies. What comes before the first question is in
 * test_link_greeting.c. */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <time.h>

#include "link_owner.h"
#include "live.h"

static void up_takes_a_reply(void **state)
{
	static const char *const script[] = { "+PONG\r\n", "$5\r\nhello\r\n", NULL };
	WITH_FAKE(o, f);

	f.script = script;
	dial(&o, f.port);
	assert_false(link_ask(o.link, ASK_INFO, NULL, 1));
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_int_equal(o.states[0], LINK_RESOLVING);
	assert_int_equal(o.states[1], LINK_CONNECTING);
	assert_int_equal(o.state_count, 3);
	assert_true(link_ask(o.link, ASK_INFO, NULL, 7));
	assert_true(link_has_pending(o.link, ASK_INFO));
	assert_int_equal(o.replies, 0);
	RUN_UNTIL(&o, o.replies == 1);
	assert_false(o.pending_in_callback);
	assert_int_equal(o.last_tag, 7);
	assert_string_equal(o.last_text, "hello");
	assert_true(link_bytes_in(o.link) == 7 + 11);
	assert_true(link_bytes_out(o.link) == 14 + 14);
	WITHOUT_FAKE(o, f);
}

static void one_write_a_turn(void **state)
{
	static const char *const script[] = { "+PONG\r\n", "$1\r\na\r\n*0\r\n:3\r\n", NULL };
	const char *argv[] = { "DEBUG", "x" };
	WITH_FAKE(o, f);

	f.script = script;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	assert_true(link_ask(o.link, ASK_SENTINEL_REPLICAS, "my master", 2));
	assert_true(link_ask_argv(o.link, 2, argv, 3));
	RUN_UNTIL(&o, o.replies == 3);
	assert_int_equal(f.reads, 2);
	assert_int_equal(o.last_tag, 3);
	WITHOUT_FAKE(o, f);
}

static void too_many_pending(void **state)
{
	static const char *const script[] = { "+PONG\r\n", NULL };
	WITH_FAKE(o, f);

	f.script = script;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	for (unsigned i = 0; i < LINK_MAX_PENDING; i++)
		assert_true(link_ask(o.link, ASK_ROLE, NULL, i + 1));
	assert_false(link_ask(o.link, ASK_ROLE, NULL, 999));
	be_impatient(&o);
	RUN_UNTIL(&o, o.timeouts == LINK_MAX_PENDING);
	assert_true(is_in(&o, LINK_SILENT));
	WITHOUT_FAKE(o, f);
}

static void refused(void **state)
{
	struct owner o;

	(void)state;
	owner_init(&o);
	dial(&o, live_free_port());
	RUN_UNTIL(&o, is_in(&o, LINK_FAILED));
	assert_string_equal(o.reason, strerror(ECONNREFUSED));
	/* Retries that meet the same are no news. */
	for (unsigned i = 0; i < 3; i++) {
		link_retry_now(o.link);
		ev_run(o.loop, EVRUN_ONCE);
		ev_run(o.loop, EVRUN_ONCE);
	}
	assert_int_equal(times_in(&o, LINK_FAILED), 1);
	owner_done(&o);
}

static void name_unknown(void **state)
{
	struct owner o;

	(void)state;
	owner_init(&o);
	dial_as(&o, &(struct dialling){ .host = "no..such..name", .port = 1 });
	RUN_UNTIL(&o, is_in(&o, LINK_FAILED));
	assert_non_null(strstr(o.reason, "name look-up: "));
	owner_done(&o);
}

static void connected_but_silent(void **state)
{
	WITH_FAKE(o, f);

	dial(&o, f.port);
	RUN_UNTIL(&o, f.heard == 1);
	be_impatient(&o);
	RUN_UNTIL(&o, is_in(&o, LINK_SILENT));
	assert_string_equal(o.reason, "connected, but no reply within 0.3 s");
	assert_int_equal(times_in(&o, LINK_UP), 0);
	/* It wakes up on the same connection. */
	fake_send(&f, "+PONG\r\n");
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_int_equal(f.accepted, 1);
	WITHOUT_FAKE(o, f);
}

static void late_replies_are_dropped(void **state)
{
	static const char *const script[] = { "+PONG\r\n", "", "$4\r\nlate\r\n$5\r\nfresh\r\n", NULL };
	WITH_FAKE(o, f);

	f.script = script;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	be_impatient(&o);
	RUN_UNTIL(&o, is_in(&o, LINK_SILENT));
	RUN_UNTIL(&o, o.timeouts == 1);
	assert_string_equal(o.reason, "no reply within 0.3 s");
	assert_false(link_ask(o.link, ASK_INFO, NULL, 2));
	fake_send(&f, "$4\r\nlate\r\n");
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_int_equal(o.replies, 0);
	WITHOUT_FAKE(o, f);
}

/* The reply was there in time; it was this process that stood still, stopped or starved. */
static void a_stall_of_our_own_is_no_silence(void **state)
{
	static const char *const script[] = { "+PONG\r\n", NULL };
	const struct timespec stall = { .tv_nsec = 2 * IMPATIENT_MS * 1000000L };
	WITH_FAKE(o, f);

	f.script = script;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	be_impatient(&o);
	RUN_UNTIL(&o, link_bytes_out(o.link) == 14 + 14);
	fake_send(&f, "$5\r\nready\r\n");
	nanosleep(&stall, NULL);
	RUN_UNTIL(&o, o.replies + o.timeouts > 0);
	assert_int_equal(o.timeouts, 0);
	assert_string_equal(o.last_text, "ready");
	/* And from a silence that is real: what came before the connection is given up counts. */
	assert_true(link_ask(o.link, ASK_INFO, NULL, 2));
	RUN_UNTIL(&o, is_in(&o, LINK_SILENT));
	fake_send(&f, "$4\r\nlate\r\n");
	nanosleep(&stall, NULL);
	RUN_UNTIL(&o, !is_in(&o, LINK_SILENT) || f.accepted > 1);
	assert_true(is_in(&o, LINK_UP));
	assert_int_equal(f.accepted, 1);
	WITHOUT_FAKE(o, f);
}

static void silent_then_replaced(void **state)
{
	static const char *const script[] = { "+PONG\r\n", NULL };
	WITH_FAKE(o, f);

	f.script = script;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	be_impatient(&o);
	RUN_UNTIL(&o, f.accepted == 2);
	be_patient(&o);
	assert_int_equal(o.timeouts, 1);
	assert_int_equal(o.losses, 0); /* told once only */
	f.reset_script = true;
	f.reads = 0;
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_int_equal(times_in(&o, LINK_SILENT), 1);
	assert_int_equal(times_in(&o, LINK_LOST), 0);
	WITHOUT_FAKE(o, f);
}

static void closed_by_the_server(void **state)
{
	static const char *const script[] = { "+PONG\r\n", NULL };
	WITH_FAKE(o, f);

	f.script = script;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	ev_run(o.loop, EVRUN_ONCE);
	f.script = NULL;
	fake_hang_up(&f);
	RUN_UNTIL(&o, is_in(&o, LINK_LOST));
	assert_true(o.reason[0] != '\0');
	assert_int_equal(o.losses, 1);
	/* Back at its next attempt, and in between there was no other news. */
	f.script = script;
	f.reads = 0;
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_int_equal(o.state_count, 5);
	WITHOUT_FAKE(o, f);
}

/* What is no Redis: the reason, and that nothing but one state comes of it. */
static void assert_protocol(const char *banner, bool hang_up)
{
	struct owner o;
	struct fake f;

	owner_init(&o);
	fake_init(&f, o.loop);
	f.banner = banner;
	f.hang_up = hang_up;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_PROTOCOL));
	assert_true(o.reason[0] != '\0');
	assert_int_equal(times_in(&o, LINK_UP), 0);
	fake_done(&f);
	owner_done(&o);
}

static void not_a_redis_server(void **state)
{
	(void)state;
	assert_protocol("HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n", true);
	assert_protocol("SSH-2.0-OpenSSH_9.2p1\r\n", false);
	assert_protocol("\x15\x03\x01\x00\x02\x02\x46", true); /* TLS alert */
	assert_protocol("+OK POP3 ready\r\n", false);
	assert_protocol("*1000000000\r\n", false);
	assert_protocol("$99999999999\r\n", false);
}

static void hangs_up_at_once(void **state)
{
	WITH_FAKE(o, f);

	f.hang_up = true;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_FAILED));
	RUN_UNTIL(&o, f.accepted >= 3);
	assert_int_equal(times_in(&o, LINK_UP), 0);
	WITHOUT_FAKE(o, f);
}

static void one_byte_at_a_time(void **state)
{
	WITH_FAKE(o, f);

	f.drip_text = "+PONG\r\n";
	ev_timer_set(&f.drip, 0.05, 0.03);
	ev_timer_start(o.loop, &f.drip);
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	/* A reply that drips in for longer than the deadline is overdue. */
	f.drip_text = "$400\r\n................................................................";
	be_impatient(&o);
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	RUN_UNTIL(&o, is_in(&o, LINK_SILENT));
	assert_int_equal(o.timeouts, 1);
	WITHOUT_FAKE(o, f);
}

static void turned_away(void **state)
{
	WITH_FAKE(o, f);

	f.banner = "-ERR max number of clients reached\r\n";
	f.hang_up = true;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_FAILED));
	assert_int_equal(o.error, ERROR_MAXCLIENTS);
	assert_non_null(strstr(o.reason, "max number of clients"));
	f.banner = "-DENIED Redis is running in protected mode because x\r\n";
	link_retry_now(o.link);
	RUN_UNTIL(&o, o.error == ERROR_DENIED);
	assert_non_null(strstr(o.reason, "protected mode"));
	WITHOUT_FAKE(o, f);
}

static void free_in_callbacks(void **state)
{
	static const char *const script[] = { "+PONG\r\n", "+a\r\n+b\r\n+c\r\n", NULL };
	WITH_FAKE(o, f);

	f.script = script;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	link_ask(o.link, ASK_INFO, NULL, 1);
	link_ask(o.link, ASK_ROLE, NULL, 2);
	o.free_on_reply = true;
	RUN_UNTIL(&o, o.link == NULL);
	assert_int_equal(o.replies, 1);
	/* In each of the states' reports. */
	for (unsigned nth = 0; nth < 3; nth++) {
		f.reads = 0;
		o.state_count = 0;
		o.free_on_state = false;
		dial(&o, f.port);
		RUN_UNTIL(&o, o.state_count >= nth);
		o.free_on_state = true;
		RUN_UNTIL(&o, o.link == NULL);
	}
	WITHOUT_FAKE(o, f);
}

/* --- real servers ------------------------------------------------------------------------------ */

static void real_server_stopped_and_killed(void **state)
{
	struct live_server s = { 0 };
	struct owner o;

	(void)state;
	if (!live_available())
		skip();
	owner_init(&o);
	live_start(&s, NULL);
	dial(&o, s.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	RUN_UNTIL(&o, o.replies == 1);
	assert_non_null(strstr(o.last_text, "# Server"));
	kill(s.pid, SIGSTOP);
	link_ask(o.link, ASK_INFO, NULL, 2);
	be_impatient(&o);
	RUN_UNTIL(&o, is_in(&o, LINK_SILENT));
	be_patient(&o);
	kill(s.pid, SIGCONT);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	/* Stopped before the connection: accepted by the kernel, but never up. */
	kill(s.pid, SIGSTOP);
	link_free(o.link);
	dial(&o, s.port);
	RUN_UNTIL(&o, o.link->step == STEP_GREETING);
	be_impatient(&o);
	RUN_UNTIL(&o, is_in(&o, LINK_SILENT));
	assert_int_equal(times_in(&o, LINK_UP), 0);
	be_patient(&o);
	kill(s.pid, SIGCONT);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	live_stop(&s);
	RUN_UNTIL(&o, times_in(&o, LINK_LOST) == 1);
	RUN_UNTIL(&o, is_in(&o, LINK_FAILED));
	live_start(&s, NULL);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	owner_done(&o);
	live_stop(&s);
}

static void real_messages(void **state)
{
	struct live_server s = { 0 };
	struct owner o;
	char reply[64];

	(void)state;
	if (!live_available())
		skip();
	live_start(&s, NULL);
	owner_init(&o);
	dial_as(&o, &(struct dialling){ .port = s.port, .subscribe = true });
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_false(link_ask(o.link, ASK_INFO, NULL, 1));
	live_command(s.port, "PUBLISH +sdown payload", reply, sizeof(reply));
	assert_string_equal(reply, ":1\r\n");
	RUN_UNTIL(&o, o.messages == 1);
	assert_string_equal(o.channel, "+sdown");
	assert_string_equal(o.payload, "payload");
	owner_done(&o);
	live_stop(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(up_takes_a_reply),
		cmocka_unit_test(one_write_a_turn),
		cmocka_unit_test(too_many_pending),
		cmocka_unit_test(refused),
		cmocka_unit_test(name_unknown),
		cmocka_unit_test(connected_but_silent),
		cmocka_unit_test(late_replies_are_dropped),
		cmocka_unit_test(a_stall_of_our_own_is_no_silence),
		cmocka_unit_test(silent_then_replaced),
		cmocka_unit_test(closed_by_the_server),
		cmocka_unit_test(not_a_redis_server),
		cmocka_unit_test(hangs_up_at_once),
		cmocka_unit_test(one_byte_at_a_time),
		cmocka_unit_test(turned_away),
		cmocka_unit_test(free_in_callbacks),
		cmocka_unit_test(real_server_stopped_and_killed),
		cmocka_unit_test(real_messages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
