// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Types of modules out of their own files: of those whose BTF is not in the
 * dump, and of those that the user names, as BTF has no variables of theirs.  A
 * file counts only if its build-id is in the module's memory.
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debuginfo/elf_file.h"
#include "debuginfo/module_file.h"
#include "kernel/symbol.h"
#include "leak/infer_modules.h"

#define PAGE_BYTES 4096u
#define NOTE_BYTES 16u /* before the build-id */
#define MAX_PART_BYTES (UINT64_C(256) << 20)

struct finder {
	struct kernel *kernel;
	const struct infer_sources *sources;
	struct module_files files;
	struct types *types;
	struct types_index *index; /* made when it is needed */
};

/* ---- is it that module's? */

/* n_namesz, n_descsz, n_type; "GNU"; the build-id: .note.gnu.build-id */
static size_t make_note(const struct elf_file *file, uint8_t *ret)
{
	const uint32_t header[] = { 4, (uint32_t)file->build_id_bytes, 3 };

	memcpy(ret, header, sizeof(header));
	memcpy(ret + sizeof(header), "GNU", 4);
	memcpy(ret + NOTE_BYTES, file->build_id, file->build_id_bytes);
	return NOTE_BYTES + file->build_id_bytes;
}

static bool part_has(struct kernel *kernel, uint64_t va, uint64_t bytes,
		     const uint8_t *note, size_t note_bytes)
{
	uint8_t buf[NOTE_BYTES + BUILD_ID_MAX + PAGE_BYTES];
	size_t kept = 0, n; /* the end of the page before comes first */
	uint64_t at;

	for (at = 0; at < MIN(bytes, MAX_PART_BYTES); at += PAGE_BYTES) {
		struct kml_error *error =
			image_read_va(kernel->image, va + at, buf + kept,
				      PAGE_BYTES);

		if (error) {
			kml_error_destroy(error);
			kept = 0;
			continue;
		}
		n = kept + PAGE_BYTES;
		if (memmem(buf, n, note, note_bytes))
			return true;
		kept = note_bytes - 1;
		memmove(buf, buf + n - kept, kept);
	}
	return false;
}

static bool is_of_module(struct kernel *kernel,
			 const struct kernel_module *module,
			 const struct elf_file *file)
{
	uint8_t note[NOTE_BYTES + BUILD_ID_MAX];
	size_t bytes = make_note(file, note);
	unsigned part;

	if (!file->build_id_bytes)
		return false;
	for (part = 0; part < module->n_parts; part++)
		if (part_has(kernel, module->part_va[part],
			     module->part_bytes[part], note, bytes))
			return true;
	return false;
}

/* ---- where its sections are */

/*
 * By the symbols that the file and the kernel's table of the module have, each
 * just once: sysfs' sect_attrs may be gone, and these also tell the per-cpu
 * section's place.
 */
struct placed {
	uint32_t section;
	uint64_t offset, va;
	unsigned in_file, in_dump; /* how often */
};

struct places {
	struct string_pool names;
	struct key_map by_name;
	VEC(struct placed) symbols;
	bool no_memory;
};

static bool file_symbol(void *arg, const char *name, uint32_t section,
			uint64_t offset)
{
	struct placed symbol = {
		.section = section, .offset = offset, .in_file = 1,
	};
	struct places *places = arg;
	uint32_t at, index;

	if (!string_pool_add(&places->names, name, &at))
		goto no_memory;
	if (key_map_find(&places->by_name, at, &index)) {
		places->symbols.data[index].in_file++;
		return true;
	}
	index = (uint32_t)places->symbols.size;
	if (vec_push(&places->symbols, symbol) &&
	    key_map_add(&places->by_name, at, index))
		return true;
no_memory:
	places->no_memory = true;
	return false;
}

static void dump_symbol(void *arg, const char *name, uint64_t va)
{
	struct places *places = arg;
	struct placed *symbol;
	uint32_t at, index;

	if (!string_pool_find(&places->names, name, &at) ||
	    !key_map_find(&places->by_name, at, &index))
		return;
	symbol = &places->symbols.data[index];
	symbol->in_dump++;
	symbol->va = va;
}

/* As variables of the kernel have it; false: it is nothing of a module's. */
static bool link_address(const struct kernel *kernel, uint64_t va,
			 uint64_t *ret)
{
	enum heap_reference how = HEAP_REF_NONE;

	if (heap_resolve(kernel->heap, va, &how) == HEAP_NONE ||
	    (how != HEAP_REF_ADDRESS && how != HEAP_REF_PERCPU))
		return false;
	*ret = how == HEAP_REF_PERCPU ? va ^ TYPES_PERCPU :
					va - kernel->kaslr_offset;
	return true;
}

static void set_bases(const struct kernel *kernel, const struct places *places,
		      uint64_t *bases)
{
	_cleanup_free_ bool *bad = NULL;
	size_t j, n = 0;

	for (j = 0; j < places->symbols.size; j++)
		n = MAX(n, places->symbols.data[j].section + 1u);
	bad = calloc(n + 1, sizeof(*bad));
	for (j = 0; bad && j < places->symbols.size; j++) {
		const struct placed *s = &places->symbols.data[j];
		uint64_t base;

		if (s->in_file != 1 || s->in_dump != 1 ||
		    !link_address(kernel, s->va, &base))
			continue;
		base -= s->offset;
		if (bases[s->section] != UINT64_MAX &&
		    bases[s->section] != base)
			bad[s->section] = true;
		bases[s->section] = base;
	}
	for (j = 0; j < n; j++)
		if (!bad || bad[j])
			bases[j] = UINT64_MAX;
}

/* Of each section of the file; UINT64_MAX: not known. */
static struct kml_error *find_bases(struct kernel *kernel,
				    const struct kernel_module *module,
				    const struct elf_file *file,
				    uint64_t **ret, size_t *n_ret)
{
	struct places places = { .no_memory = false };
	uint64_t *bases = NULL;
	size_t n = 0;

	if (elf_getshdrnum(file->elf, &n))
		n = 0;
	bases = malloc((n + 1) * sizeof(*bases));
	if (bases)
		memset(bases, 0xff, (n + 1) * sizeof(*bases));
	if (bases && elf_module_symbols(file, file_symbol, &places)) {
		kernel_module_symbols(kernel, module, dump_symbol, &places);
		set_bases(kernel, &places, bases);
	}
	string_pool_deinit(&places.names);
	key_map_deinit(&places.by_name);
	vec_deinit(&places.symbols);
	if (!bases || places.no_memory) {
		free(bases);
		return error_nomem();
	}
	*ret = bases;
	*n_ret = n;
	return NULL;
}

/* ---- its types */

static struct kml_error *add_types(struct finder *f,
				   const struct kernel_module *module,
				   const struct elf_file *file, bool named)
{
	_cleanup_free_ uint64_t *bases = NULL;
	struct kml_error *error = NULL;
	size_t n, first = f->types->records.size;
	struct types types;

	if (!f->index)
		error = types_index_create(f->types, &f->index);
	if (!error)
		error = find_bases(f->kernel, module, file, &bases, &n);
	if (error)
		return error;
	error = types_load_module(&types, file, f->sources->cache_dir);
	if (error)
		return error;
	error = types_merge(f->types, f->index, &types, bases, n);
	types_deinit(&types);
	return error ? error :
		       types_note_module(f->types,
					 (uint32_t)(module -
						    f->kernel->modules.data),
					 first, named);
}

/* One that is unreadable, or of another build, is no harm. */
static struct kml_error *try_file(struct finder *f,
				  const struct kernel_module *module,
				  const char *path, bool named, bool *used_ret)
{
	struct elf_file file;
	struct kml_error *error = elf_file_open_module(path, &file);

	*used_ret = false;
	if (error && kml_error_code(error) == KML_ERR_NOMEM)
		return error;
	if (error) {
		if (named)
			message_warning(f->kernel->messenger, "%s",
					kml_error_message(error));
		kml_error_destroy(error);
		return NULL;
	}
	*used_ret = is_of_module(f->kernel, module, &file);
	if (*used_ret)
		error = add_types(f, module, &file, named);
	else if (named)
		message_warning(f->kernel->messenger,
				"'%s' is of another build than module '%s' of the dump",
				path, module->name);
	elf_file_close(&file);
	return error;
}

static struct kml_error *add_module(struct finder *f,
				    const struct kernel_module *module,
				    bool has_btf)
{
	struct kml_error *error = NULL;
	bool used = false;
	const char *path;
	size_t at = 0;

	while (!error && !used &&
	       (path = module_files_next(&f->files, module->name, &at))) {
		bool named = at <= f->files.n_named;

		if (has_btf && !named)
			break;
		error = try_file(f, module, path, named, &used);
	}
	return error;
}

struct kml_error *infer_add_modules(struct kernel *kernel,
				    const struct infer_sources *sources,
				    const bool *has_btf, struct types *types)
{
	const struct module_paths named = { sources->modules,
					    sources->n_modules };
	struct finder f = {
		.kernel = kernel, .sources = sources, .types = types,
	};
	struct kml_error *error = NULL;
	bool wanted = named.n > 0;
	size_t j;

	for (j = 0; j < kernel->modules.size; j++)
		wanted |= !has_btf[j];
	if (!wanted || !kernel->image)
		return NULL;
	if (!module_files_find(&f.files, &named, profile_path(kernel->profile),
			       image_facts(kernel->image)->release))
		return error_nomem();
	if (f.files.empty)
		message_warning(kernel->messenger,
				"there is no file of a module (NAME.ko) at '%s'",
				f.files.empty);
	for (j = 0; !error && j < kernel->modules.size; j++)
		error = add_module(&f, &kernel->modules.data[j], has_btf[j]);
	if (!error && f.index)
		error = types_seal(types);
	types_index_destroy(f.index);
	module_files_deinit(&f.files);
	return error;
}
