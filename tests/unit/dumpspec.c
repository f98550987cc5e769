// SPDX-License-Identifier: GPL-2.0-or-later
#include "dumpspec.h"

/* The checks do things. */
#undef NDEBUG
#include <assert.h>
#include <elf.h>
#include <inttypes.h>
#include <lzo/lzo1x.h>
#include <snappy-c.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#define PAGE 4096u
#define MAX_PAGES 8192
#define MAX_EDITS 4096
#define MAX_SEGMENTS 64
#define SUB_BLOCKS 2

#define FLAG_ZLIB 0x01
#define FLAG_LZO 0x02
#define FLAG_SNAPPY 0x04
#define FLAG_ZSTD 0x20

struct page {
	uint64_t pfn;
	unsigned method;
	bool shared;
	uint64_t desc_offset; /* where it landed in the file */
	uint64_t data_offset;
	size_t data_bytes;
};

/* "entry", "desc", "data", "phdr", "poke": done when all is laid out. */
struct edit {
	char kind[8];
	char field[16];
	uint64_t where;
	uint64_t index;
	uint64_t value;
};

struct segment {
	uint64_t pa, memsz, filesz;
};

struct spec {
	char vmcoreinfo[4096];
	bool no_vmcoreinfo, xnum;
	char machine[65];
	unsigned cpus, version;
	uint64_t mapnr, start, end, phoff;
	bool split;
	int64_t truncate;
	struct page pages[MAX_PAGES];
	size_t n_pages;
	struct edit edits[MAX_EDITS];
	size_t n_edits;
	struct segment segments[MAX_SEGMENTS];
	size_t n_segments;
};

/* The file as it grows. */
struct out {
	uint8_t *data;
	size_t bytes, room;
};

static void out_need(struct out *out, uint64_t end)
{
	if (end > out->room) {
		out->room = end * 2;
		out->data = realloc(out->data, out->room);
		assert(out->data);
	}
	if (end > out->bytes) {
		memset(out->data + out->bytes, 0, end - out->bytes);
		out->bytes = end;
	}
}

static void out_put(struct out *out, uint64_t offset, const void *data,
		    size_t bytes)
{
	out_need(out, offset + bytes);
	memcpy(out->data + offset, data, bytes);
}

static void out_u32(struct out *out, uint64_t offset, uint32_t v)
{
	out_put(out, offset, &v, sizeof(v));
}

static void out_u64(struct out *out, uint64_t offset, uint64_t v)
{
	out_put(out, offset, &v, sizeof(v));
}

void spec_page(uint64_t pfn, uint8_t *page)
{
	uint64_t x = pfn * UINT64_C(0x9e3779b97f4a7c15) + 1, v;
	unsigned i;

	for (i = 0; i < PAGE / 8; i++) {
		x ^= x << 13;
		x ^= x >> 7;
		x ^= x << 17;
		v = i < PAGE / 16 ? x : pfn;
		memcpy(page + 8 * i, &v, 8);
	}
}

uint64_t spec_reg(unsigned cpu, unsigned i)
{
	return UINT64_C(0xffff000000000000) + cpu * 0x1000 + i;
}

/* What this page of this dump contains. */
static void page_content(const struct spec *spec, uint64_t pfn, uint8_t *page)
{
	bool special = false;
	size_t i;

	spec_page(pfn, page);
	for (i = 0; i < spec->n_edits; i++) {
		const struct edit *e = &spec->edits[i];

		if (e->where != pfn || (strcmp(e->kind, "entry") != 0 &&
					strcmp(e->kind, "zero") != 0))
			continue;
		if (!special)
			memset(page, 0, PAGE);
		special = true;
		if (e->kind[0] == 'e')
			memcpy(page + 8 * e->index, &e->value, 8);
	}
}

static unsigned parse_method(const char *name, bool *shared)
{
	*shared = !strcmp(name, "shared");
	if (!strcmp(name, "raw"))
		return 0;
	if (!strcmp(name, "lzo"))
		return FLAG_LZO;
	if (!strcmp(name, "snappy"))
		return FLAG_SNAPPY;
	if (!strcmp(name, "zstd"))
		return FLAG_ZSTD;
	assert(*shared || !strcmp(name, "zlib"));
	return FLAG_ZLIB;
}

static void add_pages(struct spec *spec, const char *range, const char *method)
{
	char *end;
	uint64_t first = strtoull(range, &end, 0), last = first;

	if (*end == '-')
		last = strtoull(end + 1, NULL, 0);
	for (; first <= last; first++) {
		struct page *page = &spec->pages[spec->n_pages++];

		assert(spec->n_pages < MAX_PAGES);
		/* Descriptors are in the order of pages. */
		assert(spec->n_pages == 1 || page[-1].pfn < first);
		page->pfn = first;
		page->method = parse_method(method, &page->shared);
	}
}

static struct edit *add_edit(struct spec *spec, const char *kind)
{
	struct edit *e = &spec->edits[spec->n_edits++];

	assert(spec->n_edits < MAX_EDITS);
	snprintf(e->kind, sizeof(e->kind), "%s", kind);
	return e;
}

/* Directives of words; false: none of them. */
static bool parse_numbers(struct spec *spec, const char *word, char **arg)
{
#define NUMBER(i) strtoull(arg[i], NULL, 0)
	if (!strcmp(word, "cpus"))
		spec->cpus = (unsigned)NUMBER(0);
	else if (!strcmp(word, "version"))
		spec->version = (unsigned)NUMBER(0);
	else if (!strcmp(word, "mapnr"))
		spec->mapnr = NUMBER(0);
	else if (!strcmp(word, "phoff"))
		spec->phoff = NUMBER(0);
	else if (!strcmp(word, "xnum"))
		spec->xnum = true;
	else if (!strcmp(word, "no-vmcoreinfo"))
		spec->no_vmcoreinfo = true;
	else if (!strcmp(word, "truncate"))
		spec->truncate = strtoll(arg[0], NULL, 0);
	else if (!strcmp(word, "segment"))
		spec->segments[spec->n_segments++] = (struct segment){
			NUMBER(0), NUMBER(1), NUMBER(2) };
	else if (!strcmp(word, "page"))
		add_pages(spec, arg[0], arg[1]);
	else
		return false;
	return true;
}

static bool parse_edit(struct spec *spec, const char *word, char **arg)
{
	struct edit *e;

	if (!strcmp(word, "desc") || !strcmp(word, "phdr")) {
		e = add_edit(spec, word);
		snprintf(e->field, sizeof(e->field), "%s", arg[1]);
		e->value = NUMBER(2);
	} else if (!strcmp(word, "entry") || !strcmp(word, "data")) {
		e = add_edit(spec, word);
		e->index = NUMBER(1);
		e->value = NUMBER(2);
	} else if (!strncmp(word, "poke", 4)) {
		e = add_edit(spec, "poke");
		e->index = strtoull(word + 4, NULL, 10) / 8;
		e->value = NUMBER(1);
	} else if (!strcmp(word, "zero")) {
		e = add_edit(spec, word);
	} else {
		return false;
	}
	e->where = NUMBER(0);
	return true;
#undef NUMBER
}

static void parse_line(struct spec *spec, char *line)
{
	char *arg[4] = { (char *)"", (char *)"", (char *)"", (char *)"" };
	char *word, *save, *rest = line + strcspn(line, " ");
	unsigned i;

	if (!strncmp(line, "vmcoreinfo ", 11)) {
		strcat(spec->vmcoreinfo, rest + 1);
		strcat(spec->vmcoreinfo, "\n");
		return;
	}
	word = strtok_r(line, " ", &save);
	if (!word || *word == '#')
		return;
	for (i = 0; i < 4 && (rest = strtok_r(NULL, " ", &save)); i++)
		arg[i] = rest;
	if (!strcmp(word, "machine")) {
		snprintf(spec->machine, sizeof(spec->machine), "%s", arg[0]);
	} else if (!strcmp(word, "split")) {
		spec->split = true;
		spec->start = strtoull(arg[0], NULL, 0);
		spec->end = strtoull(arg[1], NULL, 0);
	} else if (!parse_numbers(spec, word, arg) &&
		   !parse_edit(spec, word, arg)) {
		fprintf(stderr, "dumpspec: unknown directive '%s'\n", word);
		abort();
	}
}

static struct spec *parse(const char *text)
{
	struct spec *spec = calloc(1, sizeof(*spec));
	char *copy = strdup(text), *line, *save;

	assert(spec && copy);
	spec->version = 6;
	spec->phoff = sizeof(Elf64_Ehdr);
	strcpy(spec->machine, "x86_64");
	for (line = strtok_r(copy, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		parse_line(spec, line + strspn(line, " \t"));
	if (!*spec->vmcoreinfo)
		strcpy(spec->vmcoreinfo, SPEC_VMCOREINFO);
	free(copy);
	return spec;
}

/* Append an ELF note at @offset; where the next one goes. */
static uint64_t put_note(struct out *out, uint64_t offset, const char *name,
			 uint32_t type, const void *desc, size_t bytes)
{
	size_t name_bytes = strlen(name) + 1;

	out_u32(out, offset, (uint32_t)name_bytes);
	out_u32(out, offset + 4, (uint32_t)bytes);
	out_u32(out, offset + 8, type);
	out_put(out, offset + 12, name, name_bytes);
	offset += 12 + (name_bytes + 3) / 4 * 4;
	out_put(out, offset, desc, bytes);
	offset += (bytes + 3) / 4 * 4;
	out_need(out, offset);
	return offset;
}

static uint64_t put_notes(struct out *out, const struct spec *spec,
			  uint64_t offset)
{
	uint64_t prstatus[42];
	unsigned cpu, i;

	for (cpu = 0; cpu < spec->cpus; cpu++) {
		memset(prstatus, 0, sizeof(prstatus));
		for (i = 0; i < 27; i++)
			prstatus[112 / 8 + i] = spec_reg(cpu, i);
		offset = put_note(out, offset, "CORE", NT_PRSTATUS, prstatus,
				  sizeof(prstatus));
	}
	if (!spec->no_vmcoreinfo)
		offset = put_note(out, offset, "VMCOREINFO", 0,
				  spec->vmcoreinfo, strlen(spec->vmcoreinfo));
	return offset;
}

static size_t compress_page(unsigned method, const uint8_t *page, uint8_t *buf,
			    size_t room)
{
	static uint8_t work[LZO1X_1_MEM_COMPRESS];
	uLongf zlib_bytes = room;
	lzo_uint lzo_bytes = room;
	size_t bytes = room;

	switch (method) {
	case FLAG_ZLIB:
		assert(compress2(buf, &zlib_bytes, page, PAGE, 1) == Z_OK);
		return zlib_bytes;
	case FLAG_LZO:
		assert(lzo1x_1_compress(page, PAGE, buf, &lzo_bytes, work) ==
		       LZO_E_OK);
		return lzo_bytes;
	case FLAG_SNAPPY:
		assert(snappy_compress((const char *)page, PAGE, (char *)buf,
				       &bytes) == SNAPPY_OK);
		return bytes;
	case FLAG_ZSTD:
		bytes = ZSTD_compress(buf, room, page, PAGE, 1);
		assert(!ZSTD_isError(bytes));
		return bytes;
	default:
		memcpy(buf, page, PAGE);
		return PAGE;
	}
}

static bool in_part(const struct spec *spec, uint64_t pfn)
{
	return !spec->split || (pfn >= spec->start && pfn < spec->end);
}

static void put_kdump_headers(struct out *out, const struct spec *spec,
			      uint64_t bitmap_blocks)
{
	uint64_t notes = PAGE + 104, end;

	out_put(out, 0, "KDUMP   ", 8);
	out_u32(out, 8, spec->version);
	out_put(out, 12, "Linux", 5);
	out_put(out, 12 + 65, "guest", 5);
	out_put(out, 12 + 2 * 65, "6.1.0-test", 10);
	out_put(out, 12 + 3 * 65, "#1 SMP", 6);
	out_put(out, 12 + 4 * 65, spec->machine, strlen(spec->machine));
	out_u32(out, 424, spec->n_pages ? spec->pages[0].method : 0);
	out_u32(out, 428, PAGE);
	out_u32(out, 432, SUB_BLOCKS);
	out_u32(out, 436, (uint32_t)bitmap_blocks);
	out_u32(out, 440, (uint32_t)spec->mapnr);
	out_u32(out, 460, spec->cpus);
	out_u32(out, PAGE + 12, spec->split);
	if (spec->split) {
		out_u64(out, PAGE + 16, spec->start);
		out_u64(out, PAGE + 24, spec->end);
		out_u64(out, PAGE + 80, spec->start);
		out_u64(out, PAGE + 88, spec->end);
	}
	out_u64(out, PAGE + 96, spec->mapnr);
	end = put_notes(out, spec, notes);
	assert(end <= (1 + SUB_BLOCKS) * PAGE);
	out_u64(out, PAGE + 48, notes);
	out_u64(out, PAGE + 56, end - notes);
}

static void put_page(struct out *out, const struct spec *spec,
		     struct page *page, const struct page *shared)
{
	uint8_t content[PAGE], buf[2 * PAGE];
	uint64_t offset = out->bytes;
	size_t bytes;

	page_content(spec, page->pfn, content);
	bytes = compress_page(page->method, content, buf, sizeof(buf));
	if (shared) {
		offset = shared->data_offset;
		bytes = shared->data_bytes;
	} else {
		out_put(out, offset, buf, bytes);
	}
	page->data_offset = offset;
	page->data_bytes = bytes;
	out_u64(out, page->desc_offset, offset);
	out_u32(out, page->desc_offset + 8, (uint32_t)bytes);
	out_u32(out, page->desc_offset + 12, page->method);
}

static const struct page *find_page(const struct spec *spec, uint64_t pfn)
{
	size_t i;

	for (i = 0; i < spec->n_pages; i++)
		if (spec->pages[i].pfn == pfn)
			return &spec->pages[i];
	fprintf(stderr, "dumpspec: no page %" PRIu64 "\n", pfn);
	abort();
}

static void edit_desc(struct out *out, const struct spec *spec,
		      const struct edit *e)
{
	uint64_t desc = find_page(spec, e->where)->desc_offset;

	if (!strcmp(e->field, "offset"))
		out_u64(out, desc, e->value);
	else if (!strcmp(e->field, "size"))
		out_u32(out, desc + 8, (uint32_t)e->value);
	else
		out_u32(out, desc + 12, (uint32_t)e->value);
}

static void edit_phdr(struct out *out, const struct spec *spec,
		      const struct edit *e)
{
	uint64_t phdr = spec->phoff + e->where * sizeof(Elf64_Phdr);

	if (!strcmp(e->field, "offset"))
		phdr += offsetof(Elf64_Phdr, p_offset);
	else if (!strcmp(e->field, "paddr"))
		phdr += offsetof(Elf64_Phdr, p_paddr);
	else if (!strcmp(e->field, "filesz"))
		phdr += offsetof(Elf64_Phdr, p_filesz);
	else
		phdr += offsetof(Elf64_Phdr, p_memsz);
	out_u64(out, phdr, e->value);
}

static struct spec_file finish(struct out *out, struct spec *spec)
{
	struct spec_file file;
	size_t i;

	for (i = 0; i < spec->n_edits; i++) {
		const struct edit *e = &spec->edits[i];

		if (!strcmp(e->kind, "desc"))
			edit_desc(out, spec, e);
		else if (!strcmp(e->kind, "phdr"))
			edit_phdr(out, spec, e);
		else if (!strcmp(e->kind, "data"))
			out_put(out, find_page(spec, e->where)->data_offset +
				     e->index, &e->value, 1);
		else if (!strcmp(e->kind, "poke"))
			out_put(out, e->where, &e->value, e->index);
	}
	if (spec->truncate > 0)
		out->bytes = (size_t)spec->truncate;
	else
		out->bytes -= (size_t)-spec->truncate;
	file.data = out->data;
	file.bytes = out->bytes;
	free(spec);
	return file;
}

struct spec_file dumpspec_kdump(const char *text)
{
	struct spec *spec = parse(text);
	uint64_t half = (spec->mapnr + 8 * PAGE - 1) / (8 * PAGE) * PAGE;
	uint64_t bitmaps = (1 + SUB_BLOCKS) * PAGE;
	uint64_t desc = bitmaps + 2 * half;
	const struct page *shared = NULL;
	struct out out = { 0 };
	size_t i;

	put_kdump_headers(&out, spec, 2 * half / PAGE);
	out_need(&out, desc);
	for (i = 0; i < spec->n_pages; i++) {
		struct page *page = &spec->pages[i];

		out.data[bitmaps + page->pfn / 8] |= 1 << page->pfn % 8;
		out.data[bitmaps + half + page->pfn / 8] |= 1 << page->pfn % 8;
		if (!in_part(spec, page->pfn))
			continue;
		page->desc_offset = desc;
		desc += 24;
	}
	out_need(&out, desc);
	/* As makedumpfile does: what is shared comes first. */
	for (i = 0; i < spec->n_pages && !shared; i++)
		if (spec->pages[i].shared && in_part(spec, spec->pages[i].pfn)) {
			put_page(&out, spec, &spec->pages[i], NULL);
			shared = &spec->pages[i];
		}
	for (i = 0; i < spec->n_pages; i++) {
		struct page *page = &spec->pages[i];

		if (in_part(spec, page->pfn) && page != shared)
			put_page(&out, spec, page,
				 page->shared ? shared : NULL);
	}
	return finish(&out, spec);
}

static void put_segment(struct out *out, const struct spec *spec,
			const struct segment *s)
{
	uint8_t page[PAGE];
	uint64_t done = 0;

	while (done < s->filesz) {
		uint64_t pa = s->pa + done;
		uint64_t n = PAGE - pa % PAGE;

		if (n > s->filesz - done)
			n = s->filesz - done;
		page_content(spec, pa / PAGE, page);
		out_put(out, out->bytes, page + pa % PAGE, n);
		done += n;
	}
}

static void put_elf_header(struct out *out, const struct spec *spec)
{
	Elf64_Ehdr eh = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			     ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_CORE,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = spec->phoff,
		.e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = (uint16_t)(spec->n_segments + 1),
	};
	Elf64_Shdr sh = { .sh_info = (uint32_t)spec->n_segments + 1 };

	if (strcmp(spec->machine, "x86_64") != 0)
		eh.e_machine = (uint16_t)strtoul(spec->machine, NULL, 0);
	if (spec->xnum) {
		eh.e_phnum = PN_XNUM;
		eh.e_shoff = spec->phoff +
			     (spec->n_segments + 1) * sizeof(Elf64_Phdr);
		eh.e_shentsize = sizeof(sh);
		eh.e_shnum = 1;
		out_put(out, eh.e_shoff, &sh, sizeof(sh));
	}
	out_put(out, 0, &eh, sizeof(eh));
}

struct spec_file dumpspec_elf(const char *text)
{
	struct spec *spec = parse(text);
	uint64_t phdr = spec->phoff;
	struct out out = { 0 };
	Elf64_Phdr ph = { .p_type = PT_NOTE };
	size_t i;

	put_elf_header(&out, spec);
	out_need(&out, phdr + (spec->n_segments + 1) * sizeof(ph));
	ph.p_offset = out.bytes;
	ph.p_filesz = put_notes(&out, spec, out.bytes) - ph.p_offset;
	out_put(&out, phdr, &ph, sizeof(ph));
	for (i = 0; i < spec->n_segments; i++) {
		const struct segment *s = &spec->segments[i];

		/* No alignment whatever, as in QEMU's. */
		out_need(&out, out.bytes + 3);
		ph = (Elf64_Phdr){ .p_type = PT_LOAD, .p_offset = out.bytes,
				   .p_paddr = s->pa, .p_filesz = s->filesz,
				   .p_memsz = s->memsz };
		phdr += sizeof(ph);
		out_put(&out, phdr, &ph, sizeof(ph));
		put_segment(&out, spec, s);
	}
	return finish(&out, spec);
}
