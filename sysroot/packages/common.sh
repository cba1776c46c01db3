# shellcheck shell=sh
# Sourced by the recipes' build.sh with their arguments OUT and WORK: unpacks $SOURCE into WORK, goes
# there, and defines how things are built for the guest. $SDK is the C library's result, $JOBS how many
# processes may run at a time.
set -eu
recipe=$(cd "${0%/*}" && pwd)
mkdir -p "$1/root" "$1/dev"
out=$(cd "$1" && pwd)
rm -rf "$2"
mkdir -p "$2"
cd "$2"
case $SOURCE in
*.zip) python3 -m zipfile -e "$SOURCE" . && mv ./*/* . ;;
*) tar xf "$SOURCE" --strip-components=1 ;;
esac

# The time of a build is not part of what comes out.
export SOURCE_DATE_EPOCH=0
cc="clang-19 --config=$SDK/sdk/linnet.cfg"
# Code is optimised, asserts are off, and what nobody calls is left out. Warnings are for those who
# write the program.
cflags="-O2 -DNDEBUG -w -ffunction-sections -fdata-sections"
ldflags="-Wl,--gc-sections"

# What packages built before this one have: given by the variables of their names.
uses() {
	for dev in "$@"; do
		# Part of the compiler, as not every makefile passes flags on everywhere.
		cc="$cc -isystem $dev/dev/include"
		ldflags="$ldflags -L$dev/dev/lib"
		PKG_CONFIG_LIBDIR=${PKG_CONFIG_LIBDIR:-}${PKG_CONFIG_LIBDIR:+:}$dev/dev/lib/pkgconfig
	done
	export PKG_CONFIG_LIBDIR
}
PKG_CONFIG_LIBDIR=
PKG_CONFIG_SYSROOT_DIR=/
export PKG_CONFIG_LIBDIR PKG_CONFIG_SYSROOT_DIR

# The configure of autoconf.
configure() {
	./configure --build="$(uname -m)-linux-gnu" --host=wasm32-linux-musl --prefix=/usr --sysconfdir=/etc \
		--localstatedir=/var --disable-shared --enable-static --disable-nls \
		CC="$cc" AR=llvm-ar-19 RANLIB=llvm-ranlib-19 NM=llvm-nm-19 STRIP=true \
		CFLAGS="$cflags" LDFLAGS="$ldflags" "$@"
}

# Installs a program or a script.
program() {
	mkdir -p "$out/root/usr/bin"
	cp "$1" "$out/root/usr/bin/${2:-$(basename "$1")}"
	chmod 755 "$out/root/usr/bin/${2:-$(basename "$1")}"
}

# Installs headers and libraries for other packages.
headers() { mkdir -p "$out/dev/include" && cp -R "$@" "$out/dev/include/"; }
libraries() { mkdir -p "$out/dev/lib" && cp -R "$@" "$out/dev/lib/"; }

# Installs what pkg-config reads, so that it finds the files beside it wherever they are.
# shellcheck disable=SC2016
pkgconfig() {
	mkdir -p "$out/dev/lib/pkgconfig"
	for file in "$@"; do
		sed -e 's|^prefix *=.*|prefix=${pcfiledir}/../..|' -e 's|^exec_prefix *=.*|exec_prefix=${prefix}|' \
			-e 's|^libdir *=.*|libdir=${prefix}/lib|' \
			-e 's|^includedir *=.*|includedir=${prefix}/include|' "$file" \
			>"$out/dev/lib/pkgconfig/$(basename "$file")"
	done
}

# The same for a library LIB of a package that brings no such file.
describe() {
	for library in "$@"; do
		cat >"$library.pc" <<-END
			prefix=
			libdir=
			includedir=
			Name: $library
			Description: $library
			Version: $(sed -n 's/^version = "\([0-9.]*\).*/\1/p' "$recipe/package.toml")
			Libs: -L\${libdir} -l$library
			Cflags: -I\${includedir}
		END
		pkgconfig "$library.pc"
	done
}

# Of a package's own tests: installs programs and directories where they run in the guest.
check() { mkdir -p "$out/root/check" && cp -R "$@" "$out/root/check/"; }
