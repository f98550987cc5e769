// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Damaged dumps by the hundred: small ones with bytes overwritten at places
 * that matter, given to our own readers alone (libkdumpfile is not ours to
 * fix).  Whatever they say is right as long as they say it: no crash, no
 * endless loop, nothing for the sanitizers.  The damage is the same in every
 * run; `test-image-fuzz ROUNDS SEED` does more.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "dumpspec.h"
#include "image/diskdump.h"
#include "image/diskdump_header.h"
#include "image/elf_dump.h"
#include "image/image.h"

static unsigned n_rounds = 300;
static uint64_t seed = 1;

static uint64_t next_random(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed;
}

/* A file in memory that has a path. */
static struct dump_file open_bytes(const uint8_t *data, size_t bytes)
{
	struct dump_file file;
	char path[64];
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, data, bytes), bytes);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_null(dump_file_open(&file, path));
	close(fd);
	return file;
}

/* Read around the places where a damaged dump might have pages. */
static void read_source(struct source *source)
{
	static uint8_t buf[SOURCE_BATCH_PAGES * IMAGE_PAGE_BYTES];
	uint64_t pfns[] = { 0, 64, 128, 192, 256, 320, source->end_pfn - 64,
			    source->end_pfn - 1, source->end_pfn,
			    UINT64_MAX >> 12, next_random() };
	struct kml_error *error;
	uint64_t missing;
	void *reader;
	size_t i;

	assert_null(source->ops->reader_create(source, &reader));
	for (i = 0; i < sizeof(pfns) / sizeof(pfns[0]); i++) {
		unsigned n = 1 + (unsigned)(next_random() % 64);

		source->ops->has_page(source, pfns[i]);
		error = source->ops->read(reader, pfns[i], n, buf, &missing);
		kml_error_destroy(error);
	}
	source->ops->reader_destroy(reader);
}

typedef struct kml_error *open_fn(struct dump_file *file, struct source **ret);

static void try_open(const uint8_t *data, size_t bytes, open_fn *open)
{
	struct dump_file file = open_bytes(data, bytes);
	struct source *source = NULL;
	struct kml_error *error = open(&file, &source);

	kml_error_destroy(error);
	if (source) {
		read_source(source);
		source->ops->destroy(source);
	}
	dump_file_close(&file);
}

/* Numbers at which arithmetic goes wrong. */
static uint64_t nasty_number(void)
{
	static const uint64_t numbers[] = {
		0, 1, 2, 0x7f, 0xff, 0xfff, 0x1000, 0x7fffffff, 0x80000000,
		0xffffffff, 0x7fffffffffffffff, 0x8000000000000000,
		0xfffffffffffff000, 0xffffffffffffffff,
	};

	if (next_random() % 3 == 0)
		return next_random();
	return numbers[next_random() % 14];
}

/* The parts of a file that are not pages' data. */
struct area {
	size_t start, bytes;
};

static void fuzz(struct spec_file file, const struct area *areas,
		 size_t n_areas, open_fn *open)
{
	uint8_t *copy = malloc(file.bytes);
	unsigned round, n;

	for (round = 0; round < n_rounds; round++) {
		size_t bytes = file.bytes;

		memcpy(copy, file.data, file.bytes);
		for (n = (unsigned)(next_random() % 4) + 1; n; n--) {
			const struct area *a = &areas[next_random() % n_areas];
			size_t width = (size_t)1 << next_random() % 4;
			size_t at = a->start + next_random() % a->bytes;
			uint64_t value = nasty_number();

			at -= at % width;
			if (at + width <= file.bytes)
				memcpy(copy + at, &value, width);
		}
		if (next_random() % 8 == 0)
			bytes = next_random() % file.bytes + 1;
		try_open(copy, bytes, open);
	}
	free(copy);
	free(file.data);
}

static struct kml_error *open_diskdump(struct dump_file *file,
				       struct source **ret)
{
	return diskdump_open(file, 1, ret);
}

#define PAGES "mapnr 300\npage 3-20 zlib\npage 21-40 lzo\n" \
	      "page 41-80 snappy\npage 81-140 zstd\n"       \
	      "page 141-150 raw\npage 151-299 shared\nzero 151\n"

/* What the headers, the bitmaps and the descriptors say. */
static void test_diskdump_headers(void **state)
{
	static const struct area areas[] = {
		{ 424, 40 }, { 4096, 104 }, { 5 * 4096 - 4096, 64 },
		{ 5 * 4096, 297 * 24 },
	};

	(void)state;
	fuzz(dumpspec_kdump(PAGES), areas, 4, open_diskdump);
}

/* What the decompressors get. */
static void test_diskdump_data(void **state)
{
	struct spec_file file = dumpspec_kdump(PAGES);
	struct area area = { 5 * 4096 + 297 * 24, 0 };

	(void)state;
	area.bytes = file.bytes - area.start;
	fuzz(file, &area, 1, open_diskdump);
}

static struct kml_error *open_part(struct dump_file *file, struct source **ret)
{
	struct kml_error *error = diskdump_sort_parts(file, 1);

	return error ? error : diskdump_open(file, 1, ret);
}

static void test_split_headers(void **state)
{
	static const struct area areas[] = { { 4096, 104 } };

	(void)state;
	fuzz(dumpspec_kdump(PAGES "split 100 300\n"), areas, 1,
	     open_diskdump);
	fuzz(dumpspec_kdump(PAGES "split 0 300\n"), areas, 1, open_part);
}

static struct kml_error *open_elf(struct dump_file *file, struct source **ret)
{
	return elf_dump_open(file, ret);
}

static void test_elf_headers(void **state)
{
	static const struct area areas[] = {
		{ 16, 48 }, { 64 + 56, 6 * 56 },
	};

	(void)state;
	fuzz(dumpspec_elf("segment 0x1000 0x9000 0x9000\n"
			  "segment 0x9800 0x4000 0x1000\n"
			  "segment 0x40000 0x30000 0x10000\n"
			  "segment 0x41000 0x2000 0x2000\n"
			  "segment 0x10000 0x8000 0x8000\n"
			  "segment 0x100000 0x8000 0x8000\n"),
	     areas, 2, open_elf);
	fuzz(dumpspec_elf("xnum\nsegment 0x1000 0x9000 0x9000\n"), areas, 1,
	     open_elf);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_diskdump_headers),
		cmocka_unit_test(test_diskdump_data),
		cmocka_unit_test(test_split_headers),
		cmocka_unit_test(test_elf_headers),
	};

	if (argc > 1)
		n_rounds = (unsigned)strtoul(argv[1], NULL, 0);
	if (argc > 2)
		seed = strtoull(argv[2], NULL, 0) | 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
