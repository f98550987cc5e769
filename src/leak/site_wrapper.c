// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/site_wrapper.h"

#include <stddef.h>
#include <string.h>

#include "base/util.h"

/*
 * With a * at the end: all that begin so.  Only what is generic: a function
 * that allocates one certain kind of object is a place of its own.
 */
static const char *const wrappers[] = {
	/* slab: kmalloc(), kmem_cache_alloc() and what they are made of */
	"kmalloc*", "__kmalloc*", "___kmalloc*", "_kmalloc*", "__do_kmalloc*",
	"kzalloc*", "kcalloc*", "kmem_cache_alloc*", "__kmem_cache_alloc*",
	"__kmem_cache_alias*", "slab_alloc*", "__slab_alloc*",
	"___slab_alloc*", "slab_post_alloc_hook*", "new_slab*",
	"allocate_slab*", "alloc_slab_page*", "refill_objects*",
	"__refill_objects*", "refill_sheaf*", "alloc_full_sheaf*",
	"__pcs_replace_empty_main*", "alloc_from_pcs*", "alloc_single_from*",
	"alloc_from_new_slab*", "get_from_partial*", "get_any_partial*",
	"alloc_debug_processing*", "set_track*", "alloc_tagging_slab*",
	/* copies and reallocations */
	"krealloc*", "__do_krealloc*", "kvrealloc*", "kmemdup*", "__kmemdup*",
	"kvmemdup*", "kstrdup*", "kstrndup*", "kasprintf*", "kvasprintf*",
	"memdup_user*", "vmemdup_user*", "strndup_user*", "memdup_array*",
	"kvmalloc*", "__kvmalloc*", "kvzalloc*", "kvcalloc*",
	/* managed by a device, a memory pool */
	"devm_kmalloc*", "devm_kzalloc*", "devm_kcalloc*", "devm_krealloc*",
	"devm_kmemdup*", "devm_kstrdup*", "devm_kasprintf*",
	"devm_kvasprintf*", "alloc_dr*", "__devres_alloc*", "devm_get_free*",
	"devm_ioremap*", "__devm_ioremap*", "mempool_alloc*", "mempool_kmalloc*",
	"mempool_init*", "mempool_create*",
	/* pages */
	"alloc_pages*", "__alloc_pages*", "alloc_page", "alloc_page_*",
	"__alloc_frozen_pages*", "alloc_frozen_pages*", "folio_alloc*",
	"__folio_alloc*", "vma_alloc_folio*", "get_free_pages*",
	"__get_free_page*", "get_zeroed_page*", "get_page_from_freelist*",
	"prep_new_page*", "post_alloc_hook*", "make_alloc_exact*",
	"split_page*", "__page_frag*", "page_frag_alloc*",
	/* areas */
	"vmalloc*", "__vmalloc*", "vzalloc*", "vcalloc*", "vm_area_alloc_pages*",
	"vmap", "vm_map_ram*", "__get_vm_area*", "get_vm_area*",
	"alloc_vmap_area*", "ioremap*", "__ioremap*", "execmem_alloc*",
	"execmem_vmalloc*", "module_alloc*",
	/* per-cpu blocks */
	"__alloc_percpu*", "alloc_percpu*", "pcpu_alloc*", "devm_alloc_percpu*",
	"__devm_alloc_percpu*",
	/* network buffers: who asked for one matters */
	"alloc_skb*", "__alloc_skb*", "__netdev_alloc_skb*",
	"netdev_alloc_skb*", "napi_alloc_skb*", "__napi_alloc_skb*",
	"__napi_kmalloc*", "kmalloc_reserve*", "skb_alloc*",
	/* the debugging aids */
	"kmemleak_alloc*", "kmemleak_vmalloc*", "create_object*",
	"__create_object*",
	"stack_trace_save*", "stack_depot_save*", "save_stack*",
	"set_page_owner*", "__set_page_owner*", "kasan_*", "__kasan_*",
	"kfence_alloc*", "__kfence_alloc*", "kfence_guarded_alloc*",
	"kmsan_*",
};

bool site_is_wrapper(const char *function)
{
	size_t bytes = strcspn(function, "."), i, n;

	for (i = 0; i < ARRAY_SIZE(wrappers); i++) {
		n = strlen(wrappers[i]);
		if (wrappers[i][n - 1] == '*') {
			n--;
			if (bytes >= n && !strncmp(function, wrappers[i], n))
				return true;
		} else if (bytes == n && !strncmp(function, wrappers[i], n)) {
			return true;
		}
	}
	return false;
}
