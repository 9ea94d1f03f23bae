/* A crash, or SIGQUIT, gives the terminal back. */
#ifndef APP_CRASH_H
#define APP_CRASH_H

#include <stdbool.h>

/* While on, fatal signals and SIGQUIT restore the terminal before whoever handled them before gets its turn. */
void crash_restores_terminal(bool on);

#endif
