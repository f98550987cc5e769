// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include <string.h>

#include "base/bitmap.h"
#include "base/message.h"
#include "base/pool.h"
#include "base/util.h"
#include "base/vec.h"

static void test_error(void **state)
{
	struct kml_error *error;
	uint64_t address;

	(void)state;
	error = error_at(KML_ERR_CORRUPT, 0x1000, "bad %s", "list");
	assert_string_equal(kml_error_message(error), "bad list");
	assert_true(kml_error_address(error, &address));
	assert_int_equal(address, 0x1000);
	error = error_prefix(error, "in '%s'", "x");
	assert_string_equal(kml_error_message(error), "in 'x': bad list");
	assert_int_equal(kml_error_code(error), KML_ERR_CORRUPT);
	kml_error_destroy(error);

	error = error_os(2, "cannot open '%s'", "y");
	assert_string_equal(kml_error_message(error),
			    "cannot open 'y': No such file or directory");
	assert_false(kml_error_address(error, &address));
	kml_error_destroy(error);

	/* The static error survives everything that is done to errors. */
	error = error_prefix(error_nomem(), "more");
	assert_string_equal(kml_error_message(error), "out of memory");
	kml_error_destroy(error);
	assert_int_equal(kml_error_code(NULL), KML_OK);
}

static void test_vec(void **state)
{
	VEC(uint32_t) v = { 0 };
	uint32_t i;

	(void)state;
	for (i = 0; i < 1000; i++)
		assert_true(vec_push(&v, i * 3));
	assert_int_equal(v.size, 1000);
	for (i = 0; i < 1000; i++)
		assert_int_equal(v.data[i], i * 3);
	assert_non_null(vec_add(&v));
	assert_int_equal(v.data[1000], 0);
	/* More elements than any machine has memory for. */
	assert_false(vec_reserve(&v, SIZE_MAX / 8));
	assert_int_equal(v.size, 1001);
	vec_deinit(&v);
}

static void test_bitmap(void **state)
{
	uint64_t *map = bitmap_alloc(200), i;

	(void)state;
	bitmap_set(map, 0);
	bitmap_set(map, 63);
	bitmap_set(map, 64);
	bitmap_set_atomic(map, 199);
	assert_int_equal(bitmap_count(map, 200), 4);
	assert_int_equal(bitmap_count(map, 199), 3);
	assert_int_equal(bitmap_next(map, 200, 0), 0);
	assert_int_equal(bitmap_next(map, 200, 1), 63);
	assert_int_equal(bitmap_next(map, 200, 65), 199);
	assert_int_equal(bitmap_next(map, 199, 65), 199);
	assert_int_equal(bitmap_next(map, 200, 200), 200);
	bitmap_clear(map, 64);
	for (i = 0; i < 200; i++)
		assert_int_equal(bitmap_test(map, i),
				 i == 0 || i == 63 || i == 199);
	free(map);
}

struct sums {
	uint64_t chunk[1000];
	uint64_t fail_from;
};

static struct kml_error *add_chunk(void *arg, unsigned thread, uint64_t chunk)
{
	struct sums *sums = arg;

	assert_true(thread < 4);
	if (chunk >= sums->fail_from)
		return error_at(KML_ERR_NODATA, chunk, "chunk");
	sums->chunk[chunk] += chunk + 1;
	return NULL;
}

static void test_pool(void **state)
{
	struct sums sums = { .fail_from = UINT64_MAX };
	struct kml_error *error;
	uint64_t address;
	unsigned i;

	(void)state;
	assert_ok(pool_run(4, 1000, add_chunk, &sums));
	for (i = 0; i < 1000; i++)
		assert_int_equal(sums.chunk[i], i + 1);
	assert_ok(pool_run(3, 0, add_chunk, &sums));

	/* The first failing chunk's error, whichever thread came first. */
	sums.fail_from = 500;
	error = pool_run(4, 1000, add_chunk, &sums);
	assert_int_equal(kml_error_code(error), KML_ERR_NODATA);
	assert_true(kml_error_address(error, &address));
	assert_int_equal(address, 500);
	kml_error_destroy(error);
}

static bool stop_at_half(void *arg, enum kml_message kind, const char *text,
			 int permille)
{
	++*(unsigned *)arg;
	assert_string_equal(text, "stage");
	return kind != KML_MESSAGE_PROGRESS || permille < 500;
}

static void test_progress(void **state)
{
	unsigned calls = 0;
	struct messenger m = { .fn = stop_at_half, .arg = &calls };

	(void)state;
	assert_ok(message_progress(&m, "stage", 1, 10));
	assert_fails(KML_ERR_INTERRUPTED, message_progress(&m, "stage", 5, 10));
	/* Once stopped, the function is not called again. */
	assert_fails(KML_ERR_INTERRUPTED, message_progress(&m, "stage", 1, 10));
	assert_int_equal(calls, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error),  cmocka_unit_test(test_vec),
		cmocka_unit_test(test_bitmap), cmocka_unit_test(test_pool),
		cmocka_unit_test(test_progress),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
