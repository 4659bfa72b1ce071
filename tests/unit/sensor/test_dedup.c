/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "sensor/dedup.h"

static uint8_t transport[60];

/* A packet of 40 bytes of payload, at hop 0 (VLAN 10) or 1 (VLAN 20, routed). */
static struct packet at_hop(int64_t time, unsigned hop, uint16_t id, bool v6, uint8_t payload)
{
	struct packet p = {
		.time = { time }, .v6 = v6, .ip_id = id, .protocol = 6, .has_mac = true
	};

	transport[20] = payload;
	p.ttl = (uint8_t)(64 - hop);
	p.ip_bytes = 80;
	p.source_mac[5] = (uint8_t)hop;
	p.dest_mac[5] = (uint8_t)(hop + 1);
	p.vlans[0] = hop ? 20 : 10;
	p.vlan_count = 1;
	p.transport = cursor_of(transport, sizeof(transport));
	return p;
}

static struct dedup *d;

static void begin(void)
{
	d = dedup_create(1024, 7);
}

static void end(void)
{
	dedup_destroy(d);
}

static enum dedup_answer see(int64_t time, unsigned hop, uint16_t id, bool v6, uint8_t payload)
{
	struct packet p = at_hop(time, hop, id, v6, payload);
	return dedup_see(d, &p, dedup_signature(&p, 42, 0));
}

TestSuite(dedup, .init = begin, .fini = end);

Test(dedup, a_routed_packet_is_one_packet)
{
	for (unsigned v6 = 0; v6 < 2; v6++)
		for (uint16_t id = 0; id < 2; id++) {
			uint8_t payload = (uint8_t)(v6 * 2 + id);
			cr_assert_eq(see(1000, 0, id, v6, payload), DEDUP_NEW);
			cr_assert_eq(see(1090, 1, id, v6, payload), DEDUP_ROUTED);
		}
}

Test(dedup, tags_stripped_the_ttl_and_macs_tell)
{
	struct packet p = at_hop(1000, 0, 5, false, 1), q = at_hop(1050, 1, 5, false, 1);

	p.vlan_count = q.vlan_count = 0;
	cr_assert_eq(dedup_see(d, &p, dedup_signature(&p, 42, 0)), DEDUP_NEW);
	cr_assert_eq(dedup_see(d, &q, dedup_signature(&q, 42, 0)), DEDUP_ROUTED);
}

Test(dedup, a_retransmission_counts_again_at_every_hop_but_once)
{
	/* Without an identification, as IPv6 or many a TCP stack sends. */
	cr_assert_eq(see(0, 0, 0, true, 1), DEDUP_NEW);
	cr_assert_eq(see(90, 1, 0, true, 1), DEDUP_ROUTED);
	cr_assert_eq(see(5000, 0, 0, true, 1), DEDUP_NEW, "5 ms later: sent again");
	cr_assert_eq(see(5090, 1, 0, true, 1), DEDUP_ROUTED);
	cr_assert_eq(see(300000, 0, 0, true, 1), DEDUP_NEW, "300 ms later: sent again");
	cr_assert_eq(see(300090, 1, 0, true, 1), DEDUP_ROUTED);
}

Test(dedup, two_sent_before_the_first_copy_shows)
{
	cr_assert_eq(see(0, 0, 0, true, 1), DEDUP_NEW);
	cr_assert_eq(see(10, 0, 0, true, 1), DEDUP_NEW, "a second equal ACK");
	cr_assert_eq(see(80, 1, 0, true, 1), DEDUP_ROUTED);
	cr_assert_eq(see(90, 1, 0, true, 1), DEDUP_ROUTED);
	cr_assert_eq(see(100, 1, 0, true, 1), DEDUP_NEW, "a third, seen behind the router first");
	cr_assert_eq(see(110, 0, 0, true, 1), DEDUP_ROUTED);
}

Test(dedup, a_retransmission_with_its_own_identification_counts)
{
	cr_assert_eq(see(0, 0, 100, false, 1), DEDUP_NEW);
	cr_assert_eq(see(300, 0, 101, false, 1), DEDUP_NEW);
}

Test(dedup, an_identical_frame_with_identification_is_the_mirrors)
{
	cr_assert_eq(see(0, 0, 100, false, 1), DEDUP_NEW);
	cr_assert_eq(see(3, 0, 100, false, 1), DEDUP_MIRROR);
	cr_assert_eq(see(20000, 0, 100, false, 1), DEDUP_NEW, "20 ms are no mirror's delay");
}

Test(dedup, without_identification_only_a_feed_that_doubles_makes_copies)
{
	cr_assert_eq(see(0, 0, 0, true, 1), DEDUP_NEW);
	cr_assert_eq(see(2, 0, 0, true, 1), DEDUP_NEW, "an equal ACK may follow at once");
	for (uint16_t id = 1; id <= 200; id++) {
		see(1000 + id * 100, 0, id, false, 2);
		cr_assert_eq(see(1002 + id * 100, 0, id, false, 2), DEDUP_MIRROR);
	}
	cr_assert_eq(see(100000, 0, 0, true, 3), DEDUP_NEW);
	cr_assert_eq(see(100002, 0, 0, true, 3), DEDUP_MIRROR, "this mirror doubles");
	cr_assert_eq(see(110000, 0, 0, true, 3), DEDUP_NEW, "10 ms later: sent again");
}

/* A switch with all ports mirrored: doubled within a segment, once a hop when routed. */
static struct packet between(int64_t time, uint8_t a, uint8_t b, uint8_t payload, uint8_t flags)
{
	struct packet p = at_hop(time, 0, 0, true, payload);

	p.source_mac[5] = a;
	p.dest_mac[5] = b;
	p.tcp_flags = flags;
	return p;
}

static enum dedup_answer hear(int64_t time, uint8_t a, uint8_t b, uint8_t payload, uint8_t flags)
{
	struct packet p = between(time, a, b, payload, flags);
	return dedup_see(d, &p, dedup_signature(&p, 42, a > b));
}

Test(dedup, a_link_that_doubles_is_known_from_its_first_packet)
{
	cr_assert_eq(hear(0, 1, 2, 1, 0x02), DEDUP_NEW);
	cr_assert_eq(hear(20, 1, 2, 1, 0x02), DEDUP_MIRROR, "nobody repeats a SYN so soon");
	cr_assert_eq(hear(50, 2, 1, 1, 0x12), DEDUP_NEW);
	cr_assert_eq(hear(70, 2, 1, 1, 0x12), DEDUP_MIRROR);
	for (uint8_t i = 2; i < 200; i++) {
		cr_assert_eq(hear(i * 100, 1, 2, i, 0x10), DEDUP_NEW);
		cr_assert_eq(hear(i * 100 + 20, 1, 2, i, 0x10), DEDUP_MIRROR, "%d", i);
	}
	cr_assert_eq(hear(30000, 1, 2, 250, 0x10), DEDUP_NEW);
	cr_assert_eq(hear(33000, 1, 2, 250, 0x10), DEDUP_NEW, "3 ms later: sent again");
	cr_assert_eq(hear(300000, 1, 2, 1, 0x02), DEDUP_NEW, "a SYN sent again");
}

Test(dedup, a_link_beside_it_that_does_not_double)
{
	hear(0, 1, 2, 1, 0x02);
	hear(20, 1, 2, 1, 0x02);
	cr_assert_eq(hear(100, 1, 3, 9, 0x02), DEDUP_NEW);
	cr_assert_eq(hear(200, 1, 3, 2, 0x10), DEDUP_NEW);
	cr_assert_eq(hear(210, 1, 3, 2, 0x10), DEDUP_NEW, "an equal ACK");
	struct packet p = between(300, 1, 2, 3, 0x10);
	p.vlans[0] = 11;
	dedup_see(d, &p, dedup_signature(&p, 42, 0));
	p.time.v += 10;
	cr_assert_eq(dedup_see(d, &p, dedup_signature(&p, 42, 0)), DEDUP_NEW, "in another VLAN");
}

Test(dedup, a_link_stops_doubling)
{
	for (uint8_t i = 0; i < 200; i++) {
		hear(i * 100, 1, 2, i, 0x02);
		hear(i * 100 + 20, 1, 2, i, 0x02);
	}
	for (unsigned i = 0; i < 200; i++)
		cr_assert_eq(hear(100000 + i * 100, 1, 2, (uint8_t)i, 0x10), DEDUP_NEW);
	cr_assert_eq(hear(200000, 1, 2, 1, 0x10), DEDUP_NEW);
	cr_assert_eq(hear(200020, 1, 2, 1, 0x10), DEDUP_NEW, "an equal ACK");
}

Test(dedup, neighbours_ask_once)
{
	struct packet p = between(0, 1, 2, 1, 0);

	p.protocol = 58;
	cr_assert_eq(dedup_see(d, &p, dedup_signature(&p, 42, 0)), DEDUP_NEW);
	p.time.v += 20;
	cr_assert_eq(dedup_see(d, &p, dedup_signature(&p, 42, 0)), DEDUP_MIRROR);
	p.time.v += 20;
	cr_assert_eq(dedup_see(d, &p, dedup_signature(&p, 42, 0)), DEDUP_MIRROR,
		     "as many as the segment has ports");
}

Test(dedup, other_content_length_direction_or_flow_is_another_packet)
{
	struct packet p = at_hop(0, 0, 9, false, 1), q = p;

	cr_assert_eq(dedup_see(d, &p, dedup_signature(&p, 42, 0)), DEDUP_NEW);
	cr_assert_eq(dedup_see(d, &p, dedup_signature(&p, 42, 1)), DEDUP_NEW);
	cr_assert_eq(dedup_see(d, &p, dedup_signature(&p, 43, 0)), DEDUP_NEW);
	q.ip_bytes++;
	cr_assert_eq(dedup_see(d, &q, dedup_signature(&q, 42, 0)), DEDUP_NEW);
	cr_assert_eq(see(0, 0, 9, false, 2), DEDUP_NEW);
}

Test(dedup, another_input_is_another_time)
{
	cr_assert_eq(see(0, 0, 100, false, 1), DEDUP_NEW);
	dedup_reset(d);
	cr_assert_eq(see(0, 0, 100, false, 1), DEDUP_NEW);
	cr_assert_eq(see(50, 1, 100, false, 1), DEDUP_ROUTED);
}

Test(dedup, copies_are_still_found_when_the_clock_was_set_back)
{
	const int64_t later = 3600000000;

	for (uint16_t id = 1; id <= 4000; id++)
		see(later + id, 0, id, false, 1);
	for (uint16_t id = 1; id <= 200; id++) {
		cr_assert_eq(see(id, 0, id, false, 1), DEDUP_NEW);
	}
	unsigned found = 0;
	for (uint16_t id = 1; id <= 200; id++)
		found += see(1000 + id, 1, id, false, 1) == DEDUP_ROUTED;
	cr_assert_geq(found, 195, "%u", found);
}

/* More often than its counters can count. */
Test(dedup, a_packet_sent_again_and_again_is_counted_each_time)
{
	for (int64_t i = 0; i < 1000; i++) {
		cr_assert_eq(see(1000 + i * 40, 0, 0, true, 1), DEDUP_NEW, "%d", (int)i);
		cr_assert_eq(see(1020 + i * 40, 1, 0, true, 1), DEDUP_ROUTED, "%d", (int)i);
	}
}
