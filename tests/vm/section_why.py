# SPDX-License-Identifier: GPL-2.0-or-later
"""Section "why" of the VM tests: who allocated it, what it is, who holds it.

Dumps of guests in which memory is held and never given back, references are
forgotten, and leaks come from known functions (hold/): of stock kernels, of
one with slub_debug=U, of one with page_owner and allocation tags, of one with
KASAN as well (KML_VM_MATRIX=1). First drgn
and the kernel's own records say that what the module logged is so; then
kmlanalyze is asked.
"""
import collections, copy, importlib, json, os, re, subprocess

import kmltruth as kml
import snapshotchecks

# (scenario's script and options, suite, scenario); what is in MATRIX: with KML_VM_MATRIX=1.
BOOTS = (("scenario", "bookworm", "hold"), ("scenario", "trixie-backports", "hold-track"),
         ("scenario-owner", "trixie-backports", "hold"))
MATRIX = (("scenario", "trixie-backports", "hold"), ("scenario", "bookworm", "hold-track"),
          ("scenario-owner", "bookworm", "hold"), ("scenario", "bullseye", "hold"), ("scenario", "trixie", "hold"),
          ("scenario-owner -b kasan", "trixie", "hold"))
# each has check(vm, scenario)
CHECKS = ("accumulationchecks", "sitechecks", "typechecks")
# Asked for of the dump and of its snapshot.
SHOWN = ("conn.7", "session.user.11", "blob.3", "note.17", "dir.0", "job.1")


class Dump(str):
    """The path of the ELF dump; called with a format: the files of that."""
    def __call__(self, fmt):
        return ["%s.%s" % (self[:-len(".elf")], fmt)]


class Scenario:
    def __init__(self, directory):
        self.dir = directory
        self.name = os.path.basename(directory)
        self.env = dict(line.rstrip("\n").split("=", 1) for line in open(directory + "/kernel.env"))
        self.vmlinux = self.env["VMLINUX"]
        self.dump = Dump(directory + "/dump.elf")
        self.elf = directory + "/dump.elf"
        self.truth = kml.load_truth(directory + "/truth.tsv")
        self.tracked = "slub_debug=U" in self.guest("cmdline")

    def guest(self, name):
        path = os.path.join(self.dir, "guest", name)
        return open(path, errors="replace").read() if os.path.exists(path) else ""

    def of(self, truth):
        return [t for t in self.truth if t.truth == truth]

    def sample(self):
        """The same with every twentieth of those objects of which there are
        thousands: JSON of them all takes minutes to validate."""
        few = copy.copy(self)
        n = collections.Counter(t.id.rsplit(".", 1)[0] for t in self.truth)
        few.truth = [t for t in self.truth if n[t.id.rsplit(".", 1)[0]] < 200 or int(t.id.rsplit(".", 1)[1]) % 20 == 0]
        return few


def boot(vm, script, suite, name):
    script, *options = script.split()
    argv = [os.path.join(vm.here, script), *options, "-s", suite, "-o", vm.dumps] + ([] if vm.reuse else ["-f"])
    argv += ["-q"] if script == "scenario" else []
    p = subprocess.run(argv + [name], capture_output=True, text=True)
    found = re.findall(r"^(/\S*-%s)(?: \(there already\))?$" % name, p.stdout, re.M)
    good = p.returncode == 0 and found
    vm.checks.ok("%s %s, %s: a kernel boots, and is dumped" % (script, suite, name), good,
                 (p.stdout + p.stderr).splitlines()[-30:])
    return Scenario(found[0]) if good else None


# ---- is the truth true?

def witness(vm, s):
    """drgn walks the structures, and counts."""
    drgn = subprocess.run([vm.here + "/fetch-drgn"], capture_output=True, text=True)
    if not vm.checks.ok("%s: drgn is there" % s.name, drgn.returncode == 0, drgn.stderr):
        return
    p = subprocess.run([drgn.stdout.strip(), "-q", "-c", s.elf, "-s", s.vmlinux, "-s", s.dir + "/kmlhold.ko",
                        vm.here + "/holdwitness.py", s.dir + "/truth.tsv"], capture_output=True, text=True)
    lines = p.stdout.splitlines()
    bad = [x for x in lines if not x.startswith(("ok ", "#"))]
    vm.checks.ok("%s: drgn finds what was planted, as many and as logged (%d things)" % (
        s.name, sum(x.startswith("ok ") for x in lines)), p.returncode == 0 and len(lines) > 40 and not bad,
                 bad + p.stderr.splitlines()[-10:])


def kernel_says(vm, s):
    """The kernel's own records of who allocated what."""
    tags = s.guest("allocinfo")
    if tags:
        sites_by_tags(vm, s, tags)
    if s.guest("page_owner"):
        sites_by_page_owner(vm, s)
    if s.guest("alloc_traces"):
        sites_by_traces(vm, s)


def sites_by_tags(vm, s, text):
    """Each place of the module has as many objects as were logged there. (A
    vmalloc area's pages are counted as well, one by one; per-cpu blocks of the
    first chunk have no tag, ioremap allocates nothing.)"""
    theirs = {}
    for m in re.finditer(r"(?m)^ *(\d+) +(\d+) (\S+):(\d+) \[kmlhold\] func:(\S+)", text):
        theirs[os.path.basename(m[3]), int(m[4]), m[5]] = int(m[2])
    ours = collections.Counter((t.extra["file"], int(t.extra["line"]), t.extra["site"]) for t in s.truth
                               if "line" in t.extra and "via" not in t.extra and t.truth in ("leak", "live") and
                               t.kind.startswith(("slab:", "large", "page")))
    bad = ["%s: %d logged, %s by allocinfo" % (k, n, theirs.get(k)) for k, n in ours.items() if theirs.get(k) != n]
    vm.checks.ok("%s: /proc/allocinfo has the same counts for all %d places" % (s.name, len(ours)), len(ours) >= 30 and not bad, bad)


def sites_by_page_owner(vm, s):
    """pfn -> functions"""
    records = {}
    for part in s.guest("page_owner").split("\n\n"):
        m = re.search(r"PFN (0x[0-9a-f]+|\d+)", part)
        order = re.match(r"Page allocated via order (\d+)", part)
        if m and order:
            for i in range(1 << int(order[1])):
                records[int(m[1], 0) + i] = set(re.findall(r"(?m)^ (\w+)[.\w]*\+0x", part))
    pages = [t for t in s.truth if t.kind in ("page", "large") and "via" not in t.extra and "site" in t.extra and t.truth in ("leak", "live")]
    # (the direct map begins at a multiple of 1 GiB, and the guest has less)
    offset = pages[0].addr >> 30 << 30
    bad = ["%s, of %s: %s" % (t, t.extra["site"], sorted(records.get((t.addr - offset) // kml.PAGE, ()))[:8]) for t in pages
           if t.extra["site"] not in records.get((t.addr - offset) // kml.PAGE, ())]
    vm.checks.ok("%s: page_owner names the logged function for all %d page blocks" % (s.name, len(pages)), len(pages) > 300 and not bad, bad)


def sites_by_traces(vm, s):
    """SLUB's counts of stacks: as many objects from a function as were logged."""
    theirs = collections.Counter()
    for m in re.finditer(r"(?m)^ *(\d+) (\S.*)\n((?: {8}\S.*\n)*)", s.guest("alloc_traces")):
        for f in set(re.findall(r"(\w+)[.\w]*\+0x[0-9a-f]+/0x[0-9a-f]+ \[kmlhold\]", m[2] + m[3])):
            theirs[f] += int(m[1])
    ours = collections.Counter(t.extra["site"] for t in s.truth if t.kind.startswith("slab:") and "site" in t.extra and
                               t.truth in ("leak", "live") and "via" not in t.extra)
    # (what else a function has allocated by way of others is not logged)
    bad = ["%s: %d logged, %d by alloc_traces" % (f, n, theirs[f]) for f, n in ours.items() if theirs[f] < n]
    vm.checks.ok("%s: SLUB's traces name all %d functions, with as many objects" % (s.name, len(ours)), len(ours) >= 20 and not bad, bad)


# ---- the leaks are found, what is held is not reported

def judged(vm, s):
    s.report, ran = vm.report(s.elf, s.vmlinux)
    if not s.report:
        return False
    s.verdict = kml.Verdict(s.truth, s.report)
    vm.checks.ok("%s: exit status 1" % s.name, ran.status == 1, str(ran))
    kml.judge(vm.checks, s.name, s.verdict)
    s.words = {}
    if s.verdict.missed:
        kml.judge_missed(vm.checks, s.name, s.verdict, vm.words_of(s), marks_pages=not s.name.startswith("stock-5.10"))
    groups(vm, s)
    return True


def quarantine(vm, s):
    """Each object that drgn finds on the lists of KASAN's quarantine is there, and no other slab object."""
    drgn = subprocess.run([vm.here + "/fetch-drgn"], capture_output=True, text=True).stdout.strip()
    p = subprocess.run([drgn, "-q", "-c", s.elf, "-s", s.vmlinux, vm.here + "/quarantine.py"], capture_output=True, text=True)
    n = len(set(p.stdout.split()))
    said = subprocess.run([vm.program, "whatis", "-", s.elf, s.vmlinux], input=p.stdout, capture_output=True, text=True, env=vm.env)
    bad = [x for x in said.stdout.splitlines() if not re.search(r" \+0x0\b.*, quarantined$", x)]
    total = s.report["objects"]["slab"]["quarantined"]["objects"]
    vm.checks.ok("%s: as drgn says, %d objects are in KASAN's quarantine" % (s.name, n),
                 n > 1000 and total == n and len(said.stdout.splitlines()) >= n and not bad, bad[:20] or "%d: %s" % (total, p.stderr[-300:]))


def groups(vm, s):
    """A leaked structure is one leak: its root, all the rest behind it, all of
    its bytes."""
    leaks = kml.report_leaks(s.report)
    at = {int(x["address"], 16): leak for leak in leaks for x in [leak] + leak["followers"]}
    for t in s.of("group"):
        leak = at.get(t.addr)
        if not vm.checks.ok("%s: %s leaks" % (s.name, t.id), leak, "0x%x is not reported" % t.addr):
            continue
        objects = 1 + len(leak["followers"])
        size = leak["bytes"] + sum(f["bytes"] for f in leak["followers"])
        # slots carry their tracks as well, ksize() does not say
        vm.checks.ok("%s: %s is one leak of %s objects, %d bytes" % (s.name, t.id, t.extra["objects"], t.size),
                     objects == int(t.extra["objects"]) and (size == t.size or s.tracked and size >= t.size * 9 // 10),
                     "%d objects, %d bytes" % (objects, size))


# ---- the first screen: type, site, holder, exact counts and bytes

def slots(s):
    """cache -> bytes of an object, as the guest's sysfs says (with aliases)."""
    ret, alias = {}, {}
    rows = [line.split("\t") for line in s.guest("slab.tsv").splitlines()]
    column = rows[0].index("object_size")
    for row in rows[1:]:
        if row[1] == "alias":
            alias[row[0]] = row[2].split("/")[-1]
        else:
            ret[row[0]] = int(row[column])
    ret.update((name, ret[to]) for name, to in alias.items() if to in ret)
    return ret


def kinds(t, sizes):
    """{cache or kind: (objects, bytes)} of an accum or group; of caches what an
    object is, not what its slot takes."""
    ret = {}
    for k in t.extra["kinds"].split(","):
        name, objects, size = k.split(":")
        was = ret.get(name, (0, 0))
        ret[name] = was[0] + int(objects), was[1] + (int(objects) * sizes[name] if name in sizes else int(size))
    return ret


# What `top` calls what hold/ calls by other names.
FAMILIES = {"page": "page block", "large": "page block", "vmalloc": "vmalloc area", "percpu": "per-cpu block"}
LARGE = 2 << 20         # an accumulation this large has to be on the first screen


def families(t, sizes):
    ret = {}
    for name, (objects, size) in kinds(t, sizes).items():
        name = FAMILIES.get(name, name)
        was = ret.get(name, (0, 0))
        ret[name] = was[0] + objects, was[1] + size
    return ret


def accumulations(vm, s):
    """Each has one point, named by its variable, of as many objects and bytes
    as were planted, kind by kind."""
    sizes = slots(s)
    document, ran = vm.report("top", "--limit=0", s.elf, s.vmlinux)
    if not document:
        return
    points = document["accumulation"]["points"]
    for t in accums(s):
        mine = [p for p in points if p["kind"] == "held" and names(p["steps"][0], t)]
        what = "%s: %s, held by %s%s" % (s.name, t.id, t.extra["variable"], " of CPU " + t.extra["cpu"] if "cpu" in t.extra else "")
        if not mine and t.size < LARGE:
            # one stale word into a tree is enough
            vm.checks.note(what + ", has other holders as well")
            continue
        if not vm.checks.ok(what + ", is an accumulation point", len(mine) == 1, ["%s" % p["steps"] for p in mine] or "none of %d" % len(points)):
            continue
        got = collections.defaultdict(lambda: (0, 0))
        for f in mine[0]["of_which"]: # a cache may have several types
            name = f.get("cache", f["name"])
            got[name] = (got[name][0] + f["objects"], got[name][1] + f["bytes"])
        want = families(t, sizes)
        # an area has a vm_struct and an array of its pages
        more = 2 * want.get("vmalloc area", (0, 0))[0]
        extra = mine[0]["objects"] - int(t.extra["objects"])
        bad, lost = [], 0
        for name, (objects, size) in want.items():
            have = got.get(name, (0, 0))
            # a stale word elsewhere may hold a few as well: then none of both retains them
            few = objects - have[0] in range(1, 1 + objects // 200) and (objects - have[0]) * size == (size - have[1]) * objects
            lost += objects - have[0] if few else 0
            if have != (objects, size) and not few and not (more and have[0] - objects in range(1, more + 1)):
                bad.append("%s: %s, planted %s" % (name, have, (objects, size)))
        extra += lost
        if lost:
            vm.checks.note("%s: %d of its objects have another holder as well" % (what, lost))
        vm.checks.ok("%s: of %d objects in %d kinds as planted, and their bytes" % (what, int(t.extra["objects"]), len(want)),
                     not bad and 0 <= extra <= more, bad + ["%d objects, %d bytes" % (mine[0]["objects"], mine[0]["bytes"])])
        if first_screen(s, t):
            vm.checks.ok("%s: is among the first ten" % what, points.index(mine[0]) < 10, "number %d" % points.index(mine[0]))
    text = vm.run("top", s.elf, s.vmlinux).out.decode()
    bad = [t.id for t in accums(s) if first_screen(s, t) and
           not re.search(r"(?m)^\d+\. .*variable %s(\+0x[0-9a-f]+)?( of CPU %s)? in module kmlhold retains " % (
               t.extra["variable"], t.extra.get("cpu", "")), text)]
    vm.checks.ok("%s: top names each by its variable on the line that begins it" % s.name, not bad, bad)


def first_screen(s, t):
    """(A kernel with page_owner has tables of its own as large as these.)"""
    return t.size >= LARGE and s.name.startswith("stock-")


def accums(s):
    return sorted(s.of("accum"), key=lambda t: -t.size)


def names(step, t):
    return step.get("name") == t.extra["variable"] and step.get("module") == t.extra["module"] and (
        "cpu" not in t.extra or step.get("cpu") == int(t.extra["cpu"]))


# ---- who holds it

# What alone refers to a payload, and by which variable both are reached.
OWNERS = {"conn.name": ("conn", "kml_conns"), "conn.buf": ("conn", "kml_conns"), "session.user": ("session", "kml_sessions"),
          "flow.stat.1": ("flow.1", "kml_pools"), "flow.stat.0": ("flow.0", "kml_pools"), "blob.data": ("blob", "kml_blobs"),
          "req.page": ("req", "kml_the_device"), "route.dev": ("route", "kml_routes"), "backlog.head": ("backlog.skb", "kml_backlog"),
          "backlog.frag": ("backlog.head", "kml_backlog")}


def holders(vm, s):
    """refs: the object that has it, and no other; path: the variable."""
    at = {t.id: t.addr for t in s.truth}
    asked = []
    for payload, (owner, variable) in OWNERS.items():
        n = sum(i.startswith(payload + ".") and i[len(payload) + 1:].isdigit() for i in at)
        asked += [("%s.%d" % (payload, i), "%s.%d" % (owner, i), variable) for i in range(0, n, max(n // 20, 1))]
    where = ["0x%x" % at[x] for x, _, _ in asked]
    document, _ = vm.report("refs", *where, s.elf, s.vmlinux)
    bad = []
    for (x, owner, _), said in zip(asked, document["addresses"] if document else ()):
        got = [r["object"] for r in said["object"]["references"]] if said["object"] else "no object"
        if set(got) != {"0x%016x" % at[owner]}:     # (an sk_buff has head and data)
            bad.append("%s: %s, not 0x%x" % (x, got, at[owner]))
    vm.checks.ok("%s: refs: each of %d payloads is referred to by its owner alone" % (s.name, len(asked)), document and len(asked) > 150 and not bad, bad)
    document, _ = vm.report("path", *where, s.elf, s.vmlinux)
    wrong, other, last = [], [], []
    for (x, owner, variable), said in zip(asked, document["addresses"] if document else ()):
        links = [k["holder"] for k in said["object"]["links"]] if said["object"] else []
        if not links or said["object"]["links"][-1]["object"] != "0x%016x" % at[owner]:
            last.append("%s: %s, not %s" % (x, links[-1:], owner))
        roots = [i for i, k in enumerate(links) if re.search(r"(^|variable )%s(\+0x[0-9a-f]+)?( of CPU \d)? \[kmlhold\]" % variable, k)]
        # (a module's per-cpu variables are an allocation, which the module holds)
        if not roots or roots[0] > ("per-cpu" in links[roots[0]]):
            passing = links and said["object"]["links"][0]["kind"] in ("task stack", "interrupt stack", "register")
            (other if links and not passing and "[kmlhold]" not in links[0] else wrong).append("%s: %s, not %s" % (x, links[:3], variable))
    vm.checks.ok("%s: path: the last link of each is the owner" % s.name, document and not last, last)
    # A stale word may be nearer to the middle of a long list: of an rcu_head that
    # has been served. Never a stack's, as the variable leads to all of them.
    vm.checks.ok("%s: path: of %d all but %d begin at the variable that holds it, none at another of the module" % (
        s.name, len(asked), len(other)), document and not wrong and len(other) * 4 < len(asked), wrong + other)
    for start in sorted({x.split("'")[1] for x in other}):
        vm.checks.note("%s: path: nearer than the variable: %s" % (s.name, start))


# ---- tables that have no name but their variable's

def tables(vm, s):
    """Hash tables of the boot allocator, and of the page allocator: refs and
    whatis say which variable points to them, as drgn knows."""
    drgn = subprocess.run([vm.here + "/fetch-drgn"], capture_output=True, text=True).stdout.strip()
    p = subprocess.run([drgn, "-q", "-c", s.elf, "-s", s.vmlinux, vm.here + "/tablewitness.py"], capture_output=True, text=True)
    asked, heads = [], []
    for line in p.stdout.splitlines():
        name, at, size, *some = line.split()
        at = int(at, 16)
        asked += [(name, at + offset, offset) for offset in (0, int(size) // 2 + 8, int(size) - 8)]
        heads += [(name, int(w.split("=")[0], 16), w.split("=")[1]) for w in some]
    if not vm.checks.ok("%s: drgn knows the hash tables" % s.name, p.returncode == 0 and len({a[0] for a in asked}) == 4, p.stdout + p.stderr):
        return
    document, _ = vm.report("whatis", *("0x%x" % va for _, va, _ in asked), s.elf, s.vmlinux)
    bad = ["%s+0x%x: %s" % (name, offset, said["text"]) for (name, _, offset), said in zip(asked, document["addresses"])
           if not re.search(r" behind %s, \+0x%x,| \+0x%x.* behind %s$" % (name, offset, offset, name), said["text"])]
    vm.checks.ok("%s: whatis: %d addresses in 4 tables, by the variables that point to them" % (s.name, len(asked)), not bad, bad)
    document, _ = vm.report("refs", *(to for _, _, to in heads), s.elf, s.vmlinux)
    bad = ["%s+0x%x -> %s: %s" % (name, offset, to, [r["holder"] for r in said["object"]["references"]]) for (name, offset, to), said in
           zip(heads, document["addresses"]) if not any(re.search(r" behind %s, \+0x%x$| \+0x%x, behind %s$" % (name, offset, offset, name), r["holder"])
                                                         for r in said["object"]["references"])]
    vm.checks.ok("%s: refs: %d objects that are first in a hash chain, by table and word" % (s.name, len(heads)), len(heads) >= 10 and not bad, bad)


# ---- the first screen of a leak

# group -> the function that allocated its root, and what that is
GROUPS = {"notes": ("kml_new_book", "kml_log_book"), "dirs": ("kml_new_dir", "kml_dir")}


def leak_text(vm, s):
    """What stands above the first address of a leaked structure: all of its
    objects, who allocated it where that is known, and what it may be: by the
    one of a list that heads it, though any of them could stand for all."""
    text = vm.run("--modules=%s/kmlhold.ko" % s.dir, s.elf, s.vmlinux).out.decode(errors="replace")
    known = s.tracked or s.guest("allocinfo")
    for t in s.of("group"):
        n = int(t.extra["objects"]) - 1
        parts = [x for x in re.split(r"(?m)^(?=\d+\. )", text) if re.match(r".* indirect in {:,} objects\n".format(n), x)]
        if not vm.checks.ok("%s: %s: one group of leaks with %d objects behind its root" % (s.name, t.id, n), len(parts) == 1, str(len(parts))):
            continue
        head = parts[0].split("\n\n")[0]
        vm.checks.ok("%s: %s: ... %s" % (s.name, t.id, "with the function that allocated it" if known else "by nobody that is known"),
                     bool(re.search(r"allocated by .*\b%s\b" % GROUPS[t.id][0], head)) == bool(known), head.splitlines()[:8])
        vm.checks.ok("%s: %s: ... and perhaps a struct %s" % (s.name, t.id, GROUPS[t.id][1]),
                     re.search(r"(?m)^    (perhaps |probably |)struct %s: " % GROUPS[t.id][1], head), head.splitlines()[:8])


# ---- all of it

def run(vm, table):
    checks = [importlib.import_module(module) for module in CHECKS]
    for script, suite, name in BOOTS + (MATRIX if os.environ.get("KML_VM_MATRIX") == "1" else ()):
        s = boot(vm, script, suite, name)
        if not s:
            continue
        witness(vm, s)
        kernel_says(vm, s)
        if not judged(vm, s):
            continue
        if s.name.startswith("kasan-"):
            quarantine(vm, s)
        accumulations(vm, s)
        holders(vm, s)
        tables(vm, s)
        leak_text(vm, s)
        for module in checks:
            module.check(vm, s.sample())
        some = [next(t for t in s.truth if t.id == i) for i in SHOWN]
        snapshotchecks.check(vm, s, [t.addr for t in some])
