/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fingerprints: what a group of leaks looks like, as a number that is the same
 * in every dump and after every boot of the same kernel build.
 *
 * It is made of names alone, of no address and no index: the kind, the name of
 * the cache, the size of the object, the caller as symbol+offset (of an
 * allocation tag: its module, function and line), the type that the group has
 * for want of a caller, and the set of kinds, caches and sizes of what stands
 * behind the leak.  How many
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

/* Set leak_group.fingerprint of all groups; @sites, @infer: as for
 * leaks_find(). */
struct kml_error *fingerprint_groups(struct kernel *kernel,
				     struct sites *sites,
				     const struct infer *infer,
				     struct leaks *leaks) error_must_check;

#endif
