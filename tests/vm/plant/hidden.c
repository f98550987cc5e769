// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Objects whose only reference is not their address.  A conservative scan
 * cannot know; "hidden" means that reporting and holding are both right.
 * Two forms of page-block reference the tool does understand, these are live:
 * the struct page pointer and the page-aligned physical address.
 */
#include "kmlplant.h"

static u64 enc[128] __used;	/* .bss */
static int nenc;
/* a byte buffer, aligned so that the odd offsets below are really odd */
static char odd[256] __used __aligned(64);

enum { XOR, NOT, PHYS, PFN, SHR3, SHL16, SPLIT, UNALIGNED, BSWAP, STRUCT_PAGE,
       INTEGER, NR_HOW };
static const char * const how_name[] = { "xor", "not", "phys", "pfn", "shr3",
	"shl16", "split", "unaligned", "bswap", "struct-page", "integer" };

static void hide(const char *kind, void *obj, size_t size, int how, int i)
{
	u64 p = (unsigned long)obj;
	u64 pa = virt_to_phys(obj);
	const char *at = "";

	if (!obj)
		return;
	switch (how) {
	case XOR:	enc[nenc++] = p ^ 0x5aa5f00fdeadbeefULL; break;
	case NOT:	enc[nenc++] = ~p; break;
	case PHYS:	enc[nenc++] = pa; break;
	case PFN:	enc[nenc++] = pa >> PAGE_SHIFT; break;
	case SHR3:	enc[nenc++] = p >> 3; break;
	case SHL16:	enc[nenc++] = p << 16 | 7; break;
	case SPLIT:	enc[nenc++] = p >> 32; enc[nenc++] = (u32)p; break;
	case BSWAP:	enc[nenc++] = __builtin_bswap64(p); break;
	case UNALIGNED:	memcpy(odd + 32 * (i % 8) + 1 + 2 * (i % 3), &p, 8); break;
	case STRUCT_PAGE: enc[nenc++] = (unsigned long)virt_to_page(obj); break;
	case INTEGER:	/* a number that happens to equal the address */
		enc[nenc++] = p; at = " note=equals-address"; break;
	}
	PLANT("hidden", kind, p, size, "hidden.%s.%d how=%s%s", how_name[how], i,
	      how_name[how], at);
}

int kml_hidden(void)
{
	int how, i;

	for (how = 0; how < NR_HOW; how++)
		for (i = 0; i < 4; i++) {
			size_t size = i == 3 ? 12000 : 50 << i;

			hide(kml_kind(size, GFP_KERNEL), kzalloc(size, GFP_KERNEL),
			     size, how, i);
		}
	/* page blocks: pfn, xor and the like are hidden too */
	hide("page", (void *)get_zeroed_page(GFP_KERNEL), PAGE_SIZE, XOR, 4);
	hide("page", (void *)get_zeroed_page(GFP_KERNEL), PAGE_SIZE, PFN, 4);
	hide("page", (void *)get_zeroed_page(GFP_KERNEL), PAGE_SIZE, SHR3, 4);
	/* ... but these two are references; each block holds an object in turn */
	for (i = 0; i < 4; i++) {
		unsigned long pg = __get_free_pages(GFP_KERNEL | __GFP_ZERO | (i & 1 ? __GFP_COMP : 0), i);
		void **obj = kzalloc(112, GFP_KERNEL);

		if (!pg || !obj)
			return -ENOMEM;
		enc[nenc++] = i < 2 ? (u64)(unsigned long)virt_to_page((void *)pg) : virt_to_phys((void *)pg);
		((void **)pg)[7 * i + 9] = obj;
		PLANT("live", "page", pg, PAGE_SIZE << i,
		      "%s.%d order=%d alloc=%s holder=%s", i < 2 ? "by-struct-page" : "by-phys",
		      i, i, i & 1 ? "compound" : "alloc_pages", i < 2 ? "struct-page" : "phys");
		PLANT("live", kml_kind(112, GFP_KERNEL), obj, 112,
		      "%s.%d.obj holder=page", i < 2 ? "by-struct-page" : "by-phys", i);
	}
	/*
	 * vmalloc, per-cpu: encoded as well.  The physical address of a vmalloc
	 * area's page is not the area's.
	 */
	for (i = 0; i < 2; i++) {
		void *v = vzalloc(6000);
		void __percpu *pc = __alloc_percpu(32, 8);

		enc[nenc++] = ~(unsigned long)v;
		PLANT("hidden", "vmalloc", v, 6000, "hidden.vmalloc.%d how=not", i);
		enc[nenc++] = (unsigned long __force)pc ^ 0x5aa5f00fdeadbeefULL;
		PLANT("hidden", "percpu", (unsigned long __force)pc, 32,
		      "hidden.percpu.%d cpu0=0x%lx how=xor", i,
		      (unsigned long)per_cpu_ptr(pc, 0));
	}
	return 0;
}
