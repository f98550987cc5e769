# SPDX-License-Identifier: GPL-2.0-or-later
"""drgn -q -c DUMP -s VMLINUX -s kmlhold.ko holdwitness.py TRUTH.TSV

Walks in the dump what hold/ says it planted, knowing nothing of kmlanalyze:
structures hold the objects that were logged, as many, of as many bytes; counts
are what was logged. Prints a line for each, "ok ..." or "bad ..."; exit status
1 if any is bad.
"""
import collections, os, sys

from drgn import Object, cast
from drgn.helpers.linux.cpumask import for_each_possible_cpu
from drgn.helpers.linux.list import hlist_for_each_entry, list_for_each_entry
from drgn.helpers.linux.mm import page_to_virt
from drgn.helpers.linux.percpu import per_cpu, per_cpu_ptr
from drgn.helpers.linux.rbtree import rbtree_inorder_for_each_entry
from drgn.helpers.linux.slab import find_containing_slab_cache
from drgn.helpers.linux.xarray import xa_for_each

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(sys.argv[0])), "..", "golden"))
sys.dont_write_bytecode = True
import kmltruth as kml

truth = kml.load_truth(sys.argv[1])
failed = 0


def tell(good, what, detail=""):
    global failed
    failed += not good
    print("%s %s%s" % ("ok " if good else "bad", what, "" if good else ": %s" % (detail,)))


def of(prefix):
    """The logged addresses of PREFIX.0, PREFIX.1, ..."""
    n = prefix.count(".") + 1
    return [t.addr for t in truth if t.id.startswith(prefix + ".") and t.id.count(".") == n and
            t.id[len(prefix) + 1:].isdigit() and t.truth in ("leak", "live")]


def same(what, got, prefix):
    want = of(prefix)
    got = [int(x) for x in got]
    tell(want and sorted(got) == sorted(want), "%s: %d objects" % (what, len(want)),
         "%d found, %d logged, %d of both" % (len(got), len(want), len(set(got) & set(want))))


def virt(page):
    return page_to_virt(page).value_()


# ---- what is held
conns = list(list_for_each_entry("struct kml_conn", prog["kml_conns"].address_of_(), "link"))
same("kml_conns", [c.value_() for c in conns], "conn")
same("kml_conn.name", [c.name.value_() for c in conns], "conn.name")
same("kml_conn.buf", [c.buf.value_() for c in conns], "conn.buf")

table = prog["kml_sessions"]
same("kml_sessions", [table.value_()], "session.table")
same("kml_table.buckets", [table.buckets.value_()], "session.buckets")
sessions = [s for i in range(table.mask.value_() + 1)
            for s in hlist_for_each_entry("struct kml_session", table.buckets[i].address_of_(), "hash")]
same("kml_table", [s.value_() for s in sessions], "session")
same("kml_session.user", [s.user.value_() for s in sessions], "session.user")

for accum in truth:
    if accum.truth != "accum" or accum.kind != "rbtree":
        continue
    cpu = int(accum.extra["cpu"])
    pool = per_cpu(prog["kml_pools"], cpu)
    tell(pool.flows.address_of_().value_() == accum.addr, "kml_pools of CPU %d is where it was logged" % cpu)
    flows = list(rbtree_inorder_for_each_entry("struct kml_flow", pool.flows.address_of_(), "node"))
    same("kml_pools of CPU %d" % cpu, [f.value_() for f in flows], "flow.%d" % cpu)
    same("kml_flow.stat of CPU %d" % cpu, [f.stat.value_() for f in flows], "flow.stat.%d" % cpu)

blobs = [cast("struct kml_blob *", p) for _, p in xa_for_each(prog["kml_blobs"].address_of_())]
same("kml_blobs", [b.value_() for b in blobs], "blob")
same("kml_blob.data", [b.data.value_() for b in blobs], "blob.data")


def xa_nodes(entry):
    """xa_is_node(), xa_to_node()"""
    if entry & 3 != 2 or entry <= 4096:
        return
    yield entry - 2
    slots = Object(prog, "struct xa_node", address=entry - 2).slots
    for i in range(len(slots)):
        yield from xa_nodes(slots[i].value_())


same("nodes of kml_blobs", xa_nodes(prog["kml_blobs"].xa_head.value_()), "blob.node")

dev = prog["kml_the_device"]
same("kml_the_device", [dev.value_()], "device")
reqs = list(list_for_each_entry("struct kml_req", dev.queue.address_of_(), "queue"))
same("kml_device.queue", [r.value_() for r in reqs], "req")
same("kml_req.page", [virt(r.page) for r in reqs], "req.page")
same("kml_device.ring", [dev.ring.value_()], "device.ring")
same("kml_device.stats", [dev.stats.value_()], "device.stats")

routes = [r for i in range(len(prog["kml_routes"]))
          for r in hlist_for_each_entry("struct kml_route", prog["kml_routes"][i].address_of_(), "hash")]
same("kml_routes", [r.value_() for r in routes], "route")
same("kml_route.dev", [r.dev.value_() for r in routes], "route.dev")


def queued(head):
    skb = head.next
    while skb.value_() != head.address_of_().value_():
        yield skb
        skb = skb.next


def shared_info(skb):
    return cast("struct skb_shared_info *", skb.head + skb.end)


def frag_page(frag):
    """skb_frag_t is a bio_vec until 6.9, and then its own."""
    if hasattr(frag, "bv_page"):
        return frag.bv_page
    return cast("struct page *", frag.netmem & ~1)


backlog = list(queued(prog["kml_backlog"]))
same("kml_backlog", [s.value_() for s in backlog], "backlog.skb")
same("sk_buff.head", [s.head.value_() for s in backlog], "backlog.head")
same("its fragments", [virt(frag_page(shared_info(s).frags[0])) for s in backlog], "backlog.frag")

# ---- what leaks
book = Object(prog, "struct kml_log_book", address=of("book")[0])
notes = list(list_for_each_entry("struct kml_note", book.notes.address_of_(), "link"))
same("kml_log_book", [n.value_() for n in notes], "note")
same("kml_note.text", [n.text.value_() for n in notes], "note.text")


def dirs(d):
    if d:
        yield d
        yield from dirs(d.left)
        yield from dirs(d.right)


tree = list(dirs(Object(prog, "struct kml_dir *", value=of("dir")[0])))
tell(len(tree) == 255, "kml_dir: 255 objects", len(tree))
same("kml_dir but its root", [d.value_() for d in tree[1:]], "dir.sub")
same("kml_dir.data", [d.data.value_() for d in tree], "dir.data")

# ---- sums: each object lies in the cache that was logged, and takes its bytes
caches = collections.Counter()
for t in truth:
    if t.kind.startswith("slab:") and t.truth in ("leak", "live"):
        c = find_containing_slab_cache(prog, t.addr)
        if not c:
            tell(False, str(t), "is in no slab")
            continue
        caches[t.kind[5:], c.name.string_().decode()] += 1
print("#   caches asked for, and that they are: " + ", ".join("%s %s %d" % (a, "=" if a == b else b, n)
                                                              for (a, b), n in sorted(caches.items())))
for t in truth:
    if t.truth not in ("accum", "group"):
        continue
    objects = sum(int(k.split(":")[1]) for k in t.extra["kinds"].split(","))
    size = sum(int(k.split(":")[2]) for k in t.extra["kinds"].split(","))
    tell((objects, size) == (int(t.extra["objects"]), t.size), "%s: the sum of its kinds" % t.id, (objects, size))

# ---- counts
def count(kind, a):
    if kind == "dentry":
        return Object(prog, "struct dentry", address=a).d_lockref.count.value_()
    if kind == "inode":
        return Object(prog, "struct inode", address=a).i_count.counter.value_()
    if kind == "file":
        f = Object(prog, "struct file", address=a)
        # f_ref since 6.13, which counts from 0
        return f.f_ref.refcnt.counter.value_() + 1 if hasattr(f, "f_ref") else f.f_count.counter.value_()
    if kind == "net_device":
        d = Object(prog, "struct net_device", address=a)
        if not hasattr(d, "pcpu_refcnt"):       # without CONFIG_PCPU_DEV_REFCNT
            return d.dev_refcnt.refs.counter.value_()
        return sum(per_cpu_ptr(d.pcpu_refcnt, c)[0].value_() for c in for_each_possible_cpu(prog))
    if kind == "sk_buff":
        return Object(prog, "struct sk_buff", address=a).users.refs.counter.value_()
    if kind == "task_struct":
        return Object(prog, "struct task_struct", address=a).usage.refs.counter.value_()
    if kind in ("page", "cut"):
        return Object(prog, "struct page", address=a)._refcount.counter.value_()
    return Object(prog, "struct kml_resource", address=a).ref.refcount.refs.counter.value_()


for t in truth:
    if t.truth in ("suspect", "counted"):
        n = count(t.kind, t.addr)
        tell(n == int(t.extra["count"]), "%s %s: count %s" % (t.kind, t.id, t.extra["count"]), n)
sys.exit(failed != 0)
