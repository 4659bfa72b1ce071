/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "sensor/host_fact.h"

static const uint8_t near_mac[6] = { 2, 0, 0, 0, 0, 1 }, far_mac[6] = { 2, 0, 0, 0, 0, 2 };
static struct packet p;
static struct host_fact f;

static void begin(void)
{
	p = (struct packet){
		.time = { 77 }, .has_mac = true, .vlans = { 300, 10 }, .vlan_count = 2
	};
	memcpy(p.source_mac, near_mac, 6);
	memcpy(p.dest_mac, far_mac, 6);
	cr_assert(ip_parse("10.0.0.1", &p.source) && ip_parse("10.0.0.2", &p.dest));
	p.ttl = 64;
}

TestSuite(host_fact, .init = begin);

static bool say(enum fact_subject subject, bool is_frame)
{
	static struct dissect_fact said;

	said = (struct dissect_fact){ .subject = subject, .ip = p.dest };
	memcpy(said.mac, far_mac, 6);
	bool is_one = host_fact_of(&f, &said, &p, is_frame, 3);
	cr_assert_eq(f.said, &said);
	cr_assert_eq(f.realm, 3);
	cr_assert_eq(f.vlan, 10);
	cr_assert_eq(f.time.v, 77);
	return is_one;
}

static void expect(const struct ip_addr *ip, const uint8_t *mac, bool own)
{
	cr_expect_eq(f.has_ip, ip != NULL);
	cr_expect_eq(f.has_mac, mac != NULL);
	cr_expect_eq(f.own_mac, own);
	cr_expect(!ip || !ip_compare(&f.ip, ip));
	cr_expect(!mac || !memcmp(f.mac, mac, 6));
}

Test(host_fact, a_packet_s_ends)
{
	cr_assert(say(FACT_SENDER, false));
	expect(&p.source, near_mac, true);
	cr_assert(say(FACT_RECEIVER, false));
	expect(&p.dest, far_mac, false);
}

Test(host_fact, behind_a_router_the_mac_is_the_router_s)
{
	p.ttl = 63;
	cr_assert(say(FACT_SENDER, false));
	expect(&p.source, near_mac, false);
}

Test(host_fact, a_frame_has_macs_only)
{
	p.ttl = 0;
	cr_assert(say(FACT_SENDER, true));
	expect(NULL, near_mac, true);
	cr_assert(say(FACT_RECEIVER, true));
	expect(NULL, far_mac, true);
}

Test(host_fact, what_the_bytes_name)
{
	cr_assert(say(FACT_IP_AND_MAC, false));
	expect(&p.dest, far_mac, true);
	cr_assert(say(FACT_IP, false));
	expect(&p.dest, NULL, false);
	cr_assert(say(FACT_MAC, false));
	expect(NULL, far_mac, true);
}

Test(host_fact, nobody_is_no_host)
{
	static const char *const nobodies[] = { "0.0.0.0", "255.255.255.255", "224.0.0.251",
						"::", "ff02::fb" };

	for (size_t i = 0; i < sizeof(nobodies) / sizeof(nobodies[0]); i++) {
		cr_assert(ip_parse(nobodies[i], &p.dest));
		p.dest_mac[0] = 1;
		cr_expect_not(say(FACT_RECEIVER, false), "%s", nobodies[i]);
		cr_expect_not(say(FACT_IP, false), "%s", nobodies[i]);
	}
	memset(p.dest_mac, 0, 6);
	cr_expect_not(say(FACT_RECEIVER, true));
	/* A DHCP client that has no address yet. */
	cr_assert(ip_parse("0.0.0.0", &p.source));
	cr_assert(say(FACT_SENDER, false));
	expect(NULL, near_mac, true);
	p.has_mac = false;
	cr_expect_not(say(FACT_SENDER, false));
}

Test(host_fact, link_local_addresses_are_hosts)
{
	cr_assert(ip_parse("fe80::1", &p.source));
	cr_assert(say(FACT_SENDER, false));
	expect(&p.source, near_mac, true);
}
