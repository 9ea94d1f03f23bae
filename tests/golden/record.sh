#!/bin/bash
# Makes the recordings anew, from real servers on loopback: tests/golden/record.sh [NAME...]
# Some 30 s each. The golden screens change with them: run `golden --update` afterwards and read the
# difference. Needs what the live tests need; REDOUBT names the program that records.
# Functions are called through wait_for.
# shellcheck disable=SC2317
# shellcheck source-path=SCRIPTDIR source=../live/lib.sh
. "$(dirname "$0")/../live/lib.sh"
need_redoubt

OUT=${GOLDEN_OUT:-$SRC/tests/golden}
BREAK=$SRC/scripts/demo-break
EVENTS=$WORK/events
RECORDER= # pid of redoubt

# What the recording says of who made it.
unset SUDO_USER SSH_CONNECTION
export USER=oncall

# --- helpers ---------------------------------------------------------------------------------------

# start_recording NAME ARG...
start_recording() {
	local file=$WORK/$1.rec
	shift
	rm -f "$EVENTS"
	"$REDOUBT" --record "$file" --events --format json "$@" >"$EVENTS" 2>"$WORK/recorder.err" </dev/null &
	RECORDER=$!
	OTHER_PIDS+=("$RECORDER")
	wait_for 120 "the recording begins" test -s "$file" || bail "$file begins" "$(cat "$WORK/recorder.err")"
	# Somebody else's may be newer.
	for REDOUBT_DEMO in "$XDG_RUNTIME_DIR"/redoubt-demo-*; do
		export REDOUBT_DEMO
	done
}

# end_recording NAME
end_recording() {
	kill -TERM "$RECORDER"
	wait_for 60 "redoubt ends" is_gone "$RECORDER" || bail "redoubt ends"
	wait "$RECORDER" 2>/dev/null
	install -m 644 "$WORK/$1.rec" "$OUT/$1.rec" || bail "$OUT/$1.rec is written"
	pass "$1: $(stat -c %s "$OUT/$1.rec") bytes, $(wc -l <"$EVENTS") events"
}

# await EVENT SECONDS [TIMES]
await() {
	wait_for "$2" "$1" seen "$1" "${3:-1}" || bail "$1 comes" "$(tail -n 5 "$EVENTS")"
}

seen() {
	[ "$(jq -r .event "$EVENTS" | grep -cFx -- "$1")" -ge "$2" ]
}

# The recording has it: all is well with them, and everybody has been read.
await_well() {
	wait_for 90 "all is well" is_well "$1" || bail "all is well at first"
}

is_well() {
	"$REDOUBT" --replay "$WORK/$1.rec" --once --format json 2>/dev/null | jq -e '.health == "ok"'
}

# What an incident takes in its own time.
let_pass() {
	sleep "$1"
}

# demo_port ROLE [NTH]
demo_port() {
	"$BREAK" status | awk -v role="$1" '$2 == role { print $1 }' | sed -n "${2:-1}p"
}

# is_ok PORT COMMAND...
is_ok() {
	"$BREAK" cli "$@" | grep -qx OK
}

role_is() {
	"$BREAK" cli "$1" role | head -n 1 | grep -qx "$2"
}

# Neighbouring ports, so that screens do not change more than they must.
pick_ports() {
	local first port
	for first in 6400 6420 6440 6460; do
		PORTS=()
		for ((port = first; port < first + $1; port++)); do
			port_is_free "$port" && PORTS+=("$port")
		done
		[ "${#PORTS[@]}" -eq "$1" ] && return
	done
	bail "free ports"
}

# --- incidents -------------------------------------------------------------------------------------

# A master is killed, another is promoted, the old one comes back as its replica.
sentinel_crash() {
	start_recording sentinel-crash --demo=sentinel
	await_well sentinel-crash
	local master
	master=$(demo_port master)
	let_pass 3
	"$BREAK" kill "$master"
	await +failover-end 120
	let_pass 2
	"$BREAK" start "$master"
	wait_for 120 "the old master is a replica" role_is "$master" slave || bail "the old master is a replica"
	let_pass 4
	end_recording sentinel-crash
}

# SENTINEL FAILOVER on a set that is well.
sentinel_manual() {
	start_recording sentinel-manual --demo=sentinel
	await_well sentinel-manual
	local sentinel
	sentinel=$(demo_port sentinel)
	let_pass 3
	wait_for 60 "a failover by hand" is_ok "$sentinel" sentinel failover mymaster || bail "a failover by hand"
	await +failover-end 120
	let_pass 3
	end_recording sentinel-manual
}

# A replica hangs while much is written: lag, then the Sentinels miss it, then it catches up.
sentinel_lag() {
	start_recording sentinel-lag --demo=sentinel
	await_well sentinel-lag
	local master replica
	master=$(demo_port master)
	replica=$(demo_port replica 2)
	let_pass 3
	"$BREAK" pause "$replica"
	for _ in 1 2 3 4 5 6 7 8; do
		head -c 300000 /dev/zero | "$BREAK" cli "$master" -x set load
		let_pass 1
	done
	await +sdown 120
	let_pass 2
	"$BREAK" resume "$replica"
	await -sdown 120
	let_pass 4
	end_recording sentinel-lag
}

# A quorum that differs, and later another address of the same name by hand on one Sentinel: a silent
# split brain, since nothing goes down.
sentinel_split() {
	pick_ports 7
	local port first
	for port in "${PORTS[@]:0:3}" "${PORTS[3]}"; do
		first=("replicaof 127.0.0.1 ${PORTS[0]}")
		[[ $port == "${PORTS[0]}" || $port == "${PORTS[3]}" ]] && first=()
		start_node "$port" "${first[@]}"
	done
	for port in "${PORTS[@]:4}"; do
		start_sentinel "$port" "${PORTS[0]}" 2 5000
	done
	for port in "${PORTS[@]:4}"; do
		wait_for 90 "Sentinel sees all" sentinel_is_settled "$port" 2 2 || bail "Sentinel $port sees all"
	done
	start_recording sentinel-split --pass-file "$PASS_FILE" --sentinel-pass-file "$SENTINEL_PASS_FILE" \
		"127.0.0.1:${PORTS[4]}"
	await_well sentinel-split
	let_pass 3
	scli "${PORTS[6]}" sentinel set mymaster quorum 3 >/dev/null
	await +disagreement 60
	let_pass 3
	monitor "${PORTS[5]}" "${PORTS[3]}"
	await +disagreement 60 2
	let_pass 4
	monitor "${PORTS[5]}" "${PORTS[0]}"
	await -disagreement 60
	let_pass 3
	scli "${PORTS[6]}" sentinel set mymaster quorum 2 >/dev/null
	await -disagreement 60 2
	let_pass 3
	end_recording sentinel-split
	for port in "${PORTS[@]}"; do
		kill_node "$port"
	done
}

# monitor SENTINEL MASTER: mymaster is another one for it from now on.
monitor() {
	{
		scli "$1" sentinel remove mymaster
		scli "$1" sentinel monitor mymaster 127.0.0.1 "$2" 2
		scli "$1" sentinel set mymaster auth-pass "$PASSWORD" down-after-milliseconds 5000 \
			failover-timeout 10000
	} >/dev/null
}

# A master of a cluster is killed, its replica takes the slots, the old one comes back.
cluster_crash() {
	start_recording cluster-crash --demo=cluster
	await_well cluster-crash
	local master
	master=$(demo_port cluster-master)
	let_pass 4
	"$BREAK" kill "$master"
	await +node-fail 120
	await -cluster-down 120
	let_pass 4
	"$BREAK" start "$master"
	await -node-fail 120
	let_pass 5
	end_recording cluster-crash
}

# A replica between a master and another replica dies and comes back.
plain_chain() {
	pick_ports 4
	start_node "${PORTS[0]}"
	start_node "${PORTS[1]}" "replicaof 127.0.0.1 ${PORTS[0]}"
	start_node "${PORTS[2]}" "replicaof 127.0.0.1 ${PORTS[0]}"
	start_node "${PORTS[3]}" "replicaof 127.0.0.1 ${PORTS[1]}"
	wait_for 60 "the chain is whole" chain_is_whole || bail "the chain is whole"
	start_recording plain-chain --pass-file "$PASS_FILE" "127.0.0.1:${PORTS[0]}"
	await_well plain-chain
	let_pass 3
	kill_node "${PORTS[1]}"
	let_pass 4
	restart_node "${PORTS[1]}"
	wait_for 60 "the chain is whole again" chain_is_whole || bail "the chain is whole again"
	let_pass 3
	end_recording plain-chain
	local port
	for port in "${PORTS[@]}"; do
		kill_node "$port"
	done
}

chain_is_whole() {
	local port
	for port in "${PORTS[@]:1}"; do
		[ "$(info_field "$port" replication master_link_status)" = up ] || return 1
	done
}

# The demo's servers are Valkey's, where Redis is installed too: it takes the folder that comes first.
use_valkey() {
	local name path
	mkdir -p "$WORK/valkey"
	for name in valkey-server valkey-cli; do
		path=$(command -v "$name") || bail "$name is in PATH"
		ln -sf "$path" "$WORK/valkey/$name"
	done
	PATH=$WORK/valkey:$PATH
}

# The same crash with Valkey, shorter.
valkey_crash() {
	use_valkey
	start_recording valkey-crash --demo=sentinel
	await_well valkey-crash
	let_pass 3
	"$BREAK" kill "$(demo_port master)"
	await +failover-end 120
	let_pass 2
	end_recording valkey-crash
}

# CLUSTER FAILOVER at a replica of a cluster that is well.
valkey_cluster() {
	use_valkey
	start_recording valkey-cluster --demo=cluster
	await_well valkey-cluster
	let_pass 4
	wait_for 60 "a failover by hand" is_ok "$(demo_port cluster-replica)" cluster failover ||
		bail "a failover by hand"
	await +slots-moved 120
	let_pass 8 # until each node was asked for its CLUSTER NODES
	end_recording valkey-cluster
}

# Several deployments at once; then the cluster loses a master and the set a replica.
fleet() {
	start_recording fleet --demo=all
	await_well fleet
	local master replica
	master=$(demo_port cluster-master)
	replica=$(demo_port replica)
	let_pass 3
	"$BREAK" pause "$replica"
	let_pass 1
	"$BREAK" kill "$master"
	await +node-fail 120
	let_pass 2
	end_recording fleet
}

# One set with a wrong password, one whose user may not do what is needed, one that is well.
refused() {
	pick_ports 4
	start_node "${PORTS[0]}"
	start_node "${PORTS[1]}"
	start_node "${PORTS[2]}" "replicaof 127.0.0.1 ${PORTS[1]}"
	start_node "${PORTS[3]}"
	cli "${PORTS[1]}" acl setuser watcher on ">$PASSWORD" +ping +info +client >/dev/null
	cli "${PORTS[2]}" acl setuser watcher on ">$PASSWORD" +ping +role +client >/dev/null
	(umask 077 && echo nonsense >"$WORK/wrong")
	cat >"$WORK/refused.conf" <<-END
		[deployment orders]
		targets = 127.0.0.1:${PORTS[0]}
		pass-file = $WORK/wrong
		[deployment sessions]
		targets = 127.0.0.1:${PORTS[1]}
		user = watcher
		pass-file = $PASS_FILE
		[deployment cache]
		targets = 127.0.0.1:${PORTS[3]}
		pass-file = $PASS_FILE
	END
	start_recording refused -c "$WORK/refused.conf"
	let_pass 6
	end_recording refused
	local port
	for port in "${PORTS[@]}"; do
		kill_node "$port"
	done
}

if [ $# -eq 0 ]; then
	set -- sentinel-crash sentinel-manual sentinel-lag sentinel-split cluster-crash plain-chain fleet refused \
		valkey-crash valkey-cluster
fi
for name; do
	case $name in
	sentinel-crash | sentinel-manual | sentinel-lag | sentinel-split | cluster-crash | plain-chain | fleet | refused | \
		valkey-crash | valkey-cluster)
		"${name//-/_}"
		;;
	*) bail "there is no recording $name" ;;
	esac
done
finish
