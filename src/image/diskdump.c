// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A kdump-compressed file: headers, a bitmap of the pages that exist, a bitmap
 * of those that were dumped, a descriptor of 24 bytes for each of the latter in
 * the order of page numbers, then the pages' data.
 *
 * A page's descriptor is thus found by its rank in the bitmap.  The bitmap is
 * kept in memory with one running total for every 512 bits: 1.125 bits a page.
 * Descriptors and data are read when they are needed, with one pread each for
 * a batch of pages: makedumpfile writes data in the order of pages, but all
 * pages full of zeros share the data of one.
 *
 * Nothing of the file is believed: a descriptor that makes no sense, or data
 * that is not exactly one page, makes the page missing, and it is counted as
 * damaged once.  image_has_page() still says that the dump has the page, so
 * that its answer does not depend on what was read before.
 */
#include "image/diskdump.h"

#include <string.h>

#include "base/bitmap.h"
#include "base/util.h"
#include "image/decompress.h"
#include "image/diskdump_header.h"
#include "image/image.h"

/* struct page_desc */
#define DESC_OFFSET 0
#define DESC_SIZE 8
#define DESC_FLAGS 12
#define DESC_BYTES 24

/* No compressor makes a page twice as large; makedumpfile and QEMU store a
 * page as it is rather than let it grow at all. */
#define MAX_STORED_BYTES (2 * IMAGE_PAGE_BYTES)

/* Read this much at once; a hole up to a page is read over. */
#define SPAN_BYTES (SOURCE_BATCH_PAGES * IMAGE_PAGE_BYTES)
#define SPAN_HOLE_BYTES IMAGE_PAGE_BYTES

#define RANK_BITS 512

struct part {
	const struct dump_file *file;
	uint64_t start_pfn;
	uint64_t end_pfn;
	uint64_t base_pfn;    /* of the bitmap's first bit */
	uint64_t *bitmap;     /* [start_pfn, end_pfn) alone is set */
	uint64_t *ranks;      /* set bits before each RANK_BITS of bitmap */
	uint64_t desc_offset;
};

struct diskdump {
	struct source source;
	struct part *parts; /* sorted, disjoint */
	size_t n_parts;
	uint64_t *damaged;  /* a bit per page; atomic, as is the next */
	uint64_t n_damaged;
};

struct desc {
	uint64_t offset;
	uint32_t bytes; /* 0: unusable */
	uint32_t method;
};

struct diskdump_reader {
	struct diskdump *dump;
	struct decompressor decompressor;
	/* The page whose data many share, and in which part. */
	const struct part *shared_part;
	struct desc shared;
	uint8_t shared_page[IMAGE_PAGE_BYTES];
	uint64_t last_end; /* where the last span ended */
	uint8_t span[SPAN_BYTES];
};

/* The pages of one batch in one part. */
struct batch {
	const struct part *part;
	uint64_t pfn;    /* of buf and bit 0 of missing */
	uint8_t *buf;
	uint64_t missing;
	unsigned n;      /* dumped pages; of each: */
	uint8_t page[SOURCE_BATCH_PAGES]; /* pfn - .pfn */
	struct desc desc[SOURCE_BATCH_PAGES];
};

static const struct part *find_part(const struct diskdump *dump, uint64_t pfn)
{
	size_t low = partition_point(dump->n_parts, mid,
				     dump->parts[mid].end_pfn <= pfn);

	return low < dump->n_parts ? &dump->parts[low] : NULL;
}

static bool part_has(const struct part *part, uint64_t pfn)
{
	return pfn >= part->start_pfn && pfn < part->end_pfn &&
	       bitmap_test(part->bitmap, pfn - part->base_pfn);
}

/* The number of dumped pages of the part before @pfn, which is below its end.*/
static uint64_t part_rank(const struct part *part, uint64_t pfn)
{
	uint64_t bit = pfn - part->base_pfn;
	uint64_t word = bit / RANK_BITS * (RANK_BITS / 64);
	uint64_t rank = part->ranks[bit / RANK_BITS];

	for (; word < bit / 64; word++)
		rank += (unsigned)__builtin_popcountll(part->bitmap[word]);
	if (bit % 64)
		rank += (unsigned)__builtin_popcountll(part->bitmap[word] &
			((UINT64_C(1) << (bit % 64)) - 1));
	return rank;
}

static void diskdump_destroy(struct source *source)
{
	struct diskdump *dump = (struct diskdump *)source;
	size_t i;

	for (i = 0; i < dump->n_parts; i++) {
		free(dump->parts[i].bitmap);
		free(dump->parts[i].ranks);
	}
	free(dump->parts);
	free(dump->damaged);
	free(dump);
}

static bool diskdump_has_page(const struct source *source, uint64_t pfn)
{
	const struct diskdump *dump = (const struct diskdump *)source;
	const struct part *part = find_part(dump, pfn);

	return part && part_has(part, pfn);
}

static uint64_t diskdump_damaged(const struct source *source)
{
	const struct diskdump *dump = (const struct diskdump *)source;

	return __atomic_load_n(&dump->n_damaged, __ATOMIC_RELAXED);
}

static struct kml_error *diskdump_reader_create(struct source *source,
						void **ret)
{
	struct diskdump_reader *reader = calloc(1, sizeof(*reader));

	if (!reader)
		return error_nomem();
	reader->dump = (struct diskdump *)source;
	*ret = reader;
	return NULL;
}

static void diskdump_reader_destroy(void *arg)
{
	struct diskdump_reader *reader = arg;

	decompressor_deinit(&reader->decompressor);
	free(reader);
}

static void page_damaged(struct diskdump *dump, struct batch *b, unsigned i)
{
	uint64_t pfn = b->pfn + b->page[i];
	uint64_t bit = UINT64_C(1) << (pfn % 64);
	uint64_t old = __atomic_fetch_or(&dump->damaged[pfn / 64], bit,
					 __ATOMIC_RELAXED);

	if (!(old & bit))
		__atomic_fetch_add(&dump->n_damaged, 1, __ATOMIC_RELAXED);
	b->missing |= UINT64_C(1) << b->page[i];
}

static bool page_is_damaged(struct diskdump *dump, uint64_t pfn)
{
	return __atomic_load_n(&dump->damaged[pfn / 64], __ATOMIC_RELAXED) >>
	       (pfn % 64) & 1;
}

static bool desc_same(const struct desc *a, const struct desc *b)
{
	return a->offset == b->offset && a->bytes == b->bytes &&
	       a->method == b->method;
}

/* Is the data of page @i of the batch what was kept? */
static bool is_shared(const struct diskdump_reader *reader,
		      const struct batch *b, unsigned i)
{
	return b->part == reader->shared_part && b->desc[i].bytes &&
	       desc_same(&b->desc[i], &reader->shared);
}

/* A descriptor as it is in the file; .bytes is 0 if it makes no sense. */
static struct desc desc_parse(const struct part *part, const uint8_t *raw)
{
	uint32_t flags = load_u32(raw + DESC_FLAGS);
	struct desc d = {
		.offset = load_u64(raw + DESC_OFFSET),
		.bytes = load_u32(raw + DESC_SIZE),
		.method = flags & PAGE_METHODS,
	};

	if (d.bytes > MAX_STORED_BYTES || d.offset > part->file->bytes ||
	    d.bytes > part->file->bytes - d.offset)
		d.bytes = 0;
	return d;
}

/* Find the dumped pages among @n_pages from @pfn on and read what describes
 * them. */
static struct kml_error *batch_describe(struct diskdump *dump, struct batch *b,
					uint64_t pfn, unsigned n_pages)
{
	uint8_t raw[SOURCE_BATCH_PAGES * DESC_BYTES];
	struct kml_error *error;
	unsigned i;
	size_t got;

	b->n = 0;
	for (i = 0; i < n_pages; i++)
		if (part_has(b->part, pfn + i))
			b->page[b->n++] = (uint8_t)(pfn + i - b->pfn);
	if (!b->n)
		return NULL;
	error = dump_file_read(b->part->file,
			       b->part->desc_offset +
				       part_rank(b->part, pfn) * DESC_BYTES,
			       raw, b->n * DESC_BYTES, &got);
	if (error)
		return error;
	memset(raw + got, 0, sizeof(raw) - got);
	for (i = 0; i < b->n; i++) {
		b->desc[i] = desc_parse(b->part, raw + i * DESC_BYTES);
		if (page_is_damaged(dump, b->pfn + b->page[i]))
			b->desc[i].bytes = 0;
	}
	return NULL;
}

/*
 * How many pages of the batch from @first on one read yields, and the bytes it
 * takes.  Unusable and shared ones on the way don't end it.
 */
static unsigned span_plan(const struct diskdump_reader *reader,
			  const struct batch *b, unsigned first,
			  uint64_t *bytes_ret)
{
	uint64_t start = b->desc[first].offset;
	uint64_t end = start + b->desc[first].bytes;
	unsigned i;

	for (i = first + 1; i < b->n; i++) {
		const struct desc *d = &b->desc[i];

		if (!d->bytes || is_shared(reader, b, i))
			continue;
		if (d->offset < end || d->offset - end > SPAN_HOLE_BYTES ||
		    d->offset + d->bytes - start > SPAN_BYTES)
			break;
		end = d->offset + d->bytes;
	}
	*bytes_ret = end - start;
	return i - first;
}

/* Decompress page @i of the batch out of the span. */
static struct kml_error *span_page(struct diskdump_reader *reader,
				   struct batch *b, unsigned i,
				   uint64_t span_offset, size_t got)
{
	const struct desc *d = &b->desc[i];
	uint8_t *page = b->buf + (size_t)b->page[i] * IMAGE_PAGE_BYTES;
	enum decompress_status status = DECOMPRESS_CORRUPT;
	uint64_t skip;

	if (is_shared(reader, b, i)) {
		memcpy(page, reader->shared_page, IMAGE_PAGE_BYTES);
		return NULL;
	}
	skip = d->offset - span_offset;
	if (d->bytes && skip + d->bytes <= got)
		status = decompress_page(&reader->decompressor, d->method,
					 reader->span + skip, d->bytes, page);
	if (status == DECOMPRESS_NOMEM)
		return error_nomem();
	if (status == DECOMPRESS_CORRUPT)
		page_damaged(reader->dump, b, i);
	return NULL;
}

/* Keep a page whose data others have shown, or are about to show, to share:
 * it lies before what was read last, or the next page has the same. */
static void remember_shared(struct diskdump_reader *reader,
			    const struct batch *b, unsigned first, unsigned n)
{
	const struct desc *d = &b->desc[first];
	bool repeated = first + n < b->n &&
			desc_same(d, &b->desc[first + n]);

	if (n != 1 || b->missing >> b->page[first] & 1 ||
	    (!repeated && d->offset >= reader->last_end))
		return;
	reader->shared_part = b->part;
	reader->shared = *d;
	memcpy(reader->shared_page,
	       b->buf + (size_t)b->page[first] * IMAGE_PAGE_BYTES,
	       IMAGE_PAGE_BYTES);
}

/* Read the batch's pages from @first on with one read; *@n_ret: how many. */
static struct kml_error *span_read(struct diskdump_reader *reader,
				   struct batch *b, unsigned first,
				   unsigned *n_ret)
{
	uint64_t offset = b->desc[first].offset, bytes = 0;
	struct kml_error *error;
	size_t got = 0;
	unsigned i, n = 1;

	/* Nothing to read for a page that is unusable or known already. */
	if (b->desc[first].bytes && !is_shared(reader, b, first)) {
		n = span_plan(reader, b, first, &bytes);
		error = dump_file_read(b->part->file, offset, reader->span,
				       bytes, &got);
		if (error)
			return error;
	}
	for (i = 0; i < n; i++) {
		error = span_page(reader, b, first + i, offset, got);
		if (error)
			return error;
	}
	if (bytes) {
		remember_shared(reader, b, first, n);
		reader->last_end = offset + bytes;
	}
	*n_ret = n;
	return NULL;
}

static void zero_missing(uint8_t *buf, uint64_t missing)
{
	for (; missing; missing &= missing - 1)
		memset(buf + (size_t)__builtin_ctzll(missing) *
				     IMAGE_PAGE_BYTES,
		       0, IMAGE_PAGE_BYTES);
}

static struct kml_error *diskdump_read(void *arg, uint64_t pfn,
				       unsigned n_pages, uint8_t *buf,
				       uint64_t *missing_ret)
{
	struct diskdump_reader *reader = arg;
	struct batch b = { .pfn = pfn, .buf = buf };
	unsigned done = 0, here, i, n;
	struct kml_error *error;

	b.missing = UINT64_MAX >> (64 - n_pages);
	while (done < n_pages && (b.part = find_part(reader->dump,
						     pfn + done))) {
		here = (unsigned)MIN((uint64_t)(n_pages - done),
				     b.part->end_pfn - (pfn + done));
		error = batch_describe(reader->dump, &b, pfn + done, here);
		if (error)
			return error;
		for (i = 0; i < b.n; i++)
			b.missing &= ~(UINT64_C(1) << b.page[i]);
		for (i = 0; i < b.n; i += n) {
			error = span_read(reader, &b, i, &n);
			if (error)
				return error;
		}
		done += here;
	}
	zero_missing(buf, b.missing);
	*missing_ret = b.missing;
	return NULL;
}

static const struct source_ops diskdump_ops = {
	.destroy = diskdump_destroy,
	.has_page = diskdump_has_page,
	.reader_create = diskdump_reader_create,
	.reader_destroy = diskdump_reader_destroy,
	.read = diskdump_read,
	.damaged = diskdump_damaged,
};

/* Clear the bits outside [start_pfn, end_pfn) that share a word with it. */
static void trim_bitmap(struct part *part)
{
	uint64_t first = part->start_pfn - part->base_pfn;
	uint64_t last = part->end_pfn - part->base_pfn;
	uint64_t i;

	for (i = 0; i < first / 64; i++)
		part->bitmap[i] = 0;
	if (first % 64)
		part->bitmap[i] &= UINT64_MAX << (first % 64);
	if (last % 64)
		part->bitmap[last / 64] &= UINT64_MAX >> (64 - last % 64);
}

/* Count the part's pages on the way. */
static bool make_ranks(struct part *part, uint64_t *n_ret)
{
	uint64_t words = (part->end_pfn - part->base_pfn + 63) / 64;
	uint64_t n = 0, i;

	part->ranks = calloc(words * 64 / RANK_BITS + 1, sizeof(*part->ranks));
	if (!part->ranks)
		return false;
	for (i = 0; i < words; i++) {
		if (i % (RANK_BITS / 64) == 0)
			part->ranks[i / (RANK_BITS / 64)] = n;
		n += (unsigned)__builtin_popcountll(part->bitmap[i]);
	}
	*n_ret = n;
	return true;
}

/* Is the data of the part's last page, and so most likely all, in the file? */
static struct kml_error *check_end(struct diskdump *dump,
				   const struct part *part, uint64_t n)
{
	uint8_t raw[DESC_BYTES];
	struct kml_error *error;
	size_t got;

	if (!n)
		return NULL;
	error = dump_file_read(part->file,
			       part->desc_offset + (n - 1) * DESC_BYTES, raw,
			       sizeof(raw), &got);
	if (!error && (got < sizeof(raw) || !desc_parse(part, raw).bytes))
		dump->source.truncated = true;
	return error;
}

static struct kml_error *part_init(struct diskdump *dump, struct part *part,
				   const struct diskdump_header *h)
{
	struct kml_error *error;
	uint64_t n;

	part->start_pfn = h->start_pfn;
	part->end_pfn = h->end_pfn;
	part->base_pfn = align_down(h->start_pfn, RANK_BITS);
	part->desc_offset = h->desc_offset;
	/* Before memory is allocated for it. */
	if (h->bitmap_offset + h->bitmap_bits / 8 > part->file->bytes)
		return error_new(KML_ERR_CORRUPT,
				 "'%s' ends in its page bitmap",
				 part->file->path);
	part->bitmap = bitmap_alloc(part->end_pfn - part->base_pfn);
	if (!part->bitmap)
		return error_nomem();
	error = dump_file_read_all(part->file,
				   h->bitmap_offset + part->base_pfn / 8,
				   part->bitmap,
				   (part->end_pfn - part->base_pfn + 7) / 8,
				   "page bitmap");
	if (error)
		return error;
	trim_bitmap(part);
	if (!make_ranks(part, &n))
		return error_nomem();
	dump->source.n_pages += n;
	dump->source.end_pfn = MAX(dump->source.end_pfn, h->max_mapnr);
	if (h->status & DISKDUMP_INCOMPLETE)
		dump->source.truncated = true;
	return check_end(dump, part, n);
}

static const char *format_name(unsigned status)
{
	switch (status & PAGE_METHODS) {
	case PAGE_ZLIB:
		return "kdump-zlib";
	case PAGE_LZO:
		return "kdump-lzo";
	case PAGE_SNAPPY:
		return "kdump-snappy";
	case PAGE_ZSTD:
		return "kdump-zstd";
	default:
		return "kdump";
	}
}

static struct kml_error *diskdump_init(struct diskdump *dump,
				       const struct dump_file *files,
				       size_t n_files, bool *known_ret)
{
	struct diskdump_header header;
	struct kml_error *error;
	size_t i;

	dump->source.ops = &diskdump_ops;
	dump->parts = calloc(n_files, sizeof(*dump->parts));
	if (!dump->parts)
		return error_nomem();
	for (i = 0; i < n_files; i++) {
		error = diskdump_header_read(&files[i], &header, known_ret);
		if (error || !*known_ret)
			return error;
		dump->parts[i].file = &files[i];
		dump->n_parts = i + 1;
		error = part_init(dump, &dump->parts[i], &header);
		if (error)
			return error;
	}
	dump->source.format = format_name(header.status);
	dump->damaged = bitmap_alloc(dump->source.end_pfn);
	return dump->damaged ? NULL : error_nomem();
}

struct kml_error *diskdump_open(const struct dump_file *files, size_t n_files,
				struct source **ret)
{
	struct diskdump *dump = calloc(1, sizeof(*dump));
	struct kml_error *error;
	bool known = true;

	if (!dump)
		return error_nomem();
	error = diskdump_init(dump, files, n_files, &known);
	if (error || !known) {
		diskdump_destroy(&dump->source);
		dump = NULL;
	}
	if (!error)
		*ret = dump ? &dump->source : NULL;
	return error;
}
