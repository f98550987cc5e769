/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sorted indexes behind what reports ask of addresses and objects, so that a
 * question takes no walk over all tasks, roots, leaks or references.
 */
#ifndef KML_REPORT_LOOKUP_H
#define KML_REPORT_LOOKUP_H

#include "graph/reverse.h"
#include "leak/leak_index.h"
#include "report/report.h"

struct lookup_range {
	uint64_t start_va, bytes;
	uint32_t index; /* of a task, a root, a CPU, a module */
};

struct lookup {
	struct lookup_range *stacks; /* of tasks */
	struct lookup_range *units;  /* static per-cpu variables: roots */
	struct lookup_range *cpus;   /* by the distance of their copies */
	struct lookup_range *modules; /* by their per-cpu pointer */
	size_t n_stacks, n_units, n_cpus, n_modules;
	uint64_t image_shift;        /* from a physical address of the kernel
					image to the virtual one; 0: unknown */
	uint64_t **pointer_words;    /* by cache, once asked for */
	bool has_leaks, has_references;
	struct leak_index leaks;
	struct graph_reverse references;
};

/* NULL: no memory. */
struct lookup *lookup_create(const struct kernel *kernel);
void lookup_destroy(struct lookup *lookup, const struct kernel *kernel);

/* Index leaks, or the references to the objects that the report's options
 * name; false: no memory, which sticks to the writer. */
bool lookup_leaks(struct report *report);
bool lookup_references(struct report *report);

/* A task, a root of ROOT_PERCPU, by an address; a CPU by the distance of its
 * per-cpu copies; a module by the per-cpu pointer of its variables: UINT32_MAX
 * if there is none. */
uint32_t lookup_stack(const struct lookup *lookup, uint64_t va);
uint32_t lookup_unit(const struct lookup *lookup, uint64_t va);
uint32_t lookup_cpu(const struct lookup *lookup, uint64_t cpu_offset);
uint32_t lookup_percpu_module(const struct lookup *lookup, uint64_t pointer);

/* A bit for each word of the objects of a cache that may be a pointer, by
 * their @type (kernel/type.h); NULL: no memory, which sticks to the writer. */
const uint64_t *lookup_pointer_words(struct report *report, uint32_t cache,
				     const char *type);

#endif
