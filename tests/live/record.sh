#!/bin/bash
# --record and --replay: a crash failover is replayed to the byte, whole and cut at any length; what
# stops a recording stops nothing else; and no password is in it.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317,SC2016
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_redoubt

BREAK=$SRC/scripts/demo-break
FOLDER=''
PID=''

find_folder() {
	local folder
	for folder in "$XDG_RUNTIME_DIR"/redoubt-demo-*; do
		if grep -q ' ready$' "$folder/guard.log" 2>/dev/null; then
			FOLDER=$folder
			return 0
		fi
	done
	return 1
}

# start_demo NAME ARG...: in the background, its output in $WORK/NAME.
start_demo() {
	local name=$1
	shift
	FOLDER=''
	"$REDOUBT" --demo=sentinel "$@" >"$WORK/$name" 2>"$WORK/$name.err" </dev/null &
	PID=$!
	OTHER_PIDS+=("$PID")
	wait_for 120 "the demo is ready" find_folder || bail "the demo starts" "$(tail -n 5 "$WORK/$name.err")"
	export REDOUBT_DEMO=$FOLDER
}

# end_demo SIGNAL: its status in STATUS.
end_demo() {
	kill "-$1" "$PID"
	wait "$PID" 2>/dev/null
	STATUS=$?
	wait_for 60 "the demo is gone" [ ! -e "$FOLDER" ]
}

replay() {
	timeout 60 "$REDOUBT" --replay "$@" </dev/null
}

# count_events FILE EVENT
count_events() {
	jq -r "select(.event == \"$2\") | .event" "$WORK/$1" 2>/dev/null | grep -c .
}

# has_event FILE EVENT TIMES
has_event() {
	[ "$(count_events "$1" "$2")" -ge "$3" ]
}

# is_prefix SHORT LONG
is_prefix() {
	head -c "$(stat -c %s "$1")" "$2" | cmp -s - "$1"
}

# --- a crash failover -------------------------------------------------------------------------------

start_demo live.json --events --format json --log "$WORK/live.txt" --record "$WORK/a.rec"
DEMO_PASSWORDS=$(grep -rhs '^requirepass ' "$FOLDER" | awk '{ print $2 }' | tr -d '"' | sort -u)
# BEFORE is a moment of the recording at which all is well, MASTER the port of its master then: on a busy
# machine the Sentinels may have chosen another one already.
all_is_well() {
	local seen
	seen=$(replay "$WORK/a.rec" --once --format json 2>/dev/null | jq -r 'select(.health == "ok" and
		([.deployments[].masters[]? | select(.sentinels.reachable == 3 and (.replicas | length) == 3)] | length == 1)) |
		"\(.time) \(.deployments[].masters[].addr)"')
	read -r BEFORE MASTER <<<"${seen/127.0.0.1:/}"
	[ -n "$MASTER" ]
}
wait_check 90 "the demo is seen whole, in its recording while that is made" all_is_well
SWITCHED=$(count_events live.json +switch-master)
ENDED=$(count_events live.json +failover-end)
"$BREAK" kill "$MASTER" >/dev/null 2>&1
check "the master's failover is seen" wait_for 120 "+switch-master" has_event live.json +switch-master $((SWITCHED + 1))
check "the failover ends" wait_for 120 "+failover-end" has_event live.json +failover-end $((ENDED + 1))
AFTER=$(now_ms)
RETURNED=$(count_events live.json -link-lost)
"$BREAK" start "$MASTER" >/dev/null 2>&1
check "the old master comes back" wait_for 120 "-link-lost" has_event live.json -link-lost $((RETURNED + 1))
end_demo INT
check "the live run ended well" [ "$STATUS" -eq 0 ]

replay "$WORK/a.rec" --events >"$WORK/replay.txt" 2>"$WORK/replay.err"
replay "$WORK/a.rec" --events --format json >"$WORK/replay.json" 2>>"$WORK/replay.err"
check "events: the text is the live one, to the byte" cmp "$WORK/live.txt" "$WORK/replay.txt"
check "events: so is the JSON" cmp "$WORK/live.json" "$WORK/replay.json"
check "a whole recording has nothing to say" [ ! -s "$WORK/replay.err" ]
check "there were events" [ "$(wc -l <"$WORK/live.json")" -gt 15 ]
equal "the recording is for its owner only" 600 "$(stat -c %a "$WORK/a.rec")"
no_password_in() {
	local password
	[ "$(wc -w <<<"$DEMO_PASSWORDS")" -ge 2 ] || return
	for password in $DEMO_PASSWORDS; do
		! grep -aqF "$password" "$1" || return
	done
}
check "no password is in it" no_password_in "$WORK/a.rec"

# --- cut anywhere -----------------------------------------------------------------------------------

SIZE=$(stat -c %s "$WORK/a.rec")
cut_bad=''
for _ in {1..40}; do
	len=$(((RANDOM * 32768 + RANDOM) % SIZE))
	head -c "$len" "$WORK/a.rec" >"$WORK/cut.rec"
	replay "$WORK/cut.rec" --events --format json >"$WORK/cut.json" 2>"$WORK/cut.err"
	is_prefix "$WORK/cut.json" "$WORK/live.json" || cut_bad="$cut_bad $len"
	[ -s "$WORK/cut.err" ] || cut_bad="$cut_bad $len(silent)"
	for mode in --once "--dump 80x24"; do
		# shellcheck disable=SC2086
		replay "$WORK/cut.rec" $mode 2>&1 >/dev/null | cmp -s - <(grep -v 'left out' "$WORK/cut.err") ||
			cut_bad="$cut_bad $len($mode)"
	done
done
equal "cut at 40 lengths: each says so and is a prefix of what was live" none "${cut_bad:-none}"
head -c $((SIZE * 9 / 10)) "$WORK/a.rec" >"$WORK/cut.rec"
replay "$WORK/cut.rec" --events >"$WORK/cut.txt" 2>"$WORK/cut.err"
check "nine tenths of it are a part of the story" is_prefix "$WORK/cut.txt" "$WORK/live.txt"
check "and it is said where it ends" grep -Eq 'plays up to there' "$WORK/cut.err"
replay "$WORK/cut.rec" --once >/dev/null 2>"$WORK/cut.err"
check "--once plays what there is" [ $? -le 3 ]
# How much of the file comes behind the failover, depends on the machine.
has_the_failover() {
	for percent in 90 95 97 98 99; do
		head -c $((SIZE * percent / 100)) "$WORK/a.rec" >"$WORK/cut.rec"
		replay "$WORK/cut.rec" --events 2>/dev/null | grep -q switch-master && return
	done
	return 1
}
check "without its end it has the failover" has_the_failover

# --- any moment -------------------------------------------------------------------------------------

at() {
	replay "$WORK/a.rec" --once --format json --at "$1"
}
iso() {
	date -u -d "@$(($1 / 1000)).$(printf %03d $(($1 % 1000)))" +%Y-%m-%dT%H:%M:%S.%3NZ
}
# event_ms NAME NTH: when that was, by the recording.
event_ms() {
	date -d "$(jq -r "select(.event == \"$1\") | .time" "$WORK/live.json" | sed -n "$2p")" +%s%3N
}
# Between the two: was_seen FROM_MS TO_MS COMMAND...: at some moment the command succeeds for it.
was_seen() {
	local ms=$1 end=$2
	shift 2
	for (( ; ms < end; ms += 100)); do
		"$@" "$(iso "$ms")" && return
	done
	return 1
}
is_unreachable() {
	[ "$(at "$1" | jq -r ".deployments[].nodes[] | select(.addr == \"127.0.0.1:$MASTER\") | .status")" = unreachable ]
}
draws_critical() {
	replay "$WORK/a.rec" --dump 100x30 --at "$1" | grep -q CRITICAL
}
BEFORE_MS=$(date -d "$BEFORE" +%s%3N)
SWITCH_MS=$(event_ms +switch-master $((SWITCHED + 1)))
equal "before the crash: the old master" "127.0.0.1:$MASTER" "$(at "$BEFORE" | jq -r '.deployments[].masters[].addr')"
equal "before the crash all was well" ok "$(at "$BEFORE" | jq -r .health)"
check "between it and the failover the old master is unreachable" was_seen "$BEFORE_MS" "$SWITCH_MS" is_unreachable
equal "after the failover: another master" true \
	"$(at "$(iso "$AFTER")" | jq -r ".deployments[].masters[].addr != \"127.0.0.1:$MASTER\"")"
# The two clocks of a recording do not tick at the same moment: to 10 ms.
equal "the time is the recording's" "$(iso $((AFTER / 10 * 10 + 5)) | cut -c -22)" \
	"$(at "$(iso $((AFTER / 10 * 10 + 5)))" | jq -r .time | cut -c -22)"
# The first answers may come within the millisecond in which it begins.
known() {
	at "$1" | jq '[.deployments[].nodes[], .deployments[].sentinels[] | select(.version != null)] | length'
}
check "+0 is the begin, where not all is known yet" [ "$(known +0)" -lt "$(known "$BEFORE")" ]
equal "-0 is the end" "$(at -0)" "$(replay "$WORK/a.rec" --once --format json)"
equal "HH:MM:SS is local time of its day" "$(iso $((AFTER / 1000 * 1000 + 5)) | cut -c -22)" \
	"$(at "$(date -d "@$((AFTER / 1000))" +%H:%M:%S).005" | jq -r .time | cut -c -22)"
for time in 25:00 nonsense 2026-01-01T00:00:00Z +100000 -100000 ''; do
	replay "$WORK/a.rec" --once --at "$time" >/dev/null 2>"$WORK/err"
	equal "--at '$time' is refused" "64 --at" "$? $(grep -o -m 1 -- --at "$WORK/err")"
done
check "--dump draws such a moment" was_seen "$BEFORE_MS" "$SWITCH_MS" draws_critical
check "no action is possible" eval 'replay "$WORK/a.rec" --dump 100x30 --keys f | grep -q "a recording: no action is possible"'

# --- a snapshot -------------------------------------------------------------------------------------

free_ports 2
start_node "${PORTS[0]}"
start_node "${PORTS[1]}" "replicaof 127.0.0.1 ${PORTS[0]}"
linked() {
	[ "$(info_field "$1" replication master_link_status)" = up ]
}
wait_for 60 "replica is linked" linked "${PORTS[1]}" || bail "replica synchronises"
for format in text json; do
	redoubt --once --format $format --record "$WORK/once.rec" "127.0.0.1:${PORTS[0]}" >"$WORK/once.live"
	status=$?
	replay "$WORK/once.rec" --once --format $format >"$WORK/once.replay"
	equal "--once as $format: the same status" $status $?
	check "--once as $format: the same bytes" cmp "$WORK/once.live" "$WORK/once.replay"
done

# --- what stops a recording -------------------------------------------------------------------------

(
	ulimit -f 8
	exec "$REDOUBT" --pass-file "$PASS_FILE" --events --record "$WORK/full.rec" "127.0.0.1:${PORTS[0]}" \
		>"$WORK/full.out" 2>"$WORK/full.err" </dev/null
) &
FULL_PID=$!
OTHER_PIDS+=("$FULL_PID")
check "a limit on the file's size stops the recording with a word" \
	wait_for 120 "trouble" grep -q 'recording stopped: File too large' "$WORK/full.err"
check "and nothing else" is_alive $FULL_PID
kill -INT $FULL_PID
replay "$WORK/full.rec" --once >/dev/null 2>"$WORK/err"
check "what was recorded until then is played" [ $? -le 2 ]

echo "precious" >"$WORK/precious"
redoubt --once --record "$WORK/precious" "127.0.0.1:${PORTS[0]}" >/dev/null 2>"$WORK/err"
equal "a file that is no recording is refused" "74 precious" "$? $(cat "$WORK/precious")"
replay "$WORK/precious" --once >/dev/null 2>"$WORK/err"
equal "and is not replayed" "64 is no recording" "$? $(grep -o 'is no recording' "$WORK/err")"

# usage ARGS: 64 and one line that names the option.
usage() {
	local option=$1
	shift
	timeout 60 "$REDOUBT" "$@" >/dev/null 2>"$WORK/err" </dev/null
	equal "refused: $*" "64 1 $option" "$? $(wc -l <"$WORK/err") $(grep -o -m 1 -e "$option" "$WORK/err")"
}
usage --replay --replay "$WORK/a.rec" --once 127.0.0.1:1
usage --replay --replay "$WORK/a.rec" --demo --once
usage --replay --replay "$WORK/a.rec" --record "$WORK/a.rec" --once
usage --replay --replay "$WORK/a.rec" --log "$WORK/log" --once
usage --user --replay "$WORK/a.rec" --user me --once
usage --at --once --at +1
usage --speed --once --speed 2
usage --speed --replay "$WORK/a.rec" --speed 65
usage --speed --replay "$WORK/a.rec" --speed 0.2
usage --record-max --once --record-max 10M
usage --record-max --once --record "$WORK/x.rec" --record-max 10
usage --record-max --once --record "$WORK/x.rec" --record-max 10X
equal "nothing was made" no "$([ -e "$WORK/x.rec" ] && echo yes || echo no)"

# --- killed -----------------------------------------------------------------------------------------

"$REDOUBT" --pass-file "$PASS_FILE" --events --record "$WORK/killed.rec" "127.0.0.1:${PORTS[0]}" \
	>/dev/null 2>&1 </dev/null &
PID=$!
OTHER_PIDS+=("$PID")
disown
has_asked() {
	cli "${PORTS[0]}" client list type normal | grep addr= | grep -Eqv 'cmd=(NULL|auth|hello|client)'
}
loss_is_recorded() {
	replay "$WORK/killed.rec" --events 2>/dev/null | grep -q link-lost
}
wait_for 60 "its questions" has_asked
cli "${PORTS[0]}" client kill type normal skipme yes >/dev/null
check "an event is in the file while that is written" wait_for 60 "a lost link" loss_is_recorded
KILLED=$(now_ms)
kill -KILL "$PID"
check "and after a kill -9" loss_is_recorded
END=$(replay "$WORK/killed.rec" --once --format json 2>"$WORK/err" | jq -r .time)
echo "# kill -9 lost the last $((KILLED - $(date -d "$END" +%s%3N))) ms"
check "and it is said that it was not closed" grep -Eq 'not closed|cut short' <<<"$(replay "$WORK/killed.rec" --events 2>&1)"

finish
