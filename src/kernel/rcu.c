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
#include "kernel/waiting.h"

#define MAX_PAGES (1u << 20) /* of all CPUs */
#define MAX_RECORDS 512u

struct bulk_layout {
	struct profile_member nr_records, records, cache;
	/* Pages in use: chains through .next until Linux 6.3 (27538e18b62f),
	 * since then lists. */
	struct profile_member next, list;
	struct profile_member heads, work_heads; /* of pages, by kind of object */
	struct profile_member single, work_single; /* of objects alone */
	struct profile_member works;
	uint64_t work_bytes;
	bool is_list;
	unsigned pages_left;
};

static bool load_layout(struct kernel *kernel, struct bulk_layout *l)
{
	struct profile *p = kernel->profile;

	l->is_list = profile_member(p, "kvfree_rcu_bulk_data", "list", &l->list);
	return profile_member(p, "kfree_rcu_cpu", "bkvcache", &l->cache) &&
	       profile_member(p, "kfree_rcu_cpu", "krw_arr", &l->works) &&
	       profile_member(p, "kfree_rcu_cpu", "head", &l->single) &&
	       profile_member(p, "kfree_rcu_cpu_work", "head_free",
			      &l->work_single) &&
	       profile_type_size(p, "kfree_rcu_cpu_work", &l->work_bytes) &&
	       profile_member(p, "kvfree_rcu_bulk_data", "nr_records",
			      &l->nr_records) &&
	       profile_member(p, "kvfree_rcu_bulk_data", "records",
			      &l->records) &&
	       (l->is_list ||
		profile_member(p, "kvfree_rcu_bulk_data", "next", &l->next)) &&
	       profile_member(p, "kfree_rcu_cpu",
			      l->is_list ? "bulk_head" : "bkvhead",
			      &l->heads) &&
	       profile_member(p, "kfree_rcu_cpu_work",
			      l->is_list ? "bulk_head_free" : "bkvhead_free",
			      &l->work_heads);
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

static struct kml_error *take_page(struct bulk_layout *l, uint64_t va)
{
	if (!l->pages_left)
		return error_at(KML_ERR_CORRUPT, va, "a cycle");
	l->pages_left--;
	return NULL;
}

/* Pages that are kept: an llist through their first words. */
static struct kml_error *load_cache(struct kernel *kernel,
				    struct bulk_layout *l, uint64_t head_va)
{
	struct kml_error *error;
	uint64_t va;

	error = kernel_read_u64(kernel, head_va, &va);
	while (!error && va) {
		error = take_page(l, va);
		if (!error)
			error = add_rule(kernel, va, 8);
		if (!error)
			error = kernel_read_u64(kernel, va, &va);
	}
	return kernel_forgive(kernel, error, "pages of kvfree_rcu()", head_va);
}

/* A page in use: what is in it waits. */
static struct kml_error *load_page(struct kernel *kernel,
				   struct bulk_layout *l, uint64_t va)
{
	uint64_t records[MAX_RECORDS], n, i;
	struct kml_error *error = take_page(l, va);

	if (!error)
		error = kernel_read_u64(kernel, va + l->nr_records.offset, &n);
	if (!error && n > (4096 - MIN(l->records.offset, 4096)) / 8)
		error = error_at(KML_ERR_CORRUPT, va, "more records than fit");
	if (error)
		return error;
	error = add_rule(kernel, va, l->records.offset + n * 8);
	if (!error)
		error = image_read_va(kernel->image, va + l->records.offset,
				      records, n * 8);
	for (i = 0; !error && i < n; i++) {
		if (kernel_mark_waiting(kernel, records[i]))
			error = kernel_hide_waiting(kernel, records[i], false);
	}
	return error;
}

static struct kml_error *load_listed(struct kernel *kernel, void *arg,
				     uint64_t node_va)
{
	struct bulk_layout *l = arg;
	uint64_t va = node_va - l->list.offset;

	return kernel_forgive(kernel, load_page(kernel, l, va),
			      "pages of kvfree_rcu()", va);
}

static struct kml_error *load_chain(struct kernel *kernel,
				    struct bulk_layout *l, uint64_t head_va)
{
	struct kml_error *error;
	uint64_t va;

	if (l->is_list)
		return kernel_walk_list(kernel, head_va, MAX_PAGES,
					"pages of kvfree_rcu()", load_listed, l);
	error = kernel_read_u64(kernel, head_va, &va);
	while (!error && va) {
		error = load_page(kernel, l, va);
		if (!error)
			error = kernel_read_u64(kernel, va + l->next.offset, &va);
	}
	return kernel_forgive(kernel, error, "pages of kvfree_rcu()", head_va);
}

static struct kml_error *hide_single(struct kernel *kernel, void *arg,
				     uint64_t va, uint64_t function)
{
	(void)arg;
	(void)function;
	return kernel_hide_waiting(kernel, va, true);
}

/* What one batch has: pages of pointers, and objects chained by themselves. */
static struct kml_error *load_batch(struct kernel *kernel,
				    struct bulk_layout *l,
				    const struct profile_member *heads,
				    const struct profile_member *single,
				    uint64_t va)
{
	uint64_t head_bytes = heads->count ? heads->size / heads->count : 0, i;
	struct kml_error *error;
	uint64_t object;

	error = kernel_read_u64(kernel, va + single->offset, &object);
	if (!error)
		error = kernel_walk_waiting(kernel, object, hide_single, NULL);
	for (i = 0; !error && i < heads->count; i++)
		error = load_chain(kernel, l,
				   va + heads->offset + i * head_bytes);
	return kernel_forgive(kernel, error, "batches of kvfree_rcu()", va);
}

static struct kml_error *load_cpu(struct kernel *kernel, struct bulk_layout *l,
				  uint64_t va)
{
	struct kml_error *error = load_cache(kernel, l, va + l->cache.offset);
	uint64_t i;

	if (!error)
		error = load_batch(kernel, l, &l->heads, &l->single, va);
	for (i = 0; !error && i < l->works.count; i++)
		error = load_batch(kernel, l, &l->work_heads, &l->work_single,
				   va + l->works.offset + i * l->work_bytes);
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
	layout.pages_left = MAX_PAGES;
	for (cpu = 0; !error && cpu < kernel->n_cpus; cpu++) {
		if (kernel->cpu_offset[cpu])
			error = load_cpu(kernel, &layout,
					 krc + kernel->cpu_offset[cpu]);
	}
	return error;
}
