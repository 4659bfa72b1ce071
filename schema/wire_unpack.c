/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/cursor.h"
#include "schema/community_id.h"
#include "schema/vigie.pb-c.h"
#include "schema/wire_parts.h"

/* A text of the batch's table, looked at once however many records refer to it. */
struct known_text {
	const char *text;
	uint32_t length;
	bool is_word;
};

/* Like a cursor, an unpacker fails once and for all: the first thing that is
 * wrong stays in `why`, and a whole record is read in a straight line. */
struct unpacker {
	struct arena *arena;
	size_t left; /* memory that may still be taken */
	bool short_of_memory;
	const char *why;
	const struct batch_identity *identity;
	const struct known_text *texts; /* of the batch; the first is empty */
	size_t text_count;
	size_t unfolded; /* bytes of texts that records may still refer to */
	struct usec start;
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

/* A text that may be shown: its length. */
static size_t check_text(struct unpacker *u, const char *s)
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
	return n;
}

static bool is_word(const char *s, size_t most)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-");
	return n > 0 && n <= most && !s[n];
}

static const struct known_text *known(struct unpacker *u, uint32_t number)
{
	if (number > u->text_count) {
		refuse(u, "number of a text that the batch does not have");
		number = 0;
	}
	const struct known_text *t = &u->texts[number];
	if (t->length > u->unfolded)
		refuse(u, "batch unfolds to far more than its size");
	else
		u->unfolded -= t->length;
	return t;
}

static const char *text(struct unpacker *u, uint32_t number)
{
	return known(u, number)->text;
}

/* A counter's or an attribute's name, and the like. */
static const char *word(struct unpacker *u, uint32_t number, size_t most, const char *why)
{
	const struct known_text *t = known(u, number);

	if (!t->is_word || t->length > most)
		refuse(u, why);
	return t->text;
}

static const char id_rule[] = "id is not 16 bytes, or [A-Za-z0-9._-]{1,32}";

static const char *id_bytes(struct unpacker *u, const uint8_t bytes[WIRE_ID])
{
	char *out = take_memory(u, RECORD_ID);

	if (!out)
		return "";
	wire_id_unpack(bytes, out);
	return out;
}

static const char *id_word(struct unpacker *u, const char *word)
{
	if (!is_word(word, RECORD_ID - 1))
		refuse(u, id_rule);
	return word;
}

static const char *id(struct unpacker *u, const ProtobufCBinaryData *bytes, const char *word)
{
	if (bytes->len == WIRE_ID && !*word)
		return id_bytes(u, bytes->data);
	if (bytes->len)
		refuse(u, id_rule);
	return id_word(u, word);
}

/* What the flow's own fields imply; none where an end has no address. */
static const char *implied_community_id(struct unpacker *u, const struct record_flow *f)
{
	if (!community_id_is_implied(f->protocol) || f->client.no_ip || f->server.no_ip)
		return "";
	char *out = take_memory(u, COMMUNITY_ID_TEXT);

	return out ? community_id(f->protocol, &f->client.ip, &f->server.ip, f->client.port,
				  f->server.port, out)
		   : "";
}

static const char *told_community_id(struct unpacker *u, const ProtobufCBinaryData *bytes)
{
	if (bytes->len != WIRE_COMMUNITY_ID) {
		refuse(u, "Community ID that is not 20 bytes");
		return "";
	}
	char *out = take_memory(u, WIRE_COMMUNITY_TEXT);

	if (!out)
		return "";
	wire_community_id_unpack(bytes->data, out);
	return out;
}

static uint32_t below(struct unpacker *u, uint32_t v, uint32_t limit, const char *why)
{
	if (v < limit)
		return v;
	refuse(u, why);
	return 0;
}

/* `v` from another time on. */
static struct usec time_from(struct unpacker *u, struct usec from, int64_t v)
{
	struct usec t;

	if (!__builtin_add_overflow(from.v, v, &t.v) && t.v >= WIRE_EARLIEST && t.v <= WIRE_LATEST)
		return t;
	refuse(u, "time outside the years 0 to 9999");
	return (struct usec){ 0 };
}

static size_t texts(struct unpacker *u, const char **to, size_t most, const uint32_t *list,
		    size_t n)
{
	if (n > most) {
		refuse(u, "list longer than it may be");
		return 0;
	}
	for (size_t i = 0; i < n; i++)
		to[i] = text(u, list[i]);
	return n;
}

static const char *country(struct unpacker *u, uint32_t number)
{
	const char *s = text(u, number);
	bool good = !*s || (s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z' && !s[2]);

	if (!good)
		refuse(u, "country that is not two capital letters");
	return s;
}

static bool unpack_ip(struct ip_addr *to, const ProtobufCBinaryData *ip)
{
	if (ip->len != 4 && ip->len != sizeof(to->bytes))
		return false;
	*to = ip->len == 4 ? ip_from_v4(ip->data) : ip_from_v6(ip->data);
	return true;
}

static void unpack_endpoint(struct unpacker *u, struct record_endpoint *to,
			    const Vigie__Endpoint *e)
{
	if (!e || (e->ip.len && !unpack_ip(&to->ip, &e->ip)) ||
	    (e->mac.len != 0 && e->mac.len != 6)) {
		refuse(u, "end with an address that is not 4 or 16 bytes, or a MAC that is not 6");
		return;
	}
	to->no_ip = !e->ip.len;
	if (to->no_ip && (e->port_plus_one || e->mac.len))
		refuse(u, "end with a port or a MAC, and without an address");
	to->has_port = e->port_plus_one != 0;
	uint32_t port = below(u, e->port_plus_one, 65537, "port above 65535");
	to->port = to->has_port ? (uint16_t)(port - 1) : 0;
	to->has_mac = e->mac.len != 0;
	if (to->has_mac)
		memcpy(to->mac, e->mac.data, sizeof(to->mac));
	to->segment = text(u, e->segment);
	to->impact = (enum impact)below(u, e->impact, IMPACT_COUNT, "unknown impact");
	to->asn = e->asn;
	to->country = country(u, e->country);
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
	to->type = a->type;
	to->number = a->number;
	if (!a->n_texts)
		return;
	const char **list = take_memory(u, a->n_texts * sizeof(*list));
	if (list)
		to->count = texts(u, list, WIRE_TEXTS_MOST, a->texts, a->n_texts);
	to->texts = list;
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

static void unpack_flow(struct unpacker *u, struct record_flow *to, const Vigie__Flow *f)
{
	to->id = id(u, &f->id, f->id_word);
	to->sensor = u->identity->sensor;
	to->site_revision = u->identity->site_revision;
	to->exercise = u->identity->exercise;
	to->start = time_from(u, u->start, f->start_us);
	to->end = time_from(u, to->start, f->end_us);
	to->interim = f->interim;
	to->end_reason =
		(enum end_reason)below(u, f->end_reason, END_REASON_COUNT, "unknown end reason");
	to->protocol = (uint8_t)below(u, f->protocol, 256, "protocol above 255");
	to->realm = text(u, f->realm);
	unpack_endpoint(u, &to->client, f->client);
	unpack_endpoint(u, &to->server, f->server);
	to->community_id = f->community_id.len ? told_community_id(u, &f->community_id)
					       : implied_community_id(u, to);
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

static void unpack_flow_ids(struct unpacker *u, struct record_alert *to, const Vigie__Alert *a)
{
	size_t raw = a->flows.len / WIRE_ID, words = a->n_flow_words;

	if (a->flows.len % WIRE_ID || (raw && words) || raw + words > RECORD_ALERT_FLOWS) {
		refuse(u, "ids of flows that are not 16 bytes each, or are too many");
		return;
	}
	for (size_t i = 0; i < raw; i++)
		to->flows[to->flow_count++] = id_bytes(u, a->flows.data + i * WIRE_ID);
	for (size_t i = 0; i < words; i++)
		to->flows[to->flow_count++] = id_word(u, a->flow_words[i]);
}

static void unpack_alert(struct unpacker *u, struct record_alert *to, const Vigie__Alert *a)
{
	to->id = id(u, &a->id, a->id_word);
	to->kind = word(u, a->kind, 64, "alert's kind is not [A-Za-z0-9._-]{1,64}");
	to->sensor = u->identity->sensor;
	to->site_revision = u->identity->site_revision;
	to->exercise = u->identity->exercise;
	to->severity = (enum severity)below(u, a->severity, SEVERITY_COUNT, "unknown severity");
	to->first_seen = time_from(u, u->start, a->first_seen_us);
	to->last_seen = time_from(u, to->first_seen, a->last_seen_us);
	to->count = a->count;
	unpack_endpoint(u, &to->client, a->client);
	unpack_endpoint(u, &to->server, a->server);
	to->protocol = (uint8_t)below(u, a->protocol, 256, "protocol above 255");
	to->app = text(u, a->app);
	to->rule = text(u, a->rule);
	to->reason = text(u, a->reason);
	to->vendor = text(u, a->vendor);
	to->technique = text(u, a->technique);
	unpack_flow_ids(u, to, a);
}

static void unpack_coverage(struct unpacker *u, struct record_coverage *to,
			    const Vigie__Coverage *c)
{
	to->sensor = u->identity->sensor;
	to->site_revision = u->identity->site_revision;
	to->exercise = u->identity->exercise;
	to->segment = text(u, c->segment);
	to->state = text(u, c->state);
	to->minute = time_from(u, u->start, c->minute_us);
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
		word(u, c->reasons[i], 32, "reason is not [A-Za-z0-9._-]{1,32}");
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
	to->minute = time_from(u, u->start, h->minute_us);
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

static void unpack_roles(struct unpacker *u, struct record_asset *to, const Vigie__Asset *a)
{
	if (a->n_roles > WIRE_ROLES_MOST) {
		refuse(u, "asset with too many roles");
		return;
	}
	struct record_role *list = take_memory(u, a->n_roles * sizeof(*list));
	for (size_t i = 0; list && i < a->n_roles; i++) {
		const Vigie__AssetRole *from = a->roles[i];
		list[i].role = word(u, from->role, 64, "role is not [A-Za-z0-9._-]{1,64}");
		list[i].confidence = (enum confidence)below(u, from->confidence, CONFIDENCE_COUNT,
							    "unknown confidence");
		list[i].from = text(u, from->from);
	}
	to->roles = list;
	to->role_count = list ? a->n_roles : 0;
}

static void unpack_facts(struct unpacker *u, struct record_asset *to, const Vigie__Asset *a)
{
	if (a->n_facts > WIRE_FACTS_MOST) {
		refuse(u, "asset with too many facts");
		return;
	}
	struct record_fact *list = take_memory(u, a->n_facts * sizeof(*list));
	for (size_t i = 0; list && i < a->n_facts; i++) {
		const Vigie__AssetFact *from = a->facts[i];
		list[i].name = word(u, from->name, 64, "fact's name is not [A-Za-z0-9._-]{1,64}");
		list[i].value = text(u, from->value);
		list[i].confidence = (enum confidence)below(u, from->confidence, CONFIDENCE_COUNT,
							    "unknown confidence");
		list[i].from = text(u, from->from);
		list[i].first_seen = time_from(u, to->first_seen, from->first_seen_us);
		list[i].last_seen = time_from(u, list[i].first_seen, from->last_seen_us);
	}
	to->facts = list;
	to->fact_count = list ? a->n_facts : 0;
}

static void unpack_asset(struct unpacker *u, struct record_asset *to, const Vigie__Asset *a)
{
	bool addressed = (a->ip.len == 0 || unpack_ip(&to->ip, &a->ip)) &&
			 (a->mac.len == 0 || a->mac.len == sizeof(to->mac)) &&
			 a->ip.len + a->mac.len > 0;

	if (!addressed) {
		refuse(u, "asset without address, or with one of the wrong length");
		return;
	}
	to->sensor = u->identity->sensor;
	to->site_revision = u->identity->site_revision;
	to->exercise = u->identity->exercise;
	to->realm = text(u, a->realm);
	to->has_ip = a->ip.len != 0;
	to->has_mac = a->mac.len != 0;
	if (to->has_mac)
		memcpy(to->mac, a->mac.data, sizeof(to->mac));
	to->mac_vendor = text(u, a->mac_vendor);
	to->segment = text(u, a->segment);
	to->impact = (enum impact)below(u, a->impact, IMPACT_COUNT, "unknown impact");
	to->first_seen = time_from(u, u->start, a->first_seen_us);
	to->last_seen = time_from(u, to->first_seen, a->last_seen_us);
	unpack_roles(u, to, a);
	unpack_facts(u, to, a);
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
	to->site_revision = b->site_revision;
	check_text(u, b->site_revision);
	to->exercise = b->exercise;
	check_text(u, b->exercise);
}

static void unpack_texts(struct unpacker *u, const Vigie__Batch *b)
{
	struct known_text *list = take_memory(u, (b->n_texts + 1) * sizeof(*list));

	if (!list)
		return;
	list[0] = (struct known_text){ .text = "" };
	for (size_t i = 0; i < b->n_texts; i++)
		list[i + 1] = (struct known_text){
			.text = b->texts[i],
			.length = (uint32_t)check_text(u, b->texts[i]),
			.is_word = is_word(b->texts[i], WIRE_TEXT_MOST),
		};
	u->texts = list;
	u->text_count = b->n_texts;
}

/* A batch holds one stream's records, or what may be thrown away under pressure
 * could carry what may not. */
static void check_stream(struct unpacker *u, const Vigie__Batch *b)
{
	const size_t counts[RECORD_TYPE_COUNT] = {
		[RECORD_FLOW] = b->n_flows,        [RECORD_ALERT] = b->n_alerts,
		[RECORD_COVERAGE] = b->n_coverage, [RECORD_HEALTH] = b->n_health,
		[RECORD_ASSET] = b->n_assets,
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
	case RECORD_ASSET:
		unpack_asset(u, &to->asset, b->assets[i]);
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

/* Honest batches unfold to some ten times their size, and those of a sensor have half a
 * megabyte. */
static size_t memory_for(size_t n)
{
	enum { TIMES = 64, LEAST = 1 << 20, MOST = 128 << 20 };
	size_t memory = n * TIMES + LEAST;

	return memory < MOST ? memory : MOST;
}

int wire_unpack(const void *bytes, size_t n, struct arena *arena, struct batch_identity *identity,
		record_sink *sink, void *context, const char **why)
{
	struct unpacker u = {
		.arena = arena,
		.left = memory_for(n),
		.identity = identity,
		.unfolded = WIRE_UNFOLDED_MOST,
	};
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
	u.start.v = b->start_us;
	unpack_texts(&u, b);
	if (u.why || u.short_of_memory)
		return problem(&u, why);
	int error = walk(&u, b, RECORD_FLOW, b->n_flows, sink, context, why);
	if (!error)
		error = walk(&u, b, RECORD_ALERT, b->n_alerts, sink, context, why);
	if (!error)
		error = walk(&u, b, RECORD_COVERAGE, b->n_coverage, sink, context, why);
	if (!error)
		error = walk(&u, b, RECORD_HEALTH, b->n_health, sink, context, why);
	if (!error)
		error = walk(&u, b, RECORD_ASSET, b->n_assets, sink, context, why);
	return error;
}

bool wire_sensor_name_is_valid(const char *name)
{
	return name && is_word(name, WIRE_SENSOR_MOST) && name[0] != '.' && name[0] != '-';
}
