#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/credentials.h"
#include "redis/reply.h"

static struct endpoint node(const char *text)
{
	struct endpoint ep;

	assert_true(endpoint_parse(&ep, text, 6379));
	return ep;
}

static void assert_auth(const struct credentials *c, const char *addr, enum credential_kind kind,
			bool both, size_t index, const char *expected)
{
	struct endpoint ep = node(addr);
	struct buf out = BUF_INIT;
	bool got = credentials_append_auth(c, &ep, kind, both, index, &out);

	assert_int_equal(got, expected != NULL);
	assert_string_equal(buf_str(&out), expected ? expected : "");
	buf_free(&out);
}

#define AUTH1(n, pw) "*2\r\n$4\r\nAUTH\r\n$" n "\r\n" pw "\r\n"
#define AUTH2(u, user, n, pw) "*3\r\n$4\r\nAUTH\r\n$" u "\r\n" user "\r\n$" n "\r\n" pw "\r\n"

static void nothing_to_try(void **state)
{
	struct credentials *c = credentials_new();

	(void)state;
	assert_false(credentials_have(c, CREDENTIAL_DATA));
	credentials_set_user(c, CREDENTIAL_DATA, "alone");
	assert_auth(c, "h:1", CREDENTIAL_DATA, true, 0, NULL);
	credentials_free(c);
	credentials_free(NULL);
}

static void candidates_in_order(void **state)
{
	struct credentials *c = credentials_new();
	struct endpoint own = node("h:1");

	(void)state;
	credentials_set(c, CREDENTIAL_DATA, NULL, "data");
	credentials_set(c, CREDENTIAL_SENTINEL, "watcher", "sent");
	credentials_set_for(c, &own, NULL, "own");
	assert_true(credentials_have(c, CREDENTIAL_SENTINEL));
	assert_auth(c, "h:1", CREDENTIAL_DATA, false, 0, AUTH1("3", "own"));
	assert_auth(c, "h:1", CREDENTIAL_DATA, false, 1, AUTH1("4", "data"));
	assert_auth(c, "h:1", CREDENTIAL_DATA, false, 2, NULL);
	assert_auth(c, "h:2", CREDENTIAL_DATA, true, 0, AUTH1("4", "data"));
	assert_auth(c, "h:2", CREDENTIAL_DATA, true, 1, AUTH2("7", "watcher", "4", "sent"));
	assert_auth(c, "h:2", CREDENTIAL_DATA, true, 2, NULL);
	assert_auth(c, "h:2", CREDENTIAL_SENTINEL, false, 0, AUTH2("7", "watcher", "4", "sent"));
	credentials_free(c);
}

static void equal_pairs_are_tried_once(void **state)
{
	struct credentials *c = credentials_new();
	struct endpoint own = node("h:1");

	(void)state;
	credentials_set(c, CREDENTIAL_DATA, NULL, "same");
	credentials_set(c, CREDENTIAL_SENTINEL, NULL, "same");
	credentials_set_for(c, &own, NULL, "same");
	assert_auth(c, "h:1", CREDENTIAL_DATA, true, 0, AUTH1("4", "same"));
	assert_auth(c, "h:1", CREDENTIAL_DATA, true, 1, NULL);
	credentials_free(c);
}

static void replaced_and_appended(void **state)
{
	struct credentials *c = credentials_new();
	struct endpoint ep = node("h:1");
	struct buf out = BUF_INIT;

	(void)state;
	credentials_set(c, CREDENTIAL_DATA, "u", "old");
	credentials_set(c, CREDENTIAL_DATA, NULL, "new\r\nbytes");
	credentials_set_user(c, CREDENTIAL_DATA, "me");
	buf_addstr(&out, "before");
	assert_true(credentials_append_auth(c, &ep, CREDENTIAL_DATA, false, 0, &out));
	assert_string_equal(buf_str(&out), "before" AUTH2("2", "me", "10", "new\r\nbytes"));
	buf_free(&out);
	credentials_free(c);
}

static void assert_blotted(const struct credentials *c, const char *text, const char *expected)
{
	struct buf data = BUF_INIT;

	buf_addstr(&data, text);
	credentials_blot(c, data.data, data.len);
	assert_string_equal(data.data, expected);
	buf_free(&data);
}

static void blotted(void **state)
{
	struct credentials *c = credentials_new();
	struct endpoint own = node("h:1");

	(void)state;
	assert_blotted(c, "nothing is known", "nothing is known");
	assert_blotted(c, "", "");
	credentials_set(c, CREDENTIAL_DATA, NULL, "s3cret");
	credentials_set(c, CREDENTIAL_SENTINEL, "me", "aaa");
	credentials_set_for(c, &own, NULL, "a\x01z");
	assert_blotted(c, "s3cret", "******");
	assert_blotted(c, "s3crets3cret xs3crety s3cre", "************ x******y s3cre");
	assert_blotted(c, "aaaaa aaa=aaa aa", "aaaaa ***=*** aa");
	assert_blotted(c, "a\x01z a\\x01z", "*** ******");
	/* A word of the protocol, which a part of one is not; a part of another number. */
	credentials_set(c, CREDENTIAL_DATA, NULL, "master");
	credentials_set(c, CREDENTIAL_SENTINEL, NULL, "aster");
	assert_blotted(c, "master aster", "master *****");
	credentials_set(c, CREDENTIAL_DATA, NULL, "4711");
	credentials_set(c, CREDENTIAL_SENTINEL, NULL, "123456");
	assert_blotted(c, "4711 14711 47110 x4711x", "**** 14711 47110 x4711x");
	assert_blotted(c, "port=4711,123456 0123456789", "port=****,****** 0123456789");
	credentials_set(c, CREDENTIAL_DATA, NULL, "000");
	credentials_set(c, CREDENTIAL_SENTINEL, NULL, "5678");
	assert_blotted(c, "000 5678 1000", "*** **** 1000");
	credentials_set(c, CREDENTIAL_DATA, NULL, "ab");
	assert_blotted(c, "ab=ab abc", "**=** abc");
	credentials_free(c);
}

static void too_short_for_a_file(void **state)
{
	struct credentials *c = credentials_new();
	struct endpoint own = node("h:1");

	(void)state;
	assert_false(credentials_too_short(c));
	credentials_set(c, CREDENTIAL_DATA, NULL, "abc");
	credentials_set(c, CREDENTIAL_SENTINEL, NULL, "");
	assert_false(credentials_too_short(c));
	credentials_set_for(c, &own, NULL, "7");
	assert_true(credentials_too_short(c));
	credentials_free(c);
}

/* The reply as it is after it came in. */
static void assert_hidden(const struct credentials *c, const char *wire, const char *expected)
{
	struct reply_reader *reader = reader_new();
	const struct reply *reply;
	struct buf out = BUF_INIT;
	char text[CREDENTIALS_HIDDEN_BYTES];

	reader_feed(reader, wire, strlen(wire));
	assert_int_equal(reader_next(reader, &reply), 1);
	credentials_hide(c, (struct reply *)reply, text);
	reply_encode(reply, &out);
	assert_string_equal(out.data, expected);
	buf_free(&out);
	reader_free(reader);
}

#define HIDDEN " (what the server says holds a password)\r\n"

static void hidden_where_it_comes_in(void **state)
{
	struct credentials *c = credentials_new();

	(void)state;
	credentials_set(c, CREDENTIAL_DATA, NULL, "s3cret");
	credentials_set(c, CREDENTIAL_SENTINEL, NULL, "x");
	/* An error keeps what it is. */
	assert_hidden(c, "-ERR what is 's3cret'?\r\n", "-ERR" HIDDEN);
	assert_hidden(c, "-NOPERM no s3cretive\r\n", "-NOPERM" HIDDEN);
	assert_hidden(c, "-ERR unknown command 's3cret'\r\n", "-ERR unknown command" HIDDEN);
	assert_hidden(c, "-ERR it is x\r\n", "-ERR" HIDDEN);
	assert_hidden(c, "-ERR next\r\n", "-ERR next\r\n");
	assert_hidden(c, "-s3cret\r\n", "-" HIDDEN);
	/* Everything else but names. */
	assert_hidden(c, "+s3cret\r\n", "+******\r\n");
	assert_hidden(c, "$19\r\nfoo:s3cret,s3cret.1\r\n", "$19\r\nfoo:******,s3cret.1\r\n");
	assert_hidden(c, "*2\r\n$6\r\ns3cret\r\n$8\r\nx s3cret\r\n",
		      "*2\r\n$6\r\ns3cret\r\n$8\r\nx ******\r\n");
	assert_hidden(c, "*1\r\n-ERR s3cretly\r\n", "*1\r\n-ERR ******ly\r\n");
	/* What the program goes by. */
	credentials_set(c, CREDENTIAL_DATA, NULL, "6381");
	assert_hidden(c, "-MOVED 5 127.0.0.1:6381\r\n", "-MOVED 5 127.0.0.1:6381\r\n");
	assert_hidden(c, "$9\r\nport=6381\r\n", "$9\r\nport=6381\r\n");
	credentials_set(c, CREDENTIAL_DATA, NULL, "123456");
	assert_hidden(c, "$14\r\n123456 1234567\r\n", "$14\r\n****** 1234567\r\n");
	credentials_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_try),
		cmocka_unit_test(candidates_in_order),
		cmocka_unit_test(equal_pairs_are_tried_once),
		cmocka_unit_test(replaced_and_appended),
		cmocka_unit_test(blotted),
		cmocka_unit_test(too_short_for_a_file),
		cmocka_unit_test(hidden_where_it_comes_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
