/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A growable array: `VEC(struct foo) foos;`, zero-initialised.  .data holds
 * .size elements and room for .capacity; indices stay valid, pointers don't.
 */
#ifndef KML_BASE_VEC_H
#define KML_BASE_VEC_H

#include <stdbool.h>
#include <stddef.h>

#define VEC(type)             \
	struct {              \
		type *data;   \
		size_t size;  \
		size_t capacity; \
	}

/* Grow *@data to at least @want elements of @elem_bytes; false: no memory. */
bool vec_grow(void **data, size_t *capacity, size_t want, size_t elem_bytes);

/* Make room for @n more elements; false if there is no memory. */
#define vec_reserve(v, n)                                              \
	((v)->size + (n) <= (v)->capacity ||                           \
	 vec_grow((void **)&(v)->data, &(v)->capacity, (v)->size + (n), \
		  sizeof(*(v)->data)))

/* Append a value; false if there is no memory. */
#define vec_push(v, value) \
	(vec_reserve(v, 1) && ((v)->data[(v)->size++] = (value), true))

/* Append a zeroed element; a pointer to it, or NULL if there is no memory. */
#define vec_add(v)                                                        \
	(vec_reserve(v, 1) ? memset(&(v)->data[(v)->size++], 0,           \
				    sizeof(*(v)->data)) :                 \
			     NULL)

#define vec_deinit(v)                        \
	do {                                 \
		free((v)->data);             \
		(v)->data = NULL;            \
		(v)->size = (v)->capacity = 0; \
	} while (0)

/* Texts that were malloc()ed, for what refers to them by `const char *`. */
struct text_list {
	VEC(char *) all;
};
void text_list_deinit(struct text_list *list);

#endif
