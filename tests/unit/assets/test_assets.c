/* SPDX-License-Identifier: Apache-2.0 */
#include "assets/assets.h"

#include <criterion/criterion.h>
#include <stdio.h>
#include <string.h>

#define SECOND (INT64_C(1000000))
#define HOUR (3600 * SECOND)

static const char realm[] = "default";
static struct counters counters;
static struct assets *assets;
static struct buf sent; /* lines of JSON since the last flush */
static size_t sent_count;

static int take(void *context, const struct record *r)
{
	(void)context;
	cr_assert_eq(r->type, RECORD_ASSET);
	record_json(r, &sent);
	buf_char(&sent, '\n');
	sent_count++;
	return 0;
}

static void begin_sized(size_t hosts, size_t facts)
{
	counters = (struct counters){ 0 };
	assets = assets_create(&(struct assets_options){ .hosts = hosts, .facts = facts },
			       &counters, take, NULL);
	cr_assert(assets);
}

static void begin(void)
{
	begin_sized(64, 256);
}

static void end(void)
{
	assets_destroy(assets);
	buf_finish(&sent);
}

TestSuite(assets, .init = begin, .fini = end);

/* 10.0.x.y, and a MAC that ends in `mac`; 0: not known. */
static struct asset_sighting at(unsigned ip, uint8_t mac, int64_t second)
{
	return (struct asset_sighting){
		.realm = realm,
		.has_ip = ip != 0,
		.ip = ip_from_v4((const uint8_t[]){ 10, 0, (uint8_t)(ip >> 8), (uint8_t)ip }),
		.has_mac = mac != 0,
		.mac = { 0, 9, 0x5c, 0, 0, mac },
		.first = { second * SECOND },
		.last = { (second + 1) * SECOND },
	};
}

static struct asset *see(unsigned ip, uint8_t mac, int64_t second)
{
	struct asset_sighting s = at(ip, mac, second);
	return assets_see(assets, &s);
}

static const char *flush(int64_t second, bool last)
{
	const struct asset_marks marks = { .sensor = "test" };

	buf_clear(&sent);
	buf_text(&sent, "");
	sent_count = 0;
	assets_flush(assets, &marks, (struct usec){ second * SECOND }, last);
	return sent.data;
}

static bool has(const char *text)
{
	return strstr(sent.data, text);
}

Test(assets, a_new_host_is_told_once)
{
	see(1, 1, 0);
	flush(60, false);
	cr_expect_eq(sent_count, 1);
	cr_expect_str_eq(sent.data, "{\"type\":\"asset\",\"sensor\":\"test\",\"realm\":\"default\","
				    "\"ip\":\"10.0.0.1\",\"mac\":\"00:09:5c:00:00:01\","
				    "\"first_seen\":\"1970-01-01T00:00:00.000000Z\","
				    "\"last_seen\":\"1970-01-01T00:00:01.000000Z\"}\n");
	see(1, 1, 61);
	flush(120, false);
	cr_expect_eq(sent_count, 0);
}

Test(assets, what_goes_on_is_told_each_hour_and_at_the_end)
{
	see(1, 1, 0);
	flush(60, false);
	for (int64_t minute = 2; minute <= 60; minute++) {
		see(1, 1, minute * 60 - 1);
		flush(minute * 60, false);
		cr_expect_eq(sent_count, 0, "minute %ld", (long)minute);
	}
	flush(3660, false);
	cr_expect_eq(sent_count, 1);
	cr_expect(has("\"last_seen\":\"1970-01-01T01:00:00"));
	flush(7 * 3600, false);
	cr_expect_eq(sent_count, 0, "it was not seen since");
	see(1, 1, 7 * 3600);
	flush(7 * 3600, true);
	cr_expect_eq(sent_count, 1);
	flush(7 * 3600, true);
	cr_expect_eq(sent_count, 0);
}

Test(assets, another_mac_is_another_tenant)
{
	see(1, 1, 0);
	see(1, 2, 100);
	flush(120, false);
	cr_expect_eq(sent_count, 2);
	cr_expect(has("\"mac\":\"00:09:5c:00:00:01\","
		      "\"first_seen\":\"1970-01-01T00:00:00.000000Z\","
		      "\"last_seen\":\"1970-01-01T00:00:01.000000Z\""));
	cr_expect(has("\"mac\":\"00:09:5c:00:00:02\","
		      "\"first_seen\":\"1970-01-01T00:01:40.000000Z\""));
	see(1, 0, 150); /* routed: it is the newest one */
	see(1, 1, 130); /* back again, or two at once */
	cr_expect_eq(assets_count(assets), 2);
	flush(200, true);
	cr_expect(has("\"mac\":\"00:09:5c:00:00:02\","
		      "\"first_seen\":\"1970-01-01T00:01:40.000000Z\","
		      "\"last_seen\":\"1970-01-01T00:02:31.000000Z\""));
}

Test(assets, a_mac_that_becomes_known_is_no_move)
{
	see(1, 0, 0);
	flush(60, false);
	cr_expect_not(has("mac"));
	see(1, 7, 61);
	flush(120, false);
	cr_expect_eq(sent_count, 1);
	cr_expect(has("\"mac\":\"00:09:5c:00:00:07\","
		      "\"first_seen\":\"1970-01-01T00:00:00.000000Z\""));
	cr_expect_eq(assets_count(assets), 1);
}

Test(assets, an_address_has_few_tenants)
{
	for (uint8_t mac = 1; mac <= 20; mac++)
		see(1, mac, mac);
	cr_expect_eq(assets_count(assets), ASSET_TENANTS);
	cr_expect_eq(counters.assets_evicted, 12);
	flush(60, false);
	cr_expect_eq(sent_count, ASSET_TENANTS);
	cr_expect(has("00:09:5c:00:00:14"));
	cr_expect_not(has("00:09:5c:00:00:0c"));
}

Test(assets, realms_keep_equal_addresses_apart)
{
	static const char lab[] = "lab";
	struct asset_sighting s = at(1, 1, 0);

	assets_see(assets, &s);
	s.realm = lab;
	assets_see(assets, &s);
	cr_expect_eq(assets_count(assets), 2);
	flush(60, false);
	cr_expect(has("\"realm\":\"lab\""));
}

Test(assets, facts_have_their_own_times)
{
	struct asset *h = see(1, 1, 0);

	asset_fact(assets, h, "ssh.server_software", "OpenSSH_8.9", (struct usec){ 10 * SECOND });
	asset_fact(assets, h, "ssh.server_software", "OpenSSH_9.2", (struct usec){ 20 * SECOND });
	asset_fact(assets, h, "ssh.server_software", "OpenSSH_9.2", (struct usec){ 30 * SECOND });
	flush(60, false);
	cr_expect(has("\"facts\":[{\"name\":\"software\",\"value\":\"OpenSSH_8.9\","
		      "\"from\":\"ssh.server_software\","
		      "\"first_seen\":\"1970-01-01T00:00:10.000000Z\","
		      "\"last_seen\":\"1970-01-01T00:00:10.000000Z\"},"
		      "{\"name\":\"software\",\"value\":\"OpenSSH_9.2\","
		      "\"from\":\"ssh.server_software\","
		      "\"first_seen\":\"1970-01-01T00:00:20.000000Z\","
		      "\"last_seen\":\"1970-01-01T00:00:30.000000Z\"}]"));
	asset_fact(assets, h, "ssh.server_software", "OpenSSH_9.2", (struct usec){ 70 * SECOND });
	flush(120, false);
	cr_expect_eq(sent_count, 0, "nothing is new but its time");
	asset_fact(assets, h, "ssh.server_software", "OpenSSH_10.0", (struct usec){ 70 * SECOND });
	flush(180, false);
	cr_expect_eq(sent_count, 1);
}

Test(assets, what_changes_all_the_time_is_no_news)
{
	struct asset *h = see(1, 1, 0);
	char value[16];

	for (int i = 0; i < 9; i++) {
		snprintf(value, sizeof(value), "v%d", i);
		asset_fact(assets, h, "x.nonce", value, (struct usec){ i });
		if (i == 3)
			flush(60, false);
	}
	flush(120, false);
	cr_expect_eq(sent_count, 0);
	cr_expect_eq(counters.asset_facts_replaced, 5);
	see(1, 1, 130);
	flush(140, true);
	cr_expect(has("\"v8\"") && has("\"v5\"") && !has("\"v4\""));
}

Test(assets, long_values_are_cut)
{
	char value[200];
	struct asset *h = see(1, 1, 0);

	memset(value, 'a', sizeof(value));
	value[199] = '\0';
	asset_fact(assets, h, "x.y", value, (struct usec){ 0 });
	asset_fact(assets, h, "x.y", value, (struct usec){ 0 });
	flush(60, false);
	value[ASSET_VALUE] = '\0';
	char want[300];
	snprintf(want, sizeof(want), "[{\"name\":\"y\",\"value\":\"%s\",", value);
	cr_expect(has(want), "%s", sent.data);
	cr_expect_eq(counters.asset_facts_replaced, 0);
}

Test(assets, roles_keep_the_best_reason)
{
	struct asset *h = see(1, 1, 0);

	asset_role(assets, h, "archive", CONFIDENCE_LOW, "mdns.service");
	asset_role(assets, h, "server", CONFIDENCE_MEDIUM, "x");
	asset_role(assets, h, "archive", CONFIDENCE_HIGH, "dicom.used_sop_class");
	asset_role(assets, h, "archive", CONFIDENCE_MEDIUM, "dicom.c_store");
	flush(60, false);
	cr_expect(has("\"roles\":[{\"role\":\"archive\",\"confidence\":\"high\","
		      "\"from\":\"dicom.used_sop_class\"},{\"role\":\"server\","
		      "\"confidence\":\"medium\",\"from\":\"x\"}]"));
	asset_role(assets, h, "archive", CONFIDENCE_HIGH, "another");
	flush(120, false);
	cr_expect_eq(sent_count, 0);
}

Test(assets, the_surer_of_two_roles_excludes_the_other)
{
	struct asset *h = see(1, 1, 0);

	asset_role(assets, h, "modality", CONFIDENCE_MEDIUM, "x");
	asset_role(assets, h, "archive", CONFIDENCE_MEDIUM, "x");
	flush(60, false);
	cr_expect(has("modality") && has("archive"));
	asset_role(assets, h, "archive", CONFIDENCE_HIGH, "x");
	flush(120, false);
	cr_expect(!has("modality") && has("archive"));
}

Test(assets, roles_are_few)
{
	static const char *const words[] = { "a", "b", "c", "d", "e", "f", "g", "h", "i", "j" };
	struct asset *h = see(1, 1, 0);

	for (size_t i = 0; i < 10; i++)
		asset_role(assets, h, words[i], i == 9 ? CONFIDENCE_HIGH : CONFIDENCE_MEDIUM, "x");
	flush(60, false);
	cr_expect(has("\"roles\":[{\"role\":\"j\""));
	cr_expect_not(has("\"role\":\"i\""));
}

Test(assets, what_is_known_by_mac_goes_with_the_address)
{
	struct asset *switch_itself = see(0, 9, 0);

	asset_fact(assets, switch_itself, "lldp.capabilities", "bridge", (struct usec){ 0 });
	flush(60, false);
	cr_expect_eq(sent_count, 1);
	cr_expect_not(has("\"ip\""));
	cr_expect(has("\"mac\":\"00:09:5c:00:00:09\"") && has("\"role\":\"switch\""));

	see(5, 9, 61); /* its management address */
	flush(120, false);
	cr_expect_eq(sent_count, 1);
	cr_expect(has("\"ip\":\"10.0.0.5\"") && has("\"value\":\"bridge\""));

	asset_fact(assets, see(0, 9, 130), "lldp.platform", "X", (struct usec){ 130 * SECOND });
	flush(180, false);
	cr_expect_eq(sent_count, 1, "told with the address only");
	cr_expect(has("\"ip\":\"10.0.0.5\"") && has("\"value\":\"X\""));
	flush(240, false);
	cr_expect_eq(sent_count, 0);
}

Test(assets, the_place_is_that_of_ones_own_link)
{
	static const char icu[] = "icu", unknown[] = "unknown-internal";
	struct asset_sighting s = at(1, 0, 0);

	s.segment = unknown;
	assets_see(assets, &s);
	s = at(1, 1, 1);
	s.segment = icu;
	s.impact = IMPACT_LIFE_CRITICAL;
	assets_see(assets, &s);
	s = at(1, 0, 2);
	s.segment = unknown;
	assets_see(assets, &s);
	flush(60, false);
	cr_expect(has("\"segment\":\"icu\",\"impact\":\"life-critical\""));
}

static void place_in_lab(void *context, const struct ip_addr *ip, const uint8_t *mac,
			 const char **segment, enum impact *impact)
{
	(void)ip;
	(void)mac;
	*segment = context;
	*impact = IMPACT_GUEST;
}

Test(assets, another_site_has_other_places)
{
	static char lab[] = "lab";
	struct asset_sighting s = at(1, 1, 0);
	char icu[] = "icu";

	s.segment = icu;
	assets_see(assets, &s);
	assets_place(assets, place_in_lab, lab);
	memset(icu, 0, sizeof(icu)); /* gone with its site */
	flush(60, false);
	cr_expect(has("\"segment\":\"lab\",\"impact\":\"guest\""));
}

Test(assets_full, a_flood_pushes_out_itself, .fini = end)
{
	begin_sized(32, 64);
	struct asset *known = see(1, 1, 0);
	asset_role(assets, known, "monitor", CONFIDENCE_HIGH, "x");
	flush(1, false);
	for (unsigned i = 2; i < 5000; i++)
		cr_assert(see(i, 0, 10), "%u", i);
	cr_expect_eq(assets_count(assets), 32);
	cr_expect_eq(counters.assets_refused, 0);
	cr_expect_eq(counters.assets_evicted, 4999 - 32);
	cr_expect_eq(counters.assets, 4999);
	see(1, 1, 20);
	flush(30, true);
	cr_expect(has("\"role\":\"monitor\""));
}

Test(assets_full, who_is_known_stays_for_an_hour, .fini = end)
{
	begin_sized(4, 64);
	for (unsigned i = 1; i <= 4; i++)
		asset_role(assets, see(i, 0, i), "monitor", CONFIDENCE_HIGH, "x");
	cr_expect_null(see(9, 0, 100));
	cr_expect_eq(counters.assets_refused, 1);
	cr_expect(see(9, 0, 3604));
	flush(3605, true);
	cr_expect(has("10.0.0.9") && !has("10.0.0.1\"") && has("10.0.0.2"));
}

Test(assets_full, facts_find_no_room, .fini = end)
{
	begin_sized(8, 3);
	struct asset *h = see(1, 0, 0);
	asset_fact(assets, h, "a.a", "1", (struct usec){ 0 });
	asset_fact(assets, h, "a.b", "2", (struct usec){ 0 });
	asset_fact(assets, h, "a.c", "3", (struct usec){ 0 });
	asset_fact(assets, h, "a.d", "4", (struct usec){ 0 });
	cr_expect_eq(counters.asset_facts_refused, 1);
	flush(60, false);
	cr_expect(has("\"3\"") && !has("\"4\""));
}

/* Entering and leaving a table whose places collide: whoever is in it is found. */
Test(assets_full, everybody_who_is_there_is_found, .fini = end)
{
	begin_sized(16, 16);
	for (unsigned i = 1; i < 2000; i++) {
		struct asset *h = see(i, 0, i);
		cr_assert(h);
		cr_assert_eq(see(i, 0, i), h, "%u", i);
	}
	cr_expect_eq(counters.assets, 1999);
	cr_expect_eq(assets_count(assets), 16);
}

Test(assets_full, the_seed_is_not_seen, .fini = end)
{
	struct buf first = { 0 };

	for (uint64_t seed = 0; seed < 3; seed++) {
		assets = assets_create(
			&(struct assets_options){ .hosts = 16, .facts = 16, .seed = seed },
			&counters, take, NULL);
		for (unsigned i = 1; i < 500; i++)
			see(i % 61 + 1, (uint8_t)(i % 3), i);
		flush(600, true);
		if (!seed)
			buf_text(&first, sent.data);
		cr_expect_str_eq(sent.data, first.data);
		if (seed < 2)
			assets_destroy(assets);
	}
	buf_finish(&first);
}
