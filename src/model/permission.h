/* Which permission of an ACL a refused command lacks. */
#ifndef MODEL_PERMISSION_H
#define MODEL_PERMISSION_H

#include <stddef.h>

#define PERMISSION_BYTES 64

/* "+sentinel|failover" of "SENTINEL FAILOVER mymaster", or "&*" where the server's words are about a
 * channel. Redis 6 names no subcommand, so it is made of what was sent. */
const char *permission_name(const char *command, const char *words, char out[PERMISSION_BYTES]);
/* "the user lacks +info: NOPERM ..." */
void permission_format(char *out, size_t size, const char *command, const char *words);

#endif
