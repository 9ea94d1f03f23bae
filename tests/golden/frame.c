#include "config.h"

#include "frame.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/number.h"
#include "base/text.h"
#include "tui/screen_state.h"

#define ROWS_SHOWN 6   /* of a difference; the rest is counted */
#define ROLES_SHOWN 4  /* runs of cells in a row */

static const char *const block_names[FRAME_BLOCKS] = { "text", "roles", "looks" };

/* A role that is new gets a line here, and a character of its own. */
#define ROLE_CODES(X)                                                                              \
	X(STYLE_TEXT, '.') X(STYLE_DIM, 'd') X(STYLE_STRONG, 's')                                    \
	X(STYLE_HEADER, 'h') X(STYLE_HEADER_STRONG, 'H') X(STYLE_BADGE, 'b')                         \
	X(STYLE_TAB, 't') X(STYLE_TAB_ACTIVE, 'T')                                                   \
	X(STYLE_BORDER, '-') X(STYLE_BORDER_FOCUS, '=') X(STYLE_TITLE, 'i')                          \
	X(STYLE_KEY, 'k') X(STYLE_KEY_LABEL, 'l')                                                    \
	X(STYLE_SELECTED, 'S') X(STYLE_MATCH, 'm')                                                   \
	X(STYLE_OK, 'o') X(STYLE_WARNING, 'w') X(STYLE_CRITICAL, 'c')                                \
	X(STYLE_UNKNOWN_STATE, 'u') X(STYLE_STALE, 'a') X(STYLE_NOTICE, 'n')                         \
	X(STYLE_ALERT_WARNING, 'W') X(STYLE_ALERT_CRITICAL, 'C')                                     \
	X(STYLE_MASTER_NODE, 'M') X(STYLE_REPLICA_NODE, 'r') X(STYLE_SENTINEL_NODE, 'e')             \
	X(STYLE_BAR, '#') X(STYLE_BAR_BACK, '_') X(STYLE_SPARK, '^')                                 \
	X(STYLE_OWNER_1, '1') X(STYLE_OWNER_2, '2') X(STYLE_OWNER_3, '3') X(STYLE_OWNER_4, '4')      \
	X(STYLE_OWNER_5, '5') X(STYLE_OWNER_6, '6') X(STYLE_OWNER_7, '7') X(STYLE_OWNER_8, '8')      \
	X(STYLE_DIALOG, 'D') X(STYLE_DIALOG_BORDER, 'B') X(STYLE_INPUT, 'I')

static const char role_codes[STYLE_ROLE_COUNT] = {
#define X(role, code) [role] = code,
	ROLE_CODES(X)
#undef X
};
#define X(role, code) +1
_Static_assert(0 ROLE_CODES(X) == STYLE_ROLE_COUNT, "a character for each role of tui/theme.h");
#undef X

bool frame_codes_differ(void)
{
	for (int a = 0; a < STYLE_ROLE_COUNT; a++)
		for (int b = 0; b < a; b++)
			if (role_codes[a] == role_codes[b])
				return false;
	return true;
}

/* --- from the screen --------------------------------------------------------------------------- */

static const struct cell *row_of(const struct screen *s, int y)
{
	return &s->cells[(size_t)y * (size_t)s->width];
}

static char *finish_row(struct buf *row, char blank)
{
	while (row->len > 0 && row->data[row->len - 1] == blank)
		row->len--;
	char *text = mem_strdup(buf_str(row));
	text[row->len] = '\0';
	buf_reset(row);
	return text;
}

static char *text_row(const struct screen *s, int y, struct buf *row)
{
	char text[5];
	for (int x = 0; x < s->width; x++) {
		const struct cell *c = &row_of(s, y)[x];
		if (c->width == 0)
			continue;
		buf_add(row, text, (size_t)screen_encode_utf8(c->code, text));
		if (c->mark != 0)
			buf_add(row, text, (size_t)screen_encode_utf8(c->mark, text));
	}
	return finish_row(row, ' ');
}

/* The attributes as a number in one character: none is a dot, bold A, dim B, both C. */
static char look_code(const struct style *style)
{
	static const char codes[] = ".ABCDEFGHIJKLMNOPQRSTUVWXYZ12345";
	return codes[style->attrs & 31];
}

static char *code_row(const struct screen *s, int y, enum frame_block block, struct buf *row)
{
	for (int x = 0; x < s->width; x++) {
		uint16_t role = row_of(s, y)[x].role;
		buf_addch(row, block == FRAME_ROLES ? role_codes[role] : look_code(&s->styles[role]));
	}
	return finish_row(row, '.');
}

static char **new_rows(int height)
{
	return mem_alloc((size_t)height * sizeof(char *));
}

void frame_take(struct frame *f, const struct screen *s, bool looks)
{
	struct buf row = BUF_INIT;
	f->height = s->height;
	for (int block = 0; block < FRAME_BLOCKS; block++) {
		f->rows[block] = block == FRAME_LOOKS && !looks ? NULL : new_rows(f->height);
		for (int y = 0; f->rows[block] != NULL && y < f->height; y++)
			f->rows[block][y] = block == FRAME_TEXT ? text_row(s, y, &row)
							       : code_row(s, y, (enum frame_block)block, &row);
	}
	buf_free(&row);
}

void frame_free(struct frame *f)
{
	for (int block = 0; block < FRAME_BLOCKS; block++) {
		for (int y = 0; f->rows[block] != NULL && y < f->height; y++)
			free(f->rows[block][y]);
		free(f->rows[block]);
		f->rows[block] = NULL;
	}
}

/* --- as a file --------------------------------------------------------------------------------- */

static bool has_code(const struct frame *f, enum frame_block block, char code)
{
	for (int y = 0; y < f->height; y++)
		if (code != '\0' && strchr(f->rows[block][y], code) != NULL)
			return true;
	return false;
}

/* "  d dim", as many to a line as fit. */
static void add_legend(struct buf *out, size_t *line_at, char code, const char *name)
{
	if (out->len - *line_at + strlen(name) > 95) {
		buf_addstr(out, "\n   ");
		*line_at = out->len;
	}
	buf_addf(out, "  %c %s", code, name);
}

static void role_legend(const struct frame *f, struct buf *out)
{
	size_t line_at = out->len;
	buf_addstr(out, "   ");
	for (int role = 0; role < STYLE_ROLE_COUNT; role++)
		if (role == STYLE_TEXT || has_code(f, FRAME_ROLES, role_codes[role]))
			add_legend(out, &line_at, role_codes[role], style_role_name((enum style_role)role));
	buf_addch(out, '\n');
}

static const char *look_name(uint16_t attrs, char out[64])
{
	static const char *const names[] = { "bold", "dim", "underline", "reverse", "italic" };
	out[0] = '\0';
	for (size_t i = 0; i < 5; i++) {
		size_t len = strlen(out);
		if (attrs >> i & 1)
			snprintf(out + len, 64 - len, "%s%s", len > 0 ? "+" : "", names[i]);
	}
	return out[0] != '\0' ? out : "plain";
}

static void look_legend(const struct frame *f, struct buf *out)
{
	size_t line_at = out->len;
	char name[64];
	buf_addstr(out, "   ");
	for (uint16_t attrs = 0; attrs < 32; attrs++) {
		char code = look_code(&(struct style){ .attrs = attrs });
		if (attrs == 0 || has_code(f, FRAME_LOOKS, code))
			add_legend(out, &line_at, code, look_name(attrs, name));
	}
	buf_addch(out, '\n');
}

void frame_write(const struct frame *f, const char *title, struct buf *out)
{
	buf_addf(out, "%s\n", title);
	for (int block = 0; block < FRAME_BLOCKS; block++) {
		if (f->rows[block] == NULL)
			continue;
		buf_addf(out, "\n%s\n", block_names[block]);
		if (block == FRAME_ROLES)
			role_legend(f, out);
		if (block == FRAME_LOOKS)
			look_legend(f, out);
		for (int y = 0; y < f->height; y++)
			buf_addf(out, "%3d|%s\n", y, f->rows[block][y]);
	}
}

static int block_of(const char *line, size_t len)
{
	for (int block = 0; block < FRAME_BLOCKS; block++)
		if (strlen(block_names[block]) == len && memcmp(line, block_names[block], len) == 0)
			return block;
	return FRAME_BLOCKS;
}

/* "  7|..."; -1: another line. */
static int row_number(const char *line, size_t len)
{
	int64_t y;
	size_t at = strspn(line, " ");
	if (len < 4 || line[3] != '|' || at > 2 || !number_parse(line + at, 3 - at, 0, 999, &y))
		return -1;
	return (int)y;
}

static bool read_line(struct frame *f, int *block, const char *line, size_t len)
{
	int y = row_number(line, len), named = block_of(line, len);
	if (named < FRAME_BLOCKS) {
		*block = named;
		if (f->rows[named] != NULL)
			return false;
		f->rows[named] = new_rows(1000);
		return true;
	}
	if (y < 0)
		return true; /* title, legend, nothing */
	if (*block >= FRAME_BLOCKS || f->rows[*block][y] != NULL)
		return false;
	f->rows[*block][y] = mem_alloc(len - 3);
	memcpy(f->rows[*block][y], line + 4, len - 4);
	if (y >= f->height)
		f->height = y + 1;
	return true;
}

bool frame_read(struct frame *f, const char *text, struct buf *err)
{
	int block = FRAME_BLOCKS, number = 1;
	memset(f, 0, sizeof(*f));
	for (; *text != '\0'; number++) {
		size_t len = strcspn(text, "\n");
		if (!read_line(f, &block, text, len)) {
			buf_addf(err, "line %d is not understood", number);
			f->height = 1000;
			frame_free(f);
			return false;
		}
		text += len + (text[len] == '\n');
	}
	return true;
}

/* --- difference -------------------------------------------------------------------------------- */

static const char *row_at(const struct frame *f, int block, int y)
{
	if (f->rows[block] == NULL || y >= f->height || f->rows[block][y] == NULL)
		return "";
	return f->rows[block][y];
}

/* The next character and its columns; blanks for ever after the end. */
static uint32_t next_cell(const char **text, uint32_t blank, int *columns)
{
	uint32_t code = **text != '\0' ? text_next(text) : blank;
	*columns = text_char_width(code);
	return code;
}

/* First column in which they differ, and in how many; -1: in none. */
static int first_difference(const char *a, const char *b, uint32_t blank, int *cells)
{
	int first = -1, x = 0;
	*cells = 0;
	while (*a != '\0' || *b != '\0') {
		int columns_a, columns_b;
		bool same = next_cell(&a, blank, &columns_a) == next_cell(&b, blank, &columns_b);
		if (!same && first < 0)
			first = x;
		*cells += !same;
		x += columns_a > columns_b ? columns_a : columns_b;
	}
	return first;
}

static const char *code_name(int block, char code)
{
	static char name[64];
	for (int role = 0; block == FRAME_ROLES && role < STYLE_ROLE_COUNT; role++)
		if (role_codes[role] == code)
			return style_role_name((enum style_role)role);
	for (uint16_t attrs = 0; block == FRAME_LOOKS && attrs < 32; attrs++)
		if (look_code(&(struct style){ .attrs = attrs }) == code)
			return look_name(attrs, name);
	return "?";
}

static char code_at(const char *row, size_t x)
{
	return x < strlen(row) ? row[x] : '.';
}

/* "columns 12-20: ok is now critical", run by run. */
static void say_codes(int block, const char *a, const char *b, struct buf *out)
{
	size_t end = strlen(a) > strlen(b) ? strlen(a) : strlen(b), x = 0, runs = 0;
	while (x < end) {
		size_t from = x;
		char was = code_at(a, x), is = code_at(b, x);
		while (x < end && code_at(a, x) == was && code_at(b, x) == is)
			x++;
		if (was == is)
			continue;
		if (runs++ == ROLES_SHOWN) {
			buf_addstr(out, "      and further on\n");
			return;
		}
		buf_addf(out, "      column%s %zu", x - from > 1 ? "s" : "", from);
		if (x - from > 1)
			buf_addf(out, "-%zu", x - 1);
		buf_addf(out, ": %s", code_name(block, was));
		buf_addf(out, " is now %s\n", code_name(block, is));
	}
}

static void say_row(int block, int y, int x, const char *a, const char *b, struct buf *out)
{
	buf_addf(out, "    %s, row %d, column %d\n", block_names[block], y, x);
	if (block != FRAME_TEXT) {
		say_codes(block, a, b, out);
		return;
	}
	buf_addf(out, "      -|%s\n      +|%s\n        %*s^\n", a, b, x, "");
}

struct frame_difference frame_compare(const struct frame *expected, const struct frame *actual,
				      struct buf *out)
{
	struct frame_difference d = { 0, 0 };
	int height = expected->height > actual->height ? expected->height : actual->height;
	for (int block = 0; block < FRAME_BLOCKS; block++) {
		for (int y = 0; y < height; y++) {
			const char *a = row_at(expected, block, y), *b = row_at(actual, block, y);
			int cells, x = first_difference(a, b, block == FRAME_TEXT ? ' ' : '.', &cells);
			if (x < 0)
				continue;
			if (out != NULL && d.rows < ROWS_SHOWN)
				say_row(block, y, x, a, b, out);
			d.rows++;
			d.cells += cells;
		}
	}
	if (out != NULL && expected->height != actual->height)
		buf_addf(out, "    %d rows are now %d\n", expected->height, actual->height);
	if (expected->height != actual->height)
		d.rows++;
	if (out != NULL && d.rows > ROWS_SHOWN)
		buf_addf(out, "    and %d more rows\n", d.rows - ROWS_SHOWN);
	return d;
}
