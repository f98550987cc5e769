# SPDX-License-Identifier: GPL-2.0-or-later
"""What refs, path and whatis must say of a dump with planted truth (shared by
tests/golden and tests/vm).

tests/vm/plant/holders.c knows which word holds each planted live object; what
is expected here follows from it, often down to the offset of the word."""
import bisect, json, re, struct, subprocess

import kmltruth as kml

# by-HOLDER.N, N from 1 to 5: the object that holds it, and where its words are
FIVE = {"vmalloc": ("area", 6000), "large": ("big", 6200), "page.address": ("rawpage", 500),
        "page.tail": ("rawpage3", 8 * 512 - 8), "page.struct-page": ("structpage", 600),
        "page.vmap": ("vmapped.page", 16), "noleaktrace": ("untracked", 1), "reclaimable": ("reclaimable", 500)}
VARIABLES = {"module.data": "in_data", "module.bss": "in_bss", "module.ro_after_init": "in_ro"}
# Of the kernel's own containers: what has the word, a regular expression for
# the words of "holder".
KERNEL_SIDE = {"timer": r"timer_bases\+", "hrtimer": r"^per-cpu variable \w*(timer|tick)", "delayed-work": r"timer_bases\+",
               "notifier": r"^(reboot_notifier_list|\w+_nb)\+", "proc-data": r"^proc_dir_entry ", "kernfs": r"^kernfs_node_cache ",
               "maple": r"^maple_node ", "xarray": r"^radix_tree_node ", "idr": r"^radix_tree_node ",
               "rhashtable": r"^(kmalloc-\S+|vmalloc area|large kmalloc) ", "inode.i_dentry": r"^(\S*inode_cache|dentry) "}
# Held by another of their kind, or by a variable of the module.
CONTAINERS = ("list", "hlist", "rbtree", "xarray", "idr", "rhashtable", "maple", "timer", "hrtimer", "notifier",
              "delayed-work")
DELAYED = ("timer", "hrtimer", "delayed-work", "notifier", "proc-data")
RCU = ("call_rcu", "kfree_rcu", "kvfree_rcu")


class Holders:
    def __init__(self, checks, run, where, dump, vmlinux, truth, schema, slabinfo):
        """@run(*argv, input=None): (status, stdout, stderr) of the program."""
        self.checks, self.run_program, self.where = checks, run, where
        self.files = list(dump) + [vmlinux]
        self.vmlinux, self.schema, self.slabinfo = vmlinux, schema, slabinfo
        self.truth = truth
        self.by_id = {t.id: t for t in truth}
        self.live = [t for t in truth if t.truth == "live"]

    def ok(self, name, good, detail=""):
        return self.checks.ok("%s: %s" % (self.where, name), good, detail)

    def ask(self, command, addresses, status=(0, 1), options=()):
        """The answers, one an address; through stdin what may be many."""
        argv = [command, "--format=json", *options]
        if command == "whatis":
            got, out, err = self.run_program(*argv, "-", *self.files, input="".join("0x%x\n" % a for a in addresses))
        else:
            got, out, err = self.run_program(*argv, *["0x%x" % a for a in addresses], *self.files)
        if got not in status:
            self.ok("%s: exit status %s" % (command, status), False, "%s: %s" % (got, err))
            return None
        report = json.loads(out)
        bad = kml.validate(report, self.schema)
        self.ok("%s of %d addresses: the JSON is as the schema says" % (command, len(addresses)), not bad, bad)
        return report["addresses"]

    def all(self):
        got, out, _ = self.run_program("--format=json", *self.files)
        self.report = json.loads(out)
        self.verdict = kml.Verdict(self.truth, self.report)
        refs = self.ask("refs", [t.addr for t in self.live])
        paths = self.ask("path", [t.addr for t in self.truth])
        if not refs or not paths:
            return
        self.refs(refs)
        self.paths(refs, [p for p, t in zip(paths, self.truth) if t.truth == "live"])
        self.leak_paths([(p, t) for p, t in zip(paths, self.truth) if t.truth == "leak"])
        self.whatis()
        self.symbols()

    # ---- who must hold a live object

    def is_object(self, ref, name, offset=None):
        """@ref is a word of the planted object @name."""
        t = self.by_id.get(name)
        if not t or ref["object"] is None:
            return False
        at = int(ref["object"], 16)
        inside = at == t.addr or ("interior" in t.extra and at <= t.addr < at + 4096)
        return inside and (offset is None or ref["offset"] == offset)

    def is_module(self, ref, symbol=r"\S+"):
        return ref["kind"] == "module" and re.search(r"^%s \[kmlplant\]" % symbol, ref["holder"]) is not None

    def is_held(self, t, ref):
        """Is @ref the reference that @t was planted with?"""
        holder = t.extra["holder"]
        name, _, n = t.id.rpartition(".")
        if name.startswith("by-") and holder in VARIABLES:
            return self.is_module(ref, r"%s\+0x%x" % (VARIABLES[holder], int(n) * 8))
        if name.startswith("by-") and holder in FIVE:
            by, word = FIVE[holder]
            return self.is_object(ref, by, (word + int(n)) * 8)
        if holder in ("module.data", "module.bss"):
            return self.is_module(ref, r"(%s)\+\S+" % ("from|in_dyn_percpu" if holder == "module.bss" else "kml_data"))
        if holder == "percpu.static.module":
            return "in_static_percpu+0x8 [kmlplant]" in ref["holder"]
        if holder == "percpu.dynamic":
            return self.is_object(ref, "dyn-percpu", 0)
        if holder == "chain":
            return self.is_object(ref, "live-chain.%d" % (int(n) - 1), 56) if int(n) else self.is_module(ref, r"from\+0x58")
        if holder in ("interior.middle", "interior.last-byte", "low-bits"):
            return self.is_module(ref, r"inner\+\S+")
        if holder == "xarray.single":
            return self.is_module(ref, r"xa_single\+\S+")
        if holder == "item":
            return self.is_object(ref, name, 56)
        if holder == "payload-of-delayed":
            return any(self.is_object(ref, "by-%s.%s" % (d, n)) for d in DELAYED)
        if holder == "stack":
            return ref["kind"] == "task stack" and ref["task"]["comm"] == "kml_stack/" + n and ref["grade"] == "live stack"
        if holder == "register":
            return ref["kind"] == "register" and ref["grade"] == "register"
        if holder == "struct-page":
            return self.is_module(ref) and ref["by"] == "struct page"
        if holder == "phys":
            return self.is_module(ref) and ref["by"] == "physical address"
        if holder == "page":
            return self.is_object(ref, name, 8 * (7 * int(name.rpartition(".")[2]) + 9))
        if holder == "page-private":
            return self.is_object(ref, "private-page." + n) and ref["grade"] == "no word"
        if holder == "vmap":
            return self.is_object(ref, t.id.partition(".page")[0])
        if holder.startswith("vmap.put."):
            return ref["kind"] == "object" and (self.is_object(ref, holder) or "kmalloc" in ref["holder"])
        if holder == "skb":
            return self.is_object(ref, name.partition(".frag")[0] + (".head" if ".frag" in name else ""))
        if holder in ("file", "task", "kobject", "unix"):
            stem = re.match(r"\w+\.live\.\d+", t.id)
            return ref["object"] is not None and any(
                self.is_object(ref, o.id) for o in self.live if o.id != t.id and
                (o.id.startswith(stem[0]) if stem and holder != "unix" else o.id.startswith("socket.unix")))
        if holder in CONTAINERS and (self.is_module(ref) or ref["object"] is not None and any(
                self.is_object(ref, "by-%s.%d" % (holder, i)) for i in range(20))):
            return True
        if holder in KERNEL_SIDE:
            return re.search(KERNEL_SIDE[holder], ref["holder"]) is not None
        return True

    def is_waiting(self, t):
        return t.extra["holder"].split(".")[0] in RCU

    def refs(self, answers):
        bad, n, exact = [], 0, 0
        for t, answer in zip(self.live, answers):
            refs = answer["object"]["references"]
            # (queued and with the allocator already, in a sheaf: nobody need hold it)
            if self.is_waiting(t) or "holder" not in t.extra:
                continue
            n += 1
            if not any(self.is_held(t, r) for r in refs):
                bad.append("%s holder=%s: %s" % (t, t.extra["holder"], [r["holder"] for r in refs[:4]]))
        self.ok("refs names the planted holder of each of %d live objects" % n, n > 400 and not bad, bad)
        bad = [str(t) for t, a in zip(self.live, answers) if a["object"]["reference_count"] != len(a["object"]["references"])]
        self.ok("... and lists all references", not bad, bad)
        self.grades(answers)

    def grades(self, answers):
        """The type of a cache that is named after it tells pointers from numbers."""
        typed = [(t, r) for t, a in zip(self.live, answers) for r in a["object"]["references"] if r["type"]]
        bad = ["%s: %s" % (t, r["holder"]) for t, r in typed if r["grade"] == "pointer member" and not r["member"]]
        self.ok("a pointer member has a name (%d typed references)" % len(typed), typed and not bad, bad)
        bad = ["%s: %s is a %s" % (t, r["holder"], r["grade"]) for t, a in zip(self.live, answers) for r in a["object"]["references"]
               if r["object"] and r["kind"] == "object" and r["word"] and not r["type"] and r["grade"] not in ("untyped word", "slack")]
        self.ok("without a type a word is an untyped word", not bad, bad)

    def paths(self, refs, answers):
        bad, broken, other, n = [], [], [], 0
        for t, ref, answer in zip(self.live, refs, answers):
            o = answer["object"]
            if self.is_waiting(t) and o["start"] == "none":
                continue
            n += 1
            if o["start"] not in ("root", "module"):
                bad.append("%s: %s" % (t, o["why"]))
                continue
            if not o["links"]:
                bad.append("%s: no links" % t)
                continue
            first, last = o["links"][0], o["links"][-1]
            if first["object"] is not None and first["kind"] != "module" or any(k["object"] is None for k in o["links"][1:]):
                broken.append("%s: starts with %s" % (t, first["holder"]))
            if not any(r["holder"] == last["holder"] and r["word"] == last["word"] for r in ref["object"]["references"]):
                broken.append("%s: %s is no reference to it" % (t, last["holder"]))
            if "holder" in t.extra and not self.is_waiting(t) and not self.is_held(t, last):
                other.append("%s holder=%s: by %s" % (t, t.extra["holder"], last["holder"]))
        self.ok("path: a root leads to each of %d live objects" % n, not bad, bad)
        self.ok("path: chains start at a root and end at a reference", not broken, broken)
        # another word that is as good a way: a stale one, or the kernel's own
        self.ok("path: the last link is the planted holder of all but %d" % len(other), len(other) * 50 <= n, other)
        for line in other:
            self.checks.note("%s: held by another word as well: %s" % (self.where, line))

    def leak_paths(self, answers):
        bad, roots, n = [], 0, 0
        leak_of = {t.addr: a["object"]["leak"]["address"] for a, t in answers if a["object"]["leak"]}
        for answer, t in answers:
            o = answer["object"]
            if not self.verdict.reported(t):
                continue
            n += 1
            root = o["leak"]["address"]
            if o["start"] != "leak":
                bad.append("%s: starts with %s" % (t, o["start"]))
            elif o["address"] == root:
                roots += 1
                if o["links"]:
                    bad.append("%s: is a leak, and has a chain" % t)
            elif o["links"][0]["object"] != root or any(k["state"] != "leaked" for k in o["links"]):
                bad.append("%s: does not start with its leak" % t)
            elif t.root and leak_of.get(self.by_id[t.root].addr, root) != root:
                bad.append("%s: %s is behind another leak" % (t, t.root))
        self.ok("path: %d leaked objects are led to from their leak, %d are one" % (n - roots, roots), n > 1000 and not bad, bad)

    # ---- what an address is

    def kind_of(self, t):
        return {"large": "pages", "page": "pages"}.get(t.kind, t.kind.partition(":")[0])

    def whatis(self):
        there = [t for t in self.truth if t.truth != "freed"]
        # a slot that was freed may have been planted into again
        now = kml.Extents(there, lambda t: t.addr, lambda t: t.end)
        freed = [t for t in self.truth if t.truth == "freed" and not list(now.overlapping(t.addr, t.end))]
        first = self.ask("whatis", [t.addr for t in there], status=(0,))
        # (of a task_struct sizeof says nothing)
        sizes = {t: 1 if t.kind == "slab:task_struct" else t.size for t in there}
        last = self.ask("whatis", [t.addr + sizes[t] - 1 for t in there], status=(0,))
        if not first or not last:
            return
        caches = set(kml.load_slabinfo(self.slabinfo)) if self.slabinfo else None
        bad, unknown = [], []
        for t, a, b in zip(there, first, last):
            o, e = a["object"], b["object"]
            if not o or not e or o["kind"] != self.kind_of(t) or o["bytes"] < sizes[t]:
                bad.append("%s: %s" % (t, a["text"]))
            elif not t.interior and t.extra.get("alloc") != "exact" and (
                    int(o["address"], 16) != t.addr or o["offset"] or e["address"] != o["address"] or e["offset"] != sizes[t] - 1):
                bad.append("%s: %s ... %s" % (t, a["text"], b["text"]))
            elif a["is"] != ("per-cpu pointer" if t.percpu else "object"):
                bad.append("%s: is %s" % (t, a["is"]))
            name = t.kind.partition(":")[2]
            # (of a head the module knows but the size)
            if o and name and not t.id.endswith(".head") and o["cache"] != name and caches and name in caches:
                bad.append("%s: of %s" % (t, o["cache"]))
            if o and o["cache"] and caches and o["cache"] not in caches:
                unknown.append(a["text"])
        self.ok("whatis: kind, cache, size and offset of %d planted objects" % len(there), not bad, bad)
        if caches:
            self.ok("whatis: caches are those of slabinfo", not unknown, unknown)
        self.states(there, first, freed)
        self.percpu(there)

    def states(self, there, answers, freed):
        bad = []
        for t, a in zip(there, answers):
            state = a["object"] and a["object"]["state"]
            if t.truth == "live":
                want = ("live", "waiting") if self.is_waiting(t) or kml.allocated_state(t) != "allocated" else ("live",)
            else:
                want = ("leaked",) if self.verdict.reported(t) else ("live",)
            if state not in want:
                bad.append("%s: %s, not %s" % (t, state, want))
        self.ok("whatis: planted objects are live or leaked as they are reported", not bad, bad)
        answers = self.ask("whatis", [t.addr for t in freed], status=(0,))
        # the page or area may be somebody else's by now
        bad = ["%s: %s" % (t, a["text"]) for t, a in zip(freed, answers) if a["object"] and a["object"]["state"] == "leaked"]
        free = sum(not a["object"] or a["object"]["state"] in ("free", "cached") for a in answers)
        self.ok("whatis: %d of %d freed slots are free, none is leaked" % (free, len(freed)), free * 2 > len(freed) and not bad, bad)

    def percpu(self, there):
        """Copies of the first CPU; what they are away from their pointers is
        where its static variables are."""
        blocks = [t for t in there if t.percpu and "cpu0" in t.extra]
        answers = self.ask("whatis", [int(t.extra["cpu0"], 16) + t.size - 1 for t in blocks], status=(0,))
        bad = ["%s: %s" % (t, a["text"]) for t, a in zip(blocks, answers)
               if a["is"] != "object" or int(a["object"]["address"], 16) != t.addr or a["object"]["offset"] != t.size - 1 or a.get("cpu") != 0]
        self.ok("whatis: %d copies of per-cpu blocks" % len(blocks), blocks and not bad, bad)
        self.cpu0 = (int(blocks[0].extra["cpu0"], 16) - blocks[0].addr) & (1 << 64) - 1 if blocks else None

    # ---- symbols of the vmlinux

    def symbols(self):
        symbols = elf_symbols(self.vmlinux)
        if not symbols:
            self.checks.note("%s: no symbols to compare with: zstd is missing" % self.where)
            return
        slide = int(self.report["kernel"]["kaslr_offset"], 16)
        at = {}
        for name, value, size, kind in symbols:
            at.setdefault(value, set()).add(name)
        named = {n: v for n, v, _, _ in symbols}
        start, end = named["__per_cpu_start"], named["__per_cpu_end"]
        init, init_end = named["__init_begin"], named["__init_end"]
        text, top = named["_text"], named["_end"]
        for what, kind, want in (("functions", 2, "text"), ("variables", 1, "data")):
            some = sorted({v for n, v, size, k in symbols if k == kind and size > 8 and not n.startswith("__pfx_") and text <= v < top and
                           not start <= v < end and not init <= v < init_end})
            # the first ones of every page or so, not all of a big kernel's
            some = some[::max(len(some) // 3000, 1)]
            answers = self.ask("whatis", [v + slide for v in some], status=(0,))
            bad = ["%s: %s" % (at[v], a["text"]) for v, a in zip(some, answers)
                   if a["is"] not in (want, "per-cpu pointer") or not a["symbol"] or a["symbol"].rpartition("+")[0] not in {n[:127] for n in at[v]} or not a["symbol"].endswith("+0x0")]
            self.ok("whatis: %d %s by their names" % (len(some), what), some and not bad, bad)
        if self.cpu0 is None:
            return
        shift = self.cpu0 + (slide if start else 0)
        some = sorted({v for _, v, size, k in symbols if k == 1 and size and start <= v < end})
        answers = self.ask("whatis", [v + shift & (1 << 64) - 1 for v in some], status=(0,))
        bad = ["%s: %s" % (at[v], a["text"]) for v, a in zip(some, answers)
               if a["is"] not in ("per-cpu variable", "task stack") or a.get("cpu") != 0 or a["symbol"].rpartition("+")[0] not in at[v]]
        self.ok("whatis: %d per-cpu variables of CPU 0" % len(some), some and not bad, bad)


def elf_symbols(path):
    """[(name, value, size, type)] of an ELF file, be it a .zst."""
    if path.endswith(".zst"):
        try:
            m = subprocess.run(["zstd", "-dcq", path], capture_output=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError):
            return None
    else:
        with open(path, "rb") as f:
            m = f.read()
    shoff, = struct.unpack_from("<Q", m, 40)
    size, count = struct.unpack_from("<HH", m, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", m, shoff + i * size) for i in range(count)]
    ret = []
    for s in sections:
        if s[1] != 2:
            continue
        strings = sections[s[6]]
        table = m[strings[4]:strings[4] + strings[5]]
        for name, info, _, shndx, value, n in struct.iter_unpack("<IBBHQQ", m[s[4]:s[4] + s[5]]):
            if name and shndx and info & 15 <= 2:
                ret.append((table[name:table.index(b"\0", name)].decode(), value, n, info & 15))
    return ret
