/* SPDX-License-Identifier: Apache-2.0
 *
 * Lays rows of text out in columns. The table is built cell by cell, row by
 * row; it keeps clean copies (cli_text.h) of all it is given. */
#pragma once

#include "base/arena.h"
#include "base/buf.h"

/* How the terminal is written to. */
struct style {
	size_t width; /* columns; 0: as wide as it gets */
	bool colour;
};

enum colour { COLOUR_NONE, COLOUR_BOLD, COLOUR_FAINT, COLOUR_LOW, COLOUR_HIGH, COLOUR_CRITICAL };

/* Appends the sequence that starts a colour, or ends all of them (NONE);
 * nothing when the style has no colours. */
void colour_put(const struct style *style, enum colour colour, struct buf *out);
enum colour colour_of_severity(const char *word);

enum { TABLE_COLUMNS = 32 };

struct table_column {
	const char *title; /* kept, not copied; clean */
	bool right;        /* numbers */
	size_t least;      /* may be cut down to this width; 0: is never cut */
	bool optional;     /* is left out where even `least` does not fit */
};

struct table_cell {
	const char *text;
	enum colour colour;
};

struct table {
	struct arena memory;
	const struct table_column *columns; /* lent */
	size_t column_count;                /* at most TABLE_COLUMNS */
	struct table_cell *cells;           /* row by row */
	size_t cell_count, room;
	bool failed; /* out of memory; sticky */
};

void table_init(struct table *t, const struct table_column *columns, size_t count);
void table_finish(struct table *t);
/* The next cell, from left to right. NULL is an empty one. */
void table_cell(struct table *t, const char *text, enum colour colour);
/* False when a column was left out for want of room. */
bool table_print(const struct table *t, const struct style *style, struct buf *out);
