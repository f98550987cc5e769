// SPDX-License-Identifier: GPL-2.0-or-later
#include "graph/rule_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/util.h"

/* A person wrote it. */
#define MAX_FILE_BYTES (1u << 20)
#define MAX_LINE_BYTES 1000u
#define SPACE " \t\r\v\f"

const char *const rule_actions[RULE_ACTIONS] = {
	[RULE_NOT_LEAK] = "not_leak",   [RULE_IGNORE] = "ignore",
	[RULE_NO_SCAN] = "no_scan",     [RULE_SCAN_AREA] = "scan_area",
	[RULE_ERASE] = "erase",         [RULE_MIN_COUNT] = "min_count",
	[RULE_TRANSIENT] = "transient",
};

const char *const rule_selectors[RULE_SELECTORS] = {
	[RULE_CACHE] = "cache",     [RULE_TYPE] = "type",
	[RULE_SYMBOL] = "symbol",   [RULE_ADDRESS] = "address",
	[RULE_MODULE] = "module",   [RULE_FINGERPRINT] = "fingerprint",
};

/* Parameters, and the actions that take them. */
enum parameter { OFFSET, LENGTH, COUNT, PARAMETERS };
static const struct {
	const char *name;
	unsigned actions;
} parameters[PARAMETERS] = {
	[OFFSET] = { "offset", 1u << RULE_SCAN_AREA | 1u << RULE_ERASE },
	[LENGTH] = { "length", 1u << RULE_SCAN_AREA | 1u << RULE_ERASE },
	[COUNT] = { "count", 1u << RULE_MIN_COUNT },
};

/* A line while it is read. */
struct line {
	const char *file;
	unsigned number;
	bool has_action, has_selector;
	unsigned seen; /* a bit per parameter */
	struct rule rule;
};

#define bad(line, ...) line_error(line, error_new(KML_ERR_FORMAT, __VA_ARGS__))

static struct kml_error *line_error(const struct line *line,
				    struct kml_error *error)
{
	return error_prefix(error, "%s:%u", line->file, line->number);
}

static int find_word(const char *word, size_t bytes, const char *const *words,
		     int n)
{
	int i;

	for (i = 0; i < n; i++) {
		if (strlen(words[i]) == bytes && !memcmp(words[i], word, bytes))
			return i;
	}
	return -1;
}

/* Decimal, hexadecimal with 0x, or (@base 16) hexadecimal in any case. */
static bool parse_number(const char *text, int base, uint64_t *ret)
{
	char *end;

	if (!strchr("0123456789abcdefABCDEF", text[0]) || !text[0])
		return false;
	/* Not octal, which nobody means. */
	if (!base)
		base = text[0] == '0' && (text[1] | 0x20) == 'x' ? 16 : 10;
	errno = 0;
	*ret = strtoull(text, &end, base);
	return !errno && !*end;
}

static struct kml_error *set_selector(struct line *line, int selector,
				      const char *value)
{
	struct rule *rule = &line->rule;

	if (line->has_selector)
		return bad(line, "two selectors, '%s' and '%s': a rule has one",
			   rule_selectors[rule->selector],
			   rule_selectors[selector]);
	line->has_selector = true;
	rule->selector = (enum rule_selector)selector;
	if (selector == RULE_ADDRESS || selector == RULE_FINGERPRINT) {
		if (!parse_number(value, 16, &rule->number))
			return bad(line, "'%s' is no %s", value,
				   rule_selectors[selector]);
		return NULL;
	}
	rule->name = strdup(value);
	return rule->name ? NULL : error_nomem();
}

static struct kml_error *set_parameter(struct line *line,
				       enum parameter parameter,
				       const char *value)
{
	struct rule *rule = &line->rule;
	uint64_t *const to[PARAMETERS] = { &rule->offset, &rule->length,
					   &rule->count };

	if (line->seen >> parameter & 1)
		return bad(line, "'%s' stands there twice",
			   parameters[parameter].name);
	line->seen |= 1u << parameter;
	if (!parse_number(value, 0, to[parameter]))
		return bad(line, "'%s' is no number for '%s'", value,
			   parameters[parameter].name);
	rule->has_offset |= parameter == OFFSET;
	rule->has_length |= parameter == LENGTH;
	return NULL;
}

/* "cache=dentry" */
static struct kml_error *parse_setting(struct line *line, const char *word)
{
	const char *value = strchr(word, '=');
	size_t bytes = value ? (size_t)(value - word) : strlen(word);
	int i;

	if (!value)
		return bad(line, "'%s' is no SELECTOR=VALUE", word);
	if (!value[1])
		return bad(line, "'%s' has no value", word);
	i = find_word(word, bytes, rule_selectors, RULE_SELECTORS);
	if (i >= 0)
		return set_selector(line, i, value + 1);
	for (i = 0; i < PARAMETERS; i++) {
		if (find_word(word, bytes, &parameters[i].name, 1) < 0)
			continue;
		if (!(parameters[i].actions >> line->rule.action & 1))
			return bad(line, "'%s' takes no '%s'",
				   rule_actions[line->rule.action],
				   parameters[i].name);
		return set_parameter(line, (enum parameter)i, value + 1);
	}
	return bad(line, "'%.*s' is neither a selector nor a parameter",
		   (int)bytes, word);
}

static struct kml_error *parse_word(struct line *line, const char *word)
{
	int action;

	if (line->has_action)
		return parse_setting(line, word);
	action = find_word(word, strlen(word), rule_actions, RULE_ACTIONS);
	if (action < 0)
		return bad(line, "'%s' is no action", word);
	line->has_action = true;
	line->rule.action = (enum rule_action)action;
	return NULL;
}

/* What a rule must say, and what would make no sense. */
static struct kml_error *check_rule(const struct line *line)
{
	const struct rule *rule = &line->rule;
	const char *action = rule_actions[rule->action];
	uint64_t end;

	if (!line->has_selector)
		return bad(line, "'%s' has no selector", action);
	if (rule->action == RULE_MIN_COUNT && !(line->seen >> COUNT & 1))
		return bad(line, "'min_count' needs 'count='");
	if (rule->action == RULE_MIN_COUNT && rule->count > UINT32_MAX)
		return bad(line, "'count' is too large");
	if (rule->action == RULE_SCAN_AREA && !rule->has_offset &&
	    !rule->has_length)
		return bad(line, "'scan_area' needs 'offset=' or 'length='");
	if (rule->action == RULE_ERASE && !rule_selects_words(rule) &&
	    !rule->has_offset)
		return bad(line, "'erase' needs 'offset=' with '%s='",
			   rule_selectors[rule->selector]);
	if (rule->action == RULE_ERASE && rule->selector == RULE_MODULE &&
	    (rule->has_offset || rule->has_length))
		return bad(line, "'erase' takes no part of a module: name the variable with 'symbol=MODULE:NAME'");
	if ((rule->has_length && !rule->length) ||
	    __builtin_add_overflow(rule->offset, rule->length, &end) ||
	    end > INT64_MAX)
		return bad(line, "no byte lies in that 'offset' and 'length'");
	return NULL;
}

/* @text: NUL-terminated, without comment; modified. */
static struct kml_error *parse_line(struct line *line, char *text)
{
	struct kml_error *error = NULL;
	char *word, *save;

	text += strspn(text, SPACE);
	line->rule.text = strdup(text);
	if (!line->rule.text)
		return error_nomem();
	for (word = line->rule.text + strlen(text);
	     word > line->rule.text && strchr(SPACE, word[-1]);)
		*--word = '\0';
	for (word = strtok_r(text, SPACE, &save); word && !error;
	     word = strtok_r(NULL, SPACE, &save))
		error = parse_word(line, word);
	if (!error && line->has_action)
		error = check_rule(line);
	return error;
}

static void rule_deinit(struct rule *rule)
{
	free(rule->name);
	free(rule->text);
}

static struct kml_error *add_line(struct rule_list *list, const char *file,
				  unsigned number, const char *text,
				  size_t bytes)
{
	struct line line = { .file = file, .number = number };
	char copy[MAX_LINE_BYTES + 1];
	struct kml_error *error;
	size_t i;

	for (i = 0; i < bytes; i++) {
		unsigned char c = (unsigned char)text[i];

		if (c < 0x20 && !strchr(SPACE, c))
			return bad(&line, "a control character: is this a rules file?");
		if (!c || c == 0x7f)
			return bad(&line, "a NUL or DEL: is this a rules file?");
	}
	/* A name may hold a '#': a comment begins where a word would. */
	for (i = 0; i < bytes; i++) {
		if (text[i] == '#' && (!i || strchr(SPACE, text[i - 1])))
			bytes = i;
	}
	if (bytes > MAX_LINE_BYTES)
		return bad(&line, "the line is longer than %u bytes",
			   MAX_LINE_BYTES);
	memcpy(copy, text, bytes);
	copy[bytes] = '\0';
	error = parse_line(&line, copy);
	line.rule.file = file;
	line.rule.line = number;
	if (!error && line.has_action) {
		if (vec_push(&list->rules, line.rule))
			return NULL;
		error = error_nomem();
	}
	rule_deinit(&line.rule);
	return error;
}

struct kml_error *rule_list_parse(struct rule_list *list, const char *name,
				  const char *text, size_t bytes)
{
	char *file = strdup(name);
	struct kml_error *error = NULL;
	unsigned number = 0;

	if (!file || !vec_push(&list->files, file)) {
		free(file);
		return error_nomem();
	}
	while (!error && bytes) {
		const char *end = memchr(text, '\n', bytes);
		size_t n = end ? (size_t)(end - text) : bytes;

		error = add_line(list, file, ++number, text, n);
		n += end != NULL;
		text += n;
		bytes -= n;
	}
	return error;
}

/* At most @max bytes, which is one more than there may be. */
static struct kml_error *read_all(int fd, const char *path, char *buf,
				  size_t max, size_t *ret)
{
	size_t n = 0;

	while (n < max) {
		ssize_t got = read(fd, buf + n, max - n);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return error_os(errno, "cannot read '%s'", path);
		if (!got)
			break;
		n += (size_t)got;
	}
	*ret = n;
	return NULL;
}

struct kml_error *rule_list_read(struct rule_list *list, const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	_cleanup_free_ char *buf = malloc(MAX_FILE_BYTES + 1);
	struct kml_error *error;
	size_t bytes;

	if (fd < 0)
		return error_os(errno, "cannot open '%s'", path);
	if (!buf)
		return error_nomem();
	error = read_all(fd, path, buf, MAX_FILE_BYTES + 1, &bytes);
	if (error)
		return error;
	if (bytes > MAX_FILE_BYTES)
		return error_new(KML_ERR_FORMAT,
				 "'%s' is larger than 1 MiB: is this a rules file?",
				 path);
	return rule_list_parse(list, path, buf, bytes);
}

void rule_list_deinit(struct rule_list *list)
{
	size_t i;

	for (i = 0; i < list->rules.size; i++)
		rule_deinit(&list->rules.data[i]);
	for (i = 0; i < list->files.size; i++)
		free(list->files.data[i]);
	vec_deinit(&list->rules);
	vec_deinit(&list->files);
}
