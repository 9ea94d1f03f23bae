#!/bin/bash
# Where what is printed or typed could go astray: two deployments on one screen, outputs that nobody
# takes, an end in the middle.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317,SC2016
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_redoubt

free_ports 4
A=${PORTS[0]} A1=${PORTS[1]} B=${PORTS[2]} B1=${PORTS[3]}
start_node "$A"
start_node "$A1" "replicaof 127.0.0.1 $A"
start_node "$B"
start_node "$B1" "replicaof 127.0.0.1 $B"
linked() {
	[ "$(info_field "$1" replication master_link_status)" = up ]
}
for port in "$A1" "$B1"; do
	wait_for 60 "replica is linked" linked "$port" || bail "replica $port synchronises"
done

# --- two deployments -------------------------------------------------------------------------------

# shown_and_meant TEXT: the sheet's command goes to the deployment in the header.
shown_and_meant() {
	local header target
	header=$(sed -n '1s/^redoubt  \([^ ]*\) .*/\1/p' "$WORK/frame")
	target=$(grep -oE 'goes to +[^ ]+' "$WORK/frame" | awk '{ print $3 }')
	equal "$1" "$header" "$target"
}

other_is_shown() {
	equal "$1: the other deployment" "127.0.0.1:$B" "$(sed -n '1s/^redoubt  \([^ ]*\) .*/\1/p' "$WORK/frame")"
}

# frame_of KEYS REGEX: a dump of both, taken until it has the regex: on a busy machine a server may
# not have answered within the time that a dump gives it.
frame_of() {
	redoubt --dump 110x34 --keys "$1" "127.0.0.1:$A" "127.0.0.1:$B" >"$WORK/frame"
	grep -Eq -- "$2" "$WORK/frame"
}

for keys in ']f' ' ]f'; do
	wait_check 30 "keys '$keys': a sheet" frame_of "$keys" 'goes to +127'
	other_is_shown "keys '$keys'"
	shown_and_meant "keys '$keys': the sheet is of the deployment that is shown"
done
wait_check 30 "frozen, then ]: the rows are of the deployment that is shown" \
	frame_of ' ]' "127\.0\.0\.1:$B1 .*replica"
check "frozen, then ]: and no others" eval '! grep -q "127.0.0.1:$A" "$WORK/frame"'
wait_check 30 "--dump: the sheet says that nothing is sent" frame_of f 'dump sends nothing'
check "--dump is not called read-only" eval '! grep -qi read-only "$WORK/frame"'

if command -v tmux >/dev/null; then
	screen_redoubt 110x34 "127.0.0.1:$A" "127.0.0.1:$B"
	wait_screen "127.0.0.1:$A1 +replica +up" 30
	# The other one must be known as well before its sheet can be opened.
	screen_keys ']'
	wait_screen "127.0.0.1:$B1 +replica +up" 30
	screen_keys '['
	wait_screen "127.0.0.1:$A1 +replica +up" 30
	screen_keys -l ']f'
	check "] and f in one read: a sheet" wait_screen 'Type .* to go ahead' 30
	wait_screen 'goes to +127' 30
	screen_text >"$WORK/frame"
	other_is_shown "] and f in one read"
	shown_and_meant "] and f in one read: the sheet is of the deployment that is shown"

	# A failover that cannot end yet: its replica does not answer.
	screen_redoubt 110x34 --log "$WORK/log" "127.0.0.1:$A"
	wait_screen "127.0.0.1:$A1 +replica +up" 30
	pause_node "$A1"
	cli "$A" set key value >/dev/null
	screen_keys f
	wait_screen 'Type .* to go ahead' 30
	check "the sheet listens" sheet_listens
	answer "127.0.0.1:$A"
	check "a failover is sent" wait_screen 'Sent, being followed' 30
	screen_keys q
	check "q closes its sheet" wait_lacks 'Sent, being followed' 30
	screen_keys f
	check "no second one: its sheet is opened again" wait_screen 'Sent, being followed' 30
	screen_keys q
	wait_lacks 'Sent, being followed' 30
	screen_keys q
	check "quitting meanwhile: asked once" wait_screen 'on its way: q again leaves' 30
	screen_keys q
	check "quitting meanwhile: the log has the last that was seen" \
		logged 'action.*quit before its end was seen: '
	wait_for 30 "its end" screen_ended
	screen_stop
	resume_node "$A1"
	is_master_again() {
		[ "$(info_field "$A" replication role)" = master ] && linked "$A1" &&
			[ "$(info_field "$A" replication master_failover_state)" = no-failover ]
	}
	wait_for 90 "the failover is over" eval "is_master_again || linked $A" || bail "the set settles"
else
	skip "no tmux here: keys in one read, actions on their way"
fi

# --- passwords ---------------------------------------------------------------------------------------

# A password that comes in two writes, as from a slow helper.
mkfifo "$WORK/pass-fifo"
pipe_is_empty() {
	! read -r -t 0 <&9
}
two_writes() {
	exec 9<>"$WORK/pass-fifo"
	printf '%s' "${PASSWORD:0:3}" >&9
	# The first half has been read when the pipe is empty.
	wait_for 30 "an empty pipe" pipe_is_empty
	printf '%s\n' "${PASSWORD:3}" >&9
	exec 9>&-
}
two_writes &
OTHER_PIDS+=($!)
timeout 90 "$REDOUBT" --pass-file "$WORK/pass-fifo" --timeout 20 --once --format json "127.0.0.1:$A" >"$WORK/out" 2>"$WORK/err"
check "a password in two halves is read whole" eval 'grep -q "\"master\"" "$WORK/out"'

if command -v tmux >/dev/null; then
	screen_start 100x20 bash --norc
	# asks KEY...: presses them at the question; the terminal echoes afterwards.
	asks() {
		local said=$1
		shift
		# What the one before left on the screen is no question of this one.
		screen_keys -l clear
		screen_keys Enter
		wait_lacks 'Password|stop' 30
		screen_keys -l "$REDOUBT --askpass --once --timeout 20 127.0.0.1:$A; stty -a | grep -ow -e '-*echo' -e '-*isig'; echo st''op"
		screen_keys Enter
		wait_screen '^Password: *$' 30
		screen_keys "$@"
		check "--askpass: $said" eval "wait_screen '^stop' 60 && screen_has '$said'"
		check "--askpass: the terminal is as before" \
			eval 'screen_has "^echo" && screen_has "^isig" && ! screen_has "^-echo"'
	}
	asks '--askpass: cancelled' C-c
	asks '--askpass: cancelled' a b C-c
	asks '--askpass: cancelled' C-d
	asks '--askpass: no password was given' Enter
	asks "127.0.0.1:$A1" "$PASSWORD" Enter
	screen_keys -l clear
	screen_keys Enter
	wait_lacks 'Password|stop' 30
	screen_keys -l "$REDOUBT --askpass --once 127.0.0.1:$A; echo st''atus \$?; stty -a | grep -ow -e '-*echo'"
	screen_keys Enter
	wait_screen '^Password: *$' 30
	kill -TERM "$(pgrep -P "$(tm display-message -p '#{pane_pid}')")"
	check "--askpass, SIGTERM: it ends by it" wait_screen '^status 143' 30
	check "--askpass, SIGTERM: the terminal is as before" wait_screen '^echo' 30
	screen_stop

	# What the demo starts hears none of the user's passwords. A server overwrites its environment
	# with its title: one that notes it first stands before the real one.
	mkdir "$WORK/bin"
	printf '#!/bin/sh\nenv >>"%s/environ"\nexec "%s" "$@"\n' "$WORK" "$REDIS_SERVER" >"$WORK/bin/redis-server"
	chmod 700 "$WORK/bin/redis-server"
	PATH=$WORK/bin:$PATH REDISCLI_AUTH=hunter2 REDOUBT_SENTINEL_AUTH=hunter3 OTHER_SECRET=hunter4 \
		screen_start 100x30 "$REDOUBT" --demo=sentinel
	demo_runs() {
		DEMO=$(grep -l ' ready$' "$XDG_RUNTIME_DIR"/redoubt-demo-*/guard.log 2>/dev/null) &&
			DEMO=${DEMO%/guard.log}
	}
	wait_for 120 "the demo is ready" demo_runs || bail "the demo starts" "$(screen_text)"
	equal "the servers were asked for their version and started" 8 "$(grep -c '^LC_ALL=C$' "$WORK/environ")"
	check "no password is in it" eval '! grep -q hunter "$WORK/environ"'
	screen_keys q
	wait_for 60 "the demo ends" [ ! -e "$DEMO" ]
	screen_stop
else
	skip "no tmux here: --askpass, the demo's environment"
fi

# --- an output that nobody takes ---------------------------------------------------------------------

# events_to FILE: the event stream to a file, and an event; its status and what it said.
events_to() {
	timeout 120 "$REDOUBT" --pass-file "$PASS_FILE" --events --timeout 1 "127.0.0.1:$A" >"$1" 2>"$WORK/err" &
	local pid=$!
	OTHER_PIDS+=("$pid")
	# A connection that was never used is no loss of a link.
	end_by_event() {
		has_asked && cli "$A" client kill type normal skipme yes >/dev/null
		is_gone "$pid"
	}
	wait_for 130 "its end" end_by_event
	wait "$pid"
}

# Somebody else than this look at it.
has_asked() {
	cli "$A" client list type normal | grep addr= | grep -Eqv 'cmd=(NULL|auth|hello|client)'
}

if [ -w /dev/full ]; then
	events_to /dev/full
	equal "--events to a full disk: status 74" 74 $?
	check "--events to a full disk: it is said" grep -q -e '--events: .*No space left' "$WORK/err"
else
	skip "no /dev/full here"
fi
# not_taken ARG...: standard output takes nothing, or is closed: one line, and status 74.
not_taken() {
	if [ -w /dev/full ]; then
		timeout 60 "$REDOUBT" "$@" >/dev/full 2>"$WORK/err"
		equal "$* to a full disk: status, lines" "74 1" "$? $(grep -c 'No space left' "$WORK/err")"
	fi
	timeout 60 "$REDOUBT" "$@" >&- 2>"$WORK/err"
	equal "$* to nothing: status, lines" "74 1" "$? $(grep -c . "$WORK/err")"
}
not_taken --help
not_taken --version
not_taken --print-config
not_taken --once --timeout 1 127.0.0.1:1
not_taken --dump 80x24 --timeout 1 127.0.0.1:1
RECORDING=$SRC/tests/golden/cluster-crash.rec
if [ -e "$RECORDING" ]; then
	not_taken --replay "$RECORDING" --events
	not_taken --replay "$RECORDING" --once
	head -c 27000 "$RECORDING" >"$WORK/cut.rec"
	for mode in --once "--dump 80x24" --events; do
		# shellcheck disable=SC2086
		timeout 60 "$REDOUBT" --replay "$WORK/cut.rec" $mode >/dev/null 2>"$WORK/err"
		check "a recording that was cut: $mode says so" grep -q 'cut short at .*plays up to there' "$WORK/err"
	done
fi
mkfifo "$WORK/fifo"
head -n 1 "$WORK/fifo" >/dev/null &
events_to "$WORK/fifo"
equal "--events to a reader that goes away: status 0" 0 $?
equal "--events to a reader that goes away: nothing is said" "0 bytes" "$(wc -c <"$WORK/err") bytes"

mkdir "$WORK/empty"
PATH=$WORK/empty "$REDOUBT" --demo --once >"$WORK/out" 2>"$WORK/err" </dev/null
equal "--demo without servers: status, lines" "69 1" "$? $(grep -c -e '^redoubt: --demo: ' "$WORK/err")"

# --- an end in the middle ----------------------------------------------------------------------------

pause_node "$A1"
# A shell's background jobs do not hear SIGINT: timeout hears it, and sends it on.
timeout --preserve-status -s INT 120 "$REDOUBT" --pass-file "$PASS_FILE" --once --timeout 60 "127.0.0.1:$A" \
	>"$WORK/out" 2>"$WORK/err" </dev/null &
ONCE_PID=$!
OTHER_PIDS+=("$ONCE_PID")
check "--once is in the middle: the master was asked" wait_for 30 "a question" has_asked
kill -INT "$ONCE_PID"
wait "$ONCE_PID"
equal "--once interrupted: status 130" 130 $?
equal "--once interrupted: no snapshot" "0 bytes" "$(wc -c <"$WORK/out") bytes"
for signal in HUP TERM; do
	timeout 120 "$REDOUBT" --pass-file "$PASS_FILE" --events "127.0.0.1:$A" >"$WORK/out" 2>"$WORK/err" &
	EVENTS_PID=$!
	OTHER_PIDS+=("$EVENTS_PID")
	wait_for 30 "a question" has_asked
	kill -$signal "$EVENTS_PID"
	wait "$EVENTS_PID"
	equal "--events ended by $signal" 0 $?
done
resume_node "$A1"

finish
