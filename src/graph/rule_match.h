/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules of a user's files mean for the objects and words of a dump. */
#ifndef KML_GRAPH_RULE_MATCH_H
#define KML_GRAPH_RULE_MATCH_H

#include "graph/overrides.h"
#include "graph/rule_file.h"

/*
 * Turn the rules into overrides, and apply these to the graph; the rules'
 * counters are set.  Rules by fingerprint are left out: what has it is known
 * only once leaks are.
 */
struct kml_error *rules_match(struct kernel *kernel, struct graph *graph,
			      struct rule_list *list,
			      struct overrides *overrides) error_must_check;

/* As a rule by fingerprint says: it selects the object @id. */
struct kml_error *rules_match_object(struct kernel *kernel,
				     const struct graph *graph,
				     struct rule_list *list, uint32_t rule,
				     uint32_t id, struct overrides *overrides)
	error_must_check;

/* Apply what rules_match_object() added. */
struct kml_error *rules_apply(struct kernel *kernel, struct graph *graph,
			      struct rule_list *list,
			      struct overrides *overrides) error_must_check;

/* Did the rule find anything? */
static inline bool rule_matched(const struct rule *rule)
{
	return rule->n_objects || rule->n_ranges;
}

#endif
