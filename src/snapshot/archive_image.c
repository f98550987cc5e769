// SPDX-License-Identifier: GPL-2.0-or-later
/* What the dump says of itself, what was read of it, and debuginfo. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "snapshot/snapshot.h"

static void archive_regs(struct archive *a, struct image_regs *regs)
{
	unsigned i;

	archive_bool(a, &regs->present);
	archive_u64(a, &regs->ip);
	archive_u64(a, &regs->sp);
	for (i = 0; i < ARRAY_SIZE(regs->gpr); i++)
		archive_u64(a, &regs->gpr[i]);
}

void archive_image(struct archive *a, struct snapshot *snapshot)
{
	struct image_record *image = &snapshot->image;

	archive_text(a, &image->format);
	archive_text(a, &image->vmcoreinfo);
	archive_check(a, image->format && image->vmcoreinfo, "the dump's kind");
	archive_u64(a, &image->file_bytes);
	archive_u64(a, &image->end_pfn);
	archive_u64(a, &image->n_pages);
	archive_u64(a, &image->zero_pages);
	archive_u64(a, &image->damaged_pages);
	archive_bool(a, &image->truncated);
	archive_u64(a, &image->direct_start_va);
	archive_u64(a, &image->direct_end_va);
	archive_vec(a, &image->cpus, archive_regs);
	archive_bitmap(a, &image->present, image->end_pfn);
	archive_check(a, image->present, "the list of pages");
}

static void archive_extent(struct archive *a, struct record_extent *extent,
			   uint64_t *end, uint64_t *n_bytes)
{
	uint64_t gap = extent->pa - *end;

	archive_u64(a, &gap);
	archive_u64(a, &extent->bytes);
	if (!a->loading) {
		*end = extent->pa + extent->bytes;
		return;
	}
	archive_check(a, !__builtin_add_overflow(*end, gap, &extent->pa) &&
		      !__builtin_add_overflow(extent->pa, extent->bytes, end),
		      "a run of memory");
	extent->first = *n_bytes;
	archive_check(a, !__builtin_add_overflow(*n_bytes, extent->bytes,
						 n_bytes), "a run of memory");
}

void archive_memory(struct archive *a, struct snapshot *snapshot)
{
	struct image_record *image = &snapshot->image;
	uint64_t end = 0, n_bytes = 0, i, last = 0, n = image->damaged.size;

	archive_vec(a, &image->extents, archive_extent, &end, &n_bytes);
	archive_count(a, &n, 1, UINT32_MAX);
	if (a->loading) {
		image->damaged.data = archive_alloc(a, n, sizeof(uint64_t));
		image->damaged.size = image->damaged.data ? n : 0;
		image->n_bytes = n_bytes;
	}
	for (i = 0; i < image->damaged.size; i++)
		archive_delta(a, &image->damaged.data[i], &last);
	archive_u8s(a, &image->bytes, image->n_bytes);
}

/* ---- source lines and stacks */

static void archive_line(struct archive *a, struct lines_record_line *line)
{
	archive_text(a, &line->function);
	archive_text(a, &line->file);
	archive_u32(a, &line->line);
	archive_bool(a, &line->inlined);
}

static void archive_address(struct archive *a,
			    struct lines_record_address *address,
			    uint64_t *last)
{
	uint64_t before = *last;

	archive_delta(a, &address->key, last);
	archive_check(a, !before || address->key > before,
		      "the order of source lines");
	archive_vec(a, &address->lines, archive_line);
}

static void archive_frame(struct archive *a, struct lines_record_frame *frame)
{
	archive_u64(a, &frame->sp);
	archive_u64(a, &frame->pc);
	archive_u64(a, &frame->key);
	archive_bool(a, &frame->has_lines);
}

/* The code of an error. */
static void archive_code(struct archive *a, uint32_t *code)
{
	archive_u32(a, code);
	archive_check(a, *code <= KML_ERR_INTERRUPTED, "an error");
}

static void archive_stack(struct archive *a, struct lines_record_stack *stack)
{
	archive_u64(a, &stack->task_va);
	archive_code(a, &stack->code);
	archive_text(a, &stack->why_not);
	archive_vec(a, &stack->frames, archive_frame);
}

static void archive_lines_module(struct archive *a,
				 struct lines_record_module *module)
{
	archive_bool(a, &module->found);
	archive_bool(a, &module->loaded);
}

void archive_lines(struct archive *a, struct snapshot *snapshot)
{
	struct lines_record *lines = &snapshot->lines;
	uint64_t last = 0;

	archive_bool(a, &lines->is_empty);
	archive_code(a, &lines->code);
	archive_text(a, &lines->why_not);
	archive_u64(a, &lines->image_start);
	archive_u64(a, &lines->image_end);
	archive_vec(a, &lines->addresses, archive_address, &last);
	archive_vec(a, &lines->stacks, archive_stack);
	archive_vec(a, &lines->modules, archive_lines_module);
}
