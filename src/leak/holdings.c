// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/holdings.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

struct finder {
	const struct kernel *kernel;
	struct retained r;
	struct holdings out;
	uint32_t *renumbered; /* by holder; HEAP_NONE: not named yet */
};

/* ---- whose variable retains an object */

static uint32_t module_of(const struct finder *f, uint32_t node)
{
	const struct anchors *holders = &f->r.holders;
	const struct anchor *holder;
	uint32_t module;

	if (retained_is_object(&f->r, node))
		return HOLDINGS_NOBODY;
	holder = &holders->list.data[node - f->r.live.n_objects];
	if (holder->kind != ANCHOR_VARIABLE && holder->kind != ANCHOR_PERCPU)
		return HOLDINGS_NOBODY;
	module = kernel_find_module(f->kernel,
				    anchor_name(holders, holder->module));
	return module == UINT32_MAX ? HOLDINGS_KERNEL : module;
}

/* What the node just below the root is, all below it inherit. */
static struct kml_error *find_modules(struct finder *f)
{
	const struct retained *r = &f->r;
	uint32_t root = live_root(&r->live), i;
	_cleanup_free_ uint32_t *module =
		malloc(MAX(r->tree.n_nodes, 1) * sizeof(*module));
	struct holdings *out = &f->out;

	out->live = bitmap_alloc(MAX(out->n_objects, 1));
	out->module = malloc(MAX(out->n_objects, 1) * sizeof(*out->module));
	if (!module || !out->live || !out->module)
		return error_nomem();
	memset(module, 0xff, r->tree.n_nodes * sizeof(*module));
	/* The root itself comes first. */
	for (i = 1; i < r->tree.n_reached; i++) {
		uint32_t node = r->tree.order[i], up = r->tree.idom[node];

		module[node] = up == root ? module_of(f, node) : module[up];
	}
	for (i = 0; i < out->n_objects; i++) {
		bool is_live = bitmap_test(r->live.nodes, i) &&
			       retained_counts(f->kernel->heap, i);

		if (is_live)
			bitmap_set(out->live, i);
		out->module[i] = is_live ? module[i] : HOLDINGS_NOBODY;
	}
	return NULL;
}

/* ---- the holders that are named */

static bool is_list(const struct finder *f,
		    const struct accumulation_word *word)
{
	const struct anchors *h = &f->r.holders;
	uint32_t holder = word->node - f->r.live.n_objects;
	unsigned answered = 0;
	uint64_t i;

	if (retained_is_object(&f->r, word->node) ||
	    word->offset == ANCHOR_NO_OFFSET)
		return false;
	for (i = h->list.data[holder].first_edge;
	     i < anchor_edges_end(h, holder); i++) {
		const struct anchor_edge *edge = &h->edges.data[i];

		if (edge->answered && edge->offset == word->offset)
			answered |= 1;
		if (edge->answered && edge->offset == word->offset + 8)
			answered |= 2;
	}
	return answered == 3;
}

static bool keep_name(struct finder *f, uint32_t *name)
{
	const char *text = anchor_name(&f->r.holders, *name);
	struct anchors *out = &f->out.holders;
	uint32_t at = (uint32_t)out->names.size;
	size_t n = strlen(text) + 1;

	if (!*text) {
		*name = 0;
		return true;
	}
	if (!vec_reserve(&out->names, at + n))
		return false;
	memcpy(out->names.data + at, text, n);
	out->names.size += n;
	*name = at;
	return true;
}

static bool keep_node(struct finder *f, uint32_t *node)
{
	struct anchors *out = &f->out.holders;
	struct anchor holder;
	uint32_t *renumbered;

	if (retained_is_object(&f->r, *node))
		return true;
	renumbered = &f->renumbered[*node - f->r.live.n_objects];
	if (*renumbered == HEAP_NONE) {
		holder = f->r.holders.list.data[*node - f->r.live.n_objects];
		holder.first_edge = 0;
		*renumbered = f->out.n_objects + (uint32_t)out->list.size;
		if (!keep_name(f, &holder.name) ||
		    !keep_name(f, &holder.module) ||
		    !vec_push(&out->list, holder))
			return false;
	}
	*node = *renumbered;
	return true;
}

static bool keep_point(struct finder *f, struct accumulation *point)
{
	bool kept = true;
	uint32_t i;

	point->is_list = point->n_steps && is_list(f, &point->steps[0]);
	for (i = 0; kept && i < point->n_steps; i++)
		kept = keep_node(f, &point->steps[i].node);
	for (i = 0; kept && i < point->n_ways; i++)
		kept = keep_node(f, &point->ways[i].node);
	return kept && keep_node(f, &point->node);
}

static struct kml_error *keep_holders(struct finder *f)
{
	size_t n = f->r.holders.list.size, i;
	bool kept;

	f->renumbered = malloc(MAX(n, 1u) * sizeof(*f->renumbered));
	if (!f->renumbered)
		return error_nomem();
	memset(f->renumbered, 0xff, n * sizeof(*f->renumbered));
	kept = vec_push(&f->out.holders.names, '\0');
	for (i = 0; kept && i < f->out.accumulations.points.size; i++)
		kept = keep_point(f, &f->out.accumulations.points.data[i]);
	return kept ? NULL : error_nomem();
}

struct kml_error *holdings_find(struct kernel *kernel,
				const struct graph *graph,
				const uint64_t *reached,
				const struct infer *infer,
				struct holdings *ret)
{
	struct finder f = { .kernel = kernel };
	struct kml_error *error;
	uint32_t root;

	error = retained_find(kernel, graph, reached, &f.r);
	if (error)
		return error;
	root = live_root(&f.r.live);
	f.out.n_objects = f.r.live.n_objects;
	f.out.objects = f.r.objects[root];
	f.out.bytes = f.r.bytes[root];
	error = accumulations_find(kernel, graph, &f.r, infer,
				   &f.out.accumulations);
	if (!error)
		error = find_modules(&f);
	if (!error)
		error = keep_holders(&f);
	retained_deinit(&f.r);
	free(f.renumbered);
	if (error)
		holdings_deinit(&f.out);
	else
		*ret = f.out;
	return error;
}

void holdings_deinit(struct holdings *holdings)
{
	free(holdings->live);
	free(holdings->module);
	anchors_deinit(&holdings->holders);
	accumulations_deinit(&holdings->accumulations);
	memset(holdings, 0, sizeof(*holdings));
}
