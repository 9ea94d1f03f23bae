#!/bin/bash
# The network and the servers at their worst, in network namespaces of the test's own: nodes that
# vanish without a word and come back, states in which a server answers but does not serve, addresses
# that mean nothing here. Each time: what is said of the node, that the others are not touched by it,
# and that all is well once it is over.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317,SC2016
# shellcheck source-path=SCRIPTDIR source=lib.sh

# Everything from here on lives in namespaces that go with this process, whatever way it ends.
if [ -z "${REDOUBT_IN_NAMESPACE:-}" ]; then
	for map in "" --map-root-user; do
		# shellcheck disable=SC2086 # no word, or one
		unshare $map --net --mount true 2>/dev/null || continue
		# shellcheck disable=SC2086
		REDOUBT_IN_NAMESPACE=1 exec unshare $map --net --mount bash "$0" "$@"
	done
	echo "# skip namespaces are not allowed here"
	exit 77
fi
. "$(dirname "$0")/lib.sh"
need_redoubt
command -v tmux >/dev/null || skip_all "no tmux here"
{ command -v nsenter && command -v ip; } >/dev/null || skip_all "no nsenter or no ip here"

JSON=$WORK/snapshot.json
HERE=10.77.0.1      # this side
THERE=10.77.0.2     # the other one
ANNOUNCED=10.99.99.1 # an address of the other side to which nothing leads from here

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
wait_for 30 "the other namespace" far_is_another || skip_all "no second network namespace"
make_network() {
	ip link set lo up && ip link add near type veth peer name far &&
		ip link set far netns "$FAR_PID" && ip addr add "$HERE/24" dev near && ip link set near up &&
		far ip link set lo up && far ip addr add "$THERE/24" dev far && far ip link set far up &&
		far ip addr add "$ANNOUNCED/32" dev lo
}
make_network 2>"$WORK/network" || skip_all "no veth pair here: $(tail -n 1 "$WORK/network")"

# What goes from here arrives; what should come back is lost: no FIN, no RST, no ICMP.
black_hole() {
	far ip route add blackhole "$HERE/32"
}

heal() {
	far ip route del blackhole "$HERE/32"
}

# --- servers on both sides -------------------------------------------------------------------------

declare -A HOST # port: the address it is at
SERVER=$REDIS_SERVER
cat >"$WORK/far-server" <<-END
	#!/bin/sh
	exec nsenter --net=/proc/$FAR_PID/ns/net "$SERVER" "\$@"
END
chmod +x "$WORK/far-server"

# Always from the server's own side, whatever lies between.
cli() {
	local port=$1
	shift
	at_side "$port" env REDISCLI_AUTH="$PASSWORD" timeout 10 "$REDIS_CLI" -h "${HOST[$port]:-127.0.0.1}" -p "$port" "$@"
}

scli() {
	local port=$1
	shift
	at_side "$port" env REDISCLI_AUTH="$SENTINEL_PASSWORD" timeout 10 "$REDIS_CLI" -h "${HOST[$port]:-127.0.0.1}" -p "$port" "$@"
}

is_far() {
	[[ ${HOST[$1]:-} == "$THERE" || ${HOST[$1]:-} == "$ANNOUNCED" ]]
}

at_side() {
	local port=$1
	shift
	if is_far "$port"; then far "$@"; else "$@"; fi
}

use_side() {
	REDIS_SERVER=$SERVER
	if is_far "$1"; then REDIS_SERVER=$WORK/far-server; fi
}

# What is announced is not all that it listens on.
binds() {
	if [ "${HOST[$1]}" = "$ANNOUNCED" ]; then echo "$ANNOUNCED $THERE"; else echo "${HOST[$1]}"; fi
}

# start_at HOST PORT [LINE...]
start_at() {
	local port=$2
	HOST[$port]=$1
	use_side "$port"
	shift 2
	start_node "$port" "bind $(binds "$port")" "$@"
}

# sentinel_at HOST PORT MASTER_HOST MASTER_PORT DOWN_AFTER_MS
sentinel_at() {
	local port=$2
	HOST[$port]=$1
	use_side "$port"
	mkdir -p "$WORK/$port"
	printf '%s\n' "bind $(binds "$port")" "port $port" "dir ." "logfile node.log" \
		"requirepass $SENTINEL_PASSWORD" "sentinel sentinel-pass $SENTINEL_PASSWORD" \
		"sentinel monitor mymaster $3 $4 2" "sentinel auth-pass mymaster $PASSWORD" \
		"sentinel down-after-milliseconds mymaster $5" "sentinel failover-timeout mymaster 10000" \
		>"$WORK/$port/node.conf"
	launch_node "$port" --sentinel
	wait_for 30 "Sentinel on port $port answers" sentinel_answers "$port" ||
		bail "Sentinel on port $port starts" "$(tail -n 5 "$WORK/$port/node.log" 2>&1)"
}

again() {
	use_side "$1"
	restart_node "$@"
}

linked() {
	[ "$(info_field "$1" replication master_link_status)" = up ]
}

# --- what is said ----------------------------------------------------------------------------------

snapshot() {
	redoubt --once --format json --timeout 1 "$@" >"$JSON" 2>"$WORK/once.err"
	echo $? >"$WORK/once.status"
}

# node ADDR: "status error"
node() {
	jq -r --arg addr "$1" '.deployments[].nodes[] | select(.addr == $addr) | "\(.status) \(.error // "-")"' "$JSON"
}

# says ADDR REGEX TARGET...: in a snapshot, "status error" of that node.
says() {
	local addr=$1 regex=$2
	shift 2
	snapshot "$@"
	node "$addr" | grep -Eq -- "$regex" || { node "$addr"; return 1; }
}

# says_alone ADDR REGEX TARGET...: and all others are up.
says_alone() {
	says "$@" && others_are_up "$1"
}

# others_are_up ADDR...: all but these are up without an error, in the last snapshot.
others_are_up() {
	jq -e '$ARGS.positional as $bad | [.deployments[].nodes[] |
		select(.addr as $a | $bad | index($a) | not)] |
		length > 0 and all(.status == "up" and .error == null)' "$JSON" --args "$@"
}

all_are_up() {
	snapshot "$@"
	others_are_up none && [ "$(cat "$WORK/once.status")" -eq 0 ]
}

# --- a Sentinel set, part of it on the other side --------------------------------------------------

free_ports 6
M=${PORTS[0]} R1=${PORTS[1]} R2=${PORTS[2]} S1=${PORTS[3]} S2=${PORTS[4]} S3=${PORTS[5]}
start_at "$HERE" "$M" "save \"\""
start_at "$HERE" "$R1" "replicaof $HERE $M"
start_at "$THERE" "$R2" "replicaof $HERE $M"
for port in "$R1" "$R2"; do
	wait_for 60 "replica is linked" linked "$port" || bail "replica $port synchronises"
done
sentinel_at "$HERE" "$S1" "$HERE" "$M" 6000
sentinel_at "$HERE" "$S2" "$HERE" "$M" 6000
sentinel_at "$THERE" "$S3" "$HERE" "$M" 6000
for port in "$S1" "$S2" "$S3"; do
	wait_for 120 "Sentinel sees all" sentinel_is_settled "$port" 2 2 || bail "Sentinel $port sees all"
done
TARGET=$HERE:$S1
wait_check 90 "all is well at first" all_are_up "$TARGET"

# --- a black hole ----------------------------------------------------------------------------------

screen_start 140x40 "$REDOUBT" --pass-file "$PASS_FILE" --sentinel-pass-file "$SENTINEL_PASS_FILE" \
	--timeout 1 --log "$WORK/log" "$TARGET"
check "the screen has the far replica" wait_screen "$THERE:$R2 +replica +up" 30
black_hole
check "black hole: no reply for N s, on the screen" \
	wait_screen "$THERE:$R2 +replica +.*no reply for [0-9]+ s|$THERE:$R2 +replica +down .*no reply" 30
# At once it is seen by whoever waits for a reply, a little later by all.
far_side_is_lost() {
	snapshot "$TARGET"
	[ "$(cat "$WORK/once.status")" -le 2 ] &&
		grep -Eq '^(down|unreachable) .*(no reply|no connection)' <(node "$THERE:$R2") &&
		grep -Eq '^(down|unreachable) .*(no reply|no connection)' <(node "$THERE:$S3") &&
		others_are_up "$THERE:$R2" "$THERE:$S3"
}
wait_check 60 "black hole: --once ends, has the far replica and the far Sentinel, and the others are up" far_side_is_lost
echo "# $(node "$THERE:$R2"); $(node "$THERE:$S3")"
equal "black hole: the Sentinels that are reached" "3 2" \
	"$(jq -r '.deployments[0].masters[0].sentinels | "\(.known) \(.reachable)"' "$JSON")"
kill_node "$R1"
check "black hole: what happens on this side is seen meanwhile" \
	wait_screen "$HERE:$R1 +replica +(down|not reachable|link)" 30
again "$R1"
check "black hole: and its end" wait_screen "$HERE:$R1 +replica +up" 60

# Cut off, it misses a failover.
# flags_of ADDR: of a replica, as the first Sentinel has them.
flags_of() {
	scli "$S1" sentinel replicas mymaster | awk -v addr="$1" '
		before == "name" { mine = $0 == addr } before == "flags" && mine { print } { before = $0 }'
}
failover_is_taken() {
	[[ $(flags_of "$THERE:$R2") == *s_down* ]] && [ "$(flags_of "$HERE:$R1")" = slave ] &&
		[ "$(scli "$S1" sentinel failover mymaster)" = OK ]
}
wait_for 120 "a replica that could be promoted" failover_is_taken ||
	bail "a failover is taken" "$(scli "$S1" sentinel failover mymaster 2>&1)"
check "a partitioned Sentinel: the failover goes on without it" wait_screen "$HERE:$R1 +master +up" 120
old_is_back() {
	[ "$(sentinel_master "$S2")" = "$HERE:$R1" ] && linked "$M"
}
wait_for 120 "the old master follows" old_is_back
equal "a partitioned Sentinel: it names the old master" "$HERE:$M" "$(sentinel_master "$S3")"
heal
check "after the partition: the far replica is up again" wait_screen "$THERE:$R2 +replica +up" 120
agree_again() {
	all_are_up "$TARGET" && [ "$(jq -r '.deployments[0].masters[0] |
		"\(.agreement.agree) \(.sentinels.reachable) \(.addr)"' "$JSON")" = "true 3 $HERE:$R1" ]
}
wait_check 180 "after the partition: all three agree" agree_again

# --- a half-open link ------------------------------------------------------------------------------

# The FIN of the killed one never arrives.
black_hole
kill_node "$R2"
check "half-open: no reply, by our own deadline" wait_screen "$THERE:$R2 +.*no reply" 30
heal
check "half-open: refused, once packets come back" wait_screen "$THERE:$R2 +.*(refused|reset)" 60
again "$R2"
check "half-open: up when the server is" wait_screen "$THERE:$R2 +replica +up" 60
logged_twice() {
	[ "$(grep -c "[+-]link-lost .*$THERE:$R2" "$WORK/log")" -ge 4 ]
}
wait_check 30 "the log has it, lost and back" logged_twice

# --- TILT ------------------------------------------------------------------------------------------

# sentinel.c:sentinelCheckTiltCondition: 2 s without a turn of its timer, and it does not act for 30 s.
pause_node "$S2"
PAUSED=$(now_ms)
wait_check 60 "a stopped Sentinel: no reply, in the JSON" says "$HERE:$S2" '^(unreachable|down) .*no reply' "$TARGET"
long_enough() {
	[ $(($(now_ms) - PAUSED)) -gt 3000 ]
}
wait_for 10 "three seconds" long_enough
resume_node "$S2"
tilt_is() {
	snapshot "$TARGET"
	[ "$(jq -r --arg addr "$HERE:$S2" '.deployments[0].sentinels[] | select(.addr == $addr) | .tilt' "$JSON")" = "$1" ]
}
tilt_is_a_warning() {
	tilt_is true && [ "$(cat "$WORK/once.status")" -eq 1 ]
}
wait_check 20 "TILT: in the JSON, as a warning" tilt_is_a_warning
check "TILT: on the screen" wait_screen 'TILT' 20
TILT_BEGAN=$(now_ms)

# --- BUSY ------------------------------------------------------------------------------------------

cli "$R2" config set lua-time-limit 100 >/dev/null
cli "$R2" eval 'while true do end' 0 >/dev/null 2>&1 &
OTHER_PIDS+=($!)
disown
wait_check 60 "BUSY: in the JSON, and the others are up" says_alone "$THERE:$R2" '^up info: BUSY ' "$TARGET"
check "BUSY: on the screen" wait_screen "$THERE:$R2 +replica +.*BUSY" 30
cli "$R2" script kill >/dev/null
check "BUSY: over when the script is" wait_screen "$THERE:$R2 +replica +up" 60

# --- LOADING ---------------------------------------------------------------------------------------

# Two milliseconds for each of so many keys is long enough to be seen, and then there are none. It answers
# once in a hundred keys or so.
cli "$R2" config set dbfilename slow.rdb >/dev/null
cli "$R1" eval 'for i = 1, 30000 do redis.call("set", "k" .. i, i) end' 0 >/dev/null
r2_has_all() {
	[ "$(cli "$R2" dbsize)" -ge 30000 ]
}
wait_for 60 "the replica has all" r2_has_all
cli "$R2" save >/dev/null
kill_node "$R2"
again "$R2" --dbfilename slow.rdb --key-load-delay 2000 --loading-process-events-interval-bytes 1024
wait_check 50 "LOADING: in the JSON, and the others are up" says_alone "$THERE:$R2" '^loading ' "$TARGET"
check "LOADING: on the screen" wait_screen "$THERE:$R2 +replica +.*[Ll][Oo][Aa][Dd][Ii][Nn][Gg]" 50
cli "$R2" config set key-load-delay 0 >/dev/null
check "LOADING: up when it is done" wait_screen "$THERE:$R2 +replica +up" 120

# --- MASTERDOWN ------------------------------------------------------------------------------------

free_ports 2
A=${PORTS[0]} B=${PORTS[1]}
start_at "$THERE" "$A"
start_at "$THERE" "$B" "replicaof $THERE $A" "replica-serve-stale-data no"
wait_for 60 "replica is linked" linked "$B" || bail "replica $B synchronises"
kill_node "$A"
# Without a password the greeting is a PING, which such a replica refuses.
cli "$B" config set requirepass "" protected-mode no >/dev/null
masterdown() {
	[[ $(far "$REDIS_CLI" -h "$THERE" -p "$B" ping) == MASTERDOWN* ]]
}
wait_for 60 "MASTERDOWN" masterdown
link_is() {
	[ "$(jq -r '.deployments[0].masters[0].replicas[0].link' "$JSON")" = "$1" ]
}
serves_nothing() {
	says "$THERE:$B" '^up -' "$THERE:$B" && link_is down &&
		grep -Eq '^(unreachable|down) .*refused' <(node "$THERE:$A")
}
wait_check 60 "MASTERDOWN: it answers nevertheless, its link is down, its master is not reached" serves_nothing
again "$A"
masterdown_is_over() {
	snapshot "$THERE:$B"
	others_are_up none && link_is up
}
wait_check 90 "MASTERDOWN: over when the master is back" masterdown_is_over

# --- turned away -----------------------------------------------------------------------------------

cli "$A" config set protected-mode yes requirepass "" >/dev/null
wait_check 30 "protected mode: named" says "$THERE:$A" 'protected mode: .*DENIED' "$THERE:$A"
kill_node "$A"
again "$A"
wait_for 30 "it answers" node_answers "$A"
cli "$A" config set maxclients 1 >/dev/null
# Its replica is there already, or comes back first, and stays.
nobody_gets_in() {
	[[ $(cli "$A" ping 2>&1) == *"max number of clients"* ]]
}
wait_for 60 "nobody gets in" nobody_gets_in
wait_check 30 "maxclients: named" says "$THERE:$A" 'max number of clients' "$THERE:$A"
kill_node "$B"
wait_check 60 "maxclients: up once there is room" says "$THERE:$A" '^up ' "$THERE:$A"
kill_node "$A"

# --- addresses that mean nothing here --------------------------------------------------------------

free_ports 5
A=${PORTS[0]} B=${PORTS[1]} C=("${PORTS[@]:2:3}")
start_at "$ANNOUNCED" "$A"
start_at "$ANNOUNCED" "$B" "replicaof $ANNOUNCED $A"
wait_for 60 "replica is linked" linked "$B" || bail "replica $B synchronises"
for port in "${C[@]}"; do
	sentinel_at "$ANNOUNCED" "$port" "$ANNOUNCED" "$A" 6000
done
for port in "${C[@]}"; do
	wait_for 120 "Sentinel sees all" sentinel_is_settled "$port" 1 2 || bail "Sentinel $port sees all"
done
wait_check 60 "announced elsewhere: the master is not reached" \
	says "$ANNOUNCED:$A" '^unreachable ' "$THERE:${C[0]}"
screen_start 160x40 "$REDOUBT" --pass-file "$PASS_FILE" --sentinel-pass-file "$SENTINEL_PASS_FILE" \
	--timeout 1 "$THERE:${C[0]}"
wait_screen '┌ Topology' 30
screen_keys 2
check "announced elsewhere: the --map line that would help" \
	wait_screen "--map $ANNOUNCED:$A=$THERE:$A" 60
screen_stop
# all_of_it ARGUMENT...: five nodes, and all three Sentinels.
all_of_it() {
	all_are_up "$@" && [ "$(jq -r '"\(.deployments | length) \(.deployments[0].nodes | length) " +
		(.deployments[0].masters[0].sentinels | "\(.known) \(.reachable)")' "$JSON")" = "1 5 3 3" ]
}
wait_check 60 "with --map all is watched, no node twice, three Sentinels of three" \
	all_of_it --map "$ANNOUNCED=$THERE" "$THERE:${C[0]}"
equal "with --map: under the announced addresses" "$ANNOUNCED:$A master up, $ANNOUNCED:$B replica up" \
	"$(jq -r '[.deployments[0].nodes[] | select(.role != "sentinel") | "\(.addr) \(.role) \(.status)"] | sort | join(", ")' "$JSON" |
		awk -v a="$ANNOUNCED:$A master up" -v b="$ANNOUNCED:$B replica up" '$0 == b ", " a { print a ", " b; next } { print }')"
wait_check 60 "with a --map line each: the same" all_of_it --map "$ANNOUNCED:$A=$THERE:$A" --map "$ANNOUNCED:$B=$THERE:$B" \
	--map "$ANNOUNCED:${C[0]}=$THERE:${C[0]}" --map "$ANNOUNCED:${C[1]}=$THERE:${C[1]}" \
	--map "$ANNOUNCED:${C[2]}=$THERE:${C[2]}" "$THERE:${C[0]}"

# --- full disks ------------------------------------------------------------------------------------

# Only this namespace has it; still it must go before the folder it is in.
trap 'umount -l "$WORK/disk" 2>/dev/null; cleanup' EXIT
if mkdir "$WORK/disk" && mount -t tmpfs -o size=16k none "$WORK/disk" 2>/dev/null; then
	screen_start 140x40 "$REDOUBT" --pass-file "$PASS_FILE" --sentinel-pass-file "$SENTINEL_PASS_FILE" \
		--log "$WORK/disk/log" "$TARGET"
	check "full disk: the screen is there" wait_screen "$THERE:$R2 +replica +up" 60
	check "full disk: nothing is said before" eval '! screen_has "LOG FAILS"'
	head -c 1000000 /dev/zero >"$WORK/disk/filler" 2>/dev/null
	cause_events() {
		scli "$S1" sentinel set mymaster parallel-syncs 1 >/dev/null
		screen_has 'LOG FAILS'
	}
	wait_check 60 "full disk: LOG FAILS, on the screen" cause_events
	kill_node "$R2"
	check "full disk: watching goes on" wait_screen "$THERE:$R2 +replica +.*(refused|lost|down|reset)" 30
	again "$R2"
	rm "$WORK/disk/filler"
	check "full disk: and sees the return" wait_screen "$THERE:$R2 +replica +up" 60
	screen_stop
else
	skip "no tmpfs can be mounted here: a full disk under --log"
fi
timeout 120 "$REDOUBT" --pass-file "$PASS_FILE" --sentinel-pass-file "$SENTINEL_PASS_FILE" --events "$TARGET" \
	>/dev/full 2>"$WORK/err" </dev/null &
EVENTS_PID=$!
OTHER_PIDS+=("$EVENTS_PID")
events_ended() {
	scli "$S1" sentinel set mymaster parallel-syncs 1 >/dev/null
	is_gone "$EVENTS_PID"
}
wait_check 90 "--events to a full disk ends" events_ended
wait "$EVENTS_PID"
equal "--events to a full disk: status" 74 $?
equal "--events to a full disk: one line says why" "1 1" \
	"$(wc -l <"$WORK/err") $(grep -c 'No space left' "$WORK/err")"

# --- the end of TILT -------------------------------------------------------------------------------

sentinel_acts() {
	[ $(($(now_ms) - TILT_BEGAN)) -gt 30000 ] && tilt_is false
}
wait_check 120 "TILT: over after its 30 s" sentinel_acts
wait_check 120 "all is well at the end" all_are_up "$TARGET"

finish
