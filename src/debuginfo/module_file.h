/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where distributions install the debuginfo of the kernel's modules. */
#ifndef KML_DEBUGINFO_MODULE_FILE_H
#define KML_DEBUGINFO_MODULE_FILE_H

/*
 * The debuginfo of module @name: NAME.ko or NAME.ko.debug, with '-' or '_',
 * anywhere in DEBUG/lib/modules/RELEASE or DEBUG/usr/lib/modules/RELEASE, where
 * DEBUG is the "usr/lib/debug" that @vmlinux is in, and /usr/lib/debug.  The
 * path is to be freed with free(); NULL: there is none.
 */
char *module_file_find(const char *vmlinux, const char *release,
		       const char *name);

#endif
