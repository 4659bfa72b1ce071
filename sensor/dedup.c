/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/dedup.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/pages.h"

enum {
	WAYS = 4,
	HOPS = 3,
	TRANSPORT_BYTES = 96, /* header and first payload bytes that must agree */

	ROUTED_WINDOW = 50000,  /* us between hops of one packet */
	MIRROR_WINDOW = 10000,  /* us, identical frames with an identification */
	DOUBLING_WINDOW = 2000, /* us, without one, on a feed that doubles frames */

	EVIDENCE_PERIOD = 256, /* packets with an identification after which the feed is judged */
	LINKS = 1024,          /* pairs of neighbours that are judged on their own; power of two */
	LINK_PERIOD = 128,     /* packets after which older evidence of a link counts half */

	TCP_SYN = 2,
	PROTOCOL_TCP = 6,
	PROTOCOL_ICMP6 = 58,
};

struct seen {
	uint32_t hop[HOPS];
	uint8_t count[HOPS]; /* times seen at that hop */
	uint8_t most;        /* of the counts: packets that were really sent */
};

/* A cache line: what is searched, and where a packet was seen that was seen once. */
struct set {
	alignas(64) uint64_t signatures[WAYS];
	uint32_t first[WAYS]; /* low half of the stamp in us: windows are far shorter */
	uint32_t hops[WAYS];  /* even; odd: it was seen again, and there is more in `seen` */
};

/* Two neighbours on the wire, in both directions: a mirror shows both of their ports, or
 * one. A switch whose ports are all mirrored doubles what stays in a segment, and shows
 * what it routes once at each hop. */
struct link {
	uint16_t name;           /* tells links of one place apart */
	uint8_t judged, doubled; /* packets that were new or doubled here */
};

struct dedup {
	struct set *table;
	struct seen (*seen)[WAYS]; /* as many as sets; touched by copies only */
	size_t sets;
	uint64_t seed;
	struct link links[LINKS];
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
	d->table = pages_map(sets * sizeof(*d->table));
	d->seen = pages_map(sets * sizeof(*d->seen));
	d->sets = sets;
	d->seed = seed;
	if (d->table && d->seen)
		return d;
	dedup_destroy(d);
	return NULL;
}

void dedup_destroy(struct dedup *d)
{
	if (!d)
		return;
	pages_unmap(d->table, d->sets * sizeof(*d->table));
	pages_unmap(d->seen, d->sets * sizeof(*d->seen));
	free(d);
}

void dedup_reset(struct dedup *d)
{
	memset(d->table, 0, d->sets * sizeof(*d->table));
	memset(d->links, 0, sizeof(d->links));
	d->judged = d->doubled = 0;
	d->feed_doubles = false;
}

/* Identification that tells two packets of equal content apart: IPv4 only, and
 * zero is what hosts send that do not count. */
static bool has_identification(const struct packet *p)
{
	return !p->v6 && p->ip_id != 0;
}

uint64_t dedup_signature(const struct packet *p, uint64_t flow_hash, unsigned side)
{
	/* Only one piece of a datagram shows a transport header, and only the first
	 * time that one completes: pieces go by identification and place. */
	size_t n = p->piece ? 0 : cursor_left(&p->transport);
	uint64_t seed = (flow_hash + side * 0x9e3779b97f4a7c15) ^
			((uint64_t)p->ip_id << 32 | p->ip_bytes) * 0xff51afd7ed558ccd;

	seed ^= p->piece * 0xc4ceb9fe1a85ec53;
	if (n > TRANSPORT_BYTES)
		n = TRANSPORT_BYTES;
	uint64_t signature =
		XXH3_64bits_withSeed(n ? p->transport.at : (const void *)&seed, n, seed);
	return signature ? signature : 1;
}

static struct set *set_of(const struct dedup *d, uint64_t signature)
{
	return &d->table[signature & (d->sets - 1)];
}

void dedup_prefetch(const struct dedup *d, uint64_t signature)
{
	__builtin_prefetch(set_of(d, signature), 1);
}

static uint64_t mac_number(const uint8_t mac[6])
{
	uint32_t first;
	uint16_t last;

	memcpy(&first, mac, 4);
	memcpy(&last, mac + 4, 2);
	return (uint64_t)last << 32 | first;
}

/* The steps of MurmurHash3's finaliser: cheap, and every bit in counts for all out. */
static uint64_t mix(uint64_t h, uint64_t with)
{
	h = (h ^ with) * 0xff51afd7ed558ccd;
	h = (h ^ h >> 32) * 0xc4ceb9fe1a85ec53;
	return h ^ h >> 29;
}

static uint32_t hop_of(const struct dedup *d, const struct packet *p)
{
	uint64_t h = d->seed ^ ((uint64_t)p->ttl << 16 | p->vlan_count << 8 | p->tunnel_count);

	if (p->has_mac)
		h = mix(mix(h, mac_number(p->source_mac)), mac_number(p->dest_mac));
	for (size_t i = 0; i < p->vlan_count; i++)
		h = mix(h, p->vlans[i]);
	for (size_t i = 0; i < p->tunnel_count; i++)
		h = mix(h, p->tunnels[i].id);
	uint32_t hop = (uint32_t)mix(h, 0) & ~1u;
	return hop ? hop : 2;
}

static uint32_t distance(uint32_t a, uint32_t b)
{
	return a - b <= INT32_MAX ? a - b : b - a;
}

/* The set's place of a signature, or of what is to be given up for it: the furthest
 * in time, which may lie ahead when the clock was set back. */
static size_t find(const struct set *set, uint64_t signature, uint32_t time)
{
	size_t oldest = 0;
	uint32_t longest = distance(set->first[0], time);

	for (size_t i = 0; i < WAYS; i++)
		if (set->signatures[i] == signature)
			return i;
	for (size_t i = 1; i < WAYS; i++) {
		uint32_t d = distance(set->first[i], time);
		oldest = d > longest ? i : oldest;
		longest = d > longest ? d : longest;
	}
	return oldest;
}

static enum dedup_answer begin(struct set *set, size_t at, uint64_t signature, uint32_t time,
			       uint32_t hop)
{
	set->signatures[at] = signature;
	set->first[at] = time;
	set->hops[at] = hop;
	return DEDUP_NEW;
}

/* What was seen of a packet that shows up again. */
static struct seen *seen_of(struct dedup *d, struct set *set, size_t at)
{
	struct seen *s = &d->seen[set - d->table][at];

	if (!(set->hops[at] & 1))
		*s = (struct seen){ .hop[0] = set->hops[at], .count[0] = 1, .most = 1 };
	set->hops[at] |= 1;
	return s;
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

/* The link that a packet was seen on. One that has no place yet takes it from another. */
static struct link *link_of(struct dedup *d, const struct packet *p)
{
	uint64_t both = mac_number(p->source_mac) + mac_number(p->dest_mac);

	if (p->vlan_count)
		both += (uint64_t)p->vlans[p->vlan_count - 1] << 48;
	uint64_t mixed = (both ^ d->seed) * 0x9e3779b97f4a7c15;
	struct link *l = &d->links[(mixed >> 48) % LINKS];
	uint16_t name = (uint16_t)(mixed >> 32);
	if (l->name != name)
		*l = (struct link){ .name = name };
	return l;
}

static void weigh_link(struct link *l, bool doubled)
{
	l->doubled += doubled;
	if (++l->judged < LINK_PERIOD)
		return;
	l->judged /= 2;
	l->doubled /= 2;
}

/* What nobody sends twice within DOUBLING_WINDOW: the first packets that hosts exchange,
 * and so the first evidence about a link. */
static bool is_never_hasty(const struct packet *p)
{
	return (p->protocol == PROTOCOL_TCP && p->tcp_flags & TCP_SYN) ||
	       p->protocol == PROTOCOL_ICMP6;
}

static bool is_mirror_copy(struct dedup *d, const struct packet *p, uint32_t age)
{
	if (has_identification(p))
		return age <= MIRROR_WINDOW;
	if (age > DOUBLING_WINDOW)
		return false;
	if (d->feed_doubles || is_never_hasty(p))
		return true;
	const struct link *l = link_of(d, p);
	return l->doubled > l->judged / 4;
}

/* Only how far the hops are apart matters, and they never are so far. */
static void lower(struct seen *s)
{
	const uint8_t by = UINT8_MAX / 2;

	for (size_t i = 0; i < HOPS; i++)
		s->count[i] = s->count[i] > by ? s->count[i] - by : 0;
	s->most -= by;
}

static enum dedup_answer seen_again(struct dedup *d, struct seen *s, size_t at,
				    const struct packet *p, uint32_t age)
{
	if (s->count[at] < s->most) {
		s->count[at]++;
		return DEDUP_ROUTED;
	}
	if (is_mirror_copy(d, p, age))
		return DEDUP_MIRROR;
	if (s->most == UINT8_MAX)
		lower(s);
	s->most = ++s->count[at];
	return DEDUP_NEW;
}

static enum dedup_answer judge(struct dedup *d, const struct packet *p, uint64_t signature)
{
	struct set *set = set_of(d, signature);
	uint32_t hop = hop_of(d, p), now = (uint32_t)p->time.v;
	size_t at = find(set, signature, now);
	uint32_t age = distance(now, set->first[at]);

	if (set->signatures[at] != signature || age > ROUTED_WINDOW)
		return begin(set, at, signature, now, hop);
	struct seen *s = seen_of(d, set, at);
	for (size_t i = 0; i < HOPS; i++) {
		if (s->hop[i] == hop) {
			enum dedup_answer answer = seen_again(d, s, i, p, age);
			if (answer == DEDUP_NEW)
				set->first[at] = now;
			return answer;
		}
		if (s->hop[i])
			continue;
		s->hop[i] = hop;
		s->count[i] = 1;
		return DEDUP_ROUTED;
	}
	return DEDUP_ROUTED; /* more hops than we keep */
}

enum dedup_answer dedup_see(struct dedup *d, const struct packet *p, uint64_t signature)
{
	enum dedup_answer answer = judge(d, p, signature);

	if (answer == DEDUP_ROUTED)
		return answer;
	weigh_link(link_of(d, p), answer == DEDUP_MIRROR);
	if (has_identification(p))
		weigh(d, answer == DEDUP_MIRROR);
	return answer;
}
