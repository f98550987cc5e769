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

#define MAX_CALLBACKS (UINT64_C(1) << 26)

void kernel_mark_waiting(struct kernel *kernel, uint64_t va)
{
	enum heap_reference how;
	uint32_t id = heap_resolve(kernel->heap, va, &how);

	if (id != HEAP_NONE && how == HEAP_REF_ADDRESS)
		bitmap_set(kernel->heap->waiting, id);
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

struct kml_error *kernel_walk_waiting(struct kernel *kernel, uint64_t va,
				      kernel_waiting_fn *callback, void *arg)
{
	uint64_t words[2], n;
	struct kml_error *error = NULL;

	for (n = 0; va; n++) {
		/* The next one, and the function */
		error = image_read_va(kernel->image, va, words, sizeof(words));
		if (!error && n == MAX_CALLBACKS)
			error = error_at(KML_ERR_CORRUPT, va, "a cycle");
		if (error)
			return forgive(kernel, error, va);
		kernel_mark_waiting(kernel, va);
		if (callback) {
			error = callback(kernel, arg, va, words[1]);
			if (error)
				return error;
		}
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
	return kernel_add_hole(kernel, va + head.offset, head.size);
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
	return error ? error : hide_idle_sync(kernel);
}
