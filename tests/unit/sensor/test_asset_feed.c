/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/asset_feed.h"

#include "tests/unit/sensor/metering.h"

enum { PORT = 9999 };

static struct metering m;

static void begin(void)
{
	metering_prepare(&m);
	m.options.hosts = 64;
	metering_open(&m);
}

static void end(void)
{
	metering_end(&m);
}

TestSuite(asset_feed, .init = begin, .fini = end);

/* A datagram from one host to another. */
static void datagram(uint8_t from, uint8_t to, int64_t at, uint8_t mac, uint8_t ttl)
{
	static uint16_t id;

	shoot(&m, (struct shot){ .at = at,
				 .from = from,
				 .to = to,
				 .protocol = 17,
				 .source = (uint16_t)(from < to ? 40000 : PORT),
				 .dest = (uint16_t)(from < to ? PORT : 40000),
				 .id = ++id,
				 .mac = mac,
				 .ttl = ttl,
				 .bytes = "x",
				 .n = 1 });
}

/* The n-th record of an address, or NULL. */
static json_t *asset(const char *ip, size_t n)
{
	for (size_t i = 0; i < count_of(&m, "asset"); i++) {
		json_t *r = nth(&m, "asset", i);
		if (!strcmp(text(r, "ip"), ip) && n-- == 0)
			return r;
	}
	return NULL;
}

static const char *fact_of(json_t *r, const char *name)
{
	json_t *f;
	size_t i;

	json_array_foreach(json_object_get(r, "facts"), i, f)
	{
		if (!strcmp(text(f, "name"), name))
			return text(f, "value");
	}
	return "";
}

Test(asset_feed, an_address_that_changes_its_mac_has_two_tenants)
{
	datagram(1, 2, 0, 0, 64);
	datagram(2, 1, SECOND, 0, 64);
	datagram(1, 2, 600 * SECOND, 0x77, 128);
	datagram(1, 2, 601 * SECOND, 0x77, 128);
	metering_flush(&m);
	json_t *first = asset("10.0.0.1", 0), *second = NULL;
	cr_assert(first);
	for (size_t i = 1; asset("10.0.0.1", i); i++)
		if (strcmp(text(asset("10.0.0.1", i), "mac"), text(first, "mac")) != 0)
			second = asset("10.0.0.1", i);
	cr_assert(second);
	cr_expect_str_eq(text(first, "mac"), "02:00:00:00:00:01");
	cr_expect_str_eq(text(first, "first_seen"), "2023-11-14T22:13:20.000000Z");
	cr_expect_str_eq(text(first, "last_seen"), "2023-11-14T22:13:21.000000Z");
	cr_expect_str_eq(fact_of(first, "os"), "unix-like");
	cr_expect_str_eq(text(second, "mac"), "02:00:00:00:00:77");
	cr_expect_str_eq(text(second, "first_seen"), "2023-11-14T22:23:20.000000Z");
	cr_expect_str_eq(fact_of(second, "os"), "windows");
	cr_expect_str_eq(text(second, "segment"), "unknown-internal");
	cr_expect_str_eq(text(second, "realm"), "default");
	cr_expect_eq(m.counters.assets, 3);
}

Test(asset_feed, a_routers_mac_is_nobodys)
{
	datagram(1, 2, 0, 0, 63);
	metering_flush(&m);
	json_t *r = asset("10.0.0.1", 0);
	cr_assert(r);
	cr_expect_null(at(r, "mac"));
	cr_expect_null(at(r, "facts"));
}

Test(asset_feed, who_never_spoke_is_no_host)
{
	datagram(1, 2, 0, 0, 64);
	metering_flush(&m);
	cr_expect_eq(count_of(&m, "asset"), 1);
	cr_expect(asset("10.0.0.1", 0));
}

/* Of the empty site every public address is outside; a multicast group is no host. */
Test(asset_feed, hosts_outside_are_not_kept)
{
	shoot(&m, (struct shot){ .from = 1,
				 .to = 2,
				 .v6 = true,
				 .protocol = 17,
				 .source = 1,
				 .dest = 2,
				 .bytes = "x",
				 .n = 1 });
	metering_flush(&m);
	cr_expect_eq(count_of(&m, "flow"), 1);
	cr_expect_eq(count_of(&m, "asset"), 0);
}

Test(asset_feed, a_minute_tells_what_is_new)
{
	datagram(1, 2, 0, 0, 64);
	datagram(3, 4, 70 * SECOND, 0, 64);
	datagram(3, 4, 130 * SECOND, 0, 64);
	metering_read(&m);
	cr_expect(asset("10.0.0.1", 0), "its flow is over, and so is its minute");
	cr_expect_null(asset("10.0.0.3", 0));
	metering_flush(&m);
	cr_expect(asset("10.0.0.3", 0));
	cr_expect_null(asset("10.0.0.1", 1), "nothing of it is new");
}

Test(asset_feed, an_exercise_has_hosts_of_its_own)
{
	struct pipeline_settings to = {
		.site = m.site, .exercise = "drill", .timeouts = m.options.timeouts, .dedup = true
	};

	datagram(1, 2, 0, 0, 64);
	datagram(1, 2, 1 * SECOND, 0, 64);
	struct pipeline_change *c = pipeline_prepare(m.pipeline, &to);
	cr_assert(c);
	pipeline_conclude(m.pipeline, c);
	pipeline_apply(m.pipeline, c);
	pipeline_change_free(c);
	datagram(1, 2, 100 * SECOND, 0, 64);
	metering_flush(&m);
	json_t *real = asset("10.0.0.1", 0), *drill = asset("10.0.0.1", 1);
	cr_assert(real && drill);
	cr_expect_null(at(real, "exercise"));
	cr_expect_str_eq(text(drill, "exercise"), "drill");
	cr_expect_str_eq(text(drill, "first_seen"), "2023-11-14T22:15:00.000000Z");
}

/* --- facts alone --- */

static const struct field name_field = { "x.host_name", FIELD_TEXT, GRAMMAR_HOSTNAME, "", "",
					 PHI_SITE,      ABOUT_FLOW };
static const struct field class_field = { "dhcp.vendor_class", FIELD_TEXT, GRAMMAR_PRODUCT, "", "",
					  PHI_DEVICE,          ABOUT_FLOW };
static struct buf sent;

static int take(void *context, const struct record *r)
{
	(void)context;
	record_json(r, &sent);
	buf_char(&sent, '\n');
	return 0;
}

/* What comes of one fact. */
static const char *told(struct host_fact fact, const struct field *field, const char *value)
{
	struct dissect_fact said = { .field = field, .length = (uint8_t)strlen(value) };
	const struct record_setting setting = { .sensor = "test",
						.site = m.site,
						.realms = &m.realms };
	struct counters counters = { 0 };
	struct assets *a = assets_create(&(struct assets_options){ .hosts = 8, .facts = 8 },
					 &counters, take, NULL);

	cr_assert(a);
	memcpy(said.text, value, strlen(value));
	fact.said = &said;
	buf_clear(&sent);
	buf_text(&sent, "");
	feed_fact(a, &setting, &fact);
	assets_flush(a, &(struct asset_marks){ "test", NULL, NULL }, fact.time, true);
	assets_destroy(a);
	return sent.data;
}

static struct host_fact someone(bool has_ip, bool has_mac)
{
	return (struct host_fact){ .has_ip = has_ip,
				   .ip = ip_from_v4((const uint8_t[]){ 10, 0, 0, 1 }),
				   .has_mac = has_mac,
				   .own_mac = has_mac,
				   .mac = { 2, 0, 0, 0, 0, 1 } };
}

Test(asset_feed, facts_find_their_host)
{
	const char *json = told(someone(true, true), &class_field, "MSFT 5.0");

	cr_expect(strstr(json, "\"ip\":\"10.0.0.1\",\"mac\":\"02:00:00:00:00:01\""), "%s", json);
	cr_expect(strstr(json, "\"value\":\"MSFT 5.0\",\"from\":\"dhcp.vendor_class\""));
	cr_expect(strstr(json, "\"value\":\"windows\",\"confidence\":\"high\""));

	json = told(someone(false, true), &class_field, "x");
	cr_expect(strstr(json, "\"mac\":\"02:00:00:00:00:01\"") && !strstr(json, "\"ip\""));

	struct host_fact routed = someone(true, true);
	routed.own_mac = false;
	json = told(routed, &class_field, "x");
	cr_expect(strstr(json, "\"ip\":\"10.0.0.1\"") && !strstr(json, "\"mac\""));
	routed.has_ip = false;
	cr_expect_str_eq(told(routed, &class_field, "x"), "");

	struct host_fact link_local = someone(true, true);
	ip_parse("fe80::1", &link_local.ip);
	json = told(link_local, &class_field, "x");
	cr_expect(strstr(json, "\"mac\"") && !strstr(json, "fe80"), "%s", json);
	link_local.has_mac = link_local.own_mac = false;
	cr_expect_str_eq(told(link_local, &class_field, "x"), "");

	struct host_fact outside = someone(true, false);
	ip_parse("203.0.113.9", &outside.ip);
	cr_expect_str_eq(told(outside, &class_field, "x"), "");
	buf_finish(&sent);
}

Test(asset_feed, names_do_not_come_out)
{
	const char *json = told(someone(true, true), &name_field, "pc-zzphi-anna");

	cr_expect(strstr(json, "\"name\":\"name_class\",\"value\":\"workstation\""), "%s", json);
	cr_expect_null(strstr(json, "zzphi"));
	json = told(someone(true, true), &name_field, "zzphi-anna");
	cr_expect_null(strstr(json, "zzphi"));
	cr_expect_null(strstr(json, "facts"));
	json = told(someone(true, true), &class_field, "invalid");
	cr_expect_null(strstr(json, "invalid"));
	buf_finish(&sent);
}
