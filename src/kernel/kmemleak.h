/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records of the kernel's own kmemleak (CONFIG_DEBUG_KMEMLEAK): of each
 * object that it tracks who allocated it and when, and what its last scan made
 * of it.
 */
#ifndef KML_KERNEL_KMEMLEAK_H
#define KML_KERNEL_KMEMLEAK_H

#include "kernel/kernel.h"
#include "kernel/stackdepot.h"

/* kmemleak_object.flags, as mm/kmemleak.c defines them. */
enum {
	KMEMLEAK_ALLOCATED = 1 << 0,
	KMEMLEAK_REPORTED = 1 << 1,
	KMEMLEAK_NO_SCAN = 1 << 2,
	KMEMLEAK_FULL_SCAN = 1 << 3, /* there was no memory for a scan area */
	KMEMLEAK_PHYS = 1 << 4,      /* the pointer is a physical address */
	KMEMLEAK_PERCPU = 1 << 5,    /* ... a per-cpu pointer */
	KMEMLEAK_SUSPECT = 1 << 6,   /* white in the first of two passes */
};

/* As the kernel's colors: of the last scan. */
enum kmemleak_color {
	KMEMLEAK_WHITE, /* fewer references than min_count */
	KMEMLEAK_GRAY,  /* enough */
	KMEMLEAK_BLACK, /* ignored: neither scanned nor reported */
	KMEMLEAK_COLORS,
};

/* One struct kmemleak_object. */
struct kmemleak_record {
	uint64_t va; /* of the struct itself */
	uint64_t pointer, size;
	uint64_t excess_ref; /* references beyond min_count count for this */
	uint64_t jiffies;    /* when it was allocated */
	int32_t min_count, count;
	uint32_t checksum; /* of the contents; 0: was never white in a scan */
	uint32_t trace;    /* handle of the stack depot; 0: none, or inline */
	uint32_t pid;
	uint32_t first_area; /* index into kmemleak.areas */
	uint16_t n_areas;    /* 0: scanned whole */
	uint8_t flags;
	uint8_t del_state;
	char comm[16];       /* NUL-terminated, printable */
};

struct kmemleak_area {
	uint64_t start, size;
};

struct kmemleak {
	VEC(struct kmemleak_record) records; /* in the kernel's order */
	VEC(struct kmemleak_area) areas;
	bool enabled;        /* false: it was off, or gave up */
	bool tracks_percpu;  /* per-cpu blocks can be reported */
	uint64_t jiffies;    /* at the moment of the dump */
	uint64_t last_scan;  /* jiffies; when the last scan began */
	uint64_t min_age;    /* jiffies; younger objects are not reported */
	uint32_t hz;         /* jiffies a second; 0: unknown */

	/* How this kernel prints a report, by its own format strings. */
	bool prints_checksum, prints_age, prints_address;

	bool has_depot;
	struct stackdepot depot;
	/* Until the stack depot took over (Linux 6.1) traces were inline. */
	struct profile_member trace, trace_len;
};

/* Is there a kmemleak in this kernel? */
bool kmemleak_exists(const struct kernel *kernel);

/*
 * Read its records.  A torn list is a gap; KML_ERR_NODATA if the kernel has no
 * kmemleak, KML_ERR_DEBUGINFO if its layout is not known.
 */
struct kml_error *kmemleak_load(struct kernel *kernel, struct kmemleak *ret)
	error_must_check;
/* Where the backtraces of the records are; kmemleak_load() does it. */
void kmemleak_open_traces(struct kernel *kernel, struct kmemleak *kmemleak);
void kmemleak_deinit(struct kmemleak *kmemleak);

enum kmemleak_color kmemleak_color(const struct kmemleak_record *record);

/* Old enough, at the last scan, to be reported. */
bool kmemleak_is_old(const struct kmemleak *kmemleak,
		     const struct kmemleak_record *record);

/* In /sys/kernel/debug/kmemleak of that kernel. */
bool kmemleak_is_reported(const struct kmemleak *kmemleak,
			  const struct kmemleak_record *record);

/* The heap's object that a record is of, HEAP_NONE if it knows none. */
uint32_t kmemleak_object_id(const struct kernel *kernel,
			    const struct kmemleak_record *record);

/* Where it was allocated: return addresses, innermost first. */
struct kml_error *kmemleak_trace(struct kernel *kernel,
				 const struct kmemleak *kmemleak,
				 const struct kmemleak_record *record,
				 uint64_t ret[STACKDEPOT_FRAMES],
				 size_t *n_ret) error_must_check;

#endif
