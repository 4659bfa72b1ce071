/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/bytes.h"
#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_dhcp;

enum { DISCOVER = 1, REQUEST = 3, ACK = 5, INFORM = 8 };

static const uint8_t mac[6] = { 0x00, 0x09, 0x5c, 1, 0, 5 };

struct given {
	uint8_t operation, type;
	uint32_t client, yours, relay;
};

static struct bytes begin(struct given g)
{
	struct bytes b = { .n = 0 };

	PUT(&b, g.operation, 1, 6, 0);
	put_be32(&b, 0xdeadbeef);
	put_be32(&b, 0);
	put_be32(&b, g.client);
	put_be32(&b, g.yours);
	put_be32(&b, 0);
	put_be32(&b, g.relay);
	put(&b, mac, 6);
	b.n += 10 + 64 + 128;
	memcpy(b.at + 44, "ZZPHI-server", 12);
	put_be32(&b, 0x63825363);
	if (g.type)
		PUT(&b, 53, 1, g.type);
	return b;
}

static void option(struct bytes *b, uint8_t number, const void *value, size_t n)
{
	PUT(b, number, (uint8_t)n);
	put(b, value, n);
}

static struct bytes discover(void)
{
	struct bytes b = begin((struct given){ 1, DISCOVER, 0, 0, 0 });

	option(&b, 55, "\1\3\6\14\52", 5);
	PUT(&b, 0); /* padding between options */
	option(&b, 60, "GE CARESCAPE", 12);
	option(&b, 12, "ZZPHI-doe-pc", 12);
	option(&b, 57, "\2\x40", 2);
	option(&b, 93, "\0\7", 2);
	PUT(&b, 255);
	return b;
}

static struct conversation offer(const struct bytes *b, uint16_t from, uint16_t to)
{
	struct conversation s;

	stream_init(&s, &dissector_dhcp, TRANSPORT_UDP, from, to);
	stream_offer(&s, 0, b->at, b->n);
	return s;
}

static void expect_mac(const struct conversation *s, const char *field, enum fact_subject subject,
		       const char *ip)
{
	const struct dissect_fact *fact = stream_fact(s, field, 0);
	char text[IP_TEXT];

	cr_assert(fact, "%s", field);
	cr_expect_eq(fact->subject, subject, "%s", field);
	cr_expect(!memcmp(fact->mac, mac, 6));
	cr_expect(!ip || !strcmp(ip_text(&fact->ip, text), ip), "%s: %s", field, text);
}

Test(dhcp, a_client_tells_what_it_is_on_any_port)
{
	static const uint16_t ports[][2] = { { 68, 67 }, { 40068, 40067 } };

	for (size_t i = 0; i < 2; i++) {
		struct bytes b = discover();
		struct conversation s = offer(&b, ports[i][0], ports[i][1]);
		cr_assert(s.claimed);
		cr_expect_eq(s.client_direction, 0);
		cr_expect_eq(stream_number(&s, "dhcp.discovers"), 1);
		cr_expect_eq(stream_number(&s, "dhcp.size_most"), 576);
		cr_expect_str_eq(stream_text(&s, "dhcp.fingerprint", 0), "1,3,6,12,42");
		cr_expect_str_eq(stream_text(&s, "dhcp.vendor_class", 0), "GE CARESCAPE");
		cr_expect_str_eq(stream_text(&s, "dhcp.hostname_class", 0), "workstation");
		cr_expect_str_eq(stream_text(&s, "dhcp.architecture", 0), "x64-uefi");
		expect_mac(&s, "dhcp.fingerprint", FACT_MAC, NULL);
		expect_mac(&s, "dhcp.vendor_class", FACT_MAC, NULL);
		expect_mac(&s, "dhcp.hostname_class", FACT_MAC, NULL);
		cr_expect(stream_hides(&s, "ZZ"));
		stream_finish(&s);
	}
}

Test(dhcp, every_truncation)
{
	struct bytes b = discover();

	for (size_t n = 0; n < b.n; n++) {
		struct bytes part = { .n = n };
		memcpy(part.at, b.at, n);
		struct conversation s = offer(&part, 68, 67);
		cr_expect_eq(s.claimed, n >= 240, "%zu bytes", n);
		cr_expect(!s.claimed || stream_number(&s, "dhcp.discovers") +
							stream_number(&s, "dhcp.malformed") <=
						1,
			  "%zu bytes", n);
		cr_expect(stream_hides(&s, "ZZ"));
		stream_finish(&s);
	}
}

Test(dhcp, a_server_binds_an_address)
{
	struct bytes b = begin((struct given){ 2, ACK, 0, 0x0a0a0741, 0 });
	option(&b, 54, "\12\12\1\24", 4);
	option(&b, 15, "zzphi.example", 13);
	struct conversation s = offer(&b, 67, 68);
	char text[IP_TEXT];

	cr_assert(s.claimed);
	cr_expect_eq(s.client_direction, 1);
	cr_expect_eq(stream_number(&s, "dhcp.acks"), 1);
	cr_expect(stream_says(&s, "dhcp.lease", "leased"));
	expect_mac(&s, "dhcp.lease", FACT_IP_AND_MAC, "10.10.7.65");
	cr_expect(stream_says(&s, "dhcp.role", "server"));
	cr_expect_str_eq(ip_text(&stream_fact(&s, "dhcp.role", 0)->ip, text), "10.10.1.20");
	cr_expect(stream_hides(&s, "zzphi"));
	stream_finish(&s);
}

Test(dhcp, an_offer_binds_nothing)
{
	struct bytes b = begin((struct given){ 2, 2, 0, 0x0a0a0741, 0 });
	struct conversation s = offer(&b, 67, 68);

	cr_expect_eq(stream_number(&s, "dhcp.offers"), 1);
	cr_expect_null(stream_fact(&s, "dhcp.lease", 0));
	stream_finish(&s);
}

Test(dhcp, a_client_with_an_address_is_known_by_both)
{
	struct bytes b = begin((struct given){ 1, INFORM, 0x0a0a0105, 0, 0x0a0a0001 });
	option(&b, 60, "MSFT 5.0", 8);
	struct conversation s = offer(&b, 68, 67);

	cr_expect_eq(stream_number(&s, "dhcp.informs"), 1);
	expect_mac(&s, "dhcp.vendor_class", FACT_IP_AND_MAC, "10.10.1.5");
	cr_expect(stream_says(&s, "dhcp.role", "relay"));
	stream_finish(&s);
	b = begin((struct given){ 2, ACK, 0x0a0a0105, 0, 0 });
	s = offer(&b, 67, 68);
	cr_expect(stream_says(&s, "dhcp.lease", "confirmed"));
	expect_mac(&s, "dhcp.lease", FACT_IP_AND_MAC, "10.10.1.5");
	stream_finish(&s);
}

Test(dhcp, a_long_list_is_cut_at_a_number)
{
	struct bytes b = begin((struct given){ 1, DISCOVER, 0, 0, 0 });
	uint8_t asked[60];

	for (size_t i = 0; i < sizeof(asked); i++)
		asked[i] = (uint8_t)(100 + i);
	option(&b, 55, asked, sizeof(asked));
	struct conversation s = offer(&b, 68, 67);
	cr_expect_str_eq(stream_text(&s, "dhcp.fingerprint", 0),
			 "100,101,102,103,104,105,106,107,108,109,110,111,112,113,114,+");
	stream_finish(&s);
}

Test(dhcp, full_names_in_both_forms)
{
	static const struct {
		const char *value;
		size_t n;
	} rows[] = { { "\4\0\0\x0bZZPHI-ct-07\4ward\0", 21 }, { "\0\0\0ZZPHI-ct-07.ward", 19 } };

	for (size_t i = 0; i < 2; i++) {
		struct bytes b = begin((struct given){ 1, REQUEST, 0, 0, 0 });
		option(&b, 81, rows[i].value, rows[i].n);
		struct conversation s = offer(&b, 68, 67);
		cr_expect_str_eq(stream_text(&s, "dhcp.hostname_class", 0), "modality", "%zu", i);
		cr_expect(stream_hides(&s, "ZZ"));
		stream_finish(&s);
	}
}

Test(dhcp, other_hardware_has_no_mac)
{
	struct bytes b = discover();
	b.at[1] = 32; /* InfiniBand */
	struct conversation s = offer(&b, 68, 67);

	cr_expect(s.claimed);
	cr_expect_eq(s.fact_count, 0);
	stream_finish(&s);
}

Test(dhcp, without_the_cookie_it_is_refused)
{
	struct bytes b = discover();
	b.at[236] = 0;
	struct conversation s = offer(&b, 68, 67);

	cr_expect(s.refused);
	stream_finish(&s);
}

Test(dhcp, what_breaks_the_format_is_counted)
{
	struct bytes good = discover(), bad = begin((struct given){ 1, 77, 0, 0, 0 });
	struct conversation s = offer(&good, 68, 67);

	stream_offer(&s, 0, bad.at, bad.n);
	cr_expect_eq(stream_number(&s, "dhcp.malformed"), 1);
	cr_expect_eq(s.result, DISSECT_MORE);
	stream_finish(&s);
}
