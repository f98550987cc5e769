#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Checks of allocation sites: of what was planted, each source that the dump
has names the function that planted it.

check(vm, s)    vm: checks, run(), tool(), tmp, here, env; s: a scenario with
                name, dir, dump, vmlinux
damaged(vm, s)  the same dump with what says who allocated what overwritten,
                under ASan and UBSan

sitechecks.py DIR... checks dumps of a directory by hand, with the programs that
KMLANALYZE, KMLANALYZE_ASAN and SITE_CROSSCHECK name.
"""
import collections, json, os, random, re, shutil, struct, subprocess, sys, tempfile

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "golden"))
import kmltruth as kml

SHOWN = 700     # objects that `show` is asked for, besides all leak roots
DAMAGES = 12
SOURCES = ("kmemleak", "alloc_tag", "slub_track", "kasan", "kfence", "page_owner", "vm_struct")

# Which function objects of the module kmlplant come from, by the first word of
# their ids; the rest is of kml_slab(). Tasks are made by kthreadd. vm_struct
# has one frame alone, and so have allocation tags: a function that these call.
PLANTERS = {"kml_areas": ("vmalloc", "vzalloc", "vmap", "ioremap", "percpu", "page"),
            "kml_objects": ("skb", "file", "kobject", "socket"),
            "kml_chains": ("list", "hlist", "slist", "ring", "pair", "self", "tree", "rbtree", "xarray", "parent", "mixed"),
            "kml_traps": ("trap",), "kml_hidden": ("hidden",)}
CALLEES = {"kml_areas": ("plant_vmalloc", "plant_vmap", "plant_ioremap", "plant_percpu", "plant_pages"),
           "kml_traps": ("dirty_stack",)}
NOBODYS = ("task", "gone", "late")


def planter(t):
    """The functions of which one must be on the stack; () if none is known."""
    if "site" in t.extra:
        return () if t.extra["site"] == "none" else (t.extra["site"], t.extra.get("caller", "?"))
    word = re.match(r"[a-z_]*[a-z]", t.id.split(".")[0])
    word = word[0] if word else ""
    if t.truth != "leak" or word in NOBODYS:
        return ()
    for function, words in PLANTERS.items():
        if word in words:
            return (function,) + CALLEES.get(function, ())
    return ("kml_slab",)


def sources_of(cmdline, config):
    """Which sources this kernel has, by how it was built and booted."""
    ret = {"vm_struct"}
    if "slub_debug=U" in cmdline or "slab_debug=U" in cmdline:
        ret.add("slub_track")
    if "page_owner=on" in cmdline:
        ret.add("page_owner")
    if "CONFIG_DEBUG_KMEMLEAK=y" in config and "kmemleak=off" not in cmdline:
        ret.add("kmemleak")
    if "CONFIG_MEM_ALLOC_PROFILING=y" in config and "mem_profiling=0" not in cmdline and "mem_profiling=never" not in cmdline:
        ret.add("alloc_tag")
    if "CONFIG_KASAN_GENERIC=y" in config:
        ret.add("kasan")
    return ret


def kinds_of(source):
    """What of the kinds of objects a source knows of."""
    return {"kmemleak": ("slab", "large", "vmalloc"), "alloc_tag": ("slab", "large", "page", "vmalloc", "percpu"),
            "slub_track": ("slab",), "kasan": ("slab",), "kfence": (), "page_owner": ("large", "page", "vmalloc"),
            "vm_struct": ("vmalloc", "vmap", "ioremap")}[source]


# Caches that a source does not know: SLAB_NOLEAKTRACE.
UNTRACKED = {source: ("slab:kml_noleaktrace",) for source in ("kmemleak", "slub_track", "alloc_tag")}


def applies(source, t):
    return t.kind.split(":")[0] in kinds_of(source) and t.kind not in UNTRACKED.get(source, ())


def functions(site):
    """Names on its stack, of inlined functions as well where they are known."""
    ret = [f["symbol"].split("+")[0].split(".")[0] for f in site["stack"]]
    for f in site["stack"]:
        ret += [x["function"] for x in f.get("frames", ()) if x["function"]]
    if "tag" in site:
        ret.append(site["tag"]["function"])
    return ret


def conforms(vm, name, document):
    with open(os.path.join(here, "..", "..", "schema", "kmlanalyze.schema.json")) as f:
        bad = kml.validate(document, json.load(f))
    vm.checks.ok("%s: as the schema says" % name, not bad, bad)


class Dump:
    def __init__(self, directory):
        self.dir, self.name = directory, os.path.basename(directory.rstrip("/"))
        env = dict(line.rstrip("\n").split("=", 1) for line in open(directory + "/kernel.env"))
        self.dump, self.vmlinux, self.env = directory + "/dump.elf", env["VMLINUX"], env


def kernel_facts(s):
    """Its command line, and its configuration as far as it is known."""
    cmdline, config = "", ""
    for name in ("cmdline", "guest/cmdline"):
        if os.path.exists(os.path.join(s.dir, name)):
            cmdline += open(os.path.join(s.dir, name)).read()
    env = dict(line.rstrip("\n").split("=", 1) for line in open(s.dir + "/kernel.env"))
    if os.path.exists(os.path.join(env["KBUILD"], ".config")):
        config = open(os.path.join(env["KBUILD"], ".config")).read()
    return cmdline, config


def place_is_right(t, site):
    """A tag's file and line."""
    if "tag" not in site:
        return True
    tag = site["tag"]
    if "file" in t.extra and os.path.basename(tag["file"] or "") != t.extra["file"]:
        return False
    return "line" not in t.extra or tag["line"] == int(t.extra["line"])


def is_planter(t, wanted, site):
    """A tag names the innermost function alone, which kmlplant does not log."""
    if "tag" in site and "site" not in t.extra:
        return site["tag"]["module"] == "kmlplant"
    return bool(set(wanted) & set(functions(site)))


def is_of_kernel(site):
    """A tag of the kernel proper: in what the planting function called, such as
    kstrdup() or sock_create(). It is right if allocinfo counts the same."""
    return "tag" in site and not site["tag"]["module"] and not site["tag"]["module_gone"]


def judge(vm, s, found, sources):
    """found: [(Planted, its sites)]."""
    counts, bad, innermost, called = collections.Counter(), collections.defaultdict(list), collections.Counter(), collections.Counter()
    for t, sites in found:
        by = {x["source"]: x for x in sites}
        order = [SOURCES.index(x["source"]) for x in sites]
        if order != sorted(order):
            bad["order"].append("%s: %s" % (t, [x["source"] for x in sites]))
        wanted = planter(t)
        for source in sources:
            if not wanted or not applies(source, t):
                continue
            # The first per-cpu chunk has no tags: "first chunk is free to use".
            if source == "alloc_tag" and t.percpu and source not in by:
                continue
            counts[source] += 1
            if source in by and is_of_kernel(by[source]):
                called[by[source]["tag"]["function"]] += 1
            elif source not in by:
                bad[source].append("%s: not said" % t)
            elif not is_planter(t, wanted, by[source]):
                bad[source].append("%s: of %s, said: %s" % (t, wanted, functions(by[source])))
            elif not place_is_right(t, by[source]):
                bad[source].append("%s: %s, not %s:%s" % (t, by[source]["tag"], t.extra.get("file"), t.extra.get("line")))
            elif by[source]["where"].split("+")[0].split(" ")[0] in wanted:
                innermost[source] += 1
    for source in sorted(sources):
        vm.checks.ok("%s: %s names the planting function of all %d that it knows (of %d it is the innermost that is no wrapper)" % (
            s.name, source, counts[source], innermost[source]), counts[source] > 0 and not bad[source], bad[source])
    if called:
        vm.checks.note("%s: of the tags %d are in kernel functions that it called: %s" % (s.name, sum(called.values()), ", ".join(sorted(called))))
    vm.checks.ok("%s: the best source comes first" % s.name, not bad["order"], bad["order"])


def check(vm, s):
    truth = kml.load_truth(s.dir + "/truth.tsv")
    truth = [t for t in truth if t.truth in ("leak", "live") and t.addr]
    sources = sources_of(*kernel_facts(s))
    r = vm.run("--format=json", "--no-content", s.dump, s.vmlinux)
    report = json.loads(r.out)
    conforms(vm, s.name, report)
    at = {(int(x["address"], 16), x["kind"] == "percpu"): x for x in kml.report_leaks(report)}
    found = [(t, at[t.addr, t.percpu]["sites"]) for t in truth if (t.addr, t.percpu) in at]
    rng = random.Random(int(os.environ.get("KML_VM_SEED", "20261126")))
    rest = [t for t in truth if (t.addr, t.percpu) not in at and not t.interior and "trap" not in t.extra]
    rest = rng.sample(rest, min(SHOWN, len(rest)))
    r = vm.run("show", "--format=json", "--no-content", *["0x%x" % t.addr for t in rest], s.dump, s.vmlinux, timeout=600)
    shown = json.loads(r.out)
    conforms(vm, s.name + ": show", shown)
    for t, x in zip(rest, shown["addresses"]):
        o = x["object"]
        if o and o["state"] == "allocated" and int(o["address"], 16) == t.addr and (o["kind"] == "percpu") == t.percpu:
            found.append((t, o["sites"]))
    judge(vm, s, found, sources)
    crosscheck(vm, s, sources)
    groups(vm, s, report, found, sources)
    kmemleak_format(vm, s, found)


def crosscheck(vm, s, sources):
    """The pass over all objects says the same as the look at each."""
    tool = vm.tool("SITE_CROSSCHECK", "tests/unit/site-crosscheck")
    r = vm.run(s.dump, s.vmlinux, "places", exe=tool, timeout=300)
    out = r.out.decode()
    best = dict(line.split() for line in out.splitlines() if line.split()[0] in SOURCES)
    vm.checks.ok("%s: all objects at once, and one by one: the same places (%s)" % (
        s.name, ", ".join("%s %s" % (n, k) for k, n in best.items() if n != "0")),
        r.status == 0 and any(best.get(x, "0") != "0" for x in sources), out.splitlines()[:20] or str(r))


    if "alloc_tag" in sources and os.path.exists(s.dir + "/guest/allocinfo"):
        allocinfo(vm, s, out)


def allocinfo(vm, s, out):
    """/proc/allocinfo of shortly before the dump: so many calls of each tag."""
    calls, ours = collections.Counter(), collections.defaultdict(collections.Counter)
    for line in open(s.dir + "/guest/allocinfo"):
        m = re.match(r"\s*\d+\s+(\d+)\s+(\S+:\d+)(?: \[\S+\])? func:(\S+)", line)
        if m:
            calls[m[2], m[3]] += int(m[1])
    for line in out.splitlines():
        m = re.match(r"place (\S+) (\d+) \d+ (\S+) at (\S+:\d+)", line)
        if m:
            ours[m[4], m[3]][m[1]] += int(m[2])
    # a page block may be counted by pages, and an area has a vm_struct
    slab = {k: sum(n.values()) for k, n in ours.items() if set(n) <= {"slab", "percpu"}}
    same = [k for k, n in slab.items() if calls[k] == n]
    planted = [k for k in slab if k[1].startswith("kml_")]
    vm.checks.ok("%s: of %d tags with slab objects alone, %d count what /proc/allocinfo counted: 9 in 10, and all %d of the modules" % (
        s.name, len(slab), len(same), len(planted)), planted and len(same) * 10 >= 9 * len(slab) and not set(planted) - set(same),
        ["%s:%s: %d, not %d" % (k[0], k[1], slab[k], calls[k]) for k in slab if k not in same])


def groups(vm, s, report, found, sources):
    """All leaks of one planting function, size and cache, with nothing behind
    them, are one group where a source knows them."""
    group_of = {}
    for i, g in enumerate(report["leaks"]["groups"]):
        for x in g["leaks"]:
            group_of[int(x["address"], 16)] = (i, g)
    per = collections.defaultdict(set)
    for t, sites in found:
        if t.addr not in group_of or "line" not in t.extra or not sites:
            continue
        i, g = group_of[t.addr]
        per[t.extra["site"], t.extra.get("caller"), t.extra["line"], g["object_bytes"], g["cache"], g["follower_count"] > 0].add(i)
    bad = ["%s: groups %s" % (k, sorted(v)) for k, v in per.items() if len(v) > 1 and not k[-1]]
    vm.checks.ok("%s: leaks of one place make one group (%d places)" % (s.name, len(per)), not bad, bad)


def kmemleak_format(vm, s, found):
    """--format=kmemleak: comm, pid, jiffies and stack are those of the sites."""
    r = vm.run("--format=kmemleak", "--no-content", s.dump, s.vmlinux)
    entries = {}
    for part in re.split(r"(?m)^(?=unreferenced object )", r.out.decode(errors="surrogateescape")):
        m = re.match(r'unreferenced object (\(percpu\) )?0x([0-9a-f]+) .*\n  comm "(.*)", pid (\d+), jiffies (\d+)', part)
        if m:
            entries[int(m[2], 16), bool(m[1])] = (m[3], int(m[4]), re.findall(r"(?m)^    \[<([0-9a-f]{16})>\]", part))
    bad, n = [], 0
    for t, sites in found:
        entry = entries.get((t.addr, t.percpu))
        if not entry or not sites:
            continue
        n += 1
        who = next((x for x in sites if "pid" in x), None)
        stack = next((x for x in sites if x["stack"]), None)
        want = ((who and who["comm"]) or "unknown", who["pid"] if who else 0,
                [f["address"][2:] for f in stack["stack"]] if stack else [])
        if want != entry:
            bad.append("%s: %s, not %s" % (t, entry, want))
    vm.checks.ok("%s: --format=kmemleak has who and where of %d leaks" % (s.name, n), not bad, bad)


# ---- damaged records

def places(s, report, data):
    """Where in the file there are records of allocations."""
    at = []
    for x in kml.report_leaks(report)[:400]:
        for site in x["sites"]:
            for f in site["stack"][:2]:
                at.append(data.find(struct.pack("<Q", int(f["address"], 16))))
            if "tag" in site:
                at.append(data.find(struct.pack("<Q", int(site["tag"]["address"], 16))))
        if x.get("memory_cgroup"):
            at.append(data.find(struct.pack("<Q", int(x["memory_cgroup"]["address"], 16))))
    return sorted({i for i in at if i > 4096})


def damaged(vm, s):
    asan = vm.tool("KMLANALYZE_ASAN", "tests/vm/kmlanalyze-asan")
    environ = dict(vm.env, ASAN_OPTIONS="detect_leaks=1:exitcode=99:allocator_may_return_null=1",
                   UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:exitcode=99")
    supp = os.path.join(here, "..", "lsan.supp")
    if os.path.exists(supp):
        environ["LSAN_OPTIONS"] = "suppressions=%s:print_suppressions=0" % supp
    report = json.loads(vm.run("--format=json", "--no-content", s.dump, s.vmlinux).out)
    leaks = kml.report_leaks(report)
    rng = random.Random(int(os.environ.get("KML_VM_SEED", "20261126")))
    path = os.path.join(vm.tmp, "damaged.elf")
    shutil.copyfile(s.dump, path)
    with open(path, "rb") as f:
        whole = f.read()
    where = places(s, report, whole)
    bad, statuses = [], collections.Counter()
    with open(path, "r+b") as f:
        for n in range(DAMAGES):
            hit = []
            for at in rng.sample(where, min(len(where), rng.choice((1, 5, 20)))):
                at = (at & ~7) + rng.randrange(-12, 12) * 8
                other = rng.choice(where) & ~7
                hit.append(at)
                f.seek(at)
                f.write(rng.choice((b"\xff" * 8, bytes(8), rng.randbytes(8), bytes(whole[other:other + 8]), bytes(whole[at - 8:at]))))
            f.flush()
            argv = rng.choice((["--format=json", "--no-lines"], ["--format=kmemleak"], ["--no-lines", "--min-age=10"],
                               ["show", "--no-lines"] + [x["address"] for x in rng.sample(leaks, min(40, len(leaks)))]))
            r = vm.run(*argv, path, s.vmlinux, exe=asan, environ=environ, timeout=600)
            statuses[r.status] += 1
            if r.status not in (0, 1, 3, 4) or "anitizer" in r.err or "runtime error" in r.err:
                bad += ["damage %d (%s):" % (n, argv[0])] + (r.err.splitlines()[:20] or [str(r)])
            for at in hit:
                f.seek(at)
                f.write(whole[at:at + 8])
    os.unlink(path)
    vm.checks.ok("%s: %d damages around records of allocations: a documented exit status each (%s), no sanitizer report" % (
        s.name, DAMAGES, ", ".join("%s: %d" % x for x in sorted(statuses.items()))), len(where) > 5 and not bad, bad)


# ---- by hand

class Vm:
    def __init__(self, tmp):
        self.checks, self.tmp, self.here = kml.Checks(), tmp, here
        self.env = dict(os.environ, XDG_CACHE_HOME=os.path.join(tmp, "cache"), LC_ALL="C")

    def tool(self, variable, default):
        return os.path.abspath(os.environ.get(variable, default))

    def run(self, *argv, exe=None, timeout=300, environ=None):
        class Ran:
            pass
        r = Ran()
        p = subprocess.run([exe or self.tool("KMLANALYZE", "./kmlanalyze")] + [str(a) for a in argv], capture_output=True,
                           timeout=timeout, env=environ or self.env)
        r.status, r.out, r.err = p.returncode, p.stdout, p.stderr.decode(errors="replace")
        return r


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir="/var/tmp") as tmp:
        vm = Vm(tmp)
        for directory in sys.argv[1:]:
            dump = Dump(directory)
            check(vm, dump)
            if "KMLANALYZE_ASAN" in os.environ:
                damaged(vm, dump)
        sys.exit(vm.checks.done())
