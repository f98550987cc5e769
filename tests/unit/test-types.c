// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The reader of BTF on blobs made by hand, whole and damaged; and inference on
 * graphs made by hand, whose types are known as they were drawn.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "debuginfo/types.h"
#include "leak/infer.h"

#define DIRECT UINT64_C(0xffff888000000000)

/* ---- a blob */

struct blob {
	char types[4096], strings[1024];
	uint32_t types_bytes, strings_bytes, n;
	char whole[8192];
	size_t bytes;
};

static uint32_t add_string(struct blob *b, const char *s)
{
	uint32_t at = b->strings_bytes;

	if (!s[0])
		return 0;
	strcpy(b->strings + at, s);
	b->strings_bytes += (uint32_t)strlen(s) + 1;
	return at;
}

static void put(struct blob *b, uint32_t value)
{
	memcpy(b->types + b->types_bytes, &value, 4);
	b->types_bytes += 4;
}

static uint32_t add_type(struct blob *b, const char *name, unsigned kind,
			 unsigned vlen, uint32_t value)
{
	put(b, add_string(b, name));
	put(b, kind << 24 | vlen);
	put(b, value);
	return ++b->n;
}

static void add_member(struct blob *b, const char *name, uint32_t type,
		       uint32_t bytes)
{
	put(b, add_string(b, name));
	put(b, type);
	put(b, bytes * 8);
}

static void finish(struct blob *b)
{
	uint32_t header[6] = { 0x0001eb9f, 24, 0, b->types_bytes,
			       b->types_bytes, b->strings_bytes };

	memcpy(b->whole, header, 24);
	memcpy(b->whole + 24, b->types, b->types_bytes);
	memcpy(b->whole + 24 + b->types_bytes, b->strings, b->strings_bytes);
	b->bytes = 24 + b->types_bytes + b->strings_bytes;
}

/* struct list_head { *next, *prev }; struct item { long n; struct list_head
 * list; struct node *owner; } 40 bytes; struct node { struct node *next;
 * struct item *item; void *data; struct big *big; } 32 bytes; struct big {
 * long words[16]; struct node *node; } 136 bytes */
enum { INT = 1, LIST, LIST_P, NODE, NODE_P, ITEM, ITEM_P, VOID_P, CONST_ITEM,
       ALIAS, ARRAY, BIG, BIG_P };

static void make_blob(struct blob *b)
{
	memset(b, 0, sizeof(*b));
	b->strings_bytes = 1;
	add_type(b, "long", 1, 0, 8);
	put(b, 64);
	add_type(b, "list_head", 4, 2, 16);
	add_member(b, "next", LIST_P, 0);
	add_member(b, "prev", LIST_P, 8);
	add_type(b, "", 2, 0, LIST);
	add_type(b, "node", 4, 4, 32);
	add_member(b, "next", NODE_P, 0);
	add_member(b, "item", ITEM_P, 8);
	add_member(b, "data", VOID_P, 16);
	add_member(b, "big", BIG_P, 24);
	add_type(b, "", 2, 0, NODE);
	add_type(b, "item", 4, 3, 40);
	add_member(b, "n", INT, 0);
	add_member(b, "list", LIST, 8);
	add_member(b, "owner", NODE_P, 24);
	add_type(b, "", 2, 0, ALIAS);
	add_type(b, "", 2, 0, 0);
	add_type(b, "", 10, 0, ITEM);
	add_type(b, "item_t", 8, 0, CONST_ITEM);
	add_type(b, "", 3, 0, 0);
	put(b, INT);
	put(b, INT);
	put(b, 16);
	add_type(b, "big", 4, 2, 136);
	add_member(b, "words", ARRAY, 0);
	add_member(b, "node", NODE_P, 128);
	add_type(b, "", 2, 0, BIG);
	finish(b);
}

static void load(struct types *types, const struct blob *b)
{
	const struct types_btf btf = { .data = b->whole, .bytes = b->bytes };

	types_init(types);
	assert_non_null(vec_add(&types->records));
	assert_ok(types_add_btf(types, &btf));
	assert_ok(types_seal(types));
}

static uint32_t find(const struct types *types, const char *name)
{
	uint32_t first, n, type = types_find(types, name, &first, &n);

	assert_int_equal(n, 1);
	return type;
}

static void test_btf(void **state)
{
	struct types types;
	struct blob b;
	uint32_t target, member, first, n;
	uint64_t offset;
	bool overlaid;
	char path[64];

	(void)state;
	make_blob(&b);
	load(&types, &b);
	assert_int_equal(find(&types, "item"), ITEM);
	assert_int_equal(types_get(&types, ITEM)->size, 40);
	assert_int_equal(types_find(&types, "nothing", &first, &n), 0);
	assert_int_equal(n, 0);
	/* Through a typedef and a qualifier. */
	assert_true(types_pointer_at(&types, NODE, 8, &target, &overlaid));
	assert_int_equal(target, ITEM);
	assert_true(types_pointer_at(&types, NODE, 16, &target, &overlaid));
	assert_int_equal(target, 0);
	assert_true(types_pointer_at(&types, ITEM, 16, &target, &overlaid));
	assert_int_equal(target, LIST);
	assert_false(types_pointer_at(&types, ITEM, 0, &target, &overlaid));
	assert_true(types_embeds(&types, ITEM, 8, LIST));
	assert_false(types_embeds(&types, ITEM, 16, LIST));
	assert_true(types_path(&types, ITEM, 16, path, sizeof(path)));
	assert_string_equal(path, "list.prev");
	assert_true(types_path(&types, BIG, 24, path, sizeof(path)));
	assert_string_equal(path, "words[3]");
	assert_false(types_path(&types, NODE, 32, path, sizeof(path)));
	assert_true(types_member(&types, ITEM, "list.prev", &offset, &member));
	assert_int_equal(offset, 16);
	assert_false(types_member(&types, ITEM, "list.none", &offset, &member));
	assert_int_equal(types_struct_at(&types, ITEM, 8), LIST);
	types_deinit(&types);
}

/* What is damaged is refused or read, but does not lead anywhere else. */
static void ask_everything(struct types *types)
{
	uint32_t type, target;
	uint64_t offset;
	bool overlaid;
	char path[32];

	for (type = 0; type < types->records.size + 2; type++) {
		types_pointers(types, type);
		types_is_open(types, type);
		for (offset = 0; offset < 160; offset += 8) {
			types_pointer_at(types, type, offset, &target,
					 &overlaid);
			types_path(types, type, offset, path, sizeof(path));
			types_struct_at(types, type, offset);
			types_embeds(types, type, offset, 2);
		}
	}
}

static void try_blob(const char *data, size_t bytes)
{
	/* Where the sanitizers see what is read behind it. */
	char *copy = malloc(bytes + 1);
	struct types_btf btf = { .data = copy, .bytes = bytes };
	struct kml_error *error;
	struct types types;

	memcpy(copy, data, bytes);
	types_init(&types);
	assert_non_null(vec_add(&types.records));
	error = types_add_btf(&types, &btf);
	if (error) {
		assert_int_equal(kml_error_code(error), KML_ERR_CORRUPT);
		assert_int_equal(types.records.size, 1);
	}
	kml_error_destroy(error);
	assert_ok(types_seal(&types));
	ask_everything(&types);
	types_deinit(&types);
	free(copy);
}

static void test_damaged(void **state)
{
	uint64_t random = 1;
	struct blob b;
	size_t i, j;

	(void)state;
	make_blob(&b);
	for (i = 0; i < b.bytes; i++)
		try_blob(b.whole, i);
	for (i = 0; i < 4000; i++) {
		struct blob c = b;

		for (j = 0; j < 1 + i % 3; j++) {
			random = random * UINT64_C(6364136223846793005) + 1;
			c.whole[(random >> 33) % c.bytes] =
				(char)(random >> 20);
		}
		try_blob(c.whole, c.bytes);
	}
}

static void test_module(void **state)
{
	const void *strings;
	struct types types;
	struct blob b, m = { .strings_bytes = 0 };
	struct types_btf btf = { 0 };
	uint32_t target, mine;
	size_t bytes;
	bool overlaid;

	(void)state;
	make_blob(&b);
	load(&types, &b);
	assert_true(types_btf_strings(b.whole, b.bytes, &strings, &bytes));
	/* struct mine { struct item *item; struct mine *next; } */
	memset(&m, 0, sizeof(m));
	m.strings_bytes = 1;
	m.n = BIG_P;
	put(&m, (uint32_t)bytes + add_string(&m, "mine"));
	put(&m, 4 << 24 | 2);
	put(&m, 16);
	put(&m, 0);
	put(&m, ITEM_P);
	put(&m, 0);
	put(&m, 0);
	put(&m, BIG_P + 2);
	put(&m, 64);
	put(&m, 0);
	put(&m, 2 << 24);
	put(&m, BIG_P + 1);
	finish(&m);
	btf = (struct types_btf){ m.whole, m.bytes, strings, bytes,
				  types.n_btf };
	/* As if another module had been there before. */
	assert_ok(types_add_btf(&types, &btf));
	assert_ok(types_add_btf(&types, &btf));
	assert_ok(types_seal(&types));
	mine = find(&types, "mine"); /* the copy is not there any more */
	assert_true(types_pointer_at(&types, mine, 0, &target, &overlaid));
	assert_int_equal(target, ITEM);
	assert_true(types_pointer_at(&types, mine, 8, &target, &overlaid));
	assert_int_equal(target, mine);
	types_deinit(&types);
}

/* ---- inference */

#define N_NODES 8u
#define N 24u /* nodes, then objects of kmalloc-64 */
#define ITEM_ID(i) (N_NODES + (i))
#define VARIABLE UINT64_C(0xffffffff82000000) /* a list_head, where a root is */

struct fixture {
	struct heap heap;
	struct kernel kernel;
	struct graph graph;
	struct graph_edge edges[64];
	uint32_t at[64], from[64], n;
	struct infer infer;
};

static void add_slab(struct fixture *f, const char *name, uint64_t va,
		     uint32_t bytes, uint32_t n)
{
	struct kernel_cache cache = {
		.slot_bytes = bytes, .object_bytes = bytes, .n_users = 1,
		.n_objects = n,
	};
	struct heap_region r = {
		.va = va, .bytes = 4096, .object_bytes = bytes,
		.slot_bytes = bytes, .n_objects = n,
		.owner = (uint32_t)f->kernel.caches.size,
	};
	uint32_t index;

	strcpy(cache.name, name);
	assert_true(vec_push(&f->kernel.caches, cache));
	assert_ok(heap_add(&f->heap, &r, &index));
}

static void make(struct fixture *f)
{
	memset(f, 0, sizeof(*f));
	assert_ok(heap_init(&f->heap, DIRECT, 16, UINT64_C(0xffffea0000000000),
			    64));
	f->kernel.heap = &f->heap;
	f->kernel.direct_va = DIRECT;
	f->kernel.end_pfn = 16;
	add_slab(f, "node", DIRECT, 32, N_NODES);
	add_slab(f, "kmalloc-64", DIRECT + 4096, 64, N - N_NODES);
	add_slab(f, "kmalloc-32", DIRECT + 8192, 32, 0);
	assert_ok(heap_seal(&f->heap));
}

static void point(struct fixture *f, uint32_t from, uint32_t offset,
		  uint32_t to, uint32_t at)
{
	f->from[f->n] = from;
	f->edges[f->n].to = to;
	f->edges[f->n].where = offset / 8 | HEAP_REF_ADDRESS << 29;
	f->at[f->n++] = at;
}

/* Edges were drawn in order of their sources. */
static void infer_all(struct fixture *f,
		      const struct infer_override *overrides, size_t n)
{
	struct infer_options options = {
		.overrides = overrides, .n_overrides = n,
		.held_out = UINT32_MAX,
	};
	struct types types;
	struct blob b;
	uint32_t i, j = 0;

	make_blob(&b);
	load(&types, &b);
	if (f->kernel.roots.size) {
		const struct type_variable variable = { VARIABLE, LIST, 0 };

		assert_true(vec_push(&types.variables, variable));
		assert_ok(types_seal(&types));
	}
	f->graph.n_objects = N;
	f->graph.n_sources = N + (uint32_t)f->kernel.roots.size;
	f->graph.n_edges = f->n;
	f->graph.edges = f->edges;
	f->graph.at = f->at;
	f->graph.first = calloc(f->graph.n_sources + 1u,
				sizeof(*f->graph.first));
	for (i = 0; i < f->graph.n_sources; i++) {
		f->graph.first[i] = j;
		while (j < f->n && f->from[j] == i)
			j++;
	}
	f->graph.first[f->graph.n_sources] = j;
	assert_int_equal(j, f->n);
	assert_ok(infer_run(&f->kernel, &f->graph, &types, &options,
			    &f->infer));
}

static void destroy(struct fixture *f)
{
	infer_deinit(&f->infer);
	free(f->graph.first);
	vec_deinit(&f->kernel.caches);
	vec_deinit(&f->kernel.roots);
	heap_deinit(&f->heap);
}

static void test_pointers(void **state)
{
	struct fixture f;
	char path[32];

	(void)state;
	make(&f);
	point(&f, 0, 8, ITEM_ID(0), 0);  /* node.item: an item */
	point(&f, 1, 8, ITEM_ID(0), 0);
	point(&f, 1, 16, ITEM_ID(1), 0); /* node.data: anything */
	point(&f, 2, 24, ITEM_ID(2), 0); /* node.big: does not fit */
	point(&f, 3, 8, ITEM_ID(3), 8);  /* node.item, but not its start */
	infer_all(&f, NULL, 0);
	assert_int_equal(f.infer.type[0], NODE);
	assert_int_equal(f.infer.confidence[0], INFER_KNOWN);
	assert_int_equal(f.infer.reason[0], INFER_BY_CACHE);
	assert_int_equal(f.infer.type[ITEM_ID(0)], ITEM);
	assert_int_equal(f.infer.reason[ITEM_ID(0)], INFER_BY_POINTER);
	assert_true(f.infer.confidence[ITEM_ID(0)] >= INFER_MEDIUM);
	assert_true(infer_member(&f.infer, ITEM_ID(0), 24, path,
				 sizeof(path)));
	assert_string_equal(path, "owner");
	assert_int_equal(f.infer.type[ITEM_ID(1)], 0);
	assert_int_equal(f.infer.type[ITEM_ID(2)], 0);
	assert_int_equal(f.infer.type[ITEM_ID(3)], 0);
	assert_false(infer_member(&f.infer, ITEM_ID(1), 0, path,
				  sizeof(path)));
	destroy(&f);
}

/* A node that is an item for another one: who is right nobody knows. */
static void test_conflict(void **state)
{
	struct fixture f;

	(void)state;
	make(&f);
	point(&f, 0, 0, ITEM_ID(0), 0);
	point(&f, 0, 8, ITEM_ID(1), 0);
	point(&f, 1, 8, ITEM_ID(0), 0);
	infer_all(&f, NULL, 0);
	assert_int_equal(f.infer.type[ITEM_ID(1)], ITEM);
	assert_true(f.infer.confidence[ITEM_ID(0)] <= INFER_LOW);
	destroy(&f);
}

/* What void pointers of nodes lead to, if other such are known. */
static void test_place(void **state)
{
	struct fixture f;
	uint32_t i;

	(void)state;
	make(&f);
	for (i = 0; i < 6; i++) {
		point(&f, i, 8, ITEM_ID(i), 0);
		point(&f, i, 16, ITEM_ID(i), 0);
	}
	point(&f, 6, 16, ITEM_ID(6), 0);
	infer_all(&f, NULL, 0);
	assert_int_equal(f.infer.type[ITEM_ID(6)], ITEM);
	assert_int_equal(f.infer.reason[ITEM_ID(6)], INFER_BY_PLACE);
	assert_int_equal(f.infer.confidence[ITEM_ID(6)], INFER_MEDIUM);
	destroy(&f);
}

/* A list that a variable heads, of items of which @n are known; the last two
 * only by it. */
static void make_list(struct fixture *f, uint32_t n)
{
	const struct kernel_root root = {
		.start_va = VARIABLE, .bytes = 16,
		.kind = ROOT_SECTION,
	};
	uint32_t i;

	make(f);
	assert_true(vec_push(&f->kernel.roots, root));
	for (i = 0; i < n; i++) {
		point(f, i, 0, (i + 1) % n, 0); /* so that it is two's word */
		point(f, i, 8, ITEM_ID(i), 0);
	}
	for (i = 0; i < n + 2; i++) {
		if (i < n + 1)
			point(f, ITEM_ID(i), 8, ITEM_ID(i + 1), 8);
		if (i)
			point(f, ITEM_ID(i), 16, ITEM_ID(i - 1), 8);
		if (i < n)
			point(f, ITEM_ID(i), 24, i, 0);
	}
	point(f, N, 0, ITEM_ID(0), 8);
	point(f, N, 8, ITEM_ID(n + 1), 8);
}

static void test_list(void **state)
{
	struct fixture f;

	(void)state;
	make_list(&f, 5);
	infer_all(&f, NULL, 0);
	assert_int_equal(f.infer.confidence[ITEM_ID(4)], INFER_HIGH);
	assert_int_equal(f.infer.type[ITEM_ID(6)], ITEM);
	assert_int_equal(f.infer.reason[ITEM_ID(6)], INFER_BY_PLACE);
	assert_int_equal(f.infer.confidence[ITEM_ID(6)], INFER_HIGH);
	assert_int_equal(f.infer.from[ITEM_ID(6)], N);
	destroy(&f);
	/* Two are no rule yet. */
	make_list(&f, 2);
	infer_all(&f, NULL, 0);
	assert_int_equal(f.infer.type[ITEM_ID(3)], ITEM);
	assert_int_equal(f.infer.confidence[ITEM_ID(3)], INFER_LOW);
	destroy(&f);
}

static void test_override(void **state)
{
	const struct infer_override override = { ITEM_ID(0), NODE };
	struct fixture f;

	(void)state;
	make(&f);
	point(&f, ITEM_ID(0), 8, ITEM_ID(1), 0);
	point(&f, ITEM_ID(1), 24, ITEM_ID(2), 0);
	infer_all(&f, &override, 1);
	assert_int_equal(f.infer.reason[ITEM_ID(0)], INFER_BY_USER);
	assert_int_equal(f.infer.type[ITEM_ID(1)], ITEM);
	assert_int_equal(f.infer.type[ITEM_ID(2)], NODE);
	destroy(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_btf),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_module),
		cmocka_unit_test(test_pointers),
		cmocka_unit_test(test_conflict),
		cmocka_unit_test(test_place),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_override),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
