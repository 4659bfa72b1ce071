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

static const bool is_plain[256] = {
	['a'] = true, ['b'] = true, ['c'] = true, ['d'] = true, ['e'] = true, ['f'] = true,
	['g'] = true, ['h'] = true, ['i'] = true, ['j'] = true, ['k'] = true, ['l'] = true,
	['m'] = true, ['n'] = true, ['o'] = true, ['p'] = true, ['q'] = true, ['r'] = true,
	['s'] = true, ['t'] = true, ['u'] = true, ['v'] = true, ['w'] = true, ['x'] = true,
	['y'] = true, ['z'] = true, ['A'] = true, ['B'] = true, ['C'] = true, ['D'] = true,
	['E'] = true, ['F'] = true, ['G'] = true, ['H'] = true, ['I'] = true, ['J'] = true,
	['K'] = true, ['L'] = true, ['M'] = true, ['N'] = true, ['O'] = true, ['P'] = true,
	['Q'] = true, ['R'] = true, ['S'] = true, ['T'] = true, ['U'] = true, ['V'] = true,
	['W'] = true, ['X'] = true, ['Y'] = true, ['Z'] = true, ['0'] = true, ['1'] = true,
	['2'] = true, ['3'] = true, ['4'] = true, ['5'] = true, ['6'] = true, ['7'] = true,
	['8'] = true, ['9'] = true, ['-'] = true, ['_'] = true,
};

/* A label's place in the text, with its dot before it; the text may be left out. */
static bool append_label(struct dns_name *n, size_t *used, const uint8_t *label, size_t length)
{
	if (*used + length + 1 > sizeof(n->text))
		return false;
	if (*used && n)
		n->text[*used] = '.';
	*used += *used != 0;
	if (n) {
		uint8_t *to = n->text + *used;
		bool plain = n->plain;
		for (size_t i = 0; i < length; i++) {
			plain &= is_plain[label[i]];
			/* A dot inside a label must not read as two labels. */
			to[i] = label[i] == '.' ? 0 : label[i];
		}
		n->plain = plain;
	}
	*used += length;
	return true;
}

/* Section 4.1.4: labels, then a zero or a pointer to an earlier name. Each
 * pointer must lead behind everything read so far, so no chain comes back. */
static enum dns_reading read_name(struct cursor whole, struct cursor *at, struct dns_name *out)
{
	struct cursor c = *at;
	size_t lowest = (size_t)(c.at - whole.at), used = 0;
	unsigned hops = 0;

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
		if (length & 0xc0 || (length && !append_label(out, &used, label, length)))
			return DNS_BAD;
		if (out)
			out->length = used;
		if (!length)
			return DNS_OK;
	}
}

enum dns_reading dns_read_name(struct cursor whole, struct cursor *at, struct dns_name *out)
{
	out->length = 0;
	out->plain = true;
	return read_name(whole, at, out);
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

/* Section 4.1.3, behind the name: type, class, ttl u32, length u16, data. */
static enum dns_reading read_rest(struct cursor *at, struct dns_record *out)
{
	out->type = cursor_be16(at);
	out->class = cursor_be16(at);
	cursor_skip(at, 4);
	out->data = cursor_sub(at, cursor_be16(at));
	return at->failed ? DNS_SHORT : DNS_OK;
}

enum dns_reading dns_read_record(struct cursor whole, struct cursor *at, struct dns_record *out)
{
	enum dns_reading r = dns_read_name(whole, at, &out->owner);

	return r == DNS_OK ? read_rest(at, out) : r;
}

enum dns_reading dns_read_unowned(struct cursor whole, struct cursor *at, struct dns_record *out)
{
	enum dns_reading r = read_name(whole, at, NULL);

	return r == DNS_OK ? read_rest(at, out) : r;
}
