// SPDX-License-Identifier: GPL-2.0-or-later
/* Images: dumps made by dumpspec.c, whole and broken ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bitmap.h"
#include "base/pool.h"
#include "dumpspec.h"
#include "image/image.h"

#define KERNEL_MAP UINT64_C(0xffffffff80000000)
#define DIRECT_MAP UINT64_C(0xffff888000000000)
#define VMALLOC UINT64_C(0xffffc90000000000)

static char dir[] = "/tmp/kml-test-image-XXXXXX";

static const char *path_of(const char *name)
{
	static char paths[8][128];
	static unsigned next;
	char *path = paths[next++ % 8];

	snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

/* Write a file and free its contents; its path. */
static const char *write_file(const char *name, struct spec_file file)
{
	const char *path = path_of(name);
	FILE *f = fopen(path, "we");

	assert_non_null(f);
	assert_int_equal(fwrite(file.data, 1, file.bytes, f), file.bytes);
	assert_int_equal(fclose(f), 0);
	free(file.data);
	return path;
}

static struct image *open_paths(const char *const *paths, size_t n)
{
	struct image *image = NULL;
	struct kml_error *error = image_open(paths, n, &image);

	if (error)
		fail_msg("%s", kml_error_message(error));
	return image;
}

static struct image *open_kdump_spec(const char *text)
{
	const char *path = write_file("dump", dumpspec_kdump(text));

	return open_paths(&path, 1);
}

static struct image *open_elf_spec(const char *text)
{
	const char *path = write_file("dump", dumpspec_elf(text));

	return open_paths(&path, 1);
}

/* Opening must fail with @code and a message that contains @text. */
static void assert_refused(const char *const *paths, size_t n,
			   enum kml_code code, const char *text)
{
	struct image *image = NULL;
	struct kml_error *error = image_open(paths, n, &image);

	assert_non_null(error);
	assert_null(image);
	if (!strstr(kml_error_message(error), text))
		fail_msg("message is: %s", kml_error_message(error));
	assert_int_equal(kml_error_code(error), code);
	kml_error_destroy(error);
}

static void assert_refused_1(const char *path, enum kml_code code,
			     const char *text)
{
	assert_refused(&path, 1, code, text);
}

static void assert_ok(struct kml_error *error)
{
	if (error)
		fail_msg("%s", kml_error_message(error));
}

static void assert_code(struct kml_error *error, enum kml_code code)
{
	assert_int_equal(kml_error_code(error), code);
	kml_error_destroy(error);
}

/* @error is about @address and has @code. */
static void assert_error_at(struct kml_error *error, enum kml_code code,
			    uint64_t address)
{
	uint64_t at = 0;

	assert_int_equal(kml_error_code(error), code);
	assert_true(kml_error_address(error, &at));
	assert_int_equal(at, address);
	kml_error_destroy(error);
}

static void assert_page(const uint8_t *page, uint64_t pfn)
{
	uint8_t expected[IMAGE_PAGE_BYTES];

	spec_page(pfn, expected);
	assert_memory_equal(page, expected, sizeof(expected));
}

static bool is_zero(const uint8_t *page)
{
	size_t i;

	for (i = 0; i < IMAGE_PAGE_BYTES; i++)
		if (page[i])
			return false;
	return true;
}

/*
 * All that can be read of pages below @end_pfn, in batches of @batch: a page of
 * *@there has its contents, any other is missing and zeroed; single reads say
 * the same.
 */
static void assert_pages(struct image *image, const uint64_t *there,
			 uint64_t end_pfn, unsigned batch)
{
	static uint8_t buf[64 * IMAGE_PAGE_BYTES];
	uint8_t single[IMAGE_PAGE_BYTES];
	struct image_reader *reader;
	struct kml_error *error;
	uint64_t pfn, missing;
	unsigned i;

	assert_ok(image_reader_create(image, &reader));
	for (pfn = 0; pfn < end_pfn; pfn += batch) {
		memset(buf, 0xa5, sizeof(buf));
		missing = 0;
		assert_ok(image_reader_pages(reader, pfn, batch, buf,
					     &missing));
		for (i = 0; i < batch && pfn + i < end_pfn; i++) {
			const uint8_t *page = buf + i * IMAGE_PAGE_BYTES;
			uint64_t pa = (pfn + i) << IMAGE_PAGE_SHIFT;
			bool is_there = bitmap_test(there, pfn + i);

			assert_int_equal(missing >> i & 1, !is_there);
			error = image_read_pa(image, pa, single,
					      sizeof(single));
			if (is_there) {
				assert_ok(error);
				assert_page(page, pfn + i);
				assert_page(single, pfn + i);
			} else {
				assert_true(is_zero(page));
				assert_error_at(error, KML_ERR_NODATA, pa);
			}
		}
	}
	image_reader_destroy(reader);
}

/* As assert_pages(), for the pages that image_has_page() names, which are
 * @n_pages. */
static void assert_has_pages(struct image *image, uint64_t n_pages)
{
	uint64_t end_pfn = image_facts(image)->end_pfn + 100, pfn;
	uint64_t *there = bitmap_alloc(end_pfn);

	assert_non_null(there);
	for (pfn = 0; pfn < end_pfn; pfn++)
		if (image_has_page(image, pfn))
			bitmap_set(there, pfn);
	assert_int_equal(bitmap_count(there, end_pfn), n_pages);
	assert_int_equal(image_facts(image)->n_pages, n_pages);
	assert_pages(image, there, end_pfn, 64);
	assert_pages(image, there, end_pfn, 7);
	assert_pages(image, there, end_pfn, 1);
	free(there);
}

/* --- kdump-compressed ---------------------------------------------------- */

#define ALL_METHODS            \
	"mapnr 3000\n"         \
	"page 3 raw\n"         \
	"page 5-70 zlib\n"     \
	"page 100-140 lzo\n"   \
	"page 141-150 raw\n"   \
	"page 151-300 snappy\n"\
	"page 500-700 zstd\n"  \
	"page 1023 raw\n"      \
	"page 1024 zstd\n"     \
	"page 2999 zlib\n"
#define ALL_METHODS_PAGES (1 + 66 + 41 + 10 + 150 + 201 + 1 + 1 + 1)

static void test_kdump_methods(void **state)
{
	struct image *image = open_kdump_spec(ALL_METHODS);

	(void)state;
	assert_int_equal(image_facts(image)->end_pfn, 3000);
	assert_false(image_facts(image)->truncated);
	assert_has_pages(image, ALL_METHODS_PAGES);
	assert_int_equal(image_damaged_pages(image), 0);
	image_close(image);
}

static void test_kdump_facts(void **state)
{
	static const uint8_t build_id[20] = {
		0x00, 0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88, 0x99,
		0xaa, 0xbb, 0xcc, 0xdd, 0xee, 0xff, 0x01, 0x23, 0x45, 0x67,
	};
	struct image *image = open_kdump_spec(ALL_METHODS "cpus 3\n");
	const struct image_facts *facts = image_facts(image);
	uint64_t symbol;
	int64_t number;
	unsigned cpu;

	(void)state;
	assert_string_equal(facts->format, "kdump");
	assert_string_equal(facts->release, "6.1.0-test");
	assert_int_equal(facts->build_id_bytes, sizeof(build_id));
	assert_memory_equal(facts->build_id, build_id, sizeof(build_id));
	assert_int_equal(facts->kaslr_offset, 0x8e00000);
	assert_int_equal(facts->phys_base, SPEC_PHYS_BASE);
	assert_int_equal(facts->page_table_levels, 4);
	assert_string_equal(image_vmcoreinfo(image), SPEC_VMCOREINFO);
	assert_true(image_vmcoreinfo_symbol(image, "swapper_pg_dir", &symbol));
	assert_int_equal(symbol, KERNEL_MAP + 0x10000);
	assert_true(image_vmcoreinfo_number(image, "KERNEL_IMAGE_SIZE",
					    &number));
	assert_int_equal(number, 1 << 30);
	assert_false(image_vmcoreinfo_number(image, "KERNEL_IMAGE", &number));

	assert_int_equal(facts->n_cpus, 3);
	for (cpu = 0; cpu < 3; cpu++) {
		assert_true(facts->cpus[cpu].present);
		assert_int_equal(facts->cpus[cpu].ip, spec_reg(cpu, 16));
		assert_int_equal(facts->cpus[cpu].sp, spec_reg(cpu, 19));
		assert_int_equal(facts->cpus[cpu].gpr[0], spec_reg(cpu, 10));
		assert_int_equal(facts->cpus[cpu].gpr[4], spec_reg(cpu, 19));
		assert_int_equal(facts->cpus[cpu].gpr[15], spec_reg(cpu, 0));
	}
	image_close(image);
}

static void test_kdump_names(void **state)
{
	static const char *const methods[] = { "zlib", "lzo", "snappy",
					       "zstd" };
	struct image *image;
	char text[64], name[32];
	size_t i;

	(void)state;
	for (i = 0; i < 4; i++) {
		snprintf(text, sizeof(text), "mapnr 16\npage 2-3 %s\n",
			 methods[i]);
		snprintf(name, sizeof(name), "kdump-%s", methods[i]);
		image = open_kdump_spec(text);
		assert_string_equal(image_facts(image)->format, name);
		assert_has_pages(image, 2);
		image_close(image);
	}
}

/* Zero pages share one page's data, which lies before all others'. */
static void test_kdump_shared(void **state)
{
	struct image *image = open_kdump_spec("mapnr 300\n"
					      "page 10 zlib\n"
					      "page 11-12 shared\n"
					      "page 13-20 zlib\n"
					      "page 21 shared\n"
					      "page 22 zlib\n"
					      "page 25-80 shared\n"
					      "page 81-90 lzo\n"
					      "page 91-299 shared\n"
					      "zero 11\n");
	uint8_t *buf = malloc(64 * IMAGE_PAGE_BYTES);
	struct image_reader *reader;
	uint64_t missing, pfn;

	(void)state;
	assert_ok(image_reader_create(image, &reader));
	for (pfn = 0; pfn < 300; pfn++) {
		uint64_t first = pfn / 64 * 64;
		const uint8_t *page = buf + (pfn - first) * IMAGE_PAGE_BYTES;

		if (pfn == first)
			assert_ok(image_reader_pages(reader, pfn, 64, buf,
						     &missing));
		if (missing >> (pfn - first) & 1)
			assert_false(image_has_page(image, pfn));
		else if (pfn == 10 || (pfn >= 13 && pfn <= 20) || pfn == 22 ||
			 (pfn >= 81 && pfn <= 90))
			assert_page(page, pfn);
		else
			assert_true(is_zero(page));
	}
	assert_int_equal(image_facts(image)->n_pages, 288);
	assert_int_equal(image_damaged_pages(image), 0);
	image_reader_destroy(reader);
	free(buf);
	image_close(image);
}

static void test_read_across_pages(void **state)
{
	struct image *image = open_kdump_spec("mapnr 64\npage 4-6 lzo\n");
	uint8_t expected[3 * IMAGE_PAGE_BYTES], buf[3 * IMAGE_PAGE_BYTES];
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++)
		spec_page(4 + i, expected + i * IMAGE_PAGE_BYTES);
	assert_ok(image_read_pa(image, 0x4ff0, buf, 0x1020));
	assert_memory_equal(buf, expected + 0xff0, 0x1020);
	assert_ok(image_read_pa(image, 0x4000, buf, sizeof(buf)));
	assert_memory_equal(buf, expected, sizeof(buf));
	assert_ok(image_read_pa(image, 0x9999999, buf, 0));
	assert_error_at(image_read_pa(image, 0x6ff8, buf, 16), KML_ERR_NODATA,
			0x7000);
	assert_error_at(image_read_pa(image, 0x3ff8, buf, 16), KML_ERR_NODATA,
			0x3ff8);
	assert_error_at(image_read_pa(image, UINT64_MAX - 7, buf, 16),
			KML_ERR_NODATA, UINT64_MAX - 7);
	image_close(image);
}

/* The page cache is indexed by the low bits: pages that meet in one slot. */
static void test_cache_collisions(void **state)
{
	struct image *image = open_kdump_spec("mapnr 5000\n"
					      "page 7 zlib\npage 1031 lzo\n"
					      "page 4103 zstd\n");
	static const uint64_t pfns[] = { 7, 1031, 7, 4103, 1031, 4103, 7 };
	uint8_t page[IMAGE_PAGE_BYTES];
	size_t i;

	(void)state;
	for (i = 0; i < 7; i++) {
		assert_ok(image_read_pa(image, pfns[i] * IMAGE_PAGE_BYTES,
					page, sizeof(page)));
		assert_page(page, pfns[i]);
		assert_code(image_read_pa(image, 2055 * IMAGE_PAGE_BYTES, page,
					  8), KML_ERR_NODATA);
	}
	image_close(image);
}

static void test_reader_arguments(void **state)
{
	struct image *image = open_kdump_spec("mapnr 64\npage 4-6 lzo\n");
	uint8_t buf[IMAGE_PAGE_BYTES];
	struct image_reader *reader;
	uint64_t missing = 77;

	(void)state;
	assert_ok(image_reader_create(image, &reader));
	assert_code(image_reader_pages(reader, 4, 0, buf, &missing),
		    KML_ERR_ARGUMENT);
	assert_code(image_reader_pages(reader, 4, 65, buf, &missing),
		    KML_ERR_ARGUMENT);
	assert_int_equal(missing, 77);
	assert_ok(image_reader_pages(reader, UINT64_MAX / IMAGE_PAGE_BYTES, 1,
				     buf, &missing));
	assert_int_equal(missing, 1);
	assert_ok(image_reader_pages(reader, UINT64_MAX, 1, buf, &missing));
	assert_int_equal(missing, 1);
	image_reader_destroy(reader);
	image_reader_destroy(NULL);
	image_close(image);
}

/* --- virtual addresses --------------------------------------------------- */

/* Page tables in pages 0x1010 (root) to 0x1013, mapping vmalloc space. */
#define PAGE_TABLES                                      \
	"entry 0x1010 402 0x1011063\n"                   \
	"entry 0x1011 0 0x1012063\n"                     \
	"entry 0x1012 0 0x1013063\n"                     \
	"entry 0x1012 1 0x80000000014000e3\n"            \
	"entry 0x1012 2 0x0000000003000063\n"            \
	"entry 0x1013 0 0x8000000000005163\n"            \
	"entry 0x1013 1 0x8000000000003163\n"            \
	"entry 0x1013 3 0x8000000000500163\n"

static void test_read_va(void **state)
{
	struct image *image = open_kdump_spec("mapnr 0x2000\n"
					      "page 3-5 zlib\n"
					      "page 0x1001 zlib\n"
					      "page 0x1010-0x1013 lzo\n"
					      "page 0x1405 zlib\n" PAGE_TABLES);
	uint8_t page[2 * IMAGE_PAGE_BYTES];
	uint64_t pa;

	(void)state;
	image_set_direct_map(image, DIRECT_MAP, DIRECT_MAP + (1 << 24));
	assert_ok(image_read_va(image, DIRECT_MAP + 0x3000, page, 4096));
	assert_page(page, 3);
	assert_ok(image_translate(image, DIRECT_MAP + 0xffffff, &pa));
	assert_int_equal(pa, 0xffffff);
	assert_code(image_translate(image, DIRECT_MAP + (1 << 24), &pa),
		    KML_ERR_NODATA);
	assert_ok(image_read_va(image, KERNEL_MAP + 0x1000, page, 4096));
	assert_page(page, 0x1001);
	assert_error_at(image_read_va(image, KERNEL_MAP + 0x1ff8, page, 16),
			KML_ERR_NODATA, KERNEL_MAP + 0x2000);

	assert_ok(image_read_va(image, VMALLOC, page, 8192));
	assert_page(page, 5);
	assert_page(page + 4096, 3);
	assert_ok(image_read_va(image, VMALLOC + 0x205000, page, 4096));
	assert_page(page, 0x1405);
	/* Not mapped; mapped to what the dump lacks; table not in the dump. */
	assert_error_at(image_read_va(image, VMALLOC + 0x1ff8, page, 16),
			KML_ERR_NODATA, VMALLOC + 0x2000);
	assert_error_at(image_read_va(image, VMALLOC + 0x3008, page, 8),
			KML_ERR_NODATA, VMALLOC + 0x3008);
	assert_error_at(image_read_va(image, VMALLOC + 0x400000, page, 8),
			KML_ERR_NODATA, VMALLOC + 0x400000);
	assert_code(image_read_va(image, UINT64_C(0x800000000000), page, 8),
		    KML_ERR_NODATA);
	image_close(image);
}

struct walked {
	uint64_t va[16], pa[16], bytes[16], tables[16];
	unsigned levels[16], n, n_tables;
};

static void on_page(void *arg, uint64_t va, uint64_t pa, uint64_t bytes)
{
	struct walked *w = arg;

	assert_true(w->n < 16);
	w->va[w->n] = va;
	w->pa[w->n] = pa;
	w->bytes[w->n++] = bytes;
}

static void on_table(void *arg, uint64_t pa, unsigned level)
{
	struct walked *w = arg;

	assert_true(w->n_tables < 16);
	w->tables[w->n_tables] = pa;
	w->levels[w->n_tables++] = level;
}

static void test_walk_tables(void **state)
{
	struct image *image = open_kdump_spec("mapnr 0x2000\n"
					      "page 0x1010-0x1013 zstd\n"
					      PAGE_TABLES);
	struct walked w = { 0 };
	struct image_walk walk = { on_page, on_table, &w, false };
	uint64_t missing = 0;

	(void)state;
	assert_ok(image_walk_tables(image, 0, VMALLOC, VMALLOC + (1 << 30),
				    &walk, &missing));
	assert_int_equal(missing, 1);
	assert_int_equal(w.n, 4);
	assert_int_equal(w.va[3], VMALLOC + 0x200000);
	assert_int_equal(w.pa[3], 0x1400000);
	assert_int_equal(w.bytes[3], 0x200000);
	assert_int_equal(w.n_tables, 4);
	assert_int_equal(w.tables[0], 0x1010000);
	assert_int_equal(w.levels[0], 4);
	assert_int_equal(w.levels[3], 1);

	/* A part of it, from another root. */
	w.n = 0;
	walk.table = NULL;
	assert_ok(image_walk_tables(image, 0x1010000, VMALLOC + 0x1800,
				    VMALLOC + 0x201000, &walk, &missing));
	assert_int_equal(w.n, 3);
	assert_int_equal(w.va[0], VMALLOC + 0x1800);
	assert_int_equal(w.pa[0], 0x3800);
	assert_int_equal(w.bytes[0], 0x800);
	assert_int_equal(w.bytes[2], 0x1000);
	image_close(image);
}

/* --- split dumps --------------------------------------------------------- */

#define SPLIT_PAGES "mapnr 2000\npage 5-70 zlib\npage 590-800 lzo\n" \
		    "page 1100-1300 zstd\npage 1999 raw\n"
#define SPLIT_N_PAGES (66 + 211 + 201 + 1)

static void write_parts(const char **paths)
{
	paths[0] = write_file("part1", dumpspec_kdump(SPLIT_PAGES
						      "split 0 600\n"));
	paths[1] = write_file("part2", dumpspec_kdump(SPLIT_PAGES
						      "split 600 1150\n"));
	paths[2] = write_file("part3", dumpspec_kdump(SPLIT_PAGES
						      "split 1150 2000\n"));
	paths[3] = write_file("part4", dumpspec_kdump(SPLIT_PAGES
						      "split 2000 2000\n"));
}

static void test_split(void **state)
{
	static const unsigned orders[3][4] = {
		{ 0, 1, 2, 3 }, { 3, 2, 1, 0 }, { 2, 3, 0, 1 },
	};
	const char *parts[4], *paths[4];
	struct image *image;
	unsigned i, j;

	(void)state;
	write_parts(parts);
	for (i = 0; i < 3; i++) {
		for (j = 0; j < 4; j++)
			paths[j] = parts[orders[i][j]];
		image = open_paths(paths, 4);
		assert_int_equal(image_facts(image)->end_pfn, 2000);
		assert_has_pages(image, SPLIT_N_PAGES);
		image_close(image);
	}
	/* An empty part is not needed. */
	image = open_paths(parts, 3);
	assert_has_pages(image, SPLIT_N_PAGES);
	image_close(image);
}

/* Each part has its own shared page, at the same place and of the same size. */
static void test_split_shared(void **state)
{
#define SHARED "mapnr 256\npage 0-255 shared\nentry 0 0 1\nentry 128 0 2\n"
	const char *paths[2] = {
		write_file("part1", dumpspec_kdump(SHARED "split 0 128\n")),
		write_file("part2", dumpspec_kdump(SHARED "split 128 256\n")),
	};
#undef SHARED
	struct image *image = open_paths(paths, 2);
	uint8_t *buf = malloc(64 * IMAGE_PAGE_BYTES);
	struct image_reader *reader;
	uint64_t pfn, missing;

	(void)state;
	assert_ok(image_reader_create(image, &reader));
	for (pfn = 0; pfn < 256; pfn++) {
		if (pfn % 64 == 0)
			assert_ok(image_reader_pages(reader, pfn, 64, buf,
						     &missing));
		assert_int_equal(buf[pfn % 64 * IMAGE_PAGE_BYTES],
				 pfn < 128 ? 1 : 2);
	}
	image_reader_destroy(reader);
	free(buf);
	image_close(image);
}

static void test_split_refused(void **state)
{
	const char *parts[4], *paths[3];

	(void)state;
	write_parts(parts);
	assert_refused_1(parts[0], KML_ERR_ARGUMENT,
			 "no file has pages 600 to 2000");
	assert_refused(parts + 1, 2, KML_ERR_ARGUMENT,
		       "no file has pages 0 to 600");
	paths[0] = parts[0];
	paths[1] = parts[2];
	assert_refused(paths, 2, KML_ERR_ARGUMENT,
		       "no file has pages 600 to 1150");
	paths[1] = parts[0];
	paths[2] = parts[1];
	assert_refused(paths, 3, KML_ERR_ARGUMENT, "hold the same pages");
	paths[1] = parts[1];
	paths[2] = write_file("whole", dumpspec_kdump(SPLIT_PAGES));
	assert_refused(paths, 3, KML_ERR_ARGUMENT, "is a whole dump");
	paths[2] = write_file("other", dumpspec_kdump(SPLIT_PAGES
						      "split 1150 2000\n"
						      "poke32 408 1\n"));
	assert_refused(paths, 3, KML_ERR_ARGUMENT, "are of different dumps");
	paths[2] = write_file("elf", dumpspec_elf("segment 0 4096 4096\n"));
	assert_refused(paths, 3, KML_ERR_ARGUMENT, "not a part of a split");
	assert_refused(paths, 0, KML_ERR_ARGUMENT, "no dump");
}

/* --- damage -------------------------------------------------------------- */

static void test_damaged_pages(void **state)
{
	/* Of eleven pages those with an even number are broken. */
	struct image *image = open_kdump_spec(
		"mapnr 100\n"
		"page 10 zlib\npage 11 raw\npage 12-13 lzo\npage 14 snappy\n"
		"page 15-18 zstd\npage 19 zlib\npage 20 raw\npage 21 zlib\n"
		"page 22 zlib\npage 24 zlib\n"
		"desc 10 offset 0x7fffffffffffffff\n"
		"desc 12 size 0xffffffff\n"
		"desc 14 size 0\n"
		"desc 16 offset 0xfffffffffffffff0\n"
		"desc 18 flags 0x21\n"
		"desc 20 size 4095\n"
		"data 22 0 0\n"
		"desc 24 flags 0\n");
	static const uint64_t good[] = { 11, 13, 15, 17, 19, 21 };
	uint64_t there[3] = { 0 };
	unsigned i;

	(void)state;
	for (i = 0; i < 6; i++)
		bitmap_set(there, good[i]);
	assert_int_equal(image_damaged_pages(image), 0);
	assert_pages(image, there, 100, 64);
	assert_int_equal(image_damaged_pages(image), 8);
	assert_pages(image, there, 100, 1);
	assert_int_equal(image_damaged_pages(image), 8);
	/* The answer does not change. */
	assert_true(image_has_page(image, 10));
	assert_int_equal(image_facts(image)->n_pages, 14);
	image_close(image);
}

/* Data that decompresses to something other than one page. */
static void test_wrong_size_pages(void **state)
{
	static const char *const methods[] = { "zlib", "lzo", "snappy",
					       "zstd" };
	uint64_t there[1] = { 1 << 4 };
	struct image *image;
	char text[128];
	unsigned i, cut;

	(void)state;
	for (i = 0; i < 4; i++)
		for (cut = 1; cut < 200; cut += 60) {
			snprintf(text, sizeof(text),
				 "mapnr 16\npage 3-4 %s\ndesc 3 size %u\n",
				 methods[i], cut);
			image = open_kdump_spec(text);
			assert_pages(image, there, 16, 16);
			assert_int_equal(image_damaged_pages(image), 1);
			image_close(image);
		}
}

static void test_truncated_data(void **state)
{
	struct image *image = open_kdump_spec("mapnr 100\npage 10-50 raw\n"
					      "truncate -12289\n");
	uint64_t there[2] = { 0 };
	unsigned i;

	(void)state;
	for (i = 10; i < 47; i++)
		bitmap_set(there, i);
	assert_true(image_facts(image)->truncated);
	assert_pages(image, there, 100, 64);
	assert_int_equal(image_damaged_pages(image), 4);
	image_close(image);
}

static void test_truncated_descriptors(void **state)
{
	/* 5 blocks before them. */
	struct image *image = open_kdump_spec("mapnr 100\npage 10-50 raw\n"
					      "truncate 20500\n");

	(void)state;
	assert_true(image_facts(image)->truncated);
	assert_int_equal(image_facts(image)->n_pages, 41);
	assert_pages(image, (uint64_t[2]){ 0 }, 100, 64);
	assert_int_equal(image_damaged_pages(image), 41);
	image_close(image);
}

static void test_incomplete(void **state)
{
	struct image *image = open_kdump_spec("mapnr 100\npage 10-50 zlib\n"
					      "poke32 424 9\n");

	(void)state;
	assert_true(image_facts(image)->truncated);
	assert_has_pages(image, 41);
	image_close(image);
}

static void refuse_kdump(const char *text, enum kml_code code,
			 const char *message)
{
	assert_refused_1(write_file("broken", dumpspec_kdump(text)), code,
			 message);
}

static void test_broken_kdump(void **state)
{
	(void)state;
#define FEW "mapnr 100\npage 10-12 zlib\n"
	refuse_kdump(FEW "truncate 16384\n", KML_ERR_CORRUPT, "page bitmap");
	refuse_kdump(FEW "truncate 4100\n", KML_ERR_CORRUPT, "sub-header");
	refuse_kdump(FEW "truncate 100\n", KML_ERR_CORRUPT, "header");
	refuse_kdump(FEW "truncate 8\n", KML_ERR_CORRUPT, "header");
	/* More bitmap than there is file. */
	refuse_kdump(FEW "poke32 436 0xffffffff\n", KML_ERR_CORRUPT,
		     "page bitmap");
	refuse_kdump(FEW "poke32 432 0x7fffffff\n", KML_ERR_CORRUPT,
		     "page bitmap");
	refuse_kdump(FEW "machine aarch64\n", KML_ERR_UNSUPPORTED, "aarch64");
	refuse_kdump(FEW "no-vmcoreinfo\n", KML_ERR_UNSUPPORTED,
		     "no VMCOREINFO");
	refuse_kdump(FEW "vmcoreinfo OSRELEASE=3.10.0\n", KML_ERR_UNSUPPORTED,
		     "NUMBER(phys_base)");
	refuse_kdump(FEW "vmcoreinfo NUMBER(phys_base)=0\n",
		     KML_ERR_UNSUPPORTED, "swapper_pg_dir");
	refuse_kdump(FEW "vmcoreinfo NUMBER(phys_base)=0\n"
			 "vmcoreinfo SYMBOL(swapper_pg_dir)=1000\n",
		     KML_ERR_CORRUPT, "outside the kernel image");
#undef FEW
}

/* Sizes that claim more, or less, than the bitmap has. */
static void test_lying_bitmap(void **state)
{
	struct image *image;

	(void)state;
	image = open_kdump_spec("mapnr 100\npage 10-12 zlib\n"
				"poke64 4192 0xffffffffffffffff\n");
	assert_int_equal(image_facts(image)->end_pfn, 65536);
	image_close(image);
	/* Blocks that are not an even number, and descriptors elsewhere. */
	image = open_kdump_spec("mapnr 100\npage 10-12 zlib\n"
				"poke32 436 1\n");
	assert_true(image_facts(image)->truncated ||
		    image_facts(image)->n_pages <= 100);
	image_close(image);
	image = open_kdump_spec("mapnr 100\npage 10-12 zlib\n"
				"poke64 4192 0\n");
	assert_int_equal(image_facts(image)->n_pages, 0);
	assert_pages(image, (uint64_t[2]){ 0 }, 100, 64);
	image_close(image);
}

/* A version that we do not know: libkdumpfile reads it for us. */
static void test_fallback(void **state)
{
	struct image *image = open_kdump_spec(ALL_METHODS
					      "version 7\ncpus 1\n");

	(void)state;
	assert_string_equal(image_facts(image)->format, "diskdump");
	assert_int_equal(image_facts(image)->end_pfn, 3000);
	assert_int_equal(image_facts(image)->n_cpus, 1);
	assert_has_pages(image, ALL_METHODS_PAGES);
	image_close(image);
}

static void test_fallback_damaged(void **state)
{
	struct image *image = open_kdump_spec("mapnr 100\npage 10-12 lzo\n"
					      "version 7\n"
					      "desc 11 size 20\n");
	uint64_t there[2] = { UINT64_C(5) << 10 };

	(void)state;
	assert_pages(image, there, 100, 64);
	assert_true(image_damaged_pages(image) > 0);
	image_close(image);
}

/* QEMU leaves the utsname empty. */
static void test_no_machine(void **state)
{
	struct image *image = open_kdump_spec("mapnr 100\npage 10-12 lzo\n"
					      "cpus 2\npoke8 272 0\n");

	(void)state;
	assert_int_equal(image_facts(image)->n_cpus, 2);
	assert_int_equal(image_facts(image)->cpus[1].ip, spec_reg(1, 16));
	assert_has_pages(image, 3);
	image_close(image);
}

/* --- ELF ----------------------------------------------------------------- */

static void test_elf(void **state)
{
	struct image *image = open_elf_spec("cpus 2\n"
					    "segment 0x1000 0x9e000 0x9e000\n"
					    "segment 0x100000 0x80000 0x80000\n"
					    "segment 0x400000 0x1000 0x1000\n");

	(void)state;
	assert_string_equal(image_facts(image)->format, "elf");
	assert_int_equal(image_facts(image)->end_pfn, 0x401);
	assert_int_equal(image_facts(image)->n_cpus, 2);
	assert_int_equal(image_facts(image)->cpus[1].sp, spec_reg(1, 19));
	assert_false(image_has_page(image, 0));
	assert_true(image_has_page(image, 1));
	assert_false(image_has_page(image, 0x401));
	assert_false(image_has_page(image, UINT64_MAX));
	assert_has_pages(image, 0x9e + 0x80 + 1);
	image_close(image);
}

/* QEMU's program headers, more of them than 16 bits count, any order, and the
 * kernel image twice. */
static void test_elf_layouts(void **state)
{
	struct image *image = open_elf_spec("phoff 192\nxnum\n"
					    "segment 0x80000 0x9000 0x9000\n"
					    "segment 0x20000 0x3000 0x3000\n"
					    "segment 0x10000 0x30000 0x30000\n"
					    "segment 0x3f000 0x4000 0x4000\n"
					    "segment 0x88000 0x1000 0x1000\n"
					    "segment 0x8000 0x1000 0x1000\n");

	(void)state;
	assert_has_pages(image, 1 + 0x33 + 9);
	image_close(image);
}

/* Segments that begin and end within pages. */
static void test_elf_partial_pages(void **state)
{
	struct image *image = open_elf_spec("segment 0x1800 0x1000 0x1000\n"
					    "segment 0x2900 0x200 0x200\n"
					    "segment 0x5ff0 0x10 0x10\n");
	uint8_t page[3][IMAGE_PAGE_BYTES], expected[IMAGE_PAGE_BYTES];
	struct image_reader *reader;
	uint8_t buf[8 * IMAGE_PAGE_BYTES];
	uint64_t missing;

	(void)state;
	assert_int_equal(image_facts(image)->n_pages, 3);
	assert_ok(image_read_pa(image, 0x1000, page[0], 4096));
	assert_ok(image_read_pa(image, 0x2000, page[1], 4096));
	assert_ok(image_read_pa(image, 0x5000, page[2], 4096));
	spec_page(1, expected);
	memset(expected, 0, 0x800);
	assert_memory_equal(page[0], expected, 4096);
	spec_page(2, expected);
	memset(expected + 0x800, 0, 0x100);
	memset(expected + 0xb00, 0, 0x500);
	assert_memory_equal(page[1], expected, 4096);
	spec_page(5, expected);
	memset(expected, 0, 0xff0);
	assert_memory_equal(page[2], expected, 4096);

	memset(buf, 0xa5, sizeof(buf));
	assert_ok(image_reader_create(image, &reader));
	assert_ok(image_reader_pages(reader, 0, 8, buf, &missing));
	assert_int_equal(missing, 0xd9);
	assert_memory_equal(buf + 0x1000, page[0], 0x2000);
	assert_memory_equal(buf + 0x5000, page[2], 0x1000);
	assert_true(is_zero(buf));
	image_reader_destroy(reader);
	image_close(image);
}

static void test_elf_zero_pages(void **state)
{
	struct image *image = open_elf_spec("segment 0x1000 0x4000 0x2000\n"
					    "segment 0x9000 0x2000 0\n");
	uint8_t page[IMAGE_PAGE_BYTES];

	(void)state;
	assert_int_equal(image_facts(image)->n_pages, 6);
	assert_int_equal(image_facts(image)->zero_pages, 4);
	assert_ok(image_read_pa(image, 0x2000, page, 4096));
	assert_page(page, 2);
	assert_ok(image_read_pa(image, 0x3000, page, 4096));
	assert_true(is_zero(page));
	assert_ok(image_read_pa(image, 0xa000, page, 4096));
	assert_true(is_zero(page));
	image_close(image);
}

static void test_elf_truncated(void **state)
{
	struct image *image = open_elf_spec("segment 0x1000 0x4000 0x4000\n"
					    "segment 0x9000 0x3000 0x3000\n"
					    "truncate -8193\n");

	(void)state;
	assert_true(image_facts(image)->truncated);
	assert_false(image_has_page(image, 9));
	assert_has_pages(image, 4);
	image_close(image);
}

/* Sizes and addresses that make no sense hide no other segment. */
static void test_elf_lies(void **state)
{
	struct image *image = open_elf_spec(
		"segment 0x1000 0x2000 0x2000\n"
		"segment 0x9000 0x1000 0x1000\n"
		"segment 0xb000 0x1000 0x1000\n"
		"segment 0xd000 0x1000 0x1000\n"
		"phdr 2 paddr 0xffffffffffffffff\n"
		"phdr 3 offset 0xfffffffffffffff0\n"
		"phdr 4 memsz 0xffffffffffffffff\n");
	uint8_t page[IMAGE_PAGE_BYTES];

	(void)state;
	assert_true(image_facts(image)->truncated);
	assert_true(image_has_page(image, 2));
	assert_false(image_has_page(image, 9));
	assert_false(image_has_page(image, 0xb));
	assert_ok(image_read_pa(image, 0xd000, page, 4096));
	assert_page(page, 0xd);
	image_close(image);
}

static void refuse_elf(const char *text, enum kml_code code,
		       const char *message)
{
	assert_refused_1(write_file("broken", dumpspec_elf(text)), code,
			 message);
}

static void test_broken_elf(void **state)
{
	(void)state;
	refuse_elf("segment 0 4096 4096\nmachine 183\n", KML_ERR_UNSUPPORTED,
		   "aarch64");
	refuse_elf("segment 0 4096 4096\nno-vmcoreinfo\n", KML_ERR_UNSUPPORTED,
		   "no VMCOREINFO");
	refuse_elf("segment 0 4096 4096\npoke8 16 2\n", KML_ERR_FORMAT,
		   "is an ELF file, but not a dump");
	refuse_elf("segment 0 4096 4096\ntruncate 70\n", KML_ERR_CORRUPT,
		   "program headers");
}

/* --- no dumps at all ----------------------------------------------------- */

static const char *write_text(const char *name, const char *text)
{
	return write_file(name, (struct spec_file){ (uint8_t *)strdup(text),
						    strlen(text) });
}

static void test_no_dumps(void **state)
{
	const char *path;

	(void)state;
	assert_refused_1(path_of("nothing"), KML_ERR_OS,
			 "nothing': No such file or directory");
	assert_refused_1(dir, KML_ERR_FORMAT, "is a directory");
	assert_refused_1("/dev/null", KML_ERR_FORMAT, "neither a file nor");
	assert_refused_1(write_text("empty", ""), KML_ERR_FORMAT, "is empty");
	assert_refused_1(write_text("text", "This is no dump.\n"),
			 KML_ERR_FORMAT, "is not a dump");
	assert_refused_1(write_text("short", "K"), KML_ERR_FORMAT,
			 "is not a dump");
	assert_refused_1(write_text("elf", "\177ELF"), KML_ERR_FORMAT, "");
	path = path_of("fifo");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused_1(path, KML_ERR_FORMAT, "neither a file nor");
	path = write_text("unreadable", "K");
	assert_int_equal(chmod(path, 0), 0);
	if (access(path, R_OK) != 0)
		assert_refused_1(path, KML_ERR_OS, "Permission denied");
}

static void test_flattened(void **state)
{
	struct spec_file file = { calloc(1, 8192), 8192 };

	(void)state;
	memcpy(file.data, "makedumpfile\0\0\0\0\0\0\0\0\0\0\0\1", 24);
	assert_refused_1(write_file("flat", file), KML_ERR_UNSUPPORTED,
			 "makedumpfile -R");
}

/* --- threads ------------------------------------------------------------- */

#define THREADS 4

struct pass {
	struct image_reader *readers[THREADS];
	uint8_t bufs[THREADS][64 * IMAGE_PAGE_BYTES];
	uint64_t missing[64];
};

static struct kml_error *pass_chunk(void *arg, unsigned thread, uint64_t chunk)
{
	struct pass *pass = arg;
	uint8_t *buf = pass->bufs[thread], expected[IMAGE_PAGE_BYTES];
	struct kml_error *error;
	uint64_t i;

	error = image_reader_pages(pass->readers[thread], chunk * 64, 64, buf,
				   &pass->missing[chunk]);
	for (i = 0; !error && i < 64; i++) {
		if (pass->missing[chunk] >> i & 1)
			continue;
		spec_page(chunk * 64 + i, expected);
		if (memcmp(buf + i * IMAGE_PAGE_BYTES, expected,
			   sizeof(expected)) != 0)
			return error_new(KML_ERR_CORRUPT, "differs");
	}
	return error;
}

static void test_threads(void **state)
{
	struct image *image = open_kdump_spec(ALL_METHODS
					      "desc 600 offset 1\n"
					      "desc 120 flags 0x20\n");
	struct pass *pass = calloc(1, sizeof(*pass));
	unsigned i, round, n;

	(void)state;
	for (i = 0; i < THREADS; i++)
		assert_ok(image_reader_create(image, &pass->readers[i]));
	for (round = 0; round < 5; round++) {
		assert_ok(pool_run(THREADS, 47, pass_chunk, pass));
		for (n = i = 0; i < 47; i++)
			n += 64 - (unsigned)__builtin_popcountll(
					  pass->missing[i]);
		assert_int_equal(n, ALL_METHODS_PAGES - 2);
		assert_int_equal(image_damaged_pages(image), 2);
	}
	for (i = 0; i < THREADS; i++)
		image_reader_destroy(pass->readers[i]);
	free(pass);
	image_close(image);
}

static int setup(void **state)
{
	(void)state;
	return mkdtemp(dir) ? 0 : -1;
}

static int teardown(void **state)
{
	static const char *const names[] = {
		"dump", "part1", "part2", "part3", "part4", "whole", "other",
		"elf", "broken", "empty", "text", "short", "fifo",
		"unreadable", "flat",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		unlink(path_of(names[i]));
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kdump_methods),
		cmocka_unit_test(test_kdump_facts),
		cmocka_unit_test(test_kdump_names),
		cmocka_unit_test(test_kdump_shared),
		cmocka_unit_test(test_read_across_pages),
		cmocka_unit_test(test_cache_collisions),
		cmocka_unit_test(test_reader_arguments),
		cmocka_unit_test(test_read_va),
		cmocka_unit_test(test_walk_tables),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_split_shared),
		cmocka_unit_test(test_split_refused),
		cmocka_unit_test(test_damaged_pages),
		cmocka_unit_test(test_wrong_size_pages),
		cmocka_unit_test(test_truncated_data),
		cmocka_unit_test(test_truncated_descriptors),
		cmocka_unit_test(test_incomplete),
		cmocka_unit_test(test_broken_kdump),
		cmocka_unit_test(test_lying_bitmap),
		cmocka_unit_test(test_fallback),
		cmocka_unit_test(test_fallback_damaged),
		cmocka_unit_test(test_no_machine),
		cmocka_unit_test(test_elf),
		cmocka_unit_test(test_elf_layouts),
		cmocka_unit_test(test_elf_partial_pages),
		cmocka_unit_test(test_elf_zero_pages),
		cmocka_unit_test(test_elf_truncated),
		cmocka_unit_test(test_elf_lies),
		cmocka_unit_test(test_broken_elf),
		cmocka_unit_test(test_no_dumps),
		cmocka_unit_test(test_flattened),
		cmocka_unit_test(test_threads),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
