/* TLS with real servers and with what is none: who is trusted, who is refused, in which words. What
 * goes through a link is in test_tls_link.c, the stream alone in test_tls_stream.c. */
#include "config.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <unistd.h>

#include "secure.h"

/* --- what is read at start --------------------------------------------------------------------- */

static void assert_options(struct tls_options options, const char *words)
{
	struct buf err = BUF_INIT;

	assert_null(tls_context_new(&options, &err));
	if (!strstr(buf_str(&err), words))
		print_message("\"%s\" is not in \"%s\"\n", words, buf_str(&err));
	assert_non_null(strstr(buf_str(&err), words));
	assert_int_equal(ERR_peek_error(), 0);
	buf_free(&err);
}

static void files_that_are_wrong(void **state)
{
	char text[SECURE_PATH_BYTES + 64];

	(void)state;
	snprintf(text, sizeof(text), "--cert %s: no such file", crt("away"));
	assert_options((struct tls_options){ .cert = crt("away"), .key = key("client") }, text);
	snprintf(text, sizeof(text), "--key %s: no such file", key("away"));
	assert_options((struct tls_options){ .cert = crt("client"), .key = key("away") }, text);
	snprintf(text, sizeof(text), "--key %s: does not match the certificate", key("server"));
	assert_options((struct tls_options){ .cert = crt("client"), .key = key("server") }, text);
	assert_options((struct tls_options){ .cert = crt("client"), .key = crt("client") },
		       "no private key in PEM form");
	assert_options((struct tls_options){ .cert = crt("locked"), .key = key("locked") },
		       "has a passphrase");
	assert_options((struct tls_options){ .cert = crt("garbage"), .key = key("client") },
		       "no usable certificate");
	assert_options((struct tls_options){ .cert = crt("client") }, "--cert: needs a key as well");
	assert_options((struct tls_options){ .key = key("client") }, "--key: needs a cert as well");
	assert_options((struct tls_options){ .cacert = crt("away") }, "--cacert");
	assert_options((struct tls_options){ .cacert = secure_folder() }, "is a folder");
	assert_options((struct tls_options){ .cacert = "" }, "no such file");
	assert_options((struct tls_options){ .cacert = crt("garbage") }, "no certificate in PEM form");
	assert_options((struct tls_options){ .cacertdir = crt("away") }, "no such folder");
	assert_options((struct tls_options){ .cacertdir = secure_folder() }, "no certificate with a hashed name");
	tls_context_free(NULL);
}

static void a_folder_of_authorities(void **state)
{
	const struct tls_options options = { .cacertdir = secure_folder() };
	struct live_server s = { 0 };
	char path[SECURE_PATH_BYTES];
	FILE *file = fopen(crt("ca"), "r");
	X509 *cert = PEM_read_X509(file, NULL, NULL, NULL);

	NEEDS_SERVER();
	fclose(file);
	snprintf(path, sizeof(path), "%s/%08lx.0", secure_folder(), X509_subject_name_hash(cert));
	X509_free(cert);
	assert_int_equal(symlink(crt("ca"), path), 0);
	secure_start(&s, "server", "no", NULL);
	assert_up(&s, &options, "127.0.0.1");
	live_stop(&s);
	unlink(path);
}

/* --- real servers ------------------------------------------------------------------------------ */

static void both_sides_are_known(void **state)
{
	const struct tls_options with = { .cacert = crt("ca"), .cert = crt("client"),
					  .key = key("client") };
	struct live_server s = { 0 };

	NEEDS_SERVER();
	if (!localhost_is_known())
		skip();
	secure_start(&s, "server", "yes", NULL);
	assert_up(&s, &with, "127.0.0.1");
	assert_up(&s, &with, "localhost");
	live_stop(&s);
	secure_start(&s, "server", "yes", "TLSv1.2");
	assert_up(&s, &with, "127.0.0.1");
	live_stop(&s);
}

static void the_server_is_not_trusted(void **state)
{
	const struct tls_options other = { .cacert = crt("other") };
	const struct tls_options ca = { .cacert = crt("ca") };
	const struct tls_options alone = { .cacert = crt("alone") };
	const struct tls_options systems = { .cacert = NULL };
	const struct tls_options insecure = { .cacert = crt("other"), .insecure = true };
	struct live_server s = { 0 };

	NEEDS_SERVER();
	secure_start(&s, "server", "no", NULL);
	assert_up(&s, &ca, "127.0.0.1");
	assert_refused(&s, &other, "127.0.0.1", "certificate refused: ");
	assert_refused(&s, &systems, "127.0.0.1", "certificate refused: ");
	assert_up(&s, &insecure, "127.0.0.1");
	live_stop(&s);
	secure_start(&s, "alone", "no", NULL);
	assert_refused(&s, &ca, "127.0.0.1", "certificate refused: self");
	assert_up(&s, &alone, "127.0.0.1");
	live_stop(&s);
	secure_start(&s, "expired", "no", NULL);
	assert_refused(&s, &ca, "127.0.0.1", "certificate refused: certificate has expired");
	assert_up(&s, &insecure, "127.0.0.1");
	live_stop(&s);
}

static void the_server_is_another(void **state)
{
	const struct tls_options ca = { .cacert = crt("ca") };
	const struct tls_options named = { .cacert = crt("ca"), .sni = "elsewhere.example" };
	const struct tls_options misnamed = { .cacert = crt("ca"), .sni = "nowhere.example" };
	const struct tls_options insecure = { .insecure = true };
	struct live_server s = { 0 };

	NEEDS_SERVER();
	if (!localhost_is_known())
		skip();
	secure_start(&s, "wrong", "no", NULL);
	assert_refused(&s, &ca, "127.0.0.1",
		       "certificate refused: IP address mismatch (asked for 127.0.0.1)");
	assert_refused(&s, &ca, "localhost",
		       "certificate refused: hostname mismatch (asked for localhost)");
	assert_refused(&s, &misnamed, "127.0.0.1", "hostname mismatch (asked for nowhere.example)");
	assert_up(&s, &named, "127.0.0.1");
	assert_up(&s, &insecure, "127.0.0.1");
	live_stop(&s);
}

static void the_client_is_not_known(void **state)
{
	const struct tls_options without = { .cacert = crt("ca") };
	const struct tls_options stranger = { .cacert = crt("ca"), .cert = crt("stranger"),
					      .key = key("stranger") };
	static const char *const protocols[] = { "TLSv1.2", "TLSv1.3" };
	struct live_server s = { 0 };

	NEEDS_SERVER();
	for (unsigned i = 0; i < 2; i++) {
		secure_start(&s, "server", "yes", protocols[i]);
		assert_refused(&s, &without, "127.0.0.1", "client certificate");
		assert_refused(&s, &stranger, "127.0.0.1", "the server refuses our certificate: unknown");
		live_stop(&s);
		secure_start(&s, "server", "optional", protocols[i]);
		assert_up(&s, &without, "127.0.0.1");
		live_stop(&s);
	}
}

static void plain_and_tls_mixed_up(void **state)
{
	const struct tls_options ca = { .cacert = crt("ca") };
	struct live_server s = { 0 };
	struct owner o;

	NEEDS_SERVER();
	secure_start(&s, "server", "no", NULL);
	owner_init(&o);
	dial(&o, s.tls_port);
	RUN_UNTIL(&o, o.state_count > 2);
	assert_true(is_in(&o, LINK_FAILED) || is_in(&o, LINK_PROTOCOL));
	assert_non_null(strstr(o.reason, "TLS"));
	owner_done(&o);
	/* What it takes for a command may have a line's end in it, or not. */
	owner_init_tls(&o, &ca);
	dial(&o, s.port);
	RUN_UNTIL(&o, o.link->step == STEP_HANDSHAKE || o.state_count > 2);
	be_impatient(&o);
	RUN_UNTIL(&o, o.state_count > 2);
	assert_true(is_in(&o, LINK_FAILED));
	assert_non_null(strstr(o.reason, "speaks no TLS"));
	owner_done(&o);
	live_stop(&s);
}

/* --- what is no TLS ---------------------------------------------------------------------------- */

static void assert_no_tls(const char *answer, size_t len, bool hang_up, const char *words,
			  enum server_error error)
{
	const struct tls_options insecure = { .insecure = true };
	struct owner o;
	struct fake f;

	owner_init_tls(&o, &insecure);
	fake_init(&f, o.loop);
	f.answer = answer;
	f.answer_len = len;
	f.hang_up_on_read = hang_up;
	dial(&o, f.port);
	if (!answer && !hang_up) {
		RUN_UNTIL(&o, f.heard == 1);
		be_impatient(&o);
	}
	RUN_UNTIL(&o, o.state_count > 2);
	if (!strstr(o.reason, words))
		print_message("\"%s\" is not in \"%s\"\n", words, o.reason);
	assert_non_null(strstr(o.reason, words));
	assert_true(is_in(&o, LINK_FAILED));
	assert_int_equal(o.error, error);
	fake_done(&f);
	owner_done(&o);
}

#define ANSWER(bytes) bytes, sizeof(bytes) - 1

static void no_tls_at_the_other_end(void **state)
{
	(void)state;
	assert_no_tls(ANSWER("-ERR unknown command\r\n"), false,
		      "the server speaks no TLS (plain Redis?)", ERROR_TLS);
	assert_no_tls(ANSWER("-"), true, "the server speaks no TLS (plain Redis?)", ERROR_TLS);
	assert_no_tls(ANSWER("SSH-2.0-OpenSSH_9.2p1\r\n"), true, "the server speaks no TLS", ERROR_TLS);
	assert_no_tls(ANSWER("HTTP/1.1 400 Bad Request\r\n\r\n"), false, "the server speaks no TLS",
		      ERROR_TLS);
	assert_no_tls(ANSWER("\x15\x03\x03\x00\x02\x02\x46"), true, "TLS version not supported",
		      ERROR_TLS);
	assert_no_tls(ANSWER("\x15\x03\x03\x00\x02\x02\x28"), true, "refuses the TLS handshake",
		      ERROR_TLS);
	assert_no_tls(ANSWER("\x15\x03\x03\x00\x02\x02\x70"), true, "does not know the name", ERROR_TLS);
	assert_no_tls(ANSWER("\x16\x03\x03\xff\xff\x02\x46..."), false, "TLS: ", ERROR_TLS);
	assert_no_tls(NULL, 0, false, "no TLS handshake within 0.3 s: the server hangs, or speaks no TLS",
		      ERROR_OTHER);
	assert_no_tls(NULL, 0, true, "connection closed by the server during the TLS handshake",
		      ERROR_OTHER);
	/* The head of a record, and then the end. */
	assert_no_tls(ANSWER("\x16\x03\x03\x00\x7a\x02"), true, "during the TLS handshake", ERROR_OTHER);
}

static void a_plain_client_is_hung_up_on(void **state)
{
	struct owner o;
	struct fake f;

	(void)state;
	owner_init(&o);
	fake_init(&f, o.loop);
	f.hang_up_on_read = true;
	dial(&o, f.port);
	RUN_UNTIL(&o, o.state_count > 2);
	assert_true(is_in(&o, LINK_FAILED));
	assert_string_equal(o.reason,
			    "connection closed by the server before any reply: the port may want TLS");
	fake_done(&f);
	owner_done(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(files_that_are_wrong),
		cmocka_unit_test(no_tls_at_the_other_end),
		cmocka_unit_test(a_plain_client_is_hung_up_on),
		cmocka_unit_test(both_sides_are_known),
		cmocka_unit_test(the_server_is_not_trusted),
		cmocka_unit_test(the_server_is_another),
		cmocka_unit_test(the_client_is_not_known),
		cmocka_unit_test(plain_and_tls_mixed_up),
		cmocka_unit_test(a_folder_of_authorities),
	};

	return cmocka_run_group_tests(tests, secure_make_all, secure_remove_all);
}
