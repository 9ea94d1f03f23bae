#!/bin/bash
# A long run by hand, not part of ./check: soak.sh [SECONDS [SECONDS_BETWEEN_FAILOVERS]]
# The demo's Sentinel set with a failover every minute (every fifth by a crash), watched by redoubt in
# a terminal. Prints memory and descriptors every minute and in the end compares redoubt's own log with
# the logs of the Sentinels: what only the leader says must be there exactly as often, a switch once.
set -u
redoubt=${REDOUBT:?the path of the program}
top=$(cd "$(dirname "$0")/../.." && pwd)
seconds=${1:-3600}
every=${2:-60}
work=$(mktemp -d)
mux="tmux -L soak$$"
failovers=0

finish() {
	$mux kill-server 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT

$mux new-session -d -x 200 -y 60 "exec '$redoubt' --demo=sentinel --log '$work/log' 2>'$work/err'"
pid=$($mux display-message -p '#{pane_pid}')
until folder=$(sed -n 's/.*ready, in //p' "$work/err" | tr -d '\r') && [ -n "$folder" ]; do
	kill -0 "$pid" || { cat "$work/err"; exit 1; }
	read -rt 0.2 <> <(:) || :
done
export REDOUBT_DEMO=$folder
ports() { awk -v role="$1" '$2 == role { print $1 }' "$folder/nodes.txt"; }
sentinel=$(ports sentinel | head -n 1)
ask() { "$top/scripts/demo-break" cli "$sentinel" "$@" 2>/dev/null; }
master() { ask SENTINEL get-master-addr-by-name mymaster | sed -n 2p; }
sample() {
	printf '%5d s  rss %s kB  descriptors %s  failovers %d\n' $((SECONDS - begin)) \
		"$(awk '/VmRSS/ { print $2 }' "/proc/$pid/status")" \
		"$(find "/proc/$pid/fd" -mindepth 1 2>/dev/null | wc -l)" "$failovers"
}
pause() { read -rt "$1" <> <(:) || :; }

begin=$SECONDS
pause 10
sample
while [ $((SECONDS - begin)) -lt "$seconds" ] && kill -0 "$pid" 2>/dev/null; do
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
	[ "$(master)" = "$old" ] || failovers=$((failovers + 1))
	sample
done
kill -0 "$pid" 2>/dev/null && echo "alive at the end" || echo "NOT alive at the end"
$mux send-keys q
logs=$work/logs
mkdir "$logs"
for port in $(ports sentinel); do cp "$folder/nodes/$port/"*log* "$logs/$port" 2>/dev/null; done
until ! kill -0 "$pid" 2>/dev/null; do pause 0.2; done

echo "event                              in the Sentinels' logs   in redoubt's"
for event in +try-failover +elected-leader +failover-state-select-slave +selected-slave \
	+failover-state-send-slaveof-noone +failover-state-wait-promotion +promoted-slave \
	+failover-state-reconf-slaves +slave-reconf-sent +slave-reconf-inprog +slave-reconf-done +failover-end; do
	said=$(cat "$logs"/* | grep -cF " $event ")
	seen=$(awk -v e="$event" '$3 == e' "$work/log" | wc -l)
	printf '%-36s %10d %20d%s\n' "$event" "$said" "$seen" "$([ "$said" = "$seen" ] || echo '   DIFFERS')"
done
said=$(grep -hF ' +switch-master ' "$logs"/* | sed 's/.*+switch-master/+switch-master/' | sort | uniq -c | awk '{ n += $1 } END { print n / 3 }')
seen=$(awk '$3 == "+switch-master"' "$work/log" | wc -l)
printf '%-36s %10s %20d   (a third of the three Sentinels'"'"' lines)\n' +switch-master "$said" "$seen"
