/* The guard: the process that owns the demo's servers, its load and its folder. It lives in a
 * session of its own and ends, with everything it started, when the other end of its socket closes
 * or a signal asks it to. */
#ifndef APP_DEMO_GUARD_H
#define APP_DEMO_GUARD_H

#include "app/demo.h"

enum demo_message_type {
	DEMO_MESSAGE_NONE = 0,
	DEMO_MESSAGE_PROGRESS, /* text: a step that is done */
	DEMO_MESSAGE_ERROR,    /* text: why the demo can't be; the guard ends */
	DEMO_MESSAGE_READY,    /* folder, targets and passwords are set */
};

/* What the guard and its former tell the process that started them; one packet each. */
struct demo_message {
	enum demo_message_type type;
	char text[512];
	char folder[128];
	struct endpoint targets[DEMO_MAX_TARGETS];
	size_t target_count;
	char data_password[40], sentinel_password[40];
};

/* The body of the forked guard. socket_fd is its end of a SOCK_SEQPACKET pair. */
_Noreturn void demo_guard_run(int socket_fd, enum demo_kind kind);

#endif
