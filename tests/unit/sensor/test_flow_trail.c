/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include "sensor/flow.h"
#include "sensor/flow_index.h"

static struct flow f;
static struct flow_trails *trails;

static void begin(void)
{
	f = (struct flow){ 0 };
	trails = flow_trails_create(2);
}

static void end(void)
{
	flow_trails_destroy(trails);
}

TestSuite(flow_trail, .init = begin, .fini = end);

/* Seen between two neighbours, of which the first sent it. */
static struct packet between(uint8_t from, uint8_t to, uint16_t vlan, uint8_t ttl)
{
	struct packet p = { .has_mac = true, .ttl = ttl, .vlan_count = vlan != 0 };

	p.vlans[0] = vlan;
	memset(p.source_mac, from, 6);
	memset(p.dest_mac, to, 6);
	return p;
}

static void see(unsigned side, uint8_t from, uint8_t to, uint16_t vlan, uint8_t ttl)
{
	struct packet p = between(from, to, vlan, ttl);
	flow_add_hop(trails, &f, &p, side);
}

static void expect(unsigned side, size_t i, uint8_t from, uint8_t to, uint16_t vlan, uint8_t ttl)
{
	struct flow_hop hop = flow_hop(&f, side, i);

	cr_expect_eq(hop.source_mac[0], from, "side %u hop %zu", side, i);
	cr_expect_eq(hop.dest_mac[5], to, "side %u hop %zu", side, i);
	cr_expect_eq(hop.vlans, vlan, "side %u hop %zu", side, i);
	cr_expect_eq(hop.ttl, ttl, "side %u hop %zu", side, i);
	cr_expect(hop.has_mac);
}

Test(flow_trail, one_place_in_both_directions_needs_none)
{
	cr_assert_eq(flow_hop_count(&f, 0), 0);
	see(1, 10, 20, 7, 64);
	see(0, 20, 10, 7, 128);
	see(0, 20, 10, 7, 127);
	cr_assert_eq(flow_hop_count(&f, 0), 1);
	cr_assert_eq(flow_hop_count(&f, 1), 1);
	expect(1, 0, 10, 20, 7, 64);
	expect(0, 0, 20, 10, 7, 128);
	cr_assert_null(f.trail);
}

Test(flow_trail, another_way_back_is_kept_whole)
{
	see(0, 10, 20, 7, 64);
	see(1, 21, 10, 7, 63);
	cr_assert_not_null(f.trail);
	cr_assert_eq(flow_hop_count(&f, 0), 1);
	cr_assert_eq(flow_hop_count(&f, 1), 1);
	expect(0, 0, 10, 20, 7, 64);
	expect(1, 0, 21, 10, 7, 63);
}

Test(flow_trail, hops_stand_by_their_ttl_and_there_are_four)
{
	see(0, 20, 30, 2, 63);
	see(0, 10, 20, 1, 64);
	for (uint8_t i = 0; i < 4; i++)
		see(0, (uint8_t)(30 + i), (uint8_t)(31 + i), (uint16_t)(3 + i), (uint8_t)(62 - i));
	cr_assert_eq(flow_hop_count(&f, 0), FLOW_HOPS);
	cr_assert_eq(flow_hop_count(&f, 1), 0);
	expect(0, 0, 10, 20, 1, 64);
	expect(0, 1, 20, 30, 2, 63);
	expect(0, 2, 30, 31, 3, 62);
	expect(0, 3, 31, 32, 4, 61);
}

Test(flow_trail, a_trail_that_was_dropped_is_used_again_and_empty)
{
	struct flow_trail *first = flow_trail_of(trails, &f);
	struct flow other = { 0 };

	cr_assert_eq(flow_trail_of(trails, &f), first);
	first->missed_bytes = 9;
	cr_assert_neq(flow_trail_of(trails, &other), first);
	flow_trail_drop(trails, &f);
	cr_assert_null(f.trail);
	cr_assert_eq(flow_missed_bytes(&f), 0);
	cr_assert_eq(flow_trail_of(trails, &f), first);
	cr_assert_eq(flow_missed_bytes(&f), 0);
}

Test(flow_trail, tunnels_are_kept)
{
	struct packet p = { .tunnel_count = 2,
			    .tunnels = { { TUNNEL_GRE, 4 }, { TUNNEL_VXLAN, 5 } } };

	cr_assert_eq(flow_tunnel_count(&f), 0);
	flow_set_tunnels(trails, &f, &p);
	cr_assert_eq(flow_tunnel_count(&f), 2);
	cr_assert_eq(f.trail->tunnels[1].id, 5);
}

/* --- the index --- */

static bool has(const struct flow_index *x, uint64_t hash, uint32_t number)
{
	const struct flow_bucket *b = flow_index_home(x, hash);

	for (;; b = flow_index_next(x, b)) {
		for (unsigned m = flow_bucket_matches(b, hash); m; m &= m - 1)
			if (b->numbers[__builtin_ctz(m)] == number + 1)
				return true;
		if (!b->passed)
			return false;
	}
}

/* All in one bucket of sixteen, and so in those behind it, the first again behind the last. */
Test(flow_index, what_overflows_is_found_and_leaves_nothing_behind)
{
	struct flow_index x;
	enum { ENTRIES = 60 };

	cr_assert(flow_index_create(&x, 1));
	for (uint32_t round = 0; round < 3; round++) {
		for (uint32_t i = 0; i < ENTRIES; i++)
			flow_index_add(&x, (uint64_t)(i % 5) << 32 | 14, i);
		for (uint32_t i = 0; i < ENTRIES; i++) {
			uint32_t n = (i * 7 + round) % ENTRIES;
			cr_assert(has(&x, (uint64_t)(n % 5) << 32 | 14, n));
			flow_index_remove(&x, (uint64_t)(n % 5) << 32 | 14, n);
			cr_assert_not(has(&x, (uint64_t)(n % 5) << 32 | 14, n));
		}
		for (uint32_t i = 0; i <= x.mask; i++)
			cr_assert_eq(x.buckets[i].passed, 0);
	}
	flow_index_destroy(&x);
}
