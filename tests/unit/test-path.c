// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Chains and the graph by target on random graphs, against the definitions: no
 * chain from a root costs less, none is a stack's where another root leads to
 * the object, and there is none where the mark did not reach.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "graph/mark.h"
#include "graph/reverse.h"
#include "leak/path.h"

#define DIRECT UINT64_C(0xffff888000000000)
#define N 48u
#define STACK N         /* sources: the worse root first */
#define SECTION (N + 1)
#define SOURCES (N + 2)
#define FAR 1000u
/* What a reference costs that is answered, one of many to the same cache, or a
 * variable's, and any other one. */
#define SURE 1u
#define DOUBTFUL 8u
#define MANY 8u

struct fixture {
	struct heap heap;
	struct kernel kernel;
	struct graph graph;
	struct rules rules;
	struct overrides overrides;
	struct leaks leaks;
	struct leak_index index;
	uint64_t *reached, *wanted;
	struct path_search search;
	bool edge[SOURCES][N];
};

static void make(struct fixture *f)
{
	struct heap_region r = {
		.va = DIRECT, .bytes = 4096, .object_bytes = 64,
		.slot_bytes = 64, .n_objects = N,
	};
	struct kernel_root stack = { .kind = ROOT_STACK, .bytes = 4096 };
	struct kernel_root section = { .kind = ROOT_SECTION, .bytes = 4096 };
	struct kernel_cache cache = { .name = "test" };
	uint32_t index;

	memset(f, 0, sizeof(*f));
	assert_ok(heap_init(&f->heap, DIRECT, 16, UINT64_C(0xffffea0000000000),
			    64));
	assert_ok(heap_add(&f->heap, &r, &index));
	assert_ok(heap_seal(&f->heap));
	f->kernel.heap = &f->heap;
	assert_true(vec_push(&f->kernel.roots, stack));
	assert_true(vec_push(&f->kernel.roots, section));
	assert_true(vec_push(&f->kernel.caches, cache));
	f->graph.n_objects = N;
	f->graph.n_sources = SOURCES;
	assert_ok(overrides_init(&f->overrides, &f->graph));
	f->rules = (struct rules){ .kernel = &f->kernel,
				   .overrides = &f->overrides };
}

static void make_graph(struct fixture *f)
{
	struct graph *g = &f->graph;
	uint32_t from, to;

	g->first = calloc(SOURCES + 1, sizeof(*g->first));
	g->edges = calloc(SOURCES * N, sizeof(*g->edges));
	for (from = 0; from < SOURCES; from++) {
		g->first[from] = g->n_edges;
		for (to = 0; to < N; to++) {
			if (f->edge[from][to])
				g->edges[g->n_edges++] = (struct graph_edge){
					to, from * N + to,
				};
		}
	}
	g->first[SOURCES] = g->n_edges;
}

static void destroy(struct fixture *f)
{
	graph_deinit(&f->graph);
	overrides_deinit(&f->overrides);
	leaks_deinit(&f->leaks);
	leak_index_deinit(&f->index);
	free(f->reached);
	free(f->wanted);
	vec_deinit(&f->kernel.roots);
	vec_deinit(&f->kernel.caches);
	heap_deinit(&f->heap);
}

static void analyze(struct fixture *f)
{
	struct mark_statistics statistics;

	make_graph(f);
	assert_ok(graph_mark(&f->graph, &f->kernel, &f->rules, false,
			     &f->reached, &statistics));
	assert_ok(leaks_find(&f->kernel, &f->graph, f->reached, NULL,
			     NULL, &f->leaks));
	assert_ok(leak_index_make(&f->leaks, &f->index));
	f->wanted = bitmap_alloc(N);
	f->search = (struct path_search){
		.kernel = &f->kernel, .graph = &f->graph,
		.reached = f->reached, .overrides = &f->overrides,
		.leaks = &f->leaks, .index = &f->index, .wanted = f->wanted,
	};
}

static unsigned cost_of(const struct fixture *f, uint32_t from, uint32_t to)
{
	uint32_t n = 0, i;

	if (from >= N)
		return from == SECTION ? SURE : DOUBTFUL;
	for (i = 0; i < N; i++)
		n += f->edge[from][i];
	return f->edge[to][from] || n >= MANY ? SURE : DOUBTFUL;
}

/* What the best chain from @source to each object costs. */
static void distances(const struct fixture *f, uint32_t source,
		      unsigned ret[SOURCES])
{
	uint32_t from, to;
	bool again = true;

	for (to = 0; to < SOURCES; to++)
		ret[to] = to == source ? 0 : FAR;
	while (again) {
		again = false;
		for (from = 0; from < SOURCES; from++) {
			for (to = 0; to < N; to++) {
				unsigned by = ret[from];

				if (!f->edge[from][to] ||
				    bitmap_test(f->heap.free, to))
					continue;
				by += cost_of(f, from, to);
				if (by >= ret[to])
					continue;
				ret[to] = by;
				again = true;
			}
		}
	}
}

/* The links hang together, and lead to @id; what they cost. */
static unsigned check_links(const struct fixture *f,
			    const struct path_link *links, uint32_t n,
			    uint32_t id)
{
	unsigned cost = 0;
	uint32_t i;

	for (i = 0; i < n; i++) {
		uint32_t to = i + 1 < n ? links[i + 1].source : id;

		assert_true(links[i].source < SOURCES);
		assert_true(f->edge[links[i].source][to]);
		assert_int_equal(links[i].where, links[i].source * N + to);
		assert_true(!i || links[i].source < N);
		cost += cost_of(f, links[i].source, to);
	}
	return cost;
}

static void check_leaked(const struct fixture *f, uint32_t id,
			 const struct path_link *links, uint32_t n)
{
	uint32_t leak = leak_index_find(&f->index, id), i;

	assert_true(leak < f->leaks.n_leaks);
	assert_int_equal(n ? links[0].source : id, f->leaks.leaks[leak].id);
	for (i = 0; i < n; i++)
		assert_int_equal(leak_index_find(&f->index, links[i].source),
				 leak);
}

static bool in_doubt(const struct fixture *f, uint32_t id)
{
	return bitmap_test(f->heap.torn, id);
}

static void check_path(const struct fixture *f, const struct paths *paths,
		       uint32_t id)
{
	unsigned by_stack[SOURCES], by_section[SOURCES];
	enum path_start start;
	struct path_link *links;
	uint32_t n, first;
	unsigned cost;

	distances(f, STACK, by_stack);
	distances(f, SECTION, by_section);
	assert_ok(paths_get(&f->search, paths, id, &start, &links, &n));
	cost = check_links(f, links, n, id);
	first = n ? links[0].source : id;
	if (bitmap_test(f->heap.free, id)) {
		assert_int_equal(start, PATH_NONE);
	} else if (MIN(by_stack[id], by_section[id]) < FAR) {
		assert_int_equal(start, PATH_ROOT);
		assert_int_equal(first,
				 by_section[id] < FAR ? SECTION : STACK);
		assert_int_equal(cost, first == SECTION ? by_section[id] :
							  by_stack[id]);
	} else if (!bitmap_test(f->reached, id)) {
		assert_int_equal(start, PATH_LEAK);
		check_leaked(f, id, links, n);
	} else if (start == PATH_DOUBT) {
		assert_true(in_doubt(f, first));
	} else {
		assert_int_equal(start, PATH_USER);
		assert_true(bitmap_test(f->overrides.gray, first));
	}
	free(links);
}

static void check_reverse(const struct fixture *f, const uint64_t *only)
{
	struct graph_reverse reverse;
	uint32_t from, to;
	uint64_t i;

	assert_ok(graph_reverse(&f->graph, only, &reverse));
	for (to = 0; to < N; to++) {
		i = reverse.first[to];
		for (from = 0; from < SOURCES; from++) {
			if (!f->edge[from][to] ||
			    (only && !bitmap_test(only, to)))
				continue;
			assert_true(i < reverse.first[to + 1]);
			assert_int_equal(reverse.references[i].from, from);
			assert_int_equal(
				graph_reference_word(&reverse.references[i]),
				from * N + to);
			i++;
		}
		assert_int_equal(i, reverse.first[to + 1]);
	}
	graph_reverse_deinit(&reverse);
}

static void check_all(struct fixture *f)
{
	struct paths paths;
	uint32_t id;

	for (id = 0; id < N; id++)
		bitmap_set(f->wanted, id);
	assert_ok(paths_find(&f->search, &paths));
	for (id = 0; id < N; id++)
		check_path(f, &paths, id);
	paths_deinit(&paths);
	check_reverse(f, NULL);
	/* One alone gets the same, though the walk stops early. */
	for (id = 0; id < N; id++) {
		memset(f->wanted, 0, N / 8);
		bitmap_set(f->wanted, id);
		assert_ok(paths_find(&f->search, &paths));
		check_path(f, &paths, id);
		paths_deinit(&paths);
	}
	check_reverse(f, f->wanted);
}

static void test_random(void **state)
{
	struct fixture f;
	unsigned seed, i;

	(void)state;
	for (seed = 1; seed <= 200; seed++) {
		srand(seed);
		make(&f);
		for (i = 0; i < seed % 100; i++)
			f.edge[rand() % N][rand() % N] = true;
		for (i = 0; i < N; i++)
			f.edge[i][i] = false;
		for (i = 0; i < seed % 7; i++)
			f.edge[STACK + rand() % 2][rand() % N] = true;
		for (i = 0; i < seed % 4; i++)
			bitmap_set(f.overrides.gray, (uint32_t)rand() % N);
		for (i = 0; i < seed % 3; i++)
			bitmap_set(f.heap.torn, (uint32_t)rand() % N);
		for (i = 0; i < N / 4; i++) {
			uint32_t id = (uint32_t)rand() % N;

			if (in_doubt(&f, id))
				continue;
			bitmap_set(f.heap.free, id);
			memset(f.edge[id], 0, sizeof(f.edge[id]));
		}
		analyze(&f);
		check_all(&f);
		destroy(&f);
	}
}

/* An object that takes two references has a chain only if it has them. */
static void test_count(void **state)
{
	struct path_link *links;
	enum path_start start;
	struct fixture f;
	struct paths paths;
	unsigned second;
	uint32_t n;

	(void)state;
	for (second = 0; second < 2; second++) {
		make(&f);
		f.edge[SECTION][0] = f.edge[SECTION][2] = true;
		f.edge[0][1] = true;
		f.edge[2][1] = second;
		assert_ok(overrides_add_count(&f.overrides, 1, 2));
		analyze(&f);
		bitmap_set(f.wanted, 1);
		assert_ok(paths_find(&f.search, &paths));
		assert_ok(paths_get(&f.search, &paths, 1, &start, &links, &n));
		assert_int_equal(start, second ? PATH_ROOT : PATH_LEAK);
		assert_int_equal(n, second ? 2 : 0);
		check_links(&f, links, n, 1);
		free(links);
		paths_deinit(&paths);
		destroy(&f);
	}
}

/* Along a list of @n objects, of which each knows its neighbours, or over one
 * word that happens to refer to the last of them? */
static void test_list(void **state)
{
	unsigned i, n, other;

	(void)state;
	for (other = 0; other < 2; other++) {
		for (n = 2; n < N; n++) {
			bool along = other || n - 1 < DOUBTFUL;
			struct path_link *links;
			enum path_start start;
			struct fixture f;
			struct paths paths;
			uint32_t n_links;

			make(&f);
			f.edge[SECTION][0] = true;
			for (i = 0; i + 1 < n; i++)
				f.edge[i][i + 1] = f.edge[i + 1][i] = true;
			/* A stack's does not count while there is another. */
			f.edge[other ? STACK : 0][n - 1] = true;
			analyze(&f);
			bitmap_set(f.wanted, n - 1);
			assert_ok(paths_find(&f.search, &paths));
			assert_ok(paths_get(&f.search, &paths, n - 1, &start,
					    &links, &n_links));
			assert_int_equal(start, PATH_ROOT);
			assert_int_equal(links[0].source, SECTION);
			assert_int_equal(n_links, along ? n : 2);
			check_links(&f, links, n_links, n - 1);
			free(links);
			paths_deinit(&paths);
			destroy(&f);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_count),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
