// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * An ELF dump is a list of PT_LOAD segments.  What they look like in practice:
 *
 * - p_vaddr is 0 in QEMU's files, p_paddr is right in all.
 * - p_offset has no alignment (QEMU: 0x149c), so nothing can be mapped.
 * - p_memsz > p_filesz (makedumpfile -E): the rest is zero pages, or, with
 *   -d, pages that were filtered out; the file does not tell which.
 * - /proc/vmcore has the kernel image twice: as a segment of its own and in
 *   the segment of the RAM around it.
 * - Segments may end within a page, as firmware's memory maps do.
 * - The file may be cut off: the disk was full, or the copy was interrupted.
 *
 * All that is brought into one sorted list without overlaps when the dump is
 * opened; from then on a page is a binary search away.
 */
#include "image/elf_dump.h"

#include <elf.h>
#include <string.h>

#include "base/util.h"
#include "base/vec.h"
#include "image/arch.h"
#include "image/image.h"

/* Physical addresses of x86_64 have at most 52 bits. */
#define MAX_PA (UINT64_C(1) << 52)

struct elf_segment {
	uint64_t pa;
	uint64_t bytes;
	uint64_t offset;     /* in the file, of @file_bytes at the start */
	uint64_t file_bytes; /* the rest of @bytes is zero */
};

struct elf_dump {
	struct source source;
	const struct dump_file *file;
	VEC(struct elf_segment) segments; /* sorted, disjoint */
};

static uint64_t segment_end(const struct elf_segment *s)
{
	return s->pa + s->bytes;
}

/* The first segment that ends above @pa. */
static size_t segment_find(const struct elf_dump *dump, uint64_t pa)
{
	return partition_point(dump->segments.size, mid,
			       segment_end(&dump->segments.data[mid]) <= pa);
}

static void elf_destroy(struct source *source)
{
	struct elf_dump *dump = (struct elf_dump *)source;

	vec_deinit(&dump->segments);
	free(dump);
}

static bool elf_has_page(const struct source *source, uint64_t pfn)
{
	const struct elf_dump *dump = (const struct elf_dump *)source;
	uint64_t pa = pfn << IMAGE_PAGE_SHIFT;
	size_t i;

	if (pfn >= source->end_pfn)
		return false;
	i = segment_find(dump, pa);
	return i < dump->segments.size &&
	       dump->segments.data[i].pa < pa + IMAGE_PAGE_BYTES;
}

/* Nothing is kept between reads: the dump is its own reader. */
static struct kml_error *elf_reader_create(struct source *source, void **ret)
{
	*ret = source;
	return NULL;
}

static void elf_reader_destroy(void *reader)
{
	(void)reader;
}

/* A word with the bits set of those pages of a read that [from, to) touches;
 * both are bytes from the start of the read, not more than 64 pages. */
static uint64_t pages_mask(uint64_t from, uint64_t to)
{
	uint64_t first = from >> IMAGE_PAGE_SHIFT;
	uint64_t n = ((to - 1) >> IMAGE_PAGE_SHIFT) - first + 1;

	return (n < 64 ? (UINT64_C(1) << n) - 1 : UINT64_MAX) << first;
}

/* Read @bytes of segment @s from @skip on; *@got_ret: how many there are. */
static struct kml_error *segment_read(const struct elf_dump *dump,
				      const struct elf_segment *s,
				      uint64_t skip, uint8_t *buf,
				      uint64_t bytes, uint64_t *got_ret)
{
	uint64_t in_file = skip < s->file_bytes ?
				   MIN(bytes, s->file_bytes - skip) : 0;
	struct kml_error *error;
	size_t got = 0;

	if (in_file) {
		error = dump_file_read(dump->file, s->offset + skip, buf,
				       in_file, &got);
		if (error)
			return error;
	}
	memset(buf + got, 0, bytes - got);
	*got_ret = got < in_file ? got : bytes;
	return NULL;
}

static struct kml_error *elf_read(void *reader, uint64_t pfn, unsigned n_pages,
				  uint8_t *buf, uint64_t *missing_ret)
{
	const struct elf_dump *dump = reader;
	uint64_t start = pfn << IMAGE_PAGE_SHIFT;
	uint64_t all = (uint64_t)n_pages << IMAGE_PAGE_SHIFT;
	uint64_t missing = pages_mask(0, all);
	uint64_t done = 0, from, to, got;
	struct kml_error *error;
	size_t i = dump->segments.size;

	if (pfn < dump->source.end_pfn)
		i = segment_find(dump, start);
	for (; i < dump->segments.size; i++) {
		const struct elf_segment *s = &dump->segments.data[i];

		if (s->pa >= start + all)
			break;
		from = MAX(s->pa, start) - start;
		to = MIN(segment_end(s), start + all) - start;
		memset(buf + done, 0, from - done);
		error = segment_read(dump, s, start + from - s->pa, buf + from,
				     to - from, &got);
		if (error)
			return error;
		missing &= ~pages_mask(from, to);
		/* The file became shorter since it was opened. */
		if (got < to - from)
			missing |= pages_mask(from + got, to);
		done = to;
	}
	memset(buf + done, 0, all - done);
	*missing_ret = missing;
	return NULL;
}

static const struct source_ops elf_ops = {
	.destroy = elf_destroy,
	.has_page = elf_has_page,
	.reader_create = elf_reader_create,
	.reader_destroy = elf_reader_destroy,
	.read = elf_read,
};

/* What the file really has of a segment; false if that is nothing. */
static bool segment_clip(struct elf_dump *dump, struct elf_segment *s)
{
	uint64_t file_bytes = dump->file->bytes;
	uint64_t there = s->offset < file_bytes ? file_bytes - s->offset : 0;

	/* UINT64_MAX: no physical address at all. */
	if (s->pa >= MAX_PA)
		return false;
	s->bytes = MIN(s->bytes, MAX_PA - s->pa);
	s->file_bytes = MIN(s->file_bytes, s->bytes);
	if (s->file_bytes > there) {
		/* The page that the file ends in is lost, too. */
		uint64_t end = align_down(s->pa + there, IMAGE_PAGE_BYTES);

		dump->source.truncated = true;
		s->bytes = s->file_bytes = end > s->pa ? end - s->pa : 0;
	}
	return s->bytes > 0;
}

static int segment_compare(const void *a, const void *b)
{
	const struct elf_segment *x = a, *y = b;

	if (x->pa != y->pa)
		return x->pa < y->pa ? -1 : 1;
	/* Of two at one place, the one with more data first. */
	if (x->file_bytes != y->file_bytes)
		return x->file_bytes > y->file_bytes ? -1 : 1;
	return (x->offset > y->offset) - (x->offset < y->offset);
}

/* Cut off the first @bytes of a segment. */
static void segment_cut(struct elf_segment *s, uint64_t bytes)
{
	s->pa += bytes;
	s->bytes -= bytes;
	s->offset += bytes;
	s->file_bytes -= MIN(bytes, s->file_bytes);
}

/* Sort, remove overlaps, count. */
static void segments_finish(struct elf_dump *dump)
{
	struct elf_segment *data = dump->segments.data;
	uint64_t end = 0, end_pfn = 0;
	size_t i, n = 0;

	qsort(data, dump->segments.size, sizeof(*data), segment_compare);
	for (i = 0; i < dump->segments.size; i++) {
		struct elf_segment s = data[i];
		uint64_t next_pfn;

		if (segment_end(&s) <= end)
			continue;
		if (s.pa < end)
			segment_cut(&s, end - s.pa);
		data[n++] = s;
		end = segment_end(&s);
		next_pfn = align_up(end, IMAGE_PAGE_BYTES) >> IMAGE_PAGE_SHIFT;
		dump->source.n_pages +=
			next_pfn - MAX(s.pa >> IMAGE_PAGE_SHIFT, end_pfn);
		dump->source.zero_pages +=
			(s.bytes - s.file_bytes) >> IMAGE_PAGE_SHIFT;
		end_pfn = next_pfn;
	}
	dump->segments.size = n;
	dump->source.end_pfn = end_pfn;
}

static struct kml_error *read_segments(struct elf_dump *dump, uint64_t offset,
				       uint64_t n)
{
	struct kml_error *error;
	Elf64_Phdr ph;
	uint64_t i;

	for (i = 0; i < n; i++) {
		struct elf_segment s;

		error = dump_file_read_all(dump->file, offset + i * sizeof(ph),
					   &ph, sizeof(ph), "program headers");
		if (error)
			return error;
		if (ph.p_type != PT_LOAD)
			continue;
		s = (struct elf_segment){
			.pa = ph.p_paddr,
			.bytes = MAX(ph.p_memsz, ph.p_filesz),
			.offset = ph.p_offset,
			.file_bytes = ph.p_filesz,
		};
		if (segment_clip(dump, &s) && !vec_push(&dump->segments, s))
			return error_nomem();
	}
	if (dump->segments.size)
		segments_finish(dump);
	return NULL;
}

static bool understood(const Elf64_Ehdr *eh)
{
	return !memcmp(eh->e_ident, ELFMAG, SELFMAG) &&
	       eh->e_ident[EI_CLASS] == ELFCLASS64 &&
	       eh->e_ident[EI_DATA] == ELFDATA2LSB &&
	       eh->e_machine == arch_x86_64.elf_machine && eh->e_type == ET_CORE &&
	       eh->e_phentsize == sizeof(Elf64_Phdr);
}

/* More than 65534 segments (makedumpfile -E of a big machine): the count is in
 * the first section header. */
static struct kml_error *count_segments(const struct dump_file *file,
					const Elf64_Ehdr *eh, uint64_t *ret)
{
	struct kml_error *error;
	Elf64_Shdr sh;

	if (eh->e_phnum != PN_XNUM) {
		*ret = eh->e_phnum;
		return NULL;
	}
	error = dump_file_read_all(file, eh->e_shoff, &sh, sizeof(sh),
				   "section header");
	if (!error)
		*ret = sh.sh_info;
	return error;
}

struct kml_error *elf_dump_open(const struct dump_file *file,
				struct source **ret)
{
	struct elf_dump *dump;
	struct kml_error *error;
	Elf64_Ehdr eh;
	uint64_t n;
	size_t got;

	error = dump_file_read(file, 0, &eh, sizeof(eh), &got);
	if (error)
		return error;
	if (got < sizeof(eh) || !understood(&eh)) {
		*ret = NULL;
		return NULL;
	}
	error = count_segments(file, &eh, &n);
	if (error)
		return error;
	dump = calloc(1, sizeof(*dump));
	if (!dump)
		return error_nomem();
	dump->source.ops = &elf_ops;
	dump->source.format = "elf";
	dump->file = file;
	error = read_segments(dump, eh.e_phoff, n);
	if (error || !dump->segments.size) {
		elf_destroy(&dump->source);
		dump = NULL;
	}
	if (!error)
		*ret = dump ? &dump->source : NULL;
	return error;
}
