/* What an operator can do: a table of actions; and one action on its way.
 *
 * An action knows nothing of sockets: it is given a way to send, and is told of replies and of the
 * model's changes. Every stage is reported as action_facts, which become an ASK_ACTION observation. */
#ifndef ACTION_ACTION_H
#define ACTION_ACTION_H

#include "model/health.h"
#include "model/menu.h"
#include "model/model.h"
#include "model/permission.h"
#include "model/sheet.h"

#define ACTION_ARGV_MAX    8
#define ACTION_TARGETS_MAX 16
#define ACTION_ASK_ARGV    3

struct action_context {       /* what it acts on, fixed when the sheet opens */
	uint32_t deployment_id, group_id;
	uint32_t node_id;     /* the selected node; 0: the group as such */
};

/* What a node was when the sheet opened. An id alone is not enough: a moving address (a virtual IP, a
 * service name) takes its id along to another process. */
struct action_bound {
	uint32_t id;          /* 0: none */
	char run_id[ID_BYTES], cluster_id[ID_BYTES]; /* "" not known */
	struct endpoint addr;
};

struct action;

enum may { MAY_UNASKED, MAY_ASKED, MAY_YES, MAY_NO, MAY_UNKNOWN };

/* Whether our user may do it, by the server's word since the sheet opened. */
struct action_may {
	enum may state;
	uint32_t node_id;     /* who was asked */
	int64_t at_ms;        /* of the answer */
	char command[160];    /* with which it was asked */
	char lacks[PERMISSION_BYTES]; /* MAY_NO */
	char words[160];      /* the server's, for MAY_NO and MAY_UNKNOWN */
};

/* A number that is typed before the name: what the server itself takes. */
struct action_param {
	const char *name;     /* "quorum" */
	const char *unit;     /* "Sentinels", "ms" */
	int64_t min, max;
};

struct action_kind {
	const char *name;     /* "failover"; typed behind `:` */
	const char *label;    /* for menus */
	const char *help;
	bool needs_confirm;   /* changes something: the name must be typed */
	bool changes;         /* refused in read-only */
	bool live;            /* its sheet is kept up to date while it waits for the name */
	bool in_turn;         /* to one target after the other: the kind says when the next is due */
	bool about_link;      /* its sheet says how the node is reached */
	const struct action_param *param; /* NULL: nothing to type but the name */
	/* Whether it makes sense for the selection at all; NULL: whenever a group is selected. Why it
	 * cannot be done now is prepare's. */
	bool (*applies)(const struct model *m, const struct action_context *on, int64_t now_ms);
	/* Picks target node and command for the context. False with the reason why it cannot be done. */
	bool (*prepare)(struct action *a, const struct model *m, int64_t now_ms);
	/* The command that asks whether our user may, and does nothing: words in argv, their count; 0: there
	 * is nothing to ask. NULL: it shows when it is sent. */
	int (*ask)(const struct action *a, const struct model *m, char argv[ACTION_ASK_ARGV][NAME_BYTES]);
	/* What is said before anything is sent. */
	void (*brief)(struct action *a, const struct model *m, int64_t now_ms);
	/* A reply, or its absence; text is never empty. NULL: one OK is followed, or all are counted. */
	void (*replied)(struct action *a, const struct model *m, size_t index, enum answer answer,
			const char *text, int64_t now_ms);
	/* After OK: looks whether it has come true. Writes stage and outcome when decided. */
	void (*follow)(struct action *a, const struct model *m, int64_t now_ms);
};

struct action {
	uint32_t id;                    /* of this run, from 1 */
	const struct action_kind *kind;
	struct action_context on;
	enum action_stage stage;
	size_t form;                    /* of the command, as chosen: index of sheet.forms; 0 the usual */
	/* set by prepare */
	uint32_t target_ids[ACTION_TARGETS_MAX]; /* nodes that the command goes to */
	size_t target_count;
	size_t due, sent;               /* how many of them may be sent to by now, and were */
	size_t answered, agreed;        /* replies so far, and those that were OK */
	int64_t reply_ms[ACTION_TARGETS_MAX]; /* when it said OK; 0: it did not */
	int32_t rtt_us[ACTION_TARGETS_MAX];   /* of that reply, by whoever hands it over */
	bool has_value;
	int64_t value;                  /* of kind->param */
	int argc;
	char argv[ACTION_ARGV_MAX][NAME_BYTES];
	char subject[NAME_BYTES];
	char blocked[220];              /* why not; "" when it can be done */
	/* bound when the sheet opened; a change stops it from sending */
	uint32_t old_master_id;
	uint32_t candidate_id;          /* replica that the command names; 0: the server chooses */
	struct action_bound old_master, candidate, targets[ACTION_TARGETS_MAX];
	int64_t epoch;
	uint64_t fingerprint;           /* of whatever else the sheet says that must not change */
	void *plan;                     /* the kind's own; owned, one block */
	struct action_may may;
	const char *refusal;            /* why nothing that changes something is sent; NULL */
	/* while followed */
	int64_t sent_ms, deadline_ms;
	int64_t replied_ms;             /* by a reply of the server, not by its lack; 0: none */
	char outcome[220];              /* words for the stage */
	int64_t risk_bytes;             /* failover: not replicated, by the last look before it was sent */
	bool unconsented;               /* failover: the cluster did it by itself, without the old master */
	uint32_t new_master_id;
	int64_t promoted_ms;            /* role:master by its own word */
	int64_t agreed_ms;              /* everybody who answers named it */
	struct sheet sheet;
};

extern const struct action_kind action_failover, action_ckquorum, action_reset, action_set_quorum,
	action_set_down_after, action_set_failover_timeout, action_set_parallel_syncs,
	action_flushconfig, action_bgsave, action_ping, action_clear_ghost;
extern const struct action_kind *const action_kinds[];
extern const size_t action_kind_count;

/* refusal: why nothing that changes something may be sent at all; NULL: it may. */
struct action *action_open(const struct action_kind *kind, const struct action_context *on,
			   const struct model *m, const char *refusal, int64_t now_ms);
void action_free(struct action *a);
bool action_applies(const struct action_kind *kind, const struct action_context *on,
		    const struct model *m, int64_t now_ms);
/* What a menu says of it, without a sheet. */
void action_preview(const struct action_kind *kind, const struct action_context *on,
		    const struct model *m, const char *refusal, int64_t now_ms, struct menu_entry *out);
/* The value that was typed, while the sheet waits for one: the sheet is made anew with it. False: it
 * stays as it is and says why. */
bool action_set_value(struct action *a, const struct model *m, const char *typed, int64_t now_ms);
/* Everything is checked again, right before sending. False: it must not be sent, sheet says why. */
bool action_recheck(struct action *a, const struct model *m, int64_t now_ms);
/* Call when the model changed or time passed, as long as the sheet waits: it is kept up to date, and is
 * blocked at once when what it was opened on does not hold any more. */
void action_watch(struct action *a, const struct model *m, int64_t now_ms);
/* Another form of the command, while nothing was sent: the sheet is made anew with it. False: there is
 * none. */
bool action_choose(struct action *a, const struct model *m, size_t form, int64_t now_ms);
/* What asks, once the sheet is open, whether our user may: count of words, to may.node_id; 0: nothing. */
int action_ask(struct action *a, const struct model *m, char argv[ACTION_ASK_ARGV][NAME_BYTES],
	       int64_t now_ms);
/* The answer, or its absence. Blocks the sheet when the permission is missing. True: what is to be
 * remembered is in out, for an observation with the node may.node_id. The lines are written anew by
 * action_brief_again, once the model knows it. */
bool action_asked(struct action *a, enum answer answer, const char *text, int64_t now_ms,
		  struct action_facts *out);
/* While nothing was sent: the lines alone, a sheet that is blocked stays so. */
void action_brief_again(struct action *a, const struct model *m, int64_t now_ms);
bool action_confirmed(const struct action *a, const char *typed);
void action_sent(struct action *a, int64_t now_ms);
/* The reply of target number `index`, or its absence. */
void action_replied(struct action *a, const struct model *m, size_t index, enum answer answer,
		    const char *text, int64_t now_ms);
/* Call when the model changed or time passed; true when the stage changed. Targets may be due then:
 * what is sent to is counted in `sent` by whoever sends. */
bool action_follow(struct action *a, const struct model *m, int64_t now_ms);
/* For the kinds: ends the action with a stage and words; the sheet follows. */
void action_end(struct action *a, enum action_stage stage, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* For the kinds: it goes on, with words for the sheet and for the event that a new stage makes. */
void action_go_on(struct action *a, enum action_stage stage, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
/* For the kinds: sets blocked, returns false. */
bool action_block(struct action *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void action_set_argv(struct action *a, int argc, const char *const *argv);
bool action_is_over(const struct action *a);
/* True while an action that changes something is under way on the same group or node: another one
 * must wait. */
bool action_conflicts(const struct action *running, const struct action_context *on);
/* For the kinds: the group of the context; NULL and blocked when the selection does not hold together. */
const struct group *action_group(struct action *a, const struct model *m);
/* For the kinds: the node is that process still, wherever its id went. */
bool action_bound_is(const struct action_bound *b, const struct node *n);
/* The node that a stage's event is about. 0: none. */
uint32_t action_target_now(const struct action *a);
/* What the observation ASK_ACTION needs; command and operator_name stay the caller's. */
void action_facts_fill(const struct action *a, struct action_facts *out);

/* The command as one line of text, words with spaces quoted. */
char *action_command_text(const struct action *a, char *out, size_t size);

#endif
