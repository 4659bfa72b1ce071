/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor/blocks.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/pages.h"

enum { CHUNK = 16384, UNITS_MOST = BLOCK_MOST / BLOCK_UNIT, KINDS = 16 };

static const uint16_t sizes[KINDS] = { 64,  128, 192, 256,  320,  384,  448,  512,
				       640, 768, 896, 1024, 1280, 1536, 2048, BLOCK_MOST };

struct blocks {
	uint8_t *memory;
	uint8_t *kind_of; /* of each chunk */
	size_t chunks, cut;
	struct {
		uint32_t free;  /* block given back last, or BLOCK_NONE; each names the next */
		uint32_t fresh; /* next never used block of the newest chunk */
		uint32_t fresh_count;
	} kinds[KINDS];
};

static unsigned kind_for(size_t n)
{
	static const uint8_t kinds[UNITS_MOST + 1] = {
		0,  0,  1,  2,  3,  4,  5,  6,  7,  8,  8,  9,  9,  10, 10,
		11, 11, 12, 12, 12, 12, 13, 13, 13, 13, 14, 14, 14, 14, 14,
		14, 14, 14, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15, 15,
	};

	assert(n <= BLOCK_MOST);
	return kinds[(n + BLOCK_UNIT - 1) / BLOCK_UNIT];
}

struct blocks *blocks_create(size_t count)
{
	struct blocks *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	/* At worst one chunk of each size is all but empty. */
	b->chunks = count / (CHUNK / BLOCK_MOST) + 1 + KINDS;
	b->kind_of = calloc(b->chunks, 1);
	b->memory = pages_map(b->chunks * CHUNK);
	for (size_t i = 0; i < KINDS; i++)
		b->kinds[i].free = BLOCK_NONE;
	if (b->kind_of && b->memory)
		return b;
	blocks_destroy(b);
	return NULL;
}

void blocks_destroy(struct blocks *b)
{
	if (!b)
		return;
	pages_unmap(b->memory, b->chunks * CHUNK);
	free(b->kind_of);
	free(b);
}

void *blocks_at(const struct blocks *b, uint32_t block)
{
	return b->memory + (size_t)block * BLOCK_UNIT;
}

static unsigned kind_of(const struct blocks *b, uint32_t block)
{
	return b->kind_of[block / (CHUNK / BLOCK_UNIT)];
}

size_t blocks_room(const struct blocks *b, uint32_t block)
{
	return sizes[kind_of(b, block)];
}

size_t blocks_fit(size_t n)
{
	return sizes[kind_for(n)];
}

static uint32_t take_free(struct blocks *b, unsigned kind)
{
	uint32_t block = b->kinds[kind].free;

	if (block != BLOCK_NONE)
		memcpy(&b->kinds[kind].free, blocks_at(b, block), sizeof(block));
	return block;
}

static uint32_t take_fresh(struct blocks *b, unsigned kind)
{
	if (!b->kinds[kind].fresh_count) {
		if (b->cut == b->chunks)
			return BLOCK_NONE;
		b->kind_of[b->cut] = (uint8_t)kind;
		b->kinds[kind].fresh = (uint32_t)(b->cut++ * (CHUNK / BLOCK_UNIT));
		b->kinds[kind].fresh_count = CHUNK / sizes[kind];
	}
	uint32_t block = b->kinds[kind].fresh;
	b->kinds[kind].fresh += sizes[kind] / BLOCK_UNIT;
	b->kinds[kind].fresh_count--;
	return block;
}

/* A larger one, when there is nothing left to cut. */
uint32_t blocks_take(struct blocks *b, size_t n)
{
	uint32_t block = BLOCK_NONE;

	for (unsigned kind = kind_for(n); kind < KINDS && block == BLOCK_NONE; kind++) {
		block = take_free(b, kind);
		if (block == BLOCK_NONE)
			block = take_fresh(b, kind);
	}
	return block;
}

void blocks_give(struct blocks *b, uint32_t block)
{
	unsigned kind = kind_of(b, block);

	memcpy(blocks_at(b, block), &b->kinds[kind].free, sizeof(block));
	b->kinds[kind].free = block;
}
