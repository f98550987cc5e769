# SPDX-License-Identifier: GPL-2.0-or-later
# A kernel with kmemleak: what it reports and what it misses. With kml.plant
# the kernel's own sample module (loaded, unloaded, loaded again: the first one
# leaks its list as well) and kmlplant; else nothing leaks. Two scans, more than
# the 5 s apart that an object must be old, and the report is read by snap.
K=/sys/kernel/debug/kmemleak
scan() {
	echo scan > $K
	say "scan $1, up $(cut -d' ' -f1 /proc/uptime)s: $(grep -c '^unreferenced' $K) reported"
}
exercise 2
if grep -q 'kml\.plant' /proc/cmdline; then
	mkdir -p /tmp/cg && mount -t cgroup2 none /tmp/cg && {
		echo +memory > /tmp/cg/cgroup.subtree_control
		mkdir /tmp/cg/kml
	}
	insmod /lib/modules/kmemleak_test.ko && rmmod kmemleak_test
	say "sample again"
	insmod /lib/modules/kmemleak_test.ko
	insmod /lib/modules/kmlgone.ko && rmmod kmlgone
	churn 2
	(
		[ -d /tmp/cg/kml ] && echo 0 > /tmp/cg/kml/cgroup.procs
		exec insmod /lib/modules/kmlplant.ko $(sed -n 's/.*kml\.plant=\([^ ]*\).*/\1/p' /proc/cmdline | tr , ' ')
	)
fi
churn 8
sleep 7
scan 1
sleep 6
scan 2
if [ -e /sys/module/kmlplant ]; then
	# from here on nothing may end: RCU stands still
	exec taskset 1 sh -c '
		echo 1 > /sys/module/kmlplant/parameters/late
		exec /bin/snap dump /dev/ttyS1 /tmp/kmltrap.bin'
fi
dump dump
