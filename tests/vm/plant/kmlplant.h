/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kmlplant - plants allocations whose truth is known, for kmlanalyze's tests.
 *
 * Every planted object is logged on one line:
 *
 *   KMLPLANT <truth> <kind> <id> <address> <size> [key=value ...]
 *
 * truth  leak    nothing in the kernel refers to it (with trap=X at=ADDR: its
 *                address stands at ADDR, which is a place that must not hold it)
 *        live    it is referenced; holder= says from where only
 *        hidden  only an encoded reference exists: reported or held, both right
 *        freed   allocated and freed again: must never be reported
 * kind   slab:CACHE large vmalloc vmap ioremap percpu page
 * size   bytes asked for
 * root=ID   a member of a structure whose only unreferenced object is ID
 * cycle=1   the structure is a cycle: any member may be named as its root
 *
 * A leak must really be unreferenced.  So: pointers to leaks live in locals
 * only, never in a variable of the module; what is logged is text; everything
 * is planted from insmod's own context, whose stack dies with it.
 */
#ifndef KMLPLANT_H
#define KMLPLANT_H

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/version.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include <linux/mm.h>
#include <linux/io.h>
#include <linux/percpu.h>
#include <linux/list.h>

#define KML_SINCE(a, b) (LINUX_VERSION_CODE >= KERNEL_VERSION(a, b, 0))

/* Log one object; FMT is "id [key=value ...]". */
__printf(5, 6) void kml_log(const char *truth, const char *kind,
			    unsigned long addr, size_t size,
			    const char *fmt, ...);
#define PLANT(truth, kind, p, size, ...) \
	kml_log(truth, kind, (unsigned long)(p), size, __VA_ARGS__)

/* The name of the kmalloc cache that serves this size ("large" beyond). */
const char *kml_kind(size_t size, gfp_t gfp);
/* "vmalloc", "large" or "slab:..." by where the address lies. */
const char *kml_kind_of(const void *p, size_t size, gfp_t gfp);

/* Hold P for good from module .data (the dullest of all holders). */
void kml_keep(const void *p);

/*
 * With drain=1: use up the free slots that an allocation of SIZE would be
 * served from, so that what follows comes from fresh slabs, which no dangling
 * pointer of the kernel's past can refer to.
 */
void kml_drain(size_t size, gfp_t gfp);

extern bool kml_spin;		/* parameter spin */

/* Each plants one subject; called once, in this order. */
int kml_slab(void);
int kml_areas(void);
int kml_objects(void);
int kml_chains(void);
int kml_holders(void);
int kml_hidden(void);
int kml_traps(void);
int kml_late(void);		/* on "echo 1 > .../parameters/late" */

/*
 * Overwrite the stack that the planting functions used: the sleeping parts of
 * kernel stacks keep what they held.
 */
void kml_scrub_stack(void);

#endif
