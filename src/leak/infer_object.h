/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of infer.c share. */
#ifndef KML_LEAK_INFER_OBJECT_H
#define KML_LEAK_INFER_OBJECT_H

#include "leak/infer.h"

/* What the words of an object that has no type yet look like. */
enum word_class {
	WORD_ZERO,   /* says nothing */
	WORD_NUMBER, /* no pointer */
	WORD_HEAP,   /* an address of memory */
	WORD_IMAGE,  /* an address of the kernel image or a module */
};
#define INFER_MAX_WORDS 512u /* of an object that are looked at */

struct infer_symbol {
	uint32_t id, offset; /* the object, and where in it */
	uint64_t va;
	uint32_t type;       /* of what is there: struct or function; 0 */
};

/* A struct with something at a place: a pointer to a type, or that type. */
struct infer_place {
	uint32_t type, offset; /* what, and where... */
	uint32_t outer;        /* ... in which struct */
};

struct infer_index {
	VEC(struct infer_place) pointers, members; /* sorted */
};

/* What there is for objects of a size: */
struct infer_fit {
	uint64_t most;  /* a type of more bytes does not fit */
	uint64_t least; /* one of less would be in a smaller slot */
	bool open;      /* its objects have no type yet */
	bool exact;     /* all objects are of one type, a cache of its own */
};

/* What has been said of an object: together in memory, for there are many more
 * voices than objects. */
struct infer_said {
	uint32_t type; /* 0: nothing; if decided, its type */
	uint8_t for_it, against;
	uint8_t confidence;
	uint8_t reason; /* INFER_REASONS: it is decided */
};

static inline bool infer_is_decided(const struct infer_said *said)
{
	return said->reason == INFER_REASONS;
}

struct inference {
	struct kernel *kernel;
	const struct graph *graph;
	struct infer out;
	const struct infer_options *options;
	uint32_t held_out;
	struct infer_index index;
	struct infer_fit *cache_fit; /* by cache */

	/* Contents of open objects: two bits a word. */
	uint64_t *region_words; /* by region: its first word in classes;
				   UINT64_MAX: not looked at */
	uint32_t *region_stride; /* words of an object */
	uint64_t *classes;
	VEC(struct infer_symbol) symbols; /* by id */

	struct infer_said *said; /* by object */
	VEC(uint32_t) touched;   /* of whom something was said */
	VEC(uint32_t) queue; /* typed, and their pointers not followed yet */
	uint64_t n_changes; /* of types, and of what is sure enough */
	uint64_t *generic;   /* a bit by type: part of anything */
	uint64_t *text;      /* a bit by object: it holds a string */
	uint64_t *named;     /* the same: it is in symbols */
	uint32_t cpumask;    /* the type: allocated as long as there are CPUs */
};

/* infer.c: all but the result, .out. */
void inference_deinit(struct inference *i);

static inline enum word_class infer_word(const struct inference *i,
					 uint64_t first, uint32_t word)
{
	uint64_t at = first + word;

	return (enum word_class)(i->classes[at / 32] >> at % 32 * 2 & 3);
}

static inline const struct heap_region *
infer_region(const struct inference *i, uint32_t id)
{
	return heap_region_of(i->kernel->heap, id);
}

/* Objects that may be of one type have one class: those of a cache, or of a kind
 * and size.  @r: the region of @id. */
static inline uint64_t infer_class_in(const struct inference *i,
				      const struct heap_region *r, uint32_t id)
{
	return r->kind == HEAP_SLAB ?
		       r->owner :
		       UINT64_C(1) << 63 | r->kind |
			       heap_object_bytes(i->kernel->heap, id) << 8;
}

static inline uint64_t infer_class(const struct inference *i, uint32_t id)
{
	return infer_class_in(i, infer_region(i, id), id);
}

/* From an object's start to the first word of it in the graph. */
static inline uint64_t infer_shift(const struct inference *i, uint32_t id)
{
	const struct heap_region *r = infer_region(i, id);

	/* Pages, areas and per-cpu blocks begin at a multiple of 4 at least;
	 * where that is not one of 8, heap_object_va() says so. */
	if (r->slot_bytes)
		return -(r->va + r->pad_bytes +
			 (uint64_t)(id - r->first_id) * r->slot_bytes) & 7;
	return r->kind == HEAP_PERCPU ?
		       -heap_object_va(i->kernel->heap, id) & 7 :
		       -r->va & 7;
}

/* infer_words.c */
struct kml_error *infer_read_words(struct inference *i) error_must_check;
/* The first class word of an object; false: its contents are not known. */
bool infer_words(const struct inference *i, uint32_t id, uint64_t *first_ret,
		 uint32_t *n_ret);
const struct infer_symbol *infer_symbols(const struct inference *i, uint32_t id,
					 size_t *n_ret);

/* infer_ahead.c: have what it takes to follow the objects that come after
 * @ids[0], or to @check them, near. */
void infer_ask_ahead(const struct inference *i, const uint32_t *ids, size_t n,
		     bool check);

/* infer_index.c */
struct kml_error *infer_make_index(struct inference *i) error_must_check;
const struct infer_place *infer_having_pointer(const struct inference *i,
					       uint32_t to, uint32_t offset,
					       size_t *n_ret);
const struct infer_place *infer_having_member(const struct inference *i,
					      uint32_t type, uint32_t offset,
					      size_t *n_ret);
bool infer_is_generic(const struct inference *i, uint32_t type);

/* infer_check.c */
struct infer_fit infer_fit_of(const struct inference *i, uint32_t id);
enum infer_size {
	INFER_TOO_LARGE,
	INFER_PART,  /* smaller than what is asked of kmalloc() for it */
	INFER_WHOLE,
};
enum infer_size infer_size(const struct inference *i,
			   const struct infer_fit *fit, uint32_t type);
struct infer_match {
	unsigned matches; /* pointers to objects of the type they are to */
	unsigned good;    /* pointers where pointers are to be */
	unsigned bad;     /* something else there, or pointers elsewhere */
};
struct infer_match infer_check(struct inference *i, uint32_t id, uint32_t type);
bool infer_is_plausible(const struct infer_match *match);

/* infer_resemble.c: rounds over what no typed pointer reaches. */
struct kml_error *infer_by_place(struct inference *i) error_must_check;
struct kml_error *infer_by_symbols(struct inference *i) error_must_check;
struct kml_error *infer_by_shape(struct inference *i) error_must_check;
struct kml_error *infer_by_kin(struct inference *i) error_must_check;

/* infer_variable.c: a word of a module's memory, or of its per-cpu variables,
 * that refers to an object and is in a typed variable. */
struct infer_module_word {
	uint32_t source, module; /* of the graph; index */
	uint64_t edge, where;    /* of the graph; from the source's start */
	const struct type_variable *variable;
	uint64_t offset;         /* in that */
};
typedef struct kml_error *infer_word_fn(struct inference *i, void *arg,
					const struct infer_module_word *word);
struct kml_error *infer_each_module_word(struct inference *i,
					 infer_word_fn *fn, void *arg)
	error_must_check;

/* infer_list.c */
struct kml_error *infer_by_list(struct inference *i) error_must_check;

/* infer_site.c, infer_own.c: by who allocated it. */
struct kml_error *infer_by_site(struct inference *i) error_must_check;
struct kml_error *infer_by_own(struct inference *i) error_must_check;

/* infer_cache.c: what fits the caches, and of which type their objects are. */
struct kml_error *infer_fit_caches(struct inference *i) error_must_check;
/* A struct of that name that fits; 0: there is none, or several. */
uint32_t infer_find_fitting(const struct types *types, const char *name,
			    uint64_t most, bool exact);

/* infer_follow.c: what a root's typed variables point to, and a module's... */
struct kml_error *infer_follow_root(struct inference *i, uint32_t source)
	error_must_check;
struct kml_error *infer_follow_module(struct inference *i, void *arg,
				      const struct infer_module_word *word)
	error_must_check;
/* ... and from there on, and from all that is decided, until nothing new has a
 * type. */
struct kml_error *infer_propagate(struct inference *i) error_must_check;

/* infer.c: say what an object is, unless that is known already. */
struct kml_error *infer_decide(struct inference *i, uint32_t id, uint32_t type,
			       enum infer_confidence confidence,
			       enum infer_reason reason, uint32_t from,
			       uint32_t where) error_must_check;
/* Allocated, of a cache that has no type, and without one. */
bool infer_is_open(const struct inference *i, uint32_t id);

#endif
