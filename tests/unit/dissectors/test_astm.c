/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_astm;

#define HEADER "H|\\^&||ZZSECRET|cobas c^ZZ^2.1|ZZ||||host|TSDWN|P|LIS2-A2|20240101\r"
#define PATIENT "P|1||ZZPHI-1||ZZPHI^CANARY||19010203|F\r"
#define ORDER "O|1|ZZPHI||^^^GLU|R\r"
#define HALF "O|1|ZZPH"
#define OTHER_HALF "I||^^^GLU|R\rR|H|ZZ\r"
#define REST RESULT "C|1|ZZ\rM|ZZ\rX|ZZ\rS|ZZ\rQ|ZZ\rL|1|N\r"
#define RESULT "R|1|^^^GLU|ZZ5.4|mmol/L\r"

static struct conversation s;
static char text[8192];
static char all[8192]; /* a transmission, as framed() adds to it */
static size_t all_count;

static void begin(void)
{
	stream_finish(&s);
	stream_init(&s, &dissector_astm, TRANSPORT_TCP, 40000, 40001);
	all_count = 0;
}

static void add(const void *bytes, size_t n)
{
	memcpy(all + all_count, bytes, n);
	all_count += n;
}

static void framed(char number, const char *records, char end)
{
	unsigned sum = (unsigned char)number + (unsigned char)end;
	char trailer[8];

	for (const char *p = records; *p; p++)
		sum += (unsigned char)*p;
	add("\x02", 1);
	add(&number, 1);
	add(records, strlen(records));
	add(&end, 1);
	snprintf(trailer, sizeof(trailer), "%02X\r\n", sum & 0xff);
	add(trailer, 4);
}

static void describe(void)
{
	stream_describe(&s, text, sizeof(text));
	cr_expect(!strstr(text, "ZZ"), "%s", text);
	for (size_t i = 0; i < s.fact_count; i++)
		cr_expect(!strstr(s.facts[i].text, "ZZ"), "%s", s.facts[i].text);
}

static void say(unsigned direction, const void *bytes, size_t n, size_t piece)
{
	stream_chunks(&s, direction, bytes, n, piece);
	describe();
}

static void say_all(size_t piece)
{
	say(0, all, all_count, piece);
	all_count = 0;
}

static bool has(const char *part)
{
	return strstr(text, part);
}

static void transmission(void)
{
	add("\x05", 1);
	framed('1', HEADER, '\x03');
	framed('2', PATIENT, '\x03');
	framed('3', HALF, '\x17');
	framed('4', OTHER_HALF, '\x03');
	framed('4', OTHER_HALF, '\x03');
	framed('5', REST, '\x03');
	add("\x04", 1);
}

Test(astm, a_transmission_in_pieces_of_any_size)
{
	static const char format[] =
		"astm.enquiries=1 astm.frames=5 astm.text_bytes=%zu astm.headers=1 "
		"astm.processing_id=P astm.version=LIS2-A2 astm.sender=cobas c astm.patients=1 "
		"astm.orders=1 astm.results=2 astm.role=analyzer astm.retries=1 astm.comments=1 "
		"astm.queries=1 astm.manufacturer_records=1 astm.scientific_records=1 "
		"astm.terminators=1 astm.other_records=1 astm.transmissions=1";

	char wanted[sizeof(format) + 20];

	snprintf(wanted, sizeof(wanted), format, strlen(HEADER PATIENT HALF OTHER_HALF REST));
	for (size_t piece = 1; piece < 400; piece++) {
		begin();
		transmission();
		say_all(piece);
		cr_expect_str_eq(text, wanted, "%zu: %s", piece, text);
		cr_expect(s.confidence == CONFIDENCE_HIGH && s.client_direction == 2);
		cr_expect(s.fact_count == 2 && s.facts[0].subject == FACT_SENDER);
		cr_expect_str_eq(s.facts[0].text, "cobas c");
	}
	say(1, "\x06\x06\x15\x06", 4, 1);
	cr_expect(has("astm.acks=3 astm.naks=1"), "%s", text);
}

Test(astm, every_truncation)
{
	char more[8192] = "";

	begin();
	transmission();
	size_t n = all_count;
	while (n-- > 0) {
		begin();
		transmission();
		all_count = n;
		say_all(1 << 16);
		cr_expect(s.claimed == (n >= 9), "%zu", n);
		cr_expect(!s.over && (!*more || strlen(text) <= strlen(more)), "%zu: %s", n, text);
		strcpy(more, text);
	}
}

/* The answers come first where the receiver is seen first. */
Test(astm, who_answers)
{
	begin();
	say(1, "\x06", 1, 1);
	cr_expect(!s.claimed && !s.over);
	transmission();
	say_all(50);
	say(1, "\x06", 1, 1);
	cr_expect(s.claimed && has("astm.acks=2"), "%s", text);
}

Test(astm, damage)
{
	begin();
	framed('1', HEADER, '\x03');
	all_count -= 4;
	add("00\r\n", 4);
	framed('1', HEADER, '\x03');
	framed('2', PATIENT, '\x03');
	framed('4', PATIENT, '\x03');
	add("\x02"
	    "5P|1\x05",
	    6);
	framed('5', "R|1\r", '\x17');
	say_all(7);
	cr_expect(has("astm.bad_frames=2") && has("astm.frames=4"), "%s", text);
	cr_expect(has("astm.sequence_errors=1") && has("astm.patients=2"), "%s", text);
	cr_expect(has("astm.headers=1") && has("astm.sender=cobas c") && has("astm.results=1"));
}

Test(astm, checksums)
{
	begin();
	framed('1', HEADER, '\x03');
	for (int i = 0; i < 4; i++) {
		char old = all[all_count - 4 + (size_t)i];
		size_t n = all_count;
		all[n - 4 + (size_t)i] = 'Z';
		stream_finish(&s);
		stream_init(&s, &dissector_astm, TRANSPORT_TCP, 1, 2);
		s.claimed = true;
		say(0, all, n, 1000);
		cr_expect(has("astm.bad_frames=1") && !has("astm.frames"), "%d: %s", i, text);
		cr_expect(s.confidence == CONFIDENCE_MEDIUM);
		all[n - 4 + (size_t)i] = old;
	}
}

/* ---- the header ---- */

static void header(const char *record)
{
	begin();
	framed('1', record, '\x03');
	say_all(3);
	cr_expect(s.claimed, "%s", record);
}

Test(astm, headers)
{
	header("H|\\^&|||ANALYZER^ZZ|||||||Q|1\r");
	cr_expect(has("astm.processing_id=Q astm.version=1 astm.sender=ANALYZER"), "%s", text);
	header("H!\\*&!!!LAB 1*ZZ!!!!!!!T!E 1394-97!ZZ\r");
	cr_expect(has("astm.processing_id=T astm.version=E1394-97 astm.sender=LAB 1"), "%s", text);
	header("H|\\^&||ZZ|ANALYZER|||||||P\r");
	cr_expect(has("astm.sender=ANALYZER") && !has("version"), "%s", text);
	header("H|\\^&|||ANALYZER|||||||P|ZZ\r");
	cr_expect(has("astm.version=invalid"), "%s", text);
	header("H|\\^&|||AN*ZZ|||||||P|1\r");
	cr_expect(has("astm.sender=invalid"), "%s", text);
	header("H|\\^&|||A1234567890123456789012345678901234567890|||||||P|1\r");
	cr_expect(has("astm.sender=invalid"), "%s", text);
	header("H|\\^&|||^ZZ|||||||P|1\r");
	cr_expect(!has("astm.sender"), "%s", text);
	/* A field more: the password stands where the sender should. */
	header("H|\\^&||x|ZZSECRET|ANALYZER|||||||P|1\r");
	cr_expect(has("astm.sender=invalid") && !has("version") && !s.fact_count, "%s", text);
	header("H|\\^&|||ZZPHI\r");
	cr_expect(has("astm.sender=invalid"), "%s", text);
	header("H|\\^&|||ANALYZER|||||||P|1");
	cr_expect(has("astm.sender=ANALYZER"), "the record's end is the frame's: %s", text);
}

Test(astm, a_header_over_two_frames)
{
	begin();
	framed('1', "H|\\^&||ZZ|ANA", '\x17');
	framed('2', "LYZER|||||||", '\x17');
	all_count -= 4;
	add("ZZ\r\n", 4);
	framed('2', "LYZER^ZZ|||||||P|1\rP|ZZ\r", '\x03');
	say_all(11);
	cr_expect(has("astm.sender=ANALYZER") && has("astm.bad_frames=1"), "%s", text);
}

/* ---- without numbers and checksums ---- */

Test(astm, bare)
{
	begin();
	add("\x02" HEADER PATIENT RESULT "L|1\r\x03",
	    strlen("\x02" HEADER PATIENT RESULT "L|1\r\x03"));
	add("\x02" ORDER "\x03", strlen("\x02" ORDER "\x03"));
	say_all(5);
	cr_expect(has("astm.bare=1") && has("astm.frames=2") && has("astm.patients=1"), "%s", text);
	cr_expect(has("astm.sender=cobas c") && has("astm.orders=1") && has("astm.results=1"));
}

/* ---- the probe ---- */

static enum probe_result probe(const void *bytes, size_t n, bool midstream)
{
	uint8_t *copy = stream_copy(bytes, n);
	enum probe_result r =
		dissector_astm.probe(cursor_of(copy, n), TRANSPORT_TCP, 1, 2, midstream);

	free(copy);
	return r;
}

Test(astm, probe_waits_only_while_the_prefix_fits)
{
	begin();
	framed('1', HEADER, '\x03');
	for (size_t n = 1; n < all_count; n++)
		cr_expect(probe(all, n, false) == (n < 8 ? PROBE_MORE : PROBE_YES), "%zu", n);
	cr_expect(probe(all, all_count, false) == PROBE_YES);
	all[all_count - 4] ^= 1;
	cr_expect(probe(all, all_count, false) == PROBE_NO);
	cr_expect(probe(all, all_count, true) == PROBE_NO);
	cr_expect(dissector_astm.probe(cursor_of(all, all_count), TRANSPORT_UDP, 1, 2, false) ==
		  PROBE_NO);
	/* A frame that does not begin a message needs its checksum. */
	all_count = 0;
	framed('5', RESULT, '\x03');
	for (size_t n = 3; n < all_count; n++)
		cr_expect(probe(all, n, false) == PROBE_NO, "%zu", n);
	cr_expect(probe(all, all_count, false) == PROBE_YES);
}

Test(astm, others_are_not_taken)
{
	static const struct {
		const char *bytes;
		size_t n;
	} rows[] = {
		{ "\x05\x01\0", 3 }, /* SOCKS 5 */
		{ "\x02"
		  "1X",
		  3 }, /* a digit alone is nothing */
		{ "\x02"
		  "9H|\\^&|",
		  8 },
		{ "\x02"
		  "1H||^&|",
		  8 },
		{ "\x02"
		  "1HA\\^&A",
		  8 },
		{ "\x02\0\0\0", 4 },
		{ "\x02"
		  "3100\r12\x03"
		  "AAA\r",
		  13 }, /* TAP: three letters of checksum */
		{ "\x05\x06\x05\x06\x05\x06\x05\x06\x05", 9 },
		{ "GET /", 5 },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		cr_expect(probe(rows[i].bytes, rows[i].n, false) == PROBE_NO, "%zu", i);
	cr_expect(probe("\x05", 1, false) == PROBE_MORE &&
		  probe("\x06\x15", 2, false) == PROBE_MORE);
}

Test(astm, joined_in_the_middle)
{
	begin();
	add("MRN|ZZ^ZZ\r\x03"
	    "A7\r\n",
	    15);
	framed('3', RESULT, '\x03');
	cr_expect(probe(all, all_count, true) == PROBE_YES);
	cr_expect(probe(all, all_count, false) == PROBE_NO);
	s.midstream = true;
	say_all(1000);
	cr_expect(s.claimed && has("astm.frames=1") && has("astm.results=1"), "%s", text);
}

Test(astm, a_gap_costs_what_was_in_it)
{
	for (size_t cut = 9; cut < 200; cut += 7) {
		begin();
		transmission();
		say(0, all, cut, 1000);
		stream_lose(&s, 0);
		all_count = 0;
		framed('7', RESULT, '\x03');
		say_all(1000);
		cr_expect(!s.over && has("astm.results="), "%zu: %s", cut, text);
	}
}
