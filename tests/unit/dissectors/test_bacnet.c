/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "tests/unit/dissectors/stream.h"

extern const struct dissector dissector_bacnet;

static const uint8_t who_is[] = { 0x81, 0x0b, 0, 12, 1, 0x20, 0xff, 0xff, 0, 0xff, 0x10, 8 };

/* device 4711, 1476 octets, no segmentation, vendor 7 */
static const uint8_t i_am[] = {
	0x81, 0x0b, 0,    24,   1,    0x20, 0xff, 0xff, 0,    0xff, 0x10, 0,
	0xc4, 0x02, 0x00, 0x12, 0x67, 0x22, 0x05, 0xc4, 0x91, 3,    0x21, 7
};

/* writeProperty of analog-output 2, present-value, a real, priority 8 */
static const uint8_t write_property[] = { 0x81, 0x0a, 0,    26,   1, 4,    0,    5,  7,
					  15,   0x0c, 0,    0x40, 0, 2,    0x19, 85, 0x3e,
					  0x44, 0x42, 0x28, 0,    0, 0x3f, 0x39, 8 };

static const uint8_t write_access_denied[] = { 0x81, 0x0a, 0,    13, 1,    0, 0x50,
					       7,    15,   0x91, 2,  0x91, 40 };

/* writePropertyMultiple: binary-value 1 { present-value, { enumerated } }, device { 512, a
 * list in which context tags 0 stand } */
static const uint8_t write_several[] = { 0x81, 0x0a, 0, 41, 1,    4,    2,    5,    9,    16, 0x0c,
					 1,    0x40, 0, 1,  0x1e, 0x09, 85,   0x2e, 0x91, 1,  0x2f,
					 0x1f, 0x0c, 2, 0,  0,    7,    0x1e, 0x0a, 2,    0,  0x2e,
					 0x0c, 0,    0, 0,  9,    0x2f, 0x1f, 0x00 };

/* reinitializeDevice: coldstart, password "ZZSECRET" */
static const uint8_t reinitialize[] = { 0x81, 0x0a, 0,   23,  1,   4,   0,   5,   3,   20,  0x09, 0,
					0x1c, 0,    'Z', 'Z', 'S', 'E', 'C', 'R', 'E', 'T', 0 };

static struct conversation udp(uint16_t server_port)
{
	struct conversation s;
	stream_init(&s, &dissector_bacnet, TRANSPORT_UDP, 50000, server_port);
	return s;
}

static struct conversation said(const void *bytes, size_t n)
{
	struct conversation s = udp(47808);
	stream_offer(&s, 0, bytes, n);
	cr_assert(s.claimed);
	return s;
}

Test(bacnet, a_write_and_its_refusal_on_any_port)
{
	static const uint16_t ports[] = { 47808, 40001 };

	for (size_t i = 0; i < 2; i++) {
		struct conversation s = udp(ports[i]);
		stream_offer(&s, 0, write_property, sizeof(write_property));
		stream_offer(&s, 1, write_access_denied, sizeof(write_access_denied));
		cr_assert_eq(s.confidence, CONFIDENCE_HIGH);
		cr_assert_eq(s.role_sender[ROLE_SENDER_IS_CLIENT], 1);
		cr_assert_eq(s.role_sender[ROLE_SENDER_IS_SERVER], 1);
		cr_assert_eq(s.client_direction, 0);
		cr_assert_eq(stream_number(&s, "bacnet.messages"), 2);
		cr_assert_eq(stream_number(&s, "bacnet.confirmed"), 1);
		cr_assert_eq(stream_number(&s, "bacnet.writes"), 1);
		cr_assert_eq(stream_number(&s, "bacnet.write_property"), 1);
		cr_assert_eq(stream_number(&s, "bacnet.errors"), 1);
		cr_assert_eq(stream_number(&s, "bacnet.malformed"), 0);
		cr_assert_str_eq(stream_text(&s, "bacnet.written_type", 0), "analog-output");
		cr_assert_str_eq(stream_text(&s, "bacnet.written_property", 0), "present-value");
		cr_assert_str_eq(stream_text(&s, "bacnet.error_class", 0), "property");
		cr_assert_str_eq(stream_text(&s, "bacnet.error_code", 0), "write-access-denied");
		stream_finish(&s);
	}
}

Test(bacnet, values_in_a_list_of_writes_are_no_references)
{
	struct conversation s = said(write_several, sizeof(write_several));

	cr_assert_eq(stream_number(&s, "bacnet.writes"), 1);
	cr_assert_eq(stream_number(&s, "bacnet.write_property_multiple"), 1);
	cr_assert_str_eq(stream_text(&s, "bacnet.written_type", 0), "binary-value");
	cr_assert_str_eq(stream_text(&s, "bacnet.written_type", 1), "device");
	cr_assert_str_eq(stream_text(&s, "bacnet.written_type", 2), "");
	cr_assert_str_eq(stream_text(&s, "bacnet.written_property", 0), "present-value");
	cr_assert_str_eq(stream_text(&s, "bacnet.written_property", 1), "property-512");
	cr_assert_str_eq(stream_text(&s, "bacnet.written_property", 2), "");
	stream_finish(&s);
}

Test(bacnet, a_restart_is_told_without_its_password)
{
	struct conversation s = said(reinitialize, sizeof(reinitialize));

	cr_assert_eq(stream_number(&s, "bacnet.reinitialize"), 1);
	cr_assert_eq(stream_number(&s, "bacnet.control"), 1);
	cr_assert_eq(stream_number(&s, "bacnet.writes"), 0);
	cr_assert_str_eq(stream_text(&s, "bacnet.reinitialize_state", 0), "coldstart");
	cr_assert_null(memmem(s.out.texts, s.out.text_used, "ZZ", 2));
	stream_finish(&s);
}

Test(bacnet, silence_is_told_with_and_without_a_time)
{
	static const uint8_t forever[] = { 0x81, 0x0a, 0, 12, 1, 4, 0, 5, 1, 17, 0x19, 1 };
	static const uint8_t minutes[] = { 0x81, 0x0a, 0, 14, 1, 4, 0, 5, 1, 17, 0x09, 5, 0x19, 2 };
	struct conversation s = said(forever, sizeof(forever));

	stream_offer(&s, 0, minutes, sizeof(minutes));
	cr_assert_eq(stream_number(&s, "bacnet.device_communication_control"), 2);
	cr_assert_str_eq(stream_text(&s, "bacnet.device_communication_state", 0), "disable");
	cr_assert_str_eq(stream_text(&s, "bacnet.device_communication_state", 1),
			 "disable-initiation");
	stream_finish(&s);
}

static void check_fact(const struct conversation *s, size_t i, const char *field, const char *text,
		       enum fact_subject subject)
{
	cr_assert_lt(i, s->fact_count);
	const struct dissect_fact *f = &s->facts[i];
	cr_assert_str_eq(f->field->name, field);
	cr_assert_eq(f->subject, subject);
	cr_assert(f->length == strlen(text) && !memcmp(f->text, text, f->length), "%s", text);
}

Test(bacnet, a_device_makes_itself_known)
{
	struct conversation s = said(who_is, sizeof(who_is));

	stream_offer(&s, 1, i_am, sizeof(i_am));
	cr_assert_eq(stream_number(&s, "bacnet.who_is"), 1);
	cr_assert_eq(stream_number(&s, "bacnet.i_am"), 1);
	cr_assert_eq(stream_number(&s, "bacnet.broadcasts"), 2);
	cr_assert_eq(stream_number(&s, "bacnet.routed"), 0, "network 65535 is all of them");
	cr_assert_str_eq(stream_text(&s, "bacnet.device_instance", 0), "4711");
	cr_assert_str_eq(stream_text(&s, "bacnet.vendor_id", 0), "7");
	check_fact(&s, 0, "bacnet.device_instance", "4711", FACT_SENDER);
	check_fact(&s, 1, "bacnet.vendor_id", "7", FACT_SENDER);
	check_fact(&s, 2, "bacnet.vendor", "Siemens", FACT_SENDER);
	stream_finish(&s);
}

Test(bacnet, a_forwarded_device_is_its_origin)
{
	uint8_t forwarded[sizeof(i_am) + 6] = { 0x81, 4,    0,   sizeof(forwarded), 10, 1, 2,
						99,   0xba, 0xc0 };
	char text[IP_TEXT];

	memcpy(forwarded + 10, i_am + 4, sizeof(i_am) - 4);
	struct conversation s = said(forwarded, sizeof(forwarded));
	cr_assert_eq(stream_number(&s, "bacnet.forwarded"), 1);
	check_fact(&s, 0, "bacnet.device_instance", "4711", FACT_IP);
	cr_assert_str_eq(ip_text(&s.facts[0].ip, text), "10.1.2.99");
	stream_finish(&s);
}

Test(bacnet, a_device_behind_a_router_is_nobody_s_fact)
{
	static const uint8_t routed[] = { 0x81, 0x0b, 0,    24,   1,    8,    0,    7,
					  1,    42,   0x10, 0,    0xc4, 0x02, 0x00, 0x12,
					  0x67, 0x22, 0x05, 0xc4, 0x91, 3,    0x21, 7 };
	struct conversation s = said(routed, sizeof(routed));

	cr_assert_eq(stream_number(&s, "bacnet.routed"), 1);
	cr_assert_str_eq(stream_text(&s, "bacnet.device_instance", 0), "4711");
	cr_assert_eq(s.fact_count, 0);
	stream_finish(&s);
}

Test(bacnet, ethernet_tells_facts_only)
{
	uint8_t frame[60] = { 0, sizeof(i_am) - 4 + 3, 0x82, 0x82, 3 };
	struct conversation s;

	memcpy(frame + 5, i_am + 4, sizeof(i_am) - 4);
	stream_init(&s, &dissector_bacnet, TRANSPORT_LINK, 0, 0);
	stream_offer(&s, 0, frame, sizeof(frame));
	cr_assert(s.claimed);
	check_fact(&s, 0, "bacnet.device_instance", "4711", FACT_MAC);
	stream_finish(&s);
	stream_init(&s, &dissector_bacnet, TRANSPORT_LINK, 0, 0);
	frame[2] = 0x42; /* spanning tree */
	stream_offer(&s, 0, frame, sizeof(frame));
	cr_assert(s.refused);
	stream_finish(&s);
}

Test(bacnet, tables_of_a_bbmd)
{
	static const uint8_t write_bdt[] = { 0x81, 1,    0,    14,  10,  1,   2,
					     3,    0xba, 0xc0, 255, 255, 255, 255 };
	static const uint8_t read_bdt[] = { 0x81, 2, 0, 4 };
	static const uint8_t registers[] = { 0x81, 5, 0, 6, 0, 60 };
	static const uint8_t deletes[] = { 0x81, 8, 0, 10, 10, 1, 2, 3, 0xba, 0xc0 };
	static const uint8_t refused[] = { 0x81, 0, 0, 6, 0, 0x30 };
	static const uint8_t accepted[] = { 0x81, 0, 0, 6, 0, 0 };
	struct conversation s = said(registers, sizeof(registers));

	cr_assert_eq(s.confidence, CONFIDENCE_MEDIUM, "four bytes say little");
	stream_offer(&s, 1, refused, sizeof(refused));
	stream_offer(&s, 1, accepted, sizeof(accepted));
	stream_offer(&s, 0, write_bdt, sizeof(write_bdt));
	stream_offer(&s, 0, read_bdt, sizeof(read_bdt));
	stream_offer(&s, 0, deletes, sizeof(deletes));
	cr_assert_eq(stream_number(&s, "bacnet.foreign_registrations"), 1);
	cr_assert_eq(stream_number(&s, "bacnet.bvlc_naks"), 1);
	cr_assert_eq(stream_number(&s, "bacnet.write_bdt"), 1);
	cr_assert_eq(stream_number(&s, "bacnet.read_tables"), 1);
	cr_assert_eq(stream_number(&s, "bacnet.delete_fdt"), 1);
	cr_assert_eq(stream_number(&s, "bacnet.control"), 2);
	cr_assert_eq(stream_number(&s, "bacnet.malformed"), 0);
	stream_finish(&s);
	s = udp(40001);
	stream_offer(&s, 0, read_bdt, sizeof(read_bdt));
	cr_assert(s.refused, "off the port that is not enough");
	stream_finish(&s);
}

Test(bacnet, further_segments_are_no_further_requests)
{
	uint8_t segment[] = { 0x81, 0x0a, 0, 15, 1, 4, 0x0c, 5, 7, 0, 4, 16, 0x0c, 0, 0 };
	struct conversation s = said(segment, sizeof(segment));

	segment[9] = 1; /* number */
	stream_offer(&s, 0, segment, sizeof(segment));
	cr_assert_eq(stream_number(&s, "bacnet.writes"), 1);
	cr_assert_eq(stream_number(&s, "bacnet.confirmed"), 1);
	cr_assert_eq(stream_number(&s, "bacnet.segments"), 2);
	stream_finish(&s);
}

Test(bacnet, who_gives_up)
{
	static const uint8_t reject[] = { 0x81, 0x0a, 0, 9, 1, 0, 0x60, 7, 9 };
	static const uint8_t abort_it[] = { 0x81, 0x0a, 0, 9, 1, 0, 0x71, 7, 200 };
	struct conversation s = said(reject, sizeof(reject));

	cr_assert_eq(s.role_sender[ROLE_UNKNOWN] + s.role_sender[ROLE_SENDER_IS_CLIENT] +
			     s.role_sender[ROLE_SENDER_IS_SERVER],
		     0);
	stream_offer(&s, 1, abort_it, sizeof(abort_it));
	cr_assert_eq(s.role_sender[ROLE_SENDER_IS_SERVER], 1);
	cr_assert_str_eq(stream_text(&s, "bacnet.reject_reason", 0), "unrecognized-service");
	cr_assert_str_eq(stream_text(&s, "bacnet.abort_reason", 0), "reason-200");
	stream_finish(&s);
}

Test(bacnet, between_routers)
{
	static const uint8_t who_is_router[] = { 0x81, 0x0b, 0, 7, 1, 0x80, 0 };
	static const uint8_t private[] = { 0x81, 0x0b, 0, 9, 1, 0x80, 0x81, 0, 8 };
	struct conversation s = said(who_is_router, sizeof(who_is_router));

	stream_offer(&s, 0, private, sizeof(private));
	cr_assert_eq(stream_number(&s, "bacnet.network_messages"), 2);
	cr_assert_str_eq(stream_text(&s, "bacnet.network_message", 0), "who-is-router");
	cr_assert_str_eq(stream_text(&s, "bacnet.network_message", 1), "message-129");
	stream_finish(&s);
}

Test(bacnet, ipv6)
{
	static const uint8_t read_it[] = { 0x82, 1, 0, 21, 1,  2,    3, 4, 5, 6,   1,
					   4,    0, 5, 1,  12, 0x0c, 2, 0, 0, 0x07 };
	struct conversation s = udp(40001);

	stream_offer(&s, 0, read_it, sizeof(read_it));
	cr_assert(s.claimed);
	cr_assert_eq(s.confidence, CONFIDENCE_MEDIUM);
	cr_assert_eq(stream_number(&s, "bacnet.reads"), 1);
	cr_assert_str_eq(stream_text(&s, "bacnet.object_type", 0), "device");
	stream_finish(&s);
}

static void check_truncations(const uint8_t *message, size_t size)
{
	for (size_t n = 0; n < size; n++) {
		struct conversation off_port = udp(40001), known = udp(47808);
		stream_offer(&off_port, 0, message, n);
		cr_assert_not(off_port.claimed, "%zu bytes", n);
		cr_assert_eq(off_port.out.count, 0);
		stream_offer(&known, 0, who_is, sizeof(who_is));
		stream_offer(&known, 0, message, n);
		cr_assert_eq(known.result, DISSECT_MORE);
		cr_assert_eq(stream_number(&known, "bacnet.malformed"), 1, "%zu bytes", n);
		stream_finish(&off_port);
		stream_finish(&known);
	}
}

Test(bacnet, every_truncation_is_malformed)
{
	check_truncations(i_am, sizeof(i_am));
	check_truncations(write_property, sizeof(write_property));
	check_truncations(write_several, sizeof(write_several));
	check_truncations(write_access_denied, sizeof(write_access_denied));
	check_truncations(reinitialize, sizeof(reinitialize));
}

Test(bacnet, a_wrong_length_is_borne_on_the_port_only)
{
	uint8_t longer[sizeof(write_property) + 4] = { 0 };
	struct conversation s;

	memcpy(longer, write_property, sizeof(write_property));
	s = said(longer, sizeof(longer));
	cr_assert_eq(stream_number(&s, "bacnet.writes"), 1);
	cr_assert_eq(stream_number(&s, "bacnet.malformed"), 1);
	cr_assert_eq(s.confidence, CONFIDENCE_MEDIUM);
	stream_finish(&s);
	s = udp(40001);
	stream_offer(&s, 0, longer, sizeof(longer));
	cr_assert(s.refused);
	stream_finish(&s);
}

Test(bacnet, other_versions_and_types_are_not_ours)
{
	uint8_t other[sizeof(who_is)];
	static const struct {
		size_t at;
		uint8_t value;
	} changes[] = {
		{ 0, 0x83 }, { 1, 0x0d }, { 4, 2 }, { 5, 0x40 }, { 5, 0x10 }, { 10, 0x80 }
	};

	for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
		struct conversation s = udp(47808);
		memcpy(other, who_is, sizeof(other));
		other[changes[i].at] = changes[i].value;
		stream_offer(&s, 0, other, sizeof(other));
		cr_assert(s.refused, "%zu", i);
		stream_finish(&s);
	}
}
