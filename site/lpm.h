/* SPDX-License-Identifier: Apache-2.0
 *
 * Longest-prefix match. Built once from all prefixes, then only read: any
 * number of threads may look up at the same time.
 *
 * Nested prefixes are flattened into disjoint ranges, kept as their sorted first
 * addresses; a tree of 256-way nodes that skips the bytes all its addresses
 * share leads to a handful of them. So a look-up touches few cache lines
 * whatever the prefix lengths, and IPv6 costs hardly more than IPv4. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/ip.h"

enum { LPM_NONE = INT32_MAX };

struct lpm_entry {
	struct ip_prefix prefix;
	uint32_t value; /* below LPM_NONE */
};

struct lpm;

/* The entries are copied, in any order; of equal prefixes the last one counts.
 * NULL when memory is short. */
struct lpm *lpm_create(const struct lpm_entry *entries, size_t count);
void lpm_destroy(struct lpm *t); /* accepts NULL */
/* The value of the longest prefix that has `ip`, or LPM_NONE. IPv4 addresses
 * are held against IPv4 prefixes only: ::/0 does not cover them. */
uint32_t lpm_find(const struct lpm *t, const struct ip_addr *ip);
