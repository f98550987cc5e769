#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""truth.py CONSOLE-LOG > truth.tsv: what the module says it planted.

One line per object, tab-separated: truth kind id address size extra
(extra: space-separated key=value). Fails if the module reported an error, did
not finish, or an id or a live address occurs twice.
"""
import re, sys

n, ids, addrs, bad = 0, {}, {}, []
done = False
print("#truth\tkind\tid\taddress\tsize\textra")
for line in open(sys.argv[1], errors="replace"):
    if "KMLPLANT-ERROR" in line:
        bad.append(line.strip())
    done |= "KMLPLANT-DONE" in line
    m = re.search(r"KMLPLANT (leak|live|hidden|freed|trap) (\S+) (\S+) (0x[0-9a-f]+) (\d+) ?(.*)", line)
    if not m:
        if re.search(r"KMLPLANT [a-z]", line):
            bad.append("cannot read: " + line.strip())
        continue
    truth, kind, id_, addr, size, extra = (s.strip() for s in m.groups())
    if kind == "FAILED":
        bad.append("not planted: " + id_)
        continue
    if id_ in ids:
        bad.append("id twice: " + id_)
    ids[id_] = addr
    if truth != "freed":
        if (addr, kind == "percpu") in addrs:
            bad.append("address twice: %s %s %s" % (addr, id_, addrs[addr, kind == "percpu"]))
        addrs[addr, kind == "percpu"] = id_
    print("\t".join((truth, kind, id_, addr, size, extra)))
    n += 1
if not done:
    bad.append("no KMLPLANT-DONE")
for b in bad:
    print("truth.py:", b, file=sys.stderr)
sys.exit(1 if bad else 0)
