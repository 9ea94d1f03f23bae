/* Bytes through a link with TLS: large and small, messages, silence and ends. */
#include "config.h"

#include <signal.h>

#include "secure.h"

static void a_server_that_hangs_is_silent(void **state)
{
	const struct tls_options ca = { .cacert = crt("ca") };
	struct live_server s = { 0 };
	struct owner o;

	NEEDS_SERVER();
	secure_start(&s, "server", "no", NULL);
	owner_init_tls(&o, &ca);
	dial(&o, s.tls_port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	kill(s.pid, SIGSTOP);
	link_ask(o.link, ASK_INFO, NULL, 1);
	be_impatient(&o);
	RUN_UNTIL(&o, is_in(&o, LINK_SILENT));
	/* Through a whole new attempt, whose handshake hangs: nothing else is said. */
	RUN_UNTIL(&o, o.link->step == STEP_BACKOFF);
	be_patient(&o);
	RUN_UNTIL(&o, o.link->step == STEP_HANDSHAKE);
	be_impatient(&o);
	RUN_UNTIL(&o, o.link->step == STEP_BACKOFF);
	assert_true(is_in(&o, LINK_SILENT));
	assert_int_equal(times_in(&o, LINK_FAILED), 0);
	be_patient(&o);
	kill(s.pid, SIGCONT);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	owner_done(&o);
	live_stop(&s);
}

static void sessions_end(void **state)
{
	const struct tls_options ca = { .cacert = crt("ca") };
	struct live_server s = { 0 };
	struct owner o;
	char reply[64];

	NEEDS_SERVER();
	secure_start(&s, "server", "no", NULL);
	owner_init_tls(&o, &ca);
	dial(&o, s.tls_port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	live_command(s.port, "CLIENT KILL TYPE normal SKIPME yes", reply, sizeof(reply));
	assert_string_equal(reply, ":1\r\n");
	RUN_UNTIL(&o, is_in(&o, LINK_LOST));
	assert_string_equal(o.reason, "connection closed by the server");
	assert_int_equal(o.error, ERROR_OTHER);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	live_stop(&s); /* killed: no goodbye */
	RUN_UNTIL(&o, times_in(&o, LINK_LOST) == 2);
	secure_start(&s, "server", "no", NULL);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	owner_done(&o);
	live_stop(&s);
}

static void large_in_both_directions(void **state)
{
	const struct tls_options ca = { .cacert = crt("ca") };
	/* Around the sizes of a record, of our reads, and of all reads of a turn. */
	static const size_t sizes[] = { 1, 16383, 16384, 16385, 65530, 65536, 262144, 262200,
					5 * 1024 * 1024, 12 * 1024 * 1024 + 3 };
	struct live_server s = { 0 };
	struct owner o;
	uint32_t tag = 0;

	NEEDS_SERVER();
	secure_start(&s, "server", "no", NULL);
	owner_init_tls(&o, &ca);
	dial(&o, s.tls_port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		char *value = secure_pattern(sizes[i], i);
		const char *set[] = { "SET", "key", value }, *get[] = { "GET", "key" };

		assert_true(link_ask_argv(o.link, 3, set, ++tag));
		assert_true(link_ask_argv(o.link, 2, get, ++tag));
		RUN_UNTIL(&o, o.last_tag == tag || o.losses + o.timeouts > 0);
		assert_int_equal(o.losses + o.timeouts, 0);
		assert_true(o.last_len == sizes[i]);
		assert_memory_equal(o.last_text, value, sizes[i]);
		free(value);
	}
	owner_done(&o);
	live_stop(&s);
}

static void many_small_pipelined(void **state)
{
	const struct tls_options ca = { .cacert = crt("ca") };
	struct live_server s = { 0 };
	struct owner o;
	uint32_t tag = 0;

	NEEDS_SERVER();
	secure_start(&s, "server", "no", NULL);
	owner_init_tls(&o, &ca);
	dial(&o, s.tls_port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	for (unsigned round = 0; round < 50; round++) {
		while (link_ask(o.link, tag % 3 ? ASK_ROLE : ASK_INFO, NULL, tag + 1))
			tag++;
		assert_true(tag >= LINK_MAX_PENDING * (round + 1) / 2);
		RUN_UNTIL(&o, o.last_tag == tag || o.losses + o.timeouts > 0);
	}
	assert_int_equal(o.replies, tag);
	assert_int_equal(o.losses + o.timeouts, 0);
	owner_done(&o);
	live_stop(&s);
}

static void messages_come(void **state)
{
	const struct tls_options ca = { .cacert = crt("ca") };
	struct live_server s = { 0 };
	struct owner o;
	char reply[64];

	NEEDS_SERVER();
	secure_start(&s, "server", "no", NULL);
	owner_init_tls(&o, &ca);
	dial_as(&o, &(struct dialling){ .port = s.tls_port, .subscribe = true });
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	for (unsigned i = 1; i <= 100; i++)
		live_command(s.port, "PUBLISH channel payload", reply, sizeof(reply));
	RUN_UNTIL(&o, o.messages == 100);
	owner_done(&o);
	live_stop(&s);
}

/* --- reading that waits to write, and writing that waits to read ------------------------------- */

static const struct stream_ops *plain_ops;
static unsigned odd_reads, odd_writes;
static bool a_byte_a_read, some_read;
static char stash[64]; /* taken from the socket, as TLS does: it is not readable for that again */
static size_t stash_len;

static enum stream_status odd_read(struct stream *s, char *data, size_t size, size_t *got,
				   bool held)
{
	size_t n;

	*got = 0;
	if (!held && stash_len == 0)
		plain_ops->read(s, stash, sizeof(stash), &stash_len, false);
	if (!held && odd_reads > 0) {
		odd_reads--;
		return STREAM_WANT_WRITE;
	}
	n = a_byte_a_read && stash_len > 0 ? 1 : stash_len;
	assert_true(n <= size);
	memcpy(data, stash, n);
	memmove(stash, stash + n, stash_len - n);
	stash_len -= n;
	*got = n;
	some_read = some_read || n > 0;
	return stash_len > 0 ? STREAM_OK : STREAM_WANT_READ;
}

static enum stream_status odd_write(struct stream *s, const char *data, size_t len, size_t *put)
{
	*put = 0;
	if (odd_writes > 0) {
		odd_writes--;
		return STREAM_WANT_READ;
	}
	return plain_ops->write(s, data, len, put);
}

static void wants_of_the_other_direction(void **state)
{
	static struct stream_ops odd_ops;
	struct owner o;
	struct fake f;

	(void)state;
	owner_init(&o);
	fake_init(&f, o.loop);
	f.answer = "+PONG\r\n";
	f.answer_len = 7;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	plain_ops = o.link->stream.ops;
	odd_ops = *plain_ops;
	odd_ops.read = odd_read;
	odd_ops.write = odd_write;
	o.link->stream.ops = &odd_ops;
	odd_reads = 3;
	assert_true(link_ask(o.link, ASK_ROLE, NULL, 1));
	RUN_UNTIL(&o, o.replies == 1);
	assert_int_equal(odd_reads, 0);
	/* More in hand than the reads of a turn, and nothing in the socket. */
	a_byte_a_read = true;
	some_read = false;
	assert_true(link_ask(o.link, ASK_ROLE, NULL, 2));
	RUN_UNTIL(&o, some_read);
	assert_int_equal(o.replies, 2);
	a_byte_a_read = false;
	/* Two replies: the bytes of the first are what the write of the second waits for. */
	odd_writes = 1;
	assert_true(link_ask(o.link, ASK_ROLE, NULL, 3));
	ev_run(o.loop, EVRUN_NOWAIT);
	assert_int_equal(odd_writes, 0);
	assert_false(ev_is_active(&o.link->writer)); /* the socket is writable: it would spin */
	assert_int_equal(o.replies, 2);
	fake_send(&f, "+ROLE\r\n");
	RUN_UNTIL(&o, o.replies == 3);
	assert_int_equal(o.link->out.len, 0); /* it was written then */
	link_free(o.link);
	o.link = NULL;
	fake_done(&f);
	owner_done(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wants_of_the_other_direction),
		cmocka_unit_test(a_server_that_hangs_is_silent),
		cmocka_unit_test(sessions_end),
		cmocka_unit_test(large_in_both_directions),
		cmocka_unit_test(many_small_pipelined),
		cmocka_unit_test(messages_come),
	};

	return cmocka_run_group_tests(tests, secure_make_all, secure_remove_all);
}
