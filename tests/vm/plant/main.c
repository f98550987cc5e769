// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlplant: parameters, the log, and the order of planting. See kmlplant.h. */
#include <linux/preempt.h>
#include "kmlplant.h"

static bool drain;
module_param(drain, bool, 0444);
MODULE_PARM_DESC(drain, "use up the free slots of each kmalloc cache first");
bool kml_spin;
module_param_named(spin, kml_spin, bool, 0444);
MODULE_PARM_DESC(spin, "late: also a thread that spins on the last CPU, an object in a register");

static int planted;

void kml_log(const char *truth, const char *kind, unsigned long addr,
	     size_t size, const char *fmt, ...)
{
	static char buf[256];	/* text only: holds no pointer */
	static DEFINE_MUTEX(lock);
	char *extra;
	va_list ap;

	mutex_lock(&lock);
	va_start(ap, fmt);
	vscnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	extra = strchr(buf, ' ');
	if (extra)
		*extra++ = '\0';
	/* the level is that of the console: the host reads it there */
	printk(KERN_INFO "KMLPLANT %s %s %s 0x%lx %zu%s%s\n", truth,
	       addr ? kind : "FAILED", buf, addr, size,
	       extra ? " " : "", extra ?: "");
	planted++;
	mutex_unlock(&lock);
	cond_resched();
}

const char *kml_kind(size_t size, gfp_t gfp)
{
	static const u16 class[] = { 8, 16, 32, 64, 96, 128, 192, 256, 512,
				     1024, 2048, 4096, 8192 };
	static char buf[40];
	const char *type = "";
	int i;

	if (gfp & __GFP_RECLAIMABLE)
		type = "rcl-";
	else if ((gfp & __GFP_ACCOUNT) && KML_SINCE(5, 14))
		type = "cg-";
	for (i = 0; i < ARRAY_SIZE(class); i++)
		if (size <= class[i])
			break;
	if (i == ARRAY_SIZE(class))
		return "large";
	if (class[i] >= 1024)
		snprintf(buf, sizeof(buf), "slab:kmalloc-%s%uk", type, class[i] / 1024);
	else
		snprintf(buf, sizeof(buf), "slab:kmalloc-%s%u", type, class[i]);
	return buf;
}

const char *kml_kind_of(const void *p, size_t size, gfp_t gfp)
{
	return is_vmalloc_addr(p) ? "vmalloc" : kml_kind(size, gfp);
}

/*
 * An initialiser that is not zero puts it into .data, not .bss.  __used: the
 * compiler leaves out stores to a variable that nobody reads.
 */
static const void *kml_data[2048] __used = { (void *)1 };
static int kml_ndata;

void kml_keep(const void *p)
{
	if (WARN_ON(kml_ndata == ARRAY_SIZE(kml_data)))
		return;
	kml_data[kml_ndata++] = p;
}

static void *kml_drain_chain __used;

/* Count one more object of the slab @head; the last few slabs are known. */
static unsigned int drained_of(struct page *head)
{
	static struct { struct page *head; unsigned int n; } seen[8];
	static unsigned int next;
	int i;

	if (!head)		/* forget them */
		memset(seen, 0, sizeof(seen));
	for (i = 0; i < ARRAY_SIZE(seen); i++)
		if (seen[i].head == head)
			return ++seen[i].n;
	i = next++ % ARRAY_SIZE(seen);
	seen[i].head = head;
	seen[i].n = 1;
	return 1;
}

void kml_drain(size_t size, gfp_t gfp)
{
	unsigned int n = 0, run, want;
	struct page *head;
	void *p;

	if (!drain)
		return;
	drained_of(NULL);
	/*
	 * A fresh slab is one whose every object comes to us, in one run or (by
	 * sheaves) in several.  Each object's first word points to the one
	 * before: all are live.
	 */
	while (n < 40000) {
		p = kmalloc(size, gfp);
		if (!p)
			break;
		*(void **)p = kml_drain_chain;
		kml_drain_chain = p;
		n++;
		head = virt_to_head_page(p);
		run = drained_of(head);
		want = (PAGE_SIZE << compound_order(head)) / ksize(p);
		/* a slab of one object says nothing about the next one */
		if (run == want && n > 2 * want + 8)
			break;
		if (!(n % 64))
			cond_resched();
	}
	pr_info("kmlplant: drained %s: %u objects held\n", kml_kind(size, gfp), n);
}

noinline void kml_scrub_stack(void)
{
	volatile unsigned long pad[512];
	int i;

	for (i = 0; i < ARRAY_SIZE(pad); i++)
		pad[i] = 0;
}

static int late_set(const char *val, const struct kernel_param *kp)
{
	int n = kml_late();

	kml_scrub_stack();
	pr_info("KMLPLANT-LATE n=%d\n", planted);
	return n;
}
static const struct kernel_param_ops late_ops = { .set = late_set };
module_param_cb(late, &late_ops, NULL, 0200);
MODULE_PARM_DESC(late, "write to it just before the dump: what can't wait (RCU callbacks pending, registers)");

/* What the kernel calls addresses of ours: also of data, where the init code of
 * a module that was loaded before may have been. */
static void __init log_names(void)
{
#if KML_SINCE(6, 4)
	const struct module_memory *ro = &THIS_MODULE->mem[MOD_RODATA];
	const char *ro_end = (const char *)ro->base + ro->size;
#else
	const char *ro_end = (const char *)THIS_MODULE->core_layout.base +
			     THIS_MODULE->core_layout.ro_size;
#endif
	const char *at[] = { (const char *)kml_drain + 7, (const char *)&late_ops + 3,
			     (const char *)&kml_data[100], (const char *)&planted,
			     ro_end - 8 };
	int i;

	for (i = 0; i < ARRAY_SIZE(at); i++)
		pr_info("KMLNAME %s 0x%lx %pS\n", i ? "data" : "code",
			(unsigned long)at[i], at[i]);
}

static int __init kmlplant_init(void)
{
	static int (*const part[])(void) = {
		kml_slab, kml_areas, kml_objects, kml_chains, kml_holders,
		kml_hidden, kml_traps,
	};
	int i, err;

	/* free slots are per CPU: what drain did is of use only on its CPU */
	migrate_disable();
	for (i = 0; i < ARRAY_SIZE(part); i++) {
		err = part[i]();
		kml_scrub_stack();
		if (err)
			pr_err("KMLPLANT-ERROR part=%d err=%d\n", i, err);
	}
	migrate_enable();
	log_names();
	pr_info("KMLPLANT-DONE n=%d\n", planted);
	return 0;
}
module_init(kmlplant_init);
/* no exit function: it cannot be unloaded, what it holds is held for good */
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("plants leaks and live objects with known truth");
