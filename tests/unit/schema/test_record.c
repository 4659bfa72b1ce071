/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "schema/record.h"

Test(names, every_word_finds_its_way_back)
{
	for (int i = 0; i < VERDICT_COUNT; i++)
		cr_assert_eq(verdict_of(verdict_name((enum verdict)i)), i);
	for (int i = 1; i < IMPACT_COUNT; i++)
		cr_assert_eq(impact_of(impact_name((enum impact)i)), i);
	for (int i = 0; i < END_REASON_COUNT; i++)
		cr_assert_eq(end_reason_of(end_reason_name((enum end_reason)i)), i);
	cr_assert_eq(verdict_of("no-such-word"), -1);
	cr_assert_eq(impact_of(""), -1);
	cr_assert_str_eq(verdict_name((enum verdict)99), "");
	char number[4];
	cr_assert_str_eq(protocol_name(6, number), "tcp");
	cr_assert_str_eq(protocol_name(200, number), "200");
	cr_assert_eq(protocol_of("icmpv6"), 58);
	cr_assert_eq(protocol_of("200"), 200);
	cr_assert_eq(protocol_of("tcpx"), -1);
}

Test(record, a_flow_as_json_leaves_out_what_is_not_known)
{
	static const char *const ae[] = { "CT1" };
	static const struct record_attribute attributes[] = {
		{ "dicom.calling_ae", ATTRIBUTE_TEXT, 0, ae, 1 },
		{ "dicom.c_store", ATTRIBUTE_NUMBER, 12, NULL, 0 },
	};
	struct record r = { .type = RECORD_FLOW };
	struct buf b = { 0 };

	r.flow = (struct record_flow){
		.id = "x",
		.sensor = "s",
		.end_reason = END_FIN,
		.protocol = 6,
		.orientation = ORIENTATION_HANDSHAKE,
		.has_tcp = true,
		.tcp = { .flags_to_server = 0x1b, .has_rtt_server = true, .rtt_server_us = 0 },
		.app = "dicom",
		.app_source = APP_SOURCE_DISSECTOR,
		.app_confidence = CONFIDENCE_HIGH,
		.attributes = attributes,
		.attribute_count = 2,
		.verdict = VERDICT_CONDUIT,
		.rule = "c",
		.path = { "vlan:10", "vlan:20" },
		.path_count = 2,
	};
	cr_assert(ip_parse("10.0.0.1", &r.flow.client.ip));
	cr_assert(ip_parse("2001:db8::1", &r.flow.server.ip));
	r.flow.server.has_port = true;
	r.flow.server.port = 104;
	record_json(&r, &b);
	cr_assert_str_eq(
		b.data,
		"{\"type\":\"flow\",\"id\":\"x\",\"sensor\":\"s\",\"start\":\"1970-01-01T00:00:00."
		"000000Z\","
		"\"end\":\"1970-01-01T00:00:00.000000Z\",\"interim\":0,\"end_reason\":\"fin\","
		"\"protocol\":\"tcp\",\"client\":{\"ip\":\"10.0.0.1\"},"
		"\"server\":{\"ip\":\"2001:db8::1\",\"port\":104},\"orientation\":\"handshake\","
		"\"packets\":{\"to_server\":0,\"to_client\":0},\"bytes\":{\"to_server\":0,\"to_"
		"client\":0},"
		"\"path\":[\"vlan:10\",\"vlan:20\"],\"copies\":{\"mirror\":0,\"routed\":0},"
		"\"tcp\":{\"flags_to_server\":\"SAPF\",\"flags_to_client\":\"\",\"rtt_server_us\":"
		"0,"
		"\"retransmissions\":0,\"missed_bytes\":0,\"midstream\":false},\"dscp\":0,"
		"\"app\":\"dicom\",\"app_source\":\"dissector\",\"app_confidence\":\"high\","
		"\"encrypted\":false,\"attributes\":{\"dicom.calling_ae\":\"CT1\",\"dicom.c_"
		"store\":12},"
		"\"verdict\":\"conduit\",\"rule\":\"c\",\"severity\":\"info\",\"shed\":0}");
	buf_finish(&b);
}

Test(record, what_is_not_known_of_a_pair_of_segments_is_absent)
{
	struct buf b = { 0 };
	struct record r = { .type = RECORD_FLOW };

	r.flow = (struct record_flow){
		.id = "x",
		.end_reason = END_SHED,
		.protocol = 17,
		.client = { .no_ip = true, .segment = "guest", .impact = IMPACT_GUEST },
		.server = { .no_ip = true },
		.shed = 3,
	};
	record_json(&r, &b);
	cr_assert_str_eq(
		b.data,
		"{\"type\":\"flow\",\"id\":\"x\",\"start\":\"1970-01-01T00:00:00.000000Z\","
		"\"end\":\"1970-01-01T00:00:00.000000Z\",\"interim\":0,\"end_reason\":\"shed\","
		"\"protocol\":\"udp\",\"client\":{\"segment\":\"guest\",\"impact\":\"guest\"},"
		"\"orientation\":\"first-packet\","
		"\"packets\":{\"to_server\":0,\"to_client\":0},"
		"\"bytes\":{\"to_server\":0,\"to_client\":0},"
		"\"copies\":{\"mirror\":0,\"routed\":0},\"app_source\":\"none\","
		"\"encrypted\":false,\"verdict\":\"not-evaluated\",\"severity\":\"info\","
		"\"shed\":3}");
	buf_finish(&b);
}

Test(record, an_alert_of_the_sensor_has_no_ends)
{
	struct buf b = { 0 };
	struct record r = { .type = RECORD_ALERT };

	r.alert = (struct record_alert){
		.id = "x",
		.kind = "sensor.blind",
		.client = { .no_ip = true },
		.server = { .no_ip = true, .segment = "icu", .impact = IMPACT_LIFE_CRITICAL },
		.reason = "why",
	};
	record_json(&r, &b);
	cr_assert_str_eq(b.data,
			 "{\"type\":\"alert\",\"id\":\"x\",\"kind\":\"sensor.blind\","
			 "\"severity\":\"info\",\"first_seen\":\"1970-01-01T00:00:00.000000Z\","
			 "\"last_seen\":\"1970-01-01T00:00:00.000000Z\",\"count\":0,"
			 "\"server\":{\"segment\":\"icu\",\"impact\":\"life-critical\"},"
			 "\"reason\":\"why\"}");
	buf_finish(&b);
}

Test(record, an_asset_says_what_told_so)
{
	static const struct record_role role = { "modality", CONFIDENCE_MEDIUM, "dicom.c_store" };
	static const struct record_fact fact = {
		"os", "windows", "ip.ttl", CONFIDENCE_LOW, { 1 }, { 1000000 },
	};
	struct buf b = { 0 };
	struct record r = { .type = RECORD_ASSET };

	r.asset = (struct record_asset){
		.realm = "default",
		.has_ip = true,
		.ip = ip_from_v4((const uint8_t[]){ 10, 30, 1, 5 }),
		.has_mac = true,
		.mac = { 0, 9, 0x5c, 1, 2, 3 },
		.mac_vendor = "Acme",
		.segment = "imaging",
		.impact = IMPACT_CARE_CRITICAL,
		.last_seen = { 1000000 },
		.roles = &role,
		.role_count = 1,
		.facts = &fact,
		.fact_count = 1,
	};
	record_json(&r, &b);
	cr_assert_str_eq(b.data, "{\"type\":\"asset\",\"realm\":\"default\",\"ip\":\"10.30.1.5\","
				 "\"mac\":\"00:09:5c:01:02:03\",\"mac_vendor\":\"Acme\","
				 "\"segment\":\"imaging\",\"impact\":\"care-critical\","
				 "\"first_seen\":\"1970-01-01T00:00:00.000000Z\","
				 "\"last_seen\":\"1970-01-01T00:00:01.000000Z\","
				 "\"roles\":[{\"role\":\"modality\",\"confidence\":\"medium\","
				 "\"from\":\"dicom.c_store\"}],"
				 "\"facts\":[{\"name\":\"os\",\"value\":\"windows\","
				 "\"confidence\":\"low\",\"from\":\"ip.ttl\","
				 "\"first_seen\":\"1970-01-01T00:00:00.000001Z\","
				 "\"last_seen\":\"1970-01-01T00:00:01.000000Z\"}]}");
	buf_finish(&b);
}
