/* SPDX-License-Identifier: Apache-2.0
 *
 * Batches as bytes: records packed as a protobuf Batch (schema/vigie.proto) and
 * back. Only wire_unpack.c knows protobuf-c's headers. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "schema/record.h"

/* A batch's identity. (sensor, stream, epoch, sequence) is unique for ever: a
 * batch sent twice is known by it. */
struct batch_identity {
	const char *sensor; /* [A-Za-z0-9._-]{1,63} */
	enum stream stream;
	uint64_t epoch;    /* one run of a sensor; see exporters/spool.h */
	uint64_t sequence; /* from 1, without gaps, within stream and epoch */
	const char *site_revision;
	const char *exercise; /* NULL or empty: none */
};

enum {
	WIRE_BATCH_MOST = 8 << 20,
	WIRE_SENSOR_MOST = 63,
	WIRE_TEXT_MOST = 512, /* bytes of any text; no control characters */
	WIRE_ATTRIBUTES_MOST = 64,
	WIRE_TEXTS_MOST = 64, /* of one attribute */
	WIRE_COUNTERS_MOST = 256,
	WIRE_INTERFACES_MOST = 64,
	WIRE_ROLES_MOST = 16,  /* of an asset */
	WIRE_FACTS_MOST = 128, /* of an asset */
	/* Bytes of a batch's texts, each counted as often as records refer to it. */
	WIRE_UNFOLDED_MOST = 32 << 20,
};

/* What the records of a batch under construction have in common: their texts, each
 * once, and the time that theirs count from. Zeroed at first. Its memory is bounded
 * by the batch: `places` only remembers where lately used texts are, and one that it
 * forgot is written again. */
struct wire_place {
	uint32_t hash, number, offset, length; /* the text's bytes are texts.data + offset */
};

enum { WIRE_PLACES_LOG = 11, WIRE_PLACES = 1 << WIRE_PLACES_LOG };

struct wire_shared {
	struct buf texts; /* as they will stand in the batch */
	uint32_t text_count;
	bool begun;
	struct usec start; /* of the first record */
	struct wire_place places[WIRE_PLACES];
};

/* Appends one record to `out`, which holds a batch under construction. Nothing
 * is allocated but by growth. The record's sensor, site_revision and exercise are
 * left out: the envelope carries them, and attributes_json and its like are not for
 * the wire. Ids, kinds, roles and the names of attributes, facts and counters
 * must be words ([A-Za-z0-9._-]; ids up to 32, names up to 64), other texts UTF-8 within
 * WIRE_TEXT_MOST: they are not checked here, but wire_unpack refuses the whole
 * batch for one that is not. A Community ID that is not one of version 1 is left
 * out. One may be left out by whoever makes the record, too, where community_id_is_implied()
 * and both ends have an address: wire_unpack computes it. 0 or -ENOMEM. */
int wire_append_record(struct buf *out, struct wire_shared *shared, const struct record *record);

/* Appends what the records behind us share, and forgets it: for a batch that is full. */
int wire_append_shared(struct buf *out, struct wire_shared *shared);
/* Forgets it: for a batch that is given up. */
void wire_shared_clear(struct wire_shared *shared);
void wire_shared_finish(struct wire_shared *shared);

/* Appends the envelope, before or behind the records: protobuf does not mind. */
int wire_append_identity(struct buf *out, const struct batch_identity *identity);

/* Unpacks a batch. The identity's texts and all records live in the arena.
 * Every record is handed to `sink` with its envelope's texts filled in; a sink
 * that returns nonzero ends the walk with that value. 0, -EBADMSG with `why`
 * set to a static sentence part when the bytes are no valid batch (enumeration
 * out of range, address not 16 bytes, text not clean UTF-8, number of a text
 * that is not there, records of another stream, ...), or -ENOMEM. Records that stand before a bad
 * one have been handed over by then: a sink that stores must be able to take them back. Hostile
 * bytes are expected: the collector calls this on what it receives. */
int wire_unpack(const void *bytes, size_t n, struct arena *arena, struct batch_identity *identity,
		record_sink *sink, void *context, const char **why);

/* True for a name that may stand in a URL, a path and a certificate. */
bool wire_sensor_name_is_valid(const char *name);
