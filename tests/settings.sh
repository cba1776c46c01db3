#!/bin/sh
# tests/settings.sh VM: boots a host with settings of its own, and on it the boot binary VM for x86-64.
#
# The host is Debian's kernel for clouds under an emulator of whole machines: one CPU with addresses of 57 bits, and
# one with 48. What is missing is installed, as root, from the package archive. Some minutes.
set -eu
vm=${1:?VM}
fail() {
	echo "error: tests/settings.sh: $1" >&2
	exit 1
}
place=$(mktemp -d "${TMPDIR:-/tmp}/linnet-settings-XXXXXX")
trap 'rm -rf "$place"' EXIT
install() { # COMMAND PACKAGE
	command -v "$1" > /dev/null ||
		DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$2" > /dev/null ||
		fail "$2 cannot be installed"
}
install qemu-system-x86_64 qemu-system-x86
install busybox busybox-static
install cpio cpio
package=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/^ *Depends: //p' | head -n 1)
(cd "$place" && apt-get download -qq -o APT::Sandbox::User=root "$package" && dpkg-deb -x ./*.deb kernel) ||
	fail "there is no kernel to be had"

mkdir "$place/root"
(cd "$place/root" && mkdir bin proc sys dev tmp)
cp "$(command -v busybox)" "$place/root/bin/busybox"
cp "$vm" "$place/root/vm"
cat > "$place/root/init" <<'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev
echo "host $(grep -o -m 1 la57 /proc/cpuinfo)"
try() { # WANTED NAME COMMAND...: it works, or is refused with an error
	wanted=$1 name=$2
	shift 2
	timeout -s KILL 300 "$@" < /dev/null > /tmp/out 2> /tmp/err
	status=$?
	got="$status $(tail -n 1 /tmp/out)"
	[ $status = 70 ] && [ ! -s /tmp/out ] && grep -q '^error: the host ' /tmp/err && got=refused
	[ "$got" = "$wanted" ] && echo "ok: $name" && return
	echo "FAILED: $name: $got instead of $wanted: $(head -c 1000 /tmp/out /tmp/err)"
}
set_to() { echo "$2" > /proc/sys/vm/$1; }
works='for i in 1 2 3 4 5 6; do echo $i | cat | cat > /dev/null; done; echo done'
# Until there is no room for another process: the shell that asks for it ends, and all goes on.
many='sh -c "n=0; while [ \$n -lt MOST ]; do sleep 1000 & n=\$((n + 1)); done; exit 3" 2> /tmp/refused
[ $? = 2 ] && read -r why < /tmp/refused || exit 3
kill -9 -1
sleep 0.2
case $why in *"fork: "*) echo refused | cat ;; esac'
fill() { echo "$many" | sed "s/MOST/$1/"; }

try "0 done" "as it comes" /vm -- sh -c "$works"
try "0 done" "stacks without limit" sh -c 'ulimit -s unlimited; exec "$@"' sh /vm -- sh -c "$works"
set_to max_map_count 4096
try "0 done" "4,096 mappings" /vm -- sh -c "$works"
set_to max_map_count 1000
try "0 done" "1,000 mappings" /vm --cpus 2 -- sh -c "$works"
try "0 refused" "1,000 mappings and many tasks" /vm --cpus 2 -- sh -c "$(fill 600)"
for mappings in 300 200 150 100 60 30; do
	set_to max_map_count $mappings
	timeout -s KILL 300 /vm --cpus 1 -- sh -c "$works" < /dev/null > /tmp/out 2> /tmp/err
	case $?:$(cat /tmp/out) in
	0:done) echo "ok: $mappings mappings" ;;
	70:) grep -q '^error: the host ' /tmp/err && echo "ok: $mappings mappings are refused" || echo FAILED ;;
	*) echo "FAILED: $mappings mappings: $(head -c 1000 /tmp/out /tmp/err)" ;;
	esac
done
set_to max_map_count 65530
set_to overcommit_ratio 100
set_to overcommit_memory 2
try "0 done" "no overcommitment" /vm --memory 256M -- sh -c "$works"
try "0 refused" "no overcommitment and many tasks" /vm --memory 256M -- sh -c "$(fill 600)"
try "0 done" "no overcommitment and more memory than there is, but not used" /vm --memory 3G -- sh -c "$works"
set_to overcommit_memory 0
echo end
poweroff -f
INIT
chmod +x "$place/root/init"
(cd "$place/root" && find . | cpio -o -H newc 2> /dev/null | gzip -1) > "$place/initrd"

for cpu in max,la57=on max,la57=off; do
	timeout 1500 qemu-system-x86_64 -accel tcg -cpu "$cpu" -smp 2 -m 2000 -nographic -no-reboot \
		-kernel "$place"/kernel/boot/vmlinuz-* -initrd "$place/initrd" \
		-append "console=ttyS0 panic=-1 quiet" < /dev/null > "$place/log" || fail "the host of $cpu did not end"
	grep -a -E 'host |ok: |FAILED' "$place/log" || true
	grep -a -q '^end' "$place/log" && ! grep -a -q FAILED "$place/log" || fail "with $cpu"
	case $cpu in *=on) grep -a -q la57 "$place/log" || fail "no addresses of 57 bits" ;; esac
done
