/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions that allocate for somebody else: kmalloc() and its kin, what copies
 * strings, and what the debugging aids themselves put on a stack.  The place of
 * an allocation is the first frame that is in none of them.
 */
#ifndef KML_LEAK_SITE_WRAPPER_H
#define KML_LEAK_SITE_WRAPPER_H

#include <stdbool.h>

/* By the name of a function; what a compiler added (".isra.0") does not
 * matter. */
bool site_is_wrapper(const char *function);

#endif
