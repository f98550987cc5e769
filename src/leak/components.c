// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Tarjan's algorithm, with its recursion unrolled: a dropped list may be a
 * million objects deep.
 */
#include "leak/components.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "leak/leak.h"

struct frame {
	uint32_t white;
	uint64_t edge; /* the next of its edges to look at */
};

struct tarjan {
	const struct graph *graph;
	struct components *c;
	uint32_t *index; /* order of discovery from 1; 0: not yet */
	uint32_t *low;
	uint32_t *stack; /* open objects */
	uint64_t *on_stack;
	uint32_t n_stack, next_index;
	struct frame *frames;
	uint32_t n_frames;
};

static struct kml_error *number_whites(const struct kernel *kernel,
				       const struct graph *graph,
				       const uint64_t *reached,
				       struct components *c)
{
	uint32_t id, n = 0;

	for (id = 0; id < graph->n_objects; id++)
		n += leak_is_white(kernel, reached, id);
	c->n_white = n;
	c->ids = malloc(MAX(n, 1) * sizeof(*c->ids));
	c->white = malloc(MAX(graph->n_objects, 1) * sizeof(*c->white));
	c->component = malloc(MAX(n, 1) * sizeof(*c->component));
	c->size = calloc(MAX(n, 1), sizeof(*c->size));
	c->referred = bitmap_alloc(n);
	if (!c->ids || !c->white || !c->component || !c->size || !c->referred)
		return error_nomem();
	memset(c->component, 0xff, MAX(n, 1) * sizeof(*c->component));
	for (id = 0, n = 0; id < graph->n_objects; id++) {
		c->white[id] = HEAP_NONE;
		if (leak_is_white(kernel, reached, id)) {
			c->white[id] = n;
			c->ids[n++] = id;
		}
	}
	return NULL;
}

static void open_object(struct tarjan *t, uint32_t white)
{
	t->index[white] = t->low[white] = ++t->next_index;
	t->stack[t->n_stack++] = white;
	bitmap_set(t->on_stack, white);
	t->frames[t->n_frames++] = (struct frame){
		white, t->graph->first[t->c->ids[white]]
	};
}

/* The object of the top frame is done: close its component if it heads one. */
static void close_object(struct tarjan *t)
{
	uint32_t white = t->frames[--t->n_frames].white, member;

	if (t->n_frames) {
		uint32_t up = t->frames[t->n_frames - 1].white;

		t->low[up] = MIN(t->low[up], t->low[white]);
	}
	if (t->low[white] != t->index[white])
		return;
	do {
		member = t->stack[--t->n_stack];
		bitmap_clear(t->on_stack, member);
		t->c->component[member] = t->c->n_components;
		t->c->size[t->c->n_components]++;
	} while (member != white);
	t->c->n_components++;
}

static void visit(struct tarjan *t, uint32_t start)
{
	open_object(t, start);
	while (t->n_frames) {
		struct frame *frame = &t->frames[t->n_frames - 1];
		uint32_t white = frame->white, to;

		if (frame->edge == t->graph->first[t->c->ids[white] + 1]) {
			close_object(t);
			continue;
		}
		to = t->c->white[t->graph->edges[frame->edge++].to];
		if (to == HEAP_NONE)
			continue;
		if (!t->index[to])
			open_object(t, to);
		else if (bitmap_test(t->on_stack, to))
			t->low[white] = MIN(t->low[white], t->index[to]);
	}
}

static void note_references(const struct graph *graph, struct components *c)
{
	uint32_t white;
	uint64_t i;

	for (white = 0; white < c->n_white; white++) {
		uint32_t id = c->ids[white];

		for (i = graph->first[id]; i < graph->first[id + 1]; i++) {
			uint32_t to = c->white[graph->edges[i].to];

			if (to != HEAP_NONE &&
			    c->component[to] != c->component[white])
				bitmap_set(c->referred, c->component[to]);
		}
	}
}

static struct kml_error *run_tarjan(const struct graph *graph,
				    struct components *c)
{
	uint64_t n = MAX(c->n_white, 1);
	_cleanup_free_ uint32_t *index = calloc(n, sizeof(*index));
	_cleanup_free_ uint32_t *low = calloc(n, sizeof(*low));
	_cleanup_free_ uint32_t *stack = calloc(n, sizeof(*stack));
	_cleanup_free_ uint64_t *on_stack = bitmap_alloc(n);
	_cleanup_free_ struct frame *frames = calloc(n, sizeof(*frames));
	struct tarjan t = {
		.graph = graph, .c = c, .index = index, .low = low,
		.stack = stack, .on_stack = on_stack, .frames = frames,
	};
	uint32_t white;

	if (!index || !low || !stack || !on_stack || !frames)
		return error_nomem();
	for (white = 0; white < c->n_white; white++) {
		if (!index[white])
			visit(&t, white);
	}
	return NULL;
}

struct kml_error *components_find(const struct kernel *kernel,
				  const struct graph *graph,
				  const uint64_t *reached,
				  struct components *ret)
{
	struct components c = { 0 };
	struct kml_error *error;

	error = number_whites(kernel, graph, reached, &c);
	if (!error)
		error = run_tarjan(graph, &c);
	if (error) {
		components_deinit(&c);
		return error;
	}
	note_references(graph, &c);
	*ret = c;
	return NULL;
}

void components_deinit(struct components *components)
{
	free(components->ids);
	free(components->white);
	free(components->component);
	free(components->size);
	free(components->referred);
}
