#!/bin/bash
# What a terminal does beside keys: pastes. Marked as such, and as if they were typed.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317,SC2016
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_redoubt
command -v tmux >/dev/null || skip_all "no tmux here"

free_ports 2
M=${PORTS[0]} R=${PORTS[1]} NAME=
start_node "$M"
start_node "$R" "replicaof 127.0.0.1 $M"
is_linked() {
	[ "$(info_field "$R" replication master_link_status)" = up ]
}
wait_for 60 "the replica is linked" is_linked || bail "the replica is linked"

# paste TEXT [-p]: -p marks it, where the program asked for that.
paste_text() {
	tm set-buffer -- "$1"
	shift
	tm paste-buffer "$@"
}

still_master() {
	[ "$(info_field "$M" replication role)" = master ] && [ "$(info_field "$R" replication role)" = slave ]
}

open_sheet() {
	screen_keys f
	wait_screen 'Type [^ ]+ to go ahead|Cannot be done' 30 || return 1
	NAME=$(screen_text | sed -n 's/.*Type \([^ ]*\) to go ahead.*/\1/p')
}

# hears: it drops the keys of its first half second.
hears() {
	screen_keys x
	screen_has '> *x'
}

close_it() {
	screen_keys Escape
	wait_screen '1 Dash' 30
}

screen_redoubt 80x24 --log "$WORK/log" "127.0.0.1:$M"
check "the set is shown" wait_screen "127\.0\.0\.1:$R +replica +up" 60

# Of these keys, a q would end it, f open a sheet, 5 show the events.
paste_text $'quit 5\nfailover\ny\n' -p
paste_text 'q' -p
screen_keys 7
check "a marked paste on the dashboard does nothing" wait_screen '┌ Nodes ' 30
screen_keys 1

open_sheet
if [ -n "$NAME" ]; then
	check "the sheet hears" wait_for 30 "it hears" hears
	screen_keys C-u
	paste_text "$NAME"$'\n' -p
	check "marked: the name is typed" wait_screen "> $NAME" 30
	check "marked: its newline is none" screen_has "Type $NAME to go ahead"
	screen_keys C-u
	check "it is taken out again" wait_screen '> *│' 30
	paste_text "$NAME"$'\n'
	check "not marked: it says why nothing was sent" wait_screen 'nothing was sent: Enter came together' 30
	check "and the name stays" screen_has "> $NAME"
	check "the sheet is left" close_it
	check "nothing was sent" still_master
	check "nor is it in the log" eval '[ -e "$WORK/log" ] && ! grep -q FAILOVER "$WORK/log"'
else
	skip "the sheet: no failover here: $(screen_text | sed -n 5,8p)"
fi

screen_keys /
paste_text "$R"$'\n'"1" -p
check "a filter takes a paste, without its newline" wait_screen "filter: ${R}1" 30
screen_keys C-u Escape q
check "q ends it" wait_for 30 "the end" screen_ended

finish
