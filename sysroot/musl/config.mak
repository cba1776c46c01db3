# Stands in for what musl's configure would write: configure does not know the machine.
ARCH = wasm32
CC = clang-19
AR = llvm-ar-19
RANLIB = llvm-ranlib-19

WASM = --target=wasm32-unknown-unknown -D__linux__=1 -D__linux=1 -D__unix__=1 -D__unix=1 \
	-matomics -mbulk-memory -mmutable-globals -msign-ext -mnontrapping-fptoint \
	-mexception-handling

# -fno-math-errno: without it __builtin_sqrt is a call of sqrt, not the instruction.
CFLAGS_C99FSE = -std=c99 -nostdinc -ffreestanding
CFLAGS_AUTO = $(WASM) -O2 -fno-strict-aliasing -ffp-contract=off -fno-math-errno -w \
	-Werror=implicit-function-declaration -Werror=implicit-int -Werror=int-conversion \
	-Werror=incompatible-pointer-types
CFLAGS_MEMOPS =

# A small block costs as much with pages of 16 KiB as of 4 KiB, which mallocng's does not: it makes and
# drops groups of blocks by the page.
MALLOC_DIR = oldmalloc

# Programs are static.
SHARED_LIBS =
ALL_LIBS = lib/libc.a lib/crt1.o lib/crti.o lib/crtn.o $(EMPTY_LIBS)
ALL_TOOLS =
TOOL_LIBS =
# Also those of other compilers' run-time libraries, which build systems name.
EMPTY_LIB_NAMES = m rt pthread crypt util xnet resolv dl atomic gcc gcc_eh gcc_s ssp ssp_nonshared unwind

# Without it clang 19 does not declare the tag that is thrown.
obj/src/setjmp/wasm32/longjmp.o: CFLAGS_ALL += -mllvm -wasm-enable-sjlj
