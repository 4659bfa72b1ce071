/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/wire.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include "base/cursor.h"
#include "schema/vigie.pb-c.h"

enum {
	BATCH_FLOWS = 10, /* field numbers of the Batch's lists */
	BATCH_ALERTS = 11,
	BATCH_COVERAGE = 12,
	BATCH_HEALTH = 13,
	WIRE_DELIMITED = 2,
};

/* What clock_text can show: years 0 to 9999. */
static const int64_t earliest = -INT64_C(62167219200) * USEC_PER_SECOND;
static const int64_t latest = INT64_C(253402300800) * USEC_PER_SECOND - 1;

/* ---- packing ---- */

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
	return t.v < earliest ? earliest : t.v > latest ? latest : t.v;
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
	case RECORD_TYPE_COUNT:
		break;
	}
	assert(!"a record has one of the four types");
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

/* ---- unpacking ---- */

/* Like a cursor, an unpacker fails once and for all: the first thing that is
 * wrong stays in `why`, and a whole record is read in a straight line. */
struct unpacker {
	struct arena *arena;
	size_t left; /* memory that may still be taken */
	bool short_of_memory;
	const char *why;
	const struct batch_identity *identity;
};

static void refuse(struct unpacker *u, const char *why)
{
	if (!u->why)
		u->why = why;
}

static void *take_memory(void *context, size_t n)
{
	struct unpacker *u = context;
	void *p = NULL;

	if (n <= u->left) {
		u->left -= n;
		p = arena_alloc(u->arena, n);
		u->short_of_memory |= !p;
	} else {
		refuse(u, "batch unfolds to far more than its size");
	}
	return p;
}

static void leave_memory(void *context, void *p)
{
	(void)context;
	(void)p;
}

/* One UTF-8 character (RFC 3629), or 0 when it is none. */
static uint32_t next_character(struct cursor *c)
{
	static const uint32_t least[] = { 0, 0x80, 0x800, 0x10000 };
	uint32_t v = cursor_u8(c);

	if (v < 0x80)
		return v;
	size_t more = v >= 0xf0 ? 3 : v >= 0xe0 ? 2 : 1;
	if (v < 0xc2 || v > 0xf4)
		return 0;
	v &= 0x3fu >> more;
	for (size_t i = 0; i < more; i++) {
		uint8_t b = cursor_u8(c);
		if ((b & 0xc0) != 0x80)
			return 0;
		v = v << 6 | (b & 0x3f);
	}
	return v < least[more] || v > 0x10ffff || (v >= 0xd800 && v < 0xe000) ? 0 : v;
}

/* Controls, and the marks that turn the reading direction around and so let a
 * text show as another one. */
static bool is_control(uint32_t v)
{
	return v < 0x20 || (v >= 0x7f && v < 0xa0) || (v >= 0x2028 && v <= 0x202e) ||
	       (v >= 0x2066 && v <= 0x2069);
}

static const char *text(struct unpacker *u, const char *s)
{
	size_t n = strnlen(s, WIRE_TEXT_MOST + 1);
	struct cursor c = cursor_of(s, n);

	if (n > WIRE_TEXT_MOST)
		refuse(u, "text longer than 512 bytes");
	while (cursor_left(&c))
		if (is_control(next_character(&c))) {
			refuse(u, "text that is not UTF-8, or has control characters");
			break;
		}
	return s;
}

static bool is_word(const char *s, size_t most)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
	return n > 0 && n <= most && !s[n];
}

/* An identifier of records, a counter's or an attribute's name. */
static const char *word(struct unpacker *u, const char *s, size_t most, const char *why)
{
	if (!is_word(s, most))
		refuse(u, why);
	return s;
}

static uint32_t below(struct unpacker *u, uint32_t v, uint32_t limit, const char *why)
{
	if (v < limit)
		return v;
	refuse(u, why);
	return 0;
}

static struct usec time_in(struct unpacker *u, int64_t v)
{
	if (v < earliest || v > latest)
		refuse(u, "time outside the years 0 to 9999");
	return (struct usec){ v };
}

static size_t texts(struct unpacker *u, const char **to, size_t most, char **list, size_t n)
{
	if (n > most) {
		refuse(u, "list longer than it may be");
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		to[i] = text(u, list[i]);
	return n;
}

static void country(struct unpacker *u, const char *s)
{
	bool good = !*s || (s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z' && !s[2]);
	if (!good)
		refuse(u, "country that is not two capital letters");
}

static void unpack_endpoint(struct unpacker *u, struct record_endpoint *to,
			    const Vigie__Endpoint *e)
{
	if (!e || (e->ip.len && e->ip.len != sizeof(to->ip.bytes)) ||
	    (e->mac.len != 0 && e->mac.len != 6)) {
		refuse(u, "end with an address that is not 16 bytes, or a MAC that is not 6");
		return;
	}
	to->no_ip = !e->ip.len;
	if (to->no_ip && (e->port_plus_one || e->mac.len))
		refuse(u, "end with a port or a MAC, and without an address");
	if (!to->no_ip)
		memcpy(to->ip.bytes, e->ip.data, sizeof(to->ip.bytes));
	to->has_port = e->port_plus_one != 0;
	uint32_t port = below(u, e->port_plus_one, 65537, "port above 65535");
	to->port = to->has_port ? (uint16_t)(port - 1) : 0;
	to->has_mac = e->mac.len != 0;
	if (to->has_mac)
		memcpy(to->mac, e->mac.data, sizeof(to->mac));
	to->segment = text(u, e->segment);
	to->impact = (enum impact)below(u, e->impact, IMPACT_COUNT, "unknown impact");
	to->asn = e->asn;
	to->country = e->country;
	country(u, e->country);
}

static void unpack_tcp(struct unpacker *u, struct record_tcp *to, const Vigie__Tcp *t)
{
	to->flags_to_server = (uint8_t)below(u, t->flags_to_server, 256, "TCP flags above 255");
	to->flags_to_client = (uint8_t)below(u, t->flags_to_client, 256, "TCP flags above 255");
	to->has_rtt_client = t->rtt_client_us_plus_one != 0;
	to->rtt_client_us = to->has_rtt_client ? t->rtt_client_us_plus_one - 1 : 0;
	to->has_rtt_server = t->rtt_server_us_plus_one != 0;
	to->rtt_server_us = to->has_rtt_server ? t->rtt_server_us_plus_one - 1 : 0;
	to->retransmissions = t->retransmissions;
	to->missed_bytes = t->missed_bytes;
	to->midstream = t->midstream;
}

static void unpack_attribute(struct unpacker *u, struct record_attribute *to,
			     const Vigie__Attribute *a)
{
	bool is_text = a->type == ATTRIBUTE_TEXT || a->type == ATTRIBUTE_TEXTS;

	to->name = word(u, a->name, 64, "attribute's name is not [A-Za-z0-9._-]{1,64}");
	below(u, a->type, ATTRIBUTE_TEXTS + 1, "unknown type of attribute");
	if (is_text ? a->n_texts == 0 : a->n_texts != 0)
		refuse(u, "attribute's value does not fit its type");
	if (a->type == ATTRIBUTE_TEXT ? a->n_texts > 1 : a->n_texts > WIRE_TEXTS_MOST)
		refuse(u, "attribute with too many values");
	if (u->why)
		return;
	for (size_t i = 0; i < a->n_texts; i++)
		text(u, a->texts[i]);
	to->type = a->type;
	to->number = a->number;
	to->texts = (const char *const *)a->texts;
	to->count = a->n_texts;
}

static void unpack_attributes(struct unpacker *u, struct record_flow *to, const Vigie__Flow *f)
{
	if (!f->n_attributes)
		return;
	if (f->n_attributes > WIRE_ATTRIBUTES_MOST) {
		refuse(u, "flow with too many attributes");
		return;
	}
	struct record_attribute *list = take_memory(u, f->n_attributes * sizeof(*list));
	if (!list)
		return;
	for (size_t i = 0; i < f->n_attributes; i++)
		unpack_attribute(u, &list[i], f->attributes[i]);
	to->attributes = list;
	to->attribute_count = f->n_attributes;
}

static void unpack_flow_facts(struct unpacker *u, struct record_flow *to, const Vigie__Flow *f)
{
	to->packets_to_server = f->packets_to_server;
	to->packets_to_client = f->packets_to_client;
	to->bytes_to_server = f->bytes_to_server;
	to->bytes_to_client = f->bytes_to_client;
	to->path_count = texts(u, to->path, RECORD_PATH_MOST, f->path, f->n_path);
	to->copies_mirror = f->copies_mirror;
	to->copies_routed = f->copies_routed;
	to->has_tcp = f->tcp != NULL;
	if (f->tcp)
		unpack_tcp(u, &to->tcp, f->tcp);
	to->has_icmp = f->icmp_type_code_plus_one != 0;
	uint32_t icmp = below(u, f->icmp_type_code_plus_one, 65537, "ICMP type above 255");
	if (to->has_icmp) {
		to->icmp_type = (uint8_t)((icmp - 1) >> 8);
		to->icmp_code = (uint8_t)(icmp - 1);
	}
	to->tunnel_count = texts(u, to->tunnel, RECORD_TUNNEL_MOST, f->tunnel, f->n_tunnel);
	to->dscp = (uint8_t)below(u, f->dscp, 64, "DSCP above 63");
	to->shed = (uint8_t)below(u, f->shed, 256, "shed level above 255");
}

static const char id_rule[] = "id is not [A-Za-z0-9._-]{1,32}";

static void unpack_flow(struct unpacker *u, struct record_flow *to, const Vigie__Flow *f)
{
	to->id = word(u, f->id, RECORD_ID - 1, id_rule);
	to->sensor = u->identity->sensor;
	to->site_revision = u->identity->site_revision;
	to->exercise = u->identity->exercise;
	to->start = time_in(u, f->start_us);
	to->end = time_in(u, f->end_us);
	to->interim = f->interim;
	to->end_reason =
		(enum end_reason)below(u, f->end_reason, END_REASON_COUNT, "unknown end reason");
	to->protocol = (uint8_t)below(u, f->protocol, 256, "protocol above 255");
	to->community_id = text(u, f->community_id);
	to->realm = text(u, f->realm);
	unpack_endpoint(u, &to->client, f->client);
	unpack_endpoint(u, &to->server, f->server);
	to->orientation = (enum orientation)below(u, f->orientation, ORIENTATION_COUNT,
						  "unknown orientation");
	unpack_flow_facts(u, to, f);
	to->app = text(u, f->app);
	to->app_source =
		(enum app_source)below(u, f->app_source, APP_SOURCE_COUNT, "unknown app source");
	to->app_confidence = (enum confidence)below(u, f->app_confidence, CONFIDENCE_COUNT,
						    "unknown confidence");
	to->encrypted = f->encrypted;
	unpack_attributes(u, to, f);
	to->verdict = (enum verdict)below(u, f->verdict, VERDICT_COUNT, "unknown verdict");
	to->rule = text(u, f->rule);
	to->reason = text(u, f->reason);
	to->severity = (enum severity)below(u, f->severity, SEVERITY_COUNT, "unknown severity");
	to->vendor = text(u, f->vendor);
}

static void unpack_alert(struct unpacker *u, struct record_alert *to, const Vigie__Alert *a)
{
	to->id = word(u, a->id, RECORD_ID - 1, id_rule);
	to->kind = word(u, a->kind, 64, "alert's kind is not [A-Za-z0-9._-]{1,64}");
	to->sensor = u->identity->sensor;
	to->site_revision = u->identity->site_revision;
	to->exercise = u->identity->exercise;
	to->severity = (enum severity)below(u, a->severity, SEVERITY_COUNT, "unknown severity");
	to->first_seen = time_in(u, a->first_seen_us);
	to->last_seen = time_in(u, a->last_seen_us);
	to->count = a->count;
	unpack_endpoint(u, &to->client, a->client);
	unpack_endpoint(u, &to->server, a->server);
	to->protocol = (uint8_t)below(u, a->protocol, 256, "protocol above 255");
	to->app = text(u, a->app);
	to->rule = text(u, a->rule);
	to->reason = text(u, a->reason);
	to->vendor = text(u, a->vendor);
	to->technique = text(u, a->technique);
	to->flow_count = texts(u, to->flows, RECORD_ALERT_FLOWS, a->flows, a->n_flows);
	for (size_t i = 0; i < to->flow_count; i++)
		word(u, to->flows[i], RECORD_ID - 1, id_rule);
}

static void unpack_coverage(struct unpacker *u, struct record_coverage *to,
			    const Vigie__Coverage *c)
{
	to->sensor = u->identity->sensor;
	to->site_revision = u->identity->site_revision;
	to->exercise = u->identity->exercise;
	to->segment = text(u, c->segment);
	to->state = text(u, c->state);
	to->minute = time_in(u, c->minute_us);
	to->packets = c->packets;
	to->bytes = c->bytes;
	to->one_sided_flows = c->one_sided_flows;
	to->missed_bytes = c->missed_bytes;
	to->truncated = c->truncated;
	to->mirror_copies = c->mirror_copies;
	to->routed_copies = c->routed_copies;
	to->shed_max = c->shed_max;
	to->clock_jumps = c->clock_jumps;
	to->oversized = c->oversized;
	to->frames = c->frames;
	to->drops = c->drops;
	to->reason_count = texts(u, to->reasons, RECORD_REASONS_MOST, c->reasons, c->n_reasons);
	for (size_t i = 0; i < to->reason_count; i++)
		word(u, to->reasons[i], 32, "reason is not [A-Za-z0-9._-]{1,32}");
}

static void unpack_interfaces(struct unpacker *u, struct record_health *to, const Vigie__Health *h)
{
	if (h->n_interfaces > WIRE_INTERFACES_MOST) {
		refuse(u, "health record with too many interfaces");
		return;
	}
	struct record_interface *list = take_memory(u, h->n_interfaces * sizeof(*list));
	for (size_t i = 0; list && i < h->n_interfaces; i++) {
		const Vigie__Interface *from = h->interfaces[i];
		list[i].name = text(u, from->name);
		list[i].state = text(u, from->state);
		list[i].frames = from->frames;
		list[i].drops = from->drops;
		list[i].oversized = from->oversized;
	}
	to->interfaces = list;
	to->interface_count = list ? h->n_interfaces : 0;
}

static void unpack_health(struct unpacker *u, struct record_health *to, const Vigie__Health *h)
{
	to->sensor = u->identity->sensor;
	to->site_revision = u->identity->site_revision;
	to->exercise = u->identity->exercise;
	to->version = text(u, h->version);
	to->minute = time_in(u, h->minute_us);
	if (h->n_counters > WIRE_COUNTERS_MOST) {
		refuse(u, "health record with too many counters");
		return;
	}
	struct record_counter *list = take_memory(u, h->n_counters * sizeof(*list));
	for (size_t i = 0; list && i < h->n_counters; i++) {
		list[i].name = word(u, h->counters[i]->name, 64,
				    "counter's name is not [A-Za-z0-9._-]{1,64}");
		list[i].value = h->counters[i]->value;
	}
	to->counters = list;
	to->counter_count = list ? h->n_counters : 0;
	unpack_interfaces(u, to, h);
}

static void unpack_identity(struct unpacker *u, struct batch_identity *to, const Vigie__Batch *b)
{
	if (!wire_sensor_name_is_valid(b->sensor))
		refuse(u, "sensor's name is missing or is not [A-Za-z0-9._-]{1,63}");
	to->sensor = b->sensor;
	to->stream = (enum stream)below(u, b->stream, STREAM_COUNT, "unknown stream");
	to->epoch = b->epoch;
	to->sequence = b->sequence;
	if (b->sequence == 0)
		refuse(u, "sequence is missing");
	to->site_revision = text(u, b->site_revision);
	to->exercise = text(u, b->exercise);
}

/* A batch holds one stream's records, or what may be thrown away under pressure
 * could carry what may not. */
static void check_stream(struct unpacker *u, const Vigie__Batch *b)
{
	const size_t counts[RECORD_TYPE_COUNT] = {
		[RECORD_FLOW] = b->n_flows,
		[RECORD_ALERT] = b->n_alerts,
		[RECORD_COVERAGE] = b->n_coverage,
		[RECORD_HEALTH] = b->n_health,
	};
	for (int i = 0; i < RECORD_TYPE_COUNT; i++)
		if (counts[i] && record_stream((enum record_type)i) != u->identity->stream)
			refuse(u, "records of another stream than the batch's");
}

static void unpack_record(struct unpacker *u, struct record *to, const Vigie__Batch *b, size_t i)
{
	switch (to->type) {
	case RECORD_FLOW:
		unpack_flow(u, &to->flow, b->flows[i]);
		break;
	case RECORD_ALERT:
		unpack_alert(u, &to->alert, b->alerts[i]);
		break;
	case RECORD_COVERAGE:
		unpack_coverage(u, &to->coverage, b->coverage[i]);
		break;
	case RECORD_HEALTH:
		unpack_health(u, &to->health, b->health[i]);
		break;
	case RECORD_TYPE_COUNT:
		break;
	}
}

static int problem(const struct unpacker *u, const char **why)
{
	if (u->short_of_memory)
		return -ENOMEM;
	*why = u->why ? u->why : "not a protobuf batch";
	return -EBADMSG;
}

static int walk(struct unpacker *u, const Vigie__Batch *b, enum record_type type, size_t count,
		record_sink *sink, void *context, const char **why)
{
	for (size_t i = 0; i < count; i++) {
		struct record record = { .type = type };
		unpack_record(u, &record, b, i);
		if (u->why || u->short_of_memory)
			return problem(u, why);
		int result = sink(context, &record);
		if (result)
			return result;
	}
	return 0;
}

int wire_unpack(const void *bytes, size_t n, struct arena *arena, struct batch_identity *identity,
		record_sink *sink, void *context, const char **why)
{
	/* Honest batches unfold to three or four times their size. */
	struct unpacker u = { .arena = arena, .left = 16 * n + (1 << 20), .identity = identity };
	ProtobufCAllocator allocator = { take_memory, leave_memory, &u };

	*why = NULL;
	if (n > WIRE_BATCH_MOST) {
		*why = "batch larger than 8 MiB";
		return -EBADMSG;
	}
	const Vigie__Batch *b = vigie__batch__unpack(&allocator, n, bytes);
	if (!b)
		return problem(&u, why);
	unpack_identity(&u, identity, b);
	check_stream(&u, b);
	if (u.why)
		return problem(&u, why);
	int error = walk(&u, b, RECORD_FLOW, b->n_flows, sink, context, why);
	if (!error)
		error = walk(&u, b, RECORD_ALERT, b->n_alerts, sink, context, why);
	if (!error)
		error = walk(&u, b, RECORD_COVERAGE, b->n_coverage, sink, context, why);
	if (!error)
		error = walk(&u, b, RECORD_HEALTH, b->n_health, sink, context, why);
	return error;
}

bool wire_sensor_name_is_valid(const char *name)
{
	return name && is_word(name, WIRE_SENSOR_MOST) && name[0] != '.' && name[0] != '-';
}
