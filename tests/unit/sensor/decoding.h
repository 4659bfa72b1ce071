/* SPDX-License-Identifier: Apache-2.0
 *
 * A decoder for a test, and what it made of the last frame. */
#pragma once

#include <criterion/criterion.h>
#include <stdlib.h>

#include "sensor/decode.h"
#include "tests/unit/sensor/frames.h"

struct decoding {
	struct counters counters;
	struct decoder *decoder;
	struct packet packet;
	struct made made;
	int64_t seconds;
};

static inline void decoding_begin(struct decoding *t)
{
	memset(t, 0, sizeof(*t));
	t->seconds = 1000;
	t->decoder = decoder_create(16, &t->counters);
	cr_assert(t->decoder);
	made_begin(&t->made, "payload", 7);
}

static inline void decoding_end(struct decoding *t)
{
	decoder_destroy(t->decoder);
}

static inline enum decode_result decode_cut(struct decoding *t, uint16_t link_type,
					    uint32_t captured)
{
	struct frame frame = {
		.bytes = made_bytes(&t->made),
		.captured = captured,
		.wire = made_length(&t->made),
		.time = { t->seconds * USEC_PER_SECOND },
		.link_type = link_type,
	};
	return decode(t->decoder, &frame, &t->packet);
}

static inline enum decode_result decode_made(struct decoding *t, uint16_t link_type)
{
	return decode_cut(t, link_type, made_length(&t->made));
}

static inline bool text_is(struct cursor c, const char *text)
{
	return cursor_left(&c) == strlen(text) && cursor_starts(&c, text);
}

/* Third byte of the source address: which of the nested packets this is. */
static inline uint8_t net_of(const struct packet *p)
{
	return p->v6 ? p->source.bytes[13] : p->source.bytes[14];
}
