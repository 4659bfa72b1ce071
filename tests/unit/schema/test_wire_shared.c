/* SPDX-License-Identifier: Apache-2.0
 *
 * What the records of a batch share, and that what we write is what protobuf-c would. */
#include <criterion/criterion.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "schema/community_id.h"
#include "schema/vigie.pb-c.h"
#include "schema/wire.h"

enum { RECORDS = 400, TEXTS_POOL = 3000, LISTS = 8 };

static const struct batch_identity identities[STREAM_COUNT] = {
	[STREAM_ALERTS] = { "span-1", STREAM_ALERTS, 9, 7, "3f2a", "drill-9" },
	[STREAM_HEALTH] = { "span-1", STREAM_HEALTH, 5, 1, "3f2a", NULL },
	[STREAM_FLOWS] = { "span-1", STREAM_FLOWS, 5, 2, NULL, NULL },
};

/* ---- records of chance ---- */

static uint64_t seed;
static char texts[TEXTS_POOL][WIRE_TEXT_MOST + 1];

static uint64_t chance(uint64_t below)
{
	seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return below ? (seed >> 24) % below : 0;
}

/* Of any length, small ones mostly: at both ends of what a varint's bytes hold. */
static uint64_t number(void)
{
	uint64_t bits = chance(65);
	uint64_t v = seed ^ seed << 31;

	return bits == 0 ? 0 : bits == 64 ? v : v & ((UINT64_C(1) << bits) - 1);
}

static uint32_t number32(void)
{
	return (uint32_t)number();
}

static bool yes(void)
{
	return chance(2);
}

static void make_texts(void)
{
	for (size_t i = 0; i < TEXTS_POOL; i++) {
		size_t n = chance(10) ? 1 + chance(30) : 1 + chance(WIRE_TEXT_MOST);
		for (size_t k = 0; k < n; k++)
			texts[i][k] = (char)('a' + chance(i % 2 ? 3 : 26));
		texts[i][n] = '\0';
	}
}

/* A few come again and again, as names do; most are new. */
static const char *text(void)
{
	uint64_t kind = chance(8);

	if (kind < 2)
		return kind ? "" : NULL;
	return texts[chance(kind < 5 ? 20 : TEXTS_POOL)];
}

static const char *given_text(void)
{
	const char *t = text();
	return t ? t : "";
}

static const char *word(void)
{
	static const char *const words[] = { "dicom.calling_ae", "a", "x-1", "http.user_agent",
					     "tls.version" };
	return words[chance(5)];
}

static char ids[2 * RECORDS + LISTS][RECORD_ID];

/* As the sensor makes them, or nearly so, or words. */
static const char *id(size_t at)
{
	char *out = ids[at];
	size_t n = chance(4) ? 32 : 1 + chance(32);

	for (size_t i = 0; i < n; i++)
		out[i] = "0123456789abcdef"[chance(16)];
	out[n] = '\0';
	if (!chance(10))
		out[chance(n)] = "gA._-"[chance(5)];
	return out;
}

static struct usec some_time(void)
{
	int64_t t = 1767323045000001;

	if (!chance(20))
		return (struct usec){ yes() ? INT64_MIN : INT64_MAX };
	t += (int64_t)chance(UINT64_C(1) << chance(50));
	return (struct usec){ chance(10) ? t : -t };
}

static struct record_endpoint endpoint(void)
{
	struct record_endpoint e = { .no_ip = !chance(8),
				     .segment = text(),
				     .impact = (enum impact)chance(IMPACT_COUNT),
				     .asn = number32(),
				     .country = yes() ? "FR" : NULL };

	if (e.no_ip)
		return e;
	for (size_t i = 0; i < 16; i++)
		e.ip.bytes[i] = (uint8_t)chance(256);
	if (yes())
		e.ip = ip_from_v4(e.ip.bytes);
	e.has_port = yes();
	e.port = e.has_port ? (uint16_t)number() : 0;
	e.has_mac = yes();
	for (size_t i = 0; e.has_mac && i < 6; i++)
		e.mac[i] = (uint8_t)chance(256);
	return e;
}

static struct record_attribute attributes[WIRE_ATTRIBUTES_MOST];
static const char *values[WIRE_ATTRIBUTES_MOST][WIRE_TEXTS_MOST];

static size_t make_attributes(void)
{
	size_t n = chance(20) ? chance(6) : chance(WIRE_ATTRIBUTES_MOST + 1);

	for (size_t i = 0; i < n; i++) {
		struct record_attribute *a = &attributes[i];
		*a = (struct record_attribute){ .name = word(), .type = chance(4) };
		if (a->type == ATTRIBUTE_NUMBER)
			a->number = number();
		else if (a->type == ATTRIBUTE_FLAG)
			a->number = yes();
		else
			a->count = a->type == ATTRIBUTE_TEXT ? 1
				   : chance(10)              ? 1 + chance(3)
							     : 1 + chance(WIRE_TEXTS_MOST);
		for (size_t k = 0; k < a->count; k++)
			values[i][k] = given_text();
		a->texts = a->count ? values[i] : NULL;
	}
	return n;
}

static struct record some_flow(size_t at)
{
	struct record r = { .type = RECORD_FLOW };
	struct record_flow *f = &r.flow;

	*f = (struct record_flow){
		.id = id(at),
		.start = some_time(),
		.end = some_time(),
		.interim = number32(),
		.end_reason = (enum end_reason)chance(END_REASON_COUNT),
		.protocol = (uint8_t)chance(256),
		.community_id = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
		.realm = text(),
		.client = endpoint(),
		.server = endpoint(),
		.orientation = (enum orientation)chance(ORIENTATION_COUNT),
		.packets_to_server = number(),
		.packets_to_client = number(),
		.bytes_to_server = number(),
		.bytes_to_client = number(),
		.path_count = chance(RECORD_PATH_MOST + 1),
		.copies_mirror = number(),
		.copies_routed = number(),
		.has_tcp = yes(),
		.has_icmp = yes(),
		.tunnel_count = chance(RECORD_TUNNEL_MOST + 1),
		.dscp = (uint8_t)chance(64),
		.app = text(),
		.app_source = (enum app_source)chance(APP_SOURCE_COUNT),
		.app_confidence = (enum confidence)chance(CONFIDENCE_COUNT),
		.encrypted = yes(),
		.attributes = attributes,
		.attribute_count = make_attributes(),
		.verdict = (enum verdict)chance(VERDICT_COUNT),
		.rule = text(),
		.reason = text(),
		.vendor = text(),
		.severity = (enum severity)chance(SEVERITY_COUNT),
		.shed = (uint8_t)chance(256),
	};
	if (!community_id_is_implied(f->protocol) && yes())
		f->community_id = NULL;
	if (f->has_tcp)
		f->tcp = (struct record_tcp){ (uint8_t)chance(256),
					      (uint8_t)chance(256),
					      true,
					      yes(),
					      number32() / 2,
					      0,
					      number32(),
					      number(),
					      yes() };
	if (f->has_icmp)
		f->icmp_type = (uint8_t)chance(256), f->icmp_code = (uint8_t)chance(256);
	for (size_t i = 0; i < f->path_count; i++)
		f->path[i] = given_text();
	for (size_t i = 0; i < f->tunnel_count; i++)
		f->tunnel[i] = given_text();
	return r;
}

static struct record some_alert(size_t at)
{
	struct record r = { .type = RECORD_ALERT,
			    .alert = { .id = id(at),
				       .kind = word(),
				       .severity = (enum severity)chance(SEVERITY_COUNT),
				       .first_seen = some_time(),
				       .last_seen = some_time(),
				       .count = number(),
				       .client = endpoint(),
				       .server = endpoint(),
				       .protocol = (uint8_t)chance(256),
				       .app = text(),
				       .rule = text(),
				       .reason = text(),
				       .vendor = text(),
				       .technique = text(),
				       .flow_count = chance(RECORD_ALERT_FLOWS + 1) } };

	for (size_t i = 0; i < r.alert.flow_count; i++)
		r.alert.flows[i] = id(RECORDS + i);
	return r;
}

static struct record some_coverage(void)
{
	struct record r = { .type = RECORD_COVERAGE,
			    .coverage = { .segment = text(),
					  .state = text(),
					  .minute = some_time(),
					  .packets = number(),
					  .bytes = number(),
					  .one_sided_flows = number(),
					  .missed_bytes = number(),
					  .truncated = number(),
					  .mirror_copies = number(),
					  .routed_copies = number(),
					  .shed_max = number(),
					  .clock_jumps = number(),
					  .oversized = number(),
					  .frames = number(),
					  .drops = number(),
					  .reason_count = chance(RECORD_REASONS_MOST + 1) } };

	for (size_t i = 0; i < r.coverage.reason_count; i++)
		r.coverage.reasons[i] = word();
	return r;
}

static struct record some_health(void)
{
	static struct record_counter counters[WIRE_COUNTERS_MOST];
	static struct record_interface interfaces[WIRE_INTERFACES_MOST];
	struct record r = { .type = RECORD_HEALTH,
			    .health = { .version = text(),
					.minute = some_time(),
					.counters = counters,
					.counter_count = chance(WIRE_COUNTERS_MOST + 1),
					.interfaces = interfaces,
					.interface_count = chance(WIRE_INTERFACES_MOST + 1) } };

	for (size_t i = 0; i < r.health.counter_count; i++)
		counters[i] = (struct record_counter){ word(), number() };
	for (size_t i = 0; i < r.health.interface_count; i++)
		interfaces[i] =
			(struct record_interface){ text(), text(), number(), number(), number() };
	return r;
}

static struct record some_asset(void)
{
	static struct record_role roles[WIRE_ROLES_MOST];
	static struct record_fact facts[WIRE_FACTS_MOST];
	struct record r = { .type = RECORD_ASSET,
			    .asset = { .realm = text(),
				       .has_ip = yes(),
				       .has_mac = true,
				       .mac = { 0, 9, 0x5c, 1, 2, 3 },
				       .mac_vendor = text(),
				       .segment = text(),
				       .impact = (enum impact)chance(IMPACT_COUNT),
				       .first_seen = some_time(),
				       .last_seen = some_time(),
				       .roles = roles,
				       .role_count = chance(WIRE_ROLES_MOST + 1),
				       .facts = facts,
				       .fact_count = chance(WIRE_FACTS_MOST + 1) } };

	for (size_t i = 0; r.asset.has_ip && i < 16; i++)
		r.asset.ip.bytes[i] = (uint8_t)chance(256);
	for (size_t i = 0; i < r.asset.role_count; i++)
		roles[i] = (struct record_role){ word(), (enum confidence)chance(CONFIDENCE_COUNT),
						 text() };
	for (size_t i = 0; i < r.asset.fact_count; i++)
		facts[i] = (struct record_fact){
			word(),      given_text(),
			text(),      (enum confidence)chance(CONFIDENCE_COUNT),
			some_time(), some_time()
		};
	return r;
}

static struct record some_record(enum record_type type, size_t at)
{
	return type == RECORD_FLOW       ? some_flow(at)
	       : type == RECORD_ALERT    ? some_alert(at)
	       : type == RECORD_COVERAGE ? some_coverage()
	       : type == RECORD_HEALTH   ? some_health()
					 : some_asset();
}

/* ---- packing ---- */

static int collect(void *context, const struct record *record)
{
	struct record r = *record; /* the envelope's texts are the batch's, not the record's */

	if (r.type == RECORD_FLOW)
		r.flow.sensor = r.flow.site_revision = r.flow.exercise = NULL;
	else if (r.type == RECORD_ALERT)
		r.alert.sensor = r.alert.site_revision = r.alert.exercise = NULL;
	else if (r.type == RECORD_COVERAGE)
		r.coverage.sensor = r.coverage.site_revision = r.coverage.exercise = NULL;
	else if (r.type == RECORD_HEALTH)
		r.health.sensor = r.health.site_revision = r.health.exercise = NULL;
	else
		r.asset.sensor = r.asset.site_revision = r.asset.exercise = NULL;
	record_json(&r, context);
	buf_char(context, '\n');
	return 0;
}

static int unpack(const struct buf *wire, struct buf *json, const char **why)
{
	struct arena arena = { 0 };
	struct batch_identity identity;

	*why = NULL;
	int error = wire_unpack(wire->data, wire->len, &arena, &identity, collect, json, why);
	arena_finish(&arena);
	return error;
}

/* By way of protobuf-c and back; `change` may touch what is between. */
static void repack(const struct buf *wire, void (*change)(Vigie__Batch *b), struct buf *out)
{
	Vigie__Batch *b = vigie__batch__unpack(NULL, wire->len, (const uint8_t *)wire->data);

	cr_assert_not_null(b);
	if (change)
		change(b);
	cr_assert(buf_reserve(out, vigie__batch__get_packed_size(b)));
	out->len = vigie__batch__pack(b, (uint8_t *)out->data);
	vigie__batch__free_unpacked(b, NULL);
}

static void same_as_protobuf_c(enum record_type type, size_t count)
{
	static struct wire_shared shared;
	struct buf wire = { 0 }, again = { 0 }, before = { 0 }, after = { 0 };
	const char *why;

	cr_assert_eq(wire_append_identity(&wire, &identities[record_stream(type)]), 0);
	for (size_t i = 0; i < count; i++) {
		struct record r = some_record(type, i);
		cr_assert_eq(wire_append_record(&wire, &shared, &r), 0);
		collect(&before, &r);
	}
	cr_assert_eq(wire_append_shared(&wire, &shared), 0);
	wire_shared_finish(&shared);
	repack(&wire, NULL, &again);
	cr_assert_eq(wire.len, again.len, "%zu bytes, %zu of protobuf-c", wire.len, again.len);
	cr_assert(!memcmp(wire.data, again.data, wire.len));
	cr_assert_eq(unpack(&wire, &after, &why), 0, "%s", why ? why : "");
	cr_assert_str_eq(before.data, after.data);
	buf_finish(&wire);
	buf_finish(&again);
	buf_finish(&before);
	buf_finish(&after);
}

Test(wire_shared, bytes_are_those_of_protobuf_c)
{
	for (seed = 1; seed < 6; seed++) {
		uint64_t start = seed;
		make_texts();
		same_as_protobuf_c(RECORD_FLOW, RECORDS);
		same_as_protobuf_c(RECORD_ALERT, RECORDS);
		same_as_protobuf_c(RECORD_COVERAGE, RECORDS / 4);
		same_as_protobuf_c(RECORD_HEALTH, RECORDS / 20);
		same_as_protobuf_c(RECORD_ASSET, RECORDS / 4);
		seed = start;
	}
}

/* ---- a batch of two flows ---- */

static struct record plain_flow(const char *flow_id)
{
	return (struct record){ .type = RECORD_FLOW,
				.flow = { .id = flow_id,
					  .start = { 1767323045000001 },
					  .end = { 1767323046000002 },
					  .community_id = "1:LQU9qZlK+B5F3KDmev6m5PMibrg=",
					  .app = "dicom",
					  .reason = "imaging may store to pacs" } };
}

static void two_flows(struct buf *wire)
{
	struct wire_shared shared = { 0 };
	struct record a = plain_flow("0123456789abcdef0123456789abcdef");
	struct record b = plain_flow("f-2");

	wire_append_identity(wire, &identities[STREAM_FLOWS]);
	cr_assert_eq(wire_append_record(wire, &shared, &a), 0);
	cr_assert_eq(wire_append_record(wire, &shared, &b), 0);
	cr_assert_eq(wire_append_shared(wire, &shared), 0);
	wire_shared_finish(&shared);
}

static size_t times_in(const struct buf *wire, const char *what)
{
	size_t count = 0, n = strlen(what);

	for (const char *p = wire->data;
	     (p = memmem(p, wire->len - (size_t)(p - wire->data), what, n)); p += n)
		count++;
	return count;
}

Test(wire_shared, a_text_travels_once_and_ids_as_bytes)
{
	struct buf wire = { 0 };

	two_flows(&wire);
	cr_assert_eq(times_in(&wire, "imaging may store to pacs"), 1);
	cr_assert_eq(times_in(&wire, "dicom"), 1);
	cr_assert_eq(times_in(&wire, "\x01\x23\x45\x67\x89\xab\xcd\xef"), 2);
	cr_assert_eq(times_in(&wire, "0123456789"), 0);
	cr_assert_eq(times_in(&wire, "LQU9"), 0);
	buf_finish(&wire);
}

Test(wire_shared, the_next_batch_knows_nothing_of_the_last)
{
	struct wire_shared shared = { 0 };
	struct record r = plain_flow("f");
	struct buf first = { 0 }, second = { 0 };

	for (int i = 0; i < 2; i++) {
		struct buf *wire = i ? &second : &first;
		cr_assert_eq(wire_append_record(wire, &shared, &r), 0);
		if (!i) /* given up, and begun again */
			buf_clear(wire), wire_shared_clear(&shared);
		if (!i)
			cr_assert_eq(wire_append_record(wire, &shared, &r), 0);
		cr_assert_eq(wire_append_shared(wire, &shared), 0);
		r.flow.start.v += 5000000, r.flow.end.v += 5000000;
	}
	cr_assert_eq(times_in(&second, "imaging may store to pacs"), 1);
	cr_assert_eq(first.len, second.len);
	wire_shared_finish(&shared);
	buf_finish(&first);
	buf_finish(&second);
}

Test(wire_shared, a_community_id_of_another_kind_is_left_out)
{
	static const char *const strange[] = {
		"1:LQU9qZlK+B5F3KDmev6m5PMibrg",  "2:LQU9qZlK+B5F3KDmev6m5PMibrg=",
		"1:LQU9qZlK+B5F3KDmev6m5PMibrgg", "1:LQU9qZlK+B5F3KDmev6m5PMibrh=",
		"1:LQU9qZlK+B5F3KD*ev6m5PMibrg=", "1:LQU9qZlK+B5F3KDmev6m5PMibrg==",
	};
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++) {
		struct wire_shared shared = { 0 };
		struct record r = plain_flow("f");
		struct buf wire = { 0 }, json = { 0 };
		const char *why;
		r.flow.community_id = strange[i];
		wire_append_identity(&wire, &identities[STREAM_FLOWS]);
		wire_append_record(&wire, &shared, &r);
		wire_append_shared(&wire, &shared);
		cr_expect_eq(unpack(&wire, &json, &why), 0);
		cr_expect_null(strstr(json.data, strange[i]), "%s", strange[i]);
		wire_shared_finish(&shared);
		buf_finish(&wire);
		buf_finish(&json);
	}
}

/* Of a flow without a Community ID: the one that the API shows, or NULL. */
static const char *shown_community_id(struct record *r)
{
	static char shown[64];
	struct wire_shared shared = { 0 };
	struct buf wire = { 0 }, json = { 0 };
	const char *why;

	r->flow.community_id = NULL;
	wire_append_identity(&wire, &identities[STREAM_FLOWS]);
	wire_append_record(&wire, &shared, r);
	wire_append_shared(&wire, &shared);
	cr_assert_eq(unpack(&wire, &json, &why), 0);
	const char *at = strstr(json.data, "\"community_id\":\"");
	if (at)
		sscanf(at, "\"community_id\":\"%63[^\"]", shown);
	wire_shared_finish(&shared);
	buf_finish(&wire);
	buf_finish(&json);
	return at ? shown : NULL;
}

Test(wire_shared, a_community_id_is_computed_where_the_flow_implies_it)
{
	struct record r = plain_flow("f");
	const char *id;

	r.flow.protocol = 6;
	cr_assert(ip_parse("128.232.110.120", &r.flow.client.ip));
	cr_assert(ip_parse("66.35.250.204", &r.flow.server.ip));
	r.flow.client.has_port = r.flow.server.has_port = true;
	r.flow.client.port = 34855;
	r.flow.server.port = 80;
	id = shown_community_id(&r);
	cr_assert_not_null(id);
	cr_expect_str_eq(id, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="); /* the specification's own */
	r.flow.protocol = 1;
	r.flow.client.has_port = r.flow.server.has_port = false;
	cr_expect_null(shown_community_id(&r), "ICMP");
	r.flow.protocol = 6;
	r.flow.client.no_ip = true;
	cr_expect_null(shown_community_id(&r), "no address");
}

/* ---- what is wrong ---- */

static void refused(void (*change)(Vigie__Batch *b), const char *expected)
{
	struct buf wire = { 0 }, changed = { 0 }, json = { 0 };
	const char *why;

	two_flows(&wire);
	repack(&wire, change, &changed);
	cr_expect_eq(unpack(&changed, &json, &why), -EBADMSG, "%s", expected);
	cr_expect(why && strstr(why, expected), "%s: %s", expected, why ? why : "accepted");
	buf_finish(&wire);
	buf_finish(&changed);
	buf_finish(&json);
}

static void number_behind(Vigie__Batch *b)
{
	b->flows[1]->reason = (uint32_t)b->n_texts + 1;
}

static void number_far_behind(Vigie__Batch *b)
{
	b->flows[0]->client->segment = UINT32_MAX;
}

static void no_texts(Vigie__Batch *b)
{
	for (size_t i = 0; i < b->n_texts; i++)
		free(b->texts[i]);
	b->n_texts = 0;
}

static void short_id(Vigie__Batch *b)
{
	b->flows[0]->id.len = 15;
}

static void id_in_both_ways(Vigie__Batch *b)
{
	b->flows[0]->id_word = strdup("f");
}

static void short_community_id(Vigie__Batch *b)
{
	b->flows[0]->community_id.len = 19;
}

static void short_address(Vigie__Batch *b)
{
	b->flows[0]->client->ip.len = 3;
}

static void time_too_far(Vigie__Batch *b)
{
	b->flows[1]->end_us = INT64_MAX;
}

static void start_too_far(Vigie__Batch *b)
{
	b->start_us = INT64_MIN;
	b->flows[0]->start_us = -1;
}

static void control_in_texts(Vigie__Batch *b)
{
	b->texts[b->n_texts - 1][0] = '\x1b';
}

Test(wire_shared, what_cannot_be_is_refused)
{
	refused(number_behind, "does not have");
	refused(number_far_behind, "does not have");
	refused(no_texts, "does not have");
	refused(short_id, "id is not");
	refused(id_in_both_ways, "id is not");
	refused(short_community_id, "Community ID");
	refused(short_address, "4 or 16 bytes");
	refused(time_too_far, "years 0 to 9999");
	refused(start_too_far, "years 0 to 9999");
	refused(control_in_texts, "UTF-8");
}

static void alert_with(void (*change)(Vigie__Batch *b))
{
	struct wire_shared shared = { 0 };
	struct record r = { .type = RECORD_ALERT,
			    .alert = { .id = "a",
				       .kind = "k",
				       .flow_count = 2,
				       .flows = { "0123456789abcdef0123456789abcdef",
						  "00000000000000000000000000000000" } } };
	struct buf wire = { 0 }, changed = { 0 }, json = { 0 };
	const char *why;

	wire_append_identity(&wire, &identities[STREAM_ALERTS]);
	wire_append_record(&wire, &shared, &r);
	wire_append_shared(&wire, &shared);
	cr_expect_eq(unpack(&wire, &json, &why), 0, "%s", why ? why : "");
	repack(&wire, change, &changed);
	cr_expect_eq(unpack(&changed, &json, &why), -EBADMSG);
	cr_expect(why && strstr(why, "ids of flows"));
	wire_shared_finish(&shared);
	buf_finish(&wire);
	buf_finish(&changed);
	buf_finish(&json);
}

static void cut_flows(Vigie__Batch *b)
{
	b->alerts[0]->flows.len--;
}

static void too_many_flows(Vigie__Batch *b)
{
	ProtobufCBinaryData *flows = &b->alerts[0]->flows;

	free(flows->data);
	flows->len = (size_t)(RECORD_ALERT_FLOWS + 1) * 16;
	flows->data = calloc(1, flows->len);
}

Test(wire_shared, ids_of_an_alerts_flows_are_whole_and_few)
{
	alert_with(cut_flows);
	alert_with(too_many_flows);
}

/* A text of 512 bytes costs one byte more each time. */
Test(wire_shared, texts_cannot_unfold_without_bound)
{
	static const char *list[WIRE_TEXTS_MOST];
	struct record_attribute many[WIRE_ATTRIBUTES_MOST];
	struct wire_shared shared = { 0 };
	struct record r = plain_flow("f");
	struct buf wire = { 0 }, json = { 0 };
	char long_text[WIRE_TEXT_MOST + 1];
	const char *why;

	memset(long_text, 'a', WIRE_TEXT_MOST);
	long_text[WIRE_TEXT_MOST] = '\0';
	for (size_t i = 0; i < WIRE_TEXTS_MOST; i++)
		list[i] = long_text;
	for (size_t i = 0; i < WIRE_ATTRIBUTES_MOST; i++)
		many[i] =
			(struct record_attribute){ "x", ATTRIBUTE_TEXTS, 0, list, WIRE_TEXTS_MOST };
	r.flow.attributes = many;
	r.flow.attribute_count = WIRE_ATTRIBUTES_MOST;
	wire_append_identity(&wire, &identities[STREAM_FLOWS]);
	for (size_t i = 0; i < 20; i++)
		wire_append_record(&wire, &shared, &r);
	wire_append_shared(&wire, &shared);
	cr_assert_lt(wire.len, 100000);
	cr_assert_eq(unpack(&wire, &json, &why), -EBADMSG);
	cr_assert(why && strstr(why, "unfolds"), "%s", why ? why : "");
	wire_shared_finish(&shared);
	buf_finish(&wire);
	buf_finish(&json);
}
