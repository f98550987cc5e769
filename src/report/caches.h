/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The inventory as /proc would have shown it, for all its formats. */
#ifndef KML_REPORT_CACHES_H
#define KML_REPORT_CACHES_H

#include "report/report.h"

struct cache_row {
	const struct kernel_cache *cache;
	uint64_t active;   /* allocated */
	uint64_t free;
	uint64_t cached;   /* free, in per-CPU freelists; not among the free */
	uint64_t doubt;    /* torn or unreadable */
	uint64_t slabinfo; /* <active_objs> of /proc/slabinfo: free objects of
			      slabs that belong to a CPU count as active */
	uint64_t bytes;    /* of its slabs */
};

struct percpu_total {
	unsigned cpus;
	uint64_t chunks, unit_bytes;
	uint64_t populated_bytes; /* on all CPUs: Percpu of /proc/meminfo */
	uint64_t blocks, bytes;   /* on one CPU */
};

/* Each cache that has slabs or is listed, the largest first; to be free()d.
 * NULL if there is no memory, which sticks to the writer. */
struct cache_row *caches_rows(struct report *report);
struct cache_row caches_total(const struct cache_row *rows, size_t n);
struct percpu_total caches_percpu(const struct report *report);

/* Pages that vmalloc() allocated: VmallocUsed of /proc/meminfo. */
uint64_t caches_vmalloc_bytes(const struct report *report);

/* " pages=4 phys=0x... vmalloc" as in /proc/vmallocinfo. */
#define AREA_WORDS_BYTES 128
void caches_area_words(const struct report *report,
		       const struct kernel_area *area,
		       char ret[AREA_WORDS_BYTES]);

/* Stable names of the page classes. */
extern const char *const page_class_names[PAGE_CLASSES];

#endif
