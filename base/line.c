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

void line_text(struct line *l, const char *text)
{
	if (text)
		line_bytes(l, text, strlen(text));
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

void line_hex64(struct line *l, uint64_t v)
{
	static const char hex[] = "0123456789abcdef";
	char digits[16];

	for (size_t i = 0; i < sizeof(digits); i++)
		digits[i] = hex[v >> (60 - 4 * i) & 15];
	line_bytes(l, digits, sizeof(digits));
}
