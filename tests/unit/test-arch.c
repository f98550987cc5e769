// SPDX-License-Identifier: GPL-2.0-or-later
/* Page tables, registers and VMCOREINFO, without a dump. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "dumpspec.h"
#include "image/arch.h"
#include "image/vmcoreinfo.h"

#define P UINT64_C(0x63)             /* a present entry's flags */
#define LARGE UINT64_C(0xe3)
#define NX (UINT64_C(1) << 63)

/* Memory of page tables: table I is at I pages; those from N_TABLES on are
 * not there. */
#define N_TABLES 16

struct memory {
	uint64_t tables[N_TABLES][512];
	unsigned n_reads;
};

static struct kml_error *read_table(void *arg, uint64_t pa, uint64_t *entries)
{
	struct memory *memory = arg;

	memory->n_reads++;
	if (pa / 4096 >= N_TABLES)
		return error_at(KML_ERR_NODATA, pa, "not there");
	memcpy(entries, memory->tables[pa / 4096], 4096);
	return NULL;
}

static struct arch_mmu make_mmu(struct memory *memory, unsigned levels)
{
	return (struct arch_mmu){ .levels = levels, .root_pa = 0x1000,
				  .max_tables = 1000,
				  .read_table = read_table, .arg = memory };
}

/* Entries on the path to @va: tables 1, 2, ... down to level 1. */
static void make_path(struct memory *memory, unsigned levels, uint64_t va)
{
	unsigned level, table = 1;

	for (level = levels; level > 1; level--, table++)
		memory->tables[table][va >> (3 + 9 * level) & 511] =
			(table + 1) * UINT64_C(4096) | P;
}

static void assert_translates(const struct arch_mmu *mmu, uint64_t va,
			      uint64_t expected)
{
	uint64_t pa = 0;

	assert_null(arch_x86_64.translate(mmu, va, &pa));
	assert_int_equal(pa, expected);
}

static void assert_unmapped(const struct arch_mmu *mmu, uint64_t va)
{
	uint64_t pa = 77;
	struct kml_error *error = arch_x86_64.translate(mmu, va, &pa);

	assert_int_equal(kml_error_code(error), KML_ERR_NODATA);
	assert_int_equal(pa, 77);
	kml_error_destroy(error);
}

static void test_translate_4(void **state)
{
	struct memory memory = { 0 };
	struct arch_mmu mmu = make_mmu(&memory, 4);
	uint64_t va = UINT64_C(0xffffc90012345000);

	(void)state;
	make_path(&memory, 4, va);
	memory.tables[4][va >> 12 & 511] = UINT64_C(0x000fedcba9876000) | P | NX;
	assert_translates(&mmu, va + 0x123, UINT64_C(0x000fedcba9876123));
	assert_unmapped(&mmu, va + 0x1000);
	assert_unmapped(&mmu, va + (1 << 21));
	assert_unmapped(&mmu, va + (UINT64_C(1) << 39));
	/* Not present: whatever else the entry says. */
	memory.tables[4][va >> 12 & 511] &= ~UINT64_C(1);
	assert_unmapped(&mmu, va);
}

static void test_translate_5(void **state)
{
	struct memory memory = { 0 };
	struct arch_mmu mmu = make_mmu(&memory, 5);
	uint64_t va = UINT64_C(0xffa1234567891000);

	(void)state;
	make_path(&memory, 5, va);
	memory.tables[5][va >> 12 & 511] = 0x5000 | P;
	assert_translates(&mmu, va + 8, 0x5008);
	assert_int_equal(memory.n_reads, 5);
	/* Canonical with five levels, not with four. */
	mmu.levels = 4;
	assert_unmapped(&mmu, va);
	/* Canonical with neither. */
	mmu.levels = 5;
	assert_unmapped(&mmu, va ^ (UINT64_C(1) << 60));
}

static void test_translate_large(void **state)
{
	struct memory memory = { 0 };
	struct arch_mmu mmu = make_mmu(&memory, 4);
	uint64_t va = UINT64_C(0xffff888000000000);

	(void)state;
	make_path(&memory, 4, va);
	/* Bit 12 is PAT there. */
	memory.tables[3][1] = 0x40000000 | 0x1000 | LARGE | NX;
	memory.tables[2][3] = UINT64_C(0xc0000000) | 0x1000 | LARGE;
	assert_translates(&mmu, va + 0x2abcde, 0x400abcde);
	assert_translates(&mmu, va + 0xfedcba98, 0xfedcba98);
	/* PS at the top is reserved. */
	memory.tables[1][va >> 39 & 511] |= 0x80;
	assert_unmapped(&mmu, va);
}

static void test_translate_sme(void **state)
{
	struct memory memory = { 0 };
	struct arch_mmu mmu = make_mmu(&memory, 4);
	uint64_t va = UINT64_C(0xffff888000000000), c = UINT64_C(1) << 47;
	unsigned i;

	(void)state;
	make_path(&memory, 4, va);
	memory.tables[4][0] = 0x7000 | P;
	for (i = 1; i <= 4; i++) {
		memory.tables[i][0] |= memory.tables[i][0] ? c : 0;
		memory.tables[i][va >> 39 & 511] |= i == 1 ? c : 0;
	}
	assert_unmapped(&mmu, va);
	mmu.ignore_bits = c;
	assert_translates(&mmu, va, 0x7000);
}

static void test_translate_missing_table(void **state)
{
	struct memory memory = { 0 };
	struct arch_mmu mmu = make_mmu(&memory, 4);
	uint64_t va = UINT64_C(0xffff888000000000);

	(void)state;
	make_path(&memory, 4, va);
	memory.tables[2][0] = (N_TABLES + 5) * UINT64_C(4096) | P;
	assert_unmapped(&mmu, va);
}

struct run {
	uint64_t va, pa, bytes;
};

struct walked {
	struct run runs[64];
	unsigned n, n_tables, levels[64];
	uint64_t total;
};

static void on_page(void *arg, uint64_t va, uint64_t pa, uint64_t bytes)
{
	struct walked *w = arg;

	if (w->n < 64)
		w->runs[w->n] = (struct run){ va, pa, bytes };
	w->n++;
	w->total += bytes;
}

static void on_table(void *arg, uint64_t pa, unsigned level)
{
	struct walked *w = arg;

	assert_true(pa / 4096 < N_TABLES);
	if (w->n_tables < 64)
		w->levels[w->n_tables] = level;
	w->n_tables++;
}

static struct walked walk(const struct arch_mmu *mmu, uint64_t start,
			  uint64_t end, uint64_t expected_missing)
{
	struct walked w = { 0 };
	struct image_walk to = { on_page, on_table, &w, false };
	uint64_t missing = 0;

	assert_null(arch_x86_64.walk(mmu, start, end, &to, &missing));
	assert_int_equal(missing, expected_missing);
	return w;
}

static void assert_run(const struct walked *w, unsigned i, uint64_t va,
		       uint64_t pa, uint64_t bytes)
{
	assert_true(i < w->n);
	assert_int_equal(w->runs[i].va, va);
	assert_int_equal(w->runs[i].pa, pa);
	assert_int_equal(w->runs[i].bytes, bytes);
}

static void test_walk(void **state)
{
	struct memory memory = { 0 };
	struct arch_mmu mmu = make_mmu(&memory, 4);
	uint64_t va = UINT64_C(0xffff888000000000);
	struct walked w;

	(void)state;
	make_path(&memory, 4, va);
	memory.tables[4][0] = 0x5000 | P;
	memory.tables[4][511] = 0x9000 | P;
	memory.tables[3][1] = 0x600000 | LARGE;
	memory.tables[2][1] = UINT64_C(0x80000000) | LARGE;
	memory.tables[2][2] = (N_TABLES + 1) * UINT64_C(4096) | P;
	w = walk(&mmu, va, va + (UINT64_C(1) << 39), 1);
	assert_int_equal(w.n, 4);
	assert_run(&w, 0, va, 0x5000, 0x1000);
	assert_run(&w, 1, va + 0x1ff000, 0x9000, 0x1000);
	assert_run(&w, 2, va + 0x200000, 0x600000, 0x200000);
	assert_run(&w, 3, va + 0x40000000, 0x80000000, 0x40000000);
	assert_int_equal(w.n_tables, 4);
	assert_int_equal(w.levels[0], 4);
	assert_int_equal(w.levels[3], 1);

	/* Clipped at both ends, within one large page, and nothing. */
	w = walk(&mmu, va + 0x1ff800, va + 0x40001000, 0);
	assert_int_equal(w.n, 3);
	assert_run(&w, 0, va + 0x1ff800, 0x9800, 0x800);
	assert_run(&w, 2, va + 0x40000000, 0x80000000, 0x1000);
	w = walk(&mmu, va + 0x212345, va + 0x212346, 0);
	assert_int_equal(w.n, 1);
	assert_run(&w, 0, va + 0x212345, 0x612345, 1);
	w = walk(&mmu, va + 0x1000, va + 0x1000, 0);
	assert_int_equal(w.n, 0);
	assert_int_equal(w.n_tables, 0);
	w = walk(&mmu, va + 0x1000, va, 0);
	assert_int_equal(w.n, 0);
}

/* Both halves of the address space, and its very end. */
static void test_walk_halves(void **state)
{
	struct memory memory = { 0 };
	unsigned levels;

	(void)state;
	for (levels = 4; levels <= 5; levels++) {
		struct arch_mmu mmu = make_mmu(&memory, levels);
		uint64_t low_end = UINT64_C(1) << (11 + 9 * levels);
		struct walked w;

		memset(&memory, 0, sizeof(memory));
		make_path(&memory, levels, 0);
		make_path(&memory, levels, UINT64_MAX);
		memory.tables[levels][0] = 0x3000 | P;
		memory.tables[levels][511] = 0x4000 | P;
		/* The two paths share their tables: each sees both pages of
		 * the last one, at every level. */
		w = walk(&mmu, 0, 0, 0);
		assert_int_equal(w.n, 1u << levels);
		assert_run(&w, 0, 0, 0x3000, 0x1000);
		assert_run(&w, w.n - 1, (uint64_t)-4096, 0x4000, 0x1000);
		assert_int_equal(w.runs[w.n / 2].va < -low_end, false);
		assert_int_equal(w.runs[w.n / 2 - 1].va < low_end, true);
		w = walk(&mmu, low_end, -low_end, 0);
		assert_int_equal(w.n_tables, 0);
		w = walk(&mmu, low_end + 5, 0, 0);
		assert_int_equal(w.n, 1u << (levels - 1));
		w = walk(&mmu, (uint64_t)-1, 0, 0);
		assert_int_equal(w.n, 1);
		assert_run(&w, 0, UINT64_MAX, 0x4fff, 1);
	}
}

/* As KASAN maps what there is no shadow for: one page by shared tables. */
static void test_walk_shared(void **state)
{
	struct memory memory = { 0 };
	struct arch_mmu mmu = make_mmu(&memory, 4);
	struct image_walk to = { .table = on_table };
	struct walked w = { 0 };
	struct kml_error *error;
	uint64_t missing = 0;
	const uint64_t start = UINT64_C(0xffff800000000000);
	unsigned table, i;

	(void)state;
	for (table = 1; table < 5; table++) {
		for (i = 256; i < 512; i++)
			memory.tables[table][i] = (table + 1) * 4096 | P;
	}
	/* Another table in between, and one that stands alone */
	memory.tables[1][300] = 6 * 4096 | P;
	memory.tables[6][0] = 3 * 4096 | P;
	to.arg = &w;
	assert_null(arch_x86_64.walk(&mmu, start, 0, &to, &missing));
	assert_int_equal(w.n_tables, 1 + 3 + 3 + 3);
	assert_int_equal(missing, 0);
	/* Each mapping of a shared table, then */
	to.page = on_page;
	error = arch_x86_64.walk(&mmu, start, 0, &to, &missing);
	assert_int_equal(kml_error_code(error), KML_ERR_CORRUPT);
	kml_error_destroy(error);
	to.once = true;
	w = (struct walked){ 0 };
	assert_null(arch_x86_64.walk(&mmu, start, 0, &to, &missing));
	assert_int_equal(w.n_tables, 1 + 3 + 3 + 3);
	assert_int_equal(w.n, 3 * 256);
	/* What is walked in part does not stand for the rest. */
	w = (struct walked){ 0 };
	assert_null(arch_x86_64.walk(&mmu, UINT64_C(0xffff807fc0000000), 0,
				     &to, &missing));
	assert_int_equal(w.n, 4 * 256);
}

/* Every entry leads back to the root. */
static void test_walk_loop(void **state)
{
	struct memory memory = { 0 };
	struct arch_mmu mmu = make_mmu(&memory, 5);
	struct walked w = { 0 };
	struct image_walk to = { on_page, on_table, &w, false };
	struct kml_error *error;
	uint64_t missing = 0, pa;
	unsigned i;

	(void)state;
	for (i = 0; i < 512; i++)
		memory.tables[1][i] = 0x1000 | P;
	error = arch_x86_64.walk(&mmu, 0, 0, &to, &missing);
	assert_int_equal(kml_error_code(error), KML_ERR_CORRUPT);
	kml_error_destroy(error);
	assert_int_equal(w.n_tables, 1000);
	assert_null(arch_x86_64.translate(&mmu, UINT64_C(0xff11111111111111), &pa));
	assert_int_equal(pa, 0x1111);
}

/* Errors other than a missing table end the walk. */
static struct kml_error *read_fails(void *arg, uint64_t pa, uint64_t *entries)
{
	(void)arg;
	(void)entries;
	return error_at(KML_ERR_OS, pa, "no such luck");
}

static void test_walk_error(void **state)
{
	struct arch_mmu mmu = make_mmu(NULL, 4);
	struct image_walk to = { 0 };
	struct kml_error *error;
	uint64_t missing = 0, pa;

	(void)state;
	mmu.read_table = read_fails;
	error = arch_x86_64.walk(&mmu, 0, 0, &to, &missing);
	assert_int_equal(kml_error_code(error), KML_ERR_OS);
	kml_error_destroy(error);
	assert_int_equal(missing, 0);
	error = arch_x86_64.translate(&mmu, 0, &pa);
	assert_int_equal(kml_error_code(error), KML_ERR_OS);
	kml_error_destroy(error);
}

static void test_prstatus(void **state)
{
	uint64_t desc[42];
	struct image_regs regs = { 0 };
	unsigned i;

	(void)state;
	for (i = 0; i < 42; i++)
		desc[i] = i;
	assert_false(arch_x86_64.decode_prstatus(desc, 0, &regs));
	assert_false(arch_x86_64.decode_prstatus(desc, 327, &regs));
	assert_false(regs.present);
	assert_true(arch_x86_64.decode_prstatus(desc, sizeof(desc), &regs));
	assert_true(regs.present);
	assert_int_equal(regs.ip, 14 + 16);
	assert_int_equal(regs.sp, 14 + 19);
	assert_int_equal(regs.gpr[arch_x86_64.gpr_sp], regs.sp);
	assert_string_equal(arch_x86_64.gpr_names[arch_x86_64.gpr_sp], "rsp");
	assert_int_equal(regs.gpr[0], 14 + 10);  /* rax */
	assert_int_equal(regs.gpr[5], 14 + 4);   /* rbp */
	assert_int_equal(regs.gpr[12], 14 + 3);  /* r12 */
}

static void test_vmcoreinfo(void **state)
{
	static const char text[] = "KERNELOFFSET2=5\n"
				   "KERNELOFFSET=8e00000\n"
				   "SYMBOL(a)=ffffffff81000000\n"
				   "SYMBOL(bad)=xyz\n"
				   "SYMBOL(long)=11112222333344445\n"
				   "SYMBOL(none)=\n"
				   "\n"
				   "NUMBER(phys_base)=-2097152\n"
				   "NUMBER(hex)=0x10\n"
				   "NUMBER(trailing)=12 \n"
				   "NUMBER(dup)=1\n"
				   "NUMBER(dup)=2\n"
				   "NUMBER(last)=7";
	uint64_t u = 77;
	int64_t n = 77;
	size_t bytes;

	(void)state;
	assert_true(vmcoreinfo_hex(text, "KERNELOFFSET", &u));
	assert_int_equal(u, 0x8e00000);
	assert_true(vmcoreinfo_symbol(text, "a", &u));
	assert_int_equal(u, UINT64_C(0xffffffff81000000));
	u = 77;
	assert_false(vmcoreinfo_symbol(text, "bad", &u));
	assert_false(vmcoreinfo_symbol(text, "long", &u));
	assert_false(vmcoreinfo_symbol(text, "none", &u));
	assert_false(vmcoreinfo_symbol(text, "b", &u));
	assert_int_equal(u, 77);
	assert_true(vmcoreinfo_number(text, "phys_base", &n));
	assert_int_equal(n, -2097152);
	assert_true(vmcoreinfo_number(text, "hex", &n));
	assert_int_equal(n, 16);
	assert_false(vmcoreinfo_number(text, "trailing", &n));
	assert_true(vmcoreinfo_number(text, "dup", &n));
	assert_int_equal(n, 1);
	assert_true(vmcoreinfo_number(text, "last", &n));
	assert_int_equal(n, 7);
	assert_null(vmcoreinfo_line(text, "NUMBER", &bytes));
	assert_null(vmcoreinfo_line("", "NUMBER", &bytes));
}

static void test_build_id(void **state)
{
	uint8_t id[4] = { 0 };

	(void)state;
	assert_int_equal(vmcoreinfo_build_id("BUILD-ID=0aff10\n", id, 4), 3);
	assert_memory_equal(id, "\x0a\xff\x10", 3);
	assert_int_equal(vmcoreinfo_build_id("BUILD-ID=0aff1\n", id, 4), 0);
	assert_int_equal(vmcoreinfo_build_id("BUILD-ID=0aff1g\n", id, 4), 0);
	assert_int_equal(vmcoreinfo_build_id("BUILD-ID=\n", id, 4), 0);
	assert_int_equal(vmcoreinfo_build_id("BUILD-ID=0011223344\n", id, 4),
			 0);
	assert_int_equal(vmcoreinfo_build_id("PAGESIZE=4096\n", id, 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_translate_4),
		cmocka_unit_test(test_translate_5),
		cmocka_unit_test(test_translate_large),
		cmocka_unit_test(test_translate_sme),
		cmocka_unit_test(test_translate_missing_table),
		cmocka_unit_test(test_walk),
		cmocka_unit_test(test_walk_halves),
		cmocka_unit_test(test_walk_shared),
		cmocka_unit_test(test_walk_loop),
		cmocka_unit_test(test_walk_error),
		cmocka_unit_test(test_prstatus),
		cmocka_unit_test(test_vmcoreinfo),
		cmocka_unit_test(test_build_id),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
