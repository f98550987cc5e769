// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/kmemleak.h"

#include <ctype.h>
#include <inttypes.h>

#include "base/util.h"

#define MSECS_MIN_AGE 5000u
/* Records outside of the slab cache: a static pool, for early boot. */
#define MAX_POOL_RECORDS (UINT64_C(1) << 24)
#define MAX_RECORD_BYTES 1024u

struct layout {
	struct profile_member list, pointer, size, flags, min_count, count;
	struct profile_member checksum, jiffies, pid, comm;
	/* Not in all kernels: */
	struct profile_member excess_ref, del_state, areas, trace_handle;
	struct profile_member area_node, area_start, area_size;
	bool has_excess_ref, has_del_state, has_areas, has_handle, has_trace;
	uint64_t bytes;
};

struct load {
	struct layout layout;
	struct kmemleak *out;
	uint64_t cache_va;             /* of the records */
	uint64_t pool_va, pool_end_va; /* the static ones */
	uint64_t areas_left;           /* there can be no more */
};

bool kmemleak_exists(const struct kernel *kernel)
{
	struct profile_member member;
	uint64_t va;

	return profile_member(kernel->profile, "kmemleak_object", "object_list",
			      &member) &&
	       kernel_has_symbol(kernel, "object_list", &va);
}

/* ---- what holds nothing (see kernel_load_kmemleak()) */

/* The cache that a variable of mm/kmemleak.c points to, 0 if none. */
static uint64_t read_cache(struct kernel *kernel, const char *symbol)
{
	struct kml_error *error;
	uint64_t va, cache = 0;

	if (!kernel_has_symbol(kernel, symbol, &va))
		return 0;
	error = kernel_read_u64(kernel, va, &cache);
	kml_error_destroy(error);
	return cache;
}

/* The static array of records; other files may have a variable of its name, but
 * none of whole records. */
static bool find_pool(const struct kernel *kernel, uint64_t *va_ret,
		      uint64_t *bytes_ret, uint64_t *record_ret)
{
	uint64_t unused;

	return profile_type_size(kernel->profile, "kmemleak_object",
				 record_ret) &&
	       profile_symbol(kernel->profile, "mem_pool", &unused,
			      bytes_ret) &&
	       *record_ret && *bytes_ret && *bytes_ret % *record_ret == 0 &&
	       *bytes_ret / *record_ret <= MAX_POOL_RECORDS &&
	       kernel_has_symbol(kernel, "mem_pool", va_ret);
}

/* Its times are numbers that look like per-cpu pointers where these are small:
 * 600 seconds are 150,000 jiffies. */
static struct kml_error *hide_clocks(struct kernel *kernel)
{
	static const char *const clocks[] = {
		"jiffies_min_age", "jiffies_last_scan", "jiffies_scan_wait",
	};
	struct kml_error *error = NULL;
	uint64_t va;
	size_t i;

	for (i = 0; !error && i < ARRAY_SIZE(clocks); i++) {
		if (kernel_has_symbol(kernel, clocks[i], &va))
			error = kernel_add_hole(kernel, va, 8);
	}
	return error;
}

static void set_links(struct kernel *kernel, uint64_t cache,
		      const struct profile_member *link)
{
	size_t i;

	for (i = 0; i < kernel->slabs.size; i++) {
		struct heap_region *region =
			&kernel->heap->regions
				 .data[kernel->slabs.data[i].region];
		struct kernel_cache *owner =
			&kernel->caches.data[region->owner];

		if (owner->va != cache)
			continue;
		kernel_cite(kernel, BUILTIN_KMEMLEAK_RECORDS);
		region->flags |= HEAP_NO_SCAN | HEAP_ROOT;
		owner->link_start = (uint16_t)link->offset;
		owner->link_end = (uint16_t)(link->offset + link->size);
	}
}

/* All of the static records but their link. */
static struct kml_error *add_holes(struct kernel *kernel, uint64_t pool,
				   uint64_t pool_bytes, uint64_t record_bytes,
				   const struct profile_member *link)
{
	uint64_t end = pool + pool_bytes, va;
	struct kernel_hole hole = { .start_va = pool };

	for (va = pool; va < end; va += record_bytes) {
		hole.end_va = va + link->offset;
		if (!vec_push(&kernel->holes, hole))
			return error_nomem();
		hole.start_va = hole.end_va + link->size;
	}
	hole.end_va = end;
	return vec_push(&kernel->holes, hole) ? NULL : error_nomem();
}

/*
 * kmemleak's records and scan areas hold the addresses of all objects: scanned
 * as anything else they would hold everything.  They are kmemleak's own and
 * live by definition: it frees them with the object.  One that waits for RCU
 * to free it holds what waits behind it, though.
 */
struct kml_error *kernel_load_kmemleak(struct kernel *kernel)
{
	const struct profile_member none = { 0 };
	struct profile_member rcu;
	uint64_t pool, bytes, record, cache;
	struct kml_error *error;

	if (!kmemleak_exists(kernel))
		return NULL;
	if (!profile_member(kernel->profile, "kmemleak_object", "rcu", &rcu) ||
	    rcu.offset + rcu.size > MAX_RECORD_BYTES)
		return error_new(KML_ERR_DEBUGINFO,
				 "the debuginfo has no usable 'struct kmemleak_object'");
	cache = read_cache(kernel, "object_cache");
	if (cache)
		set_links(kernel, cache, &rcu);
	cache = read_cache(kernel, "scan_area_cache");
	if (cache)
		set_links(kernel, cache, &none);
	error = hide_clocks(kernel);
	if (error)
		return error;
	return find_pool(kernel, &pool, &bytes, &record) ?
		       add_holes(kernel, pool, bytes, record, &rcu) :
		       NULL;
}

/* ---- records */

static struct kml_error *load_layout(struct kernel *kernel, struct layout *l)
{
	const char *type = "kmemleak_object";
	struct profile *p = kernel->profile;
	const struct kernel_need needs[] = {
		{ type, "object_list", &l->list },
		{ type, "pointer", &l->pointer },
		{ type, "size", &l->size },
		{ type, "flags", &l->flags },
		{ type, "min_count", &l->min_count },
		{ type, "count", &l->count },
		{ type, "checksum", &l->checksum },
		{ type, "jiffies", &l->jiffies },
		{ type, "pid", &l->pid },
		{ type, "comm", &l->comm },
		{ NULL, NULL, NULL },
	};
	struct kml_error *error = kernel_members(kernel, needs);

	if (!error)
		error = kernel_type_size(kernel, type, &l->bytes);
	if (error)
		return error;
	if (l->bytes > MAX_RECORD_BYTES)
		return error_new(KML_ERR_UNSUPPORTED,
				 "this kernel's kmemleak has records of %" PRIu64 " bytes",
				 l->bytes);
	/* Since Linux 4.13 */
	l->has_excess_ref = profile_member(p, type, "excess_ref",
					   &l->excess_ref);
	/* Since Linux 6.3 (782e41795359) */
	l->has_del_state = profile_member(p, type, "del_state", &l->del_state);
	l->has_areas =
		profile_member(p, type, "area_list", &l->areas) &&
		profile_member(p, "kmemleak_scan_area", "node", &l->area_node) &&
		profile_member(p, "kmemleak_scan_area", "start",
			       &l->area_start) &&
		profile_member(p, "kmemleak_scan_area", "size", &l->area_size);
	l->has_handle = profile_member(p, type, "trace_handle",
				       &l->trace_handle);
	return NULL;
}

/* The records of early boot are static; all others are of the cache. */
static bool is_record(const struct kernel *kernel, const struct load *load,
		      uint64_t va)
{
	const struct heap_region *region;
	enum heap_reference how;
	uint32_t id;

	if (va >= load->pool_va && va < load->pool_end_va)
		return (va - load->pool_va) % load->layout.bytes == 0;
	id = heap_resolve(kernel->heap, va, &how);
	if (id == HEAP_NONE || how != HEAP_REF_ADDRESS)
		return false;
	region = heap_region_of(kernel->heap, id);
	return region->kind == HEAP_SLAB &&
	       kernel->caches.data[region->owner].va == load->cache_va &&
	       heap_object_va(kernel->heap, id) == va;
}

static struct kml_error *load_areas(struct kernel *kernel, struct load *load,
				    struct kmemleak_record *record,
				    uint64_t node)
{
	const struct layout *l = &load->layout;
	struct kml_error *error = NULL;

	record->first_area = (uint32_t)load->out->areas.size;
	while (!error && node) {
		uint64_t va = node - l->area_node.offset;
		struct kmemleak_area area;

		if (!load->areas_left || record->n_areas == UINT16_MAX) {
			kernel_gap(kernel, "torn lists of scan areas", node,
				   true);
			return NULL;
		}
		load->areas_left--;
		error = kernel_read_u64(kernel, va + l->area_start.offset,
					&area.start);
		if (!error)
			error = kernel_read_u64(kernel,
						va + l->area_size.offset,
						&area.size);
		if (!error)
			error = kernel_read_u64(kernel, node, &node);
		if (!error && !vec_push(&load->out->areas, area))
			return error_nomem();
		record->n_areas += !error;
	}
	return kernel_forgive(kernel, error, "torn lists of scan areas", node);
}

static void copy_comm(struct kmemleak_record *record, const char *comm,
		      uint64_t bytes)
{
	size_t i;

	for (i = 0; i < MIN(bytes, sizeof(record->comm) - 1) && comm[i]; i++)
		record->comm[i] = isprint((unsigned char)comm[i]) ? comm[i] :
								    '?';
}

static struct kml_error *load_record(struct kernel *kernel, void *arg,
				     uint64_t node_va)
{
	struct load *load = arg;
	const struct layout *l = &load->layout;
	struct kmemleak_record r = { .va = node_va - l->list.offset };
	struct kml_error *error;
	char buf[MAX_RECORD_BYTES];

	if (!is_record(kernel, load, r.va)) {
		kernel_gap(kernel, "records of kmemleak that are none", r.va,
			   true);
		return NULL;
	}
	error = image_read_va(kernel->image, r.va, buf, l->bytes);
	if (error)
		return kernel_forgive(kernel, error, "records of kmemleak",
				      r.va);
	r.pointer = kernel_get(buf, &l->pointer);
	r.size = kernel_get(buf, &l->size);
	r.flags = (uint8_t)kernel_get(buf, &l->flags);
	r.min_count = (int32_t)kernel_get(buf, &l->min_count);
	r.count = (int32_t)kernel_get(buf, &l->count);
	r.checksum = (uint32_t)kernel_get(buf, &l->checksum);
	r.jiffies = kernel_get(buf, &l->jiffies);
	r.pid = (uint32_t)kernel_get(buf, &l->pid);
	copy_comm(&r, buf + l->comm.offset, l->comm.size);
	if (l->has_excess_ref)
		r.excess_ref = kernel_get(buf, &l->excess_ref);
	if (l->has_del_state)
		r.del_state = (uint8_t)kernel_get(buf, &l->del_state);
	if (l->has_handle)
		r.trace = (uint32_t)kernel_get(buf, &l->trace_handle);
	if (l->has_areas)
		error = load_areas(kernel, load, &r,
				   kernel_get(buf, &l->areas));
	if (!error && !vec_push(&load->out->records, r))
		error = error_nomem();
	return error;
}

/* How many objects a cache has: no list of them is longer. */
static uint64_t count_objects(const struct kernel *kernel, uint64_t cache)
{
	uint64_t n = 0;
	size_t i;

	for (i = 0; i < kernel->caches.size; i++) {
		if (kernel->caches.data[i].va == cache)
			n += kernel->caches.data[i].n_objects;
	}
	return n;
}

static struct kml_error *load_records(struct kernel *kernel, struct load *load)
{
	uint64_t head, max, bytes, record;
	struct kml_error *error;

	load->cache_va = read_cache(kernel, "object_cache");
	load->areas_left = count_objects(kernel,
					 read_cache(kernel, "scan_area_cache"));
	max = count_objects(kernel, load->cache_va);
	if (find_pool(kernel, &load->pool_va, &bytes, &record)) {
		load->pool_end_va = load->pool_va + bytes;
		max += bytes / record;
	}
	error = kernel_symbol(kernel, "object_list", &head);
	return error ? error :
		       kernel_walk_list(kernel, head, max,
					"torn list of kmemleak's records",
					load_record, load);
}

/* ---- the rest of its state */

static struct kml_error *read_variable(struct kernel *kernel, const char *name,
				       unsigned bytes, uint64_t *ret)
{
	uint64_t va;
	struct kml_error *error = kernel_symbol(kernel, name, &va);

	return error ? error : kernel_read_uint(kernel, va, bytes, ret);
}

static struct kml_error *load_times(struct kernel *kernel,
				    struct kmemleak *out)
{
	struct kml_error *error;
	uint64_t enabled = 0;

	error = read_variable(kernel, "jiffies_64", 8, &out->jiffies);
	if (!error)
		error = read_variable(kernel, "jiffies_last_scan", 8,
				      &out->last_scan);
	if (!error)
		error = read_variable(kernel, "jiffies_min_age", 8,
				      &out->min_age);
	if (!error)
		error = read_variable(kernel, "kmemleak_enabled", 4, &enabled);
	out->enabled = enabled & 1;
	/* It is set to msecs_to_jiffies(MSECS_MIN_AGE). */
	if (out->min_age <= 10000 * (MSECS_MIN_AGE / 1000))
		out->hz = (uint32_t)(out->min_age / (MSECS_MIN_AGE / 1000));
	return error;
}

/* Does the kernel's read-only data hold a text?  The strings that it prints a
 * report with tell best what it looks like. */
static bool has_text(struct kernel *kernel, const struct profile_section *s,
		     const char *const *texts, bool *const *found, size_t n)
{
	_cleanup_free_ char *buf = malloc(65536 + 64);
	uint64_t va = s->address + kernel->kaslr_offset, at;
	uint64_t end = MIN(s->size, kernel->arch->kernel_bytes);
	size_t kept = 0, i;

	if (!buf)
		return false;
	for (at = 0; at < end; at += 65536) {
		uint64_t bytes = MIN(end - at, 65536);
		_cleanup_error_ struct kml_error *error =
			image_read_va(kernel->image, va + at, buf + kept,
				      bytes);

		if (error) {
			kept = 0;
			continue;
		}
		for (i = 0; i < n; i++)
			*found[i] |= memmem(buf, kept + bytes, texts[i],
					    strlen(texts[i])) != NULL;
		/* A text may lie across two pieces. */
		bytes += kept;
		kept = (size_t)MIN(bytes, 63);
		memmove(buf, buf + bytes - kept, kept);
	}
	return true;
}

static struct kml_error *load_format(struct kernel *kernel,
				     struct kmemleak *out)
{
	/* Since Linux 6.10, until 6.6, and until 6.8 */
	static const char *const texts[] = { "  backtrace (crc %x):\n",
					     "(age %d.%03ds)\n",
					     "    [<%p" };
	bool *const found[] = { &out->prints_checksum, &out->prints_age,
				&out->prints_address };
	const struct profile_section *sections;
	size_t n, i;

	sections = profile_sections(kernel->profile, &n);
	for (i = 0; i < n; i++) {
		if (!strcmp(sections[i].name, ".rodata") &&
		    !has_text(kernel, &sections[i], texts, found,
			      ARRAY_SIZE(texts)))
			return error_nomem();
	}
	return NULL;
}

void kmemleak_open_traces(struct kernel *kernel, struct kmemleak *kmemleak)
{
	const struct profile *p = kernel->profile;
	struct profile_member handle;

	kmemleak->has_depot = profile_member(p, "kmemleak_object",
					     "trace_handle", &handle) &&
			      stackdepot_open(kernel, &kmemleak->depot);
	if (!profile_member(p, "kmemleak_object", "trace", &kmemleak->trace) ||
	    !profile_member(p, "kmemleak_object", "trace_len",
			    &kmemleak->trace_len))
		kmemleak->trace_len.size = 0;
}

struct kml_error *kmemleak_load(struct kernel *kernel, struct kmemleak *ret)
{
	struct load load = { .out = ret };
	struct kml_error *error;
	uint64_t va;

	memset(ret, 0, sizeof(*ret));
	if (!kmemleak_exists(kernel))
		return error_new(KML_ERR_NODATA,
				 "the kernel has no kmemleak (CONFIG_DEBUG_KMEMLEAK), so there are no records of it");
	error = load_layout(kernel, &load.layout);
	if (!error)
		error = load_times(kernel, ret);
	if (!error)
		error = load_format(kernel, ret);
	if (!error)
		error = load_records(kernel, &load);
	if (error)
		return error_prefix(error, "cannot read kmemleak's records");
	/* Since Linux 6.12 (6c99d4eb7c5e): before, they are never reported */
	ret->tracks_percpu =
		kernel_has_symbol(kernel, "object_percpu_tree_root", &va);
	kmemleak_open_traces(kernel, ret);
	return NULL;
}

void kmemleak_deinit(struct kmemleak *kmemleak)
{
	vec_deinit(&kmemleak->records);
	vec_deinit(&kmemleak->areas);
}

/* ---- what the kernel would say of a record */

enum kmemleak_color kmemleak_color(const struct kmemleak_record *record)
{
	if (record->count != -1 && record->count < record->min_count)
		return KMEMLEAK_WHITE;
	return record->min_count == -1 ? KMEMLEAK_BLACK : KMEMLEAK_GRAY;
}

bool kmemleak_is_old(const struct kmemleak *kmemleak,
		     const struct kmemleak_record *record)
{
	/* time_before_eq() */
	return (int64_t)(kmemleak->last_scan -
			 (record->jiffies + kmemleak->min_age)) >= 0;
}

bool kmemleak_is_reported(const struct kmemleak *kmemleak,
			  const struct kmemleak_record *record)
{
	const unsigned both = KMEMLEAK_ALLOCATED | KMEMLEAK_REPORTED;

	return kmemleak_color(record) == KMEMLEAK_WHITE &&
	       (record->flags & both) == both &&
	       kmemleak_is_old(kmemleak, record);
}

uint32_t kmemleak_object_id(const struct kernel *kernel,
			    const struct kmemleak_record *record)
{
	bool percpu = record->flags & KMEMLEAK_PERCPU;
	uint64_t va = record->pointer;
	enum heap_reference how;
	uint32_t id;

	if (record->flags & KMEMLEAK_PHYS)
		va += kernel->direct_va;
	id = heap_resolve(kernel->heap, va, &how);
	if (id == HEAP_NONE ||
	    (how == HEAP_REF_PERCPU) != percpu ||
	    how == HEAP_REF_PAGE || how == HEAP_REF_PHYSICAL)
		return HEAP_NONE;
	return id;
}

struct kml_error *kmemleak_trace(struct kernel *kernel,
				 const struct kmemleak *kmemleak,
				 const struct kmemleak_record *record,
				 uint64_t ret[STACKDEPOT_FRAMES],
				 size_t *n_ret)
{
	struct kml_error *error;
	uint64_t n;

	*n_ret = 0;
	if (kmemleak->has_depot)
		return stackdepot_fetch(kernel, &kmemleak->depot,
					record->trace, ret, n_ret);
	if (!kmemleak->trace_len.size)
		return NULL;
	error = kernel_read_uint(kernel,
				 record->va + kmemleak->trace_len.offset, 4,
				 &n);
	if (error)
		return error;
	n = MIN(n, MIN(kmemleak->trace.count, STACKDEPOT_FRAMES));
	error = image_read_va(kernel->image,
			      record->va + kmemleak->trace.offset, ret, n * 8);
	if (!error)
		*n_ret = n;
	return error;
}
