/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small dumps made from a text, for tests; in the manner of libkdumpfile's
 * mkdiskdump and mkelf.  One directive a line, numbers as strtoull() with base
 * 0 reads them, # begins a comment line:
 *
 *	vmcoreinfo LINE       in place of the default text; repeatable
 *	no-vmcoreinfo
 *	machine NAME          of the utsname, or ELF's e_machine as a number
 *	cpus N                NT_PRSTATUS notes, see spec_reg()
 *	truncate BYTES        cut the file; below 0: so many off its end
 *	poke8|poke32|poke64 OFFSET VALUE
 *	                      overwrite at last
 *	entry PFN INDEX VALUE make the page a table with that entry
 *	zero PFN              make it a page of zeros
 *
 * kdump-compressed (dumpspec_kdump()):
 *	mapnr N               pages of the machine
 *	version N
 *	split START END
 *	page FIRST-LAST METHOD
 *	                      or one PFN; METHOD: raw zlib lzo snappy zstd, or
 *	                      shared: zlib, where all such pages share one data
 *	desc PFN FIELD VALUE  overwrite; FIELD: offset size flags
 *	data PFN OFFSET VALUE overwrite a byte of the page's data
 *
 * ELF (dumpspec_elf()):
 *	segment PA MEMSZ FILESZ
 *	phoff N               where the program headers are
 *	xnum                  their number is in a section header (PN_XNUM)
 *	phdr I FIELD VALUE    overwrite; FIELD: offset paddr filesz memsz
 *
 * Every byte of memory has a value that its address gives: spec_page().
 */
#ifndef TESTS_DUMPSPEC_H
#define TESTS_DUMPSPEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A file's contents; free() them.  A mistake in the text aborts. */
struct spec_file {
	uint8_t *data;
	size_t bytes;
};

struct spec_file dumpspec_kdump(const char *text);
struct spec_file dumpspec_elf(const char *text);

/* What an ordinary page contains: half of it compresses well. */
void spec_page(uint64_t pfn, uint8_t *page);

/* Register @i (in user_regs_struct's order) of a CPU. */
uint64_t spec_reg(unsigned cpu, unsigned i);

/* The default VMCOREINFO. */
#define SPEC_PHYS_BASE 0x1000000
#define SPEC_ROOT_PFN 0x1010
#define SPEC_VMCOREINFO                                                   \
	"OSRELEASE=6.1.0-test\n"                                          \
	"BUILD-ID=00112233445566778899aabbccddeeff01234567\n"             \
	"PAGESIZE=4096\n"                                                 \
	"SYMBOL(swapper_pg_dir)=ffffffff80010000\n"                       \
	"NUMBER(phys_base)=16777216\n"                                    \
	"NUMBER(pgtable_l5_enabled)=0\n"                                  \
	"KERNELOFFSET=8e00000\n"                                          \
	"NUMBER(KERNEL_IMAGE_SIZE)=1073741824\n"

#endif
