# SPDX-License-Identifier: GPL-2.0-or-later
"""The section "rules" of tests/vm/run: rules, baselines and `show` on a stock
kernel's dump, with the planted holders as the truth."""
import json, os

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
