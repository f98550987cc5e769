# SPDX-License-Identifier: GPL-2.0-or-later
"""The section "rules" of tests/vm/run: rules, baselines and `show` on a stock
kernel's dump, with the planted holders as the truth."""
import json, os, re, subprocess

import kmltruth as kml
import rulechecks


def run(checks, program, tmp, scenario):
    """@program(*argv): as run's run(). @scenario: one in which things were
    planted."""
    def ran(*argv):
        r = program(*argv)
        return r.status, r.out, r.err

    here = os.path.dirname(os.path.abspath(__file__))
    with open(os.path.join(here, "..", "..", "schema", "kmlanalyze.schema.json")) as f:
        schema = json.load(f)
    rulechecks.Rules(checks, ran, tmp, scenario.name, scenario.dump("elf"), scenario.vmlinux, scenario.truth, schema).all()


def other_boot(checks, program, tmp, earlier, later):
    """The same leaks after another boot are old, by their fingerprints."""
    old = os.path.join(tmp, "earlier.json")
    r = program("--format=json", "-o", old, *earlier.dump("elf"), earlier.vmlinux)
    if not checks.ok("rules: a report of %s for a baseline" % earlier.name, r.status == 1, str(r)):
        return
    r = program("--format=json", "--baseline", old, *later.dump("elf"), later.vmlinux)
    report = json.loads(r.out)
    n = report["baseline"]["count"]
    checks.ok("rules: %s against a baseline of %s, another boot: %d of %d leaks are as in it" % (
        later.name, earlier.name, report["baseline"]["found"], n),
        not report["baseline"]["same_boot"] and report["baseline"]["found"] * 10 >= n * 9 and "of another boot" in r.err, str(r))


def tracked(checks, program, tmp, directory, vmlinux):
    """A kernel booted with slub_debug=U: who allocated what and when, against
    the kernel's own log."""
    dump, truth = os.path.join(directory, "dump.elf"), kml.load_truth(os.path.join(directory, "truth.tsv"))
    r = program("--format=json", dump, vmlinux)
    report = json.loads(r.out)
    kml.judge(checks, "slub_debug=U", kml.Verdict(truth, report))
    logged = {}
    with open(os.path.join(directory, "console.log"), errors="replace") as f:
        for line in f:
            m = re.search(r"\[ *(\d+\.\d+)\] KMLPLANT leak slab:\S+ (\S+) ", line)
            if m:
                logged[m[2]] = float(m[1])
    by_addr = {t.addr: t for t in truth}
    ends, bad, n = [], [], 0
    for group in report["leaks"]["groups"]:
        for leak in group["leaks"]:
            t = by_addr.get(int(leak["address"], 16))
            if leak["kind"] != "slab" or not t or t.id not in logged or leak["cache"] == "kml_noleaktrace":
                continue
            n += 1
            if leak["age_seconds"] is None:
                bad.append("%s has no age" % t)
                continue
            ends.append((logged[t.id] + leak["age_seconds"], str(t)))
            if t.id.startswith("kml_") and "[kmlplant]" not in group["caller"]["symbol"]:
                bad.append("%s by %s" % (t, group["caller"]["symbol"]))
    ends.sort()
    checks.ok("slub_debug=U: age and log give the same moment of the dump for %d leaks (%.2f to %.2f s after boot)" % (
        n, ends[0][0], ends[-1][0]), n > 400 and ends[-1][0] - ends[0][0] < 1, ends[:3] + ends[-3:])
    checks.ok("slub_debug=U: each has an age, and its caller is the module", not bad, bad)
    limit = int(max(leak["age_seconds"] or 0 for leak in kml.report_leaks(report))) - 1
    r = program("--format=json", "--min-age=%d" % limit, dump, vmlinux)
    young = json.loads(r.out)
    got = {o.addr for o in kml.report_objects(young)}
    bad = [leak["address"] for leak in kml.report_leaks(young) if leak["age_seconds"] is not None and leak["age_seconds"] < limit]
    old = {int(leak["address"], 16) for leak in kml.report_leaks(report) if (leak["age_seconds"] or 0) >= limit}
    checks.ok("slub_debug=U: --min-age=%d hides what is younger, not the %d that are older" % (limit, len(old)),
              not bad and old and old <= got and "is not known" in r.err, bad + [hex(a) for a in old - got])
    path = os.path.join(tmp, "module.rules")
    with open(path, "w") as f:
        f.write("not_leak module=kmlplant\n")
    r = program("--format=json", "--rules", path, dump, vmlinux)
    left = [leak["address"] for group in json.loads(r.out)["leaks"]["groups"] for leak in group["leaks"]
            if leak["kind"] == "slab" and group["caller"] and "[kmlplant]" in group["caller"]["symbol"]]
    checks.ok("slub_debug=U: module= selects what the module's code allocated", not left, left)
    r = program("show", "0x%x" % min(old), dump, vmlinux)
    checks.ok("slub_debug=U: show says who allocated it", b"\n  allocated by " in r.out, str(r))


def boot_tracked(checks, program, tmp, suite, dumps, vmlinux):
    argv = [os.path.join(os.path.dirname(os.path.abspath(__file__)), "scenario"), "-q", "-s", suite, "-o", dumps]
    argv += ([] if os.environ.get("KML_VM_REUSE") == "1" else ["-f"]) + ["plant-track"]
    p = subprocess.run(argv, capture_output=True, text=True)
    found = re.findall(r"^(/\S*-plant-track)(?: \(there already\))?$", p.stdout, re.M)
    if checks.ok("slub_debug=U: a kernel boots, and is dumped", p.returncode == 0 and found, (p.stdout + p.stderr).splitlines()[-20:]):
        tracked(checks, program, tmp, found[0], vmlinux)
