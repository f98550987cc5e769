# SPDX-License-Identifier: GPL-2.0-or-later
"""drgn -q -c DUMP -s VMLINUX quarantine.py: the address of each object in KASAN's quarantine, one a line.

The witness knows nothing of kmlanalyze: it walks mm/kasan/quarantine.c's lists.
"""
from drgn import cast
from drgn.helpers.linux import compound_head, for_each_possible_cpu, per_cpu, virt_to_page


def walk(queue):
    link = queue.head
    while link:
        slab = cast("struct slab *", compound_head(virt_to_page(prog, link.value_())))
        print(hex(link.value_() - slab.slab_cache.kasan_info.free_meta_offset.value_()))
        link = link.next


for batch in prog["global_quarantine"]:
    walk(batch)
for cpu in for_each_possible_cpu(prog):
    walk(per_cpu(prog["cpu_quarantine"], cpu))
    walk(per_cpu(prog["shrink_qlist"], cpu).qlist)
