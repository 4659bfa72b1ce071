/* SPDX-License-Identifier: Apache-2.0
 *
 * The one thread that writes into the store. Senders wait until their batch is
 * durable; whatever waits together is committed together, so that the wait for
 * the disk is shared. */
#pragma once

#include <stdbool.h>

#include "collector/store.h"

struct writer;

struct writer_options {
	const struct store_driver *driver;
	void *store;
	size_t queue; /* batches that may wait */
};

int writer_start(const struct writer_options *options, struct writer **out);
/* Commits what waits, then ends. Accepts NULL. */
void writer_stop(struct writer *w);

/* Waits until the batch is durable: 0 with batch->known set, -EAGAIN when the
 * queue is full, -ENOSPC when the disk is, -ESHUTDOWN after writer_stop() or a
 * failure of the disk, or another -errno of the store. From any thread. */
int writer_submit(struct writer *w, struct store_batch *batch);

size_t writer_depth(struct writer *w); /* batches that wait */
/* The disk failed: what was acknowledged stays, nothing more is taken. */
bool writer_failed(struct writer *w);
