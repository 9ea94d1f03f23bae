#!/bin/bash
# A cluster with a password: the snapshot against CLUSTER NODES and INFO, from every member, and the
# crash of a master in the event stream.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317,SC2016
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_redoubt

free_ports 6
JSON=$WORK/snapshot.json
# None is to be missed but the one that is killed.
CLUSTER_NODE_TIMEOUT=5000
start_cluster "${PORTS[@]}"

j() {
	jq -r "$@" "$JSON"
}

dj() {
	j ".deployments[0] | $1"
}

snapshot() {
	redoubt --once --format json "$@" >"$JSON" 2>"$WORK/once.err"
	echo $? >"$WORK/once.status"
}

# "id addr" of the nodes whose flags match, sorted; addr without the bus port.
nodes() {
	cli "$1" cluster nodes | awk -v want="$2" '$3 ~ want { sub(/@.*/, "", $2); print $1, $2 }' | sort
}

# "from-to id" of every range of slots.
slots() {
	cli "$1" cluster nodes | awk '{ for (i = 9; i <= NF; i++) if ($i !~ /^\[/) {
		n = split($i, r, "-"); print r[1] "-" r[n], $1 } }' | sort
}

info() {
	cli "$1" cluster info | tr -d '\r' | sed -n "s/^cluster_$2://p"
}

# compare WHAT PORT: a snapshot made from there against that node's own words.
compare() {
	local what=$1 port=$2 name
	snapshot "127.0.0.1:$port"
	equal "$what: exit status" 0 "$(cat "$WORK/once.status")"
	equal "$what: one cluster" "1 cluster ok" "$(j '"\(.deployments | length) \(.deployments[0].kind) \(.health)"')"
	for name in state slots_assigned slots_ok slots_pfail slots_fail known_nodes size current_epoch; do
		equal "$what: $name" "$(info "$port" "$name")" "$(dj ".cluster.$name")"
	done
	if [ "$(dj .cluster.agreement)" = null ]; then
		skip "$what: the snapshot compares no views of the cluster"
	else
		equal "$what: all agree" "true 0" "$(dj '.cluster.agreement | "\(.agree) \(.dissent | length)"')"
	fi
	equal "$what: masters" "$(nodes "$port" master)" "$(dj '.shards[].master | "\(.id) \(.addr)"' | sort)"
	equal "$what: replicas" "$(nodes "$port" slave)" "$(dj '.shards[].replicas[] | "\(.id) \(.addr)"' | sort)"
	equal "$what: slots" "$(slots "$port")" \
		"$(dj '.shards[] | .master.id as $id | .slots[] | "\(.[0])-\(.[1]) \($id)"' | sort)"
	equal "$what: who follows whom" \
		"$(cli "$port" cluster nodes | awk '$3 ~ /slave/ { print $1, $4 }' | sort)" \
		"$(dj '.shards[] | .master.id as $id | .replicas[] | "\(.id) \($id)"' | sort)"
	equal "$what: links of the replicas" "up up up" "$(dj '[.shards[].replicas[].link] | join(" ")')"
	if [ "$(dj '[.shards[].forecast] | all(. == null)')" = true ]; then
		skip "$what: the snapshot gives no forecast"
	else
		equal "$what: candidates are the replicas" "$(dj '[.shards[].replicas[].addr] | join(" ")')" \
			"$(dj '[.shards[].forecast.candidate] | join(" ")')"
	fi
	equal "$what: nothing moves" "0 0" \
		"$(dj '"\([.shards[].migrating[]?] | length) \([.shards[].importing[]?] | length)"')"
	equal "$what: nodes" "$(for node in "${PORTS[@]}"; do
		echo "127.0.0.1:$node $(info_field "$node" replication role | sed s/slave/replica/) up" \
			"$(server_version "$node")"
	done | sort)" "$(dj '.nodes[] | "\(.addr) \(.role) \(.status) \(.version)"' | sort)"
}

for port in "${PORTS[0]}" "${PORTS[5]}"; do
	wait_verdicts 90 compare "from $(info_field "$port" replication role) $port" "$port"
done
masters_from() {
	snapshot "$@"
	dj '.shards[].master | "\(.id) \(.addr)"' | sort
}
for port in "${PORTS[@]:1:4}"; do
	wait_equal 60 "from $port: the same masters" "$(nodes "${PORTS[0]}" master)" masters_from "127.0.0.1:$port"
done
deployments_from() {
	snapshot "$@"
	j '.deployments | length'
}
wait_equal 60 "two targets become one deployment" 1 \
	deployments_from "127.0.0.1:${PORTS[0]}" "127.0.0.1:${PORTS[3]}"

# --- a slot that moves -----------------------------------------------------------------------------

id_of() {
	cli "$1" cluster myid
}
from=${PORTS[0]} to=${PORTS[1]}
slot=$(slots "$from" | awk -v id="$(id_of "$from")" '$2 == id { split($1, r, "-"); print r[1]; exit }')
cli "$to" cluster setslot "$slot" importing "$(id_of "$from")" >/dev/null
cli "$from" cluster setslot "$slot" migrating "$(id_of "$to")" >/dev/null
compare_moves() {
	snapshot "127.0.0.1:${PORTS[4]}"
	equal "a migrating slot is shown with its target" "$slot $(id_of "$to")" \
		"$(dj '.shards[].migrating[] | "\(.slot) \(.to)"')"
	equal "an importing slot is shown with its source" "$slot $(id_of "$from")" \
		"$(dj '.shards[].importing[] | "\(.slot) \(.from)"')"
}
wait_verdicts 60 compare_moves
cli "$from" cluster setslot "$slot" stable >/dev/null
cli "$to" cluster setslot "$slot" stable >/dev/null

# --- the crash of a master -------------------------------------------------------------------------

EVENTS=$WORK/events.json
victim=${PORTS[0]}
victim_id=$(id_of "$victim")
witness=${PORTS[1]}
heir=$(cli "$witness" cluster nodes | awk -v id="$victim_id" '$4 == id { sub(/@.*/, "", $2); print $2 }')
start_events "$EVENTS" "127.0.0.1:$witness"
# By one that is neither its replica nor the one who asks here, and has been for a while.
is_watched() {
	cli "$victim" client list | grep -v -e 'flags=S' -e 'cmd=client' | grep -Eq ' age=([2-9]|[1-9][0-9]+) '
}
check "redoubt watches the victim" wait_for 60 "a connection" is_watched
kill_node "$victim"
heir_is_master() {
	[ "$(info_field "${heir#*:}" replication role)" = master ]
}
check "the replica is promoted" wait_for 120 "promotion" heir_is_master
# The cluster says fail? for well under a second before it says fail: a slow machine may not be asked
# in between, so +node-pfail need not be there; where it is, it stands in its place.
for event in +link-lost +node-fail +role-changed; do
	check "$event is in the stream" wait_for 60 "$event" saw_event "$EVENTS" "$event"
done
nth() {
	jq -r -s --arg event "$1" --arg addr "127.0.0.1:$victim" \
		'[to_entries[] | select(.value.event == $event and .value.addr == $addr)][0].key' "$EVENTS"
}
compare_order() {
	local order
	order=$(echo "$(nth +link-lost) $(nth +node-pfail) $(nth +node-fail)" | sed 's/ null / /')
	equal "+link-lost, +node-pfail, +node-fail of the victim in order" \
		"$(tr ' ' '\n' <<<"$order" | grep -v null | sort -n | paste -sd' ')" "$order"
}
wait_verdicts 30 compare_order
compare_loss() {
	snapshot "127.0.0.1:$witness"
	equal "the cluster is ok again" "ok ok" "$(info "$witness" state) $(dj .cluster.state)"
	equal "the slots have the heir as their owner" "$heir" \
		"$(dj ".shards[] | select(.slots[] | .[0] <= $slot and .[1] >= $slot) | .master.addr")"
	check "not well while a node is down" [ "$(cat "$WORK/once.status")" -ne 0 ]
	equal "the dead node is not up" false \
		"$(dj ".nodes[] | select(.addr == \"127.0.0.1:$victim\") | .status == \"up\"")"
}
wait_verdicts 60 compare_loss

restart_node "$victim"
is_replica() {
	[ "$(info_field "$victim" replication role)" = slave ]
}
check "the killed node comes back as a replica" wait_for 120 "replica" is_replica
for event in -link-lost -node-fail; do
	check "$event is in the stream" wait_for 60 "$event" saw_event "$EVENTS" "$event"
done

# --- slots without an owner ------------------------------------------------------------------------

owner=$(slots "$witness" | awk -v id="$(id_of "$witness")" '$2 == id { split($1, r, "-"); print r[1]; exit }')
for port in "${PORTS[@]}"; do
	cli "$port" cluster delslots "$owner" >/dev/null
done
sees_hole() {
	snapshot "127.0.0.1:$witness"
	[ "$(dj .cluster.slots_assigned)" = 16383 ] && [ "$(j .health)" = critical ]
}
check "an uncovered slot is critical" wait_for 60 "a hole" sees_hole
equal "exit status of a critical snapshot" 2 "$(cat "$WORK/once.status")"

finish
