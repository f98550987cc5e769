# SPDX-License-Identifier: GPL-2.0-or-later
# As plant.sh, but what is dumped is a panic, by the kernel that takes over.
kload /crash/vmlinuz /crash/initrd.gz "console=ttyS0 panic=-1 nr_cpus=1 irqpoll reset_devices" || say "kload failed"
# The vmcore has no registers of a CPU that is offline.
echo 0 > /sys/devices/system/cpu/cpu1/online || say "CPU 1 is still there"
SNAP_CRASH=crash
. /plant.sh
