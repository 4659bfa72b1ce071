/* SPDX-License-Identifier: Apache-2.0 */
#include "base/line.h"

#include <string.h>

struct line line_in(char *out, size_t room)
{
	*out = '\0';
	return (struct line){ out, out + room - 1 };
}

void line_bytes(struct line *l, const char *bytes, size_t n)
{
	size_t room = (size_t)(l->last - l->at);

	if (n > room)
		n = room;
	memcpy(l->at, bytes, n);
	l->at += n;
	*l->at = '\0';
}

void line_u64(struct line *l, uint64_t v)
{
	char digits[20];
	size_t at = sizeof(digits);

	do {
		digits[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	line_bytes(l, digits + at, sizeof(digits) - at);
}

void line_hex8(struct line *l, uint8_t v)
{
	static const char hex[] = "0123456789abcdef";

	line_bytes(l, (char[]){ hex[v >> 4], hex[v & 15] }, 2);
}

/* A digit's value in each byte, the highest first, then its letter in each at once. */
static void put_hex32(char out[8], uint32_t v)
{
	const uint64_t ones = 0x0101010101010101;
	uint64_t x = v;

	x = (x | x << 16) & 0x0000ffff0000ffff;
	x = (x | x << 8) & 0x00ff00ff00ff00ff;
	x = (x | x << 4) & 0x0f0f0f0f0f0f0f0f;
	x += '0' * ones + ((x + 6 * ones) >> 4 & ones) * ('a' - '0' - 10);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	x = __builtin_bswap64(x);
#endif
	memcpy(out, &x, sizeof(x));
}

void line_hex64(struct line *l, uint64_t v)
{
	char digits[16];

	put_hex32(digits, (uint32_t)(v >> 32));
	put_hex32(digits + 8, (uint32_t)v);
	line_bytes(l, digits, sizeof(digits));
}
