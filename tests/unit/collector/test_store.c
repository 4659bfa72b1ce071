/* SPDX-License-Identifier: Apache-2.0
 *
 * The conformance suite of collector/store.h: whatever keeps records gives
 * these answers. */
#include "collector/store.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "tests/unit/collector/sample.h"

static const struct store_driver *const driver = &store_sqlite;

static char dir[64];
static void *state;
static struct answer_text got;

static void reopen(enum store_partition partition)
{
	struct store_options options = { .dir = dir,
					 .partition = partition,
					 .retention = { 90LL * 86400 * USEC_PER_SECOND } };
	char why[256] = "";

	if (state) {
		driver->close(state);
		free(state);
	}
	state = calloc(1, driver->state_size);
	cr_assert_eq(driver->open(state, &options, why), 0, "%s", why);
}

static void setup(void)
{
	sample_dir(dir);
	reopen(STORE_BY_DAY);
}

static void teardown(void)
{
	driver->close(state);
	free(state);
	state = NULL;
	buf_finish(&got.text);
	sample_remove(dir);
}

TestSuite(store, .init = setup, .fini = teardown);

static struct usec now(void)
{
	return sample_time("2026-01-10T00:00:00Z");
}

static bool ingest(struct store_batch batch)
{
	cr_assert_eq(driver->ingest(state, &batch, 1, now()), 0);
	return batch.known;
}

static const char *ask(struct store_query q, struct store_answer *answer)
{
	static struct store_answer spare;
	struct store_sink sink = sample_sink(&got);

	q.limit = q.limit ? q.limit : 100;
	q.deadline = soon();
	answer = answer ? answer : &spare;
	cr_assert_eq(driver->query(state, &q, &sink, answer), 0, "%s", answer->why);
	return got.text.data;
}

static const char *sql(const char *text)
{
	struct store_sink sink = sample_sink(&got);
	struct store_answer answer;
	struct store_sql q = { .text = text, .limit = 100, .deadline = soon() };

	cr_assert_eq(driver->sql(state, &q, &sink, &answer), 0, "%s", answer.why);
	return got.text.data;
}

static size_t count_flows(struct store_filter filter)
{
	ask((struct store_query){ .question = STORE_FLOWS, .filter = filter }, NULL);
	return got.records;
}

static struct record full_flow(void)
{
	static const char *const titles[] = { "CT_MODALITY1", "CT2" };
	static const struct record_attribute attributes[] = {
		{ .name = "dicom.calling_ae",
		  .type = ATTRIBUTE_TEXTS,
		  .texts = titles,
		  .count = 2 },
		{ .name = "dicom.c_store", .type = ATTRIBUTE_NUMBER, .number = 12 },
		{ .name = "tls.seen", .type = ATTRIBUTE_FLAG, .number = 1 },
	};
	struct record r = sample_flow("f-full", "2026-01-02T03:04:05.000001Z");
	struct record_flow *f = &r.flow;

	f->interim = 3;
	f->end_reason = END_ACTIVE;
	f->client.has_mac = true;
	memcpy(f->client.mac, "\x00\x09\x5c\x01\x02\x03", 6);
	f->client.asn = 64500;
	f->client.country = "FR";
	f->server.ip = sample_ip("2001:db8:20::1");
	f->path[0] = "vlan:10";
	f->path[1] = "vlan:20";
	f->path_count = 2;
	f->copies_mirror = 1;
	f->copies_routed = 9;
	f->has_tcp = true;
	f->tcp = (struct record_tcp){ .flags_to_server = 0x1b,
				      .flags_to_client = 0x12,
				      .has_rtt_client = true,
				      .rtt_client_us = 90,
				      .retransmissions = 2,
				      .missed_bytes = 1460,
				      .midstream = true };
	f->tunnel[0] = "erspan2:17";
	f->tunnel_count = 1;
	f->dscp = 46;
	f->encrypted = true;
	f->attributes = attributes;
	f->attribute_count = 3;
	f->severity = SEVERITY_HIGH;
	f->shed = 1;
	return r;
}

Test(store, gives_back_every_field_of_a_flow)
{
	struct record r = full_flow();
	struct buf want = { 0 };

	cr_assert_not(ingest(sample_batch(1, &r, 1)));
	record_json(&r, &want);
	buf_char(&want, '\n');
	cr_assert_str_eq(ask((struct store_query){ .question = STORE_FLOWS }, NULL), want.data);
	buf_finish(&want);
}

Test(store, gives_back_what_is_not_known_as_absent)
{
	struct record r = { .type = RECORD_FLOW, .flow = { .id = "f", .sensor = "span-1" } };
	struct buf want = { 0 };

	r.flow.protocol = 1;
	r.flow.has_icmp = true;
	r.flow.icmp_type = 8;
	ingest(sample_batch(1, &r, 1));
	record_json(&r, &want);
	buf_char(&want, '\n');
	cr_assert_str_eq(ask((struct store_query){ .question = STORE_FLOWS }, NULL), want.data);
	buf_finish(&want);
}

Test(store, knows_a_batch_again)
{
	struct record r = sample_flow("f1", "2026-01-02T03:04:05Z");

	cr_assert_not(ingest(sample_batch(1, &r, 1)));
	cr_assert(ingest(sample_batch(1, &r, 1)));
	reopen(STORE_BY_DAY);
	cr_assert(ingest(sample_batch(1, &r, 1)));
	cr_assert_not(ingest(sample_batch(2, &r, 1)));
	cr_assert_eq(count_flows((struct store_filter){ 0 }), 2);
}

Test(store, knows_a_batch_that_comes_twice_in_one_call)
{
	struct record r = sample_flow("f1", "2026-01-02T03:04:05Z");
	struct store_batch twice[2] = { sample_batch(1, &r, 1), sample_batch(1, &r, 1) };

	cr_assert_eq(driver->ingest(state, twice, 2, now()), 0);
	cr_assert_eq(twice[0].known + twice[1].known, 1);
	cr_assert_eq(count_flows((struct store_filter){ 0 }), 1);
	cr_assert_not_null(strstr(ask((struct store_query){ .question = STORE_MATRIX }, NULL),
				  "flows=1 packets=9 bytes=1000"));
}

Test(store, identities_differ_by_each_part)
{
	struct record r = sample_flow("f1", "2026-01-02T03:04:05Z");
	struct store_batch b[5];

	for (int i = 0; i < 5; i++)
		b[i] = sample_batch(1, &r, 1);
	b[1].identity.sensor = "span-2";
	b[2].identity.epoch = UINT64_MAX;
	b[3].identity.sequence = 2;
	b[4].identity.stream = STREAM_HEALTH;
	cr_assert_eq(driver->ingest(state, b, 5, now()), 0);
	cr_assert_eq(count_flows((struct store_filter){ 0 }), 5);
}

Test(store, an_empty_batch_is_known_too)
{
	cr_assert_not(ingest(sample_batch(1, NULL, 0)));
	cr_assert(ingest(sample_batch(1, NULL, 0)));
}

/* Fifty flows over ten days, in one batch and in no order. */
static void fill_days(struct record flows[50], char texts[50][2][40])
{
	for (int i = 0; i < 50; i++) {
		int at = i * 37 % 50;
		snprintf(texts[i][0], 40, "f%02d", at);
		snprintf(texts[i][1], 40, "2026-01-%02dT%02d:00:00Z", 1 + at / 5, at % 5 * 4);
		flows[i] = sample_flow(texts[i][0], texts[i][1]);
	}
	ingest(sample_batch(1, flows, 50));
}

Test(store, pages_through_days_newest_first)
{
	struct record flows[50];
	char texts[50][2][40], id[32];
	struct store_answer answer = { 0 };
	int at = 49;

	fill_days(flows, texts);
	do {
		struct store_query q = { .question = STORE_FLOWS, .limit = 7 };
		char cursor[STORE_CURSOR];
		snprintf(cursor, sizeof(cursor), "%s", answer.next);
		q.cursor = cursor;
		char *line = strdup(ask(q, &answer)), *rest = line;
		for (char *one; (one = strsep(&rest, "\n")) && *one; at--) {
			snprintf(id, sizeof(id), "\"id\":\"f%02d\"", at);
			cr_assert_not_null(strstr(one, id), "%s in %s", id, one);
		}
		free(line);
	} while (answer.next[0]);
	cr_assert_eq(at, -1);
}

Test(store, since_is_inside_and_until_is_not)
{
	struct record flows[50];
	char texts[50][2][40];
	struct store_filter f = { .has_since = true,
				  .since = sample_time("2026-01-03T04:00:00Z"),
				  .has_until = true,
				  .until = sample_time("2026-01-05T00:00:00Z") };

	fill_days(flows, texts);
	cr_assert_eq(count_flows(f), 9);
	f.until.v++;
	cr_assert_eq(count_flows(f), 10);
	f.since.v++;
	cr_assert_eq(count_flows(f), 9);
	/* The rollups may only be used where they give the same. */
	struct store_query q = { .question = STORE_MATRIX, .filter = f };
	cr_assert_not_null(strstr(ask(q, NULL), "flows=9 "));
}

static void fill_kinds(void)
{
	struct record r[4];

	r[0] = sample_flow("conduit", "2026-01-02T03:04:05Z");
	r[1] = sample_flow("cross", "2026-01-02T03:04:06Z");
	r[1].flow.client.segment = "guest";
	r[1].flow.client.ip = sample_ip("10.99.3.4");
	r[1].flow.verdict = VERDICT_CROSS_SEGMENT;
	r[1].flow.severity = SEVERITY_CRITICAL;
	r[1].flow.vendor = NULL;
	r[1].flow.app = NULL;
	r[1].flow.server.port = 445;
	r[2] = sample_flow("six", "2026-01-02T03:04:07Z");
	r[2].flow.client.ip = sample_ip("2001:db8::1");
	r[2].flow.severity = SEVERITY_LOW;
	r[2].flow.sensor = "span-2";
	r[3] = sample_flow("drill", "2026-01-02T03:04:08Z");
	r[3].flow.exercise = "autumn";
	ingest(sample_batch(1, r, 3));
	struct store_batch drill = sample_batch(2, &r[3], 1);
	drill.identity.exercise = "autumn";
	ingest(drill);
}

Test(store, filters)
{
	struct store_filter f;
	struct ip_prefix p;

	fill_kinds();
#define EXPECT(n, ...) \
	f = (struct store_filter){ __VA_ARGS__ }; \
	cr_assert_eq(count_flows(f), n, #__VA_ARGS__)
	EXPECT(3, 0);
	EXPECT(1, .exercise = "autumn");
	EXPECT(0, .exercise = "spring");
	EXPECT(2, .segment = "imaging");
	EXPECT(3, .segment = "pacs");
	EXPECT(0, .client_segment = "pacs");
	EXPECT(3, .server_segment = "pacs");
	EXPECT(2, .has_port = true, .port = 104);
	EXPECT(0, .has_port = true, .port = 40112);
	EXPECT(2, .app = "dicom");
	EXPECT(0, .app = "dicom' OR '1'='1");
	EXPECT(2, .vendor = "Acme Imaging");
	EXPECT(1, .sensor = "span-2");
	EXPECT(1, .has_verdict = true, .verdict = VERDICT_CROSS_SEGMENT);
	EXPECT(0, .has_verdict = true, .verdict = VERDICT_NOT_EVALUATED);
	EXPECT(2, .severity = SEVERITY_LOW);
	EXPECT(1, .severity = SEVERITY_HIGH);
	cr_assert_null(ip_prefix_parse("10.99.0.0/16", &p));
	EXPECT(1, .has_ip = true, .ip = p);
	cr_assert_null(ip_prefix_parse("10.40.8.2", &p));
	EXPECT(3, .has_ip = true, .ip = p);
	cr_assert_null(ip_prefix_parse("2001:db8::/32", &p));
	EXPECT(1, .has_ip = true, .ip = p);
	cr_assert_null(ip_prefix_parse("0.0.0.0/0", &p));
	EXPECT(3, .has_ip = true, .ip = p);
	cr_assert_null(ip_prefix_parse("10.99.3.5/32", &p));
	EXPECT(0, .has_ip = true, .ip = p);
#undef EXPECT
}

static void fill_pairs(void)
{
	struct record r[3];

	r[0] = sample_flow("pair", "2026-01-02T03:04:05Z");
	r[0].flow.client = (struct record_endpoint){ .no_ip = true,
						     .segment = "guest",
						     .impact = IMPACT_GUEST };
	r[0].flow.server = (struct record_endpoint){ .no_ip = true, .segment = "pacs" };
	r[0].flow.end_reason = END_SHED;
	r[0].flow.verdict = VERDICT_NOT_EVALUATED;
	r[0].flow.app = NULL;
	r[0].flow.shed = 3;
	r[1] = r[0];
	r[1].flow.id = "nowhere";
	r[1].flow.client.no_ip = false; /* the address :: */
	r[2] = sample_flow("whole", "2026-01-02T03:04:06Z");
	ingest(sample_batch(1, r, 3));
}

Test(store, pairs_of_segments_have_no_address)
{
	struct store_filter everywhere = { .has_ip = true }; /* ::/0 */
	const char *text;

	fill_pairs();
	text = ask((struct store_query){ .question = STORE_FLOWS }, NULL);
	cr_assert_eq(got.records, 3);
	cr_assert_not_null(strstr(text, "\"client\":{\"segment\":\"guest\","), "%s", text);
	cr_assert_not_null(strstr(text, "\"client\":{\"ip\":\"::\""));
	cr_assert_not_null(strstr(text, "\"shed\":3"));
	cr_assert_eq(count_flows(everywhere), 2);
	text = ask((struct store_query){ .question = STORE_MATRIX }, NULL);
	cr_assert_not_null(strstr(text, "client_segment=guest server_segment=pacs "
					"verdict=not-evaluated flows=2 packets=18 "),
			   "%s", text);
	text = ask((struct store_query){ .question = STORE_TOP, .by = STORE_BY_CLIENT }, NULL);
	cr_assert_eq(got.rows, 3, "no address is not the address ::");
	cr_assert(strstr(text, "\nsegment=guest ") || !strncmp(text, "segment=guest ", 14));
	text = sql("SELECT id FROM flows WHERE client_ip IS NULL");
	cr_assert_str_eq(text, "id=pair \n");
	text = sql("SELECT count(*) AS n FROM rollup_hour WHERE client_ip IS NULL");
	cr_assert_str_eq(text, "n=1 \n");
}

Test(store, alerts_of_the_sensor_have_no_ends)
{
	struct record a = { .type = RECORD_ALERT };

	a.alert = (struct record_alert){
		.id = "x",
		.kind = "sensor.shedding",
		.sensor = "span-1",
		.client = { .no_ip = true },
		.server = { .no_ip = true },
		.count = 1,
		.first_seen = sample_time("2026-01-02T03:04:05Z"),
		.last_seen = sample_time("2026-01-02T03:04:05Z"),
	};
	struct store_batch b = sample_batch(1, &a, 1);
	b.identity.stream = STREAM_ALERTS;
	ingest(b);
	const char *text = ask((struct store_query){ .question = STORE_ALERTS }, NULL);
	cr_assert_eq(got.records, 1);
	cr_assert_null(strstr(text, "\"server\""), "%s", text);
	cr_assert_null(strstr(text, "\"protocol\""), "%s", text);
	cr_assert_str_eq(sql("SELECT kind, protocol, client_ip, server_ip FROM alerts"),
			 "kind=sensor.shedding \n");
}

Test(store, matrix_shows_the_worst_of_each_cell)
{
	fill_kinds();
	const char *want =
		"client_segment=guest server_segment=pacs verdict=cross-segment flows=1 packets=9 "
		"bytes=1000 severity=critical first=2026-01-02T03:04:06.000000Z "
		"last=2026-01-02T03:04:06.001000Z \n"
		"client_segment=imaging server_segment=pacs verdict=conduit flows=2 packets=18 "
		"bytes=2000 severity=low first=2026-01-02T03:04:05.000000Z "
		"last=2026-01-02T03:04:07.001000Z \n";
	struct store_query q = { .question = STORE_MATRIX };
	cr_assert_str_eq(ask(q, NULL), want);
}

/* A filter that no rollup can answer, and that all rows pass, sends the same
 * question to the flows. */
Test(store, rollups_and_flows_give_the_same)
{
	struct record flows[50];
	char texts[50][2][40];

	fill_days(flows, texts);
	fill_kinds();
	for (int by = -1; by < STORE_BY_COUNT; by++) {
		struct store_query q = { .question = by < 0 ? STORE_MATRIX : STORE_TOP,
					 .by = by < 0 ? STORE_BY_CLIENT : (enum store_by)by };
		char *fast = strdup(ask(q, NULL));
		struct ip_prefix all = { .length = 0 };
		q.filter.has_ip = true;
		q.filter.ip = all;
		q.filter.has_since = true;
		q.filter.since.v = 1;
		cr_assert_str_eq(ask(q, NULL), fast, "by %d", by);
		cr_assert(*fast);
		free(fast);
	}
}

Test(store, top_orders_and_limits)
{
	struct record r[3];
	struct store_answer answer;
	struct store_query q = { .question = STORE_TOP, .by = STORE_BY_SERVER, .limit = 2 };

	for (int i = 0; i < 3; i++) {
		r[i] = sample_flow("f", "2026-01-02T03:04:05Z");
		r[i].flow.server.ip.bytes[15] = (uint8_t)(i + 1);
		r[i].flow.bytes_to_server = (uint64_t)(100 * (i + 1));
		r[i].flow.packets_to_server = (uint64_t)(10 - i);
	}
	ingest(sample_batch(1, r, 3));
	const char *text = ask(q, &answer);
	cr_assert_eq(strncmp(text, "server=10.40.8.3 segment=pacs flows=1", 37), 0, "%s", text);
	cr_assert_eq(got.rows, 2);
	cr_assert(answer.cut);
	q.order = STORE_ORDER_PACKETS;
	cr_assert_eq(strncmp(ask(q, NULL), "server=10.40.8.1 ", 17), 0);
}

Test(store, a_segment_is_counted_once_inside_itself)
{
	struct record r[2] = { sample_flow("a", "2026-01-02T03:04:05Z"),
			       sample_flow("b", "2026-01-02T03:04:05Z") };

	r[1].flow.client.segment = "pacs";
	ingest(sample_batch(1, r, 2));
	struct store_query q = { .question = STORE_TOP, .by = STORE_BY_SEGMENT };
	const char *text = ask(q, NULL);
	cr_assert_not_null(strstr(text, "segment=pacs flows=2 "), "%s", text);
	cr_assert_not_null(strstr(text, "segment=imaging flows=1 "), "%s", text);
}

Test(store, interim_records_count_their_flow_once)
{
	struct record r[3];

	for (uint32_t i = 0; i < 3; i++) {
		r[i] = sample_flow("same", "2026-01-02T03:04:05Z");
		r[i].flow.interim = i;
	}
	ingest(sample_batch(1, r, 3));
	struct store_query q = { .question = STORE_MATRIX };
	cr_assert_not_null(strstr(ask(q, NULL), "flows=1 packets=27 bytes=3000"));
	q.filter.sensor = "span-1";
	cr_assert_not_null(strstr(ask(q, NULL), "flows=1 packets=27 bytes=3000"));
}

static struct record sample_alert(const char *id, uint64_t count, const char *seen)
{
	return (struct record){
		.type = RECORD_ALERT,
		.alert = { .id = id,
			   .kind = "cross-segment",
			   .sensor = "span-1",
			   .severity = SEVERITY_HIGH,
			   .first_seen = sample_time(seen),
			   .last_seen = sample_time(seen),
			   .count = count,
			   .protocol = 6,
			   .client = { .ip = sample_ip("10.99.3.4"), .segment = "guest" },
			   .server = { .ip = sample_ip("10.40.8.2"), .segment = "pacs" },
			   .reason = seen,
			   .technique = "T1021" },
	};
}

Test(store, alerts_of_one_id_fold)
{
	struct record a[3] = { sample_alert("x", 2, "2026-01-02T03:00:00Z"),
			       sample_alert("x", 5, "2026-01-04T03:00:00Z"),
			       sample_alert("x", 1, "2026-01-01T03:00:00Z") };

	for (int i = 0; i < 3; i++) {
		a[i].alert.flows[0] = i == 1 ? "f1" : "f0";
		a[i].alert.flow_count = 1;
	}
	a[2].alert.severity = SEVERITY_CRITICAL;
	struct store_batch b = sample_batch(1, a, 3);
	b.identity.stream = STREAM_ALERTS;
	ingest(b);
	ingest(b);
	const char *text = ask((struct store_query){ .question = STORE_ALERTS }, NULL);
	cr_assert_eq(got.records, 1);
	cr_assert_not_null(strstr(text, "\"count\":8"), "%s", text);
	cr_assert_not_null(strstr(text, "\"severity\":\"critical\""));
	cr_assert_not_null(strstr(text,
				  "\"first_seen\":\"2026-01-01T03:00:00.000000Z\",\"last_seen\""
				  ":\"2026-01-04T03:00:00.000000Z\""));
	cr_assert_not_null(strstr(text, "\"reason\":\"2026-01-04T03:00:00Z\""));
	cr_assert_not_null(strstr(text, "\"flows\":[\"f0\",\"f1\"]"));
}

Test(store, alerts_come_worst_first_and_page)
{
	struct record a[3] = { sample_alert("low", 1, "2026-01-09T03:00:00Z"),
			       sample_alert("old", 1, "2026-01-02T03:00:00Z"),
			       sample_alert("new", 1, "2026-01-03T03:00:00Z") };
	const char *const order[] = { "\"id\":\"new\"", "\"id\":\"old\"", "\"id\":\"low\"" };
	struct store_answer answer = { 0 };

	a[0].alert.severity = SEVERITY_LOW;
	ingest(sample_batch(1, a, 3));
	for (int i = 0; i < 3; i++) {
		char cursor[STORE_CURSOR];
		memcpy(cursor, answer.next, sizeof(cursor));
		struct store_query q = { .question = STORE_ALERTS, .limit = 1, .cursor = cursor };
		cr_assert_not_null(strstr(ask(q, &answer), order[i]));
	}
	cr_assert_str_empty(answer.next);
	struct store_filter bad = { .severity = SEVERITY_HIGH };
	ask((struct store_query){ .question = STORE_ALERTS, .filter = bad }, NULL);
	cr_assert_eq(got.records, 2);
}

Test(store, coverage_of_one_minute_adds_up_and_keeps_the_worse_state)
{
	struct record c[2] = { { .type = RECORD_COVERAGE }, { .type = RECORD_COVERAGE } };

	for (int i = 0; i < 2; i++)
		c[i].coverage = (struct record_coverage){
			.sensor = "span-1",
			.segment = "icu",
			.state = i ? "seen" : "blind",
			.minute = sample_time("2026-01-02T03:04:00Z"),
			.packets = 10,
			.shed_max = (uint64_t)i,
		};
	ingest(sample_batch(1, c, 2));
	const char *text = ask((struct store_query){ .question = STORE_COVERAGE }, NULL);
	cr_assert_eq(got.records, 1);
	cr_assert_not_null(strstr(text, "\"state\":\"blind\",\"packets\":20"), "%s", text);
	cr_assert_not_null(strstr(text, "\"shed_max\":1"));
}

static struct record coverage_at(const char *segment, const char *how, const char *minute)
{
	return (struct record){ .type = RECORD_COVERAGE,
				.coverage = { .sensor = "span-1",
					      .segment = segment,
					      .state = how,
					      .minute = sample_time(minute),
					      .packets = 10,
					      .frames = 75,
					      .drops = 25,
					      .reasons = { "drops" },
					      .reason_count = 1 } };
}

Test(store, segments_sum_coverage_up_over_partitions)
{
	struct record c[4] = { coverage_at("icu", "seen", "2026-01-02T23:58:00Z"),
			       coverage_at("icu", "partial", "2026-01-02T23:59:00Z"),
			       coverage_at("icu", "partial", "2026-01-03T00:00:00Z"),
			       coverage_at("ward", "quiet", "2026-01-03T00:00:00Z") };

	ingest(sample_batch(1, c, 4));
	struct store_query q = { .question = STORE_SEGMENTS };
	const char *text = ask(q, NULL);
	cr_assert_eq(got.rows, 2);
	cr_assert_not_null(
		strstr(text, "segment=icu sensor=span-1 state=partial "
			     "since=2026-01-02T23:59:00.000000Z reasons=drops "
			     "reason=frames were lost before the sensor read them worst=partial"),
		"%s", text);
	cr_assert_not_null(strstr(text, "seen_minutes=1 partial_minutes=2"), "%s", text);
	cr_assert_not_null(strstr(text, "lost_share=0.25"), "%s", text);
	q.now = sample_time("2026-01-03T01:00:00Z");
	text = ask(q, NULL);
	cr_assert_not_null(strstr(text, "state=blind since=2026-01-03T00:01:00.000000Z "
					"reasons=no-report"),
			   "%s", text);
	q.filter = (struct store_filter){ .segment = "ward", .has_until = true };
	q.filter.until = sample_time("2026-01-03T00:02:00Z");
	text = ask(q, NULL);
	cr_assert_eq(got.rows, 1);
	cr_assert_not_null(strstr(text, "state=quiet"), "%s", text);
}

Test(store, sensors_sum_counters_and_miss_batches)
{
	static const struct record_counter counters[] = { { "packets", 10 }, { "shed.level", 3 } };
	struct record h = { .type = RECORD_HEALTH,
			    .health = { .sensor = "span-1",
					.version = "0.1.0",
					.counters = counters,
					.minute = sample_time("2026-01-02T03:04:00Z"),
					.counter_count = 2 } };
	struct store_batch b = sample_batch(1, &h, 1);

	b.identity.stream = STREAM_HEALTH;
	ingest(b);
	ingest(b);
	b.identity.sequence = 4;
	ingest(b);
	const char *text = ask((struct store_query){ .question = STORE_SENSORS }, NULL);
	cr_assert_eq(got.rows, 1);
	cr_assert_not_null(strstr(text, "sensor=span-1 version=0.1.0"), "%s", text);
	cr_assert_not_null(strstr(text, "batches=2 records=2 missing_batches=2"), "%s", text);
	cr_assert_not_null(strstr(text, "\"packets\":20"), "%s", text);
	cr_assert_not_null(strstr(text, "\"shed.level\":3"), "a level is no sum: %s", text);
	cr_assert_not_null(strstr(text, "last_record=2026-01-02T03:04:00.000000Z"));
}

Test(store, sensors_tell_of_their_newest_report)
{
	static const struct record_counter counters[] = { { "packets", 540 },
							  { "drops.kernel", 50 },
							  { "drops.interface", 10 },
							  { "shed.level", 2 },
							  { "packets.oversized", 7 } };
	static const struct record_interface interfaces[] = { { "eno2", "silent", 5, 6, 7 } };
	struct record h[2];

	for (int i = 0; i < 2; i++)
		h[i] = (struct record){ .type = RECORD_HEALTH,
					.health = { .sensor = "span-1",
						    .minute =
							    sample_time(i ? "2026-01-02T03:04:00Z"
									  : "2026-01-02T03:05:00Z"),
						    .counters = counters,
						    .counter_count = i ? 1 : 5,
						    .interfaces = interfaces,
						    .interface_count = 1 } };
	struct store_batch b = sample_batch(1, h, 2);
	b.identity.stream = STREAM_HEALTH;
	b.identity.epoch = 77;
	ingest(b);
	struct store_query q = { .question = STORE_SENSORS };
	const char *text = ask(q, NULL);
	cr_assert_eq(got.rows, 1);
	cr_assert_not_null(strstr(text, "last_minute=2026-01-02T03:05:00.000000Z epoch=77 "
					"packets_per_s=9 lost_share=0.1 lost_share_in_all="),
			   "%s", text);
	cr_assert_not_null(strstr(text, "shed_level=2"), "%s", text);
	cr_assert_not_null(strstr(text, "\"packets.oversized\":7"), "%s", text);
	cr_assert_not_null(strstr(text, "[{\"name\":\"eno2\",\"state\":\"silent\""), "%s", text);
	cr_assert_null(strstr(text, "state=silent"));
	q.now = sample_time("2026-01-02T03:08:00Z");
	cr_assert_not_null(strstr(ask(q, NULL), "state=reporting"));
	q.now = sample_time("2026-01-02T03:10:00Z");
	cr_assert_not_null(strstr(ask(q, NULL), "state=silent"));
}

Test(store, a_filter_that_does_not_fit_is_refused)
{
	struct store_sink sink = sample_sink(&got);
	struct store_answer answer;
	struct store_query q = { .question = STORE_COVERAGE,
				 .limit = 1,
				 .filter = { .app = "dicom" },
				 .deadline = soon() };

	cr_assert_eq(driver->query(state, &q, &sink, &answer), -EINVAL);
	cr_assert_not_null(strstr(answer.why, "app"));
	q = (struct store_query){ .limit = 1, .cursor = "1.x", .deadline = soon() };
	cr_assert_eq(driver->query(state, &q, &sink, &answer), -EINVAL);
	cr_assert_not_null(strstr(answer.why, "cursor"));
}

Test(store, hostile_numbers_break_no_sum)
{
	struct record r[3];

	for (int i = 0; i < 3; i++) {
		r[i] = sample_flow("f", "2026-01-02T03:04:05Z");
		r[i].flow.bytes_to_server = UINT64_MAX;
		r[i].flow.packets_to_server = (uint64_t)INT64_MAX;
	}
	ingest(sample_batch(1, r, 2));
	ingest(sample_batch(2, &r[2], 1));
	ask((struct store_query){ .question = STORE_MATRIX }, NULL);
	cr_assert_eq(got.rows, 1);
	struct store_filter f = { .sensor = "span-1" };
	ask((struct store_query){ .question = STORE_TOP, .filter = f }, NULL);
	cr_assert_eq(got.rows, 1);
}

Test(store, times_out_of_this_world_are_kept)
{
	struct record r[3];

	for (int i = 0; i < 3; i++)
		r[i] = sample_flow("f", "2026-01-02T03:04:05Z");
	r[0].flow.start.v = -5;
	r[1].flow.start.v = INT64_MAX;
	ingest(sample_batch(1, r, 3));
	cr_assert_eq(count_flows((struct store_filter){ 0 }), 3);
	struct store_filter f = { .has_until = true, .until = { 0 } };
	cr_assert_eq(count_flows(f), 1);
	f = (struct store_filter){ .has_since = true, .since = sample_time("2100-01-01") };
	cr_assert_eq(count_flows(f), 1);
}

Test(store, retention_goes_by_time_and_arrival)
{
	struct record r = sample_flow("old", "2017-05-01T00:00:00Z");
	struct record alert = sample_alert("x", 1, "2017-05-01T00:00:00Z");

	ingest(sample_batch(1, &r, 1));
	ingest(sample_batch(2, &alert, 1));
	cr_assert_eq(driver->trim(state, sample_time("2026-04-01")), 0);
	cr_assert_eq(count_flows((struct store_filter){ 0 }), 1);
	cr_assert_eq(driver->trim(state, sample_time("2026-04-11")), 0);
	cr_assert_eq(count_flows((struct store_filter){ 0 }), 0);
	ask((struct store_query){ .question = STORE_ALERTS }, NULL);
	cr_assert_eq(got.records, 0);
	cr_assert(ingest(sample_batch(1, &r, 1)), "still known");
}

Test(store, sql_spans_the_files)
{
	struct record flows[50];
	char texts[50][2][40];

	cr_assert_str_eq(sql("SELECT count(*) AS n FROM flows"), "n=0 \n");
	fill_kinds();
	cr_assert_str_eq(sql("SELECT client_ip, verdict, severity, start FROM flows"
			     " WHERE severity = 'critical';"),
			 "client_ip=10.99.3.4 verdict=cross-segment severity=critical "
			 "start=2026-01-02T03:04:06.000000Z \n");
	cr_assert_str_eq(sql("SELECT sum(flows) AS n FROM rollup_minute WHERE exercise IS NULL"),
			 "n=3 \n");
	cr_assert_str_eq(sql("SELECT count(*) AS n FROM sensors"), "n=2 \n");
	fill_days(flows, texts);
	cr_assert_str_eq(sql("SELECT count(*) AS n FROM alerts"), "n=0 \n");
}

Test(store, sql_only_reads)
{
	static const char *const refused[] = {
		"DELETE FROM flows",
		"DROP TABLE m.batches",
		"UPDATE m.alerts SET count = 0",
		"INSERT INTO m.options VALUES ('a', 'b')",
		"ATTACH '/etc/passwd' AS x",
		"PRAGMA query_only = OFF",
		"CREATE TABLE t (a)",
		"CREATE TEMP TABLE t (a)",
		"SELECT load_extension('x')",
		"SELECT 1; SELECT 2",
		"SELECT FROM",
		"SELECT * FROM nothing",
		"VACUUM INTO '/tmp/x'",
		"BEGIN EXCLUSIVE",
		"",
		"SELECT zeroblob(100000000)",
	};
	struct store_sink sink = sample_sink(&got);
	struct store_answer answer;

	fill_kinds();
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		struct store_sql q = { .text = refused[i], .limit = 10, .deadline = soon() };
		cr_assert_lt(driver->sql(state, &q, &sink, &answer), 0, "%s", refused[i]);
		cr_assert_neq(answer.why[0], '\0', "%s", refused[i]);
	}
	cr_assert_eq(count_flows((struct store_filter){ 0 }), 3);
}

Test(store, sql_ends_at_its_deadline_and_limit)
{
	static const char endless[] =
		"WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)"
		" SELECT count(*) FROM n";
	struct store_sink sink = sample_sink(&got);
	struct store_answer answer;
	struct store_sql q = { .text = endless, .limit = 10 };

	q.deadline.v = clock_monotonic().v + USEC_PER_SECOND / 10;
	cr_assert_eq(driver->sql(state, &q, &sink, &answer), -ETIMEDOUT);
	q.text = "SELECT value FROM json_each('[1,2,3]')";
	q.limit = 2;
	q.deadline = soon();
	cr_assert_eq(driver->sql(state, &q, &sink, &answer), 0, "%s", answer.why);
	cr_assert(answer.cut);
	cr_assert_eq(got.rows, 2);
}

Test(store, files_by_the_hour)
{
	struct record r[2] = { sample_flow("a", "2026-01-02T03:59:59Z"),
			       sample_flow("b", "2026-01-02T04:00:00Z") };
	struct store_options options = { .dir = dir, .partition = STORE_BY_DAY };
	char why[256], path[128];

	teardown();
	sample_dir(dir);
	reopen(STORE_BY_HOUR);
	ingest(sample_batch(1, r, 2));
	cr_assert_eq(count_flows((struct store_filter){ 0 }), 2);
	snprintf(path, sizeof(path), "%s/flows-2026-01-02T04.db", dir);
	cr_assert_eq(access(path, F_OK), 0);
	struct store_stats stats;
	cr_assert_eq(driver->stats(state, &stats), 0);
	cr_assert_eq(stats.partitions, 2);
	void *other = calloc(1, driver->state_size);
	cr_assert_eq(driver->open(other, &options, why), -EBUSY);
	cr_assert_not_null(strstr(why, "another collector"), "%s", why);
	driver->close(other);
	driver->close(state);
	cr_assert_eq(driver->open(other, &options, why), -EINVAL);
	cr_assert_not_null(strstr(why, "partition: hour"), "%s", why);
	driver->close(other);
	free(other);
}

static void damage(const char *name)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	FILE *f = fopen(path, "r+");
	cr_assert_not_null(f);
	for (int i = 0; i < 200000; i++)
		fputc('x', f);
	fclose(f);
}

Test(store, a_damaged_file_is_set_aside)
{
	struct record r[2] = { sample_flow("a", "2026-01-02T03:04:05Z"),
			       sample_flow("b", "2026-01-03T03:04:05Z") };
	struct store_sink sink = sample_sink(&got);
	struct store_query q = { .question = STORE_FLOWS, .limit = 10, .deadline = soon() };
	struct store_answer answer;

	ingest(sample_batch(1, r, 2));
	driver->close(state);
	free(state);
	state = NULL;
	damage("flows-2026-01-02.db");
	reopen(STORE_BY_DAY);
	cr_assert_lt(driver->query(state, &q, &sink, &answer), 0);
	cr_assert_not_null(strstr(answer.why, "flows-2026-01-02.db"), "%s", answer.why);
	cr_assert_not(ingest(sample_batch(2, r, 2)));
	cr_assert(ingest(sample_batch(1, r, 2)), "still known");
	cr_assert_eq(count_flows((struct store_filter){ 0 }), 3);
}

Test(store, says_why_it_cannot_open)
{
	struct store_options options = { .dir = "/dev/null/store" };
	char why[256] = "";
	void *other = calloc(1, driver->state_size);

	cr_assert_lt(driver->open(other, &options, why), 0);
	cr_assert_not_null(strstr(why, "/dev/null/store"), "%s", why);
	driver->close(other);
	free(other);
}
