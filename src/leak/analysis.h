/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An analysis: the dump and everything that was found in it.  The reports are
 * functions of this; they read the image for the contents of leaked objects
 * alone.
 */
#ifndef KML_LEAK_ANALYSIS_H
#define KML_LEAK_ANALYSIS_H

#include "base/message.h"
#include "debuginfo/lines.h"
#include "graph/graph.h"
#include "graph/mark.h"
#include "leak/blind.h"
#include "leak/compare.h"
#include "kernel/kmemleak.h"
#include "leak/held.h"
#include "leak/holdings.h"
#include "leak/infer.h"
#include "leak/leak.h"
#include "leak/refcount.h"
#include "leak/user.h"

/* Stages whose time is measured. */
enum stage {
	STAGE_OPEN,      /* the dump */
	STAGE_DEBUGINFO, /* layouts and symbols */
	STAGE_INVENTORY, /* the kernel's structures */
	STAGE_SCAN,      /* the pass over the image */
	STAGE_MARK,
	STAGE_TYPES,     /* of objects; unless options.no_types */
	STAGE_LEAKS,     /* leak roots, groups, what stacks hold */
	STAGES,
};

/* Behind the stages: what takes options.kmemleak. */
#define STAGE_KMEMLEAK STAGES

struct stage_time {
	double wall_s, cpu_s;
};

struct gap_list {
	VEC(struct kernel_gap) gaps;
};

/* Of an analysis that comes from a snapshot. */
struct loaded {
	bool is_loaded;
	bool no_content, no_lines; /* these it was saved without */
	struct text_list texts;    /* that gaps and such refer to */
	struct comparison *comparison; /* with options.kmemleak */
	struct gap_list comparison_gaps; /* that it found */
};

struct kml_analysis {
	struct kml_options options; /* its strings are those below */
	char **paths;               /* of the dump; NULL-terminated */
	char *vmlinux, *cache_dir;
	char **types; /* "ADDRESS=TYPE"; NULL-terminated */
	char **modules; /* files and folders of modules; the same */
	struct user user; /* what the user says of the kernel */
	struct messenger messenger;
	struct image *image;
	struct profile *profile;
	struct lines *lines; /* never NULL once the analysis is complete */
	bool scanned;        /* the states of objects are known */
	struct heap heap;
	struct kernel kernel;
	struct graph graph;
	struct rules rules;
	uint64_t *reached;   /* a bit per object; NULL after kml_inventory() */
	struct mark_statistics mark;
	struct sites sites; /* who allocated what; open once it is marked */
	struct leaks leaks;
	struct held_list held;
	struct blind blind;
	bool has_holdings; /* once they have been asked for */
	struct holdings holdings;
	bool inferred;
	struct infer infer; /* if inferred; of a snapshot only what reports ask */
	struct refcounts refcounts; /* the same */
	struct kmemleak kmemleak; /* the kernel's own; with options.kmemleak */
	struct stage_time stages[STAGES];
	/* Copies of kernel.gaps as they were then. */
	struct gap_list inventory_gaps, scan_gaps;
	struct loaded loaded;
};

extern const char *const stage_names[STAGES];

/* As kml_analyze() and kml_inventory(), of a dump. */
struct kml_error *analysis_make(const struct kml_options *options,
				bool inventory, struct kml_analysis **ret)
	error_must_check;

/* Keep copies of the caller's strings, in an empty analysis. */
struct kml_error *analysis_copy_options(struct kml_analysis *analysis,
					const struct kml_options *options)
	error_must_check;

/* Tell analysis->lines of the kernel's modules. */
struct kml_error *analysis_add_modules(struct kml_analysis *analysis)
	error_must_check;

/* Find out what tells who allocated what, and when. */
struct kml_error *analysis_open_sites(struct kml_analysis *analysis)
	error_must_check;

/* Read the records of the kernel's own kmemleak, and warn of what is wrong
 * with them. */
struct kml_error *analysis_load_kmemleak(struct kml_analysis *analysis)
	error_must_check;

/* STAGE_TYPES: find out of which types objects are. */
struct kml_error *analysis_infer_types(struct kml_analysis *analysis)
	error_must_check;

/* What is known of an object; after kml_inventory() none is known to be leaked:
 * what is allocated counts as live. */
enum object_state {
	OBJECT_LIVE,
	OBJECT_LEAKED,
	OBJECT_WAITING,     /* queued for RCU: mostly to be freed */
	OBJECT_FREE,
	OBJECT_CACHED,      /* free, in a per-CPU freelist, sheaf or barn */
	OBJECT_QUARANTINED, /* free, but not to be given out soon (KFENCE,
				KASAN) */
	OBJECT_TORN,        /* the allocator's metadata contradict */
	OBJECT_UNREADABLE,  /* not in the dump, or whether it is free is not */
	OBJECT_STATES,
};
enum object_state analysis_state(const struct kml_analysis *analysis,
				 uint32_t id);

/* Find out what retains what, if that is not known yet. */
struct kml_error *analysis_find_holdings(struct kml_analysis *analysis)
	error_must_check;

/* Objects and bytes by state and kind, for the summary. */
struct object_totals {
	uint64_t objects[HEAP_KINDS][OBJECT_STATES];
	uint64_t bytes[HEAP_KINDS][OBJECT_STATES];
};
void analysis_totals(const struct kml_analysis *analysis,
		     struct object_totals *ret);

#endif
