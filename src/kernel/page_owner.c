// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/page_owner.h"

#include <ctype.h>

#include "base/util.h"

#define MAX_RECORD_BYTES 256u

/* Pages of before it was initialised, and of when the depot was full. */
static void read_dummies(struct kernel *kernel, struct page_owner *owner)
{
	static const char *const names[] = { "early_handle", "dummy_handle",
					     "failure_handle" };
	uint64_t va, handle;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(names); i++) {
		_cleanup_error_ struct kml_error *error = NULL;

		if (!kernel_has_symbol(kernel, names[i], &va))
			continue;
		error = kernel_read_uint(kernel, va, 4, &handle);
		if (!error)
			owner->no_stack[i] = (uint32_t)handle;
	}
}

bool page_owner_open(struct kernel *kernel, struct page_owner *ret)
{
	const struct profile *p = kernel->profile;
	struct page_owner o = { 0 };
	const char *type = "page_owner";
	int64_t bit;

	if (!profile_type_size(p, type, &o.bytes) ||
	    o.bytes > MAX_RECORD_BYTES ||
	    !profile_member(p, type, "handle", &o.handle) ||
	    !profile_member(p, "page_ext", "flags", &o.flags) ||
	    !profile_enumerator(p, "PAGE_EXT_OWNER_ALLOCATED", &bit) ||
	    bit < 0 || bit > 63 ||
	    !kernel_static_key(kernel, "page_owner_inited") ||
	    !page_ext_open(kernel, &o.ext) ||
	    !page_ext_offset(kernel, &o.ext, "page_owner_ops", o.bytes,
			     &o.offset))
		return false;
	o.allocated = UINT64_C(1) << bit;
	o.has_pid = profile_member(p, type, "pid", &o.pid);
	o.has_time = profile_member(p, type, "ts_nsec", &o.ts_nsec);
	o.has_comm = profile_member(p, type, "comm", &o.comm);
	read_dummies(kernel, &o);
	*ret = o;
	return true;
}

static bool says_nothing(const struct page_owner *owner, uint32_t handle)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(owner->no_stack); i++) {
		if (owner->no_stack[i] == handle)
			return true;
	}
	return !handle;
}

bool page_owner_read(struct kernel *kernel, struct page_owner *owner,
		     uint64_t pfn, struct page_owner_record *ret)
{
	uint64_t va = page_ext_find(kernel, &owner->ext, pfn), flags = 0;
	_cleanup_error_ struct kml_error *error = NULL;
	char buf[MAX_RECORD_BYTES];
	size_t i;

	if (!va)
		return false;
	error = kernel_read_u64(kernel, va + owner->flags.offset, &flags);
	if (!error && !(flags & owner->allocated))
		return false;
	if (!error)
		error = image_read_va(kernel->image, va + owner->offset, buf,
				      owner->bytes);
	if (error)
		return false;
	memset(ret, 0, sizeof(*ret));
	ret->stack = (uint32_t)kernel_get(buf, &owner->handle);
	if (says_nothing(owner, ret->stack))
		return false;
	if (owner->has_pid)
		ret->pid = (uint32_t)kernel_get(buf, &owner->pid);
	if (owner->has_time)
		ret->ts_nsec = kernel_get(buf, &owner->ts_nsec);
	for (i = 0; owner->has_comm && i < sizeof(ret->comm) - 1 &&
		    i < owner->comm.size && buf[owner->comm.offset + i]; i++) {
		char c = buf[owner->comm.offset + i];

		ret->comm[i] = isprint((unsigned char)c) ? c : '?';
	}
	return true;
}
