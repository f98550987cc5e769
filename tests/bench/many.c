// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * `many VMCORE VMLINUX [THREADS]`: how long inference takes on a dump, and
 * dominators and what comes of them, and what inference says of how many
 * objects.  For tests/bench/bench-many, which says what that means.
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

static struct stage_time begin;

static void start(void)
{
	begin.wall_s = seconds(CLOCK_MONOTONIC);
	begin.cpu_s = seconds(CLOCK_PROCESS_CPUTIME_ID);
}

static void stop(const char *what)
{
	printf("stage %s %.3f %.3f\n", what,
	       seconds(CLOCK_MONOTONIC) - begin.wall_s,
	       seconds(CLOCK_PROCESS_CPUTIME_ID) - begin.cpu_s);
	fflush(stdout);
}

/* The highest so far, and how much of the present one are files' pages. */
static void print_memory(const char *when)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	printf("memory %s %ld %ld\n", when, usage.ru_maxrss, status("RssFile"));
}

/* What comes before them is the others', whatever they are. */
static void print_stages(const struct kml_analysis *a)
{
	struct stage_time others = { 0 };
	unsigned i;

	for (i = 0; i < STAGES; i++) {
		if (i == STAGE_TYPES)
			continue;
		others.wall_s += a->stages[i].wall_s;
		others.cpu_s += a->stages[i].cpu_s;
	}
	printf("stage others %.3f %.3f\nstage types %.3f %.3f\n",
	       others.wall_s, others.cpu_s, a->stages[STAGE_TYPES].wall_s,
	       a->stages[STAGE_TYPES].cpu_s);
}

/* The yardstick: to go once through all references, on one thread, and to what
 * they lead to: any algorithm over the graph does that at least. */
static void go_through(const struct graph *graph)
{
	uint32_t *referred = calloc(graph->n_objects + 1ull, sizeof(*referred));
	uint32_t most = 0, id;
	uint64_t i;

	if (!referred)
		check(error_nomem());
	start();
	for (i = 0; i < graph->n_edges; i++)
		referred[graph->edges[i].to]++;
	stop("yardstick");
	for (id = 0; id < graph->n_objects; id++)
		most = MAX(most, referred[id]);
	printf("most %" PRIu32 "\n", most);
	free(referred);
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
	options.vmlinux = argv[2];
	options.threads = argc > 3 ? (unsigned)strtoul(argv[3], NULL, 0) : 0;
	check(kml_analyze(&options, &a));
	print_memory("analysis");
	printf("objects %" PRIu32 "\nreferences %" PRIu64 "\n",
	       a->graph.n_objects, a->graph.n_edges);
	print_stages(a);
	go_through(&a->graph);
	start();
	check(analysis_find_holdings(a));
	stop("holdings");
	print_memory("holdings");
	print_types(a);
	kml_analysis_destroy(a);
	return 0;
}
