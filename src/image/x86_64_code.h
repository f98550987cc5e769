/* SPDX-License-Identifier: GPL-2.0-or-later */
/* For x86_64.c: see struct arch. */
#ifndef KML_IMAGE_X86_64_CODE_H
#define KML_IMAGE_X86_64_CODE_H

#include "image/arch.h"

void x86_64_prologue(const uint8_t *code, size_t n, struct arch_prologue *ret);
bool x86_64_call_target(const uint8_t *code, uint64_t return_va,
			uint64_t *ret);

#endif
