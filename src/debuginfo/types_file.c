// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Where types come from, and the file next to the layout cache that spares a
 * later run the vmlinux:
 *
 *	header | zstd frame of: counts | records | members | variables |
 *	functions | strings
 */
#include "debuginfo/types.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zstd.h>

#include "base/util.h"
#include "debuginfo/cache_dir.h"
#include "debuginfo/elf_file.h"
#include "debuginfo/profile.h"

#define SUFFIX ".kmltypes"
#define VERSION 2 /* goes up with what is read, too */
#define BYTE_ORDER_MARK UINT32_C(0x01020304)
#define MAX_BYTES ((size_t)512 << 20)
#define ZSTD_LEVEL 3
#define MIN_SECONDS 0.05 /* of a module: reading it again takes no longer */

static const uint8_t magic[8] = { 0x8b, 'K', 'M', 'T', '\r', '\n', 0x1a, '\n' };

struct file_header {
	uint8_t magic[8];
	uint32_t version, byte_order;
	uint64_t bytes;      /* of what the frame holds */
	uint64_t frame_bytes;
	uint64_t frame_hash;
};

struct counts {
	uint32_t n_records, n_members, n_variables, n_functions;
	uint32_t strings_bytes, n_btf, has_btf, unused;
};

static uint64_t block_bytes(const struct counts *counts)
{
	return sizeof(*counts) +
	       (uint64_t)counts->n_records * sizeof(struct type_info) +
	       (uint64_t)counts->n_members * sizeof(struct type_member) +
	       (uint64_t)counts->n_variables * sizeof(struct type_variable) +
	       (uint64_t)counts->n_functions * sizeof(struct type_function) +
	       counts->strings_bytes;
}

/* ---- reading */

/* Copy an array out of a block; moves on behind it. */
#define take_array(v, n, p)                                          \
	((n) == 0 ? true :                                            \
	 vec_reserve(v, n) ?                                          \
		 (memcpy((v)->data, *(p), (n) * sizeof(*(v)->data)),  \
		  (v)->size = (n), *(p) += (n) * sizeof(*(v)->data), true) : \
		 false)

/* What look-ups do not check themselves. */
static bool is_sane(const struct types *types)
{
	size_t i;

	for (i = 0; i < types->records.size; i++) {
		const struct type_info *record = &types->records.data[i];

		if (record->kind >= TYPE_KINDS ||
		    record->first_member > types->members.size ||
		    record->n_members >
			    types->members.size - record->first_member)
			return false;
	}
	return types->records.size && types->strings.text.size &&
	       !types->strings.text.data[types->strings.text.size - 1] &&
	       types->n_btf <= types->records.size;
}

static bool unpack(struct types *types, const char *block, size_t bytes)
{
	struct counts counts;
	const char *p = block + sizeof(counts);

	if (bytes < sizeof(counts))
		return false;
	memcpy(&counts, block, sizeof(counts));
	if (block_bytes(&counts) != bytes)
		return false;
	types->n_btf = counts.n_btf;
	types->has_btf = counts.has_btf;
	return take_array(&types->records, counts.n_records, &p) &&
	       take_array(&types->members, counts.n_members, &p) &&
	       take_array(&types->variables, counts.n_variables, &p) &&
	       take_array(&types->functions, counts.n_functions, &p) &&
	       take_array(&types->strings.text, counts.strings_bytes, &p) &&
	       is_sane(types);
}

static bool load_file(struct types *types, const char *path)
{
	_cleanup_free_ char *data = NULL, *block = NULL;
	struct file_header header;
	const char *frame;
	size_t bytes, n;

	data = cache_read(path, MAX_BYTES, &bytes);
	if (!data || bytes < sizeof(header))
		return false;
	memcpy(&header, data, sizeof(header));
	frame = data + sizeof(header);
	if (memcmp(header.magic, magic, sizeof(magic)) ||
	    header.version != VERSION || header.byte_order != BYTE_ORDER_MARK ||
	    header.frame_bytes != bytes - sizeof(header) ||
	    header.bytes > MAX_BYTES ||
	    hash_words(frame, header.frame_bytes) != header.frame_hash)
		return false;
	block = malloc(header.bytes + 1);
	if (!block)
		return false;
	n = ZSTD_decompress(block, header.bytes, frame, header.frame_bytes);
	if (n == header.bytes && unpack(types, block, n))
		return true;
	types_deinit(types);
	return false;
}

/* ---- writing */

static char *put_array(char *p, const void *data, size_t bytes)
{
	return bytes ? mempcpy(p, data, bytes) : p;
}

static char *pack(const struct types *types, size_t *bytes_ret)
{
	const struct counts counts = {
		.n_records = (uint32_t)types->records.size,
		.n_members = (uint32_t)types->members.size,
		.n_variables = (uint32_t)types->variables.size,
		.n_functions = (uint32_t)types->functions.size,
		.strings_bytes = (uint32_t)types->strings.text.size,
		.n_btf = types->n_btf,
		.has_btf = types->has_btf,
	};
	char *block, *p;

	*bytes_ret = block_bytes(&counts);
	block = p = malloc(*bytes_ret);
	if (!block)
		return NULL;
	p = put_array(p, &counts, sizeof(counts));
	p = put_array(p, types->records.data,
		      counts.n_records * sizeof(*types->records.data));
	p = put_array(p, types->members.data,
		      counts.n_members * sizeof(*types->members.data));
	p = put_array(p, types->variables.data,
		      counts.n_variables * sizeof(*types->variables.data));
	p = put_array(p, types->functions.data,
		      counts.n_functions * sizeof(*types->functions.data));
	put_array(p, types->strings.text.data, counts.strings_bytes);
	return block;
}

/* A failure is nobody's concern. */
static void save_file(const struct types *types, const char *path)
{
	struct file_header header = {
		.version = VERSION, .byte_order = BYTE_ORDER_MARK,
	};
	_cleanup_free_ char *block = NULL, *data = NULL;
	size_t bytes, room, n;

	block = pack(types, &bytes);
	if (!block || bytes > MAX_BYTES)
		return;
	room = ZSTD_compressBound(bytes);
	data = malloc(sizeof(header) + room);
	if (!data)
		return;
	n = ZSTD_compress(data + sizeof(header), room, block, bytes, ZSTD_LEVEL);
	if (ZSTD_isError(n))
		return;
	memcpy(header.magic, magic, sizeof(magic));
	header.bytes = bytes;
	header.frame_bytes = n;
	header.frame_hash = hash_words(data + sizeof(header), n);
	memcpy(data, &header, sizeof(header));
	cache_write(path, data, sizeof(header) + n);
}

/* ---- out of a vmlinux */

static struct kml_error *add_btf_section(struct types *types,
					 const struct elf_file *file)
{
	_cleanup_free_ void *owned = NULL;
	struct types_btf btf = { 0 };
	struct kml_error *error;
	Elf_Scn *scn = NULL;
	const uint8_t *data;
	const char *name;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(file->elf, scn))) {
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS)
			continue;
		name = elf_strptr(file->elf, file->shstrndx, shdr.sh_name);
		if (!name || strcmp(name, ".BTF"))
			continue;
		error = elf_file_section(file, scn, &data, &btf.bytes, &owned);
		if (error)
			return error;
		btf.data = data;
		return types_add_btf(types, &btf);
	}
	return NULL;
}

/* What is damaged or lacking leaves fewer types, no error. */
static struct kml_error *forgive(struct kml_error *error)
{
	enum kml_code code = kml_error_code(error);

	if (code != KML_ERR_CORRUPT && code != KML_ERR_DEBUGINFO &&
	    code != KML_ERR_UNSUPPORTED)
		return error;
	kml_error_destroy(error);
	return NULL;
}

static struct kml_error *read_vmlinux(struct types *types, const char *path)
{
	struct elf_file file;
	struct kml_error *error = elf_file_open(path, false, &file);

	if (error)
		return forgive(error);
	error = forgive(add_btf_section(types, &file));
	if (!error)
		error = types_seal(types); /* DWARF refers to BTF's by name */
	if (!error)
		error = forgive(types_add_dwarf(types, &file));
	elf_file_close(&file);
	return error;
}

struct kml_error *types_load(struct types *types, const struct profile *profile,
			     const char *cache_dir)
{
	_cleanup_free_ char *cache = NULL;
	struct kml_error *error = NULL;
	const uint8_t *build_id;
	const char *vmlinux;
	size_t bytes;

	types_init(types);
	build_id = profile_build_id(profile, &bytes);
	cache = cache_path(cache_dir, build_id, bytes, SUFFIX);
	if (cache && load_file(types, cache))
		return types_seal(types);
	if (!vec_add(&types->records))
		return error_nomem();
	vmlinux = profile_vmlinux(profile);
	if (vmlinux) {
		error = read_vmlinux(types, vmlinux);
		if (!error && cache && types->records.size > 1)
			save_file(types, cache);
	}
	return error ? error : types_seal(types);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

struct kml_error *types_load_module(struct types *types,
				    const struct elf_file *file,
				    const char *cache_dir)
{
	_cleanup_free_ char *cache = cache_path(cache_dir, file->build_id,
						file->build_id_bytes, SUFFIX);
	struct kml_error *error;
	double start = now();

	types_init(types);
	if (cache && load_file(types, cache))
		return NULL;
	if (!vec_add(&types->records))
		return error_nomem();
	error = forgive(types_add_dwarf(types, file));
	if (error)
		types_deinit(types);
	else if (cache && types->records.size > 1 &&
		 now() - start >= MIN_SECONDS)
		save_file(types, cache);
	return error;
}
