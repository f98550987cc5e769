// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading an image: by physical and virtual address, and whole pages. */
#include "image/image_object.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "image/arch.h"

/* Tables may be shared. */
#define TABLES_PER_PAGE 4
#define MIN_TABLES 4096

/* *@ret: the page in the cache, or NULL if the dump cannot yield it. */
static struct kml_error *cache_page(struct image *image, uint64_t pfn,
				    const uint8_t **ret)
{
	size_t slot = pfn % CACHE_PAGES;
	struct cached_page *cached = &image->cached[slot];
	uint8_t *page = image->cache + slot * IMAGE_PAGE_BYTES;
	struct kml_error *error;
	uint64_t missing;

	if (cached->pfn_plus_1 != pfn + 1) {
		if (!image_has_page(image, pfn)) {
			*ret = NULL;
			return NULL;
		}
		cached->pfn_plus_1 = 0;
		error = image->source->ops->read(image->reader, pfn, 1, page,
						 &missing);
		if (error)
			return error;
		cached->pfn_plus_1 = pfn + 1;
		cached->missing = missing & 1;
	}
	*ret = cached->missing ? NULL : page;
	return NULL;
}

static void note_read(struct image *image, uint64_t pa, size_t bytes,
		      bool is_there)
{
	if (is_there)
		recorder_note(image->recorder, pa, bytes);
	else if (image_has_page(image, pa >> IMAGE_PAGE_SHIFT))
		recorder_note_damaged(image->recorder, pa >> IMAGE_PAGE_SHIFT);
}

/* Read from one page; *@there_ret: false if the dump cannot yield it. */
static struct kml_error *read_in_page(struct image *image, uint64_t pa,
				      void *buf, size_t bytes, bool *there_ret)
{
	const uint8_t *page;
	struct kml_error *error;

	if (image->is_record)
		return record_read(&image->record, pa, buf, bytes, there_ret);
	error = cache_page(image, pa >> IMAGE_PAGE_SHIFT, &page);
	if (error)
		return error;
	if (page)
		memcpy(buf, page + pa % IMAGE_PAGE_BYTES, bytes);
	if (image->recorder)
		note_read(image, pa, bytes, page);
	*there_ret = page;
	return NULL;
}

/* The bytes of a read that are in the page of @address. */
static size_t bytes_in_page(uint64_t address, size_t bytes)
{
	return MIN(bytes, IMAGE_PAGE_BYTES - address % IMAGE_PAGE_BYTES);
}

struct kml_error *image_read_pa(struct image *image, uint64_t pa, void *buf,
				size_t bytes)
{
	struct kml_error *error;
	uint8_t *p = buf;
	bool there;

	while (bytes) {
		size_t n = bytes_in_page(pa, bytes);

		error = read_in_page(image, pa, p, n, &there);
		if (error)
			return error;
		if (!there)
			return error_at(KML_ERR_NODATA, pa,
					"physical address 0x%" PRIx64 " is not in the dump",
					pa);
		pa += n;
		p += n;
		bytes -= n;
	}
	return NULL;
}

struct kml_error *image_read_va(struct image *image, uint64_t va, void *buf,
				size_t bytes)
{
	struct kml_error *error;
	uint8_t *p = buf;
	uint64_t pa;
	bool there;

	while (bytes) {
		size_t n = bytes_in_page(va, bytes);

		error = image_translate(image, va, &pa);
		if (!error)
			error = read_in_page(image, pa, p, n, &there);
		if (error)
			return error;
		if (!there)
			return error_at(KML_ERR_NODATA, va,
					"virtual address 0x%" PRIx64 " (physical 0x%" PRIx64 ") is not in the dump",
					va, pa);
		va += n;
		p += n;
		bytes -= n;
	}
	return NULL;
}

/* arch_read_table_fn */
static struct kml_error *read_table(void *arg, uint64_t pa, uint64_t *entries)
{
	return image_read_pa(arg, pa, entries, IMAGE_PAGE_BYTES);
}

static struct arch_mmu make_mmu(struct image *image, uint64_t root_pa)
{
	return (struct arch_mmu){
		.levels = image->facts.page_table_levels,
		.root_pa = root_pa,
		.ignore_bits = image->sme_mask,
		.max_tables = image->facts.n_pages * TABLES_PER_PAGE +
			      MIN_TABLES,
		.read_table = read_table,
		.arg = image,
	};
}

static struct kml_error *translate_by_tables(struct image *image, uint64_t va,
					     uint64_t *pa_ret)
{
	uint64_t vpn = va >> IMAGE_PAGE_SHIFT;
	struct tlb_entry *tlb = &image->tlb[vpn % TLB_ENTRIES];

	if (tlb->vpn_plus_1 != vpn + 1) {
		struct arch_mmu mmu = make_mmu(image, image->root_pa);
		struct kml_error *error;
		uint64_t pa;

		error = image->facts.arch->translate(&mmu, va, &pa);
		if (error)
			return error;
		tlb->vpn_plus_1 = vpn + 1;
		tlb->pa = align_down(pa, IMAGE_PAGE_BYTES);
	}
	*pa_ret = tlb->pa + va % IMAGE_PAGE_BYTES;
	return NULL;
}

struct kml_error *image_translate(struct image *image, uint64_t va,
				  uint64_t *pa_ret)
{
	const struct image_facts *facts = &image->facts;

	if (va >= image->direct_start_va && va < image->direct_end_va)
		*pa_ret = va - image->direct_start_va;
	else if (va >= facts->kernel_va && va < facts->kernel_end_va)
		*pa_ret = va - facts->kernel_va + facts->phys_base;
	else
		return translate_by_tables(image, va, pa_ret);
	return NULL;
}

struct kml_error *image_walk_tables(struct image *image, uint64_t root_pa,
				    uint64_t start_va, uint64_t end_va,
				    const struct image_walk *walk,
				    uint64_t *missing)
{
	struct arch_mmu mmu = make_mmu(image, root_pa ? root_pa :
							image->root_pa);

	return image->facts.arch->walk(&mmu, start_va, end_va, walk, missing);
}

struct image_reader {
	struct source *source;
	void *reader;
};

struct kml_error *image_reader_create(struct image *image,
				      struct image_reader **ret)
{
	struct image_reader *reader = calloc(1, sizeof(*reader));
	struct kml_error *error;

	if (!reader)
		return error_nomem();
	reader->source = image->source;
	error = image->source->ops->reader_create(image->source,
						  &reader->reader);
	if (error)
		free(reader);
	else
		*ret = reader;
	return error;
}

void image_reader_destroy(struct image_reader *reader)
{
	if (!reader)
		return;
	reader->source->ops->reader_destroy(reader->reader);
	free(reader);
}

struct kml_error *image_reader_pages(struct image_reader *reader, uint64_t pfn,
				     unsigned n_pages, void *buf,
				     uint64_t *missing_ret)
{
	if (!n_pages || n_pages > SOURCE_BATCH_PAGES)
		return error_new(KML_ERR_ARGUMENT,
				 "cannot read %u pages at once", n_pages);
	return reader->source->ops->read(reader->reader, pfn, n_pages, buf,
					 missing_ret);
}
