// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The kernel's structures, as far as reports want them.  Left out is what only
 * the scan needs: slabs, mapped pages, holes, scan rules, references that no
 * word says, page tables, which objects lie unused in mempools (graph.idle), and
 * the registers of each CPU, which are the image's.
 */
#include <string.h>

#include "base/util.h"
#include "kernel/boot.h"
#include "snapshot/snapshot.h"

archive_covers(struct kernel_gap, 32);
archive_covers(struct kernel_cache, 168);
archive_covers(struct kernel_area, 88);
archive_covers(struct kernel_task, 48);
archive_covers(struct kernel_module, 320);
archive_covers(struct kernel_root, 64);
archive_covers(struct kernel_start, 24);
archive_covers(struct kernel, 1856);

static void archive_gap(struct archive *a, struct kernel_gap *gap)
{
	archive_string(a, &gap->what);
	archive_check(a, gap->what, "a gap");
	archive_u64(a, &gap->count);
	archive_u64(a, &gap->first_address);
	archive_bool(a, &gap->unsound);
}

void archive_gaps(struct archive *a, struct gap_list *list)
{
	archive_vec(a, &list->gaps, archive_gap);
}

static void archive_cache(struct archive *a, struct kernel_cache *cache,
			  uint64_t *last, const struct kernel *kernel)
{
	archive_delta(a, &cache->va, last);
	archive_chars(a, cache->name, sizeof(cache->name));
	archive_u32(a, &cache->slot_bytes);
	archive_u32(a, &cache->object_bytes);
	archive_u32(a, &cache->free_offset);
	archive_u32(a, &cache->pad_bytes);
	/* Not .random, which is a secret of the kernel. */
	archive_u32(a, &cache->slab_objects);
	archive_u32(a, &cache->slab_pages);
	archive_u32(a, &cache->n_users);
	archive_u64(a, &cache->n_slabs);
	archive_u64(a, &cache->n_objects);
	archive_u64(a, &cache->n_pages);
	archive_u64(a, &cache->n_node_free);
	archive_u64(a, &cache->n_node_slabs);
	archive_bool(a, &cache->listed);
	archive_bool(a, &cache->doubtful);
	archive_u16(a, &cache->link_start);
	archive_u16(a, &cache->link_end);
	archive_u32(a, &cache->track_offset);
	archive_check(a, !cache->track_offset || kernel->track_bytes,
		      "a cache");
}

static void archive_area(struct archive *a, struct kernel_area *area,
			 uint64_t *last)
{
	archive_delta(a, &area->start_va, last);
	archive_delta(a, &area->end_va, last);
	archive_u64(a, &area->area_va);
	archive_u64(a, &area->vm_va);
	archive_u64(a, &area->caller);
	archive_u64(a, &area->flags);
	archive_u64(a, &area->phys_pa);
	archive_u64(a, &area->pages_va);
	archive_u32(a, &area->n_pages);
	archive_u64(a, &area->requested);
	archive_u32(a, &area->region);
	archive_bool(a, &area->is_stack);
}

static void archive_task(struct archive *a, struct kernel_task *task)
{
	archive_u64(a, &task->va);
	archive_u64(a, &task->stack_va);
	archive_u64(a, &task->sp);
	archive_u32(a, &task->pid);
	archive_chars(a, task->comm, sizeof(task->comm));
	archive_bool(a, &task->on_cpu);
}

static void archive_module(struct archive *a, struct kernel_module *module)
{
	unsigned i;

	archive_u64(a, &module->va);
	archive_chars(a, module->name, sizeof(module->name));
	archive_u64(a, &module->base_va);
	archive_u64(a, &module->bytes);
	archive_u64(a, &module->symtab_va);
	archive_u64(a, &module->strtab_va);
	archive_u32(a, &module->n_symbols);
	archive_unsigned(a, &module->n_parts);
	archive_check(a, module->n_parts <= ARRAY_SIZE(module->part_va),
		      "a module");
	for (i = 0; i < ARRAY_SIZE(module->part_va); i++) {
		archive_u64(a, &module->part_va[i]);
		archive_u64(a, &module->part_bytes[i]);
		archive_u64(a, &module->part_text_bytes[i]);
	}
	archive_u64(a, &module->percpu);
}

static void archive_root(struct archive *a, struct kernel_root *root,
			 const struct kernel *kernel)
{
	archive_u8(a, &root->kind);
	archive_u32(a, &root->owner);
	archive_u64(a, &root->start_va);
	archive_u64(a, &root->start_pa);
	archive_u64(a, &root->bytes);
	archive_chars(a, root->name, sizeof(root->name));
	archive_check(a, root->kind < ROOT_KINDS &&
		      (root->kind != ROOT_STACK ||
		       root->owner < kernel->tasks.size) &&
		      (root->kind != ROOT_PERCPU ||
		       root->owner < kernel->n_cpus), "a root");
}

/* A member of at most @most bytes; of none if there is no such. */
static void archive_member(struct archive *a, struct profile_member *member,
			   uint64_t bytes, uint64_t most)
{
	archive_u64(a, &member->offset);
	archive_u64(a, &member->size);
	archive_check(a, member->size <= MIN(bytes, most) &&
		      member->offset <= bytes - member->size, "a member");
}

static void archive_tracks(struct archive *a, struct kernel *kernel)
{
	archive_u64(a, &kernel->track_bytes);
	archive_check(a, kernel->track_bytes <= KERNEL_TRACK_BYTES,
		      "the users' tracks");
	archive_u64(a, &kernel->jiffies);
	archive_unsigned(a, &kernel->hz);
	archive_u64(a, &kernel->clock_ns);
	/* 0: there are none, or none that could be made sense of. */
	if (!kernel->track_bytes)
		return;
	archive_member(a, &kernel->track_addr, kernel->track_bytes, 8);
	archive_member(a, &kernel->track_when, kernel->track_bytes, 8);
	archive_member(a, &kernel->track_pid, kernel->track_bytes, 8);
	archive_member(a, &kernel->track_cpu, kernel->track_bytes, 8);
	archive_member(a, &kernel->track_handle, kernel->track_bytes, 8);
	archive_member(a, &kernel->track_addrs, kernel->track_bytes,
		       KERNEL_TRACK_BYTES);
}

static void archive_kfence(struct archive *a, struct kernel_kfence *object)
{
	archive_u64(a, &object->page_va);
	archive_u64(a, &object->va);
	archive_u64(a, &object->bytes);
	archive_u64(a, &object->cache_va);
	archive_u64(a, &object->metadata_va);
	archive_bool(a, &object->allocated);
	archive_bool(a, &object->waiting);
}

static void archive_pcpu_chunk(struct archive *a,
			       struct kernel_pcpu_chunk *chunk)
{
	archive_u64(a, &chunk->va);
	archive_u64(a, &chunk->base);
	archive_u64(a, &chunk->start);
	archive_u64(a, &chunk->end);
	archive_u32(a, &chunk->owner);
}

static void archive_start(struct archive *a, struct kernel_start *start,
			  uint64_t *last)
{
	archive_delta(a, &start->va, last);
	archive_delta(a, &start->end_va, last);
	archive_u64(a, &start->variable_va);
	archive_check(a, start->end_va >= start->va, "a variable's memory");
}

static void archive_layout(struct archive *a, struct kernel *kernel)
{
	archive_u64(a, &kernel->kaslr_offset);
	archive_u64(a, &kernel->image_va);
	archive_u64(a, &kernel->direct_va);
	archive_u64(a, &kernel->direct_end_va);
	archive_u64(a, &kernel->vmalloc_va);
	archive_u64(a, &kernel->vmalloc_end_va);
	archive_u64(a, &kernel->modules_va);
	archive_u64(a, &kernel->modules_end_va);
	archive_u64(a, &kernel->vmemmap_va);
	archive_u64(a, &kernel->page_struct_bytes);
	/* Others divide by it, and by the words in it. */
	archive_check(a, kernel->page_struct_bytes >= 8, "a struct page's size");
	archive_u64(a, &kernel->percpu_start);
	archive_chars(a, kernel->release, sizeof(kernel->release));
	archive_chars(a, kernel->version, sizeof(kernel->version));
	archive_chars(a, kernel->machine, sizeof(kernel->machine));
	archive_chars(a, kernel->node, sizeof(kernel->node));
}

static void archive_cpus(struct archive *a, struct kernel *kernel)
{
	uint64_t n = kernel->n_cpus;

	archive_count(a, &n, 8, UINT32_MAX);
	archive_check(a, n, "the number of CPUs");
	archive_u64s(a, &kernel->cpu_offset, n);
	if (a->loading)
		kernel->n_cpus = kernel->cpu_offset ? (unsigned)n : 0;
}

static void archive_pages(struct archive *a, struct kernel *kernel)
{
	uint64_t pfn;
	unsigned i;

	archive_u64(a, &kernel->end_pfn);
	archive_u8s(a, &kernel->page_class, kernel->end_pfn);
	for (pfn = 0; a->loading && !a->failed && pfn < kernel->end_pfn; pfn++)
		archive_check(a, kernel->page_class[pfn] < PAGE_CLASSES,
			      "the use of a page");
	for (i = 0; i < PAGE_CLASSES; i++)
		archive_u64(a, &kernel->page_count[i]);
}

static void archive_totals(struct archive *a, struct kernel *kernel)
{
	unsigned i;

	for (i = 0; i < BUILTIN_RULES; i++)
		archive_u64(a, &kernel->builtin_uses[i]);
	archive_bool(a, &kernel->areas_torn);
	archive_u64(a, &kernel->kfence_va);
	archive_u64(a, &kernel->kfence_pages);
	archive_u64(a, &kernel->n_callbacks);
	archive_u64(a, &kernel->percpu_chunks);
	archive_u64(a, &kernel->percpu_units_bytes);
	archive_u64(a, &kernel->percpu_populated_pages);
	archive_u64(a, &kernel->thread_bytes);
	archive_u32(a, &kernel->task_cache);
	archive_check(a, kernel->task_cache == HEAP_NONE ||
		      kernel->task_cache < kernel->caches.size,
		      "the cache of tasks");
	archive_vec(a, &kernel->answers.all, archive_u8);
	if (a->loading)
		kernel->answers.replay = true;
	archive_bool(a, &kernel->has_boot);
	archive_u64(a, &kernel->boot);
	if (a->loading)
		kernel->boot_known = true;
}

void archive_kernel(struct archive *a, struct snapshot *snapshot)
{
	struct kml_analysis *analysis = snapshot->analysis;
	struct kernel *kernel = &analysis->kernel;
	uint64_t last_cache = 0, last_area = 0, last_start = 0, boot;

	if (!a->loading)
		kernel_boot_id(kernel, &boot);
	archive_gaps(a, &analysis->inventory_gaps);
	archive_gaps(a, &analysis->scan_gaps);
	archive_gaps(a, &snapshot->gaps);
	archive_layout(a, kernel);
	archive_cpus(a, kernel);
	archive_pages(a, kernel);
	archive_tracks(a, kernel);
	archive_vec(a, &kernel->caches, archive_cache, &last_cache, kernel);
	archive_vec(a, &kernel->areas, archive_area, &last_area);
	archive_vec(a, &kernel->tasks, archive_task);
	archive_vec(a, &kernel->kfence, archive_kfence);
	archive_vec(a, &kernel->pcpu_chunks, archive_pcpu_chunk);
	archive_vec(a, &kernel->modules, archive_module);
	archive_vec(a, &kernel->roots, archive_root, kernel);
	archive_vec(a, &kernel->starts, archive_start, &last_start);
	if (a->loading)
		kernel->starts_known = true;
	archive_totals(a, kernel);
}
