// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Snapshots: the codec, the file, and what is refused: every byte that is
 * changed, every length that is cut to, indices out of range under the right
 * checksums.  With an argument, that many random changes of each section.
 */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bitmap.h"
#include "base/util.h"
#include "snapshot/file.h"
#include "snapshot/snapshot.h"

static unsigned n_changes = 12;

/* ---- a file that can be written to over and over */

struct scratch {
	char path[64];
	int fd;
};

static void scratch_open(struct scratch *scratch)
{
	/* In memory: some thousand times on a disk take minutes. */
	scratch->fd = memfd_create("snapshot", MFD_CLOEXEC);
	assert_true(scratch->fd >= 0);
	snprintf(scratch->path, sizeof(scratch->path), "/proc/self/fd/%d",
		 scratch->fd);
}

static void scratch_put(const struct scratch *scratch, const void *data,
			size_t bytes)
{
	assert_int_equal(ftruncate(scratch->fd, 0), 0);
	assert_int_equal(pwrite(scratch->fd, data, bytes, 0), bytes);
}

static void scratch_close(struct scratch *scratch)
{
	close(scratch->fd);
}

struct bytes {
	VEC(char) v;
};

static int append(void *arg, const char *text, size_t bytes)
{
	struct bytes *to = arg;

	if (!vec_reserve(&to->v, bytes))
		return 12;
	memcpy(to->v.data + to->v.size, text, bytes);
	to->v.size += bytes;
	return 0;
}

/* ---- the codec */

struct thing {
	uint64_t u64;
	uint32_t u32;
	uint16_t u16;
	uint8_t u8;
	bool yes;
	int64_t i64;
	int32_t i32;
	double real;
	char chars[8];
	char *text, *none;
	const char *name;
};

static void archive_thing(struct archive *a, struct thing *t)
{
	archive_u64(a, &t->u64);
	archive_u32(a, &t->u32);
	archive_u16(a, &t->u16);
	archive_u8(a, &t->u8);
	archive_bool(a, &t->yes);
	archive_i64(a, &t->i64);
	archive_i32(a, &t->i32);
	archive_double(a, &t->real);
	archive_chars(a, t->chars, sizeof(t->chars));
	archive_text(a, &t->text);
	archive_text(a, &t->none);
	archive_string(a, &t->name);
}

static const struct thing extremes = {
	.u64 = UINT64_MAX, .u32 = UINT32_MAX, .u16 = UINT16_MAX,
	.u8 = UINT8_MAX, .yes = true, .i64 = INT64_MIN, .i32 = INT32_MIN,
	.real = -0.125, .chars = "1234567", .text = (char *)"", .name = "n",
};

static void test_round_trip(void **state)
{
	VEC(struct thing) things = { 0 }, loaded = { 0 };
	struct thing nothing = { .text = (char *)"t" };
	struct text_list texts = { 0 };
	struct archive a;
	struct bytes out = { 0 };
	size_t i;

	(void)state;
	assert_true(vec_push(&things, extremes));
	assert_true(vec_push(&things, nothing));
	archive_init_save(&a);
	archive_vec(&a, &things, archive_thing);
	assert_int_equal(append(&out, (char *)a.out.data, a.out.size), 0);
	assert_ok(archive_finish(&a));

	archive_init_load(&a, out.v.data, out.v.size, &texts);
	archive_vec(&a, &loaded, archive_thing);
	assert_ok(archive_finish(&a));
	assert_int_equal(loaded.size, 2);
	assert_true(loaded.data[0].u64 == UINT64_MAX);
	assert_int_equal(loaded.data[0].u32, UINT32_MAX);
	assert_int_equal(loaded.data[0].u16, UINT16_MAX);
	assert_int_equal(loaded.data[0].u8, UINT8_MAX);
	assert_true(loaded.data[0].yes && !loaded.data[1].yes);
	assert_true(loaded.data[0].i64 == INT64_MIN);
	assert_int_equal(loaded.data[0].i32, INT32_MIN);
	assert_true(loaded.data[0].real == -0.125);
	assert_string_equal(loaded.data[0].chars, "1234567");
	assert_string_equal(loaded.data[0].text, "");
	assert_string_equal(loaded.data[0].name, "n");
	assert_string_equal(loaded.data[1].text, "t");
	assert_null(loaded.data[0].none);
	assert_null(loaded.data[1].name);

	/* Cut anywhere, it fails, and what was loaded can be freed. */
	for (i = 0; i < out.v.size; i++) {
		VEC(struct thing) cut = { 0 };
		size_t j;

		archive_init_load(&a, out.v.data, i, &texts);
		archive_vec(&a, &cut, archive_thing);
		assert_fails(KML_ERR_CORRUPT, archive_finish(&a));
		for (j = 0; j < cut.size; j++) {
			free(cut.data[j].text);
			free(cut.data[j].none);
		}
		vec_deinit(&cut);
	}
	/* Something is left over. */
	archive_init_load(&a, out.v.data, out.v.size, &texts);
	assert_fails(KML_ERR_CORRUPT, archive_finish(&a));
	for (i = 0; i < loaded.size; i++)
		free(loaded.data[i].text);
	vec_deinit(&loaded);
	vec_deinit(&things);
	vec_deinit(&out.v);
	text_list_deinit(&texts);
}

static void load_number(struct archive *a)
{
	uint32_t v = 7;

	archive_u32(a, &v);
	assert_true(v <= 0xffffffff);
}

static void load_list(struct archive *a)
{
	uint64_t n = 0;

	archive_count(a, &n, 8, UINT64_MAX);
	assert_int_equal(n, 0);
}

static void load_text(struct archive *a)
{
	char *text = NULL;

	archive_text(a, &text);
	free(text);
}

static void load_bool(struct archive *a)
{
	bool v = false;

	archive_bool(a, &v);
}

static void test_bad_numbers(void **state)
{
	static const struct {
		void (*load)(struct archive *a);
		const char *in;
		size_t bytes;
	} cases[] = {
		{ load_number, "\x80\x80\x80\x80\x10", 5 }, /* 2^32 */
		{ load_number, "\x80\x80\x80", 3 },         /* no end */
		{ load_number, "", 0 },
		{ load_number, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f", 10 },
		{ load_number, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11 },
		{ load_list, "\x02" "12345678", 9 },  /* room for one */
		{ load_list, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 10 },
		{ load_text, "\x05" "abc", 4 },
		{ load_text, "\x04" "a\0c", 4 },
		{ load_bool, "\x02", 1 },
	};
	struct text_list texts = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct archive a;

		archive_init_load(&a, cases[i].in, cases[i].bytes, &texts);
		cases[i].load(&a);
		assert_fails(KML_ERR_CORRUPT, archive_finish(&a));
	}
}

/* ---- the file */

static void make_file(struct bytes *ret)
{
	struct snapshot_writer writer = { 0 };

	assert_ok(snapshot_writer_add(&writer, "one", "12345678", 8));
	assert_ok(snapshot_writer_add(&writer, "empty", "", 0));
	assert_ok(snapshot_writer_add(&writer, "two", "abc", 3));
	assert_ok(snapshot_writer_write(&writer, append, ret));
	snapshot_writer_deinit(&writer);
}

static void test_file(void **state)
{
	struct snapshot_file file;
	struct scratch scratch;
	struct bytes data = { 0 };
	size_t bytes;
	void *section;

	(void)state;
	scratch_open(&scratch);
	make_file(&data);
	scratch_put(&scratch, data.v.data, data.v.size);
	assert_true(snapshot_file_is(scratch.path));
	assert_ok(snapshot_file_open(&file, scratch.path));
	assert_ok(snapshot_file_section(&file, "two", &section, &bytes));
	assert_int_equal(bytes, 3);
	assert_memory_equal(section, "abc", 3);
	free(section);
	assert_ok(snapshot_file_section(&file, "empty", &section, &bytes));
	assert_int_equal(bytes, 0);
	free(section);
	assert_fails(KML_ERR_CORRUPT,
		     snapshot_file_section(&file, "three", &section, &bytes));
	snapshot_file_close(&file);
	vec_deinit(&data.v);
	scratch_close(&scratch);
	assert_false(snapshot_file_is(scratch.path));
	assert_fails(KML_ERR_OS, snapshot_file_open(&file, scratch.path));
}

static void refused(const struct scratch *scratch, const char *data,
		    size_t bytes)
{
	struct snapshot_file file;
	struct kml_error *error;

	scratch_put(scratch, data, bytes);
	error = snapshot_file_open(&file, scratch->path);
	assert_non_null(error);
	assert_true(kml_error_code(error) == KML_ERR_CORRUPT ||
		    kml_error_code(error) == KML_ERR_FORMAT ||
		    kml_error_code(error) == KML_ERR_UNSUPPORTED);
	kml_error_destroy(error);
}

/* Whatever single byte is changed, to whatever, and wherever it ends. */
static void test_file_damaged(void **state)
{
	struct scratch scratch;
	struct bytes data = { 0 };
	unsigned value;
	size_t i;

	(void)state;
	scratch_open(&scratch);
	make_file(&data);
	for (i = 0; i < data.v.size; i++) {
		char was = data.v.data[i];

		for (value = 0; value < 256; value++) {
			data.v.data[i] = (char)value;
			if (data.v.data[i] != was)
				refused(&scratch, data.v.data, data.v.size);
		}
		data.v.data[i] = was;
		refused(&scratch, data.v.data, i);
	}
	assert_int_equal(append(&data, "x", 1), 0);
	refused(&scratch, data.v.data, data.v.size);
	vec_deinit(&data.v);
	scratch_close(&scratch);
}

static void test_file_version(void **state)
{
	struct snapshot_file file;
	struct scratch scratch;
	struct bytes data = { 0 };
	uint32_t version = SNAPSHOT_VERSION + 1;

	(void)state;
	scratch_open(&scratch);
	make_file(&data);
	memcpy(data.v.data + 8, &version, sizeof(version));
	scratch_put(&scratch, data.v.data, data.v.size);
	assert_fails(KML_ERR_UNSUPPORTED,
		     snapshot_file_open(&file, scratch.path));
	vec_deinit(&data.v);
	scratch_close(&scratch);
}

/* ---- indices out of range */

static void save_section(void (*section)(struct archive *, struct snapshot *),
			 struct snapshot *snapshot, struct bytes *ret)
{
	struct archive a;

	archive_init_save(&a);
	section(&a, snapshot);
	assert_int_equal(append(ret, (char *)a.out.data, a.out.size), 0);
	assert_ok(archive_finish(&a));
}

static struct kml_error *
load_section(void (*section)(struct archive *, struct snapshot *),
	     struct snapshot *snapshot, struct bytes *data)
{
	struct archive a;

	archive_init_load(&a, data->v.data, data->v.size,
			  &snapshot->analysis->loaded.texts);
	section(&a, snapshot);
	vec_deinit(&data->v);
	return archive_finish(&a);
}

/* Of three objects and two other sources. */
static void test_graph(void **state)
{
	static const uint64_t first[] = { 0, 2, 2, 3, 3, 4 };
	static const struct graph_edge good[] = {
		{ 1, 1u << 29 }, { 2, 5 | 1u << 29 },
		{ 0, GRAPH_WORD_NONE | 2u << 29 }, { 2, 4u << 29 },
	};
	static const struct graph_disregarded word = { 2, 4, 7, 1 };
	unsigned bad;

	(void)state;
	for (bad = 0; bad < 8; bad++) {
		struct graph_edge edges[4];
		struct graph_disregarded d = word;
		uint64_t firsts[6];
		struct kml_analysis analysis = { 0 }, other = { 0 };
		struct snapshot snapshot = { .analysis = &analysis };
		struct graph *graph = &analysis.graph;
		struct bytes data = { 0 };

		memcpy(edges, good, sizeof(edges));
		memcpy(firsts, first, sizeof(firsts));
		*graph = (struct graph){ .n_objects = 3, .n_sources = 5,
					 .n_edges = 4, .first = firsts,
					 .edges = edges, .disregarded = &d,
					 .n_disregarded = 1 };
		graph->statistics.words = 77;
		other.heap.n_ids = 3;
		switch (bad) {
		case 1: edges[3].to = 3; break;
		case 2: edges[1].where = 5u << 29; break;
		case 3: d.to = 3; break;
		case 4: d.from = 5; break;
		case 5: d.why = GRAPH_DISREGARDS; break;
		case 6: other.heap.n_ids = 2; break;
		case 7: other.kernel.roots.size = 3; break;
		}
		save_section(archive_graph, &snapshot, &data);
		snapshot.analysis = &other;
		if (bad) {
			assert_fails(KML_ERR_CORRUPT,
				     load_section(archive_graph, &snapshot,
						  &data));
		} else {
			assert_ok(load_section(archive_graph, &snapshot,
					       &data));
			assert_memory_equal(other.graph.edges, good,
					    sizeof(good));
			assert_memory_equal(other.graph.first, first,
					    sizeof(first));
			assert_memory_equal(other.graph.disregarded, &word,
					    sizeof(word));
			assert_int_equal(other.graph.statistics.words, 77);
		}
		graph_deinit(&other.graph);
	}
}

static void test_leaks(void **state)
{
	unsigned bad;

	(void)state;
	for (bad = 0; bad < 10; bad++) {
		struct leak leak = { .id = 1, .n_followers = 1,
				     .n_cycle = 1, .bytes = 64 };
		struct leak_group group = { .n_leaks = 1 };
		struct held held = { .id = 2 };
		struct blind_holder holder = { .source = 2, .how = 1 };
		uint32_t follower = 2;
		uint64_t reached[1] = { 1 };
		struct kml_analysis analysis = { 0 }, other = { 0 };
		struct snapshot snapshot = { .analysis = &analysis };
		struct bytes data = { 0 };

		analysis.heap.n_ids = other.heap.n_ids = 3;
		other.kernel.tasks.size = 1;
		other.graph.n_sources = 3;
		analysis.reached = reached;
		analysis.leaks = (struct leaks){
			.leaks = &leak, .n_leaks = 1, .followers = &follower,
			.n_followers = 1, .groups = &group, .n_groups = 1,
			.n_objects = 2 };
		analysis.held.held = &held;
		analysis.held.n_held = 1;
		analysis.blind.holders = &holder;
		analysis.blind.n_holders = 1;
		switch (bad) {
		case 1: leak.id = 3; break;
		case 2: leak.group = 1; break;
		case 3: leak.n_followers = 2; break;
		case 4: leak.first_follower = UINT32_MAX; break;
		case 5: group.n_leaks = 2; break;
		case 6: follower = 3; break;
		case 7: held.task = 1; break;
		case 8: holder.source = 3; break;
		case 9: analysis.leaks.n_objects = 4; break;
		}
		save_section(archive_leaks, &snapshot, &data);
		snapshot.analysis = &other;
		if (bad)
			assert_fails(KML_ERR_CORRUPT,
				     load_section(archive_leaks, &snapshot,
						  &data));
		else
			assert_ok(load_section(archive_leaks, &snapshot,
					       &data));
		leaks_deinit(&other.leaks);
		held_deinit(&other.held);
		blind_deinit(&other.blind);
		free(other.reached);
	}
}

/* ---- a whole one, of the dump in testdata */

static struct bytes whole;

static int make_whole(void **state)
{
	static const char *const vmcore[] = { TESTDATA "/vmcore" };
	struct kml_report_options report = KML_REPORT_OPTIONS_INIT;
	struct kml_options options = KML_OPTIONS_INIT;
	struct kml_analysis *analysis;

	(void)state;
	options.vmcore = vmcore;
	options.n_vmcore = 1;
	options.vmlinux = TESTDATA "/vmlinux.debug.zst";
	options.cache_dir = "";
	assert_ok(kml_analyze(&options, &analysis));
	assert_ok(kml_save(analysis, &report, append, &whole));
	kml_analysis_destroy(analysis);
	return 0;
}

static int free_whole(void **state)
{
	(void)state;
	vec_deinit(&whole.v);
	return 0;
}

static int write_nothing(void *arg, const char *text, size_t bytes)
{
	(void)arg;
	(void)text;
	(void)bytes;
	return 0;
}

/* Open it and ask it all; false: it is refused. */
static bool ask_all(const char *path)
{
	static const uint64_t addresses[] = {
		UINT64_C(0xffff8defc1240880), UINT64_C(0xffff9fa240637000),
		UINT64_C(0xffffffffc01b7dbb), UINT64_C(0xffff9fa240005000),
		0x10, UINT64_MAX,
	};
	struct kml_report_options report = KML_REPORT_OPTIONS_INIT;
	struct kml_options options = KML_OPTIONS_INIT;
	struct kml_analysis *analysis;
	struct kml_error *error;

	options.vmcore = &path;
	options.n_vmcore = 1;
	options.held_by_stack = options.blind = true;
	error = kml_analyze(&options, &analysis);
	if (error) {
		kml_error_destroy(error);
		return false;
	}
	report.addresses = addresses;
	report.n_addresses = ARRAY_SIZE(addresses);
	for (report.format = KML_FORMAT_TEXT; report.format <= KML_FORMAT_JSON;
	     report.format++) {
		kml_error_destroy(kml_report(analysis, &report, write_nothing,
					     NULL));
		kml_error_destroy(kml_report_show(analysis, &report,
						  write_nothing, NULL));
		kml_error_destroy(kml_report_caches(analysis, &report,
						    write_nothing, NULL));
		kml_error_destroy(kml_report_top(analysis, &report,
						 write_nothing, NULL));
		kml_error_destroy(kml_report_refs(analysis, &report,
						  write_nothing, NULL));
		kml_error_destroy(kml_report_path(analysis, &report,
						  write_nothing, NULL));
		kml_error_destroy(kml_report_whatis(analysis, &report,
						    write_nothing, NULL));
	}
	kml_analysis_destroy(analysis);
	return true;
}

static void test_whole_damaged(void **state)
{
	struct scratch scratch;
	size_t i;

	(void)state;
	scratch_open(&scratch);
	scratch_put(&scratch, whole.v.data, whole.v.size);
	assert_true(ask_all(scratch.path));
	for (i = 0; i < whole.v.size; i += 1 + whole.v.size / 500) {
		whole.v.data[i] ^= 0x10;
		scratch_put(&scratch, whole.v.data, whole.v.size);
		assert_false(ask_all(scratch.path));
		whole.v.data[i] ^= 0x10;
		scratch_put(&scratch, whole.v.data, i);
		assert_false(ask_all(scratch.path));
	}
	scratch_close(&scratch);
}

static uint32_t draw(void)
{
	static uint64_t x = 1;

	x = x * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (uint32_t)(x >> 33);
}

/* Change some bytes of one section and write all of them anew. */
static void put_changed(const struct snapshot_file *file, size_t changed,
			const struct scratch *scratch)
{
	struct snapshot_writer writer = { 0 };
	struct bytes data = { 0 };
	size_t i, bytes, n;

	for (i = 0; i < file->sections.size; i++) {
		const char *name = file->sections.data[i].name;
		void *section;

		assert_ok(snapshot_file_section(file, name, &section, &bytes));
		for (n = 1 + draw() % 3; i == changed && bytes && n; n--) {
			/* The first bytes are counts, mostly. */
			size_t range = draw() % 2 ? MIN(bytes, 64) : bytes;

			((uint8_t *)section)[draw() % range] ^=
				(uint8_t)(1u << draw() % 8);
		}
		if (i == changed && bytes && draw() % 8 == 0)
			bytes = draw() % bytes;
		assert_ok(snapshot_writer_add(&writer, name, section, bytes));
		free(section);
	}
	assert_ok(snapshot_writer_write(&writer, append, &data));
	scratch_put(scratch, data.v.data, data.v.size);
	snapshot_writer_deinit(&writer);
	vec_deinit(&data.v);
}

/* Under the right checksums: refused or not, but never a crash. */
static void test_hostile(void **state)
{
	struct snapshot_file file;
	struct scratch scratch;
	size_t section, i, n_taken = 0;

	(void)state;
	scratch_open(&scratch);
	scratch_put(&scratch, whole.v.data, whole.v.size);
	assert_ok(snapshot_file_open(&file, scratch.path));
	for (section = 0; section < file.sections.size; section++) {
		for (i = 0; i < n_changes; i++) {
			put_changed(&file, section, &scratch);
			n_taken += ask_all(scratch.path);
		}
	}
	printf("%zu of %zu were taken\n", n_taken,
	       file.sections.size * n_changes);
	snapshot_file_close(&file);
	scratch_close(&scratch);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_bad_numbers),
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_file_damaged),
		cmocka_unit_test(test_file_version),
		cmocka_unit_test(test_graph),
		cmocka_unit_test(test_leaks),
		cmocka_unit_test(test_whole_damaged),
		cmocka_unit_test(test_hostile),
	};

	if (argc > 1)
		n_changes = (unsigned)strtoul(argv[1], NULL, 10);
	return cmocka_run_group_tests(tests, make_whole, free_whole);
}
