/* SPDX-License-Identifier: Apache-2.0
 *
 * The spool: the border on disk between the sensor, which touches hostile
 * bytes, and the shipper, which owns a network socket (docs/spool.md has the
 * layout). The sensor writes, the shipper reads and deletes what every
 * destination has acknowledged; one writer and one reader at a time.
 *
 *   DIR/STREAM/0000000000000001.seg   preallocated segment files of frames:
 *       magic u32 | length u32 | stream u8 | flags u8 | records u16 | epoch u64 |
 *       sequence u64 | crc32c u32 over the header before it and the payload | payload
 *   payload: one protobuf Batch (schema/vigie.proto), zstd
 *   DIR/STREAM/known                  newest sequence of each epoch in closed segments
 *   DIR/acks/DESTINATION              acknowledged position, replaced by rename
 *   DIR/losses                        losses that no health batch has told yet
 *
 * State is rebuilt by scanning: there is no index to lose. A torn tail (kill -9,
 * power cut) ends the scan, is counted and cut off; a damaged frame in the
 * middle is skipped to the next magic that checks out, and counted. A writer
 * always begins a new segment, so that what a reader has read is never written
 * over, even when a power cut took it from the disk. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "schema/names.h"
#include "schema/wire.h"

struct spool_options {
	const char *dir;        /* created when missing, 0750 */
	uint64_t max_bytes;     /* over all streams; 0: 4 GiB */
	uint64_t segment_bytes; /* 0: 16 MiB, or an eighth of max_bytes if that is less;
				   at most a quarter of max_bytes */
	bool sync;              /* fdatasync each flush; a replay may do without */
	bool replay;            /* the input is there to be read again: after a batch was
				   refused no other is taken, and none is told as lost, so
				   that the same replay, started again, completes the spool */
};

struct spool_stats {
	uint64_t batches, records, bytes; /* written by this process */
	uint64_t known;                   /* batches that the spool knew already */
	uint64_t lost;                    /* records in segments thrown away to make room */
	uint64_t refused;                 /* records that were refused: full disk, full spool */
	uint64_t torn, damaged;           /* frames cut off or skipped when opening */
};

struct spool;

/* Opens for writing, rebuilds the state, cuts a torn tail. 0 or -errno; -EBUSY
 * when another writer has it; `why` (256 bytes) then says what and the remedy. */
int spool_open(const struct spool_options *options, struct spool **out, char why[256]);
void spool_close(struct spool *s); /* flushes; accepts NULL */

/* Writes one batch: `batch` is the packed protobuf (wire.h), compressed here.
 * A batch whose (stream, epoch, sequence) is not above the newest one of that
 * epoch is one that an interrupted replay wrote before: it is counted as known
 * and not written again; the memory of that outlives the deletion of segments.
 * When max_bytes would be passed, the oldest segments go: flows first, then
 * health, then alerts, and never those of a stream more precious than the one
 * that needs room. What no destination had acknowledged of them is told, with its
 * exact range, in a health batch of the spool's own epoch (counters lost.STREAM.*);
 * so is a batch that could not be written.
 * 0, or -errno when the batch is lost (-ENOSPC ...): counted in `refused`. After
 * -EIO the disk is not to be trusted, and every later write fails. */
int spool_write(struct spool *s, const struct batch_identity *identity, uint32_t records,
		const void *batch, size_t n);
int spool_flush(struct spool *s); /* to the disk, when options.sync */
struct spool_stats spool_stats(const struct spool *s);

/* What the reader hands out. Pointers are borrowed until the next call. */
struct spool_frame {
	enum stream stream;
	uint64_t epoch, sequence;
	uint32_t records;
	const void *payload; /* zstd */
	size_t length;
	uint64_t segment, offset; /* its place, for acknowledgements */
};

struct spool_position {
	uint64_t segment, offset; /* everything before it is acknowledged */
};

struct spool_reader;

/* Opens one stream for reading from a position on; the writer may be at work. */
int spool_reader_open(const char *dir, enum stream stream, struct spool_position from,
		      struct spool_reader **out, char why[256]);
void spool_reader_close(struct spool_reader *r);
/* Nothing more is awaited: a hole in the newest segment is searched behind at once,
 * and not only when the segment has been left alone for a while. */
void spool_reader_hurry(struct spool_reader *r);
/* 1 with the next whole frame, 0 when there is none yet, or -errno. */
int spool_read(struct spool_reader *r, struct spool_frame *out);
struct spool_position
spool_reader_position(const struct spool_reader *r);                 /* behind the last frame */
struct spool_stats spool_reader_stats(const struct spool_reader *r); /* torn, damaged */

/* Unpacks a frame's payload into `out` (appended), within WIRE_BATCH_MOST. */
int spool_unpack(const struct spool_frame *frame, struct buf *out, const char **why);

/* A destination's acknowledged positions: absent means the beginning, and so does
 * a damaged file, which gives -EBADMSG. */
int spool_load_position(const char *dir, const char *destination, enum stream stream,
			struct spool_position *out);
int spool_store_position(const char *dir, const char *destination, enum stream stream,
			 struct spool_position position);
/* Deletes segments of a stream that lie wholly before `position`. */
int spool_trim(const char *dir, enum stream stream, struct spool_position position);

/* How far each destination is behind, from the files alone; for showing. The writer
 * and the shipper may be at work meanwhile. */
struct spool_lag {
	char destination[64];
	bool known;       /* false: its position may not be read by us */
	uint64_t bytes;   /* of frames that are not acknowledged */
	uint64_t seconds; /* what waits is at least this old; 0: no whole segment waits */
};

struct spool_gauge; /* remembers where the newest segments end */

struct spool_gauge *spool_gauge_create(const char *dir); /* NULL: no memory */
void spool_gauge_destroy(struct spool_gauge *g);         /* accepts NULL */

/* Fills in at most `most` destinations, by name; returns how many. `bytes`: of all
 * frames in the spool. Quick: of the newest segments a part may be left for the next
 * call, and is not counted until then. */
size_t spool_gauge_read(struct spool_gauge *g, struct spool_lag *out, size_t most, uint64_t *bytes);
