// SPDX-License-Identifier: GPL-2.0-or-later
/* What an object with a count is called: of a file, a task, an inode ... */
#include "leak/refcount_object.h"

#include <inttypes.h>
#include <stdio.h>

static bool read_pointer(struct refcount_finder *f, uint32_t type, uint64_t va,
			 const char *path, uint64_t *ret)
{
	struct kml_error *error;
	uint64_t offset;
	uint32_t unused;

	if (!types_member(&f->infer->types, type, path, &offset, &unused))
		return false;
	error = kernel_read_u64(f->kernel, va + offset, ret);
	kml_error_destroy(error);
	return !error;
}

static void read_text(struct refcount_finder *f, uint64_t va, char *ret,
		      size_t bytes)
{
	struct kml_error *error = kernel_read_string(f->kernel, va, ret, bytes);

	if (error)
		ret[0] = '\0';
	kml_error_destroy(error);
}

static void read_member_text(struct refcount_finder *f, uint32_t type,
			     uint64_t va, const char *path, char *ret,
			     size_t bytes)
{
	uint64_t offset;
	uint32_t member;

	if (types_member(&f->infer->types, type, path, &offset, &member))
		read_text(f, va + offset, ret,
			  MIN(bytes, 33)); /* none is longer */
}

static void name_inode(struct refcount_finder *f, uint64_t va, char *ret,
		       size_t bytes)
{
	uint32_t type = f->layouts[REFCOUNT_INODE].type;
	uint32_t sb_type = types_find_one(&f->infer->types, "super_block");
	char id[33] = "";
	uint64_t ino, sb;

	if (!read_pointer(f, type, va, "i_ino", &ino))
		return;
	if (sb_type && read_pointer(f, type, va, "i_sb", &sb))
		read_member_text(f, sb_type, sb, "s_id", id, sizeof(id));
	snprintf(ret, bytes, "inode %" PRIu64 " of %s", ino, id[0] ? id : "?");
}

void refcount_name_of(struct refcount_finder *f, enum refcount_kind kind,
		      uint64_t va, char *ret, size_t bytes)
{
	uint32_t type = f->layouts[kind].type;
	uint32_t dentry = types_find_one(&f->infer->types, "dentry");
	uint64_t pointer;

	ret[0] = '\0';
	switch (kind) {
	case REFCOUNT_DENTRY:
		if (read_pointer(f, type, va, "d_name.name", &pointer))
			read_text(f, pointer, ret, bytes);
		break;
	case REFCOUNT_FILE:
		if (dentry && read_pointer(f, type, va, "f_path.dentry",
					   &pointer) &&
		    read_pointer(f, dentry, pointer, "d_name.name", &pointer))
			read_text(f, pointer, ret, bytes);
		break;
	case REFCOUNT_NET_DEVICE:
		read_member_text(f, type, va, "name", ret, bytes);
		break;
	case REFCOUNT_TASK:
		read_member_text(f, type, va, "comm", ret, bytes);
		break;
	case REFCOUNT_INODE:
		name_inode(f, va, ret, bytes);
		break;
	default:
		break;
	}
}
