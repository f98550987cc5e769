# SPDX-License-Identifier: GPL-2.0-or-later
"""Slabs that the allocator could have been stopped at (a drgn script).

    drgn -q -c DUMP -s VMLINUX midway.py

One line each, addresses physical:
    empty  SLAB_CACHE FREELIST NR_SLABS N  of a slab no object of which is in
                                use: as long as it is made the first two are not
                                set, and the node does not count it among its N
    cpu    SLAB FREELIST FIRST END  of a kmem_cache_cpu (until sheaves came): the
                                slab, of objects between virtual addresses, is
                                not the CPU's yet, and its objects are on no list
    cache NEXT VALUE PREV VALUE NAME  of a busy cache: with these values it is off the
                                list of caches, as one that is being destroyed
    chunk MAP                   where the first per-cpu chunk says what is allocated
    sheaf MAIN OTHER NAME SHEAF  a CPU's main sheaf, and that of another cache
"""
from drgn import Object
from drgn.helpers.linux import *

try:
    slab_type = prog.type("struct slab").type_name()
except LookupError:
    slab_type = "struct page"       # until 5.17


def phys(obj):
    return follow_phys(prog["init_mm"].address_of_(), obj.address_).value_()


def empty_slab(cache):
    node = cache.node[0] if hasattr(cache, "node") else cache.per_node[0].node
    for slab in list_for_each_entry(slab_type, node.partial.address_of_(), "slab_list"):
        if not slab.inuse and slab.objects > 1:
            return slab, node.nr_slabs.counter
    return None


def cpu_slab(cache):
    for cpu in for_each_online_cpu(prog):
        c = per_cpu_ptr(cache.cpu_slab, cpu)
        slab = c.slab if hasattr(c, "slab") else c.page
        if slab and c.freelist and slab.frozen and slab.inuse == slab.objects:
            return c, slab
    return None


print("chunk 0x%x" % phys(prog["pcpu_first_chunk"].alloc_map))
for name in ("kmalloc-64", "kmalloc-192", "dentry"):
    cache = find_slab_cache(prog, name)
    before, after = cache.list.prev, cache.list.next
    print("cache 0x%x 0x%x 0x%x 0x%x %s" % (phys(before.next), after.value_(), phys(after.prev), before.value_(), name))
    if hasattr(cache, "cpu_sheaves"):
        other = find_slab_cache(prog, "kmalloc-96")
        for cpu in for_each_online_cpu(prog):
            pcs = per_cpu_ptr(cache.cpu_sheaves, cpu)
            print("sheaf 0x%x 0x%x %s 0x%x" % (phys(pcs.main), per_cpu_ptr(other.cpu_sheaves, cpu).main.value_(), name,
                                               pcs.main.value_()))
empty, moving = 0, 0
for cache in for_each_slab_cache(prog):
    found = empty < 3 and empty_slab(cache)
    if found:
        empty += 1
        slab, count = found
        print("empty 0x%x 0x%x 0x%x 0x%x" % (phys(slab.slab_cache), phys(slab.freelist), phys(count), count.value_()))
    found = hasattr(cache, "cpu_slab") and cpu_slab(cache)
    if found and moving < 3 and cache.size >= 64:
        moving += 1
        c, slab = found
        page = Object(prog, "struct page *", slab.value_())
        first = page_to_virt(page).value_()
        field = c.slab if hasattr(c, "slab") else c.page
        print("cpu 0x%x 0x%x 0x%x 0x%x" % (phys(field), phys(c.freelist), first,
                                           first + (4096 << compound_order(page).value_())))
