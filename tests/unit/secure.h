/* For tests of TLS: certificates that are made here and gone with the test, and servers that show them. */
#ifndef TESTS_SECURE_H
#define TESTS_SECURE_H

#include "link_owner.h"
#include "live.h"

/* --- certificates ------------------------------------------------------------------------------ */

#define SECURE_PATH_BYTES 128

/* Set-up and tear-down of a group of tests. Signed by "ca": "server", "wrong" (of another host),
 * "expired", "client", "locked" (by a passphrase). By "other": "stranger". By itself: "alone".
 * "garbage" is none; "hashed" and "away" are not there. */
int secure_make_all(void **state);
int secure_remove_all(void **state);
const char *secure_folder(void);
const char *crt(const char *name); /* the path of its certificate */
const char *key(const char *name); /* and of its key */

/* --- real servers ------------------------------------------------------------------------------ */

/* Whether redis-server is here and has TLS. */
bool secure_available(void);
/* Not in a bare system folder without /etc/hosts. */
bool localhost_is_known(void);
/* Listens to TLS at tls_port; its plain port tells that it is ready. protocols NULL: its own. */
void secure_start(struct live_server *s, const char *identity, const char *auth_clients,
		  const char *protocols);
void assert_up(const struct live_server *s, const struct tls_options *options, const char *host);
void assert_refused(const struct live_server *s, const struct tls_options *options,
		    const char *host, const char *words);

#define NEEDS_SERVER()                                                                             \
	do {                                                                                       \
		(void)state;                                                                       \
		if (!secure_available())                                                           \
			skip();                                                                    \
	} while (0)

/* --- bytes ------------------------------------------------------------------------------------- */

char *secure_pattern(size_t len, unsigned seed); /* text without a period; the caller's to free */

#endif
