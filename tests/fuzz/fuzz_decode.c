/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames of any link type, several to one decoder so that fragments meet. Input:
 * link type 2 | then, again and again: length 1 (times 8), wire beyond 1, frame. */
#include <stdlib.h>
#include <string.h>

#include "sensor/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Everything lent must be readable. */
static void touch(const struct cursor *c)
{
	static volatile uint8_t seen;

	for (const uint8_t *p = c->at; p < c->end; p++)
		seen = *p;
	(void)seen;
}

static void decode_one(struct decoder *d, struct cursor bytes, uint16_t link_type, uint32_t beyond,
		       int64_t time)
{
	/* A copy of the exact size, so that reading one byte past it is caught. */
	size_t n = cursor_left(&bytes);
	uint8_t *exact = malloc(n ? n : 1);
	struct frame frame = { .bytes = exact,
			       .captured = (uint32_t)n,
			       .wire = (uint32_t)n + beyond,
			       .time = { time },
			       .link_type = link_type };
	struct packet packet;

	if (!exact)
		return;
	if (n)
		memcpy(exact, bytes.at, n);
	if (decode(d, &frame, &packet) == DECODE_OK) {
		touch(&packet.ip);
		touch(&packet.transport);
		touch(&packet.payload);
		for (unsigned i = 0; i < packet.tunnel_count; i++) {
			char text[24];
			tunnel_text(&packet.tunnels[i], text);
		}
	}
	free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct counters counters;
	struct cursor in = cursor_of(data, size);
	uint16_t link_type = cursor_be16(&in);
	struct decoder *d = decoder_create(8, &counters);

	for (int64_t time = 0; d && cursor_left(&in) > 2; time += 10 * USEC_PER_SECOND) {
		size_t n = cursor_u8(&in) * 8u;
		uint32_t beyond = cursor_u8(&in);
		if (n > cursor_left(&in))
			n = cursor_left(&in);
		decode_one(d, cursor_sub(&in, n), link_type, beyond, time);
	}
	decoder_destroy(d);
	return 0;
}
