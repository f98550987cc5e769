/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The built-in rules: what is known of the kernel's own code that a scan of
 * words would get wrong.  Each is an entry of one table, which --rules=list
 * prints; the code that applies one cites it by its id (kernel_cite()), and a
 * test checks that each id is cited.
 */
#ifndef KML_KERNEL_BUILTIN_H
#define KML_KERNEL_BUILTIN_H

#include <stdint.h>

enum builtin_rule {
	/* Words that hold nothing. */
	BUILTIN_CACHE_FLAGS,
	BUILTIN_VMAP_AREA,
	BUILTIN_VM_STRUCT,
	BUILTIN_VMALLOC_SLACK,
	BUILTIN_KMALLOC_SLACK,
	BUILTIN_PERCPU_BASE,
	BUILTIN_SHEAF_SLOTS,
	BUILTIN_KVFREE_PAGES,
	BUILTIN_SKB_CACHE,
	BUILTIN_MODULE_TEXT,
	BUILTIN_DEAD_STACK,
	BUILTIN_STACKS_IN_DATA,
	BUILTIN_FREELIST_HEAD,
	BUILTIN_TASK_LEFTOVERS,
	BUILTIN_LOCK_OWNER,
	BUILTIN_INTEGER,
	BUILTIN_ANON_MAPPING,
	BUILTIN_STALE_LRU,
	BUILTIN_STALE_FREELIST,
	BUILTIN_REQUEST,
	BUILTIN_MEMPOOL,
	BUILTIN_STALE_VARIABLE,
	BUILTIN_DEAD_NET,
	BUILTIN_KERNFS_PRIV,
	BUILTIN_PACKET_RING,
	BUILTIN_PAGE_BATCH,
	BUILTIN_RCU_RELEASED,
	BUILTIN_RCU_HEAD,
	BUILTIN_KFENCE_METADATA,
	BUILTIN_KASAN_QUARANTINE,
	BUILTIN_KASAN_SHADOW,
	BUILTIN_KTHREAD_FRAME,
	BUILTIN_SWITCH_FRAME,
	BUILTIN_IDLE_WORKER,
	BUILTIN_KMEMLEAK_RECORDS,
	BUILTIN_STACK_DEPOT,
	BUILTIN_PAGE_EXT,
	/* Objects that are looked at by other means, or hold none. */
	BUILTIN_TASK_STACK,
	BUILTIN_PAGE_TABLES,
	BUILTIN_MAPPINGS,
	/* References that no word says. */
	BUILTIN_VM_STRUCT_OF_AREA,
	BUILTIN_VMAP_PAGES,
	BUILTIN_SPLIT_BLOCKS,
	BUILTIN_PATCHED_CODE,
	BUILTIN_NFS_DIRECTORY,
	/* Objects that nobody refers to and that are no leaks. */
	BUILTIN_MODULE_MEMORY,
	BUILTIN_GONE_MODULE,
	BUILTIN_VM_MAP_RAM,
	BUILTIN_BOOT_SYSCTL,
	BUILTIN_VMCOREINFO,
	BUILTIN_RULES,
};

struct builtin {
	const char *name;
	const char *action; /* of a rules file, or "hold" for references */
	const char *what;   /* what the rule does */
	const char *why;    /* the kernel code that makes it necessary */
	const char *since;  /* of the kernel; "" if it was always so */
};
extern const struct builtin kernel_builtins[BUILTIN_RULES];

/*
 * This place applies rule @id: counts it in kernel.builtin_uses.  Call it where
 * the rule is applied, once for each object, range or reference.
 */
#define kernel_cite(kernel, id) ((void)(kernel)->builtin_uses[id]++)

#endif
