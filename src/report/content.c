// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/content.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>

#include "base/util.h"
#include "kernel/symbol.h"

#define MIN_TEXT 4u
/* Looking up an address of a module reads its whole symbol table. */
#define MAX_LOOKUPS 64u

/* Where the bytes of an object are: a per-cpu pointer is no address. */
static uint64_t content_va(const struct report *report,
			   const struct object *object, int *cpu_ret)
{
	const struct kernel *kernel = report->kernel;
	unsigned cpu;

	*cpu_ret = -1;
	if (object->kind != HEAP_PERCPU)
		return object->va;
	for (cpu = 0; cpu < kernel->n_cpus - 1 && !kernel->cpu_offset[cpu];)
		cpu++;
	*cpu_ret = (int)cpu;
	return object->va + kernel->cpu_offset[cpu];
}

void content_read(struct report *report, const struct object *object,
		  size_t max, struct content *ret)
{
	content_read_at(report, object, 0, max, ret);
}

void content_read_at(struct report *report, const struct object *object,
		     uint64_t from, uint64_t max, struct content *ret)
{
	struct kml_error *error;
	uint64_t va = content_va(report, object, &ret->cpu) + from;

	ret->bytes = (size_t)MIN(object->bytes - from, MIN(max, CONTENT_BYTES));
	error = image_read_va(report->analysis->image, va, ret->data,
			      ret->bytes);
	ret->readable = !error;
	if (!error)
		return;
	ret->bytes = 0;
	if (kml_error_code(error) == KML_ERR_NODATA ||
	    kml_error_code(error) == KML_ERR_CORRUPT)
		kml_error_destroy(error);
	else
		writer_fail(&report->writer, error);
}

void content_hex_row(const unsigned char *data, size_t bytes, char ret[72])
{
	/* After two spaces behind the last of 16 bytes comes the text. */
	const size_t text = 3 * HEX_ROW_BYTES + 1;
	size_t i;

	memset(ret, ' ', text);
	for (i = 0; i < bytes; i++) {
		ret[3 * i] = "0123456789abcdef"[data[i] >> 4];
		ret[3 * i + 1] = "0123456789abcdef"[data[i] & 15];
		ret[text + i] = data[i] >= 0x20 && data[i] < 0x7f ?
					(char)data[i] :
					'.';
	}
	ret[text + bytes] = '\0';
}

const char *content_text(const struct content *content)
{
	size_t n = 0;

	while (n < content->bytes && content->data[n] >= 0x20 &&
	       content->data[n] < 0x7f)
		n++;
	if (n < MIN_TEXT || n == content->bytes || content->data[n])
		return NULL;
	return (const char *)content->data;
}

static bool is_kernel_text_or_data(const struct kernel *kernel, uint64_t va)
{
	return va >= kernel->image_va && va < kernel->modules_end_va;
}

/* To the start of something, as pointers to operations are, or into it. */
static void format_pointer(const struct kernel_symbol_name *symbol,
			   char ret[SYMBOL_BYTES_MAX])
{
	char offset[24] = "", module[KERNEL_NAME_BYTES + 4] = "";

	if (symbol->offset)
		snprintf(offset, sizeof(offset), "+0x%" PRIx64, symbol->offset);
	if (symbol->module)
		snprintf(module, sizeof(module), " [%s]", symbol->module);
	snprintf(ret, SYMBOL_BYTES_MAX, "%s%s%s", symbol->name, offset, module);
}

size_t content_pointers(struct report *report, const struct content *content,
			struct content_pointer *ret, size_t max)
{
	struct kernel *kernel = report->kernel;
	unsigned lookups = 0;
	size_t n = 0, i;

	for (i = 0; i + 8 <= content->bytes && n < max; i += 8) {
		uint64_t va = load_u64(content->data + i);
		struct kernel_symbol_name symbol;

		if (!is_kernel_text_or_data(kernel, va) ||
		    lookups++ >= MAX_LOOKUPS ||
		    !kernel_symbolize(kernel, va, &symbol))
			continue;
		ret[n].offset = (uint32_t)i;
		format_pointer(&symbol, ret[n].symbol);
		n++;
	}
	return n;
}
