# SPDX-License-Identifier: GPL-2.0-or-later
# As plant.sh, but what is dumped is a panic, by the kernel that takes over.
kload /crash/vmlinuz /crash/initrd.gz "console=ttyS0 panic=-1 nr_cpus=1 irqpoll reset_devices" || say "kload failed"
SNAP_CRASH=crash
. /plant.sh
