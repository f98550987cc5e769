# shellcheck shell=sh disable=SC2034
# SPDX-License-Identifier: GPL-2.0-or-later
# What the test dump's guest does (run by tests/vm/guest/init): a little of
# everything, leaks of every kind, then a dump. Less than tests/vm's exercise,
# which would leave a larger dump (and needs a block device).
ip link set lo up; ip addr add 127.0.0.1/8 dev lo 2>/dev/null
mkdir -p /tmp/www; echo hello > /tmp/www/x
httpd -p 127.0.0.1:8080 -h /tmp/www
for i in 1 2 3; do
	churn 1
	wget -q -O /dev/null http://127.0.0.1:8080/x
	ping -c 1 127.0.0.1 >/dev/null 2>&1
	insmod /lib/modules/harmless.ko && rmmod harmless
	# the last dismantled net namespace stays allocated with dangling pointers
	unshare -m -u -i -n /bin/true
done
killall httpd
# GFP_ACCOUNT charges a cgroup that isn't the root
mkdir -p /tmp/cg && mount -t cgroup2 none /tmp/cg && {
	echo +memory > /tmp/cg/cgroup.subtree_control
	mkdir /tmp/cg/kml
}
# before kmlplant: its leaks must not take the slots of kmlplant's freed objects
insmod /lib/modules/kmlgone.ko && rmmod kmlgone
churn 2
# drain: free slots to which the kernel still has dangling pointers are used up
# first
(
	echo 0 > /tmp/cg/kml/cgroup.procs
	exec insmod /lib/modules/kmlplant.ko spin=1 drain=1
)
churn 5
# snap would open 2,500 files here, all of which would still be there in the dump
mount -t tmpfs none /sys/kernel/slab
sleep 2
echo 3 > /proc/sys/vm/drop_caches
sleep 1
say "planted, up $(cut -d' ' -f1 /proc/uptime)s"
# from here on nothing may end: RCU stands still
taskset 1 sh -c '
	echo 1 > /sys/module/kmlplant/parameters/late
	exec /bin/snap dump /dev/ttyS1 /tmp/kmltrap.bin'
