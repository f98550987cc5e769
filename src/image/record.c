// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/bitmap.h"
#include "base/util.h"
#include "image/source.h"

#define PAGE_UNITS (IMAGE_PAGE_BYTES / RECORD_UNIT)

/* What was read of a page: a bit per unit. */
struct seen_page {
	uint64_t pfn;
	uint64_t units[PAGE_UNITS / 64];
	bool damaged;
};

struct recorder {
	VEC(struct seen_page) pages;
	uint32_t *slots; /* open addressing: index into pages + 1, or 0 */
	size_t n_slots;  /* a power of two, at least twice the pages */
	size_t last;     /* most reads are of the same page as the one before */
	bool paused, no_memory;
};

struct recorder *recorder_create(void)
{
	return calloc(1, sizeof(struct recorder));
}

void recorder_destroy(struct recorder *recorder)
{
	if (!recorder)
		return;
	vec_deinit(&recorder->pages);
	free(recorder->slots);
	free(recorder);
}

bool recorder_pause(struct recorder *recorder, bool pause)
{
	bool was = recorder->paused;

	recorder->paused = pause;
	return was;
}

/* The slot that has @pfn, or the free one where it would go. */
static size_t find_slot(const struct recorder *recorder, uint64_t pfn)
{
	size_t mask = recorder->n_slots - 1;
	size_t i = (size_t)(pfn * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;

	while (recorder->slots[i] &&
	       recorder->pages.data[recorder->slots[i] - 1].pfn != pfn)
		i = (i + 1) & mask;
	return i;
}

static bool grow_slots(struct recorder *recorder)
{
	size_t n = recorder->n_slots ? recorder->n_slots * 2 : 1024, i;
	uint32_t *slots = calloc(n, sizeof(*slots));

	if (!slots)
		return false;
	free(recorder->slots);
	recorder->slots = slots;
	recorder->n_slots = n;
	for (i = 0; i < recorder->pages.size; i++)
		slots[find_slot(recorder, recorder->pages.data[i].pfn)] =
			(uint32_t)i + 1;
	return true;
}

/* The entry of a page, made if need be; NULL: no memory. */
static struct seen_page *find_page(struct recorder *recorder, uint64_t pfn)
{
	struct seen_page *page;
	size_t slot;

	if (recorder->last < recorder->pages.size &&
	    recorder->pages.data[recorder->last].pfn == pfn)
		return &recorder->pages.data[recorder->last];
	if (2 * (recorder->pages.size + 1) > recorder->n_slots &&
	    (recorder->pages.size >= UINT32_MAX / 4 || !grow_slots(recorder)))
		return NULL;
	slot = find_slot(recorder, pfn);
	if (!recorder->slots[slot]) {
		page = vec_add(&recorder->pages);
		if (!page)
			return NULL;
		page->pfn = pfn;
		recorder->slots[slot] = (uint32_t)recorder->pages.size;
	}
	recorder->last = recorder->slots[slot] - 1;
	return &recorder->pages.data[recorder->last];
}

void recorder_note(struct recorder *recorder, uint64_t pa, size_t bytes)
{
	uint64_t start = pa % IMAGE_PAGE_BYTES / RECORD_UNIT;
	uint64_t end = (pa % IMAGE_PAGE_BYTES + bytes + RECORD_UNIT - 1) /
		       RECORD_UNIT;
	struct seen_page *page;

	if (recorder->paused || !bytes)
		return;
	page = find_page(recorder, pa >> IMAGE_PAGE_SHIFT);
	if (!page)
		recorder->no_memory = true;
	for (; page && start < end; start++)
		bitmap_set(page->units, start);
}

void recorder_note_damaged(struct recorder *recorder, uint64_t pfn)
{
	struct seen_page *page;

	if (recorder->paused)
		return;
	page = find_page(recorder, pfn);
	if (page)
		page->damaged = true;
	else
		recorder->no_memory = true;
}

static int compare_pages(const void *a, const void *b)
{
	const struct seen_page *x = a, *y = b;

	return (x->pfn > y->pfn) - (x->pfn < y->pfn);
}

/* Add a run of units, or lengthen the last extent by it. */
static bool add_run(struct image_record *record, uint64_t pa, uint64_t bytes)
{
	struct record_extent extent = { pa, bytes, record->n_bytes };
	struct record_extent *last = record->extents.data;

	record->n_bytes += bytes;
	if (record->extents.size) {
		last += record->extents.size - 1;
		if (last->pa + last->bytes == pa) {
			last->bytes += bytes;
			return true;
		}
	}
	return vec_push(&record->extents, extent);
}

static bool add_page(struct image_record *record, const struct seen_page *page)
{
	uint64_t start = 0, end, pa = page->pfn << IMAGE_PAGE_SHIFT;

	if (page->damaged && !vec_push(&record->damaged, page->pfn))
		return false;
	for (;; start = end) {
		start = bitmap_next(page->units, PAGE_UNITS, start);
		if (start == PAGE_UNITS)
			return true;
		end = start;
		while (end < PAGE_UNITS && bitmap_test(page->units, end))
			end++;
		if (!add_run(record, pa + start * RECORD_UNIT,
			     (end - start) * RECORD_UNIT))
			return false;
	}
}

struct kml_error *recorder_extents(struct recorder *recorder,
				   struct image_record *ret)
{
	size_t i;

	if (recorder->pages.size)
		qsort(recorder->pages.data, recorder->pages.size,
		      sizeof(*recorder->pages.data), compare_pages);
	for (i = 0; i < recorder->pages.size; i++) {
		if (!add_page(ret, &recorder->pages.data[i]))
			return error_nomem();
	}
	return recorder->no_memory ? error_nomem() : NULL;
}

void image_record_deinit(struct image_record *record)
{
	free(record->format);
	free(record->vmcoreinfo);
	vec_deinit(&record->cpus);
	free(record->present);
	vec_deinit(&record->extents);
	free(record->bytes);
	vec_deinit(&record->damaged);
	memset(record, 0, sizeof(*record));
}

/* ---- reading one */

bool record_has_page(const struct image_record *record, uint64_t pfn)
{
	return pfn < record->end_pfn && bitmap_test(record->present, pfn);
}

/* The last extent that starts at or below @pa, or NULL. */
static const struct record_extent *
find_extent(const struct image_record *record, uint64_t pa)
{
	size_t lo = partition_point(record->extents.size, mid,
				    record->extents.data[mid].pa <= pa);

	return lo ? &record->extents.data[lo - 1] : NULL;
}

static bool is_damaged(const struct image_record *record, uint64_t pfn)
{
	return record->damaged.size &&
	       bsearch(&pfn, record->damaged.data, record->damaged.size,
		       sizeof(pfn), order_u64);
}

struct kml_error *record_read(const struct image_record *record, uint64_t pa,
			      void *buf, size_t bytes, bool *there_ret)
{
	const struct record_extent *extent = find_extent(record, pa);

	*there_ret = true;
	if (extent && pa - extent->pa <= extent->bytes &&
	    bytes <= extent->bytes - (pa - extent->pa)) {
		memcpy(buf, record->bytes + extent->first + (pa - extent->pa),
		       bytes);
		return NULL;
	}
	*there_ret = false;
	if (!record_has_page(record, pa >> IMAGE_PAGE_SHIFT) ||
	    is_damaged(record, pa >> IMAGE_PAGE_SHIFT))
		return NULL;
	return error_at(KML_ERR_UNSUPPORTED, pa,
			"the snapshot has not kept the memory at physical address 0x%" PRIx64 ": ask the dump",
			pa);
}

/* The source of an image that was made of a record. */
struct record_source {
	struct source source;
	const struct image_record *record;
};

static void record_source_destroy(struct source *source)
{
	free(source);
}

static bool record_source_has_page(const struct source *source, uint64_t pfn)
{
	return record_has_page(((const struct record_source *)source)->record,
			       pfn);
}

static struct kml_error *record_source_reader(struct source *source, void **ret)
{
	*ret = source;
	return NULL;
}

static void record_source_reader_destroy(void *reader)
{
	(void)reader;
}

static struct kml_error *record_source_read(void *reader, uint64_t pfn,
					    unsigned n_pages, uint8_t *buf,
					    uint64_t *missing_ret)
{
	(void)reader;
	(void)n_pages;
	(void)buf;
	(void)missing_ret;
	return error_at(KML_ERR_UNSUPPORTED, pfn << IMAGE_PAGE_SHIFT,
			"a snapshot has no whole pages");
}

static uint64_t record_source_damaged(const struct source *source)
{
	return ((const struct record_source *)source)->record->damaged_pages;
}

static const struct source_ops record_source_ops = {
	.destroy = record_source_destroy,
	.has_page = record_source_has_page,
	.reader_create = record_source_reader,
	.reader_destroy = record_source_reader_destroy,
	.read = record_source_read,
	.damaged = record_source_damaged,
};

struct kml_error *record_source(const struct image_record *record,
				struct source **ret)
{
	struct record_source *source = calloc(1, sizeof(*source));

	if (!source)
		return error_nomem();
	source->record = record;
	source->source = (struct source){
		.ops = &record_source_ops,
		.format = record->format,
		.end_pfn = record->end_pfn,
		.n_pages = record->n_pages,
		.zero_pages = record->zero_pages,
		.truncated = record->truncated,
	};
	*ret = &source->source;
	return NULL;
}
