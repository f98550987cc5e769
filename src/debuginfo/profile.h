/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A profile: all that the analysis needs to know of one kernel build.
 *
 *  - layouts: members of the structs that profile_types.c lists, anonymous
 *    members flattened, and enumerators;
 *  - symbols: vmlinux' symbol table, link-time addresses;
 *  - sections: name, link-time address, size of the allocated ones.
 *
 * It comes from a vmlinux through libdwarf and libelf, from the layout cache,
 * or from a file that `kmlanalyze profile` wrote; the last two are the same
 * zstd-compressed, checksummed format.  Immutable and free of locks once it
 * is open.
 */
#ifndef KML_DEBUGINFO_PROFILE_H
#define KML_DEBUGINFO_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct profile;

struct profile_options {
	const char *path;        /* vmlinux (ELF or .zst of one) or profile;
				    NULL: found by build-id and release */
	const char *cache_dir;   /* NULL: $XDG_CACHE_HOME/kmlanalyze or
				    ~/.cache/kmlanalyze; "": no cache */
	const uint8_t *build_id; /* of the dump; NULL: unknown */
	size_t build_id_bytes;
	const char *release;     /* of the dump; NULL: unknown */
	bool force;              /* accept another build-id; see ->mismatch */
};

/* Fails with KML_ERR_DEBUGINFO (not found, or no DWARF), KML_ERR_BUILDID,
 * KML_ERR_FORMAT, KML_ERR_CORRUPT, KML_ERR_OS.  A cache that cannot be read
 * or written is never an error. */
struct kml_error *profile_open(const struct profile_options *options,
			       struct profile **ret) error_must_check;
void profile_close(struct profile *profile);

/* Write it as a file; to a temporary name first, then renamed. */
struct kml_error *profile_write(const struct profile *profile,
				const char *path) error_must_check;

/*
 * All that is in it, as bytes that profile_attach() takes, owned by the
 * profile: to be part of a larger file on this kind of machine.
 */
const void *profile_bytes(const struct profile *profile, size_t *bytes_ret);
/* Make a profile of these; takes over @block, which was malloc()ed, if it
 * succeeds.  @source, "vmlinux", "cache" or "profile", @vmlinux (NULL: unknown)
 * and @mismatch are what the functions below are to say.  KML_ERR_CORRUPT. */
struct kml_error *profile_attach(void *block, size_t bytes, const char *source,
				 const char *vmlinux, bool mismatch,
				 struct profile **ret) error_must_check;

/* The path of the vmlinux as it was given or found; NULL if that is none that
 * profile_vmlinux() would return as it is. */
const char *profile_path(const struct profile *profile);

/* Where the vmlinux is (for libdrgn), NULL if only a profile was given or it
 * is gone.  A compressed one is decompressed at the first call, into memory:
 * the path is then good until profile_close(), in this process. */
const char *profile_vmlinux(const struct profile *profile);
/* "vmlinux", "cache" or "profile": where the contents came from. */
const char *profile_source(const struct profile *profile);
const uint8_t *profile_build_id(const struct profile *profile,
				size_t *bytes_ret);
/* True if the build-ids differ and options.force let it pass. */
bool profile_mismatch(const struct profile *profile);

enum profile_kind {
	PROFILE_INTEGER, /* also enum, bool, char, float */
	PROFILE_POINTER,
	PROFILE_STRUCT,  /* also union */
	PROFILE_OTHER,   /* function, void, unknown */
};

struct profile_member {
	uint64_t offset;      /* bytes from the start of the outermost type */
	uint64_t size;        /* bytes; of a whole array; 0: open-ended array */
	uint32_t bit_offset;  /* of a bit field, in the integer of size bytes
				 at offset: from its least significant bit */
	uint32_t bit_size;    /* 0: no bit field */
	uint64_t count;       /* array elements (of all dimensions); 0: none */
	enum profile_kind kind; /* of the element type for an array */
	bool is_signed;
	const char *type_name;  /* struct, union, typedef or base type's name,
				   of the pointee for a pointer; "" if none */
};

/*
 * A member by path: profile_member(p, "task_struct", "thread.sp", &m).  Type
 * names go without "struct"/"union".  Members of anonymous structs and unions
 * are found directly, those of named ones by a path: the types that a type
 * embeds are known as well.  A path through an array leads to its first
 * element.  But for an open-ended array's, offset + size is within the type.
 */
bool profile_member(const struct profile *profile, const char *type,
		    const char *path, struct profile_member *ret);

/* Size of a struct, union or typedef; false if it is unknown. */
bool profile_type_size(const struct profile *profile, const char *type,
		       uint64_t *ret);

/* An enumerator of any enum: profile_enumerator(p, "PG_slab", &v). */
bool profile_enumerator(const struct profile *profile, const char *name,
			int64_t *ret);

/* The Nth member of a type, in order of offset; false behind the last. */
bool profile_nth_member(const struct profile *profile, const char *type,
			size_t n, const char **name_ret,
			struct profile_member *ret);

/* A symbol's link-time address (the first of that name, global ones first);
 * @size_ret may be NULL. */
bool profile_symbol(const struct profile *profile, const char *name,
		    uint64_t *address_ret, uint64_t *size_ret);

/* The symbol that a link-time address lies in: inside its size, or, where it
 * has none, below the next symbol of its section. */
bool profile_symbolize(const struct profile *profile, uint64_t address,
		       const char **name_ret, uint64_t *offset_ret);

/*
 * A link-time address of code as the kernel's own kallsyms names it: by the
 * nearest symbol at or below it, labels within functions included, which ends
 * where the next one begins.  False if the address is in no code.
 */
bool profile_kallsyms(const struct profile *profile, uint64_t address,
		      const char **name_ret, uint64_t *offset_ret,
		      uint64_t *bytes_ret);

struct profile_section {
	const char *name;
	uint64_t address; /* link-time */
	uint64_t size;
	bool writable, executable;
	/* No section, but one pointer that the kernel patches into its code
	 * at boot (runtime_const_init(), since Linux 6.11, e3c92e81711d). */
	bool patched;
};
const struct profile_section *profile_sections(const struct profile *profile,
					       size_t *n_ret);

#endif
