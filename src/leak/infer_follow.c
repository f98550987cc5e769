// SPDX-License-Identifier: GPL-2.0-or-later
/* Typed pointers, level by level: each is a vote for the type of what it points
 * to, and when all of a level are in, it is decided. */
#include "base/util.h"
#include "graph/overrides.h"
#include "leak/infer_object.h"

#define MAX_CONTAINERS 64u /* that are looked at */

static uint8_t add_one(uint8_t n)
{
	return n < UINT8_MAX ? n + 1 : n;
}

/* ---- votes of typed pointers */

/* Two types of what lies at one place agree if one begins with the other. */
static bool agree(const struct inference *i, uint32_t a, uint32_t b)
{
	return types_embeds(&i->out.types, a, 0, b) ||
	       types_embeds(&i->out.types, b, 0, a);
}

struct vote {
	uint32_t id, type;
	enum infer_confidence confidence;
	enum infer_reason reason;
	uint32_t from, where;
};

static void take_candidate(struct inference *i, const struct vote *vote)
{
	struct infer_said *said = &i->said[vote->id];

	said->type = vote->type;
	said->confidence = (uint8_t)vote->confidence;
	said->reason = (uint8_t)vote->reason;
	i->out.from[vote->id] = vote->from;
	i->out.where[vote->id] = vote->where;
}

static struct kml_error *count_vote(struct inference *i,
				    const struct vote *vote)
{
	uint32_t id = vote->id, cand = i->said[id].type;
	struct infer_said *said = &i->said[id];

	if (infer_is_decided(said)) {
		if (agree(i, cand, vote->type))
			said->for_it = add_one(said->for_it);
		else
			said->against = add_one(said->against);
		return NULL;
	}
	if (!cand || (!agree(i, cand, vote->type) && said->for_it == 0)) {
		if (!cand && !vec_push(&i->touched, id))
			return error_nomem();
		take_candidate(i, vote);
		said->for_it = 1;
	} else if (agree(i, cand, vote->type)) {
		if (vote->confidence > said->confidence ||
		    types_get(&i->out.types, vote->type)->size >
			    types_get(&i->out.types, cand)->size)
			take_candidate(i, vote);
		said->for_it = add_one(said->for_it);
	} else {
		/* As in a majority vote: the next one may replace it. */
		said->for_it--;
		said->against = add_one(said->against);
	}
	return NULL;
}

/*
 * The struct among those with @type at @at that fits the object, if there is
 * just one, or one that what is in the object speaks for.
 */
static uint32_t find_container(struct inference *i, uint32_t id, uint32_t type,
			       uint32_t at)
{
	struct infer_fit fit = infer_fit_of(i, id);
	const struct infer_place *places;
	unsigned best_score = 0, n_best = 0, n_fit = 0;
	uint32_t best = 0;
	size_t n, j;

	places = infer_having_member(i, type, at, &n);
	for (j = 0; j < n && n_fit < MAX_CONTAINERS; j++) {
		struct infer_match match;
		unsigned score;

		if (infer_size(i, &fit, places[j].outer) != INFER_WHOLE ||
		    types_is_open(&i->out.types, places[j].outer))
			continue;
		n_fit++;
		match = infer_check(i, id, places[j].outer);
		if (!infer_is_plausible(&match))
			continue;
		score = 1 + match.matches;
		if (score > best_score) {
			best_score = score;
			best = places[j].outer;
			n_best = 1;
		} else if (score == best_score) {
			n_best++;
		}
	}
	return n_best == 1 && n_fit < MAX_CONTAINERS ? best : 0;
}

/* A pointer to a @type at @at of an object. */
static struct kml_error *vote_for(struct inference *i, uint32_t id,
				  uint32_t type, uint32_t at,
				  enum infer_confidence confidence,
				  enum infer_reason reason, uint32_t from,
				  uint32_t where)
{
	struct vote vote = { id, type, confidence, reason, from, where };
	struct infer_said *said = &i->said[id];
	struct infer_fit fit;

	if (!heap_is_allocated(i->kernel->heap, id) ||
	    (types_is_struct(&i->out.types, type) ?
		     infer_is_generic(i, type) : at > 0))
		return NULL;
	fit = infer_fit_of(i, id);
	if (!fit.open)
		return NULL;
	if (at) {
		if (infer_is_decided(said)) {
			if (at < types_get(&i->out.types, said->type)->size &&
			    !types_embeds(&i->out.types, said->type, at, type))
				said->against = add_one(said->against);
			return NULL;
		}
		vote.type = find_container(i, id, type, at);
		vote.reason = INFER_BY_MEMBER;
		vote.confidence = MIN(confidence, INFER_MEDIUM);
		if (!vote.type)
			return NULL;
	}
	if (infer_size(i, &fit, vote.type) == INFER_TOO_LARGE)
		return NULL;
	return count_vote(i, &vote);
}

/* ---- following pointers */

/* What the word at @offset of a @type, @where in its source, refers to. */
static struct kml_error *follow(struct inference *i, uint32_t source,
				uint64_t where, const struct graph_edge *edge,
				uint32_t at, uint32_t type, uint64_t offset,
				enum infer_confidence confidence,
				enum infer_reason reason)
{
	bool is_array = types_get(&i->out.types, type)->kind == TYPE_POINTER;
	enum heap_reference how = graph_edge_how(edge);
	uint32_t target;
	bool overlaid;

	if (graph_edge_word(edge) == GRAPH_WORD_NONE ||
	    (how != HEAP_REF_ADDRESS && how != HEAP_REF_PERCPU))
		return NULL;
	if (at == GRAPH_AT_UNKNOWN) {
		if (how != HEAP_REF_PERCPU)
			return NULL;
		at = 0;
	}
	/* An array of pointers: all of them are alike. */
	if (!types_pointer_at(&i->out.types, type, is_array ? 0 : offset,
			      &target, &overlaid) ||
	    !target || types_get(&i->out.types, target)->kind == TYPE_FUNCTION)
		return NULL;
	if (overlaid)
		confidence = MIN(confidence, INFER_LOW);
	return vote_for(i, edge->to, target, at, confidence, reason, source,
			(uint32_t)where);
}

static struct kml_error *follow_object(struct inference *i, uint32_t id)
{
	const struct graph *graph = i->graph;
	uint64_t shift = infer_shift(i, id), j;
	enum infer_confidence confidence =
		MIN(i->out.confidence[id], INFER_HIGH);
	struct kml_error *error = NULL;

	for (j = graph->first[id]; !error && j < graph->first[id + 1]; j++) {
		const struct graph_edge *edge = &graph->edges[j];
		uint64_t offset = graph_edge_word(edge) * 8ull + shift;

		error = follow(i, id, offset, edge, graph->at[j],
			       i->out.type[id], offset, confidence,
			       INFER_BY_POINTER);
	}
	return error;
}

struct kml_error *infer_follow_root(struct inference *i, uint32_t source)
{
	const struct kernel_root *root =
		&i->kernel->roots.data[source - i->graph->n_objects];
	const struct graph *graph = i->graph;
	struct kml_error *error = NULL;
	uint64_t link, j;

	for (j = graph->first[source]; !error && j < graph->first[source + 1];
	     j++) {
		const struct graph_edge *edge = &graph->edges[j];
		const struct type_variable *variable;
		uint64_t va = root->start_va +
			      graph_word_offset(graph, i->kernel, source,
						graph_edge_word(edge));

		if (!kernel_root_link(i->kernel, root, va, &link))
			return NULL;
		variable = types_variable(&i->out.types, link);
		if (variable)
			error = follow(i, source, va - root->start_va, edge,
				       graph->at[j], variable->type,
				       link - variable->address, INFER_HIGH,
				       INFER_BY_VARIABLE);
	}
	return error;
}

struct kml_error *infer_follow_module(struct inference *i, void *arg,
				       const struct infer_module_word *word)
{
	(void)arg;
	return follow(i, word->source, word->where,
		      &i->graph->edges[word->edge], i->graph->at[word->edge],
		      word->variable->type, word->offset, INFER_HIGH,
		      INFER_BY_VARIABLE);
}

/* What was said of an object on this level comes to a decision. */
static struct kml_error *decide_candidate(struct inference *i, uint32_t id)
{
	struct infer_said *said = &i->said[id];
	enum infer_confidence confidence = said->confidence;
	enum infer_reason reason = said->reason;
	uint32_t type = said->type, container;
	struct infer_fit fit = infer_fit_of(i, id);
	struct infer_match match;

	if (infer_is_decided(said))
		return NULL;
	said->type = 0;
	i->out.votes[id] = said->for_it;
	said->for_it = 0;
	if (infer_size(i, &fit, type) == INFER_PART) {
		container = find_container(i, id, type, 0);
		if (container) {
			type = container;
			reason = INFER_BY_MEMBER;
			confidence = MIN(confidence, INFER_MEDIUM);
		}
	}
	match = infer_check(i, id, type);
	if (!infer_is_plausible(&match))
		return NULL;
	if (said->against && confidence > INFER_LOW)
		confidence--;
	if (confidence == INFER_HIGH && i->out.votes[id] < 2 &&
	    !match.matches && match.good < 2)
		confidence = INFER_MEDIUM;
	return infer_decide(i, id, type, confidence, reason, i->out.from[id],
			    i->out.where[id]);
}

struct kml_error *infer_propagate(struct inference *i)
{
	struct kml_error *error = NULL;
	size_t from = 0, to, j;

	while (!error && (from < i->queue.size || i->touched.size)) {
		for (to = i->queue.size; !error && from < to; from++) {
			infer_ask_ahead(i, &i->queue.data[from], to - from,
					false);
			error = follow_object(i, i->queue.data[from]);
		}
		for (j = 0; !error && j < i->touched.size; j++) {
			infer_ask_ahead(i, &i->touched.data[j],
					i->touched.size - j, true);
			error = decide_candidate(i, i->touched.data[j]);
		}
		i->touched.size = 0;
	}
	i->queue.size = 0;
	return error;
}
