/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why an object is held: the chain of references that leads to it, of several
 * the one that costs least.  What a reference costs says path_cost.h: a sure
 * one is one link, a doubtful one as much as many.
 *
 * One walk by cost answers for all objects, in linear time, as there are few
 * costs (a queue for each: what enters one does so in the order of its key).
 * Chains start at a root; of several that cost the same the one counts whose
 * root comes first: variables of the kernel, module memory, per-cpu variables,
 * reserved memory, struct pages, code; then the one whose objects were met
 * first, in the order of ids.  Registers and stacks have their turn when
 * nothing else leads to an object, however cheap they are; the memory of a
 * stack is held by its own words only if by nothing else.  Objects that no root
 * leads to have a chain from what holds them otherwise, and leaked ones from
 * their leak.
 */
#ifndef KML_LEAK_PATH_H
#define KML_LEAK_PATH_H

#include "graph/overrides.h"
#include "leak/leak_index.h"

/* Where a chain starts. */
enum path_start {
	PATH_NONE,    /* there is none: the object is free */
	PATH_ROOT,    /* a root */
	PATH_MODULE,  /* memory of a module, which is in use by definition */
	PATH_DOUBT,   /* an object that may be allocated or free */
	PATH_BUILTIN, /* an object that a built-in rule says is no leak */
	PATH_USER,    /* the same of the user's rules, baseline or least age */
	PATH_LEAK,    /* a leak */
	PATH_STARTS,
};

struct paths {
	uint32_t *parent; /* by object: who refers to it, a source as in struct
			     graph; HEAP_NONE: a chain starts with it */
	uint32_t *where;  /* that reference, as in struct graph_edge */
	uint64_t *found;  /* a bit per object that has a chain */
	uint64_t *by_rule; /* of these, a bit per object at which one starts
			      because of a built-in rule */
};

struct path_search {
	struct kernel *kernel;
	const struct graph *graph;
	const uint64_t *reached;
	const struct overrides *overrides; /* of the user; NULL: none */
	const struct leaks *leaks;
	const struct leak_index *index;
	const struct infer *infer; /* NULL: types were not looked for */
	const uint64_t *wanted; /* a bit per object: stop when these are found */
};

struct kml_error *paths_find(const struct path_search *search,
			     struct paths *ret) error_must_check;
void paths_deinit(struct paths *paths);

/* A link of a chain: @source refers with @where to the object of the link
 * behind, or to the one that was asked for. */
struct path_link {
	uint32_t source, where;
};

/*
 * The chain to object @id, from its start on; the array is to be free()d.  It
 * is empty where the chain starts with the object itself, or there is none.
 */
struct kml_error *paths_get(const struct path_search *search,
			    const struct paths *paths, uint32_t id,
			    enum path_start *start_ret,
			    struct path_link **ret, uint32_t *n_ret)
	error_must_check;

#endif
