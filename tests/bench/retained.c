// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * retained [OBJECTS]: how long it takes to find what retains what, and the
 * accumulation points, of 10 million objects with four references each, and how
 * much memory it takes; the graph's own is counted, too.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/util.h"
#include "leak/accumulation.h"
#include "shapes.h"

#define DIRECT UINT64_C(0xffff888000000000)

/* A list of members that each have a payload with a way back. */
static uint32_t list_shape(uint32_t v, uint32_t i, uint32_t n)
{
	uint32_t half = n / 2;

	if (v >= half)
		return v - half;
	return i == 0 ? (v + 1) % half : i == 1 ? v + half :
	       i == 2 ? (v + half - 1) % half : v % 64;
}

/* A singly linked one. */
static uint32_t chain_shape(uint32_t v, uint32_t i, uint32_t n)
{
	uint32_t half = n / 2;

	return v < half ? i ? v + half : (v + 1) % half : v;
}

/* Of CPU, so that others at work on the machine matter less. */
static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static struct kml_error *make(struct kernel *kernel, struct heap *heap,
			      struct graph *graph, uint32_t n,
			      uint32_t (*shape)(uint32_t, uint32_t, uint32_t))
{
	struct kernel_cache cache = { .object_bytes = 64 };
	struct kernel_root root = { .kind = ROOT_RESERVED, .bytes = 4096 };
	struct kml_error *error;
	uint32_t i, v, index;
	uint64_t at = 0;

	error = heap_init(heap, DIRECT, n / 64 + 1ull,
			  UINT64_C(0xffffea0000000000), 64);
	for (i = 0; !error && i < n / 64; i++) {
		struct heap_region r = {
			.va = DIRECT + i * 4096ull, .bytes = 4096,
			.object_bytes = 64, .slot_bytes = 64, .n_objects = 64,
			.owner = i % 8,
		};

		error = heap_add(heap, &r, &index);
	}
	if (!error)
		error = heap_seal(heap);
	for (i = 0; i < 8; i++) {
		if (!vec_push(&kernel->caches, cache))
			return error_nomem();
	}
	if (error || !vec_push(&kernel->roots, root))
		return error;
	kernel->heap = heap;
	kernel->n_threads = 2;
	kernel->page_struct_bytes = 64;
	graph->n_objects = n;
	graph->n_sources = n + 2;
	graph->first = calloc(n + 3ull, sizeof(*graph->first));
	graph->edges = malloc((4ull * n + 1) * sizeof(*graph->edges));
	if (!graph->first || !graph->edges)
		return error_nomem();
	for (v = 0; v < n; v++) {
		graph->first[v] = at;
		for (i = 0; i < 4; i++)
			graph->edges[at++] = (struct graph_edge){
				shape(v, i, n),
				i | (uint32_t)HEAP_REF_ADDRESS << 29
			};
	}
	graph->first[n] = at;
	graph->edges[at++] = (struct graph_edge){
		0, (uint32_t)HEAP_REF_ADDRESS << 29
	};
	graph->first[n + 1] = graph->first[n + 2ull] = graph->n_edges = at;
	return NULL;
}

static long peak_mib(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss / 1024;
}

static int run(const char *name,
	       uint32_t (*shape)(uint32_t, uint32_t, uint32_t), uint32_t n)
{
	struct heap heap;
	struct kernel kernel = { .image = NULL };
	struct graph graph = { .n_objects = 0 };
	struct retained retained;
	struct accumulations found;
	struct kml_error *error;
	uint64_t *reached = bitmap_alloc(n);
	double start, between;
	long before;

	n = n / 64 * 64;
	error = make(&kernel, &heap, &graph, n, shape);
	if (error || !reached)
		return 1;
	memset(reached, 0xff, n / 8);
	before = peak_mib();
	start = seconds();
	error = retained_find(&kernel, &graph, reached, &retained);
	between = seconds();
	if (!error)
		error = accumulations_find(&kernel, &graph, &retained, NULL, &found);
	if (error) {
		fprintf(stderr, "%s\n", kml_error_message(error));
		return 1;
	}
	printf("%-7s %" PRIu32 " objects, %" PRIu64
	       " references: tree %.2f s of CPU, points %.2f s; %ld MiB, of which graph %ld; first point %" PRIu64
	       " objects\n",
	       name, n, graph.n_edges, between - start, seconds() - between,
	       peak_mib(), before, found.points.data[0].objects);
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		uint32_t (*shape)(uint32_t, uint32_t, uint32_t);
	} shapes[] = {
		{ "random", random_shape }, { "tree", tree_shape },
		{ "list", list_shape }, { "chain", chain_shape },
	};
	uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 10000000;
	int status = 0, child;
	size_t i;

	/* Each in a process of its own, for the peak of memory. */
	for (i = 0; i < ARRAY_SIZE(shapes); i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(run(shapes[i].name, shapes[i].shape, n));
		if (pid < 0 || waitpid(pid, &child, 0) < 0 || child)
			status = 1;
	}
	return status;
}
