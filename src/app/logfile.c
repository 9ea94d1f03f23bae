#include "config.h"

#include "app/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/thread.h"

struct logfile {
	pthread_mutex_t lock;
	pthread_cond_t work, drained;
	pthread_t thread;
	struct buf queue;   /* guarded by lock, as all below */
	bool writing, closing, abandoned;
	int error;          /* errno of the last write; 0 well */
	int first_error;
	size_t lost;        /* lines */
	int fd;
	bool owns_fd;
};

static size_t lines_in(const char *data, size_t len)
{
	size_t lines = 0;
	for (size_t i = 0; i < len; i++)
		lines += data[i] == '\n';
	return lines;
}

/* Writes a batch outside the lock. Returns errno, 0 when all went out, with the lines that did not. */
static int write_all(int fd, const struct buf *batch, size_t *lost)
{
	size_t done = 0;
	while (done < batch->len) {
		ssize_t n = write(fd, batch->data + done, batch->len - done);
		if (n < 0 && errno == EINTR)
			continue;
		/* A pipe that somebody else made so, or a reader that is behind: this thread may wait. */
		if (n < 0 && errno == EAGAIN) {
			struct pollfd room = { .fd = fd, .events = POLLOUT };
			poll(&room, 1, -1);
			continue;
		}
		if (n < 0) {
			int error = errno;
			*lost = lines_in(batch->data + done, batch->len - done);
			return error;
		}
		done += (size_t)n;
	}
	return 0;
}

static void logfile_destroy(struct logfile *l)
{
	pthread_mutex_destroy(&l->lock);
	pthread_cond_destroy(&l->work);
	pthread_cond_destroy(&l->drained);
	buf_free(&l->queue);
	if (l->owns_fd)
		close(l->fd);
	free(l);
}

static void *logfile_thread(void *arg)
{
	struct logfile *l = arg;
	struct buf batch = BUF_INIT;
	pthread_mutex_lock(&l->lock);
	while (!l->closing || l->queue.len > 0) {
		if (l->queue.len == 0) {
			pthread_cond_wait(&l->work, &l->lock);
			continue;
		}
		struct buf swap = l->queue;
		l->queue = batch;
		batch = swap;
		l->writing = true;
		pthread_mutex_unlock(&l->lock);
		size_t lost = 0;
		int error = write_all(l->fd, &batch, &lost);
		buf_reset(&batch);
		pthread_mutex_lock(&l->lock);
		l->writing = false;
		l->error = error;
		l->lost += lost;
		if (l->first_error == 0)
			l->first_error = error;
		pthread_cond_signal(&l->drained);
		if (l->abandoned)
			break;
	}
	bool abandoned = l->abandoned;
	pthread_mutex_unlock(&l->lock);
	buf_free(&batch);
	/* The closer did not wait for this write: the last one out frees. */
	if (abandoned)
		logfile_destroy(l);
	return NULL;
}

struct logfile *logfile_open_fd(int fd)
{
	struct logfile *l = mem_alloc(sizeof(*l));
	l->fd = fd;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->work, NULL);
	thread_cond_init(&l->drained);
	if (!thread_start(&l->thread, 0, logfile_thread, l)) {
		logfile_destroy(l);
		return NULL;
	}
	return l;
}

struct logfile *logfile_open(const char *path, struct buf *err)
{
	/* A FIFO that nobody reads is refused, and not waited for. */
	int fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	if (fd < 0) {
		buf_addf(err, "%s", errno == ENXIO ? "nobody reads it" : strerror(errno));
		return NULL;
	}
	struct logfile *l = logfile_open_fd(fd);
	if (l == NULL) {
		buf_addstr(err, "no thread could be started");
		close(fd);
		return NULL;
	}
	l->owns_fd = true;
	return l;
}

void logfile_add(struct logfile *l, const char *data, size_t len)
{
	pthread_mutex_lock(&l->lock);
	if (l->queue.len + len > LOGFILE_QUEUE_BYTES) {
		l->lost += lines_in(data, len);
	} else {
		buf_add(&l->queue, data, len);
		pthread_cond_signal(&l->work);
	}
	pthread_mutex_unlock(&l->lock);
}

bool logfile_trouble(struct logfile *l, char *out, size_t size)
{
	pthread_mutex_lock(&l->lock);
	bool trouble = l->error != 0 || l->lost > 0;
	if (l->error != 0)
		snprintf(out, size, "log: %s", strerror(l->error));
	else if (l->lost > 0)
		snprintf(out, size, "log: %zu lines lost", l->lost);
	pthread_mutex_unlock(&l->lock);
	return trouble;
}

/* With the lock held. */
static void fill_losses(const struct logfile *l, struct logfile_losses *out)
{
	*out = (struct logfile_losses){ .error = l->first_error, .lines = l->lost };
}

bool logfile_losses(struct logfile *l, struct logfile_losses *out)
{
	pthread_mutex_lock(&l->lock);
	fill_losses(l, out);
	pthread_mutex_unlock(&l->lock);
	return out->error != 0 || out->lines > 0;
}

void logfile_close(struct logfile *l, int timeout_ms, struct logfile_losses *losses)
{
	if (l == NULL)
		return;
	struct timespec until = clock_mono_in(timeout_ms);
	pthread_mutex_lock(&l->lock);
	l->closing = true;
	pthread_cond_signal(&l->work);
	while ((l->queue.len > 0 || l->writing) &&
	       pthread_cond_timedwait(&l->drained, &l->lock, &until) == 0)
		;
	bool stuck = l->writing;
	if (losses != NULL) {
		fill_losses(l, losses);
		losses->unread = stuck || l->queue.len > 0;
	}
	l->abandoned = stuck;
	pthread_t thread = l->thread;
	pthread_mutex_unlock(&l->lock);
	if (stuck) {
		pthread_detach(thread);
		return;
	}
	pthread_join(thread, NULL);
	logfile_destroy(l);
}
