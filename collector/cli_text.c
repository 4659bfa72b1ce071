/* SPDX-License-Identifier: Apache-2.0 */
#include "collector/cli_text.h"

#include <stdio.h>
#include <string.h>

char *text_count(uint64_t v, char out[TEXT_COUNT])
{
	static const char units[] = "kMGTPE";
	uint64_t unit = 1000;
	size_t i = 0;

	if (v < 10000) {
		snprintf(out, TEXT_COUNT, "%u", (unsigned)v);
		return out;
	}
	while (v / unit >= 1000 && i < sizeof(units) - 2) {
		unit *= 1000;
		i++;
	}
	unsigned whole = (unsigned)(v / unit % 1000);
	if (whole < 10)
		snprintf(out, TEXT_COUNT, "%u.%u%c", whole, (unsigned)(v % unit / (unit / 10)),
			 units[i]);
	else
		snprintf(out, TEXT_COUNT, "%u%c", whole, units[i]);
	return out;
}

/* Bytes of the UTF-8 sequence at `p`, and its code point; 0 when it is broken. */
static size_t sequence(const unsigned char *p, uint32_t *point)
{
	size_t n = p[0] < 0x80   ? 1
		   : p[0] < 0xc2 ? 0
		   : p[0] < 0xe0 ? 2
		   : p[0] < 0xf0 ? 3
		   : p[0] < 0xf5 ? 4
				 : 0;

	if (!n)
		return 0;
	*point = n == 1 ? p[0] : p[0] & (0xffu >> (n + 1));
	for (size_t i = 1; i < n; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		*point = *point << 6 | (p[i] & 0x3f);
	}
	return n;
}

static bool may_steer(uint32_t c)
{
	return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x200e || c == 0x200f || c == 0x61c ||
	       (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

void text_clean(const char *text, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)text;

	while (*p) {
		uint32_t point = 0;
		size_t n = sequence(p, &point);
		if (!n || may_steer(point))
			buf_char(out, '?');
		else
			buf_bytes(out, p, n);
		p += n ? n : 1;
	}
}

size_t text_width(const char *text)
{
	size_t n = 0;

	for (; *text; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n;
}

/* Bytes of the first `points` code points. */
static size_t prefix(const char *text, size_t points)
{
	size_t i = 0;

	while (text[i]) {
		if (((unsigned char)text[i] & 0xc0) != 0x80 && points-- == 0)
			break;
		i++;
	}
	return i;
}

static void blanks(struct buf *out, size_t n)
{
	while (n--)
		buf_char(out, ' ');
}

void text_pad(const char *text, size_t width, bool right, struct buf *out)
{
	size_t has = text_width(text);

	if (has > width) {
		size_t dots = width > 4 ? 2 : 0;
		buf_bytes(out, text, prefix(text, width - dots));
		buf_bytes(out, "..", dots);
		return;
	}
	if (right)
		blanks(out, width - has);
	buf_text(out, text);
	if (!right)
		blanks(out, width - has);
}

void text_wrap(const char *text, size_t indent, size_t width, struct buf *out)
{
	size_t room = width > indent + 20 ? width - indent : 20;

	for (;;) {
		size_t n = width ? prefix(text, room) : strlen(text);
		size_t cut = n;
		if (text[n] && text[n] != ' ') {
			while (cut && text[cut] != ' ')
				cut--;
			if (!cut)
				cut = n;
		}
		blanks(out, indent);
		buf_bytes(out, text, cut);
		buf_char(out, '\n');
		text += cut;
		while (*text == ' ')
			text++;
		if (!*text)
			return;
	}
}
