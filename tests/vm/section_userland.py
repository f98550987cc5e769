# SPDX-License-Identifier: GPL-2.0-or-later
"""Section "userland" of the VM tests: a whole Debian under load.

systemd, XFS, ext4, btrfs, overlay, md, dm, NFS, network namespaces, nftables,
cgroups, processes, with the dump taken while they work (guest/load.sh). Judged
as the plant scenario is, for each suite of KML_VM_USERLAND.
"""
import os, re, shutil

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
        if not vm.reuse:
            shutil.rmtree(d)
