/* SPDX-License-Identifier: Apache-2.0
 *
 * The dissectors of frames that are not IP: ARP, LLDP, CDP. */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/bytes.h"
#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_arp, dissector_lldp, dissector_cdp;

static const uint8_t mac[6] = { 0x00, 0x09, 0x5c, 1, 0, 5 };

static struct conversation frame(const struct dissector *d, const struct bytes *b)
{
	struct conversation s;

	stream_init(&s, d, TRANSPORT_LINK, 0, 0);
	memcpy(s.source_mac, mac, 6);
	stream_offer(&s, 0, b->at, b->n);
	return s;
}

/* Of every part of a frame: nothing that the whole does not say. */
static void expect_truncations(const struct dissector *d, const struct bytes *b, size_t least)
{
	struct conversation whole = frame(d, b);

	for (size_t n = 0; n < b->n; n++) {
		struct bytes part = { .n = n };
		memcpy(part.at, b->at, n);
		struct conversation s = frame(d, &part);
		cr_expect_eq(s.claimed, n >= least, "%zu bytes", n);
		cr_expect_leq(s.fact_count, whole.fact_count, "%zu bytes", n);
		stream_finish(&s);
	}
	stream_finish(&whole);
}

/* --- ARP --- */

static struct bytes arp(uint16_t operation, const uint8_t sender[6], uint32_t sender_ip,
			uint32_t target_ip)
{
	struct bytes b = { .n = 0 };

	put_be16(&b, 0x0806);
	PUT(&b, 0, 1, 8, 0, 6, 4);
	put_be16(&b, operation);
	put(&b, sender, 6);
	put_be32(&b, sender_ip);
	PUT(&b, 0, 0, 0, 0, 0, 0);
	put_be32(&b, target_ip);
	return b;
}

static void expect_binding(const struct bytes *b, const char *word)
{
	struct conversation s = frame(&dissector_arp, b);
	const struct dissect_fact *fact = stream_fact(&s, "arp.binding", 0);
	char text[IP_TEXT];

	cr_assert(s.claimed && fact, "%s", word);
	cr_expect_eq(s.fact_count, 1);
	cr_expect(stream_says(&s, "arp.binding", word), "%s", word);
	cr_expect_eq(fact->subject, FACT_IP_AND_MAC);
	cr_expect_str_eq(ip_text(&fact->ip, text), "10.10.1.5");
	cr_expect(!memcmp(fact->mac, b->at + 10, 6));
	stream_finish(&s);
}

Test(link, arp_tells_who_has_what)
{
	static const uint8_t other[6] = { 2, 0, 0, 0, 0, 9 };
	struct bytes asked = arp(1, mac, 0x0a0a0105, 0x0a0a0114);
	struct bytes answered = arp(2, mac, 0x0a0a0105, 0x0a0a0114);
	struct bytes announced = arp(1, mac, 0x0a0a0105, 0x0a0a0105);
	struct bytes relayed = arp(2, other, 0x0a0a0105, 0x0a0a0114);

	expect_binding(&asked, "asked");
	expect_binding(&answered, "answered");
	expect_binding(&announced, "announced");
	expect_binding(&relayed, "relayed");
	expect_truncations(&dissector_arp, &asked, asked.n);
}

Test(link, arp_of_a_probe_binds_nothing)
{
	struct bytes b = arp(1, mac, 0, 0x0a0a0114);
	struct conversation s = frame(&dissector_arp, &b);

	cr_assert(s.claimed);
	cr_expect_eq(s.fact_count, 0);
	stream_finish(&s);
}

Test(link, arp_of_other_kinds_is_refused)
{
	static const struct {
		size_t at;
		uint8_t byte;
	} rows[] = { { 1, 0x35 }, { 3, 6 }, { 5, 1 }, { 6, 8 }, { 7, 16 }, { 9, 3 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes b = arp(1, mac, 0x0a0a0105, 0x0a0a0114);
		b.at[rows[i].at] = rows[i].byte;
		struct conversation s = frame(&dissector_arp, &b);
		cr_expect(s.refused, "row %zu", i);
		stream_finish(&s);
	}
}

/* --- LLDP --- */

static void put_tlv(struct bytes *b, unsigned type, const void *value, size_t n)
{
	put_be16(b, type << 9 | (unsigned)n);
	put(b, value, n);
}

static void put_med(struct bytes *b, uint8_t subtype, const char *text)
{
	struct bytes v = { .n = 0 };

	PUT(&v, 0x00, 0x12, 0xbb, subtype);
	put_text(&v, text);
	put_tlv(b, 127, v.at, v.n);
}

static struct bytes lldp_begin(uint8_t chassis, const void *id, size_t n)
{
	struct bytes b = { .n = 0 }, v = { .n = 0 };

	put_be16(&b, 0x88cc);
	PUT(&v, chassis);
	put(&v, id, n);
	put_tlv(&b, 1, v.at, v.n);
	put_tlv(&b, 2, "\7ZZPHI-port", 11);
	put_tlv(&b, 3, "\0x", 2);
	return b;
}

static struct bytes lldp_whole(void)
{
	static const uint8_t chassis[6] = { 0, 9, 0x5c, 7, 7, 7 };
	struct bytes b = lldp_begin(4, chassis, 6);

	put_tlv(&b, 4, "ZZPHI port", 10);
	put_tlv(&b, 5, "ZZPHI-ct-07.ward", 16);
	put_tlv(&b, 6, "Example OS 4.2, build <ZZPHI>", 29);
	put_tlv(&b, 7, "\0\x34\0\x24", 4);
	put_tlv(&b, 127, "\0\x80\xc2\1\0\x1e", 6);
	put_med(&b, 5, "rev-A");
	put_med(&b, 6, "1.02.3");
	put_med(&b, 7, "7.1 beta");
	put_med(&b, 8, "SN-0042");
	put_med(&b, 9, "Example Medical");
	put_med(&b, 10, "MX800 ");
	put_med(&b, 11, "ZZPHI asset");
	return b;
}

Test(link, lldp_tells_what_a_device_is)
{
	static const char *const says[][2] = {
		{ "lldp.system", "Example OS 4.2 build" },
		{ "lldp.capabilities", "bridge+telephone" },
		{ "lldp.port_vlan", "30" },
		{ "lldp.hostname_class", "modality" },
		{ "lldp.hardware", "rev-A" },
		{ "lldp.firmware", "1.02.3" },
		{ "lldp.software", "7.1 beta" },
		{ "lldp.serial", "SN-0042" },
		{ "lldp.manufacturer", "Example Medical" },
		{ "lldp.model", "MX800" },
		{ "lldp.chassis", "mac" },
	};
	struct bytes b = lldp_whole();
	PUT(&b, 0, 0); /* the end */
	struct conversation s = frame(&dissector_lldp, &b);

	cr_assert(s.claimed);
	cr_assert_eq(s.result, DISSECT_DONE);
	for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++)
		cr_expect(stream_says(&s, says[i][0], says[i][1]), "%s", says[i][0]);
	cr_expect_eq(s.fact_count, sizeof(says) / sizeof(says[0]));
	for (size_t i = 0; i < s.fact_count; i++) {
		cr_expect_eq(s.facts[i].subject, FACT_MAC, "the chassis, not its port");
		cr_expect_eq(s.facts[i].mac[5], 7);
	}
	cr_expect(stream_hides(&s, "ZZ"));
	stream_finish(&s);
	expect_truncations(&dissector_lldp, &b, 2 + 9 + 13 + 4);
}

Test(link, lldp_knows_a_device_by_its_chassis)
{
	static const uint8_t v4[] = { 1, 10, 10, 1, 7 };
	struct bytes by_address = lldp_begin(5, v4, sizeof(v4));
	struct bytes by_name = lldp_begin(7, "ZZPHI box", 9);
	char text[IP_TEXT];

	struct conversation s = frame(&dissector_lldp, &by_address);
	cr_assert(stream_says(&s, "lldp.chassis", "address"));
	cr_expect_eq(s.facts[0].subject, FACT_IP);
	cr_expect_str_eq(ip_text(&s.facts[0].ip, text), "10.10.1.7");
	stream_finish(&s);
	s = frame(&dissector_lldp, &by_name);
	cr_assert(stream_says(&s, "lldp.chassis", "local"));
	cr_expect_eq(s.facts[0].subject, FACT_SENDER);
	cr_expect(stream_hides(&s, "ZZ"));
	stream_finish(&s);
}

Test(link, lldp_must_begin_as_the_standard_says)
{
	struct bytes b = lldp_begin(4, mac, 6);

	b.at[2] = 2 << 1; /* a port first */
	struct conversation s = frame(&dissector_lldp, &b);
	cr_expect(s.refused);
	stream_finish(&s);
}

/* --- CDP --- */

static void put_cdp(struct bytes *b, unsigned type, const void *value, size_t n)
{
	put_be16(b, type);
	put_be16(b, (unsigned)n + 4);
	put(b, value, n);
}

static struct bytes cdp_begin(uint8_t version)
{
	struct bytes b = { .n = 0 };

	put_be16(&b, 300); /* IEEE 802.3 length */
	PUT(&b, 0xaa, 0xaa, 3, 0, 0, 0x0c, 0x20, 0, version, 180, 0, 0);
	return b;
}

static struct bytes cdp_whole(uint8_t version)
{
	struct bytes b = cdp_begin(version);

	put_cdp(&b, 1, "SEP001122334455", 15);
	put_cdp(&b, 3, "ZZPHI port", 10);
	put_cdp(&b, 4, "\0\0\4\x90", 4);
	put_cdp(&b, 5, "SIP88xx.12-8-1ES\nZZPHI", 22);
	put_cdp(&b, 6, "Cisco IP Phone 8845", 19);
	put_cdp(&b, 9, "ZZPHI domain", 12);
	put_cdp(&b, 10, "\0\x1e", 2);
	return b;
}

Test(link, cdp_tells_what_a_device_is)
{
	for (uint8_t version = 1; version <= 2; version++) {
		struct bytes b = cdp_whole(version);
		struct conversation s = frame(&dissector_cdp, &b);
		cr_assert(s.claimed);
		cr_assert_eq(s.result, DISSECT_DONE);
		cr_expect(stream_says(&s, "cdp.hostname_class", "phone"));
		cr_expect(stream_says(&s, "cdp.platform", "Cisco IP Phone 8845"));
		cr_expect(stream_says(&s, "cdp.software", "SIP88xx.12-8-1ES"));
		cr_expect(stream_says(&s, "cdp.capabilities", "host+phone"));
		cr_expect(stream_says(&s, "cdp.native_vlan", "30"));
		cr_expect_eq(s.facts[0].subject, FACT_SENDER);
		cr_expect(stream_hides(&s, "ZZ"));
		stream_finish(&s);
		expect_truncations(&dissector_cdp, &b, 14);
	}
}

Test(link, cdp_with_a_length_that_lies)
{
	struct bytes b = cdp_begin(2);
	put_cdp(&b, 6, "Example", 7);
	put_be16(&b, 5);
	put_be16(&b, 3); /* shorter than its own head */
	PUT(&b, 1, 2, 3);
	struct conversation s = frame(&dissector_cdp, &b);

	cr_expect_eq(s.result, DISSECT_MALFORMED);
	cr_expect(stream_says(&s, "cdp.platform", "Example"));
	stream_finish(&s);
}

Test(link, cdp_s_siblings_are_refused)
{
	struct bytes vtp = cdp_whole(2), future = cdp_whole(3);

	vtp.at[9] = 3; /* SNAP 2003 is VTP */
	struct conversation s = frame(&dissector_cdp, &vtp);
	cr_expect(s.refused);
	stream_finish(&s);
	s = frame(&dissector_cdp, &future);
	cr_expect(s.refused);
	stream_finish(&s);
}
