// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Live for the moment of the dump only: objects that RCU still has to free,
 * and one that a running CPU holds in a register.  A reader that never leaves
 * its critical section keeps every grace period from ending.
 */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/kthread.h>
#include <linux/rcupdate.h>
#include <linux/sched.h>
#include "kmlplant.h"

struct late {
	char pad[24];
	struct rcu_head rcu;
	void *payload;
	char tail[64];
};

static void late_free(struct rcu_head *r)
{
	kfree(container_of(r, struct late, rcu));
}

static volatile char stop_spinning;
static volatile char reader_in;

/* With spin=1 it also has the last CPU to itself, an object in a register. */
static noinline void spin_with_register(void)
{
	void *p = kzalloc(200, GFP_KERNEL);

	PLANT("live", kml_kind(200, GFP_KERNEL), p, 200, "by-register.0 holder=register");
	preempt_disable();
	rcu_read_lock();
	reader_in = 1;
	asm volatile("1:	pause\n"
		     "	cmpb	$0, %1\n"
		     "	je	1b\n"
		     : "+r" (p) : "m" (stop_spinning) : "memory", "cc");
	/* not reached: nothing to clean up, the compiler may forget p early */
	rcu_read_unlock();
	preempt_enable();
}

static int reader(void *unused)
{
	if (kml_spin) {
		spin_with_register();
		return 0;
	}
	/*
	 * Without: a reader that lets others run.  Being preempted inside the
	 * critical section is legal where RCU is preemptible (Debian's is).
	 */
	rcu_read_lock();
	reader_in = 1;
	while (!stop_spinning) {
		cpu_relax();
#ifdef CONFIG_PREEMPT_RCU
		if (need_resched())
			cond_resched();
#endif
	}
	rcu_read_unlock();
	return 0;
}

int kml_late(void)
{
	struct task_struct *t;
	struct late *l;
	void *p;
	int i;

	if (reader_in)
		return -EBUSY;
	t = kthread_create(reader, NULL, "kml_reader");
	if (IS_ERR(t))
		return PTR_ERR(t);
	kthread_bind(t, cpumask_last(cpu_online_mask));
	if (!kml_spin)
		sched_set_normal(t, 19);
	wake_up_process(t);
	for (i = 0; i < 500 && !reader_in; i++)
		msleep(10);

	for (i = 0; i < 12; i++) {
		l = kzalloc(sizeof(*l), GFP_KERNEL);
		l->payload = kzalloc(56, GFP_KERNEL);
		PLANT("live", kml_kind(sizeof(*l), GFP_KERNEL), l, sizeof(*l),
		      "by-call_rcu.%d holder=call_rcu", i);
		PLANT("live", kml_kind(56, GFP_KERNEL), l->payload, 56,
		      "by-call_rcu.%d.payload holder=call_rcu", i);
		call_rcu(&l->rcu, late_free);

		l = kzalloc(sizeof(*l), GFP_KERNEL);
		PLANT("live", kml_kind(sizeof(*l), GFP_KERNEL), l, sizeof(*l),
		      "by-kfree_rcu.%d holder=kfree_rcu", i);
		kfree_rcu(l, rcu);
	}
	for (i = 0; i < 6; i++) {	/* no rcu_head: only kvfree_rcu's pages know it */
		p = i & 1 ? vzalloc(6000) : kzalloc(120, GFP_KERNEL);
		PLANT("live", kml_kind_of(p, 120, GFP_KERNEL), p, i & 1 ? 6000 : 120,
		      "by-kvfree_rcu.%d holder=kvfree_rcu.headless", i);
#ifdef kvfree_rcu_mightsleep
		kvfree_rcu_mightsleep(p);
#else
		kvfree_rcu(p);
#endif
	}
	return 0;
}
