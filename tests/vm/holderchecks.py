#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""holderchecks.py DIRECTORY...: refs, path and whatis on a stock kernel's dump,
with what kmlplant planted as the truth. DIRECTORY: of a dump that `scenario`
made, as stock-6.1-plant. KMLANALYZE: the program, default ./kmlanalyze.

check() is the same for a section of tests/vm/run.
"""
import json, os, re, shlex, subprocess, sys, tempfile, time

here = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(here, "..", "golden"))
sys.dont_write_bytecode = True
import holdertruth
import kmltruth as kml

MANY = 200000                # addresses in one go...
SECONDS = 20                 # ... and how long they may take, under TCG's load


def check(vm, scenario):
    """@vm: .checks, .program (a path), .env. @scenario: .name, .dump("elf"),
    .vmlinux, .truth, .dir."""
    def run(*argv, input=""):
        p = subprocess.run([vm.program] + [str(a) for a in argv], input=input.encode(), capture_output=True, env=vm.env, timeout=600)
        return p.returncode, p.stdout, p.stderr.decode(errors="replace")

    with open(os.path.join(here, "..", "..", "schema", "kmlanalyze.schema.json")) as f:
        schema = json.load(f)
    slabinfo = os.path.join(scenario.dir, "guest", "slabinfo")
    holdertruth.Holders(vm.checks, run, scenario.name, scenario.dump("elf"), scenario.vmlinux, scenario.truth, schema,
                        slabinfo if os.path.exists(slabinfo) else None).all()
    many(vm, scenario, run)


def many(vm, scenario, run):
    """All page frames of the direct map that objects were planted in, and
    around: many addresses, answered quickly and in order."""
    some = [t.addr for t in scenario.truth if t.kind.startswith("slab:")]
    start = min(some) & ~0xfff
    asked = [start + i * 0x238 for i in range(MANY)]
    started = time.time()
    status, out, err = run("whatis", "-", *scenario.dump("elf"), scenario.vmlinux, input="".join("%016x\n" % a for a in asked))
    took = time.time() - started
    got = [int(line[:18], 16) for line in out.decode().splitlines()]
    vm.checks.ok("%s: whatis of %d addresses in order, %.1f s" % (scenario.name, MANY, took),
                 status == 0 and got == asked and took < SECONDS, err[-300:])


class Dump:
    def __init__(self, d):
        self.dir, self.name = d, os.path.basename(os.path.abspath(d))
        with open(d + "/kernel.env") as f:
            env = dict(re.findall(r"^(\w+)=(.*)$", f.read(), re.M))
        self.vmlinux = shlex.split(env["VMLINUX"])[0]
        self.truth = kml.load_truth(d + "/truth.tsv")

    def dump(self, fmt):
        return [self.dir + "/dump." + fmt]


class Vm:
    def __init__(self, tmp):
        self.checks = kml.Checks()
        self.program = os.path.abspath(os.environ.get("KMLANALYZE", "./kmlanalyze"))
        self.env = dict(os.environ, XDG_CACHE_HOME=tmp, LC_ALL="C")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    with tempfile.TemporaryDirectory(prefix="kml-holders.") as tmp:
        vm = Vm(tmp)
        for d in sys.argv[1:]:
            check(vm, Dump(d))
        sys.exit(vm.checks.done())
