/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/pcapng_file.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum block {
	BLOCK_SECTION = 0x0a0d0d0a, /* reads the same in both byte orders */
	BLOCK_INTERFACE = 1,
	BLOCK_OLD_PACKET = 2,
	BLOCK_SIMPLE_PACKET = 3,
	BLOCK_PACKET = 6,
};

enum {
	BYTE_ORDER_MAGIC = 0x1a2b3c4d,
	BLOCK_EDGES = 12, /* type, length, and the length again at the end */
	PACKET_HEAD = 28, /* from the type to the frame; old packets the same */
	SIMPLE_HEAD = 12,
	SECTION_LEAST = 28,
	INTERFACE_LEAST = 20,
	INTERFACES_MOST = 65535,
};

enum option { OPTION_END = 0, OPTION_TSRESOL = 9, OPTION_TSOFFSET = 14 };

static const int64_t time_most = INT64_C(253402300799) * USEC_PER_SECOND; /* year 9999 */

static uint16_t u16(const struct pcapng_file *p, struct cursor *c)
{
	return p->big ? cursor_be16(c) : cursor_le16(c);
}

static inline uint32_t u32(const struct pcapng_file *p, struct cursor *c)
{
	uint32_t v = cursor_le32(c);

	return p->big ? __builtin_bswap32(v) : v;
}

static int damaged(const struct pcapng_file *p, const char *what, char why[SOURCE_WHY])
{
	snprintf(why, SOURCE_WHY,
		 "damaged in the block at byte %" PRIu64 ", behind frame %" PRIu64
		 ": %s; the frames before were read",
		 p->block_at, p->frames, what);
	return -EIO;
}

static int cut(const struct pcapng_file *p, const struct source *s, char why[SOURCE_WHY])
{
	return frame_cut(s, p->frames, p->block_at, why);
}

bool pcapng_file_begin(struct pcapng_file *p, struct source *s)
{
	*p = (struct pcapng_file){ 0 };
	if (!source_has(s, BLOCK_EDGES))
		return false;
	struct cursor head = s->ahead;
	return cursor_be32(&head) == BLOCK_SECTION;
}

void pcapng_file_finish(struct pcapng_file *p)
{
	free(p->interfaces);
	*p = (struct pcapng_file){ 0 };
}

/* type 4 | length 4 | byte-order magic 4 | ... : the magic says how to read the
 * length before it. The interfaces of the section before are gone with it. */
static int begin_section(struct pcapng_file *p, struct source *s, char why[SOURCE_WHY])
{
	if (!source_has(s, BLOCK_EDGES))
		return cut(p, s, why);
	struct cursor head = s->ahead;
	cursor_skip(&head, 8);
	struct cursor order = head;
	if (cursor_be32(&head) == BYTE_ORDER_MAGIC)
		p->big = true;
	else if (cursor_le32(&order) == BYTE_ORDER_MAGIC)
		p->big = false;
	else
		return damaged(p, "its byte-order mark is none", why);
	p->before += p->count;
	p->count = 0;
	return 0;
}

/* Exponent of 10 or, with the top bit, of 2. 0 when seconds would have more
 * parts than a time stamp can count. */
static uint64_t units_per_second(uint8_t resolution)
{
	unsigned exponent = resolution & 0x7f;
	uint64_t units = 1;

	if (resolution & 0x80)
		return exponent < 64 ? UINT64_C(1) << exponent : 0;
	if (exponent > 19)
		return 0;
	while (exponent--)
		units *= 10;
	return units;
}

/* code 2 | length 2 | value, padded to four */
static void read_options(struct pcapng_file *p, struct cursor *c, struct pcapng_interface *i)
{
	while (cursor_left(c) >= 4) {
		uint16_t code = u16(p, c);
		uint16_t length = u16(p, c);
		struct cursor value = cursor_sub(c, length);
		cursor_skip(c, -(size_t)length & 3);
		if (code == OPTION_END || value.failed)
			return;
		if (code == OPTION_TSRESOL && length == 1)
			i->units = units_per_second(cursor_u8(&value));
		else if (code == OPTION_TSOFFSET && length == 8)
			i->offset = (int64_t)(p->big ? cursor_be64(&value) : cursor_le64(&value));
	}
}

static bool room_for_interface(struct pcapng_file *p)
{
	if (p->count < p->room)
		return true;
	size_t room = p->room ? p->room * 2 : 8;
	struct pcapng_interface *grown = realloc(p->interfaces, room * sizeof(*grown));
	if (!grown)
		return false;
	p->interfaces = grown;
	p->room = room;
	return true;
}

/* link type 2 | reserved 2 | snap length 4 | options */
static int add_interface(struct pcapng_file *p, struct source *s, char why[SOURCE_WHY])
{
	/* Options behind the buffer's end are not looked for. */
	size_t n = p->block_left - 4u;
	if (n > FRAME_MOST)
		n = FRAME_MOST;
	if (!source_has(s, n))
		return cut(p, s, why);
	if (p->count == INTERFACES_MOST || !room_for_interface(p))
		return damaged(p, "too many interfaces", why);
	struct cursor c = cursor_sub(&s->ahead, n);
	p->block_left -= (uint32_t)n;

	struct pcapng_interface i = { .units = USEC_PER_SECOND };
	i.link_type = u16(p, &c);
	cursor_skip(&c, 2);
	i.most = u32(p, &c);
	read_options(p, &c, &i);
	if (i.units == 0)
		return damaged(p, "its clock ticks faster than a time stamp can count", why);
	p->interfaces[p->count++] = i;
	return 0;
}

static struct usec stamp(const struct pcapng_interface *i, uint64_t ticks)
{
	uint64_t units = i->units;
	uint64_t seconds = ticks / units, rest = ticks % units;
	struct usec t = { time_most };

	/* Keeps rest * 10^6 within 64 bits; finer than a picosecond nothing is lost
	 * that microseconds could show. */
	while (units > UINT64_C(1) << 44) {
		units >>= 1;
		rest >>= 1;
	}
	uint64_t fraction = units == USEC_PER_SECOND ? rest : rest * USEC_PER_SECOND / units;
	int64_t whole;
	if (seconds > INT64_MAX || __builtin_add_overflow((int64_t)seconds, i->offset, &whole))
		return t;
	if (whole >= 0 && whole < time_most / USEC_PER_SECOND)
		t.v = whole * USEC_PER_SECOND + (int64_t)fraction;
	else if (whole < 0)
		t.v = 0;
	return t;
}

static int hand_out(struct pcapng_file *p, struct source *s, const struct pcapng_interface *i,
		    uint32_t captured, uint32_t wire, struct frame *out)
{
	size_t number = p->before + (size_t)(i - p->interfaces);

	out->bytes = cursor_take(&s->ahead, captured);
	out->captured = captured;
	out->wire = frame_wire(captured, wire);
	out->time = p->time;
	out->oversized = false;
	out->link_type = i->link_type;
	out->interface = number < UINT16_MAX ? (uint16_t)number : UINT16_MAX;
	p->block_left -= captured;
	p->frames++;
	return 1;
}

/* interface 4 | time 4+4 | captured 4 | wire 4 | frame | options. In the old
 * packet block the interface has 2 bytes, and a count of drops follows. */
static int packet(struct pcapng_file *p, struct source *s, uint32_t type, struct frame *out,
		  char why[SOURCE_WHY])
{
	if (!source_has(s, PACKET_HEAD - 8))
		return cut(p, s, why);
	struct cursor head = s->ahead;
	uint32_t interface;
	if (type == BLOCK_PACKET) {
		interface = u32(p, &head);
	} else {
		interface = u16(p, &head);
		cursor_skip(&head, 2);
	}
	uint64_t ticks = (uint64_t)u32(p, &head) << 32;
	ticks |= u32(p, &head);
	uint32_t captured = u32(p, &head);
	uint32_t wire = u32(p, &head);
	if (interface >= p->count)
		return damaged(p, "its interface was not described", why);
	if (captured > FRAME_MOST || captured > p->block_left - 4 - (PACKET_HEAD - 8))
		return damaged(p, "its frame is longer than the block or than any frame", why);
	if (!source_has(s, PACKET_HEAD - 8 + captured))
		return cut(p, s, why);
	cursor_skip(&s->ahead, PACKET_HEAD - 8);
	p->block_left -= PACKET_HEAD - 8;
	p->time = stamp(&p->interfaces[interface], ticks);
	return hand_out(p, s, &p->interfaces[interface], captured, wire, out);
}

/* wire 4 | frame, as much of it as the first interface's snap length lets */
static int simple_packet(struct pcapng_file *p, struct source *s, struct frame *out,
			 char why[SOURCE_WHY])
{
	if (!source_has(s, SIMPLE_HEAD - 8))
		return cut(p, s, why);
	struct cursor head = s->ahead;
	uint32_t wire = u32(p, &head);
	if (p->count == 0)
		return damaged(p, "its interface was not described", why);
	uint32_t captured = p->block_left - 4 - (SIMPLE_HEAD - 8);
	if (captured > wire)
		captured = wire;
	if (p->interfaces[0].most && captured > p->interfaces[0].most)
		captured = p->interfaces[0].most;
	if (captured > FRAME_MOST)
		return damaged(p, "its frame is longer than any frame", why);
	if (!source_has(s, SIMPLE_HEAD - 8 + captured))
		return cut(p, s, why);
	cursor_skip(&s->ahead, SIMPLE_HEAD - 8);
	p->block_left -= SIMPLE_HEAD - 8;
	return hand_out(p, s, &p->interfaces[0], captured, wire, out);
}

/* The rest of the block before, whose end repeats its length. */
static int end_block(struct pcapng_file *p, struct source *s, char why[SOURCE_WHY])
{
	if (p->block_left == 0)
		return 0;
	if (!source_skip(s, p->block_left - 4u) || !source_has(s, 4))
		return cut(p, s, why);
	p->block_left = 0;
	if (u32(p, &s->ahead) != p->block_length)
		return damaged(p, "its two lengths differ", why);
	return 0;
}

static uint32_t least_length(uint32_t type)
{
	switch (type) {
	case BLOCK_SECTION:
		return SECTION_LEAST;
	case BLOCK_INTERFACE:
		return INTERFACE_LEAST;
	case BLOCK_PACKET:
	case BLOCK_OLD_PACKET:
		return PACKET_HEAD + 4;
	case BLOCK_SIMPLE_PACKET:
		return SIMPLE_HEAD + 4;
	default:
		return BLOCK_EDGES;
	}
}

/* Takes a block's head, and leaves in block_left what follows it. */
static int begin_block(struct pcapng_file *p, struct source *s, uint32_t *type,
		       char why[SOURCE_WHY])
{
	p->block_at = source_offset(s);
	if (!source_has(s, 8))
		return cut(p, s, why);
	struct cursor head = s->ahead;
	if (cursor_be32(&head) == BLOCK_SECTION) {
		int rc = begin_section(p, s, why);
		if (rc < 0)
			return rc;
	}
	*type = u32(p, &s->ahead);
	p->block_length = u32(p, &s->ahead);
	if (p->block_length < least_length(*type) || p->block_length > UINT32_MAX - 3)
		return damaged(p, "its length is wrong", why);
	/* Some writers leave the padding out of the length. */
	p->block_left = ((p->block_length + 3) & ~UINT32_C(3)) - 8;
	return 0;
}

int pcapng_file_next(struct pcapng_file *p, struct source *s, struct frame *out,
		     char why[SOURCE_WHY])
{
	for (;;) {
		uint32_t type = 0;
		int rc = end_block(p, s, why);
		if (rc == 0 && !source_has(s, 1) && !s->error)
			return 0;
		if (rc == 0)
			rc = begin_block(p, s, &type, why);
		if (rc < 0)
			return rc;
		if (type == BLOCK_PACKET || type == BLOCK_OLD_PACKET)
			return packet(p, s, type, out, why);
		if (type == BLOCK_SIMPLE_PACKET)
			return simple_packet(p, s, out, why);
		if (type == BLOCK_INTERFACE)
			rc = add_interface(p, s, why);
		if (rc < 0)
			return rc;
	}
}
