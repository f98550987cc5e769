# SPDX-License-Identifier: GPL-2.0-or-later
"""(drgn) How many objects of KFENCE are allocated, and how many freed."""
import collections

pool = prog["__kfence_pool"].value_()
metadata = prog["kfence_metadata"]
states = collections.Counter()
i = 0
# each has its page, even before it is used
while True:
    try:
        m = metadata[i]
        if not 0 <= m.addr.value_() - (pool + (i + 1) * 2 * 4096) < 4096:
            break
        states[m.state.format_(type_name=False)] += 1
    except FaultError:
        break
    i += 1
print(states["KFENCE_OBJECT_ALLOCATED"], states["KFENCE_OBJECT_FREED"])
