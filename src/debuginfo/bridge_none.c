// SPDX-License-Identifier: GPL-2.0-or-later
/* In place of bridge.c where there was no libdrgn to build with. */
#include "debuginfo/bridge.h"

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
