// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Counts of structs of any type: which of them are looked at, when a type is
 * judged, and what counts as a reference.
 */
#include "unit.h"
#include "words_image.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "graph/overrides.h"
#include "leak/refcount_other.h"
#include "made_types.h"

#define DIRECT UINT64_C(0xffff888000000000)
#define VMEMMAP UINT64_C(0xffffea0000000000)
#define END_PFN 16u
#define SLAB 2u    /* of two pages, of which the dump lacks the second */
#define IN_PAGE 64u
#define N (2 * IN_PAGE)
#define OBJECT_BYTES 64u
#define MAX_EDGES 512u

struct fixture {
	uint64_t words[1][512];
	struct image *image;
	struct heap heap;
	struct kernel kernel;
	struct graph graph;
	struct graph_edge edges[MAX_EDGES];
	uint32_t at[MAX_EDGES];
	struct graph_disregarded disregarded[8];
	struct infer infer;
	uint32_t type[N];
	uint8_t confidence[N];
	uint64_t reached[N / 64];
	uint8_t skip[64]; /* by type */
	uint32_t number, atomic, atomic64, refcount, kref, list;
	struct refcounts found;
};

/* ---- types */

static uint32_t add_struct(struct fixture *f, const char *name, uint32_t bytes)
{
	return made_type(&f->infer.types, TYPE_STRUCT, name, bytes, 0);
}

static void add_member(struct fixture *f, uint32_t to, const char *name,
		       uint32_t type, uint32_t offset)
{
	made_member(&f->infer.types, to, name, type, offset);
}

static void make_types(struct fixture *f)
{
	struct types *types = &f->infer.types;
	uint32_t number32;

	made_types_init(types);
	number32 = made_type(types, TYPE_INTEGER, "int", 4, 0);
	f->number = made_type(types, TYPE_INTEGER, "long", 8, 0);
	f->atomic = add_struct(f, "atomic_t", 4);
	add_member(f, f->atomic, "counter", number32, 0);
	f->atomic64 = add_struct(f, "atomic64_t", 8);
	add_member(f, f->atomic64, "counter", f->number, 0);
	f->refcount = add_struct(f, "refcount_struct", 4);
	add_member(f, f->refcount, "refs", f->atomic, 0);
	f->kref = add_struct(f, "kref", 4);
	add_member(f, f->kref, "refcount", f->refcount, 0);
	f->list = add_struct(f, "list_head", 16);
	add_member(f, f->list, "next", f->number, 0);
	add_member(f, f->list, "prev", f->number, 8);
}

#define COUNT_AT 8u
#define LIST_AT 16u

/* A count at 8, and a list_head at 16. */
static uint32_t add_counted(struct fixture *f, const char *name,
			    uint32_t count_type, const char *count_name)
{
	uint32_t type = add_struct(f, name, OBJECT_BYTES);

	add_member(f, type, "number", f->number, 0);
	add_member(f, type, count_name, count_type, COUNT_AT);
	add_member(f, type, "list", f->list, LIST_AT);
	return type;
}

/* ---- objects */

static void make(struct fixture *f)
{
	struct heap_region slab = {
		.va = DIRECT + SLAB * 4096, .bytes = 2 * 4096,
		.object_bytes = OBJECT_BYTES, .slot_bytes = OBJECT_BYTES,
		.n_objects = N,
	};
	uint32_t index;

	memset(f, 0, sizeof(*f));
	memset(f->reached, 0xff, sizeof(f->reached));
	memset(f->confidence, INFER_HIGH, sizeof(f->confidence));
	make_types(f);
	assert_ok(heap_init(&f->heap, DIRECT, END_PFN, VMEMMAP, 64));
	assert_ok(heap_add(&f->heap, &slab, &index));
	assert_ok(heap_seal(&f->heap));
	f->kernel.heap = &f->heap;
	f->kernel.direct_va = DIRECT;
	f->kernel.end_pfn = END_PFN;
	f->infer.n_objects = f->graph.n_objects = N;
	f->infer.type = f->type;
	f->infer.confidence = f->confidence;
	f->graph.edges = f->edges;
	f->graph.at = f->at;
	f->graph.disregarded = f->disregarded;
}

static void refer(struct fixture *f, uint32_t to, uint32_t at)
{
	f->edges[f->graph.n_edges].to = to;
	f->edges[f->graph.n_edges].where = HEAP_REF_ADDRESS << 29;
	f->at[f->graph.n_edges++] = at;
	assert_true(f->graph.n_edges < MAX_EDGES);
}

/* The int at a place of an object. */
static void put(struct fixture *f, uint32_t id, unsigned offset, uint64_t value)
{
	unsigned at = id * OBJECT_BYTES + offset;

	f->words[0][at / 8] |= value << at % 8 * 8;
}

/* An object with so many references, and a count of these and @more. */
static void add(struct fixture *f, uint32_t id, uint32_t type,
		unsigned references, unsigned more)
{
	unsigned j;

	f->type[id] = type;
	put(f, id, COUNT_AT, references + more);
	for (j = 0; j < references; j++)
		refer(f, id, 0);
}

/* Objects from @first on whose counts say something, the last @above of
 * which are above all references. */
static void add_many(struct fixture *f, uint32_t first, uint32_t type,
		     unsigned n, unsigned above)
{
	unsigned j;

	for (j = 0; j < n; j++)
		add(f, first + j, type, 2, j >= n - above);
}

static void find(struct fixture *f)
{
	assert_ok(types_seal(&f->infer.types));
	f->image = open_words((const uint64_t (*)[512])f->words, SLAB, 1,
			      END_PFN, DIRECT);
	f->kernel.image = f->image;
	assert_ok(refcounts_add_others(&f->kernel, &f->graph, &f->infer,
				       f->skip, f->reached, &f->found));
}

static void check(const struct fixture *f, uint64_t types_checked,
		  uint64_t types_left_out, uint64_t objects, size_t suspects)
{
	assert_int_equal(f->found.types_checked, types_checked);
	assert_int_equal(f->found.types_left_out, types_left_out);
	assert_int_equal(f->found.checked[REFCOUNT_OTHER], objects);
	assert_int_equal(f->found.suspects.size, suspects);
}

static void destroy(struct fixture *f)
{
	image_close(f->image);
	heap_deinit(&f->heap);
	types_deinit(&f->infer.types);
	vec_deinit(&f->kernel.gaps);
	vec_deinit(&f->found.suspects);
}

/* ---- when a type is judged */

/* @n objects whose counts say something, @above of them too high, and two with
 * a count of 1 and of 0, which say nothing. */
static void try_type(unsigned n, unsigned above, bool is_judged)
{
	struct fixture f;
	uint32_t type, j;

	make(&f);
	type = add_counted(&f, "counted", f.kref, "ref");
	add_many(&f, 0, type, n, above);
	add(&f, n, type, 0, 1);
	add(&f, n + 1, type, 0, 0);
	find(&f);
	check(&f, is_judged, !is_judged && above, is_judged ? n + 1 : 0,
	      is_judged ? above : 0);
	for (j = 0; j < f.found.suspects.size; j++) {
		const struct refcount_suspect *s = &f.found.suspects.data[j];

		assert_int_equal(s->id, n - above + j);
		assert_int_equal(s->kind, REFCOUNT_OTHER);
		assert_int_equal(s->va, heap_object_va(&f.heap, s->id));
		assert_int_equal(s->count, 3);
		assert_int_equal(s->references, 2);
		assert_int_equal(s->links, 0);
		assert_string_equal(s->type, "counted");
		assert_string_equal(s->member, "ref");
	}
	destroy(&f);
}

static void test_judged(void **state)
{
	(void)state;
	/* At least 8... */
	try_type(7, 0, false);
	try_type(7, 1, false);
	try_type(8, 0, true);
	try_type(8, 1, true);
	/* ... and a seventh of them at most. */
	try_type(8, 2, false);
	try_type(13, 2, false);
	try_type(14, 2, true);
	try_type(14, 3, false);
	try_type(14, 14, false);
}

/* Each type, and each place, for itself. */
static void test_each(void **state)
{
	struct fixture f;
	uint32_t good, bad, j;

	(void)state;
	make(&f);
	good = add_counted(&f, "good", f.refcount, "whatever");
	add_member(&f, good, "users", f.atomic, 32);
	bad = add_counted(&f, "bad", f.atomic, "usage");
	add_many(&f, 0, good, 9, 1);
	add_many(&f, 20, bad, 9, 9);
	for (j = 0; j < 9; j++)
		put(&f, j, 32, 50); /* it counts something else */
	find(&f);
	check(&f, 1, 2, 9, 1);
	assert_int_equal(f.found.suspects.data[0].id, 8);
	assert_string_equal(f.found.suspects.data[0].member, "whatever");
	destroy(&f);
}

/* ---- what is a count */

/* How many types are looked at if that is what they have. */
static void try_count(uint32_t (*make_type)(struct fixture *), unsigned expected,
		      const char *member)
{
	struct fixture f;

	make(&f);
	add_many(&f, 0, make_type(&f), 8, 1);
	find(&f);
	check(&f, expected, 0, expected * 8, expected);
	if (expected)
		assert_string_equal(f.found.suspects.data[0].member, member);
	destroy(&f);
}

static uint32_t make_atomic(struct fixture *f)
{
	return add_counted(f, "type", f->atomic, "refcnt");
}

static uint32_t make_wide(struct fixture *f)
{
	return add_counted(f, "type", f->atomic64, "usage");
}

static uint32_t make_other_name(struct fixture *f)
{
	return add_counted(f, "type", f->atomic, "pending");
}

static uint32_t make_integer(struct fixture *f)
{
	return add_counted(f, "type", f->number, "refcnt");
}

static uint32_t make_part(struct fixture *f)
{
	uint32_t inner = add_struct(f, "inner", 4);

	add_member(f, inner, "count", f->atomic, 0);
	return add_counted(f, "type", inner, "part");
}

static uint32_t make_unnamed(struct fixture *f)
{
	uint32_t inner = add_struct(f, "", 4);

	add_member(f, inner, "count", f->atomic, 0);
	return add_counted(f, "type", inner, "");
}

/* struct device { ...; struct kobject kobj; } */
static uint32_t make_kobject(struct fixture *f)
{
	uint32_t inner = add_struct(f, "kobject", 4);

	add_member(f, inner, "kref", f->kref, 0);
	return add_counted(f, "device", inner, "kobj");
}

static uint32_t make_semaphore(struct fixture *f)
{
	uint32_t inner = add_struct(f, "rw_semaphore", 8);

	add_member(f, inner, "count", f->atomic64, 0);
	return add_counted(f, "type", inner, "sem");
}

static uint32_t make_union(struct fixture *f)
{
	uint32_t inner = made_type(&f->infer.types, TYPE_UNION, "", 8, 0);

	add_member(f, inner, "kref", f->kref, 0);
	add_member(f, inner, "pointer", f->number, 0);
	return add_counted(f, "type", inner, "");
}

static uint32_t make_array(struct fixture *f)
{
	uint32_t array = made_type(&f->infer.types, TYPE_ARRAY, "", 8, f->kref);

	f->infer.types.records.data[array].count = 2;
	return add_counted(f, "type", array, "refs");
}

static void test_counts(void **state)
{
	(void)state;
	try_count(make_atomic, 1, "refcnt");
	try_count(make_wide, 1, "usage");
	try_count(make_part, 1, "part.count");
	try_count(make_unnamed, 1, "count");
	try_count(make_other_name, 0, NULL);
	try_count(make_integer, 0, NULL);
	try_count(make_kobject, 0, NULL);
	try_count(make_semaphore, 0, NULL);
	try_count(make_union, 0, NULL);
	try_count(make_array, 0, NULL);
}

/* A kobject's count is left out, another one of the same struct is not. */
static void test_beside_kobject(void **state)
{
	struct fixture f;
	uint32_t kobject, type, j;

	(void)state;
	make(&f);
	kobject = add_struct(&f, "kobject", 8);
	add_member(&f, kobject, "kref", f.kref, 0);
	type = add_struct(&f, "type", OBJECT_BYTES);
	add_member(&f, type, "kobj", kobject, 0);
	add_member(&f, type, "ref", f.kref, COUNT_AT);
	add_many(&f, 0, type, 8, 1);
	for (j = 0; j < 8; j++)
		put(&f, j, 0, 4);
	find(&f);
	check(&f, 1, 0, 8, 1);
	assert_string_equal(f.found.suspects.data[0].member, "ref");
	destroy(&f);
}

/* ---- what counts as an object, and as a reference */

static void test_objects(void **state)
{
	struct fixture f;
	uint32_t type, skipped;

	(void)state;
	make(&f);
	type = add_counted(&f, "type", f.kref, "ref");
	skipped = add_counted(&f, "skipped", f.kref, "ref");
	f.skip[skipped] = 1;
	add_many(&f, 0, type, 15, 1);
	add_many(&f, 20, skipped, 8, 1);
	/* Who is not well known, or no object to be held; eight are left. */
	f.confidence[0] = INFER_MEDIUM;
	bitmap_set(f.heap.free, 1);
	bitmap_set(f.heap.waiting, 2);
	bitmap_clear(f.reached, 3);
	bitmap_set(f.heap.unreadable, 4);
	put(&f, 5, COUNT_AT, 1 << 25);               /* too many */
	put(&f, 6, COUNT_AT, UINT32_C(0xc0000000));  /* saturated */
	f.type[IN_PAGE] = type;                      /* not in the dump */
	find(&f);
	check(&f, 1, 0, 8, 1);
	assert_int_equal(f.found.suspects.data[0].id, 14);
	destroy(&f);
}

/* A list_head that is referred to may count once, however often it is; what
 * is known to be no reference may be one as well. */
static void test_references(void **state)
{
	struct fixture f;
	uint32_t type, id;

	(void)state;
	make(&f);
	type = add_counted(&f, "type", f.kref, "ref");
	add_many(&f, 0, type, 21, 0);
	for (id = 18; id < 21; id++) {
		refer(&f, id, LIST_AT);
		refer(&f, id, LIST_AT);
	}
	put(&f, 18, COUNT_AT, 3); /* 2 | 3: two, and the list */
	put(&f, 19, COUNT_AT, 4); /* 2 | 4: three more */
	/* Not the list_head, but words of it, or where nobody knows. */
	refer(&f, 20, LIST_AT + 8);
	refer(&f, 20, GRAPH_AT_UNKNOWN);
	refer(&f, 20, LIST_AT);
	f.edges[f.graph.n_edges - 1].where |= GRAPH_WORD_NONE;
	put(&f, 20, COUNT_AT, 4); /* 6: two, the list, and three */
	/* It is said not to be one. */
	put(&f, 5, COUNT_AT, 1); /* 3 */
	f.disregarded[0] = (struct graph_disregarded){
		.to = 5, .why = DISREGARD_OWNER,
	};
	f.graph.n_disregarded = 1;
	find(&f);
	check(&f, 1, 0, 21, 1);
	assert_int_equal(f.found.suspects.data[0].id, 19);
	assert_int_equal(f.found.suspects.data[0].count, 6);
	assert_int_equal(f.found.suspects.data[0].references, 3);
	assert_int_equal(f.found.suspects.data[0].links, 1);
	destroy(&f);
}

/* What begins with a list_head is referred to by the same words as that. */
static void test_list_at_start(void **state)
{
	struct fixture f;
	uint32_t type, id;

	(void)state;
	make(&f);
	type = add_struct(&f, "type", OBJECT_BYTES);
	add_member(&f, type, "list", f.list, 0);
	add_member(&f, type, "ref", f.kref, 24);
	for (id = 0; id < 8; id++) {
		f.type[id] = type;
		put(&f, id, 24, 2);
		refer(&f, id, 0);
		refer(&f, id, 0);
	}
	put(&f, 7, 24, 1); /* 2 | 1: three */
	find(&f);
	check(&f, 1, 0, 8, 1);
	assert_int_equal(f.found.suspects.data[0].id, 7);
	destroy(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judged),
		cmocka_unit_test(test_each),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_beside_kobject),
		cmocka_unit_test(test_objects),
		cmocka_unit_test(test_references),
		cmocka_unit_test(test_list_at_start),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
