// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The profile.  As a block (profile_image.h) it would be the largest part of a
 * small snapshot, for the sake of symbols: their names here are in the order of
 * the alphabet, without what each has in common with the one before; where each
 * stands in that order tells both the name and the index by name; and most end
 * close to where the next one starts.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debuginfo/profile_image.h"
#include "snapshot/snapshot.h"

#define STRINGS_MAX (UINT32_C(256) << 20)

/* A profile on its way: the strings of the block that is loaded are ordered
 * otherwise than those of the block that was saved. */
struct packed {
	struct profile_image image;
	uint32_t *moved; /* saving: from offsets of strings to theirs in the
			    snapshot; UINT32_MAX: not there yet */
	uint32_t n_strings; /* bytes of them so far */
	VEC(uint32_t) others; /* saving: old offsets of no symbol's names */
	uint32_t *rank;  /* of symbols: their place by name */
};

/* ---- names of symbols */

static uint32_t common_prefix(const char *a, const char *b)
{
	uint32_t n = 0;

	while (a[n] && a[n] == b[n])
		n++;
	return n;
}

/* A name, whose first bytes are those of the one before, or that one again.
 * Saving, @name; loading, into the block. */
static void archive_name(struct archive *a, struct packed *p, const char *name,
			 const char *before)
{
	char *strings = (char *)p->image.strings;
	uint32_t room = p->image.header->strings_bytes - p->n_strings;
	uint64_t shared = a->loading ? 0 : common_prefix(name, before);
	uint64_t n = a->loading ? 0 : strlen(name) - shared;

	archive_u64(a, &shared);
	archive_u64(a, &n);
	if (a->loading) {
		archive_check(a, shared <= strlen(before) && n < room &&
			      shared < room - n, "a symbol");
		if (a->failed)
			return;
		name = strings + p->n_strings;
		memcpy(strings + p->n_strings, before, shared);
		archive_bytes(a, strings + p->n_strings + shared, n);
		archive_check(a, strlen(name) == shared + n, "a symbol");
	} else {
		archive_bytes(a, (char *)name + shared, n);
	}
	p->n_strings += (uint32_t)(shared + n + 1);
}

/* By name; symbols of one name stand in a row. */
static void archive_names(struct archive *a, struct packed *p)
{
	struct profile_image *image = &p->image;
	uint32_t *names = (uint32_t *)image->symbol_names, i, at = 0;
	const char *before = "";
	uint32_t last = UINT32_MAX;

	for (i = 0; i < image->header->n_symbols && !a->failed; i++) {
		uint32_t symbol = image->symbols_by_name[i];
		bool again = !a->loading && last == names[symbol];

		archive_bool(a, &again);
		archive_check(a, i || !again, "a symbol");
		if (!again) {
			at = p->n_strings;
			archive_name(a, p, image->strings +
				     (a->loading ? 0 : names[symbol]), before);
		}
		if (a->failed)
			return;
		before = image->strings + (a->loading ? at : names[symbol]);
		last = names[symbol];
		if (a->loading)
			names[symbol] = at;
		else
			p->moved[names[symbol]] = at;
	}
}

/* ---- symbols, by address */

static void archive_ranks(struct archive *a, struct packed *p)
{
	uint32_t *by_name = (uint32_t *)p->image.symbols_by_name;
	uint32_t n = p->image.header->n_symbols, i, last = 0;

	p->rank = calloc(MAX(n, 1u), sizeof(*p->rank));
	if (!p->rank) {
		archive_nomem(a);
		return;
	}
	for (i = 0; i < n; i++) {
		if (a->loading)
			by_name[i] = UINT32_MAX;
		else
			p->rank[by_name[i]] = i;
	}
	for (i = 0; i < n && !a->failed; i++) {
		last = archive_near(a, p->rank[i], last);
		if (!a->loading)
			continue;
		archive_check(a, last < n && by_name[last] == UINT32_MAX,
			      "the order of symbols");
		if (!a->failed)
			by_name[last] = i;
	}
}

static void archive_addresses(struct archive *a, struct packed *p)
{
	uint64_t *addresses = (uint64_t *)p->image.symbol_addresses, last = 0;
	uint32_t *sizes = (uint32_t *)p->image.symbol_sizes;
	uint32_t n = p->image.header->n_symbols, i, room;

	for (i = 0; i < n; i++)
		archive_delta(a, &addresses[i], &last);
	for (i = 0; i < n; i++) {
		room = i + 1 < n ? (uint32_t)(addresses[i + 1] -
					      addresses[i]) : 0;
		room = archive_near(a, sizes[i], room);
		if (a->loading)
			sizes[i] = room;
	}
}

/* ---- the rest */

/* A string's offset: the new one is what is kept. */
static void archive_offset(struct archive *a, struct packed *p, uint32_t *at)
{
	uint32_t moved = 0;

	if (!a->loading) {
		moved = p->moved[*at];
		if (moved == UINT32_MAX) {
			moved = p->moved[*at] = p->n_strings;
			p->n_strings += (uint32_t)strlen(p->image.strings +
							 *at) + 1;
			if (!vec_push(&p->others, *at))
				archive_nomem(a);
		}
	}
	archive_u32(a, &moved);
	if (a->loading)
		*at = moved;
}

static void archive_types(struct archive *a, struct packed *p)
{
	struct type_record *types = (struct type_record *)p->image.types;
	uint32_t i;

	for (i = 0; i < p->image.header->n_types; i++) {
		archive_offset(a, p, &types[i].name);
		archive_u32(a, &types[i].first_member);
		archive_u32(a, &types[i].n_members);
		archive_u64(a, &types[i].size);
	}
}

static void archive_members(struct archive *a, struct packed *p)
{
	struct member_record *members =
		(struct member_record *)p->image.members;
	uint32_t i;

	for (i = 0; i < p->image.header->n_members; i++) {
		struct member_record *m = &members[i];

		archive_u64(a, &m->offset);
		archive_u64(a, &m->size);
		archive_u64(a, &m->count);
		archive_offset(a, p, &m->name);
		archive_offset(a, p, &m->type_name);
		archive_u32(a, &m->bit_offset);
		archive_u32(a, &m->bit_size);
		archive_u8(a, &m->kind);
		archive_u8(a, &m->is_signed);
	}
}

static void archive_others(struct archive *a, struct packed *p)
{
	struct enumerator_record *enumerators =
		(struct enumerator_record *)p->image.enumerators;
	struct section_record *sections =
		(struct section_record *)p->image.sections;
	struct image_header *header = p->image.header;
	uint32_t i;

	for (i = 0; i < header->n_enumerators; i++) {
		archive_i64(a, &enumerators[i].value);
		archive_offset(a, p, &enumerators[i].name);
	}
	for (i = 0; i < header->n_sections; i++) {
		archive_u64(a, &sections[i].address);
		archive_u64(a, &sections[i].size);
		archive_offset(a, p, &sections[i].name);
		archive_u32(a, &sections[i].flags);
	}
}

/* The strings that are no symbol's name, in order of their new offsets. */
static void archive_strings(struct archive *a, struct packed *p,
			    uint32_t first)
{
	char *strings = (char *)p->image.strings;
	uint32_t n = a->loading ? 0 : p->n_strings - first;
	size_t i;

	archive_u32(a, &n);
	archive_check(a, n <= p->image.header->strings_bytes - first,
		      "the strings");
	if (a->loading) {
		archive_bytes(a, strings + first, a->failed ? 0 : n);
		return;
	}
	for (i = 0; i < p->others.size; i++) {
		char *string = strings + p->others.data[i];

		archive_bytes(a, string, strlen(string) + 1);
	}
}

static void archive_counts(struct archive *a, struct image_header *header)
{
	archive_u32(a, &header->n_types);
	archive_u32(a, &header->n_members);
	archive_u32(a, &header->n_enumerators);
	archive_u32(a, &header->n_sections);
	archive_u32(a, &header->n_symbols);
	archive_u32(a, &header->n_placed);
	/* Of which not all need be used: the rest is empty. */
	archive_u32(a, &header->strings_bytes);
	archive_check(a, header->strings_bytes &&
		      header->strings_bytes <= STRINGS_MAX, "the strings");
	archive_u32(a, &header->build_id_bytes);
	archive_bytes(a, header->build_id, sizeof(header->build_id));
	/* Each takes bytes: a bound to what is to be allocated. */
	archive_check(a, (uint64_t)header->n_types + header->n_members +
			      header->n_enumerators + header->n_sections +
			      header->n_symbols <=
		      (uint64_t)(a->in_end - a->in), "the profile");
}

static void archive_contents(struct archive *a, struct packed *p)
{
	uint32_t first;

	archive_ranks(a, p);
	archive_addresses(a, p);
	archive_names(a, p);
	first = p->n_strings;
	archive_types(a, p);
	archive_members(a, p);
	archive_others(a, p);
	if (!a->failed)
		archive_strings(a, p, first);
}

static void save_profile(struct archive *a, const struct profile *profile)
{
	struct packed p = { 0 };
	struct image_header header;
	size_t bytes, i;
	void *block = (void *)profile_bytes(profile, &bytes);

	if (!profile_image_attach(&p.image, block, bytes)) {
		archive_corrupt(a, "the profile");
		return;
	}
	header = *p.image.header;
	archive_counts(a, &header);
	p.moved = malloc(header.strings_bytes * sizeof(*p.moved));
	if (p.moved) {
		for (i = 0; i < header.strings_bytes; i++)
			p.moved[i] = UINT32_MAX;
		archive_contents(a, &p);
	} else {
		archive_nomem(a);
	}
	free(p.moved);
	free(p.rank);
	vec_deinit(&p.others);
}

/* *@ret: the block, or nothing if that fails, which sticks. */
static void load_profile(struct archive *a, struct profile_image *ret)
{
	struct image_header header = { 0 };
	struct packed p = { 0 };
	struct kml_error *error;

	archive_counts(a, &header);
	if (a->failed)
		return;
	/* The last byte is 0 in any case: an empty string. */
	header.source_path = header.strings_bytes - 1;
	error = profile_image_create(&header, &p.image);
	if (error) {
		archive_fail(a, error);
		return;
	}
	archive_contents(a, &p);
	free(p.rank);
	if (a->failed)
		profile_image_deinit(&p.image);
	else
		*ret = p.image;
}

void archive_profile(struct archive *a, struct snapshot *snapshot)
{
	const struct profile *profile = snapshot->analysis->profile;
	const char *source = a->loading ? NULL : profile_source(profile);
	const char *path = a->loading ? NULL : profile_path(profile);
	bool mismatch = !a->loading && profile_mismatch(profile);
	struct profile_image image = { 0 };
	struct kml_error *error;

	archive_string(a, &source);
	archive_string(a, &path);
	archive_bool(a, &mismatch);
	if (!a->loading) {
		save_profile(a, profile);
		return;
	}
	load_profile(a, &image);
	if (a->failed)
		return;
	error = profile_attach(image.header, image.bytes, source, path,
			       mismatch, &snapshot->analysis->profile);
	if (error) {
		profile_image_deinit(&image);
		archive_fail(a, error);
	}
}
