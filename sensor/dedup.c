/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/dedup.h"

#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
	WAYS = 4,
	HOPS = 3,
	TRANSPORT_BYTES = 96, /* header and first payload bytes that must agree */

	ROUTED_WINDOW = 50000,  /* us between hops of one packet */
	MIRROR_WINDOW = 10000,  /* us, identical frames with an identification */
	DOUBLING_WINDOW = 2000, /* us, without one, on a feed that doubles frames */

	EVIDENCE_PERIOD = 256, /* packets with an identification after which the feed is judged */
};

struct seen {
	uint64_t signature;
	int64_t first; /* us */
	uint32_t hop[HOPS];
	uint16_t count[HOPS]; /* times seen at that hop */
	uint16_t most;        /* of the counts: packets that were really sent */
};

struct dedup {
	struct seen *table;
	size_t sets;
	uint64_t seed;
	uint32_t judged, doubled; /* of the current period */
	bool feed_doubles;
};

struct dedup *dedup_create(size_t entries, uint64_t seed)
{
	struct dedup *d = calloc(1, sizeof(*d));
	size_t sets = 16;

	if (!d)
		return NULL;
	while (sets * WAYS < entries)
		sets *= 2;
	d->table = calloc(sets * WAYS, sizeof(*d->table));
	d->sets = sets;
	d->seed = seed;
	if (!d->table) {
		free(d);
		return NULL;
	}
	return d;
}

void dedup_destroy(struct dedup *d)
{
	if (!d)
		return;
	free(d->table);
	free(d);
}

void dedup_reset(struct dedup *d)
{
	memset(d->table, 0, d->sets * WAYS * sizeof(*d->table));
	d->judged = d->doubled = 0;
	d->feed_doubles = false;
}

/* Identification that tells two packets of equal content apart: IPv4 only, and
 * zero is what hosts send that do not count. */
static bool has_identification(const struct packet *p)
{
	return !p->v6 && p->ip_id != 0;
}

static uint64_t signature_of(const struct packet *p, uint64_t flow_hash, unsigned side)
{
	/* Only one piece of a datagram shows a transport header, and only the first
	 * time that one completes: pieces go by identification and place. */
	size_t n = p->piece ? 0 : cursor_left(&p->transport);
	uint64_t seed = (flow_hash + side * 0x9e3779b97f4a7c15) ^
			((uint64_t)p->ip_id << 32 | p->ip_bytes) * 0xff51afd7ed558ccd;

	seed ^= p->piece * 0xc4ceb9fe1a85ec53;
	if (n > TRANSPORT_BYTES)
		n = TRANSPORT_BYTES;
	return XXH3_64bits_withSeed(n ? p->transport.at : (const void *)&seed, n, seed);
}

static uint32_t hop_of(const struct dedup *d, const struct packet *p)
{
	uint8_t bytes[12 + 1 + 2 * DECODE_VLANS + 4 * DECODE_TUNNELS] = { 0 };
	size_t n = 13;

	if (p->has_mac) {
		memcpy(bytes, p->source_mac, 6);
		memcpy(bytes + 6, p->dest_mac, 6);
	}
	bytes[12] = p->ttl;
	for (size_t i = 0; i < p->vlan_count; i++, n += 2)
		memcpy(bytes + n, &p->vlans[i], 2);
	for (size_t i = 0; i < p->tunnel_count; i++, n += 4)
		memcpy(bytes + n, &p->tunnels[i].id, 4);
	uint32_t hop = (uint32_t)XXH3_64bits_withSeed(bytes, n, d->seed);
	return hop ? hop : 1;
}

static int64_t distance(int64_t a, int64_t b)
{
	return a > b ? a - b : b - a;
}

/* The set's entry for a signature, or the one to be given up for it: the furthest
 * in time, which may lie ahead when the clock was set back. */
static struct seen *find(struct dedup *d, uint64_t signature, int64_t time)
{
	struct seen *set = &d->table[(signature & (d->sets - 1)) * WAYS];
	struct seen *oldest = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].signature == signature)
			return &set[i];
		if (distance(set[i].first, time) > distance(oldest->first, time))
			oldest = &set[i];
	}
	return oldest;
}

static enum dedup_answer begin(struct seen *s, uint64_t signature, int64_t time, uint32_t hop)
{
	*s = (struct seen){ .signature = signature, .first = time, .most = 1 };
	s->hop[0] = hop;
	s->count[0] = 1;
	return DEDUP_NEW;
}

/* Learns whether this feed shows identical frames twice as a rule. */
static void weigh(struct dedup *d, bool doubled)
{
	d->doubled += doubled;
	if (++d->judged < EVIDENCE_PERIOD)
		return;
	d->feed_doubles = d->doubled >= EVIDENCE_PERIOD / 4;
	d->judged = d->doubled = 0;
}

static bool is_mirror_copy(const struct dedup *d, const struct packet *p, int64_t age)
{
	if (has_identification(p))
		return age <= MIRROR_WINDOW;
	return d->feed_doubles && age <= DOUBLING_WINDOW;
}

static enum dedup_answer seen_again(struct dedup *d, struct seen *s, size_t at,
				    const struct packet *p, int64_t age)
{
	if (s->count[at] < s->most) {
		s->count[at]++;
		return DEDUP_ROUTED;
	}
	if (is_mirror_copy(d, p, age))
		return DEDUP_MIRROR;
	s->most = ++s->count[at];
	s->first = p->time.v;
	return DEDUP_NEW;
}

static enum dedup_answer judge(struct dedup *d, const struct packet *p, uint64_t signature)
{
	struct seen *s = find(d, signature, p->time.v);
	uint32_t hop = hop_of(d, p);
	int64_t age = distance(p->time.v, s->first);

	if (s->signature != signature || age > ROUTED_WINDOW)
		return begin(s, signature, p->time.v, hop);
	for (size_t i = 0; i < HOPS; i++) {
		if (s->hop[i] == hop)
			return seen_again(d, s, i, p, age);
		if (s->hop[i])
			continue;
		s->hop[i] = hop;
		s->count[i] = 1;
		return DEDUP_ROUTED;
	}
	return DEDUP_ROUTED; /* more hops than we keep */
}

enum dedup_answer dedup_see(struct dedup *d, const struct packet *p, uint64_t flow_hash,
			    unsigned side)
{
	uint64_t signature = signature_of(p, flow_hash, side);
	enum dedup_answer answer = judge(d, p, signature ? signature : 1);

	if (has_identification(p) && answer != DEDUP_ROUTED)
		weigh(d, answer == DEDUP_MIRROR);
	return answer;
}
