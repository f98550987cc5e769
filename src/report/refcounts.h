/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Objects whose reference count is higher than what refers to them. */
#ifndef KML_REPORT_REFCOUNTS_H
#define KML_REPORT_REFCOUNTS_H

#include "report/json_writer.h"
#include "report/report.h"

/* Nothing if there are none. */
void text_refcounts(struct report *report);
/* "refcount_suspects". */
void json_refcounts(struct json *json, struct report *report);

#endif
