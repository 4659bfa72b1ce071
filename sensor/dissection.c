/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/dissection.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sensor/blocks.h"
#include "sensor/inspection.h"
#include "sensor/reassembly.h"
#include "sensor/stages.h"
#include "sensor/tcp.h"

enum {
	TCP = 6,
	UDP = 17,
	PROBES = 12,              /* payload packets offered to our dissectors */
	PROBES_UDP = 5,           /* each datagram of a flow looks like the others */
	PROBES_MIDSTREAM = 20000, /* the next anchor may be a long way off */
	NO_DISSECTOR = 0xff,
	AHEAD = 256, /* bytes of a context that are asked for before they are needed */
};

/* What a flow under dissection holds, in a block that grows with it: streams, the
 * dissector's state, packed attributes. Of one that is settled only the attributes stay. */
struct context {
	uint16_t attributes_at; /* from the context's begin, as state_at */
	uint8_t state_at;
	uint8_t stream_count; /* TCP 2, UDP 1, settled 0 */
	alignas(8) struct reassembly streams[];
};

enum {
	STATE_ALIGN = alignof(max_align_t),
	CONTEXT_MOST = sizeof(struct context) + 2 * sizeof(struct reassembly) + STATE_ALIGN +
		       DISSECT_STATE_MOST + sizeof(struct attributes),
};

_Static_assert((int)CONTEXT_MOST <= (int)BLOCK_MOST, "a flow's context is one block");
_Static_assert((int)FLOW_NONE == (int)BLOCK_NONE, "a flow's slot is its block's number");

struct dissection {
	struct blocks *blocks;
	size_t context_count, contexts_used;
	struct reassembly_pool *pool;
	uint8_t *room;                 /* lent to a dissector for the time of a datagram */
	struct inspection *inspection; /* NULL: nDPI is off */
	struct hostnames *names;
	struct counters *counters;
	/* Whom to ask, by transport: of a first byte, without one, and where the start of a
	 * TCP stream was not seen. */
	uint64_t by_first[TRANSPORT_LINK + 1][256], by_transport[TRANSPORT_LINK + 1];
	uint64_t midstream[256];
	void (*on_fact)(void *context, const struct host_fact *fact);
	void *fact_context;
	struct attributes attributes; /* of the flow that is shown; else of no value */
	alignas(max_align_t) uint8_t frame_state[DISSECT_STATE_MOST]; /* of no flow */
	/* Of the packet under way: nDPI may not look; it would have; one of ours wants more. */
	bool no_dpi, left_out, undecided;
};

static void list_candidates(struct dissection *d, uint64_t off)
{
	for (enum transport t = TRANSPORT_TCP; t <= TRANSPORT_LINK; t <<= 1) {
		d->by_transport[t] = dissectors_of(t) & ~off;
		for (unsigned b = 0; b < 256; b++)
			d->by_first[t][b] = dissectors_for(t, (uint8_t)b) & ~off;
	}
	for (unsigned b = 0; b < 256; b++)
		d->midstream[b] = dissectors_midstream(TRANSPORT_TCP, (uint8_t)b) & ~off;
}

struct dissection *dissection_create(const struct dissection_options *options,
				     struct hostnames *names, struct counters *counters,
				     char why[256])
{
	struct dissection *d = calloc(1, sizeof(*d));

	snprintf(why, 256, "not enough memory for %zu dissection slots; lower them",
		 options->contexts);
	if (!d)
		return NULL;
	d->names = names;
	d->counters = counters;
	d->on_fact = options->on_fact;
	d->fact_context = options->fact_context;
	list_candidates(d, options->off);
	d->context_count = options->contexts;
	d->blocks = blocks_create(options->contexts);
	d->pool = reassembly_pool_create(options->buffers);
	d->room = malloc(DISSECT_BUFFER);
	if (!d->blocks || !d->pool || !d->room)
		goto fail;
	d->inspection = options->dpi_flows ? inspection_create(options, counters, why) : NULL;
	if (d->inspection || !options->dpi_flows)
		return d;
fail:
	dissection_destroy(d);
	return NULL;
}

void dissection_destroy(struct dissection *d)
{
	if (!d)
		return;
	inspection_destroy(d->inspection);
	reassembly_pool_destroy(d->pool);
	free(d->room);
	blocks_destroy(d->blocks);
	free(d);
}

static struct context *context_of(const struct dissection *d, const struct flow *f)
{
	return f->context == FLOW_NONE ? NULL : blocks_at(d->blocks, f->context);
}

static struct attributes *attributes_of(struct context *c)
{
	return (struct attributes *)((uint8_t *)c + c->attributes_at);
}

void dissection_prefetch(const struct dissection *d, const struct flow *f)
{
	if (f->context == FLOW_NONE)
		return;
	const uint8_t *c = blocks_at(d->blocks, f->context);
	for (size_t i = 0; i < AHEAD; i += 64)
		__builtin_prefetch(c + i, 1);
}

static size_t aligned(size_t n, size_t to)
{
	return (n + to - 1) / to * to;
}

/* A context without attributes, for `state` bytes of a dissector. */
static struct context context_for(const struct flow *f, size_t state)
{
	struct context c = { .stream_count = f->key.protocol == TCP ? 2 : 1 };
	size_t streams = c.stream_count * sizeof(struct reassembly);

	c.state_at = (uint8_t)aligned(sizeof(c) + streams, STATE_ALIGN);
	c.attributes_at = (uint16_t)aligned(c.state_at + state, alignof(struct attributes));
	return c;
}

static uint32_t block_for(struct dissection *d, const struct context *c)
{
	return blocks_take(d->blocks, c->attributes_at + offsetof(struct attributes, values));
}

static struct context *begin_context(struct dissection *d, struct flow *f, uint32_t block,
				     const struct context *shape)
{
	struct context *c = blocks_at(d->blocks, block);
	size_t state = shape->attributes_at - shape->state_at;

	f->context = block;
	*c = *shape;
	memset((uint8_t *)c + c->state_at, 0, state);
	memset(attributes_of(c), 0, offsetof(struct attributes, values));
	return c;
}

/* Streams, and `state` bytes: none of a flow that nobody has claimed. */
static struct context *take_context(struct dissection *d, struct flow *f, size_t state)
{
	struct context shape = context_for(f, state);
	uint32_t block = BLOCK_NONE;

	if (d->contexts_used < d->context_count)
		block = block_for(d, &shape);
	if (block == BLOCK_NONE)
		return NULL;
	d->contexts_used++;
	struct context *c = begin_context(d, f, block, &shape);
	memset(c->streams, 0, c->stream_count * sizeof(c->streams[0]));
	return c;
}

/* For a claim of a flow whose bytes are kept already. */
static struct context *add_state(struct dissection *d, struct flow *f, size_t state)
{
	const struct context *old = context_of(d, f);
	struct context shape = context_for(f, state);
	uint32_t given = f->context, block = block_for(d, &shape);

	if (block == BLOCK_NONE)
		return NULL;
	struct context *c = begin_context(d, f, block, &shape);
	memcpy(c->streams, old->streams, c->stream_count * sizeof(c->streams[0]));
	blocks_give(d->blocks, given);
	return c;
}

/* Moves what stands before the attributes; they are of no value then. */
static bool make_room(struct dissection *d, struct flow *f, size_t n)
{
	uint32_t old = f->context;

	if (n <= blocks_room(d->blocks, old))
		return true;
	uint32_t block = blocks_take(d->blocks, n);
	if (block == BLOCK_NONE)
		return false;
	const struct context *c = context_of(d, f);
	memcpy(blocks_at(d->blocks, block), c, c->attributes_at);
	f->context = block;
	blocks_give(d->blocks, old);
	return true;
}

/* Keeps d->attributes with the flow. What is new in them is lost when there is no room. */
static void keep_attributes(struct dissection *d, struct flow *f)
{
	struct context *c = context_of(d, f);
	struct attributes *kept = attributes_of(c);
	const struct attributes *a = &d->attributes;

	if (a->count == kept->count && a->text_used == kept->text_used) {
		uint16_t nearer = kept->nearer;
		memcpy(kept, a,
		       offsetof(struct attributes, values) + a->count * sizeof(a->values[0]));
		kept->nearer = nearer;
		return;
	}
	if (!make_room(d, f, c->attributes_at + attributes_packed_size(a)))
		kept->dropped += a->count - kept->count;
	else
		attributes_pack(attributes_of(context_of(d, f)), a);
}

/* Of a flow that is settled only the attributes are kept, in as little room as they need. */
static void shrink(struct dissection *d, struct flow *f)
{
	struct context *c = context_of(d, f);
	const struct attributes *a = attributes_of(c);
	struct context rest = { .attributes_at = sizeof(rest) };
	size_t n = sizeof(rest) + attributes_packed_size(a);

	c->stream_count = 0;
	if (blocks_fit(n) >= blocks_room(d->blocks, f->context))
		return;
	uint32_t old = f->context, block = blocks_take(d->blocks, n);
	if (block == BLOCK_NONE)
		return;
	f->context = block;
	struct context *to = context_of(d, f);
	*to = rest;
	attributes_pack(attributes_of(to), a);
	blocks_give(d->blocks, old);
}

static void finish_streams(struct dissection *d, struct context *c)
{
	for (int i = 0; i < c->stream_count; i++) {
		d->counters->stream_gaps += c->streams[i].gaps;
		d->counters->stream_overflow += c->streams[i].overflows;
		c->streams[i].gaps = c->streams[i].overflows = 0;
		reassembly_finish(d->pool, &c->streams[i]);
	}
}

static void drop_context(struct dissection *d, struct flow *f)
{
	struct context *c = context_of(d, f);

	if (!c)
		return;
	finish_streams(d, c);
	d->counters->attributes_dropped += attributes_of(c)->dropped;
	d->counters->attributes_invalid += attributes_of(c)->invalid;
	blocks_give(d->blocks, f->context);
	d->contexts_used--;
	f->context = FLOW_NONE;
}

void dissection_end(struct dissection *d, struct flow *f)
{
	drop_context(d, f);
	inspection_end(d->inspection, f);
	f->stage = FLOW_SETTLED;
}

struct attributes *dissection_attributes(struct dissection *d, const struct flow *f)
{
	struct context *c = context_of(d, f);
	return c && attributes_of(c)->count ? attributes_of(c) : NULL;
}

static void settle(struct dissection *d, struct flow *f)
{
	struct context *c = context_of(d, f);

	f->stage = FLOW_SETTLED;
	inspection_end(d->inspection, f);
	if (!c)
		return;
	finish_streams(d, c);
	if (attributes_of(c)->count)
		shrink(d, f);
	else
		drop_context(d, f);
}

static void tell_facts(const struct dissection *d, const struct dissect_input *in,
		       const struct packet *p, bool is_frame, uint16_t realm)
{
	struct host_fact fact;

	for (size_t i = 0; d->on_fact && i < in->fact_count; i++)
		if (host_fact_of(&fact, &in->facts[i], p, is_frame, realm))
			d->on_fact(d->fact_context, &fact);
}

static void apply_answers(struct dissection *d, struct flow *f, const struct dissect_input *in,
			  unsigned side)
{
	if (in->role != ROLE_UNKNOWN && f->orientation < ORIENTATION_DISSECTOR) {
		f->orientation = ORIENTATION_DISSECTOR;
		f->client_side = (in->role == ROLE_SENDER_IS_CLIENT ? side : !side) & 1;
	}
	if (in->confidence != CONFIDENCE_NONE)
		f->app_confidence = (uint8_t)in->confidence;
	if (in->encrypted)
		f->encrypted = true;
	for (size_t i = 0; i < in->name_count; i++)
		hostnames_learn(d->names, &in->names[i].ip, in->names[i].name);
}

/* The claim was wrong: the flow goes to nDPI, with nothing of ours left on it. */
static void withdraw(struct dissection *d, struct flow *f)
{
	drop_context(d, f);
	f->app = NULL;
	f->named = f->dpi_over = false;
	f->app_source = APP_SOURCE_NONE;
	f->app_confidence = CONFIDENCE_NONE;
	f->dissector = NO_DISSECTOR;
	f->encrypted = false;
	if (f->orientation == ORIENTATION_DISSECTOR) {
		f->orientation = ORIENTATION_FIRST_PACKET;
		f->client_side = f->first_side;
	}
	f->stage = FLOW_INSPECTED;
	f->shown = 0;
	d->counters->claims--;
}

static void conclude(struct dissection *d, struct flow *f, enum dissect_result result)
{
	switch (result) {
	case DISSECT_MORE:
		break;
	case DISSECT_NOT_MINE:
		withdraw(d, f);
		break;
	case DISSECT_MALFORMED:
		d->counters->dissect_malformed++;
		settle(d, f);
		break;
	case DISSECT_DONE:
		settle(d, f);
		break;
	}
}

static void input_of(struct dissect_input *in, const struct packet *p, uint8_t direction,
		     enum transport transport)
{
	in->direction = direction;
	in->gap = false;
	in->source_ip = p->source;
	in->dest_ip = p->dest;
	in->source_port = p->source_port;
	in->dest_port = p->dest_port;
	in->transport = transport;
	in->time = p->time;
	in->room = NULL;
	in->held = 0;
	memset(in->source_mac, 0, sizeof(in->source_mac));
	memset(in->dest_mac, 0, sizeof(in->dest_mac));
	in->skip = 0;
	in->hold = 0;
	in->role = ROLE_UNKNOWN;
	in->confidence = CONFIDENCE_NONE;
	in->encrypted = false;
	in->name_count = 0;
	in->fact_count = 0;
}

static enum dissect_result show(struct dissection *d, struct flow *f, struct dissect_input *in,
				const struct packet *p, unsigned side)
{
	const struct dissector *dissector = dissectors[f->dissector];
	struct context *c = context_of(d, f);

	attributes_unpack(&d->attributes, attributes_of(c));
	enum dissect_result result =
		dissector->dissect((uint8_t *)c + c->state_at, in, &d->attributes);
	keep_attributes(d, f);
	apply_answers(d, f, in, side);
	if (in->fact_count && result != DISSECT_NOT_MINE)
		tell_facts(d, in, p, false, f->key.realm);
	return result;
}

static void feed_datagram(struct dissection *d, struct flow *f, const struct packet *p,
			  unsigned side)
{
	struct reassembly *s = &context_of(d, f)->streams[0]; /* one for both directions */
	struct dissect_input in;

	input_of(&in, p, side != f->first_side, TRANSPORT_UDP);
	in.bytes = p->payload;
	in.room = s->buffer ? s->buffer : d->room;
	in.held = s->buffer ? s->ready : 0;
	enum dissect_result result = show(d, f, &in, p, side);
	s = &context_of(d, f)->streams[0];
	reassembly_hold(d->pool, s, in.room, result == DISSECT_MORE ? in.hold : 0);
	conclude(d, f, result);
}

/* Shows bytes until the dissector wants more than there are. */
static void show_stream(struct dissection *d, struct flow *f, const struct packet *p, unsigned side,
			struct cursor shown)
{
	struct reassembly *s = &context_of(d, f)->streams[side];
	struct dissect_input in;

	do {
		input_of(&in, p, side != f->first_side, TRANSPORT_TCP);
		in.bytes = shown;
		in.gap = s->gap;
		enum dissect_result result = show(d, f, &in, p, side);
		if (result != DISSECT_MORE) {
			conclude(d, f, result);
			return;
		}
		s = &context_of(d, f)->streams[side];
		size_t taken =
			in.bytes.failed ? cursor_left(&shown) : (size_t)(in.bytes.at - shown.at);
		reassembly_taken(d->pool, s, shown, taken, in.skip);
	} while (reassembly_more(s, &shown));
}

static uint32_t payload_sequence(const struct packet *p)
{
	return p->tcp_seq + ((p->tcp_flags & TCP_SYN) != 0);
}

static bool offer(struct dissection *d, struct flow *f, const struct packet *p, unsigned side,
		  struct cursor *shown)
{
	struct reassembly *s = &context_of(d, f)->streams[side];

	if (!s->started) {
		reassembly_init(s, payload_sequence(p));
		s->gap = flow_begins_late(f);
	}
	return reassembly_offer(d->pool, s, payload_sequence(p), p->payload, p->payload_bytes,
				f->ack_known >> !side & 1, f->acked[!side], shown);
}

static void feed_segment(struct dissection *d, struct flow *f, const struct packet *p,
			 unsigned side)
{
	struct cursor shown;

	if (offer(d, f, p, side, &shown))
		show_stream(d, f, p, side, shown);
}

/* Asks each dissector that these bytes could be of; its number on a claim. `more`:
 * one could not tell yet. */
static uint8_t ask(const struct dissection *d, const struct packet *p, struct cursor bytes,
		   enum transport transport, bool midstream, bool *more)
{
	bool all_shown = cursor_left(&bytes) >= DISSECT_PROBE_MOST;
	int first = cursor_peek(&bytes, 0);
	uint64_t candidates = first < 0   ? d->by_transport[transport]
			      : midstream ? d->midstream[first]
					  : d->by_first[transport][first];

	*more = false;
	if (all_shown)
		bytes = cursor_of(bytes.at, DISSECT_PROBE_MOST);
	for (; candidates; candidates &= candidates - 1) {
		uint8_t i = (uint8_t)__builtin_ctzll(candidates);
		enum probe_result r = dissectors[i]->probe(bytes, transport, p->source_port,
							   p->dest_port, midstream);
		if (r == PROBE_YES)
			return i;
		*more |= r == PROBE_MORE && !all_shown;
	}
	return NO_DISSECTOR;
}

/* True when there is a slot to dissect in. */
static bool claim(struct dissection *d, struct flow *f, uint8_t number)
{
	f->app = dissectors[number]->name;
	f->app_source = APP_SOURCE_DISSECTOR;
	f->app_confidence = CONFIDENCE_HIGH;
	f->dissector = number;
	d->counters->claims++;
	inspection_end(d->inspection, f);
	f->stage = FLOW_CLAIMED;
	size_t state = dissectors[number]->state_size;
	if (context_of(d, f) ? add_state(d, f, state) : take_context(d, f, state))
		return true;
	d->counters->contexts_refused++;
	drop_context(d, f);
	f->stage = FLOW_SETTLED;
	return false;
}

static void inspect(struct dissection *d, struct flow *f, const struct packet *p, unsigned side)
{
	const struct inspection_terms terms = { .forbidden = d->no_dpi, .undecided = d->undecided };

	if (d->inspection && !f->dpi_over)
		d->left_out |= inspection_see(d->inspection, f, p, side, &terms);
}

static void settle_when_through(struct dissection *d, struct flow *f)
{
	unsigned most = f->key.protocol == UDP ? PROBES_UDP : PROBES;

	if (f->shown >= (flow_begins_late(f) ? PROBES_MIDSTREAM : most) ||
	    (f->dpi_over && f->named && !flow_begins_late(f)))
		settle(d, f);
}

/* What the other direction has said is kept while nobody could tell what it was. */
static void show_other_side(struct dissection *d, struct flow *f, const struct packet *p,
			    unsigned side)
{
	struct packet other = *p;
	struct cursor kept;

	other.source = p->dest;
	other.dest = p->source;
	other.source_port = p->dest_port;
	other.dest_port = p->source_port;
	other.has_mac = false; /* its own packet had them */
	if (reassembly_again(&context_of(d, f)->streams[!side], &kept))
		show_stream(d, f, &other, !side, kept);
}

static void probe_datagram(struct dissection *d, struct flow *f, const struct packet *p,
			   unsigned side)
{
	bool more;
	uint8_t number = ask(d, p, p->payload, TRANSPORT_UDP, false, &more);
	d->undecided = more;

	if (number == NO_DISSECTOR) {
		inspect(d, f, p, side);
		settle_when_through(d, f);
	} else if (claim(d, f, number)) {
		feed_datagram(d, f, p, side);
	}
}

/* Bytes of one direction that nobody has claimed yet. Those that one dissector
 * could not tell from are kept, to be asked about again with the next ones. */
static void probe_segment(struct dissection *d, struct flow *f, const struct packet *p,
			  unsigned side)
{
	struct context *c = context_of(d, f);
	struct cursor bytes = p->payload;
	bool more;

	if (c && !offer(d, f, p, side, &bytes))
		return;
	uint8_t number = ask(d, p, bytes, TRANSPORT_TCP, flow_begins_late(f), &more);
	d->undecided = more;
	if (number != NO_DISSECTOR) {
		if (!claim(d, f, number))
			return;
		if (!c) {
			feed_segment(d, f, p, side);
			return;
		}
		show_other_side(d, f, p, side);
		if (f->stage == FLOW_CLAIMED)
			show_stream(d, f, p, side, bytes);
		return;
	}
	inspect(d, f, p, side);
	if (more && !c) {
		c = take_context(d, f, 0);
		d->counters->contexts_refused += !c && f->shown == 1;
		if (c && !offer(d, f, p, side, &bytes))
			return;
	}
	if (c)
		reassembly_taken(d->pool, &c->streams[side], bytes, more ? 0 : cursor_left(&bytes),
				 0);
	/* However small the segments are: DISSECT_PROBE_MOST bytes are waited for. */
	if (!more || !c)
		settle_when_through(d, f);
}

/* A flow that nobody claims, or whose claim was withdrawn: nDPI alone looks on. */
static void look_on(struct dissection *d, struct flow *f, const struct packet *p, unsigned side)
{
	f->shown += f->shown < UINT16_MAX;
	inspect(d, f, p, side);
	settle_when_through(d, f);
}

static void feed(struct dissection *d, struct flow *f, const struct packet *p, unsigned side)
{
	if (p->protocol == TCP)
		feed_segment(d, f, p, side);
	else
		feed_datagram(d, f, p, side);
}

static void probe(struct dissection *d, struct flow *f, const struct packet *p, unsigned side)
{
	f->shown += f->shown < UINT16_MAX;
	if (p->protocol == TCP)
		probe_segment(d, f, p, side);
	else
		probe_datagram(d, f, p, side);
}

/* What a claimed flow has found so far stays with it; buffers and slots are for
 * flows that are looked at. */
static void leave_out(struct dissection *d, struct flow *f)
{
	struct context *c = context_of(d, f);

	d->counters->shed_dissection += !f->unread;
	f->unread = true;
	inspection_end(d->inspection, f);
	if (c && f->stage == FLOW_CLAIMED)
		finish_streams(d, c);
	else
		drop_context(d, f);
}

bool dissection_see(struct dissection *d, struct flow *f, const struct packet *p, unsigned side,
		    enum treatment treatment)
{
	bool tcp = p->protocol == TCP;

	if (f->stage == FLOW_SETTLED || (!tcp && p->protocol != UDP) || !p->has_ports)
		return false;
	if (p->fragment && !p->whole)
		return false;
	if (treatment >= TREAT_HEADERS) {
		leave_out(d, f);
		return true;
	}
	d->no_dpi = treatment != TREAT_FULLY;
	d->left_out = false;
	if (f->stage == FLOW_CLAIMED)
		feed(d, f, p, side);
	else if (f->stage == FLOW_PROBING)
		probe(d, f, p, side);
	if (f->stage == FLOW_INSPECTED)
		look_on(d, f, p, side);
	return d->left_out;
}

void dissection_frame(struct dissection *d, const struct packet *frame, uint16_t realm)
{
	bool more;
	uint8_t number = ask(d, frame, frame->payload, TRANSPORT_LINK, false, &more);
	struct dissect_input in;

	if (number == NO_DISSECTOR)
		return;
	memset(d->frame_state, 0, dissectors[number]->state_size);
	memset(&d->attributes, 0, offsetof(struct attributes, values));
	input_of(&in, frame, 0, TRANSPORT_LINK);
	memcpy(in.source_mac, frame->source_mac, 6);
	memcpy(in.dest_mac, frame->dest_mac, 6);
	in.bytes = frame->payload;
	if (dissectors[number]->dissect(d->frame_state, &in, &d->attributes) != DISSECT_NOT_MINE)
		tell_facts(d, &in, frame, true, realm);
}
