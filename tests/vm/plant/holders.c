// SPDX-License-Identifier: GPL-2.0-or-later
/* Live objects, each referenced from exactly one kind of place. */
#include <linux/delay.h>
#include <linux/hrtimer.h>
#include <linux/idr.h>
#include <linux/kthread.h>
#include <linux/version.h>
#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 1, 0)
#include <linux/maple_tree.h>
#endif
#include <linux/notifier.h>
#include <linux/proc_fs.h>
#include <linux/rbtree.h>
#include <linux/reboot.h>
#include <linux/rhashtable.h>
#include <linux/seq_file.h>
#include <linux/timer.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include "kmlplant.h"

/*
 * __used: nothing ever reads these, and the compiler leaves out what is stored
 * in a variable that nobody reads.
 */
static void *in_data[16] __used = { (void *)8 };
static void *in_bss[16] __used;
static void *in_ro[16] __used __ro_after_init;
static DEFINE_PER_CPU(void *, in_static_percpu[4]) __used;
static void * __percpu *in_dyn_percpu __used;

static void *live(size_t size, const char *holder, int i)
{
	void *p = kzalloc(size, GFP_KERNEL);

	PLANT("live", kml_kind(size, GFP_KERNEL), p, size,
	      "by-%s.%d holder=%s", holder, i, holder);
	return p;
}

/* small, large, vmalloc, a page and a per-cpu block from the same place */
static void five(void **slot, const char *holder)
{
	void __percpu *pc;
	void *p;

	slot[1] = live(72, holder, 1);
	slot[2] = live(30000, holder, 2);
	p = slot[3] = vzalloc(5000);
	PLANT("live", "vmalloc", p, 5000, "by-%s.3 holder=%s", holder, holder);
	p = slot[4] = (void *)get_zeroed_page(GFP_KERNEL);
	PLANT("live", "page", p, PAGE_SIZE, "by-%s.4 order=0 alloc=__get_free_page holder=%s",
	      holder, holder);
	pc = __alloc_percpu(48, 8);
	slot[5] = (void __force *)pc;
	PLANT("live", "percpu", (unsigned long __force)pc, 48,
	      "by-%s.5 cpu0=0x%lx holder=%s", holder,
	      (unsigned long)per_cpu_ptr(pc, 0), holder);
}

static void __init_or_module sections(void)
{
	int cpu;

	five(in_data, "module.data");
	five(in_bss, "module.bss");
	five(in_ro, "module.ro_after_init");
	in_dyn_percpu = alloc_percpu(void *);
	PLANT("live", "percpu", (unsigned long __force)in_dyn_percpu, sizeof(void *),
	      "dyn-percpu cpu0=0x%lx holder=module.bss",
	      (unsigned long)per_cpu_ptr(in_dyn_percpu, 0));
	for_each_possible_cpu(cpu) {
		per_cpu(in_static_percpu[1], cpu) = live(88, "percpu.static.module", cpu);
		*per_cpu_ptr(in_dyn_percpu, cpu) = live(88, "percpu.dynamic", cpu);
	}
}

/* the holder is itself an allocation (which in_bss holds) */
static void *from[32] __used;

static void allocations(void)
{
	struct page *pg;
	void **v;
	int i;

	v = from[0] = vzalloc(50000);
	PLANT("live", "vmalloc", v, 50000, "area holder=module.bss");
	five(v + 6000, "vmalloc");
	v = from[1] = kzalloc(50000, GFP_KERNEL);
	PLANT("live", "large", v, 50000, "big holder=module.bss");
	five(v + 6200, "large");
	v = from[2] = (void *)get_zeroed_page(GFP_KERNEL);
	PLANT("live", "page", v, PAGE_SIZE, "rawpage order=0 alloc=__get_free_page holder=module.bss");
	five(v + 500, "page.address");
	/* order 3, not compound, the pointers are in its last page */
	v = from[3] = (void *)__get_free_pages(GFP_KERNEL | __GFP_ZERO, 3);
	PLANT("live", "page", v, 8 * PAGE_SIZE, "rawpage3 order=3 alloc=alloc_pages holder=module.bss");
	five(v + 8 * 512 - 8, "page.tail");
	pg = from[4] = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_COMP, 1);
	v = page_address(pg);
	PLANT("live", "page", v, 2 * PAGE_SIZE, "structpage order=1 alloc=compound holder=struct-page");
	five(v + 600, "page.struct-page");
	pg = alloc_page(GFP_KERNEL | __GFP_ZERO);
	v = from[5] = vmap(&pg, 1, VM_MAP, PAGE_KERNEL);
	PLANT("live", "vmap", v, PAGE_SIZE, "vmapped holder=module.bss");
	PLANT("live", "page", page_address(pg), PAGE_SIZE, "vmapped.page order=0 alloc=alloc_page holder=vmap");
	five(v + 16, "page.vmap");
	/* page->private: of a page that is live */
	for (i = 0; i < 3; i++) {
		pg = alloc_pages(GFP_KERNEL | __GFP_ZERO, i);
		from[6 + i] = page_address(pg);
		PLANT("live", "page", from[6 + i], PAGE_SIZE << i,
		      "private-page.%d order=%d alloc=alloc_pages holder=module.bss", i, i);
		set_page_private(pg, (unsigned long)live(120, "page-private", i));
		SetPagePrivate(pg);
	}
	/* from an object of a cache that kmemleak does not know */
	{
		struct kmem_cache *s = kmem_cache_create("kml_untracked", 96, 0, SLAB_NOLEAKTRACE, NULL);

		v = from[9] = kmem_cache_zalloc(s, GFP_KERNEL);
		PLANT("live", "slab:kml_untracked", v, 96, "untracked holder=module.bss");
		five(v + 1, "noleaktrace");
	}
	v = from[10] = kzalloc(4096, GFP_KERNEL | __GFP_RECLAIMABLE);
	PLANT("live", kml_kind(4096, __GFP_RECLAIMABLE), v, 4096, "reclaimable holder=module.bss");
	five(v + 500, "reclaimable");
	/* a chain that starts in .bss: 40 steps of changing kind */
	v = (void **)&from[11];
	for (i = 0; i < 40; i++) {
		void **next = i % 8 == 3 ? vzalloc(4096) :
			      i % 8 == 6 ? (void **)get_zeroed_page(GFP_KERNEL) :
					   kzalloc(64 << (i % 5), GFP_KERNEL);
		if (!next)
			return;
		v[i ? 7 : 0] = next;
		v = next;
		PLANT("live", i % 8 == 3 ? "vmalloc" : i % 8 == 6 ? "page" : kml_kind(64 << (i % 5), GFP_KERNEL),
		      v, i % 8 == 3 || i % 8 == 6 ? PAGE_SIZE : 64 << (i % 5),
		      "live-chain.%d holder=chain", i);
	}
}

/* not the address itself */
static void *inner[64] __used;

static void interior(void)
{
	static const u32 sizes[] = { 64, 200, 1024, 20000 };
	int n = 0, i, j;
	char *p;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		inner[n++] = (char *)live(sizes[i], "interior.middle", i) + sizes[i] / 2;
		inner[n++] = (char *)live(sizes[i], "interior.last-byte", i) + sizes[i] - 1;
		for (j = 1; j < 8; j <<= 1)
			inner[n++] = (char *)live(sizes[i], "low-bits", i * 8 + j) + j;
	}
	p = vzalloc(20000);
	inner[n++] = p + 12345;
	PLANT("live", "vmalloc", p, 20000, "vmalloc.inner.0 holder=interior.middle");
	p = vzalloc(20000);
	inner[n++] = p + 19999;
	PLANT("live", "vmalloc", p, 20000, "vmalloc.inner.1 holder=interior.last-byte");
	p = (char *)__get_free_pages(GFP_KERNEL, 2);
	inner[n++] = p + 3 * PAGE_SIZE + 99;
	PLANT("live", "page", p, 4 * PAGE_SIZE, "page.inner.0 order=2 alloc=alloc_pages holder=interior.middle");
	p = (char *)__get_free_pages(GFP_KERNEL | __GFP_COMP, 1);
	inner[n++] = p + 2 * PAGE_SIZE - 1;
	PLANT("live", "page", p, 2 * PAGE_SIZE, "page.inner.1 order=1 alloc=compound holder=interior.last-byte");
	p = alloc_pages_exact(5 * PAGE_SIZE, GFP_KERNEL);
	inner[n++] = p + 4 * PAGE_SIZE + 16;
	PLANT("live", "page", p, 5 * PAGE_SIZE, "page.inner.2 order=3 alloc=exact holder=interior.middle");
}

/* the kernel's containers, all with their heads in module memory */
struct item {
	struct list_head l;
	struct rb_node rb;
	struct rhash_head rh;
	u32 key;
	void *payload;
};
static struct list_head items __used = LIST_HEAD_INIT(items);
static struct hlist_head hitems __used;
static struct rb_root tree __used = RB_ROOT;
static struct xarray xa __used = XARRAY_INIT(xa, 0);
static struct xarray xa_single __used = XARRAY_INIT(xa_single, 0);
static struct idr idr __used = IDR_INIT(idr);
static struct rhashtable rht;
static const struct rhashtable_params rht_params = {
	.key_len = sizeof(u32),
	.key_offset = offsetof(struct item, key),
	.head_offset = offsetof(struct item, rh),
};
#if KML_SINCE(6, 1)
static DEFINE_MTREE(mt);
#endif

static struct item *item(const char *holder, int i)
{
	struct item *e = live(sizeof(struct item), holder, i);

	e->key = i * 7 + 1;
	e->payload = kzalloc(40 + 24 * i, GFP_KERNEL);
	PLANT("live", kml_kind(40 + 24 * i, GFP_KERNEL), e->payload, 40 + 24 * i,
	      "by-%s.%d.payload holder=item", holder, i);
	return e;
}

static int containers(void)
{
	int i, err = 0;

	if (rhashtable_init(&rht, &rht_params))
		return -ENOMEM;
	for (i = 0; i < 8; i++) {
		struct rb_node **link = &tree.rb_node, *parent = NULL;
		struct item *e;

		list_add(&item("list", i)->l, &items);
		/* as hlist: 16 bytes, like a list_head */
		hlist_add_head((struct hlist_node *)&item("hlist", i)->l, &hitems);
		e = item("rbtree", i);
		while (*link) {
			parent = *link;
			link = e->key < rb_entry(parent, struct item, rb)->key ?
				&parent->rb_left : &parent->rb_right;
		}
		rb_link_node(&e->rb, parent, link);
		rb_insert_color(&e->rb, &tree);
		err |= xa_err(xa_store(&xa, i * 100, item("xarray", i), GFP_KERNEL));
		err |= idr_alloc(&idr, item("idr", i), i * 3, 0, GFP_KERNEL) < 0;
		err |= rhashtable_insert_fast(&rht, &item("rhashtable", i)->rh, rht_params);
#if KML_SINCE(6, 1)
		err |= mtree_store(&mt, i * 1000, item("maple", i), GFP_KERNEL);
#endif
	}
	/* a single entry at 0 needs no node: the head is the (tagged) pointer */
	err |= xa_err(xa_store(&xa_single, 0, item("xarray.single", 0), GFP_KERNEL));
	return err;
}

/* what the kernel holds for us: a wheel, a queue, a chain, a file system */
struct delayed {
	char pad[40];
	struct timer_list timer;
	struct hrtimer hr;
	struct delayed_work dw;
	struct notifier_block nb;
	void *payload;
};

static void never(struct timer_list *t) { }
static enum hrtimer_restart hr_never(struct hrtimer *t) { return HRTIMER_NORESTART; }
static void work_never(struct work_struct *w) { }
static int notify(struct notifier_block *nb, unsigned long a, void *d) { return NOTIFY_DONE; }
static int show_nothing(struct seq_file *m, void *v) { return 0; }

static struct delayed *delayed(const char *holder, int i)
{
	struct delayed *d = live(sizeof(*d), holder, i);

	d->payload = live(64, "payload-of-delayed", i);
	return d;
}

static void kernel_side(void)
{
	static int n;
	struct delayed *d;
	char name[24];
	int i;

	for (i = 0; i < 4; i++) {
		d = delayed("timer", n++);
		timer_setup(&d->timer, never, i & 1 ? TIMER_DEFERRABLE : 0);
		mod_timer(&d->timer, jiffies + (i & 2 ? 40000 : 800) * HZ);
		d = delayed("hrtimer", n++);
#if KML_SINCE(6, 15)
		hrtimer_setup(&d->hr, hr_never, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
#else
		hrtimer_init(&d->hr, CLOCK_MONOTONIC, HRTIMER_MODE_REL);
		d->hr.function = hr_never;
#endif
		hrtimer_start(&d->hr, ktime_set(5000 + i, 0), HRTIMER_MODE_REL);
		d = delayed("delayed-work", n++);
		INIT_DELAYED_WORK(&d->dw, work_never);
		schedule_delayed_work(&d->dw, 5000 * HZ);
		d = delayed("notifier", n++);
		d->nb.notifier_call = notify;
		register_reboot_notifier(&d->nb);
		d = delayed("proc-data", n++);
		snprintf(name, sizeof(name), "kmlplant.%d", i);
		proc_create_single_data(name, 0, NULL, show_nothing, d);
	}
}

/*
 * An object that only a sleeping thread's frame holds.  The volatile array
 * forces it to memory; the thread allocates it itself, so nobody else has
 * seen the address.  The thread never wakes.
 */
static int stack_thread(void *arg)
{
	volatile unsigned long frame[6] = { };
	int i = (long)arg;

	switch (i) {
	case 0: case 1:
		frame[2] = (unsigned long)live(72 + 400 * i, "stack", i);
		break;
	case 2:
		frame[3] = (unsigned long)vzalloc(7000);
		PLANT("live", "vmalloc", frame[3], 7000, "by-stack.2 holder=stack");
		break;
	case 3:
		frame[4] = __get_free_page(GFP_KERNEL);
		PLANT("live", "page", frame[4], PAGE_SIZE,
		      "by-stack.3 order=0 alloc=__get_free_page holder=stack");
		break;
	}
	while (!kthread_should_stop()) {	/* idle: neither load nor a hung task */
		set_current_state(TASK_IDLE);
		schedule();
		frame[0] += frame[2];
	}
	return frame[0] != 0;
}

static void stacks(void)
{
	long i;

	for (i = 0; i < 4; i++)
		kthread_run(stack_thread, (void *)i, "kml_stack/%ld", i);
	msleep(300);	/* let them plant before we go on */
}

int kml_holders(void)
{
	int err;

	sections();
	allocations();
	interior();
	err = containers();
	kernel_side();
	stacks();
	return err;
}
