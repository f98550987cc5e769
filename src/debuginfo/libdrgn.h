/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libdrgn, loaded at run time by bridge_open(), and alone: libdw, which it
 * needs, has functions that are called like libdwarf's (see libdwarf.h).  For
 * the files of bridge.h only; in a build without libdrgn there are none.
 */
#ifndef KML_DEBUGINFO_LIBDRGN_H
#define KML_DEBUGINFO_LIBDRGN_H

#include <drgn.h>

#include "base/error.h"

#define LIBDRGN_FUNCTIONS(X)                                                \
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

/* Per process, as what the dynamic linker loads is; written once, by
 * libdrgn_load(). */
struct libdrgn {
#define X(name) __typeof__(drgn_##name) *name;
	LIBDRGN_FUNCTIONS(X)
#undef X
};
extern struct libdrgn drgn;

/* To be called before any of the functions; any thread, any number of times.
 * KML_ERR_UNSUPPORTED if there is no libdrgn. */
struct kml_error *libdrgn_load(void) error_must_check;

/* Turn libdrgn's error into ours; it is freed. */
struct kml_error *libdrgn_convert_error(struct drgn_error *error,
					const char *what) error_must_check;

static inline void libdrgn_error_cleanup(struct drgn_error **error)
{
	drgn.error_destroy(*error);
}
#define _cleanup_drgn_error_ __attribute__((cleanup(libdrgn_error_cleanup)))

static inline void libdrgn_trace_cleanup(struct drgn_stack_trace **trace)
{
	if (*trace)
		drgn.stack_trace_destroy(*trace);
}
#define _cleanup_trace_ __attribute__((cleanup(libdrgn_trace_cleanup)))

static inline void libdrgn_object_cleanup(struct drgn_object *object)
{
	drgn.object_deinit(object);
}
#define _cleanup_object_ __attribute__((cleanup(libdrgn_object_cleanup)))

#endif
