/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/pcap_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

enum { FILE_HEADER = 24, FRAME_HEADER = 16, LONG_FRAME_HEADER = 24 };

static const uint32_t magic_micro = 0xa1b2c3d4;
static const uint32_t magic_nano = 0xa1b23c4d;
/* Kuznetzov's: with interface, protocol and packet type before each frame. */
static const uint32_t magic_long = 0xa1b2cd34;

static inline uint32_t u32(const struct pcap_file *p, struct cursor *c)
{
	uint32_t v = cursor_le32(c);

	return p->big ? __builtin_bswap32(v) : v;
}

static bool recognise(struct pcap_file *p, uint32_t magic)
{
	p->nanoseconds = magic == magic_nano;
	p->long_header = magic == magic_long;
	return magic == magic_micro || p->nanoseconds || p->long_header;
}

/* magic 4 | version 2+2 | zone 4 | accuracy 4 | snap length 4 | link type 4 (its
 * upper half tells about frame check sequences) */
bool pcap_file_begin(struct pcap_file *p, struct source *s)
{
	*p = (struct pcap_file){ 0 };
	if (!source_has(s, FILE_HEADER))
		return false;
	struct cursor little = s->ahead, big = s->ahead;
	if (!recognise(p, cursor_le32(&little))) {
		p->big = true;
		if (!recognise(p, cursor_be32(&big)))
			return false;
	}
	struct cursor head = cursor_sub(&s->ahead, FILE_HEADER);
	cursor_skip(&head, 20);
	p->link_type = (uint16_t)u32(p, &head);
	return true;
}

int frame_cut(const struct source *s, uint64_t frames, uint64_t at, char why[SOURCE_WHY])
{
	const char *problem = source_problem(s);

	snprintf(why, SOURCE_WHY,
		 "cut short behind frame %" PRIu64 ", at byte %" PRIu64 "%s%s%s; "
		 "the frames before were read",
		 frames, at, source_is_gzip(s) ? " of the unpacked data" : "", problem ? ": " : "",
		 problem ? problem : "");
	return -EIO;
}

static int too_long(const struct pcap_file *p, uint64_t at, uint32_t captured, char why[SOURCE_WHY])
{
	snprintf(why, SOURCE_WHY,
		 "damaged at byte %" PRIu64 ": frame %" PRIu64 " would have %" PRIu32
		 " bytes, and no frame has more than %d; the frames before were read",
		 at, p->frames + 1, captured, FRAME_MOST);
	return -EIO;
}

int pcap_file_next(struct pcap_file *p, struct source *s, struct frame *out, char why[SOURCE_WHY])
{
	size_t header = p->long_header ? LONG_FRAME_HEADER : FRAME_HEADER;

	if (!source_has(s, header)) {
		if (cursor_left(&s->ahead) == 0 && !s->error)
			return 0;
		return frame_cut(s, p->frames, source_offset(s), why);
	}
	uint64_t at = source_offset(s);
	struct cursor head = s->ahead;
	uint32_t seconds = u32(p, &head);
	uint32_t fraction = u32(p, &head);
	uint32_t captured = u32(p, &head);
	uint32_t wire = u32(p, &head);
	if (captured > FRAME_MOST)
		return too_long(p, at, captured, why);
	if (!source_has(s, header + captured))
		return frame_cut(s, p->frames, at, why);
	cursor_skip(&s->ahead, header);
	/* The frame after this one: its place depends on this one's length, so the
	 * processor cannot guess it. Prefetching past the buffer does no harm. */
	const uint8_t *next = s->ahead.at + captured;
	__builtin_prefetch(next);
	__builtin_prefetch(next + 64);

	if (p->nanoseconds)
		fraction /= 1000;
	if (fraction >= USEC_PER_SECOND)
		fraction = USEC_PER_SECOND - 1;
	out->bytes = cursor_take(&s->ahead, captured);
	out->captured = captured;
	out->wire = frame_wire(captured, wire);
	out->time.v = (int64_t)seconds * USEC_PER_SECOND + fraction;
	out->oversized = false;
	out->link_type = p->link_type;
	out->interface = 0;
	p->frames++;
	return 1;
}
