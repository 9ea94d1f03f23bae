/* The parts of the failover: what each kind of deployment takes to prepare, to brief and to follow. */
#ifndef ACTION_FAILOVER_PRIVATE_H
#define ACTION_FAILOVER_PRIVATE_H

#include "action/action.h"
#include "model/failovers.h"
#include "model/forecast.h"

/* replication.c: FAILOVER without TIMEOUT pauses writes for as long as it takes. */
#define FAILOVER_PLAIN_TIMEOUT_TEXT "10000"
#define FAILOVER_PLAIN_TIMEOUT_MS   10000
#define FAILOVER_GRACE_MS           5000

/* Index of sheet.forms. */
enum failover_form {
	FORM_USUAL,
	FORM_COORDINATED = 1, /* Sentinels of Valkey 9: an election, and the master hands over */
	FORM_FORCE = 1,       /* cluster: without the master's consent */
};

/* --- failover.c --- */
bool failover_node_is_up(const struct node *n);
/* As the server said it; what it did not say is no number. */
const char *failover_exact(int64_t value, char *out);
/* The replica that has most of the data: of a cluster's shard, when the operator chose none. */
const struct node *failover_best_replica(const struct model *m, const struct group *g, int64_t now_ms);

/* --- failover_sentinel.c, failover_cluster.c, failover_plain.c --- */
bool failover_prepare_sentinel(struct action *a, const struct model *m, const struct group *g);
bool failover_prepare_cluster(struct action *a, const struct model *m, const struct group *g,
			      int64_t now_ms);
bool failover_prepare_plain(struct action *a, const struct model *m, const struct group *g);

/* --- failover_ask.c: whether our user may, asked when the sheet opens --- */
int failover_ask(const struct action *a, const struct model *m, char argv[ACTION_ASK_ARGV][NAME_BYTES]);
void failover_brief_permission(struct action *a, const struct model *m, int64_t now_ms);

/* --- failover_brief.c: the sheet before anything is sent --- */
void failover_brief(struct action *a, const struct model *m, int64_t now_ms);
/* failover_brief_whom.c: who is promoted, who is not, what is lost, who can go on from there. */
void failover_brief_whom(struct action *a, const struct model *m, const struct group *g,
			 enum deployment_kind kind, int64_t now_ms);

/* --- failover_follow.c: what all kinds share after it was sent --- */
void failover_follow(struct action *a, const struct model *m, int64_t now_ms);
/* Not the master that the sheet was opened on: by process, since a moving address keeps its id. */
bool failover_is_another(const struct action *a, const struct node *n);
/* The old master, wherever its id went; NULL. */
const struct node *failover_old_master(const struct action *a, const struct model *m,
				       uint32_t deployment_id);
bool failover_says_master_since(const struct node *n, int64_t since_ms);
/* The time line of what was sent; NULL: none yet. */
const struct failover_record *failover_record_of(const struct action *a, const struct model *m,
						 const struct group *g);
/* Members that follow `master` by their own word and are linked, of all but it and the old master. */
size_t failover_attached(const struct action *a, const struct model *m, const struct group *g,
			 const struct node *master, size_t *of);
/* Lines of the sheet: replicas attached, and the record's steps. */
void failover_say_attached(struct action *a, const struct model *m, const struct group *g,
			   const struct node *master);
void failover_say_steps(struct action *a, const struct failover_record *f);

/* --- failover_follow_sentinel.c, failover_follow_members.c --- */
void failover_follow_sentinel(struct action *a, const struct model *m, const struct group *g,
			      int64_t now_ms);
void failover_follow_cluster(struct action *a, const struct model *m, const struct deployment *d,
			     const struct group *g, int64_t now_ms);
void failover_follow_plain(struct action *a, const struct model *m, const struct group *g, int64_t now_ms);

/* --- failover_deadline.c: when nothing shows for too long --- */
void failover_end_at_deadline(struct action *a, const struct model *m, const struct group *g,
			      enum deployment_kind kind, int64_t now_ms);

#endif
