// SPDX-License-Identifier: GPL-2.0-or-later
/* Source lines: the line cache and its file, and lines.c on top of it. */
#include "config.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include <cmocka.h>

#include "base/util.h"
#include "debuginfo/cache_dir.h"
#include "debuginfo/line_cache.h"
#include "debuginfo/lines.h"
#include "debuginfo/module_file.h"
#include "debuginfo/profile.h"
#include "image/image.h"

#define IMAGE_START UINT64_C(0xffffffff81000000)
#define IMAGE_END UINT64_C(0xffffffff83e00000)
#define KASLR UINT64_C(0x8e00000)
#define BUILD_ID "0102030405060708090a0b0c0d0e0f1011121314"

static const uint8_t build_id[20] = { 1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
				      11, 12, 13, 14, 15, 16, 17, 18, 19, 20 };

struct fixture {
	char dir[32];
	char *path; /* of the cache's file */
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	strcpy(f->dir, "/tmp/kml-lines.XXXXXX");
	assert_non_null(mkdtemp(f->dir));
	f->path = cache_path(f->dir, build_id, sizeof(build_id), ".lines");
	assert_non_null(f->path);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	assert_int_equal(rmdir(f->dir), 0); /* no temporary file is left */
	free(f->path);
	free(f);
	return 0;
}

static const struct lines_frame vmalloc_frames[] = {
	{ "__vmalloc_node", "mm/vmalloc.c", 3365, true },
	{ "vmalloc", "mm/vmalloc.c", 3398, false },
};
static const struct lines_frame asm_frame = { NULL, "arch/x86/a b.S", 5, false };
static const struct lines_frame bare_frame = { "f", NULL, 0, false };

/* A cache with what is to be saved, and what is not. */
static struct line_cache *make_cache(void)
{
	struct line_cache *cache = line_cache_create();

	assert_non_null(cache);
	assert_false(line_cache_dirty(cache));
	line_cache_set_image(cache, IMAGE_START, IMAGE_END);
	assert_true(line_cache_add(cache, IMAGE_START + 16, vmalloc_frames, 2,
				   true));
	assert_true(line_cache_add(cache, IMAGE_START, &asm_frame, 1, true));
	assert_true(line_cache_add(cache, IMAGE_END - 1, NULL, 0, true));
	assert_true(line_cache_add(cache, IMAGE_START + 5, &bare_frame, 1,
				   true));
	assert_true(line_cache_add(cache, 4711, &bare_frame, 1, false));
	assert_true(line_cache_dirty(cache));
	return cache;
}

static bool same_string(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static void assert_frames(const struct line_cache *cache, uint64_t key,
			  const struct lines_frame *want, size_t n_want)
{
	const struct lines_frame *got;
	size_t n, i;

	assert_true(line_cache_find(cache, key, &got, &n));
	assert_int_equal(n, n_want);
	for (i = 0; i < n; i++) {
		assert_true(same_string(got[i].function, want[i].function));
		assert_true(same_string(got[i].file, want[i].file));
		assert_int_equal(got[i].line, want[i].line);
		assert_int_equal(got[i].inlined, want[i].inlined);
	}
}

static void assert_empty(const struct line_cache *cache)
{
	const struct lines_frame *frames;
	uint64_t start, end;
	size_t n;

	assert_false(line_cache_image(cache, &start, &end));
	assert_false(line_cache_find(cache, IMAGE_START, &frames, &n));
	assert_false(line_cache_find(cache, IMAGE_START + 16, &frames, &n));
	assert_false(line_cache_dirty(cache));
}

static void test_round_trip(void **state)
{
	struct fixture *f = *state;
	struct line_cache *cache = make_cache();
	const struct lines_frame *frames;
	uint64_t start, end;
	size_t n;

	assert_frames(cache, 4711, &bare_frame, 1);
	assert_true(line_cache_save(cache, f->path, BUILD_ID));
	line_cache_destroy(cache);

	cache = line_cache_create();
	line_cache_load(cache, f->path, BUILD_ID);
	assert_false(line_cache_dirty(cache));
	assert_true(line_cache_image(cache, &start, &end));
	assert_true(start == IMAGE_START && end == IMAGE_END);
	assert_frames(cache, IMAGE_START + 16, vmalloc_frames, 2);
	assert_frames(cache, IMAGE_START, &asm_frame, 1);
	assert_frames(cache, IMAGE_START + 5, &bare_frame, 1);
	assert_frames(cache, IMAGE_END - 1, NULL, 0);
	assert_false(line_cache_find(cache, 4711, &frames, &n));
	line_cache_set_image(cache, IMAGE_START, IMAGE_END);
	assert_false(line_cache_dirty(cache));
	line_cache_destroy(cache);
}

static void test_many(void **state)
{
	struct fixture *f = *state;
	struct line_cache *cache = line_cache_create();
	struct lines_frame frame = { NULL, "f.c", 0, false };
	char name[32];
	uint64_t i;

	frame.function = name;
	line_cache_set_image(cache, IMAGE_START, IMAGE_END);
	for (i = 0; i < LINE_CACHE_MAX_ADDRESSES + 100; i++) {
		frame.line = (unsigned)i;
		sprintf(name, "f%" PRIu64, i);
		assert_true(line_cache_add(cache, IMAGE_START + 7 * i, &frame,
					   1, true));
	}
	assert_true(line_cache_save(cache, f->path, BUILD_ID));
	line_cache_destroy(cache);

	/* It is cut to what is read back. */
	cache = line_cache_create();
	line_cache_load(cache, f->path, BUILD_ID);
	for (i = 0; i < LINE_CACHE_MAX_ADDRESSES; i++) {
		frame.line = (unsigned)i;
		sprintf(name, "f%" PRIu64, i);
		assert_frames(cache, IMAGE_START + 7 * i, &frame, 1);
	}
	line_cache_destroy(cache);
}

/* What would break the file's lines is replaced when it is learnt. */
static void test_strange_names(void **state)
{
	static const struct lines_frame evil = { "a\nb\tc\x7f", "\x01/\xc3\xa4",
						 3, false };
	static const struct lines_frame tame = { "a?b?c?", "?/\xc3\xa4", 3,
						 false };
	struct fixture *f = *state;
	struct line_cache *cache = line_cache_create();

	line_cache_set_image(cache, IMAGE_START, IMAGE_END);
	assert_true(line_cache_add(cache, IMAGE_START, &evil, 1, true));
	assert_true(line_cache_save(cache, f->path, BUILD_ID));
	line_cache_destroy(cache);
	cache = line_cache_create();
	line_cache_load(cache, f->path, BUILD_ID);
	assert_frames(cache, IMAGE_START, &tame, 1);
	line_cache_destroy(cache);
}

static void assert_rejected(const char *path)
{
	struct line_cache *cache = line_cache_create();

	line_cache_load(cache, path, BUILD_ID);
	assert_empty(cache);
	line_cache_destroy(cache);
}

static void test_damage(void **state)
{
	struct fixture *f = *state;
	struct line_cache *cache = make_cache();
	char *good, *bad;
	size_t bytes, i;

	assert_true(line_cache_save(cache, f->path, BUILD_ID));
	line_cache_destroy(cache);
	good = cache_read(f->path, 1 << 20, &bytes);
	assert_non_null(good);
	bad = malloc(bytes + 1);
	assert_non_null(bad);
	for (i = 0; i < bytes; i++) {
		memcpy(bad, good, bytes);
		bad[i] ^= 1;
		assert_true(cache_write(f->path, bad, bytes));
		assert_rejected(f->path);
		bad[i] ^= 0x81;
		assert_true(cache_write(f->path, bad, bytes));
		assert_rejected(f->path);
		assert_true(cache_write(f->path, good, i)); /* cut off */
		assert_rejected(f->path);
	}
	memcpy(bad, good, bytes);
	bad[bytes] = '\n';
	assert_true(cache_write(f->path, bad, bytes + 1));
	assert_rejected(f->path);
	free(bad);
	free(good);
}

/* A file with a good checksum. */
static void write_file(const char *path, const char *text, size_t bytes)
{
	char *whole = malloc(bytes + 32);

	assert_non_null(whole);
	memcpy(whole, text, bytes);
	sprintf(whole + bytes, "crc32 %08lx\n",
		crc32_z(0, (const Bytef *)text, bytes));
	assert_true(cache_write(path, whole, bytes + strlen(whole + bytes)));
	free(whole);
}

#define HEAD "kmlanalyze-lines 1 " BUILD_ID "\n"
#define RANGE "image ffffffff81000000 ffffffff83e00000\n"

static void test_hostile(void **state)
{
	static const char *const texts[] = {
		"",
		"\n",
		HEAD,
		HEAD "\n",
		HEAD "image\n",
		HEAD "image ffffffff81000000\n",
		HEAD "image ffffffff81000000 ffffffff81000000\n",
		HEAD "image ffffffff83000000 ffffffff81000000\n",
		HEAD "image ffffffff81000000 1ffffffffffffffff\n",
		"kmlanalyze-lines 2 " BUILD_ID "\n" RANGE,
		"kmlanalyze-lines 1 ff\n" RANGE,
		HEAD RANGE "\n",
		HEAD RANGE "ffffffff81000000\n",
		HEAD RANGE "ffffffff81000000 \n",
		HEAD RANGE "ffffffff81000000 1\n",
		HEAD RANGE "ffffffff81000000 65\n",
		HEAD RANGE "ffffffff81000000 -1\n",
		HEAD RANGE "ffffffff81000000 99999999999999999999\n",
		HEAD RANGE " ffffffff81000000 0\n",
		HEAD RANGE "+ffffffff81000000 0\n",
		HEAD RANGE "ffffffff80ffffff 0\n",
		HEAD RANGE "ffffffff83e00000 0\n",
		HEAD RANGE "ffffffff81000000 0\nffffffff81000000 0\n",
		HEAD RANGE "ffffffff81000000 0",
		HEAD RANGE "ffffffff81000000 1\n-\n",
		HEAD RANGE "ffffffff81000000 1\n-\t1\tf.c\n",
		HEAD RANGE "ffffffff81000000 1\nx\t1\tf.c\tf\n",
		HEAD RANGE "ffffffff81000000 1\n-\t\tf.c\tf\n",
		HEAD RANGE "ffffffff81000000 1\n-\t1x\tf.c\tf\n",
		HEAD RANGE "ffffffff81000000 1\n-\t2147483648\tf.c\tf\n",
		HEAD RANGE "ffffffff81000000 1\n-\t1\tf.c\tf\tg\n",
		HEAD RANGE "ffffffff81000000 1\n-\t1\tf\001\tf\n",
		HEAD RANGE "ffffffff81000000 2\n-\t1\tf.c\tf\n",
	};
	static const char nul[] = HEAD RANGE "ffffffff81000000 0\n\0\n";
	struct fixture *f = *state;
	struct line_cache *cache;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(texts); i++) {
		write_file(f->path, texts[i], strlen(texts[i]));
		assert_rejected(f->path);
	}
	write_file(f->path, nul, sizeof(nul) - 1);
	assert_rejected(f->path);
	/* As a check of this test: */
	write_file(f->path, HEAD RANGE, strlen(HEAD RANGE));
	cache = line_cache_create();
	line_cache_load(cache, f->path, BUILD_ID);
	assert_true(line_cache_image(cache, &(uint64_t){ 0 },
				     &(uint64_t){ 0 }));
	line_cache_destroy(cache);
	/* Of another build. */
	cache = line_cache_create();
	line_cache_load(cache, f->path, "00");
	assert_empty(cache);
	line_cache_destroy(cache);
}

static void test_cache_path(void **state)
{
	static const uint8_t id[2] = { 0x0f, 0xa0 };
	char *path;

	(void)state;
	path = cache_path("/x", id, 2, ".lines");
	assert_string_equal(path, "/x/0fa0.lines");
	free(path);
	assert_null(cache_path("", id, 2, ".lines"));
	assert_null(cache_path("/x", id, 0, ".lines"));
	setenv("XDG_CACHE_HOME", "/xdg", 1);
	setenv("HOME", "/home/u", 1);
	path = cache_path(NULL, id, 2, ".p");
	assert_string_equal(path, "/xdg/kmlanalyze/0fa0.p");
	free(path);
	setenv("XDG_CACHE_HOME", "relative", 1);
	path = cache_path(NULL, id, 2, ".p");
	assert_string_equal(path, "/home/u/.cache/kmlanalyze/0fa0.p");
	free(path);
	unsetenv("HOME");
	assert_null(cache_path(NULL, id, 2, ".p"));
}

static struct lines *open_lines(const char *dir, const char *vmlinux)
{
	struct lines_options options = {
		.vmlinux = vmlinux,
		.cache_dir = dir,
		.build_id = build_id,
		.build_id_bytes = sizeof(build_id),
		.kaslr_offset = KASLR,
	};
	struct lines *lines;

	assert_null(lines_open(&options, &lines));
	return lines;
}

/* What is in the cache needs neither libdrgn nor a vmlinux. */
static void test_lines_cached(void **state)
{
	struct fixture *f = *state;
	struct line_cache *cache = make_cache();
	const struct lines_frame *frames;
	struct lines *lines;
	char *before, *after;
	size_t n, n_after;

	assert_true(line_cache_save(cache, f->path, BUILD_ID));
	line_cache_destroy(cache);
	before = cache_read(f->path, 1 << 20, &n);
	lines = open_lines(f->dir, "/nonexistent/vmlinux");
#ifdef HAVE_DRGN
	assert_int_equal(lines_resolve(lines, IMAGE_START + KASLR + 16, false,
				       &frames), 2);
	assert_string_equal(frames[0].function, "__vmalloc_node");
	assert_true(frames[0].inlined);
	assert_string_equal(frames[1].file, "mm/vmalloc.c");
	assert_int_equal(frames[1].line, 3398);
	/* A return address means the byte before. */
	assert_int_equal(lines_resolve(lines, IMAGE_START + KASLR + 17, true,
				       &frames), 2);
	/* Known to be unknown; and outside the kernel image. */
	assert_int_equal(lines_resolve(lines, IMAGE_END + KASLR - 1, false,
				       &frames), 0);
	assert_int_equal(lines_resolve(lines, IMAGE_END + KASLR, false,
				       &frames), 0);
	assert_int_equal(lines_resolve(lines, 0, false, &frames), 0);
	assert_null(lines_why_not(lines));
	/* Now it would have to look into the vmlinux. */
	assert_int_equal(lines_resolve(lines, IMAGE_START + KASLR + 17, false,
				       &frames), 0);
	assert_non_null(strstr(lines_why_not(lines), "/nonexistent/vmlinux"));
#else
	assert_int_equal(lines_resolve(lines, IMAGE_START + KASLR + 16, false,
				       &frames), 0);
	assert_string_equal(lines_why_not(lines), "built without libdrgn");
#endif
	lines_close(lines);
	/* Nothing was learnt. */
	after = cache_read(f->path, 1 << 20, &n_after);
	assert_int_equal(n, n_after);
	assert_memory_equal(before, after, n);
	free(before);
	free(after);
}

static void test_lines_without(void **state)
{
	struct fixture *f = *state;
	struct lines *lines = open_lines(f->dir, NULL);
	const struct lines_frame *frames;
	struct lines_stack_frame *stack;
	struct kml_error *error;
	size_t n;

	assert_int_equal(lines_resolve(lines, IMAGE_START, true, &frames), 0);
	assert_non_null(lines_why_not(lines));
	error = lines_stack(lines, UINT64_C(0xffff888000000000), &stack, &n);
	if (!error)
		fail();
	assert_non_null(strstr(kml_error_message(error), lines_why_not(lines)));
	kml_error_destroy(error);
	lines_close(lines);
	lines_close(NULL);
	assert_int_not_equal(access(f->path, F_OK), 0);
}

/* Files that are no vmlinux. */
static void test_lines_no_vmlinux(void **state)
{
	static const char elf[64] = "\177ELF\2\1\1";
	struct fixture *f = *state;
	const struct lines_frame *frames;
	struct lines *lines;
	size_t i;

	for (i = 0; i <= sizeof(elf); i += 8) {
		assert_true(cache_write(f->path, elf, i));
		lines = open_lines("", f->path);
		assert_int_equal(lines_resolve(lines, IMAGE_START, true,
					       &frames), 0);
		assert_non_null(lines_why_not(lines));
		lines_close(lines);
	}
}

/* The first one; to be free()d. */
static char *find_file(const char *vmlinux, const char *release,
		       const char *name)
{
	struct module_files files;
	const char *path;
	char *ret = NULL;
	size_t at = 0;

	if (!module_files_find(&files, NULL, vmlinux, release))
		return NULL;
	path = module_files_next(&files, name, &at);
	if (path)
		ret = strdup(path);
	module_files_deinit(&files);
	return ret;
}

static void test_module_file(void **state)
{
	static const char sub[] = "/usr/lib/debug/lib/modules/6.1-x/a";
	struct fixture *f = *state;
	char *vmlinux, *ko, *found, *p;

	assert_true(asprintf(&vmlinux, "%s/usr/lib/debug/boot/vmlinux",
			     f->dir) > 0);
	assert_true(asprintf(&ko, "%s%s/virtio-net.ko.debug", f->dir, sub) > 0);
	assert_true(cache_write(ko, "", 0));
	found = find_file(vmlinux, "6.1-x", "virtio_net");
	assert_non_null(found);
	assert_string_equal(found, ko);
	free(found);
	assert_null(find_file(vmlinux, "6.1-x", "virtio"));
	assert_null(find_file(vmlinux, "6.1-x", "virtio_net_x"));
	assert_null(find_file(vmlinux, "6.1-x", ""));
	assert_null(find_file(vmlinux, "6.1-y", "virtio_net"));
	assert_null(find_file(vmlinux, "", "virtio_net"));
	assert_null(find_file(vmlinux, "../modules/6.1-x", "virtio_net"));
	assert_null(find_file("vmlinux", "6.1-x", "virtio_net"));
	unlink(ko);
	while ((p = strrchr(ko, '/')) && p - ko >= (ptrdiff_t)strlen(f->dir)) {
		*p = '\0';
		if (strcmp(ko, f->dir))
			rmdir(ko);
	}
	free(ko);
	free(vmlinux);
}

#ifdef HAVE_DRGN

/* The idle task's stack leads from its call of schedule to start_kernel(). */
static void check_idle_stack(struct lines *lines, uint64_t init_task_va)
{
	struct lines_stack_frame *stack;
	struct kml_error *error;
	size_t n, i, k;
	bool idle = false, start = false;

	error = lines_stack(lines, init_task_va, &stack, &n);
	if (error)
		print_error("%s\n", kml_error_message(error));
	assert_null(error);
	for (i = 0; i < n; i++) {
		assert_true(!i || stack[i].sp > stack[i - 1].sp);
		for (k = 0; k < stack[i].n_frames; k++) {
			const struct lines_frame *frame = &stack[i].frames[k];

			assert_int_equal(frame->inlined,
					 k + 1 < stack[i].n_frames);
			if (!frame->function)
				continue;
			if (!strcmp(frame->function, "do_idle")) {
				assert_string_equal(frame->file,
						    "kernel/sched/idle.c");
				idle = true;
			}
			if (!strcmp(frame->function, "start_kernel"))
				start = true;
		}
	}
	assert_true(idle && start);
	free(stack);
}

static void check_vmalloc(struct lines *lines, uint64_t vmalloc_va)
{
	const struct lines_frame *frames;
	size_t n = lines_resolve(lines, vmalloc_va, false, &frames);

	assert_true(n >= 1);
	assert_string_equal(frames[n - 1].function, "vmalloc");
	assert_string_equal(frames[n - 1].file, "mm/vmalloc.c");
	assert_true(frames[n - 1].line > 1000);
	assert_false(frames[n - 1].inlined);
	/* The same frames, not others of the same content. */
	assert_int_equal(lines_resolve(lines, vmalloc_va + 1, true,
				       &(const struct lines_frame *){ NULL }),
			 n);
	assert_null(lines_why_not(lines));
}

/* libdrgn on the dump that comes with the source. */
static void test_lines_testdata(void **state)
{
	static const char *const vmcore = TESTDATA "/vmcore";
	struct profile_options profile_options = {
		.path = TESTDATA "/vmlinux.debug.zst",
		.cache_dir = "",
	};
	struct fixture *f = *state;
	struct lines_options options = { .cache_dir = f->dir };
	uint64_t vmalloc_va, init_task_va;
	struct profile *profile;
	struct lines *lines;
	struct image *image;

	assert_null(image_open(&vmcore, 1, &image));
	assert_null(profile_open(&profile_options, &profile));
	assert_true(profile_symbol(profile, "vmalloc", &vmalloc_va, NULL));
	assert_true(profile_symbol(profile, "init_task", &init_task_va, NULL));
	options.vmlinux = profile_vmlinux(profile);
	options.build_id = profile_build_id(profile, &options.build_id_bytes);
	options.kaslr_offset = image_facts(image)->kaslr_offset;
	vmalloc_va += options.kaslr_offset;
	init_task_va += options.kaslr_offset;
	free(f->path);
	f->path = cache_path(f->dir, options.build_id, options.build_id_bytes,
			     ".lines");

	options.image = image;
	assert_null(lines_open(&options, &lines));
	check_idle_stack(lines, init_task_va);
	check_vmalloc(lines, vmalloc_va);
	lines_close(lines);

	/* From the cache, at another address. */
	options.image = NULL;
	options.vmlinux = NULL;
	options.kaslr_offset += 0x200000;
	assert_null(lines_open(&options, &lines));
	check_vmalloc(lines, vmalloc_va + 0x200000);
	lines_close(lines);

	/* From the vmlinux alone: no stacks. */
	options.vmlinux = profile_vmlinux(profile);
	options.cache_dir = "";
	assert_null(lines_open(&options, &lines));
	check_vmalloc(lines, vmalloc_va + 0x200000);
	kml_error_destroy(lines_stack(lines, init_task_va,
				      &(struct lines_stack_frame *){ NULL },
				      &(size_t){ 0 }));
	assert_null(lines_why_not(lines));
	lines_close(lines);

	/* The dump opened by libdrgn. */
	options.vmcore = &vmcore;
	options.n_vmcore = 1;
	options.kaslr_offset -= 0x200000;
	assert_null(lines_open(&options, &lines));
	check_idle_stack(lines, init_task_va);
	check_vmalloc(lines, vmalloc_va);
	lines_close(lines);
	profile_close(profile);
	image_close(image);
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		TEST(test_round_trip),
		TEST(test_many),
		TEST(test_strange_names),
		TEST(test_damage),
		TEST(test_hostile),
		TEST(test_cache_path),
		TEST(test_lines_cached),
		TEST(test_lines_without),
		TEST(test_lines_no_vmlinux),
		TEST(test_module_file),
#ifdef HAVE_DRGN
		TEST(test_lines_testdata),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
