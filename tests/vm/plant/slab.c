// SPDX-License-Identifier: GPL-2.0-or-later
/* Slab objects and large kmalloc: every class, leaked and live. */
#include <linux/string.h>
#include "kmlplant.h"

#define GFP_RCL (GFP_KERNEL | __GFP_RECLAIMABLE)

/* one size class: leaks and live objects take turns in the same slabs */
static void plant_class(size_t size, gfp_t gfp, const char *type, int nleak)
{
	int i, nlive = 0;
	size_t sz;
	void *p;

	kml_drain(size, gfp);
	for (i = 0; i < nleak; i++) {
		/* the class's full size, and a size that leaves slack */
		sz = i & 1 ? size - size / 8 : size;
		p = kmalloc(sz, gfp);
		PLANT("leak", kml_kind(sz, gfp), p, sz, "kmalloc%s-%zu.%d",
		      type, size, i);
		if (i % 3)
			continue;
		p = kmalloc(sz, gfp);
		kml_keep(p);
		PLANT("live", kml_kind(sz, gfp), p, sz,
		      "kmalloc%s-%zu.live.%d holder=module.data", type, size, nlive++);
	}
}

static void plant_large(void)
{
	static const u32 sizes[] = { 8193, 12000, 16384, 16385, 40000, 65536,
				     131073, 200001, 524288 };
	int i;
	void *p;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		gfp_t gfp = i == 3 ? GFP_KERNEL_ACCOUNT : GFP_KERNEL;

		p = kmalloc(sizes[i], gfp);
		PLANT("leak", "large", p, sizes[i], "large.%u%s", sizes[i],
		      i == 3 ? " charged=1" : "");
		if (sizes[i] < 131073) {
			p = kzalloc(sizes[i], gfp);
			PLANT("leak", "large", p, sizes[i], "large.%u.z", sizes[i]);
		}
		p = kmalloc(sizes[i], GFP_KERNEL);
		kml_keep(p);
		PLANT("live", "large", p, sizes[i],
		      "large.%u.live holder=module.data", sizes[i]);
	}
}

/* the other ways to a kmalloc object */
static void plant_wrappers(void)
{
	int i;
	void *p;

	for (i = 0; i < 8; i++) {
		bool live = i >= 6;
		const char *truth = live ? "live" : "leak";
		const char *tail = live ? " holder=module.data" : "";

#define ONE(name, sz, expr) do {						\
		p = (expr);						\
		if (live)						\
			kml_keep(p);					\
		PLANT(truth, kml_kind_of(p, sz, GFP_KERNEL), p, sz,	\
		      name ".%d%s", i, tail);				\
	} while (0)
		/* grown: moves to another cache, the old object is freed */
		ONE("krealloc.grown", 200, krealloc(kmalloc(40, GFP_KERNEL), 200, GFP_KERNEL));
		/* grown within its slot: stays where it is */
		ONE("krealloc.inplace", 125, krealloc(kmalloc(100, GFP_KERNEL), 125, GFP_KERNEL));
		ONE("kstrdup", 29, kstrdup("a string that nobody has kept", GFP_KERNEL));
		ONE("kmemdup", 80, kmemdup(kml_log, 80, GFP_KERNEL));
		ONE("kasprintf", 20, kasprintf(GFP_KERNEL, "kasprintf number %d", i));
		ONE("kcalloc", 480, kcalloc(20, 24, GFP_KERNEL));
		ONE("kvmalloc.small", 300, kvmalloc(300, GFP_KERNEL));
		ONE("kvmalloc.big", 300000, kvmalloc(300000, GFP_KERNEL));
#undef ONE
	}
}

static void kml_ctor(void *obj)
{
	memset(obj, 0x5a, 264);
}

/* caches of our own */
static void plant_caches(void)
{
	static const struct {
		const char *name;
		unsigned int size, align;
		unsigned long flags;
		unsigned int user;	/* a usercopy window prevents merging */
		void (*ctor)(void *);
		int bulk;
	} spec[] = {
		{ "kml_private", 120, 0, 0, 64 },
		{ "kml_private_big", 5000, 0, 0, 64 },
		{ "kml_private_tiny", 8, 0, 0, 8 },
		{ "kml_private_odd", 1000, 0, 0, 64 },
		{ "kml_aligned", 24, 64, 0, 8 },
		{ "kml_ctor", 264, 0, 0, 0, kml_ctor },
		{ "kml_merged", 56, 0, 0 },
		{ "kml_merged_big", 1024, 0, 0 },
		{ "kml_account", 200, 0, SLAB_ACCOUNT },
		{ "kml_reclaim", 152, 0, SLAB_RECLAIM_ACCOUNT },
		{ "kml_rcu", 136, 0, SLAB_TYPESAFE_BY_RCU },
		{ "kml_hwalign", 72, 0, SLAB_HWCACHE_ALIGN, 8 },
		{ "kml_bulk", 88, 0, 0, 8, NULL, 1 },
		{ "kml_noleaktrace", 80, 0, SLAB_NOLEAKTRACE },
#ifdef CONFIG_SLUB_DEBUG
		{ "kml_debug", 100, 0, SLAB_RED_ZONE | SLAB_POISON | SLAB_STORE_USER },
		{ "kml_redzone", 48, 0, SLAB_RED_ZONE },
		{ "kml_poison", 328, 0, SLAB_POISON },
#endif
	};
	int c, i;

	for (c = 0; c < ARRAY_SIZE(spec); c++) {
		struct kmem_cache *s;
		void *p[15];
		char kind[40];

		s = kmem_cache_create_usercopy(spec[c].name, spec[c].size,
					       spec[c].align, spec[c].flags,
					       0, spec[c].user, spec[c].ctor);
		if (!s) {
			pr_err("KMLPLANT-ERROR cache=%s\n", spec[c].name);
			continue;
		}
		snprintf(kind, sizeof(kind), "slab:%s", spec[c].name);
		if (spec[c].bulk) {
			if (!kmem_cache_alloc_bulk(s, GFP_KERNEL, ARRAY_SIZE(p), p))
				continue;
		} else {
			for (i = 0; i < ARRAY_SIZE(p); i++)
				p[i] = kmem_cache_alloc(s, GFP_KERNEL);
		}
		for (i = 0; i < ARRAY_SIZE(p); i++) {
			if (i % 3 == 2) {
				kml_keep(p[i]);
				PLANT("live", kind, p[i], spec[c].size,
				      "%s.live.%d holder=module.data", spec[c].name, i / 3);
			} else {
				PLANT("leak", kind, p[i], spec[c].size,
				      "%s.%d", spec[c].name, i - i / 3);
			}
		}
	}
}

int kml_slab(void)
{
	static const u16 class[] = { 8, 16, 32, 64, 96, 128, 192, 256, 512,
				     1024, 2048, 4096, 8192 };
	int i;

	for (i = 0; i < ARRAY_SIZE(class); i++) {
		plant_class(class[i], GFP_KERNEL, "", 18);
		plant_class(class[i], GFP_KERNEL_ACCOUNT, "-cg", 8);
		plant_class(class[i], GFP_RCL, "-rcl", 4);
	}
	plant_large();
	plant_wrappers();
	plant_caches();
	return 0;
}
