/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/bytes.h"
#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_dhcpv6;

static struct bytes begin(uint8_t type)
{
	struct bytes b = { .n = 0 };

	PUT(&b, type, 1, 2, 3);
	return b;
}

static void option(struct bytes *b, unsigned number, const void *value, size_t n)
{
	put_be16(b, number);
	put_be16(b, (unsigned)n);
	put(b, value, n);
}

static struct bytes solicit(void)
{
	struct bytes b = begin(1);

	option(&b, 1, "\0\1\0\1ZZZZ\0\x09\x5c\1\0\5", 14);
	option(&b, 6, "\0\x17\0\x18\0\x27", 6);
	option(&b, 16, "\0\0\1\x37\0\x08MSFT 5.0", 14);
	option(&b, 39, "\0\x0bZZPHI-ct-07\0", 14);
	return b;
}

static struct conversation offer(const struct bytes *b, uint16_t from, uint16_t to)
{
	struct conversation s;

	stream_init(&s, &dissector_dhcpv6, TRANSPORT_UDP, from, to);
	stream_offer(&s, 0, b->at, b->n);
	return s;
}

Test(dhcpv6, a_client_tells_what_it_is_on_any_port)
{
	static const uint16_t ports[][2] = { { 546, 547 }, { 40546, 40547 } };

	for (size_t i = 0; i < 2; i++) {
		struct bytes b = solicit();
		struct conversation s = offer(&b, ports[i][0], ports[i][1]);
		cr_assert(s.claimed);
		cr_expect_eq(s.client_direction, 0);
		cr_expect_eq(stream_number(&s, "dhcpv6.solicits"), 1);
		cr_expect(stream_says(&s, "dhcpv6.duid", "mac-and-time"));
		cr_expect(stream_says(&s, "dhcpv6.fingerprint", "23,24,39"));
		cr_expect(stream_says(&s, "dhcpv6.enterprise", "311"));
		cr_expect(stream_says(&s, "dhcpv6.vendor_class", "MSFT 5.0"));
		cr_expect(stream_says(&s, "dhcpv6.hostname_class", "modality"));
		cr_expect_eq(s.facts[0].subject, FACT_SENDER);
		cr_expect(stream_hides(&s, "ZZ"));
		stream_finish(&s);
	}
}

/* A piece that ends between two options is a message; off its port, one that says whose. */
Test(dhcpv6, every_truncation)
{
	struct bytes b = solicit();

	for (size_t n = 0; n < b.n; n++) {
		struct bytes part = { .n = n };
		memcpy(part.at, b.at, n);
		bool whole = n == 22 || n == 32 || n == 50;
		struct conversation s = offer(&part, 546, 547), other = offer(&part, 9, 10);
		cr_expect_eq(s.claimed, whole || n == 4, "%zu bytes", n);
		cr_expect_eq(other.claimed, whole, "%zu bytes", n);
		stream_finish(&s);
		stream_finish(&other);
	}
}

Test(dhcpv6, a_reply_tells_of_leases_and_of_the_server)
{
	struct bytes b = begin(7), leases = { .n = 0 };
	uint8_t address[24] = { 0x20, 1, 0x0d, 0xb8, [15] = 0x5b };
	char text[IP_TEXT];

	PUT(&leases, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0);
	option(&leases, 5, address, sizeof(address));
	option(&b, 2, "\0\3\0\1\2\0\0\0\0\1", 10);
	option(&b, 3, leases.at, leases.n);
	struct conversation s = offer(&b, 547, 546);
	cr_assert(s.claimed);
	cr_expect_eq(s.client_direction, 1);
	cr_expect_eq(stream_number(&s, "dhcpv6.replies"), 1);
	cr_expect(stream_says(&s, "dhcpv6.role", "server"));
	cr_assert(stream_says(&s, "dhcpv6.lease", "leased"));
	cr_expect_eq(stream_fact(&s, "dhcpv6.lease", 0)->subject, FACT_IP);
	cr_expect_str_eq(ip_text(&stream_fact(&s, "dhcpv6.lease", 0)->ip, text), "2001:db8::5b");
	stream_finish(&s);
}

Test(dhcpv6, relays_are_named_and_not_looked_into)
{
	struct bytes b = { .n = 0 }, inside = solicit();

	PUT(&b, 12, 0);
	b.n += 32;
	option(&b, 9, inside.at, inside.n);
	struct conversation s = offer(&b, 547, 547);
	cr_expect_eq(stream_number(&s, "dhcpv6.relayed"), 1);
	cr_expect(stream_says(&s, "dhcpv6.role", "relay"));
	cr_expect_eq(s.fact_count, 1);
	stream_finish(&s);
}

Test(dhcpv6, what_it_is_not)
{
	struct bytes zero = begin(0), later = begin(14), nameless = begin(1);

	option(&nameless, 8, "\0\0", 2);
	struct conversation s = offer(&zero, 546, 547);
	cr_expect(s.refused);
	stream_finish(&s);
	s = offer(&later, 546, 547);
	cr_expect(s.refused);
	stream_finish(&s);
	s = offer(&nameless, 1000, 2000);
	cr_expect(s.refused, "off its port it must say whose it is");
	stream_finish(&s);
}

Test(dhcpv6, what_breaks_the_format_is_counted)
{
	struct bytes b = solicit();
	struct conversation s = offer(&b, 546, 547);

	stream_offer(&s, 0, b.at, b.n - 1);
	cr_expect_eq(stream_number(&s, "dhcpv6.malformed"), 1);
	cr_expect_eq(stream_number(&s, "dhcpv6.solicits"), 1);
	stream_finish(&s);
}
