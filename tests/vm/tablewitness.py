# SPDX-License-Identifier: GPL-2.0-or-later
"""drgn -q -c DUMP -s VMLINUX tablewitness.py: where the kernel's boot-time hash tables are, and how large they
are: a line each, NAME ADDRESS BYTES HEADS, HEADS being up to five of their
words that are not empty, as OFFSET=ADDRESS of what they refer to."""


def size_of(name):
    get = lambda x: prog[x].value_()
    return {"dentry_hashtable": lambda: 8 << (32 - get("d_hash_shift")),
            "inode_hashtable": lambda: 8 << get("i_hash_shift"),
            "mount_hashtable": lambda: 8 * (get("m_hash_mask") + 1),
            "tcp_hashinfo": lambda: 8 * (prog["tcp_hashinfo"].ehash_mask.value_() + 1)}[name]()


for name in ("dentry_hashtable", "inode_hashtable", "mount_hashtable", "tcp_hashinfo"):
    try:
        variable, size = prog[name], size_of(name)
    except (LookupError, AttributeError):
        continue
    if variable.type_.kind.name == "STRUCT":
        variable = variable.ehash
    at = variable.value_()
    words = memoryview(prog.read(at, size)).cast("Q")
    heads = ["0x%x=0x%x" % (i * 8, w & ~7) for i, w in enumerate(words) if w >> 47 == 0x1ffff and not w & 1][:5]
    print(name, "0x%x" % at, size, *heads)
