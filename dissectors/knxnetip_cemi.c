/* SPDX-License-Identifier: Apache-2.0
 *
 * KNX's common external message interface (KNX 3/6/3) and the application services in it
 * (3/3/7): what is written to a building's bus and its devices. */
#include "dissectors/knxnetip_internal.h"

#include <stdio.h>

static void count(const struct knxnetip_call *call, unsigned field)
{
	attributes_add(call->out, &knxnetip_fields[field], 1);
}

static void note(const struct knxnetip_call *call, unsigned field, const char *text)
{
	attributes_text(call->out, &knxnetip_fields[field], text, strlen(text));
}

void knxnetip_individual(const struct knxnetip_call *call, enum knxnetip_field field,
			 uint16_t address)
{
	char text[16];

	snprintf(text, sizeof(text), "%u.%u.%u", address >> 12, address >> 8 & 15, address & 255);
	note(call, field, text);
}

static void note_group(const struct knxnetip_call *call, uint16_t address)
{
	char text[16];

	snprintf(text, sizeof(text), "%u/%u/%u", address >> 11, address >> 8 & 7, address & 255);
	note(call, F_GROUP, text);
}

/* 3/3/7: ten bits. Four of them are enough where the others carry a small value. */
static const struct apci {
	uint16_t mask, value;
	uint8_t field;
	bool write;
} apcis[] = {
	/* clang-format off */
	{ 0x3c0, 0x000, F_GROUP_READS, false },
	{ 0x3c0, 0x040, F_GROUP_RESPONSES, false },
	{ 0x3c0, 0x080, F_GROUP_WRITES, true },
	{ 0x3ff, 0x0c0, F_ADDRESS_WRITES, true },
	{ 0x3ff, 0x1ca, F_PROPERTY_WRITES, true }, /* of the network */
	{ 0x3ff, 0x1cc, F_PROPERTY_READS, false }, /* extended, to 1d4 */
	{ 0x3ff, 0x1ce, F_PROPERTY_WRITES, true },
	{ 0x3ff, 0x1d0, F_PROPERTY_WRITES, true },
	{ 0x3ff, 0x1d4, F_PROPERTY_WRITES, true },
	{ 0x3ff, 0x1fb, F_MEMORY_WRITES, true }, /* extended */
	{ 0x3ff, 0x1fd, F_MEMORY_READS, false },
	{ 0x3c0, 0x200, F_MEMORY_READS, false },
	{ 0x3c0, 0x280, F_MEMORY_WRITES, true },
	{ 0x3ff, 0x2c0, F_MEMORY_READS, false }, /* of the user, to 2c4 */
	{ 0x3ff, 0x2c2, F_MEMORY_WRITES, true },
	{ 0x3ff, 0x2c4, F_MEMORY_WRITES, true },
	{ 0x3ff, 0x2c7, F_PROPERTY_WRITES, true }, /* a command to a function */
	{ 0x3fe, 0x380, F_RESTARTS, false },
	{ 0x3ff, 0x3c3, F_MEMORY_WRITES, true }, /* of routers, to 3cf */
	{ 0x3ff, 0x3ca, F_MEMORY_WRITES, true },
	{ 0x3ff, 0x3cf, F_MEMORY_WRITES, true },
	{ 0x3ff, 0x3d0, F_MEMORY_WRITES, true }, /* of bits */
	{ 0x3ff, 0x3d1, F_AUTHORIZATIONS, false },
	{ 0x3ff, 0x3d3, F_KEY_WRITES, true },
	{ 0x3ff, 0x3d5, F_PROPERTY_READS, false },
	{ 0x3ff, 0x3d7, F_PROPERTY_WRITES, true },
	{ 0x3ff, 0x3de, F_ADDRESS_WRITES, true }, /* by serial number */
	{ 0x3ff, 0x3e0, F_ADDRESS_WRITES, true }, /* of a domain */
	{ 0x3ff, 0x3e4, F_PROPERTY_WRITES, true }, /* of the network */
	{ 0x3ff, 0x3e7, F_PROPERTY_WRITES, true }, /* which groups an object belongs to */
	{ 0x3ff, 0x3ea, F_PROPERTY_WRITES, true },
	{ 0x3ff, 0x3ee, F_ADDRESS_WRITES, true },
	{ 0x3ff, 0x3f1, F_SECURE_DATA, false },
	/* clang-format on */
};

static void note_apci(const struct knxnetip_call *call, uint16_t apci)
{
	for (size_t i = 0; i < sizeof(apcis) / sizeof(*apcis); i++) {
		if ((apci & apcis[i].mask) != apcis[i].value)
			continue;
		count(call, apcis[i].field);
		if (apcis[i].write)
			count(call, F_WRITES);
		if (apcis[i].field == F_RESTARTS)
			count(call, F_CONTROL);
		return;
	}
	count(call, F_OTHER);
}

/* 3/6/3, 4.1.5: additional information, two octets of control, source, destination,
 * length, then transport and application control information. */
static void note_bus_message(const struct knxnetip_call *call, struct cursor c)
{
	enum { GROUP_ADDRESS = 0x80, TRANSPORT_CONTROL = 0x80 };

	cursor_skip(&c, cursor_u8(&c));
	cursor_skip(&c, 1);
	bool group = cursor_u8(&c) & GROUP_ADDRESS;
	uint16_t source = cursor_be16(&c);
	uint16_t destination = cursor_be16(&c);
	uint8_t length = cursor_u8(&c);
	uint8_t first = cursor_u8(&c);
	if (c.failed)
		return;
	knxnetip_individual(call, F_SOURCE, source);
	if (group)
		note_group(call, destination);
	else
		knxnetip_individual(call, F_TARGET, destination);
	uint8_t second = cursor_u8(&c);
	/* Connections to a device are opened and acknowledged without any service. */
	if (length == 0 || c.failed || first & TRANSPORT_CONTROL)
		return;
	note_apci(call, (uint16_t)((first & 3) << 8 | second));
}

enum cemi {
	CEMI_DATA_REQUEST = 0x11,
	CEMI_DATA_INDICATION = 0x29,
	CEMI_DATA_CONFIRMATION = 0x2e,
	CEMI_PROPERTY_READ = 0xfc,
	CEMI_PROPERTY_WRITE = 0xf6,
	CEMI_RESET = 0xf1,
};

void knxnetip_cemi(const struct knxnetip_call *call, struct cursor c, bool routed)
{
	switch ((enum cemi)cursor_u8(&c)) {
	case CEMI_DATA_REQUEST:
		call->in->role = ROLE_SENDER_IS_CLIENT;
		note_bus_message(call, c);
		break;
	case CEMI_DATA_INDICATION:
		if (routed) {
			note_bus_message(call, c);
			break;
		}
		call->in->role = ROLE_SENDER_IS_SERVER;
		count(call, F_REPORTED);
		break;
	case CEMI_DATA_CONFIRMATION:
		call->in->role = ROLE_SENDER_IS_SERVER;
		break;
	case CEMI_PROPERTY_READ:
		call->in->role = ROLE_SENDER_IS_CLIENT;
		count(call, F_PROPERTY_READS);
		break;
	case CEMI_PROPERTY_WRITE:
		call->in->role = ROLE_SENDER_IS_CLIENT;
		count(call, F_PROPERTY_WRITES);
		count(call, F_WRITES);
		break;
	case CEMI_RESET:
		call->in->role = ROLE_SENDER_IS_CLIENT;
		count(call, F_RESTARTS);
		count(call, F_CONTROL);
		break;
	}
}
