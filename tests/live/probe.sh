#!/bin/bash
# The client's eye: the outage that --probe tells against an independent client that writes beside it,
# the writes that a failover by hand loses, a shard of a cluster, and that nothing is left behind.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317,SC2016
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_redoubt
build_tool client
command -v tmux >/dev/null || skip_all "no tmux here"
CLIENT=$TOOL
EVENTS=$WORK/events
LOOP=$WORK/loop
JSON=$WORK/snapshot.json

replica_is_up() {
	[ "$(info_field "$1" replication master_link_status)" = up ]
}

# --- helpers ---------------------------------------------------------------------------------------

probe_keys() {
	cli "$1" --scan --pattern 'redoubt:probe:*' | wc -l
}

has_key() {
	[ "$(probe_keys "$1")" = 1 ]
}

no_key() {
	[ "$(probe_keys "$1")" = 0 ]
}

# start_probe TARGET: the events with the probe on.
start_probe() {
	start_events "$EVENTS" --probe --record "$WORK/recording" "127.0.0.1:$1"
	PROBE=${OTHER_PIDS[-1]}
}

stop_probe() {
	kill -INT "$PROBE"
	wait_for 5 "redoubt ends" is_gone "$PROBE"
}

start_loop() {
	PASSWORD=$PASSWORD SENTINEL_PASSWORD=$SENTINEL_PASSWORD "$CLIENT" 50 "${S[@]}" \
		</dev/null >"$LOOP" 2>&1 &
	LOOP_PID=$!
	OTHER_PIDS+=("$LOOP_PID")
	disown
}

stop_loop() {
	kill "$LOOP_PID"
	wait_for 5 "the loop ends" is_gone "$LOOP_PID"
}

outages_over() {
	jq -n '[inputs | select(.event == "-client-outage")] | length' "$EVENTS" 2>/dev/null
}

outage_is_over() {
	[ "$(outages_over)" -ge "$1" ]
}

# The last outage: milliseconds, writes failed, writes lost.
last_outage() {
	jq -rn 'last(inputs | select(.event == "-client-outage")) | .detail |
		capture("^(?<n>[0-9.]+) (?<u>ms|s), (?<f>[0-9]+|no) writes? failed(, (?<l>[0-9]+|no) ack)?") |
		[(.n | tonumber) * (if .u == "s" then 1000 else 1 end | floor), .f, .l // "?"] |
		map(tostring | if . == "no" then "0" else . end) | join(" ")' "$EVENTS"
}

# agrees MS MS: within 150 ms.
agrees() {
	local difference=$((${1%.*} - $2))
	[ "${difference#-}" -le 150 ] || { echo "redoubt $1 ms, the loop $2 ms"; return 1; }
}

# --- a Sentinel deployment -------------------------------------------------------------------------

free_ports 6
M=${PORTS[0]} R1=${PORTS[1]} R2=${PORTS[2]}
S=("${PORTS[@]:3:3}")
start_node "$M"
for port in "$R1" "$R2"; do
	start_node "$port" "replicaof 127.0.0.1 $M"
done
for port in "$R1" "$R2"; do
	wait_for 15 "replica is linked" replica_is_up "$port" || bail "replica $port synchronises"
done
for port in "${S[@]}"; do
	start_sentinel "$port" "$M" 2 2000
done
settled() {
	local port
	for port in "${S[@]}"; do
		wait_for 40 "Sentinel sees all" sentinel_is_settled "$port" 2 2 || return 1
	done
}
settled || bail "the Sentinels see all"

check "without --probe nothing is written" no_key "$M"
redoubt --once --probe --format json "127.0.0.1:${S[0]}" >"$JSON"
equal "--once --probe: can be written to" "true 127.0.0.1:$M" \
	"$(jq -r '.deployments[0].masters[0].client | "\(.writable) \(.master)"' "$JSON")"
check "--once takes its key away" no_key "$M"
redoubt --once --format json "127.0.0.1:${S[0]}" >"$JSON"
equal "--once without it: nothing is said" null "$(jq -c '.deployments[0].masters[0].client' "$JSON")"
redoubt --once --probe --read-only "127.0.0.1:${S[0]}" >/dev/null 2>"$WORK/err"
equal "--read-only: a usage error" 64 $?
check "--read-only: in words" grep -q -- '--probe: .*--read-only' "$WORK/err"

# Two crashes and one that hangs: the outage as an independent client has it.
MASTER=$M
start_probe "${S[0]}"
start_loop
for round in 1 2 3; do
	check "crash $round: the probe writes to the master" wait_for 15 "a key" has_key "$MASTER"
	wait_for 15 "replicas have it" has_key "$([ "$MASTER" = "$R1" ] && echo "$R2" || echo "$R1")"
	sleep "0.$((RANDOM % 100 + 100))" # somewhere between two writes
	if [ "$round" = 3 ]; then pause_node "$MASTER"; else kill_node "$MASTER"; fi
	check "crash $round: the outage ends" wait_for 40 "the end" outage_is_over "$round"
	wait_for 10 "the loop's end" eval "[ \"\$(grep -c outage '$LOOP')\" -ge $round ]"
	read -r MS FAILURES LOST <<<"$(last_outage)"
	check "crash $round: its length is the loop's ($MS, $(tail -n 1 "$LOOP"))" agrees "$MS" \
		"$(tail -n 1 "$LOOP" | cut -d' ' -f2)"
	check "crash $round: failed writes are counted ($FAILURES)" [ "$FAILURES" -ge 4 ]
	check "crash $round: what was lost is known ($LOST)" [ "$LOST" != "?" ]
	if [ "$round" = 3 ]; then resume_node "$MASTER"; else restart_node "$MASTER"; fi
	MASTER=$(sentinel_master "${S[0]}" | cut -d: -f2)
	settled || bail "the Sentinels see all again"
done
equal "one event begins each outage" 3 \
	"$(jq -n '[inputs | select(.event == "+client-outage")] | length' "$EVENTS")"
stop_loop
stop_probe
check "at the end the key is gone" no_key "$MASTER"

# What was recorded says the same.
"$REDOUBT" --replay "$WORK/recording" --events --format json >"$WORK/replayed"
equal "the recording has the same outages" \
	"$(jq -c 'select(.event | endswith("client-outage")) | [.event, .addr, .detail]' "$EVENTS")" \
	"$(jq -c 'select(.event | endswith("client-outage")) | [.event, .addr, .detail]' "$WORK/replayed")"
"$REDOUBT" --replay "$WORK/recording" --at -1 --once --format json >"$JSON"
equal "the recording's snapshot has all" "true 3" \
	"$(jq -r '.deployments[0].masters[0].client | "\(.writable) \(.outages | length)"' "$JSON")"
equal "they are on the failovers' time lines" "true true true" "$(jq -r '[.deployments[0].failovers[] |
	select(.aborted | not) | .client.outage_ms > 2000 and .client.failed >= 4] | join(" ")' "$JSON")"

# By hand: the old master goes on acknowledging until all have heard of the new one.
start_probe "${S[0]}"
wait_for 15 "a key" has_key "$MASTER"
scli "${S[1]}" sentinel failover mymaster >/dev/null
check "by hand: the loss is told" wait_for 40 "an event" outage_is_over 1
read -r MS FAILURES LOST <<<"$(last_outage)"
check "by hand: acknowledged writes were lost ($MS ms, $FAILURES failed, $LOST lost)" [ "$LOST" -ge 1 ]
MASTER=$(sentinel_master "${S[1]}" | cut -d: -f2)
check "by hand: the new master is written to" wait_for 10 "a key" has_key "$MASTER"
stop_probe
settled

# A master that answers and takes no writes: only a client notices.
start_probe "${S[0]}"
wait_for 15 "a key" has_key "$MASTER"
cli "$MASTER" config set min-replicas-to-write 5 >/dev/null
check "no good replicas: the outage is told" wait_for 5 "an event" saw_event "$EVENTS" +client-outage
check "no good replicas: in the server's words" jq -e -n \
	'first(inputs | select(.event == "+client-outage")) | .detail | contains("NOREPLICAS")' "$EVENTS"
cli "$MASTER" config set min-replicas-to-write 0 >/dev/null
check "no good replicas: its end" wait_for 5 "an event" outage_is_over 1
stop_probe

# The screen: asked for, seen, and refused where it may not.
screen_redoubt 120x40 "127.0.0.1:${S[0]}"
wait_screen 'replica +up' 15
check "the screen: off" no_key "$MASTER"
screen_keys -l ':probe'
screen_keys Enter
check "the screen: on by :probe" wait_screen ' PROBE ' 5
check "the screen: in words" wait_screen 'client: writes ok [0-9.]+ ms' 5
screen_keys -l ':probe off'
screen_keys Enter
check "the screen: off by :probe off" wait_for 5 "no key" no_key "$MASTER"
screen_stop
screen_redoubt 120x40 --read-only "127.0.0.1:${S[0]}"
wait_screen 'replica +up' 15
screen_keys -l ':probe'
screen_keys Enter
check "the screen: refused in read-only" wait_screen 'probe: read-only: nothing may be written' 5
check "the screen: nothing was written" no_key "$MASTER"
screen_stop
for port in "${PORTS[@]}"; do
	kill_node "$port"
done

# --- a cluster -------------------------------------------------------------------------------------

free_ports 6
start_cluster "${PORTS[@]}"
masters() {
	cli "$1" cluster nodes | awk '/master/ && !/fail/ { sub(/@.*/, "", $2); sub(/.*:/, "", $2); print $2 }'
}
start_probe "${PORTS[0]}"
for port in $(masters "${PORTS[0]}"); do
	check "cluster: a key on the shard of $port" wait_for 15 "a key" has_key "$port"
done
DOWN=$(masters "${PORTS[0]}" | grep -v "^${PORTS[0]}$" | head -n 1)
kill_node "$DOWN"
check "cluster: the shard's outage ends" wait_for 30 "the end" outage_is_over 1
# The others are refused as well for a while: a shard without a master stops the whole cluster.
shard_told() {
	jq -rn --arg addr "127.0.0.1:$DOWN" 'first(inputs | select(.event == "+client-outage")) | .addr' "$EVENTS"
}
equal "cluster: the shard's own outage is told first" "127.0.0.1:$DOWN" "$(shard_told)"
longest_outage() {
	jq -rn '[inputs | select(.event == "-client-outage") | .detail | capture("^(?<s>[0-9.]+) s,").s |
		tonumber * 1000 | floor] | max // 0' "$EVENTS"
}
check "cluster: it lasts as long as the election takes" wait_for 15 "more than 1.5 s" \
	eval '[ "$(longest_outage)" -ge 1500 ]'
NEW=$(masters "${PORTS[0]}")
for port in $NEW; do
	check "cluster: a key on the shard of $port" wait_for 15 "a key" has_key "$port"
done
stop_probe
for port in $NEW; do
	check "cluster: the key on $port is gone" no_key "$port"
done

finish
