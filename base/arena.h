/* SPDX-License-Identifier: Apache-2.0
 *
 * Memory that is handed out piece by piece and taken back all at once. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct arena {
	struct arena_block *blocks; /* newest first */
};

/* Zeroed, aligned for any type; NULL when memory is short. */
void *arena_alloc(struct arena *a, size_t n);
char *arena_text(struct arena *a, const char *text, size_t n); /* NUL added */
void arena_reset(struct arena *a);  /* keeps one block for the next round */
void arena_finish(struct arena *a); /* accepts a zeroed arena */
