/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/ports.h"

#include <criterion/criterion.h>
#include <string.h>

#define SECOND ((int64_t)USEC_PER_SECOND)
#define WALL 1700000000

static const char *const names[] = { "vigie-none0", "vigie-none1" };
static struct ports *p;
static struct port_figures figures[2];
static struct counters c; /* of the workers */
static struct ports_told told;
static struct usec began;

static void begin(void)
{
	p = ports_open(names, 2);
	cr_assert(p);
	began = clock_monotonic();
	memset(figures, 0, sizeof(figures));
	memset(&c, 0, sizeof(c));
}

static void end(void)
{
	ports_close(p);
}

/* The look of that second since the start. */
static void look(int64_t second)
{
	ports_second(p, figures, &c, (struct usec){ began.v + second * SECOND },
		     (struct usec){ (WALL + second) * SECOND });
}

static uint32_t dead(void)
{
	ports_tell(p, &told);
	return told.dead;
}

TestSuite(ports, .init = begin, .fini = end);

Test(ports, what_the_ring_lost_is_counted_once)
{
	figures[0].ring_drops = 5;
	figures[1].ring_drops = 2;
	look(1);
	look(2);
	ports_tell(p, &told);
	cr_assert_eq(told.interfaces[0].drops, 5);
	cr_assert_eq(told.interfaces[1].drops, 2);
	figures[0].ring_drops = 6;
	look(3);
	ports_tell(p, &told);
	cr_assert_eq(told.interfaces[0].drops, 1);
	cr_assert_eq(told.interfaces[1].drops, 0);
	cr_assert_eq(ports_counters(p).drops_interface, 0);
}

Test(ports, one_that_falls_silent_is_dead_and_the_other_is_not)
{
	for (int s = 1; s <= 30; s++) {
		figures[0].frames++;
		figures[1].frames++;
		look(s);
	}
	for (int s = 31; s <= 88; s++) {
		figures[1].frames++;
		look(s);
		cr_assert_eq(dead(), 0, "at %d", s);
	}
	figures[1].frames++;
	look(89);
	cr_assert_eq(dead(), 1);
	figures[0].frames++;
	look(90);
	cr_assert_eq(dead(), 0);
}

Test(ports, one_that_never_had_a_frame_took_nothing_from_anyone)
{
	for (int s = 1; s < 200; s++) {
		figures[1].frames++;
		look(s);
	}
	cr_assert_eq(dead(), 0);
	cr_assert_eq(told.count, 2);
	cr_assert_str_eq(told.interfaces[0].state, "silent", "but it is told");
	cr_assert_str_eq(told.interfaces[1].state, "up");
}

Test(ports, down_and_gone_are_dead_at_once)
{
	figures[0].down = true;
	figures[1].gone = true;
	look(1);
	cr_assert_eq(dead(), 3);
	ports_tell(p, &told);
	cr_assert_str_eq(told.interfaces[0].name, "vigie-none0");
	cr_assert_str_eq(told.interfaces[0].state, "down");
	cr_assert_str_eq(told.interfaces[1].state, "gone");
}

Test(ports, a_report_holds_what_came_since_the_last)
{

	figures[0] = (struct port_figures){ .frames = 10, .ring_drops = 3, .oversized = 2 };
	look(1);
	ports_tell(p, &told);
	cr_assert_eq(told.interfaces[0].frames, 10);
	cr_assert_eq(told.interfaces[0].drops, 3);
	cr_assert_eq(told.interfaces[0].oversized, 2);
	figures[0].frames = 15;
	look(2);
	ports_tell(p, &told);
	cr_assert_eq(told.interfaces[0].frames, 5);
	cr_assert_eq(told.interfaces[0].drops, 0);
	cr_assert_eq(told.interfaces[0].oversized, 0);
}

Test(ports, a_clock_that_is_set_is_counted)
{
	look(1);
	look(2);
	ports_second(p, figures, &c, (struct usec){ began.v + 3 * SECOND },
		     (struct usec){ (WALL + 3 - 3600) * SECOND });
	cr_assert_eq(ports_counters(p).clock_steps, 1);
	ports_tell(p, &told);
	cr_assert_eq(told.counters.clock_steps, 1);
	ports_second(p, figures, &c, (struct usec){ began.v + 4 * SECOND },
		     (struct usec){ (WALL + 4 - 3600) * SECOND });
	cr_assert_eq(ports_counters(p).clock_steps, 1, "it goes on from there");
	ports_tell(p, &told);
	cr_assert_eq(told.counters.clock_steps, 0, "told once");
}

Test(ports, the_clock_is_watched)
{
	struct clock_watch w = { 0 };

	cr_assert_eq(clock_watch_step(&w, (struct usec){ 100 }, (struct usec){ 7000000 }).v, 0);
	cr_assert_eq(clock_watch_step(&w, (struct usec){ 200 }, (struct usec){ 7499000 }).v, 0,
		     "slewed, or a look that took long");
	cr_assert_eq(clock_watch_step(&w, (struct usec){ 300 }, (struct usec){ 8000000 }).v,
		     500900);
	cr_assert_eq(clock_watch_step(&w, (struct usec){ 400 }, (struct usec){ 4400100 }).v,
		     -3600000);
	cr_assert_eq(clock_watch_step(&w, (struct usec){ 500 }, (struct usec){ 4400200 }).v, 0);
}

Test(ports, a_doubled_mirror)
{
	cr_assert(mirror_is_doubled(2000, 1000));
	cr_assert(mirror_is_doubled(2000, 950), "some copies were lost");
	cr_assert_not(mirror_is_doubled(2000, 600), "routed traffic, or one port of many");
	cr_assert_not(mirror_is_doubled(20, 10), "too few to tell");
}
