# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine may be stopped while a slab is being made, or on its way to a CPU:
dumps with slabs put back there (midway.py names some)."""
import json, mmap, os, re, shutil, struct, subprocess

import kmltruth as kml

POISON = 0xdead000000000122     # list_del() leaves it in what is freelist later


def load_segments(m):
    phoff, = struct.unpack_from("<Q", m, 32)
    size, n = struct.unpack_from("<HH", m, 54)
    for i in range(n):
        kind, _, offset, _, pa, bytes_ = struct.unpack_from("<IIQQQQ", m, phoff + i * size)
        if kind == 1:
            yield pa, pa + bytes_, offset


class Damaged:
    """A copy of a dump, with words at physical addresses changed."""
    def __init__(self, elf, path):
        self.path = path
        shutil.copyfile(elf, path)

    def write(self, words):
        with open(self.path, "r+b") as f, mmap.mmap(f.fileno(), 0) as m:
            segments = list(load_segments(m))
            for pa, value in words:
                at = next(offset + pa - start for start, end, offset in segments if start <= pa < end)
                struct.pack_into("<Q", m, at, value)


def addresses(r):
    return {a for a, _ in kml.load_kmemleak(r.out.decode(errors="replace"))}


def check(vm, name, elf, vmlinux):
    drgn = subprocess.run([vm.here + "/fetch-drgn"], capture_output=True, text=True).stdout.strip()
    p = subprocess.run([drgn, "-q", "-c", elf, "-s", vmlinux, vm.here + "/midway.py"], capture_output=True, text=True)
    lines = [[int(x, 16) if x.startswith("0x") else x for x in line.split()] for line in p.stdout.splitlines()]
    empty = [x for x in lines if x[0] == "empty"]
    cpu = [x for x in lines if x[0] == "cpu"]
    sheaf = [x for x in lines if x[0] == "sheaf"]
    # (with sheaves in front of them slabs are rarely left empty)
    if not vm.checks.ok("%s: drgn finds slabs of which no object is in use (%d), and what CPUs have (%d)" % (name, len(empty), len(cpu + sheaf)),
                        p.returncode == 0 and (empty and cpu or sheaf), p.stderr.splitlines()[-5:]):
        return
    before = addresses(vm.run("--format=kmemleak", elf, vmlinux))
    d = Damaged(elf, os.path.join(vm.tmp, "midway.elf"))

    def leaks():
        r = vm.run("--format=kmemleak", d.path, vmlinux)
        said = json.loads(vm.run("--format=json", d.path, vmlinux).out)
        return r, addresses(r), [g for g in said["gaps"] if g["unsound"]]

    if empty:
        d.write([(empty[0][1], 0), (empty[0][3], empty[0][4] - 1)] + [(x[2], POISON) for x in empty[1:]])
        r, after, gaps = leaks()
        vm.checks.ok("%s: %d slabs that are being made: nothing else leaks, nothing is unsure" % (name, len(empty)),
                     r.status == 1 and after == before and not gaps, "%s %s %s" % (r, gaps, [hex(a) for a in after ^ before]))
    for x in (x for x in lines if x[0] == "cache"):
        shutil.copyfile(elf, d.path)
        d.write([(x[1], x[2]), (x[3], x[4])])
        r, after, gaps = leaks()
        vm.checks.ok("%s: %s, off the list of caches, is found by its slabs: the same leaks, nothing is unsure" % (name, x[5]),
                     r.status == 1 and after == before and not gaps, "%s %s %s" % (r, gaps, [hex(a) for a in after ^ before]))
    x, = (x for x in lines if x[0] == "chunk")
    shutil.copyfile(elf, d.path)
    d.write([(x[1], POISON)])
    r, after, gaps = leaks()
    vm.checks.ok("%s: without the first per-cpu chunk: that is said, and nothing else is reported" % name,
                 r.status == 4 and gaps and after <= before, "%s %s %s" % (r, gaps, [hex(a) for a in after - before]))
    for x in sheaf:
        for what, value in ("none", 0), ("another cache's", x[2]):
            shutil.copyfile(elf, d.path)
            d.write([(x[1], value)])
            r, after, gaps = leaks()
            vm.checks.ok("%s: %s, with %s as a CPU's main sheaf: that is said, and nothing but the lost sheaf is reported" % (name, x[3], what),
                         r.status == 4 and gaps and after - before <= {x[4]}, "%s %s %s" % (r, gaps, [hex(a) for a in after - before]))
    if cpu:
        shutil.copyfile(elf, d.path)
        d.write([(x[1], 0) for x in cpu] + [(x[2], 0) for x in cpu])
        r, after, gaps = leaks()
        inside = [a for a in before if any(first <= a < end for _, _, _, first, end in cpu)]
        vm.checks.ok("%s: %d slabs on their way to a CPU: it is said that their objects are in doubt" % (name, len(cpu)),
                     r.status == 4 and sum(g["count"] for g in gaps) == len(cpu), "%s %s" % (r, gaps))
        vm.checks.ok("%s: ... and none of them is reported" % name,
                     not any(first <= a < end for a in after for _, _, _, first, end in cpu) and before - after >= set(inside))
        vm.checks.ok("%s: ... nor anything that was not" % name, after <= before, [hex(a) for a in after - before])
    os.unlink(d.path)
