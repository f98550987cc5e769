// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kmlgone - plants leaks and is unloaded: what it had is held by nothing any
 * more, least of all by the memory that its own .data and .bss were in.
 * Logs as kmlplant does (see kmlplant.h), only while loading.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/gfp.h>
#include <linux/percpu.h>
#include <linux/io.h>

#define LOG(kind, p, size, ...) do {						\
	char id[80];								\
	snprintf(id, sizeof(id), __VA_ARGS__);					\
	printk(KERN_INFO "KMLPLANT leak %s gone.%s 0x%lx %zu from=unloaded-module\n", \
	       kind, id, (unsigned long)(p), (size_t)(size));			\
} while (0)

/* as a real module would: held while it is loaded, forgotten on unload */
static void *held[64];
static int nheld;
static LIST_HEAD(nodes);
struct node { struct list_head l; void *payload; };

static int __init kmlgone_init(void)
{
	static const struct { const char *kind; size_t size; } sl[] = {
		{ "slab:kmalloc-32", 30 }, { "slab:kmalloc-64", 64 },
		{ "slab:kmalloc-192", 180 }, { "slab:kmalloc-512", 500 },
		{ "slab:kmalloc-2k", 1500 }, { "large", 10000 },
	};
	int i, j;
	void *p;

	for (i = 0; i < ARRAY_SIZE(sl); i++)
		for (j = 0; j < 4; j++) {
			p = held[nheld++] = kmalloc(sl[i].size, GFP_KERNEL);
			LOG(sl[i].kind, p, sl[i].size, "kmalloc-%zu.%d", sl[i].size, j);
		}
	for (j = 0; j < 3; j++) {
		p = held[nheld++] = vmalloc(7000);
		LOG("vmalloc", p, 7000, "vmalloc.%d", j);
		p = held[nheld++] = (void *)__get_free_pages(GFP_KERNEL, j);
		LOG("page", p, PAGE_SIZE << j, "page.%d", j);
		p = held[nheld++] = (void __force *)__alloc_percpu(40, 8);
		LOG("percpu", p, 40, "percpu.%d", j);
	}
	for (j = 0; j < 8; j++) {
		struct node *n = kzalloc(sizeof(*n), GFP_KERNEL);

		if (!n)
			return -ENOMEM;
		list_add_tail(&n->l, &nodes);
		n->payload = kzalloc(90, GFP_KERNEL);
		printk(KERN_INFO "KMLPLANT leak slab:kmalloc-32 gone.list.%d 0x%lx %zu root=gone.list.0 cycle=1 from=unloaded-module\n",
		       j, (unsigned long)n, sizeof(*n));
		printk(KERN_INFO "KMLPLANT leak slab:kmalloc-96 gone.list.%d.payload 0x%lx 90 root=gone.list.0 from=unloaded-module\n",
		       j, (unsigned long)n->payload);
	}
	return 0;
}

static void __exit kmlgone_exit(void)
{
}
module_init(kmlgone_init);
module_exit(kmlgone_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("plants leaks and is unloaded");
