/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_enip;

enum { REGISTER = 0x65, UNREGISTER = 0x66, IDENTITY = 0x63, RR = 0x6f, UNIT = 0x70 };
enum { SESSION = 0xb00a1 };

/* Builds one direction of a conversation. */
struct wire {
	uint8_t bytes[2048];
	size_t n;
};

static void put(struct wire *w, const void *bytes, size_t n)
{
	cr_assert_leq(w->n + n, sizeof(w->bytes));
	memcpy(w->bytes + w->n, bytes, n);
	w->n += n;
}

static void put16(struct wire *w, unsigned v)
{
	put(w, (const uint8_t[]){ (uint8_t)v, (uint8_t)(v >> 8) }, 2);
}

static void put32(struct wire *w, uint32_t v)
{
	put16(w, v & 0xffff);
	put16(w, v >> 16);
}

static void put_message(struct wire *w, unsigned command, uint32_t session, uint32_t status,
			const void *data, size_t n)
{
	put16(w, command), put16(w, (unsigned)n);
	put32(w, session), put32(w, status);
	put(w, "ZZcontxt", 8);
	put32(w, 0);
	put(w, data, n);
}

static void put_register(struct wire *w, uint32_t session)
{
	put_message(w, REGISTER, session, 0, "\1\0\0\0", 4);
}

static void put_cip(struct wire *w, const void *cip, size_t n)
{
	struct wire data = { 0 };

	put(&data, "\0\0\0\0\0\0\2\0\0\0\0\0\xb2\0", 14);
	put16(&data, (unsigned)n);
	put(&data, cip, n);
	put_message(w, RR, SESSION, 0, data.bytes, data.n);
}

static void put_connected(struct wire *w, const void *cip, size_t n)
{
	struct wire data = { 0 };

	put(&data, "\0\0\0\0\0\0\2\0\xa1\0\4\0\1\2\3\4\xb1\0", 18);
	put16(&data, (unsigned)n + 2);
	put16(&data, 1);
	put(&data, cip, n);
	put_message(w, UNIT, SESSION, 0, data.bytes, data.n);
}

#define CIP(w, text) put_cip(w, text, sizeof(text) - 1)
#define CONNECTED(w, text) put_connected(w, text, sizeof(text) - 1)
#define OWN "\2\x20\1\x24\1"

static void put_client(struct wire *w)
{
	put_register(w, 0);
	CIP(w, "\x01" OWN);                                     /* get all */
	CIP(w, "\x0e\3\x20\1\x24\1\x30\7");                     /* get one */
	CIP(w, "\x10\3\x20\1\x24\1\x30\7ZZPHI");                /* set one */
	CIP(w, "\x05" OWN);                                     /* reset */
	CIP(w, "\x07" OWN);                                     /* stop */
	CIP(w, "\x06" OWN);                                     /* start */
	CIP(w, "\x09\2\x20\x6b\x24\1");                         /* delete */
	CIP(w, "\x54\2\x20\6\x24\1\0\0\1\2\3\4");               /* forward open */
	CIP(w, "\x4b\2\x20\x67\x24\1\7\1\2\3\4\5\6\x0f\0\1\0"); /* PCCC */
	/* In an unconnected send: a tag by its name is written. */
	CIP(w, "\x52\2\x20\6\x24\1\7\xe9\x0e\0\x4d\3\x91\4ZZPH\xc4\0\1\0\1\0\0\0\1\0\1\0");
	/* Two at once: a tag read by its name, another object's service of that number. */
	CONNECTED(w,
		  "\x0a\2\x20\2\x24\1\2\0\6\0\x10\0\x4c\3\x91\4ZZPH\1\0\x4c\2\x20\x72\x24\0\1\0");
}

static void put_server(struct wire *w)
{
	put_register(w, SESSION);
	CIP(w, "\x81\0\0\0ZZPHI");
	CIP(w, "\x90\0\x0f\1\1\2");
	CIP(w, "\xcd\0\5\0");
	CONNECTED(w, "\x8a\0\0\0\2\0\6\0\x0e\0\xcc\0\0\0\xc4\0\1\0\xcc\0\5\0");
	put_message(w, RR, SESSION, 0x64, "", 0);
}

static struct conversation tcp(void)
{
	struct conversation s;
	stream_init(&s, &dissector_enip, TRANSPORT_TCP, 50000, 50001);
	return s;
}

static struct conversation udp(uint16_t port)
{
	struct conversation s;
	stream_init(&s, &dissector_enip, TRANSPORT_UDP, 50000, port);
	return s;
}

static void check_all(const struct conversation *s)
{
	cr_assert(s->claimed);
	cr_assert_eq(s->result, DISSECT_MORE);
	cr_assert_eq(s->client_direction, 0);
	cr_assert_eq(s->confidence, CONFIDENCE_HIGH);
	cr_assert_eq(stream_number(s, "enip.sessions"), 1);
	cr_assert_eq(stream_number(s, "enip.requests"), 14);
	cr_assert_eq(stream_number(s, "enip.reads"), 3);
	cr_assert_eq(stream_number(s, "enip.writes"), 2);
	cr_assert_eq(stream_number(s, "enip.control"), 3);
	cr_assert_eq(stream_number(s, "enip.resets"), 1);
	cr_assert_eq(stream_number(s, "enip.starts"), 1);
	cr_assert_eq(stream_number(s, "enip.stops"), 1);
	cr_assert_eq(stream_number(s, "enip.object_changes"), 1);
	cr_assert_eq(stream_number(s, "enip.forward_opens"), 1);
	cr_assert_eq(stream_number(s, "enip.pccc"), 1);
	cr_assert_eq(stream_number(s, "enip.other"), 1);
	cr_assert_eq(stream_number(s, "enip.responses"), 6);
	cr_assert_eq(stream_number(s, "enip.errors"), 3);
	cr_assert_str_eq(stream_text(s, "enip.status", 0), "0x0f");
	cr_assert_str_eq(stream_text(s, "enip.status", 1), "0x05");
	cr_assert_eq(stream_number(s, "enip.encapsulation_errors"), 1);
	cr_assert_eq(stream_number(s, "enip.malformed"), 0);
	for (size_t i = 0; i + 1 < s->out.text_used; i++)
		cr_assert(s->out.texts[i] != 'Z' || s->out.texts[i + 1] != 'Z');
}

Test(enip, a_conversation_in_pieces_of_any_size)
{
	struct wire client = { 0 }, server = { 0 };

	put_client(&client);
	put_server(&server);
	for (size_t chunk = 1; chunk <= client.n; chunk++) {
		struct conversation s = tcp();
		stream_chunks(&s, 0, client.bytes, client.n, chunk);
		stream_chunks(&s, 1, server.bytes, server.n, chunk);
		check_all(&s);
		stream_finish(&s);
	}
}

Test(enip, every_truncation_tells_no_more)
{
	struct wire client = { 0 };

	put_client(&client);
	for (size_t n = 0; n < client.n; n++) {
		struct conversation s = tcp();
		stream_offer(&s, 0, client.bytes, n);
		cr_assert_eq(s.claimed, n >= 12, "%zu bytes", n);
		cr_assert_eq(stream_number(&s, "enip.malformed"), 0);
		cr_assert_leq(stream_number(&s, "enip.requests"), 13);
		stream_finish(&s);
	}
}

static void put_identity(struct wire *w, const char *name)
{
	struct wire data = { 0 };
	size_t n = strlen(name);

	put16(&data, 1), put16(&data, 0x0c), put16(&data, (unsigned)(34 + n));
	put16(&data, 1);
	put(&data, "\0\2\xaf\x12\12\12\1\24\0\0\0\0\0\0\0\0", 16);
	put16(&data, 1), put16(&data, 0x0e), put16(&data, 54);
	put(&data, "\x14\x0b\x60\0", 4);
	put32(&data, 0x006c061a);
	put(&data, (const uint8_t[]){ (uint8_t)n }, 1);
	put(&data, name, n);
	put(&data, "\3", 1);
	put_message(w, IDENTITY, 0, 0, data.bytes, data.n);
}

static void check_identity(const struct conversation *s)
{
	cr_assert(s->claimed);
	cr_assert_eq(s->client_direction, 0);
	cr_assert_str_eq(stream_text(s, "enip.vendor", 0), "1");
	cr_assert_str_eq(stream_text(s, "enip.device_type", 0), "plc");
	cr_assert_str_eq(stream_text(s, "enip.product_code", 0), "54");
	cr_assert_str_eq(stream_text(s, "enip.product", 0), "1756-L61/B LOGIX5561");
	cr_assert_str_eq(stream_text(s, "enip.revision", 0), "20.11");
	cr_assert_str_eq(stream_text(s, "enip.serial", 0), "0x006c061a");
}

Test(enip, identities_over_udp_and_tcp)
{
	struct wire question = { 0 }, answer = { 0 };

	put_message(&question, IDENTITY, 0, 0, "", 0);
	put_identity(&answer, "1756-L61/B LOGIX5561 ");
	for (int way = 0; way < 3; way++) {
		struct conversation s = way == 0 ? tcp() : udp(way == 1 ? 44818 : 40000);
		stream_offer(&s, 0, question.bytes, question.n);
		cr_assert_eq(s.confidence, way == 2 ? CONFIDENCE_MEDIUM : CONFIDENCE_HIGH);
		stream_offer(&s, 1, answer.bytes, answer.n);
		cr_assert_eq(s.confidence, CONFIDENCE_HIGH);
		check_identity(&s);
		stream_finish(&s);
	}
}

Test(enip, an_identity_cut_short_is_none)
{
	struct wire answer = { 0 };

	put_identity(&answer, "1756-L61/B LOGIX5561");
	for (size_t n = 0; n < answer.n; n++) {
		struct conversation s = udp(44818);
		stream_offer(&s, 1, answer.bytes, n);
		cr_assert_not(s.claimed, "%zu bytes", n);
		stream_finish(&s);
	}
}

Test(enip, a_product_that_is_no_product)
{
	struct wire answer = { 0 };
	struct conversation s = udp(44818);

	put_identity(&answer, "ZZPHI<script>");
	stream_offer(&s, 1, answer.bytes, answer.n);
	cr_assert_str_eq(stream_text(&s, "enip.product", 0), "invalid");
	stream_finish(&s);
}

static void put_io(struct wire *w, unsigned size)
{
	put(w, "\2\0\2\x80\x08\0\1\2\3\4\5\6\7\x08\xb1\0", 16);
	put16(w, size);
	put(w, "ZZPHI123", 8);
}

Test(enip, cyclic_data_is_exact_to_its_last_byte)
{
	for (unsigned size = 0; size < 20; size++) {
		struct conversation s = udp(2222);
		struct wire w = { 0 };
		put_io(&w, size);
		stream_offer(&s, 0, w.bytes, w.n);
		cr_assert_eq(s.claimed, size == 8);
		cr_assert_eq(stream_number(&s, "enip.io_packets"), size == 8);
		stream_finish(&s);
	}
}

Test(enip, joined_in_the_middle_and_after_a_gap)
{
	struct conversation s = tcp();
	struct wire w = { 0 };

	CIP(&w, "\x0e\3\x20\1\x24\1\x30\7");
	size_t first = w.n;
	CIP(&w, "\x10\3\x20\1\x24\1\x30\7ZZPHI");
	s.midstream = s.sides[0].gap = s.sides[1].gap = true;
	stream_offer(&s, 0, w.bytes + first, w.n - first);
	cr_assert(s.claimed);
	cr_assert_eq(s.confidence, CONFIDENCE_MEDIUM);
	cr_assert_eq(stream_number(&s, "enip.writes"), 1);
	cr_assert_eq(stream_number(&s, "enip.reads"), 0);
	stream_lose(&s, 0);
	stream_offer(&s, 0, w.bytes + 5, w.n - 5);
	cr_assert_eq(stream_number(&s, "enip.writes"), 2);
	cr_assert_eq(stream_number(&s, "enip.malformed"), 0);
	stream_finish(&s);
}

/* Messages in messages in messages end somewhere. */
Test(enip, nesting_is_bounded)
{
	struct conversation s = tcp();
	uint8_t inner[400] = "\x10\3\x20\1\x24\1\x30\7Z";
	struct wire w = { 0 };
	size_t n = 9;

	for (int i = 0; i < 12; i++) {
		memmove(inner + 10, inner, n);
		memcpy(inner, "\x52\2\x20\6\x24\1\7\xe9", 8);
		inner[8] = (uint8_t)n;
		inner[9] = 0;
		n += 10;
	}
	put_register(&w, 0);
	put_cip(&w, inner, n);
	stream_offer(&s, 0, w.bytes, w.n);
	cr_assert_eq(s.result, DISSECT_MORE);
	cr_assert_eq(stream_number(&s, "enip.requests"), 4);
	cr_assert_eq(stream_number(&s, "enip.writes"), 0);
	stream_finish(&s);
}

Test(enip, others_are_left_alone)
{
	static const struct {
		const char *bytes;
		bool midstream;
	} others[] = {
		{ "p\0\x10\0abcdefghijklmnopqrstuvwxyz0123456789", false },
		{ "c\0\0\0\0\0\0\0\1\2\3\4abcdefgh\0\0\0\0abcdefghijkl", false },
		{ "e\0\4\0\0\0\0\0\0\0\0\1abcdefgh\0\0\0\0\1\0\0\0abcdefgh", false },
		{ "f\0\0\0\1\0\0\0\0\0\0\0abcdefgh\0\0\0\0abcdefghijkl", true },
		{ "\4\0\0\0\0\0\0\0\0\0\0\0abcdefgh\0\0\0\0abcdefghijkl", true },
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct conversation s = tcp();
		s.midstream = others[i].midstream;
		stream_offer(&s, 0, others[i].bytes, 36);
		cr_assert(s.refused, "%zu", i);
		stream_finish(&s);
	}
	/* A question of nothing but zeroes is believed on its own port only. */
	struct conversation s = udp(40000);
	stream_offer(&s, 0, "\4\0\0\0\0\0\0\0\0\0\0\0abcdefgh\0\0\0\0", 24);
	cr_assert(s.refused);
	stream_finish(&s);
}
