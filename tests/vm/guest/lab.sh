# SPDX-License-Identifier: GPL-2.0-or-later
# Helpers for the guest scripts (sourced by init).
say() { echo "LAB: $*"; }

# Load a module and what it depends on; labrun wrote the order down.
load() {
	local m
	[ -e "/lib/modules/load.$1" ] || { say "no module $1"; return 1; }
	for m in $(cat "/lib/modules/load.$1"); do
		[ -d "/sys/module/$m" ] || insmod "/lib/modules/$m.ko" || return 1
	done
}

# Make processes come and go, so that slots and stacks with old contents are
# used again, as they would be on a system that has been up for a while.
churn() {
	local i j n=${1:-5}
	for i in $(seq "$n"); do
		mkdir -p /mnt/c; mount -t tmpfs none /mnt/c
		for j in $(seq 40); do echo "$i $j" > /mnt/c/f$j; done
		for j in $(seq 40); do cat /mnt/c/f$j | /bin/true; (:); done
		rm -rf /mnt/c/*; umount /mnt/c
	done
}

# Take a dump called $1. All that the guest knows of itself is read by one
# process (snap) just before, slabinfo last: nothing starts or ends between
# that and the dump, or the numbers would not be those of the dump.
dump() {
	taskset 1 /bin/snap "$1" /dev/ttyS1
}
