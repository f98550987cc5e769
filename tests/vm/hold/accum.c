// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Structures that only grow, each behind another kind of variable: 2 MiB and more
 * each, so that they come first.
 */
#include <linux/percpu.h>
#include <linux/rbtree.h>
#include <linux/skbuff.h>
#include <linux/vmalloc.h>
#include <linux/xarray.h>
#include "kmlhold.h"

#define NCONN 5000
#define NSESSION 4096
#define NBUCKET 4096
#define NFLOW 2000
#define NFLOW_FIRST 16
#define NBLOB 3000
#define NREQ 600
#define NROUTE 2500
#define NSKB 400

/* Log an accumulation: its head stands at HEAD, within VARIABLE. */
#define ACCUM(kind, id, head, sum, ntype, n, fmt, ...) \
	kml_log("accum", kind, head, (sum)->bytes, NULL, \
		id " module=kmlhold objects=%zu requested=%zu type=" ntype \
		" nodes=%d kinds=%s " fmt, (sum)->objects, (sum)->requested, n, \
		(sum)->kinds, ##__VA_ARGS__)

/* ---- a list behind a global: connections that nobody ever closes */

struct kml_buf {
	u32 len, crc;
	u8 data[];
};

struct kml_conn {
	u32 id;
	u16 port, flags;
	struct list_head link;
	char *name;
	struct kml_buf *buf;
	u64 opened;
	u8 peer[16];
	u64 counters[8];
};

#define CONN_NAME 24	/* bytes, with the terminating zero */
#define CONN_BUF 400

static LIST_HEAD(kml_conns);
static unsigned int kml_nconns;
static struct kml_site conn_site, name_site, buf_site;

static SITE struct kml_conn *kml_new_conn(u32 id)
{
	struct kml_conn *c;

	AT(&conn_site, "kml_accept", NULL); c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (c)
		c->id = id;
	return c;
}

static SITE char *kml_name_conn(u32 id)
{
	char *s;

	AT(&name_site, "kml_accept", "kasprintf"); s = kasprintf(GFP_KERNEL, "connection number %05u", id);
	return s;
}

static SITE struct kml_buf *kml_new_buf(void)
{
	struct kml_buf *b;

	AT(&buf_site, "kml_accept", NULL); b = kmalloc(CONN_BUF, GFP_KERNEL | __GFP_ZERO);
	if (b)
		b->len = CONN_BUF - sizeof(*b);
	return b;
}

static SITE int kml_accept(u32 id)
{
	struct kml_conn *c = kml_new_conn(id);

	if (!c)
		return -ENOMEM;
	c->name = kml_name_conn(id);
	c->buf = kml_new_buf();
	list_add_tail(&c->link, &kml_conns);
	kml_nconns++;
	return c->name && c->buf ? 0 : -ENOMEM;
}

static void log_conns(void)
{
	struct kml_sum sum = { };
	struct kml_conn *c;

	kml_many_begin(&sum, "live", kml_kind(sizeof(*c), GFP_KERNEL), "conn",
		       sizeof(*c), &conn_site, "holder=list type=kml_conn");
	list_for_each_entry(c, &kml_conns, link)
		kml_many(c, 0);
	kml_many_end();
	kml_many_begin(&sum, "live", kml_kind(CONN_NAME, GFP_KERNEL), "conn.name",
		       CONN_NAME, &name_site, "holder=kml_conn.name");
	list_for_each_entry(c, &kml_conns, link)
		kml_many(c->name, 0);
	kml_many_end();
	kml_many_begin(&sum, "live", kml_kind(CONN_BUF, GFP_KERNEL), "conn.buf",
		       CONN_BUF, &buf_site, "holder=kml_conn.buf type=kml_buf");
	list_for_each_entry(c, &kml_conns, link)
		kml_many(c->buf, 0);
	kml_many_end();
	ACCUM("list", "conns", &kml_conns, &sum, "kml_conn", NCONN,
	      "variable=kml_conns member=kml_conn.link");
}

/* ---- a hash table in a kmalloc'ed table: sessions that never expire */

struct kml_user {
	u32 uid, gid;
	char name[40];
};

struct kml_session {
	u64 key;
	struct hlist_node hash;
	struct kml_user *user;
	u8 secret[300];
	u64 stats[4];
};

struct kml_table {
	u32 mask, count;
	struct hlist_head *buckets;
	const char *name;
};

static struct kml_table *kml_sessions;
static struct kml_site table_site, buckets_site, session_site, user_site;

static SITE struct kml_table *kml_new_table(void)
{
	struct kml_table *t;

	AT(&table_site, "kml_sessions_init", NULL); t = kzalloc(sizeof(*t), GFP_KERNEL);
	if (!t)
		return NULL;
	AT(&buckets_site, "kml_sessions_init", NULL); t->buckets = kcalloc(NBUCKET, sizeof(*t->buckets), GFP_KERNEL);
	t->mask = NBUCKET - 1;
	t->name = "sessions";
	return t;
}

static SITE int kml_sessions_init(void)
{
	kml_sessions = kml_new_table();
	return kml_sessions && kml_sessions->buckets ? 0 : -ENOMEM;
}

static SITE struct kml_session *kml_new_session(u64 key)
{
	struct kml_session *s;

	AT(&session_site, "kml_login", NULL); s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return NULL;
	s->key = key;
	AT(&user_site, "kml_login", NULL); s->user = kzalloc(sizeof(*s->user), GFP_KERNEL);
	return s;
}

static SITE int kml_login(u32 n)
{
	u64 key = n * 2654435761ULL;
	struct kml_session *s = kml_new_session(key);

	if (!s || !s->user)
		return -ENOMEM;
	s->user->uid = n;
	hlist_add_head(&s->hash, &kml_sessions->buckets[(key >> 7) & kml_sessions->mask]);
	kml_sessions->count++;
	return 0;
}

static void log_sessions(void)
{
	struct kml_table *t = kml_sessions;
	struct kml_sum sum = { };
	struct kml_session *s;
	int i;

	kml_many_begin(&sum, "live", kml_kind(sizeof(*t), GFP_KERNEL), "session.table",
		       sizeof(*t), &table_site, "holder=kml_sessions type=kml_table");
	kml_many(t, 0);
	kml_many_end();
	kml_many_begin(&sum, "live", kml_kind(NBUCKET * sizeof(*t->buckets), GFP_KERNEL),
		       "session.buckets", NBUCKET * sizeof(*t->buckets), &buckets_site,
		       "holder=kml_table.buckets type=hlist_head");
	kml_many(t->buckets, 0);
	kml_many_end();
	kml_many_begin(&sum, "live", kml_kind(sizeof(*s), GFP_KERNEL), "session",
		       sizeof(*s), &session_site, "holder=hlist type=kml_session");
	for (i = 0; i < NBUCKET; i++)
		hlist_for_each_entry(s, &t->buckets[i], hash)
			kml_many(s, 0);
	kml_many_end();
	kml_many_begin(&sum, "live", kml_kind(sizeof(*s->user), GFP_KERNEL), "session.user",
		       sizeof(*s->user), &user_site, "holder=kml_session.user type=kml_user");
	for (i = 0; i < NBUCKET; i++)
		hlist_for_each_entry(s, &t->buckets[i], hash)
			kml_many(s->user, 0);
	kml_many_end();
	ACCUM("hlist", "sessions", &kml_sessions, &sum, "kml_session", NSESSION,
	      "variable=kml_sessions member=kml_session.hash table=0x%lx buckets=%d",
	      (unsigned long)t->buckets, NBUCKET);
}

/* ---- an rbtree in a per-CPU variable */

struct kml_stat {
	u64 packets, bytes, drops;
	u64 history[22];
};

struct kml_flow {
	u32 hash, mark;
	struct rb_node node;
	struct kml_stat *stat;
	u8 tuple[700];
};

struct kml_pool {
	u64 generation;
	struct rb_root flows;
	u32 count;
};

static DEFINE_PER_CPU(struct kml_pool, kml_pools);
static struct kml_site flow_site, stat_site;

static SITE struct kml_flow *kml_new_flow(u32 hash)
{
	struct kml_flow *f;

	AT(&flow_site, "kml_track", NULL); f = kzalloc(sizeof(*f), GFP_KERNEL);
	if (!f)
		return NULL;
	f->hash = hash;
	AT(&stat_site, "kml_track", NULL); f->stat = kzalloc(sizeof(*f->stat), GFP_KERNEL);
	return f;
}

static SITE int kml_track(int cpu, u32 n)
{
	struct kml_pool *pool = per_cpu_ptr(&kml_pools, cpu);
	struct rb_node **link = &pool->flows.rb_node, *parent = NULL;
	struct kml_flow *f = kml_new_flow(n * 2654435761U);

	if (!f || !f->stat)
		return -ENOMEM;
	while (*link) {
		parent = *link;
		link = f->hash < rb_entry(parent, struct kml_flow, node)->hash ?
			&parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&f->node, parent, link);
	rb_insert_color(&f->node, &pool->flows);
	pool->count++;
	return 0;
}

static void log_flows(int cpu, int expected)
{
	struct kml_pool *pool = per_cpu_ptr(&kml_pools, cpu);
	struct kml_sum sum = { };
	struct kml_flow *f;
	struct rb_node *n;
	char id[24];

	snprintf(id, sizeof(id), "flow.%d", cpu);
	kml_many_begin(&sum, "live", kml_kind(sizeof(*f), GFP_KERNEL), id,
		       sizeof(*f), &flow_site, "holder=rbtree type=kml_flow");
	for (n = rb_first(&pool->flows); n; n = rb_next(n))
		kml_many(rb_entry(n, struct kml_flow, node), 0);
	kml_many_end();
	snprintf(id, sizeof(id), "flow.stat.%d", cpu);
	kml_many_begin(&sum, "live", kml_kind(sizeof(*f->stat), GFP_KERNEL), id,
		       sizeof(*f->stat), &stat_site, "holder=kml_flow.stat type=kml_stat");
	for (n = rb_first(&pool->flows); n; n = rb_next(n))
		kml_many(rb_entry(n, struct kml_flow, node)->stat, 0);
	kml_many_end();
	kml_log("accum", "rbtree", &pool->flows, sum.bytes, NULL,
		"flows.%d module=kmlhold objects=%zu requested=%zu type=kml_flow nodes=%d kinds=%s variable=kml_pools cpu=%d offset=%zu member=kml_flow.node",
		cpu, sum.objects, sum.requested, expected, sum.kinds, cpu,
		offsetof(struct kml_pool, flows));
}

/* ---- an xarray */

struct kml_blob {
	u64 index;
	void *data;
	u32 len, flags;
	u64 when[3];
};

#define BLOB_DATA 900

static DEFINE_XARRAY(kml_blobs);
static struct kml_site blob_site, data_site;

static SITE struct kml_blob *kml_new_blob(u64 index)
{
	struct kml_blob *b;

	AT(&blob_site, "kml_put_blob", NULL); b = kzalloc(sizeof(*b), GFP_KERNEL);
	if (!b)
		return NULL;
	b->index = index;
	b->len = BLOB_DATA;
	AT(&data_site, "kml_put_blob", NULL); b->data = kzalloc(BLOB_DATA, GFP_KERNEL);
	return b;
}

static SITE int kml_put_blob(u64 index)
{
	struct kml_blob *b = kml_new_blob(index);

	if (!b || !b->data)
		return -ENOMEM;
	return xa_err(xa_store(&kml_blobs, index, b, GFP_KERNEL));
}

/* (what xa_is_node() and xa_to_node() say, which are the kernel's own) */
static void log_xa_nodes(void *entry)
{
	struct xa_node *node;
	int i;

	if (!xa_is_internal(entry) || (unsigned long)entry <= 4096)
		return;
	node = (struct xa_node *)((unsigned long)entry - 2);
	kml_many(node, 0);
	for (i = 0; i < XA_CHUNK_SIZE; i++)
		log_xa_nodes((__force void *)node->slots[i]);
}

static void log_blobs(void)
{
	static const struct kml_site node_site = {
		"kml_put_blob", "kml_accum", __FILE__, "xa_store", 0 };
	struct kml_sum sum = { };
	struct kml_blob *b;
	unsigned long i;

	kml_many_begin(&sum, "live", kml_kind(sizeof(*b), GFP_KERNEL), "blob",
		       sizeof(*b), &blob_site, "holder=xarray type=kml_blob");
	xa_for_each(&kml_blobs, i, b)
		kml_many(b, 0);
	kml_many_end();
	kml_many_begin(&sum, "live", kml_kind(BLOB_DATA, GFP_KERNEL), "blob.data",
		       BLOB_DATA, &data_site, "holder=kml_blob.data");
	xa_for_each(&kml_blobs, i, b)
		kml_many(b->data, 0);
	kml_many_end();
	kml_many_begin(&sum, "live", "slab:radix_tree_node", "blob.node",
		       sizeof(struct xa_node), &node_site, "holder=xarray type=xa_node");
	log_xa_nodes((__force void *)kml_blobs.xa_head);
	kml_many_end();
	ACCUM("xarray", "blobs", &kml_blobs, &sum, "kml_blob", NBLOB,
	      "variable=kml_blobs xa_head=%zu", offsetof(struct xarray, xa_head));
}

/* ---- a queue inside an object: requests of a device, a page each */

struct kml_device;
struct kml_device_ops {
	int (*open)(struct kml_device *dev);
	void (*complete)(struct kml_device *dev, u32 tag);
};

struct kml_device {
	const struct kml_device_ops *ops;
	char name[16];
	struct list_head queue;
	void *ring;
	struct kml_stat __percpu *stats;
	u32 depth;
};

struct kml_req {
	struct kml_device *dev;
	struct list_head queue;
	struct page *page;
	u64 sector;
	u32 tag, flags;
};

#define RING_BYTES 50000

static int kml_device_open(struct kml_device *dev) { return 0; }
static void kml_device_complete(struct kml_device *dev, u32 tag) { }
static const struct kml_device_ops kml_device_ops = {
	.open = kml_device_open,
	.complete = kml_device_complete,
};
static struct kml_device *kml_the_device;
static struct kml_site dev_site, ring_site, pcpu_site, req_site, page_site;

static SITE struct kml_device *kml_new_device(void)
{
	struct kml_device *d;

	AT(&dev_site, "kml_probe", NULL); d = kzalloc(sizeof(*d), GFP_KERNEL);
	if (!d)
		return NULL;
	AT(&ring_site, "kml_probe", NULL); d->ring = vzalloc(RING_BYTES);
	AT(&pcpu_site, "kml_probe", NULL); d->stats = alloc_percpu(struct kml_stat);
	d->ops = &kml_device_ops;
	strscpy(d->name, "kml0", sizeof(d->name));
	INIT_LIST_HEAD(&d->queue);
	return d;
}

static SITE int kml_probe(void)
{
	kml_the_device = kml_new_device();
	return kml_the_device && kml_the_device->ring && kml_the_device->stats ? 0 : -ENOMEM;
}

static SITE struct kml_req *kml_new_req(struct kml_device *d, u32 tag)
{
	struct kml_req *r;

	AT(&req_site, "kml_submit", NULL); r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return NULL;
	AT(&page_site, "kml_submit", NULL); r->page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	r->dev = d;
	r->tag = tag;
	return r;
}

static SITE int kml_submit(struct kml_device *d, u32 tag)
{
	struct kml_req *r = kml_new_req(d, tag);

	if (!r || !r->page)
		return -ENOMEM;
	list_add_tail(&r->queue, &d->queue);
	d->depth++;
	return 0;
}

static void log_device(void)
{
	struct kml_device *d = kml_the_device;
	struct kml_sum sum = { };
	struct kml_req *r;

	kml_many_begin(&sum, "live", kml_kind(sizeof(*d), GFP_KERNEL), "device", sizeof(*d),
		       &dev_site, "holder=kml_the_device type=kml_device");
	kml_many(d, 0);
	kml_many_end();
	kml_many_begin(&sum, "live", kml_kind(sizeof(*r), GFP_KERNEL), "req", sizeof(*r),
		       &req_site, "holder=list type=kml_req");
	list_for_each_entry(r, &d->queue, queue)
		kml_many(r, 0);
	kml_many_end();
	kml_many_begin(&sum, "live", "page", "req.page", PAGE_SIZE, &page_site,
		       "order=0 alloc=alloc_page holder=kml_req.page");
	list_for_each_entry(r, &d->queue, queue)
		kml_many(page_address(r->page), PAGE_SIZE);
	kml_many_end();
	kml_many_begin(&sum, "live", "vmalloc", "device.ring", RING_BYTES, &ring_site,
		       "holder=kml_device.ring");
	kml_many(d->ring, PAGE_ALIGN(RING_BYTES));
	kml_many_end();
	kml_many_begin(&sum, "live", "percpu", "device.stats", sizeof(struct kml_stat),
		       &pcpu_site, "holder=kml_device.stats type=kml_stat");
	kml_many((__force void *)d->stats, sizeof(struct kml_stat));
	kml_many_end();
	/* (without what the kernel keeps of the area: vm_struct, pages) */
	ACCUM("list", "requests", &kml_the_device, &sum, "kml_req", NREQ,
	      "variable=kml_the_device member=kml_req.queue within=kml_device offset=%zu",
	      offsetof(struct kml_device, queue));
}

/* ---- a static hash table: every bucket is a root of its own */

struct kml_route {
	u32 prefix, metric;
	struct hlist_node hash;
	char *dev;
	u8 gateway[900];
};

#define ROUTE_DEV 16

static struct hlist_head kml_routes[256];
static struct kml_site route_site, route_dev_site;

static SITE struct kml_route *kml_new_route(u32 prefix)
{
	struct kml_route *r;

	AT(&route_site, "kml_add_route", NULL); r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return NULL;
	r->prefix = prefix;	/* (small numbers look like per-cpu pointers) */
	AT(&route_dev_site, "kml_add_route", "kstrdup"); r->dev = kstrdup("interface/kml00", GFP_KERNEL);
	return r;
}

static SITE int kml_add_route(u32 n)
{
	struct kml_route *r = kml_new_route(0x0a000000 | n << 8);

	if (!r || !r->dev)
		return -ENOMEM;
	hlist_add_head(&r->hash, &kml_routes[n % ARRAY_SIZE(kml_routes)]);
	return 0;
}

static void log_routes(void)
{
	struct kml_sum sum = { };
	struct kml_route *r;
	int i;

	kml_many_begin(&sum, "live", kml_kind(sizeof(*r), GFP_KERNEL), "route",
		       sizeof(*r), &route_site, "holder=hlist type=kml_route");
	for (i = 0; i < ARRAY_SIZE(kml_routes); i++)
		hlist_for_each_entry(r, &kml_routes[i], hash)
			kml_many(r, 0);
	kml_many_end();
	kml_many_begin(&sum, "live", kml_kind(ROUTE_DEV, GFP_KERNEL), "route.dev",
		       ROUTE_DEV, &route_dev_site, "holder=kml_route.dev");
	for (i = 0; i < ARRAY_SIZE(kml_routes); i++)
		hlist_for_each_entry(r, &kml_routes[i], hash)
			kml_many(r->dev, 0);
	kml_many_end();
	ACCUM("hlist", "routes", &kml_routes, &sum, "kml_route", NROUTE,
	      "variable=kml_routes member=kml_route.hash buckets=%zu", ARRAY_SIZE(kml_routes));
}

/* ---- a queue of sk_buffs, with a page fragment each */

static struct sk_buff_head kml_backlog;
static struct kml_site skb_site, frag_site;

static SITE struct sk_buff *kml_new_skb(void)
{
	struct sk_buff *skb;
	struct page *page;

	AT(&skb_site, "kml_receive", "alloc_skb"); skb = alloc_skb(900, GFP_KERNEL);
	if (!skb)
		return NULL;
	skb_put(skb, 100);
	AT(&frag_site, "kml_receive", NULL); page = alloc_page(GFP_KERNEL);
	if (page)
		skb_fill_page_desc(skb, 0, page, 0, 1400);
	return skb;
}

static SITE int kml_receive(void)
{
	struct sk_buff *skb = kml_new_skb();

	if (!skb)
		return -ENOMEM;
	skb_queue_tail(&kml_backlog, skb);
	return skb_shinfo(skb)->nr_frags == 1 ? 0 : -ENOMEM;
}

static void log_backlog(void)
{
	struct kml_sum sum = { };
	struct sk_buff *skb = skb_peek(&kml_backlog);
	size_t head = skb_end_offset(skb) + SKB_DATA_ALIGN(sizeof(struct skb_shared_info));

	kml_many_begin(&sum, "live", "slab:skbuff_head_cache", "backlog.skb", sizeof(*skb),
		       &skb_site, "holder=queue type=sk_buff");
	skb_queue_walk(&kml_backlog, skb)
		kml_many(skb, 0);
	kml_many_end();
	kml_many_begin(&sum, "live", kml_kind(head, GFP_KERNEL), "backlog.head", head, &skb_site,
		       "holder=sk_buff.head");
	skb_queue_walk(&kml_backlog, skb)
		kml_many(skb->head, 0);
	kml_many_end();
	kml_many_begin(&sum, "live", "page", "backlog.frag", PAGE_SIZE, &frag_site,
		       "order=0 alloc=alloc_page holder=skb_frag");
	skb_queue_walk(&kml_backlog, skb)
		kml_many(page_address(skb_frag_page(&skb_shinfo(skb)->frags[0])), PAGE_SIZE);
	kml_many_end();
	ACCUM("queue", "backlog", &kml_backlog, &sum, "sk_buff", NSKB,
	      "variable=kml_backlog member=sk_buff.next");
}

/* All of them grow together, as they would. */
int kml_accum(void)
{
	int i, cpu = num_online_cpus() - 1, err;

	skb_queue_head_init(&kml_backlog);
	err = kml_sessions_init();
	err = err ?: kml_probe();
	for (i = 0; !err && i < NCONN; i++) {
		err = err ?: kml_accept(i);
		if (i < NSESSION)
			err = err ?: kml_login(i);
		if (i < NFLOW_FIRST && cpu)
			err = err ?: kml_track(0, i);
		if (i < NFLOW)
			err = err ?: kml_track(cpu, i);
		if (i < NBLOB)
			err = err ?: kml_put_blob(i);
		if (i < NREQ)
			err = err ?: kml_submit(kml_the_device, i);
		if (i < NROUTE)
			err = err ?: kml_add_route(i);
		if (i < NSKB)
			err = err ?: kml_receive();
		if (i % 64 == 0)
			cond_resched();
	}
	return err;
}

void kml_accum_log(void)
{
	int cpu = num_online_cpus() - 1;

	log_conns();
	log_sessions();
	log_flows(cpu, NFLOW);
	if (cpu)
		log_flows(0, NFLOW_FIRST);
	log_blobs();
	log_device();
	log_routes();
	log_backlog();
}
