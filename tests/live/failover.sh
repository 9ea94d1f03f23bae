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

# --- helpers ---------------------------------------------------------------------------------------

# open_sheet [REGEX]
open_sheet() {
	screen_keys f
	wait_screen "${1:-Type .* to go ahead}" && sheet_listens
}

# Where the last one ended just now: a reply that was under way may say for a moment that it runs.
open_sheet_soon() {
	screen_keys f
	wait_for 2 "the sheet asks" screen_has 'Type .* to go ahead' && return
	leave_sheet
	return 1
}

# The whole sheet on one line, without its frame: sentences may be broken.
sheet_text() {
	screen_text | sed 's/[│┌┐└┘─]//g' | tr -s ' \n' ' '
}

sheet_says() {
	sheet_text | grep -Eq -- "$1"
}

# wait_sheet REGEX [SECONDS]
wait_sheet() {
	wait_for "${2:-30}" "sheet says /$1/" sheet_says "$1" && return
	screen_text | sed 's/^/# /'
	return 1
}

sheet_differs() {
	[ "$(sheet_text)" != "$1" ]
}

# Down its pages and up again, one more each time.
PAGE=0
scrolls_to() {
	local before
	before=$(sheet_text)
	sheet_says "$1" && return
	PAGE=$(((PAGE + 1) % 8))
	screen_keys "$([ "$PAGE" -lt 4 ] && echo NPage || echo PPage)"
	wait_for 1 "it moves" sheet_differs "$before"
	sheet_says "$1"
}

# scrolled_has REGEX: everything on the sheet, also what is below.
scrolled_has() {
	wait_for 60 "sheet says /$1/ somewhere" scrolls_to "$1" && return
	screen_text | sed 's/^/# /'
	return 1
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
	wait_for 150 "the set is quiet" set_is_quiet || bail "the set settles: $1" "$(scli "${S[0]}" sentinel master mymaster)"
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
	local before
	before=$(identity "$(tm display-message -p '#{pane_pid}' 2>/dev/null)")
	screen_stop
	# The one of before may have a word to write yet.
	[ -z "$before" ] || wait_for 30 "the one of before is gone" is_gone "$before"
	: >"$LOG"
	screen_redoubt "$1" --log "$LOG" "127.0.0.1:${S[0]}"
	wait_screen "$(row "$master" master)" && wait_screen 'Sentinels +3 of 3 answer'
}

# Sentinels tell the old master to follow the new one some ten seconds after the switch. Looks at what is
# until then are not raced against that: it refuses to be told.
keep_master() {
	cli "$1" acl setuser default -slaveof -replicaof >/dev/null
}

let_master_go() {
	cli "$1" acl setuser default +@all >/dev/null
}

goes_to() {
	sheet_text | grep -oE 'goes to 127\.0\.0\.1:[0-9]+' | grep -oE '[0-9]+$'
}

# Sets asked: the Sentinel on the sheet.
note_asked() {
	asked=$(goes_to) && [ -n "$asked" ]
}

another_is_asked() {
	local now
	now=$(goes_to) && [ "$now" != "$asked" ]
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
check "the command and whom it goes to" wait_sheet "command SENTINEL FAILOVER mymaster goes to 127.0.0.1:[0-9]+ .sentinel"
check "can it be done" wait_sheet 'ready failover ok: 3 of 3 Sentinels'
check "who and why, by whose data" wait_sheet "promoted 127.0.0.1:$R1: lowest priority: 90 .by the data of 127.0.0.1"
check "what is at risk" wait_sheet 'at risk up to [0-9.]+ k?B, up to [0-9.]+ s'
check "what comes after it" wait_sheet 'after it the old master takes writes, which will be lost'
check "further down: the other replica, and how it goes on" scrolled_has 'behind, priority 100, (partial|full) resync'
check "further down: clients" scrolled_has 'clients connected: [0-9]+'
check "further down: quorum as each Sentinel sees it" scrolled_has "127.0.0.1:${S[2]} quorum 2, knows 3 Sentinels"
check "the prompt stays" wait_sheet 'Type mymaster to go ahead'
keep_master "$master"
answer mymaster
check "the steps, in ms" wait_sheet 'elected [0-9]+ ms .*selected [0-9]+ ms .*writable [0-9]+ ms'
check "the old master still takes writes, counted" \
	wait_sheet "old master 127.0.0.1:$master still takes writes, which will be lost: [0-9]+ s and [0-9.]+ k?B so far"
check "all Sentinels name the new one" wait_sheet '3 of 3 that answer name it'
check "left while it is followed" leave_sheet
check "the alert line counts as well" wait_screen "CRITICAL .*$master second master [0-9]+ s"
screen_keys f
check "f opens the same sheet again" wait_sheet 'still takes writes'
let_master_go "$master"
check "verified when the old master is demoted" wait_sheet 'Done and verified: new master' 120
check "replicas are attached" wait_sheet '1 of 1 are linked to it'
check "what was written to the old one is said" wait_sheet 'old master 127.0.0.1:[0-9]+ was demoted [0-9.]+ s after'
wait_equal 30 "it is so: the old master is a replica" slave role_of "$master"
check "the log has the end" logged 'failover verified: .*3 of 3 Sentinels that answer agree'
leave_sheet

# --- somebody else's --------------------------------------------------------------------------------

settle "after the first"
start 80x24
check "somebody else's: the sheet opens" open_sheet
screen_keys -l mymaste
wait_screen '> mymaste'
someone_else_acts() {
	[[ $(scli "${S[2]}" sentinel failover mymaster) == OK* ]]
}
wait_for 30 "another's failover" someone_else_acts
check "the sheet is blocked at once, without a key" wait_sheet 'Cannot be done now: (a failover is already running|the master is another one)'
screen_keys -l r
screen_keys Enter
check "Enter says that nothing was sent" wait_sheet 'nothing was sent'
check "Esc closes it" leave_sheet
check "the other one is through" logged 'switch-master' 60

# --- refused: no permission ---------------------------------------------------------------------------

settle "after the other one's"
equal "nothing was sent" 0 "$(grep -c 'failover sent' "$LOG")"
start 80x24
no_permission() {
	check "no permission: the sheet opens" open_sheet
	wait_for 30 "whom it goes to" note_asked
	scli "$asked" acl setuser default '-sentinel|failover' >/dev/null
	answer mymaster
	check "no permission: the server's words and what is missing" wait_sheet 'refused: the user lacks \+sentinel\|failover: NOPERM'
	leave_sheet
	check "the next sheet opens" open_sheet
	check "and knows it beforehand" wait_sheet "the user lacks \+sentinel\|failover at 127.0.0.1:$asked"
	check "another Sentinel is asked" wait_for 30 "another" another_is_asked
	scli "$asked" acl setuser default '+@all' >/dev/null
	leave_sheet
}
if server_has 700; then
	no_permission
else
	skip "no permission: before 7.0 an ACL takes no subcommand away"
fi

# --- refused: no good replica; and the same at a crash --------------------------------------------------

priorities 0
nobody() {
	[ "$(for port in "${S[@]}"; do scli "$port" sentinel replicas mymaster; done |
		grep -A1 -c '^slave-priority$')" -gt 0 ] &&
		! for port in "${S[@]}"; do scli "$port" sentinel replicas mymaster; done |
			grep -A1 '^slave-priority$' | grep -Eqx '[1-9][0-9]*'
}
wait_for 90 "the Sentinels know it" nobody || bail "the Sentinels see priority 0"
start 80x24
check "no good replica: the sheet opens" open_sheet
check "it says so beforehand" wait_sheet 'promoted nobody: no replica can be promoted, the answer will be NOGOODSLAVE'
check "and why each is passed over" scrolled_has 'passed over 127.0.0.1:[0-9]+: replica-priority 0'
answer mymaster
check "refused in the server's words" wait_sheet 'refused: NOGOODSLAVE'
leave_sheet
sentinels_set down-after-milliseconds 1000
kill_node "$master"
check "a crash without a good replica: given up" logged 'failover-abort-no-good-slave' 120
check "the sheet opens" wait_for 90 "the sheet" open_sheet_soon
check "it tells the abort in words" scrolled_has 'last failover aborted [0-9].* ago: no replica can be promoted'
leave_sheet
sentinels_set down-after-milliseconds 5000
restart_node "$master"
wait_for 60 "the master is back" node_answers "$master" || bail "the master comes back"
priorities 100

# --- given up: the chosen replica is not promoted in time ------------------------------------------------

settle "after the abort"
reset_priorities() {
	for port in "${S[@]}"; do scli "$port" sentinel replicas mymaster; done |
		grep -A1 '^slave-priority$' | grep -qx 0 && return 1
	return 0
}
wait_for 90 "the Sentinels know the priorities" reset_priorities
start 80x24
check "paused replicas: the sheet opens" open_sheet
screen_keys -l mymaster
wait_screen '> mymaster'
for port in "$M" "$R1" "$R2"; do
	[ "$port" = "$master" ] || pause_node "$port"
done
screen_keys Enter
check "given up in words, with the reason" \
	wait_sheet 'Failed: given up: the chosen replica was not promoted in time .-failover-abort-slave-timeout' 120
for port in "$M" "$R1" "$R2"; do
	resume_node "$port"
done
wait_equal 30 "the master is as before" "127.0.0.1:$master" sentinel_master "${S[0]}"
leave_sheet

# --- the Sentinel that was asked dies ---------------------------------------------------------------------

settle "after the paused ones"
start 80x24
check "a Sentinel that dies late: the sheet opens" open_sheet
wait_for 30 "whom it goes to" note_asked
keep_master "$master"
answer mymaster
logged '\+switch-master' 60 || bail "the others switch"
kill_node "$asked"
check "it is said that it is gone" wait_sheet "asked 127.0.0.1:$asked does not answer any more: the others are followed"
let_master_go "$master"
check "the others' words are followed to the end" wait_sheet 'Done and verified: new master .*2 of 2 Sentinels that answer agree.*3 known' 150
leave_sheet
restart_node "$asked" --sentinel
wait_for 60 "it is back" sentinel_answers "$asked"

settle "after the dead Sentinel"
start 80x24
check "a Sentinel that dies at once: the sheet opens" open_sheet
wait_for 30 "whom it goes to" note_asked
screen_keys -l mymaster
wait_screen '> mymaster'
screen_keys Enter
logged 'failover (accepted|sent)' || bail "it is sent"
kill_node "$asked"
check "it comes to an end that is so" wait_sheet \
	'Failed: (nothing happened within|undone:)|Done and verified' 150
if [[ $(sheet_text) == *'nothing happened'* ]]; then
	check "nothing happened: by whose word" wait_sheet "2 of 2 Sentinels; the Sentinel that was asked does not answer"
	wait_equal 30 "and so it is" "127.0.0.1:$master" \
		sentinel_master "$(printf '%s\n' "${S[@]}" | grep -vx "$asked" | head -n 1)"
fi
leave_sheet
restart_node "$asked" --sentinel
wait_for 60 "it is back" sentinel_answers "$asked"

# --- given up: not elected ----------------------------------------------------------------------------------

settle "after the second dead Sentinel"
sentinels_set down-after-milliseconds 1000
scli "${S[0]}" sentinel set mymaster quorum 1 >/dev/null
start 80x24
pause_node "${S[1]}"
pause_node "${S[2]}"
kill_node "$master"
check "2 of 3 Sentinels stopped: not elected" logged 'failover-abort-not-elected' 120
check "the sheet opens" wait_for 90 "the sheet" open_sheet_soon
check "it says who would have to vote" wait_sheet '1 of 3 Sentinels answer and can act, 2 must vote'
check "it tells the abort in words" scrolled_has 'last failover aborted [0-9].* ago: no majority of Sentinels elected this leader'
leave_sheet
resume_node "${S[1]}"
resume_node "${S[2]}"
screen_stop
for port in "${!NODE_PID[@]}"; do
	kill_node "$port"
done

# --- a set that nobody watches ---------------------------------------------------------------------------------

start_node "$M"
start_node "$R1" "replicaof 127.0.0.1 $M"
wait_for 60 "the replica is linked" linked "$R1" || bail "the plain set"
: >"$LOG"
screen_redoubt 80x24 --log "$LOG" "127.0.0.1:$M"
check "plain: both are there" wait_screen "$(row "$R1" replica)"
plain_set() {
	check "plain: the sheet opens" open_sheet
	check "plain: FAILOVER, to the master" wait_sheet "command FAILOVER (TO 127.0.0.1 $R1 )?TIMEOUT 10000 goes to 127.0.0.1:$M"
	check "plain: nothing is at risk" wait_sheet 'at risk nothing: the master pauses writes'
	screen_keys -l "127.0.0.1:$M"
	wait_screen "> 127.0.0.1:$M"
	# Something is written all the time, so that what the paused one lacks is more with each moment.
	REDISCLI_AUTH=$PASSWORD "$REDIS_CLI" -h 127.0.0.1 -p "$M" -r -1 -i 0.01 incr load >/dev/null 2>&1 </dev/null &
	LOAD=$!
	OTHER_PIDS+=("$LOAD")
	disown
	is_loaded() {
		[ "$(cli "$M" get load)" -gt 0 ]
	}
	wait_for 30 "something is written" is_loaded
	pause_node "$R1"
	screen_keys Enter
	check "plain: given up by the master" wait_sheet 'Failed: given up by the master: no replica caught up within 10 s' 90
	resume_node "$R1"
	signal_child TERM "$LOAD"
	leave_sheet
	wait_for 60 "the replica is linked" linked "$R1"
	check "plain: the sheet opens again" open_sheet
	answer "127.0.0.1:$M"
	check "plain: verified" wait_sheet "Done and verified: new master 127.0.0.1:$R1 by its own word"
	check "plain: the old master follows" wait_sheet "old master 127.0.0.1:$M follows the new one"
}
plain_set_of_old() {
	screen_keys f
	check "plain: not before 6.2" wait_sheet 'Cannot be done now: FAILOVER needs Redis 6.2 or later, the master runs [0-9.]+'
	check "plain: and that is the verdict" wait_sheet 'ready NO failover: FAILOVER needs Redis 6.2 or later'
	leave_sheet
	equal "plain: nothing was sent" 0 "$(grep -c 'failover sent' "$LOG")"
}
if server_has 602; then
	plain_set
else
	plain_set_of_old
fi
screen_stop
kill_node "$M"
kill_node "$R1"

# --- a cluster ---------------------------------------------------------------------------------------------------

# None is to be missed but the one that is killed.
CLUSTER_NODE_TIMEOUT=5000
start_cluster "${C[@]}"
witness=${C[1]}
victim=${C[0]}
heir=$(cli "$witness" cluster nodes | awk -v id="$(cli "$victim" cluster myid)" \
	'$4 == id { sub(/@.*/, "", $2); sub(/.*:/, "", $2); print $2; exit }')
# By itself it takes over nothing: that is left to the operator.
cli "$heir" config set cluster-replica-no-failover yes >/dev/null
: >"$LOG"
screen_redoubt 80x24 --log "$LOG" "127.0.0.1:$witness"
check "cluster: the shard" wait_screen "$(row "$heir" replica)"
screen_keys 2 g
# That of the next row, if it is not this one's; from the last one back to the first.
ROW=0
on_heir() {
	screen_keys f
	wait_for 5 "a sheet" screen_has "$SHEET" && wait_for 1 "its own" sheet_says "goes to 127.0.0.1:$heir" && return
	leave_sheet
	ROW=$(((ROW + 1) % 12))
	if [ "$ROW" -eq 0 ]; then screen_keys g; else screen_keys j; fi
	return 1
}
check "cluster: its sheet" wait_for 90 "its sheet" on_heir
check "cluster: without FORCE at first" wait_sheet "command CLUSTER FAILOVER goes to 127.0.0.1:$heir"
check "cluster: nothing at risk" wait_sheet 'at risk nothing: the master pauses writes'
leave_sheet
kill_node "$victim"
check "cluster: the master has failed" logged 'node-fail .*'"$victim" 60
check "cluster: the sheet is blocked, and names FORCE" wait_for 90 "its sheet" on_heir
check "cluster: only FORCE can do it" wait_sheet 'without the master only FORCE can do it'
# It is deaf at first.
tab_to_force() {
	screen_keys Tab
	wait_for 3 "the other form" sheet_says 'command CLUSTER FAILOVER FORCE'
}
check "cluster: Tab chooses FORCE" wait_for 60 "the other form" tab_to_force
check "cluster: its danger" wait_sheet 'FORCE the master does not take part: what it has not replicated is lost'
check "cluster: TAKEOVER is not offered" screen_lacks TAKEOVER
check "cluster: it listens" sheet_listens
answer "127.0.0.1:$heir"
check "cluster: the address alone does not do" wait_sheet 'nothing was sent: that is another name'
answer "FORCE 127.0.0.1:$heir"
check "cluster: verified" wait_sheet "Done and verified: 127.0.0.1:$heir is master by its own word" 90
check "cluster: its steps" wait_sheet 'writable [0-9]+ ms'
screen_stop

finish
