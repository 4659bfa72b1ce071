/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/flow.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "base/pages.h"
#include "schema/community_id.h"
#include "sensor/flow_index.h"

enum {
	WHEEL = 1024, /* seconds that the wheel spans */
	SAMPLE = 64,  /* flows looked at to find some to give up */
	STRETCH = 8,  /* of them stand side by side */
	GIVE_UP = 8,  /* at once, of a table of at least LARGE */
	LARGE = 4096,
	AHEAD = 3,     /* flows whose memory is asked for before they are ended */
	SAMPLES = 4,   /* looked at, at most, while all that was found is precious */
	PRECIOUS = 18, /* the rank from which a flow is more than an attempt */
	TCP = 6,
	UDP = 17,
};

#define OVERFLOW_LASTS (10 * (int64_t)USEC_PER_SECOND)

/* Flows to be given up, the least worth first; and how they were when they were chosen. */
struct victims {
	struct flow *flows[GIVE_UP];
	uint64_t worths[GIVE_UP], identities[GIVE_UP];
	int64_t lasts[GIVE_UP];
	size_t count, most;
};

struct flow_table {
	struct flow *flows;
	struct flow_trails *trails;
	struct flow_index index;
	uint32_t capacity, count, used; /* used: flows ever handed out, so pages stay untouched */
	uint32_t free_list;
	uint32_t hand; /* where the next eviction sample begins */
	uint32_t wheel[WHEEL];
	int64_t tick; /* next second to be looked at */
	struct flow_timeouts timeouts;
	uint64_t seed, evictions, opened;
	int64_t evicted_at; /* the clock at the last eviction, or INT64_MIN */
	struct victims victims;
	flow_emit *emit;
	flow_near *near; /* or NULL */
	void *context;
};

struct flow_table *flow_table_create(size_t flows, const struct flow_timeouts *timeouts,
				     uint64_t seed, flow_emit *emit, void *context)
{
	struct flow_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->capacity = (uint32_t)flows;
	t->flows = pages_map(flows * sizeof(*t->flows));
	t->trails = flow_trails_create(flows);
	t->free_list = FLOW_NONE;
	memset(t->wheel, 0xff, sizeof(t->wheel));
	t->tick = t->evicted_at = INT64_MIN;
	t->timeouts = *timeouts;
	t->seed = seed;
	t->emit = emit;
	t->context = context;
	if (!flow_index_create(&t->index, flows) || !t->flows || !t->trails) {
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
	flow_index_destroy(&t->index);
	flow_trails_destroy(t->trails);
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

uint64_t flow_mark(const struct packet *p)
{
	struct {
		uint32_t ip_id, ip_bytes, tcp_seq, tcp_ack;
		uint8_t macs[12], ttl, tcp_flags, zero[2];
		uint16_t vlans[DECODE_VLANS];
		uint32_t tunnels[DECODE_TUNNELS];
	} what = {
		.ip_id = p->ip_id,
		.ip_bytes = p->ip_bytes,
		.ttl = p->ttl,
	};

	if (p->protocol == TCP) {
		what.tcp_seq = p->tcp_seq;
		what.tcp_ack = p->tcp_ack;
		what.tcp_flags = p->tcp_flags;
	}
	if (p->has_mac) {
		memcpy(what.macs, p->source_mac, 6);
		memcpy(what.macs + 6, p->dest_mac, 6);
	}
	for (size_t i = 0; i < p->vlan_count; i++)
		what.vlans[i] = p->vlans[i];
	for (size_t i = 0; i < p->tunnel_count; i++)
		what.tunnels[i] = p->tunnels[i].id;
	return XXH3_64bits(&what, sizeof(what));
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
	const struct flow_bucket *b = flow_index_home(&t->index, hash);

	for (;; b = flow_index_next(&t->index, b)) {
		for (unsigned m = flow_bucket_matches(b, hash); m; m &= m - 1) {
			uint32_t entry = b->numbers[__builtin_ctz(m)];
			if (entry && same_key(&t->flows[entry - 1].key, key))
				return &t->flows[entry - 1];
		}
		if (!b->passed)
			return NULL;
	}
}

void flow_table_on_near(struct flow_table *t, flow_near *near)
{
	t->near = near;
}

void flow_table_prefetch_slot(const struct flow_table *t, uint64_t hash)
{
	__builtin_prefetch(flow_index_home(&t->index, hash), 1);
}

void flow_table_prefetch(const struct flow_table *t, uint64_t hash)
{
	const struct flow_bucket *b = flow_index_home(&t->index, hash);
	unsigned m = flow_bucket_matches(b, hash);
	uint32_t entry = m ? b->numbers[__builtin_ctz(m)] : 0;

	if (!entry)
		return;
	const uint8_t *f = (const uint8_t *)&t->flows[entry - 1];
	__builtin_prefetch(f, 1);
	__builtin_prefetch(f + 64, 1);
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

bool flow_table_overflows(const struct flow_table *t, int64_t now)
{
	return t->evicted_at != INT64_MIN && now - t->evicted_at < OVERFLOW_LASTS;
}

struct flow_trails *flow_table_trails(struct flow_table *t)
{
	return t->trails;
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

static void release(struct flow_table *t, struct flow *f, uint64_t hash)
{
	flow_index_remove(&t->index, hash, flow_number(t, f));
	flow_trail_drop(t->trails, f);
	f->identity = 0;
	f->wheel_next = t->free_list;
	t->free_list = flow_number(t, f);
	t->count--;
}

void flow_table_end(struct flow_table *t, struct flow *f, enum end_reason reason)
{
	uint64_t hash = flow_hash(t, &f->key);

	flow_table_prefetch_slot(t, hash); /* comes while the record is made */
	wheel_take(t, f);
	t->emit(t->context, f, reason);
	release(t, f, hash);
}

/* How far it has come to be a conversation: what is cheap to forge stands low. */
enum grade {
	LONE,         /* one packet */
	UNANSWERED,   /* more of them, and no answer; or a handshake that was not finished */
	ANSWERED,     /* both speak, and TCP's ends have agreed */
	CONVERSATION, /* they do so for a while */
	GRADES,
};

static enum grade grade_of(const struct flow *f)
{
	uint32_t packets = f->packets[0] + f->packets[1];
	bool both = f->sent == 3;
	bool agreed = both && (f->key.protocol != TCP || (f->flags[0] & f->flags[1] & 0x10));

	if (f->interim || packets >= 16 || (agreed && packets >= 4))
		return CONVERSATION;
	if (agreed)
		return ANSWERED;
	return packets > 1 ? UNANSWERED : LONE;
}

/* What a flow is worth keeping. The tier alone would let a flood that claims the
 * addresses of the most critical segment push out the conversations of all others;
 * the grade alone would let many small talks of guests push out what begins in a
 * clinical segment. What has only begun is worth the same in all clinical ones: else
 * nothing could begin in one while a flood claims to come from the other. Higher
 * stays; of equals, who was heard of last. */
static uint64_t worth(const struct flow *f, int64_t now)
{
	static const uint8_t ranks[IMPACT_COUNT][GRADES] = {
		[IMPACT_NONE] = { 0, 1, 8, 9 },
		[IMPACT_GUEST] = { 2, 3, 10, 11 },
		[IMPACT_ADMINISTRATIVE] = { 4, 5, 12, 13 },
		[IMPACT_OPERATIONAL] = { 6, 7, PRECIOUS, 21 },
		[IMPACT_CARE_CRITICAL] = { 14, 15, 19, 22 },
		[IMPACT_LIFE_CRITICAL] = { 14, 15, 19, 23 },
	};
	uint64_t silent = now > f->last ? (uint64_t)(now - f->last) / 1000 : 0;
	uint64_t rank = ranks[f->eviction_value][grade_of(f)];

	if (silent > UINT32_MAX)
		silent = UINT32_MAX;
	return rank << 32 | (UINT32_MAX - silent);
}

static void consider(struct victims *v, struct flow *f, uint64_t worth)
{
	size_t at = v->count;

	if (at == v->most && worth >= v->worths[--at])
		return;
	for (; at > 0 && worth < v->worths[at - 1]; at--) {
		v->worths[at] = v->worths[at - 1];
		v->flows[at] = v->flows[at - 1];
	}
	v->worths[at] = worth;
	v->flows[at] = f;
	v->count += v->count < v->most;
}

static bool is_all_lone(const struct victims *v)
{
	for (size_t i = 0; i < v->count; i++)
		if (grade_of(v->flows[i]) != LONE)
			return false;
	return v->count == v->most;
}

/* A sample is some stretches that lie far apart: what conversations took first, when the
 * sensor was started, is never a sample of its own. The hand goes round the table, so
 * lone packets that it finds are among the oldest, and there is no need to look further. */
static void look_for_victims(struct flow_table *t, int64_t now, struct victims *v)
{
	bool small = t->capacity < LARGE;
	uint32_t stretch = small ? 1 : STRETCH, n = t->capacity < SAMPLE ? t->capacity : SAMPLE;
	uint32_t stride = t->capacity / n * stretch, hand = t->hand;

	t->hand = (t->hand + stretch) % t->capacity;
	for (uint32_t i = 0; i < n; i++) {
		struct flow *f =
			&t->flows[(hand + i / stretch * stride + i % stretch) % t->capacity];
		if (in_use(f))
			consider(v, f, worth(f, now));
		if (!small && (i + 1) % stretch == 0 && is_all_lone(v))
			return;
	}
}

/* What is precious goes only where there is nothing else, and then one at a time. */
static void choose_victims(struct flow_table *t, int64_t now)
{
	struct victims *v = &t->victims;

	*v = (struct victims){ .most = t->capacity < LARGE ? 1 : GIVE_UP };
	for (int i = 0; i < SAMPLES && (!v->count || v->worths[0] >> 32 >= PRECIOUS); i++) {
		v->count = v->count > 1 ? 1 : v->count;
		look_for_victims(t, now, v);
	}
	while (v->count > 1 && v->worths[v->count - 1] >> 32 >= PRECIOUS)
		v->count--;
}

/* Those of the next time are chosen already, so that their memory is here by then. */
static void expect_victims(struct flow_table *t, int64_t now)
{
	struct victims *v = &t->victims;

	choose_victims(t, now);
	/* The stretch that the hand comes to next. */
	for (uint32_t i = 0; i < STRETCH; i++)
		__builtin_prefetch(&t->flows[(t->hand + i) % t->capacity]);
	for (size_t i = 0; i < v->count; i++) {
		const struct flow *f = v->flows[i];
		v->identities[i] = f->identity;
		v->lasts[i] = f->last;
		for (size_t line = 64; line < sizeof(*f); line += 64)
			__builtin_prefetch((const uint8_t *)f + line, 1);
		flow_table_prefetch_slot(t, flow_hash(t, &f->key));
	}
	for (size_t i = 0; i < v->count; i++) {
		const struct flow *f = v->flows[i];
		if (f->wheel_next != FLOW_NONE)
			__builtin_prefetch(&t->flows[f->wheel_next].wheel_prev, 1);
		if (!(f->wheel_prev & WHEEL_HEAD))
			__builtin_prefetch(&t->flows[f->wheel_prev].wheel_next, 1);
	}
}

/* What has ended or spoken since is none any more. */
static void forget_lively(struct victims *v)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->count; i++) {
		if (v->flows[i]->identity != v->identities[i] || v->flows[i]->last != v->lasts[i])
			continue;
		v->flows[kept++] = v->flows[i];
	}
	v->count = kept;
}

static void evict(struct flow_table *t, int64_t now)
{
	struct victims *v = &t->victims;

	forget_lively(v);
	if (!v->count)
		choose_victims(t, now);
	t->evicted_at = now;
	for (size_t i = v->count; i-- > 0;) { /* the least last: its place is taken next */
		t->evictions++;
		flow_table_end(t, v->flows[i], END_EVICTED);
	}
	v->count = 0;
	if (t->capacity >= LARGE)
		expect_victims(t, now);
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
	flow_index_add(&t->index, hash, flow_number(t, f));
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

/* The flow itself is in the cache by now; what it points at may not be. */
static void come_near(const struct flow_table *t, const struct flow *f)
{
	if (f->trail)
		__builtin_prefetch(f->trail, 1);
	if (t->near)
		t->near(t->context, f);
}

static void look_at_second(struct flow_table *t, int64_t second, int64_t now)
{
	uint32_t *chain = &t->wheel[(uint64_t)second % WHEEL];
	uint32_t number = *chain;

	t->tick = second + 1; /* what is put back lands behind this second */
	while (number != FLOW_NONE) {
		uint32_t next = t->flows[number].wheel_next;
		if (next != FLOW_NONE) {
			uint32_t after = t->flows[next].wheel_next;
			if (after != FLOW_NONE)
				prefetch_flow(&t->flows[after]);
			come_near(t, &t->flows[next]);
		}
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

struct opened {
	uint64_t identity;
	uint32_t number;
};

static int by_identity(const void *a, const void *b)
{
	uint64_t x = ((const struct opened *)a)->identity, y = ((const struct opened *)b)->identity;
	return (x > y) - (x < y);
}

/* Flows are mostly in the order in which they began: only what took a freed place is not. */
static void sort(struct opened *list, uint32_t n)
{
	uint32_t i = 1;

	while (i < n && list[i - 1].identity < list[i].identity)
		i++;
	if (i < n)
		qsort(list, n, sizeof(*list), by_identity);
}

static void end_in_order(struct flow_table *t, struct opened *list, uint32_t n,
			 enum end_reason reason)
{
	for (uint32_t i = 0; i < n; i++) {
		struct flow *f = &t->flows[list[i].number];
		if (i + AHEAD < n)
			prefetch_flow(&t->flows[list[i + AHEAD].number]);
		if (i + 1 < n)
			come_near(t, &t->flows[list[i + 1].number]);
		flow_table_end(t, f, f->closed ? reason_of(f) : reason);
	}
}

void flow_table_flush(struct flow_table *t, enum end_reason reason)
{
	struct opened *list = malloc((t->count + 1) * sizeof(*list));
	uint32_t n = 0;

	for (uint32_t i = 0; list && i < t->used; i++)
		if (in_use(&t->flows[i]))
			list[n++] = (struct opened){ t->flows[i].identity, i };
	if (list) {
		sort(list, n);
		end_in_order(t, list, n, reason);
	}
	for (uint32_t i = 0; !list && i < t->used; i++)
		if (in_use(&t->flows[i]))
			flow_table_end(t, &t->flows[i],
				       t->flows[i].closed ? reason_of(&t->flows[i]) : reason);
	free(list);
	t->tick = t->evicted_at = INT64_MIN;
	t->victims.count = 0;
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
