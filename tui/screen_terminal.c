/* The terminal: a descriptor of our own, its modes, its size, bytes in and out that never block; and
 * the way back from a crash. */
#include "config.h"
#include "tui/screen_state.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h> /* makes macros of everyday words */
#undef columns
#undef lines
#include <unistd.h>

#include "base/clock.h"

/* How long leaving may take on a terminal that does not read. */
#define LEAVE_MS      300
#define CRASH_WAITS   10
#define CRASH_WAIT_MS 100

/* What a handler of a fatal signal needs, ready: no curses, no stdio and no allocation there. */
static struct {
	volatile sig_atomic_t active;
	int fd;
	struct termios saved;
	char leave[256];
	size_t leave_len;
} emergency = { .fd = -1 };

/* A descriptor of our own: O_NONBLOCK belongs to the open file, and the one behind 0 and 1 is
 * the shell's too. */
int screen_open_tty(struct termios *saved, struct buf *err)
{
	const int flags = O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	const char *name;
	int fd = -1;

	if (isatty(STDOUT_FILENO)) {
		fd = open("/dev/tty", flags);
		/* no controlling terminal: a container, or a shell that was set apart */
		if (fd < 0 && (name = ttyname(STDOUT_FILENO)) != NULL)
			fd = open(name, flags);
	}
	if (fd < 0) {
		buf_addstr(err, "standard output is not a terminal; without one, --once prints a "
				"snapshot and --events the events");
	} else if (tcgetattr(fd, saved) != 0) {
		buf_addf(err, "the terminal does not tell its modes: %s", strerror(errno));
		close(fd);
		fd = -1;
	}
	return fd;
}

/* curses is told that it has no terminal, so it never sets these. Signals stay on: Ctrl-C and
 * Ctrl-Z come as signals. Output is not touched by the kernel, since curses moves down with a
 * bare line feed. TCSANOW: draining would wait for a terminal that does not read. */
void screen_enter_modes(struct screen *s)
{
	struct termios raw = s->saved;

	raw.c_iflag &= ~(tcflag_t)(ICRNL | INLCR | IGNCR | ISTRIP | IXON);
	raw.c_oflag &= ~(tcflag_t)OPOST;
	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO | ECHONL | IEXTEN);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	tcsetattr(s->tty_fd, TCSANOW, &raw);
}

/* False while another job has the terminal: its modes are that one's, and SIGTTOU would stop us
 * where we meant to end. */
static bool has_terminal(int fd)
{
	pid_t group = tcgetpgrp(fd);

	return group < 0 || group == getpgrp();
}

void screen_leave_modes(const struct screen *s)
{
	screen_emergency_disarm();
	if (has_terminal(s->tty_fd))
		tcsetattr(s->tty_fd, TCSANOW, &s->saved);
}

void screen_ask_size(const struct screen *s, int *width, int *height)
{
	struct winsize size = { 0, 0, 0, 0 };

	/* a serial line knows no size and says 0 */
	if (ioctl(s->tty_fd, TIOCGWINSZ, &size) != 0 || !size.ws_col || !size.ws_row) {
		size.ws_col = 80;
		size.ws_row = 24;
	}
	*width = size.ws_col;
	*height = size.ws_row;
}

/* --- bytes ---------------------------------------------------------------------------- */

int screen_fd(const struct screen *s)
{
	return s->tty_fd;
}

int screen_flush(struct screen *s)
{
	size_t sent = 0;

	if (s->gone)
		return -1;
	while (sent < s->unsent.len) {
		ssize_t n = write(s->tty_fd, s->unsent.data + sent, s->unsent.len - sent);
		if (n > 0) {
			sent += (size_t)n;
			continue;
		}
		if (n < 0 && errno == EINTR)
			continue;
		s->gone = n < 0 && errno != EAGAIN && errno != EWOULDBLOCK;
		break;
	}
	s->bytes_total += sent;
	if (sent)
		buf_consume(&s->unsent, sent);
	if (s->gone)
		return -1;
	return s->unsent.len == 0;
}

/* For the last bytes before the terminal is given back: waits, but not for ever. */
void screen_flush_patiently(struct screen *s)
{
	int64_t deadline = clock_mono_ms() + LEAVE_MS;

	while (screen_flush(s) == 0) {
		struct pollfd p = { .fd = s->tty_fd, .events = POLLOUT };
		int64_t left = deadline - clock_mono_ms();
		if (left <= 0 || (poll(&p, 1, (int)left) < 0 && errno != EINTR))
			break;
	}
	buf_reset(&s->unsent);
}

struct buf *screen_input(struct screen *s)
{
	return &s->input;
}

struct key_times *screen_key_times(struct screen *s)
{
	return &s->key_times;
}

int screen_read_input(struct screen *s)
{
	char block[1024];
	ssize_t got;

	if (s->headless)
		return 0;
	got = read(s->tty_fd, block, sizeof(block));
	if (got > 0) {
		buf_add(&s->input, block, (size_t)got);
		return 1;
	}
	if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR))
		return 0;
	s->gone = true;
	return -1;
}

/* --- a fatal signal ------------------------------------------------------------------- */

static void emergency_add_text(const char *text)
{
	while (*text && emergency.leave_len < sizeof(emergency.leave))
		emergency.leave[emergency.leave_len++] = *text++;
}

static void emergency_add(const char *capability)
{
	const char *text = tigetstr(capability);

	if (!text || text == (const char *)-1)
		return;
	while (*text && emergency.leave_len < sizeof(emergency.leave)) {
		if (text[0] == '$' && text[1] == '<' && strchr(text, '>')) {
			text = strchr(text, '>') + 1; /* a padding delay, for tputs */
			continue;
		}
		emergency.leave[emergency.leave_len++] = *text++;
	}
}

bool screen_has_alternate(void)
{
	const char *text = tigetstr("rmcup");

	return text && text != (const char *)-1;
}

void screen_emergency_arm(const struct screen *s)
{
	emergency.active = 0;
	emergency.fd = s->tty_fd;
	emergency.saved = s->saved;
	emergency.leave_len = 0;
	emergency_add("sgr0");
	emergency_add("op");
	emergency_add("rmkx");
	emergency_add("cnorm");
	if (s->mouse)
		emergency_add_text("\033[?1006l\033[?1000l");
	if (s->messages.pastes_marked)
		emergency_add_text(SCREEN_PASTE_OFF);
	if (s->messages.title_pushed)
		emergency_add_text(SCREEN_TITLE_POP);
	emergency_add("rmcup"); /* xterm's also brings the title back */
	if (!screen_has_alternate())
		emergency_add_text("\r\n");
	emergency.active = 1;
}

void screen_emergency_disarm(void)
{
	emergency.active = 0;
}

/* The terminal may be busy with a frame. False when it had time enough. */
static bool wait_a_little(int *waits)
{
	struct pollfd p = { .fd = emergency.fd, .events = POLLOUT };

	return ++*waits <= CRASH_WAITS && poll(&p, 1, CRASH_WAIT_MS) >= 0;
}

void screen_emergency_restore(void)
{
	size_t at = 0;
	int saved_errno = errno, waits = 0;

	if (!emergency.active)
		return;
	emergency.active = 0;
	while (at < emergency.leave_len) {
		ssize_t n = write(emergency.fd, emergency.leave + at, emergency.leave_len - at);
		if (n > 0)
			at += (size_t)n;
		else if (n == 0 || (errno != EINTR && !(errno == EAGAIN && wait_a_little(&waits))))
			break;
	}
	if (has_terminal(emergency.fd))
		tcsetattr(emergency.fd, TCSANOW, &emergency.saved);
	errno = saved_errno;
}
