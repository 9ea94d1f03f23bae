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

/* True when the text holds one of the passwords, as it is or as text_clean shows it. Those of fewer
 * than 3 bytes are not looked for: they are in any sentence. */
bool credentials_mentions(const struct credentials *c, const char *text);

/* Writes stars over each password in data, as it is or as text_clean shows it. Left alone are those of
 * fewer than 3 bytes, and those that are part of the vocabulary: stars in the place of a word that
 * everybody knows would tell the password. Allocates nothing where there is none. */
void credentials_blot(const struct credentials *c, const char *vocabulary, size_t vocabulary_len,
		      char *data, size_t len);

#endif
