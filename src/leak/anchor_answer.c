// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Whether an object answers a variable's reference: its contents say so.  Of a
 * snapshot, which has not got these, what was found when it was made.
 */
#include "leak/anchor_object.h"

#include "base/util.h"
#include "image/record.h"

/*
 * Does the object have a word that refers to the variable at @start, or to
 * something in it up to the word at @word_va?  Only its first bytes are
 * looked at.
 */
static bool look_for_answer(const struct anchor_find *find, uint32_t id,
			    uint64_t start, uint64_t word_va)
{
	const struct heap_region *r = heap_region_of(find->kernel->heap, id);
	uint64_t bytes = heap_object_bytes(find->kernel->heap, id), i;
	uint64_t words[1024];
	_cleanup_error_ struct kml_error *error = NULL;

	if (r->kind == HEAP_PERCPU || r->kind == HEAP_IOREMAP ||
	    r->flags & HEAP_NO_SCAN || word_va == UINT64_MAX)
		return false;
	bytes = align_down(MIN(bytes, sizeof(words)), 8);
	error = image_read_va(find->kernel->image,
			      heap_object_va(find->kernel->heap, id), words,
			      bytes);
	for (i = 0; !error && i < bytes / 8; i++) {
		if (words[i] >= start && words[i] <= word_va + 8)
			return true;
	}
	return false;
}

bool anchor_is_answered(const struct anchor_find *find, uint32_t id,
			uint64_t start, uint64_t word_va)
{
	struct kernel *kernel = find->kernel;
	bool paused, yes;

	if (kernel->answers.replay)
		return kernel->answers.next < kernel->answers.all.size &&
		       kernel->answers.all.data[kernel->answers.next++];
	paused = image_record_pause(kernel->image, true);
	yes = look_for_answer(find, id, start, word_va);
	image_record_pause(kernel->image, paused);
	/* Without memory for it, saving fails for want of memory as well. */
	if (kernel->answers.record &&
	    !vec_push(&kernel->answers.all, (uint8_t)yes))
		kernel->answers.record = false;
	return yes;
}
