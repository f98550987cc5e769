// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * image-crosscheck FILE...: read every page of a dump (all FILEs of a split
 * one, in order) through image_reader, image_read_pa() and libkdumpfile,
 * compare, and print how fast the first is with one and with two threads, by
 * the clock and by the CPU time that it took.  Exit status 0: all agree.
 *
 * A page that libkdumpfile finds damaged is missing to us.  Where an ELF file
 * has an address but no data, we read zeros, and so does libkdumpfile, but not
 * 0.5.1: to it the page is missing.  It also finds a page of zeros just below
 * each segment of an ELF file.
 */
#include <fcntl.h>
#include <inttypes.h>
#include <libkdumpfile/kdumpfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/pool.h"
#include "base/util.h"
#include "image/image.h"

#define BATCH 64
#define CHUNK_PAGES 1024
#define MAX_FILES 64
#define MAX_THREADS 8
#define MAX_DIFFERENT 10 /* then it stops */

struct pass {
	struct image *image;
	struct image_reader *readers[MAX_THREADS];
	uint8_t *bufs[MAX_THREADS];
	uint64_t pages; /* atomic, as is the next */
	uint64_t sum;
};

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void fail(struct kml_error *error)
{
	fprintf(stderr, "image-crosscheck: %s\n", kml_error_message(error));
	kml_error_destroy(error);
	exit(3);
}

/* Touch all words. */
static uint64_t sum_words(const void *buf, size_t bytes)
{
	const uint64_t *words = buf;
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < bytes / 8; i++)
		sum += words[i];
	return sum;
}

static bool any_page(const struct image *image, uint64_t pfn)
{
	unsigned i;

	for (i = 0; i < BATCH; i++)
		if (image_has_page(image, pfn + i))
			return true;
	return false;
}

static struct kml_error *pass_chunk(void *arg, unsigned thread, uint64_t chunk)
{
	struct pass *pass = arg;
	uint64_t pfn, missing, sum = 0, pages = 0;
	struct kml_error *error;

	for (pfn = chunk * CHUNK_PAGES; pfn < (chunk + 1) * CHUNK_PAGES;
	     pfn += BATCH) {
		if (!any_page(pass->image, pfn))
			continue;
		error = image_reader_pages(pass->readers[thread], pfn, BATCH,
					   pass->bufs[thread], &missing);
		if (error)
			return error;
		pages += BATCH - (unsigned)__builtin_popcountll(missing);
		sum += sum_words(pass->bufs[thread],
				 (size_t)BATCH * IMAGE_PAGE_BYTES);
	}
	__atomic_fetch_add(&pass->pages, pages, __ATOMIC_RELAXED);
	__atomic_fetch_add(&pass->sum, sum, __ATOMIC_RELAXED);
	return NULL;
}

static uint64_t run_pass(struct image *image, unsigned n_threads)
{
	struct pass pass = { .image = image };
	uint64_t n_chunks = image_facts(image)->end_pfn / CHUNK_PAGES + 1;
	struct kml_error *error = NULL;
	double start = now(), cpu_start = cpu_now(), seconds, cpu;
	unsigned i;

	for (i = 0; i < n_threads && !error; i++) {
		error = image_reader_create(image, &pass.readers[i]);
		pass.bufs[i] = malloc((size_t)BATCH * IMAGE_PAGE_BYTES);
	}
	if (!error)
		error = pool_run(n_threads, n_chunks, pass_chunk, &pass);
	if (error)
		fail(error);
	seconds = now() - start;
	cpu = cpu_now() - cpu_start;
	for (i = 0; i < n_threads; i++) {
		image_reader_destroy(pass.readers[i]);
		free(pass.bufs[i]);
	}
	printf("  %u thread%s: %" PRIu64 " pages in %.3f s, %.0f MiB/s; %.3f s CPU, %.0f MiB/s\n",
	       n_threads, n_threads > 1 ? "s" : "", pass.pages, seconds,
	       (double)pass.pages / 256 / seconds, cpu,
	       (double)pass.pages / 256 / cpu);
	return pass.sum;
}

/* @arch: what to assume of a dump that does not tell; libkdumpfile 0.5.1 must
 * not be told of others. */
static kdump_ctx_t *open_kdump(char **paths, unsigned n, const char *arch)
{
	kdump_attr_t size = { .type = KDUMP_NUMBER, .val.number = 64 };
	kdump_attr_t os = { .type = KDUMP_STRING, .val.string = "linux" };
	kdump_attr_t attr = { .type = KDUMP_STRING, .val.string = arch };
	kdump_ctx_t *ctx = kdump_new();
	int fds[MAX_FILES];
	unsigned i;

	for (i = 0; i < n; i++)
		fds[i] = open(paths[i], O_RDONLY);
	if (arch)
		kdump_set_attr(ctx, KDUMP_ATTR_ARCH_NAME, &attr);
	kdump_set_attr(ctx, "cache.size", &size);
	if (kdump_open_fdset(ctx, n, fds) != KDUMP_OK) {
		fprintf(stderr, "libkdumpfile: %s\n", kdump_get_err(ctx));
		exit(3);
	}
	if (!arch && kdump_get_attr(ctx, KDUMP_ATTR_ARCH_NAME, &attr)) {
		kdump_free(ctx);
		return open_kdump(paths, n, KDUMP_ARCH_X86_64);
	}
	kdump_set_attr(ctx, KDUMP_ATTR_OSTYPE, &os);
	return ctx;
}

/* Is the page the same through libkdumpfile and image_read_pa()? */
static bool same_page(struct image *image, kdump_ctx_t *ctx, uint64_t pfn,
		      bool missing, const uint8_t *page)
{
	uint8_t other[IMAGE_PAGE_BYTES];
	size_t bytes = sizeof(other);
	struct kml_error *error;
	kdump_status status;

	status = kdump_read(ctx, KDUMP_KPHYSADDR, pfn << IMAGE_PAGE_SHIFT,
			    other, &bytes);
	if (status == KDUMP_ERR_NODATA && image_facts(image)->zero_pages &&
	    !missing) {
		memset(other, 0, sizeof(other));
		status = KDUMP_OK;
	}
	if (status == KDUMP_OK && missing && image_has_page(image, pfn + 1) &&
	    !sum_words(other, sizeof(other)))
		status = KDUMP_ERR_NODATA;
	if (missing != (status != KDUMP_OK) ||
	    (!missing && memcmp(other, page, sizeof(other)) != 0)) {
		printf("  page %" PRIu64 " differs: %s, libkdumpfile %s\n", pfn,
		       missing ? "missing" : "there", kdump_strerror(status));
		return false;
	}
	error = image_read_pa(image, pfn << IMAGE_PAGE_SHIFT, other,
			      sizeof(other));
	if (missing != (kml_error_code(error) == KML_ERR_NODATA) ||
	    (!missing && (error || memcmp(other, page, sizeof(other)) != 0))) {
		printf("  page %" PRIu64 " differs: image_read_pa: %s\n", pfn,
		       kml_error_message(error));
		kml_error_destroy(error);
		return false;
	}
	kml_error_destroy(error);
	return true;
}

static uint64_t compare(struct image *image, kdump_ctx_t *ctx)
{
	uint64_t end_pfn = image_facts(image)->end_pfn;
	uint64_t pfn, missing, n_different = 0, n_missing = 0;
	struct image_reader *reader;
	struct kml_error *error;
	static uint8_t buf[BATCH * IMAGE_PAGE_BYTES];
	unsigned i;

	error = image_reader_create(image, &reader);
	for (pfn = 0; !error && pfn < end_pfn && n_different < MAX_DIFFERENT;
	     pfn += BATCH) {
		error = image_reader_pages(reader, pfn, BATCH, buf, &missing);
		if (error)
			break;
		for (i = 0; i < BATCH && pfn + i < end_pfn &&
			    n_different < MAX_DIFFERENT; i++) {
			bool is_missing = missing >> i & 1;

			n_missing += is_missing;
			n_different += !same_page(image, ctx, pfn + i,
						  is_missing,
						  buf + (size_t)i *
							IMAGE_PAGE_BYTES);
		}
	}
	if (error)
		fail(error);
	image_reader_destroy(reader);
	printf("  %" PRIu64 " pages differ, %" PRIu64 " are missing of %" PRIu64 ", %" PRIu64 " damaged\n",
	       n_different, n_missing, end_pfn, image_damaged_pages(image));
	return n_different;
}

int main(int argc, char **argv)
{
	bool speed_only = argc > 1 && !strcmp(argv[1], "--speed");
	char **paths = argv + 1 + speed_only;
	unsigned n = (unsigned)(argc - 1 - speed_only);
	uint64_t one, two, n_different = 0;
	const struct image_facts *facts;
	struct kml_error *error;
	struct image *image;
	struct rusage usage;
	kdump_ctx_t *ctx;
	double start = now();

	if (!n || n > MAX_FILES) {
		fprintf(stderr, "usage: image-crosscheck [--speed] FILE...\n");
		return 2;
	}
	error = image_open((const char *const *)paths, n, &image);
	if (error)
		fail(error);
	facts = image_facts(image);
	printf("%s: %s, Linux %s, %" PRIu64 " of %" PRIu64 " pages, %u CPUs%s, opened in %.1f ms\n",
	       paths[0], facts->format, facts->release, facts->n_pages,
	       facts->end_pfn, facts->n_cpus,
	       facts->truncated ? ", truncated" : "", (now() - start) * 1e3);
	one = run_pass(image, 1);
	two = run_pass(image, 2);
	if (one != two)
		printf("  one and two threads read different data\n");
	getrusage(RUSAGE_SELF, &usage);
	printf("  peak %.1f MiB\n", (double)usage.ru_maxrss / 1024);
	if (!speed_only) {
		ctx = open_kdump(paths, n, NULL);
		n_different = compare(image, ctx);
		kdump_free(ctx);
	}
	image_close(image);
	return n_different || one != two;
}
