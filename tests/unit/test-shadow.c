// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which pages are KASAN's shadow, by page tables made by hand: of the range
 * where it is on x86_64 with four levels.
 */
#include "unit.h"
#include "words_image.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kernel/kernel.h"
#include "made_profile.h"

/* As dumpspec.c has it. */
#define IMAGE UINT64_C(0xffffffff80000000)
#define IMAGE_PFN (SPEC_PHYS_BASE / 4096u)
#define DIRECT UINT64_C(0xffff888000000000)
#define END_PFN (SPEC_ROOT_PFN + 0x10u)

/* Pages of tables, from SPEC_ROOT_PFN on; what is behind these is not in the
 * dump. */
enum { PGD, PUD, PMD, PTE, PMD_TOO, PTE_TOO, N_TABLES };

/* The first entry of the PGD that is of the shadow, and the one behind it. */
#define FIRST ((0xffffec0000000000 >> 39) % 512)
#define BEHIND ((0xfffffc0000000000 >> 39) % 512)

/* Of the image: what KASAN maps where there is nothing to say. */
#define SHARED (IMAGE_PFN + 5)

struct fixture {
	uint64_t words[N_TABLES][512];
	struct profile_draft draft;
	struct kernel kernel;
};

static void make(struct fixture *f)
{
	unsigned i;

	memset(f, 0, sizeof(*f));
	made_symbol(&f->draft, "_text", IMAGE, 0, false);
	made_symbol(&f->draft, "_end", IMAGE + 0x10000, 0, false);
	f->kernel.image_va = IMAGE;
	f->kernel.direct_va = DIRECT;
	f->kernel.end_pfn = END_PFN;
	/* It goes on behind the end, to see that nobody looks there. */
	f->kernel.page_class = malloc(END_PFN + 512);
	memset(f->kernel.page_class, PAGE_BLOCK, END_PFN + 512);
	for (i = IMAGE_PFN; i < END_PFN; i++)
		f->kernel.page_class[i] = PAGE_RESERVED;
}

static void make_kasan(struct fixture *f)
{
	make(f);
	made_symbol(&f->draft, "kasan_early_shadow_page", IMAGE + 0x5000, 4096,
		    false);
}

#define PRESENT 1u
#define LARGE 0x80u

static void map(struct fixture *f, unsigned table, unsigned index,
		uint64_t pfn, unsigned flags)
{
	f->words[table][index] = pfn << 12 | PRESENT | flags;
}

static void link_table(struct fixture *f, unsigned table, unsigned index,
		       unsigned to)
{
	map(f, table, index, SPEC_ROOT_PFN + to, 0);
}

/* The first table of each level is the first one's of the level above. */
static void link_first(struct fixture *f)
{
	link_table(f, PGD, FIRST, PUD);
	link_table(f, PUD, 0, PMD);
	link_table(f, PMD, 0, PTE);
}

static void load(struct fixture *f)
{
	f->kernel.image = open_words((const uint64_t (*)[512])f->words,
				     SPEC_ROOT_PFN, N_TABLES, END_PFN, DIRECT);
	f->kernel.arch = image_facts(f->kernel.image)->arch;
	f->kernel.profile = made_profile(&f->draft);
	assert_ok(kernel_load_shadow(&f->kernel));
}

static void check(const struct fixture *f, unsigned pfn, enum page_class class)
{
	assert_int_equal(f->kernel.page_class[pfn], class);
}

static void check_count(const struct fixture *f, unsigned expected)
{
	unsigned n = 0, i;

	for (i = 0; i < END_PFN; i++)
		n += f->kernel.page_class[i] == PAGE_SHADOW;
	assert_int_equal(n, expected);
	assert_int_equal(f->kernel.builtin_uses[BUILTIN_KASAN_SHADOW], n);
}

static void check_gap(const struct fixture *f, bool gap)
{
	assert_int_equal(kernel_count_gaps(&f->kernel), gap);
	if (!gap)
		return;
	assert_string_equal(f->kernel.gaps.data[0].what, "shadow of KASAN");
	assert_true(f->kernel.gaps.data[0].unsound);
}

static void destroy(struct fixture *f)
{
	image_close(f->kernel.image);
	profile_close(f->kernel.profile);
	kernel_deinit(&f->kernel);
}

static void test_claimed(void **state)
{
	struct fixture f;

	(void)state;
	make_kasan(&f);
	link_first(&f);
	map(&f, PTE, 0, 10, 0);
	map(&f, PTE, 1, 11, 0);
	f.kernel.page_class[11] = PAGE_RESERVED; /* memblock's */
	map(&f, PTE, 2, 12, 0);
	f.kernel.page_class[12] = PAGE_SLAB; /* not to be believed */
	map(&f, PTE, 3, 13, 0);
	f.kernel.page_class[13] = PAGE_USER;
	f.words[PTE][4] = 14 << 12; /* not present */
	map(&f, PTE, 5, SHARED, 0);
	map(&f, PTE, 6, IMAGE_PFN, 0);
	map(&f, PTE, 7, IMAGE_PFN + 0xf, 0);
	map(&f, PTE, 8, IMAGE_PFN + 0x1f, 0); /* RESERVED, behind the image */
	map(&f, PTE, 9, IMAGE_PFN - 1, 0);
	map(&f, PTE, 10, END_PFN, 0);
	map(&f, PTE, 11, UINT64_C(0xfffffffff), 0);
	map(&f, PTE, 511, 15, 0);
	load(&f);
	check(&f, 10, PAGE_SHADOW);
	check(&f, 11, PAGE_SHADOW);
	check(&f, 12, PAGE_SLAB);
	check(&f, 13, PAGE_USER);
	check(&f, 14, PAGE_BLOCK);
	check(&f, 15, PAGE_SHADOW);
	check(&f, SHARED, PAGE_RESERVED);
	check(&f, IMAGE_PFN - 1, PAGE_SHADOW);
	check(&f, IMAGE_PFN, PAGE_RESERVED);
	check(&f, IMAGE_PFN + 0xf, PAGE_RESERVED);
	check(&f, IMAGE_PFN + 0x1f, PAGE_SHADOW);
	check_count(&f, 5);
	check_gap(&f, false);
	destroy(&f);
}

/* Large pages, of which the last one reaches behind the end of memory. */
static void test_large(void **state)
{
	struct fixture f;

	(void)state;
	make_kasan(&f);
	link_first(&f);
	map(&f, PMD, 1, 512, LARGE);
	map(&f, PMD, 2, IMAGE_PFN, LARGE);
	load(&f);
	check(&f, 511, PAGE_BLOCK);
	check(&f, 512, PAGE_SHADOW);
	check(&f, 1023, PAGE_SHADOW);
	check(&f, 1024, PAGE_BLOCK);
	check(&f, SHARED, PAGE_RESERVED);
	check(&f, END_PFN - 1, PAGE_SHADOW);
	check_count(&f, 512 + (END_PFN - IMAGE_PFN - 0x10));
	check_gap(&f, false);
	destroy(&f);
}

/* The shadow alone: not what is mapped right before and behind it. */
static void test_range(void **state)
{
	struct fixture f;

	(void)state;
	make_kasan(&f);
	link_table(&f, PGD, FIRST - 1, PUD);
	link_table(&f, PUD, 511, PMD);
	map(&f, PMD, 511, 0, LARGE);
	load(&f);
	check_count(&f, 0);
	destroy(&f);

	make_kasan(&f);
	link_table(&f, PGD, BEHIND, PUD);
	link_table(&f, PUD, 0, PMD);
	map(&f, PMD, 0, 0, LARGE);
	load(&f);
	check_count(&f, 0);
	destroy(&f);

	make_kasan(&f);
	link_table(&f, PGD, BEHIND - 1, PUD);
	link_table(&f, PUD, 511, PMD);
	map(&f, PMD, 511, 0, LARGE);
	load(&f);
	check_count(&f, 512);
	destroy(&f);
}

static void test_none(void **state)
{
	struct fixture f;

	(void)state;
	make(&f);
	link_first(&f);
	map(&f, PTE, 0, 10, 0);
	load(&f);
	check_count(&f, 0);
	check_gap(&f, false);
	destroy(&f);
}

/* All tables of a level are one and the same, as KASAN makes them for what has
 * no memory: terabytes that are one page. */
static void test_shared(void **state)
{
	struct fixture f;
	unsigned i;

	(void)state;
	make_kasan(&f);
	for (i = FIRST; i < BEHIND; i++)
		link_table(&f, PGD, i, PUD);
	for (i = 0; i < 512; i++) {
		link_table(&f, PUD, i, PMD);
		link_table(&f, PMD, i, PTE);
		map(&f, PTE, i, SHARED, 0);
	}
	/* In between somebody's memory has one. */
	link_table(&f, PUD, 300, PMD_TOO);
	link_table(&f, PMD_TOO, 100, PTE_TOO);
	map(&f, PTE_TOO, 50, 10, 0);
	load(&f);
	check(&f, SHARED, PAGE_RESERVED);
	check(&f, 10, PAGE_SHADOW);
	check_count(&f, 1);
	check_gap(&f, false);
	destroy(&f);
}

/* Tables that map the same large page again and again, more often than all of
 * memory is large: given up at some time, and said so. */
static void try_often(unsigned tables, bool is_bounded)
{
	struct fixture f;
	unsigned i;

	make_kasan(&f);
	link_table(&f, PGD, FIRST, PUD);
	for (i = 0; i < 512; i++) {
		map(&f, PMD, i, 512, LARGE);
		map(&f, PMD_TOO, i, 512, LARGE);
	}
	/* (What is behind the end of memory is not among them) */
	map(&f, PMD, 0, 1 << 30, LARGE);
	for (i = 0; i < tables; i++)
		link_table(&f, PUD, i, i % 2 ? PMD_TOO : PMD);
	/* The last one. */
	link_table(&f, PGD, FIRST + 1, PTE_TOO);
	link_table(&f, PTE_TOO, 0, PTE);
	map(&f, PTE, 0, 0, LARGE);
	load(&f);
	check(&f, 512, PAGE_SHADOW);
	check(&f, 0, is_bounded ? PAGE_BLOCK : PAGE_SHADOW);
	check_count(&f, is_bounded ? 512 : 1024);
	check_gap(&f, is_bounded);
	destroy(&f);
}

static void test_bounded(void **state)
{
	(void)state;
	try_often(3, false);
	try_often(5, true);
}

/* The dump lacks a table: what the others say stands, but it is a gap. */
static void test_missing(void **state)
{
	struct fixture f;

	(void)state;
	make_kasan(&f);
	link_first(&f);
	link_table(&f, PMD, 1, N_TABLES);
	link_table(&f, PMD, 2, PTE_TOO);
	map(&f, PTE, 0, 10, 0);
	map(&f, PTE_TOO, 0, 11, 0);
	load(&f);
	check(&f, 10, PAGE_SHADOW);
	check(&f, 11, PAGE_SHADOW);
	check_count(&f, 2);
	check_gap(&f, true);
	destroy(&f);
}

/* Where the image is is not known, and so not which page is shared. */
static void test_no_image(void **state)
{
	struct fixture f;

	(void)state;
	make_kasan(&f);
	f.draft.symbols.size = 0;
	made_symbol(&f.draft, "kasan_early_shadow_page", IMAGE + 0x5000, 4096,
		    false);
	link_first(&f);
	map(&f, PTE, 0, 10, 0);
	load(&f);
	check_count(&f, 0);
	check_gap(&f, true);
	destroy(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_claimed),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_range),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_missing),
		cmocka_unit_test(test_no_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
