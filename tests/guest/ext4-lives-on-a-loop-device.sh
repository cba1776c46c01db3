# A file holds a file system, behind a loop device.
set -e
cd "$(mktemp -d)"
truncate -s 16M disk
mke2fs -F disk > /dev/null
mkdir mnt
mount -o loop disk mnt
seq 1 10000 > mnt/numbers
sync
umount mnt
mount -o loop,ro disk mnt
seq 1 10000 | cmp - mnt/numbers
! touch mnt/new 2> /dev/null
umount mnt
