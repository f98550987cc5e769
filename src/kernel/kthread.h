/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For task.c: what the stacks of kernel threads do not hold. */
#ifndef KML_KERNEL_KTHREAD_H
#define KML_KERNEL_KTHREAD_H

#include "kernel/kernel.h"

struct kthread_layout {
	struct profile_member flags, kthread, function;
	uint64_t start, end; /* of kthread(); 0, 0: unknown */
	bool has_function;
};

void kthread_init(struct kthread_layout *l, const struct kernel *kernel);

/* Add holes to the stack of @task, if it is a kernel thread.  What cannot be
 * read is an error: nothing is lost by that but sharpness. */
struct kml_error *kthread_hide(struct kernel *kernel,
			       const struct kthread_layout *l,
			       const struct kernel_task *task)
	error_must_check;

#endif
