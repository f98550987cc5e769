// SPDX-License-Identifier: GPL-2.0-or-later
/* The public entry points: from a dump to what was found in it. */
#include "leak/analysis.h"

#include <inttypes.h>
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

/* "ADDRESS=TYPE" */
static struct kml_error *read_override(const struct kml_analysis *a,
				       const struct types *types,
				       const char *text,
				       struct infer_override *ret)
{
	enum heap_reference how;
	uint32_t first, n;
	const char *name;
	uint64_t va;
	char *end;

	va = strtoull(text, &end, 16);
	if (end == text || *end != '=')
		return error_new(KML_ERR_ARGUMENT,
				 "'%s' is not ADDRESS=TYPE", text);
	name = end + 1;
	if (!strncmp(name, "struct ", 7))
		name += 7;
	ret->id = heap_resolve(&a->heap, va, &how);
	if (ret->id == HEAP_NONE || heap_object_va(&a->heap, ret->id) != va)
		return error_at(KML_ERR_ARGUMENT, va,
				"no object begins at 0x%" PRIx64, va);
	ret->type = types_find(types, name, &first, &n);
	if (!ret->type)
		return error_new(KML_ERR_ARGUMENT,
				 "the debuginfo has no 'struct %s'", name);
	if (types_get(types, ret->type)->size >
	    heap_object_bytes(&a->heap, ret->id))
		return error_at(KML_ERR_ARGUMENT, va,
				"a 'struct %s' is larger than the object at 0x%" PRIx64,
				name, va);
	return NULL;
}

/* Leaks are leaks without types, too. */
static struct kml_error *go_untyped(struct kml_analysis *a,
				    struct kml_error *error)
{
	if (a->options.n_types || kml_error_code(error) == KML_ERR_NOMEM ||
	    kml_error_code(error) == KML_ERR_INTERRUPTED)
		return error;
	message_warning(&a->messenger,
			"of which types objects are is not found out: %s",
			kml_error_message(error));
	kml_error_destroy(error);
	return NULL;
}

static struct kml_error *infer_types(struct kml_analysis *a)
{
	_cleanup_free_ struct infer_override *overrides =
		calloc(a->options.n_types + 1, sizeof(*overrides));
	struct infer_options options = {
		.held_out = UINT32_MAX,
		.overrides = overrides,
		.n_overrides = a->options.n_types,
		.sites = &a->sites,
		.reached = a->reached,
	};
	const struct infer_sources sources = {
		.cache_dir = a->options.cache_dir,
		.modules = a->options.modules,
		.n_modules = a->options.n_modules,
	};
	struct types types;
	struct kml_error *error;
	size_t i;

	if (a->options.no_types && a->options.n_types)
		return error_new(KML_ERR_ARGUMENT,
				 "types are said, and are not wanted");
	if (a->options.no_types)
		return NULL;
	if (!overrides)
		return error_nomem();
	error = infer_load_types(&a->kernel, &sources, &types);
	if (error)
		return go_untyped(a, error);
	for (i = 0; !error && i < a->options.n_types; i++)
		error = read_override(a, &types, a->options.types[i],
				      &overrides[i]);
	/* Each object's is asked for more than once. */
	if (!error)
		error = sites_index(&a->sites);
	if (error)
		types_deinit(&types);
	else
		error = infer_run(&a->kernel, &a->graph, &types, &options,
				  &a->infer);
	a->inferred = !error;
	return error;
}

static struct kml_error *run_stage(struct kml_analysis *a, enum stage stage)
{
	static struct kml_error *(*const stages[STAGES])(struct kml_analysis *) = {
		[STAGE_OPEN] = open_dump,
		[STAGE_DEBUGINFO] = open_profile,
		[STAGE_INVENTORY] = load_kernel,
		[STAGE_SCAN] = scan,
		[STAGE_MARK] = mark,
		[STAGE_TYPES] = infer_types,
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

static void free_strings(char **strings)
{
	size_t i;

	for (i = 0; strings && strings[i]; i++)
		free(strings[i]);
	free(strings);
}

/* NULL-terminated; NULL: no memory. */
static char **copy_strings(const char *const *strings, size_t n)
{
	char **copy = calloc(n + 1, sizeof(*copy));
	size_t i;

	for (i = 0; copy && i < n; i++) {
		copy[i] = strdup(strings[i]);
		if (copy[i])
			continue;
		free_strings(copy);
		return NULL;
	}
	return copy;
}

/* The caller's strings may go away. */
struct kml_error *analysis_copy_options(struct kml_analysis *a,
					const struct kml_options *options)
{
	/* A caller built against an older header passes a smaller struct. */
	memcpy(&a->options, options, MIN(options->size, sizeof(a->options)));
	a->options.vmcore = NULL;
	a->options.rules = NULL;
	a->options.n_rules = 0;
	a->options.baseline = NULL;
	a->paths = copy_strings(options->vmcore, options->n_vmcore);
	if (!a->paths)
		return error_nomem();
	a->options.vmcore = (const char *const *)a->paths;
	if (options->vmlinux &&
	    !(a->options.vmlinux = a->vmlinux = strdup(options->vmlinux)))
		return error_nomem();
	if (options->cache_dir &&
	    !(a->options.cache_dir = a->cache_dir = strdup(options->cache_dir)))
		return error_nomem();
	a->types = copy_strings(a->options.types, a->options.n_types);
	a->modules = copy_strings(a->options.modules, a->options.n_modules);
	if (!a->types || !a->modules)
		return error_nomem();
	a->options.types = (const char *const *)a->types;
	a->options.modules = (const char *const *)a->modules;
	a->messenger.fn = a->options.message;
	a->messenger.arg = a->options.message_arg;
	return NULL;
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

void kml_analysis_destroy(struct kml_analysis *a)
{
	if (!a)
		return;
	if (a->lines)
		lines_close(a->lines);
	holdings_deinit(&a->holdings);
	blind_deinit(&a->blind);
	user_deinit(&a->user);
	sites_deinit(&a->sites);
	kmemleak_deinit(&a->kmemleak);
	held_deinit(&a->held);
	refcounts_deinit(&a->refcounts);
	infer_deinit(&a->infer);
	leaks_deinit(&a->leaks);
	graph_deinit(&a->graph);
	kernel_deinit(&a->kernel);
	heap_deinit(&a->heap);
	vec_deinit(&a->inventory_gaps.gaps);
	vec_deinit(&a->scan_gaps.gaps);
	if (a->loaded.comparison)
		comparison_deinit(a->loaded.comparison);
	free(a->loaded.comparison);
	vec_deinit(&a->loaded.comparison_gaps.gaps);
	text_list_deinit(&a->loaded.texts);
	messenger_deinit(&a->messenger);
	free(a->reached);
	if (a->profile)
		profile_close(a->profile);
	if (a->image)
		image_close(a->image);
	free_strings(a->paths);
	free_strings(a->types);
	free_strings(a->modules);
	free(a->vmlinux);
	free(a->cache_dir);
	free(a);
}

uint64_t kml_leaks(const struct kml_analysis *analysis)
{
	return analysis->leaks.n_objects;
}

bool kml_is_leaked(const struct kml_analysis *analysis, uint64_t address)
{
	enum heap_reference how;
	uint32_t id = heap_resolve(&analysis->heap, address, &how);

	return id != HEAP_NONE && analysis->reached &&
	       leak_is_white(&analysis->kernel, analysis->reached, id);
}

uint64_t kml_kmemleak_reported(const struct kml_analysis *analysis)
{
	const struct kmemleak *kmemleak = &analysis->kmemleak;
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < kmemleak->records.size; i++)
		n += kmemleak_is_reported(kmemleak, &kmemleak->records.data[i]);
	return n;
}

bool kml_partial(const struct kml_analysis *analysis)
{
	size_t i;

	for (i = 0; i < analysis->kernel.gaps.size; i++) {
		if (analysis->kernel.gaps.data[i].unsound)
			return true;
	}
	return false;
}

struct kml_error *kml_profile(const struct kml_options *options,
			      const char *path)
{
	const struct profile_options profile_options = {
		.path = options->vmlinux,
		.cache_dir = options->cache_dir,
		.force = options->force,
	};
	struct profile *profile;
	struct kml_error *error;

	if (!options->vmlinux)
		return error_new(KML_ERR_ARGUMENT, "no vmlinux was named");
	error = profile_open(&profile_options, &profile);
	if (error)
		return error;
	error = profile_write(profile, path);
	profile_close(profile);
	return error;
}

struct kml_error *analysis_find_holdings(struct kml_analysis *a)
{
	struct kml_error *error;

	if (a->has_holdings)
		return NULL;
	error = message_progress(&a->messenger, "dominators", 0, 1);
	if (!error)
		error = holdings_find(&a->kernel, &a->graph, a->reached,
				      a->inferred ? &a->infer : NULL,
				      &a->holdings);
	a->has_holdings = !error;
	return error;
}

enum object_state analysis_state(const struct kml_analysis *a, uint32_t id)
{
	const struct heap *heap = &a->heap;

	if (bitmap_test(heap->waiting, id))
		return OBJECT_WAITING;
	if (bitmap_test(heap->quarantined, id))
		return OBJECT_QUARANTINED;
	if (bitmap_test(heap->cached, id))
		return OBJECT_CACHED;
	if (bitmap_test(heap->free, id))
		return OBJECT_FREE;
	if (bitmap_test(heap->torn, id))
		return OBJECT_TORN;
	if (bitmap_test(heap->unreadable, id))
		return OBJECT_UNREADABLE;
	if (a->reached && leak_is_white(&a->kernel, a->reached, id))
		return OBJECT_LEAKED;
	return OBJECT_LIVE;
}

void analysis_totals(const struct kml_analysis *analysis,
		     struct object_totals *ret)
{
	uint32_t id;

	memset(ret, 0, sizeof(*ret));
	for (id = 0; id < analysis->heap.n_ids; id++) {
		unsigned kind = heap_region_of(&analysis->heap, id)->kind;
		enum object_state state = analysis_state(analysis, id);

		ret->objects[kind][state]++;
		ret->bytes[kind][state] += heap_object_bytes(&analysis->heap, id);
	}
}
