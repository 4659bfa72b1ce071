/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads messages of the format of RFC 1035: DNS, multicast DNS (RFC 6762), LLMNR (RFC
 * 4795) and the NetBIOS name service (RFC 1002) all have it. Form only: what a type or
 * a flag means, and which are allowed, is each protocol's own. */
#pragma once

#include "base/cursor.h"

enum {
	DNS_HEADER = 12,
	DNS_QUESTION_LEAST = 5, /* root, type, class */
	DNS_RECORD_LEAST = 11,  /* root, type, class, ttl, length */
	DNS_NAME_MOST = 255,
};

enum dns_section { DNS_QUESTION, DNS_ANSWER, DNS_AUTHORITY, DNS_ADDITIONAL, DNS_SECTIONS };

enum dns_flag {
	DNS_RESPONSE = 0x8000,
	DNS_AUTHORITATIVE = 0x0400,
	DNS_TRUNCATED = 0x0200,
	DNS_RECURSION_AVAILABLE = 0x0080,
	DNS_ZERO = 0x0040,
};

enum dns_type {
	DNS_A = 1,
	DNS_PTR = 12,
	DNS_TXT = 16,
	DNS_AAAA = 28,
	DNS_SRV = 33,
	DNS_OPT = 41,
};
enum { DNS_IN = 1 };

enum dns_reading {
	DNS_OK,
	DNS_SHORT, /* the bytes end within it */
	DNS_BAD,
};

struct dns_header {
	uint16_t id, flags, count[DNS_SECTIONS];
};

/* Labels with dots between them, without a last one; a dot or a NUL that stands in a
 * label is a NUL. The root is empty. */
struct dns_name {
	uint8_t text[DNS_NAME_MOST];
	size_t length;
	bool plain; /* letters, digits, '-' and '_' only */
};

struct dns_question {
	struct dns_name name;
	uint16_t type, class;
};

struct dns_record {
	struct dns_name owner;
	uint16_t type, class;
	struct cursor data; /* within its own walls */
};

static inline unsigned dns_opcode(const struct dns_header *h)
{
	return h->flags >> 11 & 0xf;
}

static inline unsigned dns_rcode(const struct dns_header *h)
{
	return h->flags & 0xf;
}

/* Whether all that the header counts can stand in so many bytes. */
bool dns_header_fits(const struct dns_header *h, size_t length);

/* These read at `at`, which lies in `whole`: the message from its header on, as much of
 * it as there is. With another result than DNS_OK, `out` is half-filled. */
enum dns_reading dns_read_header(struct cursor *at, struct dns_header *out);
enum dns_reading dns_read_name(struct cursor whole, struct cursor *at, struct dns_name *out);
enum dns_reading dns_read_question(struct cursor whole, struct cursor *at,
				   struct dns_question *out);
enum dns_reading dns_read_record(struct cursor whole, struct cursor *at, struct dns_record *out);
/* The same; whose record it is is read, but not told: `owner` is of no value. */
enum dns_reading dns_read_unowned(struct cursor whole, struct cursor *at, struct dns_record *out);
