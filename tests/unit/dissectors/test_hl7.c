/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_hl7;

#define ADT \
	"MSH|^~\\&|EPIC_ADT|MAINHOSP|LAB^1.2.3^ISO|LABHOSP|20240101120000|ZZSECRET|" \
	"ADT^A01^ADT_A01|ZZPHI0001|P|2.5.1|||AL|NE||UNICODE UTF-8\r" \
	"EVN|A01|20240101120000\rPID|1||ZZPHI-MRN||ZZPHI^CANARY||19010203|F\r"
#define ACK(code) \
	"MSH|^~\\&|LAB|LABHOSP|EPIC_ADT|MAINHOSP|20240101120001||ACK^A01^ACK|ZZPHI|P|2.5.1\r" \
	"MSA|" code "|ZZPHI0001|ZZ text\r"
#define FRAME(text) "\x0b" text "\x1c\r"

static struct conversation s;
static char text[8192];

static void begin(void)
{
	stream_finish(&s);
	stream_init(&s, &dissector_hl7, TRANSPORT_TCP, 40000, 40001);
}

static void say(uint8_t direction, const char *what, int64_t at)
{
	s.time.v = at;
	stream_offer(&s, direction, what, strlen(what));
	stream_describe(&s, text, sizeof(text));
	cr_expect(!strstr(text, "ZZ"), "%s", text);
}

static bool has(const char *part)
{
	return strstr(text, part);
}

static const char conversation[] =
	"hl7.message_type=ADT^A01^ADT_A01 hl7.sending_app=EPIC_ADT hl7.sending_facility=MAINHOSP "
	"hl7.receiving_app=LAB hl7.receiving_facility=LABHOSP hl7.accept_ack=AL "
	"hl7.application_ack=NE hl7.group=adt hl7.processing_id=P "
	"hl7.version=2.5.1 hl7.charset=UTF-8 hl7.message_bytes=%zu hl7.messages=1 "
	"hl7.unanswered=0 hl7.segments=2 hl7.segments_pid=1 hl7.message_bytes_max=%zu "
	"hl7.message_type=ACK^A01^ACK hl7.ack_aa=1 hl7.acks=1 hl7.timed_acks=1 "
	"hl7.ack_latency_sum_us=250 hl7.ack_latency_min_us=250 hl7.ack_latency_max_us=250";

Test(hl7, message_and_acknowledgement_in_pieces_of_any_size)
{
	char wanted[sizeof(conversation) + 40];

	snprintf(wanted, sizeof(wanted), conversation, strlen(ADT) + strlen(ACK("AA")),
		 strlen(ADT));
	for (size_t piece = 1; piece < 300; piece++) {
		begin();
		s.time.v = 1000;
		stream_chunks(&s, 0, FRAME(ADT), strlen(FRAME(ADT)), piece);
		s.time.v = 1250;
		stream_chunks(&s, 1, FRAME(ACK("AA")), strlen(FRAME(ACK("AA"))), piece);
		stream_describe(&s, text, sizeof(text));
		cr_expect_str_eq(text, wanted, "%zu: %s", piece, text);
		cr_expect(s.client_direction == 0 && s.confidence == CONFIDENCE_HIGH);
		cr_expect(s.result == DISSECT_MORE && !s.sides[0].kept_size &&
			  !s.sides[1].kept_size);
	}
}

Test(hl7, every_truncation)
{
	char more[8192] = "";

	for (size_t n = strlen(FRAME(ADT)); n-- > 0;) {
		begin();
		stream_offer(&s, 0, FRAME(ADT), n);
		stream_describe(&s, text, sizeof(text));
		cr_expect(s.claimed == (n >= 10) && !s.over && !has("ZZ"), "%zu", n);
		cr_expect(!*more || strlen(text) <= strlen(more), "%zu", n);
		strcpy(more, text);
	}
	for (size_t n = strlen(FRAME(ACK("AE"))); n-- > 0;) {
		begin();
		stream_offer(&s, 0, FRAME(ACK("AE")), n);
		stream_describe(&s, text, sizeof(text));
		cr_expect(has("hl7.ack_ae=1") == has("hl7.acks=1") && !has("ZZ"), "%zu", n);
	}
}

/* ---- who is who, and what answers what ---- */

Test(hl7, the_first_message_tells_the_client)
{
	begin();
	say(0, FRAME(ACK("AA")), 1);
	say(0, FRAME(ADT), 2);
	cr_expect(s.client_direction == 1);

	begin();
	say(1, FRAME(ADT), 1);
	say(0, FRAME(ADT), 2);
	cr_expect(s.client_direction == 1 && has("hl7.messages=2"));
}

Test(hl7, codes)
{
	static const char *const codes[] = { "aa", "ae", "ar", "ca", "ce", "cr" };
	static const char *const frames[] = {
		FRAME(ACK("AA")), FRAME(ACK("AE")), FRAME(ACK("AR")),
		FRAME(ACK("CA")), FRAME(ACK("CE")), FRAME(ACK("CR"))
	};
	char wanted[32];

	for (size_t i = 0; i < 6; i++) {
		begin();
		say(0, frames[i], 1);
		snprintf(wanted, sizeof(wanted), "hl7.ack_%s=1 hl7.acks=1", codes[i]);
		cr_expect(has(wanted), "%s: %s", codes[i], text);
	}
	begin();
	say(0, FRAME(ACK("ZZ")), 1);
	cr_expect(has("hl7.acks=1") && !has("hl7.ack_"));
	begin();
	say(0, FRAME(ACK("")), 1);
	cr_expect(has("hl7.acks=1") && !has("hl7.ack_"));
}

Test(hl7, a_response_with_msa_answers)
{
	begin();
	say(0, FRAME("MSH|^~\\&|A|B|C|D|||QBP^Q22^QBP_Q21|1|P|2.5\rQPD|ZZ\r"), 10);
	say(1,
	    FRAME("MSH|^~\\&|C|D|A|B|||RSP^K22^RSP_K21|2|P|2.5\rSFT|x\rMSA|AA|1\rERR||PID^1|204^"
		  "ZZ\r"
		  "PID|ZZ\r"),
	    25);
	cr_expect(has("hl7.messages=1 hl7.unanswered=0") && has("hl7.acks=1"));
	cr_expect(has("hl7.error_code=204") && has("hl7.ack_latency_max_us=15"));
}

Test(hl7, an_msa_elsewhere_does_not_answer)
{
	begin();
	say(0, FRAME("MSH|^~\\&|A|B|C|D|||ORU^R01|1|P|2.5\rPID|1\rMSA|AA|1\r"), 10);
	cr_expect(has("hl7.messages=1") && !has("hl7.acks"));
}

Test(hl7, acknowledgement_without_msa)
{
	begin();
	say(0, FRAME(ADT), 10);
	say(1, FRAME("MSH|^~\\&|C|D|A|B|||ACK|1|P|2.5\r"), 30);
	cr_expect(has("hl7.unanswered=0") && has("hl7.acks=1") && !has("hl7.ack_a="));
}

Test(hl7, pipelined_messages_are_answered_in_order)
{
	begin();
	for (int i = 0; i < 12; i++)
		say(0, FRAME(ADT), i);
	cr_expect(has("hl7.unanswered=12"));
	for (int i = 0; i < 11; i++)
		say(1, FRAME(ACK("AA")), 100 + i * 10);
	/* The time of the first eight is known: 100 - 0, 110 - 1, ... */
	cr_expect(has("hl7.unanswered=1") && has("hl7.timed_acks=8"), "%s", text);
	cr_expect(has("hl7.ack_latency_sum_us=1052 hl7.ack_latency_min_us=100 "
		      "hl7.ack_latency_max_us=163"),
		  "%s", text);
	say(1, FRAME(ACK("AA")), 500);
	say(1, FRAME(ACK("AA")), 501);
	cr_expect(has("hl7.unanswered=0") && has("hl7.timed_acks=8"));
}

/* A message behind some whose time was not kept is not timed either. */
Test(hl7, the_order_outlasts_a_full_queue)
{
	begin();
	for (int i = 0; i < 12; i++)
		say(0, FRAME(ADT), i);
	say(1, FRAME(ACK("AA")), 100);
	say(0, FRAME(ADT), 200);
	for (int i = 0; i < 12; i++)
		say(1, FRAME(ACK("AA")), 300);
	cr_expect(has("hl7.unanswered=0") && has("hl7.timed_acks=8"), "%s", text);
}

Test(hl7, error_codes_are_numbers_of_a_table)
{
	begin();
	say(0,
	    FRAME("MSH|^~\\&|C|D|A|B|||ACK|2|P|2.5\rMSA|AE|1\rERR||PID^1|ZZPHI|E\rERR||x|2041\r"
		  "ERR|||^ZZ\rERR\rERR||ZZ|101^ZZ|E|ZZ\r"),
	    1);
	cr_expect(has("hl7.error_code=101") && !has("204"), "%s", text);
}

Test(hl7, enhanced_mode_answers_once)
{
	begin();
	say(0, FRAME(ADT), 10);
	say(0, FRAME(ADT), 11);
	say(1, FRAME(ACK("CA")), 20);
	say(1, FRAME(ACK("AA")), 60);
	cr_expect(has("hl7.unanswered=1") && has("hl7.acks=2") && has("hl7.timed_acks=1"));
}

Test(hl7, a_clock_that_steps_back_gives_no_negative_latency)
{
	begin();
	say(0, FRAME(ADT), 1000);
	say(1, FRAME(ACK("AA")), 900);
	cr_expect(has("hl7.ack_latency_sum_us=0 hl7.ack_latency_min_us=0"));
}

/* From the end of a message that took its time. */
Test(hl7, latency_counts_from_the_last_byte)
{
	begin();
	say(0, "\x0b" ADT, 100);
	say(0, "OBX|1|ZZ", 300);
	say(0, "\x1c\r", 400);
	say(1, FRAME(ACK("AA")), 450);
	cr_expect(has("hl7.ack_latency_sum_us=50"), "%s", text);
}

/* ---- framing ---- */

Test(hl7, framing_in_the_wild)
{
	char bytes[40];

	begin();
	say(0, "\r\n\n" FRAME(ADT), 1);
	cr_expect(has("hl7.messages=1"), "leading line ends");

	begin();
	say(0, "\x0b" ADT "\x1c\x0b" ADT "\x1c", 1);
	cr_expect(has("hl7.messages=2") && !s.sides[0].kept_size, "no CR behind FS");

	begin();
	say(0, "\x0b" ADT "OBX|\x1c\x1d|ZZ\x1c\r", 1);
	snprintf(bytes, sizeof(bytes), "hl7.message_bytes=%zu ", strlen(ADT "OBX|..|ZZ"));
	cr_expect(has("hl7.messages=1") && has(bytes), "FS inside: %s", text);

	begin();
	say(0, FRAME("MSH|^~\\&|A|B|C|D|||ACK|1|P|2.3\nMSA|AA|1\r\n"), 1);
	cr_expect(has("hl7.ack_aa=1"), "LF ends segments");

	begin();
	say(0, FRAME("MSH|^~\\&|A|B|C|D|||ADT^A01|1|P|2.3"), 1);
	cr_expect(has("hl7.messages=1"), "no segment end at all");

	begin();
	say(0, FRAME(ADT), 1);
	say(1, "\x0b\x06\x1c\r\x0b\x15\x1c\r", 2);
	cr_expect(has("hl7.mllp_acks=1 hl7.mllp_naks=1") && !has("hl7.acks"), "release 2");
}

Test(hl7, without_a_frame)
{
	for (size_t piece = 1; piece < 100; piece += 9) {
		begin();
		stream_chunks(&s, 0, ADT ADT, strlen(ADT ADT), piece);
		stream_chunks(&s, 1, ACK("AA") ACK("AE"), strlen(ACK("AA") ACK("AE")), piece);
		stream_describe(&s, text, sizeof(text));
		cr_expect(has("hl7.unframed=1") && has("hl7.messages=2") && has("hl7.acks=2"), "%s",
			  text);
		cr_expect(has("hl7.ack_aa=1") && has("hl7.ack_ae=1") && has("hl7.unanswered=0"));
		cr_expect(s.client_direction == 0 && s.confidence == CONFIDENCE_MEDIUM &&
			  !has("ZZ"));
	}
}

Test(hl7, batches)
{
	begin();
	say(0,
	    FRAME("FHS|^~\\&|ZZ\rBHS|^~\\&|ZZ\r" ADT ADT
		  "MSH|^~\\&|X|||||ZZ|ORU^R01||T|2.6\rPID|ZZ\r"
		  "BTS|3\rFTS|1\r"),
	    1);
	cr_expect(has("hl7.messages=3") && has("hl7.message_type=ORU^R01 hl7.sending_app=X"), "%s",
		  text);
	cr_expect(has("hl7.processing_id=T hl7.test_messages=1 hl7.version=2.6"));
	say(0, FRAME(ADT), 2);
	cr_expect(has("hl7.messages=4"));
}

Test(hl7, own_separators)
{
	begin();
	say(0, FRAME("MSH#*~\\%#APP*1.2*ISO#FAC#R#F###ADT*A04*ADT_A01#1#D*T#2.4*FR###\rPID#ZZ\r"),
	    1);
	cr_expect(has("hl7.message_type=ADT^A04^ADT_A01 hl7.sending_app=APP"), "%s", text);
	cr_expect(has("hl7.processing_id=D hl7.test_messages=1 hl7.version=2.4"));
	say(1, FRAME("MSH#*~\\%#R#F#APP#FAC###ACK#1#P#2.4\rMSA#AR#ZZ\r"), 2);
	cr_expect(has("hl7.ack_ar=1"));
}

/* ---- headers that are not what they should be ---- */

Test(hl7, shifted_fields_are_invalid)
{
	begin();
	say(0, FRAME("MSH|^~\\&|EPIC|ZZPHI|SMS|199912271408|ADT^A04|123|D|2.5\rPID|1\r"), 1);
	cr_expect(has("hl7.message_type=invalid hl7.sending_app=invalid") && has("hl7.messages=1"));
	cr_expect(!has("EPIC") && !has("1999"));

	begin();
	say(0, FRAME("MSH|^~\\&|A|B|C|D|||ADT^A04|1|ZZ|123456|||||ZZ|ZZ PHI\r"), 1);
	cr_expect(has("hl7.processing_id=invalid hl7.version=invalid"));

	begin();
	say(0, FRAME("MSH|^~\\&|A|B|C|D|||ADT^A04|1|P|2.5|||||ZZ|ZZ~ASCII\r"), 1);
	cr_expect(has("hl7.charset=invalid"));

	begin();
	say(0, FRAME("MSH|^~\\&|A|B|C|D\r"), 1);
	cr_expect(has("hl7.sending_app=invalid") && has("hl7.messages=1"));

	begin();
	say(0, FRAME("MSH|^~\\&|ZZ*PHI|B|C|D|||ADT^A04\r"), 1);
	cr_expect(has("hl7.sending_app=invalid hl7.sending_facility=B"));
}

Test(hl7, a_later_header_without_encoding_characters)
{
	begin();
	say(0, FRAME(ADT), 1);
	say(0, FRAME("MSH|A|B|C|D|E||ZZ|ADT^A01\rMSA|AA|1\r"), 2);
	cr_expect(has("hl7.malformed=1") && has("hl7.messages=1") && has("hl7.acks=1"));
	cr_expect(!has("=A ") && !has("=B "));
}

Test(hl7, a_header_that_does_not_end)
{
	static char long_header[6000];

	begin();
	memset(long_header, 'Z', sizeof(long_header) - 1);
	memcpy(long_header, "\x0bMSH|^~\\&|", 10);
	say(0, long_header, 1);
	say(0, "\x1c\r" FRAME(ADT), 2);
	cr_expect(has("hl7.malformed=1") && has("hl7.messages=1"), "%s", text);
}

Test(hl7, a_message_that_does_not_end)
{
	static char megabyte[1 << 20];

	begin();
	say(0, "\x0b" ADT "OBX|", 1);
	memset(megabyte, 'Z', sizeof(megabyte));
	for (int i = 0; i < 65; i++)
		stream_offer(&s, 0, megabyte, sizeof(megabyte));
	say(0, FRAME(ADT), 2);
	cr_expect(has("hl7.messages=2") && has("hl7.malformed=1"), "%s", text);
}

/* ---- streams joined late, and holes ---- */

static enum probe_result probe(const char *bytes, size_t n, bool midstream)
{
	uint8_t *copy = stream_copy(bytes, n);
	enum probe_result r =
		dissector_hl7.probe(cursor_of(copy, n), TRANSPORT_TCP, 1, 2, midstream);

	free(copy);
	return r;
}

Test(hl7, probe_waits_only_while_the_prefix_fits)
{
	for (size_t n = 0; n < 10; n++)
		cr_expect(probe(FRAME(ADT), n, false) == PROBE_MORE, "%zu", n);
	for (size_t n = 10; n < 30; n++)
		cr_expect(probe(FRAME(ADT), n, false) == PROBE_YES, "%zu", n);
	for (size_t n = 0; n < 9; n++)
		cr_expect(probe(ADT, n, false) == PROBE_MORE, "%zu", n);
	cr_expect(probe(ADT, 9, false) == PROBE_YES);
	cr_expect(probe("MSH|^~\\&#", 9, false) == PROBE_MORE);
	cr_expect(probe("MSH|^~\\&#|A", 11, false) == PROBE_YES);
	cr_expect(probe("\x0b"
			"BHS|^~\\&|",
			10, false) == PROBE_YES);
	cr_expect(probe("\r\n\x0b"
			"FHS$*%\\&$",
			12, false) == PROBE_YES);
}

Test(hl7, others_are_not_taken)
{
	static const char *const texts[] = {
		"\x0b"
		"MSX|",
		"\x0c",
		"\x0b\x06",
		"\x0b"
		"MSHA^~\\&|",
		"\x0b"
		"MSH|^~|",
		"\x0b"
		"MSH|^~\\&#@|",
		"\x0b"
		"MSH|^~A&|",
		"\x0b"
		"MSH ^~\\& ",
		"MSH|^~\\&A",
		"MSH#*",
		"GET / HTTP/1.1",
		"\r\n\r\nMS ",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		cr_expect(probe(texts[i], strlen(texts[i]), false) == PROBE_NO, "%zu", i);
	cr_expect(dissector_hl7.probe(cursor_of(ADT, 100), TRANSPORT_UDP, 1, 2, false) == PROBE_NO);
}

Test(hl7, joined_in_the_middle)
{
	cr_expect(probe("5||ZZ\r\x1c\r" FRAME(ADT), 40, false) == PROBE_NO);
	begin();
	s.midstream = true;
	say(0, "5||ZZ\r\x0bMS\x1c\r" FRAME(ADT), 1);
	cr_expect(s.claimed && s.client_direction == 0 && has("hl7.messages=1"), "%s", text);
	cr_expect(has("hl7.sending_app=EPIC_ADT"));
}

Test(hl7, a_gap_costs_what_was_in_it)
{
	for (size_t cut = 10; cut < strlen(FRAME(ADT)); cut += 3) {
		begin();
		stream_offer(&s, 0, FRAME(ADT), cut);
		stream_lose(&s, 0);
		say(0, "ZZ|rest\x0bof it\rPID|ZZ\r\x1c\r" FRAME(ACK("AA")), 5);
		cr_expect(has("hl7.acks=1") && !has("hl7.messages=2"), "%zu: %s", cut, text);
		stream_offer(&s, 0, FRAME(ADT), cut);
		stream_lose(&s, 0);
		say(0, FRAME(ACK("AE")), 6);
		cr_expect(has("hl7.acks=2") && has("hl7.ack_ae=1"), "%zu: %s", cut, text);
	}
}
