# SPDX-License-Identifier: GPL-2.0-or-later
"""Section "kmemleak" of the VM tests: against the kernel's own kmemleak.

Builds kernels of bookworm and trixie-backports (6.1 and 7.3) with
CONFIG_DEBUG_KMEMLEAK, boots each twice (idle, plant: see scenario-kmemleak) and
asserts, from the dump and the kernel's own report of the same moment,
  - that --kmemleak=show prints that report, entry by entry, byte by byte;
  - that we report every true leak that kmemleak reports, nothing that is live,
    and at least 95 in 100 of the true leaks that it misses (9 in 10 on each
    kernel);
  - that --compare=kmemleak has a reason, and the right one, for each difference.
Writes results-kmemleak.md, next to this file.
"""
import collections, json, mmap, os, random, re, shutil, struct, subprocess

import kmltruth as kml

SUITES = ("bookworm", "trixie-backports")
DAMAGES = 12


def text(ran):
    return ran.out.decode(errors="surrogateescape")


def conforms(vm, name, document):
    """It is what the schema says."""
    with open(os.path.join(vm.here, "..", "..", "schema", "kmlanalyze.schema.json")) as f:
        bad = kml.validate(document, json.load(f))
    vm.checks.ok("%s: as the schema says" % name, not bad, bad)


# ---- the kernel's own report

Entry = collections.namedtuple("Entry", "pointer size comm pid text")


def entries_of(text):
    ret = []
    for part in re.split(r"(?m)^(?=unreferenced object )", text):
        if not part:
            continue
        m = re.match(r'unreferenced object (?:\((?:percpu|phys)\) )?0x([0-9a-f]+) \(size (\d+)\):\n  comm "(.*)", pid (-?\d+)', part)
        ret.append(Entry(int(m[1], 16), int(m[2]), m[3], int(m[4]), part))
    return ret


def is_subsequence(part, whole):
    rest = iter(whole)
    return all(e in rest for e in part)


def show(vm, s):
    """--kmemleak=show is the kernel's report. While the kernel is read, it
    skips entries when others are freed: it is read three times."""
    r = vm.run("--kmemleak=show", s.dump, s.vmlinux)
    ours = entries_of(text(r))
    reads = [entries_of(t) for t in s.reports]
    said = set().union(*reads)
    vm.checks.ok("%s: --kmemleak=show: exit status tells whether anything is reported" % s.name,
              r.status == (1 if ours else 0) and not r.err, str(r))
    for i, r in enumerate(reads):
        vm.checks.ok("%s: all %d entries that the kernel printed, byte by byte and in its order (reading %d)" % (s.name, len(r), i + 1),
                  is_subsequence(r, ours), [e.text for e in r if e not in ours][:2])
    vm.checks.ok("%s: and none that it did not (%d in all)" % (s.name, len(ours)), set(ours) <= said,
              [e.text for e in ours if e not in said][:2])
    r = vm.run("--kmemleak=show", "--format=json", s.dump, s.vmlinux)
    document = json.loads(text(r))
    conforms(vm, s.name + ": --kmemleak=show in JSON", document)
    records = document["records"]
    vm.checks.equal("%s: the same in JSON" % s.name,
                 [(int(r["address"], 16), r["bytes"], r["comm"], r["pid"]) for r in records],
                 [(e.pointer, e.size, e.comm, e.pid) for e in ours])
    out = text(vm.run("--kmemleak=all", "-v", s.dump, s.vmlinux))
    n = {k: int(v.replace(",", "")) for k, v in re.findall(r"(?m)^  (\w[\w: ]*?) {2,}([\d,]+)$", out)}
    colors = collections.Counter(re.findall(r"(?m)^  color = (\w+)", out))
    vm.checks.ok("%s: --kmemleak=all lists %d records: %d white, %d gray, %d black, as counted with -v" % (
        s.name, sum(colors.values()), colors["white"], colors["gray"], colors["black"]),
              sum(colors.values()) == n["objects"] and colors["white"] == n["white"] and colors["gray"] == n["gray"] and
              colors["black"] == n["black: ignored"] and n["objects"] > 5000, str(n))
    # (kmemleak's own count; a cache of its own, early records are static)
    vm.checks.ok("%s: and %d of them are reported" % (s.name, len(ours)), out.count("white, reported") == len(ours))
    return ours


# ---- truth

def sample_truth(console):
    """What the kernel's own sample module did: as kml.Planted. It was loaded
    and unloaded, then loaded again: of the first one everything is leaked."""
    ret, again = [], False
    for line in console.splitlines():
        again |= "LAB: sample again" in line
        m = re.search(r"kmemleak: (\w+)\((.*)\) = (?:0x)?([0-9a-f]{8,16})$", line)
        if not m:
            continue
        what, size = m[1], m[2].split(",")[0]
        live = again and (what == "kzalloc" or size == "129")
        kind = {"vmalloc": "vmalloc", "__alloc_percpu": "percpu"}.get(what, "slab:kmalloc")
        size = 416 if what == "kzalloc" else int(size)
        ret.append(kml.Planted("%s\t%s\tsample.%d.%s.%d\t0x%s\t%d\t%s" % (
            "live" if live else "leak", kind, 2 if again else 1, what, len(ret), m[3], size,
            "holder=sample-module" if live else "")))
    return ret


class Scenario:
    def __init__(self, directory):
        self.dir = directory
        self.name = directory.split("kmemleak-")[-1]
        self.env = dict(line.rstrip("\n").split("=", 1) for line in open(directory + "/kernel.env"))
        self.dump, self.vmlinux = directory + "/dump.elf", self.env["VMLINUX"]
        self.reports = [open("%s/guest/kmemleak%s" % (directory, n), errors="surrogateescape").read() for n in ("", ".2", ".3")]
        self.truth = []
        if os.path.exists(directory + "/truth.tsv"):
            self.truth = kml.load_truth(directory + "/truth.tsv") + sample_truth(open(directory + "/console.log", errors="replace").read())


def held_since(vm, s, missed):
    """Those of @missed that kmemleak reports, and that are held by a word which
    it scans as well: it did not hold them yet when it scanned."""
    if not missed:
        return []
    document = json.loads(text(vm.run("--compare=kmemleak", "--format=json", s.dump, s.vmlinux)))
    reasons = {int(o["address"], 16): o for o in document["objects"]}
    for t in missed:
        vm.checks.note("%s: missed: %s: %s" % (s.name, t, reasons.get(t.addr)))
    return [t for t in missed if t.addr in reasons and reasons[t.addr]["reason"] == "since"]


def verdict(vm, s, theirs, table):
    """Ours and theirs against the truth."""
    r = vm.run("--format=json", s.dump, s.vmlinux)
    report = json.loads(text(r))
    v = kml.Verdict(s.truth, report)
    vm.checks.ok("%s: everything could be read" % s.name, r.status == (1 if v.objects else 0) and not report["gaps"], "%s %s" % (r, report["gaps"]))
    own = kml.Extents(theirs, lambda e: e.pointer, lambda e: e.pointer + max(e.size, 1))

    def they_report(t):
        return any(e.pointer <= t.addr for e in own.overlapping(t.addr, t.addr + 1))

    if not s.truth:
        vm.checks.ok("%s: nothing leaks, and we report nothing" % s.name, not v.objects,
                  ["0x%x %s %s" % (o.addr, o.kind, o.cache) for o in v.objects])
        vm.checks.note("%s: kmemleak reports %d" % (s.name, len(theirs)))
        table.append((s, None, len(theirs), len(v.objects)))
        return v
    kml.judge(vm.checks, s.name, v)
    both = [t for t in v.leaks if they_report(t)]
    missed = [t for t in v.leaks if not they_report(t)]
    held = held_since(vm, s, [t for t in both if t in v.missed])
    vm.checks.ok("%s: all %d true leaks that kmemleak reports%s" % (
        s.name, len(both), ", but %d that words hold which came after its last scan" % len(held) if held else ""),
              both and len(held) <= 2 and all(t in held for t in both if t in v.missed),
              [str(t) for t in both if t in v.missed])
    found = [t for t in missed if v.reported(t)]
    # Words behind a live object's requested size, which 6.1 does not record,
    # hold 5 of the 150 (trap.*-slack), whatever else is in the way.
    vm.checks.ok("%s: at least 9 in 10 of the true leaks that it misses (%d of %d)" % (s.name, len(found), len(missed)),
                 len(found) * 10 >= 9 * len(missed) > 0, [str(t) for t in missed if t not in found])
    wrong = [t for t in v.lives if they_report(t)]
    held = [t for t in v.lives if not they_report(t)]
    vm.checks.ok("%s: of %d live objects kmemleak holds %d, and so do we; it reports %d, we none" % (
        s.name, len(v.lives), len(held), len(wrong)), held and not any(v.reported(t) for t in v.lives))
    sample = [t for t in v.leaks if t.id.startswith("sample.")]
    # (a stale word may hold one of them, as any other)
    lost = [t for t in sample if not v.reported(t)]
    vm.checks.ok("%s: %d of %d leaks of the kernel's own sample module (kmemleak: %d)" % (
        s.name, len(sample) - len(lost), len(sample), sum(map(they_report, sample))), len(sample) >= 38 and len(lost) <= 1,
              [str(t) for t in lost])
    table.append((s, v, (len(v.leaks), len(both), v.found, len(missed), len(found), len(v.lives), len(wrong), len(v.wrong_live()),
                         len(sample), sum(map(they_report, sample)),
                         sum(map(v.reported, sample))), len(v.false_alarms())))
    return v


# ---- both verdicts, side by side

# What has to be the reason, by what was planted.
def expected_reason(t, percpu_tracked):
    if t.kind in ("page", "vmap", "ioremap"):
        return "kind"
    if t.kind == "slab:kml_noleaktrace":
        return "cache"
    if t.kind == "percpu" and not percpu_tracked:
        return "percpu"
    return None


THEY_SAY = ("untracked_holder", "unscanned_holder", "outside_areas", "white_holder", "encoded", "min_count", "since", "own_rule")
WE_SAY = ("young", "unconfirmed", "not_leak", "ignored", "kind", "cache", "percpu", "no_record", "stale_word", "held_by_leak", "gone")


def compare(vm, s, theirs, v):
    r = vm.run("--compare=kmemleak", "--format=json", s.dump, s.vmlinux)
    c = json.loads(text(r))
    conforms(vm, s.name + ": --compare=kmemleak", c)
    objects = c["objects"]
    vm.checks.ok("%s: --compare: exit status as without it" % s.name, r.status == (1 if v.objects else 0) and not r.err, str(r))
    ours = {(o.addr, o.kind == "percpu") for o in v.objects}
    leaked = {(int(o["address"], 16), o["kind"] == "percpu") for o in objects if o["kmlanalyze"] == "leaked"}
    vm.checks.ok("%s: it compares all %d that we report" % (s.name, len(ours)), leaked == ours, sorted(map(hex, (a for a, _ in leaked ^ ours))))
    vm.checks.equal("%s: and all %d that kmemleak reports" % (s.name, len(theirs)),
                 sum(o["kmemleak"] == "reported" for o in objects), len(theirs))
    vm.checks.equal("%s: the table counts what is listed" % s.name,
                 (sum(c["counts"]["leaked"].values()), sum(row["reported"] for row in c["counts"].values()), sum(c["reasons"].values())),
                 (len(ours), len(theirs), len(objects)))
    bad = [o for o in objects if o["reason"] not in
           (("both",) if o["kmlanalyze"] == "leaked" and o["kmemleak"] == "reported" else WE_SAY if o["kmlanalyze"] == "leaked" else THEY_SAY)]
    vm.checks.ok("%s: each has a reason that fits" % s.name, not bad, map(str, bad))
    worded = ("stale_word", "held_by_leak") + THEY_SAY[:-1]
    bad = [o for o in objects if (o["word"] is None) == (o["reason"] in worded)]
    vm.checks.ok("%s: and where a word is the reason, it is named" % s.name, not bad, map(str, bad))
    vm.checks.note("%s: %s" % (s.name, ", ".join("%s %d" % (k, n) for k, n in c["reasons"].items() if n)))
    if not s.truth:
        return c
    planted = kml.Extents([t for t in s.truth if t.truth in ("leak", "live")], lambda t: t.addr, lambda t: t.end)
    percpu_tracked = "percpu" not in {o["reason"] for o in objects}
    vm.checks.equal("%s: per-cpu blocks are reported by this kernel or not" % s.name, percpu_tracked, not s.name.startswith("6.1"))
    bad, n = [], collections.Counter()
    for o in objects:
        a = int(o["address"], 16)
        for t in planted.overlapping(a, a + 1):
            if t.percpu != (o["kind"] == "percpu"):
                continue
            want = expected_reason(t, percpu_tracked) if t.truth == "leak" else None
            n[want] += want is not None
            if want and o["reason"] != want:
                bad.append("%s: %s, not %s" % (t, o["reason"], want))
            if t.truth == "live" and o["reason"] not in THEY_SAY[:-1]:
                bad.append("%s is live, and the reason is %s" % (t, o["reason"]))
    vm.checks.ok("%s: the reasons are those that were planted (%s)" % (s.name, ", ".join("%d %s" % (k, w) for w, k in sorted(n.items(), key=str) if w)),
              not bad and n["kind"] > 50 and n["cache"] > 5, bad)
    # reasons for which kmemleak's state at its scan is gone
    gone = c["reasons"]["gone"]
    # (7.3 scans its sheaves, whose slots are written over within seconds)
    vm.checks.ok("%s: at most 1 in 10 differences has no word left to explain it (%d)" % (s.name, gone), gone * 10 <= len(objects),
                 "of %d" % len(objects))
    return c


def damaged(vm, s, theirs):
    """Its records, torn in many ways, under ASan and UBSan."""
    asan = vm.tool("KMLANALYZE_ASAN", "tests/vm/kmlanalyze-asan")
    environ = dict(vm.env, ASAN_OPTIONS="detect_leaks=1:exitcode=99:allocator_may_return_null=1",
                   UBSAN_OPTIONS="print_stacktrace=1:halt_on_error=1:exitcode=99")
    supp = os.path.join(vm.here, "..", "lsan.supp")
    if os.path.exists(supp):
        environ["LSAN_OPTIONS"] = "suppressions=%s:print_suppressions=0" % supp

    def clean(argv, path):
        r = vm.run(*argv, path, s.vmlinux, exe=asan, environ=environ, timeout=300)
        return r.status in (0, 1, 3, 4) and "anitizer" not in r.err and "runtime error" not in r.err, r

    for argv in (["--kmemleak=all", "-v"], ["--compare=kmemleak", "--format=json", "--stack=off"]):
        good, r = clean(argv, s.dump)
        vm.checks.ok("%s: ASan and UBSan: %s" % (s.name, " ".join(argv)), good and r.status == 1, r.err.splitlines()[:20] or str(r))
    rng = random.Random(int(os.environ.get("KML_VM_SEED", "20261123")))
    path = os.path.join(vm.tmp, "damaged.elf")
    shutil.copyfile(s.dump, path)
    with open(path, "rb") as f:
        whole = f.read()
    # where its records are: their pointers
    places = [i for e in rng.sample(theirs, 40) for i in [whole.find(struct.pack("<Q", e.pointer))] if i > 4096]
    bad, statuses = [], collections.Counter()
    with open(path, "r+b") as f:
        for n in range(DAMAGES):
            hit = []
            for at in rng.sample(places, rng.choice((1, 5, 20))):
                at = (at & ~7) + rng.randrange(-16, 12) * 8
                other = rng.choice(places) & ~7
                hit.append(at)
                f.seek(at)
                f.write(rng.choice((b"\xff" * 8, bytes(8), rng.randbytes(8), bytes(whole[other:other + 8]), bytes(whole[at - 8:at]))))
            f.flush()
            good, r = clean(rng.choice((["--kmemleak=show"], ["--kmemleak=all"], ["--compare=kmemleak"])), path)
            statuses[r.status] += 1
            if not good:
                bad += ["damage %d:" % n] + (r.err.splitlines()[:20] or [str(r)])
            for at in hit:
                f.seek(at)
                f.write(whole[at:at + 8])
    os.unlink(path)
    vm.checks.ok("%s: %d damages around its records: a documented exit status each (%s), no sanitizer report" % (
        s.name, DAMAGES, ", ".join("%s: %d" % x for x in sorted(statuses.items()))), len(places) > 20 and not bad, bad)


def named(vm, s):
    """The memory of init code is given away when it has run: a stack that it
    is in may name data of the module that came next. The kernel does so, and
    so does --kmemleak; who allocated an object it does not tell."""
    console = open(s.dir + "/console.log", errors="replace").read()
    names = re.findall(r"KMLNAME (code|data) 0x([0-9a-f]+) (\S+ \[kmlplant\])\s", console)
    vm.checks.ok("%s: the kernel has named code and data of a module" % s.name, len(names) == 5, names)
    # (at least that of kmlplant itself: nothing is loaded after it)
    frames = {int(x, 16) for x in re.findall(r"(?m)^ *called by (0x[0-9a-f]{16}), init code", text(vm.run(s.dump, s.vmlinux)))}
    if not vm.checks.ok("%s: stacks lead through init code that is gone" % s.name, frames):
        return
    path = os.path.join(vm.tmp, "named.elf")
    shutil.copyfile(s.dump, path)
    with open(path, "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
        gone = {struct.pack("<Q", x) for x in frames}
        places = {x: [at.start() for at in re.finditer(re.escape(x), m)] for x in gone}
        for kind, va, name in names:
            for x in gone:
                for at in places[x]:
                    m[at:at + 8] = struct.pack("<Q", int(va, 16))
            out = text(vm.run("--kmemleak=show", path, s.vmlinux))
            vm.checks.ok("%s: --kmemleak=show names %s as the kernel does: %s" % (s.name, kind, name),
                         re.search(r"(?m)^    (?:\[<%s>\] )?%s$" % (va, re.escape(name)), out), out[:1500])
            out = text(vm.run(path, s.vmlinux))
            called = re.findall(r"(?m)called by (%s\b.*|0x%s\b.*)$" % (re.escape(name.split("/")[0]), va), out)
            vm.checks.ok("%s: and who allocated it is %s" % (s.name, "there" if kind == "code" else "gone"),
                         called and all(("gone" in c) == (kind == "data") for c in called), called)
    os.unlink(path)


# ---- all of it

def write_results(vm, table):
    with open(os.path.join(vm.here, "results-kmemleak.md"), "w") as f:
        f.write("<!-- SPDX-License-Identifier: GPL-2.0-or-later -->\n<!-- written by tests/vm/run kmemleak (make check-vm) -->\n"
                "# kmlanalyze and the kernel's own kmemleak\n\n"
                "Kernels built from Debian's linux-source with CONFIG_DEBUG_KMEMLEAK, 2 CPUs, 512 MiB; kmemleak scanned twice;\n"
                "its report and the dump are of the same moment. The leaks are those of the kernel's own sample module,\n"
                "unloaded and loaded again, and of tests/vm/plant.\n\n"
                "| kernel, scenario | true leaks | kmemleak reports | kmlanalyze reports | of those that kmemleak misses | "
                "live objects | kmemleak reports | kmlanalyze reports | sample module: leaks, kmemleak, kmlanalyze | "
                "false alarms of kmlanalyze in the whole kernel |\n|---|---|---|---|---|---|---|---|---|---|\n")
        for s, v, n, alarms in table:
            if v is None:
                f.write("| %s (%s) | 0 | %d | %d | - | - | - | - | - | %d |\n" % (s.name, s.env["VERSION"], n, alarms, alarms))
            else:
                f.write("| %s (%s) | %d | %d | %d (%.1f %%) | %d of %d | %d | %d | %d | %d, %d, %d | %d |\n" % (
                    s.name, s.env["VERSION"], n[0], n[1], n[2], 100 * n[2] / n[0], n[4], n[3], n[5], n[6], n[7], n[8], n[9], n[10],
                    alarms))


def run(vm, table):
    mine = []
    for suite in SUITES:
        p = subprocess.run([vm.here + "/scenario-kmemleak"] + ([] if vm.reuse else ["-f"]) +
                           ["-s", suite, "-o", vm.dumps, "plant", "idle"], stdout=subprocess.PIPE, text=True)
        dirs = re.findall(r"(?m)^(/\S+)", p.stdout)
        if not vm.checks.ok("kmemleak: the kernel of %s is built and booted" % suite, p.returncode == 0 and len(dirs) == 2,
                            p.stdout.splitlines()[-20:]):
            continue
        for d in dirs:
            s = Scenario(d)
            theirs = show(vm, s)
            v = verdict(vm, s, theirs, mine)
            compare(vm, s, theirs, v)
            if s.truth:
                named(vm, s)
                damaged(vm, s, theirs)
            if not vm.reuse:
                shutil.rmtree(d)
    missed, found = (sum(n[i] for s, v, n, alarms in mine if v) for i in (3, 4))
    vm.checks.ok("kmemleak: of the true leaks that it misses at least 95 in 100 on all kernels together (%d of %d)" % (found, missed),
                 found * 100 >= 95 * missed > 0)
    if len(mine) == 2 * len(SUITES):
        write_results(vm, mine)
