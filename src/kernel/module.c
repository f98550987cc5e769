// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Modules.  Their memory is a vmalloc area in the module space; all of it but
 * the text and read-only data is a root, as .data and .bss of the kernel are.
 * (What is read-only after init only comes behind that.)
 */
#include "kernel/symbol.h"

#include <inttypes.h>
#include <string.h>

#include "base/util.h"

#define MAX_MODULES 100000u
#define MAX_MODULE_SYMBOLS (1u << 22)

/* module.core_layout and module.init_layout until Linux 6.4, then an array,
 * module.mem[] (ac3b43283923). */
struct module_layout {
	struct profile_member list, name, kallsyms;
	struct profile_member base, size; /* of the layout or of mem[0] */
	struct profile_member text_size, ro_size; /* of the layout alone */
	struct profile_member symtab, strtab, num_symtab;
	struct profile_member percpu;
	uint64_t module_bytes;
	uint64_t part_bytes; /* from one piece's members to those of the next */
	unsigned n_parts;
	bool has_mem;
	unsigned core_part;  /* index of the one with the text that stays */
	uint64_t text_parts; /* a bit for each with text alone */
	uint64_t ro_parts;   /* ... for each that never changes */
	bool has_kallsyms, has_percpu;
};

static struct kml_error *load_layouts(struct kernel *kernel,
				      struct module_layout *l)
{
	const struct kernel_need needs[] = {
		{ "module", "core_layout.base", &l->base },
		{ "module", "core_layout.size", &l->size },
		{ "module", "core_layout.text_size", &l->text_size },
		{ "module", "core_layout.ro_size", &l->ro_size },
		{ NULL, NULL, NULL },
	};
	struct profile_member core, init;

	l->n_parts = 1;
	/* Init functions and their data, until these have returned. */
	if (profile_member(kernel->profile, "module", "core_layout", &core) &&
	    profile_member(kernel->profile, "module", "init_layout", &init) &&
	    init.offset >= core.offset && init.size == core.size) {
		l->n_parts = 2;
		l->part_bytes = init.offset - core.offset;
	}
	return kernel_members(kernel, needs);
}

static struct kml_error *load_parts(struct kernel *kernel,
				    struct module_layout *l)
{
	struct profile_member mem;
	static const char *const read_only[] = {
		"MOD_TEXT", "MOD_INIT_TEXT", "MOD_RODATA", "MOD_INIT_RODATA",
	};
	struct kml_error *error;
	int64_t part;
	size_t i;

	if (!profile_member(kernel->profile, "module", "mem", &mem))
		return load_layouts(kernel, l);
	l->has_mem = true;
	error = kernel_type_size(kernel, "module_memory", &l->part_bytes);
	if (!error)
		error = kernel_member(kernel, "module_memory", "base", &l->base);
	if (!error)
		error = kernel_member(kernel, "module_memory", "size", &l->size);
	if (error)
		return error;
	l->base.offset += mem.offset;
	l->size.offset += mem.offset;
	l->n_parts = (unsigned)MIN(mem.count, 64);
	for (i = 0; i < ARRAY_SIZE(read_only); i++) {
		if (!profile_enumerator(kernel->profile, read_only[i], &part) ||
		    part < 0 || part > 63)
			return error_new(KML_ERR_DEBUGINFO,
					 "the debuginfo has no 'enum mod_mem_type'");
		if (!i)
			l->core_part = (unsigned)part;
		if (i < 2)
			l->text_parts |= UINT64_C(1) << part;
		l->ro_parts |= UINT64_C(1) << part;
	}
	return NULL;
}

static struct kml_error *load_layout(struct kernel *kernel,
				     struct module_layout *l)
{
	const struct kernel_need needs[] = {
		{ "module", "list", &l->list },
		{ "module", "name", &l->name },
		{ NULL, NULL, NULL },
	};
	struct kml_error *error = kernel_members(kernel, needs);

	if (!error)
		error = load_parts(kernel, l);
	if (!error)
		error = kernel_type_size(kernel, "module", &l->module_bytes);
	if (!error && l->module_bytes > 65536)
		error = error_new(KML_ERR_DEBUGINFO,
				  "struct module is too large");
	l->has_kallsyms =
		profile_member(kernel->profile, "module", "kallsyms",
			       &l->kallsyms) &&
		profile_member(kernel->profile, "mod_kallsyms", "symtab",
			       &l->symtab) &&
		profile_member(kernel->profile, "mod_kallsyms", "strtab",
			       &l->strtab) &&
		profile_member(kernel->profile, "mod_kallsyms", "num_symtab",
			       &l->num_symtab);
	l->has_percpu = profile_member(kernel->profile, "module", "percpu",
				       &l->percpu);
	return error;
}

/* Where the module's own symbol table is; without it there are no names. */
static void load_kallsyms(struct kernel *kernel, const struct module_layout *l,
			  const char *buf, struct kernel_module *module)
{
	uint64_t va = kernel_get(buf, &l->kallsyms), n;
	_cleanup_error_ struct kml_error *error = NULL;

	error = kernel_read_u64(kernel, va + l->symtab.offset,
				&module->symtab_va);
	if (!error)
		error = kernel_read_u64(kernel, va + l->strtab.offset,
					&module->strtab_va);
	if (!error)
		error = kernel_read_uint(kernel, va + l->num_symtab.offset, 4, &n);
	if (!error && n <= MAX_MODULE_SYMBOLS)
		module->n_symbols = (uint32_t)n;
}

/* Make a part of the module's memory a root, except for what it begins with. */
static struct kml_error *add_root(struct kernel *kernel, uint64_t base_va,
				  uint64_t ro_bytes)
{
	uint32_t index = heap_find_region(kernel->heap, base_va);
	struct kernel_rule rule = {
		.kind = SCAN_SKIP_RANGE,
		.skip_end = (uint32_t)MIN(ro_bytes, UINT32_MAX),
	};
	struct heap_region *region;

	if (index == HEAP_NONE) {
		kernel_gap(kernel, "modules without memory", base_va, true);
		return NULL;
	}
	region = &kernel->heap->regions.data[index];
	kernel_cite(kernel, BUILTIN_MODULE_MEMORY);
	region->flags |= HEAP_ROOT;
	if (!ro_bytes)
		return NULL;
	kernel_cite(kernel, BUILTIN_MODULE_TEXT);
	rule.id = region->first_id;
	return vec_push(&kernel->rules, rule) ? NULL : error_nomem();
}

/* One piece of a module's memory, described at @part. */
static struct kml_error *load_part(struct kernel *kernel,
				   const struct module_layout *l,
				   const char *part, unsigned i,
				   struct kernel_module *module)
{
	uint64_t base_va = kernel_get(part, &l->base);
	uint64_t bytes = kernel_get(part, &l->size);
	uint64_t text_bytes = 0, ro_bytes = 0;

	/* A module that is not loaded yet has no memory of its own. */
	if (!base_va || !bytes)
		return NULL;
	if (!l->has_mem) {
		text_bytes = MIN(kernel_get(part, &l->text_size), bytes);
		ro_bytes = MIN(kernel_get(part, &l->ro_size), bytes);
	} else {
		text_bytes = l->text_parts >> i & 1 ? bytes : 0;
		ro_bytes = l->ro_parts >> i & 1 ? bytes : 0;
	}
	if (module->n_parts < ARRAY_SIZE(module->part_va)) {
		module->part_text_bytes[module->n_parts] = text_bytes;
		module->part_bytes[module->n_parts] = bytes;
		module->part_va[module->n_parts++] = base_va;
	}
	if (i == l->core_part) {
		module->base_va = base_va;
		module->bytes = bytes;
	}
	return add_root(kernel, base_va, ro_bytes);
}

static struct kml_error *load_module(struct kernel *kernel, void *arg,
				     uint64_t node_va)
{
	const struct module_layout *l = arg;
	struct kernel_module module = { .va = node_va - l->list.offset };
	_cleanup_free_ char *buf = malloc(l->module_bytes);
	struct kml_error *error;
	unsigned i;

	if (!buf)
		return error_nomem();
	error = image_read_va(kernel->image, module.va, buf, l->module_bytes);
	if (!error)
		error = kernel_read_string(kernel, module.va + l->name.offset,
					   module.name, sizeof(module.name));
	if (error)
		return kernel_forgive(kernel, error, "modules", module.va);
	if (l->has_kallsyms)
		load_kallsyms(kernel, l, buf, &module);
	if (l->has_percpu)
		module.percpu = kernel_get(buf, &l->percpu);
	for (i = 0; !error && i < l->n_parts; i++)
		error = load_part(kernel, l, buf + i * l->part_bytes, i, &module);
	if (!error && !vec_push(&kernel->modules, module))
		error = error_nomem();
	return error;
}

/* Who asks for the memory of modules, with what may be inlined. */
static bool is_module_memory(struct kernel *kernel,
			     const struct kernel_area *area)
{
	static const char *const callers[] = {
		"load_module", "layout_and_allocate", "move_module",
		"module_memory_alloc",
	};
	struct kernel_symbol_name symbol;
	size_t i;

	if (!area->caller || !kernel_symbolize(kernel, area->caller, &symbol))
		return false;
	for (i = 0; i < ARRAY_SIZE(callers); i++) {
		if (!strcmp(symbol.name, callers[i]))
			return true;
	}
	return false;
}

/*
 * While what a module has allocated is still in use, its allocation tags are:
 * from Linux 6.10 (a473573964e5) until 6.13 (0db6f8d7820a) free_module() then
 * kept the memory that they are in, and with it the module's variables, which
 * nobody will use again.
 */
static void keep_gone(struct kernel *kernel)
{
	uint64_t unused;
	size_t i;

	if (!kernel_has_symbol(kernel, "codetag_unload_module", &unused) ||
	    kernel_has_symbol(kernel, "module_tags", &unused))
		return;
	for (i = 0; i < kernel->areas.size; i++) {
		const struct kernel_area *area = &kernel->areas.data[i];
		struct heap_region *region;

		if (area->region == HEAP_NONE ||
		    area->start_va < kernel->modules_va ||
		    area->start_va >= kernel->modules_end_va)
			continue;
		region = &kernel->heap->regions.data[area->region];
		if (region->flags & HEAP_ROOT ||
		    !is_module_memory(kernel, area))
			continue;
		kernel_cite(kernel, BUILTIN_GONE_MODULE);
		region->flags |= HEAP_ROOT | HEAP_NO_SCAN;
	}
}

struct kml_error *kernel_load_modules(struct kernel *kernel)
{
	struct module_layout layout = { .n_parts = 0 };
	struct kml_error *error;
	uint64_t head;

	/* A kernel without CONFIG_MODULES has none. */
	if (!kernel_has_symbol(kernel, "modules", &head))
		return NULL;
	error = load_layout(kernel, &layout);
	if (error)
		return error;
	error = kernel_walk_list(kernel, head, MAX_MODULES,
				 "torn list of modules", load_module, &layout);
	if (!error)
		keep_gone(kernel);
	return error;
}
