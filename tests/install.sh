#!/bin/sh
# `make install` puts each file where it belongs, and `make uninstall` leaves none of them.
set -eu

src=${REDOUBT_SRCDIR:-$(cd "$(dirname "$0")/.." && pwd)}
build=${REDOUBT_BUILDDIR:-$PWD}
work=$(mktemp -d "${TMPDIR:-/tmp}/redoubt-install-XXXXXX")
trap 'rm -rf "$work"' EXIT
unset MAKEFLAGS MAKELEVEL MFLAGS DESTDIR
LC_ALL=C
export LC_ALL

run_make() {
	# With a folder for everything: what configure was told must not change the list below.
	make -C "$build" "$@" DESTDIR="$work/root" prefix=/usr exec_prefix=/usr bindir=/usr/bin \
		datarootdir=/usr/share datadir=/usr/share mandir=/usr/share/man \
		docdir=/usr/share/doc/redoubt >"$work/log" 2>&1 || {
		cat "$work/log"
		echo "not ok - make $*"
		exit 1
	}
}

installed() {
	find "$work/root" ! -type d | sed "s|^$work/root||" | sort
}

expected() {
	cat <<-END
		/usr/bin/redoubt
		/usr/share/bash-completion/completions/redoubt
		/usr/share/doc/redoubt/LICENSE
		/usr/share/doc/redoubt/NEWS
		/usr/share/doc/redoubt/README.md
		/usr/share/fish/vendor_completions.d/redoubt.fish
		/usr/share/man/man1/redoubt.1
		/usr/share/redoubt/demo-break
		/usr/share/zsh/site-functions/_redoubt
	END
	for file in "$src"/docs/*.md; do
		echo "/usr/share/doc/redoubt/docs/${file##*/}"
	done
	for file in "$src"/themes/*.theme; do
		echo "/usr/share/redoubt/themes/${file##*/}"
	done
}

run_make install
expected | sort >"$work/expected"
installed >"$work/installed"
if ! diff -u "$work/expected" "$work/installed"; then
	echo "not ok - other files are installed than those expected (Makefile.am names each)"
	exit 1
fi
echo "ok - make install: $(wc -l <"$work/installed") files"

for file in /usr/bin/redoubt /usr/share/redoubt/demo-break; do
	[ -x "$work/root$file" ] || {
		echo "not ok - $file cannot be run"
		exit 1
	}
done
"$work/root/usr/bin/redoubt" --version | grep -q '^redoubt ' || {
	echo "not ok - the installed program does not run"
	exit 1
}
echo "ok - the installed program runs"

# Another's file in a shared folder stays, and so does its folder.
: >"$work/root/usr/share/zsh/site-functions/_other"
run_make uninstall
left=$(installed)
folders=$(find "$work/root" -type d -name redoubt)
if [ "$left" != /usr/share/zsh/site-functions/_other ] || [ -n "$folders" ]; then
	echo "not ok - make uninstall leaves: $left $folders"
	exit 1
fi
echo "ok - make uninstall leaves nothing"
