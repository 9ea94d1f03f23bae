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
	wait_for 30 "the $1 server has a port" [ -s "$file" ] || bail "the $1 server starts"
	HOSTILE_PORT[$1]=$(head -n 1 "$file")
}

j() {
	jq -r "$@" "$JSON"
}

# Snapshots are taken until one has what is expected: each of them must be clean.
SOILED=''
snapshot() {
	redoubt --once --format json --timeout 1 "$@" >"$JSON" 2>"$WORK/once.err"
	echo $? >"$WORK/once.status"
	! control_bytes "$JSON" "$WORK/once.err" || SOILED+=" $*"
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

# refuses NAMED ARG...: status 64 (or REFUSED) and one line on standard error that names what was wrong.
refuses() {
	local named=$1 status
	shift
	timeout 60 "$REDOUBT" "$@" </dev/null >"$WORK/out" 2>"$WORK/err"
	status=$?
	if [ "$status" -eq "${REFUSED:-64}" ] && [ "$(wc -l <"$WORK/err")" -eq 1 ] && grep -qF -- "$named" "$WORK/err" &&
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
REFUSED=74 refuses --log --once --log "$WORK/nonexistent/file" 127.0.0.1:1
REFUSED=74 refuses --log --print-config --log "$WORK/nonexistent/file"
refuses --user --print-config --user nobody 127.0.0.1:1
refuses --pass-file --print-config --pass-file "$WORK/nonexistent/file"
refuses --theme --dump 80x24 --theme "$WORK/nonexistent/file" 127.0.0.1:1
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
timeout 60 "$REDOUBT" --once --pass-file "$WORK/open" 127.0.0.1:1 >/dev/null 2>"$WORK/err"
check "a password is never part of a message" [ "$(grep -c secret "$WORK/err")" -eq 0 ]
refuses --once </dev/null
equal "not a terminal: both ways out are named" 1 "$(grep -c -e '--once.*--events' "$WORK/err")"

# --- no Redis server -------------------------------------------------------------------------------

# shown_as MODE REGEX: the node has a reason, and the program went on to its end.
shown_as() {
	local addr error
	start_hostile "$1"
	addr=127.0.0.1:${HOSTILE_PORT[$1]}
	SOILED=''
	# On a busy machine even a reset may not come within the second.
	has_its_reason() {
		snapshot "$addr"
		error=$(j ".deployments[].nodes[] | select(.addr == \"$addr\") | .error // \"\"")
		[ "$(cat "$WORK/once.status")" -le 3 ] && grep -Eq -- "$1" <<<"$error"
	}
	if wait_for 30 "$1 is shown" has_its_reason "$2" && [ -z "$SOILED" ]; then
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
# first_error ADDR REGEX: in a snapshot of it.
first_error() {
	snapshot "$1"
	grep -Eq "$2" <<<"$(j ".deployments[].nodes[] | select(.addr == \"$1\") | .error")"
}
wait_check 60 "a name that does not resolve is shown with its reason" first_error nosuchhost.invalid:6379 name
wait_check 30 "a refused connection is shown with its reason" first_error 127.0.0.1:1 refused
equal "nothing was reached: unknown" "3 unknown" "$(cat "$WORK/once.status") $(j .health)"

# role_of ADDR: in a snapshot of it.
role_of() {
	snapshot "$1"
	j ".deployments[0].nodes[] | select(.addr == \"$1\") | .role"
}
# dump_of ADDR ARG...: with what the server says in it, in $WORK/out.
dump_of() {
	redoubt "${@:2}" --timeout 1 "$1" >"$WORK/out" 2>&1
	control_bytes "$WORK/out" && SOILED+=" $*"
	grep -Eq 'PWNED|127\.0\.0\.1:1 ' "$WORK/out"
}
for mode in escapes-sentinel escapes-node escapes-cluster; do
	start_hostile "$mode"
	addr=127.0.0.1:${HOSTILE_PORT[$mode]}
	SOILED=''
	wait_equal 30 "$mode: the node was read" "$([ "$mode" = escapes-sentinel ] && echo sentinel || echo master)" \
		role_of "$addr"
	equal "$mode: no control byte in the JSON" none "${SOILED:-none}"
	check "$mode: no control character in the values" \
		jq -e '[.. | strings | test("[\\p{Cc}\\x{202e}]")] | any | not' "$JSON"
	wait_check 30 "$mode: read for the text" dump_of "$addr" --once
	equal "$mode: no control byte in the text" none "${SOILED:-none}"
	wait_check 30 "$mode: read for a dump" dump_of "$addr" --dump 120x40
	equal "$mode: no control byte in a dump" none "${SOILED:-none}"
	start_events "$WORK/events-$mode" --log "$WORK/log-$mode" --timeout 1 "$addr"
done
for mode in escapes-sentinel escapes-node escapes-cluster; do
	wait_check 30 "$mode: what it says becomes events" [ -s "$WORK/events-$mode" ]
done

# help_is_over: what was typed before has been taken, since keys are taken in their order.
help_is_over() {
	screen_keys '?'
	wait_screen 'Keys +\(Esc closes\)' 20 || return 1
	screen_is_clean || return 1
	screen_keys Escape
	wait_lacks 'Esc closes' 20
}
for mode in escapes-sentinel escapes-node escapes-cluster errors; do
	addr=127.0.0.1:${HOSTILE_PORT[$mode]}
	screen_redoubt 120x40 --timeout 1 "$addr"
	check "$mode: shown on the screen, escaped" wait_screen 'PWNED|\\x1b' 30
	soiled=''
	# In a sheet, ? would be typed: those are left first.
	for keys in 2 Enter Escape 3 5 'f Escape' 'c Escape' 1; do
		for key in $keys; do
			screen_keys "$key"
			wait_for 20 "clean" screen_is_clean || soiled+=" $key"
		done
		help_is_over >/dev/null || soiled+=" $keys"
		wait_for 20 "clean" screen_is_clean || soiled+=" $keys"
	done
	equal "$mode: no control byte on the screen after any key" none "${soiled:-none}"
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
	modes=(bulk array billions flood endless deep abyss noise garbage escapes-sentinel escapes-cluster)
	for mode in "${modes[@]}"; do
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
	wait_check 60 "memory: the links are dropped" all_were_lost
	peak_kb() {
		awk '/^VmHWM/ { print $2 }' "/proc/$PLAIN_PID/status"
	}
	# Several rounds of connecting again: each server sees three clients more.
	clients_of() {
		grep -c '^client' "$WORK/port-$1"
	}
	declare -A before
	for mode in "${modes[@]}"; do
		before[$mode]=$(clients_of "$mode")
	done
	more_rounds() {
		local mode
		for mode in "${modes[@]}"; do
			[ "$(clients_of "$mode")" -ge $((before[$mode] + $1)) ] || return 1
		done
	}
	# What answers like a server is connected to once.
	modes=(bulk array billions flood endless deep abyss garbage)
	check "memory: they are connected to again and again" wait_for 90 "three rounds" more_rounds 3
	check "memory: under 100 MB ($(peak_kb) kB)" [ "$(peak_kb)" -lt 100000 ]
	check "memory: it lives" is_alive "$PLAIN_PID"
	kill "$PLAIN_PID"
	check "memory: it ends when told to" wait_for 30 "its end" is_gone "$PLAIN_PID"
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
	wait_for 60 "replica is linked" linked "$port" || bail "replica $port synchronises"
done

pause_node "$R1"
screen_start 120x40 "${NOTE_STATUS[@]}" "$REDOUBT" --pass-file "$PASS_FILE" \
	--sentinel-pass-file "$SENTINEL_PASS_FILE" --timeout 1 --log "$WORK/log" "127.0.0.1:$M" nosuchhost.invalid:6379 \
	"127.0.0.1:${HOSTILE_PORT[silent]}" "127.0.0.1:${HOSTILE_PORT[flood]}" "127.0.0.1:${HOSTILE_PORT[slow]}"
check "the master is shown" wait_screen "127.0.0.1:$M +master +up" 30
check "the stopped node: no reply for N s" wait_screen "127.0.0.1:$R1 +replica no reply for [0-9]+ s" 30
check "the other replica is up" wait_screen "127.0.0.1:$R2 +replica up" 30
screen_keys '?'
check "keys are answered: help opens" wait_screen 'Keys +\(Esc closes\)' 30
screen_keys Escape
check "keys are answered: help closes" wait_screen "127.0.0.1:$M +master +up" 30
# other_deployment REGEX: the one that shows it, one ] at a time: each is taken before the next.
other_deployment() {
	local title
	wait_for 1 "it" screen_has "$1" && return
	title=$(title_shown)
	screen_keys ']'
	wait_for 10 "another" another_title "$title"
	screen_has "$1"
}
title_shown() {
	screen_text | sed -n '1s/^redoubt  \([^ ]*\) .*/\1/p'
}
another_title() {
	local title
	title=$(title_shown)
	[ -n "$title" ] && [ "$title" != "$1" ]
}
check "the name that does not resolve, with the reason" wait_for 60 "the name" \
	other_deployment 'nosuchhost.invalid:6379.*(name|reach)'
check "the silent port, with the reason" wait_for 60 "silent port" \
	other_deployment "127.0.0.1:${HOSTILE_PORT[silent]} .*no reply (for|within) [0-9]+ s"
check "the set again" wait_for 60 "the set" other_deployment "127.0.0.1:$M +master +up"
# Fresh: what happens to the others is seen while the stopped one hangs.
kill_node "$R2"
check "what happens to another node is seen meanwhile" \
	wait_screen "127.0.0.1:$R2 +replica (down|not reachable|link)" 30
restart_node "$R2"
check "and its return" wait_screen "127.0.0.1:$R2 +replica up" 30
check "the stopped one still hangs" wait_screen "127.0.0.1:$R1 +replica no reply for [0-9]+ s" 30
resume_node "$R1"
check "it is back once it goes on" wait_screen "127.0.0.1:$R1 +replica up" 30
for port in "$R1" "$R2"; do
	check "the log has the loss of $port" logged "[+]link-lost .*127.0.0.1:$port"
	check "and its return" logged "-link-lost .*127.0.0.1:$port"
done
screen_keys q
check "q ends it" wait_for 30 "end" screen_ended
equal "with status 0" 0 "$(screen_status)"
screen_stop

finish
