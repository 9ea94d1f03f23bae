#!/bin/bash
# What goes to the terminal, byte by byte, for several kinds of terminals: nothing that they don't
# understand, and everything put back at the end.
# Functions are called through check and wait_for.
# shellcheck disable=SC2317,SC2016,SC2015,SC2153
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "$0")/lib.sh"
need_redoubt
build_tool ptytool
PTYTOOL=$TOOL
unset COLORTERM STY

free_ports 1
PORT=${PORTS[0]}
start_node "$PORT"
CONFIG=$XDG_CONFIG_HOME/redoubt/redoubt.conf
mkdir -p "${CONFIG%/*}"

COLOR='\x1b\[(\d+;)*(3[0-8]|4[0-8]|9[0-7]|10[0-7])(;\d+)*m'
EXACT='\x1b\[[34]8;2;'
OSC='\x1b\]'
TITLE='\x1b\]2;redoubt: ok'
PUSH='\x1b\[22;2t'
POP='\x1b\[23;2t'
REPORTS='\x1b\[\?(1006;)?1000h'
NO_REPORTS='\x1b\[\?(1006;)?1000l'

# --- one run ---------------------------------------------------------------------------------------

sent() {
	LC_ALL=C grep -aqP -- "$1" "$OUT"
}

not_sent() {
	! sent "$1"
}

count_sent() {
	LC_ALL=C grep -aoP -- "$1" "$OUT" | wc -l
}

# as_often REGEX REGEX
as_often() {
	local first second
	first=$(count_sent "$1") second=$(count_sent "$2")
	[ "$first" -gt 0 ] && [ "$first" -eq "$second" ] || { echo "$first, and $second"; return 1; }
}

# Over an earlier frame curses sends what differs; a redraw has all.
is_drawn() {
	wait_for 10 "the screen" sent '1 node up' || wait_for 30 "the screen, drawn anew" drawn_anew
}

drawn_anew() {
	sent '1 node up' || { press '\f' && false; }
}

# starts TEXT NAME [VARIABLE=VALUE...] -- [OPTION...]: sets OUT, the bytes that it sends.
starts() {
	local env=() text=$1
	OUT=$WORK/$2.out
	shift 2
	while [ "$1" != -- ]; do
		env+=("$1")
		shift
	done
	shift
	mkfifo "$OUT.fifo"
	env "${env[@]}" "$PTYTOOL" "$OUT" \
		sh -c 'trap : QUIT; stty -g >"$0.before"; "$@"; status=$?; stty -g >"$0.after"; exit $status' "$OUT" \
		"$REDOUBT" --pass-file "$PASS_FILE" "$@" "127.0.0.1:$PORT" \
		<"$OUT.fifo" >"$OUT.status" 2>&1 &
	OTHER_PIDS+=($!)
	exec 7>"$OUT.fifo"
	echo read >&7
	check "$text: starts" is_drawn
}

# press KEYS [REGEX]: until there are more bytes, or these among them.
press() {
	local before
	before=$(stat -c %s "$OUT")
	echo "keys $1" >&7
	answered() {
		tail -c "+$((before + 1))" "$OUT" | LC_ALL=C grep -aqP -- "${1:-.}"
	}
	wait_for 30 "an answer to $1" answered "${2:-}"
}

ended() {
	grep -q '^status ' "$OUT.status"
}

# quits STATUS
quits() {
	echo "keys q" >&7
	wait_for 30 "the end" ended || return 1
	grep -qx "status $1" "$OUT.status" || { cat "$OUT.status"; return 1; }
}

# Every mode that was set is taken back, the last word on it last.
put_back() {
	local mode last
	cmp -s "$OUT.before" "$OUT.after" || { echo "stty differs"; return 1; }
	for mode in 25:l:h 1049:h:l 1000:h:l 1006:h:l 2004:h:l; do
		last=$(LC_ALL=C grep -aoP "\x1b\[\?(\d+;)*${mode%%:*}[hl]" "$OUT" | tail -n 1)
		case $last in
		"" | *"${mode##*:}") ;;
		*) echo "mode ${mode%%:*} stays"; return 1 ;;
		esac
	done
	[ "$(count_sent "$PUSH")" -eq "$(count_sent "$POP")" ] || { echo "the title stays"; return 1; }
}

walk() {
	press 5 && press 1 && press '?' && press '\e' && press t && press '\eOB' && press '\e'
}

# --- kinds of terminals ----------------------------------------------------------------------------

for term in vt100 linux screen xterm xterm-256color tmux-256color no-such-terminal; do
	if [ $term != no-such-terminal ] && ! infocmp $term >/dev/null 2>&1; then
		skip "$term: no description here"
		continue
	fi
	starts "$term" $term TERM=$term --
	check "$term: screens, help and the theme picker answer" walk
	case $term in
	xterm* | tmux*) check "$term: the title says the health" wait_for 30 "the title" sent "$TITLE" ;;
	esac
	check "$term: quits" quits 0
	check "$term: everything is put back" put_back
	check "$term: no exact colours without being asked" not_sent "$EXACT"
	case $term in
	xterm* | tmux*) check "$term: and the old one is kept and given back" as_often "$PUSH" "$POP" ;;
	*) check "$term: no title, which it might not take back" not_sent "$OSC" ;;
	esac
	case $term in
	vt100) check "vt100: no colours" not_sent "$COLOR" ;;
	linux | screen | xterm) check "$term: no more than 8 colours" not_sent '\x1b\[[34]8[;:]' ;;
	esac
done

starts "C locale" ascii TERM=vt100 LC_ALL=C --
walk >/dev/null
check "C locale: quits" quits 0
check "C locale: nothing but ASCII" not_sent '[\x80-\xff]'

check "no usable terminal: refused" eval \
	'[ "$(TERM=dumb "$PTYTOOL" "$WORK/dumb" "$REDOUBT" "127.0.0.1:$PORT" </dev/null | tail -n 1)" != "status 0" ]'

# --- colours ---------------------------------------------------------------------------------------

starts "NO_COLOR" nocolor TERM=xterm-256color NO_COLOR=1 --
walk >/dev/null
check "NO_COLOR: quits" quits 0
check "NO_COLOR: no colours" not_sent "$COLOR"

starts "COLORTERM" colorterm TERM=xterm-256color COLORTERM=truecolor -- --theme nord
check "COLORTERM: quits" quits 0
check "COLORTERM alone is not believed" not_sent "$EXACT"

echo '[ui]
truecolor = auto' >"$CONFIG"
starts "COLORTERM and truecolor = auto" auto TERM=xterm-256color COLORTERM=truecolor -- \
	--theme nord
check "COLORTERM and truecolor = auto: quits" quits 0
check "COLORTERM and truecolor = auto: exact colours" sent '\x1b\[48;2;46;52;64m'
check "exact colours: no number of them is left" not_sent '\x1b\[[34]8;5;'
rm "$CONFIG"

export TERMINFO=$WORK/terminfo
if printf '%s\n' 'x-tc|xterm with exact colours,' '	Tc, use=xterm-256color,' \
	'x-direct|xterm whose numbers are colours,' '	RGB, colors#0x1000000, pairs#0x7FFF,' \
	'	setab=\E[%?%p1%{8}%<%t4%p1%d%e48\:2\:\:%p1%{65536}%/%d\:%p1%{256}%/%{255}%&%d\:%p1%{255}%&%d%;m,' \
	'	setaf=\E[%?%p1%{8}%<%t3%p1%d%e38\:2\:\:%p1%{65536}%/%d\:%p1%{256}%/%{255}%&%d\:%p1%{255}%&%d%;m,' \
	'	use=xterm-256color,' | tic -x -o "$TERMINFO" - 2>"$WORK/tic"; then
	starts "terminfo says Tc" tc TERM=x-tc -- --theme nord
	check "terminfo says Tc: quits" quits 0
	check "terminfo says Tc: exact colours" sent '\x1b\[48;2;46;52;64m'
	for theme in nord default; do
		starts "2^24 colours, $theme" "direct-$theme" TERM=x-direct -- --theme $theme
		check "2^24 colours, $theme: quits" quits 0
		check "2^24 colours, $theme: no number of another palette" not_sent '\x1b\[[34]8;5;'
	done
	check "2^24 colours: the default's 34 is its green" sent '\x1b\[38:2::0:175:0m'
else
	skip "exact colours by terminfo: tic does not make a description: $(head -n 1 "$WORK/tic")"
fi
unset TERMINFO

# --- mouse, title, bell ----------------------------------------------------------------------------

OUT=$WORK/xterm-256color.out
[ -e "$OUT" ] && check "no mouse without being asked" not_sent "$REPORTS"
starts "mouse" mouse TERM=xterm-256color -- --mouse
check "mouse: reports are asked for" sent "$REPORTS"
# The dashboard has no such pane at this size.
shows_nodes() {
	press '\f' 'Nodes  1 node  columns'
}
check "mouse: no list of nodes before" not_sent 'Nodes  1 node'
press '\e[<0;55;3M'
check "mouse: a click on a tab shows it" shows_nodes
check "Ctrl-Z: the terminal is left and taken again" eval \
	'echo "keys "$'"'\x1a'"' >&7; wait_for 30 "the title once more" eval "[ \$(count_sent \"\$PUSH\") -eq 2 ]"'
check "mouse: quits" quits 0
check "mouse: everything is put back" put_back
check "mouse: as many ends as beginnings" as_often "$PUSH" "$POP"

echo '[ui]
title = no' >"$CONFIG"
starts "title = no" notitle TERM=xterm-256color --
check "title = no: quits" quits 0
check "title = no: none" not_sent "$OSC"

# Ctrl-\ of the terminal, and the signal.
rm -f "$CONFIG"
for how in key signal; do
	starts "quit by $how" "quit-$how" TERM=xterm-256color -- --mouse
	wait_for 30 "the title" sent "$TITLE"
	if [ $how = key ]; then
		echo "keys "$'\x1c' >&7
	else
		kill -QUIT "$(cat "/proc/$(sed -n 's/^pid //p' "$OUT.status")/task/"*/children | cut -d' ' -f1)"
	fi
	check "quit by $how: it ends" wait_for 60 "the end" ended
	check "quit by $how: by the signal" grep -qx 'status 131' "$OUT.status"
	check "quit by $how: everything is put back" put_back
	check "quit by $how: mouse reports are off" sent "$NO_REPORTS"
done

echo '[ui]
bell = yes
notify = osc9' >"$CONFIG"
starts "bell" bell TERM=xterm-256color -- --mouse
wait_for 30 "the title" sent "$TITLE"
# What is critical within five seconds of the start does not ring: those must be over, and then all must
# have been seen to be well, which is when it has asked twice more.
STARTED=$(now_ms)
is_past_the_start() {
	[ $(($(now_ms) - STARTED)) -gt 6000 ]
}
wait_for 10 "six seconds" is_past_the_start
# Each look at the counter is counted as well.
info_calls() {
	cli "$PORT" info commandstats | sed -n 's/^cmdstat_info:calls=\([0-9]*\),.*/\1/p'
}
ASKED=$(info_calls)
OWN=0
has_asked_twice() {
	OWN=$((OWN + 1))
	[ $(($(info_calls) - ASKED - OWN)) -ge 3 ]
}
check "bell: it goes on asking" wait_for 60 "two more questions" has_asked_twice
check "bell: silent while all is well" not_sent '\x1b\]9;'
kill_node "$PORT"
check "bell: a lost master is told" wait_for 60 "OSC 9" sent '\x1b\]9;redoubt: [^\x07]*link lost\x07'
check "bell: with the bell" wait_for 30 "the bell" sent '\x1b\]9;[^\x07]*\x07\x07'
check "bell: and in the title" wait_for 30 "the title" sent '\x1b\]2;redoubt: CRITICAL'
# The shell that ptytool started waits for it.
kill -SEGV "$(cat "/proc/$(sed -n 's/^pid //p' "$OUT.status")/task/"*/children | cut -d' ' -f1)"
check "crash: it ends" wait_for 60 "the end" ended
check "crash: the title is given back" as_often "$PUSH" "$POP"
check "crash: mouse reports are off" sent "$NO_REPORTS"
check "crash: everything is put back" put_back
check "crash: one bell for one thing" eval '[ "$(count_sent "\x1b\]9;")" -eq 1 ]'

finish
