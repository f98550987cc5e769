// SPDX-License-Identifier: GPL-2.0-or-later
/* The kernel's own kinds of object: sk_buff, file, socket, task, kobject. */
#include <linux/anon_inodes.h>
#include <linux/cred.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kobject.h>
#include <linux/kthread.h>
#include <linux/net.h>
#include <linux/sched/task.h>
#include <linux/sched/signal.h>
#include <linux/skbuff.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include "kmlplant.h"

/* What the kernel allocated along with an object of ours, and only that holds. */
static void side(bool live, const char *root, int i, const char *what,
		 const char *kind, void *p, size_t size)
{
	char tail[40];

	if (!p)
		return;
	snprintf(tail, sizeof(tail), live ? "holder=%s" : "root=%s.%d", root, i);
	if (!size)	/* private to its owner: the slot's size must do */
		size = ksize(p);
	PLANT(live ? "live" : "leak", kind ?: kml_kind(size, GFP_KERNEL), p, size,
	      "%s%s.%d.%s %s", root, live ? ".live" : "", i, what, tail);
}

/*
 * A buffer with linear data and two page fragments.  Up to 6.2 the head is a
 * plain kmalloc object, later it may come from skbuff_small_head.
 */
static void plant_skb(int i, bool live)
{
	const char *truth = live ? "live" : "leak";
	char tail[40];
	unsigned int size = 100 + i * 700, j;
	struct sk_buff *skb = alloc_skb(size, GFP_KERNEL);

	if (!skb)
		return;
	skb_put(skb, 60);
	for (j = 0; j < 2; j++)
		skb_fill_page_desc(skb, j, alloc_page(GFP_KERNEL), 0, 1000);
	if (live)
		kml_keep(skb);
	PLANT(truth, "slab:skbuff_head_cache", skb, sizeof(*skb), "skb%s.%d%s",
	      live ? ".live" : "", i, live ? " holder=module.data" : "");
	snprintf(tail, sizeof(tail), live ? "holder=skb" : "root=skb.%d", i);
	PLANT(truth, kml_kind(skb_end_offset(skb) + 320, GFP_KERNEL), skb->head,
	      skb_end_offset(skb) + sizeof(struct skb_shared_info),
	      "skb%s.%d.head %s", live ? ".live" : "", i, tail);
	for (j = 0; j < 2; j++)
		PLANT(truth, "page", skb_frag_address(&skb_shinfo(skb)->frags[j]),
		      PAGE_SIZE, "skb%s.%d.frag.%u order=0 alloc=alloc_page %s",
		      live ? ".live" : "", i, j, tail);
}

static const struct file_operations kml_fops = { .owner = THIS_MODULE };

static void plant_file(int i, bool live)
{
	struct file *f = anon_inode_getfile("[kmlplant]", &kml_fops, NULL, O_RDWR);

	if (IS_ERR(f))
		return;
	if (live)
		kml_keep(f);
	/* its dentry is live: the anonymous inode lists its aliases */
	PLANT(live ? "live" : "leak", "slab:filp", f, sizeof(*f), "file%s.%d%s",
	      live ? ".live" : "", i, live ? " holder=module.data" : "");
#ifdef CONFIG_SECURITY
	side(live, "file", i, "security", "slab:lsm_file_cache", f->f_security, 0);
#endif
	PLANT("live", "slab:dentry", f->f_path.dentry, sizeof(struct dentry),
	      "file%s.%d.dentry holder=inode.i_dentry", live ? ".live" : "", i);
}

/* The object begins in front of the socket_alloc in newer kernels, as only
 * net/socket.c knows (struct sockfs_inode). */
#if KML_SINCE(7, 0)
#define SOCKET_INTERIOR " interior=1"
#else
#define SOCKET_INTERIOR ""
#endif

/*
 * socket and sock hold each other.  An unbound UDP socket is in no hash; a
 * UNIX socket always is, so forgetting one is a logical leak that no scan sees.
 */
static void plant_socket(int i, int family)
{
	bool live = family == AF_UNIX;
	struct socket *s;
	char kind[48];

	if (sock_create_kern(&init_net, family, SOCK_DGRAM, 0, &s))
		return;
	PLANT(live ? "live" : "leak", "slab:sock_inode_cache",
	      container_of(s, struct socket_alloc, socket),
	      sizeof(struct socket_alloc), "socket%s.%d%s",
	      live ? ".unix" : "", i, live ? " holder=unix.hash" SOCKET_INTERIOR : " cycle=1" SOCKET_INTERIOR);
	snprintf(kind, sizeof(kind), "slab:%s", s->sk->sk_prot->name);
	if (live)
		PLANT("live", kind, s->sk, s->sk->sk_prot->obj_size,
		      "socket.unix.%d.sk holder=unix.hash", i);
	else
		PLANT("leak", kind, s->sk, s->sk->sk_prot->obj_size,
		      "socket.%d.sk root=socket.%d cycle=1", i, i);
#ifdef CONFIG_SECURITY_NETWORK
	side(live, live ? "unix" : "socket", i, "sk_security", NULL, s->sk->sk_security, 0);
#endif
#ifdef CONFIG_SECURITY
	side(live, live ? "unix" : "socket", i, "i_security", "slab:lsm_inode_cache",
	     SOCK_INODE(s)->i_security, 0);
#endif
}

static int kml_short_thread(void *unused)
{
	return 0;
}

/* A kernel thread that has exited, and one forgotten reference to it. */
static void plant_task(int i, bool live)
{
	struct task_struct *t = kthread_create(kml_short_thread, NULL, "kml_dead/%d", i);
	const char *truth = live ? "live" : "leak";

	if (IS_ERR(t))
		return;
	get_task_struct(t);
	kthread_stop(t);	/* never run: ends at once, and has been reaped */
	if (live)
		kml_keep(t);
	/* its tail (the FPU state) is sized at boot */
	PLANT(truth, "slab:task_struct", t, min(sizeof(*t), ksize(t)), "task%s.%d%s",
	      live ? ".live" : "", i, live ? " holder=module.data" : "");
	/* what only the last put of the task frees */
	side(live, "task", i, "signal", "slab:signal_cache", t->signal, sizeof(*t->signal));
	side(live, "task", i, "cred", "slab:cred_jar", (void *)t->real_cred,
	     sizeof(struct cred));
#if KML_SINCE(5, 17)
	side(live, "task", i, "kthread", NULL, t->worker_private, 0);
#endif
#ifdef CONFIG_SECURITY
	side(live, "task", i, "security", NULL, t->security, 0);
	side(live, "task", i, "cred.security",
	     kml_kind(ksize(t->real_cred->security), GFP_KERNEL_ACCOUNT),
	     t->real_cred->security, 0);
#endif
}

static void kml_release(struct kobject *k)
{
	kfree(k);
}
static const struct kobj_type kml_ktype = { .release = kml_release };

static void plant_kobject(int i, bool live)
{
	struct kobject *k;
	const char *truth = live ? "live" : "leak";

	if (live) {	/* known to sysfs only */
		char name[24];

		snprintf(name, sizeof(name), "kmlplant.%d", i);
		k = kobject_create_and_add(name, kernel_kobj);
		if (!k)
			return;
		PLANT("live", kml_kind(sizeof(*k), GFP_KERNEL), k, sizeof(*k),
		      "kobject.live.%d holder=kernfs", i);
	} else {
		k = kzalloc(sizeof(*k), GFP_KERNEL);
		if (!k)
			return;
		kobject_init(k, (struct kobj_type *)&kml_ktype);
		if (kobject_set_name(k, "a leaked kobject, number %d", i))
			return;
		PLANT("leak", kml_kind(sizeof(*k), GFP_KERNEL), k, sizeof(*k),
		      "kobject.%d", i);
	}
	if (live)
		PLANT(truth, kml_kind(strlen(k->name) + 1, GFP_KERNEL), k->name,
		      strlen(k->name) + 1, "kobject.live.%d.name holder=kobject", i);
	else
		PLANT(truth, kml_kind(strlen(k->name) + 1, GFP_KERNEL), k->name,
		      strlen(k->name) + 1, "kobject.%d.name root=kobject.%d", i, i);
}

int kml_objects(void)
{
	int i;

	for (i = 0; i < 6; i++) {
		plant_skb(i, i >= 4);
		plant_file(i, i >= 4);
		plant_kobject(i, i >= 4);
	}
	for (i = 0; i < 4; i++)
		plant_socket(i, AF_INET);
	for (i = 0; i < 2; i++)
		plant_socket(i, AF_UNIX);
	for (i = 0; i < 3; i++)
		plant_task(i, i >= 2);
	return 0;
}
