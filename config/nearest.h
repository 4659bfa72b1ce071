/* SPDX-License-Identifier: Apache-2.0
 *
 * "Did you mean": the known word that a mistyped one is closest to. */
#pragma once

struct nearest {
	const char *word; /* as written; lent */
	const char *best; /* of those offered; lent. NULL: none is near */
	unsigned distance;
};

struct nearest nearest_to(const char *word);
/* Offers a known word. Ties go to the one offered first. */
void nearest_offer(struct nearest *n, const char *known);

/* Insertions, deletions, replacements and swaps of neighbours that turn one into
 * the other, without regard to case; `most` + 1 when it takes more. */
unsigned nearest_distance(const char *a, const char *b, unsigned most);
