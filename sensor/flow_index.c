/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/flow_index.h"

#include "base/pages.h"

enum { FILL = 4 }; /* entries a bucket when the table is full: few overflow */

_Static_assert(sizeof(struct flow_bucket) == 64, "one cache line");

bool flow_index_create(struct flow_index *x, size_t flows)
{
	size_t buckets = 16;

	while (buckets * FILL < flows)
		buckets *= 2;
	x->mask = (uint32_t)(buckets - 1);
	x->buckets = pages_map(buckets * sizeof(*x->buckets));
	return x->buckets;
}

void flow_index_destroy(struct flow_index *x)
{
	pages_unmap(x->buckets, ((size_t)x->mask + 1) * sizeof(*x->buckets));
	x->buckets = NULL;
}

/* Without a branch that nobody could foretell. */
static int place_of(const struct flow_bucket *b, uint32_t entry)
{
	unsigned found = 0;

	for (unsigned i = 0; i < FLOW_BUCKET; i++)
		found |= (unsigned)(b->numbers[i] == entry) << i;
	return found ? __builtin_ctz(found) : -1;
}

void flow_index_add(struct flow_index *x, uint64_t hash, uint32_t number)
{
	struct flow_bucket *b = flow_index_home(x, hash);
	int i;

	for (; (i = place_of(b, 0)) < 0; b = flow_index_next(x, b))
		b->passed++;
	b->hashes[i] = (uint32_t)(hash >> 32);
	b->numbers[i] = number + 1;
}

void flow_index_remove(struct flow_index *x, uint64_t hash, uint32_t number)
{
	struct flow_bucket *b = flow_index_home(x, hash);
	int i;

	for (; (i = place_of(b, number + 1)) < 0; b = flow_index_next(x, b))
		b->passed--;
	b->hashes[i] = b->numbers[i] = 0;
}
