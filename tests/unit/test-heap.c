// SPDX-License-Identifier: GPL-2.0-or-later
/* The object index: every address of a made-up heap against plain arithmetic. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "heap/heap.h"

#define DIRECT UINT64_C(0xffff888000000000)
#define VMEMMAP UINT64_C(0xffffea0000000000)
#define VMALLOC UINT64_C(0xffffc90000000000)
#define PERCPU UINT64_C(0x1000)
#define END_PFN 4096u

/* Add a region; the id of its first object. */
static uint32_t add(struct heap *heap, struct heap_region region)
{
	uint32_t index;

	assert_ok(heap_add(heap, &region, &index));
	return heap->regions.data[index].first_id;
}

static int setup(void **state)
{
	struct heap *heap = malloc(sizeof(*heap));

	assert_ok(heap_init(heap, DIRECT, END_PFN, VMEMMAP, 64));
	assert_ok(heap_init_radix(&heap->vmalloc, VMALLOC,
				  VMALLOC + (UINT64_C(32) << 40)));
	assert_ok(heap_init_radix(&heap->modules, UINT64_C(0xffffffffc0000000),
				  UINT64_C(0xffffffffff000000)));
	assert_ok(heap_init_radix(&heap->percpu, 0, UINT64_C(1) << 47));
	*state = heap;
	return 0;
}

static int teardown(void **state)
{
	heap_deinit(*state);
	free(*state);
	return 0;
}

/* Slabs of every object size that divides badly, with and without a pad. */
static void test_slab(void **state)
{
	static const uint32_t sizes[] = { 8, 24, 96, 192, 232, 1112, 9728 };
	struct heap *heap = *state;
	enum heap_reference how;
	uint64_t offset;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		uint32_t pad = i % 2 ? 8 : 0;
		uint32_t slot = sizes[i] + 2 * pad;
		struct heap_region r = {
			.va = DIRECT + i * 0x10000, .bytes = 0x8000,
			.object_bytes = sizes[i], .slot_bytes = slot,
			.pad_bytes = pad, .n_objects = 0x8000 / slot,
		};
		uint32_t first = add(heap, r);

		for (offset = 0; offset < r.bytes; offset++) {
			uint64_t n = offset / slot, in = offset % slot;
			uint32_t expected = n < r.n_objects && in >= pad &&
							    in < pad + sizes[i] ?
						    first + (uint32_t)n :
						    HEAP_NONE;

			assert_int_equal(heap_resolve(heap, r.va + offset, &how),
					 expected);
		}
	}
	assert_ok(heap_seal(heap));
	for (i = 0; i < heap->n_ids; i++)
		assert_int_equal(heap_resolve(heap,
					      heap_object_va(heap, (uint32_t)i),
					      &how), i);
}

static void test_pages(void **state)
{
	struct heap *heap = *state;
	struct heap_region r = {
		.va = DIRECT + 16 * 4096, .bytes = 16384, .object_bytes = 16384,
		.n_objects = 1, .kind = HEAP_PAGES,
	};
	enum heap_reference how;
	uint32_t id = add(heap, r);

	assert_int_equal(heap_resolve(heap, r.va, &how), id);
	assert_int_equal(how, HEAP_REF_ADDRESS);
	assert_int_equal(heap_resolve(heap, r.va + 16383, &how), id);
	assert_int_equal(heap_resolve(heap, r.va + 16384, &how), HEAP_NONE);
	/* By its struct pages, tails included, and by its physical address. */
	assert_int_equal(heap_resolve(heap, VMEMMAP + 19 * 64 + 8, &how), id);
	assert_int_equal(how, HEAP_REF_PAGE);
	assert_int_equal(heap_resolve(heap, VMEMMAP + 20 * 64, &how), HEAP_NONE);
	assert_int_equal(heap_resolve(heap, 16 * 4096, &how), id);
	assert_int_equal(how, HEAP_REF_PHYSICAL);
	assert_int_equal(heap_resolve(heap, 17 * 4096, &how), HEAP_NONE);
	assert_int_equal(heap_resolve(heap, 16 * 4096 + 8, &how), HEAP_NONE);
}

static void test_vmalloc(void **state)
{
	struct heap *heap = *state;
	/* Across a 2 MiB and a 1 GiB boundary of the radix tree. */
	struct heap_region r = {
		.va = VMALLOC + (UINT64_C(5) << 30) - 8192, .bytes = 0x400000,
		.object_bytes = 0x400000, .n_objects = 1, .kind = HEAP_VMALLOC,
	};
	enum heap_reference how;
	uint32_t id = add(heap, r);
	uint64_t va;

	for (va = r.va; va < r.va + r.bytes; va += 4096)
		assert_int_equal(heap_resolve(heap, va + 1, &how), id);
	assert_int_equal(heap_resolve(heap, r.va - 1, &how), HEAP_NONE);
	assert_int_equal(heap_resolve(heap, r.va + r.bytes, &how), HEAP_NONE);
	assert_int_equal(heap_resolve(heap, UINT64_MAX, &how), HEAP_NONE);
	assert_int_equal(heap_resolve(heap, UINT64_C(0xffffffff81000000), &how),
			 HEAP_NONE);
}

static void test_percpu(void **state)
{
	struct heap *heap = *state;
	struct heap_block *blocks = calloc(2, sizeof(*blocks));
	struct heap_chunk chunk = { blocks, 2 };
	struct heap_region r = {
		.va = PERCPU, .bytes = 8192, .n_objects = 2, .kind = HEAP_PERCPU,
	};
	struct heap_region unit;
	enum heap_reference how;
	uint32_t id;

	blocks[0] = (struct heap_block){ 16, 8 };
	blocks[1] = (struct heap_block){ 4000, 200 };
	assert_true(vec_push(&heap->chunks, chunk));
	id = add(heap, r);
	unit = heap->regions.data[0];
	unit.va = VMALLOC + 0x10000;
	unit.flags = HEAP_ALIAS;
	add(heap, unit);
	assert_int_equal(heap->n_ids, 2);

	assert_int_equal(heap_resolve(heap, PERCPU + 16, &how), id);
	assert_int_equal(how, HEAP_REF_PERCPU);
	assert_int_equal(heap_resolve(heap, PERCPU + 24, &how), HEAP_NONE);
	assert_int_equal(heap_resolve(heap, PERCPU + 4199, &how), id + 1);
	assert_int_equal(heap_resolve(heap, unit.va + 4000, &how), id + 1);
	assert_int_equal(how, HEAP_REF_ADDRESS);
	assert_ok(heap_seal(heap));
	assert_int_equal(heap_object_va(heap, id + 1), PERCPU + 4000);
	assert_int_equal(heap_object_bytes(heap, id + 1), 200);
}

/* A dump that contradicts itself: two claims on one page. */
static void test_overlap(void **state)
{
	struct heap *heap = *state;
	struct heap_region r = {
		.va = DIRECT + 0x4000, .bytes = 0x2000, .object_bytes = 0x2000,
		.n_objects = 1, .kind = HEAP_PAGES,
	};
	uint32_t index;

	add(heap, r);
	r.va = DIRECT + 0x2000;
	r.bytes = 0x3000;
	assert_fails(KML_ERR_CORRUPT, heap_add(heap, &r, &index));
	/* Nothing of the refused region stays behind. */
	assert_int_equal(heap_find_region(heap, DIRECT + 0x2000), HEAP_NONE);
	assert_int_equal(heap_find_region(heap, DIRECT + 0x4000), 0);
	r.va = 0x1234567000;
	r.bytes = UINT64_MAX - 0x1000;
	assert_fails(KML_ERR_CORRUPT, heap_add(heap, &r, &index));
	r.va = UINT64_C(0x7fffffffffff0000);
	r.bytes = 4096;
	assert_fails(KML_ERR_CORRUPT, heap_add(heap, &r, &index));
	r.bytes = 0;
	assert_fails(KML_ERR_CORRUPT, heap_add(heap, &r, &index));
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_slab),   CASE(test_pages),   CASE(test_vmalloc),
		CASE(test_percpu), CASE(test_overlap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
