#!/bin/bash
# valgrind over the unit tests, the drawn screens and the replays of every recording: `make check-valgrind`.
# What the sanitizers do not see: bytes that were never set, and descriptors that are open at the end.
# Builds without them in the folder `valgrind` below the current one. Some ten minutes; not part of
# ./check. Without valgrind, ends with status 77 and says so.
#
#   valgrind.sh [TEST...]  all, or the tests of these names (test_state, golden, replays)

set -u
src=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
build=$PWD/valgrind
logs=$build/logs
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
seconds=${VALGRIND_SECONDS:-900} # for each test
export REDOUBT_SRCDIR=$src REDOUBT_BUILDDIR=$build LC_ALL=C.UTF-8 TERM=xterm-256color

command -v valgrind >/dev/null 2>&1 || { echo "skipped: no valgrind here"; exit 77; }

build() {
	mkdir -p "$logs" && cd -P "$build" || return
	[ -f Makefile ] || "$src/configure" -q CFLAGS="-O1 -g" || return
	make -s -j "$jobs" redoubt check TESTS= >"$logs/build.log" 2>&1
}

# memcheck NAME COMMAND...: a log for each process, NAME.PID; the test's own pid in NAME.main.
memcheck() {
	local name=$1
	shift
	rm -f "$logs/$name".*
	# shellcheck disable=SC2016 # for the inner shell
	timeout "$seconds" bash -c 'echo $$ >"$0" && exec valgrind "$@"' "$logs/$name.main" -q \
		--leak-check=full --show-leak-kinds=definite,indirect --track-fds=yes \
		--log-file="$logs/$name.%p" "$@" >"$logs/$name.out" 2>&1 </dev/null
	echo $? >"$logs/$name.status"
}

# Its messages, an empty line after each.
messages() {
	sed 's/^==[0-9]*== \{0,1\}//' "$@"
}

misuse() {
	messages "$@" | awk -v RS= '/Invalid (read|write|free)|ninitialised|Mismatched|overlap|terminating/'
}

# What it left behind: memory, and descriptors that it opened itself. The test's hold on its ports lasts
# as long as it does (tests/unit/live.c).
left_behind() {
	messages "$1" | awk -v RS= '/(definitely|indirectly) lost in/
		/Open (file descriptor|AF_)/ && !/<inherited from parent>/ && !/live_free_port/'
}

verdict() {
	local name=$1 status why
	status=$(cat "$logs/$name.status")
	# --once says how the deployments are: 0 to 3.
	[[ $name != replay-*-once-* ]] || [ "$status" -gt 3 ] || status=0
	# A child that ends without exec leaves copies of what its parent holds.
	why=$(misuse "$logs/$name".[0-9]*; left_behind "$logs/$name.$(cat "$logs/$name.main")")
	if [ "$status" -eq 0 ] && [ -z "$why" ]; then
		echo "ok - $name"
		return 0
	fi
	[ -z "$why" ] || head -n 40 <<<"$why"
	[ "$status" -eq 0 ] || tail -n 10 "$logs/$name.out"
	echo "not ok - $name (status $status, $logs/$name.*)"
	return 1
}

replays() {
	local recording name mode format
	for recording in "$src"/tests/golden/*.rec; do
		name=$(basename "$recording" .rec)
		for mode in once events; do
			for format in text json; do
				echo "replay-$name-$mode-$format" \
					"./redoubt --replay $recording --$mode --format $format"
			done
		done
		echo "replay-$name-dump ./redoubt --replay $recording --dump 120x40"
	done
}

tests() {
	local file
	for file in tests/unit/test_* tests/golden/golden; do
		[ -x "$file" ] && [ -f "$file" ] && echo "$(basename "$file") ./$file"
	done
	replays
}

build || { tail -n 20 "$logs/build.log"; exit 1; }
rm -f "$logs"/*.failed
chosen=0 running=0
while read -r name command; do
	[ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || [[ " $* " == *" replays "* && $name == replay-* ]] ||
		continue
	chosen=$((chosen + 1))
	[ "$running" -lt "$jobs" ] || { wait -n; running=$((running - 1)); }
	# shellcheck disable=SC2086 # a program and its arguments
	{ memcheck "$name" $command; verdict "$name" || : >"$logs/$name.failed"; } &
	running=$((running + 1))
done < <(tests)
wait
failed=$(find "$logs" -name '*.failed' | wc -l)
echo "$((chosen - failed)) passed, $failed failed"
[ "$chosen" -gt 0 ] && [ "$failed" -eq 0 ]
