/* SPDX-License-Identifier: Apache-2.0
 *
 * A protocol's codes as the words of a fixed list, and what else several dissectors
 * say in the same way. */
#pragma once

#include <stdio.h>

#include "dissectors/dissector.h"

/* A table of these ends with a NULL text. */
struct word {
	uint32_t code;
	const char *text;
};

/* NULL: not in the table. */
static inline const char *word_of(const struct word *table, uint32_t code)
{
	for (; table->text; table++)
		if (table->code == code)
			return table->text;
	return NULL;
}

static inline void attributes_word(struct attributes *out, const struct field *f, const char *word)
{
	attributes_text(out, f, word, strlen(word));
}

/* The code's word, or `prefix` and its number. */
static inline void attributes_code(struct attributes *out, const struct field *f,
				   const struct word *table, uint32_t code, const char *prefix)
{
	const char *word = word_of(table, code);
	char text[32];

	if (!word) {
		snprintf(text, sizeof(text), "%s%u", prefix, (unsigned)code);
		word = text;
	}
	attributes_word(out, f, word);
}

/* Where `n` bytes stand first in what is ahead, or -1. */
static inline long cursor_find(const struct cursor *c, const void *bytes, size_t n)
{
	size_t left = cursor_left(c);

	for (size_t at = 0; at + n <= left; at++)
		if (memcmp(c->at + at, bytes, n) == 0)
			return (long)at;
	return -1;
}

enum sight { SIGHT_NO, SIGHT_MORE, SIGHT_YES };

/* Does a TLS record (RFC 8446 section 5.1) with a handshake message of this type, 1 the
 * ClientHello and 2 the ServerHello, begin here? For protocols that turn to TLS under
 * way. */
static inline enum sight sees_hello(const struct cursor *c, unsigned type)
{
	int version = cursor_peek(c, 1), minor = cursor_peek(c, 2), message = cursor_peek(c, 5);

	if (cursor_peek(c, 0) >= 0 && cursor_peek(c, 0) != 22)
		return SIGHT_NO;
	if ((version >= 0 && version != 3) || minor > 4)
		return SIGHT_NO;
	if (message < 0)
		return SIGHT_MORE;
	return message == (int)type ? SIGHT_YES : SIGHT_NO;
}
