/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "sensor/handover.h"

enum { ROOM = 256 * 1024, MANY = 200000 };

static struct handover *h;

static void begin(void)
{
	h = handover_create(ROOM);
	cr_assert(h);
}

static void end(void)
{
	handover_destroy(h);
}

TestSuite(handover, .init = begin, .fini = end);

/* A packet whose transport and payload lie in its IP bytes, as in a frame. */
static struct packet packet_of(const uint8_t *bytes, size_t n)
{
	return (struct packet){
		.ip = cursor_of(bytes, n),
		.transport = cursor_of(bytes + 20, n - 20),
		.payload = cursor_of(bytes + 40, n - 40),
		.payload_bytes = (uint32_t)(n - 40),
		.protocol = 6,
	};
}

static void fill(uint8_t *bytes, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		bytes[i] = (uint8_t)(seed * 31 + i * 7);
}

static bool is_same(const struct cursor *a, const struct cursor *b)
{
	return cursor_left(a) == cursor_left(b) && !memcmp(a->at, b->at, cursor_left(a));
}

Test(handover, a_packet_arrives_with_bytes_of_its_own)
{
	uint8_t bytes[200];
	bool wake;
	fill(bytes, sizeof(bytes), 1);
	struct packet p = packet_of(bytes, sizeof(bytes));
	struct handover_item item;

	cr_assert(handover_packet(h, &p, &wake));
	cr_expect_not(wake, "nobody slept");
	uint8_t kept[200];
	memcpy(kept, bytes, sizeof(kept));
	memset(bytes, 0, sizeof(bytes));
	struct packet before = packet_of(kept, sizeof(kept));
	cr_assert(handover_take(h, &item) && item.packet);
	cr_expect(is_same(&item.packet->ip, &before.ip));
	cr_expect(is_same(&item.packet->transport, &before.transport));
	cr_expect(is_same(&item.packet->payload, &before.payload));
	cr_expect_eq(item.packet->payload.at, item.packet->ip.at + 40, "copied once");
	cr_expect_eq(item.packet->protocol, 6);
	cr_expect_not(handover_take(h, &item));
}

Test(handover, a_reassembled_datagram_has_three_parts)
{
	uint8_t piece[60], whole[3000];
	bool wake;
	struct handover_item item;
	fill(piece, sizeof(piece), 2);
	fill(whole, sizeof(whole), 3);
	struct packet p = {
		.ip = cursor_of(piece, sizeof(piece)),
		.transport = cursor_of(whole, sizeof(whole)),
		.payload = cursor_of(whole + 8, sizeof(whole) - 8),
		.whole = true,
	};

	cr_assert(handover_packet(h, &p, &wake));
	cr_assert(handover_take(h, &item) && item.packet);
	cr_expect(is_same(&item.packet->ip, &p.ip));
	cr_expect(is_same(&item.packet->transport, &p.transport));
	cr_expect(is_same(&item.packet->payload, &p.payload));
}

Test(handover, a_packet_without_bytes)
{
	struct packet p = { .protocol = 50 };
	struct handover_item item;
	bool wake;

	cr_assert(handover_packet(h, &p, &wake));
	cr_assert(handover_take(h, &item) && item.packet);
	cr_expect_eq(cursor_left(&item.packet->payload), 0);
	cr_expect_eq(item.packet->protocol, 50);
}

Test(handover, names)
{
	struct ip_addr ip = ip_from_v4((uint8_t[]){ 10, 0, 0, 1 });
	struct handover_item item;
	bool wake;

	cr_assert(handover_name(h, &ip, "pacs.example", &wake));
	cr_assert(handover_take(h, &item));
	cr_expect_null(item.packet);
	cr_expect_str_eq(item.name, "pacs.example");
	cr_expect_eq(ip_compare(&item.ip, &ip), 0);
}

Test(handover, a_full_queue_refuses_and_goes_on)
{
	uint8_t bytes[1500];
	struct handover_item item;
	bool wake;
	size_t taken = 0, given = 0;
	fill(bytes, sizeof(bytes), 4);
	struct packet p = packet_of(bytes, sizeof(bytes));

	while (handover_packet(h, &p, &wake))
		given++;
	cr_expect_gt(given, ROOM / 4000);
	cr_expect_gt(handover_fill(h), 95u);
	cr_assert(handover_take(h, &item));
	cr_expect_not(handover_packet(h, &p, &wake), "taken, but not given back");
	handover_release(h);
	cr_expect(handover_packet(h, &p, &wake));
	for (; handover_take(h, &item); taken++)
		cr_assert(is_same(&item.packet->ip, &p.ip));
	handover_release(h);
	cr_expect_eq(taken, given);
	cr_expect_eq(handover_fill(h), 0u);
}

Test(handover, who_sleeps_is_woken_once)
{
	struct packet p = { 0 };
	struct handover_item item;
	bool wake;

	cr_expect(handover_sleep(h));
	cr_assert(handover_packet(h, &p, &wake));
	cr_expect(wake);
	cr_assert(handover_packet(h, &p, &wake));
	cr_expect_not(wake);
	cr_expect_not(handover_sleep(h), "there is something to do");
	while (handover_take(h, &item))
		;
	cr_expect(handover_sleep(h));
}

static void *give(void *context)
{
	uint8_t bytes[256];
	bool wake;

	(void)context;
	for (unsigned i = 0; i < MANY; i++) {
		size_t n = 40 + i % 200;
		fill(bytes, n, i);
		struct packet p = packet_of(bytes, n);
		p.tcp_seq = i;
		while (!handover_packet(h, &p, &wake))
			sched_yield();
	}
	return NULL;
}

Test(handover, two_threads_lose_nothing_and_keep_the_order)
{
	uint8_t bytes[256];
	struct handover_item item;
	pthread_t giver;
	unsigned i = 0;

	cr_assert_eq(pthread_create(&giver, NULL, give, NULL), 0);
	while (i < MANY) {
		if (!handover_take(h, &item)) {
			handover_release(h);
			sched_yield();
			continue;
		}
		size_t n = 40 + i % 200;
		fill(bytes, n, i);
		struct cursor c = cursor_of(bytes, n);
		cr_assert_eq(item.packet->tcp_seq, i);
		cr_assert(is_same(&item.packet->ip, &c));
		i++;
	}
	pthread_join(giver, NULL);
}
