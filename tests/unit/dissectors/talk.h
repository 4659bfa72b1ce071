/* SPDX-License-Identifier: Apache-2.0
 *
 * Conversations written as lists of what each side says, for dissectors whose tests
 * need many of them: whole, in pieces of every size, cut at every byte. */
#pragma once

#include "tests/unit/dissectors/stream.h"

struct said {
	unsigned direction;
	const void *bytes;
	size_t n;
};

/* A string literal may hold NULs; its own at the end is not said. */
#define CLIENT(literal) \
	{ \
		0, literal, sizeof(literal) - 1 \
	}
#define SERVER(literal) \
	{ \
		1, literal, sizeof(literal) - 1 \
	}
#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

static inline size_t talk_size(const struct said *said, size_t count)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += said[i].n;
	return n;
}

/* Says it in pieces of `chunk`, and no more than `most` bytes in all. */
static inline void talk_cut(struct conversation *s, const struct said *said, size_t count,
			    size_t chunk, size_t most)
{
	for (size_t i = 0; i < count && most; i++) {
		size_t n = said[i].n < most ? said[i].n : most;
		stream_chunks(s, said[i].direction, said[i].bytes, n, chunk);
		most -= n;
	}
}

static inline void talk(struct conversation *s, const struct said *said, size_t count)
{
	talk_cut(s, said, count, SIZE_MAX / 2, SIZE_MAX);
}

/* Does the attribute list of one hold nothing that the other's does not? Texts and
 * numbers may only be fewer. */
static inline bool talk_says_less(const struct conversation *part, const struct conversation *all)
{
	for (size_t i = 0; i < part->out.count; i++) {
		const struct attribute *v = &part->out.values[i];
		bool found = false;
		for (size_t k = 0; k < all->out.count && !found; k++) {
			const struct attribute *w = &all->out.values[k];
			bool text = v->field->type == FIELD_TEXT || v->field->type == FIELD_TEXTS;
			if (w->field != v->field)
				continue;
			found = text ? !strcmp(attribute_text(&part->out, v),
					       attribute_text(&all->out, w))
				     : v->number <= w->number;
		}
		if (!found)
			return false;
	}
	return true;
}
