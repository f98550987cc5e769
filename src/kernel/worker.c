// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Between two pieces of work worker_thread() and rescuer_thread() of
 * kernel/workqueue.c sleep with nothing on their stacks but their own struct
 * worker, which is held by its pool, and its pool.  The words that nobody has
 * written in their frames are what earlier work left there: they hide leaks,
 * and a machine has dozens of such threads.
 *
 * The same goes for devtmpfsd() of drivers/base/devtmpfs.c, which makes device
 * nodes: requests are on the stacks of those who wait for them, and the last
 * one's address stays in a register while it sleeps.  And for kthreadd() of
 * kernel/kthread.c, which makes threads, and the last kthread_create_info.
 */
#include "kernel/worker.h"

#include "base/util.h"

void workers_init(struct workers *workers, const struct kernel *kernel)
{
	struct profile *p = kernel->profile;
	struct workers w = { .known = false };
	int64_t idle;

	/* Where a task keeps its struct kthread: since Linux 5.17
	 * (e32cf5dfbe22) in a member of its own. */
	w.known = (profile_member(p, "task_struct", "worker_private",
				  &w.kthread) ||
		   profile_member(p, "task_struct", "set_child_tid",
				  &w.kthread)) &&
		  profile_member(p, "kthread", "threadfn", &w.threadfn) &&
		  profile_member(p, "kthread", "data", &w.data) &&
		  profile_member(p, "worker", "task", &w.task) &&
		  profile_member(p, "worker", "pool", &w.pool) &&
		  profile_member(p, "worker", "flags", &w.flags) &&
		  profile_enumerator(p, "WORKER_IDLE", &idle) &&
		  kernel_has_symbol(kernel, "worker_thread", &w.worker_thread) &&
		  kernel_has_symbol(kernel, "rescuer_thread", &w.rescuer_thread);
	w.idle = w.known ? (uint64_t)idle : 0;
	w.has_state = profile_member(p, "task_struct", "__state", &w.state) ||
		      /* until Linux 5.14 (2f064a59a11f) */
		      profile_member(p, "task_struct", "state", &w.state);
	if (!kernel_has_symbol(kernel, "devtmpfsd", &w.devtmpfsd))
		w.devtmpfsd = 0;
	w.kthreadd_task_va = 0;
	kernel_has_symbol(kernel, "kthreadd_task", &w.kthreadd_task_va);
	*workers = w;
}

struct worker {
	uint64_t function, task, pool, flags;
};

static struct kml_error *read_worker(const struct workers *w,
				     struct kernel *kernel, uint64_t task_va,
				     struct worker *ret)
{
	struct kml_error *error;
	uint64_t kthread, va = 0;

	error = kernel_read_u64(kernel, task_va + w->kthread.offset, &kthread);
	/* (a process may have a user's pointer there) */
	if (!error && !kernel_is_direct(kernel, kthread))
		return NULL;
	if (!error)
		error = kernel_read_u64(kernel, kthread + w->threadfn.offset,
					&ret->function);
	if (!error)
		error = kernel_read_u64(kernel, kthread + w->data.offset, &va);
	if (error || (ret->function != w->worker_thread &&
		      ret->function != w->rescuer_thread))
		return error;
	error = kernel_read_u64(kernel, va + w->task.offset, &ret->task);
	if (!error)
		error = kernel_read_u64(kernel, va + w->pool.offset, &ret->pool);
	if (!error)
		error = kernel_read_uint(kernel, va + w->flags.offset,
					 (unsigned)w->flags.size, &ret->flags);
	return error;
}

/* As nobody does while a request is handled: that takes locks. */
static bool sleeps_interruptibly(const struct workers *w,
				 struct kernel *kernel, uint64_t task_va)
{
	_cleanup_error_ struct kml_error *error = NULL;
	const uint64_t task_interruptible = 1;
	uint64_t state = 0;

	if (!w->has_state)
		return false;
	error = kernel_read_uint(kernel, task_va + w->state.offset,
				 (unsigned)w->state.size, &state);
	return !error && state == task_interruptible;
}

static bool is_kthreadd(const struct workers *w, struct kernel *kernel,
			uint64_t task_va)
{
	_cleanup_error_ struct kml_error *error = NULL;
	uint64_t kthreadd = 0;

	if (!w->kthreadd_task_va)
		return false;
	error = kernel_read_u64(kernel, w->kthreadd_task_va, &kthreadd);
	return !error && kthreadd == task_va;
}

bool workers_is_idle(const struct workers *w, struct kernel *kernel,
		     uint64_t task_va)
{
	_cleanup_error_ struct kml_error *error = NULL;
	struct worker worker = { 0 };

	if (!w->known)
		return false;
	if (is_kthreadd(w, kernel, task_va))
		return sleeps_interruptibly(w, kernel, task_va);
	error = read_worker(w, kernel, task_va, &worker);
	if (!error && w->devtmpfsd && worker.function == w->devtmpfsd)
		return sleeps_interruptibly(w, kernel, task_va);
	if (error || worker.task != task_va)
		return false;
	/* A rescuer has a pool while it works for one. */
	return worker.function == w->worker_thread ? worker.flags & w->idle :
						     !worker.pool;
}
