// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules files: what they say, and what is wrong with bad ones. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/util.h"
#include "graph/rule_file.h"

static void parse(struct rule_list *list, const char *text)
{
	memset(list, 0, sizeof(*list));
	assert_ok(rule_list_parse(list, "f", text, strlen(text)));
}

static void test_good(void **state)
{
	struct rule_list list;
	const struct rule *r;

	(void)state;
	parse(&list, "# a comment\n"
		     "\n"
		     "not_leak cache=kml_private # trailing\r\n"
		     "  ignore\taddress=0xffff888012345678  \n"
		     "no_scan type=task_struct\n"
		     "scan_area cache=a#b offset=0x10 length=16\n"
		     "erase symbol=kmlplant:in_data\n"
		     "erase cache=x offset=010\n"
		     "min_count module=m* count=2\n"
		     "transient fingerprint=00DEADBEEF000001");
	r = list.rules.data;
	assert_int_equal(list.rules.size, 8);
	assert_int_equal(r[0].action, RULE_NOT_LEAK);
	assert_int_equal(r[0].selector, RULE_CACHE);
	assert_string_equal(r[0].name, "kml_private");
	assert_string_equal(r[0].text, "not_leak cache=kml_private");
	assert_string_equal(r[0].file, "f");
	assert_int_equal(r[0].line, 3);
	assert_int_equal(r[1].action, RULE_IGNORE);
	assert_int_equal(r[1].number, UINT64_C(0xffff888012345678));
	assert_string_equal(r[1].text, "ignore\taddress=0xffff888012345678");
	assert_int_equal(r[2].action, RULE_NO_SCAN);
	assert_int_equal(r[2].selector, RULE_TYPE);
	assert_int_equal(r[3].action, RULE_SCAN_AREA);
	assert_string_equal(r[3].name, "a#b");
	assert_int_equal(r[3].offset, 16);
	assert_int_equal(r[3].length, 16);
	assert_int_equal(r[4].action, RULE_ERASE);
	assert_true(rule_selects_words(&r[4]));
	assert_false(r[4].has_offset);
	assert_int_equal(r[5].offset, 10); /* not octal */
	assert_false(rule_selects_words(&r[5]));
	assert_int_equal(r[6].count, 2);
	assert_int_equal(r[6].selector, RULE_MODULE);
	assert_int_equal(r[7].number, UINT64_C(0xdeadbeef000001));
	assert_int_equal(r[7].line, 10);
	rule_list_deinit(&list);
}

/* Each with the line and a part of what is said. */
static const struct {
	const char *text, *says;
} bad_files[] = {
	{ "leak cache=x", "f:1: 'leak' is no action" },
	{ "\n\nnot_leak", "f:3: 'not_leak' has no selector" },
	{ "not_leak cache", "f:1: 'cache' is no SELECTOR=VALUE" },
	{ "not_leak cache=", "f:1: 'cache=' has no value" },
	{ "not_leak =x", "f:1: '' is neither" },
	{ "not_leak cach=x", "f:1: 'cach' is neither" },
	{ "not_leak cachex=x", "f:1: 'cachex' is neither" },
	{ "not_leak cache=x type=y", "f:1: two selectors, 'cache' and 'type'" },
	{ "not_leak cache=x cache=y", "f:1: two selectors" },
	{ "not_leak cache=x offset=8", "f:1: 'not_leak' takes no 'offset'" },
	{ "erase cache=x", "f:1: 'erase' needs 'offset='" },
	{ "erase fingerprint=1", "f:1: 'erase' needs 'offset='" },
	{ "erase module=m offset=8", "takes no part of a module" },
	{ "erase symbol=x offset=8 offset=8", "'offset' stands there twice" },
	{ "erase symbol=x length=0", "no byte lies" },
	{ "erase symbol=x offset=18446744073709551615", "no byte lies" },
	{ "erase symbol=x offset=0xffffffffffffffff length=8", "no byte lies" },
	{ "erase symbol=x offset=18446744073709551616", "no number" },
	{ "erase symbol=x offset=-8", "f:1: '-8' is no number for 'offset'" },
	{ "erase symbol=x offset=+8", "no number" },
	{ "erase symbol=x offset=8k", "no number" },
	{ "scan_area cache=x", "'scan_area' needs" },
	{ "min_count cache=x", "'min_count' needs 'count='" },
	{ "min_count cache=x count=4294967296", "too large" },
	{ "ignore address=vfs", "f:1: 'vfs' is no address" },
	{ "ignore address=0x", "'0x' is no address" },
	{ "ignore address=0x11111111111111111", "is no address" },
	{ "ignore fingerprint=xyz", "is no fingerprint" },
	{ "ok\001 x", "f:1: a control character" },
	{ "cache\177", "f:1: a NUL or DEL" },
};

static void test_bad(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(bad_files); i++) {
		struct rule_list list = { .files = { 0 } };
		struct kml_error *error =
			rule_list_parse(&list, "f", bad_files[i].text,
					strlen(bad_files[i].text));

		assert_int_equal(kml_error_code(error), KML_ERR_FORMAT);
		if (!strstr(kml_error_message(error), bad_files[i].says))
			fail_msg("'%s': says '%s'", bad_files[i].text,
				 kml_error_message(error));
		kml_error_destroy(error);
		rule_list_deinit(&list);
	}
}

static void test_nul_and_long(void **state)
{
	struct rule_list list = { .files = { 0 } };
	char text[3000];

	(void)state;
	assert_fails(KML_ERR_FORMAT,
		     rule_list_parse(&list, "f", "ignore\0cache=x", 14));
	memset(text, 'x', sizeof(text));
	assert_fails(KML_ERR_FORMAT,
		     rule_list_parse(&list, "f", text, sizeof(text)));
	memcpy(text, "ignore cache=x #", 16); /* a comment may be long */
	assert_ok(rule_list_parse(&list, "f", text, sizeof(text)));
	assert_int_equal(list.rules.size, 1);
	rule_list_deinit(&list);
}

/* Any bytes: an error or rules that say what they must, no crash. */
static void test_random(void **state)
{
	static const char *const words[] = {
		"not_leak", "erase", "scan_area", "min_count", "cache=", "x",
		" ", "\n", "offset=", "count=", "1", "0x", "#", "=", "\t",
		"symbol=", "fingerprint=", "f", "9", "address=", "type=",
	};
	unsigned seed, i;

	(void)state;
	for (seed = 1; seed <= 20000; seed++) {
		struct rule_list list = { .files = { 0 } };
		char text[256] = "";
		struct kml_error *error;

		srand(seed);
		for (i = (unsigned)rand() % 16; i; i--)
			strcat(text, words[(unsigned)rand() % ARRAY_SIZE(words)]);
		if (seed % 5 == 0)
			text[(unsigned)rand() % 200] = (char)rand();
		error = rule_list_parse(&list, "f", text, strlen(text));
		assert_true(!error || kml_error_code(error) == KML_ERR_FORMAT);
		for (i = 0; i < list.rules.size; i++) {
			const struct rule *r = &list.rules.data[i];

			assert_true(r->action < RULE_ACTIONS);
			assert_true(r->name || r->selector == RULE_ADDRESS ||
				    r->selector == RULE_FINGERPRINT);
			assert_non_null(r->text);
		}
		kml_error_destroy(error);
		rule_list_deinit(&list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_nul_and_long),
		cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
