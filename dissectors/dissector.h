/* SPDX-License-Identifier: Apache-2.0
 *
 * What a dissector is. To add one: dissectors/NAME.c, a line in
 * dissectors/meson.build, pcaps/NAME-CASE.pcap and its golden
 * (CONTRIBUTING.md walks through it).
 *
 * A dissector is pure: what it does follows from its state and the bytes. It
 * does not allocate, log, read a clock, keep a borrowed pointer, or look at
 * anything global. It reads bytes through the cursor only, and says what it
 * found through its own fields only. */
#pragma once

#include "base/clock.h"
#include "base/cursor.h"
#include "base/ip.h"
#include "schema/attributes.h"
#include "schema/names.h"

enum dissect_result {
	DISSECT_MORE,      /* mine so far: offer me what comes next */
	DISSECT_DONE,      /* all that I wanted is recorded: stop offering */
	DISSECT_NOT_MINE,  /* another protocol after all: the claim is withdrawn */
	DISSECT_MALFORMED, /* mine, but broken; the flow stays mine, I am not asked again */
};

enum probe_result {
	PROBE_NO,   /* not mine */
	PROBE_MORE, /* could be mine: show me these bytes again with the next ones */
	PROBE_YES,  /* mine */
};

enum transport { TRANSPORT_TCP = 1, TRANSPORT_UDP = 2 };

/* Who serves whom, as far as the bytes tell. */
enum role { ROLE_UNKNOWN, ROLE_SENDER_IS_CLIENT, ROLE_SENDER_IS_SERVER };

/* One offer: the next contiguous bytes of one direction of a TCP stream, or one
 * UDP datagram.
 *
 * TCP: the dissector takes what it can use by advancing `bytes`; what it leaves
 * is shown again, with more behind it, at the next offer (so a dissector that
 * needs 12 bytes and has 5 just returns DISSECT_MORE without taking any). At
 * most DISSECT_BUFFER bytes are kept for it; bytes that it does not need are
 * announced in `skip` and never stored. When the buffer is full and nothing is
 * taken, the core drops it and says `gap`. UDP: what is left is dropped. */
struct dissect_input {
	struct cursor bytes;
	uint8_t direction; /* 0 or 1: stable for a flow, 0 is who spoke first in the capture */
	bool gap;          /* TCP: bytes were lost before these: resynchronise */
	uint16_t source_port, dest_port;
	enum transport transport;
	struct usec time; /* of the packet that completed these bytes */

	/* Answers, zeroed by the core before each call: */
	uint64_t skip;              /* bytes behind the taken ones that need not be shown */
	enum role role;             /* orientation, when the bytes prove it */
	enum confidence confidence; /* of the claim; NONE leaves it as it was */
	bool encrypted;             /* a cryptographic handshake was parsed here */
	/* Addresses that the bytes give a name to (DNS answers); texts are checked
	 * against GRAMMAR_HOSTNAME by the core. */
	struct dissect_name {
		struct ip_addr ip;
		char name[128];
	} names[4];
	uint8_t name_count;
};

enum { DISSECT_BUFFER = 16384, DISSECT_PROBE_MOST = 512 };

struct dissector {
	const char *name;    /* app name, file name, config key, capture prefix */
	const char *summary; /* one line, for vigie-sensor -L and the man page */
	unsigned transports; /* of enum transport */
	/* Where it is usually found; a hint for orientation, never a claim. 0-ended. */
	const uint16_t *ports;
	const struct field *fields; /* all it may record; ends with a NULL name */
	size_t state_size;          /* per flow, at most DISSECT_STATE_MOST; zeroed by the core */

	/* Do these bytes, the first ones shown of a stream (or a datagram), start
	 * this protocol? Must be cheap: it is asked of every new flow. Sees at most
	 * DISSECT_PROBE_MOST bytes; takes nothing that matters to anybody else.
	 * `midstream`: the flow's start was not seen, bytes may begin anywhere. */
	enum probe_result (*probe)(struct cursor bytes, enum transport transport,
				   uint16_t source_port, uint16_t dest_port, bool midstream);

	enum dissect_result (*dissect)(void *state, struct dissect_input *in,
				       struct attributes *out);
};

enum { DISSECT_STATE_MOST = 512 };

/* NULL-terminated, in the order in which flows are offered. */
extern const struct dissector *const dissectors[];
