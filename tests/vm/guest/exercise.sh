# SPDX-License-Identifier: GPL-2.0-or-later
# Make the system do ordinary things (sourced by init).
exercise() {
	local n=${1:-1} i j
	ip link set lo up 2>/dev/null; ip addr add 127.0.0.1/8 dev lo 2>/dev/null
	mkdir -p /tmp/www; dd if=/dev/urandom of=/tmp/www/x bs=1k count=64 2>/dev/null
	httpd -p 127.0.0.1:8080 -h /tmp/www
	for i in $(seq $n); do
		mkdir -p /mnt/t; mount -t tmpfs none /mnt/t
		for j in $(seq 100); do echo $i $j > /mnt/t/f$j; done
		mkdir /mnt/t/d; ln -s ../f1 /mnt/t/d/l; mv /mnt/t/f2 /mnt/t/d/
		rm -rf /mnt/t/*; umount /mnt/t
		for j in $(seq 50); do /bin/true; (:); done
		for j in $(seq 10); do wget -q -O /dev/null http://127.0.0.1:8080/x; done
		ping -c 3 -i 0.1 127.0.0.1 >/dev/null 2>&1
		insmod /lib/modules/harmless.ko && rmmod harmless
		if [ -e /lib/modules/dummy.ko ]; then
			insmod /lib/modules/dummy.ko numdummies=1 && ip link set dummy0 up && ip addr add 10.9.9.1/24 dev dummy0
			ip link set dummy0 down; rmmod dummy
		fi
		# the last dismantled net namespace stays allocated with dangling pointers
		unshare -m -u -i -n /bin/true 2>/dev/null
	done
	# a real file system on a block device (cloud kernels have ext4 built in)
	load loop
	dd if=/dev/zero of=/tmp/disk bs=1M count=16 2>/dev/null
	mke2fs -F /tmp/disk >/dev/null 2>&1
	mkdir -p /mnt/e
	if mount -t ext4 -o loop /tmp/disk /mnt/e; then
		for j in $(seq 50); do cp /tmp/www/x /mnt/e/f$j; done
		rm /mnt/e/f1*; sync; umount /mnt/e
	fi
	rm -f /tmp/disk
	# a device that does DMA; nobody answers, which is all right
	if load virtio_pci && load virtio_net; then
		ip link set eth0 up; ip addr add 10.0.2.15/24 dev eth0
		ping -c 2 10.0.2.2 >/dev/null 2>&1
	fi
	killall httpd 2>/dev/null
	echo 3 > /proc/sys/vm/drop_caches
}
