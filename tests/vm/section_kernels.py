# SPDX-License-Identifier: GPL-2.0-or-later
"""Section "kernels": the other stock kernels, with the leaks of every kind.

Each suite's kernel is booted in every scenario and judged as the first suite's
is, from the ELF dump and two filtered ones.
"""
import concurrent.futures, os, re, subprocess

import midwaychecks

SUITES = ("bullseye", "trixie", "trixie-backports")
FUZZ_RUNS = 30
SCENARIOS = ("idle", "plant") + (("plant-drain",) if os.environ.get("KML_VM_MATRIX") == "1" else ())
# whose kernel has KFENCE
KFENCE = {"trixie": ["kfence"], "trixie-backports": ["kfence"]}


def boot(vm, suite):
    """(suite, what it said, {scenario: directory}); suites may boot at a time."""
    argv = [vm.here + "/scenario", "-q", "-s", suite, "-o", vm.dumps]
    if os.environ.get("KML_VM_REUSE") != "1":
        argv.append("-f")
    p = subprocess.run(argv + list(SCENARIOS) + KFENCE.get(suite, []), capture_output=True, text=True)
    dirs = {}
    for d in re.findall(r"^(/\S*/stock-[0-9.]+-\S+)(?: \(there already\))?$", p.stdout, re.M):
        dirs[re.sub(r".*/stock-[0-9.]+-", "", d)] = d
    for name, d in dirs.items():
        if name.startswith("plant") and not os.path.exists(d + "/dump.d23"):
            m = subprocess.run([vm.here + "/makedumps", "-q", d + "/dump.elf"], capture_output=True, text=True)
            if m.returncode:
                return suite, p.stdout + p.stderr + m.stderr, {}
    return suite, p.stdout + p.stderr, dirs


def same(vm, s):
    """The same verdict from what makedumpfile leaves, and with one thread."""
    ways = {"one thread": ["--threads=1", s.elf], "-d 23": [s.dir + "/dump.d23"], "-d 31": [s.dir + "/dump.d31"]}
    if lacks_second_pages(vm, s):
        del ways["-d 31"]
    for fmt in ("text", "kmemleak"):
        strip = vm.SAME[fmt]
        whole = vm.run("--format=" + fmt, s.elf, s.vmlinux)
        for what, argv in ways.items():
            r = vm.run("--format=" + fmt, *argv, s.vmlinux)
            vm.checks.ok("%s: the same %s with %s" % (s.name, fmt, what), len(whole.out) > 100 and
                         (r.status, strip(r.out)) == (whole.status, strip(whole.out)),
                         vm.difference(strip(whole.out), strip(r.out), r))


def lacks_second_pages(vm, s):
    """makedumpfile -d 31 leaves out the second page of compound pages of 7.1
    and newer: what is made of such a dump is checked here."""
    report, ran = vm.report(s.dir + "/dump.d31", s.vmlinux)
    gaps = [g["what"] for g in report["gaps"]] if report else []
    if not any("lack just their second page" in what for what in gaps):
        return False
    vm.checks.ok("%s: -d 31 lacks second pages: exit status 4, and -d 23 is said to help" % s.name,
                 ran.status == 4 and report["partial"] and any("-d 23" in what for what in gaps), str(ran))
    v = vm.kml.Verdict(s.truth, report)
    # (its slot may have been allocated again)
    freed = [str(t) for o, t in v.wrong_freed() if t.kind.startswith("slab:") and o.addr == t.addr and
             b"\n  allocated: " not in vm.run("show", "0x%x" % t.addr, s.elf, s.vmlinux).out]
    vm.checks.ok("%s: ... no freed object is reported" % s.name, not freed, freed)
    whole = vm.kml.Verdict(s.truth, s.report) if s.judged() else v
    known = {o.addr for o in whole.objects}
    wrong = [o for o in v.objects if o.addr not in known]
    vm.checks.ok("%s: ... hardly one that the whole dump's report does not have (%d of %d objects)" % (
        s.name, len(wrong), s.objects()), len(wrong) * 100 <= s.objects(), wrong)
    vm.checks.ok("%s: ... each is said to be of low trust" % s.name,
                 all(leak["trust"] == "low" for leak in vm.kml.report_leaks(report)))
    return True


def large(vm, s):
    """Newer kernels say which blocks of pages are large kmallocs."""
    said = {int(leak["address"], 16) for leak in vm.kml.report_leaks(s.report) if "large kmalloc" in (leak["detail"] or "")}
    roots = {o.root for o in s.verdict.objects}
    want = {t.addr for t in s.truth if t.truth == "leak" and t.kind == "large"} & roots
    pages = {t.addr for t in s.truth if t.kind == "page"}
    known = bool(said) or s.env["SUITE"] == "trixie-backports"
    vm.checks.ok("%s: large kmallocs are named so (%d)%s" % (s.name, len(want), "" if known else ", where the kernel knows"),
                 want and (not known or want <= said and not said & pages), [hex(a) for a in want ^ said])


def kfence(vm, s, table):
    """Objects in KFENCE's pool are found, and what it has freed is told."""
    vm.idle_truth(s, table)
    drgn = subprocess.run([vm.here + "/fetch-drgn"], capture_output=True, text=True).stdout.strip()
    p = subprocess.run([drgn, "-q", "-c", s.elf, "-s", s.vmlinux, vm.here + "/kfence.py"], capture_output=True, text=True)
    if not vm.checks.ok("%s: drgn reads KFENCE's metadata" % s.name, p.returncode == 0, p.stderr) or not s.judged():
        return
    allocated, freed = map(int, p.stdout.split())
    got = s.report["objects"]["slab"]["quarantined"]["objects"]
    vm.checks.ok("%s: %d objects of KFENCE in use, %d freed ones quarantined" % (s.name, allocated, freed),
                 allocated and freed and got == freed, "%d quarantined" % got)


def judge(vm, scenarios, table):
    vm.idle_truth(scenarios["idle"], table)
    for name in SCENARIOS[1:]:
        vm.plant_truth(scenarios[name], table)
    for s in scenarios.values():
        vm.caches(s)
    if scenarios["plant"].judged():
        vm.options(scenarios["plant"])
        large(vm, scenarios["plant"])
        midwaychecks.check(vm, scenarios["plant"].name, scenarios["plant"].elf, scenarios["plant"].vmlinux)
    same(vm, scenarios["plant"])
    vm.fuzz(scenarios["plant"], FUZZ_RUNS)


def run(vm, table, kernels):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for suite, said, dirs in pool.map(lambda suite: boot(vm, suite), SUITES):
            missing = {*SCENARIOS, *KFENCE.get(suite, [])} - set(dirs)
            if not vm.checks.ok("%s: its kernel boots, and is dumped" % suite, not missing, said.splitlines()[-30:]):
                continue
            scenarios = {name: vm.Scenario(name, dirs[name]) for name in SCENARIOS}
            kernels.append(scenarios["idle"].env)
            vm.checks.note("%s: %s" % (suite, scenarios["idle"].env["RELEASE"]))
            judge(vm, scenarios, table)
            for name in KFENCE.get(suite, []):
                kfence(vm, vm.Scenario(name, dirs[name]), table)
