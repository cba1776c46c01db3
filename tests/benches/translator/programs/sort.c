// SPDX-License-Identifier: MIT OR Apache-2.0
// Quicksort of an array, mergesort of a list, and a hash table with chains.
#include "../program.h"

#define N 60000
static uint32_t arr[N];
typedef struct Node {
	struct Node *next;
	uint32_t key, val;
} Node;
static Node pool[N];
static Node *tab[1 << 14];
NOINLINE static void qs(uint32_t *a, int lo, int hi)
{
	while (lo < hi) {
		uint32_t p = a[(lo + hi) >> 1];
		int i = lo, j = hi;
		while (i <= j) {
			while (a[i] < p)
				i++;
			while (a[j] > p)
				j--;
			if (i <= j) {
				uint32_t t = a[i];
				a[i] = a[j];
				a[j] = t;
				i++;
				j--;
			}
		}
		if (j - lo < hi - i) {
			qs(a, lo, j);
			lo = i;
		} else {
			qs(a, i, hi);
			hi = j;
		}
	}
}

NOINLINE static Node *msort(Node *l)
{
	if (!l || !l->next)
		return l;
	Node *s = l, *f = l->next;
	while (f && f->next) {
		s = s->next;
		f = f->next->next;
	}
	Node *b = s->next;
	s->next = 0;
	Node *a = msort(l);
	b = msort(b);
	Node h;
	Node *t = &h;
	while (a && b) {
		if (a->key < b->key) {
			t->next = a;
			t = a;
			a = a->next;
		} else {
			t->next = b;
			t = b;
			b = b->next;
		}
	}
	t->next = a ? a : b;
	return h.next;
}

NOINLINE static Node *lookup(uint32_t k)
{
	for (Node *n = tab[(k * 2654435761u) >> 18]; n; n = n->next)
		if (n->key == k)
			return n;
	return 0;
}

uint32_t run(void)
{
	enum { n = 2 };
	uint32_t s = 3, r = 0;
	for (int q = 0; q < n; q++) {
		for (int i = 0; i < N; i++)
			arr[i] = rnd(&s);
		qs(arr, 0, N - 1);
		r ^= arr[N / 3];
		for (int i = 0; i < N; i++) {
			pool[i].key = rnd(&s);
			pool[i].val = i;
			pool[i].next = i + 1 < N ? &pool[i + 1] : 0;
		}
		Node *l = msort(pool);
		for (int i = 0; i < 1000; i++)
			l = l->next;
		r += l->key;
		for (int i = 0; i < (1 << 14); i++)
			tab[i] = 0;
		for (int i = 0; i < N; i++) {
			uint32_t k = arr[i] & 0xfffff;
			uint32_t h = (k * 2654435761u) >> 18;
			pool[i].key = k;
			pool[i].next = tab[h];
			tab[h] = &pool[i];
		}
		for (int i = 0; i < N * 2; i++) {
			Node *x = lookup(rnd(&s) & 0xfffff);
			if (x)
				r += x->val;
		}
	}
	return (int)r;
}
