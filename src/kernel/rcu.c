// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * kvfree_rcu(): each CPU collects pointers to objects that wait for a grace
 * period in whole pages, struct kvfree_rcu_bulk_data.  Used pages are kept for
 * the next time with their old records in them, which would hold objects that
 * were freed long ago and given to somebody else since: only the records in
 * use count, and of a page that is kept only the link to the next.
 */
#include "kernel/kernel.h"

#include "base/util.h"

#define MAX_PAGES 100000u

struct bulk_layout {
	struct profile_member nr_records, next, records;
	struct profile_member cache, head, works, work_head;
	uint64_t work_bytes;
	bool has_chains; /* singly linked until Linux 6.4 (27538e18b62f) */
};

static bool load_layout(struct kernel *kernel, struct bulk_layout *l)
{
	struct profile *p = kernel->profile;

	if (!profile_member(p, "kfree_rcu_cpu", "bkvcache", &l->cache))
		return false;
	l->has_chains =
		profile_member(p, "kvfree_rcu_bulk_data", "nr_records",
			       &l->nr_records) &&
		profile_member(p, "kvfree_rcu_bulk_data", "next", &l->next) &&
		profile_member(p, "kvfree_rcu_bulk_data", "records",
			       &l->records) &&
		profile_member(p, "kfree_rcu_cpu", "bkvhead", &l->head) &&
		profile_member(p, "kfree_rcu_cpu", "krw_arr", &l->works) &&
		profile_member(p, "kfree_rcu_cpu_work", "bkvhead_free",
			       &l->work_head) &&
		profile_type_size(p, "kfree_rcu_cpu_work", &l->work_bytes);
	return true;
}

static struct kml_error *add_rule(struct kernel *kernel, uint64_t va,
				  uint64_t bytes)
{
	const struct kernel_rule rule = {
		.kind = SCAN_HEAD,
		.skip_start = (uint32_t)MIN(bytes, 4096),
	};

	kernel_cite(kernel, BUILTIN_KVFREE_PAGES);
	return kernel_add_rule(kernel, va, rule);
}

/* Pages that are kept: an llist through their first words. */
static struct kml_error *load_cache(struct kernel *kernel, uint64_t head_va)
{
	struct kml_error *error;
	uint64_t va;
	unsigned n;

	error = kernel_read_u64(kernel, head_va, &va);
	for (n = 0; !error && va && n < MAX_PAGES; n++) {
		error = add_rule(kernel, va, 8);
		if (!error)
			error = kernel_read_u64(kernel, va, &va);
	}
	return kernel_forgive(kernel, error, "pages of kvfree_rcu()", head_va);
}

/* Pages in use, one chain of them. */
static struct kml_error *load_chain(struct kernel *kernel,
				    const struct bulk_layout *l,
				    uint64_t head_va)
{
	struct kml_error *error;
	uint64_t va, n_records;
	unsigned n;

	error = kernel_read_u64(kernel, head_va, &va);
	for (n = 0; !error && va && n < MAX_PAGES; n++) {
		error = kernel_read_u64(kernel, va + l->nr_records.offset,
					&n_records);
		if (error)
			break;
		error = add_rule(kernel, va,
				 l->records.offset + MIN(n_records, 512) * 8);
		if (!error)
			error = kernel_read_u64(kernel, va + l->next.offset, &va);
	}
	return kernel_forgive(kernel, error, "pages of kvfree_rcu()", head_va);
}

static struct kml_error *load_cpu(struct kernel *kernel,
				  const struct bulk_layout *l, uint64_t va)
{
	struct kml_error *error = load_cache(kernel, va + l->cache.offset);
	uint64_t i, j, work;

	if (!l->has_chains)
		return error;
	for (i = 0; !error && i < l->head.count; i++)
		error = load_chain(kernel, l, va + l->head.offset + i * 8);
	for (j = 0; !error && j < l->works.count; j++) {
		work = va + l->works.offset + j * l->work_bytes;
		for (i = 0; !error && i < l->work_head.count; i++)
			error = load_chain(kernel, l,
					   work + l->work_head.offset + i * 8);
	}
	return error;
}

struct kml_error *kernel_load_rcu(struct kernel *kernel)
{
	struct bulk_layout layout;
	struct kml_error *error = NULL;
	uint64_t krc;
	unsigned cpu;

	if (!kernel_has_symbol(kernel, "krc", &krc) ||
	    !load_layout(kernel, &layout))
		return NULL;
	for (cpu = 0; !error && cpu < kernel->n_cpus; cpu++) {
		if (kernel->cpu_offset[cpu])
			error = load_cpu(kernel, &layout,
					 krc + kernel->cpu_offset[cpu]);
	}
	return error;
}
