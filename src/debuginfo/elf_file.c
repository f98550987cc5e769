// SPDX-License-Identifier: GPL-2.0-or-later
#include "debuginfo/elf_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

#include "base/util.h"
#include "debuginfo/profile_file.h"

#ifndef ELFCOMPRESS_ZSTD
#define ELFCOMPRESS_ZSTD 2
#endif

/* No vmlinux comes near; a compressed section that claims more is a bomb. */
#define MAX_SECTION_BYTES (UINT64_C(4) << 30)

/* The most that deflate can do. */
#define MAX_DEFLATE_RATIO 1032

/* Where the x86 boot protocol has "HdrS". */
#define BOOT_MAGIC_OFFSET 0x202
#define HEAD_BYTES (BOOT_MAGIC_OFFSET + 4)

static struct kml_error *open_regular(const char *path, int *fd_ret,
				      size_t *bytes_ret)
{
	/* A FIFO must not make us wait. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;

	if (fd < 0)
		return error_os(errno, "cannot open '%s'", path);
	if (fstat(fd, &st)) {
		close(fd);
		return error_os(errno, "cannot open '%s'", path);
	}
	if (!S_ISREG(st.st_mode)) {
		close(fd);
		return error_new(KML_ERR_FORMAT, "'%s' is not a regular file",
				 path);
	}
	*fd_ret = fd;
	*bytes_ret = (size_t)st.st_size;
	return NULL;
}

static enum file_kind kind_of_bytes(const uint8_t *head, size_t bytes)
{
	if (bytes >= SELFMAG && !memcmp(head, ELFMAG, SELFMAG))
		return FILE_ELF;
	if (bytes >= 4 && load_u32(head) == ZSTD_MAGICNUMBER)
		return FILE_ZSTD;
	if (profile_file_is(head, bytes))
		return FILE_PROFILE;
	if (bytes >= HEAD_BYTES && !memcmp(head + BOOT_MAGIC_OFFSET, "HdrS", 4))
		return FILE_VMLINUZ;
	return FILE_OTHER;
}

struct kml_error *file_kind(const char *path, enum file_kind *ret)
{
	_cleanup_close_ int fd = -1;
	uint8_t head[HEAD_BYTES];
	struct kml_error *error;
	size_t bytes;
	ssize_t n;

	error = open_regular(path, &fd, &bytes);
	if (error)
		return error;
	n = pread(fd, head, sizeof(head), 0);
	if (n < 0)
		return error_os(errno, "cannot read '%s'", path);
	*ret = kind_of_bytes(head, (size_t)n);
	return NULL;
}

/* A build-id note among those of @data. */
static bool find_build_id(Elf_Data *data, struct elf_file *file)
{
	size_t at = 0, name_at, desc_at;
	GElf_Nhdr note;

	while ((at = gelf_getnote(data, at, &note, &name_at, &desc_at)) > 0) {
		const char *bytes = data->d_buf;

		if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 ||
		    memcmp(bytes + name_at, "GNU", 4) != 0 ||
		    !note.n_descsz || note.n_descsz > BUILD_ID_MAX)
			continue;
		memcpy(file->build_id, bytes + desc_at, note.n_descsz);
		file->build_id_bytes = note.n_descsz;
		return true;
	}
	return false;
}

static void read_build_id(struct elf_file *file)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	Elf_Data *data;

	while ((scn = elf_nextscn(file->elf, scn))) {
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_NOTE)
			continue;
		data = elf_getdata(scn, NULL);
		if (data && data->d_buf && find_build_id(data, file))
			return;
	}
}

static struct kml_error *check_header(const struct elf_file *file)
{
	GElf_Ehdr ehdr;

	if (elf_kind(file->elf) != ELF_K_ELF ||
	    !gelf_getehdr(file->elf, &ehdr))
		return error_new(KML_ERR_CORRUPT, "ELF file '%s' is damaged",
				 file->name);
	if (ehdr.e_ident[EI_CLASS] != ELFCLASS64 ||
	    ehdr.e_ident[EI_DATA] != ELFDATA2LSB)
		return error_new(KML_ERR_UNSUPPORTED,
				 "'%s' is not of a 64-bit little-endian machine",
				 file->name);
	if (ehdr.e_type == ET_CORE)
		return error_new(KML_ERR_FORMAT,
				 "'%s' is a dump, not a vmlinux", file->name);
	if (file->is_relocatable)
		return ehdr.e_type == ET_REL && ehdr.e_machine == EM_X86_64 ?
			       NULL :
			       error_new(KML_ERR_FORMAT, "'%s' is no module",
					 file->name);
	if (ehdr.e_type != ET_EXEC && ehdr.e_type != ET_DYN)
		return error_new(KML_ERR_FORMAT,
				 "'%s' is not linked, so it is no vmlinux",
				 file->name);
	return NULL;
}

/* The last section header must be there: it is at the end of a vmlinux, so
 * that this finds a file that was cut off. */
static struct kml_error *check_whole(struct elf_file *file)
{
	size_t n_sections, i;
	GElf_Shdr shdr;
	Elf64_Ehdr ehdr;
	Elf_Scn *scn;

	/* libelf shows a file that is too short as one without sections. */
	if (file->bytes >= sizeof(ehdr))
		memcpy(&ehdr, file->map, sizeof(ehdr));
	if (file->bytes < sizeof(ehdr) || ehdr.e_shoff > file->bytes ||
	    ehdr.e_shnum * sizeof(shdr) > file->bytes - ehdr.e_shoff)
		return error_new(KML_ERR_CORRUPT, "ELF file '%s' is cut off",
				 file->name);
	if (elf_getshdrnum(file->elf, &n_sections) ||
	    elf_getshdrstrndx(file->elf, &file->shstrndx))
		return error_new(KML_ERR_CORRUPT, "ELF file '%s' is damaged",
				 file->name);
	for (i = 1; i < n_sections; i++) {
		scn = elf_getscn(file->elf, i);
		if (!scn || !gelf_getshdr(scn, &shdr) ||
		    (shdr.sh_type != SHT_NOBITS &&
		     (shdr.sh_offset > file->bytes ||
		      shdr.sh_size > file->bytes - shdr.sh_offset)))
			return error_new(KML_ERR_CORRUPT,
					 "ELF file '%s' is cut off", file->name);
	}
	return NULL;
}

static struct kml_error *elf_file_map(struct elf_file *file)
{
	struct kml_error *error;
	void *map;

	elf_version(EV_CURRENT);
	map = mmap(NULL, file->bytes, PROT_READ, MAP_PRIVATE, file->fd, 0);
	if (map == MAP_FAILED)
		return error_os(errno, "cannot map '%s'", file->name);
	file->map = map;
	file->elf = elf_memory(map, file->bytes);
	if (!file->elf)
		return error_new(KML_ERR_CORRUPT, "ELF file '%s' is damaged: %s",
				 file->name, elf_errmsg(-1));
	error = check_header(file);
	if (!error)
		error = check_whole(file);
	if (!error)
		read_build_id(file);
	return error;
}

static struct kml_error *open_file(const char *path, bool compressed,
				   bool relocatable, struct elf_file *ret)
{
	struct elf_file file = { .fd = -1, .is_relocatable = relocatable };
	struct kml_error *error;

	file.name = strdup(path);
	if (!file.name)
		return error_nomem();
	if (compressed)
		error = zst_to_memfd(path, &file.fd, &file.bytes);
	else
		error = open_regular(path, &file.fd, &file.bytes);
	if (!error && file.bytes < EI_NIDENT)
		error = error_new(KML_ERR_FORMAT,
				  "'%s' is neither a vmlinux nor a profile",
				  path);
	if (!error)
		error = elf_file_map(&file);
	if (error) {
		elf_file_close(&file);
		return error;
	}
	*ret = file;
	return NULL;
}

struct kml_error *elf_file_open(const char *path, bool compressed,
				struct elf_file *ret)
{
	return open_file(path, compressed, false, ret);
}

struct kml_error *elf_file_open_module(const char *path, struct elf_file *ret)
{
	return open_file(path, false, true, ret);
}

void elf_file_close(struct elf_file *file)
{
	if (file->elf)
		elf_end(file->elf);
	if (file->map)
		munmap(file->map, file->bytes);
	closep(&file->fd);
	free(file->name);
	memset(file, 0, sizeof(*file));
	file->fd = -1;
}

bool elf_file_has_section(const struct elf_file *file, const char *name)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr shdr;
	const char *s;

	while ((scn = elf_nextscn(file->elf, scn))) {
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS ||
		    !shdr.sh_size)
			continue;
		s = elf_strptr(file->elf, file->shstrndx, shdr.sh_name);
		if (s && !strcmp(s, name))
			return true;
	}
	return false;
}

/* The compression header of a section, if it has one; false: damaged. */
static bool section_header(const struct elf_file *file, Elf_Scn *scn,
			   const uint8_t **ret, size_t *bytes_ret,
			   Elf64_Chdr *chdr_ret)
{
	GElf_Shdr shdr;

	if (!gelf_getshdr(scn, &shdr) || shdr.sh_type == SHT_NOBITS ||
	    shdr.sh_offset > file->bytes ||
	    shdr.sh_size > file->bytes - shdr.sh_offset)
		return false;
	*ret = (const uint8_t *)file->map + shdr.sh_offset;
	*bytes_ret = shdr.sh_size;
	memset(chdr_ret, 0, sizeof(*chdr_ret));
	if (!(shdr.sh_flags & SHF_COMPRESSED))
		return true;
	if (shdr.sh_size < sizeof(*chdr_ret))
		return false;
	memcpy(chdr_ret, *ret, sizeof(*chdr_ret));
	*ret += sizeof(*chdr_ret);
	*bytes_ret -= sizeof(*chdr_ret);
	return chdr_ret->ch_type != 0 && chdr_ret->ch_size <= MAX_SECTION_BYTES;
}

bool elf_file_section_bytes(const struct elf_file *file, Elf_Scn *scn,
			    size_t *ret)
{
	const uint8_t *data;
	Elf64_Chdr chdr;
	size_t bytes;

	if (!section_header(file, scn, &data, &bytes, &chdr))
		return false;
	*ret = chdr.ch_type ? chdr.ch_size : bytes;
	return true;
}

/* Can so few bytes become so many?  Asked before there is memory for them. */
static bool is_plausible(const Elf64_Chdr *chdr, const uint8_t *from,
			 size_t from_bytes)
{
	unsigned long long size;

	if (chdr->ch_type == ELFCOMPRESS_ZLIB)
		return chdr->ch_size / MAX_DEFLATE_RATIO <= from_bytes;
	if (chdr->ch_type != ELFCOMPRESS_ZSTD)
		return false;
	size = ZSTD_getFrameContentSize(from, from_bytes);
	return size == chdr->ch_size || size == ZSTD_CONTENTSIZE_UNKNOWN;
}

static bool inflate_section(uint32_t type, const uint8_t *from,
			    size_t from_bytes, uint8_t *to, size_t to_bytes)
{
	uLongf got = to_bytes;

	if (type == ELFCOMPRESS_ZSTD)
		return ZSTD_decompress(to, to_bytes, from, from_bytes) ==
		       to_bytes;
	return uncompress(to, &got, from, from_bytes) == Z_OK &&
	       got == to_bytes;
}

struct kml_error *elf_file_section(const struct elf_file *file, Elf_Scn *scn,
				   const uint8_t **ret, size_t *bytes_ret,
				   void **owned_ret)
{
	_cleanup_free_ uint8_t *owned = NULL;
	const uint8_t *data;
	Elf64_Chdr chdr;
	size_t bytes;

	if (!section_header(file, scn, &data, &bytes, &chdr))
		goto damaged;
	if (chdr.ch_type) {
		if (!is_plausible(&chdr, data, bytes))
			goto damaged;
		owned = malloc(chdr.ch_size ? chdr.ch_size : 1);
		if (!owned)
			return error_nomem();
		if (!inflate_section(chdr.ch_type, data, bytes, owned,
				     chdr.ch_size))
			goto damaged;
		data = owned;
		bytes = chdr.ch_size;
	}
	*owned_ret = take_ptr(owned);
	*ret = data;
	*bytes_ret = bytes;
	return NULL;
damaged:
	return error_new(KML_ERR_CORRUPT, "section %zu of '%s' is damaged",
			 elf_ndxscn(scn), file->name);
}
