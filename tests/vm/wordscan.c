// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * wordscan DUMP.elf < RANGES: every aligned 8-byte word of a QEMU ELF dump
 * whose value lies in one of the ranges ("START END" in hex, END exclusive,
 * one a line, not overlapping).  Prints "PHYSADDR VALUE".
 *
 * Deliberately ignorant of kernels: the independent witness of which words in
 * memory equal a planted address (see stalewords.py).
 */
#include <elf.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

struct range { uint64_t lo, hi; };
static struct range *r;
static size_t n;
static unsigned char hit16[1 << 16];	/* bits 12..27 of some range: a cheap sieve */

static int cmp(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->lo < y->lo ? -1 : x->lo > y->lo;
}

static void word(uint64_t pa, uint64_t v)
{
	size_t lo = 0, hi = n;

	if (!hit16[v >> 12 & 0xffff])
		return;
	while (lo < hi) {
		size_t mid = (lo + hi) / 2;

		if (r[mid].hi <= v)
			lo = mid + 1;
		else
			hi = mid;
	}
	if (lo < n && r[lo].lo <= v)
		printf("%lx %lx\n", (unsigned long)pa, (unsigned long)v);
}

int main(int argc, char **argv)
{
	unsigned long lo, hi;
	struct stat st;
	int fd, i;

	while (scanf("%lx %lx", &lo, &hi) == 2) {
		if (!(n & (n - 1)))
			r = realloc(r, (n ? 2 * n : 1) * sizeof(*r));
		r[n++] = (struct range){ lo, hi };
		for (uint64_t v = lo >> 12; v <= (hi - 1) >> 12; v++)
			hit16[v & 0xffff] = 1;
	}
	qsort(r, n, sizeof(*r), cmp);
	if (argc != 2 || (fd = open(argv[1], O_RDONLY)) < 0 || fstat(fd, &st))
		return 2;
	unsigned char *m = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	const Elf64_Ehdr *eh = (void *)m;

	if (m == MAP_FAILED || memcmp(m, ELFMAG, SELFMAG))
		return 2;
	for (i = 0; i < eh->e_phnum; i++) {
		Elf64_Phdr ph;

		memcpy(&ph, m + eh->e_phoff + i * sizeof(ph), sizeof(ph));
		if (ph.p_type != PT_LOAD)
			continue;
		/* the file offset need not be aligned: the address is */
		for (uint64_t o = 0; o + 8 <= ph.p_filesz; o += 8) {
			uint64_t v;

			memcpy(&v, m + ph.p_offset + o, 8);
			word(ph.p_paddr + o, v);
		}
	}
	return 0;
}
