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

bool counters_add_up(const struct counters *c)
{
	return c->packets == c->metered + c->shed + c->copies_mirror + c->copies_routed +
				     c->non_ip + c->unknown_link + c->malformed_link +
				     c->malformed_ip;
}
