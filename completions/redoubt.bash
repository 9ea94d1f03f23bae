# bash completion of redoubt. Made by `make docs` from the table of options.
_redoubt() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} equals='' i
	COMPREPLY=()
	# bash takes --option=value apart at the equals sign.
	if [[ $cur == = ]]; then
		cur='' equals='='
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD - 2]} equals='='
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		[[ ${COMP_WORDS[i]} != -- ]] || return 0
	done
	case $prev$equals in
	-c | --config | --config=)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return 0
		;;
	-i | --interval | --interval=)
		return 0
		;;
	--timeout | --timeout=)
		return 0
		;;
	--user | --user=)
		return 0
		;;
	--pass-file | --pass-file=)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return 0
		;;
	--sentinel-user | --sentinel-user=)
		return 0
		;;
	--sentinel-pass-file | --sentinel-pass-file=)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return 0
		;;
	--cacert | --cacert=)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return 0
		;;
	--cacertdir | --cacertdir=)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return 0
		;;
	--cert | --cert=)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return 0
		;;
	--key | --key=)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return 0
		;;
	--sni | --sni=)
		return 0
		;;
	--map | --map=)
		return 0
		;;
	--format | --format=)
		mapfile -t COMPREPLY < <(compgen -W 'text json' -- "$cur")
		return 0
		;;
	--log | --log=)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return 0
		;;
	--record | --record=)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return 0
		;;
	--record-max | --record-max=)
		return 0
		;;
	--replay | --replay=)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return 0
		;;
	--at | --at=)
		return 0
		;;
	--speed | --speed=)
		return 0
		;;
	--dump | --dump=)
		return 0
		;;
	--keys | --keys=)
		return 0
		;;
	--theme | --theme=)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -W 'colourblind default gruvbox light mono nord solarized-dark' -- "$cur")
		return 0
		;;
	--demo=)
		mapfile -t COMPREPLY < <(compgen -W 'sentinel cluster all' -- "$cur")
		return 0
		;;
	esac
	[[ $cur == -* ]] || return 0
	mapfile -t COMPREPLY < <(compgen -W '-c --config --print-config -i --interval --timeout --user --pass-file --askpass --sentinel-user --sentinel-pass-file --tls --cacert --cacertdir --cert --key --sni --insecure --map --read-only --probe --once --events --format --log --record --record-max --replay --at --speed --dump --keys --color --theme --ascii --no-color --mouse --demo -h --help -V --version' -- "$cur")
}
complete -F _redoubt redoubt
