/* What the files of the whole model's target share: the world that an input makes, its words, its steps
 * (each one observation or the passing of time), and what must hold after them. */
#ifndef FUZZ_MODEL_H
#define FUZZ_MODEL_H

#include "fuzz.h"
#include "model/model.h"
#include "redis/cluster.h"
#include "redis/info.h"
#include "redis/parse.h"

#define WALL       1795170667120LL
#define EVENTS_MAX 64
#define NODES_MAX  48 /* makes no new addresses beyond that: each step looks at all */

struct fuzz_world {
	struct model *m;
	struct model *twin; /* loaded from m's bytes some steps ago: goes on as m does; or NULL */
	struct parser *parser;
	struct fuzz_input in;
	int64_t now;
	unsigned changed;
	struct info_facts info;
	struct cluster_scratch scratch;
	uint64_t seen_seq;
	bool foreign;        /* the model was loaded: its times may lie anywhere */
};

/* fuzz_model_steps.c: each takes its bytes from the input */

const char *word_host(struct fuzz_world *w);
int word_port(struct fuzz_world *w);
const char *word_name(struct fuzz_world *w);
void word_id(struct fuzz_world *w, char out[ID_BYTES]); /* forty times one digit */
long long word_number(struct fuzz_world *w);
uint32_t word_node(struct fuzz_world *w); /* one that there is; rarely one that has left, or nobody */
void word_bytes(struct fuzz_world *w, char *out, size_t size);

struct observation step_observe(struct fuzz_world *w, enum question q);
struct observation step_observe_node(const struct fuzz_world *w, enum question q, uint32_t node_id);
void step_apply(struct fuzz_world *w, const struct observation *o);
void step_target(struct fuzz_world *w);
void step_link(struct fuzz_world *w);
void step_reply(struct fuzz_world *w);
void step_silence(struct fuzz_world *w);
void step_info(struct fuzz_world *w);
void step_hello(struct fuzz_world *w);
void step_small(struct fuzz_world *w);
void step_action(struct fuzz_world *w);
void step_probe(struct fuzz_world *w);
void step_tick(struct fuzz_world *w);

/* fuzz_model_sentinel.c */

void step_list(struct fuzz_world *w);
void step_message(struct fuzz_world *w);
void step_set(struct fuzz_world *w);

/* fuzz_model_cluster.c */

void step_cluster_nodes(struct fuzz_world *w);
void step_cluster_info(struct fuzz_world *w);

/* fuzz_model_check.c */

void fuzz_check_model(struct fuzz_world *w);
void fuzz_check_events(struct fuzz_world *w);
void fuzz_check_outputs(const struct fuzz_world *w);

#endif
