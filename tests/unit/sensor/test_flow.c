/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "sensor/flow.h"

#define S(n) ((int64_t)(n)*USEC_PER_SECOND)

static const struct flow_timeouts timeouts = {
	.tcp_idle = { S(300) },
	.udp_idle = { S(60) },
	.other_idle = { S(30) },
	.closed = { S(5) },
	.handshake = { S(30) },
	.active = { S(300) },
};

static struct emitted {
	uint16_t port;
	enum end_reason reason;
	uint32_t packets, interim;
} emitted[4096];
static size_t emitted_count;

static void note(void *context, struct flow *f, enum end_reason reason)
{
	(void)context;
	emitted[emitted_count++] =
		(struct emitted){ f->key.port[0], reason, f->packets[0], f->interim };
	if (reason == END_ACTIVE)
		f->packets[0] = 0;
}

static struct flow_key key_of(uint16_t port, uint8_t protocol)
{
	struct flow_key k = { .protocol = protocol, .port = { port, 53 } };

	cr_assert(ip_parse("10.0.0.1", &k.ip[0]));
	cr_assert(ip_parse("10.0.0.2", &k.ip[1]));
	return k;
}

static struct flow *add(struct flow_table *t, uint16_t port, uint8_t protocol, uint8_t value,
			int64_t now)
{
	struct flow_key k = key_of(port, protocol);
	uint64_t hash = flow_hash(t, &k);

	cr_assert_null(flow_table_find(t, &k, hash));
	struct flow *f = flow_table_add(t, &k, hash, value, now);
	f->packets[0] = 1;
	cr_assert_eq(flow_table_find(t, &k, hash), f);
	return f;
}

static struct flow *find(struct flow_table *t, uint16_t port, uint8_t protocol)
{
	struct flow_key k = key_of(port, protocol);
	return flow_table_find(t, &k, flow_hash(t, &k));
}

static struct flow_table *table(size_t flows, uint64_t seed)
{
	emitted_count = 0;
	return flow_table_create(flows, &timeouts, seed, note, NULL);
}

Test(flow, thousands_come_and_go_and_are_all_found)
{
	struct flow_table *t = table(4096, 99);

	for (unsigned round = 0; round < 3; round++) {
		for (uint16_t port = 1; port <= 3000; port++)
			add(t, port, 17, 0, S(round));
		for (uint16_t port = 1; port <= 3000; port += 2)
			flow_table_end(t, find(t, port, 17), END_IDLE);
		for (uint16_t port = 1; port <= 3000; port++)
			cr_assert_eq(find(t, port, 17) != NULL, port % 2 == 0, "%u", port);
		flow_table_flush(t, END_END_OF_INPUT);
		cr_assert_eq(flow_table_count(t), 0);
		cr_assert_eq(emitted_count, 3000);
		emitted_count = 0;
	}
	flow_table_destroy(t);
}

Test(flow, silence_ends_each_kind_after_its_own_time)
{
	struct flow_table *t = table(64, 1);

	add(t, 1, 17, 0, S(100));
	add(t, 2, 1, 0, S(100));
	struct flow *open = add(t, 3, 6, 0, S(100));
	open->flags[0] = 0x10;
	add(t, 4, 6, 0, S(100))->flags[0] = 0x02;
	struct flow *closed = add(t, 5, 6, 0, S(100));
	closed->closed = END_RESET + 1;
	flow_table_closed(t, closed);
	for (int64_t s = 100; s <= 600; s++)
		flow_table_expire(t, S(s));
	cr_assert_eq(emitted_count, 5);
	static const struct emitted order[] = { { 5, END_RESET, 1, 0 },
						{ 4, END_IDLE, 1, 0 },
						{ 2, END_IDLE, 1, 0 },
						{ 1, END_IDLE, 1, 0 },
						{ 3, END_IDLE, 1, 0 } };
	for (size_t i = 0; i < 5; i++) {
		cr_assert_eq(emitted[i].port, order[i].port, "%zu: %u", i, emitted[i].port);
		cr_assert_eq(emitted[i].reason, order[i].reason, "%zu", i);
	}
	flow_table_destroy(t);
}

Test(flow, one_that_goes_on_gives_interim_records)
{
	struct flow_table *t = table(64, 1);
	struct flow *f = add(t, 7, 6, 0, S(0));

	f->flags[0] = 0x10;
	for (int64_t s = 1; s <= 1000; s++) {
		flow_table_expire(t, S(s));
		f->packets[0]++;
		f->last = S(s);
	}
	cr_assert_eq(emitted_count, 3);
	uint32_t sum = 0;
	for (uint32_t i = 0; i < 3; i++) {
		cr_assert_eq(emitted[i].reason, END_ACTIVE);
		cr_assert_eq(emitted[i].interim, i);
		sum += emitted[i].packets;
	}
	flow_table_flush(t, END_END_OF_INPUT);
	cr_assert_eq(emitted[3].interim, 3);
	cr_assert_eq(sum + emitted[3].packets, 1001, "deltas add up to the whole");
	flow_table_destroy(t);
}

Test(flow, a_long_silence_ends_all_at_once)
{
	struct flow_table *t = table(64, 1);

	for (uint16_t port = 1; port <= 20; port++)
		add(t, port, 6, 0, S(port))->flags[0] = 0x10;
	flow_table_expire(t, S(1000000));
	cr_assert_eq(emitted_count, 20);
	cr_assert_eq(flow_table_count(t), 0);
	flow_table_destroy(t);
}

static bool is_near[64];

static void note_near(void *context, const struct flow *f)
{
	(void)context;
	is_near[f->key.port[0]] = true;
}

static void note_if_near(void *context, struct flow *f, enum end_reason reason)
{
	note(context, f, is_near[f->key.port[0]] ? reason : END_RESET);
}

Test(flow, who_ends_after_another_is_announced)
{
	for (int flushed = 0; flushed < 2; flushed++) {
		struct flow_table *t = flow_table_create(64, &timeouts, 1, note_if_near, NULL);
		emitted_count = 0;
		memset(is_near, 0, sizeof(is_near));
		flow_table_on_near(t, note_near);
		for (uint16_t port = 1; port <= 50; port++)
			add(t, port, 17, 0, S(1));
		if (flushed)
			flow_table_flush(t, END_END_OF_INPUT);
		else
			flow_table_expire(t, S(63));
		cr_assert_eq(emitted_count, 50);
		for (size_t i = 0; i < emitted_count; i++)
			cr_assert_eq(emitted[i].reason == END_RESET, i == 0, "%zu", i);
		flow_table_destroy(t);
	}
}

Test(flow, a_full_table_gives_up_the_least_valuable)
{
	struct flow_table *t = table(64, 1);

	for (uint16_t port = 1; port <= 60; port++)
		add(t, port, 17, 1, S(10)); /* guests, one packet each */
	for (uint16_t port = 61; port <= 64; port++)
		add(t, port, 17, 5, S(1))->packets[0] = 5; /* clinical, and silent for longer */
	for (uint16_t port = 100; port < 400; port++)
		add(t, port, 17, 1, S(11));
	cr_assert_eq(flow_table_count(t), 64);
	cr_assert_eq(flow_table_evictions(t), 300);
	for (uint16_t port = 61; port <= 64; port++)
		cr_assert_not_null(find(t, port, 17), "clinical flow %u stays", port);
	for (size_t i = 0; i < emitted_count; i++)
		cr_assert_eq(emitted[i].reason, END_EVICTED);
	flow_table_destroy(t);
}

Test(flow, what_comes_out_does_not_depend_on_the_seed)
{
	static struct emitted first[4096];
	size_t count = 0;

	for (uint64_t seed = 1; seed <= 5; seed++) {
		struct flow_table *t = table(64, seed * 0x9e3779b97f4a7c15);
		for (uint16_t i = 1; i <= 1000; i++) {
			flow_table_expire(t, S(i / 4));
			if (!find(t, (uint16_t)(i * 37 % 500), 17))
				add(t, (uint16_t)(i * 37 % 500), 17, (uint8_t)(i % 5), S(i / 4));
		}
		flow_table_flush(t, END_END_OF_INPUT);
		if (seed == 1) {
			memcpy(first, emitted, sizeof(first));
			count = emitted_count;
		}
		cr_assert_eq(emitted_count, count);
		cr_assert_eq(memcmp(first, emitted, count * sizeof(first[0])), 0, "seed %lu",
			     (unsigned long)seed);
		flow_table_destroy(t);
	}
	cr_assert_gt(count, 500);
}

/* A conversation under way: both sides have spoken, TCP's have agreed. */
static void converse(struct flow *f, uint32_t packets, int64_t now)
{
	f->packets[0] = packets / 2;
	f->packets[1] = packets - f->packets[0];
	f->sent = 3;
	f->flags[0] = f->flags[1] = 0x18;
	f->last = now;
}

static struct flow_key flood_key(uint32_t i)
{
	struct flow_key k = key_of((uint16_t)i, 6);

	memcpy(k.ip[0].bytes + 8, &i, sizeof(i));
	return k;
}

struct claim {
	uint8_t value;    /* the tier that the flood's addresses claim */
	uint32_t packets; /* of each flow */
	bool answered;    /* by a SYN-ACK or a reset, which the sender never takes up */
};

/* Conversations of all kinds, then many flows from nowhere. */
static void flood(uint32_t flows, size_t table_size, uint16_t talks, struct claim c)
{
	struct flow_table *t = flow_table_create(table_size, &timeouts, 7, note, NULL);

	for (uint16_t port = 1; port <= talks; port++)
		converse(add(t, port, 6, port % 2 ? IMPACT_LIFE_CRITICAL : IMPACT_CARE_CRITICAL,
			     S(10)),
			 4 + port % 5, S(10));
	for (uint32_t i = 0; i < flows; i++) {
		struct flow_key k = flood_key(i + 1);
		emitted_count = 0;
		struct flow *f = flow_table_add(t, &k, flow_hash(t, &k), c.value, S(20) + i);
		f->packets[0] = c.packets;
		f->flags[0] = 0x02;
		f->packets[1] = c.answered;
		f->sent = c.answered ? 3 : 1;
		f->flags[1] = c.answered ? 0x12 : 0;
		cr_assert_leq(emitted_count, 1, "one comes, one goes");
	}
	for (uint16_t port = 1; port <= talks; port++)
		cr_expect_not_null(find(t, port, 6), "talk %u was given up for a flood of tier %u",
				   port, c.value);
	cr_expect_eq(flow_table_evictions(t), flows + talks - table_size);
	flow_table_destroy(t);
}

Test(flow, clinical_conversations_outlive_a_flood_at_any_segment)
{
	for (uint8_t value = IMPACT_NONE; value < IMPACT_COUNT; value++)
		flood(value == IMPACT_LIFE_CRITICAL ? 1000000 : 100000, 1024, 200,
		      (struct claim){ .value = value, .packets = 1 });
}

Test(flow, they_outlive_one_that_is_answered_too)
{
	flood(100000, 1024, 200, (struct claim){ IMPACT_LIFE_CRITICAL, 1, .answered = true });
	flood(100000, 1024, 200, (struct claim){ IMPACT_LIFE_CRITICAL, 5, .answered = true });
	flood(100000, 1024, 200, (struct claim){ IMPACT_LIFE_CRITICAL, 3, .answered = false });
}

Test(flow, they_outlive_one_where_they_fill_half_the_table)
{
	flood(100000, 1024, 512, (struct claim){ IMPACT_LIFE_CRITICAL, 1, .answered = true });
	flood(100000, 64, 40, (struct claim){ IMPACT_LIFE_CRITICAL, 1, .answered = false });
}

/* A conversation that begins amid the flood: each packet in time for the next. */
Test(flow, a_clinical_conversation_can_begin_in_a_flood)
{
	struct flow_table *t = table(1024, 7);

	for (uint32_t i = 0; i < 100000; i++) {
		struct flow_key k = flood_key(i + 1);
		emitted_count = 0;
		flow_table_add(t, &k, flow_hash(t, &k), IMPACT_LIFE_CRITICAL, S(20) + i)
			->packets[0] = 1;
		if (i == 50000)
			add(t, 7, 6, IMPACT_CARE_CRITICAL, S(20) + i);
		if (i == 50300)
			converse(find(t, 7, 6), 3, S(20) + i);
	}
	cr_assert_not_null(find(t, 7, 6));
	flow_table_destroy(t);
}

Test(flow, guests_that_talk_a_lot_do_not_keep_clinical_segments_out)
{
	struct flow_table *t = table(1024, 7);

	for (uint16_t port = 1; port <= 1024; port++)
		converse(add(t, port, 6, IMPACT_GUEST, S(10)), 100, S(10));
	for (uint16_t port = 2001; port <= 2500; port++)
		add(t, port, 6, IMPACT_CARE_CRITICAL, S(11));
	for (uint16_t port = 2001; port <= 2500; port++)
		cr_assert_not_null(find(t, port, 6));
	flow_table_destroy(t);
}

static size_t ended;

static void count_ended(void *context, struct flow *f, enum end_reason reason)
{
	(void)context;
	(void)f;
	(void)reason;
	ended++;
}

/* A large table gives up several at a time, chosen beforehand: what has spoken or
 * ended since then stays, and conversations do. */
Test(flow, a_large_table_keeps_conversations_and_counts_in_a_flood)
{
	enum { FLOWS = 8192, TALKS = 3000, FLOOD = 200000 };
	struct flow_table *t = flow_table_create(FLOWS, &timeouts, 7, count_ended, NULL);

	ended = 0;
	for (uint16_t port = 1; port <= TALKS; port++)
		converse(add(t, port, 6, IMPACT_CARE_CRITICAL, S(10)), 8, S(10));
	cr_assert_not(flow_table_overflows(t, S(10)));
	for (uint32_t i = 1; i <= FLOOD; i++) {
		struct flow_key k = flood_key(i);
		struct flow *f =
			flow_table_add(t, &k, flow_hash(t, &k), IMPACT_LIFE_CRITICAL, S(20) + i);
		f->packets[0] = 1;
		cr_assert_leq(flow_table_count(t), FLOWS);
		if (i % 3000 == 0) { /* it has become a conversation by now, or has ended */
			struct flow_key older = flood_key(i - 1);
			struct flow *o = flow_table_find(t, &older, flow_hash(t, &older));
			cr_assert_not_null(o);
			if (i / 3000 % 2)
				converse(o, 8, S(20) + i);
			else
				flow_table_end(t, o, END_IDLE);
		}
	}
	for (uint16_t port = 1; port <= TALKS; port++)
		cr_assert_not_null(find(t, port, 6), "talk %u", port);
	for (uint32_t i = 3000; i <= FLOOD; i += 3000) {
		struct flow_key k = flood_key(i - 1);
		if (i / 3000 % 2)
			cr_assert_not_null(flow_table_find(t, &k, flow_hash(t, &k)), "%u", i);
	}
	cr_assert_eq(ended + flow_table_count(t), TALKS + FLOOD, "each is here or has ended");
	cr_assert(flow_table_overflows(t, S(20) + FLOOD));
	cr_assert_not(flow_table_overflows(t, S(40)));
	flow_table_destroy(t);
}
