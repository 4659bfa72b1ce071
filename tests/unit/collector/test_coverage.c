/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/coverage.h"

#include <criterion/criterion.h>
#include <stdint.h>
#include <string.h>

#define MINUTE (60LL * USEC_PER_SECOND)

static struct cover c;

static void end(void)
{
	cover_finish(&c);
}

TestSuite(coverage, .fini = end);

/* The minutes of a sensor's reports, from..to. */
static void hear(const char *sensor, int from, int to)
{
	for (int i = from; i <= to; i++)
		cr_assert_eq(cover_heard(&c, sensor, i * MINUTE), 0);
}

static void add(const char *sensor, const char *segment, int minute, enum cover_state state,
		const char *reasons)
{
	struct cover_minute m = { .minute = minute * MINUTE,
				  .state = state,
				  .reasons = reasons,
				  .packets = strstr(reasons, "never-seen") || state == COVER_QUIET
						     ? 0
						     : 10,
				  .bytes = 100,
				  .frames = 90,
				  .drops = 10,
				  .shed_max = (uint64_t)minute % 3 };
	cr_assert_eq(cover_add(&c, sensor, segment, &m), 0);
}

static const struct cover_segment *at(size_t i)
{
	cr_assert_lt(i, c.segment_count);
	return c.segments[i];
}

Test(coverage, states_and_since_when)
{
	hear("a", 1, 5);
	add("a", "icu", 1, COVER_SEEN, "");
	add("a", "icu", 2, COVER_BLIND, "drops");
	add("a", "icu", 3, COVER_SEEN, "");
	add("a", "icu", 4, COVER_PARTIAL, "drops\nshed");
	add("a", "icu", 5, COVER_PARTIAL, "one-sided\noversized");
	cover_conclude(&c, 6 * MINUTE);
	const struct cover_segment *s = at(0);
	cr_assert_eq(s->state, COVER_PARTIAL);
	cr_assert_eq(s->since, 4 * MINUTE);
	cr_assert_eq(s->worst, COVER_BLIND);
	cr_assert_eq(s->worst_since, 2 * MINUTE);
	cr_assert_eq(s->minutes[COVER_SEEN], 2);
	cr_assert_eq(s->minutes[COVER_PARTIAL], 2);
	cr_assert_eq(s->no_report_minutes, 0);
	cr_assert_eq(s->sum.packets, 50);
	cr_assert_eq(s->sum.shed_max, 2);
	cr_assert_float_eq(cover_lost_share(s), 0.1, 1e-9);
	struct buf words = { 0 };
	cover_words(s, &words);
	cr_assert_str_eq(words.data, "most conversations show one direction only; offloads join "
				     "packets: bytes are right, packet counts too low");
	buf_finish(&words);
}

Test(coverage, a_sensor_that_was_off_saw_nothing)
{
	hear("a", 1, 2);
	hear("a", 10, 11);
	add("a", "icu", 1, COVER_SEEN, "");
	add("a", "icu", 2, COVER_SEEN, "");
	add("a", "icu", 10, COVER_SEEN, "");
	add("a", "icu", 11, COVER_SEEN, "");
	cover_conclude(&c, 0);
	cr_assert_eq(at(0)->no_report_minutes, 7);
	cr_assert_eq(at(0)->state, COVER_SEEN);
	cr_assert_eq(at(0)->since, 10 * MINUTE, "what was before is not known to have lasted");
	cr_assert_eq(at(0)->worst, COVER_BLIND);
	cr_assert_eq(at(0)->worst_since, 3 * MINUTE);
}

Test(coverage, a_row_that_is_missing_while_the_sensor_reports_is_no_gap)
{
	hear("a", 1, 11);
	add("a", "office", 1, COVER_SEEN, "");
	add("a", "office", 9, COVER_SEEN, "");
	cover_conclude(&c, 12 * MINUTE);
	cr_assert_eq(at(0)->no_report_minutes, 0);
	cr_assert_eq(at(0)->worst, COVER_SEEN);
	cr_assert_eq(at(0)->since, MINUTE);
}

Test(coverage, a_sensor_that_stops_reporting_is_blind)
{
	hear("a", 1, 2);
	hear("b", 1, 9);
	add("a", "icu", 1, COVER_SEEN, "");
	add("a", "icu", 2, COVER_SEEN, "");
	add("b", "icu", 9, COVER_SEEN, "");
	cover_conclude(&c, 10 * MINUTE);
	cr_assert_eq(c.segment_count, 2);
	cr_assert_str_eq(at(0)->sensor->name, "a");
	cr_assert_eq(at(0)->state, COVER_BLIND);
	cr_assert(at(0)->no_report);
	cr_assert_eq(at(0)->since, 3 * MINUTE);
	cr_assert_eq(at(0)->no_report_minutes, 7);
	cr_assert_eq(at(1)->state, COVER_SEEN);
	struct buf words = { 0 };
	cover_words(at(0), &words);
	cr_assert_str_eq(words.data, "the sensor does not report any more");
	buf_finish(&words);
}

Test(coverage, a_report_on_its_way_is_not_missing)
{
	hear("a", 1, 2);
	add("a", "icu", 2, COVER_SEEN, "");
	cover_conclude(&c, 5 * MINUTE);
	cr_assert_eq(at(0)->state, COVER_SEEN);
}

Test(coverage, never_seen_is_said_where_nobody_sees_it)
{
	hear("a", 1, 1);
	hear("b", 1, 1);
	add("a", "icu", 1, COVER_QUIET, "never-seen");
	add("a", "theatre", 1, COVER_QUIET, "never-seen");
	add("b", "icu", 1, COVER_SEEN, "");
	add("b", "theatre", 1, COVER_MIRROR_DEAD, "no-frames\nnever-seen");
	add("b", "ward", 1, COVER_QUIET, "");
	cover_conclude(&c, 0);
	cr_assert_eq(c.segment_count, 4);
	cr_assert_str_eq(at(0)->name, "theatre");
	cr_assert_str_eq(at(1)->name, "icu");
	cr_assert_str_eq(at(1)->sensor->name, "b");
	cr_assert_str_eq(at(2)->name, "theatre");
	cr_assert_str_eq(at(3)->name, "ward");
	struct buf words = { 0 };
	cover_words(at(3), &words);
	cr_assert_str_eq(words.data, "the mirror lives, the segment says nothing");
	buf_finish(&words);
}

Test(coverage, hostile_reports)
{
	struct cover_minute m = { .minute = INT64_MIN, .state = COVER_SEEN, .reasons = "" };

	m.bytes = m.missed_bytes = m.drops = UINT64_MAX;
	cr_assert_eq(cover_heard(&c, "a", INT64_MIN), 0);
	cr_assert_eq(cover_heard(&c, "a", INT64_MAX), 0);
	cr_assert_eq(cover_heard(&c, "a", 5), 0, "out of order");
	cr_assert_eq(cover_add(&c, "a", "icu", &m), 0);
	m.minute = INT64_MAX;
	cr_assert_eq(cover_add(&c, "a", "icu", &m), 0);
	m.minute = 7;
	cr_assert_eq(cover_add(&c, "z", "", &m), 0, "never heard");
	cover_conclude(&c, INT64_MAX);
	cr_assert_eq(c.segment_count, 2);
	cr_assert_leq(cover_missed_share(at(0)), 1);
}

Test(coverage, a_word_of_a_newer_sensor_is_no_praise)
{
	cr_assert_eq(cover_state_of("seen"), COVER_SEEN);
	cr_assert_eq(cover_state_of("mirror-dead"), COVER_MIRROR_DEAD);
	cr_assert_eq(cover_state_of("dazzled"), COVER_PARTIAL);
}
