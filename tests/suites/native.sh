#!/bin/sh
# usage: native.sh ROOT COMMAND...
#
# Runs COMMAND below ROOT on this machine's own kernel, as alone as in a machine of its own, and with
# no right to set the clock, which is not its own.
set -eu
exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-
exec setpriv --bounding-set=-sys_time --inh-caps=-sys_time unshare -m -p -f -i -u -n sh -euc '
root=$1
shift
mount --bind "$root" "$root"
cd "$root"
mkdir -p dev proc sys tmp
mount -t proc proc proc
mount -t sysfs sysfs sys
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs tmpfs dev
for device in null zero full random urandom tty; do
	: > dev/$device
	mount --bind /dev/$device dev/$device
done
mkdir dev/shm dev/pts dev/mqueue
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t mqueue mqueue dev/mqueue
mount -t devpts -o newinstance,ptmxmode=666 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
ip link set lo up || true
exec env -i HOME=/root LOGNAME=root USER=root SHELL=/bin/sh PATH=/usr/sbin:/usr/bin:/sbin:/bin \
	chroot . "$@"
' native "$@"
