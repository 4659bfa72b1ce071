/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/wire_pack.h"

#include <errno.h>
#include <string.h>

enum {
	WIRE_VARINT = 0,
	WIRE_DELIMITED = 2,
	VARINT_MOST = 10,
	ROOM = 2048, /* for a record, at first */
};

/* Where the next byte goes. Once something has found no room, nothing more is
 * written, and the record is begun again with twice the room. */
struct pack {
	uint8_t *at, *end;
	bool full;
};

static bool has_room(struct pack *p, size_t n)
{
	p->full |= (size_t)(p->end - p->at) < n;
	return !p->full;
}

static uint8_t *varint(uint8_t *at, uint64_t v)
{
	while (v > 0x7f) {
		*at++ = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	*at++ = (uint8_t)v;
	return at;
}

static size_t varint_length(uint64_t v)
{
	size_t n = 1;

	while (v >>= 7)
		n++;
	return n;
}

static void put_head(struct pack *p, unsigned field, unsigned type)
{
	if (has_room(p, VARINT_MOST))
		p->at = varint(p->at, field << 3 | type);
}

/* proto3: what is zero or empty is left out. */
static void put_number(struct pack *p, unsigned field, uint64_t v)
{
	if (!v)
		return;
	put_head(p, field, WIRE_VARINT);
	if (has_room(p, VARINT_MOST))
		p->at = varint(p->at, v);
}

static void put_time(struct pack *p, unsigned field, struct usec t)
{
	int64_t v = wire_time(t);

	put_number(p, field, (uint64_t)v << 1 ^ (uint64_t)(v >> 63)); /* sint64 */
}

static void put_bytes(struct pack *p, unsigned field, const void *bytes, size_t n)
{
	put_head(p, field, WIRE_DELIMITED);
	if (!has_room(p, VARINT_MOST + n))
		return;
	p->at = varint(p->at, n);
	memcpy(p->at, bytes, n);
	p->at += n;
}

static void put_text(struct pack *p, unsigned field, const char *text)
{
	if (text && *text)
		put_bytes(p, field, text, strlen(text));
}

static void put_list(struct pack *p, unsigned field, const char *const *texts, size_t count)
{
	for (size_t i = 0; i < count; i++)
		put_bytes(p, field, texts[i], strlen(texts[i]));
}

/* A message inside: its length stands before it, and is known behind it. Almost
 * all are shorter than 128 bytes. */
static uint8_t *begin(struct pack *p, unsigned field)
{
	put_head(p, field, WIRE_DELIMITED);
	uint8_t *length = p->at;
	if (has_room(p, 1))
		p->at++;
	return length;
}

static void end(struct pack *p, uint8_t *length)
{
	if (!has_room(p, VARINT_MOST))
		return;
	size_t n = (size_t)(p->at - length) - 1, more = varint_length(n) - 1;

	if (more)
		memmove(length + 1 + more, length + 1, n);
	varint(length, n);
	p->at += more;
}

static void put_endpoint(struct pack *p, unsigned field, const struct record_endpoint *e)
{
	uint8_t *length = begin(p, field);

	put_bytes(p, 1, e->ip.bytes, sizeof(e->ip.bytes));
	put_number(p, 2, e->has_port ? e->port + 1u : 0);
	if (e->has_mac)
		put_bytes(p, 3, e->mac, sizeof(e->mac));
	put_text(p, 4, e->segment);
	put_number(p, 5, e->impact);
	put_number(p, 6, e->asn);
	put_text(p, 7, e->country);
	end(p, length);
}

static uint32_t rtt(bool has, uint32_t us)
{
	return !has ? 0 : us == UINT32_MAX ? us : us + 1;
}

static void put_tcp(struct pack *p, unsigned field, const struct record_tcp *t)
{
	uint8_t *length = begin(p, field);

	put_number(p, 1, t->flags_to_server);
	put_number(p, 2, t->flags_to_client);
	put_number(p, 3, rtt(t->has_rtt_client, t->rtt_client_us));
	put_number(p, 4, rtt(t->has_rtt_server, t->rtt_server_us));
	put_number(p, 5, t->retransmissions);
	put_number(p, 6, t->missed_bytes);
	put_number(p, 7, t->midstream);
	end(p, length);
}

static void put_attribute(struct pack *p, unsigned field, const struct record_attribute *a)
{
	uint8_t *length = begin(p, field);

	put_text(p, 1, a->name);
	put_number(p, 2, a->type);
	if (a->type == ATTRIBUTE_TEXT || a->type == ATTRIBUTE_TEXTS)
		put_list(p, 4, a->texts, a->type == ATTRIBUTE_TEXT ? 1 : a->count);
	else
		put_number(p, 3, a->number);
	end(p, length);
}

static void put_flow(struct pack *p, unsigned field, const struct record_flow *f)
{
	uint8_t *length = begin(p, field);

	put_text(p, 1, f->id);
	put_time(p, 2, f->start);
	put_time(p, 3, f->end);
	put_number(p, 4, f->interim);
	put_number(p, 5, f->end_reason);
	put_number(p, 6, f->protocol);
	put_text(p, 7, f->community_id);
	put_text(p, 8, f->realm);
	put_endpoint(p, 9, &f->client);
	put_endpoint(p, 10, &f->server);
	put_number(p, 11, f->orientation);
	put_number(p, 12, f->packets_to_server);
	put_number(p, 13, f->packets_to_client);
	put_number(p, 14, f->bytes_to_server);
	put_number(p, 15, f->bytes_to_client);
	put_list(p, 16, f->path, f->path_count);
	put_number(p, 17, f->copies_mirror);
	put_number(p, 18, f->copies_routed);
	if (f->has_tcp)
		put_tcp(p, 19, &f->tcp);
	put_number(p, 20, f->has_icmp ? f->icmp_type * 256u + f->icmp_code + 1 : 0);
	put_list(p, 21, f->tunnel, f->tunnel_count);
	put_number(p, 22, f->dscp);
	put_text(p, 23, f->app);
	put_number(p, 24, f->app_source);
	put_number(p, 25, f->app_confidence);
	put_number(p, 26, f->encrypted);
	for (size_t i = 0; i < f->attribute_count; i++)
		put_attribute(p, 27, &f->attributes[i]);
	put_number(p, 28, f->verdict);
	put_text(p, 29, f->rule);
	put_text(p, 30, f->reason);
	put_number(p, 31, f->severity);
	put_text(p, 32, f->vendor);
	put_number(p, 33, f->shed);
	end(p, length);
}

static void put_alert(struct pack *p, unsigned field, const struct record_alert *a)
{
	uint8_t *length = begin(p, field);

	put_text(p, 1, a->id);
	put_text(p, 2, a->kind);
	put_number(p, 3, a->severity);
	put_time(p, 4, a->first_seen);
	put_time(p, 5, a->last_seen);
	put_number(p, 6, a->count);
	put_endpoint(p, 7, &a->client);
	put_endpoint(p, 8, &a->server);
	put_number(p, 9, a->protocol);
	put_text(p, 10, a->app);
	put_text(p, 11, a->rule);
	put_text(p, 12, a->reason);
	put_text(p, 13, a->vendor);
	put_text(p, 14, a->technique);
	put_list(p, 15, a->flows, a->flow_count);
	end(p, length);
}

static struct pack pack_in(const struct buf *out)
{
	return (struct pack){ (uint8_t *)out->data + out->len, (uint8_t *)out->data + out->cap - 1,
			      false };
}

static void keep(struct buf *out, const struct pack *p)
{
	out->len = (size_t)(p->at - (uint8_t *)out->data);
	out->data[out->len] = '\0';
}

int wire_pack_flow(struct buf *out, unsigned field, const struct record_flow *f)
{
	for (size_t room = ROOM; buf_reserve(out, room); room *= 2) {
		struct pack p = pack_in(out);
		put_flow(&p, field, f);
		if (!p.full) {
			keep(out, &p);
			return 0;
		}
	}
	return -ENOMEM;
}

int wire_pack_alert(struct buf *out, unsigned field, const struct record_alert *a)
{
	for (size_t room = ROOM; buf_reserve(out, room); room *= 2) {
		struct pack p = pack_in(out);
		put_alert(&p, field, a);
		if (!p.full) {
			keep(out, &p);
			return 0;
		}
	}
	return -ENOMEM;
}
