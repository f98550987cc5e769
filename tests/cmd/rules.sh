#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Rules, baselines and addresses on the command line: what is wrong is said, and
# the list of built-in rules is that of the code.
. "$(dirname "$0")/lib.sh"
vmcore=$data/vmcore
vmlinux=$data/vmlinux.debug.zst

# ---- the built-in rules: each is applied somewhere
expect 0 '' --rules=list
sed -n 's/^\(	BUILTIN_[A-Z_]*\),$/\1/p' "$top/src/kernel/builtin.h" |
	grep -v 'BUILTIN_RULES' | tr -d '\t' >"$tmp/ids"
[ "$(wc -l <"$tmp/ids")" -ge 15 ] || fail "no ids in builtin.h"
[ "$(grep -c '^    because of ' "$tmp/out")" = "$(wc -l <"$tmp/ids")" ] ||
	fail "--rules=list has another number of rules than builtin.h"
while read -r id; do
	grep -rqE "kernel_cite\([^,]*, $id\)" --include='*.c' "$top/src" ||
		fail "$id is cited nowhere"
done <"$tmp/ids"
# ... and each place that makes a rule cites one
for file in $(grep -rlE 'kernel_add_rule\(|kernel->rules, ' --include='*.c' \
	"$top/src/kernel" | grep -v '/scan_rule\.c$'); do
	grep -q 'kernel_cite(' "$file" || fail "$file makes a rule without an id"
done
expect 0 '' --rules=list --format=json
jq -e '.builtin | length > 0' "$tmp/out" >/dev/null || fail "no JSON"
expect 2 "takes no dump" --rules=list "$vmcore" "$vmlinux"
expect 2 "no format 'kmemleak'" --rules=list --format=kmemleak

# ---- rules files
bad_rules() {
	printf '%s\n' "$2" >"$tmp/rules"
	expect 3 "rules:$1" --rules="$tmp/rules" "$vmcore" "$vmlinux"
	[ ! -s "$tmp/out" ] || fail "bad rules: prints to stdout"
}
bad_rules "1: 'leak' is no action" 'leak cache=x'
bad_rules "2: two selectors" $'# first\nignore cache=x type=y'
bad_rules "1: 'erase' needs 'offset='" 'erase cache=x'
bad_rules "1: a control character" $'ignore cache=\x01'
expect 3 "cannot open '.*/missing'" --rules="$tmp/missing" "$vmcore" "$vmlinux"
expect 3 "a control character|a NUL|larger than 1 MiB" --rules="$vmcore" \
	"$vmcore" "$vmlinux"
expect 3 "Is a directory" --rules="$tmp" "$vmcore" "$vmlinux"
expect 2 "needs a path" --rules= "$vmcore" "$vmlinux"
expect 2 "'caches' has no option '--rules'" caches --rules=x "$vmcore"
# a warning, and the result stands; several files
echo 'ignore cache=no_such' >"$tmp/a"
echo 'ignore cache=neither' >"$tmp/b"
expect 1 "a:1: the rule matches nothing.*" --rules "$tmp/a" --rules "$tmp/b" \
	"$vmcore" "$vmlinux"
grep -q 'b:1: the rule matches nothing' "$tmp/err" || fail "one of two files"
expect 1 '' -q --rules "$tmp/a" "$vmcore" "$vmlinux"

# ---- baselines
expect 1 '' --format=json -o "$tmp/good.json" "$vmcore" "$vmlinux"
bad_baseline() {
	expect 3 "$1" --baseline="$tmp/bad.json" "$vmcore" "$vmlinux"
}
expect 3 "cannot open '.*/missing'" --baseline="$tmp/missing" "$vmcore" "$vmlinux"
expect 3 "is no JSON" --baseline="$vmcore" "$vmcore" "$vmlinux"
: >"$tmp/bad.json"
bad_baseline "ends early"
head -c 100000 "$tmp/good.json" >"$tmp/bad.json"
bad_baseline "ends early"
{ cat "$tmp/good.json"; echo x; } >"$tmp/bad.json"
bad_baseline "is no JSON"
printf '[%.0s' {1..100000} >"$tmp/bad.json"
bad_baseline "is no JSON"
printf '{"a":%.0s' {1..1000} >"$tmp/bad.json"
bad_baseline "is no JSON"
echo '{}' >"$tmp/bad.json"
bad_baseline "no report of kmlanalyze"
echo '[1, 2]' >"$tmp/bad.json"
bad_baseline "no report of kmlanalyze"
tampered() {
	jq "$1" "$tmp/good.json" >"$tmp/bad.json"
	bad_baseline "$2"
}
tampered '.schema = 2' 'another version'
tampered '.report = "caches"' 'something else than leaks'
tampered '.leaks.groups = 5' 'something else than leaks'
tampered '.leaks.groups[1] = null' 'a group without'
tampered '.leaks.groups[1].fingerprint = "xyz"' 'a group without'
tampered '.leaks.groups[1].leak_count = -1' 'a group without'
tampered '.leaks.groups[1].leaks[0].address = 5' 'without address'
tampered '.leaks.groups[1].leaks[0].kind = "other"' 'without address'
tampered 'del(.leaks.groups[1].leaks[0].followers)' 'without followers'
tampered '.debuginfo.build_id = "00"' 'is of another kernel'
expect 1 '' --format=json --limit=1 -o "$tmp/bad.json" "$vmcore" "$vmlinux"
bad_baseline "written with --limit"
expect 0 '' --baseline="$tmp/good.json" "$vmcore" "$vmlinux"
grep -q '^No other leaks' "$tmp/out" || fail "says that there are no leaks at all"
tr -d '\n' <"$tmp/good.json" >"$tmp/bad.json" # from somebody else's writer
expect 0 '' --baseline="$tmp/bad.json" "$vmcore" "$vmlinux"

# ---- show
expect 2 "needs an address" show "$vmcore" "$vmlinux"
expect 2 "needs an address" show 12345 "$vmcore" "$vmlinux"
expect 2 "no dump was named" show 0x10
expect 2 "no format 'kmemleak'" show --format=kmemleak 0x10 "$vmcore" "$vmlinux"
expect 2 "'show' has no option '--limit'" show --limit=1 0x10 "$vmcore"
expect 0 '' show 0x10 0xFFFFffffFFFFffff "$vmcore" "$vmlinux"
[ "$(grep -c '^  no object: ' "$tmp/out")" = 2 ] || fail "show: no object"
root=$(jq -r '.leaks.groups[0].leaks[0].address' "$tmp/good.json")
expect 1 '' show "${root#0x}" "$vmcore" "$vmlinux"
grep -q 'leaked (white)' "$tmp/out" || fail "show: a leak is not white"
grep -q '+0x0000  ' "$tmp/out" || fail "show: no contents"
expect 1 '' show --no-content "$root" "$vmcore" "$vmlinux"
grep -q '+0x0000  ' "$tmp/out" && fail "show: --no-content"
echo "not_leak address=$root" >"$tmp/a"
expect 0 '' show --rules="$tmp/a" "$root" "$vmcore" "$vmlinux"
grep -q 'as a rule or the baseline says (gray)' "$tmp/out" || fail "show: not gray"
echo "ignore address=$root" >"$tmp/a"
expect 0 '' show --rules="$tmp/a" "$root" "$vmcore" "$vmlinux"
grep -q '(black)' "$tmp/out" || fail "show: not black"

finish
