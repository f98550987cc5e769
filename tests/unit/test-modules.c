// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Types out of a file that is not linked, and how they are put to those of a
 * kernel.  The module is compiled by `make check` from
 * tests/unit/fixture/module; what it has is written there.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "debuginfo/elf_file.h"
#include "debuginfo/types.h"

#define MODULE FIXTURES "/fixture-module.ko"
#define PROGRAM FIXTURES "/fixture-dwarf5.elf"

struct found {
	const char *name;
	uint64_t address;
	unsigned n;
};

static bool note_symbol(void *arg, const char *name, uint32_t section,
			uint64_t offset)
{
	struct found *found = arg;

	if (!strcmp(name, found->name)) {
		found->address = (uint64_t)section << ELF_SECTION_SHIFT | offset;
		found->n++;
	}
	return true;
}

static void load(struct types *types)
{
	struct elf_file file;

	assert_ok(elf_file_open_module(MODULE, &file));
	assert_ok(types_load_module(types, &file, ""));
	assert_ok(types_seal(types));
	elf_file_close(&file);
}

static uint32_t find(const struct types *types, const char *name, uint32_t n_want)
{
	uint32_t first, n, type = types_find(types, name, &first, &n);

	assert_int_equal(n, n_want);
	return type;
}

static const struct type_variable *variable(const struct types *types,
					    const char *name)
{
	size_t i;

	for (i = 0; i < types->variables.size; i++)
		if (!strcmp(string_pool_get(&types->strings,
					    types->variables.data[i].name),
			    name))
			return &types->variables.data[i];
	return NULL;
}

/* Names, offsets and addresses are all in relocations. */
static void test_relocated(void **state)
{
	static const char *const names[] = { "own_head", "own_first",
					     "own_items", "own_node" };
	struct elf_file file;
	struct types types;
	uint64_t offset;
	uint32_t own, type;
	size_t i;

	(void)state;
	assert_ok(elf_file_open_module(MODULE, &file));
	assert_true(file.build_id_bytes > 0);
	load(&types);
	own = find(&types, "own", 1);
	assert_int_equal(types_get(&types, own)->size, 48);
	assert_true(types_member(&types, own, "part.name", &offset, &type));
	assert_int_equal(offset, 24);
	assert_string_equal(types_name(&types, types_get(&types, type)->target),
			    "char");
	assert_true(types_member(&types, own, "part.more", &offset, &type));
	assert_int_equal(types_get(&types, find(&types, "node", 1))->size, 32);
	for (i = 0; i < ARRAY_SIZE(names); i++) {
		struct found found = { .name = names[i] };
		const struct type_variable *v = variable(&types, names[i]);

		assert_non_null(v);
		assert_true(elf_module_symbols(&file, note_symbol, &found));
		assert_int_equal(found.n, 1);
		assert_int_equal(v->address, found.address);
	}
	types_deinit(&types);
	elf_file_close(&file);
}

static void test_refused(void **state)
{
	struct elf_file file = { .fd = -1 };

	(void)state;
	assert_fails(KML_ERR_FORMAT, elf_file_open(MODULE, false, &file));
	assert_fails(KML_ERR_FORMAT, elf_file_open_module(PROGRAM, &file));
	assert_fails(KML_ERR_OS,
		     elf_file_open_module(FIXTURES "/nothing.ko", &file));
}

/* ---- with a kernel's */

static uint32_t add_type(struct types *types, const char *name,
			 struct type_info record)
{
	assert_true(string_pool_add(&types->strings, name, &record.name));
	assert_true(vec_push(&types->records, record));
	return (uint32_t)types->records.size - 1;
}

static void add_member(struct types *types, uint32_t to, const char *name,
		       uint32_t type, uint32_t offset)
{
	struct type_member member = { .type = type, .offset = offset };
	struct type_info *record = &types->records.data[to];

	assert_true(string_pool_add(&types->strings, name, &member.name));
	if (!record->n_members)
		record->first_member = (uint32_t)types->members.size;
	record->n_members++;
	assert_true(vec_push(&types->members, member));
}

struct kernel_types {
	struct types types;
	uint32_t list, list_p, number, item, node, node_p;
};

/* struct node has three members, not two. */
static void make_kernel(struct kernel_types *k)
{
	struct types *t = &k->types;

	types_init(t);
	assert_non_null(vec_add(&t->records));
	k->number = add_type(t, "long int", (struct type_info){
				     .kind = TYPE_INTEGER, .size = 8 });
	k->list = add_type(t, "list_head", (struct type_info){
				   .kind = TYPE_STRUCT, .size = 16 });
	k->list_p = add_type(t, "", (struct type_info){
			.kind = TYPE_POINTER, .size = 8, .target = k->list });
	k->item = add_type(t, "item", (struct type_info){
				   .kind = TYPE_STRUCT, .size = 32 });
	k->node = add_type(t, "node", (struct type_info){
				   .kind = TYPE_STRUCT, .size = 32 });
	k->node_p = add_type(t, "", (struct type_info){
			.kind = TYPE_POINTER, .size = 8, .target = k->node });
	add_member(t, k->list, "next", k->list_p, 0);
	add_member(t, k->list, "prev", k->list_p, 8);
	add_member(t, k->item, "n", k->number, 0);
	add_member(t, k->item, "list", k->list, 8);
	add_member(t, k->item, "owner", k->node_p, 24);
	add_member(t, k->node, "one", k->number, 0);
	add_member(t, k->node, "two", k->number, 8);
	add_member(t, k->node, "three", k->number, 16);
	assert_ok(types_seal(t));
}

static void merge(struct types *to, const struct types *from, uint64_t base)
{
	struct types_index *index;
	uint64_t bases[64];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(bases); i++)
		bases[i] = base == UINT64_MAX ? base : base + i * 0x10000;
	assert_ok(types_index_create(to, &index));
	assert_ok(types_merge(to, index, from, bases, ARRAY_SIZE(bases)));
	types_index_destroy(index);
	assert_ok(types_seal(to));
}

static void test_merge(void **state)
{
	const uint64_t base = UINT64_C(0xffffffffc0000000);
	struct kernel_types k;
	struct types module;
	uint32_t own, target, type;
	const struct type_variable *v;
	uint64_t offset;
	bool overlaid;
	size_t n;

	(void)state;
	make_kernel(&k);
	load(&module);
	merge(&k.types, &module, base);
	/* What is the same is the kernel's; what only has its name is not. */
	assert_int_equal(find(&k.types, "list_head", 1), k.list);
	assert_int_equal(find(&k.types, "item", 1), k.item);
	assert_int_equal(find(&k.types, "node", 2), k.node);
	own = find(&k.types, "own", 1);
	assert_true(types_member(&k.types, own, "list", &offset, &type));
	assert_int_equal(type, k.list);
	assert_true(types_pointer_at(&k.types, own, 16, &target, &overlaid));
	assert_int_equal(target, k.item);
	v = variable(&k.types, "own_first");
	assert_int_equal(v->address, base + (variable(&module, "own_first")
						     ->address >> 32) * 0x10000 +
					     (uint32_t)variable(&module, "own_first")
						     ->address);
	assert_int_equal(v->type, own);
	assert_ptr_equal(types_variable(&k.types, v->address + 40), v);
	/* Once more: all is there, but the variables. */
	n = k.types.records.size;
	merge(&k.types, &module, UINT64_MAX);
	assert_int_equal(find(&k.types, "own", 1), own);
	assert_in_range(k.types.records.size, n, n + 8);
	types_deinit(&module);
	types_deinit(&k.types);
}

static bool fails(struct kml_error *error)
{
	bool failed = error;

	kml_error_destroy(error);
	return failed;
}

/* Whatever is in the file: an error or fewer types. */
static void test_damaged(void **state)
{
	char path[] = "/tmp/kml-module.XXXXXX";
	uint64_t seed = 88172645463325252u;
	FILE *in = fopen(MODULE, "rb");
	struct kernel_types k;
	struct elf_file file;
	struct types types;
	char *data, *copy;
	size_t bytes, i;
	int fd;

	(void)state;
	assert_non_null(in);
	data = malloc(1 << 20);
	copy = malloc(1 << 20);
	assert_true(data && copy);
	bytes = fread(data, 1, 1 << 20, in);
	fclose(in);
	fd = mkstemp(path);
	assert_true(fd >= 0);
	for (i = 0; i < 400; i++) {
		unsigned flips;

		memcpy(copy, data, bytes);
		for (flips = 0; flips < 1 + i % 40; flips++) {
			seed ^= seed << 13;
			seed ^= seed >> 7;
			seed ^= seed << 17;
			copy[seed % bytes] ^= (char)(1u << (seed >> 60 & 7));
		}
		assert_int_equal(pwrite(fd, copy, bytes, 0), bytes);
		if (fails(elf_file_open_module(path, &file)))
			continue;
		if (!fails(types_load_module(&types, &file, ""))) {
			make_kernel(&k);
			merge(&k.types, &types, 0);
			types_deinit(&k.types);
			types_deinit(&types);
		}
		elf_file_close(&file);
	}
	close(fd);
	unlink(path);
	free(data);
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_relocated),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_damaged),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
