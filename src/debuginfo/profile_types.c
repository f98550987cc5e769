// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The types that the analysis knows by name, and the source files that have
 * them.  A type that a kernel lacks is simply absent from its profile.  Types
 * that these embed come along, so that every dotted path can be resolved; so
 * do the enumerators that the listed files see.
 */
#include "debuginfo/profile_types.h"

#include <string.h>

#include "base/util.h"
#include "debuginfo/strings.h"

/* Change it whenever the same lists yield another profile. */
#define EXTRACTION 3

#define CORE(name) { name, NULL, true }
#define TYPE(name) { name, NULL, false }
#define OF(name, unit) { name, unit, false }

const struct wanted_type profile_types[] = {
	/* Links: what to follow, and which pointers are no proof of use. */
	CORE("list_head"),
	CORE("hlist_head"),
	CORE("hlist_node"),
	CORE("rb_node"),
	CORE("rb_root"),
	CORE("callback_head"), /* rcu_head is a macro for it */
	TYPE("latch_tree_node"),
	TYPE("llist_head"),
	TYPE("llist_node"),
	TYPE("hlist_nulls_node"),

	/* Page frames. */
	CORE("page"),
	TYPE("folio"),         /* since 5.16 */
	TYPE("ptdesc"),        /* since 6.6 */
	TYPE("page_ext"),
	TYPE("page_ext_operations"),
	TYPE("page_owner"),
	CORE("pglist_data"),
	CORE("zone"),
	CORE("free_area"),
	TYPE("per_cpu_pages"),
	TYPE("per_cpu_pageset"),  /* until 5.13 */
	TYPE("per_cpu_zonestat"), /* since 5.14 */
	TYPE("mem_section"),
	TYPE("mem_section_usage"),
	TYPE("memblock"),
	TYPE("memblock_type"),
	TYPE("memblock_region"),
	TYPE("page_frag_cache"),

	/* Slab caches. */
	CORE("kmem_cache"),
	TYPE("slab"),              /* since 5.17; struct page before */
	TYPE("kmem_cache_cpu"),
	TYPE("kmem_cache_node"),
	TYPE("kmem_cache_order_objects"),
	TYPE("kmem_cache_per_node_ptrs"), /* since 6.18 */
	TYPE("slab_sheaf"),        /* since 6.18 */
	TYPE("slub_percpu_sheaves"),
	TYPE("node_barn"),
	TYPE("array_cache"),       /* SLAB, until 6.7 */
	TYPE("reciprocal_value"),
	TYPE("memcg_cache_params"), /* until 5.8 */
	TYPE("slabobj_ext"),       /* since 6.10 */
	TYPE("obj_cgroup"),
	TYPE("pcpuobj_ext"),       /* since 6.10 */
	TYPE("cgroup"),
	TYPE("cgroup_subsys_state"),
	TYPE("mem_cgroup"),
	TYPE("freelist_aba_t"),
	TYPE("freelist_counters"),
	TYPE("freeptr_t"),
	TYPE("track"),
	TYPE("location"),
	OF("partial_context", "mm/slub.c"),    /* 6.1 to 7.0 */
	OF("slab_alloc_context", "mm/slub.c"), /* since 7.1 */
	OF("rcu_delayed_free", "mm/slub.c"),   /* since 6.12 */
	TYPE("kasan_cache"),
	TYPE("kasan_alloc_meta"),
	TYPE("kasan_free_meta"),
	OF("qlist_head", "mm/kasan/quarantine.c"),
	OF("cpu_shrink_qlist", "mm/kasan/quarantine.c"), /* since 5.19 */
	TYPE("kfence_metadata"),
	TYPE("alloc_tag"),         /* since 6.10 */
	TYPE("alloc_tag_module_section"), /* since 6.13 */
	TYPE("static_key"),
	TYPE("kfence_track"),
	TYPE("kasan_track"),
	TYPE("codetag"),

	/* vmalloc. */
	CORE("vmap_area"),
	CORE("vm_struct"),
	TYPE("vmap_node"),         /* since 6.9 */
	TYPE("rb_list"),           /* since 6.9 */
	TYPE("netmem_desc"),       /* since 6.17 */
	OF("vmap_pool", "mm/vmalloc.c"),
	OF("vmap_block", "mm/vmalloc.c"),
	OF("vmap_block_queue", "mm/vmalloc.c"),
	OF("vfree_deferred", "mm/vmalloc.c"),
	OF("napi_alloc_cache", "net/core/skbuff.c"),
	TYPE("netdev_queue"),
	TYPE("Qdisc"),
	TYPE("skb_array"),
	TYPE("ptr_ring"),
	TYPE("mempool_t"),
	OF("amd_northbridge_info", "arch/x86/kernel/amd_nb.c"),
	TYPE("rw_semaphore"),
	OF("pfifo_fast_priv", "net/sched/sch_generic.c"),
	TYPE("cpu_fbatches"),            /* since 5.19 */
	OF("lru_pvecs", "mm/swap.c"),
	OF("lru_rotate", "mm/swap.c"),
	OF("mlock_fbatch", "mm/mlock.c"),
	OF("mlock_pvec", "mm/mlock.c"),
	TYPE("pagevec"),       /* until 6.4 */
	TYPE("folio_batch"),   /* since 5.17 */
	OF("vm_stack", "kernel/fork.c"), /* cached stacks, since 6.0 */

	/* Per-cpu memory. */
	TYPE("pcpu_chunk"),
	TYPE("pcpu_block_md"),
	TYPE("pcpu_group_info"),
	TYPE("pcpu_alloc_info"),
	TYPE("percpu_counter"),
	TYPE("percpu_ref"),
	TYPE("percpu_ref_data"),

	/* Modules. */
	CORE("module"),
	TYPE("module_layout"),     /* until 6.3 */
	TYPE("module_memory"),     /* since 6.4 */
	TYPE("mod_kallsyms"),
	OF("mod_unload_taint", "kernel/module/tracking.c"), /* since 5.19 */
	TYPE("mod_tree_node"),
	TYPE("mod_tree_root"),
	TYPE("mod_arch_specific"),
	OF("btf_module", "kernel/bpf/btf.c"), /* since 5.11 */
	OF("btf", "kernel/bpf/btf.c"),
	TYPE("elf64_sym"),
	TYPE("bpf_prog"),
	TYPE("bpf_prog_aux"),
	TYPE("bpf_prog_pack"),
	TYPE("bpf_binary_header"),

	/* Tasks, stacks and CPUs. */
	CORE("task_struct"),
	TYPE("thread_struct"),
	OF("kthread", "kernel/kthread.c"),
	TYPE("thread_info"),
	TYPE("thread_union"),      /* as large as a stack */
	CORE("mm_struct"),
	TYPE("vm_area_struct"),
	TYPE("signal_struct"),
	TYPE("sighand_struct"),
	TYPE("cred"),
	TYPE("nsproxy"),
	TYPE("pid"),
	TYPE("upid"),
	TYPE("files_struct"),
	TYPE("fdtable"),
	TYPE("fs_struct"),
	TYPE("pt_regs"),
	TYPE("inactive_task_frame"),
	TYPE("irq_stack"),
	TYPE("cea_exception_stacks"),
	TYPE("exception_stacks"),
	TYPE("cpu_entry_area"),
	TYPE("tss_struct"),
	TYPE("fixed_percpu_data"),
	TYPE("pcpu_hot"),          /* since 6.2, until 6.14 */
	TYPE("rq"),
	TYPE("sched_entity"),

	/* RCU: what waits to be freed. */
	TYPE("kfree_rcu_cpu"),
	TYPE("kfree_rcu_cpu_work"),
	TYPE("kvfree_rcu_bulk_data"),
	TYPE("rcu_data"),
	TYPE("rcu_segcblist"),
	TYPE("rcu_cblist"),
	TYPE("rcu_sync"),
	TYPE("percpu_rw_semaphore"),
	TYPE("rcu_tasks"),
	TYPE("rcu_tasks_percpu"),
	TYPE("srcu_struct"),
	TYPE("srcu_data"),

	/* In-kernel evidence of who allocated what. */
	TYPE("kmemleak_object"),
	OF("kmemleak_scan_area", "mm/kmemleak.c"),
	TYPE("stack_record"),
	TYPE("depot_stack_handle_t"),
	TYPE("handle_parts"),

	/* Containers whose pointers are encoded. */
	TYPE("xarray"),
	TYPE("xa_node"),
	TYPE("maple_tree"),
	TYPE("maple_node"),
	TYPE("idr"),
	TYPE("ida"),
	TYPE("ida_bitmap"),
	TYPE("timer_list"),
	TYPE("hrtimer"),
	TYPE("work_struct"),
	TYPE("delayed_work"),
	TYPE("workqueue_struct"),
	OF("worker", "kernel/workqueue.c"),
	OF("kthread", "kernel/kthread.c"),

	/* What leaks are most often made of, for naming them. */
	TYPE("kset"),
	TYPE("kobject"),
	TYPE("kernfs_node"),
	TYPE("kernfs_elem_symlink"),
	TYPE("ctl_table_header"),
	TYPE("ctl_table_root"),
	TYPE("ctl_table"),
	TYPE("address_space"),
	TYPE("inode"),
	TYPE("super_block"),
	TYPE("file_system_type"),
	TYPE("file"),
	TYPE("dentry"),
	TYPE("path"),
	TYPE("mount"),
	TYPE("vfsmount"),
	TYPE("sock"),
	TYPE("socket"),
	TYPE("sk_buff"),
	TYPE("skb_shared_info"),
	TYPE("net"),
	TYPE("net_device"),
	TYPE("request_queue"),
	TYPE("blk_mq_tag_set"),
	TYPE("blk_mq_tags"),
	TYPE("blk_mq_hw_ctx"),
	TYPE("request"),
	TYPE("bio"),
	TYPE("device"),

	/* Who we are. */
	CORE("new_utsname"),
	TYPE("uts_namespace"),

	/* Plain types, to know their size. */
	TYPE("atomic_t"),
	TYPE("atomic_long_t"),
	TYPE("refcount_t"),
	TYPE("spinlock_t"),
	TYPE("gfp_t"),
	TYPE("slab_flags_t"),
	TYPE("pgd_t"),
	TYPE("pte_t"),
};
const size_t n_profile_types = ARRAY_SIZE(profile_types);

const char *const profile_units[] = {
	"mm/slub.c",
	"mm/slab.c",            /* until 6.7 */
	"mm/slab_common.c",     /* kfree_rcu_cpu since 6.14 */
	"mm/vmalloc.c",
	"mm/percpu.c",
	"mm/page_alloc.c",
	"mm/page_ext.c",
	"mm/page_owner.c",
	"mm/memblock.c",
	"mm/kmemleak.c",
	"mm/kfence/core.c",
	"mm/kasan/generic.c",
	"mm/kasan/quarantine.c",
	"lib/alloc_tag.c",      /* since 6.10 */
	"mm/alloc_tag.c",       /* since 7.3 */
	"lib/stackdepot.c",
	"lib/maple_tree.c",
	"lib/xarray.c",
	"kernel/fork.c",
	"kernel/kthread.c",
	"kernel/module.c",      /* until 5.18 */
	"kernel/module/main.c",
	"kernel/module/kallsyms.c",
	"kernel/module/tracking.c",
	"kernel/rcu/tree.c",
	"kernel/rcu/update.c",  /* rcu_tasks */
	"kernel/sched/core.c",
	"kernel/workqueue.c",
	"kernel/kthread.c",
	"kernel/bpf/core.c",
	"arch/x86/kernel/amd_nb.c",
	"arch/x86/kernel/process.c",
	"arch/x86/kernel/process_64.c",
	"arch/x86/kernel/dumpstack_64.c",
	"arch/x86/kernel/irq_64.c",
	"arch/x86/kernel/unwind_orc.c",
	"arch/x86/kernel/cpu/common.c",
	"arch/x86/mm/cpu_entry_area.c",
	"fs/namespace.c",
	"fs/kernfs/dir.c",
	"fs/proc/proc_sysctl.c",
	"net/core/skbuff.c",
	"block/bio.c",
	"block/blk-mq.c",
	"mm/mlock.c",
	"mm/swap.c",
	"mm/folio.c",           /* since 7.3 */
	"net/sched/sch_generic.c",
	"kernel/bpf/btf.c",
};
const size_t n_profile_units = ARRAY_SIZE(profile_units);

uint64_t profile_types_hash(void)
{
	uint64_t hash = HASH_START + EXTRACTION;
	size_t i;

	for (i = 0; i < n_profile_types; i++) {
		const struct wanted_type *type = &profile_types[i];

		hash = hash_bytes(hash, type->name, strlen(type->name) + 1);
		if (type->unit)
			hash = hash_bytes(hash, type->unit, strlen(type->unit));
	}
	for (i = 0; i < n_profile_units; i++)
		hash = hash_bytes(hash, profile_units[i],
				  strlen(profile_units[i]) + 1);
	return hash;
}
