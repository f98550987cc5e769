// SPDX-License-Identifier: GPL-2.0-or-later
/* From a dump to what is found in it: the stages of an analysis. */
#include "leak/analysis.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/pool.h"
#include "base/util.h"
#include "leak/fingerprint.h"

const char *const stage_names[STAGES] = {
	[STAGE_OPEN] = "open dump",
	[STAGE_DEBUGINFO] = "debuginfo",
	[STAGE_INVENTORY] = "inventory",
	[STAGE_SCAN] = "scan",
	[STAGE_MARK] = "mark",
	[STAGE_TYPES] = "types",
	[STAGE_LEAKS] = "leaks",
};

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct kml_error *open_dump(struct kml_analysis *a)
{
	struct kml_error *error;
	const struct image_facts *facts;

	error = image_open(a->options.vmcore, a->options.n_vmcore, &a->image);
	if (error)
		return error;
	facts = image_facts(a->image);
	if (facts->truncated)
		message_warning(&a->messenger,
				"the dump is cut short: what its end held is missing");
	if (facts->zero_pages)
		message_warning(&a->messenger,
				"the dump is a filtered ELF file: pages that were left out cannot be told from pages of zeros");
	return NULL;
}

static struct kml_error *open_profile(struct kml_analysis *a)
{
	const struct image_facts *facts = image_facts(a->image);
	const struct profile_options options = {
		.path = a->options.vmlinux,
		.cache_dir = a->options.cache_dir,
		.build_id = facts->build_id_bytes ? facts->build_id : NULL,
		.build_id_bytes = facts->build_id_bytes,
		.release = facts->release[0] ? facts->release : NULL,
		.force = a->options.force,
	};
	struct kml_error *error = profile_open(&options, &a->profile);

	if (!error && profile_mismatch(a->profile))
		message_warning(&a->messenger,
				"the vmlinux is of another build than the dump; expect nonsense");
	if (!error && !facts->build_id_bytes)
		message_warning(&a->messenger,
				"the dump does not say its build-id: whether the vmlinux is the right one cannot be checked");
	return error;
}

struct kml_error *analysis_load_kmemleak(struct kml_analysis *a)
{
	size_t n_gaps = a->kernel.gaps.size;
	uint32_t stage = a->messenger.stage;
	struct kml_error *error;

	a->messenger.stage = STAGE_KMEMLEAK;
	error = kmemleak_load(&a->kernel, &a->kmemleak);
	if (!error && a->kernel.gaps.size > n_gaps)
		message_warning(&a->messenger,
				"kmemleak's records are torn or not all in the dump: some are missing");
	if (!error && !a->kmemleak.enabled)
		message_warning(&a->messenger,
				"kmemleak was off, or had given up: its records are not complete");
	a->messenger.stage = stage;
	return error;
}

static struct kml_error *load_kernel(struct kml_analysis *a)
{
	struct kml_error *error;

	error = kernel_load(&a->kernel, a->image, a->profile, &a->messenger,
			    &a->heap, pool_threads(a->options.threads),
			    a->options.stack);
	if (error || !a->options.kmemleak)
		return error;
	return analysis_load_kmemleak(a);
}

static struct kml_error *scan(struct kml_analysis *a)
{
	struct kml_error *error = graph_scan(&a->kernel, a->options.precise,
					     !a->options.no_types, &a->graph);

	a->scanned = !error;
	return error;
}

static struct kml_error *find_held(struct kml_analysis *a,
				   const uint64_t *reached)
{
	_cleanup_free_ uint64_t *without = NULL;
	struct mark_statistics unused;
	struct kml_error *error;

	error = graph_mark(&a->graph, &a->kernel, &a->rules, true, &without,
			   &unused);
	if (!error)
		error = held_find(&a->kernel, &a->graph, reached, without,
				  &a->held);
	return error;
}

static struct kml_error *mark_all(struct kml_analysis *a)
{
	return graph_mark(&a->graph, &a->kernel, &a->rules, false, &a->reached,
			  &a->mark);
}

struct kml_error *analysis_open_sites(struct kml_analysis *a)
{
	ages_add(&a->user.ages, sites_age, &a->sites);
	return sites_open(&a->sites, &a->kernel,
			  a->options.kmemleak ? &a->kmemleak : NULL);
}

static struct kml_error *mark(struct kml_analysis *a)
{
	struct kml_error *error;

	rules_init(&a->rules, &a->kernel);
	error = analysis_open_sites(a);
	if (error)
		return error;
	a->user.rules.module = sites_module_of;
	a->user.rules.module_arg = &a->sites;
	error = user_match(&a->user, &a->kernel, &a->graph);
	if (!error && a->user.active)
		a->rules.overrides = &a->user.overrides;
	return error ? error : mark_all(a);
}

static struct kml_error *group_leaks(struct kml_analysis *a)
{
	const struct infer *infer = a->inferred ? &a->infer : NULL;
	struct kml_error *error;

	error = leaks_find(&a->kernel, &a->graph, a->reached, &a->sites, infer,
			   &a->leaks);
	return error ? error :
		       fingerprint_groups(&a->kernel, &a->sites, infer,
					  &a->leaks);
}

/* All that was of use to inference alone goes. */
static struct kml_error *prune_types(struct kml_analysis *a)
{
	_cleanup_free_ uint32_t *number = NULL;
	struct kml_error *error = infer_prune(&a->infer, &number);
	uint32_t g;

	free(take_ptr(a->graph.at));
	for (g = 0; !error && g < a->leaks.n_groups; g++)
		a->leaks.groups[g].type = number[a->leaks.groups[g].type];
	return error;
}

/* What the user says of leaks is known only once there are some. */
static struct kml_error *find_leaks(struct kml_analysis *a)
{
	struct kml_error *error;
	bool again = false;

	error = group_leaks(a);
	if (!error)
		error = user_match_leaks(&a->user, &a->kernel, &a->graph,
					 &a->leaks, &again);
	if (!error && again) {
		free(take_ptr(a->reached));
		leaks_deinit(&a->leaks);
		memset(&a->leaks, 0, sizeof(a->leaks));
		error = mark_all(a);
		if (!error)
			error = group_leaks(a);
	}
	if (error)
		return error;
	user_warn(&a->user, &a->messenger);
	error = find_held(a, a->reached);
	if (!error)
		error = blind_find(&a->kernel, &a->graph, a->reached,
				   a->options.blind, &a->blind);
	if (!error && a->inferred)
		error = refcounts_find(&a->kernel, &a->graph, &a->infer,
				       a->reached, &a->refcounts);
	return !error && a->inferred ? prune_types(a) : error;
}

static struct kml_error *open_lines(struct kml_analysis *a)
{
	struct lines_options options = {
		.image = a->image,
		.profile = a->options.no_lines ? NULL : a->profile,
		.vmlinux = a->options.no_lines ? NULL : a->options.vmlinux,
		.cache_dir = a->options.cache_dir,
		.kaslr_offset = image_facts(a->image)->kaslr_offset,
		.modules = a->options.modules,
		.n_modules = a->options.n_modules,
	};

	struct kml_error *error;

	options.build_id = profile_build_id(a->profile, &options.build_id_bytes);
	error = lines_open(&options, &a->lines);
	return error ? error : analysis_add_modules(a);
}

struct kml_error *analysis_add_modules(struct kml_analysis *a)
{
	struct kml_error *error = NULL;
	size_t i;

	for (i = 0; !error && i < a->kernel.modules.size; i++) {
		const struct kernel_module *module = &a->kernel.modules.data[i];

		error = lines_add_module(a->lines, module->name,
					 module->base_va, module->bytes);
	}
	return error;
}

static struct kml_error *copy_gaps(const struct kernel *kernel,
				   struct gap_list *ret)
{
	size_t n = kernel->gaps.size;

	if (!vec_reserve(&ret->gaps, n + 1))
		return error_nomem();
	if (n)
		memcpy(ret->gaps.data, kernel->gaps.data,
		       n * sizeof(*ret->gaps.data));
	ret->gaps.size = n;
	return NULL;
}

static struct kml_error *run_stage(struct kml_analysis *a, enum stage stage)
{
	static struct kml_error *(*const stages[STAGES])(struct kml_analysis *) = {
		[STAGE_OPEN] = open_dump,
		[STAGE_DEBUGINFO] = open_profile,
		[STAGE_INVENTORY] = load_kernel,
		[STAGE_SCAN] = scan,
		[STAGE_MARK] = mark,
		[STAGE_TYPES] = analysis_infer_types,
		[STAGE_LEAKS] = find_leaks,
	};
	double wall = seconds(CLOCK_MONOTONIC);
	double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
	struct kml_error *error;

	error = message_progress(&a->messenger, stage_names[stage], stage,
				 STAGES);
	a->messenger.stage = stage;
	if (!error)
		error = stages[stage](a);
	if (!error && stage == STAGE_INVENTORY)
		error = copy_gaps(&a->kernel, &a->inventory_gaps);
	if (!error && stage == STAGE_SCAN)
		error = copy_gaps(&a->kernel, &a->scan_gaps);
	a->stages[stage].wall_s = seconds(CLOCK_MONOTONIC) - wall;
	a->stages[stage].cpu_s = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	return error;
}

struct kml_error *analysis_make(const struct kml_options *options,
				bool inventory, struct kml_analysis **ret)
{
	/* The states of objects come from the pass over the image. */
	enum stage last = inventory ? STAGE_SCAN : STAGE_LEAKS, stage;
	struct kml_analysis *a = calloc(1, sizeof(*a));
	struct kml_error *error;

	if (!a)
		return error_nomem();
	error = analysis_copy_options(a, options);
	if (!error)
		error = user_read(&a->user, options);
	a->options.no_types |= inventory;
	for (stage = 0; !error && stage <= last; stage++)
		error = run_stage(a, stage);
	if (!error)
		error = open_lines(a);
	if (error)
		kml_analysis_destroy(a);
	else
		*ret = a;
	return error;
}
