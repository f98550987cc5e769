/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pages of an ELF dump: QEMU's, /proc/vmcore's, makedumpfile -E's. */
#ifndef KML_IMAGE_ELF_DUMP_H
#define KML_IMAGE_ELF_DUMP_H

#include "image/file.h"
#include "image/source.h"

/*
 * *@ret is NULL if this is no ELF dump that we understand.  @file must outlive
 * the source.
 */
struct kml_error *elf_dump_open(const struct dump_file *file,
				struct source **ret) error_must_check;

#endif
