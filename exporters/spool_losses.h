/* SPDX-License-Identifier: Apache-2.0
 *
 * What the spool lost, with its exact range, until a health batch has told it.
 * DIR/losses holds the list across a crash. Inside the spool only. */
#pragma once

#include "base/buf.h"
#include "schema/wire.h"

struct spool_loss {
	enum stream stream;
	uint64_t epoch, first, last; /* sequences, both included */
	uint64_t records;
};

struct spool_losses {
	struct spool_loss *list;
	size_t count, room;
	size_t telling; /* the first so many stand in a batch on its way: not to be changed */
	bool stored;    /* the file holds exactly this list */
};

/* Adds one lost batch; it joins the range it continues. 0 or -ENOMEM. */
int spool_losses_add(struct spool_losses *l, enum stream stream, uint64_t epoch, uint64_t sequence,
		     uint64_t records);
void spool_losses_drop(struct spool_losses *l, size_t n); /* the first n are told */
void spool_losses_finish(struct spool_losses *l);

int spool_losses_load(const char *dir, struct spool_losses *out); /* absent: none */
int spool_losses_store(const char *dir, struct spool_losses *l);  /* none: no file */

/* Packs a batch of `n` health records, one per range, from the first on: counters
 * lost.STREAM.epoch, .first, .last and .records. */
int spool_losses_pack(const struct spool_losses *l, size_t n, const struct batch_identity *identity,
		      struct buf *out);
