// SPDX-License-Identifier: GPL-2.0-or-later
#include "debuginfo/libdwarf.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdbool.h>

struct libdwarf libdwarf;

static bool ready;

static void load_once(void)
{
	void *handle = dlopen(LIBDWARF, RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return;
#define X(name) \
	libdwarf.name = (__typeof__(libdwarf.name))dlsym(handle, "dwarf_" #name);
	LIBDWARF_FUNCTIONS(X)
#undef X
#define X(name) &&libdwarf.name
	ready = true LIBDWARF_FUNCTIONS(X);
#undef X
}

struct kml_error *libdwarf_load(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, load_once);
	return ready ? NULL :
		       error_new(KML_ERR_UNSUPPORTED,
				 "'%s' cannot be loaded", LIBDWARF);
}
