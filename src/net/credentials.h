/* The only place where passwords live. Two pairs: one for data nodes, one for Sentinels; and one
 * per target that came with a URI. Passwords leave it in one way only: as the bytes of an AUTH
 * command in a link's output buffer. They are wiped when freed. */
#ifndef NET_CREDENTIALS_H
#define NET_CREDENTIALS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"
#include "base/endpoint.h"

enum credential_kind { CREDENTIAL_DATA, CREDENTIAL_SENTINEL };

struct credentials;

struct credentials *credentials_new(void);
void credentials_free(struct credentials *c);
/* user may be NULL (AUTH password). Copies; replaces what was there. */
void credentials_set(struct credentials *c, enum credential_kind kind, const char *user, const char *password);
void credentials_set_user(struct credentials *c, enum credential_kind kind, const char *user);
void credentials_set_for(struct credentials *c, const struct endpoint *target, const char *user, const char *password);
bool credentials_have(const struct credentials *c, enum credential_kind kind);

/* Candidates to try on a node, in order: the target's own, then the kind's own pair, then (kind not
 * yet known: try_both) the other pair. Appends the AUTH command of candidate number `index` to out;
 * false when there is no such candidate. The caller wipes out after writing. */
bool credentials_append_auth(const struct credentials *c, const struct endpoint *node,
			     enum credential_kind kind, bool try_both, size_t index, struct buf *out);

/* The user of that candidate; "default" where none is named or nothing is sent. */
const char *credentials_user(const struct credentials *c, const struct endpoint *node,
			     enum credential_kind kind, bool try_both, size_t index);

/* True when the text holds one of the passwords, as it is or as text_clean shows it; those of fewer than 3
 * bytes as a whole word. */
bool credentials_mentions(const struct credentials *c, const char *text, size_t len);

/* Where a reply comes in, before anything reads it or cuts it: an error that holds a password becomes what it
 * is without the server's words (kept in text, which must live as long as the reply); elsewhere stars are
 * written over each. Left alone there are a word of the protocol, a number of up to five digits, what is
 * shorter than 3 bytes, a part of a longer name, and an element of a list that is nothing else: names and
 * ports are what servers are asked by. */
#define CREDENTIALS_HIDDEN_BYTES 128
struct reply;
void credentials_hide(const struct credentials *c, struct reply *r, char text[CREDENTIALS_HIDDEN_BYTES]);

/* Writes stars over each password in a text that is kept, as it is or as text_clean shows it. Left alone are
 * words of the protocol. From 6 bytes on it may be a part of a word; a number is never a part of a longer
 * one. Allocates nothing where all are plain. */
void credentials_blot(const struct credentials *c, char *data, size_t len);
/* One of them is too short for that: stars would be everywhere. */
bool credentials_too_short(const struct credentials *c);

#endif
