// A program of this machine with Debian's zlib in it, as translated WebAssembly.
#include "zlib.h"
#include <stdio.h>
#include <stdlib.h>

static linnet_store *store;

static void check(bool done)
{
	if (!done) {
		printf("error: %s\n", linnet_message(store));
		exit(1);
	}
}

int main(void)
{
	store = linnet_store_new();
	linnet_instance *zlib = linnet_instantiate(store, &linnet_module_zlib, NULL, 0);
	check(zlib);

	// The library sees its own memory only: what it works on lies there, at addresses of 32 bits.
	enum { SIZE = 100000 };
	uint32_t text, packed, packed_size, bound, status, sum;
	check(zlib_malloc(zlib, SIZE, &text));
	check(zlib_compressBound(zlib, SIZE, &bound));
	check(zlib_malloc(zlib, bound, &packed));
	check(zlib_malloc(zlib, 4, &packed_size));
	uint64_t size;
	uint8_t *memory = zlib_memory(zlib, &size);
	for (int i = 0; i < SIZE; i++)
		memory[text + i] = (uint8_t)"the quick brown fox "[(i * 7 + i / 100) % 20];

	check(zlib_crc32(zlib, 0, text, SIZE, &sum));
	printf("%d bytes, CRC %08x\n", SIZE, sum);
	memcpy(memory + packed_size, &bound, 4);
	check(zlib_compress(zlib, packed, packed_size, text, SIZE, &status));
	memcpy(&bound, memory + packed_size, 4);
	printf("compress: %d, %u bytes\n", (int)status, bound);
	memset(memory + text, 0, SIZE);
	uint32_t text_size = packed_size;
	memcpy(memory + text_size, &(uint32_t){SIZE}, 4);
	check(zlib_uncompress(zlib, text, text_size, packed, bound, &status));
	check(zlib_crc32(zlib, 0, text, SIZE, &sum));
	printf("uncompress: %d, CRC %08x\n", (int)status, sum);

	// A bug of the library would do this. The host only gets an error.
	if (!zlib_crc32(zlib, 0, 0xfffff000, SIZE, &sum))
		printf("%s\n", linnet_message(store));
	linnet_store_delete(store);
	return 0;
}
