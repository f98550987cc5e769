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

/* CONFIG_DEBUG_INFO_BTF_MODULES, since 5.11 (36e68442d1af); one module with
 * BTF of another build, or none, is no harm. */
static struct kml_error *add_module(struct kernel *kernel, struct types *types,
				    const struct kernel_module *module,
				    const struct profile_member *data,
				    const struct profile_member *size,
				    const struct types_btf *base, bool *ret)
{
	_cleanup_free_ void *block = NULL;
	struct types_btf btf = *base;
	struct kml_error *error;
	uint64_t va, bytes;

	error = kernel_read_u64(kernel, module->va + data->offset, &va);
	if (!error)
		error = kernel_read_uint(kernel, module->va + size->offset, 4,
					 &bytes);
	if (error) {
		kml_error_destroy(error);
		return NULL;
	}
	block = read_block(kernel, va, bytes);
	if (!block)
		return NULL;
	btf.data = block;
	btf.bytes = bytes;
	error = types_add_btf(types, &btf);
	*ret = !error;
	return forgive(error);
}

static struct kml_error *add_modules(struct kernel *kernel, struct types *types,
				     const void *base_btf, size_t base_bytes,
				     bool *has_btf)
{
	struct profile_member data, size;
	struct types_btf base = { .n_base = types->n_btf };
	struct kml_error *error = NULL;
	size_t j, first;

	if (!profile_member(kernel->profile, "module", "btf_data", &data) ||
	    !profile_member(kernel->profile, "module", "btf_data_size", &size) ||
	    !types_btf_strings(base_btf, base_bytes, &base.base_strings,
			       &base.base_strings_bytes))
		return NULL;
	for (j = 0; !error && j < kernel->modules.size; j++) {
		first = types->records.size;
		error = add_module(kernel, types, &kernel->modules.data[j],
				   &data, &size, &base, &has_btf[j]);
		if (!error)
			error = types_note_module(types, (uint32_t)j, first,
						  false);
	}
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
