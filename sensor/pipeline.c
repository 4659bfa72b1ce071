/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/pipeline_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/cover.h"
#include "sensor/stages.h"
#include "sensor/steer.h"
#include "sensor/tcp.h"

enum {
	TCP = 6,
	TCP_HEADER = 20,
	HOST_FACTS = 4, /* of a host, on average */
};

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

	return assets_create(&options, p->counters, pipeline_to_output, p->output);
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
	p->dedup = options->dedup ? dedup_create(PIPELINE_DEDUP, options->seed) : NULL;
	p->flows = flow_table_create(options->flows, &options->timeouts, options->seed,
				     pipeline_emit, p);
	p->names = hostnames_create(options->names);
	p->alerts = alerts_create(options->alerts, counters, pipeline_to_output, output);
	p->options.setting.names = p->names;
	p->options.setting.community_ids = output_is_json(output);
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
	flow_table_on_near(p->flows, pipeline_near);
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
	enum stage before = stage_enter(STAGE_CLASSIFY);
	uint8_t value = flow_segments(p->options.setting.site, packet, side, segments);

	stage_enter(before);
	if (treatment_of(p, value) == TREAT_PAIR) {
		shed_packet(p, packet, side, segments, answer);
		return NULL;
	}
	struct flow *f = flow_table_add(p->flows, key, hash, value, p->at);
	p->counters->flows++;
	f->start = packet->time.v;
	f->mark = flow_mark(packet);
	f->first_side = side & 1;
	f->client_side = side & 1;
	f->v6 = packet->v6;
	f->icmp_type = packet->icmp_type;
	f->icmp_code = packet->icmp_code;
	f->segments[0] = segments[0];
	f->segments[1] = segments[1];
	flow_set_tunnels(flow_table_trails(p->flows), f, packet);
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
	if (f->sent >> side & 1)
		return;
	f->sent |= (uint8_t)(1u << side);
	f->dscp[side] = packet->dscp;
	if (!flow_hop_count(f, side))
		flow_add_hop(flow_table_trails(p->flows), f, packet, side);
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
	enum stage before = stage_enter(STAGE_DISSECT);
	bool left_out =
		dissection_see(p->dissection, f, packet, side, treatment_of(p, f->eviction_value));

	stage_enter(before);
	if (!left_out)
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
		tcp_see(flow_table_trails(p->flows), f, packet, side);
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
	flow_add_hop(flow_table_trails(p->flows), f, packet, side);
}

static void packet_in(struct pipeline *p, const struct waiting *w)
{
	const struct packet *packet = &w->packet;
	struct flow *f = flow_table_find(p->flows, &w->key, w->hash);
	enum dedup_answer answer = DEDUP_NEW;

	p->at = w->at;
	if (p->dedup) {
		stage_enter(STAGE_DEDUP);
		answer = dedup_see(p->dedup, packet, w->signature);
		stage_enter(STAGE_FLOW);
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
	enum stage before = stage_enter(STAGE_FLOW);

	p->waiting_count = 0;
	for (size_t i = 0; i < n; i++)
		flow_table_prefetch(p->flows, p->waiting[i].hash);
	for (size_t i = 0; i < n; i++)
		packet_in(p, &p->waiting[i]);
	stage_enter(before);
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
	stage_enter(STAGE_DEDUP);
	w->signature = dedup_signature(&w->packet, w->hash, w->side);
	dedup_prefetch(p->dedup, w->signature);
	stage_enter(STAGE_FLOW);
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
	if (p->waiting_count == PIPELINE_WAITING || p->jumped || !borrowed)
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

/* Another packet that waits; NULL when there is nothing of it to meter. */
static struct waiting *decode_next(struct pipeline *p, const struct frame *frame)
{
	struct waiting *w = &p->waiting[p->waiting_count];
	enum stage before = stage_enter(STAGE_DECODE);
	enum decode_result result = decode(p->decoder, frame, &w->packet);

	stage_enter(STAGE_DISSECT);
	look_at_frame(p);
	stage_enter(before);
	return result == DECODE_OK ? w : NULL;
}

void pipeline_offer(struct pipeline *p, const struct frame *frame)
{
	pipeline_advance(p, frame->time.v);
	p->ahead = FLOW_NONE;
	struct waiting *w = decode_next(p, frame);
	if (!w)
		return;
	find_key(p, w);
	if (p->options.workers > 1 && hand_over(p, w))
		return;
	wait_for_memory(p, w, is_in_frame(&w->packet, frame));
}

void pipeline_take(struct pipeline *p, const struct packet *packet)
{
	pipeline_advance(p, packet->time.v);
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
		pipeline_advance(p, now.v);
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
		pipeline_tell_shedding(p);
}

void pipeline_flush(struct pipeline *p, enum end_reason reason)
{
	pipeline_drain(p);
	flow_table_flush(p->flows, reason);
	pipeline_tell(p, false);
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
