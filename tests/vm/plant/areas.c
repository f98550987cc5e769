// SPDX-License-Identifier: GPL-2.0-or-later
/* What is not slab: vmalloc, vmap, ioremap, per-cpu, pages. */
#include <linux/gfp.h>
#include "kmlplant.h"

static void plant_vmalloc(void)
{
	static const u32 sizes[] = { 1, 4096, 5000, 16384, 100000, 1 << 20 };
	int i, j;
	void *p;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (j = 0; j < 6; j++) {
			bool live = j & 1;

			if (sizes[i] > 500000 && j > 2)
				break;
			p = j < 2 ? vmalloc(sizes[i]) :
			    j < 4 ? vzalloc(sizes[i]) :
				    __vmalloc(sizes[i], GFP_KERNEL_ACCOUNT);
			if (live)
				kml_keep(p);
			PLANT(live ? "live" : "leak", "vmalloc", p, sizes[i],
			      "%s.%u%s", j < 2 ? "vmalloc" : j < 4 ? "vzalloc" : "vmalloc.acct",
			      sizes[i], live ? ".live holder=module.data" : "");
		}
}

/*
 * vmap: with put=0 the area does not know its pages (the array is ours and is
 * thrown away, only the page tables name them); with VM_MAP_PUT_PAGES the area
 * owns the array and the pages.
 */
static void plant_vmap(int i, bool live, bool put)
{
	struct page **pages;
	unsigned int n = 2 + i, j;
	void *p;

	pages = kvmalloc_array(n, sizeof(*pages), GFP_KERNEL | __GFP_ZERO);
	if (!pages)
		return;
	for (j = 0; j < n; j++)
		pages[j] = alloc_page(GFP_KERNEL | __GFP_ZERO);
	p = vmap(pages, n, VM_MAP | (put ? VM_MAP_PUT_PAGES : 0), PAGE_KERNEL);
	if (live)
		kml_keep(p);
	PLANT(live ? "live" : "leak", "vmap", p, n * PAGE_SIZE, "vmap%s%s.%d%s",
	      put ? ".put" : "", live ? ".live" : "", i,
	      live ? " holder=module.data" : "");
	for (j = 0; j < n; j++) {
		if (live)
			PLANT("live", "page", page_address(pages[j]), PAGE_SIZE,
			      "vmap%s.live.%d.page.%u order=0 alloc=alloc_page holder=vmap",
			      put ? ".put" : "", i, j);
		else
			PLANT("leak", "page", page_address(pages[j]), PAGE_SIZE,
			      "vmap%s.%d.page.%u order=0 alloc=alloc_page root=vmap%s.%d",
			      put ? ".put" : "", i, j, put ? ".put" : "", i);
	}
	if (put)	/* the area's own now */
		PLANT(live ? "live" : "leak", kml_kind(n * 8, GFP_KERNEL), pages,
		      n * sizeof(*pages), "vmap.put%s.%d.array %s%d",
		      live ? ".live" : "", i,
		      live ? "holder=vmap.put.live." : "root=vmap.put.", i);
	else
		kvfree(pages);
}

static void plant_ioremap(void)
{
	int i;

	/* a hole of the q35 machine: no device, no memory; never touched */
	for (i = 0; i < 4; i++) {
		void __iomem *p = ioremap(0xfd000000 + i * 0x10000, 4096 << i);

		if (i & 1)
			kml_keep((__force void *)p);
		PLANT(i & 1 ? "live" : "leak", "ioremap", (__force unsigned long)p,
		      4096 << i, "ioremap%s.%d%s", i & 1 ? ".live" : "", i,
		      i & 1 ? " holder=module.data" : "");
	}
}

static void plant_percpu(void)
{
	static const u16 sizes[] = { 4, 8, 16, 24, 64, 200, 1024, 4096, 16384 };
	int i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++)
		for (j = 0; j < 5; j++) {
			bool live = j >= 3;
			void __percpu *p;

			if (sizes[i] > 4096 && j && j != 3)
				continue;
			p = __alloc_percpu_gfp(sizes[i], sizes[i] & 8 ? 8 : min_t(int, sizes[i], 16),
					       j == 2 ? GFP_KERNEL_ACCOUNT : GFP_KERNEL);
			if (live)
				kml_keep((__force void *)p);
			PLANT(live ? "live" : "leak", "percpu", (__force unsigned long)p,
			      sizes[i], "percpu.%u%s.%d cpu0=0x%lx%s", sizes[i],
			      live ? ".live" : "", j,
			      p ? (unsigned long)per_cpu_ptr(p, 0) : 0,
			      live ? " holder=module.data" : j == 2 ? " charged=1" : "");
		}
}

static void plant_pages(void)
{
	static const struct { const char *name; gfp_t gfp; } how[] = {
		{ "alloc_pages", GFP_KERNEL },
		{ "compound", GFP_KERNEL | __GFP_COMP },
		{ "charged", GFP_KERNEL_ACCOUNT },
		{ "movable", GFP_HIGHUSER_MOVABLE },
	};
	int h, o, j;

	for (h = 0; h < ARRAY_SIZE(how); h++)
		for (o = 0; o <= (h < 2 ? 6 : 2); o++)
			for (j = 0; j < 3; j++) {
				bool live = j == 2;
				struct page *pg;

				if (o > 3 && j == 1)
					continue;
				pg = alloc_pages(how[h].gfp, o);
				if (live && pg)
					kml_keep(page_address(pg));
				PLANT(live ? "live" : "leak", "page",
				      pg ? page_address(pg) : NULL, PAGE_SIZE << o,
				      "page.%s.%d.%d order=%d alloc=%s%s",
				      how[h].name, o, j, o, how[h].name,
				      live ? " holder=module.data" : "");
			}

	for (j = 0; j < 6; j++) {
		/* 5 pages, then 3: the block of 8 or 4 is split, its tail given back */
		size_t size = j & 1 ? 3 * PAGE_SIZE - 100 : 5 * PAGE_SIZE;
		bool live = j >= 4;
		void *p = alloc_pages_exact(size, GFP_KERNEL);

		if (live)
			kml_keep(p);
		PLANT(live ? "live" : "leak", "page", p, size,
		      "page.exact.%d order=%d alloc=exact%s", j, get_order(size),
		      live ? " holder=module.data" : "");
	}
	for (j = 0; j < 6; j++) {
		bool live = j >= 4;
		unsigned long p = j & 1 ? get_zeroed_page(GFP_KERNEL) :
					  __get_free_page(GFP_KERNEL);

		if (live)
			kml_keep((void *)p);
		PLANT(live ? "live" : "leak", "page", p, PAGE_SIZE,
		      "page.gfp.%d order=0 alloc=__get_free_page%s", j,
		      live ? " holder=module.data" : "");
	}
}

int kml_areas(void)
{
	int i;

	plant_vmalloc();
	for (i = 0; i < 4; i++) {
		plant_vmap(i, i & 1, false);
		plant_vmap(i, i & 1, true);
	}
	plant_ioremap();
	plant_percpu();
	plant_pages();
	return 0;
}
