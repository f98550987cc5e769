// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Leaks: nothing refers to them, and the function that made them is known.
 * Addresses live in locals only (see ../plant/kmlplant.h).
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/net.h>
#include <linux/percpu.h>
#include <linux/rbtree.h>
#include <linux/skbuff.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include "kmlhold.h"

#define LEAK(kind, p, size, ...) kml_log("leak", kind, p, size, __VA_ARGS__)

/* ---- kmalloc and its kin, without a type */

static SITE void kml_leak_kmalloc(size_t size, int i)
{
	struct kml_site s;
	void *p;

	AT(&s, "kml_leak_plain", NULL); p = kmalloc(size, GFP_KERNEL);
	LEAK(kml_kind(size, GFP_KERNEL), p, size, &s, "kmalloc.%zu.%d", size, i);
}

static SITE void kml_leak_charged(size_t size, int i)
{
	struct kml_site s;
	void *p;

	AT(&s, "kml_leak_plain", NULL); p = kmalloc(size, GFP_KERNEL_ACCOUNT);
	LEAK(kml_kind(size, GFP_KERNEL_ACCOUNT), p, size, &s, "charged.%zu.%d memcg=/kml", size, i);
}

static SITE void kml_leak_krealloc(int i)
{
	struct kml_site s;
	void *p, *q;

	p = kmalloc(40, GFP_KERNEL);
	AT(&s, "kml_leak_plain", "krealloc"); q = krealloc(p, 700, GFP_KERNEL);
	LEAK(kml_kind(700, GFP_KERNEL), q, 700, &s, "krealloc.%d", i);
}

static SITE void kml_leak_kstrdup(int i)
{
	struct kml_site s;
	char *p;

	AT(&s, "kml_leak_plain", "kstrdup"); p = kstrdup("/etc/nobody/remembers/this/path.conf", GFP_KERNEL);
	LEAK(kml_kind(strlen(p) + 1, GFP_KERNEL), p, strlen(p) + 1, &s, "kstrdup.%d", i);
}

static SITE void kml_leak_kvmalloc(int i)
{
	size_t size = i & 1 ? 900000 : 1800;
	struct kml_site s;
	void *p;

	AT(&s, "kml_leak_plain", NULL); p = kvmalloc(size, GFP_KERNEL);
	LEAK(is_vmalloc_addr(p) ? "vmalloc" : kml_kind(size, GFP_KERNEL), p, size, &s,
	     "kvmalloc.%zu.%d", size, i);
}

static SITE void kml_leak_plain(void)
{
	static const u16 sizes[] = { 24, 100, 180, 500, 1500, 6000, 20000 };
	int i, j;

	for (i = 0; i < 6; i++) {
		for (j = 0; j < ARRAY_SIZE(sizes); j++)
			kml_leak_kmalloc(sizes[j], i);
		kml_leak_charged(120, i);
		kml_leak_charged(2000, i);
		kml_leak_krealloc(i);
		kml_leak_kstrdup(i);
		kml_leak_kvmalloc(i);
	}
}

/* ---- of a type: that an ops pointer, a cache or the members tell */

struct kml_job;
struct kml_job_ops {
	void (*run)(struct kml_job *job);
	void (*cancel)(struct kml_job *job);
};

struct kml_job {
	const struct kml_job_ops *ops;
	struct list_head list;
	void (*done)(struct kml_job *job);
	u64 deadline;
	u32 id, tries;
	char label[48];
};

static void kml_job_run(struct kml_job *job) { }
static void kml_job_cancel(struct kml_job *job) { }
static void kml_job_done(struct kml_job *job) { }
static const struct kml_job_ops kml_job_ops = {
	.run = kml_job_run,
	.cancel = kml_job_cancel,
};

static SITE struct kml_job *kml_new_job(int i, struct kml_site *s)
{
	struct kml_job *j;

	AT(s, "kml_queue_job", NULL); j = kzalloc(sizeof(*j), GFP_KERNEL);
	if (!j)
		return NULL;
	INIT_LIST_HEAD(&j->list);
	j->ops = &kml_job_ops;
	j->done = kml_job_done;
	j->id = i;
	snprintf(j->label, sizeof(j->label), "job number %d", i);
	return j;
}

static SITE void kml_queue_job(int i)
{
	struct kml_site s;
	struct kml_job *j = kml_new_job(i, &s);

	LEAK(kml_kind(sizeof(*j), GFP_KERNEL), j, sizeof(*j), &s, "job.%d type=kml_job", i);
}

struct kml_item {
	u64 key;
	u32 len, flags;
	char text[80];
};

static SITE void kml_leak_item(struct kmem_cache *cache, int i)
{
	struct kml_item *p;
	struct kml_site s;

	AT(&s, "kml_leak_items", NULL); p = kmem_cache_alloc(cache, GFP_KERNEL | __GFP_ZERO);
	LEAK("slab:kml_item", p, sizeof(*p), &s, "item.%d type=kml_item", i);
}

static SITE int kml_leak_items(void)
{
	struct kmem_cache *cache;
	int i;

	/* a usercopy window prevents merging */
	cache = kmem_cache_create_usercopy("kml_item", sizeof(struct kml_item), 0, 0,
					   offsetof(struct kml_item, text), 80, NULL);
	if (!cache)
		return -ENOMEM;
	for (i = 0; i < 20; i++)
		kml_leak_item(cache, i);
	return 0;
}

/* ---- areas and pages */

static SITE void kml_leak_vmalloc(int i)
{
	struct kml_site s;
	void *p;

	AT(&s, "kml_leak_areas", NULL); p = vmalloc(30000 + 9000 * i);
	LEAK("vmalloc", p, 30000 + 9000 * i, &s, "vmalloc.%d", i);
}

static SITE void kml_leak_ioremap(int i)
{
	void __iomem *p;
	struct kml_site s;

	/* a hole of the machine: no device, no memory; never touched */
	AT(&s, "kml_leak_areas", NULL); p = ioremap(0xfd800000 + i * 0x10000, 8192);
	LEAK("ioremap", (__force void *)p, 8192, &s, "ioremap.%d", i);
}

static SITE void kml_leak_percpu(int i)
{
	/* the larger ones are not of the first chunk, which has no tags */
	size_t size = i & 1 ? 20000 : 96;
	struct kml_site s;
	void __percpu *p;

	AT(&s, "kml_leak_areas", NULL); p = __alloc_percpu(size, 8);
	LEAK("percpu", (__force void *)p, size, &s, "percpu.%d cpu0=0x%lx", i,
	     p ? (unsigned long)per_cpu_ptr(p, 0) : 0);
}

static SITE void kml_leak_pages(int i, int order)
{
	struct kml_site s;
	struct page *p;

	AT(&s, "kml_leak_areas", NULL); p = alloc_pages(GFP_KERNEL | __GFP_ZERO, order);
	LEAK("page", p ? page_address(p) : NULL, PAGE_SIZE << order, &s,
	     "pages.%d.%d order=%d alloc=alloc_pages", order, i, order);
}

static SITE void kml_leak_free_page(int i)
{
	struct kml_site s;
	unsigned long p;

	AT(&s, "kml_leak_areas", NULL); p = __get_free_page(GFP_KERNEL);
	LEAK("page", (void *)p, PAGE_SIZE, &s, "free_page.%d order=0 alloc=__get_free_page", i);
}

static SITE void kml_leak_areas(void)
{
	int i;

	for (i = 0; i < 4; i++) {
		kml_leak_vmalloc(i);
		kml_leak_ioremap(i);
		kml_leak_percpu(i);
		kml_leak_pages(i, 0);
		kml_leak_pages(i, 2);
		kml_leak_free_page(i);
	}
}

/* ---- the kernel's own types */

/* What the kernel allocated along with an object of ours, and only that holds. */
static void side(const char *root, int i, const char *what, const char *kind,
		 void *p, const char *via, const struct kml_site *s)
{
	struct kml_site in = *s;

	in.via = via;
	if (p)
		LEAK(kind ?: kml_kind(ksize(p), GFP_KERNEL), p, ksize(p), &in,
		     "%s.%d.%s root=%s.%d", root, i, what, root, i);
}

static SITE void kml_leak_skb(int i)
{
	struct kml_site s, f;
	struct page *page;
	struct sk_buff *skb;
	size_t head;
	int j;

	AT(&s, "kml_leak_objects", "alloc_skb"); skb = alloc_skb(1000 + 600 * (i & 1), GFP_KERNEL);
	if (!skb)
		return;
	skb_put(skb, 64);
	head = skb_end_offset(skb) + SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
	LEAK("slab:skbuff_head_cache", skb, sizeof(*skb), &s, "skb.%d type=sk_buff", i);
	LEAK(kml_kind(head, GFP_KERNEL), skb->head, head, &s, "skb.%d.head root=skb.%d", i, i);
	for (j = 0; j < 3; j++) {
		AT(&f, "kml_leak_objects", NULL); page = alloc_page(GFP_KERNEL);
		if (!page)
			return;
		skb_fill_page_desc(skb, j, page, 0, 1400);
		LEAK("page", page_address(page), PAGE_SIZE, &f,
		     "skb.%d.frag.%d order=0 alloc=alloc_page root=skb.%d", i, j, i);
	}
}

static const struct file_operations kml_fops = { .owner = THIS_MODULE };

static SITE void kml_leak_file(int i)
{
	struct kml_site s;
	struct file *f;

	AT(&s, "kml_leak_objects", "anon_inode_getfile"); f = anon_inode_getfile("[kmlhold]", &kml_fops, NULL, O_RDWR);
	if (IS_ERR(f))
		return;
	LEAK("slab:filp", f, sizeof(*f), &s, "file.%d type=file", i);
#ifdef CONFIG_SECURITY
	side("file", i, "security", "slab:lsm_file_cache", f->f_security, "security_file_alloc", &s);
#endif
}

/* The object begins in front of the socket_alloc in newer kernels. */
#define SOCKET_INTERIOR (KML_SINCE(7, 0) ? " interior=1" : "")

/* socket and sock hold each other; an unbound UDP socket is in no hash */
static SITE void kml_leak_socket(int i)
{
	struct kml_site s;
	struct socket *sock;
	char kind[48];

	AT(&s, "kml_leak_objects", "sock_create_kern"); if (sock_create_kern(&init_net, AF_INET, SOCK_DGRAM, 0, &sock)) return;
	LEAK("slab:sock_inode_cache", container_of(sock, struct socket_alloc, socket),
	     sizeof(struct socket_alloc), &s, "socket.%d cycle=1 type=socket_alloc%s", i, SOCKET_INTERIOR);
	snprintf(kind, sizeof(kind), "slab:%s", sock->sk->sk_prot->name);
	LEAK(kind, sock->sk, sock->sk->sk_prot->obj_size, &s,
	     "socket.%d.sk root=socket.%d cycle=1 type=udp_sock", i, i);
#ifdef CONFIG_SECURITY_NETWORK
	side("socket", i, "sk_security", NULL, sock->sk->sk_security, "security_sk_alloc", &s);
#endif
#ifdef CONFIG_SECURITY
	side("socket", i, "i_security", "slab:lsm_inode_cache", SOCK_INODE(sock)->i_security,
	     "security_inode_alloc", &s);
#endif
}

static SITE void kml_leak_objects(void)
{
	int i;

	for (i = 0; i < 6; i++)
		kml_leak_skb(i);
	for (i = 0; i < 3; i++) {
		kml_leak_file(i);
		kml_leak_socket(i);
	}
}

/* ---- structures */

#define GROUP(kind, id, root, sum, ntype, n) \
	kml_log("group", kind, root, (sum)->bytes, NULL, \
		id " objects=%zu requested=%zu type=" ntype " nodes=%d kinds=%s", \
		(sum)->objects, (sum)->requested, n, (sum)->kinds)

struct kml_note {
	struct list_head link;
	u64 stamp;
	char *text;
	u8 body[60];
};

struct kml_log_book {
	u64 owner;
	struct list_head notes;
	char title[32];
	u32 count;
};

#define NNOTE 1000
#define NOTE_TEXT 20

static SITE struct kml_log_book *kml_new_book(struct kml_site *s)
{
	struct kml_log_book *b;

	AT(s, "kml_drop_list", NULL); b = kzalloc(sizeof(*b), GFP_KERNEL);
	if (b)
		INIT_LIST_HEAD(&b->notes);
	return b;
}

static SITE struct kml_note *kml_new_note(struct kml_log_book *b, struct kml_site *s,
					  struct kml_site *t, int i)
{
	struct kml_note *n;

	AT(s, "kml_drop_list", NULL); n = kzalloc(sizeof(*n), GFP_KERNEL);
	if (!n)
		return NULL;
	AT(t, "kml_drop_list", "kasprintf"); n->text = kasprintf(GFP_KERNEL, "note number %07d", i);
	n->stamp = i;
	list_add_tail(&n->link, &b->notes);
	b->count++;
	return n->text ? n : NULL;
}

/* A list of a thousand, whose head is in the object that was forgotten. */
static SITE void kml_drop_list(void)
{
	struct kml_site book, note, text;
	struct kml_sum sum = { };
	struct kml_log_book *b = kml_new_book(&book);
	struct kml_note *n;
	int i;

	for (i = 0; b && i < NNOTE; i++)
		if (!kml_new_note(b, &note, &text, i))
			return;
	kml_many_begin(&sum, "leak", kml_kind(sizeof(*b), GFP_KERNEL), "book", sizeof(*b),
		       &book, "cycle=1 type=kml_log_book");
	kml_many(b, 0);
	kml_many_end();
	kml_many_begin(&sum, "leak", kml_kind(sizeof(*n), GFP_KERNEL), "note", sizeof(*n),
		       &note, "root=book.0 cycle=1 type=kml_note");
	list_for_each_entry(n, &b->notes, link)
		kml_many(n, 0);
	kml_many_end();
	kml_many_begin(&sum, "leak", kml_kind(NOTE_TEXT, GFP_KERNEL), "note.text", NOTE_TEXT,
		       &text, "root=book.0");
	list_for_each_entry(n, &b->notes, link)
		kml_many(n->text, 0);
	kml_many_end();
	GROUP("list", "notes", b, &sum, "kml_note", NNOTE);
}

struct kml_dir {
	struct kml_dir *left, *right;
	void *data;
	u32 level, size;
	char name[24];
};

#define DEPTH 7		/* 2^8 - 1 nodes */
#define DIR_DATA 250

static SITE struct kml_dir *kml_new_dir(int level, struct kml_site *s, struct kml_site *t)
{
	struct kml_dir *d;

	AT(s, "kml_drop_tree", NULL); d = kzalloc(sizeof(*d), GFP_KERNEL);
	if (!d)
		return NULL;
	AT(t, "kml_drop_tree", NULL); d->data = kzalloc(DIR_DATA, GFP_KERNEL);
	d->level = level;
	d->size = DIR_DATA;
	if (level < DEPTH) {
		d->left = kml_new_dir(level + 1, s, t);
		d->right = kml_new_dir(level + 1, s, t);
	}
	return d;
}

static void many_dirs(struct kml_dir *d, bool data)
{
	if (!d)
		return;
	if (data)
		kml_many(d->data, 0);
	else if (d->level)
		kml_many(d, 0);
	many_dirs(d->left, data);
	many_dirs(d->right, data);
}

static SITE void kml_drop_tree(void)
{
	struct kml_site dir, data;
	struct kml_sum sum = { };
	struct kml_dir *d = kml_new_dir(0, &dir, &data);
	const char *kind;

	if (!d)
		return;
	kind = kml_kind(sizeof(*d), GFP_KERNEL);
	kml_many_begin(&sum, "leak", kind, "dir", sizeof(*d), &dir, "type=kml_dir");
	kml_many(d, 0);
	kml_many_end();
	kml_many_begin(&sum, "leak", kml_kind(sizeof(*d), GFP_KERNEL), "dir.sub", sizeof(*d),
		       &dir, "root=dir.0 type=kml_dir");
	many_dirs(d, false);
	kml_many_end();
	kml_many_begin(&sum, "leak", kml_kind(DIR_DATA, GFP_KERNEL), "dir.data", DIR_DATA,
		       &data, "root=dir.0");
	many_dirs(d, true);
	kml_many_end();
	GROUP("tree", "dirs", d, &sum, "kml_dir", (2 << DEPTH) - 1);
}

/* A parent with children that know it, but not each other: 100 of them leak. */
struct kml_child;
struct kml_parent {
	u32 n, flags;
	struct kml_child *child[6];
	char name[24];
};

struct kml_child {
	struct kml_parent *parent;
	u64 value[9];
};

static SITE struct kml_child *kml_new_child(struct kml_parent *p, struct kml_site *s)
{
	struct kml_child *c;

	AT(s, "kml_leak_family", NULL); c = kzalloc(sizeof(*c), GFP_KERNEL);
	if (c)
		c->parent = p;
	return c;
}

static SITE void kml_leak_family(int i)
{
	struct kml_site s, t;
	struct kml_parent *p;
	int j;

	AT(&s, "kml_orphans", NULL); p = kzalloc(sizeof(*p), GFP_KERNEL);
	if (!p)
		return;
	LEAK(kml_kind(sizeof(*p), GFP_KERNEL), p, sizeof(*p), &s,
	     "family.%d cycle=1 type=kml_parent", i);
	for (j = 0; j < 3; j++) {
		p->child[p->n++] = kml_new_child(p, &t);
		LEAK(kml_kind(sizeof(struct kml_child), GFP_KERNEL), p->child[j],
		     sizeof(struct kml_child), &t,
		     "family.%d.child.%d root=family.%d cycle=1 type=kml_child", i, j, i);
	}
}

int kml_orphans(void)
{
	int i;

	kml_leak_plain();
	for (i = 0; i < 40; i++)
		kml_queue_job(i);
	kml_leak_areas();
	kml_leak_objects();
	kml_drop_list();
	kml_drop_tree();
	for (i = 0; i < 100; i++)
		kml_leak_family(i);
	return kml_leak_items();
}
