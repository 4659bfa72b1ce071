/* SPDX-License-Identifier: Apache-2.0
 *
 * Bytes of a message, put together piece by piece. */
#pragma once

#include <assert.h>
#include <stdint.h>
#include <string.h>

struct bytes {
	uint8_t at[2048];
	size_t n;
};

static inline void put(struct bytes *b, const void *p, size_t n)
{
	assert(n <= sizeof(b->at) - b->n);
	memcpy(b->at + b->n, p, n);
	b->n += n;
}

#define PUT(b, ...) put(b, (uint8_t[]){ __VA_ARGS__ }, sizeof((uint8_t[]){ __VA_ARGS__ }))

static inline void put_text(struct bytes *b, const char *text)
{
	put(b, text, strlen(text));
}

static inline void put_be16(struct bytes *b, unsigned v)
{
	PUT(b, (uint8_t)(v >> 8), (uint8_t)v);
}

static inline void put_be32(struct bytes *b, uint32_t v)
{
	put_be16(b, v >> 16);
	put_be16(b, v & 0xffff);
}

/* A name of DNS from "www.example.com". */
static inline void put_name(struct bytes *b, const char *name)
{
	while (*name) {
		size_t n = strcspn(name, ".");
		PUT(b, (uint8_t)n);
		put(b, name, n);
		name += n + (name[n] == '.');
	}
	PUT(b, 0);
}

/* A header of DNS. */
static inline void put_dns(struct bytes *b, unsigned flags, unsigned questions, unsigned answers,
			   unsigned additional)
{
	put_be16(b, 0x1234);
	put_be16(b, flags);
	put_be16(b, questions);
	put_be16(b, answers);
	put_be16(b, 0);
	put_be16(b, additional);
}

static inline void put_question(struct bytes *b, const char *name, unsigned type, unsigned class)
{
	put_name(b, name);
	put_be16(b, type);
	put_be16(b, class);
}

static inline void put_record(struct bytes *b, const char *name, unsigned type, const void *data,
			      size_t n)
{
	put_question(b, name, type, 0x8001);
	put_be32(b, 120);
	put_be16(b, (unsigned)n);
	put(b, data, n);
}
