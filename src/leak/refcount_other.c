// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/refcount_other.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "graph/overrides.h"

#define MAX_DEPTH 6u
#define MAX_PLACES 4u /* counts of a struct */
#define MAX_COUNT (1u << 24)
/* Of a type: how many counts above 1 say enough, and which part of them may be
 * above all references.  (On all dumps that were looked at either none was or
 * half and more, but for a planted type: 3 of 22, for which this was set.) */
#define MIN_TOLD 8u
#define FEW_ABOVE 7u

struct finder {
	struct kernel *kernel;
	const struct graph *graph;
	const struct infer *infer;
	const uint8_t *skip;
	const uint64_t *reached;
	uint32_t links[12];
	size_t n_links;
	uint32_t *index; /* by id: its first one of out.objects; HEAP_NONE */
	struct counts out;
};

/* ---- where the counts are */

/* Names of an atomic_t that counts references. */
static bool is_count_name(const char *name)
{
	static const char *const names[] = {
		"ref", "refs", "refcnt", "refcount", "ref_count", "usage",
		"users", "count", "kref", "use_count", "usecnt",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

static bool is_count(const struct types *types, const struct type_member *m)
{
	const char *type = types_name(types, m->type);

	if (!strcmp(type, "refcount_struct") || !strcmp(type, "kref"))
		return true;
	return (!strcmp(type, "atomic_t") || !strcmp(type, "atomic_long_t") ||
		!strcmp(type, "atomic64_t")) && m->name &&
	       is_count_name(string_pool_get(&types->strings, m->name));
}

/*
 * What counts something else by those names: readers and flags, per-cpu
 * references with a bias, pages.  And a kobject: a device's directory is
 * counted by get_device_parent() and by kobject_add(), but pointed to once.
 */
static bool is_other(const char *name)
{
	static const char *const names[] = {
		"rw_semaphore", "percpu_ref_data", "page_counter", "kobject",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(name, names[i]))
			return true;
	return false;
}

/* Not in unions, of which another member may be in use, nor in arrays. */
static struct kml_error *find_places(struct finder *f, uint32_t outer,
				     uint32_t type, uint64_t offset,
				     unsigned depth, unsigned *n)
{
	const struct types *types = &f->infer->types;
	const struct type_info *record = types_get(types, type);
	struct kml_error *error = NULL;
	uint32_t i;

	if (record->kind != TYPE_STRUCT || depth > MAX_DEPTH ||
	    is_other(types_name(types, type)))
		return NULL;
	for (i = 0; !error && i < record->n_members && *n < MAX_PLACES; i++) {
		const struct type_member *m =
			&types->members.data[record->first_member + i];
		struct count_place place = {
			.type = outer,
			.offset = (uint32_t)(offset + m->offset),
			.bytes = types_get(types, m->type)->size,
		};

		if (!is_count(types, m)) {
			error = find_places(f, outer, m->type,
					    offset + m->offset, depth + 1, n);
			continue;
		}
		if (place.bytes != 4 && place.bytes != 8)
			continue;
		if (!vec_push(&f->out.places, place))
			return error_nomem();
		++*n;
	}
	return error;
}

static void find_links(struct finder *f)
{
	static const char *const names[] = {
		"list_head", "hlist_node", "hlist_nulls_node", "hlist_bl_node",
		"rb_node", "llist_node", "plist_node", "rhash_head",
		"callback_head",
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		uint32_t type = types_find_one(&f->infer->types, names[i]);

		if (type)
			f->links[f->n_links++] = type;
	}
}

/* ---- objects */

static bool is_usable(const struct finder *f, uint32_t id)
{
	const struct heap *heap = f->kernel->heap;

	return f->infer->confidence[id] >= INFER_HIGH &&
	       !f->skip[f->infer->type[id]] && heap_is_allocated(heap, id) &&
	       !bitmap_test(heap->waiting, id) && bitmap_test(f->reached, id);
}

static bool read_count(struct finder *f, uint32_t id,
		       const struct count_place *place, uint64_t *ret)
{
	uint64_t va = heap_object_va(f->kernel->heap, id) + place->offset;
	struct kml_error *error =
		kernel_read_uint(f->kernel, va, place->bytes, ret);

	if (error) {
		kml_error_destroy(error);
		return false;
	}
	if (place->bytes == 4)
		*ret = (uint64_t)(int64_t)(int32_t)*ret;
	return *ret <= MAX_COUNT;
}

static struct kml_error *add_object(struct finder *f, uint32_t id)
{
	uint32_t type = f->infer->type[id], p;
	struct kml_error *error;
	unsigned n = 0;

	if (f->out.first[type] == UINT32_MAX) {
		f->out.first[type] = (uint32_t)f->out.places.size;
		error = find_places(f, type, type, 0, 0, &n);
		if (error)
			return error;
	}
	for (p = f->out.first[type]; p < f->out.places.size &&
				     f->out.places.data[p].type == type; p++) {
		struct count_place *place = &f->out.places.data[p];
		struct count_object object = { .id = id, .place = p };

		if (!read_count(f, id, place, &object.count) || !object.count)
			continue;
		place->objects++;
		if (object.count == 1)
			continue;
		place->told++;
		if (f->index[id] == HEAP_NONE)
			f->index[id] = (uint32_t)f->out.objects.size;
		if (!vec_push(&f->out.objects, object))
			return error_nomem();
	}
	return NULL;
}

/* ---- references */

static bool is_link(const struct finder *f, uint32_t type, uint32_t at)
{
	size_t i;

	for (i = 0; at && at / 8 < 64 && i < f->n_links; i++)
		if (types_embeds(&f->infer->types, type, at, f->links[i]))
			return true;
	return false;
}

static void note_reference(struct finder *f, uint32_t id, uint32_t at)
{
	size_t j = f->index[id];
	bool link = at != GRAPH_AT_UNKNOWN &&
		    is_link(f, f->infer->type[id], at);

	for (; j < f->out.objects.size && f->out.objects.data[j].id == id; j++) {
		struct count_object *object = &f->out.objects.data[j];

		if (link)
			object->members |= UINT64_C(1) << at / 8;
		else
			object->references++;
	}
}

static void count_references(struct finder *f)
{
	const struct graph *graph = f->graph;
	uint64_t j;
	size_t k;

	for (j = 0; j < graph->n_edges; j++) {
		const struct graph_edge *edge = &graph->edges[j];

		if (f->index[edge->to] != HEAP_NONE)
			note_reference(f, edge->to,
				       graph_edge_word(edge) == GRAPH_WORD_NONE ?
					       GRAPH_AT_UNKNOWN :
					       graph->at[j]);
	}
	for (k = 0; k < graph->n_disregarded; k++)
		if (f->index[graph->disregarded[k].to] != HEAP_NONE)
			note_reference(f, graph->disregarded[k].to,
				       GRAPH_AT_UNKNOWN);
	for (k = 0; k < f->out.objects.size; k++) {
		struct count_object *object = &f->out.objects.data[k];

		object->references +=
			(uint64_t)__builtin_popcountll(object->members);
		if (object->count > object->references)
			f->out.places.data[object->place].above++;
	}
}

struct kml_error *counts_find(struct kernel *kernel, const struct graph *graph,
			      const struct infer *infer, const uint8_t *skip,
			      const uint64_t *reached, struct counts *ret)
{
	struct finder f = {
		.kernel = kernel, .graph = graph, .infer = infer, .skip = skip,
		.reached = reached,
	};
	size_t n = infer->types.records.size;
	struct kml_error *error = NULL;
	uint32_t id;

	f.out.first = malloc((n + 1) * sizeof(*f.out.first));
	f.index = malloc((infer->n_objects + 1ull) * sizeof(*f.index));
	if (!f.out.first || !f.index) {
		error = error_nomem();
	} else {
		memset(f.out.first, 0xff, (n + 1) * sizeof(*f.out.first));
		memset(f.index, 0xff,
		       (infer->n_objects + 1ull) * sizeof(*f.index));
		find_links(&f);
	}
	for (id = 0; !error && id < infer->n_objects; id++)
		if (is_usable(&f, id))
			error = add_object(&f, id);
	if (!error)
		count_references(&f);
	free(f.index);
	if (error)
		counts_deinit(&f.out);
	else
		*ret = f.out;
	return error;
}

void counts_deinit(struct counts *counts)
{
	vec_deinit(&counts->places);
	vec_deinit(&counts->objects);
	free(counts->first);
	memset(counts, 0, sizeof(*counts));
}

/* ---- suspects */

/* "dev.kobj.kref": the count at @offset. */
static bool format_member(const struct types *types, uint32_t type,
			  uint64_t offset, char *ret, size_t bytes,
			  unsigned depth)
{
	const struct type_info *record = types_get(types, type);
	uint32_t i;

	for (i = 0; record->kind == TYPE_STRUCT && depth <= MAX_DEPTH &&
		    i < record->n_members; i++) {
		const struct type_member *m =
			&types->members.data[record->first_member + i];
		const char *name = m->name ? string_pool_get(&types->strings,
							     m->name) : "";
		int n;

		if (offset < m->offset ||
		    offset - m->offset >= types_get(types, m->type)->size)
			continue;
		n = snprintf(ret, bytes, "%s", name);
		if (is_count(types, m))
			return true;
		if (name[0] && (size_t)n + 1 < bytes)
			ret[n++] = '.';
		return (size_t)n < bytes &&
		       format_member(types, m->type, offset - m->offset,
				     ret + n, bytes - (size_t)n, depth + 1);
	}
	return false;
}

static bool is_judged(const struct count_place *place)
{
	return place->told >= MIN_TOLD &&
	       place->above <= place->told / FEW_ABOVE;
}

static struct kml_error *add_suspects(struct kernel *kernel,
				      const struct types *types,
				      const struct counts *counts,
				      struct refcounts *ret)
{
	size_t j;

	for (j = 0; j < counts->objects.size; j++) {
		const struct count_object *object = &counts->objects.data[j];
		const struct count_place *place =
			&counts->places.data[object->place];
		struct refcount_suspect suspect = {
			.id = object->id, .kind = REFCOUNT_OTHER,
			.va = heap_object_va(kernel->heap, object->id),
			.count = object->count,
			.references = object->references,
			.links = (uint64_t)__builtin_popcountll(object->members),
		};

		if (object->count <= object->references || !is_judged(place))
			continue;
		snprintf(suspect.type, sizeof(suspect.type), "%s",
			 types_name(types, place->type));
		if (!format_member(types, place->type, place->offset,
				   suspect.member, sizeof(suspect.member), 0))
			suspect.member[0] = '\0';
		if (!vec_push(&ret->suspects, suspect))
			return error_nomem();
	}
	return NULL;
}

struct kml_error *refcounts_add_others(struct kernel *kernel,
				       const struct graph *graph,
				       const struct infer *infer,
				       const uint8_t *skip,
				       const uint64_t *reached,
				       struct refcounts *ret)
{
	struct counts counts;
	struct kml_error *error;
	size_t j;

	error = counts_find(kernel, graph, infer, skip, reached, &counts);
	if (error)
		return error;
	for (j = 0; j < counts.places.size; j++) {
		const struct count_place *place = &counts.places.data[j];

		if (is_judged(place)) {
			ret->types_checked++;
			ret->checked[REFCOUNT_OTHER] += place->objects;
		} else if (place->above) {
			ret->types_left_out++;
		}
	}
	error = add_suspects(kernel, &infer->types, &counts, ret);
	counts_deinit(&counts);
	return error;
}
