/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of source files as DWARF has them, and as people say them. */
#ifndef KML_DEBUGINFO_SOURCE_NAME_H
#define KML_DEBUGINFO_SOURCE_NAME_H

#include <stddef.h>

/* Collapse "//", "./" and "x/.." of a path in place. */
void source_name_normalise(char *path);

/*
 * @name normalised and without the source tree if that is one of the @n_trees
 * (which end in '/', or are NULL); to be freed.  NULL: no memory.
 */
char *source_name_short(const char *name, char *const *trees, size_t n_trees);

/*
 * The source tree: @name without its tail @file, "/build/linux-6.1/" of
 * "/build/linux-6.1/init/main.c" and "init/main.c"; to be freed.  NULL if
 * @name does not end so, or there is nothing before it.
 */
char *source_name_tree(const char *name, const char *file);

#endif
