/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libdrgn, as far as lines.c wants it.  The files of this header (bridge.c,
 * bridge_stack.c, libdrgn.c) are the only ones that know it; in a build without
 * it there is bridge_none.c, whose bridge_open() fails and says so.
 */
#ifndef KML_DEBUGINFO_BRIDGE_H
#define KML_DEBUGINFO_BRIDGE_H

#include "debuginfo/lines.h"

struct bridge;

/* The longest chain of calls inlined into one another that is looked at. */
#define BRIDGE_MAX_INLINED 64

struct bridge_options {
	struct image *image; /* NULL: */
	const char *vmcore;  /* NULL: no memory, and so no stacks */
	const char *vmlinux; /* or a .zst of one */
	uint64_t kaslr_offset;
};

/* Is there a libdrgn, as far as was known when this was compiled? */
bool bridge_compiled_in(void);

/* Loads libdrgn, and the vmlinux into it. */
struct kml_error *bridge_open(const struct bridge_options *options,
			      struct bridge **ret) error_must_check;
void bridge_close(struct bridge *bridge);

/* The run-time range of the kernel image; false if it can't be told. */
bool bridge_image(const struct bridge *bridge, uint64_t *start_ret,
		  uint64_t *end_ret);

/* Load the debuginfo at @path of the module that has @address, if it is that
 * module's; false if not. */
bool bridge_load_module(struct bridge *bridge, uint64_t address,
			const char *path);

struct bridge_frame {
	uint64_t sp;      /* 0: unknown */
	uint64_t pc;      /* 0: unknown */
	uint64_t address; /* that which the frames are of: pc or the byte
			     before it */
	const struct lines_frame *frames; /* valid until the function returns */
	size_t n_frames;
};

/* false stops. */
typedef bool bridge_fn(void *arg, const struct bridge_frame *frame);

/* Call @fn with the frames of the code at @address (sp and pc mean nothing);
 * false if it was not called. */
bool bridge_resolve(struct bridge *bridge, uint64_t address, bridge_fn *fn,
		    void *arg);

/*
 * Call @fn with each frame of a task's stack, innermost first.  @module, if
 * not NULL, is called before that with the address of each frame, and may call
 * bridge_load_module(): true if it did with success.
 */
struct kml_error *bridge_stack(struct bridge *bridge, uint64_t task_va,
			       bool (*module)(void *arg, uint64_t address),
			       bridge_fn *fn, void *arg) error_must_check;

/* The struct @type ("struct dentry") at @address as C, without its members that
 * are zero; to be freed with free(). */
struct kml_error *bridge_format(struct bridge *bridge, const char *type,
				uint64_t address, char **ret) error_must_check;

#endif
