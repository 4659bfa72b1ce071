/* SPDX-License-Identifier: Apache-2.0
 *
 * The site of the unit tests, from hospital.yaml beside this file. */
#pragma once

#include <criterion/criterion.h>

#include "site/site.h"

/* 2026-06-15, a Monday. */
static const struct usec hospital_now = { 1781481600000000 };

static inline struct site *hospital_load(void)
{
	struct problems problems = { 0 };
	struct buf text = { 0 };
	struct site *s = site_load(UNIT_SOURCES "/site/hospital.yaml", hospital_now, &problems);

	problems_print(&problems, &text);
	cr_assert_not_null(s, "%s", text.data);
	buf_finish(&text);
	problems_finish(&problems);
	return s;
}
