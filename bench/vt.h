/* What a terminal would show of the bytes that were written to it: enough of one to look for text.
 * Every character is taken for one column wide; colours are skipped. */
#ifndef BENCH_VT_H
#define BENCH_VT_H

#include <regex.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define VT_PARAMS_MAX 8

struct vt {
	int rows, cols;
	uint32_t *cells;       /* owned; rows * cols */
	int y, x;
	bool wrap;             /* the cursor waits behind the last column */
	int top, bottom;       /* scroll region, both included */
	uint32_t last;         /* for REP */
	int state;             /* enum vt_state */
	int params[VT_PARAMS_MAX];
	int param_count;
	bool private_mode;
	uint32_t utf8;
	int utf8_left;
};

void vt_init(struct vt *vt, int rows, int cols);
void vt_done(struct vt *vt);
void vt_feed(struct vt *vt, const char *bytes, size_t len);
/* True when a line of the screen matches. */
bool vt_shows(const struct vt *vt, const regex_t *regex);
void vt_print(const struct vt *vt, FILE *to);

#endif
