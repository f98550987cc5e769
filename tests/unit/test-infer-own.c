// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which of a module's own structs an object is: a slab of kmalloc-64 whose
 * words and pointers were made by hand, and structs that do or don't fit.
 */
#include "unit.h"
#include "words_image.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "leak/infer_object.h"
#include "made_types.h"

#define DIRECT UINT64_C(0xffff888000000000)
#define VMEMMAP UINT64_C(0xffffea0000000000)
#define END_PFN 16u
#define SLAB 2u
#define N 16u
#define OBJECT_BYTES 64u
/* An address of memory where no object is, and what is no address. */
#define ELSEWHERE (DIRECT + 10 * UINT64_C(4096))
#define NUMBER 0x12345u
/* Modules, by index in kernel.modules, and places by that in sites.places. */
enum { MODULE, OTHER_MODULE, N_MODULES };
enum { BY_MODULE, BY_OTHER_MODULE, BY_KERNEL, BY_GONE, N_PLACES };

struct edge {
	uint32_t from, to, word, at;
};

struct fixture {
	uint64_t words[1][512]; /* of the slab */
	struct image *image;
	struct heap heap;
	struct kernel kernel;
	struct graph graph;
	struct edge drawn[64];
	unsigned n_drawn;
	struct graph_edge edges[64];
	uint64_t first[N + 1];
	uint32_t at[64];
	struct sites sites;
	uint64_t reached[1];
	struct infer_options options;
	struct types types;
	uint32_t number, pointer, list, list_p;
	struct inference i;
};

/* ---- what there is */

static void add_cache(struct fixture *f, const char *name, uint32_t bytes)
{
	struct kernel_cache cache = {
		.slot_bytes = bytes, .object_bytes = bytes, .n_users = 1,
	};

	strcpy(cache.name, name);
	assert_true(vec_push(&f->kernel.caches, cache));
}

static void add_place(struct fixture *f, const char *module)
{
	struct site_place place = {
		.address = f->sites.places.size + 1, .is_looked_up = true,
		.has_module = module,
	};

	if (module)
		strcpy(place.module, module);
	assert_true(vec_push(&f->sites.places, place));
}

static void make_sites(struct fixture *f)
{
	static const char *const names[N_MODULES] = { "own", "other" };
	unsigned j;

	for (j = 0; j < N_MODULES; j++) {
		struct kernel_module module = { .va = j };

		strcpy(module.name, names[j]);
		assert_true(vec_push(&f->kernel.modules, module));
		add_place(f, names[j]);
	}
	add_place(f, "");
	add_place(f, NULL);
	f->sites.kernel = &f->kernel;
	f->sites.opened = true;
	f->sites.place_of = malloc(N * sizeof(*f->sites.place_of));
	memset(f->sites.place_of, 0xff, N * sizeof(*f->sites.place_of));
}

static void make(struct fixture *f)
{
	struct heap_region slab = {
		.va = DIRECT + SLAB * 4096, .bytes = 4096,
		.object_bytes = OBJECT_BYTES, .slot_bytes = OBJECT_BYTES,
		.n_objects = N,
	};
	uint32_t index;

	memset(f, 0, sizeof(*f));
	assert_ok(heap_init(&f->heap, DIRECT, END_PFN, VMEMMAP, 64));
	assert_ok(heap_add(&f->heap, &slab, &index));
	assert_ok(heap_seal(&f->heap));
	f->kernel.heap = &f->heap;
	f->kernel.direct_va = DIRECT;
	f->kernel.end_pfn = END_PFN;
	f->kernel.vmemmap_va = VMEMMAP;
	f->kernel.page_struct_bytes = 64;
	add_cache(f, "kmalloc-64", 64);
	add_cache(f, "kmalloc-32", 32);
	make_sites(f);
	f->options.sites = &f->sites;
	f->options.reached = f->reached;
	f->options.held_out = UINT32_MAX;

	made_types_init(&f->types);
	f->number = made_type(&f->types, TYPE_INTEGER, "long", 8, 0);
	f->pointer = made_type(&f->types, TYPE_POINTER, "", 8, 0);
	f->list = made_type(&f->types, TYPE_STRUCT, "list_head", 16, 0);
	f->list_p = made_type(&f->types, TYPE_POINTER, "", 8, f->list);
	made_member(&f->types, f->list, "next", f->list_p, 0);
	made_member(&f->types, f->list, "prev", f->list_p, 8);
}

/* A letter a word: a number, a pointer to anything or to a list_head, or that
 * itself (of two). */
static uint32_t add_struct(struct fixture *f, const char *name,
			   const char *words)
{
	uint32_t type = made_type(&f->types, TYPE_STRUCT, name, 0, 0);
	uint32_t offset = 0;

	for (; *words; words++) {
		made_member(&f->types, type, "member",
			    *words == 'n' ? f->number :
			    *words == 'l' ? f->list :
			    *words == 't' ? f->list_p :
					    f->pointer,
			    offset);
		offset += *words == 'l' ? 16 : 8;
	}
	f->types.records.data[type].size = offset;
	return type;
}

/* All structs from @first on are the module's. */
static void own(struct fixture *f, uint32_t module, uint32_t first, bool named)
{
	assert_ok(types_note_module(&f->types, module, first, named));
}

/* ---- objects */

static void allocate(struct fixture *f, uint32_t id, unsigned place)
{
	f->sites.place_of[id] = place;
}

static void put(struct fixture *f, uint32_t id, unsigned word, uint64_t value)
{
	f->words[0][id * OBJECT_BYTES / 8 + word] = value;
}

static void point(struct fixture *f, uint32_t from, unsigned word,
		  uint32_t to, uint32_t at)
{
	put(f, from, word, DIRECT + SLAB * 4096 + to * OBJECT_BYTES + at);
	f->drawn[f->n_drawn++] = (struct edge){ from, to, word, at };
}

/* A number and pointers to elsewhere, for each letter. */
static void fill(struct fixture *f, uint32_t id, const char *words)
{
	unsigned word;

	for (word = 0; words[word]; word++)
		if (words[word] != '0')
			put(f, id, word,
			    words[word] == 'n' ? NUMBER : ELSEWHERE);
}

/* Each points to the next one's and the one's before links, which begin at
 * @word. */
static void make_ring(struct fixture *f, uint32_t first, uint32_t n,
		      unsigned word)
{
	uint32_t j;

	for (j = 0; j < n; j++) {
		point(f, first + j, word, first + (j + 1) % n, word * 8);
		point(f, first + j, word + 1, first + (j + n - 1) % n, word * 8);
	}
}

/* ---- the question */

static void make_graph(struct fixture *f)
{
	uint32_t id, n = 0;
	unsigned j;

	for (id = 0; id < N; id++) {
		f->first[id] = n;
		for (j = 0; j < f->n_drawn; j++) {
			if (f->drawn[j].from != id)
				continue;
			f->edges[n].to = f->drawn[j].to;
			f->edges[n].where = f->drawn[j].word |
					    HEAP_REF_ADDRESS << 29;
			f->at[n++] = f->drawn[j].at;
		}
	}
	f->first[N] = f->graph.n_edges = n;
	f->graph.n_objects = f->graph.n_sources = N;
	f->graph.first = f->first;
	f->graph.edges = f->edges;
	f->graph.at = f->at;
}

/* All that infer_run() does before it comes to this. */
static void prepare(struct fixture *f)
{
	struct inference *i = &f->i;

	assert_ok(types_seal(&f->types));
	make_graph(f);
	f->image = open_words((const uint64_t (*)[512])f->words, SLAB, 1,
			      END_PFN, DIRECT);
	f->kernel.image = f->image;
	i->kernel = &f->kernel;
	i->graph = &f->graph;
	i->options = &f->options;
	i->held_out = UINT32_MAX;
	i->out.types = f->types;
	i->out.n_objects = N;
	i->out.type = calloc(N, sizeof(*i->out.type));
	i->out.from = calloc(N, sizeof(*i->out.from));
	i->out.where = calloc(N, sizeof(*i->out.where));
	i->out.confidence = calloc(N, 1);
	i->out.reason = calloc(N, 1);
	i->out.votes = calloc(N, 1);
	i->said = calloc(N, sizeof(*i->said));
	assert_ok(infer_fit_caches(i));
	assert_ok(infer_make_index(i));
	assert_ok(infer_read_words(i));
}

static void ask(struct fixture *f)
{
	prepare(f);
	assert_ok(infer_by_own(&f->i));
}

/* What has been said of an object before. */
static void say(struct fixture *f, uint32_t id, uint32_t type,
		enum infer_confidence confidence)
{
	f->i.out.type[id] = type;
	f->i.out.confidence[id] = (uint8_t)confidence;
	f->i.out.reason[id] = INFER_BY_PLACE;
}

static void check(const struct fixture *f, uint32_t id, uint32_t type,
		  enum infer_confidence confidence, enum infer_reason reason)
{
	assert_int_equal(f->i.out.type[id], type);
	assert_int_equal(f->i.out.confidence[id], confidence);
	assert_int_equal(f->i.out.reason[id], reason);
	if (reason == INFER_BY_FIT || reason == INFER_BY_GUESS)
		assert_int_equal(f->i.out.where[id], MODULE);
}

static void check_none(const struct fixture *f, uint32_t id)
{
	check(f, id, 0, INFER_NONE, INFER_NO_REASON);
}

static void destroy(struct fixture *f)
{
	struct inference *i = &f->i;

	infer_deinit(&i->out);
	inference_deinit(i);
	image_close(f->image);
	heap_deinit(&f->heap);
	sites_deinit(&f->sites);
	vec_deinit(&f->kernel.caches);
	vec_deinit(&f->kernel.modules);
}

/* ---- lists */

/* By its words an object is either; but on a list only one can be. */
static void test_list(void **state)
{
	struct fixture f;
	uint32_t linked, id;

	(void)state;
	make(&f);
	linked = add_struct(&f, "linked", "nlpp");
	add_struct(&f, "plain", "npppp");
	own(&f, MODULE, linked, false);
	for (id = 0; id < 3; id++) {
		fill(&f, id, "n00p");
		allocate(&f, id, BY_MODULE);
	}
	make_ring(&f, 0, 3, 1);
	ask(&f);
	for (id = 0; id < 3; id++)
		check(&f, id, linked, INFER_MEDIUM, INFER_BY_FIT);
	destroy(&f);
}

/* The same words, but nobody points back: that is no list. */
static void test_no_list(void **state)
{
	struct fixture f;
	uint32_t linked, id;

	(void)state;
	make(&f);
	linked = add_struct(&f, "linked", "nlpp");
	add_struct(&f, "plain", "npppp");
	own(&f, MODULE, linked, false);
	for (id = 0; id < 3; id++) {
		fill(&f, id, "n00p");
		put(&f, id, 5 + id, NUMBER); /* so that each looks different */
		point(&f, id, 1, id + 3, 8);
		point(&f, id, 2, id + 3, 16);
		allocate(&f, id, BY_MODULE);
	}
	/* Back to another place in it, and from another one. */
	point(&f, 4, 2, 1, 0);
	point(&f, 5, 3, 2, 8);
	ask(&f);
	for (id = 0; id < 3; id++)
		check_none(&f, id);
	destroy(&f);
}

/* One neighbour that points back is enough, on either side. */
static void test_one_neighbour(void **state)
{
	unsigned side;

	(void)state;
	for (side = 0; side < 2; side++) {
		struct fixture f;
		uint32_t linked;

		make(&f);
		linked = add_struct(&f, "linked", "nlpp");
		add_struct(&f, "plain", "npppp");
		own(&f, MODULE, linked, false);
		fill(&f, 0, "npp0p");
		allocate(&f, 0, BY_MODULE);
		point(&f, 0, 1 + side, 1, 24);
		point(&f, 1, 4 - side, 0, 8);
		ask(&f);
		check(&f, 0, linked, INFER_MEDIUM, INFER_BY_FIT);
		destroy(&f);
	}
}

/* What begins with its links may be what begins with its own pointers. */
static void test_list_at_start(void **state)
{
	struct fixture f;
	uint32_t type, id;

	(void)state;
	make(&f);
	type = add_struct(&f, "pointers", "pppnn");
	own(&f, MODULE, type, false);
	for (id = 0; id < 3; id++) {
		fill(&f, id, "00pn");
		allocate(&f, id, BY_MODULE);
	}
	make_ring(&f, 0, 3, 0);
	ask(&f);
	for (id = 0; id < 3; id++)
		check(&f, id, type, INFER_MEDIUM, INFER_BY_FIT);
	destroy(&f);
}

/* What looks the same as one that was answered is on a list, and is not it. */
static void test_list_alike(void **state)
{
	struct fixture f;
	uint32_t plain, id;

	(void)state;
	make(&f);
	plain = add_struct(&f, "plain", "npppp");
	own(&f, MODULE, plain, false);
	for (id = 0; id < 4; id++) {
		fill(&f, id, "nppp");
		allocate(&f, id, BY_MODULE);
	}
	make_ring(&f, 1, 3, 1);
	ask(&f);
	check(&f, 0, plain, INFER_MEDIUM, INFER_BY_FIT);
	for (id = 1; id < 4; id++)
		check_none(&f, id);
	destroy(&f);
}

/* ---- several that fit */

/* "small" leaves the sixth word of an object unexplained. */
static uint32_t add_two(struct fixture *f)
{
	uint32_t small = add_struct(f, "small", "nppnn");
	uint32_t large = add_struct(f, "large", "nppnnnn");

	own(f, MODULE, small, false);
	return large;
}

static void test_covers(void **state)
{
	struct fixture f;
	uint32_t large;

	(void)state;
	make(&f);
	large = add_two(&f);
	fill(&f, 0, "nppnnn");
	fill(&f, 1, "nppnn");    /* both cover it */
	fill(&f, 2, "nppnnnnn"); /* none does */
	allocate(&f, 0, BY_MODULE);
	allocate(&f, 1, BY_MODULE);
	allocate(&f, 2, BY_MODULE);
	ask(&f);
	check(&f, 0, large, INFER_LOW, INFER_BY_FIT);
	check_none(&f, 1);
	check_none(&f, 2);
	destroy(&f);
}

/* A hint makes no other hint more: not the first time, nor when its look is
 * known. */
static void test_hint_stays(void **state)
{
	struct fixture f;
	uint32_t large, id;

	(void)state;
	make(&f);
	large = add_two(&f);
	for (id = 0; id < 3; id++) {
		fill(&f, id, "nppnnn");
		allocate(&f, id, BY_MODULE);
	}
	prepare(&f);
	say(&f, 0, large, INFER_LOW);
	say(&f, 2, large, INFER_LOW);
	assert_ok(infer_by_own(&f.i));
	check(&f, 0, large, INFER_LOW, INFER_BY_PLACE);
	check(&f, 1, large, INFER_LOW, INFER_BY_FIT);
	check(&f, 2, large, INFER_LOW, INFER_BY_PLACE);
	destroy(&f);
}

/* The only one that fits need not cover it, and confirms a hint. */
static void test_only_one(void **state)
{
	struct fixture f;
	uint32_t type, id;

	(void)state;
	make(&f);
	type = add_struct(&f, "only", "nppnn");
	add_struct(&f, "typed", "npptn"); /* where a number is */
	own(&f, MODULE, type, false);
	add_struct(&f, "another", "npppn"); /* nobody's */
	for (id = 0; id < 4; id++) {
		fill(&f, id, "nppnnn");
		allocate(&f, id, BY_MODULE);
	}
	prepare(&f);
	say(&f, 1, type, INFER_LOW);
	say(&f, 2, f.list, INFER_LOW);
	say(&f, 3, type, INFER_HIGH);
	assert_ok(infer_by_own(&f.i));
	check(&f, 0, type, INFER_MEDIUM, INFER_BY_FIT);
	check(&f, 1, type, INFER_MEDIUM, INFER_BY_FIT);
	check(&f, 2, f.list, INFER_LOW, INFER_BY_PLACE);
	check(&f, 3, type, INFER_HIGH, INFER_BY_PLACE);
	destroy(&f);
}

/* ---- what is no candidate */

static void test_none(void **state)
{
	struct fixture f;
	uint32_t type, id;

	(void)state;
	make(&f);
	type = add_struct(&f, "small", "nppn");      /* of kmalloc-32 */
	add_struct(&f, "large", "nppnnnnnn");        /* too large */
	add_struct(&f, "numbers", "nnnnn");          /* pointers stand there */
	add_struct(&f, "one", "npnnn");              /* here as well */
	own(&f, MODULE, type, false);
	type = add_struct(&f, "others", "npppn");
	own(&f, OTHER_MODULE, type, false);
	for (id = 0; id < 5; id++)
		fill(&f, id, "nppnn");
	fill(&f, 5, "nn0nn"); /* no evidence */
	put(&f, 6, 1, ELSEWHERE); /* one pointer is none, either */
	allocate(&f, 0, BY_MODULE);
	allocate(&f, 1, BY_KERNEL);
	allocate(&f, 2, BY_GONE);
	allocate(&f, 4, BY_OTHER_MODULE);
	allocate(&f, 5, BY_OTHER_MODULE);
	allocate(&f, 6, BY_OTHER_MODULE);
	ask(&f);
	for (id = 0; id < 4; id++)
		check_none(&f, id);
	assert_int_equal(f.i.out.type[4], type);
	assert_int_equal(f.i.out.where[4], OTHER_MODULE);
	check_none(&f, 5);
	check_none(&f, 6);
	destroy(&f);
}

/* Too many to compare all: there may be another one among the rest. */
static void test_too_many(void **state)
{
	unsigned more;

	(void)state;
	for (more = 0; more < 2; more++) {
		struct fixture f;
		uint32_t type;
		unsigned j;

		make(&f);
		type = add_struct(&f, "only", "nppnn");
		for (j = 1; j < 256 + more; j++) {
			char name[32];

			snprintf(name, sizeof(name), "filler%u", j);
			add_struct(&f, name, "nnnnnn");
		}
		own(&f, MODULE, type, false);
		fill(&f, 0, "nppnn");
		allocate(&f, 0, BY_MODULE);
		ask(&f);
		if (more)
			check_none(&f, 0);
		else
			check(&f, 0, type, INFER_MEDIUM, INFER_BY_FIT);
		destroy(&f);
	}
}

/* ---- a guess: of a leak, where nobody says whose it is */

static void test_guess(void **state)
{
	struct fixture f;
	uint32_t type, id;

	(void)state;
	make(&f);
	type = add_struct(&f, "named", "nppnn");
	own(&f, MODULE, type, true);
	own(&f, OTHER_MODULE, add_struct(&f, "unnamed", "nppnn"), false);
	for (id = 0; id < 4; id++)
		fill(&f, id, "nppnn");
	bitmap_set(f.reached, 1);
	allocate(&f, 2, BY_KERNEL);
	prepare(&f);
	say(&f, 3, type, INFER_LOW);
	assert_ok(infer_by_own(&f.i));
	check(&f, 0, type, INFER_LOW, INFER_BY_GUESS);
	check_none(&f, 1);
	check_none(&f, 2);
	check(&f, 3, type, INFER_LOW, INFER_BY_PLACE);
	destroy(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_no_list),
		cmocka_unit_test(test_one_neighbour),
		cmocka_unit_test(test_list_at_start),
		cmocka_unit_test(test_list_alike),
		cmocka_unit_test(test_covers),
		cmocka_unit_test(test_hint_stays),
		cmocka_unit_test(test_only_one),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_guess),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
