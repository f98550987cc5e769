// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The outermost frames of kernel threads.  kthread() of kernel/kthread.c calls
 * the thread's function and never gets back what it had in registers: what the
 * function returns is the thread's exit status.  So its frame holds nothing, nor
 * do its registers where the functions below have saved them; struct kthread
 * has the function's argument.  Among them is the address of a struct
 * kthread_create_info that was freed when the thread had started, and that
 * somebody else has got since: each thread would hide one leak.
 *
 * Whose register a saved one is follows from the prologues of the functions on
 * the stack, each checked by the return address that must lie where its frame
 * ends.  Where that fails, the rest of the stack counts as ever.
 */
#include "kernel/kthread.h"

#include <string.h>

#include "base/util.h"
#include "kernel/symbol.h"

#define MAX_FRAMES 16u
#define PROLOGUE_BYTES 48u
#define TOP_WORDS 64u

static bool is_in(struct kernel *kernel, uint64_t va, uint64_t function)
{
	struct kernel_symbol_name symbol;

	return kernel_symbolize(kernel, va, &symbol) &&
	       va - symbol.offset == function;
}

void kthread_init(struct kthread_layout *l, const struct kernel *kernel)
{
	struct profile *p = kernel->profile;
	uint64_t bytes;

	memset(l, 0, sizeof(*l));
	/* In set_child_tid until Linux 5.17 (e32cf5dfbe22) */
	l->has_function =
		(profile_member(p, "task_struct", "worker_private",
				&l->kthread) ||
		 profile_member(p, "task_struct", "set_child_tid",
				&l->kthread)) &&
		profile_member(p, "kthread", "threadfn", &l->function);
	if (profile_member(p, "task_struct", "flags", &l->flags) &&
	    kernel_has_symbol(kernel, "kthread", &l->start) &&
	    profile_symbol(p, "kthread", &(uint64_t){ 0 }, &bytes))
		l->end = l->start + bytes;
}

/* Where kthread() called the thread's function: its outermost return address;
 * 0: there is none. */
static uint64_t find_call(struct kernel *kernel, const struct kthread_layout *l,
			  const struct kernel_task *task, uint64_t *return_va)
{
	_cleanup_error_ struct kml_error *error = NULL;
	uint64_t words[TOP_WORDS], top = task->stack_va + kernel->thread_bytes;
	size_t i;

	error = image_read_va(kernel->image, top - sizeof(words), words,
			      sizeof(words));
	for (i = TOP_WORDS; !error && i--;) {
		if (words[i] > l->start && words[i] < l->end) {
			*return_va = words[i];
			return top - sizeof(words) + i * 8;
		}
	}
	return 0;
}

static uint64_t thread_function(struct kernel *kernel,
				const struct kthread_layout *l,
				const struct kernel_task *task)
{
	_cleanup_error_ struct kml_error *error = NULL;
	uint64_t kthread, function = 0;

	if (!l->has_function)
		return 0;
	error = kernel_read_u64(kernel, task->va + l->kthread.offset, &kthread);
	if (!error && kthread)
		error = kernel_read_u64(kernel, kthread + l->function.offset,
					&function);
	return error ? 0 : function;
}

/*
 * The frame of the function at @function, whose return address is at *@slot:
 * hide the registers that it saved and nobody before it, *@owned, and move on
 * to the return address of the function that it has called.
 */
static struct kml_error *leave_frame(struct kernel *kernel, uint64_t function,
				     uint32_t *owned, uint64_t *slot,
				     uint64_t lowest, uint64_t *return_va)
{
	struct arch_prologue prologue;
	uint8_t code[PROLOGUE_BYTES];
	uint64_t next;
	struct kml_error *error;
	unsigned i;

	*return_va = 0;
	error = image_read_va(kernel->image, function, code, sizeof(code));
	if (error)
		return error;
	kernel->arch->prologue(code, sizeof(code), &prologue);
	next = *slot - prologue.n_pushed * 8 - prologue.frame_bytes - 8;
	if (prologue.frame_bytes > kernel->thread_bytes || next < lowest)
		return NULL;
	error = kernel_read_u64(kernel, next, return_va);
	/* Does it come back into this function? */
	if (error || !is_in(kernel, *return_va, function)) {
		*return_va = 0;
		return error;
	}
	for (i = 0; !error && i < prologue.n_pushed; i++) {
		uint32_t bit = 1u << prologue.pushed[i];

		if (*owned & bit)
			error = kernel_add_hole(kernel, *slot - (i + 1) * 8, 8);
		*owned &= ~bit;
	}
	*slot = next;
	return error;
}

static struct kml_error *hide_saved(struct kernel *kernel,
				    const struct kernel_task *task,
				    uint64_t slot, uint64_t function)
{
	uint32_t owned = kernel->arch->callee_saved;
	struct kml_error *error = NULL;
	uint8_t code[5];
	uint64_t return_va;
	unsigned n;

	for (n = 0; owned && n < MAX_FRAMES; n++) {
		error = leave_frame(kernel, function, &owned, &slot, task->sp,
				    &return_va);
		if (!error && return_va)
			error = image_read_va(kernel->image,
					      return_va - sizeof(code), code,
					      sizeof(code));
		if (error || !return_va ||
		    !kernel->arch->call_target(code, return_va, &function))
			break;
	}
	return error;
}

struct kml_error *kthread_hide(struct kernel *kernel,
			       const struct kthread_layout *l,
			       const struct kernel_task *task)
{
	const uint64_t pf_kthread = 0x00200000;
	uint64_t flags, slot, function, return_va;
	struct kml_error *error;

	if (!l->end)
		return NULL;
	error = kernel_read_uint(kernel, task->va + l->flags.offset, 4, &flags);
	if (error || !(flags & pf_kthread))
		return error;
	slot = find_call(kernel, l, task, &return_va);
	if (!slot || slot < task->sp)
		return NULL;
	kernel_cite(kernel, BUILTIN_KTHREAD_FRAME);
	error = kernel_add_hole(kernel, slot + 8,
				task->stack_va + kernel->thread_bytes - slot - 8);
	function = thread_function(kernel, l, task);
	if (!error && function)
		error = hide_saved(kernel, task, slot, function);
	return error;
}
