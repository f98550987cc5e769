# SPDX-License-Identifier: GPL-2.0-or-later
# Give the machine over to the Debian on the disk (build-userland), with what
# the lab needs in /lab and a service that starts load.sh.
load virtio_pci
load virtio_blk
mkdir -p /new
mount -t ext4 /dev/vda /new || say "no root file system"
mkdir -p /new/lab
cp /bin/snap /load.sh /lib/modules/kmlplant.ko /lib/modules/kmlgone.ko /lib/modules/harmless.ko /new/lab/
cat > /new/etc/systemd/system/lab.service <<-'END'
	[Unit]
	Description=load, leaks and dump
	Wants=nfs-server.service
	After=nfs-server.service network.target
	[Service]
	ExecStart=/bin/bash /lab/load.sh
	StandardOutput=tty
	StandardError=tty
	TTYPath=/dev/console
	ExecStopPost=/sbin/poweroff -ff
	TasksMax=infinity
END
ln -sf ../lab.service /new/etc/systemd/system/multi-user.target.wants/lab.service
# a guest for some minutes
for u in apt-daily.timer apt-daily-upgrade.timer e2scrub_reap.service getty@.service serial-getty@.service; do
	ln -sf /dev/null /new/etc/systemd/system/$u
done
echo lab > /new/etc/hostname
umount /sys/kernel/debug /sys /proc /tmp /dev 2>/dev/null
mount -o move /dev /new/dev 2>/dev/null
exec switch_root /new /sbin/init
