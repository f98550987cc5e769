// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines, stacks and objects as C: asked of the cache first, then of libdrgn. */
#include "debuginfo/lines_object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debuginfo/bridge.h"
#include "debuginfo/cache_dir.h"
#include "debuginfo/profile.h"
#include "image/image.h"

static bool open_cache(struct lines *lines, const struct lines_options *options)
{
	size_t i;

	lines->cache = line_cache_create();
	if (!lines->cache)
		return false;
	if (options->build_id_bytes > MAX_BUILD_ID_BYTES)
		return true;
	for (i = 0; i < options->build_id_bytes; i++)
		sprintf(lines->build_id + 2 * i, "%02x", options->build_id[i]);
	lines->cache_path = cache_path(options->cache_dir, options->build_id,
				       options->build_id_bytes, ".lines");
	if (lines->cache_path)
		line_cache_load(lines->cache, lines->cache_path,
				lines->build_id);
	return true;
}

struct kml_error *lines_open(const struct lines_options *options,
			     struct lines **ret)
{
	struct lines *lines = calloc(1, sizeof(*lines));

	if (!lines)
		return error_nomem();
	lines->image = options->image;
	lines->profile = options->profile;
	lines->kaslr_offset = options->kaslr_offset;
	lines->module_paths.paths = options->modules;
	lines->module_paths.n = options->n_modules;
	if (!bridge_compiled_in()) {
		lines->started = true;
		lines->why_not = error_new(KML_ERR_UNSUPPORTED,
					   "built without libdrgn");
	}
	if (options->vmlinux && !(lines->vmlinux = strdup(options->vmlinux)))
		goto nomem;
	if (options->n_vmcore == 1 &&
	    !(lines->vmcore = strdup(options->vmcore[0])))
		goto nomem;
	if (!open_cache(lines, options))
		goto nomem;
	*ret = lines;
	return NULL;

nomem:
	lines_close(lines);
	return error_nomem();
}

void lines_close(struct lines *lines)
{
	size_t i;

	if (!lines)
		return;
	if (lines->cache_path && line_cache_dirty(lines->cache))
		line_cache_save(lines->cache, lines->cache_path,
				lines->build_id);
	bridge_close(lines->bridge);
	for (i = 0; i < lines->modules.size; i++)
		free(lines->modules.data[i].name);
	vec_deinit(&lines->modules);
	module_files_deinit(&lines->module_files);
	line_cache_destroy(lines->cache);
	lines_record_deinit(&lines->record);
	free(lines->cache_path);
	kml_error_destroy(lines->why_not);
	free(lines->vmlinux);
	free(lines->vmcore);
	free(lines);
}

const char *lines_why_not(const struct lines *lines)
{
	return lines->why_not ? kml_error_message(lines->why_not) : NULL;
}

struct kml_error *lines_add_module(struct lines *lines, const char *name,
				   uint64_t start_va, uint64_t bytes)
{
	struct lines_module module = {
		.name = strdup(name),
		.start_va = start_va,
		.end_va = start_va + bytes,
	};

	if (!module.name || !vec_push(&lines->modules, module)) {
		free(module.name);
		return error_nomem();
	}
	return NULL;
}

/* Start libdrgn, at most once; false if there is none. */
static bool start(struct lines *lines)
{
	struct bridge_options options = {
		.image = lines->image,
		.vmcore = lines->vmcore,
		.vmlinux = lines->vmlinux,
		.kaslr_offset = lines->kaslr_offset,
	};
	uint64_t start_va, end_va;

	if (lines->replaying)
		return lines_replay_start(lines);
	if (lines->started)
		return lines->bridge;
	lines->started = true;
	/* Not before it is needed: a compressed one has to be unpacked. */
	if (lines->profile)
		options.vmlinux = profile_vmlinux(lines->profile);
	if (options.vmlinux)
		lines->why_not = bridge_open(&options, &lines->bridge);
	else
		lines->why_not = error_new(KML_ERR_DEBUGINFO,
					   "there is no vmlinux");
	if (lines->bridge && bridge_image(lines->bridge, &start_va, &end_va))
		line_cache_set_image(lines->cache,
				     start_va - lines->kaslr_offset,
				     end_va - lines->kaslr_offset);
	return lines->bridge;
}

/* Is that in the kernel image?  Nothing is until the image is known. */
static bool in_kernel_image(const struct lines *lines, uint64_t key)
{
	uint64_t first, end;

	return line_cache_image(lines->cache, &first, &end) && key >= first &&
	       key < end;
}

static struct lines_module *find_module(struct lines *lines, uint64_t address)
{
	size_t i;

	for (i = 0; i < lines->modules.size; i++) {
		struct lines_module *module = &lines->modules.data[i];

		if (address >= module->start_va && address < module->end_va)
			return module;
	}
	return NULL;
}

static bool replay_module(struct lines *lines, struct lines_module *module)
{
	size_t i = (size_t)(module - lines->modules.data);

	module->loaded = i < lines->record.modules.size &&
			 lines->record.modules.data[i].found && start(lines) &&
			 lines->record.modules.data[i].loaded;
	return module->loaded;
}

/* The folders are walked once for all modules. */
static const char *find_file(struct lines *lines, const char *name)
{
	size_t at = 0;

	if (!lines->has_module_files)
		lines->has_module_files =
			module_files_find(&lines->module_files,
					  &lines->module_paths, lines->vmlinux,
					  image_facts(lines->image)->release);
	return module_files_next(&lines->module_files, name, &at);
}

/* Load the debuginfo of the module that has code at @address; true if this
 * call did it. */
static bool load_module(void *arg, uint64_t address)
{
	struct lines *lines = arg;
	struct lines_module *module = find_module(lines, address);
	const char *path;

	if (!module || module->tried)
		return false;
	module->tried = true;
	if (lines->replaying)
		return replay_module(lines, module);
	if (!lines->image)
		return false;
	path = find_file(lines, module->name);
	module->found = path;
	module->loaded = path && start(lines) &&
			 bridge_load_module(lines->bridge, address, path);
	return module->loaded;
}

/* Can libdrgn know the lines of @address?  Starts it only if so. */
static bool has_debuginfo(struct lines *lines, uint64_t address)
{
	uint64_t key = address - lines->kaslr_offset, first, end;
	struct lines_module *module;

	if (!line_cache_image(lines->cache, &first, &end) && !start(lines))
		return false;
	if (in_kernel_image(lines, key))
		return start(lines);
	load_module(lines, address);
	module = find_module(lines, address);
	return module && module->loaded;
}

/* Enter what libdrgn says of an address. */
static bool learn(void *arg, const struct bridge_frame *frame)
{
	struct lines *lines = arg;
	uint64_t key = frame->address - lines->kaslr_offset;

	return line_cache_add(lines->cache, key, frame->frames, frame->n_frames,
			      in_kernel_image(lines, key));
}

/* Remember that an address was asked for; not each time of a row. */
static void note_address(struct lines *lines, uint64_t key)
{
	struct lines_record *record = &lines->record;
	struct lines_record_address address = { .key = key };

	if (!lines->recording ||
	    (record->addresses.size &&
	     record->addresses.data[record->addresses.size - 1].key == key))
		return;
	if (!vec_push(&record->addresses, address))
		lines->no_memory = true;
}

size_t lines_resolve(struct lines *lines, uint64_t address,
		     bool return_address, const struct lines_frame **ret)
{
	uint64_t where = return_address ? address - 1 : address;
	uint64_t key = where - lines->kaslr_offset;
	size_t n;

	if (lines->replaying ? lines->record.is_empty : !bridge_compiled_in())
		return 0;
	note_address(lines, key);
	if (line_cache_find(lines->cache, key, ret, &n))
		return n;
	if (!has_debuginfo(lines, where) || lines->replaying ||
	    !bridge_resolve(lines->bridge, where, learn, lines) ||
	    !line_cache_find(lines->cache, key, ret, &n))
		return 0;
	return n;
}

struct stack {
	struct lines *lines;
	VEC(struct lines_stack_frame) frames;
	VEC(struct lines_record_frame) record;
	bool no_memory;
};

static bool stack_module(void *arg, uint64_t address)
{
	struct stack *stack = arg;

	return load_module(stack->lines, address);
}

static bool stack_frame(void *arg, const struct bridge_frame *frame)
{
	struct stack *stack = arg;
	struct lines *lines = stack->lines;
	struct lines_stack_frame result = { .sp = frame->sp, .pc = frame->pc };
	struct lines_record_frame record = {
		.sp = frame->sp,
		.pc = frame->pc,
		.key = frame->address - lines->kaslr_offset,
	};

	if (frame->pc && has_debuginfo(lines, frame->address)) {
		record.has_lines = true;
		note_address(lines, record.key);
		if (!line_cache_find(lines->cache, record.key, &result.frames,
				     &result.n_frames) &&
		    (!learn(lines, frame) ||
		     !line_cache_find(lines->cache, record.key, &result.frames,
				      &result.n_frames)))
			stack->no_memory = true;
	}
	if (!vec_push(&stack->frames, result) ||
	    !vec_push(&stack->record, record))
		stack->no_memory = true;
	return !stack->no_memory;
}

/* Keep what came of a stack, once. */
static void note_stack(struct lines *lines, uint64_t task_va,
		       struct stack *stack, const struct kml_error *error)
{
	struct lines_record_stack record = {
		.task_va = task_va,
		.code = kml_error_code(error),
		.why_not = error ? strdup(kml_error_message(error)) : NULL,
	};

	if (!lines->recording ||
	    lines_record_find_stack(&lines->record, task_va)) {
		free(record.why_not);
		return;
	}
	if (!error) {
		record.frames.data = stack->record.data;
		record.frames.size = stack->record.size;
		record.frames.capacity = stack->record.capacity;
		memset(&stack->record, 0, sizeof(stack->record));
	}
	if ((error && !record.why_not) ||
	    !vec_push(&lines->record.stacks, record)) {
		lines->no_memory = true;
		vec_deinit(&record.frames);
		free(record.why_not);
	}
}

static struct kml_error *replay_stack(struct lines *lines, uint64_t task_va,
				      struct stack *stack)
{
	const struct lines_record_stack *record =
		lines_record_find_stack(&lines->record, task_va);
	size_t i;

	if (!record)
		return error_at(KML_ERR_UNSUPPORTED, task_va,
				"cannot unwind the stack: the snapshot has not kept it");
	if (record->why_not)
		return error_new((enum kml_code)record->code, "%s",
				 record->why_not);
	for (i = 0; i < record->frames.size; i++) {
		const struct lines_record_frame *frame =
			&record->frames.data[i];
		struct lines_stack_frame result = { .sp = frame->sp,
						    .pc = frame->pc };

		if (frame->has_lines)
			line_cache_find(lines->cache, frame->key,
					&result.frames, &result.n_frames);
		if (!vec_push(&stack->frames, result))
			return error_nomem();
	}
	return NULL;
}

static struct kml_error *unwind(struct lines *lines, uint64_t task_va,
				struct stack *stack)
{
	struct kml_error *error;

	if (lines->replaying)
		return replay_stack(lines, task_va, stack);
	error = bridge_stack(lines->bridge, task_va, stack_module, stack_frame,
			     stack);
	if (!error && stack->no_memory)
		error = error_nomem();
	if (error)
		error = error_prefix(error, "cannot unwind the stack");
	note_stack(lines, task_va, stack, error);
	return error;
}

struct kml_error *lines_stack(struct lines *lines, uint64_t task_va,
			      struct lines_stack_frame **ret, size_t *n_ret)
{
	struct stack stack = { .lines = lines };
	struct kml_error *error;

	if (!start(lines))
		return error_at(kml_error_code(lines->why_not), task_va,
				"cannot unwind the stack: %s",
				kml_error_message(lines->why_not));
	error = unwind(lines, task_va, &stack);
	vec_deinit(&stack.record);
	if (error) {
		vec_deinit(&stack.frames);
		return error;
	}
	*ret = stack.frames.data;
	*n_ret = stack.frames.size;
	return NULL;
}

struct kml_error *lines_format(struct lines *lines, const char *type,
			       uint64_t address, char **ret)
{
	if (lines->replaying)
		return error_new(KML_ERR_UNSUPPORTED,
				 "a snapshot has no debuginfo to print objects with");
	if (!start(lines))
		return error_at(kml_error_code(lines->why_not), address, "%s",
				kml_error_message(lines->why_not));
	return bridge_format(lines->bridge, type, address, ret);
}
