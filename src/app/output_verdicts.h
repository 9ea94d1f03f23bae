/* Verdicts of the snapshot as JSON: forecast, agreement, readiness, --probe. Inside the JSON output. */
#ifndef APP_OUTPUT_VERDICTS_H
#define APP_OUTPUT_VERDICTS_H

#include <jansson.h>

#include "model/model.h"

/* Each returns a new reference; null where nothing is known. */
json_t *forecast_json(const struct model *m, const struct group *g, int64_t now_ms);
json_t *agreement_json(const struct model *m, const struct group *g, int64_t now_ms);
json_t *readiness_json(const struct model *m, const struct group *g, int64_t now_ms);
/* What --probe has seen: null while it is off. */
json_t *client_json(const struct model *m, const struct group *g, int64_t now_ms);
json_t *cluster_agreement_json(const struct model *m, const struct deployment *d);
json_t *sentinel_flags_json(uint32_t flags);

#endif
