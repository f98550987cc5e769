// SPDX-License-Identifier: GPL-2.0-or-later
/* What says who allocated an object, sound and hostile, in a dump of a few
 * pages. */
#include "unit.h"
#include "words_image.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/map.h"
#include "base/util.h"
#include "kernel/alloc_tag.h"
#include "kernel/kasan.h"
#include "kernel/memcg.h"
#include "kernel/obj_ext.h"
#include "kernel/page_owner.h"
#include "kernel/quarantine.h"
#include "kernel/track.h"
#include "leak/site_wrapper.h"

#define DIRECT UINT64_C(0xffff888000000000)
#define VMEMMAP UINT64_C(0xffffea0000000000)
#define PAGES 8u      /* of memory; the last one is not in the dump */
#define END_PFN 64u

struct fixture {
	uint64_t words[PAGES][512];
	struct image *image;
	struct heap heap;
	struct kernel kernel;
};

/* The address of a byte of memory. */
static uint64_t at(unsigned page, unsigned offset)
{
	return DIRECT + page * 4096u + offset;
}

static void put(struct fixture *f, unsigned page, unsigned offset,
		uint64_t value)
{
	f->words[page][offset / 8] = value;
}

static void put_text(struct fixture *f, unsigned page, unsigned offset,
		     const char *text)
{
	memcpy((char *)f->words[page] + offset, text, strlen(text) + 1);
}

/* Make a dump of the memory and open it. */
static void open_memory(struct fixture *f)
{
	f->image = open_words((const uint64_t (*)[512])f->words, 0, PAGES - 1, END_PFN,
			      DIRECT);
	f->kernel.image = f->image;
	f->kernel.arch = image_facts(f->image)->arch;
}

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_ok(heap_init(&f->heap, DIRECT, END_PFN, VMEMMAP, 64));
	f->kernel.heap = &f->heap;
	f->kernel.direct_va = DIRECT;
	f->kernel.end_pfn = END_PFN;
	f->kernel.vmemmap_va = VMEMMAP;
	f->kernel.page_struct_bytes = 64;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	if (f->image)
		image_close(f->image);
	heap_deinit(&f->heap);
	vec_deinit(&f->kernel.gaps);
	vec_deinit(&f->kernel.modules);
	vec_deinit(&f->kernel.caches);
	vec_deinit(&f->kernel.pcpu_chunks);
	free(f);
	return 0;
}

static struct profile_member member(uint64_t offset, uint64_t size)
{
	return (struct profile_member){ .offset = offset, .size = size };
}

/* ---- numbers by keys */

static void test_map(void **state)
{
	struct map map = { 0 };
	uint32_t value, i;

	(void)state;
	assert_false(map_find(&map, 0, &value));
	for (i = 0; i < 10000; i++)
		assert_true(map_add(&map, (uint64_t)i << 12, i));
	for (i = 0; i < 10000; i++) {
		assert_true(map_find(&map, (uint64_t)i << 12, &value));
		assert_int_equal(value, i);
		assert_false(map_find(&map, ((uint64_t)i << 12) + 1, &value));
	}
	map_deinit(&map);
}

static void test_wrappers(void **state)
{
	static const char *const wrappers[] = {
		"__kmalloc", "kmalloc_trace", "kmem_cache_alloc_lru",
		"__kmalloc_node_track_caller", "kstrdup", "kvmalloc_node",
		"krealloc", "devm_kmalloc", "__alloc_pages",
		"___slab_alloc.constprop.0", "__alloc_percpu",
		"kmem_cache_alloc_noprof", "__vmalloc_node_range_noprof",
		"alloc_page", "vmap", "kmemleak_vmalloc",
	};
	static const char *const places[] = {
		"kml_areas", "alloc_inode", "copy_process", "vmap_init",
		"alloc_netdev_mqs", "", "kml.alloc", "xas_alloc",
	};
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(wrappers); i++) {
		if (!site_is_wrapper(wrappers[i]))
			fail_msg("%s", wrappers[i]);
	}
	for (i = 0; i < ARRAY_SIZE(places); i++) {
		if (site_is_wrapper(places[i]))
			fail_msg("%s", places[i]);
	}
}

/* ---- allocation tags */

#define TAG 40u

static struct alloc_tags tags_of(void)
{
	return (struct alloc_tags){
		.bytes = TAG,
		.line = member(4, 4),
		.module = member(8, 8),
		.function = member(16, 8),
		.file = member(24, 8),
		.kernel_va = at(1, 0),
		.kernel_end_va = at(1, 10 * TAG + 8),
		.modules_va = at(2, 0),
		.modules_end_va = at(2, 4 * TAG),
	};
}

static void put_tag(struct fixture *f, unsigned page, unsigned i,
		    uint32_t line, uint64_t module, uint64_t function,
		    uint64_t file)
{
	put(f, page, i * TAG, (uint64_t)line << 32);
	put(f, page, i * TAG + 8, module);
	put(f, page, i * TAG + 16, function);
	put(f, page, i * TAG + 24, file);
}

static void test_tag_refs(void **state)
{
	const struct alloc_tags tags = tags_of();
	struct fixture *f = *state;
	const struct kernel *k = &f->kernel;

	assert_int_equal(alloc_tags_from_ref(k, &tags, at(1, 0)), at(1, 0));
	assert_int_equal(alloc_tags_from_ref(k, &tags, at(1, 9 * TAG)),
			 at(1, 9 * TAG));
	assert_int_equal(alloc_tags_from_ref(k, &tags, at(2, 8)), at(2, 8));
	/* None, empty, within one, not aligned, cut off, anywhere else. */
	assert_int_equal(alloc_tags_from_ref(k, &tags, 0), 0);
	assert_int_equal(alloc_tags_from_ref(k, &tags, 1), 0);
	assert_int_equal(alloc_tags_from_ref(k, &tags, at(1, 8)), 0);
	assert_int_equal(alloc_tags_from_ref(k, &tags, at(1, 4)), 0);
	assert_int_equal(alloc_tags_from_ref(k, &tags, at(1, 10 * TAG)), 0);
	assert_int_equal(alloc_tags_from_ref(k, &tags, at(2, 3 * TAG + 8)), 0);
	assert_int_equal(alloc_tags_from_ref(k, &tags, UINT64_MAX - 7), 0);
}

/* Tags of pages, by an index in their flags. */
static void test_tag_index(void **state)
{
	struct alloc_tags tags = tags_of();
	struct fixture *f = *state;
	static const uint64_t flags[] = { 0, 1, 2, 11, 12, 15, 16, 0xffff };
	const uint64_t expected[] = { 0, 0, at(1, 0), at(1, 9 * TAG), at(2, 0),
				      at(2, 3 * TAG), 0, 0 };
	size_t i;

	/* struct pages are in page 3, for once */
	f->kernel.vmemmap_va = at(3, 0);
	tags.has_index = true;
	tags.page_flags = member(0, 8);
	tags.index_shift = 40;
	tags.index_mask = 0xffff;
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		put(f, 3, (unsigned)i * 64, flags[i] << 40 | 0x1234);
	open_memory(f);
	for (i = 0; i < ARRAY_SIZE(flags); i++)
		assert_int_equal(alloc_tags_of_page(&f->kernel, &tags, i),
				 expected[i]);
	assert_int_equal(alloc_tags_of_page(&f->kernel, &tags, END_PFN), 0);
	assert_int_equal(alloc_tags_of_page(&f->kernel, &tags, UINT64_MAX), 0);
}

static void test_tag_texts(void **state)
{
	const struct alloc_tags tags = tags_of();
	struct kernel_module loaded = { .name = "loaded" };
	struct fixture *f = *state;
	struct alloc_tag tag;

	put_text(f, 4, 0, "mm/slub.c");
	put_text(f, 4, 16, "new_slab");
	put_text(f, 4, 32, "loaded");
	put_text(f, 4, 48, "left");
	put_text(f, 4, 64, "not\ta\x7fname");
	memset(f->words[5], 'a', 256); /* longer than any */
	put_tag(f, 1, 0, 7, 0, at(4, 16), at(4, 0));
	put_tag(f, 1, 1, 7, 0, at(4, 16), at(5, 0));
	put_tag(f, 1, 2, 7, 0, at(4, 64), at(4, 0));
	put_tag(f, 1, 3, 7, 0, at(4, 16), 0);
	put_tag(f, 2, 0, 8, at(4, 32), at(4, 16), at(4, 0));
	put_tag(f, 2, 1, 9, at(4, 48), at(4, 16), at(4, 0));
	put_tag(f, 2, 2, 10, at(PAGES - 1, 0), at(4, 16), at(4, 0));
	put_tag(f, 2, 3, 11, at(4, 32), at(4, 16), UINT64_MAX - 3);
	open_memory(f);
	assert_true(vec_push(&f->kernel.modules, loaded));

	assert_true(alloc_tag_read(&f->kernel, &tags, at(1, 0), &tag));
	assert_string_equal(tag.file, "mm/slub.c");
	assert_string_equal(tag.function, "new_slab");
	assert_int_equal(tag.line, 7);
	assert_false(tag.in_module || tag.gone);
	assert_false(alloc_tag_read(&f->kernel, &tags, at(1, TAG), &tag));
	assert_false(alloc_tag_read(&f->kernel, &tags, at(1, 2 * TAG), &tag));
	assert_false(alloc_tag_read(&f->kernel, &tags, at(1, 3 * TAG), &tag));
	assert_false(alloc_tag_read(&f->kernel, &tags, at(1, 4), &tag));

	assert_true(alloc_tag_read(&f->kernel, &tags, at(2, 0), &tag));
	assert_string_equal(tag.module, "loaded");
	assert_true(tag.in_module && !tag.gone);
	/* Still to be read, but not loaded any more. */
	assert_true(alloc_tag_read(&f->kernel, &tags, at(2, TAG), &tag));
	assert_string_equal(tag.module, "left");
	assert_true(tag.gone);
	/* The line is in the tag itself. */
	assert_true(alloc_tag_read(&f->kernel, &tags, at(2, 2 * TAG), &tag));
	assert_true(tag.gone && !tag.file[0] && !tag.module[0]);
	assert_int_equal(tag.line, 10);
	assert_true(alloc_tag_read(&f->kernel, &tags, at(2, 3 * TAG), &tag));
	assert_true(tag.gone && !tag.file[0]);
}

/* What the kernel logged of the tags of a module that it unloaded. */
static void test_tag_log(void **state)
{
	struct alloc_tags tags = tags_of();
	struct fixture *f = *state;
	struct alloc_tag tag;
	static const char *const lines[] = {
		"a/kmlgone.c:10 module kmlgone func:kmlgone_init has 96 allocated at module unload",
		"a/b.c:11 module one func:f has 1 allocated at module unload",
		"a/c.c:11 module two func:g has 1 allocated at module unload",
		"a/kmlgone.c:10 module kmlgone func:kmlgone_init has 8 allocated at module unload",
		":x module func: has allocated at module unload",
		" allocated at module unload",
	};
	static char log[1024];
	size_t n = 0, i;

	/* As in the ring buffer: a number in front of each. */
	for (i = 0; i < ARRAY_SIZE(lines); i++) {
		memset(log + n, 0xff, 7);
		log[n + 7] = '?';
		memcpy(log + n + 8, lines[i], strlen(lines[i]));
		n = align_up(n + 8 + strlen(lines[i]), 8);
	}
	put_tag(f, 2, 2, 10, 0, 0, 0);
	put_tag(f, 2, 3, 11, 0, 0, 0);
	open_memory(f);
	assert_true(alloc_tags_find_lines(&tags, log, n));
	assert_true(alloc_tag_read(&f->kernel, &tags, at(2, 2 * TAG), &tag));
	assert_string_equal(tag.file, "a/kmlgone.c");
	assert_string_equal(tag.module, "kmlgone");
	assert_string_equal(tag.function, "kmlgone_init");
	assert_true(tag.gone && tag.from_log);
	assert_int_equal(tag.va, at(2, 2 * TAG));
	assert_true(alloc_tag_read(&f->kernel, &tags, at(2, 3 * TAG), &tag));
	assert_string_equal(tag.file, ""); /* of one or two */
	assert_int_equal(tag.line, 11);
	alloc_tags_deinit(&tags);
}

/* ---- extensions of pages and objects */

static void test_page_ext(void **state)
{
	struct fixture *f = *state;
	struct page_ext ext = {
		.sections_va = at(1, 0),
		.has_roots = true,
		.section_bytes = 2048, /* two a root */
		.base = 16,
		.section_shift = 4,
		.entry_bytes = 24,
		.last_section = UINT64_MAX,
	};

	put(f, 1, 0, at(2, 0));
	put(f, 1, 8, at(PAGES - 1, 0)); /* not in the dump */
	put(f, 2, 16, at(3, 0));
	put(f, 2, 2048 + 16, at(3, 0) | 1); /* PAGE_EXT_INVALID */
	open_memory(f);
	assert_int_equal(page_ext_find(&f->kernel, &ext, 5), at(3, 5 * 24));
	assert_int_equal(page_ext_find(&f->kernel, &ext, 16), 0);
	assert_int_equal(page_ext_find(&f->kernel, &ext, 40), 0);
	assert_int_equal(page_ext_find(&f->kernel, &ext, 15), at(3, 15 * 24));
	assert_int_equal(page_ext_find(&f->kernel, &ext, END_PFN), 0);
	assert_int_equal(page_ext_find(&f->kernel, &ext, UINT64_MAX), 0);
}

static void test_obj_exts(void **state)
{
	struct fixture *f = *state;
	struct heap_region slab = { .va = at(0, 0), .slot_bytes = 256,
				    .kind = HEAP_SLAB };
	struct obj_ext_layout layout = {
		.has_slab = true,
		.slab_vector = member(56, 8),
		.bytes = 16,
		.charge = 0,
		.tag = 8,
	};
	struct obj_exts exts;
	uint64_t charge, tag, i;

	f->kernel.vmemmap_va = at(3, 0);
	put(f, 3, 56, at(2, 0) | 1);
	put(f, 3, 64 + 56, 1);               /* there was no memory for it */
	put(f, 3, 2 * 64 + 56, 0x1001);      /* no kernel address */
	put(f, 3, 3 * 64 + 56, at(PAGES - 1, 0) | 1);
	put(f, 2, 3 * 16, 0x111);
	put(f, 2, 3 * 16 + 8, 0x222);
	open_memory(f);
	assert_true(obj_ext_find(&f->kernel, &layout, &slab, 0, &exts));
	obj_ext_read(&f->kernel, &exts, 3, &charge, &tag);
	assert_int_equal(charge, 0x111);
	assert_int_equal(tag, 0x222);
	for (i = 1; i < 3; i++) {
		slab.va = at((unsigned)i, 0);
		assert_false(obj_ext_find(&f->kernel, &layout, &slab, 0, &exts));
	}
	slab.va = at(3, 0);
	assert_true(obj_ext_find(&f->kernel, &layout, &slab, 0, &exts));
	obj_ext_read(&f->kernel, &exts, 3, &charge, &tag);
	assert_int_equal(charge | tag, 0);
	slab.va = 4096; /* of no struct page */
	assert_false(obj_ext_find(&f->kernel, &layout, &slab, 0, &exts));
}

/* Linux 7.3: an element has a charge, a tag, or both. */
static void test_packed_exts(void **state)
{
	struct fixture *f = *state;
	const struct heap_region slab = { .va = at(0, 0), .slot_bytes = 256,
					  .kind = HEAP_SLAB };
	struct obj_ext_layout layout = {
		.has_slab = true,
		.slab_vector = member(56, 8),
		.bytes = 8,
		.is_packed = true,
		.has_tags = true,
		.has_in_object = true,
		.needs_charge = member(44, 4),
		.in_object = member(44, 4),
	};
	struct obj_exts exts;
	uint64_t charge, tag;

	layout.needs_charge.bit_offset = 1;
	layout.needs_charge.bit_size = layout.in_object.bit_size = 1;
	f->kernel.vmemmap_va = at(3, 0);
	put(f, 3, 56, at(2, 0) | 1);
	put(f, 3, 40, UINT64_C(2) << 32);
	put(f, 2, 16, 0x111);
	put(f, 2, 24, 0x222);
	put(f, 2, 256, 0x333);
	open_memory(f);
	assert_true(obj_ext_find(&f->kernel, &layout, &slab, 0, &exts));
	obj_ext_read(&f->kernel, &exts, 1, &charge, &tag);
	assert_int_equal(charge, 0x111);
	assert_int_equal(tag, 0x222);
	layout.has_tags = false;
	assert_true(obj_ext_find(&f->kernel, &layout, &slab, 0, &exts));
	obj_ext_read(&f->kernel, &exts, 3, &charge, &tag);
	assert_int_equal(charge, 0x222);
	assert_int_equal(tag, 0);
	layout.in_object.bit_offset = 1; /* as if that bit were it */
	assert_true(obj_ext_find(&f->kernel, &layout, &slab, 0, &exts));
	obj_ext_read(&f->kernel, &exts, 1, &charge, &tag);
	assert_int_equal(charge, 0x333);
}

/* ---- stacks */

static void test_stacks(void **state)
{
	struct fixture *f = *state;
	struct stackdepot depot = {
		.pools_va = at(1, 0),
		.n_pools = 3,
		.pool_bytes = 4096,
		.index_base = 1,
		.index = member(0, 4),
		.offset = member(0, 4),
		.handle = member(20, 4),
		.size = member(16, 4),
		.entries = member(32, 0),
	};
	uint64_t frames[STACKDEPOT_FRAMES];
	const uint32_t handle = 1 | 2 << 17; /* pool 0, offset 32 */
	size_t n;

	depot.index.bit_size = 17;
	depot.offset.bit_offset = 17;
	depot.offset.bit_size = 8;
	put(f, 1, 0, at(2, 0));
	put(f, 1, 8, 0);
	put(f, 1, 16, at(PAGES - 1, 0));
	put(f, 2, 32 + 16, (uint64_t)handle << 32 | 2);
	put(f, 2, 32 + 32, 0x1111);
	put(f, 2, 32 + 40, 0x2222);
	/* A record of more frames than the pool has room for. */
	put(f, 2, 128 + 16, (uint64_t)(1 | 8 << 17) << 32 | 600);
	open_memory(f);
	assert_ok(stackdepot_fetch(&f->kernel, &depot, handle, frames, &n));
	assert_int_equal(n, 2);
	assert_int_equal(frames[1], 0x2222);
	assert_ok(stackdepot_fetch(&f->kernel, &depot, 0, frames, &n));
	assert_int_equal(n, 0);
	/* No pool of that number, none there, none in the dump; a record that
	 * is another's; and a lying size. */
	assert_fails(KML_ERR_CORRUPT, stackdepot_fetch(&f->kernel, &depot,
						       2 << 17, frames, &n));
	assert_fails(KML_ERR_CORRUPT, stackdepot_fetch(&f->kernel, &depot,
						       4 | 2 << 17, frames, &n));
	assert_fails(KML_ERR_CORRUPT, stackdepot_fetch(&f->kernel, &depot,
						       2 | 2 << 17, frames, &n));
	assert_fails(KML_ERR_NODATA, stackdepot_fetch(&f->kernel, &depot,
						      3 | 2 << 17, frames, &n));
	assert_fails(KML_ERR_CORRUPT, stackdepot_fetch(&f->kernel, &depot,
						       1 | 4 << 17, frames, &n));
	assert_fails(KML_ERR_CORRUPT, stackdepot_fetch(&f->kernel, &depot,
						       1 | 8 << 17, frames, &n));
}

/* ---- records of allocators */

/* A slab of two objects on page 0. */
static void add_slab(struct fixture *f)
{
	const struct kernel_cache cache = { .va = at(1, 0), .slot_bytes = 512,
					    .object_bytes = 256 };
	struct heap_region r = { .va = at(0, 0), .bytes = 4096,
				 .object_bytes = 256, .slot_bytes = 512,
				 .n_objects = 2 };
	uint32_t index;

	assert_ok(heap_add(&f->heap, &r, &index));
	assert_ok(heap_seal(&f->heap));
	assert_true(vec_push(&f->kernel.caches, cache));
}

static void test_kasan(void **state)
{
	const struct kasan_layout layout = {
		.meta_offset = member(8, 4),
		.pid = member(0, 4),
		.stack = member(4, 4),
		.bytes = 16,
	};
	struct fixture *f = *state;
	struct kasan_track track;

	put(f, 1, 8, 272);
	put(f, 0, 272, UINT64_C(77) << 32 | 42);
	open_memory(f);
	add_slab(f);
	assert_true(kasan_read(&f->kernel, &layout, 0, &track));
	assert_int_equal(track.pid, 42);
	assert_int_equal(track.stack, 77);
	assert_false(kasan_read(&f->kernel, &layout, 1, &track));
	/* No metadata; in the object; beyond the slot; no cache. */
	f->kernel.caches.data[0].va = at(1, 64);
	assert_false(kasan_read(&f->kernel, &layout, 0, &track));
	f->kernel.caches.data[0].va = at(1, 0);
	f->kernel.caches.data[0].object_bytes = 280;
	assert_false(kasan_read(&f->kernel, &layout, 0, &track));
	f->kernel.caches.data[0].object_bytes = 256;
	f->kernel.caches.data[0].slot_bytes = 280;
	assert_false(kasan_read(&f->kernel, &layout, 0, &track));
	f->kernel.caches.data[0].va = at(PAGES - 1, 0);
	assert_false(kasan_read(&f->kernel, &layout, 0, &track));
}

/* With CONFIG_KASAN_EXTRA_INFO. */
static void test_kasan_extra(void **state)
{
	struct kasan_layout layout = {
		.meta_offset = member(8, 4),
		.pid = member(0, 4),
		.stack = member(4, 4),
		.has_extra = true,
		.cpu = member(8, 8),
		.timestamp = member(8, 8),
		.bytes = 24,
	};
	struct fixture *f = *state;
	struct kasan_track track;

	layout.cpu.bit_size = layout.timestamp.bit_offset = 20;
	layout.timestamp.bit_size = 44;
	put(f, 1, 8, 272);
	put(f, 0, 272, UINT64_C(77) << 32 | 42);
	put(f, 0, 280, UINT64_C(1000) << 20 | 3);
	open_memory(f);
	add_slab(f);
	assert_true(kasan_read(&f->kernel, &layout, 0, &track));
	assert_true(track.has_extra);
	assert_int_equal(track.cpu, 3);
	assert_int_equal(track.ts_nsec, 512000);
}

/* ---- the quarantine of KASAN */

static const struct quarantine quarantine = {
	.head = { .offset = 0, .size = 8 },
	.tail = { .offset = 8, .size = 8 },
	.meta_offset = { .offset = 8, .size = 4 },
	.list_bytes = 32,
	.objects_left = 2,
};

/* The list on page 2, with metadata at @meta_offset: which of the two objects
 * are in quarantine then, and is there a gap? */
static void check_quarantine(struct fixture *f, uint64_t meta_offset,
			     unsigned objects, bool gap)
{
	struct quarantine q = quarantine;
	unsigned i;

	put(f, 1, 8, meta_offset);
	open_memory(f);
	add_slab(f);
	assert_ok(quarantine_walk(&f->kernel, &q, at(2, 0)));
	for (i = 0; i < 2; i++) {
		assert_int_equal(bitmap_test(f->heap.quarantined, i),
				 objects >> i & 1);
		assert_int_equal(bitmap_test(f->heap.free, i),
				 objects >> i & 1);
	}
	assert_int_equal(f->kernel.gaps.size, gap);
	if (gap)
		assert_true(f->kernel.gaps.data[0].unsound);
}

static void test_quarantine(void **state)
{
	struct fixture *f = *state;

	/* The last one's link has not been cleared yet. */
	put(f, 2, 0, at(0, 512));
	put(f, 2, 8, at(0, 0));
	put(f, 0, 512, at(0, 0));
	put(f, 0, 0, 0x123);
	check_quarantine(f, 0, 3, false);
}

static void test_quarantine_behind(void **state)
{
	struct fixture *f = *state;

	put(f, 2, 0, at(0, 512 + 272));
	put(f, 2, 8, at(0, 512 + 272));
	check_quarantine(f, 272, 2, false);
}

static void test_quarantine_empty(void **state)
{
	check_quarantine(*state, 0, 0, false);
}

static void test_quarantine_cycle(void **state)
{
	struct fixture *f = *state;

	put(f, 2, 0, at(0, 0));
	put(f, 2, 8, at(0, 512));
	put(f, 0, 0, at(0, 0));
	check_quarantine(f, 0, 1, true);
}

/* Nothing of a slab; below: not an object's metadata, a cache that has none,
 * and a page that is not in the dump. */
static void test_quarantine_strays(void **state)
{
	struct fixture *f = *state;

	put(f, 2, 0, at(3, 0));
	check_quarantine(f, 0, 0, true);
}

static void test_quarantine_inside(void **state)
{
	struct fixture *f = *state;

	put(f, 2, 0, at(0, 8));
	check_quarantine(f, 0, 0, true);
}

static void test_quarantine_none(void **state)
{
	struct fixture *f = *state;

	put(f, 2, 0, at(0, 0));
	check_quarantine(f, INT32_MAX, 0, true);
}

static void test_quarantine_lost(void **state)
{
	struct fixture *f = *state;

	put(f, 2, 0, at(PAGES - 1, 0));
	check_quarantine(f, 0, 0, true);
}

/* Until Linux 5.18 a track had the stack itself. */
static void test_track(void **state)
{
	struct fixture *f = *state;
	uint64_t frames[STACKDEPOT_FRAMES];
	struct kernel_track track;
	unsigned i;

	f->kernel.track_addr = member(0, 8);
	f->kernel.track_addrs = member(8, 16 * 8);
	f->kernel.track_cpu = member(136, 4);
	f->kernel.track_pid = member(140, 4);
	f->kernel.track_when = member(144, 8);
	f->kernel.track_bytes = 152;
	for (i = 0; i < 3; i++)
		put(f, 0, 256 + i * 8, 0x1000 + i);
	put(f, 0, 256 + 136, UINT64_C(42) << 32 | 1);
	put(f, 0, 256 + 144, 5000);
	put(f, 0, 512 + 256, 0x2000);
	open_memory(f);
	add_slab(f);
	assert_false(kernel_track(&f->kernel, 0, &track));
	f->kernel.caches.data[0].track_offset = 256;
	assert_true(kernel_track(&f->kernel, 0, &track));
	assert_int_equal(track.pid, 42);
	assert_int_equal(track.cpu, 1);
	assert_int_equal(track.when, 5000);
	assert_int_equal(kernel_track_stack(&f->kernel, NULL, &track, frames),
			 2);
	assert_int_equal(frames[1], 0x1002);
	/* No stack: the caller alone. */
	assert_true(kernel_track(&f->kernel, 1, &track));
	assert_int_equal(kernel_track_stack(&f->kernel, NULL, &track, frames),
			 1);
	assert_int_equal(frames[0], 0x2000);
}

static void test_page_owner(void **state)
{
	struct fixture *f = *state;
	struct page_owner owner = {
		.ext = {
			.sections_va = at(1, 0),
			.section_bytes = 32,
			.section_shift = 15,
			.entry_bytes = 64,
			.last_section = UINT64_MAX,
		},
		.offset = 8,
		.bytes = 48,
		.allocated = 2,
		.flags = member(0, 8),
		.handle = member(0, 4),
		.pid = member(4, 4),
		.ts_nsec = member(8, 8),
		.comm = member(16, 16),
		.has_pid = true,
		.has_time = true,
		.has_comm = true,
		.no_stack = { 99 },
	};
	struct page_owner_record record;

	put(f, 1, 0, at(2, 0));
	put(f, 2, 0, 3);
	put(f, 2, 8, UINT64_C(42) << 32 | 7);
	put(f, 2, 16, 123456789);
	memcpy((char *)f->words[2] + 24, "in\x01smod-never-ends", 16);
	put(f, 2, 64, 1); /* not allocated */
	put(f, 2, 64 + 8, 7);
	put(f, 2, 128, 3);
	put(f, 2, 128 + 8, 99); /* before it was there */
	open_memory(f);
	assert_true(page_owner_read(&f->kernel, &owner, 0, &record));
	assert_int_equal(record.stack, 7);
	assert_int_equal(record.pid, 42);
	assert_int_equal(record.ts_nsec, 123456789);
	assert_string_equal(record.comm, "in?smod-never-e");
	assert_false(page_owner_read(&f->kernel, &owner, 1, &record));
	assert_false(page_owner_read(&f->kernel, &owner, 2, &record));
	assert_false(page_owner_read(&f->kernel, &owner, END_PFN, &record));
}

/* ---- memory cgroups */

static void test_memcg(void **state)
{
	const struct memcg_layout layout = {
		.cgroup = member(0, 8),
		.flags = member(8, 4),
		.kn = member(0, 8),
		.name = member(0, 8),
		.parent = member(8, 8),
		.id = member(16, 8),
		.has_flags = true,
		.online = 2,
	};
	struct fixture *f = *state;
	struct memcg memcg;
	unsigned i;

	/* Memory cgroups at 0x00, 0x20, ...; cgroups at 0x100, ... */
	for (i = 0; i < 4; i++) {
		put(f, 1, i * 32, at(1, 256 + i * 32));
		put(f, 1, i * 32 + 8, i == 1 ? 0 : 2);
		put(f, 1, 256 + i * 32, at(2, i * 32));
		put(f, 2, i * 32 + 16, 100 + i);
		put(f, 2, i * 32, at(3, i * 512));
	}
	put_text(f, 3, 512, "a");
	put_text(f, 3, 1024, "b");
	memset((char *)f->words[3] + 1536, 'x', 160);
	put(f, 2, 32 + 8, at(2, 0));      /* /a */
	put(f, 2, 2 * 32 + 8, at(2, 32)); /* /a/b */
	put(f, 2, 3 * 32 + 8, at(2, 96)); /* its own parent */
	open_memory(f);
	memcg_read(&f->kernel, &layout, at(1, 0), &memcg);
	assert_string_equal(memcg.path, "/");
	memcg_read(&f->kernel, &layout, at(1, 32), &memcg);
	assert_string_equal(memcg.path, "/a");
	assert_true(memcg.deleted);
	memcg_read(&f->kernel, &layout, at(1, 64), &memcg);
	assert_string_equal(memcg.path, "/a/b");
	assert_int_equal(memcg.id, 102);
	assert_false(memcg.deleted);
	memcg_read(&f->kernel, &layout, at(1, 96), &memcg);
	assert_true(strlen(memcg.path) < sizeof(memcg.path));
	memcg_read(&f->kernel, &layout, at(PAGES - 1, 0), &memcg);
	assert_string_equal(memcg.path, "");
	assert_false(memcg.deleted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_map),
		cmocka_unit_test(test_wrappers),
#define WITH_MEMORY(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
		WITH_MEMORY(test_tag_refs),
		WITH_MEMORY(test_tag_index),
		WITH_MEMORY(test_tag_texts),
		WITH_MEMORY(test_tag_log),
		WITH_MEMORY(test_page_ext),
		WITH_MEMORY(test_obj_exts),
		WITH_MEMORY(test_packed_exts),
		WITH_MEMORY(test_stacks),
		WITH_MEMORY(test_kasan),
		WITH_MEMORY(test_kasan_extra),
		WITH_MEMORY(test_quarantine),
		WITH_MEMORY(test_quarantine_behind),
		WITH_MEMORY(test_quarantine_empty),
		WITH_MEMORY(test_quarantine_cycle),
		WITH_MEMORY(test_quarantine_strays),
		WITH_MEMORY(test_quarantine_inside),
		WITH_MEMORY(test_quarantine_none),
		WITH_MEMORY(test_quarantine_lost),
		WITH_MEMORY(test_track),
		WITH_MEMORY(test_page_owner),
		WITH_MEMORY(test_memcg),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
