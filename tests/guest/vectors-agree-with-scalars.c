// SPDX-License-Identifier: MIT OR Apache-2.0
// Every lane of a vector operation gives what the same operation gives on a scalar.
#include "test.h"
#include <math.h>

#ifdef __wasm__
#pragma clang attribute push(__attribute__((target("simd128"))), apply_to = function)
#endif

typedef int8_t i8x16 __attribute__((vector_size(16)));
typedef int16_t i16x8 __attribute__((vector_size(16)));
typedef int32_t i32x4 __attribute__((vector_size(16)));
typedef int64_t i64x2 __attribute__((vector_size(16)));
typedef uint8_t u8x16 __attribute__((vector_size(16)));
typedef uint16_t u16x8 __attribute__((vector_size(16)));
typedef uint32_t u32x4 __attribute__((vector_size(16)));
typedef uint64_t u64x2 __attribute__((vector_size(16)));
typedef float f32x4 __attribute__((vector_size(16)));
typedef double f64x2 __attribute__((vector_size(16)));

enum { ROUNDS = 2000 };

static uint64_t state = 0x9e3779b97f4a7c15;

static uint64_t random_bits(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

// Bits of every kind: small numbers, those at the edges of each type, and any.
static uint64_t operand(void)
{
	static const uint64_t edges[] = {
		0, ~0ull, 0x8000000000000000, 0x7fffffffffffffff, 0x8000000080000000, 0x7fffffff7fffffff,
		0x8000800080008000, 0x7fff7fff7fff7fff, 0x8080808080808080, 0x7f7f7f7f7f7f7f7f,
	};
	switch (random_bits() % 4) {
	case 0: return edges[random_bits() % (sizeof(edges) / sizeof(*edges))];
	case 1: return (random_bits() & 0x0003000300030003) - 0x0001000100010001;
	default: return random_bits();
	}
}

static void fill(void *vector)
{
	uint64_t words[2] = { operand(), operand() };
	memcpy(vector, words, 16);
}

// Floats of a size that rounding and conversion look at, signed zeros, infinities. The bits of a
// NaN that comes out are nobody's business.
static double real(void)
{
	static const double special[] = { 0.0, -0.0, 0.5, -0.5, 1.5, 2.5, -2.5, INFINITY, -INFINITY, 0x1p-1040 };
	if (random_bits() % 4 == 0)
		return special[random_bits() % (sizeof(special) / sizeof(*special))];
	return ((double)(int64_t)random_bits()) / (double)(1ull << (random_bits() % 63));
}

// Hides from the compiler where a value comes from.
#define OPAQUE(x) __asm__ volatile("" : : "r"(&(x)) : "memory")

#define SAME(V, what, result, wanted) do { \
		__typeof__((result)[0]) expected_ = (wanted), found_ = (result)[i]; \
		int both_nan_ = found_ != found_ && expected_ != expected_; \
		if (memcmp(&found_, &expected_, sizeof(found_)) != 0 && !both_nan_) { \
			dprintf(2, "%s %s: lane %d differs\n", #V, what, i); \
			_exit(1); \
		} \
	} while (0)

#define LANES(V) for (int i = 0; i < (int)(16 / sizeof(((V){ 0 })[0])); i++)

#define BINARY(V, T, op) do { V r = a op b; OPAQUE(r); LANES(V) SAME(V, #op, r, (T)(x[i] op y[i])); } while (0)
#define COMPARE(V, M, op) do { M r = (M)(a op b); OPAQUE(r); LANES(V) SAME(V, #op, r, x[i] op y[i] ? -1 : 0); } while (0)
#define CALL2(V, f, expression) do { V r = f(a, b); OPAQUE(r); LANES(V) SAME(V, #f, r, expression); } while (0)
#define CALL1(V, f, expression) do { V r = f(a); OPAQUE(r); LANES(V) SAME(V, #f, r, expression); } while (0)

#define OPERANDS(V, T, make) \
	V a, b; \
	T x[16 / sizeof(T)], y[16 / sizeof(T)]; \
	make; \
	OPAQUE(a); OPAQUE(b); \
	memcpy(x, &a, 16); memcpy(y, &b, 16); \
	OPAQUE(x); OPAQUE(y)

static int64_t clamp(int64_t value, int64_t low, int64_t high)
{
	return value < low ? low : value > high ? high : value;
}

#define INTEGERS(name, V, M, T, U, low, high) \
static void name(void) \
{ \
	OPERANDS(V, T, { fill(&a); fill(&b); }); \
	BINARY(V, T, &); BINARY(V, T, |); BINARY(V, T, ^); \
	/* Wrap-around is that of the unsigned type. */ \
	{ V r = (V)((U)a + (U)b); OPAQUE(r); LANES(V) SAME(V, "+", r, (T)((uint64_t)x[i] + (uint64_t)y[i])); } \
	{ V r = (V)((U)a - (U)b); OPAQUE(r); LANES(V) SAME(V, "-", r, (T)((uint64_t)x[i] - (uint64_t)y[i])); } \
	{ V r = (V)((U)a * (U)b); OPAQUE(r); LANES(V) SAME(V, "*", r, (T)((uint64_t)x[i] * (uint64_t)y[i])); } \
	{ V r = ~a; OPAQUE(r); LANES(V) SAME(V, "~", r, (T)~x[i]); } \
	COMPARE(V, M, ==); COMPARE(V, M, !=); COMPARE(V, M, <); COMPARE(V, M, <=); COMPARE(V, M, >); COMPARE(V, M, >=); \
	CALL2(V, __builtin_elementwise_min, x[i] < y[i] ? x[i] : y[i]); \
	CALL2(V, __builtin_elementwise_max, x[i] > y[i] ? x[i] : y[i]); \
	int count = random_bits() % (8 * sizeof(T)); \
	{ V r = (V)((U)a << count); OPAQUE(r); LANES(V) SAME(V, "<<", r, (T)((uint64_t)x[i] << count)); } \
	{ V r = a >> count; OPAQUE(r); LANES(V) SAME(V, ">>", r, (T)(x[i] >> count)); } \
	{ V r = a; r[count % (16 / sizeof(T))] = y[0]; OPAQUE(r); LANES(V) SAME(V, "[]", r, i == (int)(count % (16 / sizeof(T))) ? y[0] : x[i]); } \
	{ V r = a[1] + (V){ 0 }; OPAQUE(r); LANES(V) SAME(V, "splat", r, x[1]); } \
	if (sizeof(T) <= 2) { \
		CALL2(V, __builtin_elementwise_add_sat, (T)clamp((int64_t)x[i] + y[i], low, high)); \
		CALL2(V, __builtin_elementwise_sub_sat, (T)clamp((int64_t)x[i] - y[i], low, high)); \
	} \
}

INTEGERS(signed_bytes, i8x16, i8x16, int8_t, u8x16, INT8_MIN, INT8_MAX)
INTEGERS(unsigned_bytes, u8x16, i8x16, uint8_t, u8x16, 0, UINT8_MAX)
INTEGERS(signed_halves, i16x8, i16x8, int16_t, u16x8, INT16_MIN, INT16_MAX)
INTEGERS(unsigned_halves, u16x8, i16x8, uint16_t, u16x8, 0, UINT16_MAX)
INTEGERS(signed_words, i32x4, i32x4, int32_t, u32x4, 0, 0)
INTEGERS(unsigned_words, u32x4, i32x4, uint32_t, u32x4, 0, 0)
INTEGERS(signed_longs, i64x2, i64x2, int64_t, u64x2, 0, 0)
INTEGERS(unsigned_longs, u64x2, i64x2, uint64_t, u64x2, 0, 0)

#define FLOATS(name, V, M, T, suffix) \
static void name(void) \
{ \
	OPERANDS(V, T, LANES(V) { a[i] = (T)real(); b[i] = (T)real(); }); \
	BINARY(V, T, +); BINARY(V, T, -); BINARY(V, T, *); BINARY(V, T, /); \
	COMPARE(V, M, ==); COMPARE(V, M, !=); COMPARE(V, M, <); COMPARE(V, M, <=); COMPARE(V, M, >); COMPARE(V, M, >=); \
	{ V r = -a; OPAQUE(r); LANES(V) SAME(V, "-", r, -x[i]); } \
	CALL1(V, __builtin_elementwise_abs, fabs##suffix(x[i])); \
	CALL1(V, __builtin_elementwise_sqrt, sqrt##suffix(x[i])); \
	CALL1(V, __builtin_elementwise_ceil, ceil##suffix(x[i])); \
	CALL1(V, __builtin_elementwise_floor, floor##suffix(x[i])); \
	CALL1(V, __builtin_elementwise_trunc, trunc##suffix(x[i])); \
	CALL1(V, __builtin_elementwise_nearbyint, nearbyint##suffix(x[i])); \
	CALL2(V, __builtin_elementwise_copysign, copysign##suffix(x[i], y[i])); \
	M smaller = a < b; \
	{ V r = (V)(((M)a & smaller) | ((M)b & ~smaller)); OPAQUE(r); LANES(V) SAME(V, "select", r, x[i] < y[i] ? x[i] : y[i]); } \
}

FLOATS(floats, f32x4, i32x4, float, f)
FLOATS(doubles, f64x2, i64x2, double, )

static void conversions(void)
{
	OPERANDS(i8x16, int8_t, { fill(&a); fill(&b); });
	typedef int8_t i8x8 __attribute__((vector_size(8)));
	typedef uint8_t u8x8 __attribute__((vector_size(8)));
	i8x8 low = __builtin_shufflevector(a, a, 0, 1, 2, 3, 4, 5, 6, 7);
	i8x8 high = __builtin_shufflevector(a, a, 8, 9, 10, 11, 12, 13, 14, 15);
	i16x8 r = __builtin_convertvector(low, i16x8);
	OPAQUE(r);
	LANES(i16x8) SAME(i16x8, "extend low", r, x[i]);
	r = __builtin_convertvector(high, i16x8);
	OPAQUE(r);
	LANES(i16x8) SAME(i16x8, "extend high", r, x[8 + i]);
	u16x8 u = __builtin_convertvector((u8x8)high, u16x8);
	OPAQUE(u);
	LANES(u16x8) SAME(u16x8, "zero-extend high", u, (uint8_t)x[8 + i]);
	i8x16 mixed = __builtin_shufflevector(a, b, 31, 0, 17, 5, 9, 22, 16, 15, 1, 1, 30, 7, 8, 3, 24, 12);
	static const int from[] = { 31, 0, 17, 5, 9, 22, 16, 15, 1, 1, 30, 7, 8, 3, 24, 12 };
	OPAQUE(mixed);
	LANES(i8x16) SAME(i8x16, "shuffle", mixed, from[i] < 16 ? x[from[i]] : y[from[i] - 16]);

	i32x4 words = (i32x4)a;
	int32_t scalars[4];
	memcpy(scalars, &words, 16);
	f32x4 f = __builtin_convertvector(words, f32x4);
	OPAQUE(f);
	LANES(f32x4) SAME(f32x4, "from int", f, (float)scalars[i]);
	f = __builtin_convertvector((u32x4)words, f32x4);
	OPAQUE(f);
	LANES(f32x4) SAME(f32x4, "from unsigned", f, (float)(uint32_t)scalars[i]);
	f32x4 reals;
	float numbers[4];
	LANES(f32x4) numbers[i] = (float)((int32_t)random_bits() / 3.0);
	memcpy(&reals, numbers, 16);
	OPAQUE(reals);
	words = __builtin_convertvector(reals, i32x4);
	OPAQUE(words);
	LANES(i32x4) SAME(i32x4, "to int", words, (int32_t)numbers[i]);
}

#ifdef __wasm__
#pragma clang attribute pop
#endif

int main(void)
{
	for (int round = 0; round < ROUNDS; round++) {
		signed_bytes(); unsigned_bytes(); signed_halves(); unsigned_halves();
		signed_words(); unsigned_words(); signed_longs(); unsigned_longs();
		floats(); doubles(); conversions();
	}
}
