/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_tls;

/* clang-format off */
/* Offers 1.3 and 1.2, h2 and http/1.1 (and a GREASE one), asks for
 * ehr.hospital.example, has an encrypted-hello extension. */
static const uint8_t client_hello[] = {
	0x16, 0x03, 0x01, 0x00, 0x9c, 0x01, 0x00, 0x00, 0x98, 0x03, 0x03, 0x40, 0x41, 0x42,
	0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x50,
	0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e,
	0x5f, 0x20, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab,
	0xac, 0xad, 0xae, 0xaf, 0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9,
	0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf, 0x00, 0x06, 0x5a, 0x5a, 0x13, 0x01, 0xc0, 0x2f,
	0x01, 0x00, 0x00, 0x49, 0x5a, 0x5a, 0x00, 0x00, 0x00, 0x00, 0x00, 0x19, 0x00, 0x17,
	0x00, 0x00, 0x14, 0x65, 0x68, 0x72, 0x2e, 0x68, 0x6f, 0x73, 0x70, 0x69, 0x74, 0x61,
	0x6c, 0x2e, 0x65, 0x78, 0x61, 0x6d, 0x70, 0x6c, 0x65, 0x00, 0x10, 0x00, 0x11, 0x00,
	0x0f, 0x02, 0x1a, 0x1a, 0x02, 0x68, 0x32, 0x08, 0x68, 0x74, 0x74, 0x70, 0x2f, 0x31,
	0x2e, 0x31, 0x00, 0x2b, 0x00, 0x07, 0x06, 0x7a, 0x7a, 0x03, 0x04, 0x03, 0x03, 0xfe,
	0x0d, 0x00, 0x04, 0x00, 0x00, 0x00, 0x00,
};

/* 1.3, cipher 0x1301, the client's session id echoed as 1.3 demands. */
static const uint8_t server_hello_13[] = {
	0x16, 0x03, 0x03, 0x00, 0x5e, 0x02, 0x00, 0x00, 0x5a, 0x03, 0x03, 0x40, 0x41, 0x42,
	0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x50,
	0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e,
	0x5f, 0x20, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab,
	0xac, 0xad, 0xae, 0xaf, 0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9,
	0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf, 0x13, 0x01, 0x00, 0x00, 0x12, 0x00, 0x2b, 0x00,
	0x02, 0x03, 0x04, 0x00, 0x33, 0x00, 0x08, 0x00, 0x1d, 0x00, 0x04, 0x01, 0x01, 0x01,
	0x01,
};

/* 1.2, cipher 0xc02f, h2, the same session id: resumed. */
static const uint8_t server_hello_12[] = {
	0x16, 0x03, 0x03, 0x00, 0x5a, 0x02, 0x00, 0x00, 0x56, 0x03, 0x03, 0x40, 0x41, 0x42,
	0x43, 0x44, 0x45, 0x46, 0x47, 0x48, 0x49, 0x4a, 0x4b, 0x4c, 0x4d, 0x4e, 0x4f, 0x50,
	0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57, 0x58, 0x59, 0x5a, 0x5b, 0x5c, 0x5d, 0x5e,
	0x5f, 0x20, 0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab,
	0xac, 0xad, 0xae, 0xaf, 0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9,
	0xba, 0xbb, 0xbc, 0xbd, 0xbe, 0xbf, 0xc0, 0x2f, 0x00, 0x00, 0x0e, 0xff, 0x01, 0x00,
	0x01, 0x00, 0x00, 0x10, 0x00, 0x05, 0x00, 0x03, 0x02, 0x68, 0x32,
};
/* clang-format on */

enum { HEADER = 5, RANDOM = HEADER + 4 + 2, SESSION = RANDOM + 32 + 1, CIPHER = SESSION + 32 };

static const uint8_t data[] = { 23, 3, 3, 0, 4, 1, 2, 3, 4 };
static const uint8_t change_cipher[] = { 20, 3, 3, 0, 1, 1 };
static const uint8_t refusal[] = { 21, 3, 3, 0, 2, 2, 40 };

static struct conversation tls(void)
{
	struct conversation s;
	stream_init(&s, &dissector_tls, TRANSPORT_TCP, 50000, 4443);
	return s;
}

/* The same handshake message in records of `size` bytes each. */
static size_t in_records(uint8_t *out, const uint8_t *hello, size_t n, size_t size)
{
	size_t at = 0;

	for (size_t done = HEADER; done < n; done += size) {
		size_t take = n - done < size ? n - done : size;
		memcpy(out + at, hello, 3);
		out[at + 3] = (uint8_t)(take >> 8);
		out[at + 4] = (uint8_t)take;
		memcpy(out + at + HEADER, hello + done, take);
		at += HEADER + take;
	}
	return at;
}

static void check_client(const struct conversation *s)
{
	cr_assert(s->claimed);
	cr_assert_eq(s->client_direction, 0);
	cr_assert_str_eq(stream_text(s, "tls.sni", 0), "ehr.hospital.example");
	cr_assert_str_eq(stream_text(s, "tls.alpn", 0), "h2");
	cr_assert_str_eq(stream_text(s, "tls.alpn", 1), "http/1.1");
	cr_assert_str_eq(stream_text(s, "tls.alpn", 2), "");
	cr_assert_str_eq(stream_text(s, "tls.client_version_max", 0), "1.3");
	cr_assert_eq(stream_number(s, "tls.ech"), 1);
	cr_assert_eq(s->out.invalid, 0, "GREASE is not taken for a protocol name");
}

static void check_13(const struct conversation *s)
{
	check_client(s);
	cr_assert_eq(s->result, DISSECT_DONE);
	cr_assert_eq(s->confidence, CONFIDENCE_HIGH);
	cr_assert(s->encrypted);
	cr_assert_str_eq(stream_text(s, "tls.version", 0), "1.3");
	cr_assert_str_eq(stream_text(s, "tls.cipher", 0), "0x1301");
	cr_assert_eq(stream_number(s, "tls.resumed"), 0, "an echo in 1.3 is no resumption");
}

Test(tls, version_13)
{
	struct conversation s = tls();

	stream_offer(&s, 0, client_hello, sizeof(client_hello));
	check_client(&s);
	cr_assert_eq(s.confidence, CONFIDENCE_MEDIUM);
	cr_assert_not(s.encrypted, "a ClientHello proves nothing yet");
	stream_offer(&s, 1, server_hello_13, sizeof(server_hello_13));
	check_13(&s);
	stream_finish(&s);
}

Test(tls, version_12_resumed)
{
	struct conversation s = tls();

	stream_offer(&s, 0, client_hello, sizeof(client_hello));
	stream_offer(&s, 1, server_hello_12, sizeof(server_hello_12));
	check_client(&s);
	cr_assert_eq(s.result, DISSECT_DONE);
	cr_assert_str_eq(stream_text(&s, "tls.version", 0), "1.2");
	cr_assert_str_eq(stream_text(&s, "tls.cipher", 0), "0xc02f");
	cr_assert_str_eq(stream_text(&s, "tls.alpn_chosen", 0), "h2");
	cr_assert_eq(stream_number(&s, "tls.resumed"), 1);
	stream_finish(&s);
}

Test(tls, another_session_id_is_not_resumed)
{
	uint8_t other[sizeof(server_hello_12)];
	struct conversation s = tls();

	memcpy(other, server_hello_12, sizeof(other));
	other[SESSION] ^= 1;
	stream_offer(&s, 0, client_hello, sizeof(client_hello));
	stream_offer(&s, 1, other, sizeof(other));
	cr_assert_eq(stream_number(&s, "tls.resumed"), 0);
	stream_finish(&s);
}

Test(tls, split_at_every_size)
{
	for (size_t chunk = 1; chunk <= sizeof(client_hello); chunk++) {
		struct conversation s = tls();
		stream_chunks(&s, 0, client_hello, sizeof(client_hello), chunk);
		stream_chunks(&s, 1, server_hello_13, sizeof(server_hello_13), chunk);
		check_13(&s);
		stream_finish(&s);
	}
}

Test(tls, hellos_over_many_records)
{
	uint8_t ask[2048], tell[2048];

	for (size_t size = 1; size < sizeof(client_hello); size++) {
		size_t asked = in_records(ask, client_hello, sizeof(client_hello), size);
		size_t told = in_records(tell, server_hello_13, sizeof(server_hello_13), size);
		for (size_t chunk = 1; chunk < 64; chunk += 9) {
			struct conversation s = tls();
			stream_chunks(&s, 0, ask, asked, chunk);
			stream_chunks(&s, 1, tell, told, chunk);
			check_13(&s);
			stream_finish(&s);
		}
	}
}

Test(tls, every_truncation_records_nothing)
{
	for (size_t n = 0; n < sizeof(client_hello); n++) {
		struct conversation s = tls();
		stream_offer(&s, 0, client_hello, n);
		cr_assert_not(s.refused, "%zu bytes", n);
		cr_assert_eq(s.out.count, 0);
		cr_assert_not(s.encrypted);
		stream_finish(&s);
	}
	for (size_t n = 0; n < sizeof(server_hello_13); n++) {
		struct conversation s = tls();
		stream_offer(&s, 1, server_hello_13, n);
		cr_assert_eq(s.out.count, 0);
		cr_assert_not(s.encrypted);
		stream_finish(&s);
	}
}

/* Lengths shortened inside: the hello claims more than its record holds. */
Test(tls, every_inner_truncation_is_refused)
{
	for (size_t n = HEADER + 4 + 41; n < sizeof(client_hello); n++) {
		uint8_t cut[sizeof(client_hello)];
		struct conversation s = tls();
		memcpy(cut, client_hello, n);
		cut[3] = (uint8_t)((n - HEADER) >> 8);
		cut[4] = (uint8_t)(n - HEADER);
		cut[7] = (uint8_t)((n - HEADER - 4) >> 8);
		cut[8] = (uint8_t)(n - HEADER - 4);
		stream_offer(&s, 0, cut, n);
		/* Without any extensions it is a whole hello of old. */
		bool whole = s.claimed;
		cr_assert_eq(stream_text(&s, "tls.sni", 0)[0], 0);
		cr_assert(!whole || n == SESSION + 32 + 2 + 6 + 2, "%zu bytes", n);
		stream_finish(&s);
	}
}

Test(tls, retry_then_hello)
{
	static const uint8_t magic[32] = {
		0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c,
		0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11, 0x16, 0x7a, 0xbb,
		0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
	};
	uint8_t retry[sizeof(server_hello_13)];
	struct conversation s = tls();

	memcpy(retry, server_hello_13, sizeof(retry));
	memcpy(retry + RANDOM, magic, sizeof(magic));
	stream_offer(&s, 0, client_hello, sizeof(client_hello));
	stream_offer(&s, 1, retry, sizeof(retry));
	cr_assert_eq(s.result, DISSECT_MORE);
	cr_assert_not(s.encrypted);
	stream_offer(&s, 1, change_cipher, sizeof(change_cipher));
	stream_offer(&s, 0, client_hello, sizeof(client_hello));
	cr_assert_not(s.encrypted);
	stream_offer(&s, 1, server_hello_13, sizeof(server_hello_13));
	check_13(&s);
	stream_finish(&s);
}

Test(tls, a_refusal_is_not_encrypted)
{
	struct conversation s = tls();

	stream_offer(&s, 0, client_hello, sizeof(client_hello));
	stream_offer(&s, 1, refusal, sizeof(refusal));
	cr_assert_eq(s.result, DISSECT_DONE);
	cr_assert(s.claimed);
	cr_assert_not(s.encrypted);
	cr_assert_str_eq(stream_text(&s, "tls.alert", 0), "handshake_failure");
	stream_finish(&s);
}

Test(tls, a_clear_text_answer_is_not_encrypted)
{
	struct conversation s = tls();

	stream_offer(&s, 0, client_hello, sizeof(client_hello));
	stream_offer(&s, 1, "HTTP/1.1 400 Bad Request\r\n", 26);
	cr_assert_eq(s.result, DISSECT_MALFORMED);
	cr_assert_not(s.encrypted);
	stream_finish(&s);
}

Test(tls, a_null_cipher_is_not_encrypted)
{
	uint8_t null_sha[sizeof(server_hello_12)];
	struct conversation s = tls();

	memcpy(null_sha, server_hello_12, sizeof(null_sha));
	null_sha[CIPHER] = 0x00;
	null_sha[CIPHER + 1] = 0x02;
	stream_offer(&s, 0, client_hello, sizeof(client_hello));
	stream_offer(&s, 1, null_sha, sizeof(null_sha));
	cr_assert_eq(s.result, DISSECT_DONE);
	cr_assert_str_eq(stream_text(&s, "tls.cipher", 0), "0x0002");
	cr_assert_not(s.encrypted);
	stream_finish(&s);
}

Test(tls, only_the_client_is_seen)
{
	struct conversation s = tls();

	stream_offer(&s, 0, client_hello, sizeof(client_hello));
	cr_assert_not(s.encrypted);
	stream_offer(&s, 0, change_cipher, sizeof(change_cipher));
	cr_assert(s.encrypted);
	cr_assert_eq(s.confidence, CONFIDENCE_MEDIUM);
	for (int i = 0; i < 64 && !s.over; i++)
		stream_chunks(&s, 0, data, sizeof(data), 2);
	cr_assert_eq(s.result, DISSECT_DONE, "it does not wait for ever");
	stream_finish(&s);
}

Test(tls, the_server_hello_is_lost)
{
	struct conversation s = tls();

	stream_offer(&s, 0, client_hello, sizeof(client_hello));
	stream_lose(&s, 1);
	stream_offer(&s, 1, server_hello_13 + 9, 20);
	cr_assert_not(s.encrypted);
	stream_offer(&s, 0, change_cipher, sizeof(change_cipher));
	cr_assert(s.encrypted);
	cr_assert_eq(s.confidence, CONFIDENCE_MEDIUM);
	stream_finish(&s);
}

Test(tls, early_data_with_the_server_in_sight_proves_nothing)
{
	struct conversation s = tls();

	stream_offer(&s, 0, client_hello, sizeof(client_hello));
	stream_offer(&s, 1, server_hello_13, 3);
	stream_offer(&s, 0, data, sizeof(data));
	cr_assert_not(s.encrypted);
	stream_offer(&s, 1, server_hello_13 + 3, sizeof(server_hello_13) - 3);
	check_13(&s);
	stream_finish(&s);
}

Test(tls, only_the_server_is_seen)
{
	struct conversation s = tls();

	stream_offer(&s, 1, server_hello_13, sizeof(server_hello_13));
	cr_assert(s.claimed);
	cr_assert(s.encrypted);
	cr_assert_eq(s.client_direction, 0);
	cr_assert_eq(s.result, DISSECT_MORE, "the client's hello may come late");
	stream_offer(&s, 1, data, sizeof(data));
	cr_assert_eq(s.result, DISSECT_DONE);
	stream_finish(&s);
}

Test(tls, the_hellos_in_the_wrong_order)
{
	struct conversation s = tls();

	stream_offer(&s, 0, client_hello, 20);
	stream_offer(&s, 1, server_hello_13, sizeof(server_hello_13));
	stream_offer(&s, 0, client_hello + 20, sizeof(client_hello) - 20);
	check_13(&s);
	stream_finish(&s);
}

Test(tls, gaps_end_a_direction)
{
	struct conversation s = tls();

	stream_offer(&s, 0, client_hello, sizeof(client_hello));
	stream_lose(&s, 1);
	stream_offer(&s, 1, server_hello_13 + 9, 20);
	cr_assert_eq(s.result, DISSECT_MORE);
	stream_lose(&s, 0);
	stream_offer(&s, 0, data, sizeof(data));
	cr_assert_eq(s.result, DISSECT_DONE);
	cr_assert_not(s.encrypted);
	stream_finish(&s);
}

Test(tls, what_is_not_claimed)
{
	static const struct {
		const char *what;
		uint8_t bytes[16];
	} cases[] = {
		{ "SSL 2.0 hello", { 0x80, 0x2e, 0x01, 0x03, 0x01, 0x00, 0x15, 0, 0, 0, 0x10 } },
		{ "application data", { 23, 3, 3, 0, 4, 1, 2, 3, 4 } },
		{ "alert alone", { 21, 3, 3, 0, 2, 2, 40 } },
		{ "TPKT", { 3, 0, 0, 11, 6, 0xe0 } },
		{ "handshake of another kind", { 22, 3, 1, 0, 60, 11, 0, 0, 56, 3, 3 } },
		{ "hello too short to be one", { 22, 3, 1, 0, 30, 1, 0, 0, 26, 3, 3 } },
		{ "hello too long to be one", { 22, 3, 1, 0x40, 0, 1, 1, 0, 0, 3, 3 } },
		{ "record too long", { 22, 3, 1, 0xff, 0xff, 1, 0, 0, 60, 3, 3 } },
		{ "unknown version", { 22, 3, 9, 0, 60, 1, 0, 0, 56, 3, 3 } },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct conversation s = tls();
		stream_offer(&s, 0, cases[i].bytes, sizeof(cases[i].bytes));
		cr_assert(s.refused, "%s", cases[i].what);
		stream_finish(&s);
	}
}

/* Of "771,4865-49199,0-16-43-65037,,", "771,4865,43-51" and "771,49199,65281-16". */
Test(tls, fingerprints)
{
	struct conversation s = tls();

	stream_offer(&s, 0, client_hello, sizeof(client_hello));
	cr_assert_str_eq(stream_text(&s, "tls.ja3", 0), "1a45665515489623217da6de67bab70c");
	cr_assert_str_eq(stream_text(&s, "tls.ja4", 0), "t13d0204h2_c1929292aa6b_19db675bb9c5");
	stream_offer(&s, 1, server_hello_13, sizeof(server_hello_13));
	cr_assert_str_eq(stream_text(&s, "tls.ja3s", 0), "f4febc55ea12b31ae17cfb7e614afda8");
	stream_finish(&s);
	s = tls();
	stream_offer(&s, 1, server_hello_12, sizeof(server_hello_12));
	cr_assert_str_eq(stream_text(&s, "tls.ja3s", 0), "7bee5c1d424b7e5f943b06983bb11422");
	stream_finish(&s);
}

static struct conversation ask_for(const char *name, const char *protocol, uint16_t port)
{
	struct conversation s;
	uint8_t hello[128] = { 22, 3, 1, 0, 0, 1, 0, 0, 0, 3, 3 };
	size_t n = RANDOM + 32, length = strlen(name), p = strlen(protocol);

	memcpy(hello + n, "\0\0\2\x13\x01\1\0", 7);
	n += 7;
	hello[n++] = 0;
	hello[n++] = (uint8_t)(4 + 5 + length + 4 + 3 + p);
	memcpy(hello + n,
	       (uint8_t[]){ 0, 0, 0, (uint8_t)(5 + length), 0, (uint8_t)(3 + length), 0, 0,
			    (uint8_t)length },
	       9);
	memcpy(hello + n + 9, name, length);
	n += 9 + length;
	memcpy(hello + n,
	       (uint8_t[]){ 0, 16, 0, (uint8_t)(3 + p), 0, (uint8_t)(1 + p), (uint8_t)p }, 7);
	memcpy(hello + n + 7, protocol, p);
	n += 7 + p;
	hello[4] = (uint8_t)(n - HEADER);
	hello[8] = (uint8_t)(n - HEADER - 4);
	stream_init(&s, &dissector_tls, TRANSPORT_TCP, 50000, port);
	stream_offer(&s, 0, hello, n);
	cr_assert(s.claimed);
	return s;
}

Test(tls, dns_over_it)
{
	static const struct {
		const char *name, *protocol;
		uint16_t port;
		const char *word;
	} rows[] = {
		{ "resolver.example", "h2", 443, "" },
		{ "resolver.example", "dot", 443, "tls" },
		{ "resolver.example", "h2", 853, "tls" },
		{ "dns.google", "h2", 443, "https" },
		{ "DNS.Google.", "h2", 443, "https" },
		{ "mozilla.cloudflare-dns.com", "h2", 443, "https" },
		{ "abc123.dns.nextdns.io", "dot", 443, "tls" },
		{ "notdns.google", "h2", 443, "" },
		{ "dns.google.example", "h2", 443, "" },
		{ "google", "h2", 443, "" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conversation s = ask_for(rows[i].name, rows[i].protocol, rows[i].port);
		cr_assert_str_eq(stream_text(&s, "tls.dns_over", 0), rows[i].word, "%s",
				 rows[i].name);
		stream_finish(&s);
	}
}

/* First and last character of the first protocol, or of its digits. */
Test(tls, protocol_in_ja4)
{
	static const char *const rows[][2] = {
		{ "h2", "h2" },       { "http/1.1", "h1" }, { "h3-29", "h9" }, { "x", "xx" },
		{ "\xab\xcd", "ad" }, { "0\xab", "3b" },    { "a/", "6f" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conversation s = ask_for("a.example", rows[i][0], 443);
		cr_assert_arr_eq(stream_text(&s, "tls.ja4", 0) + 8, rows[i][1], 2, "%s: %s",
				 rows[i][0], stream_text(&s, "tls.ja4", 0));
		stream_finish(&s);
	}
}
