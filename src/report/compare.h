/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two verdicts side by side: what the formats share. */
#ifndef KML_REPORT_COMPARE_H
#define KML_REPORT_COMPARE_H

#include "leak/compare.h"
#include "report/place.h"

/* Stable names, and what they mean. */
extern const char *const compare_theirs_names[THEIRS_VERDICTS];
extern const char *const compare_ours_names[OURS_VERDICTS];
struct compare_reason_text {
	const char *name;
	const char *text; /* completes "N objects that ...: " */
};
extern const struct compare_reason_text compare_reasons[COMPARE_REASONS];

/* Make the comparison; false: failed, which sticks to the report's writer. */
bool compare_make(struct report *report, struct comparison *ret);

/* Where a word is: "kmalloc-64 0xffff... +0x18", "stack of ...". */
void compare_place(struct report *report, const struct compare_word *word,
		   char ret[PLACE_BYTES]);

/* kmemleak's record of an entry, or NULL. */
const struct kmemleak_record *
compare_record(const struct report *report, const struct compare_entry *entry);

/* An entry's object, as either knows it. */
struct object compare_object(const struct report *report,
			     const struct compare_entry *entry);

#endif
