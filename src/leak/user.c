// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/user.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "graph/rule_match.h"
#include "kernel/boot.h"
#include "kernel/track.h"

struct kml_error *user_read(struct user *user,
			    const struct kml_options *options)
{
	struct kml_options all = KML_OPTIONS_INIT;
	struct kml_error *error = NULL;
	size_t i;

	/* A caller built against an older header passes a smaller struct. */
	memcpy(&all, options, MIN(options->size, sizeof(all)));
	for (i = 0; !error && i < all.n_rules; i++)
		error = rule_list_read(&user->rules, all.rules[i]);
	if (!error && all.baseline)
		error = baseline_read(&user->baseline, all.baseline);
	user->min_age_ms = all.min_age_ms;
	user->active = user->rules.rules.size || user->baseline.path ||
		       user->min_age_ms;
	return error;
}

/* Neither names nor addresses of another kernel say anything of this one. */
static struct kml_error *check_kernel(const struct baseline *baseline,
				      const struct kernel *kernel)
{
	char id[2 * 32 + 1] = "";
	size_t bytes, i;
	const uint8_t *own = profile_build_id(kernel->profile, &bytes);

	for (i = 0; own && i < MIN(bytes, 32); i++)
		snprintf(id + 2 * i, 3, "%02x", own[i]);
	if (baseline->build_id && id[0] && strcmp(baseline->build_id, id))
		return error_new(KML_ERR_BUILDID,
				 "the baseline '%s' is of another kernel, %s, build-id %s",
				 baseline->path,
				 baseline->release ? baseline->release : "?",
				 baseline->build_id);
	return NULL;
}

static bool track_age(void *arg, uint32_t id, uint64_t *ms_ret)
{
	const struct kernel *kernel = arg;
	struct kernel_track track;

	return kernel_track(kernel, id, &track) &&
	       kernel_jiffies_age(kernel, track.when, ms_ret);
}

void user_add_ages(struct user *user, struct kernel *kernel)
{
	ages_add(&user->ages, track_age, kernel);
}

struct kml_error *user_match(struct user *user, struct kernel *kernel,
			     struct graph *graph)
{
	struct kml_error *error = check_kernel(&user->baseline, kernel);

	if (error)
		return error;
	user->has_boot = kernel_boot_id(kernel, &user->boot);
	user_add_ages(user, kernel);
	if (!user->active)
		return NULL;
	user->baseline.same_boot = user->has_boot && user->baseline.has_boot &&
				   user->boot == user->baseline.boot;
	error = overrides_init(&user->overrides, graph);
	if (!error)
		error = rules_match(kernel, graph, &user->rules,
				    &user->overrides);
	return error;
}

/* ---- fingerprints */

/* The leaks of all groups that have the fingerprint of rule @r. */
static struct kml_error *match_fingerprint(struct user *user,
					   struct kernel *kernel,
					   const struct graph *graph,
					   const struct leaks *leaks,
					   uint32_t r)
{
	const struct rule *rule = &user->rules.rules.data[r];
	struct kml_error *error = NULL;
	uint32_t i;

	for (i = 0; !error && i < leaks->n_leaks; i++) {
		const struct leak *leak = &leaks->leaks[i];

		if (leaks->groups[leak->group].fingerprint == rule->number)
			error = rules_match_object(kernel, graph, &user->rules,
						   r, leak->id,
						   &user->overrides);
	}
	return error;
}

static struct kml_error *match_fingerprints(struct user *user,
					    struct kernel *kernel,
					    struct graph *graph,
					    const struct leaks *leaks,
					    bool *again)
{
	struct kml_error *error = NULL;
	uint32_t r;

	for (r = 0; !error && r < user->rules.rules.size; r++) {
		const struct rule *rule = &user->rules.rules.data[r];

		if (rule->selector != RULE_FINGERPRINT)
			continue;
		error = match_fingerprint(user, kernel, graph, leaks, r);
		*again |= rule_matched(rule);
	}
	if (!error && *again)
		error = rules_apply(kernel, graph, &user->rules,
				    &user->overrides);
	return error;
}

/* ---- the baseline */

/* Is the object one that the baseline, of this very boot, has? */
static bool was_there(const struct user *user, const struct kernel *kernel,
		      uint32_t id)
{
	const struct heap_region *r = heap_region_of(kernel->heap, id);
	const struct baseline_object *old;
	struct kernel_track track;

	old = baseline_find(&user->baseline, heap_object_va(kernel->heap, id));
	if (!old || old->kind != r->kind ||
	    old->bytes != heap_object_bytes(kernel->heap, id))
		return false;
	/* Freed and allocated again in between. */
	if (old->when && kernel_track(kernel, id, &track) &&
	    track.when != old->when)
		return false;
	return r->kind != HEAP_SLAB ||
	       (old->cache &&
		!strcmp(old->cache, kernel->caches.data[r->owner].name));
}

/* What was white is gray, but for what was only thought to be transient. */
static bool clear_objects(struct user *user, const struct kernel *kernel)
{
	struct baseline *baseline = &user->baseline;
	enum heap_reference how;
	size_t i;

	baseline->n_all = baseline->objects.size;
	for (i = 0; i < baseline->objects.size; i++) {
		uint64_t va = baseline->objects.data[i].va;
		uint32_t id = heap_resolve(kernel->heap, va, &how);

		if (id == HEAP_NONE || heap_object_va(kernel->heap, id) != va ||
		    !heap_is_allocated(kernel->heap, id) ||
		    !was_there(user, kernel, id))
			continue;
		baseline->n_found++;
		if (!bitmap_test(user->overrides.transient, id))
			bitmap_set(user->overrides.gray, id);
	}
	return baseline->n_found;
}

/* How many leaks have the fingerprint of the group, in all such groups. */
static uint64_t count_alike(const struct leaks *leaks,
			    const struct leak_group *group)
{
	uint64_t n = 0;
	uint32_t g;

	for (g = 0; g < leaks->n_groups; g++) {
		if (leaks->groups[g].fingerprint == group->fingerprint)
			n += leaks->groups[g].n_leaks;
	}
	return n;
}

/* Of another boot: addresses say nothing, so whole groups are old if there are
 * no more leaks of their fingerprint than there were. */
static bool clear_groups(struct user *user, const struct leaks *leaks)
{
	struct baseline *baseline = &user->baseline;
	uint32_t g, i;

	for (g = 0; g < leaks->n_groups; g++) {
		const struct leak_group *group = &leaks->groups[g];

		baseline->n_all += group->n_leaks;
		if (count_alike(leaks, group) >
		    baseline_leaks(baseline, group->fingerprint))
			continue;
		baseline->n_found += group->n_leaks;
		for (i = 0; i < group->n_leaks; i++)
			bitmap_set(user->overrides.gray,
				   leaks->leaks[group->first_leak + i].id);
	}
	return baseline->n_found;
}

/* Only what was there already is a leak that lasts. */
static bool settle_transient(struct user *user, const struct kernel *kernel)
{
	bool any = false;
	uint32_t id;

	for (id = 0; id < kernel->heap->n_ids; id++) {
		if (!bitmap_test(user->overrides.transient, id) ||
		    (user->baseline.same_boot && was_there(user, kernel, id)))
			continue;
		bitmap_set(user->overrides.gray, id);
		any = true;
	}
	return any;
}

/* ---- age */

static void look_at_age(struct user *user, uint32_t id)
{
	uint64_t ms;

	if (!ages_find(&user->ages, id, &ms)) {
		user->n_ageless++;
	} else if (ms < user->min_age_ms) {
		user->n_young++;
		bitmap_set(user->overrides.gray, id);
	}
}

/* What is young may yet be stored somewhere, and what it holds with it. */
static bool excuse_young(struct user *user, const struct leaks *leaks)
{
	uint32_t i;

	if (!user->min_age_ms)
		return false;
	for (i = 0; i < leaks->n_leaks; i++)
		look_at_age(user, leaks->leaks[i].id);
	for (i = 0; i < leaks->n_followers; i++)
		look_at_age(user, leaks->followers[i]);
	return user->n_young;
}

struct kml_error *user_match_leaks(struct user *user, struct kernel *kernel,
				   struct graph *graph,
				   const struct leaks *leaks, bool *again)
{
	struct kml_error *error;

	*again = false;
	if (!user->active)
		return NULL;
	error = match_fingerprints(user, kernel, graph, leaks, again);
	if (error)
		return error;
	if (user->baseline.same_boot)
		*again |= clear_objects(user, kernel);
	else if (user->baseline.path)
		*again |= clear_groups(user, leaks);
	*again |= settle_transient(user, kernel);
	*again |= excuse_young(user, leaks);
	return NULL;
}

uint64_t user_known_leaks(const struct user *user, uint64_t fingerprint)
{
	return user->baseline.path && !user->baseline.same_boot ?
		       baseline_leaks(&user->baseline, fingerprint) :
		       0;
}

void user_warn(const struct user *user, struct messenger *messenger)
{
	const struct baseline *baseline = &user->baseline;
	size_t i;

	for (i = 0; i < user->rules.rules.size; i++) {
		const struct rule *rule = &user->rules.rules.data[i];

		if (!rule_matched(rule))
			message_warning(messenger,
					"%s:%u: the rule matches nothing in this dump: %s",
					rule->file, rule->line, rule->text);
	}
	if (user->n_ageless)
		message_warning(messenger,
				"the age of %" PRIu64 " leaked object%s is not known: '--min-age' does not hide them",
				user->n_ageless, user->n_ageless == 1 ? "" : "s");
	if (baseline->path && !baseline->same_boot)
		message_warning(messenger,
				"'%s' is of another boot%s: leaks are compared by fingerprint and number, not one by one",
				baseline->path,
				user->has_boot && baseline->has_boot ?
					"" :
					", or cannot be told from one");
}

void user_deinit(struct user *user)
{
	rule_list_deinit(&user->rules);
	baseline_deinit(&user->baseline);
	overrides_deinit(&user->overrides);
}
