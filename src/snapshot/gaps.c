// SPDX-License-Identifier: GPL-2.0-or-later
#include <string.h>

#include "base/util.h"
#include "snapshot/snapshot.h"

static void add_gap(struct kernel *kernel, const struct kernel_gap *gap,
		    uint64_t n)
{
	kernel_gaps(kernel, gap->what, gap->first_address, gap->unsound, n);
}

static void add_list(struct kernel *kernel, const struct gap_list *list)
{
	size_t i;

	for (i = 0; i < list->gaps.size; i++)
		add_gap(kernel, &list->gaps.data[i], list->gaps.data[i].count);
}

struct kml_error *snapshot_merge_gaps(const struct gap_list *inventory,
				      const struct gap_list *kmemleak,
				      const struct gap_list *all,
				      struct kernel *ret)
{
	size_t n = inventory->gaps.size + kmemleak->gaps.size +
		   all->gaps.size, i;

	ret->gaps.size = 0;
	if (!vec_reserve(&ret->gaps, n + 1))
		return error_nomem();
	add_list(ret, inventory);
	add_list(ret, kmemleak);
	/* The others go on where the inventory ended. */
	for (i = 0; i < all->gaps.size; i++) {
		const struct kernel_gap *gap = &all->gaps.data[i];
		uint64_t before = i < inventory->gaps.size ?
					  inventory->gaps.data[i].count : 0;

		if (gap->count > before)
			add_gap(ret, gap, gap->count - before);
	}
	return NULL;
}
