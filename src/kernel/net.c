// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the network stack has done with and keeps nevertheless.  Such objects
 * are allocated, but their contents are of the past, and would hold what was
 * given to somebody else since.
 */
#include "kernel/kernel.h"

#include "base/util.h"

#define MAX_SKBS 4096u
#define MAX_NAMESPACES 1000000u

/*
 * Free sk_buffs that a CPU keeps for NAPI (since Linux 5.13, 50fad4b543b3): an
 * array whose slots at and beyond skb_count keep what was in them.
 */
static struct kml_error *load_skbs(struct kernel *kernel, uint64_t va,
				   uint64_t n, uint64_t slots)
{
	uint64_t skbs[MAX_SKBS], i;
	struct kml_error *error;

	n = MIN(n, MIN(slots, MAX_SKBS));
	error = image_read_va(kernel->image, va, skbs, n * 8);
	for (i = 0; !error && i < n; i++)
		error = kernel_add_dead_object(kernel, skbs[i]);
	if (!error)
		error = kernel_add_hole(kernel, va + n * 8, (slots - n) * 8);
	return error;
}

static struct kml_error *load_skb_caches(struct kernel *kernel)
{
	struct profile_member count, cache;
	struct kml_error *error = NULL;
	uint64_t va, n;
	unsigned cpu;

	if (!kernel_has_symbol(kernel, "napi_alloc_cache", &va) ||
	    !profile_member(kernel->profile, "napi_alloc_cache", "skb_count",
			    &count) ||
	    !profile_member(kernel->profile, "napi_alloc_cache", "skb_cache",
			    &cache))
		return NULL;
	for (cpu = 0; !error && cpu < kernel->n_cpus; cpu++) {
		uint64_t at = va + kernel->cpu_offset[cpu];

		if (!kernel->cpu_offset[cpu])
			continue;
		error = kernel_read_uint(kernel, at + count.offset, 4, &n);
		if (!error)
			error = load_skbs(kernel, at + cache.offset, n,
					  cache.size / 8);
		error = kernel_forgive(kernel, error, "caches of sk_buffs", at);
	}
	return error;
}

/*
 * Dismantled network namespaces: since Linux 6.13 (0f6ede9fbc74, and in stable
 * releases from 5.10 on) each waits for the next one to be dismantled before it
 * is freed.
 */
static struct kml_error *load_dead_namespaces(struct kernel *kernel)
{
	struct profile_member link;
	struct kml_error *error;
	uint64_t head, bytes, va;
	unsigned n;

	if (!kernel_has_symbol(kernel, "defer_free_list", &head) ||
	    !profile_member(kernel->profile, "net", "defer_free_list", &link) ||
	    !profile_type_size(kernel->profile, "net", &bytes))
		return NULL;
	error = kernel_read_u64(kernel, head, &va);
	for (n = 0; !error && va && n < MAX_NAMESPACES; n++) {
		uint64_t net = va - link.offset;

		/* The link holds the next one. */
		error = kernel_add_hole(kernel, net, link.offset);
		if (!error)
			error = kernel_add_hole(kernel, va + 8,
						bytes - link.offset - 8);
		if (!error)
			error = kernel_read_u64(kernel, va, &va);
	}
	return kernel_forgive(kernel, error, "dismantled network namespaces",
			      head);
}

struct kml_error *kernel_load_net(struct kernel *kernel)
{
	struct kml_error *error = load_skb_caches(kernel);

	return error ? error : load_dead_namespaces(kernel);
}
