/* Real servers for tests: started on free ports of loopback, in a folder of their own, and killed
 * by the kernel if the test dies. */
#ifndef TESTS_LIVE_H
#define TESTS_LIVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct live_server {
	pid_t pid;      /* 0: not running */
	uint16_t port;
	char folder[64];
};

bool live_available(void); /* redis-server is installed */
uint16_t live_free_port(void);
/* Arguments: option and value strings after the port, ended by NULL. Returns when it answers. */
void live_start(struct live_server *s, const char *const *args);
/* As a Sentinel, with a configuration file of this text; the port is added. */
void live_start_sentinel(struct live_server *s, const char *config);
void live_stop(struct live_server *s);   /* kills, reaps, removes the folder */
/* One inline command to a port; the first bytes of the reply, or "" when nobody is there. */
void live_command(uint16_t port, const char *command, char *reply, unsigned size);

#endif
