# shellcheck shell=bash
# Real servers for the measurements: on loopback, without passwords, each stopped by its own pid.

declare -A NODE_PID # port: pid
OTHER_PIDS=()
PORTS=()

cleanup() {
	trap '' INT TERM HUP
	stop_others
	stop_servers
	rm -rf "$WORK"
}

stop_others() {
	local pid
	for pid in ${OTHER_PIDS[@]+"${OTHER_PIDS[@]}"}; do
		kill "$pid" 2>/dev/null
	done
	for pid in ${OTHER_PIDS[@]+"${OTHER_PIDS[@]}"}; do
		wait "$pid" 2>/dev/null
	done
	OTHER_PIDS=()
}

stop_servers() {
	local pid port
	for pid in ${NODE_PID[@]+"${NODE_PID[@]}"}; do
		kill -KILL "$pid" 2>/dev/null
	done
	for port in "${!NODE_PID[@]}"; do
		rm -rf "${WORK:?}/$port"
	done
	NODE_PID=()
}

port_is_free() {
	! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# free_ports COUNT: sets PORTS. Below the ephemeral range, and so are the cluster bus ports.
free_ports() {
	local port=$((10000 + RANDOM % 8000))
	PORTS=()
	while [ "${#PORTS[@]}" -lt "$1" ]; do
		port=$((port + 1))
		if port_is_free "$port" && port_is_free $((port + 10000)); then
			PORTS+=("$port")
		fi
	done
}

# launch PORT [ARG...]: the server of WORK/PORT/node.conf, gone with this shell.
launch() {
	local port=$1 prefix=()
	shift
	setpriv --pdeathsig KILL true 2>/dev/null && prefix=(setpriv --pdeathsig KILL)
	(cd "$WORK/$port" && exec ${prefix[@]+"${prefix[@]}"} "$REDIS_SERVER" ./node.conf "$@" \
		</dev/null >out 2>&1) &
	NODE_PID[$port]=$!
	disown
}

# write_conf PORT [LINE...]
write_conf() {
	local port=$1
	shift
	mkdir -p "$WORK/$port"
	printf '%s\n' "bind 127.0.0.1" "port $port" "dir ." "logfile node.log" "$@" >"$WORK/$port/node.conf"
}

start_data() {
	write_conf "$1" 'save ""' "repl-diskless-sync-delay 0" "${@:2}"
	launch "$1"
}

# wait_until SECONDS WHAT COMMAND...
wait_until() {
	local end=$((SECONDS + $1)) what=$2
	shift 2
	until "$@" >/dev/null 2>&1; do
		if [ $SECONDS -gt "$end" ]; then
			echo "bench: $what: not in time" >&2
			return 1
		fi
		sleep 0.1
	done
}

says() {
	local pattern=$2 port=$1
	shift 2
	timeout 3 "$REDIS_CLI" -h 127.0.0.1 -p "$port" "$@" | tr -d '\r' | grep -Eq -- "$pattern"
}

node_id() {
	printf '%040x' $((1000000 + $1))
}

# nodes_conf INDEX PORT...: what node number INDEX would remember of the cluster; the first half are
# masters and share the slots. That is a formed cluster without the minutes of forming one.
nodes_conf() {
	local self=$1 i=0 half port flags master from to
	shift
	half=$(($# / 2))
	for port; do
		flags=master master=- slots=
		if [ $i -lt $half ]; then
			from=$((16384 * i / half)) to=$((16384 * (i + 1) / half - 1))
			slots=" $from-$to"
		else
			flags=slave master=$(node_id $((i - half)))
		fi
		[ $i -eq "$self" ] && flags=myself,$flags
		echo "$(node_id $i) 127.0.0.1:$port@$((port + 10000)) $flags $master 0 0 $((i % half + 1)) connected$slots"
		i=$((i + 1))
	done
	echo "vars currentEpoch $half lastVoteEpoch 0"
}

cluster_formed() {
	says "$1" '^cluster_state:ok' cluster info && ! says "$1" 'fail|disconnected|handshake' cluster nodes &&
		says "$2" '^master_link_status:up' info replication
}

# start_cluster PORT...: half masters, half replicas.
start_cluster() {
	local i=0 port
	for port; do
		mkdir -p "$WORK/$port"
		nodes_conf $i "$@" >"$WORK/$port/nodes.conf"
		start_data "$port" "cluster-enabled yes" "cluster-config-file nodes.conf" \
			"cluster-node-timeout 60000"
		i=$((i + 1))
	done
	wait_until 60 "cluster of $# nodes" cluster_formed "$1" "${!#}"
	sleep 3
}

trio_settled() {
	local port
	for port in "$4" "$5" "$6"; do
		says "$port" 'slaves=2,sentinels=3' info sentinel || return 1
	done
	for port in "$2" "$3"; do
		says "$port" '^master_link_status:up' info replication || return 1
	done
}

# start_trio DOWN_AFTER_MS PORT{6}: a master, two replicas, three Sentinels.
start_trio() {
	local down_after=$1 port
	shift
	start_data "$1"
	start_data "$2" "replicaof 127.0.0.1 $1"
	start_data "$3" "replicaof 127.0.0.1 $1"
	wait_until 10 "replicas of $1" says "$1" '^connected_slaves:2' info replication
	for port in "$4" "$5" "$6"; do
		write_conf "$port" "sentinel monitor mymaster 127.0.0.1 $1 2" \
			"sentinel down-after-milliseconds mymaster $down_after" \
			"sentinel failover-timeout mymaster 10000" "sentinel parallel-syncs mymaster 1"
		launch "$port" --sentinel
	done
	wait_until 20 "Sentinels of $1" trio_settled "$@"
}
