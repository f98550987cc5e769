# SPDX-License-Identifier: GPL-2.0-or-later
"""Section "crash" of the VM tests: what users have, a panic's /proc/vmcore.

The plant scenario ends in a panic (sysrq c), the crash kernel copies its
/proc/vmcore to a disk. One CPU panics, another is stopped by an NMI while it
spins with an object in a register: what they held is in the NT_PRSTATUS notes.
The CPU between them is offline and has none.
"""
import re, shutil


def run(vm, table):
    d = vm.boot_one("crash")
    if not d:
        return
    s = vm.Scenario("crash", d)
    s.elf = d + "/dump.vmcore"
    with open(d + "/console.log", errors="replace") as f:
        console = f.read()
    vm.checks.ok("crash: the kernel panicked, another had its memory",
                 "Kernel panic - not syncing: sysrq triggered crash" in console and "LAB: vmcore of" in console)
    if s.judged():
        vm.plant_truth(s, table)
        held(vm, s, console)
        filtered(vm, s)
    if not vm.reuse:
        shutil.rmtree(d)


def held(vm, s, console):
    """Stacks of the panicking task and of the CPU that the NMI stopped."""
    r, _ = vm.report("--stack=off", s.elf, s.vmlinux)
    if not r:
        return
    v = vm.kml.Verdict(s.truth, r)
    wrong = {t.id for _, t in v.wrong_live()}
    stack = {t.id for t in s.truth if t.extra.get("holder") == "stack"}
    register = {t.id for t in s.truth if t.extra.get("holder") == "register"}
    vm.checks.ok("crash: without stacks the objects are reported that only stacks hold (%d), and no other live one" %
                 len(stack), stack and stack <= wrong <= stack | register, sorted(wrong ^ stack))
    vm.checks.ok("crash: CPU 1 was offline", "CPU 1 is now offline" in console)
    addresses = [hex(t.addr) for t in s.truth if t.id in register]
    said = vm.run("show", addresses[0], s.elf, s.vmlinux).out.decode() if addresses else "nothing is held by a register"
    vm.checks.ok("crash: a register of CPU 2, which an NMI stopped, holds what it held",
                 re.search(r"register r\w+ of CPU 2\n", said) is not None, said)


def filtered(vm, s):
    """makedumpfile -l -d 31 of it, which is what most machines keep."""
    bad = []
    for fmt, strip in vm.SAME.items():
        a, b = (vm.run("--format=" + fmt, path, s.vmlinux) for path in (s.elf, s.dir + "/dump.vmcore.d31"))
        if (a.status, strip(a.out)) != (b.status, strip(b.out)):
            bad.append("%s: %s" % (fmt, vm.difference(strip(a.out), strip(b.out), b)))
    vm.checks.ok("crash: the same from makedumpfile -l -d 31 of it", not bad, bad)
