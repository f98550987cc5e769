/* SPDX-License-Identifier: GPL-2.0-or-later */
/* page_owner (CONFIG_PAGE_OWNER, page_owner=on): who allocated a page. */
#ifndef KML_KERNEL_PAGE_OWNER_H
#define KML_KERNEL_PAGE_OWNER_H

#include "kernel/page_ext.h"

struct page_owner {
	struct page_ext ext;
	uint64_t offset, bytes;   /* of the struct in an element */
	uint64_t allocated;       /* mask of page_ext.flags */
	struct profile_member flags, handle, pid, ts_nsec, comm;
	bool has_pid, has_time, has_comm; /* since Linux 5.11 (9cc7e96aa846);
					     comm since 5.18 (865ed6a32786) */
	uint32_t no_stack[3];     /* handles of stacks that say nothing */
};

struct page_owner_record {
	uint32_t stack;   /* handle of the stack depot */
	uint32_t pid;
	uint64_t ts_nsec; /* since boot; 0: not known */
	char comm[16];    /* NUL-terminated, printable; "" if not known */
};

/* False: the kernel has none, or was not booted with page_owner=on. */
bool page_owner_open(struct kernel *kernel, struct page_owner *ret);

/* False: not allocated as far as it knows, or before it was there. */
bool page_owner_read(struct kernel *kernel, struct page_owner *owner,
		     uint64_t pfn, struct page_owner_record *ret);

#endif
