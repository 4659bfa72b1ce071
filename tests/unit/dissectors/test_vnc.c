/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/talk.h"

extern const struct dissector dissector_vnc;

static const struct said with_password[] = {
	SERVER("RFB 003.008\n"), CLIENT("RFB 003.008\n"),    SERVER("\x02\x02\x13"),
	CLIENT("\x02"),          SERVER("0123456789abcdef"), CLIENT("fedcba9876543210"),
	SERVER("\0\0\0\0"),
};

static struct conversation on_port(uint16_t port)
{
	struct conversation s;
	stream_init(&s, &dissector_vnc, TRANSPORT_TCP, 50000, port);
	return s;
}

static void check(const struct conversation *s)
{
	cr_assert_eq(s->result, DISSECT_DONE);
	cr_assert_eq(s->client_direction, 0);
	cr_assert_eq(s->confidence, CONFIDENCE_HIGH);
	cr_assert_not(s->encrypted);
	cr_assert_str_eq(stream_text(s, "vnc.server_version", 0), "3.8");
	cr_assert_str_eq(stream_text(s, "vnc.security_offered", 0), "vnc");
	cr_assert_str_eq(stream_text(s, "vnc.security_offered", 1), "vencrypt");
	cr_assert_str_eq(stream_text(s, "vnc.security", 0), "vnc");
	cr_assert_eq(stream_number(s, "vnc.opened"), 1);
	cr_assert_eq(stream_number(s, "vnc.none_offered"), 0);
	cr_assert_eq(stream_number(s, "vnc.no_authentication"), 0);
}

Test(vnc, in_pieces_of_every_size_on_any_port)
{
	for (size_t chunk = 1; chunk < 17; chunk++) {
		struct conversation s = on_port(chunk % 2 ? 5900 : 45900);
		talk_cut(&s, with_password, COUNT(with_password), chunk, SIZE_MAX);
		check(&s);
		stream_finish(&s);
	}
}

Test(vnc, every_truncation_says_less)
{
	struct conversation all = on_port(5900);

	talk(&all, with_password, COUNT(with_password));
	for (size_t n = 0; n < talk_size(with_password, COUNT(with_password)); n++) {
		struct conversation s = on_port(5900);
		talk_cut(&s, with_password, COUNT(with_password), SIZE_MAX / 2, n);
		cr_assert_eq(s.claimed, n >= 12, "%zu bytes", n);
		cr_assert_eq(s.role_sender[ROLE_SENDER_IS_CLIENT], n >= 24);
		cr_assert(talk_says_less(&s, &all), "%zu bytes", n);
		cr_assert_eq(stream_number(&s, "vnc.opened"), 0);
		stream_finish(&s);
	}
	stream_finish(&all);
}

Test(vnc, a_wrong_password)
{
	struct conversation s = on_port(5900);

	talk(&s, with_password, COUNT(with_password) - 1);
	stream_offer(&s, 1, "\0\0\0\1\0\0\0\5ZZPHI", 13);
	cr_assert_eq(stream_number(&s, "vnc.auth_failures"), 1);
	cr_assert_eq(stream_number(&s, "vnc.opened"), 0);
	stream_finish(&s);
}

Test(vnc, without_any_password)
{
	static const struct said open[] = { SERVER("RFB 003.008\n"), CLIENT("RFB 003.008\n"),
					    SERVER("\x01\x01"), CLIENT("\x01"),
					    SERVER("\0\0\0\0") };
	struct conversation s = on_port(5900);

	talk(&s, open, COUNT(open));
	cr_assert_eq(stream_number(&s, "vnc.none_offered"), 1);
	cr_assert_eq(stream_number(&s, "vnc.no_authentication"), 1);
	cr_assert_eq(stream_number(&s, "vnc.opened"), 1);
	stream_finish(&s);
}

Test(vnc, version_3_is_told_what_to_do)
{
	static const struct said old[] = { SERVER("RFB 003.003\n"), CLIENT("RFB 003.003\n"),
					   SERVER("\0\0\0\1") };
	struct conversation s = on_port(5900);

	talk(&s, old, COUNT(old));
	cr_assert_eq(s.result, DISSECT_DONE);
	cr_assert_str_eq(stream_text(&s, "vnc.security", 0), "none");
	cr_assert_eq(stream_number(&s, "vnc.opened"), 1);
	stream_finish(&s);
}

Test(vnc, a_server_that_refuses)
{
	static const struct said refused[] = { SERVER("RFB 003.008\n"), CLIENT("RFB 003.008\n"),
					       SERVER("\0\0\0\0\5ZZPHI") };
	struct conversation s = on_port(5900);

	talk(&s, refused, COUNT(refused));
	cr_assert_eq(stream_number(&s, "vnc.refused"), 1);
	cr_assert_str_eq(stream_text(&s, "vnc.security", 0), "");
	stream_finish(&s);
}

Test(vnc, tls_behind_vencrypt)
{
	static const struct said tls[] = {
		SERVER("RFB 003.008\n"),
		CLIENT("RFB 003.008\n"),
		SERVER("\x01\x13"),
		CLIENT("\x13"),
		SERVER("\0\2"),
		CLIENT("\0\2"),
		SERVER("\0\1\0\0\1\5"),
		CLIENT("\0\0\1\5"),
		SERVER("\1"),
		CLIENT("\x16\x03\x01\0\x40\x01\0\0\x3c"),
		SERVER("\x16\x03\x03\0\x40\x02\0\0\x3c"),
	};
	struct conversation s = on_port(5900);

	talk(&s, tls, COUNT(tls) - 1);
	cr_assert_not(s.encrypted);
	talk(&s, tls + COUNT(tls) - 1, 1);
	cr_assert(s.encrypted);
	cr_assert_eq(s.result, DISSECT_DONE);
	stream_finish(&s);
}

Test(vnc, what_was_not_offered_is_malformed)
{
	struct conversation s = on_port(5900);

	talk(&s, with_password, 3);
	stream_offer(&s, 0, "\x01", 1);
	cr_assert_eq(s.result, DISSECT_MALFORMED);
	stream_finish(&s);
}

Test(vnc, others_are_refused)
{
	static const char *const others[] = { "RFB 3.8\n    ", "RFB 003.008\r\n", "RFC 003.008\n" };

	for (size_t i = 0; i < COUNT(others); i++) {
		struct conversation s = on_port(5900);
		stream_offer(&s, 1, others[i], strlen(others[i]));
		cr_assert(s.refused, "%s", others[i]);
		stream_finish(&s);
	}
}
