# SPDX-License-Identifier: GPL-2.0-or-later
# In the guest with a full userland (a service's script): put the kernel to
# work, plant leaks, have the dump taken while it works.
say() { echo "LAB: $*"; }
must() { "$@" || { say "FAILED: $*"; failed=1; }; }
failed=
plant=$(sed -n 's/.*kml\.plant=\([^ ]*\).*/\1/p' /proc/cmdline | tr , ' ')
say "userland is up, $(cut -d' ' -f1 /proc/uptime)s"
echo 1 > /proc/sys/kernel/kptr_restrict
cd /lab || exit 1

# ---- file systems, on loop devices, md and dm
image() { truncate -s "$2" "/lab/$1.img"; losetup -f --show "/lab/$1.img"; }
modprobe -a loop xfs btrfs overlay raid1 dm_mod dm_crypt dm_snapshot
mkdir -p /mnt/{xfs,ext4,btrfs,overlay,md,crypt,nfs} /srv/nfs
must mkfs.xfs -q "$(image xfs 320M)";	must mount -o loop /lab/xfs.img /mnt/xfs
must mke2fs -q -t ext4 "$(image ext4 64M)";	must mount -o loop /lab/ext4.img /mnt/ext4
must mkfs.btrfs -q "$(image btrfs 128M)";	must mount -o loop /lab/btrfs.img /mnt/btrfs
a=$(image md1 48M) b=$(image md2 48M)
must mdadm --create /dev/md0 --run --level=1 --metadata=1.2 --raid-devices=2 "$a" "$b"
must mke2fs -q -t ext4 /dev/md0;	must mount /dev/md0 /mnt/md
c=$(image crypt 40M)
echo secret | must cryptsetup open --type plain --cipher aes-cbc-essiv:sha256 --hash sha256 "$c" crypt
echo 0 65536 linear /dev/mapper/crypt 0 | must dmsetup create line
must mke2fs -q -t ext4 /dev/mapper/line;	must mount /dev/mapper/line /mnt/crypt
mkdir /mnt/ext4/{up,work}
must mount -t overlay -o lowerdir=/etc,upperdir=/mnt/ext4/up,workdir=/mnt/ext4/work overlay /mnt/overlay
must btrfs subvolume create /mnt/btrfs/sub > /dev/null
must exportfs -o rw,no_root_squash,insecure,fsid=0 127.0.0.1:/srv/nfs
must timeout 60 mount -t nfs4 -o soft 127.0.0.1:/ /mnt/nfs

# ---- two network namespaces with a pair of veth, filtered
must ip netns add left;	must ip netns add right
must ip -n left link add veth-l type veth peer name veth-r netns right
ip -n left addr add 10.1.0.1/24 dev veth-l;	ip -n right addr add 10.1.0.2/24 dev veth-r
for n in left right; do ip -n $n link set lo up; done
ip -n left link set veth-l up;	ip -n right link set veth-r up
must ip netns exec right nft -f - <<'END'
table inet t {
	set seen { type ipv4_addr; flags dynamic,timeout; timeout 1m; }
	chain in {
		type filter hook input priority 0; policy accept;
		ct state established,related counter accept
		ip saddr 10.1.0.0/24 update @seen { ip saddr }
		tcp dport 1-1000 counter drop
	}
}
END

# ---- the load
forever() { while :; do "$@"; done > /dev/null 2>&1 & }
files() {	# in directory $1
	local d=$1/t
	mkdir -p $d
	tar -C /usr/share -cf - perl5 debconf | tar -C $d -xf -
	find $d -type f | head -60 | xargs -r sha256sum
	ln $d/debconf/* $1/ ;	setfattr -n user.k -v x $d
	mv $d $1/u;	sync -f $1;	rm -rf "${1:?}"/*
}
forks() { for _ in {1..30}; do (:; ls /proc/self/task | cat) ; done; }
groups() {
	local g=/sys/fs/cgroup/lab$1
	mkdir -p $g
	(echo $BASHPID > $g/cgroup.procs; dd if=/dev/zero of=/run/g$1 bs=64k count=64; rm /run/g$1)
	rmdir $g
}
namespaces() { unshare -m -u -i -n -p -f /bin/true; }
cache() { cat /usr/bin/* /usr/lib/x86_64-linux-gnu/*.so*; echo 1 > /proc/sys/vm/drop_caches; sleep 2; }
snapshots() {
	btrfs subvolume snapshot /mnt/btrfs/sub /mnt/btrfs/snap
	sleep 1;	btrfs subvolume delete /mnt/btrfs/snap
}
for d in /mnt/{xfs,ext4,btrfs/sub,overlay/lab,md,crypt,nfs}; do mkdir -p $d; forever files $d; done
forever forks;	forever groups 1;	forever groups 2;	forever namespaces
forever cache;	forever snapshots
ip netns exec right python3 - <<'END' &
import socket, threading
s = socket.create_server(("10.1.0.2", 5000), backlog=64)
def serve(c):
    while c.recv(65536):
        c.sendall(b"y" * 3000)
while True:
    threading.Thread(target=serve, args=(s.accept()[0],), daemon=True).start()
END
sleep 1
ip netns exec left python3 - <<'END' &
import os, select, socket, threading, time
held = [socket.create_connection(("10.1.0.2", 5000)) for _ in range(20)]
u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
ep = select.epoll(); [ep.register(c) for c in held]
pipes = [os.pipe() for _ in range(20)]
while True:
    s = socket.create_connection(("10.1.0.2", 5000))
    for c in held[:5] + [s]:
        c.sendall(b"x" * 9000); c.recv(3000)
    for a, b in pipes:
        os.write(b, b"z" * 5000); os.read(a, 2500)
    u.sendto(b"u" * 4000, ("10.1.0.2", 5001))
    s.close(); ep.poll(0)
END
say "under load, $(cut -d' ' -f1 /proc/uptime)s"
sleep 20
insmod /lab/harmless.ko && rmmod harmless
insmod /lab/kmlgone.ko && rmmod kmlgone
mkdir -p /sys/fs/cgroup/kml
echo +memory > /sys/fs/cgroup/cgroup.subtree_control
(
	echo 0 > /sys/fs/cgroup/kml/cgroup.procs
	exec insmod /lab/kmlplant.ko ${plant:+$(printf '%s=1 ' $plant)}
)
sleep 8
say "planted, $(cut -d' ' -f1 /proc/uptime)s, load $(cat /proc/loadavg)"
df -h /mnt/* | sed 's/^/LAB: /'
[ -z "$failed" ] || { say "not all of the load runs"; poweroff -f; }
exec chrt -f 1 taskset 1 bash -c '
	echo 1 > /sys/module/kmlplant/parameters/late
	exec /lab/snap dump /dev/ttyS1 /tmp/kmltrap.bin'
