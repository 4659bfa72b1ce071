/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_poct1a;

#define HEADER \
	"<HDR><HDR.control_id V=\"ZZPHI1\"/><HDR.version_id V=\"POCT1\"/>" \
	"<HDR.creation_dttm V=\"2026-03-01T12:00:00\"/></HDR>"

static const char hello[] =
	"<HEL.R01>" HEADER "<DEV><DEV.device_id V=\"ZZPHI\"/><DEV.vendor_id V=\"TESTVENDOR\"/>"
	"<DEV.model_id V='Lab 500'/><DEV.serial_id V=\"S-42\"/><DEV.sw_version V=\"3.10\"/>"
	"</DEV></HEL.R01>";
static const char results[] =
	"<?xml version=\"1.0\"?>\n<OBS.R01>" HEADER "<PT><PT.name V=\"ZZPHI > </OBS.R01>\"/>"
	"<!-- ZZPHI </OBS.R01> --><NTE><![CDATA[ZZPHI </OBS.R01>]]></NTE>"
	"<DEV.vendor_idx V=\"ZZPHI\"/></PT></OBS.R01>";
static const char directive[] =
	"<DTV.R02>" HEADER "<DTV><DTV.command_cd V=\"LOCK\"/></DTV></DTV.R02>";

static const char *ack(const char *code)
{
	static char text[512];

	snprintf(text, sizeof(text),
		 "<ACK.R01>" HEADER "<ACK><ACK.type_cd V=\"%s\"/>"
		 "<ACK.ack_control_id V=\"ZZPHI1\"/></ACK></ACK.R01>\r\n",
		 code);
	return text;
}

static struct conversation tcp(void)
{
	struct conversation s;
	stream_init(&s, &dissector_poct1a, TRANSPORT_TCP, 50000, 50500);
	return s;
}

static void say(struct conversation *s, unsigned direction, const char *text, size_t chunk)
{
	stream_chunks(s, direction, text, strlen(text), chunk);
}

static void talk(struct conversation *s, size_t chunk)
{
	say(s, 0, hello, chunk);
	say(s, 1, ack("AA"), chunk);
	/* `>` and `<` within a value: the latter is not allowed there. */
	static char sound[sizeof(results)];
	memcpy(sound, results, sizeof(results));
	char *bad = strstr(sound, "</OBS.R01>\"");
	memcpy(bad, "==========", 10);
	say(s, 0, sound, chunk);
	say(s, 1, ack("AE"), chunk);
	say(s, 1, directive, chunk);
	say(s, 0, ack("AR"), chunk);
}

static void check_talk(const struct conversation *s)
{
	cr_expect(s->claimed);
	cr_expect_eq(s->result, DISSECT_MORE);
	cr_expect_eq(s->confidence, CONFIDENCE_HIGH);
	cr_expect_eq(s->client_direction, 0);
	cr_expect_eq(stream_number(s, "poct1a.hellos"), 1);
	cr_expect_eq(stream_number(s, "poct1a.observations"), 1);
	cr_expect_eq(stream_number(s, "poct1a.directives"), 1);
	cr_expect_eq(stream_number(s, "poct1a.acks"), 3);
	cr_expect_eq(stream_number(s, "poct1a.ack_aa"), 1);
	cr_expect_eq(stream_number(s, "poct1a.ack_ae"), 1);
	cr_expect_eq(stream_number(s, "poct1a.ack_ar"), 1);
	cr_expect_eq(stream_number(s, "poct1a.malformed"), 0);
	cr_expect_str_eq(stream_text(s, "poct1a.vendor", 0), "TESTVENDOR");
	cr_expect_str_eq(stream_text(s, "poct1a.model", 0), "Lab 500");
	cr_expect_str_eq(stream_text(s, "poct1a.software_version", 0), "3.10");
	cr_expect_str_eq(stream_text(s, "poct1a.serial", 0), "", "a fact, not part of a flow");
}

static bool says_fact(const struct conversation *s, const char *field, const char *text)
{
	for (size_t i = 0; i < s->fact_count; i++)
		if (!strcmp(s->facts[i].field->name, field) && s->facts[i].length == strlen(text) &&
		    !memcmp(s->facts[i].text, text, strlen(text)))
			return s->facts[i].subject == FACT_SENDER;
	return false;
}

static void check_no_canary(const struct conversation *s)
{
	for (size_t i = 0; i + 1 < s->out.text_used; i++)
		cr_expect(memcmp(s->out.texts + i, "ZZ", 2), "a canary");
	for (size_t i = 0; i < s->fact_count; i++)
		cr_expect(memcmp(s->facts[i].text, "ZZ", 2), "a canary");
}

Test(poct1a, a_conversation_in_pieces_of_any_size)
{
	for (size_t chunk = 1; chunk < 500; chunk++) {
		struct conversation s = tcp();

		talk(&s, chunk);
		check_talk(&s);
		check_no_canary(&s);
		cr_expect(says_fact(&s, "poct1a.serial", "S-42"));
		cr_expect(says_fact(&s, "poct1a.model", "Lab 500"));
		stream_finish(&s);
	}
}

Test(poct1a, every_truncation_waits)
{
	size_t version = (size_t)(strstr(hello, "POCT1") - hello) + 5;

	for (size_t n = 1; n < sizeof(hello) - 1; n++) {
		struct conversation s = tcp();
		stream_offer(&s, 0, hello, n);
		cr_expect_not(s.refused, "%zu bytes", n);
		cr_expect_eq(s.claimed, n >= version, "%zu bytes", n);
		cr_expect_eq(stream_number(&s, "poct1a.hellos"), s.claimed, "%zu bytes", n);
		cr_expect_eq(stream_number(&s, "poct1a.malformed"), 0);
		stream_finish(&s);
	}
}

Test(poct1a, what_else_begins_like_xml_is_left_alone)
{
	static const char *const others[] = {
		"<?xml version=\"1.0\"?><stream:stream xmlns='jabber:client'>",
		"<HEL.R01>" /* no header, and no version for 600 bytes */,
		"<HEL.R0>" HEADER,
		"<HELLO>" HEADER,
		"<XYZ.R01>" HEADER,
		"<HEL.R01/>" HEADER,
		"<html><body>",
		"   x",
		"GET / HTTP/1.1\r\n\r\n",
	};
	static char text[1024];

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct conversation s = tcp();
		memset(text, ' ', sizeof(text));
		memcpy(text, others[i], strlen(others[i]));
		stream_offer(&s, 0, text, 600);
		cr_expect(s.refused, "%s", others[i]);
		cr_expect_not(s.claimed, "%s", others[i]);
		stream_finish(&s);
	}
}

Test(poct1a, another_version_is_another_protocol)
{
	static const char other[] = "<HEL.R01><HDR><HDR.version_id V=\"POCT9\"/></HDR></HEL.R01>";
	struct conversation s = tcp();

	stream_offer(&s, 0, other, sizeof(other) - 1);
	cr_expect(s.refused);
	stream_finish(&s);
}

Test(poct1a, is_found_in_the_middle_of_a_stream)
{
	static const char rest[] = "value V=\"ZZPHI\"/></OBS></PT></OBS.R01>";
	static char text[2048];
	struct conversation s = tcp();

	snprintf(text, sizeof(text), "%s%s", rest, hello);
	s.midstream = true;
	stream_offer(&s, 0, text, strlen(text));
	cr_expect(s.claimed);
	cr_expect_eq(s.confidence, CONFIDENCE_MEDIUM);
	cr_expect_eq(stream_number(&s, "poct1a.malformed"), 0);
	cr_expect_eq(stream_number(&s, "poct1a.hellos"), 1);
	cr_expect_str_eq(stream_text(&s, "poct1a.vendor", 0), "TESTVENDOR");
	check_no_canary(&s);
	stream_finish(&s);
}

Test(poct1a, goes_on_behind_a_gap)
{
	struct conversation s = tcp();

	stream_offer(&s, 0, hello, sizeof(hello) - 1);
	stream_offer(&s, 0, results, 150);
	stream_lose(&s, 0);
	stream_offer(&s, 0, "ZZPHI\"/></PT></OBS.R01>", 23);
	say(&s, 0, ack("AA"), 7);
	cr_expect_eq(stream_number(&s, "poct1a.observations"), 1);
	cr_expect_eq(stream_number(&s, "poct1a.acks"), 1);
	cr_expect_eq(stream_number(&s, "poct1a.malformed"), 0);
	check_no_canary(&s);
	stream_finish(&s);
}

Test(poct1a, broken_documents_are_counted_and_left)
{
	struct conversation s = tcp();

	stream_offer(&s, 0, hello, sizeof(hello) - 1);
	stream_offer(&s, 0, results, sizeof(results) - 1); /* `<` in a value */
	stream_offer(&s, 0, "<!DOCTYPE x>", 12);
	say(&s, 0, ack("AA"), 500);
	cr_expect_geq(stream_number(&s, "poct1a.malformed"), 1);
	cr_expect_eq(stream_number(&s, "poct1a.acks"), 1);
	stream_finish(&s);
}

Test(poct1a, a_document_without_end_is_given_up)
{
	static char filler[16000];
	struct conversation s = tcp();

	memset(filler, ' ', sizeof(filler));
	stream_offer(&s, 0, directive, strlen(directive) - 10);
	for (int i = 0; i < 270; i++)
		stream_offer(&s, 0, filler, sizeof(filler));
	cr_expect_eq(stream_number(&s, "poct1a.malformed"), 1);
	say(&s, 0, hello, 100);
	cr_expect_eq(stream_number(&s, "poct1a.hellos"), 1);
	stream_finish(&s);
}

Test(poct1a, odd_values_are_invalid)
{
	static const char odd[] =
		"<HEL.R01>" HEADER "<DEV><DEV.vendor_id V=\"ZZ^PHI\"/><DEV.sw_version V=\"ZZPHI\"/>"
		"<DEV.serial_id V=\"Z&amp;Z\"/></DEV></HEL.R01>";
	struct conversation s = tcp();

	stream_offer(&s, 0, odd, sizeof(odd) - 1);
	cr_expect_str_eq(stream_text(&s, "poct1a.vendor", 0), "invalid");
	cr_expect_str_eq(stream_text(&s, "poct1a.software_version", 0), "invalid");
	cr_expect(says_fact(&s, "poct1a.serial", "invalid"));
	check_no_canary(&s);
	stream_finish(&s);
}
