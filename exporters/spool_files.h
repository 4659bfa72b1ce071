/* SPDX-License-Identifier: Apache-2.0
 *
 * The spool's files: names, lists, positions, and what is remembered of
 * segments once they are gone. Inside the spool only. */
#pragma once

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "exporters/spool.h"

/* DIR/STREAM/0000000000000001.seg; 0 or -ENAMETOOLONG. */
int spool_segment_path(const char *dir, enum stream stream, uint64_t number, char out[PATH_MAX]);
int spool_join(char out[PATH_MAX], const char *format, ...) __attribute__((format(printf, 2, 3)));

struct spool_segment {
	uint64_t number, bytes; /* bytes on disk, the preallocated ones included */
};

struct spool_segments {
	struct spool_segment *list; /* by number */
	size_t count, room;
};

/* The segments of a stream; an absent folder has none. 0 or -errno. */
int spool_segments_list(const char *dir, enum stream stream, struct spool_segments *out);
void spool_segments_finish(struct spool_segments *s);
uint64_t spool_segments_bytes(const struct spool_segments *s);

/* Replaces `out` by a whole segment. -ENOENT when it is gone. */
int spool_segment_load(const char *dir, enum stream stream, uint64_t number, struct buf *out);

/* The newest sequence of each epoch in a stream. DIR/STREAM/known holds what is
 * in segments up to number `closed`: it is written when a segment is closed and
 * safe on disk, so that only later ones need be scanned, and outlives them.
 * Without the file all segments are scanned. Of epochs, the latest 16,384 are
 * remembered. */
struct spool_known {
	struct spool_epoch {
		uint64_t epoch, sequence;
	} * list; /* the one changed last stands last */
	size_t count, room;
	uint64_t closed;
};

enum { SPOOL_EPOCHS_MOST = 16384 };

int spool_known_load(const char *dir, enum stream stream, struct spool_known *out);
int spool_known_store(const char *dir, enum stream stream, const struct spool_known *known);
int spool_known_note(struct spool_known *known, uint64_t epoch, uint64_t sequence);
/* Adds what `other` knows; its `closed` is not taken. */
int spool_known_merge(struct spool_known *known, const struct spool_known *other);
/* The newest sequence of an epoch; 0 when it is not known. */
uint64_t spool_known_last(const struct spool_known *known, uint64_t epoch);
void spool_known_clear(struct spool_known *known); /* forgets epochs, keeps memory */
void spool_known_finish(struct spool_known *known);

/* Small text files end in a line with the checksum of what stands before it. */
void spool_text_seal(struct buf *text);
bool spool_text_open(struct buf *text); /* cuts that line off; false: damaged */

/* All that acknowledged a stream: the least position of all in DIR/acks; false
 * when there is no destination yet. */
bool spool_least_position(const char *dir, enum stream stream, struct spool_position *out);
/* The newest segment that any destination was at; 0: none. */
uint64_t spool_newest_acknowledged(const char *dir, enum stream stream);
