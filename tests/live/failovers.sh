#!/bin/bash
# Failovers of a real set, by hand and by kill -9: whom the forecast named before against whom the
# Sentinels promoted, and the record that redoubt kept of each against the Sentinels' own logs.
#
#     failovers.sh [MANUAL [CRASH]]     how many of each; 2 and 1
#
# Replicas have priorities of their own, and one of them may be paused, cut off from the master for a
# while or for long, barred by priority 0, or equal to another.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317,SC2016
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_redoubt

MANUAL=${1:-2}
CRASH=${2:-1}
DOWN_AFTER_MS=2000
FAILOVER_TIMEOUT_MS=3000
# How near a phase by redoubt's clock is to the log's is printed; on a quiet machine LIMIT_MS=100 judges it.
# No load makes it as much as this: only a clock that is wrong.
LIMIT_MS=${LIMIT_MS:-30000}
export TZ=UTC             # of the logs

free_ports 7
D=("${PORTS[@]:0:4}")
S=("${PORTS[@]:4:3}")
MASTER=${D[0]}
declare -A PRIORITY
for port in "${D[@]}"; do
	PRIORITY[$port]=100
done
DIFFERENCES=$WORK/differences # ms, what, round
: >"$DIFFERENCES"
: >"$WORK/answer"
NAMED=0 RIGHT=0

# --- the set ---------------------------------------------------------------------------------------

replicas_of_master() {
	local port
	for port in "${D[@]}"; do
		[ "$port" = "$MASTER" ] || echo "$port"
	done
}

# What a Sentinel says of each replica: port, flags, priority, link, master.
seen_by() {
	scli "$1" sentinel replicas mymaster | awk '
		NR % 2 == 1 { key = $0; next }
		key == "name" && port { print port, flags, priority, link, master }
		{ value = $0 }
		key == "port" { port = value } key == "flags" { sub(/s_down,slave,disconnected/, "s_down,slave"); flags = $0 }
		key == "slave-priority" { priority = value } key == "master-link-status" { link = value }
		key == "master-port" { master = value }
		END { if (port) print port, flags, priority, link, master }' | sort
}

# is_seen FLAGS LINK PORT: that replica by every Sentinel, all others without fault.
is_seen() {
	local sentinel expected port
	expected=$(for port in $(replicas_of_master); do
		if [ "$port" = "${3:-}" ]; then
			echo "$port $1 ${PRIORITY[$port]} $2 $MASTER"
		else
			echo "$port slave ${PRIORITY[$port]} ok $MASTER"
		fi
	done | sort)
	for sentinel in "${S[@]}"; do
		[ "$(sentinel_field "$sentinel" flags)" = master ] || return 1
		[ "$(sentinel_field "$sentinel" num-other-sentinels)" = 2 ] || return 1
		[ "$(seen_by "$sentinel")" = "$expected" ] || return 1
	done
}

is_settled() {
	is_seen slave ok
}

link_is_down_for() {
	local sentinel
	for sentinel in "${S[@]}"; do
		[ "$(scli "$sentinel" sentinel replicas mymaster | awk -v port="$1" '
			NR % 2 == 1 { key = $0; next }
			key == "name" { mine = ($0 ~ ":" port "$") }
			mine && key == "master-link-down-time" { print $0 }')" -gt "$2" ] || return 1
	done
}

prioritise() {
	local port i=0 all=(10 20 30)
	[ "$1" != equal ] || all=(20 20 20)
	[ "$1" != barred ] || all=(0 20 30)
	for port in $(replicas_of_master | shuf); do
		PRIORITY[$port]=${all[i]}
		[ "$i" -ne 0 ] || FIRST=$port
		i=$((i + 1))
		cli "$port" config set replica-priority "${PRIORITY[$port]}" >/dev/null
	done
}

# The first choice is the one that something happens to.
disturb() {
	case $1 in
	paused)
		pause_node "$FIRST"
		wait_for 60 "the pause is seen" is_seen s_down,slave ok "$FIRST"
		;;
	cut | cut-long)
		cli "$FIRST" config set masterauth wrong >/dev/null
		cli "$MASTER" client kill type replica >/dev/null
		wait_for 90 "the cut is seen" is_seen slave err "$FIRST" || return
		[ "$1" = cut ] || wait_for 90 "it is too long" link_is_down_for "$FIRST" $((DOWN_AFTER_MS * 10 + 4000))
		;;
	esac
}

undisturb() {
	case $1 in
	paused) resume_node "$FIRST" ;;
	cut | cut-long) cli "$FIRST" config set masterauth "$PASSWORD" >/dev/null ;;
	esac
}

# --- a round ---------------------------------------------------------------------------------------

# start_recording FILE
start_recording() {
	local sentinel
	"$REDOUBT" --pass-file "$PASS_FILE" --sentinel-pass-file "$SENTINEL_PASS_FILE" --events \
		--record "$1" "127.0.0.1:${S[0]}" >"$WORK/events" 2>"$WORK/events.err" </dev/null &
	RECORDER=$!
	OTHER_PIDS+=("$RECORDER")
	disown
	for sentinel in "${S[@]}"; do
		wait_for 60 "redoubt listens" is_listened_to "$sentinel" || return
	done
}

is_listened_to() {
	scli "$1" client list type pubsub | grep -q "psub=[1-9]"
}

start_load() {
	REDISCLI_AUTH=$PASSWORD "$REDIS_CLI" -h 127.0.0.1 -p "$MASTER" -r -1 -i 0.02 incr load \
		>/dev/null 2>&1 </dev/null &
	LOAD=$!
	OTHER_PIDS+=("$LOAD")
	disown
}

log_begin() {
	local port
	for port in "${S[@]}"; do
		LOG_LINES[port]=$(wc -l <"$WORK/$port/node.log")
	done
}

# The Sentinels' words of this round: their address, UTC, ms, event, the rest.
log_words() {
	local port
	for port in "${S[@]}"; do
		tail -n +$((LOG_LINES[port] + 1)) "$WORK/$port/node.log" | awk -v sentinel="127.0.0.1:$port" '
			/^[0-9]+:X / && $7 ~ /^[-+]/ {
				split($5, at, ".")
				month = (index("JanFebMarAprMayJunJulAugSepOctNovDec", $3) + 2) / 3
				rest = $0
				sub(/^.* [#*.-] [-+][^ ]* */, "", rest)
				printf "%s\t%04d-%02d-%02dT%sZ\t%d\t%s\t%s\n", sentinel, $4, month, $2, at[1],
					at[2], $7, rest
			}'
	done
}

declare -a LOG_LINES

all_name_another() {
	local port named
	NEW=$(sentinel_master "${S[0]}")
	[ -n "$NEW" ] && [ "$NEW" != "127.0.0.1:$MASTER" ] || return 1
	for port in "${S[@]}"; do
		named=$(sentinel_master "$port")
		[ "$named" = "$NEW" ] || return 1
		[ "$(sentinel_field "$port" flags)" = master ] || return 1
	done
	log_words | cut -f 4 | grep -q '^+failover-end$'
}

is_replica() {
	[ "$(info_field "$1" replication role)" = slave ]
}

# compare_phases ROUND [SHIFT_MS]: the record against the logs, one line a difference: ms, what, round. With
# a shift the logs' clocks are wrong by that.
compare_phases() {
	"$REDOUBT" --replay "$WORK/round.rec" --once --format json >"$WORK/replayed.json" 2>"$WORK/replayed.err"
	log_words >"$WORK/words"
	jq -r --arg round "$1" --argjson shift "${2:-0}" --rawfile words "$WORK/words" "$COMPARE" "$WORK/replayed.json"
}

# A difference of null is something that only one of the two has, or an order that cannot be: the leader
# says one after the other, and what it says comes in that order.
COMPARE='
def ms: (sub("\\.[0-9]+Z$"; "Z") | fromdate * 1000) +
	(capture("\\.(?<f>[0-9]{3})Z$").f | tonumber);
[$words | split("\n")[] | select(length > 0) | split("\t") |
	{ by: .[0], at: ((.[1] | fromdate * 1000) + (.[2] | tonumber) + $shift), event: .[3], rest: .[4] }] as $log |
def said($event; $by; $rest): [$log[] |
	select(.event == $event and ($by == "" or .by == $by) and (.rest | startswith($rest))) | .at];
def nearest($to): if length == 0 then null else min_by(. - $to | fabs) end;
.deployments[0].failovers as $all |
if ($all | length) == 0 then "null no-record \($round)" else
$all[] | . as $f | (.time | ms) as $begin |
(.phases | map({ key: .phase, value: ($begin + .at_ms) }) | from_entries) as $phase |
def leads($event): said($event; $f.leader; "");
[ ({ "started": leads("+try-failover"), "elected": leads("+elected-leader"),
     "replica selected": leads("+selected-slave"),
     "promoting": leads("+failover-state-wait-promotion"), "promoted": leads("+promoted-slave"),
     "ended": leads("+failover-end"),
     "given up": [$log[] | select(.by == $f.leader and (.event | startswith("-failover-abort"))) | .at],
     "sdown": ([said("+sdown"; ""; "master ") | min] | map(values)),
     "odown": ([said("+odown"; ""; "master ") | min] | map(values)),
     "announced": ([said("+switch-master"; ""; "") | min] | map(values)),
     "all agree": ([said("+switch-master"; ""; "") | max] | map(values)) } | to_entries[] |
     select($phase[.key] and (.key != "given up" or (($f.abort_reason // "") | startswith("-")))) | { what: .key, of: $phase[.key], log: .value }),
  ($f.observers[] | . as $o |
     { sdown: [$o.sdown_ms, said("+sdown"; $o.addr; "master ")],
       odown: [$o.odown_ms, said("+odown"; $o.addr; "master ")],
       vote: [$o.voted_ms, said("+vote-for-leader"; $o.addr; "")],
       switch: [$o.switched_ms, said("+switch-master"; $o.addr; "")] } | to_entries[] |
     select(.value[0]) | { what: "\(.key) by \($o.addr)", of: ($begin + .value[0]), log: .value[1] }),
  ($f.replicas[] | . as $r |
     { told: [$r.told_ms, said("+slave-reconf-sent"; $f.leader; "slave \($r.addr) ")],
       follows: [$r.follows_ms, said("+slave-reconf-done"; $f.leader; "slave \($r.addr) ")] } |
     to_entries[] | select(.value[0]) |
     { what: "\(.key) \($r.addr)", of: ($begin + .value[0]), log: .value[1] }),
  (select($f.aborted | not) | ["started", "elected", "replica selected", "promoting", "writable",
     "promoted", "announced", "all agree", "ended"][] | select($phase[.] == null) |
     { what: "no \(.)", of: 0, log: [] }),
  ([["started", "elected", "replica selected", "promoting", "promoted", "ended"][] | $phase[.] | values] |
     select(. != sort) | { what: "phases in another order: \(.)", of: 0, log: [] })
] | .[] | .of as $of | (.log | nearest($of)) as $log_ms |
"\(if $log_ms then ($of - $log_ms | fabs) else null end) \(.what | gsub(" "; "-")) \($round)" end'

# The record with the new master, as the log names it; and the time in which nobody took writes.
compare_outcome() {
	jq -r --arg new "$1" '.deployments[0].failovers | map(select(.aborted | not)) |
		if length == 1 and .[0].new_master == $new then "ok \(.[0].unwritable_ms) \(.[0].total_ms)"
		else "\(length) records, \(map(.new_master) | join(" "))" end' "$WORK/replayed.json"
}

take_differences() {
	local round=$1 worst
	compare_phases "$round" >"$WORK/round.differences"
	cat "$WORK/round.differences" >>"$DIFFERENCES"
	if grep -q '^null' "$WORK/round.differences"; then
		fail "round $round: the record has what the logs have" "$(grep '^null' "$WORK/round.differences")"
		return
	fi
	worst=$(sort -n "$WORK/round.differences" | tail -n 1)
	if [ "${worst%% *}" -le "$LIMIT_MS" ]; then
		pass "round $round: $(wc -l <"$WORK/round.differences") moments as the logs"
		echo "# round $round: worst, ms: ${worst% *}"
	else
		fail "round $round: every phase within $LIMIT_MS ms" "$(sort -rn "$WORK/round.differences" | head -n 5)"
	fi
	compare_phases "$round" 3600000 >"$WORK/shifted.differences"
	worst=$(sort -n "$WORK/shifted.differences" | grep -v '^null' | head -n 1)
	check "round $round: a clock that is wrong by an hour is seen" [ "${worst%% *}" -gt "$LIMIT_MS" ]
}

# There all but one are passed over, whatever the offsets.
has_one_choice() {
	case $1 in plain | paused | barred) ;; *) false ;; esac
}

# names_one KIND: sets FORECAST.
names_one() {
	redoubt --once --format json "127.0.0.1:${S[0]}" >"$WORK/before.json" 2>"$WORK/before.err"
	FORECAST=$(jq -r --arg kind "$1" '.deployments[0].masters[0].forecast |
		if $kind == "manual" then .manual else . end | .candidate' "$WORK/before.json")
	[ -n "$FORECAST" ] && [ "$FORECAST" != null ]
}

no_forecast_why() {
	jq -r '.deployments[0].masters[0].forecast | "by hand: \(.manual.why); crash: \(.why)"' "$WORK/before.json"
}

is_taken() {
	scli "${S[RANDOM % 3]}" sentinel failover mymaster >"$WORK/answer" 2>&1
	grep -q '^OK' "$WORK/answer"
}

fail_over() {
	if [ "$1" = crash ]; then
		kill_node "$MASTER"
	else
		# Right after another change it may be refused for a moment.
		wait_for 30 "a failover is taken" is_taken
	fi
}

old_master_back() {
	if [ "$1" = crash ]; then
		start_node "$2" "replicaof 127.0.0.1 $MASTER"
	else
		wait_for 150 "the old master is demoted" is_replica "$2" || fail "the old master is demoted"
		wait_for 60 "redoubt sees it" grep -q "role-changed.*127.0.0.1:$2.*master -> replica" "$WORK/events"
	fi
}

run_round() {
	local round=$1 kind=$2 scene=$3 old outcome
	prioritise "$scene"
	wait_for 150 "the Sentinels know all" is_settled ||
		bail "round $round: the set settles" "$(for port in "${S[@]}"; do seen_by "$port"; done)"
	disturb "$scene" || bail "round $round: $FIRST is $scene" "$(seen_by "${S[0]}")"
	log_begin
	start_recording "$WORK/round.rec" || bail "round $round: redoubt listens" "$(cat "$WORK/events.err")"
	start_load
	# Elsewhere a replica may be as good as another, or its link too old at any moment.
	if has_one_choice "$scene"; then
		wait_check 60 "round $round ($kind, $scene): the forecast names one" names_one "$kind"
	else
		names_one "$kind"
	fi
	fail_over "$kind"
	if ! wait_for 150 "all name another master" all_name_another; then
		fail "round $round ($kind, $scene): it fails over" "$(cat "$WORK/answer")" "$(log_words | tail)"
		signal_child TERM "$RECORDER"
		signal_child TERM "$LOAD"
		[ "$kind" = crash ] && start_node "$MASTER"
		undisturb "$scene"
		return
	fi
	old=$MASTER
	MASTER=${NEW##*:}
	undisturb "$scene"
	old_master_back "$kind" "$old"
	wait_for 60 "redoubt has heard the end" grep -q ' +failover-end ' "$WORK/events"
	signal_child TERM "$RECORDER"
	signal_child TERM "$LOAD"
	wait_for 60 "the recording ends" is_gone "$RECORDER"
	if [ "$FORECAST" = null ] || [ -z "$FORECAST" ]; then
		echo "# round $round ($kind, $scene): no forecast: $(no_forecast_why)"
	else
		NAMED=$((NAMED + 1))
		[ "$FORECAST" != "$NEW" ] || RIGHT=$((RIGHT + 1))
		equal "round $round ($kind, $scene): the forecast was right" "$FORECAST" "$NEW"
		[ "$FORECAST" = "$NEW" ] || jq -c '.deployments[0].masters[0].forecast' "$WORK/before.json"
	fi
	take_differences "$round"
	outcome=$(compare_outcome "$NEW")
	equal "round $round: one record, of $NEW" ok "${outcome%% *}"
	echo "# round $round: unwritable and total ms: ${outcome#* }"
	PRIORITY[$old]=100
	[ "$kind" = manual ] || cli "$old" config set replica-priority 100 >/dev/null
}

# --- begin -----------------------------------------------------------------------------------------

start_node "${D[0]}"
for port in "${D[@]:1}"; do
	start_node "$port" "replicaof 127.0.0.1 $MASTER"
done
for port in "${S[@]}"; do
	start_sentinel "$port" "$MASTER" 2 "$DOWN_AFTER_MS"
	scli "$port" sentinel set mymaster failover-timeout "$FAILOVER_TIMEOUT_MS" >/dev/null
done
wait_for 150 "the Sentinels know all" is_settled || bail "the set settles" "$(seen_by "${S[0]}")"

SCENES=(plain paused cut plain equal barred plain cut plain cut-long)
manual=0 crash=0
while [ $((manual + crash)) -lt $((MANUAL + CRASH)) ]; do
	round=$((manual + crash))
	if [ "$manual" -lt "$MANUAL" ] && { [ "$crash" -ge "$CRASH" ] || [ "$manual" -le "$crash" ]; }; then
		kind=manual scene=${SCENES[manual % 10]} manual=$((manual + 1))
	else
		# Not the same for both where there are few.
		kind=crash scene=${SCENES[(crash + 1) % 10]} crash=$((crash + 1))
	fi
	run_round $((round + 1)) "$kind" "$scene"
done

echo "# $MANUAL by hand, $CRASH crashes: the forecast named $NAMED, of which $RIGHT were promoted"
grep -v '^null' "$DIFFERENCES" | sort -n | awk '{ all[NR] = $1; last = $0 }
	END { printf "# %d moments against the logs: median %d ms, 99 of 100 within %d ms, worst %s\n", NR,
		all[int((NR + 1) / 2)], all[int((NR * 99 + 99) / 100)], last }'
finish
