// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Modules are relocatable files: what their DWARF says of another section, the
 * offset of a name or the address of a variable, is in relocations.  Where a
 * section will be is not known, so that of the memory is taken for its number
 * in the upper half of an address.
 */
#include "debuginfo/elf_file.h"

#include <string.h>

#include "base/util.h"

struct symbol_table {
	const uint8_t *data;
	size_t n;
	void *owned;
};

static struct kml_error *damaged(const struct elf_file *file)
{
	return error_new(KML_ERR_CORRUPT, "the relocations of '%s' are damaged",
			 file->name);
}

/* The relocations of @scn from @from on; NULL: no more. */
static Elf_Scn *next_relocations(const struct elf_file *file, Elf_Scn *scn,
				 Elf_Scn *from, GElf_Shdr *shdr)
{
	while ((from = elf_nextscn(file->elf, from)))
		if (gelf_getshdr(from, shdr) && shdr->sh_type == SHT_RELA &&
		    shdr->sh_info == elf_ndxscn(scn))
			return from;
	return NULL;
}

bool elf_has_relocations(const struct elf_file *file, Elf_Scn *scn)
{
	GElf_Shdr shdr;

	return file->is_relocatable &&
	       next_relocations(file, scn, NULL, &shdr);
}

static struct kml_error *load_symbols(const struct elf_file *file, size_t index,
				      struct symbol_table *ret)
{
	Elf_Scn *scn = elf_getscn(file->elf, index);
	struct kml_error *error;
	GElf_Shdr shdr;
	size_t bytes;

	if (!index || !scn || !gelf_getshdr(scn, &shdr) ||
	    shdr.sh_type != SHT_SYMTAB)
		return damaged(file);
	error = elf_file_section(file, scn, &ret->data, &bytes, &ret->owned);
	ret->n = error ? 0 : bytes / sizeof(Elf64_Sym);
	return error;
}

static bool in_memory(const struct elf_file *file, uint32_t section)
{
	Elf_Scn *scn = section && section < SHN_LORESERVE ?
			       elf_getscn(file->elf, section) :
			       NULL;
	GElf_Shdr shdr;

	return scn && gelf_getshdr(scn, &shdr) && shdr.sh_flags & SHF_ALLOC;
}

/* False: it is of another module, or of the kernel. */
static bool symbol_value(const struct elf_file *file, const Elf64_Sym *symbol,
			 uint64_t *ret)
{
	if (symbol->st_shndx == SHN_UNDEF || symbol->st_shndx == SHN_COMMON)
		return false;
	*ret = symbol->st_value;
	if (in_memory(file, symbol->st_shndx))
		*ret += (uint64_t)symbol->st_shndx << ELF_SECTION_SHIFT;
	return true;
}

static struct kml_error *apply(const struct elf_file *file,
			       const struct symbol_table *symbols,
			       const Elf64_Rela *rela, uint8_t *data,
			       size_t bytes)
{
	uint32_t type = ELF64_R_TYPE(rela->r_info);
	uint64_t index = ELF64_R_SYM(rela->r_info), value;
	size_t n = type == R_X86_64_64 ? 8 : 4;
	Elf64_Sym symbol;

	if (type != R_X86_64_64 && type != R_X86_64_32 && type != R_X86_64_32S)
		return NULL; /* of code, or of nothing that is read */
	if (index >= symbols->n || rela->r_offset > bytes ||
	    bytes - rela->r_offset < n)
		return damaged(file);
	memcpy(&symbol, symbols->data + index * sizeof(symbol), sizeof(symbol));
	value = UINT64_MAX; /* nowhere */
	if (symbol_value(file, &symbol, &value))
		value += (uint64_t)rela->r_addend;
	memcpy(data + rela->r_offset, &value, n);
	return NULL;
}

static struct kml_error *apply_all(const struct elf_file *file, Elf_Scn *scn,
				   const GElf_Shdr *shdr, uint8_t *data,
				   size_t bytes)
{
	_cleanup_free_ void *owned = NULL;
	struct symbol_table symbols = { 0 };
	struct kml_error *error;
	const uint8_t *relas;
	size_t relas_bytes, i;
	Elf64_Rela rela;

	error = elf_file_section(file, scn, &relas, &relas_bytes, &owned);
	if (!error)
		error = load_symbols(file, shdr->sh_link, &symbols);
	for (i = 0; !error && i < relas_bytes / sizeof(rela); i++) {
		memcpy(&rela, relas + i * sizeof(rela), sizeof(rela));
		error = apply(file, &symbols, &rela, data, bytes);
	}
	free(symbols.owned);
	return error;
}

struct kml_error *elf_relocate(const struct elf_file *file, Elf_Scn *scn,
			       uint8_t *data, size_t bytes)
{
	struct kml_error *error = NULL;
	Elf_Scn *relocations = NULL;
	GElf_Shdr shdr;

	while (!error && (relocations = next_relocations(file, scn, relocations,
							 &shdr)))
		error = apply_all(file, relocations, &shdr, data, bytes);
	return error;
}

static bool each_symbol(const struct elf_file *file,
			const struct symbol_table *symbols, size_t strings,
			elf_symbol_fn *fn, void *arg)
{
	Elf64_Sym symbol;
	const char *name;
	size_t i;

	for (i = 1; i < symbols->n; i++) {
		memcpy(&symbol, symbols->data + i * sizeof(symbol),
		       sizeof(symbol));
		if (!symbol.st_name || !in_memory(file, symbol.st_shndx))
			continue;
		name = elf_strptr(file->elf, strings, symbol.st_name);
		if (name && name[0] &&
		    !fn(arg, name, symbol.st_shndx, symbol.st_value))
			return false;
	}
	return true;
}

bool elf_module_symbols(const struct elf_file *file, elf_symbol_fn *fn,
			void *arg)
{
	struct symbol_table symbols = { 0 };
	struct kml_error *error;
	Elf_Scn *scn = NULL;
	bool good = true;
	GElf_Shdr shdr;

	while (good && (scn = elf_nextscn(file->elf, scn))) {
		if (!gelf_getshdr(scn, &shdr) || shdr.sh_type != SHT_SYMTAB)
			continue;
		error = load_symbols(file, elf_ndxscn(scn), &symbols);
		if (!error)
			good = each_symbol(file, &symbols, shdr.sh_link, fn, arg);
		kml_error_destroy(error);
		free(take_ptr(symbols.owned));
	}
	return good;
}
