// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tasks, their stacks, the stacks of interrupts, and registers.
 *
 * The task list does not have them all: secondary idle tasks and tasks that
 * are exiting are off it.  So every allocated task_struct counts, and the
 * first idle task, which is a static variable.
 *
 * Of a stack only what lies above the stack pointer is alive; everything
 * below is what earlier calls left behind.  A stack without a task (cached
 * for the next fork, or waiting for a grace period) has no live part but its
 * first words, struct vm_stack, with the rcu_head that links it into a chain
 * of callbacks (since Linux 5.18, e540bf3162e8).
 */
#include "kernel/kernel.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kernel/kthread.h"
#include "kernel/worker.h"

#define DEAD_STACK_BYTES 32u
#define MAX_STACK_CALLERS 8u
#define MAX_SWITCH_WORDS 16u

struct task_load {
	struct profile_member pid, comm, stack, on_cpu, sp;
	struct profile_member last_wakee, run_node, on_rq;
	struct profile_member vmacache;
	struct kthread_layout kthread;
	bool has_last_wakee, has_run_node, has_vmacache;
	struct workers workers;
	uint64_t callers[MAX_STACK_CALLERS]; /* who allocates stacks */
	unsigned n_callers;
};

static struct kml_error *load_layout(struct kernel *kernel,
				     struct task_load *l)
{
	const struct kernel_need needs[] = {
		{ "task_struct", "pid", &l->pid },
		{ "task_struct", "comm", &l->comm },
		{ "task_struct", "stack", &l->stack },
		{ "task_struct", "on_cpu", &l->on_cpu },
		{ "task_struct", kernel->arch->saved_sp, &l->sp },
		{ NULL, NULL, NULL },
	};

	workers_init(&l->workers, kernel);
	l->has_last_wakee = profile_member(kernel->profile, "task_struct",
					   "last_wakee", &l->last_wakee);
	l->has_run_node = profile_member(kernel->profile, "task_struct",
					 "se.run_node", &l->run_node) &&
			  profile_member(kernel->profile, "task_struct",
					 "se.on_rq", &l->on_rq);
	l->has_vmacache = profile_member(kernel->profile, "task_struct",
					 "vmacache", &l->vmacache);
	return kernel_members(kernel, needs);
}

/*
 * What is left behind in a task.  By the scheduler: whom it woke up last, to compare
 * with and never to look at (record_wakee() of kernel/sched/fair.c), and, off
 * the run queue, who its neighbours were there (rb_erase() clears nothing).  By
 * page faults, until Linux 6.1 (7964cf8caa4d): which areas were the last, by a
 * sequence number that may have passed.
 */
static struct kml_error *hide_leftovers(struct kernel *kernel,
					const struct task_load *l, uint64_t va)
{
	struct kml_error *error = NULL;
	uint64_t on_rq = 1;

	kernel_cite(kernel, BUILTIN_TASK_LEFTOVERS);
	if (l->has_last_wakee)
		error = kernel_add_hole(kernel, va + l->last_wakee.offset, 8);
	if (!error && l->has_vmacache)
		error = kernel_add_hole(kernel, va + l->vmacache.offset,
					l->vmacache.size);
	if (!error && l->has_run_node)
		error = kernel_read_uint(kernel, va + l->on_rq.offset,
					 (unsigned)l->on_rq.size, &on_rq);
	if (!error && !on_rq)
		error = kernel_add_hole(kernel, va + l->run_node.offset,
					l->run_node.size);
	return error;
}

static struct kml_error *read_task(struct kernel *kernel,
				   const struct task_load *l,
				   struct kernel_task *task)
{
	uint64_t va = task->va, pid = 0, on_cpu = 0;
	struct kml_error *error;

	error = kernel_read_uint(kernel, va + l->pid.offset, 4, &pid);
	if (!error)
		error = kernel_read_u64(kernel, va + l->stack.offset,
					&task->stack_va);
	if (!error)
		error = kernel_read_u64(kernel, va + l->sp.offset, &task->sp);
	if (!error)
		error = kernel_read_uint(kernel, va + l->on_cpu.offset,
					 (unsigned)l->on_cpu.size, &on_cpu);
	if (!error)
		error = kernel_read_string(kernel, va + l->comm.offset,
					   task->comm, sizeof(task->comm));
	task->pid = (uint32_t)pid;
	task->on_cpu = on_cpu != 0;
	return error;
}

static void note_caller(struct task_load *l, uint64_t caller)
{
	unsigned i;

	for (i = 0; i < l->n_callers; i++) {
		if (l->callers[i] == caller)
			return;
	}
	if (caller && l->n_callers < MAX_STACK_CALLERS)
		l->callers[l->n_callers++] = caller;
}

/*
 * The registers that a task was switched out with, at its stack pointer: among
 * them the task that was switched to, which __schedule() of kernel/sched/core.c
 * has no more use for when it returns, and which may have exited long ago.
 */
static struct kml_error *hide_switch(struct kernel *kernel,
				     const struct kernel_task *task)
{
	uint64_t words[MAX_SWITCH_WORDS];
	size_t n = MIN(kernel->arch->switch_words, MAX_SWITCH_WORDS), i;
	enum heap_reference how;
	struct kml_error *error;

	if (task->on_cpu || kernel->task_cache == HEAP_NONE)
		return NULL;
	error = image_read_va(kernel->image, task->sp, words, n * 8);
	for (i = 0; !error && i < n; i++) {
		uint32_t id = heap_resolve(kernel->heap, words[i], &how);
		const struct heap_region *region;

		if (id == HEAP_NONE || how != HEAP_REF_ADDRESS)
			continue;
		region = heap_region_of(kernel->heap, id);
		if (region->kind != HEAP_SLAB ||
		    region->owner != kernel->task_cache ||
		    heap_object_va(kernel->heap, id) != words[i])
			continue;
		kernel_cite(kernel, BUILTIN_SWITCH_FRAME);
		error = kernel_add_hole(kernel, task->sp + i * 8, 8);
	}
	return error;
}

/* What of a stack could not be read is a gap once it is scanned. */
static struct kml_error *forgive_stack(struct kml_error *error)
{
	switch (kml_error_code(error)) {
	case KML_ERR_NODATA:
	case KML_ERR_CORRUPT:
		kml_error_destroy(error);
		return NULL;
	default:
		return error;
	}
}

static struct kml_error *load_task(struct kernel *kernel, void *arg,
				   uint64_t va)
{
	struct task_load *l = arg;
	struct kernel_task task = { .va = va };
	struct kernel_area *area;
	struct kml_error *error;

	error = read_task(kernel, l, &task);
	if (!error)
		error = hide_leftovers(kernel, l, va);
	if (error)
		return kernel_forgive(kernel, error, "tasks", va);
	/* A dead task that is still referred to has given its stack back. */
	if (!task.stack_va)
		return NULL;
	area = kernel_find_area(kernel, task.stack_va);
	if (area) {
		area->is_stack = true;
		note_caller(l, area->caller);
	}
	if (task.sp < task.stack_va ||
	    task.sp > task.stack_va + kernel->thread_bytes) {
		/* Not switched out yet, or torn: all of it may be alive. */
		task.sp = task.stack_va;
	}
	error = forgive_stack(hide_switch(kernel, &task));
	if (!error)
		error = forgive_stack(kthread_hide(kernel, &l->kthread, &task));
	if (error)
		return error;
	if (!task.on_cpu && workers_is_idle(&l->workers, kernel, va)) {
		kernel_cite(kernel, BUILTIN_IDLE_WORKER);
		task.sp = task.stack_va + kernel->thread_bytes;
	}
	return vec_push(&kernel->tasks, task) ? NULL : error_nomem();
}

/* Find stacks without a task by who allocated them, and hold what their
 * first words hold. */
static struct kml_error *find_dead_stacks(struct kernel *kernel,
					  const struct task_load *l)
{
	size_t i;
	unsigned j;

	for (i = 0; i < kernel->areas.size; i++) {
		struct kernel_area *area = &kernel->areas.data[i];
		struct heap_region *region;
		struct kernel_rule rule = {
			.kind = SCAN_HEAD,
			.skip_start = DEAD_STACK_BYTES,
		};

		if (area->region == HEAP_NONE)
			continue;
		region = &kernel->heap->regions.data[area->region];
		if (area->is_stack) {
			kernel_cite(kernel, BUILTIN_TASK_STACK);
			region->flags |= HEAP_NO_SCAN;
			continue;
		}
		for (j = 0; j < l->n_callers; j++) {
			if (area->caller == l->callers[j] &&
			    region->bytes == kernel->thread_bytes)
				area->is_stack = true;
		}
		if (!area->is_stack)
			continue;
		kernel_cite(kernel, BUILTIN_DEAD_STACK);
		rule.id = region->first_id;
		if (!vec_push(&kernel->rules, rule))
			return error_nomem();
	}
	return NULL;
}

static struct kernel_root *add_root(struct kernel *kernel, enum root_kind kind,
				    uint32_t owner, uint64_t start,
				    uint64_t end)
{
	struct kernel_root *root = vec_add(&kernel->roots);

	if (!root)
		return NULL;
	root->kind = (uint8_t)kind;
	root->owner = owner;
	root->start_va = start;
	root->bytes = end > start ? end - start : 0;
	return root;
}

/* ---- what a CPU was doing */

static struct kernel_task *find_task(struct kernel *kernel, uint64_t va)
{
	size_t i;

	for (i = 0; i < kernel->tasks.size; i++) {
		if (kernel->tasks.data[i].va == va)
			return &kernel->tasks.data[i];
	}
	return NULL;
}

/* Read the first of @variables that the kernel has, on a CPU. */
static bool read_percpu(struct kernel *kernel, unsigned cpu,
			const struct arch_variable *variables, uint64_t *ret)
{
	struct profile_member member = { 0 };
	struct kml_error *error;
	uint64_t va;

	for (; variables->symbol; variables++) {
		if (!kernel_has_symbol(kernel, variables->symbol, &va))
			continue;
		if (variables->type &&
		    !profile_member(kernel->profile, variables->type,
				    variables->member, &member))
			continue;
		error = kernel_read_u64(kernel, va + member.offset +
						kernel->cpu_offset[cpu], ret);
		kml_error_destroy(error);
		return !error;
	}
	return false;
}

/* The task that runs on a CPU. */
static struct kernel_task *current_task(struct kernel *kernel, unsigned cpu)
{
	uint64_t task;

	return read_percpu(kernel, cpu, kernel->arch->current_task, &task) ?
		       find_task(kernel, task) :
		       NULL;
}

/* The end of a CPU's interrupt stack; 0 if it is not known. */
static uint64_t irq_stack_end(struct kernel *kernel, unsigned cpu)
{
	uint64_t last;

	/* It points at the last word, which holds the interrupted stack
	 * pointer; until Linux 5.12 (951c2a51ae75) behind it. */
	return read_percpu(kernel, cpu, kernel->arch->irq_stack, &last) &&
			       last ?
		       align_up(last, 4096) :
		       0;
}

/* Where the pointer is one to the end of a CPU's interrupt stack, the word
 * refers to whatever lies behind: so the stack is held here. */
static struct kml_error *hold_irq_stack(struct kernel *kernel, uint64_t end)
{
	struct kernel_edge edge = { .from = HEAP_NONE };
	enum heap_reference how;

	if (!end)
		return NULL;
	edge.to = heap_resolve(kernel->heap, end - 8, &how);
	if (edge.to == HEAP_NONE || vec_push(&kernel->edges, edge))
		return NULL;
	return error_nomem();
}

static struct kml_error *add_irq_stack(struct kernel *kernel, unsigned cpu,
				       uint64_t sp, uint64_t end)
{
	struct kernel_root *root = add_root(kernel, ROOT_IRQ_STACK, cpu, sp, end);

	if (!root)
		return error_nomem();
	snprintf(root->name, sizeof(root->name), "interrupt stack %u", cpu);
	return NULL;
}

/* Set the live part of the stack of the task on @cpu; a CPU that is in an
 * interrupt has a live part of that stack too. */
static struct kml_error *load_cpu_stack(struct kernel *kernel, unsigned cpu,
					const struct image_regs *regs)
{
	struct kernel_task *task = current_task(kernel, cpu);
	uint64_t end, stack_end, irq_end = irq_stack_end(kernel, cpu), sp;
	struct kml_error *error;

	if (!task)
		return NULL;
	stack_end = task->stack_va + kernel->thread_bytes;
	task->on_cpu = true;
	if (!regs->present) {
		task->sp = task->stack_va;
		return NULL;
	}
	if (regs->sp >= task->stack_va && regs->sp <= stack_end) {
		task->sp = regs->sp;
		return NULL;
	}
	if (regs->sp < kernel->arch->kernel_start_va) {
		/* In user mode the kernel stack is empty. */
		task->sp = stack_end;
		return NULL;
	}
	/* On an interrupt or exception stack. */
	task->sp = task->stack_va;
	if (irq_end && regs->sp < irq_end && irq_end - regs->sp <= 65536) {
		end = irq_end;
		error = kernel_read_u64(kernel, irq_end - 8, &sp);
		if (!error && sp >= task->stack_va && sp <= stack_end)
			task->sp = sp;
		kml_error_destroy(error);
	} else {
		end = align_up(regs->sp + 1, 4096);
	}
	return add_irq_stack(kernel, cpu, regs->sp, end);
}

/* Does the stack pointer say that these are another CPU's registers: on the
 * stack of a task that does not run here? */
static bool is_others(struct kernel *kernel, unsigned cpu,
		      const struct image_regs *regs)
{
	const struct kernel_task *task = current_task(kernel, cpu);
	const struct kernel_task *first = kernel->tasks.data;
	uint64_t bytes = kernel->thread_bytes;
	size_t i;

	if (!task || !regs->present || regs->sp - task->stack_va <= bytes)
		return false;
	for (i = 0; i < kernel->tasks.size; i++) {
		if (regs->sp - first[i].stack_va < bytes)
			return true;
	}
	return false;
}

/*
 * The registers of a CPU, of which *@next is the first set that no CPU in front
 * of it has.  /proc/vmcore has none of a CPU that was offline, so that those
 * behind it have another's place; the order is kept.
 */
static const struct image_regs *take_regs(struct kernel *kernel, unsigned cpu,
					  unsigned *n_absent, unsigned *next)
{
	const struct image_facts *facts = image_facts(kernel->image);
	static const struct image_regs absent;

	if (*next >= facts->n_cpus)
		return &absent;
	if (*n_absent && is_others(kernel, cpu, &facts->cpus[*next])) {
		--*n_absent;
		return &absent;
	}
	return &facts->cpus[(*next)++];
}

static struct kml_error *load_running(struct kernel *kernel)
{
	unsigned n_regs = image_facts(kernel->image)->n_cpus;
	struct kml_error *error = NULL;
	unsigned cpu, n_cpus = 0, n_absent, next = 0;

	kernel->cpu_regs = calloc(kernel->n_cpus, sizeof(*kernel->cpu_regs));
	if (!kernel->cpu_regs)
		return error_nomem();
	for (cpu = 0; cpu < kernel->n_cpus; cpu++)
		n_cpus += kernel->cpu_offset[cpu] != 0;
	n_absent = n_cpus > n_regs ? n_cpus - n_regs : 0;
	for (cpu = 0; !error && cpu < kernel->n_cpus; cpu++) {
		const struct image_regs *regs;
		struct kernel_root *root;

		if (!kernel->cpu_offset[cpu])
			continue;
		regs = take_regs(kernel, cpu, &n_absent, &next);
		error = load_cpu_stack(kernel, cpu, regs);
		if (!error)
			error = hold_irq_stack(kernel,
					       irq_stack_end(kernel, cpu));
		if (error || !regs->present)
			continue;
		kernel->cpu_regs[cpu] = regs;
		root = add_root(kernel, ROOT_REGISTERS, cpu, 0,
				sizeof(regs->gpr));
		if (!root)
			return error_nomem();
		snprintf(root->name, sizeof(root->name), "registers of CPU %u",
			 cpu);
	}
	return error;
}

static struct kml_error *add_stack_roots(struct kernel *kernel)
{
	size_t i;

	if (kernel->stack_mode == KML_STACK_OFF)
		return NULL;
	for (i = 0; i < kernel->tasks.size; i++) {
		const struct kernel_task *task = &kernel->tasks.data[i];
		uint64_t start = kernel->stack_mode == KML_STACK_WHOLE ?
					 task->stack_va :
					 task->sp;
		struct kernel_root *root =
			add_root(kernel, ROOT_STACK, (uint32_t)i, start,
				 task->stack_va + kernel->thread_bytes);

		if (!root)
			return error_nomem();
		snprintf(root->name, sizeof(root->name), "stack of %.15s",
			 task->comm);
	}
	return NULL;
}

/* The cache of tasks, if nothing else is in it. */
static struct kml_error *find_task_cache(struct kernel *kernel)
{
	struct kml_error *error;
	uint64_t symbol, va = 0;
	uint32_t i;

	kernel->task_cache = HEAP_NONE;
	error = kernel_symbol(kernel, "task_struct_cachep", &symbol);
	if (!error)
		error = kernel_read_u64(kernel, symbol, &va);
	for (i = 0; !error && i < kernel->caches.size; i++) {
		if (kernel->caches.data[i].va == va &&
		    kernel->caches.data[i].n_users == 1)
			kernel->task_cache = i;
	}
	return error;
}

struct kml_error *kernel_load_tasks(struct kernel *kernel)
{
	struct task_load load = { 0 };
	struct kml_error *error;
	uint64_t init_task;

	kthread_init(&load.kthread, kernel);
	error = load_layout(kernel, &load);
	if (!error)
		error = find_task_cache(kernel);
	if (!error)
		error = kernel_symbol(kernel, "init_task", &init_task);
	if (!error)
		error = load_task(kernel, &load, init_task);
	if (!error)
		error = kernel_for_each_object(kernel, "task_struct_cachep",
					       load_task, &load);
	if (!error)
		error = find_dead_stacks(kernel, &load);
	if (!error)
		error = load_running(kernel);
	if (!error)
		error = add_stack_roots(kernel);
	return error;
}
