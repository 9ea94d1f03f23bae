#include "app/output_values.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

json_t *value_number(int64_t value)
{
	return value != FACT_UNKNOWN ? json_integer(value) : json_null();
}

json_t *value_real(double value)
{
	return value >= 0 ? json_real(value) : json_null();
}

/* Bytes of s without a character that was cut off at its end: fixed-size fields are filled by
 * snprintf, which counts bytes. */
static size_t whole_characters(const char *s)
{
	size_t len = strlen(s), start = len;
	while (start > 0 && len - start < 4 && ((unsigned char)s[start - 1] & 0xc0) == 0x80)
		start--;
	if (start == 0 || (unsigned char)s[start - 1] < 0xc0)
		return len;
	unsigned char first = (unsigned char)s[start - 1];
	size_t wanted = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	return len - (start - 1) < wanted ? start - 1 : len;
}

/* jansson has no string for what is not UTF-8, and sets no key for it. */
json_t *value_string(const char *s)
{
	json_t *whole = json_string(s);
	if (whole != NULL)
		return whole;
	size_t len = whole_characters(s), size = 4 * len + 1; /* \xff for each byte at worst */
	char *clean = mem_alloc(size);
	text_clean(clean, size, s, len);
	whole = json_string(clean);
	free(clean);
	return whole != NULL ? whole : json_null();
}

json_t *value_text(const char *s)
{
	return s == NULL || s[0] == '\0' ? json_null() : value_string(s);
}

json_t *value_endpoint(const struct endpoint *ep)
{
	char out[ENDPOINT_TEXT_BYTES];
	return endpoint_is_set(ep) ? value_string(endpoint_format(ep, out)) : json_null();
}

json_t *value_node(const struct model *m, uint32_t node_id)
{
	const struct node *n = model_node(m, node_id);
	return n != NULL ? value_endpoint(&n->addr) : json_null();
}

json_t *value_age(int64_t now_ms, int64_t since_ms)
{
	if (since_ms == 0)
		return json_null();
	return json_integer(now_ms > since_ms ? now_ms - since_ms : 0);
}
