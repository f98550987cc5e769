/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fingerprints: what a group of leaks looks like, as a number that is the same
 * in every dump and after every boot of the same kernel build.
 *
 * It is made of names alone, of no address and no index: the kind, the name of
 * the cache, the size of the object, the caller as symbol+offset (of an
 * allocation tag: its module, function and line), and the set
 * of the same (but for the caller) of what stands behind the leak.  How many
 * leaks there are, and how many objects stand behind each, is not part of it.
 * The random kmalloc caches (kmalloc-rnd-05-64, since Linux 6.6, 3c6152940584)
 * count as one: which of them serves a caller is drawn at each boot.
 *
 * Groups may share a fingerprint: those whose callers have no symbol (of a
 * module that is gone).
 */
#ifndef KML_LEAK_FINGERPRINT_H
#define KML_LEAK_FINGERPRINT_H

#include "leak/leak.h"

/* As text: 16 hexadecimal digits. */
#define FINGERPRINT_DIGITS 16

/* Set leak_group.fingerprint of all groups; @sites: as for leaks_find(). */
struct kml_error *fingerprint_groups(struct kernel *kernel,
				     struct sites *sites, struct leaks *leaks)
	error_must_check;

#endif
