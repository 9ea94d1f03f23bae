/* Title, bell and notifications, and that pastes are marked as such: bytes beside the frame, in the
 * same buffer.
 *
 * Only for terminals that are known to understand them: to others an OSC is garbage on the screen.
 * Inside tmux they go to tmux, which has a title and a bell of its own and drops notifications;
 * its passthrough is not used. */
#include "config.h"
#include "tui/screen_state.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"

#define TITLE_PUSH "\033[22;2t"
#define PASTE_ON   "\033[?2004h"

/* By name: terminfo has no word for a stack of titles, and "tsl" stands for other things as well. */
static bool is_understood(const char *term)
{
	static const char *const families[] = { "xterm", "tmux", "alacritty", "foot", "kitty", "konsole",
						"vte", "gnome", "mintty", "wezterm", "contour" };
	bool tmux = getenv("TMUX") != NULL;

	if (!term)
		return false;
	/* GNU screen keeps no titles, whatever it is told to call itself. */
	if (getenv("STY") && !tmux)
		return false;
	if (tmux && strncmp(term, "screen", 6) == 0)
		return true;
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
		if (strncmp(term, families[i], strlen(families[i])) == 0)
			return true;
	return false;
}

void screen_messages_init(struct screen *s)
{
	s->messages.understood = !s->headless && is_understood(getenv("TERM"));
}

/* Text for inside an OSC: printable, bounded, and ASCII where the screen is. */
static void clean(const struct screen *s, char out[MESSAGE_BYTES], const char *text)
{
	char escaped[MESSAGE_BYTES];
	const char *at = escaped;
	size_t len = 0;

	text_clean(escaped, sizeof(escaped), text, strlen(text));
	while (*at && len + 5 < MESSAGE_BYTES) {
		const char *from = at;
		uint32_t code = text_next(&at);
		if (code < 0x20 || text_is_control(code) || (s->ascii && code > 0x7e)) {
			out[len++] = '?';
			continue;
		}
		memcpy(out + len, from, (size_t)(at - from));
		len += (size_t)(at - from);
	}
	out[len] = '\0';
}

void screen_set_title(struct screen *s, const char *title)
{
	struct messages *m = &s->messages;
	char text[MESSAGE_BYTES];

	if (!m->understood)
		return;
	clean(s, text, title);
	if (strcmp(text, m->title) == 0)
		return;
	memcpy(m->title, text, sizeof(text));
	m->title_due = true;
}

void screen_ring(struct screen *s)
{
	s->messages.ring = !s->headless;
}

void screen_notify(struct screen *s, enum screen_notify how, const char *title, const char *text)
{
	struct messages *m = &s->messages;

	if (!m->understood || how == SCREEN_NOTIFY_NONE)
		return;
	m->notify = how;
	clean(s, m->notify_title, title);
	clean(s, m->notify_text, text);
	/* It ends the title in OSC 777. */
	for (char *p = m->notify_title; (p = strchr(p, ';')) != NULL;)
		*p = ',';
}

void screen_messages_add(struct screen *s)
{
	struct messages *m = &s->messages;

	if (m->understood && !s->headless && !m->pastes_marked) {
		buf_addstr(&s->unsent, PASTE_ON);
		m->pastes_marked = true;
		screen_emergency_arm(s);
	}
	if (m->title_due && !m->title_pushed)
		buf_addstr(&s->unsent, TITLE_PUSH);
	if (m->title_due)
		buf_addf(&s->unsent, "\033]2;%s\a", m->title);
	if (m->title_due && !m->title_pushed) {
		m->title_pushed = true;
		screen_emergency_arm(s); /* a crash gives the title back as well */
	}
	if (m->notify == SCREEN_NOTIFY_OSC9)
		buf_addf(&s->unsent, "\033]9;%s: %s\a", m->notify_title, m->notify_text);
	if (m->notify == SCREEN_NOTIFY_OSC777)
		buf_addf(&s->unsent, "\033]777;notify;%s;%s\a", m->notify_title, m->notify_text);
	if (m->ring)
		buf_addch(&s->unsent, '\a');
	m->title_due = m->ring = false;
	m->notify = SCREEN_NOTIFY_NONE;
}

void screen_messages_leave(struct screen *s)
{
	if (s->messages.pastes_marked)
		buf_addstr(&s->unsent, SCREEN_PASTE_OFF);
	s->messages.pastes_marked = false;
	if (s->messages.title_pushed)
		buf_addstr(&s->unsent, SCREEN_TITLE_POP);
	s->messages.title_pushed = false;
	s->messages.title_due = s->messages.title[0] != '\0';
}

/* A shell that had the terminal meanwhile may have a title of its own, and its own way with pastes. */
void screen_messages_return(struct screen *s)
{
	s->messages.pastes_marked = false;
	s->messages.title_due = s->messages.title[0] != '\0';
}
