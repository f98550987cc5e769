/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What objects are, when nobody says: types, inferred over the graph.
 *
 * A few objects' types are known: those of caches that are named after their
 * struct, and what typed variables of the kernel point to.  From these on,
 * a pointer member of a typed object gives what it points to its type, and so
 * forth to a fixed point.  What is left is compared with what has a type by
 * now: the place where its kind is found (the list that it is on), the symbols
 * that it refers to (an `ops` pointer, a function), what it points to.
 *
 * No type stands against what can be seen: it has to fit the slab cache (of
 * kmalloc the class that it would be served from), its pointers have to be
 * pointers, and functions functions.
 *
 * Every answer has a confidence and a reason.  INFER_HIGH says that it is
 * right in all but a few cases (tests/results.md has the figures); INFER_LOW
 * is a hint.  A wrong answer is worse than none.
 */
#ifndef KML_LEAK_INFER_H
#define KML_LEAK_INFER_H

#include "debuginfo/types.h"
#include "graph/graph.h"
#include "kernel/kernel.h"
#include "leak/site.h"

enum infer_confidence {
	INFER_NONE,
	INFER_LOW,
	INFER_MEDIUM,
	INFER_HIGH,
	INFER_KNOWN, /* the kernel, or the user, says so */
	INFER_CONFIDENCES,
};
/* "none", "low", "medium", "high", "known": stable. */
extern const char *const infer_confidences[INFER_CONFIDENCES];

enum infer_reason {
	INFER_NO_REASON,
	INFER_BY_USER,     /* --type */
	INFER_BY_CACHE,    /* the cache is named after it */
	INFER_BY_KERNEL,   /* it is in the kernel's own list of them */
	INFER_BY_VARIABLE, /* a typed variable points to it */
	INFER_BY_POINTER,  /* a pointer member of a typed object does */
	INFER_BY_MEMBER,   /* one points to a member of it */
	INFER_BY_PLACE,    /* where it is found only objects of that type are */
	INFER_BY_SYMBOLS,  /* it refers to symbols as objects of that type do */
	INFER_BY_SHAPE,    /* what it points to is what that type points to */
	INFER_BY_KIN,      /* the other objects of its cache are of it */
	INFER_BY_MODULE,   /* it is on a module's list, where of the module's
			      own structs only this one fits */
	INFER_BY_SITE,     /* what else the same function allocated is of it */
	INFER_BY_FIT,      /* of the own structs of the module that allocated it
			      only this one fits */
	INFER_BY_GUESS,    /* it is leaked, nobody says by whom, and of the own
			      structs of the modules that the user named this
			      one fits best */
	INFER_REASONS,
};
/* "user", "cache", ...: stable. */
extern const char *const infer_reasons[INFER_REASONS];

struct infer {
	struct types types;
	uint32_t n_objects;
	uint32_t *type;      /* by object id; 0: not known */
	uint8_t *confidence; /* enum infer_confidence */
	uint8_t *reason;     /* enum infer_reason */
	uint8_t *votes;      /* how many said so, at most 255 */
	uint32_t *from;      /* who: a source of the graph, an object that it
				resembles; UINT32_MAX: nobody in particular */
	uint32_t *where;     /* the offset in that, or in the object */
	uint8_t *part;       /* a bit each: there may be more behind the type
				than kmalloc() leaves unused */
	uint32_t *cache_type; /* by cache: of all of its objects; 0: unknown;
				 NULL once it is pruned */
	uint64_t counts[INFER_CONFIDENCES];
};

/* What the user says: --type ADDR=TYPE. */
struct infer_override {
	uint32_t id;
	uint32_t type;
};

struct infer_options {
	const struct infer_override *overrides;
	size_t n_overrides;
	uint32_t held_out; /* a cache that is taken for one of kmalloc, to see
			      whether inference finds what its name says;
			      UINT32_MAX: none */
	struct sites *sites;       /* open; NULL: who allocated what is not to
				      count */
	const uint64_t *reached;   /* by the mark; NULL: not known */
};

/* @types is taken over.  Frees what it holds on failure. */
struct kml_error *infer_run(struct kernel *kernel, const struct graph *graph,
			    struct types *types,
			    const struct infer_options *options,
			    struct infer *ret) error_must_check;
void infer_deinit(struct infer *infer);

/* Where types come from, besides the vmlinux and the dump. */
struct infer_sources {
	const char *cache_dir;
	const char *const *modules; /* files of modules, and folders of such */
	size_t n_modules;
};

/* The kernel's types, those of its modules included, as far as the vmlinux, the
 * cache, the dump or the modules' files have them. */
struct kml_error *infer_load_types(struct kernel *kernel,
				   const struct infer_sources *sources,
				   struct types *ret) error_must_check;

/*
 * Keep of the types what reports ask: those that objects are of, with their
 * members.  Types have new numbers then: *@number_ret is an array from the old
 * ones, to be free()d.
 */
struct kml_error *infer_prune(struct infer *infer, uint32_t **number_ret)
	error_must_check;

/* Whether the type of all of an object is known, or at least probable; @infer:
 * NULL: of none. */
bool infer_is_known(const struct infer *infer, uint32_t id);

/*
 * The type of an object that its cache does not tell, where infer_is_known():
 * 0 if there is none.
 */
uint32_t infer_beyond_cache(const struct infer *infer, uint32_t id);

/* The bytes of an object's type; less than the object's: it begins with it. */
uint64_t infer_bytes(const struct infer *infer, uint32_t id);

/*
 * The member of an object that @offset is in, "list.next".  False where the
 * type is not known, or nothing is there.
 */
bool infer_member(const struct infer *infer, uint32_t id, uint64_t offset,
		  char *ret, size_t bytes);

#endif
