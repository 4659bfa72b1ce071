/* SPDX-License-Identifier: Apache-2.0
 *
 * Coverage and health as the packet path tells them. */
#include "tests/unit/sensor/metering.h"

static struct metering m;

static void begin(void)
{
	metering_begin(&m);
}

static void end(void)
{
	metering_end(&m);
}

TestSuite(coverage_records, .init = begin, .fini = end);

#define MINUTE (60 * SECOND)

static json_t *last_of(const char *type)
{
	for (size_t i = m.count; i-- > 0;)
		if (!strcmp(text(m.records[i], "type"), type))
			return m.records[i];
	cr_assert(false, "no %s", type);
	return NULL;
}

static void datagram(int64_t time)
{
	shoot(&m, (struct shot){ .at = time,
				 .from = 9,
				 .to = 2,
				 .protocol = 17,
				 .source = 5000,
				 .dest = 5001 });
}

static void live(void)
{
	metering_end(&m);
	metering_prepare(&m);
	m.options.live = true;
	metering_open(&m);
}

Test(coverage_records, silent_minutes_of_a_capture_are_told)
{
	datagram(0);
	datagram(4 * MINUTE);
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "coverage"), 5);
	cr_assert_eq(count_of(&m, "health"), 5);
}

Test(coverage_records, but_not_days_of_them)
{
	datagram(0);
	datagram(3000 * MINUTE);
	datagram(3000 * MINUTE + 1);
	metering_flush(&m);
	cr_assert_leq(count_of(&m, "health"), 3);
}

Test(coverage_records, live_a_minute_in_which_nobody_looked_is_not_told)
{
	live();
	datagram(0);
	datagram(4 * MINUTE);
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "health"), 2);
}

Test(coverage_records, live_time_passes_though_no_frame_ever_came)
{
	live();
	for (int64_t s = 0; s <= 120; s++)
		pipeline_idle(m.pipeline, (struct usec){ T0 + s * SECOND });
	metering_flush(&m);
	cr_assert_geq(count_of(&m, "health"), 2);
}

Test(coverage_records, live_time_passes_also_when_the_clock_was_set)
{
	live();
	datagram(0);
	for (int64_t s = 0; s <= 120; s++)
		pipeline_idle(m.pipeline, (struct usec){ T0 + (86400 + s) * SECOND });
	for (int64_t s = 0; s <= 240; s++)
		pipeline_idle(m.pipeline, (struct usec){ T0 + (3600 + s) * SECOND });
	metering_flush(&m);
	cr_assert_str_eq(text(last_of("health"), "minute"), "2023-11-14T23:17:00.000000Z");
	cr_assert_geq(m.counters.clock_jump, 2);
}

Test(coverage_records, without_packets_time_of_a_capture_stands)
{
	pipeline_idle(m.pipeline, (struct usec){ T0 });
	pipeline_idle(m.pipeline, (struct usec){ T0 + 2 * MINUTE });
	metering_flush(&m);
	cr_assert_eq(m.count, 0);
}

Test(coverage_records, oversized_frames_leave_the_state_and_say_so)
{
	struct shot s = { .from = 9, .to = 2, .protocol = 17, .source = 5000, .dest = 5001 };
	uint8_t bytes[SHOT_BYTES];
	uint32_t n = (uint32_t)shot_bytes(&s, bytes);

	pipeline_frame(m.pipeline, &(struct frame){ .bytes = bytes,
						    .captured = n,
						    .wire = n,
						    .time = { T0 },
						    .link_type = 1,
						    .oversized = true });
	metering_flush(&m);
	json_t *row = last_of("coverage");
	cr_assert_str_eq(text(row, "state"), "seen");
	cr_assert_str_eq(json_string_value(json_array_get(at(row, "reasons"), 0)), "oversized");
	cr_assert_eq(number(row, "oversized"), 1);
	cr_assert_eq(number(row, "frames"), 1);
	cr_assert_eq(number(last_of("health"), "counters/packets.oversized"), 1);
}
