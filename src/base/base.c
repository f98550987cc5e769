// SPDX-License-Identifier: GPL-2.0-or-later
#include "base/bitmap.h"
#include "base/util.h"
#include "base/vec.h"

bool vec_grow(void **data, size_t *capacity, size_t want, size_t elem_bytes)
{
	size_t n = MAX(*capacity + *capacity / 2, (size_t)16);
	size_t bytes;
	void *p;

	n = MAX(n, want);
	if (__builtin_mul_overflow(n, elem_bytes, &bytes))
		return false;
	p = realloc(*data, bytes);
	if (!p)
		return false;
	*data = p;
	*capacity = n;
	return true;
}

void text_list_deinit(struct text_list *list)
{
	size_t i;

	for (i = 0; i < list->all.size; i++)
		free(list->all.data[i]);
	vec_deinit(&list->all);
}

uint64_t bitmap_next(const uint64_t *map, uint64_t bits, uint64_t from)
{
	uint64_t i = from / 64, word;

	if (from >= bits)
		return bits;
	word = map[i] & (~UINT64_C(0) << (from % 64));
	while (!word) {
		if (++i * 64 >= bits)
			return bits;
		word = map[i];
	}
	return MIN(i * 64 + (uint64_t)__builtin_ctzll(word), bits);
}

uint64_t bitmap_count(const uint64_t *map, uint64_t bits)
{
	uint64_t n = 0, i;

	for (i = 0; i < bits / 64; i++)
		n += (uint64_t)__builtin_popcountll(map[i]);
	if (bits % 64)
		n += (uint64_t)__builtin_popcountll(
			map[i] & ((UINT64_C(1) << (bits % 64)) - 1));
	return n;
}
