/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libkdumpfile behind one door.  It identifies a dump and finds its notes; it
 * reads pages of those kinds that we have no reader of our own for.
 */
#ifndef KML_IMAGE_KDUMP_H
#define KML_IMAGE_KDUMP_H

#include "image/file.h"
#include "image/image.h"
#include "image/source.h"

struct kdumpfile;

/* @files: in the order of diskdump_sort_parts(); must outlive it. */
struct kml_error *kdumpfile_open(const struct dump_file *files, size_t n_files,
				 struct kdumpfile **ret) error_must_check;
void kdumpfile_close(struct kdumpfile *kdump);

/* VMCOREINFO's text; the caller frees it. */
struct kml_error *kdumpfile_vmcoreinfo(struct kdumpfile *kdump, char **ret)
	error_must_check;

/* The registers of the CPUs that the dump has notes of, possibly none; the
 * caller frees *@ret. */
struct kml_error *kdumpfile_registers(struct kdumpfile *kdump,
				      struct image_regs **ret,
				      unsigned *n_ret) error_must_check;

/* Read pages through it; destroying the source closes @kdump. */
struct kml_error *kdumpfile_source(struct kdumpfile *kdump,
				   struct source **ret) error_must_check;

#endif
