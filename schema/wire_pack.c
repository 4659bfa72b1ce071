/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "schema/wire_parts.h"

/* protobuf-c's structs want writable text, and only ever read it. */
static char *lend(const char *text)
{
	return (char *)(uintptr_t)(text ? text : "");
}

static char **lend_list(const char *const *list)
{
	return (char **)(uintptr_t)list;
}

static int64_t pack_time(struct usec t)
{
	return t.v < WIRE_EARLIEST ? WIRE_EARLIEST : t.v > WIRE_LATEST ? WIRE_LATEST : t.v;
}

static uint32_t pack_rtt(bool has, uint32_t us)
{
	return !has ? 0 : us == UINT32_MAX ? us : us + 1;
}

static ProtobufCBinaryData lend_bytes(const uint8_t *bytes, size_t n)
{
	return (ProtobufCBinaryData){ .len = n, .data = (uint8_t *)(uintptr_t)bytes };
}

static void pack_endpoint(Vigie__Endpoint *to, const struct record_endpoint *e)
{
	vigie__endpoint__init(to);
	if (!e->no_ip)
		to->ip = lend_bytes(e->ip.bytes, sizeof(e->ip.bytes));
	to->port_plus_one = e->has_port ? e->port + 1u : 0;
	if (e->has_mac)
		to->mac = lend_bytes(e->mac, sizeof(e->mac));
	to->segment = lend(e->segment);
	to->impact = e->impact;
	to->asn = e->asn;
	to->country = lend(e->country);
}

static void pack_tcp(Vigie__Tcp *to, const struct record_tcp *t)
{
	vigie__tcp__init(to);
	to->flags_to_server = t->flags_to_server;
	to->flags_to_client = t->flags_to_client;
	to->rtt_client_us_plus_one = pack_rtt(t->has_rtt_client, t->rtt_client_us);
	to->rtt_server_us_plus_one = pack_rtt(t->has_rtt_server, t->rtt_server_us);
	to->retransmissions = t->retransmissions;
	to->missed_bytes = t->missed_bytes;
	to->midstream = t->midstream;
}

static void pack_attribute(Vigie__Attribute *to, const struct record_attribute *a)
{
	bool is_text = a->type == ATTRIBUTE_TEXT || a->type == ATTRIBUTE_TEXTS;

	vigie__attribute__init(to);
	to->name = lend(a->name);
	to->type = a->type;
	to->number = is_text ? 0 : a->number;
	if (is_text) {
		to->n_texts = a->type == ATTRIBUTE_TEXT ? 1 : a->count;
		to->texts = lend_list(a->texts);
	}
}

static int append_message(struct buf *out, unsigned field, const ProtobufCMessage *message)
{
	size_t n = protobuf_c_message_get_packed_size(message);
	uint8_t head[1 + 10];
	size_t used = 0;

	head[used++] = (uint8_t)(field << 3 | WIRE_DELIMITED);
	for (size_t v = n; used < sizeof(head); v >>= 7) {
		head[used++] = (uint8_t)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
		if (v <= 0x7f)
			break;
	}
	if (!buf_reserve(out, used + n))
		return -ENOMEM;
	buf_bytes(out, head, used);
	out->len += protobuf_c_message_pack(message, (uint8_t *)out->data + out->len);
	out->data[out->len] = '\0';
	return 0;
}

static int append_flow(struct buf *out, const struct record_flow *f)
{
	Vigie__Flow to;
	Vigie__Endpoint client, server;
	Vigie__Tcp tcp;
	Vigie__Attribute attributes[WIRE_ATTRIBUTES_MOST];
	Vigie__Attribute *list[WIRE_ATTRIBUTES_MOST];

	assert(f->attribute_count <= WIRE_ATTRIBUTES_MOST);
	assert(f->path_count <= RECORD_PATH_MOST && f->tunnel_count <= RECORD_TUNNEL_MOST);
	vigie__flow__init(&to);
	to.id = lend(f->id);
	to.start_us = pack_time(f->start);
	to.end_us = pack_time(f->end);
	to.interim = f->interim;
	to.end_reason = f->end_reason;
	to.protocol = f->protocol;
	to.community_id = lend(f->community_id);
	to.realm = lend(f->realm);
	pack_endpoint(&client, &f->client);
	pack_endpoint(&server, &f->server);
	to.client = &client;
	to.server = &server;
	to.orientation = f->orientation;
	to.packets_to_server = f->packets_to_server;
	to.packets_to_client = f->packets_to_client;
	to.bytes_to_server = f->bytes_to_server;
	to.bytes_to_client = f->bytes_to_client;
	to.n_path = f->path_count;
	to.path = lend_list(f->path);
	to.copies_mirror = f->copies_mirror;
	to.copies_routed = f->copies_routed;
	if (f->has_tcp) {
		pack_tcp(&tcp, &f->tcp);
		to.tcp = &tcp;
	}
	if (f->has_icmp)
		to.icmp_type_code_plus_one = f->icmp_type * 256u + f->icmp_code + 1;
	to.n_tunnel = f->tunnel_count;
	to.tunnel = lend_list(f->tunnel);
	to.dscp = f->dscp;
	to.app = lend(f->app);
	to.app_source = f->app_source;
	to.app_confidence = f->app_confidence;
	to.encrypted = f->encrypted;
	for (size_t i = 0; i < f->attribute_count; i++) {
		pack_attribute(&attributes[i], &f->attributes[i]);
		list[i] = &attributes[i];
	}
	to.n_attributes = f->attribute_count;
	to.attributes = list;
	to.verdict = f->verdict;
	to.rule = lend(f->rule);
	to.reason = lend(f->reason);
	to.severity = f->severity;
	to.vendor = lend(f->vendor);
	to.shed = f->shed;
	return append_message(out, BATCH_FLOWS, &to.base);
}

static int append_alert(struct buf *out, const struct record_alert *a)
{
	Vigie__Alert to;
	Vigie__Endpoint client, server;

	assert(a->flow_count <= RECORD_ALERT_FLOWS);
	vigie__alert__init(&to);
	to.id = lend(a->id);
	to.kind = lend(a->kind);
	to.severity = a->severity;
	to.first_seen_us = pack_time(a->first_seen);
	to.last_seen_us = pack_time(a->last_seen);
	to.count = a->count;
	pack_endpoint(&client, &a->client);
	pack_endpoint(&server, &a->server);
	to.client = &client;
	to.server = &server;
	to.protocol = a->protocol;
	to.app = lend(a->app);
	to.rule = lend(a->rule);
	to.reason = lend(a->reason);
	to.vendor = lend(a->vendor);
	to.technique = lend(a->technique);
	to.n_flows = a->flow_count;
	to.flows = lend_list(a->flows);
	return append_message(out, BATCH_ALERTS, &to.base);
}

static int append_coverage(struct buf *out, const struct record_coverage *c)
{
	Vigie__Coverage to;

	vigie__coverage__init(&to);
	to.segment = lend(c->segment);
	to.state = lend(c->state);
	to.minute_us = pack_time(c->minute);
	to.packets = c->packets;
	to.bytes = c->bytes;
	to.one_sided_flows = c->one_sided_flows;
	to.missed_bytes = c->missed_bytes;
	to.truncated = c->truncated;
	to.mirror_copies = c->mirror_copies;
	to.routed_copies = c->routed_copies;
	to.shed_max = c->shed_max;
	to.clock_jumps = c->clock_jumps;
	to.oversized = c->oversized;
	to.frames = c->frames;
	to.drops = c->drops;
	to.n_reasons = c->reason_count;
	to.reasons = lend_list(c->reasons);
	return append_message(out, BATCH_COVERAGE, &to.base);
}

static int append_health(struct buf *out, const struct record_health *h)
{
	Vigie__Health to;
	Vigie__Counter counters[WIRE_COUNTERS_MOST];
	Vigie__Counter *list[WIRE_COUNTERS_MOST];
	Vigie__Interface interfaces[WIRE_INTERFACES_MOST];
	Vigie__Interface *ports[WIRE_INTERFACES_MOST];

	assert(h->counter_count <= WIRE_COUNTERS_MOST);
	assert(h->interface_count <= WIRE_INTERFACES_MOST);
	vigie__health__init(&to);
	to.version = lend(h->version);
	to.minute_us = pack_time(h->minute);
	for (size_t i = 0; i < h->counter_count; i++) {
		vigie__counter__init(&counters[i]);
		counters[i].name = lend(h->counters[i].name);
		counters[i].value = h->counters[i].value;
		list[i] = &counters[i];
	}
	to.n_counters = h->counter_count;
	to.counters = list;
	for (size_t i = 0; i < h->interface_count; i++) {
		vigie__interface__init(&interfaces[i]);
		interfaces[i].name = lend(h->interfaces[i].name);
		interfaces[i].state = lend(h->interfaces[i].state);
		interfaces[i].frames = h->interfaces[i].frames;
		interfaces[i].drops = h->interfaces[i].drops;
		interfaces[i].oversized = h->interfaces[i].oversized;
		ports[i] = &interfaces[i];
	}
	to.n_interfaces = h->interface_count;
	to.interfaces = ports;
	return append_message(out, BATCH_HEALTH, &to.base);
}

static void pack_fact(Vigie__AssetFact *to, const struct record_fact *f)
{
	vigie__asset_fact__init(to);
	to->name = lend(f->name);
	to->value = lend(f->value);
	to->confidence = f->confidence;
	to->from = lend(f->from);
	to->first_seen_us = pack_time(f->first_seen);
	to->last_seen_us = pack_time(f->last_seen);
}

static int append_asset(struct buf *out, const struct record_asset *a)
{
	Vigie__Asset to;
	Vigie__AssetRole roles[WIRE_ROLES_MOST], *role_list[WIRE_ROLES_MOST];
	Vigie__AssetFact facts[WIRE_FACTS_MOST], *fact_list[WIRE_FACTS_MOST];

	assert(a->role_count <= WIRE_ROLES_MOST && a->fact_count <= WIRE_FACTS_MOST);
	vigie__asset__init(&to);
	to.realm = lend(a->realm);
	to.ip = lend_bytes(a->ip.bytes, a->has_ip ? sizeof(a->ip.bytes) : 0);
	to.mac = lend_bytes(a->mac, a->has_mac ? sizeof(a->mac) : 0);
	to.mac_vendor = lend(a->mac_vendor);
	to.segment = lend(a->segment);
	to.impact = a->impact;
	to.first_seen_us = pack_time(a->first_seen);
	to.last_seen_us = pack_time(a->last_seen);
	for (size_t i = 0; i < a->role_count; i++) {
		vigie__asset_role__init(&roles[i]);
		roles[i].role = lend(a->roles[i].role);
		roles[i].confidence = a->roles[i].confidence;
		roles[i].from = lend(a->roles[i].from);
		role_list[i] = &roles[i];
	}
	to.n_roles = a->role_count;
	to.roles = role_list;
	for (size_t i = 0; i < a->fact_count; i++) {
		pack_fact(&facts[i], &a->facts[i]);
		fact_list[i] = &facts[i];
	}
	to.n_facts = a->fact_count;
	to.facts = fact_list;
	return append_message(out, BATCH_ASSETS, &to.base);
}

int wire_append_record(struct buf *out, const struct record *record)
{
	switch (record->type) {
	case RECORD_FLOW:
		return append_flow(out, &record->flow);
	case RECORD_ALERT:
		return append_alert(out, &record->alert);
	case RECORD_COVERAGE:
		return append_coverage(out, &record->coverage);
	case RECORD_HEALTH:
		return append_health(out, &record->health);
	case RECORD_ASSET:
		return append_asset(out, &record->asset);
	case RECORD_TYPE_COUNT:
		break;
	}
	assert(!"a record has one of the five types");
	return -EINVAL;
}

int wire_append_identity(struct buf *out, const struct batch_identity *identity)
{
	Vigie__Batch to;

	vigie__batch__init(&to);
	to.sensor = lend(identity->sensor);
	to.epoch = identity->epoch;
	to.sequence = identity->sequence;
	to.stream = identity->stream;
	to.site_revision = lend(identity->site_revision);
	to.exercise = lend(identity->exercise);
	if (!buf_reserve(out, vigie__batch__get_packed_size(&to)))
		return -ENOMEM;
	out->len += vigie__batch__pack(&to, (uint8_t *)out->data + out->len);
	out->data[out->len] = '\0';
	return 0;
}
