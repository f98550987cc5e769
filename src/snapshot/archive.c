// SPDX-License-Identifier: GPL-2.0-or-later
#include "snapshot/archive.h"

#include <stdlib.h>
#include <string.h>

#include "base/bitmap.h"
#include "base/util.h"

/* A number of 64 bits takes ten bytes of seven bits each at most. */
#define VARINT_MAX 10u

void archive_init_save(struct archive *a)
{
	memset(a, 0, sizeof(*a));
}

void archive_init_load(struct archive *a, const void *in, size_t bytes,
		       struct text_list *strings)
{
	memset(a, 0, sizeof(*a));
	a->loading = true;
	a->in = in;
	a->in_end = a->in + bytes;
	a->strings = strings;
}

struct kml_error *archive_finish(struct archive *a)
{
	archive_check(a, a->in == a->in_end, "its end");
	vec_deinit(&a->out);
	return take_ptr(a->error);
}

void archive_fail(struct archive *a, struct kml_error *error)
{
	if (a->failed)
		kml_error_destroy(error);
	else
		a->error = error;
	a->failed = true;
	a->in = a->in_end;
}

void archive_corrupt(struct archive *a, const char *what)
{
	archive_fail(a, error_new(KML_ERR_CORRUPT,
				  "the snapshot is damaged: %s makes no sense",
				  what));
}

void archive_nomem(struct archive *a)
{
	archive_fail(a, error_nomem());
}

/* ---- numbers */

static void save_u64(struct archive *a, uint64_t v)
{
	uint8_t *p;

	if (!vec_reserve(&a->out, VARINT_MAX)) {
		archive_nomem(a);
		return;
	}
	p = a->out.data + a->out.size;
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	a->out.size = (size_t)(p - a->out.data);
}

uint64_t archive_load_long(struct archive *a)
{
	const uint8_t *p = a->in;
	uint64_t v = 0;
	unsigned shift;

	if (a->failed)
		return 0;
	for (shift = 0; p < a->in_end && shift < 64; shift += 7) {
		uint64_t bits = *p & 0x7f;

		/* Of the tenth byte there is room for one bit. */
		if (shift == 63 && bits > 1)
			break;
		v |= bits << shift;
		if (!(*p++ & 0x80)) {
			a->in = p;
			return v;
		}
	}
	archive_corrupt(a, "a number");
	return 0;
}

void archive_u64(struct archive *a, uint64_t *v)
{
	if (a->loading)
		*v = archive_load(a);
	else
		save_u64(a, *v);
}

/* A number of at most @max. */
static uint64_t archive_bounded(struct archive *a, uint64_t v, uint64_t max)
{
	archive_u64(a, &v);
	archive_check(a, v <= max, "a number");
	return a->failed ? 0 : v;
}

void archive_u32(struct archive *a, uint32_t *v)
{
	uint32_t value = (uint32_t)archive_bounded(a, *v, UINT32_MAX);

	if (a->loading)
		*v = value;
}

void archive_u16(struct archive *a, uint16_t *v)
{
	uint16_t value = (uint16_t)archive_bounded(a, *v, UINT16_MAX);

	if (a->loading)
		*v = value;
}

void archive_u8(struct archive *a, uint8_t *v)
{
	uint8_t value = (uint8_t)archive_bounded(a, *v, UINT8_MAX);

	if (a->loading)
		*v = value;
}

void archive_bool(struct archive *a, bool *v)
{
	bool value = archive_bounded(a, *v, 1);

	if (a->loading)
		*v = value;
}

static uint64_t zigzag(uint64_t v)
{
	return v << 1 ^ -(v >> 63);
}

static uint64_t unzigzag(uint64_t v)
{
	return v >> 1 ^ -(v & 1);
}

void archive_i64(struct archive *a, int64_t *v)
{
	uint64_t value = zigzag((uint64_t)*v);

	archive_u64(a, &value);
	if (a->loading)
		*v = (int64_t)unzigzag(value);
}

void archive_i32(struct archive *a, int32_t *v)
{
	int64_t value = *v;

	archive_i64(a, &value);
	archive_check(a, value >= INT32_MIN && value <= INT32_MAX, "a number");
	if (a->loading)
		*v = a->failed ? 0 : (int32_t)value;
}

void archive_unsigned(struct archive *a, unsigned *v)
{
	uint32_t value = *v;

	archive_u32(a, &value);
	if (a->loading)
		*v = value;
}

void archive_size(struct archive *a, size_t *v)
{
	uint64_t value = *v;

	archive_u64(a, &value);
	if (a->loading)
		*v = value;
}

void archive_double(struct archive *a, double *v)
{
	archive_bytes(a, v, sizeof(*v));
}

void archive_delta(struct archive *a, uint64_t *v, uint64_t *last)
{
	uint64_t difference = zigzag(*v - *last);

	archive_u64(a, &difference);
	if (a->loading)
		*v = *last + unzigzag(difference);
	*last = *v;
}

/* ---- text */

void archive_bytes(struct archive *a, void *data, size_t bytes)
{
	if (!bytes)
		return;
	if (!a->loading) {
		if (!vec_reserve(&a->out, bytes)) {
			archive_nomem(a);
			return;
		}
		memcpy(a->out.data + a->out.size, data, bytes);
		a->out.size += bytes;
		return;
	}
	archive_check(a, (size_t)(a->in_end - a->in) >= bytes, "its length");
	if (a->failed) {
		memset(data, 0, bytes);
		return;
	}
	memcpy(data, a->in, bytes);
	a->in += bytes;
}

void archive_chars(struct archive *a, char *text, size_t bytes)
{
	uint64_t n = a->loading ? 0 : strnlen(text, bytes - 1);

	archive_count(a, &n, 1, bytes - 1);
	archive_bytes(a, text, n);
	if (a->loading)
		memset(text + n, 0, bytes - n);
}

/* As archive_text(), without a NUL inside of it. */
void archive_text(struct archive *a, char **text)
{
	/* 0: NULL, otherwise the length and one. */
	uint64_t n = a->loading || !*text ? 0 : strlen(*text) + 1;

	archive_count(a, &n, 0, UINT32_MAX);
	if (!a->loading) {
		archive_bytes(a, *text, n ? n - 1 : 0);
		return;
	}
	*text = NULL;
	archive_check(a, !n || n - 1 <= (size_t)(a->in_end - a->in), "a text");
	if (a->failed || !n)
		return;
	*text = archive_alloc(a, n, 1);
	if (!*text)
		return;
	archive_bytes(a, *text, n - 1);
	archive_check(a, strlen(*text) == n - 1, "a text");
}

void archive_string(struct archive *a, const char **text)
{
	char *copy = (char *)*text;

	archive_text(a, &copy);
	if (!a->loading)
		return;
	*text = copy;
	if (copy && !vec_push(&a->strings->all, copy)) {
		free(copy);
		*text = NULL;
		archive_nomem(a);
	}
}

/* ---- arrays */

void archive_count(struct archive *a, uint64_t *n, uint64_t min_bytes,
		   uint64_t max)
{
	archive_u64(a, n);
	if (!a->loading)
		return;
	archive_check(a, *n <= max &&
		      (!min_bytes || *n <= (uint64_t)(a->in_end - a->in) /
						   min_bytes),
		      "a count");
	if (a->failed)
		*n = 0;
}

void *archive_alloc(struct archive *a, uint64_t n, size_t elem_bytes)
{
	void *data;

	if (a->failed)
		return NULL;
	data = calloc(MAX(n, 1), elem_bytes);
	if (!data)
		archive_nomem(a);
	return data;
}

static void archive_plain(struct archive *a, void **array, uint64_t n,
			  size_t elem_bytes)
{
	if (a->loading) {
		*array = NULL;
		archive_check(a, n <= (size_t)(a->in_end - a->in) / elem_bytes,
			      "a count");
		*array = archive_alloc(a, n, elem_bytes);
		if (!*array)
			return;
	}
	archive_bytes(a, *array, n * elem_bytes);
}

void archive_u8s(struct archive *a, uint8_t **array, uint64_t n)
{
	archive_plain(a, (void **)array, n, sizeof(**array));
}

void archive_u32s(struct archive *a, uint32_t **array, uint64_t n)
{
	archive_plain(a, (void **)array, n, sizeof(**array));
}

void archive_u64s(struct archive *a, uint64_t **array, uint64_t n)
{
	archive_plain(a, (void **)array, n, sizeof(**array));
}

void archive_bitmap(struct archive *a, uint64_t **map, uint64_t bits)
{
	bool is_there = !a->loading && *map;

	if (a->loading)
		*map = NULL;
	archive_bool(a, &is_there);
	if (!is_there)
		return;
	/* As bitmap_alloc(): a word more than would do. */
	archive_u64s(a, map, bits / 64 + 1);
}

void archive_name_block(struct archive *a, char **data, size_t *size,
			size_t *capacity, const char *what)
{
	uint64_t n = *size;

	archive_count(a, &n, 1, UINT32_MAX);
	if (a->loading) {
		*data = archive_alloc(a, n, 1);
		*size = *capacity = *data ? n : 0;
	}
	archive_bytes(a, *data, *size);
	archive_check(a, *size && !(*data)[*size - 1], what);
}
