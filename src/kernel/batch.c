// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Batches of pages on their way to the LRU lists: each CPU collects up to 15 or
 * 31 of them in arrays, whose slots at and beyond the count keep what was in
 * them.  (struct pagevec until Linux 6.4, folio_batch since 5.17; the CPU's
 * variables were renamed in 6.0, 82ac64d86fb0)
 */
#include "kernel/kernel.h"

#include "base/util.h"

static const struct {
	const char *variable, *type;
} batches[] = {
	{ "cpu_fbatches", "cpu_fbatches" },
	{ "lru_pvecs", "lru_pvecs" },
	{ "lru_rotate", "lru_rotate" },
	{ "mlock_fbatch", "mlock_fbatch" },
	{ "mlock_pvec", "mlock_pvec" },
};

static const char *const members[] = {
	"lru_add", "lru_deactivate_file", "lru_deactivate", "lru_lazyfree",
	"lru_activate", "activate", "activate_page", "lru_move_tail", "fbatch",
	"pvec",
};

static bool load_layout(struct kernel *kernel, const char *type,
			const char *array, struct profile_member *count,
			struct profile_member *slots)
{
	return profile_member(kernel->profile, type, "nr", count) &&
	       profile_member(kernel->profile, type, array, slots) &&
	       slots->count && slots->size == slots->count * 8;
}

/* A batch at @va, a struct pagevec or folio_batch. */
static struct kml_error *load_batch(struct kernel *kernel,
				    const struct profile_member *count,
				    const struct profile_member *slots,
				    uint64_t va)
{
	struct kml_error *error;
	uint64_t n;

	error = kernel_read_uint(kernel, va + count->offset,
				 (unsigned)count->size, &n);
	kernel_cite(kernel, BUILTIN_PAGE_BATCH);
	if (!error && n <= slots->count)
		error = kernel_add_hole(kernel, va + slots->offset + n * 8,
					(slots->count - n) * 8);
	return kernel_forgive(kernel, error, "batches of pages", va);
}

static struct kml_error *load_member(struct kernel *kernel, uint64_t va,
				     const struct profile_member *batch,
				     const struct profile_member *count,
				     const struct profile_member *slots)
{
	struct kml_error *error = NULL;
	unsigned cpu;

	for (cpu = 0; !error && cpu < kernel->n_cpus; cpu++) {
		if (kernel->cpu_offset[cpu])
			error = load_batch(kernel, count, slots,
					   va + kernel->cpu_offset[cpu] +
						   batch->offset);
	}
	return error;
}

struct kml_error *kernel_load_batches(struct kernel *kernel)
{
	struct profile_member count, slots, batch;
	struct kml_error *error = NULL;
	uint64_t va;
	size_t i, j;

	if (!load_layout(kernel, "folio_batch", "folios", &count, &slots) &&
	    !load_layout(kernel, "pagevec", "pages", &count, &slots))
		return NULL;
	for (i = 0; i < ARRAY_SIZE(batches); i++) {
		if (!kernel_has_symbol(kernel, batches[i].variable, &va))
			continue;
		for (j = 0; !error && j < ARRAY_SIZE(members); j++) {
			if (profile_member(kernel->profile, batches[i].type,
					   members[j], &batch))
				error = load_member(kernel, va, &batch, &count,
						    &slots);
		}
	}
	return error;
}
