/* SPDX-License-Identifier: Apache-2.0
 *
 * The two hellos of TLS (RFC 8446, RFC 5246) and what is said of a client's: the same
 * over TCP (tls.c) and in QUIC (quic.c). Pure; everything that a hello points to is
 * borrowed from the bytes it was read from. */
#pragma once

#include "dissectors/dissector.h"

enum {
	TLS_CLIENT_HELLO = 1,
	TLS_SERVER_HELLO = 2,
	TLS_CLIENT_HELLO_LEAST = 41, /* one cipher, one compression, no extensions */
	TLS_SERVER_HELLO_LEAST = 36, /* a draft of 1.3: version, random, cipher */
	TLS_HELLO_MOST = 12288,      /* longer ones are not read */
	TLS_HANDSHAKE_HEADER = 4,    /* type u8, length u24 */
};

struct tls_hello {
	uint16_t field_version; /* in the hello's own version field */
	uint16_t version;       /* agreed on, or the highest offered */
	uint16_t highest;       /* of the numbers offered; drafts of 1.3 count as higher */
	uint16_t cipher;        /* the server's choice */
	struct cursor ciphers;  /* u16 each: the client's list */
	struct cursor session, name, protocols, groups, point_formats, signatures;
	struct cursor extensions; /* type u16, length u16, value */
	bool has_name;            /* the extension stands there, whatever is in it */
	bool ech, pre_shared, ticket, retry;
};

/* The message behind its handshake header. False when it is malformed. */
bool tls_read_hello(struct cursor c, bool client, struct tls_hello *h);

/* RFC 8701: values that mean nothing, to keep others honest. */
static inline bool tls_is_grease(unsigned v)
{
	return (v & 0x0f0f) == 0x0a0a && v >> 8 == (v & 0xff);
}

/* Is this version 1.3, or a draft of it? */
bool tls_is_13(unsigned version);

/* Fields of a dissector for what a ClientHello says; NULL: not said. */
struct tls_client_fields {
	const struct field *sni, *alpn, *version_max, *ech, *ja3, *ja4, *dns_over;
};

/* `transport` is JA4's first letter, t or q; `server_port` that the client talks to. */
void tls_record_client(const struct tls_hello *h, char transport, uint16_t server_port,
		       const struct tls_client_fields *f, struct attributes *out);

void tls_record_version(struct attributes *out, const struct field *f, unsigned version);
void tls_record_protocols(struct attributes *out, const struct field *f, struct cursor list);

/* Fingerprints, NUL-terminated.
 * JA3 and JA3S: MD5 of the decimal lists (Salesforce, BSD-3-Clause).
 * JA4 of TLS clients (FoxIO, BSD-3-Clause). The other methods called JA4+ are under
 * another licence and are not built in. */
enum { JA3_TEXT = 33, JA4_TEXT = 37 };
void tls_ja3(const struct tls_hello *h, char out[JA3_TEXT]);
void tls_ja3s(const struct tls_hello *h, char out[JA3_TEXT]);
void tls_ja4(const struct tls_hello *h, char transport, char out[JA4_TEXT]);
