// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Profiles of a small program with the types of fixture/fixture.h: layouts
 * agree with the compiler, whatever the DWARF; files that are damaged, cut
 * off or of another kind are refused; caches are used and mended.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <elf.h>
#include <zstd.h>

#include "base/util.h"
#include "debuginfo/profile.h"
#include "debuginfo/profile_file.h"
#include "debuginfo/profile_object.h"
#include "fixture/fixture.h"

#define DWARF5 FIXTURES "/fixture-dwarf5.elf"
#define PATH_BYTES 512

static char dir[] = "/tmp/test-profile.XXXXXX";
static char cache_dir[64];

/* ---- helpers */

static struct profile *open_with(struct profile_options options)
{
	struct profile *profile = NULL;
	struct kml_error *error = profile_open(&options, &profile);

	if (error)
		fail_msg("%s", kml_error_message(error));
	return profile;
}

static struct profile *open_path(const char *path)
{
	return open_with((struct profile_options){ .path = path,
						   .cache_dir = "" });
}

static void expect_failure(struct profile_options options, enum kml_code code,
			   const char *text)
{
	struct profile *profile = NULL;
	struct kml_error *error = profile_open(&options, &profile);

	assert_non_null(error);
	assert_null(profile);
	if (kml_error_code(error) != code ||
	    !strstr(kml_error_message(error), text))
		fail_msg("code %d: %s", kml_error_code(error),
			 kml_error_message(error));
	kml_error_destroy(error);
}

static void expect_refused(const char *path, enum kml_code code,
			   const char *text)
{
	expect_failure((struct profile_options){ .path = path,
						 .cache_dir = "" },
		       code, text);
}

static const char *in_dir(const char *name)
{
	static char path[4][PATH_BYTES];
	static unsigned next;
	char *to = path[next++ % 4];

	snprintf(to, PATH_BYTES, "%s/%s", dir, name);
	return to;
}

static char *read_file(const char *path, size_t *bytes_ret)
{
	FILE *f = fopen(path, "rb");
	struct stat st;
	char *data;

	assert_non_null(f);
	assert_int_equal(fstat(fileno(f), &st), 0);
	data = malloc((size_t)st.st_size + 1);
	assert_non_null(data);
	*bytes_ret = fread(data, 1, (size_t)st.st_size, f);
	assert_int_equal(*bytes_ret, st.st_size);
	fclose(f);
	return data;
}

static void write_file(const char *path, const void *data, size_t bytes)
{
	FILE *f = fopen(path, "wb");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, bytes, f), bytes);
	assert_int_equal(fclose(f), 0);
}

static void write_zst(const char *path, const void *data, size_t bytes)
{
	size_t room = ZSTD_compressBound(bytes);
	char *frame = malloc(room);

	assert_non_null(frame);
	room = ZSTD_compress(frame, room, data, bytes, 3);
	assert_false(ZSTD_isError(room));
	write_file(path, frame, room);
	free(frame);
}

static int set_up(void **state)
{
	(void)state;
	if (!mkdtemp(dir))
		return -1;
	snprintf(cache_dir, sizeof(cache_dir), "%s/cache/deep", dir);
	return 0;
}

static int tear_down(void **state)
{
	char command[sizeof(dir) + 16];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", dir);
	return system(command);
}

/* ---- layouts */

static struct profile_member get(const struct profile *profile,
				 const char *type, const char *path)
{
	struct profile_member member = { 0 };

	if (!profile_member(profile, type, path, &member))
		fail_msg("no %s.%s", type, path);
	return member;
}

static void expect_at(const struct profile *profile, const char *type,
		      const char *path, size_t offset, size_t size)
{
	struct profile_member member = get(profile, type, path);

	if (member.offset != offset || member.size != size || member.bit_size)
		fail_msg("%s.%s is at %lu, of %lu bytes, not at %zu, of %zu",
			 type, path, (unsigned long)member.offset,
			 (unsigned long)member.size, offset, size);
}

#define expect_same(p, type, member)                        \
	expect_at(p, #type, #member, offsetof(struct type, member), \
		  sizeof(((struct type *)0)->member))

static void expect_plain_members(const struct profile *p)
{
	expect_same(p, list_head, next);
	expect_same(p, list_head, prev);
	expect_same(p, page, flags);
	expect_same(p, page, lru);
	expect_same(p, page, lru.prev);
	expect_same(p, page, mlock_count);
	expect_same(p, page, mapping);
	expect_same(p, page, values);
	expect_same(p, page, refcount);
	expect_same(p, page, refcount.counter);
	expect_same(p, kmem_cache, ctor);
	expect_same(p, kmem_cache, list.prev);
	expect_same(p, kmem_cache, tiny);
	expect_same(p, kmem_cache, matrix);
	expect_same(p, kmem_cache, unnamed);
	expect_same(p, kmem_cache, unnamed.x);
	expect_same(p, kmem_cache, unnamed.deep.y);
	expect_same(p, kmem_cache, qualified);
	expect_same(p, kmem_cache, counted);
	expect_same(p, kmem_cache, lock);
	expect_same(p, kmem_cache, lock.val);
	expect_same(p, kmem_cache, lock.val.counter);
	expect_same(p, kmem_cache, lock.pending);
	expect_same(p, kmem_cache, lock.tail);
	expect_same(p, kmem_cache, nodes);
	expect_same(p, zone, last);
	expect_at(p, "kmem_cache", "unnamed.many.w",
		  offsetof(struct kmem_cache, unnamed.many[0].w), sizeof(int));
	expect_at(p, "kmem_cache", "nodes.mapping",
		  offsetof(struct kmem_cache, nodes[0].mapping), sizeof(void *));
	expect_at(p, "kmem_cache", "flexible",
		  offsetof(struct kmem_cache, flexible), 0);
	expect_at(p, "kmem_cache", "flexible.prev",
		  offsetof(struct kmem_cache, flexible[0].prev),
		  sizeof(void *));
	expect_at(p, "kmem_cache", "none", offsetof(struct kmem_cache, none), 0);
	expect_at(p, "rq", "storage.longs", 0, 32);
	expect_at(p, "thread_union", "longs", 0, 32);
}

/* The bits that are set in @data must be those of the member. */
static void expect_bits(const struct profile *profile, const char *type,
			const char *path, const void *data, size_t bytes)
{
	struct profile_member member = get(profile, type, path);
	uint64_t first = member.offset * 8 + member.bit_offset, bit;

	assert_int_not_equal(member.bit_size, 0);
	assert_true(member.offset + member.size <= bytes);
	assert_true(member.bit_offset + member.bit_size <= member.size * 8);
	for (bit = 0; bit < bytes * 8; bit++) {
		bool set = ((const uint8_t *)data)[bit / 8] >> bit % 8 & 1;
		bool in = bit >= first && bit - first < member.bit_size;

		if (set != in)
			fail_msg("%s.%s: bit %lu", type, path,
				 (unsigned long)bit);
	}
}

#define expect_field(p, type, member)                              \
	do {                                                       \
		struct type value;                                 \
                                                                   \
		memset(&value, 0, sizeof(value));                  \
		value.member = -1;                                 \
		expect_bits(p, #type, #member, &value, sizeof(value)); \
	} while (0)

static void expect_bit_fields(const struct profile *p)
{
	struct kmem_cache cache;

	expect_field(p, page, inuse);
	expect_field(p, page, objects);
	expect_field(p, page, frozen);
	expect_field(p, kmem_cache, three);
	expect_field(p, kmem_cache, five);
	expect_field(p, kmem_cache, wide);
	expect_field(p, zone, twenty);
	expect_field(p, zone, thirty);
	expect_field(p, zone, straddles);
	memset(&cache, 0, sizeof(cache));
	cache.one = true;
	expect_bits(p, "kmem_cache", "one", &cache, sizeof(cache));
	assert_true(get(p, "kmem_cache", "five").is_signed);
	assert_false(get(p, "kmem_cache", "three").is_signed);
}

static void expect_kind(const struct profile *profile, const char *path,
			enum profile_kind kind, bool is_signed, uint64_t count,
			const char *type_name)
{
	struct profile_member member = get(profile, "kmem_cache", path);

	if (member.kind != kind || member.is_signed != is_signed ||
	    member.count != count || strcmp(member.type_name, type_name) != 0)
		fail_msg("%s: kind %d, signed %d, count %lu, type '%s'", path,
			 member.kind, member.is_signed,
			 (unsigned long)member.count, member.type_name);
}

static void expect_kinds(const struct profile *p)
{
	expect_kind(p, "name", PROFILE_POINTER, false, 0, "char");
	expect_kind(p, "ctor", PROFILE_POINTER, false, 0, "");
	expect_kind(p, "list", PROFILE_STRUCT, false, 0, "list_head");
	expect_kind(p, "tiny", PROFILE_INTEGER, true, 0, "signed char");
	expect_kind(p, "one", PROFILE_INTEGER, false, 0, "_Bool");
	expect_kind(p, "matrix", PROFILE_INTEGER, true, 12, "int");
	expect_kind(p, "unnamed", PROFILE_STRUCT, false, 0, "");
	expect_kind(p, "unnamed.many", PROFILE_STRUCT, false, 2, "");
	expect_kind(p, "qualified", PROFILE_INTEGER, true, 0, "int");
	expect_kind(p, "anything", PROFILE_POINTER, false, 0, "");
	expect_kind(p, "page", PROFILE_POINTER, false, 0, "page");
	expect_kind(p, "pages", PROFILE_POINTER, false, 0, "");
	expect_kind(p, "flag", PROFILE_INTEGER, false, 0, "pageflags");
	expect_kind(p, "zone", PROFILE_INTEGER, true, 0, "zone_type");
	expect_kind(p, "anonymous", PROFILE_INTEGER, false, 0, "");
	expect_kind(p, "lock", PROFILE_STRUCT, false, 0, "spinlock_t");
	expect_kind(p, "nodes", PROFILE_STRUCT, false, 2, "page");
	expect_kind(p, "flexible", PROFILE_STRUCT, false, 0, "list_head");
}

static void expect_sizes(const struct profile *profile)
{
	static const struct {
		const char *name;
		size_t size;
	} types[] = {
		{ "list_head", sizeof(struct list_head) },
		{ "page", sizeof(struct page) },
		{ "kmem_cache", sizeof(struct kmem_cache) },
		{ "zone", sizeof(struct zone) },
		{ "spinlock_t", sizeof(spinlock_t) },
		{ "spinlock", sizeof(struct spinlock) },
		{ "atomic_t", sizeof(atomic_t) },
		{ "vm_stack", 16 }, /* kernel/fork.c's */
	};
	uint64_t size;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		assert_true(profile_type_size(profile, types[i].name, &size));
		assert_int_equal(size, types[i].size);
	}
	assert_false(profile_type_size(profile, "module", &size));
	assert_false(profile_type_size(profile, "", &size));
	assert_false(profile_type_size(profile, "pag", &size));
	assert_false(profile_type_size(profile, "pages", &size));
}

static void expect_enumerators(const struct profile *p)
{
	static const struct {
		const char *name;
		int64_t value;
	} enumerators[] = {
		{ "PG_locked", PG_locked },
		{ "PG_slab", PG_slab },
		{ "PG_high", PG_high },
		{ "PG_last", PG_last },
		{ "ZONE_NEGATIVE", ZONE_NEGATIVE },
		{ "ZONE_LAST", ZONE_LAST },
		{ "ANONYMOUS_TOP", ANONYMOUS_TOP },
	};
	int64_t value;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(enumerators); i++) {
		assert_true(profile_enumerator(p, enumerators[i].name, &value));
		assert_int_equal(value, enumerators[i].value);
	}
	assert_false(profile_enumerator(p, "PG_none", &value));
}

static void expect_absent(const struct profile *profile)
{
	static const char *const paths[] = {
		"", ".", "absent", "lru.absent", "flags.x", "lru.", ".lru",
		"lru..next", "mapping.next", "lru.next.next",
	};
	struct profile_member member;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(paths); i++)
		assert_false(profile_member(profile, "page", paths[i],
					    &member));
	assert_false(profile_member(profile, "absent", "flags", &member));
}

static void expect_order(const struct profile *profile)
{
	struct profile_member member;
	uint64_t last = 0;
	const char *name;
	size_t n;

	for (n = 0; profile_nth_member(profile, "page", n, &name, &member);
	     n++) {
		assert_true(member.offset >= last);
		last = member.offset;
		assert_int_equal(get(profile, "page", name).offset, last);
	}
	assert_int_equal(n, 11);
}

static void expect_layouts(const struct profile *profile)
{
	expect_plain_members(profile);
	expect_bit_fields(profile);
	expect_kinds(profile);
	expect_sizes(profile);
	expect_enumerators(profile);
	expect_absent(profile);
	expect_order(profile);
}

static void test_layouts(void **state)
{
	static const char *const paths[] = {
		DWARF5,
		FIXTURES "/fixture-dwarf4.elf",
		FIXTURES "/fixture-zlib.elf",
		FIXTURES "/fixture-no-id.elf",
	};
	struct profile *profile;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(paths); i++) {
		profile = open_path(paths[i]);
		assert_string_equal(profile_source(profile), "vmlinux");
		expect_layouts(profile);
		profile_close(profile);
	}
}

/* ---- symbols and sections */

static uint64_t address_of(const struct profile *profile, const char *name,
			   uint64_t size)
{
	uint64_t address, got;

	assert_true(profile_symbol(profile, name, &address, &got));
	assert_int_equal(got, size);
	return address;
}

static void expect_symbol_at(const struct profile *profile, uint64_t address,
			     const char *name, uint64_t offset)
{
	const char *got;
	uint64_t at;

	assert_true(profile_symbolize(profile, address, &got, &at));
	assert_string_equal(got, name);
	assert_int_equal(at, offset);
}

static void expect_symbols(const struct profile *profile)
{
	uint64_t object, label, got, size;
	const char *name;

	object = address_of(profile, "fixture_object",
			    sizeof(struct kmem_cache));
	expect_symbol_at(profile, object, "fixture_object", 0);
	expect_symbol_at(profile, object + 9, "fixture_object", 9);
	object = address_of(profile, "fixture_pages", 3 * sizeof(struct page));
	expect_symbol_at(profile, object + 100, "fixture_pages", 100);
	/* Of two, the global one. */
	address_of(profile, "twin", 100);
	label = address_of(profile, "fixture_label", 0);
	expect_symbol_at(profile, label + 3, "fixture_label", 3);
	assert_true(profile_symbol(profile, "fixture_function", &got, &size));
	expect_symbol_at(profile, got + size - 1, "fixture_function", size - 1);
	/* Absolute ones are found, but are not at their address. */
	assert_int_equal(address_of(profile, "fixture_absolute", 0), 0x1234);
	assert_false(profile_symbolize(profile, 0x1234, &name, &got));
	assert_false(profile_symbolize(profile, UINT64_MAX, &name, &got));
	assert_false(profile_symbol(profile, "fixture_objec", &got, NULL));
	assert_false(profile_symbol(profile, "zzz", &got, NULL));
	assert_false(profile_symbol(profile, "", &got, NULL));
}

static const struct profile_section *section(const struct profile *profile,
					     const char *name)
{
	const struct profile_section *sections;
	size_t n, i;

	sections = profile_sections(profile, &n);
	for (i = 0; i < n; i++)
		if (!strcmp(sections[i].name, name))
			return &sections[i];
	fail_msg("no section %s", name);
	return NULL;
}

static void test_symbols(void **state)
{
	struct profile *profile = open_path(DWARF5);
	const struct profile_section *data = section(profile, ".data");

	(void)state;
	expect_symbols(profile);
	assert_true(section(profile, ".text")->executable);
	assert_false(section(profile, ".text")->writable);
	assert_true(data->writable && !data->executable);
	assert_true(section(profile, ".bss")->writable);
	assert_false(section(profile, ".rodata")->writable);
	assert_in_range(address_of(profile, "fixture_pages",
				   3 * sizeof(struct page)),
			data->address, data->address + data->size - 1);
	profile_close(profile);
}

/* ---- build-ids */

static void test_build_id(void **state)
{
	static const uint8_t other[20] = { 0xab, 0xcd };
	struct profile_options options = { .path = DWARF5, .cache_dir = "" };
	struct profile *profile = open_path(DWARF5);
	uint8_t own[20];
	size_t bytes;

	(void)state;
	assert_non_null(profile_build_id(profile, &bytes));
	assert_int_equal(bytes, sizeof(own));
	memcpy(own, profile_build_id(profile, &bytes), sizeof(own));
	profile_close(profile);

	options.build_id = own;
	options.build_id_bytes = sizeof(own);
	profile = open_with(options);
	assert_false(profile_mismatch(profile));
	assert_string_equal(profile_vmlinux(profile) +
				    strlen(profile_vmlinux(profile)) - 18,
			    "fixture-dwarf5.elf");
	profile_close(profile);

	options.build_id = other;
	expect_failure(options, KML_ERR_BUILDID, "the dump of abcd0000");
	options.force = true;
	profile = open_with(options);
	assert_true(profile_mismatch(profile));
	profile_close(profile);

	options.force = false;
	options.path = FIXTURES "/fixture-no-id.elf";
	expect_failure(options, KML_ERR_BUILDID, "is of build-id none");
}

/* ---- files that are none */

static void test_no_vmlinux(void **state)
{
	char boot[1024] = "MZ";

	(void)state;
	expect_refused(in_dir("absent"), KML_ERR_OS, "cannot open");
	expect_refused(dir, KML_ERR_FORMAT, "is not a regular file");
	assert_int_equal(mkfifo(in_dir("fifo"), 0600), 0);
	expect_refused(in_dir("fifo"), KML_ERR_FORMAT, "not a regular file");
	write_file(in_dir("empty"), "", 0);
	expect_refused(in_dir("empty"), KML_ERR_FORMAT, "neither a vmlinux");
	write_file(in_dir("text"), "hello\n", 6);
	expect_refused(in_dir("text"), KML_ERR_FORMAT, "neither a vmlinux");
	memcpy(boot + 0x202, "HdrS", 4);
	write_file(in_dir("vmlinuz"), boot, sizeof(boot));
	expect_refused(in_dir("vmlinuz"), KML_ERR_FORMAT, "boot image");
	expect_refused(FIXTURES "/fixture-stripped.elf", KML_ERR_DEBUGINFO,
		       "has no DWARF debuginfo");
	write_zst(in_dir("text.zst"), "hello\n", 6);
	expect_refused(in_dir("text.zst"), KML_ERR_FORMAT, "neither a vmlinux");
	write_file(in_dir("magic"), "\177ELF", 4);
	expect_refused(in_dir("magic"), KML_ERR_FORMAT, "neither a vmlinux");
	write_file(in_dir("short"), "\177ELF\2\1\1\0\0\0\0\0\0\0\0\0\0\0", 18);
	expect_refused(in_dir("short"), KML_ERR_CORRUPT, "ELF file");
	expect_failure((struct profile_options){ .cache_dir = "" },
		       KML_ERR_DEBUGINFO, "no vmlinux with debuginfo found");
}

static void test_cut_off(void **state)
{
	const char *path = in_dir("cut.elf");
	size_t bytes, n;
	char *data = read_file(DWARF5, &bytes);

	(void)state;
	for (n = EI_NIDENT; n < bytes; n += n < 128 ? 1 : bytes / 61) {
		write_file(path, data, n);
		expect_refused(path, KML_ERR_CORRUPT, "ELF file");
	}
	write_zst(in_dir("whole.zst"), data, bytes);
	free(data);
	data = read_file(in_dir("whole.zst"), &bytes);
	path = in_dir("cut.zst");
	for (n = 8; n < bytes; n += bytes / 61) {
		write_file(path, data, n);
		expect_refused(path, KML_ERR_CORRUPT, "is cut off");
	}
	free(data);
}

/* ---- profiles as files */

static void expect_all(const struct profile *profile)
{
	expect_layouts(profile);
	expect_symbols(profile);
}

static void test_round_trip(void **state)
{
	struct profile *profile = open_path(DWARF5);
	const char *path = in_dir("a.kmlprofile");
	static const uint8_t other[20] = { 1 };
	struct kml_error *error;
	struct profile *copy;
	size_t bytes, n;

	(void)state;
	assert_null(profile_write(profile, path));
	copy = open_path(path);
	assert_string_equal(profile_source(copy), "profile");
	assert_null(profile_vmlinux(copy));
	expect_all(copy);
	assert_memory_equal(profile_build_id(copy, &bytes),
			    profile_build_id(profile, &n), 20);
	assert_null(profile_write(copy, in_dir("b.kmlprofile")));
	error = profile_write(copy, "/nonexistent/x");
	assert_int_equal(kml_error_code(error), KML_ERR_OS);
	kml_error_destroy(error);
	profile_close(copy);
	profile_close(profile);

	/* It says nothing of where it was made. */
	copy = open_path(in_dir("b.kmlprofile"));
	expect_all(copy);
	for (n = 0; n < copy->image.header->strings_bytes; n++)
		assert_int_not_equal(copy->image.strings[n], '/');
	profile_close(copy);
	expect_failure((struct profile_options){ .path = path, .cache_dir = "",
						 .build_id = other,
						 .build_id_bytes = 20 },
		       KML_ERR_BUILDID, "the dump of 01000000");
}

static void test_damaged_profile(void **state)
{
	const char *path = in_dir("damaged.kmlprofile");
	struct profile *profile = open_path(DWARF5);
	struct kml_error *error;
	size_t bytes, i;
	char *data;

	(void)state;
	assert_null(profile_write(profile, path));
	profile_close(profile);
	data = read_file(path, &bytes);
	for (i = 0; i < bytes; i++) {
		struct profile_image image;

		data[i] ^= 1 << i % 8;
		write_file(path, data, bytes);
		error = profile_file_load(path, &image);
		assert_non_null(error);
		kml_error_destroy(error);
		data[i] ^= 1 << i % 8;
	}
	for (i = 0; i < bytes; i += 1 + bytes / 500) {
		write_file(path, data, i);
		expect_refused(path, i < 8 ? KML_ERR_FORMAT : KML_ERR_CORRUPT,
			       i < 8 ? "neither" : "is damaged");
	}
	/* Something behind it. */
	write_file(path, data, bytes + 1);
	expect_refused(path, KML_ERR_CORRUPT, "is damaged");
	data[8] = 99;
	write_file(path, data, bytes);
	expect_refused(path, KML_ERR_UNSUPPORTED, "has format version 99");
	data[8] = 0, data[11] = 1;
	memcpy(data + 12, "\1\2\3\4", 4);
	write_file(path, data, bytes);
	expect_refused(path, KML_ERR_UNSUPPORTED, "another byte order");
	free(data);
}

/* Ask it everything, so that a bad offset is followed. */
static void use_all(const struct profile *profile)
{
	const struct profile_image *image = &profile->image;
	struct profile_member member;
	const char *name;
	uint64_t value;
	int64_t number;
	uint32_t i, j;

	for (i = 0; i < image->header->n_types; i++) {
		const char *type = image->strings + image->types[i].name;

		profile_type_size(profile, type, &value);
		for (j = 0; profile_nth_member(profile, type, j, &name,
					       &member); j++)
			profile_member(profile, type, name, &member);
		profile_member(profile, type, "list.next", &member);
	}
	for (i = 0; i < image->header->n_symbols; i++)
		profile_symbolize(profile, image->symbol_addresses[i] + 1,
				  &name, &value);
	profile_symbol(profile, "fixture_object", &value, NULL);
	profile_enumerator(profile, "PG_slab", &number);
}

/* An image that passes as whole but was made to harm. */
static void test_hostile_image(void **state)
{
	struct profile *profile = open_path(DWARF5);
	size_t bytes = profile->image.bytes, i;
	struct profile hostile = { 0 };
	unsigned refused = 0;

	(void)state;
	for (i = 0; i < bytes; i++) {
		uint8_t *block = malloc(bytes);

		assert_non_null(block);
		memcpy(block, profile->image.header, bytes);
		block[i] ^= i % 3 ? 0xff : 0x80;
		if (profile_image_attach(&hostile.image, block, bytes)) {
			use_all(&hostile);
			profile_image_deinit(&hostile.image);
		} else {
			refused++;
			free(block);
		}
	}
	assert_true(refused > bytes / 10);
	profile_close(profile);
}

/* ---- the cache, and finding a vmlinux */

static struct profile_options cached(const char *path, const uint8_t *build_id)
{
	return (struct profile_options){ .path = path, .cache_dir = cache_dir,
					 .build_id = build_id,
					 .build_id_bytes = build_id ? 20 : 0 };
}

static void expect_source(struct profile_options options, const char *source)
{
	struct profile *profile = open_with(options);

	assert_string_equal(profile_source(profile), source);
	expect_all(profile);
	profile_close(profile);
}

static void get_build_id(const char *path, uint8_t ret[20])
{
	struct profile *profile = open_path(path);
	size_t bytes;

	memcpy(ret, profile_build_id(profile, &bytes), 20);
	assert_int_equal(bytes, 20);
	profile_close(profile);
}

static void cache_file(const uint8_t id[20], char path[PATH_BYTES])
{
	size_t n = (size_t)snprintf(path, PATH_BYTES, "%s/", cache_dir), i;

	for (i = 0; i < 20; i++)
		n += (size_t)snprintf(path + n, PATH_BYTES - n, "%02x", id[i]);
	snprintf(path + n, PATH_BYTES - n, ".kmlprofile");
}

static void test_cache(void **state)
{
	char path[PATH_BYTES];
	struct profile *profile;
	uint8_t id[20];

	(void)state;
	get_build_id(DWARF5, id);
	cache_file(id, path);
	expect_source(cached(DWARF5, NULL), "vmlinux");
	expect_source(cached(DWARF5, NULL), "cache");
	expect_source(cached(DWARF5, id), "cache");
	/* By build-id alone; it remembers the vmlinux. */
	profile = open_with(cached(NULL, id));
	assert_string_equal(profile_source(profile), "cache");
	assert_non_null(strstr(profile_vmlinux(profile), "fixture-dwarf5.elf"));
	profile_close(profile);
	/* Damaged: made anew. */
	write_file(path, "damaged", 7);
	expect_source(cached(DWARF5, id), "vmlinux");
	expect_source(cached(DWARF5, id), "cache");
	/* In the place of another build's. */
	cache_file((const uint8_t[20]){ 7 }, path);
	profile = open_path(DWARF5);
	assert_null(profile_write(profile, path));
	profile_close(profile);
	expect_failure(cached(NULL, (const uint8_t[20]){ 7 }),
		       KML_ERR_DEBUGINFO, "(build-id 0700");
}

static void test_cache_nowhere(void **state)
{
	struct profile_options options = { .path = DWARF5 };

	(void)state;
	unsetenv("XDG_CACHE_HOME");
	unsetenv("HOME");
	expect_source(options, "vmlinux");
	setenv("HOME", "/dev/null", 1);
	expect_source(options, "vmlinux");
	setenv("HOME", in_dir("home"), 1);
	expect_source(options, "vmlinux");
	expect_source(options, "cache");
	assert_int_equal(access(in_dir("home/.cache/kmlanalyze"), F_OK), 0);
	options.cache_dir = "";
	expect_source(options, "vmlinux");
}

static void test_compressed(void **state)
{
	const char *path = in_dir("vmlinux.zst");
	struct profile *profile;
	size_t bytes, got;
	char *data, *copy;
	uint8_t id[20];

	(void)state;
	data = read_file(FIXTURES "/fixture-dwarf4.elf", &bytes);
	write_zst(path, data, bytes);
	get_build_id(path, id);
	expect_source(cached(path, id), "vmlinux");
	profile = open_with(cached(path, id));
	assert_string_equal(profile_source(profile), "cache");
	assert_int_equal(profile->memfd, -1);
	expect_all(profile);
	copy = read_file(profile_vmlinux(profile), &got);
	assert_int_equal(got, bytes);
	assert_memory_equal(copy, data, bytes);
	assert_string_equal(profile_vmlinux(profile),
			    profile_vmlinux(profile));
	profile_close(profile);
	/* Another file of that name. */
	free(data);
	data = read_file(DWARF5, &bytes);
	write_zst(path, data, bytes);
	expect_failure(cached(path, id), KML_ERR_BUILDID, "is of build-id");
	free(data);
	free(copy);
}

static void test_find(void **state)
{
	struct profile_options options = { .cache_dir = "" };
	char path[PATH_BYTES], target[PATH_BYTES];
	uint8_t id[20], other[20] = { 9 };
	size_t n, i;

	(void)state;
	assert_non_null(realpath(DWARF5, target));
	get_build_id(DWARF5, id);
	setenv("KMLANALYZE_DEBUG_DIR", in_dir("debug"), 1);
	assert_int_equal(mkdir(in_dir("debug"), 0700), 0);
	assert_int_equal(mkdir(in_dir("debug/boot"), 0700), 0);
	assert_int_equal(mkdir(in_dir("debug/.build-id"), 0700), 0);
	assert_int_equal(symlink(target, in_dir("debug/boot/vmlinux-6.1.test")),
			 0);
	options.release = "6.1.test";
	expect_source(options, "vmlinux");
	options.build_id = id;
	options.build_id_bytes = 20;
	expect_source(options, "vmlinux");
	options.build_id = other;
	expect_failure(options, KML_ERR_BUILDID, "is of another build");
	options.force = true;
	expect_source(options, "vmlinux");
	options.force = false;
	options.release = "../boot/vmlinux-6.1.test";
	expect_failure(options, KML_ERR_DEBUGINFO, "no vmlinux with debuginfo");

	n = (size_t)snprintf(path, sizeof(path), "%s/debug/.build-id/%02x", dir,
			     id[0]);
	assert_int_equal(mkdir(path, 0700), 0);
	path[n++] = '/';
	for (i = 1; i < 20; i++)
		n += (size_t)snprintf(path + n, sizeof(path) - n, "%02x", id[i]);
	snprintf(path + n, sizeof(path) - n, ".debug");
	assert_int_equal(symlink(target, path), 0);
	options.build_id = id;
	expect_source(options, "vmlinux");
	unsetenv("KMLANALYZE_DEBUG_DIR");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_symbols),
		cmocka_unit_test(test_build_id),
		cmocka_unit_test(test_no_vmlinux),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_damaged_profile),
		cmocka_unit_test(test_hostile_image),
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_compressed),
		cmocka_unit_test(test_find),
		cmocka_unit_test(test_cache_nowhere),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
