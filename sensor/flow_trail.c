/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/flow_trail.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"
#include "sensor/flow.h"

struct flow_trails {
	struct flow_trail *trails;
	size_t count, used; /* used: ever handed out */
	struct flow_trail *free_list;
};

struct flow_trails *flow_trails_create(size_t flows)
{
	struct flow_trails *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->count = flows;
	t->trails = pages_map(flows * sizeof(*t->trails));
	if (t->trails)
		return t;
	free(t);
	return NULL;
}

void flow_trails_destroy(struct flow_trails *t)
{
	if (!t)
		return;
	pages_unmap(t->trails, t->count * sizeof(*t->trails));
	free(t);
}

struct flow_trail *flow_trail_of(struct flow_trails *t, struct flow *f)
{
	if (f->trail)
		return f->trail;
	struct flow_trail *trail = t->free_list;
	if (trail) {
		t->free_list = trail->next;
	} else {
		assert(t->used < t->count);
		trail = &t->trails[t->used++];
	}
	memset(trail, 0, sizeof(*trail));
	return f->trail = trail;
}

void flow_trail_drop(struct flow_trails *t, struct flow *f)
{
	if (!f->trail)
		return;
	f->trail->next = t->free_list;
	t->free_list = f->trail;
	f->trail = NULL;
}

/* --- hops --- */

static bool in_trail(const struct flow *f)
{
	return f->trail && f->trail->hop_count[0] + f->trail->hop_count[1];
}

size_t flow_hop_count(const struct flow *f, unsigned side)
{
	return in_trail(f) ? f->trail->hop_count[side] : f->link.sides >> side & 1;
}

struct flow_hop flow_hop(const struct flow *f, unsigned side, size_t i)
{
	const struct flow_link *l = &f->link;

	if (in_trail(f))
		return f->trail->hops[side][i];
	struct flow_hop hop = { .vlans = l->vlans, .ttl = l->ttl[side], .has_mac = l->has_mac };
	memcpy(hop.source_mac, l->macs[side], 6);
	memcpy(hop.dest_mac, l->macs[!side], 6);
	return hop;
}

static uint32_t vlans_of(const struct packet *p)
{
	if (p->vlan_count == 0)
		return 0;
	uint32_t inner = p->vlans[p->vlan_count - 1] & 0xfff;
	return p->vlan_count == 1 ? inner
				  : (uint32_t)(p->vlans[p->vlan_count - 2] & 0xfff) << 16 | inner;
}

static bool same_place(const struct flow_hop *a, const struct flow_hop *b)
{
	return a->vlans == b->vlans && a->has_mac == b->has_mac &&
	       !memcmp(a->source_mac, b->source_mac, 6) && !memcmp(a->dest_mac, b->dest_mac, 6);
}

/* The first hop of a side, where the link has room for it or is the same one. */
static bool link_takes(struct flow *f, const struct flow_hop *hop, unsigned side)
{
	struct flow_link *l = &f->link;

	if (!l->sides) {
		l->vlans = hop->vlans;
		l->has_mac = hop->has_mac;
		memcpy(l->macs[side], hop->source_mac, 6);
		memcpy(l->macs[!side], hop->dest_mac, 6);
	} else if (l->vlans != hop->vlans || l->has_mac != hop->has_mac ||
		   memcmp(l->macs[side], hop->source_mac, 6) ||
		   memcmp(l->macs[!side], hop->dest_mac, 6)) {
		return false;
	}
	l->ttl[side] = hop->ttl;
	l->sides |= (uint8_t)(1u << side);
	return true;
}

static void move_to_trail(struct flow_trails *t, struct flow *f)
{
	struct flow_hop known[2] = { flow_hop(f, 0, 0), flow_hop(f, 1, 0) };
	struct flow_trail *trail = flow_trail_of(t, f);

	for (unsigned side = 0; side < 2; side++) {
		trail->hops[side][0] = known[side];
		trail->hop_count[side] = f->link.sides >> side & 1;
	}
}

static void insert(struct flow_trail *trail, const struct flow_hop *hop, unsigned side)
{
	struct flow_hop *hops = trail->hops[side];
	size_t n = trail->hop_count[side], at = 0;

	if (n == FLOW_HOPS)
		return;
	while (at < n && hops[at].ttl >= hop->ttl)
		at++; /* each router takes one off: the highest stands nearest to the sender */
	memmove(&hops[at + 1], &hops[at], (n - at) * sizeof(*hop));
	hops[at] = *hop;
	trail->hop_count[side]++;
}

void flow_add_hop(struct flow_trails *t, struct flow *f, const struct packet *p, unsigned side)
{
	struct flow_hop hop = { .vlans = vlans_of(p), .ttl = p->ttl, .has_mac = p->has_mac };
	size_t n = flow_hop_count(f, side);

	if (p->has_mac) {
		memcpy(hop.source_mac, p->source_mac, 6);
		memcpy(hop.dest_mac, p->dest_mac, 6);
	}
	for (size_t i = 0; i < n; i++) {
		struct flow_hop known = flow_hop(f, side, i);
		if (same_place(&known, &hop))
			return;
	}
	if (!in_trail(f)) {
		if (!n && link_takes(f, &hop, side))
			return;
		move_to_trail(t, f);
	}
	insert(f->trail, &hop, side);
}

/* --- the rest --- */

void flow_set_tunnels(struct flow_trails *t, struct flow *f, const struct packet *p)
{
	if (!p->tunnel_count)
		return;
	struct flow_trail *trail = flow_trail_of(t, f);
	trail->tunnel_count = p->tunnel_count;
	memcpy(trail->tunnels, p->tunnels, sizeof(trail->tunnels));
}

size_t flow_tunnel_count(const struct flow *f)
{
	return f->trail ? f->trail->tunnel_count : 0;
}

uint64_t flow_missed_bytes(const struct flow *f)
{
	return f->trail ? f->trail->missed_bytes : 0;
}
