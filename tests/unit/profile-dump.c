// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * profile-dump VMLINUX: the layouts of a profile, for tests/vm/check-layouts.
 *
 *	type NAME BYTES
 *	member TYPE NAME FIRST-BIT BITS COUNT
 *	enumerator NAME VALUE
 */
#include <inttypes.h>
#include <stdio.h>

#include "debuginfo/profile.h"
#include "debuginfo/profile_object.h"

static void dump_type(const struct profile *profile, const char *type,
		      uint64_t size)
{
	struct profile_member member;
	const char *name;
	size_t n;

	printf("type %s %" PRIu64 "\n", type, size);
	for (n = 0; profile_nth_member(profile, type, n, &name, &member); n++)
		printf("member %s %s %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
		       type, name, member.offset * 8 + member.bit_offset,
		       member.bit_size ? member.bit_size : member.size * 8,
		       member.count);
}

int main(int argc, char **argv)
{
	struct profile_options options = { .cache_dir = "" };
	const struct profile_image *image;
	struct kml_error *error;
	struct profile *profile;
	uint32_t i;

	if (argc != 2) {
		fprintf(stderr, "usage: profile-dump VMLINUX\n");
		return 2;
	}
	options.path = argv[1];
	error = profile_open(&options, &profile);
	if (error) {
		fprintf(stderr, "profile-dump: %s\n", kml_error_message(error));
		kml_error_destroy(error);
		return 1;
	}
	image = &profile->image;
	for (i = 0; i < image->header->n_types; i++)
		dump_type(profile, image->strings + image->types[i].name,
			  image->types[i].size);
	for (i = 0; i < image->header->n_enumerators; i++)
		printf("enumerator %s %" PRId64 "\n",
		       image->strings + image->enumerators[i].name,
		       image->enumerators[i].value);
	profile_close(profile);
	return 0;
}
