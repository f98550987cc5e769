// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Caches of page fragments: one in a per-cpu variable, one in an object, one
 * with what is no count, and one that another one contradicts; of kernels
 * before and since Linux 6.13.
 */
#include "unit.h"
#include "words_image.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "leak/page_frag.h"

#define DIRECT UINT64_C(0xffff888000000000)
#define VMEMMAP UINT64_C(0xffffea0000000000)
#define END_PFN 64u
/* Pages: a CPU's variables, a slab of four objects, and blocks of one page. */
#define UNIT 1u
#define SLAB 2u
#define BLOCK 4u
#define OBJECTS 4u
#define BLOCKS 6u
#define N (OBJECTS + BLOCKS)
#define ROOT N
/* Link-time addresses of the variables, and what is in the struct. */
#define LINK 0x100u
#define CACHE_AT 8u  /* in struct user */
#define BIAS_AT 12u  /* in struct page_frag_cache */

struct fixture {
	uint64_t words[2][512]; /* of the first two */
	struct image *image;
	struct heap heap;
	struct kernel kernel;
	struct graph graph;
	struct graph_edge edges[16];
	uint64_t first[N + 2];
	uint64_t cpu_offset;
	struct infer infer;
	uint32_t type[N];
	uint8_t confidence[N];
	struct page_frags found;
};

static uint64_t at(unsigned page, unsigned offset)
{
	return DIRECT + page * 4096u + offset;
}

/* ---- the types: BTF */

struct blob {
	char types[512], strings[256], whole[1024];
	uint32_t types_bytes, strings_bytes;
};

static void put(struct blob *b, uint32_t value)
{
	memcpy(b->types + b->types_bytes, &value, 4);
	b->types_bytes += 4;
}

static void put_name(struct blob *b, const char *name)
{
	put(b, b->strings_bytes);
	strcpy(b->strings + b->strings_bytes, name);
	b->strings_bytes += (uint32_t)strlen(name) + 1;
}

static void put_type(struct blob *b, const char *name, unsigned kind,
		     unsigned n, uint32_t value)
{
	put_name(b, name);
	put(b, kind << 24 | n);
	put(b, value);
}

static void put_member(struct blob *b, const char *name, uint32_t type,
		       uint32_t bytes)
{
	put_name(b, name);
	put(b, type);
	put(b, bytes * 8);
}

enum { LONG = 1, SHORT, CACHE, USER };

static void load_types(struct types *types, bool encoded)
{
	struct blob b = { .strings_bytes = 1 };
	uint32_t header[6] = { 0x0001eb9f, 24, 0 };
	struct types_btf btf = { .data = b.whole };
	const struct type_variable variable = { .address = LINK, .type = USER };

	put_type(&b, "unsigned long", 1, 0, 8);
	put(&b, 64);
	put_type(&b, "unsigned short", 1, 0, 2);
	put(&b, 16);
	put_type(&b, "page_frag_cache", 4, 3, 16);
	put_member(&b, encoded ? "encoded_page" : "va", LONG, 0);
	put_member(&b, "offset", SHORT, 8);
	put_member(&b, "pagecnt_bias", SHORT, BIAS_AT);
	put_type(&b, "user", 4, 2, 24);
	put_member(&b, "other", LONG, 0);
	put_member(&b, "frags", CACHE, CACHE_AT);
	header[3] = header[4] = b.types_bytes;
	header[5] = b.strings_bytes;
	memcpy(b.whole, header, 24);
	memcpy(b.whole + 24, b.types, b.types_bytes);
	memcpy(b.whole + 24 + b.types_bytes, b.strings, b.strings_bytes);
	btf.bytes = 24 + b.types_bytes + b.strings_bytes;
	types_init(types);
	assert_non_null(vec_add(&types->records));
	assert_ok(types_add_btf(types, &btf));
	assert_true(vec_push(&types->variables, variable));
	assert_ok(types_seal(types));
}

/* ---- the memory */

static void open_memory(struct fixture *f)
{
	f->image = open_words((const uint64_t (*)[512])f->words, UNIT, 2, END_PFN,
			      DIRECT);
	f->kernel.image = f->image;
	f->kernel.arch = image_facts(f->image)->arch;
}

static void add_region(struct fixture *f, enum heap_kind kind, unsigned page,
		       uint32_t n)
{
	struct heap_region r = {
		.va = at(page, 0), .bytes = 4096,
		.object_bytes = kind == HEAP_SLAB ? 64 : 4096,
		.slot_bytes = kind == HEAP_SLAB ? 64 : 0,
		.n_objects = n, .kind = (uint8_t)kind,
	};
	uint32_t index;

	assert_ok(heap_add(&f->heap, &r, &index));
}

static void make(struct fixture *f, bool encoded)
{
	struct kernel_root unit = {
		.kind = ROOT_PERCPU, .start_va = at(UNIT, 0),
		.start_pa = UNIT * 4096, .bytes = 4096,
	};
	unsigned i;

	memset(f, 0, sizeof(*f));
	assert_ok(heap_init(&f->heap, DIRECT, END_PFN, VMEMMAP, 64));
	add_region(f, HEAP_SLAB, SLAB, OBJECTS);
	for (i = 0; i < BLOCKS; i++)
		add_region(f, HEAP_PAGES, BLOCK + i, 1);
	assert_ok(heap_seal(&f->heap));
	f->cpu_offset = at(UNIT, 0);
	f->kernel.heap = &f->heap;
	f->kernel.direct_va = DIRECT;
	f->kernel.end_pfn = END_PFN;
	f->kernel.image_va = UINT64_C(0xffffffff80000000);
	f->kernel.n_cpus = 1;
	f->kernel.cpu_offset = &f->cpu_offset;
	assert_true(vec_push(&f->kernel.roots, unit));
	load_types(&f->infer.types, encoded);
	f->infer.n_objects = N;
	f->infer.type = f->type;
	f->infer.confidence = f->confidence;
	for (i = 0; i < OBJECTS; i++) {
		f->type[i] = USER;
		f->confidence[i] = INFER_HIGH;
	}
	f->graph.n_objects = N;
	f->graph.n_sources = N + 1;
	f->graph.edges = f->edges;
	f->graph.first = f->first;
}

/* In the order of sources. */
static void point(struct fixture *f, uint32_t from, uint32_t offset,
		  unsigned block, uint32_t bias)
{
	uint32_t start = from == ROOT ? offset - CACHE_AT : from * 64;
	uint64_t *words = f->words[from != ROOT];
	unsigned i;

	f->edges[f->graph.n_edges++] = (struct graph_edge){
		.to = OBJECTS + block,
		.where = offset / 8 | HEAP_REF_ADDRESS << 29,
	};
	for (i = from + 1; i < N + 2; i++)
		f->first[i] = f->graph.n_edges;
	words[(start + CACHE_AT) / 8 + 1] = (uint64_t)bias << 32;
}

static void destroy(struct fixture *f)
{
	image_close(f->image);
	heap_deinit(&f->heap);
	types_deinit(&f->infer.types);
	vec_deinit(&f->kernel.roots);
	vec_deinit(&f->kernel.gaps);
	page_frags_deinit(&f->found);
}

static void check(const struct fixture *f, unsigned block, uint64_t word_va,
		  uint64_t bias)
{
	const struct page_frag *frag = page_frags_get(&f->found,
						      OBJECTS + block);

	assert_int_equal(frag != NULL, bias != 0);
	if (!frag)
		return;
	assert_int_equal(frag->word_va, word_va);
	assert_int_equal(frag->bias, bias);
}

static void test_find(void **state)
{
	unsigned encoded;

	(void)state;
	for (encoded = 0; encoded < 2; encoded++) {
		struct fixture f;

		make(&f, encoded);
		point(&f, 0, CACHE_AT, 0, 32000);
		point(&f, 1, 0, 1, 77);         /* another member */
		point(&f, 2, CACHE_AT, 2, 5);
		point(&f, 3, CACHE_AT, 2, 6);   /* of the same block */
		point(&f, OBJECTS + 3, CACHE_AT, 3, 0); /* of no type */
		point(&f, ROOT, LINK + CACHE_AT, 5, 32762);
		/* (what a block has is not looked at) */
		memset(&f.words[1][OBJECTS * 8], 0, 64 * 8);
		open_memory(&f);
		assert_ok(page_frags_find(&f.kernel, &f.graph, &f.infer,
					  &f.found));
		check(&f, 0, at(SLAB, CACHE_AT), 32000);
		check(&f, 1, 0, 0);
		check(&f, 2, 0, 0);
		check(&f, 3, 0, 0);
		check(&f, 4, 0, 0);
		check(&f, 5, at(UNIT, LINK + CACHE_AT), 32762);
		destroy(&f);
	}
}

/* None in a variable next to it, nor where the count is none. */
static void test_none(void **state)
{
	struct fixture f;

	(void)state;
	make(&f, true);
	point(&f, 0, CACHE_AT, 0, 0);
	f.confidence[1] = INFER_LOW;
	point(&f, 1, CACHE_AT, 1, 100);
	point(&f, ROOT, LINK + 256, 2, 100);
	open_memory(&f);
	assert_ok(page_frags_find(&f.kernel, &f.graph, &f.infer, &f.found));
	assert_int_equal(f.found.all.size, 0);
	destroy(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
