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

open_sheet() {
	screen_keys f
	wait_screen "${1:-Type .* to go ahead}" 30 && sheet_listens
}

close_sheet() {
	screen_keys Escape
	wait_lacks 'to go ahead|Esc closes' 30
}

# pressed KEYS REGEX: the screen shows what they led to.
pressed() {
	local keys
	read -ra keys <<<"$1" # as words they could become names of files
	screen_keys "${keys[@]}"
	wait_screen "$2" 30
}

# What is on the screen is one frame: the next one, with the line that begins with a colon, has begun
# only after it had been sent.
whole_frame() {
	screen_keys :
	wait_screen '^:' 30
	screen_keys Escape
	wait_lacks '^:' 30
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
	wait_for 60 "replica is linked" linked "$port" || bail "replica $port synchronises"
done
for port in "${S[@]}"; do
	# Nothing may be down for a busy machine but what is killed here.
	start_sentinel "$port" "$M" 2 5000
done
wait_for 120 "all Sentinels see all" set_is_quiet || bail "the set settles"
TARGET=127.0.0.1:${S[0]}

for size in 80x24 200x60; do
	screen_redoubt "$size" "$TARGET"
	check "$size: the master" wait_screen "$(row "$M" master)" 30
	check "$size: both replicas" eval 'wait_screen "$(row "$R1" replica)" 30 && wait_screen "$(row "$R2" replica)" 30'
	check "$size: the Sentinels answer" wait_screen 'Sentinels +3 of 3' 30
	check "$size: it can fail over" wait_screen 'failover ok' 30
	wait_check 30 "$size: panes for topology, lag and events" in_order '┌ Topology .*┌ Replication' '┌ Events '
	check "$size: lag in bytes" wait_screen ":$R2 .*[0-9.]+ k?B" 30
	check "$size: no slots without a cluster" screen_lacks '┌ Slots'
done

check "200x60: lag in seconds" wait_screen "127\.0\.0\.1:$R2 .* [0-9.]+ k?B +<?[0-9]+ s" 30

# --- the crash of the master, at 200x60 ----------------------------------------------------------------

kill_node "$M"
check "killed master: lost link" wait_screen '\+link-lost .*127\.0\.0\.1:'"$M" 30
check "killed master: marked in the tree" wait_screen "127.0.0.1:$M +(master|replica) +(down|not reach|refus|object|subj)" 30
check "killed master: +switch-master" wait_screen '\+switch-master ' 120
new_master() {
	new=$(sentinel_master "${S[0]}")
	new=${new##*:}
	[ -n "$new" ] && [ "$new" != "$M" ] && all_name "$new"
}
wait_for 60 "all Sentinels name the new one" new_master || bail "the Sentinels agree on a new master"
check "the new master is in the tree without a key" wait_screen "$(row "$new" master)" 30
wait_check 30 "the events are in order" in_order '\+link-lost ' '\+sdown ' '\+odown ' '\+promoted-slave ' '\+switch-master '
check "the old master is a replica now, and down" \
	wait_screen "127.0.0.1:$M +replica +(down|not reach|refus|subj|gone)" 60
restart_node "$M"
check "the old master is back as a replica" wait_screen "$(row "$M" replica)" 120
check "and linked" wait_for 60 "linked" linked "$M"

# From here on nothing dies, and a busy machine must not bring about a failover of its own.
# Each Sentinel's message about that comes behind all that it had to say of the failover.
heard_of_each() {
	local i
	for i in 0 1 2; do
		screen_has "\+set .*down-after-milliseconds 3000$i" || return 1
	done
}
for i in 0 1 2; do
	scli "${S[i]}" sentinel set mymaster down-after-milliseconds "3000$i" >/dev/null
done
check "what the Sentinels say is seen" wait_for 30 "a message of each" heard_of_each
check "each once: +switch-master" [ "$(screen_text | grep -c '+switch-master ')" -eq 1 ]
wait_for 180 "the set is quiet" set_is_quiet || bail "the set settles after the crash"
new=$(sentinel_master "${S[0]}")
new=${new##*:}

# --- a failover by hand ----------------------------------------------------------------------------

ckquorum() {
	pressed c '3 of 3 Sentinels: OK' && close_sheet
}
check "ckquorum by c" ckquorum

before=$(epochs)
screen_keys f m y m a s t e r Enter
check "the sheet opens" wait_screen 'Type mymaster to go ahead' 30
check "it says the command and whom it goes to" in_order 'command +SENTINEL FAILOVER mymaster' 'goes to +127'
check "keys of the first half second are dropped" wait_screen '> *│' 30
check "later it listens" sheet_listens
answer mymastex
check "a wrong name: it says that nothing was sent" wait_screen 'nothing was sent' 30
screen_keys -l mymaster
wait_screen '> mymaster' 30
check "Esc leaves the sheet" close_sheet
# What is asked later is answered later.
check "ckquorum once more" ckquorum
equal "nothing was sent: epochs as before" "$before" "$(epochs)"
equal "nothing was sent: master as before" "127.0.0.1:$new" "$(sentinel_master "${S[0]}")"

screen_redoubt 80x24 --log "$WORK/log" "$TARGET"
wait_screen "$(row "$new" master)" 30
wait_screen 'failover ok' 30
check "80x24: the sheet opens" open_sheet
answer mymaster
check "the failover is verified on the sheet" wait_screen 'Done and verified: new master' 180
said=$(screen_text | grep -oE 'new master 127\.0\.0\.1:[0-9]+' | head -n 1)
check "all Sentinels have switched" wait_for 60 "all agree" all_name "${said##*:}"
equal "the screen agrees with the Sentinels" "new master $(sentinel_master "${S[1]}")" "$said"
close_sheet
new=${said##*:}
check "the tree has the new master" wait_screen "$(row "$new" master)" 60
check "the log has the action, its operator and outcome" \
	logged 'action.*failover verified: SENTINEL FAILOVER mymaster.*by '
wait_for 180 "the set is quiet" set_is_quiet || bail "the set settles after the failover"

before=$(epochs)
screen_redoubt 80x24 --read-only "$TARGET"
wait_screen "$(row "$new" master)" 30
check "--read-only has a badge" wait_screen READ-ONLY 30
screen_keys f
check "--read-only refuses" wait_screen 'read-only: ' 30
screen_keys -l mymaster
screen_keys Enter
close_sheet

# --- keys, at 80x24 ----------------------------------------------------------------------------------

screen_redoubt 80x24 "$TARGET"
wait_screen 'failover ok' 30
equal "--read-only: epochs as before" "$before" "$(epochs)"
check "? lists the keys" pressed '?' 'Screens'
check "help scrolls" pressed NPage 'failover sheet|ckquorum|filter the focused'
close_sheet
for key in 2:Topology 3:Replication 5:Events; do
	screen_keys "${key%:*}"
	only_that() {
		screen_has "^┌ ${key#*:}" && [ "$(screen_text | grep -c '┌ ')" -eq 1 ]
	}
	check "key ${key%:*} shows ${key#*:} alone" wait_for 30 "one pane" only_that
done
check "key 4 says that only a cluster has slots" pressed 4 'only a cluster has slots'
pressed 1 'Topology .*Replication'
screen_keys z
alone() {
	[ "$(screen_text | grep -o '┌ ' | grep -c .)" -eq 1 ]
}
together() {
	[ "$(screen_text | grep -o '┌ ' | grep -c .)" -eq 3 ]
}
check "z zooms" wait_for 30 "one pane" alone
screen_keys z
check "and back" wait_for 30 "three panes" together
check "Tab, then z: another pane" pressed 'Tab z' '^┌ Replication'
screen_keys z
wait_for 30 "three panes" together
pressed 2 '^┌ Topology'
screen_keys /
screen_keys -l "$R2"
screen_keys Enter
check "a filter leaves the other rows out" wait_lacks "127.0.0.1:$R1 +replica" 30
check "and keeps those that match" wait_screen "127.0.0.1:$R2" 30
check "Esc drops the filter" pressed Escape "127.0.0.1:$R1"
check "Space freezes" pressed '1 Space' FROZEN
wait_for 30 "three panes" together

# Frozen, so that two captures can be compared: without the line of the clock and the state below.
content() {
	screen_text | tail -n +3
}

# What the program does about a signal or a key, it does before it sleeps again.
sleeps() {
	grep -q '^State:[[:space:]]*S' "/proc/$(pane pane_pid)/status"
}

tty_is() {
	[ "$(stty -F "$(pane pane_tty)" size)" = "${1#*x} ${1%x*}" ]
}

# CONTENT is what is on the screen, once that has been the same four times.
stands_still() {
	local before=$CONTENT
	sleeps || SAME=0
	CONTENT=$(content)
	if [ "$before" = "$CONTENT" ]; then SAME=$((SAME + 1)); else SAME=0; fi
	[ "$SAME" -ge 3 ]
}

settle() {
	SAME=0
	CONTENT=none
	wait_for 30 "the frame is whole" stands_still
}

# same_after_redraw SIZE: what is there after a change of the size is what is there when all is drawn anew.
# A frame may be seen when half of it is there: what is really left over is there each time.
same_after_redraw() {
	local before size
	for _ in 1 2 3; do
		for size in 79x23 "$1"; do
			resize "$size"
			wait_for 30 "the terminal's size" tty_is "$size"
			settle
		done
		before=$CONTENT
		screen_keys C-l
		settle
		[ "$before" = "$CONTENT" ] && return
	done
	diff <(echo "$before") <(echo "$CONTENT")
	return 1
}
is_alive_at() {
	size_is "$1" && [ "$(pane pane_dead)" = 0 ]
}
if [ -r "/proc/$(pane pane_pid)/status" ]; then
	screen_keys C-l
	settle
	first=$CONTENT
	for size in 40x10 20x5 1x1 2x60 200x60 80x24; do
		check "$size: nothing is left of another size" same_after_redraw "$size"
		check "$size: alive" is_alive_at "$size"
	done
	looks_as_before() {
		[ "$(content)" = "$first" ]
	}
	check "80x24 looks as before" wait_for 30 "the same" looks_as_before
else
	skip "no /proc/PID/status here: resizing"
fi
screen_keys Space
check "Space goes on" wait_lacks FROZEN 30

# --- the command line, other keys, and a frozen screen ------------------------------------------------

type_line 'screen nodes'
check ":screen shows it" wait_screen '^┌ Nodes' 30
type_line 'sort address'
type_line "filter ${S[0]}" # a replica's row has its master's address as well
check ":filter leaves the other rows out" wait_lacks "127.0.0.1:${S[1]}" 30
screen_keys Escape
check "Esc drops that filter as well" wait_screen "127.0.0.1:${S[1]}" 30
type_line 'sorrt address'
check "an unknown command: the one that was meant" wait_screen 'unknown command sorrt: sort\?' 30
type_line 'sort nonsense'
check "an unknown column is refused" wait_screen 'Nodes has no column nonsense' 30
screen_keys :
screen_keys -l 'screen to'
screen_keys Tab
check "Tab completes" wait_screen '^:screen topology' 30
screen_keys C-u
screen_keys -l 'scr'
screen_keys Escape
check "Esc leaves the line" wait_lacks '^:' 30
screen_keys : Up
check "Up: the line before" wait_screen '^:sort nonsense' 30
screen_keys Escape
type_line 'failover'
check ":failover opens its sheet, and sends nothing" wait_screen 'Type .* to go ahead' 30
close_sheet
type_line "node $R2"
check ":node opens it" wait_screen "^┌ Node +127.0.0.1:$R2" 30
screen_keys Escape
check "Esc is back where one was" wait_screen '^┌ Nodes' 30
# Below the header, which may have an address and a background as well.
selected_address() {
	tm capture-pane -p -e | tail -n +4 | grep -oP '\x1b\[[0-9;]*(7|48;5;\d+)m[^│]*127\.0\.0\.1:\d+' | grep -oE '127\.0\.0\.1:[0-9]+' | head -n 1
}
screen_keys g j
whole_frame
selected=$(wait_for 30 "a selected row" selected_address >/dev/null; selected_address)
same_row() {
	[ -n "$selected" ] && [ "$(selected_address)" = "$selected" ]
}
screen_keys s s S
whole_frame
check "sorted: the selection stays with its row" wait_for 30 "the same row" same_row
screen_keys Space
wait_screen FROZEN 30
screen_keys /
screen_keys -l "${S[0]}"
screen_keys Enter
check "frozen: a filter acts at once" wait_lacks "127.0.0.1:${S[1]}" 30
screen_keys Escape
check "frozen: and is dropped" wait_screen "127.0.0.1:${S[1]}" 30
screen_keys 2
check "frozen: another screen" wait_screen '^┌ Topology' 30
check "frozen: all the same" wait_screen FROZEN 30
screen_keys Space
wait_lacks FROZEN 30

printf '[keys]\nfailover = F\nhelp = <F2> H\nfilter = <C-f>\npage-down = <PgDn>\n' >"$WORK/keys.conf"
screen_redoubt 80x24 -c "$WORK/keys.conf" "$TARGET"
wait_screen 'failover ok' 30
check "[keys]: the hints have the new ones" wait_screen 'F failover.*F2 help' 30
screen_keys f '?' F2
check "[keys]: F2 is help, f and ? are nothing" wait_screen 'Esc closes' 30
check "[keys]: the help has the new ones" eval "screen_keys End; wait_screen ' F +open the failover sheet' 30"
screen_keys Escape F
check "[keys]: F opens the sheet" wait_screen 'Type .* to go ahead' 30
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
	wait_screen 'shell>' 30
}

try() {
	screen_keys -l "try $REDOUBT ${PASSWORDS[*]} $*"
	screen_keys Enter
	wait_screen "$(row "$new" master)" 30
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
check "q gives the terminal back" wait_for 60 "given back" given_back
equal "q: status 0" 0 "$(cat "$WORK/exit")"
for signal in TERM HUP INT; do
	try "$TARGET"
	kill -"$signal" "$(redoubt_pid)"
	check "SIG$signal gives the terminal back" wait_for 60 "given back" given_back
done
for signal in SEGV ABRT BUS; do
	try "$TARGET"
	kill -"$signal" "$(redoubt_pid)"
	check "SIG$signal gives the terminal back" wait_for 60 "given back" given_back
	check "SIG$signal: the status tells" [ "$(cat "$WORK/exit")" -ne 0 ]
done
try "$TARGET"
screen_keys C-c
check "Ctrl-C gives the terminal back" wait_for 60 "given back" given_back

try "$TARGET"
screen_keys C-z
check "Ctrl-Z leads back to the shell" wait_screen 'Stopped' 30
equal "Ctrl-Z leaves the alternate screen" 0 "$(pane alternate_on)"
shell_is_usable() {
	screen_keys -l 'stty -a >"$WORK/stopped"; echo "us""able"'
	screen_keys Enter
	wait_screen '^usable' 30
}
check "the shell can be used meanwhile" shell_is_usable
screen_keys -l fg
screen_keys Enter
check "fg brings the dashboard back" wait_screen "$(row "$new" master)" 30
equal "and the alternate screen" 1 "$(pane alternate_on)"
screen_keys '?'
check "and the keys" wait_screen 'Esc closes' 30
screen_keys Escape
wait_lacks 'Esc closes' 30
pid=$(redoubt_pid)
kill -STOP "$pid"
check "SIGSTOP from outside: the shell is back" wait_screen 'Stopped' 30
screen_keys -l fg
screen_keys Enter
# Drawn anew: the shell's words were on the same screen.
wait_lacks Stopped 30
wait_screen "$(row "$new" master)" 30
screen_keys '?'
check "and fg brings the dashboard back" wait_screen 'Esc closes' 30
screen_keys Escape
wait_lacks 'Esc closes' 30
screen_keys q
check "q after all this gives the terminal back" wait_for 60 "given back" given_back

try "$TARGET"
pid=$(redoubt_pid)
kill -KILL "$(pane pane_pid)"
check "its shell killed: it ends" wait_for 60 "end" is_gone "$pid"

# --- terminals of all kinds --------------------------------------------------------------------------

screen_start 80x24 env TERM=nosuchterm "$REDOUBT" "${PASSWORDS[@]}" "$TARGET"
check "TERM=nosuchterm: it is said" wait_screen "nosuchterm' is unknown here" 30
check "TERM=nosuchterm: drawn all the same" wait_screen "$(row "$new" master)" 30
screen_start 80x24 env TERM=vt100 "$REDOUBT" "${PASSWORDS[@]}" "$TARGET"
check "TERM=vt100" wait_screen "$(row "$new" master)" 30
screen_start 80x24 env TERM=dumb "${NOTE_STATUS[@]}" "$REDOUBT" "${PASSWORDS[@]}" "$TARGET"
check "TERM=dumb is refused" [ "$(screen_status)" -eq 64 ]
check "TERM=dumb: --once and --events are named" wait_for 30 "named" \
	eval "screen_history | paste -sd' ' | grep -q -e '--once.*--events'"

ascii_only() {
	! screen_text | LC_ALL=C grep -q '[^ -~]'
}
screen_start 80x24 env -u LC_ALL -u LC_CTYPE LANG=C "$REDOUBT" "${PASSWORDS[@]}" "$TARGET"
check "LANG=C: drawn" wait_screen "$(row "$new" master)" 30
check "LANG=C: ASCII only" ascii_only
screen_redoubt 80x24 --ascii "$TARGET"
wait_screen "$(row "$new" master)" 30
check "--ascii: ASCII only" ascii_only

colored() {
	tm capture-pane -p -e | grep -qP '\x1b\[([0-9;]*;)?([349][0-7]|10[0-7]|[34]8[;:])'
}
not_colored() {
	! colored
}
screen_redoubt 80x24 "$TARGET"
wait_screen "$(row "$new" master)" 30
check "colours are used" wait_for 30 "colour" colored
screen_start 80x24 env NO_COLOR=1 "$REDOUBT" "${PASSWORDS[@]}" "$TARGET"
wait_screen "$(row "$new" master)" 30
check "NO_COLOR=1: no colour" not_colored
screen_redoubt 80x24 --no-color "$TARGET"
wait_screen "$(row "$new" master)" 30
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
check "a terminal of its own: drawn" wait_for 60 "drawn" grep -q Topology "$WORK/output"
pid=$(sed -n 's/^pid //p' "$WORK/pty")
echo 'keys '$'\032' >&4
# A key may be lost while the terminal is left and taken again; a late one is seen by the next redraw.
keys_work() {
	: >"$WORK/output"
	printf '%s\n' 'keys ?\f' >&4
	wait_for 5 "help" grep -q 'Esc closes' "$WORK/output" && printf '%s\n' 'keys \e' >&4
}
check "Ctrl-Z without a shell does not stop it for ever" wait_for 60 "keys work" keys_work
kill -STOP "$pid"
kill -CONT "$pid"
check "SIGSTOP and SIGCONT without a shell: keys are answered" wait_for 60 "keys work" keys_work
echo stop >&4
for ((i = 0; i < 40; i++)); do
	printf 'keys \\f\n' >&4
done
pause_node "$R1"
check "the terminal is not read: the log goes on" wait_for 60 "log" \
	grep -q "+link-lost.*127.0.0.1:$R1" "$WORK/unread.log"
resume_node "$R1"
check "and on" wait_for 60 "log" grep -q -e "-link-lost.*127.0.0.1:$R1" "$WORK/unread.log"
: >"$WORK/output"
echo read >&4
check "read again: the newest frame comes" wait_for 30 "frame" grep -q "link-lost" "$WORK/output"
echo stop >&4
for ((i = 0; i < 40; i++)); do
	printf 'keys \\f\n' >&4
done
kill -TERM "$pid"
check "SIGTERM ends it although nobody reads" wait_for 60 "end" grep -q '^status 0' "$WORK/pty"
exec 4>&-

TERM=xterm-256color "$PTYTOOL" "$WORK/output2" "$REDOUBT" "${PASSWORDS[@]}" "$TARGET" \
	<"$WORK/commands" >"$WORK/pty2" 2>&1 &
OTHER_PIDS+=($!)
disown
exec 4>"$WORK/commands"
echo read >&4
wait_for 60 "drawn" grep -q Topology "$WORK/output2"
echo close >&4
check "hung up: it ends" wait_for 60 "end" grep -q '^status' "$WORK/pty2"
exec 4>&-

# --- somebody else's failover, between the opening of the sheet and Enter ------------------------------
# The last of this set, because the servers themselves may take minutes to settle after two failovers in a row.

new=$(sentinel_master "${S[0]}")
new=${new##*:}
screen_redoubt 80x24 --log "$WORK/log2" "$TARGET"
wait_screen "$(row "$new" master)" 30
check "the sheet opens once more" open_sheet
screen_keys -l mymaster
wait_screen '> mymaster' 30
theirs_is_taken() {
	[ "$(scli "${S[2]}" sentinel failover mymaster)" = OK ]
}
wait_for 60 "a failover of somebody else" theirs_is_taken
theirs_is_seen() {
	grep -q 'try-failover' "$WORK/log2"
}
wait_for 60 "the other failover is seen" theirs_is_seen
screen_keys Enter
check "a failover of somebody else stops the sheet" wait_screen 'Cannot be done|not sent|running' 30
equal "and nothing was sent" 0 "$(grep -c 'failover sent' "$WORK/log2")"

for port in "${!NODE_PID[@]}"; do
	kill_node "$port"
done

# --- a cluster ---------------------------------------------------------------------------------------

# Two seconds are nothing on a busy machine.
CLUSTER_NODE_TIMEOUT=5000
start_cluster "${C[@]}"
victim=${C[0]}
witness=${C[1]}
heir_of() {
	cli "$witness" cluster nodes | awk -v id="$(cli "$1" cluster myid)" \
		'$4 == id && !/fail/ { sub(/@.*/, "", $2); sub(/.*:/, "", $2); print $2; exit }'
}
heir=$(heir_of "$victim")
screen_redoubt 200x60 "127.0.0.1:$witness"
check "cluster: a slot map on the dashboard" wait_screen '┌ Slots' 30
check "cluster: masters in the tree" wait_screen "$(row "$victim" master)" 30
check "cluster: replicas in the tree" wait_screen "$(row "$heir" replica)" 30
screen_keys 4
check "cluster: slots alone, with their owners" wait_screen "127.0.0.1:$victim" 30
screen_keys 1
kill_node "$victim"
check "cluster: lost link of the master" wait_screen "\+link-lost .*127\.0\.0\.1:$victim" 30
check "cluster: +node-pfail, +node-fail" wait_screen '\+node-fail ' 60
check "cluster: the heir is master without a key" wait_screen "$(row "$heir" master)" 60
# The last two are read from different nodes: which one is asked first is chance.
for event in node-fail role-changed; do
	wait_check 30 "cluster: events in order: +link-lost, +$event" in_order '\+link-lost ' "\+$event "
done
restart_node "$victim"
check "cluster: the old master is back as a replica" wait_screen "$(row "$victim" replica)" 120
settled() {
	local port
	for port in "${C[@]}"; do
		cluster_is_settled "$port" 6 || return 1
	done
}
wait_for 120 "the cluster settles" settled || bail "the cluster settles"

# CLUSTER FAILOVER of the replica that just came back.
pressed 2 '^┌ Topology'
screen_keys g
selects_replica() {
	whole_frame
	[ "$(selected_address)" = "127.0.0.1:$victim" ] || { screen_keys j; false; }
}
check "cluster: the replica can be selected" wait_for 60 "its row" selects_replica
check "cluster: its sheet" pressed f "Type 127.0.0.1:$victim to go ahead"
check "cluster: the command" wait_screen 'command +CLUSTER FAILOVER *│' 30
check "cluster: it listens" sheet_listens
answer mymaster
check "cluster: a wrong name sends nothing" wait_screen 'nothing was sent' 30
answer "127.0.0.1:$victim"
check "cluster: the failover is verified" wait_screen 'Done and verified: 127.0.0.1:'"$victim" 120
wait_equal 60 "cluster: the node agrees" master info_field "$victim" replication role
role_by_neighbour() {
	cli "$witness" cluster nodes | awk -v port=":$victim@" 'index($2, port) { print $3 }'
}
wait_equal 60 "cluster: so does its neighbour" master role_by_neighbour
close_sheet
check "cluster: the tree has it as master" wait_screen "$(row "$victim" master)" 30

finish
