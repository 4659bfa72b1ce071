/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "schema/wire.h"

static const char *const sop_classes[] = { "1.2.840.10008.1.1", "1.2.840.10008.5.1.4.1.1.2" };
static const char *const ae[] = { "CT MODALITY1" };
static const struct record_attribute attributes[] = {
	{ .name = "dicom.calling_ae", .type = ATTRIBUTE_TEXT, .texts = ae, .count = 1 },
	{ .name = "dicom.c_store", .type = ATTRIBUTE_NUMBER, .number = UINT64_MAX },
	{ .name = "dicom.refused", .type = ATTRIBUTE_FLAG, .number = 1 },
	{ .name = "dicom.sop_classes", .type = ATTRIBUTE_TEXTS, .texts = sop_classes, .count = 2 },
};
static const struct record_counter counters[] = { { "packets", 12 }, { "malformed.ip", 0 } };

static const struct batch_identity identity_of[STREAM_COUNT] = {
	[STREAM_ALERTS] = { "span-1", STREAM_ALERTS, UINT64_MAX, 7, "3f2a", "drill-9" },
	[STREAM_HEALTH] = { "span-1", STREAM_HEALTH, 5, 1, "3f2a", NULL },
	[STREAM_FLOWS] = { "span-1", STREAM_FLOWS, 5, UINT64_MAX, "3f2a", "drill-9" },
};

static struct record_endpoint full_endpoint(uint8_t last)
{
	return (struct record_endpoint){
		.ip = ip_from_v4((const uint8_t[]){ 10, 30, 1, last }),
		.has_port = true,
		.port = 65535,
		.has_mac = true,
		.mac = { 0, 9, 0x5c, 1, 2, last },
		.segment = "imagerie-m\xc3\xa9"
			   "dicale",
		.impact = IMPACT_LIFE_CRITICAL,
		.asn = UINT32_MAX,
		.country = "FR",
	};
}

static struct record full_flow(void)
{
	return (struct record){
		.type = RECORD_FLOW,
		.flow = {
			.id = "0123456789abcdef0123456789abcdef",
			.sensor = "span-1", .site_revision = "3f2a", .exercise = "drill-9",
			.start = { 1767323045000001 }, .end = { 1767323046000002 },
			.interim = 3, .end_reason = END_SHUTDOWN, .protocol = 6,
			.community_id = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", .realm = "default",
			.client = full_endpoint(1), .server = full_endpoint(2),
			.orientation = ORIENTATION_HANDSHAKE,
			.packets_to_server = 1, .packets_to_client = UINT64_MAX,
			.bytes_to_server = 300, .bytes_to_client = 1ull << 40,
			.path = { "vlan:10", "vlan:20", "vni:3", "vlan:30" }, .path_count = 4,
			.copies_mirror = 8, .copies_routed = 9,
			.has_tcp = true,
			.tcp = { 0xff, 0x13, true, true, 0, UINT32_MAX - 1, 4, 5, true },
			.has_icmp = true, .icmp_type = 255, .icmp_code = 255,
			.tunnel = { "erspan2:17", "gre:1" }, .tunnel_count = 2,
			.dscp = 63, .app = "dicom", .app_source = APP_SOURCE_DISSECTOR,
			.app_confidence = CONFIDENCE_HIGH, .encrypted = true,
			.attributes = attributes, .attribute_count = 4,
			.verdict = VERDICT_UNKNOWN_SEGMENT, .rule = "modality-store",
			.reason = "imaging may store to pacs over dicom", .vendor = "Acme Imaging",
			.severity = SEVERITY_CRITICAL, .shed = 4,
		},
	};
}

static struct record full_alert(void)
{
	return (struct record){
		.type = RECORD_ALERT,
		.alert = {
			.id = "a1", .kind = "dicom.unknown-ae", .sensor = "span-1",
			.site_revision = "3f2a", .exercise = "drill-9",
			.severity = SEVERITY_HIGH, .first_seen = { 1 }, .last_seen = { -2 },
			.count = 77, .client = full_endpoint(3), .server = full_endpoint(4),
			.protocol = 255, .app = "dicom", .rule = "r", .reason = "why",
			.vendor = "Acme", .technique = "T1021",
			.flows = { "f1", "f2", "f3", "f4", "f5", "f6", "f7", "f8" }, .flow_count = 8,
		},
	};
}

static const struct record_interface interfaces[] = {
	{ "eno2", "up", 1, 2, 3 },
	{ "eno3", "silent", 0, 0, 0 },
};

static struct record full_coverage(void)
{
	return (struct record){
		.type = RECORD_COVERAGE,
		.coverage = { "span-1",
			      "3f2a",
			      NULL,
			      "icu",
			      "mirror-dead",
			      { 60000000 },
			      1,
			      2,
			      3,
			      4,
			      5,
			      6,
			      7,
			      8,
			      9,
			      10,
			      11,
			      12,
			      { "no-frames", "drops" },
			      2 },
	};
}

static struct record full_health(void)
{
	return (struct record){
		.type = RECORD_HEALTH,
		.health = { "span-1",
			    "3f2a",
			    NULL,
			    "0.1.0",
			    { 60000000 },
			    counters,
			    2,
			    interfaces,
			    2 },
	};
}

static const struct record_role roles[] = {
	{ "modality", CONFIDENCE_HIGH, "dicom.used_sop_class" },
	{ "hl7-sender", CONFIDENCE_LOW, "hl7" },
};
static const struct record_fact facts[] = {
	{ "ae_title", "CT 1", "dicom.calling_ae", CONFIDENCE_NONE, { 1 }, { 2 } },
	{ "os", "windows", "ip.ttl", CONFIDENCE_LOW, { 3 }, { 4 } },
};

static struct record full_asset(void)
{
	return (struct record){
		.type = RECORD_ASSET,
		.asset = {
			.sensor = "span-1", .site_revision = "3f2a", .realm = "default",
			.has_ip = true, .ip = ip_from_v4((const uint8_t[]){ 10, 30, 1, 5 }),
			.has_mac = true, .mac = { 0, 9, 0x5c, 1, 2, 3 },
			.mac_vendor = "Acme", .segment = "imaging", .impact = IMPACT_CARE_CRITICAL,
			.first_seen = { 1 }, .last_seen = { 2 },
			.roles = roles, .role_count = 2, .facts = facts, .fact_count = 2,
		},
	};
}

static int collect(void *context, const struct record *record)
{
	struct buf *out = context;
	record_json(record, out);
	buf_char(out, '\n');
	return 0;
}

/* Packs the records into `wire`, and their JSON into `json`. */
static void pack(const struct record *records, size_t count, struct buf *wire, struct buf *json)
{
	struct wire_shared shared = { 0 };

	cr_assert_eq(wire_append_identity(wire, &identity_of[record_stream(records->type)]), 0);
	for (size_t i = 0; i < count; i++) {
		cr_assert_eq(wire_append_record(wire, &shared, &records[i]), 0);
		collect(json, &records[i]);
	}
	cr_assert_eq(wire_append_shared(wire, &shared), 0);
	wire_shared_finish(&shared);
}

static int unpack(const void *bytes, size_t n, struct buf *json, const char **why)
{
	struct arena arena = { 0 };
	struct batch_identity identity;

	int error = wire_unpack(bytes, n, &arena, &identity, collect, json, why);
	arena_finish(&arena);
	return error;
}

static void round_trip(const struct record *records, size_t count)
{
	struct buf wire = { 0 }, before = { 0 }, after = { 0 };
	const char *why = NULL;

	pack(records, count, &wire, &before);
	cr_assert_eq(unpack(wire.data, wire.len, &after, &why), 0, "%s", why ? why : "");
	cr_assert_str_eq(before.data, after.data);
	buf_finish(&wire);
	buf_finish(&before);
	buf_finish(&after);
}

Test(wire, flows_round_trip)
{
	struct record flows[] = { full_flow(), full_flow() };
	/* The second has as little as a flow can have; ICMP's implies no Community ID. */
	flows[1].flow = (struct record_flow){ .id = "x",
					      .sensor = "span-1",
					      .site_revision = "3f2a",
					      .exercise = "drill-9",
					      .protocol = 1 };
	round_trip(flows, 2);
}

Test(wire, alert_round_trip)
{
	round_trip((struct record[]){ full_alert() }, 1);
}

/* What two segments said to one another, and the address :: that is one. */
static struct record pair_flow(void)
{
	struct record r = full_flow();
	struct record_endpoint guest = { .no_ip = true, .segment = "guest" };
	struct record_endpoint icu = { .no_ip = true, .segment = "icu" };

	r.flow.client = guest;
	r.flow.server = icu;
	r.flow.end_reason = END_SHED;
	return r;
}

Test(wire, ends_without_address_round_trip)
{
	struct record flows[] = { pair_flow(), full_flow() };
	struct record alert = full_alert();
	struct buf json = { 0 };

	memset(&flows[1].flow.client.ip, 0, sizeof(flows[1].flow.client.ip));
	round_trip(flows, 2);
	collect(&json, &flows[0]);
	cr_assert_null(strstr(json.data, "\"ip\""));
	collect(&json, &flows[1]);
	cr_assert_not_null(strstr(json.data, "\"ip\":\"::\""));
	alert.alert.client = (struct record_endpoint){ .no_ip = true };
	round_trip(&alert, 1);
	buf_finish(&json);
}

Test(wire, a_port_needs_an_address)
{
	struct record flow = pair_flow();
	struct buf wire = { 0 }, json = { 0 };
	const char *why = NULL;

	flow.flow.client.has_port = true;
	pack(&flow, 1, &wire, &json);
	cr_assert_eq(unpack(wire.data, wire.len, &json, &why), -EBADMSG);
	cr_assert_not_null(strstr(why, "without an address"), "%s", why);
	buf_finish(&wire);
	buf_finish(&json);
}

Test(wire, health_and_coverage_round_trip)
{
	round_trip((struct record[]){ full_coverage(), full_health() }, 2);
}

Test(wire, asset_round_trip)
{
	struct record r[] = { full_asset(), full_asset(), full_asset() };

	r[1].asset.has_ip = false;
	r[2].asset = (struct record_asset){ .sensor = "span-1",
					    .site_revision = "3f2a",
					    .has_ip = true };
	round_trip(r, 3);
}

Test(wire, times_beyond_what_text_can_show_are_cut_to_it)
{
	struct record flow = full_flow();
	flow.flow.start.v = INT64_MIN;
	flow.flow.end.v = INT64_MAX;
	round_trip(&flow, 1);
}

Test(wire, identity_comes_back)
{
	struct buf wire = { 0 }, json = { 0 };
	struct record flow = full_flow();
	struct arena arena = { 0 };
	struct batch_identity id;
	const char *why;

	pack(&flow, 1, &wire, &json);
	cr_assert_eq(wire_unpack(wire.data, wire.len, &arena, &id, collect, &json, &why), 0);
	cr_assert_str_eq(id.sensor, "span-1");
	cr_assert_eq(id.stream, STREAM_FLOWS);
	cr_assert_eq(id.epoch, 5);
	cr_assert_eq(id.sequence, UINT64_MAX);
	cr_assert_str_eq(id.site_revision, "3f2a");
	cr_assert_str_eq(id.exercise, "drill-9");
	arena_finish(&arena);
	buf_finish(&wire);
	buf_finish(&json);
}

static void every_damage(const struct record *record)
{
	struct buf wire = { 0 }, json = { 0 };
	const char *why;

	pack(record, 1, &wire, &json);
	for (size_t n = 0; n < wire.len; n++) {
		char *exact = malloc(n + 1); /* the last byte is out of bounds for the sanitizer */
		memcpy(exact, wire.data, n);
		char *cut = realloc(exact, n ? n : 1);
		buf_clear(&json);
		int error = unpack(cut, n, &json, &why);
		cr_assert(error == 0 || error == -EBADMSG);
		if (error)
			cr_assert_not_null(why);
		free(cut);
	}
	for (size_t i = 0; i < wire.len; i++)
		for (int bit = 0; bit < 8; bit++) {
			wire.data[i] = (char)(wire.data[i] ^ 1 << bit);
			buf_clear(&json);
			int error = unpack(wire.data, wire.len, &json, &why);
			cr_assert(error == 0 || error == -EBADMSG);
			wire.data[i] = (char)(wire.data[i] ^ 1 << bit);
		}
	buf_finish(&wire);
	buf_finish(&json);
}

Test(wire, damage_is_refused_or_harmless)
{
	struct record records[] = { full_flow(), full_alert(), full_coverage(), full_health(),
				    full_asset() };
	for (size_t i = 0; i < 5; i++)
		every_damage(&records[i]);
}

static void refused(struct record record, const char *expected)
{
	struct buf wire = { 0 }, json = { 0 };
	const char *why = NULL;

	pack(&record, 1, &wire, &json);
	cr_expect_eq(unpack(wire.data, wire.len, &json, &why), -EBADMSG, "%s", expected);
	cr_expect(why && strstr(why, expected), "%s: %s", expected, why ? why : "accepted");
	buf_finish(&wire);
	buf_finish(&json);
}

Test(wire, values_out_of_range_are_refused)
{
	struct record r;

	struct record_role strange = { "modality", CONFIDENCE_COUNT, "x" };
	struct record_fact nameless = { "", "x", "x", CONFIDENCE_NONE, { 0 }, { 0 } };

	r = full_asset(), r.asset.has_ip = r.asset.has_mac = false, refused(r, "without address");
	r = full_asset(), r.asset.impact = IMPACT_COUNT, refused(r, "impact");
	r = full_asset(), r.asset.roles = &strange, r.asset.role_count = 1,
	refused(r, "confidence");
	strange = (struct record_role){ "a role", CONFIDENCE_LOW, "x" };
	refused(r, "role is not");
	r = full_asset(), r.asset.facts = &nameless, r.asset.fact_count = 1;
	refused(r, "fact's name");
	r = full_flow(), r.flow.verdict = VERDICT_COUNT, refused(r, "verdict");
	r = full_flow(), r.flow.end_reason = END_REASON_COUNT, refused(r, "end reason");
	r = full_flow(), r.flow.orientation = ORIENTATION_COUNT, refused(r, "orientation");
	r = full_flow(), r.flow.app_source = APP_SOURCE_COUNT, refused(r, "app source");
	r = full_flow(), r.flow.app_confidence = CONFIDENCE_COUNT, refused(r, "confidence");
	r = full_flow(), r.flow.severity = SEVERITY_COUNT, refused(r, "severity");
	r = full_flow(), r.flow.client.impact = IMPACT_COUNT, refused(r, "impact");
	r = full_flow(), r.flow.dscp = 64, refused(r, "DSCP");
	r = full_flow(), r.flow.id = "", refused(r, "id is not");
	r = full_flow(), r.flow.id = "a b", refused(r, "id is not");
	r = full_flow(), r.flow.id = "0123456789abcdef0123456789abcdef0", refused(r, "id is not");
	r = full_flow(), r.flow.server.country = "fr", refused(r, "country");
	r = full_alert(), r.alert.kind = "", refused(r, "kind");
	r = full_alert(), r.alert.severity = SEVERITY_COUNT, refused(r, "severity");
}

Test(wire, texts_that_could_harm_a_terminal_are_refused)
{
	static const char *const bad[] = {
		"line\nfeed",
		"esc\x1b[2J",
		"del\x7f",
		"c1\xc2\x9b",
		"overlong\xc0\xaf",
		"cut\xe2\x82",
		"surrogate\xed\xa0\x80",
		"beyond\xf4\x90\x80\x80",
		"lone\x80",
		"bidi\xe2\x80\xae",
		"latin1 \xe9t\xe9",
	};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct record r = full_flow();
		r.flow.reason = bad[i];
		refused(r, "UTF-8");
	}
}

Test(wire, long_texts_are_refused)
{
	char text[514];
	struct record r = full_flow();

	memset(text, 'a', 513);
	text[513] = '\0';
	r.flow.reason = text;
	refused(r, "512");
	text[512] = '\0';
	round_trip(&r, 1);
}

Test(wire, attributes_must_fit_their_type)
{
	struct record_attribute a = { .name = "x.y", .type = ATTRIBUTE_TEXTS };
	struct record r = full_flow();

	r.flow.attributes = &a;
	r.flow.attribute_count = 1;
	refused(r, "does not fit its type");
	a = (struct record_attribute){ .name = "x y", .type = ATTRIBUTE_NUMBER };
	refused(r, "attribute's name");
	a = (struct record_attribute){ .name = "x.y", .type = ATTRIBUTE_TEXTS + 1 };
	refused(r, "type of attribute");
}

Test(wire, identity_is_required)
{
	struct batch_identity good = identity_of[STREAM_FLOWS];
	struct {
		const char *sensor;
		enum stream stream;
		uint64_t sequence;
		const char *expected;
	} rows[] = {
		{ "", STREAM_FLOWS, 1, "sensor" },
		{ "a/b", STREAM_FLOWS, 1, "sensor" },
		{ "span-1", STREAM_COUNT, 1, "stream" },
		{ "span-1", STREAM_FLOWS, 0, "sequence" },
		{ "span-1", STREAM_ALERTS, 1, "another stream" },
	};
	struct record flow = full_flow();

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct buf wire = { 0 }, json = { 0 };
		const char *why = NULL;
		good.sensor = rows[i].sensor;
		good.stream = rows[i].stream;
		good.sequence = rows[i].sequence;
		struct wire_shared shared = { 0 };
		wire_append_identity(&wire, &good);
		wire_append_record(&wire, &shared, &flow);
		wire_append_shared(&wire, &shared);
		wire_shared_finish(&shared);
		cr_expect_eq(unpack(wire.data, wire.len, &json, &why), -EBADMSG);
		cr_expect(why && strstr(why, rows[i].expected), "%s: %s", rows[i].expected,
			  why ? why : "accepted");
		buf_finish(&wire);
		buf_finish(&json);
	}
}

/* Two bytes per empty flow: some 300 bytes of memory each, were there no bound. */
Test(wire, a_batch_cannot_unfold_without_bound)
{
	struct buf wire = { 0 }, json = { 0 };
	const char *why = NULL;

	wire_append_identity(&wire, &identity_of[STREAM_FLOWS]);
	for (size_t i = 0; i < 1000000; i++)
		buf_bytes(&wire, "\x52\x00", 2);
	cr_assert_eq(unpack(wire.data, wire.len, &json, &why), -EBADMSG);
	cr_assert(strstr(why, "unfolds"), "%s", why);
	buf_finish(&wire);
	buf_finish(&json);
}

static int stop_at_once(void *context, const struct record *record)
{
	(void)record;
	++*(int *)context;
	return -ECANCELED;
}

Test(wire, sink_ends_the_walk)
{
	struct record flows[] = { full_flow(), full_flow() };
	struct buf wire = { 0 }, json = { 0 };
	struct arena arena = { 0 };
	struct batch_identity id;
	const char *why;
	int calls = 0;

	pack(flows, 2, &wire, &json);
	cr_assert_eq(wire_unpack(wire.data, wire.len, &arena, &id, stop_at_once, &calls, &why),
		     -ECANCELED);
	cr_assert_eq(calls, 1);
	arena_finish(&arena);
	buf_finish(&wire);
	buf_finish(&json);
}

Test(wire, sensor_names)
{
	char name[65];

	cr_assert(wire_sensor_name_is_valid("span-1"));
	cr_assert(wire_sensor_name_is_valid("A.b_c-9"));
	cr_assert_not(wire_sensor_name_is_valid(NULL));
	cr_assert_not(wire_sensor_name_is_valid(""));
	cr_assert_not(wire_sensor_name_is_valid("."));
	cr_assert_not(wire_sensor_name_is_valid(".."));
	cr_assert_not(wire_sensor_name_is_valid("-rf"));
	cr_assert_not(wire_sensor_name_is_valid("a/b"));
	cr_assert_not(wire_sensor_name_is_valid("a b"));
	memset(name, 'a', 64);
	name[64] = '\0';
	cr_assert_not(wire_sensor_name_is_valid(name));
	name[63] = '\0';
	cr_assert(wire_sensor_name_is_valid(name));
}
