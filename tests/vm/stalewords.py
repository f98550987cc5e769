# SPDX-License-Identifier: GPL-2.0-or-later
"""Check a plant dump's truth, independently of kmlanalyze (a drgn script).

    drgn -q -c DIR/dump.elf -s VMLINUX stalewords.py DIR [ELF] > DIR/words.tsv

ELF is the dump to look into, DIR/dump.elf if not named.

Finds every word of the dump that points into a planted object (for a block of
pages also into its struct pages, or that is its physical address; for a per-cpu
block also into each CPU's copy), says what memory that word is in, and writes
one line for each:
    id  truth  how  offset  physaddr  value  where  detail  of
"how" is address, struct-page, physical, percpu-copy or (into the vm_struct of a
vmalloc area, which keeps the area) vm-struct, "offset" how far into the
object; "of" is the planted object, or the address of the slab object, that the
word is in. Lines of "#problem" and "#nohold" say what the summary says.
The summary on stderr: planted objects that are not what they should be, live
objects that no word holds, and leaks to which words outside of dead memory and
outside of the planted leaks point: the misses a conservative scan may have.
where: free-page free-pcp free-slab:CACHE sheaf-unused lru reserved image image-ro page page-tail slab:CACHE
vmalloc:CALLER stack-live:COMM stack-dead stack-below-sp:COMM percpu module
vmap-area vm-struct (an area's own, and its neighbours', start and end) ...
"""
import bisect, collections, os, re, subprocess, sys, tempfile
from drgn import FaultError, Object, cast, sizeof
from drgn.helpers.linux import *

d = sys.argv[1]
elf = sys.argv[2] if len(sys.argv) > 2 else os.path.join(d, "dump.elf")
here = os.path.dirname(os.path.abspath(__file__))


def err(*a):
    print(*a, file=sys.stderr)


T = collections.namedtuple("T", "truth kind id addr size extra")
objs = []
for line in open(os.path.join(d, "truth.tsv")):
    if line[0] == "#":
        continue
    f = line.rstrip("\n").split("\t")
    if f[0] not in ("leak", "live", "hidden", "freed", "trap"):
        continue                        # not about one object
    objs.append(T(f[0], f[1], f[2], int(f[3], 16), int(f[4]), dict(x.split("=", 1) for x in f[5].split() if "=" in x)))
byid = {o.id: o for o in objs}

PAGE = 4096
page_offset = prog["page_offset_base"].value_() if "page_offset_base" in prog else 0xffff888000000000
ncpu = prog["nr_cpu_ids"].value_()
pcpu_off = [per_cpu_ptr(Object(prog, "char *", 0), c).value_() for c in range(ncpu)]


def page_flags(page):
    f = page.flags
    return (f.f if hasattr(f, "f") else f).value_()     # memdesc_flags_t since 6.18


def page_type(page):
    """Of enum pagetype, since 6.12."""
    return (page.page_type.value_() & 0xffffffff) >> 24


try:
    LARGE_KMALLOC = prog.constant("PGTY_large_kmalloc").value_()
except LookupError:
    LARGE_KMALLOC = None


# ---- slabs
# Of 5.9 to 5.13: where the static key is off, red zones made for a cache are
# not there, the object begins with its slot (which drgn doesn't know).
try:
    no_red_zones = not prog["slub_debug_enabled"].key.enabled.counter.value_()
except LookupError:
    no_red_zones = False


def slab_info(addr):
    """(cache, address, allocated), or None"""
    i = slab_object_info(prog, addr)
    if i is None:
        return None
    s = i.slab_cache
    pad = s.red_left_pad.value_()
    if not no_red_zones or not pad:
        return s, i.address, i.allocated
    slab = page_to_virt(compound_head(virt_to_page(prog, addr))).value_()
    a = addr - (addr - slab) % s.size.value_()
    return s, a, slab_object_info(prog, a + pad).allocated


# Sheaves (since 6.18): slots at and beyond size hold nothing.
sheaves = {}                    # address -> end of the slots in use


def note_sheaf(sheaf):
    if sheaf:
        sheaves[sheaf.value_()] = sheaf.objects[sheaf.size.value_()].address_of_().value_()


if prog.type("struct kmem_cache").has_member("cpu_sheaves"):
    for s in for_each_slab_cache(prog):
        for c in range(ncpu) if s.cpu_sheaves else ():
            pcs = per_cpu_ptr(s.cpu_sheaves, c)
            for which in ("main", "spare", "rcu_free"):
                if hasattr(pcs, which):
                    note_sheaf(getattr(pcs, which))
        for node in range(prog["nr_node_ids"].value_() if "nr_node_ids" in prog else 1):
            if hasattr(s, "per_node"):
                barn = s.per_node[node].barn
            else:
                barn = s.node[node].barn
            for head in (barn.sheaves_full, barn.sheaves_empty) if barn else ():
                for sheaf in list_for_each_entry("struct slab_sheaf", head.address_of_(), "barn_list"):
                    note_sheaf(sheaf)


# ---- what the logged addresses are in the dump
vm_of = {}                      # id -> vm_struct of a planted area
extent = {}                     # id -> [start, end) that a pointer may point into
problem = []
for o in objs:
    a, size = o.addr, o.size
    if o.kind.startswith("slab:"):
        try:
            i = slab_info(a)
        except (FaultError, ValueError):
            i = None
        if i is None:
            if o.truth != "freed":
                problem.append((o.id, "not in a slab"))
        else:
            cache, start, allocated = i
            size = cache.size.value_() - (a - start)
            name = cache.name.string_().decode()
            if "interior" in o.extra:
                a, size = start, cache.size.value_()
            elif start != a:
                problem.append((o.id, "is in an object at 0x%x" % start))
            if allocated != (o.truth != "freed"):
                # a freed slot may have been used again; a leak may never be free
                if o.truth != "freed":
                    problem.append((o.id, "is free in %s" % name))
    elif o.kind in ("vmalloc", "vmap", "ioremap"):
        va = find_vmap_area(prog, a)
        busy = bool(va) and va.va_start.value_() == a and bool(va.vm)
        if busy != (o.truth != "freed") and o.truth != "freed":
            problem.append((o.id, "no vmap area"))
        size = (size + PAGE - 1) & ~(PAGE - 1)
        if busy:
            vm_of[o.id] = va.vm.value_()
    elif o.kind in ("page", "large"):
        p = virt_to_page(prog, a)
        # (the page of a large kmalloc is frozen since 6.14)
        if o.truth != "freed" and p._refcount.counter.value_() < 1 and not (
                o.kind == "large" and page_type(p) == LARGE_KMALLOC):
            problem.append((o.id, "page has no reference"))
        size = (size + PAGE - 1) & ~(PAGE - 1)
        if o.kind == "large":           # not shrunk to what was asked for
            size = PAGE << ((size - 1) // PAGE).bit_length()
    extent[o.id] = (a, a + size)
for o in objs:
    if o.kind == "percpu" and "cpu0" in o.extra:
        want = per_cpu_ptr(Object(prog, "char *", o.addr), 0).value_()
        if want != int(o.extra["cpu0"], 16):
            problem.append((o.id, "cpu0 is 0x%x" % want))

# ---- the words
exe = os.path.join(tempfile.mkdtemp(), "wordscan")
subprocess.check_call(["gcc", "-O2", "-o", exe, os.path.join(here, "wordscan.c")])
ranges = sorted((s, e, i) for i, (s, e) in extent.items() if byid[i].truth != "freed")
for (s, e, i), (s2, e2, i2) in zip(ranges, ranges[1:]):
    if e > s2:
        err("overlap", i, i2)
# page blocks are also referred to by struct page and, page-aligned, physical address
vmemmap = prog["vmemmap_base"].value_() if "vmemmap_base" in prog else 0xffffea0000000000
psize = sizeof(prog.type("struct page"))
extra = []
for o in objs:
    if o.kind in ("page", "large") and o.truth != "freed":
        pfn, end = (x - page_offset >> 12 for x in extent[o.id])
        extra.append((vmemmap + pfn * psize, vmemmap + end * psize, o.id, "struct-page"))
        extra.append((pfn * PAGE, pfn * PAGE + 1, o.id, "physical"))
    if o.id in vm_of:
        extra.append((vm_of[o.id], vm_of[o.id] + sizeof(prog.type("struct vm_struct")), o.id, "vm-struct"))
    if o.kind == "percpu" and o.truth != "freed":
        for c in range(ncpu):
            a = per_cpu_ptr(Object(prog, "char *", o.addr), c).value_()
            extra.append((a, a + o.size, o.id, "percpu-copy"))
allr = sorted([r + ("address",) for r in ranges] + extra)
starts = [r[0] for r in allr]
text = "".join("%x %x\n" % (s, e) for s, e, *_ in allr)
out = subprocess.run([exe, elf], input=text, capture_output=True, text=True, check=True).stdout
hits = []
for line in out.splitlines():
    pa, v = (int(x, 16) for x in line.split())
    r = allr[bisect.bisect_right(starts, v) - 1]
    hits.append((pa, v, byid[r[2]], r[3], v - r[0]))
err("%d objects, %d words" % (len(objs), len(hits)))

# ---- what memory a physical address is
owner = {}                      # pfn -> (kind, detail, base va of that page)
stacks = {}
for t in for_each_task(prog, idle=True):
    try:
        stacks[t.stack.value_()] = t
    except FaultError:
        pass
try:
    current = {cpu_curr(prog, c).value_() for c in range(ncpu)}
except Exception:
    current = set()
mm0 = prog["init_mm"].address_of_()
vm_structs = {}                 # address -> start of its area
vm_offset = prog.type("struct vmap_area").member("vm").offset
area_cache = prog["vmap_area_cachep"].value_()
for va in for_each_vmap_area(prog):
    vm = va.vm
    if not vm:
        continue
    vm_structs[vm.value_()] = va.va_start.value_()
    s, e = va.va_start.value_(), va.va_end.value_()
    caller = vm.caller.value_()
    try:
        caller = prog.symbol(caller).name
    except LookupError:
        caller = "?"
    n = vm.nr_pages.value_()
    kind = "vmalloc"
    if s in stacks:
        kind = "stack"
    elif caller in ("pcpu_get_vm_areas", "pcpu_create_chunk"):
        kind = "percpu"
    elif 0xffffffffa0000000 <= s:
        kind = "module"
    elif "alloc_thread_stack" in caller or caller.startswith("dup_task_struct") or "copy_process" in caller or "kernel_clone" in caller:
        kind = "stack"
    for i in range((e - s) // PAGE):
        pfn = None
        if vm.pages and i < n:
            pfn = page_to_pfn(vm.pages[i]).value_()
        elif not vm.flags & 1:          # not ioremap
            try:
                pfn = follow_phys(mm0, s + i * PAGE).value_() >> 12
            except FaultError:
                pass
        if pfn is not None:
            owner[pfn] = (kind, caller, s + i * PAGE, s)
for s in range(vmemmap, vmemmap + (max(owner, default=0) + (1 << 18)) * psize, PAGE):
    try:
        pfn = follow_phys(mm0, s).value_() >> 12
    except FaultError:
        continue
    owner.setdefault(pfn, ("struct-page", "", s, s))
img0, img1 = prog.symbol("_stext").address, prog.symbol("_end").address
img_pa = follow_phys(mm0, img0).value_()
writable = []
for a, b in (("_sdata", "_edata"), ("__bss_start", "__bss_stop"), ("__brk_base", "__brk_limit"),
             ("__start_ro_after_init", "__end_ro_after_init")):
    try:
        writable.append((prog.symbol(a).address, prog.symbol(b).address))
    except LookupError:
        pass
static_len = prog.symbol("__per_cpu_end").address - prog.symbol("__per_cpu_start").address
pflags = {n: 1 << prog.constant("PG_" + n).value_() for n in ("reserved", "lru")}
planted_at = [(s, e, i) for s, e, i in ranges if byid[i].kind != "percpu"]
planted_starts = [s for s, _, _ in planted_at]


def planted(va):
    """the planted object that contains this address"""
    k = bisect.bisect_right(planted_starts, va) - 1
    if k >= 0 and planted_at[k][0] <= va < planted_at[k][1]:
        return byid[planted_at[k][2]]


pcpu_leaks = []
for o in objs:
    if o.id in vm_of:
        extra.append((vm_of[o.id], vm_of[o.id] + sizeof(prog.type("struct vm_struct")), o.id, "vm-struct"))
    if o.kind == "percpu" and o.truth != "freed":
        for c in range(ncpu):
            a = per_cpu_ptr(Object(prog, "char *", o.addr), c).value_()
            pcpu_leaks.append((a, a + o.size, o.id))
pcpu_leaks.sort()
pcpu_starts = [x[0] for x in pcpu_leaks]


# the mark of a free block: the whole page_type until 6.11, its top byte since
buddy = int(re.search(r"NUMBER\(PAGE_BUDDY_MAPCOUNT_VALUE\)=(-?\d+)", prog["VMCOREINFO"].string_().decode()).group(1)) & 0xffffffff


# free pages that a CPU keeps for itself; list i is of order i / 3, the last of
# whole page blocks
pcp_free = set()
for zone in NODE_DATA(prog, 0).node_zones:
    for c in range(ncpu):
        if hasattr(zone, "per_cpu_pageset"):
            pcp = per_cpu_ptr(zone.per_cpu_pageset, c)
        else:
            pcp = per_cpu_ptr(zone.pageset, c).pcp
        n = 0
        for i, head in enumerate(pcp.lists):
            order = 9 if i >= 12 else i // 3
            for page in list_for_each_entry("struct page", head.address_of_(), "lru"):
                pfn = page_to_pfn(page).value_()
                pcp_free |= set(range(pfn, pfn + (1 << order)))
                n += 1 << order
        if n != pcp.count.value_():
            problem.append(("pcp", "%d pages on CPU %d's lists, it says %d" % (n, c, pcp.count.value_())))


def is_buddy(page):
    t = page.page_type.value_() & 0xffffffff
    return t == buddy if buddy & 0xffffff else t >> 24 == buddy >> 24


def where(pa):
    """(class, detail, planted object or None)"""
    va = page_offset + pa
    pfn = pa >> 12
    own = owner.get(pfn)
    mapped = own[2] + (pa & 4095) if own else va
    for x in {va, mapped}:
        p = planted(x)
        if p:
            return "planted-" + p.truth, p.id, p
        k = bisect.bisect_right(pcpu_starts, x) - 1
        if k >= 0 and pcpu_leaks[k][0] <= x < pcpu_leaks[k][1]:
            p = byid[pcpu_leaks[k][2]]
            return "planted-" + p.truth, p.id, p
    if own:
        kind, caller, _, base = own
        if kind == "struct-page":
            n, off = divmod(mapped - vmemmap, psize)
            p = planted(page_offset + n * PAGE)
            return "struct-page", "of pfn 0x%x+%d" % (n, off), p
        if kind == "stack":
            t = stacks.get(base)
            if t is None:
                return "stack-dead", caller, None
            comm = t.comm.string_().decode()
            if t.value_() in current:
                return "stack-running:" + comm, "+0x%x" % (mapped - base), None
            sp = t.thread.sp.value_()
            return ("stack-live:" if mapped >= sp else "stack-below-sp:") + comm, "sp%+d" % (mapped - sp), None
        return "%s:%s" % (kind, caller), "0x%x" % mapped, None
    page = pfn_to_page(prog, pfn)
    fl = page_flags(page)
    # (unused parts of the image are given back and become ordinary pages)
    if img_pa <= pa < img_pa + img1 - img0 and fl & pflags["reserved"]:
        v = img0 + pa - img_pa
        kind = "image" if any(a <= v < b for a, b in writable) else "image-ro"
        try:
            s = prog.symbol(v)
            return kind, "%s+0x%x" % (s.name, v - s.address), None
        except LookupError:
            return kind, "0x%x" % v, None
    for c in range(ncpu):
        v = va - pcpu_off[c]
        if 0 <= v < static_len:
            try:
                s = [x for x in prog.symbols(v)][0]
                return "percpu-static", "%s+0x%x cpu%d" % (s.name, v - s.address, c), None
            except (LookupError, IndexError):
                return "percpu-static", "0x%x cpu%d" % (v, c), None
    if fl & pflags["reserved"]:
        return "reserved", "", None
    head = compound_head(page)
    if PageSlab(head):
        try:
            i = slab_info(va)
        except (FaultError, ValueError):
            i = None
        if i is None:
            return "slab-unused", "", None
        cache, start, allocated = i
        name = cache.name.string_().decode()
        off = va - start
        if cache.value_() == area_cache and (off < 16 or off == vm_offset):
            return "vmap-area" if allocated else "free-slab:" + name, "0x%x+%d" % (start, off), None
        if allocated and start in vm_structs:
            return "vm-struct", "0x%x+%d of 0x%x" % (start, off, vm_structs[start]), None
        if va >= sheaves.get(start, va + 1):
            return "sheaf-unused", "0x%x+%d" % (start, off), None
        osz = cache.object_size.value_()
        return ("slab:" if allocated else "free-slab:") + name, "0x%x+%d%s" % (start, off, " beyond object_size" if off >= osz else ""), None
    if fl & pflags["lru"]:
        return "lru", "", None
    if is_buddy(page):
        return "free-page", "", None
    # inside a free block of higher order
    for o in range(1, 11):
        h = pfn_to_page(prog, pfn & ~((1 << o) - 1))
        if is_buddy(h) and h.private.value_() >= o:
            return "free-page", "", None
    if pfn in pcp_free:
        return "free-pcp", "", None
    if page._refcount.counter.value_() == 0 and head.value_() == page.value_():
        # of a block that is not compound: only its first page is counted
        return "page-tail", "0x%x" % va, None
    return "page", "0x%x" % va, None


DEAD = ("free-page", "free-slab:", "slab-unused", "sheaf-unused", "stack-below-sp:", "stack-dead", "lru", "free-pcp", "image-ro")
held = collections.defaultdict(list)
seen = collections.Counter()
print("#id\ttruth\thow\toffset\tphys\tvalue\twhere\tdetail\tof")
for pa, v, o, how, off in hits:
    w, det, p = where(pa)
    seen[o.truth, re.sub(r":.*", "", w)] += 1
    of = p.id if p else det.split("+")[0] if "slab:" in w else "-"
    print("%s\t%s\t%s\t%d\t0x%x\t0x%x\t%s\t%s\t%s" % (o.id, o.truth, how, off, pa, v, w, det or "-", of))
    if p is not None and p.id == o.id:
        continue                        # self-reference
    if w.startswith(DEAD) or w in ("vmap-area", "vm-struct"):
        continue
    held[o.id].append((w, det, p, how, off))

err("\n-- words by truth of the target and where they are")
for k, c in sorted(seen.items()):
    err("%-8s %-20s %7d" % (k[0], k[1], c))
err("\n-- planted objects that are not what they should be: %d" % len(problem))
for p in problem[:60]:
    err("   %s: %s" % p)
for p in problem:
    print("#problem\t%s\t%s" % p)
regs = set()
for c in range(ncpu):
    try:
        r = prog.stack_trace(cpu_curr(prog, c))[0].registers()
        regs |= set(r.values())
    except Exception as e:
        err("   (no registers of CPU %d: %s)" % (c, e))
nohold = [o for o in objs if o.truth == "live" and not held[o.id] and not any(extent[o.id][0] <= x < extent[o.id][1] for x in regs)]
err("\n-- live objects that no word holds: %d" % len(nohold))
for o in nohold:
    print("#nohold\t%s\t%s" % (o.id, o.extra.get("holder", "-")))
    err("   %s %s %s %s" % (o.id, o.kind, hex(o.addr), o.extra))
err("\n-- leaks to which words outside dead memory and outside planted leaks point")
n = 0
for o in objs:
    if o.truth != "leak":
        continue
    bad = [h for h in held[o.id] if not (h[2] is not None and h[2].truth == "leak")]
    if bad:
        n += 1
        err("   %s %s 0x%x (%d)%s%s: %s" % (o.id, o.kind, o.addr, o.size, " root=" + o.extra["root"] if "root" in o.extra else "",
            " trap=" + o.extra["trap"] if "trap" in o.extra else "",
            "; ".join("%s %s %s+%d" % (w, det, how, off) for w, det, p, how, off in bad[:4]) + (" ..." if len(bad) > 4 else "")))
err("   %d of %d leaks" % (n, sum(o.truth == "leak" for o in objs)))
