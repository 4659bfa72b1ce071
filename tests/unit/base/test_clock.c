/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <inttypes.h>

#include "base/clock.h"

static const struct {
	int64_t us;
	const char *text;
} known[] = {
	{ 0, "1970-01-01T00:00:00.000000Z" },
	{ -1, "1969-12-31T23:59:59.999999Z" },
	{ 1767323045000001, "2026-01-02T03:04:05.000001Z" },
	{ 951782400000000, "2000-02-29T00:00:00.000000Z" },
	{ 4107542399999999, "2100-02-28T23:59:59.999999Z" },
	{ 4107542400000000, "2100-03-01T00:00:00.000000Z" },
};

Test(clock, text_and_back)
{
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		char text[CLOCK_TEXT];
		struct usec back;
		cr_assert_str_eq(clock_text((struct usec){ known[i].us }, text), known[i].text);
		cr_assert(clock_parse(text, &back));
		cr_assert_eq(back.v, known[i].us, "%s", text);
	}
}

Test(clock, times_out_of_range_are_shown_as_the_bound)
{
	char text[CLOCK_TEXT];

	cr_assert_str_eq(clock_text((struct usec){ INT64_MAX }, text),
			 "9999-12-31T23:59:59.999999Z");
	cr_assert_str_eq(clock_text((struct usec){ INT64_MIN }, text),
			 "0000-01-01T00:00:00.000000Z");
}

Test(clock, reads_zones_dates_and_fractions)
{
	struct usec a, b;

	cr_assert(clock_parse("2026-01-02T04:04:05.5+01:00", &a));
	cr_assert(clock_parse("2026-01-02T03:04:05.500000Z", &b));
	cr_assert_eq(a.v, b.v);
	cr_assert(clock_parse("2026-01-02", &a));
	cr_assert(clock_parse("2026-01-02T00:00Z", &b));
	cr_assert_eq(a.v, b.v);
}

Test(clock, refuses_what_is_no_time)
{
	static const char *const bad[] = { "",
					   "2026",
					   "2026-13-01",
					   "2026-02-29",
					   "2026-00-10",
					   "2026-01-32",
					   "2026-01-02T25:00Z",
					   "2026-01-02T03:04:05.",
					   "2026-01-02T03:04:05Zx",
					   "2026-01-02T03:04:05+1:00" };

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct usec t;
		cr_assert_not(clock_parse(bad[i], &t), "%s", bad[i]);
	}
}

Test(clock, spans)
{
	struct usec t;

	cr_assert(clock_parse_span("90s", &t));
	cr_assert_eq(t.v, 90 * USEC_PER_SECOND);
	cr_assert(clock_parse_span("2h", &t));
	cr_assert_eq(t.v, 7200LL * USEC_PER_SECOND);
	cr_assert(clock_parse_span("5ms", &t));
	cr_assert_eq(t.v, 5000);
	cr_assert_not(clock_parse_span("", &t));
	cr_assert_not(clock_parse_span("h", &t));
	cr_assert_not(clock_parse_span("5", &t));
	cr_assert_not(clock_parse_span("-5s", &t));
	cr_assert_not(clock_parse_span("5 s", &t));
	cr_assert_not(clock_parse_span("99999999999999999w", &t));
}
