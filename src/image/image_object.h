/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is behind struct image; for its files only. */
#ifndef KML_IMAGE_IMAGE_OBJECT_H
#define KML_IMAGE_IMAGE_OBJECT_H

#include "image/image.h"
#include "image/record.h"
#include "image/source.h"

/* Of image_read_pa(): 4 MiB; both are indexed by the low bits. */
#define CACHE_PAGES 1024
#define TLB_ENTRIES 1024

struct cached_page {
	uint64_t pfn_plus_1; /* 0: empty */
	bool missing;
};

struct tlb_entry {
	uint64_t vpn_plus_1; /* virtual page number; 0: empty */
	uint64_t pa;
};

struct image {
	struct dump_file *files;
	size_t n_files;
	struct image_facts facts;
	char *release;
	char *vmcoreinfo;
	struct image_regs *cpus;
	struct source *source;
	struct image_record record;  /* what it was made of, if of one */
	bool is_record;
	struct recorder *recorder;   /* NULL: nobody watches */
	uint64_t root_pa;
	uint64_t sme_mask;
	uint64_t direct_start_va;
	uint64_t direct_end_va;
	/* The rest serves image_read_*() and belongs to one thread. */
	void *reader;
	struct cached_page cached[CACHE_PAGES];
	uint8_t *cache; /* CACHE_PAGES pages */
	struct tlb_entry tlb[TLB_ENTRIES];
};

/* image.c: what VMCOREINFO says about address translation, into facts. */
struct kml_error *image_parse_vmcoreinfo(struct image *image) error_must_check;
/* What image_read_*() takes, once there is a source. */
struct kml_error *image_open_source(struct image *image) error_must_check;

#endif
