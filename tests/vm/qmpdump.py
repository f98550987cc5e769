#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Serve a lab guest: follow its console, dump it on request, take its files.

The guest speaks on its second serial port (see guest/snap.c):
    @@DUMP:NAME@@         stop it, dump it as NAME.FORMAT, let it go on, answer
    @@FILE:NAME SIZE@@    SIZE bytes follow, kept as OUT/guest/NAME
    @@CRASH@@             it panics now, which is what it shall do
    @@VMCORE:NAME SIZE@@  the first SIZE bytes of OUT/disk are NAME.vmcore
    @@END@@               all is here: end QEMU
Exit status 0 if a dump was taken and the files are complete, 5 if the kernel ended
before that and before our module did anything (see labrun).
"""
import argparse, json, os, re, select, socket, sys, time

ap = argparse.ArgumentParser()
for o in ("qmp", "data", "pid", "out", "limit", "formats"):
    ap.add_argument("--" + o, required=True)
a = ap.parse_args()
t0 = time.time()


def log(*m):
    print("[%6.1f] %s" % (time.time() - t0, " ".join(map(str, m))), flush=True)


def alive():
    try:
        with open("/proc/%s/stat" % a.pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def connect(path):
    s = socket.socket(socket.AF_UNIX)
    for _ in range(100):
        try:
            s.connect(path)
            return s
        except OSError:
            time.sleep(0.05)
    sys.exit("no connection to " + path)


class QMP:
    def __init__(self, path):
        self.f = connect(path).makefile("rw")
        json.loads(self.f.readline())
        self.cmd("qmp_capabilities")

    def cmd(self, execute, **arguments):
        self.f.write(json.dumps({"execute": execute, "arguments": arguments}) + "\n")
        self.f.flush()
        while True:
            r = json.loads(self.f.readline())
            if "return" in r or "error" in r:
                return r


q = QMP(a.qmp)
data = connect(a.data)
have = q.cmd("query-dump-guest-memory-capability")["return"]["formats"]
con = os.path.join(a.out, "console.log")
conpos, conbuf = 0, b""
buf = b""
want = None                     # (name, bytes still to come)
dumped = failed = planted = False


def take_dump(name):
    global dumped, failed
    q.cmd("stop")
    for fmt in a.formats.split():
        path = os.path.join(a.out, "%s.%s" % (name, fmt))
        if fmt not in have:
            log("skip", fmt, "(not in this QEMU)")
            continue
        t = time.time()
        r = q.cmd("dump-guest-memory", paging=False, protocol="file:" + path, format=fmt)
        if "error" in r:
            log("dump", fmt, "failed:", r["error"])
            failed = True
        else:
            log("dump %s: %.1f MiB in %.1f s" % (path, os.path.getsize(path) / 2**20, time.time() - t))
            dumped = True
    q.cmd("cont")
    data.sendall(b"ok\n")


def follow_console():
    """Tell what is of interest, and panics."""
    global conpos, conbuf, failed, planted
    try:
        with open(con, "rb") as f:
            f.seek(conpos)
            d = f.read()
    except OSError:
        return
    conpos += len(d)
    conbuf += d
    *lines, conbuf = conbuf.split(b"\n")
    for line in lines:
        line = line.decode("utf-8", "replace").rstrip("\r")
        if re.search(r"@@|LAB:|KMLPLANT-|Kernel panic|BUG:|WARNING:|Oops", line):
            log("guest:", line)
        planted |= "KMLPLANT" in line
        if not line.endswith("sysrq triggered crash") and ("Kernel panic" in line or "BUG:" in line or "Oops" in line):
            failed = True


while time.time() - t0 < float(a.limit):
    if select.select([data], [], [], 0.1)[0]:
        d = data.recv(65536)
        if not d:
            break
        buf += d
    else:
        follow_console()
        if not alive():
            break
    while buf:
        if want:
            name, size = want
            if len(buf) < size:
                break
            with open(os.path.join(a.out, "guest", name), "wb") as f:
                f.write(buf[:size])
            buf, want = buf[size:], None
            continue
        if b"\n" not in buf:
            break
        line, buf = buf.split(b"\n", 1)
        line = line.decode("utf-8", "replace").rstrip("\r")
        m = re.search(r"@@(DUMP|FILE|VMCORE):([\w.-]+)(?: (\d+))?@@", line)
        if m and m.group(1) == "DUMP":
            take_dump(m.group(2))
        elif m and m.group(1) == "VMCORE":
            path = os.path.join(a.out, m.group(2) + ".vmcore")
            os.rename(os.path.join(a.out, "disk"), path)
            os.truncate(path, int(m.group(3)))
            dumped = True
        elif m:
            want = (m.group(2), int(m.group(3)))
        elif "@@CRASH@@" in line:
            log("it panics now")
        elif "@@END@@" in line:
            follow_console()
            log("all files are here")
            q.cmd("quit")
            sys.exit(0 if dumped and not failed else 1)
        elif line:
            log("data port:", line)
else:
    log("time limit reached")
    sys.exit(3)
follow_console()
log("the guest ended without having been dumped" if not dumped else "the guest ended early")
sys.exit(1 if dumped or planted else 5)
