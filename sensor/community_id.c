/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/community_id.h"

#include <nettle/base64.h>
#include <nettle/sha1.h>
#include <string.h>

enum { ICMP = 1, TCP = 6, UDP = 17, ICMPV6 = 58, SCTP = 132 };

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

/* seed 2 | lower address | higher address | protocol 1 | 0 1 | lower's port 2 |
 * higher's port 2; no ports where the protocol has none */
struct plain {
	uint8_t bytes[2 + 16 + 16 + 2 + 4];
	size_t n;
};

static void put(struct plain *p, const void *bytes, size_t n)
{
	memcpy(p->bytes + p->n, bytes, n);
	p->n += n;
}

static void put_port(struct plain *p, uint16_t port)
{
	put(p, (uint8_t[]){ (uint8_t)(port >> 8), (uint8_t)port }, 2);
}

static void encode(const struct plain *p, char out[COMMUNITY_ID_TEXT])
{
	struct sha1_ctx sha;
	uint8_t digest[SHA1_DIGEST_SIZE];

	sha1_init(&sha);
	sha1_update(&sha, p->n, p->bytes);
	sha1_digest(&sha, sizeof(digest), digest);
	memcpy(out, "1:", 2);
	base64_encode_raw(out + 2, sizeof(digest), digest);
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
	size_t skip = ip_is_v4(source) && ip_is_v4(dest) ? 12 : 0;
	struct plain p = { .n = 2 };
	put(&p, source->bytes + skip, 16 - skip);
	put(&p, dest->bytes + skip, 16 - skip);
	put(&p, (uint8_t[]){ protocol, 0 }, 2);
	if (ports) {
		put_port(&p, source_port);
		put_port(&p, dest_port);
	}
	encode(&p, out);
	return out;
}
