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
#include <string.h>

#include "base/util.h"

#define DEAD_STACK_BYTES 32u
#define MAX_STACK_CALLERS 8u

struct task_load {
	struct profile_member pid, comm, stack, on_cpu, sp;
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
		{ "task_struct", "thread.sp", &l->sp },
		{ NULL, NULL, NULL },
	};

	return kernel_members(kernel, needs);
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

static struct kml_error *load_task(struct kernel *kernel, void *arg,
				   uint64_t va)
{
	struct task_load *l = arg;
	struct kernel_task task = { .va = va };
	struct kernel_area *area;
	struct kml_error *error;

	error = read_task(kernel, l, &task);
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

/* The task that runs on a CPU: a per-cpu variable of its own until it moved
 * into struct pcpu_hot (e57ef2ed97c1, Linux 6.2 to 6.14). */
static struct kernel_task *current_task(struct kernel *kernel, unsigned cpu)
{
	_cleanup_error_ struct kml_error *error = NULL;
	struct profile_member member;
	uint64_t va, task;

	if (!kernel_has_symbol(kernel, "current_task", &va)) {
		if (!kernel_has_symbol(kernel, "pcpu_hot", &va) ||
		    !profile_member(kernel->profile, "pcpu_hot", "current_task",
				    &member))
			return NULL;
		va += member.offset;
	}
	error = kernel_read_u64(kernel, va + kernel->cpu_offset[cpu], &task);
	return error ? NULL : find_task(kernel, task);
}

/* The end of a CPU's interrupt stack; 0 if it is not known. */
static uint64_t irq_stack_end(struct kernel *kernel, unsigned cpu)
{
	_cleanup_error_ struct kml_error *error = NULL;
	struct profile_member member;
	uint64_t va, tos;

	if (!kernel_has_symbol(kernel, "hardirq_stack_ptr", &va)) {
		if (!kernel_has_symbol(kernel, "pcpu_hot", &va) ||
		    !profile_member(kernel->profile, "pcpu_hot",
				    "hardirq_stack_ptr", &member))
			return 0;
		va += member.offset;
	}
	error = kernel_read_u64(kernel, va + kernel->cpu_offset[cpu], &tos);
	/* It points at the last word, which holds the interrupted stack
	 * pointer. */
	return error || !tos ? 0 : tos + 8;
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
	if (regs->sp < kernel->direct_va) {
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

static struct kml_error *load_running(struct kernel *kernel)
{
	const struct image_facts *facts = image_facts(kernel->image);
	static const struct image_regs absent;
	struct kml_error *error = NULL;
	unsigned cpu;

	for (cpu = 0; !error && cpu < kernel->n_cpus; cpu++) {
		const struct image_regs *regs =
			cpu < facts->n_cpus ? &facts->cpus[cpu] : &absent;
		struct kernel_root *root;

		if (!kernel->cpu_offset[cpu])
			continue;
		error = load_cpu_stack(kernel, cpu, regs);
		if (error || !regs->present)
			continue;
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

struct kml_error *kernel_load_tasks(struct kernel *kernel)
{
	struct task_load load = { 0 };
	struct kml_error *error;
	uint64_t init_task;

	error = load_layout(kernel, &load);
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
