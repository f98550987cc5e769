// SPDX-License-Identifier: GPL-2.0-or-later
#include "debuginfo/source_name.h"

#include <stdlib.h>
#include <string.h>

#include "base/util.h"

void source_name_normalise(char *path)
{
	char *root = path + (*path == '/'), *from = root, *to = root;

	while (*from) {
		size_t n = strcspn(from, "/");
		char *last = to; /* the start of what is the last part so far */

		while (last > root && last[-1] != '/')
			last--;
		if (n == 0 || (n == 1 && from[0] == '.')) {
			/* nothing to keep */
		} else if (n == 2 && !memcmp(from, "..", 2) && to > root &&
			   strncmp(last, "..", (size_t)(to - last))) {
			to = last > root ? last - 1 : root;
		} else {
			if (to > root)
				*to++ = '/';
			memmove(to, from, n);
			to += n;
		}
		from += n;
		if (*from)
			from++;
	}
	*to = '\0';
}

char *source_name_short(const char *name, char *const *trees, size_t n_trees)
{
	char *copy = strdup(name);
	size_t i, n;

	if (!copy)
		return NULL;
	source_name_normalise(copy);
	for (i = 0; i < n_trees; i++) {
		n = trees[i] ? strlen(trees[i]) : 0;
		if (n && !strncmp(copy, trees[i], n)) {
			memmove(copy, copy + n, strlen(copy + n) + 1);
			break;
		}
	}
	return copy;
}

char *source_name_tree(const char *name, const char *file)
{
	_cleanup_free_ char *copy = strdup(name);
	size_t n, tail = strlen(file);

	if (!copy)
		return NULL;
	source_name_normalise(copy);
	n = strlen(copy);
	if (n <= tail || copy[n - tail - 1] != '/' ||
	    strcmp(copy + n - tail, file))
		return NULL;
	copy[n - tail] = '\0';
	return take_ptr(copy);
}
