/* One node's screen: the facts, as lines of a label and words. */
#ifndef VIEWS_NODE_PRIVATE_H
#define VIEWS_NODE_PRIVATE_H

#include "base/units.h"
#include "views/parts.h"

#define FACTS_LISTED_MAX  8 /* of what may be many: the rest is counted */
#define FACTS_AGO_BYTES   (UNITS_BYTES + 8)
#define FACTS_FLAGS_BYTES 200

struct node_fact {
	const char *label; /* NULL: the title of a section */
	enum style_role role;
	bool is_id; /* one word: cut rather than wrapped */
	char text[240];
};

struct node_facts {
	struct node_fact *items;
	size_t count, cap;
	char headline[80]; /* address and role */
	char state[200];   /* in words */
	enum health health;
	enum role role;
	bool own_stale; /* what it says of itself is old */
};

/* Everything that is known of the node at c->now_ms. */
void node_facts_build(struct node_facts *f, const struct view_context *c, const struct node *n);
void node_facts_done(struct node_facts *f);

/* --- node_others.c, node_own.c --- */
void facts_add_others(struct node_facts *f, const struct view_context *c, const struct node *n);
void facts_add_own(struct node_facts *f, const struct view_context *c, const struct node *n);
/* As the servers write them; returns out, or a literal for none. */
const char *facts_sentinel_flags(uint32_t flags, char out[FACTS_FLAGS_BYTES]);
enum style_role facts_sentinel_flags_style(uint32_t flags);

/* --- what the parts say it with: node_facts.c --- */
void facts_section(struct node_facts *f, const char *title);
void facts_add(struct node_facts *f, const char *label, enum style_role role, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
void facts_add_id(struct node_facts *f, const char *label, const char *id);
enum style_role facts_own_role(const struct node_facts *f); /* of its own word, which may be old */
/* "?" for what is not known. All return out, or a literal. */
const char *facts_number(int64_t value, char out[UNITS_BYTES]);
const char *facts_bytes(int64_t value, char out[UNITS_BYTES]);
const char *facts_age(const struct view_context *c, int64_t since_ms, char out[UNITS_BYTES]);
/* Without the seconds, which would tick on a quiet screen. */
const char *facts_calm_age(const struct view_context *c, int64_t since_ms, char out[UNITS_BYTES]);
/* ", 12 s ago", or nothing for what came with the last polls. */
const char *facts_ago(const struct view_context *c, int64_t at_ms, char out[FACTS_AGO_BYTES]);
const char *facts_address(const struct view_context *c, uint32_t node_id,
			  char out[ENDPOINT_TEXT_BYTES]);

#endif
