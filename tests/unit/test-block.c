// SPDX-License-Identifier: GPL-2.0-or-later
/* Blocks of pages: how far one goes, and which are the rest of a split one. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kernel/kernel.h"

#define DIRECT UINT64_C(0xffff888000000000)
#define END_PFN 64u

struct fixture {
	struct heap heap;
	struct kernel kernel;
	uint8_t class[END_PFN];
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	assert_ok(heap_init(&f->heap, DIRECT, END_PFN,
			    UINT64_C(0xffffea0000000000), 64));
	memset(f->class, PAGE_IDLE, sizeof(f->class));
	f->kernel.heap = &f->heap;
	f->kernel.direct_va = DIRECT;
	f->kernel.end_pfn = END_PFN;
	f->kernel.page_class = f->class;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	vec_deinit(&f->kernel.edges);
	vec_deinit(&f->kernel.heads);
	heap_deinit(&f->heap);
	free(f);
	return 0;
}

/* In the order of page frames. */
static void add(struct fixture *f, struct kernel_page_head head)
{
	f->class[head.pfn] = PAGE_BLOCK;
	assert_true(vec_push(&f->kernel.heads, head));
}

/* A split allocation of 2 pages at 8. */
static void add_split(struct fixture *f)
{
	add(f, (struct kernel_page_head){ .pfn = 8, .n_pages = 1 });
	add(f, (struct kernel_page_head){
		       .pfn = 9, .n_pages = 1, .is_split = true });
}

static const struct heap_region *block(const struct fixture *f, size_t i)
{
	assert_true(i < f->heap.regions.size);
	return &f->heap.regions.data[i];
}

/* Idle pages are a block's up to a power of two that its alignment allows. */
static void test_extent(void **state)
{
	struct fixture *f = *state;

	add(f, (struct kernel_page_head){ .pfn = 8, .n_pages = 1 });
	f->class[12] = PAGE_FREE;
	add(f, (struct kernel_page_head){ .pfn = 18, .n_pages = 1 });
	assert_ok(kernel_load_blocks(&f->kernel));
	assert_int_equal(block(f, 0)->bytes, 4 * 4096);
	assert_int_equal(block(f, 1)->bytes, 2 * 4096);
	assert_true(block(f, 0)->flags & HEAP_GUESSED);
	assert_int_equal(f->kernel.edges.size, 0);
}

/* What looks like a first page, and may be a later one, is held. */
static void test_rest(void **state)
{
	struct fixture *f = *state;

	add_split(f);
	add(f, (struct kernel_page_head){
		       .pfn = 10, .n_pages = 1, .may_be_split = true });
	f->class[11] = PAGE_FREE;
	/* behind the gap */
	add(f, (struct kernel_page_head){
		       .pfn = 12, .n_pages = 1, .may_be_split = true });
	f->class[13] = PAGE_FREE;
	assert_ok(kernel_load_blocks(&f->kernel));
	assert_true(block(f, 0)->flags & HEAP_SPLIT);
	assert_int_equal(block(f, 0)->bytes, 2 * 4096);
	assert_int_equal(f->kernel.edges.size, 1);
	assert_int_equal(f->kernel.edges.data[0].from, block(f, 0)->first_id);
	assert_int_equal(f->kernel.edges.data[0].to, block(f, 1)->first_id);
}

/* A compound page is not, whatever its links look like. */
static void test_compound(void **state)
{
	struct fixture *f = *state;

	add_split(f);
	add(f, (struct kernel_page_head){
		       .pfn = 10, .n_pages = 2, .is_compound = true,
		       .may_be_split = true });
	assert_ok(kernel_load_blocks(&f->kernel));
	assert_int_equal(block(f, 1)->bytes, 2 * 4096);
	assert_int_equal(f->kernel.edges.size, 0);
}

/* Nor what its first page's alignment does not allow. */
static void test_alignment(void **state)
{
	struct fixture *f = *state;

	add(f, (struct kernel_page_head){ .pfn = 10, .n_pages = 1 });
	add(f, (struct kernel_page_head){
		       .pfn = 11, .n_pages = 1, .is_split = true });
	add(f, (struct kernel_page_head){
		       .pfn = 12, .n_pages = 1, .may_be_split = true });
	f->class[13] = PAGE_FREE;
	assert_ok(kernel_load_blocks(&f->kernel));
	assert_int_equal(f->kernel.edges.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_extent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_compound, setup, teardown),
		cmocka_unit_test_setup_teardown(test_alignment, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
