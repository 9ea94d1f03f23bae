#!/bin/bash
# The screen, in a real terminal against real servers: what is seen while masters die and failovers
# are typed, and what happens to the terminal whichever way the program ends.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317,SC2016
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_redoubt
command -v tmux >/dev/null || skip_all "no tmux here"
build_tool ptytool
PTYTOOL=$TOOL

PASSWORDS=(--pass-file "$PASS_FILE" --sentinel-pass-file "$SENTINEL_PASS_FILE")

# --- helpers ---------------------------------------------------------------------------------------

pane() {
	tm display-message -p "#{$1}"
}

resize() {
	tm resize-window -x "${1%x*}" -y "${1#*x}"
}

size_is() {
	[ "$(pane pane_width)x$(pane pane_height)" = "$1" ]
}

# in_order REGEX...: the first line of each, from the top of the screen downwards.
in_order() {
	local regex line last=0
	for regex; do
		line=$(screen_text | grep -nE -- "$regex" | head -n 1 | cut -d: -f1)
		[ "${line:-0}" -gt "$last" ] || { echo "$regex: line ${line:-none}, after $last"; return 1; }
		last=$line
	done
}

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

open_sheet() {
	screen_keys f
	wait_screen "${1:-Type .* to go ahead}" 5 && wait_for 5 "the sheet listens" sheet_listens
}

close_sheet() {
	screen_keys Escape
	wait_lacks 'to go ahead|Esc closes' 5
}

epochs() {
	local port
	for port in "${S[@]}"; do
		sentinel_field "$port" config-epoch
	done | paste -sd' '
}

all_name() {
	local port
	for port in "${S[@]}"; do
		[ "$(sentinel_master "$port")" = "127.0.0.1:$1" ] || return 1
	done
}

# Every Sentinel knows all, and the node that they name is master by its own word, no other is.
set_is_quiet() {
	local port
	[ "$(for port in "$M" "$R1" "$R2"; do info_field "$port" replication role; done | sort | paste -sd' ')" = \
		"master slave slave" ] || return 1
	port=$(sentinel_master "${S[0]}")
	[ "$(info_field "${port##*:}" replication role)" = master ] && all_name "${port##*:}" || return 1
	for port in "${S[@]}"; do
		sentinel_is_settled "$port" 2 2 || return 1
	done
}

linked() {
	[ "$(info_field "$1" replication master_link_status)" = up ]
}

row() {
	echo "127.0.0.1:$1 +$2 +${3:-up}"
}

# --- a Sentinel set ----------------------------------------------------------------------------------

free_ports 12
M=${PORTS[0]} R1=${PORTS[1]} R2=${PORTS[2]}
S=("${PORTS[@]:3:3}")
C=("${PORTS[@]:6:6}")
start_node "$M"
for port in "$R1" "$R2"; do
	start_node "$port" "replicaof 127.0.0.1 $M"
done
for port in "$R1" "$R2"; do
	wait_for 15 "replica is linked" linked "$port" || bail "replica $port synchronises"
done
for port in "${S[@]}"; do
	start_sentinel "$port" "$M" 2 1000
done
wait_for 30 "all Sentinels see all" set_is_quiet || bail "the set settles"
TARGET=127.0.0.1:${S[0]}

for size in 80x24 200x60; do
	screen_redoubt "$size" "$TARGET"
	check "$size: the master" wait_screen "$(row "$M" master)" 10
	check "$size: both replicas" wait_screen "$(row "$R1" replica)" 10
	check "$size: the Sentinels answer" wait_screen 'Sentinels +3 of 3' 10
	check "$size: it can fail over" wait_screen 'failover ok' 10
	check "$size: panes for topology, lag and events" in_order '┌ Topology .*┌ Replication' '┌ Events '
	check "$size: lag in bytes" wait_screen ":$R2 .*[0-9.]+ k?B" 5
	check "$size: no slots without a cluster" screen_lacks '┌ Slots'
done

check "200x60: lag in seconds" wait_screen "127\.0\.0\.1:$R2 .* [0-9.]+ k?B +<?[0-9]+ s" 5

# --- the crash of the master, at 200x60 ----------------------------------------------------------------

kill_node "$M"
check "killed master: lost link" wait_screen '\+link-lost .*127\.0\.0\.1:'"$M" 10
check "killed master: marked in the tree" wait_screen "127.0.0.1:$M +master +(down|not reach|refus|object|subj)" 10
check "killed master: +switch-master" wait_screen '\+switch-master ' 40
new=$(sentinel_master "${S[0]}")
new=${new##*:}
check "the new master is in the tree without a key" wait_screen "$(row "$new" master)" 10
check "the events are in order" wait_for 5 "order" in_order '\+link-lost ' '\+sdown ' '\+odown ' \
	'\+promoted-slave ' '\+switch-master '
check "each once: +switch-master" [ "$(screen_text | grep -c '+switch-master ')" -eq 1 ]
check "the old master is a replica now, and down" \
	wait_screen "127.0.0.1:$M +replica +(down|not reach|refus|subj|gone)" 10
restart_node "$M"
check "the old master is back as a replica" wait_screen "$(row "$M" replica)" 60
check "and linked" wait_for 20 "linked" linked "$M"

# From here on nothing dies, and a busy machine must not bring about a failover of its own.
for port in "${S[@]}"; do
	scli "$port" sentinel set mymaster down-after-milliseconds 5000 >/dev/null
done
wait_for 40 "the set is quiet" set_is_quiet || bail "the set settles after the crash"
new=$(sentinel_master "${S[0]}")
new=${new##*:}

# --- a failover by hand ----------------------------------------------------------------------------

check "ckquorum by c" eval "screen_keys c; wait_screen '3 of 3 Sentinels: OK' 5"
close_sheet

before=$(epochs)
screen_keys f m y m a s t e r Enter
check "the sheet opens" wait_screen 'Type mymaster to go ahead' 5
check "it says the command and whom it goes to" in_order 'command +SENTINEL FAILOVER mymaster' 'goes to +127'
check "keys of the first half second are dropped" wait_screen '> *│' 1
check "later it listens" wait_for 5 "listens" sheet_listens
screen_keys -l mymastex
screen_keys Enter
check "a wrong name: it says that nothing was sent" wait_screen 'nothing was sent' 5
screen_keys -l mymaster
wait_screen '> mymaster' 5
check "Esc leaves the sheet" close_sheet
equal "nothing was sent: epochs as before" "$before" "$(epochs)"
equal "nothing was sent: master as before" "127.0.0.1:$new" "$(sentinel_master "${S[0]}")"

screen_redoubt 80x24 --log "$WORK/log" "$TARGET"
wait_screen "$(row "$new" master)" 10
wait_screen 'failover ok' 10
check "80x24: the sheet opens" open_sheet
screen_keys -l mymaster
screen_keys Enter
check "the failover is verified on the sheet" wait_screen 'Done and verified: new master' 60
said=$(screen_text | grep -oE 'new master 127\.0\.0\.1:[0-9]+' | head -n 1)
check "all Sentinels have switched" wait_for 20 "all agree" all_name "${said##*:}"
equal "the screen agrees with the Sentinels" "new master $(sentinel_master "${S[1]}")" "$said"
close_sheet
new=${said##*:}
check "the tree has the new master" wait_screen "$(row "$new" master)" 10
check "the log has the action, its operator and outcome" wait_for 5 "the line" \
	grep -Eq 'action.*failover verified: SENTINEL FAILOVER mymaster.*by ' "$WORK/log"
wait_for 60 "the set is quiet" set_is_quiet || bail "the set settles after the failover"

before=$(epochs)
screen_redoubt 80x24 --read-only "$TARGET"
wait_screen "$(row "$new" master)" 10
check "--read-only has a badge" screen_has READ-ONLY
screen_keys f
check "--read-only refuses" wait_screen 'read-only: ' 5
screen_keys -l mymaster
screen_keys Enter
close_sheet
equal "--read-only: epochs as before" "$before" "$(epochs)"

# --- keys, at 80x24 ----------------------------------------------------------------------------------

screen_redoubt 80x24 "$TARGET"
wait_screen 'failover ok' 10
screen_keys '?'
check "? lists the keys" wait_screen 'Screens' 5
screen_keys NPage
check "help scrolls" wait_screen 'failover sheet|ckquorum|filter the focused' 5
screen_keys Escape
wait_lacks 'Esc closes' 5
for key in 2:Topology 3:Replication 5:Events; do
	screen_keys "${key%:*}"
	only_that() {
		screen_has "^┌ ${key#*:}" && [ "$(screen_text | grep -c '┌ ')" -eq 1 ]
	}
	check "key ${key%:*} shows ${key#*:} alone" wait_for 5 "one pane" only_that
done
screen_keys 4
check "key 4 says that only a cluster has slots" wait_screen 'only a cluster has slots' 5
screen_keys 1
wait_screen 'Topology .*Replication' 5
screen_keys z
alone() {
	[ "$(screen_text | grep -o '┌ ' | grep -c .)" -eq 1 ]
}
together() {
	[ "$(screen_text | grep -o '┌ ' | grep -c .)" -eq 3 ]
}
check "z zooms" wait_for 5 "one pane" alone
screen_keys z
check "and back" wait_for 5 "three panes" together
screen_keys Tab z
check "Tab, then z: another pane" wait_screen '^┌ Replication' 5
screen_keys z
wait_for 5 "three panes" together
screen_keys 2 / 
screen_keys -l "$R2"
screen_keys Enter
check "a filter leaves the other rows out" wait_lacks "127.0.0.1:$R1 +replica" 5
check "and keeps those that match" screen_has "127.0.0.1:$R2"
screen_keys Escape
check "Esc drops the filter" wait_screen "127.0.0.1:$R1" 5
screen_keys 1 Space
check "Space freezes" wait_screen FROZEN 5

# Frozen, so that two captures can be compared: without the line of the clock and the state below.
content() {
	screen_text | tail -n +3
}

written() {
	sed -n 's/^wchar: //p' "/proc/$(pane pane_pid)/io"
}

has_written() {
	[ "$(written)" -gt "$1" ]
}

stands_still() {
	local before=$CONTENT
	CONTENT=$(content)
	[ "$before" = "$CONTENT" ]
}

# drawn_after COMMAND...: until its frame is on the screen; CONTENT is that.
drawn_after() {
	local bytes
	bytes=$(written)
	CONTENT=none
	"$@"
	wait_for 3 "bytes to the terminal" has_written "$bytes"
	wait_for 3 "the frame is whole" stands_still
}

same_after_redraw() {
	local before
	drawn_after resize "$1"
	before=$CONTENT
	drawn_after screen_keys C-l
	[ "$before" = "$CONTENT" ] || { diff <(echo "$before") <(echo "$CONTENT"); return 1; }
}
if [ -r "/proc/$(pane pane_pid)/io" ]; then
	drawn_after screen_keys C-l
	first=$CONTENT
	for size in 40x10 20x5 1x1 2x60 200x60 80x24; do
		check "$size: nothing is left of another size" same_after_redraw "$size"
		check "$size: alive" eval 'size_is "$size" && [ "$(pane pane_dead)" = 0 ]'
	done
	CONTENT=$(content)
else
	skip "no /proc/PID/io here: resizing"
fi
equal "80x24 looks as before" "${first:-skipped}" "${CONTENT:-skipped}"
screen_keys Space
check "Space goes on" wait_lacks FROZEN 5

# --- the command line, other keys, and a frozen screen ------------------------------------------------

# line TEXT: typed behind `:`, and Enter.
line() {
	screen_keys :
	screen_keys -l "$1"
	screen_keys Enter
}

line 'screen nodes'
check ":screen shows it" wait_screen '^┌ Nodes' 5
line 'sort address'
line "filter ${S[0]}" # a replica's row has its master's address as well
check ":filter leaves the other rows out" wait_lacks "127.0.0.1:${S[1]}" 5
screen_keys Escape
check "Esc drops that filter as well" wait_screen "127.0.0.1:${S[1]}" 5
line 'sorrt address'
check "an unknown command: the one that was meant" wait_screen 'unknown command sorrt: sort\?' 5
line 'sort nonsense'
check "an unknown column is refused" wait_screen 'Nodes has no column nonsense' 5
screen_keys :
screen_keys -l 'screen to'
screen_keys Tab
check "Tab completes" wait_screen '^:screen topology' 5
screen_keys C-u
screen_keys -l 'scr'
screen_keys Escape
check "Esc leaves the line" wait_lacks '^:' 5
screen_keys : Up
check "Up: the line before" wait_screen '^:sort nonsense' 5
screen_keys Escape
line 'failover'
check ":failover opens its sheet, and sends nothing" wait_screen 'Type .* to go ahead' 5
close_sheet
line "node $R2"
check ":node opens it" wait_screen "^┌ Node +127.0.0.1:$R2" 5
screen_keys Escape
check "Esc is back where one was" wait_screen '^┌ Nodes' 5
selected_address() {
	tm capture-pane -p -e | grep -oP '\x1b\[[0-9;]*(7|48;5;\d+)m[^│]*127\.0\.0\.1:\d+' | grep -oE '127\.0\.0\.1:[0-9]+' | head -n 1
}
screen_keys g j
selected=$(wait_for 3 "a selected row" selected_address >/dev/null; selected_address)
screen_keys s s S
check "sorted: the selection stays with its row" wait_for 3 "the same row" eval '[ "$(selected_address)" = "$selected" ]'
screen_keys Space
wait_screen FROZEN 5
screen_keys /
screen_keys -l "${S[0]}"
screen_keys Enter
check "frozen: a filter acts at once" wait_lacks "127.0.0.1:${S[1]}" 5
screen_keys Escape
check "frozen: and is dropped" wait_screen "127.0.0.1:${S[1]}" 5
screen_keys 2
check "frozen: another screen" wait_screen '^┌ Topology' 5
check "frozen: all the same" screen_has FROZEN
screen_keys Space
wait_lacks FROZEN 5

printf '[keys]\nfailover = F\nhelp = <F2> H\nfilter = <C-f>\npage-down = <PgDn>\n' >"$WORK/keys.conf"
screen_redoubt 80x24 -c "$WORK/keys.conf" "$TARGET"
wait_screen 'failover ok' 10
check "[keys]: the hints have the new ones" screen_has 'F failover.*F2 help'
screen_keys f '?' F2
check "[keys]: F2 is help, f and ? are nothing" wait_screen 'Esc closes' 5
check "[keys]: the help has the new ones" eval "screen_keys End; wait_screen ' F +open the failover sheet' 5"
screen_keys Escape F
check "[keys]: F opens the sheet" wait_screen 'Type .* to go ahead' 5
close_sheet
printf '[ui]\ninterval = 1\n\n[keys]\nfailover = q\n' >"$WORK/keys.conf"
equal "[keys]: an error has its file and line" \
	"redoubt: $WORK/keys.conf:5: failover: q is a key of quit: give that another one" \
	"$("$REDOUBT" -c "$WORK/keys.conf" "$TARGET" 2>&1 </dev/null)"

# --- the terminal afterwards -------------------------------------------------------------------------

# shell SIZE: a shell with job control, which notes the terminal's modes before and after.
shell() {
	cat >"$WORK/shellrc" <<-'END'
		PS1='shell> '
		unset PROMPT_COMMAND
		try() {
			stty -a >"$WORK/before"
			rm -f "$WORK/after"
			"$@"
			echo $? >"$WORK/exit"
			stty -a >"$WORK/after.new"
			mv "$WORK/after.new" "$WORK/after"
		}
	END
	screen_start "$1" env "WORK=$WORK" bash --noprofile --rcfile "$WORK/shellrc" -i
	wait_screen 'shell>' 5
}

try() {
	screen_keys -l "try $REDOUBT ${PASSWORDS[*]} $*"
	screen_keys Enter
	wait_screen "$(row "$new" master)" 10
}

redoubt_pid() {
	pgrep -P "$(pane pane_pid)" -f "^$REDOUBT"
}

given_back() {
	[ -s "$WORK/after" ] && diff "$WORK/before" "$WORK/after" && [ "$(pane alternate_on)" = 0 ] &&
		[ "$(pane cursor_flag)" = 1 ] && [ "$(pane keypad_flag)$(pane keypad_cursor_flag)" = 00 ] &&
		screen_has 'shell>'
}

# A sanitizer's report on the fatal signal may end up anywhere but in the way.
export ASAN_OPTIONS=${ASAN_OPTIONS:+$ASAN_OPTIONS:}detect_leaks=0
shell 80x24
try "$TARGET"
equal "the alternate screen is used" 1 "$(pane alternate_on)"
check "the modes are others meanwhile" eval '! stty -a -F "$(pane pane_tty)" | grep -q "[^-]icanon"'
screen_keys q
check "q gives the terminal back" wait_for 5 "given back" given_back
equal "q: status 0" 0 "$(cat "$WORK/exit")"
for signal in TERM HUP INT; do
	try "$TARGET"
	kill -"$signal" "$(redoubt_pid)"
	check "SIG$signal gives the terminal back" wait_for 5 "given back" given_back
done
for signal in SEGV ABRT BUS; do
	try "$TARGET"
	kill -"$signal" "$(redoubt_pid)"
	check "SIG$signal gives the terminal back" wait_for 10 "given back" given_back
	check "SIG$signal: the status tells" [ "$(cat "$WORK/exit")" -ne 0 ]
done
try "$TARGET"
screen_keys C-c
check "Ctrl-C gives the terminal back" wait_for 5 "given back" given_back

try "$TARGET"
screen_keys C-z
check "Ctrl-Z leads back to the shell" wait_screen 'Stopped' 5
equal "Ctrl-Z leaves the alternate screen" 0 "$(pane alternate_on)"
shell_is_usable() {
	screen_keys -l 'stty -a >"$WORK/stopped"; echo "us""able"'
	screen_keys Enter
	wait_screen '^usable' 2
}
check "the shell can be used meanwhile" shell_is_usable
screen_keys -l fg
screen_keys Enter
check "fg brings the dashboard back" wait_screen "$(row "$new" master)" 5
equal "and the alternate screen" 1 "$(pane alternate_on)"
screen_keys '?'
check "and the keys" wait_screen 'Esc closes' 5
screen_keys Escape
wait_lacks 'Esc closes' 5
pid=$(redoubt_pid)
kill -STOP "$pid"
check "SIGSTOP from outside: the shell is back" wait_screen 'Stopped' 5
screen_keys -l fg
screen_keys Enter
wait_screen "$(row "$new" master)" 5
screen_keys '?'
check "and fg brings the dashboard back" wait_screen 'Esc closes' 5
screen_keys Escape
wait_lacks 'Esc closes' 5
screen_keys q
check "q after all this gives the terminal back" wait_for 5 "given back" given_back

try "$TARGET"
pid=$(redoubt_pid)
kill -KILL "$(pane pane_pid)"
check "its shell killed: it ends" wait_for 10 "end" is_gone "$pid"

# --- terminals of all kinds --------------------------------------------------------------------------

screen_start 80x24 env TERM=nosuchterm "$REDOUBT" "${PASSWORDS[@]}" "$TARGET"
check "TERM=nosuchterm: drawn all the same" wait_screen "$(row "$new" master)" 10
check "TERM=nosuchterm: it is said" wait_screen "nosuchterm' is unknown here" 2
screen_start 80x24 env TERM=vt100 "$REDOUBT" "${PASSWORDS[@]}" "$TARGET"
check "TERM=vt100" wait_screen "$(row "$new" master)" 10
screen_start 80x24 env TERM=dumb "${NOTE_STATUS[@]}" "$REDOUBT" "${PASSWORDS[@]}" "$TARGET"
check "TERM=dumb is refused" [ "$(screen_status)" -eq 64 ]
check "TERM=dumb: --once and --events are named" wait_for 5 "named" \
	eval "screen_history | paste -sd' ' | grep -q -e '--once.*--events'"

ascii_only() {
	! screen_text | LC_ALL=C grep -q '[^ -~]'
}
screen_start 80x24 env -u LC_ALL -u LC_CTYPE LANG=C "$REDOUBT" "${PASSWORDS[@]}" "$TARGET"
check "LANG=C: drawn" wait_screen "$(row "$new" master)" 10
check "LANG=C: ASCII only" ascii_only
screen_redoubt 80x24 --ascii "$TARGET"
wait_screen "$(row "$new" master)" 10
check "--ascii: ASCII only" ascii_only

colored() {
	tm capture-pane -p -e | grep -qP '\x1b\[([0-9;]*;)?([349][0-7]|10[0-7]|[34]8[;:])'
}
not_colored() {
	! colored
}
screen_redoubt 80x24 "$TARGET"
wait_screen "$(row "$new" master)" 10
check "colours are used" wait_for 2 "colour" colored
screen_start 80x24 env NO_COLOR=1 "$REDOUBT" "${PASSWORDS[@]}" "$TARGET"
wait_screen "$(row "$new" master)" 10
check "NO_COLOR=1: no colour" not_colored
screen_redoubt 80x24 --no-color "$TARGET"
wait_screen "$(row "$new" master)" 10
check "--no-color: no colour" not_colored
screen_stop

redoubt "$TARGET" </dev/null >"$WORK/out" 2>"$WORK/err"
equal "not a terminal: status 64" 64 $?
check "not a terminal: one line that names --once and --events" \
	[ "$(wc -l <"$WORK/err") $(grep -c -e '--once.*--events' "$WORK/err")" = "1 1" ]

# --- a terminal that is not read, and one without a shell ----------------------------------------------

mkfifo "$WORK/commands"
TERM=xterm-256color "$PTYTOOL" "$WORK/output" "$REDOUBT" "${PASSWORDS[@]}" --log "$WORK/unread.log" "$TARGET" \
	<"$WORK/commands" >"$WORK/pty" 2>&1 &
OTHER_PIDS+=($!)
disown
exec 4>"$WORK/commands"
echo read >&4
check "a terminal of its own: drawn" wait_for 10 "drawn" grep -q Topology "$WORK/output"
pid=$(sed -n 's/^pid //p' "$WORK/pty")
echo 'keys '$'\032' >&4
keys_work() {
	: >"$WORK/output"
	echo 'keys ?' >&4
	wait_for 1 "help" grep -q 'Esc closes' "$WORK/output" && echo 'keys ?' >&4
}
check "Ctrl-Z without a shell does not stop it for ever" wait_for 10 "keys work" keys_work
kill -STOP "$pid"
kill -CONT "$pid"
check "SIGSTOP and SIGCONT without a shell: keys are answered" wait_for 10 "keys work" keys_work
echo stop >&4
for ((i = 0; i < 40; i++)); do
	printf 'keys \\f\n' >&4
done
pause_node "$R1"
check "the terminal is not read: the log goes on" wait_for 15 "log" \
	grep -q "+link-lost.*127.0.0.1:$R1" "$WORK/unread.log"
resume_node "$R1"
check "and on" wait_for 15 "log" grep -q -e "-link-lost.*127.0.0.1:$R1" "$WORK/unread.log"
: >"$WORK/output"
echo read >&4
check "read again: the newest frame comes" wait_for 5 "frame" grep -q "link-lost" "$WORK/output"
echo stop >&4
for ((i = 0; i < 40; i++)); do
	printf 'keys \\f\n' >&4
done
kill -TERM "$pid"
check "SIGTERM ends it although nobody reads" wait_for 5 "end" grep -q '^status 0' "$WORK/pty"
exec 4>&-

TERM=xterm-256color "$PTYTOOL" "$WORK/output2" "$REDOUBT" "${PASSWORDS[@]}" "$TARGET" \
	<"$WORK/commands" >"$WORK/pty2" 2>&1 &
OTHER_PIDS+=($!)
disown
exec 4>"$WORK/commands"
echo read >&4
wait_for 10 "drawn" grep -q Topology "$WORK/output2"
echo close >&4
check "hung up: it ends" wait_for 5 "end" grep -q '^status' "$WORK/pty2"
exec 4>&-

# --- somebody else's failover, between the opening of the sheet and Enter ------------------------------
# The last of this set, because the servers themselves may take minutes to settle after two failovers in a row.

new=$(sentinel_master "${S[0]}")
new=${new##*:}
screen_redoubt 80x24 --log "$WORK/log2" "$TARGET"
wait_screen "$(row "$new" master)" 10
check "the sheet opens once more" open_sheet
screen_keys -l mymaster
wait_screen '> mymaster' 5
scli "${S[2]}" sentinel failover mymaster >/dev/null
theirs_is_seen() {
	grep -q 'try-failover' "$WORK/log2"
}
wait_for 10 "the other failover is seen" theirs_is_seen
screen_keys Enter
check "a failover of somebody else stops the sheet" wait_screen 'Cannot be done|not sent|running' 10
equal "and nothing was sent" 0 "$(grep -c 'failover sent' "$WORK/log2")"

for port in "${!NODE_PID[@]}"; do
	kill_node "$port"
done

# --- a cluster ---------------------------------------------------------------------------------------

start_cluster "${C[@]}"
victim=${C[0]}
witness=${C[1]}
heir_of() {
	cli "$witness" cluster nodes | awk -v id="$(cli "$1" cluster myid)" \
		'$4 == id && !/fail/ { sub(/@.*/, "", $2); sub(/.*:/, "", $2); print $2; exit }'
}
heir=$(heir_of "$victim")
screen_redoubt 200x60 "127.0.0.1:$witness"
check "cluster: a slot map on the dashboard" wait_screen '┌ Slots' 10
check "cluster: masters in the tree" wait_screen "$(row "$victim" master)" 10
check "cluster: replicas in the tree" wait_screen "$(row "$heir" replica)" 10
screen_keys 4
check "cluster: slots alone, with their owners" wait_screen "127.0.0.1:$victim" 5
screen_keys 1
kill_node "$victim"
check "cluster: lost link of the master" wait_screen "\+link-lost .*127\.0\.0\.1:$victim" 10
check "cluster: +node-pfail, +node-fail" wait_screen '\+node-fail ' 20
check "cluster: the heir is master without a key" wait_screen "$(row "$heir" master)" 20
check "cluster: events in order" in_order '\+link-lost ' '\+node-fail ' '\+role-changed '
restart_node "$victim"
check "cluster: the old master is back as a replica" wait_screen "$(row "$victim" replica)" 40
settled() {
	local port
	for port in "${C[@]}"; do
		cluster_is_settled "$port" 6 || return 1
	done
}
wait_for 30 "the cluster settles" settled

# CLUSTER FAILOVER of the replica that just came back.
screen_keys 2 g
on_replica() {
	screen_keys Escape
	wait_lacks 'to go ahead|Esc closes' 2
	screen_keys j f
	wait_screen "Type 127.0.0.1:$victim to go ahead" 1
}
check "cluster: the sheet of a selected replica" wait_for 20 "its sheet" on_replica
check "cluster: the command" screen_has 'command +CLUSTER FAILOVER *│'
check "cluster: it listens" wait_for 5 "listens" sheet_listens
screen_keys -l mymaster
screen_keys Enter
check "cluster: a wrong name sends nothing" wait_screen 'nothing was sent' 5
screen_keys -l "127.0.0.1:$victim"
screen_keys Enter
check "cluster: the failover is verified" wait_screen 'Done and verified: 127.0.0.1:'"$victim" 30
equal "cluster: the node agrees" master "$(info_field "$victim" replication role)"
equal "cluster: so does its neighbour" master \
	"$(cli "$witness" cluster nodes | awk -v port=":$victim@" 'index($2, port) { print $3 }')"
close_sheet
check "cluster: the tree has it as master" wait_screen "$(row "$victim" master)" 10

finish
