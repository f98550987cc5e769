// SPDX-License-Identifier: GPL-2.0-or-later
#include "debuginfo/line_cache.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#include "base/util.h"
#include "base/vec.h"
#include "debuginfo/cache_dir.h"

#define MAGIC "kmlanalyze-lines 1 "

struct entry {
	uint64_t key;
	struct lines_frame *frames;
	uint32_t n_frames;
	bool keep;
};

struct line_cache {
	VEC(struct entry) entries;
	uint32_t *slots; /* open addressing: index into entries + 1, or 0 */
	size_t n_slots;  /* a power of two, at least twice the entries */
	VEC(char *) strings;
	char *file; /* the strings of loaded entries point into it */
	uint64_t image_start, image_end;
	bool dirty;
};

struct line_cache *line_cache_create(void)
{
	return calloc(1, sizeof(struct line_cache));
}

static void line_cache_reset(struct line_cache *cache)
{
	size_t i;

	for (i = 0; i < cache->entries.size; i++)
		free(cache->entries.data[i].frames);
	for (i = 0; i < cache->strings.size; i++)
		free(cache->strings.data[i]);
	vec_deinit(&cache->entries);
	vec_deinit(&cache->strings);
	free(cache->slots);
	free(cache->file);
	memset(cache, 0, sizeof(*cache));
}

void line_cache_destroy(struct line_cache *cache)
{
	if (!cache)
		return;
	line_cache_reset(cache);
	free(cache);
}

/* The slot that holds @key, or the free one where it would go. */
static size_t find_slot(const struct line_cache *cache, uint64_t key)
{
	size_t mask = cache->n_slots - 1;
	size_t i = (size_t)(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & mask;

	while (cache->slots[i] &&
	       cache->entries.data[cache->slots[i] - 1].key != key)
		i = (i + 1) & mask;
	return i;
}

static bool grow_slots(struct line_cache *cache)
{
	size_t n = cache->n_slots ? cache->n_slots * 2 : 64, i;
	uint32_t *slots = calloc(n, sizeof(*slots));

	if (!slots)
		return false;
	free(cache->slots);
	cache->slots = slots;
	cache->n_slots = n;
	for (i = 0; i < cache->entries.size; i++)
		slots[find_slot(cache, cache->entries.data[i].key)] =
			(uint32_t)i + 1;
	return true;
}

bool line_cache_find(const struct line_cache *cache, uint64_t key,
		     const struct lines_frame **ret, size_t *n_ret)
{
	const struct entry *entry;
	uint32_t index;

	if (!cache->n_slots)
		return false;
	index = cache->slots[find_slot(cache, key)];
	if (!index)
		return false;
	entry = &cache->entries.data[index - 1];
	*ret = entry->frames;
	*n_ret = entry->n_frames;
	return true;
}

/* Add an entry that owns @frames; false if there is no memory, or if it is
 * there already. */
static bool add_entry(struct line_cache *cache, uint64_t key,
		      struct lines_frame *frames, size_t n_frames, bool keep)
{
	struct entry entry = { key, frames, (uint32_t)n_frames, keep };
	size_t slot;

	if (cache->entries.size >= UINT32_MAX - 1)
		return false;
	if (2 * (cache->entries.size + 1) > cache->n_slots &&
	    !grow_slots(cache))
		return false;
	slot = find_slot(cache, key);
	if (cache->slots[slot] || !vec_push(&cache->entries, entry))
		return false;
	cache->slots[slot] = (uint32_t)cache->entries.size;
	return true;
}

/* A copy without what would break the file's lines, or NULL. */
static const char *intern(struct line_cache *cache, const char *string)
{
	char *copy = strdup(string), *p;

	if (!copy)
		return NULL;
	if (!vec_push(&cache->strings, copy)) {
		free(copy);
		return NULL;
	}
	for (p = copy; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	return copy;
}

bool line_cache_add(struct line_cache *cache, uint64_t key,
		    const struct lines_frame *frames, size_t n_frames,
		    bool keep)
{
	_cleanup_free_ struct lines_frame *copy = NULL;
	size_t i;

	n_frames = MIN(n_frames, (size_t)LINE_CACHE_MAX_FRAMES);
	if (n_frames) {
		copy = calloc(n_frames, sizeof(*copy));
		if (!copy)
			return false;
	}
	for (i = 0; i < n_frames; i++) {
		copy[i] = frames[i];
		if (copy[i].line > INT_MAX)
			copy[i].line = 0;
		if (copy[i].function &&
		    !(copy[i].function = intern(cache, copy[i].function)))
			return false;
		if (copy[i].file &&
		    !(copy[i].file = intern(cache, copy[i].file)))
			return false;
	}
	if (!add_entry(cache, key, copy, n_frames, keep))
		return false;
	copy = NULL;
	if (keep)
		cache->dirty = true;
	return true;
}

bool line_cache_image(const struct line_cache *cache, uint64_t *start_ret,
		      uint64_t *end_ret)
{
	if (cache->image_start >= cache->image_end)
		return false;
	*start_ret = cache->image_start;
	*end_ret = cache->image_end;
	return true;
}

void line_cache_set_image(struct line_cache *cache, uint64_t start,
			  uint64_t end)
{
	if (cache->image_start == start && cache->image_end == end)
		return;
	cache->image_start = start;
	cache->image_end = end;
	cache->dirty = true;
}

bool line_cache_dirty(const struct line_cache *cache)
{
	return cache->dirty;
}

/* Cut the next line off *@p; NULL at the end, or if it is not ended. */
static char *next_line(char **p, char *end)
{
	char *line = *p, *nl = memchr(line, '\n', (size_t)(end - line));

	if (!nl)
		return NULL;
	*nl = '\0';
	*p = nl + 1;
	return line;
}

/* The number at the start of *@p, up to the character @stop, which is eaten. */
static bool parse_number(char **p, int base, char stop, uint64_t max,
			 uint64_t *ret)
{
	unsigned long long value;
	char *end;

	/* strtoull() would take blanks and signs. */
	if (!((**p >= '0' && **p <= '9') || (**p >= 'a' && **p <= 'f')))
		return false;
	errno = 0;
	value = strtoull(*p, &end, base);
	if (errno || *end != stop || value > max)
		return false;
	*ret = value;
	*p = stop ? end + 1 : end;
	return true;
}

static bool parse_frame(char *line, struct lines_frame *ret)
{
	char *file, *function, *p;
	uint64_t number;

	if ((line[0] != '-' && line[0] != 'i') || line[1] != '\t')
		return false;
	file = line + 2;
	if (!parse_number(&file, 10, '\t', INT_MAX, &number))
		return false;
	function = strchr(file, '\t');
	if (!function)
		return false;
	*function++ = '\0';
	for (p = file; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	for (p = function; *p; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return false;
	ret->inlined = line[0] == 'i';
	ret->line = (unsigned)number;
	ret->file = *file ? file : NULL;
	ret->function = *function ? function : NULL;
	return true;
}

/* An address, its frames: *@p is behind the "ADDRESS " line's start. */
static bool parse_entry(struct line_cache *cache, char **p, char *end)
{
	_cleanup_free_ struct lines_frame *frames = NULL;
	char *line = next_line(p, end);
	uint64_t key, n, i;

	if (!line || !parse_number(&line, 16, ' ', UINT64_MAX, &key) ||
	    !parse_number(&line, 10, '\0', LINE_CACHE_MAX_FRAMES, &n) ||
	    key < cache->image_start || key >= cache->image_end)
		return false;
	if (n) {
		frames = calloc(n, sizeof(*frames));
		if (!frames)
			return false;
	}
	for (i = 0; i < n; i++) {
		line = next_line(p, end);
		if (!line || !parse_frame(line, &frames[i]))
			return false;
	}
	if (!add_entry(cache, key, frames, n, true))
		return false;
	frames = NULL;
	return true;
}

/* The checksum's line, whose length is fixed. */
#define CRC_BYTES (sizeof("crc32 00000000\n") - 1)

static bool crc_matches(const char *data, size_t bytes)
{
	char want[CRC_BYTES + 1];

	if (bytes < CRC_BYTES)
		return false;
	bytes -= CRC_BYTES;
	snprintf(want, sizeof(want), "crc32 %08lx\n",
		 crc32_z(0, (const Bytef *)data, bytes) & 0xffffffffUL);
	return !memcmp(data + bytes, want, CRC_BYTES);
}

static bool parse_file(struct line_cache *cache, size_t bytes,
		       const char *build_id)
{
	char *p = cache->file, *end = p + bytes, *line;

	if (!crc_matches(p, bytes))
		return false;
	end -= CRC_BYTES;
	if (memchr(p, '\0', (size_t)(end - p)))
		return false;
	line = next_line(&p, end);
	if (!line || strncmp(line, MAGIC, sizeof(MAGIC) - 1) ||
	    strcmp(line + sizeof(MAGIC) - 1, build_id))
		return false;
	line = next_line(&p, end);
	if (!line || strncmp(line, "image ", 6))
		return false;
	line += 6;
	if (!parse_number(&line, 16, ' ', UINT64_MAX, &cache->image_start) ||
	    !parse_number(&line, 16, '\0', UINT64_MAX, &cache->image_end) ||
	    cache->image_start >= cache->image_end)
		return false;
	while (p < end) {
		if (cache->entries.size >= LINE_CACHE_MAX_ADDRESSES ||
		    !parse_entry(cache, &p, end))
			return false;
	}
	return true;
}

void line_cache_load(struct line_cache *cache, const char *path,
		     const char *build_id)
{
	size_t bytes;

	cache->file = cache_read(path, LINE_CACHE_MAX_BYTES, &bytes);
	if (cache->file && !parse_file(cache, bytes, build_id))
		line_cache_reset(cache);
}

static void write_entry(FILE *f, const struct entry *entry)
{
	uint32_t i;

	fprintf(f, "%" PRIx64 " %u\n", entry->key, entry->n_frames);
	for (i = 0; i < entry->n_frames; i++) {
		const struct lines_frame *frame = &entry->frames[i];

		fprintf(f, "%c\t%u\t%s\t%s\n", frame->inlined ? 'i' : '-',
			frame->line, frame->file ? frame->file : "",
			frame->function ? frame->function : "");
	}
}

bool line_cache_save(const struct line_cache *cache, const char *path,
		     const char *build_id)
{
	_cleanup_free_ char *text = NULL;
	size_t bytes = 0, n = 0, i;
	unsigned long crc;
	bool ok;
	FILE *f;

	if (cache->image_start >= cache->image_end)
		return false;
	f = open_memstream(&text, &bytes);
	if (!f)
		return false;
	fprintf(f, MAGIC "%s\nimage %" PRIx64 " %" PRIx64 "\n", build_id,
		cache->image_start, cache->image_end);
	for (i = 0; i < cache->entries.size; i++) {
		const struct entry *entry = &cache->entries.data[i];

		if (!entry->keep || entry->key < cache->image_start ||
		    entry->key >= cache->image_end)
			continue;
		if (n++ >= LINE_CACHE_MAX_ADDRESSES ||
		    ftello(f) > (off_t)(LINE_CACHE_MAX_BYTES - 65536))
			break;
		write_entry(f, entry);
	}
	fflush(f);
	crc = crc32_z(0, (const Bytef *)text, bytes) & 0xffffffffUL;
	fprintf(f, "crc32 %08lx\n", crc);
	ok = !ferror(f);
	if (fclose(f))
		ok = false;
	return ok && bytes <= LINE_CACHE_MAX_BYTES &&
	       cache_write(path, text, bytes);
}
