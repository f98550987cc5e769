// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * References that may be counted: every word that refers to an object itself,
 * but for those that are known not to be.
 */
#include "leak/refcount_object.h"

#include "graph/overrides.h"

/* Pointers to the object itself that go without being counted. */
static const struct {
	enum refcount_kind kind;
	const char *type, *member;
} uncounted[] = {
	/* __xdp_rxq_info_reg(), netif_napi_add(), loopback_net_init(),
	 * netdev_name_node_alloc(), neigh_sysctl_register() */
	{ REFCOUNT_NET_DEVICE, "xdp_rxq_info", "dev" },
	{ REFCOUNT_NET_DEVICE, "napi_struct", "dev" },
	{ REFCOUNT_NET_DEVICE, "net", "loopback_dev" },
	{ REFCOUNT_NET_DEVICE, "netdev_name_node", "dev" },
	{ REFCOUNT_NET_DEVICE, "ctl_table", "extra1" },
	/* A queue counts once; the next one's link or its head is back. */
	{ REFCOUNT_SK_BUFF, "sk_buff", "prev" },
	{ REFCOUNT_SK_BUFF, "sk_buff_head", "prev" },
	/* What counts is sk_buff.head. */
	{ REFCOUNT_PAGE, "sk_buff", "data" },
	/* copy_process(), complete_signal(), mm_update_next_owner() */
	{ REFCOUNT_TASK, "task_struct", "real_parent" },
	{ REFCOUNT_TASK, "task_struct", "parent" },
	{ REFCOUNT_TASK, "task_struct", "group_leader" },
	{ REFCOUNT_TASK, "signal_struct", "curr_target" },
	{ REFCOUNT_TASK, "mm_struct", "owner" },
};

static void find_members(struct refcount_finder *f)
{
	const struct types *types = &f->infer->types;
	size_t j;

	_Static_assert(ARRAY_SIZE(uncounted) <= MAX_UNCOUNTED,
		       "a slot for each");
	for (j = 0; j < ARRAY_SIZE(uncounted); j++) {
		struct refcount_member *m = &f->members[f->n_members];
		uint32_t unused;

		m->kind = uncounted[j].kind;
		m->type = types_find_one(types, uncounted[j].type);
		if (m->type && types_member(types, m->type, uncounted[j].member,
					    &m->offset, &unused))
			f->n_members++;
	}
}

/* A task's own stack goes with it. */
static bool is_own_stack(const struct refcount_finder *f,
			 const struct refcount_object *object, uint32_t source)
{
	uint32_t root = graph_source_root(f->graph, f->kernel, source);
	const struct kernel_root *r;

	if (object->kind != REFCOUNT_TASK || root == UINT32_MAX)
		return false;
	r = &f->kernel->roots.data[root];
	return r->kind == ROOT_STACK && r->owner < f->kernel->tasks.size &&
	       f->kernel->tasks.data[r->owner].va ==
		       heap_object_va(f->kernel->heap, object->id);
}

/* Pages that a CPU keeps are cut into pieces that are counted beforehand; those
 * of 1 KiB (page_frag_1k) say nowhere how many. */
static bool is_cut_up(const struct refcount_finder *f,
		      const struct refcount_object *object, uint32_t source)
{
	uint32_t root = graph_source_root(f->graph, f->kernel, source);

	return object->kind == REFCOUNT_PAGE && !object->cache_va &&
	       root != UINT32_MAX &&
	       f->kernel->roots.data[root].kind == ROOT_PERCPU;
}

/* The word of the cache that a block is cut up for. */
static bool is_cache(const struct refcount_finder *f,
		     const struct refcount_object *object, uint32_t source,
		     const struct graph_edge *edge)
{
	return object->cache_va &&
	       graph_edge_how(edge) == HEAP_REF_ADDRESS &&
	       graph_word_va(f->graph, f->kernel, source,
			     graph_edge_word(edge)) == object->cache_va;
}

static bool is_uncounted(const struct refcount_finder *f,
			 const struct refcount_object *object, uint32_t source,
			 uint64_t offset)
{
	const struct types *types = &f->infer->types;
	uint32_t type, bytes;
	size_t j;

	if (source >= f->infer->n_objects)
		return is_own_stack(f, object, source);
	type = f->infer->type[source];
	bytes = types_get(types, type)->size;
	if (f->infer->confidence[source] < INFER_MEDIUM || !bytes)
		return false;
	/* An array of them as well. */
	offset %= bytes;
	for (j = 0; j < f->n_members; j++) {
		const struct refcount_member *m = &f->members[j];

		if (m->kind == object->kind && offset >= m->offset &&
		    types_embeds(types, type, offset - m->offset, m->type))
			return true;
	}
	return false;
}

static void count_edges(struct refcount_finder *f, uint32_t source)
{
	const struct graph *graph = f->graph;
	uint64_t shift = source < graph->n_objects ?
				 -heap_object_va(f->kernel->heap, source) & 7 :
				 0;
	uint64_t j;

	for (j = graph->first[source]; j < graph->first[source + 1]; j++) {
		const struct graph_edge *edge = &graph->edges[j];
		struct refcount_object *object;

		if (f->index[edge->to] == HEAP_NONE)
			continue;
		object = &f->objects.data[f->index[edge->to]];
		/* A struct that has it in it begins where the object does. */
		if (graph_edge_word(edge) != GRAPH_WORD_NONE && graph->at[j] &&
		    graph->at[j] != object->offset &&
		    object->kind != REFCOUNT_PAGE)
			object->links++;
		else if (!is_cache(f, object, source, edge) &&
			 !is_uncounted(f, object, source,
				       graph_edge_word(edge) * 8ull + shift))
			object->references += is_cut_up(f, object, source) ?
						      MAX_PAGE_COUNT : 1;
	}
}

void refcount_count_references(struct refcount_finder *f)
{
	const struct graph *graph = f->graph;
	uint32_t source;
	size_t j;

	find_members(f);
	for (source = 0; source < graph->n_sources; source++)
		if (graph->first[source] != graph->first[source + 1])
			count_edges(f, source);
	/* What was taken for no reference may be one; but a lock's owner was a
	 * task, whose memory may be a block of pages by now. */
	for (j = 0; j < graph->n_disregarded; j++) {
		const struct graph_disregarded *word = &graph->disregarded[j];
		uint32_t index = f->index[word->to];

		if (index != HEAP_NONE &&
		    (word->why != DISREGARD_OWNER ||
		     f->objects.data[index].kind != REFCOUNT_PAGE))
			f->objects.data[index].references++;
	}
}
