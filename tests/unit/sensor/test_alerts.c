/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#include "sensor/alerts.h"

static struct counters counters;
static struct alerts *alerts;

static struct sent {
	char id[RECORD_ID], reason[64];
	uint64_t count;
	size_t flows;
	enum severity severity;
	int64_t first, last;
	bool has_port, no_ip;
} sent[64];
static size_t sent_count;

static int take(void *context, const struct record *r)
{
	const struct record_alert *a = &r->alert;
	struct sent *s = &sent[sent_count++ % 64];

	(void)context;
	cr_assert_eq(r->type, RECORD_ALERT);
	snprintf(s->id, sizeof(s->id), "%s", a->id);
	snprintf(s->reason, sizeof(s->reason), "%s", a->reason);
	s->count = a->count;
	s->flows = a->flow_count;
	s->severity = a->severity;
	s->first = a->first_seen.v;
	s->last = a->last_seen.v;
	s->has_port = a->client.has_port;
	s->no_ip = a->client.no_ip && a->server.no_ip;
	return 0;
}

static void begin(void)
{
	alerts = alerts_create(4, &counters, take, NULL);
	cr_assert(alerts);
}

static void end(void)
{
	alerts_destroy(alerts);
}

/* A flow to a server's port, at a second. */
static struct record_flow found(uint16_t port, int64_t second)
{
	struct record_flow f = {
		.id = "0123",
		.sensor = "test",
		.protocol = 6,
		.start = { second * USEC_PER_SECOND },
		.end = { (second + 1) * USEC_PER_SECOND },
		.reason = "as a test has it",
	};

	cr_assert(ip_parse("10.0.0.1", &f.client.ip) && ip_parse("10.0.0.2", &f.server.ip));
	f.client.has_port = f.server.has_port = true;
	f.client.port = (uint16_t)(40000 + second);
	f.server.port = port;
	return f;
}

static void raise_at(uint16_t port, int64_t second)
{
	struct record_flow f = found(port, second);
	alerts_raise(alerts, &f, "cross-segment", NULL);
}

TestSuite(alerts, .init = begin, .fini = end);

Test(alerts, repeats_fold_into_one)
{
	for (int i = 20; i > 0; i--)
		raise_at(104, i);
	cr_assert_eq(sent_count, 0);
	alerts_flush(alerts);
	cr_assert_eq(sent_count, 1);
	cr_assert_eq(sent[0].count, 20);
	cr_assert_eq(sent[0].flows, RECORD_ALERT_FLOWS);
	cr_assert_eq(sent[0].first, 1 * USEC_PER_SECOND);
	cr_assert_eq(sent[0].last, 21 * USEC_PER_SECOND);
	cr_assert_str_eq(sent[0].reason, "as a test has it");
	cr_assert_not(sent[0].has_port, "it differs from flow to flow");
	alerts_flush(alerts);
	cr_assert_eq(sent_count, 1, "nothing new, nothing sent");
}

Test(alerts, the_id_is_of_the_event)
{
	raise_at(104, 1);
	alerts_flush(alerts);
	raise_at(104, 500);
	alerts_flush(alerts);
	cr_assert_str_eq(sent[0].id, sent[1].id);
	raise_at(105, 1);
	alerts_flush(alerts);
	cr_assert_str_neq(sent[0].id, sent[2].id);
	/* It stands in stores: it may never change. */
	cr_assert_str_eq(sent[0].id, "8df340bcb16e848b76c7a98df3e8d9fc");
}

Test(alerts, a_full_table_sends_at_once)
{
	for (uint16_t port = 1; port <= 6; port++)
		raise_at(port, 1);
	cr_assert_eq(sent_count, 2);
	cr_assert_eq(counters.alerts_table_full, 2);
	alerts_flush(alerts);
	cr_assert_eq(sent_count, 6);
	cr_assert_eq(counters.alerts, 6);
}

Test(alerts, an_overloaded_sensor_folds_by_segments_what_finds_no_room)
{
	for (uint16_t port = 1; port <= 1000; port++) {
		struct record_flow f = found(port % 500, 1);
		f.client.segment = port % 2 ? "guest" : "office";
		f.server.segment = "icu";
		alerts_raise_summed(alerts, &f, "cross-segment", NULL);
	}
	cr_assert_eq(sent_count, 0, "nothing is sent as it comes");
	alerts_flush(alerts);
	cr_assert_eq(sent_count, 4 + 2);
	for (size_t i = 0; i < 4; i++)
		cr_expect_eq(sent[i].count, 2, "what had room once has it again");
	cr_assert_eq(sent[4].count + sent[5].count, 1000 - 8);
	cr_assert(sent[4].no_ip && sent[5].no_ip);
	cr_assert_str_neq(sent[4].id, sent[5].id);
	cr_assert_eq(counters.alerts, 1000);
	cr_assert_eq(counters.alerts_summed, 992);
	cr_assert_eq(counters.alerts_table_full, 0);
}

static void raise_sensor(const char *segment, enum severity severity, int64_t second, bool again)
{
	alerts_raise_sensor(alerts, &(struct sensor_finding){ .sensor = "test",
							      .kind = "sensor.blind",
							      .segment = segment,
							      .severity = severity,
							      .reason = again ? "still" : "first",
							      .at = { second * USEC_PER_SECOND },
							      .again = again });
}

Test(alerts, of_the_sensor_go_on_and_grow_worse)
{
	raise_sensor("icu", SEVERITY_LOW, 10, false);
	raise_sensor("icu", SEVERITY_HIGH, 20, true);
	raise_sensor("icu", SEVERITY_LOW, 30, true);
	alerts_flush(alerts);
	cr_assert_eq(sent_count, 1);
	cr_assert_eq(sent[0].count, 1);
	cr_assert_eq(sent[0].flows, 0);
	cr_assert_eq(sent[0].severity, SEVERITY_HIGH);
	cr_assert_eq(sent[0].first, 10 * USEC_PER_SECOND);
	cr_assert_eq(sent[0].last, 30 * USEC_PER_SECOND);
	cr_assert_str_eq(sent[0].reason, "still");
	cr_assert_eq(counters.alerts, 1);
}

Test(alerts, of_the_sensor_are_told_apart_by_segment)
{
	raise_sensor("icu", SEVERITY_LOW, 10, false);
	raise_sensor("pacs", SEVERITY_LOW, 10, false);
	raise_sensor(NULL, SEVERITY_LOW, 10, false);
	raise_sensor(NULL, SEVERITY_LOW, 11, false);
	alerts_flush(alerts);
	cr_assert_eq(sent_count, 3);
	cr_assert_eq(sent[2].count, 2);
	/* It stands in stores: it may never change. */
	cr_assert_str_eq(sent[0].id, "6e635bbb70d264afb55fddd1db444c52");
}

Test(alerts, long_names_are_no_matter)
{
	static char exercise[3000], rule[3000];
	struct record_flow f = found(104, 1);

	memset(exercise, 'e', sizeof(exercise) - 1);
	memset(rule, 'r', sizeof(rule) - 1);
	f.exercise = exercise;
	f.rule = rule;
	alerts_raise(alerts, &f, "cross-segment", NULL);
	rule[2998] = 's';
	alerts_raise(alerts, &f, "cross-segment", NULL);
	alerts_flush(alerts);
	cr_assert_eq(sent_count, 2, "told apart by their ends");
}
