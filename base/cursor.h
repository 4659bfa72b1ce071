/* SPDX-License-Identifier: Apache-2.0
 *
 * Reads untrusted bytes without ever leaving them.
 *
 * A read that does not fit returns no error of its own. It marks the cursor
 * failed, empties it and yields zero; so a parser reads a whole header in a
 * straight line, and asks once, at the end, whether all of it was there. An
 * emptied cursor also ends every `while (cursor_left(&c))` loop. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cursor {
	const uint8_t *at;  /* next byte to be read */
	const uint8_t *end; /* one past the last byte that may be read */
	bool failed;        /* sticky: set by the first read that did not fit */
};

static inline struct cursor cursor_of(const void *data, size_t len)
{
	const uint8_t *at = data;
	return (struct cursor){ .at = at, .end = len ? at + len : at };
}

static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->end - c->at);
}

/* The next n bytes, borrowed from the packet, or NULL. */
static inline const uint8_t *cursor_take(struct cursor *c, size_t n)
{
	if (n > cursor_left(c)) {
		c->failed = true;
		c->at = c->end;
		return NULL;
	}
	const uint8_t *p = c->at;
	if (n) /* nothing may be added to a null pointer, not even nothing */
		c->at += n;
	return p;
}

static inline void cursor_skip(struct cursor *c, size_t n)
{
	(void)cursor_take(c, n);
}

/* Cuts the next n bytes off as a cursor of their own, so that a length-prefixed
 * block is parsed inside its own walls. Failed, and empty, when n do not fit. */
static inline struct cursor cursor_sub(struct cursor *c, size_t n)
{
	const uint8_t *p = cursor_take(c, n);
	if (!p && (n || c->failed))
		return (struct cursor){ .failed = true };
	return cursor_of(p, n);
}

/* Looks at the byte `offset` places ahead without taking it; -1 when it is not
 * there. Never marks the cursor failed. */
static inline int cursor_peek(const struct cursor *c, size_t offset)
{
	return offset < cursor_left(c) ? c->at[offset] : -1;
}

/* True when the bytes ahead start with `text` (without its NUL). Takes nothing. */
static inline bool cursor_starts(const struct cursor *c, const char *text)
{
	size_t n = strlen(text);
	return n <= cursor_left(c) && (n == 0 || memcmp(c->at, text, n) == 0);
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 1);
	return p ? p[0] : 0;
}

static inline uint16_t cursor_be16(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 2);
	return p ? (uint16_t)(p[0] << 8 | p[1]) : 0;
}

static inline uint32_t cursor_be24(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 3);
	return p ? (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2] : 0;
}

static inline uint32_t cursor_be32(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 4);
	return p ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : 0;
}

static inline uint64_t cursor_be64(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 8);
	if (!p)
		return 0;
	uint64_t v = 0;
	for (int i = 0; i < 8; i++)
		v = v << 8 | p[i];
	return v;
}

static inline uint16_t cursor_le16(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 2);
	return p ? (uint16_t)(p[1] << 8 | p[0]) : 0;
}

static inline uint32_t cursor_le32(struct cursor *c)
{
	const uint8_t *p = cursor_take(c, 4);
	return p ? (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0] : 0;
}

static inline uint64_t cursor_le64(struct cursor *c)
{
	uint64_t low = cursor_le32(c);
	return (uint64_t)cursor_le32(c) << 32 | low;
}
