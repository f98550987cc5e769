# SPDX-License-Identifier: GPL-2.0-or-later
"""What kmlanalyze said against what is true (shared by tests/golden and tests/vm).

truth.tsv        what was planted (tests/vm/plant/kmlplant.h says how it reads)
words.tsv        the words of the dump that point into it (tests/vm/stalewords.py)
slabinfo & co.   what the guest's kernel said of itself
"""
import bisect, collections, json, os, re, struct, zlib

PAGE = 4096


class Checks:
    """Named checks, printed as they are made; nothing is skipped."""

    def __init__(self):
        self.passed, self.failed = 0, []

    def ok(self, name, good, detail=""):
        """@detail: a line, or lines, said if it is not good."""
        print("%s - %s" % ("ok" if good else "not ok", name), flush=True)
        if good:
            self.passed += 1
        else:
            self.failed.append(name)
            lines = [detail] if isinstance(detail, str) else list(detail)
            for line in lines[:30]:
                print("#   " + str(line), flush=True)
            if len(lines) > 30:
                print("#   ... %d more" % (len(lines) - 30), flush=True)
        return good

    def equal(self, name, got, want):
        return self.ok(name, got == want, "%s, expected %s" % (got, want))

    def note(self, text):
        print("# " + text, flush=True)

    def done(self):
        for name in self.failed:
            print("failed: " + name)
        print("%d checks passed, %d failed" % (self.passed, len(self.failed)))
        return 1 if self.failed or not self.passed else 0


# ---- truth

class Planted:
    def __init__(self, line):
        f = line.rstrip("\n").split("\t")
        self.truth, self.kind, self.id = f[:3]
        self.addr, self.size = int(f[3], 16), int(f[4])
        self.extra = dict(x.split("=", 1) for x in f[5].split() if "=" in x)
        self.root = self.extra.get("root")
        self.cycle = "cycle" in self.extra
        self.percpu = self.kind == "percpu"
        self.interior = "interior" in self.extra
        bytes_ = self.size
        if self.kind in ("vmalloc", "vmap", "ioremap", "page", "large"):
            bytes_ = (bytes_ + PAGE - 1) // PAGE * PAGE
        self.end = self.addr + max(bytes_, 1)

    def __str__(self):
        return "%s %s at 0x%x (%d)" % (self.id, self.kind, self.addr, self.size)


def allocated_state(planted):
    """What `show` has to call a planted object that is not free."""
    queued = planted.extra.get("holder", "").split(".")[0] in ("call_rcu", "kfree_rcu", "kvfree_rcu")
    return "waiting for RCU" if queued and not planted.id.endswith(".payload") else "allocated"


def load_truth(path):
    with open(path) as f:
        return [Planted(line) for line in f if line[0] != "#"]


class Extents:
    """Objects that do not overlap, by address.  Per-cpu pointers are numbers
    of their own and cannot be taken for addresses."""

    def __init__(self, items, start, end):
        self.items = sorted(items, key=start)
        self.starts = [start(i) for i in self.items]
        self.end = end

    def overlapping(self, a, b):
        i = max(bisect.bisect_right(self.starts, a) - 1, 0)
        while i < len(self.items) and self.starts[i] < b:
            if self.end(self.items[i]) > a:
                yield self.items[i]
            i += 1


# ---- what kmlanalyze reported

Object = collections.namedtuple("Object", "addr bytes kind cache root")


def report_objects(report):
    """All leaked objects of a JSON report; root: the leak root's address."""
    ret = []
    for leak in report_leaks(report):
        a = int(leak["address"], 16)
        ret.append(Object(a, leak["bytes"], leak["kind"], leak.get("cache"), a))
        for f in leak["followers"]:
            ret.append(Object(int(f["address"], 16), f["bytes"], f["kind"], f.get("cache"), a))
    return ret


def report_leaks(report):
    return [leak for group in report["leaks"]["groups"] for leak in group["leaks"]]


class Verdict:
    """Compare a report with the truth."""

    def __init__(self, truth, report):
        self.truth = truth
        self.objects = report_objects(report)
        leaky = [t for t in truth if t.truth in ("leak", "hidden")]
        self.leaky = Extents(leaky, lambda t: t.addr, lambda t: t.end)
        self.live = Extents([t for t in truth if t.truth == "live"], lambda t: t.addr, lambda t: t.end)
        self.freed = Extents([t for t in truth if t.truth == "freed"], lambda t: t.addr, lambda t: t.end)
        self.leaks = [t for t in truth if t.truth == "leak"]
        self.lives = [t for t in truth if t.truth == "live"]
        self.said = Extents(self.objects, lambda o: o.addr, lambda o: o.addr + max(o.bytes, 1))
        self.planted_of = {o: list(self.leaky.overlapping(o.addr, o.addr + max(o.bytes, 1)))
                           for o in self.objects}
        self.missed = [t for t in self.leaks if not self.reported(t)]
        self.found = len(self.leaks) - len(self.missed)

    def reported(self, t):
        return any(o.addr <= t.addr for o in self.said.overlapping(t.addr, t.addr + 1))

    def wrong_live(self):
        return [(o, t) for o in self.objects
                for t in self.live.overlapping(o.addr, o.addr + max(o.bytes, 1))]

    def wrong_freed(self):
        """Slots freed by the module; planted into again is another matter."""
        return [(o, t) for o in self.objects if not self.planted_of[o]
                for t in self.freed.overlapping(o.addr, o.addr + max(o.bytes, 1))]

    def false_alarms(self):
        """Reported though not planted, and not behind what was planted."""
        roots = {o.addr for o in self.objects if o.addr == o.root and self.planted_of[o]}
        return [o for o in self.objects if not self.planted_of[o] and o.root not in roots]

    def wrong_roots(self):
        """Structures folded wrongly: what should follow another reported
        object stands as a leak root of its own, or a cycle has two."""
        root_of = {}
        for o in self.objects:
            for t in self.planted_of[o]:
                root_of[t.id] = o.root
        bad = []
        cycles = collections.defaultdict(set)
        for o in self.objects:
            if o.addr != o.root:
                continue
            for t in self.planted_of[o]:
                if t.cycle:
                    cycles[t.root or t.id].add(o.addr)
                elif t.root in root_of and root_of[t.root] != o.addr:
                    bad.append("%s is a leak root, and so is %s that holds it" % (t, t.root))
        for name, roots in cycles.items():
            if len(roots) > 1:
                bad.append("cycle %s has %d leak roots" % (name, len(roots)))
        return bad

    def wrong_extents(self):
        """Reported with another size than there is.  (Of a split allocation a
        page in the middle may look like the first of another.)"""
        bad = []
        for o in self.objects:
            for t in self.planted_of[o]:
                if t.extra.get("alloc") == "exact" and t.addr <= o.addr and o.addr + o.bytes <= t.end:
                    continue
                if t.addr != o.addr and not (t.interior and o.addr < t.addr):
                    bad.append("%s is reported at 0x%x" % (t, o.addr))
                elif t.kind in ("vmalloc", "vmap", "ioremap", "page") and t.end - t.addr != o.bytes:
                    bad.append("%s is reported with %d bytes" % (t, o.bytes))
                # (a task_struct ends with the FPU's state, as large as the CPU
                # wants it: sizeof says nothing)
                elif o.bytes < t.size and t.kind != "slab:task_struct":
                    bad.append("%s is reported with only %d bytes" % (t, o.bytes))
        return bad


def judge(checks, where, verdict, table=None):
    """The checks of a report that need nothing but the truth."""
    v = verdict
    checks.ok("%s: no planted live object is reported" % where, not v.wrong_live(),
              ["%s: reported at 0x%x" % (t, o.addr) for o, t in v.wrong_live()])
    checks.ok("%s: no freed object is reported" % where, not v.wrong_freed(),
              ["%s: reported at 0x%x" % (t, o.addr) for o, t in v.wrong_freed()])
    alarms = v.false_alarms()
    checks.ok("%s: not one false alarm" % where, not alarms,
              ["0x%x %s %d bytes%s" % (o.addr, o.kind, o.bytes, " " + o.cache if o.cache else "") for o in alarms])
    checks.ok("%s: structures are one leak each, under their root" % where, not v.wrong_roots(), v.wrong_roots())
    checks.ok("%s: addresses and sizes are right" % where, not v.wrong_extents(), v.wrong_extents())
    checks.ok("%s: at most 1 in 50 planted leaks is missed (%d of %d found)" % (where, v.found, len(v.leaks)),
              len(v.leaks) and len(v.missed) * 50 <= len(v.leaks), [str(t) for t in v.missed])
    if table is not None:
        table.append((where, v.found, len(v.leaks), len(v.wrong_live()), len(v.lives), len(alarms)))


# ---- why a leak is missed

Word = collections.namedtuple("Word", "id truth how offset phys value where detail of")

# What lies in memory that is nobody's does not hold anything, nor do an area's
# own start and end, and its neighbours'.
DEAD = ("free-page", "free-slab:", "slab-unused", "sheaf-unused", "stack-below-sp:", "stack-dead", "lru", "free-pcp",
        "image-ro", "vmap-area", "vm-struct")


def load_words(path):
    words, other = collections.defaultdict(list), []
    with open(path) as f:
        for line in f:
            c = line.rstrip("\n").split("\t")
            if line[0] != "#":
                words[c[0]].append(Word(*c))
            elif c[0] in ("#problem", "#nohold"):
                other.append(c)
    return words, other


def explain_missed(verdict, words):
    """For every missed leak the words that hold it: [(Planted, [Word])].

    A word inside a leak that is reported holds nothing; one inside another
    missed leak does if that one is explained.
    """
    missed = {t.id: t for t in verdict.missed}
    planted = {t.id: t for t in verdict.truth}
    reported = {o.addr for o in verdict.objects}

    def own(word):
        of = planted.get(word.of)
        if word.of == word.id or word.where.startswith(DEAD):
            return False
        if of and of.truth in ("leak", "hidden"):
            return of.id in missed if of.truth == "leak" else not verdict.reported(of)
        return not (word.of.startswith("0x") and int(word.of, 16) in reported)

    said = {i: [w for w in words.get(i, []) if own(w)] for i in missed}
    explained = {i for i in missed if any(w.of not in missed for w in said[i])}
    while True:
        more = {i for i in missed if i not in explained and any(w.of in explained for w in said[i])}
        if not more:
            break
        explained |= more
    return [(missed[i], said[i] if i in explained else []) for i in missed]


def behind_split(verdict, t):
    """A page right behind an alloc_pages_exact() block, whose rest it may well
    have been: before Linux 5.14 nothing tells it from a later page of that."""
    pages = {}
    for p in verdict.truth:
        if p.kind == "page" and p.truth in ("leak", "live"):
            pages.update((a, p) for a in range(p.addr, p.end, PAGE))
    p = t
    while p and p.end - p.addr == PAGE and p.extra.get("alloc") != "exact":
        p = pages.get(p.addr - PAGE)
    return t.kind == "page" and p and p is not t and p.extra.get("alloc") == "exact"


def judge_missed(checks, where, verdict, words, marks_pages=True):
    said = explain_missed(verdict, words)
    if not marks_pages:
        for t, ws in said:
            if not ws and behind_split(verdict, t):
                checks.note("missed: %s, taken for the rest of the split allocation in front of it" % t)
        said = [(t, ws) for t, ws in said if ws or not behind_split(verdict, t)]
    for t, ws in said:
        if ws:
            w = ws[0]
            checks.note("missed: %s, held by the word at physical 0x%x = 0x%x (its %s+%s), in %s %s%s%s" % (
                t, int(w.phys, 16), int(w.value, 16), w.how, w.offset, w.where, w.detail,
                " (trap: %s)" % t.extra["trap"] if "trap" in t.extra else "",
                ", and %d more words" % (len(ws) - 1) if len(ws) > 1 else ""))
    dumb = [t for t, ws in said if not ws]
    checks.ok("%s: each of the %d missed leaks is held by a stale word, named above" % (where, len(said)),
              not dumb, ["no word holds %s" % t for t in dumb])


# ---- kmemleak's format

def load_kmemleak(text):
    """[(address, size)] of unreferenced objects."""
    return [(int(a, 16), int(n)) for a, n in
            re.findall(r"^unreferenced object (?:\(percpu\) )?0x([0-9a-f]+) \(size (\d+)\):$", text, re.M)]


# ---- what the guest's kernel said of itself

def load_slabinfo(path):
    """name -> (active, objects, slot bytes, objects per slab, pages per slab, slabs)"""
    ret = collections.defaultdict(list)
    with open(path) as f:
        for line in f:
            m = re.match(r"(\S+) +(\d+) +(\d+) +(\d+) +(\d+) +(\d+) : .* : slabdata +\d+ +(\d+) ", line)
            if m:
                ret[m[1]].append(tuple(int(m[i]) for i in range(2, 8)))
    return ret


SLABINFO = ("active", "objects", "slot bytes", "objects per slab", "pages per slab", "slabs")


def compare_slabinfo(caches, path, tolerated=()):
    """(caches compared, [difference]); caches: of a JSON report. @tolerated:
    {cache name: most objects by which it may differ}."""
    theirs = load_slabinfo(path)
    ours = collections.defaultdict(list)
    bad = []
    for c in caches:
        if c["listed"]:
            ours[c["name"]].append((c["slabinfo_active"], c["objects"], c["slot_bytes"],
                                    c["slab_objects"], c["slab_pages"], c["slabs"]))
    for name in sorted(set(theirs) | set(ours)):
        a, b = sorted(ours[name]), sorted(theirs[name])
        if len(a) != len(b):
            bad.append("%s: %d caches of that name, %d in slabinfo" % (name, len(a), len(b)))
        for x, y in zip(a, b):
            for what, n, want in zip(SLABINFO, x, y):
                if n != want and not (what == "active" and abs(n - want) <= dict(tolerated).get(name, 0)):
                    bad.append("%s: %d %s, %d in slabinfo" % (name, n, what, want))
    return sum(map(len, theirs.values())), bad


def load_vmallocinfo(path):
    """[(start, end, bytes, caller, words)] of areas in use, by address (what
    has been unmapped but not purged is none)"""
    ret = []
    with open(path) as f:
        for line in f:
            m = re.match(r"0x([0-9a-f]+)-0x([0-9a-f]+) +(\d+) ?(.*)", line)
            words = [w for w in m[4].split(" ") if w and not re.fullmatch(r"N\d+=\d+", w)]
            if words[:2] == ["unpurged", "vm_area"]:
                continue
            caller = ""
            # (an address: a function of a module that is gone)
            if words and ("+0x" in words[0] or words[0].startswith("0x")):
                # (beyond a module's text the kernel subtracts the wrong way
                # round: no size then)
                caller = re.sub(r"/0xffffffff[0-9a-f]{8}$", "", words.pop(0))
                if words and words[0].startswith("["):
                    caller += " " + words.pop(0)
            ret.append((int(m[1], 16), int(m[2], 16), int(m[3]), caller, " ".join(words)))
    return ret


def compare_vmallocinfo(areas, path, gone=()):
    """(areas compared, [difference], whether addresses could be compared)
    @gone: the areas of a module that has been unloaded. The kernel names their
    caller by whatever is there now, be it data of another module; we do not."""
    theirs = load_vmallocinfo(path)
    # %pK without kptr_restrict prints hashes; areas are in order all the same
    hashed = any(t[0] < 1 << 47 for t in theirs)
    no_size = {(t[0], re.sub(" .*", "", t[3])) for t in theirs if "/" not in t[3]}
    ours = []
    for a in areas:
        start, caller = int(a["start"], 16), a["caller"] or ""
        if (start, re.sub("/.*", "", caller)) in no_size:
            caller = re.sub(r"/0x[0-9a-f]+", "", caller)
        ours.append((start, int(a["end"], 16), a["bytes"], caller, a["words"]))
    if hashed:
        ours, theirs = [a[2:] for a in ours], [t[2:] for t in theirs]
    else:
        theirs.sort()           # since 6.9 they come node by node
    for i, (o, t) in enumerate(zip(ours, theirs)):
        if int(areas[i]["start"], 16) in gone and o[-2].startswith("0x") and t[-2].endswith("]"):
            theirs[i] = t[:-2] + o[-2:-1] + t[-1:]
    show = lambda t: " ".join(hex(x) if isinstance(x, int) and x > 1 << 47 else str(x) for x in t)
    only = collections.Counter(ours) - collections.Counter(theirs)
    miss = collections.Counter(theirs) - collections.Counter(ours)
    bad = ["only in the report: " + show(x) for x in sorted(only)] + ["only in vmallocinfo: " + show(x) for x in sorted(miss)]
    if not bad and ours != theirs:
        bad = ["the order differs"]
    return len(theirs), bad, not hashed


def load_meminfo(path):
    """name -> bytes"""
    with open(path) as f:
        return {m[1]: int(m[2]) * 1024 for m in re.finditer(r"^(.*?): +(\d+) kB$", f.read(), re.M)}


def load_zoneinfo(path):
    """(free pages in the buddy allocator, on per-CPU lists, by how many pages
    the counters may lag behind)"""
    free = pcp = lag = 0
    with open(path) as f:
        for line in f:
            f_ = line.split()
            if f_[:1] == ["nr_free_pages"]:
                free += int(f_[1])
            elif f_[:1] == ["count:"]:
                pcp += int(f_[1])
            elif f_[:3] == ["vm", "stats", "threshold:"]:
                lag += int(f_[3])
    return free, pcp, lag


def judge_caches(checks, where, caches, guest, truth, tolerated=(), zoneinfo=None):
    """Compare `kmlanalyze caches --format=json` with the files in @guest."""
    n, bad = compare_slabinfo(caches["caches"], guest + "/slabinfo", tolerated)
    checks.ok("%s: all %d caches are as in /proc/slabinfo" % (where, n), n > 0 and not bad, bad)
    bad = [c["name"] for c in caches["caches"]
           if c["active"] + c["free"] + c["cached"] + c["in_doubt"] != c["objects"] or c["in_doubt"]]
    checks.ok("%s: every object of every cache is active, free or cached" % where, not bad, bad)
    n, bad, addresses = compare_vmallocinfo(caches["vmalloc"]["areas"], guest + "/vmallocinfo",
                                             {t.addr for t in truth if t.id.startswith("gone.")})
    checks.ok("%s: all %d vmalloc areas are as in /proc/vmallocinfo (%ssizes, callers, kinds)" % (
        where, n, "addresses, " if addresses else ""), n > 0 and not bad, bad)
    mem = load_meminfo(guest + "/meminfo")
    checks.equal("%s: per-cpu total is meminfo's Percpu" % where, caches["percpu"]["populated_bytes"], mem["Percpu"])
    judge_vmalloc(checks, where, caches["vmalloc"]["page_bytes"], mem["VmallocUsed"], guest)
    slabs = sum(n[4] * n[5] for ns in load_slabinfo(guest + "/slabinfo").values() for n in ns)
    checks.equal("%s: slab pages are those of /proc/slabinfo" % where, caches["pages"]["slab"], slabs)
    judge_free(checks, where, caches["pages"], mem, zoneinfo)
    judge_large(checks, where, caches["pages"], mem, truth)


# The kernel's page counters are not exact: each CPU keeps up to "vm stats
# threshold" events of a zone to itself (less than 32 for small machines). And
# meminfo and zoneinfo are read before the last files are, which takes pages
# (seq_file's buffer of slabinfo, dentries, inodes).
PAGE_SLACK = 64


def judge_vmalloc(checks, where, got, want, guest):
    """(since 7.0 it is one of the counters that are not exact)"""
    slack = 0
    if os.path.exists(guest + "/vmstat") and "\nnr_vmalloc " in open(guest + "/vmstat").read():
        slack = PAGE_SLACK * PAGE
    checks.ok("%s: vmalloc total is meminfo's VmallocUsed" % where, abs(got - want) <= slack, "%d, expected %d" % (got, want))


def judge_free(checks, where, pages, mem, zoneinfo):
    got, want = pages["free"], mem["MemFree"] // PAGE
    checks.ok("%s: pages in the buddy allocator are meminfo's MemFree (%d, %d)" % (where, got, want),
              abs(got - want) <= PAGE_SLACK, "they differ by more than %d" % PAGE_SLACK)
    if zoneinfo:
        free, pcp, lag = load_zoneinfo(zoneinfo)
        got, want = pages["free"] + pages["pcp"], free + pcp
        checks.ok("%s: free pages, with those on per-CPU lists, are zoneinfo's (%d, %d)" % (where, got, want),
                  abs(got - want) <= PAGE_SLACK + lag, "they differ by more than %d" % (PAGE_SLACK + lag))


def judge_large(checks, where, pages, mem, truth):
    """To meminfo large kmallocs are Slab as well; in memory nothing tells them
    from other blocks of pages (until 6.14)."""
    large = mem["Slab"] // PAGE - pages["slab"]
    planted = sum(1 << ((t.size - 1) // PAGE).bit_length() for t in truth if t.kind == "large" and t.truth != "freed")
    checks.ok("%s: what meminfo's Slab has more are large kmallocs (%d pages, %d of them planted)" % (where, large, planted),
              planted - PAGE_SLACK <= large <= pages["block"] + PAGE_SLACK, "%d pages are blocks" % pages["block"])


# ---- words of a small dump, without debuginfo

def diskdump_pages(path):
    """Each page of a zlib-compressed makedumpfile dump: (page frame, bytes)."""
    with open(path, "rb") as f:
        m = f.read()
    if m[:8] != b"KDUMP   ":
        raise ValueError("%s: not a dump of makedumpfile's" % path)
    size, sub, bitmap = struct.unpack_from("<iiI", m, 428)
    start, half = size * (1 + sub), bitmap * size // 2
    bits = m[start + half:start + 2 * half]
    desc = start + bitmap * size
    for i, byte in enumerate(bits):
        for bit in range(8):
            if byte >> bit & 1:
                at, n, flags, _ = struct.unpack_from("<QIIQ", m, desc)
                desc += 24
                yield i * 8 + bit, zlib.decompress(m[at:at + n]) if flags & 1 else m[at:at + n]


def find_words(path, targets):
    """Aligned words of the dump that point into a target (or CPU 0's copy of a
    per-cpu block), or are the physical address of a block of pages: {target id: [(physical address, value)]}, but
    not those inside the target. For machines of less than 1 GiB, whose direct
    map therefore begins at a multiple of it."""
    found = collections.defaultdict(list)
    ranges = []
    for t in targets:
        ranges.append((t, t.addr, t.end))
        if t.kind in ("page", "large"):
            ranges.append((t, t.addr & (1 << 30) - 1, (t.addr & (1 << 30) - 1) + 1))
        if "cpu0" in t.extra:
            ranges.append((t, int(t.extra["cpu0"], 16), int(t.extra["cpu0"], 16) + t.size))
    # all words of a range have their upper six bytes in common, or nearly
    needles = [(t, lo, hi, struct.pack("<Q", high << 16)[2:])
               for t, lo, hi in ranges for high in range(lo >> 16, (hi - 1 >> 16) + 1)]
    for pfn, page in diskdump_pages(path):
        for t, lo, hi, needle in needles:
            at = page.find(needle)
            while at >= 0:
                pa = pfn * PAGE + at - 2
                if at % 8 == 2:
                    value, = struct.unpack_from("<Q", page, at - 2)
                    own = not t.percpu and t.kind.startswith(("slab", "page", "large")) and \
                        t.addr & (1 << 30) - 1 <= pa < (t.addr & (1 << 30) - 1) + t.end - t.addr
                    if lo <= value < hi and not own:
                        found[t.id].append((pa, value))
                at = page.find(needle, at + 1)
    return found


# ---- JSON schema: as much of it as ours uses; a word not known here is an error

def validate(value, schema, root=None, path="$"):
    """[what is wrong]"""
    root = root or schema
    bad = []
    if "$ref" in schema:
        target = root
        for part in schema["$ref"].lstrip("#/").split("/"):
            target = target[part]
        bad += validate(value, target, root, path)
    kinds = {"object": dict, "array": list, "string": str, "boolean": bool, "null": type(None)}

    def is_a(kind):
        if kind in ("integer", "number"):
            return not isinstance(value, bool) and isinstance(value, int if kind == "integer" else (int, float))
        return isinstance(value, kinds[kind])

    for word, want in schema.items():
        if word in ("$ref", "$schema", "$id", "$defs", "definitions", "title", "description", "$comment",
                    "examples", "default"):
            continue
        if word == "type":
            good = any(is_a(k) for k in (want if isinstance(want, list) else [want]))
        elif word == "enum":
            good = value in want
        elif word == "const":
            good = value == want
        elif word == "pattern":
            good = not isinstance(value, str) or re.search(want, value) is not None
        elif word == "minimum":
            good = not isinstance(value, (int, float)) or value >= want
        elif word == "minItems":
            good = not isinstance(value, list) or len(value) >= want
        elif word == "maxItems":
            good = not isinstance(value, list) or len(value) <= want
        elif word == "required":
            good = not isinstance(value, dict) or all(k in value for k in want)
        elif word == "properties":
            good = True
            for k, v in want.items():
                if isinstance(value, dict) and k in value:
                    bad += validate(value[k], v, root, path + "." + k)
        elif word == "additionalProperties":
            extra = [k for k in value if k not in schema.get("properties", {})] if isinstance(value, dict) else []
            good = want is True or not extra or want is not False
            if isinstance(want, dict):
                for k in extra:
                    bad += validate(value[k], want, root, path + "." + k)
            if not good:
                bad.append("%s: unknown %s" % (path, ", ".join(extra)))
        elif word == "items":
            good = True
            if isinstance(value, list):
                for i, v in enumerate(value):
                    bad += validate(v, want, root, "%s[%d]" % (path, i))
        elif word in ("oneOf", "anyOf"):
            n = sum(not validate(value, s, root, path) for s in want)
            good = n == 1 if word == "oneOf" else n > 0
        elif word == "allOf":
            good = True
            for s in want:
                bad += validate(value, s, root, path)
        elif word == "if":
            branch = "then" if not validate(value, want, root, path) else "else"
            bad += validate(value, schema.get(branch, {}), root, path)
            good = True
        elif word in ("then", "else"):
            good = True
        else:
            raise ValueError("kmltruth.validate() does not know '%s'" % word)
        if not good:
            bad.append("%s: %s is not %s %s" % (path, json.dumps(value)[:80], word, json.dumps(want)[:80]))
    return bad
