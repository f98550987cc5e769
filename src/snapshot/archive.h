/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The codec of snapshots.  One function per struct serves both directions, so
 * that what is saved and what is loaded cannot diverge:
 *
 *	static void archive_foo(struct archive *a, struct foo *foo)
 *	{
 *		archive_u64(a, &foo->va);
 *		archive_u32(a, &foo->owner);
 *		archive_check(a, foo->owner < limit, "an owner");
 *	}
 *
 * Saving only reads what it is given.  Numbers are stored as variable-length
 * integers: small ones are short, and the same on any machine.
 *
 * What is loaded is hostile: each function checks that there is as much as it
 * takes, and the caller checks with archive_check() what numbers mean.  The
 * first failure sticks; from then on all values that are loaded are 0, and all
 * counts, so that no loop runs away.  Memory that is loaded belongs to the
 * struct that it is loaded into, as if its room had made it, whether loading
 * fails or not.
 */
#ifndef KML_SNAPSHOT_ARCHIVE_H
#define KML_SNAPSHOT_ARCHIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"

struct archive {
	bool loading;
	VEC(uint8_t) out;           /* what was saved */
	const uint8_t *in, *in_end; /* what is left to load */
	struct text_list *strings; /* while loading */
	bool failed;
	struct kml_error *error;    /* if failed */
};

/* Start saving; or loading from @in, which has to stay where it is. */
void archive_init_save(struct archive *a);
void archive_init_load(struct archive *a, const void *in, size_t bytes,
		       struct text_list *strings);
/* What went wrong, if anything did; loading, also if something is left over.
 * Frees what was saved. */
struct kml_error *archive_finish(struct archive *a) error_must_check;

/* Fail with KML_ERR_CORRUPT, "the snapshot is damaged: @what makes no sense";
 * with an error of one's own; for want of memory. */
void archive_corrupt(struct archive *a, const char *what);
void archive_fail(struct archive *a, struct kml_error *error);
void archive_nomem(struct archive *a);

/* While loading: @condition, or the snapshot is damaged. */
#define archive_check(a, condition, what)                        \
	do {                                                     \
		if ((a)->loading && !(a)->failed && !(condition)) \
			archive_corrupt(a, what);                \
	} while (0)

/*
 * A struct of which all is kept that is to be: with another size it has members
 * that nobody has thought of here.  Add them to its function, or say why not,
 * raise SNAPSHOT_VERSION (file.h), and set the size right.
 */
#if __SIZEOF_POINTER__ == 8
#define archive_covers(type, bytes) \
	_Static_assert(sizeof(type) == (bytes), #type " has changed")
#else
#define archive_covers(type, bytes) \
	_Static_assert(sizeof(type), #type " has changed")
#endif

/* ---- numbers */

void archive_u64(struct archive *a, uint64_t *v);
void archive_u32(struct archive *a, uint32_t *v);
void archive_u16(struct archive *a, uint16_t *v);
void archive_u8(struct archive *a, uint8_t *v);
void archive_bool(struct archive *a, bool *v);
void archive_i64(struct archive *a, int64_t *v);
void archive_i32(struct archive *a, int32_t *v);
void archive_unsigned(struct archive *a, unsigned *v);
void archive_size(struct archive *a, size_t *v);
void archive_double(struct archive *a, double *v);
/* The rest of a number whose first byte says that there is more. */
uint64_t archive_load_long(struct archive *a);

/* Load a number, where there are millions. */
static inline uint64_t archive_load(struct archive *a)
{
	if (a->in < a->in_end && *a->in < 0x80)
		return *a->in++;
	return archive_load_long(a);
}

/* Differences of 32 bits, positive and negative ones, as small numbers. */
static inline uint32_t archive_fold(uint32_t difference)
{
	return difference << 1 ^ -(difference >> 31);
}

static inline uint32_t archive_unfold(uint32_t folded)
{
	return folded >> 1 ^ -(folded & 1);
}

/* @v as its difference from @near; what it is. */
static inline uint32_t archive_near(struct archive *a, uint32_t v,
				    uint32_t near)
{
	uint64_t folded = archive_fold(v - near);

	if (!a->loading) {
		archive_u64(a, &folded);
		return v;
	}
	folded = archive_load(a);
	archive_check(a, folded <= UINT32_MAX, "a number");
	return near + archive_unfold((uint32_t)folded);
}

/* One that is near *@last, which it then becomes: addresses in order. */
void archive_delta(struct archive *a, uint64_t *v, uint64_t *last);

/* ---- text */

/* A NUL-terminated array; what is behind the NUL is not kept. */
void archive_chars(struct archive *a, char *text, size_t bytes);
/* Malloc()ed, or NULL. */
void archive_text(struct archive *a, char **text);
/* Someone else's, or NULL; loaded into a->strings. */
void archive_string(struct archive *a, const char **text);

/* NUL-terminated strings, one behind the other, in a VEC(char): there is at
 * least one. */
#define archive_name_pool(a, v, what)                                          \
	archive_name_block(a, &(v)->data, &(v)->size, &(v)->capacity, what)
void archive_name_block(struct archive *a, char **data, size_t *size,
			size_t *capacity, const char *what);

/* ---- arrays */

/*
 * How many elements there are; loading, at most as many as there are bytes
 * left for @min_bytes each (0: elements of no bytes, at most @max of them).
 */
void archive_count(struct archive *a, uint64_t *n, uint64_t min_bytes,
		   uint64_t max);

/* @bytes of plain memory that is there already. */
void archive_bytes(struct archive *a, void *data, size_t bytes);

/* An array of @n elements, which were counted; malloc()ed. */
void archive_u8s(struct archive *a, uint8_t **array, uint64_t n);
void archive_u32s(struct archive *a, uint32_t **array, uint64_t n);
void archive_u64s(struct archive *a, uint64_t **array, uint64_t n);
/* A bitmap as of base/bitmap.h, or NULL. */
void archive_bitmap(struct archive *a, uint64_t **map, uint64_t bits);

/* Loading: a zeroed array of @n elements; NULL if that fails, which sticks. */
void *archive_alloc(struct archive *a, uint64_t n, size_t elem_bytes);

/*
 * A VEC: its size, then @each(a, &element, arg...) for every element.
 *
 *	archive_vec(a, &kernel->tasks, archive_task);
 */
#define archive_vec(a, v, each, ...)                                         \
	do {                                                                 \
		uint64_t archive_n_ = (v)->size, archive_i_;                 \
		archive_count(a, &archive_n_, 1, UINT32_MAX);                \
		if ((a)->loading) {                                          \
			(v)->data = archive_alloc(a, archive_n_,             \
						  sizeof(*(v)->data));       \
			(v)->size = (v)->capacity =                          \
				(v)->data ? archive_n_ : 0;                  \
		}                                                            \
		for (archive_i_ = 0; archive_i_ < (v)->size; archive_i_++)   \
			each(a, &(v)->data[archive_i_], ##__VA_ARGS__);      \
	} while (0)

/* The same for a pointer and a count of uint32_t. */
#define archive_list(a, array, n, each, ...)                                 \
	do {                                                                 \
		uint64_t archive_n_ = *(n), archive_i_;                      \
		archive_count(a, &archive_n_, 1, UINT32_MAX);                \
		if ((a)->loading) {                                          \
			*(array) = archive_alloc(a, archive_n_,              \
						 sizeof(**(array)));         \
			*(n) = *(array) ? (uint32_t)archive_n_ : 0;          \
		}                                                            \
		for (archive_i_ = 0; archive_i_ < *(n); archive_i_++)        \
			each(a, &(*(array))[archive_i_], ##__VA_ARGS__);     \
	} while (0)

#endif
