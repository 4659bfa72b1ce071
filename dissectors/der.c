/* SPDX-License-Identifier: Apache-2.0
 *
 * ITU-T X.690 (02/2021): 8.1 for BER, 10.1 for what DER narrows. */
#include "dissectors/der.h"

#include <stdio.h>

enum { LENGTH_LONG = 0x80, TAG_MORE = 0x1f, LENGTH_BYTES_MOST = 4 };

static bool refuse(struct cursor *c)
{
	c->failed = true;
	c->at = c->end;
	return false;
}

static bool read_header(struct cursor *c, bool strict, uint8_t *tag, uint32_t *length)
{
	*tag = cursor_u8(c);
	uint8_t first = cursor_u8(c);
	*length = first;
	if (c->failed || (*tag & TAG_MORE) == TAG_MORE)
		return refuse(c);
	if (first < LENGTH_LONG)
		return true;
	unsigned bytes = first & ~LENGTH_LONG;
	if (bytes == 0 || bytes > LENGTH_BYTES_MOST)
		return refuse(c);
	bool padded = cursor_peek(c, 0) == 0;
	*length = 0;
	for (unsigned i = 0; i < bytes; i++)
		*length = *length << 8 | cursor_u8(c);
	if (c->failed || (strict && (padded || *length < LENGTH_LONG)))
		return refuse(c);
	return true;
}

static bool read_element(struct cursor *c, bool strict, struct der *e)
{
	uint32_t length;

	*e = (struct der){ .value = { .failed = true } };
	if (!cursor_left(c) || !read_header(c, strict, &e->tag, &length))
		return false;
	e->value = cursor_sub(c, length);
	return !e->value.failed;
}

static struct cursor take(struct cursor *c, bool strict, uint8_t tag)
{
	struct der e;

	if (!read_element(c, strict, &e) || e.tag != tag) {
		refuse(c);
		return (struct cursor){ .failed = true };
	}
	return e.value;
}

bool der_header(struct cursor *c, uint8_t *tag, uint32_t *length)
{
	return read_header(c, true, tag, length);
}

bool der_next(struct cursor *c, struct der *e)
{
	return read_element(c, true, e);
}

struct cursor der_take(struct cursor *c, uint8_t tag)
{
	return take(c, true, tag);
}

bool ber_header(struct cursor *c, uint8_t *tag, uint32_t *length)
{
	return read_header(c, false, tag, length);
}

bool ber_next(struct cursor *c, struct der *e)
{
	return read_element(c, false, e);
}

struct cursor ber_take(struct cursor *c, uint8_t tag)
{
	return take(c, false, tag);
}

bool der_integer(struct cursor value, int64_t *v)
{
	size_t n = cursor_left(&value);

	if (value.failed || n == 0 || n > sizeof(*v))
		return false;
	uint64_t bits = value.at[0] & 0x80 ? UINT64_MAX : 0;
	while (cursor_left(&value))
		bits = bits << 8 | cursor_u8(&value);
	*v = (int64_t)bits;
	return true;
}

uint32_t der_bits(struct cursor value)
{
	if (cursor_peek(&value, 0) >= 0x80)
		return 0;
	while (cursor_peek(&value, 0) == 0)
		cursor_skip(&value, 1);
	int first = cursor_peek(&value, 0);
	if (first < 0)
		return 0;
	uint32_t bits = (uint32_t)(cursor_left(&value) - 1) * 8;
	for (; first; first >>= 1)
		bits++;
	return bits;
}

/* Base 128, the last byte without the top bit; no leading zeros. */
static bool read_arc(struct cursor *c, uint64_t *arc)
{
	*arc = 0;
	if (cursor_peek(c, 0) == 0x80)
		return false;
	for (int i = 0; i < 5; i++) {
		uint8_t b = cursor_u8(c);
		if (c->failed)
			return false;
		*arc = *arc << 7 | (b & 0x7f);
		if (b < 0x80)
			return true;
	}
	return false;
}

size_t der_oid_text(struct cursor value, char *out, size_t size)
{
	uint64_t arc;

	if (value.failed || !read_arc(&value, &arc))
		return 0;
	uint64_t top = arc < 80 ? arc / 40 : 2; /* the first two share a number */
	int n = snprintf(out, size, "%u.%llu", (unsigned)top, (unsigned long long)(arc - top * 40));
	size_t length = (size_t)n;
	while (cursor_left(&value) && length < size) {
		if (!read_arc(&value, &arc) || arc > UINT32_MAX)
			return 0;
		n = snprintf(out + length, size - length, ".%llu", (unsigned long long)arc);
		length += (size_t)n;
	}
	return length < size ? length : 0;
}

bool der_time(uint8_t tag, struct cursor value, struct usec *t)
{
	size_t year = tag == DER_UTC_TIME ? 2 : 4;
	char text[32];

	if (value.failed || (tag != DER_UTC_TIME && tag != DER_GENERALIZED_TIME) ||
	    cursor_left(&value) != year + 11 || cursor_peek(&value, year + 10) != 'Z')
		return false;
	for (size_t i = 0; i < year + 10; i++)
		if (value.at[i] < '0' || value.at[i] > '9')
			return false;
	const char *century = year == 4 ? "" : value.at[0] >= '5' ? "19" : "20";
	const char *d = (const char *)value.at + year; /* month, day, hour, minute, second */
	snprintf(text, sizeof(text), "%s%.*s-%.2s-%.2sT%.2s:%.2s:%.2sZ", century, (int)year,
		 (const char *)value.at, d, d + 2, d + 4, d + 6, d + 8);
	return clock_parse(text, t);
}
