#!/bin/bash
# Passwords are in the program's memory: no core file of it can be made, and in a build without sanitizers
# nobody else of the same user looks inside. `check` has one of each: both are looked at.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_redoubt

free_ports 1
FOLDER=$(mktemp -d "${TMPDIR:-/tmp}/redoubt-live-memory-XXXXXX") && chmod 755 "$FOLDER" || exit 1
trap 'rm -rf "$FOLDER"; cleanup' EXIT

# start_program PROGRAM: with cores allowed, as a user that is not root where that is possible; sets PID.
start_program() {
	local prefix=() uid=$UID
	install -m 755 "$1" "$FOLDER/redoubt"
	if [ "$UID" -eq 0 ]; then
		uid=65534
		prefix=(setpriv --reuid "$uid" --regid "$uid" --clear-groups)
		"${prefix[@]}" "$FOLDER/redoubt" --version >/dev/null 2>&1 || prefix=() uid=0
	fi
	(
		ulimit -Sc "$(ulimit -Hc)"
		export HOME=$FOLDER XDG_CONFIG_HOME=$FOLDER/config XDG_RUNTIME_DIR=$FOLDER # WORK is ours alone
		cd "$FOLDER" && exec ${prefix[@]+"${prefix[@]}"} "$FOLDER/redoubt" --events "127.0.0.1:${PORTS[0]}" \
			</dev/null >/dev/null 2>"$WORK/err"
	) &
	PID=$!
	OWNER=$uid
	OTHER_PIDS+=("$PID")
	disown
	wait_for 30 "the program runs" runs_program || bail "the program starts as user $uid" "$(cat "$WORK/err")"
}

runs_program() {
	[ "$(cat "/proc/$PID/comm")" = redoubt ]
}

core_limit() {
	awk '/^Max core file size/ { print $5, $6 }' "/proc/$PID/limits"
}

# The kernel gives to root what belongs to a process that is not dumpable.
proc_owner() {
	stat -c %u "/proc/$PID/environ"
}

is_sanitized() {
	grep -aq __asan_init "$1"
}

# look_at PROGRAM NAME
look_at() {
	start_program "$1"
	if [ "$(ulimit -Hc)" = 0 ]; then
		skip "$2: cores are forbidden here to all"
	else
		wait_equal 30 "$2: no core file, and no way back to one" "0 0" core_limit
	fi
	if is_sanitized "$1"; then
		skip "$2: with sanitizers it is dumpable, since the leak checker looks inside"
	elif [ "$OWNER" -eq 0 ]; then
		skip "$2: only root runs here, and sees everything"
	else
		wait_equal 30 "$2: what it has in /proc is not its user's" 0 proc_owner
	fi
	signal_child KILL "$PID"
	wait_for 30 "it is gone" is_gone "$PID"
}

look_at "$REDOUBT" "the program"
PLAIN=$(dirname "$REDOUBT")/clang/redoubt
if [ -x "$PLAIN" ] && is_sanitized "$REDOUBT"; then
	look_at "$PLAIN" "the build with clang"
elif is_sanitized "$REDOUBT"; then
	skip "no build without sanitizers beside it"
fi

finish
