// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How libdrgn is used.
 *
 * It is loaded at run time, and alone: libdw, which it needs, has functions
 * that are called like libdwarf's (see libdwarf.h).
 *
 * It gets its memory from our image (through a callback for physical
 * addresses; it walks the page tables itself), so that every dump format that
 * we read has stacks, and the same ones.  The vmlinux that we found is the
 * kernel's only file: nothing is searched for.  It indexes the vmlinux at the
 * first look-up of a type, which a stack needs and a line does not.
 *
 * Loaded modules are made known to it before the first stack is unwound, or
 * their frames would be guessed: their unwind tables are in the dump.  Their
 * debuginfo is loaded one by one, for those that an address lies in.
 *
 * File names: libdrgn has them relative to the build directory where DWARF
 * does, but assembler files and separate build directories (O=) come with
 * absolute names.  The source tree is recognised by functions that are known
 * to be in a certain file.
 */
#include "debuginfo/bridge.h"

#include "config.h"

#ifdef HAVE_DRGN

#include <dlfcn.h>
#include <drgn.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

#include "base/util.h"
#include "debuginfo/elf_file.h"
#include "debuginfo/source_name.h"
#include "image/image.h"
#include "image/record.h"

/* No kernel stack has more; a damaged one may. */
#define MAX_TRACE_FRAMES 1024u

#define FUNCTIONS(X)                                                        \
	X(create_loaded_modules)                                            \
	X(error_code)                                                       \
	X(error_create)                                                     \
	X(error_create_fault)                                               \
	X(error_destroy)                                                    \
	X(error_message)                                                    \
	X(error_os_errno)                                                   \
	X(format_object)                                                    \
	X(module_address_range)                                             \
	X(module_debug_file_status)                                         \
	X(module_find_by_address)                                           \
	X(module_find_or_create_main)                                       \
	X(module_try_file)                                                  \
	X(object_deinit)                                                    \
	X(object_init)                                                      \
	X(object_member)                                                    \
	X(object_member_dereference)                                        \
	X(object_read_integer)                                              \
	X(object_set_from_buffer)                                           \
	X(object_set_reference)                                             \
	X(object_set_unsigned)                                              \
	X(object_stack_trace)                                               \
	X(platform_create)                                                  \
	X(platform_destroy)                                                 \
	X(program_add_memory_segment)                                       \
	X(program_addr2line)                                                \
	X(program_create)                                                   \
	X(program_destroy)                                                  \
	X(program_find_type)                                                \
	X(program_flags)                                                    \
	X(program_set_core_dump)                                            \
	X(program_set_linux_kernel_custom)                                  \
	X(program_stack_trace_from_pcs)                                     \
	X(source_location_list_destroy)                                     \
	X(source_location_list_source_at)                                   \
	X(stack_frame_function_name)                                        \
	X(stack_frame_interrupted)                                          \
	X(stack_frame_is_inline)                                            \
	X(stack_frame_pc)                                                   \
	X(stack_frame_source)                                               \
	X(stack_frame_sp)                                                   \
	X(stack_trace_destroy)                                              \
	X(stack_trace_num_frames)

/* libdrgn's functions.  Per process, as what the dynamic linker loads is;
 * written once, by load_once(). */
static struct {
#define X(name) __typeof__(drgn_##name) *name;
	FUNCTIONS(X)
#undef X
	bool ready;
	char *why_not;
} drgn;

#ifdef __SANITIZE_ADDRESS__
/*
 * At exit the leak checker looks into the thread-local storage of libdrgn's
 * (OpenMP's) threads, and crashes (gcc 12's does) if their library was loaded
 * by dlopen().  Not to be told of that storage keeps it from trying.
 */
const char *__asan_default_options(void);
__attribute__((visibility("default"))) const char *__asan_default_options(void)
{
	return "intercept_tls_get_addr=0";
}
#endif

static void load_once(void)
{
	void *handle = dlopen(LIBDRGN, RTLD_NOW | RTLD_LOCAL);
	const char *error;

	if (handle) {
#define X(name) \
	drgn.name = (__typeof__(drgn.name))dlsym(handle, "drgn_" #name);
		FUNCTIONS(X)
#undef X
#define X(name) &&drgn.name
		drgn.ready = true FUNCTIONS(X);
#undef X
	}
	if (!drgn.ready) {
		error = dlerror();
		drgn.why_not = strdup(error ? error :
					      "'" LIBDRGN "' is too old");
	}
}

static struct kml_error *load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load_once);
	return drgn.ready ? NULL :
			    error_new(KML_ERR_UNSUPPORTED,
				      "libdrgn cannot be loaded: %s",
				      drgn.why_not ? drgn.why_not : "no memory");
}

struct bridge {
	struct image *image;
	uint64_t kaslr_offset;
	struct drgn_program *program;
	struct drgn_module *kernel;
	struct kml_error *no_memory; /* why there is none: no stacks then */
	bool modules_created; /* drgn_modules, of all that are loaded */
	char *source_trees[3];
};

static void error_cleanup(struct drgn_error **error)
{
	drgn.error_destroy(*error);
}
#define _cleanup_drgn_error_ __attribute__((cleanup(error_cleanup)))

static void trace_cleanup(struct drgn_stack_trace **trace)
{
	if (*trace)
		drgn.stack_trace_destroy(*trace);
}
#define _cleanup_trace_ __attribute__((cleanup(trace_cleanup)))

static void object_cleanup(struct drgn_object *object)
{
	drgn.object_deinit(object);
}
#define _cleanup_object_ __attribute__((cleanup(object_cleanup)))

/* Turn libdrgn's error into ours; it is freed. */
static struct kml_error *convert_error(struct drgn_error *error,
				       const char *what)
{
	enum kml_code code = KML_ERR_UNSUPPORTED;
	struct kml_error *result;

	if (drgn.error_code(error) == DRGN_ERROR_FAULT)
		code = KML_ERR_NODATA;
	if (drgn.error_code(error) == DRGN_ERROR_NO_MEMORY)
		result = error_nomem();
	else if (drgn.error_code(error) == DRGN_ERROR_OS)
		result = error_os(drgn.error_os_errno(error), "%s", what);
	else
		result = error_new(code, "%s: %s", what,
				   drgn.error_message(error));
	drgn.error_destroy(error);
	return result;
}

/* Give libdrgn physical memory. */
static struct drgn_error *read_image(void *buf, uint64_t address, size_t count,
				     uint64_t offset, void *arg, bool physical)
{
	struct image *image = arg;
	/* What libdrgn looks at is none of the report's. */
	bool paused = image_record_pause(image, true);
	struct kml_error *error = image_read_pa(image, address, buf, count);
	struct drgn_error *result;

	image_record_pause(image, paused);

	(void)offset;
	(void)physical;
	if (!error)
		return NULL;
	result = drgn.error_create_fault(kml_error_message(error), address);
	kml_error_destroy(error);
	return result;
}

/* A kernel of that VMCOREINFO; its memory, if any, is @image. */
static struct drgn_error *create_custom(const struct drgn_platform *platform,
					const char *vmcoreinfo,
					struct image *image,
					struct drgn_program **ret)
{
	struct drgn_program *program;
	struct drgn_error *error = drgn.program_create(platform, &program);

	if (error)
		return error;
	error = drgn.program_set_linux_kernel_custom(
		program, vmcoreinfo, strlen(vmcoreinfo), false);
	if (!error && image)
		error = drgn.program_add_memory_segment(program, 0, UINT64_MAX,
							read_image, image,
							true);
	if (error)
		drgn.program_destroy(program);
	else
		*ret = program;
	return error;
}

static struct kml_error *create_of_image(struct bridge *bridge,
					 const struct drgn_platform *platform)
{
	_cleanup_free_ char *info = NULL;
	struct drgn_error *error;

	/* Of two lines libdrgn takes the last: ours. */
	if (asprintf(&info, "%s\nKERNELOFFSET=%" PRIx64 "\n",
		     image_vmcoreinfo(bridge->image),
		     bridge->kaslr_offset) < 0) {
		info = NULL;
		return error_nomem();
	}
	error = create_custom(platform, info, bridge->image, &bridge->program);
	return error ? convert_error(error, "libdrgn cannot use the dump") :
		       NULL;
}

static struct kml_error *create_of_vmcore(struct bridge *bridge,
					  const char *vmcore)
{
	struct drgn_program *program;
	struct drgn_error *error = drgn.program_create(NULL, &program);

	if (error)
		return convert_error(error, "libdrgn");
	error = drgn.program_set_core_dump(program, vmcore);
	if (!error &&
	    !(drgn.program_flags(program) & DRGN_PROGRAM_IS_LINUX_KERNEL))
		error = drgn.error_create(DRGN_ERROR_INVALID_ARGUMENT,
					  "no dump of a Linux kernel");
	if (error) {
		drgn.program_destroy(program);
		return convert_error(error, "libdrgn cannot read the dump");
	}
	bridge->program = program;
	return NULL;
}

/* A program without memory: just enough VMCOREINFO for it to be a kernel that
 * is loaded at our offset. */
static struct kml_error *create_of_nothing(struct bridge *bridge,
					   const struct drgn_platform *platform)
{
	struct drgn_error *error;
	char info[160];

	snprintf(info, sizeof(info),
		 "OSRELEASE=unknown\nPAGESIZE=4096\n"
		 "SYMBOL(swapper_pg_dir)=ffffffffffffffff\n"
		 "KERNELOFFSET=%" PRIx64 "\n",
		 bridge->kaslr_offset);
	error = create_custom(platform, info, NULL, &bridge->program);
	return error ? convert_error(error, "libdrgn") : NULL;
}

/* Make the program, with memory if that is to be had. */
static struct kml_error *create_program(struct bridge *bridge,
					enum drgn_architecture arch,
					const char *vmcore)
{
	struct drgn_platform *platform;
	struct drgn_error *error;
	struct kml_error *result = NULL;

	error = drgn.platform_create(arch, DRGN_PLATFORM_DEFAULT_FLAGS,
				     &platform);
	if (error)
		return convert_error(error, "libdrgn");
	if (bridge->image)
		bridge->no_memory = create_of_image(bridge, platform);
	else if (vmcore)
		bridge->no_memory = create_of_vmcore(bridge, vmcore);
	else
		bridge->no_memory = error_new(KML_ERR_UNSUPPORTED,
					      "libdrgn has no dump to read");
	if (bridge->no_memory)
		result = create_of_nothing(bridge, platform);
	drgn.platform_destroy(platform);
	return result;
}

/* Open the vmlinux, unpacked if need be, and see what machine it is for. */
static struct kml_error *open_vmlinux(const char *path, int *fd_ret,
				      enum drgn_architecture *arch_ret)
{
	_cleanup_close_ int fd = -1;
	struct kml_error *error;
	enum file_kind kind;
	Elf64_Ehdr ehdr;
	size_t bytes;

	error = file_kind(path, &kind);
	if (!error && kind == FILE_ZSTD)
		error = zst_to_memfd(path, &fd, &bytes);
	if (error)
		return error;
	if (fd < 0)
		fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return error_os(errno, "cannot open '%s'", path);
	if (pread(fd, &ehdr, sizeof(ehdr), 0) != (ssize_t)sizeof(ehdr) ||
	    memcmp(ehdr.e_ident, ELFMAG, SELFMAG) ||
	    ehdr.e_ident[EI_CLASS] != ELFCLASS64)
		return error_new(KML_ERR_FORMAT, "'%s' is no 64-bit ELF file",
				 path);
	*arch_ret = ehdr.e_machine == EM_X86_64	 ? DRGN_ARCH_X86_64 :
		    ehdr.e_machine == EM_AARCH64 ? DRGN_ARCH_AARCH64 :
						   DRGN_ARCH_UNKNOWN;
	*fd_ret = fd;
	fd = -1;
	return NULL;
}

/* Load the vmlinux, and nothing else; takes @fd. */
static struct kml_error *load_kernel(struct bridge *bridge,
				     const char *vmlinux, int fd)
{
	struct drgn_error *error;
	bool new;

	error = drgn.module_find_or_create_main(bridge->program, "kernel",
						&bridge->kernel, &new);
	if (error)
		close(fd);
	else
		/* Whether it is the right one was settled before. */
		error = drgn.module_try_file(bridge->kernel, vmlinux, fd, true);
	if (error)
		return convert_error(error, vmlinux);
	if (drgn.module_debug_file_status(bridge->kernel) !=
	    DRGN_MODULE_FILE_HAVE)
		return error_new(KML_ERR_DEBUGINFO,
				 "libdrgn finds no debuginfo in '%s'", vmlinux);
	return NULL;
}

/* Find the source trees: what precedes a known function's known file name. */
static void find_source_trees(struct bridge *bridge)
{
	static const struct {
		const char *function, *file;
	} known[] = {
		{ "start_kernel", "init/main.c" },
		{ "secondary_startup_64", "arch/x86/kernel/head_64.S" },
		{ "primary_entry", "arch/arm64/kernel/head.S" },
	};
	struct drgn_source_location_list *list;
	const char *name;
	size_t i;

	_Static_assert(ARRAY_SIZE(known) == ARRAY_SIZE(bridge->source_trees),
		       "a slot for each");
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		_cleanup_drgn_error_ struct drgn_error *error =
			drgn.program_addr2line(bridge->program,
					       known[i].function, &list);

		if (error)
			continue;
		name = drgn.source_location_list_source_at(list, 0, NULL, NULL);
		if (name)
			bridge->source_trees[i] =
				source_name_tree(name, known[i].file);
		drgn.source_location_list_destroy(list);
	}
}

bool bridge_compiled_in(void)
{
	return true;
}

struct kml_error *bridge_open(const struct bridge_options *options,
			      struct bridge **ret)
{
	enum drgn_architecture arch;
	struct kml_error *error;
	struct bridge *bridge;
	int fd;

	error = load();
	if (!error)
		error = open_vmlinux(options->vmlinux, &fd, &arch);
	if (error)
		return error;
	bridge = calloc(1, sizeof(*bridge));
	if (!bridge) {
		close(fd);
		return error_nomem();
	}
	bridge->image = options->image;
	bridge->kaslr_offset = options->kaslr_offset;
	error = create_program(bridge, arch, options->vmcore);
	if (error)
		close(fd);
	else
		error = load_kernel(bridge, options->vmlinux, fd);
	if (error) {
		bridge_close(bridge);
		return error;
	}
	find_source_trees(bridge);
	*ret = bridge;
	return NULL;
}

void bridge_close(struct bridge *bridge)
{
	size_t i;

	if (!bridge)
		return;
	if (bridge->program)
		drgn.program_destroy(bridge->program);
	for (i = 0; i < ARRAY_SIZE(bridge->source_trees); i++)
		free(bridge->source_trees[i]);
	kml_error_destroy(bridge->no_memory);
	free(bridge);
}

bool bridge_image(const struct bridge *bridge, uint64_t *start_ret,
		  uint64_t *end_ret)
{
	return drgn.module_address_range(bridge->kernel, 0, start_ret,
					 end_ret);
}

/* Make the loaded modules known to libdrgn.  What it can't find out about them
 * does no harm. */
static void create_modules(struct bridge *bridge)
{
	if (!bridge->modules_created && !bridge->no_memory)
		drgn.error_destroy(drgn.create_loaded_modules(bridge->program));
	bridge->modules_created = true;
}

bool bridge_load_module(struct bridge *bridge, uint64_t address,
			const char *path)
{
	struct drgn_module *module;

	create_modules(bridge);
	module = drgn.module_find_by_address(bridge->program, address);
	if (!module || module == bridge->kernel)
		return false;
	drgn.error_destroy(drgn.module_try_file(module, path, -1, false));
	return drgn.module_debug_file_status(module) == DRGN_MODULE_FILE_HAVE;
}

/* Call @fn with frames [@first, @last] of a trace, of which the last is the
 * function and the others are inlined into it. */
static bool convert_frame(struct bridge *bridge,
			  struct drgn_stack_trace *trace, size_t first,
			  size_t last, bridge_fn *fn, void *arg)
{
	size_t n = MIN(last - first + 1, (size_t)BRIDGE_MAX_INLINED), i;
	struct lines_frame frames[BRIDGE_MAX_INLINED];
	struct bridge_frame result = { .frames = frames, .n_frames = n };
	char *files[BRIDGE_MAX_INLINED];
	bool more;

	if (!drgn.stack_frame_sp(trace, last, &result.sp))
		result.sp = 0;
	if (!drgn.stack_frame_pc(trace, last, &result.pc))
		result.pc = 0;
	result.address = result.pc;
	if (!drgn.stack_frame_interrupted(trace, last))
		result.address--;
	for (i = 0; i < n; i++) {
		const char *file;
		int line = 0;

		file = drgn.stack_frame_source(trace, first + i, &line, NULL);
		files[i] = file ? source_name_short(
					  file, bridge->source_trees,
					  ARRAY_SIZE(bridge->source_trees)) :
				  NULL;
		frames[i] = (struct lines_frame){
			.function = drgn.stack_frame_function_name(trace,
								   first + i),
			.file = files[i],
			.line = line > 0 ? (unsigned)line : 0,
			.inlined = drgn.stack_frame_is_inline(trace, first + i),
		};
	}
	/* Assembler has lines but no functions; then symbols are as good. */
	if (n == 1 && !frames[0].function && !frames[0].file)
		result.n_frames = 0;
	more = fn(arg, &result);
	for (i = 0; i < n; i++)
		free(files[i]);
	return more;
}

bool bridge_resolve(struct bridge *bridge, uint64_t address, bridge_fn *fn,
		    void *arg)
{
	/* It takes them for return addresses, and looks for the byte before. */
	_cleanup_drgn_error_ struct drgn_error *error = NULL;
	_cleanup_trace_ struct drgn_stack_trace *trace = NULL;
	uint64_t pc = address + 1;
	size_t n;

	error = drgn.program_stack_trace_from_pcs(bridge->program, &pc, 1,
						  &trace);
	n = error ? 0 : drgn.stack_trace_num_frames(trace);
	if (!n)
		return false;
	convert_frame(bridge, trace, 0, n - 1, fn, arg);
	return true;
}

/* An integer member of the task_struct that @task points to, or, if @outer is
 * not NULL, of that member of it.  false: it cannot be had. */
static bool read_member(struct bridge *bridge, const struct drgn_object *task,
			const char *outer, const char *member, uint64_t *ret)
{
	_cleanup_drgn_error_ struct drgn_error *error = NULL;
	_cleanup_object_ struct drgn_object object;
	union drgn_value value;

	drgn.object_init(&object, bridge->program);
	error = drgn.object_member_dereference(&object, task,
					       outer ? outer : member);
	if (!error && outer)
		error = drgn.object_member(&object, &object, member);
	if (!error)
		error = drgn.object_read_integer(&object, &value);
	if (error)
		return false;
	*ret = value.uvalue;
	return true;
}

/* Of every kernel's task stacks. */
#define MIN_STACK_BYTES 16384u

/*
 * The registers of the CPU that a task runs on; NULL if it doesn't run or they
 * are not known.  libdrgn knows registers only of dumps that it opened itself.
 */
static const struct image_regs *running_regs(struct bridge *bridge,
					     const struct drgn_object *task)
{
	const struct image_facts *facts = image_facts(bridge->image);
	uint64_t on_cpu, cpu, stack;
	unsigned i;

	if (!read_member(bridge, task, NULL, "on_cpu", &on_cpu) || !on_cpu)
		return NULL;
	/* A dump may have none of a CPU that was offline, and those behind it
	 * in its place: the stack pointer tells. */
	if (read_member(bridge, task, NULL, "stack", &stack)) {
		for (i = 0; i < facts->n_cpus; i++) {
			if (facts->cpus[i].present &&
			    facts->cpus[i].sp - stack < MIN_STACK_BYTES)
				return &facts->cpus[i];
		}
	}
	/* Since Linux 5.16, commit bcf9033e5449, in thread_info; before that
	 * in task_struct. */
	if (!read_member(bridge, task, NULL, "cpu", &cpu) &&
	    !read_member(bridge, task, "thread_info", "cpu", &cpu))
		return NULL;
	if (cpu >= facts->n_cpus || !facts->cpus[cpu].present)
		return NULL;
	return &facts->cpus[cpu];
}

/* The trace of a running task from its CPU's registers. */
static struct drgn_error *trace_regs(struct bridge *bridge,
				     const struct image_regs *regs,
				     struct drgn_stack_trace **ret)
{
	/* struct pt_regs: r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di
	 * (here their numbers), orig_ax ip cs flags sp ss */
	static const uint8_t order[] = { 15, 14, 13, 12, 5, 3, 11, 10,
					 9,  8,	 0,  1,	 2, 6, 7 };
	uint64_t pt_regs[21] = { 0 };
	_cleanup_object_ struct drgn_object object;
	struct drgn_qualified_type type;
	struct drgn_error *error;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(order); i++)
		pt_regs[i] = regs->gpr[order[i]];
	pt_regs[16] = regs->ip;
	pt_regs[19] = regs->sp;
	drgn.object_init(&object, bridge->program);
	error = drgn.program_find_type(bridge->program, "struct pt_regs", NULL,
				       &type);
	if (!error)
		error = drgn.object_set_from_buffer(&object, type, pt_regs,
						    sizeof(pt_regs), 0, 0);
	if (!error)
		error = drgn.object_stack_trace(&object, ret);
	return error;
}

static struct drgn_error *trace_task(struct bridge *bridge, uint64_t task_va,
				     struct drgn_stack_trace **ret)
{
	const struct image_regs *regs = NULL;
	_cleanup_object_ struct drgn_object task;
	struct drgn_qualified_type type;
	struct drgn_error *error;

	drgn.object_init(&task, bridge->program);
	error = drgn.program_find_type(bridge->program, "struct task_struct *",
				       NULL, &type);
	if (!error)
		error = drgn.object_set_unsigned(&task, type, task_va, 0);
	if (error)
		return error;
	if (bridge->image)
		regs = running_regs(bridge, &task);
	if (regs)
		return trace_regs(bridge, regs, ret);
	return drgn.object_stack_trace(&task, ret);
}

static void convert_trace(struct bridge *bridge,
			  struct drgn_stack_trace *trace, bridge_fn *fn,
			  void *arg)
{
	size_t n = drgn.stack_trace_num_frames(trace), i, first = 0;
	uint64_t pc;

	n = MIN(n, (size_t)MAX_TRACE_FRAMES);
	for (i = 0; i < n; i++) {
		if (drgn.stack_frame_is_inline(trace, i) && i + 1 < n)
			continue;
		/* Behind the entry from user space are the user's frames. */
		if ((drgn.stack_frame_pc(trace, i, &pc) && !(pc >> 63)) ||
		    !convert_frame(bridge, trace, first, i, fn, arg))
			return;
		first = i + 1;
	}
}

/* Have the debuginfo of modules loaded that a trace leads through; true if
 * some is new, so that the trace lacks what it could have now. */
static bool load_trace_modules(struct drgn_stack_trace *trace,
			       bool (*module)(void *arg, uint64_t address),
			       void *arg)
{
	size_t n = drgn.stack_trace_num_frames(trace), i;
	bool any = false;
	uint64_t pc;

	for (i = 0; i < n; i++)
		if (drgn.stack_frame_pc(trace, i, &pc) && module(arg, pc))
			any = true;
	return any;
}

struct kml_error *bridge_stack(struct bridge *bridge, uint64_t task_va,
			       bool (*module)(void *arg, uint64_t address),
			       bridge_fn *fn, void *arg)
{
	_cleanup_trace_ struct drgn_stack_trace *trace = NULL;
	struct drgn_error *error;

	if (bridge->no_memory)
		return error_at(kml_error_code(bridge->no_memory), task_va,
				"%s", kml_error_message(bridge->no_memory));
	create_modules(bridge);
	error = trace_task(bridge, task_va, &trace);
	if (!error && module && load_trace_modules(trace, module, arg)) {
		drgn.stack_trace_destroy(trace);
		trace = NULL;
		error = trace_task(bridge, task_va, &trace);
	}
	if (error)
		return convert_error(error, "libdrgn");
	convert_trace(bridge, trace, fn, arg);
	return NULL;
}

struct kml_error *bridge_format(struct bridge *bridge, const char *type_name,
				uint64_t address, char **ret)
{
	const struct drgn_format_object_options options = {
		.columns = 80,
		.flags = DRGN_FORMAT_OBJECT_PRETTY &
			 ~DRGN_FORMAT_OBJECT_IMPLICIT_MEMBERS &
			 ~DRGN_FORMAT_OBJECT_DEREFERENCE,
		.integer_base = 10,
	};
	_cleanup_object_ struct drgn_object object;
	struct drgn_qualified_type type;
	struct drgn_error *error;

	if (bridge->no_memory)
		return error_at(kml_error_code(bridge->no_memory), address,
				"%s", kml_error_message(bridge->no_memory));
	drgn.object_init(&object, bridge->program);
	error = drgn.program_find_type(bridge->program, type_name, NULL, &type);
	if (!error)
		error = drgn.object_set_reference(&object, type, address, 0, 0);
	if (!error)
		error = drgn.format_object(&object, &options, ret);
	return error ? convert_error(error, "libdrgn") : NULL;
}

#else /* !HAVE_DRGN */

bool bridge_compiled_in(void)
{
	return false;
}

struct kml_error *bridge_open(const struct bridge_options *options,
			      struct bridge **ret)
{
	(void)options;
	(void)ret;
	return error_new(KML_ERR_UNSUPPORTED, "built without libdrgn");
}

void bridge_close(struct bridge *bridge)
{
	(void)bridge;
}

bool bridge_image(const struct bridge *bridge, uint64_t *start_ret,
		  uint64_t *end_ret)
{
	(void)bridge;
	(void)start_ret;
	(void)end_ret;
	return false;
}

bool bridge_load_module(struct bridge *bridge, uint64_t address,
			const char *path)
{
	(void)bridge;
	(void)address;
	(void)path;
	return false;
}

bool bridge_resolve(struct bridge *bridge, uint64_t address, bridge_fn *fn,
		    void *arg)
{
	(void)bridge;
	(void)address;
	(void)fn;
	(void)arg;
	return false;
}

struct kml_error *bridge_stack(struct bridge *bridge, uint64_t task_va,
			       bool (*module)(void *arg, uint64_t address),
			       bridge_fn *fn, void *arg)
{
	(void)bridge;
	(void)module;
	(void)fn;
	(void)arg;
	return error_at(KML_ERR_UNSUPPORTED, task_va, "built without libdrgn");
}

struct kml_error *bridge_format(struct bridge *bridge, const char *type,
				uint64_t address, char **ret)
{
	(void)bridge;
	(void)type;
	(void)ret;
	return error_at(KML_ERR_UNSUPPORTED, address, "built without libdrgn");
}

#endif
