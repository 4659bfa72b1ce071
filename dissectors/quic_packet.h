/* SPDX-License-Identifier: Apache-2.0
 *
 * QUIC's long headers (RFC 9000 section 17.2, RFC 8999) and what protects Initial
 * packets (RFC 9001 section 5, RFC 9369 section 3): keys that anybody can derive from
 * the client's first connection id. Pure. */
#pragma once

#include "dissectors/crypto.h"
#include "dissectors/dissector.h"

enum { QUIC_ID_MOST = 20, QUIC_PACKET_MOST = 4096 };

enum quic_kind {
	QUIC_INITIAL,
	QUIC_EARLY, /* 0-RTT */
	QUIC_HANDSHAKE,
	QUIC_RETRY,
	QUIC_NEGOTIATION, /* version 0: which versions a server has */
	QUIC_GREASED,     /* a version reserved to provoke that */
};

/* A version whose Initial packets can be read. */
struct quic_version {
	uint32_t number;
	const char *word; /* "1", "2", "draft-29" */
	bool second;      /* version 2's kinds and labels */
	uint8_t salt[20];
};

/* One packet of a datagram. */
struct quic_packet {
	enum quic_kind kind;
	const struct quic_version *version; /* NULL: NEGOTIATION, GREASED */
	struct cursor destination_id, source_id;
	const uint8_t *start;   /* of the header */
	struct cursor body;     /* packet number and payload, both protected */
	struct cursor versions; /* NEGOTIATION: u32 each */
};

/* Reads a long header and takes its packet; a GREASED or NEGOTIATION or RETRY one takes
 * all that is left. `cut`: the datagram may go on behind these bytes (a probe's view).
 * False: no packet that we know, or malformed. */
bool quic_read_packet(struct cursor *c, bool cut, struct quic_packet *p);

struct quic_keys {
	uint8_t key[AES_BLOCK], nonce[GCM_NONCE], header[AES_BLOCK];
};

/* Of the client's Initial packets. */
void quic_client_keys(const struct quic_version *v, struct cursor destination_id,
		      struct quic_keys *k);

/* Takes off the protection of an Initial packet: the frames, as a cursor into `out`. A
 * failed one when the keys are not this packet's. */
struct cursor quic_open(const struct quic_keys *k, const struct quic_packet *p,
			uint8_t out[QUIC_PACKET_MOST]);

/* RFC 9000 section 16. */
uint64_t quic_varint(struct cursor *c);
