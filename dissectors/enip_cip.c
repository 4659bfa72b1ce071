/* SPDX-License-Identifier: Apache-2.0
 *
 * CIP explicit messages (The CIP Networks Library, volume 1: chapter 2 message
 * router, appendix A services, appendix C paths), by their service codes; Logix tag
 * services as Rockwell's "Logix 5000 Controllers Data Access" (1756-PM020) tells
 * them. Values, tags and paths are passed over. */
#include "dissectors/enip_internal.h"

#include <stdio.h>

enum { RESPONSE = 0x80, NESTED_MOST = 3 };
enum { CLASS_ROUTER = 0x02, CLASS_CONNECTIONS = 0x06, CLASS_PCCC = 0x67, CLASS_SYMBOL = 0x6b };

/* Common services: the same for every object. */
enum {
	GET_ALL = 0x01,
	SET_ALL = 0x02,
	GET_LIST = 0x03,
	SET_LIST = 0x04,
	RESET = 0x05,
	START = 0x06,
	STOP = 0x07,
	CREATE = 0x08,
	DELETE = 0x09,
	MULTIPLE = 0x0a,
	APPLY = 0x0d,
	GET_SINGLE = 0x0e,
	SET_SINGLE = 0x10,
	FIND_NEXT = 0x11,
	RESTORE = 0x15,
	SAVE = 0x16,
	GET_MEMBER = 0x18,
	SET_MEMBER = 0x19,
	INSERT_MEMBER = 0x1a,
	REMOVE_MEMBER = 0x1b,
	OF_OBJECT = 0x4b, /* from here on an object's own */
};
/* Of the connection manager */
enum { FORWARD_CLOSE = 0x4e, UNCONNECTED_SEND = 0x52, FORWARD_OPEN = 0x54, LARGE_OPEN = 0x5b };
/* Of tags */
enum {
	READ_TAG = 0x4c,
	WRITE_TAG = 0x4d,
	MODIFY_TAG = 0x4e,
	READ_PART = 0x52,
	WRITE_PART = 0x53,
	LIST_TAGS = 0x55,
};

struct path {
	unsigned class; /* of its first segment; 0: a tag's name, or none */
	bool tag;
};

/* Appendix C: 001 logical segments, of which kind 0 is a class in 8 or 16 bits; 0x91
 * a name. What a service means depends on the first. */
static struct path read_path(struct cursor c)
{
	struct path path = { 0 };

	switch (cursor_u8(&c)) {
	case 0x20:
		path.class = cursor_u8(&c);
		break;
	case 0x21:
		cursor_skip(&c, 1);
		path.class = cursor_le16(&c);
		break;
	case 0x91:
		path.tag = true;
		break;
	default:
		break;
	}
	path.tag |= path.class == CLASS_SYMBOL;
	return path;
}

static void count_common(struct enip_call *call, unsigned service)
{
	switch (service) {
	case GET_ALL:
	case GET_LIST:
	case GET_SINGLE:
	case FIND_NEXT:
	case GET_MEMBER:
		enip_count(call, F_READS);
		break;
	case SET_ALL:
	case SET_LIST:
	case SET_SINGLE:
	case SET_MEMBER:
		enip_count(call, F_WRITES);
		break;
	case RESET:
	case START:
	case STOP:
		enip_count(call, F_CONTROL);
		enip_count(call, service == RESET   ? F_RESETS
				 : service == START ? F_STARTS
						    : F_STOPS);
		break;
	case CREATE:
	case DELETE:
	case APPLY:
	case RESTORE:
	case SAVE:
	case INSERT_MEMBER:
	case REMOVE_MEMBER:
		enip_count(call, F_OBJECT_CHANGES);
		break;
	default:
		enip_count(call, F_OTHER);
		break;
	}
}

static void count_tag(struct enip_call *call, unsigned service)
{
	switch (service) {
	case READ_TAG:
	case READ_PART:
	case LIST_TAGS:
		enip_count(call, F_READS);
		break;
	case WRITE_TAG:
	case WRITE_PART:
	case MODIFY_TAG:
		enip_count(call, F_WRITES);
		break;
	default:
		enip_count(call, F_OTHER);
		break;
	}
}

static bool read_message(struct enip_call *call, struct cursor c, unsigned depth);

/* Priority u8, ticks u8, size u16, message. */
static void read_sent(struct enip_call *call, struct cursor data, unsigned depth)
{
	cursor_skip(&data, 2);
	struct cursor message = cursor_sub(&data, cursor_le16(&data));

	if (!data.failed)
		(void)read_message(call, message, depth);
}

/* A count u16 and as many offsets u16 from it on. Messages stand one behind another. */
static void read_multiple(struct enip_call *call, struct cursor data, unsigned depth)
{
	struct cursor table = data;
	unsigned count = cursor_le16(&table);
	size_t at = count ? cursor_le16(&table) : 0;

	for (unsigned i = 1; i <= count && !table.failed; i++) {
		size_t next = i < count ? cursor_le16(&table) : cursor_left(&data);
		struct cursor message = data;
		if (table.failed || next <= at)
			return;
		cursor_skip(&message, at);
		message = cursor_sub(&message, next - at);
		if (message.failed || !read_message(call, message, depth))
			return;
		at = next;
	}
}

static void count_request(struct enip_call *call, unsigned service, const struct path *path,
			  struct cursor data, unsigned depth)
{
	enip_count(call, F_REQUESTS);
	if (path->class == CLASS_CONNECTIONS && service >= OF_OBJECT) {
		if (service == FORWARD_OPEN || service == LARGE_OPEN)
			enip_count(call, F_FORWARD_OPENS);
		if (service == UNCONNECTED_SEND)
			read_sent(call, data, depth + 1);
		return;
	}
	if (service == MULTIPLE && path->class == CLASS_ROUTER)
		read_multiple(call, data, depth + 1);
	else if (service < OF_OBJECT)
		count_common(call, service);
	else if (path->class == CLASS_PCCC)
		enip_count(call, F_PCCC);
	else if (path->tag)
		count_tag(call, service);
	else
		enip_count(call, F_OTHER);
}

/* Service u8, 0, status u8, size of more status in words, then what was asked for. */
static bool read_response(struct enip_call *call, unsigned service, struct cursor c, unsigned depth)
{
	char text[8];

	cursor_skip(&c, 1);
	unsigned status = cursor_u8(&c);
	cursor_skip(&c, 2 * (size_t)cursor_u8(&c));
	if (c.failed)
		return false;
	enip_count(call, F_RESPONSES);
	if (status) {
		enip_count(call, F_ERRORS);
		int n = snprintf(text, sizeof(text), "0x%02x", status);
		attributes_text(call->out, &enip_fields[F_STATUS], text, (size_t)n);
	}
	if (service == MULTIPLE)
		read_multiple(call, c, depth + 1);
	return true;
}

/* Requests: service u8, path size u8 in words, path, data. */
static bool read_message(struct enip_call *call, struct cursor c, unsigned depth)
{
	if (depth > NESTED_MOST)
		return true;
	unsigned service = cursor_u8(&c);
	if (service & RESPONSE)
		return read_response(call, service & ~RESPONSE, c, depth);
	struct cursor path = cursor_sub(&c, 2 * (size_t)cursor_u8(&c));
	if (c.failed || service == 0)
		return false;
	struct path to = read_path(path);
	count_request(call, service, &to, c, depth);
	return true;
}

bool enip_cip(struct enip_call *call, struct cursor message)
{
	int service = cursor_peek(&message, 0);

	if (service < 0)
		return false;
	if (!read_message(call, message, 0))
		return false;
	call->in->role = service & RESPONSE ? ROLE_SENDER_IS_SERVER : ROLE_SENDER_IS_CLIENT;
	return true;
}
