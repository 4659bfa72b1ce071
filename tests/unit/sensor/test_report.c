/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <string.h>

#include "sensor/report.h"

struct seen {
	unsigned coverage, health;
	uint64_t packets, of_segment, drops;
	int64_t minute;
};

static struct site *site;
static struct report *report;
static struct ledger *ledgers[2];
static struct counters now[2], reported[2];
static struct seen seen;

static int look(void *context, const struct record *r)
{
	(void)context;
	if (r->type == RECORD_COVERAGE) {
		seen.coverage++;
		seen.drops = r->coverage.drops;
		seen.of_segment += r->coverage.packets;
		return 0;
	}
	seen.health++;
	seen.minute = r->health.minute.v / (60 * USEC_PER_SECOND);
	for (size_t i = 0; i < r->health.counter_count; i++)
		if (!strcmp(r->health.counters[i].name, "packets"))
			seen.packets += r->health.counters[i].value;
	return 0;
}

static void begin(void)
{
	site = site_empty();
	report = report_create(site, 2);
	for (int i = 0; i < 2; i++)
		ledgers[i] = ledger_create(site);
	cr_assert(report && ledgers[0] && ledgers[1]);
}

static void end(void)
{
	report_destroy(report);
	for (int i = 0; i < 2; i++)
		ledger_destroy(ledgers[i]);
	site_free(site);
}

TestSuite(report, .init = begin, .fini = end);

static struct report_part part(unsigned worker, int64_t minute)
{
	return (struct report_part){
		worker, minute, ledgers[worker], &now[worker], &reported[worker], "s", NULL,
		look,   NULL
	};
}

static void tell(unsigned worker, int64_t minute, uint64_t packets)
{
	struct report_part p = part(worker, minute);

	now[worker].packets += packets;
	ledger_of(ledgers[worker], site_segment(site, 0))->packets += packets;
	report_add(report, &p);
}

Test(report, waits_for_all_workers_and_adds_up)
{
	tell(0, 100, 7);
	cr_expect_eq(seen.health, 0u);
	tell(1, 100, 5);
	cr_expect_eq(seen.health, 1u);
	cr_expect_eq(seen.minute, 100);
	cr_expect_eq(seen.packets, 12u);
	cr_expect_eq(seen.of_segment, 12u);
	tell(1, 101, 1);
	tell(0, 101, 0);
	cr_expect_eq(seen.health, 2u);
	cr_expect_eq(seen.packets, 13u, "what was told is not told again");
}

Test(report, what_was_lost_is_lost_wherever_it_was)
{
	now[0].drops_kernel = 3;
	now[1].drops_handover = 5;
	tell(0, 100, 7);
	tell(1, 100, 0);
	cr_expect_eq(seen.drops, 8u);
}

Test(report, one_that_is_late_does_not_hold_up_the_next_minute)
{
	tell(0, 100, 7);
	tell(0, 101, 1);
	cr_expect_eq(seen.health, 1u);
	cr_expect_eq(seen.minute, 100);
	tell(1, 100, 5);
	cr_expect_eq(seen.health, 2u);
	cr_expect_eq(seen.minute, 101);
	cr_expect_eq(seen.packets, 13u);
}

Test(report, a_worker_that_tells_twice_is_still_one)
{
	tell(0, 100, 7);
	tell(0, 100, 7);
	cr_expect_eq(seen.health, 0u);
	tell(1, 100, 1);
	cr_expect_eq(seen.health, 1u);
	cr_expect_eq(seen.packets, 15u);
}

Test(report, a_clock_that_is_set_back_makes_another_minute)
{
	tell(0, 1000, 7);
	tell(1, 900, 5);
	cr_expect_eq(seen.health, 1u);
	cr_expect_eq(seen.minute, 1000);
	cr_expect_eq(seen.packets, 7u);
}

Test(report, what_is_left_is_flushed)
{
	struct report_part last = part(0, 0);

	report_flush(report, &last);
	cr_expect_eq(seen.health, 0u, "nothing was told");
	tell(1, 100, 5);
	report_flush(report, &last);
	cr_expect_eq(seen.health, 1u);
	cr_expect_eq(seen.packets, 5u);
}

Test(report, another_site_is_no_reason_to_forget)
{
	struct site *other = site_empty();
	struct ledger *ledger = ledger_create(other);

	tell(0, 100, 7);
	tell(1, 100, 5);
	report_exchange(report, other, &ledger);
	seen.coverage = 0;
	struct report_part p = part(0, 101);
	report_add(report, &p);
	p = part(1, 101);
	report_add(report, &p);
	cr_expect_eq(seen.coverage, 1u, "the segment was known before");
	report_exchange(report, site, &ledger);
	ledger_destroy(ledger);
	site_free(other);
}
