/* SPDX-License-Identifier: Apache-2.0
 *
 * What is told of flows, minutes and hosts, and the clock by which it is. */
#include "sensor/pipeline_parts.h"

#include <string.h>

#include "sensor/conditions.h"
#include "sensor/cover.h"
#include "sensor/findings.h"
#include "sensor/stages.h"

enum { STEPPED_BACK = 64 }; /* packets in a row that are a minute late: the clock was set */

int pipeline_to_output(void *context, const struct record *record)
{
	output_record(context, record);
	return 0;
}

static void begin_next_record(struct flow *f, struct attributes *a)
{
	f->packets[0] = f->packets[1] = 0;
	f->bytes[0] = f->bytes[1] = 0;
	f->copies_mirror = f->copies_routed = 0;
	f->retransmissions = 0;
	if (f->trail)
		f->trail->missed_bytes = 0;
	f->shed = 0;
	if (a)
		attributes_restart(a);
}

static void end(struct pipeline *p, struct flow *f, enum end_reason reason)
{
	p->counters->flows_closed++;
	p->counters->flows_evicted += reason == END_EVICTED;
	dissection_end(p->dissection, f);
}

static void find(struct pipeline *p, struct flow *f, const struct record_flow *record)
{
	struct findings findings = {
		.alerts = p->alerts,
		.events = p->events,
		.counters = p->counters,
		.site = p->options.setting.site,
		.summed = p->shed >= SHED_SUMS,
	};

	if (verdict_is_bad(record->verdict) &&
	    (!f->alerted || f->alerted_verdict != record->verdict)) {
		f->alerted = true;
		f->alerted_verdict = (uint8_t)record->verdict;
		findings_verdict(&findings, record, p->space.judgement->technique);
	}
	findings_events(&findings, record);
}

/* A flood must not fill the spool with a record for each of its packets: while more
 * comes than the table has room for, single packets have so many records a second; the
 * others are told of by pair of segments. */
static bool is_too_much(struct pipeline *p, const struct flow *f)
{
	if (!flow_is_lone(f) || !flow_table_overflows(p->flows, p->now))
		return false;
	int64_t second = p->now / USEC_PER_SECOND;
	if (p->lone_second != second)
		p->lone_records = 0;
	p->lone_second = second;
	return p->shed >= SHED_SUMS || ++p->lone_records > p->options.singles;
}

static void sum_up(struct pipeline *p, struct flow *f)
{
	uint8_t level = p->shed > SHED_SUMS ? p->shed : SHED_SUMS;

	pairs_add_flow(p->pairs, f, level);
	cover_shed(p->ledger, f->segments, level);
}

void pipeline_near(void *context, const struct flow *f)
{
	const struct pipeline *p = context;

	dissection_prefetch(p->dissection, f);
}

void pipeline_emit(void *context, struct flow *f, enum end_reason reason)
{
	struct pipeline *p = context;
	struct attributes *a = dissection_attributes(p->dissection, f);
	struct record r = { .type = RECORD_FLOW };

	cover_flow(p->ledger, f, reason);
	if (is_too_much(p, f)) {
		sum_up(p, f);
		end(p, f, reason);
		return;
	}
	enum stage before = stage_enter(STAGE_RECORD);
	flow_record(&p->options.setting, f, a, reason, &p->space, &r.flow);
	output_record(p->output, &r);
	stage_enter(STAGE_FIND);
	find(p, f, &r.flow);
	stage_enter(STAGE_HOSTS);
	if (p->assets)
		feed_flow(p->assets, &p->options.setting, f, a, &r.flow);
	stage_enter(before);
	if (reason == END_ACTIVE) {
		p->counters->records_interim++;
		begin_next_record(f, a);
		return;
	}
	end(p, f, reason);
}

/* From the report, with the last worker's part: this one says what follows. */
static int to_output_and_alerts(void *context, const struct record *record)
{
	struct pipeline *p = context;

	output_record(p->output, record);
	if (record->type != RECORD_COVERAGE)
		return 0;
	conditions_blind(p->alerts, &p->options.setting, &record->coverage);
	p->dead |= !strcmp(record->coverage.state, coverage_state_name(COVERAGE_MIRROR_DEAD));
	return 0;
}

static struct report_part part_of(struct pipeline *p)
{
	return (struct report_part){
		.worker = p->options.self,
		.minute = p->minute,
		.ledger = p->ledger,
		.now = p->counters,
		.reported = &p->reported,
		.sensor = p->options.setting.sensor,
		.exercise = p->options.setting.exercise,
		.sink = to_output_and_alerts,
		.context = p,
	};
}

void pipeline_tell_shedding(struct pipeline *p)
{
	if (p->shed || p->told)
		conditions_shedding(p->alerts, &p->options.setting, p->told, p->shed,
				    (struct usec){ p->now });
	p->told = p->shed;
}

static void tell_assets(struct pipeline *p, bool all)
{
	const struct record_setting *s = &p->options.setting;
	const struct asset_marks marks = {
		.sensor = s->sensor,
		.site_revision = site_revision(s->site),
		.exercise = s->exercise,
	};

	if (p->assets && p->now != INT64_MIN)
		assets_flush(p->assets, &marks, (struct usec){ p->now }, all);
}

/* Alerts last: what comes before may raise some. */
void pipeline_tell(struct pipeline *p, bool whole_minute)
{
	struct report_part part = part_of(p);

	part.cut = !whole_minute;
	pipeline_drain(p);
	pairs_flush(p->pairs, &p->options.setting, pipeline_to_output, p->output);
	tell_assets(p, !whole_minute);
	p->dead = false;
	if (p->minute != INT64_MIN) {
		pipeline_tell_shedding(p);
		p->counters->dpi_memory = dpi_memory();
		report_add(p->report, &part);
	}
	if (p->dead && whole_minute)
		conditions_mirror(p->alerts, &p->options.setting,
				  (struct usec){ (p->minute + 1) * MINUTE });
	alerts_flush(p->alerts);
}

void pipeline_report_rest(struct pipeline *p)
{
	struct report_part part = part_of(p);

	report_flush(p->report, &part);
	alerts_flush(p->alerts);
}

/* A capture's minutes without a frame are told, too. Live, time passes while
 * nothing comes: a minute that was skipped is one in which this program did not
 * run, and what it did not see it does not tell of. */
static void report_minutes(struct pipeline *p, int64_t next)
{
	if (p->minute == INT64_MIN)
		return;
	pipeline_tell(p, true);
	if (p->options.live || next - p->minute > JUMP / MINUTE)
		return;
	while (++p->minute < next)
		pipeline_tell(p, true);
}

static void each_second(struct pipeline *p)
{
	enum stage before = stage_enter(STAGE_FLOW);

	flow_table_expire(p->flows, p->now);
	stage_enter(before);
	int64_t minute = p->now / MINUTE;
	if (minute == p->minute)
		return;
	report_minutes(p, minute);
	p->minute = minute;
}

/* The previous packet was no stray one: its flow was alive when it said. */
static void believe(struct pipeline *p, int64_t time)
{
	if (p->ahead == FLOW_NONE)
		return;
	struct flow *f = flow_at(p->flows, p->ahead);
	f->last = f->since = f->record_end < time ? f->record_end : time;
}

/* A packet or two may be late; when all of them are, by a minute and more, the
 * clock was set back: what is open ends, and time starts anew. */
static bool clock_was_set_back(struct pipeline *p, int64_t time)
{
	p->late = time < p->now - MINUTE ? p->late + 1 : 0;
	if (p->late < STEPPED_BACK)
		return false;
	p->counters->clock_jump++;
	conditions_clock(p->alerts, &p->options.setting, true, (struct usec){ time });
	pipeline_flush(p, END_END_OF_INPUT);
	p->late = 0;
	return true;
}

/* The clock that time-outs go by follows the packets', but one stray stamp far
 * ahead does not move it: it takes a second one. */
void pipeline_advance(struct pipeline *p, int64_t time)
{
	if (p->now == INT64_MIN) {
		p->now = time;
		pipeline_tell_shedding(p);
	} else if (time < p->now) {
		p->counters->clock_back += time < p->now - p->disorder;
		p->jumped = false;
		if (p->options.live && clock_was_set_back(p, time))
			p->now = time;
	} else if (time > p->now + JUMP && !p->jumped) {
		p->counters->clock_jump++;
		p->jumped = true;
	} else {
		if (p->jumped && time > p->now + JUMP)
			believe(p, time);
		if (p->options.live && time > p->now + JUMP)
			conditions_clock(p->alerts, &p->options.setting, false,
					 (struct usec){ time });
		p->jumped = false;
		p->now = time;
	}
	int64_t second = p->now / USEC_PER_SECOND;
	if (second == p->second)
		return;
	p->second = second;
	pipeline_drain(p);
	each_second(p);
}
