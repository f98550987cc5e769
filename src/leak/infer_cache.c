// SPDX-License-Identifier: GPL-2.0-or-later
/* What slab caches say of the types of their objects. */
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "kernel/type.h"
#include "leak/infer_object.h"

/* Names of caches that are not their struct's; that there is one of just that
 * size is checked. */
static const struct {
	const char *cache, *type;
} conventions[] = {
	{ "filp", "file" },
	{ "inode_cache", "inode" },
	{ "sock_inode_cache", "socket_alloc" },
	{ "proc_inode_cache", "proc_inode" },
	{ "shmem_inode_cache", "shmem_inode_info" },
	{ "bdev_cache", "bdev_inode" },
	{ "ext4_inode_cache", "ext4_inode_info" },
	{ "btrfs_inode", "btrfs_inode" },
	{ "kernfs_node_cache", "kernfs_node" },
	{ "mnt_cache", "mount" },
	{ "files_cache", "files_struct" },
	{ "fs_cache", "fs_struct" },
	{ "signal_cache", "signal_struct" },
	{ "sighand_cache", "sighand_struct" },
	{ "cred_jar", "cred" },
	{ "key_jar", "key" },
	{ "radix_tree_node", "xa_node" },
	{ "skbuff_head_cache", "sk_buff" },
	{ "skbuff_fclone_cache", "sk_buff_fclones" },
	{ "TCP", "tcp_sock" },
	{ "TCPv6", "tcp6_sock" },
	{ "UDP", "udp_sock" },
	{ "UDPv6", "udp6_sock" },
	{ "RAW", "raw_sock" },
	{ "RAWv6", "raw6_sock" },
	{ "UNIX", "unix_sock" },
	{ "ip_dst_cache", "rtable" },
	{ "ip6_dst_cache", "rt6_info" },
	{ "net_namespace", "net" },
	{ "eventpoll_epi", "epitem" },
	{ "eventpoll_pwq", "eppoll_entry" },
	{ "file_lock_cache", "file_lock" },
	{ "posix_timers_cache", "k_itimer" },
	{ "blkdev_ioc", "io_context" },
	{ "request_queue", "request_queue" },
	{ "kmem_cache", "kmem_cache" },
};

uint32_t infer_find_fitting(const struct types *types, const char *name,
			    uint64_t most, bool exact)
{
	uint32_t first, n, found = 0, j;

	types_find(types, name, &first, &n);
	for (j = 0; j < n; j++) {
		uint32_t type = types->by_name[first + j];
		uint64_t bytes = types_get(types, type)->size;

		if (bytes > most || !bytes ||
		    (exact && align_up(bytes, 8) != align_up(most, 8)))
			continue;
		if (found)
			return 0;
		found = type;
	}
	return found;
}

static uint32_t type_of_cache(const struct inference *i, uint32_t index)
{
	const struct kernel_cache *cache = &i->kernel->caches.data[index];
	uint32_t type;
	size_t j;

	if (cache->n_users != 1 || index == i->held_out)
		return 0;
	/* What is behind the struct, as behind a mm_struct, is its own; and a
	 * task_struct ends with the part of its FPU state that the CPU has. */
	type = infer_find_fitting(&i->out.types, cache->name,
			    2ull * cache->slot_bytes, false);
	for (j = 0; !type && j < ARRAY_SIZE(conventions); j++)
		if (!strcmp(cache->name, conventions[j].cache))
			type = infer_find_fitting(&i->out.types, conventions[j].type,
					    cache->object_bytes, true);
	return type;
}

/* The sizes that kmalloc() has around @bytes. */
static void kmalloc_class(const struct kernel *kernel, uint64_t bytes,
			  struct infer_fit *fit)
{
	uint64_t above = UINT64_MAX, below = 0;
	size_t j;

	for (j = 0; j < kernel->caches.size; j++) {
		const struct kernel_cache *cache = &kernel->caches.data[j];

		if (!kernel_cache_is_kmalloc(cache))
			continue;
		if (cache->object_bytes < bytes)
			below = MAX(below, cache->object_bytes);
		else
			above = MIN(above, cache->object_bytes);
	}
	fit->least = below;
	fit->most = above == UINT64_MAX ? bytes : above;
}

struct kml_error *infer_fit_caches(struct inference *i)
{
	const struct kernel *kernel = i->kernel;
	uint32_t n = (uint32_t)kernel->caches.size, j;

	i->cache_fit = calloc(n + 1ull, sizeof(*i->cache_fit));
	i->out.cache_type = calloc(n + 1ull, sizeof(*i->out.cache_type));
	if (!i->cache_fit || !i->out.cache_type)
		return error_nomem();
	for (j = 0; j < n; j++) {
		const struct kernel_cache *cache = &kernel->caches.data[j];
		struct infer_fit *fit = &i->cache_fit[j];

		i->out.cache_type[j] = type_of_cache(i, j);
		fit->open = !i->out.cache_type[j];
		fit->most = cache->object_bytes;
		if (kernel_cache_is_kmalloc(cache) ||
		    j == i->held_out) {
			kmalloc_class(kernel, cache->object_bytes, fit);
		} else if (cache->n_users == 1) {
			fit->exact = true;
			fit->least = fit->most - MIN(fit->most, 8);
		} else {
			/* Merged if they need slots of the same size:
			 * find_mergeable() of mm/slab_common.c; alignment to
			 * cache lines counts. */
			fit->least = fit->most - MIN(fit->most, 64);
		}
	}
	return NULL;
}
