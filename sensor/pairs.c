/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/pairs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/line.h"

enum {
	ROWS = 4096,
	PLACES = 2 * ROWS, /* a power of two */
	ICMP = 1,
	TCP = 6,
	UDP = 17,
	ICMPV6 = 58,
	OTHERS = 255, /* protocol number: reserved, so nobody's */
	NOWHERE = UINT16_MAX,
};

struct pair_key {
	uint16_t segments[2]; /* the client's, the server's; NOWHERE when there was no room */
	uint8_t protocol;
};

struct row {
	struct pair_key key;
	uint8_t level; /* highest */
	int64_t first, last;
	uint64_t packets[2], bytes[2]; /* to the server, to the client */
	uint64_t copies_mirror, copies_routed;
};

struct pairs {
	struct counters *counters;
	size_t count;
	uint16_t places[PLACES]; /* a row's number, plus one; 0: free */
	struct row rows[ROWS];
};

struct pairs *pairs_create(struct counters *counters)
{
	struct pairs *p = calloc(1, sizeof(*p));

	if (p)
		p->counters = counters;
	return p;
}

void pairs_destroy(struct pairs *p)
{
	free(p);
}

static uint8_t class_of(uint8_t protocol)
{
	bool own = protocol == TCP || protocol == UDP || protocol == ICMP || protocol == ICMPV6;
	return own ? protocol : OTHERS;
}

static bool same_key(const struct pair_key *a, const struct pair_key *b)
{
	return a->segments[0] == b->segments[0] && a->segments[1] == b->segments[1] &&
	       a->protocol == b->protocol;
}

static struct row *find(struct pairs *p, const struct pair_key *key)
{
	uint64_t mixed = ((uint64_t)key->segments[0] << 32 | (uint64_t)key->segments[1] << 8 |
			  key->protocol) *
			 0x9e3779b97f4a7c15;
	size_t at = mixed >> 51; /* as many bits as places */

	_Static_assert(PLACES == 1 << 13, "64 - 51 bits");
	for (; p->places[at]; at = (at + 1) % PLACES)
		if (same_key(&p->rows[p->places[at] - 1].key, key))
			return &p->rows[p->places[at] - 1];
	/* The last rows are for those that find no room, by protocol. */
	if (p->count >= ROWS - 8 && key->segments[0] != NOWHERE)
		return NULL;
	struct row *row = &p->rows[p->count++];
	p->places[at] = (uint16_t)p->count;
	*row = (struct row){ .key = *key, .first = INT64_MAX, .last = INT64_MIN };
	return row;
}

/* The row of two segments, or the one for all that find no room. */
static struct row *row_of(struct pairs *p, uint16_t client, uint16_t server, uint8_t protocol,
			  uint8_t level)
{
	struct pair_key key = { { client, server }, class_of(protocol) };
	struct row *row = find(p, &key);

	if (!row) {
		p->counters->shed_pairs_full++;
		key.segments[0] = key.segments[1] = NOWHERE;
		row = find(p, &key);
	}
	if (row->level < level)
		row->level = level;
	return row;
}

static void widen(struct row *row, int64_t first, int64_t last)
{
	if (first < row->first)
		row->first = first;
	if (last > row->last)
		row->last = last;
}

void pairs_add_packet(struct pairs *p, const struct packet *packet, unsigned side,
		      const uint16_t segments[2], enum dedup_answer answer, uint8_t level)
{
	bool to_client = !flow_sender_is_client(packet);
	unsigned client = to_client ? !side : side;
	struct row *row = row_of(p, segments[client], segments[!client], packet->protocol, level);

	widen(row, packet->time.v, packet->time.v);
	row->copies_mirror += answer == DEDUP_MIRROR;
	row->copies_routed += answer == DEDUP_ROUTED;
	if (answer != DEDUP_NEW)
		return;
	p->counters->shed++;
	row->packets[to_client]++;
	row->bytes[to_client] += packet->ip_bytes;
}

void pairs_add_flow(struct pairs *p, struct flow *f, uint8_t level)
{
	flow_orient(f);
	unsigned client = f->client_side;
	struct row *row =
		row_of(p, f->segments[client], f->segments[!client], f->key.protocol, level);

	widen(row, f->record_start, f->record_end);
	for (unsigned way = 0; way < 2; way++) {
		row->packets[way] += f->packets[way ? !client : client];
		row->bytes[way] += f->bytes[way ? !client : client];
	}
	row->copies_mirror += f->copies_mirror;
	row->copies_routed += f->copies_routed;
	p->counters->shed_flows++;
}

/* The same packets give the same id, after a resend and on another day. */
static void identify(const struct record_setting *setting, const struct record_flow *f,
		     char id[RECORD_ID])
{
	const char *texts[] = { setting->sensor, setting->exercise, f->client.segment,
				f->server.segment };
	XXH3_state_t state;

	XXH3_128bits_reset(&state);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const char *text = texts[i] ? texts[i] : "";
		XXH3_128bits_update(&state, text, strlen(text) + 1);
	}
	XXH3_128bits_update(&state, &f->start.v, sizeof(f->start.v));
	XXH3_128bits_update(&state, &f->protocol, sizeof(f->protocol));
	XXH128_hash_t h = XXH3_128bits_digest(&state);
	struct line l = line_in(id, RECORD_ID);
	line_hex64(&l, h.high64);
	line_hex64(&l, h.low64);
}

static void name_end(struct record_endpoint *e, const struct site *site, uint16_t segment)
{
	e->no_ip = true;
	if (segment == NOWHERE)
		return;
	e->segment = site_segment(site, segment)->name;
	e->impact = site_segment(site, segment)->impact;
}

static void send(const struct row *row, const struct record_setting *setting, record_sink *sink,
		 void *context)
{
	char id[RECORD_ID], reason[128];
	struct record r = { .type = RECORD_FLOW };

	r.flow = (struct record_flow){
		.id = id,
		.sensor = setting->sensor,
		.site_revision = site_revision(setting->site),
		.exercise = setting->exercise,
		.start = { row->first },
		.end = { row->last },
		.end_reason = END_SHED,
		.protocol = row->key.protocol,
		.orientation = ORIENTATION_PORT,
		.packets_to_server = row->packets[0],
		.packets_to_client = row->packets[1],
		.bytes_to_server = row->bytes[0],
		.bytes_to_client = row->bytes[1],
		.copies_mirror = row->copies_mirror,
		.copies_routed = row->copies_routed,
		.verdict = VERDICT_NOT_EVALUATED,
		.reason = reason,
		.shed = row->level,
	};
	snprintf(reason, sizeof(reason), "shed at level %u: counted %s, without addresses",
		 row->level,
		 row->key.segments[0] == NOWHERE ? "with all other pairs of segments"
						 : "for the two segments");
	name_end(&r.flow.client, setting->site, row->key.segments[0]);
	name_end(&r.flow.server, setting->site, row->key.segments[1]);
	identify(setting, &r.flow, id);
	sink(context, &r);
}

void pairs_flush(struct pairs *p, const struct record_setting *setting, record_sink *sink,
		 void *context)
{
	if (!p->count)
		return;
	for (size_t i = 0; i < p->count; i++)
		send(&p->rows[i], setting, sink, context);
	p->count = 0;
	memset(p->places, 0, sizeof(p->places));
}
