# SPDX-License-Identifier: GPL-2.0-or-later
"""Section "machines" of the VM tests: the plant scenario on other machines.

1 and 8 CPUs, KASLR off, page tables of 5 levels, NUMA (with a node that has no
memory), memory with a hole in it and hot-plugged memory above 4 GiB. What each
is, `scenario` knows; here it is asserted that the guest was one, and that what
is reported is true.
"""
import re, shutil

MIB = 1 << 20


def cpus(n):
    return lambda s, console: s.report["machine"]["cpus"] == n


MACHINES = {
    "cpus1": cpus(1),
    "cpus8": cpus(8),
    "nokaslr": lambda s, console: int(s.report["kernel"]["kaslr_offset"], 16) == 0,
    # the direct map starts where 4 levels have no addresses at all
    "la57": lambda s, console: all(t.addr < 0xffff800000000000 for t in s.truth if t.kind == "large"),
    "numa": lambda s, console: "nr_node_ids:3" in console and "node 2 as memoryless" in console,
    "holes": lambda s, console: s.report["machine"]["memory_bytes"] == 768 * MIB and
             re.search(r"\[mem 0x0*8000000-0x0*97fffff\] reserved", console) is not None,
}


# Boots take time: what does not get in each other's way shares one.
TOGETHER = ("cpus1+nokaslr", "cpus8", "la57+holes", "numa")


def run(vm, table):
    """@vm: the module `run`. Adds a row to @table for each machine."""
    for name in TOGETHER:
        d = vm.boot_one("plant", "-m", name)
        if not d:
            continue
        s = vm.Scenario("plant-" + name, d)
        if s.judged():
            with open(d + "/console.log", errors="replace") as f:
                console = f.read()
            for part in name.split("+"):
                vm.checks.ok("%s: the guest was such a machine: %s" % (s.name, part), MACHINES[part](s, console))
            vm.plant_truth(s, table)
        if not vm.reuse:
            shutil.rmtree(d)
