/* What changed from one text to the next, by lines: the same node asked the same question a second
 * later says nearly the same, and of the lines that changed only numbers did.
 *
 * A delta is a varint, the length of its steps; the steps; then what they take their bytes from. A
 * step is a varint: the number of lines that stayed as they are times 4, plus
 *   0  a line with the same words and other numbers, each written as wide as it was
 *   1  likewise, each as short as it can be
 *   2  lines replaced: varints say how many are left out, and how many bytes come instead
 *   3  nothing more than the lines that stayed
 * Numbers are zigzag varints, the difference to the old one. Steps and bytes are apart since the
 * steps hardly differ from second to second. */
#ifndef NET_RECORDING_DELTA_H
#define NET_RECORDING_DELTA_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

void line_delta_make(const char *before, size_t before_len, const char *now, size_t now_len,
		     struct buf *out);
/* Appends the text; false when the delta does not fit to what was before, or it is longer than max. */
bool line_delta_apply(const char *before, size_t before_len, const char *delta, size_t delta_len,
		      size_t max, struct buf *out);

#endif
