/* Verdicts: pure functions of the model and the time. */
#ifndef MODEL_HEALTH_H
#define MODEL_HEALTH_H

#include "model/model.h"

const char *health_name(enum health h); /* ok unknown warning critical */
enum health health_worse(enum health a, enum health b);

/* node's status as in the JSON: up down loading auth-error unreachable */
enum node_status { STATUS_UP, STATUS_LOADING, STATUS_DOWN, STATUS_AUTH_ERROR, STATUS_UNREACHABLE,
		   STATUS_PENDING /* not yet known; "unreachable" in JSON */ };
enum node_status node_status(const struct node *n);
const char *node_status_name(enum node_status s);
/* Role as it says itself if it answers, else as its deployment says. */
enum role node_role(const struct model *m, const struct node *n);
/* A cluster's master without slots: a failover or a migration took them, or it never had any. */
bool node_is_former_master(const struct node *n);
const char *role_name(enum role r); /* master replica sentinel unknown */
/* True when the last good INFO is older than max(3 intervals, 3 s): to be shown as stale. */
bool node_is_stale(const struct node *n, int64_t now_ms, int64_t interval_ms);

/* A verdict in words: "link down 12 s", "objectively down 7 s (3/3 Sentinels)". text "" when ok. */
struct verdict {
	enum health health;
	int64_t since_ms; /* 0 unknown */
	char text[200];
};
void health_node(const struct model *m, const struct node *n, int64_t now_ms, struct verdict *out);
/* The group's worst thing, master first. */
void health_group(const struct model *m, const struct group *g, int64_t now_ms, struct verdict *out);
void health_deployment(const struct model *m, const struct deployment *d, int64_t now_ms,
		       struct verdict *out);
/* The master's status as in the JSON: ok sdown odown failover */
const char *group_status(const struct model *m, const struct group *g);
/* "waiting for promotion 1.2 s", or "" when no failover runs. */
void group_failover_text(const struct group *g, int64_t now_ms, char *out, size_t size);
bool group_failover_running(const struct model *m, const struct group *g, int64_t now_ms);
/* Sentinels that flag the master s_down / o_down now. */
size_t group_sdown_count(const struct model *m, const struct group *g);
size_t group_odown_count(const struct model *m, const struct group *g);
/* True while something of the deployment is wrong: the poll schedule hurries then. */
bool group_in_trouble(const struct model *m, const struct group *g, int64_t now_ms);

#endif
