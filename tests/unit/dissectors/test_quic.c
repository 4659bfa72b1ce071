/* SPDX-License-Identifier: Apache-2.0
 *
 * The packets are made here by the examples of RFC 9001 and RFC 9369 (appendix A of
 * each), and compared with what those print. */
#include <criterion/criterion.h>
#include <nettle/gcm.h>
#include <stdio.h>

#include "dissectors/quic_packet.h"
#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_quic;

/* A ClientHello: ciphers 1301 and 1302; example.com, ALPN "alpn", 1.3 only. */
static const char hello_text[] =
	"010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e86804fe3a47f06a2b69484c"
	"00000413011302010000c000000010000e00000b6578616d706c652e636f6dff01000100000a"
	"00080006001d0017001800100007000504616c706e000500050100000000003300260024001d"
	"00209370b2c9caa47fbabaf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b0003"
	"020304000d0010000e0403050306030203080408050806002d00020101001c00024001003900"
	"320408ffffffffffffffff05048000ffff07048000ffff0801100104800075300901100f0883"
	"94c8f03e51570806048000ffff";

enum {
	HELLO = 241,
	INITIAL = 1200, /* bytes of the examples' packets */
	PAYLOAD = 1162,
	V1 = 0x00000001,
	V2 = 0x6b3343cf,
};

static const uint8_t first_id[8] = { 0x83, 0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08 };

static size_t unhex(const char *text, uint8_t *out)
{
	size_t n = 0;

	for (; text[0] && text[1]; text += 2) {
		unsigned byte;
		cr_assert_eq(sscanf(text, "%2x", &byte), 1);
		out[n++] = (uint8_t)byte;
	}
	return n;
}

static const uint8_t *hello_bytes(void)
{
	static uint8_t hello[HELLO];

	if (!hello[0])
		cr_assert_eq(unhex(hello_text, hello), HELLO);
	return hello;
}

/* A long header without its packet number. */
static size_t write_header(uint8_t *at, uint32_t version, unsigned kind, const uint8_t *id,
			   size_t id_length, size_t token, size_t length)
{
	size_t n = 0;

	at[n++] = (uint8_t)(0xc3 | kind << 4);
	for (int shift = 24; shift >= 0; shift -= 8)
		at[n++] = (uint8_t)(version >> shift);
	at[n++] = (uint8_t)id_length;
	memcpy(at + n, id, id_length);
	n += id_length;
	at[n++] = 0; /* no source id */
	if (kind == (version == V2)) {
		at[n++] = (uint8_t)token;
		memset(at + n, 0x55, token);
		n += token;
	}
	at[n++] = (uint8_t)(0x40 | length >> 8);
	at[n++] = (uint8_t)length;
	return n;
}

struct initial {
	uint32_t version;
	const uint8_t *id;     /* of 8 bytes, to which the packet goes */
	const uint8_t *key_id; /* that the keys are of */
	uint8_t number;
	size_t token;
};

/* Protects a client's Initial with `frames`, filled up to PAYLOAD by padding. */
static size_t protect(struct initial i, const uint8_t *frames, size_t n, uint8_t *out)
{
	uint8_t plain[PAYLOAD] = { 0 }, nonce[GCM_NONCE], mask[AES_BLOCK];
	struct gcm_aes128_ctx gcm;
	struct quic_packet parsed;
	struct quic_keys k;

	memcpy(plain, frames, n);
	size_t head = write_header(out, i.version, i.version == V2, i.id, 8, i.token,
				   4 + PAYLOAD + GCM_TAG);
	size_t number = head;
	memcpy(out + head, (uint8_t[]){ 0, 0, 0, i.number }, 4);
	head += 4;
	struct cursor c = cursor_of(out, head + PAYLOAD + GCM_TAG);
	cr_assert(quic_read_packet(&c, false, &parsed));
	quic_client_keys(parsed.version, cursor_of(i.key_id, 8), &k);
	memcpy(nonce, k.nonce, sizeof(nonce));
	nonce[11] ^= i.number;
	gcm_aes128_set_key(&gcm, k.key);
	gcm_aes128_set_iv(&gcm, GCM_NONCE, nonce);
	gcm_aes128_update(&gcm, head, out);
	gcm_aes128_encrypt(&gcm, PAYLOAD, out + head, plain);
	gcm_aes128_digest(&gcm, GCM_TAG, out + head + PAYLOAD);
	aes128_block(k.header, out + head, mask);
	out[0] ^= mask[0] & 0x0f;
	for (size_t at = 0; at < 4; at++)
		out[number + at] ^= mask[1 + at];
	return head + PAYLOAD + GCM_TAG;
}

/* A CRYPTO frame with a part of the hello. */
static size_t crypto(uint8_t *at, size_t from, size_t to)
{
	size_t n = 0;

	at[n++] = 6;
	at[n++] = (uint8_t)(0x40 | from >> 8);
	at[n++] = (uint8_t)from;
	at[n++] = (uint8_t)(0x40 | (to - from) >> 8);
	at[n++] = (uint8_t)(to - from);
	memcpy(at + n, hello_bytes() + from, to - from);
	return n + to - from;
}

/* As in the appendices: one CRYPTO frame with all of it, packet number 2. */
static size_t example(uint32_t version, uint8_t out[INITIAL])
{
	uint8_t frames[4 + HELLO] = { 0x06, 0x00, 0x40, 0xf1 };

	memcpy(frames + 4, hello_bytes(), HELLO);
	size_t n = protect((struct initial){ version, first_id, first_id, 2, 0 }, frames,
			   sizeof(frames), out);
	cr_assert_eq(n, INITIAL);
	return n;
}

static struct conversation quic(void)
{
	struct conversation s;
	stream_init(&s, &dissector_quic, TRANSPORT_UDP, 50000, 4433);
	return s;
}

static void check_hello(const struct conversation *s)
{
	cr_assert(s->claimed);
	cr_assert(s->encrypted);
	cr_assert_eq(s->confidence, CONFIDENCE_HIGH);
	cr_assert_eq(s->client_direction, 0);
	cr_assert_str_eq(stream_text(s, "quic.sni", 0), "example.com");
	cr_assert_str_eq(stream_text(s, "quic.alpn", 0), "other");
	cr_assert_str_eq(stream_text(s, "quic.ja4", 0), "q13d0211an_62ed6f6ca7ad_4d634acda6c0");
	cr_assert_eq(stream_number(s, "quic.ech"), 0);
}

static void check_published(uint32_t version, const char *start, const char *end)
{
	uint8_t packet[INITIAL], expected[64];
	struct conversation s = quic();

	example(version, packet);
	size_t n = unhex(start, expected);
	cr_assert_arr_eq(packet, expected, n);
	n = unhex(end, expected);
	cr_assert_arr_eq(packet + INITIAL - n, expected, n);
	stream_offer(&s, 0, packet, INITIAL);
	check_hello(&s);
	cr_assert_str_eq(stream_text(&s, "quic.version", 0), version == V1 ? "1" : "2");
	cr_assert_eq(s.result, DISSECT_MORE, "the server is waited for");
	stream_finish(&s);
}

Test(quic, the_example_of_rfc_9001)
{
	check_published(V1,
			"c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11"
			"d242b123dc9bd8bab936b47d92ec356c",
			"7e78bfe706ca4cf5e9c5453e9f7cfd2b8b4c8d169a44e55c88d4a9a7f9474241"
			"e221af44860018ab0856972e194cd934");
}

Test(quic, the_example_of_rfc_9369)
{
	check_published(V2,
			"d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485"
			"dd04de806071bf03dceebfa162e75d6c",
			"9a37ddec600545473cfb5a05e08d0b209973b2172b4d21fb69745a262ccde96b"
			"a18b2faa745b6fe189cf772a9f84cbfc");
}

Test(quic, every_truncation_says_nothing)
{
	uint8_t packet[INITIAL];

	example(V1, packet);
	for (size_t n = 0; n < INITIAL; n++) {
		struct conversation s = quic();
		stream_offer(&s, 0, packet, n);
		cr_assert_eq(s.out.count, 0, "%zu bytes", n);
		cr_assert_not(s.encrypted);
		stream_finish(&s);
	}
}

Test(quic, a_wrong_tag_proves_nothing)
{
	uint8_t packet[INITIAL];
	struct conversation s = quic();

	example(V1, packet);
	packet[700] ^= 1;
	stream_offer(&s, 0, packet, INITIAL);
	cr_assert(s.claimed);
	cr_assert_eq(s.confidence, CONFIDENCE_MEDIUM);
	cr_assert_not(s.encrypted);
	cr_assert_eq(s.out.count, 0);
	stream_finish(&s);
}

/* The hello in pieces over two datagrams, in any order, with what else may stand there. */
static void two_datagrams(uint8_t one[INITIAL], uint8_t two[INITIAL])
{
	uint8_t frames[512];
	size_t n = 0;

	frames[n++] = 1; /* PING */
	n += crypto(frames + n, 150, 200);
	frames[n++] = 0; /* PADDING */
	n += crypto(frames + n, 10, 60);
	n += crypto(frames + n, 55, 120);
	protect((struct initial){ V1, first_id, first_id, 0, 0 }, frames, n, one);
	n = 0;
	memcpy(frames, (uint8_t[]){ 2, 0, 0, 1, 0, 0, 0 }, 7); /* ACK of two ranges */
	n += 7;
	n += crypto(frames + n, 200, HELLO);
	n += crypto(frames + n, 0, 10);
	n += crypto(frames + n, 120, 150);
	protect((struct initial){ V1, first_id, first_id, 1, 0 }, frames, n, two);
}

Test(quic, a_hello_in_two_datagrams)
{
	uint8_t parts[2][INITIAL];

	two_datagrams(parts[0], parts[1]);
	for (unsigned first = 0; first < 2; first++) {
		struct conversation s = quic();
		stream_offer(&s, 0, parts[first], INITIAL);
		cr_assert(s.encrypted);
		cr_assert_gt(s.held, 0);
		cr_assert_str_eq(stream_text(&s, "quic.sni", 0), "");
		stream_offer(&s, 0, parts[!first], INITIAL);
		check_hello(&s);
		cr_assert_eq(s.held, 0, "no longer than needed");
		stream_finish(&s);
	}
}

Test(quic, without_room_the_first_part_is_lost)
{
	uint8_t parts[2][INITIAL];
	struct conversation s = quic();

	two_datagrams(parts[0], parts[1]);
	stream_offer(&s, 0, parts[0], INITIAL);
	s.held = 0;
	stream_offer(&s, 0, parts[1], INITIAL);
	cr_assert_str_eq(stream_text(&s, "quic.sni", 0), "");
	stream_offer(&s, 0, parts[0], INITIAL); /* sent again */
	check_hello(&s);
	stream_finish(&s);
}

Test(quic, retry_brings_new_keys)
{
	static const uint8_t retry[] = { 0xff, 0, 0, 0, 1, 0, 8, 1, 2, 3,  4,  5,  6,  7,  8,  't',
					 1,    2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 };
	static const uint8_t new_id[8] = { 1, 2, 3, 4, 5, 6, 7, 8 };
	uint8_t packet[INITIAL + 64], frames[512];
	struct conversation s = quic();

	size_t n = crypto(frames, 0, 100);
	size_t length =
		protect((struct initial){ V1, first_id, first_id, 0, 0 }, frames, n, packet);
	stream_offer(&s, 0, packet, length);
	stream_offer(&s, 1, retry, sizeof(retry));
	cr_assert_eq(stream_number(&s, "quic.retry"), 1);
	n = crypto(frames, 0, HELLO);
	length = protect((struct initial){ V1, new_id, new_id, 1, 20 }, frames, n, packet);
	stream_offer(&s, 0, packet, length);
	check_hello(&s);
	stream_finish(&s);
}

Test(quic, another_id_and_the_same_keys)
{
	static const uint8_t of_server[8] = { 9, 9, 9, 9, 9, 9, 9, 9 };
	uint8_t packet[INITIAL], frames[512];
	struct conversation s = quic();

	size_t n = crypto(frames, 0, 100);
	protect((struct initial){ V1, first_id, first_id, 0, 0 }, frames, n, packet);
	stream_offer(&s, 0, packet, INITIAL);
	n = crypto(frames, 100, HELLO);
	protect((struct initial){ V1, of_server, first_id, 1, 0 }, frames, n, packet);
	stream_offer(&s, 0, packet, INITIAL);
	check_hello(&s);
	stream_finish(&s);
}

Test(quic, the_server_ends_it)
{
	uint8_t packet[INITIAL], answer[64] = { 0 };
	struct conversation s = quic();

	example(V1, packet);
	stream_offer(&s, 0, packet, INITIAL);
	size_t n = write_header(answer, V1, 2, first_id, 0, 0, 30);
	stream_offer(&s, 1, answer, n + 30);
	cr_assert_eq(s.result, DISSECT_DONE);
	stream_finish(&s);
}

Test(quic, early_data)
{
	uint8_t packet[INITIAL + 64];
	struct conversation s = quic();

	size_t n = example(V1, packet);
	n += write_header(packet + n, V1, 1, first_id, 8, 0, 30);
	memset(packet + n, 0x77, 30);
	stream_offer(&s, 0, packet, n + 30);
	check_hello(&s);
	cr_assert_eq(stream_number(&s, "quic.early_data"), 1);
	stream_finish(&s);
}

Test(quic, version_negotiation)
{
	static const uint8_t answer[] = { 0xca, 0,    0,    0,    0,    0,    8,    0x83,
					  0x94, 0xc8, 0xf0, 0x3e, 0x51, 0x57, 0x08, 0,
					  0,    0,    1,    0x6b, 0x33, 0x43, 0xcf };
	uint8_t packet[INITIAL];
	struct conversation s = quic();

	example(V1, packet);
	memcpy(packet + 1, (uint8_t[]){ 0x1a, 0x2a, 0x3a, 0x4a }, 4);
	stream_offer(&s, 0, packet, INITIAL);
	cr_assert(s.claimed);
	cr_assert_eq(s.confidence, CONFIDENCE_MEDIUM);
	stream_offer(&s, 1, answer, sizeof(answer));
	cr_assert_eq(stream_number(&s, "quic.version_negotiation"), 1);
	example(V1, packet);
	stream_offer(&s, 0, packet, INITIAL);
	check_hello(&s);
	stream_finish(&s);
}

Test(quic, patience_ends)
{
	uint8_t packet[INITIAL], frames[512];
	struct conversation s = quic();
	int count = 0;

	size_t n = crypto(frames, 0, 100);
	protect((struct initial){ V1, first_id, first_id, 0, 0 }, frames, n, packet);
	for (; count < 100 && !s.over; count++)
		stream_offer(&s, 0, packet, INITIAL);
	cr_assert_eq(s.result, DISSECT_DONE);
	cr_assert_lt(count, 100);
	stream_finish(&s);
}

Test(quic, more_pieces_than_are_kept_count_of)
{
	uint8_t packet[INITIAL], frames[1100];
	struct conversation s = quic();
	size_t n = 0;

	for (size_t at = 0; at + 2 < HELLO; at += 2)
		n += crypto(frames + n, at, at + 1);
	protect((struct initial){ V1, first_id, first_id, 0, 0 }, frames, n, packet);
	stream_offer(&s, 0, packet, INITIAL);
	cr_assert(s.encrypted);
	cr_assert_str_eq(stream_text(&s, "quic.sni", 0), "");
	example(V1, packet);
	stream_offer(&s, 0, packet, INITIAL); /* a whole one still fits */
	check_hello(&s);
	stream_finish(&s);
}

Test(quic, what_is_not_claimed)
{
	static const struct {
		const char *what;
		uint8_t bytes[40];
	} cases[] = {
		{ "RTP", { 0x80, 0x60, 0x00, 0x01 } },
		{ "a short header", { 0x40, 1, 2, 3 } },
		{ "an unknown version", { 0xc3, 0, 0, 0, 9, 8, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 30 } },
		{ "a greased one in little", { 0xc3, 0x1a, 0x2a, 0x3a, 0x4a, 8, 1, 2, 3, 4 } },
		{ "an id too long", { 0xc3, 0, 0, 0, 1, 21 } },
		{ "a length beyond the end", { 0xc3, 0, 0, 0, 1, 2, 1, 2, 0, 0, 0x40, 0xff } },
		{ "a length too small", { 0xc3, 0, 0, 0, 1, 2, 1, 2, 0, 0, 3, 1, 2, 3 } },
		{ "a token beyond the end", { 0xc3, 0, 0, 0, 1, 2, 1, 2, 0, 0x7f, 0xff } },
		{ "a list of odd versions", { 0xc3, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4 } },
		{ "Google's own", { 0xc3, 'Q', '0', '4', '6', 0x50, 1, 2, 3, 4, 5, 6, 7, 8 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct conversation s = quic();
		stream_offer(&s, 0, cases[i].bytes, sizeof(cases[i].bytes));
		cr_assert(s.refused, "%s", cases[i].what);
		stream_finish(&s);
	}
}
