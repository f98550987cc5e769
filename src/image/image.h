/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A memory image: which physical pages it holds, their bytes, and what the
 * dump itself says about the machine (VMCOREINFO, registers).
 *
 * Addresses are _pa (physical), _va (virtual, run-time: KASLR included) or
 * _pfn (page frame number: _pa / 4096).  A page that the dump does not hold
 * is KML_ERR_NODATA, anything else that fails is another code: callers count
 * the former and pass on the latter.
 *
 * Threads: an image, its facts and image_has_page() may be used by any number
 * of threads once it is open and image_set_direct_map() was called;
 * image_read_*(), image_translate() and image_walk_tables() have a page cache
 * and belong to one thread; in a parallel pass each thread has its own
 * image_reader.
 */
#ifndef KML_IMAGE_IMAGE_H
#define KML_IMAGE_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

#define IMAGE_PAGE_SHIFT 12
#define IMAGE_PAGE_BYTES 4096u

/* Integer registers of a CPU at the moment of the dump. */
struct image_regs {
	bool present;
	uint64_t ip;
	uint64_t sp;
	uint64_t gpr[16]; /* all general-purpose ones, sp among them, as
			     arch.h's gpr_names names them */
};

struct arch;

struct image_facts {
	const char *format;      /* "elf", "kdump-zlib", "kdump-zstd", ... */
	uint64_t file_bytes;     /* of all its files */
	bool truncated;          /* shorter than its headers say, or marked as
				    incomplete by who wrote it */
	uint64_t end_pfn;        /* above the highest page of the machine */
	uint64_t n_pages;        /* in the dump */
	uint64_t zero_pages;     /* of these: without data, they read as zero;
				    with makedumpfile -E -d that is also what
				    was filtered out */
	const char *release;     /* OSRELEASE, "" if unknown */
	uint8_t build_id[32];    /* of the kernel, from VMCOREINFO */
	size_t build_id_bytes;   /* 0 if VMCOREINFO does not have it */
	uint64_t kaslr_offset;   /* run-time minus link-time address */
	const struct arch *arch; /* arch.h */
	uint64_t kernel_va;      /* the mapping of the kernel image, */
	uint64_t kernel_end_va;  /* behind which the modules are, */
	uint64_t phys_base;      /* and the _pa of its start */
	unsigned page_table_levels; /* 4 or 5 */
	unsigned n_cpus;         /* with registers in the dump; one that is
				    not .present could not be decoded */
	const struct image_regs *cpus;
};

struct image;

/*
 * Open a dump: one file, or all files of a split one in any order.  Fails with
 * KML_ERR_FORMAT (not a dump), KML_ERR_UNSUPPORTED (another architecture, a
 * flattened file that libkdumpfile cannot read, no VMCOREINFO),
 * KML_ERR_ARGUMENT (a part of a split dump is missing), KML_ERR_CORRUPT,
 * KML_ERR_OS.
 */
struct kml_error *image_open(const char *const *paths, size_t n_paths,
			     struct image **ret) error_must_check;
void image_close(struct image *image);

/* Owned by the image. */
const struct image_facts *image_facts(const struct image *image);

/* VMCOREINFO's whole text; owned by the image. */
const char *image_vmcoreinfo(const struct image *image);

/* SYMBOL(@name) (hexadecimal, link-time + KASLR as the kernel printed it) and
 * NUMBER(@name) (decimal, or hexadecimal with 0x) of VMCOREINFO. */
bool image_vmcoreinfo_symbol(const struct image *image, const char *name,
			     uint64_t *ret);
bool image_vmcoreinfo_number(const struct image *image, const char *name,
			     int64_t *ret);

/*
 * The direct map: _va is in [@start_va, @end_va) for _pa = _va - @start_va.
 * Known only once symbols are (page_offset_base); makes image_read_va() fast.
 */
void image_set_direct_map(struct image *image, uint64_t start_va,
			  uint64_t end_va);

/* Does the dump hold this page?  So it says: reading it may still show that it
 * is damaged, which counts as missing but does not change the answer. */
bool image_has_page(const struct image *image, uint64_t pfn);

/* How many pages were found damaged so far.  Any thread. */
uint64_t image_damaged_pages(const struct image *image);

/* Read physical or virtual memory; all of it or an error about the first
 * address that is not to be had.  Small reads are cheap: pages are cached. */
struct kml_error *image_read_pa(struct image *image, uint64_t pa, void *buf,
				size_t bytes) error_must_check;
struct kml_error *image_read_va(struct image *image, uint64_t va, void *buf,
				size_t bytes) error_must_check;

/* Translate by direct map, kernel image mapping, or the kernel's page tables.
 * KML_ERR_NODATA: not mapped, or a page table is not in the dump. */
struct kml_error *image_translate(struct image *image, uint64_t va,
				  uint64_t *pa_ret) error_must_check;

/*
 * Walk page tables.  For each mapped run of the range in ascending order
 * @page is called with its virtual and physical address and size (4 KiB,
 * 2 MiB or 1 GiB, clipped to the range); for each page table on the way that
 * the dump has (the top one too) @table, with its level (1: it maps pages of
 * 4 KiB); both are optional.  @root_pa: the top-level table, 0 for the
 * kernel's own.  @end_va 0: up to the last address.  Tables that the dump
 * lacks are counted in *@missing.  Bounded: a hostile table cannot make it run
 * for ever, it yields KML_ERR_CORRUPT in the end.
 */
struct image_walk {
	void (*page)(void *arg, uint64_t va, uint64_t pa, uint64_t bytes);
	void (*table)(void *arg, uint64_t pa, unsigned level);
	void *arg;
	bool once; /* of entries in a row that refer to the same table only the
		      first counts, as always where only tables are wanted */
};
struct kml_error *image_walk_tables(struct image *image, uint64_t root_pa,
				    uint64_t start_va, uint64_t end_va,
				    const struct image_walk *walk,
				    uint64_t *missing) error_must_check;

/* A reader of whole pages for one thread of a parallel pass. */
struct image_reader;

struct kml_error *image_reader_create(struct image *image,
				      struct image_reader **ret)
	error_must_check;
void image_reader_destroy(struct image_reader *reader);

/*
 * Read @n_pages (at most 64) consecutive pages into @buf.  A page that the
 * dump lacks or that cannot be decompressed is zeroed and its bit set in
 * *@missing_ret.  The bulk path: no caching, no locking where the format is
 * an ELF file or a kdump-compressed one.
 */
struct kml_error *image_reader_pages(struct image_reader *reader, uint64_t pfn,
				     unsigned n_pages, void *buf,
				     uint64_t *missing_ret) error_must_check;

#endif
