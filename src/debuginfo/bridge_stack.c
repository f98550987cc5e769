// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Frames from libdrgn: of an address, and of a task's unwound stack.
 *
 * libdrgn knows the registers of running tasks only of dumps that it opened
 * itself; of others they come from our image.
 */
#include "debuginfo/bridge_object.h"

#include <stdlib.h>

#include "base/util.h"
#include "debuginfo/source_name.h"
#include "image/image.h"

/* No kernel stack has more; a damaged one may. */
#define MAX_TRACE_FRAMES 1024u

/* Call @fn with frames [@first, @last] of a trace, of which the last is the
 * function and the others are inlined into it. */
static bool convert_frame(struct bridge *bridge,
			  struct drgn_stack_trace *trace, size_t first,
			  size_t last, bridge_fn *fn, void *arg)
{
	size_t n = MIN(last - first + 1, (size_t)BRIDGE_MAX_INLINED), i;
	struct lines_frame frames[BRIDGE_MAX_INLINED];
	struct bridge_frame result = { .frames = frames, .n_frames = n };
	char *files[BRIDGE_MAX_INLINED];
	bool more;

	if (!drgn.stack_frame_sp(trace, last, &result.sp))
		result.sp = 0;
	if (!drgn.stack_frame_pc(trace, last, &result.pc))
		result.pc = 0;
	result.address = result.pc;
	if (!drgn.stack_frame_interrupted(trace, last))
		result.address--;
	for (i = 0; i < n; i++) {
		const char *file;
		int line = 0;

		file = drgn.stack_frame_source(trace, first + i, &line, NULL);
		files[i] = file ? source_name_short(
					  file, bridge->source_trees,
					  ARRAY_SIZE(bridge->source_trees)) :
				  NULL;
		frames[i] = (struct lines_frame){
			.function = drgn.stack_frame_function_name(trace,
								   first + i),
			.file = files[i],
			.line = line > 0 ? (unsigned)line : 0,
			.inlined = drgn.stack_frame_is_inline(trace, first + i),
		};
	}
	/* Assembler has lines but no functions; then symbols are as good. */
	if (n == 1 && !frames[0].function && !frames[0].file)
		result.n_frames = 0;
	more = fn(arg, &result);
	for (i = 0; i < n; i++)
		free(files[i]);
	return more;
}

bool bridge_resolve(struct bridge *bridge, uint64_t address, bridge_fn *fn,
		    void *arg)
{
	/* It takes them for return addresses, and looks for the byte before. */
	_cleanup_drgn_error_ struct drgn_error *error = NULL;
	_cleanup_trace_ struct drgn_stack_trace *trace = NULL;
	uint64_t pc = address + 1;
	size_t n;

	error = drgn.program_stack_trace_from_pcs(bridge->program, &pc, 1,
						  &trace);
	n = error ? 0 : drgn.stack_trace_num_frames(trace);
	if (!n)
		return false;
	convert_frame(bridge, trace, 0, n - 1, fn, arg);
	return true;
}

/* An integer member of the task_struct that @task points to, or, if @outer is
 * not NULL, of that member of it.  false: it cannot be had. */
static bool read_member(struct bridge *bridge, const struct drgn_object *task,
			const char *outer, const char *member, uint64_t *ret)
{
	_cleanup_drgn_error_ struct drgn_error *error = NULL;
	_cleanup_object_ struct drgn_object object;
	union drgn_value value;

	drgn.object_init(&object, bridge->program);
	error = drgn.object_member_dereference(&object, task,
					       outer ? outer : member);
	if (!error && outer)
		error = drgn.object_member(&object, &object, member);
	if (!error)
		error = drgn.object_read_integer(&object, &value);
	if (error)
		return false;
	*ret = value.uvalue;
	return true;
}

/* Of every kernel's task stacks. */
#define MIN_STACK_BYTES 16384u

/*
 * The registers of the CPU that a task runs on; NULL if it doesn't run or they
 * are not known.  libdrgn knows registers only of dumps that it opened itself.
 */
static const struct image_regs *running_regs(struct bridge *bridge,
					     const struct drgn_object *task)
{
	const struct image_facts *facts = image_facts(bridge->image);
	uint64_t on_cpu, cpu, stack;
	unsigned i;

	if (!read_member(bridge, task, NULL, "on_cpu", &on_cpu) || !on_cpu)
		return NULL;
	/* A dump may have none of a CPU that was offline, and those behind it
	 * in its place: the stack pointer tells. */
	if (read_member(bridge, task, NULL, "stack", &stack)) {
		for (i = 0; i < facts->n_cpus; i++) {
			if (facts->cpus[i].present &&
			    facts->cpus[i].sp - stack < MIN_STACK_BYTES)
				return &facts->cpus[i];
		}
	}
	/* Since Linux 5.16, commit bcf9033e5449, in thread_info; before that
	 * in task_struct. */
	if (!read_member(bridge, task, NULL, "cpu", &cpu) &&
	    !read_member(bridge, task, "thread_info", "cpu", &cpu))
		return NULL;
	if (cpu >= facts->n_cpus || !facts->cpus[cpu].present)
		return NULL;
	return &facts->cpus[cpu];
}

/* The trace of a running task from its CPU's registers. */
static struct drgn_error *trace_regs(struct bridge *bridge,
				     const struct image_regs *regs,
				     struct drgn_stack_trace **ret)
{
	/* struct pt_regs: r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di
	 * (here their numbers), orig_ax ip cs flags sp ss */
	static const uint8_t order[] = { 15, 14, 13, 12, 5, 3, 11, 10,
					 9,  8,	 0,  1,	 2, 6, 7 };
	uint64_t pt_regs[21] = { 0 };
	_cleanup_object_ struct drgn_object object;
	struct drgn_qualified_type type;
	struct drgn_error *error;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(order); i++)
		pt_regs[i] = regs->gpr[order[i]];
	pt_regs[16] = regs->ip;
	pt_regs[19] = regs->sp;
	drgn.object_init(&object, bridge->program);
	error = drgn.program_find_type(bridge->program, "struct pt_regs", NULL,
				       &type);
	if (!error)
		error = drgn.object_set_from_buffer(&object, type, pt_regs,
						    sizeof(pt_regs), 0, 0);
	if (!error)
		error = drgn.object_stack_trace(&object, ret);
	return error;
}

static struct drgn_error *trace_task(struct bridge *bridge, uint64_t task_va,
				     struct drgn_stack_trace **ret)
{
	const struct image_regs *regs = NULL;
	_cleanup_object_ struct drgn_object task;
	struct drgn_qualified_type type;
	struct drgn_error *error;

	drgn.object_init(&task, bridge->program);
	error = drgn.program_find_type(bridge->program, "struct task_struct *",
				       NULL, &type);
	if (!error)
		error = drgn.object_set_unsigned(&task, type, task_va, 0);
	if (error)
		return error;
	if (bridge->image)
		regs = running_regs(bridge, &task);
	if (regs)
		return trace_regs(bridge, regs, ret);
	return drgn.object_stack_trace(&task, ret);
}

static void convert_trace(struct bridge *bridge,
			  struct drgn_stack_trace *trace, bridge_fn *fn,
			  void *arg)
{
	size_t n = drgn.stack_trace_num_frames(trace), i, first = 0;
	uint64_t pc;

	n = MIN(n, (size_t)MAX_TRACE_FRAMES);
	for (i = 0; i < n; i++) {
		if (drgn.stack_frame_is_inline(trace, i) && i + 1 < n)
			continue;
		/* Behind the entry from user space are the user's frames. */
		if ((drgn.stack_frame_pc(trace, i, &pc) && !(pc >> 63)) ||
		    !convert_frame(bridge, trace, first, i, fn, arg))
			return;
		first = i + 1;
	}
}

/* Have the debuginfo of modules loaded that a trace leads through; true if
 * some is new, so that the trace lacks what it could have now. */
static bool load_trace_modules(struct drgn_stack_trace *trace,
			       bool (*module)(void *arg, uint64_t address),
			       void *arg)
{
	size_t n = drgn.stack_trace_num_frames(trace), i;
	bool any = false;
	uint64_t pc;

	for (i = 0; i < n; i++)
		if (drgn.stack_frame_pc(trace, i, &pc) && module(arg, pc))
			any = true;
	return any;
}

struct kml_error *bridge_stack(struct bridge *bridge, uint64_t task_va,
			       bool (*module)(void *arg, uint64_t address),
			       bridge_fn *fn, void *arg)
{
	_cleanup_trace_ struct drgn_stack_trace *trace = NULL;
	struct drgn_error *error;

	if (bridge->no_memory)
		return error_at(kml_error_code(bridge->no_memory), task_va,
				"%s", kml_error_message(bridge->no_memory));
	bridge_create_modules(bridge);
	error = trace_task(bridge, task_va, &trace);
	if (!error && module && load_trace_modules(trace, module, arg)) {
		drgn.stack_trace_destroy(trace);
		trace = NULL;
		error = trace_task(bridge, task_va, &trace);
	}
	if (error)
		return libdrgn_convert_error(error, "libdrgn");
	convert_trace(bridge, trace, fn, arg);
	return NULL;
}
