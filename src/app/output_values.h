/* Single values of the JSON. Names begin with value_, since json_ is jansson's. */
#ifndef APP_OUTPUT_VALUES_H
#define APP_OUTPUT_VALUES_H

#include <jansson.h>

#include "model/model.h"

/* Each returns a new reference, never NULL: what is not known, and "", is null, so that no key is lost. */
json_t *value_number(int64_t value);
json_t *value_real(double value);        /* negative is not known */
json_t *value_text(const char *s);
/* "" as well. Bytes that are no UTF-8, which jansson would refuse, are escaped. */
json_t *value_string(const char *s);
json_t *value_endpoint(const struct endpoint *ep);
json_t *value_node(const struct model *m, uint32_t node_id); /* its address */
/* For how long it has been so: null for 0, which is never. */
json_t *value_age(int64_t now_ms, int64_t since_ms);

#endif
