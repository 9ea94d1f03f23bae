/* The demo's folder, <runtime dir>/redoubt-demo-<uid>-<pid of the guard>. The guard holds a lock on
 * its file guard.log for as long as it lives, whatever the pid is reused for later. */
#ifndef APP_DEMO_FOLDER_H
#define APP_DEMO_FOLDER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

struct demo_folder {
	char path[128];
	int fd;     /* the folder */
	int log_fd; /* guard.log, append, locked */
};

/* Makes the folder for the calling process; also removes those of dead guards of this user. */
bool demo_folder_create(struct demo_folder *folder, struct buf *err);
/* Removes the folder with all in it and closes its descriptors. Follows no symbolic link. */
void demo_folder_remove(struct demo_folder *folder);

#endif
