/* What must hold for facts, whatever bytes they came from. */
#ifndef TESTS_FUZZ_FACTS_H
#define TESTS_FUZZ_FACTS_H

#include "model/facts.h"
#include "model/observation.h"

void fuzz_check_info(const struct info_facts *f);
void fuzz_check_instance(const struct sentinel_instance *f);
void fuzz_check_message(const struct sentinel_message *f);
void fuzz_check_hello(const struct sentinel_hello *f);
void fuzz_check_cluster_nodes(const struct cluster_nodes_facts *f);
void fuzz_check_cluster_info(const struct cluster_info_facts *f);
/* By question and answer. */
void fuzz_check_observation(const struct observation *o);

struct group;
struct model;
/* Forecast, agreement, ghosts and readiness of a group. */
void fuzz_check_verdicts(const struct model *m, const struct group *g, int64_t now_ms);

#endif
