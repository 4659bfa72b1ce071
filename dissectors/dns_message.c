/* SPDX-License-Identifier: Apache-2.0 */
#include "dissectors/dns_message.h"

enum { HOPS_MOST = 24 }; /* compression pointers in one name; a real one has a few */

bool dns_header_fits(const struct dns_header *h, size_t length)
{
	size_t records =
		(size_t)h->count[DNS_ANSWER] + h->count[DNS_AUTHORITY] + h->count[DNS_ADDITIONAL];

	return DNS_HEADER + (size_t)h->count[DNS_QUESTION] * DNS_QUESTION_LEAST +
		       records * DNS_RECORD_LEAST <=
	       length;
}

enum dns_reading dns_read_header(struct cursor *at, struct dns_header *out)
{
	out->id = cursor_be16(at);
	out->flags = cursor_be16(at);
	for (int i = 0; i < DNS_SECTIONS; i++)
		out->count[i] = cursor_be16(at);
	return at->failed ? DNS_SHORT : DNS_OK;
}

static bool is_plain(uint8_t c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
	       c == '-' || c == '_';
}

static bool append_label(struct dns_name *n, const uint8_t *label, size_t length)
{
	if (n->length + length + 1 > sizeof(n->text))
		return false;
	if (n->length)
		n->text[n->length++] = '.';
	for (size_t i = 0; i < length; i++) {
		n->plain &= is_plain(label[i]);
		/* A dot inside a label must not read as two labels. */
		n->text[n->length++] = label[i] == '.' ? 0 : label[i];
	}
	return true;
}

/* Section 4.1.4: labels, then a zero or a pointer to an earlier name. Each
 * pointer must lead behind everything read so far, so no chain comes back. */
enum dns_reading dns_read_name(struct cursor whole, struct cursor *at, struct dns_name *out)
{
	struct cursor c = *at;
	size_t lowest = (size_t)(c.at - whole.at);
	unsigned hops = 0;

	out->length = 0;
	out->plain = true;
	for (;;) {
		uint8_t length = cursor_u8(&c);
		if ((length & 0xc0) == 0xc0) {
			size_t target = (size_t)(length & 0x3f) << 8 | cursor_u8(&c);
			if (!hops)
				*at = c;
			if (c.failed)
				return DNS_SHORT;
			if (target < DNS_HEADER || target >= lowest || ++hops > HOPS_MOST)
				return DNS_BAD;
			lowest = target;
			c = whole;
			cursor_skip(&c, target);
			continue;
		}
		const uint8_t *label = cursor_take(&c, length);
		if (!hops)
			*at = c;
		if (c.failed)
			return DNS_SHORT;
		if (length & 0xc0 || (length && !append_label(out, label, length)))
			return DNS_BAD;
		if (!length)
			return DNS_OK;
	}
}

enum dns_reading dns_read_question(struct cursor whole, struct cursor *at, struct dns_question *out)
{
	enum dns_reading r = dns_read_name(whole, at, &out->name);

	if (r != DNS_OK)
		return r;
	out->type = cursor_be16(at);
	out->class = cursor_be16(at);
	return at->failed ? DNS_SHORT : DNS_OK;
}

/* Section 4.1.3: name, type, class, ttl u32, length u16, data. */
enum dns_reading dns_read_record(struct cursor whole, struct cursor *at, struct dns_record *out)
{
	enum dns_reading r = dns_read_name(whole, at, &out->owner);

	if (r != DNS_OK)
		return r;
	out->type = cursor_be16(at);
	out->class = cursor_be16(at);
	cursor_skip(at, 4);
	out->data = cursor_sub(at, cursor_be16(at));
	return at->failed ? DNS_SHORT : DNS_OK;
}
