// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/whatis.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/symbol.h"
#include "report/lookup.h"
#include "report/number.h"
#include "report/type.h"

const char *const whatis_kinds[WHATIS_KINDS] = {
	[WHATIS_OBJECT] = "object",
	[WHATIS_STRUCT_PAGE] = "struct page",
	[WHATIS_PERCPU_POINTER] = "per-cpu pointer",
	[WHATIS_PERCPU] = "per-cpu variable",
	[WHATIS_TEXT] = "text",
	[WHATIS_DATA] = "data",
	[WHATIS_STACK] = "task stack",
	[WHATIS_SLAB] = "slab",
	[WHATIS_PAGE] = "page",
	[WHATIS_VMALLOC] = "vmalloc",
	[WHATIS_PHYSICAL] = "physical address",
	[WHATIS_NULL] = "null",
	[WHATIS_USER] = "user space",
	[WHATIS_NONCANONICAL] = "not canonical",
	[WHATIS_NOTHING] = "nothing",
};

/* Addresses above this and below the kernel's are none.  With five levels of
 * page tables the direct map begins below where four can reach. */
static bool is_canonical(const struct kernel *kernel, uint64_t va)
{
	unsigned bits = kernel->direct_va < UINT64_C(0xffff800000000000) ? 56 :
									   47;
	uint64_t top = va >> bits;

	return !top || top == UINT64_MAX >> bits;
}

/* The section of the image that a run-time address is in; there are some
 * dozens. */
static const struct profile_section *find_section(const struct kernel *kernel,
						  uint64_t va)
{
	const struct profile_section *sections;
	size_t n, i;

	sections = profile_sections(kernel->profile, &n);
	for (i = 0; i < n; i++) {
		if (!sections[i].patched &&
		    va - kernel->kaslr_offset - sections[i].address <
			    sections[i].size)
			return &sections[i];
	}
	return NULL;
}

/* What the compiler is told to put into .data may make it executable by its
 * flags. */
static bool is_text(const struct profile_section *section)
{
	return section && section->executable && !section->writable;
}

static bool find_image(struct report *report, uint64_t va, struct whatis *w)
{
	uint64_t pfn = (va - report->lookup->image_shift) >> 12;
	const struct profile_section *section;
	struct kernel *kernel = report->kernel;

	if (va < kernel->image_va || va >= kernel->modules_va)
		return false;
	section = find_section(kernel, va);
	if (object_symbol(report, va, w->symbol))
		kernel_format_symbol(kernel, va, w->symbol, sizeof(w->symbol));
	else
		w->symbol[0] = '\0';
	if (!section && !w->symbol[0])
		return false;
	w->section = section ? section->name : NULL;
	w->kind = is_text(section) ? WHATIS_TEXT : WHATIS_DATA;
	if (report->lookup->image_shift && pfn < kernel->end_pfn) {
		w->has_pfn = true;
		w->pfn = pfn;
		w->given_back = kernel->page_class[pfn] != PAGE_RESERVED;
	}
	return true;
}

/* What a module has there; its memory is an object as well. */
static bool find_module(struct report *report, uint64_t va, struct whatis *w)
{
	const struct kernel_module_part *part =
		kernel_module_part(report->kernel, va);

	if (!part || !place_module(report, va, w->symbol))
		return false;
	w->module = part->module->name;
	w->kind = va - part->start_va < part->text_bytes ? WHATIS_TEXT :
							   WHATIS_DATA;
	return true;
}

static bool find_percpu(struct report *report, uint64_t va, struct whatis *w)
{
	uint32_t unit = lookup_unit(report->lookup, va);
	const struct kernel_root *root;

	if (unit == UINT32_MAX)
		return false;
	root = &report->kernel->roots.data[unit];
	w->kind = WHATIS_PERCPU;
	w->cpu = (int)root->owner;
	place_percpu_pointer(report,
			     va - report->kernel->cpu_offset[root->owner],
			     w->symbol);
	return true;
}

static bool find_struct_page(const struct kernel *kernel, uint64_t va,
			     struct whatis *w)
{
	uint64_t pfn = (va - kernel->vmemmap_va) / kernel->page_struct_bytes;

	if (va < kernel->vmemmap_va || pfn >= kernel->end_pfn)
		return false;
	w->kind = WHATIS_STRUCT_PAGE;
	w->has_pfn = true;
	w->pfn = pfn;
	return true;
}

static bool find_direct(struct report *report, uint64_t va, struct whatis *w)
{
	const struct kernel *kernel = report->kernel;

	if (!kernel_is_direct(kernel, va))
		return false;
	w->pfn = (va - kernel->direct_va) >> 12;
	/* The image is mapped twice. */
	if (kernel->page_class[w->pfn] == PAGE_RESERVED)
		find_image(report,
			   va - kernel->direct_va + report->lookup->image_shift,
			   w);
	w->has_pfn = true;
	w->kind = kernel->page_class[w->pfn] == PAGE_SLAB ? WHATIS_SLAB :
							    WHATIS_PAGE;
	return true;
}

/* Of no object. */
static void find_other(struct report *report, uint64_t va, struct whatis *w)
{
	const struct kernel *kernel = report->kernel;

	if (find_percpu(report, va, w) || find_direct(report, va, w) ||
	    find_struct_page(kernel, va, w))
		return;
	if (va < 4096)
		w->kind = WHATIS_NULL;
	else if (place_percpu_pointer(report, va, w->symbol))
		w->kind = WHATIS_PERCPU_POINTER;
	else if (find_module(report, va, w) || find_image(report, va, w))
		;
	else if (va >= kernel->vmalloc_va && va < kernel->vmalloc_end_va)
		w->kind = WHATIS_VMALLOC;
	else if (!is_canonical(kernel, va))
		w->kind = WHATIS_NONCANONICAL;
	else
		w->kind = va >> 63 ? WHATIS_NOTHING : WHATIS_USER;
}

static void find_object(struct report *report, uint64_t va, struct whatis *w)
{
	static const uint8_t kinds[] = {
		[HEAP_REF_NONE] = WHATIS_OBJECT,
		[HEAP_REF_ADDRESS] = WHATIS_OBJECT,
		[HEAP_REF_PAGE] = WHATIS_STRUCT_PAGE,
		[HEAP_REF_PERCPU] = WHATIS_PERCPU_POINTER,
		[HEAP_REF_PHYSICAL] = WHATIS_PHYSICAL,
	};
	const struct object *object = &w->show.object;
	enum object_state state = analysis_state(report->analysis, w->show.id);

	w->kind = kinds[w->show.how];
	w->state = !report->analysis->reached && state == OBJECT_LIVE ?
			   "allocated" :
			   object_states[state];
	w->cpu = w->show.cpu;
	if (w->kind == WHATIS_STRUCT_PAGE)
		find_struct_page(report->kernel, va, w);
	/* Per-cpu pointers may look like addresses of the image (heap.h). */
	if (w->kind == WHATIS_PERCPU_POINTER && find_image(report, va, w)) {
		w->is_image = true;
		w->image_kind = w->kind;
		w->kind = WHATIS_PERCPU_POINTER;
	}
	if (w->show.has_offset)
		place_module_percpu(report, object, w->show.offset, w->symbol);
	if (object->region->flags & HEAP_ROOT && w->kind == WHATIS_OBJECT)
		find_module(report, va, w);
}

void whatis_find(struct report *report, uint64_t address, struct whatis *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->cpu = -1;
	show_find_where(report, address, &ret->show);
	if (ret->show.id != HEAP_NONE)
		find_object(report, address, ret);
	else
		find_other(report, address, ret);
	if (ret->show.task)
		ret->kind = WHATIS_STACK;
}

bool whatis_frame(struct stacks *stacks, const struct whatis *w,
		  char ret[SYMBOL_BYTES_MAX])
{
	struct report *report = stacks_report(stacks);
	const struct kernel_task *task = w->show.task;
	const struct held held = {
		.id = HEAP_NONE,
		.task = task ? (uint32_t)(task - report->kernel->tasks.data) :
			       0,
		.slot_va = w->show.address,
	};
	struct stack_slot slot;

	if (!task || w->show.address < task->sp)
		return false;
	slot = stacks_find(stacks, &held);
	if (!slot.frame)
		return false;
	if (slot.frame->n_frames && slot.frame->frames[0].function)
		snprintf(ret, SYMBOL_BYTES_MAX, "%s",
			 slot.frame->frames[0].function);
	else
		object_code_symbol(report, slot.frame->pc, ret);
	return true;
}

/* ---- in words */

static const char *state_words(const char *state)
{
	return !strcmp(state, object_states[OBJECT_WAITING]) ?
		       "waiting for RCU" :
	       !strcmp(state, object_states[OBJECT_CACHED]) ?
		       "cached free" :
	       !strcmp(state, object_states[OBJECT_TORN]) ?
		       "in doubt (torn)" :
		       state;
}

/* Append to a text of WHATIS_BYTES. */
__attribute__((format(printf, 2, 3)))
static void append(char *ret, const char *format, ...)
{
	size_t n = strlen(ret);
	va_list ap;

	va_start(ap, format);
	vsnprintf(ret + n, WHATIS_BYTES - n, format, ap);
	va_end(ap);
}

static void append_object(struct report *report, const struct whatis *w,
			  char *ret)
{
	const struct object *object = &w->show.object;
	char member[PLACE_MEMBER_BYTES] = "", type[TYPE_WORDS_BYTES];
	char behind[PLACE_BEHIND_BYTES], frag[PLACE_FRAG_BYTES];

	append(ret, "%s 0x%016" PRIx64, object_family(object), object->va);
	if (w->show.has_offset)
		append(ret, " +0x%" PRIx64 "%s", w->show.offset,
		       place_member(report, object, w->show.offset, member));
	if (type_words(report, object, type))
		append(ret, ", %s", type);
	append(ret, ", %s, %s%s%s", BYTES(object->bytes),
	       state_words(w->state),
	       place_behind_object(report, object, behind),
	       place_frag(report, object, frag));
}

static void append_stack(const struct whatis *w, const char *frame, char *ret)
{
	const struct kernel_task *task = w->show.task;

	append(ret, "stack of %s, pid %" PRIu32, task->comm, task->pid);
	if (w->show.address < task->sp)
		append(ret, ", below its stack pointer");
	else if (frame)
		append(ret, ", in the frame of %s", frame);
}

/* A slab's pages have no object of their own. */
static void append_page(const struct report *report, uint64_t pfn, char *ret)
{
	uint32_t region = heap_pfn_region(report->heap, pfn);
	unsigned class = report->kernel->page_class[pfn];
	const struct heap_region *r;

	append(ret, "%s", place_pages[class]);
	if (class != PAGE_SLAB || region == HEAP_NONE)
		return;
	r = &report->heap->regions.data[region];
	append(ret, " of %s at 0x%016" PRIx64,
	       report->kernel->caches.data[r->owner].name, r->va);
}

static void append_struct_page(struct report *report, const struct whatis *w,
			       char *ret)
{
	append(ret, "struct page of page frame 0x%" PRIx64 ": ", w->pfn);
	if (w->show.id != HEAP_NONE)
		append_object(report, w, ret);
	else
		append_page(report, w->pfn, ret);
}

static void append_image(const struct whatis *w, unsigned kind, char *ret)
{
	append(ret, "%s of %s%s", whatis_kinds[kind],
	       w->module ? "module " : "the kernel",
	       w->module ? w->module : "");
	if (w->section)
		append(ret, ", %s", w->section);
	if (w->symbol[0])
		append(ret, ": %s", w->symbol);
	if (w->given_back)
		append(ret, ", given back after the boot");
}

void whatis_format(struct report *report, const struct whatis *w,
		   const char *frame, char ret[WHATIS_BYTES])
{
	char place[PLACE_BYTES], behind[PLACE_BEHIND_BYTES];

	ret[0] = '\0';
	switch (w->kind) {
	case WHATIS_STACK:
		append_stack(w, frame, ret);
		break;
	case WHATIS_STRUCT_PAGE:
		append_struct_page(report, w, ret);
		break;
	case WHATIS_TEXT:
	case WHATIS_DATA:
		append_image(w, w->kind, ret);
		break;
	case WHATIS_PERCPU:
		append(ret, "per-cpu variable %s of CPU %d", w->symbol, w->cpu);
		break;
	case WHATIS_PERCPU_POINTER:
	case WHATIS_PHYSICAL:
	case WHATIS_OBJECT:
		if (w->kind != WHATIS_OBJECT)
			append(ret, "%s of ", whatis_kinds[w->kind]);
		if (w->show.id == HEAP_NONE) {
			append(ret, "variable %s", w->symbol);
			break;
		}
		append_object(report, w, ret);
		if (w->symbol[0] && !w->is_image)
			append(ret, ", %s", w->symbol);
		if (w->cpu >= 0)
			append(ret, ", copy of CPU %d", w->cpu);
		if (w->is_image) {
			append(ret, "; or ");
			append_image(w, w->image_kind, ret);
		}
		break;
	case WHATIS_SLAB:
		append_page(report, w->pfn, ret);
		append(ret, ", between its objects");
		break;
	case WHATIS_PAGE:
		append_page(report, w->pfn, ret);
		append(ret, "%s", place_behind(report, w->show.address, behind));
		append(ret, ", page frame 0x%" PRIx64, w->pfn);
		if (w->section || w->symbol[0])
			append(ret, ", of the kernel image, %s: %s",
			       w->section ? w->section : "?",
			       w->symbol[0] ? w->symbol : "?");
		break;
	case WHATIS_VMALLOC:
		place_format(report, w->show.address, place);
		append(ret, "%s", place);
		break;
	case WHATIS_NULL:
		append(ret, "no address: in the first page");
		break;
	case WHATIS_USER:
		append(ret, "no address of the kernel: of user space");
		break;
	case WHATIS_NONCANONICAL:
		append(ret, "no address: not canonical");
		break;
	default:
		append(ret, "no memory that the kernel uses");
	}
}
