# SPDX-License-Identifier: GPL-2.0-or-later
"""A snapshot of a dump: small, and every query on it prints the same bytes as
on the dump, soon. Of the sections "why" and "userland"."""
import os, shutil, subprocess, time

QUERY_SECONDS = 0.2


def queries(addresses):
    where = ["0x%x" % a for a in addresses]
    # one query an address where it prints much
    ret = [[], ["--format=json"], ["--format=kmemleak"], ["caches"], ["caches", "--format=json"], ["top"], ["top", "--format=json"]]
    for command in ("show", "refs", "path", "whatis"):
        ret += [[command, *where], [command, "--format=json", *where]]
    return ret


def check(vm, s, addresses):
    path = os.path.join(vm.tmp, s.name.replace(" ", "-") + ".kml")
    r = vm.run(s.elf, s.vmlinux, "-o", path)
    if not vm.checks.ok("%s: a snapshot is written" % s.name, r.status == 1 and os.path.exists(path), str(r)):
        return
    bad, slow, slowest = [], [], (0, "")
    for q in queries(addresses):
        of_dump = vm.run(*q, s.elf, s.vmlinux)
        took = min(timed(vm, q, path) for _ in range(3))
        of_snapshot = vm.run(*q, path)
        if (of_dump.status, of_dump.out) != (of_snapshot.status, of_snapshot.out) or not of_dump.out:
            bad.append("%s: %s" % (" ".join(q), vm.difference(of_dump.out, of_snapshot.out, of_snapshot)))
        slowest = max(slowest, (took, " ".join(q[:2])))
        if took > QUERY_SECONDS:
            slow.append("%s: %.3f s" % (" ".join(q[:2]), took))
    same = vm.checks.ok("%s: %d queries print the same bytes of the dump and of its snapshot" % (s.name, len(queries(addresses))), not bad, bad)
    vm.checks.note("%s: the slowest query of a snapshot: %.3f s (%s)%s" % (s.name, *slowest, "" if not slow else "; over 0.2 s: " + ", ".join(slow)))
    if same:
        small(vm, s, path)
    os.unlink(path)


def timed(vm, q, path):
    start = time.time()
    vm.run(*q, path)
    return time.time() - start


def small(vm, s, path):
    d31 = os.path.join(vm.tmp, "dump.d31.zstd")
    fixed = os.path.join(vm.tmp, "fixed.elf")
    shutil.copyfile(s.elf, fixed)
    subprocess.run([vm.here + "/qemu-elf-fix", fixed], check=True)
    tool = subprocess.run([vm.here + "/fetch-makedumpfile"], capture_output=True, text=True).stdout.strip()
    p = subprocess.run([tool, "--message-level", "4", "-z", "-d", "31", fixed, d31], capture_output=True, text=True)
    os.unlink(fixed)
    if vm.checks.ok("%s: makedumpfile -d 31 -z of it" % s.name, p.returncode == 0, p.stdout + p.stderr):
        a, b = os.path.getsize(path), os.path.getsize(d31)
        vm.checks.ok("%s: its snapshot (%.1f MiB) is less than a tenth of that (%.1f MiB)" % (s.name, a / 2**20, b / 2**20), a * 10 < b)
        os.unlink(d31)
