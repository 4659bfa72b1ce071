/* SPDX-License-Identifier: Apache-2.0
 *
 * The writer from inside: spool_write.c, spool_room.c. */
#pragma once

#include <zstd.h>

#include "exporters/spool.h"
#include "exporters/spool_files.h"
#include "exporters/spool_losses.h"

struct spool_stream {
	enum stream stream;
	int fd;                     /* of the open segment; -1: the next write makes one */
	uint64_t number;            /* of the newest segment; 0: none yet */
	uint64_t offset, size;      /* of the open segment: where the next frame goes, its end */
	bool dirty;                 /* written since the last fdatasync */
	struct spool_known filed;   /* what DIR/STREAM/known holds */
	struct spool_known current; /* what the open segment holds */
};

struct spool {
	char dir[PATH_MAX];
	struct spool_options options; /* dir is the one above */
	int lock;
	bool ours;  /* opened to the end: files may be touched */
	int failed; /* -EIO and the like: the disk is not to be trusted */
	int ended;  /* replay: why a batch was refused; all later ones are, too */
	struct spool_stream streams[STREAM_COUNT];
	struct spool_stats stats;
	struct spool_losses losses;
	uint64_t own_epoch, own_sequence; /* of loss reports */
	char sensor[WIRE_SENSOR_MOST + 1], revision[128], exercise[128];
	struct buf frame, report; /* scratch */
	ZSTD_CCtx *zstd;
};

/* Ends the open segment: cuts its unused room off, makes it durable and notes
 * what it holds. Does nothing when none is open. */
int spool_close_segment(struct spool *s, struct spool_stream *st);
/* Makes sure that `need` more bytes stay within max_bytes. -ENOSPC when nothing
 * may be thrown away for this stream. */
int spool_make_room(struct spool *s, enum stream stream, uint64_t need);
/* Writes one frame, with no question whether it is known. */
int spool_put(struct spool *s, const struct batch_identity *identity, uint32_t records,
	      const void *batch, size_t n);
/* Tells what was lost, as far as that can be written now. */
void spool_tell_losses(struct spool *s);
