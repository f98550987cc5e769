// SPDX-License-Identifier: GPL-2.0-or-later
/* Gaps: what could not be read or believed is counted. */
#include "kernel/kernel.h"

#include <string.h>

void kernel_gaps(struct kernel *kernel, const char *what, uint64_t address,
		 bool unsound, uint64_t n)
{
	struct kernel_gap *gap;
	size_t i;

	if (!n)
		return;
	for (i = 0; i < kernel->gaps.size; i++) {
		if (!strcmp(kernel->gaps.data[i].what, what)) {
			kernel->gaps.data[i].count += n;
			return;
		}
	}
	gap = vec_add(&kernel->gaps);
	/* Without memory for a counter there will soon be a real error. */
	if (gap)
		*gap = (struct kernel_gap){ what, n, address, unsound };
}

void kernel_gap(struct kernel *kernel, const char *what, uint64_t address,
		bool unsound)
{
	kernel_gaps(kernel, what, address, unsound, 1);
}

uint64_t kernel_count_gaps(const struct kernel *kernel)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < kernel->gaps.size; i++)
		n += kernel->gaps.data[i].count;
	return n;
}

struct kml_error *kernel_forgive(struct kernel *kernel, struct kml_error *error,
				 const char *what, uint64_t address)
{
	switch (kml_error_code(error)) {
	case KML_OK:
		return NULL;
	case KML_ERR_NODATA:
	case KML_ERR_CORRUPT:
	case KML_ERR_DEBUGINFO:
		kml_error_destroy(error);
		kernel_gap(kernel, what, address, true);
		return NULL;
	default:
		return error;
	}
}
