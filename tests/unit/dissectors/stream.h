/* SPDX-License-Identifier: Apache-2.0
 *
 * Plays the core for one flow and one dissector, for tests and fuzzers: probes,
 * keeps what a dissector leaves, honours `skip`, gives up a full buffer, and
 * checks that the dissector keeps its side of dissectors/dissector.h. Every
 * offer is a heap copy of the exact size, so one byte too far is caught. */
#pragma once

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dissectors/dissector.h"

enum { STREAM_NAMES = 16, STREAM_FACTS = 16 };

struct conversation {
	const struct dissector *dissector;
	enum transport transport;
	uint16_t ports[2]; /* of the sender, by direction */
	struct ip_addr ips[2];
	bool midstream;
	struct usec time;      /* of what is offered next */
	uint8_t source_mac[6]; /* LINK */

	void *state;
	struct conversation_side {
		uint8_t *kept; /* what the dissector left */
		size_t kept_size;
		uint64_t skip;
		bool gap;     /* to be told with the next offer */
		bool refused; /* its first bytes were not the protocol's; TCP only */
	} sides[2];
	uint8_t *room; /* UDP: DISSECT_BUFFER bytes ... */
	size_t held;   /* ... and how many the flow asked to keep */

	/* What came out: */
	bool refused, claimed, over; /* refused: by the last probe; over: asked no more */
	enum dissect_result result;  /* of the last call; MORE before the first */
	struct attributes out;
	unsigned role_sender[3];    /* how often each role was said ... */
	unsigned client_direction;  /* ... and what it came to; 2: none was said */
	enum confidence confidence; /* highest said */
	uint64_t skipped;           /* bytes of the stream that were never shown */
	bool encrypted;
	struct dissect_name names[STREAM_NAMES];
	size_t name_count;
	struct dissect_fact facts[STREAM_FACTS];
	size_t fact_count;
};

static inline void stream_init(struct conversation *s, const struct dissector *d,
			       enum transport transport, uint16_t client_port, uint16_t server_port)
{
	*s = (struct conversation){ .dissector = d, .transport = transport };
	s->ports[0] = client_port;
	s->ports[1] = server_port;
	s->client_direction = 2;
	assert(d->state_size <= DISSECT_STATE_MOST);
	s->state = calloc(1, d->state_size ? d->state_size : 1);
	s->room = malloc(DISSECT_BUFFER);
	assert(s->state && s->room);
}

static inline void stream_finish(struct conversation *s)
{
	free(s->state);
	free(s->room);
	free(s->sides[0].kept);
	free(s->sides[1].kept);
	*s = (struct conversation){ 0 };
}

static inline uint8_t *stream_copy(const void *bytes, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	assert(copy);
	if (n)
		memcpy(copy, bytes, n);
	return copy;
}

static inline enum probe_result stream_probe(struct conversation *s, unsigned direction)
{
	struct conversation_side *side = &s->sides[direction];
	size_t n = side->kept_size < DISSECT_PROBE_MOST ? side->kept_size : DISSECT_PROBE_MOST;
	uint8_t *exact = stream_copy(side->kept, n);

	enum probe_result r =
		s->dissector->probe(cursor_of(exact, n), s->transport, s->ports[direction],
				    s->ports[!direction], s->midstream);
	free(exact);
	/* Nobody may ask for more than there can ever be. */
	return r == PROBE_MORE && n == DISSECT_PROBE_MOST ? PROBE_NO : r;
}

static inline const struct field *stream_field(const struct conversation *s, const char *name)
{
	for (const struct field *f = s->dissector->fields; f->name; f++)
		if (!strcmp(f->name, name))
			return f;
	assert(!"no such field");
	return NULL;
}

static inline void stream_note(struct conversation *s, const struct dissect_input *in,
			       unsigned direction)
{
	assert(in->name_count <= sizeof(in->names) / sizeof(in->names[0]));
	for (size_t i = 0; i < in->name_count; i++) {
		assert(memchr(in->names[i].name, 0, sizeof(in->names[i].name)));
		if (s->name_count < STREAM_NAMES)
			s->names[s->name_count++] = in->names[i];
	}
	assert(in->fact_count <= DISSECT_FACTS);
	for (size_t i = 0; i < in->fact_count; i++) {
		const struct field *f = in->facts[i].field;
		assert(f->type == FIELD_TEXT && stream_field(s, f->name) == f);
		if (s->fact_count < STREAM_FACTS)
			s->facts[s->fact_count++] = in->facts[i];
	}
	if (in->role != ROLE_UNKNOWN) {
		s->role_sender[in->role]++;
		s->client_direction = in->role == ROLE_SENDER_IS_CLIENT ? direction : !direction;
	}
	if (in->confidence > s->confidence)
		s->confidence = in->confidence;
	s->encrypted |= in->encrypted;
}

/* Keeps the last n bytes of what is kept. */
static inline void stream_keep(struct conversation_side *side, size_t n)
{
	assert(n <= side->kept_size);
	if (n && n < side->kept_size)
		memmove(side->kept, side->kept + side->kept_size - n, n);
	side->kept_size = n;
}

static inline void stream_dissect(struct conversation *s, unsigned direction)
{
	struct conversation_side *side = &s->sides[direction];
	struct dissect_input in = {
		.bytes = cursor_of(side->kept, side->kept_size),
		.direction = (uint8_t)direction,
		.gap = side->gap,
		.source_ip = s->ips[direction],
		.dest_ip = s->ips[!direction],
		.source_port = s->ports[direction],
		.dest_port = s->ports[!direction],
		.transport = s->transport,
		.time = s->time,
	};

	if (s->transport == TRANSPORT_UDP) {
		in.room = s->room;
		in.held = s->held;
		memset(s->room + s->held, 0xa5, DISSECT_BUFFER - s->held);
	}
	memcpy(in.source_mac, s->source_mac, 6);
	side->gap = false;
	s->result = s->dissector->dissect(s->state, &in, &s->out);
	stream_note(s, &in, direction);
	assert(in.hold <= (in.room ? DISSECT_BUFFER : 0));
	s->held = in.hold;
	size_t left = cursor_left(&in.bytes);
	assert(left <= side->kept_size && in.bytes.end == in.bytes.at + left);
	assert(!in.skip || left == 0);
	if (s->transport != TRANSPORT_TCP)
		left = 0;
	stream_keep(side, left);
	side->skip = in.skip;
	s->over = s->result != DISSECT_MORE;
	if (s->result == DISSECT_NOT_MINE)
		s->claimed = false;
	if (left == DISSECT_BUFFER) {
		side->kept_size = 0;
		side->gap = true;
	}
}

/* Who speaks another protocol in one direction may still speak this one in the other. */
static inline void stream_ask(struct conversation *s, unsigned direction)
{
	struct conversation_side *side = &s->sides[direction];
	bool tcp = s->transport == TRANSPORT_TCP;

	enum probe_result r = stream_probe(s, direction);
	s->claimed = r == PROBE_YES;
	s->refused = r == PROBE_NO;
	side->refused = tcp && s->refused;
	side->gap = tcp && (s->refused || s->midstream);
	s->over = s->refused && (!tcp || s->sides[!direction].refused);
	if (s->refused || (!tcp && !s->claimed))
		side->kept_size = 0;
}

/* One datagram, or at most DISSECT_BUFFER less what is kept of a stream. */
static inline void stream_segment(struct conversation *s, unsigned direction, const uint8_t *p,
				  size_t n)
{
	struct conversation_side *side = &s->sides[direction];
	bool was_claimed = s->claimed;

	if (side->skip) {
		size_t passed = side->skip < n ? (size_t)side->skip : n;
		side->skip -= passed;
		s->skipped += passed;
		p += passed;
		n -= passed;
		if (!n)
			return;
	}
	uint8_t *exact = malloc(side->kept_size + n ? side->kept_size + n : 1);
	assert(exact);
	if (side->kept_size)
		memcpy(exact, side->kept, side->kept_size);
	if (n)
		memcpy(exact + side->kept_size, p, n);
	free(side->kept);
	side->kept = exact;
	side->kept_size += n;

	if (!s->claimed)
		stream_ask(s, direction);
	if (!s->claimed)
		return;
	/* What the other side has said while nobody could tell comes first. */
	if (!was_claimed && s->sides[!direction].kept_size)
		stream_dissect(s, !direction);
	if (s->claimed && !s->over)
		stream_dissect(s, direction);
}

static inline void stream_offer(struct conversation *s, unsigned direction, const void *bytes,
				size_t n)
{
	const uint8_t *p = bytes;

	do {
		size_t room = DISSECT_BUFFER - s->sides[direction].kept_size;
		size_t take = s->transport != TRANSPORT_TCP || n < room ? n : room;
		if (s->over || (!s->claimed && s->sides[direction].refused))
			return;
		stream_segment(s, direction, p, take);
		p += take;
		n -= take;
	} while (n);
}

/* The same bytes in pieces of `chunk`. */
static inline void stream_chunks(struct conversation *s, unsigned direction, const void *bytes,
				 size_t n, size_t chunk)
{
	const uint8_t *p = bytes;

	for (size_t at = 0; at < n; at += chunk)
		stream_offer(s, direction, p + at, n - at < chunk ? n - at : chunk);
}

/* Bytes were lost: what is kept goes, and the next offer says so. */
static inline void stream_lose(struct conversation *s, unsigned direction)
{
	s->sides[direction].kept_size = 0;
	s->sides[direction].skip = 0;
	s->sides[direction].gap = true;
}

static inline uint64_t stream_number(const struct conversation *s, const char *name)
{
	const struct attribute *v = attributes_find(&s->out, stream_field(s, name));
	return v ? v->number : 0;
}

/* The i-th text of a field, or "" when there are fewer. */
static inline const char *stream_text(const struct conversation *s, const char *name, size_t i)
{
	const struct field *f = stream_field(s, name);

	for (size_t at = 0; at < s->out.count; at++)
		if (s->out.values[at].field == f && i-- == 0)
			return attribute_text(&s->out, &s->out.values[at]);
	return "";
}

/* The attributes as "name=value name=value", in order of appearance; numbers
 * and counters in decimal, flags as 1. Returns `out`. */
static inline char *stream_describe(const struct conversation *s, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < s->out.count && at < size; i++) {
		const struct attribute *v = &s->out.values[i];
		bool text = v->field->type == FIELD_TEXT || v->field->type == FIELD_TEXTS;
		char number[24];

		snprintf(number, sizeof(number), "%llu", (unsigned long long)v->number);
		at += (size_t)snprintf(out + at, size - at, "%s%s=%s", i ? " " : "", v->field->name,
				       text ? attribute_text(&s->out, v) : number);
	}
	return out;
}

/* The i-th fact of a field, or NULL when there are fewer. */
static inline const struct dissect_fact *stream_fact(const struct conversation *s, const char *name,
						     size_t i)
{
	const struct field *f = stream_field(s, name);

	for (size_t at = 0; at < s->fact_count; at++)
		if (s->facts[at].field == f && i-- == 0)
			return &s->facts[at];
	return NULL;
}

static inline bool stream_says(const struct conversation *s, const char *name, const char *text)
{
	const struct dissect_fact *fact;

	for (size_t i = 0; (fact = stream_fact(s, name, i)); i++)
		if (fact->length == strlen(text) && !memcmp(fact->text, text, fact->length))
			return true;
	return false;
}

/* No text and no fact holds these bytes: what must never leave. */
static inline bool stream_hides(const struct conversation *s, const char *secret)
{
	size_t n = strlen(secret);

	for (size_t i = 0; i + n <= sizeof(s->out.texts); i++)
		if (!memcmp(s->out.texts + i, secret, n))
			return false;
	for (size_t k = 0; k < s->fact_count; k++)
		for (size_t i = 0; i + n <= s->facts[k].length; i++)
			if (!memcmp(s->facts[k].text + i, secret, n))
				return false;
	return true;
}
