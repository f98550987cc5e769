/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libkmlanalyze: finds leaked memory in dumps of the Linux kernel.
 *
 *	struct kml_options options = KML_OPTIONS_INIT;
 *	struct kml_analysis *analysis;
 *	struct kml_error *error;
 *
 *	options.vmcore = paths; options.n_vmcore = 1;
 *	error = kml_analyze(&options, &analysis);
 *	...
 *	error = kml_report(analysis, KML_FORMAT_JSON, write_fn, arg);
 *	kml_analysis_destroy(analysis);
 *
 * Nothing here aborts, exits, prints or keeps global state.  A function that
 * can fail returns NULL on success, otherwise an error that the caller gives
 * to kml_error_destroy().  One analysis is used by one thread at a time.
 */
#ifndef KMLANALYZE_H
#define KMLANALYZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KML_API __attribute__((visibility("default")))

/* The version of this header, as in "0.1.0". */
#define KML_VERSION "0.1.0"

/* The version of the library in use.  Static. */
KML_API const char *kml_version(void);

/* What went wrong. */
enum kml_code {
	KML_OK,
	KML_ERR_NOMEM,       /* out of memory */
	KML_ERR_OS,          /* a system call failed */
	KML_ERR_ARGUMENT,    /* the caller's arguments make no sense */
	KML_ERR_FORMAT,      /* not a file of the expected kind */
	KML_ERR_CORRUPT,     /* of that kind, but damaged */
	KML_ERR_NODATA,      /* the dump does not hold that memory */
	KML_ERR_UNSUPPORTED, /* understood, but not handled */
	KML_ERR_DEBUGINFO,   /* no debuginfo, or it lacks what is needed */
	KML_ERR_BUILDID,     /* the debuginfo is of another kernel */
	KML_ERR_INTERRUPTED, /* the caller's progress function said stop */
};

struct kml_error;

KML_API enum kml_code kml_error_code(const struct kml_error *error);

/* One line, without a full stop; valid until the error is destroyed. */
KML_API const char *kml_error_message(const struct kml_error *error);

/* The address that the error is about; false if it is about none. */
KML_API bool kml_error_address(const struct kml_error *error, uint64_t *ret);

KML_API void kml_error_destroy(struct kml_error *error);

/* Which words of a task's stack hold objects. */
enum kml_stack {
	KML_STACK_LIVE,  /* from the saved stack pointer up */
	KML_STACK_WHOLE, /* all of it, as in-kernel kmemleak does */
	KML_STACK_OFF,   /* none */
};

enum kml_message {
	KML_MESSAGE_PROGRESS, /* a stage and how far it is */
	KML_MESSAGE_WARNING,  /* the result stands, but the user should know */
};

/*
 * Called with a line of text (no line feed) from the thread that called into
 * the library.  @permille is below 0 where it is unknown.  Returning false
 * stops the analysis with KML_ERR_INTERRUPTED.
 */
typedef bool kml_message_fn(void *arg, enum kml_message kind, const char *text,
			    int permille);

struct kml_options {
	size_t size;               /* sizeof(struct kml_options) */
	const char *const *vmcore; /* the dump; several files if it is split */
	size_t n_vmcore;
	const char *vmlinux;       /* vmlinux or profile; NULL: by build-id */
	const char *cache_dir;     /* NULL: the default; "": no cache */
	bool force;                /* accept a vmlinux of another build */
	enum kml_stack stack;
	unsigned threads;          /* 0: as many as there are CPUs */
	bool no_lines;             /* no source lines through libdrgn */
	bool held_by_stack;        /* unwind stacks that alone hold objects */
	kml_message_fn *message;   /* may be NULL */
	void *message_arg;
	bool blind;                /* find out what blinds the scan */
	bool precise;              /* of objects whose type is known only
				      pointer members refer to anything */
	const char *const *rules;  /* rules files */
	size_t n_rules;
	const char *baseline;      /* an earlier report in JSON; NULL: none */
	bool kmemleak;             /* read the records of the kernel's own
				      kmemleak; KML_ERR_NODATA if it has none */
	uint64_t min_age_ms;       /* leaks known to be younger are not
				      reported */
	const char *const *types;  /* what objects are: "ADDRESS=TYPE" */
	size_t n_types;
	bool no_types;             /* do not find out of which types objects
				      are, and whose reference counts are too
				      high */
	const char *const *modules; /* debuginfo of modules: their files, and
				      folders of such */
	size_t n_modules;
};
#define KML_OPTIONS_INIT { .size = sizeof(struct kml_options) }

struct kml_analysis;

/*
 * Load a dump, take the inventory, scan and mark it.
 *
 * Here and for kml_inventory() a file that kml_save() wrote may be named in
 * place of the dump: then nothing is scanned and reports come out as they would
 * of the dump.  What takes a scan (vmlinux, force, stack, precise, rules,
 * baseline, min_age_ms, types, no_types) is KML_ERR_ARGUMENT; a file that is damaged or of
 * another version is KML_ERR_CORRUPT or KML_ERR_UNSUPPORTED.
 */
KML_API struct kml_error *kml_analyze(const struct kml_options *options,
				      struct kml_analysis **ret);

/* Load a dump and take the inventory alone: enough for kml_report_caches(). */
KML_API struct kml_error *kml_inventory(const struct kml_options *options,
					struct kml_analysis **ret);

KML_API void kml_analysis_destroy(struct kml_analysis *analysis);

/* The number of leaked objects: roots and followers. */
KML_API uint64_t kml_leaks(const struct kml_analysis *analysis);

/* Whether an address, interior or not, is that of a leaked object. */
KML_API bool kml_is_leaked(const struct kml_analysis *analysis,
			   uint64_t address);

/* The number of objects that the kernel's own kmemleak reports; 0 without
 * kml_options.kmemleak. */
KML_API uint64_t kml_kmemleak_reported(const struct kml_analysis *analysis);

/* Whether memory that the verdict needs could not be read. */
KML_API bool kml_partial(const struct kml_analysis *analysis);

enum kml_format {
	KML_FORMAT_TEXT,     /* for a person */
	KML_FORMAT_KMEMLEAK, /* as /sys/kernel/debug/kmemleak */
	KML_FORMAT_JSON,     /* as schema/kmlanalyze.schema.json describes */
};

/* Takes @bytes of output; an errno value stops the report with KML_ERR_OS. */
typedef int kml_write_fn(void *arg, const char *text, size_t bytes);

/* Which records of the kernel's own kmemleak are written. */
enum kml_kmemleak {
	KML_KMEMLEAK_SHOW, /* those that /sys/kernel/debug/kmemleak shows */
	KML_KMEMLEAK_ALL,  /* every one, with its color */
};

/* What kml_report_top() counts by; bits. */
enum kml_top {
	KML_TOP_CACHE = 1 << 0,  /* slab cache or kind of memory */
	KML_TOP_TYPE = 1 << 1,
	KML_TOP_SITE = 1 << 2,   /* where it was allocated */
	KML_TOP_MODULE = 1 << 3, /* that allocated it, or whose variables
				    retain it */
	KML_TOP_ACCUMULATION = 1 << 4, /* who retains it */
	KML_TOP_MEMCG = 1 << 5,  /* the memory cgroup that was charged */
};

struct kml_report_options {
	size_t size;          /* sizeof(struct kml_report_options) */
	enum kml_format format;
	bool statistics;      /* end with what the run took */
	bool no_content;      /* leave out the contents of memory */
	uint64_t limit;       /* leak roots listed per group, references to an
				 object, rows of a table of kml_report_top();
				 0: all */
	const uint64_t *addresses; /* for kml_report_show(), _refs(), _path()
				      and _whatis() */
	size_t n_addresses;
	enum kml_kmemleak kmemleak; /* for kml_report_kmemleak() */
	unsigned top;         /* for kml_report_top(): enum kml_top; 0: all */
	bool content;         /* for kml_report_show(): the contents of all
				 objects, not only of leaked ones; takes a
				 dump */
	bool as_c;            /* kml_report_show(): objects of a known type as
				 C as well, through libdrgn; takes a dump */
};
#define KML_REPORT_OPTIONS_INIT { .size = sizeof(struct kml_report_options) }

/* The leaks. */
KML_API struct kml_error *
kml_report(const struct kml_analysis *analysis,
	   const struct kml_report_options *options, kml_write_fn *write,
	   void *arg);

/* What lies at the addresses, its verdict, and who holds it. */
KML_API struct kml_error *
kml_report_show(const struct kml_analysis *analysis,
		const struct kml_report_options *options, kml_write_fn *write,
		void *arg);

/* Every word that refers to the objects at the addresses: who has it, and of
 * which grade the reference is. */
KML_API struct kml_error *
kml_report_refs(const struct kml_analysis *analysis,
		const struct kml_report_options *options, kml_write_fn *write,
		void *arg);

/* The chain of references from a root, or from a leak, to each of the objects
 * at the addresses: of trustworthy ones if there is one, and short. */
KML_API struct kml_error *
kml_report_path(const struct kml_analysis *analysis,
		const struct kml_report_options *options, kml_write_fn *write,
		void *arg);

/* What each of the addresses is, a line or a JSON object each; of any number
 * of addresses of all kinds.  After kml_inventory() as well, which does not
 * know leaked objects from live ones. */
KML_API struct kml_error *
kml_report_whatis(const struct kml_analysis *analysis,
		  const struct kml_report_options *options,
		  kml_write_fn *write, void *arg);

/* The built-in rules, and the kernel code that makes each necessary; as text
 * or JSON. */
KML_API struct kml_error *kml_list_rules(enum kml_format format,
					 kml_write_fn *write, void *arg);

/* What was allocated: caches, vmalloc areas, per-cpu and page totals. */
KML_API struct kml_error *
kml_report_caches(const struct kml_analysis *analysis,
		  const struct kml_report_options *options,
		  kml_write_fn *write, void *arg);

/* Who has most of what is live: the largest caches, types, callers, modules,
 * and the accumulation points.  Needs kml_analyze(). */
KML_API struct kml_error *
kml_report_top(const struct kml_analysis *analysis,
	       const struct kml_report_options *options, kml_write_fn *write,
	       void *arg);

/*
 * The records of the kernel's own kmemleak: as text just what its
 * /sys/kernel/debug/kmemleak would show.  Needs kml_options.kmemleak, of
 * kml_inventory() or kml_analyze().
 */
KML_API struct kml_error *
kml_report_kmemleak(const struct kml_analysis *analysis,
		    const struct kml_report_options *options,
		    kml_write_fn *write, void *arg);

/*
 * The verdicts of the kernel's own kmemleak and of this library side by side,
 * with a reason where they differ.  Needs kml_options.kmemleak and
 * kml_analyze().
 */
KML_API struct kml_error *
kml_report_compare(const struct kml_analysis *analysis,
		   const struct kml_report_options *options,
		   kml_write_fn *write, void *arg);

/*
 * Write the whole result as a snapshot: a file to be named in place of the
 * dump.  It has what every report of the analysis asks of the dump, whatever
 * their options: so the records of the kernel's own kmemleak are read here, and
 * are KML_ERR_ARGUMENT in kml_options.  Of @options no_content alone is heeded:
 * the contents of objects are left out, and reports of the snapshot that would
 * show them are KML_ERR_NODATA.  The same holds for source lines if the
 * analysis has no_lines.
 */
KML_API struct kml_error *kml_save(const struct kml_analysis *analysis,
				   const struct kml_report_options *options,
				   kml_write_fn *write, void *arg);

/*
 * Write what the analysis needs of a vmlinux (layouts, symbols, sections) to
 * a file that can be given in its place.
 */
KML_API struct kml_error *kml_profile(const struct kml_options *options,
				      const char *path);

#ifdef __cplusplus
}
#endif

#endif
