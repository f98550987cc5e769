/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * VMCOREINFO: lines of KEY=VALUE that the kernel leaves for dump tools.  Only
 * the text is trusted, never what others parsed from it (QEMU reads the
 * decimal NUMBER(phys_base) as hexadecimal).
 */
#ifndef KML_IMAGE_VMCOREINFO_H
#define KML_IMAGE_VMCOREINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The value of the first line @key=VALUE (not terminated), or NULL. */
const char *vmcoreinfo_line(const char *text, const char *key,
			    size_t *bytes_ret);

/* A hexadecimal value without 0x, as in KERNELOFFSET=. */
bool vmcoreinfo_hex(const char *text, const char *key, uint64_t *ret);

/* SYMBOL(@name), hexadecimal. */
bool vmcoreinfo_symbol(const char *text, const char *name, uint64_t *ret);

/* NUMBER(@name), decimal, or hexadecimal with 0x. */
bool vmcoreinfo_number(const char *text, const char *name, int64_t *ret);

/* BUILD-ID=, at most @max bytes; 0 if there is none or it is malformed. */
size_t vmcoreinfo_build_id(const char *text, uint8_t *ret, size_t max);

#endif
