/* SPDX-License-Identifier: Apache-2.0
 *
 * What HL7 traffic is judged by: what messages are for, which of them want an answer,
 * how slow it is, what they are made of, and who writes like this. */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_hl7;

#define MSH(type, tail) "MSH|^~\\&|A|B|C|D|20240101|ZZSECRET|" type "|ZZPHI1|P|2.5.1" tail "\r"
#define FRAME(text) "\x0b" text "\x1c\r"

static struct conversation s;
static char text[8192];

static void begin(void)
{
	stream_finish(&s);
	stream_init(&s, &dissector_hl7, TRANSPORT_TCP, 40000, 40001);
}

static void say_by(unsigned direction, const char *what, int64_t at, size_t piece)
{
	s.time.v = at;
	stream_chunks(&s, direction, what, strlen(what), piece);
	stream_describe(&s, text, sizeof(text));
	cr_expect(!strstr(text, "ZZ"), "%s", text);
}

static void say(unsigned direction, const char *what, int64_t at)
{
	say_by(direction, what, at, 1 << 16);
}

static bool has(const char *part)
{
	return strstr(text, part);
}

/* ---- what they are for ---- */

Test(hl7_kinds, groups)
{
	static const struct {
		const char *message, *wanted;
	} rows[] = {
		{ FRAME(MSH("ADT^A01^ADT_A01", "")), "hl7.group=adt" },
		{ FRAME(MSH("RDE^O11^RDE_O11", "")), "hl7.group=orders" },
		{ FRAME(MSH("RDY^K15", "")), "hl7.group=orders" },
		{ FRAME(MSH("ORU^R01", "")), "hl7.group=results" },
		{ FRAME(MSH("ORU^R40^ORU_R40", "")), "hl7.group=alarm" },
		{ FRAME(MSH("QBP^Q22", "")), "hl7.group=query" },
		{ FRAME(MSH("DSR", "")), "hl7.group=query" },
		{ FRAME(MSH("MFN^M02", "")), "hl7.group=master" },
		{ FRAME(MSH("LSR", "")), "hl7.group=device" },
		{ FRAME(MSH("SIU^S12", "")), "hl7.group=schedule" },
		{ FRAME(MSH("DFT^P03", "")), "hl7.group=billing" },
		{ FRAME(MSH("VXU^V04", "")), "hl7.group=vaccination" },
		{ FRAME(MSH("XYZ", "")), "hl7.group=other" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		begin();
		say(0, rows[i].message, 1);
		cr_expect(has(rows[i].wanted), "%s: %s", rows[i].wanted, text);
		cr_expect(has("hl7.queries=1") == !strcmp(rows[i].wanted, "hl7.group=query"));
	}
	begin();
	say(0, FRAME(MSH("ZZPHI", "")), 1);
	say(0, FRAME(MSH("ACK", "")), 1);
	cr_expect(!has("hl7.group"), "neither a type nor a message: %s", text);
}

Test(hl7_kinds, merges_and_tests)
{
	begin();
	say(0, FRAME(MSH("ADT^A40^ADT_A39", "") "PID|ZZ\rMRG|ZZ\r"), 1);
	say(0, FRAME(MSH("ADT^A18", "")), 1);
	say(0, FRAME(MSH("ADT^A04", "")), 1);
	say(0, FRAME(MSH("ORU^A40", "")), 1);
	cr_expect(has("hl7.merges=2") && has("hl7.segments_mrg=1"), "%s", text);
	cr_expect(!has("test_messages"));
	say(0, FRAME("MSH|^~\\&|A|B|C|D|||ADT^A04|1|T|2.5\r"), 1);
	say(0, FRAME("MSH|^~\\&|A|B|C|D|||ADT^A04|1|D^T|2.5\r"), 1);
	say(0, FRAME("MSH|^~\\&|A|B|C|D|||ADT^A04|1|TT|2.5\r"), 1);
	say(1, FRAME("MSH|^~\\&|C|D|A|B|||ACK|1|T|2.5\rMSA|AA\r"), 1);
	cr_expect(has("hl7.test_messages=2"), "%s", text);
}

/* ---- who wants an answer, and gets it ---- */

static const struct {
	const char *message;
	bool silent;
} wishes[] = {
	{ FRAME(MSH("ADT^A01", "")), false },         { FRAME(MSH("ADT^A01", "|||")), false },
	{ FRAME(MSH("ADT^A01", "|||AL|AL")), false }, { FRAME(MSH("ADT^A01", "|||AL")), false },
	{ FRAME(MSH("ADT^A01", "|||NE|AL")), false }, { FRAME(MSH("ADT^A01", "||||AL")), false },
	{ FRAME(MSH("ADT^A01", "|||SU|NE")), false }, { FRAME(MSH("ADT^A01", "|||ZZ|NE")), false },
	{ FRAME(MSH("ADT^A01", "|||NE|NE")), true },  { FRAME(MSH("ADT^A01", "|||ER|NE")), true },
	{ FRAME(MSH("ADT^A01", "|||NE")), true },     { FRAME(MSH("ADT^A01", "||||NE")), true },
};

Test(hl7_kinds, messages_that_want_no_answer)
{
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		begin();
		say(0, wishes[i].message, 1);
		cr_expect(has("hl7.no_ack_wanted=1") == wishes[i].silent, "%zu: %s", i, text);
		cr_expect(has("hl7.unanswered=0") == wishes[i].silent, "%zu: %s", i, text);
	}
	begin();
	say(0, FRAME(MSH("ADT^A01", "|||NE|AL")), 1);
	cr_expect(has("hl7.accept_ack=NE hl7.application_ack=AL"));
	say(0, FRAME(MSH("ADT^A01", "|||ZZ|ZZ")), 1);
	cr_expect(has("hl7.accept_ack=invalid hl7.application_ack=invalid"));
}

Test(hl7_kinds, slow_answers)
{
	begin();
	say(0, FRAME(MSH("ADT^A01", "")), 0);
	say(1, FRAME(MSH("ACK", "") "MSA|AA\r"), 5000000);
	cr_expect(!has("slow"));
	say(0, FRAME(MSH("ADT^A01", "")), 6000000);
	say(1, FRAME(MSH("ACK", "") "MSA|AA\r"), 11000001);
	cr_expect(has("hl7.slow_acks=1") && has("hl7.ack_latency_min_us=5000000"), "%s", text);
	cr_expect(has("hl7.ack_latency_max_us=5000001"));
}

/* ---- what they are made of ---- */

Test(hl7_kinds, segments)
{
	static const char message[] = FRAME(
		MSH("ORU^R01", "") "PID|ZZ\rORC|ZZ\rOBR|ZZ\rOBX|ZZ\rOBX|ZZ PID|ZZ\rRXE|ZZ\r"
				   "ZPI|ZZ\rPIDX|ZZ\rPI\rNTE|PID|ZZ\rMSH|ZZ|ZZ\r\x0bZZ|\rRXA|");

	for (size_t piece = 1; piece < sizeof(message); piece++) {
		begin();
		say_by(0, message, 1, piece);
		cr_expect(has("hl7.segments=11") && has("hl7.segments_pid=1"), "%zu: %s", piece,
			  text);
		cr_expect(has("hl7.segments_orc=1") && has("hl7.segments_obr=1"));
		cr_expect(has("hl7.segments_obx=2") && has("hl7.segments_rx=2"));
		cr_expect(has("hl7.segments_z=1") && has("hl7.messages=1"), "%s", text);
	}
	say(1, FRAME(MSH("ACK", "") "MSA|AA\rPID|ZZ\r"), 2);
	cr_expect(has("hl7.segments=11"), "not of acknowledgements");
}

Test(hl7_kinds, ends_of_segments)
{
	begin();
	say(0, FRAME("MSH|^~\\&|A|B|C|D|||ADT^A01|1|P|2.5\r\nPID|ZZ\r\nPV1|ZZ\r\n"), 1);
	cr_expect(has("hl7.segments=2") && !has("line_feeds"), "%s", text);
	say(0, FRAME("MSH|^~\\&|A|B|C|D|||ADT^A01|1|P|2.5\rPID|ZZ\nPV1|ZZ\r"), 1);
	cr_expect(has("hl7.segments=4") && has("hl7.line_feeds=1"), "%s", text);
	begin();
	say(0, FRAME("MSH|^~\\&|A|B|C|D|||ADT^A01|1|P|2.5\nPID|ZZ\r"), 1);
	cr_expect(has("hl7.line_feeds=1"), "%s", text);
}

Test(hl7_kinds, sizes_and_batches)
{
	char wanted[40];

	begin();
	say(0, FRAME(MSH("ADT^A01", "") "PID|ZZ\r"), 1);
	say(0, FRAME(MSH("ADT^A01", "")), 1);
	snprintf(wanted, sizeof(wanted), "hl7.message_bytes_max=%zu",
		 strlen(MSH("ADT^A01", "") "PID|ZZ\r"));
	cr_expect(has(wanted), "%s", text);
	say(0, FRAME("FHS|^~\\&|ZZ\rBHS|^~\\&|ZZ\r" MSH("ADT^A01", "") "BTS|1\rFTS|1\r"), 1);
	cr_expect(has("hl7.batches=2") && has("hl7.messages=3"), "%s", text);
	cr_expect(has("hl7.segments=1 "), "trailers are none: %s", text);
}

/* ---- who writes them ---- */

static bool said(const char *field, const char *value)
{
	for (size_t i = 0; i < s.fact_count; i++)
		if (!strcmp(s.facts[i].field->name, field) && !strcmp(s.facts[i].text, value))
			return s.facts[i].subject == FACT_SENDER;
	return false;
}

static const char with_software[] =
	FRAME(MSH("ORU^R01", "") "SFT|Acme Labs^L^1|3.2-b4|LIS Link|ZZ|ZZ\rPID|ZZ\r");

Test(hl7_kinds, software)
{
	for (size_t piece = 1; piece < sizeof(with_software); piece++) {
		begin();
		say_by(0, with_software, 1, piece);
		say_by(0, with_software, 2, piece);
		cr_expect(has("hl7.software_vendor=Acme Labs hl7.software_version=3.2-b4 "
			      "hl7.software_product=LIS Link"),
			  "%zu: %s", piece, text);
		cr_expect(has("hl7.messages=2") && s.fact_count == 3);
		cr_expect(said("hl7.software_vendor", "Acme Labs"));
		cr_expect(said("hl7.software_product", "LIS Link"));
	}
	begin();
	say(0, FRAME(MSH("ZZPHI", "") "SFT|Acme|1|X\r"), 1);
	cr_expect(!has("software") && !s.fact_count, "the header is shifted");
	begin();
	say(0, FRAME(MSH("ACK", "") "SFT|ZZ*PHI|ZZ PHI|\rMSA|AE|ZZ\r"), 1);
	cr_expect(has("hl7.software_vendor=invalid hl7.software_version=invalid"), "%s", text);
	cr_expect(has("hl7.ack_ae=1") && !has("software_product"));
}

#define MINDRAY(type, kind) "MSH|^~\\&|||||||" type "|" kind "|P|2.3.1|\r"

Test(hl7_kinds, mindray)
{
	begin();
	say(1, FRAME(MINDRAY("ORU^R01", "106")), 1);
	cr_expect(has("hl7.dialect=mindray") && s.client_direction == 2 && !s.fact_count);
	say(0, FRAME(MINDRAY("ORU^R01", "106")), 1);
	say(0, FRAME("MSH|^~\\&|||||||QRY^R02|1203|P|2.3.1\rQRD|ZZ\r"), 1);
	cr_expect(s.client_direction == 0 && !s.fact_count);
	say(1, FRAME(MINDRAY("ORU^R01", "204") "OBX||NM|101^HR|2101|ZZ||||||F\r"), 1);
	say(1, FRAME(MINDRAY("ORU^R01", "204") "OBX||NM|101^HR|2101|ZZ||||||F\r"), 1);
	cr_expect(s.fact_count == 2 && said("hl7.role", "patient-monitor"));
	cr_expect(said("hl7.dialect", "mindray"));
	cr_expect(has("hl7.messages=5") && has("hl7.unanswered=0"), "%s", text);
	cr_expect(has("hl7.no_ack_wanted=5"), "%s", text);

	begin();
	say(0, FRAME(MINDRAY("ORU^R01", "503")), 1);
	cr_expect(s.client_direction == 1, "the monitor is asked");
}

Test(hl7_kinds, almost_mindray)
{
	static const char *const messages[] = {
		FRAME(MINDRAY("ORU^R01", "107")),
		FRAME(MINDRAY("ORU^R01", "1203")),
		FRAME(MINDRAY("QRY^R02", "106")),
		FRAME(MINDRAY("ADT^A01", "103")),
		FRAME("MSH|^~\\&|||||||ORU^R01|106|P|2.4\r"),
		FRAME("MSH|^~\\&|A||||||ORU^R01|106|P|2.3.1\r"),
		FRAME("MSH|^~\\&||||||ZZ|ORU^R01|106|P|2.3.1\r"),
		FRAME("MSH|^~\\&|||||||ORU^R01|106|P\r"),
	};

	for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
		begin();
		say(0, messages[i], 1);
		cr_expect(!has("dialect") && has("hl7.unanswered=1"), "%zu: %s", i, text);
		cr_expect(s.client_direction == 0);
	}
}

Test(hl7_kinds, every_truncation)
{
	static const char all[] =
		FRAME("BHS|^~\\&|ZZ\r" MSH("ADT^A40", "|||NE|NE") "SFT|Acme|1.0|P\rMRG|ZZ\r");
	char more[8192] = "";

	for (size_t n = sizeof(all) - 1; n-- > 0;) {
		begin();
		stream_offer(&s, 0, all, n);
		stream_describe(&s, text, sizeof(text));
		cr_expect(!has("ZZ") && !s.over);
		cr_expect(!*more || strlen(text) <= strlen(more), "%zu: %s", n, text);
		strcpy(more, text);
	}
}
