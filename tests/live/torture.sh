#!/bin/bash
# tests/live/torture.sh [SECONDS] [SEED]: random keys, sizes and faults on a running demo, and at the
# end: it lives, no sanitizer has spoken, it leaves on q with status 0 and no process behind.
# Run by hand on a build with --enable-sanitizers; ./check leaves it out.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_redoubt

seconds=${1:-600}
RANDOM=${2:-$$}
echo "# $seconds s, seed ${2:-$$}"
BREAK=$SRC/scripts/demo-break
REPORTS=$WORK/report
KINDS=(sentinel cluster all)
FOLDER=''
# The last moves, for whoever has to repeat them.
MOVES=$WORK/moves

export ASAN_OPTIONS=log_path=$REPORTS:detect_stack_use_after_return=1:detect_leaks=1
export UBSAN_OPTIONS=log_path=$REPORTS:print_stacktrace=1

KEYS=(1 2 3 4 5 '[' ']' Up Down Left Right k j h l PPage NPage g G Home End Tab BTab z Enter Escape /
	Space + - r C-l f c '?' F1 C-z n s S a w t : x 0 9 é 漢 M-x F5 C-a BSpace DC C-u C-w '"' \' \\ '~'
	Escape Escape Enter j j k Tab 1)
SIZES=(1x1 2x1 1x2 3x3 10x2 20x5 40x10 60x15 80x22 80x24 100x30 132x43 200x60 200x3 5x60 80x1 1x60)

find_folder() {
	local folder
	for folder in "$XDG_RUNTIME_DIR"/redoubt-demo-*; do
		if grep -q ' ready$' "$folder/guard.log" 2>/dev/null; then
			FOLDER=$folder
			return 0
		fi
	done
	return 1
}

move() {
	echo "$(date +%T) $*" >>"$MOVES"
	"$@" >/dev/null 2>&1
}

# random_of ITEM...: into REPLY, since a subshell has random numbers of its own.
random_of() {
	local at=$((RANDOM % $# + 1))
	REPLY=${!at}
}

# The state of a node decides what can be done to it; the refusals are tried now and then as well.
break_something() {
	local verb ports
	mapfile -t ports < <(awk '{ print $1 }' "$FOLDER/nodes.txt")
	random_of kill pause resume start resume start
	verb=$REPLY
	random_of "${ports[@]}"
	move timeout 10 "$BREAK" "$verb" "$REPLY"
}

mend_all() {
	local port state
	while read -r port _ _ state; do
		case $state in
		paused) move timeout 10 "$BREAK" resume "$port" ;;
		down) move timeout 10 "$BREAK" start "$port" ;;
		esac
	done < <(cat "$FOLDER/nodes.txt")
}

# What the sheet asks for is on the sheet, in a terminal large enough to show it.
type_failover() {
	local name
	move tm resize-window -x 120 -y 40
	move screen_keys Escape
	move screen_keys Escape 1
	move screen_keys f
	sleep 0.7
	name=$(screen_text | sed -n 's/.*Type \(.*\) to go ahead.*/\1/p')
	move screen_keys -l "${name:-mymaster}"
	[ $((RANDOM % 4)) -eq 0 ] && move tm resize-window -x 30 -y 8
	move screen_keys Enter
	[ -z "$name" ] || FAILOVERS=$((FAILOVERS + 1))
}

burst() {
	local keys=() i
	for ((i = 0; i < 20; i++)); do
		random_of "${KEYS[@]}"
		keys+=("$REPLY")
	done
	move screen_keys "${keys[@]}"
}

still_there() {
	[ "$(tm display-message -p '#{pane_dead}' 2>/dev/null)" = 0 ]
}

no_report() {
	[ -z "$(compgen -G "$REPORTS*")" ]
}

say_end() {
	fail "$1" "$(screen_history 2>&1 | grep -v '^$' | tail -n 30)" "last moves:" "$(tail -n 30 "$MOVES")"
}

round() {
	local until=$1 kind=$2 pids guard status
	rm -rf "$XDG_RUNTIME_DIR"/redoubt-demo-*
	screen_start 80x24 "${NOTE_STATUS[@]}" "$REDOUBT" "--demo=$kind" --interval 0.2 --log "$WORK/log"
	wait_for 60 "the demo is ready" find_folder || bail "--demo=$kind starts" "$(screen_history 2>&1)"
	export REDOUBT_DEMO=$FOLDER
	guard=${FOLDER##*-}
	while [ "$SECONDS" -lt "$until" ] && still_there && no_report; do
		case $((RANDOM % 20)) in
		0 | 1 | 2) break_something ;;
		3) mend_all ;;
		4) [ $((RANDOM % 3)) -eq 0 ] && type_failover ;;
		5 | 6 | 7 | 8 | 9)
			random_of "${SIZES[@]}"
			move tm resize-window -x "${REPLY%x*}" -y "${REPLY#*x}"
			;;
		10) move tm resize-window -x $((RANDOM % 200 + 1)) -y $((RANDOM % 60 + 1)) ;;
		11) burst ;;
		12) sleep 0.5 ;;
		*)
			random_of "${KEYS[@]}"
			move screen_keys "$REPLY"
			;;
		esac
		ACTS=$((ACTS + 1))
	done
	if still_there; then
		pass "$kind: alive"
	else
		say_end "$kind: alive"
	fi
	pids=$(pgrep -P "$guard")
	mend_all
	screen_keys Escape Escape
	# Escape alone is a key only when nothing follows it at once; a sheet hears nothing in its
	# first half second.
	quit() {
		screen_ended || { screen_keys Escape; sleep 0.7; screen_keys q; screen_ended; }
	}
	wait_for 30 "leaves on q" quit || say_end "$kind: leaves on q"
	status=$(screen_status)
	equal "$kind: exit status" 0 "$status"
	gone() {
		local pid
		for pid in $guard $pids; do
			is_gone "$pid" || return 1
		done
	}
	check "$kind: every process is gone" wait_for 10 "gone" gone
	check "$kind: the folder is gone" [ ! -e "$FOLDER" ]
	screen_stop
}

FAILOVERS=0
ACTS=0
begin=$SECONDS
for ((turn = 0; turn < ${#KINDS[@]}; turn++)); do
	round $((begin + seconds * (turn + 1) / ${#KINDS[@]})) "${KINDS[turn]}"
done
if no_report; then
	pass "no sanitizer has spoken"
else
	fail "no sanitizer has spoken" "$(cat "$REPORTS"*)" "last moves:" "$(tail -n 30 "$MOVES")"
fi
echo "# $ACTS moves, $FAILOVERS failovers by hand; log: $(wc -l <"$WORK/log") lines"
[ "$FAILED" -eq 0 ] || KEEP_WORK=1
[ "${KEEP_WORK:-}" ] && echo "# kept: $WORK"
finish
