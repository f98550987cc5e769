/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which object of those that refer to each other stands for them all. */
#ifndef KML_LEAK_STANDING_H
#define KML_LEAK_STANDING_H

#include "kernel/kernel.h"
#include "leak/components.h"

/*
 * A mapping rather than its vm_struct (the two refer to each other), else one
 * of the kind that there are fewest of: of a list its head, of a parent and
 * children the parent.  Of several the largest, then the first.
 * *@ret: a white number for each component, for the caller to free; HEAP_NONE
 * where another component refers to it.
 */
struct kml_error *standing_find(const struct kernel *kernel,
				const struct components *components,
				uint32_t **ret) error_must_check;

#endif
