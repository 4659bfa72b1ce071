/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/cover.h"

enum { TCP = 6 };

struct rows {
	struct coverage *list[2];
	size_t count;
};

static struct rows rows_of(struct ledger *l, const uint16_t segments[2])
{
	return (struct rows){
		.list = { ledger_at(l, segments[0]), ledger_at(l, segments[1]) },
		.count = segments[0] == segments[1] ? 1 : 2,
	};
}

void cover_packet(struct ledger *l, const uint16_t segments[2], const struct packet *packet)
{
	struct rows rows = rows_of(l, segments);

	for (size_t i = 0; i < rows.count; i++) {
		struct coverage *c = rows.list[i];
		c->packets++;
		c->bytes += packet->ip_bytes;
		c->truncated += packet->truncated;
		c->oversized += packet->oversized;
		c->interfaces |= 1U << packet->interface;
	}
}

void cover_copy(struct ledger *l, const uint16_t segments[2], enum dedup_answer answer)
{
	struct rows rows = rows_of(l, segments);

	for (size_t i = 0; i < rows.count; i++) {
		rows.list[i]->mirror_copies += answer == DEDUP_MIRROR;
		rows.list[i]->routed_copies += answer == DEDUP_ROUTED;
	}
}

void cover_shed(struct ledger *l, const uint16_t segments[2], uint8_t level)
{
	struct rows rows = rows_of(l, segments);

	for (size_t i = 0; i < rows.count; i++)
		if (rows.list[i]->shed_max < level)
			rows.list[i]->shed_max = level;
}

void cover_flow(struct ledger *l, const struct flow *f, enum end_reason reason)
{
	bool one_sided = f->key.protocol == TCP && f->sent != 3;
	struct rows rows = rows_of(l, f->segments);

	for (size_t i = 0; i < rows.count; i++) {
		struct coverage *c = rows.list[i];
		c->missed_bytes += flow_missed_bytes(f);
		c->flows += reason != END_ACTIVE;
		c->one_sided_flows += reason != END_ACTIVE && one_sided;
	}
}
