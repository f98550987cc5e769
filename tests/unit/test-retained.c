// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is retained, and accumulation points, on graphs made by hand: lists,
 * tables, trees and chains, each also with a stale word that refers to one of
 * their objects.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "leak/accumulation.h"

#define DIRECT UINT64_C(0xffff888000000000)
#define N 640u       /* of each cache */
#define CACHES 3u    /* nodes, payloads, others */
#define BYTES 64u
#define ROOTS 3u
#define MAX_EDGES 20000u
#define NODE(i) (i)
#define PAYLOAD(i) (N + (i))
#define OTHER(i) (2 * N + (i))
#define ROOT(i) (CACHES * N + (i))

struct raw {
	uint32_t from, word, to;
};

static struct heap heap;
static struct kernel kernel;
static struct raw raw[MAX_EDGES];
static size_t n_raw;
static struct graph graph;
static struct retained retained;
static struct accumulations found;

static void start(void)
{
	uint32_t c, slab, index;

	memset(&heap, 0, sizeof(heap));
	memset(&kernel, 0, sizeof(kernel));
	memset(&graph, 0, sizeof(graph));
	n_raw = 0;
	assert_ok(heap_init(&heap, DIRECT, 64, UINT64_C(0xffffea0000000000), 64));
	for (c = 0; c < CACHES; c++) {
		struct kernel_cache cache = { .object_bytes = BYTES };

		assert_true(vec_push(&kernel.caches, cache));
		for (slab = 0; slab < N / 64; slab++) {
			struct heap_region r = {
				.va = DIRECT + (c * N / 64 + slab) * 4096ull,
				.bytes = 4096, .object_bytes = BYTES,
				.slot_bytes = BYTES, .n_objects = 64,
				.owner = c,
			};

			assert_ok(heap_add(&heap, &r, &index));
		}
	}
	assert_ok(heap_seal(&heap));
	kernel.heap = &heap;
	kernel.page_struct_bytes = 64;
	/* Registers are the weakest, memory of the boot is in between. */
	for (c = 0; c < ROOTS; c++) {
		struct kernel_root root = {
			.kind = c == 2 ? ROOT_REGISTERS : ROOT_RESERVED,
			.bytes = 4096, .name = "root",
		};

		assert_true(vec_push(&kernel.roots, root));
	}
}

static void refer(uint32_t from, uint32_t word, uint32_t to)
{
	assert_true(n_raw < MAX_EDGES);
	raw[n_raw++] = (struct raw){ from, word, to };
}

static int compare_raw(const void *a, const void *b)
{
	const struct raw *x = a, *y = b;

	if (x->from != y->from)
		return x->from < y->from ? -1 : 1;
	return (x->word > y->word) - (x->word < y->word);
}

/* All that is referred to, by whomever, is live. */
static void analyze(void)
{
	uint64_t *reached = bitmap_alloc(CACHES * N);
	uint64_t objects = 0, bytes = 0;
	size_t i;

	qsort(raw, n_raw, sizeof(*raw), compare_raw);
	graph.n_objects = CACHES * N;
	graph.n_sources = CACHES * N + ROOTS + 1;
	graph.n_edges = n_raw;
	graph.first = calloc(graph.n_sources + 1ull, sizeof(*graph.first));
	graph.edges = calloc(n_raw + 1, sizeof(*graph.edges));
	assert_true(reached && graph.first && graph.edges);
	for (i = 0; i < n_raw; i++) {
		graph.first[raw[i].from + 1]++;
		graph.edges[i].to = raw[i].to;
		graph.edges[i].where = raw[i].word |
				       (uint32_t)HEAP_REF_ADDRESS << 29;
		bitmap_set(reached, raw[i].to);
	}
	for (i = 0; i < graph.n_sources; i++)
		graph.first[i + 1] += graph.first[i];
	assert_ok(retained_find(&kernel, &graph, reached, &retained));
	assert_ok(accumulations_find(&kernel, &graph, &retained, NULL, &found));
	for (i = 0; i < found.points.size; i++) {
		objects += found.points.data[i].objects;
		bytes += found.points.data[i].bytes;
	}
	/* All that is live is in one point. */
	assert_int_equal(objects, bitmap_count(reached, CACHES * N));
	assert_int_equal(bytes, objects * BYTES);
	assert_int_equal(retained.objects[live_root(&retained.live)], objects);
	free(reached);
}

static void end(void)
{
	accumulations_deinit(&found);
	retained_deinit(&retained);
	graph_deinit(&graph);
	vec_deinit(&kernel.caches);
	vec_deinit(&kernel.roots);
	heap_deinit(&heap);
}

/* Nodes 0 to n - 1, linked both ways, of which @root knows the ends. */
static void make_list(uint32_t root, uint32_t n)
{
	uint32_t i;

	refer(root, 4, NODE(0));
	refer(root, 5, NODE(n - 1));
	for (i = 0; i < n; i++) {
		if (i + 1 < n)
			refer(NODE(i), 0, NODE(i + 1));
		if (i)
			refer(NODE(i), 1, NODE(i - 1));
		refer(NODE(i), 3, PAYLOAD(i));
	}
}

static const struct accumulation *first_point(void)
{
	assert_true(found.points.size > 0);
	return &found.points.data[0];
}

static void check_list(uint32_t n)
{
	const struct accumulation *point = first_point();

	assert_int_equal(point->kind, ACCUMULATION_HELD);
	assert_int_equal(point->node, live_anchor(&retained.live, 0));
	assert_int_equal(point->objects, 2 * n);
	assert_int_equal(point->n_children, n);
	assert_int_equal(point->n_steps, 1);
	assert_int_equal(point->steps[0].offset, 32);
	assert_int_equal(point->n_families, 2);
	assert_int_equal(found.families.data[point->first_family].objects, n);
}

static void test_list(void **state)
{
	(void)state;
	start();
	make_list(ROOT(0), 500);
	analyze();
	check_list(500);
	end();
}

/* Somebody else has a word that refers to a member, or to what it has. */
static void test_stale(void **state)
{
	unsigned what;

	(void)state;
	for (what = 0; what < 3; what++) {
		start();
		make_list(ROOT(0), 500);
		if (what == 2) {
			refer(ROOT(2), 3, NODE(77));
		} else {
			refer(ROOT(1), 0, OTHER(0));
			refer(OTHER(0), 7, what ? PAYLOAD(300) : NODE(300));
		}
		analyze();
		check_list(500);
		assert_int_equal(first_point()->n_outside, 1);
		end();
	}
}

/* As the first, but the head is in an object. */
static void test_inner(void **state)
{
	const struct accumulation *point;

	(void)state;
	start();
	refer(ROOT(0), 9, OTHER(3));
	make_list(OTHER(3), 500);
	analyze();
	point = first_point();
	assert_int_equal(point->objects, 1001);
	assert_int_equal(point->n_steps, 2);
	assert_int_equal(point->steps[0].offset, 72);
	assert_int_equal(point->steps[1].node, OTHER(3));
	assert_int_equal(point->steps[1].offset, 32);
	assert_int_equal(point->n_children, 500);
	end();
}

/* Each member dominates the next one: still one point. */
static void test_chain(void **state)
{
	const struct accumulation *point;
	uint32_t i, payloads;

	(void)state;
	for (payloads = 0; payloads < 2; payloads++) {
		start();
		refer(ROOT(0), 1, NODE(0));
		for (i = 0; i + 1 < N; i++) {
			refer(NODE(i), 0, NODE(i + 1));
			if (payloads)
				refer(NODE(i), 2, PAYLOAD(i));
		}
		analyze();
		assert_int_equal(found.points.size, 1);
		point = first_point();
		assert_int_equal(point->objects, N + payloads * (N - 1));
		assert_int_equal(point->n_chain, N);
		assert_int_equal(point->n_steps, 2);
		assert_int_equal(point->steps[0].offset, 8);
		assert_int_equal(point->steps[1].node, NODE(0));
		end();
	}
}

/* The same with members of two kinds by turns. */
static void test_mixed_chain(void **state)
{
	const struct accumulation *point;
	uint32_t i;

	(void)state;
	start();
	refer(ROOT(0), 1, NODE(0));
	for (i = 0; i + 1 < N; i++) {
		refer(NODE(i), 0, OTHER(i));
		refer(OTHER(i), 5, NODE(i + 1));
	}
	analyze();
	point = first_point();
	assert_int_equal(point->objects, 2 * N - 1);
	assert_int_equal(point->n_chain, N);
	assert_int_equal(point->steps[1].node, NODE(0));
	end();
}

/* A heap in an array's order, with parents. */
static void test_tree(void **state)
{
	const struct accumulation *point;
	uint32_t i;

	(void)state;
	start();
	refer(ROOT(0), 2, NODE(0));
	for (i = 1; i < N; i++) {
		refer(NODE((i - 1) / 2), 1 + i % 2, NODE(i));
		refer(NODE(i), 0, NODE((i - 1) / 2));
	}
	/* A word of some object that refers into the middle of it. */
	refer(ROOT(1), 0, OTHER(0));
	refer(OTHER(0), 7, NODE(3));
	analyze();
	point = first_point();
	assert_int_equal(point->objects, N);
	assert_int_equal(point->n_chain, 0);
	assert_int_equal(point->n_steps, 2);
	assert_int_equal(point->steps[0].offset, 16);
	assert_int_equal(point->steps[1].node, NODE(0));
	end();
}

/* Hash chains in a table that is a variable: no unit is large. */
static void test_table(void **state)
{
	const struct accumulation *point;
	uint32_t i;

	(void)state;
	start();
	for (i = 0; i < 64; i++) {
		refer(ROOT(0), i, NODE(i));
		refer(NODE(i), 0, NODE(64 + i));
		refer(NODE(64 + i), 1, NODE(i));
	}
	analyze();
	assert_int_equal(found.points.size, 1);
	point = first_point();
	assert_int_equal(point->objects, 128);
	assert_int_equal(point->n_children, 64);
	assert_true(point->steps[0].offset == ANCHOR_NO_OFFSET);
	end();
}

/* Two lists in one variable are two points. */
static void test_two_lists(void **state)
{
	uint32_t i;

	(void)state;
	start();
	make_list(ROOT(0), 300);
	refer(ROOT(0), 20, OTHER(0));
	refer(ROOT(0), 21, OTHER(199));
	for (i = 0; i < 200; i++) {
		if (i < 199)
			refer(OTHER(i), 0, OTHER(i + 1));
		if (i)
			refer(OTHER(i), 1, OTHER(i - 1));
	}
	analyze();
	assert_int_equal(found.points.size, 2);
	assert_int_equal(found.points.data[0].objects, 600);
	assert_int_equal(found.points.data[0].steps[0].offset, 32);
	assert_int_equal(found.points.data[1].objects, 200);
	assert_int_equal(found.points.data[1].steps[0].offset, 160);
	end();
}

/* One list that two variables have the head of. */
static void test_shared(void **state)
{
	const struct accumulation *point;

	(void)state;
	start();
	make_list(ROOT(0), 500);
	refer(ROOT(1), 0, NODE(10));
	refer(ROOT(1), 1, NODE(11));
	analyze();
	point = first_point();
	assert_int_equal(point->kind, ACCUMULATION_SHARED);
	assert_int_equal(point->objects, 1000);
	assert_int_equal(point->n_ways, 2);
	end();
}

/* What nothing in the dump holds is below the root by itself. */
static void test_self_held(void **state)
{
	(void)state;
	start();
	refer(ROOT(0), 0, PAYLOAD(0));
	refer(NODE(0), 0, NODE(1));
	refer(NODE(1), 0, NODE(2));
	refer(NODE(2), 0, NODE(1));
	analyze();
	/* Node 0 is referred to by none, so that it is not live here. */
	assert_int_equal(retained.objects[live_root(&retained.live)], 3);
	assert_int_equal(retained.tree.idom[NODE(1)],
			 live_root(&retained.live));
	assert_int_equal(retained.tree.idom[NODE(2)], NODE(1));
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_inner),
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_mixed_chain),
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_two_lists),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_self_held),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
