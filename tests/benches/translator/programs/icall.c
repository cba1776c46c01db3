// SPDX-License-Identifier: MIT OR Apache-2.0
// Calls through tables of functions: expression trees of objects.
#include "../program.h"

typedef struct Obj Obj;
typedef struct {
	int (*eval)(Obj *, int);
	int (*kind)(Obj *);
} Vt;
struct Obj {
	const Vt *vt;
	int v;
	Obj *l, *r;
};
static int k0(Obj *o)
{
	return o->v;
}

static int k1(Obj *o)
{
	return o->v + 1;
}

static int e_c(Obj *o, int x)
{
	return o->v + x;
}

static int e_x(Obj *o, int x)
{
	return x ^ o->v;
}

static int e_add(Obj *o, int x)
{
	return o->l->vt->eval(o->l, x) + o->r->vt->eval(o->r, x);
}

static int e_mul(Obj *o, int x)
{
	return o->l->vt->eval(o->l, x) * o->r->vt->eval(o->r, x + 1);
}

static int e_if(Obj *o, int x)
{
	return o->l->vt->kind(o->l) & 1 ? o->l->vt->eval(o->l, x) : o->r->vt->eval(o->r, x);
}

static const Vt V[5] = {{e_c, k0}, {e_x, k1}, {e_add, k0}, {e_mul, k1}, {e_if, k0}};
static Obj pool[8192];
static int np;
static Obj *mk(uint32_t *s, int d)
{
	Obj *o = &pool[np++];
	uint32_t t = rnd(s);
	o->v = t >> 16;
	if (d == 0) {
		o->vt = &V[t & 1];
		return o;
	}
	o->vt = &V[2 + (t >> 3) % 3];
	o->l = mk(s, d - 1);
	o->r = mk(s, d - 1);
	return o;
}

uint32_t run(void)
{
	enum { n = 200 };
	uint32_t s = 9;
	np = 0;
	Obj *o = mk(&s, 11);
	int r = 0;
	for (int q = 0; q < n * 40; q++)
		r += o->vt->eval(o, q);
	return r;
}
