// SPDX-License-Identifier: GPL-2.0-or-later
/* What slabtop, /proc/vmallocinfo and /proc/meminfo would have said. */
#include "report/caches.h"

#include <inttypes.h>
#include <stdlib.h>

#include "base/util.h"
#include "report/number.h"
#include "report/object.h"

static void print_row(struct report *report, const struct cache_row *row)
{
	const struct kernel_cache *cache = row->cache;
	struct writer *w = &report->writer;

	writer_printf(w,
		      "%9" PRIu64 " %9" PRIu64 " %9" PRIu64 " %7" PRIu64
		      " %7" PRIu32 " %7" PRIu32 " %5" PRIu32 " %6" PRIu32
		      " %7" PRIu64 " %10s  %s",
		      row->active, row->slabinfo, cache->n_objects, row->cached,
		      cache->object_bytes, cache->slot_bytes,
		      cache->slab_objects, cache->slab_pages, cache->n_slabs,
		      SHORT_BYTES(row->bytes), cache->name);
	if (row->doubt)
		writer_printf(w, " (%s in doubt)", COUNT(row->doubt));
	if (!cache->listed)
		writer_puts(w, " (being destroyed)");
	writer_puts(w, "\n");
}

static void print_caches(struct report *report)
{
	size_t n = report->kernel->caches.size, i;
	_cleanup_free_ struct cache_row *rows = caches_rows(report);
	struct writer *w = &report->writer;
	struct cache_row total;

	if (!rows)
		return;
	writer_printf(w, "%9s %9s %9s %7s %7s %7s %5s %6s %7s %10s  %s\n",
		      "ACTIVE", "SLABINFO", "OBJECTS", "CACHED", "SIZE", "SLOT",
		      "/SLAB", "PAGES", "SLABS", "MEMORY", "CACHE");
	for (i = 0; i < n; i++)
		print_row(report, &rows[i]);
	total = caches_total(rows, n);
	writer_printf(w, "%s in %s: %s active, %s cached, %s free, %s in doubt\n",
		      BYTES(total.bytes), COUNT_OF(n, "cache"),
		      COUNT(total.active), COUNT(total.cached),
		      COUNT(total.free), COUNT(total.doubt));
}

static void print_area(struct report *report, const struct kernel_area *area)
{
	char words[AREA_WORDS_BYTES], symbol[SYMBOL_BYTES_MAX] = "";

	caches_area_words(report, area, words);
	if (area->caller)
		object_code_symbol(report, area->caller, symbol);
	writer_printf(&report->writer,
		      "0x%016" PRIx64 "-0x%016" PRIx64 " %7" PRIu64 "%s%s%s\n",
		      area->start_va, area->end_va,
		      area->end_va - area->start_va, symbol[0] ? " " : "",
		      symbol, words);
}

static void print_areas(struct report *report)
{
	const struct kernel *kernel = report->kernel;
	size_t i;

	writer_puts(&report->writer, "\nvmalloc areas\n");
	for (i = 0; i < kernel->areas.size; i++)
		print_area(report, &kernel->areas.data[i]);
	writer_printf(&report->writer, "%s, %s of pages in them\n",
		      COUNT_OF(kernel->areas.size, "area"),
		      BYTES(caches_vmalloc_bytes(report)));
}

static void print_percpu(struct report *report)
{
	const struct percpu_total total = caches_percpu(report);
	struct writer *w = &report->writer;

	writer_puts(w, "\nper-cpu memory\n");
	writer_printf(w, "%s of %s for each of %s; %s populated on all of them\n",
		      COUNT_OF(total.chunks, "chunk"), BYTES(total.unit_bytes),
		      COUNT_OF(total.cpus, "CPU"),
		      BYTES(total.populated_bytes));
	writer_printf(w, "%s, %s, allocated on each CPU\n",
		      COUNT_OF(total.blocks, "block"), BYTES(total.bytes));
}

static void print_pages(struct report *report)
{
	const uint64_t *pages = report->kernel->page_count;
	struct writer *w = &report->writer;
	uint64_t all = 0;
	unsigned class;

	writer_puts(w, "\npages\n");
	for (class = 0; class < PAGE_CLASSES; class++) {
		if (class == PAGE_HOLE)
			continue;
		all += pages[class];
		writer_printf(w, "%12s %10s  %s\n", COUNT(pages[class]),
			      SHORT_BYTES(pages[class] * 4096),
			      page_class_names[class]);
	}
	writer_printf(w, "%12s %10s  all\n", COUNT(all),
		      SHORT_BYTES(all * 4096));
}

void report_caches_text(struct report *report)
{
	print_caches(report);
	print_areas(report);
	print_percpu(report);
	print_pages(report);
	if (report->options.statistics)
		text_statistics(report);
}
