#!/bin/bash
# The ACLs of docs/acl.md: its very lines are applied to real servers, and nothing in them is missing
# and nothing too much. What is refused is said with the permission that would allow it.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317,SC2016
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_redoubt
command -v tmux >/dev/null || skip_all "no tmux here"
DOC=$SRC/docs/acl.md
JSON=$WORK/snapshot.json
ACL_PASSWORD=live-acl-$$-$RANDOM
ACL_PASS_FILE=$WORK/acl-pass
(umask 077 && echo "$ACL_PASSWORD" >"$ACL_PASS_FILE")

# --- the lines -------------------------------------------------------------------------------------

# acl_line watch|operate sentinel|data|cluster|replication: the one line of that block.
acl_line() {
	awk -v fence="\`\`\`acl $1 $2" '$0 == "```" { inside = 0 } inside { print } $0 == fence { inside = 1 }' "$DOC"
}

# apply_acl LINE PORT...: at Sentinels as well, whose password is another one.
apply_acl() {
	local line=${1//PASSWORD/$ACL_PASSWORD} port words
	shift
	read -ra words <<<"$line"
	for port; do
		[ "$(node_cli "$port" "${words[@]}")" = OK ] || { node_cli "$port" "${words[@]}"; return 1; }
	done
}

node_cli() {
	if is_sentinel "$1"; then scli "$@"; else cli "$@"; fi
}

is_sentinel() {
	[[ " ${S[*]-} " == *" $1 "* ]]
}

# The user that a line makes, and the permissions that it gives.
user_of() {
	awk '{ print $3 }' <<<"$1"
}

permissions_of() {
	tr ' ' '\n' <<<"$1" | grep -E '^(\+|&)'
}

for line in 'reset sentinel' 'set sentinel' 'flushconfig sentinel' 'bgsave data' 'probe data'; do
	# shellcheck disable=SC2086
	equal "docs/acl.md has one line for $line" "1 ACL SETUSER" \
		"$(acl_line $line | wc -l) $(acl_line $line | cut -d' ' -f1,2)"
done

for who in watch operate; do
	for where in sentinel data cluster replication; do
		equal "docs/acl.md has one line to $who: $where" "1 ACL SETUSER" \
			"$(acl_line "$who" "$where" | wc -l) $(acl_line "$who" "$where" | cut -d' ' -f1,2)"
	done
done

# --- helpers ---------------------------------------------------------------------------------------

USERS=() # options for the user under test

as_user() {
	USERS=(--user "$1" --pass-file "$ACL_PASS_FILE" --sentinel-user "$1" --sentinel-pass-file "$ACL_PASS_FILE")
}

as_default() {
	USERS=(--pass-file "$PASS_FILE" --sentinel-pass-file "$SENTINEL_PASS_FILE")
}

snapshot() {
	timeout 60 "$REDOUBT" --once --format json "${USERS[@]}" "$@" >"$JSON" 2>"$WORK/once.err"
	echo $? >"$WORK/once.status"
}

# Every place in the snapshot with the type of what is there: null where a fact is missing. What is
# found wrong, and what would be lost, differs from poll to poll in its numbers.
filled() {
	jq -c '.deployments |= map(del(.findings) |
		walk(if type == "object" then del(.loss_ms, .loss_bytes, .candidate, .excluded, .reasons) else . end) |
		walk(if type == "array" and (.[0] | type) == "object"
			then sort_by(.addr // .sentinel // .name // .master.addr // "") else . end)) |
		paths(type != "object" and type != "array") as $p | [$p, (getpath($p) | type)]' "$JSON"
}

error_of() {
	jq -r --arg addr "127.0.0.1:$1" '.deployments[0].nodes[] | select(.addr == $addr) | .error // ""' "$JSON"
}

acl_log_is_empty() {
	local port output
	for port; do
		output=$(node_cli "$port" acl log)
		[ -z "$output" ] || { echo "$port: $output"; return 1; }
	done
}

reset_acl_log() {
	local port
	for port; do
		node_cli "$port" acl log reset >/dev/null
	done
}

# sees_as_default TARGET: the user under test sees as much as one who may do everything.
sees_as_default() {
	local user=("${USERS[@]}")
	as_default
	snapshot "$1"
	filled >"$WORK/expected"
	USERS=("${user[@]}")
	snapshot "$1"
	filled >"$WORK/actual"
	cat "$WORK/once.err"
	[ -s "$WORK/expected" ] && diff "$WORK/expected" "$WORK/actual" && [ "$(cat "$WORK/once.status")" = 0 ]
}

# same_as_default WHAT TARGET: the servers move between the two looks, so there may be several.
same_as_default() {
	wait_check 90 "$1: all that a user with every permission sees" sees_as_default "127.0.0.1:$2"
	equal "$1: exit status" 0 "$(cat "$WORK/once.status")"
}

# Not from within check, which is a subshell: the terminal is this shell's.
operator_screen() {
	screen_start 120x40 "$REDOUBT" "${USERS[@]}" --log "$WORK/log" "127.0.0.1:$1"
}

# send_failover NAME: the sheet of a failover, filled in and sent.
send_failover() {
	wait_screen 'replica +up' || return 1
	screen_keys 2 g
	wait_for 90 "the sheet of $1" sheet_opens "$1" && sheet_listens || return 1
	answer "$1"
}

# That of the next row, if it is not this one's; from the last one back to the first.
TRIES=0
sheet_opens() {
	screen_keys f
	wait_for 5 "a sheet" screen_has "$SHEET" && wait_for 1 "it is that" screen_has "Type $1 to go ahead" && return
	leave_sheet
	TRIES=$((TRIES + 1))
	if [ $((TRIES % 12)) -eq 0 ]; then screen_keys g; else screen_keys j; fi
	return 1
}

# The sheet of a row that can fail over, which is blocked as soon as the server has answered.
sheet_is_blocked() {
	screen_keys f
	wait_for 5 "a sheet" screen_has "$SHEET" && wait_for 5 "it is blocked" screen_has "$1" && return
	leave_sheet
	screen_keys j
	return 1
}

sent() {
	if [ -e "$WORK/log" ]; then grep -c 'failover sent' "$WORK/log"; else echo 0; fi
}

# refused_without PERMISSION: the sheet is blocked and names it, and the dashboard says it from then on.
refused_without() {
	local before lacks="the user lacks ${1//[+|]/\\&}"
	before=$(sent)
	check "$1 is missing: watched" wait_screen 'replica +up'
	screen_keys 2 g
	check "$1 is missing: the sheet is blocked" wait_for 90 "such a sheet" \
		sheet_is_blocked "$lacks there: nothing is sent"
	check "$1 is missing: it says at which server" screen_has "permission +lacks ${1//[+|]/\\&} at 127"
	leave_sheet
	check "$1 is missing: readiness says so" wait_screen "by hand: $lacks"
	equal "$1 is missing: nothing was sent" "$before" "$(sent)"
	screen_stop
}

linked() {
	[ "$(info_field "$1" replication master_link_status)" = up ]
}

# send_action LINE CONFIRM
send_action() {
	wait_for 120 "the sheet of $1" line_says "$1" "Type $2 to go ahead" && sheet_listens || return 1
	answer "$2"
}

# try_action LINE CONFIRM PERMISSION BLOCK PORT...: refused without the permission, verified with the line
# of its block in the document and nothing more. On the operator's screen.
try_action() {
	local line=$1 confirm=$2 permission=$3 block=$4
	shift 4
	check "$line of an operator without $permission is sent" send_action "$line" "$confirm"
	check "$permission is missing: the sheet says so" wait_screen "the user lacks ${permission//[+|]/\\&}: NOPERM"
	leave_sheet
	# shellcheck disable=SC2086
	check "$line: its line is taken" apply_acl "$(acl_line $block)" "$@"
	reset_acl_log "${S[@]}" "${DATA[@]}"
	check "$line of an operator is sent" send_action "$line" "$confirm"
	check "$line is verified" wait_screen 'Done and verified: ' 180
	leave_sheet
	check "$line: nothing that was asked for was refused" acl_log_is_empty "${S[@]}" "${DATA[@]}"
}

# --- Sentinel --------------------------------------------------------------------------------------

free_ports 6
M=${PORTS[0]} R1=${PORTS[1]} R2=${PORTS[2]}
DATA=("${PORTS[@]:0:3}") S=("${PORTS[@]:3:3}")
start_node "$M"
for port in "$R1" "$R2"; do
	start_node "$port" "replicaof 127.0.0.1 $M"
done
for port in "$R1" "$R2"; do
	wait_for 60 "replica is linked" linked "$port" || bail "replica $port synchronises"
done
for port in "${S[@]}"; do
	start_sentinel "$port" "$M" 2 5000
done
for port in "${S[@]}"; do
	wait_for 90 "Sentinel sees all" sentinel_is_settled "$port" 2 2 || bail "Sentinel $port sees all"
done

apply_all() {
	apply_acl "$(acl_line "$1" sentinel)" "${S[@]}" && apply_acl "$(acl_line "$1" data)" "${DATA[@]}"
}
check "Sentinel: the lines to watch are taken" apply_all watch
check "Sentinel: the lines to operate are taken" apply_all operate
WATCH=$(user_of "$(acl_line watch sentinel)")
OPERATE=$(user_of "$(acl_line operate sentinel)")

as_user "$WATCH"
same_as_default "Sentinel, to watch" "${S[0]}"
as_user "$OPERATE"
same_as_default "Sentinel, to operate" "${S[0]}"

# Each of them is needed.
as_user "$WATCH"
node_says() {
	snapshot "127.0.0.1:${S[0]}"
	jq -e --arg text "the user lacks $1" \
		'[.deployments[].nodes[].error | strings | select(contains($text))] | length > 0' "$JSON"
}
is_watched() {
	jq -r --arg addr "127.0.0.1:$1" '.deployments[0].nodes[] | select(.addr == $addr) | .status' "$JSON"
}
# names_and_watches PERMISSION: it is named, and of the rest the master is known and watched.
names_and_watches() {
	node_says "$1" || return
	case $1 in +info | '+sentinel|masters') return ;; esac
	[ "$(jq -r '.deployments[0].masters[0].addr' "$JSON") $(is_watched "$M")" = "127.0.0.1:$M up" ]
}
for permission in $(permissions_of "$(acl_line watch sentinel)" | grep -Ev '^(&|\+ping|\+psubscribe)'); do
	apply_acl "ACL SETUSER $WATCH -${permission#+}" "${S[@]}"
	wait_check 60 "Sentinel without $permission: it is named, and the rest is watched" names_and_watches "$permission"
	apply_acl "$(acl_line watch sentinel)" "${S[@]}"
done
one_lacks_info() {
	node_says +info && [ "$(error_of "$R1" | cut -d: -f1)" = "the user lacks +info" ] &&
		[ "$(is_watched "$R2") $(error_of "$R2")" = "up " ]
}
apply_acl "ACL SETUSER $WATCH -info" "$R1"
wait_check 60 "data node without +info: it is named, that one, and the other is watched" one_lacks_info
apply_acl "$(acl_line watch data)" "$R1"

# The client's eye: no outage without its permissions, each of them named; and with its line nothing
# more is wanted.
client() {
	snapshot --probe "127.0.0.1:${S[0]}"
	jq -r '.deployments[0].masters[0].client | "\(.writable) \(.message)"' "$JSON" | cut -d: -f1,2
}
client_says() {
	wait_equal 60 "$1" "$2" client
}
PROBE_LINE=$(acl_line probe data)
client_says "the probe of a watcher is no outage" "null cannot write: the user lacks +set"
for permission in +set +get; do
	apply_acl "$PROBE_LINE" "${DATA[@]}"
	apply_acl "ACL SETUSER $WATCH -${permission#+}" "${DATA[@]}"
	client_says "the probe without $permission: it is named" "null cannot write: the user lacks $permission"
done
apply_acl "$PROBE_LINE" "${DATA[@]}"
apply_acl "ACL SETUSER $WATCH resetkeys" "${DATA[@]}"
client_says "the probe without its keys: they are named" "null cannot write: the user lacks ~redoubt"
reset_acl_log "${DATA[@]}"
apply_acl "$PROBE_LINE" "${DATA[@]}"
# Each time its key is gone when it has ended.
writes_and_tidies() {
	snapshot --probe "127.0.0.1:${S[0]}"
	jq '.deployments[0].masters[0].client' "$JSON"
	[ "$(jq -r '.deployments[0].masters[0].client.writable' "$JSON")" = true ] &&
		[ "$(cli "$M" --scan --pattern 'redoubt:*' | wc -l)" = 0 ]
}
wait_check 60 "the probe with its line: it writes, and takes its key away" writes_and_tidies
check "the probe with its line: nothing is refused" acl_log_is_empty "${DATA[@]}"
as_watcher_writes() {
	REDISCLI_AUTH=$ACL_PASSWORD "$REDIS_CLI" -p "$M" --user "$WATCH" set other 1
}
check "the probe with its line: it could write nothing else" eval 'as_watcher_writes 2>&1 | grep -q NOPERM'
apply_acl "$(acl_line watch data)" "${DATA[@]}"

# Events, and nothing else that would be refused.
reset_acl_log "${S[@]}" "${DATA[@]}"
"$REDOUBT" "${USERS[@]}" --events --format json "127.0.0.1:${S[0]}" >"$WORK/events" 2>/dev/null </dev/null &
LISTENER=$!
OTHER_PIDS+=("$LISTENER")
disown
marker_seen() {
	scli "${S[1]}" sentinel set mymaster failover-timeout 10000 >/dev/null
	saw_event "$WORK/events" +set
}
check "Sentinel, to watch: events arrive" wait_for 60 "an event" marker_seen
signal_child TERM "$LISTENER"

for permission in '&*' +psubscribe; do
	if [ "$permission" = '&*' ]; then
		apply_acl "ACL SETUSER $WATCH resetchannels &+sdown" "${S[@]}"
	else
		apply_acl "ACL SETUSER $WATCH -psubscribe" "${S[@]}"
	fi
	screen_start 120x40 "$REDOUBT" "${USERS[@]}" "127.0.0.1:${S[0]}"
	check "without $permission: the screen names it" \
		wait_screen "no events from it: the user lacks ${permission//[+*&]/\\&}"
	check "without $permission: all else is watched" wait_screen "127.0.0.1:$R1 +replica +up"
	screen_stop
	apply_acl "$(acl_line watch sentinel)" "${S[@]}"
done

reset_acl_log "${S[@]}" "${DATA[@]}"
operator_screen "${S[0]}"
refused_without '+sentinel|failover'
reset_acl_log "${S[@]}" "${DATA[@]}"

as_user "$OPERATE"
operator_screen "${S[0]}"
check "the failover of an operator is sent" send_failover mymaster
check "Sentinel, to operate: the failover is verified" wait_screen 'Done and verified: ' 120
check "nothing that was asked for was refused" acl_log_is_empty "${S[@]}" "${DATA[@]}"
leave_sheet
screen_keys 2 g
try_action "set quorum 2" mymaster '+sentinel|set' 'set sentinel' "${S[@]}"
try_action flushconfig mymaster '+sentinel|flushconfig' 'flushconfig sentinel' "${S[@]}"
try_action reset mymaster '+sentinel|reset' 'reset sentinel' "${S[@]}"
now_master=$(sentinel_master "${S[0]}")
try_action bgsave "$now_master" +bgsave 'bgsave data' "${DATA[@]}"
type_line ping
check "the test of the connection takes nothing more" wait_screen 'Done and verified: 10 round trips'
check "nor is anything of it refused" acl_log_is_empty "${S[@]}" "${DATA[@]}"
screen_stop
for port in "${PORTS[@]}"; do
	kill_node "$port"
done

# --- a plain replication set -----------------------------------------------------------------------

S=()
free_ports 2
M=${PORTS[0]} R1=${PORTS[1]}
start_node "$M"
start_node "$R1" "replicaof 127.0.0.1 $M"
wait_for 60 "replica is linked" linked "$R1" || bail "replica $R1 synchronises"
check "replication: the lines are taken" eval \
	'apply_acl "$(acl_line watch replication)" "$M" "$R1" && apply_acl "$(acl_line operate replication)" "$M" "$R1"'
as_user "$(user_of "$(acl_line watch replication)")"
same_as_default "replication, to watch" "$M"
check "replication: nothing that was asked for was refused" acl_log_is_empty "$M" "$R1"
NAME=$(jq -r '.deployments[0].masters[0].name' "$JSON")
operator_screen "$M"
refused_without +failover
reset_acl_log "$M" "$R1"
as_user "$(user_of "$(acl_line operate replication)")"
operator_screen "$M"
check "replication: the failover of an operator is sent" send_failover "$NAME"
check "replication, to operate: the failover is verified" wait_screen 'Done and verified: ' 120
screen_stop
wait_equal 30 "replication: the replica is master" master info_field "$R1" replication role
check "replication: nothing that was asked for was refused" acl_log_is_empty "$M" "$R1"
kill_node "$M"
kill_node "$R1"

# --- a cluster -------------------------------------------------------------------------------------

free_ports 6
# Nothing fails here, so no node need be missed soon.
CLUSTER_NODE_TIMEOUT=15000
start_cluster "${PORTS[@]}"
check "cluster: the lines are taken" eval \
	'apply_acl "$(acl_line watch cluster)" "${PORTS[@]}" && apply_acl "$(acl_line operate cluster)" "${PORTS[@]}"'
as_user "$(user_of "$(acl_line watch cluster)")"
same_as_default "cluster, to watch" "${PORTS[0]}"
check "cluster: nothing that was asked for was refused" acl_log_is_empty "${PORTS[@]}"
shards() {
	snapshot "127.0.0.1:${PORTS[1]}"
	jq '.deployments[0].shards | length' "$JSON"
}
error_of_first() {
	snapshot "127.0.0.1:${PORTS[1]}"
	error_of "${PORTS[0]}" | cut -d: -f1
}
for permission in $(permissions_of "$(acl_line watch cluster)" | grep -v '^+ping'); do
	apply_acl "ACL SETUSER ${USERS[1]} -${permission#+}" "${PORTS[0]}"
	if [ "$permission" = '+cluster|nodes' ]; then
		# Another node was asked, or it was this one's turn.
		wait_equal 60 "cluster, one node without $permission: the others tell" 3 shards
	else
		wait_equal 60 "cluster without $permission: it is named" "the user lacks $permission" error_of_first
	fi
	apply_acl "$(acl_line watch cluster)" "${PORTS[0]}"
done
reset_acl_log "${PORTS[@]}"

slave=$(cli "${PORTS[0]}" cluster nodes | awk '/slave/ { sub(/@.*/, "", $2); print $2; exit }')
operator_screen "${PORTS[0]}"
refused_without '+cluster|failover'
as_user "$(user_of "$(acl_line operate cluster)")"
reset_acl_log "${PORTS[@]}"
operator_screen "${PORTS[0]}"
check "cluster: the failover of an operator is sent" send_failover "$slave"
check "cluster, to operate: the failover is verified" wait_screen "Done and verified: $slave" 120
screen_stop
wait_equal 30 "cluster: the replica is master" master info_field "${slave##*:}" replication role
check "cluster: nothing that was asked for was refused" acl_log_is_empty "${PORTS[@]}"

finish
