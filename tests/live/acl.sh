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
	timeout 30 "$REDOUBT" --once --format json "${USERS[@]}" "$@" >"$JSON" 2>"$WORK/once.err"
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

# same_as_default WHAT TARGET: the user under test sees as much as one who may do everything.
same_as_default() {
	local user=("${USERS[@]}")
	as_default
	snapshot "127.0.0.1:$2"
	filled >"$WORK/expected"
	USERS=("${user[@]}")
	snapshot "127.0.0.1:$2"
	filled >"$WORK/actual"
	equal "$1: exit status" 0 "$(cat "$WORK/once.status")"
	check "$1: all that a user with every permission sees" diff "$WORK/expected" "$WORK/actual"
}

# A sheet hears nothing in its first half second: presses a harmless key until it shows.
sheet_listens() {
	screen_keys C-u Z
	screen_has '> Z' && screen_keys C-u && wait_for 2 "empty" screen_has '> *│'
}

# Not from within check, which is a subshell: the terminal is this shell's.
operator_screen() {
	screen_start 120x40 "$REDOUBT" "${USERS[@]}" --log "$WORK/log" "127.0.0.1:$1"
}

# send_failover NAME: the sheet of a failover, filled in and sent.
send_failover() {
	wait_screen 'replica +up' 15 || return 1
	screen_keys 2 g
	wait_for 15 "the sheet" sheet_opens "$1" && wait_for 5 "it listens" sheet_listens || return 1
	screen_keys -l "$1"
	screen_keys Enter
}

sheet_opens() {
	screen_keys f
	wait_screen "Type $1 to go ahead" 1 && return
	screen_keys Escape
	sleep 0.1
	screen_keys j
	return 1
}

# refused_without PERMISSION: the sheet and the log say which one is missing.
refused_without() {
	check "$1 is missing: the sheet says so" wait_screen "the user lacks ${1//[+|]/\\&}: NOPERM" 10
	check "$1 is missing: so does the log" grep -Fq "the user lacks $1: NOPERM" "$WORK/log"
	screen_keys Escape
	check "$1 is missing: watching goes on" wait_screen 'replica +up' 10
	screen_stop
}

linked() {
	[ "$(info_field "$1" replication master_link_status)" = up ]
}

# action_sheet LINE CONFIRM: the sheet of an action that is typed behind `:`, once it asks for the name.
action_sheet() {
	screen_keys :
	screen_keys -l "$1"
	screen_keys Enter
	wait_screen "Type $2 to go ahead" 1 && return
	screen_keys Escape
	sleep 0.1
	return 1
}

# send_action LINE CONFIRM
send_action() {
	wait_for 60 "the sheet of $1" action_sheet "$1" "$2" && wait_for 5 "it listens" sheet_listens || return 1
	screen_keys -l "$2"
	screen_keys Enter
}

# try_action LINE CONFIRM PERMISSION BLOCK PORT...: refused without the permission, verified with the line
# of its block in the document and nothing more. On the operator's screen.
try_action() {
	local line=$1 confirm=$2 permission=$3 block=$4
	shift 4
	check "$line of an operator without $permission is sent" send_action "$line" "$confirm"
	check "$permission is missing: the sheet says so" wait_screen "the user lacks ${permission//[+|]/\\&}: NOPERM" 10
	screen_keys Escape
	# shellcheck disable=SC2086
	check "$line: its line is taken" apply_acl "$(acl_line $block)" "$@"
	reset_acl_log "${S[@]}" "${DATA[@]}"
	check "$line of an operator is sent" send_action "$line" "$confirm"
	check "$line is verified" wait_screen 'Done and verified: ' 120
	screen_keys Escape
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
	wait_for 15 "replica is linked" linked "$port" || bail "replica $port synchronises"
done
for port in "${S[@]}"; do
	start_sentinel "$port" "$M" 2 5000
done
for port in "${S[@]}"; do
	wait_for 30 "Sentinel sees all" sentinel_is_settled "$port" 2 2 || bail "Sentinel $port sees all"
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
for permission in $(permissions_of "$(acl_line watch sentinel)" | grep -Ev '^(&|\+ping|\+psubscribe)'); do
	apply_acl "ACL SETUSER $WATCH -${permission#+}" "${S[@]}"
	check "Sentinel without $permission: it is named" node_says "$permission"
	if [ "$permission" != +info ] && [ "$permission" != +sentinel\|masters ]; then
		equal "Sentinel without $permission: the rest is watched" "127.0.0.1:$M up" \
			"$(jq -r '.deployments[0] | .masters[0].addr as $addr | "\($addr) \(.nodes[] |
				select(.addr == $addr) | .status)"' "$JSON")"
	fi
	apply_acl "$(acl_line watch sentinel)" "${S[@]}"
done
apply_acl "ACL SETUSER $WATCH -info" "$R1"
check "data node without +info: it is named" node_says +info
equal "data node without +info: that one" "the user lacks +info" "$(error_of "$R1" | cut -d: -f1)"
equal "data node without +info: the other is watched" "up " \
	"$(jq -r --arg addr "127.0.0.1:$R2" '.deployments[0].nodes[] | select(.addr == $addr) | .status' "$JSON") $(error_of "$R2")"
apply_acl "$(acl_line watch data)" "$R1"

# The client's eye: no outage without its permissions, each of them named; and with its line nothing
# more is wanted.
client_says() {
	snapshot --probe "127.0.0.1:${S[0]}"
	equal "$1" "$2" "$(jq -r '.deployments[0].masters[0].client | "\(.writable) \(.message)"' "$JSON" |
		cut -d: -f1,2)"
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
snapshot --probe "127.0.0.1:${S[0]}"
equal "the probe with its line: it writes" true \
	"$(jq -r '.deployments[0].masters[0].client.writable' "$JSON")"
check "the probe with its line: nothing is refused" acl_log_is_empty "${DATA[@]}"
equal "the probe with its line: it takes its key away" 0 "$(cli "$M" --scan --pattern 'redoubt:*' | wc -l)"
as_watcher_writes() {
	REDISCLI_AUTH=$ACL_PASSWORD "$REDIS_CLI" -p "$M" --user "$WATCH" set other 1
}
check "the probe with its line: it could write nothing else" eval 'as_watcher_writes 2>&1 | grep -q NOPERM'
apply_acl "$(acl_line watch data)" "${DATA[@]}"

# Events, and nothing else that would be refused.
reset_acl_log "${S[@]}" "${DATA[@]}"
"$REDOUBT" "${USERS[@]}" --events --format json "127.0.0.1:${S[0]}" >"$WORK/events" 2>/dev/null </dev/null &
OTHER_PIDS+=($!)
disown
marker_seen() {
	scli "${S[1]}" sentinel set mymaster failover-timeout 10000 >/dev/null
	saw_event "$WORK/events" +set
}
check "Sentinel, to watch: events arrive" wait_for 15 "an event" marker_seen

for permission in '&*' +psubscribe; do
	if [ "$permission" = '&*' ]; then
		apply_acl "ACL SETUSER $WATCH resetchannels &+sdown" "${S[@]}"
	else
		apply_acl "ACL SETUSER $WATCH -psubscribe" "${S[@]}"
	fi
	screen_start 120x40 "$REDOUBT" "${USERS[@]}" "127.0.0.1:${S[0]}"
	check "without $permission: the screen names it" \
		wait_screen "no events from it: the user lacks ${permission//[+*&]/\\&}" 10
	check "without $permission: all else is watched" wait_screen "127.0.0.1:$R1 +replica +up" 10
	screen_stop
	apply_acl "$(acl_line watch sentinel)" "${S[@]}"
done

reset_acl_log "${S[@]}" "${DATA[@]}"
operator_screen "${S[0]}"
check "the failover of a watcher is sent" send_failover mymaster
refused_without '+sentinel|failover'
reset_acl_log "${S[@]}" "${DATA[@]}"

as_user "$OPERATE"
operator_screen "${S[0]}"
check "the failover of an operator is sent" send_failover mymaster
check "Sentinel, to operate: the failover is verified" wait_screen 'Done and verified: ' 60
check "nothing that was asked for was refused" acl_log_is_empty "${S[@]}" "${DATA[@]}"
screen_keys Escape
screen_keys 2 g
try_action "set quorum 2" mymaster '+sentinel|set' 'set sentinel' "${S[@]}"
try_action flushconfig mymaster '+sentinel|flushconfig' 'flushconfig sentinel' "${S[@]}"
try_action reset mymaster '+sentinel|reset' 'reset sentinel' "${S[@]}"
now_master=$(sentinel_master "${S[0]}")
try_action bgsave "$now_master" +bgsave 'bgsave data' "${DATA[@]}"
screen_keys :
screen_keys -l ping
screen_keys Enter
check "the test of the connection takes nothing more" wait_screen 'Done and verified: 10 round trips' 10
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
wait_for 15 "replica is linked" linked "$R1" || bail "replica $R1 synchronises"
check "replication: the lines are taken" eval \
	'apply_acl "$(acl_line watch replication)" "$M" "$R1" && apply_acl "$(acl_line operate replication)" "$M" "$R1"'
as_user "$(user_of "$(acl_line watch replication)")"
same_as_default "replication, to watch" "$M"
check "replication: nothing that was asked for was refused" acl_log_is_empty "$M" "$R1"
NAME=$(jq -r '.deployments[0].masters[0].name' "$JSON")
operator_screen "$M"
check "replication: the failover of a watcher is sent" send_failover "$NAME"
refused_without +failover
reset_acl_log "$M" "$R1"
as_user "$(user_of "$(acl_line operate replication)")"
operator_screen "$M"
check "replication: the failover of an operator is sent" send_failover "$NAME"
check "replication, to operate: the failover is verified" wait_screen 'Done and verified: ' 30
screen_stop
equal "replication: the replica is master" master "$(info_field "$R1" replication role)"
check "replication: nothing that was asked for was refused" acl_log_is_empty "$M" "$R1"
kill_node "$M"
kill_node "$R1"

# --- a cluster -------------------------------------------------------------------------------------

free_ports 6
start_cluster "${PORTS[@]}"
check "cluster: the lines are taken" eval \
	'apply_acl "$(acl_line watch cluster)" "${PORTS[@]}" && apply_acl "$(acl_line operate cluster)" "${PORTS[@]}"'
as_user "$(user_of "$(acl_line watch cluster)")"
same_as_default "cluster, to watch" "${PORTS[0]}"
check "cluster: nothing that was asked for was refused" acl_log_is_empty "${PORTS[@]}"
for permission in $(permissions_of "$(acl_line watch cluster)" | grep -v '^+ping'); do
	apply_acl "ACL SETUSER ${USERS[1]} -${permission#+}" "${PORTS[0]}"
	snapshot "127.0.0.1:${PORTS[1]}"
	if [ "$permission" = '+cluster|nodes' ]; then
		# Another node was asked, or it was this one's turn.
		check "cluster, one node without $permission: the others tell" \
			[ "$(jq '.deployments[0].shards | length' "$JSON")" = 3 ]
	else
		equal "cluster without $permission: it is named" "the user lacks $permission" \
			"$(error_of "${PORTS[0]}" | cut -d: -f1)"
	fi
	apply_acl "$(acl_line watch cluster)" "${PORTS[0]}"
done
reset_acl_log "${PORTS[@]}"

slave=$(cli "${PORTS[0]}" cluster nodes | awk '/slave/ { sub(/@.*/, "", $2); print $2; exit }')
operator_screen "${PORTS[0]}"
check "cluster: the failover of a watcher is sent" send_failover "$slave"
refused_without '+cluster|failover'
as_user "$(user_of "$(acl_line operate cluster)")"
reset_acl_log "${PORTS[@]}"
operator_screen "${PORTS[0]}"
check "cluster: the failover of an operator is sent" send_failover "$slave"
check "cluster, to operate: the failover is verified" wait_screen "Done and verified: $slave" 30
screen_stop
equal "cluster: the replica is master" master "$(info_field "${slave##*:}" replication role)"
check "cluster: nothing that was asked for was refused" acl_log_is_empty "${PORTS[@]}"

finish
