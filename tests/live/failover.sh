#!/bin/bash
# The failover sheet on real servers: what it says beforehand, what stops it, and how each way that a
# failover can end is told: verified, given up for each reason that can be brought about, refused, or begun
# by a Sentinel that is dead by then. Takes some minutes.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317,SC2016
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_redoubt
command -v tmux >/dev/null || skip_all "no tmux here"

LOG=$WORK/log

# --- helpers ---------------------------------------------------------------------------------------

screen_lacks() {
	! screen_has "$1"
}

wait_lacks() {
	wait_for "$2" "screen without /$1/" screen_lacks "$1"
}

# A sheet hears nothing in its first half second: presses a harmless key until it shows.
sheet_listens() {
	screen_keys C-u Z
	screen_has '> Z' && screen_keys C-u && wait_lacks '> Z' 2
}

# open_sheet [REGEX]
open_sheet() {
	screen_keys f
	wait_screen "${1:-Type .* to go ahead}" 5 && wait_for 5 "the sheet listens" sheet_listens
}

# Where the last one ended just now: a reply that was under way may say for a moment that it runs.
open_sheet_soon() {
	screen_keys f
	wait_screen 'Type .* to go ahead' 1 && return
	screen_keys Escape
	sleep 0.1
	return 1
}

# A second Escape may find the sheet of before: one that was sent is opened again by f.
close_sheet() {
	screen_keys Escape
	wait_lacks 'to go ahead|Esc closes|Esc leaves' 5
}

# send NAME: what the sheet asks for, and Enter.
send() {
	screen_keys -l "$1"
	wait_screen "> $1" 5 && screen_keys Enter
}

# The whole sheet on one line, without its frame: sentences may be broken.
sheet_text() {
	screen_text | sed 's/[│┌┐└┘─]//g' | tr -s ' \n' ' '
}

sheet_says() {
	sheet_text | grep -Eq -- "$1"
}

# wait_sheet REGEX SECONDS
wait_sheet() {
	wait_for "$2" "sheet says /$1/" sheet_says "$1" && return
	screen_text | sed 's/^/# /'
	return 1
}

# Everything on the sheet, also what is below.
scrolled_has() {
	for _ in 1 2 3 4; do
		sheet_says "$1" && return
		screen_keys NPage
		sleep 0.1
	done
	screen_text | sed 's/^/# /'
	return 1
}

logged() {
	grep -Eq -- "$1" "$LOG"
}

row() {
	echo "127.0.0.1:$1 +$2 +${3:-up}"
}

linked() {
	[ "$(info_field "$1" replication master_link_status)" = up ]
}

all_name() {
	local port
	for port in "${S[@]}"; do
		[ "$(sentinel_master "$port")" = "127.0.0.1:$1" ] || return 1
	done
}

role_of() {
	info_field "$1" replication role
}

# No failover, one master, all know all.
set_is_quiet() {
	local port
	[ "$(for port in "$M" "$R1" "$R2"; do role_of "$port"; done | sort | paste -sd' ')" = \
		"master slave slave" ] || return 1
	port=$(sentinel_master "${S[0]}")
	all_name "${port##*:}" || return 1
	for port in "${S[@]}"; do
		sentinel_is_settled "$port" 2 2 || return 1
	done
	for port in "$M" "$R1" "$R2"; do
		[ "$(role_of "$port")" = master ] || linked "$port" || return 1
	done
}

settle() {
	wait_for 60 "the set is quiet" set_is_quiet || bail "the set settles: $1" "$(scli "${S[0]}" sentinel master mymaster)"
	master=$(sentinel_master "${S[0]}")
	master=${master##*:}
}

priorities() {
	local port
	for port in "$M" "$R1" "$R2"; do
		cli "$port" config set replica-priority "$1" >/dev/null
	done
}

sentinels_set() {
	local port
	for port in "${S[@]}"; do
		scli "$port" sentinel set mymaster "$@" >/dev/null
	done
}

# start WxH: the screen on the set, its log anew.
start() {
	screen_stop
	: >"$LOG"
	screen_redoubt "$1" --log "$LOG" "127.0.0.1:${S[0]}"
	wait_screen "$(row "$master" master)" 15 && wait_screen 'Sentinels +3 of 3 answer' 10
}

goes_to() {
	sheet_text | grep -oE 'goes to 127\.0\.0\.1:[0-9]+' | grep -oE '[0-9]+$'
}

# --- a Sentinel set ----------------------------------------------------------------------------------

free_ports 12
M=${PORTS[0]} R1=${PORTS[1]} R2=${PORTS[2]}
S=("${PORTS[@]:3:3}")
C=("${PORTS[@]:6:6}")
start_node "$M"
# By its priority, since equal ones take turns in having a little more of the data.
start_node "$R1" "replicaof 127.0.0.1 $M" "replica-priority 90"
start_node "$R2" "replicaof 127.0.0.1 $M"
for port in "${S[@]}"; do
	start_sentinel "$port" "$M" 2 5000
done
settle "at the beginning"

# --- what it says, and a failover to its end -----------------------------------------------------------

start 80x24
check "80x24: the sheet opens" open_sheet
check "the command and whom it goes to" sheet_says "command SENTINEL FAILOVER mymaster goes to 127.0.0.1:[0-9]+ .sentinel"
check "can it be done" sheet_says 'ready can fail over: 3 of 3 Sentinels'
check "who and why, by whose data" sheet_says "promoted 127.0.0.1:$R1: lowest priority: 90 .by the data of 127.0.0.1"
check "what is at risk" sheet_says 'at risk up to [0-9.]+ k?B, up to [0-9.]+ s'
check "what comes after it" sheet_says 'after it the old master takes writes, which will be lost'
check "further down: the other replica, and how it goes on" scrolled_has 'behind, priority 100, (partial|full) resync'
check "further down: clients" scrolled_has 'clients connected: [0-9]+'
check "further down: quorum as each Sentinel sees it" scrolled_has "127.0.0.1:${S[2]} quorum 2, knows 3 Sentinels"
check "the prompt stays" sheet_says 'Type mymaster to go ahead'
send mymaster
check "the steps, in ms" wait_sheet 'elected [0-9]+ ms .*selected [0-9]+ ms .*writable [0-9]+ ms' 20
check "the old master still takes writes, counted" \
	wait_sheet "old master 127.0.0.1:$master still takes writes, which will be lost: [0-9]+ s and [0-9.]+ k?B so far" 20
check "all Sentinels name the new one" wait_sheet '3 of 3 that answer name it' 20
check "left while it is followed" close_sheet
check "the alert line counts as well" wait_screen "CRITICAL .*$master second master [0-9]+ s" 10
screen_keys f
check "f opens the same sheet again" wait_sheet 'still takes writes|Done and verified' 5
check "verified when the old master is demoted" wait_sheet 'Done and verified: new master' 40
check "replicas are attached" sheet_says '1 of 1 are linked to it'
check "what was written to the old one is said" sheet_says 'old master 127.0.0.1:[0-9]+ was demoted [0-9.]+ s after'
check "it is so: the old master is a replica" [ "$(role_of "$master")" = slave ]
check "the log has the end" wait_for 5 "verified" logged 'failover verified: .*3 of 3 Sentinels that answer agree'
close_sheet

# --- somebody else's --------------------------------------------------------------------------------

settle "after the first"
start 80x24
check "somebody else's: the sheet opens" open_sheet
screen_keys -l mymaste
wait_screen '> mymaste' 5
scli "${S[2]}" sentinel failover mymaster >/dev/null
check "the sheet is blocked at once, without a key" wait_sheet 'Cannot be done now: (a failover is already running|the master is another one)' 5
screen_keys -l r
screen_keys Enter
wait_for 15 "the other one is through" logged 'switch-master' || true
equal "nothing was sent" 0 "$(grep -c 'failover sent' "$LOG")"

# --- refused: no permission ---------------------------------------------------------------------------

settle "after the other one's"
start 80x24
check "no permission: the sheet opens" open_sheet
asked=$(goes_to)
scli "$asked" acl setuser default '-sentinel|failover' >/dev/null
send mymaster
check "no permission: the server's words and what is missing" wait_sheet 'refused: the user lacks \+sentinel\|failover: NOPERM' 5
close_sheet
check "the next sheet opens" open_sheet
check "and knows it beforehand" sheet_says "the user lacks \+sentinel\|failover at 127.0.0.1:$asked"
check "another Sentinel is asked" [ "$(goes_to)" != "$asked" ]
scli "$asked" acl setuser default '+@all' >/dev/null
close_sheet

# --- refused: no good replica; and the same at a crash --------------------------------------------------

priorities 0
nobody() {
	[ "$(for port in "${S[@]}"; do scli "$port" sentinel replicas mymaster; done |
		grep -A1 -c '^slave-priority$')" -gt 0 ] &&
		! for port in "${S[@]}"; do scli "$port" sentinel replicas mymaster; done |
			grep -A1 '^slave-priority$' | grep -qx 100
}
wait_for 30 "the Sentinels know it" nobody || bail "the Sentinels see priority 0"
start 80x24
check "no good replica: the sheet opens" open_sheet
check "it says so beforehand" wait_sheet 'promoted nobody: no replica can be promoted, the answer will be NOGOODSLAVE' 10
check "and why each is passed over" scrolled_has 'passed over 127.0.0.1:[0-9]+: replica-priority 0'
send mymaster
check "refused in the server's words" wait_sheet 'refused: NOGOODSLAVE' 5
close_sheet
sentinels_set down-after-milliseconds 1000
kill_node "$master"
check "a crash without a good replica: given up" wait_for 30 "the abort" logged 'failover-abort-no-good-slave'
check "the sheet opens" wait_for 10 "the sheet" open_sheet_soon
check "it tells the abort in words" scrolled_has 'last failover aborted [0-9]+ s ago: no replica can be promoted'
close_sheet
sentinels_set down-after-milliseconds 5000
restart_node "$master"
wait_for 10 "the master is back" node_answers "$master" || bail "the master comes back"
priorities 100

# --- given up: the chosen replica is not promoted in time ------------------------------------------------

settle "after the abort"
reset_priorities() {
	for port in "${S[@]}"; do scli "$port" sentinel replicas mymaster; done |
		grep -A1 '^slave-priority$' | grep -qx 0 && return 1
	return 0
}
wait_for 30 "the Sentinels know the priorities" reset_priorities
start 80x24
check "paused replicas: the sheet opens" open_sheet
screen_keys -l mymaster
wait_screen '> mymaster' 5
for port in "$M" "$R1" "$R2"; do
	[ "$port" = "$master" ] || pause_node "$port"
done
screen_keys Enter
check "given up in words, with the reason" \
	wait_sheet 'Failed: given up: the chosen replica was not promoted in time .-failover-abort-slave-timeout' 30
for port in "$M" "$R1" "$R2"; do
	resume_node "$port"
done
equal "the master is as before" "127.0.0.1:$master" "$(sentinel_master "${S[0]}")"
close_sheet

# --- the Sentinel that was asked dies ---------------------------------------------------------------------

settle "after the paused ones"
start 80x24
check "a Sentinel that dies late: the sheet opens" open_sheet
asked=$(goes_to)
send mymaster
wait_for 20 "the others have switched" logged '\+switch-master' || bail "they switch"
kill_node "$asked"
check "it is said that it is gone" wait_sheet "asked 127.0.0.1:$asked does not answer any more: the others are followed" 10
check "the others' words are followed to the end" wait_sheet 'Done and verified: new master .*2 of 2 Sentinels that answer agree.*3 known' 60
close_sheet
restart_node "$asked" --sentinel
wait_for 10 "it is back" sentinel_answers "$asked"

settle "after the dead Sentinel"
start 80x24
check "a Sentinel that dies at once: the sheet opens" open_sheet
asked=$(goes_to)
screen_keys -l mymaster
wait_screen '> mymaster' 5
screen_keys Enter
wait_for 5 "it is accepted" logged 'failover (accepted|sent)'
kill_node "$asked"
check "it comes to an end that is so" wait_sheet \
	'Failed: (nothing happened within|undone:)|Done and verified' 60
if sheet_says 'nothing happened'; then
	check "nothing happened: by whose word" sheet_says "2 of 2 Sentinels; the Sentinel that was asked does not answer"
	equal "and so it is" "127.0.0.1:$master" "$(sentinel_master "$(printf '%s\n' "${S[@]}" | grep -vx "$asked" | head -n 1)")"
fi
close_sheet
restart_node "$asked" --sentinel
wait_for 10 "it is back" sentinel_answers "$asked"

# --- given up: not elected ----------------------------------------------------------------------------------

settle "after the second dead Sentinel"
sentinels_set down-after-milliseconds 1000
scli "${S[0]}" sentinel set mymaster quorum 1 >/dev/null
start 80x24
pause_node "${S[1]}"
pause_node "${S[2]}"
kill_node "$master"
check "2 of 3 Sentinels stopped: not elected" wait_for 40 "the abort" logged 'failover-abort-not-elected'
check "the sheet opens" wait_for 10 "the sheet" open_sheet_soon
check "it says who would have to vote" sheet_says '1 of 3 Sentinels answer and can act, 2 must vote'
check "it tells the abort in words" scrolled_has 'last failover aborted [0-9]+ s ago: no majority of Sentinels elected this leader'
close_sheet
resume_node "${S[1]}"
resume_node "${S[2]}"
screen_stop
for port in "${!NODE_PID[@]}"; do
	kill_node "$port"
done

# --- a set that nobody watches ---------------------------------------------------------------------------------

start_node "$M"
start_node "$R1" "replicaof 127.0.0.1 $M"
wait_for 15 "the replica is linked" linked "$R1" || bail "the plain set"
: >"$LOG"
screen_redoubt 80x24 --log "$LOG" "127.0.0.1:$M"
check "plain: both are there" wait_screen "$(row "$R1" replica)" 15
check "plain: the sheet opens" open_sheet
check "plain: FAILOVER, to the master" sheet_says "command FAILOVER (TO 127.0.0.1 $R1 )?TIMEOUT 10000 goes to 127.0.0.1:$M"
check "plain: nothing is at risk" sheet_says 'at risk nothing: the master pauses writes'
screen_keys -l "127.0.0.1:$M"
pause_node "$R1"
cli "$M" set after-the-pause x >/dev/null
screen_keys Enter
check "plain: given up by the master" wait_sheet 'Failed: given up by the master: no replica caught up within 10 s' 30
resume_node "$R1"
close_sheet
wait_for 15 "the replica is linked" linked "$R1"
check "plain: the sheet opens again" open_sheet
send "127.0.0.1:$M"
check "plain: verified" wait_sheet "Done and verified: new master 127.0.0.1:$R1 by its own word" 20
check "plain: the old master follows" sheet_says "old master 127.0.0.1:$M follows the new one"
screen_stop
kill_node "$M"
kill_node "$R1"

# --- a cluster ---------------------------------------------------------------------------------------------------

start_cluster "${C[@]}"
witness=${C[1]}
victim=${C[0]}
heir=$(cli "$witness" cluster nodes | awk -v id="$(cli "$victim" cluster myid)" \
	'$4 == id { sub(/@.*/, "", $2); sub(/.*:/, "", $2); print $2; exit }')
# By itself it takes over nothing: that is left to the operator.
cli "$heir" config set cluster-replica-no-failover yes >/dev/null
: >"$LOG"
screen_redoubt 80x24 --log "$LOG" "127.0.0.1:$witness"
check "cluster: the shard" wait_screen "$(row "$heir" replica)" 20
screen_keys 2 g
on_heir() {
	screen_keys f
	wait_for 2 "a sheet" screen_has 'Esc (leaves|closes)|to go ahead|Cannot be done' || return 1
	sheet_says "goes to 127.0.0.1:$heir" && return
	screen_keys Escape
	sleep 0.1
	screen_keys j
	return 1
}
check "cluster: its sheet" wait_for 20 "its sheet" on_heir
check "cluster: without FORCE at first" sheet_says "command CLUSTER FAILOVER goes to 127.0.0.1:$heir"
check "cluster: nothing at risk" sheet_says 'at risk nothing: the master pauses writes'
close_sheet
kill_node "$victim"
check "cluster: the master has failed" wait_for 20 "failed" logged 'node-fail .*'"$victim"
check "cluster: the sheet is blocked, and names FORCE" wait_for 20 "its sheet" on_heir
check "cluster: only FORCE can do it" sheet_says 'without the master only FORCE can do it'
wait_for 5 "the other form" eval "screen_keys Tab; sleep 0.2; sheet_says 'command CLUSTER FAILOVER FORCE'" ||
	fail "cluster: Tab chooses FORCE"
check "cluster: its danger" sheet_says 'FORCE the master does not take part: what it has not replicated is lost'
check "cluster: TAKEOVER is not offered" screen_lacks TAKEOVER
check "cluster: it listens" wait_for 5 "listens" sheet_listens
screen_keys -l "127.0.0.1:$heir"
screen_keys Enter
check "cluster: the address alone does not do" wait_sheet 'nothing was sent: that is another name' 5
send "FORCE 127.0.0.1:$heir"
check "cluster: verified" wait_sheet "Done and verified: 127.0.0.1:$heir is master by its own word" 30
check "cluster: its steps" sheet_says 'writable [0-9]+ ms'
screen_stop

finish
