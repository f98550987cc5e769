// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * References that were taken and forgotten: what they count is held for good,
 * though it is reachable.  And the same kinds with counts that are right.
 */
#include <linux/dcache.h>
#include <linux/delay.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kref.h>
#include <linux/kthread.h>
#include <linux/netdevice.h>
#include <linux/sched/task.h>
#include <linux/skbuff.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>
#include "kmlhold.h"

/* What is logged at the end is found again by way of these. */
struct kml_counted {
	const char *truth, *kind, *id, *site, *holder;
	void *object;
	int surplus;
	size_t size;
};

/*
 * Of the objects only complements are kept: a pointer here would be a
 * reference that the test does not mean.
 */
static struct kml_counted counted[48];
static int ncounted;

static void count(const char *kind, const char *id, void *object, size_t size,
		  int surplus, const char *site, const char *holder)
{
	struct kml_counted *c = &counted[ncounted];

	if (WARN_ON(ncounted == ARRAY_SIZE(counted)))
		return;
	ncounted++;
	*c = (struct kml_counted){ surplus ? "suspect" : "counted", kind, id, site,
				   holder, (void *)~(unsigned long)object, surplus, size };
}

static long count_of(const char *kind, void *p)
{
	if (!strcmp(kind, "dentry"))
		return d_count((struct dentry *)p);
	if (!strcmp(kind, "inode"))
		return atomic_read(&((struct inode *)p)->i_count);
	if (!strcmp(kind, "file"))
		return file_count((struct file *)p);
	if (!strcmp(kind, "net_device"))
		return netdev_refcnt_read(p);
	if (!strcmp(kind, "sk_buff"))
		return refcount_read(&((struct sk_buff *)p)->users);
	if (!strcmp(kind, "task_struct"))
		return refcount_read(&((struct task_struct *)p)->usage);
	if (!strcmp(kind, "page") || !strcmp(kind, "cut"))
		return page_ref_count((struct page *)p);
	return kref_read((struct kref *)p);	/* kml_resource begins with it */
}

void kml_counts_log(void)
{
	struct kml_counted *c;

	for (c = counted; c < counted + ncounted; c++) {
		void *p = (void *)~(unsigned long)c->object;

		kml_log(c->truth, c->kind, p, c->size, NULL,
			"%s count=%ld surplus=%d site=%s holder=%s", c->id,
			count_of(c->kind, p), c->surplus, c->site, c->holder);
	}
}

/* ---- dentry, inode, file */

static SITE void kml_forget_dentry(struct file *f, int n)
{
	while (n--)
		dget(f->f_path.dentry);
}

static SITE void kml_forget_inode(struct file *f, int n)
{
	while (n--)
		igrab(file_inode(f));
}

static SITE void kml_forget_file(struct file *f, int n)
{
	while (n--)
		get_file(f);
}

/* (__used: the compiler leaves out stores to a variable that nobody reads) */
static struct file *kml_open_files[2] __used;

static int files(void)
{
	static const struct {
		const char *path, *id;
		int flags, dentry, inode;
	} what[] = {
		/* a file of tmpfs has a reference of its own to its dentry */
		{ "/tmp/kmlhold/dentry", "dentry.tmpfs", O_RDWR | O_CREAT, 3, 0 },
		{ "/tmp/kmlhold/gone", "dentry.unlinked", O_RDWR | O_CREAT, 2, 0 },
		{ "/proc/loadavg", "dentry.proc", O_RDONLY, 4, 0 },
		{ "/tmp/kmlhold/inode", "inode.tmpfs", O_RDWR | O_CREAT, 0, 2 },
		{ "/tmp/kmlhold/right", "right", O_RDWR | O_CREAT, 0, 0 },
	};
	struct file *f;
	int i;

	for (i = 0; i < ARRAY_SIZE(what); i++) {
		f = filp_open(what[i].path, what[i].flags, 0600);
		if (IS_ERR(f))
			return PTR_ERR(f);
		if (what[i].dentry)
			count("dentry", what[i].id, f->f_path.dentry, sizeof(struct dentry),
			      what[i].dentry, "kml_forget_dentry", "dcache");
		else if (what[i].inode)
			count("inode", what[i].id, file_inode(f), sizeof(struct inode),
			      what[i].inode, "kml_forget_inode", "dcache");
		else {
			count("dentry", "dentry.right", f->f_path.dentry,
			      sizeof(struct dentry), 0, "none", "dcache");
			count("inode", "inode.right", file_inode(f),
			      sizeof(struct inode), 0, "none", "dcache");
		}
		kml_forget_dentry(f, what[i].dentry);
		kml_forget_inode(f, what[i].inode);
		filp_close(f, NULL);
	}
	/* open, in variables of ours: one with more references than those */
	for (i = 0; i < 2; i++) {
		f = filp_open(i ? "/tmp/kmlhold/open.1" : "/tmp/kmlhold/open.0",
			      O_RDWR | O_CREAT, 0600);
		if (IS_ERR(f))
			return PTR_ERR(f);
		kml_open_files[i] = f;
		count("file", i ? "file.leaked" : "file.right", f, sizeof(*f),
		      2 * i, i ? "kml_forget_file" : "none", "kml_open_files");
		count("dentry", i ? "dentry.of.file.leaked" : "dentry.of.file.right",
		      f->f_path.dentry, sizeof(struct dentry), 0, "none", "file");
		kml_forget_file(f, 2 * i);
	}
	return 0;
}

/* ---- net_device */

static SITE int kml_forget_net_device(const char *name, int n)
{
	struct net_device *dev = NULL;

	while (n--) {
		dev = dev_get_by_name(&init_net, name);
		if (!dev)
			return -ENODEV;
	}
	count("net_device", "net_device.dummy", dev, sizeof(*dev), 3,
	      "kml_forget_net_device", "net.dev_name_head");
	return 0;
}

static int net_devices(void)
{
	struct net_device *lo = init_net.loopback_dev;

	count("net_device", "net_device.lo", lo, sizeof(*lo), 0, "none", "net.dev_name_head");
	return kml_forget_net_device("dummy0", 3);
}

/* ---- sk_buff: still queued, its last reader will not be its last user */

static struct sk_buff_head kml_waiting;

static SITE struct sk_buff *kml_forget_skb(struct sk_buff *skb)
{
	return skb_get(skb);
}

static SITE struct sk_buff *kml_queue_skb(void)
{
	struct sk_buff *skb = alloc_skb(200, GFP_KERNEL);

	if (skb)
		skb_queue_tail(&kml_waiting, skb);
	return skb;
}

static int skbs(void)
{
	static const char * const id[] = { "skb.0", "skb.1", "skb.2", "skb.right.0", "skb.right.1" };
	struct sk_buff *skb;
	int i;

	skb_queue_head_init(&kml_waiting);
	for (i = 0; i < ARRAY_SIZE(id); i++) {
		skb = kml_queue_skb();
		if (!skb)
			return -ENOMEM;
		if (i < 3)
			kml_forget_skb(skb);
		count("sk_buff", id[i], skb, sizeof(*skb), i < 3,
		      i < 3 ? "kml_forget_skb" : "none", "kml_waiting");
	}
	return 0;
}

/* ---- a task, and a page */

static int kml_sleeper(void *unused)
{
	while (!kthread_should_stop()) {
		set_current_state(TASK_IDLE);
		schedule();
	}
	return 0;
}

static SITE void kml_forget_task(struct task_struct *t, int n)
{
	while (n--)
		get_task_struct(t);
}

static int tasks(void)
{
	struct task_struct *t;
	int i;

	for (i = 0; i < 2; i++) {
		t = kthread_run(kml_sleeper, NULL, "kml_sleeper/%d", i);
		if (IS_ERR(t))
			return PTR_ERR(t);
		kml_forget_task(t, i * 5);
		count("task_struct", i ? "task.leaked" : "task.right", t, sizeof(*t),
		      i * 5, i ? "kml_forget_task" : "none", "tasks");
	}
	return 0;
}

static struct page *kml_pages[2] __used;

static SITE void kml_forget_page(struct page *p, int n)
{
	while (n--)
		get_page(p);
}

static int pages(void)
{
	int i;

	for (i = 0; i < 2; i++) {
		kml_pages[i] = alloc_page(GFP_KERNEL);
		if (!kml_pages[i])
			return -ENOMEM;
		kml_forget_page(kml_pages[i], 2 * i);
		count("page", i ? "page.leaked" : "page.right", kml_pages[i], PAGE_SIZE,
		      2 * i, i ? "kml_forget_page" : "none", "kml_pages");
	}
	return 0;
}

/*
 * ---- fragments of a page
 *
 * A CPU's napi_alloc_cache cuts up a block of pages: the heads of sk_buffs that
 * are held, and on the last CPU fragments whose addresses are forgotten.
 */
static struct sk_buff *kml_cut_skbs[2][3] __used;

static SITE void kml_forget_frag(int n)
{
	while (n--)
		netdev_alloc_frag(1500);
}

/* (runs on the CPU) */
static long cut(void *arg)
{
	int i, n = arg ? 4 : 0;
	struct sk_buff **skbs = kml_cut_skbs[arg ? 1 : 0];
	struct page *page;

	for (i = 0; i < 3; i++) {
		skbs[i] = dev_alloc_skb(1500);
		if (!skbs[i])
			return -ENOMEM;
		/* Served by kmalloc()? */
		page = virt_to_head_page(skbs[i]->head);
		if (!skbs[i]->head_frag || page != virt_to_head_page(skbs[0]->head))
			return -EAGAIN;
		kml_log("frag", "page", skbs[i]->head, 1500, NULL,
			"frag.%d.%d cpu=%d holder=kml_cut_skbs", arg ? 1 : 0, i, smp_processor_id());
	}
	kml_forget_frag(n);
	count("cut", n ? "cut.leaked" : "cut.right", page, PAGE_SIZE, n,
	      n ? "kml_forget_frag" : "none", "kml_cut_skbs");
	return 0;
}

static int frags(void)
{
	long err = work_on_cpu(0, cut, NULL);

	if (!err && num_online_cpus() > 1)
		err = work_on_cpu(1, cut, (void *)1);
	return err;
}

/*
 * ---- kref of our own type
 *
 * Counted references: the list's, and that of each slot of the array.
 */
struct kml_resource {
	struct kref ref;
	u32 id;
	struct list_head list;
	char name[64];
};

struct kml_user_of {
	u64 since;
	struct kml_resource *resource;
};

static LIST_HEAD(kml_resources);
static struct kml_user_of kml_users_of[40] __used;

static SITE void kml_forget_resource(struct kml_resource *r, int n)
{
	while (n--)
		kref_get(&r->ref);
}

static SITE struct kml_resource *kml_new_resource(u32 id)
{
	struct kml_resource *r;
	struct kml_site s;

	AT(&s, "resources", NULL); r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return NULL;
	kref_init(&r->ref);
	r->id = id;
	snprintf(r->name, sizeof(r->name), "resource %u", id);
	list_add_tail(&r->list, &kml_resources);
	kml_log("live", kml_kind(sizeof(*r), GFP_KERNEL), r, sizeof(*r), &s,
		"resource.%u holder=kml_resources type=kml_resource", id);
	return r;
}

static SITE int resources(void)
{
	static const char * const id[] = { "kref.0", "kref.1", "kref.2",
					   "kref.right.0", "kref.right.1", "kref.right.2" };
	struct kml_resource *r;
	int i;

	for (i = 0; i < ARRAY_SIZE(kml_users_of); i++) {
		r = kml_new_resource(i);
		if (!r)
			return -ENOMEM;
		if (i & 1) {		/* one of its users */
			kref_get(&r->ref);
			kml_users_of[i].resource = r;
		}
		if (i < 3)
			kml_forget_resource(r, i + 1);
		if (i < ARRAY_SIZE(id))
			count("kref", id[i], r, sizeof(*r), i < 3 ? i + 1 : 0,
			      i < 3 ? "kml_forget_resource" : "none", "kml_resources");
	}
	return 0;
}

int kml_counts(void)
{
	int err = files();

	err = err ?: net_devices();
	err = err ?: skbs();
	err = err ?: tasks();
	err = err ?: pages();
	err = err ?: frags();
	return err ?: resources();
}
