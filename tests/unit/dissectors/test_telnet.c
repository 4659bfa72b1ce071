/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/talk.h"

extern const struct dissector dissector_telnet;

static const struct said session[] = {
	SERVER("\xff\xfd\x18\xff\xfd\x1f\xff\xfb\x01"),
	CLIENT("\xff\xfb\x18\xff\xfc\x1f\xff\xfd\x01"),
	SERVER("\xff\xfa\x18\x01\xff\xf0"),
	CLIENT("\xff\xfa\x18\x00login:\xff\xf0"),
	SERVER("Debian\r\nhost login: "),
	CLIENT("ZZPHI\r\n"),
	SERVER("Password: "),
	CLIENT("password: ZZSECRET\r\n"),
	SERVER("\r\nLogin incorrect\r\nhost login: "),
};

static struct conversation on_port(uint16_t port)
{
	struct conversation s;
	stream_init(&s, &dissector_telnet, TRANSPORT_TCP, 50000, port);
	return s;
}

static void check(const struct conversation *s)
{
	cr_assert(s->claimed);
	cr_assert_eq(s->result, DISSECT_MORE);
	cr_assert_eq(s->client_direction, 0);
	cr_assert_str_eq(stream_text(s, "telnet.option", 0), "terminal-type");
	cr_assert_str_eq(stream_text(s, "telnet.option", 1), "window-size");
	cr_assert_str_eq(stream_text(s, "telnet.option", 2), "echo");
	cr_assert_eq(stream_number(s, "telnet.login_prompts"), 2);
	cr_assert_eq(stream_number(s, "telnet.password_prompts"), 1);
	cr_assert_eq(stream_number(s, "telnet.login_failures"), 1);
	cr_assert_eq(stream_number(s, "telnet.clear_text_password"), 1);
	cr_assert_eq(stream_number(s, "telnet.encryption"), 0);
}

Test(telnet, in_pieces_of_every_size_on_any_port)
{
	for (size_t chunk = 1; chunk < 40; chunk++) {
		struct conversation s = on_port(chunk % 2 ? 23 : 40023);
		talk_cut(&s, session, COUNT(session), chunk, SIZE_MAX);
		check(&s);
		stream_finish(&s);
	}
}

Test(telnet, every_truncation_says_less)
{
	struct conversation all = on_port(23);

	talk(&all, session, COUNT(session));
	for (size_t n = 0; n < talk_size(session, COUNT(session)); n++) {
		struct conversation s = on_port(23), t = on_port(40023);
		talk_cut(&s, session, COUNT(session), SIZE_MAX / 2, n);
		talk_cut(&t, session, COUNT(session), SIZE_MAX / 2, n);
		cr_assert_eq(s.claimed, n >= 3, "%zu bytes", n);
		cr_assert_eq(t.claimed, n >= 6, "%zu bytes", n);
		cr_assert(talk_says_less(&s, &all), "%zu bytes", n);
		stream_finish(&s);
		stream_finish(&t);
	}
	stream_finish(&all);
}

Test(telnet, encryption_once_it_begins)
{
	static const char begins[] = "\xff\xfa\x26\x03\0\xff\xf0";

	for (size_t chunk = 1; chunk < sizeof(begins); chunk++) {
		struct conversation s = on_port(23);
		stream_offer(&s, 1, "\xff\xfd\x26\xff\xfd\x18", 6);
		stream_offer(&s, 0, "\xff\xfb\x26", 3);
		cr_assert_str_eq(stream_text(&s, "telnet.option", 0), "encryption");
		cr_assert_eq(stream_number(&s, "telnet.encryption"), 0);
		stream_chunks(&s, 0, begins, sizeof(begins) - 1, chunk);
		cr_assert_eq(stream_number(&s, "telnet.encryption"), 1);
		cr_assert_not(s.encrypted, "what follows is not proved to be");
		stream_finish(&s);
	}
}

Test(telnet, a_question_is_no_answer)
{
	struct conversation s = on_port(23);

	talk(&s, session, 7);
	stream_offer(&s, 0, "\r\n\r\n", 4);
	cr_assert_eq(stream_number(&s, "telnet.password_prompts"), 1);
	cr_assert_eq(stream_number(&s, "telnet.clear_text_password"), 0);
	stream_offer(&s, 0, "Z", 1);
	cr_assert_eq(stream_number(&s, "telnet.clear_text_password"), 1);
	stream_finish(&s);
}

Test(telnet, what_is_looked_at_is_bounded)
{
	static uint8_t text[9000];
	struct conversation s = on_port(23);

	memset(text, 'a', sizeof(text));
	talk(&s, session, 2);
	stream_chunks(&s, 1, text, sizeof(text), 1000);
	cr_assert_eq(s.result, DISSECT_DONE);
	stream_finish(&s);
}

Test(telnet, others_are_refused)
{
	static const struct said others[] = {
		CLIENT("\xff\xd8\xff\xe0"),     /* JPEG */
		CLIENT("\xff\xfb\x90\x44\0\0"), /* MP3 */
		CLIENT("\xff\xfd\x18hello"),    /* one alone, elsewhere */
		CLIENT("login: "),
	};

	for (size_t i = 0; i < COUNT(others); i++) {
		struct conversation s = on_port(40023);
		talk(&s, others + i, 1);
		cr_assert(s.refused, "case %zu", i);
		stream_finish(&s);
	}
}
