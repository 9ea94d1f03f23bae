/* For tests of what runs in a libev loop: runs it until a condition holds, and fails at a limit so far
 * away that only what never happens meets it, however busy the machine. */
#ifndef TESTS_RUN_UNTIL_H
#define TESTS_RUN_UNTIL_H

#include <ev.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#define RUN_UNTIL_S 300.

static inline void run_until_on_limit(struct ev_loop *loop, ev_timer *w, int events)
{
	(void)loop;
	(void)events;
	*(bool *)w->data = true;
}

/* `explain` is what is done before it fails, such as printing what is known. */
#define RUN_LOOP_UNTIL(loop_, condition, explain)                                                  \
	do {                                                                                       \
		bool over_ = false;                                                                \
		ev_timer limit_;                                                                   \
		ev_timer_init(&limit_, run_until_on_limit, RUN_UNTIL_S, 0.);                       \
		limit_.data = &over_;                                                              \
		ev_now_update(loop_);                                                              \
		ev_timer_start(loop_, &limit_);                                                    \
		while (!(condition) && !over_)                                                     \
			ev_run(loop_, EVRUN_ONCE);                                                 \
		ev_timer_stop(loop_, &limit_);                                                     \
		if (over_)                                                                         \
			explain;                                                                   \
		assert_true(condition);                                                            \
	} while (0)

#endif
