/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A dump of a few pages of words, for tests of what is read of memory. */
#ifndef TESTS_WORDS_IMAGE_H
#define TESTS_WORDS_IMAGE_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dumpspec.h"
#include "image/image.h"
#include "unit.h"

/* @n pages from @pfn on, of a machine that has pages up to @end_pfn, mapped at
 * @direct_va. */
static inline struct image *open_words(const uint64_t (*words)[512],
				       unsigned pfn, unsigned n,
				       unsigned end_pfn, uint64_t direct_va)
{
	char *text = NULL, path[] = "/tmp/kml-test-XXXXXX";
	const char *paths[] = { path };
	struct spec_file file;
	struct image *image;
	unsigned page, word;
	size_t bytes;
	FILE *spec = open_memstream(&text, &bytes);
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	fprintf(spec, "mapnr %u\n", end_pfn);
	for (page = 0; page < n; page++) {
		fprintf(spec, "page %u raw\nzero %u\n", pfn + page, pfn + page);
		for (word = 0; word < 512; word++) {
			if (words[page][word])
				fprintf(spec, "entry %u %u 0x%" PRIx64 "\n",
					pfn + page, word, words[page][word]);
		}
	}
	fclose(spec);
	file = dumpspec_kdump(text);
	free(text);
	assert_int_equal(write(fd, file.data, file.bytes), file.bytes);
	free(file.data);
	close(fd);
	assert_ok(image_open(paths, 1, &image));
	unlink(path);
	image_set_direct_map(image, direct_va,
			     direct_va + end_pfn * UINT64_C(4096));
	return image;
}

#endif
