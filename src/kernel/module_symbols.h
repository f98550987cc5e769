/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A module's symbols by address: for many look-ups, where kernel_symbolize()
 * would read the table again for each. */
#ifndef KML_KERNEL_MODULE_SYMBOLS_H
#define KML_KERNEL_MODULE_SYMBOLS_H

#include "kernel/kernel.h"

struct module_symbol {
	uint64_t va;    /* of a per-cpu variable: its per-cpu pointer */
	uint64_t bytes; /* as the table says, or up to the next symbol */
	uint64_t name_va;
};

struct module_symbols {
	VEC(struct module_symbol) symbols; /* by address; then the longest
					      first */
};

/* None, and a gap, if the table cannot be read. */
struct kml_error *module_symbols_load(struct kernel *kernel,
				      const struct kernel_module *module,
				      struct module_symbols *ret)
	error_must_check;
void module_symbols_deinit(struct module_symbols *symbols);

/* The symbol that @va lies in; NULL: none. */
const struct module_symbol *
module_symbols_find(const struct module_symbols *symbols, uint64_t va);

#endif
