/* Theme files, --keys texts, and what a terminal sends. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"
#include "tui/keys.h"
#include "tui/screen_private.h"
#include "tui/theme.h"

/* --- themes --- */

static const char *theme_file(const uint8_t *data, size_t size)
{
	static char path[64];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("fuzz.theme", MFD_CLOEXEC);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	if (fd < 0 || ftruncate(fd, 0) != 0 || pwrite(fd, data, size, 0) != (ssize_t)size)
		return NULL;
	return path;
}

static void check_styles(const struct style *styles, int colors)
{
	for (int i = 0; i < STYLE_ROLE_COUNT; i++) {
		const struct style *s = &styles[i];

		FUZZ_ASSERT(s->fg >= -1 && s->fg < colors && s->bg >= -1 && s->bg < colors);
		FUZZ_ASSERT(s->fg_rgb >= -1 && s->fg_rgb <= 0xffffff);
		FUZZ_ASSERT(s->bg_rgb >= -1 && s->bg_rgb <= 0xffffff);
		FUZZ_ASSERT(s->attrs < ATTR_ITALIC * 2);
	}
}

void fuzz_theme(const uint8_t *data, size_t size)
{
	const char *path = theme_file(data, size);
	struct buf err = BUF_INIT;
	struct theme t;
	bool ok;

	if (!path)
		return;
	memset(&t, 0xa5, sizeof(t));
	ok = theme_load(&t, path, &err);
	FUZZ_ASSERT(ok == (err.len == 0));
	FUZZ_CLEAN_TEXT(buf_str(&err));
	FUZZ_ASSERT(ok || strstr(err.data, ": ") != NULL);
	FUZZ_CLEAN(t.name);
	check_styles(t.full, 256);
	check_styles(t.sixteen, 16);
	check_styles(t.eight, 8);
	buf_free(&err);
}

/* --- keys: a screen that is nothing but its input --- */

static struct {
	struct buf pending; /* read, not yet decoded */
	const uint8_t *next;
	size_t left, piece;
	struct key_times times;
} terminal;

bool screen_has_mouse(const struct screen *s)
{
	(void)s;
	return true;
}

struct buf *screen_input(struct screen *s)
{
	(void)s;
	return &terminal.pending;
}

struct key_times *screen_key_times(struct screen *s)
{
	(void)s;
	return &terminal.times;
}

int screen_read_input(struct screen *s)
{
	size_t len = terminal.left < terminal.piece ? terminal.left : terminal.piece;

	(void)s;
	if (len == 0)
		return 0;
	buf_add(&terminal.pending, terminal.next, len);
	terminal.next += len;
	terminal.left -= len;
	return 1;
}

/* screen_cells.c has it for the cells, and all of curses behind it. */
int screen_encode_utf8(uint32_t code, char out[5])
{
	int len = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const unsigned char lead[] = { 0, 0, 0xc0, 0xe0, 0xf0 };

	for (int i = len - 1; i > 0; i--, code >>= 6)
		out[i] = (char)(0x80 | (code & 0x3f));
	out[0] = (char)(lead[len] | code);
	out[len] = '\0';
	return len;
}

static void check_key(uint32_t key)
{
	char name[16];
	struct mouse mouse;

	if (key_is_mouse(key, &mouse)) {
		FUZZ_ASSERT(mouse.kind >= MOUSE_CLICK && mouse.kind <= MOUSE_WHEEL_DOWN);
		FUZZ_ASSERT(mouse.y >= 0 && mouse.y < 4096 && mouse.x >= 0 && mouse.x < 4096);
		return;
	}
	/* Of a paste only text comes. */
	if (key & KEYC_PASTED) {
		key &= ~KEYC_PASTED;
		FUZZ_ASSERT(key >= ' ' && key <= 0x10ffff);
	}
	memset(name, 0xff, sizeof(name));
	FUZZ_ASSERT(key != KEYC_NONE);
	FUZZ_ASSERT(key <= KEYC_F12 || (key & ~(uint32_t)0x7f) == KEYC_CTRL);
	FUZZ_ASSERT(key_name(key, name) == name);
	FUZZ_CLEAN(name);
	FUZZ_ASSERT(name[0] != '\0' && (key == '?' || strcmp(name, "?") != 0));
}

#define READ_MAX 600

static size_t read_keys(const uint8_t *data, size_t size, size_t piece, uint32_t *keys)
{
	uint32_t some[7];
	size_t count = 0;
	int got;

	terminal.next = data;
	terminal.left = size;
	terminal.piece = piece;
	memset(&terminal.times, 0, sizeof(terminal.times));
	do {
		got = keys_read(NULL, some, 7);
		FUZZ_ASSERT(got >= 0 && got <= 7);
		for (int i = 0; i < got && count < READ_MAX; i++)
			keys[count++] = some[i];
		/* What could still become a key is waited for in vain. */
		if (got < 7 && terminal.left == 0 && terminal.pending.len > 0) {
			terminal.times.last_ms = INT64_MIN / 2;
			FUZZ_ASSERT(keys_wait_ms(NULL) == 0);
			got = 7;
		}
	} while (got == 7 || terminal.left > 0);
	FUZZ_ASSERT(terminal.pending.len == 0 && keys_wait_ms(NULL) == -1);
	return count;
}

static void check_terminal(const uint8_t *data, size_t size, size_t piece)
{
	static uint32_t whole[READ_MAX], pieces[READ_MAX];
	size_t count = read_keys(data, size, size, whole);

	FUZZ_ASSERT(count <= size);
	for (size_t i = 0; i < count; i++)
		check_key(whole[i]);
	/* One call reads only so often; a sequence may be torn between two. */
	if (size / piece >= 14)
		return;
	FUZZ_ASSERT(read_keys(data, size, piece, pieces) == count);
	FUZZ_ASSERT(memcmp(whole, pieces, count * sizeof(*whole)) == 0);
}

static void check_text(const char *text)
{
	uint32_t keys[64];
	size_t count = 0;

	if (!keys_parse(text, keys, 64, &count)) {
		FUZZ_ASSERT(count <= 64);
		return;
	}
	FUZZ_ASSERT(count <= 64 && count <= strlen(text));
	for (size_t i = 0; i < count; i++)
		check_key(keys[i]);
}

/* The first byte: 0 a --keys text, else the pieces in which the terminal sends. */
void fuzz_keys(const uint8_t *data, size_t size)
{
	if (size < 2 || size > READ_MAX)
		return;
	if (data[0] == 0) {
		char *text = fuzz_string(data + 1, size - 1);

		check_text(text);
		free(text);
		return;
	}
	check_terminal(data + 1, size - 1, data[0]);
}
