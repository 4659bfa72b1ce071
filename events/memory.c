/* SPDX-License-Identifier: Apache-2.0 */
#include "events/memory.h"

#include <stdlib.h>

enum { WAYS = 8 };

struct entry {
	uint64_t key, number, used; /* used 0: free */
};

struct memory {
	struct entry *entries;
	size_t mask; /* of the first of WAYS entries */
	uint64_t clock;
};

struct memory *memory_create(size_t entries)
{
	struct memory *m = calloc(1, sizeof(*m));
	size_t n = WAYS;

	if (!m)
		return NULL;
	while (n < entries)
		n *= 2;
	m->mask = n / WAYS - 1;
	m->entries = calloc(n, sizeof(*m->entries));
	if (!m->entries) {
		free(m);
		return NULL;
	}
	return m;
}

void memory_destroy(struct memory *m)
{
	if (!m)
		return;
	free(m->entries);
	free(m);
}

uint64_t *memory_of(struct memory *m, uint64_t key, bool *forgot)
{
	struct entry *set = &m->entries[(key & m->mask) * WAYS];
	struct entry *oldest = set;

	m->clock++;
	*forgot = false;
	for (size_t i = 0; i < WAYS; i++) {
		if (set[i].used && set[i].key == key) {
			set[i].used = m->clock;
			return &set[i].number;
		}
		if (set[i].used < oldest->used)
			oldest = &set[i];
	}
	*forgot = oldest->used != 0;
	*oldest = (struct entry){ .key = key, .used = m->clock };
	return &oldest->number;
}
