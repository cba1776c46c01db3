# shellcheck shell=sh
# Sourced by build.sh and headers.sh, with $WORK and $SOURCE set: makes
# $WORK/source, the distribution's kernel with the patches and files of this
# folder. What has not changed keeps its time, so that make does no more than
# it must.

here=$(cd "$(dirname "$0")" && pwd)

: "${SOURCE:=/usr/src/linux-source-6.12.tar.xz}"
if [ ! -f "$SOURCE" ]; then
	echo "error: $SOURCE: no such file" >&2
	echo "hint: install linux-source-6.12, or set SOURCE to its archive" >&2
	exit 1
fi

mkdir -p "$WORK"
WORK=$(cd "$WORK" && pwd)
tree=$WORK/source
source_id=$(stat -c '%n %s %Y' "$SOURCE")
if [ "$source_id" != "$(cat "$WORK/source.id" 2>/dev/null)" ]; then
	rm -rf "$tree" "$WORK/build" "$WORK/source.id" "$WORK/patches.id" "$WORK/patched"
	mkdir "$tree"
	XZ_OPT=--threads=0 tar -xf "$SOURCE" -C "$tree" --strip-components=1
	echo "$source_id" > "$WORK/source.id"
fi

# When a patch has changed, the files of all patches start over from the archive.
patches_id=$(cat "$here"/patches/*.patch | sha256sum)
if [ "$patches_id" != "$(cat "$WORK/patches.id" 2>/dev/null)" ]; then
	rm -f "$WORK/patches.id"
	if [ -f "$WORK/patched" ]; then
		sed 's|^|*/|' "$WORK/patched" | tar -xmf "$SOURCE" -C "$tree" --strip-components=1 \
			--wildcards --no-wildcards-match-slash -T -
	fi
	sed -n 's|^+++ b/||p' "$here"/patches/*.patch | sort -u > "$WORK/patched"
	for patch in "$here"/patches/*.patch; do
		patch -d "$tree" -p1 -s < "$patch"
	done
	echo "$patches_id" > "$WORK/patches.id"
fi
rsync -rlpc --delete "$here/files/arch/wasm/" "$tree/arch/wasm/"

# clang's name of the target; Kbuild has none for this architecture.
export CLANG_TARGET_FLAGS_wasm=wasm32-unknown-unknown

# The same sources make the same kernel, whoever builds it and when.
export KBUILD_BUILD_USER=linnet KBUILD_BUILD_HOST=linnet KBUILD_BUILD_VERSION=1
KBUILD_BUILD_TIMESTAMP=$(date -u -r "$tree/Makefile")
export KBUILD_BUILD_TIMESTAMP

kmake() {
	make -C "$tree" ARCH=wasm LLVM=-19 "$@"
}
