/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/talk.h"

extern const struct dissector dissector_rdp;

#define COOKIE "Cookie: mstshash=ZZPHI\r\n"
#define ASK "\x03\0\0\x2b\x26\xe0\0\0\0\0\0" COOKIE "\x01\0\x08\0\x0b\0\0\0"
#define ANSWER "\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x02\x1f\x08\0\x02\0\0\0"
#define CLIENT_HELLO "\x16\x03\x01\0\x40\x01\0\0\x3c\x03\x03"
#define SERVER_HELLO "\x16\x03\x03\0\x40\x02\0\0\x3c\x03\x03"

static const struct said session[] = { CLIENT(ASK), SERVER(ANSWER), CLIENT(CLIENT_HELLO),
				       SERVER(SERVER_HELLO) };

static struct conversation on_port(uint16_t port)
{
	struct conversation s;
	stream_init(&s, &dissector_rdp, TRANSPORT_TCP, 50000, port);
	return s;
}

static void check(const struct conversation *s)
{
	cr_assert(s->claimed);
	cr_assert_eq(s->result, DISSECT_DONE);
	cr_assert_eq(s->client_direction, 0);
	cr_assert_eq(s->confidence, CONFIDENCE_HIGH);
	cr_assert(s->encrypted);
	cr_assert_eq(stream_number(s, "rdp.user_cookie"), 1);
	cr_assert_str_eq(stream_text(s, "rdp.requested", 0), "tls");
	cr_assert_str_eq(stream_text(s, "rdp.requested", 1), "credssp");
	cr_assert_str_eq(stream_text(s, "rdp.requested", 2), "credssp-early");
	cr_assert_str_eq(stream_text(s, "rdp.selected", 0), "credssp");
}

Test(rdp, in_pieces_of_every_size_on_any_port)
{
	for (size_t chunk = 1; chunk < 50; chunk++) {
		struct conversation s = on_port(chunk % 2 ? 3389 : 43389);
		talk_cut(&s, session, COUNT(session), chunk, SIZE_MAX);
		check(&s);
		stream_finish(&s);
	}
}

Test(rdp, every_truncation_says_less)
{
	struct conversation all = on_port(3389);

	talk(&all, session, COUNT(session));
	for (size_t n = 0; n < talk_size(session, COUNT(session)); n++) {
		struct conversation s = on_port(3389);
		talk_cut(&s, session, COUNT(session), SIZE_MAX / 2, n);
		cr_assert_eq(s.claimed, n >= sizeof(ASK) - 1, "%zu bytes", n);
		cr_assert_not(s.encrypted && n < talk_size(session, 3) + 6, "%zu bytes", n);
		cr_assert(talk_says_less(&s, &all), "%zu bytes", n);
		stream_finish(&s);
	}
	stream_finish(&all);
}

Test(rdp, a_refusal)
{
	static const struct said refused[] = {
		CLIENT("\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\x01\x08\0\0\0\0\0"),
		SERVER("\x03\0\0\x13\x0e\xd0\0\0\x12\x34\0\x03\0\x08\0\x05\0\0\0"),
	};
	struct conversation s = on_port(3390);

	talk(&s, refused, COUNT(refused));
	cr_assert_eq(s.result, DISSECT_DONE);
	cr_assert_str_eq(stream_text(&s, "rdp.requested", 0), "rdp");
	cr_assert_str_eq(stream_text(&s, "rdp.failure", 0), "credssp-required");
	cr_assert_eq(stream_number(&s, "rdp.restricted_admin"), 1);
	cr_assert_eq(stream_number(&s, "rdp.user_cookie"), 0);
	cr_assert_not(s.encrypted);
	stream_finish(&s);
}

/* ISO transport without parameters is RDP by its port alone. */
Test(rdp, an_old_client)
{
	static const struct said old[] = { CLIENT("\x03\0\0\x0b\x06\xe0\0\0\0\0\0"),
					   SERVER("\x03\0\0\x0b\x06\xd0\0\0\x12\x34\0") };
	struct conversation s = on_port(3389), t = on_port(102);

	talk(&s, old, 1);
	cr_assert_eq(s.confidence, CONFIDENCE_MEDIUM);
	talk(&s, old + 1, 1);
	cr_assert_eq(s.result, DISSECT_DONE);
	cr_assert_str_eq(stream_text(&s, "rdp.selected", 0), "rdp");
	talk(&t, old, 1);
	cr_assert(t.refused);
	stream_finish(&s);
	stream_finish(&t);
}

/* S7 and MMS begin alike; lengths must fit. */
Test(rdp, others_are_refused)
{
	static const struct said others[] = {
		CLIENT("\x03\0\0\x16\x11\xe0\0\0\0\x01\0\xc1\x02\x01\0\xc2\x02\x01\x02\xc0\x01"
		       "\x09"),
		CLIENT("\x03\0\0\x13\x0d\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0"),
		CLIENT("\x03\0\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x09\0\x03\0\0\0"),
		CLIENT("\x03\0\0\x13\x0e\xd0\0\0\0\0\0\x02\0\x08\0\x03\0\0\0"),
		CLIENT("\x03\x01\0\x13\x0e\xe0\0\0\0\0\0\x01\0\x08\0\x03\0\0\0"),
	};

	for (size_t i = 0; i < COUNT(others); i++) {
		struct conversation s = on_port(102);
		talk(&s, others + i, 1);
		cr_assert(s.refused, "case %zu", i);
		stream_finish(&s);
	}
}

Test(rdp, an_answer_that_is_none)
{
	struct conversation s = on_port(3389);

	talk(&s, session, 1);
	stream_offer(&s, 1, "HTTP/1.1 400 no\r\n\r\n", 19);
	cr_assert_eq(s.result, DISSECT_MALFORMED);
	stream_finish(&s);
}
