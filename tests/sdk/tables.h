// SPDX-License-Identifier: MIT OR Apache-2.0
// A table that the linker puts together: each file adds rows, and nobody refers to them.
typedef int step(int);
#define STEP(name) static int name(int); __attribute__((section("steps"))) step *const row_##name = name; static int name(int n)
