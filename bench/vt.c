#include "config.h"

#include "vt.h"

#include <stdlib.h>
#include <string.h>

enum vt_state { VT_TEXT, VT_ESCAPE, VT_CSI, VT_STRING, VT_STRING_ESCAPE, VT_SKIP_ONE };

void vt_init(struct vt *vt, int rows, int cols)
{
	memset(vt, 0, sizeof(*vt));
	vt->rows = rows;
	vt->cols = cols;
	vt->bottom = rows - 1;
	vt->cells = malloc((size_t)rows * (size_t)cols * sizeof(*vt->cells));
	if (!vt->cells)
		abort();
	for (int i = 0; i < rows * cols; i++)
		vt->cells[i] = ' ';
}

void vt_done(struct vt *vt)
{
	free(vt->cells);
	vt->cells = NULL;
}

static uint32_t *cell(const struct vt *vt, int y, int x)
{
	return &vt->cells[y * vt->cols + x];
}

static void blank(struct vt *vt, int from, int to)
{
	for (int i = from < 0 ? 0 : from; i < to && i < vt->rows * vt->cols; i++)
		vt->cells[i] = ' ';
}

static int clamp(int value, int max)
{
	return value < 0 ? 0 : value > max ? max : value;
}

static void move_to(struct vt *vt, int y, int x)
{
	vt->y = clamp(y, vt->rows - 1);
	vt->x = clamp(x, vt->cols - 1);
	vt->wrap = false;
}

/* Lines top..bottom go up by n; down where n is negative. */
static void scroll(struct vt *vt, int top, int bottom, int n)
{
	int height = bottom - top + 1, shift = n < 0 ? -n : n;
	size_t line = (size_t)vt->cols * sizeof(*vt->cells);

	if (height <= 0)
		return;
	if (shift > height)
		shift = height;
	if (n > 0) {
		memmove(cell(vt, top, 0), cell(vt, top, 0) + shift * vt->cols, line * (size_t)(height - shift));
		blank(vt, (bottom + 1 - shift) * vt->cols, (bottom + 1) * vt->cols);
	} else {
		memmove(cell(vt, top, 0) + shift * vt->cols, cell(vt, top, 0), line * (size_t)(height - shift));
		blank(vt, top * vt->cols, (top + shift) * vt->cols);
	}
}

static void line_feed(struct vt *vt)
{
	vt->wrap = false;
	if (vt->y == vt->bottom)
		scroll(vt, vt->top, vt->bottom, 1);
	else if (vt->y < vt->rows - 1)
		vt->y++;
}

static void put(struct vt *vt, uint32_t c)
{
	if (vt->wrap) {
		vt->x = 0;
		line_feed(vt);
	}
	*cell(vt, vt->y, vt->x) = c;
	vt->last = c;
	if (vt->x == vt->cols - 1)
		vt->wrap = true;
	else
		vt->x++;
}

static void shift_cells(struct vt *vt, int n)
{
	uint32_t *at = cell(vt, vt->y, vt->x);
	int room = vt->cols - vt->x, shift = clamp(n < 0 ? -n : n, room);
	int here = vt->y * vt->cols + vt->x;

	if (n > 0) {
		memmove(at + shift, at, (size_t)(room - shift) * sizeof(*at));
		blank(vt, here, here + shift);
	} else {
		memmove(at, at + shift, (size_t)(room - shift) * sizeof(*at));
		blank(vt, here + room - shift, here + room);
	}
}

static void erase(struct vt *vt, bool display, int how)
{
	int here = vt->y * vt->cols + vt->x;
	int begin = display ? 0 : vt->y * vt->cols;
	int end = display ? vt->rows * vt->cols : (vt->y + 1) * vt->cols;

	blank(vt, how == 0 ? here : begin, how == 1 ? here + 1 : end);
}

static void csi(struct vt *vt, char final)
{
	int first = vt->params[0], n = first > 0 ? first : 1;
	int second = vt->param_count > 1 ? vt->params[1] : 0;

	if (vt->private_mode) {
		/* The alternate screen begins empty. */
		if ((first == 1049 || first == 47) && (final == 'h' || final == 'l'))
			blank(vt, 0, vt->rows * vt->cols);
		return;
	}
	switch (final) {
	case 'A': move_to(vt, vt->y - n, vt->x); break;
	case 'B': case 'e': move_to(vt, vt->y + n, vt->x); break;
	case 'C': case 'a': move_to(vt, vt->y, vt->x + n); break;
	case 'D': move_to(vt, vt->y, vt->x - n); break;
	case 'E': move_to(vt, vt->y + n, 0); break;
	case 'F': move_to(vt, vt->y - n, 0); break;
	case 'G': case '`': move_to(vt, vt->y, n - 1); break;
	case 'd': move_to(vt, n - 1, vt->x); break;
	case 'H': case 'f': move_to(vt, n - 1, (second > 0 ? second : 1) - 1); break;
	case 'J': erase(vt, true, first); break;
	case 'K': erase(vt, false, first); break;
	case 'X': blank(vt, vt->y * vt->cols + vt->x, vt->y * vt->cols + clamp(vt->x + n, vt->cols)); break;
	case 'P': shift_cells(vt, -n); break;
	case '@': shift_cells(vt, n); break;
	case 'L': scroll(vt, vt->y, vt->bottom, -n); break;
	case 'M': scroll(vt, vt->y, vt->bottom, n); break;
	case 'S': scroll(vt, vt->top, vt->bottom, n); break;
	case 'T': scroll(vt, vt->top, vt->bottom, -n); break;
	case 'b':
		for (n = clamp(n, vt->cols); n > 0; n--)
			put(vt, vt->last);
		break;
	case 'r':
		vt->top = clamp(n - 1, vt->rows - 1);
		vt->bottom = second > 0 ? clamp(second - 1, vt->rows - 1) : vt->rows - 1;
		move_to(vt, 0, 0);
		break;
	default: break;
	}
}

static void csi_byte(struct vt *vt, unsigned char c)
{
	if (c >= '0' && c <= '9') {
		int *p = &vt->params[vt->param_count - 1];

		if (*p < 10000)
			*p = *p * 10 + (c - '0');
	} else if (c == ';' || c == ':') {
		if (vt->param_count < VT_PARAMS_MAX)
			vt->params[vt->param_count++] = 0;
	} else if (c >= 0x3c && c <= 0x3f) {
		vt->private_mode = true;
	} else if (c >= 0x40 && c <= 0x7e) {
		csi(vt, (char)c);
		vt->state = VT_TEXT;
	}
}

static void escape_byte(struct vt *vt, unsigned char c)
{
	vt->state = VT_TEXT;
	switch (c) {
	case '[':
		memset(vt->params, 0, sizeof(vt->params));
		vt->param_count = 1;
		vt->private_mode = false;
		vt->state = VT_CSI;
		break;
	case ']': case 'P': case '_': case '^':
		vt->state = VT_STRING;
		break;
	case '(': case ')': case '*': case '+': case '#': case '%': case ' ':
		vt->state = VT_SKIP_ONE;
		break;
	case 'D':
		line_feed(vt);
		break;
	case 'M':
		if (vt->y == vt->top)
			scroll(vt, vt->top, vt->bottom, -1);
		else
			move_to(vt, vt->y - 1, vt->x);
		break;
	default:
		break;
	}
}

static void text_byte(struct vt *vt, unsigned char c)
{
	if (c == 0x1b) {
		vt->state = VT_ESCAPE;
	} else if (c == '\r') {
		move_to(vt, vt->y, 0);
	} else if (c == '\n') {
		line_feed(vt);
	} else if (c == '\b') {
		move_to(vt, vt->y, vt->x - 1);
	} else if (c == '\t') {
		move_to(vt, vt->y, (vt->x / 8 + 1) * 8);
	} else if (c < 0x20) {
		return;
	} else if (c < 0x80) {
		put(vt, c);
	} else if (c < 0xc0) {
		if (vt->utf8_left == 0)
			return;
		vt->utf8 = vt->utf8 << 6 | (c & 0x3fu);
		if (--vt->utf8_left == 0)
			put(vt, vt->utf8);
	} else {
		vt->utf8_left = c >= 0xf0 ? 3 : c >= 0xe0 ? 2 : 1;
		vt->utf8 = c & (0x3fu >> vt->utf8_left);
	}
}

void vt_feed(struct vt *vt, const char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)bytes[i];

		switch ((enum vt_state)vt->state) {
		case VT_TEXT: text_byte(vt, c); break;
		case VT_ESCAPE: escape_byte(vt, c); break;
		case VT_CSI: csi_byte(vt, c); break;
		case VT_STRING:
			if (c == 7)
				vt->state = VT_TEXT;
			else if (c == 0x1b)
				vt->state = VT_STRING_ESCAPE;
			break;
		case VT_STRING_ESCAPE:
		case VT_SKIP_ONE: vt->state = VT_TEXT; break;
		}
	}
}

/* What is not ASCII becomes a '#', so that a pattern can count columns. */
static void line_text(const struct vt *vt, int y, char *out)
{
	for (int x = 0; x < vt->cols; x++) {
		uint32_t c = *cell(vt, y, x);

		out[x] = c < 0x80 ? (char)c : '#';
	}
	out[vt->cols] = '\0';
}

bool vt_shows(const struct vt *vt, const regex_t *regex)
{
	char *line = malloc((size_t)vt->cols + 1);
	bool found = false;

	if (!line)
		abort();
	for (int y = 0; y < vt->rows && !found; y++) {
		line_text(vt, y, line);
		found = regexec(regex, line, 0, NULL, 0) == 0;
	}
	free(line);
	return found;
}

void vt_print(const struct vt *vt, FILE *to)
{
	char *line = malloc((size_t)vt->cols + 1);

	if (!line)
		abort();
	for (int y = 0; y < vt->rows; y++) {
		line_text(vt, y, line);
		fprintf(to, "%s\n", line);
	}
	free(line);
}
