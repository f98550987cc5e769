// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Marking and leak roots on random graphs, against the definitions: an object
 * is white if no walk from a root reaches it; a leak root is an object of a
 * set of mutually reachable white objects that no other white object reaches.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "graph/mark.h"
#include "leak/leak.h"

#define DIRECT UINT64_C(0xffff888000000000)
#define N 48u
#define N_SMALL 12u

struct fixture {
	struct heap heap;
	struct kernel kernel;
	struct graph graph;
	bool edge[N + 1][N]; /* row N: the root */
	bool reach[N + 1][N];
};

/* Two slabs, of N objects together, and one root range. */
static void make(struct fixture *f)
{
	struct heap_region r = {
		.va = DIRECT, .bytes = 4096, .object_bytes = 64,
		.slot_bytes = 64, .n_objects = N - N_SMALL,
	};
	struct heap_region small = {
		.va = DIRECT + 4096, .bytes = 4096, .object_bytes = 32,
		.slot_bytes = 32, .n_objects = N_SMALL, .owner = 1,
	};
	struct kernel_root root = { .kind = ROOT_SECTION, .bytes = 4096 };
	struct kernel_cache cache = { .name = "test" };
	uint32_t index;

	memset(f, 0, sizeof(*f));
	assert_ok(heap_init(&f->heap, DIRECT, 16, UINT64_C(0xffffea0000000000),
			    64));
	assert_ok(heap_add(&f->heap, &r, &index));
	assert_ok(heap_add(&f->heap, &small, &index));
	assert_ok(heap_seal(&f->heap));
	f->kernel.heap = &f->heap;
	assert_true(vec_push(&f->kernel.roots, root));
	assert_true(vec_push(&f->kernel.caches, cache));
	assert_true(vec_push(&f->kernel.caches, cache));
}

static uint64_t bytes_of(uint32_t id)
{
	return id < N - N_SMALL ? 64 : 32;
}

static void make_graph(struct fixture *f)
{
	struct graph *g = &f->graph;
	uint32_t from, to;

	g->n_objects = N;
	g->n_sources = N + 1;
	g->first = calloc(N + 2, sizeof(*g->first));
	g->edges = calloc((N + 1) * N, sizeof(*g->edges));
	for (from = 0; from <= N; from++) {
		g->first[from] = g->n_edges;
		for (to = 0; to < N; to++) {
			if (f->edge[from][to])
				g->edges[g->n_edges++].to = to;
		}
	}
	g->first[N + 1] = g->n_edges;
}

static void destroy(struct fixture *f)
{
	graph_deinit(&f->graph);
	vec_deinit(&f->kernel.roots);
	vec_deinit(&f->kernel.caches);
	heap_deinit(&f->heap);
}

/* Floyd and Warshall, over objects that are not free. */
static void close_reach(struct fixture *f)
{
	uint32_t i, j, k;

	memcpy(f->reach, f->edge, sizeof(f->reach));
	for (i = 0; i <= N; i++) {
		for (j = 0; j < N; j++)
			f->reach[i][j] &= !bitmap_test(f->heap.free, j);
	}
	for (k = 0; k < N; k++) {
		for (i = 0; i <= N; i++) {
			for (j = 0; f->reach[i][k] && j < N; j++)
				f->reach[i][j] |= f->reach[k][j];
		}
	}
}

static bool is_white(const struct fixture *f, uint32_t i)
{
	return !bitmap_test(f->heap.free, i) && !f->reach[N][i];
}

/* Does no white object outside of its cycle reach @i? */
static bool heads_leak(const struct fixture *f, uint32_t i)
{
	uint32_t j;

	for (j = 0; j < N; j++) {
		if (j != i && is_white(f, j) && f->reach[j][i] && !f->reach[i][j])
			return false;
	}
	return is_white(f, i);
}

/* The leak that object @i is part of; -1 if none; fails if of several. */
static int find_leak(const struct leaks *leaks, uint32_t i)
{
	int found = -1;
	uint32_t l, k;

	for (l = 0; l < leaks->n_leaks; l++) {
		const struct leak *leak = &leaks->leaks[l];
		bool in = leak->id == i;

		for (k = 0; k < leak->n_followers; k++)
			in |= leaks->followers[leak->first_follower + k] == i;
		if (in) {
			assert_int_equal(found, -1);
			found = (int)l;
		}
	}
	return found;
}

static bool is_in_cycle(const struct fixture *f, uint32_t id, uint32_t i)
{
	return i == id || (f->reach[id][i] && f->reach[i][id]);
}

/* Of those that refer to each other the one of the kind that there are fewest
 * of; of several the largest, then the first. */
static uint32_t standing(const struct fixture *f, uint32_t id)
{
	uint32_t first[2] = { N, N }, n[2] = { 0 }, i;

	for (i = N; i-- > 0;) {
		bool small = bytes_of(i) == 32;

		if (is_in_cycle(f, id, i)) {
			first[small] = i;
			n[small]++;
		}
	}
	return !n[1] || (n[0] && n[0] <= n[1]) ? first[0] : first[1];
}

static void check_leaks(const struct fixture *f, const struct leaks *leaks)
{
	uint32_t i, l, n_white = 0, n_cycle;
	uint64_t bytes = 0, followers;
	int leak;

	for (i = 0; i < N; i++) {
		n_white += is_white(f, i);
		bytes += is_white(f, i) ? bytes_of(i) : 0;
		leak = find_leak(leaks, i);
		assert_int_equal(leak >= 0, is_white(f, i));
		if (leak < 0)
			continue;
		/* A follower is reached from its root. */
		l = leaks->leaks[leak].id;
		assert_true(l == i || f->reach[l][i]);
	}
	assert_int_equal(leaks->n_objects, n_white);
	assert_int_equal(leaks->bytes, bytes);
	for (l = 0; l < leaks->n_leaks; l++) {
		uint32_t id = leaks->leaks[l].id;

		assert_true(heads_leak(f, id));
		assert_int_equal(id, standing(f, id));
		for (i = 0, n_cycle = 0; i < N; i++)
			n_cycle += is_in_cycle(f, id, i);
		for (i = 0, followers = 0; i < leaks->leaks[l].n_followers; i++)
			followers += bytes_of(leaks->followers
				[leaks->leaks[l].first_follower + i]);
		assert_int_equal(leaks->leaks[l].n_cycle, n_cycle);
		assert_int_equal(leaks->leaks[l].verdict,
				 n_cycle > 1 ? LEAK_CYCLE : LEAK_DEFINITE);
		assert_int_equal(leaks->leaks[l].follower_bytes, followers);
	}
}

static void check_groups(const struct leaks *leaks)
{
	uint64_t bytes = 0, before = UINT64_MAX;
	uint32_t g, i, n = 0;

	for (g = 0; g < leaks->n_groups; g++) {
		const struct leak_group *group = &leaks->groups[g];
		uint64_t total = group->bytes + group->follower_bytes;

		assert_int_equal(group->first_leak, n);
		n += group->n_leaks;
		bytes += total;
		assert_true(total <= before);
		before = total;
		for (i = group->first_leak; i < n; i++)
			assert_int_equal(leaks->leaks[i].group, g);
		for (i = group->first_leak + 1; i < n; i++)
			assert_true(leaks->leaks[i - 1].id < leaks->leaks[i].id);
	}
	assert_int_equal(n, leaks->n_leaks);
	assert_int_equal(bytes, leaks->bytes);
}

static void analyze(struct fixture *f)
{
	struct mark_statistics statistics;
	struct leaks leaks;
	uint64_t *reached;
	uint32_t i;

	make_graph(f);
	close_reach(f);
	assert_ok(graph_mark(&f->graph, &f->kernel, NULL, false, &reached,
			     &statistics));
	for (i = 0; i < N; i++) {
		if (!bitmap_test(f->heap.free, i))
			assert_int_equal(bitmap_test(reached, i), f->reach[N][i]);
	}
	assert_ok(leaks_find(&f->kernel, &f->graph, reached, NULL, NULL, &leaks));
	check_leaks(f, &leaks);
	check_groups(&leaks);
	leaks_deinit(&leaks);
	free(reached);
}

static void test_random(void **state)
{
	struct fixture f;
	unsigned seed, i;

	(void)state;
	for (seed = 1; seed <= 300; seed++) {
		/* From a handful of references to several per object. */
		unsigned n_edges = seed % 100, n_roots = seed % 7;

		srand(seed);
		make(&f);
		for (i = 0; i < n_edges; i++)
			f.edge[rand() % N][rand() % N] = true;
		for (i = 0; i < N; i++)
			f.edge[i][i] = false; /* the scan leaves these out */
		for (i = 0; i < n_roots; i++)
			f.edge[N][rand() % N] = true;
		for (i = 0; i < N / 4; i++) {
			uint32_t id = (uint32_t)rand() % N;

			/* Free objects are not scanned. */
			bitmap_set(f.heap.free, id);
			memset(f.edge[id], 0, sizeof(f.edge[id]));
		}
		analyze(&f);
		destroy(&f);
	}
}

/* A dropped doubly linked list is one leak. */
static void test_list(void **state)
{
	struct mark_statistics statistics;
	struct fixture f;
	struct leaks leaks;
	uint64_t *reached;
	uint32_t i;

	(void)state;
	make(&f);
	for (i = 0; i + 1 < N; i++)
		f.edge[i][i + 1] = f.edge[i + 1][i] = true;
	make_graph(&f);
	assert_ok(graph_mark(&f.graph, &f.kernel, NULL, false, &reached,
			     &statistics));
	assert_ok(leaks_find(&f.kernel, &f.graph, reached, NULL, NULL, &leaks));
	assert_int_equal(leaks.n_leaks, 1);
	assert_int_equal(leaks.leaks[0].verdict, LEAK_CYCLE);
	assert_int_equal(leaks.leaks[0].n_followers, N - 1);
	leaks_deinit(&leaks);
	free(reached);
	destroy(&f);
}

/* An object in doubt is no leak, and what it refers to is none either. */
static void test_doubt(void **state)
{
	struct mark_statistics statistics;
	struct fixture f;
	struct leaks leaks;
	uint64_t *reached;

	(void)state;
	make(&f);
	f.edge[1][2] = f.edge[3][4] = true;
	bitmap_set(f.heap.torn, 1);
	bitmap_set(f.heap.unreadable, 3);
	make_graph(&f);
	assert_ok(graph_mark(&f.graph, &f.kernel, NULL, false, &reached,
			     &statistics));
	assert_ok(leaks_find(&f.kernel, &f.graph, reached, NULL, NULL, &leaks));
	assert_int_equal(leaks.n_objects, N - 4);
	assert_int_equal(find_leak(&leaks, 2), -1);
	assert_int_equal(find_leak(&leaks, 4), -1);
	leaks_deinit(&leaks);
	free(reached);
	destroy(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_doubt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
