/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All types of a kernel, where a profile has just the layouts that the
 * analysis itself needs: every struct with its members, and of which type the
 * kernel's variables and functions are.
 *
 * Types are numbers; 0 is void, and what is not known.  Typedefs and
 * qualifiers are seen through: whatever names a type here names what it is.
 *
 * They come from BTF (the vmlinux' .BTF section, or the same bytes in the
 * dump; each module's in the dump) and, for the variables, and all of it where
 * there is no BTF, from DWARF.  What was read of a vmlinux is kept in a cache,
 * as reading its DWARF takes seconds.  Filled by one thread; from types_seal()
 * on it is immutable.
 */
#ifndef KML_DEBUGINFO_TYPES_H
#define KML_DEBUGINFO_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"
#include "debuginfo/strings.h"

struct elf_file;
struct profile;

enum type_kind {
	TYPE_VOID,
	TYPE_INTEGER,  /* also bool, enum, float */
	TYPE_POINTER,  /* to .target */
	TYPE_ARRAY,    /* of .count .target; 0: open-ended */
	TYPE_STRUCT,
	TYPE_UNION,
	TYPE_FUNCTION,
	TYPE_OPAQUE,   /* a struct that is not defined anywhere */
	TYPE_ALIAS,    /* typedef or qualifier of .target; never handed out */
	TYPE_KINDS,
};

struct type_info {
	uint32_t name; /* offset into the strings; 0: it has none */
	uint32_t size; /* bytes */
	uint32_t target;
	uint32_t count; /* of a function: 0 */
	uint32_t first_member, n_members;
	uint32_t kind; /* enum type_kind */
};

struct type_member {
	uint32_t name;
	uint32_t type;
	uint32_t offset; /* bytes */
	uint32_t bits;   /* 0: no bit field */
};

/* A module's per-cpu variable is at its per-cpu pointer, marked by a bit: these
 * may be any number since Linux 6.15 (9d7de2aa8b41), that of another variable
 * of the kernel. */
#define TYPES_PERCPU (UINT64_C(1) << 62)

struct type_variable {
	uint64_t address; /* at link time; of a module: where it is, less what
			     KASLR has moved the kernel by */
	uint32_t type;
	uint32_t name;
};

/* Types that one of the kernel's modules has brought along. */
struct type_range {
	uint32_t module; /* index */
	uint32_t first, end;
	bool named; /* the user named the module's file */
};

struct type_function {
	uint32_t name;
	uint32_t type; /* TYPE_FUNCTION */
};

/* A pointer in a struct, those of nested structs and arrays included. */
struct type_pointer {
	uint32_t offset;
	uint32_t target; /* what it points to; 0: void, or nothing known */
	bool overlaid;   /* in a union */
};

struct type_pointers {
	struct type_pointer *pointers; /* by offset */
	uint32_t n;
	bool open;  /* ends with an open-ended array */
	bool built;
	bool cut;   /* there are more than were listed */
	uint64_t *integers; /* a bit per word that no pointer can be in */
	uint32_t n_words;
};

struct types {
	struct string_pool strings;
	VEC(struct type_info) records;
	VEC(struct type_member) members;
	VEC(struct type_variable) variables; /* by address, once sealed */
	VEC(struct type_function) functions; /* by name, once sealed */
	VEC(struct type_range) ranges; /* by .first */
	uint32_t n_btf; /* of records: those of the kernel's BTF come first */
	uint32_t *by_name; /* structs, unions and opaque ones */
	uint32_t n_by_name;
	bool has_btf, has_variables;
	struct type_pointers *pointers; /* by type, made when asked for */
	size_t n_pointers;
};

void types_init(struct types *types);
void types_deinit(struct types *types);

/*
 * Add the types of a .BTF section: of the kernel's own first, into empty types;
 * then those of modules, whose numbers, and offsets of names, go on from the
 * kernel's.  KML_ERR_CORRUPT, and nothing added, if it is damaged.
 */
struct types_btf {
	const void *data;
	size_t bytes;
	const void *base_strings; /* NULL: it is the kernel's own */
	size_t base_strings_bytes;
	uint32_t n_base; /* types of the kernel's own, void included */
};
struct kml_error *types_add_btf(struct types *types,
				const struct types_btf *btf) error_must_check;
/* The names of a .BTF section and the number of its types; false: damaged. */
bool types_btf_strings(const void *data, size_t bytes, const void **ret,
		       size_t *bytes_ret);

/* Add the types of variables from DWARF, and of all else that is missing. */
struct kml_error *types_add_dwarf(struct types *types,
				  const struct elf_file *file)
	error_must_check;

/* What was added since there were @first records came with a module. */
struct kml_error *types_note_module(struct types *types, uint32_t module,
				    size_t first, bool named)
	error_must_check;

/* Sort what is looked up; to be called again after more was added. */
struct kml_error *types_seal(struct types *types) error_must_check;

/*
 * The types of the profile's kernel: from the cache, or from its vmlinux;
 * empty without either.  Sealed.
 */
struct kml_error *types_load(struct types *types,
			     const struct profile *profile,
			     const char *cache_dir) error_must_check;

/*
 * Of all types those with @number[type] that is not 0, and what is in them: as
 * much as types_get(), types_name() and types_path() ask.  Sets
 * @number[type] to their numbers in the part.
 */
struct kml_error *types_part(const struct types *types, uint32_t *number,
			     struct types *ret) error_must_check;

/*
 * The types of a module out of its own file, or of the cache; addresses of
 * variables are elf_relocate()'s.  Not sealed; empty where there is no DWARF.
 */
struct kml_error *types_load_module(struct types *types,
				    const struct elf_file *file,
				    const char *cache_dir) error_must_check;

/* The types that there are, to be found by what they are. */
struct types_index;
struct kml_error *types_index_create(struct types *types,
				     struct types_index **ret) error_must_check;
void types_index_destroy(struct types_index *index);
/*
 * Add a module's types to sealed ones: those that are not there already, and
 * the variables of sections whose address is known (@bases; UINT64_MAX: not).
 * @index is of @types and kept up to date; types_seal() afterwards.
 */
struct kml_error *types_merge(struct types *types, struct types_index *index,
			      const struct types *from, const uint64_t *bases,
			      size_t n_bases) error_must_check;

/* ---- questions */

static inline const struct type_info *types_get(const struct types *types,
						  uint32_t type)
{
	return &types->records.data[type < types->records.size ? type : 0];
}

/* "list_head"; "" if it has no name. */
const char *types_name(const struct types *types, uint32_t type);

/* A struct or union of that name: the first, and how many there are; 0: none.
 * Others are the following ones of by_name. */
uint32_t types_find(const struct types *types, const char *name,
		    uint32_t *first_ret, uint32_t *n_ret);

/* The same where there is just one; 0: none, or several. */
uint32_t types_find_one(const struct types *types, const char *name);

/* Bytes of a type, arrays multiplied out. */
uint64_t types_bytes(const struct types *types, uint32_t type);

static inline bool types_is_struct(const struct types *types, uint32_t type)
{
	uint32_t kind = types_get(types, type)->kind;

	return kind == TYPE_STRUCT || kind == TYPE_UNION;
}

/* Is a struct not a copy of one that was there before?  See types_seal(). */
bool types_stands(const struct types *types, uint32_t type);

/* The variable that a link-time address lies in; NULL: not known. */
const struct type_variable *types_variable(const struct types *types,
					   uint64_t address);
/* The type of a function; 0: unknown, or several have that name. */
uint32_t types_function(const struct types *types, const char *name);

/* What the pointer at @offset of a type points to: true if there is one there.
 * *@target_ret is 0 where it may be anything. */
bool types_pointer_at(struct types *types, uint32_t type, uint64_t offset,
		      uint32_t *target_ret, bool *overlaid_ret);

/* All its pointers.  NULL: no memory. */
const struct type_pointers *types_pointers(struct types *types, uint32_t type);

/* Is there a @inner at @offset of @outer (or is it that, at 0)? */
bool types_embeds(const struct types *types, uint32_t outer, uint64_t offset,
		  uint32_t inner);

/* The struct that lies at @offset of @type, the outermost that begins there
 * (itself at 0); 0: none does. */
uint32_t types_struct_at(const struct types *types, uint32_t type,
			 uint64_t offset);

/* "se.run_node.rb_left": the member that @offset is in.  False: in none. */
bool types_path(const struct types *types, uint32_t type, uint64_t offset,
		char *ret, size_t bytes);

/* What a word of a type is; of a union's members the last of these. */
enum types_word {
	TYPES_WORD_PADDING, /* in no member */
	TYPES_WORD_NUMBER,
	TYPES_WORD_POINTER, /* or may be one: characters, an open-ended array,
			       what the debuginfo does not tell */
	TYPES_WORD_BEHIND,  /* the type has ended */
};
/* @is_encoded: is this member, an integer, a pointer with flags in it? */
typedef bool types_encoded_fn(const char *type, const char *member);
enum types_word types_word(const struct types *types, uint32_t type,
			   uint64_t offset, types_encoded_fn *is_encoded);

/* A member by path, "d_lockref.count"; members of anonymous ones are found
 * directly.  *@type_ret: its type. */
bool types_member(const struct types *types, uint32_t type, const char *path,
		  uint64_t *offset_ret, uint32_t *type_ret);

/* Where the first @inner is in @outer, 0 if it is that; false: nowhere. */
bool types_find_inner(const struct types *types, uint32_t outer,
		      uint32_t inner, uint64_t *offset_ret);

/* One step down: the type of the member or element that *@offset is in, which
 * becomes the offset in that; 0: of none. */
uint32_t types_step(const struct types *types, uint32_t type,
		    uint64_t *offset);

/* Does it end with an open-ended array, or is it a union? */
bool types_is_open(const struct types *types, uint32_t type);

#endif
