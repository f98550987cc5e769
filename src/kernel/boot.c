// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/boot.h"

#include <string.h>

#include "base/util.h"

/* kmem_cache_open() draws a number for each cache; the cache of caches is
 * there from the start to the end. */
static uint64_t cache_secret(const struct kernel *kernel)
{
	size_t i;

	for (i = 0; i < kernel->caches.size; i++) {
		if (!strcmp(kernel->caches.data[i].name, "kmem_cache"))
			return kernel->caches.data[i].random;
	}
	return 0;
}

/* boot_init_stack_canary() draws the first idle task's. */
static uint64_t first_canary(struct kernel *kernel)
{
	_cleanup_error_ struct kml_error *error = NULL;
	struct profile_member canary;
	uint64_t task, value = 0;

	if (!kernel_has_symbol(kernel, "init_task", &task) ||
	    !profile_member(kernel->profile, "task_struct", "stack_canary",
			    &canary))
		return 0;
	error = kernel_read_u64(kernel, task + canary.offset, &value);
	return error ? 0 : value;
}

static void find_boot(struct kernel *kernel)
{
	uint64_t secret = cache_secret(kernel), canary = first_canary(kernel);
	uint64_t hash = mix_u64(mix_u64(1 ^ secret) ^ canary);

	/* Where KASLR has put things. */
	hash = mix_u64(hash ^ kernel->kaslr_offset);
	hash = mix_u64(hash ^ kernel->direct_va);
	hash = mix_u64(hash ^ kernel->vmalloc_va);
	kernel->boot = mix_u64(hash ^ kernel->vmemmap_va);
	kernel->has_boot = secret || canary;
	kernel->boot_known = true;
}

bool kernel_boot_id(struct kernel *kernel, uint64_t *ret)
{
	/* A snapshot keeps neither secret. */
	if (!kernel->boot_known)
		find_boot(kernel);
	*ret = kernel->boot;
	return kernel->has_boot;
}
