// SPDX-License-Identifier: GPL-2.0-or-later
/* Per-CPU lists of free pages: these look idle in the array of struct pages. */
#include "kernel/page_layout.h"

#include "base/util.h"

/* On one list; the kernel keeps thousands at most. */
#define MAX_PCP_PAGES (UINT64_C(1) << 20)

struct pcp_walk {
	uint64_t lru_offset;
	unsigned order;
};

static struct kml_error *claim_pcp(struct kernel *kernel, void *arg,
				   uint64_t node_va)
{
	const struct pcp_walk *walk = arg;
	uint64_t pfn = (node_va - walk->lru_offset - kernel->vmemmap_va) /
		       kernel->page_struct_bytes;
	uint64_t i;

	for (i = 0; i < UINT64_C(1) << walk->order; i++) {
		if (pfn + i < kernel->end_pfn &&
		    kernel->page_class[pfn + i] == PAGE_IDLE)
			kernel->page_class[pfn + i] = PAGE_PCP;
	}
	return NULL;
}

static struct kml_error *walk_pcp(struct kernel *kernel,
				  const struct page_layout *l, uint64_t pcp_va,
				  const struct profile_member *lists,
				  unsigned per_order)
{
	struct kml_error *error = NULL;
	uint64_t i;

	for (i = 0; !error && i < lists->count; i++) {
		struct pcp_walk walk = {
			.lru_offset = l->lru.offset,
			/* order_to_pindex(): since Linux 5.14 (44042b449872)
			 * lists by order, the last for huge pages */
			.order = (unsigned)(i / per_order > 3 ? 9 : i / per_order),
		};

		error = kernel_walk_list(kernel, pcp_va + lists->offset + i * 16,
					 MAX_PCP_PAGES, "torn per-CPU page lists",
					 claim_pcp, &walk);
	}
	return error;
}

static struct kml_error *walk_zone_pcps(struct kernel *kernel,
					const struct page_layout *l,
					uint64_t zone_va)
{
	struct profile_member pageset, lists;
	int64_t per_order = 3;
	struct kml_error *error = NULL;
	uint64_t pcp;
	unsigned cpu;

	/* zone.pageset until Linux 5.14 (28f836b6777b); per_cpu_pages is the
	 * first member of what it points to */
	if (!profile_member(kernel->profile, "zone", "pageset", &pageset))
		error = kernel_member(kernel, "zone", "per_cpu_pageset",
				      &pageset);
	if (!error)
		error = kernel_member(kernel, "per_cpu_pages", "lists", &lists);
	if (!error)
		error = kernel_read_u64(kernel, zone_va + pageset.offset, &pcp);
	profile_enumerator(kernel->profile, "MIGRATE_PCPTYPES", &per_order);
	for (cpu = 0; !error && pcp && cpu < kernel->n_cpus; cpu++) {
		if (kernel->cpu_offset[cpu])
			error = walk_pcp(kernel, l, pcp + kernel->cpu_offset[cpu],
					 &lists, (unsigned)MAX(per_order, 1));
	}
	return error;
}

static struct kml_error *walk_node_pcps(struct kernel *kernel,
					const struct page_layout *l,
					uint64_t node_va)
{
	struct profile_member zones;
	struct kml_error *error;
	uint64_t zone_bytes, i;

	error = kernel_member(kernel, "pglist_data", "node_zones", &zones);
	if (!error)
		error = kernel_type_size(kernel, "zone", &zone_bytes);
	for (i = 0; !error && i < zones.count; i++)
		error = walk_zone_pcps(kernel, l, node_va + zones.offset +
							  i * zone_bytes);
	return kernel_forgive(kernel, error, "zones", node_va);
}

struct kml_error *page_claim_pcps(struct kernel *kernel,
				  const struct page_layout *l)
{
	struct kml_error *error = NULL;
	uint64_t va, size, i, node;

	/* contig_page_data without CONFIG_NUMA, node_data[] with it. */
	if (kernel_has_symbol(kernel, "contig_page_data", &va))
		return walk_node_pcps(kernel, l, va);
	error = kernel_symbol(kernel, "node_data", &va);
	if (error || !profile_symbol(kernel->profile, "node_data", &i, &size))
		return error;
	for (i = 0; !error && i < size / 8; i++) {
		error = kernel_read_u64(kernel, va + i * 8, &node);
		if (!error && node)
			error = walk_node_pcps(kernel, l, node);
	}
	return error;
}
