// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Leaked structures: one unreferenced object (the root) and what hangs on it,
 * or a cycle of which any member may be named as the root.
 */
#include <linux/rbtree.h>
#include <linux/xarray.h>
#include "kmlplant.h"

struct node {
	struct list_head l;
	void *payload;
	unsigned long tag;
};

/* A list whose head is gone (it was in a dead frame): a cycle through it. */
static noinline void dropped_list(int id, int n)
{
	LIST_HEAD(head);
	int i;

	for (i = 0; i < n; i++) {
		struct node *e = kzalloc(sizeof(*e), GFP_KERNEL);

		if (!e)
			return;
		list_add_tail(&e->l, &head);
		PLANT("leak", kml_kind(sizeof(*e), GFP_KERNEL), e, sizeof(*e),
		      "list%d.%d root=list%d.0 cycle=1", id, i, id);
		if (i % 3)
			continue;
		e->payload = kmalloc(100 + 8 * i, GFP_KERNEL);
		PLANT("leak", kml_kind(100 + 8 * i, GFP_KERNEL), e->payload,
		      100 + 8 * i, "list%d.%d.payload root=list%d.0", id, i, id);
	}
}

/* A list whose head is itself a leaked object. */
static void headed_list(int id, int n)
{
	struct { unsigned long flags; struct list_head head; } *h;
	int i;

	h = kzalloc(sizeof(*h), GFP_KERNEL);
	if (!h)
		return;
	INIT_LIST_HEAD(&h->head);
	PLANT("leak", kml_kind(sizeof(*h), GFP_KERNEL), h, sizeof(*h),
	      "hlist%d.head cycle=1", id);
	for (i = 0; i < n; i++) {
		struct node *e = kzalloc(sizeof(*e), GFP_KERNEL);

		if (!e)
			return;
		list_add(&e->l, &h->head);
		PLANT("leak", kml_kind(sizeof(*e), GFP_KERNEL), e, sizeof(*e),
		      "hlist%d.%d root=hlist%d.head cycle=1", id, i, id);
	}
}

/* Singly linked, or closed to a ring. The link points to the object's middle. */
static void linked(const char *name, int id, int n, size_t size, bool ring)
{
	char *first = NULL, *prev = NULL, *p;
	int i;

	for (i = 0; i < n; i++) {
		p = kzalloc(size, GFP_KERNEL);
		if (!p)
			return;
		if (prev)
			*(void **)prev = p + (size / 2 & ~7UL);
		else
			first = p;
		prev = p;
		if (i)
			PLANT("leak", kml_kind(size, GFP_KERNEL), p, size,
			      "%s%d.%d root=%s%d.0%s", name, id, i, name, id,
			      ring ? " cycle=1" : "");
		else
			PLANT("leak", kml_kind(size, GFP_KERNEL), p, size,
			      "%s%d.0%s", name, id, ring ? " cycle=1" : "");
	}
	if (ring)
		*(void **)prev = first;
}

/* Points to itself, and nothing else does: a self-reference holds nothing. */
static void self_reference(int i)
{
	size_t size = 40 + 56 * i;
	char *p = kzalloc(size, GFP_KERNEL);

	if (!p)
		return;
	*(void **)(p + 8 * (i % 4)) = p + (i & 1 ? 16 : 0);
	PLANT("leak", kml_kind(size, GFP_KERNEL), p, size, "self.%d", i);
}

struct bt {
	struct bt *left, *right;
	void *payload;
};

static struct bt *bintree(int id, int depth, int *n)
{
	struct bt *t = kzalloc(sizeof(*t), GFP_KERNEL);

	if (!t)
		return NULL;
	if (*n)
		PLANT("leak", kml_kind(sizeof(*t), GFP_KERNEL), t, sizeof(*t),
		      "tree%d.%d root=tree%d.0", id, *n, id);
	else
		PLANT("leak", kml_kind(sizeof(*t), GFP_KERNEL), t, sizeof(*t),
		      "tree%d.0", id);
	t->payload = kmalloc(300, GFP_KERNEL);
	PLANT("leak", kml_kind(300, GFP_KERNEL), t->payload, 300,
	      "tree%d.%d.payload root=tree%d.0", id, *n, id);
	++*n;
	if (depth) {
		t->left = bintree(id, depth - 1, n);
		t->right = bintree(id, depth - 1, n);
	}
	return t;
}

struct rbn {
	struct rb_node rb;	/* has a parent pointer: a cycle */
	int key;
};

static noinline void dropped_rbtree(int id, int n)
{
	struct rb_root root = RB_ROOT;
	int i;

	for (i = 0; i < n; i++) {
		struct rb_node **link = &root.rb_node, *parent = NULL;
		struct rbn *e = kzalloc(sizeof(*e), GFP_KERNEL);

		if (!e)
			return;
		e->key = i * 37 % 101;
		while (*link) {
			parent = *link;
			link = e->key < rb_entry(parent, struct rbn, rb)->key ?
				&parent->rb_left : &parent->rb_right;
		}
		rb_link_node(&e->rb, parent, link);
		rb_insert_color(&e->rb, &root);
		PLANT("leak", kml_kind(sizeof(*e), GFP_KERNEL), e, sizeof(*e),
		      "rbtree%d.%d root=rbtree%d.0 cycle=1", id, i, id);
	}
}

static void xa_nodes(struct xa_node *n, int id, int *nr)
{
	int i;

	PLANT("leak", "slab:radix_tree_node", n, sizeof(*n),
	      "xarray%d.node.%d root=xarray%d cycle=1", id, (*nr)++, id);
	for (i = 0; i < XA_CHUNK_SIZE && n->shift; i++) {
		void *e = rcu_dereference_raw(n->slots[i]);

		if (e && xa_is_internal(e) && !xa_is_sibling(e) && (unsigned long)e > 4096)
			xa_nodes((void *)((unsigned long)e - 2), id, nr);
	}
}

static void leaked_xarray(int id, int n, int stride)
{
	struct xarray *xa = kzalloc(sizeof(*xa), GFP_KERNEL);
	void *head;
	int i, nr = 0;

	if (!xa)
		return;
	xa_init(xa);
	PLANT("leak", kml_kind(sizeof(*xa), GFP_KERNEL), xa, sizeof(*xa),
	      "xarray%d cycle=1", id);
	for (i = 0; i < n; i++) {
		void *p = kzalloc(72, GFP_KERNEL);

		if (xa_err(xa_store(xa, i * stride, p, GFP_KERNEL)))
			return;
		PLANT("leak", kml_kind(72, GFP_KERNEL), p, 72,
		      "xarray%d.entry.%d root=xarray%d", id, i, id);
	}
	head = rcu_dereference_raw(xa->xa_head);
	if (head && xa_is_internal(head))
		xa_nodes((void *)((unsigned long)head - 2), id, &nr);
}

static void parent_with_children(int id, int n)
{
	void **parent = kcalloc(n + 1, sizeof(void *), GFP_KERNEL);
	int i;

	if (!parent)
		return;
	PLANT("leak", kml_kind((n + 1) * 8, GFP_KERNEL), parent, (n + 1) * 8,
	      "parent%d", id);
	for (i = 0; i < n; i++) {
		size_t size = 24 << (i % 5);

		parent[i + 1] = kzalloc(size, GFP_KERNEL);
		PLANT("leak", kml_kind(size, GFP_KERNEL), parent[i + 1], size,
		      "parent%d.child.%d root=parent%d", id, i, id);
	}
}

/* slab > vmalloc > page (by address) > large > page (by struct page) > per-cpu > slab */
static void mixed(int id)
{
	void **slab, **vm, **page, **large, **page2, *child;
	void * __percpu *pcpu;
	struct page *pg;

	slab = kzalloc(56, GFP_KERNEL);
	vm = vzalloc(9000);
	page = (void **)get_zeroed_page(GFP_KERNEL);
	large = kzalloc(20000, GFP_KERNEL);
	pg = alloc_pages(GFP_KERNEL | __GFP_ZERO | __GFP_COMP, 1);
	pcpu = alloc_percpu(void *);
	child = kmalloc(160, GFP_KERNEL);
	if (!slab || !vm || !page || !large || !pg || !pcpu || !child)
		return;
	page2 = page_address(pg);
	slab[3] = vm;
	vm[1100] = page;
	page[511] = large;
	large[2400] = pg;
	page2[700] = (void __force *)pcpu;
	/* only on the last CPU */
	*per_cpu_ptr(pcpu, cpumask_last(cpu_possible_mask)) = child;
	PLANT("leak", kml_kind(56, GFP_KERNEL), slab, 56, "mixed%d", id);
	PLANT("leak", "vmalloc", vm, 9000, "mixed%d.vmalloc root=mixed%d", id, id);
	PLANT("leak", "page", page, PAGE_SIZE,
	      "mixed%d.page order=0 alloc=__get_free_page root=mixed%d", id, id);
	PLANT("leak", "large", large, 20000, "mixed%d.large root=mixed%d", id, id);
	PLANT("leak", "page", page2, 2 * PAGE_SIZE,
	      "mixed%d.page2 order=1 alloc=compound root=mixed%d by=struct-page", id, id);
	PLANT("leak", "percpu", (unsigned long __force)pcpu, sizeof(void *),
	      "mixed%d.percpu cpu0=0x%lx root=mixed%d", id,
	      (unsigned long)per_cpu_ptr(pcpu, 0), id);
	PLANT("leak", kml_kind(160, GFP_KERNEL), child, 160,
	      "mixed%d.child root=mixed%d", id, id);
}

int kml_chains(void)
{
	int i, n;

	for (i = 0; i < 5; i++)
		dropped_list(i, 10 + i);
	for (i = 0; i < 3; i++)
		headed_list(i, 8);
	for (i = 0; i < 5; i++)
		linked("slist", i, 12, 48 << i, false);
	for (i = 0; i < 4; i++)
		linked("ring", i, 6, 40 + 30 * i, true);
	for (i = 0; i < 8; i++)
		linked("pair", i, 2, 24 + 40 * i, true);
	for (i = 0; i < 12; i++)
		self_reference(i);
	for (i = 0; i < 2; i++) {
		n = 0;
		bintree(i, 3, &n);
		dropped_rbtree(i, 15);
	}
	leaked_xarray(0, 70, 1);
	leaked_xarray(1, 10, 1000);
	for (i = 0; i < 6; i++)
		parent_with_children(i, 7);
	for (i = 0; i < 5; i++)
		mixed(i);
	return 0;
}
