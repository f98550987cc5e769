/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names for run-time addresses: of the kernel image and of loaded modules. */
#ifndef KML_KERNEL_SYMBOL_H
#define KML_KERNEL_SYMBOL_H

#include "kernel/kernel.h"

struct kernel_symbol_name {
	char name[128];
	uint64_t offset;
	uint64_t bytes; /* up to the next symbol; 0: unknown */
	const char *module; /* NULL: the kernel proper */
	bool is_data;       /* of a module: not of its text */
	bool is_behind;     /* of a module: behind what its symbol table says
			       is the symbol's size */
};

/* The symbol that a run-time address lies in; false if none.  A module's
 * symbols are read from its own table in the dump. */
bool kernel_symbolize(struct kernel *kernel, uint64_t va,
		      struct kernel_symbol_name *ret);

/* The same of an address that was code when it was recorded: false as well if
 * it is a module's data by now. Its code is gone, and another module has got
 * the memory. */
bool kernel_symbolize_code(struct kernel *kernel, uint64_t va,
			   struct kernel_symbol_name *ret);

/* A piece of a module's memory. */
struct kernel_module_part {
	uint64_t start_va, bytes;
	uint64_t text_bytes; /* of its beginning */
	const struct kernel_module *module;
};

/* The one that an address lies in, or NULL.  Like all names of modules for
 * when kernel.modules is complete. */
const struct kernel_module_part *kernel_module_part(struct kernel *kernel,
						    uint64_t va);

/* Call @fn for each symbol of @module that has a name, as far as its table is
 * in the dump. */
typedef void kernel_symbol_fn(void *arg, const char *name, uint64_t va);
void kernel_module_symbols(struct kernel *kernel,
			   const struct kernel_module *module,
			   kernel_symbol_fn *fn, void *arg);

/* The symbol of @module next below @va, which is in [@start_va, @end_va) as
 * well: of an address or of a per-cpu pointer. */
bool kernel_module_symbol(struct kernel *kernel,
			  const struct kernel_module *module,
			  uint64_t start_va, uint64_t end_va, uint64_t va,
			  struct kernel_symbol_name *ret);

/*
 * The variable of @module that an address or a per-cpu pointer lies in, by the
 * sizes in its symbol table: of several that have it the one that begins last,
 * and of these the largest.  *@found_ret: there is one.
 */
struct kml_error *kernel_module_variable(struct kernel *kernel,
					 const struct kernel_module *module,
					 uint64_t va, bool *found_ret,
					 struct kernel_symbol_name *ret)
	error_must_check;
/* Read a module's symbols, unless they were; KML_ERR_NODATA: they cannot be,
 * and it has none for the others. */
struct kml_error *kernel_load_module_symbols(struct kernel *kernel,
					     const struct kernel_module *module)
	error_must_check;

void kernel_symbols_deinit(struct kernel *kernel);

/* "name+0x12 [module]", or the bare address; at most @bytes with the NUL. */
void kernel_format_symbol(struct kernel *kernel, uint64_t va, char *ret,
			  size_t bytes);

/* Read all that kernel_symbolize() may read of the image: for a record of it. */
void kernel_read_symbols(struct kernel *kernel);

#endif
