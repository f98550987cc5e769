// SPDX-License-Identifier: GPL-2.0-or-later
/* --rules=list: the built-in rules, which need no dump to be told. */
#include "kernel/builtin.h"
#include "report/json_writer.h"

#include <stdlib.h>

static void print_text(struct writer *w)
{
	unsigned i;

	writer_puts(w, "Rules of the kernel itself, built in; each with the kernel code that makes it\n"
		       "necessary.  Rules of your own: --rules=FILE, see kmlanalyze(1).\n");
	for (i = 0; i < BUILTIN_RULES; i++) {
		const struct builtin *b = &kernel_builtins[i];

		writer_printf(w, "\n%s (%s)\n    %s\n    because of %s\n",
			      b->name, b->action, b->what, b->why);
		if (b->since[0])
			writer_printf(w, "    since Linux %s\n", b->since);
	}
}

static void print_json(struct writer *w)
{
	struct json json;
	unsigned i;

	json_init(&json, w);
	json_object(&json, NULL);
	json_number(&json, "schema", 1);
	json_string(&json, "report", "rules");
	json_string(&json, "version", KML_VERSION);
	json_array(&json, "builtin");
	for (i = 0; i < BUILTIN_RULES; i++) {
		const struct builtin *b = &kernel_builtins[i];

		json_object(&json, NULL);
		json_string(&json, "name", b->name);
		json_string(&json, "action", b->action);
		json_string(&json, "what", b->what);
		json_string(&json, "because", b->why);
		json_string(&json, "since", b->since[0] ? b->since : NULL);
		json_end(&json);
	}
	json_end(&json);
	json_end(&json);
}

struct kml_error *kml_list_rules(enum kml_format format, kml_write_fn *write,
				 void *arg)
{
	struct kml_error *error;
	struct writer *w;

	if (format != KML_FORMAT_TEXT && format != KML_FORMAT_JSON)
		return error_new(KML_ERR_ARGUMENT,
				 "there is no such format of this report");
	w = calloc(1, sizeof(*w));
	if (!w)
		return error_nomem();
	writer_init(w, write, arg);
	if (format == KML_FORMAT_JSON)
		print_json(w);
	else
		print_text(w);
	error = writer_finish(w);
	free(w);
	return error;
}
