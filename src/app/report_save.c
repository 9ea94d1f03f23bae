#include "config.h"

#include "app/report_save.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "base/thread.h"

#define NAMES_MAX   1000 /* -2 to -1000: more are no accident */
#define STOP_WAIT_MS 1000

struct report_save {
	struct ev_loop *loop;
	ev_async finished;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	bool over, abandoned; /* guarded by lock; abandoned: the thread frees */
	pthread_t thread;
	struct buf text;
	char path[REPORT_PATH_BYTES], name[REPORT_PATH_BYTES];
	int error;
	void (*done)(const char *path, int error, void *owner);
	void *owner;
};

/* --- names ------------------------------------------------------------------------------------------ */

static bool is_plain(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
	       c == '-' || c == '_';
}

void report_name(const char *deployment, int64_t wall_ms, char *out, size_t size)
{
	char name[41], iso[CLOCK_ISO_BYTES], stamp[CLOCK_ISO_BYTES];
	size_t len = 0, at = 0;
	/* A name is a server's word: it must not lead to another folder. */
	for (const char *p = deployment; *p != '\0' && len + 1 < sizeof(name); p++)
		name[len++] = is_plain(*p) ? *p : '-';
	name[len] = '\0';
	/* 2026-11-21T12:31:07.120Z */
	clock_format_iso(wall_ms, iso);
	for (const char *p = iso; *p != '\0' && *p != '.'; p++)
		if (*p != '-' && *p != ':')
			stamp[at++] = *p;
	stamp[at] = '\0';
	snprintf(out, size, "redoubt-%s-%sZ.md", name, stamp);
}

/* The n-th name: before the ending, if there is one. */
static bool numbered(const char *path, int n, char *out, size_t size)
{
	const char *slash = strrchr(path, '/');
	const char *dot = strrchr(slash != NULL ? slash : path, '.');
	const char *base = slash != NULL ? slash + 1 : path;
	size_t stem = dot != NULL && dot > base ? (size_t)(dot - path) : strlen(path);
	int len = n == 1 ? snprintf(out, size, "%s", path)
			 : snprintf(out, size, "%.*s-%d%s", (int)stem, path, n, path + stem);
	return len >= 0 && (size_t)len < size;
}

/* A folder gets the usual name in it. */
static bool resolve(struct report_save *s)
{
	struct stat st;
	size_t len = strlen(s->path);
	if (len == 0) {
		memcpy(s->path, s->name, sizeof(s->path));
		return true;
	}
	if (stat(s->path, &st) != 0 || !S_ISDIR(st.st_mode))
		return true;
	int added = snprintf(s->path + len, sizeof(s->path) - len, "%s%s",
			     s->path[len - 1] == '/' ? "" : "/", s->name);
	return added >= 0 && (size_t)added < sizeof(s->path) - len;
}

/* --- the thread --------------------------------------------------------------------------------------- */

/* Returns a descriptor, or -1 with errno; path becomes the name that was free. */
static int create(struct report_save *s)
{
	char path[REPORT_PATH_BYTES];
	for (int n = 1; n <= NAMES_MAX; n++) {
		if (!numbered(s->path, n, path, sizeof(path))) {
			errno = ENAMETOOLONG;
			return -1;
		}
		int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOCTTY, 0600);
		if (fd >= 0) {
			memcpy(s->path, path, sizeof(path));
			return fd;
		}
		if (errno != EEXIST)
			return -1;
	}
	return -1;
}

static int write_text(int fd, const struct buf *text)
{
	size_t done = 0;
	while (done < text->len) {
		ssize_t n = write(fd, text->data + done, text->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno;
		done += (size_t)n;
	}
	/* A full disk or a quota may show only here. */
	return fsync(fd) == 0 || errno == EINVAL ? 0 : errno;
}

static int save(struct report_save *s)
{
	if (!resolve(s))
		return ENAMETOOLONG;
	int fd = create(s);
	if (fd < 0)
		return errno;
	int error = write_text(fd, &s->text);
	if (close(fd) != 0 && error == 0)
		error = errno;
	/* Half a report would be taken for a whole one. */
	if (error != 0)
		unlink(s->path);
	return error;
}

static void destroy(struct report_save *s)
{
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->ended);
	buf_free(&s->text);
	free(s);
}

static void *run(void *arg)
{
	struct report_save *s = arg;
	s->error = save(s);
	pthread_mutex_lock(&s->lock);
	bool abandoned = s->abandoned;
	s->over = true;
	if (!abandoned)
		ev_async_send(s->loop, &s->finished);
	pthread_cond_signal(&s->ended);
	pthread_mutex_unlock(&s->lock);
	if (abandoned)
		destroy(s);
	return NULL;
}

/* --- the loop ----------------------------------------------------------------------------------------- */

static void on_finished(struct ev_loop *loop, ev_async *w, int revents)
{
	struct report_save *s = w->data;
	(void)revents;
	ev_async_stop(loop, w);
	pthread_join(s->thread, NULL);
	s->done(s->path, s->error, s->owner);
	destroy(s);
}

struct report_save *report_save_start(struct ev_loop *loop, struct buf *text, const char *path,
				      const char *name,
				      void (*done)(const char *path, int error, void *owner), void *owner)
{
	struct report_save *s = mem_alloc(sizeof(*s));
	*s = (struct report_save){ .loop = loop, .text = *text, .done = done, .owner = owner };
	*text = (struct buf)BUF_INIT;
	text_format(s->name, sizeof(s->name), "%s", name);
	text_format(s->path, sizeof(s->path), "%s", path != NULL ? path : "");
	pthread_mutex_init(&s->lock, NULL);
	thread_cond_init(&s->ended);
	ev_async_init(&s->finished, on_finished);
	s->finished.data = s;
	ev_async_start(loop, &s->finished);
	if (thread_start(&s->thread, 0, run, s))
		return s;
	ev_async_stop(loop, &s->finished);
	destroy(s);
	return NULL;
}

void report_save_stop(struct report_save *s)
{
	if (s == NULL)
		return;
	struct timespec until = clock_mono_in(STOP_WAIT_MS);
	ev_async_stop(s->loop, &s->finished);
	pthread_mutex_lock(&s->lock);
	while (!s->over && pthread_cond_timedwait(&s->ended, &s->lock, &until) == 0)
		;
	bool over = s->over;
	s->abandoned = !over;
	if (!over)
		pthread_detach(s->thread);
	pthread_mutex_unlock(&s->lock);
	if (!over)
		return;
	pthread_join(s->thread, NULL);
	destroy(s);
}
