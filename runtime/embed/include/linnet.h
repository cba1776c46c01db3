/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Runs WebAssembly modules that `linnet compile` has translated, inside a C program.
 *
 * Everything belongs to a store and is used by one thread at a time. The library takes over SIGSEGV,
 * SIGBUS, SIGILL, SIGFPE and SIGTRAP: those that translated code causes become traps, others go to the
 * handler that was there before. */
#ifndef LINNET_H
#define LINNET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct linnet_store linnet_store;
typedef struct linnet_instance linnet_instance;
/* What the object's symbol `linnet_module_<prefix>` is. */
typedef struct linnet_module linnet_module;

#ifdef __cplusplus
#define LINNET_ALIGN(n) alignas(n)
#else
#define LINNET_ALIGN(n) _Alignas(n)
#endif

/* A value: the field of its type. References are opaque words, 0 is null. */
typedef union linnet_value {
	LINNET_ALIGN(16) uint8_t v128[16];
	uint32_t i32;
	uint64_t i64;
	float f32;
	double f64;
	uint64_t ref;
} linnet_value;

/* A function of the host. `values` holds the parameters; the results go there. False: it failed, and the
 * call that led to it ends with an error. */
typedef bool (*linnet_function)(void *env, linnet_value *values);

/* Something that a module may import: a function of the host, called with `env`; or, if that is null, the
 * export `number` of another instance of the store, of whatever kind; or, if that is null too, a new global
 * with the value that `env` points to, a linnet_value. */
typedef struct linnet_import {
	const char *module;
	const char *name;
	linnet_function function;
	void *env;
	linnet_instance *instance;
	uint32_t number;
} linnet_import;

/* A new store; never null. */
linnet_store *linnet_store_new(void);
/* Frees a store and all of its instances. */
void linnet_store_delete(linnet_store *store);
/* Why the last operation on the store failed: a text that lives until the next one fails. Of a trap it has
 * a line for each function that was active, innermost first, with its name and the offset of the
 * instruction in the WebAssembly file. */
const char *linnet_message(const linnet_store *store);

/* Makes an instance and runs its start function. Imported memories, tables and tags that are not given are
 * made too. Null if an import is missing or has another type, if there is no room, or if the start function
 * traps. */
linnet_instance *linnet_instantiate(linnet_store *store, const linnet_module *module,
				    const linnet_import *imports, size_t count);

/* Calls the export of that number, as the header that `linnet compile --header` writes numbers them.
 * `values` holds the parameters, then the results, and has room for the longer of the two. False: it
 * trapped, or an exception came out of it. */
bool linnet_call(linnet_instance *instance, uint32_t number, linnet_value *values);

/* The exported memory of that number. It stays where it is; its size may grow with every call. Null if
 * that export is no memory. */
uint8_t *linnet_memory(linnet_instance *instance, uint32_t number, uint64_t *size);

/* Read and write the exported global of that number. False: that export is no global; or, to write, it is
 * immutable, or the value is null and may not be. */
bool linnet_global_get(linnet_instance *instance, uint32_t number, linnet_value *value);
bool linnet_global_set(linnet_instance *instance, uint32_t number, const linnet_value *value);

/* Number of elements of the exported table of that number; 0 if that export is no table. */
uint64_t linnet_table_size(linnet_instance *instance, uint32_t number);
/* Read and write an element of it, a reference. False: there is none, or it may not be null. */
bool linnet_table_get(linnet_instance *instance, uint32_t number, uint64_t index, uint64_t *ref);
bool linnet_table_set(linnet_instance *instance, uint32_t number, uint64_t index, uint64_t ref);

/* Calls a reference to a function, such as an element of a table, which is what a pointer to a function is
 * in a module that was made of C. `values` as above; the caller knows the type. */
bool linnet_call_ref(linnet_store *store, uint64_t function, linnet_value *values);

#ifdef __cplusplus
}
#endif
#endif
