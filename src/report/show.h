/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is known of an address: kmemleak's dump=ADDR, for all formats. */
#ifndef KML_REPORT_SHOW_H
#define KML_REPORT_SHOW_H

#include "graph/reverse.h"
#include "report/content.h"
#include "report/json_writer.h"
#include "report/place.h"

enum show_verdict {
	SHOW_FREE,    /* free: nothing to say */
	SHOW_DOUBT,   /* torn or unreadable */
	SHOW_HELD,    /* gray: reached */
	SHOW_EXCUSED, /* gray because a rule or a baseline says so */
	SHOW_IGNORED, /* black: a rule says so */
	SHOW_ROOT,    /* white: a leak */
	SHOW_FOLLOWER, /* white: only a leak holds it */
};

#define SHOW_HOLDERS 8u

struct show_holder {
	uint32_t source, word;
	uint8_t how; /* enum heap_reference */
};

struct show {
	uint64_t address;
	uint32_t id;             /* HEAP_NONE: of no object, and what follows is
				    not set but for the place and the task */
	uint8_t how;             /* enum heap_reference: the address as such,
				    or as a struct page, ... */
	char place[PLACE_BYTES]; /* what it is if no object; for an object in a
				    module: the symbol; else "" */
	const struct kernel_task *task; /* on whose stack it lies, or NULL */
	struct object object;
	bool has_offset;         /* of the address in the object */
	uint64_t offset;
	int cpu;                 /* whose copy of a per-cpu block; -1: of none */
	const char *state;       /* "allocated", "waiting for RCU",
				    "free", "cached free", "quarantined",
				    "unreadable", "torn" */
	uint8_t verdict;         /* enum show_verdict */
	uint32_t leak;           /* SHOW_ROOT, SHOW_FOLLOWER: its leak */
	uint64_t n_holders, n_leaked_holders; /* references to it: from what
				    is reached, and from what is leaked */
	struct show_holder holders[SHOW_HOLDERS]; /* the first ones: roots,
				    then objects, then leaked ones */
};

extern const char *const show_verdicts[]; /* "held", ...: stable */
/* "white", "gray", "black" as kmemleak has it; NULL: of no object that is
 * allocated. */
const char *show_color(const struct show *show);

/* The address, its object and offset, and its task. */
void show_find_where(struct report *report, uint64_t address,
		     struct show *ret);
/* All but the holders; lookup_leaks() is to be called first. */
void show_find_object(struct report *report, uint64_t address,
		      struct show *ret);
/* And these, of an object; lookup_references() is to be called first. */
void show_find_holders(const struct report *report, struct show *show);
/* Are its contents to be shown: of leaked objects, or of all if it was asked
 * for? */
bool show_has_content(const struct report *report, const struct show *show);

/*
 * The next reference to object @id after *@at, which starts at 0: first those
 * of roots, then of what is held, then of what is not.  False: no more.
 */
struct show_cursor {
	uint32_t pass;
	uint64_t i;
	bool held; /* of the reference returned: its holder is */
};
bool show_next_reference(const struct report *report, uint32_t id,
			 struct show_cursor *cursor,
			 const struct graph_reference **ret);

/*
 * All addresses of the report's options: what each is of, of an object with its
 * verdict, and what @facts has to say of an object.  The JSON report's name is
 * @name.
 */
typedef void show_text_fn(struct report *report, struct show *show, void *arg);
void show_text_addresses(struct report *report, show_text_fn *facts, void *arg);
typedef void show_json_fn(struct json *json, struct report *report,
			  struct show *show, void *arg);
void show_json_addresses(struct report *report, const char *name,
			 show_json_fn *facts, void *arg);

#endif
