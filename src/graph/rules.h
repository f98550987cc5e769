/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Built-in rules: objects that the kernel itself never frees and keeps no
 * pointer to.  In the kernel's source they carry kmemleak_not_leak(), of which
 * nothing is left in a dump, so they are recognised by what they contain.
 */
#ifndef KML_GRAPH_RULES_H
#define KML_GRAPH_RULES_H

#include "graph/overrides.h"
#include "kernel/kernel.h"

struct rules {
	struct kernel *kernel;
	/* struct ctl_table_header */
	bool has_sysctl;
	uint64_t sysctl_bytes;
	struct profile_member table, table_arg, root;
	uint64_t sysctl_root_va;
	uint64_t image_va, image_end_va; /* a table may be read-only data */
	const struct overrides *overrides; /* the user's; NULL: none */
};

void rules_init(struct rules *rules, struct kernel *kernel);

/* *@ret: a rule says that object @id is no leak. */
struct kml_error *rules_not_leak(const struct rules *rules, uint32_t id,
				 bool *ret) error_must_check;

#endif
