// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * How libdrgn is used.
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
#include "debuginfo/lines.h"

#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "base/vec.h"
#include "debuginfo/cache_dir.h"
#include "debuginfo/elf_file.h"
#include "debuginfo/line_cache.h"
#include "debuginfo/module_file.h"
#include "image/image.h"

#ifdef HAVE_DRGN

#include <drgn.h>
#include <elf.h>
#include <inttypes.h>

/* No compiler inlines deeper, nor does the kernel nest calls more. */
#define MAX_TRACE_FRAMES 1024u

struct module {
	char *name;
	uint64_t start_va, end_va;
	bool tried;  /* to load its debuginfo */
	bool loaded; /* it is */
};

struct lines {
	struct image *image;
	char *vmcore; /* NULL if the dump is of several files */
	char *vmlinux;
	uint64_t kaslr_offset;
	struct line_cache *cache;
	char *cache_path; /* NULL: none */
	char build_id[2 * 64 + 1];
	bool started;
	char *why_not;
	char *why_no_stacks;
	struct drgn_program *program; /* NULL unless started and well */
	struct drgn_module *kernel;
	bool modules_created; /* drgn_modules, of all that are loaded */
	VEC(struct module) modules;
	/* Source trees, with the slash; "" is none. */
	char *source_dirs[3];
};

static void drgn_error_destroyp(struct drgn_error **error)
{
	drgn_error_destroy(*error);
}
#define _cleanup_drgn_error_ __attribute__((cleanup(drgn_error_destroyp)))

static void drgn_stack_trace_destroyp(struct drgn_stack_trace **trace)
{
	if (*trace)
		drgn_stack_trace_destroy(*trace);
}
#define _cleanup_trace_ __attribute__((cleanup(drgn_stack_trace_destroyp)))

/* Say why there are no lines; the first reason stands. */
static void give_up(struct lines *lines, const char *what, const char *why)
{
	if (!lines->why_not &&
	    asprintf(&lines->why_not, "%s%s%s", what, why ? ": " : "",
		     why ? why : "") < 0)
		lines->why_not = NULL;
}

/* Its message; of a failed system call, that says more than libdrgn's. */
static const char *drgn_message(struct drgn_error *error)
{
	return drgn_error_code(error) == DRGN_ERROR_OS ?
		       strerror(drgn_error_os_errno(error)) :
		       drgn_error_message(error);
}

static void give_up_stacks(struct lines *lines, const char *what,
			   const char *why)
{
	if (!lines->why_no_stacks &&
	    asprintf(&lines->why_no_stacks, "%s%s%s", what, why ? ": " : "",
		     why ? why : "") < 0)
		lines->why_no_stacks = NULL;
}

struct kml_error *lines_open(const struct lines_options *options,
			     struct lines **ret)
{
	struct lines *lines = calloc(1, sizeof(*lines));
	size_t i;

	if (!lines)
		return error_nomem();
	lines->image = options->image;
	lines->kaslr_offset = options->kaslr_offset;
	lines->cache = line_cache_create();
	if (!lines->cache)
		goto nomem;
	if (options->vmlinux && !(lines->vmlinux = strdup(options->vmlinux)))
		goto nomem;
	if (options->n_vmcore == 1 &&
	    !(lines->vmcore = strdup(options->vmcore[0])))
		goto nomem;
	if (options->build_id_bytes < sizeof(lines->build_id) / 2) {
		for (i = 0; i < options->build_id_bytes; i++)
			sprintf(lines->build_id + 2 * i, "%02x",
				options->build_id[i]);
		lines->cache_path = cache_path(options->cache_dir,
					       options->build_id,
					       options->build_id_bytes,
					       ".lines");
	}
	if (lines->cache_path)
		line_cache_load(lines->cache, lines->cache_path,
				lines->build_id);
	*ret = lines;
	return NULL;

nomem:
	lines_close(lines);
	return error_nomem();
}

void lines_close(struct lines *lines)
{
	size_t i;

	if (!lines)
		return;
	if (lines->cache_path && lines->cache &&
	    line_cache_dirty(lines->cache))
		line_cache_save(lines->cache, lines->cache_path,
				lines->build_id);
	if (lines->program)
		drgn_program_destroy(lines->program);
	for (i = 0; i < ARRAY_SIZE(lines->source_dirs); i++)
		free(lines->source_dirs[i]);
	for (i = 0; i < lines->modules.size; i++)
		free(lines->modules.data[i].name);
	vec_deinit(&lines->modules);
	line_cache_destroy(lines->cache);
	free(lines->cache_path);
	free(lines->why_no_stacks);
	free(lines->why_not);
	free(lines->vmlinux);
	free(lines->vmcore);
	free(lines);
}

const char *lines_why_not(const struct lines *lines)
{
	return lines->why_not;
}

struct kml_error *lines_add_module(struct lines *lines, const char *name,
				   uint64_t start_va, uint64_t bytes)
{
	struct module module = {
		.name = strdup(name),
		.start_va = start_va,
		.end_va = start_va + bytes,
	};

	if (!module.name || !vec_push(&lines->modules, module)) {
		free(module.name);
		return error_nomem();
	}
	return NULL;
}

/* Give libdrgn physical memory; count + offset are within the segment. */
static struct drgn_error *read_image(void *buf, uint64_t address, size_t count,
				     uint64_t offset, void *arg, bool physical)
{
	struct image *image = arg;
	struct kml_error *error = image_read_pa(image, address, buf, count);
	struct drgn_error *result;

	(void)offset;
	(void)physical;
	if (!error)
		return NULL;
	result = drgn_error_create_fault(kml_error_message(error), address);
	kml_error_destroy(error);
	return result;
}

/* A program whose memory is our image. */
static struct drgn_error *program_of_image(struct lines *lines,
					   const struct drgn_platform *platform,
					   struct drgn_program **ret)
{
	_cleanup_free_ char *info = NULL;
	struct drgn_program *program;
	struct drgn_error *error;
	int n;

	/* Of two lines libdrgn takes the last: ours. */
	n = asprintf(&info, "%s\nKERNELOFFSET=%" PRIx64 "\n",
		     image_vmcoreinfo(lines->image), lines->kaslr_offset);
	if (n < 0) {
		info = NULL;
		return &drgn_enomem;
	}
	error = drgn_program_create(platform, &program);
	if (error)
		return error;
	error = drgn_program_set_linux_kernel_custom(program, info, (size_t)n,
						     false);
	if (!error)
		error = drgn_program_add_memory_segment(program, 0, UINT64_MAX,
							read_image,
							lines->image, true);
	if (error)
		drgn_program_destroy(program);
	else
		*ret = program;
	return error;
}

static struct drgn_error *program_of_vmcore(struct lines *lines,
					    struct drgn_program **ret)
{
	struct drgn_program *program;
	struct drgn_error *error = drgn_program_create(NULL, &program);

	if (error)
		return error;
	error = drgn_program_set_core_dump(program, lines->vmcore);
	if (!error && !(drgn_program_flags(program) &
			DRGN_PROGRAM_IS_LINUX_KERNEL))
		error = drgn_error_create(DRGN_ERROR_INVALID_ARGUMENT,
					  "no dump of a Linux kernel");
	if (error)
		drgn_program_destroy(program);
	else
		*ret = program;
	return error;
}

/* A program without memory: just enough VMCOREINFO for it to be a kernel that
 * is loaded at our offset. */
static struct drgn_error *program_of_nothing(struct lines *lines,
					     const struct drgn_platform *platform,
					     struct drgn_program **ret)
{
	struct drgn_program *program;
	struct drgn_error *error;
	char info[160];
	int n;

	n = snprintf(info, sizeof(info),
		     "OSRELEASE=unknown\nPAGESIZE=4096\n"
		     "SYMBOL(swapper_pg_dir)=ffffffffffffffff\n"
		     "KERNELOFFSET=%" PRIx64 "\n",
		     lines->kaslr_offset);
	error = drgn_program_create(platform, &program);
	if (error)
		return error;
	error = drgn_program_set_linux_kernel_custom(program, info, (size_t)n,
						     false);
	if (error)
		drgn_program_destroy(program);
	else
		*ret = program;
	return error;
}

/* Open the vmlinux, unpacked if need be, and see what machine it is for. */
static int open_vmlinux(struct lines *lines, enum drgn_architecture *ret)
{
	_cleanup_error_ struct kml_error *error = NULL;
	_cleanup_close_ int fd = -1;
	enum file_kind kind;
	Elf64_Ehdr ehdr;
	size_t bytes;
	int result;

	error = file_kind(lines->vmlinux, &kind);
	if (!error && kind == FILE_ZSTD)
		error = zst_to_memfd(lines->vmlinux, &fd, &bytes);
	if (error) {
		give_up(lines, kml_error_message(error), NULL);
		return -1;
	}
	if (fd < 0)
		fd = open(lines->vmlinux, O_RDONLY | O_CLOEXEC);
	if (fd < 0 ||
	    pread(fd, &ehdr, sizeof(ehdr), 0) != (ssize_t)sizeof(ehdr) ||
	    memcmp(ehdr.e_ident, ELFMAG, SELFMAG) ||
	    ehdr.e_ident[EI_CLASS] != ELFCLASS64) {
		give_up(lines, lines->vmlinux, "not a 64-bit ELF file");
		return -1;
	}
	*ret = ehdr.e_machine == EM_X86_64  ? DRGN_ARCH_X86_64 :
	       ehdr.e_machine == EM_AARCH64 ? DRGN_ARCH_AARCH64 :
					      DRGN_ARCH_UNKNOWN;
	result = fd;
	fd = -1;
	return result;
}

/* Make lines->program, with memory if that is to be had. */
static bool create_program(struct lines *lines, enum drgn_architecture arch)
{
	_cleanup_drgn_error_ struct drgn_error *error = NULL;
	struct drgn_platform *platform;

	error = drgn_platform_create(arch, DRGN_PLATFORM_DEFAULT_FLAGS,
				     &platform);
	if (error) {
		give_up(lines, "libdrgn", drgn_message(error));
		return false;
	}
	if (lines->image)
		error = program_of_image(lines, platform, &lines->program);
	else if (lines->vmcore)
		error = program_of_vmcore(lines, &lines->program);
	else
		give_up_stacks(lines, "libdrgn has no dump to read", NULL);
	if (error)
		give_up_stacks(lines, "libdrgn cannot read the dump",
			       drgn_message(error));
	if (!lines->program) {
		drgn_error_destroy(error);
		error = program_of_nothing(lines, platform, &lines->program);
		if (error)
			give_up(lines, "libdrgn", drgn_message(error));
	}
	drgn_platform_destroy(platform);
	return lines->program;
}

/* Load the vmlinux, and nothing else; takes @fd. */
static bool load_kernel(struct lines *lines, int fd)
{
	_cleanup_drgn_error_ struct drgn_error *error = NULL;
	uint64_t start, end;
	bool new;

	error = drgn_module_find_or_create_main(lines->program, "kernel",
						&lines->kernel, &new);
	if (error)
		close(fd);
	else
		/* Whether it is the right one was settled before. */
		error = drgn_module_try_file(lines->kernel, lines->vmlinux, fd,
					     true);
	if (error) {
		give_up(lines, lines->vmlinux, drgn_message(error));
		return false;
	}
	if (drgn_module_debug_file_status(lines->kernel) !=
	    DRGN_MODULE_FILE_HAVE) {
		give_up(lines, lines->vmlinux,
			"libdrgn finds no debugging information in it");
		return false;
	}
	if (drgn_module_address_range(lines->kernel, 0, &start, &end))
		line_cache_set_image(lines->cache, start - lines->kaslr_offset,
				     end - lines->kaslr_offset);
	return true;
}

/* Collapse "//", "./" and "x/.." of a path in place. */
static void normalise(char *path)
{
	char *root = path + (*path == '/'), *from = root, *to = root;

	while (*from) {
		size_t n = strcspn(from, "/");
		char *last = to; /* the start of what is the last part so far */

		while (last > root && last[-1] != '/')
			last--;
		if (n == 0 || (n == 1 && from[0] == '.')) {
			/* nothing to keep */
		} else if (n == 2 && !memcmp(from, "..", 2) && to > root &&
			   strncmp(last, "..", (size_t)(to - last))) {
			to = last > root ? last - 1 : root;
		} else {
			if (to > root)
				*to++ = '/';
			memmove(to, from, n);
			to += n;
		}
		from += n;
		if (*from)
			from++;
	}
	*to = '\0';
}

/* The source file's name without the source tree, to be freed; or NULL. */
static char *short_name(const struct lines *lines, const char *name)
{
	char *copy = strdup(name);
	size_t i, n;

	if (!copy)
		return NULL;
	normalise(copy);
	for (i = 0; i < ARRAY_SIZE(lines->source_dirs); i++) {
		const char *dir = lines->source_dirs[i];

		if (!dir)
			continue;
		n = strlen(dir);
		if (!strncmp(copy, dir, n)) {
			memmove(copy, copy + n, strlen(copy + n) + 1);
			break;
		}
	}
	return copy;
}

/* Find the source trees: what precedes a known function's known file name. */
static void find_source_dirs(struct lines *lines)
{
	static const struct {
		const char *function, *file;
	} known[] = {
		{ "start_kernel", "init/main.c" },
		{ "secondary_startup_64", "arch/x86/kernel/head_64.S" },
		{ "primary_entry", "arch/arm64/kernel/head.S" },
	};
	struct drgn_source_location_list *list;
	size_t i, len, tail;
	const char *name;
	char *copy;

	_Static_assert(ARRAY_SIZE(known) == ARRAY_SIZE(lines->source_dirs),
		       "a slot for each");
	for (i = 0; i < ARRAY_SIZE(known); i++) {
		_cleanup_drgn_error_ struct drgn_error *error =
			drgn_program_addr2line(lines->program,
					       known[i].function, &list);

		if (error)
			continue;
		name = drgn_source_location_list_source_at(list, 0, NULL, NULL);
		copy = name ? strdup(name) : NULL;
		drgn_source_location_list_destroy(list);
		if (!copy)
			continue;
		normalise(copy);
		len = strlen(copy);
		tail = strlen(known[i].file);
		if (len > tail && copy[len - tail - 1] == '/' &&
		    !strcmp(copy + len - tail, known[i].file)) {
			copy[len - tail] = '\0';
			lines->source_dirs[i] = copy;
		} else {
			free(copy);
		}
	}
}

/* Start libdrgn, at most once; false if there is none. */
static bool start(struct lines *lines)
{
	enum drgn_architecture arch;
	int fd;

	if (lines->started)
		return lines->program;
	lines->started = true;
	if (!lines->vmlinux) {
		give_up(lines, "there is no vmlinux", NULL);
		return false;
	}
	fd = open_vmlinux(lines, &arch);
	if (fd < 0)
		return false;
	if (!create_program(lines, arch)) {
		close(fd);
		return false;
	}
	if (!load_kernel(lines, fd)) {
		drgn_program_destroy(lines->program);
		lines->program = NULL;
		return false;
	}
	find_source_dirs(lines);
	return true;
}

static bool in_kernel_image(const struct lines *lines, uint64_t key)
{
	uint64_t start, end;

	return line_cache_image(lines->cache, &start, &end) && key >= start &&
	       key < end;
}

/* Make the loaded modules known to libdrgn.  What it can't find out about them
 * does no harm. */
static void create_modules(struct lines *lines)
{
	if (!lines->modules_created && !lines->why_no_stacks)
		drgn_error_destroy(
			drgn_create_loaded_modules(lines->program));
	lines->modules_created = true;
}

static struct module *find_module(struct lines *lines, uint64_t address)
{
	size_t i;

	for (i = 0; i < lines->modules.size; i++) {
		struct module *module = &lines->modules.data[i];

		if (address >= module->start_va && address < module->end_va)
			return module;
	}
	return NULL;
}

/*
 * Load the debuginfo of the module that has code at @address; false if there
 * is none, or no such module.  *@new_ret: this call did it.
 */
static bool load_module(struct lines *lines, uint64_t address, bool *new_ret)
{
	struct module *module = find_module(lines, address);
	_cleanup_free_ char *path = NULL;
	struct drgn_module *m;

	*new_ret = false;
	if (!module || module->tried)
		return module && module->loaded;
	module->tried = true;
	if (!lines->image)
		return false;
	path = module_file_find(lines->vmlinux,
				image_facts(lines->image)->release,
				module->name);
	if (!path || !start(lines))
		return false;
	create_modules(lines);
	m = drgn_module_find_by_address(lines->program, address);
	if (!m || m == lines->kernel)
		return false;
	drgn_error_destroy(drgn_module_try_file(m, path, -1, false));
	module->loaded = drgn_module_debug_file_status(m) ==
			 DRGN_MODULE_FILE_HAVE;
	*new_ret = module->loaded;
	return module->loaded;
}

/* Can libdrgn know the lines of @address?  Starts it only if so. */
static bool has_debuginfo(struct lines *lines, uint64_t address)
{
	uint64_t key = address - lines->kaslr_offset, start_key, end_key;
	bool new;

	if (!line_cache_image(lines->cache, &start_key, &end_key) &&
	    !start(lines))
		return false;
	return in_kernel_image(lines, key) ? start(lines) :
					     load_module(lines, address, &new);
}

/*
 * Enter frames [@first, @last] of a trace, of which the last is the function
 * and the others are inlined into it, as what is known of @key.
 */
static bool learn(struct lines *lines, uint64_t key,
		  struct drgn_stack_trace *trace, size_t first, size_t last)
{
	size_t n = MIN(last - first + 1, (size_t)LINE_CACHE_MAX_FRAMES), i;
	struct lines_frame frames[LINE_CACHE_MAX_FRAMES];
	char *files[LINE_CACHE_MAX_FRAMES];
	bool ok;

	for (i = 0; i < n; i++) {
		const char *file;
		int line = 0;

		file = drgn_stack_frame_source(trace, first + i, &line, NULL);
		files[i] = file ? short_name(lines, file) : NULL;
		frames[i] = (struct lines_frame){
			.function = drgn_stack_frame_function_name(trace,
								   first + i),
			.file = files[i],
			.line = line > 0 ? (unsigned)line : 0,
			.inlined = drgn_stack_frame_is_inline(trace, first + i),
		};
	}
	/* Assembler has lines but no functions; then symbols are as good. */
	if (n == 1 && !frames[0].function && !frames[0].file)
		n = 0;
	ok = line_cache_add(lines->cache, key, frames, n,
			    in_kernel_image(lines, key));
	for (i = 0; i < ARRAY_SIZE(files) && i <= last - first; i++)
		free(files[i]);
	return ok;
}

size_t lines_resolve(struct lines *lines, uint64_t address,
		     bool return_address, const struct lines_frame **ret)
{
	_cleanup_drgn_error_ struct drgn_error *error = NULL;
	_cleanup_trace_ struct drgn_stack_trace *trace = NULL;
	uint64_t pc = return_address ? address : address + 1;
	uint64_t key = pc - 1 - lines->kaslr_offset;
	size_t n;

	if (line_cache_find(lines->cache, key, ret, &n))
		return n;
	if (!has_debuginfo(lines, pc - 1))
		return 0;
	/* It takes them for return addresses, and looks for the byte before. */
	error = drgn_program_stack_trace_from_pcs(lines->program, &pc, 1,
						  &trace);
	if (error)
		return 0;
	n = drgn_stack_trace_num_frames(trace);
	if (!n || !learn(lines, key, trace, 0, n - 1) ||
	    !line_cache_find(lines->cache, key, ret, &n))
		return 0;
	return n;
}

static struct kml_error *stack_error(uint64_t task_va,
				     struct drgn_error *error)
{
	enum kml_code code = KML_ERR_UNSUPPORTED;
	const char *message = drgn_message(error);

	if (drgn_error_code(error) == DRGN_ERROR_NO_MEMORY)
		return error_nomem();
	if (drgn_error_code(error) == DRGN_ERROR_FAULT)
		code = KML_ERR_NODATA;
	return error_at(code, task_va, "cannot unwind the stack: %s",
			message ? message : "unknown error");
}

/* An integer member of the task_struct that @task points to, or, if @outer is
 * not NULL, of that member of it.  false: it cannot be had. */
static bool read_member(const struct drgn_object *task, const char *outer,
			const char *member, uint64_t *ret)
{
	_cleanup_drgn_error_ struct drgn_error *error = NULL;
	DRGN_OBJECT(object, drgn_object_program(task));
	union drgn_value value;

	error = drgn_object_member_dereference(&object, task,
					       outer ? outer : member);
	if (!error && outer)
		error = drgn_object_member(&object, &object, member);
	if (!error)
		error = drgn_object_read_integer(&object, &value);
	if (error)
		return false;
	*ret = value.uvalue;
	return true;
}

/*
 * The registers of the CPU that a task runs on; NULL if it doesn't run or they
 * are not known.  libdrgn knows registers only of dumps that it opened itself.
 */
static const struct image_regs *running_regs(const struct lines *lines,
					     const struct drgn_object *task)
{
	const struct image_facts *facts = image_facts(lines->image);
	uint64_t on_cpu, cpu;

	if (!read_member(task, NULL, "on_cpu", &on_cpu) || !on_cpu)
		return NULL;
	/* Since Linux 5.16, commit bcf9033e5449, in thread_info; before that
	 * in task_struct. */
	if (!read_member(task, NULL, "cpu", &cpu) &&
	    !read_member(task, "thread_info", "cpu", &cpu))
		return NULL;
	if (cpu >= facts->n_cpus || !facts->cpus[cpu].present)
		return NULL;
	return &facts->cpus[cpu];
}

/* The trace of a running task from its CPU's registers. */
static struct drgn_error *trace_regs(struct lines *lines,
				     const struct image_regs *regs,
				     struct drgn_stack_trace **ret)
{
	/* struct pt_regs: r15 r14 r13 r12 bp bx r11 r10 r9 r8 ax cx dx si di
	 * (here their numbers), orig_ax ip cs flags sp ss */
	static const uint8_t order[] = { 15, 14, 13, 12, 5, 3, 11, 10,
					 9,  8,	 0,  1,	 2, 6, 7 };
	uint64_t pt_regs[21] = { 0 };
	struct drgn_qualified_type type;
	DRGN_OBJECT(object, lines->program);
	struct drgn_error *error;
	size_t i;

	for (i = 0; i < ARRAY_SIZE(order); i++)
		pt_regs[i] = regs->gpr[order[i]];
	pt_regs[16] = regs->ip;
	pt_regs[19] = regs->sp;
	error = drgn_program_find_type(lines->program, "struct pt_regs", NULL,
				       &type);
	if (!error)
		error = drgn_object_set_from_buffer(&object, type, pt_regs,
						    sizeof(pt_regs), 0, 0);
	if (!error)
		error = drgn_object_stack_trace(&object, ret);
	return error;
}

static struct drgn_error *trace_task(struct lines *lines, uint64_t task_va,
				     struct drgn_stack_trace **ret)
{
	const struct image_regs *regs = NULL;
	struct drgn_qualified_type type;
	DRGN_OBJECT(task, lines->program);
	struct drgn_error *error;

	error = drgn_program_find_type(lines->program, "struct task_struct *",
				       NULL, &type);
	if (!error)
		error = drgn_object_set_unsigned(&task, type, task_va, 0);
	if (error)
		return error;
	if (lines->image)
		regs = running_regs(lines, &task);
	if (regs)
		return trace_regs(lines, regs, ret);
	return drgn_object_stack_trace(&task, ret);
}

/* Fill in one frame of the result from frames [@first, @last] of the trace. */
static bool convert_frame(struct lines *lines, struct drgn_stack_trace *trace,
			  size_t first, size_t last,
			  struct lines_stack_frame *ret)
{
	uint64_t key;

	if (!drgn_stack_frame_sp(trace, last, &ret->sp))
		ret->sp = 0;
	if (!drgn_stack_frame_pc(trace, last, &ret->pc)) {
		ret->pc = 0;
		return true;
	}
	key = ret->pc - lines->kaslr_offset;
	if (!drgn_stack_frame_interrupted(trace, last))
		key--;
	if (!has_debuginfo(lines, key + lines->kaslr_offset))
		return true;
	if (line_cache_find(lines->cache, key, &ret->frames, &ret->n_frames))
		return true;
	return learn(lines, key, trace, first, last) &&
	       line_cache_find(lines->cache, key, &ret->frames,
			       &ret->n_frames);
}

static struct kml_error *convert_trace(struct lines *lines,
				       struct drgn_stack_trace *trace,
				       struct lines_stack_frame **ret,
				       size_t *n_ret)
{
	size_t n = drgn_stack_trace_num_frames(trace), i, first = 0;
	VEC(struct lines_stack_frame) frames = { 0 };

	n = MIN(n, (size_t)MAX_TRACE_FRAMES);
	for (i = 0; i < n; i++) {
		struct lines_stack_frame frame = { 0 };

		if (drgn_stack_frame_is_inline(trace, i) && i + 1 < n)
			continue;
		/* Behind the entry from user space are the user's frames. */
		if (drgn_stack_frame_pc(trace, i, &frame.pc) &&
		    !(frame.pc >> 63))
			break;
		if (!convert_frame(lines, trace, first, i, &frame) ||
		    !vec_push(&frames, frame)) {
			vec_deinit(&frames);
			return error_nomem();
		}
		first = i + 1;
	}
	*ret = frames.data;
	*n_ret = frames.size;
	return NULL;
}

/* Load the debuginfo of modules that a trace leads through; true if some is
 * new, so that the trace lacks what it could have now. */
static bool load_trace_modules(struct lines *lines,
			       struct drgn_stack_trace *trace)
{
	size_t n = drgn_stack_trace_num_frames(trace), i;
	bool any_new = false, new;
	uint64_t pc;

	for (i = 0; i < n; i++)
		if (drgn_stack_frame_pc(trace, i, &pc) &&
		    load_module(lines, pc, &new) && new)
			any_new = true;
	return any_new;
}

struct kml_error *lines_stack(struct lines *lines, uint64_t task_va,
			      struct lines_stack_frame **ret, size_t *n_ret)
{
	_cleanup_drgn_error_ struct drgn_error *error = NULL;
	_cleanup_trace_ struct drgn_stack_trace *trace = NULL;

	if (!start(lines))
		return error_at(KML_ERR_DEBUGINFO, task_va,
				"cannot unwind the stack: %s",
				lines->why_not ? lines->why_not :
						 "out of memory");
	if (lines->why_no_stacks)
		return error_at(KML_ERR_UNSUPPORTED, task_va,
				"cannot unwind the stack: %s",
				lines->why_no_stacks);
	create_modules(lines);
	error = trace_task(lines, task_va, &trace);
	if (!error && load_trace_modules(lines, trace)) {
		drgn_stack_trace_destroy(trace);
		trace = NULL;
		error = trace_task(lines, task_va, &trace);
	}
	if (error)
		return stack_error(task_va, error);
	return convert_trace(lines, trace, ret, n_ret);
}

#else /* !HAVE_DRGN */

struct lines {
	char unused;
};

struct kml_error *lines_open(const struct lines_options *options,
			     struct lines **ret)
{
	struct lines *lines = calloc(1, sizeof(*lines));

	(void)options;
	if (!lines)
		return error_nomem();
	*ret = lines;
	return NULL;
}

void lines_close(struct lines *lines)
{
	free(lines);
}

struct kml_error *lines_add_module(struct lines *lines, const char *name,
				   uint64_t start_va, uint64_t bytes)
{
	(void)lines;
	(void)name;
	(void)start_va;
	(void)bytes;
	return NULL;
}

size_t lines_resolve(struct lines *lines, uint64_t address,
		     bool return_address, const struct lines_frame **ret)
{
	(void)lines;
	(void)address;
	(void)return_address;
	(void)ret;
	return 0;
}

struct kml_error *lines_stack(struct lines *lines, uint64_t task_va,
			      struct lines_stack_frame **ret, size_t *n_ret)
{
	(void)ret;
	(void)n_ret;
	return error_at(KML_ERR_UNSUPPORTED, task_va,
			"cannot unwind the stack: %s", lines_why_not(lines));
}

const char *lines_why_not(const struct lines *lines)
{
	(void)lines;
	return "built without libdrgn";
}

#endif
