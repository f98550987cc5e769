// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `many VMCORE VMLINUX [THREADS]`: how long inference, dominators and what
 * comes of them take on a dump, and what inference says of how many objects.
 * For tests/bench/bench-many, which says what that means.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "base/util.h"
#include "leak/analysis.h"

static void check(struct kml_error *error)
{
	if (!error)
		return;
	fprintf(stderr, "many: %s\n", kml_error_message(error));
	exit(1);
}

static double seconds(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Of /proc/self/status, in KiB. */
static long status(const char *what)
{
	FILE *f = fopen("/proc/self/status", "r");
	char line[128];
	long value = 0;

	while (f && fgets(line, sizeof(line), f)) {
		if (!strncmp(line, what, strlen(what)))
			value = strtol(line + strlen(what) + 1, NULL, 10);
	}
	if (f)
		fclose(f);
	return value;
}

static double wall, cpu;

static void start(void)
{
	wall = seconds(CLOCK_MONOTONIC);
	cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static void stop(const char *what)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("stage %s %.3f %.3f %ld %ld\n", what,
	       seconds(CLOCK_MONOTONIC) - wall,
	       seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu, usage.ru_maxrss,
	       status("RssFile"));
	fflush(stdout);
	start();
}

/* The yardstick: where does each reference lead to?  Once, in their order, on
 * one thread: what any algorithm over the graph does at least. */
static uint32_t *go_through(const struct graph *graph)
{
	uint32_t *referred = calloc(graph->n_objects + 1ull, sizeof(*referred));
	uint64_t i;

	if (!referred)
		check(error_nomem());
	start();
	for (i = 0; i < graph->n_edges; i++)
		referred[graph->edges[i].to]++;
	stop("yardstick");
	return referred;
}

static void print_types(const struct kml_analysis *a)
{
	uint32_t n = (uint32_t)a->infer.types.records.size, id, type;
	uint32_t *counts = calloc(n + 1ull, sizeof(*counts));

	if (!counts)
		check(error_nomem());
	for (id = 0; id < a->infer.n_objects; id++) {
		if (heap_is_allocated(&a->heap, id))
			counts[a->infer.type[id]]++;
	}
	printf("untyped %" PRIu32 "\n", counts[0]);
	for (type = 1; type < n; type++) {
		if (counts[type] && types_is_struct(&a->infer.types, type))
			printf("type %s %" PRIu32 "\n",
			       types_name(&a->infer.types, type), counts[type]);
	}
	free(counts);
}

int main(int argc, char **argv)
{
	struct kml_options options = KML_OPTIONS_INIT;
	const char *paths[] = { argc > 1 ? argv[1] : NULL };
	struct kml_analysis *a;

	if (argc < 3) {
		fprintf(stderr, "usage: many VMCORE VMLINUX [THREADS]\n");
		return 2;
	}
	options.vmcore = paths;
	options.n_vmcore = 1;
	options.infer = true;
	options.vmlinux = argv[2];
	options.threads = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 0) : 0;
	start();
	check(kml_analyze(&options, &a));
	stop("leaks");
	printf("objects %" PRIu32 "\nreferences %" PRIu64 "\n",
	       a->graph.n_objects, a->graph.n_edges);
	free(go_through(&a->graph));
	start();
	check(analysis_infer(a));
	stop("inference");
	check(analysis_retain(a));
	stop("dominators");
	print_types(a);
	kml_analysis_destroy(a);
	return 0;
}
