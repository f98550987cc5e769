# SPDX-License-Identifier: GPL-2.0-or-later
"""A drgn script: list every allocated object of every slab cache, and count."""
from drgn.helpers.linux.slab import for_each_slab_cache, slab_cache_for_each_allocated_object

n = 0
for cache in for_each_slab_cache(prog):
    for obj in slab_cache_for_each_allocated_object(cache, "char"):
        n += 1
print(n)
