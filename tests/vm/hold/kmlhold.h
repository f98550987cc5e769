/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kmlhold - plants what "why" has to answer: memory that is held and never given
 * back, reference counts that nobody will ever put, and leaks, all of known
 * type, from known functions.  (tests/vm/plant asks *whether* it leaks.)
 *
 * Logged as kmlplant does (../plant/kmlplant.h):
 *
 *   KMLPLANT <truth> <kind> <id> <address> <size> [key=value ...]
 *   KMLMANY  <truth> <kind> <id> <first> <size> [key=value ...] @ <address>...
 *
 * the latter being objects <id>.<first>, <id>.<first + 1>, ...  Besides leak and
 * live, with the same fields, but not about one object:
 *
 * accum    a structure that only grows: <kind> list hlist rbtree xarray queue,
 *          <address> the variable that holds it, <size> the bytes of all its
 *          objects, by ksize(); variable= module= cpu= objects= requested= (bytes)
 *          nodes= of type= , kinds=KIND:OBJECTS:BYTES,...
 * group    a leaked structure: <address> its root, <size> the bytes of all its
 *          objects, and the same keys
 * frag     a fragment of a page that a CPU cuts up, held by holder=
 * suspect  <kind> has count= references, surplus= of them forgotten: no word of
 *          memory stands for them
 * counted  the same, none is forgotten
 *
 * Keys of objects: site= the function of this module that allocated it, caller=
 * its caller, file= line= where; via= the kernel's function that was called, if
 * the allocation is within that; type= of what; memcg= charged to; holder= root=
 * cycle= as in kmlplant.
 */
#ifndef KMLHOLD_H
#define KMLHOLD_H

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/version.h>
#include <linux/slab.h>
#include <linux/mm.h>
#include <linux/list.h>

#define KML_SINCE(a, b) (LINUX_VERSION_CODE >= KERNEL_VERSION(a, b, 0))

/* A function that stays one: its name is a truth. */
#define SITE noinline __attribute__((__noipa__))

struct kml_site {
	const char *func, *caller, *file, *via;
	int line;
};
/* On the line of the allocation.  BY: the caller's name; VIA: see above, or NULL. */
#define AT(s, by, how) \
	(*(s) = (struct kml_site){ __func__, by, __FILE__, how, __LINE__ })

/* Log one object; FMT is "id [key=value ...]". */
__printf(6, 7) void kml_log(const char *truth, const char *kind,
			    const void *p, size_t size,
			    const struct kml_site *site, const char *fmt, ...);

/* The name of the kmalloc cache that serves this size ("large" beyond). */
const char *kml_kind(size_t size, gfp_t gfp);

/* What a structure's objects add up to. */
struct kml_sum {
	size_t objects, bytes, requested;
	char kinds[160];
};

/*
 * Objects of one kind, one after the other: begin, each, end.  ALLOCATED: bytes
 * of the slot; 0: as ksize() says.
 */
void kml_many_begin(struct kml_sum *sum, const char *truth, const char *kind,
		    const char *id, size_t size, const struct kml_site *site,
		    const char *extra);
void kml_many(const void *p, size_t allocated);
void kml_many_end(void);

/* Each plants one subject; then, just before the dump, each says what is so. */
int kml_accum(void);
int kml_counts(void);
int kml_orphans(void);
int kml_many_objects(void);
void kml_accum_log(void);
void kml_counts_log(void);

#endif
