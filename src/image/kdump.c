// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One context, one lock: kdump_clone() is not safe in libkdumpfile 0.5.6
 * (crashes, and silently wrong pages, with two to four threads).
 */
#include "image/kdump.h"

#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <libkdumpfile/kdumpfile.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/util.h"
#include "base/vec.h"
#include "image/arch.h"

/* The library's page cache is searched linearly: its default of 1024 entries
 * makes every page cost 4 microseconds. */
#define CACHE_PAGES 64

/* More CPUs, or runs of pages, than that are not to be believed. */
#define MAX_CPUS 65536
#define MAX_RANGES (1u << 22)

struct pfn_range {
	uint64_t start;
	uint64_t end;
};

struct kdumpfile {
	struct source source;
	kdump_ctx_t *ctx;
	pthread_mutex_t lock; /* of ctx */
	const struct dump_file *file; /* the first one, for messages */
	char *format;
	VEC(struct pfn_range) ranges; /* sorted: pages in the dump */
	uint64_t n_damaged;   /* reads that failed; atomic */
};

/* "makedumpfile -F" and QEMU's kdump formats: records to be put in place. */
static bool is_flattened(const struct dump_file *file)
{
	return !memcmp(file->magic, "makedumpfile", 13);
}

/* vmlinux or a module, given in place of the dump. */
static bool is_other_elf(const struct dump_file *file)
{
	return !memcmp(file->magic, ELFMAG, SELFMAG) &&
	       load_u16(file->magic + offsetof(Elf64_Ehdr, e_type)) != ET_CORE;
}

/* What the library says, without the names of its attributes. */
static const char *error_text(kdump_ctx_t *ctx, kdump_status status)
{
	const char *text = kdump_get_err(ctx), *colon;

	if (!text)
		return kdump_strerror(status);
	colon = strstr(text, ".fd: ");
	return colon ? colon + 5 : text;
}

static struct kml_error *open_error(const struct dump_file *file,
				    kdump_status status, const char *text)
{
	int errnum = errno;

	if (is_other_elf(file))
		return error_new(KML_ERR_FORMAT,
				 "'%s' is an ELF file, but not a dump",
				 file->path);
	if (is_flattened(file))
		return error_new(KML_ERR_UNSUPPORTED,
				 "'%s' is a flattened dump, which this libkdumpfile cannot read (%s); convert it with \"makedumpfile -R NEW < '%s'\"",
				 file->path, text, file->path);
	switch (status) {
	case KDUMP_ERR_SYSTEM:
		if (errnum == ENOMEM)
			return error_nomem();
		return error_new(KML_ERR_OS, "cannot read '%s' (%s)",
				 file->path, text);
	case KDUMP_ERR_NOTIMPL:
		return error_new(KML_ERR_FORMAT,
				 "'%s' is not a dump that libkdumpfile knows (%s)",
				 file->path, text);
	default:
		return error_new(KML_ERR_CORRUPT, "'%s' is damaged (%s)",
				 file->path, text);
	}
}

/* Of the kernel's utsname, where the library knows no such architecture. */
#define UTS_MACHINE "linux.uts.machine"

static bool set_number(kdump_ctx_t *ctx, const char *key, uint64_t number)
{
	kdump_attr_t attr = { .type = KDUMP_NUMBER, .val.number = number };

	return kdump_set_attr(ctx, key, &attr) == KDUMP_OK;
}

/*
 * A fresh context with the files open.  @arch is what to assume where the dump
 * does not tell, or NULL.
 */
static struct kml_error *open_context(const struct dump_file *files,
				      size_t n_files, const char *arch,
				      kdump_ctx_t **ret)
{
	_cleanup_free_ int *fds = calloc(n_files, sizeof(*fds));
	kdump_ctx_t *ctx = kdump_new();
	struct kml_error *error = NULL;
	kdump_status status;
	size_t i;

	if (!fds || !ctx) {
		if (ctx)
			kdump_free(ctx);
		return error_nomem();
	}
	for (i = 0; i < n_files; i++)
		fds[i] = files[i].fd;
	/* Both only make it cheaper: no harm if an attribute is unknown.
	 * Mapped pages of the dump would count as our memory. */
	set_number(ctx, "cache.size", CACHE_PAGES);
	set_number(ctx, KDUMP_ATTR_FILE_MMAP_POLICY, KDUMP_MMAP_NEVER);
	if (arch) {
		kdump_attr_t attr = { .type = KDUMP_STRING,
				      .val.string = arch };

		kdump_set_attr(ctx, KDUMP_ATTR_ARCH_NAME, &attr);
	}
	errno = 0;
	status = kdump_open_fdset(ctx, (unsigned)n_files, fds);
	if (status != KDUMP_OK) {
		error = open_error(&files[0], status, error_text(ctx, status));
		kdump_free(ctx);
		return error;
	}
	*ret = ctx;
	return NULL;
}

static bool has_attr(kdump_ctx_t *ctx, const char *key)
{
	kdump_attr_t attr;

	return kdump_get_attr(ctx, key, &attr) == KDUMP_OK;
}

/* What we can work with at all. */
static struct kml_error *check_machine(kdump_ctx_t *ctx, const char *path)
{
	const char *arch;
	kdump_num_t number;

	if (kdump_get_string_attr(ctx, KDUMP_ATTR_ARCH_NAME, &arch) &&
	    kdump_get_string_attr(ctx, UTS_MACHINE, &arch))
		return error_new(KML_ERR_UNSUPPORTED,
				 "'%s' does not tell its architecture", path);
	if (strcmp(arch, KDUMP_ARCH_X86_64) != 0)
		return error_new(KML_ERR_UNSUPPORTED,
				 "'%s' is of architecture '%s'; only x86_64 is supported",
				 path, arch);
	if (!kdump_get_number_attr(ctx, KDUMP_ATTR_PAGE_SIZE, &number) &&
	    number != IMAGE_PAGE_BYTES)
		return error_new(KML_ERR_UNSUPPORTED,
				 "'%s' has pages of %" PRIu64 " bytes; only 4096 is supported",
				 path, (uint64_t)number);
	if (!kdump_get_number_attr(ctx, KDUMP_ATTR_XEN_TYPE, &number) &&
	    number != KDUMP_XEN_NONE)
		return error_new(KML_ERR_UNSUPPORTED,
				 "'%s' is a dump of Xen, which is not supported",
				 path);
	return NULL;
}

struct kml_error *kdumpfile_open(const struct dump_file *files, size_t n_files,
				 struct kdumpfile **ret)
{
	struct kdumpfile *kdump;
	struct kml_error *error;
	kdump_ctx_t *ctx;

	error = open_context(files, n_files, NULL, &ctx);
	if (error)
		return error;
	if (!has_attr(ctx, KDUMP_ATTR_ARCH_NAME) &&
	    !has_attr(ctx, UTS_MACHINE)) {
		/* QEMU leaves the utsname of kdump-compressed files empty, and
		 * without an architecture the library skips the registers.
		 * Only then: told the architecture of an ELF file, 0.5.1
		 * crashes at the first page that is missing. */
		kdump_free(ctx);
		error = open_context(files, n_files, KDUMP_ARCH_X86_64, &ctx);
		if (error)
			return error;
	}
	error = check_machine(ctx, files[0].path);
	if (error) {
		kdump_free(ctx);
		return error;
	}
	kdump = calloc(1, sizeof(*kdump));
	if (!kdump) {
		kdump_free(ctx);
		return error_nomem();
	}
	kdump->ctx = ctx;
	kdump->file = &files[0];
	pthread_mutex_init(&kdump->lock, NULL);
	*ret = kdump;
	return NULL;
}

void kdumpfile_close(struct kdumpfile *kdump)
{
	if (!kdump)
		return;
	kdump_free(kdump->ctx);
	pthread_mutex_destroy(&kdump->lock);
	vec_deinit(&kdump->ranges);
	free(kdump->format);
	free(kdump);
}

struct kml_error *kdumpfile_vmcoreinfo(struct kdumpfile *kdump, char **ret)
{
	kdump_attr_t attr = { .type = KDUMP_BLOB };
	const char *data = NULL;
	size_t bytes;
	char *text;

	/* Not kdump_vmcoreinfo_raw(): it wants the OS type set. */
	if (kdump_get_typed_attr(kdump->ctx, "linux.vmcoreinfo.raw", &attr) ==
	    KDUMP_OK)
		data = kdump_blob_pin(attr.val.blob);
	if (!data)
		return error_new(KML_ERR_UNSUPPORTED,
				 "'%s' has no VMCOREINFO (QEMU writes it only with -device vmcoreinfo and the guest's qemu_fw_cfg driver loaded)",
				 kdump->file->path);
	/* The blob has no NUL at its end. */
	bytes = kdump_blob_size(attr.val.blob);
	text = malloc(bytes + 1);
	if (text) {
		memcpy(text, data, bytes);
		text[bytes] = '\0';
	}
	kdump_blob_unpin(attr.val.blob);
	if (!text)
		return error_nomem();
	*ret = text;
	return NULL;
}

/* The raw NT_PRSTATUS note of a CPU; false if there is none. */
static bool regs_from_note(kdump_ctx_t *ctx, unsigned cpu,
			   struct image_regs *ret)
{
	kdump_attr_t attr;
	char key[48];
	void *data;
	bool ok;

	snprintf(key, sizeof(key), "cpu.%u.PRSTATUS", cpu);
	attr.type = KDUMP_BLOB;
	if (kdump_get_typed_attr(ctx, key, &attr) != KDUMP_OK)
		return false;
	data = kdump_blob_pin(attr.val.blob);
	if (!data)
		return false;
	ok = arch_x86_64.decode_prstatus(data, kdump_blob_size(attr.val.blob),
					 ret);
	kdump_blob_unpin(attr.val.blob);
	return ok;
}

static bool reg_attr(kdump_ctx_t *ctx, unsigned cpu, const char *name,
		     uint64_t *ret)
{
	kdump_num_t number;
	char key[48];

	snprintf(key, sizeof(key), "cpu.%u.reg.%s", cpu, name);
	if (kdump_get_number_attr(ctx, key, &number) != KDUMP_OK)
		return false;
	*ret = number;
	return true;
}

/* As the library decoded them, where it did not keep the note. */
static bool regs_from_attrs(kdump_ctx_t *ctx, unsigned cpu,
			    struct image_regs *ret)
{
	struct image_regs regs = { .present = true };
	unsigned i;

	if (!reg_attr(ctx, cpu, arch_x86_64.ip_name, &regs.ip))
		return false;
	for (i = 0; i < ARRAY_SIZE(regs.gpr); i++)
		if (!reg_attr(ctx, cpu, arch_x86_64.gpr_names[i], &regs.gpr[i]))
			return false;
	regs.sp = regs.gpr[arch_x86_64.gpr_sp];
	*ret = regs;
	return true;
}

struct kml_error *kdumpfile_registers(struct kdumpfile *kdump,
				      struct image_regs **ret,
				      unsigned *n_ret)
{
	struct image_regs *cpus;
	kdump_num_t n = 0;
	unsigned i;

	if (kdump_get_number_attr(kdump->ctx, KDUMP_ATTR_NUM_CPUS, &n) !=
		    KDUMP_OK ||
	    n > MAX_CPUS)
		n = 0;
	cpus = calloc(n + 1, sizeof(*cpus));
	if (!cpus)
		return error_nomem();
	for (i = 0; i < n; i++)
		if (!regs_from_note(kdump->ctx, i, &cpus[i]))
			regs_from_attrs(kdump->ctx, i, &cpus[i]);
	*ret = cpus;
	*n_ret = (unsigned)n;
	return NULL;
}

static void kdumpfile_destroy(struct source *source)
{
	kdumpfile_close((struct kdumpfile *)source);
}

static bool kdumpfile_has_page(const struct source *source, uint64_t pfn)
{
	const struct kdumpfile *kdump = (const struct kdumpfile *)source;
	size_t low = partition_point(kdump->ranges.size, mid,
				     kdump->ranges.data[mid].end <= pfn);

	return low < kdump->ranges.size && kdump->ranges.data[low].start <= pfn;
}

/* The one context is everybody's reader. */
static struct kml_error *kdumpfile_reader_create(struct source *source,
						 void **ret)
{
	*ret = source;
	return NULL;
}

static void kdumpfile_reader_destroy(void *reader)
{
	(void)reader;
}

/* *@ok_ret: false if the dump cannot yield the page. */
static struct kml_error *read_page(struct kdumpfile *kdump, uint64_t pfn,
				   uint8_t *page, bool *ok_ret)
{
	uint64_t pa = pfn << IMAGE_PAGE_SHIFT;
	size_t bytes = IMAGE_PAGE_BYTES;
	kdump_status status;

	status = kdump_read(kdump->ctx, KDUMP_KPHYSADDR, pa, page, &bytes);
	if (status == KDUMP_ERR_SYSTEM && errno == ENOMEM)
		return error_nomem();
	if (status == KDUMP_ERR_SYSTEM)
		return error_at(KML_ERR_OS, pa,
				"cannot read '%s' at physical address 0x%" PRIx64 " (%s)",
				kdump->file->path, pa,
				kdump_get_err(kdump->ctx));
	if (status != KDUMP_OK && status != KDUMP_ERR_NODATA)
		__atomic_fetch_add(&kdump->n_damaged, 1, __ATOMIC_RELAXED);
	*ok_ret = status == KDUMP_OK;
	return NULL;
}

static struct kml_error *kdumpfile_read(void *reader, uint64_t pfn,
					unsigned n_pages, uint8_t *buf,
					uint64_t *missing_ret)
{
	struct kdumpfile *kdump = reader;
	struct kml_error *error = NULL;
	uint64_t missing = 0;
	unsigned i;

	pthread_mutex_lock(&kdump->lock);
	for (i = 0; i < n_pages && !error; i++) {
		uint8_t *page = buf + (size_t)i * IMAGE_PAGE_BYTES;
		bool ok = false;

		if (kdumpfile_has_page(&kdump->source, pfn + i))
			error = read_page(kdump, pfn + i, page, &ok);
		if (!ok) {
			memset(page, 0, IMAGE_PAGE_BYTES);
			missing |= UINT64_C(1) << i;
		}
	}
	pthread_mutex_unlock(&kdump->lock);
	if (!error)
		*missing_ret = missing;
	return error;
}

static uint64_t kdumpfile_damaged(const struct source *source)
{
	const struct kdumpfile *kdump = (const struct kdumpfile *)source;

	return __atomic_load_n(&kdump->n_damaged, __ATOMIC_RELAXED);
}

static const struct source_ops kdumpfile_ops = {
	.destroy = kdumpfile_destroy,
	.has_page = kdumpfile_has_page,
	.reader_create = kdumpfile_reader_create,
	.reader_destroy = kdumpfile_reader_destroy,
	.read = kdumpfile_read,
	.damaged = kdumpfile_damaged,
};

/* Turn the library's page map into ranges that need no lock. */
static struct kml_error *load_ranges(struct kdumpfile *kdump)
{
	kdump_attr_t attr = { .type = KDUMP_BITMAP };
	kdump_addr_t pfn = 0;

	if (kdump_get_typed_attr(kdump->ctx, KDUMP_ATTR_FILE_PAGEMAP, &attr))
		return error_new(KML_ERR_UNSUPPORTED,
				 "'%s' does not tell which pages it holds",
				 kdump->file->path);
	while (kdump_bmp_find_set(attr.val.bitmap, &pfn) == KDUMP_OK) {
		struct pfn_range range = { .start = pfn };

		if (kdump_bmp_find_clear(attr.val.bitmap, &pfn) != KDUMP_OK ||
		    pfn <= range.start || kdump->ranges.size >= MAX_RANGES)
			return error_new(KML_ERR_CORRUPT,
					 "'%s' has a page map that makes no sense",
					 kdump->file->path);
		range.end = pfn;
		if (!vec_push(&kdump->ranges, range))
			return error_nomem();
		kdump->source.n_pages += range.end - range.start;
		kdump->source.end_pfn = range.end;
	}
	return NULL;
}

struct kml_error *kdumpfile_source(struct kdumpfile *kdump, struct source **ret)
{
	kdump_attr_t linux_os = { .type = KDUMP_STRING, .val.string = "linux" };
	struct kml_error *error;
	const char *format;

	/* The library translates physical addresses, too (for Xen's sake), and
	 * must know how. */
	if (kdump_set_attr(kdump->ctx, KDUMP_ATTR_OSTYPE, &linux_os))
		return error_new(KML_ERR_UNSUPPORTED,
				 "libkdumpfile cannot translate addresses of '%s' (%s)",
				 kdump->file->path, kdump_get_err(kdump->ctx));
	if (kdump_get_string_attr(kdump->ctx, KDUMP_ATTR_FILE_FORMAT, &format))
		format = "unknown";
	free(kdump->format);
	kdump->format = strdup(format);
	if (!kdump->format)
		return error_nomem();
	error = load_ranges(kdump);
	if (error)
		return error;
	kdump->source.ops = &kdumpfile_ops;
	kdump->source.format = kdump->format;
	*ret = &kdump->source;
	return NULL;
}
