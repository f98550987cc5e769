/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules files: what a user knows of the kernel in the dump.  kmemleak's calls
 * for the same are named in the comments.  A line is
 *
 *	ACTION SELECTOR=VALUE [PARAMETER=VALUE...]	# comment
 *
 * See kmlanalyze(1), RULES.  Nothing here knows of a dump.
 */
#ifndef KML_GRAPH_RULE_FILE_H
#define KML_GRAPH_RULE_FILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/vec.h"

enum rule_action {
	RULE_NOT_LEAK,  /* kmemleak_not_leak(): gray */
	RULE_IGNORE,    /* kmemleak_ignore(): black */
	RULE_NO_SCAN,   /* kmemleak_no_scan() */
	RULE_SCAN_AREA, /* kmemleak_scan_area() */
	RULE_ERASE,     /* kmemleak_erase() */
	RULE_MIN_COUNT, /* kmemleak_alloc()'s min_count */
	RULE_TRANSIENT, /* kmemleak_transient_leak() */
	RULE_ACTIONS,
};

enum rule_selector {
	RULE_CACHE,       /* objects of slab caches, by name */
	RULE_TYPE,        /* objects whose type the kernel itself tells */
	RULE_SYMBOL,      /* what a variable points to; RULE_ERASE: its words */
	RULE_ADDRESS,     /* the object there; RULE_ERASE: the word there */
	RULE_MODULE,      /* what a module's code allocated; RULE_ERASE: the
			     words of its data */
	RULE_FINGERPRINT, /* leak roots of groups with that fingerprint */
	RULE_SELECTORS,
};

struct rule {
	enum rule_action action;
	enum rule_selector selector;
	char *name;       /* of cache, type, symbol or module */
	uint64_t number;  /* address or fingerprint */
	bool has_offset, has_length;
	uint64_t offset;  /* bytes into what is selected */
	uint64_t length;  /* bytes */
	uint64_t count;   /* RULE_MIN_COUNT */
	const char *file; /* where it stands; the list's */
	unsigned line;
	char *text;       /* as it is written there, without the comment */

	/* What it did, for the report. */
	uint64_t n_objects;    /* allocated objects that it selected */
	uint64_t n_ranges;     /* runs of words, for RULE_ERASE */
	uint64_t n_references; /* that do not count because of it */
};

/* The name of the module that allocated an object, good until the next call;
 * NULL: it is not known. */
typedef const char *rule_module_fn(void *arg, uint32_t id);

struct rule_list {
	VEC(struct rule) rules; /* as they were read */
	VEC(char *) files;
	rule_module_fn *module; /* for module=; NULL: of no object known */
	void *module_arg;
};

/* Append the rules of a file.  KML_ERR_OS; KML_ERR_FORMAT, whose message
 * begins with FILE:LINE. */
struct kml_error *rule_list_read(struct rule_list *list, const char *path)
	error_must_check;
/* The same from memory; @name stands for the file. */
struct kml_error *rule_list_parse(struct rule_list *list, const char *name,
				  const char *text, size_t bytes)
	error_must_check;
void rule_list_deinit(struct rule_list *list);

extern const char *const rule_actions[RULE_ACTIONS];
extern const char *const rule_selectors[RULE_SELECTORS];

/* Does the rule select words rather than objects? */
static inline bool rule_selects_words(const struct rule *rule)
{
	return rule->action == RULE_ERASE &&
	       (rule->selector == RULE_SYMBOL ||
		rule->selector == RULE_ADDRESS ||
		rule->selector == RULE_MODULE);
}

#endif
