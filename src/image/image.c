// SPDX-License-Identifier: GPL-2.0-or-later
/* A dump is opened, and says what it is. */
#include "image/image_object.h"

#include <inttypes.h>
#include <string.h>

#include "base/util.h"
#include "image/arch.h"
#include "image/diskdump.h"
#include "image/diskdump_header.h"
#include "image/elf_dump.h"
#include "image/file.h"
#include "image/kdump.h"
#include "image/vmcoreinfo.h"

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
struct kml_error *image_parse_vmcoreinfo(struct image *image)
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
		error = image_parse_vmcoreinfo(image);
	if (!error)
		error = kdumpfile_registers(kdump, &image->cpus,
					    &image->facts.n_cpus);
	image->facts.cpus = image->cpus;
	return error;
}

struct kml_error *image_open_source(struct image *image)
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
		error = image_open_source(image);
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
