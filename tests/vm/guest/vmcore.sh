# SPDX-License-Identifier: GPL-2.0-or-later
# In the kernel that took over after a panic: what /proc/vmcore shows of the
# one before goes to the disk, as it is.
load virtio_pci
load virtio_blk
size=$(stat -c %s /proc/vmcore)
say "vmcore of $size bytes"
if dd if=/proc/vmcore of=/dev/vda bs=1M conv=fsync; then
	stty -F /dev/ttyS1 raw
	echo "@@VMCORE:dump $size@@" > /dev/ttyS1
fi
echo "@@END@@" > /dev/ttyS1
sleep 60
