/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is behind struct bridge; for its files only. */
#ifndef KML_DEBUGINFO_BRIDGE_OBJECT_H
#define KML_DEBUGINFO_BRIDGE_OBJECT_H

#include "debuginfo/bridge.h"
#include "debuginfo/libdrgn.h"

struct bridge {
	struct image *image;
	uint64_t kaslr_offset;
	struct drgn_program *program;
	struct drgn_module *kernel;
	struct kml_error *no_memory; /* why there is none: no stacks then */
	bool modules_created; /* drgn_modules, of all that are loaded */
	char *source_trees[3];
};

/* bridge.c: make the loaded modules known to libdrgn.  What it can't find out
 * about them does no harm. */
void bridge_create_modules(struct bridge *bridge);

#endif
