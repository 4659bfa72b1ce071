/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/talk.h"

extern const struct dissector dissector_kerberos;

/* AS-REQ: pvno, msg-type, padata (PA-PAC-REQUEST 128), body (options, cname ZZPHI, etypes
 * 18 and 23). */
#define PADATA(type) "\xa3\x0d\x30\x0b\x30\x09\xa1\x03\x02\x01" type "\xa2\x02\x04\x00"
#define BODY \
	"\xa4\x23\x30\x21\xa0\x07\x03\x05\0\0\0\0\0" \
	"\xa1\x0c\x30\x0a\xa1\x08\x30\x06\x1b\x04ZZPH" \
	"\xa8\x08\x30\x06\x02\x01\x12\x02\x01\x17"
#define AS_REQ(type) "\x6a\x40\x30\x3e\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x0a" PADATA(type) BODY

/* AS-REP: crealm ZZPH, ticket whose part is encrypted with RC4 (23). */
#define TICKET \
	"\xa5\x25\x61\x23\x30\x21\xa0\x03\x02\x01\x05\xa1\x06\x1b\x04ZZPH" \
	"\xa3\x12\x30\x10\xa0\x03\x02\x01\x17\xa2\x09\x04\x07secrets"
#define AS_REP "\x6b\x3b\x30\x39\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x0b\xa3\x06\x1b\x04ZZPH" TICKET

#define FAILURE(code) \
	"\x7e\x19\x30\x17\xa0\x03\x02\x01\x05\xa1\x03\x02\x01\x1e\xa6\x03\x02\x01" code \
	"\xa9\x06\x1b\x04ZZPH"

static const struct said session[] = { CLIENT(AS_REQ("\x02")), SERVER(FAILURE("\x18")),
				       CLIENT(AS_REQ("\x02")), SERVER(AS_REP) };

static const struct said framed[] = {
	CLIENT("\0\0\0\x42" AS_REQ("\x02")),
	SERVER("\0\0\0\x1b" FAILURE("\x18")),
	CLIENT("\0\0\0\x42" AS_REQ("\x02")),
	SERVER("\0\0\0\x3d" AS_REP),
};

static struct conversation over(enum transport transport, uint16_t port)
{
	struct conversation s;
	stream_init(&s, &dissector_kerberos, transport, 50000, port);
	return s;
}

static void check(const struct conversation *s)
{
	cr_assert(s->claimed);
	cr_assert_eq(s->result, DISSECT_MORE);
	cr_assert_eq(s->client_direction, 0);
	cr_assert_eq(s->confidence, CONFIDENCE_HIGH);
	cr_assert_eq(stream_number(s, "kerberos.as_requests"), 2);
	cr_assert_eq(stream_number(s, "kerberos.as_replies"), 1);
	cr_assert_eq(stream_number(s, "kerberos.errors"), 1);
	cr_assert_eq(stream_number(s, "kerberos.preauth_failed"), 1);
	cr_assert_eq(stream_number(s, "kerberos.no_preauth"), 0);
	cr_assert_eq(stream_number(s, "kerberos.malformed"), 0);
	cr_assert_str_eq(stream_text(s, "kerberos.error", 0), "preauth-failed");
	cr_assert_str_eq(stream_text(s, "kerberos.etype_offered", 0), "aes256-sha1");
	cr_assert_str_eq(stream_text(s, "kerberos.etype_offered", 1), "rc4-hmac");
	cr_assert_str_eq(stream_text(s, "kerberos.ticket_etype", 0), "rc4-hmac");
	cr_assert_eq(stream_number(s, "kerberos.weak_ticket"), 1);
}

Test(kerberos, datagrams_on_any_port)
{
	static const uint16_t ports[] = { 88, 40088 };

	for (size_t i = 0; i < 2; i++) {
		struct conversation s = over(TRANSPORT_UDP, ports[i]);
		talk(&s, session, COUNT(session));
		check(&s);
		stream_finish(&s);
	}
}

Test(kerberos, stream_in_pieces_of_every_size)
{
	for (size_t chunk = 1; chunk < 80; chunk++) {
		struct conversation s = over(TRANSPORT_TCP, chunk % 2 ? 88 : 40088);
		talk_cut(&s, framed, COUNT(framed), chunk, SIZE_MAX);
		check(&s);
		stream_finish(&s);
	}
}

Test(kerberos, every_truncation_of_a_datagram_is_refused)
{
	for (size_t i = 0; i < COUNT(session); i++)
		for (size_t n = 1; n < session[i].n; n++) {
			struct conversation s = over(TRANSPORT_UDP, 88);
			stream_offer(&s, session[i].direction, session[i].bytes, n);
			cr_assert(s.refused, "%zu bytes of %zu", n, i);
			stream_finish(&s);
		}
}

Test(kerberos, every_truncation_of_a_stream_says_less)
{
	struct conversation all = over(TRANSPORT_TCP, 88);

	talk(&all, framed, COUNT(framed));
	for (size_t n = 0; n < talk_size(framed, COUNT(framed)); n++) {
		struct conversation s = over(TRANSPORT_TCP, 88);
		talk_cut(&s, framed, COUNT(framed), SIZE_MAX / 2, n);
		cr_assert_neq(s.result, DISSECT_MALFORMED, "%zu bytes", n);
		cr_assert(talk_says_less(&s, &all), "%zu bytes", n);
		stream_finish(&s);
	}
	stream_finish(&all);
}

/* What is answered without a proof can be guessed at. */
Test(kerberos, no_proof_was_asked_for)
{
	static const struct said roasted[] = { CLIENT(AS_REQ("\x01")), SERVER(AS_REP) };
	struct conversation s = over(TRANSPORT_UDP, 88);

	talk(&s, roasted, COUNT(roasted));
	cr_assert_eq(stream_number(&s, "kerberos.no_preauth"), 1);
	stream_finish(&s);
}

Test(kerberos, errors)
{
	static const struct {
		struct said said;
		const char *word;
		unsigned unknown;
	} cases[] = {
		{ SERVER(FAILURE("\x06")), "client-unknown", 1 },
		{ SERVER(FAILURE("\x19")), "preauth-required", 0 },
		{ SERVER(FAILURE("\x63")), "error99", 0 },
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		struct conversation s = over(TRANSPORT_UDP, 88);
		talk(&s, &cases[i].said, 1);
		cr_assert_eq(s.client_direction, 0);
		cr_assert_str_eq(stream_text(&s, "kerberos.error", 0), cases[i].word);
		cr_assert_eq(stream_number(&s, "kerberos.unknown_client"), cases[i].unknown);
		stream_finish(&s);
	}
}

Test(kerberos, a_message_larger_than_what_is_looked_at)
{
	static uint8_t large[4 + 5 + 20000];
	struct conversation s = over(TRANSPORT_TCP, 88);
	const uint8_t head[] = { 0,    0,    0x4e, 0x20, 0x6c, 0x82, 0x4e, 0x1c, 0x30,
				 0x82, 0x4e, 0x18, 0xa1, 3,    2,    1,    5,    0xa2,
				 3,    2,    1,    12,   0xa3, 0x82, 0x4e, 0x0a };

	memcpy(large, head, sizeof(head));
	stream_chunks(&s, 0, large, 4 + 20000, 1460);
	stream_offer(&s, 0, framed[0].bytes, framed[0].n);
	cr_assert_eq(stream_number(&s, "kerberos.tgs_requests"), 1);
	cr_assert_eq(stream_number(&s, "kerberos.as_requests"), 1);
	stream_finish(&s);
}

Test(kerberos, others_are_refused)
{
	static const struct said others[] = {
		CLIENT("\x6a\x0c\x30\x0a\xa1\x03\x02\x01\x04\xa2\x03\x02\x01\x0a"), /* version 4 */
		CLIENT("\x6a\x0c\x30\x0a\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x0c"), /* types differ
										     */
		CLIENT("\x60\x0c\x30\x0a\xa1\x03\x02\x01\x05\xa2\x03\x02\x01\x0a"), /* another tag
										     */
		CLIENT("\x30\x0c\x02\x01\x01\x04\x06public\xa0\x00"),               /* SNMP */
	};

	for (size_t i = 0; i < COUNT(others); i++) {
		struct conversation s = over(TRANSPORT_UDP, 88);
		talk(&s, others + i, 1);
		cr_assert(s.refused, "case %zu", i);
		stream_finish(&s);
	}
}

Test(kerberos, broken_later)
{
	struct conversation s = over(TRANSPORT_TCP, 88), u = over(TRANSPORT_UDP, 88);

	talk(&s, framed, 1);
	stream_offer(&s, 0, "\0\0\0\x20garbage that is long enough, really", 40);
	cr_assert_eq(s.result, DISSECT_MALFORMED);
	talk(&u, session, 1);
	stream_offer(&u, 0, "garbage", 7);
	cr_assert_eq(u.result, DISSECT_MORE);
	cr_assert_eq(stream_number(&u, "kerberos.malformed"), 1);
	stream_finish(&s);
	stream_finish(&u);
}
