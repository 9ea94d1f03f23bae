#include "config.h"

#include "app/demo_folder.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/number.h"

#define LOG_NAME    "guard.log"
#define MAX_DEPTH   6
/* A server that was just killed may leave a file behind while the folder is being read. */
#define REMOVE_TRIES 3

static const char *base_path(void)
{
	const char *runtime = getenv("XDG_RUNTIME_DIR");
	struct stat st;

	/* As the basedir specification demands of it: absolute and owned by the user. */
	if (runtime && *runtime == '/' && strlen(runtime) < 64 && stat(runtime, &st) == 0 &&
	    S_ISDIR(st.st_mode) && st.st_uid == getuid() && access(runtime, W_OK | X_OK) == 0)
		return runtime;
	return "/tmp";
}

static void remove_below(int dir_fd, int depth);

static void remove_entry(int dir_fd, const char *name, int depth)
{
	int fd;

	if (unlinkat(dir_fd, name, 0) == 0 || depth >= MAX_DEPTH)
		return;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return;
	remove_below(fd, depth + 1);
	unlinkat(dir_fd, name, AT_REMOVEDIR);
}

/* Takes dir_fd over. */
static void remove_below(int dir_fd, int depth)
{
	DIR *dir = fdopendir(dir_fd);
	struct dirent *entry;

	if (!dir) {
		close(dir_fd);
		return;
	}
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
			remove_entry(dirfd(dir), entry->d_name, depth);
	}
	closedir(dir);
}

static void remove_tree(int base_fd, const char *name)
{
	for (int i = 0; i < REMOVE_TRIES; i++) {
		remove_entry(base_fd, name, 0);
		if (faccessat(base_fd, name, F_OK, AT_SYMLINK_NOFOLLOW) < 0)
			return;
	}
}

/* The lock tells, not the pid: that may be a zombie, of another namespace (a shared /tmp), or of
 * somebody else by now. Only a folder without a log, whose guard died at once, goes by the pid. */
static bool is_stale(int base_fd, const char *name, int pid)
{
	char path[NAME_MAX + sizeof "/" LOG_NAME];
	struct stat st;
	bool stale;
	int fd;

	if (fstatat(base_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode) ||
	    st.st_uid != getuid())
		return false;
	snprintf(path, sizeof path, "%s/" LOG_NAME, name);
	fd = openat(base_fd, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT && kill(pid, 0) < 0 && errno == ESRCH;
	stale = flock(fd, LOCK_EX | LOCK_NB) == 0;
	close(fd);
	return stale;
}

static void remove_stale(const char *base)
{
	char prefix[48];
	DIR *dir = opendir(base);
	struct dirent *entry;
	size_t len;

	if (!dir)
		return;
	len = (size_t)snprintf(prefix, sizeof prefix, "redoubt-demo-%u-", (unsigned)getuid());
	while ((entry = readdir(dir))) {
		const char *name = entry->d_name;
		int64_t pid;

		if (strncmp(name, prefix, len) == 0 && strlen(name) < len + 12 &&
		    number_parse(name + len, strlen(name + len), 2, INT32_MAX, &pid) &&
		    is_stale(dirfd(dir), name, (int)pid))
			remove_tree(dirfd(dir), name);
	}
	closedir(dir);
}

/* Locked under another name first: a log that is there and not locked is that of a dead guard. */
static bool open_log(struct demo_folder *folder)
{
	int fd = openat(folder->fd, LOG_NAME ".new",
			O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0600);

	folder->log_fd = fd;
	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0 &&
	       renameat(folder->fd, LOG_NAME ".new", folder->fd, LOG_NAME) == 0;
}

bool demo_folder_create(struct demo_folder *folder, struct buf *err)
{
	const char *base = base_path();

	remove_stale(base);
	folder->fd = folder->log_fd = -1;
	snprintf(folder->path, sizeof folder->path, "%s/redoubt-demo-%u-%d", base,
		 (unsigned)getuid(), (int)getpid());
	if (mkdir(folder->path, 0700) < 0) {
		buf_addf(err, "can't make %s: %s", folder->path, strerror(errno));
		folder->path[0] = '\0';
		return false;
	}
	folder->fd = open(folder->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (folder->fd < 0 || !open_log(folder)) {
		buf_addf(err, "can't use %s: %s", folder->path, strerror(errno));
		demo_folder_remove(folder);
		return false;
	}
	return true;
}

void demo_folder_remove(struct demo_folder *folder)
{
	if (folder->path[0])
		remove_tree(AT_FDCWD, folder->path);
	if (folder->fd >= 0)
		close(folder->fd);
	if (folder->log_fd >= 0)
		close(folder->log_fd);
	folder->fd = folder->log_fd = -1;
	folder->path[0] = '\0';
}
