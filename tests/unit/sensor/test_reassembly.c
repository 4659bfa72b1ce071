/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>

#include "sensor/reassembly.h"

enum { LENGTH = 40000 };
static const uint32_t START = 0xffffc000; /* wraps around on the way */

static uint8_t sent[LENGTH];
static unsigned random_state;

static unsigned next_random(unsigned below)
{
	random_state = random_state * 1103515245 + 12345;
	return (random_state >> 8) % below;
}

struct reader {
	size_t at;     /* of the stream, behind what was taken */
	bool take_all; /* else a random part each time */
	size_t gaps;
};

static void read_shown(struct reassembly_pool *pool, struct reassembly *s, struct reader *r,
		       struct cursor shown)
{
	do {
		size_t n = cursor_left(&shown);
		r->gaps += s->gap;
		if (s->gap)
			r->at = s->base - START;
		cr_assert_eq(s->base, (uint32_t)(START + r->at));
		cr_assert_eq(memcmp(shown.at, sent + r->at, n), 0, "at %zu, %zu bytes", r->at, n);
		size_t taken = r->take_all ? n : next_random((unsigned)n + 1);
		if (n > 9000)
			taken = n; /* else the buffer would fill up */
		r->at += taken;
		reassembly_taken(pool, s, shown, taken, 0);
	} while (reassembly_more(s, &shown));
}

static void offer(struct reassembly_pool *pool, struct reassembly *s, struct reader *r, size_t from,
		  size_t n, bool acked, uint32_t ack)
{
	struct cursor shown;

	if (reassembly_offer(pool, s, (uint32_t)(START + from), cursor_of(sent + from, n),
			     (uint32_t)n, acked, ack, &shown))
		read_shown(pool, s, r, shown);
}

static void fill(void)
{
	for (size_t i = 0; i < LENGTH; i++)
		sent[i] = (uint8_t)(i * 7 + i / 251);
}

/* Segments come in windows of six, shuffled, some twice, some overlapping. */
static void shuffled(unsigned seed, bool take_all)
{
	struct reassembly_pool *pool = reassembly_pool_create(2);
	struct reassembly s;
	struct reader r = { .take_all = take_all };
	size_t at = 0;

	fill();
	random_state = seed;
	reassembly_init(&s, START);
	while (at < LENGTH) {
		size_t from[8], length[8], n = 0;
		for (; n < 4 && at < LENGTH; n++) {
			size_t size = 1 + next_random(1200), back = next_random(50);
			size = size > LENGTH - at ? LENGTH - at : size;
			back = back > at ? at : back;
			from[n] = at - back;
			length[n] = size + back;
			at += size;
		}
		for (size_t i = 0; i < n * 2; i++) {
			size_t k = i < n ? next_random((unsigned)n) : i - n;
			offer(pool, &s, &r, from[k], length[k], false, 0);
		}
	}
	cr_assert_eq(s.gaps, 0);
	cr_assert_eq(s.overflows, 0);
	if (take_all)
		cr_assert_eq(r.at, LENGTH);
	else
		cr_assert_eq(r.at + s.ready, LENGTH, "what was not taken is kept");
	reassembly_finish(pool, &s);
	reassembly_pool_destroy(pool);
}

Test(reassembly, any_order_gives_the_stream)
{
	for (unsigned seed = 1; seed <= 200; seed++)
		shuffled(seed, seed % 2);
}

Test(reassembly, a_hole_waits_until_it_is_acknowledged)
{
	struct reassembly_pool *pool = reassembly_pool_create(2);
	struct reassembly s;
	struct reader r = { .take_all = true };

	fill();
	reassembly_init(&s, START);
	offer(pool, &s, &r, 0, 100, false, 0);
	offer(pool, &s, &r, 200, 100, true, START + 100);
	cr_assert_eq(r.at, 100, "nothing is shown across a hole");
	offer(pool, &s, &r, 300, 100, true, START + 150);
	cr_assert_eq(r.at, 400, "the other end has it, we never shall");
	cr_assert_eq(r.gaps, 1);
	cr_assert_eq(s.gaps, 1);
	offer(pool, &s, &r, 100, 100, true, START + 400);
	cr_assert_eq(r.at, 400, "too late");
	reassembly_finish(pool, &s);
	reassembly_pool_destroy(pool);
}

Test(reassembly, what_is_skipped_is_not_kept_nor_waited_for)
{
	struct reassembly_pool *pool = reassembly_pool_create(1);
	struct reassembly s;
	struct cursor shown;

	fill();
	reassembly_init(&s, START);
	cr_assert(reassembly_offer(pool, &s, START, cursor_of(sent, 20), 20, false, 0, &shown));
	reassembly_taken(pool, &s, shown, 20, 10000);
	cr_assert_null(s.buffer);
	/* Bytes 20 to 10020 are not wanted: lost or late, they change nothing. */
	cr_assert_not(reassembly_offer(pool, &s, START + 5000, cursor_of(sent + 5000, 100), 100,
				       false, 0, &shown));
	cr_assert(reassembly_offer(pool, &s, START + 10000, cursor_of(sent + 10000, 100), 100,
				   false, 0, &shown));
	cr_assert_eq(cursor_left(&shown), 80);
	cr_assert_eq(shown.at[0], sent[10020]);
	cr_assert_not(s.gap);
	reassembly_finish(pool, &s);
	reassembly_pool_destroy(pool);
}

Test(reassembly, bytes_that_came_early_show_up_behind_a_skip)
{
	struct reassembly_pool *pool = reassembly_pool_create(1);
	struct reassembly s;
	struct cursor shown;

	fill();
	reassembly_init(&s, START);
	cr_assert_not(reassembly_offer(pool, &s, START + 100, cursor_of(sent + 100, 50), 50, false,
				       0, &shown));
	cr_assert(reassembly_offer(pool, &s, START, cursor_of(sent, 10), 10, false, 0, &shown));
	cr_assert_eq(cursor_left(&shown), 10);
	reassembly_taken(pool, &s, shown, 10, 100);
	cr_assert(reassembly_more(&s, &shown));
	cr_assert_eq(cursor_left(&shown), 40);
	cr_assert_eq(shown.at[0], sent[110]);
	reassembly_taken(pool, &s, shown, 40, 0);
	cr_assert_not(reassembly_more(&s, &shown));
	cr_assert_null(s.buffer, "the buffer goes back");
	reassembly_pool_destroy(pool);
}

Test(reassembly, a_reader_that_takes_nothing_loses_the_buffer_not_the_sensor)
{
	struct reassembly_pool *pool = reassembly_pool_create(1);
	struct reassembly s;
	struct cursor shown;
	size_t shows = 0;

	fill();
	reassembly_init(&s, START);
	for (size_t at = 0; at + 1000 <= LENGTH; at += 1000) {
		if (!reassembly_offer(pool, &s, (uint32_t)(START + at), cursor_of(sent + at, 1000),
				      1000, false, 0, &shown))
			continue;
		shows++;
		cr_assert_leq(cursor_left(&shown), DISSECT_BUFFER);
		reassembly_taken(pool, &s, shown, 0, 0);
	}
	cr_assert_geq(s.overflows, 2);
	cr_assert_eq(shows, LENGTH / 1000);
	reassembly_finish(pool, &s);
	reassembly_pool_destroy(pool);
}

Test(reassembly, without_buffers_it_goes_on_with_gaps)
{
	struct reassembly_pool *pool = reassembly_pool_create(1);
	struct reassembly a, b;
	struct cursor shown;

	fill();
	reassembly_init(&a, START);
	reassembly_init(&b, START);
	cr_assert_not(reassembly_offer(pool, &a, START + 10, cursor_of(sent + 10, 5), 5, false, 0,
				       &shown));
	cr_assert(reassembly_offer(pool, &b, START + 10, cursor_of(sent + 10, 5), 5, false, 0,
				   &shown));
	cr_assert(b.gap);
	cr_assert_eq(b.overflows, 1);
	reassembly_taken(pool, &b, shown, 5, 0);
	reassembly_finish(pool, &a);
	cr_assert_not(reassembly_offer(pool, &b, START + 20, cursor_of(sent + 20, 5), 5, false, 0,
				       &shown));
	cr_assert_not_null(b.buffer, "a's buffer came back to the pool");
	reassembly_finish(pool, &b);
	reassembly_pool_destroy(pool);
}

Test(reassembly, a_stray_number_does_not_stall_the_stream)
{
	struct reassembly_pool *pool = reassembly_pool_create(2);
	struct reassembly s;
	struct cursor shown, bytes = cursor_of("0123456789", 10);
	unsigned seen = 0;

	reassembly_init(&s, 1000);
	for (uint32_t i = 0; i < 10; i++) {
		uint32_t sequence = i == 4 ? 1500000000 : 1000 + i * 10;
		if (!reassembly_offer(pool, &s, sequence, bytes, 10, false, 0, &shown))
			continue;
		seen++;
		reassembly_taken(pool, &s, shown, cursor_left(&shown), 0);
	}
	cr_assert_geq(seen, 9);
	reassembly_finish(pool, &s);
	reassembly_pool_destroy(pool);
}

/* Far behind, but only because so much was to be skipped: old, as it says. */
Test(reassembly, what_is_skipped_is_not_astray)
{
	struct reassembly_pool *pool = reassembly_pool_create(2);
	struct reassembly s;
	struct cursor shown, bytes = cursor_of("0123456789", 10);

	reassembly_init(&s, 0);
	cr_assert(reassembly_offer(pool, &s, 0, bytes, 10, false, 0, &shown));
	reassembly_taken(pool, &s, shown, 10, 5000000);
	for (uint32_t at = 10; at < 5000010; at += 1000)
		cr_assert_not(reassembly_offer(pool, &s, at, bytes, 1000, false, 0, &shown));
	cr_assert(reassembly_offer(pool, &s, 5000010, bytes, 10, false, 0, &shown));
	cr_assert_not(s.gap);
	cr_assert_eq(s.gaps, 0);
	reassembly_taken(pool, &s, shown, 10, UINT32_MAX);
	cr_assert(s.gap, "more than can be counted");
	reassembly_finish(pool, &s);
	reassembly_pool_destroy(pool);
}

/* Bytes that a flow of datagrams holds between two of them. */
Test(reassembly, what_is_held)
{
	struct reassembly_pool *pool = reassembly_pool_create(1);
	struct reassembly one = { 0 }, two = { 0 };

	reassembly_hold(pool, &one, sent, 0);
	cr_assert_null(one.buffer, "nothing takes no buffer");
	reassembly_hold(pool, &one, (const uint8_t *)"abcd", 4);
	cr_assert_eq(one.ready, 4);
	reassembly_hold(pool, &two, (const uint8_t *)"wxyz", 4);
	cr_assert_eq(two.ready, 0, "there is no second buffer");
	cr_assert_eq(two.overflows, 1);
	reassembly_hold(pool, &one, one.buffer, 3);
	cr_assert_arr_eq(one.buffer, "abc", 3);
	cr_assert_eq(one.ready, 3);
	reassembly_hold(pool, &one, one.buffer, 0);
	cr_assert_null(one.buffer);
	reassembly_hold(pool, &two, (const uint8_t *)"wxyz", 4);
	cr_assert_eq(two.ready, 4);
	reassembly_finish(pool, &two);
	reassembly_pool_destroy(pool);
}

Test(reassembly, what_was_left_can_be_shown_again)
{
	struct reassembly_pool *pool = reassembly_pool_create(2);
	struct reassembly s;
	struct cursor shown;

	fill();
	reassembly_init(&s, START);
	cr_assert_not(reassembly_again(&s, &shown));
	cr_assert(reassembly_offer(pool, &s, START, cursor_of(sent, 20), 20, false, 0, &shown));
	reassembly_taken(pool, &s, shown, 8, 0);
	cr_assert(reassembly_again(&s, &shown));
	cr_assert_eq(cursor_left(&shown), 12);
	cr_assert_arr_eq(shown.at, sent + 8, 12);
	reassembly_taken(pool, &s, shown, 12, 0);
	cr_assert_not(reassembly_again(&s, &shown));
	reassembly_finish(pool, &s);
	reassembly_pool_destroy(pool);
}
