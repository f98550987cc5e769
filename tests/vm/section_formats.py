# SPDX-License-Identifier: GPL-2.0-or-later
"""Section "formats" of the VM tests: the plant dump as other programs keep it.

What makedumpfile leaves out at each of its levels, flattened files (to be
converted), and QEMU's own compressed dumps of the same moment.
"""
import os, shutil, subprocess

# zero pages 1, cache 2, private cache 4, user 8, free 16
LEVELS = (1, 2, 4, 8, 16, 3, 17, 23, 30, 31)


class Formats:
    def __init__(self, vm, s):
        self.vm, self.s = vm, s
        self.makedumpfile = subprocess.run([vm.here + "/fetch-makedumpfile"], capture_output=True, text=True).stdout.strip()
        self.fixed = self.path("fixed")
        shutil.copy(s.elf, self.fixed)
        subprocess.run([vm.here + "/qemu-elf-fix", self.fixed], check=True)
        self.want = [self.answer(fmt, s.elf) for fmt in vm.SAME]

    def path(self, name):
        return os.path.join(self.vm.tmp, "formats." + name)

    def answer(self, fmt, path):
        r = self.vm.run("--format=" + fmt, path, self.s.vmlinux)
        return r.status, self.vm.SAME[fmt](r.out), r

    def same(self, name, path):
        """Every report of @path is that of the ELF dump."""
        bad = []
        for fmt, want in zip(self.vm.SAME, self.want):
            got = self.answer(fmt, path)
            if got[:2] != want[:2]:
                bad.append("%s: %s" % (fmt, self.vm.difference(want[1], got[1], got[2])))
        self.vm.checks.ok("formats: the same from %s" % name, not bad, bad)

    def convert(self, *argv, stdin=None, stdout=None):
        p = subprocess.run([self.makedumpfile, "--message-level", "4", *argv], stdin=stdin, stdout=stdout or subprocess.PIPE,
                           stderr=subprocess.PIPE)
        return self.vm.checks.ok("formats: makedumpfile %s" % " ".join(a for a in argv if a[0] == "-" or a.isdigit()),
                                 p.returncode == 0, p.stderr.decode(errors="replace").splitlines())

    def levels(self):
        for level in LEVELS:
            path = self.path("d%d" % level)
            if self.convert("-l", "-d", str(level), self.fixed, path):
                self.same("makedumpfile -d %d" % level, path)
                os.unlink(path)

    def flattened(self, name, path):
        """Told how to convert it (or read, if the library can); converted it is as good as any."""
        r = self.vm.run(path, self.s.vmlinux)
        self.vm.checks.ok("formats: %s is flattened: exit status 3 and how to convert it, or it is read" % name,
                          r.status == 3 and "flattened" in r.err and "makedumpfile -R NEW < '%s'" % path in r.err or
                          r.status == self.want[0][0], str(r))
        whole = self.path("whole")
        with open(path, "rb") as f:
            good = self.convert("-R", whole, stdin=f)
        if good:
            self.same(name + ", put in order by makedumpfile -R", whole)
            os.unlink(whole)


def run(vm, s):
    f = Formats(vm, s)
    f.levels()
    flat = f.path("flat")
    with open(flat, "wb") as out:
        good = f.convert("-F", "-c", "-d", "31", f.fixed, stdout=out)
    if good:
        f.flattened("makedumpfile -F", flat)
    os.unlink(flat)
    os.unlink(f.fixed)
    for kind in ("zlib", "lzo", "snappy"):
        path = "%s/dump.kdump-%s" % (s.dir, kind)
        if os.path.exists(path):
            f.flattened("QEMU's kdump-" + kind, path)
        else:
            # Debian's QEMU is built without these two
            vm.checks.ok("formats: this QEMU has no kdump-" + kind, kind != "zlib")
