/* SPDX-License-Identifier: Apache-2.0 */
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "site/lpm.h"

/* xorshift64: the same numbers on every machine. */
static uint64_t state = 88172645463325252ull;

static uint64_t number(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static struct ip_addr random_addr(bool v4)
{
	struct ip_addr ip;

	for (size_t i = 0; i < 16; i++)
		ip.bytes[i] = (uint8_t)number();
	/* Few different leading bytes, so that prefixes nest and touch. */
	if (v4) {
		uint8_t bytes[4] = { number() % 2 ? 10 : 172, (uint8_t)(number() % 4), ip.bytes[2],
				     ip.bytes[3] };
		return ip_from_v4(bytes);
	}
	ip.bytes[0] = number() % 4 ? 0xfd : 0x20;
	bool deep = number() % 2;
	for (size_t i = 1; i < (deep ? 16 : 6); i++)
		if (!deep || number() % 8)
			ip.bytes[i] = number() % (deep ? 16 : 2) ? 0 : 0xff;
	return ip;
}

static struct ip_prefix random_prefix(bool v4)
{
	struct ip_prefix p = { random_addr(v4), 0 };

	p.length = (uint8_t)(v4 ? 96 + number() % 33 : number() % 129);
	for (unsigned bit = p.length; bit < 128; bit++)
		p.addr.bytes[bit / 8] &= (uint8_t) ~(0x80 >> bit % 8);
	return p;
}

/* What the table must say, the slow way. */
static uint32_t oracle(const struct lpm_entry *entries, size_t count, const struct ip_addr *ip)
{
	uint32_t value = LPM_NONE;
	int best = -1;

	for (size_t i = 0; i < count; i++) {
		const struct ip_prefix *p = &entries[i].prefix;
		bool v4 = ip_is_v4(&p->addr) && p->length >= 96;
		if (v4 == ip_is_v4(ip) && p->length >= best && ip_prefix_has(p, ip)) {
			best = p->length;
			value = entries[i].value;
		}
	}
	return value;
}

/* The address at a prefix's edge, or one step outside it. */
static struct ip_addr edge(const struct ip_prefix *p, unsigned which)
{
	struct ip_addr ip = p->addr;

	for (unsigned bit = p->length; bit < 128 && which & 1; bit++)
		ip.bytes[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	for (int i = 15; i >= 0 && which & 2; i--) {
		ip.bytes[i] = (uint8_t)(ip.bytes[i] + (which & 1 ? 1 : -1));
		if (ip.bytes[i] != (which & 1 ? 0 : 0xff))
			break;
	}
	return ip;
}

static void compare(const struct lpm *t, const struct lpm_entry *entries, size_t count,
		    const struct ip_addr *ip)
{
	char text[IP_TEXT];

	cr_assert_eq(lpm_find(t, ip), oracle(entries, count, ip), "%s of %zu prefixes",
		     ip_text(ip, text), count);
}

static void check_random(size_t count)
{
	struct lpm_entry *entries = malloc((count + 1) * sizeof(*entries));

	for (size_t i = 0; i < count; i++)
		entries[i] = (struct lpm_entry){ random_prefix(number() % 2), (uint32_t)i };
	struct lpm *t = lpm_create(entries, count);
	cr_assert_not_null(t);
	for (size_t i = 0; i < count; i++) {
		for (unsigned which = 0; which < 4; which++) {
			struct ip_addr ip = edge(&entries[i].prefix, which);
			compare(t, entries, count, &ip);
		}
	}
	for (size_t i = 0; i < 1000; i++) {
		struct ip_addr ip = random_addr(i % 2);
		compare(t, entries, count, &ip);
	}
	lpm_destroy(t);
	free(entries);
}

Test(lpm, agrees_with_brute_force)
{
	for (size_t round = 0; round < 40; round++)
		check_random(round);
	check_random(100);
	check_random(300);
	check_random(1500);
}

static struct lpm_entry entry(const char *prefix, uint32_t value)
{
	struct lpm_entry e = { .value = value };

	cr_assert_null(ip_prefix_parse(prefix, &e.prefix));
	return e;
}

static uint32_t find(const struct lpm *t, const char *text)
{
	struct ip_addr ip;

	cr_assert(ip_parse(text, &ip));
	return lpm_find(t, &ip);
}

Test(lpm, the_longest_wins_and_the_shorter_goes_on_behind_it)
{
	const struct lpm_entry entries[] = {
		entry("10.0.0.0/8", 1),         entry("10.20.0.0/16", 2),  entry("10.20.30.40", 3),
		entry("255.255.255.255/32", 4), entry("2001:db8::/32", 5), entry("ffff::/16", 6),
	};
	struct lpm *t = lpm_create(entries, sizeof(entries) / sizeof(*entries));

	cr_assert_eq(find(t, "9.255.255.255"), LPM_NONE);
	cr_assert_eq(find(t, "10.0.0.0"), 1);
	cr_assert_eq(find(t, "10.19.255.255"), 1);
	cr_assert_eq(find(t, "10.20.0.0"), 2);
	cr_assert_eq(find(t, "10.20.30.39"), 2);
	cr_assert_eq(find(t, "10.20.30.40"), 3);
	cr_assert_eq(find(t, "10.20.30.41"), 2);
	cr_assert_eq(find(t, "10.21.0.0"), 1);
	cr_assert_eq(find(t, "11.0.0.0"), LPM_NONE);
	cr_assert_eq(find(t, "255.255.255.254"), LPM_NONE);
	cr_assert_eq(find(t, "255.255.255.255"), 4);
	cr_assert_eq(find(t, "2001:db8:ffff::1"), 5);
	cr_assert_eq(find(t, "2001:db9::"), LPM_NONE);
	cr_assert_eq(find(t, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"), 6);
	lpm_destroy(t);
}

/* Skipped bytes that differ: far down, and below all that the node has. */
Test(lpm, a_key_that_leaves_the_path_between_two_nodes)
{
	struct lpm_entry entries[17] = { entry("2001:db8:0:0:0:1::/96", 60) };
	char prefix[IP_PREFIX_TEXT];

	for (uint32_t i = 0; i < 16; i++) {
		snprintf(prefix, sizeof(prefix), "2001:db8:0:0:0:1:ffff:%x00/120", 0xf0 + i);
		entries[i + 1] = entry(prefix, i);
	}
	struct lpm *t = lpm_create(entries, 17);
	cr_assert_eq(find(t, "2001:db8:0:0:0:1:ffff:f501"), 5);
	cr_assert_eq(find(t, "2001:db8:0:0:0:1:ffff:ff01"), 15);
	cr_assert_eq(find(t, "2001:db8:0:0:0:1:ff03:f501"), 60);
	cr_assert_eq(find(t, "2001:db8:0:0:0:1:ffff:0"), 60);
	cr_assert_eq(find(t, "2001:db8:0:0:0:2::"), LPM_NONE);
	lpm_destroy(t);
}

Test(lpm, the_whole_of_ipv6_does_not_cover_ipv4)
{
	const struct lpm_entry entries[] = { entry("::/0", 1) };
	struct lpm *t = lpm_create(entries, 1);

	cr_assert_eq(find(t, "::"), 1);
	cr_assert_eq(find(t, "ffff::1"), 1);
	cr_assert_eq(find(t, "10.0.0.1"), LPM_NONE);
	lpm_destroy(t);
}

Test(lpm, of_equal_prefixes_the_last_counts)
{
	const struct lpm_entry entries[] = { entry("10.0.0.0/8", 1), entry("10.0.0.0/8", 2),
					     entry("10.0.0.0/8", 3) };
	struct lpm *t = lpm_create(entries, 3);

	cr_assert_eq(find(t, "10.1.1.1"), 3);
	cr_assert_eq(find(t, "11.0.0.0"), LPM_NONE);
	lpm_destroy(t);
}

Test(lpm, nothing_at_all)
{
	struct lpm *t = lpm_create(NULL, 0);

	cr_assert_eq(find(t, "10.1.1.1"), LPM_NONE);
	cr_assert_eq(find(t, "::1"), LPM_NONE);
	lpm_destroy(t);
	lpm_destroy(NULL);
}
