/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/record.h"

#include <stdio.h>
#include <string.h>

enum stream record_stream(enum record_type type)
{
	switch (type) {
	case RECORD_ALERT:
		return STREAM_ALERTS;
	case RECORD_COVERAGE:
	case RECORD_HEALTH:
	case RECORD_ASSET:
		return STREAM_HEALTH;
	case RECORD_FLOW:
	case RECORD_TYPE_COUNT:
		break;
	}
	return STREAM_FLOWS;
}

const char *record_type_name(enum record_type type)
{
	static const char *const names[] = { "flow", "alert", "coverage", "health", "asset" };
	return (unsigned)type < RECORD_TYPE_COUNT ? names[type] : "";
}

char *record_tcp_flags(uint8_t flags, char out[10])
{
	static const struct {
		uint8_t bit;
		char letter;
	} letters[] = {
		{ 0x02, 'S' }, { 0x10, 'A' }, { 0x08, 'P' }, { 0x01, 'F' },
		{ 0x04, 'R' }, { 0x20, 'U' }, { 0x40, 'E' }, { 0x80, 'C' },
	};
	char *p = out;

	for (size_t i = 0; i < sizeof(letters) / sizeof(letters[0]); i++)
		if (flags & letters[i].bit)
			*p++ = letters[i].letter;
	*p = '\0';
	return out;
}

char *record_mac_text(const uint8_t mac[6], char out[RECORD_MAC_TEXT])
{
	snprintf(out, RECORD_MAC_TEXT, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		 mac[3], mac[4], mac[5]);
	return out;
}

static void text_if(struct json *j, const char *key, const char *text)
{
	if (text && *text)
		json_text(j, key, text);
}

static void time_of(struct json *j, const char *key, struct usec t)
{
	char text[CLOCK_TEXT];
	json_text(j, key, clock_text(t, text));
}

static void endpoint(struct json *j, const char *key, const struct record_endpoint *e)
{
	char ip[IP_TEXT];

	if (e->no_ip && !(e->segment && *e->segment))
		return;
	json_open(j, key, '{');
	if (!e->no_ip)
		json_text(j, "ip", ip_text(&e->ip, ip));
	if (e->has_port)
		json_u64(j, "port", e->port);
	if (e->has_mac) {
		char mac[RECORD_MAC_TEXT];
		json_text(j, "mac", record_mac_text(e->mac, mac));
	}
	text_if(j, "segment", e->segment);
	text_if(j, "impact", impact_name(e->impact));
	if (e->asn)
		json_u64(j, "asn", e->asn);
	text_if(j, "country", e->country);
	json_close(j, '}');
}

static void two_ways(struct json *j, const char *key, uint64_t to_server, uint64_t to_client)
{
	json_open(j, key, '{');
	json_u64(j, "to_server", to_server);
	json_u64(j, "to_client", to_client);
	json_close(j, '}');
}

static void texts(struct json *j, const char *key, const char *const *list, size_t count)
{
	if (!count)
		return;
	json_open(j, key, '[');
	for (size_t i = 0; i < count; i++)
		json_text(j, NULL, list[i]);
	json_close(j, ']');
}

static void tcp(struct json *j, const struct record_tcp *t)
{
	char flags[10];

	json_open(j, "tcp", '{');
	json_text(j, "flags_to_server", record_tcp_flags(t->flags_to_server, flags));
	json_text(j, "flags_to_client", record_tcp_flags(t->flags_to_client, flags));
	if (t->has_rtt_client)
		json_u64(j, "rtt_client_us", t->rtt_client_us);
	if (t->has_rtt_server)
		json_u64(j, "rtt_server_us", t->rtt_server_us);
	json_u64(j, "retransmissions", t->retransmissions);
	json_u64(j, "missed_bytes", t->missed_bytes);
	json_bool(j, "midstream", t->midstream);
	json_close(j, '}');
}

static void attributes(struct json *j, const char *key, const struct record_attribute *list,
		       size_t count)
{
	json_open(j, key, '{');
	for (size_t i = 0; i < count; i++) {
		const struct record_attribute *a = &list[i];
		switch (a->type) {
		case ATTRIBUTE_NUMBER:
			json_u64(j, a->name, a->number);
			break;
		case ATTRIBUTE_FLAG:
			json_bool(j, a->name, a->number);
			break;
		case ATTRIBUTE_TEXT:
			json_text(j, a->name, a->texts[0]);
			break;
		case ATTRIBUTE_TEXTS:
			texts(j, a->name, a->texts, a->count);
			break;
		}
	}
	json_close(j, '}');
}

void record_attributes_json(const struct record_attribute *list, size_t count, struct buf *out)
{
	attributes(&(struct json){ .out = out }, NULL, list, count);
}

static void header(struct json *j, const char *sensor, const char *revision, const char *exercise)
{
	text_if(j, "sensor", sensor);
	text_if(j, "site_revision", revision);
	text_if(j, "exercise", exercise);
}

static void application(struct json *j, const struct record_flow *f)
{
	text_if(j, "app", f->app);
	json_text(j, "app_source", app_source_name(f->app_source));
	if (f->app && *f->app)
		json_text(j, "app_confidence", confidence_name(f->app_confidence));
	json_bool(j, "encrypted", f->encrypted);
	if (f->attributes_json)
		json_raw(j, "attributes", f->attributes_json);
	else if (f->attribute_count)
		attributes(j, "attributes", f->attributes, f->attribute_count);
}

static void flow(struct json *j, const struct record_flow *f)
{
	char protocol[4];

	json_text(j, "id", f->id);
	header(j, f->sensor, f->site_revision, f->exercise);
	time_of(j, "start", f->start);
	time_of(j, "end", f->end);
	json_u64(j, "interim", f->interim);
	json_text(j, "end_reason", end_reason_name(f->end_reason));
	json_text(j, "protocol", protocol_name(f->protocol, protocol));
	text_if(j, "community_id", f->community_id);
	text_if(j, "realm", f->realm);
	endpoint(j, "client", &f->client);
	endpoint(j, "server", &f->server);
	json_text(j, "orientation", orientation_name(f->orientation));
	two_ways(j, "packets", f->packets_to_server, f->packets_to_client);
	two_ways(j, "bytes", f->bytes_to_server, f->bytes_to_client);
	texts(j, "path", f->path, f->path_count);
	json_open(j, "copies", '{');
	json_u64(j, "mirror", f->copies_mirror);
	json_u64(j, "routed", f->copies_routed);
	json_close(j, '}');
	if (f->has_tcp)
		tcp(j, &f->tcp);
	if (f->has_icmp) {
		json_open(j, "icmp", '{');
		json_u64(j, "type", f->icmp_type);
		json_u64(j, "code", f->icmp_code);
		json_close(j, '}');
	}
	texts(j, "tunnel", f->tunnel, f->tunnel_count);
	if (f->end_reason != END_SHED)
		json_u64(j, "dscp", f->dscp);
	application(j, f);
	json_text(j, "verdict", verdict_name(f->verdict));
	text_if(j, "rule", f->rule);
	text_if(j, "reason", f->reason);
	json_text(j, "severity", severity_name(f->severity));
	text_if(j, "vendor", f->vendor);
	json_u64(j, "shed", f->shed);
}

static void alert(struct json *j, const struct record_alert *a)
{
	char protocol[4];

	json_text(j, "id", a->id);
	json_text(j, "kind", a->kind);
	json_text(j, "severity", severity_name(a->severity));
	header(j, a->sensor, a->site_revision, a->exercise);
	time_of(j, "first_seen", a->first_seen);
	time_of(j, "last_seen", a->last_seen);
	json_u64(j, "count", a->count);
	if (!a->server.no_ip)
		json_text(j, "protocol", protocol_name(a->protocol, protocol));
	endpoint(j, "client", &a->client);
	endpoint(j, "server", &a->server);
	text_if(j, "app", a->app);
	text_if(j, "rule", a->rule);
	text_if(j, "reason", a->reason);
	text_if(j, "vendor", a->vendor);
	text_if(j, "technique", a->technique);
	texts(j, "flows", a->flows, a->flow_count);
}

static void coverage(struct json *j, const struct record_coverage *c)
{
	header(j, c->sensor, c->site_revision, c->exercise);
	text_if(j, "segment", c->segment);
	time_of(j, "minute", c->minute);
	text_if(j, "state", c->state);
	json_u64(j, "packets", c->packets);
	json_u64(j, "bytes", c->bytes);
	json_u64(j, "one_sided_flows", c->one_sided_flows);
	json_u64(j, "missed_bytes", c->missed_bytes);
	json_u64(j, "truncated", c->truncated);
	json_u64(j, "mirror_copies", c->mirror_copies);
	json_u64(j, "routed_copies", c->routed_copies);
	json_u64(j, "shed_max", c->shed_max);
	json_u64(j, "clock_jumps", c->clock_jumps);
	json_u64(j, "oversized", c->oversized);
	json_u64(j, "frames", c->frames);
	json_u64(j, "drops", c->drops);
	texts(j, "reasons", c->reasons, c->reason_count);
}

void record_interfaces_json(const struct record_interface *interfaces, size_t count,
			    struct buf *out)
{
	struct json j = { .out = out };

	json_open(&j, NULL, '[');
	for (size_t i = 0; i < count; i++) {
		const struct record_interface *p = &interfaces[i];
		json_open(&j, NULL, '{');
		text_if(&j, "name", p->name);
		text_if(&j, "state", p->state);
		json_u64(&j, "frames", p->frames);
		json_u64(&j, "drops", p->drops);
		json_u64(&j, "oversized", p->oversized);
		json_close(&j, '}');
	}
	json_close(&j, ']');
}

static void health(struct json *j, const struct record_health *h)
{
	header(j, h->sensor, h->site_revision, h->exercise);
	text_if(j, "version", h->version);
	time_of(j, "minute", h->minute);
	json_open(j, "counters", '{');
	for (size_t i = 0; i < h->counter_count; i++)
		json_u64(j, h->counters[i].name, h->counters[i].value);
	json_close(j, '}');
	if (!h->interface_count)
		return;
	struct buf list = { 0 };
	record_interfaces_json(h->interfaces, h->interface_count, &list);
	if (list.failed)
		j->out->failed = true;
	else
		json_raw(j, "interfaces", list.data);
	buf_finish(&list);
}

static void confidence(struct json *j, enum confidence c)
{
	if (c != CONFIDENCE_NONE)
		json_text(j, "confidence", confidence_name(c));
}

static void roles(struct json *j, const char *key, const struct record_role *list, size_t count)
{
	json_open(j, key, '[');
	for (size_t i = 0; i < count; i++) {
		json_open(j, NULL, '{');
		json_text(j, "role", list[i].role);
		confidence(j, list[i].confidence);
		text_if(j, "from", list[i].from);
		json_close(j, '}');
	}
	json_close(j, ']');
}

static void facts(struct json *j, const char *key, const struct record_fact *list, size_t count)
{
	json_open(j, key, '[');
	for (size_t i = 0; i < count; i++) {
		const struct record_fact *f = &list[i];
		json_open(j, NULL, '{');
		json_text(j, "name", f->name);
		json_text(j, "value", f->value);
		confidence(j, f->confidence);
		text_if(j, "from", f->from);
		time_of(j, "first_seen", f->first_seen);
		time_of(j, "last_seen", f->last_seen);
		json_close(j, '}');
	}
	json_close(j, ']');
}

void record_roles_json(const struct record_role *list, size_t count, struct buf *out)
{
	roles(&(struct json){ .out = out }, NULL, list, count);
}

void record_facts_json(const struct record_fact *list, size_t count, struct buf *out)
{
	facts(&(struct json){ .out = out }, NULL, list, count);
}

static void asset(struct json *j, const struct record_asset *a)
{
	char ip[IP_TEXT], mac[RECORD_MAC_TEXT];

	header(j, a->sensor, a->site_revision, a->exercise);
	text_if(j, "realm", a->realm);
	if (a->has_ip)
		json_text(j, "ip", ip_text(&a->ip, ip));
	if (a->has_mac)
		json_text(j, "mac", record_mac_text(a->mac, mac));
	text_if(j, "mac_vendor", a->mac_vendor);
	text_if(j, "segment", a->segment);
	text_if(j, "impact", impact_name(a->impact));
	time_of(j, "first_seen", a->first_seen);
	time_of(j, "last_seen", a->last_seen);
	if (a->roles_json)
		json_raw(j, "roles", a->roles_json);
	else if (a->role_count)
		roles(j, "roles", a->roles, a->role_count);
	if (a->facts_json)
		json_raw(j, "facts", a->facts_json);
	else if (a->fact_count)
		facts(j, "facts", a->facts, a->fact_count);
}

void record_json(const struct record *r, struct buf *out)
{
	struct json j = { .out = out };

	json_open(&j, NULL, '{');
	json_text(&j, "type", record_type_name(r->type));
	switch (r->type) {
	case RECORD_FLOW:
		flow(&j, &r->flow);
		break;
	case RECORD_ALERT:
		alert(&j, &r->alert);
		break;
	case RECORD_COVERAGE:
		coverage(&j, &r->coverage);
		break;
	case RECORD_HEALTH:
		health(&j, &r->health);
		break;
	case RECORD_ASSET:
		asset(&j, &r->asset);
		break;
	case RECORD_TYPE_COUNT:
		break;
	}
	json_close(&j, '}');
}
