/* SPDX-License-Identifier: Apache-2.0
 *
 * Frames in a segment's bytes. Pure: no file is touched here, and any bytes may
 * be given. All integers are little-endian:
 *
 *    0        4        8   9   10       12      20         28       32
 *   | magic  | length |str|flg| records| epoch  | sequence | crc32c | payload
 *
 * `length` is the payload's; the CRC is over bytes 0 to 27 and the payload. Behind
 * the last frame a segment is zero: it is preallocated. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cursor.h"
#include "schema/names.h"

enum {
	SPOOL_HEADER = 32,
	SPOOL_PAYLOAD_MOST = 9 << 20, /* zstd's worst case of WIRE_BATCH_MOST fits */
};

struct spool_header {
	uint32_t length; /* of the payload */
	enum stream stream;
	uint16_t records;
	uint64_t epoch, sequence;
};

/* Writes the 32 bytes that stand before this payload. */
void spool_header_pack(const struct spool_header *h, const void *payload,
		       uint8_t out[SPOOL_HEADER]);

/* Length of the frame that seems to start here, from its header alone; 0 when
 * no frame of this stream starts so. */
size_t spool_frame_size(struct cursor at, enum stream stream);

/* Takes one whole frame that checks out; the payload is borrowed. False, with
 * nothing taken, when there is none. */
bool spool_frame_take(struct cursor *c, enum stream stream, struct spool_header *h,
		      const uint8_t **payload);

/* Goes through the frames of a segment, skipping what is damaged. */
struct spool_walk {
	struct cursor left; /* from the end of the last whole frame on */
	size_t offset;      /* of `left`, in the segment */
	enum stream stream;
	uint64_t damaged; /* places skipped: bytes between whole frames */
	bool torn;        /* set at the end: bytes that are not zero follow `offset` */
};

struct spool_walk spool_walk_of(const void *bytes, size_t n, enum stream stream);
/* False at the end. `offset` is where the frame starts. */
bool spool_walk_next(struct spool_walk *w, struct spool_header *h, const uint8_t **payload,
		     size_t *offset);
