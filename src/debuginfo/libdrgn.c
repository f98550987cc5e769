// SPDX-License-Identifier: GPL-2.0-or-later
#include "debuginfo/libdrgn.h"

#include "config.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#if defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#if __has_feature(address_sanitizer)
#define __SANITIZE_ADDRESS__ 1
#endif
#endif

struct libdrgn drgn;

static bool ready;
static char *why_not;

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
		LIBDRGN_FUNCTIONS(X)
#undef X
#define X(name) &&drgn.name
		ready = true LIBDRGN_FUNCTIONS(X);
#undef X
	}
	if (!ready) {
		error = dlerror();
		why_not = strdup(error ? error :
					 "'" LIBDRGN "' is too old");
	}
}

struct kml_error *libdrgn_load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load_once);
	return ready ? NULL :
		       error_new(KML_ERR_UNSUPPORTED,
				 "libdrgn cannot be loaded: %s",
				 why_not ? why_not : "no memory");
}

struct kml_error *libdrgn_convert_error(struct drgn_error *error,
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
