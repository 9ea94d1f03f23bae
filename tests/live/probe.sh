#!/bin/bash
# The client's eye: the outage that --probe tells against an independent client that writes beside it,
# writes that a failover by hand loses, a shard of a cluster, and that nothing is left behind.
#
# How near the length of an outage is to the client's is printed; on a quiet machine LIMIT_MS=150 judges it.
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
LIMIT_MS=${LIMIT_MS:-}
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
	wait_for 60 "redoubt ends" is_gone "$PROBE"
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
	wait_for 30 "the loop ends" is_gone "$LOOP_PID"
}

# count_events EVENT
count_events() {
	jq -n --arg event "$1" '[inputs | select(.event == $event)] | length' "$EVENTS" 2>/dev/null
}

# outage_is_over TIMES: and none is on. One in which no write failed is told when the loss is seen, and has
# no begin.
outage_is_over() {
	local over
	over=$(count_events -client-outage)
	[ "$over" -ge "$1" ] && [ "$(count_events +client-outage)" -le "$over" ]
}

# The last outage: milliseconds, writes failed, writes lost.
last_outage() {
	outages | tail -n 1 | cut -d' ' -f3-
}

# Of each outage: from when to when by the wall clock, then what it says of itself.
outages() {
	jq -rn 'def ms: (sub("\\.[0-9]+Z$"; "Z") | fromdate) * 1000 + (capture("\\.(?<ms>[0-9]+)Z$").ms | tonumber);
		inputs | select(.event == "-client-outage") | (.time | ms) as $to | .detail |
		capture("^(?<n>[0-9.]+) (?<u>ms|s), (?<f>[0-9]+|no) writes? failed(, (?<l>[0-9]+|no) ack)?") |
		((.n | tonumber) * (if .u == "s" then 1000 else 1 end) | floor) as $ms |
		[$to - $ms, $to, $ms, .f, .l // "?"] | map(tostring | if . == "no" then "0" else . end) | join(" ")' "$EVENTS"
}

# outage_after LINES: of redoubt, the first that is over after a promotion behind that line of the events:
# its line, and in which order it, its begin and the promotion came.
outage_after() {
	jq -rn --argjson lines "$1" '[inputs | .event] | to_entries as $all |
		([$all[] | select(.key >= $lines and .value == "+promoted-slave") | .key] | first) as $promoted |
		([$all[] | select(.key > $promoted and .value == "-client-outage") | .key] | first) as $over |
		([$all[] | select(.key < $over and .value == "+client-outage") | .key] | last) as $begun |
		if $promoted == null or $over == null or $begun == null then empty
		else "\([$all[] | select(.key <= $over and .value == "-client-outage")] | length) \($begun < $promoted)" end' \
		"$EVENTS" 2>/dev/null
}

# crash_is_over LINES: sets OUTAGE, the number of that outage, and IN_ORDER.
crash_is_over() {
	read -r OUTAGE IN_ORDER <<<"$(outage_after "$1")"
	[ -n "$OUTAGE" ]
}

# loop_has FROM_MS TO_MS: the independent client was refused in that time as well; its line.
loop_has() {
	awk -v from="$1" -v to="$2" '$1 == "outage" && $4 < to && $5 > from && $2 > longest { longest = $2; line = $0 }
		END { print line; exit !longest }' "$LOOP"
}

# agree_on_length ROUND MS LOOP_MS
agree_on_length() {
	local apart=$(($2 - ${3:-0}))
	apart=${apart#-}
	echo "# redoubt has $2 ms, the loop $3 ms"
	[ -z "$LIMIT_MS" ] || check "crash $1: the two agree within $LIMIT_MS ms ($apart)" [ "$apart" -le "$LIMIT_MS" ]
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
	wait_for 60 "replica is linked" replica_is_up "$port" || bail "replica $port synchronises"
done
for port in "${S[@]}"; do
	# Nothing may be down for a busy machine but what is killed here.
	start_sentinel "$port" "$M" 2 4000
done
# Every Sentinel knows all and names the same one, which is master by its own word; MASTER is that.
set_is_quiet() {
	local port
	MASTER=$(sentinel_master "${S[0]}")
	MASTER=${MASTER##*:}
	[ "$(info_field "$MASTER" replication role)" = master ] || return 1
	for port in "${S[@]}"; do
		[ "$(sentinel_master "$port")" = "127.0.0.1:$MASTER" ] && sentinel_is_settled "$port" 2 2 || return 1
	done
	for port in "$M" "$R1" "$R2"; do
		[ "$port" = "$MASTER" ] || replica_is_up "$port" || return 1
	done
}
settled() {
	wait_for 180 "the set is quiet" set_is_quiet
}
settled || bail "the Sentinels see all"

check "without --probe nothing is written" no_key "$M"
# client_is ARGUMENT...: in a snapshot.
client_is() {
	redoubt --once --format json "$@" "127.0.0.1:${S[0]}" >"$JSON"
	jq -r '.deployments[0].masters[0].client | if . == null then . else "\(.writable) \(.master)" end' "$JSON"
}
wait_equal 60 "--once --probe: can be written to" "true 127.0.0.1:$M" client_is --probe
wait_check 30 "--once takes its key away" no_key "$M"
wait_equal 30 "--once without it: nothing is said" null client_is
redoubt --once --probe --read-only "127.0.0.1:${S[0]}" >/dev/null 2>"$WORK/err"
equal "--read-only: a usage error" 64 $?
check "--read-only: in words" grep -q -- '--probe: .*--read-only' "$WORK/err"

# Two crashes and one that hangs: the outage as an independent client has it.
start_probe "${S[0]}"
start_loop
# All of them have the key, and nobody waits.
is_written_to() {
	has_key "$M" && has_key "$R1" && has_key "$R2" && outage_is_over 0
}
heard_of_each() {
	local port
	for port in "${S[@]}"; do
		scli "$port" sentinel set mymaster failover-timeout "1$port" >/dev/null
		jq -e -n --arg text "failover-timeout 1$port" \
			'first(inputs | select(.event == "+set" and (.detail | contains($text))))' "$EVENTS" || return 1
	done
}
wait_for 60 "the Sentinels are heard" heard_of_each
for port in "${S[@]}"; do
	scli "$port" sentinel set mymaster failover-timeout 10000 >/dev/null
done
for round in 1 2 3; do
	check "crash $round: the probe writes to the master" wait_for 60 "a key" is_written_to
	sleep "0.$((RANDOM % 100 + 100))" # somewhere between two writes
	LINES_BEFORE=$(wc -l <"$EVENTS")
	if [ "$round" = 3 ]; then pause_node "$MASTER"; else kill_node "$MASTER"; fi
	wait_check 180 "crash $round: the outage ends" crash_is_over "$LINES_BEFORE"
	equal "crash $round: it begins before the promotion, and ends after it" true "$IN_ORDER"
	read -r FROM TO MS FAILURES LOST <<<"$(outages | sed -n "${OUTAGE}p")"
	wait_check 60 "crash $round: the loop has it as well" loop_has "${FROM:-0}" "${TO:-0}"
	agree_on_length "$round" "$MS" "$(loop_has "$FROM" "$TO" | cut -d' ' -f2)"
	check "crash $round: failed writes are counted ($FAILURES)" [ "$FAILURES" -ge 1 ]
	check "crash $round: what was lost is known ($LOST)" [ "$LOST" != "?" ]
	if [ "$round" = 3 ]; then resume_node "$MASTER"; else restart_node "$MASTER"; fi
	settled || bail "the Sentinels see all again"
done
wait_check 60 "three outages, all over" outage_is_over 3
equal "one event begins each outage" "$(count_events -client-outage)" "$(count_events +client-outage)"
stop_loop
stop_probe
wait_check 30 "at the end the key is gone" no_key "$MASTER"

# What was recorded says the same.
"$REDOUBT" --replay "$WORK/recording" --events --format json >"$WORK/replayed"
equal "the recording has the same outages" \
	"$(jq -c 'select(.event | endswith("client-outage")) | [.event, .addr, .detail]' "$EVENTS")" \
	"$(jq -c 'select(.event | endswith("client-outage")) | [.event, .addr, .detail]' "$WORK/replayed")"
"$REDOUBT" --replay "$WORK/recording" --at -1 --once --format json >"$JSON"
equal "the recording's snapshot has all" "true $(count_events -client-outage)" \
	"$(jq -r '.deployments[0].masters[0].client | "\(.writable) \(.outages | length)"' "$JSON")"
check "they are on the failovers' time lines" jq -e '[.deployments[0].failovers[] | select(.aborted | not) |
	select(.client.outage_ms > 0 and .client.failed >= 1)] | length >= 3' "$JSON"

# By hand: the old master goes on acknowledging until all have heard of the new one. Whether a write comes
# in between is chance.
start_probe "${S[0]}"
failover_is_taken() {
	[ "$(scli "${S[1]}" sentinel failover mymaster)" = OK ]
}
# another_than PORT: is master, and written to.
another_than() {
	set_is_quiet && [ "$MASTER" != "$1" ] && has_key "$MASTER" && outage_is_over 0
}
by_hand_loses() {
	local over
	wait_for 60 "a key" is_written_to
	over=$(count_events -client-outage)
	wait_for 60 "a failover by hand" failover_is_taken || return 1
	wait_for 180 "the new master is written to" another_than "$MASTER" || return 1
	wait_for 10 "an outage" outage_is_over $((over + 1)) || return 1
	read -r MS FAILURES LOST <<<"$(last_outage)"
	echo "# $MS ms, $FAILURES failed, $LOST lost"
	[ "$LOST" != "?" ] && [ "$LOST" -ge 1 ]
}
LOST=none
for _ in 1 2 3 4 5; do
	by_hand_loses && break
done
check "by hand: acknowledged writes were lost, and it is told ($LOST)" [ "${LOST//[!0-9]/0}" -ge 1 ]
check "by hand: the new master is written to" wait_for 60 "a key" has_key "$MASTER"
stop_probe
settled || bail "the Sentinels see all again"

# A master that answers and takes no writes: only a client notices.
start_probe "${S[0]}"
wait_for 60 "a key" is_written_to
cli "$MASTER" config set min-replicas-to-write 5 >/dev/null
wait_check 60 "no good replicas: the outage is told, in the server's words" jq -e -n \
	'first(inputs | select(.event == "+client-outage" and (.detail | contains("NOREPLICAS"))))' "$EVENTS"
cli "$MASTER" config set min-replicas-to-write 0 >/dev/null
wait_check 60 "no good replicas: its end" outage_is_over 1
stop_probe

# The screen: asked for, seen, and refused where it may not.
screen_redoubt 120x40 "127.0.0.1:${S[0]}"
wait_screen 'replica +up' 60
wait_check 30 "the screen: off" no_key "$MASTER"
type_line probe
check "the screen: on by :probe" wait_screen ' PROBE ' 30
check "the screen: in words" wait_screen 'client: writes ok [0-9.]+ ms' 30
type_line 'probe off'
wait_check 60 "the screen: off by :probe off" no_key "$MASTER"
screen_stop
screen_redoubt 120x40 --read-only "127.0.0.1:${S[0]}"
wait_screen 'replica +up' 60
type_line probe
check "the screen: refused in read-only" wait_screen 'probe: read-only: nothing may be written' 30
check "the screen: nothing was written" no_key "$MASTER"
screen_stop
for port in "${PORTS[@]}"; do
	kill_node "$port"
done

# --- a cluster -------------------------------------------------------------------------------------

free_ports 6
# Two seconds are nothing on a busy machine.
CLUSTER_NODE_TIMEOUT=5000
start_cluster "${PORTS[@]}"
masters() {
	cli "$1" cluster nodes | awk '/master/ && !/fail/ { sub(/@.*/, "", $2); sub(/.*:/, "", $2); print $2 }'
}
start_probe "${PORTS[0]}"
for port in $(masters "${PORTS[0]}"); do
	check "cluster: a key on the shard of $port" wait_for 60 "a key" has_key "$port"
done
DOWN=$(masters "${PORTS[0]}" | grep -v "^${PORTS[0]}$" | head -n 1)
kill_node "$DOWN"
shard_is_told() {
	saw_event "$EVENTS" -client-outage
}
check "cluster: the shard's outage ends" wait_for 120 "the end" shard_is_told
# The others are refused as well for a while: a shard without a master stops the whole cluster.
shard_told() {
	jq -rn --arg addr "127.0.0.1:$DOWN" 'first(inputs | select(.event == "+client-outage")) | .addr' "$EVENTS"
}
equal "cluster: the shard's own outage is told first" "127.0.0.1:$DOWN" "$(shard_told)"
longest_outage() {
	jq -rn '[inputs | select(.event == "-client-outage") | .detail | capture("^(?<s>[0-9.]+) s,").s |
		tonumber * 1000 | floor] | max // 0' "$EVENTS"
}
check "cluster: it lasts as long as the election takes" wait_for 120 "more than 1.5 s" \
	eval '[ "$(longest_outage)" -ge 1500 ]'
three_masters() {
	NEW=$(masters "${PORTS[0]}")
	[ "$(wc -w <<<"$NEW")" -eq 3 ]
}
wait_for 60 "three masters" three_masters
for port in $NEW; do
	check "cluster: a key on the shard of $port" wait_for 60 "a key" has_key "$port"
done
stop_probe
for port in $NEW; do
	wait_check 30 "cluster: the key on $port is gone" no_key "$port"
done

finish
