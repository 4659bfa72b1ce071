/* SPDX-License-Identifier: Apache-2.0
 *
 * Blocks of memory in a few sizes, from one reservation. Memory is cut up in chunks of
 * one size each as it is needed, densely, so that pages are touched by what is in use;
 * a block that is given back is the next one taken, for it lies in the cache still. */
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { BLOCK_MOST = 2752, BLOCK_UNIT = 64 }; /* bytes; each block is aligned to a unit */

#define BLOCK_NONE UINT32_MAX

struct blocks;

/* Room for `count` blocks, of whatever sizes, at a time. (Where chunks were cut up for
 * sizes that nobody wants any more it may be a few less.) NULL: no memory. */
struct blocks *blocks_create(size_t count);
void blocks_destroy(struct blocks *b); /* accepts NULL */

/* The number of a block of at least `n` bytes, at most BLOCK_MOST, not zeroed; or
 * BLOCK_NONE. */
uint32_t blocks_take(struct blocks *b, size_t n);
void blocks_give(struct blocks *b, uint32_t block);

void *blocks_at(const struct blocks *b, uint32_t block);
size_t blocks_room(const struct blocks *b, uint32_t block); /* bytes */

/* What blocks_take() would give for that many bytes, when there is enough of it. */
size_t blocks_fit(size_t n);
