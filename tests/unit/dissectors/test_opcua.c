/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_opcua;

#define NONE "http://opcfoundation.org/UA/SecurityPolicy#None"
#define SECURED "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256"

/* Builds one direction of a conversation. */
struct wire {
	uint8_t bytes[4096];
	size_t n;
};

static void put(struct wire *w, const void *bytes, size_t n)
{
	cr_assert_leq(w->n + n, sizeof(w->bytes));
	memcpy(w->bytes + w->n, bytes, n);
	w->n += n;
}

static void put32(struct wire *w, uint32_t v)
{
	put(w,
	    (const uint8_t[]){ (uint8_t)v, (uint8_t)(v >> 8), (uint8_t)(v >> 16),
			       (uint8_t)(v >> 24) },
	    4);
}

static void put_text(struct wire *w, const char *text)
{
	put32(w, text ? (uint32_t)strlen(text) : UINT32_MAX);
	if (text)
		put(w, text, strlen(text));
}

static void put_type(struct wire *w, unsigned type)
{
	put(w, (const uint8_t[]){ 1, 0, (uint8_t)type, (uint8_t)(type >> 8) }, 4);
}

static void put_chunk(struct wire *w, const char *kind, const struct wire *body)
{
	put(w, kind, 4);
	put32(w, (uint32_t)body->n + 8);
	put(w, body->bytes, body->n);
}

static void put_hello(struct wire *w, const char *url)
{
	struct wire body = { 0 };

	for (int i = 0; i < 5; i++)
		put32(&body, i ? 65536 : 0);
	put_text(&body, url);
	put_chunk(w, "HELF", &body);
}

static void put_acknowledge(struct wire *w)
{
	struct wire body = { 0 };

	for (int i = 0; i < 5; i++)
		put32(&body, i ? 65536 : 0);
	put_chunk(w, "ACKF", &body);
}

/* Token, time, handle, diagnostics, audit id, timeout, no further header. */
static void put_request_header(struct wire *w)
{
	put(w, "\3\1\0\4\0\0\0ZZPH", 11);
	put32(w, 1), put32(w, 2), put32(w, 3), put32(w, 0);
	put_text(w, "ZZPHI");
	put32(w, 10000);
	put(w, "\0\0\0", 3);
}

static void put_open(struct wire *w, const char *policy)
{
	struct wire body = { 0 };

	put32(&body, 0);
	put_text(&body, policy);
	put_text(&body, NULL);
	put_text(&body, NULL);
	put32(&body, 1), put32(&body, 1);
	put_type(&body, 446);
	put_request_header(&body);
	put32(&body, 0), put32(&body, 0), put32(&body, 1);
	put_chunk(w, "OPNF", &body);
}

/* What stands in front of a service. */
static void put_sequence(struct wire *w, uint32_t number)
{
	put32(w, 7), put32(w, 1), put32(w, number), put32(w, number);
}

static void put_service(struct wire *w, unsigned type, uint32_t number)
{
	struct wire body = { 0 };

	put_sequence(&body, number);
	put_type(&body, type);
	put_request_header(&body);
	put_text(&body, "ZZPHI");
	put_chunk(w, "MSGF", &body);
}

static void put_response(struct wire *w, unsigned type, uint32_t number, uint32_t result)
{
	struct wire body = { 0 };

	put_sequence(&body, number);
	put_type(&body, type);
	put32(&body, 1), put32(&body, 2), put32(&body, 3);
	put32(&body, result);
	put(&body, "\0\0\0\0\0\0\0\0", 8);
	put_chunk(w, "MSGF", &body);
}

/* With a user's name, and a password in clear or said to be encrypted. */
static void put_activate(struct wire *w, unsigned token, const char *algorithm)
{
	struct wire body = { 0 }, user = { 0 };

	put_sequence(&body, 3);
	put_type(&body, 467);
	put_request_header(&body);
	put_text(&body, NULL), put_text(&body, NULL);
	put32(&body, 1), put_text(&body, "certificate"), put_text(&body, "signature");
	put32(&body, 2), put_text(&body, "fr"), put_text(&body, "en");
	put_type(&body, token);
	put_text(&user, "policy");
	put_text(&user, "ZZPHI");
	put_text(&user, "ZZSECRET");
	put_text(&user, algorithm);
	put(&body, "\1", 1);
	put32(&body, (uint32_t)user.n);
	put(&body, user.bytes, user.n);
	put_text(&body, NULL), put_text(&body, NULL);
	put_chunk(w, "MSGF", &body);
}

static void put_opaque(struct wire *w, const char *kind, size_t size)
{
	struct wire body = { 0 };

	put32(&body, 7), put32(&body, 1);
	for (size_t i = 0; i < size; i++)
		put(&body, (const uint8_t[]){ (uint8_t)(0x80 + 7 * i) }, 1);
	put_chunk(w, kind, &body);
}

static void put_client(struct wire *w)
{
	put_hello(w, "opc.tcp://plc1.example:4840/ZZPHI");
	put_open(w, NONE);
	put_service(w, 461, 2);
	put_activate(w, 324, NULL);
	put_service(w, 527, 4);
	put_service(w, 631, 5);
	put_service(w, 673, 6);
	put_service(w, 712, 7);
	put_service(w, 700, 8);
	put_service(w, 488, 9);
	put_service(w, 500, 10);
	put_service(w, 787, 11);
}

static void put_server(struct wire *w)
{
	put_acknowledge(w);
	put_response(w, 464, 2, 0);
	put_response(w, 676, 6, 0x803b0000);
	put_response(w, 397, 7, 0x80130000);
}

static struct conversation tcp(void)
{
	struct conversation s;
	stream_init(&s, &dissector_opcua, TRANSPORT_TCP, 50000, 50001);
	return s;
}

static void check_all(const struct conversation *s)
{
	cr_assert(s->claimed);
	cr_assert_eq(s->result, DISSECT_MORE);
	cr_assert_eq(s->client_direction, 0);
	cr_assert_eq(s->confidence, CONFIDENCE_HIGH);
	cr_assert_not(s->encrypted);
	cr_assert_str_eq(stream_text(s, "opcua.endpoint_host", 0), "plc1.example");
	cr_assert_str_eq(stream_text(s, "opcua.policy", 0), "None");
	cr_assert_str_eq(stream_text(s, "opcua.mode", 0), "none");
	cr_assert_str_eq(stream_text(s, "opcua.identity", 0), "user-name");
	cr_assert(stream_number(s, "opcua.clear_password"));
	cr_assert_eq(stream_number(s, "opcua.requests"), 11);
	cr_assert_eq(stream_number(s, "opcua.reads"), 1);
	cr_assert_eq(stream_number(s, "opcua.writes"), 1);
	cr_assert_eq(stream_number(s, "opcua.calls"), 1);
	cr_assert_eq(stream_number(s, "opcua.browses"), 1);
	cr_assert_eq(stream_number(s, "opcua.history_updates"), 1);
	cr_assert_eq(stream_number(s, "opcua.node_changes"), 2);
	cr_assert_eq(stream_number(s, "opcua.sessions"), 1);
	cr_assert_eq(stream_number(s, "opcua.subscriptions"), 1);
	cr_assert_eq(stream_number(s, "opcua.responses"), 3);
	cr_assert_eq(stream_number(s, "opcua.faults"), 1);
	cr_assert_eq(stream_number(s, "opcua.errors"), 2);
	cr_assert_str_eq(stream_text(s, "opcua.status", 0), "0x803b0000");
	cr_assert_eq(stream_number(s, "opcua.opaque"), 0);
	cr_assert_eq(stream_number(s, "opcua.malformed"), 0);
	for (size_t i = 0; i + 1 < s->out.text_used; i++)
		cr_assert(s->out.texts[i] != 'Z' || s->out.texts[i + 1] != 'Z');
}

Test(opcua, a_conversation_in_pieces_of_any_size)
{
	struct wire client = { 0 }, server = { 0 };

	put_client(&client);
	put_server(&server);
	for (size_t chunk = 1; chunk <= client.n; chunk += 1 + chunk / 16) {
		struct conversation s = tcp();
		stream_chunks(&s, 0, client.bytes, client.n, chunk);
		stream_chunks(&s, 1, server.bytes, server.n, chunk);
		check_all(&s);
		stream_finish(&s);
	}
}

Test(opcua, every_truncation_tells_no_more)
{
	struct wire client = { 0 };

	put_client(&client);
	for (size_t n = 0; n < client.n; n++) {
		struct conversation s = tcp();
		stream_offer(&s, 0, client.bytes, n);
		cr_assert_eq(s.claimed, n >= 12, "%zu bytes", n);
		cr_assert_eq(stream_number(&s, "opcua.malformed"), 0);
		cr_assert_leq(stream_number(&s, "opcua.requests"), 10);
		stream_finish(&s);
	}
}

Test(opcua, who_logs_in_how)
{
	static const struct {
		unsigned token;
		const char *algorithm, *word;
		bool clear;
	} rows[] = { { 321, NULL, "anonymous", false },
		     { 324, NULL, "user-name", true },
		     { 324, "http://www.w3.org/2001/04/xmlenc#rsa-oaep", "user-name", false },
		     { 327, NULL, "certificate", false },
		     { 940, NULL, "issued-token", false },
		     { 999, NULL, "", false } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conversation s = tcp();
		struct wire w = { 0 };
		put_hello(&w, NULL);
		put_activate(&w, rows[i].token, rows[i].algorithm);
		stream_offer(&s, 0, w.bytes, w.n);
		cr_assert_str_eq(stream_text(&s, "opcua.identity", 0), rows[i].word);
		cr_assert_eq(stream_number(&s, "opcua.clear_password"), rows[i].clear);
		stream_finish(&s);
	}
}

/* Signed and encrypted: nothing inside can be read; only signed: all can. */
Test(opcua, the_first_message_tells_the_mode)
{
	for (unsigned encrypted = 0; encrypted < 2; encrypted++) {
		struct conversation s = tcp();
		struct wire w = { 0 };
		put_hello(&w, NULL);
		struct wire body = { 0 };
		put32(&body, 0);
		put_text(&body, SECURED);
		put_text(&body, "certificate");
		put_text(&body, "thumbprint");
		put(&body, "0123456789abcdef", 16);
		put_chunk(&w, "OPNF", &body);
		stream_offer(&s, 0, w.bytes, w.n);
		cr_assert_str_eq(stream_text(&s, "opcua.policy", 0), "Basic256Sha256");
		cr_assert_not(s.encrypted, "not yet proved");
		w.n = 0;
		if (encrypted)
			put_opaque(&w, "MSGF", 64);
		else
			put_service(&w, 673, 2);
		stream_offer(&s, 0, w.bytes, w.n);
		cr_assert_eq(s.encrypted, encrypted);
		cr_assert_str_eq(stream_text(&s, "opcua.mode", 0),
				 encrypted ? "sign-and-encrypt" : "sign");
		cr_assert_eq(stream_number(&s, "opcua.opaque"), encrypted);
		cr_assert_eq(stream_number(&s, "opcua.writes"), !encrypted);
		stream_finish(&s);
	}
}

/* Without the secure channel's beginning nothing is said about its security. */
Test(opcua, joined_in_the_middle)
{
	struct conversation s = tcp();
	struct wire w = { 0 };

	put_service(&w, 631, 4);
	size_t first = w.n;
	put_service(&w, 673, 5);
	put_opaque(&w, "MSGF", 64);
	s.midstream = s.sides[0].gap = s.sides[1].gap = true;
	stream_offer(&s, 0, w.bytes + first, w.n - first);
	cr_assert(s.claimed);
	cr_assert_eq(s.client_direction, 0);
	cr_assert_not(s.encrypted);
	cr_assert_eq(stream_number(&s, "opcua.writes"), 1);
	cr_assert_eq(stream_number(&s, "opcua.reads"), 0);
	cr_assert_eq(stream_number(&s, "opcua.opaque"), 1);
	stream_lose(&s, 0);
	stream_offer(&s, 0, w.bytes + 21, w.n - 21);
	cr_assert_eq(stream_number(&s, "opcua.writes"), 2);
	cr_assert_eq(stream_number(&s, "opcua.malformed"), 0);
	stream_finish(&s);
}

/* Only the first chunk of a message has a type; the rest may look like one. */
Test(opcua, a_message_in_several_chunks_counts_once)
{
	struct conversation s = tcp();
	struct wire w = { 0 }, first = { 0 }, rest = { 0 };

	put_hello(&w, NULL);
	put_sequence(&first, 2);
	put_type(&first, 673);
	put_request_header(&first);
	put_chunk(&w, "MSGC", &first);
	put32(&rest, 7), put32(&rest, 1), put32(&rest, 3), put32(&rest, 2);
	put_type(&rest, 712);
	put_request_header(&rest);
	put_chunk(&w, "MSGF", &rest);
	put_service(&w, 631, 4);
	stream_offer(&s, 0, w.bytes, w.n);
	cr_assert_eq(stream_number(&s, "opcua.requests"), 2);
	cr_assert_eq(stream_number(&s, "opcua.writes"), 1);
	cr_assert_eq(stream_number(&s, "opcua.calls"), 0);
	cr_assert_eq(stream_number(&s, "opcua.reads"), 1);
	cr_assert_eq(stream_number(&s, "opcua.opaque"), 0);
	stream_finish(&s);
}

Test(opcua, a_long_message_is_passed_over)
{
	struct conversation s = tcp();
	struct wire w = { 0 };
	static uint8_t much[60000];

	put_hello(&w, NULL);
	put_service(&w, 673, 2);
	put_service(&w, 631, 3);
	/* The write is said to have 60000 bytes more. */
	size_t at = 32;
	uint32_t size;
	memcpy(&size, w.bytes + at + 4, 4);
	uint32_t longer = size + sizeof(much);
	memcpy(w.bytes + at + 4, &longer, 4);
	stream_offer(&s, 0, w.bytes, at + size);
	stream_offer(&s, 0, much, sizeof(much));
	stream_offer(&s, 0, w.bytes + at + size, w.n - at - size);
	cr_assert_eq(stream_number(&s, "opcua.writes"), 1);
	cr_assert_eq(stream_number(&s, "opcua.reads"), 1);
	cr_assert_eq(stream_number(&s, "opcua.malformed"), 0);
	stream_finish(&s);
}

Test(opcua, reverse_connections_and_errors)
{
	struct conversation s = tcp();
	struct wire w = { 0 }, body = { 0 };

	put_text(&body, "urn:ZZPHI");
	put_text(&body, "opc.tcp://plc1:4840");
	put_chunk(&w, "RHEF", &body);
	stream_offer(&s, 0, w.bytes, w.n);
	cr_assert(s.claimed);
	cr_assert_eq(s.client_direction, 1, "the server called");
	cr_assert(stream_number(&s, "opcua.reverse"));
	w.n = body.n = 0;
	put32(&body, 0x80840000);
	put_text(&body, "ZZPHI");
	put_chunk(&w, "ERRF", &body);
	stream_offer(&s, 1, w.bytes, w.n);
	cr_assert_eq(stream_number(&s, "opcua.errors"), 1);
	cr_assert_str_eq(stream_text(&s, "opcua.status", 0), "0x80840000");
	stream_finish(&s);
}

Test(opcua, the_host_alone_comes_out)
{
	static const struct {
		const char *url, *host;
	} rows[] = { { "opc.tcp://10.1.2.3:4840/x", "10.1.2.3" },
		     { "opc.tcp://server", "server" },
		     { "opc.tcp://ZZuser:ZZpw@server:4840", "" },
		     { "opc.tcp://[fe80::1]:4840", "" },
		     { "opc.tcp:///ZZPHI", "" },
		     { "opc.tcp://ZZPHI name:4840", "invalid" },
		     { "ZZPHI", "" } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct conversation s = tcp();
		struct wire w = { 0 };
		put_hello(&w, rows[i].url);
		stream_offer(&s, 0, w.bytes, w.n);
		cr_assert_str_eq(stream_text(&s, "opcua.endpoint_host", 0), rows[i].host);
		stream_finish(&s);
	}
}

Test(opcua, others_are_left_alone)
{
	static const char *const others[] = {
		"HELO mail.example.com\r\n", "MSG subject 1 5\r\nhello\r\n", "ACKF\x1d\1\1\1abcd",
		"OPNFabcdefghijklmnop",      "ERRFabcdefghijklmnop",         "CLOF 1 2 3\r\n",
	};

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		struct conversation s = tcp();
		stream_offer(&s, 0, others[i], strlen(others[i]));
		cr_assert(s.refused, "%s", others[i]);
		stream_finish(&s);
	}
}
