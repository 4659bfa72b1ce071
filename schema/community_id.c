/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/community_id.h"

#include <nettle/sha1.h>
#include <string.h>

enum { ICMP = 1, TCP = 6, UDP = 17, ICMPV6 = 58, SCTP = 132, SHA1_STATE = 5 };

/* Types that ask, each with the type that answers. */
static const uint8_t pairs4[][2] = { { 8, 0 }, { 10, 9 }, { 13, 14 }, { 15, 16 }, { 17, 18 } };
static const uint8_t pairs6[][2] = { { 128, 129 }, { 133, 134 }, { 135, 136 },
				     { 130, 131 }, { 139, 140 }, { 144, 145 } };

/* The type's counterpart, or -1: then the message goes one way only. */
static int counterpart(const uint8_t pairs[][2], size_t n, uint16_t type)
{
	for (size_t i = 0; i < n; i++) {
		if (pairs[i][0] == type)
			return pairs[i][1];
		if (pairs[i][1] == type)
			return pairs[i][0];
	}
	return -1;
}

int community_id_counterpart(uint8_t protocol, uint16_t type)
{
	if (protocol == ICMP)
		return counterpart(pairs4, sizeof(pairs4) / sizeof(pairs4[0]), type);
	return counterpart(pairs6, sizeof(pairs6) / sizeof(pairs6[0]), type);
}

bool community_id_is_implied(uint8_t protocol)
{
	return protocol != ICMP && protocol != ICMPV6;
}

/* seed 2 | lower address | higher address | protocol 1 | 0 1 | lower's port 2 |
 * higher's port 2; no ports where the protocol has none. With SHA-1's own end behind
 * it, it is always one block of its input. */
struct plain {
	uint8_t bytes[SHA1_BLOCK_SIZE];
	size_t n;
};

static void put_addresses(struct plain *p, const struct ip_addr *low, const struct ip_addr *high)
{
	uint8_t *to = p->bytes + p->n;

	if (ip_is_v4(low) && ip_is_v4(high)) {
		memcpy(to, low->bytes + 12, 4);
		memcpy(to + 4, high->bytes + 12, 4);
		p->n += 8;
	} else {
		memcpy(to, low->bytes, 16);
		memcpy(to + 16, high->bytes, 16);
		p->n += 32;
	}
}

static void put_u16(struct plain *p, uint16_t v)
{
	p->bytes[p->n++] = (uint8_t)(v >> 8);
	p->bytes[p->n++] = (uint8_t)v;
}

static void put_end(struct plain *p)
{
	size_t bits = p->n * 8;

	p->bytes[p->n] = 0x80;
	p->n = sizeof(p->bytes) - 2;
	put_u16(p, (uint16_t)bits);
}

static void put_letters(char *to, uint64_t bits, unsigned count)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	while (count--)
		*to++ = letters[bits >> 6 * count & 63];
}

/* 48 bits are eight letters; the last 16 are three, and a '='. */
static void put_base64(char *to, const uint32_t w[SHA1_STATE])
{
	put_letters(to, (uint64_t)w[0] << 16 | w[1] >> 16, 8);
	put_letters(to + 8, (uint64_t)(w[1] & 0xffff) << 32 | w[2], 8);
	put_letters(to + 16, (uint64_t)w[3] << 16 | w[4] >> 16, 8);
	put_letters(to + 24, (uint64_t)(w[4] & 0xffff) << 2, 3);
	to[27] = '=';
}

static void encode(struct plain *p, char out[COMMUNITY_ID_TEXT])
{
	uint32_t state[SHA1_STATE] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };

	put_end(p);
	nettle_sha1_compress(state, p->bytes);
	memcpy(out, "1:", 2);
	put_base64(out + 2, state);
	out[COMMUNITY_ID_TEXT - 1] = '\0';
}

char *community_id(uint8_t protocol, const struct ip_addr *source, const struct ip_addr *dest,
		   uint16_t source_port, uint16_t dest_port, char out[COMMUNITY_ID_TEXT])
{
	bool one_way = false;
	bool icmp = protocol == ICMP || protocol == ICMPV6;
	bool ports = icmp || protocol == TCP || protocol == UDP || protocol == SCTP;

	if (icmp) {
		int other = community_id_counterpart(protocol, source_port);
		one_way = other < 0;
		if (!one_way)
			dest_port = (uint16_t)other;
	}
	int order = ip_compare(source, dest);
	if (!one_way && (order > 0 || (order == 0 && ports && source_port > dest_port))) {
		const struct ip_addr *ip = source;
		source = dest;
		dest = ip;
		uint16_t port = source_port;
		source_port = dest_port;
		dest_port = port;
	}
	struct plain p = { .n = 2 };
	put_addresses(&p, source, dest);
	put_u16(&p, (uint16_t)(protocol << 8));
	if (ports) {
		put_u16(&p, source_port);
		put_u16(&p, dest_port);
	}
	encode(&p, out);
	return out;
}
