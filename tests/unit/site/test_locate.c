/* SPDX-License-Identifier: Apache-2.0 */
#include "hospital.h"

static const char *locate(const struct site *s, const char *text, uint16_t vlan, const uint8_t *mac)
{
	struct ip_addr ip;

	cr_assert(ip_parse(text, &ip));
	return site_locate(s, &ip, vlan, mac)->name;
}

Test(locate, prefix_then_vlan_then_oui_then_private)
{
	static const uint8_t ct[6] = { 0x00, 0x09, 0x5c, 1, 2, 3 };
	static const uint8_t other[6] = { 0x00, 0x09, 0x5d, 1, 2, 3 };
	static const struct {
		const char *ip;
		uint16_t vlan;
		const uint8_t *mac;
		const char *segment;
	} cases[] = {
		{ "10.20.1.1", 0, NULL, "icu" },
		{ "2001:db8:20::5", 0, NULL, "icu" },
		{ "10.40.8.7", 0, NULL, "pacs" }, /* nested in ehr */
		{ "10.40.9.7", 0, NULL, "ehr" },
		{ "10.20.1.1", 30, ct, "icu" }, /* the prefix beats VLAN and MAC */
		{ "10.50.1.1", 21, ct, "icu" }, /* the VLAN beats the MAC */
		{ "10.50.1.1", 0, ct, "imaging" },
		{ "10.50.1.1", 99, ct, "imaging" },
		{ "10.50.1.1", 99, other, "unknown-internal" },
		{ "10.50.1.1", 0, NULL, "unknown-internal" },
		{ "fd00::1", 0, NULL, "unknown-internal" },
		{ "100.64.0.1", 0, NULL, "unknown-internal" },
		{ "fd00::1", 20, NULL, "icu" },
		{ "10.50.1.1", 4095, NULL, "unknown-internal" },
		{ "10.50.1.1", 65535, NULL, "unknown-internal" },
		{ "0.0.0.0", 20, NULL, "icu" }, /* a client without an address yet */
		{ "fe80::1", 20, NULL, "icu" },
		{ "8.8.8.8", 0, NULL, "external" },
		{ "8.8.8.8", 20, ct, "external" }, /* a router's VLAN and MAC, not its own */
		{ "2600::1", 0, NULL, "external" },
		{ "203.0.113.9", 0, NULL, "external" },
		{ "172.31.5.9", 0, NULL, "external" }, /* a vendor's, though private */
		{ "172.31.6.9", 0, NULL, "unknown-internal" },
	};
	struct site *s = hospital_load();

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		cr_expect_str_eq(locate(s, cases[i].ip, cases[i].vlan, cases[i].mac),
				 cases[i].segment, "%s vlan %u", cases[i].ip, cases[i].vlan);
	site_free(s);
}

Test(locate, segments_stand_in_file_order_and_the_two_built_in_behind)
{
	struct site *s = hospital_load();

	cr_assert_eq(site_segment_count(s), 10);
	cr_assert_str_eq(site_segment(s, 0)->name, "icu");
	cr_assert_eq(site_segment(s, 0)->impact, IMPACT_LIFE_CRITICAL);
	cr_assert_str_eq(site_segment(s, 7)->name, "guest");
	cr_assert_str_eq(site_segment(s, 8)->name, "unknown-internal");
	cr_assert_eq(site_segment(s, 8)->impact, IMPACT_NONE);
	cr_assert_str_eq(site_segment(s, 9)->name, "external");
	cr_assert_null(site_segment(s, 10));
	for (size_t i = 0; i < site_segment_count(s); i++) {
		cr_assert_eq(site_segment(s, i)->index, i);
		cr_assert_eq(site_segment_named(s, site_segment(s, i)->name), site_segment(s, i));
	}
	cr_assert_null(site_segment_named(s, "laboratory"));
	cr_assert_str_eq(site_name(s), "chu-test");
	site_free(s);
}

Test(locate, without_a_site)
{
	struct site *s = site_empty();

	cr_assert_not_null(s);
	cr_assert_eq(site_segment_count(s), 2);
	cr_assert_str_eq(locate(s, "10.1.1.1", 20, NULL), "unknown-internal");
	cr_assert_str_eq(locate(s, "1.1.1.1", 20, NULL), "external");
	cr_assert_str_eq(locate(s, "2600::1", 0, NULL), "external");
	cr_assert_str_eq(site_name(s), "");
	cr_assert_str_eq(site_revision(s), "0000000000000000");
	site_free(s);
	site_free(NULL);
}

Test(locate, local_peers)
{
	static const char *const local[] = { "255.255.255.255", "224.0.0.251", "239.255.255.250",
					     "169.254.1.1",     "ff02::fb",    "fe80::1",
					     "0.0.0.0",         "::" };
	static const char *const other[] = { "10.0.0.1", "8.8.8.8", "fd00::1", "2600::1" };
	struct ip_addr ip;

	for (size_t i = 0; i < sizeof(local) / sizeof(*local); i++)
		cr_expect(ip_parse(local[i], &ip) && site_is_local_peer(&ip), "%s", local[i]);
	for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++)
		cr_expect(ip_parse(other[i], &ip) && !site_is_local_peer(&ip), "%s", other[i]);
}
