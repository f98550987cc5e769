// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/path.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "leak/path_cost.h"

/* The order of roots, of struct pages (ROOT_KINDS), and of module memory. */
#define RANKS 8u

/* Objects to be looked at whose chain ends with a reference of one class: as
 * sources have their turn by cost, so have these. */
struct queue {
	uint32_t *ids; /* an object enters a queue once, as the keys of what
			  enters it never get less while it is not empty */
	uint32_t n, next;
};

struct walk {
	const struct path_search *s;
	struct path_cost cost;
	struct paths paths;
	uint64_t *key; /* by object: RANKS times what the best chain so far
			  costs, and its root's rank */
	struct queue queues[PATH_CLASSES];
	uint32_t *seen;  /* references so far to each of overrides->counts */
	uint64_t n_wanted; /* still to be found */
	bool leaked;     /* chains of leaks: they stay within one */
};

/* There is a chain to @id, unless there is one already that is no worse. */
static void offer(struct walk *w, uint32_t id, enum path_class class,
		  uint64_t key, uint32_t parent, uint32_t where)
{
	struct queue *q = &w->queues[class];

	/* A walk that has stopped may have left it in a queue. */
	if (!w->n_wanted || w->key[id] <= key)
		return;
	w->key[id] = key;
	w->paths.parent[id] = parent;
	w->paths.where[id] = where;
	q->ids[q->n++] = id;
}

/* A chain starts with @id. */
static void start_with(struct walk *w, uint32_t id)
{
	offer(w, id, PATH_SURE, 0, HEAP_NONE, 0);
}

static void find(struct walk *w, uint32_t id)
{
	bitmap_set(w->paths.found, id);
	w->n_wanted -= bitmap_test(w->s->wanted, id);
}

/* With this reference to it, has the object as many as it needs (mark.c)? */
static bool is_enough(struct walk *w, uint32_t id)
{
	const struct overrides *overrides = w->s->overrides;
	size_t i;

	if (!overrides || !bitmap_test(overrides->counted, id))
		return true;
	return overrides_need(overrides, id, &i) <= ++w->seen[i];
}

/* May a chain go on from @source to @to? */
static bool leads(struct walk *w, uint32_t source, uint32_t to)
{
	const struct path_search *s = w->s;

	if (bitmap_test(w->paths.found, to))
		return false;
	if (w->leaked)
		return leak_is_white(s->kernel, s->reached, to) &&
		       leak_index_find(s->index, to) ==
			       leak_index_find(s->index, source);
	return bitmap_test(s->reached, to) &&
	       !bitmap_test(s->kernel->heap->free, to) && is_enough(w, to);
}

static bool is_stack(unsigned kind)
{
	return kind == ROOT_STACK || kind == ROOT_IRQ_STACK;
}

/* The object that a stack lies in: its frames refer to each other, which is no
 * answer to who holds it. */
static uint32_t own_object(const struct walk *w, uint32_t source)
{
	const struct path_search *s = w->s;
	uint32_t root = graph_source_root(s->graph, s->kernel, source);
	enum heap_reference how;

	if (root == UINT32_MAX ||
	    !is_stack(s->kernel->roots.data[root].kind))
		return HEAP_NONE;
	return heap_resolve(s->kernel->heap,
			    s->kernel->roots.data[root].start_va, &how);
}

/* @own: those to own_object(), or the others? */
static bool is_followed(const struct graph_edge *edge, uint32_t own,
			bool only_own)
{
	return only_own ? own != HEAP_NONE && edge->to == own :
			  own == HEAP_NONE || edge->to != own;
}

/* @key: of the source. */
static void follow_root(struct walk *w, uint32_t source, uint64_t key,
			bool only_own)
{
	const struct graph *graph = w->s->graph;
	enum path_class class = path_root_class(&w->cost, source);
	uint32_t own = own_object(w, source);
	uint64_t i;

	key += path_costs[class] * RANKS;
	for (i = graph->first[source]; i < graph->first[source + 1]; i++) {
		const struct graph_edge *edge = &graph->edges[i];

		if (is_followed(edge, own, only_own) &&
		    leads(w, source, edge->to))
			offer(w, edge->to, class, key, source, edge->where);
	}
}

static void follow(struct walk *w, uint32_t id)
{
	const struct graph *graph = w->s->graph;
	uint64_t i;

	path_cost_start(&w->cost, id);
	for (i = graph->first[id]; i < graph->first[id + 1]; i++) {
		const struct graph_edge *edge = &graph->edges[i];
		enum path_class class;

		if (!leads(w, id, edge->to))
			continue;
		class = path_object_class(&w->cost, id, edge);
		offer(w, edge->to, class,
		      w->key[id] + path_costs[class] * RANKS, id, edge->where);
	}
	path_cost_end(&w->cost, id);
}

/* The one with the best chain of those at the queues' heads; NULL: they are
 * empty. */
static struct queue *best_queue(struct walk *w)
{
	struct queue *best = NULL;
	unsigned class;

	for (class = 0; class < PATH_CLASSES; class++) {
		struct queue *q = &w->queues[class];

		/* By a better chain, out of another queue. */
		while (q->next < q->n &&
		       bitmap_test(w->paths.found, q->ids[q->next]))
			q->next++;
		if (q->next < q->n &&
		    (!best || w->key[q->ids[q->next]] <
				      w->key[best->ids[best->next]]))
			best = q;
	}
	return best;
}

static void drain(struct walk *w)
{
	struct queue *q;

	while (w->n_wanted && (q = best_queue(w))) {
		uint32_t id = q->ids[q->next++];

		find(w, id);
		follow(w, id);
	}
}

/* ---- chains that start at roots */

static unsigned rank_of(unsigned kind)
{
	static const uint8_t ranks[ROOT_KINDS + 1] = {
		[ROOT_SECTION] = 0,  [ROOT_MODULE] = 1,	   [ROOT_PERCPU] = 1,
		[ROOT_RESERVED] = 2, [ROOT_KINDS] = 3,	   [ROOT_CODE] = 4,
		[ROOT_REGISTERS] = 5, [ROOT_IRQ_STACK] = 6, [ROOT_STACK] = 7,
	};

	return ranks[kind];
}

/* Call @fn for each object of module memory. */
static void for_each_module_object(struct walk *w,
				   void (*fn)(struct walk *w, uint32_t id))
{
	const struct heap *heap = w->s->kernel->heap;
	uint32_t i, id;

	for (i = 0; i < heap->regions.size; i++) {
		const struct heap_region *r = &heap->regions.data[i];

		if (!(r->flags & HEAP_ROOT) || r->flags & HEAP_ALIAS)
			continue;
		for (id = r->first_id; id < r->first_id + r->n_objects; id++)
			fn(w, id);
	}
}

/* A chain starts here; what it leads to has its turn. */
static void find_module_object(struct walk *w, uint32_t id)
{
	if (bitmap_test(w->s->kernel->heap->free, id))
		return;
	w->key[id] = rank_of(ROOT_MODULE);
	w->paths.parent[id] = HEAP_NONE;
	find(w, id);
}

static void follow_module_object(struct walk *w, uint32_t id)
{
	if (bitmap_test(w->paths.found, id))
		follow(w, id);
}

static void follow_roots(struct walk *w, unsigned rank, bool only_own)
{
	const struct path_search *s = w->s;
	uint32_t source;

	for (source = s->graph->n_objects; source < s->graph->n_sources;
	     source++) {
		uint32_t root = graph_source_root(s->graph, s->kernel, source);

		if (rank_of(root == UINT32_MAX ?
				    ROOT_KINDS :
				    s->kernel->roots.data[root].kind) == rank)
			follow_root(w, source, rank, only_own);
	}
}

static void walk_roots(struct walk *w)
{
	unsigned rank;

	for_each_module_object(w, find_module_object);
	for (rank = 0; rank < RANKS; rank++) {
		if (rank == rank_of(ROOT_MODULE))
			for_each_module_object(w, follow_module_object);
		/* Who is just at work with it comes after all others. */
		if (rank == rank_of(ROOT_REGISTERS))
			drain(w);
		follow_roots(w, rank, false);
	}
	drain(w);
	follow_roots(w, rank_of(ROOT_IRQ_STACK), true);
	follow_roots(w, rank_of(ROOT_STACK), true);
	drain(w);
}

/* ---- chains that start elsewhere */

static void walk_doubtful(struct walk *w)
{
	const struct heap *heap = w->s->kernel->heap;
	uint32_t id;

	for (id = 0; id < heap->n_ids; id++) {
		if ((bitmap_test(heap->torn, id) ||
		     bitmap_test(heap->unreadable, id)) &&
		    !bitmap_test(w->paths.found, id))
			start_with(w, id);
	}
	drain(w);
}

static bool is_left(const struct walk *w, uint32_t id)
{
	return bitmap_test(w->s->reached, id) &&
	       !bitmap_test(w->paths.found, id);
}

/* The objects left over that others of these refer to; NULL: no memory. */
static uint64_t *find_referred(const struct walk *w)
{
	const struct graph *graph = w->s->graph;
	uint64_t *referred = bitmap_alloc(graph->n_objects), i;
	uint32_t id;

	for (id = 0; referred && id < graph->n_objects; id++) {
		if (!is_left(w, id))
			continue;
		for (i = graph->first[id]; i < graph->first[id + 1]; i++)
			bitmap_set(referred, graph->edges[i].to);
	}
	return referred;
}

static bool is_gray(const struct walk *w, uint32_t id)
{
	return w->s->overrides && bitmap_test(w->s->overrides->gray, id);
}

static void push_by_rule(struct walk *w, uint32_t id)
{
	bitmap_set(w->paths.by_rule, id);
	start_with(w, id);
}

/*
 * What is reached all the same was marked because of a rule (mark.c).  Of the
 * user's that is known object by object; of the built-in ones it follows: what
 * nothing else of these refers to, or of a cycle one.
 */
static struct kml_error *walk_excused(struct walk *w)
{
	_cleanup_free_ uint64_t *referred = find_referred(w);
	uint32_t id, n = w->s->graph->n_objects;

	if (!referred)
		return error_nomem();
	for (id = 0; id < n; id++) {
		if (is_left(w, id) && !bitmap_test(referred, id) &&
		    !is_gray(w, id))
			push_by_rule(w, id);
	}
	drain(w);
	for (id = 0; id < n; id++) {
		if (is_left(w, id) && is_gray(w, id))
			start_with(w, id);
	}
	drain(w);
	for (id = 0; id < n && w->n_wanted; id++) {
		if (is_left(w, id)) {
			push_by_rule(w, id);
			drain(w);
		}
	}
	return NULL;
}

static void walk_leaks(struct walk *w)
{
	const struct leaks *leaks = w->s->leaks;
	uint32_t i;

	w->leaked = true;
	for (i = 0; i < leaks->n_leaks; i++)
		start_with(w, leaks->leaks[i].id);
	drain(w);
}

static struct kml_error *walk_all(struct walk *w)
{
	struct kml_error *error = NULL;

	walk_roots(w);
	if (w->n_wanted)
		walk_doubtful(w);
	if (w->n_wanted)
		error = walk_excused(w);
	if (!error && w->n_wanted)
		walk_leaks(w);
	return error;
}

static struct kml_error *init(struct walk *w, const struct path_search *search)
{
	uint32_t n = MAX(search->graph->n_objects, 1);
	unsigned class;

	w->s = search;
	w->n_wanted = bitmap_count(search->wanted, search->graph->n_objects);
	w->paths.parent = malloc(n * sizeof(*w->paths.parent));
	w->paths.where = malloc(n * sizeof(*w->paths.where));
	w->paths.found = bitmap_alloc(n);
	w->paths.by_rule = bitmap_alloc(n);
	w->key = malloc(n * sizeof(*w->key));
	w->seen = calloc(search->overrides ?
				 search->overrides->counts.size + 1 : 1,
			 sizeof(*w->seen));
	for (class = 0; class < PATH_CLASSES; class++) {
		w->queues[class].ids = malloc(n * sizeof(uint32_t));
		if (!w->queues[class].ids)
			return error_nomem();
	}
	if (!w->paths.parent || !w->paths.where || !w->paths.found ||
	    !w->paths.by_rule || !w->key || !w->seen)
		return error_nomem();
	memset(w->key, 0xff, n * sizeof(*w->key));
	return path_cost_init(&w->cost, search->kernel, search->graph,
			      search->infer, search->reached);
}

struct kml_error *paths_find(const struct path_search *search,
			     struct paths *ret)
{
	struct walk w = { 0 };
	struct kml_error *error = init(&w, search);
	unsigned class;

	if (!error)
		error = walk_all(&w);
	if (error)
		paths_deinit(&w.paths);
	else
		*ret = w.paths;
	path_cost_deinit(&w.cost);
	for (class = 0; class < PATH_CLASSES; class++)
		free(w.queues[class].ids);
	free(w.key);
	free(w.seen);
	return error;
}

void paths_deinit(struct paths *paths)
{
	free(paths->parent);
	free(paths->where);
	free(paths->found);
	free(paths->by_rule);
	memset(paths, 0, sizeof(*paths));
}
