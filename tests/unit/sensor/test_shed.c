/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "sensor/shed.h"

static struct shed_options options;
static struct shed shed;
static int64_t now; /* ms */

static void begin(void)
{
	shed_options_init(&options);
	shed_init(&shed, &options);
	now = 5000;
}

TestSuite(shed, .init = begin);

/* The level after `ms` more of this pressure, taken each 10 ms. */
static unsigned after(int64_t ms, struct shed_pressure p)
{
	for (int64_t end = now + ms; now < end; now += 10)
		shed_update(&shed, &p, (struct usec){ now * 1000 });
	return shed.level;
}

static const struct shed_pressure calm = { .ring_percent = 3, .lag_us = 10000 };
static const struct shed_pressure between = { .ring_percent = 30, .lag_us = 10000 };
static const struct shed_pressure high = { .ring_percent = 60 };
static const struct shed_pressure full = { .ring_percent = 90 };

Test(shed, treatments_are_the_table_of_the_header)
{
	static const char *const table[] = { "ffffff", "dddfff", "hhhfff", "pppddf", "pppphf" };
	static const char letters[] = "fdhp";

	for (uint8_t level = 0; level <= SHED_LEVEL_MOST; level++)
		for (int i = 0; i < IMPACT_COUNT; i++)
			cr_expect_eq(letters[shed_treatment(level, (enum impact)i)],
				     table[level][i], "level %u, %s", level,
				     impact_name((enum impact)i));
}

Test(shed, treatment_never_improves_with_the_level)
{
	for (uint8_t level = 1; level <= SHED_LEVEL_MOST; level++)
		for (int i = 0; i < IMPACT_COUNT; i++)
			cr_expect_geq(shed_treatment(level, (enum impact)i),
				      shed_treatment((uint8_t)(level - 1), (enum impact)i));
}

Test(shed, climbs_a_level_each_tenth_of_a_second)
{
	cr_assert_eq(after(10, calm), 0);
	cr_assert_eq(after(10, high), 1);
	cr_assert_eq(after(90, high), 1);
	cr_assert_eq(after(10, high), 2);
	cr_assert_eq(after(1000, high), 4);
	cr_assert_eq(after(1000, high), 4, "there is no more");
}

Test(shed, two_at_once_when_the_ring_is_nearly_full)
{
	cr_assert_eq(after(10, full), 2);
	cr_assert_eq(after(100, full), 4);
}

Test(shed, each_pressure_counts_alone)
{
	static const struct shed_pressure list[] = {
		{ .ring_percent = 50 },
		{ .queue_percent = 50 },
		{ .spool_percent = 90 },
		{ .lag_us = 500000 },
	};
	static const struct shed_pressure nearly = {
		.ring_percent = 49, .queue_percent = 49, .spool_percent = 89, .lag_us = 499999
	};

	cr_assert_eq(after(1000, nearly), 0);
	for (size_t i = 0; i < sizeof(list) / sizeof(list[0]); i++) {
		begin();
		cr_assert_eq(after(10, list[i]), 1, "%zu", i);
	}
}

Test(shed, goes_down_a_level_each_quiet_minute)
{
	cr_assert_eq(after(1000, high), 4);
	cr_assert_eq(after(60000, calm), 4);
	cr_assert_eq(after(10, calm), 3);
	cr_assert_eq(after(59990, calm), 3);
	cr_assert_eq(after(10, calm), 2);
	cr_assert_eq(after(120000, calm), 0);
	cr_assert_eq(after(600000, calm), 0);
}

Test(shed, a_minute_that_was_not_quiet_starts_anew)
{
	cr_assert_eq(after(10, high), 1);
	cr_assert_eq(after(59000, calm), 1);
	cr_assert_eq(after(10, between), 1, "neither high nor calm: stays");
	cr_assert_eq(after(59000, calm), 1);
	cr_assert_eq(after(600000, between), 1);
	cr_assert_eq(after(60010, calm), 0);
}

Test(shed, swings_neither_up_nor_down_between_the_marks)
{
	cr_assert_eq(after(600000, between), 0);
	cr_assert_eq(after(150, high), 2);
	cr_assert_eq(after(600000, between), 2);
}

Test(shed, never_below_the_least)
{
	options.least = 2;
	shed_init(&shed, &options);
	cr_assert_eq(shed.level, 2);
	cr_assert_eq(after(600000, calm), 2);
	cr_assert_eq(after(10, high), 3);
	cr_assert_eq(after(600000, calm), 2);
}

Test(shed, not_at_all_when_it_is_off)
{
	options.enabled = false;
	cr_assert_eq(after(1000, full), 0);
	options.least = 3;
	shed_init(&shed, &options);
	cr_assert_eq(after(1000, full), 3);
	cr_assert_eq(after(600000, calm), 3);
}

Test(shed, a_clock_that_lags_behind_the_stamps_is_no_pressure)
{
	cr_assert_eq(after(1000, (struct shed_pressure){ .lag_us = -5000000 }), 0);
}
