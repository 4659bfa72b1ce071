/* SPDX-License-Identifier: Apache-2.0
 *
 * The conformance suite of collector/store.h, of hosts. */
#include "collector/store.h"

#include <criterion/criterion.h>
#include <errno.h>

#include "tests/unit/collector/sample.h"

static const struct store_driver *const driver = &store_sqlite;

static char dir[64];
static void *state;
static struct answer_text got;
static uint64_t sequence;

static void setup(void)
{
	struct store_options options;
	char why[256] = "";

	sample_dir(dir);
	options = (struct store_options){ .dir = dir,
					  .retention = { 90LL * 86400 * USEC_PER_SECOND } };
	state = calloc(1, driver->state_size);
	cr_assert_eq(driver->open(state, &options, why), 0, "%s", why);
}

static void teardown(void)
{
	driver->close(state);
	free(state);
	buf_finish(&got.text);
	sample_remove(dir);
}

TestSuite(hosts, .init = setup, .fini = teardown);

/* 10.30.1.`ip` with a MAC that ends in `mac`; 0: not known. From hour to hour. */
static struct record host(uint8_t ip, uint8_t mac, int from, int to)
{
	int64_t day = sample_time("2026-01-02T00:00:00Z").v;
	const int64_t hour = 3600LL * USEC_PER_SECOND;

	return (struct record){
		.type = RECORD_ASSET,
		.asset = {
			.sensor = "span-1",
			.site_revision = "rev",
			.realm = "default",
			.has_ip = ip != 0,
			.ip = ip_from_v4((const uint8_t[]){ 10, 30, 1, ip }),
			.has_mac = mac != 0,
			.mac = { 0, 9, 0x5c, 0, 0, mac },
			.segment = "imaging",
			.impact = IMPACT_CARE_CRITICAL,
			.first_seen = { day + from * hour },
			.last_seen = { day + to * hour },
		},
	};
}

static bool ingest(const struct record *records, size_t count)
{
	struct store_batch batch = {
		.identity = { .sensor = "span-1",
			      .stream = STREAM_HEALTH,
			      .epoch = 7,
			      .sequence = ++sequence,
			      .site_revision = "rev" },
		.records = records,
		.count = count,
	};

	cr_assert_eq(driver->ingest(state, &batch, 1, sample_time("2026-01-03T00:00:00Z")), 0);
	return batch.known;
}

static void put(struct record r)
{
	ingest(&r, 1);
}

static const char *ask(struct store_filter filter)
{
	struct store_sink sink = sample_sink(&got);
	struct store_answer answer;
	struct store_query q = {
		.question = STORE_HOSTS, .filter = filter, .limit = 100, .deadline = soon()
	};

	cr_assert_eq(driver->query(state, &q, &sink, &answer), 0, "%s", answer.why);
	return got.text.data;
}

static const char *all(void)
{
	return ask((struct store_filter){ 0 });
}

static bool has(const char *text)
{
	return strstr(got.text.data, text);
}

Test(hosts, what_went_in_comes_out)
{
	static const struct record_role roles[] = { { "modality", CONFIDENCE_HIGH,
						      "dicom.used_sop_class" },
						    { "monitor", CONFIDENCE_LOW, "mac_vendor" } };
	struct record r = host(5, 1, 3, 4);
	const struct record_fact facts[] = {
		{ "ae_title", "CT1", "dicom.calling_ae", CONFIDENCE_NONE, r.asset.first_seen,
		  r.asset.last_seen },
		{ "os", "windows", "ip.ttl", CONFIDENCE_LOW, r.asset.first_seen,
		  r.asset.last_seen },
	};
	struct buf want = { 0 };

	r.asset.mac_vendor = "Acme";
	r.asset.roles = roles;
	r.asset.role_count = 2;
	r.asset.facts = facts;
	r.asset.fact_count = 2;
	put(r);
	record_json(&r, &want);
	buf_char(&want, '\n');
	cr_expect_str_eq(all(), want.data);
	buf_finish(&want);
}

Test(hosts, records_of_a_host_are_folded)
{
	struct record a = host(5, 1, 3, 4), b = host(5, 1, 2, 3), c = host(5, 1, 5, 6);

	a.asset.segment = "old";
	c.asset.segment = "new";
	c.asset.mac_vendor = "Acme";
	put(c);
	put(a);
	put(b);
	all();
	cr_expect_eq(got.records, 1);
	cr_expect(has("\"first_seen\":\"2026-01-02T02:00:00.000000Z\","
		      "\"last_seen\":\"2026-01-02T06:00:00.000000Z\""));
	cr_expect(has("\"segment\":\"new\"") && has("Acme"), "the newest describes it");
}

Test(hosts, a_batch_twice_is_one)
{
	struct record r = host(5, 1, 3, 4);

	ingest(&r, 1);
	sequence--;
	cr_expect(ingest(&r, 1));
	all();
	cr_expect_eq(got.records, 1);
}

Test(hosts, tenants_stand_in_the_order_of_time)
{
	struct record r[] = { host(6, 9, 1, 2), host(5, 2, 8, 9), host(5, 1, 3, 4),
			      host(5, 3, 5, 6) };

	ingest(r, 4);
	all();
	cr_expect_eq(got.records, 4);
	const char *first = strstr(got.text.data, "00:09:5c:00:00:01");
	const char *second = strstr(got.text.data, "00:09:5c:00:00:03");
	const char *third = strstr(got.text.data, "00:09:5c:00:00:02");
	cr_expect(first && first < second && second < third);
	cr_expect_lt(third, strstr(got.text.data, "10.30.1.6"));
}

Test(hosts, pages)
{
	struct record r[] = { host(0, 7, 0, 1), host(6, 9, 1, 2), host(5, 2, 8, 9),
			      host(5, 1, 3, 4) };
	char cursor[STORE_CURSOR] = "";
	struct buf joined = { 0 };

	ingest(r, 4);
	for (int page = 0; page < 4; page++) {
		struct store_sink sink = sample_sink(&got);
		struct store_answer answer;
		struct store_query q = {
			.question = STORE_HOSTS, .limit = 1, .cursor = cursor, .deadline = soon()
		};
		cr_assert_eq(driver->query(state, &q, &sink, &answer), 0, "%s", answer.why);
		cr_expect_eq(got.records, 1);
		buf_text(&joined, got.text.data);
		memcpy(cursor, answer.next, sizeof(cursor));
		cr_expect_eq(*cursor != 0, page < 3, "page %d", page);
	}
	cr_expect_str_eq(joined.data, all());
	buf_finish(&joined);
}

Test(hosts, a_cursor_of_somebody_else)
{
	struct store_sink sink = sample_sink(&got);
	struct store_answer answer;
	struct store_query q = {
		.question = STORE_HOSTS, .limit = 1, .cursor = "x' OR 1", .deadline = soon()
	};

	cr_expect_eq(driver->query(state, &q, &sink, &answer), -EINVAL);
	cr_expect(strstr(answer.why, "cursor"));
}

Test(hosts, without_its_mac_it_is_who_was_there)
{
	put(host(5, 1, 1, 4));
	put(host(5, 2, 5, 8));
	put(host(5, 0, 0, 9)); /* a worker that sees only routed packets */
	all();
	cr_expect_eq(got.records, 2);
	cr_expect(has("\"mac\":\"00:09:5c:00:00:02\",\"segment\":\"imaging\","
		      "\"impact\":\"care-critical\","
		      "\"first_seen\":\"2026-01-02T05:00:00.000000Z\","
		      "\"last_seen\":\"2026-01-02T09:00:00.000000Z\""),
		  "it did not begin before it came: %s", got.text.data);
}

Test(hosts, a_mac_that_becomes_known_takes_what_was_told)
{
	const struct record_role role = { "modality", CONFIDENCE_MEDIUM, "dicom.c_store" };
	struct record before = host(5, 0, 1, 2), fact = host(5, 0, 1, 2);
	const struct record_fact ae = { "ae_title",
					"CT1",
					"dicom.calling_ae",
					CONFIDENCE_NONE,
					before.asset.first_seen,
					before.asset.last_seen };

	before.asset.roles = &role;
	before.asset.role_count = 1;
	fact.asset.facts = &ae;
	fact.asset.fact_count = 1;
	put(before);
	put(fact);
	put(host(5, 1, 1, 3)); /* as the sensor says who adopted it */
	all();
	cr_expect_eq(got.records, 1);
	cr_expect(has("00:09:5c:00:00:01") && has("modality") && has("CT1"));
	put(host(5, 0, 30, 31)); /* long after: somebody of whom no MAC is known */
	all();
	cr_expect_eq(got.records, 2);
}

Test(hosts, what_is_known_by_mac_alone_goes_with_the_address)
{
	struct record lldp = host(0, 1, 0, 1);
	const struct record_role role = { "switch", CONFIDENCE_HIGH, "lldp.capabilities" };

	lldp.asset.segment = NULL;
	lldp.asset.roles = &role;
	lldp.asset.role_count = 1;
	put(lldp);
	all();
	cr_expect_eq(got.records, 1);
	cr_expect_not(has("\"ip\""));
	put(host(5, 1, 2, 3));
	all();
	cr_expect_eq(got.records, 1);
	cr_expect(has("10.30.1.5") && has("switch"));
}

Test(hosts, values_keep_their_own_times_and_are_few)
{
	char value[16];

	for (int i = 0; i < 12; i++) {
		struct record r = host(5, 1, i, i + 1);
		snprintf(value, sizeof(value), "v%d", i);
		const struct record_fact f = { "software",         value,
					       "x.software",       CONFIDENCE_NONE,
					       r.asset.first_seen, r.asset.last_seen };
		r.asset.facts = &f;
		r.asset.fact_count = 1;
		put(r);
		put(r);
	}
	all();
	cr_expect(has("\"v11\"") && has("\"v4\"") && !has("\"v3\""));
	cr_expect(has("\"facts\":[{\"name\":\"software\",\"value\":\"v11\""), "the newest first");
	cr_expect(has("\"value\":\"v5\",\"from\":\"x.software\","
		      "\"first_seen\":\"2026-01-02T05:00:00.000000Z\","
		      "\"last_seen\":\"2026-01-02T06:00:00.000000Z\""));
}

Test(hosts, filters)
{
	const struct record_role role = { "modality", CONFIDENCE_HIGH, "x" };
	struct record a = host(5, 1, 3, 4), b = host(6, 2, 6, 8), c = host(7, 3, 3, 4);

	a.asset.roles = &role;
	a.asset.role_count = 1;
	b.asset.segment = "icu";
	c.asset.exercise = "drill";
	c.asset.sensor = "span-2";
	put(a);
	put(b);
	put(c);
	ask((struct store_filter){ .segment = "icu" });
	cr_expect(got.records == 1 && has("10.30.1.6"));
	ask((struct store_filter){ .role = "modality" });
	cr_expect(got.records == 1 && has("10.30.1.5"));
	ask((struct store_filter){ .sensor = "span-2" });
	cr_expect_eq(got.records, 0);
	ask((struct store_filter){ .exercise = "drill" });
	cr_expect(got.records == 1 && has("10.30.1.7"));
	struct store_filter f = { .has_ip = true };
	cr_assert_null(ip_prefix_parse("10.30.1.6/31", &f.ip));
	ask(f);
	cr_expect(got.records == 1 && has("10.30.1.6"));
	f = (struct store_filter){ .has_since = true,
				   .since = sample_time("2026-01-02T05:00:00Z") };
	ask(f);
	cr_expect(got.records == 1 && has("10.30.1.6"));
	f = (struct store_filter){ .has_until = true,
				   .until = sample_time("2026-01-02T05:00:00Z") };
	ask(f);
	cr_expect(got.records == 1 && has("10.30.1.5"));

	struct store_sink sink = sample_sink(&got);
	struct store_answer answer;
	struct store_query q = { .question = STORE_HOSTS, .limit = 1, .deadline = soon() };
	q.filter.app = "dicom";
	cr_expect_eq(driver->query(state, &q, &sink, &answer), -EINVAL);
	cr_expect(strstr(answer.why, "app"));
	q = (struct store_query){ .question = STORE_FLOWS, .limit = 1, .deadline = soon() };
	q.filter.role = "modality";
	cr_expect_eq(driver->query(state, &q, &sink, &answer), -EINVAL);
}

static const char *sql(const char *text)
{
	struct store_sink sink = sample_sink(&got);
	struct store_answer answer;
	struct store_sql q = { .text = text, .limit = 100, .deadline = soon() };

	cr_assert_eq(driver->sql(state, &q, &sink, &answer), 0, "%s", answer.why);
	return got.text.data;
}

Test(hosts, views)
{
	const struct record_role role = { "modality", CONFIDENCE_HIGH, "dicom" };
	struct record r = host(5, 1, 3, 4);
	const struct record_fact f = { "os",           "windows",          "ip.ttl",
				       CONFIDENCE_LOW, r.asset.first_seen, r.asset.last_seen };

	r.asset.roles = &role;
	r.asset.role_count = 1;
	r.asset.facts = &f;
	r.asset.fact_count = 1;
	put(r);
	put(host(0, 9, 1, 2));
	cr_expect_str_eq(sql("SELECT ip, mac, segment, role, r.confidence, r.source, name, value,"
			     " f.confidence AS sure FROM hosts JOIN host_roles r USING (host)"
			     " JOIN host_facts f USING (host)"),
			 "ip=10.30.1.5 mac=00:09:5c:00:00:01 segment=imaging role=modality "
			 "confidence=high source=dicom name=os value=windows sure=low \n");
	cr_expect_str_eq(sql("SELECT count(*) AS n FROM hosts WHERE ip IS NULL"), "n=1 \n");
}

Test(hosts, old_ones_go_with_all_that_is_known)
{
	const struct record_role role = { "modality", CONFIDENCE_HIGH, "dicom" };
	struct record r = host(5, 1, 3, 4);

	r.asset.roles = &role;
	r.asset.role_count = 1;
	put(r);
	cr_assert_eq(driver->trim(state, sample_time("2026-02-01T00:00:00Z")), 0);
	all();
	cr_expect_eq(got.records, 1);
	cr_assert_eq(driver->trim(state, sample_time("2026-06-01T00:00:00Z")), 0);
	all();
	cr_expect_eq(got.records, 0);
	cr_expect_str_eq(sql("SELECT count(*) AS n FROM host_roles"), "n=0 \n");
}
