/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Types of modules whose file is at hand. */
#ifndef KML_LEAK_INFER_MODULES_H
#define KML_LEAK_INFER_MODULES_H

#include "leak/infer.h"

/* Add them to sealed types; has_btf[] is by module: its types are known from
 * the dump.  Sealed again. */
struct kml_error *infer_add_modules(struct kernel *kernel,
				    const struct infer_sources *sources,
				    const bool *has_btf, struct types *types)
	error_must_check;

#endif
