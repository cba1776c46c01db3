#!/bin/sh
# usage: BUSYBOX=busybox.tar.bz2 SYSROOT=DIR [JOBS=N] root.sh ROOT WORK
#
# Makes in ROOT what the guest has, of this machine's own instruction set: BusyBox in the same
# configuration, its links and /etc. DIR is the project's sysroot. WORK is emptied and keeps BusyBox's
# source in WORK/bb, the kernel's headers for musl-gcc in WORK/headers, and the testsuite in WORK/suite.tar.
set -eu
rm -rf "$1" "$2"
mkdir -p "$1/bin" "$2/bb" "$2/headers"
root=$(cd "$1" && pwd)
work=$(cd "$2" && pwd)
for name in linux asm-generic mtd scsi; do ln -s /usr/include/$name "$work/headers/$name"; done
ln -s "/usr/include/$(cc -print-multiarch)/asm" "$work/headers/asm"

cd "$work/bb"
tar xf "$BUSYBOX" --strip-components=1
make -s defconfig
grep -o '^CONFIG_[A-Z0-9_]*' "$SYSROOT/busybox/settings" > changed
grep -v -w -F -f changed .config > config.base
cat config.base "$SYSROOT/busybox/settings" > .config
yes '' | make -s oldconfig
make -s -j"${JOBS:-1}" CC="musl-gcc -idirafter $work/headers -w" HOSTCFLAGS=-w SKIP_STRIP=y \
	busybox_unstripped busybox.links

cp busybox_unstripped "$root/bin/busybox"
while read -r link; do
	mkdir -p "$root${link%/*}"
	[ "$link" = /bin/busybox ] || ln -s /bin/busybox "$root$link"
done < busybox.links
cp -R "$SYSROOT/rootfs/etc" "$root/"
mkdir -p "$root/root" "$root/run" "$root/home/user" "$root/var/log" "$root/var/run"
# Those of wget need a network.
rm -r testsuite/wget
tar c -f "$work/suite.tar" -C "$work" bb/.config bb/testsuite bb/shell/ash_test bb/shell/hush_test
