// SPDX-License-Identifier: GPL-2.0-or-later
#include "debuginfo/profile_image.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debuginfo/profile.h"

/* Set the pointers into the block as the counts say; the bytes that takes. */
static uint64_t image_lay_out(struct profile_image *image,
			      struct image_header *header)
{
	char *base = (char *)header;
	uint64_t at = sizeof(*header);

	image->header = header;
	image->types = (void *)(base + at);
	at += header->n_types * (uint64_t)sizeof(*image->types);
	image->members = (void *)(base + at);
	at += header->n_members * (uint64_t)sizeof(*image->members);
	image->enumerators = (void *)(base + at);
	at += header->n_enumerators * (uint64_t)sizeof(*image->enumerators);
	image->sections = (void *)(base + at);
	at += header->n_sections * (uint64_t)sizeof(*image->sections);
	image->symbol_addresses = (void *)(base + at);
	at += header->n_symbols * (uint64_t)sizeof(uint64_t);
	image->symbol_sizes = (void *)(base + at);
	at += header->n_symbols * (uint64_t)sizeof(uint32_t);
	image->symbol_names = (void *)(base + at);
	at += header->n_symbols * (uint64_t)sizeof(uint32_t);
	image->symbols_by_name = (void *)(base + at);
	at += header->n_symbols * (uint64_t)sizeof(uint32_t);
	image->strings = base + at;
	return at + header->strings_bytes;
}

/* A reader of the member must not be led out of its type. */
static bool member_is_sane(const struct profile_image *image,
			   const struct member_record *member,
			   uint64_t type_size)
{
	uint64_t end;

	return member->name < image->header->strings_bytes &&
	       member->type_name < image->header->strings_bytes &&
	       member->kind <= PROFILE_OTHER && member->is_signed <= 1 &&
	       !__builtin_add_overflow(member->offset, member->size, &end) &&
	       end <= type_size &&
	       (!member->count || member->size % member->count == 0) &&
	       member->bit_size <= 64 && member->bit_offset < 64 &&
	       (!member->bit_size || (uint64_t)member->bit_offset +
			       member->bit_size <= member->size * 8);
}

static bool types_are_sane(const struct profile_image *image)
{
	const struct image_header *header = image->header;
	uint32_t i, j;

	for (i = 0; i < header->n_types; i++) {
		const struct type_record *type = &image->types[i];

		if (type->name >= header->strings_bytes ||
		    type->first_member > header->n_members ||
		    type->n_members > header->n_members - type->first_member)
			return false;
		for (j = 0; j < type->n_members; j++)
			if (!member_is_sane(image,
					    &image->members[type->first_member + j],
					    type->size))
				return false;
	}
	return true;
}

static bool symbols_are_sane(const struct profile_image *image)
{
	const struct image_header *header = image->header;
	uint32_t i;

	if (header->n_placed > header->n_symbols)
		return false;
	for (i = 0; i < header->n_symbols; i++)
		if (image->symbol_names[i] >= header->strings_bytes ||
		    image->symbols_by_name[i] >= header->n_symbols)
			return false;
	for (i = 1; i < header->n_placed; i++)
		if (image->symbol_addresses[i - 1] > image->symbol_addresses[i])
			return false;
	return true;
}

static bool image_is_sane(const struct profile_image *image)
{
	const struct image_header *header = image->header;
	uint32_t i;

	/* The last string ends, so all of them do. */
	if (!header->strings_bytes ||
	    image->strings[header->strings_bytes - 1] != '\0' ||
	    header->source_path >= header->strings_bytes ||
	    header->build_id_bytes > BUILD_ID_MAX)
		return false;
	for (i = 0; i < header->n_enumerators; i++)
		if (image->enumerators[i].name >= header->strings_bytes)
			return false;
	for (i = 0; i < header->n_sections; i++)
		if (image->sections[i].name >= header->strings_bytes)
			return false;
	return types_are_sane(image) && symbols_are_sane(image);
}

bool profile_image_attach(struct profile_image *image, void *block,
			  size_t bytes)
{
	struct profile_image attached = { .bytes = bytes };

	if (bytes < sizeof(struct image_header) ||
	    image_lay_out(&attached, block) != bytes ||
	    !image_is_sane(&attached))
		return false;
	*image = attached;
	return true;
}

struct kml_error *profile_image_create(const struct image_header *header,
				       struct profile_image *ret)
{
	struct image_header copy = *header;
	struct profile_image image = { 0 };
	struct image_header *block;

	image.bytes = image_lay_out(&image, &copy);
	block = calloc(1, image.bytes);
	if (!block)
		return error_nomem();
	*block = copy;
	image_lay_out(&image, block);
	*ret = image;
	return NULL;
}

void profile_image_deinit(struct profile_image *image)
{
	free(image->header);
	memset(image, 0, sizeof(*image));
}

void profile_draft_deinit(struct profile_draft *draft)
{
	string_pool_deinit(&draft->strings);
	vec_deinit(&draft->types);
	vec_deinit(&draft->members);
	vec_deinit(&draft->enumerators);
	vec_deinit(&draft->sections);
	vec_deinit(&draft->symbols);
}

static int compare_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_types(const void *a, const void *b, void *strings)
{
	const struct type_draft *x = a, *y = b;

	return strcmp(string_pool_get(strings, x->name),
		      string_pool_get(strings, y->name));
}

static int compare_enumerators(const void *a, const void *b, void *strings)
{
	const struct enumerator_record *x = a, *y = b;

	return strcmp(string_pool_get(strings, x->name),
		      string_pool_get(strings, y->name));
}

static int compare_sections(const void *a, const void *b)
{
	const struct section_record *x = a, *y = b;
	int order = compare_u64(x->address, y->address);

	return order ? order : compare_u64(x->size, y->size);
}

/* By address, the one that describes it best first; absolute ones last. */
static int compare_symbols(const void *a, const void *b)
{
	const struct symbol_draft *x = a, *y = b;
	int order;

	if (x->placed != y->placed)
		return x->placed ? -1 : 1;
	order = compare_u64(x->address, y->address);
	if (!order)
		order = !x->size - !y->size;
	if (!order)
		order = y->typed - x->typed;
	if (!order)
		order = x->local - y->local;
	if (!order)
		order = compare_u64(y->size, x->size);
	/* Names are interned in symbol table order. */
	return order ? order : compare_u64(x->name, y->name);
}

static int compare_names(const void *a, const void *b, void *arg)
{
	const struct profile_draft *draft = arg;
	uint32_t i = *(const uint32_t *)a, j = *(const uint32_t *)b;
	const struct symbol_draft *x = &draft->symbols.data[i];
	const struct symbol_draft *y = &draft->symbols.data[j];
	int order = 0;

	if (x->name != y->name)
		order = strcmp(string_pool_get(&draft->strings, x->name),
			       string_pool_get(&draft->strings, y->name));
	if (!order)
		order = x->local - y->local;
	if (!order)
		order = y->placed - x->placed;
	return order ? order : (i > j) - (i < j);
}

#define draft_sort(v, compare, arg)                                     \
	do {                                                            \
		if ((v)->size)                                          \
			qsort_r((v)->data, (v)->size, sizeof(*(v)->data), \
				compare, arg);                          \
	} while (0)

static void draft_sort_all(struct profile_draft *draft)
{
	draft_sort(&draft->types, compare_types, &draft->strings);
	draft_sort(&draft->enumerators, compare_enumerators, &draft->strings);
	if (draft->sections.size)
		qsort(draft->sections.data, draft->sections.size,
		      sizeof(*draft->sections.data), compare_sections);
	if (draft->symbols.size)
		qsort(draft->symbols.data, draft->symbols.size,
		      sizeof(*draft->symbols.data), compare_symbols);
}

/* False if a count does not fit. */
static bool fill_header(const struct profile_draft *draft,
			struct image_header *header)
{
	size_t i;

	if (draft->types.size > UINT32_MAX || draft->members.size > UINT32_MAX ||
	    draft->enumerators.size > UINT32_MAX ||
	    draft->sections.size > UINT32_MAX ||
	    draft->symbols.size > UINT32_MAX)
		return false;
	header->n_types = (uint32_t)draft->types.size;
	header->n_members = (uint32_t)draft->members.size;
	header->n_enumerators = (uint32_t)draft->enumerators.size;
	header->n_sections = (uint32_t)draft->sections.size;
	header->n_symbols = (uint32_t)draft->symbols.size;
	for (i = 0; i < draft->symbols.size && draft->symbols.data[i].placed; i++)
		header->n_placed++;
	header->strings_bytes = (uint32_t)draft->strings.text.size;
	header->build_id_bytes = (uint32_t)MIN(draft->build_id_bytes,
					       (size_t)BUILD_ID_MAX);
	memcpy(header->build_id, draft->build_id, header->build_id_bytes);
	header->source_bytes = draft->source_bytes;
	header->source_mtime_ns = draft->source_mtime_ns;
	header->source_path = draft->source_path;
	return true;
}

static void fill_types(const struct profile_draft *draft,
		       struct type_record *types)
{
	size_t i;

	for (i = 0; i < draft->types.size; i++) {
		const struct type_draft *type = &draft->types.data[i];

		types[i].name = type->name;
		types[i].first_member = type->first_member;
		types[i].n_members = type->n_members;
		types[i].size = type->size;
	}
}

static void fill_symbols(struct profile_draft *draft,
			 struct profile_image *image)
{
	uint64_t *addresses = (uint64_t *)image->symbol_addresses;
	uint32_t *sizes = (uint32_t *)image->symbol_sizes;
	uint32_t *names = (uint32_t *)image->symbol_names;
	uint32_t *by_name = (uint32_t *)image->symbols_by_name;
	size_t i;

	for (i = 0; i < draft->symbols.size; i++) {
		addresses[i] = draft->symbols.data[i].address;
		sizes[i] = draft->symbols.data[i].size;
		names[i] = draft->symbols.data[i].name;
		by_name[i] = (uint32_t)i;
	}
	if (i)
		qsort_r(by_name, i, sizeof(*by_name), compare_names, draft);
}

static void copy_records(const void *to, const void *from, size_t bytes)
{
	if (bytes)
		memcpy((void *)to, from, bytes);
}

static void fill_block(struct profile_draft *draft, struct profile_image *image)
{
	fill_types(draft, (struct type_record *)image->types);
	copy_records(image->members, draft->members.data,
		     draft->members.size * sizeof(*image->members));
	copy_records(image->enumerators, draft->enumerators.data,
		     draft->enumerators.size * sizeof(*image->enumerators));
	copy_records(image->sections, draft->sections.data,
		     draft->sections.size * sizeof(*image->sections));
	fill_symbols(draft, image);
	copy_records(image->strings, draft->strings.text.data,
		     draft->strings.text.size);
}

struct kml_error *profile_draft_finish(struct profile_draft *draft,
				       struct profile_image *ret)
{
	struct image_header header = { 0 };
	struct profile_image image;
	struct kml_error *error;
	uint32_t empty;

	if (!string_pool_add(&draft->strings, "", &empty))
		return error_nomem();
	draft_sort_all(draft);
	if (!fill_header(draft, &header))
		return error_new(KML_ERR_UNSUPPORTED, "too many symbols");
	error = profile_image_create(&header, &image);
	if (error)
		return error;
	fill_block(draft, &image);
	/* The same rules for what was just made as for what comes in. */
	if (!image_is_sane(&image)) {
		profile_image_deinit(&image);
		return error_new(KML_ERR_CORRUPT,
				 "the debuginfo contradicts itself");
	}
	*ret = image;
	return NULL;
}
