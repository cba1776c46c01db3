#!/bin/sh
# usage: SOURCE=llvm-toolchain-19.tar.xz SDK=DIR [JOBS=N] build.sh OUT WORK
#
# Makes OUT, a copy of the SDK in DIR with the C++ library, its headers and linnet++.cfg, which finds
# them. WORK is emptied and used for the build. No file of LLVM is edited.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
out=$(cd "$1" && pwd)
rm -rf "$2"
mkdir -p "$2/source"
work=$(cd "$2" && pwd)
cd "$work"

# The runtimes alone, a hundredth of all.
tar xf "$SOURCE" -C source --strip-components=1 --wildcards --exclude='*/test/*' '*/runtimes/*' \
	'*/libcxx/*' '*/libcxxabi/*' '*/libunwind/include/*' '*/libunwind/src/*' '*/cmake/*'
cp -R "$SDK/sysroot" "$SDK/sdk" "$out/"
cp "$here/linnet++.cfg" "$out/sdk/"

# Names of source files in the library are the same wherever it is built.
set -- "--config=$out/sdk/linnet.cfg" -fwasm-exceptions -ffunction-sections -fdata-sections -w \
	"-ffile-prefix-map=$work=." "-ffile-prefix-map=$out=."
# CMake takes a part of a command line.
flags=$(printf '"%s" ' "$@")
cmake -S source/runtimes -B build -DCMAKE_TOOLCHAIN_FILE="$out/sdk/linnet.cmake" \
	-DCMAKE_BUILD_TYPE=Release -DCMAKE_INSTALL_PREFIX="$out/sysroot" \
	-DCMAKE_TRY_COMPILE_TARGET_TYPE=STATIC_LIBRARY \
	-DCMAKE_C_FLAGS="$flags" -DCMAKE_CXX_FLAGS="$flags" \
	-DLLVM_ENABLE_RUNTIMES='libcxx;libcxxabi' -DLLVM_INCLUDE_TESTS=OFF -DLLVM_INCLUDE_DOCS=OFF \
	-DLIBCXX_ENABLE_SHARED=OFF -DLIBCXX_HAS_MUSL_LIBC=ON -DLIBCXX_HAS_ATOMIC_LIB=OFF \
	-DLIBCXX_CXX_ABI=libcxxabi -DLIBCXX_INCLUDE_TESTS=OFF -DLIBCXX_INCLUDE_BENCHMARKS=OFF \
	-DLIBCXXABI_ENABLE_SHARED=OFF -DLIBCXXABI_USE_LLVM_UNWINDER=OFF -DLIBCXXABI_INCLUDE_TESTS=OFF \
	-DCXX_SUPPORTS_FNO_EXCEPTIONS_FLAG=ON \
	-DLIBCXXABI_ADDITIONAL_COMPILE_FLAGS="-I$work/source/libunwind/include"
make -C build -j"${JOBS:-1}" install

# The unwinder of WebAssembly is one file.
clang-19 "$@" -O2 -DNDEBUG -D_LIBUNWIND_HIDE_SYMBOLS -Isource/libunwind/include -Isource/libunwind/src \
	-c "$here/unwind.c" -o unwind.o
llvm-ar-19 rcD "$out/sysroot/lib/libc++abi.a" unwind.o
