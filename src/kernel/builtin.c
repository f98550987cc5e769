// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/builtin.h"

const struct builtin kernel_builtins[BUILTIN_RULES] = {
	[BUILTIN_CACHE_FLAGS] = {
		"cache-flags", "erase",
		"kmem_cache.flags is no reference",
		"mm/slub.c, kmem_cache_open(): the flags often equal the physical address of some block",
		"",
	},
	[BUILTIN_VMAP_AREA] = {
		"vmap-area", "erase",
		"vmap_area.va_start, va_end and vm do not hold the area, its neighbour and its vm_struct",
		"mm/vmalloc.c, alloc_vmap_area(), setup_vmalloc_vm(): every area is on the allocator's own tree and list",
		"",
	},
	[BUILTIN_VM_STRUCT] = {
		"vm-struct", "erase",
		"vm_struct.addr of a per-cpu chunk's area does not hold the chunk's first block",
		"mm/percpu-vm.c, pcpu_create_chunk(): the area is the chunk",
		"",
	},
	[BUILTIN_PERCPU_BASE] = {
		"percpu-base", "erase",
		"pcpu_chunk.base_addr does not hold the chunk's first block",
		"mm/percpu-vm.c, pcpu_create_chunk(): that the allocator knows a block does not hold it",
		"",
	},
	[BUILTIN_SHEAF_SLOTS] = {
		"sheaf-slots", "scan_area",
		"the objects of a slab_sheaf are free: only its head is scanned",
		"mm/slub.c, struct slab_sheaf: objects[] keeps what a CPU may hand out next",
		"6.18",
	},
	[BUILTIN_KVFREE_PAGES] = {
		"kvfree-pages", "scan_area",
		"of a page of kvfree_rcu() only the records in use are scanned",
		"kernel/rcu/tree.c, kvfree_rcu_bulk(): pages are kept in bkvcache with stale records in them",
		"5.9",
	},
	[BUILTIN_SKB_CACHE] = {
		"skb-cache", "erase",
		"slots of a CPU's napi_alloc_cache.skb_cache at and beyond skb_count are not scanned",
		"net/core/skbuff.c, napi_skb_cache_get(): a slot that was taken keeps its pointer",
		"5.13 (50fad4b543b3)",
	},
	[BUILTIN_MODULE_TEXT] = {
		"module-text", "erase",
		"a module's text is not scanned, the rest of its memory is",
		"kernel/module/main.c, layout_sections(): text and data lie in one area, since 6.4 in several",
		"",
	},
	[BUILTIN_DEAD_STACK] = {
		"dead-stack", "scan_area",
		"of a stack without a task only the first words are scanned",
		"kernel/fork.c, thread_stack_delayed_free(): a freed stack waits with a vm_stack at its start",
		"6.0",
	},
	[BUILTIN_STACKS_IN_DATA] = {
		"stacks-in-data", "no_scan",
		"stacks in .data and the static per-cpu areas are scanned from the stack pointer up, if at all",
		"asm-generic/vmlinux.lds.h, INIT_TASK_DATA(); arch/x86/kernel/irq_64.c, irq_stack_backing_store; arch/x86/mm/cpu_entry_area.c, exception_stacks",
		"",
	},
	[BUILTIN_TASK_STACK] = {
		"task-stack", "no_scan",
		"a task's stack is scanned as a root, from its stack pointer up",
		"kernel/fork.c, alloc_thread_stack_node(): what lies below is left over from calls that have returned",
		"4.9 in vmalloc space (ba14a194a434)",
	},
	[BUILTIN_PAGE_TABLES] = {
		"page-tables", "not_leak no_scan",
		"page tables that are reached by walking them are in use and hold no objects",
		"asm/pgalloc.h: they refer to each other by physical address with flags",
		"",
	},
	[BUILTIN_MAPPINGS] = {
		"mappings", "no_scan",
		"vmap and ioremap areas are not scanned: their memory is another's",
		"mm/vmalloc.c, vmap(): the pages are scanned where they belong; mm/ioremap.c: reading a device has effects",
		"",
	},
	[BUILTIN_VM_STRUCT_OF_AREA] = {
		"vm-struct-of-area", "hold",
		"an area holds its vm_struct",
		"mm/vmalloc.c, find_vm_area(): vfree() finds the vm_struct by address, through the vmap_area",
		"",
	},
	[BUILTIN_VMAP_PAGES] = {
		"vmap-pages", "hold",
		"a vmap area holds the pages that it maps",
		"mm/vmalloc.c, vmap(): only its page tables name them",
		"",
	},
	[BUILTIN_SPLIT_BLOCKS] = {
		"split-blocks", "hold",
		"a split block holds the split blocks that follow it up to its alignment",
		"mm/page_alloc.c, split_page(), make_alloc_exact(): only the first page's address is kept",
		"",
	},
	[BUILTIN_PATCHED_CODE] = {
		"patched-code", "hold",
		"the kernel's code holds what is patched into it",
		"asm/runtime-const.h, runtime_const_init(): the pointer is an immediate of instructions",
		"6.11 (e78298556ee5)",
	},
	[BUILTIN_MODULE_MEMORY] = {
		"module-memory", "not_leak",
		"the memory of a loaded module is in use, and a root",
		"kernel/module/main.c, move_module(): kmemleak_not_leak()",
		"",
	},
	[BUILTIN_VM_MAP_RAM] = {
		"vm-map-ram", "not_leak",
		"an area without a vm_struct is in use",
		"mm/vmalloc.c, vm_map_ram(): vm_unmap_ram() finds it by its address",
		"",
	},
	[BUILTIN_BOOT_SYSCTL] = {
		"boot-sysctl", "not_leak",
		"a ctl_table_header of a table in the kernel image is in use",
		"fs/proc/proc_sysctl.c, register_sysctl_init(), __register_sysctl_base(): kmemleak_not_leak()",
		"5.17 (3ddd9a808cee); each caller for itself before",
	},
};
