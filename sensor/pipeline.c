/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/pipeline.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/asset_feed.h"
#include "sensor/conditions.h"
#include "sensor/cover.h"
#include "sensor/dedup.h"
#include "sensor/findings.h"
#include "sensor/pairs.h"
#include "sensor/steer.h"
#include "sensor/tcp.h"

enum {
	TCP = 6,
	TCP_HEADER = 20,
	DEDUP_ENTRIES = 65536,
	HOST_FACTS = 4, /* of a host, on average */
	WAITING = 32,   /* packets: enough for memory to answer, few enough to stay in the cache */
};

#define MINUTE (60LL * USEC_PER_SECOND)
#define JUMP (3600LL * USEC_PER_SECOND)

enum { STEPPED_BACK = 64 }; /* packets in a row that are a minute late: the clock was set */

/* A packet that is decoded, while the memory that it will need is on its way. */
struct waiting {
	struct packet packet;
	struct flow_key key;
	unsigned side;
	uint64_t hash, signature;
	int64_t at; /* the clock when it came */
};

struct pipeline {
	struct pipeline_options options;
	struct counters *counters, reported; /* reported: as of the last minute told */
	struct report *report, *own_report;  /* own: NULL where all workers share one */
	struct output *output;
	struct decoder *decoder;
	struct dedup *dedup;
	struct flow_table *flows;
	struct dissection *dissection;
	struct hostnames *names;
	struct alerts *alerts;
	struct assets *assets;              /* NULL: none are kept */
	struct events *events, *own_events; /* own: NULL where all workers share them */
	struct ledger *ledger;              /* this minute's rows, for the report */
	struct pairs *pairs;
	uint8_t shed, told; /* level of shedding, and the one that was told of last */
	struct record_space space;
	int64_t now;      /* clock of the packets: never goes back */
	int64_t at;       /* the clock when the packet under way came */
	int64_t disorder; /* rings and workers are read in turn: that much is no step back */
	int64_t second;   /* of the last look at the table */
	int64_t minute;   /* of the last health record */
	bool dead;        /* the last minute had no frame, where there had been some */
	bool jumped;      /* the previous packet was far ahead of the clock */
	uint32_t ahead;   /* its flow, or FLOW_NONE */
	unsigned late;    /* packets in a row that were a minute behind the clock */
	size_t waiting_count;
	struct waiting waiting[WAITING];
};

static int to_output(void *context, const struct record *record)
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
	f->missed_bytes = 0;
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
		findings_verdict(&findings, record, p->space.judgement.technique);
	}
	findings_events(&findings, record);
}

static void emit(void *context, struct flow *f, enum end_reason reason)
{
	struct pipeline *p = context;
	struct attributes *a = dissection_attributes(p->dissection, f);
	struct record r = { .type = RECORD_FLOW };

	cover_flow(p->ledger, f, reason);
	/* A flood must not fill the spool with a record for each of its packets. */
	if (reason == END_EVICTED && p->shed >= SHED_SUMS && flow_is_lone(f)) {
		pairs_add_flow(p->pairs, f, p->shed);
		cover_shed(p->ledger, f->segments, p->shed);
		end(p, f, reason);
		return;
	}
	flow_record(&p->options.setting, f, a, reason, &p->space, &r.flow);
	output_record(p->output, &r);
	find(p, f, &r.flow);
	if (p->assets)
		feed_flow(p->assets, &p->options.setting, f, a, &r.flow);
	if (reason == END_ACTIVE) {
		p->counters->records_interim++;
		begin_next_record(f, a);
		return;
	}
	end(p, f, reason);
}

static void take_fact(void *context, const struct host_fact *fact)
{
	struct pipeline *p = context;

	feed_fact(p->assets, &p->options.setting, fact);
}

static struct assets *create_assets(struct pipeline *p)
{
	const struct assets_options options = {
		.hosts = p->options.hosts,
		.facts = p->options.hosts * HOST_FACTS,
		.seed = p->options.seed,
		.oui = p->options.oui,
	};

	return assets_create(&options, p->counters, to_output, p->output);
}

struct pipeline *pipeline_create(const struct pipeline_options *options, struct counters *counters,
				 struct output *output, char why[256])
{
	struct pipeline *p = calloc(1, sizeof(*p));

	snprintf(why, 256, "not enough memory for %zu flows; lower flows.table", options->flows);
	if (!p)
		return NULL;
	p->options = *options;
	p->counters = counters;
	p->output = output;
	p->now = p->second = p->minute = INT64_MIN;
	p->disorder = options->live ? USEC_PER_SECOND : 0;
	p->ahead = FLOW_NONE;
	p->decoder = decoder_create(options->fragments, counters);
	p->dedup = options->dedup ? dedup_create(DEDUP_ENTRIES, options->seed) : NULL;
	p->flows = flow_table_create(options->flows, &options->timeouts, options->seed, emit, p);
	p->names = hostnames_create(options->names);
	p->alerts = alerts_create(options->alerts, counters, to_output, output);
	p->options.setting.names = p->names;
	p->ledger = ledger_create(options->setting.site);
	p->pairs = pairs_create(counters);
	p->shed = options->shed;
	counters->shed_level = options->shed;
	p->own_report = options->report ? NULL : report_create(options->setting.site, 1);
	p->report = options->report ? options->report : p->own_report;
	p->own_events = options->events ? NULL : events_create(options->event_memory);
	p->events = options->events ? options->events : p->own_events;
	if (!p->decoder || !p->flows || !p->names || !p->alerts || !p->ledger || !p->pairs ||
	    !p->report || !p->events || (options->dedup && !p->dedup))
		goto fail;
	hostnames_listen(p->names, options->on_name, options->context);
	if (options->hosts && !(p->assets = create_assets(p)))
		goto fail;
	if (p->assets && !p->options.dissection.on_fact) {
		p->options.dissection.on_fact = take_fact;
		p->options.dissection.fact_context = p;
	}
	p->dissection = dissection_create(&p->options.dissection, p->names, counters, why);
	if (!p->dissection)
		goto fail;
	return p;
fail:
	pipeline_destroy(p);
	return NULL;
}

void pipeline_destroy(struct pipeline *p)
{
	if (!p)
		return;
	flow_table_destroy(p->flows);
	dissection_destroy(p->dissection);
	alerts_destroy(p->alerts);
	assets_destroy(p->assets);
	ledger_destroy(p->ledger);
	pairs_destroy(p->pairs);
	report_destroy(p->own_report);
	events_destroy(p->own_events);
	hostnames_destroy(p->names);
	dedup_destroy(p->dedup);
	decoder_destroy(p->decoder);
	free(p);
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

static void tell_shedding(struct pipeline *p)
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
static void report(struct pipeline *p, bool whole_minute)
{
	struct report_part part = part_of(p);

	pipeline_drain(p);
	pairs_flush(p->pairs, &p->options.setting, to_output, p->output);
	tell_assets(p, !whole_minute);
	p->dead = false;
	if (p->minute != INT64_MIN) {
		tell_shedding(p);
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
	report(p, true);
	if (p->options.live || next - p->minute > JUMP / MINUTE)
		return;
	while (++p->minute < next)
		report(p, true);
}

static void each_second(struct pipeline *p)
{
	flow_table_expire(p->flows, p->now);
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
static void advance(struct pipeline *p, int64_t time)
{
	if (p->now == INT64_MIN) {
		p->now = time;
		tell_shedding(p);
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

static enum treatment treatment_of(const struct pipeline *p, uint8_t value)
{
	return p->shed ? shed_treatment(p->shed, (enum impact)value) : TREAT_FULLY;
}

static void count_copy(struct pipeline *p, const uint16_t segments[2], enum dedup_answer answer)
{
	p->counters->copies_mirror += answer == DEDUP_MIRROR;
	p->counters->copies_routed += answer == DEDUP_ROUTED;
	cover_copy(p->ledger, segments, answer);
}

/* A packet that gets no flow. */
static void shed_packet(struct pipeline *p, const struct packet *packet, unsigned side,
			const uint16_t segments[2], enum dedup_answer answer)
{
	cover_shed(p->ledger, segments, p->shed);
	pairs_add_packet(p->pairs, packet, side, segments, answer, p->shed);
	if (answer == DEDUP_NEW)
		cover_packet(p->ledger, segments, packet);
	else
		count_copy(p, segments, answer);
}

/* NULL: its segments are not important enough at the moment. */
static struct flow *open_flow(struct pipeline *p, const struct flow_key *key, uint64_t hash,
			      const struct packet *packet, unsigned side, enum dedup_answer answer)
{
	uint16_t segments[2];
	uint8_t value = flow_segments(p->options.setting.site, packet, side, segments);

	if (treatment_of(p, value) == TREAT_PAIR) {
		shed_packet(p, packet, side, segments, answer);
		return NULL;
	}
	struct flow *f = flow_table_add(p->flows, key, hash, value, p->at);
	p->counters->flows++;
	f->start = packet->time.v;
	f->mark = flow_mark(packet);
	f->first_side = (uint8_t)side;
	f->client_side = (uint8_t)side;
	f->v6 = packet->v6;
	f->icmp_type = packet->icmp_type;
	f->icmp_code = packet->icmp_code;
	f->tunnel_count = packet->tunnel_count;
	f->segments[0] = segments[0];
	f->segments[1] = segments[1];
	memcpy(f->tunnels, packet->tunnels, sizeof(f->tunnels));
	return f;
}

static void count(struct pipeline *p, struct flow *f, const struct packet *packet, unsigned side)
{
	int64_t time = packet->time.v;

	if (f->packets[0] + f->packets[1] == 0) {
		f->record_start = f->record_end = time;
		f->since = p->at;
	}
	if (time < f->record_start)
		f->record_start = time;
	if (time > f->record_end)
		f->record_end = time;
	f->last = p->at;
	if (p->jumped)
		p->ahead = flow_number(p->flows, f);
	f->packets[side]++;
	f->bytes[side] += packet->ip_bytes;
	p->counters->metered++;
	f->data |= packet->payload_bytes != 0 || packet->fragment;
	if (!f->dscp_known[side]) {
		f->dscp_known[side] = true;
		f->dscp[side] = packet->dscp;
	}
	if (f->hop_count[side] == 0)
		flow_add_hop(f, packet, side);
}

/* Numbers and flags are there: not of pieces, nor of a header cut short. */
static bool has_tcp_header(const struct packet *packet)
{
	return (!packet->fragment || packet->whole) &&
	       cursor_left(&packet->transport) >= TCP_HEADER;
}

static void look_into(struct pipeline *p, struct flow *f, const struct packet *packet,
		      unsigned side)
{
	if (!dissection_see(p->dissection, f, packet, side, treatment_of(p, f->eviction_value)))
		return;
	if (f->shed < p->shed)
		f->shed = p->shed;
	cover_shed(p->ledger, f->segments, p->shed);
}

static void meter(struct pipeline *p, struct flow *f, const struct packet *packet, unsigned side)
{
	count(p, f, packet, side);
	cover_packet(p->ledger, f->segments, packet);
	if (packet->protocol == TCP && has_tcp_header(packet)) {
		uint8_t closed = f->closed;
		tcp_see(f, packet, side);
		if (f->closed != closed)
			flow_table_closed(p->flows, f);
	}
	if (f->stage != FLOW_SETTLED && cursor_left(&packet->payload))
		look_into(p, f, packet, side);
}

static void note_copy(struct pipeline *p, struct flow *f, const struct packet *packet,
		      unsigned side, enum dedup_answer answer)
{
	count_copy(p, f->segments, answer);
	if (answer == DEDUP_MIRROR) {
		f->copies_mirror++;
		return;
	}
	f->copies_routed++;
	flow_add_hop(f, packet, side);
}

static void packet_in(struct pipeline *p, const struct waiting *w)
{
	const struct packet *packet = &w->packet;
	struct flow *f = flow_table_find(p->flows, &w->key, w->hash);
	enum dedup_answer answer = DEDUP_NEW;

	p->at = w->at;
	if (p->dedup) {
		answer = dedup_see(p->dedup, packet, w->signature);
		if (answer != DEDUP_NEW && f) {
			note_copy(p, f, packet, w->side, answer);
			return;
		}
	}
	if (f && packet->protocol == TCP && has_tcp_header(packet) &&
	    tcp_reopens(f, packet, w->side)) {
		flow_table_end(p->flows, f, (enum end_reason)(f->closed - 1));
		f = NULL;
	}
	if (!f)
		f = open_flow(p, &w->key, w->hash, packet, w->side, answer);
	if (f)
		meter(p, f, packet, w->side);
}

void pipeline_drain(struct pipeline *p)
{
	size_t n = p->waiting_count;

	p->waiting_count = 0;
	for (size_t i = 0; i < n; i++)
		flow_table_prefetch(p->flows, p->waiting[i].hash);
	for (size_t i = 0; i < n; i++)
		packet_in(p, &p->waiting[i]);
}

static void find_key(struct pipeline *p, struct waiting *w)
{
	uint16_t realm = realm_of(p->options.setting.realms, &w->packet);

	w->side = flow_key_of(&w->packet, realm, &w->key);
	w->at = p->now;
}

/* Finds out which memory the packet will need, and asks for it. */
static void announce(struct pipeline *p, struct waiting *w)
{
	w->hash = flow_hash(p->flows, &w->key);
	flow_table_prefetch_slot(p->flows, w->hash);
	if (!p->dedup)
		return;
	w->signature = dedup_signature(&w->packet, w->hash, w->side);
	dedup_prefetch(p->dedup, w->signature);
}

static bool lies_in(const struct cursor *c, const struct frame *frame)
{
	return cursor_left(c) == 0 ||
	       (c->at >= frame->bytes && c->end <= frame->bytes + frame->captured);
}

/* Reassembled datagrams are lent by the decoder until its next call only. */
static bool is_in_frame(const struct packet *p, const struct frame *frame)
{
	return lies_in(&p->ip, frame) && lies_in(&p->transport, frame) &&
	       lies_in(&p->payload, frame);
}

/* To whom it belongs, if not to us. True when it is gone. */
static bool hand_over(struct pipeline *p, const struct waiting *w)
{
	unsigned owner = steer(&w->key, p->options.workers);

	if (owner == p->options.self)
		return false;
	if (p->options.hand_over(p->options.context, owner, &w->packet))
		p->counters->handed_over++;
	else
		p->counters->drops_handover++;
	return true;
}

static void wait_for_memory(struct pipeline *p, struct waiting *w, bool borrowed)
{
	announce(p, w);
	p->waiting_count++;
	/* The next packet's stamp decides what is made of one far ahead. */
	if (p->waiting_count == WAITING || p->jumped || !borrowed)
		pipeline_drain(p);
}

/* What is not IP is in no flow, so no segment's tier protects it: it is left out with
 * the payloads of the least. */
static void look_at_frame(struct pipeline *p)
{
	const struct packet *frame = decode_frame(p->decoder);

	if (frame && treatment_of(p, IMPACT_NONE) < TREAT_HEADERS)
		dissection_frame(p->dissection, frame, realm_of(p->options.setting.realms, frame));
}

void pipeline_offer(struct pipeline *p, const struct frame *frame)
{
	advance(p, frame->time.v);
	p->ahead = FLOW_NONE;
	struct waiting *w = &p->waiting[p->waiting_count];
	enum decode_result result = decode(p->decoder, frame, &w->packet);
	look_at_frame(p);
	if (result != DECODE_OK)
		return;
	find_key(p, w);
	if (p->options.workers > 1 && hand_over(p, w))
		return;
	wait_for_memory(p, w, is_in_frame(&w->packet, frame));
}

void pipeline_take(struct pipeline *p, const struct packet *packet)
{
	advance(p, packet->time.v);
	p->ahead = FLOW_NONE;
	struct waiting *w = &p->waiting[p->waiting_count];
	w->packet = *packet;
	find_key(p, w);
	wait_for_memory(p, w, true);
}

void pipeline_learn(struct pipeline *p, const struct ip_addr *ip, const char *name)
{
	hostnames_hear(p->names, ip, name);
}

void pipeline_frame(struct pipeline *p, const struct frame *frame)
{
	pipeline_offer(p, frame);
	pipeline_drain(p);
}

/* Live, this clock is the packets' own: it counts also where no packet ever came,
 * and when it was set. */
static bool idle_counts(const struct pipeline *p, int64_t now)
{
	if (p->now == INT64_MIN)
		return p->options.live;
	if (now >= p->now + JUMP || now < p->now - MINUTE)
		return p->options.live;
	return now > p->now;
}

void pipeline_idle(struct pipeline *p, struct usec now)
{
	if (idle_counts(p, now.v))
		advance(p, now.v);
}

/* Segments have other numbers in another site. */
static void forget_segments(void *context, struct flow *f)
{
	const struct pipeline *p = context;
	const struct site *site = p->options.setting.site;

	f->eviction_value = IMPACT_NONE;
	for (unsigned side = 0; side < 2; side++) {
		const struct segment *s = site_locate(site, &f->key.ip[side], 0, NULL);
		f->segments[side] = s->index;
		if (f->eviction_value < s->impact)
			f->eviction_value = (uint8_t)s->impact;
	}
}

struct pipeline_change {
	struct pipeline_settings to;
	/* the new ones; once applied, those that were replaced */
	struct ledger *ledger, *own_report;
	struct dedup *dedup;
};

struct pipeline_change *pipeline_prepare(const struct pipeline *p,
					 const struct pipeline_settings *to)
{
	struct pipeline_change *c = calloc(1, sizeof(*c));
	bool copies = to->dedup && !p->dedup;

	if (!c)
		return NULL;
	c->to = *to;
	c->ledger = ledger_create(to->site);
	c->own_report = p->own_report ? ledger_create(to->site) : NULL;
	c->dedup = copies ? dedup_create(DEDUP_ENTRIES, p->options.seed) : NULL;
	if (c->ledger && (c->own_report || !p->own_report) && (c->dedup || !copies))
		return c;
	pipeline_change_free(c);
	return NULL;
}

void pipeline_change_free(struct pipeline_change *c)
{
	if (!c)
		return;
	ledger_destroy(c->ledger);
	ledger_destroy(c->own_report);
	dedup_destroy(c->dedup);
	free(c);
}

static bool same_text(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

void pipeline_conclude(struct pipeline *p, const struct pipeline_change *c)
{
	pipeline_drain(p);
	/* Counts of one exercise are none of another's. */
	if (!same_text(p->options.setting.exercise, c->to.exercise) && p->now != INT64_MIN)
		flow_table_interim(p->flows, p->now);
	report(p, false);
}

void pipeline_apply(struct pipeline *p, struct pipeline_change *c)
{
	struct ledger *ledger = p->ledger;
	struct dedup *dedup = p->dedup;

	p->ledger = c->ledger;
	c->ledger = ledger;
	if (c->to.dedup != (dedup != NULL)) {
		p->dedup = c->dedup;
		c->dedup = dedup;
	}
	if (p->own_report)
		report_exchange(p->own_report, c->to.site, &c->own_report);
	/* What an exercise shows of hosts is none of what is known of the real ones. */
	if (p->assets && !same_text(p->options.setting.exercise, c->to.exercise))
		assets_clear(p->assets);
	p->options.setting.site = c->to.site;
	p->options.setting.geo = c->to.geo;
	p->options.setting.exercise = c->to.exercise;
	flow_table_each(p->flows, forget_segments, p);
	if (p->assets)
		feed_places(p->assets, c->to.site);
	flow_table_set_timeouts(p->flows, &c->to.timeouts);
}

void pipeline_set_shed(struct pipeline *p, uint8_t level)
{
	if (level == p->shed)
		return;
	pipeline_drain(p); /* what came before */
	p->counters->shed_raised += level > p->shed;
	p->counters->shed_level = level;
	p->shed = level;
	if (p->now != INT64_MIN)
		tell_shedding(p);
}

void pipeline_flush(struct pipeline *p, enum end_reason reason)
{
	pipeline_drain(p);
	flow_table_flush(p->flows, reason);
	report(p, false);
	if (p->dedup)
		dedup_reset(p->dedup);
	p->now = p->second = p->minute = INT64_MIN;
	p->jumped = false;
	p->ahead = FLOW_NONE;
}

size_t pipeline_flow_count(const struct pipeline *p)
{
	return flow_table_count(p->flows);
}

struct usec pipeline_clock(const struct pipeline *p)
{
	return (struct usec){ p->now };
}
