# SPDX-License-Identifier: GPL-2.0-or-later
"""Section "kernels": the other stock kernels, with the leaks of every kind.

Each suite's kernel is booted in every scenario and judged as the first suite's
is, from the ELF dump and the -d 31 dump of it alone.
"""
import concurrent.futures, os, re, subprocess

SUITES = ("bullseye", "trixie", "trixie-backports")


def boot(vm, suite):
    """(suite, what it said, {scenario: directory}); suites may boot at a time."""
    argv = [vm.here + "/scenario", "-q", "-s", suite, "-o", vm.dumps]
    if os.environ.get("KML_VM_REUSE") != "1":
        argv.append("-f")
    p = subprocess.run(argv + list(vm.SCENARIOS), capture_output=True, text=True)
    dirs = {}
    for d in re.findall(r"^(/\S*/stock-[0-9.]+-\S+)(?: \(there already\))?$", p.stdout, re.M):
        dirs[re.sub(r".*/stock-[0-9.]+-", "", d)] = d
    for name, d in dirs.items():
        if name != "idle" and not os.path.exists(d + "/dump.d31"):
            m = subprocess.run([vm.here + "/makedumps", "-q", d + "/dump.elf"], capture_output=True, text=True)
            if m.returncode:
                return suite, p.stdout + p.stderr + m.stderr, {}
    return suite, p.stdout + p.stderr, dirs


def same(vm, s):
    """The same verdict from what makedumpfile leaves, and with one thread."""
    for fmt in ("text", "kmemleak"):
        strip = vm.SAME[fmt]
        whole = vm.run("--format=" + fmt, s.elf, s.vmlinux)
        for what, argv in (("-d 31", ["%s/dump.d31" % s.dir]), ("one thread", ["--threads=1", s.elf])):
            r = vm.run("--format=" + fmt, *argv, s.vmlinux)
            vm.checks.ok("%s: the same %s with %s" % (s.name, fmt, what), len(whole.out) > 100 and
                         (r.status, strip(r.out)) == (whole.status, strip(whole.out)),
                         vm.difference(strip(whole.out), strip(r.out), r))


def judge(vm, scenarios, table):
    vm.idle_truth(scenarios["idle"], table)
    for name in ("plant", "plant-drain"):
        vm.plant_truth(scenarios[name], table)
    for s in scenarios.values():
        vm.caches(s)
    if scenarios["plant"].judged():
        vm.options(scenarios["plant"])
    same(vm, scenarios["plant"])


def run(vm, table, kernels):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for suite, said, dirs in pool.map(lambda suite: boot(vm, suite), SUITES):
            missing = set(vm.SCENARIOS) - set(dirs)
            if not vm.checks.ok("%s: its kernel boots, and is dumped" % suite, not missing, said.splitlines()[-30:]):
                continue
            scenarios = {name: vm.Scenario(name, dirs[name]) for name in vm.SCENARIOS}
            kernels.append(scenarios["idle"].env)
            vm.checks.note("%s: %s" % (suite, scenarios["idle"].env["RELEASE"]))
            judge(vm, scenarios, table)
