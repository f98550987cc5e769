/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has a word: objects and roots by name. */
#ifndef KML_REPORT_SOURCE_H
#define KML_REPORT_SOURCE_H

#include "report/report.h"

#define SOURCE_BYTES 320

/* Which word of an object it is, is unknown: it is one of its struct pages', or
 * the kernel's logic says so. */
#define SOURCE_NO_WORD ((1u << 29) - 1)

/*
 * Word @word of @source (as in struct graph): "kmalloc-512 0xffff...+0xf8",
 * "init_task+0x38 in .data", "variable foo+0x8 on CPU 1", "the stack of
 * kworker/0:1 (pid 9) at 0xffff...".
 */
void source_describe(struct report *report, uint32_t source, uint32_t word,
		     char ret[SOURCE_BYTES]);

/* The same of a class: "+0xf8 of kmalloc-512 objects", "page blocks". */
void source_describe_class(struct report *report, uint32_t source,
			   uint32_t word, char ret[SOURCE_BYTES]);

/* How it refers to what: "address", "struct page", "per-cpu pointer",
 * "physical address". */
extern const char *const source_how[];

/* Why a word was disregarded, by enum graph_disregard. */
extern const char *const source_disregards[GRAPH_DISREGARDS];

#endif
