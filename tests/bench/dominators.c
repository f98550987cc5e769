// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * dominators [NODES [EDGES]]: how long the dominator tree takes, and how much
 * memory, on graphs of 10 million nodes and 40 million edges of several
 * shapes.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "leak/dominators.h"
#include "shapes.h"

/* One doubly linked list, whose members have payloads and an owner. */
static uint32_t list_shape(uint32_t v, uint32_t i, uint32_t n)
{
	uint32_t half = n / 2;

	if (v >= half)
		return v % 64;
	return i == 0 ? (v + 1) % half : i == 1 ? v + half :
	       i == 2 ? (v + half - 1) % half : v % 64;
}

/* Hash chains of ten, nodes anywhere in memory. */
static uint32_t hash_shape(uint32_t v, uint32_t i, uint32_t n)
{
	uint64_t step = 6700417;

	return i == 0 ? (uint32_t)((v + step) % n) :
	       i == 1 ? (uint32_t)((v + n - step % n) % n) :
	       i == 2 && v % 10 == 0 ? draw(n) : v;
}

/* Of CPU, so that others at work on the machine matter less. */
static double seconds(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int run(const char *name,
	       uint32_t (*shape)(uint32_t, uint32_t, uint32_t), uint32_t n,
	       uint32_t degree)
{
	struct flow flow = { .n_nodes = n };
	struct dominators dominators;
	struct kml_error *error;
	struct rusage usage;
	uint32_t v, i, n_top = 0;
	double start;

	flow.first = malloc((n + 1ull) * sizeof(*flow.first));
	flow.to = malloc((uint64_t)n * degree * sizeof(*flow.to));
	if (!flow.first || !flow.to)
		return 1;
	for (v = 0; v < n; v++) {
		flow.first[v] = (uint64_t)v * degree;
		for (i = 0; i < degree; i++)
			flow.to[flow.first[v] + i] = shape(v, i, n);
	}
	flow.first[n] = (uint64_t)n * degree;
	start = seconds();
	error = dominators_find(&flow, &dominators);
	if (error) {
		fprintf(stderr, "%s\n", kml_error_message(error));
		return 1;
	}
	for (v = 0; v < n; v++)
		n_top += dominators.idom[v] == 0;
	getrusage(RUSAGE_SELF, &usage);
	printf("%-8s %9" PRIu32 " nodes %9" PRIu64
	       " edges %6.2f s %5ld MiB; %" PRIu32 " reached, %" PRIu32
	       " by the root alone\n",
	       name, n, (uint64_t)n * degree, seconds() - start,
	       usage.ru_maxrss / 1024, dominators.n_reached, n_top);
	fflush(stdout);
	dominators_deinit(&dominators);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		uint32_t (*shape)(uint32_t, uint32_t, uint32_t);
	} shapes[] = {
		{ "random", random_shape }, { "tree", tree_shape },
		{ "list", list_shape }, { "hash", hash_shape },
	};
	uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 0) : 10000000;
	uint32_t degree = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) / n : 4;
	int status = 0, child;
	size_t i;

	/* Each in a process of its own, for the peak of memory. */
	for (i = 0; i < sizeof(shapes) / sizeof(*shapes); i++) {
		pid_t pid = fork();

		if (!pid)
			_exit(run(shapes[i].name, shapes[i].shape, n, degree));
		if (pid < 0 || waitpid(pid, &child, 0) < 0 || child)
			status = 1;
	}
	return status;
}
