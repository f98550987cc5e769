# SPDX-License-Identifier: GPL-2.0-or-later
"""Section "userland" of the VM tests: a whole Debian under load."""


def run(vm, table):
    pass
