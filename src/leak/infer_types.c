// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The types of the kernel in the dump: what is known of its vmlinux, else the
 * BTF that the kernel itself keeps; and those of its modules, from BTF in the
 * dump or else from their files (infer_modules.c).
 */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "leak/infer_modules.h"

#define MAX_BTF_BYTES (UINT64_C(64) << 20)

/* NULL, and *@ret NULL, if it is not to be had. */
static void *read_block(struct kernel *kernel, uint64_t va, uint64_t bytes)
{
	_cleanup_error_ struct kml_error *error = NULL;
	_cleanup_free_ void *data = NULL;

	if (!va || !bytes || bytes > MAX_BTF_BYTES)
		return NULL;
	data = malloc(bytes);
	if (!data)
		return NULL;
	error = image_read_va(kernel->image, va, data, bytes);
	return error ? NULL : take_ptr(data);
}

/* Damaged BTF is as good as none. */
static struct kml_error *forgive(struct kml_error *error)
{
	if (kml_error_code(error) != KML_ERR_CORRUPT)
		return error;
	kml_error_destroy(error);
	return NULL;
}

/* __start_BTF..__stop_BTF: since Linux 5.2 (341dfcf8d78e); part of the image. */
static void *kernel_btf(struct kernel *kernel, size_t *bytes_ret)
{
	uint64_t start, stop;

	if (!kernel_has_symbol(kernel, "__start_BTF", &start) ||
	    !kernel_has_symbol(kernel, "__stop_BTF", &stop) || stop <= start)
		return NULL;
	*bytes_ret = stop - start;
	return read_block(kernel, start, stop - start);
}

/* Where the kernel keeps the BTF of a module, which may be nowhere. */
struct module_btf {
	uint64_t module_va, va, bytes;
};

struct module_btfs {
	VEC(struct module_btf) list;
};

/* The members that lead from btf_modules to each module's BTF. */
struct btf_members {
	struct profile_member list, module, btf, data, bytes;
};

static bool find_members(const struct profile *p, struct btf_members *ret)
{
	return profile_member(p, "btf_module", "list", &ret->list) &&
	       profile_member(p, "btf_module", "module", &ret->module) &&
	       profile_member(p, "btf_module", "btf", &ret->btf) &&
	       profile_member(p, "btf", "data", &ret->data) &&
	       profile_member(p, "btf", "data_size", &ret->bytes);
}

static struct kml_error *read_entry(struct kernel *kernel,
				    const struct btf_members *m, uint64_t va,
				    struct module_btf *ret)
{
	struct kml_error *error;
	uint64_t btf;

	error = kernel_read_u64(kernel, va + m->module.offset, &ret->module_va);
	if (!error)
		error = kernel_read_u64(kernel, va + m->btf.offset, &btf);
	if (!error)
		error = kernel_read_u64(kernel, btf + m->data.offset, &ret->va);
	if (!error)
		error = kernel_read_uint(kernel, btf + m->bytes.offset, 4,
					 &ret->bytes);
	return error;
}

/* A torn list ends early; no verdict depends on it. */
static struct kml_error *list_btfs(struct kernel *kernel,
				   struct module_btfs *ret)
{
	uint64_t head, node, n = 0;
	struct btf_members m;
	struct kml_error *error;

	if (!kernel_has_symbol(kernel, "btf_modules", &head) ||
	    !find_members(kernel->profile, &m))
		return NULL;
	error = kernel_read_u64(kernel, head, &node);
	while (!error && node != head && n++ < kernel->modules.size) {
		struct module_btf entry;

		error = read_entry(kernel, &m, node - m.list.offset, &entry);
		if (!error && !vec_push(&ret->list, entry))
			return error_nomem();
		if (!error)
			error = kernel_read_u64(kernel, node, &node);
	}
	kml_error_destroy(error);
	return NULL;
}

/*
 * CONFIG_DEBUG_INFO_BTF_MODULES, since 5.11 (36e68442d1af).  What the module
 * itself knew of it is gone once it is loaded (607c543f939d in 5.12), but for
 * the size; the list of all is CONFIG_BPF_SYSCALL's.
 */
static bool find_btf(struct kernel *kernel, const struct module_btfs *btfs,
		     uint64_t module_va, struct module_btf *ret)
{
	_cleanup_error_ struct kml_error *error = NULL;
	struct profile_member data, size;
	size_t j;

	for (j = 0; j < btfs->list.size; j++) {
		*ret = btfs->list.data[j];
		if (ret->module_va == module_va)
			return true;
	}
	if (!profile_member(kernel->profile, "module", "btf_data", &data) ||
	    !profile_member(kernel->profile, "module", "btf_data_size", &size))
		return false;
	error = kernel_read_u64(kernel, module_va + data.offset, &ret->va);
	if (!error)
		error = kernel_read_uint(kernel, module_va + size.offset, 4,
					 &ret->bytes);
	return !error;
}

/* One module with BTF of another build, or none, is no harm. */
static struct kml_error *add_module(struct kernel *kernel, struct types *types,
				    const struct module_btf *from,
				    const struct types_btf *base, bool *ret)
{
	_cleanup_free_ void *block = read_block(kernel, from->va, from->bytes);
	struct types_btf btf = *base;
	struct kml_error *error;

	if (!block)
		return NULL;
	btf.data = block;
	btf.bytes = from->bytes;
	error = types_add_btf(types, &btf);
	*ret = !error;
	return forgive(error);
}

static struct kml_error *add_modules(struct kernel *kernel, struct types *types,
				     const void *base_btf, size_t base_bytes,
				     bool *has_btf)
{
	struct types_btf base = { .n_base = types->n_btf };
	struct module_btfs btfs = { { 0 } };
	struct module_btf from;
	struct kml_error *error;
	size_t j, first;

	if (!types_btf_strings(base_btf, base_bytes, &base.base_strings,
			       &base.base_strings_bytes))
		return NULL;
	error = list_btfs(kernel, &btfs);
	for (j = 0; !error && j < kernel->modules.size; j++) {
		first = types->records.size;
		if (find_btf(kernel, &btfs, kernel->modules.data[j].va, &from))
			error = add_module(kernel, types, &from, &base,
					   &has_btf[j]);
		if (!error)
			error = types_note_module(types, (uint32_t)j, first,
						  false);
	}
	vec_deinit(&btfs.list);
	return error;
}

struct kml_error *infer_load_types(struct kernel *kernel,
				   const struct infer_sources *sources,
				   struct types *ret)
{
	struct types_btf btf = { 0 };
	_cleanup_free_ void *block = kernel_btf(kernel, &btf.bytes);
	_cleanup_free_ bool *has_btf =
		calloc(kernel->modules.size + 1, sizeof(*has_btf));
	struct types types;
	struct kml_error *error;

	if (!has_btf)
		return error_nomem();
	error = types_load(&types, kernel->profile, sources->cache_dir);
	btf.data = block;
	if (!error && block && types.records.size <= 1)
		error = forgive(types_add_btf(&types, &btf));
	if (!error && block && types.has_btf)
		error = add_modules(kernel, &types, block, btf.bytes, has_btf);
	if (!error)
		error = types_seal(&types);
	if (!error)
		error = infer_add_modules(kernel, sources, has_btf, &types);
	if (error)
		types_deinit(&types);
	else
		*ret = types;
	return error;
}
