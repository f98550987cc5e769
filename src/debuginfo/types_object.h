/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of types.h share. */
#ifndef KML_DEBUGINFO_TYPES_OBJECT_H
#define KML_DEBUGINFO_TYPES_OBJECT_H

#include "debuginfo/types.h"

/* Structs in structs; debuginfo may lie. */
#define TYPES_MAX_DEPTH 24u

/* A name; "" if there is none. */
static inline const char *types_text(const struct types *types, uint32_t offset)
{
	return offset ? string_pool_get(&types->strings, offset) : "";
}

#endif
