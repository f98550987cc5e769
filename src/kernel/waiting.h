/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Queues of RCU, for the files that know what is in them. */
#ifndef KML_KERNEL_WAITING_H
#define KML_KERNEL_WAITING_H

#include "kernel/kernel.h"

/* The object that @va lies in, if any, waits for RCU.  False: that is known. */
bool kernel_mark_waiting(struct kernel *kernel, uint64_t va);

/*
 * The object that @va lies in is to be freed, and nothing else: what is in it
 * holds nothing.  @has_head: but its rcu_head, at @va, which holds the next.
 */
struct kml_error *kernel_hide_waiting(struct kernel *kernel, uint64_t va,
				      bool has_head) error_must_check;

/* Called with each callback: where its rcu_head is, and what is to be called:
 * a function, or for kfree_rcu() the object or the offset of @va in it. */
typedef struct kml_error *kernel_waiting_fn(struct kernel *kernel, void *arg,
					    uint64_t va, uint64_t function);

/* Mark a chain of rcu_heads; @callback may be NULL, and is not called again for
 * an object that waits already. */
struct kml_error *kernel_walk_waiting(struct kernel *kernel, uint64_t va,
				      kernel_waiting_fn *callback, void *arg)
	error_must_check;

/* Mark everything that call_rcu() has queued. */
struct kml_error *kernel_walk_callbacks(struct kernel *kernel,
					kernel_waiting_fn *callback, void *arg)
	error_must_check;

#endif
