#!/bin/bash
# A Sentinel deployment with passwords: the snapshot against redis-cli, field by field and from
# every kind of member, and the crash of its master in the event stream.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317,SC2016
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_redoubt

free_ports 6
M=${PORTS[0]} R1=${PORTS[1]} R2=${PORTS[2]}
S=("${PORTS[@]:3:3}")
JSON=$WORK/snapshot.json

start_node "$M"
start_node "$R1" "replicaof 127.0.0.1 $M"
start_node "$R2" "replicaof 127.0.0.1 $M" "replica-priority 50"
replica_is_up() {
	[ "$(info_field "$1" replication master_link_status)" = up ]
}
for port in "$R1" "$R2"; do
	wait_for 15 "replica is linked" replica_is_up "$port" || bail "replica $port synchronises"
done
for port in "${S[@]}"; do
	start_sentinel "$port" "$M" 2 1000
done
for port in "${S[@]}"; do
	wait_for 30 "Sentinel sees all" sentinel_is_settled "$port" 2 2 ||
		bail "Sentinel $port sees all" "$(scli "$port" sentinel master mymaster 2>&1)"
done
cli "$M" set live-key value >/dev/null

j() {
	jq -r "$@" "$JSON"
}

# The first master, and what is said of one address in a list.
mj() {
	j ".deployments[0].masters[0] | $1"
}

snapshot() {
	redoubt --once --format json "$@" >"$JSON" 2>"$WORK/once.err"
	echo $? >"$WORK/once.status"
}

sorted() {
	printf '%s\n' "$@" | sort | paste -sd' '
}

# compare WHAT: the snapshot in JSON with the servers.
compare() {
	local what=$1 port addr value before after
	equal "$what: exit status" 0 "$(cat "$WORK/once.status")"
	check "$what: one JSON object" jq -e -s 'length == 1 and (.[0] | type == "object")' "$JSON"
	equal "$what: health" "ok ok" "$(j '[.health, .deployments[0].health] | join(" ")')"
	equal "$what: one deployment of kind sentinel" "1 sentinel" \
		"$(j '"\(.deployments | length) \(.deployments[0].kind)"')"
	equal "$what: one master" "1 mymaster 127.0.0.1:$M ok" \
		"$(j '.deployments[0].masters | "\(length) \(.[0].name) \(.[0].addr) \(.[0].status)"')"
	for value in quorum:quorum config_epoch:config-epoch down_after_ms:down-after-milliseconds \
		failover_timeout_ms:failover-timeout parallel_syncs:parallel-syncs; do
		equal "$what: ${value%:*}" "$(sentinel_field "${S[0]}" "${value#*:}")" "$(mj ".${value%:*}")"
	done
	equal "$what: flags" "$(sentinel_field "${S[0]}" flags)" "$(mj '.flags | join(",")')"
	equal "$what: Sentinels known and reachable" "3 3" "$(mj '"\(.sentinels.known) \(.sentinels.reachable)"')"
	equal "$what: ckquorum" "true 3 $(scli "${S[0]}" sentinel ckquorum mymaster)" \
		"$(mj '.ckquorum | "\(.ok) \(.usable) \(.message)"')"
	equal "$what: replicas" "$(sorted "127.0.0.1:$R1" "127.0.0.1:$R2")" \
		"$(mj '[.replicas[].addr] | sort | join(" ")')"
	for port in "$R1" "$R2"; do
		addr=127.0.0.1:$port
		value=".replicas[] | select(.addr == \"$addr\")"
		equal "$what: link of $addr" up "$(mj "$value | .link")"
		equal "$what: priority of $addr" "$(info_field "$port" replication slave_priority)" \
			"$(mj "$value | .priority")"
		check "$what: lag of $addr is known" [ "$(mj "$value | .lag_bytes | type")" = number ]
	done
	if [ "$(mj .forecast)" = null ]; then
		skip "$what: the snapshot gives no forecast"
	else
		equal "$what: the forecast takes the lower priority" "127.0.0.1:$R2" "$(mj .forecast.candidate)"
	fi
	equal "$what: all agree" true "$(mj .agreement.agree)"
	equal "$what: views" "$(for port in "${S[@]}"; do
		echo "127.0.0.1:$port $(sentinel_master "$port") $(sentinel_field "$port" config-epoch) 3 2"
	done | sort)" "$(mj '.agreement.views[] |
		"\(.sentinel) \(.master) \(.config_epoch) \(.known_sentinels) \(.known_replicas)"' | sort)"
	equal "$what: Sentinels" "$(for port in "${S[@]}"; do
		echo "127.0.0.1:$port $(scli "$port" sentinel myid) up false"
	done | sort)" "$(j '.deployments[0].sentinels[] | "\(.addr) \(.id) \(.status) \(.tilt)"' | sort)"
	for port in "$M" "$R1" "$R2"; do
		value=".deployments[0].nodes[] | select(.addr == \"127.0.0.1:$port\")"
		equal "$what: node $port" \
			"$(info_field "$port" replication role | sed s/slave/replica/) up null" \
			"$(j "$value | \"\\(.role) \\(.status) \\(.error)\"")"
		equal "$what: version of $port" "$(server_version "$port")" \
			"$(j "$value | .version")"
		equal "$what: maxmemory of $port" "$(info_field "$port" memory maxmemory)" \
			"$(j "$value | .maxmemory")"
		equal "$what: keys of $port" "$(cli "$port" dbsize)" "$(j "$value | .keys")"
		check "$what: uptime of $port" [ "$(j "$value | .uptime_seconds")" -le \
			"$(info_field "$port" server uptime_in_seconds)" ]
	done
	# Hello messages move the offset all the time: the snapshot lies between two looks at it.
	before=$(info_field "$R1" replication slave_repl_offset)
	snapshot "127.0.0.1:${S[0]}"
	after=$(info_field "$R1" replication slave_repl_offset)
	value=$(mj ".replicas[] | select(.addr == \"127.0.0.1:$R1\") | .offset")
	check "$what: offset $value within $before..$after" \
		[ "$value" -ge "$before" -a "$value" -le "$after" ]
}

# --- from each kind of member ----------------------------------------------------------------------

snapshot "127.0.0.1:${S[0]}"
compare "from a Sentinel"
shape() {
	# What does not change from one poll to the next.
	j '.deployments[] | [.kind, .health, (.masters[] | .addr, .status, ([.replicas[].addr] | sort)),
		([.sentinels[].addr] | sort), ([.nodes[] | "\(.addr) \(.role) \(.status)"] | sort)] | tojson'
}
snapshot "127.0.0.1:${S[0]}"
reference=$(shape)
for member in "${S[1]}" "${S[2]}"; do
	snapshot "127.0.0.1:$member"
	equal "from Sentinel $member: the same deployment" "$reference" "$(shape)"
done
# Two targets of one deployment are one deployment.
snapshot "127.0.0.1:${S[0]}" "127.0.0.1:$R1" "127.0.0.1:$M"
equal "several targets become one deployment" "$reference" "$(shape)"
# Data nodes do not know the Sentinels: a plain replication set.
for member in "$M" "$R1"; do
	snapshot "127.0.0.1:$member"
	equal "from data node $member: the set" "$(sorted "127.0.0.1:$M" "127.0.0.1:$R1" "127.0.0.1:$R2")" \
		"$(j '[.deployments[].nodes[] | select(.role != "sentinel") | .addr] | sort | join(" ")')"
	equal "from data node $member: the master" "127.0.0.1:$M" "$(mj .addr)"
done

redoubt --once "127.0.0.1:${S[0]}" >"$WORK/text" 2>&1
equal "--once as text: exit status" 0 $?
check "--once as text names the master" grep -q "127.0.0.1:$M" "$WORK/text"

# --- wrong and missing passwords -------------------------------------------------------------------

echo wrong >"$WORK/wrong"
chmod 600 "$WORK/wrong"
timeout 30 "$REDOUBT" --once --format json --pass-file "$WORK/wrong" \
	--sentinel-pass-file "$SENTINEL_PASS_FILE" "127.0.0.1:${S[0]}" >"$JSON" 2>/dev/null
equal "a wrong data password is named" "auth-error" \
	"$(j ".deployments[0].nodes[] | select(.addr == \"127.0.0.1:$M\") | .status")"
timeout 30 "$REDOUBT" --once --format json "127.0.0.1:${S[0]}" >"$JSON" 2>"$WORK/err"
status=$?
check "without a Sentinel password: not well" [ "$status" -ne 0 ]
check "without a Sentinel password: it is said" grep -Eqi 'auth' "$JSON" "$WORK/err"
check "no password is printed" [ "$(grep -c "$PASSWORD" "$JSON" "$WORK/text" | grep -vc ':0$')" -eq 0 ]

# --- the crash of the master -----------------------------------------------------------------------

EVENTS=$WORK/events.json
client_count() {
	cli "$M" client list | grep -c addr=
}
clients=$(client_count)
start_events "$EVENTS" "127.0.0.1:${S[0]}"
# It is complete when an event that is caused here arrives and the master has one more client.
marker_seen() {
	scli "${S[1]}" sentinel set mymaster failover-timeout 10000 >/dev/null
	saw_event "$EVENTS" +set && [ "$(client_count)" -gt "$clients" ]
}
check "the event stream begins" wait_for 15 "an event" marker_seen
kill_node "$M"
check "the master's crash ends in +switch-master" wait_for 40 "+switch-master" saw_event "$EVENTS" +switch-master
new=$(sentinel_master "${S[0]}")
equal "the replica with the lower priority was promoted" "127.0.0.1:$R2" "$new"

nth() {
	jq -r -s --arg event "$1" --arg addr "127.0.0.1:$M" '
		[to_entries[] | select(.value.event == $event and
			(.value.subject == "mymaster" or .value.addr == $addr))][0].key' "$EVENTS"
}
order=()
for event in +link-lost +sdown +odown +switch-master; do
	order+=("$(nth "$event")")
done
check "all four are there: ${order[*]}" [ "${order[*]/null/}" = "${order[*]}" ]
equal "+link-lost, +sdown, +odown, +switch-master in order" \
	"$(printf '%s\n' "${order[@]}" | grep -v null | sort -n | paste -sd' ')" "${order[*]}"
all_have_switched() {
	local port
	for port in "${S[@]}"; do
		[ "$(sentinel_master "$port")" = "$new" ] || return 1
	done
}
check "every Sentinel has switched" wait_for 20 "all switched" all_have_switched
equal "+switch-master is one event" 1 \
	"$(jq -s '[.[] | select(.event == "+switch-master")] | length' "$EVENTS")"
check "every event has its fields" jq -e -s 'all(.[]; has("time") and has("deployment") and
	has("event") and has("subject") and has("addr") and has("detail") and has("severity") and
	(.sources | type == "array"))' "$EVENTS"

snapshot "127.0.0.1:${S[0]}"
equal "the snapshot has the new master" "$new" "$(mj .addr)"
check "and is not well while a node is down" [ "$(cat "$WORK/once.status")" -ne 0 ]

# --- and its return --------------------------------------------------------------------------------

restart_node "$M"
is_replica() {
	[ "$(info_field "$M" replication role)" = slave ] && replica_is_up "$M"
}
check "the killed node comes back as a replica" wait_for 60 "replica" is_replica
check "its return is in the stream" wait_for 20 "-link-lost" saw_event "$EVENTS" -link-lost
shows_replica() {
	snapshot "127.0.0.1:${S[0]}"
	[ "$(mj ".replicas[] | select(.addr == \"127.0.0.1:$M\") | .link")" = up ]
}
check "the snapshot has it as a linked replica" wait_for 40 "replica in the snapshot" shows_replica

# --- a node that hangs -----------------------------------------------------------------------------

pause_node "$R1"
begin=$(now_ms)
snapshot --timeout 1 "127.0.0.1:${S[0]}"
end=$(now_ms)
equal "a paused replica is not up" false \
	"$(j ".deployments[0].nodes[] | select(.addr == \"127.0.0.1:$R1\") | .status == \"up\"")"
equal "the others are" true "$(j "[.deployments[0].nodes[] | select(.role != \"sentinel\" and
	.addr != \"127.0.0.1:$R1\") | .status == \"up\"] | all")"
check "--once does not wait for it for ever: $((end - begin)) ms" [ $((end - begin)) -lt 15000 ]
resume_node "$R1"

finish
