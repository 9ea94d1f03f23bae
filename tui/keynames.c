/* Keys by name: as written in --keys and in the config file, and as shown. */
#include "config.h"

#include "tui/keys.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"
#include "tui/screen_private.h"

/* As written between <>, and as shown. */
static const struct { uint32_t key; const char *name, *label; } key_names[] = {
	{ KEYC_TAB, "Tab", "Tab" },           { KEYC_ENTER, "Enter", "Enter" },
	{ KEYC_ESC, "Esc", "Esc" },           { KEYC_SPACE, "Space", "Space" },
	{ KEYC_BACKSPACE, "BS", "Backspace" }, { KEYC_UP, "Up", "Up" },
	{ KEYC_DOWN, "Down", "Down" },        { KEYC_LEFT, "Left", "Left" },
	{ KEYC_RIGHT, "Right", "Right" },     { KEYC_PAGE_UP, "PgUp", "PgUp" },
	{ KEYC_PAGE_DOWN, "PgDn", "PgDn" },   { KEYC_HOME, "Home", "Home" },
	{ KEYC_END, "End", "End" },           { KEYC_DELETE, "Del", "Del" },
	{ KEYC_SHIFT_TAB, "S-Tab", "Shift-Tab" }, { '<', "lt", "<" },
};

uint32_t keys_of_control(unsigned char c)
{
	switch (c) {
	case '\t':
		return KEYC_TAB;
	case '\r':
	case '\n':
		return KEYC_ENTER;
	case 8:
	case 127:
		return KEYC_BACKSPACE;
	case 0:
		return KEYC_CTRL | ' ';
	default:
		return KEYC_CTRL | (c < 27 ? c + 'a' - 1u : c + '@' + 0u);
	}
}

static bool key_of_name(const char *name, size_t len, uint32_t *key)
{
	for (size_t i = 0; i < sizeof(key_names) / sizeof(*key_names); i++) {
		if (strlen(key_names[i].name) == len && strncmp(key_names[i].name, name, len) == 0) {
			*key = key_names[i].key;
			return true;
		}
	}
	int64_t number;
	if (len >= 2 && name[0] == 'F' && number_parse(name + 1, len - 1, 1, 12, &number)) {
		*key = KEYC_F1 + (uint32_t)(number - 1);
		return true;
	}
	if (len != 3 || name[0] != 'C' || name[1] != '-' || name[2] < 'a' || name[2] > 'z')
		return false;
	/* as the terminal would send it: Ctrl-I is Tab */
	*key = keys_of_control((unsigned char)(name[2] - 'a' + 1));
	return true;
}

bool keys_parse(const char *text, uint32_t *out, size_t max, size_t *count)
{
	*count = 0;
	while (*text) {
		uint32_t key;
		if (*text == '<') {
			const char *end = strchr(text, '>');
			if (!end || !key_of_name(text + 1, (size_t)(end - text - 1), &key))
				return false;
			text = end + 1;
		} else {
			key = text_next(&text);
			if (key == '\n' || key == '\t')
				key = keys_of_control((unsigned char)key);
			else if (key == 0xfffd || text_is_control(key))
				return false;
		}
		if (*count == max)
			return false;
		out[(*count)++] = key;
	}
	return true;
}

char *key_name(uint32_t key, char out[16])
{
	for (size_t i = 0; i < sizeof(key_names) / sizeof(*key_names); i++) {
		if (key_names[i].key == key) {
			snprintf(out, 16, "%s", key_names[i].label);
			return out;
		}
	}
	if (key >= KEYC_F1 && key <= KEYC_F12) {
		snprintf(out, 16, "F%d", (int)(key - KEYC_F1) + 1);
		return out;
	}
	if (key & KEYC_CTRL) {
		int c = (int)(key & 0x7f);
		if (c == ' ')
			snprintf(out, 16, "Ctrl-Space");
		else
			snprintf(out, 16, "Ctrl-%c", c >= 'a' && c <= 'z' ? c - 32 : c);
		return out;
	}
	if (key >= 0x110000 || key < 0x20 || text_is_control(key)) {
		snprintf(out, 16, "?");
		return out;
	}
	screen_encode_utf8(key, out);
	return out;
}

char *keys_spell(uint32_t key, char out[16])
{
	char name[16];

	for (size_t i = 0; i < sizeof(key_names) / sizeof(*key_names); i++) {
		if (key_names[i].key == key) {
			snprintf(out, 16, "<%s>", key_names[i].name);
			return out;
		}
	}
	key_name(key, name);
	if (key >= KEYC_F1 && key <= KEYC_F12)
		snprintf(out, 16, "<%.8s>", name);
	else if (key & KEYC_CTRL)
		snprintf(out, 16, "<C-%c>", (int)(key & 0x7f));
	else
		memcpy(out, name, sizeof(name));
	return out;
}
