#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# refs, path and whatis: usage, bad input, standard input, formats.
. "$(dirname "$0")/lib.sh"
vmcore=$data/vmcore
vmlinux=$data/vmlinux.debug.zst

# planted ID - its address
planted() {
	awk -F'\t' -v id="$1" '$3 == id { print $4 }' "$data/truth.tsv"
}

# answer STATUS PATTERN INPUT ARGUMENT... - as expect, with standard input
answer() {
	local want=$1 pattern=$2 input=$3 status=0
	shift 3
	"$kmlanalyze" "$@" <"$input" >"$tmp/out" 2>"$tmp/err" || status=$?
	check_result "$want" "$pattern" "$status" "$*"
}

# lines N NAME - so many lines were printed
lines() {
	[ "$(wc -l <"$tmp/out")" = "$1" ] || fail "$2: $(wc -l <"$tmp/out") lines, not $1"
}

live=$(planted by-module.data.1)
leak=$(planted kmalloc-64.0)
[ "$leak" ] || leak=$(awk -F'\t' '$1 == "leak" { print $4; exit }' "$data/truth.tsv")

# ---- usage
for command in refs path whatis; do
	expect 2 "needs an address" $command "$vmcore" "$vmlinux"
	expect 2 "no dump was named" $command 0x10
	expect 2 "no format 'kmemleak'" $command --format=kmemleak 0x10 "$vmcore" "$vmlinux"
	expect 3 "cannot open" $command 0x10 "$tmp/missing" "$vmlinux"
	expect 2 "'$command' has no option '--blind'" $command --blind 0x10 "$vmcore"
	expect 2 "'$command' has no option '--no-content'" $command --no-content 0x10 "$vmcore"
done
expect 2 "'path' has no option '--limit'" path --limit=1 0x10 "$vmcore"
expect 2 "'whatis' has no option '--limit'" whatis --limit=1 0x10 "$vmcore"
expect 2 "'refs' has no option '--no-lines'" refs --no-lines 0x10 "$vmcore"

# ---- addresses of nothing
odd='0x0 0x10 0xfff 0x1000 0x7fffffffffff 0x800000000000 0x8000000000000000 0xffff7fffffffffff 0xffff800000000000 0xffffffffffffffff'
for command in refs path; do
	expect 0 '' $command $odd "$vmcore" "$vmlinux"
	[ "$(grep -c '^  no object: ' "$tmp/out")" = 10 ] || fail "$command: no object"
	expect 0 '' $command --format=json $odd "$vmcore" "$vmlinux"
done
expect 0 '' whatis $odd "$vmcore" "$vmlinux"
lines 10 "whatis of nothing"
[ "$(grep -c 'no address: in the first page' "$tmp/out")" = 3 ] || fail "whatis: null"
[ "$(grep -c 'not canonical' "$tmp/out")" = 3 ] || fail "whatis: not canonical"

# ---- what is found
expect 0 '' refs "$live" "$vmcore" "$vmlinux"
grep -q '^    variable  *in_data+0x8 \[kmlplant\]$' "$tmp/out" || fail "refs: the holder"
expect 0 '' path "${live#0x}" "$vmcore" "$vmlinux"
grep -q '^    in_data+0x8 \[kmlplant\]$' "$tmp/out" || fail "path: the root"
expect 1 '' path "$live" "$leak" "$vmcore" "$vmlinux"
grep -q 'no root leads to it' "$tmp/out" || fail "path: a leak"
# what refers to a module's memory is more than eight words
module=$("$kmlanalyze" refs --format=json "$live" "$vmcore" "$vmlinux" | sed -n 's/.*"object": "\(0x[0-9a-f]*\)".*/\1/p' | head -n 1)
expect 0 '' refs "$module" "$vmcore" "$vmlinux"
n=$(sed -n 's/^  \([0-9,]*\) references to it:$/\1/p' "$tmp/out" | tr -d ,)
[ "${n:-0}" -gt 8 ] || fail "refs: '$n' references to a module"
grep -q "^    and $((n - 8)) more\$" "$tmp/out" || fail "refs: how many more"
expect 0 '' refs --limit=0 "$module" "$vmcore" "$vmlinux"
grep -q ' more$' "$tmp/out" && fail "refs --limit=0: not all"
expect 0 '' refs --limit=2 "$module" "$vmcore" "$vmlinux"
grep -q "^    and $((n - 2)) more\$" "$tmp/out" || fail "refs --limit=2"
expect 0 '' path "$module" "$vmcore" "$vmlinux"
grep -q 'in use by definition$' "$tmp/out" || fail "path: module memory"

# A rule takes the reference away; another one excuses the leak.
echo "erase symbol=kmlplant:in_data" >"$tmp/rules"
expect 1 '' path --rules="$tmp/rules" "$live" "$vmcore" "$vmlinux"
grep -q 'it is where a leak starts' "$tmp/out" || fail "path: erased"
echo "not_leak address=$leak" >"$tmp/rules"
expect 0 '' path --rules="$tmp/rules" "$leak" "$vmcore" "$vmlinux"
grep -q 'no root leads to it; a rule' "$tmp/out" || fail "path: excused"

# ---- standard input
printf '%s\n' "$live" "${live#0x}" "$leak" >"$tmp/in"
answer 0 '' "$tmp/in" whatis - "$vmcore" "$vmlinux"
lines 3 "whatis -"
cp "$tmp/out" "$tmp/three"
answer 0 '' "$tmp/in" whatis "$vmcore" "$vmlinux"
cmp -s "$tmp/out" "$tmp/three" || fail "whatis without '-' does not read standard input"
expect 0 '' whatis "$live" "${live#0x}" "$leak" "$vmcore" "$vmlinux"
cmp -s "$tmp/out" "$tmp/three" || fail "whatis of arguments differs"
answer 0 '' "$tmp/in" whatis "$live" - "$vmcore" "$vmlinux"
lines 4 "whatis ADDRESS -"
# standard input is left alone where there are arguments
answer 0 '' "$tmp/in" whatis "$live" "$vmcore" "$vmlinux"
lines 1 "whatis ADDRESS"
# blanks, the DOS' line ends, no line feed at the end
printf '\n  %s \t\r\n\n%s' "$live" "$leak" >"$tmp/in"
answer 0 '' "$tmp/in" whatis - "$vmcore" "$vmlinux"
lines 2 "whatis of lines with blanks"
# bad lines are named, and the others answered
printf '%s\nbogus\n0x\n%s\n12345\n0x12345678123456789\n%s 1\n' "$live" "$leak" "$live" >"$tmp/in"
answer 2 "line 2: 'bogus' is no address" "$tmp/in" whatis - "$vmcore" "$vmlinux"
[ "$(sed -n 's/.*line \([0-9]*\):.*/\1/p' "$tmp/err" | tr '\n' ' ')" = "2 3 5 6 7 " ] || fail "whatis: bad lines"
lines 2 "whatis with bad lines"
answer 2 "line 2" "$tmp/in" whatis --format=json - "$vmcore" "$vmlinux"
# nothing, and nothing but rubbish
answer 0 '' /dev/null whatis - "$vmcore" "$vmlinux"
lines 0 "whatis of nothing"
head -c 300000 "$vmlinux" >"$tmp/in"
answer 2 "is no address" "$tmp/in" whatis - "$vmcore" "$vmlinux"
lines 0 "whatis of binary data"
[ "$(wc -l <"$tmp/err")" = 11 ] || fail "whatis: binary data: $(wc -l <"$tmp/err") lines of errors"
LC_ALL=C grep -q '[^[:print:]]' "$tmp/err" && fail "whatis: binary data is printed"
{ head -c 100000 /dev/zero; printf '\n%s\n' "$live"; } >"$tmp/in"
answer 2 "line 1: " "$tmp/in" whatis - "$vmcore" "$vmlinux"
lines 1 "whatis behind a long line"
# very many
awk 'BEGIN { for (i = 0; i < 300000; i++) printf "0xffff8defc%07x\n", i * 8 }' >"$tmp/in"
answer 0 '' "$tmp/in" whatis - "$vmcore" "$vmlinux"
lines 300000 "whatis of many"
[ "$(cut -c1-18 "$tmp/out" | cmp - "$tmp/in" 2>&1)" = "" ] || fail "whatis of many: order"
# standard input that is closed or cannot be read
status=0
"$kmlanalyze" whatis - "$vmcore" "$vmlinux" <&- >"$tmp/out" 2>"$tmp/err" || status=$?
check_result 3 "cannot read 'standard input'" "$status" 'whatis <&-'
answer 3 "cannot read 'standard input'" "$tmp" whatis - "$vmcore" "$vmlinux"

# ---- each answer is the same with any number of threads, and each time
for command in refs path whatis; do
	want=1
	[ $command = whatis ] && want=0
	for format in text json; do
		expect "$want" "" $command --threads=1 --format=$format "$live" "$leak" "$vmcore" "$vmlinux"
		grep -v '^ *"dump"' "$tmp/out" >"$tmp/one"
		expect "$want" "" $command --threads=2 --format=$format "$live" "$leak" "$vmcore" "$vmlinux"
		grep -v '^ *"dump"' "$tmp/out" | cmp -s - "$tmp/one" || fail "$command --format=$format: differs"
	done
done
finish
