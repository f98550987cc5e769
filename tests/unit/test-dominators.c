// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The dominator tree on random graphs against the definition: A dominates B if
 * B cannot be reached from the root once A is gone.
 */
#include "unit.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "leak/dominators.h"

#define MAX_N 40u

static unsigned n;
static bool edge[MAX_N][MAX_N];

/* What can be reached from the root without @gone (MAX_N: with all). */
static void reach(unsigned gone, bool ret[MAX_N])
{
	unsigned stack[MAX_N], n_stack = 0, to;

	memset(ret, 0, MAX_N * sizeof(*ret));
	if (gone == 0)
		return;
	ret[0] = true;
	stack[n_stack++] = 0;
	while (n_stack) {
		unsigned from = stack[--n_stack];

		for (to = 0; to < n; to++) {
			if (edge[from][to] && !ret[to] && to != gone) {
				ret[to] = true;
				stack[n_stack++] = to;
			}
		}
	}
}

static struct flow make_flow(void)
{
	struct flow flow = { .n_nodes = n, .root = 0 };
	unsigned from, to;
	uint64_t at = 0;

	flow.first = calloc(n + 1, sizeof(*flow.first));
	flow.to = calloc(n * n + 1, sizeof(*flow.to));
	assert_true(flow.first && flow.to);
	for (from = 0; from < n; from++) {
		flow.first[from] = at;
		for (to = 0; to < n; to++) {
			if (edge[from][to])
				flow.to[at++] = to;
		}
	}
	flow.first[n] = at;
	return flow;
}

static void check(void)
{
	bool all[MAX_N], without[MAX_N][MAX_N], dominates;
	struct flow flow = make_flow();
	struct dominators found;
	unsigned a, b, up, n_reached = 0;
	uint32_t place[MAX_N];

	assert_ok(dominators_find(&flow, &found));
	reach(MAX_N, all);
	for (a = 0; a < n; a++) {
		reach(a, without[a]);
		n_reached += all[a];
	}
	assert_int_equal(found.n_nodes, n);
	assert_int_equal(found.n_reached, n_reached);
	for (a = 0; a < n_reached; a++)
		place[found.order[a]] = a;
	for (b = 0; b < n; b++) {
		assert_int_equal(found.idom[b] != DOMINATORS_NONE, all[b]);
		if (!all[b])
			continue;
		assert_true(found.idom[b] == b || place[found.idom[b]] < place[b]);
		for (a = 0; a < n; a++) {
			if (!all[a])
				continue;
			dominates = false;
			for (up = b;; up = found.idom[up]) {
				dominates |= up == a;
				if (up == 0)
					break;
			}
			assert_int_equal(dominates, a == b || !without[a][b]);
		}
	}
	dominators_deinit(&found);
}

static void test_random(void **state)
{
	unsigned seed, i;

	(void)state;
	for (seed = 1; seed <= 6000; seed++) {
		unsigned n_edges;

		srand(seed);
		n = 1 + seed % MAX_N;
		n_edges = n * (1 + seed % 5) / 2;
		memset(edge, 0, sizeof(edge));
		for (i = 0; i < n_edges; i++)
			edge[rand() % n][rand() % n] = true;
		/* Every other one all reached; then trees, chains, rings. */
		for (i = 1; seed % 2 && i < n; i++)
			edge[seed % 4 == 1 ? (unsigned)rand() % i :
					     i - 1 - (seed % 8 == 3 && i > 1)][i] =
				true;
		for (i = 1; seed % 3 == 0 && i < n; i++)
			edge[i][i - 1] = true;
		check();
	}
}

/* A chain of a million, whose end leads to as many that the root refers to as
 * well: a search that walks up step by step takes for ever. */
static void test_deep(void **state)
{
	const uint32_t deep = 1000000;
	struct flow flow = { .n_nodes = 2 * deep };
	struct dominators found;
	uint64_t at = 0;
	uint32_t i;

	(void)state;
	flow.first = calloc(2 * deep + 1ull, sizeof(*flow.first));
	flow.to = calloc(4 * deep, sizeof(*flow.to));
	assert_true(flow.first && flow.to);
	for (i = 0; i < 2 * deep; i++) {
		uint32_t to;

		flow.first[i] = at;
		if (i + 1 < deep)
			flow.to[at++] = i + 1;
		for (to = deep; (i == 0 || i == deep - 1) && to < 2 * deep; to++)
			flow.to[at++] = to;
	}
	flow.first[i] = at;
	assert_ok(dominators_find(&flow, &found));
	for (i = 1; i < 2 * deep; i++)
		assert_int_equal(found.idom[i], i < deep ? i - 1 : 0);
	dominators_deinit(&found);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_deep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
