/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Threads of workqueues, devtmpfs' and kthreadd that have nothing to do. */
#ifndef KML_KERNEL_WORKER_H
#define KML_KERNEL_WORKER_H

#include "kernel/kernel.h"

struct workers {
	struct profile_member kthread; /* in struct task_struct */
	struct profile_member threadfn, data;    /* in struct kthread */
	struct profile_member task, pool, flags; /* in struct worker */
	uint64_t worker_thread, rescuer_thread;  /* 0: unknown */
	uint64_t devtmpfsd;                      /* 0: unknown */
	uint64_t kthreadd_task_va;               /* 0: unknown */
	struct profile_member state;             /* in struct task_struct */
	bool has_state;
	uint64_t idle;                           /* the flag */
	bool known;
};

void workers_init(struct workers *workers, const struct kernel *kernel);

/* Is the task at @task_va such a thread, so that its stack holds nothing? */
bool workers_is_idle(const struct workers *workers, struct kernel *kernel,
		     uint64_t task_va);

#endif
