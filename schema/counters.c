/* SPDX-License-Identifier: Apache-2.0 */
#include "schema/counters.h"

#include <string.h>

const struct counter_info counter_infos[COUNTER_COUNT] = {
#define ROW(member, name, unit, meaning) \
	{ name, unit, meaning, offsetof(struct counters, member), \
	  offsetof(struct counters, member) == offsetof(struct counters, dpi_memory) || \
		  offsetof(struct counters, member) == offsetof(struct counters, shed_level) },
	COUNTERS(ROW)
#undef ROW
};

uint64_t counter_value(const struct counters *c, size_t i)
{
	uint64_t v;

	memcpy(&v, (const char *)c + counter_infos[i].offset, sizeof(v));
	return v;
}

void counters_add_since(struct counters *sum, const struct counters *now,
			const struct counters *then)
{
	for (size_t i = 0; i < COUNTER_COUNT; i++) {
		uint64_t v = counter_value(now, i), *to;
		to = (uint64_t *)(void *)((char *)sum + counter_infos[i].offset);
		if (!counter_infos[i].level)
			*to += v - counter_value(then, i);
		else if (*to < v)
			*to = v;
	}
}

void counters_add(struct counters *sum, const struct counters *more)
{
	static const struct counters none;

	counters_add_since(sum, more, &none);
}

uint64_t counters_lost(const struct counters *c)
{
	return c->drops_kernel + c->drops_interface + c->drops_handover;
}

bool counters_add_up(const struct counters *c)
{
	return c->packets == c->metered + c->shed + c->copies_mirror + c->copies_routed +
				     c->non_ip + c->unknown_link + c->malformed_link +
				     c->malformed_ip + c->drops_handover;
}
