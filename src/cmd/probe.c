// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/probe.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

/* As src/debuginfo/profile_file.c writes it. */
static const unsigned char profile_magic[8] = { 0x8b, 'K',  'M',  'L',
						'\r', '\n', 0x1a, '\n' };
static const unsigned char zstd_magic[4] = { 0x28, 0xb5, 0x2f, 0xfd };

bool looks_like_vmlinux(const char *path)
{
	/* A FIFO in its place must not make us wait. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	Elf64_Ehdr head;
	ssize_t n;

	if (fd < 0)
		return false;
	memset(&head, 0, sizeof(head));
	n = read(fd, &head, sizeof(head));
	close(fd);
	if (n < (ssize_t)sizeof(profile_magic))
		return false;
	if (!memcmp(&head, profile_magic, sizeof(profile_magic)) ||
	    !memcmp(&head, zstd_magic, sizeof(zstd_magic)))
		return true;
	/* e_type is at the same place in all ELF files. */
	return !memcmp(head.e_ident, ELFMAG, SELFMAG) && head.e_type != ET_CORE;
}
