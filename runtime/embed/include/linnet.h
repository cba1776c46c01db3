/* SPDX-License-Identifier: MIT OR Apache-2.0 */
/* Runs WebAssembly modules that `linnet compile` has translated, inside a C program.
 *
 * Everything belongs to a store and is used by one thread at a time, if nothing else is said. The library takes
 * over SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGTRAP: those that translated code causes become traps, others go to
 * the handler that was there before. What fails returns false or null, and linnet_message says why. */
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
/* A function, memory, table, global or tag. It lives as long as its store. */
typedef struct linnet_item linnet_item;

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
 * call that led to it ends with an error: that of linnet_fail or linnet_throw, or else what failed last in it,
 * with its own backtrace. */
typedef bool (*linnet_function)(void *env, linnet_value *values);

/* Something that a module may import: a function of the host, called with `env`; or, if that is null, the
 * export `number` of another instance of the store, of whatever kind; or, if that is null too, a new global
 * with the value that `env` points to, a linnet_value; or, if `number` is LINNET_ITEM, the linnet_item that `env`
 * points to. */
typedef struct linnet_import {
	const char *module;
	const char *name;
	linnet_function function;
	void *env;
	linnet_instance *instance;
	uint32_t number;
} linnet_import;

#define LINNET_ITEM UINT32_MAX

/* A new store; never null. Stores cost little: one for each instance is how instances are freed one by one. */
linnet_store *linnet_store_new(void);
/* Frees a store and all that belongs to it. */
void linnet_store_delete(linnet_store *store);
/* Why the last operation on the store failed: a text that lives until the next one fails. Of a trap it has a
 * line for each function that was active, innermost first, with its name and the offset of the instruction in the
 * WebAssembly file. */
const char *linnet_message(const linnet_store *store);

/* What the last failure was. */
typedef enum linnet_failure {
	LINNET_NO_FAILURE,
	LINNET_TRAP,       /* translated code stopped */
	LINNET_EXCEPTION,  /* nothing caught it */
	LINNET_LINK,       /* an import is missing or has another type */
	LINNET_TYPE,       /* something is not what it was taken for */
	LINNET_RESOURCES,  /* there is no room */
	LINNET_HOST        /* a function of the host failed */
} linnet_failure;
linnet_failure linnet_last_failure(const linnet_store *store);

/* Number of the trap, if the last failure was one, or else 0. */
int linnet_trap(const linnet_store *store);
enum {
	LINNET_TRAP_UNREACHABLE = 1,
	LINNET_TRAP_MEMORY = 2,
	LINNET_TRAP_UNDEFINED_ELEMENT = 3,
	LINNET_TRAP_NULL_ELEMENT = 4,
	LINNET_TRAP_CALL_TYPE = 5,
	LINNET_TRAP_DIVISION_BY_ZERO = 6,
	LINNET_TRAP_OVERFLOW = 7,
	LINNET_TRAP_CONVERSION = 8,
	LINNET_TRAP_UNALIGNED = 9,
	LINNET_TRAP_STACK = 10,
	LINNET_TRAP_TABLE = 64,
	LINNET_TRAP_NULL = 65,
	LINNET_TRAP_NOT_SHARED = 66,
	LINNET_TRAP_INTERRUPTED = 67,
	LINNET_TRAP_BUDGET = 68
};

/* Whether the last failure was an exception of that tag. If so, its payload goes to `payload`, a value for each
 * parameter of the tag. */
bool linnet_exception(const linnet_store *store, const linnet_item *tag, linnet_value *payload);

/* Makes an instance and runs its start function. Imported memories, tables and tags that are not given are made
 * for this instance alone. Null if an import is missing or has another type, if there is no room, or if the start
 * function traps. */
linnet_instance *linnet_instantiate(linnet_store *store, const linnet_module *module,
				    const linnet_import *imports, size_t count);
linnet_store *linnet_instance_store(const linnet_instance *instance);

/* Calls the export of that number, as the header that `linnet compile --header` writes numbers them.
 * `values` holds the parameters, then the results, and has room for the longer of the two. False: it
 * trapped, or an exception came out of it. */
bool linnet_call(linnet_instance *instance, uint32_t number, linnet_value *values);

/* The exported memory of that number. It stays where it is; its size may grow with every call. Null if
 * that export is no memory. */
uint8_t *linnet_memory(linnet_instance *instance, uint32_t number, uint64_t *size);
/* The same of the memory that instructions use if they name none, imported or exported or neither. Null if there
 * is none. */
uint8_t *linnet_first_memory(const linnet_instance *instance, uint64_t *size);

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

/* ---- Types: of what a module imports and exports, before there is an instance ---- */

typedef enum linnet_kind {
	LINNET_FUNCTION,
	LINNET_TABLE,
	LINNET_MEMORY,
	LINNET_GLOBAL,
	LINNET_TAG
} linnet_kind;

enum {
	LINNET_I32,
	LINNET_I64,
	LINNET_F32,
	LINNET_F64,
	LINNET_V128,
	LINNET_FUNCREF,
	LINNET_EXTERNREF,
	LINNET_EXNREF
};

/* Type of a value, as in {LINNET_I32, 0, 0} and {LINNET_FUNCREF, 1, 0}. */
typedef struct linnet_value_type {
	uint32_t kind;
	/* Of a reference: whether it may be null. */
	uint32_t nullable;
	/* Of a reference to functions: their type, or null for functions of all types. */
	const void *function;
} linnet_value_type;

#define LINNET_NO_MAX UINT64_MAX

typedef struct linnet_type {
	uint32_t kind; /* linnet_kind */
	/* Of a function, and of a tag, which has no results. */
	uint32_t param_count, result_count;
	/* Of a memory: its pages have 1 byte, not 65536. */
	bool has_byte_pages;
	/* Of a memory or table: its indices have 64 bits. */
	bool is_64;
	/* Of a memory: instances of several threads may have it. */
	bool is_shared;
	/* Of a global. */
	bool is_mutable;
	/* The parameters, then the results; or the type of a table's elements or of a global's value. */
	const linnet_value_type *values;
	/* Least and largest size in pages or elements; LINNET_NO_MAX. */
	uint64_t min, max;
} linnet_type;

/* Names are UTF-8 and end with no zero. All of it lives as long as the module. */
typedef struct linnet_description {
	const char *module; /* null of an export */
	size_t module_length;
	const char *name;
	size_t name_length;
	linnet_type type;
} linnet_description;

/* What a module imports or exports by that number, from 0 on. False: there is no such number. */
bool linnet_describe_import(const linnet_module *module, uint32_t number, linnet_description *description);
bool linnet_describe_export(const linnet_module *module, uint32_t number, linnet_description *description);

/* ---- Items: all that modules import and export ---- */

/* The export of that number or name, and what the instance got as its import of that number. Null: there is none. */
linnet_item *linnet_export(const linnet_instance *instance, uint32_t number);
linnet_item *linnet_export_named(const linnet_instance *instance, const char *name);
linnet_item *linnet_imported(const linnet_instance *instance, uint32_t number);

/* A new memory of zeros, a table of nulls, a global with that value, or a tag. Null if there is no room. */
linnet_item *linnet_item_new(linnet_store *store, const linnet_type *type, const linnet_value *value);
/* A function of the host, to be imported or to be put into tables. */
linnet_item *linnet_function_new(linnet_store *store, const linnet_type *type, linnet_function function, void *env);

/* Its type, with the size that it has now as `min`. */
void linnet_item_type(const linnet_item *item, linnet_type *type);
/* Calls a function, as linnet_call does. */
bool linnet_item_call(const linnet_item *item, linnet_value *values);
/* The reference to a function, for tables and parameters. A function of the host has one once there is a module
 * that has functions of its type. */
bool linnet_item_ref(const linnet_item *item, uint64_t *ref);
/* Where a memory is. */
uint8_t *linnet_item_memory(const linnet_item *item, uint64_t *size);
/* Grows a memory by so many pages, or a table by so many elements, which are `ref`. The old size goes to `old`, if
 * that is not null. */
bool linnet_item_grow(const linnet_item *item, uint64_t count, uint64_t ref, uint64_t *old);
/* Read and write a global, for which `index` is 0, or an element of a table. */
bool linnet_item_get(const linnet_item *item, uint64_t index, linnet_value *value);
bool linnet_item_set(const linnet_item *item, uint64_t index, const linnet_value *value);

/* ---- Inside of a function of the host ---- */

/* The instance that imports the function that runs now: the one that calls it, if it was not given to others. Null
 * if the host itself calls. */
linnet_instance *linnet_caller(void);
/* Say why it fails: with a message, or with an exception, which code of the modules may catch. They return false,
 * for `return linnet_fail("...")`. */
bool linnet_fail(const char *message);
bool linnet_throw(const linnet_item *tag, const linnet_value *payload);

/* ---- Limits ---- */

/* Ends the call that runs in the store, or the next one, with LINNET_TRAP_INTERRUPTED. Any thread may call this as
 * long as the store is there. It does not interrupt functions of the host. Modules must have been translated with
 * `--interruptible`; what waits by memory.atomic.wait is woken in any case. */
void linnet_interrupt(const linnet_store *store);
/* Forgets an interruption that came too late. */
void linnet_interrupt_clear(const linnet_store *store);

/* Lets code that was translated with `--interruptible` poll so many times, all calls together: once for each turn
 * of a loop, and where functions call each other in a circle. What polls more ends with LINNET_TRAP_BUDGET, and so
 * do later calls until there is a new budget. UINT64_MAX, as at first: there is no limit. The same code always
 * takes the same number. */
void linnet_budget_set(const linnet_store *store, uint64_t polls);
/* What is left. */
uint64_t linnet_budget(const linnet_store *store);

/* Asks whenever a memory wants to have `to` bytes or a table `to` elements; `from` is what it has, 0 if it is new.
 * If the answer is no, memory.grow and table.grow give -1, and what is new is not made. */
typedef bool (*linnet_limit)(void *env, linnet_kind kind, uint64_t from, uint64_t to);
void linnet_limit_growth(const linnet_store *store, linnet_limit may_grow, void *env);

/* ---- Instances that are used again ---- */

/* Keeps what the memories, tables and globals of an instance have now, imported ones too. */
bool linnet_snapshot(linnet_instance *instance);
/* Gives them what they had at the last snapshot. It takes a few microseconds, and what the pages take that have been
 * written since. False if code of the store is active. */
bool linnet_restore(linnet_instance *instance);

/* ---- Threads: each has a store and instances of its own; the memory may be one ---- */

typedef struct linnet_shared_memory linnet_shared_memory;

/* What other threads open a memory with, whose type says that it is shared. */
linnet_shared_memory *linnet_memory_share(const linnet_item *memory);
/* The same memory in a store of the calling thread. */
linnet_item *linnet_memory_open(linnet_store *store, const linnet_shared_memory *memory);
/* Stores that have opened it keep it. */
void linnet_shared_memory_delete(linnet_shared_memory *memory);

#ifdef __cplusplus
}
#endif
#endif
