/* How a link introduces itself: credentials, refusals and their words, in which no password may be. */
#include "config.h"

#include "link_owner.h"
#include "live.h"
#include "model/permission.h"

static void hostile_reason_is_cleaned(void **state)
{
	static const char *const script[] = { "-NOAUTH \x1b[2J\x07\xe2\x80\xae"
					      "x\r\n", NULL };
	WITH_FAKE(o, f);

	f.script = script;
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_AUTH_ERROR));
	assert_null(strchr(o.reason, '\x1b'));
	assert_null(strchr(o.reason, '\x07'));
	assert_null(strstr(o.reason, "\xe2\x80\xae"));
	WITHOUT_FAKE(o, f);
}

static void candidates_in_turn(void **state)
{
	static const char *const script[] = { "-WRONGPASS invalid\r\n", "+OK\r\n", NULL };
	WITH_FAKE(o, f);

	f.script = script;
	credentials_set(o.credentials, CREDENTIAL_DATA, NULL, "first");
	credentials_set(o.credentials, CREDENTIAL_SENTINEL, NULL, "second");
	dial_as(&o, &(struct dialling){ .port = f.port, .both = true });
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_int_equal(f.accepted, 1);
	WITHOUT_FAKE(o, f);
}

#define UNKNOWN_AUTH                                                                               \
	"-ERR unknown command 'AUTH', with args beginning with: 's3cretpw' \r\n"

/* What a server says to AUTH, and to whatever comes after it: how that ends, in which words. The
 * password is in none of them, though the server quotes it. */
static void assert_greeting(const char *to_auth, const char *next, bool subscribe, bool both,
			    enum link_state expected, enum server_error error, const char *reason)
{
	const char *script[] = { to_auth, next, NULL };
	struct owner o;
	struct fake f;

	owner_init(&o);
	fake_init(&f, o.loop);
	f.script = script;
	f.reset_script = true;
	o.secret = "s3cretpw";
	credentials_set(o.credentials, CREDENTIAL_DATA, NULL, "s3cretpw");
	dial_as(&o, &(struct dialling){ .port = f.port, .subscribe = subscribe, .both = both });
	RUN_UNTIL(&o, o.state_count > 2);
	assert_int_equal(o.states[2], expected);
	assert_int_equal(o.error, error);
	assert_string_equal(o.reason, reason);
	fake_done(&f);
	owner_done(&o);
}

static void a_server_without_auth(void **state)
{
	(void)state;
	assert_greeting(UNKNOWN_AUTH, "+PONG\r\n", false, false, LINK_UP, ERROR_NONE, "");
	assert_greeting(UNKNOWN_AUTH, "+PONG\r\n", false, true, LINK_UP, ERROR_NONE, "");
	assert_greeting(UNKNOWN_AUTH, "-NOAUTH Authentication required.\r\n", false, false,
			LINK_AUTH_ERROR, ERROR_WRONGPASS,
			"a password is needed, but the server knows no AUTH");
}

static void refusals_quote_no_password(void **state)
{
	(void)state;
	assert_greeting("-ERR what is 's3cretpw'?\r\n", NULL, false, false, LINK_AUTH_ERROR,
			ERROR_OTHER, "AUTH was refused with an unknown error");
	assert_greeting("-ERR what is 's3cretpw'?\r\n", "-NOAUTH x\r\n", false, true,
			LINK_AUTH_ERROR, ERROR_WRONGPASS, "AUTH was refused with an unknown error");
	/* Part of it only, which no comparison finds. */
	assert_greeting("-ERR not 's3cre...'\r\n", NULL, false, false, LINK_AUTH_ERROR, ERROR_OTHER,
			"AUTH was refused with an unknown error");
	assert_greeting("-WRONGPASS 's3cretpw' is not it\r\n", NULL, false, false, LINK_AUTH_ERROR,
			ERROR_WRONGPASS,
			"user or password refused: WRONGPASS (what the server says holds a password)");
	assert_greeting(UNKNOWN_AUTH, "-NOAUTH after s3cretpw\r\n", false, false, LINK_AUTH_ERROR,
			ERROR_WRONGPASS, "a password is needed, but the server knows no AUTH");
	assert_greeting("+OK\r\n", "-NOPERM s3cretpw\r\n", true, false, LINK_AUTH_ERROR,
			ERROR_NOPERM, "events refused: NOPERM (what the server says holds a password)");
	assert_greeting("-DENIED s3cretpw\r\n", NULL, false, false, LINK_FAILED, ERROR_DENIED,
			"protected mode: DENIED (what the server says holds a password)");
}

static void known_refusals_keep_their_words(void **state)
{
	(void)state;
	assert_greeting("-ERR invalid password\r\n", NULL, false, false, LINK_AUTH_ERROR,
			ERROR_WRONGPASS, "user or password refused: ERR invalid password");
	/* Redis up to 5, of a user's name */
	assert_greeting("-ERR wrong number of arguments for 'auth' command\r\n", NULL, false, false,
			LINK_AUTH_ERROR, ERROR_OTHER,
			"user or password refused: ERR wrong number of arguments for 'auth' command");
	assert_greeting("-ERR wrong number of arguments for 'auth' command: s3cre\r\n", NULL, false,
			false, LINK_AUTH_ERROR, ERROR_OTHER,
			"AUTH was refused with an unknown error");
}

/* --- real servers ------------------------------------------------------------------------------ */

static void real_passwords(void **state)
{
	const char *args[] = { "--requirepass", "right", NULL };
	struct live_server s = { 0 };
	struct owner o;

	(void)state;
	if (!live_available())
		skip();
	live_start(&s, args);
	owner_init(&o);
	dial(&o, s.port);
	RUN_UNTIL(&o, is_in(&o, LINK_AUTH_ERROR));
	assert_int_equal(o.error, ERROR_NOAUTH);
	assert_non_null(strstr(o.reason, "password missing: NOAUTH"));
	credentials_set(o.credentials, CREDENTIAL_DATA, NULL, "wrong");
	link_retry_now(o.link);
	RUN_UNTIL(&o, o.error == ERROR_WRONGPASS);
	assert_non_null(strstr(o.reason, "user or password refused: WRONGPASS"));
	credentials_set(o.credentials, CREDENTIAL_DATA, "default", "right");
	link_retry_now(o.link);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	owner_done(&o);
	live_stop(&s);
	/* A password where none is asked for does no harm. */
	live_start(&s, NULL);
	owner_init(&o);
	credentials_set(o.credentials, CREDENTIAL_DATA, NULL, "useless");
	dial(&o, s.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	owner_done(&o);
	live_stop(&s);
}

static void real_server_without_auth(void **state)
{
	const char *args[] = { "--rename-command", "AUTH", "", NULL };
	struct live_server s = { 0 };
	struct owner o;
	char reply[200];

	(void)state;
	if (!live_available())
		skip();
	live_start(&s, args);
	live_command(s.port, "AUTH s3cretpw", reply, sizeof(reply));
	assert_non_null(strstr(reply, "unknown command 'AUTH'"));
	assert_non_null(strstr(reply, "s3cretpw"));
	owner_init(&o);
	o.secret = "s3cretpw";
	credentials_set(o.credentials, CREDENTIAL_DATA, NULL, "s3cretpw");
	dial_as(&o, &(struct dialling){ .port = s.port, .both = true });
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	/* Found to be a data node: the next connection has one candidate only. */
	link_set_credential_kind(o.link, CREDENTIAL_DATA);
	live_command(s.port, "CLIENT KILL TYPE normal", reply, sizeof(reply));
	assert_string_equal(reply, ":1\r\n");
	RUN_UNTIL(&o, is_in(&o, LINK_LOST));
	RUN_UNTIL(&o, times_in(&o, LINK_UP) == 2 || is_in(&o, LINK_AUTH_ERROR));
	assert_true(is_in(&o, LINK_UP));
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	RUN_UNTIL(&o, o.replies == 1);
	assert_int_equal(times_in(&o, LINK_AUTH_ERROR), 0);
	owner_done(&o);
	live_stop(&s);
}

/* A user's name is among the words of a refusal, and may be any word. */
static void real_permissions_of_a_channels_user(void **state)
{
	const char *args[] = { "--user", "channels", "on", ">long-pw", "resetchannels", "-@all",
			       "+ping", "+psubscribe", NULL };
	struct live_server s = { 0 };
	struct owner o;
	char name[PERMISSION_BYTES];

	(void)state;
	if (!live_available())
		skip();
	live_start(&s, args);
	owner_init(&o);
	credentials_set(o.credentials, CREDENTIAL_DATA, "channels", "long-pw");
	dial(&o, s.port);
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	assert_true(link_ask(o.link, ASK_INFO, NULL, 1));
	RUN_UNTIL(&o, o.replies == 1);
	assert_non_null(strstr(o.last_text, "NOPERM"));
	assert_string_equal(permission_name("INFO", o.last_text, name), "+info");
	assert_string_equal(permission_name("INFO", "NOPERM User channels has no permissions to "
					    "run the 'info' command", name), "+info");
	link_free(o.link);
	dial_as(&o, &(struct dialling){ .port = s.port, .subscribe = true });
	RUN_UNTIL(&o, is_in(&o, LINK_AUTH_ERROR));
	assert_string_equal(permission_name("PSUBSCRIBE *", o.reason, name), "&*");
	assert_string_equal(permission_name("PSUBSCRIBE *", "NOPERM this user has no permissions to "
					    "access one of the channels used as arguments", name),
			    "&*");
	assert_string_equal(permission_name("PSUBSCRIBE *", "NOPERM No permissions to access a "
					    "channel", name), "&*");
	owner_done(&o);
	live_stop(&s);
}

static void real_unix_socket_and_acl(void **state)
{
	struct live_server s = { 0 };
	struct owner o;
	const char *args[] = { "--unixsocket", "u.sock", "--user", "watcher", "on", ">pw",
			       "resetchannels", "-@all", "+ping", "+info", "+psubscribe", NULL };
	char path[100];

	(void)state;
	if (!live_available())
		skip();
	live_start(&s, args);
	snprintf(path, sizeof(path), "%s/u.sock", s.folder);
	owner_init(&o);
	dial_as(&o, &(struct dialling){ .host = path });
	RUN_UNTIL(&o, is_in(&o, LINK_UP));
	link_ask(o.link, ASK_ROLE, NULL, 1);
	RUN_UNTIL(&o, o.replies == 1);
	link_free(o.link);
	credentials_set(o.credentials, CREDENTIAL_DATA, "watcher", "pw");
	dial_as(&o, &(struct dialling){ .host = path, .subscribe = true });
	RUN_UNTIL(&o, is_in(&o, LINK_AUTH_ERROR));
	assert_int_equal(o.error, ERROR_NOPERM);
	assert_non_null(strstr(o.reason, "events refused: NOPERM"));
	owner_done(&o);
	live_stop(&s);
}

/* Whatever comes in, asked for or not: an error that is cut is looked at whole, and so are messages. */
static void nothing_quotes_a_password(void **state)
{
	static const char *const script[] = { "+OK\r\n", "*3\r\n$10\r\npsubscribe\r\n$1\r\n*\r\n:1\r\n"
					      "*4\r\n$8\r\npmessage\r\n$1\r\n*\r\n$5\r\n+what\r\n"
					      "$13\r\never s3cretpw\r\n", NULL };
	char banner[400];
	WITH_FAKE(o, f);

	(void)state;
	/* It ends in the middle of the password. */
	snprintf(banner, sizeof(banner), "-ERR %0*d s3cretpw is not it\r\n", REASON_BYTES - 12, 0);
	f.banner = banner;
	o.secret = "s3cre";
	credentials_set(o.credentials, CREDENTIAL_DATA, NULL, "s3cretpw");
	dial(&o, f.port);
	RUN_UNTIL(&o, is_in(&o, LINK_FAILED) || is_in(&o, LINK_AUTH_ERROR) || is_in(&o, LINK_LOST));
	assert_null(strstr(o.reason, "s3cre"));
	link_free(o.link);
	f.banner = NULL;
	f.script = script;
	f.reads = 0;
	o.secret = "s3cretpw";
	dial_as(&o, &(struct dialling){ .port = f.port, .subscribe = true });
	RUN_UNTIL(&o, o.messages == 1);
	assert_string_equal(o.payload, "ever ********");
	WITHOUT_FAKE(o, f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hostile_reason_is_cleaned),
		cmocka_unit_test(candidates_in_turn),
		cmocka_unit_test(a_server_without_auth),
		cmocka_unit_test(refusals_quote_no_password),
		cmocka_unit_test(known_refusals_keep_their_words),
		cmocka_unit_test(real_passwords),
		cmocka_unit_test(real_server_without_auth),
		cmocka_unit_test(real_permissions_of_a_channels_user),
		cmocka_unit_test(real_unix_socket_and_acl),
		cmocka_unit_test(nothing_quotes_a_password),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
