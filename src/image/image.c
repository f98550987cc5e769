// SPDX-License-Identifier: GPL-2.0-or-later
#include "image/image.h"

#include <inttypes.h>
#include <string.h>

#include "base/bitmap.h"
#include "base/util.h"
#include "image/arch.h"
#include "image/diskdump.h"
#include "image/diskdump_header.h"
#include "image/elf_dump.h"
#include "image/file.h"
#include "image/kdump.h"
#include "image/record.h"
#include "image/source.h"
#include "image/vmcoreinfo.h"

/* Of image_read_pa(): 4 MiB; both are indexed by the low bits. */
#define CACHE_PAGES 1024
#define TLB_ENTRIES 1024

/* Tables may be shared. */
#define TABLES_PER_PAGE 4
#define MIN_TABLES 4096

struct cached_page {
	uint64_t pfn_plus_1; /* 0: empty */
	bool missing;
};

struct tlb_entry {
	uint64_t vpn_plus_1; /* virtual page number; 0: empty */
	uint64_t pa;
};

struct image {
	struct dump_file *files;
	size_t n_files;
	struct image_facts facts;
	char *release;
	char *vmcoreinfo;
	struct image_regs *cpus;
	struct source *source;
	struct image_record record;  /* what it was made of, if of one */
	bool is_record;
	struct recorder *recorder;   /* NULL: nobody watches */
	uint64_t root_pa;
	uint64_t sme_mask;
	uint64_t direct_start_va;
	uint64_t direct_end_va;
	/* The rest serves image_read_*() and belongs to one thread. */
	void *reader;
	struct cached_page cached[CACHE_PAGES];
	uint8_t *cache; /* CACHE_PAGES pages */
	struct tlb_entry tlb[TLB_ENTRIES];
};

static struct kml_error *open_files(struct image *image,
				    const char *const *paths, size_t n_paths)
{
	struct kml_error *error;
	size_t i;

	if (!n_paths)
		return error_new(KML_ERR_ARGUMENT, "no dump was named");
	image->files = calloc(n_paths, sizeof(*image->files));
	if (!image->files)
		return error_nomem();
	image->n_files = n_paths;
	for (i = 0; i < n_paths; i++) {
		error = dump_file_open(&image->files[i], paths[i]);
		if (error)
			return error;
		image->facts.file_bytes += image->files[i].bytes;
	}
	return NULL;
}

/* One file may be a part of a split dump; several must be all of its parts. */
static struct kml_error *check_set(struct image *image)
{
	struct diskdump_header header;
	struct kml_error *error;
	bool known = false;

	if (image->n_files == 1) {
		if (!is_diskdump(&image->files[0]))
			return NULL;
		error = diskdump_header_read(&image->files[0], &header,
					     &known);
		if (error || !known || !header.split)
			return error;
	}
	return diskdump_sort_parts(image->files, image->n_files);
}

/* For messages. */
static const char *image_name(const struct image *image)
{
	return image->n_files ? image->files[0].path : "snapshot";
}

static struct kml_error *parse_release(struct image *image)
{
	size_t bytes = 0;
	const char *value;

	value = vmcoreinfo_line(image->vmcoreinfo, "OSRELEASE", &bytes);
	image->release = strndup(value ? value : "", bytes);
	image->facts.release = image->release;
	return image->release ? NULL : error_nomem();
}

/* What VMCOREINFO says about address translation. */
static struct kml_error *parse_vmcoreinfo(struct image *image)
{
	struct image_facts *facts = &image->facts;
	const char *text = image->vmcoreinfo;
	int64_t phys_base, l5 = 0, sme_mask = 0, kernel_bytes = 0;
	uint64_t root_va;

	facts->arch = &arch_x86_64; /* or kdumpfile_open() failed */
	if (!vmcoreinfo_number(text, "phys_base", &phys_base))
		return error_new(KML_ERR_UNSUPPORTED,
				 "VMCOREINFO of '%s' has no NUMBER(phys_base): no x86_64 kernel since Linux 4.10",
				 image_name(image));
	if (!vmcoreinfo_symbol(text, "swapper_pg_dir", &root_va) &&
	    !vmcoreinfo_symbol(text, "init_top_pgt", &root_va))
		return error_new(KML_ERR_UNSUPPORTED,
				 "VMCOREINFO of '%s' has neither SYMBOL(swapper_pg_dir) nor SYMBOL(init_top_pgt)",
				 image_name(image));
	vmcoreinfo_number(text, "KERNEL_IMAGE_SIZE", &kernel_bytes);
	if (kernel_bytes <= 0 ||
	    (uint64_t)kernel_bytes > facts->arch->kernel_bytes)
		kernel_bytes = (int64_t)facts->arch->kernel_bytes;
	facts->kernel_va = facts->arch->kernel_va;
	facts->kernel_end_va = facts->kernel_va + (uint64_t)kernel_bytes;
	if (root_va < facts->kernel_va || root_va >= facts->kernel_end_va)
		return error_at(KML_ERR_CORRUPT, root_va,
				"VMCOREINFO of '%s' has its SYMBOL(swapper_pg_dir), 0x%" PRIx64 ", outside the kernel image",
				image_name(image), root_va);
	vmcoreinfo_number(text, "pgtable_l5_enabled", &l5);
	vmcoreinfo_number(text, "sme_mask", &sme_mask);
	vmcoreinfo_hex(text, "KERNELOFFSET", &facts->kaslr_offset);
	facts->phys_base = (uint64_t)phys_base;
	facts->page_table_levels = l5 ? 5 : 4;
	facts->build_id_bytes = vmcoreinfo_build_id(text, facts->build_id,
						    sizeof(facts->build_id));
	image->sme_mask = (uint64_t)sme_mask;
	image->root_pa = root_va - facts->kernel_va + facts->phys_base;
	return parse_release(image);
}

/* Our own reader, if there is one for this kind of dump. */
static struct kml_error *open_own_source(struct image *image)
{
	if (is_diskdump(&image->files[0]))
		return diskdump_open(image->files, image->n_files,
				     &image->source);
	if (image->n_files == 1)
		return elf_dump_open(&image->files[0], &image->source);
	return NULL;
}

static struct kml_error *open_notes(struct image *image,
				    struct kdumpfile *kdump)
{
	struct kml_error *error;

	error = kdumpfile_vmcoreinfo(kdump, &image->vmcoreinfo);
	if (!error)
		error = parse_vmcoreinfo(image);
	if (!error)
		error = kdumpfile_registers(kdump, &image->cpus,
					    &image->facts.n_cpus);
	image->facts.cpus = image->cpus;
	return error;
}

static struct kml_error *open_reader(struct image *image)
{
	const struct source *source = image->source;

	image->facts.format = source->format;
	image->facts.truncated = source->truncated;
	image->facts.end_pfn = source->end_pfn;
	image->facts.n_pages = source->n_pages;
	image->facts.zero_pages = source->zero_pages;
	image->cache = malloc((size_t)CACHE_PAGES * IMAGE_PAGE_BYTES);
	if (!image->cache)
		return error_nomem();
	return source->ops->reader_create(image->source, &image->reader);
}

/*
 * We look at the file before the library does: our readers stand damaged
 * headers, and say more clearly what is wrong.
 */
static struct kml_error *open_all(struct image *image,
				  const char *const *paths, size_t n_paths)
{
	struct kdumpfile *kdump = NULL;
	struct kml_error *error;

	error = open_files(image, paths, n_paths);
	if (!error)
		error = check_set(image);
	if (!error)
		error = open_own_source(image);
	if (!error)
		error = kdumpfile_open(image->files, image->n_files, &kdump);
	if (!error)
		error = open_notes(image, kdump);
	if (!error && !image->source) {
		error = kdumpfile_source(kdump, &image->source);
		if (!error)
			kdump = NULL; /* now the source's */
	}
	if (!error)
		error = open_reader(image);
	kdumpfile_close(kdump);
	return error;
}

struct kml_error *image_open(const char *const *paths, size_t n_paths,
			     struct image **ret)
{
	struct image *image = calloc(1, sizeof(*image));
	struct kml_error *error;

	if (!image)
		return error_nomem();
	error = open_all(image, paths, n_paths);
	if (error)
		image_close(image);
	else
		*ret = image;
	return error;
}

void image_close(struct image *image)
{
	size_t i;

	if (!image)
		return;
	if (image->reader)
		image->source->ops->reader_destroy(image->reader);
	if (image->source)
		image->source->ops->destroy(image->source);
	recorder_destroy(image->recorder);
	image_record_deinit(&image->record);
	for (i = 0; i < image->n_files; i++)
		dump_file_close(&image->files[i]);
	free(image->files);
	free(image->release);
	free(image->vmcoreinfo);
	free(image->cpus);
	free(image->cache);
	free(image);
}

const struct image_facts *image_facts(const struct image *image)
{
	return &image->facts;
}

const char *image_vmcoreinfo(const struct image *image)
{
	return image->vmcoreinfo;
}

bool image_vmcoreinfo_symbol(const struct image *image, const char *name,
			     uint64_t *ret)
{
	return vmcoreinfo_symbol(image->vmcoreinfo, name, ret);
}

bool image_vmcoreinfo_number(const struct image *image, const char *name,
			     int64_t *ret)
{
	return vmcoreinfo_number(image->vmcoreinfo, name, ret);
}

void image_set_direct_map(struct image *image, uint64_t start_va,
			  uint64_t end_va)
{
	image->direct_start_va = start_va;
	image->direct_end_va = end_va;
}

bool image_has_page(const struct image *image, uint64_t pfn)
{
	return image->source->ops->has_page(image->source, pfn);
}

uint64_t image_damaged_pages(const struct image *image)
{
	const struct source *source = image->source;

	return source->ops->damaged ? source->ops->damaged(source) : 0;
}

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

/* ---- records: what was read, and an image of it */

struct kml_error *image_record_start(struct image *image)
{
	if (image->is_record || image->recorder)
		return error_new(KML_ERR_ARGUMENT,
				 "the image cannot be recorded");
	image->recorder = recorder_create();
	if (!image->recorder)
		return error_nomem();
	/* Translations are to read the tables again. */
	memset(image->tlb, 0, sizeof(image->tlb));
	return NULL;
}

bool image_record_pause(struct image *image, bool pause)
{
	return image->recorder && recorder_pause(image->recorder, pause);
}

/* What the image says of itself. */
static struct kml_error *copy_facts(const struct image *image,
				    struct image_record *ret)
{
	const struct image_facts *facts = &image->facts;
	uint64_t pfn;
	unsigned i;

	ret->format = strdup(facts->format);
	ret->vmcoreinfo = strdup(image->vmcoreinfo);
	ret->file_bytes = facts->file_bytes;
	ret->end_pfn = facts->end_pfn;
	ret->n_pages = facts->n_pages;
	ret->zero_pages = facts->zero_pages;
	ret->truncated = facts->truncated;
	ret->damaged_pages = image_damaged_pages(image);
	ret->direct_start_va = image->direct_start_va;
	ret->direct_end_va = image->direct_end_va;
	ret->present = bitmap_alloc(facts->end_pfn);
	if (!ret->format || !ret->vmcoreinfo || !ret->present)
		return error_nomem();
	for (pfn = 0; pfn < facts->end_pfn; pfn++) {
		if (image_has_page(image, pfn))
			bitmap_set(ret->present, pfn);
	}
	for (i = 0; i < facts->n_cpus; i++) {
		if (!vec_push(&ret->cpus, facts->cpus[i]))
			return error_nomem();
	}
	return NULL;
}

static struct kml_error *copy_bytes(struct image *image,
				    struct image_record *ret)
{
	struct kml_error *error = NULL;
	size_t i;

	ret->bytes = malloc(MAX(ret->n_bytes, 1));
	if (!ret->bytes)
		return error_nomem();
	for (i = 0; !error && i < ret->extents.size; i++) {
		const struct record_extent *extent = &ret->extents.data[i];

		error = image_read_pa(image, extent->pa,
				      ret->bytes + extent->first,
				      extent->bytes);
	}
	return error;
}

struct kml_error *image_record_stop(struct image *image,
				    struct image_record *ret)
{
	struct recorder *recorder = take_ptr(image->recorder);
	struct image_record record = { 0 };
	struct kml_error *error = NULL;

	if (recorder && ret) {
		error = recorder_extents(recorder, &record);
		if (!error)
			error = copy_facts(image, &record);
		if (!error)
			error = copy_bytes(image, &record);
		if (error)
			image_record_deinit(&record);
		else
			*ret = record;
	}
	recorder_destroy(recorder);
	return error;
}

struct kml_error *image_open_record(struct image_record *record,
				    struct image **ret)
{
	struct image *image = calloc(1, sizeof(*image));
	struct kml_error *error;

	if (!image) {
		image_record_deinit(record);
		return error_nomem();
	}
	image->record = *record;
	memset(record, 0, sizeof(*record));
	image->is_record = true;
	image->vmcoreinfo = strdup(image->record.vmcoreinfo);
	error = image->vmcoreinfo ? record_source(&image->record, &image->source) : error_nomem();
	if (!error)
		error = parse_vmcoreinfo(image);
	if (!error)
		error = open_reader(image);
	if (error) {
		image_close(image);
		return error;
	}
	image->facts.file_bytes = image->record.file_bytes;
	image->facts.n_cpus = (unsigned)image->record.cpus.size;
	image->facts.cpus = image->record.cpus.data;
	image_set_direct_map(image, image->record.direct_start_va,
			     image->record.direct_end_va);
	*ret = image;
	return NULL;
}
