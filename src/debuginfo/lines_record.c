// SPDX-License-Identifier: GPL-2.0-or-later
/* What was asked is recorded, and lines are made that answer from a record. */
#include "debuginfo/lines_object.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debuginfo/bridge.h"

void lines_record_deinit(struct lines_record *record)
{
	size_t i, j;

	for (i = 0; i < record->addresses.size; i++) {
		struct lines_record_address *a = &record->addresses.data[i];

		for (j = 0; j < a->lines.size; j++) {
			free(a->lines.data[j].function);
			free(a->lines.data[j].file);
		}
		vec_deinit(&a->lines);
	}
	for (i = 0; i < record->stacks.size; i++) {
		vec_deinit(&record->stacks.data[i].frames);
		free(record->stacks.data[i].why_not);
	}
	vec_deinit(&record->addresses);
	vec_deinit(&record->stacks);
	vec_deinit(&record->modules);
	free(record->why_not);
	memset(record, 0, sizeof(*record));
}

const struct lines_record_stack *
lines_record_find_stack(const struct lines_record *record, uint64_t task_va)
{
	size_t i;

	for (i = 0; i < record->stacks.size; i++) {
		if (record->stacks.data[i].task_va == task_va)
			return &record->stacks.data[i];
	}
	return NULL;
}

bool lines_replay_start(struct lines *lines)
{
	const struct lines_record *record = &lines->record;

	if (!lines->started && record->why_not)
		lines->why_not = error_new((enum kml_code)record->code, "%s",
					   record->why_not);
	lines->started = true;
	return !lines->why_not;
}

void lines_record_start(struct lines *lines)
{
	lines->recording = !lines->replaying;
}

static int compare_addresses(const void *a, const void *b)
{
	const struct lines_record_address *x = a, *y = b;

	return (x->key > y->key) - (x->key < y->key);
}

static bool copy_line(struct lines_record_address *address,
		      const struct lines_frame *frame)
{
	struct lines_record_line *line = vec_add(&address->lines);

	if (!line)
		return false;
	line->line = frame->line;
	line->inlined = frame->inlined;
	line->function = frame->function ? strdup(frame->function) : NULL;
	line->file = frame->file ? strdup(frame->file) : NULL;
	return !line->function == !frame->function &&
	       !line->file == !frame->file;
}

/* The answers to what was asked; what has none goes. */
static bool copy_addresses(const struct lines *lines,
			   struct lines_record *record)
{
	size_t i, n_frames, f, n = record->addresses.size, kept = 0;
	const struct lines_frame *frames;

	if (n)
		qsort(record->addresses.data, n,
		      sizeof(*record->addresses.data), compare_addresses);
	record->addresses.size = 0;
	for (i = 0; i < n; i++) {
		uint64_t key = record->addresses.data[i].key;
		struct lines_record_address *to =
			&record->addresses.data[kept];

		if ((kept && to[-1].key == key) ||
		    !line_cache_find(lines->cache, key, &frames, &n_frames))
			continue;
		memset(to, 0, sizeof(*to));
		to->key = key;
		record->addresses.size = ++kept;
		for (f = 0; f < n_frames; f++) {
			if (!copy_line(to, &frames[f]))
				return false;
		}
	}
	return true;
}

static bool copy_rest(const struct lines *lines, struct lines_record *record)
{
	size_t i;

	record->is_empty = !bridge_compiled_in();
	line_cache_image(lines->cache, &record->image_start,
			 &record->image_end);
	if (lines->why_not) {
		record->code = kml_error_code(lines->why_not);
		record->why_not = strdup(kml_error_message(lines->why_not));
		if (!record->why_not)
			return false;
	}
	for (i = 0; i < lines->modules.size; i++) {
		struct lines_record_module module = {
			.found = lines->modules.data[i].found,
			.loaded = lines->modules.data[i].loaded,
		};

		if (!vec_push(&record->modules, module))
			return false;
	}
	return true;
}

struct kml_error *lines_record_stop(struct lines *lines,
				    struct lines_record *ret)
{
	struct lines_record record = lines->record;

	memset(&lines->record, 0, sizeof(lines->record));
	lines->recording = false;
	if (lines->no_memory || !copy_addresses(lines, &record) ||
	    !copy_rest(lines, &record)) {
		lines_record_deinit(&record);
		return error_nomem();
	}
	*ret = record;
	return NULL;
}

static bool replay_address(struct lines *lines,
			   const struct lines_record_address *address)
{
	struct lines_frame frames[LINE_CACHE_MAX_FRAMES];
	size_t i, n = MIN(address->lines.size, (size_t)LINE_CACHE_MAX_FRAMES);

	for (i = 0; i < n; i++) {
		const struct lines_record_line *line = &address->lines.data[i];

		frames[i] = (struct lines_frame){
			.function = line->function,
			.file = line->file,
			.line = line->line,
			.inlined = line->inlined,
		};
	}
	return line_cache_add(lines->cache, address->key, frames, n, false);
}

struct kml_error *lines_open_record(struct lines_record *record,
				    uint64_t kaslr_offset, struct lines **ret)
{
	struct lines *lines = calloc(1, sizeof(*lines));
	size_t i;

	if (!lines) {
		lines_record_deinit(record);
		return error_nomem();
	}
	lines->record = *record;
	memset(record, 0, sizeof(*record));
	record = &lines->record;
	lines->replaying = true;
	lines->kaslr_offset = kaslr_offset;
	lines->cache = line_cache_create();
	if (!lines->cache)
		goto nomem;
	if (record->image_start < record->image_end)
		line_cache_set_image(lines->cache, record->image_start,
				     record->image_end);
	/* Then nothing is asked that would find out. */
	if (record->is_empty)
		lines_replay_start(lines);
	for (i = 0; i < record->addresses.size; i++) {
		if (!replay_address(lines, &record->addresses.data[i]))
			goto nomem;
	}
	*ret = lines;
	return NULL;

nomem:
	lines_close(lines);
	return error_nomem();
}
