// SPDX-License-Identifier: GPL-2.0-or-later
/* The words of modules' variables, where their files say what is there. */
#include "base/util.h"
#include "graph/overrides.h"
#include "leak/infer_object.h"

/* @percpu: the per-cpu pointer of the first byte of @source; 0: it is memory. */
static struct kml_error *each_word(struct inference *i, uint32_t module,
				   uint32_t source, uint64_t percpu,
				   infer_word_fn *fn, void *arg)
{
	const struct graph *graph = i->graph;
	uint64_t start = heap_object_va(i->kernel->heap, source), j;
	struct kml_error *error = NULL;
	struct infer_module_word word = {
		.source = source, .module = module,
	};

	for (j = graph->first[source]; !error && j < graph->first[source + 1];
	     j++) {
		uint32_t at = graph_edge_word(&graph->edges[j]);
		uint64_t link;

		if (at == GRAPH_WORD_NONE)
			continue;
		word.where = graph_word_offset(graph, i->kernel, source, at);
		link = percpu ? (percpu + word.where) ^ TYPES_PERCPU :
				start + word.where - i->kernel->kaslr_offset;
		word.variable = types_variable(&i->out.types, link);
		if (!word.variable)
			continue;
		word.edge = j;
		word.offset = link - word.variable->address;
		error = fn(i, arg, &word);
	}
	return error;
}

static struct kml_error *each_part(struct inference *i, uint32_t index,
				   infer_word_fn *fn, void *arg)
{
	const struct kernel_module *module = &i->kernel->modules.data[index];
	const struct heap *heap = i->kernel->heap;
	enum heap_reference how = HEAP_REF_NONE;
	struct kml_error *error = NULL;
	unsigned part;
	uint32_t id;

	for (part = 0; !error && part < module->n_parts; part++) {
		id = heap_resolve(heap, module->part_va[part], &how);
		if (id != HEAP_NONE && how == HEAP_REF_ADDRESS)
			error = each_word(i, index, id, 0, fn, arg);
	}
	if (error || !module->percpu)
		return error;
	id = heap_resolve(heap, module->percpu, &how);
	return id == HEAP_NONE || how != HEAP_REF_PERCPU ?
		       NULL :
		       each_word(i, index, id, module->percpu, fn, arg);
}

struct kml_error *infer_each_module_word(struct inference *i,
					 infer_word_fn *fn, void *arg)
{
	struct kml_error *error = NULL;
	uint32_t j;

	for (j = 0; !error && j < i->kernel->modules.size; j++)
		error = each_part(i, j, fn, arg);
	return error;
}
