/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is behind struct profile; for the files of this room only. */
#ifndef KML_DEBUGINFO_PROFILE_OBJECT_H
#define KML_DEBUGINFO_PROFILE_OBJECT_H

#include <pthread.h>

#include "debuginfo/profile.h"
#include "debuginfo/profile_image.h"

struct profile {
	struct profile_image image;
	struct profile_section *sections;
	const char *source; /* see profile_source() */
	bool mismatch;

	char *vmlinux;      /* its path; NULL: unknown */
	bool compressed;    /* and it is compressed */
	pthread_mutex_t lock; /* of the following two */
	int memfd;          /* the decompressed vmlinux; -1: not yet */
	char *memfd_path;
};

#endif
