/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/talk.h"

extern const struct dissector dissector_openvpn;

#define ASK "\x38SESSION1\0\0\0\0\0"
#define ANSWER "\x40SESSION2\1\0\0\0\0SESSION1\0\0\0\0"
#define CONTROL "\x20SESSION1\0\0\0\0\1\x16\x03\1"
#define ACK "\x28SESSION2\1\0\0\0\1SESSION1"
#define DATA "\x48\0\0\0secretsecretsecret"

static const struct said session[] = { CLIENT(ASK), SERVER(ANSWER), CLIENT(CONTROL), SERVER(ACK),
				       CLIENT(DATA) };
static const struct said framed[] = {
	CLIENT("\0\x0e" ASK), SERVER("\0\x1a" ANSWER), CLIENT("\0\x11" CONTROL),
	SERVER("\0\x16" ACK), CLIENT("\0\x16" DATA),
};

static struct conversation over(enum transport transport, uint16_t port)
{
	struct conversation s;
	stream_init(&s, &dissector_openvpn, transport, 50000, port);
	return s;
}

static void check(const struct conversation *s)
{
	cr_assert(s->claimed);
	cr_assert_eq(s->result, DISSECT_MORE);
	cr_assert_eq(s->client_direction, 0);
	cr_assert_eq(s->confidence, CONFIDENCE_HIGH);
	cr_assert(s->encrypted);
	cr_assert_str_eq(stream_text(s, "openvpn.control_protection", 0), "none");
	cr_assert_eq(stream_number(s, "openvpn.sessions"), 1);
	cr_assert_eq(stream_number(s, "openvpn.answers"), 1);
	cr_assert_eq(stream_number(s, "openvpn.control_packets"), 2);
	cr_assert_eq(stream_number(s, "openvpn.data_packets"), 1);
}

Test(openvpn, datagrams_on_any_port)
{
	struct conversation s = over(TRANSPORT_UDP, 443);

	talk(&s, session, 1);
	cr_assert_eq(s.confidence, CONFIDENCE_MEDIUM);
	talk(&s, session + 1, COUNT(session) - 1);
	check(&s);
	stream_finish(&s);
}

Test(openvpn, stream_in_pieces_of_every_size)
{
	for (size_t chunk = 1; chunk < 30; chunk++) {
		struct conversation s = over(TRANSPORT_TCP, chunk % 2 ? 1194 : 443);
		talk_cut(&s, framed, COUNT(framed), chunk, SIZE_MAX);
		check(&s);
		stream_finish(&s);
	}
}

Test(openvpn, every_truncation_says_less)
{
	struct conversation all = over(TRANSPORT_TCP, 443);

	talk(&all, framed, COUNT(framed));
	for (size_t n = 0; n < talk_size(framed, COUNT(framed)); n++) {
		struct conversation s = over(TRANSPORT_TCP, 443);
		talk_cut(&s, framed, COUNT(framed), SIZE_MAX / 2, n);
		cr_assert_eq(s.claimed, n >= 16, "%zu bytes", n);
		cr_assert(talk_says_less(&s, &all), "%zu bytes", n);
		stream_finish(&s);
	}
	for (size_t n = 1; n < sizeof(ASK) - 1; n++) {
		struct conversation s = over(TRANSPORT_UDP, 1194);
		stream_offer(&s, 0, ASK, n);
		cr_assert(s.refused, "%zu bytes", n);
		stream_finish(&s);
	}
	stream_finish(&all);
}

/* How the control channel is protected shows in the size and the order of what is there. */
Test(openvpn, protections)
{
	static const char digest[] =
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	static const struct {
		size_t digest;
		const char *word;
	} cases[] = {
		{ 20, "tls-auth" }, { 32, "tls-auth" }, { 64, "tls-auth" }, { 0, "tls-crypt" }
	};

	for (size_t i = 0; i < COUNT(cases); i++) {
		uint8_t packet[128] = "\x38SESSION1";
		struct conversation s = over(TRANSPORT_UDP, 1194);
		size_t n = 9;
		memcpy(packet + n, digest, cases[i].digest);
		n += cases[i].digest;
		memcpy(packet + n, "\0\0\0\1\x65\0\0\0", 8);
		n += 8;
		if (!cases[i].digest)
			memcpy(packet + n, digest, 37);
		n += cases[i].digest ? 5 : 37;
		stream_offer(&s, 0, packet, n);
		cr_assert(s.claimed, "case %zu", i);
		cr_assert_str_eq(stream_text(&s, "openvpn.control_protection", 0), cases[i].word);
		stream_finish(&s);
	}
}

Test(openvpn, the_answer_must_be_to_this_session)
{
	struct conversation s = over(TRANSPORT_UDP, 1194);

	talk(&s, session, 1);
	stream_offer(&s, 1, "\x40SESSION2\1\0\0\0\0SESSION9\0\0\0\0", 26);
	cr_assert_eq(stream_number(&s, "openvpn.answers"), 0);
	cr_assert_eq(s.confidence, CONFIDENCE_MEDIUM);
	stream_offer(&s, 1, DATA, sizeof(DATA) - 1);
	cr_assert_not(s.encrypted);
	stream_finish(&s);
}

Test(openvpn, others_are_refused_or_given_back)
{
	static const struct said others[] = {
		CLIENT("\x38SESSION1\0\0\0\0\1"),         /* another packet number */
		CLIENT("\x39SESSION1\0\0\0\0\0"),         /* another key */
		CLIENT("\x38\0\0\0\0\0\0\0\0\0\0\0\0\0"), /* no session */
		CLIENT("8=FIX.4.2\0019=12"),
	};
	struct conversation t = over(TRANSPORT_UDP, 1194);

	for (size_t i = 0; i < COUNT(others); i++) {
		struct conversation s = over(TRANSPORT_UDP, 1194);
		talk(&s, others + i, 1);
		cr_assert(s.refused, "case %zu", i);
		stream_finish(&s);
	}
	talk(&t, session, 1);
	stream_offer(&t, 1, "\xff\xff", 2);
	cr_assert_eq(t.result, DISSECT_NOT_MINE);
	stream_finish(&t);
}
