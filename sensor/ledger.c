/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"

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
		a->oversized += b->oversized;
		a->interfaces |= b->interfaces;
		*b = (struct coverage){ 0 };
	}
}

static struct coverage *find(struct ledger *l, const char *name)
{
	for (size_t i = 0; i < l->count; i++)
		if (!strcmp(site_segment(l->site, i)->name, name))
			return &l->rows[i];
	return NULL;
}

void ledger_inherit(struct ledger *to, const struct ledger *from)
{
	to->frames_before |= from->frames_before;
	for (size_t i = 0; i < from->count; i++) {
		const struct coverage *old = &from->rows[i];
		struct coverage *c = find(to, site_segment(from->site, i)->name);
		if (!c)
			continue;
		c->known |= old->known;
		c->interfaces |= old->interfaces;
		c->told = old->told;
	}
}

const char *coverage_state_name(enum coverage_state state)
{
	static const char *const names[] = { "seen", "partial", "blind", "mirror-dead", "quiet" };
	return names[state];
}

const char *coverage_reason_name(enum coverage_reason reason)
{
#define COVERAGE_WORD(constant, word) word,
	static const char *const names[] = { COVERAGE_REASONS(COVERAGE_WORD) };
#undef COVERAGE_WORD
	return names[reason];
}

enum { BLIND = 500, PARTIAL_DROPS = 1, PARTIAL_MISSED = 10, PARTIAL_ONE_SIDED = 500 };

/* Shares of what should have been there and was not, in thousandths. */
static uint64_t share(uint64_t missing, uint64_t there)
{
	return missing + there ? missing * 1000 / (missing + there) : 0;
}

static bool is_one_sided(const struct coverage *c)
{
	return c->flows >= 10 && c->one_sided_flows * 1000 / c->flows >= PARTIAL_ONE_SIDED;
}

static uint32_t reasons_of(const struct coverage *c, const struct ledger_minute *m,
			   bool frames_before)
{
	const bool holds[COVERAGE_REASON_COUNT] = {
		[COVERAGE_NO_FRAMES] = m->frames == 0 && (frames_before || !m->first),
		[COVERAGE_INTERFACE_DEAD] = (c->interfaces & m->dead) != 0,
		[COVERAGE_DROPS] = m->drops != 0,
		[COVERAGE_MISSED_BYTES] = share(c->missed_bytes, c->bytes) >= PARTIAL_MISSED,
		[COVERAGE_ONE_SIDED] = is_one_sided(c),
		[COVERAGE_TRUNCATED] = c->truncated != 0,
		[COVERAGE_SHED] = c->shed_max != 0,
		[COVERAGE_OVERSIZED] = c->oversized != 0,
		[COVERAGE_CLOCK] = m->clock_jumps != 0,
		[COVERAGE_NEVER_SEEN] = !c->known,
		[COVERAGE_STARTED] = m->first && m->live,
	};
	uint32_t reasons = 0;

	for (unsigned i = 0; i < COVERAGE_REASON_COUNT; i++)
		reasons |= holds[i] ? 1U << i : 0;
	return reasons;
}

/* Of a segment that said nothing. */
static enum coverage_state judge_silence(const struct coverage *c, const struct ledger_minute *m,
					 uint32_t reasons)
{
	uint64_t dropped = share(m->drops, m->frames);

	if (dropped >= BLIND)
		return COVERAGE_BLIND;
	if (reasons & 1U << COVERAGE_NO_FRAMES)
		return COVERAGE_MIRROR_DEAD;
	if (c->interfaces && !(c->interfaces & ~m->dead))
		return COVERAGE_MIRROR_DEAD;
	return dropped >= PARTIAL_DROPS || reasons & 1U << COVERAGE_INTERFACE_DEAD
		       ? COVERAGE_PARTIAL
		       : COVERAGE_QUIET;
}

struct coverage_judgement coverage_judge(const struct coverage *c, const struct ledger_minute *m,
					 bool frames_before)
{
	const uint32_t partial = 1U << COVERAGE_INTERFACE_DEAD | 1U << COVERAGE_MISSED_BYTES |
				 1U << COVERAGE_ONE_SIDED | 1U << COVERAGE_TRUNCATED |
				 1U << COVERAGE_SHED;
	struct coverage_judgement j = { COVERAGE_SEEN, reasons_of(c, m, frames_before) };
	uint64_t dropped = share(m->drops, m->frames);

	if (c->packets == 0)
		j.state = judge_silence(c, m, j.reasons);
	else if (dropped >= BLIND || share(c->missed_bytes, c->bytes) >= BLIND)
		j.state = COVERAGE_BLIND;
	else if (dropped >= PARTIAL_DROPS || j.reasons & partial)
		j.state = COVERAGE_PARTIAL;
	return j;
}

/* Once an hour for each segment: it goes on until somebody mends the mirror. */
static void tell_one_sided(struct coverage *c, const char *segment)
{
	if (c->told) {
		c->told--;
		return;
	}
	if (!is_one_sided(c))
		return;
	log_warn("%s: %llu of %llu conversations of the last minute were seen in one direction "
		 "only: the mirror shows received or sent frames alone; let it show both",
		 segment, (unsigned long long)c->one_sided_flows, (unsigned long long)c->flows);
	c->told = 60;
}

static void send(const struct ledger *l, size_t i, const struct ledger_minute *m,
		 const char *sensor, const char *exercise, record_sink *sink, void *context)
{
	const struct coverage *c = &l->rows[i];
	struct coverage_judgement judged = coverage_judge(c, m, l->frames_before);
	struct record r = {
		.type = RECORD_COVERAGE,
		.coverage = {
			.sensor = sensor,
			.site_revision = site_revision(l->site),
			.exercise = exercise,
			.segment = site_segment(l->site, i)->name,
			.state = coverage_state_name(judged.state),
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
			.oversized = c->oversized,
			.frames = m->frames,
			.drops = m->drops,
		},
	};

	for (unsigned reason = 0; reason < COVERAGE_REASON_COUNT; reason++)
		if (judged.reasons & 1U << reason)
			r.coverage.reasons[r.coverage.reason_count++] =
				coverage_reason_name((enum coverage_reason)reason);
	sink(context, &r);
}

void ledger_close(struct ledger *l, const struct ledger_minute *m, const char *sensor,
		  const char *exercise, record_sink *sink, void *context)
{
	for (size_t i = 0; i < l->count; i++) {
		struct coverage *c = &l->rows[i];
		const struct segment *segment = site_segment(l->site, i);
		c->known |= c->packets > 0;
		bool told = c->known || (m->live && impact_is_clinical(segment->impact));
		if (told && (m->frames || !m->cut || !l->frames_before))
			send(l, i, m, sensor, exercise, sink, context);
		if (m->live)
			tell_one_sided(c, segment->name);
		*c = (struct coverage){ .known = c->known,
					.interfaces = c->interfaces,
					.told = c->told };
	}
	l->frames_before |= m->frames > 0;
}
