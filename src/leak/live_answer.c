// SPDX-License-Identifier: GPL-2.0-or-later
/* Which references of the live graph are answered: both rows have the other. */
#include "leak/live_object.h"

#include "base/pool.h"

/* (another thread may just say that it is answered) */
static uint32_t target_at(const struct flow *flow, uint64_t i)
{
	return __atomic_load_n(&flow->to[i], __ATOMIC_RELAXED) & TARGET_MASK;
}

/* Where @to is in a row; its end: it is not. */
static uint64_t find_target(const struct flow *flow, uint32_t from, uint32_t to)
{
	uint64_t lo = flow->first[from], end = flow->first[from + 1ull];

	lo += partition_point(end - lo, mid, target_at(flow, lo + mid) < to);
	return lo < end && target_at(flow, lo) == to ? lo : end;
}

static void set_answered(const struct flow *flow, uint64_t i)
{
	if (flow->to[i] >> SORT_SHIFT != WORD_LOOKUP)
		__atomic_store_n(&flow->to[i],
				 flow->to[i] | SORT_ANSWERED << SORT_SHIFT,
				 __ATOMIC_RELAXED);
}

/* The rows of what references further on lead to. */
static void ask_ahead(const struct flow *flow, uint64_t i)
{
	uint64_t end = flow->first[flow->root];

	if (i + 2 * AHEAD < end)
		__builtin_prefetch(&flow->first[target_at(flow, i + 2 * AHEAD)]);
	if (i + AHEAD < end)
		__builtin_prefetch(
			&flow->to[flow->first[target_at(flow, i + AHEAD)]]);
}

static struct kml_error *find_answered(void *arg, unsigned thread,
				       uint64_t chunk)
{
	struct live_build *b = arg;
	const struct flow *flow = b->flow;
	uint32_t node = chunk_start(chunk), end = chunk_stop(b, chunk);
	uint64_t i;

	(void)thread;
	for (; node < end; node++) {
		for (i = flow->first[node]; i < flow->first[node + 1ull]; i++) {
			uint32_t to = target_at(flow, i);

			ask_ahead(flow, i);
			if (find_target(flow, to, node) != flow->first[to + 1ull])
				set_answered(flow, i);
		}
	}
	return NULL;
}

/* Of holders it is known by their words, several of which may have had the
 * same target. */
static void take_answered(struct live_build *b)
{
	size_t i;

	for (i = 0; i < b->holders->edges.size; i++) {
		const struct anchor_edge *edge = &b->holders->edges.data[i];
		uint32_t node = live_anchor(b->live, edge->holder);
		uint64_t at;

		if (!edge->answered || !is_node(b, edge->to))
			continue;
		at = find_target(b->flow, node, edge->to);
		if (at != b->flow->first[node + 1ull])
			set_answered(b->flow, at);
	}
}

struct kml_error *live_find_answered(struct live_build *b)
{
	struct kml_error *error;

	error = pool_run(b->n_threads, n_chunks(b), find_answered, b);
	take_answered(b);
	return error;
}
