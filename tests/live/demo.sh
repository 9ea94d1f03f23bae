#!/bin/bash
# --demo: starts, obeys its FIFO, and leaves nothing behind in whatever way it ends.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_redoubt

FOLDER=''
ALL_PIDS=()
BREAK=$SRC/scripts/demo-break

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

# note_pids COUNT: notes every process of the demo while it runs: guard, servers, load. Fewer than there
# should be would prove nothing when they are gone.
note_pids() {
	local guard_pid=${FOLDER##*-}
	mapfile -t ALL_PIDS < <(for pid in "$guard_pid" $(pgrep -P "$guard_pid"); do identity "$pid"; done)
	[ "${#ALL_PIDS[@]}" -eq "$1" ]
}

running() {
	grep -c ' running$' "$FOLDER/nodes.txt"
}

all_gone() {
	local pid
	for pid in "${ALL_PIDS[@]}"; do
		is_gone "$pid" || return 1
	done
}

node_state() {
	awk -v port="$1" '$1 == port { print $4 }' "$FOLDER/nodes.txt"
}

port_of() {
	awk -v role="$1" '$2 == role { print $1; exit }' "$FOLDER/nodes.txt"
}

demo_starts() {
	screen_start 100x30 "$REDOUBT" "--demo=$1"
	if wait_for 120 "the demo is ready" find_folder; then
		pass "--demo=$1 starts"
	else
		bail "--demo=$1 starts" "$(screen_text 2>&1)"
	fi
	# Somebody may be running a demo of their own.
	export REDOUBT_DEMO=$FOLDER
	wait_equal 30 "--demo=$1 runs $2 servers" "$2" running
	wait_check 30 "--demo=$1: all processes found" note_pids $(($2 + 2))
}

expect_gone() {
	local text=$1
	if wait_for 60 "$text" all_gone; then
		pass "$text: every process is gone"
	else
		fail "$text: every process is gone" "$(ps -o pid,stat,args -p "$(IFS=,; echo "${ALL_PIDS[*]%:*}")" 2>&1)"
		for pid in "${ALL_PIDS[@]}"; do
			is_gone "$pid" || kill -KILL "${pid%:*}"
		done
	fi
	if [ "${2:-folder}" = folder ]; then
		check "$text: the folder is gone" wait_for 60 "folder is gone" [ ! -e "$FOLDER" ]
	fi
	FOLDER=''
	screen_stop
}

pane_pid() {
	tm display-message -p '#{pane_pid}'
}

# --- the Sentinel set, its FIFO, and the ways to end -----------------------------------------------

demo_starts sentinel 7
data_password=$(awk '$1 == "data" { print $2 }' "$FOLDER/passwords")
master=$(port_of master)

equal "the folder is private" 700 "$(stat -c %a "$FOLDER")"
check "no file of it can be read by others" [ -z "$(find "$FOLDER" -type f -perm /077)" ]
check "a node without the password refuses" \
	grep -q NOAUTH <("$REDIS_CLI" -h 127.0.0.1 -p "$master" ping 2>&1)
equal "a node with the password answers" PONG \
	"$(REDISCLI_AUTH=$data_password "$REDIS_CLI" -h 127.0.0.1 -p "$master" ping)"
load_writes() {
	[ "$(REDISCLI_AUTH=$data_password "$REDIS_CLI" -h 127.0.0.1 -p "$master" dbsize)" -gt 20 ]
}
check "the load writes" wait_for 60 "keys appear" load_writes

check "demo-break status lists the nodes" grep -q "$master .*running" <("$BREAK" status)
check "demo-break kill" "$BREAK" kill "$master"
wait_equal 30 "the killed node is down" down node_state "$master"
check "a second kill is refused" [ "$("$BREAK" kill "$master" >/dev/null 2>&1; echo $?)" -ne 0 ]
check "an unknown port is refused" [ "$("$BREAK" kill 1 >/dev/null 2>&1; echo $?)" -ne 0 ]
new_master() {
	local now
	now=$("$BREAK" cli "$(port_of sentinel)" sentinel get-master-addr-by-name mymaster | tail -n 1)
	[ -n "$now" ] && [ "$now" != "$master" ]
}
check "the Sentinels promote another" wait_for 120 "new master" new_master
check "demo-break start" "$BREAK" start "$master"
comes_back() {
	[ "$("$BREAK" cli "$master" role | head -n 1)" = slave ]
}
check "the killed node comes back as a replica" wait_for 120 "replica" comes_back
replica=$(port_of replica)
check "demo-break pause" "$BREAK" pause "$replica"
wait_equal 30 "the paused node is paused" paused node_state "$replica"
check "demo-break resume" "$BREAK" resume "$replica"
wait_equal 30 "the resumed node runs" running node_state "$replica"

check "demo-break pause once more" "$BREAK" pause "$replica"
wait_for 30 "all processes" note_pids 9
kill -TERM "$(pane_pid)"
expect_gone "SIGTERM to redoubt, a node paused"

demo_starts sentinel 7
kill -KILL "$(pane_pid)"
expect_gone "SIGKILL of redoubt"

demo_starts sentinel 7
tm kill-server
expect_gone "end of the terminal"

demo_starts sentinel 7
wait_screen "┌ Topology"
screen_keys q
expect_gone "key q"

demo_starts sentinel 7
wait_screen "┌ Topology"
screen_keys C-c
expect_gone "Ctrl-C"

demo_starts sentinel 7
stale=$FOLDER
kill -KILL "${FOLDER##*-}"
expect_gone "SIGKILL of the guard" no-folder
# Its log still says ready: only the folder of the new guard may be found.
sed -i 's/ ready$/ over/' "$stale/guard.log"

# --- cluster, and both -----------------------------------------------------------------------------

demo_starts cluster 6
wait_check 30 "the folder of a guard that was killed is removed" [ ! -e "$stale" ]
password=$(awk '$1 == "data" { print $2 }' "$FOLDER/passwords")
cluster_is_ok() {
	REDISCLI_AUTH=$password "$REDIS_CLI" -p "$(port_of cluster-master)" cluster info | grep cluster_state:ok
}
wait_check 30 "cluster_state is ok" cluster_is_ok
kill -TERM "$(pane_pid)"
expect_gone "SIGTERM, cluster"

demo_starts all 13
kill -KILL "$(pane_pid)"
expect_gone "SIGKILL, all"

# --- which of two servers --------------------------------------------------------------------------

for name in valkey redis; do
	mkdir "$WORK/of-$name"
	printf '#!/bin/sh\n: >"%s"\nexec "%s" "$@"\n' "$WORK/$name.used" "$REDIS_SERVER" \
		>"$WORK/of-$name/$name-server"
	chmod 700 "$WORK/of-$name/$name-server"
done
PATH=$WORK/of-valkey:$WORK/of-redis:$PATH demo_starts sentinel 7
check "the one that comes first in PATH is started" [ -e "$WORK/valkey.used" ]
check "and the other one is not" [ ! -e "$WORK/redis.used" ]
kill -TERM "$(pane_pid)"
expect_gone "SIGTERM, of two servers"

# --- what can go wrong -----------------------------------------------------------------------------

screen_start 100x30 env PATH=/nonexistent "$REDOUBT" --demo
check "without a server program --demo ends" wait_for 60 "end" screen_ended
says_why() {
	screen_history | grep 'redis-server or valkey-server'
}
wait_check 30 "and says why" says_why
screen_stop

finish
