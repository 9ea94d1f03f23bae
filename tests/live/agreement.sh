#!/bin/bash
# Who agrees with whom, with real servers: a silent split brain made by hand, a Sentinel that is cut
# off from the others but not from here, settings that differ, and Sentinels too few for a failover.
# Each time on the screen, in the snapshot and in the events, and that it is over when it is over.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317,SC2016,SC2218
# shellcheck source-path=SCRIPTDIR source=lib.sh

# A network of its own where that is allowed: without it a Sentinel cannot be cut off.
if [ -z "${REDOUBT_IN_NAMESPACE:-}" ]; then
	for map in "" --map-root-user; do
		# shellcheck disable=SC2086 # no word, or one
		unshare $map --net --mount true 2>/dev/null || continue
		# shellcheck disable=SC2086
		REDOUBT_IN_NAMESPACE=1 exec unshare $map --net --mount bash "$0" "$@"
	done
fi
. "$(dirname "$0")/lib.sh"
need_redoubt
command -v tmux >/dev/null || skip_all "no tmux here"
[ -z "${REDOUBT_IN_NAMESPACE:-}" ] || ip link set lo up 2>/dev/null || skip_all "no ip here"

INTERVAL=2
JSON=$WORK/snapshot.json
free_ports 7
M=${PORTS[0]} R1=${PORTS[1]} R2=${PORTS[2]} OTHER=${PORTS[3]}
S1=${PORTS[4]} S2=${PORTS[5]} S3=${PORTS[6]}
HOST=127.0.0.1

linked() {
	[ "$(info_field "$1" replication master_link_status)" = up ]
}

snapshot() {
	redoubt --once --format json --timeout 3 "$TARGET" >"$JSON" 2>"$WORK/once.err"
	echo $? >"$WORK/once.status"
}

# agreement: "agree split_brain" of a snapshot made now.
agreement() {
	snapshot
	jq -r '.deployments[0].masters[0].agreement | "\(.agree) \(.split_brain)"' "$JSON"
}

# seen FILTER: of mymaster, in a snapshot made now.
seen() {
	snapshot
	jq -r ".deployments[0].masters[0] | $1" "$JSON"
}

# event_of EVENT ADDR FILTER: that one is in the stream, and the filter holds for it.
event_of() {
	jq -e -n --arg event "$1" --arg addr "$2" \
		"first(inputs | select(.event == \$event and .addr == \$addr) | select($3))" "$WORK/events"
}

# Of all that was said about agreement the last word is that it is there again.
dissent_is_over() {
	jq -e -n '[inputs | select(.event | endswith("disagreement")) | .event][-1] == "-disagreement"' "$WORK/events"
}

# on_screen TEXT REGEX: how long it took is told; that two rounds are enough, test_watch shows without a clock.
on_screen() {
	local began
	began=$(now_ms)
	check "$1" wait_screen "$2" 60
	echo "# $1: $(($(now_ms) - began)) ms, two intervals are $((2 * INTERVAL * 1000))"
}

start_node "$M"
start_node "$R1" "replicaof $HOST $M" "replica-priority 10"
start_node "$R2" "replicaof $HOST $M" "replica-priority 0"
start_node "$OTHER"
for port in "$R1" "$R2"; do
	wait_for 60 "replica is linked" linked "$port" || bail "replica $port synchronises"
done
for port in "$S1" "$S2" "$S3"; do
	start_sentinel "$port" "$M" 2 5000
done
for port in "$S1" "$S2" "$S3"; do
	wait_for 90 "Sentinel sees all" sentinel_is_settled "$port" 2 2 || bail "Sentinel $port sees all"
done
TARGET=$HOST:$S1
wait_equal 60 "at first all agree" "true false" agreement
wait_equal 60 "at first it can fail over" yes seen .readiness.verdict
start_events "$WORK/events" "$TARGET"

# --- what is always on the dashboard ---------------------------------------------------------------

screen_redoubt 80x24 -i "$INTERVAL" "$TARGET"
check "80x24: it can fail over, and to whom" wait_screen "failover ok: $HOST:$R1"
check "80x24: the candidate is marked" wait_screen "$HOST:$R1 +replica up, candidate"
screen_keys 6
check "agreement: all three" wait_screen "all 3 Sentinels agree"
check "agreement: the next master, and why" wait_screen "next: $HOST:$R1, the only one that can be promoted"
screen_keys G
check "agreement: who is passed over, and why" wait_screen "$HOST:$R2  passed over: replica-priority 0"
screen_keys g

# --- a silent split brain --------------------------------------------------------------------------

# The same name for another address on one Sentinel: nobody is told, and nothing goes down.
monitor_other() {
	scli "$S2" sentinel remove mymaster
	scli "$S2" sentinel monitor mymaster "$HOST" "$1" 2
	scli "$S2" sentinel set mymaster auth-pass "$PASSWORD" down-after-milliseconds 5000 failover-timeout 10000
}
monitor_other "$OTHER" >/dev/null
on_screen "split brain: it heads the screen" "^ CRITICAL +mymaster split brain: two masters named"
check "split brain: who names whom" wait_screen "$HOST:$OTHER \(says master\\) named by $HOST:$S2"
check "split brain: the cell is marked" wait_screen "≠$HOST:$OTHER"
screen_keys 1
check "split brain: the tree is that of most Sentinels" wait_screen "$HOST:$M +master +up"
check "split brain: a failover is doubtful" wait_screen "failover doubtful"
wait_equal 60 "split brain: in the snapshot" "false true" agreement
health_and_status() {
	snapshot
	echo "$(jq -r .health "$JSON") $(cat "$WORK/once.status")"
}
wait_equal 60 "split brain: health and exit status" "critical 2" health_and_status
wait_equal 60 "split brain: the view that stands alone" "$HOST:$S2" \
	seen '.agreement.views[] | select(.stands_alone_with | index("master")) | .sentinel'
in_text() {
	redoubt --once "$TARGET" >"$WORK/text" 2>&1
	grep -q "agreement  NO: split brain: two masters" "$WORK/text"
}
wait_check 60 "split brain: in text as well" in_text
wait_check 30 "+disagreement: critical, by the Sentinel that dissents, with its source" \
	event_of +disagreement "$HOST:$S2" '.severity == "critical" and (.sources | length) == 1'
monitor_other "$M" >/dev/null
wait_check 60 "repaired: -disagreement" dissent_is_over
check "repaired: all is well on the screen" wait_screen "^ ● OK" 90
wait_equal 60 "repaired: all agree" "true false" agreement

# --- a setting that differs ------------------------------------------------------------------------

for port in "$S1" "$S2" "$S3"; do
	wait_for 90 "Sentinel sees all" sentinel_is_settled "$port" 2 2 || bail "Sentinel $port sees all again"
done
screen_keys 6
check "all three again" wait_screen "all 3 Sentinels agree" 60
scli "$S3" sentinel set mymaster quorum 3 >/dev/null
on_screen "another quorum: who, what, and what most say" "$HOST:$S3 stands alone for .*: quorum 3"
wait_equal 60 "another quorum: is no split brain" "false false" agreement
wait_check 30 "another quorum: a warning" event_of +disagreement "$HOST:$S3" '.severity == "warning"'
scli "$S3" sentinel set mymaster quorum 2 >/dev/null
wait_check 60 "the quorum again: over" dissent_is_over

# --- too few Sentinels -----------------------------------------------------------------------------

screen_keys 1
check "it can fail over again" wait_screen "failover ok: $HOST:$R1" 60
pause_node "$S2"
pause_node "$S3"
check "too few Sentinels: none comes by itself" wait_screen "failover by hand only"
check "too few Sentinels: how many there are" wait_screen "1 of 3 Sentinels"
wait_equal 60 "too few Sentinels: in the snapshot" doubtful seen .readiness.verdict
screen_keys 6
check "a silent Sentinel: since when" wait_screen "silent: its word is ([4-9]|[1-9][0-9]+) s old"
resume_node "$S2"
resume_node "$S3"
screen_keys 1
# Both wake up with a clock that jumped by more than 2 s: TILT, for 30 s.
check "they are back: TILT is a reason" wait_screen "TILT"
screen_stop

# --- a Sentinel that is cut off --------------------------------------------------------------------

HERE=10.77.0.1
SEEN_FROM=10.77.0.9 # where redoubt comes from: this way stays open
THERE=10.77.0.2
[ -n "${REDOUBT_IN_NAMESPACE:-}" ] || { skip "namespaces are not allowed here: a partitioned Sentinel"; finish; }
command -v nsenter >/dev/null || { skip "no nsenter here: a partitioned Sentinel"; finish; }
unshare --net sleep 3600 </dev/null >/dev/null 2>&1 &
FAR_PID=$!
OTHER_PIDS+=("$FAR_PID")
disown
far() {
	nsenter --net="/proc/$FAR_PID/ns/net" "$@"
}
far_is_another() {
	[ "$(readlink /proc/self/ns/net)" != "$(readlink "/proc/$FAR_PID/ns/net")" ]
}
make_network() {
	ip link add near type veth peer name far && ip link set far netns "$FAR_PID" &&
		ip addr add "$HERE/24" dev near && ip addr add "$SEEN_FROM/24" dev near && ip link set near up &&
		far ip link set lo up && far ip addr add "$THERE/24" dev far && far ip link set far up &&
		ip route add "$THERE/32" dev near src "$SEEN_FROM"
}
wait_for 30 "the other namespace" far_is_another || { skip "no second network namespace"; finish; }
make_network 2>"$WORK/network" || { skip "no veth pair here: $(tail -n 1 "$WORK/network")"; finish; }

free_ports 6
M=${PORTS[0]} R1=${PORTS[1]} R2=${PORTS[2]} S1=${PORTS[3]} S2=${PORTS[4]} S3=${PORTS[5]}
# Sentinels of this side come from HERE, so that the other side can lose them.
at_cli() { # at_cli PASSWORD HOST PORT COMMAND...
	REDISCLI_AUTH=$1 timeout 5 "$REDIS_CLI" -h "$2" -p "$3" "${@:4}"
}
node_answers() {
	[ "$(at_cli "$PASSWORD" "$HERE" "$1" ping)" = PONG ]
}
host_of() {
	if [ "$1" = "$S3" ]; then echo "$THERE"; else echo "$HERE"; fi
}
scli() {
	at_cli "$SENTINEL_PASSWORD" "$(host_of "$1")" "$@"
}
info_field() {
	at_cli "$PASSWORD" "$HERE" "$1" info "$2" | tr -d '\r' | sed -n "s/^$3://p"
}
sentinel_at() {
	local port=$2
	mkdir -p "$WORK/$port"
	printf '%s\n' "bind $1" "bind-source-addr $1" "port $port" "dir ." "logfile node.log" \
		"requirepass $SENTINEL_PASSWORD" "sentinel sentinel-pass $SENTINEL_PASSWORD" \
		"sentinel monitor mymaster $HERE $M 2" "sentinel auth-pass mymaster $PASSWORD" \
		"sentinel down-after-milliseconds mymaster 3000" "sentinel failover-timeout mymaster 10000" \
		>"$WORK/$port/node.conf"
	launch_node "$port" --sentinel
	wait_for 30 "Sentinel on port $port answers" sentinel_answers "$port"
}
SERVER=$REDIS_SERVER
cat >"$WORK/far-server" <<-END
	#!/bin/sh
	exec nsenter --net=/proc/$FAR_PID/ns/net "$SERVER" "\$@"
END
chmod +x "$WORK/far-server"
start_node "$M" "bind $HERE"
start_node "$R1" "bind $HERE" "replicaof $HERE $M"
start_node "$R2" "bind $HERE" "replicaof $HERE $M"
for port in "$R1" "$R2"; do
	wait_for 60 "replica is linked" linked "$port" || bail "replica $port synchronises"
done
sentinel_at "$HERE" "$S1" || { skip "this server knows no bind-source-addr: a partitioned Sentinel"; finish; }
sentinel_at "$HERE" "$S2" || bail "the second Sentinel starts"
REDIS_SERVER=$WORK/far-server
sentinel_at "$THERE" "$S3" || bail "the Sentinel in the other network starts"
REDIS_SERVER=$SERVER
for port in "$S1" "$S2" "$S3"; do
	wait_for 90 "Sentinel sees all" sentinel_is_settled "$port" 2 2 || bail "Sentinel $port sees all"
done
TARGET=$HERE:$S1
screen_redoubt 100x30 -i "$INTERVAL" "$TARGET"
check "the set in two places: it can fail over" wait_screen "failover ok"
far ip route add blackhole "$HERE/32"
lost_them() {
	[[ $(sentinel_field "$S3" flags) == *s_down* ]]
}
check "cut off: the Sentinel has lost the rest" wait_for 60 "s_down" lost_them
screen_keys 6
check "cut off: it stands alone with its flags" wait_screen "$THERE:$S3 stands alone .*flags s_down"
failed_over() {
	[[ $(scli "$S1" sentinel failover mymaster) == OK ]] || [ "$(sentinel_master "$S1")" != "$HERE:$M" ]
}
# It takes the old master for down, so it may hold an epoch of its own tries: the others are asked.
wait_for 60 "a failover is taken" failed_over
switched() {
	[ "$(sentinel_master "$S1")" != "$HERE:$M" ] && [ "$(sentinel_master "$S2")" != "$HERE:$M" ]
}
wait_for 120 "the switch" switched || bail "the failover ends" "$(tail -n 5 "$WORK/$S1/node.log")"
wait_equal 30 "cut off: it names the old master" "$HERE:$M" sentinel_master "$S3"
on_screen "cut off: with the old master it stands alone" "$THERE:$S3 stands alone .*master $HERE:$M"
check "cut off: a split brain once the switch has settled" wait_screen "split brain: two masters named" 60
far ip route del blackhole "$HERE/32"
check "together again: all three agree" wait_screen "all 3 Sentinels agree" 120

finish
