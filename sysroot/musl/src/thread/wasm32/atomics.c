/* The library behind atomics that the compiler does not make of instructions: of other sizes than 1, 2, 4
 * and 8 bytes, or perhaps not aligned. Their names are those of GCC's and LLVM's libatomic. */
#include <stdint.h>
#include <string.h>
#include <features.h>
#include "lock.h"

typedef unsigned __int128 u128;

/* What is not lock-free is under the lock of its address. These are of the process alone, as in other
 * libraries. */
static volatile int locks[64][1];

static volatile int *lock(const volatile void *address)
{
	volatile int *l = locks[((uintptr_t)address >> 4) % (sizeof locks / sizeof *locks)];
	LOCK(l);
	return l;
}

static int is_lock_free(size_t size, const volatile void *address)
{
	return (size == 1 || size == 2 || size == 4 || size == 8) && !((uintptr_t)address % size);
}

_Bool atomic_is_lock_free_(size_t size, const volatile void *address) __asm__("__atomic_is_lock_free");
_Bool atomic_is_lock_free_(size_t size, const volatile void *address)
{
	return is_lock_free(size, address);
}

/* Does `what` for the type of an object that instructions can do. */
#define LOCK_FREE(what) \
	if (is_lock_free(size, object)) switch (size) { \
	case 1: what(uint8_t) \
	case 2: what(uint16_t) \
	case 4: what(uint32_t) \
	case 8: what(uint64_t) \
	}

void load_any(size_t size, const volatile void *object, void *to, int order) __asm__("__atomic_load");
void load_any(size_t size, const volatile void *object, void *to, int order)
{
#define LOAD(T) { T value = __atomic_load_n((T *)object, __ATOMIC_SEQ_CST); memcpy(to, &value, size); return; }
	LOCK_FREE(LOAD)
	volatile int *l = lock(object);
	memcpy(to, (void *)object, size);
	UNLOCK(l);
}

void store_any(size_t size, volatile void *object, void *from, int order) __asm__("__atomic_store");
void store_any(size_t size, volatile void *object, void *from, int order)
{
#define STORE(T) { T value; memcpy(&value, from, size); __atomic_store_n((T *)object, value, __ATOMIC_SEQ_CST); return; }
	LOCK_FREE(STORE)
	volatile int *l = lock(object);
	memcpy((void *)object, from, size);
	UNLOCK(l);
}

void exchange_any(size_t size, volatile void *object, void *from, void *to, int order) __asm__("__atomic_exchange");
void exchange_any(size_t size, volatile void *object, void *from, void *to, int order)
{
#define EXCHANGE(T) { \
	T value; \
	memcpy(&value, from, size); \
	value = __atomic_exchange_n((T *)object, value, __ATOMIC_SEQ_CST); \
	memcpy(to, &value, size); \
	return; \
}
	LOCK_FREE(EXCHANGE)
	/* `from` and `to` may be one. */
	unsigned char *a = (void *)object, *b = from, *c = to;
	volatile int *l = lock(object);
	for (size_t i = 0; i < size; i++) {
		unsigned char old = a[i];
		a[i] = b[i];
		c[i] = old;
	}
	UNLOCK(l);
}

_Bool compare_any(size_t size, volatile void *object, void *expected, void *wanted, int success, int failure)
	__asm__("__atomic_compare_exchange");
_Bool compare_any(size_t size, volatile void *object, void *expected, void *wanted, int success, int failure)
{
#define COMPARE(T) { \
	T old, new; \
	memcpy(&old, expected, size); \
	memcpy(&new, wanted, size); \
	_Bool done = __atomic_compare_exchange_n((T *)object, &old, new, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
	if (!done) memcpy(expected, &old, size); \
	return done; \
}
	LOCK_FREE(COMPARE)
	volatile int *l = lock(object);
	_Bool done = !memcmp((void *)object, expected, size);
	memcpy(done ? (void *)object : expected, done ? wanted : (void *)object, size);
	UNLOCK(l);
	return done;
}

/* The same for values of a size. */
#define ACCESS(n, T) \
T load_##n(const volatile void *object, int order) __asm__("__atomic_load_" #n); \
T load_##n(const volatile void *object, int order) \
{ \
	T value; \
	load_any(n, object, &value, order); \
	return value; \
} \
void store_##n(volatile void *object, T value, int order) __asm__("__atomic_store_" #n); \
void store_##n(volatile void *object, T value, int order) \
{ \
	store_any(n, object, &value, order); \
} \
T exchange_##n(volatile void *object, T value, int order) __asm__("__atomic_exchange_" #n); \
T exchange_##n(volatile void *object, T value, int order) \
{ \
	exchange_any(n, object, &value, &value, order); \
	return value; \
} \
_Bool compare_##n(volatile void *object, void *expected, T wanted, int success, int failure) \
	__asm__("__atomic_compare_exchange_" #n); \
_Bool compare_##n(volatile void *object, void *expected, T wanted, int success, int failure) \
{ \
	return compare_any(n, object, expected, &wanted, success, failure); \
}

#define CHANGE(n, T, name, result) \
T fetch_##name##_##n(volatile void *object, T value, int order) __asm__("__atomic_fetch_" #name "_" #n); \
T fetch_##name##_##n(volatile void *object, T value, int order) \
{ \
	T old = load_##n(object, order), new; \
	do new = result; while (!compare_any(n, object, &old, &new, order, order)); \
	return old; \
} \
T name##_fetch_##n(volatile void *object, T value, int order) __asm__("__atomic_" #name "_fetch_" #n); \
T name##_fetch_##n(volatile void *object, T value, int order) \
{ \
	T old = load_##n(object, order), new; \
	do new = result; while (!compare_any(n, object, &old, &new, order, order)); \
	return new; \
}

#define SIZE(n, T) \
	ACCESS(n, T) \
	CHANGE(n, T, add, old + value) \
	CHANGE(n, T, sub, old - value) \
	CHANGE(n, T, and, old & value) \
	CHANGE(n, T, or, old | value) \
	CHANGE(n, T, xor, old ^ value) \
	CHANGE(n, T, nand, ~(old & value))

SIZE(1, uint8_t)
SIZE(2, uint16_t)
SIZE(4, uint32_t)
SIZE(8, uint64_t)
SIZE(16, u128)

/* Flags, whatever their lock. */
_Bool test_and_set(volatile void *object, int order) __asm__("__atomic_test_and_set");
_Bool test_and_set(volatile void *object, int order)
{
	return __atomic_exchange_n((uint8_t *)object, 1, __ATOMIC_SEQ_CST);
}
void clear(volatile void *object, int order) __asm__("__atomic_clear");
void clear(volatile void *object, int order)
{
	__atomic_store_n((uint8_t *)object, 0, __ATOMIC_SEQ_CST);
}
