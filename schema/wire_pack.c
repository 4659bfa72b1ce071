/* SPDX-License-Identifier: Apache-2.0
 *
 * protobuf, written in one pass: a message's length is filled in behind it. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "schema/wire_parts.h"

enum { VARINT = 0, DELIMITED = 2 }; /* wire types */
enum { BATCH_TEXTS = 15, BATCH_START = 16 };
static const uint8_t lists[RECORD_TYPE_COUNT] = {
	[RECORD_FLOW] = 10,   [RECORD_ALERT] = 11, [RECORD_COVERAGE] = 12,
	[RECORD_HEALTH] = 13, [RECORD_ASSET] = 14,
};
enum {
	NUMBER_MOST = 2 + 10, /* bytes of a field of a number, with its tag */
	TEXT_NUMBER_MOST = 5, /* of a text's number in a list */
	HEAD_MOST = 2 + 5,    /* of a field's tag and length */
	FIXED_MOST = 1024,    /* of a record without its lists and ids */
	PART_MOST = 64,       /* of an element of a list, without its texts */
};

/* Room for all that is written is made before; texts go to `shared`. */
struct writer {
	uint8_t *at;
	struct wire_shared *shared;
	bool failed; /* no memory for a text */
};

/* ---- numbers and bytes; what is 0 or empty is left out ---- */

static inline void put_varint(struct writer *w, uint64_t v)
{
	for (; v > 0x7f; v >>= 7)
		*w->at++ = (uint8_t)(v | 0x80);
	*w->at++ = (uint8_t)v;
}

static inline void put_tag(struct writer *w, unsigned field, unsigned type)
{
	put_varint(w, field << 3 | type);
}

static inline void put_number(struct writer *w, unsigned field, uint64_t v)
{
	if (!v)
		return;
	put_tag(w, field, VARINT);
	put_varint(w, v);
}

static inline void put_signed(struct writer *w, unsigned field, int64_t v)
{
	put_number(w, field, (uint64_t)v << 1 ^ (uint64_t)(v >> 63));
}

static inline void put_bytes(struct writer *w, unsigned field, const void *bytes, size_t n)
{
	put_tag(w, field, DELIMITED);
	put_varint(w, n);
	memcpy(w->at, bytes, n);
	w->at += n;
}

/* A text that is in no table. */
static void put_word(struct writer *w, unsigned field, const char *text)
{
	if (text && *text)
		put_bytes(w, field, text, strlen(text));
}

/* A message, or packed list, begins: one byte is kept for its length. */
static inline uint8_t *open_piece(struct writer *w, unsigned field)
{
	put_tag(w, field, DELIMITED);
	return w->at++;
}

static inline void close_piece(struct writer *w, uint8_t *length)
{
	size_t n = (size_t)(w->at - length - 1);

	if (n <= 0x7f) {
		*length = (uint8_t)n;
		return;
	}
	size_t more = n < 1 << 14 ? 1 : n < 1 << 21 ? 2 : 3;
	memmove(length + 1 + more, length + 1, n);
	w->at = length;
	put_varint(w, n);
	w->at += n;
}

/* ---- times ---- */

static struct usec cut(struct usec t)
{
	return t.v < WIRE_EARLIEST ? (struct usec){ WIRE_EARLIEST }
	       : t.v > WIRE_LATEST ? (struct usec){ WIRE_LATEST }
				   : t;
}

/* `from` is 0 for nothing, or a time that was written before; returns this one. */
static struct usec put_time(struct writer *w, unsigned field, struct usec t, struct usec from)
{
	t = cut(t);
	put_signed(w, field, t.v - from.v);
	return t;
}

static struct usec put_first_time(struct writer *w, unsigned field, struct usec t)
{
	struct wire_shared *s = w->shared;

	if (!s->begun) {
		s->begun = true;
		s->start = cut(t);
	}
	return put_time(w, field, t, s->start);
}

/* ---- texts ---- */

static uint64_t load(const char *text, size_t n)
{
	uint64_t v = 0;
	memcpy(&v, text, n);
	return v;
}

/* Any will do: whoever makes texts collide has them written more often. The highest
 * bits are the best mixed. */
static uint32_t hash_text(const char *text, size_t n)
{
	const uint64_t k = UINT64_C(0x9e3779b97f4a7c15);
	uint64_t h = n * k;

	if (n >= 8) {
		for (size_t i = 0; i + 8 < n; i += 8)
			h = (h ^ h >> 32 ^ load(text + i, 8)) * k;
		h = (h ^ h >> 32 ^ load(text + n - 8, 8)) * k;
	} else if (n >= 4) {
		h = (h ^ load(text, 4) ^ load(text + n - 4, 4) << 32) * k;
	} else if (n) {
		h = (h ^ (uint8_t)text[0] ^ (uint64_t)(uint8_t)text[n / 2] << 8 ^
		     (uint64_t)(uint8_t)text[n - 1] << 16) *
		    k;
	}
	return (uint32_t)(h >> 32);
}

static __attribute__((noinline)) uint32_t add_text(struct writer *w, struct wire_place *place,
						   const char *text, size_t n, uint32_t hash)
{
	struct wire_shared *s = w->shared;

	if (!buf_reserve(&s->texts, HEAD_MOST + n)) {
		w->failed = true;
		return 0;
	}
	struct writer to = { .at = (uint8_t *)s->texts.data + s->texts.len };
	put_bytes(&to, BATCH_TEXTS, text, n);
	s->texts.len = (size_t)(to.at - (uint8_t *)s->texts.data);
	s->text_count++;
	*place = (struct wire_place){ .hash = hash,
				      .number = s->text_count,
				      .offset = (uint32_t)(s->texts.len - n),
				      .length = (uint32_t)n };
	return s->text_count;
}

static uint32_t number_of(struct writer *w, const char *text)
{
	if (!text || !*text)
		return 0;
	struct wire_shared *s = w->shared;
	size_t n = strlen(text);
	uint32_t hash = hash_text(text, n);
	struct wire_place *p = &s->places[hash >> (32 - WIRE_PLACES_LOG)];
	if (p->hash == hash && p->length == n && p->number &&
	    !memcmp(s->texts.data + p->offset, text, n))
		return p->number;
	return add_text(w, p, text, n, hash);
}

static inline void put_text(struct writer *w, unsigned field, const char *text)
{
	put_number(w, field, number_of(w, text));
}

static void put_texts(struct writer *w, unsigned field, const char *const *list, size_t n)
{
	if (!n)
		return;
	uint8_t *length = open_piece(w, field);
	for (size_t i = 0; i < n; i++)
		put_varint(w, number_of(w, list[i]));
	close_piece(w, length);
}

/* ---- parts of records ---- */

/* False for an id that must go as a word. */
static bool put_id(struct writer *w, unsigned field, const char *id)
{
	uint8_t bytes[WIRE_ID];

	if (!id || !wire_id_pack(id, bytes))
		return false;
	put_bytes(w, field, bytes, sizeof(bytes));
	return true;
}

static void put_ip(struct writer *w, unsigned field, const struct ip_addr *ip)
{
	if (ip_is_v4(ip))
		put_bytes(w, field, ip->bytes + 12, 4);
	else
		put_bytes(w, field, ip->bytes, sizeof(ip->bytes));
}

static void put_endpoint(struct writer *w, unsigned field, const struct record_endpoint *e)
{
	uint8_t *length = open_piece(w, field);

	if (!e->no_ip)
		put_ip(w, 1, &e->ip);
	put_number(w, 2, e->has_port ? e->port + 1u : 0);
	if (e->has_mac)
		put_bytes(w, 3, e->mac, sizeof(e->mac));
	put_text(w, 4, e->segment);
	put_number(w, 5, e->impact);
	put_number(w, 6, e->asn);
	put_text(w, 7, e->country);
	close_piece(w, length);
}

static uint64_t rtt(bool has, uint32_t us)
{
	return !has ? 0 : us == UINT32_MAX ? us : us + 1;
}

static void put_tcp(struct writer *w, unsigned field, const struct record_tcp *t)
{
	uint8_t *length = open_piece(w, field);

	put_number(w, 1, t->flags_to_server);
	put_number(w, 2, t->flags_to_client);
	put_number(w, 3, rtt(t->has_rtt_client, t->rtt_client_us));
	put_number(w, 4, rtt(t->has_rtt_server, t->rtt_server_us));
	put_number(w, 5, t->retransmissions);
	put_number(w, 6, t->missed_bytes);
	put_number(w, 7, t->midstream);
	close_piece(w, length);
}

static void put_attribute(struct writer *w, unsigned field, const struct record_attribute *a)
{
	uint8_t *length = open_piece(w, field);

	put_text(w, 1, a->name);
	put_number(w, 2, a->type);
	if (a->type == ATTRIBUTE_TEXT || a->type == ATTRIBUTE_TEXTS)
		put_texts(w, 4, a->texts, a->type == ATTRIBUTE_TEXT ? 1 : a->count);
	else
		put_number(w, 3, a->number);
	close_piece(w, length);
}

/* ---- records: their fields are those of schema/vigie.proto, in its order ---- */

static size_t attributes_room(const struct record_flow *f)
{
	size_t texts = 0;

	for (size_t i = 0; i < f->attribute_count; i++)
		texts += f->attributes[i].count;
	return f->attribute_count * (PART_MOST + TEXT_NUMBER_MOST) + texts * TEXT_NUMBER_MOST;
}

static size_t word_room(const char *word)
{
	return HEAD_MOST + (word ? strlen(word) : 0);
}

static void put_community_id(struct writer *w, unsigned field, const char *text)
{
	uint8_t bytes[WIRE_COMMUNITY_ID];

	if (text && wire_community_id_pack(text, bytes))
		put_bytes(w, field, bytes, sizeof(bytes));
}

static void put_flow_rest(struct writer *w, const struct record_flow *f)
{
	put_text(w, 14, f->app);
	put_text(w, 15, f->reason);
	put_text(w, 16, f->rule);
	put_text(w, 17, f->realm);
	put_number(w, 18, f->verdict);
	put_number(w, 19, f->severity);
	put_number(w, 20, f->end_reason);
	put_number(w, 21, f->orientation);
	put_number(w, 22, f->app_source);
	put_number(w, 23, f->app_confidence);
	put_number(w, 24, f->encrypted);
	put_number(w, 25, f->dscp);
	put_number(w, 26, f->interim);
	put_texts(w, 27, f->path, f->path_count);
	put_number(w, 28, f->copies_mirror);
	put_number(w, 29, f->copies_routed);
	if (f->has_icmp)
		put_number(w, 30, f->icmp_type * 256u + f->icmp_code + 1);
	put_texts(w, 31, f->tunnel, f->tunnel_count);
	put_text(w, 32, f->vendor);
	put_number(w, 33, f->shed);
}

static void put_flow(struct writer *w, const struct record_flow *f)
{
	bool has_id = put_id(w, 1, f->id);
	struct usec start = put_first_time(w, 2, f->start);

	put_time(w, 3, f->end, start);
	put_number(w, 4, f->protocol);
	put_community_id(w, 5, f->community_id);
	put_endpoint(w, 6, &f->client);
	put_endpoint(w, 7, &f->server);
	put_number(w, 8, f->packets_to_server);
	put_number(w, 9, f->packets_to_client);
	put_number(w, 10, f->bytes_to_server);
	put_number(w, 11, f->bytes_to_client);
	if (f->has_tcp)
		put_tcp(w, 12, &f->tcp);
	for (size_t i = 0; i < f->attribute_count; i++)
		put_attribute(w, 13, &f->attributes[i]);
	put_flow_rest(w, f);
	if (!has_id)
		put_word(w, 34, f->id);
}

/* True when all of them went as bytes. */
static bool put_flow_ids(struct writer *w, const struct record_alert *a)
{
	uint8_t ids[RECORD_ALERT_FLOWS * WIRE_ID];

	for (size_t i = 0; i < a->flow_count; i++)
		if (!wire_id_pack(a->flows[i], ids + i * WIRE_ID))
			return false;
	if (a->flow_count)
		put_bytes(w, 15, ids, a->flow_count * WIRE_ID);
	return true;
}

static void put_alert(struct writer *w, const struct record_alert *a)
{
	bool has_id = put_id(w, 1, a->id);

	put_text(w, 2, a->kind);
	put_number(w, 3, a->severity);
	put_time(w, 5, a->last_seen, put_first_time(w, 4, a->first_seen));
	put_number(w, 6, a->count);
	put_endpoint(w, 7, &a->client);
	put_endpoint(w, 8, &a->server);
	put_number(w, 9, a->protocol);
	put_text(w, 10, a->app);
	put_text(w, 11, a->rule);
	put_text(w, 12, a->reason);
	put_text(w, 13, a->vendor);
	put_text(w, 14, a->technique);
	bool have_ids = put_flow_ids(w, a);
	if (!has_id)
		put_word(w, 16, a->id);
	for (size_t i = 0; !have_ids && i < a->flow_count; i++)
		put_bytes(w, 17, a->flows[i], strlen(a->flows[i]));
}

static void put_coverage(struct writer *w, const struct record_coverage *c)
{
	put_text(w, 1, c->segment);
	put_text(w, 2, c->state);
	put_first_time(w, 3, c->minute);
	put_number(w, 4, c->packets);
	put_number(w, 5, c->bytes);
	put_number(w, 6, c->one_sided_flows);
	put_number(w, 7, c->missed_bytes);
	put_number(w, 8, c->truncated);
	put_number(w, 9, c->mirror_copies);
	put_number(w, 10, c->routed_copies);
	put_number(w, 11, c->shed_max);
	put_number(w, 12, c->clock_jumps);
	put_number(w, 13, c->oversized);
	put_number(w, 14, c->frames);
	put_number(w, 15, c->drops);
	put_texts(w, 16, c->reasons, c->reason_count);
}

static void put_health(struct writer *w, const struct record_health *h)
{
	put_text(w, 1, h->version);
	put_first_time(w, 2, h->minute);
	for (size_t i = 0; i < h->counter_count; i++) {
		uint8_t *length = open_piece(w, 3);
		put_text(w, 1, h->counters[i].name);
		put_number(w, 2, h->counters[i].value);
		close_piece(w, length);
	}
	for (size_t i = 0; i < h->interface_count; i++) {
		const struct record_interface *p = &h->interfaces[i];
		uint8_t *length = open_piece(w, 4);
		put_text(w, 1, p->name);
		put_text(w, 2, p->state);
		put_number(w, 3, p->frames);
		put_number(w, 4, p->drops);
		put_number(w, 5, p->oversized);
		close_piece(w, length);
	}
}

static void put_fact(struct writer *w, const struct record_fact *f, struct usec asset_start)
{
	uint8_t *length = open_piece(w, 10);

	put_text(w, 1, f->name);
	put_text(w, 2, f->value);
	put_number(w, 3, f->confidence);
	put_text(w, 4, f->from);
	put_time(w, 6, f->last_seen, put_time(w, 5, f->first_seen, asset_start));
	close_piece(w, length);
}

static void put_asset(struct writer *w, const struct record_asset *a)
{
	put_text(w, 1, a->realm);
	if (a->has_ip)
		put_ip(w, 2, &a->ip);
	if (a->has_mac)
		put_bytes(w, 3, a->mac, sizeof(a->mac));
	put_text(w, 4, a->mac_vendor);
	put_text(w, 5, a->segment);
	put_number(w, 6, a->impact);
	struct usec first = put_first_time(w, 7, a->first_seen);
	put_time(w, 8, a->last_seen, first);
	for (size_t i = 0; i < a->role_count; i++) {
		uint8_t *length = open_piece(w, 9);
		put_text(w, 1, a->roles[i].role);
		put_number(w, 2, a->roles[i].confidence);
		put_text(w, 3, a->roles[i].from);
		close_piece(w, length);
	}
	for (size_t i = 0; i < a->fact_count; i++)
		put_fact(w, &a->facts[i], first);
}

/* ---- batches ---- */

/* At least what the record takes. */
static size_t room_for(const struct record *record)
{
	size_t room = FIXED_MOST;

	switch (record->type) {
	case RECORD_FLOW:
		assert(record->flow.path_count <= RECORD_PATH_MOST);
		assert(record->flow.tunnel_count <= RECORD_TUNNEL_MOST);
		return room + word_room(record->flow.id) + attributes_room(&record->flow);
	case RECORD_ALERT:
		assert(record->alert.flow_count <= RECORD_ALERT_FLOWS);
		for (size_t i = 0; i < record->alert.flow_count; i++)
			room += word_room(record->alert.flows[i]);
		return room + word_room(record->alert.id);
	case RECORD_COVERAGE:
		assert(record->coverage.reason_count <= RECORD_REASONS_MOST);
		return room;
	case RECORD_HEALTH:
		assert(record->health.counter_count <= WIRE_COUNTERS_MOST);
		assert(record->health.interface_count <= WIRE_INTERFACES_MOST);
		return room +
		       (record->health.counter_count + record->health.interface_count) * PART_MOST;
	case RECORD_ASSET:
		assert(record->asset.role_count <= WIRE_ROLES_MOST);
		assert(record->asset.fact_count <= WIRE_FACTS_MOST);
		return room + (record->asset.role_count + record->asset.fact_count) * PART_MOST;
	case RECORD_TYPE_COUNT:
		break;
	}
	return room;
}

static void put_record(struct writer *w, const struct record *record)
{
	uint8_t *length = open_piece(w, lists[record->type]);

	switch (record->type) {
	case RECORD_FLOW:
		put_flow(w, &record->flow);
		break;
	case RECORD_ALERT:
		put_alert(w, &record->alert);
		break;
	case RECORD_COVERAGE:
		put_coverage(w, &record->coverage);
		break;
	case RECORD_HEALTH:
		put_health(w, &record->health);
		break;
	case RECORD_ASSET:
		put_asset(w, &record->asset);
		break;
	case RECORD_TYPE_COUNT:
		break;
	}
	close_piece(w, length);
}

static size_t used(const struct writer *w, const struct buf *out)
{
	return (size_t)(w->at - ((uint8_t *)out->data + out->len));
}

int wire_append_record(struct buf *out, struct wire_shared *shared, const struct record *record)
{
	size_t room = room_for(record);

	assert((unsigned)record->type < RECORD_TYPE_COUNT);
	if (!buf_reserve(out, room))
		return -ENOMEM;
	struct writer w = { .at = (uint8_t *)out->data + out->len, .shared = shared };
	put_record(&w, record);
	assert(used(&w, out) <= room);
	if (!w.failed)
		out->len += used(&w, out);
	out->data[out->len] = '\0';
	return w.failed ? -ENOMEM : 0;
}

void wire_shared_clear(struct wire_shared *s)
{
	buf_clear(&s->texts);
	s->text_count = 0;
	s->begun = false;
	memset(s->places, 0, sizeof(s->places));
}

void wire_shared_finish(struct wire_shared *s)
{
	buf_finish(&s->texts);
}

int wire_append_shared(struct buf *out, struct wire_shared *s)
{
	bool fits = buf_reserve(out, NUMBER_MOST + s->texts.len);

	if (fits) {
		buf_bytes(out, s->texts.data, s->texts.len);
		struct writer w = { .at = (uint8_t *)out->data + out->len };
		put_signed(&w, BATCH_START, s->begun ? s->start.v : 0);
		out->len += used(&w, out);
		out->data[out->len] = '\0';
	}
	wire_shared_clear(s);
	return fits ? 0 : -ENOMEM;
}

int wire_append_identity(struct buf *out, const struct batch_identity *identity)
{
	const char *revision = identity->site_revision, *exercise = identity->exercise;

	if (!buf_reserve(out, 4 * NUMBER_MOST + word_room(identity->sensor) + word_room(revision) +
				      word_room(exercise)))
		return -ENOMEM;
	struct writer w = { .at = (uint8_t *)out->data + out->len };
	put_word(&w, 1, identity->sensor);
	put_number(&w, 2, identity->epoch);
	put_number(&w, 3, identity->sequence);
	put_number(&w, 4, identity->stream);
	put_word(&w, 5, revision);
	put_word(&w, 6, exercise);
	out->len += used(&w, out);
	out->data[out->len] = '\0';
	return 0;
}
