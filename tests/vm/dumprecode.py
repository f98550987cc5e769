#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""dumprecode.py IN OUT snappy: change a zlib diskdump's page compression.

No makedumpfile that Debian builds writes snappy (asked to, it writes the pages
uncompressed).  The format is simple enough to do it here: headers and bitmaps
stay, each page is compressed anew, with the real libsnappy.  As makedumpfile
does, a page that would not get smaller is kept as it is, and pages that shared
their data (the zero page) go on sharing it.
"""
import ctypes, ctypes.util, mmap, struct, sys, zlib

src, dst, how = sys.argv[1:]
if how != "snappy":
    sys.exit("dumprecode.py: only snappy")
lib = ctypes.CDLL(ctypes.util.find_library("snappy") or "libsnappy.so.1")
lib.snappy_max_compressed_length.restype = ctypes.c_size_t
FLAG = 4                        # DUMP_DH_COMPRESSED_SNAPPY

with open(src, "rb") as f:
    m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
if m[:8] != b"KDUMP   ":
    sys.exit("dumprecode.py: %s is not a diskdump file" % src)
o = (8 + 4 + 6 * 65 + 7) & ~7   # see dumpinfo.py
status, bs, sub, bitmap, _ = struct.unpack_from("<IiiII", m, o + 16)
if struct.unpack_from("<i", m, bs + 12)[0]:
    sys.exit("dumprecode.py: split dumps are not handled")
pd = bs * (1 + sub + bitmap)
n = int.from_bytes(m[bs * (1 + sub) + bitmap * bs // 2:pd], "little").bit_count()

head = bytearray(m[:pd])
struct.pack_into("<I", head, o + 16, (status & ~0x27) | FLAG)
limit = lib.snappy_max_compressed_length(ctypes.c_size_t(bs))
out = ctypes.create_string_buffer(limit)
descs, at, seen = bytearray(), pd + 24 * n, {}
with open(dst, "wb") as f:
    f.seek(at)
    for i in range(n):
        off, size, flags, pflags = struct.unpack_from("<QIIQ", m, pd + 24 * i)
        if off not in seen:
            page = m[off:off + size]
            if flags & 0x27 == 1:
                page = zlib.decompress(page)
            elif flags & 0x27:
                sys.exit("dumprecode.py: the input must be zlib")
            length = ctypes.c_size_t(limit)
            if lib.snappy_compress(page, ctypes.c_size_t(bs), out, ctypes.byref(length)) == 0 and length.value < bs:
                data, fl = out.raw[:length.value], FLAG
            else:
                data, fl = page, 0
            f.write(data)
            seen[off] = (at, len(data), fl)
            at += len(data)
        a, s, fl = seen[off]
        descs += struct.pack("<QIIQ", a, s, (flags & ~0x27) | fl, pflags)
    f.seek(0)
    f.write(bytes(head) + descs)
