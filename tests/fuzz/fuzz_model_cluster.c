/* What the nodes of a cluster say. */
#include "config.h"

#include <string.h>

#include "fuzz_facts.h"
#include "fuzz_model.h"

/* --- clusters ---------------------------------------------------------------------------------- */

static void node_line(struct fuzz_world *w, struct buf *text, bool myself)
{
	static const char *const flags[] = { "master", "slave", "master,fail?", "slave,fail?", "master,fail",
					     "slave,fail", "master,noaddr", "handshake", "master", "slave" };
	const char *flag = flags[fuzz_byte(&w->in) % 10];
	char node_id[ID_BYTES], master_id[ID_BYTES];
	unsigned ranges;

	word_id(w, node_id);
	word_id(w, master_id);
	if (strchr(word_host(w), ':') && fuzz_byte(&w->in) % 4 == 0)
		buf_addf(text, "%s :0@0 %s%s ", node_id, myself ? "myself," : "", flag);
	else
		buf_addf(text, "%s %s:%d@1 %s%s ", node_id, word_host(w), word_port(w),
			 myself ? "myself," : "", flag);
	buf_addf(text, "%s 0 0 %u %s", flag[0] == 's' ? master_id : "-", fuzz_byte(&w->in) % 5,
		 fuzz_byte(&w->in) % 4 ? "connected" : "disconnected");
	ranges = fuzz_byte(&w->in) % 4;
	for (unsigned i = 0; i < ranges; i++) {
		unsigned first = fuzz_byte(&w->in) * 64, last = fuzz_byte(&w->in) * 64 + 63;

		buf_addf(text, " %u-%u", first, last < first ? first : last);
	}
	if (myself && fuzz_byte(&w->in) % 4 == 1)
		buf_addf(text, " [%u-%c-%s]", fuzz_byte(&w->in) * 64, fuzz_byte(&w->in) % 2 ? '>' : '<', master_id);
	buf_addch(text, '\n');
}

void step_cluster_nodes(struct fuzz_world *w)
{
	struct cluster_nodes_facts f;
	struct observation o = step_observe(w, ASK_CLUSTER_NODES);
	struct buf text = BUF_INIT;
	unsigned lines = 1 + fuzz_byte(&w->in) % 6, myself = fuzz_byte(&w->in) % 7;

	for (unsigned i = 0; i < lines; i++)
		node_line(w, &text, i == myself);
	if (model_node_count(w->m) < NODES_MAX && cluster_nodes_parse(&f, &w->scratch, text.data, text.len)) {
		fuzz_check_cluster_nodes(&f);
		o.u.cluster_nodes = &f;
		step_apply(w, &o);
	}
	buf_free(&text);
}

void step_cluster_info(struct fuzz_world *w)
{
	struct cluster_info_facts f;
	struct observation o = step_observe(w, ASK_CLUSTER_INFO);
	struct buf text = BUF_INIT;

	buf_addf(&text, "cluster_state:%s\r\ncluster_slots_assigned:%lld\r\ncluster_current_epoch:%lld\r\n",
		 fuzz_byte(&w->in) % 4 ? "ok" : "fail", word_number(w), word_number(w));
	FUZZ_ASSERT(cluster_info_parse(&f, text.data, text.len));
	o.u.cluster_info = &f;
	step_apply(w, &o);
	buf_free(&text);
}
