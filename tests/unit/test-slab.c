// SPDX-License-Identifier: GPL-2.0-or-later
/* Freelists of one slab, sound and torn, encoded as the kernel does. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kernel/slab_state.h"

#define DIRECT UINT64_C(0xffff888000000000)
#define SECRET UINT64_C(0x123456789abcdef0)
#define SLOT 256u
#define PER_SLAB 32u /* two pages */
#define LINK 128u    /* kmem_cache.offset */

struct fixture {
	struct heap heap;
	struct kernel kernel;
	char slab[8192];
};

static uint64_t object_va(uint32_t i)
{
	return DIRECT + (uint64_t)i * SLOT;
}

/* Link the objects @from[0 .. n) into a list; returns its head. */
static uint64_t link_list(struct fixture *f, const uint32_t *from, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++) {
		uint64_t next = i + 1 < n ? object_va(from[i + 1]) : 0;
		uint64_t at = object_va(from[i]) + LINK;

		next ^= SECRET ^ __builtin_bswap64(at);
		memcpy(f->slab + (at - DIRECT), &next, sizeof(next));
	}
	return n ? object_va(from[0]) : 0;
}

static struct kernel_slab *slab(struct fixture *f)
{
	return &f->kernel.slabs.data[0];
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));
	struct heap_region r = {
		.va = DIRECT, .bytes = 8192, .object_bytes = SLOT,
		.slot_bytes = SLOT, .n_objects = PER_SLAB,
	};
	struct kernel_cache cache = { .slot_bytes = SLOT, .free_offset = LINK,
				      .random = SECRET };
	struct kernel_slab s = { .inuse = PER_SLAB, .objects = PER_SLAB };

	assert_ok(heap_init(&f->heap, DIRECT, 16, UINT64_C(0xffffea0000000000),
			    64));
	assert_ok(heap_add(&f->heap, &r, &s.region));
	assert_ok(heap_seal(&f->heap));
	f->kernel.heap = &f->heap;
	assert_true(vec_push(&f->kernel.slabs, s));
	assert_true(vec_push(&f->kernel.caches, cache));
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	heap_deinit(&f->heap);
	vec_deinit(&f->kernel.slabs);
	vec_deinit(&f->kernel.caches);
	free(f);
	return 0;
}

static uint64_t count(const uint64_t *map)
{
	return bitmap_count(map, PER_SLAB);
}

static void test_full(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(slab_set_states(&f->kernel, 0, f->slab, 0), SLAB_SOUND);
	assert_int_equal(count(f->heap.free), 0);
}

/* A list of the slab and one of a CPU, whose objects count as in use. */
static void test_two_lists(void **state)
{
	static const uint32_t own[] = { 3, 30, 7 }, cpu[] = { 1, 16 };
	struct fixture *f = *state;
	uint32_t i;

	slab(f)->freelist = link_list(f, own, 3);
	slab(f)->cpu_freelist = link_list(f, cpu, 2);
	slab(f)->inuse = PER_SLAB - 3;
	assert_int_equal(slab_set_states(&f->kernel, 0, f->slab, 0), SLAB_SOUND);
	for (i = 0; i < PER_SLAB; i++) {
		bool is_cached = i == 1 || i == 16;

		assert_int_equal(bitmap_test(f->heap.free, i),
				 is_cached || i == 3 || i == 30 || i == 7);
		assert_int_equal(bitmap_test(f->heap.cached, i), is_cached);
	}
}

/* What is not known to be free is in doubt, not allocated. */
static void check_torn(struct fixture *f, uint64_t n_free)
{
	assert_int_equal(slab_set_states(&f->kernel, 0, f->slab, 0), SLAB_TORN);
	assert_int_equal(count(f->heap.free), n_free);
	assert_int_equal(count(f->heap.torn), PER_SLAB - n_free);
}

static void test_counts_differ(void **state)
{
	static const uint32_t own[] = { 3, 30, 7 };
	struct fixture *f = *state;

	slab(f)->freelist = link_list(f, own, 3);
	slab(f)->inuse = PER_SLAB - 4;
	check_torn(f, 3);
}

/* The last object links back to itself. */
/* It is being made: of its freelist there is a beginning, or what the page had
 * there before. */
static void test_made(void **state)
{
	static const uint32_t begun[] = { 3, 30 };
	struct fixture *f = *state;

	slab(f)->freelist = link_list(f, begun, 2);
	slab(f)->inuse = 0;
	assert_int_equal(slab_set_states(&f->kernel, 0, f->slab, 0), SLAB_EMPTY);
	assert_int_equal(count(f->heap.free), PER_SLAB);
	assert_int_equal(count(f->heap.torn), 0);
	memset(f->heap.free, 0, sizeof(uint64_t));
	slab(f)->freelist = UINT64_C(0xdead000000000122);
	assert_int_equal(slab_set_states(&f->kernel, 0, f->slab, 0), SLAB_EMPTY);
	assert_int_equal(count(f->heap.free), PER_SLAB);
	/* One in use: which? */
	memset(f->heap.free, 0, sizeof(uint64_t));
	slab(f)->inuse = 1;
	check_torn(f, 0);
}

/* Its freelist is in a register: any object may be on it. */
static void test_moving(void **state)
{
	struct fixture *f = *state;

	slab(f)->moving = true;
	check_torn(f, 0);
}

static void test_cycle(void **state)
{
	struct fixture *f = *state;
	uint64_t at = object_va(5) + LINK;
	uint64_t next = object_va(5) ^ SECRET ^ __builtin_bswap64(at);

	memcpy(f->slab + (at - DIRECT), &next, sizeof(next));
	slab(f)->freelist = object_va(5);
	slab(f)->inuse = PER_SLAB - 1;
	check_torn(f, 1);
}

static void test_wild_link(void **state)
{
	static const uint32_t own[] = { 3, 30 };
	struct fixture *f = *state;

	slab(f)->freelist = link_list(f, own, 2);
	f->slab[30 * SLOT + LINK] ^= 1; /* not aligned to an object */
	slab(f)->inuse = PER_SLAB - 2;
	check_torn(f, 2);
}

static void test_head_elsewhere(void **state)
{
	struct fixture *f = *state;

	slab(f)->freelist = DIRECT + 65536;
	check_torn(f, 0);
}

/* The list leads into a page that the dump lacks. */
static void test_missing_page(void **state)
{
	static const uint32_t own[] = { 3, 20, 7 };
	struct fixture *f = *state;
	uint32_t i;

	slab(f)->freelist = link_list(f, own, 3);
	slab(f)->inuse = PER_SLAB - 3;
	memset(f->slab + 4096, 0, 4096);
	assert_int_equal(slab_set_states(&f->kernel, 0, f->slab, 2),
			 SLAB_UNREADABLE);
	for (i = 0; i < PER_SLAB; i++) {
		bool is_free = i == 3 || i == 20;

		assert_int_equal(bitmap_test(f->heap.free, i), is_free);
		assert_int_equal(bitmap_test(f->heap.unreadable, i), !is_free);
	}
}

/* The list is whole: only objects on the missing page are unreadable. */
static void test_missing_objects(void **state)
{
	static const uint32_t own[] = { 3, 7 };
	struct fixture *f = *state;
	uint32_t i;

	slab(f)->freelist = link_list(f, own, 2);
	slab(f)->inuse = PER_SLAB - 2;
	assert_int_equal(slab_set_states(&f->kernel, 0, f->slab, 2),
			 SLAB_UNREADABLE);
	for (i = 0; i < PER_SLAB; i++)
		assert_int_equal(bitmap_test(f->heap.unreadable, i), i >= 16);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		CASE(test_full),          CASE(test_two_lists),
		CASE(test_counts_differ), CASE(test_cycle), CASE(test_made),
		CASE(test_moving),
		CASE(test_wild_link),     CASE(test_head_elsewhere),
		CASE(test_missing_page),  CASE(test_missing_objects),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
