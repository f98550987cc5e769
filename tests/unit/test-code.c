// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The starts of functions, as objdump -d has them of Debian's
 * vmlinux-6.1.0-56-cloud-amd64 (gcc 12): bytes, and the registers and the
 * frame that the disassembly shows.
 */
#include "unit.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "image/x86_64_code.h"

/* Registers as instructions encode them. */
enum { BX = 3, BP = 5, R12 = 12, R13, R14, R15 };

#define FENTRY "\xe8\x0b\xbc\xfa\xff"
/* mov %gs:0x1fb80 (current), %rbx and so on */
#define CURRENT "\x25\x80\xfb\x01\x00"

static const struct {
	const char *name, *code;
	size_t n;
	uint8_t pushed[ARCH_PROLOGUE_MAX];
	unsigned n_pushed;
	uint32_t frame_bytes;
} functions[] = {
#define CODE(name, bytes) name, bytes, sizeof(bytes) - 1
	/* push of six; mov %rdi,%rbx; loads of 0(%rdi), 8(%rdi); testb */
	{ CODE("kthread", FENTRY "\x41\x57\x65\x48\x8b\x04" CURRENT
	       "\x41\x56\x41\x55\x41\x54\x55\x53\x48\x89\xfb\x4c\x8b\x3f"
	       "\x4c\x8b\x77\x08\xf6\x40\x2e\x20\x0f\x84\xc4\x00\x00\x00"),
	  { R15, R14, R13, R12, BP, BX }, 6, 0 },
	{ CODE("worker_thread", FENTRY "\x41\x57\x41\x56\x41\x55\x41\x54\x55"
	       "\x53\x48\x89\xfb\x65\x4c\x8b\x34" CURRENT "\x48\x83\xec\x08"
	       "\x48\x8b\x6f\x48"),
	  { R15, R14, R13, R12, BP, BX }, 6, 8 },
	/* mov $-20,%rsi between pushes; lea 0x30(%rdi),%r12 */
	{ CODE("rescuer_thread", FENTRY "\x41\x57\x48\xc7\xc6\xec\xff\xff\xff"
	       "\x41\x56\x41\x55\x41\x54\x4c\x8d\x67\x30\x55\x53\x48\x89\xfb"
	       "\x48\x83\xec\x30\x4c\x8b\xbf\x90\x00\x00\x00"),
	  { R15, R14, R13, R12, BP, BX }, 6, 0x30 },
	{ CODE("kthreadd", FENTRY "\x41\x57\x31\xd2\x48\xc7\xc6\x9a\x5c\x2e\x82"
	       "\x41\x56\x41\x55\x41\x54\x55\x53\x65\x48\x8b\x1c" CURRENT
	       "\x48\x89\xdf\x48\x83\xec\x58\xe8\x23\x77\x29\x00"),
	  { R15, R14, R13, R12, BP, BX }, 6, 0x58 },
	/* ends at xchg */
	{ CODE("smpboot_thread_fn", FENTRY "\x41\x54\x55\x48\x89\xfd\x53\x4c"
	       "\x8b\x67\x08\x65\x48\x8b\x1c" CURRENT
	       "\xb8\x01\x00\x00\x00\x87\x43\x18"),
	  { R12, BP, BX }, 3, 0 },
	{ CODE("cpu_startup_entry", FENTRY "\x53\x89\xfb\x65\x48\x8b\x04" CURRENT
	       "\x83\x48\x2c\x02\xe8\x26\xfb\xff\xff"),
	  { BX }, 1, 0 },
	{ CODE("irq_thread", FENTRY "\x41\x57\x41\x56\x41\x55\x49\x89\xfd\x41"
	       "\x54\x55\x49\x8d\x6d\x40\x53\x48\x83\xec\x28\x8b\x7f\x38\x65"),
	  { R15, R14, R13, R12, BP, BX }, 6, 0x28 },
	{ CODE("rcu_gp_kthread", FENTRY "\x55\x53\x48\x83\xec\x20\x65\x48\x8b"
	       "\x04\x25\x28\x00\x00\x00"),
	  { BP, BX }, 2, 0x20 },
	/* xor %r13d,%r13d; mov $1,%r12d */
	{ CODE("kauditd_thread", FENTRY "\x41\x57\x41\x56\x41\x55\x45\x31\xed"
	       "\x41\x54\x41\xbc\x01\x00\x00\x00\x55\x53\x48\x83\xec\x30\x65"),
	  { R15, R14, R13, R12, BP, BX }, 6, 0x30 },
	/* mov %rdi,%r12, which looks like one to %rsp; no __fentry__ */
	{ CODE("perf_trace_initcall_finish", "\x55\x48\x89\xe5\x41\x56\x49\x89"
	       "\xf6\x41\x55\x41\x89\xd5\x41\x54\x49\x89\xfc\x53\x48\x83\xec"
	       "\x18\x48\x8b\x5f\x78"),
	  { BP, R14, R13, R12, BX }, 5, 0x18 },
	{ CODE("trace_initcall_finish_cb", FENTRY "\x41\x54\x49\x89\xfc\x55\x48"
	       "\x89\xf5\x53\x89\xd3\xe8\x7a\x72\x14\x00\x49\x2b\x04\x24\x48"
	       "\x89\xee"),
	  { R12, BP, BX }, 3, 0 },
	/* mov %rsi,%r12 */
	{ CODE("copy_optimized_instructions", FENTRY "\x41\x57\xb9\x0e\x00\x00"
	       "\x00\x41\x56\x49\x89\xfe\x41\x55\x41\x54\x49\x89\xf4\x55\x53"
	       "\x31\xdb\x48\x83\xc4\x80\x48\x89\x14\x24"),
	  { R15, R14, R13, R12, BP, BX }, 6, 128 },
	{ CODE("proc_do_large_bitmap", FENTRY "\x41\x57\x89\xf0\x41\x56\x41\x55"
	       "\x41\x54\x55\x48\x89\xcd\x53\x48\x83\xc4\x80\x4c\x63\x6f\x10"),
	  { R15, R14, R13, R12, BP, BX }, 6, 128 },
	/* mov %gs:...,%r12 */
	{ CODE("kernel_sigaction", FENTRY "\x41\x54\x55\x48\x89\xf5\x53\x89\xfb"
	       "\x65\x4c\x8b\x24" CURRENT "\x48\x83\xec\x10\x49\x8b\xbc\x24"),
	  { R12, BP, BX }, 3, 0x10 },
	{ CODE("do_sigtimedwait", FENTRY "\x41\x56\x41\x55\x49\x89\xf5\x41\x54"
	       "\x55\x53\x48\x89\xd3\x65\x4c\x8b\x24" CURRENT
	       "\x48\x83\xec\x20\x48\x8b\x17"),
	  { R14, R13, R12, BP, BX }, 5, 0x20 },
	/* Ends where the stack is aligned: how much that takes is not known. */
	{ CODE("sgx_vma_fault", FENTRY "\x55\x48\x89\xe5\x41\x57\x41\x56\x41\x55"
	       "\x41\x54\x53\x48\x83\xe4\xe0\x48\x83\xc4\x80\x4c\x8b\x27"),
	  { BP, R15, R14, R13, R12, BX }, 6, 0 },
	/* Made up: endbr64, a nop of five bytes, a large frame. */
	{ CODE("endbr64", "\xf3\x0f\x1e\xfa\x0f\x1f\x44\x00\x00\x53\x48\x81"
	       "\xec\x20\x02\x00\x00\x31\xc0\x90\x90\x90\x90"),
	  { BX }, 1, 0x220 },
	/* mov %rdi,%rsp; lea 8(%rdi),%rsp; mov $1,%esp; ret; sub $-128,%rsp */
	{ CODE("mov to rsp", "\x53\x48\x89\xfc\x55\x90\x90\x90\x90\x90\x90"),
	  { BX }, 1, 0 },
	{ CODE("lea to rsp", "\x53\x48\x8d\x67\x08\x55\x90\x90\x90\x90\x90"),
	  { BX }, 1, 0 },
	{ CODE("constant to esp", "\x53\xbc\x01\x00\x00\x00\x55\x90\x90\x90"),
	  { BX }, 1, 0 },
	{ CODE("ret", "\x53\xc3\x55\x48\x83\xec\x08\x90\x90\x90\x90"),
	  { BX }, 1, 0 },
	{ CODE("gives back", "\x53\x48\x83\xec\x80\x55\x90\x90\x90\x90\x90"),
	  { BX }, 1, 0 },
#undef CODE
};

static void test_functions(void **state)
{
	struct arch_prologue p;
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		x86_64_prologue((const uint8_t *)functions[i].code,
				functions[i].n, &p);
		if (p.n_pushed != functions[i].n_pushed ||
		    p.frame_bytes != functions[i].frame_bytes ||
		    memcmp(p.pushed, functions[i].pushed, p.n_pushed))
			fail_msg("%s: %u pushed, %u bytes", functions[i].name,
				 p.n_pushed, p.frame_bytes);
	}
}

/* What is cut short says nothing else than the whole, as far as it goes; ASan
 * sees what is read behind it. */
static void test_truncated(void **state)
{
	struct arch_prologue p;
	size_t i, n;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(functions); i++) {
		for (n = 0; n < functions[i].n; n++) {
			uint8_t *code = malloc(n ? n : 1);

			assert_non_null(code);
			memcpy(code, functions[i].code, n);
			x86_64_prologue(code, n, &p);
			assert_true(p.n_pushed <= functions[i].n_pushed);
			assert_memory_equal(p.pushed, functions[i].pushed,
					    p.n_pushed);
			assert_true(!p.frame_bytes ||
				    p.frame_bytes == functions[i].frame_bytes);
			free(code);
		}
	}
}

static void test_random(void **state)
{
	struct arch_prologue p;
	unsigned seed, i;

	(void)state;
	for (seed = 1; seed <= 20000; seed++) {
		size_t n;
		uint8_t *code;

		srand(seed);
		n = (size_t)rand() % 49;
		code = malloc(n ? n : 1);
		assert_non_null(code);
		for (i = 0; i < n; i++)
			code[i] = (uint8_t)(rand() >> 8);
		/* Half of them start like a function. */
		if (seed & 1 && n > 12)
			memcpy(code, functions[seed % 16].code, 12);
		x86_64_prologue(code, n, &p);
		assert_true(p.n_pushed <= ARCH_PROLOGUE_MAX);
		for (i = 0; i < p.n_pushed; i++)
			assert_true(p.pushed[i] < 16);
		free(code);
	}
}

/* As many pushes as there is room for, and no more. */
static void test_many(void **state)
{
	struct arch_prologue p;
	uint8_t code[48];

	(void)state;
	memset(code, 0x53, sizeof(code));
	x86_64_prologue(code, sizeof(code), &p);
	assert_int_equal(p.n_pushed, ARCH_PROLOGUE_MAX);
	assert_int_equal(p.frame_bytes, 0);
}

static void test_call(void **state)
{
	/* e8 91 ae 95 00  call mutex_lock, in
	 * worker_thread; msleep's of __msecs_to_jiffies. */
	static const uint8_t forth[] = { 0xe8, 0x91, 0xae, 0x95, 0x00 };
	static const uint8_t back[] = { 0xe8, 0xa5, 0xba, 0xff, 0xff };
	static const uint8_t jump[] = { 0xe9, 0x91, 0xae, 0x95, 0x00 };
	uint64_t target = 7;

	(void)state;
	assert_true(x86_64_call_target(forth, UINT64_C(0xffffffff810b89bf),
				       &target));
	assert_int_equal(target, UINT64_C(0xffffffff81a13850));
	assert_true(x86_64_call_target(back, UINT64_C(0xffffffff8114544b),
				       &target));
	assert_int_equal(target, UINT64_C(0xffffffff81140ef0));
	assert_false(x86_64_call_target(jump, UINT64_C(0xffffffff8114544b),
					&target));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_functions),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_random),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_call),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
