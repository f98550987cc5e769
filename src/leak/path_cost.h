/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a reference costs a chain, in links: the less it is known to be one, the
 * more.  A chain of many good references explains more than a short one that
 * rests on a word which may be there by chance, or since long.
 */
#ifndef KML_LEAK_PATH_COST_H
#define KML_LEAK_PATH_COST_H

#include "leak/infer.h"
#include "leak/regular.h"

enum path_class {
	/* Variables; words of objects that are answered (the object refers to
	 * its holder as well) or regular (regular.h). */
	PATH_SURE,
	/* Other pointer members of objects whose type is known. */
	PATH_LIKELY,
	/* Other words of objects, and reserved memory's; members that are no
	 * pointers, and what is behind the last one; those by which objects
	 * are looked up; struct pages, stacks, registers; per-cpu pointers and
	 * physical addresses, which look like numbers. */
	PATH_DOUBTFUL,
	PATH_CLASSES,
};
extern const uint8_t path_costs[PATH_CLASSES];

struct path_cost {
	struct kernel *kernel;
	const struct graph *graph;
	struct regular regular;
	struct regular_row row;
	uint64_t **words; /* by cache whose type is known: a bit per word that
			     may be a pointer; NULL: unknown */
	uint64_t *variables; /* a bit per object: of a module's variables */
	const struct infer *infer; /* NULL: types were not looked for */
	/* By type of that, of each of its words, once it is asked for: enum
	 * types_word plus one. */
	uint8_t **type_words;
	uint32_t n_types;
};

struct kml_error *path_cost_init(struct path_cost *cost, struct kernel *kernel,
				 const struct graph *graph,
				 const struct infer *infer,
				 const uint64_t *reached) error_must_check;
void path_cost_deinit(struct path_cost *cost);

/* Of all references of a source that is no object. */
enum path_class path_root_class(const struct path_cost *cost, uint32_t source);

/* Of one of object @id's; between the two others, and only then. */
void path_cost_start(struct path_cost *cost, uint32_t id);
enum path_class path_object_class(struct path_cost *cost, uint32_t id,
				  const struct graph_edge *edge);
void path_cost_end(struct path_cost *cost, uint32_t id);

#endif
