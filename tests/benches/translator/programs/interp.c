// SPDX-License-Identifier: MIT OR Apache-2.0
// An interpreter of bytecode: one loop with a large switch. It sieves primes and follows the
// Collatz sequence.
#include "../program.h"

enum {
	LDI,
	MOV,
	ADD,
	SUB,
	MUL,
	AND,
	SHR,
	LT,
	JZ,
	JMP,
	LDX,
	STX,
	INC,
	EQ,
	CALL,
	RET,
	HALT,
	OR,
	XOR,
	SHL
};
typedef struct {
	uint8_t op, a, b, c;
	int imm;
} Ins;
static int mem[65536];
NOINLINE static int exec(const Ins *p, int arg)
{
	int r[32];
	int st[64];
	int sp = 0;
	for (int i = 0; i < 32; i++)
		r[i] = 0;
	r[0] = arg;
	const Ins *pc = p;
	for (;;) {
		const Ins *i = pc++;
		switch (i->op) {
		case LDI: r[i->a & 31] = i->imm; break;
		case MOV: r[i->a & 31] = r[i->b & 31]; break;
		case ADD: r[i->a & 31] = r[i->b & 31] + r[i->c & 31]; break;
		case SUB: r[i->a & 31] = r[i->b & 31] - r[i->c & 31]; break;
		case MUL: r[i->a & 31] = r[i->b & 31] * r[i->c & 31]; break;
		case AND: r[i->a & 31] = r[i->b & 31] & r[i->c & 31]; break;
		case OR: r[i->a & 31] = r[i->b & 31] | r[i->c & 31]; break;
		case XOR: r[i->a & 31] = r[i->b & 31] ^ r[i->c & 31]; break;
		case SHR: r[i->a & 31] = (int)((uint32_t)r[i->b & 31] >> (i->imm & 31)); break;
		case SHL: r[i->a & 31] = (int)((uint32_t)r[i->b & 31] << (i->imm & 31)); break;
		case LT: r[i->a & 31] = r[i->b & 31] < r[i->c & 31]; break;
		case EQ: r[i->a & 31] = r[i->b & 31] == r[i->c & 31]; break;
		case JZ:
			if (!r[i->a & 31])
				pc = p + i->imm;
			break;
		case JMP: pc = p + i->imm; break;
		case LDX: r[i->a & 31] = mem[r[i->b & 31] & 65535]; break;
		case STX: mem[r[i->b & 31] & 65535] = r[i->a & 31]; break;
		case INC: r[i->a & 31] += i->imm; break;
		case CALL:
			st[sp++ & 63] = (int)(pc - p);
			pc = p + i->imm;
			break;
		case RET: pc = p + st[--sp & 63]; break;
		case HALT: return r[i->a & 31];
		}
	}
}

static Ins prog[64];
uint32_t run(void)
{
	enum { n = 3 };
	int k = 0;
#define I(o, x, y, z, m)                                                                       \
	prog[k++] = (Ins)                                                                      \
	{                                                                                      \
		o, x, y, z, m                                                                  \
	}
	/* r0=limit; r1=i; sieve; then collatz */
	I(LDI, 1, 0, 0, 2);    /*0*/
	I(LT, 2, 1, 0, 0);     /*1*/
	I(JZ, 2, 0, 0, 13);    /*2*/
	I(LDX, 3, 1, 0, 0);    /*3*/
	I(JZ, 3, 0, 0, 6);     /*4*/
	I(JMP, 0, 0, 0, 11);   /*5*/
	I(INC, 8, 0, 0, 1);    /*6 count primes */
	I(ADD, 4, 1, 1, 0);    /*7 j=2i*/
	I(LT, 5, 4, 0, 0);     /*8*/
	I(JZ, 5, 0, 0, 11);    /*9*/
	I(CALL, 0, 0, 0, 30);  /*10*/
	I(INC, 1, 0, 0, 1);    /*11*/
	I(JMP, 0, 0, 0, 1);    /*12*/
	I(LDI, 1, 0, 0, 1);    /*13 collatz*/
	I(LDI, 9, 0, 0, 3000); /*14*/
	I(LDI, 10, 0, 0, 1);   /*15*/
	I(LT, 2, 1, 9, 0);     /*16*/
	I(JZ, 2, 0, 0, 35);    /*17*/
	I(MOV, 3, 1, 0, 0);    /*18*/
	I(EQ, 4, 3, 10, 0);    /*19*/
	I(JZ, 4, 0, 0, 22);    /*20*/
	I(JMP, 0, 0, 0, 40);   /*21*/
	I(AND, 5, 3, 10, 0);   /*22*/
	I(JZ, 5, 0, 0, 28);    /*23*/
	I(LDI, 6, 0, 0, 3);    /*24*/
	I(MUL, 3, 3, 6, 0);    /*25*/
	I(INC, 3, 0, 0, 1);    /*26*/
	I(JMP, 0, 0, 0, 29);   /*27*/
	I(SHR, 3, 3, 0, 1);    /*28*/
	I(JMP, 0, 0, 0, 44);   /*29*/
	I(STX, 10, 4, 0, 0);   /*30 inner sieve: mem[j]=r10*/
	I(ADD, 4, 4, 1, 0);    /*31*/
	I(LT, 5, 4, 0, 0);     /*32*/
	I(JZ, 5, 0, 0, 38);    /*33*/
	I(JMP, 0, 0, 0, 30);   /*34*/
	I(ADD, 0, 7, 8, 0);    /*35*/
	I(HALT, 0, 0, 0, 0);   /*36*/
	I(HALT, 0, 0, 0, 0);   /*37*/
	I(RET, 0, 0, 0, 0);    /*38*/
	I(HALT, 0, 0, 0, 0);   /*39*/
	I(INC, 1, 0, 0, 1);    /*40*/
	I(JMP, 0, 0, 0, 16);   /*41*/
	I(HALT, 0, 0, 0, 0);
	I(HALT, 0, 0, 0, 0);
	I(INC, 7, 0, 0, 1);  /*44*/
	I(JMP, 0, 0, 0, 19); /*45*/
	int s = 0;
	for (int q = 0; q < n; q++) {
		for (int i = 0; i < 65536; i++)
			mem[i] = 0;
		mem[0] = q;
		prog[15].imm = 1;
		s += exec(prog, 65000);
	}
	return s;
}
