// SPDX-License-Identifier: MIT OR Apache-2.0
// Products of matrices of f64: one that can be vectorised and one that can't.
#include "../program.h"

#define N 160
static double A[N][N], B[N][N], C[N][N];
NOINLINE static void gemm(double alpha, double beta)
{
	for (int i = 0; i < N; i++) {
		for (int j = 0; j < N; j++)
			C[i][j] *= beta;
		for (int k = 0; k < N; k++)
			for (int j = 0; j < N; j++)
				C[i][j] += alpha * A[i][k] * B[k][j];
	}
}

NOINLINE static void gemm_dot(void)
{ /* ijk order: reduction, not vectorisable without fast-math */
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			double s = 0;
			for (int k = 0; k < N; k++)
				s += A[i][k] * B[k][j];
			C[i][j] += s;
		}
}

uint32_t run(void)
{
	enum { n = 10 };
	for (int i = 0; i < N; i++)
		for (int j = 0; j < N; j++) {
			A[i][j] = (double)(i * j % 7) / 7;
			B[i][j] = (double)((i + j) % 11) / 11;
			C[i][j] = 0;
		}
	for (int r = 0; r < n; r++) {
		gemm(1.1, 0.9);
		gemm_dot();
	}
	double s = 0;
	for (int i = 0; i < N; i++)
		s += C[i][(i * 7) % N];
	return (int)(s * 16);
}
