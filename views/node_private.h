/* One node's screen: the facts, as lines of a label and words. */
#ifndef VIEWS_NODE_PRIVATE_H
#define VIEWS_NODE_PRIVATE_H

#include "views/parts.h"

struct node_fact {
	const char *label; /* NULL: the title of a section */
	enum style_role role;
	bool is_id;        /* one word: cut rather than wrapped */
	char text[240];
};

struct node_facts {
	struct node_fact *items;
	size_t count, cap;
	char headline[80]; /* address and role */
	char state[200];   /* in words */
	enum health health;
	enum role role;
	bool own_stale;    /* what it says of itself is old */
};

/* Everything that is known of the node at c->now_ms. */
void node_facts_build(struct node_facts *f, const struct view_context *c, const struct node *n);
void node_facts_done(struct node_facts *f);

#endif
