#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Snapshots: the same bytes as from the dump, whatever is asked; what is
# refused; and that a run that fails leaves nothing or what was there.
. "$(dirname "$0")/lib.sh"
vmcore=$data/vmcore
vmlinux=$data/vmlinux.debug.zst
snapshot=$tmp/a.kml

# ---- it is written, and says so
expect 1 "^kmlanalyze: '.*/a.kml' is written: [0-9]+ leaked objects$" \
	"$vmcore" "$vmlinux" -o "$snapshot"
[ ! -s "$tmp/out" ] || fail "prints besides the snapshot"
expect 1 '' leaks -q "$vmcore" "$vmlinux" -o "$tmp/b.kml"
cmp -s "$snapshot" "$tmp/b.kml" || {
	# Only how long it took differs.
	a=$(wc -c <"$snapshot") b=$(wc -c <"$tmp/b.kml")
	[ $((a - b)) -le 64 ] && [ $((b - a)) -le 64 ] ||
		fail "another snapshot of the same dump: $a and $b bytes"
}

# ---- the same bytes and the same exit status
same() {
	local want=0 status=0
	"$kmlanalyze" "$@" "$vmcore" "$vmlinux" >"$tmp/dump.out" \
		2>"$tmp/dump.err" </dev/null || want=$?
	"$kmlanalyze" "$@" "$snapshot" >"$tmp/out" 2>"$tmp/err" </dev/null ||
		status=$?
	[ "$status" = "$want" ] ||
		fail "$*: exit status $status of the snapshot, $want of the dump"
	cmp -s "$tmp/dump.out" "$tmp/out" || fail "$*: not the same output: $(
		diff "$tmp/dump.out" "$tmp/out" | head -n 4)"
	cmp -s "$tmp/dump.err" "$tmp/err" || fail "$*: not the same warnings: $(
		diff "$tmp/dump.err" "$tmp/err" | head -n 4)"
}
for command in leaks report; do
	same $command
done
for limit in 0 1 3; do
	same --limit=$limit
	same --limit=$limit --format=json
done
same --format=kmemleak
same --format=kmemleak --no-content
same --held-by-stack --blind
same --held-by-stack --blind --format=json --no-lines
same --no-lines --no-content
same --no-content --format=json
same caches
same caches --format=json
same top
same top --format=json --limit=0
same top --by=accumulation --limit=3
same --kmemleak=show
same --kmemleak=all --format=json
same --compare=kmemleak
# Objects, with their first, middle and last bytes, and what is none: of all
# kinds that the truth, areas, symbols and the page frames have.
mapfile -t planted < <(grep -o '0x[0-9a-f]\{16\}' "$data/truth.tsv" | sort -u)
[ "${#planted[@]}" -gt 1000 ] || fail "no addresses in truth.tsv"
"$kmlanalyze" caches "$vmcore" "$vmlinux" | grep -o '^0x[0-9a-f]\{16\}' \
	>"$tmp/areas"
mapfile -t areas <"$tmp/areas"
others=(0x10 0xffffffffffffffff 0xffffffff81000000 0xffffffff82400010)
for ((i = 0; i < ${#planted[@]}; i += 5)); do
	base=${planted[i]}
	others+=("$base" "$(printf '0x%x' $((base + 17)))"
		"$(printf '0x%x' $((base + 4095)))"
		"$(printf '0x%x' $((base + 5000)))"
		"$(printf '0x%x' $((base - 64)))")
done
for address in "${areas[@]}"; do
	others+=("$address" "$(printf '0x%x' $((address + 4096)))")
done
same show "${others[@]}"
same show --no-content "${others[@]}"
same show --format=json "${others[@]}"
for command in refs path whatis; do
	same $command "${others[@]}"
	same $command --format=json "${others[@]}"
done
same refs --limit=0 "${others[@]}"
same path --no-lines "${others[@]}"
"$kmlanalyze" show "${areas[@]}" "$snapshot" >"$tmp/out"
grep -q 'contents: --content shows those of objects that are not leaked$' \
	"$tmp/out" || fail "show does not say that it leaves out contents"
"$kmlanalyze" show "${others[@]}" "$snapshot" >"$tmp/out"
grep -q 'contents: --content shows what lies behind the first 4,096 bytes$' \
	"$tmp/out" || fail "show does not say that it leaves out an end"
"$kmlanalyze" show --content "${others[@]}" "${areas[@]}" "$vmcore" \
	"$vmlinux" >"$tmp/out"
! grep -q 'contents: --content' "$tmp/out" || fail "--content leaves out contents"

# What rules and a baseline did stays.
root=$("$kmlanalyze" "$snapshot" | sed -n 's/^    \(0x[0-9a-f]\{16\}\)  .*/\1/p' |
	head -n 1)
echo "not_leak address=$root" >"$tmp/rules"
"$kmlanalyze" --format=json --limit=0 "$snapshot" >"$tmp/base.json"
for options in "--rules=$tmp/rules" "--baseline=$tmp/base.json" --min-age=5 \
		--stack=whole --precise --no-lines; do
	again=
	[ "$options" != --no-lines ] || again=$options
	want=0
	"$kmlanalyze" "$options" "$vmcore" "$vmlinux" >"$tmp/dump.out" \
		2>"$tmp/dump.err" || want=$?
	"$kmlanalyze" -q "$options" "$vmcore" "$vmlinux" -o "$tmp/o.kml"
	expect "$want" "$(cat "$tmp/dump.err")" $again "$tmp/o.kml"
	cmp -s "$tmp/dump.out" "$tmp/out" ||
		fail "$options: not the same of the snapshot"
done
expect 3 'without source lines: say --no-lines' "$tmp/o.kml"
expect 1 '' --format=kmemleak "$tmp/o.kml"

# It needs neither dump nor debuginfo nor cache.
mkdir "$tmp/elsewhere"
cp "$snapshot" "$tmp/elsewhere/x"
(cd "$tmp/elsewhere" && env -u XDG_CACHE_HOME HOME=/nonexistent \
	"$(cd "$OLDPWD" && realpath "$kmlanalyze")" x) >"$tmp/out" 2>"$tmp/err"
"$kmlanalyze" "$vmcore" "$vmlinux" | cmp -s - "$tmp/out" ||
	fail "another report of a snapshot that was carried elsewhere"

# ---- usage
usage() {
	local pattern=$1
	shift
	expect 2 "$pattern" "$@"
	grep -q "^Try 'kmlanalyze --help'" "$tmp/err" || fail "$*: no hint at --help"
}
for options in --stack=live --stack=off --force --threads=1 --precise \
		--rules=/dev/null --baseline=/dev/null --min-age=1 --no-cache \
		--cache-dir=/tmp "--vmlinux=$vmlinux" --no-types \
		--type=0x10=foo; do
	usage "is a snapshot: for '${options%%=*}' scan the dump again" \
		"$options" "$snapshot"
done
usage "is a snapshot: it takes no other file" "$snapshot" "$snapshot"
expect 2 "is a snapshot" "$snapshot" "$vmlinux"
usage "is a snapshot already" "$snapshot" -o "$tmp/c.kml"
usage "for '--content' ask the dump" show --content 0x10 "$snapshot"
usage "exclude each other" show --content --no-content 0x10 "$snapshot"
for options in --format=json --limit=1 --kmemleak=show --compare=kmemleak \
		--held-by-stack --blind -v; do
	usage "'${options%%=*}' does not go with '-o c.kml'" "$options" \
		"$vmcore" "$vmlinux" -o c.kml
done
usage "which 'caches' does not write" caches "$vmcore" "$vmlinux" -o c.kml
usage "which 'show' does not write" show 0x10 "$vmcore" "$vmlinux" -o c.kml
[ ! -e c.kml ] || fail "a file all the same"

# ---- what is refused
{ head -c 8 "$snapshot"; printf '\7\0\0\0'; tail -c +13 "$snapshot"; } \
	>"$tmp/newer.kml"
expect 3 'has format version 7, this program reads 6' "$tmp/newer.kml"
size=$(wc -c <"$snapshot")
for ((i = 8; i < size; i += size / 23)); do
	head -c "$i" "$snapshot" >"$tmp/cut.kml"
	expect 3 'damaged' "$tmp/cut.kml"
	{ head -c "$i" "$snapshot"
	  head -c 1 <(tail -c +$((i + 1)) "$snapshot") | tr '\0-\377' '\1-\377\0'
	  tail -c +$((i + 2)) "$snapshot"; } >"$tmp/changed.kml"
	[ "$(wc -c <"$tmp/changed.kml")" = "$size" ] || fail "a bad test"
	expect 3 'damaged|format version|another byte order' "$tmp/changed.kml"
done
{ cat "$snapshot"; echo; } >"$tmp/more.kml"
expect 3 'damaged' "$tmp/more.kml"
: >"$tmp/empty.kml"
expect 3 "empty.kml' is" "$tmp/empty.kml"

# ---- without contents
planted_text=$("$kmlanalyze" --limit=0 "$vmcore" "$vmlinux" |
	sed -n 's/.*starts with the text "\([^"]*\)".*/\1/p' | head -n 1)
[ -n "$planted_text" ] || fail "no text is planted"
contents() {
	local at=0 name raw frame i
	# The sections, decompressed.
	python3 - "$1" <<-'PYTHON' >"$tmp/sections"
	import struct, subprocess, sys
	data = open(sys.argv[1], "rb").read()
	n, = struct.unpack_from("<I", data, 16)
	at = 32 + 40 * n
	for i in range(n):
	    size, = struct.unpack_from("<Q", data, 32 + 40 * i + 24)
	    sys.stdout.buffer.write(subprocess.run(["zstd", "-dc"], check=True,
	        input=data[at:at + size], stdout=subprocess.PIPE).stdout)
	    at += size
	PYTHON
	grep -aqF -- "$planted_text" "$tmp/sections"
}
expect 1 '' -q --no-content "$vmcore" "$vmlinux" -o "$tmp/bare.kml"
if command -v zstd >/dev/null && command -v python3 >/dev/null; then
	contents "$snapshot" || fail "'$planted_text' is in no snapshot"
	! contents "$tmp/bare.kml" || fail "--no-content keeps '$planted_text'"
fi
for options in '' --format=json --format=kmemleak "show $root"; do
	expect 3 'without the contents of memory: say --no-content' $options \
		"$tmp/bare.kml"
done
snapshot=$tmp/bare.kml
same --no-content --limit=0
same --no-content --format=json
same show --no-content "$root"
same caches
snapshot=$tmp/a.kml

# ---- a run that fails
cp "$snapshot" "$tmp/old.kml"
for signal in INT KILL TERM; do
	for delay in 0.02 0.1 0.2 0.4; do
		"$kmlanalyze" -q --no-cache "$vmcore" "$vmlinux" \
			-o "$tmp/old.kml" 2>/dev/null &
		pid=$!
		sleep $delay
		kill -s $signal $pid 2>/dev/null
		wait $pid 2>/dev/null
		expect 1 '' -q "$tmp/old.kml"
	done
done
expect 3 'cannot write' "$vmcore" "$vmlinux" -o "$tmp/no/such.kml"
ln -s /dev/full "$tmp/full.kml"
expect 3 'No space left on device' "$vmcore" "$vmlinux" -o "$tmp/full.kml"
[ -L "$tmp/full.kml" ] || fail "the link is gone"
cp "$snapshot" "$tmp/limit.kml"
(ulimit -f 100; trap '' XFSZ
 "$kmlanalyze" -q "$vmcore" "$vmlinux" -o "$tmp/limit.kml" 2>"$tmp/err")
[ $? = 3 ] && grep -q 'File too large' "$tmp/err" ||
	fail "a full disk: $(cat "$tmp/err")"
cmp -s "$snapshot" "$tmp/limit.kml" || fail "a full disk: the old one is gone"
rm -f "$tmp"/old.kml.*
ls "$tmp" | grep '\.kml\..' && fail "left behind"

finish
