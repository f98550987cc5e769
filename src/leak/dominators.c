// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * All but the search works on numbers, in the order in which the search found
 * the nodes: the root is 0, and a parent's number is below its children's.
 */
#include "leak/dominators.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/huge.h"
#include "base/util.h"

/* Memory is asked for so many references ahead. */
#define AHEAD 24u

/* In the first pass: the forest of the nodes that are done.  In the second:
 * the dominator tree that grows. */
union link {
	struct {
		uint32_t ancestor; /* the parent, or a node above it */
		uint32_t label;    /* the least semidominator on the way there,
				      the ancestor's own not included */
	};
	struct {
		uint32_t jump; /* some dominator further up */
		uint32_t depth;
	};
};

struct work {
	struct flow *flow;
	uint32_t n;       /* nodes reached */
	uint32_t *number; /* by node */
	uint32_t *order;  /* node by number */
	uint32_t *parent; /* in the search's tree */
	uint32_t *scratch; /* next successor of a node; then a stack */
	uint32_t *semi;   /* semidominators, then dominators */
	uint64_t *first;  /* rows of predecessors */
	uint32_t *preds;
	union link *link;
};

static struct kml_error *check_rows(const struct flow *flow)
{
	uint32_t v;

	for (v = 0; v < flow->n_nodes; v++) {
		if (flow->first[v + 1] - flow->first[v] >= UINT32_MAX)
			return error_new(KML_ERR_UNSUPPORTED,
					 "a node has more than 4294967294 references");
	}
	return NULL;
}

static void found(struct work *w, uint32_t node, uint32_t parent)
{
	const struct flow *flow = w->flow;
	uint64_t i, end = MIN(flow->first[node + 1ull],
			      flow->first[node] + AHEAD);

	for (i = flow->first[node]; i < end; i++)
		__builtin_prefetch(&w->number[flow->to[i]]);
	w->number[node] = w->n;
	w->order[w->n] = node;
	w->parent[w->n] = parent;
	w->scratch[w->n++] = 0;
}

/* Depth first; the way back is the parents'. */
static void search(struct work *w)
{
	const struct flow *flow = w->flow;
	uint32_t at = 0;

	memset(w->number, 0xff, flow->n_nodes * sizeof(*w->number));
	found(w, flow->root, 0);
	for (;;) {
		uint32_t node = w->order[at];
		uint64_t i = flow->first[node] + w->scratch[at];

		if (i < flow->first[node + 1]) {
			w->scratch[at]++;
			if (w->number[flow->to[i]] == DOMINATORS_NONE) {
				found(w, flow->to[i], at);
				at = w->n - 1;
			}
		} else if (at) {
			at = w->parent[at];
		} else {
			return;
		}
	}
}

/* Targets become numbers, in their place. */
static void number_targets(struct work *w)
{
	uint64_t n = w->flow->first[w->flow->n_nodes], i;
	uint32_t *to = w->flow->to;

	for (i = 0; i < n; i++) {
		if (i + AHEAD < n)
			__builtin_prefetch(&w->number[to[i + AHEAD]]);
		to[i] = w->number[to[i]];
	}
}

/* Of the references of reached nodes: count them by target, or note who they are
 * of. */
static void for_references(struct work *w, bool count)
{
	const struct flow *flow = w->flow;
	uint64_t n = flow->first[flow->n_nodes], i;
	uint32_t node, from;

	for (node = 0; node < flow->n_nodes; node++) {
		from = w->number[node];
		for (i = flow->first[node];
		     from != DOMINATORS_NONE && i < flow->first[node + 1ull];
		     i++) {
			if (i + AHEAD < n && flow->to[i + AHEAD] < w->n)
				__builtin_prefetch(
					&w->first[flow->to[i + AHEAD] + 1ull], 1);
			if (count)
				w->first[flow->to[i] + 2ull]++;
			else
				w->preds[w->first[flow->to[i] + 1ull]++] = from;
		}
	}
}

/* Turn the rows around. */
static struct kml_error *find_predecessors(struct work *w)
{
	uint64_t n_edges;
	uint32_t at;

	w->first = huge_calloc(w->n + 2ull, sizeof(*w->first));
	if (!w->first)
		return error_nomem();
	number_targets(w);
	for_references(w, true);
	for (at = 0; at < w->n; at++)
		w->first[at + 2ull] += w->first[at + 1ull];
	n_edges = w->first[w->n + 1ull];
	w->preds = huge_malloc(n_edges, sizeof(*w->preds));
	if (!w->preds)
		return error_nomem();
	for_references(w, false);
	flow_deinit(w->flow);
	return NULL;
}

/* The least semidominator on @v's way up to the nodes below @done, which are
 * not yet in the forest. */
static uint32_t eval(struct work *w, uint32_t v, uint32_t done)
{
	union link *link = w->link;
	uint32_t n = 0, x = v;

	while (link[x].ancestor >= done) {
		w->scratch[n++] = x;
		x = link[x].ancestor;
	}
	while (n) {
		uint32_t y = w->scratch[--n];

		link[y].label = MIN(link[y].label, link[x].label);
		link[y].ancestor = link[x].ancestor;
		x = y;
	}
	return link[v].label;
}

/* The way up from who refers to what comes next: it may be anywhere. */
static void ask_ahead(const struct work *w, uint64_t i)
{
	if (i >= 2 * AHEAD)
		__builtin_prefetch(&w->link[w->preds[i - 2 * AHEAD]], 1);
	if (i >= AHEAD)
		__builtin_prefetch(
			&w->link[w->link[w->preds[i - AHEAD]].ancestor], 1);
}

static void find_semidominators(struct work *w)
{
	uint32_t v;
	uint64_t i;

	for (v = 0; v < w->n; v++) {
		w->link[v].ancestor = w->parent[v];
		w->link[v].label = v;
	}
	/* From the last reference to the first one. */
	for (v = w->n - 1; v > 0; v--) {
		uint32_t semi = w->parent[v];

		for (i = w->first[v + 1ull]; i-- > w->first[v];) {
			uint32_t pred = w->preds[i];

			ask_ahead(w, i);
			if (pred > v)
				pred = eval(w, pred, v + 1);
			semi = MIN(semi, pred);
		}
		w->semi[v] = w->link[v].label = semi;
	}
}

/*
 * A node's dominator is the lowest one of its parent's, itself included, that
 * is not below the semidominator.  With jump pointers as in Myers' "An
 * applicative random-access stack" the way there is logarithmic.
 */
static void find_dominators(struct work *w)
{
	uint32_t *idom = w->semi, v;
	union link *link = w->link;

	idom[0] = link[0].jump = link[0].depth = 0;
	for (v = 1; v < w->n; v++) {
		uint32_t semi = w->semi[v], u = w->parent[v], jump;

		while (u > semi)
			u = link[u].jump >= semi ? link[u].jump : idom[u];
		idom[v] = u;
		jump = link[u].jump;
		link[v].depth = link[u].depth + 1;
		link[v].jump = link[u].depth - link[jump].depth ==
					       link[jump].depth -
						       link[link[jump].jump].depth ?
				       link[jump].jump :
				       u;
	}
	/* The numbers of nodes are no longer needed. */
	for (v = 0; v < w->n; v++)
		w->number[w->order[v]] = w->order[idom[v]];
}

static struct kml_error *find(struct work *w)
{
	uint64_t n = MAX(w->flow->n_nodes, 1);
	struct kml_error *error = check_rows(w->flow);

	if (error)
		return error;
	w->number = huge_malloc(n, sizeof(*w->number));
	w->order = huge_malloc(n, sizeof(*w->order));
	w->parent = huge_malloc(n, sizeof(*w->parent));
	w->scratch = huge_malloc(n, sizeof(*w->scratch));
	if (!w->number || !w->order || !w->parent || !w->scratch)
		return error_nomem();
	search(w);
	error = find_predecessors(w);
	if (error)
		return error;
	w->semi = huge_malloc(w->n, sizeof(*w->semi));
	w->link = huge_malloc(w->n, sizeof(*w->link));
	if (!w->semi || !w->link)
		return error_nomem();
	find_semidominators(w);
	find_dominators(w);
	return NULL;
}

struct kml_error *dominators_find(struct flow *flow, struct dominators *ret)
{
	struct work w = { .flow = flow };
	uint32_t n_nodes = flow->n_nodes;
	struct kml_error *error = find(&w);

	flow_deinit(flow);
	free(w.parent);
	free(w.scratch);
	free(w.semi);
	free(w.first);
	free(w.preds);
	free(w.link);
	if (error) {
		free(w.number);
		free(w.order);
		return error;
	}
	ret->n_nodes = n_nodes;
	ret->n_reached = w.n;
	ret->idom = w.number;
	ret->order = w.order;
	return NULL;
}

void dominators_deinit(struct dominators *dominators)
{
	free(dominators->idom);
	free(dominators->order);
	dominators->idom = dominators->order = NULL;
}

void flow_deinit(struct flow *flow)
{
	free(flow->first);
	free(flow->to);
	flow->first = NULL;
	flow->to = NULL;
}
