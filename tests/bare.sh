#!/bin/sh
# tests/bare.sh COMMAND [ARGS]: runs a command in a copy of this checkout on a bare machine.
#
# That machine is a new Debian of this machine's release in a directory: no package but gcc and what
# apt needs, Rust as it is here without the libraries of other targets, an empty home, no cache.
# What is committed is copied, so that what a clone lacks is missing there, too. Needs root, the
# package archive, and 17 GB below $TMPDIR or /tmp. Ends with the command's status, or with 125 if the
# machine cannot be made. The command finds LINNET_BARE=1 in its environment.
set -eu
fail() {
	echo "error: tests/bare.sh: $1" >&2
	exit 125
}
here=$(cd "$(dirname "$0")/.." && pwd)

if [ "${1-}" != --inside ]; then
	[ "$(id -u)" -eq 0 ] || fail "only root can change the root directory"
	unshare --mount --pid --fork true || fail "there are no namespaces to be had"
	if ! command -v debootstrap >/dev/null; then
		apt-get update --quiet --quiet &&
			DEBIAN_FRONTEND=noninteractive apt-get install --quiet --quiet --yes \
				--no-install-recommends debootstrap >/dev/null ||
			fail "debootstrap cannot be installed"
	fi
	space=$(df --output=avail -k "${TMPDIR:-/tmp}" | tail -n 1)
	[ "$space" -ge 17000000 ] ||
		fail "${TMPDIR:-/tmp} has $((space / 1000000)) GB of free space, not 17; set TMPDIR to another directory"
	root=$(mktemp -d "${TMPDIR:-/tmp}/linnet-bare-XXXXXX")
	trap 'rm -rf --one-file-system "$root"' EXIT
	# Mounts and processes end with the namespaces, and these with unshare, which lets no other signal in.
	trap 'kill -KILL "$child"; wait "$child" || true; exit 1' HUP INT TERM
	unshare --mount --pid --fork --kill-child "$0" --inside "$root" "$@" &
	child=$!
	wait "$child"
	exit
fi

root=$2
shift 2
. /etc/os-release
mirror=$(sed -n 's/^URIs: *//p; s/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\).*/\2/p' \
	/etc/apt/sources.list.d/debian.sources /etc/apt/sources.list 2>/dev/null | head -n 1)
log=$root.log
if ! debootstrap --variant=minbase --include=ca-certificates,gcc,libc6-dev \
	"$VERSION_CODENAME" "$root" "$mirror" >"$log" 2>&1; then
	tail -n 20 "$log" >&2
	fail "Debian $VERSION_CODENAME cannot be installed; all of the log is in $log"
fi
rm "$log"
# That of the machine is for everybody.
chmod 755 "$root"
for file in sources.list sources.list.d/debian.sources; do
	[ ! -f "/etc/apt/$file" ] || cp "/etc/apt/$file" "$root/etc/apt/$file"
done
cp /etc/resolv.conf /etc/hosts "$root/etc/"
# The machine's certificates, which may be more than Debian's.
cp --dereference --remove-destination /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"

mkdir -p "$root/root/.cargo" "$root/root/.rustup/toolchains"
cp -R "${CARGO_HOME:-$HOME/.cargo}/bin" "$root/root/.cargo/"
cp "${RUSTUP_HOME:-$HOME/.rustup}/settings.toml" "$root/root/.rustup/"
cp -R "$(rustc --print sysroot)" "$root/root/.rustup/toolchains/"
git -C "$here" archive --prefix=root/linnet/ HEAD | tar -x -C "$root"

mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount --rbind /sys "$root/sys"
inside() {
	env -i HOME=/root PATH=/root/.cargo/bin:/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 \
		CI="${CI-}" LINNET_BARE=1 \
		chroot "$root" sh -c 'cd /root/linnet && exec "$@"' sh "$@"
}
host=$(rustc -vV | sed -n 's/^host: //p')
for target in $(inside rustup target list --installed); do
	[ "$target" = "$host" ] || inside rustup --quiet target remove "$target"
done
inside "$@"
