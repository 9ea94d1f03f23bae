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
	wait_for 60 "replica is linked" replica_is_up "$port" || bail "replica $port synchronises"
done
for port in "${S[@]}"; do
	# On a busy machine one that is alive may not answer for seconds: nothing must be down before the crash.
	start_sentinel "$port" "$M" 2 30000
done
for port in "${S[@]}"; do
	wait_for 90 "Sentinel sees all" sentinel_is_settled "$port" 2 2 ||
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

# must_be TEXT EXPECTED ACTUAL: for compare, which asks again where the two are not of one moment.
must_be() {
	PAIRS+=("$@")
	[ -n "$2" ] && [ "$2" = "$3" ] || DIFFERENT=$((DIFFERENT + 1))
}

# compare WHAT ARGUMENT...: the snapshot in JSON with the servers.
compare() {
	local what=$1 i
	shift
	wait_for 60 "the snapshot and the servers say the same" all_must_be "$@"
	for ((i = 0; i < ${#PAIRS[@]}; i += 3)); do
		equal "$what: ${PAIRS[i]}" "${PAIRS[@]:i+1:2}"
	done
}

all_must_be() {
	local port addr value before after
	PAIRS=()
	DIFFERENT=0
	# Hello messages move the offset all the time: the snapshot lies between two looks at it.
	before=$(info_field "$R1" replication slave_repl_offset)
	snapshot "$@"
	after=$(info_field "$R1" replication slave_repl_offset)
	must_be "exit status" 0 "$(cat "$WORK/once.status")"
	must_be "one JSON object" true "$(j -s 'length == 1 and (.[0] | type == "object")')"
	must_be "health" "ok ok" "$(j '[.health, .deployments[0].health] | join(" ")')"
	must_be "one deployment of kind sentinel" "1 sentinel" \
		"$(j '"\(.deployments | length) \(.deployments[0].kind)"')"
	must_be "one master" "1 mymaster 127.0.0.1:$M ok" \
		"$(j '.deployments[0].masters | "\(length) \(.[0].name) \(.[0].addr) \(.[0].status)"')"
	for value in quorum:quorum config_epoch:config-epoch down_after_ms:down-after-milliseconds \
		failover_timeout_ms:failover-timeout parallel_syncs:parallel-syncs; do
		must_be "${value%:*}" "$(sentinel_field "${S[0]}" "${value#*:}")" "$(mj ".${value%:*}")"
	done
	must_be "flags" "$(sentinel_field "${S[0]}" flags)" "$(mj '.flags | join(",")')"
	must_be "Sentinels known and reachable" "3 3" "$(mj '"\(.sentinels.known) \(.sentinels.reachable)"')"
	must_be "ckquorum" "true 3 $(scli "${S[0]}" sentinel ckquorum mymaster)" \
		"$(mj '.ckquorum | "\(.ok) \(.usable) \(.message)"')"
	must_be "replicas" "$(sorted "127.0.0.1:$R1" "127.0.0.1:$R2")" \
		"$(mj '[.replicas[].addr] | sort | join(" ")')"
	for port in "$R1" "$R2"; do
		addr=127.0.0.1:$port
		value=".replicas[] | select(.addr == \"$addr\")"
		must_be "link of $addr" up "$(mj "$value | .link")"
		must_be "priority of $addr" "$(info_field "$port" replication slave_priority)" \
			"$(mj "$value | .priority")"
		must_be "lag of $addr is known" number "$(mj "$value | .lag_bytes | type")"
	done
	must_be "the forecast takes the lower priority" "127.0.0.1:$R2" "$(mj .forecast.candidate)"
	must_be "all agree" true "$(mj .agreement.agree)"
	must_be "views" "$(for port in "${S[@]}"; do
		echo "127.0.0.1:$port $(sentinel_master "$port") $(sentinel_field "$port" config-epoch) 3 2"
	done | sort)" "$(mj '.agreement.views[] |
		"\(.sentinel) \(.master) \(.config_epoch) \(.known_sentinels) \(.known_replicas)"' | sort)"
	must_be "Sentinels" "$(for port in "${S[@]}"; do
		echo "127.0.0.1:$port $(awk '/^sentinel myid/ { print $3 }' "$WORK/$port/node.conf") up false"
	done | sort)" "$(j '.deployments[0].sentinels[] | "\(.addr) \(.id) \(.status) \(.tilt)"' | sort)"
	for port in "$M" "$R1" "$R2"; do
		value=".deployments[0].nodes[] | select(.addr == \"127.0.0.1:$port\")"
		must_be "node $port" \
			"$(info_field "$port" replication role | sed s/slave/replica/) up null" \
			"$(j "$value | \"\\(.role) \\(.status) \\(.error)\"")"
		must_be "version of $port" "$(server_version "$port")" "$(j "$value | .version")"
		must_be "maxmemory of $port" "$(info_field "$port" memory maxmemory)" "$(j "$value | .maxmemory")"
		must_be "keys of $port" "$(cli "$port" dbsize)" "$(j "$value | .keys")"
		must_be "uptime of $port" lies "$(in_between 0 "$(j "$value | .uptime_seconds")" \
			"$(info_field "$port" server uptime_in_seconds)")"
	done
	value=$(mj ".replicas[] | select(.addr == \"127.0.0.1:$R1\") | .offset")
	must_be "the offset lies between what it was before and after" lies "$(in_between "$before" "$value" "$after")"
	[ "$DIFFERENT" -eq 0 ]
}

in_between() {
	if [ "$2" -ge "$1" ] && [ "$2" -le "$3" ]; then echo lies; else echo "$1, $2, $3"; fi
}

# --- from each kind of member ----------------------------------------------------------------------

compare "from a Sentinel" "127.0.0.1:${S[0]}"
# shape ARGUMENT...: what does not change from one poll to the next.
shape() {
	snapshot "$@"
	j '.deployments[] | [.kind, .health, (.masters[] | .addr, .status, ([.replicas[].addr] | sort)),
		([.sentinels[].addr] | sort), ([.nodes[] | "\(.addr) \(.role) \(.status)"] | sort)] | tojson'
}
reference_is_whole() {
	reference=$(shape "127.0.0.1:${S[0]}")
	[ "$(cat "$WORK/once.status")" = 0 ]
}
wait_for 60 "a snapshot in which all is well" reference_is_whole
for member in "${S[1]}" "${S[2]}"; do
	wait_equal 60 "from Sentinel $member: the same deployment" "$reference" shape "127.0.0.1:$member"
done
# Two targets of one deployment are one deployment.
wait_equal 60 "several targets become one deployment" "$reference" \
	shape "127.0.0.1:${S[0]}" "127.0.0.1:$R1" "127.0.0.1:$M"
# Data nodes do not know the Sentinels: a plain replication set.
set_from() {
	snapshot "$1"
	j '[.deployments[].nodes[] | select(.role != "sentinel") | .addr] | sort | join(" ")'
}
for member in "$M" "$R1"; do
	wait_equal 60 "from data node $member: the set" "$(sorted "127.0.0.1:$M" "127.0.0.1:$R1" "127.0.0.1:$R2")" \
		set_from "127.0.0.1:$member"
	equal "from data node $member: the master" "127.0.0.1:$M" "$(mj .addr)"
done

text_names_it() {
	redoubt --once "127.0.0.1:${S[0]}" >"$WORK/text" 2>&1 && grep -q "127.0.0.1:$M" "$WORK/text"
}
wait_check 60 "--once as text: exit status, and it names the master" text_names_it

# --- wrong and missing passwords -------------------------------------------------------------------

echo wrong >"$WORK/wrong"
chmod 600 "$WORK/wrong"
with_wrong_password() {
	timeout 60 "$REDOUBT" --once --format json --pass-file "$WORK/wrong" \
		--sentinel-pass-file "$SENTINEL_PASS_FILE" "127.0.0.1:${S[0]}" >"$JSON" 2>/dev/null
	j ".deployments[0].nodes[] | select(.addr == \"127.0.0.1:$M\") | .status"
}
wait_equal 60 "a wrong data password is named" auth-error with_wrong_password
without_password() {
	! timeout 60 "$REDOUBT" --once --format json "127.0.0.1:${S[0]}" >"$JSON" 2>"$WORK/err" &&
		grep -Eqi 'auth' "$JSON" "$WORK/err"
}
wait_check 60 "without a Sentinel password: not well, and it is said" without_password
check "no password is printed" [ "$(grep -c "$PASSWORD" "$JSON" "$WORK/text" | grep -vc ':0$')" -eq 0 ]

# --- the crash of the master -----------------------------------------------------------------------

EVENTS=$WORK/events.json
# Clients without a name that have asked something: replicas and Sentinels say who they are.
is_asked() {
	cli "$M" client list type normal | grep ' name= ' | grep -Eqv 'cmd=(NULL|auth|hello|client)'
}
nobody_asks() {
	! is_asked
}
wait_for 30 "those of before have gone" nobody_asks
for port in "${S[@]}"; do
	scli "$port" sentinel set mymaster down-after-milliseconds 4000 >/dev/null
done
start_events "$EVENTS" "127.0.0.1:${S[0]}"
# heard_of VALUE: each Sentinel's message about a change that is made here arrives, and so all before it.
heard_of() {
	local port
	for port in "${S[@]}"; do
		scli "$port" sentinel set mymaster failover-timeout "$1$port" >/dev/null
		jq -e -n --arg text "failover-timeout $1$port" \
			'first(inputs | select(.event == "+set" and (.detail | contains($text))))' "$EVENTS" || return 1
	done
}
stream_is_whole() {
	heard_of 1 && is_asked
}
check "the event stream begins" wait_for 60 "an event of each Sentinel, and a question to the master" stream_is_whole
for port in "${S[@]}"; do
	scli "$port" sentinel set mymaster failover-timeout 10000 >/dev/null
done
kill_node "$M"
check "the master's crash ends in +switch-master" wait_for 120 "+switch-master" saw_event "$EVENTS" +switch-master
all_have_switched() {
	local port
	new=$(sentinel_master "${S[0]}")
	[ -n "$new" ] && [ "$new" != "127.0.0.1:$M" ] || return 1
	for port in "${S[@]}"; do
		[ "$(sentinel_master "$port")" = "$new" ] || return 1
	done
}
wait_check 60 "every Sentinel has switched" all_have_switched
equal "the replica with the lower priority was promoted" "127.0.0.1:$R2" "$new"
check "what they said before has arrived" wait_for 60 "an event of each Sentinel" heard_of 2

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
equal "+switch-master is one event" 1 \
	"$(jq -s '[.[] | select(.event == "+switch-master")] | length' "$EVENTS")"
check "every event has its fields" jq -e -s 'all(.[]; has("time") and has("deployment") and
	has("event") and has("subject") and has("addr") and has("detail") and has("severity") and
	(.sources | type == "array"))' "$EVENTS"

master_of() {
	snapshot "$1"
	mj .addr
}
wait_equal 60 "the snapshot has the new master" "$new" master_of "127.0.0.1:${S[0]}"
check "and is not well while a node is down" [ "$(cat "$WORK/once.status")" -ne 0 ]

# --- and its return --------------------------------------------------------------------------------

restart_node "$M"
is_replica() {
	[ "$(info_field "$M" replication role)" = slave ] && replica_is_up "$M"
}
check "the killed node comes back as a replica" wait_for 120 "replica" is_replica
check "its return is in the stream" wait_for 60 "-link-lost" saw_event "$EVENTS" -link-lost
shows_replica() {
	snapshot "127.0.0.1:${S[0]}"
	[ "$(mj ".replicas[] | select(.addr == \"127.0.0.1:$M\") | .link")" = up ]
}
check "the snapshot has it as a linked replica" wait_for 90 "replica in the snapshot" shows_replica

# --- a node that hangs -----------------------------------------------------------------------------

pause_node "$R1"
begin=$(now_ms)
snapshot --timeout 1 "127.0.0.1:${S[0]}"
check "--once does not wait for it for ever" [ "$(cat "$WORK/once.status")" -le 3 ]
echo "# it took $(($(now_ms) - begin)) ms"
# paused_alone: it is not up, the others are.
paused_alone() {
	snapshot --timeout 1 "127.0.0.1:${S[0]}"
	[ "$(j ".deployments[0].nodes[] | select(.addr == \"127.0.0.1:$R1\") | .status == \"up\"")" = false ] &&
		[ "$(j "[.deployments[0].nodes[] | select(.role != \"sentinel\" and
			.addr != \"127.0.0.1:$R1\") | .status == \"up\"] | all and length == 2")" = true ]
}
wait_check 60 "a paused replica is not up, the others are" paused_alone
resume_node "$R1"

finish
