/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The verdict of the kernel's own kmemleak, at its last scan, and ours, at the
 * moment of the dump, object by object, and why they differ.
 */
#ifndef KML_LEAK_COMPARE_H
#define KML_LEAK_COMPARE_H

#include "graph/graph.h"
#include "kernel/kmemleak.h"

/* What kmemleak makes of an object. */
enum compare_theirs {
	THEIRS_REPORTED,
	THEIRS_WHITE,     /* too few references, but not reported (yet) */
	THEIRS_GRAY,      /* held, or marked as no leak */
	THEIRS_BLACK,     /* ignored */
	THEIRS_UNTRACKED, /* it has no record of it */
	THEIRS_VERDICTS,
};

/* What we make of it. */
enum compare_ours {
	OURS_LEAKED,
	OURS_LIVE,
	OURS_FREE,
	OURS_DOUBT,   /* torn or unreadable */
	OURS_UNKNOWN, /* in nothing that we know */
	OURS_VERDICTS,
};

/* Why the verdicts on an object that either reports differ. */
enum compare_reason {
	REASON_NONE, /* both report it */

	/* We report it, kmemleak does not. */
	REASON_YOUNG,        /* younger than its minimum age */
	REASON_UNCONFIRMED,  /* white, old enough, but not yet reported */
	REASON_NOT_LEAK,     /* min_count 0: kmemleak_not_leak() and the like */
	REASON_IGNORED,      /* black: kmemleak_ignore() */
	REASON_KIND,         /* it tracks no page blocks, no mappings */
	REASON_CACHE,        /* it tracks no object of that cache */
	REASON_PERCPU,       /* this kernel's never reports per-cpu blocks */
	REASON_NO_RECORD,    /* it tracks others like it */
	REASON_STALE_WORD,   /* a word holds it that is none of a live object */
	REASON_HELD_BY_LEAK, /* a leak holds it that kmemleak takes for held */
	REASON_GONE,         /* nothing that it scans refers to it now */

	/* kmemleak reports it, we do not. */
	REASON_UNTRACKED_HOLDER, /* the holder is nothing that it tracks */
	REASON_UNSCANNED_HOLDER, /* no_scan or black */
	REASON_OUTSIDE_AREAS,    /* the word is outside of the scan areas */
	REASON_WHITE_HOLDER,     /* the holder is white for kmemleak as well */
	REASON_ENCODED,          /* by struct page, physical address, ... */
	REASON_MIN_COUNT,        /* it wants more than one reference */
	REASON_SINCE,            /* it scans the word: new since its scan */
	REASON_OWN_RULE,         /* no word: a rule of ours holds it */
	REASON_FREED,
	REASON_DOUBT,
	REASON_NOT_FOUND,        /* it lies in no object of ours */
	COMPARE_REASONS,
};

/* Where a word lies that refers to an object. */
enum compare_place {
	PLACE_NONE,
	PLACE_OBJECT,      /* owner: its id */
	PLACE_ROOT,        /* owner: index into kernel.roots */
	PLACE_STACK,       /* owner: index into kernel.tasks */
	PLACE_STRUCT_PAGE, /* va: of the struct page; 0: of one of the pages of
			      object @owner */
	PLACE_HOLE,        /* part of a section that is not scanned */
};
struct compare_word {
	uint64_t va;
	uint32_t source, word; /* of the graph; source HEAP_NONE: a word that
				  we do not scan */
	uint32_t owner;
	uint8_t place; /* enum compare_place */
	uint8_t how;   /* enum heap_reference */
};

struct compare_entry {
	uint64_t va;     /* of our object, else what kmemleak has */
	uint32_t id;     /* of our object, or HEAP_NONE */
	uint32_t record; /* index of kmemleak's, or HEAP_NONE */
	uint8_t ours, theirs, reason;
	struct compare_word word; /* the reason's; place NONE if it has none */
};

struct comparison {
	/* Objects that either reports; by reason, then by address. */
	VEC(struct compare_entry) entries;
	/* All objects, ours and those that only kmemleak knows. */
	uint64_t counts[OURS_VERDICTS][THEIRS_VERDICTS];
	uint64_t reasons[COMPARE_REASONS];
};

struct kml_error *compare_verdicts(struct kernel *kernel,
				   const struct graph *graph,
				   const uint64_t *reached,
				   const struct kmemleak *kmemleak,
				   struct comparison *ret) error_must_check;
void comparison_deinit(struct comparison *comparison);

#endif
