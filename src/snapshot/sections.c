// SPDX-License-Identifier: GPL-2.0-or-later
/* Which sections a snapshot has, and saving and loading them in their order. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "snapshot/file.h"
#include "snapshot/snapshot.h"

enum needed {
	ALWAYS,
	FOR_LEAKS,    /* not by an inventory */
	FOR_KMEMLEAK, /* with options.kmemleak */
};

struct section {
	const char *name;
	void (*archive)(struct archive *a, struct snapshot *snapshot);
	enum needed needed;
	struct kml_error *(*loaded)(struct snapshot *snapshot);
};

/* ---- what is made of a section once it is loaded */

static struct kml_error *memory_loaded(struct snapshot *snapshot)
{
	return image_open_record(&snapshot->image, &snapshot->analysis->image);
}

static struct kml_error *profile_loaded(struct snapshot *snapshot)
{
	struct kml_analysis *analysis = snapshot->analysis;
	struct kernel *kernel = &analysis->kernel;

	kernel->image = analysis->image;
	kernel->profile = analysis->profile;
	kernel->messenger = &analysis->messenger;
	kernel->heap = &analysis->heap;
	kernel->n_threads = 1;
	kernel->arch = image_facts(analysis->image)->arch;
	return NULL;
}

static struct kml_error *kmemleak_loaded(struct snapshot *snapshot)
{
	struct kml_analysis *analysis = snapshot->analysis;

	if (snapshot->kmemleak_why)
		return error_new((enum kml_code)snapshot->kmemleak_code, "%s",
				 snapshot->kmemleak_why);
	kmemleak_open_traces(&analysis->kernel, &analysis->kmemleak);
	analysis->loaded.comparison =
		calloc(1, sizeof(*analysis->loaded.comparison));
	if (!analysis->loaded.comparison)
		return error_nomem();
	*analysis->loaded.comparison = snapshot->comparison;
	memset(&snapshot->comparison, 0, sizeof(snapshot->comparison));
	analysis->loaded.comparison_gaps = snapshot->comparison_gaps;
	memset(&snapshot->comparison_gaps, 0,
	       sizeof(snapshot->comparison_gaps));
	return NULL;
}

static struct kml_error *lines_loaded(struct snapshot *snapshot)
{
	struct kml_analysis *analysis = snapshot->analysis;
	struct kml_error *error;

	error = lines_open_record(&snapshot->lines,
				  analysis->kernel.kaslr_offset,
				  &analysis->lines);
	return error ? error : analysis_add_modules(analysis);
}

/* Each may rely on those above it. */
static const struct section sections[] = {
	{ "about", archive_about, ALWAYS, NULL },
	{ "image", archive_image, ALWAYS, NULL },
	{ "memory", archive_memory, ALWAYS, memory_loaded },
	{ "profile", archive_profile, ALWAYS, profile_loaded },
	{ "kernel", archive_kernel, ALWAYS, NULL },
	{ "heap", archive_heap, ALWAYS, NULL },
	{ "graph", archive_graph, FOR_LEAKS, NULL },
	{ "types", archive_infer, FOR_LEAKS, NULL },
	{ "leaks", archive_leaks, FOR_LEAKS, NULL },
	{ "holdings", archive_holdings, FOR_LEAKS, NULL },
	{ "user", archive_user, FOR_LEAKS, NULL },
	{ "kmemleak", archive_kmemleak, FOR_KMEMLEAK, kmemleak_loaded },
	{ "lines", archive_lines, ALWAYS, lines_loaded },
	{ NULL, NULL, ALWAYS, NULL },
};

/* ---- saving */

static struct kml_error *save_section(struct snapshot *snapshot,
				      const struct section *section,
				      struct snapshot_writer *writer)
{
	struct kml_error *error = NULL, *other;
	struct archive a;

	archive_init_save(&a);
	section->archive(&a, snapshot);
	if (!a.failed)
		error = snapshot_writer_add(writer, section->name, a.out.data,
					    a.out.size);
	other = archive_finish(&a);
	return other ? other : error;
}

struct kml_error *snapshot_write(struct snapshot *snapshot,
				 kml_write_fn *write, void *arg)
{
	struct messenger *messenger = &snapshot->analysis->messenger;
	struct snapshot_writer writer = { 0 };
	struct kml_error *error = NULL;
	const struct section *section;
	uint64_t n = 0;

	for (section = sections; !error && section->name; section++) {
		error = message_progress(messenger, "compress", n++,
					 ARRAY_SIZE(sections) - 1);
		if (!error)
			error = save_section(snapshot, section, &writer);
	}
	if (!error)
		error = snapshot_writer_write(&writer, write, arg);
	snapshot_writer_deinit(&writer);
	return error;
}

void snapshot_deinit(struct snapshot *snapshot)
{
	image_record_deinit(&snapshot->image);
	lines_record_deinit(&snapshot->lines);
	vec_deinit(&snapshot->gaps.gaps);
	vec_deinit(&snapshot->kmemleak_gaps.gaps);
	vec_deinit(&snapshot->comparison_gaps.gaps);
	comparison_deinit(&snapshot->comparison);
	free(snapshot->kmemleak_why);
}

/* ---- loading */

static bool is_needed(const struct snapshot *snapshot, enum needed needed)
{
	return needed == ALWAYS ||
	       (needed == FOR_LEAKS && !snapshot->inventory) ||
	       (needed == FOR_KMEMLEAK && snapshot->kmemleak);
}

static struct kml_error *load_section(struct snapshot *snapshot,
				      const struct snapshot_file *file,
				      const struct section *section)
{
	struct kml_error *error;
	struct archive a;
	size_t bytes;
	void *data;

	error = snapshot_file_section(file, section->name, &data, &bytes);
	if (error)
		return error;
	archive_init_load(&a, data, bytes, &snapshot->analysis->loaded.texts);
	section->archive(&a, snapshot);
	error = archive_finish(&a);
	free(data);
	if (!error && section->loaded)
		error = section->loaded(snapshot);
	return error;
}

static struct kml_error *load_sections(struct snapshot *snapshot,
				       const struct snapshot_file *file)
{
	struct kml_error *error = NULL;
	const struct section *section;

	for (section = sections; !error && section->name; section++) {
		if (is_needed(snapshot, section->needed))
			error = load_section(snapshot, file, section);
	}
	return error;
}

static struct kml_error *choose_gaps(struct snapshot *snapshot)
{
	static const struct gap_list none;
	struct kml_analysis *a = snapshot->analysis;

	return snapshot_merge_gaps(&a->inventory_gaps,
				   snapshot->kmemleak ?
					   &snapshot->kmemleak_gaps : &none,
				   snapshot->inventory ? &a->scan_gaps :
							 &snapshot->gaps,
				   &a->kernel);
}

/* Those of [@first, @end) of the stages. */
static struct kml_error *warn_again(struct messenger *messenger, uint32_t first,
				    uint32_t end)
{
	size_t i;

	for (i = 0; i < messenger->kept.size; i++) {
		const struct message_kept *kept = &messenger->kept.data[i];

		if (kept->stage >= first && kept->stage < end &&
		    messenger->fn &&
		    !messenger->fn(messenger->arg, KML_MESSAGE_WARNING,
				   kept->text, -1))
			return error_new(KML_ERR_INTERRUPTED, "interrupted");
	}
	return NULL;
}

/* In the order in which they would come from the dump. */
static struct kml_error *warn_all(const struct snapshot *snapshot)
{
	struct messenger *messenger = &snapshot->analysis->messenger;
	struct kml_error *error;

	error = warn_again(messenger, 0, STAGE_SCAN);
	if (!error && snapshot->kmemleak)
		error = warn_again(messenger, STAGE_KMEMLEAK,
				   STAGE_KMEMLEAK + 1);
	if (!error)
		error = warn_again(messenger, STAGE_SCAN,
				   snapshot->inventory ? STAGE_MARK : STAGES);
	return error;
}

static struct kml_error *load(struct snapshot *snapshot, const char *path)
{
	struct kml_analysis *analysis = snapshot->analysis;
	struct snapshot_file file;
	struct kml_error *error;

	error = snapshot_file_open(&file, path);
	if (error)
		return error;
	error = load_sections(snapshot, &file);
	snapshot_file_close(&file);
	if (error)
		return error;
	analysis->scanned = true;
	analysis->loaded.is_loaded = true;
	analysis->loaded.no_content = snapshot->no_content;
	analysis->loaded.no_lines = snapshot->no_lines;
	error = choose_gaps(snapshot);
	if (!error && !snapshot->inventory)
		error = analysis_open_sites(analysis);
	return error ? error : warn_all(snapshot);
}

/* What takes another scan; NULL: nothing. */
static const char *wants_scan(const struct kml_options *options)
{
	return options->vmlinux			 ? "a vmlinux" :
	       options->force			 ? "--force" :
	       options->stack != KML_STACK_LIVE  ? "--stack" :
	       options->precise			 ? "--precise" :
	       options->n_rules			 ? "--rules" :
	       options->baseline		 ? "--baseline" :
	       options->min_age_ms		 ? "--min-age" :
	       options->n_types			 ? "--type" :
	       options->no_types		 ? "--no-types" :
						   NULL;
}

struct kml_error *snapshot_load(const char *path,
				const struct kml_options *options,
				bool inventory, struct kml_analysis **ret)
{
	struct kml_options all = KML_OPTIONS_INIT;
	struct snapshot snapshot = { .inventory = inventory };
	struct kml_analysis *analysis;
	struct kml_error *error;

	/* A caller built against an older header passes a smaller struct. */
	memcpy(&all, options, MIN(options->size, sizeof(all)));
	if (wants_scan(&all))
		return error_new(KML_ERR_ARGUMENT,
				 "'%s' is a snapshot; with %s the dump has to be scanned again",
				 path, wants_scan(&all));
	analysis = calloc(1, sizeof(*analysis));
	if (!analysis)
		return error_nomem();
	analysis->options.held_by_stack = all.held_by_stack;
	analysis->options.no_lines = all.no_lines;
	analysis->options.blind = all.blind;
	analysis->options.kmemleak = snapshot.kmemleak = all.kmemleak;
	analysis->messenger.fn = all.message;
	analysis->messenger.arg = all.message_arg;
	snapshot.analysis = analysis;
	error = load(&snapshot, path);
	snapshot_deinit(&snapshot);
	if (error)
		kml_analysis_destroy(analysis);
	else
		*ret = analysis;
	return error;
}
