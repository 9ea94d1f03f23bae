/* What the files of a watch share: its entries and groups, and who asks and who answers. */
#ifndef NET_WATCH_PRIVATE_H
#define NET_WATCH_PRIVATE_H

#include <uthash.h>

#include "net/link.h"
#include "net/schedule.h"
#include "net/watch.h"

#define NODES_FROM_ALL_MAX 100 /* in clusters up to this size all are asked for CLUSTER NODES */

struct entry { /* a node that is watched */
	UT_hash_handle hh;
	uint32_t id;
	size_t index;            /* in watch->entries */
	struct watch *watch;
	struct link *link;
	struct link *events;     /* subscribed: Sentinels, and data nodes for their Sentinels' hello */
	int64_t hello_since_ms;  /* when it began to wait for a hello; 0: not, or one came */
	unsigned ways_failed;    /* of a target whose kind is open, where the kinds are reached differently */
	bool other_way;          /* the second of the two ways is tried now */
	enum link_state state;   /* of link */
	enum server_mode mode;   /* by its INFO */
	unsigned generation;     /* of the last reconcile that met it */
	uint32_t asked, done;    /* bits by question, since the link came up */
	bool have_cluster_info;
	struct cluster_info_facts cluster_info;
	uint64_t nodes_hash;     /* of the last CLUSTER NODES applied, without its time stamps */
	int64_t nodes_applied_ms;
};

#define FIRST_SENTINELS_MAX 5 /* sets up to this size are asked whole the first time */
#define FIRST_MASTERS_MAX   8 /* where they watch no more masters than that */

/* What one Sentinel was asked about a master the first time. */
struct first_words {
	uint32_t sentinel_id;    /* 0: whichever, in a large set */
	uint32_t asked, done;    /* bits by question */
};

struct group_entry {
	UT_hash_handle hh;
	uint32_t id;
	unsigned generation;
	struct first_words first[FIRST_SENTINELS_MAX + 1];
	size_t first_count;
	uint32_t hurried;        /* bits by question: extra ones without an answer yet */
	unsigned hurries;        /* counts them, for whose turn it is */
	int64_t trouble_ms;      /* when something was wrong last; 0 never */
};

struct pending_action {
	struct pending_action *next;
	uint32_t token, tag;
	uint32_t node_id;
	watch_action_done *done;
	void *owner;
};

struct watch {
	struct watch_config config;
	struct resolver *resolver;
	struct parser *parser;
	struct entry *by_id;
	struct entry **entries;  /* owned; in no order */
	size_t entry_count, entry_cap;
	struct group_entry *groups;
	struct pending_action *actions;
	uint32_t last_token;
	ev_prepare follow;
	ev_timer slice_timer, hurry_timer, promotion_timer, scan_timer;
	unsigned round, slice, slices;
	unsigned nodes_on_change; /* CLUSTER NODES asked in this round because of a change */
	unsigned generation;
	bool nodes_dirty;        /* the links do not follow the model yet */
	bool groups_dirty;       /* something got better or worse */
	bool groups_now;         /* groups may have come: not to be put off */
	bool details_waiting;    /* a link was full */
	int64_t scanned_ms;
	size_t sentinel_groups;  /* masters that Sentinels watch, at the last scan */
	uint32_t hurry_first;    /* the group whose turn it is to be first */
	double hurry_tokens;
	int64_t hurry_tokens_ms;
	uint64_t requests, bytes_in_closed;
};

/* watch.c: entries */

/* To the sink; notes what has to follow from the topics that changed. */
unsigned watch_give(struct watch *w, const struct observation *obs);
struct entry *watch_find_entry(const struct watch *w, uint32_t node_id);
/* The entry whose command link can be asked, or NULL. */
struct entry *watch_find_up(const struct watch *w, uint32_t node_id);
enum server_mode watch_entry_mode(const struct entry *e);
void watch_try_other_way(struct entry *e, enum server_error error);
/* A data node of a set that no Sentinel is known to watch. */
bool watch_is_plain(const struct entry *e);

/* watch_groups.c: masters and shards */

extern const uint32_t watch_group_questions; /* bits: what is asked per master */
void watch_init_groups(struct watch *w);
struct group_entry *watch_find_group(const struct watch *w, uint32_t group_id);
void watch_forget_groups(struct watch *w);
void watch_forget_unanswered(struct watch *w);
void watch_note_group_answer(struct entry *e, enum question q, uint32_t group_id, enum answer answer);
/* Whom it takes to know the group have answered once what is asked about it. */
bool watch_group_is_known(const struct watch *w, const struct group *g);
/* One of the Sentinels that watch it and can be asked, another one each turn; or NULL. */
struct entry *watch_sentinel_in_turn(const struct watch *w, const struct group *g, unsigned turn);
bool watch_hurries(const struct group_entry *ge, int64_t now_ms); /* in trouble, or lately so */
void watch_scan_groups(struct watch *w);
void watch_scan_groups_if_due(struct watch *w);

/* watch_poll.c: the schedule */

void watch_init_rounds(struct watch *w);
void watch_start_rounds(struct watch *w); /* anew, after the interval changed */
void watch_poll_all_now(struct watch *w);
bool watch_ask(struct entry *e, enum question q, const struct group *g);
bool watch_ask_once(struct entry *e, enum question q);
void watch_poll_entry(struct entry *e, bool hurry);
/* In a hurry, ge is the group's entry; else NULL. */
void watch_poll_group(struct watch *w, const struct group *g, struct group_entry *ge);
/* What a node is asked besides INFO as soon as its kind is known. */
void watch_ask_follow_ups(struct entry *e);

/* watch_hurry.c: more often where something is wrong */

void watch_init_hurry(struct watch *w);
void watch_set_hurry(struct watch *w, bool wanted, int64_t now_ms);
bool watch_take_hurry_token(struct watch *w, enum question q);
void watch_follow_promotion(struct watch *w); /* a replica was selected */

/* watch_observe.c: replies */

extern const struct link_callbacks watch_command_callbacks, watch_event_callbacks;
void watch_abandon_actions(struct watch *w, uint32_t node_id);
uint64_t watch_hash_cluster_nodes(const char *text, size_t len);

#endif
