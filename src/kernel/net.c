// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What the network stack has done with and keeps nevertheless.  Such objects
 * are allocated, but their contents are of the past, and would hold what was
 * given to somebody else since.
 */
#include "kernel/kernel.h"

#include "base/util.h"

#define MAX_SKBS 4096u
#define MAX_NAMESPACES 1000000u
#define MAX_DEVICES 10000000u
#define MAX_TX_QUEUES 65536u
/* Of all devices together, as what leads to them may lie. */
#define MAX_ALL_TX_QUEUES (1u << 24)

/*
 * Free sk_buffs that a CPU keeps for NAPI (since Linux 5.12, f450d539c05a): an
 * array whose slots at and beyond skb_count keep what was in them.
 */
static struct kml_error *load_skbs(struct kernel *kernel, uint64_t va,
				   uint64_t n, uint64_t slots)
{
	uint64_t skbs[MAX_SKBS], i;
	struct kml_error *error;

	kernel_cite(kernel, BUILTIN_SKB_CACHE);
	n = MIN(n, MIN(slots, MAX_SKBS));
	error = image_read_va(kernel->image, va, skbs, n * 8);
	for (i = 0; !error && i < n; i++)
		error = kernel_add_dead_object(kernel, skbs[i]);
	if (!error)
		error = kernel_add_hole(kernel, va + n * 8, (slots - n) * 8);
	return error;
}

static struct kml_error *load_skb_caches(struct kernel *kernel)
{
	struct profile_member count, cache;
	struct kml_error *error = NULL;
	uint64_t va, n;
	unsigned cpu;

	if (!kernel_has_symbol(kernel, "napi_alloc_cache", &va) ||
	    !profile_member(kernel->profile, "napi_alloc_cache", "skb_count",
			    &count) ||
	    !profile_member(kernel->profile, "napi_alloc_cache", "skb_cache",
			    &cache))
		return NULL;
	for (cpu = 0; !error && cpu < kernel->n_cpus; cpu++) {
		uint64_t at = va + kernel->cpu_offset[cpu];

		if (!kernel->cpu_offset[cpu])
			continue;
		error = kernel_read_uint(kernel, at + count.offset, 4, &n);
		if (!error)
			error = load_skbs(kernel, at + cache.offset, n,
					  cache.size / 8);
		error = kernel_forgive(kernel, error, "caches of sk_buffs", at);
	}
	return error;
}

/*
 * Dismantled network namespaces: since Linux 6.13 (0f6ede9fbc74, and in stable
 * releases from 5.10 on) each waits for the next one to be dismantled before it
 * is freed.
 */
static struct kml_error *load_dead_namespaces(struct kernel *kernel)
{
	struct profile_member link;
	struct kml_error *error;
	uint64_t head, bytes, va;
	unsigned n;

	if (!kernel_has_symbol(kernel, "defer_free_list", &head) ||
	    !profile_member(kernel->profile, "net", "defer_free_list", &link) ||
	    !profile_type_size(kernel->profile, "net", &bytes))
		return NULL;
	error = kernel_read_u64(kernel, head, &va);
	for (n = 0; !error && va && n < MAX_NAMESPACES; n++) {
		uint64_t net = va - link.offset;

		/* The link holds the next one. */
		kernel_cite(kernel, BUILTIN_DEAD_NET);
		error = kernel_add_hole_within(kernel, net, link.offset);
		if (!error)
			error = kernel_add_hole_within(
				kernel, va + link.size,
				bytes - link.offset - link.size);
		if (!error)
			error = kernel_read_u64(kernel, va, &va);
	}
	return kernel_forgive(kernel, error, "dismantled network namespaces",
			      head);
}

/*
 * Queues of packets to be sent, pfifo_fast's: rings of pointers (ptr_ring),
 * whose consumer clears the slots that he is done with not one by one but
 * several at a time.  Those from consumer_tail to consumer_head are of the past.
 */
struct ring_layout {
	struct profile_member dev_base_head, dev_list, txs, n_txs;
	struct profile_member qdisc, ops, privdata;
	struct profile_member rings, head, tail, size, queue;
	uint64_t tx_bytes, ring_bytes, fifo_ops;
	unsigned devices_left, queues_left;
};

static bool load_ring_layout(struct kernel *kernel, struct ring_layout *l)
{
	const struct kernel_need needs[] = {
		{ "net", "dev_base_head", &l->dev_base_head },
		{ "net_device", "dev_list", &l->dev_list },
		{ "net_device", "_tx", &l->txs },
		{ "net_device", "num_tx_queues", &l->n_txs },
		{ "netdev_queue", "qdisc_sleeping", &l->qdisc },
		{ "Qdisc", "ops", &l->ops },
		{ "Qdisc", "privdata", &l->privdata },
		{ "pfifo_fast_priv", "q", &l->rings },
		{ "skb_array", "ring.consumer_head", &l->head },
		{ "skb_array", "ring.consumer_tail", &l->tail },
		{ "skb_array", "ring.size", &l->size },
		{ "skb_array", "ring.queue", &l->queue },
		{ NULL, NULL, NULL },
	};
	struct kml_error *error = kernel_members(kernel, needs);
	bool good = !error &&
		    profile_type_size(kernel->profile, "netdev_queue",
				      &l->tx_bytes) &&
		    profile_type_size(kernel->profile, "skb_array",
				      &l->ring_bytes) &&
		    l->tx_bytes && l->ring_bytes &&
		    kernel_has_symbol(kernel, "pfifo_fast_ops", &l->fifo_ops);

	kml_error_destroy(error);
	l->devices_left = MAX_DEVICES;
	l->queues_left = MAX_ALL_TX_QUEUES;
	return good;
}

static struct kml_error *load_ring(struct kernel *kernel,
				   const struct ring_layout *l, uint64_t va)
{
	uint64_t head, tail, size, queue;
	struct kml_error *error;

	error = kernel_read_uint(kernel, va + l->head.offset, 4, &head);
	if (!error)
		error = kernel_read_uint(kernel, va + l->tail.offset, 4, &tail);
	if (!error)
		error = kernel_read_uint(kernel, va + l->size.offset, 4, &size);
	if (!error)
		error = kernel_read_u64(kernel, va + l->queue.offset, &queue);
	if (error || head > size || tail > head)
		return error;
	kernel_cite(kernel, BUILTIN_PACKET_RING);
	return kernel_add_hole_within(kernel, queue + tail * 8,
				      (head - tail) * 8);
}

static struct kml_error *load_tx_queue(struct kernel *kernel,
				       const struct ring_layout *l, uint64_t va)
{
	uint64_t qdisc, ops = 0, i;
	struct kml_error *error;

	error = kernel_read_u64(kernel, va + l->qdisc.offset, &qdisc);
	if (!error && qdisc)
		error = kernel_read_u64(kernel, qdisc + l->ops.offset, &ops);
	for (i = 0; !error && ops == l->fifo_ops &&
		    i < l->rings.size / l->ring_bytes;
	     i++)
		error = load_ring(kernel, l,
				  qdisc + l->privdata.offset +
					  l->rings.offset + i * l->ring_bytes);
	return error;
}

static struct kml_error *load_device(struct kernel *kernel, void *arg,
				     uint64_t node_va)
{
	struct ring_layout *l = arg;
	uint64_t dev = node_va - l->dev_list.offset, txs, n, i;
	struct kml_error *error;

	error = kernel_read_u64(kernel, dev + l->txs.offset, &txs);
	if (!error)
		error = kernel_read_uint(kernel, dev + l->n_txs.offset, 4, &n);
	if (!error && (!l->devices_left || n > l->queues_left))
		error = error_at(KML_ERR_CORRUPT, dev,
				 "more network devices than there can be");
	if (!error) {
		n = MIN(n, MAX_TX_QUEUES);
		l->devices_left--;
		l->queues_left -= (unsigned)n;
	}
	for (i = 0; !error && i < n; i++)
		error = load_tx_queue(kernel, l, txs + i * l->tx_bytes);
	return kernel_forgive(kernel, error, "network devices' queues", dev);
}

static struct kml_error *load_namespace(struct kernel *kernel, void *arg,
					uint64_t node_va)
{
	struct profile_member list;
	struct ring_layout *l = arg;

	if (!profile_member(kernel->profile, "net", "list", &list))
		return NULL;
	return kernel_walk_list(kernel,
				node_va - list.offset + l->dev_base_head.offset,
				l->devices_left, "torn list of network devices",
				load_device, l);
}

static struct kml_error *load_rings(struct kernel *kernel)
{
	struct ring_layout layout;
	uint64_t head;

	if (!load_ring_layout(kernel, &layout) ||
	    !kernel_has_symbol(kernel, "net_namespace_list", &head))
		return NULL;
	return kernel_walk_list(kernel, head, MAX_NAMESPACES,
				"torn list of network namespaces",
				load_namespace, &layout);
}

struct kml_error *kernel_load_net(struct kernel *kernel)
{
	struct kml_error *error = load_skb_caches(kernel);

	if (!error)
		error = load_dead_namespaces(kernel);
	return error ? error : load_rings(kernel);
}
