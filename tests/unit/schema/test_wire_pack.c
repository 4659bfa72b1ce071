/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <stdlib.h>
#include <string.h>

#include "schema/vigie.pb-c.h"
#include "schema/wire.h"

/* protobuf-c, which reads and writes again what we wrote, is the judge. */
static void expect_what_protobuf_c_writes(const struct buf *b)
{
	Vigie__Batch *read = vigie__batch__unpack(NULL, b->len, (const uint8_t *)b->data);

	cr_assert(read);
	cr_assert_eq(vigie__batch__get_packed_size(read), b->len);
	uint8_t *again = malloc(b->len + 1);
	cr_assert_eq(vigie__batch__pack(read, again), b->len);
	cr_assert_arr_eq(again, b->data, b->len);
	free(again);
	vigie__batch__free_unpacked(read, NULL);
}

static struct record_endpoint endpoint(const char *segment)
{
	return (struct record_endpoint){
		.ip = { { 0xfd, [15] = 9 } },
		.has_port = true,
		.port = 65535,
		.has_mac = true,
		.mac = { 1, 2, 3, 4, 5, 6 },
		.segment = segment,
		.impact = IMPACT_LIFE_CRITICAL,
		.asn = 4200000000,
		.country = "FR",
	};
}

static const char *const texts[] = { "a", "", "three" };

static struct record full_flow(const char *text, const struct record_attribute *attributes)
{
	struct record r = { .type = RECORD_FLOW };

	r.flow = (struct record_flow){
		.id = "0123456789abcdef0123456789abcdef",
		.start = { 1767225600000001 },
		.end = { -5 },
		.interim = 300,
		.end_reason = END_SHUTDOWN,
		.protocol = 6,
		.community_id = "1:abc=",
		.realm = text,
		.client = endpoint(text),
		.server = endpoint("pacs"),
		.orientation = ORIENTATION_HANDSHAKE,
		.packets_to_server = 127,
		.packets_to_client = 128,
		.bytes_to_server = UINT64_MAX,
		.bytes_to_client = 1u << 21,
		.path = { "vlan:10", "vlan:20" },
		.path_count = 2,
		.copies_mirror = 1,
		.copies_routed = 2,
		.has_tcp = true,
		.tcp = { 0x1f, 0x3f, true, true, UINT32_MAX, 0, 7, 1u << 30, true },
		.has_icmp = true,
		.tunnel = { "vxlan:7" },
		.tunnel_count = 1,
		.dscp = 46,
		.app = "dicom",
		.app_source = APP_SOURCE_DISSECTOR,
		.app_confidence = CONFIDENCE_HIGH,
		.encrypted = true,
		.attributes = attributes,
		.attribute_count = 4,
		.verdict = VERDICT_WRONG_SERVICE,
		.rule = "rule",
		.reason = text,
		.vendor = "Acme",
		.severity = SEVERITY_HIGH,
		.shed = 3,
	};
	return r;
}

static struct record full_alert(const char *text)
{
	struct record r = { .type = RECORD_ALERT };

	r.alert = (struct record_alert){
		.id = "ffff",
		.kind = "cross-segment",
		.severity = SEVERITY_CRITICAL,
		.first_seen = { INT64_MIN },
		.last_seen = { INT64_MAX },
		.count = 129,
		.client = endpoint(text),
		.server = { .segment = "icu" },
		.protocol = 17,
		.app = "dns",
		.rule = "r",
		.reason = text,
		.vendor = text,
		.technique = "T1021",
		.flows = { "one", "two" },
		.flow_count = 2,
	};
	return r;
}

/* Texts of every length, so that each length field takes one byte and two, and
 * records find no room at first. */
Test(wire_pack, every_field_as_protobuf_c_writes_it)
{
	struct buf b = { 0 };
	char text[700] = "";

	for (size_t n = 0; n < sizeof(text) - 1; n++) {
		const struct record_attribute attributes[] = {
			{ .name = "n", .type = ATTRIBUTE_NUMBER, .number = n },
			{ .name = "f", .type = ATTRIBUTE_FLAG, .number = 1 },
			{ .name = text, .type = ATTRIBUTE_TEXT, .texts = texts },
			{ .name = "s", .type = ATTRIBUTE_TEXTS, .texts = texts, .count = 3 },
		};
		struct record flow = full_flow(text, attributes), alert = full_alert(text);
		cr_assert_eq(wire_append_record(&b, &flow), 0);
		cr_assert_eq(wire_append_record(&b, &alert), 0);
		expect_what_protobuf_c_writes(&b);
		buf_finish(&b);
		text[n] = 'x';
	}
}

Test(wire_pack, what_is_empty_is_left_out)
{
	struct buf b = { 0 };
	struct record flow = { .type = RECORD_FLOW }, alert = { .type = RECORD_ALERT };

	cr_assert_eq(wire_append_record(&b, &flow), 0);
	cr_assert_eq(wire_append_record(&b, &alert), 0);
	expect_what_protobuf_c_writes(&b);
	buf_finish(&b);
}

Test(wire_pack, many_records_stand_one_behind_the_other)
{
	struct buf b = { 0 };
	struct record alert = full_alert("text");

	for (int i = 0; i < 1000; i++)
		cr_assert_eq(wire_append_record(&b, &alert), 0);
	expect_what_protobuf_c_writes(&b);
	buf_finish(&b);
}
