# SPDX-License-Identifier: GPL-2.0-or-later
"""Of the section "why": `top` adds up, is the same with any number of threads,
names the word that leads to what was planted, and takes how long it takes."""
import json, os

import kmltruth as kml
import topchecks


def ask(vm, s, *options):
    return vm.run("top", "--format=json", "--limit=0", *options, s.elf, s.vmlinux)


def check(vm, s):
    first = ask(vm, s, "--threads=1")
    if not vm.checks.ok("%s: top: exit status 0" % s.name, first.status == 0, str(first)):
        return
    top = json.loads(first.out)
    with open(os.path.join(vm.here, "..", "..", "schema", "kmlanalyze.schema.json")) as f:
        bad = kml.validate(top, json.load(f))
    vm.checks.ok("%s: top: the JSON is as the schema says" % s.name, not bad, bad)
    vm.checks.ok("%s: top: the same with three threads" % s.name, ask(vm, s, "--threads=3").out == first.out)
    topchecks.add_up(vm.checks, s.name, top)
    leaks = vm.run("--format=json", s.elf, s.vmlinux)
    topchecks.same_as_leaks(vm.checks, s.name, top, json.loads(leaks.out))
    words(vm, s, top)
    if any(t.id == "by-list.0" for t in s.truth):
        topchecks.planted(vm.checks, s.name, top, s.truth)


def words(vm, s, top):
    """The word that leads there stands where the module said."""
    for t in s.truth:
        if t.truth != "accum":
            continue
        cpu = int(t.extra["cpu"]) if "cpu" in t.extra else None
        points = topchecks.held_by(top, t.extra["variable"], t.extra["module"], cpu)
        where = "%s: top: %s" % (s.name, t.id)
        if not vm.checks.equal("%s: points at %s" % (where, t.extra["variable"]), len(points), 1):
            continue
        first, last = points[0]["steps"][0], points[0]["steps"][-1]
        if "within" in t.extra:
            vm.checks.ok("%s: the list's head is at byte %s of the object" % (where, t.extra["offset"]),
                         "holder" not in last and last.get("offset") == int(t.extra["offset"]), [first, last])
        elif "buckets" not in t.extra:
            # of an xarray what is named is the array, not the pointer in it
            at = int(first["address"], 16) + first.get("offset", 0) - int(t.extra.get("xa_head", 0))
            vm.checks.equal("%s: the word is where it was planted" % where, hex(at), hex(t.addr))
        if t.kind in ("list", "queue") and "within" not in t.extra:
            vm.checks.ok("%s: is called the head of a list" % where, points[0]["list_head"], points[0]["steps"])
        else:
            vm.checks.ok("%s: is called no head of a list" % where, not points[0]["list_head"], points[0]["steps"])
