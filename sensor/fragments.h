/* SPDX-License-Identifier: Apache-2.0
 *
 * Datagrams under way in pieces, within a budget fixed at start. Pieces that
 * overlap are never believed: the datagram is given up, its pieces still have
 * their ports. Copies (a mirror that shows a packet on each side of a router) are
 * recognised by their bytes and are not overlaps. */
#pragma once

#include "base/clock.h"
#include "base/cursor.h"
#include "base/ip.h"
#include "schema/counters.h"

enum {
	FRAGMENT_SLOTS_LEAST = 8,      /* more than tunnels nest */
	FRAGMENT_DATAGRAM = 64 * 1024, /* bytes a datagram may have */
	FRAGMENT_SECONDS = 30,         /* age at which a datagram is given up */
};

/* Compared and hashed as bytes: zero all of it first, padding included. */
struct fragment_key {
	struct ip_addr source, dest;
	uint32_t id;
	uint32_t tunnel_id;
	bool v6;
	uint8_t protocol; /* IPv4 only: in IPv6 the pieces may differ */
	uint8_t tunnel;   /* innermost tunnel's type + 1; 0: none */
};

/* What only a first piece tells. */
struct fragment_facts {
	bool known, has_ports, has_icmp;
	uint8_t protocol, icmp_type, icmp_code;
	uint16_t source_port, dest_port;
};

struct fragment {
	uint32_t offset;  /* a multiple of 8 */
	bool more;        /* others follow */
	bool cut;         /* not all of it was captured */
	uint8_t protocol; /* header that the reassembled bytes start with */
	struct cursor bytes;
};

struct fragment_state {
	struct fragment_facts facts; /* of the first piece, when it was seen */
	bool complete;               /* by this piece; `whole` is lent until the next call but
				      * the datagrams of outer headers: those stay, too */
	uint8_t protocol;            /* of the first piece; when complete */
	struct cursor whole;
};

struct fragments;

/* Address space for all slots (FRAGMENT_DATAGRAM and an eighth of a bit each), memory
 * only as it is used. NULL when it is short. */
struct fragments *fragments_create(size_t slots, struct counters *counters);
void fragments_destroy(struct fragments *f); /* accepts NULL */

/* Takes one piece; `first` has facts when it is a first one. */
struct fragment_state fragments_add(struct fragments *f, const struct fragment_key *key,
				    struct usec now, const struct fragment *piece,
				    const struct fragment_facts *first);
