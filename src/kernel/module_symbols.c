// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/module_symbols.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* Elf64_Sym: st_name at 0, st_shndx at 6, st_value at 8, st_size at 16 */
#define SYMBOL_BYTES 24u
/* Symbols that begin at or before an address and do not reach it. */
#define MAX_STEPS_BACK 64u

static int compare_symbols(const void *a, const void *b)
{
	const struct module_symbol *x = a, *y = b;

	if (x->va != y->va)
		return x->va < y->va ? -1 : 1;
	if (x->bytes != y->bytes)
		return x->bytes > y->bytes ? -1 : 1;
	return (x->name_va > y->name_va) - (x->name_va < y->name_va);
}

/* Where the table has no size, a symbol ends at the next one. */
static void set_sizes(struct module_symbols *symbols)
{
	uint64_t next = UINT64_MAX, va = UINT64_MAX;
	size_t i;

	for (i = symbols->symbols.size; i > 0; i--) {
		struct module_symbol *symbol = &symbols->symbols.data[i - 1];

		if (symbol->va != va)
			next = va;
		va = symbol->va;
		if (!symbol->bytes)
			symbol->bytes = next - va;
	}
}

struct kml_error *module_symbols_load(struct kernel *kernel,
				      const struct kernel_module *module,
				      struct module_symbols *ret)
{
	uint64_t bytes = (uint64_t)module->n_symbols * SYMBOL_BYTES, i;
	_cleanup_free_ char *table = malloc(bytes + 1);
	struct kml_error *error;

	memset(ret, 0, sizeof(*ret));
	if (!table)
		return error_nomem();
	if (!bytes)
		return NULL;
	error = image_read_va(kernel->image, module->symtab_va, table, bytes);
	if (error)
		return kernel_forgive(kernel, error, "symbols of modules",
				      module->symtab_va);
	for (i = 1; i < module->n_symbols; i++) {
		const char *symbol = table + i * SYMBOL_BYTES;
		const struct module_symbol found = {
			.va = load_u64(symbol + 8),
			.bytes = load_u64(symbol + 16),
			.name_va = module->strtab_va + load_u32(symbol),
		};

		if (!load_u32(symbol) || !load_u16(symbol + 6))
			continue;
		if (!vec_push(&ret->symbols, found)) {
			module_symbols_deinit(ret);
			return error_nomem();
		}
	}
	if (ret->symbols.size)
		qsort(ret->symbols.data, ret->symbols.size,
		      sizeof(*ret->symbols.data), compare_symbols);
	set_sizes(ret);
	return NULL;
}

void module_symbols_deinit(struct module_symbols *symbols)
{
	vec_deinit(&symbols->symbols);
}

const struct module_symbol *
module_symbols_find(const struct module_symbols *symbols, uint64_t va)
{
	size_t lo = 0, hi = symbols->symbols.size, steps;
	const struct module_symbol *symbol, *found = NULL;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (symbols->symbols.data[mid].va <= va)
			lo = mid + 1;
		else
			hi = mid;
	}
	for (steps = 0; lo > 0 && steps < MAX_STEPS_BACK; lo--, steps++) {
		symbol = &symbols->symbols.data[lo - 1];
		if (found && symbol->va != found->va)
			break;
		if (va - symbol->va < symbol->bytes)
			found = symbol;
	}
	return found;
}
