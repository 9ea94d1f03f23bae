#!/bin/bash
# Builds and runs the fuzz targets, in the folder `fuzz` below the current one. Needs clang with
# libFuzzer; without it, ends with status 77 and says so.
#
#   run.sh build           builds only
#   run.sh smoke           each target for FUZZ_SECONDS (4): new inputs beside the corpus
#   run.sh TARGET [ARG...] one target, its findings and new corpus in fuzz/TARGET; libFuzzer's
#                          options may follow (-max_total_time=600)

set -u
src=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$PWD/fuzz
fuzzer=$build/tests/fuzz/fuzzer
jobs=$(getconf _NPROCESSORS_ONLN 2>/dev/null || echo 2)
flags="-O1 -g -fsanitize=address,undefined,fuzzer-no-link -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}

can_fuzz() {
	command -v clang >/dev/null 2>&1 || return
	echo '#include <stddef.h>
int LLVMFuzzerTestOneInput(const unsigned char *s, size_t n) { return n && s[0] == 2; }' >"$build/can.c"
	clang -fsanitize=fuzzer,address -o "$build/can" "$build/can.c" 2>/dev/null
}

build() {
	mkdir -p "$build" && cd "$build" || return
	if ! can_fuzz; then
		echo "skipped: no clang with libFuzzer here"
		return 77
	fi
	[ -f Makefile ] || "$src/configure" -q CC=clang CFLAGS="$flags" || return
	make -s -j "$jobs" tests/fuzz/fuzzer
}

# fuzz TARGET ARG...: findings go to the target's folder.
fuzz() {
	local target=$1
	shift
	mkdir -p "$build/$target/corpus" || return
	FUZZ_TARGET=$target "$fuzzer" -seed=1 -rss_limit_mb=1024 -timeout=20 \
		-artifact_prefix="$build/$target/" "$@" "$build/$target/corpus" \
		"$src/tests/fuzz/corpus/$target" >"$build/$target/log" 2>&1
}

verdict() {
	local target=$1
	shift
	if fuzz "$target" "$@"; then
		echo "ok - fuzz $target: $(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$build/$target/log") inputs"
	else
		grep -E -m 6 'does not hold|a string|runtime error|ERROR|Test unit written' "$build/$target/log"
		echo "not ok - fuzz $target ($build/$target/log)"
		return 1
	fi
}

smoke() {
	local target failed=0 running=0
	for target in "$src"/tests/fuzz/corpus/*/; do
		verdict "$(basename "$target")" -max_total_time="${FUZZ_SECONDS:-4}" -max_len=1024 -detect_leaks=0 &
		running=$((running + 1))
		[ "$running" -lt "$jobs" ] || { wait -n || failed=1; running=$((running - 1)); }
	done
	while [ "$running" -gt 0 ]; do
		wait -n || failed=1
		running=$((running - 1))
	done
	return "$failed"
}

what=${1:-build}
shift
build || exit
case $what in
build) ;;
smoke) smoke ;;
*) fuzz "$what" "$@" || { tail -n 30 "$build/$what/log"; exit 1; } ;;
esac
