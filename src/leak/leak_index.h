/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From an object to the leak that it is, or is behind. */
#ifndef KML_LEAK_LEAK_INDEX_H
#define KML_LEAK_LEAK_INDEX_H

#include "leak/leak.h"

struct leak_index_row {
	uint32_t id, leak;
};

struct leak_index {
	struct leak_index_row *rows; /* by id; each leaked object once */
	uint32_t n_rows;
};

struct kml_error *leak_index_make(const struct leaks *leaks,
				  struct leak_index *ret) error_must_check;
void leak_index_deinit(struct leak_index *index);

/* Index into leaks.leaks; UINT32_MAX: the object is not leaked. */
uint32_t leak_index_find(const struct leak_index *index, uint32_t id);

#endif
