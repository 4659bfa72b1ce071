/* SPDX-License-Identifier: Apache-2.0 */
#include "config/nearest.h"

#include <ctype.h>
#include <string.h>

enum { WORD_MOST = 64 };

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

static int fold(const char *text, size_t i)
{
	return tolower((unsigned char)text[i]);
}

/* Optimal string alignment; three rows are enough for swaps. */
unsigned nearest_distance(const char *a, const char *b, unsigned most)
{
	unsigned rows[3][WORD_MOST + 1];
	size_t na = strnlen(a, WORD_MOST + 1), nb = strnlen(b, WORD_MOST + 1);

	if (na > WORD_MOST || nb > WORD_MOST || (na > nb ? na - nb : nb - na) > most)
		return most + 1;
	for (size_t j = 0; j <= nb; j++)
		rows[0][j] = (unsigned)j;
	for (size_t i = 1; i <= na; i++) {
		unsigned *row = rows[i % 3], *above = rows[(i - 1) % 3];
		unsigned *second = rows[(i + 1) % 3];
		row[0] = (unsigned)i;
		for (size_t j = 1; j <= nb; j++) {
			unsigned differ = fold(a, i - 1) != fold(b, j - 1);
			row[j] = least(above[j - 1] + differ, least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && fold(a, i - 1) == fold(b, j - 2) &&
			    fold(a, i - 2) == fold(b, j - 1))
				row[j] = least(row[j], second[j - 2] + 1);
		}
	}
	return least(rows[na % 3][nb], most + 1);
}

struct nearest nearest_to(const char *word)
{
	size_t n = strlen(word);

	/* One slip in a short word, two or three in a long one. */
	return (struct nearest){ .word = word, .distance = n < 5 ? 2 : n < 9 ? 3 : 4 };
}

void nearest_offer(struct nearest *n, const char *known)
{
	unsigned distance = nearest_distance(n->word, known, n->distance - 1);

	/* A word that would be replaced almost whole is not near. */
	if (distance >= n->distance || distance >= strlen(known))
		return;
	n->best = known;
	n->distance = distance;
	/* Nothing is nearer than the same word in another case. */
	if (!n->distance)
		n->distance = 1;
}
