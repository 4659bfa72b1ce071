/* SPDX-License-Identifier: Apache-2.0
 *
 * From a key's hash to the numbers of flows that may have it: buckets of one cache line. A
 * look-up reads one line, unless its bucket overflowed into the next; taking out
 * moves nothing. */
#pragma once

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FLOW_BUCKET = 7 };

struct flow_bucket {
	alignas(64) uint32_t hashes[FLOW_BUCKET]; /* upper halves */
	uint32_t passed;                          /* entries that found no room and went on */
	uint32_t numbers[FLOW_BUCKET];            /* of the flow, plus one; 0: free */
	uint32_t unused;
};

struct flow_index {
	struct flow_bucket *buckets;
	uint32_t mask;
};

bool flow_index_create(struct flow_index *x, size_t flows); /* false: no memory */
void flow_index_destroy(struct flow_index *x);
void flow_index_add(struct flow_index *x, uint64_t hash, uint32_t number);
void flow_index_remove(struct flow_index *x, uint64_t hash, uint32_t number);

static inline struct flow_bucket *flow_index_home(const struct flow_index *x, uint64_t hash)
{
	return &x->buckets[(uint32_t)hash & x->mask];
}

static inline struct flow_bucket *flow_index_next(const struct flow_index *x,
						  const struct flow_bucket *b)
{
	return &x->buckets[((size_t)(b - x->buckets) + 1) & x->mask];
}

/* A bit for each entry whose hash agrees; its number may yet be 0. */
static inline unsigned flow_bucket_matches(const struct flow_bucket *b, uint64_t hash)
{
	uint32_t upper = (uint32_t)(hash >> 32);
	unsigned found = 0;

	for (unsigned i = 0; i < FLOW_BUCKET; i++)
		found |= (unsigned)(b->hashes[i] == upper) << i;
	return found;
}
