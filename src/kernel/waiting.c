// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What waits for RCU: objects that a callback of call_rcu() or kfree_rcu() is
 * queued for.  They are allocated, and held by the queue; mostly they are
 * freed as soon as no reader can have them any more.
 *
 * Each CPU has a segmented list of callbacks (rcu_data.cblist) and, with
 * CONFIG_RCU_NOCB_CPU, one in front of it (nocb_bypass); the flavours for tasks
 * have lists of their own (rcu_tasks_percpu since Linux 5.17, cafafd67765b).
 * Callbacks lie in the objects that they are for.
 */
#include "kernel/kernel.h"
#include "kernel/waiting.h"

#include "base/util.h"

/* Of all chains together: each callback lies in an object, mostly in one of
 * its own, or in a variable. */
#define MAX_CALLBACKS(n_objects) ((uint64_t)(n_objects) + 65536)

bool kernel_mark_waiting(struct kernel *kernel, uint64_t va)
{
	enum heap_reference how;
	uint32_t id = heap_resolve(kernel->heap, va, &how);
	bool known;

	if (id == HEAP_NONE || how != HEAP_REF_ADDRESS)
		return true;
	known = bitmap_test(kernel->heap->waiting, id);
	bitmap_set(kernel->heap->waiting, id);
	return !known;
}

/*
 * What a callback does that only frees its object, and what it puts or frees
 * first.  All else in the object is of the past: whatever it refers to has been
 * given back before, or is held by others.
 */
static const struct {
	const char *function, *type;
	const char *kept[3];
} releases[] = {
	/* lib/maple_tree.c */
	{ "mt_free_rcu", "maple_node", { NULL } },
	/* lib/radix-tree.c: nodes of xarrays as well */
	{ "radix_tree_node_rcu_free", "xa_node", { NULL } },
	/* fs/dcache.c: of dentries with a short name */
	{ "__d_free", "dentry", { NULL } },
	/* fs/file_table.c: put_cred(); until Linux 6.7 (0ede61d8589c) */
	{ "file_free_rcu", "file", { "f_cred" } },
	/* kernel/fork.c, from Linux 6.4 (20cce633f425) until 6.15 */
	{ "vm_area_free_rcu_cb", "vm_area_struct",
	  { "vm_lock", "anon_name", "numab_state" } },
};

struct kept {
	uint64_t start, end; /* addresses */
};

/* Hide all of an object but what is kept, in any order. */
static struct kml_error *hide_object(struct kernel *kernel, uint64_t va,
				     uint64_t bytes, struct kept *kept,
				     size_t n)
{
	uint64_t at = va;
	struct kml_error *error = NULL;
	size_t i;

	kernel_cite(kernel, BUILTIN_RCU_RELEASED);
	while (!error) {
		const struct kept *next = NULL;

		for (i = 0; i < n; i++) {
			if (kept[i].end > at && kept[i].start < va + bytes &&
			    (!next || kept[i].start < next->start))
				next = &kept[i];
		}
		if (!next)
			return kernel_add_hole(kernel, at, va + bytes - at);
		if (next->start > at)
			error = kernel_add_hole(kernel, at, next->start - at);
		at = next->end;
		if (at >= va + bytes)
			break;
	}
	return error;
}

struct kml_error *kernel_hide_waiting(struct kernel *kernel, uint64_t va,
				      bool has_head)
{
	enum heap_reference how;
	uint32_t id = heap_resolve(kernel->heap, va, &how);
	struct kept head = { va, va + 16 };

	if (id == HEAP_NONE || how != HEAP_REF_ADDRESS ||
	    heap_region_of(kernel->heap, id)->kind != HEAP_SLAB)
		return NULL;
	return hide_object(kernel, heap_object_va(kernel->heap, id),
			   heap_object_bytes(kernel->heap, id), &head,
			   has_head);
}

/* Hide what is in an object that @function is to free, if that is known. */
static struct kml_error *hide_released(struct kernel *kernel,
				       const uint64_t *functions, uint64_t va,
				       uint64_t function)
{
	struct kept kept[ARRAY_SIZE(releases[0].kept) + 1] = {
		{ va, va + 16 },
	};
	struct profile_member member;
	enum heap_reference how;
	size_t i, j, n = 1;
	uint64_t object;
	uint32_t id;

	for (i = 0; i < ARRAY_SIZE(releases); i++) {
		if (functions[i] && functions[i] == function)
			break;
	}
	id = heap_resolve(kernel->heap, va, &how);
	if (i == ARRAY_SIZE(releases) || id == HEAP_NONE ||
	    how != HEAP_REF_ADDRESS ||
	    heap_region_of(kernel->heap, id)->kind != HEAP_SLAB)
		return NULL;
	object = heap_object_va(kernel->heap, id);
	for (j = 0; j < ARRAY_SIZE(releases[i].kept) && releases[i].kept[j];
	     j++) {
		/* The configuration may lack it. */
		if (!profile_member(kernel->profile, releases[i].type,
				    releases[i].kept[j], &member))
			continue;
		kept[n++] = (struct kept){
			object + member.offset,
			object + member.offset + member.size,
		};
	}
	return hide_object(kernel, object, heap_object_bytes(kernel->heap, id),
			   kept, n);
}

/*
 * With CONFIG_SLUB_RCU_DEBUG (b8c8ba73c68b, since Linux 6.12) what is freed of a
 * SLAB_TYPESAFE_BY_RCU cache waits as well: a struct rcu_delayed_free that is
 * allocated for that has its address.
 */
static struct kml_error *take_delayed(struct kernel *kernel, uint64_t va)
{
	struct profile_member head, member;
	struct kml_error *error;
	uint64_t object;

	if (!profile_member(kernel->profile, "rcu_delayed_free", "head",
			    &head) ||
	    !profile_member(kernel->profile, "rcu_delayed_free", "object",
			    &member))
		return NULL;
	error = kernel_read_u64(kernel, va - head.offset + member.offset,
				&object);
	if (error)
		return error;
	return kernel_mark_waiting(kernel, object) ?
		       kernel_hide_waiting(kernel, object, false) :
		       NULL;
}

/* Not unsound: that it waits is told, but decides nothing. */
static struct kml_error *forgive(struct kernel *kernel, struct kml_error *error,
				 uint64_t va)
{
	switch (kml_error_code(error)) {
	case KML_ERR_NODATA:
	case KML_ERR_CORRUPT:
		kml_error_destroy(error);
		kernel_gap(kernel, "queues of RCU", va, false);
		return NULL;
	default:
		return error;
	}
}

/* Where the functions of releases[] are, 0 for one that the kernel lacks or
 * whose object's type it does. */
static void find_releases(struct kernel *kernel, uint64_t *functions)
{
	uint64_t unused;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(releases); i++) {
		functions[i] = 0;
		if (profile_type_size(kernel->profile, releases[i].type,
				      &unused))
			kernel_has_symbol(kernel, releases[i].function,
					  &functions[i]);
	}
}

struct kml_error *kernel_walk_waiting(struct kernel *kernel, uint64_t va,
				      kernel_waiting_fn *callback, void *arg)
{
	uint64_t words[2], functions[ARRAY_SIZE(releases)];
	uint64_t turtle = 0, steps = 0, limit = 1, delayed;
	struct kml_error *error = NULL;

	find_releases(kernel, functions);
	if (!kernel_has_symbol(kernel, "slab_free_after_rcu_debug", &delayed))
		delayed = 0;

	while (va) {
		/* The next one, and the function */
		error = image_read_va(kernel->image, va, words, sizeof(words));
		if (!error && (va == turtle ||
			       kernel->n_callbacks++ >=
				       MAX_CALLBACKS(kernel->heap->n_ids)))
			error = error_at(KML_ERR_CORRUPT, va, "a cycle");
		if (error)
			return forgive(kernel, error, va);
		/* As Brent finds cycles: wait at twice the distance. */
		if (++steps == limit) {
			turtle = va;
			limit *= 2;
			steps = 0;
		}
		if (kernel_mark_waiting(kernel, va)) {
			error = hide_released(kernel, functions, va, words[1]);
			if (!error && delayed && words[1] == delayed)
				error = take_delayed(kernel, va);
			if (error)
				return forgive(kernel, error, va);
			if (!error && callback)
				error = callback(kernel, arg, va, words[1]);
		}
		if (error)
			return error;
		va = words[0];
	}
	return NULL;
}

static struct kml_error *walk_head(struct kernel *kernel, uint64_t head_va,
				   kernel_waiting_fn *callback, void *arg)
{
	struct kml_error *error;
	uint64_t va;

	error = kernel_read_u64(kernel, head_va, &va);
	if (error)
		return forgive(kernel, error, head_va);
	return kernel_walk_waiting(kernel, va, callback, arg);
}

/* The lists at two offsets of a per-cpu structure. */
static struct kml_error *walk_percpu(struct kernel *kernel, uint64_t pointer,
				     const struct profile_member *const *heads,
				     size_t n, kernel_waiting_fn *callback,
				     void *arg)
{
	struct kml_error *error = NULL;
	unsigned cpu;
	size_t i;

	for (cpu = 0; !error && cpu < kernel->n_cpus; cpu++) {
		for (i = 0; !error && kernel->cpu_offset[cpu] && i < n; i++)
			error = walk_head(kernel,
					  pointer + kernel->cpu_offset[cpu] +
						  heads[i]->offset,
					  callback, arg);
	}
	return error;
}

static struct kml_error *walk_rcu(struct kernel *kernel,
				  kernel_waiting_fn *callback, void *arg)
{
	struct profile_member cblist, bypass;
	const struct profile_member *heads[] = { &cblist, &bypass };
	uint64_t data;

	if (!kernel_has_symbol(kernel, "rcu_data", &data) ||
	    !profile_member(kernel->profile, "rcu_data", "cblist.head",
			    &cblist))
		return NULL;
	return walk_percpu(kernel, data, heads,
			   profile_member(kernel->profile, "rcu_data",
					  "nocb_bypass.head", &bypass) ?
				   2 :
				   1,
			   callback, arg);
}

static struct kml_error *walk_tasks(struct kernel *kernel, const char *name)
{
	struct profile_member percpu, cblist;
	const struct profile_member *heads[] = { &cblist };
	struct kml_error *error;
	uint64_t va, pointer;

	if (!kernel_has_symbol(kernel, name, &va) ||
	    !profile_member(kernel->profile, "rcu_tasks", "rtpcpu", &percpu) ||
	    !profile_member(kernel->profile, "rcu_tasks_percpu", "cblist.head",
			    &cblist))
		return NULL;
	error = kernel_read_u64(kernel, va + percpu.offset, &pointer);
	if (error)
		return forgive(kernel, error, va);
	return walk_percpu(kernel, pointer, heads, 1, NULL, NULL);
}

/*
 * The reader-writer semaphore of cgroup_threadgroup_rwsem is static, and its
 * rcu_head keeps the link of the queue that it was on last: an object that has
 * been freed, or given to somebody else.  It is on a queue only while a grace
 * period is being waited for: GP_IDLE and GP_PASSED (kernel/rcu/sync.c) are not
 * such states.
 */
static struct kml_error *hide_idle_sync(struct kernel *kernel)
{
	const uint64_t gp_idle = 0, gp_passed = 2;
	struct profile_member state, head;
	struct kml_error *error;
	uint64_t va, value;

	if (!kernel_has_symbol(kernel, "cgroup_threadgroup_rwsem", &va) ||
	    !profile_member(kernel->profile, "percpu_rw_semaphore",
			    "rss.gp_state", &state) ||
	    !profile_member(kernel->profile, "percpu_rw_semaphore",
			    "rss.cb_head", &head))
		return NULL;
	error = kernel_read_uint(kernel, va + state.offset, 4, &value);
	if (error)
		return forgive(kernel, error, va);
	if (value != gp_idle && value != gp_passed)
		return NULL;
	kernel_cite(kernel, BUILTIN_RCU_HEAD);
	return kernel_add_hole(kernel, va + head.offset, head.size);
}

/* The same of each CPU's rcu_data.barrier_head, on which rcu_barrier() waits:
 * rcu_do_batch() has cleared its function, not its link. */
static struct kml_error *hide_idle_barriers(struct kernel *kernel)
{
	struct profile_member next, func;
	struct kml_error *error = NULL;
	uint64_t data, value;
	unsigned cpu;

	if (!kernel_has_symbol(kernel, "rcu_data", &data) ||
	    !profile_member(kernel->profile, "rcu_data", "barrier_head.next",
			    &next) ||
	    !profile_member(kernel->profile, "rcu_data", "barrier_head.func",
			    &func))
		return NULL;
	for (cpu = 0; !error && cpu < kernel->n_cpus; cpu++) {
		uint64_t va = data + kernel->cpu_offset[cpu];

		if (!kernel->cpu_offset[cpu])
			continue;
		error = kernel_read_u64(kernel, va + func.offset, &value);
		if (error) {
			error = forgive(kernel, error, va);
			continue;
		}
		if (!value) {
			kernel_cite(kernel, BUILTIN_RCU_HEAD);
			error = kernel_add_hole(kernel, va + next.offset, 8);
		}
	}
	return error;
}

struct kml_error *kernel_walk_callbacks(struct kernel *kernel,
					kernel_waiting_fn *callback, void *arg)
{
	static const char *const flavours[] = {
		"rcu_tasks", "rcu_tasks_rude", "rcu_tasks_trace",
	};
	struct kml_error *error = walk_rcu(kernel, callback, arg);
	size_t i;

	for (i = 0; !error && i < ARRAY_SIZE(flavours); i++)
		error = walk_tasks(kernel, flavours[i]);
	if (!error)
		error = hide_idle_sync(kernel);
	return error ? error : hide_idle_barriers(kernel);
}
