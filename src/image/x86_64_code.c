// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * As much of x86_64's instructions as the starts of functions and calls take:
 * what compilers put there, and the calls that ftrace does.  Anything else ends
 * the prologue.
 */
#include "image/x86_64_code.h"

#include <string.h>

#define REX_R 0x44u
#define REX_B 0x41u

/* The bytes of a ModRM byte and what follows it but for immediates; 0: cut
 * short. */
static size_t modrm_bytes(const uint8_t *p, size_t n)
{
	unsigned mod, rm;
	size_t bytes = 1;

	if (!n)
		return 0;
	mod = p[0] >> 6;
	rm = p[0] & 7;
	if (mod == 3)
		return 1;
	if (rm == 4) {
		if (n < 2)
			return 0;
		bytes++;
		if (!mod && (p[1] & 7) == 5)
			bytes += 4;
	}
	return bytes + (mod == 1 ? 1 : mod == 2 || (!mod && rm == 5) ? 4 : 0);
}

/* Nops and calls that are patched in, in front of everything else. */
static size_t entry(const uint8_t *p, size_t n)
{
	static const char nops[][6] = {
		"\xf3\x0f\x1e\xfa",         /* endbr64 */
		"\x66\x66\x66\x66\x90",     /* nop */
	};
	size_t i;

	for (i = 0; i < sizeof(nops) / sizeof(*nops); i++) {
		size_t bytes = strlen(nops[i]);

		if (n >= bytes && !memcmp(p, nops[i], bytes))
			return bytes;
	}
	if (n >= 5 && !memcmp(p, "\x0f\x1f\x44\x00\x00", 5))
		return 5; /* nop */
	return n >= 5 && p[0] == 0xe8 ? 5 : 0; /* call __fentry__ */
}

/*
 * The bytes of an instruction that leaves the stack pointer alone and does not
 * branch: moves, loads, addresses, constants, xor; 0: none of these.
 */
static size_t harmless(const uint8_t *p, size_t n)
{
	size_t start = 0, bytes;
	bool wide, to_reg_sp, to_rm_sp;
	uint8_t rex = 0;

	if (entry(p, n))
		return entry(p, n);
	if (n > start && p[start] == 0x65)
		start++; /* %gs: */
	wide = n > start && (p[start] & 0xf8) == 0x48;
	if (n > start && (p[start] & 0xf0) == 0x40)
		rex = p[start++];
	if (n < start + 6)
		return 0;
	p += start;
	bytes = modrm_bytes(p + 1, n - start - 1);
	/* With a bit of REX it is %r12 and not %rsp. */
	to_reg_sp = (p[1] >> 3 & 7) == 4 && (rex & REX_R) != REX_R;
	to_rm_sp = p[1] >> 6 == 3 && (p[1] & 7) == 4 && (rex & REX_B) != REX_B;
	switch (p[0]) {
	case 0x8b: /* mov, lea and xor into a register but %rsp */
	case 0x8d:
	case 0x33:
		return bytes && !to_reg_sp ? start + 1 + bytes : 0;
	case 0x89: /* mov and xor out of one */
	case 0x31:
		return bytes && !to_rm_sp ? start + 1 + bytes : 0;
	case 0xc7: /* mov of a constant */
		return p[1] >> 6 == 3 && !to_rm_sp ? start + 6 : 0;
	default:
		return !wide && p[0] >= 0xb8 && p[0] <= 0xbf &&
				       (p[0] != 0xbc || (rex & REX_B) == REX_B) ?
			       start + 5 :
			       0;
	}
}

/* push of a register: its bytes, and which one */
static size_t push(const uint8_t *p, size_t n, uint8_t *reg)
{
	if (n >= 1 && p[0] >= 0x50 && p[0] <= 0x57) {
		*reg = p[0] & 7;
		return 1;
	}
	if (n >= 2 && p[0] == REX_B && p[1] >= 0x50 && p[1] <= 0x57) {
		*reg = (p[1] & 7) + 8;
		return 2;
	}
	return 0;
}

void x86_64_prologue(const uint8_t *code, size_t n, struct arch_prologue *ret)
{
	size_t at = 0, bytes;
	uint8_t reg;
	int32_t imm;

	memset(ret, 0, sizeof(*ret));
	for (;;) {
		if ((bytes = push(code + at, n - at, &reg)) &&
		    ret->n_pushed < ARCH_PROLOGUE_MAX)
			ret->pushed[ret->n_pushed++] = reg;
		else if (!(bytes = harmless(code + at, n - at)) ||
			 bytes > n - at)
			break; /* or cut short */
		at += bytes;
	}
	/* sub $imm, %rsp; 128 bytes are taken by an add of -128, which is
	 * shorter */
	if (n - at >= 4 && !memcmp(code + at, "\x48\x83\xec", 3) &&
	    code[at + 3] < 0x80) {
		ret->frame_bytes = code[at + 3];
	} else if (n - at >= 4 && !memcmp(code + at, "\x48\x83\xc4\x80", 4)) {
		ret->frame_bytes = 0x80;
	} else if (n - at >= 7 && !memcmp(code + at, "\x48\x81\xec", 3)) {
		memcpy(&imm, code + at + 3, 4);
		ret->frame_bytes = (uint32_t)imm;
	}
}

bool x86_64_call_target(const uint8_t *code, uint64_t return_va, uint64_t *ret)
{
	int32_t offset;

	if (code[0] != 0xe8)
		return false;
	memcpy(&offset, code + 1, 4);
	*ret = return_va + (uint64_t)(int64_t)offset;
	return true;
}
