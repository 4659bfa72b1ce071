/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/bytes.h"
#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_netbios, dissector_dns;

enum { QUERY = 0x0110, REGISTRATION = 0x2910, RESPONSE = 0x8500, NB = 0x20, NBSTAT = 0x21 };

/* Fifteen bytes, padded, and what it is, as two letters each. */
static const char *encoded(const char *name, uint8_t suffix)
{
	static char out[33];
	uint8_t bytes[16];

	memset(bytes, ' ', 15);
	memcpy(bytes, name, strlen(name));
	bytes[15] = suffix;
	for (size_t i = 0; i < 16; i++) {
		out[2 * i] = (char)('A' + (bytes[i] >> 4));
		out[2 * i + 1] = (char)('A' + (bytes[i] & 15));
	}
	return out;
}

static struct bytes query(const char *name, uint8_t suffix, unsigned type)
{
	struct bytes b = { .n = 0 };

	put_dns(&b, QUERY, 1, 0, 0);
	put_question(&b, encoded(name, suffix), type, 1);
	return b;
}

static struct bytes registration(const char *name, uint8_t suffix, bool group)
{
	struct bytes b = { .n = 0 };

	put_dns(&b, REGISTRATION, 1, 0, 1);
	put_question(&b, encoded(name, suffix), NB, 1);
	put_be16(&b, 0xc00c);
	put_be16(&b, NB);
	put_be16(&b, 1);
	put_be32(&b, 300000);
	put_be16(&b, 6);
	PUT(&b, group ? 0x80 : 0, 0, 10, 10, 1, 20);
	return b;
}

static struct conversation offer(const struct bytes *b, uint16_t from, uint16_t to)
{
	struct conversation s;

	stream_init(&s, &dissector_netbios, TRANSPORT_UDP, from, to);
	stream_offer(&s, 0, b->at, b->n);
	return s;
}

Test(netbios, names_that_are_registered_tell_what_a_host_is)
{
	static const struct {
		uint8_t suffix;
		bool group;
		const char *role;
	} rows[] = {
		{ 0x00, false, "workstation" },
		{ 0x20, false, "server" },
		{ 0x1b, false, "domain-master-browser" },
		{ 0x1c, true, "domain-controller" },
		{ 0x1d, false, "master-browser" },
		{ 0x00, true, NULL },  /* a work group: may be named after anybody */
		{ 0x03, false, NULL }, /* a user */
	};
	char text[IP_TEXT];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct bytes b = registration("ZZPHI-CT-01", rows[i].suffix, rows[i].group);
		struct conversation s = offer(&b, 137, 137);
		bool host = !rows[i].group && (rows[i].suffix == 0 || rows[i].suffix == 0x20);
		cr_assert(s.claimed);
		cr_expect_eq(stream_number(&s, "netbios.registrations"), 1);
		cr_expect_eq(s.fact_count, (rows[i].role != NULL) + host, "row %zu", i);
		if (rows[i].role) {
			cr_expect(stream_says(&s, "netbios.role", rows[i].role), "row %zu", i);
			cr_expect_str_eq(ip_text(&s.facts[0].ip, text), "10.10.1.20");
		}
		if (host)
			cr_expect(stream_says(&s, "netbios.hostname_class", "modality"));
		cr_expect(stream_hides(&s, "ZZ"));
		stream_finish(&s);
	}
}

Test(netbios, every_truncation)
{
	struct bytes b = registration("ZZPHI-CT-01", 0x20, false);

	for (size_t n = 0; n < b.n; n++) {
		struct bytes part = { .n = n };
		memcpy(part.at, b.at, n);
		struct conversation s = offer(&part, 137, 137);
		cr_expect(s.refused, "%zu bytes", n);
		stream_finish(&s);
	}
}

Test(netbios, questions_on_any_port)
{
	struct bytes b = query("ZZPHI-SRV", 0x20, NB), status = query("*", 0, NBSTAT);
	struct conversation s = offer(&b, 40000, 40137);

	cr_assert(s.claimed);
	cr_expect_eq(stream_number(&s, "netbios.queries"), 1);
	cr_expect_eq(s.fact_count, 0);
	cr_expect_eq(s.client_direction, 0);
	stream_offer(&s, 0, status.at, status.n);
	cr_expect_eq(stream_number(&s, "netbios.status_queries"), 1);
	stream_finish(&s);
}

Test(netbios, an_answer_tells_of_whom_it_names)
{
	struct bytes b = { .n = 0 };
	char text[IP_TEXT];

	put_dns(&b, RESPONSE, 0, 1, 0);
	put_question(&b, encoded("ZZPHIDOM", 0x1c), NB, 1);
	put_be32(&b, 0);
	put_be16(&b, 12);
	PUT(&b, 0x80, 0, 10, 10, 1, 20, 0x80, 0, 10, 10, 1, 21);
	struct conversation s = offer(&b, 137, 137);
	cr_expect_eq(stream_number(&s, "netbios.responses"), 1);
	cr_expect_eq(s.client_direction, 1);
	cr_expect_eq(s.fact_count, 2);
	cr_expect(stream_says(&s, "netbios.role", "domain-controller"));
	cr_expect_str_eq(ip_text(&s.facts[1].ip, text), "10.10.1.21");
	stream_finish(&s);
}

Test(netbios, a_status_tells_all_that_a_host_is)
{
	struct bytes b = { .n = 0 };

	put_dns(&b, RESPONSE, 0, 1, 0);
	put_question(&b, encoded("*", 0), NBSTAT, 1);
	put_be32(&b, 0);
	put_be16(&b, 1 + 3 * 18);
	PUT(&b, 3);
	put_text(&b, "PRINTER        ");
	PUT(&b, 0x00, 0x04, 0);
	put_text(&b, "ZZPHIUSER      ");
	PUT(&b, 0x03, 0x04, 0);
	put_text(&b, "ZZPHIDOM       ");
	PUT(&b, 0x1c, 0x84, 0);
	struct conversation s = offer(&b, 137, 137);
	cr_assert(s.claimed);
	cr_expect(stream_says(&s, "netbios.role", "workstation"));
	cr_expect(stream_says(&s, "netbios.role", "domain-controller"));
	cr_expect(stream_says(&s, "netbios.hostname_class", "printer"));
	cr_expect_eq(s.fact_count, 3);
	cr_expect_eq(s.facts[0].subject, FACT_SENDER);
	cr_expect(stream_hides(&s, "ZZ"));
	stream_finish(&s);
}

Test(netbios, datagrams_tell_of_their_sender)
{
	struct bytes b = { .n = 0 };

	PUT(&b, 0x11, 0x02, 0, 1, 10, 10, 1, 20, 0, 138, 0, 72, 0, 0);
	put_name(&b, encoded("ZZPHI-SRV1", 0x20));
	put_name(&b, encoded("ZZPHIGROUP", 0x1d));
	put_text(&b, "ZZPHI");
	struct conversation s = offer(&b, 138, 138);
	cr_assert(s.claimed);
	cr_expect_eq(stream_number(&s, "netbios.datagrams"), 1);
	cr_expect(stream_says(&s, "netbios.role", "server"));
	cr_expect_eq(s.facts[0].subject, FACT_IP);
	cr_expect(stream_hides(&s, "ZZ"));
	stream_finish(&s);
}

Test(netbios, a_name_that_is_not_encoded_is_refused)
{
	struct bytes b = query("NAME", 0x20, NB), plain = { .n = 0 }, other = query("A", 0, 1);

	b.at[13] = 'Q'; /* past P */
	struct conversation s = offer(&b, 137, 137);
	cr_expect(s.refused);
	stream_finish(&s);
	put_dns(&plain, QUERY, 1, 0, 0);
	put_question(&plain, "www.example.com", NB, 1);
	s = offer(&plain, 137, 137);
	cr_expect(s.refused);
	stream_finish(&s);
	s = offer(&other, 137, 137);
	cr_expect(s.refused, "of type A");
	stream_finish(&s);
}

Test(netbios, what_breaks_the_format_is_counted)
{
	struct bytes b = query("NAME", 0x20, NB);
	struct conversation s = offer(&b, 137, 137);

	stream_offer(&s, 0, b.at, b.n - 1);
	cr_expect_eq(stream_number(&s, "netbios.malformed"), 1);
	stream_finish(&s);
}
