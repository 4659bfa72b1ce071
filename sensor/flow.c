/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/flow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/pages.h"
#include "sensor/community_id.h"

enum {
	WHEEL = 1024, /* seconds that the wheel spans */
	EVICTION_SAMPLE = 24,
	TCP = 6,
	UDP = 17,
};

struct slot {
	uint32_t hash;   /* low half of the key's hash: place and first comparison */
	uint32_t number; /* of the flow, plus one; 0: free */
};

struct flow_table {
	struct flow *flows;
	struct slot *slots;
	uint32_t mask;
	uint32_t capacity, count, used; /* used: flows ever handed out, so pages stay untouched */
	uint32_t free_list;
	uint32_t hand; /* where the next eviction sample starts */
	uint32_t wheel[WHEEL];
	int64_t tick; /* next second to be looked at */
	struct flow_timeouts timeouts;
	uint64_t seed, evictions, opened;
	flow_emit *emit;
	void *context;
};

struct flow_table *flow_table_create(size_t flows, const struct flow_timeouts *timeouts,
				     uint64_t seed, flow_emit *emit, void *context)
{
	struct flow_table *t = calloc(1, sizeof(*t));
	size_t slots = 64;

	if (!t)
		return NULL;
	while (slots < flows * 2)
		slots *= 2;
	t->capacity = (uint32_t)flows;
	t->mask = (uint32_t)(slots - 1);
	t->flows = pages_map(flows * sizeof(*t->flows));
	t->slots = pages_map(slots * sizeof(*t->slots));
	t->free_list = FLOW_NONE;
	memset(t->wheel, 0xff, sizeof(t->wheel));
	t->tick = INT64_MIN;
	t->timeouts = *timeouts;
	t->seed = seed;
	t->emit = emit;
	t->context = context;
	if (!t->flows || !t->slots) {
		flow_table_destroy(t);
		return NULL;
	}
	return t;
}

void flow_table_destroy(struct flow_table *t)
{
	if (!t)
		return;
	pages_unmap(t->flows, t->capacity * sizeof(*t->flows));
	pages_unmap(t->slots, ((size_t)t->mask + 1) * sizeof(*t->slots));
	free(t);
}

static void ports_of(const struct packet *p, uint16_t *source, uint16_t *dest)
{
	*source = *dest = 0;
	if (p->has_ports) {
		*source = p->source_port;
		*dest = p->dest_port;
	} else if (p->has_icmp) {
		int answer = community_id_counterpart(p->protocol, p->icmp_type);
		*source = p->icmp_type;
		*dest = answer < 0 ? p->icmp_code : (uint16_t)answer;
	}
}

unsigned flow_key_of(const struct packet *p, uint16_t realm, struct flow_key *out)
{
	uint16_t source, dest;

	ports_of(p, &source, &dest);
	int order = ip_compare(&p->source, &p->dest);
	unsigned side = order > 0 || (order == 0 && source > dest);
	out->ip[side] = p->source;
	out->ip[!side] = p->dest;
	out->port[side] = source;
	out->port[!side] = dest;
	out->realm = realm;
	out->protocol = p->protocol;
	out->zero = 0;
	return side;
}

uint64_t flow_hash(const struct flow_table *t, const struct flow_key *key)
{
	return XXH3_64bits_withSeed(key, sizeof(*key), t->seed);
}

/* As eight-byte words: a call of memcmp costs more than the comparison. */
static bool same_key(const struct flow_key *a, const struct flow_key *b)
{
	uint64_t x[sizeof(*a) / 8], y[sizeof(*a) / 8], differs = 0;

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	for (size_t i = 0; i < sizeof(x) / sizeof(x[0]); i++)
		differs |= x[i] ^ y[i];
	return !differs;
}

struct flow *flow_table_find(struct flow_table *t, const struct flow_key *key, uint64_t hash)
{
	for (uint32_t at = (uint32_t)hash & t->mask;; at = (at + 1) & t->mask) {
		const struct slot *s = &t->slots[at];
		if (!s->number)
			return NULL;
		if (s->hash != (uint32_t)hash)
			continue;
		struct flow *f = &t->flows[s->number - 1];
		if (same_key(&f->key, key))
			return f;
	}
}

void flow_table_prefetch_slot(const struct flow_table *t, uint64_t hash)
{
	__builtin_prefetch(&t->slots[(uint32_t)hash & t->mask]);
}

void flow_table_prefetch(const struct flow_table *t, uint64_t hash)
{
	const struct slot *s = &t->slots[(uint32_t)hash & t->mask];

	if (!s->number)
		return;
	const uint8_t *f = (const uint8_t *)&t->flows[s->number - 1];
	__builtin_prefetch(f, 1);
	__builtin_prefetch(f + 64, 1);
	__builtin_prefetch(f + 128, 1);
}

static void slots_insert(struct flow_table *t, uint32_t hash, uint32_t number)
{
	uint32_t at = hash & t->mask;

	while (t->slots[at].number)
		at = (at + 1) & t->mask;
	t->slots[at] = (struct slot){ hash, number + 1 };
}

/* Linear probing without tombstones: what stood behind moves up. */
static void slots_remove(struct flow_table *t, const struct flow *f)
{
	uint32_t number = flow_number(t, f) + 1;
	uint32_t hole = (uint32_t)flow_hash(t, &f->key) & t->mask;

	while (t->slots[hole].number != number)
		hole = (hole + 1) & t->mask;
	for (uint32_t at = (hole + 1) & t->mask; t->slots[at].number; at = (at + 1) & t->mask) {
		uint32_t home = t->slots[at].hash & t->mask;
		if (((at - home) & t->mask) < ((at - hole) & t->mask))
			continue;
		t->slots[hole] = t->slots[at];
		hole = at;
	}
	t->slots[hole].number = 0;
}

uint32_t flow_number(const struct flow_table *t, const struct flow *f)
{
	return (uint32_t)(f - t->flows);
}

struct flow *flow_at(struct flow_table *t, uint32_t number)
{
	return &t->flows[number];
}

size_t flow_table_count(const struct flow_table *t)
{
	return t->count;
}

uint64_t flow_table_evictions(const struct flow_table *t)
{
	return t->evictions;
}

static bool in_use(const struct flow *f)
{
	return f->identity != 0;
}

static int64_t seconds_of(int64_t us)
{
	return us / USEC_PER_SECOND - (us % USEC_PER_SECOND < 0);
}

static struct usec idle_of(const struct flow_table *t, const struct flow *f)
{
	if (f->closed)
		return t->timeouts.closed;
	if (f->key.protocol == UDP)
		return t->timeouts.udp_idle;
	if (f->key.protocol != TCP)
		return t->timeouts.other_idle;
	/* A connection that was never accepted need not wait as long. */
	if (!((f->flags[0] | f->flags[1]) & 0x10))
		return t->timeouts.handshake;
	return t->timeouts.tcp_idle;
}

static int64_t idle_deadline(const struct flow_table *t, const struct flow *f)
{
	return f->last + idle_of(t, f).v;
}

static int64_t deadline(const struct flow_table *t, const struct flow *f)
{
	int64_t idle = idle_deadline(t, f), active = f->since + t->timeouts.active.v;
	return idle < active ? idle : active;
}

#define WHEEL_HEAD 0x80000000u

static void wheel_take(struct flow_table *t, const struct flow *f)
{
	if (f->wheel_next != FLOW_NONE)
		t->flows[f->wheel_next].wheel_prev = f->wheel_prev;
	if (f->wheel_prev & WHEEL_HEAD)
		t->wheel[f->wheel_prev & ~WHEEL_HEAD] = f->wheel_next;
	else
		t->flows[f->wheel_prev].wheel_next = f->wheel_next;
}

/* The wheel looks at a flow when its deadline may have come. Packets in between
 * cost nothing: if there were any, the flow is then just put further on. */
static void wheel_put(struct flow_table *t, struct flow *f, int64_t when)
{
	int64_t second = seconds_of(when) + 1;

	if (second < t->tick)
		second = t->tick;
	if (second >= t->tick + WHEEL)
		second = t->tick + WHEEL - 1;
	uint32_t chain = (uint32_t)((uint64_t)second % WHEEL);
	f->wheel_next = t->wheel[chain];
	f->wheel_prev = WHEEL_HEAD | chain;
	if (f->wheel_next != FLOW_NONE)
		t->flows[f->wheel_next].wheel_prev = flow_number(t, f);
	t->wheel[chain] = flow_number(t, f);
}

void flow_table_closed(struct flow_table *t, struct flow *f)
{
	wheel_take(t, f);
	wheel_put(t, f, deadline(t, f));
}

static void release(struct flow_table *t, struct flow *f)
{
	slots_remove(t, f);
	f->identity = 0;
	f->wheel_next = t->free_list;
	t->free_list = flow_number(t, f);
	t->count--;
}

void flow_table_end(struct flow_table *t, struct flow *f, enum end_reason reason)
{
	wheel_take(t, f);
	t->emit(t->context, f, reason);
	release(t, f);
}

/* What a flow is worth keeping: its tier first, then whether there was ever
 * more than one packet, then how long it has been silent. Higher stays. */
static uint64_t worth(const struct flow *f, int64_t now)
{
	uint64_t silent = now > f->last ? (uint64_t)(now - f->last) / 1000 : 0;
	uint64_t answered = f->interim || f->packets[0] + f->packets[1] > 1;

	if (silent > UINT32_MAX)
		silent = UINT32_MAX;
	return (uint64_t)f->eviction_value << 40 | answered << 36 | (UINT32_MAX - silent);
}

static void evict(struct flow_table *t, int64_t now)
{
	struct flow *victim = NULL;
	uint64_t least = UINT64_MAX;

	for (uint32_t i = 0; i < EVICTION_SAMPLE; i++) {
		struct flow *f = &t->flows[(t->hand + i) % t->used];
		if (!in_use(f))
			continue;
		uint64_t w = worth(f, now);
		if (w < least) {
			least = w;
			victim = f;
		}
	}
	t->hand = (t->hand + EVICTION_SAMPLE) % t->used;
	assert(victim); /* the table is full: all are in use */
	t->evictions++;
	flow_table_end(t, victim, END_EVICTED);
}

static struct flow *take_free(struct flow_table *t)
{
	if (t->free_list == FLOW_NONE)
		return &t->flows[t->used++];
	struct flow *f = &t->flows[t->free_list];
	t->free_list = f->wheel_next;
	return f;
}

struct flow *flow_table_add(struct flow_table *t, const struct flow_key *key, uint64_t hash,
			    uint8_t value, int64_t now)
{
	if (t->count == t->capacity)
		evict(t, now);
	if (t->tick == INT64_MIN)
		t->tick = seconds_of(now);
	struct flow *f = take_free(t);
	memset(f, 0, sizeof(*f));
	f->key = *key;
	f->identity = ++t->opened;
	f->context = FLOW_NONE;
	f->dpi_slot = -1;
	f->eviction_value = value;
	f->start = f->record_start = f->record_end = f->since = f->last = now;
	t->count++;
	slots_insert(t, (uint32_t)hash, flow_number(t, f));
	wheel_put(t, f, deadline(t, f));
	return f;
}

static enum end_reason reason_of(const struct flow *f)
{
	return f->closed ? (enum end_reason)(f->closed - 1) : END_IDLE;
}

static void begin_next(struct flow_table *t, struct flow *f, int64_t now)
{
	if (f->packets[0] + f->packets[1]) {
		t->emit(t->context, f, END_ACTIVE);
		f->interim++;
	}
	f->since = f->record_start = f->record_end = now;
}

static void look_at(struct flow_table *t, struct flow *f, int64_t now)
{
	if (idle_deadline(t, f) <= now) {
		flow_table_end(t, f, reason_of(f));
		return;
	}
	wheel_take(t, f);
	if (f->since + t->timeouts.active.v <= now)
		begin_next(t, f, now);
	wheel_put(t, f, deadline(t, f));
}

/* All that a record is made of. */
static void prefetch_flow(const struct flow *f)
{
	for (size_t i = 0; i < sizeof(*f); i += 64)
		__builtin_prefetch((const uint8_t *)f + i, 1);
}

static void look_at_second(struct flow_table *t, int64_t second, int64_t now)
{
	uint32_t *chain = &t->wheel[(uint64_t)second % WHEEL];
	uint32_t number = *chain;

	t->tick = second + 1; /* what is put back lands behind this second */
	while (number != FLOW_NONE) {
		uint32_t next = t->flows[number].wheel_next;
		if (next != FLOW_NONE)
			prefetch_flow(&t->flows[next]);
		look_at(t, &t->flows[number], now);
		number = next;
	}
}

void flow_table_expire(struct flow_table *t, int64_t now)
{
	int64_t second = seconds_of(now);

	if (t->tick == INT64_MIN || second < t->tick)
		return;
	/* After a long silence one turn of the wheel sees every flow. */
	if (second - t->tick >= WHEEL)
		t->tick = second - WHEEL + 1;
	for (int64_t s = t->tick; s <= second; s++)
		look_at_second(t, s, now);
}

static int by_identity(const void *a, const void *b, void *table)
{
	const struct flow *flows = ((const struct flow_table *)table)->flows;
	uint64_t x = flows[*(const uint32_t *)a].identity, y = flows[*(const uint32_t *)b].identity;
	return (x > y) - (x < y);
}

void flow_table_flush(struct flow_table *t, enum end_reason reason)
{
	uint32_t *order = malloc((t->count + 1) * sizeof(*order));
	uint32_t n = 0;

	for (uint32_t i = 0; order && i < t->used; i++)
		if (in_use(&t->flows[i]))
			order[n++] = i;
	if (order)
		qsort_r(order, n, sizeof(*order), by_identity, t);
	for (uint32_t i = 0; i < (order ? n : t->used); i++) {
		struct flow *f = &t->flows[order ? order[i] : i];
		if (order && i + 2 < n)
			prefetch_flow(&t->flows[order[i + 2]]);
		if (in_use(f))
			flow_table_end(t, f, f->closed ? reason_of(f) : reason);
	}
	free(order);
	t->tick = INT64_MIN;
	memset(t->wheel, 0xff, sizeof(t->wheel));
}

void flow_table_each(struct flow_table *t, void (*visit)(void *context, struct flow *f),
		     void *context)
{
	for (uint32_t i = 0; i < t->used; i++)
		if (in_use(&t->flows[i]))
			visit(context, &t->flows[i]);
}

void flow_table_set_timeouts(struct flow_table *t, const struct flow_timeouts *timeouts)
{
	t->timeouts = *timeouts;
	for (uint32_t i = 0; i < t->used; i++) {
		struct flow *f = &t->flows[i];
		if (!in_use(f))
			continue;
		wheel_take(t, f);
		wheel_put(t, f, deadline(t, f));
	}
}

void flow_table_interim(struct flow_table *t, int64_t now)
{
	for (uint32_t i = 0; i < t->used; i++)
		if (in_use(&t->flows[i]))
			begin_next(t, &t->flows[i], now);
}
