#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The formats, on the dump in testdata/: well-formed, consistent, the same
# each time.
. "$(dirname "$0")/lib.sh"
vmcore=$data/vmcore
vmlinux=$data/vmlinux.debug.zst
command -v jq >/dev/null || exit 77

# expect_leaks NAME ARGUMENT... - into $tmp/NAME
expect_leaks() {
	local name=$1
	shift
	expect 1 '' "$@" "$vmcore" "$vmlinux"
	mv "$tmp/out" "$tmp/$name"
}

# schema NAME - $tmp/NAME conforms
schema() {
	jq -r --slurpfile s "$top/schema/kmlanalyze.schema.json" \
		"(\$s[0]) as \$schema | $(cat "$here/schema.jq")" \
		"$tmp/$1" >"$tmp/violations" || fail "$1: not JSON"
	[ ! -s "$tmp/violations" ] ||
		fail "$1: $(head -n 5 "$tmp/violations")"
}

# ---- JSON
expect_leaks leaks.json --format=json
expect_leaks full.json --format=json -v --held-by-stack
expect_leaks short.json --format=json --limit=1 --no-content --no-lines
expect 0 '' caches --format=json -v "$vmcore" "$vmlinux"
mv "$tmp/out" "$tmp/caches.json"
expect 0 '' top --format=json "$vmcore" "$vmlinux"
mv "$tmp/out" "$tmp/top.json"
expect 0 '' top --format=json --limit=0 --by=cache,accumulation "$vmcore" "$vmlinux"
mv "$tmp/out" "$tmp/top-all.json"
for name in leaks full short caches top top-all; do
	schema $name.json
done
jq -e '.leaks | (.leak_count == ([.groups[].leaks[]] | length)) and
	(.object_count == ([.groups[].leaks[] | 1 + (.followers | length)] | add)) and
	(.bytes == ([.groups[].leaks[] | .bytes + .follower_bytes] | add))' \
	"$tmp/leaks.json" >/dev/null || fail "the leaks do not add up"
jq -e '[.objects[].leaked.objects] | add' "$tmp/leaks.json" |
	cmp -s - <(jq .leaks.object_count "$tmp/leaks.json") ||
	fail "the summary counts other leaks"
jq -e '[.leaks.groups[] | .leak_count == (.leaks | length) + .omitted] | all' \
	"$tmp/short.json" >/dev/null || fail "--limit loses leaks"
jq -e '[.leaks.groups[].leaks[] | has("content", "text", "pointers")] | any | not' \
	"$tmp/short.json" >/dev/null || fail "--no-content prints contents"
jq -e '[.caches[] | .objects == .active + .free + .cached + .in_doubt] | all' \
	"$tmp/caches.json" >/dev/null || fail "the caches do not add up"

# Every table has all that is live, and so have the accumulation points; that is
# what the summary says, too, but for mappings.
for name in top top-all; do
	jq -e '.live as $live | [(.tables[] | [.rows[], .omitted, .unknown]),
		[.accumulation.points[], .accumulation.omitted]] | all(.[];
		(map(.objects) | add) == $live.objects and
		(map(.bytes) | add) == $live.bytes)' "$tmp/$name.json" >/dev/null ||
		fail "$name: rows do not add up to what is live"
done
jq -e --slurpfile leaks "$tmp/leaks.json" '.live as $live | $leaks[0].objects |
	([.[].live.objects] | add) == $live.objects and
	([.[].live.bytes] | add) - .vmap.live.bytes - .ioremap.live.bytes ==
	$live.bytes' "$tmp/top.json" >/dev/null ||
	fail "top and the summary know different live objects"
jq -e '[.tables[].by] == ["cache"] and .tables[0].omitted.rows == 0' \
	"$tmp/top-all.json" >/dev/null || fail "--by and --limit=0 of top"
jq -e '[.tables[].rows | length] | max == 10' "$tmp/top.json" >/dev/null ||
	fail "top does not list ten rows"
expect 0 '' top --threads=1 "$vmcore" "$vmlinux"
mv "$tmp/out" "$tmp/top"
expect 0 '' top --threads=5 --no-cache "$vmcore" "$vmlinux"
cmp -s "$tmp/top" "$tmp/out" || fail "top: another report with five threads"

# Whatever the name of the file: JSON stays JSON, in UTF-8.
ln -s "$vmcore" "$tmp/"$'a"\\b\xc3\xa9\xff\x01\n'
expect 1 '' --format=json --limit=1 "$tmp/"$'a"\\b\xc3\xa9\xff\x01\n' "$vmlinux"
jq -e '.dump.files[0] | endswith("/a\"\\b\u00e9\ufffd\u0001\n")' "$tmp/out" \
	>/dev/null || fail "a file name spoils the JSON: $(jq .dump "$tmp/out")"

# ---- the format of /sys/kernel/debug/kmemleak
expect_leaks kmemleak --format=kmemleak
grep -Evn '^unreferenced object (\(percpu\) )?0x[0-9a-f]{8,16} \(size [0-9]+\):$|^  comm "unknown", pid [0-9]+, jiffies [0-9]+$|^  hex dump \(first [0-9]+ bytes( on cpu [0-9]+)?\):$|^    ([0-9a-f]{2} ){1,16} +[ -~]{1,16}$|^  backtrace:$|^    \[<[0-9a-f]{16}>\] ' \
	"$tmp/kmemleak" && fail "a line that kmemleak would not print"
sed -n 's/^unreferenced object \((percpu) \)\?0x\([0-9a-f]*\) .*/\2/p' \
	"$tmp/kmemleak" | sed 's/^/0000000000000000/; s/.*\(.\{16\}\)$/0x\1/' \
	>"$tmp/kmemleak.addresses"
sort -c "$tmp/kmemleak.addresses" || fail "kmemleak: not in order"
jq -r '.leaks.groups[].leaks[] | .address, .followers[].address' \
	"$tmp/leaks.json" | sort |
	cmp -s - "$tmp/kmemleak.addresses" ||
	fail "kmemleak and JSON list different objects"

# ---- text
expect_leaks text --limit=0
jq -r '.leaks.groups[].leaks[].address' "$tmp/leaks.json" >"$tmp/roots"
sed -n 's/^    \(0x[0-9a-f]\{16\}\)  .*/\1/p' "$tmp/text" |
	cmp -s - "$tmp/roots" || fail "text and JSON list different leaks"
expect 0 '' caches "$vmcore" "$vmlinux"
mv "$tmp/out" "$tmp/caches"

# ---- the same with other threads, without a cache, from a profile, by -s
expect_leaks text2 --limit=0 --threads=1 --no-cache
cmp -s "$tmp/text" "$tmp/text2" || fail "another report with one thread"
expect_leaks text2 --limit=0 --threads=7
cmp -s "$tmp/text" "$tmp/text2" || fail "another report with seven threads"
expect 1 '' --limit=0 -s "$vmlinux" "$vmcore"
cmp -s "$tmp/text" "$tmp/out" || fail "another report with -s"
expect 0 '' profile "$vmlinux" -o "$tmp/profile"
expect_leaks text2 --limit=0 --no-lines
expect 1 '' --limit=0 --no-lines "$vmcore" "$tmp/profile"
cmp -s <(grep -v '^debuginfo: ' "$tmp/text2") \
	<(grep -v '^debuginfo: ' "$tmp/out") ||
	fail "another report from a profile"

# ---- options do something
expect_leaks text2 --limit=0 --no-content
grep -q 'hex dump\|bytes are zero' "$tmp/text2" && fail "--no-content prints contents"
expect_leaks text2 -v
[ "$(tail -n 1 "$tmp/text2" | cut -c 1-14)" = '  all stages  ' ] ||
	fail "-v does not end with statistics"
status=0
"$kmlanalyze" --progress=always "$vmcore" "$vmlinux" >"$tmp/out" 2>"$tmp/err" ||
	status=$?
[ "$status" = 1 ] && grep -q '%' "$tmp/err" || fail "no progress"
"$kmlanalyze" --help | grep -q -- --held-by-stack || fail "--help"
"$kmlanalyze" --version | grep -q '^kmlanalyze [0-9.]*$' || fail "--version"

finish
