# SPDX-License-Identifier: GPL-2.0-or-later
# Completion of kmlanalyze(1) for bash.

_kmlanalyze()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}
	local command=leaks options word
	local common='--vmlinux --format --output --verbose --quiet --progress
		--threads --force --cache-dir --no-cache --help --version'

	# "--format=json" is three words here.
	if [[ $cur == = ]]; then
		cur=
	elif [[ $prev == = ]]; then
		prev=${COMP_WORDS[COMP_CWORD-2]}
	fi
	case ${COMP_WORDS[1]-} in
	caches|profile|show|top|refs|path|whatis) command=${COMP_WORDS[1]} ;;
	report) command=leaks ;;
	esac
	case $prev in
	--format)
		word='text json kmemleak'
		[[ $command == leaks ]] || word='text json' ;;
	--stack) word='live whole off' ;;
	--kmemleak) word='show all' ;;
	--compare) word='kmemleak' ;;
	--by) word='cache type site module memcg accumulation' ;;
	--progress) word='auto always never' ;;
	--threads|--limit|--min-age|--type) return ;;
	--cache-dir)
		compopt -o dirnames
		return ;;
	-s|--vmlinux|-o|--output|--rules|--baseline)
		compopt -o default
		return ;;
	esac
	if [[ $word ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$word" -- "$cur")
		return
	fi
	case $command in
	leaks) options="$common --stack --limit --held-by-stack --no-content
		--blind --precise --no-lines --kmemleak --compare --rules --baseline --no-types --type --modules
		--min-age" ;;
	show) options="${common/--verbose/} --stack --precise --no-content
		--content --no-lines --rules --baseline --min-age --no-types --type --modules --as-c" ;;
	refs) options="${common/--verbose/} --stack --precise --rules
		--baseline --min-age --no-types --type --modules --limit" ;;
	path|whatis) options="${common/--verbose/} --stack --precise --rules
		--baseline --min-age --no-lines --no-types --type --modules" ;;
	caches) options=$common ;;
	top) options="${common/--verbose/} --by --limit --rules --stack --precise --no-types --type --modules" ;;
	profile) options='--output --cache-dir --no-cache --help' ;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
		return
	fi
	if [[ $COMP_CWORD == 1 ]]; then
		mapfile -t COMPREPLY < <(
			compgen -W 'leaks report caches top show refs path whatis profile help version' -- "$cur"
		)
	fi
	compopt -o default
}
complete -F _kmlanalyze kmlanalyze
