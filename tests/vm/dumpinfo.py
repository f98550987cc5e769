#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""dumpinfo.py [--check] FILE[=COMPRESSION]...: what is in a diskdump file.

Reads every page descriptor of a makedumpfile (KDUMP) file and counts pages by
compression, and tests a page of each kind by decompressing where Python can.
With --check, exit 1 unless the compressed pages of each FILE use COMPRESSION
only and there are some.
"""
import collections, mmap, struct, sys, zlib

NAMES = {0: "none", 1: "zlib", 2: "lzo", 4: "snappy", 0x20: "zstd"}


def info(path):
    with open(path, "rb") as f:
        m = mmap.mmap(f.fileno(), 0, prot=mmap.PROT_READ)
    if m[:8] != b"KDUMP   ":
        return None
    # struct disk_dump_header: signature, version, utsname of 6 * 65, then
    # (aligned to 8) timestamp 2 * 8, status, block_size, sub_hdr_size, bitmap_blocks, max_mapnr
    o = 8 + 4 + 6 * 65
    o = (o + 7) & ~7
    status, bs, sub, bitmap, maxmap = struct.unpack_from("<IiiII", m, o + 16)
    # struct kdump_sub_header: phys_base, dump_level, split, start_pfn, end_pfn,
    # vmcoreinfo, note, eraseinfo, then start_pfn_64, end_pfn_64, max_mapnr_64
    s = bs
    level, split = struct.unpack_from("<ii", m, s + 8)
    # start_pfn and end_pfn are unsigned long at 16 and 24; then 6 words
    start, end, maxmap = struct.unpack_from("<QQQ", m, s + 80)
    bmoff = bs * (1 + sub)
    half = bitmap * bs // 2
    bits = m[bmoff + half:bmoff + 2 * half]
    if split:
        n = sum(bits[p >> 3] >> (p & 7) & 1 for p in range(start, min(end, maxmap)))
    else:
        n = int.from_bytes(bits, "little").bit_count()
    pd = bmoff + bitmap * bs
    c = collections.Counter()
    unpacked = 0
    for i in range(n):
        off, size, flags, _ = struct.unpack_from("<QIIQ", m, pd + 24 * i)
        kind = NAMES.get(flags & 0x27, hex(flags))
        c[kind] += 1
        if kind == "zlib" and unpacked < 100:
            assert len(zlib.decompress(m[off:off + size])) == bs
            unpacked += 1
        if kind == "zstd":
            # 4-byte magic of a zstd frame
            assert m[off:off + 4] == b"\x28\xb5\x2f\xfd", "not a zstd frame"
    return "level %d%s, %d pages: %s" % (
        level, ", pfn %d..%d" % (start, end) if split else "", n,
        ", ".join("%d %s" % (v, k) for k, v in sorted(c.items()))), c


bad = False
args = sys.argv[1:]
check = "--check" in args
for a in args:
    if a == "--check":
        continue
    path, _, want = a.partition("=")
    r = info(path)
    if r is None:
        print("%s: not a diskdump file" % path)
        bad = True
        continue
    print("%s: %s" % (path.rsplit("/", 1)[-1], r[0]))
    kinds = set(r[1]) - {"none"}
    if check and want and kinds != {want}:
        print("%s: has %s, want %s" % (path, kinds, want), file=sys.stderr)
        bad = True
sys.exit(1 if bad and check else 0)
