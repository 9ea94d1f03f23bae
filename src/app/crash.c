#include "config.h"

#include "app/crash.h"

#include <signal.h>
#include <stddef.h>

#include "tui/screen.h"

/* SIGQUIT (Ctrl-\) is for a program that does not listen any more: it goes this way and not over the
 * loop. */
static const int fatal_signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGQUIT };
static struct sigaction fatal_before[sizeof(fatal_signals) / sizeof(fatal_signals[0])];

/* Only async-signal-safe calls. The handler from before (a sanitizer's) gets its turn: the faulting
 * instruction runs again when this returns, and abort raises again by itself. */
static void on_fatal(int number)
{
	screen_emergency_restore();
	for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(fatal_signals[0]); i++)
		if (fatal_signals[i] == number)
			sigaction(number, &fatal_before[i], NULL);
	raise(number);
}

void crash_restores_terminal(bool on)
{
	for (size_t i = 0; i < sizeof(fatal_signals) / sizeof(fatal_signals[0]); i++) {
		struct sigaction sa = { .sa_handler = on_fatal, .sa_flags = SA_NODEFER };
		sigemptyset(&sa.sa_mask);
		if (on) {
			sigaction(fatal_signals[i], &sa, &fatal_before[i]);
			/* It would not end us: the terminal stays ours. */
			if (fatal_signals[i] == SIGQUIT && fatal_before[i].sa_handler == SIG_IGN)
				sigaction(SIGQUIT, &fatal_before[i], NULL);
			continue;
		}
		sigaction(fatal_signals[i], &fatal_before[i], NULL);
	}
}
