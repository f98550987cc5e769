// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Block requests (blk-mq).  All that a queue can ever have in flight are
 * allocated at once, in blocks of pages, and keep what the last I/O left in
 * them: an idle request's bio was freed long ago.  What lies behind a request
 * is its driver's and lasts.
 */
#include "kernel/kernel.h"

#include "base/util.h"

#define MAX_TAGS 65536u
#define MAX_HW_QUEUES 8192u
#define XA_SLOTS 64u
#define XA_LEVELS 6u

/* Of all queues together, as what leads to them may lie. */
#define MAX_STEPS (1u << 22)
#define MAX_REQUESTS (1u << 24)

struct request_layout {
	struct profile_member tag_set, elevator, hw_queues, n_hw_queues;
	struct profile_member set_tags, set_queues, hctx_tags, hctx_sched_tags;
	struct profile_member nr_tags, static_rqs;
	struct profile_member state, ref;
	uint64_t request_bytes;
	struct profile_member xa_head, xa_slots;
	bool has_array, has_xarray;
};

struct request_load {
	struct request_layout layout;
	VEC(uint64_t) tags; /* structs blk_mq_tags: a set of them is that of
			       many queues */
	unsigned steps_left, requests_left;
};

static struct kml_error *take_step(unsigned *left, uint64_t va)
{
	if (!*left)
		return error_at(KML_ERR_CORRUPT, va,
				"more block requests than there can be");
	--*left;
	return NULL;
}

static bool load_layout(struct kernel *kernel, struct request_layout *l)
{
	struct profile *p = kernel->profile;

	/* An xarray from Linux 5.18 (4e5cc99e1e48) until 6.19 */
	l->has_array = profile_member(p, "request_queue", "queue_hw_ctx",
				      &l->hw_queues) &&
		       profile_member(p, "request_queue", "nr_hw_queues",
				      &l->n_hw_queues);
	l->has_xarray = profile_member(p, "request_queue", "hctx_table",
				       &l->hw_queues) &&
			profile_member(p, "xarray", "xa_head", &l->xa_head) &&
			profile_member(p, "xa_node", "slots", &l->xa_slots);
	return profile_member(p, "request_queue", "tag_set", &l->tag_set) &&
	       profile_member(p, "blk_mq_tag_set", "tags", &l->set_tags) &&
	       profile_member(p, "blk_mq_tag_set", "nr_hw_queues",
			      &l->set_queues) &&
	       profile_member(p, "blk_mq_hw_ctx", "sched_tags",
			      &l->hctx_sched_tags) &&
	       profile_member(p, "blk_mq_tags", "nr_tags", &l->nr_tags) &&
	       profile_member(p, "blk_mq_tags", "static_rqs",
			      &l->static_rqs) &&
	       profile_member(p, "request", "state", &l->state) &&
	       profile_member(p, "request", "ref", &l->ref) &&
	       profile_type_size(p, "request", &l->request_bytes) &&
	       l->request_bytes <= 4096;
}

static struct kml_error *load_request(struct kernel *kernel,
				      const struct request_layout *l,
				      uint64_t va)
{
	char buf[4096];
	struct kml_error *error;

	if (!va)
		return NULL;
	error = image_read_va(kernel->image, va, buf, l->request_bytes);
	/* MQ_RQ_IDLE is 0. */
	if (error || kernel_get(buf, &l->ref) || kernel_get(buf, &l->state))
		return error;
	kernel_cite(kernel, BUILTIN_REQUEST);
	return kernel_add_hole_within(kernel, va, l->request_bytes);
}

/* One set of requests; @va: of a struct blk_mq_tags. */
static struct kml_error *load_tags(struct kernel *kernel,
				   struct request_load *load, uint64_t va)
{
	const struct request_layout *l = &load->layout;
	struct kml_error *error;
	uint64_t n, array, request, i;

	error = kernel_read_uint(kernel, va + l->nr_tags.offset, 4, &n);
	if (!error)
		error = kernel_read_u64(kernel, va + l->static_rqs.offset,
					&array);
	for (i = 0; !error && array && i < MIN(n, MAX_TAGS); i++) {
		error = take_step(&load->requests_left, va);
		if (!error)
			error = kernel_read_u64(kernel, array + i * 8, &request);
		if (!error)
			error = load_request(kernel, l, request);
	}
	return error;
}

static struct kml_error *note_tags(struct request_load *load, uint64_t va)
{
	struct kml_error *error = take_step(&load->steps_left, va);

	if (!error && va && !vec_push(&load->tags, va))
		error = error_nomem();
	return error;
}

/* The requests of a driver, one set for each of its hardware queues. */
static struct kml_error *load_tag_set(struct kernel *kernel,
				      struct request_load *load, uint64_t va)
{
	const struct request_layout *l = &load->layout;
	struct kml_error *error;
	uint64_t n, array, tags, i;

	error = kernel_read_uint(kernel, va + l->set_queues.offset, 4, &n);
	if (!error)
		error = kernel_read_u64(kernel, va + l->set_tags.offset, &array);
	for (i = 0; !error && array && i < MIN(n, MAX_HW_QUEUES); i++) {
		error = kernel_read_u64(kernel, array + i * 8, &tags);
		if (!error)
			error = note_tags(load, tags);
	}
	return error;
}

/* The requests of an I/O scheduler, if the queue has one. */
static struct kml_error *load_hw_queue(struct kernel *kernel,
				       struct request_load *load, uint64_t va)
{
	const struct request_layout *l = &load->layout;
	struct kml_error *error;
	uint64_t tags;

	if (!va)
		return NULL;
	error = kernel_read_u64(kernel, va + l->hctx_sched_tags.offset, &tags);
	return error ? error : note_tags(load, tags);
}

static struct kml_error *load_hw_array(struct kernel *kernel,
				       struct request_load *load,
				       uint64_t queue_va)
{
	const struct request_layout *l = &load->layout;
	struct kml_error *error;
	uint64_t n, array, va, i;

	error = kernel_read_uint(kernel, queue_va + l->n_hw_queues.offset, 4,
				 &n);
	if (!error)
		error = kernel_read_u64(kernel, queue_va + l->hw_queues.offset,
					&array);
	for (i = 0; !error && array && i < MIN(n, MAX_HW_QUEUES); i++) {
		error = take_step(&load->steps_left, queue_va);
		if (!error)
			error = kernel_read_u64(kernel, array + i * 8, &va);
		if (!error)
			error = load_hw_queue(kernel, load, va);
	}
	return error;
}

/* An entry of an xarray: a node, or what is stored (include/linux/xarray.h). */
static struct kml_error *load_hw_entry(struct kernel *kernel,
				       struct request_load *load,
				       uint64_t entry, unsigned levels)
{
	const struct request_layout *l = &load->layout;
	uint64_t slots[XA_SLOTS];
	struct kml_error *error;
	unsigned i;

	if (!entry || entry & 1)
		return NULL;
	if ((entry & 3) != 2)
		return load_hw_queue(kernel, load, entry);
	if (entry < 4096 || !levels)
		return NULL;
	error = take_step(&load->steps_left, entry);
	if (error)
		return error;
	error = image_read_va(kernel->image, entry - 2 + l->xa_slots.offset,
			      slots, MIN(l->xa_slots.size, sizeof(slots)));
	for (i = 0; !error && i < MIN(l->xa_slots.size / 8, XA_SLOTS); i++)
		error = load_hw_entry(kernel, load, slots[i], levels - 1);
	return error;
}

static struct kml_error *load_queue(struct kernel *kernel, void *arg,
				    uint64_t va)
{
	struct request_load *load = arg;
	const struct request_layout *l = &load->layout;
	struct kml_error *error;
	uint64_t entry;

	error = kernel_read_u64(kernel, va + l->tag_set.offset, &entry);
	/* A queue of bios alone (md, dm) has none. */
	if (!error && entry)
		error = load_tag_set(kernel, load, entry);
	if (!error && entry && l->has_array)
		error = load_hw_array(kernel, load, va);
	if (!error && entry && l->has_xarray) {
		error = kernel_read_u64(kernel, va + l->hw_queues.offset +
							l->xa_head.offset,
					&entry);
		if (!error)
			error = load_hw_entry(kernel, load, entry, XA_LEVELS);
	}
	return kernel_forgive(kernel, error, "block requests", va);
}

/* Each set of requests once. */
static struct kml_error *load_all_tags(struct kernel *kernel,
				       struct request_load *load)
{
	struct kml_error *error = NULL;
	size_t i;

	if (load->tags.size)
		qsort(load->tags.data, load->tags.size, sizeof(uint64_t),
		      order_u64);
	for (i = 0; !error && i < load->tags.size; i++) {
		uint64_t va = load->tags.data[i];

		if (i && va == load->tags.data[i - 1])
			continue;
		error = kernel_forgive(kernel, load_tags(kernel, load, va),
				       "block requests", va);
	}
	return error;
}

struct kml_error *kernel_load_requests(struct kernel *kernel)
{
	struct request_load load = {
		.steps_left = MAX_STEPS,
		.requests_left = MAX_REQUESTS,
	};
	struct kml_error *error;
	uint64_t va;

	if (!kernel_has_symbol(kernel, "blk_requestq_cachep", &va) ||
	    !load_layout(kernel, &load.layout))
		return NULL;
	error = kernel_for_each_object(kernel, "blk_requestq_cachep",
				       load_queue, &load);
	if (!error)
		error = load_all_tags(kernel, &load);
	vec_deinit(&load.tags);
	return error;
}
