# shellcheck shell=bash disable=SC2317
# Harness of the live tests: real servers on loopback, started here and gone when the test ends,
# whatever way that is. A test sources it, does its work, and ends with `finish`.
#
# Output: "ok - text", "not ok - text", "# skip text", and at the end "# N passed, N failed".
# Needs bash, redis-server, redis-cli, jq, and tmux for the screen helpers.

set -u

unset REDISCLI_AUTH REDOUBT_SENTINEL_AUTH NO_COLOR TMUX
export LC_ALL=C.UTF-8

WORK=$(mktemp -d "${TMPDIR:-/tmp}/redoubt-live-XXXXXX") || exit 1
# Nothing of the user's may be read or written.
export HOME=$WORK XDG_CONFIG_HOME=$WORK/config XDG_RUNTIME_DIR=$WORK/run TMUX_TMPDIR=$WORK
mkdir -m 700 "$XDG_CONFIG_HOME" "$XDG_RUNTIME_DIR"

SRC=${REDOUBT_SRCDIR:-$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)}
REDOUBT=${REDOUBT:-$SRC/build/redoubt}
REDIS_SERVER=$(command -v redis-server || command -v valkey-server)
REDIS_CLI=$(command -v redis-cli || command -v valkey-cli)
# One that does not say is taken for a new one.
SERVER_VERSION=$("$REDIS_SERVER" --version 2>/dev/null |
	sed -n 's/.* v=\([0-9]*\)\.\([0-9]*\)\..*/\1 \2/p' | awk '{ print $1 * 100 + $2 }')
SERVER_VERSION=${SERVER_VERSION:-9900}
# server_has VERSION: the servers are of that one or a later one; 602 is 6.2.
server_has() {
	[ "$SERVER_VERSION" -ge "$1" ]
}

PASSWORD=live-data-$$-$RANDOM           # of data nodes
SENTINEL_PASSWORD=live-sentinel-$$-$RANDOM
PASS_FILE=$WORK/pass
SENTINEL_PASS_FILE=$WORK/sentinel-pass
(umask 077 && echo "$PASSWORD" >"$PASS_FILE" && echo "$SENTINEL_PASSWORD" >"$SENTINEL_PASS_FILE")
# Lines of a Sentinel's configuration. Before 6.2 it takes its own password for its peers and refuses the other.
SENTINEL_SECRETS=("requirepass $SENTINEL_PASSWORD")
! server_has 602 || SENTINEL_SECRETS+=("sentinel sentinel-pass $SENTINEL_PASSWORD")

PASSED=0
FAILED=0
PORTS=()            # set by free_ports
PORT_NEXT=0 PORT_END=0 # what is left of the block that was taken last
LOG=$WORK/log       # where --log goes, for `logged`
declare -A NODE_PID # port: pid of the server
OTHER_PIDS=()       # of everything else that was started in the background
TMUX_SOCKET=redoubt-live-$$.0

# --- verdicts ------------------------------------------------------------------------------------

pass() {
	PASSED=$((PASSED + 1))
	echo "ok - $1"
}

# fail TEXT [DETAIL...]
fail() {
	FAILED=$((FAILED + 1))
	echo "not ok - $1"
	shift
	local line
	for line; do
		echo "# ${line//$'\n'/$'\n'# }"
	done
}

# What can't be tested here, and why.
skip() {
	echo "# skip $1"
}

# check TEXT COMMAND...: passes when the command succeeds.
check() {
	local text=$1 output
	shift
	if output=$("$@" 2>&1); then
		pass "$text"
	else
		fail "$text" "failed: $*" "$output"
	fi
}

# equal TEXT EXPECTED ACTUAL. Nothing at all is no expectation: a server that did not answer must not
# agree with a program that printed nothing.
equal() {
	if [ -n "$2" ] && [ "$2" = "$3" ]; then
		pass "$1"
	else
		fail "$1" "expected: $2" "actual:   $3"
	fi
}

# Ends the test at once; for what everything after it needs.
bail() {
	fail "$@"
	finish
}

finish() {
	echo "# $PASSED passed, $FAILED failed"
	[ "$FAILED" -eq 0 ]
	exit
}

skip_all() {
	echo "# skip $1"
	exit 77
}

# wait_for SECONDS TEXT COMMAND...: polls until the command succeeds. The one place that sleeps. The
# seconds are for a failure only, so that there may be many.
wait_for() {
	local text=$2 deadline_ms
	deadline_ms=$(($(now_ms) + $1 * 1000))
	shift 2
	until "$@" >/dev/null 2>&1; do
		if [ "$(now_ms)" -ge "$deadline_ms" ]; then
			echo "# timed out: $text"
			return 1
		fi
		sleep 0.05
	done
}

now_ms() {
	local now=${EPOCHREALTIME/[^0-9]/}
	echo $((now / 1000))
}

# wait_check SECONDS TEXT COMMAND...: passes once the command succeeds, and says what it said last.
wait_check() {
	local seconds=$1 text=$2
	shift 2
	if wait_for "$seconds" "$text" "$@" >/dev/null; then
		pass "$text"
	else
		fail "$text" "not within $seconds s: $*" "$("$@" 2>&1)"
	fi
}

# wait_equal SECONDS TEXT EXPECTED COMMAND...: what the command prints becomes EXPECTED.
wait_equal() {
	local seconds=$1 text=$2 expected=$3
	shift 3
	prints_expected() { [ -n "$expected" ] && [ "$("$@")" = "$expected" ]; }
	wait_for "$seconds" "$text" prints_expected "$@" >/dev/null && pass "$text" && return
	fail "$text" "not within $seconds s: $*" "expected: $expected" "actual:   $("$@" 2>&1)"
}

# wait_same SECONDS TEXT COMMAND COMMAND: both print the same, and something. What moves between the two
# looks at it is looked at again.
wait_same() {
	local seconds=$1 text=$2 one=$3 other=$4 expected actual
	both_print_the_same() {
		expected=$($one 2>&1)
		actual=$($other 2>&1)
		[ -n "$expected" ] && [ "$expected" = "$actual" ]
	}
	wait_for "$seconds" "$text" both_print_the_same >/dev/null && pass "$text" && return
	fail "$text" "not within $seconds s" "$one: $expected" "$other: $actual"
}

# wait_verdicts SECONDS COMMAND...: a function with verdicts of its own on servers that move between two
# looks: again and again until none fails. Those of the last time count.
wait_verdicts() {
	local seconds=$1
	shift
	none_fails() {
		("$@") >"$WORK/verdicts" 2>&1
		grep -q '^ok - ' "$WORK/verdicts" && ! grep -q '^not ok - ' "$WORK/verdicts"
	}
	wait_for "$seconds" "$*" none_fails "$@"
	cat "$WORK/verdicts"
	grep -Eq '^(not )?ok - ' "$WORK/verdicts" || fail "$*: it ended without a verdict"
	PASSED=$((PASSED + $(grep -c '^ok - ' "$WORK/verdicts")))
	FAILED=$((FAILED + $(grep -c '^not ok - ' "$WORK/verdicts")))
}

# logged REGEX [SECONDS]: a line of LOG has it, by then. It is written a moment after what it tells.
logged() {
	wait_for "${2:-30}" "a line of the log with /$1/" grep -Eqs -- "$1" "$LOG" && return
	tail -n 15 "$LOG"
	return 1
}

# --- end -----------------------------------------------------------------------------------------

cleanup() {
	local pid
	trap '' INT TERM HUP
	tmux -L "$TMUX_SOCKET" kill-server 2>/dev/null
	for pid in ${OTHER_PIDS[@]+"${OTHER_PIDS[@]}"} ${NODE_PID[@]+"${NODE_PID[@]}"}; do
		signal_child KILL "$pid"
	done
	wait 2>/dev/null
	[ "${KEEP_WORK:-}" ] || rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

# A number whose process has ended is soon given to another one where many tests run, a server of
# theirs maybe: so a signal goes to what is a child of this shell only.
is_child() {
	grep -q "^PPid:[[:space:]]*$$\$" "/proc/$1/status" 2>/dev/null
}

# signal_child NAME PID
signal_child() {
	is_child "$2" && kill -"$1" "$2" 2>/dev/null
}

# identity PID: the number and when it began, which no other process has; is_alive and is_gone take it too.
identity() {
	local stat
	[ -n "$1" ] || return
	stat=$(cat "/proc/$1/stat" 2>/dev/null) || return
	read -ra stat <<<"${stat##*) }"
	echo "$1:${stat[19]}"
}

is_alive() {
	local pid=${1%%:*}
	[ -n "$pid" ] || return
	[ -r "/proc/$pid/stat" ] && ! grep -q '^State:[[:space:]]*Z' "/proc/$pid/status" 2>/dev/null || return
	[ "$pid" = "$1" ] || [ "$(identity "$pid")" = "$1" ]
}

is_gone() {
	! is_alive "$1"
}

# --- servers -------------------------------------------------------------------------------------

port_is_free() {
	! (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null
}

# Between looking whether a port is free and its server's taking it another test could take it, so each
# has blocks of a hundred ports of its own: it holds a lock on their files as long as it or a server of
# its runs. Ports and, 10000 above them, those of the cluster bus are below the ephemeral range, and away
# from those that demos take (from 6379, 7000, 17000 and 26379 on).
take_port_block() {
	local folder=${TMPDIR:-/tmp}/redoubt-live-ports-$UID block lock
	mkdir -m 700 "$folder" 2>/dev/null
	for _ in {1..1000}; do
		block=$((100 + RANDOM % 62))
		PORT_NEXT=$((block * 100)) PORT_END=$((block * 100 + 100))
		# In a user namespace of its own, where that folder may be another's, so are the ports.
		[ -w "$folder" ] && command -v flock >/dev/null || return 0
		exec {lock}>>"$folder/$block" || return 0
		flock -n "$lock" && return
		exec {lock}>&-
	done
	bail "ports that no other test has"
}

# free_ports COUNT: sets PORTS. None is given twice: a server of before would have left its files.
free_ports() {
	PORTS=()
	while [ "${#PORTS[@]}" -lt "$1" ]; do
		[ "$PORT_NEXT" -lt "$PORT_END" ] || take_port_block
		if port_is_free "$PORT_NEXT" && port_is_free $((PORT_NEXT + 10000)); then
			PORTS+=("$PORT_NEXT")
		fi
		PORT_NEXT=$((PORT_NEXT + 1))
	done
}

# Runs a server in the background that dies with this shell, and notes its pid. Never from within
# $( ): the parent that it dies with would be the subshell.
launch_node() {
	local port=$1 prefix=()
	shift
	if setpriv --pdeathsig KILL true 2>/dev/null; then
		prefix=(setpriv --pdeathsig KILL)
	fi
	# A server that was killed comes back with what it or a Sentinel wrote to its file.
	(cd "$WORK/$port" && exec ${prefix[@]+"${prefix[@]}"} "$REDIS_SERVER" ./node.conf "$@" \
		</dev/null >>out 2>&1) &
	NODE_PID[$port]=$!
	disown
}

common_conf() {
	cat <<-END
		bind 127.0.0.1
		port $1
		protected-mode yes
		dir .
		logfile node.log
		loglevel notice
	END
}

# start_node PORT [LINE...]: a data node with PASSWORD; the lines are added to its configuration.
start_node() {
	local port=$1
	shift
	mkdir -p "$WORK/$port"
	{
		common_conf "$port"
		printf '%s\n' "requirepass $PASSWORD" "masterauth $PASSWORD" 'save ""' \
			"repl-diskless-sync-delay 0" "$@"
	} >"$WORK/$port/node.conf"
	launch_node "$port"
	wait_for 30 "server on port $port answers" node_answers "$port" ||
		bail "server on port $port starts" "$(tail -n 5 "$WORK/$port/node.log" 2>&1)"
}

# start_sentinel PORT MASTER_PORT QUORUM DOWN_AFTER_MS
start_sentinel() {
	local port=$1
	mkdir -p "$WORK/$port"
	{
		common_conf "$port"
		printf '%s\n' "${SENTINEL_SECRETS[@]}" \
			"sentinel monitor mymaster 127.0.0.1 $2 $3" \
			"sentinel auth-pass mymaster $PASSWORD" \
			"sentinel down-after-milliseconds mymaster $4" \
			"sentinel failover-timeout mymaster 10000" \
			"sentinel parallel-syncs mymaster 1"
	} >"$WORK/$port/node.conf"
	launch_node "$port" --sentinel
	wait_for 30 "Sentinel on port $port answers" sentinel_answers "$port" ||
		bail "Sentinel on port $port starts" "$(tail -n 5 "$WORK/$port/node.log" 2>&1)"
}

# Once more with the configuration it has written itself.
restart_node() {
	launch_node "$@"
}

kill_node() {
	local server
	server=$(identity "${NODE_PID[$1]}")
	signal_child KILL "${NODE_PID[$1]}"
	wait_for 30 "server on port $1 is gone" is_gone "$server"
	unset "NODE_PID[$1]"
}

is_stopped() {
	grep -q '^State:[[:space:]]*T' "/proc/$1/status"
}

pause_node() {
	signal_child STOP "${NODE_PID[$1]}"
	wait_for 30 "server on port $1 stops" is_stopped "${NODE_PID[$1]}"
}

resume_node() {
	signal_child CONT "${NODE_PID[$1]}"
}

# cli PORT COMMAND...: at a data node.
cli() {
	local port=$1
	shift
	REDISCLI_AUTH=$PASSWORD timeout 10 "$REDIS_CLI" -h 127.0.0.1 -p "$port" "$@"
}

# scli PORT COMMAND...: at a Sentinel.
scli() {
	local port=$1
	shift
	REDISCLI_AUTH=$SENTINEL_PASSWORD timeout 10 "$REDIS_CLI" -h 127.0.0.1 -p "$port" "$@"
}

node_answers() {
	[ "$(cli "$1" ping)" = PONG ]
}

sentinel_answers() {
	[ "$(scli "$1" ping)" = PONG ]
}

# info_field PORT SECTION FIELD
info_field() {
	cli "$1" info "$2" | tr -d '\r' | sed -n "s/^$3://p"
}

# Valkey says a Redis version as well, for clients that look for one.
server_version() {
	local version
	version=$(info_field "$1" server valkey_version)
	echo "${version:-$(info_field "$1" server redis_version)}"
}

# sentinel_field PORT FIELD: of SENTINEL MASTER mymaster.
sentinel_field() {
	scli "$1" sentinel master mymaster | awk -v name="$2" 'found { print; exit } $0 == name { found = 1 }'
}

# sentinel_master PORT: "127.0.0.1:6379"
sentinel_master() {
	scli "$1" sentinel get-master-addr-by-name mymaster | paste -sd:
}

sentinel_is_settled() {
	[ "$(sentinel_field "$1" flags)" = master ] && [ "$(sentinel_field "$1" num-slaves)" = "$2" ] &&
		[ "$(sentinel_field "$1" num-other-sentinels)" = "$3" ] &&
		[[ $(scli "$1" sentinel ckquorum mymaster) == OK* ]]
}

# A node that became a replica is a master without slots to the others until it tells them.
cluster_is_settled() {
	local info nodes
	info=$(cli "$1" cluster info | tr -d '\r')
	nodes=$(cli "$1" cluster nodes)
	[[ $info == *cluster_state:ok* && $info == *cluster_known_nodes:$2* ]] &&
		[[ ! $nodes =~ handshake|fail ]] && [ "$(grep -c 'slave ' <<<"$nodes")" -eq $(($2 / 2)) ]
}

# A replica that was never linked has no data to be elected with.
cluster_is_linked() {
	[ "$(info_field "$1" replication role)" = master ] ||
		[ "$(info_field "$1" replication master_link_status)" = up ]
}

# start_cluster PORT...: six nodes, three masters and three replicas.
start_cluster() {
	local port
	for port; do
		start_node "$port" "cluster-enabled yes" "cluster-config-file nodes.conf" \
			"cluster-node-timeout ${CLUSTER_NODE_TIMEOUT:-2000}"
	done
	REDISCLI_AUTH=$PASSWORD timeout 120 "$REDIS_CLI" --cluster create "${@/#/127.0.0.1:}" \
		--cluster-replicas 1 --cluster-yes >"$WORK/create.log" 2>&1 ||
		bail "the cluster is created" "$(tail -n 5 "$WORK/create.log")"
	for port; do
		wait_for 60 "node $port sees the whole cluster" cluster_is_settled "$port" $# ||
			bail "the cluster settles" "$(cli "$port" cluster nodes 2>&1)"
		wait_for 60 "node $port has its data" cluster_is_linked "$port" ||
			bail "the cluster synchronises" "$(cli "$port" info replication 2>&1)"
	done
}

# --- tools of tests/tools ------------------------------------------------------------------------

# build_tool NAME: sets TOOL. `make check` has built it beside redoubt; else it is compiled here.
build_tool() {
	TOOL=$(dirname "$REDOUBT")/tests/tools/$1
	[ "$TOOL" -nt "$SRC/tests/tools/$1.c" ] && return
	TOOL=$WORK/$1
	mkdir -p "$WORK/include" && : >"$WORK/include/config.h" # an installed redoubt has none beside it
	[ -x "$TOOL" ] || ${CC:-cc} -std=c11 -D_GNU_SOURCE -I "$WORK/include" -o "$TOOL" \
		"$SRC/tests/tools/$1.c" || bail "tests/tools/$1.c compiles"
}

# --- redoubt -------------------------------------------------------------------------------------

need_redoubt() {
	[ -x "$REDOUBT" ] || bail "redoubt is built" "no program at $REDOUBT"
	[ -n "$REDIS_SERVER" ] || skip_all "no redis-server and no valkey-server here"
	[ -n "$REDIS_CLI" ] || skip_all "no redis-cli here"
}

# redoubt ARG...: with both passwords.
redoubt() {
	timeout 60 "$REDOUBT" --pass-file "$PASS_FILE" --sentinel-pass-file "$SENTINEL_PASS_FILE" "$@"
}

# start_events FILE ARG...: the event stream as JSON lines into the file.
start_events() {
	local file=$1
	shift
	"$REDOUBT" --pass-file "$PASS_FILE" --sentinel-pass-file "$SENTINEL_PASS_FILE" \
		--events --format json "$@" >"$file" 2>"$file.err" </dev/null &
	OTHER_PIDS+=($!)
	disown
}

# saw_event FILE EVENT
saw_event() {
	jq -e -n --arg event "$2" 'first(inputs | select(.event == $event))' "$1"
}

# --- a terminal ----------------------------------------------------------------------------------

tm() {
	tmux -L "$TMUX_SOCKET" "$@"
}

# screen_start WxH COMMAND...: a command in a terminal of its own.
screen_start() {
	local size=$1
	shift
	cat >"$WORK/tmux.conf" <<-END
		set -g status off
		set -g remain-on-exit on
		set -g escape-time 0
		set -g default-terminal tmux-256color
	END
	tm kill-server 2>/dev/null
	# A server that was told to end may still hold its socket.
	TMUX_SOCKET=${TMUX_SOCKET%.*}.$((${TMUX_SOCKET##*.} + 1))
	tmux -u -L "$TMUX_SOCKET" -f "$WORK/tmux.conf" new-session -d -x "${size%x*}" -y "${size#*x}" "$@"
}

# screen_redoubt WxH ARG...
screen_redoubt() {
	local size=$1
	shift
	screen_start "$size" "$REDOUBT" --pass-file "$PASS_FILE" --sentinel-pass-file "$SENTINEL_PASS_FILE" "$@"
}

screen_keys() {
	tm send-keys "$@"
}

screen_text() {
	tm capture-pane -p
}

# With what has scrolled off: the notice of a dead pane pushes the first line out.
screen_history() {
	tm capture-pane -p -S -
}

screen_has() {
	screen_text | grep -Eq -- "$1"
}

screen_lacks() {
	! screen_has "$1"
}

# answer TEXT: typed into the open sheet, and Enter. Where pastes are not marked, Enter counts only once a
# frame has shown what was typed.
answer() {
	screen_keys -l "$1"
	wait_screen "> $1" 30 && screen_keys Enter
}

# wait_screen REGEX [SECONDS]
wait_screen() {
	wait_for "${2:-30}" "screen shows /$1/" screen_has "$1" && return
	screen_text | sed 's/^/# /'
	return 1
}

# wait_lacks REGEX [SECONDS]
wait_lacks() {
	wait_for "${2:-30}" "screen without /$1/" screen_lacks "$1" && return
	screen_text | sed 's/^/# /'
	return 1
}

# A sheet hears nothing in its first half second: presses a harmless key until it shows.
sheet_hears() {
	screen_keys C-u Z
	screen_has '> Z' && screen_keys C-u && wait_lacks '> Z' 10
}

# The sheet takes what is typed, and nothing is typed there yet.
sheet_listens() {
	wait_for 30 "the sheet listens" sheet_hears
}

# type_line TEXT: behind `:`.
type_line() {
	screen_keys :
	screen_keys -l "$1"
	screen_keys Enter
}

# What a sheet, the menu and the keys have at their end.
SHEET='to go ahead|Esc closes|Esc leaves'

leave_sheet() {
	screen_keys Escape
	wait_lacks "$SHEET"
}

# line_says LINE REGEX: opens a sheet behind `:` and looks whether it says so, and leaves it if not: for
# what comes to be so after a while, within wait_for.
line_says() {
	type_line "$1"
	wait_for 10 "a sheet" screen_has "$SHEET" && wait_for 1 "it says so" screen_has "$2" && return
	leave_sheet
	return 1
}

screen_ended() {
	[ "$(tm display-message -p '#{pane_dead}')" = 1 ]
}

# Before the command of a screen whose exit status is asked for: tmux 3.3 misses some.
# shellcheck disable=SC2034,SC2016
NOTE_STATUS=(sh -c 'rm -f "$0"; "$@"; echo $? >"$0.new"; mv "$0.new" "$0"' "$WORK/status")

screen_status() {
	wait_for 30 "a status" [ -s "$WORK/status" ]
	cat "$WORK/status"
}

screen_stop() {
	tm kill-server 2>/dev/null
}
