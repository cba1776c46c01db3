// SPDX-License-Identifier: MIT OR Apache-2.0
// The part of WASI that the programs use, for modules that wasm2c made C of.
#include "module.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct Z_wasi_snapshot_preview1_instance_t {
	wasm_rt_memory_t *memory;
};

#define WASI(name) Z_wasi_snapshot_preview1Z_##name
typedef struct Z_wasi_snapshot_preview1_instance_t wasi;

u32 WASI(clock_time_get)(wasi *host, u32 clock, u64 precision, u32 to)
{
	(void)clock, (void)precision;
	struct timespec time;
	clock_gettime(CLOCK_MONOTONIC, &time);
	u64 ns = (u64)time.tv_sec * 1000000000 + (u64)time.tv_nsec;
	memcpy(host->memory->data + to, &ns, sizeof ns);
	return 0;
}

u32 WASI(fd_write)(wasi *host, u32 file, u32 pieces, u32 count, u32 written)
{
	u32 total = 0;
	for (u32 i = 0; i < count; i++) {
		u32 piece[2];
		memcpy(piece, host->memory->data + pieces + 8 * i, sizeof piece);
		total += (u32)fwrite(host->memory->data + piece[0], 1, piece[1],
				     file == 2 ? stderr : stdout);
	}
	memcpy(host->memory->data + written, &total, sizeof total);
	return 0;
}

void WASI(proc_exit)(wasi *host, u32 status)
{
	(void)host;
	exit((int)status);
}

// The others fail: there are no files, arguments and variables.
enum { BAD_FILE = 8 };

u32 WASI(fd_close)(wasi *host, u32 file)
{
	(void)host, (void)file;
	return BAD_FILE;
}

u32 WASI(fd_fdstat_get)(wasi *host, u32 file, u32 to)
{
	(void)host, (void)file, (void)to;
	return BAD_FILE;
}

u32 WASI(fd_fdstat_set_flags)(wasi *host, u32 file, u32 flags)
{
	(void)host, (void)file, (void)flags;
	return BAD_FILE;
}

u32 WASI(fd_prestat_get)(wasi *host, u32 file, u32 to)
{
	(void)host, (void)file, (void)to;
	return BAD_FILE;
}

u32 WASI(fd_prestat_dir_name)(wasi *host, u32 file, u32 to, u32 size)
{
	(void)host, (void)file, (void)to, (void)size;
	return BAD_FILE;
}

u32 WASI(fd_read)(wasi *host, u32 file, u32 pieces, u32 count, u32 to)
{
	(void)host, (void)file, (void)pieces, (void)count, (void)to;
	return BAD_FILE;
}

u32 WASI(fd_renumber)(wasi *host, u32 from, u32 to)
{
	(void)host, (void)from, (void)to;
	return BAD_FILE;
}

u32 WASI(fd_seek)(wasi *host, u32 file, u64 offset, u32 whence, u32 to)
{
	(void)host, (void)file, (void)offset, (void)whence, (void)to;
	return BAD_FILE;
}

u32 WASI(path_open)(wasi *host, u32 directory, u32 look, u32 path, u32 size, u32 how, u64 rights,
		    u64 inherited, u32 flags, u32 to)
{
	(void)host, (void)directory, (void)look, (void)path, (void)size, (void)how;
	(void)rights, (void)inherited, (void)flags, (void)to;
	return BAD_FILE;
}

u32 WASI(path_unlink_file)(wasi *host, u32 directory, u32 path, u32 size)
{
	(void)host, (void)directory, (void)path, (void)size;
	return BAD_FILE;
}

int main(void)
{
	wasi host;
	Z_module_instance_t module;
	wasm_rt_init();
	Z_module_init_module();
	Z_module_instantiate(&module, &host);
	host.memory = Z_moduleZ_memory(&module);
	Z_moduleZ__start(&module);
	return 0;
}
