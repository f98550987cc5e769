/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the user says of the kernel in the dump: rules files, a baseline, the
 * least age of a leak.  Read before the dump is, so that mistakes are known at
 * once; matched when the graph is there and, as far as it is about leaks, once
 * more when these are.
 */
#ifndef KML_LEAK_USER_H
#define KML_LEAK_USER_H

#include "base/message.h"
#include "graph/overrides.h"
#include "graph/rule_file.h"
#include "leak/age.h"
#include "leak/baseline.h"
#include "leak/leak.h"

struct user {
	struct rule_list rules;
	struct baseline baseline;   /* path NULL: none */
	struct overrides overrides; /* once matched, if active */
	bool active;                /* the user has said something */
	uint64_t min_age_ms;        /* 0: any */
	struct ages ages;
	uint64_t n_young, n_ageless; /* leaked objects below that age, and those
					of which it is not known */
	bool has_boot;              /* of the dump */
	uint64_t boot;
};

struct kml_error *user_read(struct user *user,
			    const struct kml_options *options) error_must_check;

/* Ahead of the mark; takes references out of the graph. */
struct kml_error *user_match(struct user *user, struct kernel *kernel,
			     struct graph *graph) error_must_check;

/* What is said of the leaks that were found.  *@again: something was, so that
 * mark and leaks are to be done once more. */
struct kml_error *user_match_leaks(struct user *user, struct kernel *kernel,
				   struct graph *graph,
				   const struct leaks *leaks, bool *again)
	error_must_check;

/* The sources of age that the kernel in the dump has.  user_match() does it. */
void user_add_ages(struct user *user, struct kernel *kernel);

/* How many leaks of a fingerprint a baseline of another boot has. */
uint64_t user_known_leaks(const struct user *user, uint64_t fingerprint);

/* Warn of what did nothing. */
void user_warn(const struct user *user, struct messenger *messenger);
void user_deinit(struct user *user);

#endif
