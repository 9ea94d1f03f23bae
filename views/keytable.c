#include "config.h"

#include "views/view.h"

#define CTRL(letter) (KEYC_CTRL | (uint32_t)(letter))

/* Help, footer and dispatch are all made from this table. label: in the footer, NULL: not there. */
const struct key_binding key_bindings[] = {
    {{'1'}, CMD_SCREEN_1, NULL, "dashboard: everything at a glance", "Screens"},
    {{'2'}, CMD_SCREEN_2, NULL, "topology: who follows whom, and who watches", "Screens"},
    {{'3'}, CMD_SCREEN_3, NULL, "replication: lag, trend, backlog", "Screens"},
    {{'4'}, CMD_SCREEN_4, NULL, "slots of a cluster", "Screens"},
    {{'5'}, CMD_SCREEN_5, NULL, "events, the newest at the bottom", "Screens"},
    {{'6'}, CMD_SCREEN_6, NULL, "agreement: who says what of whom", "Screens"},
    {{'7'}, CMD_SCREEN_7, NULL, "nodes: one table of all", "Screens"},
    {{'8'}, CMD_SCREEN_8, NULL, "doctor: what is wrong, and what to do", "Screens"},
    {{'9'}, CMD_SCREEN_9, NULL, "failovers, each as a time line", "Screens"},
    {{'0'}, CMD_SCREEN_0, NULL, "fleet: every deployment, the worst first", "Screens"},
    {{'['}, CMD_PREV_DEPLOYMENT, NULL, "previous deployment", "Screens"},
    {{']'}, CMD_NEXT_DEPLOYMENT, "deployment", "next deployment", "Screens"},

    {{KEYC_UP, 'k'}, CMD_UP, NULL, "a row up", "Moving"},
    {{KEYC_DOWN, 'j'}, CMD_DOWN, NULL, "a row down", "Moving"},
    {{KEYC_LEFT, 'h'}, CMD_LEFT, NULL, "to the left", "Moving"},
    {{KEYC_RIGHT, 'l'}, CMD_RIGHT, NULL, "to the right", "Moving"},
    {{KEYC_PAGE_UP}, CMD_PAGE_UP, NULL, "a page up", "Moving"},
    {{KEYC_PAGE_DOWN}, CMD_PAGE_DOWN, NULL, "a page down", "Moving"},
    {{'g', KEYC_HOME}, CMD_TOP, NULL, "first row", "Moving"},
    {{'G', KEYC_END}, CMD_BOTTOM, NULL, "last row; in events: follow the newest again", "Moving"},
    {{KEYC_TAB}, CMD_NEXT_PANE, "pane", "next pane", "Moving"},
    {{KEYC_SHIFT_TAB}, CMD_PREV_PANE, NULL, "previous pane", "Moving"},
    {{'z'}, CMD_ZOOM, "zoom", "the focused pane alone, and back", "Moving"},
    {{KEYC_ENTER}, CMD_ENTER, "details", "everything about the selected row", "Moving"},
    {{KEYC_ESC}, CMD_BACK, NULL, "back: close details, drop the filter", "Moving"},

    {{'/'},
     CMD_FILTER,
     "filter",
     "filter the focused pane; ! first inverts; in slots: a key",
     "Looking"},
    {{'s'}, CMD_SORT_NEXT, NULL, "sort by the next column", "Looking"},
    {{'S'}, CMD_SORT_REVERSE, NULL, "sort the other way round", "Looking"},
    {{KEYC_SPACE},
     CMD_FREEZE,
     "freeze",
     "freeze the screen, and go on; watching never stops",
     "Looking"},
    {{'+'}, CMD_FASTER, NULL, "poll more often", "Looking"},
    {{'-'}, CMD_SLOWER, NULL, "poll less often", "Looking"},
    {{'r'}, CMD_REFRESH, NULL, "ask every node now", "Looking"},
    {{CTRL('l')}, CMD_REDRAW, NULL, "paint the whole screen again", "Looking"},

    {{'f'},
     CMD_FAILOVER,
     "failover",
     "open the failover sheet of the selection; sends nothing",
     "Acting"},
    {{'c'},
     CMD_CKQUORUM,
     "ckquorum",
     "ask every Sentinel whether a failover could be agreed on",
     "Acting"},

    {{'a'}, CMD_ACTIONS, NULL, "everything that can be done to the selection", "Acting"},

    {{'t'}, CMD_THEME, NULL, "choose a theme", "Program"},
    {{'?', KEYC_F1}, CMD_HELP, "help", "this page", "Program"},
    {{CTRL('z')}, CMD_SUSPEND, NULL, "back to the shell; fg returns", "Program"},
    {{'q'}, CMD_QUIT, "quit", "quit", "Program"},
};
const size_t key_binding_count = sizeof(key_bindings) / sizeof(key_bindings[0]);

enum command key_command(uint32_t key)
{
	if (key == KEYC_NONE)
		return CMD_NONE;
	for (size_t i = 0; i < key_binding_count; i++)
		for (size_t k = 0; k < 3; k++)
			if (key_bindings[i].keys[k] == key)
				return key_bindings[i].command;
	return CMD_NONE;
}
