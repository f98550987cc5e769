/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Decompression of pages, with contexts that are kept from page to page. */
#ifndef KML_IMAGE_DECOMPRESS_H
#define KML_IMAGE_DECOMPRESS_H

#include <stddef.h>
#include <stdint.h>

/* How a page is stored; the bits are those of kdump-compressed files. */
#define PAGE_ZLIB 0x01u
#define PAGE_LZO 0x02u
#define PAGE_SNAPPY 0x04u
#define PAGE_ZSTD 0x20u
#define PAGE_METHODS (PAGE_ZLIB | PAGE_LZO | PAGE_SNAPPY | PAGE_ZSTD)

enum decompress_status {
	DECOMPRESS_OK,
	DECOMPRESS_CORRUPT, /* not a page of exactly 4096 bytes */
	DECOMPRESS_NOMEM,
};

/* A page that compresses to that is all zeros, or another constant; of zeros,
 * zstd makes 15 bytes and snappy 200. */
#define TINY_BYTES 256

/* For one thread; members are made when first needed. */
struct decompressor {
	void *zlib;
	void *zstd;
	/* The last tiny page, stored and decompressed: the same one mostly
	 * comes again. */
	unsigned tiny_method;
	size_t tiny_bytes; /* 0: none yet */
	uint8_t tiny_data[TINY_BYTES];
	uint8_t tiny_page[4096];
};

void decompressor_deinit(struct decompressor *d);

/* Decompress one page of @bytes stored bytes into the 4096 at @page. */
enum decompress_status decompress_page(struct decompressor *d,
				       unsigned method, const void *data,
				       size_t bytes, void *page);

#endif
