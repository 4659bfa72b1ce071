/* SPDX-License-Identifier: Apache-2.0 */
#include "exporters/spool_format.h"

#include "base/crc32c.h"

static const uint8_t magic[4] = { 'V', 'G', 'F', '1' };

enum { CRC_AT = 28 };

static void put(uint8_t *out, uint64_t v, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		out[i] = (uint8_t)(v >> 8 * i);
}

void spool_header_pack(const struct spool_header *h, const void *payload, uint8_t out[SPOOL_HEADER])
{
	memcpy(out, magic, sizeof(magic));
	put(out + 4, h->length, 4);
	out[8] = (uint8_t)h->stream;
	out[9] = 0;
	put(out + 10, h->records, 2);
	put(out + 12, h->epoch, 8);
	put(out + 20, h->sequence, 8);
	put(out + CRC_AT, crc32c(crc32c(0, out, CRC_AT), payload, h->length), 4);
}

static bool take_header(struct cursor *c, enum stream stream, struct spool_header *h, uint32_t *crc)
{
	const uint8_t *start = cursor_take(c, sizeof(magic));

	h->length = cursor_le32(c);
	uint8_t in_stream = cursor_u8(c);
	uint8_t flags = cursor_u8(c);
	h->stream = stream;
	h->records = cursor_le16(c);
	h->epoch = cursor_le64(c);
	h->sequence = cursor_le64(c);
	*crc = cursor_le32(c);
	return !c->failed && !memcmp(start, magic, sizeof(magic)) && in_stream == stream &&
	       flags == 0 && h->length <= SPOOL_PAYLOAD_MOST && h->sequence > 0;
}

size_t spool_frame_size(struct cursor at, enum stream stream)
{
	struct spool_header h;
	uint32_t crc;

	return take_header(&at, stream, &h, &crc) ? (size_t)SPOOL_HEADER + h.length : 0;
}

bool spool_frame_take(struct cursor *c, enum stream stream, struct spool_header *h,
		      const uint8_t **payload)
{
	struct cursor in = *c;
	uint32_t expected;

	if (!take_header(&in, stream, h, &expected))
		return false;
	const uint8_t *bytes = cursor_take(&in, h->length);
	if (!bytes)
		return false;
	if (crc32c(crc32c(0, c->at, CRC_AT), bytes, h->length) != expected)
		return false;
	*payload = bytes;
	*c = in;
	return true;
}

struct spool_walk spool_walk_of(const void *bytes, size_t n, enum stream stream)
{
	return (struct spool_walk){ .left = cursor_of(bytes, n), .stream = stream };
}

/* The next place where a whole frame starts, as a distance; 0 when there is none. */
static size_t search(struct cursor left, enum stream stream)
{
	const uint8_t *start = left.at;

	while (cursor_left(&left) > 1) {
		cursor_skip(&left, 1);
		const uint8_t *at = memmem(left.at, cursor_left(&left), magic, sizeof(magic));
		if (!at)
			break;
		cursor_skip(&left, (size_t)(at - left.at));
		struct cursor frame = left;
		struct spool_header h;
		const uint8_t *payload;
		if (spool_frame_take(&frame, stream, &h, &payload))
			return (size_t)(at - start);
	}
	return 0;
}

static bool all_zero(struct cursor c)
{
	const uint8_t *p = c.at;
	size_t n = cursor_left(&c);

	return n == 0 || (p[0] == 0 && !memcmp(p, p + 1, n - 1));
}

bool spool_walk_next(struct spool_walk *w, struct spool_header *h, const uint8_t **payload,
		     size_t *offset)
{
	const uint8_t *start = w->left.at;

	if (!spool_frame_take(&w->left, w->stream, h, payload)) {
		/* Zeroes may be a hole that a power cut left between frames. */
		size_t hole = all_zero(w->left) ? 0 : search(w->left, w->stream);
		if (!hole) {
			w->torn = !all_zero(w->left);
			return false;
		}
		w->damaged++;
		cursor_skip(&w->left, hole);
		w->offset += hole;
		start = w->left.at;
		spool_frame_take(&w->left, w->stream, h, payload);
	}
	*offset = w->offset;
	w->offset += (size_t)(w->left.at - start);
	return true;
}
