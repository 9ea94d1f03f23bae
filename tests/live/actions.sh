#!/bin/bash
# The menu of actions and each of its actions against a real set of three Sentinels, with a Sentinel and
# a replica that are gone for good: what the sheets say, what was sent, and what the servers say then.
# Takes two minutes: a ghost is one only after a minute.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317,SC2016
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_redoubt
command -v tmux >/dev/null || skip_all "no tmux here"

free_ports 8
M=${PORTS[0]} R1=${PORTS[1]} R2=${PORTS[2]} GHOST=${PORTS[3]}
S=("${PORTS[@]:4:3}") GHOST_SENTINEL=${PORTS[7]}

linked() {
	[ "$(info_field "$1" replication master_link_status)" = up ]
}

start_node "$M"
for port in "$R1" "$R2" "$GHOST"; do
	start_node "$port" "replicaof 127.0.0.1 $M"
done
for port in "$R1" "$R2" "$GHOST"; do
	wait_for 60 "replica is linked" linked "$port" || bail "replica $port synchronises"
done
for port in "${S[@]}" "$GHOST_SENTINEL"; do
	start_sentinel "$port" "$M" 2 5000
done
for port in "${S[@]}" "$GHOST_SENTINEL"; do
	wait_for 90 "Sentinel sees all" sentinel_is_settled "$port" 3 3 || bail "Sentinel $port sees all"
done

# --- helpers ---------------------------------------------------------------------------------------

# confirm NAME: what the sheet asks for.
confirm() {
	wait_screen "Type $1 to go ahead" && sheet_listens || return 1
	answer "$1"
}

# The one line that is selected in the menu.
selected() {
	screen_text | sed -n 's/^.*│> \([^ ].*\)$/\1/p'
}

another_is_selected() {
	local now
	now=$(selected)
	[ -n "$now" ] && [ "$(wc -l <<<"$now")" -eq 1 ] && [ "$now" != "$1" ]
}

# menu_to LABEL: the entry is the selected one. Each key is taken before the next is pressed.
menu_to() {
	local before
	for _ in {1..20}; do
		before=$(selected)
		[[ $before == "$1"* ]] && return
		screen_keys j
		wait_for 30 "the next entry" another_is_selected "$before" || break
	done
	screen_text
	return 1
}

opens_menu() {
	screen_keys a
	wait_screen 'Enter opens its sheet'
}

# on_all FIELD VALUE: by the word of all three.
on_all() {
	local port
	for port in "${S[@]}"; do
		[ "$(sentinel_field "$port" "$1")" = "$2" ] || return 1
	done
}

# told REGEX [SECONDS]: the log tells it of an action, by then.
told() {
	logged "\+action .*$1" "${2:-30}"
}

saves() {
	[ "$(info_field "$M" persistence rdb_bgsave_in_progress)" = "$1" ]
}

# The process that saves is held, so that the save does not end before it was looked at: it is the only
# child of its server.
hold_save() {
	SAVER=$(pgrep -P "${NODE_PID[$M]}") && kill -STOP "$SAVER"
}

# --- the menu --------------------------------------------------------------------------------------

frame() {
	redoubt --dump 120x40 "$@" "127.0.0.1:${S[0]}" >"$WORK/frame" 2>&1
}

ENTRIES=('SENTINEL FAILOVER mymaster' 'SENTINEL CKQUORUM mymaster' 'SENTINEL RESET mymaster'
	'SENTINEL SET mymaster quorum N' 'SENTINEL SET mymaster down-after-milliseconds N'
	'SENTINEL SET mymaster failover-timeout N' 'SENTINEL SET mymaster parallel-syncs N'
	'SENTINEL FLUSHCONFIG' BGSAVE PING)

# frame_says TEXT ARG...: a frame drawn anew; a server that was late is missing from it.
frame_says() {
	frame "${@:2}"
	grep -Fq -- "$1" "$WORK/frame" && return
	cat "$WORK/frame"
	return 1
}

menu_is_whole() {
	local line
	frame --keys a
	for line in "${ENTRIES[@]}"; do
		grep -Fq "$line" "$WORK/frame" || return 1
	done
}

wait_for 60 "the whole menu" menu_is_whole
for line in "${ENTRIES[@]}"; do
	check "the menu has $line" grep -Fq "$line" "$WORK/frame"
done
wait_check 60 "read-only: the menu opens and says why nothing can be done" \
	frame_says 'Not now: read-only: no action can be triggered' --read-only --keys a
wait_check 60 "read-only: so does the sheet" \
	frame_says 'Cannot be done now: read-only' --read-only --keys 'a<Enter>'

redoubt --once --record "$WORK/a.rec" "127.0.0.1:${S[0]}" >/dev/null 2>&1
timeout 60 "$REDOUBT" --replay "$WORK/a.rec" --dump 120x40 --keys a >"$WORK/frame" 2>&1
check "a recording: the menu says why nothing can be done" \
	grep -q 'Not now: a recording: no action is possible' "$WORK/frame"

# From now on a Sentinel and a replica are gone.
kill_node "$GHOST"
kill_node "$GHOST_SENTINEL"
screen_redoubt 120x44 --log "$LOG" "127.0.0.1:${S[0]}"
check "the screen is there" wait_screen "127.0.0.1:$R1 +replica +up"
# For a minute after the Sentinels have missed them.
check "one that was lost just now is not forgotten" \
	wait_for 60 "that sheet" line_says reset 'not for long enough to be a ghost'
leave_sheet

for screen in 1 2 3 5 6 7 9 0; do
	screen_keys "$screen"
	check "the menu opens on screen $screen" opens_menu
	leave_sheet
done
type_line "node $R1"
check "it opens over a node" opens_menu
check "and is about that node" wait_screen "Actions +127.0.0.1:$R1 of mymaster"
leave_sheet
screen_keys Escape
screen_keys 2 g

# --- a test of the connection ----------------------------------------------------------------------

type_line ping
check "ping: ten round trips" wait_screen 'Done and verified: 10 round trips: least [0-9.]+ ms, median'
check "ping: plain or TLS, and the user" wait_screen 'plain, not encrypted, user default, up for'
leave_sheet

# --- settings --------------------------------------------------------------------------------------

screen_keys 2 g
check "the menu opens" opens_menu
check "it goes to the quorum" menu_to 'Set the quorum'
screen_keys Enter
check "Enter opens the sheet and sends nothing" wait_screen 'Type quorum, 1 to 2147483647'
check "the old values are there, Sentinel by Sentinel" wait_screen "127.0.0.1:${S[2]} +quorum 2"
check "who is missed as well" wait_screen "missed +127.0.0.1:$GHOST_SENTINEL"
check "the sheet listens" sheet_listens
answer 0
check "0 is no quorum" wait_screen 'quorum must be a number from 1'
answer 4
check "it warns of a quorum that is not reached" wait_screen 'more than the 3 Sentinels that answer'
leave_sheet
type_line 'set quorum 3'
check "another name sends nothing" eval 'wait_screen "Type mymaster" && sheet_listens'
answer mymastex
check "it says so" wait_screen 'that is another name'
check "the quorum is set" confirm mymaster
check "it is read back" wait_screen 'Done and verified: 3 of 3 Sentinels say quorum 3'
wait_check 30 "all three have it" on_all quorum 3
check "it is in the log" told 'set-quorum verified: SENTINEL SET mymaster quorum 3 -> 3 of 3'
equal "and of all that was typed before nothing was sent" 1 "$(grep -Ec '\+action .*set-quorum sent' "$LOG")"
leave_sheet
for setting in quorum:quorum:2 down-after:down-after-milliseconds:4000 \
	failover-timeout:failover-timeout:20000 parallel-syncs:parallel-syncs:2; do
	IFS=: read -r name field value <<<"$setting"
	type_line "set $name $value"
	check "set $name" confirm mymaster
	check "set $name is verified" wait_screen "Done and verified: 3 of 3 Sentinels say $name $value"
	wait_check 30 "set $name: all three have it" on_all "$field" "$value"
	leave_sheet
done

# One is changed behind the back of the others: the sheet shows it, and sets it right.
scli "${S[1]}" sentinel set mymaster parallel-syncs 5 >/dev/null
check "they differ: that shows" \
	wait_for 60 "shows" line_says 'set parallel-syncs' "127.0.0.1:${S[1]} +parallel-syncs 5"
leave_sheet

# --- configuration files ---------------------------------------------------------------------------

rm "$WORK/${S[0]}/node.conf"
type_line flushconfig
check "flushconfig" confirm mymaster
if server_has 700; then
	check "flushconfig: all three say that it is written" \
		wait_screen 'Done and verified: 3 of 3 Sentinels say that their file is written'
else
	check "flushconfig: an OK proves nothing" wait_screen 'OK from 3 of 3, but 3 of them say so even when it failed'
fi
wait_check 30 "flushconfig: the file that was lost is there again" grep -q 'sentinel monitor mymaster' "$WORK/${S[0]}/node.conf"
leave_sheet

# --- BGSAVE ----------------------------------------------------------------------------------------

held_save() {
	for i in {1..100}; do
		echo "set key:$i value"
	done | cli "$M" >/dev/null
	# Six seconds to find it, and to let it go on.
	check "a save that takes its time" cli "$M" config set rdb-key-save-delay 60000
	rm -f "$WORK/$M/dump.rdb"
	type_line bgsave
	check "bgsave" confirm "127.0.0.1:$M"
	wait_for 30 "a process that saves" hold_save
	check "bgsave: it runs at the server" saves 1
	progress='saving for [0-9]+ s'
	! server_has 602 || progress+=': [0-9]+ of 100 keys'
	check "bgsave: its progress is followed" wait_screen "$progress"
	leave_sheet
	type_line bgsave
	check "bgsave: not a second one" wait_screen 'a bgsave of 127.0.0.1:[0-9]+ is under way'
	kill -CONT "$SAVER"
	check "bgsave: it ends" told 'bgsave verified: BGSAVE' 60
	check "bgsave: the file is there" [ -s "$WORK/$M/dump.rdb" ]
	cli "$M" bgsave >/dev/null
	wait_for 30 "another's save" hold_save
	check "bgsave: not while another's is running" \
		wait_for 60 "refused" line_says bgsave 'Cannot be done now: a save is running there already'
	leave_sheet
	cli "$M" config set rdb-key-save-delay 0 >/dev/null
	kill -KILL "$SAVER"
	wait_for 60 "the save ends" saves 0
}
if server_has 600; then
	held_save
else
	skip "bgsave: before 6.0 none can be made to take its time"
fi

# --- ghosts ----------------------------------------------------------------------------------------

# What a Sentinel knows, as often as can be: "from to 1" when it knew the master, both replicas and both
# other Sentinels, else 0.
watch_sentinel() {
	local port=$1 other expected=$2
	while :; do
		other=$(now_us)
		printf 'sentinel master mymaster\nsentinel replicas mymaster\nsentinel sentinels mymaster\n' |
			scli "$port" | awk -v from="$other" -v expected="$expected" '
			BEGIN { count = split(expected, want, " ") }
			name == "name" { who = $0 }
			name == "port" { port = $0 }
			name == "flags" && ($0 == "master" || $0 == "slave" || $0 == "sentinel") { known[port] = 1 }
			{ name = name == "" || name == "done" ? $0 : "done" }
			END { ok = 1; for (i = 1; i <= count; i++) ok = ok && known[want[i]]; print from, ok }' |
			while read -r from ok; do echo "$from $(now_us) $ok"; done
	done >"$WORK/knows.$port"
}
now_us() {
	echo "${EPOCHREALTIME/[^0-9]/}"
}

check "after a minute they are ghosts" wait_for 150 "ghosts" line_says reset 'Type mymaster to go ahead'
check "the sheet names the replica that is forgotten" wait_screen "forgotten +127.0.0.1:$GHOST, a replica"
check "and the Sentinel" wait_screen "forgotten +127.0.0.1:$GHOST_SENTINEL, a Sentinel"
check "and for how long each is blind" wait_screen 'blind +each for 2 to 10 s'
leave_sheet
type_line "node $GHOST_SENTINEL"
check "over the ghost the menu opens" opens_menu
check "it has the clean-up" menu_to 'Clear the ghost'
screen_keys Enter
check "it says why that is safe" wait_screen 'is it safe'
for port in "${S[@]}"; do
	others=$M
	for other in "$R1" "$R2" "${S[@]}"; do
		[ "$other" = "$port" ] || others="$others $other"
	done
	watch_sentinel "$port" "$others" &
	OTHER_PIDS+=($!)
done
all_seen_well() {
	for port in "${S[@]}"; do
		tail -n 1 "$WORK/knows.$port" | grep -q ' 1$' || return
	done
}
check "each Sentinel is seen to know all before" wait_for 60 "looks" all_seen_well
check "the clean-up is sent" confirm mymaster
check "the clean-up: one after the other" wait_screen '1 of 3: 127.0.0.1:[0-9]+ is reset'
check "the clean-up ends" wait_screen 'Done and verified: 3 of 3 Sentinels were reset' 200
check "it says who is forgotten" wait_screen "forgotten: .*127.0.0.1:($GHOST|$GHOST_SENTINEL)"
check "and after it" wait_for 60 "looks" all_seen_well
for pid in "${OTHER_PIDS[@]: -3}"; do
	signal_child TERM "$pid"
done
knows() {
	echo "$(sentinel_field "$1" num-slaves) $(sentinel_field "$1" num-other-sentinels)"
}
for port in "${S[@]}"; do
	wait_equal 30 "Sentinel $port knows 2 replicas and 2 Sentinels" "2 2" knows "$port"
	equal "Sentinel $port was reset once" 1 "$(grep -c ' +reset-master ' "$WORK/$port/node.log")"
	echo "# Sentinel $port: $(wc -l <"$WORK/knows.$port") looks, $(grep -c ' 0$' "$WORK/knows.$port") of them blind"
done
check "that one was blind was seen" grep -q ' 0$' "$WORK/knows.${S[0]}" "$WORK/knows.${S[1]}" "$WORK/knows.${S[2]}"

# blind_spans PORT surely|perhaps: "from to port" of each time. Perhaps from before the last good look
# before it until after the first good one after it; surely from after the first bad look until before the
# last bad one, however long a look takes. No two of the latter may overlap.
blind_spans() {
	awk -v who="$1" -v surely="$([ "$2" = surely ] && echo 1)" '
		function tell() { if (blind && surely) print first, last, who; else if (blind) print good, $2, who; blind = 0 }
		$3 == 1 { tell(); good = $1 }
		$3 == 0 { if (!blind) first = $2; last = $1; blind = 1 }
		END { if (blind && surely) $2 = 9e18; tell() }' "$WORK/knows.$1" | awk '$1 < $2'
}
overlaps() {
	for port in "${S[@]}"; do blind_spans "$port" "$1"; done | sort -n |
		awk '{ if (NR > 1 && $1 < end) print $3, "was blind while", who, "was, for", end - $1, "us"
			if ($2 > end) { end = $2; who = $3 } }'
}
equal "at every instant two Sentinels knew the master, its replicas and each other" none \
	"$(overlaps surely | grep . || echo none)"
echo "# by the longest that each can have been blind: $(overlaps perhaps | grep . || echo no overlap)"
for port in "${S[@]}"; do
	echo "# $(blind_spans "$port" perhaps | awk '{ printf "Sentinel %s blind for at most %.1f s; ", $3, ($2 - $1) / 1e6 }')"
done
for n in 1 2; do
	check "each Sentinel's turn is an event: $n of 3" told "clear-ghost sent: .*knew all again after .* \($n of 3\)"
done
check "so is the end" told 'clear-ghost verified: SENTINEL RESET mymaster -> 3 of 3'
leave_sheet
screen_keys Escape 2 g

# --- a sequence that does not come to its end ------------------------------------------------------

type_line reset
check "reset" confirm mymaster
check "reset: the first one" told 'reset accepted: .*is reset .1 of 3'
first=$(grep -E '\+action .*reset accepted: .*is reset .1 of 3' "$LOG" | grep -Eo ':[0-9]+ is reset' | grep -Eo '[0-9]+')
last=${S[2]}
[ "$first" = "$last" ] && last=${S[0]}
pause_node "$last"
check "reset: one falls silent, the sequence ends there" wait_screen 'Failed: stopped after .*' 200
check "reset: it says which are done and which not" told 'reset failed: .*(reset: |not reset: )'
resume_node "$last"
leave_sheet
all_settled() {
	for port in "${S[@]}"; do
		sentinel_is_settled "$port" 2 2 || return
	done
}
wait_for 120 "the Sentinels settle" all_settled

kill_node "${S[2]}"
check "reset: not with two Sentinels" \
	wait_for 60 "refused" line_says reset 'only 2 Sentinels answer: while one is blind'
leave_sheet
type_line 'set quorum 2'
check "set: says who is missed" wait_screen "missed +127.0.0.1:${S[2]} does not answer"
leave_sheet
screen_stop

finish
