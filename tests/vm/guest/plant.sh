# SPDX-License-Identifier: GPL-2.0-or-later
# The same, and then leaks of every kind. $PLANT_ARGS comes from the command
# line (kml.plant=drain,spin gives "drain=1 spin=1").
PLANT_ARGS=
for w in $(sed -n 's/.*kml\.plant=\([^ ]*\).*/\1/p' /proc/cmdline | tr , ' '); do
	PLANT_ARGS="$PLANT_ARGS $w=1"
done
exercise 5
# GFP_ACCOUNT charges a cgroup that isn't the root
mkdir -p /tmp/cg && mount -t cgroup2 none /tmp/cg && {
	echo +memory > /tmp/cg/cgroup.subtree_control
	mkdir /tmp/cg/kml
}
insmod /lib/modules/kmlgone.ko && rmmod kmlgone
churn 3
(
	[ -d /tmp/cg/kml ] && echo 0 > /tmp/cg/kml/cgroup.procs
	exec insmod /lib/modules/kmlplant.ko $PLANT_ARGS
)
churn 10
exercise 2
sleep 3
say "planted, up $(cut -d' ' -f1 /proc/uptime)s"
# from here on nothing may end: RCU stands still
taskset 1 sh -c '
	echo 1 > /sys/module/kmlplant/parameters/late
	exec /bin/snap dump /dev/ttyS1 /tmp/kmltrap.bin '$SNAP_CRASH
