// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/type.h"

#include <stdio.h>
#include <string.h>

#include "base/util.h"

/* Structs in structs; debuginfo may lie. */
#define MAX_DEPTH 16u
#define MAX_MEMBERS (1u << 16) /* of all structs in one */

bool kernel_cache_is_kmalloc(const struct kernel_cache *cache)
{
	return strstr(cache->name, "kmalloc-");
}

const char *kernel_cache_type(const struct kernel *kernel,
			      const struct kernel_cache *cache)
{
	uint64_t bytes;

	/* KMEM_CACHE() names a cache after its struct; that it is one the
	 * debuginfo says.  (A task_struct's end may be left out, and behind a
	 * mm_struct are masks of CPUs.) */
	return cache->n_users == 1 &&
			       profile_type_size(kernel->profile, cache->name,
						 &bytes) ?
		       cache->name :
		       NULL;
}

/* Integers that are pointers with flags in their low bits. */
static const struct {
	const char *type, *member;
} encoded[] = {
	{ "percpu_ref", "percpu_count_ptr" }, /* linux/percpu-refcount.h */
	{ "rb_node", "__rb_parent_color" },   /* linux/rbtree_types.h */
	{ "sk_buff", "_nfct" },               /* linux/skbuff.h */
	{ "sk_buff", "_skb_refdst" },
	{ "work_struct", "data" },            /* linux/workqueue.h */
};

bool kernel_member_is_encoded(const char *type, const char *member)
{
	size_t i;

	for (i = 0; i < ARRAY_SIZE(encoded); i++) {
		if (!strcmp(encoded[i].type, type) &&
		    !strcmp(encoded[i].member, member))
			return true;
	}
	return false;
}

struct pointer_map {
	const struct kernel *kernel;
	uint64_t *words;
	uint64_t bytes;
	unsigned members_left;
};

static void mark(const struct pointer_map *map, uint64_t start, uint64_t end)
{
	uint64_t word;

	for (word = start / 8; word * 8 < MIN(end, map->bytes); word++)
		bitmap_set(map->words, word);
}

static void mark_type(struct pointer_map *map, const char *type,
		      uint64_t base, unsigned depth);

static void mark_structs(struct pointer_map *map,
			 const struct profile_member *member, uint64_t start,
			 unsigned depth)
{
	uint64_t n = MAX(member->count, 1), unused, i;

	/* The members of an anonymous one stand in the outer type. */
	if (!member->type_name[0])
		return;
	if (!profile_type_size(map->kernel->profile, member->type_name,
			       &unused)) {
		mark(map, start, start + member->size);
		return;
	}
	for (i = 0; i < n && i * 8 < map->bytes && map->members_left; i++)
		mark_type(map, member->type_name,
			  start + i * (member->size / n), depth + 1);
}

static void mark_type(struct pointer_map *map, const char *type,
		      uint64_t base, unsigned depth)
{
	struct profile_member member;
	const char *name;
	size_t i;

	if (depth > MAX_DEPTH) {
		mark(map, base, map->bytes);
		return;
	}
	for (i = 0; base < map->bytes &&
		    profile_nth_member(map->kernel->profile, type, i, &name,
				       &member);
	     i++) {
		uint64_t start = base + member.offset;
		uint64_t end = start + member.size;

		/* All is marked in the end. */
		if (!map->members_left)
			return;
		map->members_left--;
		if (kernel_member_is_encoded(type, name))
			mark(map, start, end);
		else if (!member.size)
			mark(map, start, map->bytes);
		else if (member.kind == PROFILE_STRUCT)
			mark_structs(map, &member, start, depth);
		else if (member.kind != PROFILE_INTEGER ||
			 member.count == member.size)
			mark(map, start, end);
	}
}

uint64_t *kernel_pointer_words(const struct kernel *kernel, const char *type,
			       uint64_t bytes)
{
	struct pointer_map map = {
		.kernel = kernel,
		.words = bitmap_alloc(bytes / 8 + 1),
		.bytes = bytes,
		.members_left = MAX_MEMBERS,
	};
	uint64_t type_bytes;

	if (!map.words)
		return NULL;
	mark_type(&map, type, 0, 0);
	if (!map.members_left)
		mark(&map, 0, bytes);
	if (profile_type_size(kernel->profile, type, &type_bytes))
		mark(&map, type_bytes, bytes);
	return map.words;
}

/* The member of one type that @offset is in, the last of a union's. */
static bool find_member(const struct kernel *kernel, const char *type,
			uint64_t offset, const char **name,
			struct profile_member *ret)
{
	struct profile_member member;
	const char *member_name;
	bool found = false;
	size_t i;

	for (i = 0; profile_nth_member(kernel->profile, type, i, &member_name,
				       &member);
	     i++) {
		/* The first that it is just in: pointers before what else
		 * there is in a union. */
		if (offset - member.offset >= member.size ||
		    (member.kind == PROFILE_STRUCT && !member.type_name[0]) ||
		    (found && (ret->kind == PROFILE_POINTER ||
			       member.kind != PROFILE_POINTER)))
			continue;
		*name = member_name;
		*ret = member;
		found = true;
	}
	return found;
}

bool kernel_member_path(const struct kernel *kernel, const char *type,
			uint64_t offset, char *ret, size_t bytes)
{
	struct profile_member member;
	const char *name;
	unsigned depth;
	size_t n = 0;

	for (depth = 0; depth < MAX_DEPTH &&
			find_member(kernel, type, offset, &name, &member);
	     depth++) {
		uint64_t element = member.count ? member.size / member.count :
						  member.size;
		uint64_t i;

		offset -= member.offset;
		i = element ? offset / element : 0;
		offset -= i * element;
		n += (size_t)snprintf(ret + MIN(n, bytes), bytes - MIN(n, bytes),
				      "%s%s", n ? "." : "", name);
		if (member.count)
			n += (size_t)snprintf(ret + MIN(n, bytes),
					      bytes - MIN(n, bytes), "[%u]",
					      (unsigned)i);
		if (member.kind != PROFILE_STRUCT || !member.type_name[0])
			break;
		type = member.type_name;
	}
	return depth || n;
}
