// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/symbol.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* Elf64_Sym: st_name at 0, st_shndx at 6, st_value at 8, st_size at 16, 24
 * bytes in all */
#define SYMBOL_BYTES 24u
/* Symbols that begin at or before an address and do not reach it. */
#define MAX_STEPS_BACK 64u

/* A symbol of a module; the name is looked up when it is asked for. */
struct module_symbol {
	uint64_t value, bytes;
	uint32_t name;  /* offset into the module's strtab */
	uint32_t order; /* in the module's symtab */
};

struct module_symbols {
	struct module_symbol *symbols; /* by value */
	uint32_t n;
	bool read, unreadable;
};

/* Made at the first question; each module's symbols at the first about it. */
struct symbol_index {
	struct kernel_module_part *parts; /* by address */
	size_t n_parts;
	struct module_symbols *modules;   /* as kernel.modules */
};

static int compare_parts(const void *a, const void *b)
{
	const struct kernel_module_part *x = a, *y = b;

	if (x->start_va != y->start_va)
		return x->start_va < y->start_va ? -1 : 1;
	return (x->module > y->module) - (x->module < y->module);
}

static struct symbol_index *symbol_index(struct kernel *kernel)
{
	struct symbol_index *index = kernel->symbols;
	size_t i, n = 0;
	unsigned part;

	if (index)
		return index;
	for (i = 0; i < kernel->modules.size; i++)
		n += kernel->modules.data[i].n_parts;
	index = calloc(1, sizeof(*index));
	if (!index)
		return NULL;
	index->parts = calloc(n + 1, sizeof(*index->parts));
	index->modules = calloc(kernel->modules.size + 1,
				sizeof(*index->modules));
	kernel->symbols = index;
	if (!index->parts || !index->modules) {
		kernel_symbols_deinit(kernel);
		return NULL;
	}
	for (i = 0; i < kernel->modules.size; i++) {
		const struct kernel_module *m = &kernel->modules.data[i];

		for (part = 0; part < m->n_parts; part++)
			index->parts[index->n_parts++] =
				(struct kernel_module_part){
					.start_va = m->part_va[part],
					.bytes = m->part_bytes[part],
					.text_bytes = m->part_text_bytes[part],
					.module = m,
				};
	}
	qsort(index->parts, index->n_parts, sizeof(*index->parts),
	      compare_parts);
	return index;
}

void kernel_symbols_deinit(struct kernel *kernel)
{
	struct symbol_index *index = kernel->symbols;
	size_t i;

	if (!index)
		return;
	for (i = 0; index->modules && i < kernel->modules.size; i++)
		free(index->modules[i].symbols);
	free(index->modules);
	free(index->parts);
	free(index);
	kernel->symbols = NULL;
}

const struct kernel_module_part *kernel_module_part(struct kernel *kernel,
						    uint64_t va)
{
	const struct symbol_index *index = symbol_index(kernel);
	size_t lo = partition_point(index ? index->n_parts : 0, mid,
				    index->parts[mid].start_va <= va);

	if (!lo || va - index->parts[lo - 1].start_va >=
			   index->parts[lo - 1].bytes)
		return NULL;
	return &index->parts[lo - 1];
}

static int compare_symbols(const void *a, const void *b)
{
	const struct module_symbol *x = a, *y = b;

	if (x->value != y->value)
		return x->value < y->value ? -1 : 1;
	return (x->order > y->order) - (x->order < y->order);
}

/* What cannot be read has no names. */
static void read_symbols(struct kernel *kernel,
			 const struct kernel_module *module,
			 struct module_symbols *ret)
{
	uint64_t bytes = (uint64_t)module->n_symbols * SYMBOL_BYTES;
	_cleanup_error_ struct kml_error *error = NULL;
	_cleanup_free_ char *table = malloc(bytes + 1);
	uint32_t i;

	ret->read = true;
	if (!table || !bytes)
		return;
	error = image_read_va(kernel->image, module->symtab_va, table, bytes);
	ret->unreadable = error;
	if (error)
		return;
	ret->symbols = malloc(module->n_symbols * sizeof(*ret->symbols));
	if (!ret->symbols)
		return;
	for (i = 1; i < module->n_symbols; i++) {
		const char *symbol = table + (uint64_t)i * SYMBOL_BYTES;

		if (load_u32(symbol) && load_u16(symbol + 6))
			ret->symbols[ret->n++] = (struct module_symbol){
				load_u64(symbol + 8), load_u64(symbol + 16),
				load_u32(symbol), i,
			};
	}
	qsort(ret->symbols, ret->n, sizeof(*ret->symbols), compare_symbols);
}

/* How many symbols have values below @va. */
static uint32_t symbols_below(const struct module_symbols *symbols,
			      uint64_t va)
{
	return partition_point(symbols->n, mid,
			       symbols->symbols[mid].value < va);
}

static struct module_symbols *module_symbols(struct kernel *kernel,
					     struct symbol_index *index,
					     const struct kernel_module *module)
{
	struct module_symbols *symbols =
		&index->modules[module - kernel->modules.data];

	if (!symbols->read)
		read_symbols(kernel, module, symbols);
	return symbols;
}

/* How far a symbol reaches: where the table does not say, up to the next. */
static uint64_t symbol_end(const struct module_symbols *symbols,
			   const struct module_symbol *symbol)
{
	uint32_t next = symbols_below(symbols, symbol->value + 1);

	if (symbol->bytes)
		return symbol->value + symbol->bytes;
	return next < symbols->n ? symbols->symbols[next].value : UINT64_MAX;
}

/* Of those that begin last among the symbols that reach @va the largest, of
 * equal ones the first of the table. */
static const struct module_symbol *
covering_symbol(const struct module_symbols *symbols, uint64_t va)
{
	uint32_t i = va == UINT64_MAX ? symbols->n :
					symbols_below(symbols, va + 1), steps;
	const struct module_symbol *symbol, *found = NULL;

	for (steps = 0; i > 0 && steps < MAX_STEPS_BACK; i--, steps++) {
		symbol = &symbols->symbols[i - 1];
		if (found && symbol->value != found->value)
			break;
		if (va < symbol_end(symbols, symbol) &&
		    (!found || symbol->bytes >= found->bytes))
			found = symbol;
	}
	return found;
}

struct kml_error *kernel_load_module_symbols(struct kernel *kernel,
					     const struct kernel_module *module)
{
	struct symbol_index *index = symbol_index(kernel);

	if (!index)
		return error_nomem();
	if (module_symbols(kernel, index, module)->unreadable)
		return error_at(KML_ERR_NODATA, module->symtab_va,
				"the symbols of module '%s' are not in the dump",
				module->name);
	return NULL;
}

struct kml_error *kernel_module_variable(struct kernel *kernel,
					 const struct kernel_module *module,
					 uint64_t va, bool *found_ret,
					 struct kernel_symbol_name *ret)
{
	struct symbol_index *index = symbol_index(kernel);
	const struct module_symbols *symbols;
	const struct module_symbol *symbol;

	*found_ret = false;
	if (!index)
		return error_nomem();
	symbols = module_symbols(kernel, index, module);
	symbol = covering_symbol(symbols, va);
	if (!symbol)
		return NULL;
	*found_ret = true;
	ret->offset = va - symbol->value;
	ret->bytes = symbol_end(symbols, symbol) - symbol->value;
	ret->module = module->name;
	ret->is_data = true;
	ret->is_behind = false;
	return kernel_read_string(kernel, module->strtab_va + symbol->name,
				  ret->name, sizeof(ret->name));
}

void kernel_module_symbols(struct kernel *kernel,
			   const struct kernel_module *module,
			   kernel_symbol_fn *fn, void *arg)
{
	struct symbol_index *index = symbol_index(kernel);
	const struct module_symbols *symbols;
	struct kernel_symbol_name name;
	struct kml_error *error;
	uint32_t j;

	if (!index)
		return;
	symbols = module_symbols(kernel, index, module);
	for (j = 0; j < symbols->n; j++) {
		error = kernel_read_string(kernel,
					   module->strtab_va +
						   symbols->symbols[j].name,
					   name.name, sizeof(name.name));
		if (!error && name.name[0])
			fn(arg, name.name, symbols->symbols[j].value);
		kml_error_destroy(error);
	}
}

/* As find_kallsyms_symbol() of the kernel does it, which takes a symbol to end
 * at the next one or at @end_va, where the text ends. */
bool kernel_module_symbol(struct kernel *kernel,
			  const struct kernel_module *module,
			  uint64_t start_va, uint64_t end_va, uint64_t va,
			  struct kernel_symbol_name *ret)
{
	struct symbol_index *index = symbol_index(kernel);
	struct kml_error *error;
	struct module_symbols *symbols;
	const struct module_symbol *best;
	uint32_t next;

	if (!index)
		return false;
	symbols = module_symbols(kernel, index, module);
	next = va == UINT64_MAX ? symbols->n : symbols_below(symbols, va + 1);
	if (!next || symbols->symbols[next - 1].value < start_va)
		return false;
	/* Of several with one value the first of the table. */
	best = &symbols->symbols[symbols_below(
		symbols, symbols->symbols[next - 1].value)];
	error = kernel_read_string(kernel, module->strtab_va + best->name,
				   ret->name, sizeof(ret->name));
	if (error) {
		kml_error_destroy(error);
		return false;
	}
	ret->offset = va - best->value;
	ret->bytes = (next < symbols->n ?
			      MIN(end_va, symbols->symbols[next].value) :
			      end_va) -
		     best->value;
	ret->module = module->name;
	ret->is_data = false;
	ret->is_behind = best->bytes && ret->offset >= best->bytes;
	return ret->name[0];
}

static bool module_symbolize(struct kernel *kernel,
			     const struct kernel_module_part *part, uint64_t va,
			     struct kernel_symbol_name *ret)
{
	bool is_data = va - part->start_va >= part->text_bytes;
	uint64_t text_end = part->start_va + part->text_bytes;

	/* Without CONFIG_KALLSYMS_ALL there are no names of variables; but the
	 * kernel itself takes the nearest function for what comes behind. */
	if (!kernel_module_symbol(kernel, part->module, part->start_va,
				  part->text_bytes ?
					  text_end :
					  part->start_va + part->bytes,
				  va, ret))
		return false;
	ret->is_data = is_data;
	return true;
}

/* For one module; what cannot be read cannot be read later. */
static void read_all(struct kernel *kernel, const struct kernel_module *module)
{
	uint64_t bytes = (uint64_t)module->n_symbols * SYMBOL_BYTES, i;
	_cleanup_error_ struct kml_error *error = NULL;
	_cleanup_free_ char *table = malloc(bytes + 1);
	struct kernel_symbol_name name;

	if (!table || !bytes)
		return;
	error = image_read_va(kernel->image, module->symtab_va, table, bytes);
	for (i = 1; !error && i < module->n_symbols; i++)
		kml_error_destroy(kernel_read_string(
			kernel,
			module->strtab_va + load_u32(table + i * SYMBOL_BYTES),
			name.name, sizeof(name.name)));
}

void kernel_read_symbols(struct kernel *kernel)
{
	size_t i;

	for (i = 0; i < kernel->modules.size; i++)
		read_all(kernel, &kernel->modules.data[i]);
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

static bool symbolize(struct kernel *kernel, uint64_t va,
		      struct kernel_symbol_name *ret)
{
	const struct kernel_module_part *part = kernel_module_part(kernel, va);
	const char *name;

	if (part)
		return module_symbolize(kernel, part, va, ret);
	if (va < kernel->image_va || va >= kernel->modules_va)
		return false;
	ret->module = NULL;
	ret->is_data = ret->is_behind = false;
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

/*
 * Stacks ask for the same few addresses again and again, and a module's symbols
 * take a walk through its table: the last answer of each slot is kept.
 */
#define MEMO_SLOTS 512u

struct kernel_symbol_memo {
	uint64_t va; /* 0: empty */
	bool known;
	struct kernel_symbol_name name;
};

bool kernel_symbolize(struct kernel *kernel, uint64_t va,
		      struct kernel_symbol_name *ret)
{
	uint64_t hash = va * UINT64_C(0x9e3779b97f4a7c15);
	struct kernel_symbol_memo *slot;

	if (!kernel->symbol_memo)
		kernel->symbol_memo = calloc(MEMO_SLOTS, sizeof(*slot));
	if (!kernel->symbol_memo || !va)
		return symbolize(kernel, va, ret);
	slot = &kernel->symbol_memo[hash >> 32 & (MEMO_SLOTS - 1)];
	if (slot->va != va) {
		memset(slot, 0, sizeof(*slot));
		slot->known = symbolize(kernel, va, &slot->name);
		slot->va = va;
	}
	*ret = slot->name;
	return slot->known;
}

bool kernel_symbolize_code(struct kernel *kernel, uint64_t va,
			   struct kernel_symbol_name *ret)
{
	return kernel_symbolize(kernel, va, ret) && !ret->is_data;
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
