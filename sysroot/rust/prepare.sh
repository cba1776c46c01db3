#!/bin/sh
# usage: prepare.sh DIR
#
# Makes DIR/cargo, which is cargo for programs of the guest: it compiles Rust's standard library from the
# component rust-src, whose copy in DIR knows Linnet's ABI.
#
# Rust has a target for another Linux on wasm32, with another ABI: the files name it wasm32. The changes
# make them take the generic definitions of 32-bit musl, which are those of riscv32.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
LIBC=0.2.191

library=$(rustc --print sysroot)/lib/rustlib/src/rust/library
if ! [ -d "$library" ]; then
	echo "error: $library: Rust's standard library is not there" >&2
	echo "hint: rustup component add rust-src" >&2
	exit 1
fi
rm -rf "$out/library" "$out/libc" "$out/fetch" "$out/lib"
cp -R "$library" "$out/library"
mkdir -p "$out/fetch/src" "$out/lib"
touch "$out/fetch/src/lib.rs"
cat >"$out/fetch/Cargo.toml" <<END
[package]
name = "fetch"
[dependencies]
libc = "=$LIBC"
[workspace]
END
cargo vendor --quiet --manifest-path "$out/fetch/Cargo.toml" "$out/fetch/vendor" >/dev/null
mv "$out/fetch/vendor/libc" "$out/libc"
rm -rf "$out/fetch"

# Makes an edit, and fails if there is nothing to edit.
edit() {
	cp "$2" "$2.before"
	sed -i "$1" "$2"
	if cmp -s "$2" "$2.before"; then
		echo "error: $2: not the file that this script knows" >&2
		exit 1
	fi
	rm "$2.before"
}
musl=$out/libc/src/unix/linux_like/linux/musl
edit 's/^        || target_arch == "riscv32"$/& || target_arch == "wasm32"/' "$out/libc/build.rs"
edit '/follows b64 convention$/d; /^        target_arch = "wasm32",$/d' "$musl/mod.rs"
edit 's/^        target_arch = "riscv32",$/& target_arch = "wasm32",/' "$musl/mod.rs"
edit 's/any(target_arch = "riscv32")/any(target_arch = "riscv32", target_arch = "wasm32")/' "$musl/b32/mod.rs"
# The two structures in which the port has no padding.
edit 's/^        __st_rdev_padding/        #[cfg(not(target_arch = "wasm32"))]\n&/' "$musl/b32/riscv32/mod.rs"
edit '/pub struct timespec/,/^    }/s/target_endian = "little"/&, not(target_arch = "wasm32")/' \
	"$out/libc/src/unix/mod.rs"
edit 's/all(target_arch = "wasm32", target_os = "linux")/all(&, not(target_vendor = "linnet"))/' \
	"$out/library/core/src/ffi/primitives.rs"
edit "s|^\[patch.crates-io\]\$|&\nlibc = { path = '$out/libc' }|" "$out/library/Cargo.toml"
edit "/^name = \"libc\"\$/,/^dependencies/{s/^version = .*/version = \"$LIBC\"/;/^source/d;/^checksum/d}" \
	"$out/library/Cargo.lock"

# Descriptors can be duplicated here.
edit '/^ *target_arch = "wasm32",$/d; s/any(target_arch = "wasm32", target_os = "hermit"/any(target_os = "hermit"/' \
	"$out/library/std/src/os/fd/owned.rs"
edit '/^ *target_arch = "wasm32",$/d' "$out/library/std/src/os/unix/io/mod.rs"
# Tests run in threads and may panic.
edit 's/cfg!(target_family = "wasm")/cfg!(all(target_family = "wasm", not(unix)))/' "$out/library/test/src/lib.rs"

linnet cc -fwasm-exceptions -O2 -Wall -c "$here/unwind.c" -o "$out/lib/unwind.o"
linnet ar rcD "$out/lib/libunwind.a" "$out/lib/unwind.o"
cp "$here/wasm32-linnet-linux-musl.json" "$out/"
cat >"$out/cc" <<END
#!/bin/sh
exec linnet cc -L'$out/lib' "\$@"
END
cat >"$out/cargo" <<END
#!/bin/sh
export RUSTC_BOOTSTRAP=1 __CARGO_TESTS_ONLY_SRC_ROOT='$out/library'
export CARGO_BUILD_TARGET='$out/wasm32-linnet-linux-musl.json'
export CARGO_TARGET_WASM32_LINNET_LINUX_MUSL_LINKER='$out/cc'
export CARGO_TARGET_WASM32_LINNET_LINUX_MUSL_RUNNER='linnet run'
exec cargo -Zbuild-std=std,panic_unwind -Zjson-target-spec "\$@"
END
chmod +x "$out/cc" "$out/cargo"
