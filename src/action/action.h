/* What an operator can do: a table of actions; and one action on its way.
 *
 * An action knows nothing of sockets: it is given a way to send, and is told of replies and of the
 * model's changes. Every stage is reported as action_facts, which become an ASK_ACTION observation. */
#ifndef ACTION_ACTION_H
#define ACTION_ACTION_H

#include "model/health.h"
#include "model/model.h"
#include "model/sheet.h"

#define ACTION_ARGV_MAX 8

struct action_context {       /* what it acts on, fixed when the sheet opens */
	uint32_t deployment_id, group_id;
	uint32_t node_id;     /* the selected node; 0: the group as such */
};

struct action;

struct action_kind {
	const char *name;     /* "failover" */
	const char *label;    /* for menus */
	const char *help;
	bool needs_confirm;   /* changes something: the name must be typed */
	bool changes;         /* refused in read-only */
	/* Picks target node and command for the context. False with the reason why it cannot be done. */
	bool (*prepare)(struct action *a, const struct model *m, int64_t now_ms);
	/* What is said before anything is sent. */
	void (*brief)(struct action *a, const struct model *m, int64_t now_ms);
	/* After OK: looks whether it has come true. Writes stage and outcome when decided. */
	void (*follow)(struct action *a, const struct model *m, int64_t now_ms);
};

struct action {
	uint32_t id;                    /* of this run, from 1 */
	const struct action_kind *kind;
	struct action_context on;
	enum action_stage stage;
	/* set by prepare */
	uint32_t target_id;             /* node the command goes to */
	int argc;
	char argv[ACTION_ARGV_MAX][NAME_BYTES];
	char subject[NAME_BYTES];
	char blocked[220];              /* why not; "" when it can be done */
	/* bound when the sheet opened; a change stops it from sending */
	uint32_t old_master_id;
	struct endpoint old_master;
	int64_t epoch;
	/* while followed */
	uint64_t event_seq;             /* events after this one belong to it */
	int64_t sent_ms, deadline_ms, replied_ms;
	uint32_t new_master_id;
	int64_t promoted_ms;            /* role:master by its own word */
	struct sheet sheet;
};

extern const struct action_kind action_failover, action_ckquorum;
extern const struct action_kind *const action_kinds[];
extern const size_t action_kind_count;

struct action *action_open(const struct action_kind *kind, const struct action_context *on,
			   const struct model *m, bool read_only, int64_t now_ms);
void action_free(struct action *a);
/* Everything is checked again, right before sending. False: it must not be sent, sheet says why. */
bool action_recheck(struct action *a, const struct model *m, int64_t now_ms);
bool action_confirmed(const struct action *a, const char *typed);
void action_sent(struct action *a, const struct model *m, int64_t now_ms);
void action_replied(struct action *a, const struct model *m, enum answer answer, enum server_error error, const char *text,
		    int64_t now_ms);
/* Call when the model changed or time passed; true when the stage changed. */
bool action_follow(struct action *a, const struct model *m, int64_t now_ms);
/* The command as one line of text. out holds 256 bytes. */
char *action_command_text(const struct action *a, char *out, size_t size);

#endif
