/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sensor/ledger.h"

static const struct {
	struct coverage row;
	struct ledger_minute minute;
	bool frames_before;
	enum coverage_state state;
	const char *reasons, *why;
} cases[] = {
	{ { .packets = 10, .bytes = 999, .known = true },
	  { .frames = 10 },
	  true,
	  COVERAGE_SEEN,
	  "",
	  "all is well" },
	{ { .known = true }, { .frames = 10 }, true, COVERAGE_QUIET, "", "others speak, it not" },
	{ { .known = true },
	  { .frames = 0 },
	  true,
	  COVERAGE_MIRROR_DEAD,
	  "no-frames ",
	  "nothing at all any more" },
	{ { .known = false },
	  { .frames = 0, .first = true, .live = true },
	  false,
	  COVERAGE_QUIET,
	  "never-seen started ",
	  "it has hardly begun" },
	{ { .known = false },
	  { .frames = 0, .live = true },
	  false,
	  COVERAGE_MIRROR_DEAD,
	  "no-frames never-seen ",
	  "a whole minute, and there never was anything" },
	{ { .known = true },
	  { .frames = 0, .first = true },
	  true,
	  COVERAGE_MIRROR_DEAD,
	  "no-frames ",
	  "it had begun" },
	{ { .known = false },
	  { .frames = 10, .live = true },
	  true,
	  COVERAGE_QUIET,
	  "never-seen ",
	  "declared, and nobody has ever heard of it" },
	{ { .known = true },
	  { .frames = 0, .drops = 9 },
	  true,
	  COVERAGE_BLIND,
	  "no-frames drops ",
	  "all was dropped" },
	{ { .known = true },
	  { .frames = 0, .drops = 9, .first = true },
	  false,
	  COVERAGE_BLIND,
	  "drops ",
	  "all was dropped, from the start" },
	{ { .packets = 10, .known = true },
	  { .frames = 10, .drops = 90 },
	  true,
	  COVERAGE_BLIND,
	  "drops ",
	  "most dropped" },
	{ { .known = true },
	  { .frames = 10, .drops = 90 },
	  true,
	  COVERAGE_BLIND,
	  "drops ",
	  "silent where most was dropped" },
	{ { .packets = 10, .known = true },
	  { .frames = 1000, .drops = 2 },
	  true,
	  COVERAGE_PARTIAL,
	  "drops ",
	  "some" },
	{ { .packets = 10, .known = true },
	  { .frames = 100000, .drops = 2 },
	  true,
	  COVERAGE_SEEN,
	  "drops ",
	  "next to none, but said" },
	{ { .known = true },
	  { .frames = 1000, .drops = 2 },
	  true,
	  COVERAGE_PARTIAL,
	  "drops ",
	  "silent, or among the dropped: nobody knows" },
	{ { .packets = 9, .bytes = 1000, .missed_bytes = 11, .known = true },
	  { .frames = 9 },
	  true,
	  COVERAGE_PARTIAL,
	  "missed-bytes ",
	  "acknowledged and never seen" },
	{ { .packets = 9, .bytes = 1000, .missed_bytes = 2000, .known = true },
	  { .frames = 9 },
	  true,
	  COVERAGE_BLIND,
	  "missed-bytes ",
	  "most of it never seen" },
	{ { .packets = 90, .bytes = 90, .flows = 20, .one_sided_flows = 15, .known = true },
	  { .frames = 90 },
	  true,
	  COVERAGE_PARTIAL,
	  "one-sided ",
	  "the mirror shows one direction" },
	{ { .packets = 90, .bytes = 90, .flows = 5, .one_sided_flows = 5, .known = true },
	  { .frames = 90 },
	  true,
	  COVERAGE_SEEN,
	  "",
	  "too few flows to tell" },
	{ { .packets = 9, .bytes = 9, .truncated = 1, .known = true },
	  { .frames = 9 },
	  true,
	  COVERAGE_PARTIAL,
	  "truncated ",
	  "frames cut short" },
	{ { .packets = 9, .bytes = 9, .shed_max = 1, .known = true },
	  { .frames = 9 },
	  true,
	  COVERAGE_PARTIAL,
	  "shed ",
	  "shed" },
	{ { .packets = 9, .bytes = 9, .oversized = 3, .known = true },
	  { .frames = 9 },
	  true,
	  COVERAGE_SEEN,
	  "oversized ",
	  "bytes are right, packets are not" },
	{ { .packets = 9, .bytes = 9, .known = true },
	  { .frames = 9, .clock_jumps = 1 },
	  true,
	  COVERAGE_SEEN,
	  "clock ",
	  "times are in doubt" },
	{ { .interfaces = 2, .known = true },
	  { .frames = 9, .dead = 2 },
	  true,
	  COVERAGE_MIRROR_DEAD,
	  "interface-dead ",
	  "its only mirror has died, others live" },
	{ { .interfaces = 3, .known = true },
	  { .frames = 9, .dead = 2 },
	  true,
	  COVERAGE_PARTIAL,
	  "interface-dead ",
	  "one of its mirrors has died: silent, or unseen" },
	{ { .packets = 5, .bytes = 5, .interfaces = 3, .known = true },
	  { .frames = 9, .dead = 2 },
	  true,
	  COVERAGE_PARTIAL,
	  "interface-dead ",
	  "the other one still shows some of it" },
	{ { .interfaces = 1, .known = true },
	  { .frames = 9, .dead = 2 },
	  true,
	  COVERAGE_QUIET,
	  "",
	  "another one's mirror has died" },
};

Test(ledger, states)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct coverage_judgement j =
			coverage_judge(&cases[i].row, &cases[i].minute, cases[i].frames_before);
		char reasons[256] = "";
		for (unsigned r = 0; r < COVERAGE_REASON_COUNT; r++)
			if (j.reasons & 1U << r)
				strcat(strcat(reasons,
					      coverage_reason_name((enum coverage_reason)r)),
				       " ");
		cr_expect_str_eq(coverage_state_name(j.state), coverage_state_name(cases[i].state),
				 "%s", cases[i].why);
		cr_expect_str_eq(reasons, cases[i].reasons, "%s", cases[i].why);
	}
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
	cr_assert_eq(sent, 3);
	m.cut = true;
	ledger_close(l, &m, "s", NULL, count, NULL);
	cr_assert_eq(sent, 3, "no frame in the first seconds of a minute is no dead mirror");
	ledger_destroy(l);
	site_free(site);
}

static char clinical[64];

static int keep_segment(void *context, const struct record *r)
{
	(void)context;
	sent++;
	snprintf(clinical, sizeof(clinical), "%s %s %s", r->coverage.segment, r->coverage.state,
		 r->coverage.reason_count ? r->coverage.reasons[0] : "");
	return 0;
}

Test(ledger, a_clinical_segment_has_a_row_before_it_is_seen)
{
	static const char text[] =
		"site: x\nsegments:\n"
		"  - {name: icu, impact: life-critical, match: {prefixes: [10.1.0.0/16]}}\n"
		"  - {name: office, impact: administrative, match: {prefixes: [10.2.0.0/16]}}\n";
	char path[] = "/tmp/vigie-site-XXXXXX";
	int fd = mkstemp(path);
	struct problems problems = { 0 };
	struct ledger_minute m = { .frames = 5, .live = true };

	cr_assert(write(fd, text, sizeof(text) - 1) == sizeof(text) - 1);
	close(fd);
	struct site *site = site_load(path, (struct usec){ 0 }, &problems);
	unlink(path);
	problems_finish(&problems);
	cr_assert(site);
	struct ledger *l = ledger_create(site);
	ledger_close(l, &m, "s", NULL, keep_segment, NULL);
	cr_assert_eq(sent, 1);
	cr_assert_str_eq(clinical, "icu quiet never-seen");
	m.frames = 0;
	ledger_close(l, &m, "s", NULL, keep_segment, NULL);
	cr_assert_str_eq(clinical, "icu mirror-dead no-frames");
	m.live = false;
	ledger_close(l, &m, "s", NULL, keep_segment, NULL);
	cr_assert_eq(sent, 2, "a capture need not show everything");
	ledger_destroy(l);
	site_free(site);
}
