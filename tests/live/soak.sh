#!/bin/bash
# A long run by hand, not part of ./check: soak.sh [SECONDS [SECONDS_BETWEEN_FAILOVERS]]
# The demo's Sentinel set with a failover every minute (every fifth by a crash), watched by redoubt in
# a terminal. Prints memory and descriptors every minute and in the end compares redoubt's own log with
# the logs of the Sentinels. The exit status says whether it lived, and whether the logs agree.
# The clean-up is called by a trap.
# shellcheck disable=SC2317
set -u
redoubt=${REDOUBT:?the path of the program}
top=$(cd "$(dirname "$0")/../.." && pwd)
seconds=${1:-3600}
every=${2:-60}
work=$(mktemp -d "${TMPDIR:-/tmp}/redoubt-soak-XXXXXX") || exit 1
# Nothing of the user's, and no other demo.
export HOME=$work XDG_CONFIG_HOME=$work/config XDG_RUNTIME_DIR=$work/run TMUX_TMPDIR=$work
mkdir -m 700 "$XDG_CONFIG_HOME" "$XDG_RUNTIME_DIR" "$work/logs"
mux="tmux -L soak"
failovers=0
status=0
sampled=0
# What only the leader says must be there exactly as often. What each Sentinel says is one entry for all
# of them, or several where they are far apart.
by_leader="+try-failover +elected-leader +failover-state-select-slave +selected-slave
	+failover-state-send-slaveof-noone +failover-state-wait-promotion +promoted-slave
	+failover-state-reconf-slaves +slave-reconf-sent +slave-reconf-inprog +slave-reconf-done +failover-end"
by_each="+sdown -sdown +odown -odown +switch-master"

finish() {
	$mux kill-server 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

wrong() {
	echo "WRONG: $*"
	status=1
}

lives() {
	kill -0 "$pid" 2>/dev/null
}

sample() {
	sampled=$SECONDS
	printf '%5d s  rss %s kB  descriptors %s  failovers %d\n' $((SECONDS - begin)) \
		"$(awk '/VmRSS/ { print $2 }' "/proc/$pid/status" 2>/dev/null)" \
		"$(find "/proc/$pid/fd" -mindepth 1 2>/dev/null | wc -l)" "$failovers"
}

pause() {
	local end=$((SECONDS + $1))
	while [ "$SECONDS" -lt "$end" ] && lives; do
		[ $((SECONDS - sampled)) -lt 60 ] || sample
		read -rt 0.5 <> <(:) || :
	done
}

ports() {
	awk -v role="$1" '$2 == role { print $1 }' "$folder/nodes.txt"
}

ask() {
	"$top/scripts/demo-break" cli "$sentinel" "$@" 2>/dev/null
}

master() {
	ask SENTINEL get-master-addr-by-name mymaster | sed -n 2p
}

# What was there before the first failover is no part of it: redoubt need not have been listening.
mark_logs() {
	local port
	for port in "${sentinels[@]}"; do
		from[port]=$(wc -l <"$folder/nodes/$port/server.log") || exit 1
	done
	from_own=$(wc -l <"$work/log") || exit 1
}

# All at once, while the demo is there: its folder goes with it.
copy_logs() {
	local port
	for port in "${sentinels[@]}"; do
		cp "$folder/nodes/$port/server.log" "$work/logs/$port" || wrong "no log of Sentinel $port"
	done
	cp "$work/log" "$work/logs/own" || wrong "no log of redoubt"
}

said() {
	local port
	for port in "${sentinels[@]}"; do
		tail -n +$((from[port] + 1)) "$work/logs/$port" | grep -F " $1 "
	done | wc -l
}

seen() {
	tail -n +$((from_own + 1)) "$work/logs/own" | awk -v event="$1" '$3 == event' | wc -l
}

# line SAID SEEN EVENT EACH: EACH is by how many Sentinels one event may be said.
line() {
	local said=$1 seen=$2 event=$3 each=$4 least=$1 verdict=
	[ "$each" -eq 1 ] || least=$(((said + each - 1) / each))
	if [ "$seen" -lt "$least" ] || [ "$seen" -gt "$said" ]; then
		verdict="   DIFFERS"
		differing=$((differing + 1))
	fi
	printf '%-36s %10d %20d%s\n' "$event" "$said" "$seen" "$verdict"
}

compare_logs() {
	local event
	differing=0
	echo "event                              in the Sentinels' logs   in redoubt's"
	for event in $by_leader; do
		line "$(said "$event")" "$(seen "$event")" "$event" 1
	done
	for event in $by_each; do
		line "$(said "$event")" "$(seen "$event")" "$event" "${#sentinels[@]}"
	done
}

# The last messages are on their way for a moment.
compare_when_settled() {
	for _ in 1 2 3 4 5 6; do
		pause 5
		copy_logs
		compare_logs >"$work/table"
		[ "$differing" -gt 0 ] || break
	done
	cat "$work/table"
	[ "$differing" -eq 0 ] || wrong "$differing events are not in both as often"
	[ "$(said +failover-end)" -gt 0 ] || wrong "the Sentinels' logs have no failover"
}

begin=$SECONDS
$mux new-session -d -x 200 -y 60 "exec '$redoubt' --demo=sentinel --log '$work/log' 2>'$work/err'" || exit 1
pid=$($mux display-message -p '#{pane_pid}')
until folder=$(sed -n 's/.*ready, in //p' "$work/err" | tr -d '\r') && [ -n "$folder" ]; do
	lives || { cat "$work/err"; exit 1; }
	read -rt 0.2 <> <(:) || :
done
export REDOUBT_DEMO=$folder
mapfile -t sentinels < <(ports sentinel)
[ "${#sentinels[@]}" -gt 0 ] || { echo "no Sentinels in $folder/nodes.txt"; exit 1; }
sentinel=${sentinels[0]}
declare -a from
sample
pause 10
mark_logs
begin=$SECONDS
while [ $((SECONDS - begin)) -lt "$seconds" ] && lives; do
	old=$(master)
	if [ $((failovers % 5)) -eq 4 ]; then
		"$top/scripts/demo-break" kill "$old" >/dev/null
		pause 20
		"$top/scripts/demo-break" start "$old" >/dev/null
		pause $((every > 25 ? every - 20 : 5))
	else
		ask SENTINEL FAILOVER mymaster >/dev/null
		pause "$every"
	fi
	new=$(master)
	[ -z "$new" ] || [ "$new" = "$old" ] || failovers=$((failovers + 1))
done
sample
if lives; then
	echo "alive at the end"
	compare_when_settled
	$mux send-keys q
	for ((i = 0; i < 300; i++)); do
		lives || break
		read -rt 0.2 <> <(:) || :
	done
	! lives || wrong "it does not end"
else
	wrong "NOT alive at the end"
	cat "$work/err"
fi
exit "$status"
