// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How good is inference?  `infer-holdout VMCORE VMLINUX`: each cache that is
 * named after its struct is in turn taken for one of kmalloc(), and what
 * inference makes of its objects is compared with its name.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/util.h"
#include "kernel/symbol.h"
#include "kernel/track.h"
#include "leak/analysis.h"
#include "leak/infer.h"
#include "leak/refcount_other.h"

struct score {
	uint64_t n, right, part, wrong, none;
	uint64_t right_by[INFER_CONFIDENCES], wrong_by[INFER_CONFIDENCES];
	uint64_t right_why[INFER_REASONS], wrong_why[INFER_REASONS];
};

static void die(struct kml_error *error)
{
	fprintf(stderr, "infer-holdout: %s\n", kml_error_message(error));
	exit(1);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void infer(struct kml_analysis *a, uint32_t held_out,
		  struct infer *ret)
{
	struct infer_options options = {
		.held_out = held_out,
	};
	const struct infer_sources sources = {
		.cache_dir = a->options.cache_dir,
		.modules = a->options.modules,
		.n_modules = a->options.n_modules,
	};
	struct types types;
	struct kml_error *error;

	error = infer_load_types(&a->kernel, &sources, &types);
	if (!error)
		error = infer_run(&a->kernel, &a->graph, &types, &options, ret);
	if (error)
		die(error);
}

static void judge(const struct infer *result, uint32_t id, uint32_t truth,
		  struct score *score)
{
	uint32_t type = result->type[id];
	unsigned confidence = result->confidence[id];

	score->n++;
	if (!type) {
		score->none++;
		return;
	}
	if (type == truth ||
	    types_embeds(&result->types, truth, 0, type)) {
		score->right++;
		score->part += type != truth;
		score->right_by[confidence]++;
		score->right_why[result->reason[id]]++;
	} else {
		score->wrong++;
		score->wrong_by[confidence]++;
		score->wrong_why[result->reason[id]]++;
	}
}

static void add(struct score *to, const struct score *from)
{
	const uint64_t *x = (const uint64_t *)from;
	uint64_t *y = (uint64_t *)to;
	size_t j;

	for (j = 0; j < sizeof(*to) / sizeof(*y); j++)
		y[j] += x[j];
}

static void print(const char *name, const struct score *s, const char *wrong)
{
	unsigned c;

	printf("%-24s %7" PRIu64 " right %7" PRIu64 " (part %" PRIu64
	       ") wrong %5" PRIu64 " none %6" PRIu64 " |",
	       name, s->n, s->right, s->part, s->wrong, s->none);
	for (c = INFER_LOW; c < INFER_CONFIDENCES; c++)
		printf(" %s %" PRIu64 "/%" PRIu64, infer_confidences[c],
		       s->right_by[c], s->right_by[c] + s->wrong_by[c]);
	printf(" |");
	for (c = 1; c < INFER_REASONS; c++)
		if (s->right_why[c] + s->wrong_why[c])
			printf(" %s %" PRIu64 "/%" PRIu64, infer_reasons[c],
			       s->right_why[c],
			       s->right_why[c] + s->wrong_why[c]);
	printf(" %s\n", wrong);
}

/* Every object of kmalloc's caches, for a comparison with what is known of
 * them: address, type, confidence, reason. */
static void list(struct kml_analysis *a, const struct infer *result)
{
	struct kernel_track track;
	char symbol[128];
	uint32_t id;

	for (id = 0; id < result->n_objects; id++) {
		const struct heap_region *r = heap_region_of(&a->heap, id);

		if (r->kind == HEAP_PERCPU || r->flags & HEAP_ROOT ||
		    !heap_is_allocated(&a->heap, id))
			continue;
		symbol[0] = '\0';
		if (kernel_track(&a->kernel, id, &track))
			kernel_format_symbol(&a->kernel, track.caller, symbol,
					     sizeof(symbol));
		printf("%016" PRIx64 "\t%s\t%s\t%s\t%s\t%u\t%u\t%s\n",
		       heap_object_va(&a->heap, id),
		       r->kind == HEAP_SLAB ?
			       a->kernel.caches.data[r->owner].name :
			       heap_kind_names[r->kind],
		       result->type[id] ?
			       types_name(&result->types, result->type[id]) : "-",
		       infer_confidences[result->confidence[id]],
		       infer_reasons[result->reason[id]],
		       types_get(&result->types, result->type[id])->size,
		       result->votes[id], symbol);
	}
}

static void hold_out(struct kml_analysis *a, uint32_t cache, uint32_t truth,
		     struct score *total)
{
	struct score score = { 0 };
	char wrong[256] = "";
	struct infer result;
	uint32_t id;

	infer(a, cache, &result);
	for (id = 0; id < result.n_objects; id++) {
		const struct heap_region *r = heap_region_of(&a->heap, id);
		uint64_t before = score.wrong;

		if (r->kind != HEAP_SLAB || r->owner != cache ||
		    !heap_is_allocated(&a->heap, id))
			continue;
		judge(&result, id, truth, &score);
		if (score.wrong > before && before < 3)
			snprintf(wrong + strlen(wrong),
				 sizeof(wrong) - strlen(wrong), " %s",
				 types_name(&result.types, result.type[id]));
	}
	print(a->kernel.caches.data[cache].name, &score, wrong);
	add(total, &score);
	infer_deinit(&result);
}

/* Reference counts by type and member, and those above all references. */
static void list_counts(struct kml_analysis *a, const struct infer *result)
{
	_cleanup_free_ uint8_t *skip =
		calloc(result->types.records.size + 1, 1);
	struct counts counts;
	struct kml_error *error;
	char member[128];
	size_t j;

	error = counts_find(&a->kernel, &a->graph, result, skip, a->reached,
			    &counts);
	if (error)
		die(error);
	for (j = 0; j < counts.places.size; j++) {
		const struct count_place *p = &counts.places.data[j];

		types_path(&result->types, p->type, p->offset, member,
			   sizeof(member));
		printf("place\t%s.%s\t%u\t%u\t%u\n",
		       types_name(&result->types, p->type), member, p->objects,
		       p->told, p->above);
	}
	for (j = 0; j < counts.objects.size; j++) {
		const struct count_object *o = &counts.objects.data[j];
		const struct count_place *p = &counts.places.data[o->place];

		types_path(&result->types, p->type, p->offset, member,
			   sizeof(member));
		if (o->count > o->references)
			printf("above\t%s.%s\t%016" PRIx64 "\t%" PRIu64
			       "\t%" PRIu64 "\n",
			       types_name(&result->types, p->type), member,
			       heap_object_va(&a->heap, o->id), o->count,
			       o->references);
	}
	counts_deinit(&counts);
}

/* As kml_analyze(), which keeps neither where references point nor all types;
 * and what was scanned once cannot be scanned again. */
static struct kml_analysis *analyze(const struct kml_options *options)
{
	struct kml_analysis *a = calloc(1, sizeof(*a));
	struct profile_options profile = { .path = options->vmlinux };
	struct kml_error *error = a ? NULL : error_nomem();

	if (!error)
		error = analysis_copy_options(a, options);
	if (!error)
		error = image_open(options->vmcore, options->n_vmcore,
				   &a->image);
	if (!error)
		error = profile_open(&profile, &a->profile);
	if (!error)
		error = kernel_load(&a->kernel, a->image, a->profile,
				    &a->messenger, &a->heap, 1, KML_STACK_LIVE);
	if (!error)
		error = graph_scan(&a->kernel, false, true, &a->graph);
	if (error)
		die(error);
	rules_init(&a->rules, &a->kernel);
	error = graph_mark(&a->graph, &a->kernel, &a->rules, false,
			   &a->reached, &a->mark);
	if (error)
		die(error);
	return a;
}

int main(int argc, char **argv)
{
	struct kml_options options = KML_OPTIONS_INIT;
	const char *paths[] = { argc > 1 ? argv[1] : NULL };
	struct score total = { 0 };
	struct kml_analysis *a;
	struct infer result;
	double start;
	uint32_t c;

	options.vmcore = paths;
	options.n_vmcore = 1;
	options.vmlinux = argc > 2 ? argv[2] : NULL;
	if (argc > 4) { /* VMCORE VMLINUX list MODULE... */
		options.modules = (const char *const *)argv + 4;
		options.n_modules = (size_t)argc - 4;
	}
	a = analyze(&options);
	start = now();
	infer(a, UINT32_MAX, &result);
	fprintf(stderr, "%u objects, inference %.3f s\n", result.n_objects,
		now() - start);
	if (argc > 3 && !strcmp(argv[3], "counts")) {
		list_counts(a, &result);
		return 0;
	}
	if (argc > 3) {
		list(a, &result);
		return 0;
	}
	for (c = 0; c < a->kernel.caches.size; c++)
		if (result.cache_type[c] && a->kernel.caches.data[c].n_objects)
			hold_out(a, c, result.cache_type[c], &total);
	print("all", &total, "");
	infer_deinit(&result);
	kml_analysis_destroy(a);
	return 0;
}
