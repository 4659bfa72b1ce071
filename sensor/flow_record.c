/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/flow_record.h"

#include <pthread.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/line.h"
#include "dissectors/dissector.h"
#include "schema/community_id.h"
#include "sensor/stages.h"

enum { ICMP = 1, TCP = 6, UDP = 17, ICMPV6 = 58, SCTP = 132, UDPLITE = 136 };

/* --- orientation --- */

/* Server ports above 1023 that a hospital's network knows well. */
static const uint16_t server_ports[] = {
	1433, 1494, 1521, 1883, 1911, 2049, 2222, 2575, 2598, 2761, 2762,  3128,  3268, 3306,
	3389, 4242, 4840, 4911, 5060, 5222, 5353, 5432, 5671, 5672, 5900,  5901,  5938, 5985,
	6379, 6514, 7070, 8000, 8042, 8080, 8443, 8883, 9100, 9200, 11112, 47808,
};

/* All of them and those of the dissectors, a bit each. */
static uint64_t server_bits[65536 / 64];
static pthread_once_t server_bits_once = PTHREAD_ONCE_INIT;

static void set_server_port(uint16_t port)
{
	server_bits[port / 64] |= UINT64_C(1) << port % 64;
}

static void set_server_bits(void)
{
	for (uint16_t port = 1; port < 1024; port++)
		set_server_port(port);
	for (size_t i = 0; i < sizeof(server_ports) / sizeof(server_ports[0]); i++)
		set_server_port(server_ports[i]);
	for (size_t i = 0; dissectors[i]; i++)
		for (const uint16_t *p = dissectors[i]->ports; p && *p; p++)
			set_server_port(*p);
}

static bool is_server_port(uint16_t port)
{
	pthread_once(&server_bits_once, set_server_bits);
	return server_bits[port / 64] >> port % 64 & 1;
}

static bool is_answer(uint8_t protocol, uint8_t type)
{
	return protocol == ICMP ? type == 0 || type == 14 || type == 16 || type == 18
				: type == 129 || type == 136 || type == 134;
}

static void settle_on(struct flow *f, unsigned client_side)
{
	f->client_side = client_side & 1;
	f->orientation = ORIENTATION_PORT;
}

void flow_orient(struct flow *f)
{
	const struct flow_key *k = &f->key;

	if (f->orientation != ORIENTATION_FIRST_PACKET || f->interim)
		return;
	f->client_side = f->first_side;
	bool local[2] = { site_is_local_peer(&k->ip[0]), site_is_local_peer(&k->ip[1]) };
	if (k->protocol == ICMP || k->protocol == ICMPV6) {
		if (is_answer(k->protocol, f->icmp_type))
			settle_on(f, !f->first_side);
		return;
	}
	bool known[2] = { is_server_port(k->port[0]), is_server_port(k->port[1]) };
	if (known[0] != known[1])
		settle_on(f, known[0]);
	else if (local[0] != local[1])
		settle_on(f, local[0]);
}

bool flow_sender_is_client(const struct packet *p)
{
	enum { SYN = 2, ACK = 16 };

	if (p->has_icmp)
		return !is_answer(p->protocol, p->icmp_type);
	if (!p->has_ports)
		return true;
	if (p->protocol == TCP && (p->tcp_flags & SYN))
		return !(p->tcp_flags & ACK);
	bool from_server = is_server_port(p->source_port);
	if (from_server != is_server_port(p->dest_port))
		return !from_server;
	return p->source_port >= p->dest_port; /* the same, whoever of the two speaks */
}

/* --- the way the packets took --- */

static void hop_text(const struct flow_hop *h, char out[24])
{
	struct line l = line_in(out, 24);

	if (!h->vlans) {
		line_text(&l, "mac");
		for (size_t i = 0; i < 6; i++) {
			line_text(&l, ":");
			line_hex8(&l, h->source_mac[i]);
		}
		return;
	}
	line_text(&l, "vlan:");
	if (h->vlans >> 16) {
		line_u64(&l, h->vlans >> 16);
		line_text(&l, ".");
	}
	line_u64(&l, h->vlans & 0xffff);
}

/* A path is told from the client to the server. Without tags it is worth
 * telling only where there is more than one hop. */
static void path(const struct flow *f, struct record_space *space, struct record_flow *out)
{
	unsigned client = f->client_side;
	unsigned side = flow_hop_count(f, client) >= flow_hop_count(f, !client) ? client : !client;
	size_t n = flow_hop_count(f, side);

	if (n == 0 || (n == 1 && !flow_hop(f, side, 0).vlans))
		return;
	for (size_t i = 0; i < n; i++) {
		struct flow_hop h = flow_hop(f, side, side == client ? i : n - 1 - i);
		if (!h.vlans && !h.has_mac)
			continue;
		hop_text(&h, space->path[out->path_count]);
		out->path[out->path_count] = space->path[out->path_count];
		out->path_count++;
	}
}

/* The hop nearest to an end: the first of what it sent, else the last of what
 * was sent to it. False: there is none. */
static bool nearest(const struct flow *f, unsigned side, bool *sent, struct flow_hop *out)
{
	size_t there = flow_hop_count(f, !side);

	*sent = flow_hop_count(f, side) > 0;
	if (*sent)
		*out = flow_hop(f, side, 0);
	else if (there)
		*out = flow_hop(f, !side, there - 1);
	return *sent || there;
}

/* --- ends --- */

static bool has_ports(uint8_t protocol)
{
	return protocol == TCP || protocol == UDP || protocol == SCTP || protocol == UDPLITE;
}

bool ttl_is_fresh(uint8_t ttl)
{
	return ttl == 32 || ttl == 64 || ttl == 128 || ttl == 255;
}

static const struct segment *fill_end(const struct record_setting *setting, const struct flow *f,
				      unsigned side, char country[3], struct record_endpoint *out)
{
	bool sent;
	struct flow_hop hop;
	bool has_hop = nearest(f, side, &sent, &hop);

	out->ip = f->key.ip[side];
	out->has_port = has_ports(f->key.protocol);
	out->port = out->has_port ? f->key.port[side] : 0;
	out->has_mac = has_hop && hop.has_mac;
	if (out->has_mac)
		memcpy(out->mac, sent ? hop.source_mac : hop.dest_mac, 6);
	if (setting->geo && !ip_is_private(&out->ip)) {
		struct geo_result g = { 0 };
		geo_lookup(setting->geo, &out->ip, &g);
		out->asn = g.asn;
		memcpy(country, g.country, 3);
		out->country = country;
	}
	bool own = sent && ttl_is_fresh(hop.ttl);
	return site_locate(setting->site, &out->ip, own ? (uint16_t)hop.vlans : 0,
			   own && hop.has_mac ? hop.source_mac : NULL);
}

static void name_segment(struct record_endpoint *e, const struct segment *s)
{
	e->segment = s->name;
	e->impact = s->impact;
}

uint8_t flow_segments(const struct site *site, const struct packet *p, unsigned side,
		      uint16_t out[2])
{
	uint16_t vlan = p->vlan_count ? p->vlans[p->vlan_count - 1] & 0xfff : 0;
	const struct segment *from =
		site_locate(site, &p->source, vlan, p->has_mac ? p->source_mac : NULL);
	const struct segment *to = site_locate(site, &p->dest, 0, NULL);

	if (site_is_local_peer(&p->dest))
		to = from;
	else if (site_is_local_peer(&p->source))
		from = to;
	out[side] = from->index;
	out[!side] = to->index;
	return (uint8_t)(from->impact > to->impact ? from->impact : to->impact);
}

/* --- attributes --- */

/* All texts of a set, from its first on; the bits of those that are done. */
static uint64_t gather_set(const struct attributes *a, size_t first, const char **texts,
			   struct record_attribute *to)
{
	const struct field *field = a->values[first].field;
	uint64_t gathered = 0;

	for (size_t i = first; i < a->count; i++)
		if (a->values[i].field == field) {
			gathered |= UINT64_C(1) << i;
			texts[to->count++] = attribute_text(a, &a->values[i]);
		}
	return gathered;
}

/* The values of a set stand where its first does. */
static void fill_attributes(const struct attributes *a, struct record_space *space,
			    struct record_flow *out)
{
	uint64_t done = 0;
	size_t texts = 0, n = 0;

	_Static_assert(ATTRIBUTES_MOST <= 64, "a bit for each");
	for (size_t i = 0; a && i < a->count; i++) {
		const struct attribute *v = &a->values[i];
		const struct field *field = v->field;
		struct record_attribute *to = &space->attributes[n];

		if (done >> i & 1)
			continue;
		*to = (struct record_attribute){ .name = field->name };
		n++;
		if (field->type != FIELD_TEXTS && field->type != FIELD_TEXT) {
			to->type = field->type == FIELD_FLAG ? ATTRIBUTE_FLAG : ATTRIBUTE_NUMBER;
			to->number = v->number;
			continue;
		}
		to->texts = &space->texts[texts];
		if (field->type == FIELD_TEXTS) {
			to->type = ATTRIBUTE_TEXTS;
			done |= gather_set(a, i, &space->texts[texts], to);
		} else {
			to->type = ATTRIBUTE_TEXT;
			to->count = 1;
			space->texts[texts] = attribute_text(a, v);
		}
		texts += to->count;
	}
	out->attributes = space->attributes;
	out->attribute_count = n;
}

static const char *text_attribute(const struct record_flow *r, const char *name)
{
	for (size_t i = 0; i < r->attribute_count; i++)
		if (r->attributes[i].type == ATTRIBUTE_TEXT && *r->attributes[i].name == *name &&
		    !strcmp(r->attributes[i].name, name))
			return r->attributes[i].texts[0];
	return NULL;
}

/* --- the whole --- */

static void identify(const struct record_setting *setting, const struct flow *f, char id[RECORD_ID])
{
	struct {
		struct flow_key key;
		int64_t start;
		uint64_t mark;
	} what = { f->key, f->start, f->mark };
	uint64_t seed = XXH3_64bits(setting->sensor, strlen(setting->sensor));

	if (setting->exercise)
		seed ^= XXH3_64bits_withSeed(setting->exercise, strlen(setting->exercise), 1);
	XXH128_hash_t h = XXH3_128bits_withSeed(&what, sizeof(what), seed);
	struct line l = line_in(id, RECORD_ID);
	line_hex64(&l, h.high64);
	line_hex64(&l, h.low64);
}

static void fill_tcp(const struct flow *f, struct record_flow *out)
{
	unsigned client = f->client_side;

	out->has_tcp = true;
	out->tcp = (struct record_tcp){
		.flags_to_server = f->flags[client],
		.flags_to_client = f->flags[!client],
		.has_rtt_client = f->rtt_client != 0,
		.has_rtt_server = f->rtt_server != 0,
		.rtt_client_us = f->rtt_client ? f->rtt_client - 1 : 0,
		.rtt_server_us = f->rtt_server ? f->rtt_server - 1 : 0,
		.retransmissions = f->retransmissions,
		.missed_bytes = flow_missed_bytes(f),
		.midstream = f->midstream,
	};
}

static void fill_counts(const struct flow *f, struct record_flow *out)
{
	unsigned client = f->client_side;

	out->packets_to_server = f->packets[client];
	out->packets_to_client = f->packets[!client];
	out->bytes_to_server = f->bytes[client];
	out->bytes_to_client = f->bytes[!client];
	out->copies_mirror = f->copies_mirror;
	out->copies_routed = f->copies_routed;
	out->dscp = f->sent >> client & 1 ? f->dscp[client] : f->dscp[!client];
}

static void judge(const struct record_setting *setting, const struct flow *f,
		  const struct segment *const ends[2], const char *external_name,
		  struct record_space *space, struct record_flow *out)
{
	struct site_flow what = {
		.client_ip = out->client.ip,
		.server_ip = out->server.ip,
		.client = ends[0],
		.server = ends[1],
		.app = out->app,
		.no_data = !f->data,
		.app_shed = !out->app && (f->unread || f->uninspected),
		.protocol = out->protocol,
		.server_port = out->server.port,
		.client_asn = out->client.asn,
		.server_asn = out->server.asn,
		.server_name = external_name,
		.start = out->start,
	};

	const struct judgement *j = site_judge_again(&space->memory, setting->site, &what);
	space->judgement = j;
	out->verdict = j->verdict;
	out->severity = j->severity;
	out->rule = j->rule;
	out->vendor = j->vendor;
	out->reason = j->reason;
}

static void place_and_judge(const struct record_setting *setting, const struct flow *f,
			    struct record_space *space, struct record_flow *out)
{
	unsigned client = f->client_side;
	const struct segment *ends[2] = {
		fill_end(setting, f, client, space->country[0], &out->client),
		fill_end(setting, f, !client, space->country[1], &out->server),
	};
	if (site_is_local_peer(&out->server.ip))
		ends[1] = ends[0];
	else if (site_is_local_peer(&out->client.ip))
		ends[0] = ends[1];
	name_segment(&out->client, ends[0]);
	name_segment(&out->server, ends[1]);
	const char *name = text_attribute(out, "tls.sni");
	const struct ip_addr *outer =
		ip_is_private(&out->server.ip) ? &out->client.ip : &out->server.ip;
	if (!name)
		name = hostnames_find(setting->names, outer);
	judge(setting, f, ends, name, space, out);
}

void flow_record(const struct record_setting *setting, struct flow *f,
		 const struct attributes *attributes, enum end_reason reason,
		 struct record_space *space, struct record_flow *out)
{
	flow_orient(f);
	unsigned client = f->client_side;
	*out = (struct record_flow){
		.id = space->id,
		.sensor = setting->sensor,
		.site_revision = site_revision(setting->site),
		.exercise = setting->exercise,
		.start = { f->record_start },
		.end = { f->record_end },
		.interim = f->interim,
		.end_reason = reason,
		.protocol = f->key.protocol,
		.realm = setting->realms->names[f->key.realm],
		.orientation = (enum orientation)f->orientation,
		.app = f->app,
		.app_source = (enum app_source)f->app_source,
		.app_confidence = (enum confidence)f->app_confidence,
		.encrypted = f->encrypted,
		.has_icmp = f->key.protocol == ICMP || f->key.protocol == ICMPV6,
		.icmp_type = f->icmp_type,
		.icmp_code = f->icmp_code,
		.shed = f->shed,
	};
	identify(setting, f, space->id);
	/* An ICMP flow's key is made of its packets, not of what the record says. */
	if (setting->community_ids || !community_id_is_implied(f->key.protocol))
		out->community_id = community_id(f->key.protocol, &f->key.ip[client],
						 &f->key.ip[!client], f->key.port[client],
						 f->key.port[!client], space->community_id);
	fill_counts(f, out);
	if (f->key.protocol == TCP)
		fill_tcp(f, out);
	path(f, space, out);
	for (size_t i = 0; i < flow_tunnel_count(f); i++) {
		out->tunnel[i] = tunnel_text(&f->trail->tunnels[i], space->tunnel[i]);
		out->tunnel_count++;
	}
	fill_attributes(attributes, space, out);
	enum stage before = stage_enter(STAGE_CLASSIFY);
	place_and_judge(setting, f, space, out);
	stage_enter(before);
}
