#!/bin/bash
# What must not end, stop or soil the program: hostile and silent servers, names that do not resolve,
# nodes that hang, bad input.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317,SC2016
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_redoubt
build_tool hostile
HOSTILE=$TOOL
JSON=$WORK/snapshot.json
declare -A HOSTILE_PORT

# start_hostile MODE: sets HOSTILE_PORT[MODE].
start_hostile() {
	local file=$WORK/port-$1
	[ -z "${HOSTILE_PORT[$1]:-}" ] || return
	"$HOSTILE" "$1" >"$file" </dev/null &
	OTHER_PIDS+=($!)
	disown
	wait_for 5 "the $1 server has a port" [ -s "$file" ] || bail "the $1 server starts"
	HOSTILE_PORT[$1]=$(cat "$file")
}

j() {
	jq -r "$@" "$JSON"
}

snapshot() {
	redoubt --once --format json --timeout 1 "$@" >"$JSON" 2>"$WORK/once.err"
	echo $? >"$WORK/once.status"
}

# Anything but a line feed, tab included: nothing that redoubt prints has one.
control_bytes() {
	LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xaa-\xae]' "$@"
}

has_no_control_bytes() {
	! control_bytes "$@"
}

# What tmux itself adds to a capture: colours and attributes, and the set of line drawing.
screen_is_clean() {
	tm capture-pane -p -e | sed 's/\x1b\[[0-9;:]*m//g; s/[\x0e\x0f]//g' >"$WORK/capture"
	[ -s "$WORK/capture" ] && has_no_control_bytes "$WORK/capture" &&
		[ "$(tm display-message -p '#{pane_title}')" != PWNED ]
}

# --- bad input -------------------------------------------------------------------------------------

# refuses NAMED ARG...: status 64 and one line on standard error that names what was wrong.
refuses() {
	local named=$1 status
	shift
	timeout 10 "$REDOUBT" "$@" </dev/null >"$WORK/out" 2>"$WORK/err"
	status=$?
	if [ "$status" -eq 64 ] && [ "$(wc -l <"$WORK/err")" -eq 1 ] && grep -qF -- "$named" "$WORK/err" &&
		has_no_control_bytes "$WORK/err"; then
		pass "refused: $(printf '%q ' "$@")"
	else
		fail "refused: $(printf '%q ' "$@")" "status $status" "$(cat -v "$WORK/err")"
	fi
}

refuses --bogus --bogus
refuses -x -x
refuses --interval --interval
refuses --once --once=1 127.0.0.1:1
for value in x '' 0 0.09 61 -1 nan 1e1000 0x1 '1 ' 1,5; do
	refuses --interval --interval "$value" 127.0.0.1:1
done
refuses --timeout --timeout 0
refuses --timeout --timeout 1s
refuses --format --once --format xml
refuses --format --format json
refuses --dump --dump 80
refuses --dump --dump 0x0
refuses --dump --dump 80x24x
refuses --dump --dump 99999999999999999999x1
refuses --keys --keys x
refuses --demo --demo=nothing
refuses --pass-file --once --pass-file "$WORK/nonexistent/file"
refuses --sentinel-pass-file --once --sentinel-pass-file "$WORK/nonexistent/file"
refuses --pass-file --once --pass-file /
refuses --log --once --log "$WORK/nonexistent/file" 127.0.0.1:1
refuses nonexistent --dump 80x24 --theme "$WORK/nonexistent/file" 127.0.0.1:1
for target in host:port host:0 host:65536 host:-1 host: :6379 http://host redis:// \
	'[::1' unix:// unix://relative 127.0.0.1:6379:6379 $'host\033[2J:port'; do
	refuses "${target%%$'\033'*}" --once "$target"
done
# Where a password may stand in it, a malformed target is named by its number.
for target in redis://host:x user:s3cret@host redis://:s3cret redis://user:s3cret; do
	refuses "target 1" --once "$target"
	check "and nothing of it is shown" [ "$(grep -c s3cret "$WORK/err")" -eq 0 ]
done
echo "secret" >"$WORK/open"
chmod 644 "$WORK/open"
timeout 10 "$REDOUBT" --once --pass-file "$WORK/open" 127.0.0.1:1 >/dev/null 2>"$WORK/err"
check "a password is never part of a message" [ "$(grep -c secret "$WORK/err")" -eq 0 ]
refuses --once </dev/null
equal "not a terminal: both ways out are named" 1 "$(grep -c -e '--once.*--events' "$WORK/err")"

# --- no Redis server -------------------------------------------------------------------------------

# shown_as MODE REGEX: the node has a reason, and the program went on to its end.
shown_as() {
	local addr error
	start_hostile "$1"
	addr=127.0.0.1:${HOSTILE_PORT[$1]}
	snapshot "$addr"
	error=$(j ".deployments[].nodes[] | select(.addr == \"$addr\") | .error // \"\"")
	if [ "$(cat "$WORK/once.status")" -le 3 ] && has_no_control_bytes "$JSON" "$WORK/once.err" &&
		grep -Eq -- "$2" <<<"$error"; then
		pass "$1: $error"
	else
		fail "$1 is shown with its reason" "status $(cat "$WORK/once.status")" \
			"$(cat -v "$WORK/once.err" "$JSON" | head -c 2000)"
	fi
}

shown_as silent 'no reply'
shown_as slow 'no reply'
shown_as close 'closed|reset'
shown_as close-late 'closed|reset'
shown_as reset 'reset'
shown_as half 'closed|reset'
shown_as noise '.'
shown_as garbage 'not a Redis server'
shown_as http 'not a Redis server.*HTTP'
shown_as bulk 'larger than'
shown_as array 'elements'
shown_as billions 'elements'
shown_as flood 'larger than'
shown_as endless 'longer than'
shown_as deep 'nested'
shown_as abyss 'nested'
shown_as chatter '.'
shown_as errors 'PWNED'
snapshot nosuchhost.invalid:6379
check "a name that does not resolve is shown with its reason" \
	[ "$(j '.deployments[].nodes[] | select(.addr == "nosuchhost.invalid:6379") | .error | test("name")')" = true ]
snapshot 127.0.0.1:1
check "a refused connection is shown with its reason" \
	[ "$(j '.deployments[].nodes[0].error | test("refused")')" = true ]
equal "nothing was reached: unknown" "3 unknown" "$(cat "$WORK/once.status") $(j .health)"

for mode in escapes-sentinel escapes-node escapes-cluster; do
	start_hostile "$mode"
	snapshot "127.0.0.1:${HOSTILE_PORT[$mode]}"
	check "$mode: the node was read" \
		[ "$(j '.deployments[0].nodes[0].role')" = "$([ "$mode" = escapes-sentinel ] && echo sentinel || echo master)" ]
	check "$mode: no control byte in the JSON" has_no_control_bytes "$JSON"
	check "$mode: no control character in the values" \
		jq -e '[.. | strings | test("[\\p{Cc}\\x{202e}]")] | any | not' "$JSON"
	redoubt --once --timeout 1 "127.0.0.1:${HOSTILE_PORT[$mode]}" >"$WORK/out" 2>&1
	check "$mode: no control byte in the text" has_no_control_bytes "$WORK/out"
	redoubt --dump 120x40 --timeout 1 "127.0.0.1:${HOSTILE_PORT[$mode]}" >"$WORK/out" 2>&1
	check "$mode: no control byte in a dump" has_no_control_bytes "$WORK/out"
	start_events "$WORK/events-$mode" --log "$WORK/log-$mode" --timeout 1 "127.0.0.1:${HOSTILE_PORT[$mode]}"
done
check "hostile messages become events" wait_for 10 "events" [ -s "$WORK/events-escapes-sentinel" ]

for mode in escapes-sentinel escapes-node escapes-cluster errors; do
	screen_redoubt 120x40 --timeout 1 "127.0.0.1:${HOSTILE_PORT[$mode]}"
	check "$mode: shown on the screen, escaped" wait_screen 'PWNED|127\.0\.0\.1' 10
	for keys in 2 Enter Escape 3 5 f Escape c Escape 1; do
		screen_keys $keys
		wait_for 1 "clean" screen_is_clean || break
	done
	check "$mode: no control byte on the screen" screen_is_clean
	check "$mode: the program goes on" [ "$(tm display-message -p '#{pane_dead}')" = 0 ]
done
for mode in escapes-sentinel escapes-node escapes-cluster; do
	check "$mode: no control byte in the events and the log" \
		has_no_control_bytes "$WORK/events-$mode" "$WORK/log-$mode"
done

# --- memory ----------------------------------------------------------------------------------------

# A sanitizer keeps what is freed: asked of a build without, which ./check has beside the other.
is_plain() {
	[ -x "$1" ] && ! grep -q __asan_init "$1"
}
PLAIN=
for file in "$REDOUBT" "$(dirname "$REDOUBT")/clang/redoubt"; do
	if [ -z "$PLAIN" ] && is_plain "$file"; then PLAIN=$file; fi
done
if [ -z "$PLAIN" ] || [ ! -r /proc/self/status ]; then
	skip "no build without sanitizers, or no /proc: memory under hostile replies"
else
	targets=()
	for mode in bulk array billions flood endless deep abyss noise garbage escapes-sentinel escapes-cluster; do
		start_hostile "$mode"
		targets+=("127.0.0.1:${HOSTILE_PORT[$mode]}")
	done
	"$PLAIN" --events --timeout 1 "${targets[@]}" >"$WORK/plain" 2>&1 </dev/null &
	PLAIN_PID=$!
	OTHER_PIDS+=("$PLAIN_PID")
	disown
	all_were_lost() {
		[ "$(grep -o 'link-lost.*127.0.0.1:[0-9]*' "$WORK/plain" | grep -o '[0-9]*$' | sort -u | wc -l)" -ge 7 ]
	}
	check "memory: the links are dropped" wait_for 15 "links lost" all_were_lost
	# Several rounds of connecting again.
	grown() {
		[ "$(awk '/^VmHWM/ { print $2 }' "/proc/$PLAIN_PID/status")" -ge 100000 ]
	}
	wait_for 5 "100 MB (which it must not reach)" grown >/dev/null
	check "memory: under 100 MB ($(awk '/^VmHWM/ { print $2, $3 }' "/proc/$PLAIN_PID/status"))" eval '! grown'
	check "memory: it lives" is_alive "$PLAIN_PID"
	kill "$PLAIN_PID"
	check "memory: it ends when told to" wait_for 5 "its end" is_gone "$PLAIN_PID"
fi

# --- a set with everything wrong beside it -----------------------------------------------------------

free_ports 3
M=${PORTS[0]} R1=${PORTS[1]} R2=${PORTS[2]}
start_node "$M"
for port in "$R1" "$R2"; do
	start_node "$port" "replicaof 127.0.0.1 $M"
done
linked() {
	[ "$(info_field "$1" replication master_link_status)" = up ]
}
for port in "$R1" "$R2"; do
	wait_for 15 "replica is linked" linked "$port" || bail "replica $port synchronises"
done

pause_node "$R1"
screen_start 120x40 "${NOTE_STATUS[@]}" "$REDOUBT" --pass-file "$PASS_FILE" \
	--sentinel-pass-file "$SENTINEL_PASS_FILE" --timeout 1 --log "$WORK/log" "127.0.0.1:$M" nosuchhost.invalid:6379 \
	"127.0.0.1:${HOSTILE_PORT[silent]}" "127.0.0.1:${HOSTILE_PORT[flood]}" "127.0.0.1:${HOSTILE_PORT[slow]}"
check "the master is shown" wait_screen "127.0.0.1:$M +master +up" 10
check "the stopped node: no reply for N s" wait_screen "127.0.0.1:$R1 +replica no reply for [0-9]+ s" 10
check "the other replica is up" wait_screen "127.0.0.1:$R2 +replica up" 10
screen_keys '?'
check "keys are answered: help opens" wait_screen 'Keys +\(Esc closes\)' 5
screen_keys Escape
check "keys are answered: help closes" wait_screen "127.0.0.1:$M +master +up" 5
screen_keys ']'
check "the name that does not resolve, with the reason" wait_screen 'nosuchhost.invalid:6379.*(name|reach)' 5
silent_is_shown() {
	screen_has "127.0.0.1:${HOSTILE_PORT[silent]} .*no reply (for|within) [0-9]+ s" || { screen_keys ']'; false; }
}
check "the silent port, with the reason" wait_for 10 "silent port" silent_is_shown
set_is_shown() {
	screen_has "127.0.0.1:$M +master +up" || { screen_keys ']'; false; }
}
wait_for 10 "the set" set_is_shown
# Fresh: what happens to the others is seen while the stopped one hangs.
kill_node "$R2"
check "what happens to another node is seen meanwhile" \
	wait_screen "127.0.0.1:$R2 +replica (down|not reachable|link)" 10
restart_node "$R2"
check "and its return" wait_screen "127.0.0.1:$R2 +replica up" 15
check "the stopped one still hangs" screen_has "127.0.0.1:$R1 +replica no reply for [0-9]+ s"
resume_node "$R1"
check "it is back once it goes on" wait_screen "127.0.0.1:$R1 +replica up" 15
check "the log has the loss of all" grep -q "link-lost.*127.0.0.1:$R1" "$WORK/log"
screen_keys q
check "q ends it" wait_for 5 "end" screen_ended
equal "with status 0" 0 "$(screen_status)"
screen_stop

finish
