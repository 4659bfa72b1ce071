/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_ieee11073;

/* A blood pressure meter asks; a report of 90 bytes with a canary; the manager's
 * configuration answer and a set; the end. */
static const uint8_t request[] = {
	0xe2, 0x00, 0x00, 0x32, 0x80, 0x00, 0x00, 0x00, 0x00, 0x01, 0x00, 0x2a, 0x50, 0x79,
	0x00, 0x26, 0x80, 0x00, 0x00, 0x00, 0x80, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, 0x00,
	0x00, 0x00, 0x00, 0x80, 0x00, 0x00, 0x00, 0x08, 0x00, 0x22, 0x09, 'Z',  'Z',  'P',
	'H',  'I',  0x02, 0xbc, 0x01, 0x01, 0x01, 0x01, 0x00, 0x00, 0x00, 0x00,
};
static const uint8_t answer[] = { 0xe3, 0, 0, 4, 0, 3, 'Z', 'Z' };
static const uint8_t set[] = { 0xe7, 0, 0, 8, 0, 6, 0, 1, 1, 5, 'Z', 'Z' };
static const uint8_t release[] = { 0xe4, 0, 0, 2, 0, 0 };

static uint8_t device[400], manager[100];
static size_t device_count, manager_count;
static struct conversation s;
static char text[2048];

static void put(uint8_t *to, size_t *n, const void *bytes, size_t size)
{
	memcpy(to + *n, bytes, size);
	*n += size;
}

static void build(void)
{
	uint8_t report[94] = { 0xe7, 0, 0, 90, 0, 88, 0, 1, 1, 1 };

	memset(report + 10, 'Z', sizeof(report) - 10);
	device_count = manager_count = 0;
	put(device, &device_count, request, sizeof(request));
	put(device, &device_count, report, sizeof(report));
	put(device, &device_count, report, sizeof(report));
	put(device, &device_count, release, sizeof(release));
	put(manager, &manager_count, answer, sizeof(answer));
	put(manager, &manager_count, set, sizeof(set));
}

static void begin(void)
{
	stream_finish(&s);
	stream_init(&s, &dissector_ieee11073, TRANSPORT_TCP, 40000, 40001);
}

static void describe(void)
{
	stream_describe(&s, text, sizeof(text));
	cr_expect(!strstr(text, "ZZ"), "%s", text);
}

Test(ieee11073, conversation_in_pieces_of_any_size)
{
	build();
	for (size_t piece = 1; piece < 260; piece++) {
		begin();
		stream_chunks(&s, 0, device, device_count, piece);
		stream_chunks(&s, 1, manager, manager_count, piece);
		describe();
		cr_expect_str_eq(text,
				 "ieee11073.message_bytes=244 ieee11073.association_requests=1 "
				 "ieee11073.oui=002209 ieee11073.device=blood-pressure "
				 "ieee11073.messages=3 ieee11073.reports=2 ieee11073.releases=1 "
				 "ieee11073.association_answers=1 ieee11073.sets=1",
				 "%zu: %s", piece, text);
		cr_expect(s.client_direction == 0 && s.confidence == CONFIDENCE_MEDIUM);
		cr_expect(s.fact_count == 2 && s.facts[1].subject == FACT_SENDER);
		cr_expect(s.result == DISSECT_MORE && (piece != 1 || s.skipped > 0));
	}
}

Test(ieee11073, every_truncation)
{
	char more[2048] = "";

	build();
	for (size_t n = device_count; n-- > 0;) {
		begin();
		stream_offer(&s, 0, device, n);
		describe();
		cr_expect(s.claimed == (n >= 16) && !s.over, "%zu", n);
		cr_expect(!*more || strlen(text) <= strlen(more), "%zu", n);
		strcpy(more, text);
	}
}

static enum probe_result probe(const uint8_t *bytes, size_t n)
{
	uint8_t *copy = stream_copy(bytes, n);
	enum probe_result r =
		dissector_ieee11073.probe(cursor_of(copy, n), TRANSPORT_TCP, 1, 2, false);

	free(copy);
	return r;
}

Test(ieee11073, others_are_not_taken)
{
	uint8_t changed[sizeof(request)];

	for (size_t n = 0; n <= sizeof(request); n++)
		cr_expect(probe(request, n) == (n < 16 ? PROBE_MORE : PROBE_YES), "%zu", n);
	for (size_t i = 0; i < 16; i++) {
		memcpy(changed, request, sizeof(request));
		changed[i] ^= 0x40;
		cr_expect(probe(changed, sizeof(changed)) == PROBE_NO, "%zu", i);
	}
	cr_expect(probe(answer, sizeof(answer)) == PROBE_NO);
	cr_expect(dissector_ieee11073.probe(cursor_of(request, 54), TRANSPORT_UDP, 1, 2, false) ==
		  PROBE_NO);
}

Test(ieee11073, devices)
{
	static const struct {
		uint8_t high, low;
		const char *wanted;
	} rows[] = { { 0x01, 0x90, "pulse-oximeter" },
		     { 0x03, 0x20, "thermometer" },
		     { 0x06, 0xa4, "glucose-meter" },
		     { 0x40, 0x00, "" },
		     { 0x00, 0x00, "" } };

	build();
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		device[44] = rows[i].high;
		device[45] = rows[i].low;
		begin();
		stream_offer(&s, 0, device, device_count);
		cr_expect_str_eq(stream_text(&s, "ieee11073.device", 0), rows[i].wanted);
	}
	device[35] = 9; /* no system id of this protocol's */
	begin();
	stream_offer(&s, 0, device, device_count);
	cr_expect_str_eq(stream_text(&s, "ieee11073.oui", 0), "");
}

Test(ieee11073, damage)
{
	begin();
	stream_offer(&s, 0, request, sizeof(request));
	stream_offer(&s, 0, "\xe8\0\0\2\0\0", 6);
	cr_expect_eq(s.result, DISSECT_MALFORMED);

	begin();
	stream_offer(&s, 0, request, sizeof(request));
	stream_lose(&s, 0);
	stream_offer(&s, 0, "ZZ the rest of something", 24);
	stream_offer(&s, 0, release, sizeof(release));
	describe();
	cr_expect(s.result == DISSECT_MORE && strstr(text, "ieee11073.releases=1"), "%s", text);
}
