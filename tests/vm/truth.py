#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""truth.py CONSOLE-LOG > truth.tsv: what the module says it planted.

One line per object, tab-separated: truth kind id address size extra
(extra: space-separated key=value). Fails if the module reported an error, did
not finish, or an id or a live address occurs twice. (accum, group, suspect,
counted and frag are not about one object: see hold/kmlhold.h.)
"""
import re, sys

n, ids, addrs, bad = 0, {}, {}, []
done = False
OBJECT = "leak|live|hidden|freed|trap"
ABOUT = ("accum", "group", "suspect", "counted", "frag")


def tell(truth, kind, id_, addr, size, extra):
    global n
    if kind == "FAILED":
        bad.append("not planted: " + id_)
        return
    if (truth in ABOUT, id_) in ids:
        bad.append("id twice: " + id_)
    ids[truth in ABOUT, id_] = addr
    if truth != "freed" and truth not in ABOUT:
        if (addr, kind == "percpu") in addrs:
            bad.append("address twice: %s %s %s" % (addr, id_, addrs[addr, kind == "percpu"]))
        addrs[addr, kind == "percpu"] = id_
    print("\t".join((truth, kind, id_, addr, size, extra)))
    n += 1


print("#truth\tkind\tid\taddress\tsize\textra")
for line in open(sys.argv[1], errors="replace"):
    if "KMLPLANT-ERROR" in line:
        bad.append(line.strip())
    done |= "KMLPLANT-DONE" in line
    m = re.search(r"KMLMANY (%s) (\S+) (\S+) (\d+) (\d+) (.*) @ (.*)" % OBJECT, line)
    if m:
        truth, kind, id_, first, size, extra, many = (s.strip() for s in m.groups())
        for i, addr in enumerate(many.split()):
            tell(truth, kind, "%s.%d" % (id_, int(first) + i), "0x" + addr, size, extra)
        continue
    m = re.search(r"KMLPLANT (%s|%s) (\S+) (\S+) (0x[0-9a-f]+) (\d+) ?(.*)" % (OBJECT, "|".join(ABOUT)), line)
    if m:
        tell(*(s.strip() for s in m.groups()))
    elif re.search(r"KMLPLANT [a-z]|KMLMANY", line):
        bad.append("cannot read: " + line.strip())
if not done:
    bad.append("no KMLPLANT-DONE")
for b in bad:
    print("truth.py:", b, file=sys.stderr)
sys.exit(1 if bad else 0)
