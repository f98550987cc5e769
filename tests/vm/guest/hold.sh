# SPDX-License-Identifier: GPL-2.0-or-later
# Memory that is held and never given back, forgotten references, leaks of known
# sites (hold/).
exercise 3
# GFP_ACCOUNT charges a cgroup that isn't the root
mkdir -p /tmp/cg && mount -t cgroup2 none /tmp/cg && {
	echo +memory > /tmp/cg/cgroup.subtree_control
	mkdir /tmp/cg/kml
}
[ -e /sys/class/net/dummy0 ] || insmod /lib/modules/dummy.ko numdummies=1
mkdir -p /tmp/kmlhold
churn 3
(
	[ -d /tmp/cg/kml ] && echo 0 > /tmp/cg/kml/cgroup.procs
	exec insmod /lib/modules/kmlhold.ko $(sed -n 's/.*kml\.many=\([0-9]*\).*/many=\1/p' /proc/cmdline)
)
rm /tmp/kmlhold/gone
# (not exercise: it would remove dummy0, and wait for the references forever)
churn 8
sleep 3
# who allocated what, says the kernel: of the module alone, the serial line is slow
# (only cat reads page_owner well; links are other names of a cache)
module() {
	awk 'BEGIN { RS = ""; ORS = "\n\n" } /kmlhold/' /tmp/raw > $1
	rm /tmp/raw
}
if [ -e /sys/kernel/debug/page_owner ]; then
	cat /sys/kernel/debug/page_owner > /tmp/raw
	module /tmp/page_owner
fi
if grep -q slub_debug /proc/cmdline; then
	for d in /sys/kernel/debug/slab/*; do
		[ -L $d ] || cat $d/alloc_traces
	done > /tmp/raw
	module /tmp/alloc_traces
fi
say "held, up $(cut -d' ' -f1 /proc/uptime)s"
taskset 1 sh -c '
	echo 1 > /sys/module/kmlhold/parameters/late
	exec /bin/snap dump /dev/ttyS1'
