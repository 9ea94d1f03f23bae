#!/bin/bash
# The man page and the completions are those that the tables make, and do what they are for.
set -u

src=${REDOUBT_SRCDIR:-$(cd "$(dirname "$0")/.." && pwd)}
build=${REDOUBT_BUILDDIR:-$PWD}
work=$(mktemp -d "${TMPDIR:-/tmp}/redoubt-docs-XXXXXX") || exit 1
trap 'rm -rf "$work"' EXIT
status=0

fail() {
	echo "not ok - $*"
	status=1
}

# --- fresh -----------------------------------------------------------------------------------------

REDOUBT_SRCDIR=$src "$src/scripts/make-docs" "$build/redoubt-docs" "$work/new" >/dev/null ||
	fail "redoubt-docs could not make the documents"
for file in docs/redoubt.1 completions/redoubt.bash completions/_redoubt completions/redoubt.fish; do
	if diff -u "$src/$file" "$work/new/$file"; then
		echo "ok - $file is fresh"
	else
		fail "$file is not what the tables say: run 'make docs' and commit"
	fi
done

# keys_in FILE: what the first cells of its tables have: "Up `k`, Down `j`" are four.
keys_in() {
	sed -n 's/^| \([^|]*\) | .*/\1/p' "$1" | sed 's/, / /g' | tr ' ' '\n' | tr -d '`' | grep .
}

# Each option in docs/options.md, each key of the configuration in docs/config.md, each key in the tables of
# README.md or docs/recording.md, each command of the `:` line on some page.
names=$("$build/redoubt-docs" names) || fail "redoubt-docs names"
while read -r kind name; do
	case $kind in
	bound) continue ;;
	key) file=README.md ;;
	replay-key) file=docs/recording.md ;;
	command)
		grep -Eq "\`:${name}[ \`]" "$src"/README.md "$src"/docs/*.md || fail "no page has the command :$name"
		continue
		;;
	option) file=docs/options.md pattern="\`$name[] =[\`]" ;;
	config) file=docs/config.md pattern="\`$name\`" ;;
	*) fail "unknown kind $kind" && continue ;;
	esac
	case $kind in
	key | replay-key)
		keys_in "$src/$file" | grep -Fqx -e "$name" || fail "$file has no key $name"
		continue
		;;
	esac
	grep -Eq -e "$pattern" "$src/$file" || fail "$file does not name $name"
done <<<"$names"

# And what the pages have is there.
while read -r name; do
	grep -Eqx "(command|bound) $name" <<<"$names" || fail "a page has :$name, which is no command"
done < <(cat "$src"/README.md "$src"/docs/*.md | grep -o '`:[a-z][a-z-]*' | tr -d '`:' | sort -u)
while read -r name; do
	grep -Fqx -e "key $name" <<<"$names" || fail "README.md has $name, which is no key"
done < <(sed -n '/^## Keys/,/^## One-shot/p' "$src/README.md" | sed '1,/^| ---/d' >"$work/keys" &&
	keys_in "$work/keys")

# --- links -----------------------------------------------------------------------------------------

# anchors FILE: what its headings can be reached by.
anchors() {
	grep '^#' "$1" | sed 's/^#* //' | tr '[:upper:]' '[:lower:]' | tr -cd 'a-z0-9 _\n-' | tr ' ' '-'
}

# Each link to a file leads to one that is there, and to a heading of it where it names one.
cd "$src" || exit 1
for file in README.md docs/*.md; do
	while read -r link; do
		case $link in http*:*) continue ;; esac
		target=${link%%#*}
		target=$src/${target:+$(dirname "$file")/}${target:-$file}
		if [ ! -e "$target" ]; then
			fail "$file: $link leads nowhere"
		elif [ "$link" != "${link#*#}" ] && ! anchors "$target" | grep -Fqx -e "${link#*#}"; then
			fail "$file: $link: no such heading"
		fi
	done < <(cd "$src" && grep -o '](\([^)]*\))' "$file" | sed 's/^](//; s/)$//')
done
# Each page is in the list of README.md, thus found.
for file in "$src"/docs/*.md; do
	grep -q "](docs/${file##*/})" "$src/README.md" || fail "README.md does not lead to docs/${file##*/}"
done

# --- the man page ----------------------------------------------------------------------------------

if command -v man >/dev/null 2>&1; then
	warnings=$(LC_ALL=C.UTF-8 MANROFFSEQ='' MANWIDTH=80 man --warnings -E UTF-8 -l "$src/docs/redoubt.1" \
		2>&1 >"$work/page")
	if [ -n "$warnings" ]; then
		fail "man warns: $warnings"
	elif ! grep -q -- '--sentinel-pass-file FILE' "$work/page"; then
		fail "man did not show the page"
	else
		echo "ok - man shows the page without a warning"
	fi
else
	echo "# skip man is not here"
fi
if command -v mandoc >/dev/null 2>&1; then
	if warnings=$(mandoc -T lint "$src/docs/redoubt.1" 2>&1); then
		echo "ok - mandoc finds nothing"
	else
		fail "mandoc: $warnings"
	fi
else
	echo "# skip mandoc is not here"
fi

# --- bash ------------------------------------------------------------------------------------------

# shellcheck source=/dev/null
source "$src/completions/redoubt.bash" || fail "bash cannot read its completion"

# completes EXPECTED WORD...: what is offered for the last word, sorted, with blanks between.
completes() {
	local expected=$1 got
	shift
	COMP_WORDS=(redoubt "$@")
	COMP_CWORD=$#
	COMPREPLY=()
	_redoubt
	got=$(printf '%s\n' ${COMPREPLY[@]+"${COMPREPLY[@]}"} | sort | tr '\n' ' ')
	got=${got% }
	if [ "$got" = "$expected" ]; then
		echo "ok - bash: $* gives '$expected'"
	else
		fail "bash: $* gives '$got', not '$expected'"
	fi
}

mkdir -p "$work/files/folder" && : >"$work/files/a file" && cd "$work/files" || exit 1
completes "json text" --format ""
completes "json" --format = j
completes "json text" --format =
completes "all cluster sentinel" --demo =
completes "cluster" --demo = c
completes "" --demo "" # the value of --demo is never a word of its own
completes "--read-only" --rea
completes "--sentinel-pass-file --sentinel-user" --once --sent
completes "a file" --pass-file "a"
completes "folder" --cacertdir ""
completes "" --interval ""
completes "" 127.0.0.1
completes "" -- --rea
completes "default" --theme def
case $(complete -p redoubt 2>&1) in
*"-F _redoubt redoubt") echo "ok - bash: complete is told" ;;
*) fail "bash: complete is not told" ;;
esac

# --- zsh and fish ----------------------------------------------------------------------------------

if command -v zsh >/dev/null 2>&1; then
	if error=$(zsh -n "$src/completions/_redoubt" 2>&1) && [ -z "$error" ]; then
		echo "ok - zsh reads its completion"
	else
		fail "zsh: $error"
	fi
else
	echo "# skip zsh is not here"
fi
if command -v fish >/dev/null 2>&1; then
	export HOME=$work XDG_CONFIG_HOME=$work XDG_DATA_HOME=$work
	got=$(fish --no-config -c "source '$src/completions/redoubt.fish'; complete -C 'redoubt --format '" 2>&1 |
		cut -f 1 | sort | tr '\n' ' ')
	if [ "$got" = "json text " ]; then
		echo "ok - fish: --format gives json and text"
	else
		fail "fish: --format gives '$got'"
	fi
else
	echo "# skip fish is not here"
fi

exit $status
