/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_knxnetip;

static const uint8_t connect[] = { 6,  0x10, 2, 5,  0, 0x1a, 8, 1,    10, 0, 0, 1, 0x0e,
				   87, 8,    1, 10, 0, 0,    1, 0x0e, 87, 4, 4, 2, 0 };
static const uint8_t connected[] = { 6,  0x10, 2, 6,  0,    0x14, 1, 0, 8,    1,
				     10, 0,    0, 20, 0x0e, 87,   4, 4, 0x11, 2 };

/* L_Data.req of 15.15.15 to 1/0/7: GroupValueWrite */
static const uint8_t group_write[] = { 6, 0x10, 4,    0x20, 0,    0x15, 4, 1, 0, 0,   0x11,
				       0, 0xbc, 0xe0, 0xff, 0x0f, 8,    7, 1, 0, 0x81 };

/* device information, then a supported-families block */
static const uint8_t description[] = {
	6,   0x10, 2,    4,   0,   68,  54,  1,   2, 0, 0x11, 1, 0, 0,   0,   0xc5, 1,
	2,   0xd8, 0x5f, 224, 0,   23,  12,  0,   1, 2, 3,    4, 5, 'Z', 'Z', 'P',  'H',
	'I', ' ',  'R',  'o', 'o', 'm', ' ', '4', 0, 0, 0,    0, 0, 0,   0,   0,    0,
	0,   0,    0,    0,   0,   0,   0,   0,   0, 8, 2,    2, 1, 3,   1,   4,    1,
};

static struct conversation over(enum transport transport, uint16_t server_port)
{
	struct conversation s;
	stream_init(&s, &dissector_knxnetip, transport, 50000, server_port);
	return s;
}

/* The same with another APCI. */
static void offer_apci(struct conversation *s, unsigned direction, unsigned apci)
{
	uint8_t message[sizeof(group_write)];

	memcpy(message, group_write, sizeof(message));
	message[19] = (uint8_t)(apci >> 8);
	message[20] = (uint8_t)apci;
	stream_offer(s, direction, message, sizeof(message));
}

Test(knxnetip, a_tunnel_on_any_port)
{
	static const uint16_t ports[] = { 3671, 40000 };

	for (size_t i = 0; i < 2; i++) {
		struct conversation s = over(TRANSPORT_UDP, ports[i]);
		stream_offer(&s, 0, connect, sizeof(connect));
		stream_offer(&s, 1, connected, sizeof(connected));
		stream_offer(&s, 0, group_write, sizeof(group_write));
		cr_assert(s.claimed);
		cr_assert_eq(s.confidence, CONFIDENCE_HIGH);
		cr_assert_eq(s.client_direction, 0);
		cr_assert_not(s.encrypted);
		cr_assert_eq(stream_number(&s, "knxnetip.messages"), 3);
		cr_assert_eq(stream_number(&s, "knxnetip.connects"), 1);
		cr_assert_eq(stream_number(&s, "knxnetip.connects_refused"), 0);
		cr_assert_eq(stream_number(&s, "knxnetip.tunnelled"), 1);
		cr_assert_eq(stream_number(&s, "knxnetip.writes"), 1);
		cr_assert_eq(stream_number(&s, "knxnetip.group_writes"), 1);
		cr_assert_eq(stream_number(&s, "knxnetip.malformed"), 0);
		cr_assert_str_eq(stream_text(&s, "knxnetip.connection_type", 0), "tunnel");
		cr_assert_str_eq(stream_text(&s, "knxnetip.tunnel_layer", 0), "link");
		cr_assert_str_eq(stream_text(&s, "knxnetip.source", 0), "15.15.15");
		cr_assert_str_eq(stream_text(&s, "knxnetip.group", 0), "1/0/7");
		stream_finish(&s);
	}
}

Test(knxnetip, services_of_the_bus)
{
	static const struct {
		unsigned apci;
		const char *counter;
		unsigned writes;
	} services[] = {
		{ 0x000, "knxnetip.group_reads", 0 },     { 0x040, "knxnetip.group_responses", 0 },
		{ 0x0c0, "knxnetip.address_writes", 1 },  { 0x200, "knxnetip.memory_reads", 0 },
		{ 0x283, "knxnetip.memory_writes", 1 },   { 0x380, "knxnetip.restarts", 0 },
		{ 0x3d1, "knxnetip.authorizations", 0 },  { 0x3d3, "knxnetip.key_writes", 1 },
		{ 0x3d7, "knxnetip.property_writes", 1 }, { 0x3f1, "knxnetip.data_secure", 0 },
		{ 0x300, "knxnetip.other_services", 0 },
	};

	for (size_t i = 0; i < sizeof(services) / sizeof(*services); i++) {
		struct conversation s = over(TRANSPORT_UDP, 3671);
		offer_apci(&s, 0, services[i].apci);
		cr_assert_eq(stream_number(&s, services[i].counter), 1, "%s", services[i].counter);
		cr_assert_eq(stream_number(&s, "knxnetip.writes"), services[i].writes, "%zu", i);
		stream_finish(&s);
	}
}

Test(knxnetip, what_a_server_reports_is_not_the_client_s_doing)
{
	struct conversation s = over(TRANSPORT_UDP, 3671);
	uint8_t message[sizeof(group_write)];

	memcpy(message, group_write, sizeof(message));
	message[10] = 0x29; /* indication */
	stream_offer(&s, 1, message, sizeof(message));
	message[10] = 0x2e; /* confirmation */
	stream_offer(&s, 1, message, sizeof(message));
	cr_assert_eq(s.client_direction, 0);
	cr_assert_eq(stream_number(&s, "knxnetip.reported"), 1);
	cr_assert_eq(stream_number(&s, "knxnetip.writes"), 0);
	stream_finish(&s);
}

Test(knxnetip, what_a_router_multicasts_is_its_own)
{
	static const uint8_t routed[] = { 6,    0x10, 5, 0x30, 0, 17, 0x29, 0,   0xbc,
					  0xe0, 0x11, 5, 8,    7, 1,  0,    0x80 };
	struct conversation s = over(TRANSPORT_UDP, 3671);

	stream_offer(&s, 0, routed, sizeof(routed));
	cr_assert_eq(stream_number(&s, "knxnetip.routed"), 1);
	cr_assert_eq(stream_number(&s, "knxnetip.group_writes"), 1);
	cr_assert_str_eq(stream_text(&s, "knxnetip.source", 0), "1.1.5");
	stream_finish(&s);
}

Test(knxnetip, opening_a_device_is_no_service)
{
	static const uint8_t open_it[] = { 6,    0x10, 4,    0x20, 0,    0x14, 4,    1, 0, 0,
					   0x11, 0,    0xb0, 0x60, 0xff, 0x0f, 0x11, 5, 0, 0x80 };
	struct conversation s = over(TRANSPORT_UDP, 3671);

	stream_offer(&s, 0, open_it, sizeof(open_it));
	cr_assert_eq(stream_number(&s, "knxnetip.tunnelled"), 1);
	cr_assert_eq(stream_number(&s, "knxnetip.group_reads"), 0);
	cr_assert_str_eq(stream_text(&s, "knxnetip.target", 0), "1.1.5");
	stream_finish(&s);
}

Test(knxnetip, a_server_describes_itself_without_its_name)
{
	struct conversation s = over(TRANSPORT_UDP, 3671);

	stream_offer(&s, 1, description, sizeof(description));
	cr_assert_eq(s.client_direction, 0);
	cr_assert_str_eq(stream_text(&s, "knxnetip.individual_address", 0), "1.1.1");
	cr_assert_str_eq(stream_text(&s, "knxnetip.serial", 0), "00c50102d85f");
	cr_assert_str_eq(stream_text(&s, "knxnetip.medium", 0), "tp1");
	cr_assert_null(memmem(s.out.texts, s.out.text_used, "ZZ", 2));
	stream_finish(&s);
}

Test(knxnetip, device_management)
{
	static const uint8_t property[] = { 6, 0x10, 3,    0x10, 0, 17,   4,    1, 0,
					    0, 0xf6, 0x00, 0x0b, 1, 0x34, 0x10, 1 };
	static const uint8_t reset[] = { 6, 0x10, 3, 0x10, 0, 11, 4, 1, 0, 0, 0xf1 };
	struct conversation s = over(TRANSPORT_UDP, 3671);

	stream_offer(&s, 0, property, sizeof(property));
	stream_offer(&s, 0, reset, sizeof(reset));
	cr_assert_eq(stream_number(&s, "knxnetip.configurations"), 2);
	cr_assert_eq(stream_number(&s, "knxnetip.property_writes"), 1);
	cr_assert_eq(stream_number(&s, "knxnetip.restarts"), 1);
	cr_assert_eq(stream_number(&s, "knxnetip.control"), 1);
	cr_assert_eq(stream_number(&s, "knxnetip.writes"), 1);
	stream_finish(&s);
}

Test(knxnetip, secure_sessions)
{
	uint8_t wrapper[6 + 40] = { 6, 0x10, 9, 0x50, 0, sizeof(wrapper) };
	static const uint8_t failed[] = { 6, 0x10, 9, 0x54, 0, 8, 1, 0 };
	static const uint8_t closed[] = { 6, 0x10, 9, 0x54, 0, 8, 5, 0 };
	struct conversation s = over(TRANSPORT_UDP, 3671);

	stream_offer(&s, 1, failed, sizeof(failed));
	stream_offer(&s, 1, closed, sizeof(closed));
	cr_assert_not(s.encrypted);
	stream_offer(&s, 0, wrapper, sizeof(wrapper));
	cr_assert(s.encrypted);
	cr_assert_eq(stream_number(&s, "knxnetip.secure"), 1);
	cr_assert_eq(stream_number(&s, "knxnetip.secure_session_failures"), 1);
	stream_finish(&s);
}

Test(knxnetip, tcp_in_any_pieces)
{
	for (size_t chunk = 1; chunk < 70; chunk++) {
		struct conversation s = over(TRANSPORT_TCP, 40000);
		stream_chunks(&s, 0, connect, sizeof(connect), chunk);
		stream_chunks(&s, 1, connected, sizeof(connected), chunk);
		stream_chunks(&s, 1, description, sizeof(description), chunk);
		stream_chunks(&s, 0, group_write, sizeof(group_write), chunk);
		stream_chunks(&s, 0, group_write, sizeof(group_write), chunk);
		cr_assert_eq(stream_number(&s, "knxnetip.messages"), 5, "%zu", chunk);
		cr_assert_eq(stream_number(&s, "knxnetip.writes"), 2);
		cr_assert_eq(stream_number(&s, "knxnetip.malformed"), 0);
		stream_finish(&s);
	}
}

Test(knxnetip, tcp_goes_on_behind_a_gap)
{
	struct conversation s = over(TRANSPORT_TCP, 3671);

	stream_offer(&s, 0, connect, sizeof(connect));
	stream_lose(&s, 0);
	stream_offer(&s, 0, group_write + 7, 10);
	stream_offer(&s, 0, group_write, sizeof(group_write));
	cr_assert_eq(stream_number(&s, "knxnetip.writes"), 1);
	cr_assert_eq(stream_number(&s, "knxnetip.malformed"), 0);
	stream_finish(&s);
}

Test(knxnetip, every_truncation)
{
	for (size_t n = 0; n < sizeof(description); n++) {
		struct conversation udp = over(TRANSPORT_UDP, 3671);
		struct conversation tcp = over(TRANSPORT_TCP, 3671);
		stream_offer(&udp, 1, description, n);
		cr_assert(udp.refused, "%zu", n);
		stream_offer(&tcp, 1, description, n);
		cr_assert(!tcp.claimed && !tcp.refused, "%zu", n);
		cr_assert_eq(udp.out.count + tcp.out.count, 0);
		stream_finish(&udp);
		stream_finish(&tcp);
	}
	for (size_t n = 0; n < sizeof(group_write); n++) {
		struct conversation s = over(TRANSPORT_UDP, 3671);
		stream_offer(&s, 0, connect, sizeof(connect));
		stream_offer(&s, 0, group_write, n);
		cr_assert_eq(stream_number(&s, "knxnetip.malformed"), 1, "%zu", n);
		cr_assert_eq(stream_number(&s, "knxnetip.writes"), 0);
		stream_finish(&s);
	}
}

/* The sizes that a message says of its parts, wrong. */
Test(knxnetip, every_truncation_of_a_part)
{
	uint8_t message[sizeof(group_write)], told[sizeof(description)];

	for (size_t n = 11; n < sizeof(group_write); n++) {
		struct conversation s = over(TRANSPORT_UDP, 3671);
		memcpy(message, group_write, sizeof(message));
		message[5] = (uint8_t)n;
		stream_offer(&s, 0, message, n);
		cr_assert_eq(stream_number(&s, "knxnetip.tunnelled"), 1, "%zu", n);
		cr_assert_eq(stream_number(&s, "knxnetip.writes"), 0);
		stream_finish(&s);
	}
	for (unsigned length = 0; length < 256; length++) {
		struct conversation s = over(TRANSPORT_UDP, 3671);
		memcpy(told, description, sizeof(told));
		told[6] = (uint8_t)length;
		stream_offer(&s, 1, told, sizeof(told));
		if (length >= 14) { /* less, and another block begins in its middle */
			bool whole = length <= sizeof(description) - 6;
			cr_assert_eq(*stream_text(&s, "knxnetip.serial", 0) != 0, whole, "%u",
				     length);
		}
		cr_assert_null(memmem(s.out.texts, s.out.text_used, "ZZ", 2));
		stream_finish(&s);
	}
}

Test(knxnetip, other_headers_are_not_ours)
{
	uint8_t other[sizeof(connect)];
	static const struct {
		size_t at;
		uint8_t value;
	} changes[] = { { 0, 5 }, { 1, 0x20 }, { 2, 1 }, { 3, 0x20 }, { 4, 1 }, { 5, 0x19 } };

	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		struct conversation s = over(TRANSPORT_UDP, 3671);
		memcpy(other, connect, sizeof(other));
		other[changes[i].at] = changes[i].value;
		stream_offer(&s, 0, other, sizeof(other));
		cr_assert(s.refused, "%zu", i);
		stream_finish(&s);
	}
}
