// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * site-crosscheck VMCORE VMLINUX [places]: the place of every allocated object by the
 * pass over all of them, and as the best source of each has it: the same.
 * Prints how many objects each source is the best of, and how long the pass
 * took; with "places" how many objects, and bytes, of each kind each has.  Exit
 * status 0: all agree.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "leak/analysis.h"

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void check(struct kml_error *error)
{
	if (!error)
		return;
	fprintf(stderr, "site-crosscheck: %s\n", kml_error_message(error));
	kml_error_destroy(error);
	exit(3);
}

/* Does the pass have the address of the best source's place? */
static bool agrees(struct sites *sites, uint32_t id, const struct site *best)
{
	uint32_t place = sites->place_of[id];
	uint64_t address = best->has_tag ? best->tag.va :
					   best->frames[best->first];

	return place != HEAP_NONE &&
	       sites->places.data[place].address == address &&
	       sites->places.data[place].is_tag == best->has_tag;
}

static void print_memcgs(const struct sites *sites, uint32_t n_ids)
{
	size_t i;

	for (i = 0; i < sites->memcgs.size; i++) {
		uint64_t n = 0;
		uint32_t id;

		for (id = 0; id < n_ids; id++)
			n += sites->memcg_of[id] == i;
		printf("memcg %s %" PRIu64 "%s\n", sites->memcgs.data[i].path,
		       n, sites->memcgs.data[i].deleted ? " deleted" : "");
	}
}

static void print_places(struct sites *sites, const struct heap *heap)
{
	size_t n = sites->places.size * HEAP_KINDS + 1, i;
	uint64_t *objects = calloc(n, sizeof(*objects));
	uint64_t *bytes = calloc(n, sizeof(*bytes));
	char text[SITE_TEXT_BYTES];
	uint32_t id;

	for (id = 0; objects && bytes && id < heap->n_ids; id++) {
		if (sites->place_of[id] == HEAP_NONE)
			continue;
		i = (size_t)sites->place_of[id] * HEAP_KINDS +
		    heap_region_of(heap, id)->kind;
		objects[i]++;
		bytes[i] += heap_object_bytes(heap, id);
	}
	for (i = 0; objects && bytes && i < n - 1; i++) {
		if (!objects[i])
			continue;
		sites_format(sites, (uint32_t)(i / HEAP_KINDS), text);
		printf("place %s %" PRIu64 " %" PRIu64 " %s\n",
		       heap_kind_names[i % HEAP_KINDS], objects[i], bytes[i],
		       text);
	}
	free(objects);
	free(bytes);
}

int main(int argc, char **argv)
{
	struct kml_options options = KML_OPTIONS_INIT;
	uint64_t n[SITE_SOURCES] = { 0 }, none = 0, wrong = 0;
	struct kml_analysis *a;
	struct sites *sites;
	unsigned source;
	double start;
	uint32_t id;

	if (argc < 2)
		return 2;
	options.vmcore = (const char *const *)&argv[1];
	options.n_vmcore = 1;
	options.vmlinux = argv[2];
	options.no_lines = true;
	check(kml_analyze(&options, &a));
	sites = &a->sites;
	start = now();
	check(sites_index(sites));
	printf("pass %.3f s, %zu places\n", now() - start, sites->places.size);
	for (id = 0; id < a->heap.n_ids; id++) {
		struct site best;

		if (!heap_is_allocated(&a->heap, id))
			continue;
		if (!sites_best(sites, id, &best)) {
			none++;
			wrong += sites->place_of[id] != HEAP_NONE;
			continue;
		}
		n[best.source]++;
		wrong += !agrees(sites, id, &best);
	}
	for (source = 0; source < SITE_SOURCES; source++)
		printf("%s %" PRIu64 "\n", site_source_words[source],
		       n[source]);
	printf("none %" PRIu64 "\nwrong %" PRIu64 "\n", none, wrong);
	print_memcgs(sites, a->heap.n_ids);
	if (argc > 3)
		print_places(sites, &a->heap);
	kml_analysis_destroy(a);
	return wrong ? 1 : 0;
}
