/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From white objects to leaks.
 *
 * A dropped list of a million nodes is one leak, not a million: the white
 * objects are condensed by strongly connected components, and a component
 * that no other white object refers to is a leak root.  What can be reached
 * from it are its followers, each counted with one root (the first, in order
 * of object ids).  Roots that look alike make a group.
 */
#ifndef KML_LEAK_LEAK_H
#define KML_LEAK_LEAK_H

#include <stdint.h>

#include "base/error.h"
#include "graph/graph.h"
#include "kernel/kernel.h"
#include "leak/infer.h"
#include "leak/site.h"

enum leak_verdict {
	LEAK_DEFINITE, /* nothing refers to it */
	LEAK_CYCLE,    /* objects that refer to each other, and nothing else
			  to any of them */
	LEAK_POSSIBLE, /* a word that equals its address was taken for
			  something else, or what may hold it could not be
			  read (trust.h); in a cycle or not */
	LEAK_VERDICTS,
};

/* "definite", "cycle", "possible": stable.  What is behind a leak is
 * indirect. */
extern const char *const leak_verdicts[LEAK_VERDICTS];

struct leak {
	uint32_t id;             /* the object that stands for the leak */
	uint32_t group;
	uint32_t first_follower; /* index into leaks.followers */
	uint32_t n_followers;    /* other objects of a cycle are among them */
	uint32_t n_cycle;        /* objects in the cycle; 1: none */
	uint64_t bytes;          /* of the object */
	uint64_t follower_bytes;
	uint8_t verdict;         /* enum leak_verdict */
};

/* Leaks of one signature. */
struct leak_group {
	uint8_t kind;          /* enum heap_kind */
	uint32_t cache;        /* HEAP_SLAB: index into kernel.caches, else
				  UINT32_MAX */
	uint64_t object_bytes; /* of each root */
	uint64_t caller;       /* who allocated them: a return address; 0 if
				  unknown, or known by an allocation tag */
	uint32_t place;        /* the same: index into sites.places, or
				  HEAP_NONE */
	uint32_t type;         /* where neither a cache of their own nor a
				  caller tells them from others: of which type
				  of infer.types, by infer_beyond_cache(); 0:
				  unknown */
	uint64_t shape;        /* hash of the kinds of its followers */
	uint32_t first_leak;   /* leaks.leaks[first_leak .. + n_leaks) */
	uint32_t n_leaks;
	uint64_t bytes;        /* of the roots */
	uint64_t n_followers, follower_bytes;
	uint64_t fingerprint;  /* fingerprint.h */
};

struct leaks {
	struct leak *leaks;        /* by group; in a group by address */
	uint32_t n_leaks;
	uint32_t n_by_verdict[LEAK_VERDICTS];
	uint32_t *followers;       /* object ids; of one leak in order of ids,
				      by address within a kind */
	uint32_t n_followers;
	struct leak_group *groups; /* the one with most bytes first */
	uint32_t n_groups;
	uint64_t n_objects, bytes; /* of all white objects */
	uint64_t kind_objects[HEAP_KINDS], kind_bytes[HEAP_KINDS];
};

/* Find the leaks among what @reached leaves white.  @sites: open, or NULL:
 * then only areas have a caller.  @infer: NULL: types are not known. */
struct kml_error *leaks_find(const struct kernel *kernel,
			     const struct graph *graph,
			     const uint64_t *reached, struct sites *sites,
			     const struct infer *infer, struct leaks *ret)
	error_must_check;
void leaks_deinit(struct leaks *leaks);

/* White: allocated beyond doubt, and not reached. */
bool leak_is_white(const struct kernel *kernel, const uint64_t *reached,
		   uint32_t id);

#endif
