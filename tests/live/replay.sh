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

# What is on the screen is one frame: the next one, with the line that begins with a colon, has begun
# only after it had been sent.
whole_frame() {
	screen_keys :
	wait_screen '^:' 30
	screen_keys Escape
	wait_lacks '^:' 30
}

# frozen NAME SCREEN REGEX: what is seen of it, when it has been drawn: its pane alone.
frozen() {
	screen_keys "$2"
	wait_screen "$3" 30
	whole_frame
	screen_text | body >"$WORK/live.$1.$2"
}

# freeze NAME: the screens of one moment, between FROM[NAME] and TO[NAME].
declare -A FROM TO
freeze() {
	FROM[$1]=$(($(now_ms) - 20))
	screen_keys Space
	wait_screen FROZEN 30
	TO[$1]=$(($(now_ms) + 20))
	frozen "$1" 2 '^┌ Topology ─+┐$'
	frozen "$1" 5 '^┌ Events.*─┐$'
	frozen "$1" 3 '^┌ Replication[^┐]*─┐$'
	screen_keys Space 1
	wait_lacks FROZEN 30
}

# as_live NAME MS: at that moment the recording shows what was seen of those screens.
as_live() {
	local screen
	for screen in 2 5 3; do
		dump --at "$(iso "$2")" --keys "$screen" | body >"$WORK/replayed.$screen"
		cmp -s "$WORK/live.$1.$screen" "$WORK/replayed.$screen" || return 1
	done
}

# same_as_live NAME EVERY_MS: at some moment between FROM and TO. A frozen screen does not say to the
# millisecond of when it is.
same_as_live() {
	local ms screen
	for ((ms = TO[$1]; ms >= FROM[$1]; ms -= $2)); do
		as_live "$1" "$ms" && return
	done
	for screen in 2 5 3; do
		diff "$WORK/live.$1.$screen" "$WORK/replayed.$screen"
	done
	return 1
}

state_is() {
	screen_text | tail -n 2 | head -n 1 | grep -Eq -- "^ $1"
}

wait_state() {
	wait_for "${2:-30}" "the time line says /$1/" state_is "$1" && return
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
	# On a busy machine one that is alive may not answer for a second.
	start_sentinel "$port" "$M" 2 4000
done
for port in "${S[@]}"; do
	wait_for 90 "Sentinel $port knows all" sentinel_is_settled "$port" 2 2 || bail "the set settles"
done

screen_redoubt "$LIVE" --record "$REC" "127.0.0.1:${S[0]}"
wait_screen '3 nodes and 3 Sentinels up' 30 || bail "the set is on the screen"
kill_node "$M"
wait_screen '\+switch-master' 120 || bail "the failover is on the screen"
freeze first
freeze second
wait_screen '\+failover-end' 120 || bail "the failover ends"
screen_keys q
wait_for 60 "redoubt has quit" screen_ended
screen_stop

# --- the same, replayed ----------------------------------------------------------------------------

# What came within one millisecond with the key has no moment of its own between: then the next time.
either_is_as_live() {
	local every
	for every in 20 5 1; do
		same_as_live first "$every" || same_as_live second "$every" && return
	done
	return 1
}
check "topology, events and replication in the middle of a failover are as they were live" either_is_as_live

SWITCH=$(event_ms +switch-master)
screen_start "$REPLAY" "$REDOUBT" --replay "$REC"
check "it plays from the begin" wait_state 'PLAYING 1x'
check "the header says what it is" wait_screen 'REPLAY incident.rec' 30
screen_keys Space
check "Space pauses" wait_state PAUSED
# All of it must be left to play.
screen_keys '^'
wait_screen 'no events yet' 30
screen_keys + +
check "+ makes it faster" wait_state 'PAUSED 4x'
screen_keys Space
check "and goes on so" wait_state 'PLAYING 4x|END'
screen_keys '$'
check "the end is the end" wait_state END
check "where the failover is over" wait_screen '\+failover-end' 30
screen_keys '^'
check "back at the begin it waits" wait_state PAUSED
check "and nothing has happened yet" wait_screen 'no events yet' 30

differs_from() {
	[ "$(screen_text)" != "$1" ]
}
at_switch() {
	local before
	state_is '.*\+switch-master' && return
	before=$(screen_text)
	screen_keys '}'
	wait_for 10 "a step" differs_from "$before"
	whole_frame
	state_is '.*\+switch-master'
}
check "steps lead to the failover" wait_for 60 "+switch-master" at_switch
check "there the clock is that of the event" \
	wait_screen "$(date -d "@$((SWITCH / 1000))" +%H:%M:%S)\$" 30
whole_frame
STEPPED=$(screen_text | body)

# The event's wall clock and that of its entry may be a millisecond apart.
is_dump_of_switch() {
	local ms
	for ms in 0 1 -1 2 -2 3 -3 4 -4 5 -5 7 10 15 20; do
		[ "$STEPPED" = "$(dump --at "$(iso $((SWITCH + ms)))" | body)" ] && return
	done
	diff <(echo "$STEPPED") <(dump --at "$(iso "$SWITCH")" | body)
	return 1
}
check "and the screen that of --dump --at" is_dump_of_switch

screen_keys '$'
wait_state END
screen_keys '{'
check "a step back leads there as well" wait_for 30 "+switch-master" screen_is "$STEPPED"
screen_keys '>'
check "ten seconds on is past the end" wait_state END
screen_keys Left
check "and back before the begin" wait_screen 'no events yet' 30
screen_keys '$'
wait_state END

# --- what does not change, and what cannot be done -------------------------------------------------

screen_keys 7
wait_screen '^┌ Nodes' 30
screen_keys G Enter
wait_screen '^┌ Node +127' 30
NODE=$(screen_text | grep -Eo '^┌ Node +127[0-9.:]+')
screen_keys '{'
wait_state PAUSED
check "a node's own screen stays over a jump" wait_screen "${NODE:-none}" 30
screen_keys '$'
wait_state END
check "and back" wait_screen "${NODE:-none}" 30
screen_keys Escape 1 f
check "no action is possible" wait_screen 'a recording: no action is possible' 30
screen_keys r
check "nothing is asked" wait_screen 'a recording: nothing is asked' 30
screen_keys ":write $WORK/report.md" Enter
check "a report is written" wait_screen 'report written: .*report.md' 30
wait_check 30 "and names the recording" grep -q 'incident.rec' "$WORK/report.md"
screen_keys ':at 99:99' Enter
check "a time that is none is refused" wait_screen 'at: must be HH:MM' 30
screen_keys ":at $(iso "$SWITCH")" Enter
check ":at goes there" wait_screen "$(date -d "@$((SWITCH / 1000))" +%H:%M:%S)\$" 30
screen_keys ':speed 64' Enter Space
check "at 64 times it soon comes to the end" wait_state END 60
screen_keys q
check "q quits" wait_for 30 "the end" screen_ended
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
