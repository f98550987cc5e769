// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The contents of objects that have no type, told apart as far as inference
 * needs it: what kind of word each is, and which symbols they refer to.
 */
#include <stdlib.h>
#include <string.h>

#include "base/huge.h"
#include "base/util.h"
#include "kernel/symbol.h"
#include "leak/infer_object.h"

#define PAGE_BYTES 4096u
#define MAX_PAGES 64u /* of a slab */
#define MAX_ERRNO 4095u

/* LIST_POISON1 and its like, with POISON_POINTER_DELTA of x86_64. */
#define POISON_START UINT64_C(0xdead000000000000)
#define POISON_BYTES 4096u

static enum word_class classify(const struct kernel *kernel, uint64_t word)
{
	enum heap_reference how = HEAP_REF_NONE;

	if (!word)
		return WORD_ZERO;
	if (word < PAGE_BYTES)
		return WORD_NUMBER;
	/* An error in a pointer's place, or minus something. */
	if (word > -(uint64_t)MAX_ERRNO - 1)
		return WORD_ZERO;
	if (kernel_is_direct(kernel, word) || word - POISON_START < POISON_BYTES)
		return WORD_HEAP;
	if (word >= kernel->image_va && word < kernel->modules_end_va)
		return WORD_IMAGE;
	if ((word >= kernel->vmalloc_va && word < kernel->vmalloc_end_va) ||
	    (word - kernel->vmemmap_va) / kernel->page_struct_bytes <
		    kernel->end_pfn)
		return WORD_HEAP;
	/* A per-cpu pointer looks like no address. */
	if (heap_resolve(kernel->heap, word, &how) != HEAP_NONE &&
	    how == HEAP_REF_PERCPU)
		return WORD_HEAP;
	return WORD_NUMBER;
}

static bool is_looked_at(const struct inference *i,
			 const struct heap_region *r)
{
	if (!i->kernel->image || r->flags & (HEAP_ALIAS | HEAP_NO_SCAN | HEAP_ROOT) ||
	    !kernel_is_direct(i->kernel, r->va))
		return false;
	if (r->kind == HEAP_SLAB)
		return i->cache_fit[r->owner].open &&
		       r->bytes <= MAX_PAGES * PAGE_BYTES;
	return r->kind == HEAP_PAGES;
}

static struct kml_error *lay_out(struct inference *i)
{
	size_t n = i->kernel->heap->regions.size, j;
	uint64_t words = 0;

	i->region_words = malloc((n + 1) * sizeof(*i->region_words));
	i->region_stride = calloc(n + 1, sizeof(*i->region_stride));
	i->text = bitmap_alloc(i->graph->n_objects);
	i->named = bitmap_alloc(i->graph->n_objects);
	if (!i->region_words || !i->region_stride || !i->text || !i->named)
		return error_nomem();
	for (j = 0; j < n; j++) {
		const struct heap_region *r = &i->kernel->heap->regions.data[j];

		i->region_words[j] = UINT64_MAX;
		if (!is_looked_at(i, r))
			continue;
		i->region_words[j] = words;
		i->region_stride[j] =
			(uint32_t)MIN(r->object_bytes / 8, INFER_MAX_WORDS);
		words += (uint64_t)i->region_stride[j] * r->n_objects;
	}
	i->classes = huge_calloc(words / 32 + 1, sizeof(*i->classes));
	return i->classes ? NULL : error_nomem();
}

/* Is it a string, as far as it goes? */
static bool is_text(const char *data, size_t bytes)
{
	size_t n = strnlen(data, bytes), j;

	for (j = 0; j < n; j++)
		if ((data[j] < 0x20 && data[j] != '\t' && data[j] != '\n') ||
		    data[j] == 0x7f)
			return false;
	return n > 0 && n < bytes;
}

static struct kml_error *read_object(struct inference *i, uint32_t id,
				     uint64_t first, const char *data,
				     uint32_t n)
{
	struct infer_symbol symbol = { .id = id };
	uint32_t w;

	if (is_text(data, n * 8ull))
		bitmap_set(i->text, id);
	for (w = 0; w < n; w++) {
		uint64_t word = load_u64(data + w * 8ull);
		uint64_t at = first + w;
		enum word_class class = classify(i->kernel, word);

		i->classes[at / 32] |= (uint64_t)class << at % 32 * 2;
		if (class != WORD_IMAGE)
			continue;
		symbol.offset = w * 8;
		symbol.va = word;
		bitmap_set(i->named, id);
		if (!vec_push(&i->symbols, symbol))
			return error_nomem();
	}
	return NULL;
}

/* Pages that the dump lacks read as zeros, which say nothing. */
static struct kml_error *read_region(struct inference *i,
				     struct image_reader *reader, size_t index,
				     char *buf)
{
	const struct heap_region *r = &i->kernel->heap->regions.data[index];
	uint64_t bytes = r->kind == HEAP_SLAB ?
				 r->bytes :
				 MIN(r->bytes, (uint64_t)INFER_MAX_WORDS * 8);
	uint64_t first = i->region_words[index], missing;
	uint32_t n = i->region_stride[index], j;
	struct kml_error *error;

	error = image_reader_pages(reader,
				   (r->va - i->kernel->direct_va) / PAGE_BYTES,
				   (unsigned)(align_up(bytes, PAGE_BYTES) /
					      PAGE_BYTES),
				   buf, &missing);
	for (j = 0; !error && j < r->n_objects; j++) {
		if (!heap_is_allocated(i->kernel->heap, r->first_id + j))
			continue;
		error = read_object(i, r->first_id + j,
				    first + (uint64_t)j * n,
				    buf + (uint64_t)j * r->slot_bytes +
					    r->pad_bytes,
				    n);
	}
	return error;
}

static int compare_symbols(const void *a, const void *b)
{
	const struct infer_symbol *x = a, *y = b;

	if (x->id != y->id)
		return x->id < y->id ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

static int compare_addresses(const void *a, const void *b, void *arg)
{
	const struct infer_symbol *symbols = arg;
	uint64_t x = symbols[*(const uint32_t *)a].va;
	uint64_t y = symbols[*(const uint32_t *)b].va;

	return (x > y) - (x < y);
}

/* The type of what is at an address of the image: a variable's, or a part of
 * it, or a function's. */
static uint32_t type_of_symbol(const struct inference *i, uint64_t va)
{
	const struct types *types = &i->out.types;
	const struct type_variable *variable;
	struct kernel_symbol_name name;
	uint64_t link = va - i->kernel->kaslr_offset;

	variable = types_variable(types, link);
	if (variable)
		return types_struct_at(types, variable->type,
				       link - variable->address);
	if (va >= i->kernel->modules_va)
		return 0;
	if (kernel_symbolize(i->kernel, va, &name) && !name.offset)
		return types_function(types, name.name);
	return 0;
}

/* Each address once: many objects refer to the same ones. */
static struct kml_error *type_symbols(struct inference *i)
{
	uint32_t n = (uint32_t)i->symbols.size, j;
	_cleanup_free_ uint32_t *order = malloc((n + 1ull) * sizeof(*order));
	uint32_t type = 0;

	if (!order)
		return error_nomem();
	for (j = 0; j < n; j++)
		order[j] = j;
	qsort_r(order, n, sizeof(*order), compare_addresses, i->symbols.data);
	for (j = 0; j < n; j++) {
		struct infer_symbol *symbol = &i->symbols.data[order[j]];

		if (!j || i->symbols.data[order[j - 1]].va != symbol->va)
			type = type_of_symbol(i, symbol->va);
		symbol->type = type;
	}
	return NULL;
}

struct kml_error *infer_read_words(struct inference *i)
{
	_cleanup_free_ char *buf = malloc(MAX_PAGES * PAGE_BYTES);
	struct image_reader *reader;
	struct kml_error *error;
	size_t j;

	if (!buf)
		return error_nomem();
	error = lay_out(i);
	if (!error && !i->kernel->image)
		return NULL;
	if (!error)
		error = image_reader_create(i->kernel->image, &reader);
	if (error)
		return error;
	for (j = 0; !error && j < i->kernel->heap->regions.size; j++)
		if (i->region_words[j] != UINT64_MAX)
			error = read_region(i, reader, j, buf);
	image_reader_destroy(reader);
	if (error)
		return error;
	if (i->symbols.size)
		qsort(i->symbols.data, i->symbols.size,
		      sizeof(*i->symbols.data), compare_symbols);
	return type_symbols(i);
}

bool infer_words(const struct inference *i, uint32_t id, uint64_t *first_ret,
		 uint32_t *n_ret)
{
	const struct heap_region *r = infer_region(i, id);
	size_t index = (size_t)(r - i->kernel->heap->regions.data);

	if (i->region_words[index] == UINT64_MAX)
		return false;
	*n_ret = i->region_stride[index];
	*first_ret = i->region_words[index] +
		     (uint64_t)(id - r->first_id) * *n_ret;
	return true;
}

const struct infer_symbol *infer_symbols(const struct inference *i, uint32_t id,
					 size_t *n_ret)
{
	const struct infer_symbol *data = i->symbols.data;
	size_t low, n = 0;

	*n_ret = 0;
	if (!bitmap_test(i->named, id))
		return data;
	low = partition_point(i->symbols.size, mid, data[mid].id < id);
	while (low + n < i->symbols.size && data[low + n].id == id)
		n++;
	*n_ret = n;
	return data + low;
}
