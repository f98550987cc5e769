// SPDX-License-Identifier: GPL-2.0-or-later
/* kmlhold: the log, and the order of planting. See kmlhold.h. */
#include <linux/delay.h>
#include <linux/string.h>
#include "kmlhold.h"

static int planted;

static const char *site_text(const struct kml_site *s)
{
	static char buf[200];

	if (!s || !s->func)
		return "";
	snprintf(buf, sizeof(buf), " site=%s caller=%s file=%s line=%d%s%s",
		 s->func, s->caller, kbasename(s->file), s->line,
		 s->via ? " via=" : "", s->via ?: "");
	return buf;
}

void kml_log(const char *truth, const char *kind, const void *p, size_t size,
	     const struct kml_site *site, const char *fmt, ...)
{
	static char buf[400];	/* text only: holds no pointer */
	char *extra;
	va_list ap;

	va_start(ap, fmt);
	vscnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	extra = strchr(buf, ' ');
	if (extra)
		*extra++ = '\0';
	printk(KERN_INFO "KMLPLANT %s %s %s 0x%lx %zu%s%s%s\n", truth,
	       p ? kind : "FAILED", buf, (unsigned long)p, size,
	       extra ? " " : "", extra ?: "", site_text(site));
	planted++;
	cond_resched();
}

const char *kml_kind(size_t size, gfp_t gfp)
{
	static const u16 class[] = { 8, 16, 32, 64, 96, 128, 192, 256, 512,
				     1024, 2048, 4096, 8192 };
	static char buf[40];
	const char *type = (gfp & __GFP_ACCOUNT) && KML_SINCE(5, 14) ? "cg-" : "";
	int i;

	for (i = 0; i < ARRAY_SIZE(class); i++)
		if (size <= class[i])
			break;
	if (i == ARRAY_SIZE(class))
		return "large";
	if (class[i] >= 1024)
		snprintf(buf, sizeof(buf), "slab:kmalloc-%s%uk", type, class[i] / 1024);
	else
		snprintf(buf, sizeof(buf), "slab:kmalloc-%s%u", type, class[i]);
	return buf;
}

/* ---- many objects of one kind, 24 to a line */

static struct {
	struct kml_sum *sum;
	char head[500], line[500];
	const char *truth;
	char kind[40], id[40];
	size_t size, len, objects, bytes;
} many;

void kml_many_begin(struct kml_sum *sum, const char *truth, const char *kind,
		    const char *id, size_t size, const struct kml_site *site,
		    const char *extra)
{
	many.sum = sum;
	many.truth = truth;
	many.size = size;
	many.objects = many.bytes = many.len = 0;
	strscpy(many.kind, kind, sizeof(many.kind));
	strscpy(many.id, id, sizeof(many.id));
	snprintf(many.head, sizeof(many.head), "%s%s", extra, site_text(site));
}

static void many_flush(size_t first)
{
	if (many.len)
		printk(KERN_INFO "KMLMANY %s %s %s %zu %zu %s @%s\n", many.truth,
		       many.kind, many.id, first, many.size, many.head, many.line);
	many.len = 0;
	cond_resched();
}

void kml_many(const void *p, size_t allocated)
{
	if (!p) {
		pr_err("KMLPLANT-ERROR %s.%zu is missing\n", many.id, many.objects);
		return;
	}
	many.len += scnprintf(many.line + many.len, sizeof(many.line) - many.len,
			      " %lx", (unsigned long)p);
	many.bytes += allocated ?: ksize(p);
	if (++many.objects % 24 == 0)
		many_flush(many.objects - 24);
}

void kml_many_end(void)
{
	struct kml_sum *s = many.sum;
	size_t n = strlen(s->kinds);

	many_flush(many.objects - many.objects % 24);
	planted += many.objects;
	s->objects += many.objects;
	s->bytes += many.bytes;
	s->requested += many.objects * many.size;
	snprintf(s->kinds + n, sizeof(s->kinds) - n, "%s%s:%zu:%zu", n ? "," : "",
		 strncmp(many.kind, "slab:", 5) ? many.kind : many.kind + 5,
		 many.objects, many.bytes);
	memset(many.line, 0, sizeof(many.line));
}

/* ---- the order */

/* The sleeping parts of kernel stacks keep what they held. */
static SITE void kml_scrub_stack(void)
{
	volatile unsigned long pad[200];
	int i;

	for (i = 0; i < ARRAY_SIZE(pad); i++)
		pad[i] = 0;
}

static int late_set(const char *val, const struct kernel_param *kp)
{
	kml_accum_log();
	kml_counts_log();
	kml_scrub_stack();
	pr_info("KMLPLANT-LATE n=%d\n", planted);
	return 0;
}
static const struct kernel_param_ops late_ops = { .set = late_set };
module_param_cb(late, &late_ops, NULL, 0200);
MODULE_PARM_DESC(late, "write to it just before the dump: it logs what is held then");

static int __init kmlhold_init(void)
{
	static int (*const part[])(void) = {
		kml_accum, kml_counts, kml_orphans, kml_many_objects,
	};
	int i, err;

	for (i = 0; i < ARRAY_SIZE(part); i++) {
		err = part[i]();
		kml_scrub_stack();
		if (err)
			pr_err("KMLPLANT-ERROR part=%d err=%d\n", i, err);
	}
	pr_info("KMLPLANT-DONE n=%d\n", planted);
	return 0;
}
module_init(kmlhold_init);
/* no exit function: it cannot be unloaded, what it holds is held for good */
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("holds memory, forgets references, leaks: all with known truth");
