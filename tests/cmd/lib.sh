# SPDX-License-Identifier: GPL-2.0-or-later
# Sourced by the tests of the program.  Run from `make check` or by hand:
#   tests/cmd/bad-input.sh [PROGRAM]
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
kmlanalyze=${1:-${KMLANALYZE:-./kmlanalyze}}
data=$top/testdata
tmp=$(mktemp -d "${TMPDIR:-/tmp}/kml-cmd.XXXXXX") || exit 99
trap 'chmod -R u+w "$tmp"; rm -rf "$tmp"' EXIT
export XDG_CACHE_HOME=$tmp/cache LC_ALL=C
failures=0

fail() {
	echo "FAIL: $*" >&2
	failures=$((failures + 1))
}

# expect STATUS PATTERN ARGUMENT... - run the program; its exit status and an
# extended regular expression that stderr must match ('' for: it is empty).
# What it printed stays in $tmp/out and $tmp/err.
expect() {
	local want=$1 pattern=$2 status=0
	shift 2
	"$kmlanalyze" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null || status=$?
	check_result "$want" "$pattern" "$status" "$*"
}

# check_result STATUS PATTERN ACTUAL-STATUS NAME
check_result() {
	[ "$3" = "$1" ] || fail "$4: exit status $3, not $1: $(head -n 3 "$tmp/err")"
	if [ -z "$2" ]; then
		[ ! -s "$tmp/err" ] || fail "$4: says: $(head -n 3 "$tmp/err")"
	else
		grep -Eq -- "$2" "$tmp/err" ||
			fail "$4: does not say '$2' but: $(head -n 3 "$tmp/err")"
		! grep -qv '^kmlanalyze: \|^Try ' "$tmp/err" ||
			fail "$4: a line without a prefix: $(head -n 3 "$tmp/err")"
	fi
}

# The last command of a test.
finish() {
	[ "$failures" = 0 ] || { echo "$failures failures" >&2; exit 1; }
	exit 0
}
