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

/* LINK: frames that are not IP, each as a datagram that begins behind the MAC
 * addresses, at the EtherType or the length of IEEE 802.3; VLAN tags are gone. They
 * belong to no flow: the state is zeroed for each, attributes go nowhere, facts do. */
enum transport { TRANSPORT_TCP = 1, TRANSPORT_UDP = 2, TRANSPORT_LINK = 4 };

/* Who serves whom, as far as the bytes tell. */
enum role { ROLE_UNKNOWN, ROLE_SENDER_IS_CLIENT, ROLE_SENDER_IS_SERVER };

/* Something that the bytes say about a host, be it an end of this flow or not. The
 * field is one of the dissector's own table, of type FIELD_TEXT, and its grammar holds. */
enum fact_subject { FACT_SENDER, FACT_RECEIVER, FACT_IP, FACT_MAC, FACT_IP_AND_MAC };

enum { DISSECT_FACT_TEXT = 64, DISSECT_FACTS = 12 };

struct dissect_fact {
	const struct field *field;
	enum fact_subject subject;
	struct ip_addr ip; /* FACT_IP */
	uint8_t mac[6];    /* FACT_MAC */
	uint8_t length;
	char text[DISSECT_FACT_TEXT];
};

/* A range of first bytes, both ends within. */
struct byte_range {
	uint8_t from, to;
};
#define BYTE_RANGES_END \
	{ \
		1, 0 \
	}

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
	struct ip_addr source_ip, dest_ip; /* LINK: zero */
	uint16_t source_port, dest_port;
	enum transport transport;
	struct usec time; /* of the packet that completed these bytes */
	/* UDP: DISSECT_BUFFER bytes to put a message together that spans datagrams. The first
	 * `held` are what this flow asked to `hold` at its last call, unless room was short;
	 * then none. The rest is of no value. NULL on other transports. */
	uint8_t *room;
	size_t held;
	/* LINK: the frame's addresses. Else zero: a MAC is the router's as often as not,
	 * and FACT_SENDER is put right by the core. */
	uint8_t source_mac[6], dest_mac[6];

	/* Answers, zeroed by the core before each call: */
	uint64_t skip;              /* bytes behind the taken ones that need not be shown */
	size_t hold;                /* of `room`: to be kept for the flow's next datagram */
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
	struct dissect_fact facts[DISSECT_FACTS];
	uint8_t fact_count;
};

/* Adds a fact; the answer, for its `ip` and `mac` to be filled in, or NULL when there
 * is no room for it or the text is empty. One that is too long or outside its grammar
 * becomes "invalid". */
struct dissect_fact *dissect_says(struct dissect_input *in, const struct field *field,
				  enum fact_subject subject, const void *text, size_t n);

/* Takes `n` bytes, of which some may not be here yet. TCP only. */
void dissect_pass_over(struct dissect_input *in, uint64_t n);

/* TCP, of a protocol whose messages say how long they are: has `take` take one message
 * after the other, until it takes nothing, skips, or has another result. A direction that
 * is lost is passed over. */
enum dissect_result dissect_messages(
	void *state, struct dissect_input *in, struct attributes *out, bool lost,
	enum dissect_result (*take)(void *state, struct dissect_input *in, struct attributes *out));

enum { DISSECT_BUFFER = 16384, DISSECT_PROBE_MOST = 512 };

struct dissector {
	const char *name;    /* app name, file name, config key, capture prefix */
	const char *summary; /* one line, for vigie-sensor -L and the man page */
	unsigned transports; /* of enum transport */
	/* Where it is usually found; a hint for orientation, never a claim. 0-ended. */
	const uint16_t *ports;
	const struct field *fields; /* all it may record; ends with a NULL name */
	/* With which bytes a stream or datagram of this protocol can begin; NULL: any. The
	 * probe is not asked about others. BYTE_RANGES_END ends it. */
	const struct byte_range *first;
	/* Where the start was not seen its probe looks for a begin within the bytes, and is
	 * asked about all. */
	bool seeks;
	size_t state_size; /* per flow, at most DISSECT_STATE_MOST; zeroed by the core */

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

enum { DISSECTORS_MOST = 64 };

/* The number of a dissector in dissectors[], or -1. */
int dissector_of(const char *name);

/* Which of dissectors[] are to be asked about a stream or datagram that begins with
 * this byte: a bit each, by number. */
uint64_t dissectors_for(enum transport transport, uint8_t first);
/* The same of a stream whose start was not seen. */
uint64_t dissectors_midstream(enum transport transport, uint8_t first);
/* Whatever it begins with. */
uint64_t dissectors_of(enum transport transport);
