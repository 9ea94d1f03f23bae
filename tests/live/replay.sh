#!/bin/bash
# A crash failover, recorded and seen on the screen, and then its recording on the screen: the same at the
# same moment, wherever one comes from, and up to where the file was cut.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_redoubt
command -v tmux >/dev/null || skip_all "no tmux here"

REC=$WORK/incident.rec
WIDTH=110
LIVE=${WIDTH}x28
REPLAY=${WIDTH}x30 # the time line has two rows

# The panes: below header, alert line and tabs, above the time line and the hints.
body() {
	sed -n '4,27p'
}

dump() {
	"$REDOUBT" --replay "$REC" --dump "$REPLAY" "$@"
}

# iso MS: as --at takes it.
iso() {
	date -u -d "@$(($1 / 1000))" "+%Y-%m-%dT%H:%M:%S.$(printf %03d $(($1 % 1000)))Z"
}

# event_ms NAME: when the first one of that name was, by the wall clock.
event_ms() {
	date -d "$("$REDOUBT" --replay "$REC" --events --format json |
		jq -r -n --arg event "$1" 'first(inputs | select(.event == $event)).time')" +%s%3N
}

# frozen SCREEN: what is seen of it, when it has been drawn: its tab alone has no tab's words behind it.
frozen() {
	screen_keys "$1"
	wait_screen "$2" 5
	screen_text | body >"$WORK/live.$1"
}

# as_live MS SCREEN...: at that moment the recording shows what was seen of those screens.
as_live() {
	local ms=$1 screen
	shift
	for screen; do
		dump --at "$(iso "$ms")" --keys "$screen" | body >"$WORK/replayed.$screen"
		cmp -s "$WORK/live.$screen" "$WORK/replayed.$screen" || return 1
	done
}

# same_as_live MS SCREEN...: at some moment around that one. A frozen screen does not say to the
# millisecond of when it is.
same_as_live() {
	local ms=$1 off
	shift
	for off in 0 -20 20 -40 40 -60 60 -80 80 -100 100 -120 -140 -160 -180 -200 -250 -300 -350 -400; do
		as_live $((ms + off)) "$@" && return
	done
	as_live "$ms" "$@"
	for screen; do
		diff "$WORK/live.$screen" "$WORK/replayed.$screen"
	done
	return 1
}

state_is() {
	screen_text | tail -n 2 | head -n 1 | grep -Eq -- "^ $1"
}

wait_state() {
	wait_for "${2:-5}" "the time line says /$1/" state_is "$1" && return
	screen_text | sed 's/^/# /'
	return 1
}

# screen_is TEXT: the panes are these.
screen_is() {
	[ "$(screen_text | body)" = "$1" ]
}

# --- live ------------------------------------------------------------------------------------------

free_ports 6
M=${PORTS[0]} R1=${PORTS[1]} R2=${PORTS[2]}
S=("${PORTS[@]:3}")
start_node "$M"
start_node "$R1" "replicaof 127.0.0.1 $M"
start_node "$R2" "replicaof 127.0.0.1 $M"
for port in "${S[@]}"; do
	start_sentinel "$port" "$M" 2 1000
done
for port in "${S[@]}"; do
	wait_for 20 "Sentinel $port knows all" sentinel_is_settled "$port" 2 2 || bail "the set settles"
done

screen_redoubt "$LIVE" --record "$REC" "127.0.0.1:${S[0]}"
wait_screen '3 nodes and 3 Sentinels up' 10 || bail "the set is on the screen"
kill_node "$M"
wait_screen '\+switch-master' 15 || bail "the failover is on the screen"
screen_keys Space
wait_screen 'FROZEN' 5
MOMENT=$(($(now_ms) - 60))
frozen 2 '2 Topology.*'
wait_for 5 "topology is alone" screen_has '^┌ Topology ─+┐$'
screen_text | body >"$WORK/live.2"
frozen 5 '^┌ Events.*─┐$'
frozen 3 '^┌ Replication[^┐]*─┐$'
screen_keys Space 1
wait_screen '\+failover-end' 15 || bail "the failover ends"
screen_keys q
wait_for 10 "redoubt has quit" screen_ended
screen_stop

# --- the same, replayed ----------------------------------------------------------------------------

check "topology, events and replication in the middle of a failover are as they were live" \
	same_as_live "$MOMENT" 2 5 3

SWITCH=$(event_ms +switch-master)
screen_start "$REPLAY" "$REDOUBT" --replay "$REC"
check "it plays from the begin" wait_state 'PLAYING 1x'
check "the header says what it is" screen_has 'REPLAY incident.rec'
screen_keys Space
check "Space pauses" wait_state PAUSED
screen_keys + +
check "+ makes it faster" wait_state 'PAUSED 4x'
screen_keys Space
check "and goes on so" wait_state 'PLAYING 4x'
screen_keys '$'
check "the end is the end" wait_state END
check "where the failover is over" screen_has '\+failover-end'
screen_keys '^'
check "back at the begin it waits" wait_state PAUSED
check "and nothing has happened yet" screen_has 'no events yet'

at_switch() {
	screen_keys '}'
	sleep 0.2
	state_is '.*\+switch-master'
}
check "steps lead to the failover" wait_for 10 "+switch-master" at_switch
check "there the clock is that of the event" \
	screen_has "$(date -d "@$((SWITCH / 1000))" +%H:%M:%S)\$"
STEPPED=$(screen_text | body)

# The event's wall clock and that of its entry may be a millisecond apart.
is_dump_of_switch() {
	local ms
	for ms in 0 -1 1 -2 2; do
		[ "$STEPPED" = "$(dump --at "$(iso $((SWITCH + ms)))" | body)" ] && return
	done
	diff <(echo "$STEPPED") <(dump --at "$(iso "$SWITCH")" | body)
	return 1
}
check "and the screen that of --dump --at" is_dump_of_switch

screen_keys '$'
wait_state END
screen_keys '{'
check "a step back leads there as well" wait_for 5 "+switch-master" screen_is "$STEPPED"
screen_keys '>'
check "ten seconds on is past the end" wait_state END
screen_keys Left
check "and back before the begin" wait_for 5 "the begin" screen_has 'no events yet'
screen_keys '$'
wait_state END

# --- what does not change, and what cannot be done -------------------------------------------------

screen_keys 7 G Enter
wait_screen '^┌ Node +127' 5
NODE=$(screen_text | grep -Eo '^┌ Node +127[0-9.:]+')
screen_keys '{'
wait_state PAUSED
check "a node's own screen stays over a jump" screen_has "${NODE:-none}"
screen_keys '$'
wait_state END
check "and back" screen_has "${NODE:-none}"
screen_keys Escape 1 f
check "no action is possible" wait_screen 'a recording: no action is possible' 5
screen_keys r
check "nothing is asked" wait_screen 'a recording: nothing is asked' 5
screen_keys ":write $WORK/report.md" Enter
check "a report is written" wait_screen 'report written: .*report.md' 5
check "and names the recording" grep -q 'incident.rec' "$WORK/report.md"
screen_keys ':at 99:99' Enter
check "a time that is none is refused" wait_screen 'at: must be HH:MM' 5
screen_keys ":at $(iso "$SWITCH")" Enter
check ":at goes there" wait_screen "$(date -d "@$((SWITCH / 1000))" +%H:%M:%S)\$" 5
screen_keys ':speed 64' Enter Space
check "at 64 times it soon comes to the end" wait_state END 20
screen_keys q
check "q quits" wait_for 5 "the end" screen_ended
screen_stop

# --- cut -------------------------------------------------------------------------------------------

WHOLE=$(stat -c %s "$REC")
mv "$REC" "$WORK/whole.rec"
for percent in 35 60 90; do
	head -c $((WHOLE * percent / 100)) "$WORK/whole.rec" >"$REC"
	dump --keys '$' >"$WORK/cut" 2>&1
	check "cut at $percent % it plays up to there, and says so" \
		grep -Eq '^ END .*(cut short|not closed|ends at)' "$WORK/cut"
done

finish
