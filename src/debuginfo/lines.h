/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Source lines, unwound stacks and objects as C, from libdrgn (bridge.h).
 * Nothing here is on the scan path, and nothing depends on it: a build without
 * libdrgn, or a dump that libdrgn cannot read, has symbol+offset instead, and
 * lines_why_not() says why.
 *
 * libdrgn indexes the whole vmlinux, which takes more memory than all the
 * rest, so it is started at the first question that the line cache (a file
 * next to the layout cache, keyed by build-id, link-time address -> frames)
 * cannot answer.  Where neither the image nor the dump can be had, lines come
 * from the vmlinux alone, and there are no stacks.
 *
 * One thread at a time, the one that image_read_pa() belongs to.
 */
#ifndef KML_DEBUGINFO_LINES_H
#define KML_DEBUGINFO_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct image;
struct profile;

struct lines_options {
	struct image *image;     /* libdrgn reads memory through it, whatever
				    the format; outlives the lines; NULL: */
	const char *const *vmcore; /* libdrgn opens this itself, if it can */
	size_t n_vmcore;
	const struct profile *profile; /* is asked for its vmlinux when libdrgn
				    is started; NULL: the following is it */
	const char *vmlinux;     /* or a .zst of one, or NULL; where there is a
				    profile, it only says where to look for
				    the debuginfo of modules.  Without any
				    there are but the lines of the cache. */
	const char *cache_dir;   /* as in struct profile_options */
	const uint8_t *build_id; /* of the vmlinux; keys the line cache */
	size_t build_id_bytes;
	uint64_t kaslr_offset;
	const char *const *modules; /* more debuginfo of modules: files, folders;
				    outlive the lines */
	size_t n_modules;
};

struct lines;

/* Never touches libdrgn yet. */
struct kml_error *lines_open(const struct lines_options *options,
			     struct lines **ret) error_must_check;
/*
 * Tell of the code of a loaded module.  Its addresses have lines, too, where
 * there is an image and the module's debuginfo is installed (module_file.h);
 * otherwise libdrgn is not even started for them.
 */
struct kml_error *lines_add_module(struct lines *lines, const char *name,
				   uint64_t start_va, uint64_t bytes)
	error_must_check;
/* Saves what was learnt in the line cache, if there is one. */
void lines_close(struct lines *lines);

struct lines_frame {
	const char *function; /* NULL if unknown */
	const char *file;     /* NULL if unknown; without the build directory */
	unsigned line;        /* 0 if unknown */
	bool inlined;         /* into the next frame of the array */
};

/*
 * The frames of a run-time address, innermost first; owned by @lines until
 * lines_close().  0 frames: unknown.  @return_address: it is one, so the call
 * is what is looked up.
 */
size_t lines_resolve(struct lines *lines, uint64_t address,
		     bool return_address, const struct lines_frame **ret);

/* One frame of an unwound stack; the words of [sp, next frame's sp) are its. */
struct lines_stack_frame {
	uint64_t sp; /* 0 if the unwinder does not know */
	uint64_t pc;
	const struct lines_frame *frames; /* inlined ones, then the function */
	size_t n_frames;
};

/* Unwind the task whose struct task_struct is at @task_va, innermost frame
 * first; the array is the caller's to free(), its strings are @lines'. */
struct kml_error *lines_stack(struct lines *lines, uint64_t task_va,
			      struct lines_stack_frame **ret, size_t *n_ret)
	error_must_check;

/* The struct @type ("struct dentry") at @address as C, as bridge_format(). */
struct kml_error *lines_format(struct lines *lines, const char *type,
			       uint64_t address, char **ret) error_must_check;

/* NULL while all is well; otherwise why there are no source lines. */
const char *lines_why_not(const struct lines *lines);

#endif
