// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Modules that are there, by either layout that kernels have, and memory of
 * such as are gone: which of it is kept, and what is code of whom.
 */
#include "unit.h"
#include "words_image.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kernel/gone.h"
#include "kernel/symbol.h"
#include "made_profile.h"

#define DIRECT UINT64_C(0xffff888000000000)
#define VMEMMAP UINT64_C(0xffffea0000000000)
#define VMALLOC UINT64_C(0xffffc90000000000)
#define IMAGE UINT64_C(0xffffffff80000000)
#define MODULES UINT64_C(0xffffffffc0000000)
#define MODULES_END UINT64_C(0xffffffffff000000)
#define KASLR UINT64_C(0x1000000) /* IMAGE + KASLR: where .text begins */
#define END_PFN 16u

/* Pages: the list, with the modules; tables of symbols; names. */
enum { LIST, SYMBOLS, NAMES, N_PAGES };

/* struct module, as it is made here: members' offsets */
enum { AT_LIST = 8, AT_NAME = 24, AT_KALLSYMS = 80, AT_PERCPU = 88,
       AT_PARTS = 96, MODULE_BYTES = 512 };
/* mem[]: its elements, in the kernel's order */
enum { TEXT, DATA, RODATA, RO_AFTER_INIT, INIT_TEXT, INIT_DATA, INIT_RODATA,
       N_PARTS, PART_BYTES = 24 };
#define LAYOUT_BYTES 32 /* of core_layout */

enum layout { MEM, CORE_LAYOUT };

struct fixture {
	enum layout layout;
	struct profile_draft draft;
	uint64_t words[N_PAGES][512];
	unsigned n_modules, n_symbols, names_bytes;
	struct heap heap;
	struct kernel kernel;
};

/* ---- what the kernel has */

static uint64_t at(unsigned page, unsigned offset)
{
	return DIRECT + page * 4096u + offset;
}

static void put(struct fixture *f, unsigned page, unsigned offset,
		uint64_t value)
{
	f->words[page][offset / 8] = value;
}

/* The struct module of the Nth. */
static unsigned module_at(unsigned n)
{
	return 512 + n * MODULE_BYTES;
}

static void make_types(struct fixture *f)
{
	static const char *const parts[N_PARTS] = {
		"MOD_TEXT", "MOD_DATA", "MOD_RODATA", "MOD_RO_AFTER_INIT",
		"MOD_INIT_TEXT", "MOD_INIT_DATA", "MOD_INIT_RODATA",
	};
	struct profile_draft *d = &f->draft;
	unsigned i;

	made_struct(d, "mod_kallsyms", 24);
	made_field(d, "symtab", 0, 8, "", 0);
	made_field(d, "num_symtab", 8, 4, "", 0);
	made_field(d, "strtab", 16, 8, "", 0);
	if (f->layout == MEM) {
		made_struct(d, "module_memory", PART_BYTES);
		made_field(d, "base", 0, 8, "", 0);
		made_field(d, "size", 8, 4, "", 0);
		for (i = 0; i < N_PARTS; i++)
			made_enumerator(d, parts[i], i);
	} else {
		made_struct(d, "module_layout", LAYOUT_BYTES);
		made_field(d, "base", 0, 8, "", 0);
		made_field(d, "size", 8, 4, "", 0);
		made_field(d, "text_size", 12, 4, "", 0);
		made_field(d, "ro_size", 16, 4, "", 0);
	}
	made_struct(d, "module", MODULE_BYTES);
	made_field(d, "list", AT_LIST, 16, "list_head", 0);
	made_field(d, "name", AT_NAME, 56, "", 56);
	made_field(d, "kallsyms", AT_KALLSYMS, 8, "", 0);
	made_field(d, "percpu", AT_PERCPU, 8, "", 0);
	if (f->layout == MEM) {
		made_field(d, "mem", AT_PARTS, N_PARTS * PART_BYTES,
			   "module_memory", N_PARTS);
	} else {
		made_field(d, "core_layout", AT_PARTS, LAYOUT_BYTES,
			   "module_layout", 0);
		made_field(d, "init_layout", AT_PARTS + LAYOUT_BYTES,
			   LAYOUT_BYTES, "module_layout", 0);
	}
}

/* Link-time addresses. */
static void make_symbols(struct fixture *f)
{
	struct profile_draft *d = &f->draft;

	made_section(d, ".text", IMAGE, 0x4000, SECTION_EXECUTABLE);
	made_symbol(d, "load_module", IMAGE, 0x1000, true);
	made_symbol(d, "bpf_jit_alloc_exec", IMAGE + 0x1000, 0x1000, true);
	made_symbol(d, "move_module", IMAGE + 0x2000, 0x1000, true);
	made_symbol(d, "modules", at(LIST, 0), 16, false);
}

static void make(struct fixture *f, enum layout layout)
{
	memset(f, 0, sizeof(*f));
	f->layout = layout;
	make_types(f);
	make_symbols(f);
	assert_ok(heap_init(&f->heap, DIRECT, END_PFN, VMEMMAP, 64));
	assert_ok(heap_init_radix(&f->heap.modules, MODULES, MODULES_END));
	assert_ok(heap_init_radix(&f->heap.vmalloc, VMALLOC,
				  VMALLOC + (UINT64_C(1) << 30)));
	f->kernel.heap = &f->heap;
	f->kernel.kaslr_offset = KASLR;
	f->kernel.image_va = IMAGE;
	f->kernel.modules_va = MODULES;
	f->kernel.modules_end_va = MODULES_END;
	f->kernel.direct_va = DIRECT;
	f->kernel.end_pfn = END_PFN;
	f->names_bytes = 1;
}

static unsigned add_name(struct fixture *f, const char *name)
{
	unsigned offset = f->names_bytes;

	strcpy((char *)f->words[NAMES] + offset, name);
	f->names_bytes += (unsigned)strlen(name) + 1;
	return offset;
}

/* On the list: to be called before anything is said of it. */
static void add_module(struct fixture *f, const char *name)
{
	unsigned offset = module_at(f->n_modules++);

	strcpy((char *)f->words[LIST] + offset + AT_NAME, name);
	put(f, LIST, offset + AT_KALLSYMS, at(SYMBOLS, 0));
}

/* An Elf64_Sym of the table that all of them share, behind struct
 * mod_kallsyms; the first one is none. */
static void add_symbol(struct fixture *f, const char *name, uint64_t va,
		       uint64_t bytes)
{
	unsigned offset = 64 + ++f->n_symbols * 24;

	put(f, SYMBOLS, offset, add_name(f, name) | UINT64_C(1) << 48);
	put(f, SYMBOLS, offset + 8, va);
	put(f, SYMBOLS, offset + 16, bytes);
}

/* A vmalloc area, and as a region unless it is torn. */
static uint32_t add_area(struct fixture *f, uint64_t va, uint64_t bytes,
			 uint64_t caller, bool torn)
{
	struct kernel_area area = {
		.start_va = va, .end_va = va + bytes + 4096,
		.caller = caller, .region = HEAP_NONE,
	};
	struct heap_region region = {
		.va = va, .bytes = bytes, .object_bytes = bytes,
		.n_objects = 1, .kind = HEAP_VMALLOC,
		.owner = (uint32_t)f->kernel.areas.size,
	};

	if (!torn)
		assert_ok(heap_add(&f->heap, &region, &area.region));
	assert_true(vec_push(&f->kernel.areas, area));
	return area.region;
}

/* A part of the last module, with memory of its own. */
static uint32_t add_part(struct fixture *f, unsigned part, uint64_t va,
			 uint64_t bytes)
{
	unsigned offset = module_at(f->n_modules - 1) + AT_PARTS +
			  part * PART_BYTES;

	put(f, LIST, offset, va);
	put(f, LIST, offset + 8, bytes);
	return add_area(f, va, bytes, IMAGE + KASLR + 8, false);
}

/* Its core_layout, or else its init_layout. */
static uint32_t add_layout(struct fixture *f, bool is_init, uint64_t va,
			   uint64_t bytes, uint64_t text, uint64_t ro)
{
	unsigned offset = module_at(f->n_modules - 1) + AT_PARTS +
			  is_init * LAYOUT_BYTES;

	put(f, LIST, offset, va);
	put(f, LIST, offset + 8, bytes | text << 32);
	put(f, LIST, offset + 16, ro);
	return add_area(f, va, bytes, IMAGE + KASLR + 8, false);
}

static void load(struct fixture *f)
{
	unsigned previous = 0, n;

	for (n = 0; n <= f->n_modules; n++) {
		unsigned node = n < f->n_modules ? module_at(n) + AT_LIST : 0;

		put(f, LIST, previous, at(LIST, node));
		put(f, LIST, node + 8, at(LIST, previous));
		previous = node;
	}
	put(f, SYMBOLS, 0, at(SYMBOLS, 64));
	put(f, SYMBOLS, 8, f->n_symbols + 1);
	put(f, SYMBOLS, 16, at(NAMES, 0));
	f->kernel.profile = made_profile(&f->draft);
	assert_ok(heap_seal(&f->heap));
	f->kernel.image = open_words((const uint64_t (*)[512])f->words, 0,
				     N_PAGES, END_PFN, DIRECT);
	assert_ok(kernel_load_modules(&f->kernel));
	assert_int_equal(f->kernel.modules.size, f->n_modules);
	assert_int_equal(kernel_count_gaps(&f->kernel), 0);
}

static void destroy(struct fixture *f)
{
	image_close(f->kernel.image);
	profile_close(f->kernel.profile);
	kernel_deinit(&f->kernel);
	heap_deinit(&f->heap);
}

static unsigned flags_of(const struct fixture *f, uint32_t region)
{
	return f->heap.regions.data[region].flags;
}

/* ---- memory that is kept */

#define LOAD_MODULE (IMAGE + KASLR + 0x123)
#define JIT (IMAGE + KASLR + 0x1123)
#define MOVE_MODULE (IMAGE + KASLR + 0x2123)

/* A module, memory that one of those that are gone may have left, and what was
 * asked for by others or is elsewhere. */
static void try_kept(bool since, bool until)
{
	unsigned kept = since && !until ? HEAP_ROOT | HEAP_NO_SCAN : 0;
	uint32_t live, gone[2], other[3], i;
	struct fixture f;

	make(&f, MEM);
	if (since)
		made_symbol(&f.draft, "codetag_unload_module", IMAGE + 0x3000,
			    16, true);
	if (until)
		made_symbol(&f.draft, "module_tags", IMAGE + 0x3800, 16, true);
	add_module(&f, "live");
	add_part(&f, TEXT, MODULES, 4096);
	live = add_part(&f, DATA, MODULES + 0x2000, 4096);
	gone[0] = add_area(&f, MODULES + 0x10000, 8192, LOAD_MODULE, false);
	gone[1] = add_area(&f, MODULES + 0x14000, 4096, MOVE_MODULE, false);
	add_area(&f, MODULES + 0x18000, 4096, LOAD_MODULE, true);
	other[0] = add_area(&f, MODULES + 0x20000, 4096, JIT, false);
	other[1] = add_area(&f, MODULES + 0x22000, 4096, 0, false);
	other[2] = add_area(&f, VMALLOC, 4096, LOAD_MODULE, false);
	load(&f);
	assert_int_equal(flags_of(&f, live), HEAP_ROOT);
	for (i = 0; i < ARRAY_SIZE(gone); i++)
		assert_int_equal(flags_of(&f, gone[i]), kept);
	for (i = 0; i < ARRAY_SIZE(other); i++)
		assert_int_equal(flags_of(&f, other[i]), 0);
	assert_int_equal(f.kernel.builtin_uses[BUILTIN_GONE_MODULE],
			 kept ? 2 : 0);
	destroy(&f);
}

/* There is codetag_unload_module since Linux 6.10, and module_tags since
 * 6.13. */
static void test_kept(void **state)
{
	(void)state;
	try_kept(false, false);
	try_kept(true, false);
	try_kept(true, true);
}

/* ---- code that is there, and code that is not */

/* @name: "" if there is none. */
static void check(struct fixture *f, uint64_t va, bool gone, const char *name,
		  bool is_code)
{
	struct kernel_symbol_name symbol;
	unsigned again;

	assert_int_equal(kernel_is_gone(&f->kernel, va), gone);
	for (again = 0; again < 2; again++) {
		bool found = kernel_symbolize(&f->kernel, va, &symbol);

		assert_int_equal(found, name[0] != '\0');
		if (found) {
			assert_string_equal(symbol.name, name);
			assert_int_equal(symbol.is_data, !is_code);
		}
		found = kernel_symbolize_code(&f->kernel, va, &symbol);
		assert_int_equal(found, is_code);
		if (found)
			assert_string_equal(symbol.name, name);
	}
}

static void check_outside(struct fixture *f)
{
	check(f, IMAGE + KASLR + 0x10, false, "load_module", true);
	check(f, MODULES_END, false, "", false);
	check(f, DIRECT, false, "", false);
	check(f, 0, false, "", false);
	/* Nobody's. */
	check(f, MODULES + 0x10010, true, "", false);
	check(f, MODULES_END - 1, true, "", false);
}

static void test_mem(void **state)
{
	struct fixture f;

	(void)state;
	make(&f, MEM);
	add_module(&f, "live");
	add_part(&f, TEXT, MODULES, 4096);
	add_part(&f, DATA, MODULES + 0x2000, 4096);
	add_part(&f, RODATA, MODULES + 0x4000, 4096);
	add_part(&f, INIT_TEXT, MODULES + 0x6000, 4096);
	add_part(&f, INIT_DATA, MODULES + 0x8000, 4096);
	add_module(&f, "done");
	add_part(&f, TEXT, MODULES + 0xa000, 4096);
	add_area(&f, MODULES + 0x10000, 4096, LOAD_MODULE, false);
	add_symbol(&f, "live_fn", MODULES + 0x100, 0x40);
	add_symbol(&f, "live_var", MODULES + 0x2008, 8);
	add_symbol(&f, "live_init", MODULES + 0x6000, 0x80);
	add_symbol(&f, "live_initdata", MODULES + 0x8000, 0x80);
	add_symbol(&f, "done_fn", MODULES + 0xa000, 0x80);
	load(&f);
	check(&f, MODULES + 0x110, false, "live_fn", true);
	check(&f, MODULES + 0xfff, false, "live_fn", true);
	check(&f, MODULES + 0x10, false, "", false); /* below all of them */
	check(&f, MODULES + 0x1000, true, "", false);
	check(&f, MODULES + 0x2000, true, "", false);
	check(&f, MODULES + 0x2010, true, "live_var", false);
	check(&f, MODULES + 0x4010, true, "", false);
	check(&f, MODULES + 0x6010, false, "live_init", true);
	check(&f, MODULES + 0x8010, true, "live_initdata", false);
	check(&f, MODULES + 0xa010, false, "done_fn", true);
	check_outside(&f);
	destroy(&f);
}

/* Until Linux 6.3: text, what is read-only, and data in one piece; and another
 * one with those of the init functions. */
static void test_core_layout(void **state)
{
	struct fixture f;
	uint32_t init;

	(void)state;
	make(&f, CORE_LAYOUT);
	add_module(&f, "live");
	add_layout(&f, false, MODULES, 0x3000, 0x1000, 0x2000);
	/* It is being loaded. */
	init = add_layout(&f, true, MODULES + 0x6000, 0x3000, 0x1000, 0x2000);
	add_module(&f, "done");
	add_layout(&f, false, MODULES + 0xa000, 0x2000, 0x1000, 0x1000);
	add_area(&f, MODULES + 0x10000, 4096, LOAD_MODULE, false);
	add_symbol(&f, "live_fn", MODULES + 0x100, 0x40);
	add_symbol(&f, "live_var", MODULES + 0x2008, 8);
	add_symbol(&f, "live_init", MODULES + 0x6000, 0x80);
	add_symbol(&f, "live_initdata", MODULES + 0x8000, 0x80);
	add_symbol(&f, "done_fn", MODULES + 0xa000, 0x80);
	load(&f);
	assert_int_equal(flags_of(&f, init), HEAP_ROOT);
	check(&f, MODULES + 0x6010, false, "live_init", true);
	check(&f, MODULES + 0x7010, true, "live_init", false);
	check(&f, MODULES + 0x8010, true, "live_initdata", false);
	check(&f, MODULES + 0x110, false, "live_fn", true);
	check(&f, MODULES + 0xfff, false, "live_fn", true);
	check(&f, MODULES + 0x1000, true, "live_fn", false);
	check(&f, MODULES + 0x2010, true, "live_var", false);
	check(&f, MODULES + 0x3010, true, "", false);
	check(&f, MODULES + 0xa010, false, "done_fn", true);
	check(&f, MODULES + 0xb010, true, "done_fn", false);
	check_outside(&f);
	destroy(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_mem),
		cmocka_unit_test(test_core_layout),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
