/* SPDX-License-Identifier: Apache-2.0
 *
 * IP addresses and prefixes. IPv4 is held in its IPv4-mapped form
 * (::ffff:a.b.c.d, RFC 4291 section 2.5.5.2), so that one type serves both. */
#pragma once

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct ip_addr {
	uint8_t bytes[16];
};

struct ip_prefix {
	struct ip_addr addr; /* bits behind `length` are zero */
	uint8_t length;      /* in the 128-bit form: an IPv4 /24 is 120 */
};

enum { IP_TEXT = 46, IP_PREFIX_TEXT = 50 };

struct ip_addr ip_from_v4(const uint8_t bytes[4]);
struct ip_addr ip_from_v6(const uint8_t bytes[16]);
/* As memcmp, which costs a call: below zero, zero or above it. */
static inline int ip_compare(const struct ip_addr *a, const struct ip_addr *b)
{
	uint64_t x[2], y[2];

	memcpy(x, a->bytes, sizeof(x));
	memcpy(y, b->bytes, sizeof(y));
	unsigned half = x[0] == y[0];
	uint64_t p = be64toh(x[half]), q = be64toh(y[half]);
	return (p > q) - (p < q);
}

static inline bool ip_is_v4(const struct ip_addr *ip)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return memcmp(ip->bytes, mapped, sizeof(mapped)) == 0;
}

static inline bool ip_equal(const struct ip_addr *a, const struct ip_addr *b)
{
	return memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool ip_parse(const char *text, struct ip_addr *out);
/* "10.0.0.0/8", "2001:db8::/32", or an address alone (its full length).
 * Returns NULL, or what is wrong: a sentence part for a message. */
const char *ip_prefix_parse(const char *text, struct ip_prefix *out);
char *ip_text(const struct ip_addr *ip, char out[IP_TEXT]); /* RFC 5952; returns out */
char *ip_prefix_text(const struct ip_prefix *prefix, char out[IP_PREFIX_TEXT]);

bool ip_prefix_has(const struct ip_prefix *prefix, const struct ip_addr *ip);

/* RFC 1918, RFC 6598 (shared), RFC 4193 (unique local), loopback. */
bool ip_is_private(const struct ip_addr *ip);

bool ip_v6_is_local_scope(const struct ip_addr *ip);
/* Broadcast 255.255.255.255, multicast, link-local, unspecified: no peer of its own. */
static inline bool ip_is_local_scope(const struct ip_addr *ip)
{
	const uint8_t *v4 = ip->bytes + 12;

	if (!ip_is_v4(ip))
		return ip_v6_is_local_scope(ip);
	return (v4[0] & 0xf0) == 0xe0 || v4[0] == 0 || (v4[0] == 169 && v4[1] == 254) ||
	       (v4[0] == 255 && v4[1] == 255 && v4[2] == 255 && v4[3] == 255);
}
