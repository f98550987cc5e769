# SPDX-License-Identifier: GPL-2.0-or-later
"""What rules, baselines and `show` must do to a dump with planted truth
(shared by tests/golden and tests/vm)."""
import collections, copy, json, re

import kmltruth as kml


class Rules:
    def __init__(self, checks, run, tmp, where, dump, vmlinux, truth, schema):
        """@run(*argv): (status, stdout, stderr) of the program."""
        self.checks, self.run_program, self.tmp, self.where = checks, run, tmp, where
        self.files = list(dump) + [vmlinux]
        self.truth, self.schema = truth, schema
        self.by_id = {t.id: t for t in truth}

    # ---- helpers

    def ok(self, name, good, detail=""):
        return self.checks.ok("%s: %s" % (self.where, name), good, detail)

    def json(self, *argv, status=(0, 1)):
        got, out, err = self.run_program("--format=json", *argv)
        if got not in status:
            self.ok("exit status of %s is %s" % (" ".join(map(str, argv))[:150], status), False, "%s: %s" % (got, err))
            return None
        report = json.loads(out)
        bad = kml.validate(report, self.schema)
        if bad:
            self.ok("the JSON is as the schema says", False, bad)
        return report, err

    def with_rules(self, *lines, options=()):
        path = self.tmp + "/rules"
        with open(path, "w") as f:
            f.write("".join(line + "\n" for line in lines))
        report, self.err = self.json("--rules", path, *options, *self.files)
        return report

    def objects(self, report):
        return {o.addr: o for o in kml.report_objects(report)}

    def change(self, report):
        """(gone, new): addresses that are no longer, or only now, reported."""
        got = set(self.objects(report))
        return self.base - got, got - self.base

    def show(self, *addresses):
        got, out, err = self.run_program("show", "--format=json", *["0x%x" % a for a in addresses], *self.files)
        report = json.loads(out)
        bad = kml.validate(report, self.schema)
        self.ok("show: the JSON is as the schema says", not bad, bad)
        return got, report["addresses"]

    def planted(self, addresses):
        return sorted(t.id for t in self.truth if t.addr in addresses and t.truth != "freed")

    # ---- all of it

    def all(self):
        self.report, _ = self.json(*self.files)
        self.base = set(self.objects(self.report))
        self.base_objects = self.objects(self.report)
        self.not_leak()
        self.ignore()
        self.no_scan()
        self.scan_area()
        self.erase()
        self.min_count()
        self.fingerprint()
        self.address_and_module()
        self.types()
        self.transient()
        self.baseline()
        self.addresses()

    def not_leak(self):
        caches = collections.Counter(o.cache for o in self.base_objects.values() if o.cache and o.cache.startswith("kml_"))
        cache = sorted(caches)[0]
        report = self.with_rules("not_leak cache=" + cache)
        gone, new = self.change(report)
        want = {a for a, o in self.base_objects.items() if o.cache == cache}
        self.ok("not_leak cache=%s hides exactly its %d leaks" % (cache, len(want)), gone == want and not new, [hex(a) for a in gone ^ want])
        self.ok("... and counts them", report["not_reported"]["objects"] == len(want), report["not_reported"])
        # a leak with objects behind it: those stay held
        leak = max(kml.report_leaks(self.report), key=lambda l: len(l["followers"]))
        want = {int(leak["address"], 16)} | {int(f["address"], 16) for f in leak["followers"]}
        gone, new = self.change(self.with_rules("not_leak address=%s" % leak["address"]))
        self.ok("not_leak of a leak hides it and the %d objects behind it" % len(leak["followers"]), want == gone and not new,
                [hex(a) for a in gone ^ want])
        self.big = leak

    def ignore(self):
        leak = self.big
        report = self.with_rules("ignore address=%s # black" % leak["address"])
        gone, new = self.change(report)
        self.ok("ignore hides it alone: what it holds is reported for itself", gone == {int(leak["address"], 16)} and not new,
                [hex(a) for a in gone])

    def no_scan(self):
        # the first of a live chain: kml_holders() hangs 40 objects on it
        first = self.by_id["live-chain.0"]
        rest = {self.by_id["live-chain.%d" % i].addr for i in range(1, 40)}
        gone, new = self.change(self.with_rules("no_scan address=0x%x" % first.addr))
        self.ok("no_scan of the head of a chain reports the 39 behind it", not gone and rest <= new and first.addr not in new,
                self.planted(new))
        self.ok("... and no other planted object", {a for a in new if self.planted({a})} == rest, self.planted(new - rest))

    def scan_area(self):
        # its next pointer is word 7 (word 0 of the first link, in .bss)
        first, second = self.by_id["live-chain.0"], self.by_id["live-chain.1"]
        gone, new = self.change(self.with_rules("scan_area address=0x%x offset=56 length=8" % first.addr))
        self.ok("scan_area with the pointer in it changes nothing", not gone and not new, self.planted(new))
        gone, new = self.change(self.with_rules("scan_area address=0x%x length=56" % first.addr))
        self.ok("scan_area without it reports what it pointed to", not gone and second.addr in new and first.addr not in new,
                self.planted(new))
        gone, new = self.change(self.with_rules("scan_area address=0x%x length=56" % first.addr,
                                                "scan_area address=0x%x offset=56" % first.addr))
        self.ok("two areas of an object are both scanned", not gone and not new, self.planted(new))
        gone, new = self.change(self.with_rules("scan_area address=0x%x offset=57" % first.addr))
        self.ok("a word that is not whole in the area is not scanned", not gone and second.addr in new, self.planted(new))

    def erase(self):
        want = {t.addr for t in self.truth if re.match(r"by-module\.data\.", t.id)}
        report = self.with_rules("erase symbol=kmlplant:in_data")
        gone, new = self.change(report)
        self.ok("erase symbol=kmlplant:in_data reports the %d objects that it holds" % len(want),
                want and not gone and {a for a in new if self.planted({a})} == want, self.planted(new ^ want))
        self.ok("... and says how many references", report["rules"][0]["references"] == len(want) and
                report["rules"][0]["ranges"] == 1, report["rules"])
        one = self.by_id["by-module.data.2"].addr
        gone, new = self.change(self.with_rules("erase symbol=in_data offset=16"))
        self.ok("... one word of it: one object", not gone and {a for a in new if self.planted({a})} == {one}, self.planted(new))
        want = {t.addr for t in self.truth if t.id.startswith("by-percpu.static.module.")}
        gone, new = self.change(self.with_rules("erase symbol=kmlplant:in_static_percpu"))
        self.ok("erase of a per-cpu variable: what it holds on each CPU (%d)" % len(want),
                want and not gone and {a for a in new if self.planted({a})} == want, self.planted(new ^ want))
        # the word that holds live-chain.1 lies in live-chain.0
        first = self.by_id["live-chain.0"]
        gone, new = self.change(self.with_rules("erase address=0x%x" % (first.addr + 56)))
        self.ok("erase of a word of an object", not gone and self.by_id["live-chain.1"].addr in new, self.planted(new))
        gone, new = self.change(self.with_rules("erase address=0x%x offset=56" % first.addr))
        self.ok("... by offset", not gone and self.by_id["live-chain.1"].addr in new, self.planted(new))

    def min_count(self):
        t = self.by_id["untracked"]
        behind = {x.addr for x in self.truth if x.id.startswith("by-noleaktrace.")}
        gone, new = self.change(self.with_rules("min_count cache=kml_untracked count=1"))
        self.ok("min_count of 1 is the default", not gone and not new, self.planted(new))
        gone, new = self.change(self.with_rules("min_count cache=kml_untracked count=2"))
        self.ok("min_count of 2 reports what one word holds, and what is behind it",
                not gone and {a for a in new if self.planted({a})} == behind | {t.addr}, self.planted(new))
        leak = self.by_id["gone.kmalloc-64.0"] if "gone.kmalloc-64.0" in self.by_id else None
        leak = leak if leak and leak.addr in self.base else [x for x in self.truth if x.truth == "leak" and x.addr in self.base][0]
        gone, new = self.change(self.with_rules("min_count address=0x%x count=0" % leak.addr))
        self.ok("min_count of 0 is never reported", leak.addr in gone and not new, self.planted(gone))

    def fingerprint(self):
        groups = self.report["leaks"]["groups"]
        group = max(groups, key=lambda g: g["leak_count"])
        want = {int(a["address"], 16) for g in groups if g["fingerprint"] == group["fingerprint"]
                for leak in g["leaks"] for a in [leak] + leak["followers"]}
        gone, new = self.change(self.with_rules("not_leak fingerprint=" + group["fingerprint"]))
        self.ok("not_leak fingerprint= hides a group of %d" % group["leak_count"], gone == want and not new, [hex(a) for a in gone ^ want])
        group = max(groups, key=lambda g: g["follower_count"])
        want = {int(leak["address"], 16) for leak in group["leaks"]}
        gone, new = self.change(self.with_rules("ignore fingerprint=" + group["fingerprint"]))
        self.ok("ignore fingerprint= hides the %d roots, not what they hold" % len(want), gone == want and not new, [hex(a) for a in gone ^ want])

    def address_and_module(self):
        t = [x for x in self.truth if x.truth == "leak" and x.addr in self.base and not x.percpu and x.size > 16][0]
        gone, new = self.change(self.with_rules("not_leak address=0x%x" % (t.addr + 9)))
        self.ok("an interior address selects its object", t.addr in gone and not new, self.planted(gone))
        want = {a for a, o in self.base_objects.items() if o.kind in ("vmalloc", "vmap", "ioremap")
                and any(x.addr == a and not x.id.startswith("gone.") for x in self.truth)}
        report = self.with_rules("not_leak module=kmlplant")
        gone, new = self.change(report)
        # (of a cache with SLAB_STORE_USER the caller is known, too: kml_debug)
        others = {int(leak["address"], 16) for g in self.report["leaks"]["groups"] if not g["caller"] for leak in g["leaks"]}
        tracked = {int(leak["address"], 16) for g in self.report["leaks"]["groups"] if g["cache"] == "kml_debug" for leak in g["leaks"]}
        self.ok("... and the objects of a cache that tracks its users (%d)" % len(tracked), tracked and tracked <= gone)
        self.ok("module=kmlplant selects the %d areas that its code mapped" % len(want), want and want <= gone and not new,
                [hex(a) for a in want - gone])
        self.ok("... and no leak of another kind", not gone & others, self.planted(gone & others))
        # what words of a module hold: all the planted live ones of .data and .bss
        report = self.with_rules("erase module=kmlplant")
        gone, new = self.change(report)
        want = {t.addr for t in self.truth if re.match(r"by-module\.", t.id) or t.id in ("area", "big", "untracked")}
        self.ok("erase module=kmlplant reports what only the module's data holds", not gone and want <= new, self.planted(want - new))
        stack = {t.addr for t in self.truth if t.extra.get("holder") == "stack"}
        self.ok("... and nothing that a stack holds", not stack & new, self.planted(stack & new))
        report = self.with_rules("not_leak cache=no_such", "erase symbol=no_such", "ignore address=0x10", "no_scan module=no_such",
                                 "transient fingerprint=1", "min_count type=no_such count=2")
        gone, new = self.change(report)
        warned = re.findall(r"rules:(\d+): the rule matches nothing", self.err)
        self.ok("rules that match nothing change nothing, and each is named", not gone and not new and
                warned == ["1", "2", "3", "4", "5", "6"], self.err)

    def types(self):
        report = self.with_rules("not_leak type=vm_struct", "not_leak type=task_struct", "not_leak type=vmap_area",
                                 "not_leak type=mm_struct", "not_leak type=kmalloc-64", "not_leak type=sighand_cache")
        said = [r["objects"] for r in report["rules"]]
        self.ok("type= knows vm_struct, task_struct, vmap_area, mm_struct, and that a cache's name is no type",
                min(said[:4]) > 1 and said[4:] == [0, 0], said)
        lost = {t.addr for t in self.truth if t.kind == "slab:task_struct" and t.addr in self.base}
        gone, _ = self.change(report)
        self.ok("... leaked task_structs among them (%d)" % len(lost), lost <= gone, self.planted(lost - gone))

    def transient(self):
        old = self.tmp + "/old.json"
        leaks = kml.report_leaks(self.report)
        cache = [l["cache"] for l in leaks if l["cache"] and l["cache"].startswith("kml_")][0]
        mine = {a for a, o in self.base_objects.items() if o.cache == cache}
        gone, new = self.change(self.with_rules("transient cache=" + cache))
        self.ok("transient without a baseline: not reported", gone == mine and not new, [hex(a) for a in gone ^ mine])
        kept = copy.deepcopy(self.report)
        first = min(mine)
        drop(kept, lambda leak: int(leak["address"], 16) != first)
        with open(old, "w") as f:
            json.dump(kept, f)
        report = self.with_rules("transient cache=" + cache, options=["--baseline", old])
        got = set(self.objects(report))
        self.ok("transient with a baseline: what was there is reported, what is new is not", got & mine == mine - {first},
                [hex(a) for a in (got & mine) ^ (mine - {first})])
        self.ok("... and all others that were there are not", not got - mine, [hex(a) for a in got - mine])

    def baseline(self):
        old = self.tmp + "/old.json"
        with open(old, "w") as f:
            json.dump(self.report, f)
        report, err = self.json("--baseline", old, *self.files)
        self.ok("a baseline of the same dump: nothing is new, exit status 0", not self.objects(report) and not err and
                self.run_program("--baseline", old, *self.files)[0] == 0, err)
        self.ok("... same boot, all of it found", report["baseline"]["same_boot"] and
                report["baseline"]["found"] == report["baseline"]["count"] == len(self.base), report["baseline"])
        lonely = [leak for leak in kml.report_leaks(self.report) if not leak["followers"]][0]
        kept = copy.deepcopy(self.report)
        drop(kept, lambda leak: leak["address"] != lonely["address"])
        with open(old, "w") as f:
            json.dump(kept, f)
        report, _ = self.json("--baseline", old, *self.files)
        self.ok("with one leak left out: exactly that one is new", set(self.objects(report)) == {int(lonely["address"], 16)},
                [hex(a) for a in self.objects(report)])
        # the same, but another size: it is another object
        kept = copy.deepcopy(self.report)
        [l for l in kml.report_leaks(kept) if l["address"] == lonely["address"]][0]["bytes"] += 1
        with open(old, "w") as f:
            json.dump(kept, f)
        report, _ = self.json("--baseline", old, *self.files)
        self.ok("another object at its address does not count", set(self.objects(report)) == {int(lonely["address"], 16)},
                [hex(a) for a in self.objects(report)])
        self.other_boot(old)

    def other_boot(self, old):
        kept = copy.deepcopy(self.report)
        kept["kernel"]["boot_id"] = "0123456789abcdef"
        for leak in kml.report_leaks(kept):
            leak["address"] = "0xffff888000000000"
        group = kept["leaks"]["groups"][0]
        group["leak_count"] += 1
        fewer = [g for g in kept["leaks"]["groups"] if g["leak_count"] > 1][-1]
        fewer["leak_count"] -= 1
        with open(old, "w") as f:
            json.dump(kept, f)
        report, err = self.json("--baseline", old, *self.files)
        got = {g["fingerprint"] for g in report["leaks"]["groups"]}
        self.ok("of another boot: by fingerprint and number", got == {fewer["fingerprint"]}, sorted(got))
        self.ok("... says so", "of another boot" in err and not report["baseline"]["same_boot"], err)
        self.ok("... and how many there were", report["leaks"]["groups"][0].get("baseline_leaks") == fewer["leak_count"],
                report["leaks"]["groups"][0].get("baseline_leaks"))

    # ---- show

    def addresses(self):
        leak, live = self.by_id["live-chain.0"], None
        lost = [t for t in self.truth if t.truth == "leak" and t.addr in self.base and not t.percpu and t.size >= 16]
        status, shown = self.show(*[t.addr + t.size // 2 for t in lost])
        bad = [t.id for t, s in zip(lost, shown) if not s["object"] or int(s["object"]["address"], 16) != t.addr or
               s["object"]["offset"] != t.size // 2 or s["object"]["color"] != "white" or
               s["object"]["verdict"] not in ("leak", "follower")]
        self.ok("show: the middle of each of %d planted leaks is in a leaked object, exit status 1" % len(lost),
                status == 1 and not bad, bad)
        roots = {o.addr for o in self.base_objects.values() if o.addr == o.root}
        bad = [t.id for t, s in zip(lost, shown) if (s["object"]["verdict"] == "leak") != (t.addr in roots) or
               int(s["object"]["leak"]["address"], 16) != self.base_objects[t.addr].root]
        self.ok("... with the leak that it is, or is behind", not bad, bad)
        live = [t for t in self.truth if t.truth == "live" and not t.percpu]
        status, shown = self.show(*[t.addr for t in live])
        bad = [t.id for t, s in zip(live, shown) if not s["object"] or s["object"]["color"] != "gray" or
               s["object"]["state"] != kml.allocated_state(t) or
               not (s["object"]["reference_count"] - s["object"]["leaked_reference_count"])]
        self.ok("show: each of %d planted live objects is held, by somebody, exit status 0" % len(live), status == 0 and not bad, bad)
        said = {t.id: s["object"]["references"] for t, s in zip(live, shown) if s["object"]}
        bad = [(i, said[i]) for i, want in (
            ("by-module.data.1", r"^in_data\+0x8 \[kmlplant\]$"), ("by-module.bss.2", r"^in_bss\+0x10 \[kmlplant\]$"),
            ("by-stack.0", r"^stack of kml_stack/0, pid "), ("live-chain.1", r" 0x%016x \+0x38$" % leak.addr))
            if not any(re.search(want, r["holder"]) for r in said[i])]
        self.ok("... by whom it was planted", not bad, bad)
        cpu0 = [t for t in self.truth if "cpu0" in t.extra and t.truth == "live"]
        _, shown = self.show(*[int(t.extra["cpu0"], 16) + 3 for t in cpu0])
        bad = [t.id for t, s in zip(cpu0, shown) if not s["object"] or int(s["object"]["address"], 16) != t.addr or
               s["object"].get("cpu") != 0 or s["object"]["offset"] != 3]
        self.ok("show: CPU 0's copy of %d per-cpu blocks" % len(cpu0), cpu0 and not bad, bad)
        freed = [t for t in self.truth if t.truth == "freed" and not t.percpu and
                 not any(x.addr <= t.addr < x.end for x in self.truth if x.truth != "freed")]
        _, shown = self.show(*[t.addr for t in freed])
        bad = [(t.id, s["object"]["state"]) for t, s in zip(freed, shown) if s["object"] and s["object"]["color"] == "white"]
        self.ok("show: none of %d freed objects is leaked" % len(freed), not bad, bad)
        status, shown = self.show(0x10, 0xdeadbeef00000000, 0xffffffffffffffff)
        self.ok("show: what is no address of the kernel is no object", status == 0 and
                all(s["object"] is None and s["place"] for s in shown), shown)


def drop(report, keep):
    """Leave leaks out of a report, consistently."""
    for group in report["leaks"]["groups"]:
        group["leaks"] = [leak for leak in group["leaks"] if keep(leak)]
        group["leak_count"] = len(group["leaks"])
    report["leaks"]["groups"] = [g for g in report["leaks"]["groups"] if g["leaks"]]
