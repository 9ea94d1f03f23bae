/* Real servers for tests: started on ports of loopback that nobody else has, in a folder of their
 * own, and killed by the kernel if the test dies. */
#ifndef TESTS_LIVE_H
#define TESTS_LIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct live_server {
	pid_t pid;         /* 0: not running */
	uint16_t port;     /* 0: chosen at the start, and kept for later ones */
	uint16_t tls_port; /* likewise, where it is asked for */
	bool with_tls;     /* listens to TLS as well */
	char folder[64];
};

bool live_available(void); /* redis-server or valkey-server is installed */
/* A port that is this program's until it ends, with the one of its cluster bus: nobody listens, so
 * a connection is refused, and only a server that is started by name may take it. */
uint16_t live_free_port(void);
/* Arguments: option and value strings after the port, ended by NULL. Returns when it answers; on
 * another port where the chosen one was taken all the same. */
void live_start(struct live_server *s, const char *const *args);
/* As a Sentinel, with a configuration file of this text; the port is added. */
void live_start_sentinel(struct live_server *s, const char *config);
void live_stop(struct live_server *s);   /* kills, reaps, removes the folder */
/* One inline command to a port; the first bytes of the reply, or "" when nobody is there. */
void live_command(uint16_t port, const char *command, char *reply, unsigned size);

#endif
