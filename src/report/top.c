// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/top.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "base/util.h"
#include "kernel/symbol.h"
#include "kernel/type.h"
#include "report/place.h"
#include "report/type.h"

/* ---- the tables */

static bool cache_key(const struct top *top, const struct object *object,
		      uint64_t *ret)
{
	*ret = object->kind == HEAP_SLAB ?
		       object->region->owner :
		       top->report->kernel->caches.size + object->kind;
	return true;
}

static void cache_format(const struct top *top, uint64_t key,
			 char ret[TOP_NAME_BYTES])
{
	const struct kernel *kernel = top->report->kernel;
	size_t n_caches = kernel->caches.size;

	snprintf(ret, TOP_NAME_BYTES, "%s",
		 key < n_caches ? kernel->caches.data[key].name :
				  object_kind_family((unsigned)(key - n_caches)));
}

/* Of a key of types: the cache is what is known. */
#define BY_CACHE (UINT64_C(1) << 32)

static bool type_key(const struct top *top, const struct object *object,
		     uint64_t *ret)
{
	const struct infer *infer = &top->report->analysis->infer;

	if (infer_is_known(infer, object->id)) {
		*ret = infer->type[object->id];
		return true;
	}
	if (object->kind != HEAP_SLAB || !top->types[object->region->owner])
		return false;
	*ret = BY_CACHE | object->region->owner;
	return true;
}

static void format_type_key(const struct top *top, uint64_t key,
			    char ret[TOP_NAME_BYTES])
{
	const struct infer *infer = &top->report->analysis->infer;
	char type[TYPE_BYTES];

	if (key & BY_CACHE) {
		snprintf(ret, TOP_NAME_BYTES, "struct %s",
			 top->types[(uint32_t)key]);
		return;
	}
	type_format_number(&infer->types, (uint32_t)key, type);
	snprintf(ret, TOP_NAME_BYTES, "%s", type);
}

static bool site_key(const struct top *top, const struct object *object,
		     uint64_t *ret)
{
	uint32_t place = sites_place(&top->report->analysis->sites, object->id);

	*ret = place;
	return place != HEAP_NONE;
}

static void site_format(const struct top *top, uint64_t key,
			char ret[TOP_NAME_BYTES])
{
	char text[SITE_TEXT_BYTES];

	sites_format(&top->report->analysis->sites, (uint32_t)key, text);
	snprintf(ret, TOP_NAME_BYTES, "%.*s", TOP_NAME_BYTES - 1, text);
}

/* The module whose code allocated it; false: not known, or gone. */
static bool site_module(const struct top *top, const struct object *object,
			uint64_t *ret)
{
	struct sites *sites = &top->report->analysis->sites;
	uint32_t place = sites_place(sites, object->id);
	const char *name = NULL;

	if (place != HEAP_NONE)
		name = sites_module(sites, place);
	if (!name)
		return false;
	*ret = name[0] ? kernel_find_module(top->report->kernel, name) :
			 HOLDINGS_KERNEL;
	return *ret != UINT32_MAX;
}

static bool module_key(const struct top *top, const struct object *object,
		       uint64_t *ret)
{
	if (site_module(top, object, ret))
		return true;
	*ret = top->holdings->module[object->id];
	return *ret != HOLDINGS_NOBODY;
}

static void module_format(const struct top *top, uint64_t key,
			  char ret[TOP_NAME_BYTES])
{
	snprintf(ret, TOP_NAME_BYTES, "%s",
		 key == HOLDINGS_KERNEL ?
			 "the kernel proper" :
			 top->report->kernel->modules.data[key].name);
}

static bool memcg_key(const struct top *top, const struct object *object,
		      uint64_t *ret)
{
	uint32_t index = sites_memcg(&top->report->analysis->sites,
				     object->id);

	*ret = index;
	return index != HEAP_NONE;
}

static void memcg_format(const struct top *top, uint64_t key,
			 char ret[TOP_NAME_BYTES])
{
	const struct memcg *memcg =
		&top->report->analysis->sites.memcgs.data[key];

	if (memcg->path[0])
		snprintf(ret, TOP_NAME_BYTES, "%s%s", memcg->path,
			 memcg->deleted ? " (deleted)" : "");
	else
		snprintf(ret, TOP_NAME_BYTES, "0x%016" PRIx64, memcg->va);
}

const struct top_table top_tables[TOP_TABLES] = {
	{ KML_TOP_CACHE, "cache", "slab caches and other memory", cache_key,
	  cache_format },
	{ KML_TOP_TYPE, "type", "types", type_key,
	  format_type_key },
	{ KML_TOP_SITE, "site", "where it was allocated", site_key,
	  site_format },
	{ KML_TOP_MODULE, "module",
	  "modules that allocated it, or whose variables retain it", module_key,
	  module_format },
	{ KML_TOP_MEMCG, "memcg", "memory cgroups it is charged to", memcg_key,
	  memcg_format },
};

/* ---- counting */

bool top_wants(const struct report *report, unsigned bit)
{
	return !report->options.top || report->options.top & bit;
}

size_t top_limit(const struct report *report, size_t n)
{
	return report->options.limit ? MIN(n, report->options.limit) : n;
}

bool top_init(struct top *top, struct report *report)
{
	const struct kernel *kernel = report->kernel;
	size_t c;

	*top = (struct top){
		.report = report, .holdings = &report->analysis->holdings,
	};
	top->types = calloc(kernel->caches.size + 1, sizeof(*top->types));
	if (!top->types) {
		writer_fail(&report->writer, error_nomem());
		return false;
	}
	for (c = 0; c < kernel->caches.size && !report->analysis->inferred; c++)
		top->types[c] = kernel_cache_type(kernel,
						  &kernel->caches.data[c]);
	return true;
}

void top_deinit(struct top *top)
{
	free(top->types);
}

/* @rows: indices of rows by key. */
static bool add(struct map *rows, struct top_count *count, uint64_t key,
		uint32_t id, uint64_t bytes)
{
	const struct top_row new = { .key = key, .first = id };
	struct top_row *row;
	uint32_t i;

	if (!map_find(rows, key, &i)) {
		i = (uint32_t)count->rows.size;
		if (!vec_push(&count->rows, new) || !map_add(rows, key, i))
			return false;
	}
	row = &count->rows.data[i];
	row->objects++;
	row->bytes += bytes;
	count->objects++;
	count->bytes += bytes;
	return true;
}

static int compare_rows(const void *a, const void *b)
{
	const struct top_row *x = a, *y = b;

	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	if (x->objects != y->objects)
		return x->objects > y->objects ? -1 : 1;
	return (x->first > y->first) - (x->first < y->first);
}

static bool count_object(const struct top *top, uint32_t id,
			 struct map *rows, struct top_count *counts)
{
	const struct object object = object_of(top->report, id);
	uint64_t bytes = retained_own_bytes(top->report->heap, id), key;
	size_t i;

	for (i = 0; i < TOP_TABLES; i++) {
		if (!top_wants(top->report, top_tables[i].bit))
			continue;
		if (!top_tables[i].key(top, &object, &key)) {
			counts[i].unknown_objects++;
			counts[i].unknown_bytes += bytes;
		} else if (!add(&rows[i], &counts[i], key, id, bytes)) {
			return false;
		}
	}
	return true;
}

/* One object after the other: who allocated it may have to be read. */
static bool count_all(const struct top *top, struct map *rows,
		      struct top_count *counts)
{
	uint32_t id;

	for (id = 0; id < top->holdings->n_objects; id++) {
		if (bitmap_test(top->holdings->live, id) &&
		    !count_object(top, id, rows, counts))
			return false;
	}
	return true;
}

bool top_count(const struct top *top, struct top_count ret[TOP_TABLES])
{
	struct map rows[TOP_TABLES] = { { NULL, 0, 0 } };
	bool done;
	size_t i;

	memset(ret, 0, TOP_TABLES * sizeof(*ret));
	done = count_all(top, rows, ret);
	for (i = 0; i < TOP_TABLES; i++) {
		map_deinit(&rows[i]);
		if (ret[i].rows.size)
			qsort(ret[i].rows.data, ret[i].rows.size,
			      sizeof(*ret[i].rows.data), compare_rows);
	}
	if (!done) {
		top_count_deinit(ret);
		writer_fail(&top->report->writer, error_nomem());
	}
	return done;
}

void top_count_deinit(struct top_count counts[TOP_TABLES])
{
	size_t i;

	for (i = 0; i < TOP_TABLES; i++)
		vec_deinit(&counts[i].rows);
}

/* ---- names */

void top_format_family(const struct top *top,
		       const struct accumulation_family *family,
		       char ret[TOP_NAME_BYTES])
{
	const struct report *report = top->report;
	char type[TYPE_BYTES];

	if (family->type) {
		type_format_number(&report->analysis->infer.types, family->type,
				   type);
		snprintf(ret, TOP_NAME_BYTES, "%s", type);
	} else {
		cache_format(top,
			     family->kind == HEAP_SLAB ?
				     family->cache :
				     report->kernel->caches.size + family->kind,
			     ret);
	}
}

static void format_object(const struct top *top,
			  const struct accumulation_word *word,
			  char ret[TOP_NAME_BYTES])
{
	const struct object object = object_of(top->report, word->node);
	char member[PLACE_MEMBER_BYTES], name[TYPE_FAMILY_BYTES];

	type_name_object(top->report, &object, name);
	if (word->offset == ANCHOR_NO_OFFSET)
		snprintf(ret, TOP_NAME_BYTES, "%s 0x%016" PRIx64,
			 name, object.va);
	else
		snprintf(ret, TOP_NAME_BYTES, "%s 0x%016" PRIx64 " +0x%" PRIx64 "%s",
			 name, object.va, word->offset,
			 place_member(top->report, &object, word->offset,
				      member));
}

static void format_variable(const struct top *top, const struct anchor *holder,
			    uint64_t offset, const char *what,
			    char ret[TOP_NAME_BYTES])
{
	const struct anchors *h = &top->holdings->holders;
	const char *module = anchor_name(h, holder->module);
	char place[32] = "", cpu[32] = "";

	if (offset != ANCHOR_NO_OFFSET)
		snprintf(place, sizeof(place), "+0x%" PRIx64, offset);
	if (holder->kind == ANCHOR_PERCPU)
		snprintf(cpu, sizeof(cpu), " of CPU %" PRIu32, holder->owner);
	snprintf(ret, TOP_NAME_BYTES, "%s %s%s%s%s%s", what,
		 anchor_name(h, holder->name), place, cpu,
		 *module ? " in module " : "", module);
}

static void format_holder(const struct top *top, const struct anchor *holder,
			  uint64_t offset, char ret[TOP_NAME_BYTES])
{
	const struct kernel *kernel = top->report->kernel;
	const struct kernel_task *task;
	char place[32] = "";

	if (offset != ANCHOR_NO_OFFSET)
		snprintf(place, sizeof(place), ", +0x%" PRIx64, offset);
	switch (holder->kind) {
	case ANCHOR_VARIABLE:
		format_variable(top, holder, offset, "variable", ret);
		break;
	case ANCHOR_PERCPU:
		format_variable(top, holder, offset, "per-cpu variable", ret);
		break;
	case ANCHOR_STACK:
		task = &kernel->tasks.data[holder->owner];
		snprintf(ret, TOP_NAME_BYTES, "stack of %s, pid %" PRIu32,
			 task->comm, task->pid);
		break;
	case ANCHOR_IRQ_STACK:
		snprintf(ret, TOP_NAME_BYTES, "interrupt stack of CPU %" PRIu32,
			 holder->owner);
		break;
	case ANCHOR_PAGES:
		snprintf(ret, TOP_NAME_BYTES, "struct pages of %s",
			 anchor_name(&top->holdings->holders, holder->name));
		break;
	case ANCHOR_RESERVED:
		if (holder->owner) {
			snprintf(ret, TOP_NAME_BYTES,
				 "reserved memory behind %s%s",
				 anchor_name(&top->holdings->holders,
					     holder->name),
				 place);
			break;
		}
		snprintf(ret, TOP_NAME_BYTES,
			 "reserved memory at 0x%016" PRIx64,
			 holder->va + (offset == ANCHOR_NO_OFFSET ? 0 : offset));
		break;
	default:
		snprintf(ret, TOP_NAME_BYTES, "%s",
			 anchor_name(&top->holdings->holders, holder->name));
	}
}

void top_format_word(const struct top *top,
		     const struct accumulation_word *word,
		     char ret[TOP_NAME_BYTES])
{
	const struct holdings *h = top->holdings;

	if (holdings_is_object(h, word->node))
		format_object(top, word, ret);
	else
		format_holder(top,
			      &h->holders.list.data[word->node - h->n_objects],
			      word->offset, ret);
}
