# SPDX-License-Identifier: GPL-2.0-or-later
"""Section "userland" of the VM tests: a whole Debian under load.

systemd, XFS, ext4, btrfs, overlay, md, dm, NFS, network namespaces, nftables,
cgroups, processes, with the dump taken while they work (guest/load.sh). Judged
as the plant scenario is, for each suite of KML_VM_USERLAND.
"""
import os, re, shutil, subprocess

import snapshotchecks

SUITES = os.environ.get("KML_VM_USERLAND", "bookworm trixie-backports").split()


def run(vm, table):
    for suite in SUITES:
        d = vm.boot_one("userland", "-s", suite)
        if not d:
            continue
        s = vm.Scenario("userland", d)
        s.name = "userland " + s.env["RELEASE"]
        with open(d + "/console.log", errors="replace") as f:
            console = f.read()
        load = re.search(r"LAB: planted, .* load ([0-9.]+)", console)
        vm.checks.ok("%s: all of the load ran" % s.name, load and float(load[1]) > 4 and "LAB: FAILED" not in console,
                     [line for line in console.splitlines() if "LAB:" in line])
        if s.judged():
            vm.plant_truth(s, table)
            filtered(vm, s)
            snapshotchecks.check(vm, s, [o.addr for o in s.verdict.objects[::150]][:8])
        if not vm.reuse:
            shutil.rmtree(d)


def filtered(vm, s):
    """makedumpfile -d 23 (7.1 and newer lose pages of slabs by -d 31): the page
    cache is gone, and with it the pages of NFS directories, which alone hold
    the names of entries. That is said."""
    fixed, path = s.dir + "/dump.fixed", s.dir + "/dump.d23"
    shutil.copy(s.elf, fixed)
    subprocess.run([vm.here + "/qemu-elf-fix", fixed], check=True)
    tool = subprocess.run([vm.here + "/fetch-makedumpfile"], capture_output=True, text=True).stdout.strip()
    if os.path.exists(path):
        os.unlink(path)
    p = subprocess.run([tool, "--message-level", "4", "-l", "-d", "23", fixed, path], capture_output=True, text=True)
    os.unlink(fixed)
    report, ran = vm.report(path, s.vmlinux) if p.returncode == 0 else (None, None)
    if not vm.checks.ok("%s: makedumpfile -d 23 of it is analyzed" % s.name, report, p.stdout + p.stderr):
        return
    gaps = [g["what"] for g in report["gaps"] if g["unsound"]]
    # Whether NFS has a directory in the page cache just then is up to the load.
    partial = bool(gaps)
    vm.checks.ok("%s: -d 23: %s" % (s.name, "partial for NFS directories, and nothing else" if partial else "no NFS directory was cached: complete"),
                 (ran.status, report["partial"]) == ((4, True) if partial else (1, False)) and len(gaps) <= 1 and all("NFS" in g for g in gaps),
                 gaps or str(ran))
    whole = {o.addr for o in s.verdict.objects}
    objects = vm.kml.Verdict(s.truth, report).objects
    missing = whole - {o.addr for o in objects}
    vm.checks.ok("%s: -d 23: all is reported that is of the whole dump" % s.name, not missing, [hex(a) for a in missing])
    more = [o for o in objects if o.addr not in whole]
    vm.checks.ok("%s: -d 23: what else is reported are small objects, as names are (%d)" % (s.name, len(more)),
                 len(more) < (500 if partial else 1) and all(o.kind == "slab" and o.bytes <= 256 for o in more), more)
    vm.checks.ok("%s: -d 23: each verdict is said to be of low trust, if it is partial" % s.name,
                 not partial or all(leak["trust"] == "low" for leak in vm.kml.report_leaks(report)))
