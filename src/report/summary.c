// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/summary.h"

#include <stdio.h>
#include <string.h>

void summary_build_id(const struct profile *profile, char ret[SUMMARY_ID_BYTES])
{
	size_t bytes, i;
	const uint8_t *id = profile_build_id(profile, &bytes);

	ret[0] = '\0';
	for (i = 0; id && i < bytes && 2 * i + 2 < SUMMARY_ID_BYTES; i++)
		snprintf(ret + 2 * i, 3, "%02x", id[i]);
}

const char *summary_vmlinux(const struct kml_analysis *analysis)
{
	const char *path = analysis->options.vmlinux;

	if (!path)
		path = profile_vmlinux(analysis->profile);
	/* What was decompressed into memory has no name of its own. */
	return path && !strncmp(path, "/proc/self/fd/", 14) ? NULL : path;
}

unsigned summary_cpus(const struct kernel *kernel)
{
	unsigned cpu, n = 0;

	for (cpu = 0; cpu < kernel->n_cpus; cpu++)
		n += kernel->cpu_offset[cpu] != 0;
	return n;
}

uint64_t summary_memory_bytes(const struct kernel *kernel)
{
	uint64_t pages = 0;
	unsigned class;

	for (class = 0; class < PAGE_CLASSES; class++) {
		if (class != PAGE_HOLE)
			pages += kernel->page_count[class];
	}
	return pages * 4096;
}

const char *summary_why_no_lines(const struct kml_analysis *analysis)
{
	if (!analysis->lines || analysis->options.no_lines)
		return NULL;
	return lines_why_not(analysis->lines);
}
