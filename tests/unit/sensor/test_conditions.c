/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sensor says of itself: blind, mirror dead, clock set. */
#include "tests/unit/sensor/metering.h"

enum { ICU = 1, REGISTRATION = 33 };

#define HOUR (3600 * SECOND)

static struct metering m;

static void begin(void)
{
	struct problems problems = { 0 };

	metering_prepare(&m);
	site_free(m.site);
	m.site = site_load(UNIT_SOURCES "/sensor/tiers.yaml", (struct usec){ T0 }, &problems);
	cr_assert(m.site);
	problems_finish(&problems);
	m.options.setting.site = m.site;
	m.options.live = true;
	metering_open(&m);
}

static void end(void)
{
	metering_end(&m);
}

TestSuite(conditions, .init = begin, .fini = end);

static json_t *alert_of(const char *kind)
{
	json_t *a;

	for (size_t i = 0; (a = nth(&m, "alert", i)); i++)
		if (!strcmp(text(a, "kind"), kind))
			return a;
	return NULL;
}

/* The receiver acknowledges what the mirror did not show. */
static void lose(uint8_t host)
{
	struct talk t = { .m = &m,
			  .hosts = { host, (uint8_t)(host + 1) },
			  .ports = { 40000, 4711 },
			  .next = { 1000, 5000 } };

	greet(&t);
	t.next[0] += 100000;
	say(&t, 1, TCP_ACK, NULL, 0);
	part(&t);
}

Test(conditions, a_clinical_segment_that_is_not_seen)
{
	lose(ICU);
	lose(REGISTRATION);
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "alert"), 1, "registration is not clinical");
	json_t *a = alert_of("sensor.blind");
	cr_assert(a);
	cr_assert_str_eq(text(a, "severity"), "critical");
	cr_assert_str_eq(text(a, "server/segment"), "icu");
	cr_assert_null(at(a, "server/ip"));
	cr_assert_null(at(a, "client"));
	cr_assert_eq(number(a, "count"), 1);
}

static void tick(int64_t time)
{
	shoot(&m, (struct shot){ .at = time,
				 .from = ICU,
				 .to = ICU + 1,
				 .protocol = 17,
				 .id = (uint16_t)(time / 1000),
				 .source = 50000,
				 .dest = 161 });
}

Test(conditions, a_mirror_that_died)
{
	tick(0);
	for (int minute = 1; minute <= 3; minute++)
		pipeline_idle(m.pipeline, (struct usec){ T0 + minute * 60 * SECOND });
	metering_flush(&m);
	json_t *a = alert_of("sensor.mirror-dead");
	cr_assert(a);
	cr_assert_str_eq(text(a, "severity"), "high");
	json_int_t minutes = 0;
	for (size_t i = 0; nth(&m, "alert", i); i++)
		minutes += number(nth(&m, "alert", i), "count");
	cr_assert_eq(minutes, 2, "the first had a frame, the last was not over");
}

Test(conditions, a_stop_in_a_quiet_second_is_no_dead_mirror)
{
	tick(0);
	pipeline_idle(m.pipeline, (struct usec){ T0 + 60 * SECOND });
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "alert"), 0);
}

Test(conditions, a_clock_that_was_set_back)
{
	tick(2 * HOUR);
	for (int i = 0; i < 100; i++)
		tick(i * SECOND / 100);
	metering_flush(&m);
	json_t *a = alert_of("sensor.clock-jumped");
	cr_assert(a);
	cr_assert(strstr(text(a, "reason"), "back"));
	cr_assert_eq(number(a, "count"), 1);
}

Test(conditions, a_clock_that_was_set_ahead)
{
	tick(0);
	tick(5 * HOUR);
	tick(5 * HOUR + 1000);
	metering_flush(&m);
	json_t *a = alert_of("sensor.clock-jumped");
	cr_assert(a);
	cr_assert(strstr(text(a, "reason"), "ahead"));
	cr_assert_eq(number(a, "count"), 1);
}

Test(conditions, one_stray_stamp_is_nothing_to_tell)
{
	tick(0);
	tick(5 * HOUR);
	tick(SECOND);
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "alert"), 0);
}
