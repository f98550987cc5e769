// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/baseline.h"

#include <errno.h>
#include <inttypes.h>
#include <json-c/json.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"

/* In memory it is some ten times as large. */
#define MAX_BASELINE_BYTES (UINT64_C(256) << 20)
/* A report is nine deep. */
#define MAX_DEPTH 32
#define READ_BYTES 65536u

static struct kml_error *not_ours(const struct baseline *baseline,
				  const char *what)
{
	return error_new(KML_ERR_FORMAT, "'%s': %s", baseline->path, what);
}

/* A member of an object; NULL: none, null, or @object is no object. */
static struct json_object *get(struct json_object *object, const char *key)
{
	struct json_object *value;

	return json_object_is_type(object, json_type_object) &&
			       json_object_object_get_ex(object, key, &value) ?
		       value :
		       NULL;
}

static const char *get_text(struct json_object *object, const char *key)
{
	struct json_object *value = get(object, key);

	return json_object_is_type(value, json_type_string) ?
		       json_object_get_string(value) :
		       NULL;
}

/* "0x..." or, for a fingerprint or a boot, bare digits. */
static bool get_hex(struct json_object *object, const char *key, uint64_t *ret)
{
	const char *text = get_text(object, key);
	char *end;

	if (!text || !text[0] || !strchr("0123456789abcdef", text[0]))
		return false;
	errno = 0;
	*ret = strtoull(text, &end, 16);
	return !errno && !*end;
}

static bool get_number(struct json_object *object, const char *key,
		       uint64_t *ret)
{
	struct json_object *value = get(object, key);

	if (!json_object_is_type(value, json_type_int) ||
	    json_object_get_int64(value) < 0)
		return false;
	*ret = json_object_get_uint64(value);
	return true;
}

static struct json_object *get_array(struct json_object *object,
				     const char *key)
{
	struct json_object *value = get(object, key);

	return json_object_is_type(value, json_type_array) ? value : NULL;
}

static struct kml_error *copy_text(struct json_object *object, const char *key,
				   char **ret)
{
	const char *text = get_text(object, key);

	*ret = NULL;
	if (text && !(*ret = strdup(text)))
		return error_nomem();
	return NULL;
}

static struct kml_error *add_object(struct baseline *baseline,
				    struct json_object *json)
{
	struct baseline_object object = { 0 };
	const char *kind = get_text(json, "kind");
	struct kml_error *error;

	while (kind && object.kind < HEAP_KINDS &&
	       strcmp(kind, heap_kind_names[object.kind]))
		object.kind++;
	if (!kind || object.kind == HEAP_KINDS ||
	    !get_hex(json, "address", &object.va) ||
	    !get_number(json, "bytes", &object.bytes))
		return not_ours(baseline, "a leaked object without address, bytes or kind");
	get_number(json, "allocated_jiffies", &object.when);
	error = copy_text(json, "cache", &object.cache);
	if (error || vec_push(&baseline->objects, object))
		return error;
	free(object.cache);
	return error_nomem();
}

static struct kml_error *add_leak(struct baseline *baseline, struct json_object *leak)
{
	struct json_object *followers = get_array(leak, "followers");
	struct kml_error *error = add_object(baseline, leak);
	size_t i;

	if (!error && !followers)
		error = not_ours(baseline, "a leak without followers");
	for (i = 0; !error && i < json_object_array_length(followers); i++)
		error = add_object(baseline, json_object_array_get_idx(followers, i));
	return error;
}

static struct kml_error *add_group(struct baseline *baseline,
				   struct json_object *group)
{
	struct json_object *leaks = get_array(group, "leaks");
	struct baseline_count count;
	struct kml_error *error = NULL;
	uint64_t omitted;
	size_t i;

	if (!leaks ||
	    !get_hex(group, "fingerprint", &count.fingerprint) ||
	    !get_number(group, "leak_count", &count.n_leaks) ||
	    !get_number(group, "omitted", &omitted))
		return not_ours(baseline, "a group without fingerprint, leaks or their number");
	if (omitted)
		return error_new(KML_ERR_UNSUPPORTED,
				 "'%s' was written with --limit: leaks are missing in it",
				 baseline->path);
	if (!vec_push(&baseline->counts, count))
		return error_nomem();
	for (i = 0; !error && i < json_object_array_length(leaks); i++)
		error = add_leak(baseline, json_object_array_get_idx(leaks, i));
	return error;
}

static int compare_objects(const void *a, const void *b)
{
	const struct baseline_object *x = a, *y = b;

	return (x->va > y->va) - (x->va < y->va);
}

static int compare_counts(const void *a, const void *b)
{
	const struct baseline_count *x = a, *y = b;

	return (x->fingerprint > y->fingerprint) -
	       (x->fingerprint < y->fingerprint);
}

/* Groups may share a fingerprint. */
static void sort_all(struct baseline *baseline)
{
	struct baseline_count *counts = baseline->counts.data;
	size_t i, n = 0;

	if (baseline->objects.size)
		qsort(baseline->objects.data, baseline->objects.size,
		      sizeof(*baseline->objects.data), compare_objects);
	if (baseline->counts.size)
		qsort(counts, baseline->counts.size, sizeof(*counts),
		      compare_counts);
	for (i = 0; i < baseline->counts.size; i++) {
		if (n && counts[n - 1].fingerprint == counts[i].fingerprint)
			counts[n - 1].n_leaks += counts[i].n_leaks;
		else
			counts[n++] = counts[i];
	}
	baseline->counts.size = n;
}

static struct kml_error *load(struct baseline *baseline, struct json_object *report)
{
	struct json_object *kernel = get(report, "kernel");
	struct json_object *groups = get_array(get(report, "leaks"), "groups");
	const char *kind = get_text(report, "report");
	struct kml_error *error;
	uint64_t schema;
	size_t i;

	if (!get_number(report, "schema", &schema) || !kind || !kernel)
		return not_ours(baseline, "no report of kmlanalyze's");
	if (schema != 1)
		return not_ours(baseline, "a report of another version of kmlanalyze");
	if (strcmp(kind, "leaks") || !groups)
		return not_ours(baseline, "a report of something else than leaks");
	baseline->has_boot = get_hex(kernel, "boot_id", &baseline->boot);
	error = copy_text(kernel, "release", &baseline->release);
	if (!error)
		error = copy_text(get(report, "debuginfo"), "build_id",
				  &baseline->build_id);
	for (i = 0; !error && i < json_object_array_length(groups); i++)
		error = add_group(baseline, json_object_array_get_idx(groups, i));
	if (!error)
		sort_all(baseline);
	return error;
}

/* Feed the file to the parser; NULL in *@ret is an end too early. */
static struct kml_error *feed(FILE *file, const char *path,
			      struct json_tokener *tokener,
			      struct json_object **ret)
{
	_cleanup_free_ char *buf = malloc(READ_BYTES + 1);
	enum json_tokener_error state = json_tokener_continue;
	uint64_t left = MAX_BASELINE_BYTES;
	size_t n;

	*ret = NULL;
	if (!buf)
		return error_nomem();
	while ((n = fread(buf, 1, READ_BYTES, file)) != 0) {
		if (n > left)
			return error_new(KML_ERR_UNSUPPORTED,
					 "'%s' is larger than 256 MiB", path);
		left -= n;
		buf[n] = '\0';
		/* Behind its end there may be white space. */
		if (*ret && strspn(buf, " \t\r\n") < n)
			return error_new(KML_ERR_FORMAT,
					 "'%s' is no JSON: there is more behind its end",
					 path);
		if (*ret)
			continue;
		*ret = json_tokener_parse_ex(tokener, buf, (int)n);
		state = json_tokener_get_error(tokener);
		if (state != json_tokener_success &&
		    state != json_tokener_continue)
			return error_new(KML_ERR_FORMAT, "'%s' is no JSON: %s",
					 path, json_tokener_error_desc(state));
	}
	if (ferror(file))
		return error_os(errno, "cannot read '%s'", path);
	return NULL;
}

static struct kml_error *parse(const char *path, struct json_object **ret)
{
	FILE *file = fopen(path, "re");
	struct json_tokener *tokener = json_tokener_new_ex(MAX_DEPTH);
	struct json_object *report = NULL;
	struct kml_error *error;

	if (!file)
		error = error_os(errno, "cannot open '%s'", path);
	else if (!tokener)
		error = error_nomem();
	else {
		json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
		error = feed(file, path, tokener, &report);
		if (!error && !report)
			error = error_new(KML_ERR_FORMAT,
					  "'%s' is no JSON: it ends early", path);
	}
	if (file)
		fclose(file);
	if (tokener)
		json_tokener_free(tokener);
	if (error)
		json_object_put(report);
	else
		*ret = report;
	return error;
}

struct kml_error *baseline_read(struct baseline *baseline, const char *path)
{
	struct kml_error *error;
	struct json_object *report;

	memset(baseline, 0, sizeof(*baseline));
	baseline->path = strdup(path);
	if (!baseline->path)
		return error_nomem();
	error = parse(path, &report);
	if (error)
		return error;
	error = load(baseline, report);
	json_object_put(report);
	return error;
}

void baseline_deinit(struct baseline *baseline)
{
	size_t i;

	for (i = 0; i < baseline->objects.size; i++)
		free(baseline->objects.data[i].cache);
	vec_deinit(&baseline->objects);
	vec_deinit(&baseline->counts);
	free(baseline->release);
	free(baseline->build_id);
	free(baseline->path);
}

const struct baseline_object *baseline_find(const struct baseline *baseline,
					    uint64_t va)
{
	const struct baseline_object key = { .va = va };

	if (!baseline->objects.size)
		return NULL;
	return bsearch(&key, baseline->objects.data, baseline->objects.size,
		       sizeof(key), compare_objects);
}

uint64_t baseline_leaks(const struct baseline *baseline, uint64_t fingerprint)
{
	const struct baseline_count key = { .fingerprint = fingerprint };
	const struct baseline_count *found;

	if (!baseline->counts.size)
		return 0;
	found = bsearch(&key, baseline->counts.data, baseline->counts.size,
			sizeof(key), compare_counts);
	return found ? found->n_leaks : 0;
}
