// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What is behind variables, in a small memory: two runs of reserved pages, a
 * page block, and a section of variables that point about.
 */
#include "unit.h"
#include "words_image.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel/behind.h"

#define DIRECT UINT64_C(0xffff888000000000)
#define VMEMMAP UINT64_C(0xffffea0000000000)
#define END_PFN 16u
/* Pages: variables on 1 and 2, of which 2 was given back; reserved ones from 4
 * to 6 and from 8 to 9; a block of two pages from 10 on. */
#define VARIABLES 1u
#define GIVEN_BACK 2u
#define RUN 4u
#define OTHER_RUN 8u
#define BLOCK 10u

struct fixture {
	uint64_t words[2][512]; /* of the variables' pages */
	struct image *image;
	struct heap heap;
	struct kernel kernel;
};

static uint64_t at(unsigned page, unsigned offset)
{
	return DIRECT + page * 4096u + offset;
}

static void put(struct fixture *f, unsigned word, uint64_t value)
{
	f->words[0][word] = value;
}

static void open_memory(struct fixture *f)
{
	f->image = open_words((const uint64_t (*)[512])f->words, VARIABLES, 2, END_PFN,
			      DIRECT);
	f->kernel.image = f->image;
	f->kernel.arch = image_facts(f->image)->arch;
}

static void add_root(struct fixture *f, enum root_kind kind, unsigned page,
		     unsigned n_pages)
{
	struct kernel_root root = {
		.kind = (uint8_t)kind, .start_va = at(page, 0),
		.start_pa = page * 4096u, .bytes = n_pages * 4096u,
	};

	assert_true(vec_push(&f->kernel.roots, root));
	for (; n_pages; n_pages--, page++)
		f->kernel.page_class[page] = PAGE_RESERVED;
}

static int setup(void **state)
{
	struct heap_region block = {
		.va = at(BLOCK, 0), .bytes = 8192, .object_bytes = 8192,
		.n_objects = 1, .kind = HEAP_PAGES,
	};
	struct fixture *f = calloc(1, sizeof(*f));
	uint32_t index;

	assert_ok(heap_init(&f->heap, DIRECT, END_PFN, VMEMMAP, 64));
	assert_ok(heap_add(&f->heap, &block, &index));
	assert_ok(heap_seal(&f->heap));
	f->kernel.heap = &f->heap;
	f->kernel.direct_va = DIRECT;
	f->kernel.end_pfn = END_PFN;
	f->kernel.page_class = calloc(END_PFN, 1);
	add_root(f, ROOT_SECTION, VARIABLES, 2);
	add_root(f, ROOT_RESERVED, OTHER_RUN, 2);
	add_root(f, ROOT_RESERVED, RUN, 3);
	f->kernel.page_class[GIVEN_BACK] = PAGE_SLAB;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	image_close(f->image);
	heap_deinit(&f->heap);
	vec_deinit(&f->kernel.gaps);
	vec_deinit(&f->kernel.roots);
	vec_deinit(&f->kernel.holes);
	vec_deinit(&f->kernel.starts);
	free(f->kernel.page_class);
	free(f);
	return 0;
}

/* @variable: the word that points to what @va is behind; 0: none does. */
static void check(struct fixture *f, uint64_t va, unsigned variable,
		  uint64_t offset)
{
	struct kernel_behind behind;
	bool found;

	assert_ok(kernel_find_behind(&f->kernel, va, &found, &behind));
	assert_int_equal(found, variable != 0);
	if (!found)
		return;
	assert_int_equal(behind.variable_va, at(VARIABLES, variable * 8));
	assert_int_equal(behind.offset, offset);
	assert_int_equal(behind.start_va, va - offset);
	assert_true(va < behind.end_va);
}

static void test_behind(void **state)
{
	struct fixture *f = *state;
	const struct kernel_hole hole = { at(VARIABLES, 800),
					  at(VARIABLES, 816) };

	assert_true(vec_push(&f->kernel.holes, hole));
	put(f, 1, at(RUN, 64));
	put(f, 2, at(RUN, 64));          /* the first one counts */
	put(f, 3, at(RUN + 1, 128));
	put(f, 4, at(RUN + 1, 8));       /* not what is given out */
	put(f, 5, at(BLOCK, 0));
	put(f, 6, at(BLOCK, 64));        /* not its start */
	put(f, 7, DIRECT);
	put(f, 8, at(RUN - 1, 0));       /* nobody's */
	put(f, 9, at(VARIABLES, 64));    /* the image's */
	put(f, 10, at(END_PFN, 0));
	put(f, 100, at(RUN + 2, 0));     /* of a stack */
	f->words[1][1] = at(RUN + 2, 64); /* of somebody else */
	open_memory(f);
	check(f, at(RUN, 0), 0, 0);
	check(f, at(RUN, 64), 1, 0);
	check(f, at(RUN, 100), 1, 36);
	check(f, at(RUN + 1, 127), 1, 4096 + 63);
	check(f, at(RUN + 1, 128), 3, 0);
	/* To the run's end, and not to the next run. */
	check(f, at(RUN + 2, 4095), 3, 8192 - 129);
	check(f, at(RUN + 3, 0), 0, 0);
	check(f, at(OTHER_RUN, 0), 0, 0);
	check(f, at(BLOCK, 0), 5, 0);
	check(f, at(BLOCK + 1, 4095), 5, 8191);
	check(f, at(BLOCK + 2, 0), 0, 0);
	check(f, at(VARIABLES, 64), 0, 0);
	check(f, DIRECT, 0, 0);
	check(f, 0, 0, 0);
	check(f, UINT64_MAX, 0, 0);
}

/* No variable points to anything, and half of them are not in the dump. */
static void test_none(void **state)
{
	struct fixture *f = *state;

	f->kernel.roots.data[0].bytes = 64 * 4096;
	open_memory(f);
	check(f, at(RUN, 0), 0, 0);
	assert_true(f->kernel.starts_known);
	assert_int_equal(f->kernel.starts.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_behind, setup, teardown),
		cmocka_unit_test_setup_teardown(test_none, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
