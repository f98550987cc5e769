// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/util.h"
#include "debuginfo/types_object.h"

struct words {
	const struct types *types;
	types_encoded_fn *is_encoded;
	unsigned steps_left;
};

static enum types_word word_at(struct words *w, uint32_t type, uint64_t offset,
			       unsigned depth);

/* Any of the members that are there: there are several in a union alone, and
 * bit fields. */
static enum types_word word_in(struct words *w, const struct type_info *record,
			       uint64_t offset, unsigned depth)
{
	enum types_word best = TYPES_WORD_PADDING;
	uint32_t i;

	for (i = 0; i < record->n_members; i++) {
		const struct type_member *m =
			&w->types->members.data[record->first_member + i];
		uint64_t bytes = types_bytes(w->types, m->type);
		bool is_open = !bytes &&
			       types_get(w->types, m->type)->kind == TYPE_ARRAY;

		if (offset < m->offset ||
		    (offset - m->offset >= bytes && !is_open))
			continue;
		if (!w->steps_left--)
			return TYPES_WORD_POINTER;
		if (m->name && record->name &&
		    w->is_encoded(string_pool_get(&w->types->strings,
						  record->name),
				  string_pool_get(&w->types->strings, m->name)))
			return TYPES_WORD_POINTER;
		best = MAX(best, word_at(w, m->type, offset - m->offset,
					 depth + 1));
	}
	return best;
}

static enum types_word word_at(struct words *w, uint32_t type, uint64_t offset,
			       unsigned depth)
{
	const struct type_info *record = types_get(w->types, type);
	uint64_t bytes;

	if (depth > TYPES_MAX_DEPTH)
		return TYPES_WORD_POINTER;
	switch (record->kind) {
	case TYPE_POINTER:
		return TYPES_WORD_POINTER;
	case TYPE_ARRAY:
		bytes = types_bytes(w->types, record->target);
		/* Characters are storage for anything. */
		if (!bytes || bytes == 1 || !record->count)
			return TYPES_WORD_POINTER;
		return word_at(w, record->target, offset % bytes, depth + 1);
	case TYPE_STRUCT:
	case TYPE_UNION:
		return word_in(w, record, offset, depth);
	case TYPE_INTEGER:
		return TYPES_WORD_NUMBER;
	default:
		return TYPES_WORD_POINTER; /* nothing is known of it */
	}
}

enum types_word types_word(const struct types *types, uint32_t type,
			   uint64_t offset, types_encoded_fn *is_encoded)
{
	struct words w = { types, is_encoded, UINT16_MAX };

	if (types_is_struct(types, type) &&
	    offset >= types_get(types, type)->size)
		return types_is_open(types, type) ? TYPES_WORD_POINTER :
						    TYPES_WORD_BEHIND;
	return word_at(&w, type, offset, 0);
}
