/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What any address is, for all formats of kmlanalyze whatis.  Takes a few
 * binary searches an address; the leaks need not be known.
 */
#ifndef KML_REPORT_WHATIS_H
#define KML_REPORT_WHATIS_H

#include "report/show.h"
#include "report/stacks.h"

enum whatis_kind {
	WHATIS_OBJECT,         /* in an object, or a CPU's copy of one */
	WHATIS_STRUCT_PAGE,    /* in a struct page */
	WHATIS_PERCPU_POINTER, /* of a block or of a static variable */
	WHATIS_PERCPU,         /* in a CPU's copy of a static variable */
	WHATIS_TEXT,           /* code of the kernel image or of a module */
	WHATIS_DATA,           /* its other sections */
	WHATIS_STACK,          /* on a task's stack */
	WHATIS_SLAB,           /* in a slab, but in no object */
	WHATIS_PAGE,           /* in a page frame of no object */
	WHATIS_VMALLOC,        /* in vmalloc space, but in no object */
	WHATIS_PHYSICAL,       /* a physical address of an object */
	WHATIS_NULL,           /* in the first page */
	WHATIS_USER,           /* of user space */
	WHATIS_NONCANONICAL,
	WHATIS_NOTHING,        /* of the kernel's, but nothing is there */
	WHATIS_KINDS,
};
extern const char *const whatis_kinds[WHATIS_KINDS];

struct whatis {
	struct show show;      /* address, object, its offset, task; neither
				  verdict nor holders */
	uint8_t kind;          /* enum whatis_kind */
	const char *state;     /* of the object; NULL: there is none */
	bool has_pfn;
	uint64_t pfn;          /* whose struct page it is, or that it is in */
	char symbol[SYMBOL_BYTES_MAX]; /* "" if none */
	const char *module;    /* NULL: none */
	bool is_image;         /* a per-cpu pointer: an address of the image just
				  as well, ... */
	uint8_t image_kind;    /* ... of WHATIS_TEXT or _DATA */
	bool given_back;       /* of the image: its memory is somebody else's
				  since the boot */
	const char *section;   /* of the image: ".data"; NULL: not known */
	int cpu;               /* -1: none */
};

/* The frame of a stack that the address is in, as a symbol or a function; false:
 * it is not known, or the address is no live word of a stack. */
bool whatis_frame(struct stacks *stacks, const struct whatis *whatis,
		  char ret[SYMBOL_BYTES_MAX]);

#define WHATIS_BYTES 1024
/* All of it in words; @frame: NULL if it is not known. */
void whatis_format(struct report *report, const struct whatis *whatis,
		   const char *frame, char ret[WHATIS_BYTES]);

void whatis_find(struct report *report, uint64_t address, struct whatis *ret);

#endif
