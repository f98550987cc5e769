// SPDX-License-Identifier: GPL-2.0-or-later
/* Symbols and sections out of the ELF file. */
#include <string.h>

#include "base/util.h"
#include "debuginfo/elf_file.h"

/*
 * Symbols that nobody asks for and that would hide others: the compiler's
 * labels, what a module's export or initcall is recorded with (tens of
 * thousands in a stock vmlinux), and the padding in front of functions.  (One
 * of the last is kept: it shows how long they are.)
 */
static const char *const useless_prefixes[] = {
	".L", "__ksymtab_", "__kstrtab", "__crc_", "__pfx_", "__initcall__",
	"__export_symbol_",
};

static bool is_useless(const char *name)
{
	size_t i;

	if (!name[0])
		return true;
	if (!strcmp(name, "__pfx_start_kernel"))
		return false;
	for (i = 0; i < ARRAY_SIZE(useless_prefixes); i++)
		if (!strncmp(name, useless_prefixes[i],
			     strlen(useless_prefixes[i])))
			return true;
	return false;
}

static bool is_wanted(const GElf_Sym *sym)
{
	int type = GELF_ST_TYPE(sym->st_info);

	return sym->st_shndx != SHN_UNDEF &&
	       (type == STT_FUNC || type == STT_OBJECT || type == STT_NOTYPE ||
		type == STT_GNU_IFUNC);
}

static struct kml_error *add_symbol(const struct elf_file *file, size_t strtab,
				    const GElf_Sym *sym,
				    struct profile_draft *draft)
{
	const char *name = elf_strptr(file->elf, strtab, sym->st_name);
	int type = GELF_ST_TYPE(sym->st_info);
	struct symbol_draft symbol = {
		.address = sym->st_value,
		.size = (uint32_t)MIN(sym->st_size, (uint64_t)UINT32_MAX),
		.local = GELF_ST_BIND(sym->st_info) == STB_LOCAL,
		.typed = type != STT_NOTYPE,
		.placed = sym->st_shndx != SHN_ABS,
	};

	if (!name || is_useless(name))
		return NULL;
	if (!string_pool_add(&draft->strings, name, &symbol.name) ||
	    !vec_push(&draft->symbols, symbol))
		return error_nomem();
	return NULL;
}

static Elf_Scn *find_symtab(const struct elf_file *file, GElf_Shdr *shdr_ret)
{
	Elf_Scn *scn = NULL;

	while ((scn = elf_nextscn(file->elf, scn)))
		if (gelf_getshdr(scn, shdr_ret) &&
		    shdr_ret->sh_type == SHT_SYMTAB)
			return scn;
	return NULL;
}

struct kml_error *elf_file_symbols(const struct elf_file *file,
				   struct profile_draft *draft)
{
	struct kml_error *error;
	Elf_Data *data;
	GElf_Shdr shdr;
	Elf_Scn *scn = find_symtab(file, &shdr);
	GElf_Sym sym;
	size_t i, n;

	if (!scn)
		return error_new(KML_ERR_DEBUGINFO, "'%s' has no symbol table",
				 file->name);
	data = elf_getdata(scn, NULL);
	if (!data || !data->d_buf)
		return error_new(KML_ERR_CORRUPT,
				 "the symbol table of '%s' is damaged",
				 file->name);
	n = data->d_size / sizeof(Elf64_Sym);
	for (i = 1; i < n && i < INT32_MAX; i++) {
		if (!gelf_getsym(data, (int)i, &sym) || !is_wanted(&sym))
			continue;
		error = add_symbol(file, shdr.sh_link, &sym, draft);
		if (error)
			return error;
	}
	return NULL;
}

/* A table of places in the code that hold the pointer NAME, each relative to
 * its entry. */
#define PATCHED_PREFIX "runtime_ptr_"

static struct kml_error *add_patched(const struct elf_file *file, Elf_Scn *scn,
				     uint64_t address, uint32_t name,
				     struct profile_draft *draft)
{
	struct section_record record = {
		.name = name, .size = 8, .flags = SECTION_PATCHED,
	};
	_cleanup_free_ void *owned = NULL;
	const uint8_t *table;
	struct kml_error *error;
	size_t bytes, i;

	error = elf_file_section(file, scn, &table, &bytes, &owned);
	if (error)
		return error;
	for (i = 0; i + 4 <= bytes; i += 4) {
		record.address = address + i +
				 (uint64_t)(int64_t)(int32_t)load_u32(table + i);
		if (!vec_push(&draft->sections, record))
			return error_nomem();
	}
	return NULL;
}

struct kml_error *elf_file_sections(const struct elf_file *file,
				    struct profile_draft *draft)
{
	struct section_record record = { 0 };
	struct kml_error *error;
	Elf_Scn *scn = NULL;
	const char *name;
	GElf_Shdr shdr;

	while ((scn = elf_nextscn(file->elf, scn))) {
		if (!gelf_getshdr(scn, &shdr) || !shdr.sh_size ||
		    !(shdr.sh_flags & SHF_ALLOC))
			continue;
		name = elf_strptr(file->elf, file->shstrndx, shdr.sh_name);
		record.address = shdr.sh_addr;
		record.size = shdr.sh_size;
		record.flags = (shdr.sh_flags & SHF_WRITE ?
					SECTION_WRITABLE : 0) |
			       (shdr.sh_flags & SHF_EXECINSTR ?
					SECTION_EXECUTABLE : 0);
		if (!string_pool_add(&draft->strings, name ? name : "",
				     &record.name) ||
		    !vec_push(&draft->sections, record))
			return error_nomem();
		/* A file of debuginfo alone has no contents of it. */
		if (!name || shdr.sh_type == SHT_NOBITS ||
		    strncmp(name, PATCHED_PREFIX, strlen(PATCHED_PREFIX)))
			continue;
		error = add_patched(file, scn, shdr.sh_addr, record.name, draft);
		if (error)
			return error;
	}
	return NULL;
}
