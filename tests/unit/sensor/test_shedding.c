/* SPDX-License-Identifier: Apache-2.0
 *
 * What a pipeline leaves out at each level, and what it says of that. */
#include "sensor/capture.h"
#include "tests/unit/sensor/metering.h"

enum { ICU = 1, PACS = 17, REGISTRATION = 33, OFFICE = 49, GUEST = 65 };

static struct metering m;

static struct site *load(const char *path)
{
	struct problems problems = { 0 };
	struct site *site = site_load(path, (struct usec){ T0 }, &problems);

	cr_assert(site, "%s", problems.count ? problems.list[0].text : path);
	problems_finish(&problems);
	return site;
}

static uint64_t each_second; /* records of single packets */

static void open_with(const char *site, uint8_t level, size_t flows)
{
	metering_prepare(&m);
	site_free(m.site);
	m.site = load(site);
	m.options.setting.site = m.site;
	m.options.flows = flows;
	m.options.shed = level;
	m.options.singles = each_second;
	metering_open(&m);
}

static void begin_at(uint8_t level)
{
	open_with(UNIT_SOURCES "/sensor/tiers.yaml", level, 1024);
}

static void end(void)
{
	metering_end(&m);
}

TestSuite(shedding, .fini = end);

static struct talk talk(uint8_t client, uint8_t server, int64_t at)
{
	return (struct talk){ .m = &m,
			      .at = at,
			      .hosts = { client, server },
			      .ports = { 40000, 2575 },
			      .next = { 1000, 5000 } };
}

static void message(struct talk *t)
{
	static const char hl7[] =
		"\x0bMSH|^~\\&|ADT1|ADMISSIONS|EHR|CHU|20260301120000||ADT^A01|1|P|"
		"2.5.1\rPID|||1\r\x1c\r";
	static const char ack[] =
		"\x0bMSH|^~\\&|EHR|CHU|ADT1|ADMISSIONS|20260301120000||ACK^A01|2|P|"
		"2.5.1\rMSA|AA|1\r\x1c\r";

	say(t, 0, TCP_ACK | TCP_PSH, hl7, sizeof(hl7) - 1);
	say(t, 1, TCP_ACK | TCP_PSH, ack, sizeof(ack) - 1);
}

static void conversation(uint8_t client, uint8_t server, int64_t at)
{
	struct talk t = talk(client, server, at);

	greet(&t);
	message(&t);
	part(&t);
}

static json_t *coverage_of(const char *segment)
{
	json_t *r;

	for (size_t i = 0; (r = nth(&m, "coverage", i)); i++)
		if (!strcmp(text(r, "segment"), segment))
			return r;
	return NULL;
}

static json_int_t shed_max(const char *segment)
{
	json_t *r = coverage_of(segment);
	cr_assert(r, "no row of %s", segment);
	return number(r, "shed_max");
}

/* At each level, a conversation inside each tier: what is left of it. */
Test(shedding, treatment_by_tier)
{
	static const uint8_t hosts[] = { GUEST, OFFICE, REGISTRATION, PACS, ICU };
	static const char *const names[] = { "guest", "office", "registration", "pacs", "icu" };
	/* f: dissected; h: headers; p: a pair */
	static const char *const expected[] = { "fffff", "fffff", "hhfff", "ppfff", "ppphf" };

	for (uint8_t level = 0; level <= SHED_LEVEL_MOST; level++) {
		begin_at(level);
		for (size_t i = 0; i < 5; i++)
			conversation(hosts[i], (uint8_t)(hosts[i] + 1), (int64_t)i * SECOND);
		metering_flush(&m);
		cr_assert_eq(count_of(&m, "flow"), 5);
		for (size_t i = 0; i < 5; i++) {
			json_t *f = NULL;
			for (size_t k = 0; k < 5; k++)
				if (!strcmp(text(flow(&m, k), "client/segment"), names[i]))
					f = flow(&m, k);
			bool pair = !strcmp(text(f, "end_reason"), "shed");
			char got = pair ? 'p' : *text(f, "app") ? 'f' : 'h';
			cr_expect_eq(got, expected[level][i], "level %u, %s: %c", level, names[i],
				     got);
			cr_expect_eq(number(f, "shed"), got == 'f' ? 0 : level);
			cr_expect_eq(number(f, "packets/to_server"), 5);
			cr_expect_eq(number(f, "packets/to_client"), 3);
			cr_expect_eq(shed_max(names[i]), got == 'f' ? 0 : level);
			cr_expect_str_eq(text(coverage_of(names[i]), "state"),
					 got == 'f' ? "seen" : "partial");
		}
		if (level < SHED_LEVEL_MOST)
			metering_end(&m);
	}
}

Test(shedding, the_more_critical_end_decides)
{
	begin_at(4);
	conversation(GUEST, ICU, 0);
	metering_flush(&m);
	cr_assert_str_eq(text(flow(&m, 0), "app"), "hl7");
	cr_assert_str_eq(text(flow(&m, 0), "verdict"), "cross-segment");
	cr_assert_eq(number(flow(&m, 0), "shed"), 0);
	cr_assert_eq(shed_max("guest"), 0);
}

Test(shedding, a_pair_has_segments_and_no_addresses)
{
	begin_at(3);
	conversation(GUEST, OFFICE, 0);
	conversation(GUEST + 1, OFFICE + 1, SECOND);
	shoot(&m, (struct shot){ .at = 2 * SECOND,
				 .from = OFFICE,
				 .to = GUEST,
				 .protocol = 17,
				 .source = 161,
				 .dest = 50000,
				 .n = 5,
				 .bytes = "hello" });
	metering_flush(&m);
	cr_assert_eq(m.counters.flows, 0);
	cr_assert_eq(m.counters.shed, 17);
	cr_assert_eq(count_of(&m, "flow"), 2);
	json_t *f = flow(&m, 0);
	cr_assert_str_eq(text(f, "protocol"), "tcp");
	cr_assert_str_eq(text(f, "client/segment"), "guest");
	cr_assert_str_eq(text(f, "client/impact"), "guest");
	cr_assert_str_eq(text(f, "server/segment"), "office");
	cr_assert_eq(number(f, "packets/to_server"), 10);
	cr_assert_eq(number(f, "packets/to_client"), 6);
	cr_assert_gt(number(f, "bytes/to_server"), 10 * 40);
	cr_assert_str_eq(text(f, "verdict"), "not-evaluated");
	cr_assert_str_eq(text(f, "severity"), "info");
	cr_assert_str_eq(text(f, "reason"),
			 "shed at level 3: counted for the two segments, without addresses");
	static const char *const absent[] = { "client/ip", "client/port", "client/mac",
					      "server/ip", "rule",        "community_id",
					      "app",       "tcp",         "dscp" };
	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
		cr_expect_null(at(f, absent[i]), "%s", absent[i]);
	/* The answer alone, by its port: the client is the guest all the same. */
	cr_assert_str_eq(text(flow(&m, 1), "protocol"), "udp");
	cr_assert_str_eq(text(flow(&m, 1), "client/segment"), "guest");
	cr_assert_eq(number(flow(&m, 1), "packets/to_client"), 1);
	json_t *row = coverage_of("guest");
	cr_assert_eq(number(row, "packets"), 17, "the ledger has them");
}

Test(shedding, pairs_come_out_each_minute_with_ids_of_their_own)
{
	char ids[2][2][RECORD_ID];

	for (int run = 0; run < 2; run++) {
		begin_at(3);
		conversation(GUEST, OFFICE, 0);
		conversation(GUEST, OFFICE, 60 * SECOND);
		metering_flush(&m);
		cr_assert_eq(count_of(&m, "flow"), 2);
		for (size_t i = 0; i < 2; i++) {
			snprintf(ids[run][i], RECORD_ID, "%s", text(flow(&m, i), "id"));
			cr_assert_eq(number(flow(&m, i), "packets/to_server"), 5);
		}
		if (!run)
			metering_end(&m);
	}
	cr_assert_str_neq(ids[0][0], ids[0][1]);
	cr_assert_str_eq(ids[0][0], ids[1][0], "the same packets, the same id");
	cr_assert_str_eq(ids[0][1], ids[1][1]);
}

Test(shedding, pairs_keep_the_names_of_the_site_they_were_counted_in)
{
	struct site *other;

	begin_at(3);
	conversation(GUEST, OFFICE, 0);
	other = load(SOURCE_ROOT "/pcaps/demo/hospital.yaml");
	struct pipeline_change *change = pipeline_prepare(
		m.pipeline, &(struct pipeline_settings){
				    .site = other, .timeouts = m.options.timeouts, .dedup = true });
	cr_assert(change);
	pipeline_conclude(m.pipeline, change);
	pipeline_report_rest(m.pipeline);
	pipeline_apply(m.pipeline, change);
	pipeline_change_free(change);
	conversation(GUEST, OFFICE, SECOND);
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "flow"), 2);
	cr_assert_str_eq(text(flow(&m, 0), "client/segment"), "guest");
	cr_assert_str_eq(text(flow(&m, 1), "client/segment"), "unknown-internal");
	site_free(m.site);
	m.site = other;
}

Test(shedding, copies_of_what_is_shed_are_copies)
{
	struct shot s = { .from = GUEST,
			  .to = OFFICE,
			  .protocol = 17,
			  .id = 7,
			  .source = 50000,
			  .dest = 161,
			  .bytes = "hello",
			  .n = 5 };

	begin_at(3);
	shoot(&m, s);
	s.at = 100;
	s.ttl = 63;
	shoot(&m, s);
	metering_flush(&m);
	cr_assert_eq(m.counters.shed, 1);
	cr_assert_eq(m.counters.copies_routed, 1);
	cr_assert_eq(number(flow(&m, 0), "packets/to_server"), 1);
	cr_assert_eq(number(flow(&m, 0), "copies/routed"), 1);
	cr_assert_eq(number(coverage_of("guest"), "routed_copies"), 1);
}

Test(shedding, a_flow_that_is_there_goes_on)
{
	struct talk t;

	begin_at(0);
	t = talk(GUEST, OFFICE, 0);
	greet(&t);
	pipeline_set_shed(m.pipeline, 3);
	message(&t);
	part(&t);
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "flow"), 1);
	cr_assert_eq(number(flow(&m, 0), "packets/to_server"), 5);
	cr_assert_str_eq(text(flow(&m, 0), "end_reason"), "fin");
	cr_assert_eq(number(flow(&m, 0), "shed"), 3);
	cr_assert_eq(m.counters.shed, 0);
}

/* letters: guest to office, by its app only. */
Test(shedding, nobody_is_blamed_for_an_app_that_was_not_looked_for)
{
	struct talk t;

	begin_at(2);
	conversation(GUEST, OFFICE, 0);
	t = talk(GUEST, OFFICE, SECOND);
	t.ports[0]++;
	greet(&t); /* no payload: nothing was left out of it */
	part(&t);
	t = talk(OFFICE, GUEST, 2 * SECOND);
	greet(&t);
	message(&t);
	metering_flush(&m);
	cr_assert_str_eq(text(flow(&m, 0), "verdict"), "not-evaluated");
	cr_assert_null(at(flow(&m, 0), "rule"));
	cr_assert_eq(number(flow(&m, 0), "shed"), 2);
	cr_assert_str_eq(text(flow(&m, 1), "verdict"), "conduit");
	cr_assert_eq(number(flow(&m, 1), "shed"), 0);
	cr_assert_str_eq(text(flow(&m, 2), "verdict"), "cross-segment", "whatever it spoke");
	cr_assert_eq(count_of(&m, "alert"), 2, "the crossing, and that it sheds");
}

Test(shedding, a_dissected_flow_is_picked_up_again)
{
	struct talk t;

	begin_at(0);
	t = talk(REGISTRATION, PACS, 0);
	greet(&t);
	message(&t);
	pipeline_set_shed(m.pipeline, 4);
	message(&t);
	pipeline_set_shed(m.pipeline, 0);
	message(&t);
	message(&t);
	part(&t);
	metering_flush(&m);
	json_t *f = flow(&m, 0);
	cr_assert_str_eq(text(f, "app"), "hl7");
	cr_assert_str_eq(text(f, "verdict"), "conduit");
	cr_assert_eq(number(f, "shed"), 4);
	json_t *messages = json_object_get(at(f, "attributes"), "hl7.messages");
	cr_assert_eq(json_integer_value(messages), 3, "all but the one that was left out");
	cr_assert_eq(m.counters.shed_dissection, 1);
}

Test(shedding, one_that_began_unread_is_recognised_later)
{
	struct talk t;

	begin_at(4);
	t = talk(REGISTRATION, PACS, 0);
	greet(&t);
	message(&t);
	pipeline_set_shed(m.pipeline, 0);
	message(&t);
	part(&t);
	metering_flush(&m);
	cr_assert_str_eq(text(flow(&m, 0), "app"), "hl7");
	cr_assert_eq(number(flow(&m, 0), "shed"), 4);
	cr_assert_not(json_is_true(at(flow(&m, 0), "tcp/midstream")), "its handshake was seen");
}

Test(shedding, each_record_of_a_flow_has_its_own_level)
{
	struct talk t;

	begin_at(2);
	t = talk(GUEST, OFFICE, 0);
	greet(&t);
	message(&t);
	pipeline_set_shed(m.pipeline, 0);
	t.at = 301 * SECOND;
	say(&t, 0, TCP_ACK, NULL, 0);
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "flow"), 2);
	cr_assert_eq(number(flow(&m, 0), "shed"), 2);
	cr_assert_eq(number(flow(&m, 1), "shed"), 0);
}

Test(shedding, is_told_as_an_alert_until_it_is_over)
{
	begin_at(0);
	conversation(ICU, ICU + 1, 0);
	pipeline_set_shed(m.pipeline, 1);
	conversation(ICU, ICU + 2, 10 * SECOND);
	pipeline_set_shed(m.pipeline, 3);
	conversation(ICU, ICU + 3, 20 * SECOND);
	pipeline_set_shed(m.pipeline, 2);
	pipeline_set_shed(m.pipeline, 0);
	pipeline_set_shed(m.pipeline, 0);
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "alert"), 1);
	json_t *a = nth(&m, "alert", 0);
	cr_assert_str_eq(text(a, "kind"), "sensor.shedding");
	cr_assert_str_eq(text(a, "severity"), "high");
	cr_assert_eq(number(a, "count"), 1);
	cr_assert_str_eq(text(a, "reason"),
			 "the sensor keeps up again; nothing is left out any more");
	cr_assert_lt(strcmp(text(a, "first_seen"), text(a, "last_seen")), 0);
	cr_assert_null(at(a, "client"));
	cr_assert_null(at(a, "server"));
	cr_assert_null(at(a, "protocol"));
	cr_assert_eq(m.counters.shed_raised, 2);
	cr_assert_eq(m.counters.shed_level, 0);
}

Test(shedding, goes_on_being_told_each_minute)
{
	begin_at(1);
	for (int i = 0; i < 4; i++)
		conversation(ICU, (uint8_t)(ICU + 1 + i), i * 60 * SECOND);
	metering_flush(&m);
	json_int_t count = 0;
	for (size_t i = 0; nth(&m, "alert", i); i++) {
		count += number(nth(&m, "alert", i), "count");
		cr_assert_str_eq(text(nth(&m, "alert", i), "id"), text(nth(&m, "alert", 0), "id"));
	}
	cr_assert_eq(count_of(&m, "alert"), 4);
	cr_assert_eq(count, 1);
}

/* SYNs that claim to come from the icu, more than the table holds. */
static void flood(uint16_t flows)
{
	for (uint16_t i = 0; i < flows; i++)
		shoot(&m, (struct shot){ .at = 10 * SECOND + i,
					 .from = ICU,
					 .to = PACS,
					 .source = (uint16_t)(20000 + i),
					 .dest = 104,
					 .flags = TCP_SYN });
}

Test(shedding, a_flood_that_fills_the_table_is_summed)
{
	struct talk t;

	open_with(UNIT_SOURCES "/sensor/tiers.yaml", 4, 64);
	t = talk(ICU, ICU + 1, 0);
	greet(&t);
	message(&t);
	flood(1000);
	t.at = 11 * SECOND;
	message(&t);
	part(&t);
	metering_flush(&m);
	cr_assert_eq(m.counters.flows_evicted, 1001 - 64);
	cr_assert_eq(m.counters.shed_flows, 1000);
	cr_assert_eq(m.counters.metered, 1000 + 5 + 3 + 2);
	cr_assert_eq(count_of(&m, "flow"), 2);
	cr_assert_eq(sum(&m, "packets/to_server"), 1000 + 6, "each packet is in some record");
	for (size_t i = 0; i < 2; i++) {
		json_t *f = flow(&m, i);
		if (!strcmp(text(f, "end_reason"), "shed")) {
			cr_expect_str_eq(text(f, "client/segment"), "icu");
			cr_expect_str_eq(text(f, "server/segment"), "pacs");
			cr_expect_eq(number(f, "packets/to_server"), 1000);
		} else if (!strcmp(text(f, "app"), "hl7")) {
			cr_expect_str_eq(text(f, "end_reason"), "fin", "whole amid the flood");
			cr_expect_eq(number(f, "packets/to_server"), 6);
			cr_expect_eq(number(f, "shed"), 0);
		}
	}
	cr_assert_eq(shed_max("icu"), 4, "some of what claims to be its own was left out");
}

/* While the table overflows, so many have a record each second; and no longer. */
Test(shedding, a_flood_is_summed_at_any_level)
{
	enum { EACH = 500, FLOWS = 3000 };

	each_second = EACH;
	open_with(UNIT_SOURCES "/sensor/tiers.yaml", 0, 64);
	flood(FLOWS);
	shoot(&m,
	      (struct shot){
		      .at = 55 * SECOND, .from = ICU, .to = PACS, .source = 9, .flags = TCP_SYN });
	metering_flush(&m);
	cr_assert_eq(m.counters.flows_evicted, FLOWS - 64);
	cr_assert_eq(m.counters.shed_flows, FLOWS - 64 - EACH);
	size_t sums = count_of(&m, "flow") - EACH - 64 - 1;
	cr_assert(sums >= 1 && sums <= 2, "%zu, one a minute", sums);
	cr_assert_eq(sum(&m, "packets/to_server"), FLOWS + 1);
	cr_assert_eq(shed_max("icu"), SHED_SUMS);
}

Test(shedding, a_table_that_is_large_enough_sums_nothing)
{
	open_with(UNIT_SOURCES "/sensor/tiers.yaml", 2, 256);
	flood(200);
	metering_flush(&m);
	cr_assert_eq(count_of(&m, "flow"), 200);
	cr_assert_eq(m.counters.shed_flows, 0);
}

/* More pairs than rows: what finds no room is still counted. */
Test(shedding, too_many_pairs_are_summed_together)
{
	char path[] = "/tmp/vigie-pairs-XXXXXX";
	int fd = mkstemp(path);
	FILE *yaml = fdopen(fd, "w");

	fprintf(yaml, "site: many\nsegments:\n");
	for (int i = 0; i < 128; i++)
		fprintf(yaml, "  - {name: s%d, impact: guest, match: {prefixes: [10.0.0.%d/31]}}\n",
			i, 2 * i);
	fclose(yaml);
	open_with(path, 3, 64);
	unlink(path);
	for (int i = 0; i < 128 * 33; i++)
		shoot(&m, (struct shot){ .at = i,
					 .from = (uint8_t)(2 * (i % 128)),
					 .to = (uint8_t)(2 * (i / 128 + i % 128)),
					 .protocol = 17,
					 .source = 50000,
					 .dest = 53 });
	pipeline_flush(m.pipeline, END_END_OF_INPUT);
	cr_assert_eq(m.counters.shed, 128 * 33);
	cr_assert_eq(m.counters.shed_pairs_full, 128 * 33 - 4088);
	cr_assert_eq(m.counters.records, 4089 + 128 + 2, "pairs, coverage, health and alert");
	cr_assert_eq(output_flush(m.output), 0);
}

/* --- over the demo hospital's captures --- */

static void replay(const char *name)
{
	char path[512], why[256];
	struct frame frame;

	snprintf(path, sizeof(path), SOURCE_ROOT "/pcaps/demo/%s.pcap", name);
	struct capture *c = capture_open(path, why);
	cr_assert(c, "%s", why);
	while (capture_next(c, &frame) == 1)
		pipeline_frame(m.pipeline, &frame);
	capture_close(c);
}

static const char *const captures[] = { "clinical", "night", "third-parties", "remote-access",
					"routed-tagged" };

static bool is_life_critical(json_t *f)
{
	return !strcmp(text(f, "client/impact"), "life-critical") ||
	       !strcmp(text(f, "server/impact"), "life-critical");
}

/* Its records, one after the other as text. */
static char *life_critical(uint8_t level, size_t *count)
{
	static char kept[1 << 20];
	size_t n = 0;

	open_with(SOURCE_ROOT "/pcaps/demo/hospital.yaml", level, 1024);
	for (size_t i = 0; i < sizeof(captures) / sizeof(captures[0]); i++)
		replay(captures[i]);
	metering_flush(&m);
	*count = 0;
	for (size_t i = 0; i < count_of(&m, "flow"); i++) {
		if (!is_life_critical(flow(&m, i)))
			continue;
		char *line = json_dumps(flow(&m, i), JSON_SORT_KEYS);
		n += (size_t)snprintf(kept + n, sizeof(kept) - n, "%s\n", line);
		free(line);
		(*count)++;
	}
	return strdup(kept);
}

Test(shedding, life_critical_segments_are_the_same_at_every_level)
{
	size_t first, count;
	char *whole = life_critical(0, &first);

	cr_assert_gt(first, 5);
	for (uint8_t level = 1; level <= SHED_LEVEL_MOST; level++) {
		metering_end(&m);
		char *got = life_critical(level, &count);
		cr_expect_eq(count, first);
		cr_expect_str_eq(got, whole, "level %u", level);
		free(got);
		for (size_t i = 0; i < count_of(&m, "coverage"); i++) {
			json_t *r = nth(&m, "coverage", i);
			if (!strcmp(text(r, "segment"), "icu"))
				cr_expect_eq(number(r, "shed_max"), 0);
		}
	}
	free(whole);
}

Test(shedding, every_packet_is_accounted_for_at_every_level)
{
	json_int_t packets[SHED_LEVEL_MOST + 1];

	for (uint8_t level = 0; level <= SHED_LEVEL_MOST; level++) {
		size_t count;
		if (level)
			metering_end(&m);
		free(life_critical(level, &count));
		packets[level] = sum(&m, "packets/to_server") + sum(&m, "packets/to_client");
		cr_expect_eq((uint64_t)packets[level], m.counters.metered + m.counters.shed);
		cr_expect_eq(packets[level], packets[0]);
	}
}
