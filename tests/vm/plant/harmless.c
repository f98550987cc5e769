// SPDX-License-Identifier: GPL-2.0-or-later
/* Loaded and unloaded to make the module loader work. Leaks nothing. */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

static void *a, *b;

static int __init harmless_init(void)
{
	a = kmalloc(200, GFP_KERNEL);
	b = vmalloc(10000);
	return 0;
}

static void __exit harmless_exit(void)
{
	kfree(a);
	vfree(b);
}
module_init(harmless_init);
module_exit(harmless_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("harmless");
