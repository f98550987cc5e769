// SPDX-License-Identifier: GPL-2.0-or-later
/* Which objects have counts, where, and which of these are too high. */
#include "leak/refcount_object.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "leak/leak.h"
#include "leak/refcount_other.h"

/* A count that no object has: the memory is not what it seems. */
#define MAX_COUNT (1u << 24)

const char *const refcount_kinds[REFCOUNT_KINDS] = {
	[REFCOUNT_DENTRY] = "dentry",	      [REFCOUNT_INODE] = "inode",
	[REFCOUNT_FILE] = "file",	      [REFCOUNT_SK_BUFF] = "sk_buff",
	[REFCOUNT_NET_DEVICE] = "net_device", [REFCOUNT_TASK] = "task_struct",
	[REFCOUNT_PAGE] = "page",	      [REFCOUNT_OTHER] = "other",
};

static const struct {
	const char *count;  /* the member, as path */
	const char *count2; /* if there is none of that name */
	unsigned bias;      /* of count2 */
	bool percpu2;       /* count2 is a per-cpu pointer to integers */
	/* References that no word says:
	 * - of a dentry: simple_pin(), d_make_persistent() and the like of
	 *   file systems in memory, whose dentries are never given back;
	 * - of an inode, of its hash table or superblock alone (block devices,
	 *   pseudo inodes), and of a dentry that is being killed;
	 * - of a file: of the system call that is in it, in a register;
	 * - of a net_device: init_net's, and its being registered
	 *   (register_netdevice(), until free_netdev());
	 * - of a page: of who works with it just now;
	 * - of a task: its being on the lists of tasks, and its own that the
	 *   scheduler drops (put_task_struct_rcu_user()). */
	unsigned unsaid;
	unsigned few;       /* counts up to this one say too little */
} kinds[REFCOUNT_KINDS] = {
	[REFCOUNT_DENTRY] = { "d_lockref.count", NULL, 0, false, 1, 1 },
	[REFCOUNT_INODE] = { "i_count.counter", "i_count.refs.counter", 0,
			     false, 1, 1 },
	/* file.f_count until Linux 6.13 (90ee6ed776c0), then f_ref, which is 0
	 * for one reference */
	[REFCOUNT_FILE] = { "f_count.counter", "f_ref.refcnt.counter", 1, false,
			    1, 1 },
	[REFCOUNT_SK_BUFF] = { "users.refs.counter", NULL, 0, false, 0, 1 },
	/* Without CONFIG_PCPU_DEV_REFCNT the first one */
	[REFCOUNT_NET_DEVICE] = { "dev_refcnt.refs.counter", "pcpu_refcnt", 0,
				  true, 1, 1 },
	[REFCOUNT_TASK] = { "usage.refs.counter", "usage.counter", 0, false, 2,
			    2 },
	/* What is cut into pieces counts them beforehand, by thousands
	 * (page_frag.h); where that is not known, see MAX_PAGE_COUNT. */
	[REFCOUNT_PAGE] = { "_refcount.counter", NULL, 0, false, 1, 1 },
};

static bool find_layout(const struct types *types, enum refcount_kind kind,
			struct refcount_layout *layout)
{
	uint32_t member;

	layout->type = kinds[kind].count ?
			       types_find_one(types, refcount_kinds[kind]) :
			       0;
	if (!layout->type)
		return false;
	if (types_member(types, layout->type, kinds[kind].count,
			 &layout->offset, &member)) {
		layout->bytes = types_get(types, member)->size;
		layout->member = kinds[kind].count;
	} else if (kinds[kind].count2 &&
		   types_member(types, layout->type, kinds[kind].count2,
				&layout->offset, &member)) {
		layout->bytes = types_get(types, member)->size;
		layout->member = kinds[kind].count2;
		layout->bias = kinds[kind].bias;
		layout->percpu = kinds[kind].percpu2;
	} else {
		return false;
	}
	return layout->bytes == 4 || layout->bytes == 8;
}

/* What kind of struct each type is, or has in it. */
static struct kml_error *classify_types(struct refcount_finder *f)
{
	const struct types *types = &f->infer->types;
	size_t n = types->records.size;
	unsigned kind;
	uint32_t type;
	uint64_t at;

	f->type_kind = calloc(n + 1, 1);
	f->type_offset = calloc(n + 1, sizeof(*f->type_offset));
	if (!f->type_kind || !f->type_offset)
		return error_nomem();
	for (kind = 0; kind < REFCOUNT_KINDS; kind++) {
		struct refcount_layout *layout = &f->layouts[kind];

		if (!find_layout(types, (enum refcount_kind)kind, layout)) {
			layout->type = 0;
			continue;
		}
		/* Of those that are in other structs: an inode. */
		for (type = 1; kind == REFCOUNT_INODE && type < n; type++) {
			if (types_is_struct(types, type) &&
			    types_find_inner(types, type, layout->type, &at)) {
				f->type_kind[type] = (uint8_t)(kind + 1);
				f->type_offset[type] = (uint32_t)at;
			}
		}
		if (kind != REFCOUNT_PAGE)
			f->type_kind[layout->type] = (uint8_t)(kind + 1);
	}
	return NULL;
}

/* ---- counts */

static bool read_percpu(struct refcount_finder *f, uint64_t pointer,
			uint64_t *ret)
{
	const struct kernel *kernel = f->kernel;
	int64_t sum = 0;
	unsigned cpu;

	for (cpu = 0; cpu < kernel->n_cpus; cpu++) {
		struct kml_error *error;
		uint64_t n;

		if (!kernel->cpu_offset[cpu])
			continue;
		error = kernel_read_uint(f->kernel,
					 pointer + kernel->cpu_offset[cpu], 4,
					 &n);
		if (error) {
			kml_error_destroy(error);
			return false;
		}
		sum += (int32_t)n;
	}
	*ret = sum > 0 ? (uint64_t)sum : 0;
	return true;
}

static bool read_count(struct refcount_finder *f,
		       const struct refcount_layout *layout, uint64_t va,
		       uint64_t *ret)
{
	struct kml_error *error =
		kernel_read_uint(f->kernel, va + layout->offset,
				 layout->percpu ? 8 : layout->bytes, ret);

	if (error) {
		kml_error_destroy(error);
		return false;
	}
	if (layout->percpu)
		return read_percpu(f, *ret, ret);
	if (layout->bytes == 4)
		*ret = (uint64_t)(int64_t)(int32_t)*ret;
	*ret += layout->bias;
	return true;
}

/* Does the kernel itself hold it, as far as we know? */
static bool is_live(const struct refcount_finder *f, uint32_t id)
{
	const struct heap *heap = f->kernel->heap;

	return heap_is_allocated(heap, id) && !bitmap_test(heap->waiting, id) &&
	       bitmap_test(f->reached, id);
}

/* Where it is mapped into user space each mapping counts: the vDSO's data, and
 * buffers that drivers and tracing share. */
static uint64_t count_mappings(struct refcount_finder *f, uint64_t page_va)
{
	struct kml_error *error;
	uint64_t offset, n;
	uint32_t unused;

	if (!types_member(&f->infer->types, f->layouts[REFCOUNT_PAGE].type,
			  "_mapcount.counter", &offset, &unused))
		return 0;
	error = kernel_read_uint(f->kernel, page_va + offset, 4, &n);
	if (error) {
		kml_error_destroy(error);
		return 0;
	}
	/* -1: none; others below 0 are types of pages */
	return (int32_t)n >= 0 ? n + 1 : 0;
}

/* The struct page of a block of the page allocator. */
static struct kml_error *add_block(struct refcount_finder *f, uint32_t id)
{
	const struct kernel *kernel = f->kernel;
	struct refcount_object object = { .id = id, .kind = REFCOUNT_PAGE };
	uint64_t pfn = (heap_object_va(kernel->heap, id) - kernel->direct_va) >>
		       12;
	uint64_t page_va = kernel->vmemmap_va + pfn * kernel->page_struct_bytes;
	const struct page_frag *frag;

	if (!f->layouts[REFCOUNT_PAGE].type || !is_live(f, id))
		return NULL;
	if (!read_count(f, &f->layouts[REFCOUNT_PAGE], page_va,
			&object.count)) {
		f->out.unreadable++;
		return NULL;
	}
	f->out.checked[REFCOUNT_PAGE]++;
	frag = page_frags_get(&f->out.frags, id);
	if (frag) {
		object.count -= MIN(frag->bias, object.count);
		object.cache_va = frag->word_va;
	}
	if (object.count <= kinds[REFCOUNT_PAGE].few ||
	    object.count > MAX_PAGE_COUNT)
		return NULL;
	object.references = count_mappings(f, page_va);
	f->index[id] = (uint32_t)f->objects.size;
	return vec_push(&f->objects, object) ? NULL : error_nomem();
}

static struct kml_error *add_object(struct refcount_finder *f, uint32_t id)
{
	uint32_t type = f->infer->type[id];
	struct refcount_object object = { .id = id };

	if (heap_region_of(f->kernel->heap, id)->kind == HEAP_PAGES)
		return add_block(f, id);
	if (f->infer->confidence[id] < INFER_MEDIUM || !f->type_kind[type] ||
	    !is_live(f, id))
		return NULL;
	object.kind = f->type_kind[type] - 1;
	object.offset = f->type_offset[type];
	if (!read_count(f, &f->layouts[object.kind],
			heap_object_va(f->kernel->heap, id) + object.offset,
			&object.count)) {
		f->out.unreadable++;
		return NULL;
	}
	f->out.checked[object.kind]++;
	/* Dead, or about to be: a dentry's is -128, a file's at its end. */
	if (object.count <= kinds[object.kind].few || object.count > MAX_COUNT)
		return NULL;
	f->index[id] = (uint32_t)f->objects.size;
	return vec_push(&f->objects, object) ? NULL : error_nomem();
}

static struct kml_error *add_suspects(struct refcount_finder *f)
{
	unsigned kind;
	size_t j;

	for (kind = 0; kind < REFCOUNT_KINDS; kind++) {
		for (j = 0; j < f->objects.size; j++) {
			const struct refcount_object *object =
				&f->objects.data[j];
			struct refcount_suspect suspect = {
				.id = object->id, .kind = object->kind,
				.count = object->count,
				.references = object->references +
					      kinds[kind].unsaid,
				.links = object->links,
			};

			if (object->kind != kind ||
			    object->count <= suspect.references)
				continue;
			suspect.va = heap_object_va(f->kernel->heap,
						    object->id) +
				     object->offset;
			snprintf(suspect.type, sizeof(suspect.type), "%s",
				 refcount_kinds[kind]);
			snprintf(suspect.member, sizeof(suspect.member), "%s",
				 f->layouts[kind].member);
			refcount_name_of(f, (enum refcount_kind)kind,
					 suspect.va, suspect.name,
					 sizeof(suspect.name));
			if (!vec_push(&f->out.suspects, suspect))
				return error_nomem();
		}
	}
	return NULL;
}

struct kml_error *refcounts_find(struct kernel *kernel,
				 const struct graph *graph, struct infer *infer,
				 const uint64_t *reached, struct refcounts *ret)
{
	struct refcount_finder f = {
		.kernel = kernel, .graph = graph, .infer = infer,
		.reached = reached,
	};
	struct kml_error *error = classify_types(&f);
	uint32_t id;

	if (!error)
		error = page_frags_find(kernel, graph, infer, &f.out.frags);
	f.index = malloc((graph->n_objects + 1ull) * sizeof(*f.index));
	if (!error && !f.index)
		error = error_nomem();
	if (!error)
		memset(f.index, 0xff,
		       (graph->n_objects + 1ull) * sizeof(*f.index));
	for (id = 0; !error && id < graph->n_objects; id++)
		error = add_object(&f, id);
	if (!error) {
		refcount_count_references(&f);
		error = add_suspects(&f);
	}
	if (!error)
		error = refcounts_add_others(kernel, graph, infer, f.type_kind,
					     reached, &f.out);
	free(f.type_kind);
	free(f.type_offset);
	free(f.index);
	vec_deinit(&f.objects);
	if (error)
		refcounts_deinit(&f.out);
	else
		*ret = f.out;
	return error;
}

void refcounts_deinit(struct refcounts *refcounts)
{
	vec_deinit(&refcounts->suspects);
	page_frags_deinit(&refcounts->frags);
}
