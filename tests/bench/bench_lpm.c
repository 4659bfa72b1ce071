/* SPDX-License-Identifier: Apache-2.0
 *
 * Nanoseconds per look-up, by family and number of prefixes. Each address
 * depends on the answer before it, so this is latency and not throughput. The
 * best of some rounds, because other programs use the machine too. */
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "site/lpm.h"

enum { ADDRESSES = 1 << 16, LOOKUPS = 1 << 20, ROUNDS = 8 };

static uint64_t state = 88172645463325252ull;

static uint64_t number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* A hospital's plan: subnets of 10/8, or of two /32 of IPv6. */
static struct ip_addr address(bool v4)
{
	struct ip_addr ip = { { 0x20, 0x01, 0x0d, number() % 2 ? 0xb8 : 0xb9 } };
	uint64_t bits = number();

	if (v4) {
		uint8_t bytes[4] = { 10, (uint8_t)bits, (uint8_t)(bits >> 8),
				     (uint8_t)(bits >> 16) };
		return ip_from_v4(bytes);
	}
	for (size_t i = 4; i < 16; i++)
		ip.bytes[i] = (uint8_t)(i < 12 ? bits >> i * 5 : bits >> 3);
	return ip;
}

static struct lpm_entry entry(bool v4, uint32_t value)
{
	struct lpm_entry e = { { address(v4), 0 }, value };

	e.prefix.length = (uint8_t)(v4 ? 96 + 12 + number() % 18 : 40 + number() % 25);
	for (unsigned bit = e.prefix.length; bit < 128; bit++)
		e.prefix.addr.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return e;
}

/* Half of the addresses fall into a prefix for sure. */
static void choose(struct ip_addr *out, const struct lpm_entry *entries, size_t count, bool v4)
{
	for (size_t i = 0; i < ADDRESSES; i++) {
		out[i] = address(v4);
		const struct ip_prefix *p = &entries[number() % count].prefix;
		for (size_t at = 0; i % 2 && at < p->length / 8; at++)
			out[i].bytes[at] = p->addr.bytes[at];
	}
}

static struct usec run(const struct lpm *t, const struct ip_addr *addresses, uint32_t *found)
{
	struct usec start = clock_monotonic();
	uint32_t last = 0;

	*found = 0;
	for (uint32_t i = 0; i < LOOKUPS; i++) {
		last = lpm_find(t, &addresses[(i + (last & 1)) % ADDRESSES]);
		*found += last != LPM_NONE;
	}
	return (struct usec){ clock_monotonic().v - start.v };
}

static int measure(size_t count, bool v4)
{
	struct lpm_entry *entries = malloc(count * sizeof(*entries));
	struct ip_addr *addresses = malloc(ADDRESSES * sizeof(*addresses));
	struct lpm *t = NULL;
	struct usec best = { INT64_MAX };
	uint32_t found = 0;

	if (entries && addresses) {
		for (size_t i = 0; i < count; i++)
			entries[i] = entry(v4, (uint32_t)i);
		choose(addresses, entries, count, v4);
		t = lpm_create(entries, count);
	}
	for (int round = 0; t && round < ROUNDS; round++) {
		struct usec took = run(t, addresses, &found);
		best = took.v < best.v ? took : best;
	}
	if (t)
		printf("%s, %5zu prefixes: %5.1f ns per look-up, %3u%% found\n",
		       v4 ? "IPv4" : "IPv6", count, (double)best.v * 1000 / LOOKUPS,
		       (unsigned)((uint64_t)found * 100 / LOOKUPS));
	lpm_destroy(t);
	free(addresses);
	free(entries);
	return t ? 0 : 1;
}

int main(void)
{
	static const size_t counts[] = { 100, 1756, 10000 };
	int failed = 0;

	for (int v4 = 1; v4 >= 0; v4--)
		for (size_t i = 0; i < sizeof(counts) / sizeof(*counts); i++)
			failed |= measure(counts[i], v4);
	return failed;
}
