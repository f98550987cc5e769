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

/* As src/snapshot/file.c writes it. */
static const unsigned char snapshot_magic[8] = { 0x8b, 'K',  'M',  'S',
						 '\r', '\n', 0x1a, '\n' };

/* The beginning of a file; how many bytes of it there are. */
static size_t read_head(const char *path, Elf64_Ehdr *ret)
{
	/* A FIFO in its place must not make us wait. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	ssize_t n;

	memset(ret, 0, sizeof(*ret));
	if (fd < 0)
		return 0;
	n = read(fd, ret, sizeof(*ret));
	close(fd);
	return n < 0 ? 0 : (size_t)n;
}

bool looks_like_vmlinux(const char *path)
{
	Elf64_Ehdr head;

	if (read_head(path, &head) < sizeof(profile_magic))
		return false;
	if (!memcmp(&head, profile_magic, sizeof(profile_magic)) ||
	    !memcmp(&head, zstd_magic, sizeof(zstd_magic)))
		return true;
	/* e_type is at the same place in all ELF files. */
	return !memcmp(head.e_ident, ELFMAG, SELFMAG) && head.e_type != ET_CORE;
}

bool looks_like_snapshot(const char *path)
{
	Elf64_Ehdr head;

	return read_head(path, &head) >= sizeof(snapshot_magic) &&
	       !memcmp(&head, snapshot_magic, sizeof(snapshot_magic));
}

bool names_snapshot(const char *path)
{
	size_t n = strlen(path);

	return n > 4 && !strcmp(path + n - 4, ".kml");
}
