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
LOG=$WORK/log

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
	wait_for 15 "replica is linked" linked "$port" || bail "replica $port synchronises"
done
for port in "${S[@]}" "$GHOST_SENTINEL"; do
	start_sentinel "$port" "$M" 2 5000
done
for port in "${S[@]}" "$GHOST_SENTINEL"; do
	wait_for 30 "Sentinel sees all" sentinel_is_settled "$port" 3 3 || bail "Sentinel $port sees all"
done

# --- helpers ---------------------------------------------------------------------------------------

wait_lacks() {
	local text=$1
	lacks() { ! screen_has "$text"; }
	wait_for "$2" "screen lacks /$1/" lacks
}

# A sheet hears nothing in its first half second: presses a harmless key until it shows.
sheet_listens() {
	screen_keys C-u Z
	screen_has '> Z' && screen_keys C-u && wait_lacks '> Z' 2
}

# type_line TEXT: behind `:`.
type_line() {
	screen_keys :
	screen_keys -l "$1"
	screen_keys Enter
}

# confirm NAME: what the sheet asks for.
confirm() {
	wait_screen "Type $1 to go ahead" 5 && wait_for 5 "it listens" sheet_listens || return 1
	screen_keys -l "$1"
	screen_keys Enter
}

leave() {
	screen_keys Escape
	wait_lacks 'to go ahead|Esc closes|Esc leaves' 5
}

# menu_to LABEL: the entry is the selected one.
menu_to() {
	local i
	for i in {1..20}; do
		screen_has "> $1" && return
		screen_keys j
		sleep 0.1
	done
	return 1
}

opens_menu() {
	screen_keys a
	wait_screen 'Enter opens its sheet' 2
}

# on_all FIELD VALUE: by the word of all three.
on_all() {
	local port
	for port in "${S[@]}"; do
		[ "$(sentinel_field "$port" "$1")" = "$2" ] || return 1
	done
}

logged() {
	grep -E -q -- "\+action .*$1" "$LOG"
}

# --- the menu --------------------------------------------------------------------------------------

frame() {
	redoubt --dump 120x40 "$@" "127.0.0.1:${S[0]}" >"$WORK/frame" 2>&1
}

frame --keys a
for line in 'SENTINEL FAILOVER mymaster' 'SENTINEL CKQUORUM mymaster' 'SENTINEL RESET mymaster' \
	'SENTINEL SET mymaster quorum N' 'SENTINEL SET mymaster down-after-milliseconds N' \
	'SENTINEL SET mymaster failover-timeout N' 'SENTINEL SET mymaster parallel-syncs N' \
	'SENTINEL FLUSHCONFIG' BGSAVE PING; do
	check "the menu has $line" grep -Fq "$line" "$WORK/frame"
done
frame --read-only --keys a
check "read-only: the menu opens and says why nothing can be done" \
	grep -q 'Not now: read-only: no action can be triggered' "$WORK/frame"
frame --read-only --keys 'a<Enter>'
check "read-only: so does the sheet" grep -q 'Cannot be done now: read-only' "$WORK/frame"

redoubt --once --record "$WORK/a.rec" "127.0.0.1:${S[0]}" >/dev/null 2>&1
timeout 30 "$REDOUBT" --replay "$WORK/a.rec" --dump 120x40 --keys a >"$WORK/frame" 2>&1
check "a recording: the menu says why nothing can be done" \
	grep -q 'Not now: a recording: no action is possible' "$WORK/frame"

# From now on a Sentinel and a replica are gone.
kill_node "$GHOST"
kill_node "$GHOST_SENTINEL"
screen_redoubt 120x44 --log "$LOG" "127.0.0.1:${S[0]}"
check "the screen is there" wait_screen "127.0.0.1:$R1 +replica +up" 15
BEGAN_MS=$(now_ms)

for screen in 1 2 3 5 6 7 9 0; do
	screen_keys "$screen"
	check "the menu opens on screen $screen" opens_menu
	leave
done
type_line "node $R1"
check "it opens over a node" opens_menu
check "and is about that node" wait_screen "Actions +127.0.0.1:$R1 of mymaster" 2
leave
screen_keys Escape
screen_keys 2 g

# --- a test of the connection ----------------------------------------------------------------------

type_line ping
check "ping: ten round trips" wait_screen 'Done and verified: 10 round trips: least [0-9.]+ ms, median' 5
check "ping: plain or TLS, and the user" wait_screen 'plain, not encrypted, user default, up for' 2
leave

# --- settings --------------------------------------------------------------------------------------

screen_keys 2 g
check "the menu opens" opens_menu
check "it goes to the quorum" menu_to 'Set the quorum'
screen_keys Enter
check "Enter opens the sheet and sends nothing" wait_screen 'Type quorum, 1 to 2147483647' 5
check "the old values are there, Sentinel by Sentinel" wait_screen "127.0.0.1:${S[2]} +quorum 2" 2
check "who is missed as well" wait_screen "missed +127.0.0.1:$GHOST_SENTINEL" 2
check "the sheet listens" wait_for 5 "listens" sheet_listens
screen_keys -l 0
screen_keys Enter
check "0 is no quorum" wait_screen 'quorum must be a number from 1' 5
screen_keys -l 4
screen_keys Enter
check "it warns of a quorum that is not reached" wait_screen 'more than the 3 Sentinels that answer' 5
equal "and nothing was sent" "2 2 2" "$(for port in "${S[@]}"; do sentinel_field "$port" quorum; done | paste -sd' ')"
leave
type_line 'set quorum 3'
check "another name sends nothing" eval 'wait_screen "Type mymaster" 5 && wait_for 5 l sheet_listens'
screen_keys -l mymastex
screen_keys Enter
check "it says so" wait_screen 'nothing was sent' 5
check "the quorum is set" confirm mymaster
check "it is read back" wait_screen 'Done and verified: 3 of 3 Sentinels say quorum 3' 10
check "all three have it" on_all quorum 3
check "it is in the log" logged 'set-quorum verified: SENTINEL SET mymaster quorum 3 -> 3 of 3'
leave
for setting in quorum:quorum:2 down-after:down-after-milliseconds:4000 \
	failover-timeout:failover-timeout:20000 parallel-syncs:parallel-syncs:2; do
	IFS=: read -r name field value <<<"$setting"
	type_line "set $name $value"
	check "set $name" confirm mymaster
	check "set $name is verified" wait_screen "Done and verified: 3 of 3 Sentinels say $name $value" 10
	check "set $name: all three have it" on_all "$field" "$value"
	leave
done

# One is changed behind the back of the others: the sheet shows it, and sets it right.
scli "${S[1]}" sentinel set mymaster parallel-syncs 5 >/dev/null
shows_difference() {
	type_line 'set parallel-syncs'
	wait_screen "127.0.0.1:${S[1]} +parallel-syncs 5" 1 && return
	screen_keys Escape
	return 1
}
check "they differ: that shows" wait_for 10 "shows" shows_difference
leave

# --- configuration files ---------------------------------------------------------------------------

rm "$WORK/${S[0]}/node.conf"
type_line flushconfig
check "flushconfig" confirm mymaster
check "flushconfig: all three say that it is written" \
	wait_screen 'Done and verified: 3 of 3 Sentinels say that their file is written' 10
check "flushconfig: the file that was lost is there again" grep -q 'sentinel monitor mymaster' "$WORK/${S[0]}/node.conf"
leave

# --- BGSAVE ----------------------------------------------------------------------------------------

for i in {1..100}; do
	echo "set key:$i value"
done | cli "$M" >/dev/null
check "a save that takes its time" cli "$M" config set rdb-key-save-delay 30000
rm -f "$WORK/$M/dump.rdb"
type_line bgsave
check "bgsave" confirm "127.0.0.1:$M"
check "bgsave: it runs at the server" wait_for 5 running eval '[ "$(info_field "$M" persistence rdb_bgsave_in_progress)" = 1 ]'
check "bgsave: its progress is followed" wait_screen 'saving for [0-9]+ s: [0-9]+ of 100 keys' 5
leave
type_line bgsave
check "bgsave: not a second one" wait_screen 'a bgsave of 127.0.0.1:[0-9]+ is under way' 5
check "bgsave: it ends" wait_for 15 "log" logged 'bgsave verified: BGSAVE'
check "bgsave: the file is there" [ -s "$WORK/$M/dump.rdb" ]
cli "$M" bgsave >/dev/null
refused_while_saving() {
	type_line bgsave
	wait_screen 'Cannot be done now: a save is running there already' 1 && return
	screen_keys Escape
	return 1
}
check "bgsave: not while another's is running" wait_for 5 "refused" refused_while_saving
leave
cli "$M" config set rdb-key-save-delay 0 >/dev/null
wait_for 10 "the save ends" eval '[ "$(info_field "$M" persistence rdb_bgsave_in_progress)" = 0 ]'

# --- ghosts ----------------------------------------------------------------------------------------

if [ $(($(now_ms) - BEGAN_MS)) -lt 45000 ]; then
	type_line reset
	check "one that was lost just now is not forgotten" wait_screen 'not for long enough to be a ghost' 5
	leave
fi

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

ghosts_are_ripe() {
	redoubt_ghost() { screen_has 'Type mymaster to go ahead'; }
	type_line reset
	wait_for 1 "the sheet" redoubt_ghost && return
	screen_keys Escape
	return 1
}
check "after a minute they are ghosts" wait_for 90 "ghosts" ghosts_are_ripe
check "the sheet names the replica that is forgotten" wait_screen "forgotten +127.0.0.1:$GHOST, a replica" 2
check "and the Sentinel" wait_screen "forgotten +127.0.0.1:$GHOST_SENTINEL, a Sentinel" 2
check "and for how long each is blind" wait_screen 'blind +each for 2 to 10 s' 2
leave
type_line "node $GHOST_SENTINEL"
check "over the ghost the menu opens" opens_menu
check "it has the clean-up" menu_to 'Clear the ghost'
screen_keys Enter
check "it says why that is safe" wait_screen 'is it safe' 5
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
check "each Sentinel is seen to know all before" wait_for 10 "looks" all_seen_well
check "the clean-up is sent" confirm mymaster
check "the clean-up: one after the other" wait_screen '1 of 3: 127.0.0.1:[0-9]+ is reset' 10
check "the clean-up ends" wait_screen 'Done and verified: 3 of 3 Sentinels were reset' 150
check "it says who is forgotten" wait_screen "forgotten: .*127.0.0.1:($GHOST|$GHOST_SENTINEL)" 2
check "and after it" wait_for 10 "looks" all_seen_well
for pid in "${OTHER_PIDS[@]: -3}"; do
	kill "$pid"
done
for port in "${S[@]}"; do
	equal "Sentinel $port knows 2 replicas and 2 Sentinels" "2 2" \
		"$(sentinel_field "$port" num-slaves) $(sentinel_field "$port" num-other-sentinels)"
	check "Sentinel $port was seen blind" grep -q ' 0$' "$WORK/knows.$port"
	echo "# Sentinel $port: $(wc -l <"$WORK/knows.$port") looks, $(grep -c ' 0$' "$WORK/knows.$port") of them blind"
done

# Blind from the last good look before (when it began) to the first good one after (when it ended): the
# longest that it can have been. No two of these may overlap.
blind_spans() {
	awk -v who="$1" '$3 == 1 { if (blind) print from, $2, who; from = $1; blind = 0 } $3 == 0 { blind = 1 }
		END { if (blind) print from, 9e18, who }' "$WORK/knows.$1"
}
overlaps() {
	for port in "${S[@]}"; do blind_spans "$port"; done | sort -n |
		awk '{ if (NR > 1 && $1 < end) print $3, "was blind while", who, "was, for", end - $1, "us"
			if ($2 > end) { end = $2; who = $3 } }'
}
equal "at every instant two Sentinels knew the master, its replicas and each other" none "$(overlaps | grep . || echo none)"
for port in "${S[@]}"; do
	echo "# $(blind_spans "$port" | awk '{ printf "Sentinel %s blind for at most %.1f s; ", $3, ($2 - $1) / 1e6 }')"
done
for n in 1 2; do
	check "each Sentinel's turn is an event: $n of 3" logged "clear-ghost sent: .*knew all again after .* \($n of 3\)"
done
check "so is the end" logged 'clear-ghost verified: SENTINEL RESET mymaster -> 3 of 3'
leave
screen_keys Escape 2 g

# --- a sequence that does not come to its end ------------------------------------------------------

type_line reset
check "reset" confirm mymaster
check "reset: the first one" wait_screen '1 of 3: 127.0.0.1:[0-9]+ is reset' 10
first=$(screen_text | grep -Eo '1 of 3: 127.0.0.1:[0-9]+ is reset' | grep -Eo ':[0-9]+ ' | tr -d ': ')
last=${S[2]}
[ "$first" = "$last" ] && last=${S[0]}
pause_node "$last"
check "reset: one falls silent, the sequence ends there" wait_screen 'Failed: stopped after .*' 100
check "reset: it says which are done and which not" logged 'reset failed: .*(done: |not reset: )'
resume_node "$last"
leave
wait_for 40 "the Sentinels settle" eval 'sentinel_is_settled "${S[0]}" 2 2 && sentinel_is_settled "${S[1]}" 2 2 && sentinel_is_settled "${S[2]}" 2 2'

kill_node "${S[2]}"
refused_for_two() {
	type_line reset
	wait_screen 'only 2 Sentinels answer: while one is blind' 1 && return
	screen_keys Escape
	return 1
}
check "reset: not with two Sentinels" wait_for 20 "refused" refused_for_two
leave
type_line 'set quorum 2'
check "set: says who is missed" wait_screen "missed +127.0.0.1:${S[2]} does not answer" 5
leave
screen_stop

finish
