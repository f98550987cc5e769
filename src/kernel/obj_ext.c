// SPDX-License-Identifier: GPL-2.0-or-later
#include "kernel/obj_ext.h"

#include "base/util.h"
#include "kernel/page_ext.h"

/* Low bits of the pointer to a slab's vector: MEMCG_DATA_OBJEXTS and the like,
 * of which one alone says that there was no memory for it. */
#define VECTOR_FLAGS UINT64_C(7)
#define MAX_ELEMENT_BYTES 64u
#define PERCPU_UNIT_BYTES 4u /* PCPU_MIN_ALLOC_SIZE: an element for each */

static int offset_of(const struct profile *p, const char *type,
		     const char *const *names)
{
	struct profile_member member;

	for (; *names; names++) {
		if (profile_member(p, type, *names, &member) &&
		    member.offset < MAX_ELEMENT_BYTES)
			return (int)member.offset;
	}
	return -1;
}

static const char *const charges[] = { "objcg", "_objcg", "cgroup", NULL };
static const char *const tag_refs[] = { "ref", "_ctref", "tag", NULL };

/*
 * Where a slab has its vector: page.obj_cgroups until Linux 5.10, then
 * page.memcg_data (bcfe06bf2622), slab.memcg_data since 5.17, slab.obj_exts
 * since 6.10.
 */
static bool find_slab_vector(const struct profile *p, struct obj_ext_layout *l)
{
	static const struct {
		const char *type, *name;
	} places[] = {
		{ "slab", "obj_exts" },     { "slab", "memcg_data" },
		{ "page", "obj_cgroups" },  { "page", "memcg_data" },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(places); i++) {
		if (profile_member(p, places[i].type, places[i].name,
				   &l->slab_vector))
			return true;
	}
	return false;
}

static bool load_slab(struct kernel *kernel, struct obj_ext_layout *l)
{
	const struct profile *p = kernel->profile;
	struct profile_member ref;

	if (!find_slab_vector(p, l))
		return false;
	if (!profile_type_size(p, "slabobj_ext", &l->bytes)) {
		l->bytes = 8;
		l->charge = 0;
		l->tag = -1;
		return true;
	}
	l->charge = offset_of(p, "slabobj_ext", charges);
	l->tag = offset_of(p, "slabobj_ext", tag_refs);
	l->has_stride = profile_member(p, "slab", "stride", &l->stride);
	l->has_in_object = profile_member(p, "slab", "obj_exts_in_object",
					  &l->in_object);
	/* A union of both, of which an element has one or two. */
	l->is_packed = profile_member(p, "slab", "obj_exts_needs_objcg",
				      &l->needs_charge);
	l->has_tags = profile_member(p, "slabobj_ext", "_ctref", &ref) &&
		      kernel_static_key(kernel,
					"slab_obj_ext_has_codetag_key");
	return l->bytes && l->bytes <= MAX_ELEMENT_BYTES;
}

static bool load_percpu(const struct profile *p, struct obj_ext_layout *l)
{
	if (profile_member(p, "pcpu_chunk", "obj_cgroups",
			   &l->percpu_vector)) {
		l->percpu_bytes = 8;
		l->percpu_charge = 0;
		l->percpu_tag = -1;
		return true;
	}
	if (!profile_member(p, "pcpu_chunk", "obj_exts", &l->percpu_vector) ||
	    !profile_type_size(p, "pcpuobj_ext", &l->percpu_bytes))
		return false;
	l->percpu_charge = offset_of(p, "pcpuobj_ext", charges);
	l->percpu_tag = offset_of(p, "pcpuobj_ext", tag_refs);
	return l->percpu_bytes && l->percpu_bytes <= MAX_ELEMENT_BYTES;
}

bool obj_ext_open(struct kernel *kernel, struct obj_ext_layout *ret)
{
	struct obj_ext_layout l = { 0 };

	l.has_slab = load_slab(kernel, &l);
	l.has_percpu = load_percpu(kernel->profile, &l);
	*ret = l;
	return l.has_slab || l.has_percpu;
}

/* An integer of the struct slab at @va. */
static uint64_t slab_word(struct kernel *kernel, uint64_t va,
			  const struct profile_member *member)
{
	struct profile_member in_buf = *member;
	_cleanup_error_ struct kml_error *error = NULL;
	char buf[8] = { 0 };

	in_buf.offset = 0;
	error = image_read_va(kernel->image, va + member->offset, buf,
			      MIN(member->size, sizeof(buf)));
	return error ? 0 : kernel_get(buf, &in_buf);
}

static bool find_slab(struct kernel *kernel, const struct obj_ext_layout *l,
		      const struct heap_region *r, struct obj_exts *ret)
{
	uint64_t pfn = (r->va - kernel->direct_va) >> 12;
	uint64_t slab = kernel->vmemmap_va + pfn * kernel->page_struct_bytes;
	bool charged;

	if (!l->has_slab || pfn >= kernel->end_pfn)
		return false;
	ret->va = slab_word(kernel, slab, &l->slab_vector) & ~VECTOR_FLAGS;
	if (ret->va < kernel->arch->kernel_start_va)
		return false;
	ret->charge = l->charge;
	ret->tag = l->tag;
	ret->stride = l->bytes;
	if (l->is_packed) {
		charged = slab_word(kernel, slab, &l->needs_charge);
		ret->charge = charged ? 0 : -1;
		ret->tag = !l->has_tags ? -1 : charged ? (int)l->bytes : 0;
		ret->stride = l->bytes * ((unsigned)charged + l->has_tags);
	}
	if (l->has_stride)
		ret->stride = slab_word(kernel, slab, &l->stride);
	if (l->has_in_object && slab_word(kernel, slab, &l->in_object))
		ret->stride = r->slot_bytes;
	return ret->stride;
}

/* The chunk of a block; the first ones share a region. */
static bool find_percpu(struct kernel *kernel, const struct obj_ext_layout *l,
			const struct heap_region *r, uint32_t index,
			struct obj_exts *ret)
{
	const struct heap_block *block =
		&kernel->heap->chunks.data[r->owner].blocks[index];
	struct kml_error *error;
	uint64_t offset;
	size_t i;

	for (i = 0; l->has_percpu && i < kernel->pcpu_chunks.size; i++) {
		const struct kernel_pcpu_chunk *chunk =
			&kernel->pcpu_chunks.data[i];

		if (chunk->owner != r->owner || block->offset < chunk->start ||
		    block->offset >= chunk->end)
			continue;
		offset = block->offset - chunk->base;
		error = kernel_read_u64(kernel,
					chunk->va + l->percpu_vector.offset,
					&ret->va);
		if (error || ret->va < kernel->arch->kernel_start_va) {
			kml_error_destroy(error);
			return false;
		}
		ret->va += offset / PERCPU_UNIT_BYTES * l->percpu_bytes;
		ret->stride = 0;
		ret->charge = l->percpu_charge;
		ret->tag = l->percpu_tag;
		return true;
	}
	return false;
}

bool obj_ext_find(struct kernel *kernel, const struct obj_ext_layout *layout,
		  const struct heap_region *r, uint32_t index,
		  struct obj_exts *ret)
{
	if (r->kind == HEAP_SLAB)
		return find_slab(kernel, layout, r, ret);
	return r->kind == HEAP_PERCPU &&
	       find_percpu(kernel, layout, r, index, ret);
}

void obj_ext_read(struct kernel *kernel, const struct obj_exts *exts,
		  uint64_t index, uint64_t *charge_ret, uint64_t *tag_ret)
{
	uint64_t va = exts->va + index * exts->stride;
	struct kml_error *error = NULL;

	*charge_ret = *tag_ret = 0;
	if (exts->charge >= 0)
		error = kernel_read_u64(kernel, va + (uint64_t)exts->charge,
					charge_ret);
	if (!error && exts->tag >= 0)
		error = kernel_read_u64(kernel, va + (uint64_t)exts->tag,
					tag_ret);
	kml_error_destroy(error);
}
