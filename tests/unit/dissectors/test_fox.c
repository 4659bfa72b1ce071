/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_fox;

static const char asks[] =
	"fox a 1 -1 fox hello\n{\nfox.version=s:1.0\nid=i:1\n"
	"app.name=s:Workbench\napp.version=s:4.10.0\nos.name=s:Windows 10\n};;\n";
static const char tells[] =
	"fox a 0 -1 fox hello\n{\nfox.version=s:1.0.1\nid=i:1\nhostName=s:ZZPHI-jace\n"
	"hostAddress=s:10.0.0.9\napp.name=s:Station\napp.version=s:3.8.213\n"
	"vm.name=s:Java HotSpot(TM) Embedded Client VM\nvm.version=s:1.5.0_81-b06\n"
	"os.name=s:QNX\nos.version=s:6.4.1\nstation.name=s:ZZPHIward4\n"
	"hostId=s:ZZSECRET-0000\nvmUuid=s:11e8e9a6-0b40\nbrandId=s:vykon\n"
	"sysInfo=o:bog 61[<bog version=\"1.0\">\n<p m=\"ZZPHI\"/>\n</bog>\n]\n"
	"authAgentTypeSpecs=s:fox:FoxUsernamePasswordAuthAgent;other:Agent\n};;\n";
static const char later[] = "fox a 1 0 fox login\n{\nusername=s:ZZSECRET\n};;\n";

static struct conversation tcp(uint16_t server_port)
{
	struct conversation s;
	stream_init(&s, &dissector_fox, TRANSPORT_TCP, 50000, server_port);
	return s;
}

static void check_greetings(const struct conversation *s)
{
	cr_assert(s->claimed);
	cr_assert_eq(s->confidence, CONFIDENCE_HIGH);
	cr_assert_eq(s->client_direction, 0);
	cr_assert_eq(s->result, DISSECT_DONE);
	cr_assert_eq(stream_number(s, "fox.hellos"), 2);
	cr_assert_eq(stream_number(s, "fox.malformed"), 0);
	cr_assert_str_eq(stream_text(s, "fox.version", 0), "1.0.1");
	cr_assert_str_eq(stream_text(s, "fox.app", 0), "Station");
	cr_assert_str_eq(stream_text(s, "fox.app_version", 0), "3.8.213");
	cr_assert_str_eq(stream_text(s, "fox.vm", 0), "Java HotSpot(TM) Embedded Client");
	cr_assert_str_eq(stream_text(s, "fox.vm_version", 0), "1.5.0_81-b06");
	cr_assert_str_eq(stream_text(s, "fox.os", 0), "QNX");
	cr_assert_str_eq(stream_text(s, "fox.os_version", 0), "6.4.1");
	cr_assert_str_eq(stream_text(s, "fox.brand", 0), "vykon");
	cr_assert_str_eq(stream_text(s, "fox.auth", 0), "FoxUsernamePasswordAuthAgent");
	cr_assert_str_eq(stream_text(s, "fox.client_version", 0), "1.0");
	cr_assert_str_eq(stream_text(s, "fox.client_app", 0), "Workbench");
	cr_assert_str_eq(stream_text(s, "fox.client_os", 0), "Windows 10");
	cr_assert_null(memmem(s->out.texts, s->out.text_used, "ZZ", 2));
}

Test(fox, ways_to_prove_who_one_is_are_of_a_list)
{
	static const char own[] = "fox a 0 -1 fox hello\n{\nfox.version=s:1.0\n"
				  "authAgentTypeSpecs=s:acme:ZZPHIAuthAgent\n};;\n";
	struct conversation s = tcp(1911);

	stream_offer(&s, 0, asks, sizeof(asks) - 1);
	stream_offer(&s, 1, own, sizeof(own) - 1);
	cr_assert_str_eq(stream_text(&s, "fox.auth", 0), "other");
	stream_finish(&s);
}

Test(fox, greetings_on_any_port_in_any_pieces)
{
	static const uint16_t ports[] = { 1911, 40000 };

	for (size_t i = 0; i < 2; i++)
		for (size_t chunk = 1; chunk < 120; chunk++) {
			struct conversation s = tcp(ports[i]);
			stream_chunks(&s, 0, asks, sizeof(asks) - 1, chunk);
			stream_chunks(&s, 1, tells, sizeof(tells) - 1, chunk);
			stream_chunks(&s, 0, later, sizeof(later) - 1, chunk);
			check_greetings(&s);
			stream_finish(&s);
		}
}

Test(fox, ends_of_lines_may_be_of_two_bytes)
{
	static const char crlf[] =
		"fox a 0 -1 fox hello\r\n{\r\nfox.version=s:1.0.1\r\nos.name=s:QNX\r\n};;\r\n";
	struct conversation s = tcp(1911);

	stream_offer(&s, 1, crlf, sizeof(crlf) - 1);
	cr_assert_eq(s.client_direction, 0, "the one who replies is the server");
	cr_assert_str_eq(stream_text(&s, "fox.os", 0), "QNX");
	cr_assert_str_eq(stream_text(&s, "fox.version", 0), "1.0.1");
	stream_finish(&s);
}

Test(fox, a_refusal)
{
	static const char fatal[] = "fox a 0 -1 fox hello\n{\nfatal=s:ZZPHI unsupported\n};;\n";
	struct conversation s = tcp(1911);

	stream_offer(&s, 1, fatal, sizeof(fatal) - 1);
	cr_assert_eq(stream_number(&s, "fox.refusals"), 1);
	cr_assert_eq(s.out.text_used, 0);
	stream_finish(&s);
}

Test(fox, texts_outside_their_grammar_do_not_leave)
{
	static const char odd[] = "fox a 0 -1 fox hello\n{\nfox.version=s:ZZ 1\napp.name=s:ZZ\x01\n"
				  "brandId=s:ZZ brand\n};;\n";
	struct conversation s = tcp(1911);

	stream_offer(&s, 1, odd, sizeof(odd) - 1);
	cr_assert_str_eq(stream_text(&s, "fox.version", 0), "invalid");
	cr_assert_str_eq(stream_text(&s, "fox.app", 0), "invalid");
	cr_assert_str_eq(stream_text(&s, "fox.brand", 0), "invalid");
	stream_finish(&s);
}

Test(fox, a_long_line_is_stepped_over)
{
	static const char head[] = "fox a 0 -1 fox hello\n{\nsysInfo=o:bog 61[";
	static const char tail[] = "\nos.name=s:QNX\n};;\n";
	char filler[300];
	struct conversation s = tcp(1911);

	memset(filler, 'Z', sizeof(filler));
	stream_offer(&s, 1, head, sizeof(head) - 1);
	for (int i = 0; i < 10; i++)
		stream_offer(&s, 1, filler, sizeof(filler));
	stream_offer(&s, 1, tail, sizeof(tail) - 1);
	cr_assert_str_eq(stream_text(&s, "fox.os", 0), "QNX");
	cr_assert_eq(stream_number(&s, "fox.malformed"), 0);
	stream_finish(&s);
}

Test(fox, a_greeting_without_end_is_given_up)
{
	static const char line[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n";
	struct conversation s = tcp(1911);

	stream_offer(&s, 1, tells, 24);
	for (int i = 0; i < 2000; i++)
		stream_offer(&s, 1, line, sizeof(line) - 1);
	cr_assert_eq(stream_number(&s, "fox.malformed"), 1);
	stream_finish(&s);
}

Test(fox, every_truncation)
{
	size_t header = strcspn(tells, "\n") + 1;

	for (size_t n = 0; n < sizeof(tells) - 1; n++) {
		struct conversation s = tcp(1911);
		stream_offer(&s, 1, tells, n);
		cr_assert_eq(s.claimed, n >= header, "%zu", n);
		cr_assert_not(s.refused);
		cr_assert_eq(stream_number(&s, "fox.hellos"), n >= header);
		cr_assert_eq(stream_number(&s, "fox.malformed"), 0);
		cr_assert_null(memmem(s.out.texts, s.out.text_used, "ZZ", 2));
		stream_finish(&s);
	}
}

Test(fox, a_gap_ends_a_greeting)
{
	struct conversation s = tcp(1911);

	stream_offer(&s, 0, asks, 40);
	stream_lose(&s, 0);
	stream_offer(&s, 0, asks + 60, sizeof(asks) - 61);
	cr_assert_eq(stream_number(&s, "fox.malformed"), 1);
	cr_assert_eq(s.result, DISSECT_MORE);
	stream_offer(&s, 1, tells, sizeof(tells) - 1);
	cr_assert_eq(s.result, DISSECT_DONE);
	stream_finish(&s);
}

Test(fox, what_is_not_a_greeting_is_not_ours)
{
	static const char *const others[] = {
		"fox a 2 -1 fox hello\n", "fox b 1 -1 fox hello\n",
		"fox a 1 x fox hello\n",  "fox a 1 - fox hello\n",
		"fox a 1 -1 fox login\n", "fox a 1 -1 fox hello!",
		"foxes are animals.\n",   "fox a 1 12345678901 fox hello\n",
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		struct conversation s = tcp(1911);
		stream_offer(&s, 0, others[i], strlen(others[i]));
		cr_assert(s.refused, "%s", others[i]);
		stream_finish(&s);
	}
}
