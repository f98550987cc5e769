#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What cannot be used is refused with a message and the documented status.
. "$(dirname "$0")/lib.sh"
vmcore=$data/vmcore
vmlinux=$data/vmlinux.debug.zst

# ---- usage: 2
usage() {
	local pattern=$1
	shift
	expect 2 "$pattern" "$@"
	grep -q "^Try 'kmlanalyze --help'" "$tmp/err" ||
		fail "$*: no hint at --help"
	[ ! -s "$tmp/out" ] || fail "$*: prints to stdout"
}
usage 'no dump was named'
usage 'no dump was named' -v
usage 'no dump was named' caches
usage "is a vmlinux" "$vmlinux"
usage "bad option '--bogus'" --bogus "$vmcore"
usage "bad option '-Z'" -Z "$vmcore"
usage "'--limit' needs a value" "$vmcore" --limit
usage "no number for '--limit'" --limit=many "$vmcore"
usage "no number for '--limit'" --limit=-1 "$vmcore"
usage "no number for '--threads'" --threads= "$vmcore"
usage "no number for '--threads'" --threads=100000 "$vmcore"
usage "no value of '--format'" --format=html "$vmcore"
usage "no value of '--stack'" --stack=some "$vmcore"
usage "no value of '--progress'" --progress=maybe "$vmcore"
usage "needs a path" -s '' "$vmcore"
usage "exclude each other" --no-cache --cache-dir=/tmp "$vmcore"
# Nothing is parsed and ignored.
usage "'caches' has no option '--limit'" caches --limit=1 "$vmcore"
usage "'caches' has no option '--by'" caches --by=cache "$vmcore"
usage "'show' has no option '--by'" show --by=cache "$vmcore"
usage "no value of '--by'" top --by=cash "$vmcore"
usage "no value of '--by'" top --by= "$vmcore"
usage "no value of '--by'" top --by=cache,,type "$vmcore"
usage "'top' has no option '--baseline'" top --baseline=x "$vmcore"
usage "'top' has no option '--verbose'" top -v "$vmcore"
usage "has no format 'kmemleak'" top --format=kmemleak "$vmcore"
usage 'no dump was named' top
usage "'caches' has no option '--stack'" caches --stack=off "$vmcore"
usage "'profile' has no option '--force'" profile --force "$vmlinux" -o "$tmp/p"
usage "does not go with" --format=kmemleak --limit=1 "$vmcore"
usage "does not go with" --format=kmemleak --held-by-stack "$vmcore"
usage "does not go with" --format=kmemleak -v "$vmcore"
usage "no value of '--kmemleak'" --kmemleak=some "$vmcore"
usage "no value of '--compare'" --compare=drgn "$vmcore"
usage "exclude each other" --kmemleak=show --compare=kmemleak "$vmcore"
usage "exclude each other" --no-types --type=0x10=foo "$vmcore"
usage "exclude each other" show --no-types --as-c 0x10 "$vmcore"
usage "has no types anyway" --no-types --format=kmemleak "$vmcore"
usage "'--format=kmemleak' does not go with" --compare=kmemleak --format=kmemleak "$vmcore"
usage "'--held-by-stack' does not go with" --kmemleak=show --held-by-stack "$vmcore"
usage "'--no-lines' does not go with" --compare=kmemleak --no-lines "$vmcore"
usage "'--no-content' does not go with" --kmemleak=all --no-content "$vmcore"
usage "'--limit' does not go with" --kmemleak=all --limit=1 "$vmcore"
usage "'--stack' does not go with" --kmemleak=show --stack=off "$vmcore"
usage "'caches' has no option '--kmemleak'" caches --kmemleak=show "$vmcore"
usage "has no format 'kmemleak'" caches --format=kmemleak "$vmcore"
usage "takes one vmlinux" profile -o "$tmp/p"
usage "takes one vmlinux" profile "$vmlinux" "$vmlinux" -o "$tmp/p"
usage "needs '-o FILE'" profile "$vmlinux"
expect 2 'not a part of one' "$vmcore" "$vmcore" "$vmlinux"

# ---- input that is unusable: 3
unusable() {
	local pattern=$1
	shift
	expect 3 "$pattern" "$@"
	[ ! -s "$tmp/out" ] || fail "$*: prints to stdout"
}
: >"$tmp/empty"
echo 'no dump' >"$tmp/text"
head -c 4096 "$vmcore" >"$tmp/head"
head -c 1000000 "$vmcore" >"$tmp/truncated"
head -c 100000 "$vmlinux" >"$tmp/vmlinux.zst"
unusable "cannot open '.*/missing'" "$tmp/missing" "$vmlinux"
unusable "the kernel has no kmemleak" --kmemleak=show "$vmcore" "$vmlinux"
unusable "the kernel has no kmemleak" --compare=kmemleak "$vmcore" "$vmlinux"
unusable "is a directory" "$tmp" "$vmlinux"
unusable "is empty" "$tmp/empty" "$vmlinux"
unusable "text'" "$tmp/text" "$vmlinux"
unusable "." "$tmp/head" "$vmlinux"
unusable "." "$tmp/truncated" "$vmlinux"
unusable "." /dev/null "$vmlinux"
unusable "cannot open '.*/missing'" "$vmcore" -s "$tmp/missing"
unusable "neither a vmlinux nor a profile" "$vmcore" -s "$tmp/text"
unusable "neither a vmlinux nor a profile" "$vmcore" -s "$vmcore"
unusable "vmlinux.zst'" "$vmcore" "$tmp/vmlinux.zst"
unusable "no vmlinux with debuginfo|found" --no-cache "$vmcore"
unusable "neither a vmlinux nor a profile" profile "$vmcore" -o "$tmp/p"
[ ! -e "$tmp/p" ] || fail "a profile was written"

# The debuginfo of another build: the program itself has a build-id, too.
if readelf -n "$kmlanalyze" 2>/dev/null | grep -q 'Build ID'; then
	unusable "is of build-id|no DWARF|debuginfo" "$vmcore" "$kmlanalyze"
fi

# ---- a profile that was tampered with
expect 0 '' profile "$vmlinux" -o "$tmp/profile"
cp "$tmp/profile" "$tmp/damaged"
printf 'X' | dd of="$tmp/damaged" bs=1 seek=5000 conv=notrunc 2>/dev/null
unusable "damaged'" "$vmcore" "$tmp/damaged"
head -c 5000 "$tmp/profile" >"$tmp/damaged"
unusable "damaged'" "$vmcore" "$tmp/damaged"

# ---- output that cannot be written: 3
expect 1 '' "$vmcore" "$tmp/profile"
cp "$tmp/out" "$tmp/good"
if [ -c /dev/full ]; then
	status=0
	"$kmlanalyze" "$vmcore" "$tmp/profile" >/dev/full 2>"$tmp/err" || status=$?
	check_result 3 'standard output.*No space' "$status" '>/dev/full'
	status=0
	"$kmlanalyze" --help >/dev/full 2>"$tmp/err" || status=$?
	check_result 3 'standard output.*No space' "$status" '--help >/dev/full'
	unusable "'/dev/full'.*No space" -o /dev/full "$vmcore" "$tmp/profile"
fi
status=0
"$kmlanalyze" "$vmcore" "$tmp/profile" >&- 2>"$tmp/err" || status=$?
check_result 3 'standard output.*Bad file' "$status" '>&-'
unusable "cannot write '.*/no/file'" -o "$tmp/no/file" "$vmcore" "$tmp/profile"
unusable "no/file" profile "$vmlinux" -o "$tmp/no/file"
# A pipe whose reader is gone: the background job has closed stdin.
status=0
"$kmlanalyze" "$vmcore" "$tmp/profile" 2>"$tmp/err" > >(exec 0<&-) ||
	status=$?
check_result 3 'standard output.*Broken pipe' "$status" 'closed pipe'

# ---- an output file appears complete, or not at all, and replaces
mkdir "$tmp/o"
echo old >"$tmp/o/report"
expect 1 '' -o "$tmp/o/report" "$vmcore" "$tmp/profile"
cmp -s "$tmp/o/report" "$tmp/good" || fail "-o writes something else"
expect 3 "." -o "$tmp/o/other" "$tmp/text" "$tmp/profile"
[ "$(ls "$tmp/o")" = report ] || fail "left behind: $(ls "$tmp/o")"

# ---- a cache that cannot be written does no harm
expect 1 '' --cache-dir=/proc/none "$vmcore" "$vmlinux"
: >"$tmp/file"
expect 1 '' --cache-dir="$tmp/file" "$vmcore" "$vmlinux"
expect 1 '' --no-cache "$vmcore" "$vmlinux"
mkdir -p "$tmp/read-only" && chmod a-w "$tmp/read-only"
expect 1 '' --cache-dir="$tmp/read-only" "$vmcore" "$vmlinux"
head -n 2 "$tmp/out" | cmp -s - <(head -n 2 "$tmp/good") ||
	fail "no cache, another report"

# ---- interrupted: dies of the signal, leaves nothing behind
status=0
# --foreground: only once; the second signal kills it before it has cleaned up.
timeout --foreground --preserve-status -s TERM 0.1 "$kmlanalyze" --no-cache \
	-o "$tmp/o/interrupted" "$vmcore" "$vmlinux" 2>"$tmp/err" || status=$?
if [ "$status" = 143 ]; then
	check_result 143 'kmlanalyze: interrupted' "$status" 'interrupted'
else
	# A fast machine.
	check_result 1 '' "$status" 'not interrupted' && rm "$tmp/o/interrupted"
fi
[ "$(ls "$tmp/o")" = report ] || fail "left behind: $(ls "$tmp/o")"

finish
