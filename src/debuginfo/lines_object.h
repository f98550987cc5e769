/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is behind struct lines; for its files only. */
#ifndef KML_DEBUGINFO_LINES_OBJECT_H
#define KML_DEBUGINFO_LINES_OBJECT_H

#include "debuginfo/line_cache.h"
#include "debuginfo/lines_record.h"
#include "debuginfo/module_file.h"

#define MAX_BUILD_ID_BYTES 64

struct lines_module {
	char *name;
	uint64_t start_va, end_va;
	bool tried;  /* to load its debuginfo */
	bool found;  /* there is some */
	bool loaded; /* it is */
};

struct lines {
	struct image *image;
	char *vmcore; /* NULL if the dump is of several files */
	const struct profile *profile;
	char *vmlinux;
	struct module_paths module_paths;
	struct module_files module_files; /* once a module was asked for */
	bool has_module_files;
	uint64_t kaslr_offset;
	struct line_cache *cache;
	char *cache_path; /* NULL: none */
	char build_id[2 * MAX_BUILD_ID_BYTES + 1];
	VEC(struct lines_module) modules;
	bool started;
	struct bridge *bridge; /* NULL unless started and well */
	struct kml_error *why_not;
	struct lines_record record;
	bool recording; /* into that */
	bool no_memory; /* for what was to be recorded */
	bool replaying; /* out of that: no bridge */
};

/* lines_record.c: start, by what came of it when the record was made. */
bool lines_replay_start(struct lines *lines);

#endif
