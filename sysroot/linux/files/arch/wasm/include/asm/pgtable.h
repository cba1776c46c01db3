/* SPDX-License-Identifier: GPL-2.0 */
#ifndef _ASM_WASM_PGTABLE_H
#define _ASM_WASM_PGTABLE_H

#include <asm-generic/pgtable-nopmd.h>
#include <asm/page.h>

/*
 * Only the kernel walks these tables. Code runs over mappings of the host,
 * which are a TLB: filled from here and dropped at any time.
 */
#define _PAGE_PRESENT	0x001
#define _PAGE_WRITE	0x002
#define _PAGE_EXEC	0x004
#define _PAGE_USER	0x008
#define _PAGE_ACCESSED	0x010
#define _PAGE_DIRTY	0x020
#define _PAGE_SPECIAL	0x040
#define _PAGE_NONE	0x080	/* PROT_NONE: there, but never in the TLB */
#define _PAGE_SWP_EXCLUSIVE 0x100

#define PGDIR_SHIFT	(PAGE_SHIFT + PAGE_SHIFT - 2)
#define PGDIR_SIZE	(1UL << PGDIR_SHIFT)
#define PGDIR_MASK	(~(PGDIR_SIZE - 1))
#define PTRS_PER_PTE	(1UL << (PAGE_SHIFT - 2))
#define PTRS_PER_PGD	(1UL << (32 - PGDIR_SHIFT))
#define USER_PTRS_PER_PGD	PTRS_PER_PGD

#define VMALLOC_START	0xC0000000UL
#define VMALLOC_END	0xE0000000UL

#define _PAGE_TABLE	_PAGE_PRESENT
#define _PAGE_BASE	(_PAGE_PRESENT | _PAGE_ACCESSED)
#define _PAGE_CHG_MASK	(PAGE_MASK | _PAGE_ACCESSED | _PAGE_DIRTY | _PAGE_SPECIAL)

#define PAGE_NONE	__pgprot(_PAGE_NONE | _PAGE_ACCESSED)
#define PAGE_READONLY	__pgprot(_PAGE_BASE | _PAGE_USER)
#define PAGE_READONLY_X	__pgprot(_PAGE_BASE | _PAGE_USER | _PAGE_EXEC)
#define PAGE_SHARED	__pgprot(_PAGE_BASE | _PAGE_USER | _PAGE_WRITE)
#define PAGE_SHARED_X	__pgprot(_PAGE_BASE | _PAGE_USER | _PAGE_WRITE | _PAGE_EXEC)
#define PAGE_COPY	PAGE_READONLY
#define PAGE_COPY_X	PAGE_READONLY_X
#define PAGE_KERNEL	__pgprot(_PAGE_BASE | _PAGE_WRITE | _PAGE_DIRTY)

#ifndef __ASSEMBLY__
struct mm_struct;
struct vm_area_struct;
struct vm_fault;

extern pgd_t swapper_pg_dir[];
#define pte_ERROR(e)	pr_err("bad pte %08lx\n", pte_val(e))
#define pgd_ERROR(e)	pr_err("bad pgd %08lx\n", pgd_val(e))

static inline int pte_none(pte_t pte)	{ return !pte_val(pte); }
static inline int pte_present(pte_t pte) { return pte_val(pte) & (_PAGE_PRESENT | _PAGE_NONE); }
static inline int pte_write(pte_t pte)	{ return pte_val(pte) & _PAGE_WRITE; }
static inline int pte_dirty(pte_t pte)	{ return pte_val(pte) & _PAGE_DIRTY; }
static inline int pte_young(pte_t pte)	{ return pte_val(pte) & _PAGE_ACCESSED; }
static inline int pte_special(pte_t pte) { return pte_val(pte) & _PAGE_SPECIAL; }

/* May user code touch it? */
static inline bool pte_user(pte_t pte)
{
	return (pte_val(pte) & (_PAGE_PRESENT | _PAGE_NONE)) == _PAGE_PRESENT;
}

static inline pte_t pte_wrprotect(pte_t pte)	{ return __pte(pte_val(pte) & ~_PAGE_WRITE); }
static inline pte_t pte_mkwrite_novma(pte_t pte) { return __pte(pte_val(pte) | _PAGE_WRITE); }
static inline pte_t pte_mkclean(pte_t pte)	{ return __pte(pte_val(pte) & ~_PAGE_DIRTY); }
static inline pte_t pte_mkdirty(pte_t pte)	{ return __pte(pte_val(pte) | _PAGE_DIRTY); }
static inline pte_t pte_mkold(pte_t pte)	{ return __pte(pte_val(pte) & ~_PAGE_ACCESSED); }
static inline pte_t pte_mkyoung(pte_t pte)	{ return __pte(pte_val(pte) | _PAGE_ACCESSED); }
static inline pte_t pte_mkspecial(pte_t pte)	{ return __pte(pte_val(pte) | _PAGE_SPECIAL); }

static inline pte_t pte_modify(pte_t pte, pgprot_t prot)
{
	return __pte((pte_val(pte) & _PAGE_CHG_MASK) | pgprot_val(prot));
}

#define PFN_PTE_SHIFT		PAGE_SHIFT
#define pte_pfn(pte)		(pte_val(pte) >> PAGE_SHIFT)
#define pfn_pte(pfn, prot)	__pte(((unsigned long)(pfn) << PAGE_SHIFT) | pgprot_val(prot))
#define pte_page(pte)		pfn_to_page(pte_pfn(pte))

static inline void set_pte(pte_t *ptep, pte_t pte)
{
	WRITE_ONCE(*ptep, pte);
}
#define pte_clear(mm, addr, ptep)	set_pte(ptep, __pte(0))

static inline int pmd_none(pmd_t pmd)	{ return !pmd_val(pmd); }
static inline int pmd_bad(pmd_t pmd)	{ return (pmd_val(pmd) & ~PAGE_MASK) != _PAGE_TABLE; }
static inline int pmd_present(pmd_t pmd) { return pmd_val(pmd) & _PAGE_PRESENT; }

static inline void set_pmd(pmd_t *pmdp, pmd_t pmd)
{
	WRITE_ONCE(*pmdp, pmd);
}

static inline void pmd_clear(pmd_t *pmdp)
{
	set_pmd(pmdp, __pmd(0));
}

#define pmd_page_vaddr(pmd)	((unsigned long)__va(pmd_val(pmd) & PAGE_MASK))
#define pmd_pfn(pmd)		(pmd_val(pmd) >> PAGE_SHIFT)
#define pmd_page(pmd)		pfn_to_page(pmd_pfn(pmd))

/* Swap entry: _PAGE_PRESENT and _PAGE_NONE clear, type in bits 1-5, offset from bit 9. */
#define __swp_type(x)		(((x).val >> 1) & 0x1f)
#define __swp_offset(x)		((x).val >> 9)
#define __swp_entry(type, offset) \
	((swp_entry_t) { (((type) & 0x1f) << 1) | ((offset) << 9) })
#define __pte_to_swp_entry(pte)	((swp_entry_t) { pte_val(pte) & ~_PAGE_SWP_EXCLUSIVE })
#define __swp_entry_to_pte(x)	__pte((x).val)

static inline int pte_swp_exclusive(pte_t pte)
{
	return pte_val(pte) & _PAGE_SWP_EXCLUSIVE;
}

static inline pte_t pte_swp_mkexclusive(pte_t pte)
{
	return __pte(pte_val(pte) | _PAGE_SWP_EXCLUSIVE);
}

static inline pte_t pte_swp_clear_exclusive(pte_t pte)
{
	return __pte(pte_val(pte) & ~_PAGE_SWP_EXCLUSIVE);
}

/* See mm/populate.c. */
#define HAVE_ARCH_UNMAPPED_AREA_TOPDOWN

/*
 * Says "changed" always: the fault came because the TLB had no such entry, so
 * that update_mmu_cache() must follow whether or not the table has changed.
 */
#define __HAVE_ARCH_PTEP_SET_ACCESS_FLAGS
#define ptep_set_access_flags(vma, address, ptep, entry, dirty)		\
({									\
	if (pte_val(*(ptep)) != pte_val(entry))				\
		set_pte((ptep), (entry));				\
	1;								\
})

/*
 * Every vCPU that runs code of an mm has the same TLB. The new entry, which
 * follows, takes the place of the old one there.
 */
#define ptep_clear_replaced(vma, address, ptep) \
	ptep_get_and_clear((vma)->vm_mm, address, ptep)

void update_mmu_cache_range(struct vm_fault *vmf, struct vm_area_struct *vma,
			    unsigned long address, pte_t *ptep, unsigned int nr);
#define update_mmu_cache(vma, address, ptep) \
	update_mmu_cache_range(NULL, vma, address, ptep, 1)
#endif

#endif
