/* Past failovers in the JSON snapshot: a live one looks once and has none, a recording's has all. */
#ifndef APP_OUTPUT_FAILOVERS_H
#define APP_OUTPUT_FAILOVERS_H

#include <jansson.h>

#include "model/model.h"

/* The deployment's, oldest first. All times are milliseconds since the first step. */
json_t *failovers_json(const struct model *m, const struct deployment *d, int64_t now_ms);

#endif
