// SPDX-License-Identifier: GPL-2.0-or-later
/* The inventory as JSON: schema/kmlanalyze.schema.json. */
#include "report/caches.h"

#include <stdlib.h>

#include "base/util.h"
#include "report/json_common.h"

static void json_cache(struct json *json, const struct cache_row *row)
{
	const struct kernel_cache *cache = row->cache;

	json_object_line(json, NULL);
	json_string(json, "name", cache->name);
	json_address(json, "address", cache->va);
	json_number(json, "objects", cache->n_objects);
	json_number(json, "active", row->active);
	json_number(json, "free", row->free);
	json_number(json, "cached", row->cached);
	json_number(json, "in_doubt", row->doubt);
	json_number(json, "slabinfo_active", row->slabinfo);
	json_number(json, "object_bytes", cache->object_bytes);
	json_number(json, "slot_bytes", cache->slot_bytes);
	json_number(json, "slab_objects", cache->slab_objects);
	json_number(json, "slab_pages", cache->slab_pages);
	json_number(json, "slabs", cache->n_slabs);
	json_number(json, "bytes", row->bytes);
	json_bool(json, "listed", cache->listed);
	json_end(json);
}

static void json_caches(struct json *json, struct report *report)
{
	size_t n = report->kernel->caches.size, i;
	_cleanup_free_ struct cache_row *rows = caches_rows(report);

	json_array(json, "caches");
	for (i = 0; rows && i < n; i++)
		json_cache(json, &rows[i]);
	json_end(json);
}

static void json_area(struct json *json, struct report *report,
		      const struct kernel_area *area)
{
	char words[AREA_WORDS_BYTES], symbol[SYMBOL_BYTES_MAX];

	caches_area_words(report, area, words);
	if (area->caller)
		object_code_symbol(report, area->caller, symbol);
	json_object_line(json, NULL);
	json_address(json, "start", area->start_va);
	json_address(json, "end", area->end_va);
	json_number(json, "bytes", area->end_va - area->start_va);
	json_string(json, "caller", area->caller ? symbol : NULL);
	json_number(json, "pages", area->n_pages);
	json_string(json, "words", words + (words[0] == ' '));
	json_end(json);
}

static void json_areas(struct json *json, struct report *report)
{
	const struct kernel *kernel = report->kernel;
	size_t i;

	json_object(json, "vmalloc");
	json_number(json, "page_bytes", caches_vmalloc_bytes(report));
	json_array(json, "areas");
	for (i = 0; i < kernel->areas.size; i++)
		json_area(json, report, &kernel->areas.data[i]);
	json_end(json);
	json_end(json);
}

static void json_percpu(struct json *json, const struct report *report)
{
	const struct percpu_total total = caches_percpu(report);

	json_object(json, "percpu");
	json_number(json, "cpus", total.cpus);
	json_number(json, "chunks", total.chunks);
	json_number(json, "unit_bytes", total.unit_bytes);
	json_number(json, "populated_bytes", total.populated_bytes);
	json_number(json, "blocks", total.blocks);
	json_number(json, "block_bytes", total.bytes);
	json_end(json);
}

static void json_pages(struct json *json, const struct kernel *kernel)
{
	unsigned class;

	json_object(json, "pages");
	for (class = 0; class < PAGE_CLASSES; class++) {
		if (class != PAGE_HOLE)
			json_number(json, page_class_names[class],
				    kernel->page_count[class]);
	}
	json_end(json);
}

void report_caches_json(struct report *report)
{
	struct json json;

	json_init(&json, &report->writer);
	json_object(&json, NULL);
	json_header(&json, report, "caches");
	json_gaps(&json, report);
	json_caches(&json, report);
	json_areas(&json, report);
	json_percpu(&json, report);
	json_pages(&json, report->kernel);
	if (report->options.statistics)
		json_statistics(&json, report);
	json_end(&json);
}
