// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/variable.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* Elf64_Sym: st_name at 0, st_shndx at 6, st_value at 8, st_size at 16 */
#define SYMBOL_BYTES 24u

static struct kml_error *find_in_module(struct kernel *kernel,
					const struct kernel_module *module,
					const char *name,
					struct kernel_variable *ret,
					bool *ret_found)
{
	uint64_t bytes = (uint64_t)module->n_symbols * SYMBOL_BYTES, i;
	_cleanup_free_ char *table = malloc(bytes + 1);
	struct kml_error *error;
	enum heap_reference how = HEAP_REF_NONE;
	char found[256];

	if (!table)
		return error_nomem();
	if (!bytes || strlen(name) >= sizeof(found))
		return NULL;
	error = image_read_va(kernel->image, module->symtab_va, table, bytes);
	for (i = 1; !error && i < module->n_symbols; i++) {
		const char *symbol = table + i * SYMBOL_BYTES;

		if (!load_u32(symbol) || !load_u16(symbol + 6))
			continue;
		error = kernel_read_string(kernel,
					   module->strtab_va + load_u32(symbol),
					   found, strlen(name) + 2);
		if (error || strcmp(found, name))
			continue;
		ret->va = load_u64(symbol + 8);
		ret->bytes = MAX(load_u64(symbol + 16), 1);
		heap_resolve(kernel->heap, ret->va, &how);
		ret->percpu = how == HEAP_REF_PERCPU;
		*ret_found = true;
		return NULL;
	}
	return kernel_forgive(kernel, error, "symbols of modules",
			      module->symtab_va);
}

static bool find_in_image(const struct kernel *kernel, const char *name,
			  struct kernel_variable *ret)
{
	uint64_t link, bytes, start, end;

	if (!kernel_has_symbol(kernel, name, &ret->va) ||
	    !profile_symbol(kernel->profile, name, &link, &bytes))
		return false;
	ret->bytes = MAX(bytes, 1);
	ret->percpu = profile_symbol(kernel->profile, "__per_cpu_start", &start,
				     NULL) &&
		      profile_symbol(kernel->profile, "__per_cpu_end", &end,
				     NULL) &&
		      link >= start && link < end;
	return true;
}

struct kml_error *kernel_find_variable(struct kernel *kernel, const char *name,
				       struct kernel_variable *ret,
				       bool *ret_found)
{
	const char *colon = strchr(name, ':');
	struct kml_error *error = NULL;
	size_t i;

	*ret_found = !colon && find_in_image(kernel, name, ret);
	for (i = 0; !error && !*ret_found && i < kernel->modules.size; i++) {
		const struct kernel_module *module = &kernel->modules.data[i];
		size_t n = strlen(module->name);

		if (!colon)
			error = find_in_module(kernel, module, name, ret,
					       ret_found);
		else if ((size_t)(colon - name) == n &&
			 !memcmp(name, module->name, n))
			error = find_in_module(kernel, module, colon + 1, ret,
					       ret_found);
	}
	return error;
}

struct kml_error *kernel_for_each_copy(const struct kernel *kernel,
				       const struct kernel_variable *variable,
				       kernel_range_fn *range, void *arg)
{
	struct kml_error *error = NULL;
	unsigned cpu;

	if (!variable->percpu)
		return range(arg, variable->va, variable->bytes);
	for (cpu = 0; !error && cpu < kernel->n_cpus; cpu++) {
		if (kernel->cpu_offset[cpu])
			error = range(arg,
				      variable->va + kernel->cpu_offset[cpu],
				      variable->bytes);
	}
	return error;
}
