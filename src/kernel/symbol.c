// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/symbol.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* Elf64_Sym: st_name at 0, st_shndx at 6, st_value at 8, 24 bytes in all */
#define SYMBOL_BYTES 24u

/* As find_kallsyms_symbol() of the kernel does it, which takes a symbol to end
 * at the next one or where the text ends. */
static bool module_symbolize(struct kernel *kernel,
			     const struct kernel_module *module, uint64_t va,
			     struct kernel_symbol_name *ret)
{
	uint64_t bytes = (uint64_t)module->n_symbols * SYMBOL_BYTES, i;
	_cleanup_error_ struct kml_error *error = NULL;
	_cleanup_free_ char *table = malloc(bytes + 1);
	uint64_t best = 0, next = module->base_va + module->text_bytes;
	uint32_t name = 0;

	if (!table || !bytes)
		return false;
	error = image_read_va(kernel->image, module->symtab_va, table, bytes);
	if (error)
		return false;
	for (i = 1; i < module->n_symbols; i++) {
		const char *symbol = table + i * SYMBOL_BYTES;
		uint64_t value = load_u64(symbol + 8);

		if (!load_u32(symbol) || !load_u16(symbol + 6) ||
		    value < module->base_va)
			continue;
		if (value > va) {
			next = MIN(next, value);
		} else if (value > best) {
			best = value;
			name = load_u32(symbol);
		}
	}
	if (!best)
		return false;
	error = kernel_read_string(kernel, module->strtab_va + name, ret->name,
				   sizeof(ret->name));
	ret->offset = va - best;
	ret->bytes = next - best;
	ret->module = module->name;
	return !error && ret->name[0];
}

#define MAX_PADDING 64u

/* How long the symbols are that precede functions since Linux 6.2
 * (b341b20d648b), __pfx_NAME; 0 if there are none. */
static uint64_t prefix_bytes(const struct kernel *kernel)
{
	uint64_t prefix, start;

	if (!profile_symbol(kernel->profile, "__pfx_start_kernel", &prefix,
			    NULL) ||
	    !profile_symbol(kernel->profile, "start_kernel", &start, NULL) ||
	    start - prefix > MAX_PADDING)
		return 0;
	return start - prefix;
}

/* Up to the next symbol, of which the prefix is the first one.  Several static
 * functions may share a name: then the size is another's. */
static uint64_t symbol_bytes(const struct kernel *kernel, const char *name,
			     uint64_t start, uint64_t bytes)
{
	uint64_t prefix = prefix_bytes(kernel), address, own;

	if (bytes < prefix ||
	    (profile_symbol(kernel->profile, name, &address, &own) &&
	     address == start && own > bytes - prefix))
		return bytes;
	return bytes - prefix;
}

bool kernel_symbolize(struct kernel *kernel, uint64_t va,
		      struct kernel_symbol_name *ret)
{
	const char *name;
	size_t i;

	for (i = 0; i < kernel->modules.size; i++) {
		const struct kernel_module *module = &kernel->modules.data[i];

		if (va - module->base_va < module->bytes)
			return module_symbolize(kernel, module, va, ret);
	}
	if (va < kernel->image_va || va >= kernel->modules_va)
		return false;
	ret->module = NULL;
	ret->bytes = 0;
	va -= kernel->kaslr_offset;
	if (profile_kallsyms(kernel->profile, va, &name, &ret->offset,
			     &ret->bytes))
		ret->bytes = symbol_bytes(kernel, name, va - ret->offset,
					  ret->bytes);
	else if (!profile_symbolize(kernel->profile, va, &name, &ret->offset))
		return false;
	snprintf(ret->name, sizeof(ret->name), "%s", name);
	return true;
}

void kernel_format_symbol(struct kernel *kernel, uint64_t va, char *ret,
			  size_t bytes)
{
	struct kernel_symbol_name symbol;

	if (!kernel_symbolize(kernel, va, &symbol))
		snprintf(ret, bytes, "0x%016" PRIx64, va);
	else if (symbol.module)
		snprintf(ret, bytes, "%s+0x%" PRIx64 " [%s]", symbol.name,
			 symbol.offset, symbol.module);
	else
		snprintf(ret, bytes, "%s+0x%" PRIx64, symbol.name,
			 symbol.offset);
}
