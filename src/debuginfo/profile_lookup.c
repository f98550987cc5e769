// SPDX-License-Identifier: GPL-2.0-or-later
/* Questions to a profile: types, members, enumerators, symbols. */
#include <string.h>

#include "base/util.h"
#include "debuginfo/profile_object.h"

/* How far back from an address a symbol is looked for that covers it: past
 * the labels inside a function of assembly. */
#define MAX_LABELS 64

/* ---- types */

static const struct type_record *find_type(const struct profile *profile,
					   const char *name, size_t name_len)
{
	const struct profile_image *image = &profile->image;
	uint32_t low = 0, high = image->header->n_types, middle;
	int order;

	while (low < high) {
		const char *s;

		middle = low + (high - low) / 2;
		s = image->strings + image->types[middle].name;
		order = strncmp(s, name, name_len);
		if (!order && s[name_len])
			order = 1;
		if (!order)
			return &image->types[middle];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static void show_member(const struct profile_image *image,
			const struct member_record *record,
			struct profile_member *ret)
{
	ret->offset = record->offset;
	ret->size = record->size;
	ret->bit_offset = record->bit_offset;
	ret->bit_size = record->bit_size;
	ret->count = record->count;
	ret->kind = (enum profile_kind)record->kind;
	ret->is_signed = record->is_signed;
	ret->type_name = image->strings + record->type_name;
}

/* The member of @type whose name is the first @name_len bytes of @name. */
static const struct member_record *find_member(const struct profile *profile,
					       const struct type_record *type,
					       const char *name,
					       size_t name_len)
{
	const struct profile_image *image = &profile->image;
	uint32_t i;

	for (i = 0; i < type->n_members; i++) {
		const struct member_record *member =
			&image->members[type->first_member + i];
		const char *s = image->strings + member->name;

		if (!strncmp(s, name, name_len) && !s[name_len])
			return member;
	}
	return NULL;
}

/* The longest beginning of @path, up to a dot or its end, that is a member:
 * names of members of unnamed structs have dots in them. */
static const struct member_record *find_longest(const struct profile *profile,
						const struct type_record *type,
						const char *path,
						size_t *len_ret)
{
	const struct member_record *member;
	size_t len = strlen(path);
	const char *dot;

	for (;;) {
		member = find_member(profile, type, path, len);
		if (member) {
			*len_ret = len;
			return member;
		}
		dot = memrchr(path, '.', len);
		if (!dot)
			return NULL;
		len = (size_t)(dot - path);
	}
}

/* The bytes of one element of a member. */
static uint64_t element_bytes(const struct member_record *member)
{
	return member->count ? member->size / member->count : member->size;
}

bool profile_member(const struct profile *profile, const char *type_name,
		    const char *path, struct profile_member *ret)
{
	const struct profile_image *image = &profile->image;
	const struct type_record *type = find_type(profile, type_name,
						   strlen(type_name));
	const struct member_record *member;
	uint64_t base = 0;
	const char *inner;
	size_t len;

	while (type) {
		member = find_longest(profile, type, path, &len);
		if (!member)
			return false;
		if (!path[len]) {
			show_member(image, member, ret);
			ret->offset += base;
			return true;
		}
		if (member->kind != PROFILE_STRUCT)
			return false;
		path += len + 1;
		base += member->offset;
		inner = image->strings + member->type_name;
		type = find_type(profile, inner, strlen(inner));
		/* A damaged profile must not lead out of the outer type; a
		 * flexible array's elements are beyond it anyway. */
		if (type && member->size && type->size > element_bytes(member))
			return false;
	}
	return false;
}

bool profile_type_size(const struct profile *profile, const char *name,
		       uint64_t *ret)
{
	const struct type_record *type = find_type(profile, name, strlen(name));

	if (!type)
		return false;
	*ret = type->size;
	return true;
}

bool profile_nth_member(const struct profile *profile, const char *type_name,
			size_t n, const char **name_ret,
			struct profile_member *ret)
{
	const struct profile_image *image = &profile->image;
	const struct type_record *type = find_type(profile, type_name,
						   strlen(type_name));
	const struct member_record *member;

	if (!type || n >= type->n_members)
		return false;
	member = &image->members[type->first_member + n];
	*name_ret = image->strings + member->name;
	show_member(image, member, ret);
	return true;
}

bool profile_enumerator(const struct profile *profile, const char *name,
			int64_t *ret)
{
	const struct profile_image *image = &profile->image;
	uint32_t low = 0, high = image->header->n_enumerators, middle;
	int order;

	while (low < high) {
		middle = low + (high - low) / 2;
		order = strcmp(image->strings + image->enumerators[middle].name,
			       name);
		if (!order) {
			*ret = image->enumerators[middle].value;
			return true;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}

/* ---- symbols */

static const char *symbol_name(const struct profile_image *image, uint32_t i)
{
	return image->strings + image->symbol_names[i];
}

bool profile_symbol(const struct profile *profile, const char *name,
		    uint64_t *address_ret, uint64_t *size_ret)
{
	const struct profile_image *image = &profile->image;
	const uint32_t *by_name = image->symbols_by_name;
	uint32_t low = partition_point(
		image->header->n_symbols, mid,
		strcmp(symbol_name(image, by_name[mid]), name) < 0);
	uint32_t i;

	if (low == image->header->n_symbols)
		return false;
	i = by_name[low];
	if (strcmp(symbol_name(image, i), name) != 0)
		return false;
	*address_ret = image->symbol_addresses[i];
	if (size_ret)
		*size_ret = image->symbol_sizes[i];
	return true;
}

/* The section that an address lies in, or NULL. */
static const struct section_record *
find_section(const struct profile_image *image, uint64_t address)
{
	uint32_t i;

	for (i = 0; i < image->header->n_sections; i++)
		if (address - image->sections[i].address <
		    image->sections[i].size)
			return &image->sections[i];
	return NULL;
}

/* The number of symbols at or below an address. */
static uint32_t symbols_up_to(const struct profile_image *image,
			      uint64_t address)
{
	return partition_point(image->header->n_placed, mid,
			       image->symbol_addresses[mid] <= address);
}

/*
 * The symbol among those up to @end that covers @address; else, if the nearest
 * has no size, that one; else @end.  Symbols at one address come in order of
 * how well they describe it.
 */
static uint32_t find_covering(const struct profile_image *image,
			      uint64_t address, uint64_t section_start,
			      uint32_t end)
{
	const uint64_t *addresses = image->symbol_addresses;
	uint32_t nearest = end, first = end, best = end, i;

	for (i = end; i-- > 0 && end - i <= MAX_LABELS;) {
		if (addresses[i] < section_start)
			break;
		if (best != end && addresses[i] != addresses[best])
			return best;
		if (address - addresses[i] < image->symbol_sizes[i])
			best = i;
		if (nearest == end)
			nearest = i;
		if (addresses[i] == addresses[nearest])
			first = i;
	}
	if (best == end && first != end && !image->symbol_sizes[first])
		best = first;
	return best;
}

bool profile_symbolize(const struct profile *profile, uint64_t address,
		       const char **name_ret, uint64_t *offset_ret)
{
	const struct profile_image *image = &profile->image;
	const struct section_record *section = find_section(image, address);
	uint32_t end = symbols_up_to(image, address), i;

	if (!section)
		return false;
	i = find_covering(image, address, section->address, end);
	if (i == end)
		return false;
	*name_ret = symbol_name(image, i);
	*offset_ret = address - image->symbol_addresses[i];
	return true;
}

bool profile_kallsyms(const struct profile *profile, uint64_t address,
		      const char **name_ret, uint64_t *offset_ret,
		      uint64_t *bytes_ret)
{
	const struct profile_image *image = &profile->image;
	const struct section_record *section = find_section(image, address);
	uint32_t end = symbols_up_to(image, address), first = end;
	uint64_t start, next;

	if (!section || !(section->flags & SECTION_EXECUTABLE) || !end)
		return false;
	start = image->symbol_addresses[end - 1];
	if (start < section->address)
		return false;
	/* The one that describes it best comes first. */
	while (first > 0 && image->symbol_addresses[first - 1] == start)
		first--;
	next = section->address + section->size;
	if (end < image->header->n_placed)
		next = MIN(next, image->symbol_addresses[end]);
	*name_ret = symbol_name(image, first);
	*offset_ret = address - start;
	*bytes_ret = next - start;
	return true;
}
