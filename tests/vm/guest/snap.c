// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * snap NAME TTY [HOLD [crash]] - in the guest: read what the kernel says of its own
 * memory, have the host take a dump, then send what was read.
 *
 * One process does it all, /proc/slabinfo comes last, and the dump is asked
 * for before anything is sent: no allocation of note lies between the numbers
 * and the dump.  HOLD is a file whose bytes shall stand in user memory.
 *
 * With "crash" no dump is asked for: all is sent, and then the kernel panics;
 * the one that takes over has the dump (vmcore.sh) and says so.
 *
 * On TTY:   @@DUMP:NAME@@          and waits for a line from the host
 *           @@FILE:NAME SIZE@@     followed by SIZE bytes, for each file
 *           @@END@@, or @@CRASH@@ just before the panic
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define MAXF 32
#define ROOM (16 << 20)

static struct { const char *name; char *data; size_t len; } file[MAXF];
static int nfile;
static char *room, *hold;
static size_t used;

/* Never closed: closing frees. */
static void take(const char *name, const char *path)
{
	int fd = open(path, O_RDONLY);
	ssize_t n;
	size_t start = used;

	if (fd < 0)
		return;
	while (used < ROOM && (n = read(fd, room + used, ROOM - used)) > 0)
		used += n;
	file[nfile].name = name;
	file[nfile].data = room + start;
	file[nfile++].len = used - start;
}

static void add(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	used += vsnprintf(room + used, ROOM - used, fmt, ap);
	va_end(ap);
	if (used > ROOM)
		used = ROOM;
}

/* /sys/kernel/slab as one table; a link is an alias of a merged cache */
static void take_slab(void)
{
	static const char * const attr[] = {
		"object_size", "slab_size", "align", "objs_per_slab", "order",
		"objects", "total_objects", "slabs", "partial", "cpu_slabs",
		"slabs_cpu_partial", "aliases", "usersize", "hwcache_align",
		"destroy_by_rcu", "red_zone", "poison", "store_user",
		"reclaim_account", "cache_dma",
	};
	DIR *d = opendir("/sys/kernel/slab");
	struct dirent *e;
	size_t start = used;
	unsigned int i;

	if (!d)
		return;
	add("#name\tkind\tlink");
	for (i = 0; i < sizeof(attr) / sizeof(*attr); i++)
		add("\t%s", attr[i]);
	add("\n");
	while ((e = readdir(d))) {
		char path[600], buf[600];
		ssize_t n;
		int fd;

		if (e->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/sys/kernel/slab/%s", e->d_name);
		n = readlink(path, buf, sizeof(buf) - 1);
		if (n > 0) {
			buf[n] = 0;
			add("%s\talias\t%s\n", e->d_name, buf);
			continue;
		}
		add("%s\tcache\t-", e->d_name);
		for (i = 0; i < sizeof(attr) / sizeof(*attr); i++) {
			snprintf(path, sizeof(path), "/sys/kernel/slab/%s/%s", e->d_name, attr[i]);
			fd = open(path, O_RDONLY);
			n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
			if (fd >= 0)
				close(fd);
			buf[n > 0 ? n : 0] = 0;
			/* "118 N0=118", "2(2) C0=1(1)": the total says it all */
			buf[strcspn(buf, " (\n")] = 0;
			add("\t%s", n < 0 ? "-" : buf);
		}
		add("\n");
	}
	file[nfile].name = "slab.tsv";
	file[nfile].data = room + start;
	file[nfile++].len = used - start;
}

static void put(int fd, const char *p, size_t n)
{
	while (n) {
		ssize_t w = write(fd, p, n);

		if (w <= 0)
			_exit(1);
		p += w;
		n -= w;
	}
}

static void ask_for_dump(int tty, const char *name)
{
	char line[128];

	snprintf(line, sizeof(line), "@@DUMP:%s@@\n", name);
	put(tty, line, strlen(line));
	/* the host stops us about here, and answers when it is done */
	do {
		if (read(tty, line, 1) != 1)
			_exit(1);
	} while (line[0] != '\n');
}

int main(int argc, char **argv)
{
	struct termios t;
	char line[128];
	int tty, fd, i, sysrq = -1;

	if (argc < 3)
		return 2;
	tty = open(argv[2], O_RDWR | O_NOCTTY);
	if (tty < 0 || tcgetattr(tty, &t))
		return 1;
	cfmakeraw(&t);
	cfsetspeed(&t, B115200);
	tcsetattr(tty, TCSANOW, &t);
	room = malloc(ROOM);
	memset(room, 0, ROOM);	/* fault it all in now */
	if (argc > 3 && (fd = open(argv[3], O_RDONLY)) >= 0) {
		hold = malloc(65536);
		if (read(fd, hold, 65536) < 0)
			return 1;
	}
	if (argc > 4 && (sysrq = open("/proc/sysrq-trigger", O_WRONLY)) < 0)
		return 1;
	take("cmdline", "/proc/cmdline");
	take("version", "/proc/version");
	take("iomem", "/proc/iomem");
	take("interrupts", "/proc/interrupts");
	take("mounts", "/proc/mounts");
	take("vmcoreinfo", "/sys/kernel/vmcoreinfo");
	take("modules", "/proc/modules");
	take("vmstat", "/proc/vmstat");
	/* Each read() finds its place again by counting, so that objects freed
	 * meanwhile make it skip others: read thrice. */
	take("kmemleak", "/sys/kernel/debug/kmemleak");
	take("kmemleak.2", "/sys/kernel/debug/kmemleak");
	take("kmemleak.3", "/sys/kernel/debug/kmemleak");
	take("allocinfo", "/proc/allocinfo");
	/* what hold.sh has read before: it takes a while */
	take("page_owner", "/tmp/page_owner");
	take("alloc_traces", "/tmp/alloc_traces");
	take_slab();
	/* The files closed so far are freed by RCU: not between slabinfo and the
	 * dump. */
	sleep(1);
	take("zoneinfo", "/proc/zoneinfo");
	take("buddyinfo", "/proc/buddyinfo");
	take("pagetypeinfo", "/proc/pagetypeinfo");
	take("vmallocinfo", "/proc/vmallocinfo");
	take("meminfo", "/proc/meminfo");
	take("slabinfo", "/proc/slabinfo");

	if (sysrq < 0)
		ask_for_dump(tty, argv[1]);
	for (i = 0; i < nfile; i++) {
		snprintf(line, sizeof(line), "@@FILE:%s %zu@@\n", file[i].name, file[i].len);
		put(tty, line, strlen(line));
		put(tty, file[i].data, file[i].len);
	}
	if (sysrq >= 0) {
		put(tty, "@@CRASH@@\n", 10);
		tcdrain(tty);
		put(sysrq, "c", 1);
	}
	put(tty, "@@END@@\n", 8);
	tcdrain(tty);
	/* In init's place it must not end, which is a panic: the host ends it. */
	while (getpid() == 1)
		pause();
	return 0;
}
