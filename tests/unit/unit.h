/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the unit tests share: cmocka's includes, in the order it wants. */
#ifndef KML_TESTS_UNIT_H
#define KML_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka after the four above */
#include <cmocka.h>

#include "base/error.h"

#define assert_ok(expression)                                          \
	do {                                                           \
		struct kml_error *assert_ok_ = (expression);           \
		if (assert_ok_)                                        \
			fail_msg("%s", kml_error_message(assert_ok_)); \
	} while (0)

#define assert_fails(expected, expression)                             \
	do {                                                           \
		struct kml_error *assert_fails_ = (expression);        \
		assert_non_null(assert_fails_);                        \
		assert_int_equal(kml_error_code(assert_fails_), expected); \
		kml_error_destroy(assert_fails_);                      \
	} while (0)

#endif
