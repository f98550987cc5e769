// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Allocation tags of modules that are gone, from the kernel's log.  The texts
 * of a tag are in its module and go with it; but where a module is unloaded and
 * has not freed all that it allocated, the kernel logs what the tag says:
 *
 *   FILE:LINE module NAME func:FUNCTION has BYTES allocated at module unload
 *
 * (release_module_tags(), since Linux 6.13; all of the module's tags since 7.3,
 * just the first one before.)  Not the tag's address: it is found by its line.
 */
#include <stddef.h>
#include <stdio.h>

#include "base/util.h"
#include "kernel/alloc_tag.h"

#define CHUNK_BYTES 65536u
#define LINE_BYTES 512u /* no longer one is looked for */
#define MAX_LOG_BYTES (UINT64_C(1) << 28)
#define MAX_LOGGED 4096u

static const char marker[] = " allocated at module unload";

/*
 * The text that ends in front of @end, into a tag; false if it is none.  In the
 * ring buffer (struct prb_data_block) a text is aligned to 8 bytes, and a number
 * of 8 bytes stands in front of it, of which the last one may look like a
 * character.
 */
static bool parse(const char *buf, const char *end, struct alloc_tag *ret)
{
	char text[LINE_BYTES], bytes[24];
	const char *start = end;

	while (start > buf && end - start < (ptrdiff_t)sizeof(text) - 1 &&
	       start[-1] >= ' ' && start[-1] <= '~')
		start--;
	while ((start - buf) % 8 && start < end)
		start++;
	memcpy(text, start, (size_t)(end - start));
	text[end - start] = '\0';
	memset(ret, 0, sizeof(*ret));
	if (sscanf(text, "%127[^: ]:%u module %55[^ ] func:%63[^ ] has %23[0-9]",
		   ret->file, &ret->line, ret->module, ret->function,
		   bytes) != 5)
		return false;
	ret->in_module = ret->gone = ret->from_log = true;
	return true;
}

static bool is_known(const struct alloc_tags *tags, const struct alloc_tag *tag)
{
	size_t i;

	for (i = 0; i < tags->logged.size; i++) {
		const struct alloc_tag *other = &tags->logged.data[i];

		if (other->line == tag->line &&
		    !strcmp(other->file, tag->file) &&
		    !strcmp(other->module, tag->module) &&
		    !strcmp(other->function, tag->function))
			return true;
	}
	return false;
}

bool alloc_tags_find_lines(struct alloc_tags *tags, const char *buf,
			   size_t bytes)
{
	const char *at = buf, *end = buf + bytes, *found;
	struct alloc_tag tag;

	while ((found = memmem(at, (size_t)(end - at), marker,
			       strlen(marker)))) {
		if (parse(buf, found, &tag) && !is_known(tags, &tag) &&
		    tags->logged.size < MAX_LOGGED &&
		    !vec_push(&tags->logged, tag))
			return false;
		at = found + strlen(marker);
	}
	return true;
}

void alloc_tags_read_log(struct kernel *kernel, struct alloc_tags *tags)
{
	_cleanup_free_ char *buf = malloc(CHUNK_BYTES + LINE_BYTES);
	_cleanup_error_ struct kml_error *error = NULL;
	uint64_t va, start, bytes, done;
	size_t kept = 0;

	if (!buf || !kernel_has_symbol(kernel, "log_buf", &va))
		return;
	error = kernel_read_u64(kernel, va, &start);
	if (error || !kernel_has_symbol(kernel, "log_buf_len", &va))
		return;
	error = kernel_read_uint(kernel, va, 4, &bytes);
	bytes = error ? 0 : MIN(bytes, MAX_LOG_BYTES);
	for (done = 0; done < bytes; done += CHUNK_BYTES) {
		size_t n = (size_t)MIN(bytes - done, CHUNK_BYTES);
		struct kml_error *missing;

		missing = image_read_va(kernel->image, start + done, buf + kept,
					n);
		if (missing) {
			kml_error_destroy(missing);
			kept = 0;
			continue;
		}
		if (!alloc_tags_find_lines(tags, buf, kept + n))
			return;
		/* A line may lie across two pieces; stay aligned. */
		n += kept;
		kept = MIN(n, LINE_BYTES);
		memmove(buf, buf + n - kept, kept);
	}
}

/* Two of a line: it may be either. */
bool alloc_tags_find_logged(const struct alloc_tags *tags, uint32_t line,
			    struct alloc_tag *ret)
{
	const struct alloc_tag *found = NULL;
	size_t i;

	for (i = 0; i < tags->logged.size; i++) {
		if (tags->logged.data[i].line != line)
			continue;
		if (found)
			return false;
		found = &tags->logged.data[i];
	}
	if (found)
		*ret = *found;
	return found;
}
