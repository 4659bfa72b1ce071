/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>

#include "sensor/ledger.h"

static const struct {
	struct coverage row;
	struct ledger_minute minute;
	bool frames_before;
	enum coverage_state state;
	const char *why;
} cases[] = {
	{ { .packets = 10, .bytes = 999 }, { .frames = 10 }, true, COVERAGE_SEEN, "all is well" },
	{ { 0 }, { .frames = 10 }, true, COVERAGE_QUIET, "others speak, it does not" },
	{ { 0 }, { .frames = 0 }, true, COVERAGE_MIRROR_DEAD, "nothing at all any more" },
	{ { 0 }, { .frames = 0 }, false, COVERAGE_QUIET, "there never was anything" },
	{ { 0 }, { .frames = 0, .drops = 9 }, true, COVERAGE_BLIND, "all was dropped" },
	{ { .packets = 10 }, { .frames = 10, .drops = 90 }, true, COVERAGE_BLIND, "most dropped" },
	{ { .packets = 10 }, { .frames = 1000, .drops = 2 }, true, COVERAGE_PARTIAL, "some" },
	{ { 0 },
	  { .frames = 1000, .drops = 2 },
	  true,
	  COVERAGE_PARTIAL,
	  "silent, or among the dropped: nobody knows" },
	{ { .packets = 9, .bytes = 1000, .missed_bytes = 11 },
	  { .frames = 9 },
	  true,
	  COVERAGE_PARTIAL,
	  "acknowledged and never seen" },
	{ { .packets = 9, .bytes = 1000, .missed_bytes = 2000 },
	  { .frames = 9 },
	  true,
	  COVERAGE_BLIND,
	  "most of it never seen" },
	{ { .packets = 90, .bytes = 90, .flows = 20, .one_sided_flows = 15 },
	  { .frames = 90 },
	  true,
	  COVERAGE_PARTIAL,
	  "the mirror shows one direction" },
	{ { .packets = 90, .bytes = 90, .flows = 5, .one_sided_flows = 5 },
	  { .frames = 90 },
	  true,
	  COVERAGE_SEEN,
	  "too few flows to tell" },
	{ { .packets = 9, .bytes = 9, .truncated = 1 },
	  { .frames = 9 },
	  true,
	  COVERAGE_PARTIAL,
	  "frames cut short" },
	{ { .packets = 9, .bytes = 9, .shed_max = 1 },
	  { .frames = 9 },
	  true,
	  COVERAGE_PARTIAL,
	  "shed" },
};

Test(ledger, states)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		cr_expect_str_eq(coverage_state_name(coverage_judge(&cases[i].row, &cases[i].minute,
								    cases[i].frames_before)),
				 coverage_state_name(cases[i].state), "%s", cases[i].why);
}

static size_t sent;
static char last[16];

static int count(void *context, const struct record *r)
{
	(void)context;
	sent++;
	snprintf(last, sizeof(last), "%s", r->coverage.state);
	cr_assert_eq(r->type, RECORD_COVERAGE);
	return 0;
}

Test(ledger, a_segment_once_seen_has_a_row_every_minute)
{
	struct site *site = site_empty();
	struct ledger *l = ledger_create(site);
	struct ledger_minute m = { .frames = 5 };

	ledger_close(l, &m, "s", NULL, count, NULL);
	cr_assert_eq(sent, 0, "nothing was ever seen of any");
	ledger_of(l, site_segment_named(site, "external"))->packets = 5;
	ledger_close(l, &m, "s", NULL, count, NULL);
	cr_assert_eq(sent, 1);
	cr_assert_str_eq(last, "seen");
	ledger_close(l, &m, "s", NULL, count, NULL);
	cr_assert_eq(sent, 2);
	cr_assert_str_eq(last, "quiet");
	m.frames = 0;
	ledger_close(l, &m, "s", NULL, count, NULL);
	cr_assert_str_eq(last, "mirror-dead");
	ledger_destroy(l);
	site_free(site);
}
