// SPDX-License-Identifier: GPL-2.0-or-later
#include "report/type.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/util.h"
#include "kernel/symbol.h"
#include "report/number.h"
#include "report/object.h"
#include "report/place.h"

/* NULL: the types were not looked for, or this one was not found. */
static const struct infer *find(const struct report *report, uint32_t id)
{
	const struct infer *infer = &report->analysis->infer;

	return id < infer->n_objects && infer->type[id] ? infer : NULL;
}

void type_format_number(const struct types *types, uint32_t type,
			char ret[TYPE_BYTES])
{
	const struct type_info *info = types_get(types, type);
	const char *name = types_name(types, type);

	switch (info->kind) {
	case TYPE_STRUCT:
	case TYPE_UNION:
		snprintf(ret, TYPE_BYTES, "%s %s",
			 info->kind == TYPE_UNION ? "union" : "struct",
			 name[0] ? name : "without a name");
		break;
	case TYPE_POINTER:
		if (types_is_struct(types, info->target))
			snprintf(ret, TYPE_BYTES, "struct %s *[]",
				 types_name(types, info->target));
		else
			snprintf(ret, TYPE_BYTES, "%s *[]",
				 types_name(types, info->target)[0] ?
					 types_name(types, info->target) :
					 "void");
		break;
	default:
		snprintf(ret, TYPE_BYTES, "%s[]", name[0] ? name : "int");
	}
}

bool type_format(const struct report *report, uint32_t id,
		 char ret[TYPE_BYTES])
{
	const struct infer *infer = find(report, id);

	if (infer)
		type_format_number(&infer->types, infer->type[id], ret);
	return infer;
}

/* "member d_inode of struct dentry 0xffff..." */
static void format_source(struct report *report, const struct infer *infer,
			  uint32_t id, char *ret, size_t bytes)
{
	uint32_t from = infer->from[id];
	char path[128], type[TYPE_BYTES], place[PLACE_BYTES];
	uint32_t unused;
	uint64_t va;

	if (from < infer->n_objects &&
	    infer_member(infer, from, infer->where[id], path, sizeof(path)) &&
	    type_format(report, from, type)) {
		snprintf(ret, bytes, "%s of %s 0x%016" PRIx64, path, type,
			 heap_object_va(report->heap, from));
		return;
	}
	place_holder(report, from, infer->where[id] / 8, &unused, &va, place);
	snprintf(ret, bytes, "%s", place);
}

/* Behind the member or variable that says so. */
static const char *const source_tails[INFER_REASONS] = {
	[INFER_BY_VARIABLE] = " points to it",
	[INFER_BY_POINTER] = " points to it",
	[INFER_BY_MEMBER] = " points to a member of it, and it fits",
	[INFER_BY_PLACE] =
		" leads to it, and where others lead to is of that type",
	[INFER_BY_MODULE] =
		" leads to it, and of that module's structs only this one fits",
};

static void format_why(struct report *report, const struct infer *infer,
		       uint32_t id, char ret[TYPE_WHY_BYTES])
{
	const char *tail = source_tails[infer->reason[id]];
	char source[400];
	uint32_t where = infer->where[id];

	if (tail) {
		format_source(report, infer, id, source, sizeof(source));
		snprintf(ret, TYPE_WHY_BYTES, "%s%s", source, tail);
		return;
	}
	switch (infer->reason[id]) {
	case INFER_BY_USER:
		snprintf(ret, TYPE_WHY_BYTES, "you say so");
		break;
	case INFER_BY_CACHE:
		snprintf(ret, TYPE_WHY_BYTES, "its slab cache is that of these");
		break;
	case INFER_BY_KERNEL:
		snprintf(ret, TYPE_WHY_BYTES, "the kernel lists it as one");
		break;
	case INFER_BY_SITE:
		snprintf(ret, TYPE_WHY_BYTES,
			 "the same code allocated 0x%016" PRIx64 ", which is one",
			 heap_object_va(report->heap, infer->from[id]));
		break;
	case INFER_BY_FIT:
		snprintf(ret, TYPE_WHY_BYTES,
			 "%s allocated it, and of its own structs %s",
			 report->kernel->modules.data[where].name,
			 infer->confidence[id] > INFER_LOW ?
				 "only this one fits" :
				 "this one fits best");
		break;
	case INFER_BY_GUESS:
		snprintf(ret, TYPE_WHY_BYTES,
			 "of the structs of the modules that --modules names this one, of %s, fits best",
			 report->kernel->modules.data[where].name);
		break;
	case INFER_BY_SYMBOLS:
		snprintf(ret, TYPE_WHY_BYTES,
			 "it refers to the same symbol at +0x%x as others of that type",
			 where);
		break;
	case INFER_BY_SHAPE:
		snprintf(ret, TYPE_WHY_BYTES,
			 "what it points to, from +0x%x on, is what that type points to",
			 where);
		break;
	default:
		snprintf(ret, TYPE_WHY_BYTES, "the others of its cache are");
	}
}

const char *type_doubt(const struct infer *infer, uint32_t id)
{
	static const char *const words[INFER_CONFIDENCES] = {
		[INFER_NONE] = "", [INFER_LOW] = "perhaps ",
		[INFER_MEDIUM] = "probably ", [INFER_HIGH] = "",
		[INFER_KNOWN] = "",
	};

	return words[infer->confidence[id]];
}

static void format_family(const struct report *report,
			  const struct object *object, bool doubt,
			  char ret[TYPE_FAMILY_BYTES])
{
	const struct infer *infer = &report->analysis->infer;
	uint32_t type = infer_beyond_cache(infer, object->id);
	char name[TYPE_BYTES];

	if (type) {
		type_format_number(&infer->types, type, name);
		snprintf(ret, TYPE_FAMILY_BYTES, "%s%s (%s)",
			 doubt ? type_doubt(infer, object->id) : "", name,
			 object_family(object));
	} else {
		snprintf(ret, TYPE_FAMILY_BYTES, "%s", object_family(object));
	}
}

void type_family(const struct report *report, const struct object *object,
		 char ret[TYPE_FAMILY_BYTES])
{
	format_family(report, object, false, ret);
}

void type_name_object(const struct report *report, const struct object *object,
		      char ret[TYPE_FAMILY_BYTES])
{
	format_family(report, object, true, ret);
}

/* Smaller than what is asked of kmalloc() for it. */
static const char *extent(const struct infer *infer, uint32_t id)
{
	return infer->part[id / 8] >> id % 8 & 1 ? " (or what begins with one)" :
						   "";
}

static void format_words(const struct report *report, const struct infer *infer,
			 uint32_t id, char ret[TYPE_WORDS_BYTES])
{
	char type[TYPE_BYTES];

	type_format(report, id, type);
	snprintf(ret, TYPE_WORDS_BYTES, "%s%s%s", type_doubt(infer, id), type,
		 extent(infer, id));
}

bool type_words(const struct report *report, const struct object *object,
		char ret[TYPE_WORDS_BYTES])
{
	const struct infer *infer = find(report, object->id);

	if (!infer || (object->cache &&
		       !strcmp(types_name(&infer->types, infer->type[object->id]),
			       object->cache)))
		return false;
	format_words(report, infer, object->id, ret);
	return true;
}

bool type_sentence(struct report *report, uint32_t id,
		   char ret[TYPE_SENTENCE_BYTES])
{
	const struct infer *infer = find(report, id);
	char words[TYPE_WORDS_BYTES], why[TYPE_WHY_BYTES];

	if (!infer)
		return false;
	format_words(report, infer, id, words);
	format_why(report, infer, id, why);
	snprintf(ret, TYPE_SENTENCE_BYTES, "%s: %s", words, why);
	return true;
}

void type_json(struct json *json, struct report *report, uint32_t id)
{
	const struct infer *infer = find(report, id);
	char type[TYPE_BYTES], why[TYPE_WHY_BYTES];

	if (!infer) {
		json_null(json, "type");
		return;
	}
	type_format(report, id, type);
	format_why(report, infer, id, why);
	json_object_line(json, "type");
	json_string(json, "name", type);
	json_number(json, "bytes", infer_bytes(infer, id));
	json_string(json, "confidence",
		    infer_confidences[infer->confidence[id]]);
	json_string(json, "reason", infer_reasons[infer->reason[id]]);
	json_string(json, "because", why);
	json_end(json);
}

bool type_is_common(const struct report *report, const struct leak_group *group)
{
	const struct infer *infer = &report->analysis->infer;
	const struct leak *leaks =
		report->analysis->leaks.leaks + group->first_leak;
	uint32_t i;

	if (!find(report, leaks->id))
		return false;
	for (i = 1; i < group->n_leaks; i++)
		if (infer->type[leaks[i].id] != infer->type[leaks->id] ||
		    infer->confidence[leaks[i].id] !=
			    infer->confidence[leaks->id])
			return false;
	return true;
}
