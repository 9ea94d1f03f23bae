#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "net/credentials.h"

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
	credentials_blot(c, "master port 6379", 16, data.data, data.len);
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
	assert_blotted(c, "aaaaa aa", "***aa aa");
	assert_blotted(c, "a\x01z a\\x01z", "*** ******");
	/* Too short to be one; a word of the protocol, or a part of it; a part of another number. */
	credentials_set(c, CREDENTIAL_DATA, NULL, "ab");
	credentials_set(c, CREDENTIAL_SENTINEL, NULL, "aster");
	assert_blotted(c, "ab master aster", "ab master aster");
	credentials_set(c, CREDENTIAL_DATA, NULL, "4711");
	assert_blotted(c, "4711 14711 47110 x4711x", "**** 14711 47110 x****x");
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
