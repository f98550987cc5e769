/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of anchor.h share. */
#ifndef KML_LEAK_ANCHOR_OBJECT_H
#define KML_LEAK_ANCHOR_OBJECT_H

#include "leak/anchor.h"

/* A word that refers to an object. */
struct anchor_word {
	uint64_t va; /* what it is sorted by, if it is in no memory */
	uint32_t to;
};

/* A variable, or what stands for one. */
struct anchor_place {
	uint64_t va, end_va;
	bool behind; /* a variable points to it, which the name is of */
	char name[160];
};

struct anchor_find {
	struct kernel *kernel;
	const struct graph *graph;
	struct anchors *holders;
	VEC(struct anchor_word) words;
	/* Of the module whose memory is being split. */
	const struct kernel_module *module;
	uint32_t module_name;
};

typedef struct kml_error *anchor_place_fn(const struct anchor_find *find,
					  uint64_t va, void *arg,
					  struct anchor_place *ret);

/* ---- anchor.c */

/* Add to holders->names. */
struct kml_error *anchor_add_name(struct anchor_find *find, const char *name,
				  uint32_t *ret) error_must_check;
/* A source's words, by address. */
struct kml_error *anchor_gather(struct anchor_find *find, uint32_t source,
				uint64_t base_va) error_must_check;
/* The gathered words by the variable that @place says each is in. */
struct kml_error *anchor_add_split(struct anchor_find *find,
				   enum anchor_kind kind, uint32_t owner,
				   anchor_place_fn *place, void *arg)
	error_must_check;

/* anchor_answer.c */
/*
 * Does the object have a word that refers to the variable at @start, or to
 * something in it up to the word at @word_va?  Only its first bytes are
 * looked at.
 */
bool anchor_is_answered(const struct anchor_find *find, uint32_t id,
			uint64_t start, uint64_t word_va);

/* anchor_module.c: the variables of a module. */
struct kml_error *anchor_add_module(struct anchor_find *find,
				    const struct kernel_module *module)
	error_must_check;

#endif
