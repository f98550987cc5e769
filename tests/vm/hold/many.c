// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Millions of small objects, if asked for (insmod kmlhold.ko many=10000000): how
 * long an analysis takes, and whether it is still right.  Logged are the sums
 * alone: `accum` of what is held, `group` of what is leaked.
 *
 * Of a hundred objects 40 are on a list, 30 in a hash table, 20 in an rbtree, 8
 * refer to 14 others each at random, 2 are a chain that was dropped.  types=
 * says how many there are of each struct.
 */
#include <linux/rbtree.h>
#include <linux/sched.h>
#include "kmlhold.h"

static uint many;
module_param(many, uint, 0444);
MODULE_PARM_DESC(many, "how many small objects to hold besides, about");

#define NOWNER 512
#define NRESCHED 1024

static u64 seed = 88172645463325252ULL;

static u32 draw(u32 n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return (seed >> 32) * n >> 32;
}

/* Count an object, which may not have been got; now and then let others run. */
static bool add(struct kml_sum *sum, const void *p, size_t requested)
{
	if (!p)
		return false;
	if (++sum->objects % NRESCHED == 0)
		cond_resched();
	sum->bytes += ksize(p);
	sum->requested += requested;
	return true;
}

/* A cache that is named after its struct tells inference where to begin; with
 * a window for usercopy it is not merged. */
#define NAMED_CACHE(type) \
	kmem_cache_create_usercopy(#type, sizeof(struct type), 0, 0, 0, 8, NULL)

/* The one object that leads to all others of a structure. */
#define NEW_HEAD(type, sum) \
({ \
	struct kmem_cache *_cache = NAMED_CACHE(type); \
	struct type *_p = _cache ? kmem_cache_zalloc(_cache, GFP_KERNEL) : NULL; \
	add(sum, _p, sizeof(struct type)) ? _p : NULL; \
})

/* ---- a list; each owner has a chain through it */

struct kml_ticket;
struct kml_owner {
	u32 uid, tickets;
	struct kml_ticket *latest;
	char name[48];
};

struct kml_label {
	struct kml_ticket *ticket;
	u32 colour;
	char text[16];
};

struct kml_ticket {
	struct list_head link;
	struct kml_label *label;
	struct kml_owner *owner;
	struct kml_ticket *earlier;
	u64 number;
	u32 state, priority;
	char subject[32];
};

struct kml_desk {
	struct list_head tickets;
	struct kml_owner *owners[NOWNER];
};

static struct kml_desk *kml_the_desk;
static struct kml_sum ticket_sum;

static SITE bool kml_new_ticket(struct kml_desk *d, u32 i)
{
	struct kml_ticket *t = kzalloc(sizeof(*t), GFP_KERNEL);
	struct kml_label *l = kzalloc(sizeof(*l), GFP_KERNEL);

	if (!add(&ticket_sum, t, sizeof(*t)) || !add(&ticket_sum, l, sizeof(*l)))
		return false;
	t->number = i;
	t->label = l;
	t->owner = d->owners[draw(NOWNER)];
	t->owner->tickets++;
	t->earlier = t->owner->latest;
	t->owner->latest = t;
	l->ticket = t;
	l->colour = i & 0xffffff;
	strscpy(t->subject, "it does not work", sizeof(t->subject));
	list_add_tail(&t->link, &d->tickets);
	return true;
}

static SITE bool kml_many_tickets(u32 n)
{
	struct kml_desk *d = NEW_HEAD(kml_desk, &ticket_sum);
	u32 i;

	if (!d)
		return false;
	kml_the_desk = d;
	INIT_LIST_HEAD(&d->tickets);
	for (i = 0; i < NOWNER; i++) {
		d->owners[i] = kzalloc(sizeof(*d->owners[i]), GFP_KERNEL);
		if (!add(&ticket_sum, d->owners[i], sizeof(*d->owners[i])))
			return false;
		d->owners[i]->uid = i;
	}
	for (i = 0; i < n; i++)
		if (!kml_new_ticket(d, i))
			return false;
	kml_log("accum", "list", &kml_the_desk, ticket_sum.bytes, NULL,
		"tickets module=kmlhold variable=kml_the_desk objects=%zu requested=%zu types=kml_ticket:%u,kml_label:%u,kml_owner:%u,kml_desk:1",
		ticket_sum.objects, ticket_sum.requested, n, n, NOWNER);
	return true;
}

/* ---- a hash table with a list of what was used last */

struct kml_entry;
struct kml_value {
	struct kml_entry *entry;
	u64 stamp[4];
	u8 data[48];
};

struct kml_entry {
	struct hlist_node hash;
	struct list_head lru;
	u64 key;
	struct kml_value *value;
};

struct kml_store {
	struct hlist_head *buckets;
	struct list_head lru;
	u32 mask, count;
};

static struct kml_store *kml_the_store;
static struct kmem_cache *entry_cache;
static struct kml_sum entry_sum;

static SITE bool kml_new_entry(struct kml_store *c, u32 i)
{
	struct kml_entry *e = kmem_cache_zalloc(entry_cache, GFP_KERNEL);
	struct kml_value *v = kzalloc(sizeof(*v), GFP_KERNEL);

	if (!add(&entry_sum, e, sizeof(*e)) || !add(&entry_sum, v, sizeof(*v)))
		return false;
	e->key = i * 2654435761ULL;
	e->value = v;
	v->entry = e;
	hlist_add_head(&e->hash, &c->buckets[(e->key >> 7) & c->mask]);
	list_add(&e->lru, &c->lru);
	c->count++;
	return true;
}

static SITE bool kml_many_entries(u32 n)
{
	struct kml_store *c = NEW_HEAD(kml_store, &entry_sum);
	u32 i, buckets = roundup_pow_of_two(n / 4 + 1);

	entry_cache = NAMED_CACHE(kml_entry);
	if (!c || !entry_cache)
		return false;
	kml_the_store = c;
	INIT_LIST_HEAD(&c->lru);
	/* (pages of vmalloc() are counted by hand: ksize() does not know them) */
	c->buckets = kvcalloc(buckets, sizeof(*c->buckets), GFP_KERNEL);
	if (!c->buckets)
		return false;
	c->mask = buckets - 1;
	entry_sum.objects++;
	entry_sum.requested += buckets * sizeof(*c->buckets);
	entry_sum.bytes += is_vmalloc_addr(c->buckets) ?
		PAGE_ALIGN(buckets * sizeof(*c->buckets)) : ksize(c->buckets);
	for (i = 0; i < n; i++)
		if (!kml_new_entry(c, i))
			return false;
	kml_log("accum", "hlist", &kml_the_store, entry_sum.bytes, NULL,
		"entries module=kmlhold variable=kml_the_store objects=%zu requested=%zu types=kml_entry:%u,kml_value:%u,kml_store:1",
		entry_sum.objects, entry_sum.requested, n, n);
	return true;
}

/* ---- an rbtree */

struct kml_extent;
struct kml_block {
	struct kml_extent *extent;
	u64 sums[6];
};

struct kml_extent {
	struct rb_node node;
	u64 start, length;
	struct kml_block *block;
	struct kml_extent *copy_of;
	u8 hash[28];
};

static struct rb_root kml_extents = RB_ROOT;
static struct kmem_cache *extent_cache;
static struct kml_sum extent_sum;

static SITE struct kml_extent *kml_new_extent(u64 start)
{
	struct rb_node **at = &kml_extents.rb_node, *parent = NULL;
	struct kml_extent *e = kmem_cache_zalloc(extent_cache, GFP_KERNEL);
	struct kml_block *b = kzalloc(sizeof(*b), GFP_KERNEL);

	if (!add(&extent_sum, e, sizeof(*e)) || !add(&extent_sum, b, sizeof(*b)))
		return NULL;
	e->start = start;
	e->block = b;
	b->extent = e;
	while (*at) {
		parent = *at;
		at = start < rb_entry(parent, struct kml_extent, node)->start ?
			&parent->rb_left : &parent->rb_right;
	}
	rb_link_node(&e->node, parent, at);
	rb_insert_color(&e->node, &kml_extents);
	return e;
}

static SITE bool kml_many_extents(u32 n)
{
	struct kml_extent *e, *last = NULL;
	u32 i;

	extent_cache = NAMED_CACHE(kml_extent);
	for (i = 0; i < n && extent_cache; i++) {
		e = kml_new_extent(draw(U32_MAX));
		if (!e)
			return false;
		if (!last || i % 64 == 0)
			last = e;
		e->copy_of = last;
	}
	kml_log("accum", "rbtree", &kml_extents, extent_sum.bytes, NULL,
		"extents module=kmlhold variable=kml_extents objects=%zu requested=%zu types=kml_extent:%u,kml_block:%u",
		extent_sum.objects, extent_sum.requested, n, n);
	return extent_cache;
}

/* ---- a graph: any to any */

#define NEDGE 14

struct kml_vertex {
	struct kml_vertex *next;
	u64 id;
	struct kml_vertex *edge[NEDGE];
};

struct kml_graph {
	struct kml_vertex *first;
	u64 count;
};

static struct kml_graph *kml_the_graph;
static struct kml_sum vertex_sum;

static SITE struct kml_vertex *kml_new_vertex(struct kml_graph *g, u32 i)
{
	struct kml_vertex *v = kzalloc(sizeof(*v), GFP_KERNEL);

	if (!add(&vertex_sum, v, sizeof(*v)))
		return NULL;
	v->id = i;
	v->next = g->first;
	g->first = v;
	g->count++;
	return v;
}

static SITE bool kml_many_vertices(u32 n)
{
	struct kml_vertex **all = kvcalloc(n, sizeof(*all), GFP_KERNEL);
	struct kml_graph *g = NEW_HEAD(kml_graph, &vertex_sum);
	bool good = all && g;
	u32 i, j;

	kml_the_graph = g;
	for (i = 0; good && i < n; i++) {
		all[i] = kml_new_vertex(g, i);
		good = all[i];
	}
	for (i = 0; good && i < n; i++) {
		for (j = 0; j < NEDGE; j++)
			all[i]->edge[j] = all[draw(n)];
		if (i % NRESCHED == 0)
			cond_resched();
	}
	kvfree(all);
	if (good)
		kml_log("accum", "graph", &kml_the_graph, vertex_sum.bytes, NULL,
			"vertices module=kmlhold variable=kml_the_graph objects=%zu requested=%zu types=kml_vertex:%u,kml_graph:1",
			vertex_sum.objects, vertex_sum.requested, n);
	return good;
}

/* ---- a chain that is dropped */

struct kml_crumb {
	struct kml_crumb *next;
	u64 step;
	u8 data[8];
};

static struct kml_sum crumb_sum;

static SITE bool kml_drop_crumbs(u32 n)
{
	struct kml_crumb *head = NULL, *c;
	u32 i;

	for (i = 0; i < n; i++) {
		c = kzalloc(sizeof(*c), GFP_KERNEL);
		if (!add(&crumb_sum, c, sizeof(*c)))
			return false;
		c->step = i;
		c->next = head;
		head = c;
	}
	kml_log("group", "chain", head, crumb_sum.bytes, NULL,
		"crumbs objects=%zu requested=%zu types=kml_crumb:%u",
		crumb_sum.objects, crumb_sum.requested, n);
	return true;
}

int kml_many_objects(void)
{
	u32 n = many / 100;

	if (!many)
		return 0;
	return kml_many_tickets(20 * n) && kml_many_entries(15 * n) &&
	       kml_many_extents(10 * n) && kml_many_vertices(8 * n) &&
	       kml_drop_crumbs(2 * n) ? 0 : -ENOMEM;
}
