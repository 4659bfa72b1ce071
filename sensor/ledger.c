/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/ledger.h"

#include <stdlib.h>
#include <string.h>

struct ledger {
	const struct site *site;
	size_t count;
	bool frames_before; /* some minute had frames */
	struct coverage rows[];
};

struct ledger *ledger_create(const struct site *site)
{
	size_t count = site_segment_count(site);
	struct ledger *l = calloc(1, sizeof(*l) + count * sizeof(l->rows[0]));

	if (!l)
		return NULL;
	l->site = site;
	l->count = count;
	return l;
}

void ledger_destroy(struct ledger *l)
{
	free(l);
}

struct coverage *ledger_of(struct ledger *l, const struct segment *segment)
{
	return &l->rows[segment->index];
}

struct coverage *ledger_at(struct ledger *l, uint16_t index)
{
	return &l->rows[index];
}

void ledger_move(struct ledger *to, struct ledger *from)
{
	for (size_t i = 0; i < to->count; i++) {
		struct coverage *a = &to->rows[i], *b = &from->rows[i];
		a->packets += b->packets;
		a->bytes += b->bytes;
		a->flows += b->flows;
		a->one_sided_flows += b->one_sided_flows;
		a->missed_bytes += b->missed_bytes;
		a->truncated += b->truncated;
		a->mirror_copies += b->mirror_copies;
		a->routed_copies += b->routed_copies;
		if (a->shed_max < b->shed_max)
			a->shed_max = b->shed_max;
		*b = (struct coverage){ 0 };
	}
}

const char *coverage_state_name(enum coverage_state state)
{
	static const char *const names[] = { "seen", "partial", "blind", "mirror-dead", "quiet" };
	return names[state];
}

/* Shares of what should have been there and was not, in thousandths. */
static uint64_t share(uint64_t missing, uint64_t there)
{
	return missing + there ? missing * 1000 / (missing + there) : 0;
}

enum coverage_state coverage_judge(const struct coverage *c, const struct ledger_minute *m,
				   bool frames_before)
{
	enum { BLIND = 500, PARTIAL_DROPS = 1, PARTIAL_MISSED = 10, PARTIAL_ONE_SIDED = 500 };

	uint64_t dropped = share(m->drops, m->frames);
	if (m->frames == 0 && (frames_before || m->drops))
		return m->drops ? COVERAGE_BLIND : COVERAGE_MIRROR_DEAD;
	if (c->packets == 0)
		return dropped >= PARTIAL_DROPS ? COVERAGE_PARTIAL : COVERAGE_QUIET;
	uint64_t missed = share(c->missed_bytes, c->bytes);
	uint64_t one_sided = c->flows >= 10 ? c->one_sided_flows * 1000 / c->flows : 0;
	if (dropped >= BLIND || missed >= BLIND)
		return COVERAGE_BLIND;
	if (dropped >= PARTIAL_DROPS || missed >= PARTIAL_MISSED ||
	    one_sided >= PARTIAL_ONE_SIDED || c->truncated || c->shed_max)
		return COVERAGE_PARTIAL;
	return COVERAGE_SEEN;
}

static void send(const struct ledger *l, size_t i, const struct ledger_minute *m,
		 const char *sensor, const char *exercise, record_sink *sink, void *context)
{
	const struct coverage *c = &l->rows[i];
	struct record r = {
		.type = RECORD_COVERAGE,
		.coverage = {
			.sensor = sensor,
			.site_revision = site_revision(l->site),
			.exercise = exercise,
			.segment = site_segment(l->site, i)->name,
			.state = coverage_state_name(coverage_judge(c, m, l->frames_before)),
			.minute = m->minute,
			.packets = c->packets,
			.bytes = c->bytes,
			.one_sided_flows = c->one_sided_flows,
			.missed_bytes = c->missed_bytes,
			.truncated = c->truncated,
			.mirror_copies = c->mirror_copies,
			.routed_copies = c->routed_copies,
			.shed_max = c->shed_max,
			.clock_jumps = m->clock_jumps,
		},
	};

	sink(context, &r);
}

void ledger_close(struct ledger *l, const struct ledger_minute *m, const char *sensor,
		  const char *exercise, record_sink *sink, void *context)
{
	for (size_t i = 0; i < l->count; i++) {
		struct coverage *c = &l->rows[i];
		c->known |= c->packets > 0;
		if (c->known)
			send(l, i, m, sensor, exercise, sink, context);
		*c = (struct coverage){ .known = c->known };
	}
	l->frames_before |= m->frames > 0;
}
