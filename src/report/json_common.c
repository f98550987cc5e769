// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/json_common.h"
#include "report/type.h"

#include <inttypes.h>
#include <stdio.h>

#include "kernel/boot.h"
#include "report/statistics.h"
#include "report/summary.h"

static void json_kernel(struct json *json, const struct report *report)
{
	const struct kernel *kernel = report->kernel;
	const struct image_facts *facts = image_facts(report->analysis->image);
	char id[17] = "";
	uint64_t boot;

	json_object(json, "kernel");
	json_string(json, "release",
		    kernel->release[0] ? kernel->release : facts->release);
	json_string(json, "version", kernel->version);
	json_string(json, "machine", kernel->machine);
	json_string(json, "node", kernel->node);
	json_address(json, "kaslr_offset", kernel->kaslr_offset);
	if (kernel_boot_id(report->kernel, &boot))
		snprintf(id, sizeof(id), "%016" PRIx64, boot);
	json_string(json, "boot_id", id[0] ? id : NULL);
	json_end(json);
}

/* On one line: the one that depends on how the dump was written. */
static void json_dump(struct json *json, const struct kml_analysis *analysis)
{
	const struct image_facts *facts = image_facts(analysis->image);
	size_t i;

	json_object_line(json, "dump");
	json_array(json, "files");
	for (i = 0; i < analysis->options.n_vmcore; i++)
		json_string(json, NULL, analysis->options.vmcore[i]);
	json_end(json);
	json_string(json, "format", facts->format);
	json_number(json, "bytes", facts->file_bytes);
	json_bool(json, "truncated", facts->truncated);
	json_end(json);
}

static void json_debuginfo(struct json *json,
			   const struct kml_analysis *analysis)
{
	char id[SUMMARY_ID_BYTES];

	summary_build_id(analysis->profile, id);
	json_object(json, "debuginfo");
	json_string(json, "vmlinux", summary_vmlinux(analysis));
	json_string(json, "build_id", id[0] ? id : NULL);
	json_bool(json, "mismatch", profile_mismatch(analysis->profile));
	json_end(json);
}

static void json_machine(struct json *json, const struct kernel *kernel)
{
	json_object(json, "machine");
	json_number(json, "cpus", summary_cpus(kernel));
	json_number(json, "memory_bytes", summary_memory_bytes(kernel));
	json_number(json, "tasks", kernel->tasks.size);
	json_number(json, "modules", kernel->modules.size);
	json_number(json, "caches", kernel->caches.size);
	json_end(json);
}

void json_header(struct json *json, struct report *report, const char *kind)
{
	json_number(json, "schema", JSON_SCHEMA);
	json_string(json, "report", kind);
	json_string(json, "version", KML_VERSION);
	json_kernel(json, report);
	json_dump(json, report->analysis);
	json_debuginfo(json, report->analysis);
	json_machine(json, report->kernel);
}

void json_gaps(struct json *json, const struct report *report)
{
	const struct kernel *kernel = report->kernel;
	size_t i;

	json_bool(json, "partial", kml_partial(report->analysis));
	json_array(json, "gaps");
	for (i = 0; i < kernel->gaps.size; i++) {
		const struct kernel_gap *gap = &kernel->gaps.data[i];

		json_object_line(json, NULL);
		json_string(json, "what", gap->what);
		json_number(json, "count", gap->count);
		json_address(json, "first_address", gap->first_address);
		json_bool(json, "unsound", gap->unsound);
		json_end(json);
	}
	json_end(json);
}

static void json_stages(struct json *json, const struct kml_analysis *analysis)
{
	unsigned stage;

	json_array(json, "stages");
	for (stage = 0; stage < STAGES; stage++) {
		json_object_line(json, NULL);
		json_string(json, "stage", stage_names[stage]);
		json_seconds(json, "cpu_seconds",
			     analysis->stages[stage].cpu_s);
		json_seconds(json, "wall_seconds",
			     analysis->stages[stage].wall_s);
		json_end(json);
	}
	json_end(json);
}

void json_statistics(struct json *json, const struct report *report)
{
	const struct statistics s = statistics_of(report->analysis);

	json_object(json, "statistics");
	json_number(json, "objects", s.objects);
	json_number(json, "pages", s.pages);
	json_number(json, "words", s.words);
	json_number(json, "dismissals", s.dismissals);
	json_number(json, "candidates", s.candidates);
	json_number(json, "misses", s.misses);
	json_number(json, "self_references", s.self);
	json_number(json, "references", s.references);
	json_number(json, "duplicates", s.duplicates);
	json_number(json, "follows", s.follows);
	json_number(json, "peak_memory_bytes", s.peak_bytes);
	json_string(json, "layouts_from", s.layouts);
	json_stages(json, report->analysis);
	json_end(json);
}

void json_object_members(struct json *json, const struct report *report,
			 const struct object *object)
{
	struct kernel_track track;
	char type[TYPE_BYTES];

	json_address(json, "address", object->va);
	json_number(json, "bytes", object->bytes);
	json_string(json, "kind", object_kinds[object->kind]);
	json_string(json, "cache", object->cache);
	if (infer_is_known(&report->analysis->infer, object->id) &&
	    type_format(report, object->id, type))
		json_string(json, "type_name", type);
	if (object_track(report, object, &track))
		json_number(json, "allocated_jiffies", track.when);
}

void json_frames(struct json *json, const char *key,
		 const struct lines_frame *frames, size_t n)
{
	size_t i;

	json_array(json, key);
	for (i = 0; i < n; i++) {
		json_object_line(json, NULL);
		json_string(json, "function", frames[i].function);
		json_string(json, "file", frames[i].file);
		json_number(json, "line", frames[i].line);
		json_bool(json, "inlined", frames[i].inlined);
		json_end(json);
	}
	json_end(json);
}
