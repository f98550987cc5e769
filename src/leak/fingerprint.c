// SPDX-License-Identifier: GPL-2.0-or-later
#include "leak/fingerprint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kernel/symbol.h"

/* Not the numbers of enum heap_kind: users keep fingerprints in files. */
static const char kind_letters[HEAP_KINDS] = {
	[HEAP_SLAB] = 's', [HEAP_PAGES] = 'p',   [HEAP_VMALLOC] = 'v',
	[HEAP_VMAP] = 'm', [HEAP_IOREMAP] = 'i', [HEAP_PERCPU] = 'c',
};

#define FNV_START UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

static uint64_t add_bytes(uint64_t hash, const void *data, size_t bytes)
{
	const unsigned char *p = data;

	while (bytes--)
		hash = (hash ^ *p++) * FNV_PRIME;
	return hash;
}

/* With the NUL, so that "ab" "c" is not "a" "bc". */
static uint64_t add_text(uint64_t hash, const char *text)
{
	return add_bytes(hash, text, strlen(text) + 1);
}

/* Byte by byte, least significant first, on every machine. */
static uint64_t add_number(uint64_t hash, uint64_t n)
{
	unsigned char bytes[8];
	unsigned i;

	for (i = 0; i < 8; i++)
		bytes[i] = (unsigned char)(n >> 8 * i);
	return add_bytes(hash, bytes, sizeof(bytes));
}

/* "kmalloc-rnd-05-64" is "kmalloc-64". */
static uint64_t add_cache(uint64_t hash, const char *name)
{
	const char random[] = "kmalloc-rnd-";

	if (strncmp(name, random, strlen(random)) || strlen(name) < 15 ||
	    name[14] != '-')
		return add_text(hash, name);
	hash = add_bytes(hash, "kmalloc-", 8);
	return add_text(hash, name + 15);
}

static uint64_t add_object(const struct kernel *kernel, uint64_t hash,
			   uint32_t id)
{
	const struct heap_region *r = heap_region_of(kernel->heap, id);

	hash = add_bytes(hash, &kind_letters[r->kind], 1);
	hash = add_number(hash, heap_object_bytes(kernel->heap, id));
	if (r->kind == HEAP_SLAB)
		hash = add_cache(hash, kernel->caches.data[r->owner].name);
	return hash;
}

static uint64_t add_caller(struct kernel *kernel, uint64_t hash, uint64_t va)
{
	struct kernel_symbol_name symbol;

	if (!va)
		return add_text(hash, "");
	if (!kernel_symbolize_code(kernel, va, &symbol))
		return add_text(hash, "?");
	hash = add_text(hash, symbol.module ? symbol.module : "vmlinux");
	hash = add_text(hash, symbol.name);
	return add_number(hash, symbol.offset);
}

static uint64_t add_tag(struct sites *sites, uint64_t hash, uint64_t va)
{
	struct alloc_tag tag;

	if (!alloc_tag_read(sites->kernel, &sites->tags, va, &tag))
		return add_text(hash, "?");
	/* The log may not go back that far in the next dump. */
	if (tag.from_log || !tag.file[0])
		return add_number(add_text(hash, "?"), tag.line);
	hash = add_text(hash, tag.module[0] ? tag.module : "vmlinux");
	hash = add_text(hash, tag.function);
	return add_number(hash, tag.line);
}

static uint64_t add_place(struct kernel *kernel, struct sites *sites,
			  uint64_t hash, const struct leak_group *group)
{
	if (group->place != HEAP_NONE && !group->caller)
		return add_tag(sites, hash,
			       sites->places.data[group->place].address);
	return add_caller(kernel, hash, group->caller);
}

static int compare_numbers(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The set of what its followers look like; they may be millions, of few
 * kinds. */
static struct kml_error *add_followers(const struct kernel *kernel,
				       const struct leaks *leaks,
				       const struct leak *leak, uint64_t *hash)
{
	_cleanup_free_ uint64_t *seen =
		malloc(MAX(leak->n_followers, 1u) * sizeof(*seen));
	uint32_t i, n = 0;

	if (!seen)
		return error_nomem();
	for (i = 0; i < leak->n_followers; i++)
		seen[n++] = add_object(kernel, FNV_START,
				       leaks->followers[leak->first_follower + i]);
	if (n)
		qsort(seen, n, sizeof(*seen), compare_numbers);
	for (i = 0; i < n; i++) {
		if (!i || seen[i] != seen[i - 1])
			*hash = add_number(*hash, seen[i]);
	}
	return NULL;
}

struct kml_error *fingerprint_groups(struct kernel *kernel,
				     struct sites *sites,
				     const struct infer *infer,
				     struct leaks *leaks)
{
	struct kml_error *error = NULL;
	uint32_t g;

	for (g = 0; !error && g < leaks->n_groups; g++) {
		struct leak_group *group = &leaks->groups[g];
		const struct leak *first = &leaks->leaks[group->first_leak];
		uint64_t hash = add_object(kernel, FNV_START, first->id);

		hash = add_place(kernel, sites, hash, group);
		if (group->type)
			hash = add_text(hash, types_name(&infer->types,
							 group->type));
		/* All leaks of a group have the same kinds of followers. */
		error = add_followers(kernel, leaks, first, &hash);
		group->fingerprint = hash;
	}
	return error;
}
