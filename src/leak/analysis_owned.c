// SPDX-License-Identifier: GPL-2.0-or-later
/* What an analysis owns: copies of the caller's options, and the end of it. */
#include "leak/analysis.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

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
