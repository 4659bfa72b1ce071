/* SPDX-License-Identifier: Apache-2.0
 *
 * What the sensor's core does for a dissector, in small: probes, keeps what is
 * not taken, honours `skip`, says `gap`. Each offer is a heap copy of its exact
 * size, so that a sanitizer sees a read of one byte too many. */
#pragma once

#include <stdio.h>
#include <stdlib.h>

#include "dissectors/dissector.h"

struct stream_side {
	uint8_t kept[DISSECT_BUFFER];
	size_t count;
	uint64_t skip;
	bool gap;
	bool refused; /* its first bytes were not the protocol's */
};

struct tcp_stream {
	const struct dissector *dissector;
	union {
		uint8_t bytes[DISSECT_STATE_MOST];
		uint64_t align;
	} state;
	struct attributes out;
	struct stream_side sides[2];
	bool midstream, claimed, over;
	enum dissect_result result;
	enum confidence confidence;
	uint8_t client; /* direction of the client; 2: not known */
	struct usec time;
	uint64_t skipped; /* bytes that were never shown */
};

static inline void stream_open(struct tcp_stream *s, const struct dissector *d)
{
	memset(s, 0, sizeof(*s));
	s->dissector = d;
	s->client = 2;
}

static inline uint8_t *stream_copy(const uint8_t *bytes, size_t n)
{
	uint8_t *copy = malloc(n ? n : 1);

	if (!copy)
		abort();
	memcpy(copy, bytes, n);
	return copy;
}

/* Returns how many of the kept bytes were taken. */
static inline size_t stream_offer(struct tcp_stream *s, uint8_t direction)
{
	struct stream_side *side = &s->sides[direction];
	uint8_t *copy = stream_copy(side->kept, side->count);
	struct dissect_input in = {
		.bytes = cursor_of(copy, side->count),
		.direction = direction,
		.gap = side->gap,
		.transport = TRANSPORT_TCP,
		.time = s->time,
	};

	side->gap = false;
	s->result = s->dissector->dissect(s->state.bytes, &in, &s->out);
	size_t taken = (size_t)(in.bytes.at - copy);
	free(copy);
	memmove(side->kept, side->kept + taken, side->count - taken);
	side->count -= taken;
	side->skip = in.skip;
	if (in.confidence != CONFIDENCE_NONE)
		s->confidence = in.confidence;
	if (in.role != ROLE_UNKNOWN)
		s->client = in.role == ROLE_SENDER_IS_CLIENT ? direction : !direction;
	s->over |= s->result != DISSECT_MORE;
	return taken;
}

static inline void stream_pump(struct tcp_stream *s, uint8_t direction)
{
	struct stream_side *side = &s->sides[direction];

	while (!s->over && side->count) {
		size_t skip = side->skip < side->count ? (size_t)side->skip : side->count;
		if (skip) {
			memmove(side->kept, side->kept + skip, side->count - skip);
			side->count -= skip;
			side->skip -= skip;
			continue;
		}
		if (stream_offer(s, direction))
			continue;
		if (side->count == DISSECT_BUFFER) {
			side->count = 0;
			side->gap = true;
		}
		return;
	}
}

static inline void stream_probe(struct tcp_stream *s, uint8_t direction)
{
	struct stream_side *side = &s->sides[direction];
	size_t n = side->count < DISSECT_PROBE_MOST ? side->count : DISSECT_PROBE_MOST;
	uint8_t *copy = stream_copy(side->kept, n);

	enum probe_result found =
		s->dissector->probe(cursor_of(copy, n), TRANSPORT_TCP, 40000, 40001, s->midstream);
	free(copy);
	if (found == PROBE_YES) {
		s->claimed = true;
		stream_pump(s, 0);
		stream_pump(s, 1);
	} else if (found == PROBE_NO || n == DISSECT_PROBE_MOST) {
		side->refused = side->gap = true;
		side->count = 0;
	}
}

static inline void stream_feed(struct tcp_stream *s, uint8_t direction, const void *data, size_t n)
{
	struct stream_side *side = &s->sides[direction];
	const uint8_t *bytes = data;

	while (n && !s->over && (s->claimed || !side->refused)) {
		size_t skip = side->skip < n ? (size_t)side->skip : n;
		if (side->count == 0 && skip) {
			side->skip -= skip;
			s->skipped += skip;
			bytes += skip;
			n -= skip;
			continue;
		}
		size_t room = DISSECT_BUFFER - side->count;
		size_t here = n < room ? n : room;
		memcpy(side->kept + side->count, bytes, here);
		side->count += here;
		bytes += here;
		n -= here;
		if (s->claimed)
			stream_pump(s, direction);
		else
			stream_probe(s, direction);
	}
}

/* As stream_feed, in pieces of `piece` bytes. */
static inline void stream_feed_by(struct tcp_stream *s, uint8_t direction, const void *data,
				  size_t n, size_t piece)
{
	const uint8_t *bytes = data;

	for (size_t at = 0; at < n; at += piece)
		stream_feed(s, direction, bytes + at, n - at < piece ? n - at : piece);
}

/* Bytes were lost here. */
static inline void stream_gap(struct tcp_stream *s, uint8_t direction)
{
	s->sides[direction].count = 0;
	s->sides[direction].skip = 0;
	s->sides[direction].gap = true;
}

/* The attributes as "name=value name=value", in order of appearance; numbers
 * and counters in decimal, flags as 1. Returns `out`. */
static inline char *stream_text(const struct tcp_stream *s, char *out, size_t size)
{
	size_t at = 0;

	out[0] = '\0';
	for (size_t i = 0; i < s->out.count && at < size; i++) {
		const struct attribute *v = &s->out.values[i];
		bool text = v->field->type == FIELD_TEXT || v->field->type == FIELD_TEXTS;
		at += (size_t)snprintf(out + at, size - at, "%s%s=", i ? " " : "", v->field->name);
		if (at >= size)
			break;
		if (text)
			at += (size_t)snprintf(out + at, size - at, "%s",
					       attribute_text(&s->out, v));
		else
			at += (size_t)snprintf(out + at, size - at, "%llu",
					       (unsigned long long)v->number);
	}
	return out;
}
