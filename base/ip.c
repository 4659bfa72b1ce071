/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ip.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

struct ip_addr ip_from_v4(const uint8_t bytes[4])
{
	struct ip_addr ip;

	memcpy(ip.bytes, mapped, sizeof(mapped));
	memcpy(ip.bytes + 12, bytes, 4);
	return ip;
}

struct ip_addr ip_from_v6(const uint8_t bytes[16])
{
	struct ip_addr ip;

	memcpy(ip.bytes, bytes, 16);
	return ip;
}

bool ip_parse(const char *text, struct ip_addr *out)
{
	uint8_t v4[4];

	if (inet_pton(AF_INET, text, v4) == 1) {
		*out = ip_from_v4(v4);
		return true;
	}
	return inet_pton(AF_INET6, text, out->bytes) == 1;
}

static void clear_host_bits(struct ip_prefix *prefix)
{
	for (unsigned bit = prefix->length; bit < 128; bit++)
		prefix->addr.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
}

const char *ip_prefix_parse(const char *text, struct ip_prefix *out)
{
	char host[IP_TEXT + 1];
	const char *slash = strchr(text, '/');
	size_t n = slash ? (size_t)(slash - text) : strlen(text);

	if (n == 0 || n >= sizeof(host))
		return "is not an IP prefix";
	memcpy(host, text, n);
	host[n] = '\0';
	if (!ip_parse(host, &out->addr))
		return "is not an IP prefix";
	unsigned most = ip_is_v4(&out->addr) && !strchr(host, ':') ? 32 : 128;
	unsigned long length = most;
	if (slash) {
		char *end;
		if (!isdigit((unsigned char)slash[1]))
			return "has no prefix length behind the slash";
		length = strtoul(slash + 1, &end, 10);
		if (*end || length > most)
			return most == 32 ? "has a prefix length above 32"
					  : "has a prefix length above 128";
	}
	out->length = (uint8_t)(length + (128 - most));
	struct ip_addr as_given = out->addr;
	clear_host_bits(out);
	if (ip_compare(&as_given, &out->addr))
		return "has bits set behind its length";
	return NULL;
}

static char *put_byte(char *to, unsigned v)
{
	if (v >= 100)
		*to++ = (char)('0' + v / 100);
	if (v >= 10)
		*to++ = (char)('0' + v / 10 % 10);
	*to++ = (char)('0' + v % 10);
	return to;
}

static char *put_v4(char *to, const uint8_t bytes[4])
{
	for (size_t i = 0; i < 4; i++) {
		if (i)
			*to++ = '.';
		to = put_byte(to, bytes[i]);
	}
	*to = '\0';
	return to;
}

static char *put_group(char *to, unsigned v)
{
	static const char hex[] = "0123456789abcdef";

	for (unsigned shift = 12; shift; shift -= 4)
		if (v >> shift)
			*to++ = hex[v >> shift & 15];
	*to++ = hex[v & 15];
	return to;
}

/* The longest run of zero groups, of several the first; one alone is no run. */
static void find_zeros(const unsigned groups[8], unsigned *from, unsigned *count)
{
	*from = 8;
	*count = 1;
	for (unsigned i = 0, n; i < 8; i += n + 1) {
		for (n = 0; i + n < 8 && !groups[i + n];)
			n++;
		if (n > *count) {
			*from = i;
			*count = n;
		}
	}
}

static void put_v6(char *to, const uint8_t bytes[16])
{
	unsigned groups[8], from, count;

	for (size_t i = 0; i < 8; i++)
		groups[i] = (unsigned)bytes[2 * i] << 8 | bytes[2 * i + 1];
	find_zeros(groups, &from, &count);
	bool v4 = from == 0 && count == 6; /* ::192.0.2.1, as inet_ntop() has it */
	for (unsigned i = 0; i < 8; i++) {
		if (i == from) {
			*to++ = ':';
			i += count - 1;
			if (i == 7)
				*to++ = ':';
			continue;
		}
		if (i)
			*to++ = ':';
		if (i == 6 && v4) {
			put_v4(to, bytes + 12);
			return;
		}
		to = put_group(to, groups[i]);
	}
	*to = '\0';
}

char *ip_text(const struct ip_addr *ip, char out[IP_TEXT])
{
	if (ip_is_v4(ip))
		put_v4(out, ip->bytes + 12);
	else
		put_v6(out, ip->bytes);
	return out;
}

char *ip_prefix_text(const struct ip_prefix *prefix, char out[IP_PREFIX_TEXT])
{
	char host[IP_TEXT];
	unsigned length = prefix->length;

	if (ip_is_v4(&prefix->addr) && length >= 96)
		length -= 96;
	snprintf(out, IP_PREFIX_TEXT, "%s/%u", ip_text(&prefix->addr, host), length);
	return out;
}

bool ip_prefix_has(const struct ip_prefix *prefix, const struct ip_addr *ip)
{
	unsigned whole = prefix->length / 8, rest = prefix->length % 8;

	if (memcmp(prefix->addr.bytes, ip->bytes, whole))
		return false;
	if (!rest)
		return true;
	uint8_t mask = (uint8_t)(0xff00 >> rest);
	return ((prefix->addr.bytes[whole] ^ ip->bytes[whole]) & mask) == 0;
}

bool ip_is_private(const struct ip_addr *ip)
{
	const uint8_t *v6 = ip->bytes, *v4 = ip->bytes + 12;

	if (!ip_is_v4(ip)) {
		static const uint8_t loopback[16] = { [15] = 1 };
		return (v6[0] & 0xfe) == 0xfc || memcmp(v6, loopback, 16) == 0;
	}
	return v4[0] == 10 || v4[0] == 127 || (v4[0] == 172 && (v4[1] & 0xf0) == 16) ||
	       (v4[0] == 192 && v4[1] == 168) || (v4[0] == 100 && (v4[1] & 0xc0) == 64);
}

bool ip_v6_is_local_scope(const struct ip_addr *ip)
{
	static const uint8_t unspecified[16];
	const uint8_t *v6 = ip->bytes;

	return v6[0] == 0xff || (v6[0] == 0xfe && (v6[1] & 0xc0) == 0x80) ||
	       memcmp(v6, unspecified, 16) == 0;
}
