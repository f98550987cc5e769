# SPDX-License-Identifier: GPL-2.0-or-later
"""What `kmlanalyze top` must say of a dump with planted truth (shared by
tests/golden and tests/vm)."""
import re

import kmltruth as kml

# The containers of tests/vm/plant/holders.c: by the holder that the log names
# the variable, and the caches of what the container itself needs.
CONTAINERS = {
    "list": ("items", ()), "hlist": ("hitems", ()), "rbtree": ("tree", ()),
    "xarray": ("xa", ("radix_tree_node",)), "idr": ("idr", ("radix_tree_node",)),
    "maple": ("mt", ("maple_node",)), "rhashtable": ("rht", ("kmalloc-",)),
}


def add_up(checks, where, top):
    """All that is live is in each table and in the accumulation points."""
    live = (top["live"]["objects"], top["live"]["bytes"])
    sets = [(t["by"], t["rows"] + [t["omitted"], t["unknown"]]) for t in top["tables"]]
    sets.append(("accumulation", top["accumulation"]["points"] + [top["accumulation"]["omitted"]]))
    bad = [(by, sums) for by, sums in ((by, (sum(r["objects"] for r in rows), sum(r["bytes"] for r in rows))) for by, rows in sets)
           if sums != live]
    checks.ok("%s: top: all %d live objects are in each of %d tables" % (where, live[0], len(sets)), live[0] and not bad, bad)
    bad = [p for p in top["accumulation"]["points"]
           if (sum(f["objects"] for f in p["of_which"]), sum(f["bytes"] for f in p["of_which"])) != (p["objects"], p["bytes"])]
    checks.ok("%s: top: what each of %d points retains adds up to it" % (where, len(top["accumulation"]["points"])), not bad, bad[:3])


def same_as_leaks(checks, where, top, leaks):
    """Live is what the report of leaks calls live, but mappings are no memory."""
    kinds = leaks["objects"]
    want = (sum(k["live"]["objects"] for k in kinds.values()),
            sum(k["live"]["bytes"] for name, k in kinds.items() if name not in ("vmap", "ioremap")))
    checks.equal("%s: top and the summary of leaks know the same live objects" % where,
                 (top["live"]["objects"], top["live"]["bytes"]), want)


def held_by(top, name, module, cpu=None):
    """Points that begin at a variable."""
    return [p for p in top["accumulation"]["points"] if p["kind"] == "held" and p["steps"][0].get("name") == name and
            p["steps"][0].get("module") == module and p["steps"][0].get("cpu") == cpu]


def slab_bytes(t):
    """Of a planted object of a kmalloc cache."""
    m = re.fullmatch(r"slab:kmalloc-(?:\w+-)*?(\d+)(k?)", t.kind)
    return int(m[1]) << (10 if m[2] else 0) if m else None


def containers(checks, where, top, truth):
    """Each has its variable for holder, with exactly what was put in."""
    for holder, (name, own) in sorted(CONTAINERS.items()):
        planted = [t for t in truth if t.truth == "live" and re.fullmatch(r"by-%s\.\d+(\.payload)?" % holder, t.id)]
        if not planted:
            continue
        points = held_by(top, name, "kmlplant")
        if not checks.equal("%s: top: a point that begins at %s" % (where, name), len(points), 1):
            continue
        want = {}
        for t in planted:
            n = want.setdefault(t.kind[5:], [0, 0])
            n[0] += 1
            n[1] += slab_bytes(t)
        bad, n_own = [], 0
        by_cache = {} # which may have several types
        for f in points[0]["of_which"]:
            n = by_cache.setdefault(f.get("cache", f["name"]), [0, 0])
            n[0] += f["objects"]
            n[1] += f["bytes"]
        for name_of, (objects, size_of) in by_cache.items():
            n, size = want.pop(name_of, (0, 0))
            more = objects - n
            if (more or size_of != size) and not any(name_of.startswith(o) for o in own):
                bad.append("%s: %d objects, %d bytes, planted %d, %d" % (name_of, objects, size_of, n, size))
            n_own += more
        checks.ok("%s: top: %s retains the %d objects that it was given%s" % (
            where, name, len(planted), ", and %d of its own" % n_own if own else ""),
            not bad and not want and 0 <= n_own <= 16 and (own or points[0]["objects"] == len(planted)), bad + list(want.items()))


def list_heads(checks, where, top, truth):
    """What is a list_head in a variable is called one; a word that leads to an
    object is not."""
    for name, want in (("items", True), ("hitems", False), ("tree", False)):
        got = [p["list_head"] for p in held_by(top, name, "kmlplant")]
        checks.equal("%s: top: is %s the head of a list?" % (where, name), got, [want])


def chains(checks, where, top, truth):
    """A singly linked chain of objects of changing kinds is one point below the
    variable that begins it, whole."""
    chain = [t for t in truth if t.truth == "live" and t.id.startswith("live-chain.")]
    first = min(chain, key=lambda t: int(t.id.split(".")[1]), default=None)
    if first:
        points = [p for p in held_by(top, "from", "kmlplant") if p["objects"] >= len(chain)]
        checks.ok("%s: top: the chain of %d objects is below its variable" % (where, len(chain)), points)


def planted(checks, where, top, truth):
    containers(checks, where, top, truth)
    list_heads(checks, where, top, truth)
    chains(checks, where, top, truth)
    if top["accumulation"]["omitted"]["rows"]:
        return      # points as small as the next ones may be among these
    for t in truth:
        # one object of each CPU's copy of a per-cpu variable
        m = re.fullmatch(r"by-percpu\.static\.module\.(\d+)", t.id)
        if m:
            points = held_by(top, "in_static_percpu", "kmlplant", int(m[1]))
            checks.ok("%s: top: in_static_percpu of CPU %s retains one object" % (where, m[1]),
                      len(points) == 1 and points[0]["objects"] == 1, points)
