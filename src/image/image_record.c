// SPDX-License-Identifier: GPL-2.0-or-later
/* A record is made of an image, and an image of a record. */
#include "image/image_object.h"

#include <stdlib.h>
#include <string.h>

#include "base/bitmap.h"
#include "base/util.h"

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
		error = image_parse_vmcoreinfo(image);
	if (!error)
		error = image_open_source(image);
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
