/* Keys to commands: what is built in, and what the config file makes of it. */
#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tui/keys.h"
#include "views/keymap.h"

static void takes(struct keymap *m, const char *name, const char *value, int line)
{
	struct buf err = BUF_INIT;
	if (!keymap_set(m, name, value, line, &err))
		fail_msg("%s = %s: %s", name, value, buf_str(&err));
	buf_free(&err);
}

static void refuses(const char *name, const char *value, const char *why)
{
	struct keymap m = *keymap_builtin();
	struct buf err = BUF_INIT;
	assert_false(keymap_set(&m, name, value, 1, &err));
	assert_string_equal(buf_str(&err), why);
	assert_memory_equal(&m, keymap_builtin(), sizeof(m));
	buf_free(&err);
}

static void checked(const struct keymap *m, int line, const char *why)
{
	struct buf err = BUF_INIT;
	assert_int_equal(keymap_check(m, &err), line);
	assert_string_equal(buf_str(&err), why);
	buf_free(&err);
}

static void built_in(void **state)
{
	const struct keymap *m = keymap_builtin();
	(void)state;
	assert_int_equal(keymap_command(m, 'j', false), CMD_DOWN);
	assert_int_equal(keymap_command(m, KEYC_CTRL | 'd', false), CMD_HALF_DOWN);
	assert_int_equal(keymap_command(m, '0', false), CMD_SCREEN_0);
	assert_int_equal(keymap_command(m, KEYC_NONE, false), CMD_NONE);
	checked(m, 0, "");
	/* Each command stands once, with a name that nobody else has. */
	for (int command = CMD_NONE + 1; command < CMD_COUNT; command++) {
		const struct key_binding *b = key_binding_of((enum command)command);
		assert_non_null(b);
		assert_ptr_equal(key_binding_named(b->name, strlen(b->name)), b);
		assert_int_equal(strspn(b->name, "abcdefghijklmnopqrstuvwxyz-"), strlen(b->name));
	}
	assert_int_equal(key_binding_count, CMD_COUNT - 1);
}

static void some_mean_another_thing_in_a_replay(void **state)
{
	struct keymap m = *keymap_builtin();
	(void)state;
	assert_int_equal(keymap_command(&m, KEYC_SPACE, false), CMD_FREEZE);
	assert_int_equal(keymap_command(&m, KEYC_SPACE, true), CMD_PLAY);
	assert_int_equal(keymap_command(&m, '+', false), CMD_FASTER);
	assert_int_equal(keymap_command(&m, '+', true), CMD_PLAY_FASTER);
	assert_int_equal(keymap_command(&m, 'n', false), CMD_NONE);
	assert_int_equal(keymap_command(&m, 'q', true), CMD_QUIT);
	takes(&m, "next", "q", 7);
	checked(&m, 7, "next: q is a key of quit: give that another one");
	takes(&m, "next", "+", 8);
	checked(&m, 8, "next: + is a key of play-faster: give that another one");
	takes(&m, "next", "a", 9);
	takes(&m, "actions", "", 9);
	checked(&m, 0, "");
}

static void dangerous_ones_need_no_control_key(void **state)
{
	(void)state;
	for (size_t k = 0; k < KEYS_A_COMMAND; k++)
		assert_false(key_binding_of(CMD_FAILOVER)->keys[k] & KEYC_CTRL);
}

static void other_keys(void **state)
{
	struct keymap m = *keymap_builtin();
	char text[64];
	(void)state;
	takes(&m, "failover", "F <F2>\t<C-x>", 3);
	takes(&m, "filter", "", 4);
	takes(&m, "sort", "f", 5);
	checked(&m, 0, "");
	assert_int_equal(keymap_command(&m, 'F', false), CMD_FAILOVER);
	assert_int_equal(keymap_command(&m, KEYC_F1 + 1, false), CMD_FAILOVER);
	assert_int_equal(keymap_command(&m, KEYC_CTRL | 'x', false), CMD_FAILOVER);
	assert_int_equal(keymap_command(&m, 'f', false), CMD_SORT_NEXT);
	assert_int_equal(keymap_command(&m, 's', false), CMD_NONE);
	assert_int_equal(keymap_command(&m, '/', false), CMD_NONE);
	keymap_keys_text(&m, CMD_FAILOVER, text, sizeof(text));
	assert_string_equal(text, "F, F2, Ctrl-X");
	takes(&m, "failover", "X", 6); /* the last line counts */
	assert_int_equal(keymap_command(&m, 'F', false), CMD_NONE);
}

static void errors(void **state)
{
	struct keymap m = *keymap_builtin();
	(void)state;
	refuses("failovr", "F", "unknown command");
	refuses("", "F", "unknown command");
	refuses("failover", "F <Nix>", "'<Nix>' is no key: one character, or a name: <C-l> <F1> <Tab>");
	refuses("failover", "FF", "'FF' is no key: one character, or a name: <C-l> <F1> <Tab>");
	refuses("failover", "<F13>", "'<F13>' is no key: one character, or a name: <C-l> <F1> <Tab>");
	refuses("failover", "a\x1b[m", "'a\\x1b[m' is no key: one character, or a name: <C-l> <F1> <Tab>");
	refuses("failover", "1 2 3 4 5", "more than 4 keys");
	takes(&m, "failover", "s", 7);
	checked(&m, 7, "failover: s is a key of sort: give that another one");
	takes(&m, "sort", "o <Tab>", 5);
	checked(&m, 5, "sort: <Tab> is a key of next-pane: give that another one");
	takes(&m, "sort", "o <C-o> o", 9);
	checked(&m, 9, "sort: o stands twice");
	takes(&m, "sort", "o", 9);
	takes(&m, "quit", "", 11);
	checked(&m, 11, "quit: needs a key");
	takes(&m, "quit", "Q", 11);
	takes(&m, "help", " ", 12);
	checked(&m, 12, "help: needs a key");
	takes(&m, "help", "<F12>", 12);
	checked(&m, 0, "");
}

/* What is printed is taken again, and makes the same map. */
static void printed(void **state)
{
	struct keymap m = *keymap_builtin(), again = *keymap_builtin();
	struct buf out = BUF_INIT;
	(void)state;
	takes(&m, "failover", "F <F12> <C-x> \xc3\xa9", 0);
	takes(&m, "line", "<lt> = ; #", 0);
	takes(&m, "filter", "", 0);
	keymap_print(&m, 0, &out);
	for (char *line = strtok(out.data, "\n"); line != NULL; line = strtok(NULL, "\n")) {
		char *equals = strchr(line, '=');
		assert_non_null(equals);
		equals[-1] = '\0';
		takes(&again, line, equals + 1, 0);
	}
	assert_memory_equal(&m, &again, sizeof(m));
	buf_reset(&out);
	keymap_print(&m, 1u << 8, &out);
	assert_null(strstr(out.data, "doctor"));
	assert_non_null(strstr(out.data, "failovers = 9\n"));
	/* Another command may have its key then. */
	takes(&m, "doctor", "", 3);
	buf_reset(&out);
	keymap_print(&m, 1u << 8, &out);
	assert_non_null(strstr(out.data, "doctor =\n"));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(built_in),   cmocka_unit_test(some_mean_another_thing_in_a_replay),
		cmocka_unit_test(dangerous_ones_need_no_control_key),
		cmocka_unit_test(other_keys), cmocka_unit_test(errors),
		cmocka_unit_test(printed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
