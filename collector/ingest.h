/* SPDX-License-Identifier: Apache-2.0
 *
 * PUT /v1/sensors/{sensor}/{stream}/{epoch}/{sequence}: from the bytes of a body
 * to rows that are durable. The answer's status tells the shipper what to do:
 * 200 go on; 503 try again after Retry-After; 400, 413, 415: this batch will never
 * be taken, for the reason given; 403, 404: the sender or the address is wrong, the
 * batch may be right. */
#pragma once

#include <stdatomic.h>

#include "collector/reply.h"
#include "collector/writer.h"

struct ingest_counts {
	_Atomic uint64_t batches, records, known, refused, delayed;
};

struct ingest_target {
	char sensor[WIRE_SENSOR_MOST + 1];
	enum stream stream;
	uint64_t epoch, sequence;
};

/* Reads the path. False when it is none of this kind. */
bool ingest_target_parse(const char *path, struct ingest_target *out);

/* Whether this caller may put this, before the body is there: false with the
 * refusal in `reply`. */
bool ingest_may(const struct request *q, struct reply *reply);

/* Decompresses within WIRE_BATCH_MOST, unpacks, and calls the sink for every
 * record; what is borrowed lives in the arena. 0, -EBADMSG with `why`, -EFBIG,
 * -ENOMEM, or what the sink gave. Pure; for hostile bytes. */
int ingest_unpack(const void *bytes, size_t n, struct arena *arena, struct batch_identity *identity,
		  record_sink *sink, void *context, const char **why);

void ingest_put(struct writer *writer, struct ingest_counts *counts, const struct request *q,
		struct reply *reply);
