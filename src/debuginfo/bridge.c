// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libdrgn's program: what it reads, and what it is told.
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
#include "debuginfo/bridge_object.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/util.h"
#include "debuginfo/elf_file.h"
#include "debuginfo/source_name.h"
#include "image/image.h"
#include "image/record.h"

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
	return error ? libdrgn_convert_error(error,
					     "libdrgn cannot use the dump") :
		       NULL;
}

static struct kml_error *create_of_vmcore(struct bridge *bridge,
					  const char *vmcore)
{
	struct drgn_program *program;
	struct drgn_error *error = drgn.program_create(NULL, &program);

	if (error)
		return libdrgn_convert_error(error, "libdrgn");
	error = drgn.program_set_core_dump(program, vmcore);
	if (!error &&
	    !(drgn.program_flags(program) & DRGN_PROGRAM_IS_LINUX_KERNEL))
		error = drgn.error_create(DRGN_ERROR_INVALID_ARGUMENT,
					  "no dump of a Linux kernel");
	if (error) {
		drgn.program_destroy(program);
		return libdrgn_convert_error(error,
					     "libdrgn cannot read the dump");
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
	return error ? libdrgn_convert_error(error, "libdrgn") : NULL;
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
		return libdrgn_convert_error(error, "libdrgn");
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
		return libdrgn_convert_error(error, vmlinux);
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

	error = libdrgn_load();
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

void bridge_create_modules(struct bridge *bridge)
{
	if (!bridge->modules_created && !bridge->no_memory)
		drgn.error_destroy(drgn.create_loaded_modules(bridge->program));
	bridge->modules_created = true;
}

bool bridge_load_module(struct bridge *bridge, uint64_t address,
			const char *path)
{
	struct drgn_module *module;

	bridge_create_modules(bridge);
	module = drgn.module_find_by_address(bridge->program, address);
	if (!module || module == bridge->kernel)
		return false;
	drgn.error_destroy(drgn.module_try_file(module, path, -1, false));
	return drgn.module_debug_file_status(module) == DRGN_MODULE_FILE_HAVE;
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
	return error ? libdrgn_convert_error(error, "libdrgn") : NULL;
}
