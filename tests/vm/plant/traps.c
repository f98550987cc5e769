// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Leaks whose address still stands somewhere that must not hold them, and
 * objects that were freed.  at= is the place of the stale word (or of the
 * first of several), so that a miss can be explained by name.
 */
#include <linux/delay.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/kthread.h>
#include <linux/mempool.h>
#include <linux/rwsem.h>
#include <linux/version.h>
#include "kmlplant.h"

static void *victim(int i)
{
	return kzalloc(i & 1 ? 448 : 88, GFP_KERNEL);
}
#define VSIZE(i) ((i) & 1 ? 448 : 88)

static void trap(const char *name, int i, void *v, unsigned long at)
{
	PLANT("leak", kml_kind(VSIZE(i), GFP_KERNEL), v, VSIZE(i),
	      "trap.%s.%d trap=%s at=0x%lx", name, i, name, at);
}

static void fill(void *where, size_t size, void *what)
{
	void **w = where;

	for (; size >= sizeof(*w); size -= sizeof(*w))
		*w++ = what;
}

static void in_freed_memory(void)
{
	/* a cache of our own: nobody else will reuse the slots */
	struct kmem_cache *s = kmem_cache_create_usercopy("kml_carrier", 256, 0, 0, 0, 8, NULL);
	void *carrier[6], *v[6];
	int i;

	if (!s)
		return;
	kml_keep(kmem_cache_alloc(s, GFP_KERNEL));	/* keeps the slab */
	for (i = 0; i < 6; i++) {
		carrier[i] = kmem_cache_alloc(s, GFP_KERNEL);
		v[i] = victim(i);
		fill(carrier[i], 256, v[i]);
	}
	for (i = 0; i < 6; i++) {
		kmem_cache_free(s, carrier[i]);
		trap("freed-object", i, v[i], (unsigned long)carrier[i]);
	}
	for (i = 0; i < 4; i++) {	/* a shared cache: the slot may be reused */
		carrier[i] = kmalloc(1024, GFP_KERNEL);
		v[i] = victim(i);
		fill(carrier[i], 1024, v[i]);
		kfree(carrier[i]);
		trap("freed-kmalloc", i, v[i], (unsigned long)carrier[i]);
	}
	for (i = 0; i < 4; i++) {
		unsigned long pg = __get_free_pages(GFP_KERNEL, i & 2);

		v[i] = victim(i);
		fill((void *)pg, PAGE_SIZE << (i & 2), v[i]);
		free_pages(pg, i & 2);
		trap("freed-page", i, v[i], pg);
	}
	for (i = 0; i < 2; i++) {
		void *vm = vmalloc(8000);

		v[i] = victim(i);
		fill(vm, 8000, v[i]);
		vfree(vm);
		trap("freed-vmalloc", i, v[i], (unsigned long)vm);
	}
	for (i = 0; i < 2; i++) {
		void __percpu *pc = __alloc_percpu(256, 8);
		int cpu;

		v[i] = victim(i);
		for_each_possible_cpu(cpu)
			fill(per_cpu_ptr(pc, cpu), 256, v[i]);
		free_percpu(pc);
		trap("freed-percpu", i, v[i], (unsigned long)per_cpu_ptr(pc, 0));
	}
	for (i = 0; i < 2; i++) {	/* an unreferenced holder is no holder */
		void **dead = kzalloc(200, GFP_KERNEL);
		void *child = kzalloc(96, GFP_KERNEL);

		dead[20] = child;
		PLANT("leak", kml_kind(200, GFP_KERNEL), dead, 200, "trap.dead-owner.%d", i);
		PLANT("leak", kml_kind(96, GFP_KERNEL), child, 96,
		      "trap.dead-owner.%d.child root=trap.dead-owner.%d", i, i);
	}
}

/*
 * Behind what was asked for.  The cache knows its object_size, so "padding"
 * can be told apart; what was asked of kmalloc is not recorded (but with slub
 * debugging or since 6.1 in debug caches): a scan of the whole slot finds it.
 */
static void in_slack(void)
{
	struct kmem_cache *s = kmem_cache_create_usercopy("kml_padded", 24, 64, SLAB_HWCACHE_ALIGN, 0, 8, NULL);
	void **p, *v;
	int i;

	for (i = 0; i < 3 && s; i++) {
		p = kmem_cache_zalloc(s, GFP_KERNEL);
		kml_keep(p);
		v = victim(i);
		p[5] = v;	/* bytes 40..47 of 24, the slot has 64 */
		trap("cache-padding", i, v, (unsigned long)&p[5]);
	}
	for (i = 0; i < 3; i++) {
		p = kzalloc(72, GFP_KERNEL);
		kml_keep(p);
		v = victim(i);
		/*
		 * Not through p: the compiler knows its size. Bytes 88..95 of 72.
		 */
		OPTIMIZER_HIDE_VAR(p);
		p[11] = v;
		trap("kmalloc-slack", i, v, (unsigned long)&p[11]);
	}
	for (i = 0; i < 2; i++) {	/* the rest of a vmalloc area's last page */
		p = vzalloc(5000);
		kml_keep(p);
		v = victim(i);
		OPTIMIZER_HIDE_VAR(p);
		p[1000] = v;
		trap("vmalloc-slack", i, v, (unsigned long)&p[1000]);
	}
}

/* In what lies unused in a mempool; what is in use holds. */
static void in_mempool(void)
{
	struct kmem_cache *s = kmem_cache_create("kml_reserve", 256, 0, 0, NULL);
	mempool_t *pool[2] = { mempool_create_kmalloc_pool(3, 256),
			       s ? mempool_create_slab_pool(3, s) : NULL };
	void **used, *v;
	int i, j;

	for (i = 0; i < ARRAY_SIZE(pool) && pool[i]; i++) {
		kml_keep(pool[i]);
		for (j = 0; j < 3; j++) {
			v = victim(3 * i + j);
			fill(pool[i]->elements[j], 256, v);
			trap("mempool", 3 * i + j, v, (unsigned long)pool[i]->elements[j]);
		}
		used = mempool_alloc(pool[i], GFP_KERNEL);
		memset(used, 0, 256);
		kml_keep(used);
		used[3] = v = kzalloc(96, GFP_KERNEL);
		PLANT("live", kml_kind(96, GFP_KERNEL), v, 96, "live.mempool.%d holder=mempool-element", i);
	}
}

/* Whose memory the last reader's of a rw_semaphore was. */
static void in_rwsem(void)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(7, 1, 0)
	struct rw_semaphore *sem;
	void *v;
	int i;

	for (i = 0; i < 2; i++) {
		sem = kzalloc(sizeof(*sem), GFP_KERNEL);
		kml_keep(sem);
		init_rwsem(sem);
		v = victim(2 * i + 1);
		atomic_long_set(&sem->owner, (long)v | 1);
		trap("rwsem", 2 * i + 1, v, (unsigned long)&sem->owner);
	}
#endif
}

/* Writes a victim's address all over a deep frame and returns; but not where
 * the frames of schedule() will lie, some words of which nobody writes. */
static noinline void dirty_stack(const char *name, int i)
{
	volatile unsigned long deep[256];
	int j;

	deep[0] = (unsigned long)victim(i);
	for (j = 1; j < ARRAY_SIZE(deep); j++)
		deep[j] = j < 192 ? deep[0] : 0;
	trap(name, i, (void *)deep[0], (unsigned long)&deep[128]);
}

static int dirty_then_sleep(void *arg)
{
	dirty_stack("stack-below-sp", (long)arg);
	while (!kthread_should_stop()) {
		set_current_state(TASK_IDLE);
		schedule();
	}
	return 0;
}

static int dirty_then_exit(void *arg)
{
	dirty_stack("stack-of-exited", (long)arg);
	return 0;
}

/* Addresses in the page cache and, once read, in a process's memory. */
static void in_page_cache(void)
{
	static u64 buf[4];	/* wiped below */
	struct file *f = filp_open("/tmp/kmltrap.bin", O_CREAT | O_WRONLY, 0600);
	loff_t pos = 0;
	void *v;
	int i, j;

	if (IS_ERR(f))
		return;
	for (i = 0; i < 4; i++) {
		v = victim(i);
		for (j = 0; j < 4; j++)
			buf[j] = (unsigned long)v;
		for (j = 0; j < 8; j++)
			kernel_write(f, buf, sizeof(buf), &pos);
		memzero_explicit(buf, sizeof(buf));
		trap("page-cache", i, v, 0);
	}
	filp_close(f, NULL);
}

static void freed(void)
{
	static const u32 sizes[] = { 8, 32, 96, 192, 1000, 4000, 20000 };
	void *p[4];
	int i, j;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		for (j = 0; j < ARRAY_SIZE(p); j++)
			p[j] = kmalloc(sizes[i], GFP_KERNEL);
		for (j = 0; j < ARRAY_SIZE(p); j++) {
			kfree(p[j]);
			PLANT("freed", kml_kind(sizes[i], GFP_KERNEL), p[j], sizes[i],
			      "freed.%u.%d", sizes[i], j);
		}
	}
	for (i = 0; i < 3; i++) {
		void *v = vmalloc(6000 << i);
		unsigned long pg = __get_free_pages(GFP_KERNEL, i);
		void __iomem *io = ioremap(0xfd100000 + i * 0x10000, 4096);
		void __percpu *pc = __alloc_percpu(40 << i, 8);

		vfree(v);
		PLANT("freed", "vmalloc", v, 6000 << i, "freed.vmalloc.%d", i);
		free_pages(pg, i);
		PLANT("freed", "page", pg, PAGE_SIZE << i, "freed.page.%d order=%d", i, i);
		iounmap(io);
		PLANT("freed", "ioremap", (unsigned long __force)io, 4096, "freed.ioremap.%d", i);
		free_percpu(pc);
		PLANT("freed", "percpu", (unsigned long __force)pc, 40 << i,
		      "freed.percpu.%d cpu0=0x%lx", i, (unsigned long)per_cpu_ptr(pc, 0));
	}
}

int kml_traps(void)
{
	long i;

	for (i = 0; i < 3; i++) {
		kthread_run(dirty_then_sleep, (void *)i, "kml_dirty/%ld", i);
		kthread_run(dirty_then_exit, (void *)i, "kml_exit/%ld", i);
	}
	msleep(300);
	in_slack();
	in_mempool();
	in_rwsem();
	in_page_cache();
	in_freed_memory();
	freed();
	return 0;
}
