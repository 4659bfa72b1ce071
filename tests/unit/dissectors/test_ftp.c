/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/talk.h"

extern const struct dissector dissector_ftp;

static const struct said session[] = {
	SERVER("220 (vsFTPd 3.0.3) ZZPHI\r\n"),
	CLIENT("USER ZZPHI\r\n"),
	SERVER("331 Please specify the password.\r\n"),
	CLIENT("PASS ZZSECRET\r\n"),
	SERVER("530 Login incorrect.\r\n"),
	CLIENT("user anonymous\r\n"),
	SERVER("331 Please specify the password.\r\n"),
	CLIENT("PASS ZZSECRET\r\n"),
	SERVER("230-Welcome ZZPHI\r\n230 Login successful.\r\n"),
	CLIENT("STOR ZZPHI.dcm\r\n"),
	SERVER("150 Ok to send data.\r\n226 Transfer complete.\r\n"),
	CLIENT("RETR ZZPHI.dcm\r\nQUIT\r\n"),
	SERVER("221 Goodbye.\r\n"),
};

static struct conversation on_port(uint16_t port)
{
	struct conversation s;
	stream_init(&s, &dissector_ftp, TRANSPORT_TCP, 50000, port);
	return s;
}

static void check(const struct conversation *s)
{
	cr_assert(s->claimed);
	cr_assert_eq(s->result, DISSECT_MORE);
	cr_assert_eq(s->client_direction, 0);
	cr_assert_eq(s->confidence, CONFIDENCE_HIGH);
	cr_assert_str_eq(stream_text(s, "ftp.server_software", 0), "vsFTPd 3.0.3");
	cr_assert_eq(stream_number(s, "ftp.users"), 2);
	cr_assert_eq(stream_number(s, "ftp.clear_text_password"), 1);
	cr_assert_eq(stream_number(s, "ftp.anonymous"), 1);
	cr_assert_eq(stream_number(s, "ftp.logins"), 1);
	cr_assert_eq(stream_number(s, "ftp.login_failures"), 1);
	cr_assert_eq(stream_number(s, "ftp.stores"), 1);
	cr_assert_eq(stream_number(s, "ftp.retrievals"), 1);
	cr_assert_eq(stream_number(s, "ftp.auth_tls"), 0);
}

Test(ftp, in_pieces_of_every_size_on_any_port)
{
	for (size_t chunk = 1; chunk < 50; chunk++) {
		struct conversation s = on_port(chunk % 2 ? 21 : 40021);
		talk_cut(&s, session, COUNT(session), chunk, SIZE_MAX);
		check(&s);
		stream_finish(&s);
	}
}

Test(ftp, every_truncation_says_less)
{
	struct conversation all = on_port(40021);

	talk(&all, session, COUNT(session));
	for (size_t n = 0; n < talk_size(session, COUNT(session)); n++) {
		struct conversation s = on_port(40021);
		talk_cut(&s, session, COUNT(session), SIZE_MAX / 2, n);
		cr_assert_neq(s.result, DISSECT_MALFORMED, "%zu bytes", n);
		cr_assert(talk_says_less(&s, &all), "%zu bytes", n);
		stream_finish(&s);
	}
	stream_finish(&all);
}

Test(ftp, tls)
{
	static const struct said tls[] = {
		SERVER("220 ProFTPD Server ready\r\n"),   CLIENT("AUTH TLS\r\n"),
		SERVER("234 AUTH TLS successful\r\n"),    CLIENT("\x16\x03\x01\0\x40\x01\0\0\x3c"),
		SERVER("\x16\x03\x03\0\x40\x02\0\0\x3c"),
	};
	struct conversation s = on_port(21);

	talk(&s, tls, COUNT(tls) - 1);
	cr_assert_not(s.encrypted);
	talk(&s, tls + COUNT(tls) - 1, 1);
	cr_assert(s.encrypted);
	cr_assert_eq(s.result, DISSECT_DONE);
	cr_assert_eq(stream_number(&s, "ftp.auth_tls"), 1);
	cr_assert_eq(stream_number(&s, "ftp.clear_text_password"), 0);
	cr_assert_str_eq(stream_text(&s, "ftp.server_software", 0), "ProFTPD");
	stream_finish(&s);
}

Test(ftp, mail_is_left_alone)
{
	static const char *const greetings[] = {
		"220 ftp.example ESMTP Postfix\r\n",
		"220 mx.example ready\r\n",
	};

	for (size_t i = 0; i < COUNT(greetings); i++) {
		struct conversation s = on_port(25);
		stream_offer(&s, 1, greetings[i], strlen(greetings[i]));
		cr_assert(s.refused, "%s", greetings[i]);
		stream_finish(&s);
	}
}

Test(ftp, a_bare_greeting_is_ours_on_port_21)
{
	struct conversation s = on_port(21), t = on_port(21);

	stream_offer(&s, 1, "220 ready\r\n", 11);
	cr_assert_eq(s.confidence, CONFIDENCE_MEDIUM);
	stream_offer(&s, 0, "EHLO x\r\n", 8);
	cr_assert_eq(s.result, DISSECT_NOT_MINE);
	stream_offer(&t, 0, "USER ZZPHI\r\n", 12);
	cr_assert(t.claimed);
	cr_assert_eq(t.client_direction, 0);
	stream_finish(&s);
	stream_finish(&t);
}

Test(ftp, lines_without_end_are_passed_over)
{
	static uint8_t line[3000];
	struct conversation s = on_port(21);

	memset(line, 'A', sizeof(line));
	talk(&s, session, 1);
	stream_chunks(&s, 0, line, sizeof(line), 500);
	stream_offer(&s, 0, "USER hidden in it\r\nPASS x\r\n", 27);
	cr_assert_eq(stream_number(&s, "ftp.users"), 0);
	cr_assert_eq(stream_number(&s, "ftp.clear_text_password"), 1);
	stream_finish(&s);
}
