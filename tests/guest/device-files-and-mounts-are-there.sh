# What every program expects below /dev, /proc and /sys.
set -e
for file in null zero full random urandom tty ptmx console; do [ -c /dev/$file ]; done
[ "$(head -c 3 /dev/zero | od -An -tx1)" = " 00 00 00" ]
! echo x 2> /dev/null > /dev/full
for type in proc sysfs devtmpfs devpts tmpfs mqueue cgroup2; do
	grep -q "^[^ ]* [^ ]* $type " /proc/mounts
done
grep -qw ext4 /proc/filesystems
grep -qw overlay /proc/filesystems
grep -qw fuse /proc/filesystems
