// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The blind rate, disregarded words and trust, on a graph made by hand:
 *
 *	objects of slab A (cache 0): 0 1 2 3 live, 4 5 6 7 free, 8 free and
 *	waiting for RCU, 9 leaked; a block of pages, 10, live; another one, 11,
 *	of which the extent is inferred
 *	roots: a section, a stack
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "leak/blind.h"
#include "leak/trust.h"

#define DIRECT UINT64_C(0xffff888000000000)

enum { BLOCK = 10, GUESSED, N, SECTION = N, STACK, SOURCES };

struct fixture {
	struct heap heap;
	struct kernel kernel;
	struct graph graph;
	uint64_t reached[1];
};

static const struct {
	uint32_t from, to, word;
} edges[] = {
	{ 0, 4, 3 },       /* 0 and 1 have a stale word at the same place: */
	{ 1, 4, 3 },       /* one holder of 4 */
	{ 1, 5, 3 },       /* ... and of 5, alone */
	{ 2, 6, 1 },       /* another word: another holder, not alone */
	{ 3, 8, 2 },       /* somebody may have it: no stale word */
	{ 5, 7, 0 },       /* a free object holds nothing */
	{ 9, 7, 0 },       /* nor does a leaked one */
	{ BLOCK, 6, 100 }, /* a block counts as one, */
	{ BLOCK, 5, 101 }, /* wherever the words are: 5 is not alone now */
	{ SECTION, 0, 0 },
	{ STACK, 4, 7 },
};

static void add_region(struct fixture *f, struct heap_region r)
{
	uint32_t index;

	assert_ok(heap_add(&f->heap, &r, &index));
	if (r.kind == HEAP_SLAB) {
		struct kernel_slab slab = { .region = index };

		assert_true(vec_push(&f->kernel.slabs, slab));
	}
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct kernel_root section = { .kind = ROOT_SECTION, .bytes = 4096 };
	struct kernel_root stack = { .kind = ROOT_STACK, .bytes = 4096 };
	size_t i = 0;
	uint32_t id;

	assert_non_null(f);
	assert_ok(heap_init(&f->heap, DIRECT, 16, UINT64_C(0xffffea0000000000),
			    64));
	f->kernel.heap = &f->heap;
	add_region(f, (struct heap_region){
		.va = DIRECT, .bytes = 4096, .object_bytes = 64,
		.slot_bytes = 64, .n_objects = 10 });
	add_region(f, (struct heap_region){
		.va = DIRECT + 4096, .bytes = 4096, .object_bytes = 4096,
		.n_objects = 1, .owner = 1, .kind = HEAP_PAGES });
	add_region(f, (struct heap_region){
		.va = DIRECT + 8192, .bytes = 4096, .object_bytes = 4096,
		.n_objects = 1, .owner = 1, .kind = HEAP_PAGES,
		.flags = HEAP_GUESSED });
	assert_ok(heap_seal(&f->heap));
	assert_true(vec_push(&f->kernel.roots, section));
	assert_true(vec_push(&f->kernel.roots, stack));
	for (id = 4; id <= 8; id++)
		bitmap_set(f->heap.free, id);
	bitmap_set(f->heap.waiting, 8);
	for (id = 0; id < 9; id++)
		bitmap_set(f->reached, id);
	bitmap_set(f->reached, BLOCK);

	f->graph.n_objects = N;
	f->graph.n_sources = SOURCES;
	f->graph.first = calloc(SOURCES + 1, sizeof(*f->graph.first));
	f->graph.edges = calloc(ARRAY_SIZE(edges), sizeof(*f->graph.edges));
	for (id = 0; id < SOURCES; id++) {
		f->graph.first[id] = i;
		for (; i < ARRAY_SIZE(edges) && edges[i].from == id; i++) {
			f->graph.edges[i].to = edges[i].to;
			f->graph.edges[i].where =
				edges[i].word | (uint32_t)HEAP_REF_ADDRESS << 29;
		}
	}
	assert_int_equal(i, ARRAY_SIZE(edges));
	f->graph.first[SOURCES] = f->graph.n_edges = i;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	graph_deinit(&f->graph);
	vec_deinit(&f->kernel.roots);
	vec_deinit(&f->kernel.slabs);
	vec_deinit(&f->kernel.gaps);
	heap_deinit(&f->heap);
	free(f);
	return 0;
}

static void test_rate(void **state)
{
	struct fixture *f = *state;
	struct blind blind;

	assert_ok(blind_find(&f->kernel, &f->graph, f->reached, false, &blind));
	assert_int_equal(blind.n_free, 4);       /* 4 5 6 7 */
	assert_int_equal(blind.n_referenced, 3); /* 4 5 6 */
	assert_int_equal(blind.n_holders, 0);
	blind_deinit(&blind);
}

static void assert_holder(const struct blind_holder *h, uint32_t source,
			  uint32_t word, uint64_t n_free, uint64_t n_alone)
{
	assert_int_equal(h->source, source);
	assert_int_equal(h->word, word);
	assert_int_equal(h->how, HEAP_REF_ADDRESS);
	assert_int_equal(h->n_free, n_free);
	assert_int_equal(h->n_alone, n_alone);
}

static void test_holders(void **state)
{
	struct fixture *f = *state;
	struct blind blind;

	assert_ok(blind_find(&f->kernel, &f->graph, f->reached, true, &blind));
	assert_int_equal(blind.n_holders, 4);
	assert_int_equal(blind.n_omitted, 0);
	/* None alone: by the number of objects, then by source. */
	assert_int_equal(blind.holders[0].n_free, 2);
	assert_int_equal(blind.holders[0].word, 3);
	assert_true(blind.holders[0].source <= 1);
	assert_holder(&blind.holders[1], BLOCK, BLIND_ANYWHERE, 2, 0);
	assert_holder(&blind.holders[2], 2, 1, 1, 0);
	assert_holder(&blind.holders[3], STACK, BLIND_ANYWHERE, 1, 0);
	blind_deinit(&blind);
}

/* Without the block and the stack each object has one holder. */
static void test_alone(void **state)
{
	struct fixture *f = *state;
	struct blind blind;

	bitmap_clear(f->reached, BLOCK);
	f->graph.first[SOURCES] = f->graph.first[STACK];
	assert_ok(blind_find(&f->kernel, &f->graph, f->reached, true, &blind));
	assert_int_equal(blind.n_referenced, 3);
	assert_int_equal(blind.n_holders, 2);
	assert_int_equal(blind.holders[0].word, 3);
	assert_int_equal(blind.holders[0].n_free, 2); /* 4 is one, not two */
	assert_int_equal(blind.holders[0].n_alone, 2);
	assert_holder(&blind.holders[1], 2, 1, 1, 1);
	blind_deinit(&blind);
}

/* ---- disregarded words, and what a verdict rests on */

static void disregard(struct fixture *f)
{
	static const struct graph_disregarded words[] = {
		{ .to = 0, .from = 5, .why = DISREGARD_INTEGER }, /* free */
		{ .to = 2, .from = 9, .why = DISREGARD_OWNER },   /* leaked */
		{ .to = 9, .from = 1, .word = 1, .why = DISREGARD_OWNER },
		{ .to = 9, .from = 9, .word = 2, .why = DISREGARD_MEMBER },
		{ .to = 9, .from = SECTION, .why = DISREGARD_INTEGER },
		{ .to = GUESSED, .from = SECTION, .why = DISREGARD_INTEGER },
	};

	f->graph.disregarded = malloc(sizeof(words));
	assert_non_null(f->graph.disregarded);
	memcpy(f->graph.disregarded, words, sizeof(words));
	f->graph.n_disregarded = ARRAY_SIZE(words);
}

static void test_find_disregarded(void **state)
{
	static const struct {
		uint32_t id;
		size_t first, n;
	} expected[] = {
		{ 0, 0, 1 }, { 2, 1, 1 }, { 9, 2, 3 }, { GUESSED, 5, 1 },
	};
	struct fixture *f = *state;
	size_t i, n = 7;

	/* Of none there is none. */
	graph_find_disregarded(&f->graph, 9, &n);
	assert_int_equal(n, 0);
	disregard(f);
	for (i = 0; i < ARRAY_SIZE(expected); i++) {
		const struct graph_disregarded *first = graph_find_disregarded(
			&f->graph, expected[i].id, &n);

		assert_int_equal(first - f->graph.disregarded,
				 expected[i].first);
		assert_int_equal(n, expected[i].n);
	}
	/* between, before the end and behind it */
	graph_find_disregarded(&f->graph, 1, &n);
	assert_int_equal(n, 0);
	graph_find_disregarded(&f->graph, BLOCK, &n);
	assert_int_equal(n, 0);
	graph_find_disregarded(&f->graph, UINT32_MAX, &n);
	assert_int_equal(n, 0);
}

static unsigned reasons(const struct fixture *f, uint32_t id)
{
	return trust_reasons(&f->kernel, &f->graph, f->reached, id);
}

static void test_trust(void **state)
{
	struct fixture *f = *state;
	struct kernel_gap gap = { .what = "a test", .count = 1 };

	assert_int_equal(reasons(f, 9), 0);
	assert_int_equal(reasons(f, GUESSED), TRUST_GUESSED);
	disregard(f);
	assert_int_equal(reasons(f, 0), 0); /* a free object's word */
	assert_int_equal(reasons(f, 2), 0); /* a leaked one's */
	assert_int_equal(reasons(f, 9), TRUST_DISREGARDED);
	assert_int_equal(reasons(f, GUESSED),
			 TRUST_DISREGARDED | TRUST_GUESSED);
	/* Not every gap could hold it. */
	assert_true(vec_push(&f->kernel.gaps, gap));
	assert_int_equal(reasons(f, 3), 0);
	gap.unsound = true;
	assert_true(vec_push(&f->kernel.gaps, gap));
	assert_int_equal(reasons(f, 3), TRUST_PARTIAL);

	assert_int_equal(trust_of(0), TRUST_HIGH);
	assert_int_equal(trust_of(TRUST_DISREGARDED), TRUST_MEDIUM);
	assert_int_equal(trust_of(TRUST_GUESSED), TRUST_MEDIUM);
	assert_int_equal(trust_of(TRUST_PARTIAL), TRUST_LOW);
	assert_int_equal(trust_of(TRUST_PARTIAL | TRUST_GUESSED), TRUST_LOW);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rate),
		TEST(test_holders),
		TEST(test_alone),
		TEST(test_find_disregarded),
		TEST(test_trust),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
