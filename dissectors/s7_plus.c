/* SPDX-License-Identifier: Apache-2.0
 *
 * S7comm-plus, which S7-1200 and S7-1500 speak. It has no public description: its
 * header, the function codes and the numbers of objects are as captures of S7-1200
 * show them. What is encrypted since its version 3 is not read. */
#include "dissectors/s7_internal.h"

/* S7comm-plus: 72 version length16, then opcode 0000 function16 0000 sequence16;
 * 72 version 0000 at the end. */
enum { PLUS_SYSTEM_EVENT = 0xfe, PLUS_HEADER = 4 };
enum {
	PLUS_SHORT_RESPONSE = 0x02,
	PLUS_REQUEST = 0x31,
	PLUS_RESPONSE = 0x32,
	PLUS_NOTIFICATION = 0x33,
};
enum {
	PLUS_CREATE = 0x04ca,
	PLUS_SET = 0x04f2,
	PLUS_GET = 0x04fc,
	PLUS_SET_SEVERAL = 0x0542,
	PLUS_GET_SEVERAL = 0x054c,
	PLUS_PROGRAM = 3, /* the object that a block of program is made in */
	PLUS_DYNAMIC = 0x10000000,
};

bool s7_plus_fits(struct cursor c, size_t n, bool continues)
{
	cursor_skip(&c, 1);
	unsigned version = cursor_u8(&c);
	size_t length = cursor_be16(&c);

	if (c.failed || (length + PLUS_HEADER != n && length + 2 * PLUS_HEADER != n))
		return false;
	if (version == PLUS_SYSTEM_EVENT)
		return true;
	if (version == 0 || version > 3)
		return false;
	if (continues)
		return true;
	int opcode = cursor_peek(&c, 0);
	return version == 3 || opcode < 0 || opcode == PLUS_SHORT_RESPONSE ||
	       (opcode >= PLUS_REQUEST && opcode <= PLUS_NOTIFICATION);
}

/* Session u32, flags u8, object u32. What a client writes in its own session (its
 * set-up, subscriptions and their credit) changes nothing in the controller; objects
 * that are made while it runs have numbers from PLUS_DYNAMIC on. */
static void plus_request(struct s7_call *call, unsigned function, struct cursor body)
{
	uint32_t session = cursor_be32(&body);
	cursor_skip(&body, 1);
	uint32_t object = cursor_be32(&body);

	call->in->role = ROLE_SENDER_IS_CLIENT;
	s7_count(call, F_REQUESTS);
	if (function == PLUS_GET || function == PLUS_GET_SEVERAL)
		s7_count(call, F_READS);
	if (body.failed)
		return;
	if ((function == PLUS_SET || function == PLUS_SET_SEVERAL) && object != session &&
	    object < PLUS_DYNAMIC)
		s7_count(call, F_WRITES);
	if (function == PLUS_CREATE && object == PLUS_PROGRAM) {
		s7_count(call, F_DOWNLOADS);
		s7_count(call, F_CONTROL);
	}
}

/* "1;6ES7 214-1HE30-0XB0 ;V2.2" */
static bool read_plus_text(struct s7_call *call, struct cursor text)
{
	cursor_skip(&text, 2);
	size_t left = cursor_left(&text);
	const uint8_t *end = left ? memchr(text.at, ';', left) : NULL;
	if (!end)
		return false;
	size_t n = (size_t)(end - text.at);
	if (!s7_is_order_number(text.at, n))
		return false;
	s7_text(call, F_ORDER_NUMBER, text.at, n);
	cursor_skip(&text, n + 1);
	if (cursor_peek(&text, 0) == 'V')
		attributes_text(call->out, &s7_fields[F_FIRMWARE], text.at + 1,
				cursor_left(&text) - 1);
	return true;
}

static void read_identity(struct s7_call *call, struct cursor body)
{
	enum { TYPE_TEXT = 0x15, TEXT_LEAST = 12, TEXT_MOST = 63 };

	while (cursor_left(&body) > TEXT_LEAST) {
		const uint8_t *found = memchr(body.at, TYPE_TEXT, cursor_left(&body));
		if (!found)
			return;
		cursor_skip(&body, (size_t)(found - body.at) + 1);
		struct cursor c = body;
		size_t length = cursor_u8(&c);
		if (length < TEXT_LEAST || length > TEXT_MOST || length > cursor_left(&c))
			continue;
		struct cursor text = cursor_sub(&c, length);
		if (cursor_starts(&text, "1;6") && read_plus_text(call, text))
			return;
	}
}

void s7_plus(struct s7_call *call, struct cursor c, size_t size)
{
	struct s7_side *side = &call->flow->sides[call->in->direction & 1];

	cursor_skip(&c, 1);
	unsigned version = cursor_u8(&c);
	size_t length = cursor_be16(&c);
	bool continues = side->plus_open;
	struct cursor body = c;
	s7_word(call, F_PROTOCOL, "s7comm-plus");
	side->plus_open = length + PLUS_HEADER == size && version != PLUS_SYSTEM_EVENT;
	if (version == PLUS_SYSTEM_EVENT || continues)
		return;
	if (version == 3) /* a digest stands in front */
		cursor_skip(&body, cursor_u8(&body));
	unsigned opcode = cursor_u8(&body);
	cursor_skip(&body, 2);
	unsigned function = cursor_be16(&body);
	cursor_skip(&body, 4);
	if (opcode == PLUS_NOTIFICATION)
		s7_count(call, F_CYCLIC);
	else if (opcode == PLUS_REQUEST && !body.failed)
		plus_request(call, function, body);
	if (opcode == PLUS_REQUEST)
		return;
	call->in->role = ROLE_SENDER_IS_SERVER;
	if (opcode == PLUS_RESPONSE && function == PLUS_CREATE)
		read_identity(call, body);
}
