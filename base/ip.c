/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ip.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/line.h"

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

bool ip_is_v4(const struct ip_addr *ip)
{
	return memcmp(ip->bytes, mapped, sizeof(mapped)) == 0;
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

char *ip_text(const struct ip_addr *ip, char out[IP_TEXT])
{
	if (!ip_is_v4(ip)) {
		inet_ntop(AF_INET6, ip->bytes, out, IP_TEXT);
		return out;
	}
	struct line l = line_in(out, IP_TEXT);
	for (size_t i = 12; i < 16; i++) {
		if (i > 12)
			line_bytes(&l, ".", 1);
		line_u64(&l, ip->bytes[i]);
	}
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

bool ip_is_local_scope(const struct ip_addr *ip)
{
	const uint8_t *v6 = ip->bytes, *v4 = ip->bytes + 12;

	if (!ip_is_v4(ip)) {
		static const uint8_t unspecified[16];
		return v6[0] == 0xff || (v6[0] == 0xfe && (v6[1] & 0xc0) == 0x80) ||
		       memcmp(v6, unspecified, 16) == 0;
	}
	static const uint8_t all_ones[4] = { 255, 255, 255, 255 };
	return (v4[0] & 0xf0) == 0xe0 || (v4[0] == 169 && v4[1] == 254) || v4[0] == 0 ||
	       memcmp(v4, all_ones, 4) == 0;
}
