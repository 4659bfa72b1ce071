/* SPDX-License-Identifier: Apache-2.0
 *
 * One direction of a TCP stream, put in order for a dissector, within bounds.
 *
 * Bytes that arrive in order are shown where they lie in the packet; only what
 * the dissector leaves, and what arrives too early, is kept, in one buffer of
 * DISSECT_BUFFER bytes per direction from a fixed pool. Bytes the dissector
 * skips are never kept: the stream's base just moves on. A hole that the other
 * end has acknowledged is one that we shall never see: the stream goes on
 * behind it and says `gap`. */
#pragma once

#include "dissectors/dissector.h"

struct reassembly_pool; /* of buffers */

/* Memory is reserved now and touched when used. NULL: none. */
struct reassembly_pool *reassembly_pool_create(size_t buffers);
void reassembly_pool_destroy(struct reassembly_pool *p); /* accepts NULL */

enum { REASSEMBLY_RANGES = 4 };

struct reassembly {
	bool started;
	bool gap;         /* to be told with the next bytes shown */
	bool due;         /* bytes that came early are next now */
	uint32_t base;    /* sequence number of the first byte not yet taken */
	uint32_t skipped; /* bytes that the last step of base went over unseen */
	uint32_t ready;   /* bytes in the buffer from base on */
	struct reassembly_range {
		uint32_t from, to; /* offsets from base: bytes that came early */
	} early[REASSEMBLY_RANGES];
	uint8_t early_count;
	uint8_t *buffer;          /* of the pool, or NULL */
	uint32_t overflows, gaps; /* since reassembly_init; the core adds them up */
};

void reassembly_init(struct reassembly *s, uint32_t sequence);
void reassembly_finish(struct reassembly_pool *pool,
		       struct reassembly *s); /* gives the buffer back */

/* Offers a segment. True when there are bytes to show: they are in *out,
 * borrowed until the next call for this stream. The caller shows them and calls
 * reassembly_taken; then again reassembly_more until that is false. `lost_below`: the
 * other end has acknowledged all below this sequence number (`ack_known`). */
bool reassembly_offer(struct reassembly_pool *pool, struct reassembly *s, uint32_t sequence,
		      struct cursor payload, uint32_t wire_length, bool ack_known,
		      uint32_t lost_below, struct cursor *out);

/* Of the bytes shown, `taken` are done with, and `skip` behind those will not be
 * wanted. What is left is kept, and shown again with the next bytes. */
void reassembly_taken(struct reassembly_pool *pool, struct reassembly *s, struct cursor shown,
		      size_t taken, uint64_t skip);

/* What is kept and was left by those it was shown to: true, and in *out, when there is any. */
bool reassembly_again(struct reassembly *s, struct cursor *out);

/* True when a skip made bytes due that came early: in *out. */
bool reassembly_more(struct reassembly *s, struct cursor *out);

/* For flows of datagrams: keeps the first `n` bytes at `from`, which may be the buffer
 * itself, in s->buffer (`ready` of them); with 0 the buffer goes back. When there is no
 * buffer, nothing is kept, and overflows counts it. */
void reassembly_hold(struct reassembly_pool *pool, struct reassembly *s, const uint8_t *from,
		     size_t n);
