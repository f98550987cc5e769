// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's memory by symbols and layouts: what is needed of the debuginfo,
 * and integers, strings and lists.
 */
#include "kernel/kernel.h"

#include <ctype.h>
#include <string.h>

#include "base/util.h"

bool kernel_has_symbol(const struct kernel *kernel, const char *name,
		       uint64_t *ret)
{
	uint64_t address;

	if (!profile_symbol(kernel->profile, name, &address, NULL))
		return false;
	/* Per-cpu symbols are offsets where the section is linked at 0. */
	*ret = address < kernel->image_va ? address :
					    address + kernel->kaslr_offset;
	return true;
}

struct kml_error *kernel_symbol(const struct kernel *kernel, const char *name,
				uint64_t *ret)
{
	if (!kernel_has_symbol(kernel, name, ret))
		return error_new(KML_ERR_DEBUGINFO,
				 "the debuginfo has no symbol '%s'", name);
	return NULL;
}

struct kml_error *kernel_member(const struct kernel *kernel, const char *type,
				const char *path, struct profile_member *ret)
{
	if (!profile_member(kernel->profile, type, path, ret))
		return error_new(KML_ERR_DEBUGINFO,
				 "the debuginfo has no member '%s' of 'struct %s'",
				 path, type);
	return NULL;
}

struct kml_error *kernel_members(const struct kernel *kernel,
				 const struct kernel_need *needs)
{
	struct kml_error *error = NULL;

	for (; !error && needs->type; needs++)
		error = kernel_member(kernel, needs->type, needs->path,
				      needs->ret);
	return error;
}

struct kml_error *kernel_type_size(const struct kernel *kernel,
				   const char *type, uint64_t *ret)
{
	if (!profile_type_size(kernel->profile, type, ret))
		return error_new(KML_ERR_DEBUGINFO,
				 "the debuginfo has no 'struct %s'", type);
	return NULL;
}

struct kml_error *kernel_read_uint(struct kernel *kernel, uint64_t va,
				   unsigned bytes, uint64_t *ret)
{
	uint64_t value = 0;
	struct kml_error *error;

	error = image_read_va(kernel->image, va, &value, MIN(bytes, 8u));
	if (!error)
		*ret = value;
	return error;
}

struct kml_error *kernel_read_u64(struct kernel *kernel, uint64_t va,
				  uint64_t *ret)
{
	return kernel_read_uint(kernel, va, 8, ret);
}

uint64_t kernel_get(const void *buf, const struct profile_member *member)
{
	uint64_t bytes = member->count ? member->size / member->count :
					 member->size;
	uint64_t value = 0;

	memcpy(&value, (const char *)buf + member->offset, MIN(bytes, 8u));
	if (member->bit_size) {
		value >>= member->bit_offset;
		if (member->bit_size < 64)
			value &= (UINT64_C(1) << member->bit_size) - 1;
	}
	return value;
}

struct kml_error *kernel_read_string(struct kernel *kernel, uint64_t va,
				     char *ret, size_t bytes)
{
	struct kml_error *error;
	size_t n;

	for (n = 0; n < bytes - 1; n++) {
		error = image_read_va(kernel->image, va + n, &ret[n], 1);
		if (error) {
			ret[0] = '\0';
			return error;
		}
		if (!ret[n])
			return NULL;
		if (!isprint((unsigned char)ret[n]))
			ret[n] = '?';
	}
	ret[n] = '\0';
	return NULL;
}

struct kml_error *kernel_walk_list(struct kernel *kernel, uint64_t head_va,
				   uint64_t max, const char *what,
				   kernel_entry_fn *entry, void *arg)
{
	uint64_t previous = head_va, links[2];
	struct kml_error *error;

	error = image_read_va(kernel->image, head_va, links, sizeof(links));
	while (!error && links[0] != head_va) {
		uint64_t node = links[0];

		if (!max--) {
			kernel_gap(kernel, what, node, true);
			return NULL;
		}
		error = image_read_va(kernel->image, node, links, sizeof(links));
		if (error)
			break;
		if (links[1] != previous) {
			/* Torn: what follows may be another list. */
			kernel_gap(kernel, what, node, true);
			return NULL;
		}
		error = entry(kernel, arg, node);
		if (error)
			return error;
		previous = node;
	}
	return kernel_forgive(kernel, error, what, previous);
}
