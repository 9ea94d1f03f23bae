#include "config.h"

#include <setjmp.h>
#include <netdb.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include "net/resolver.h"
#include "run_until.h"

struct seen {
	unsigned calls;
	struct resolved last;
};

static void on_result(const struct resolved *result, void *arg)
{
	struct seen *seen = arg;

	seen->calls++;
	seen->last = *result;
}

static void run_until(struct ev_loop *loop, const struct seen *seen, unsigned calls)
{
	RUN_LOOP_UNTIL(loop, seen->calls >= calls, print_message("%u calls\n", seen->calls));
}

static void numeric_without_a_thread(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	struct resolver *r = resolver_new(loop);
	struct seen seen = { 0 };
	const struct sockaddr_in *in = (const struct sockaddr_in *)&seen.last.addrs[0].addr;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)&seen.last.addrs[0].addr;

	(void)state;
	resolver_query(r, "127.0.0.1", 6379, on_result, &seen);
	assert_int_equal(seen.calls, 0); /* never from inside the call */
	run_until(loop, &seen, 1);
	assert_int_equal(seen.last.error, 0);
	assert_int_equal(seen.last.count, 1);
	assert_int_equal(in->sin_family, AF_INET);
	assert_int_equal(ntohs(in->sin_port), 6379);
	resolver_query(r, "::1", 7000, on_result, &seen);
	run_until(loop, &seen, 2);
	assert_int_equal(in6->sin6_family, AF_INET6);
	assert_int_equal(ntohs(in6->sin6_port), 7000);
	resolver_free(r);
	ev_loop_destroy(loop);
}

static bool system_knows(const char *name)
{
	struct addrinfo *list = NULL;
	bool known = getaddrinfo(name, "1", NULL, &list) == 0;

	if (known)
		freeaddrinfo(list);
	return known;
}

static void names_and_failures(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	struct resolver *r = resolver_new(loop);
	struct seen seen = { 0 };

	(void)state;
	resolver_query(r, "localhost", 1, on_result, &seen);
	run_until(loop, &seen, 1);
	/* A bare system folder has no /etc/hosts: the system's own word is what must come back. */
	assert_int_equal(seen.last.error == 0, system_knows("localhost"));
	assert_int_equal(seen.last.count >= 1, system_knows("localhost"));
	/* An empty label is refused without asking any server. */
	resolver_query(r, "no..such..name", 1, on_result, &seen);
	run_until(loop, &seen, 2);
	assert_int_not_equal(seen.last.error, 0);
	assert_int_equal(seen.last.count, 0);
	resolver_free(r);
	ev_loop_destroy(loop);
}

/* More than there are threads: the rest waits in the queue. Each is answered once. */
static void many_at_once(void **state)
{
	struct ev_loop *loop = ev_loop_new(0);
	struct resolver *r = resolver_new(loop);
	struct seen seen = { 0 }, cancelled = { 0 };
	struct resolver_query *queries[40];

	(void)state;
	for (int i = 0; i < 40; i++)
		queries[i] = resolver_query(r, "localhost", 1, on_result,
					    i % 4 ? &seen : &cancelled);
	for (int i = 0; i < 40; i += 4)
		resolver_cancel(queries[i]);
	resolver_cancel(NULL);
	run_until(loop, &seen, 30);
	assert_int_equal(seen.calls, 30);
	assert_int_equal(cancelled.calls, 0);
	resolver_free(r);
	ev_loop_destroy(loop);
}

static void freed_while_pending(void **state)
{
	struct seen seen = { 0 };

	(void)state;
	for (int round = 0; round < 20; round++) {
		struct ev_loop *loop = ev_loop_new(0);
		struct resolver *r = resolver_new(loop);

		for (int i = 0; i < 20; i++)
			resolver_query(r, i % 2 ? "localhost" : "127.0.0.1", 1, on_result, &seen);
		resolver_free(r);
		ev_loop_destroy(loop);
	}
	assert_int_equal(seen.calls, 0);
	resolver_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numeric_without_a_thread),
		cmocka_unit_test(names_and_failures),
		cmocka_unit_test(many_at_once),
		cmocka_unit_test(freed_while_pending),
	};

	/* A bare system folder without /etc/hosts asks name servers for it, and a look-up that is still
	 * waiting there when the process ends holds libc's memory. */
	if (!system_knows("localhost")) {
		print_message("skipped: this system has no address for localhost\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
